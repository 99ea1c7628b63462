/* /proc below a root, and the processes in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "audit/observe/processes_private.h"
#include "core/mem.h"

enum { PIDS_MAX = 1 << 22 }; /* PID_MAX_LIMIT on 64 bits */

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

int32_t tct_entry_number(const char *name)
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
		const struct tct_entry *entry = (const void *)(entries + at);
		int32_t pid = tct_entry_number(entry->name);
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
