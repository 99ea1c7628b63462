#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "audit/observe/processes_private.h"
#include "core/mem.h"

enum {
	PIDS_MAX = 1 << 22, /* PID_MAX_LIMIT on 64 bits */
	/* struct linux_dirent64 with the longest name, and some */
	ENTRY_MAX = 512,
};

/* struct linux_dirent64; the C library's struct dirent may have another shape. */
struct entry {
	uint64_t inode;
	int64_t next;
	uint16_t length;
	uint8_t type;
	char name[];
};

int tct_proc_open(struct tct_proc *proc, const struct tct_root *root)
{
	int fd = tct_root_openat(root, "proc", O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	*proc = (struct tct_proc){ .root = root, .fd = fd };
	return 0;
}

void tct_proc_done(struct tct_proc *proc)
{
	if (proc->fd >= 0)
		(void)close(proc->fd);
	proc->fd = -1;
}

int64_t tct_processes_now_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

bool tct_processes_is_refusal(int error)
{
	return error == -EACCES || error == -EPERM;
}

bool tct_processes_is_ordinary(int error)
{
	/* ENOTDIR, ELOOP: a file in the way, in a captured tree */
	return tct_processes_is_refusal(error) || error == -ENOENT || error == -ESRCH ||
	       error == -ENOTDIR || error == -ELOOP;
}

/* A name that is a number: a process, a descriptor. -1 if it is none. */
static int32_t number_of(const char *name)
{
	int64_t number = 0;

	if (*name == '\0')
		return -1;
	for (; *name != '\0'; name++) {
		if (*name < '0' || *name > '9')
			return -1;
		number = number * 10 + (*name - '0');
		if (number > INT32_MAX)
			return -1;
	}
	return (int32_t)number;
}

struct pids {
	int32_t *items;
	size_t items_count;
	size_t items_capacity;
};

/* Add the processes among entries[0..used). */
static int add_pids(struct pids *pids, const char *entries, size_t used, bool *has_init)
{
	for (size_t at = 0; at < used;) {
		const struct entry *entry = (const void *)(entries + at);
		int32_t pid = number_of(entry->name);
		int32_t *item;

		at += entry->length;
		if (pid == 1)
			*has_init = true;
		if (pid <= 0)
			continue;
		if (pids->items_count >= PIDS_MAX)
			return -EFBIG;
		item = TCT_APPEND(pids, items);
		if (item == NULL)
			return -ENOMEM;
		*item = pid;
	}
	return 0;
}

/* Ascending, 1 last. */
static int compare_pids(const void *a, const void *b)
{
	const int32_t left = *(const int32_t *)a;
	const int32_t right = *(const int32_t *)b;

	if (left == 1 || right == 1)
		return (left == 1) - (right == 1);
	return (left > right) - (left < right);
}

int tct_proc_list(const struct tct_proc *proc, int32_t **pids, size_t *count, bool *hidden)
{
	_Alignas(8) char entries[TCT_DESCRIPTORS_MANY];
	struct pids found = { 0 };
	TCT_AUTOFREE int32_t *items = NULL;
	bool has_init = false;
	long got;

	if (lseek(proc->fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((got = syscall(SYS_getdents64, proc->fd, entries, sizeof(entries))) > 0) {
		int result = add_pids(&found, entries, (size_t)got, &has_init);

		items = found.items;
		if (result < 0)
			return result;
	}
	if (got < 0)
		return -errno;
	if (found.items_count > 1)
		qsort(items, found.items_count, sizeof(*items), compare_pids);
	*hidden = proc->root->live && !has_init;
	*count = found.items_count;
	*pids = TCT_STEAL(items);
	return 0;
}

int tct_descriptors_read(struct tct_descriptors *piece, const struct tct_proc *proc, int32_t pid,
			 int64_t from, size_t room)
{
	const int flags = O_RDONLY | O_DIRECTORY;
	TCT_AUTOCLOSE int dir = -1;
	char path[64];

	piece->dir = -1;
	piece->used = piece->at = 0;
	piece->next = from;
	piece->last = false;
	if (room > sizeof(piece->entries))
		room = sizeof(piece->entries);
	(void)snprintf(path, sizeof(path), "proc/%d/fd", pid);
	if (proc->root->live) {
		dir = openat(proc->fd, path + strlen("proc/"), flags | O_CLOEXEC);
		if (dir < 0)
			return -errno;
	} else {
		dir = tct_root_openat(proc->root, path, flags, 0); /* no link leads out */
		if (dir < 0)
			return dir;
	}
	if (from != 0 && lseek(dir, from, SEEK_SET) < 0)
		return -errno;
	while (room - piece->used >= ENTRY_MAX) {
		long got = syscall(SYS_getdents64, dir, piece->entries + piece->used,
				   room - piece->used);

		if (got < 0)
			return -errno;
		if (got == 0) {
			piece->last = true;
			break;
		}
		for (size_t at = piece->used; at < piece->used + (size_t)got;) {
			const struct entry *entry = (const void *)(piece->entries + at);

			piece->next = entry->next;
			at += entry->length;
		}
		piece->used += (size_t)got;
	}
	piece->dir = TCT_STEAL_FD(dir);
	return 0;
}

void tct_descriptors_done(struct tct_descriptors *piece)
{
	if (piece->dir >= 0)
		(void)close(piece->dir);
	piece->dir = -1;
}

/* "socket:[123]", which is all that readlink tells of a socket; 0 if it is something else. */
static uint32_t socket_inode(const char *target, size_t length)
{
	static const char start[] = "socket:[";
	const size_t start_length = sizeof(start) - 1;
	uint64_t inode = 0;

	if (length < start_length + 2 || target[length - 1] != ']' ||
	    memcmp(target, start, start_length) != 0)
		return 0;
	for (size_t i = start_length; i < length - 1; i++) {
		if (target[i] < '0' || target[i] > '9')
			return 0;
		inode = inode * 10 + (uint64_t)(target[i] - '0');
		if (inode > UINT32_MAX)
			return 0;
	}
	return (uint32_t)inode;
}

/*
 * readlink, not stat: following the link with statx() is a twentieth cheaper, but asks the file's
 * own file system, and there a descriptor on a server that is gone would hang us. Neither is
 * trying the numbers 0, 1, 2 without a listing: that makes the kernel build each name's entry
 * twice as dear (7 us against 5 us).
 */
enum tct_descriptor tct_descriptors_next(struct tct_descriptors *piece, uint32_t *inode)
{
	while (piece->at < piece->used) {
		const struct entry *entry = (const void *)(piece->entries + piece->at);
		char target[32]; /* longer is no socket */
		ssize_t length;
		uint32_t found;

		piece->at += entry->length;
		if (number_of(entry->name) < 0)
			continue;
		length = readlinkat(piece->dir, entry->name, target, sizeof(target));
		if (length < 0 && tct_processes_is_refusal(-errno))
			return TCT_DESCRIPTOR_REFUSED;
		found = length > 0 ? socket_inode(target, (size_t)length) : 0;
		if (found == 0)
			return TCT_DESCRIPTOR_OTHER;
		*inode = found;
		return TCT_DESCRIPTOR_SOCKET;
	}
	return TCT_DESCRIPTOR_END;
}
