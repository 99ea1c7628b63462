#include "core/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/mem.h"

int tct_root_open(struct tct_root *root, const char *dir, struct tct_err *err)
{
	*root = (struct tct_root){ .fd = -1, .live = dir == NULL };

	int length = snprintf(root->path, sizeof(root->path), "%s", dir == NULL ? "/" : dir);

	if (length < 0 || (size_t)length >= sizeof(root->path))
		return tct_err_set(err, TCT_FAULT_INPUT, ENAMETOOLONG,
				   "--root: the path is too long");
	root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0) {
		int code = errno;

		return tct_err_set(err, TCT_FAULT_INPUT, code, "%s: %s", root->path,
				   strerror(code));
	}
	return 0;
}

void tct_root_done(struct tct_root *root)
{
	if (root->fd >= 0)
		(void)close(root->fd);
	root->fd = -1;
}

int tct_root_openat(const struct tct_root *root, const char *path, int flags, mode_t mode)
{
	int fd;

	while (*path == '/')
		path++;
	if (*path == '\0')
		path = ".";
	if (root->live) {
		do {
			fd = openat(root->fd, path, flags | O_CLOEXEC, mode);
		} while (fd < 0 && errno == EINTR);
	} else {
		struct open_how how = {
			.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
			.mode = (flags & O_CREAT) != 0 ? mode : 0,
			.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
		};
		int tries = 0;

		/* EAGAIN: a rename raced with the look-up; but a leased file says so for ever. */
		do {
			fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
		} while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < 64)));
	}
	return fd < 0 ? -errno : fd;
}

static int enlarge(char **buffer, size_t *capacity, size_t wanted)
{
	char *grown = realloc(*buffer, wanted);

	if (grown == NULL)
		return -ENOMEM;
	*buffer = grown;
	*capacity = wanted;
	return 0;
}

/* In a tree of somebody else's only regular files are opened: a device may do something then. */
static int check_type(const struct tct_root *root, const char *path)
{
	TCT_AUTOCLOSE int fd = root->live ? -1 : tct_root_openat(root, path, O_PATH, 0);
	struct stat status;

	if (root->live)
		return 0;
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	return S_ISREG(status.st_mode) ? 0 : -EINVAL;
}

/* A pipe (`<(...)`, /dev/stdin) whose writer has not written yet is waited for. */
static bool wait_for_writer(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && poll(&poller, 1, -1) >= 0;
}

int tct_root_read(const struct tct_root *root, const char *path, size_t max, char **data,
		  size_t *length)
{
	enum { FIRST_READ = 16384 };
	int type = check_type(root, path);
	TCT_AUTOCLOSE int fd =
		type < 0 ? type : tct_root_openat(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	TCT_AUTOFREE char *buffer = NULL;
	size_t capacity = 0;
	size_t used = 0;

	if (fd < 0)
		return fd;
	if (enlarge(&buffer, &capacity, FIRST_READ) < 0)
		return -ENOMEM;
	for (;;) {
		size_t room = capacity - used - 1;
		ssize_t got = read(fd, buffer + used, room);

		if (got < 0) {
			if (errno == EINTR || (errno == EAGAIN && wait_for_writer(fd)))
				continue;
			return -errno;
		}
		if (got == 0)
			break;
		if (used + (size_t)got > max)
			return -EFBIG;
		if ((size_t)got < room) {
			used += (size_t)got;
			continue;
		}
		/*
		 * Full. /proc/sys gives all of a value in the first read or cuts it off, so that
		 * one is done again from the start with more room.
		 */
		if (used > 0 || lseek(fd, 0, SEEK_SET) != 0)
			used += (size_t)got;
		if (enlarge(&buffer, &capacity, capacity * 4) < 0)
			return -ENOMEM;
	}
	buffer[used] = '\0';
	if (length != NULL)
		*length = used;
	*data = TCT_STEAL(buffer);
	return 0;
}

ssize_t tct_root_read_beginning(const struct tct_root *root, const char *path, char *buffer,
				size_t size)
{
	int type = check_type(root, path);
	TCT_AUTOCLOSE int fd =
		type < 0 ? type : tct_root_openat(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	ssize_t got;

	buffer[0] = '\0';
	if (fd < 0)
		return fd;
	do {
		got = read(fd, buffer, size - 1);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	buffer[got] = '\0';
	return got;
}

bool tct_root_exists(const struct tct_root *root, const char *path)
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, path, O_PATH, 0);

	return fd >= 0;
}
