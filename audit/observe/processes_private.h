/* The descriptors of processes, read piece by piece: what seeking and walking share. */
#ifndef TCT_AUDIT_OBSERVE_PROCESSES_PRIVATE_H
#define TCT_AUDIT_OBSERVE_PROCESSES_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/root.h"

/* Below a root: /proc, open. */
struct tct_proc {
	const struct tct_root *root; /* borrowed */
	int fd;
};

int tct_proc_open(struct tct_proc *proc, const struct tct_root *root);
void tct_proc_done(struct tct_proc *proc);

/*
 * The processes there are, ascending, but 1 last: it may hold a listener
 * that it made for somebody else (socket activation), who is the one to name. *pids is owned by
 * the caller. *hidden: /proc doesn't show everything (hidepid): not even 1. 0, -ENOMEM or -errno.
 */
int tct_proc_list(const struct tct_proc *proc, int32_t **pids, size_t *count, bool *hidden);

/* struct linux_dirent64; the C library's struct dirent may have another shape. */
struct tct_entry {
	uint64_t inode;
	int64_t next;
	uint16_t length;
	uint8_t type;
	char name[];
};

/* A name that is a number: a process, a descriptor. -1 if it is none. */
int32_t tct_entry_number(const char *name);

enum {
	TCT_DESCRIPTORS_FEW = 2048, /* room for about 64 to 80 of them */
	TCT_DESCRIPTORS_MANY = 16384,
	TCT_DESCRIPTOR_BYTES = 24, /* an entry at least */
	/* in a piece of `room` bytes: as many numbers and as many entries */
	TCT_DESCRIPTORS_MOST = 2 * (TCT_DESCRIPTORS_MANY / TCT_DESCRIPTOR_BYTES),
};

/*
 * One piece of a process's descriptors: first numbers that are tried one by one, those left of
 * them listed if too many are free, then entries that were listed.
 */
struct tct_descriptors {
	int dir;
	size_t used;
	size_t at;
	int64_t next; /* where the next piece begins */
	bool last;    /* there is none */
	bool sparse;  /* number..number_end are listed */
	int32_t number;
	int32_t number_end;
	int32_t free; /* of those that were tried */
	int32_t free_max;
	size_t few_used;
	size_t few_at;
	_Alignas(8) char few[TCT_DESCRIPTORS_FEW];
	_Alignas(8) char entries[TCT_DESCRIPTORS_MANY];
};

/*
 * Read a piece of at most `room` bytes, from a place that is 0 or an earlier piece's `next`.
 * Descriptors that come and go meanwhile are told once or not at all. 0 or -errno: -ENOENT and
 * -ESRCH for a process that is gone, -EACCES and -EPERM if it may not be looked at.
 */
int tct_descriptors_read(struct tct_descriptors *piece, const struct tct_proc *proc, int32_t pid,
			 int64_t from, size_t room);
void tct_descriptors_done(struct tct_descriptors *piece);

enum tct_descriptor {
	TCT_DESCRIPTOR_END,
	TCT_DESCRIPTOR_OTHER,
	TCT_DESCRIPTOR_SOCKET,
	TCT_DESCRIPTOR_REFUSED, /* and so are the others of this process */
};

/* Look at the piece's next descriptor; a socket's inode into *inode. */
enum tct_descriptor tct_descriptors_next(struct tct_descriptors *piece, uint32_t *inode);

/* True for what means no more than that a process is gone or may not be looked at. */
bool tct_processes_is_ordinary(int error);
bool tct_processes_is_refusal(int error);

#endif
