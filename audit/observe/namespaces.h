/* The network namespaces of this host: finding them, and going into one after the other. */
#ifndef TCT_AUDIT_OBSERVE_NAMESPACES_H
#define TCT_AUDIT_OBSERVE_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/netns.h"
#include "core/err.h"
#include "core/root.h"

struct tct_namespace {
	uint64_t inode;
	char name[TCT_NETNS_NAME]; /* as --netns takes it: a name in /run/netns, else a pid; "" =
				      our own, and nothing names it */
	int32_t pid;               /* one process in it, 0 = none seen: held by a file only */
	char comm[32];             /* of that process */
	char unit[128];            /* its unit or container, "" = not known */
	bool own;                  /* the one that we are in */
	int fd;                    /* held open, so that it stays what it is; -1 = too many */
};

struct tct_namespaces {
	struct tct_namespace *items; /* the own one first, then by name */
	size_t items_count;
	size_t items_capacity;
	size_t not_permitted; /* processes whose namespace could not be told */
	bool own_initial;     /* the own one is the host's first */
};

/*
 * List them: those with a name in /run/netns (and /var/run/netns), and those of processes (of their
 * main threads), each once. Live root only. Descriptors are held open as far as RLIMIT_NOFILE
 * allows, some left over. Errors: REFUSED/ENOMEM, or without /proc. Effects: reads only. Release
 * with tct_namespaces_done in either case.
 */
int tct_namespaces_list(const struct tct_root *root, struct tct_namespaces *namespaces,
			struct tct_err *err);
void tct_namespaces_done(struct tct_namespaces *namespaces);

/*
 * Go into namespace i with this thread (the process's main one: files below /proc/self/net follow
 * it) and tell which one it is. *keys (may be NULL) is its folder /proc/sys/net/ipv4, the caller's
 * to close; -1 if it can't be opened. 0, or -errno: -ENOENT if it is gone, -EPERM if it may not be
 * entered.
 */
int tct_namespaces_enter(const struct tct_namespaces *namespaces, size_t i, struct tct_netns *netns,
			 int *keys);

/*
 * Go back into the own one. 0 or -errno. It needs the same permission as to go into another: call
 * it before, to know that the way back is open.
 */
int tct_namespaces_return(const struct tct_namespaces *namespaces);

/* The one that an observation is of, as it stood in the list. */
void tct_namespace_of(const struct tct_netns *netns, struct tct_namespace *namespace_);

#endif
