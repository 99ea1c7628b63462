/*
 * Inodes of sockets by state and side, four bytes each: to learn which process holds how many of
 * them from its descriptors.
 */
#ifndef TCT_AUDIT_OBSERVE_SOCKET_INODES_H
#define TCT_AUDIT_OBSERVE_SOCKET_INODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/observation.h"

enum {
	TCT_INODES_MAX = 1 << 20, /* four megabytes */
	TCT_SIDES = 2,            /* the caller's: two groups that are kept apart */
};

struct tct_inode_set {
	uint32_t *items; /* ascending once it is sorted; an inode may be there again (MPTCP) */
	size_t items_count;
	size_t items_capacity;
	size_t first; /* number of its first item among all */
};

struct tct_socket_inodes {
	struct tct_inode_set sets[TCT_SIDES][TCT_STATE_LIMIT];
	size_t count;
	size_t left;    /* that no process was seen with */
	uint64_t *seen; /* bit by number: some process has it */
};

/* One process while it is looked at. */
struct tct_holder {
	int32_t pid;   /* 0 = nobody */
	bool used;     /* it has some */
	uint64_t *own; /* bit by number, so that dup() counts once */
	uint32_t counts[TCT_SIDES][TCT_STATE_LIMIT];
};

void tct_inodes_done(struct tct_socket_inodes *inodes);
void tct_inodes_clear(struct tct_socket_inodes *inodes);

/* Keep one. 0, -ENOMEM, or -E2BIG when TCT_INODES_MAX are there. */
int tct_inodes_add(struct tct_socket_inodes *inodes, unsigned side, unsigned state, uint32_t inode);

/* Make ready for the search; nothing may be added after it. 0 or -ENOMEM. */
int tct_inodes_sort(struct tct_socket_inodes *inodes);

/* Begin with a process; what the holder had of another is forgotten. 0 or -ENOMEM. */
int tct_holder_begin(struct tct_holder *holder, const struct tct_socket_inodes *inodes,
		     int32_t pid);
void tct_holder_done(struct tct_holder *holder);

/* The process has a descriptor of this inode: count it, unless it was seen with it before. */
void tct_inodes_see(struct tct_socket_inodes *inodes, struct tct_holder *holder, uint32_t inode);

/* Sockets that no process was seen with, by side and state. */
void tct_inodes_unseen(const struct tct_socket_inodes *inodes,
		       uint32_t counts[TCT_SIDES][TCT_STATE_LIMIT]);

#endif
