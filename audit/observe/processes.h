/* Which process holds a socket: by the inode of its descriptor, in /proc/PID/fd. */
#ifndef TCT_AUDIT_OBSERVE_PROCESSES_H
#define TCT_AUDIT_OBSERVE_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/root.h"

/* A socket that is sought. */
struct tct_sought {
	uint32_t inode; /* 0 (TIME_WAIT, a request: no process has it) is not looked for */
	int32_t pid;    /* found; 0 = not (yet) */
};

/* How far a search went. Unless complete, not_permitted or out_of_time says why, or both. */
struct tct_search {
	size_t found;
	bool complete;      /* every descriptor of every process was looked at, or all were found */
	bool not_permitted; /* some process may not be looked at, or is hidden (hidepid) */
	bool out_of_time;   /* the budget was spent */
	int64_t looked_at;  /* descriptors */
	int64_t elapsed_ns;
};

/*
 * Seek sought[0..count) (any order; kept sorted by inode afterwards), the likeliest first: the
 * first descriptors of each process before the further ones (listeners are opened early), and the
 * processes hint[0..hints) before all others, as far as their first 11,000 or so. A socket that
 * several hold (workers, socket activation) goes to the one that is met first; 1 comes after the
 * others. Ends when all are found, or after budget_ns of processor time (0 = no limit; at most
 * eight times that on the clock), but not before the processes are listed (2 us each). 0 or -errno:
 * -ENOMEM, -ENOENT without /proc. Effects: reads /proc only.
 */
int tct_processes_seek(const struct tct_root *root, struct tct_sought *sought, size_t count,
		       const int32_t *hint, size_t hints, int64_t budget_ns,
		       struct tct_search *search);

/*
 * Tell every socket descriptor of every process, once each, in no order; visit returns 0, or 1 to
 * end, or -errno. only[0..count): just these processes, NULL = all. Where there is much to look at,
 * threads help: visit may be called by another than the caller's, but never by two at a time.
 * Same errors, and visit's.
 */
int tct_processes_walk(const struct tct_root *root, const int32_t *only, size_t count,
		       int (*visit)(void *context, int32_t pid, uint32_t inode), void *context,
		       struct tct_search *search);

/* A process's name, "" if it is gone. Control characters become '?'. */
void tct_process_name(const struct tct_root *root, int32_t pid, char comm[32]);

/* Its soft RLIMIT_NOFILE (/proc/PID/limits); INT64_MAX = unlimited, -1 if not known. */
int64_t tct_process_descriptors_max(const struct tct_root *root, int32_t pid);

/*
 * Its unit or container by /proc/PID/cgroup, as tct_cgroup_unit says it; "" if there is none. A
 * container on any line, else the unit of cgroup2's, else of the one that systemd uses of cgroup1.
 */
void tct_process_unit(const struct tct_root *root, int32_t pid, char unit[128]);

#endif
