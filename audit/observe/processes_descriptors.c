/* The descriptors of a process: by their numbers where those lie close, else by listing them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "audit/observe/processes_private.h"
#include "core/mem.h"

enum {
	ENTRY_MAX = 512, /* struct linux_dirent64 with the longest name, and some */
	/* An eighth of a piece's numbers may be free; with more, listing is cheaper. */
	FREE_PART = 8,
	DOTS = 2, /* The kernel's place of descriptor N is N + 2, after "." and "..". */
};

static int open_folder(const struct tct_proc *proc, int32_t pid)
{
	const int flags = O_RDONLY | O_DIRECTORY;
	char path[64];
	int dir;

	(void)snprintf(path, sizeof(path), "proc/%d/fd", pid);
	if (!proc->root->live)
		return tct_root_openat(proc->root, path, flags, 0); /* no link leads out */
	dir = openat(proc->fd, path + strlen("proc/"), flags | O_CLOEXEC);
	return dir < 0 ? -errno : dir;
}

/*
 * Numbers below this are tried, those from it on are listed. Since Linux 6.2 the folder's size is
 * the number of open descriptors, before that 0; they mostly lie close, for the kernel gives out
 * the lowest number that is free. 0 = list them all.
 */
static int64_t numbers_tried(const struct tct_proc *proc, int dir)
{
	struct stat status;

	if (!proc->root->live || fstat(dir, &status) < 0 || status.st_size <= 0 ||
	    status.st_size > INT32_MAX / 2)
		return 0;
	return status.st_size + status.st_size / FREE_PART;
}

/* List from piece->next on, as many as fit. 0 or -errno. */
static int list(struct tct_descriptors *piece, int dir, size_t room)
{
	if (piece->next != 0 && lseek(dir, piece->next, SEEK_SET) < 0)
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
			const struct tct_entry *entry = (const void *)(piece->entries + at);

			piece->next = entry->next;
			at += entry->length;
		}
		piece->used += (size_t)got;
	}
	return 0;
}

int tct_descriptors_read(struct tct_descriptors *piece, const struct tct_proc *proc, int32_t pid,
			 int64_t from, size_t room)
{
	TCT_AUTOCLOSE int dir = open_folder(proc, pid);
	const int64_t first = from > DOTS ? from - DOTS : 0;
	int64_t limit;
	int result = 0;

	piece->dir = -1;
	piece->used = piece->at = 0;
	piece->few_used = piece->few_at = 0;
	piece->next = from;
	piece->last = piece->sparse = false;
	piece->number = piece->number_end = piece->free = piece->free_max = 0;
	if (dir < 0)
		return dir;
	if (room > sizeof(piece->entries))
		room = sizeof(piece->entries);
	limit = numbers_tried(proc, dir);
	if (first < limit) {
		const int64_t most = (int64_t)(room / TCT_DESCRIPTOR_BYTES);

		piece->number = (int32_t)first;
		piece->number_end = (int32_t)(limit - first < most ? limit : first + most);
		piece->free_max = (piece->number_end - piece->number) / FREE_PART;
		piece->next = piece->number_end + DOTS;
	}
	if (first >= limit || piece->number_end == limit)
		result = list(piece, dir, room);
	if (result < 0)
		return result;
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
 * own file system, and there a descriptor on a server that is gone would hang us.
 */
static enum tct_descriptor look_at(const struct tct_descriptors *piece, const char *name,
				   uint32_t *inode, bool *free)
{
	char target[32]; /* longer is no socket */
	const ssize_t length = readlinkat(piece->dir, name, target, sizeof(target));
	uint32_t found;

	*free = length < 0 && errno == ENOENT;
	if (length < 0 && tct_processes_is_refusal(-errno))
		return TCT_DESCRIPTOR_REFUSED;
	found = length > 0 ? socket_inode(target, (size_t)length) : 0;
	if (found == 0)
		return TCT_DESCRIPTOR_OTHER;
	*inode = found;
	return TCT_DESCRIPTOR_SOCKET;
}

/* The number in text, which ends at `end`. */
static const char *name_of(int32_t number, char *end)
{
	*--end = '\0';
	do {
		*--end = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return end;
}

/* The next number that is open, of those that are tried one by one. */
static enum tct_descriptor next_tried(struct tct_descriptors *piece, uint32_t *inode)
{
	char text[16];

	while (piece->number < piece->number_end && !piece->sparse) {
		bool free;
		const char *name = name_of(piece->number, text + sizeof(text));
		enum tct_descriptor kind = look_at(piece, name, inode, &free);

		piece->number++;
		if (!free)
			return kind;
		/* What is left of them is listed. */
		if (++piece->free > piece->free_max)
			piece->sparse = lseek(piece->dir, piece->number + DOTS, SEEK_SET) >= 0;
	}
	return TCT_DESCRIPTOR_END;
}

/* The next of the numbers that turned out to lie far apart. */
static enum tct_descriptor next_sparse(struct tct_descriptors *piece, uint32_t *inode)
{
	while (piece->sparse) {
		const struct tct_entry *entry;
		bool free;
		int32_t number;

		if (piece->few_at == piece->few_used) {
			long got =
				syscall(SYS_getdents64, piece->dir, piece->few, sizeof(piece->few));

			piece->few_at = 0;
			piece->few_used = got > 0 ? (size_t)got : 0;
			if (got <= 0)
				break;
		}
		entry = (const void *)(piece->few + piece->few_at);
		piece->few_at += entry->length;
		number = tct_entry_number(entry->name);
		if (number >= piece->number_end)
			break;
		if (number >= piece->number)
			return look_at(piece, entry->name, inode, &free);
	}
	piece->sparse = false;
	piece->number = piece->number_end;
	return TCT_DESCRIPTOR_END;
}

enum tct_descriptor tct_descriptors_next(struct tct_descriptors *piece, uint32_t *inode)
{
	enum tct_descriptor kind = next_tried(piece, inode);

	if (kind == TCT_DESCRIPTOR_END)
		kind = next_sparse(piece, inode);
	while (kind == TCT_DESCRIPTOR_END && piece->at < piece->used) {
		const struct tct_entry *entry = (const void *)(piece->entries + piece->at);
		bool free;

		piece->at += entry->length;
		if (tct_entry_number(entry->name) >= 0)
			kind = look_at(piece, entry->name, inode, &free);
	}
	return kind;
}
