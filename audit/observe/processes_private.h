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

enum {
	TCT_DESCRIPTORS_FEW = 2048, /* room for about 64 to 80 of them */
	TCT_DESCRIPTORS_MANY = 16384,
};

/* One piece of a process's descriptors. */
struct tct_descriptors {
	int dir;
	size_t used;
	size_t at;
	int64_t next; /* where the next piece begins */
	bool last;    /* there is none */
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

/* CLOCK_MONOTONIC */
int64_t tct_processes_now_ns(void);

/* True for what means no more than that a process is gone or may not be looked at. */
bool tct_processes_is_ordinary(int error);
bool tct_processes_is_refusal(int error);

#endif
