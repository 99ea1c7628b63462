#include "tune/live_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/file_io.h"

int tct_live_open(const struct tct_root *root)
{
	TCT_AUTOCLOSE int fd = -1;
	struct statfs fs;

	if (!root->live)
		return -ENOTSUP;
	fd = tct_root_openat(root, "/proc/sys", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type != PROC_SUPER_MAGIC)
		return -ENOTSUP;
	return TCT_STEAL_FD(fd);
}

static int open_key(int proc_sys, const struct tct_kernel_key *key, int flags)
{
	char path[NAME_MAX + 1];
	int result = tct_kernel_key_path(key->name, path, sizeof(path));

	return result < 0 ? result
			  : tct_file_openat(proc_sys, path, flags | O_NOFOLLOW | O_NOCTTY, 0);
}

int tct_live_read(int proc_sys, const struct tct_kernel_key *key, struct tct_value *value)
{
	char text[65536]; /* the longest is a port bitmap */
	int fd = open_key(proc_sys, key, O_RDONLY);
	size_t used = 0;
	int result = 0;
	int tries = 0;

	if (fd < 0)
		return fd;
	while (used < sizeof(text) - 1) {
		ssize_t got = read(fd, text + used, sizeof(text) - 1 - used);

		if (got < 0) {
			if (errno == EINTR && tries++ < TCT_INTERRUPTED_TRIES)
				continue;
			result = -errno;
		}
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	int closed = tct_file_close(&fd);

	if (result < 0 || closed < 0)
		return result < 0 ? result : closed;
	if (memchr(text, '\0', used) != NULL)
		return -EBADMSG;
	text[used] = '\0';
	result = tct_value_parse(key, text, value, NULL);
	return result == 0 || result == -ENOMEM ? result : -EBADMSG;
}

int tct_live_write(int proc_sys, const struct tct_kernel_key *key, const char *text, size_t length)
{
	for (int tries = 0;; tries++) {
		int fd = open_key(proc_sys, key, O_WRONLY);
		ssize_t wrote;
		int code;

		if (fd < 0)
			return fd;
		wrote = write(fd, text, length);
		code = wrote < 0 ? errno : 0;

		int closed = tct_file_close(&fd);

		/* Again from the start: a second write to the same fd would be ignored. */
		if (code == EINTR && tries < TCT_INTERRUPTED_TRIES)
			continue;
		if (code != 0)
			return -code;
		if (wrote < 0 || (size_t)wrote != length)
			return -EIO;
		return closed;
	}
}
