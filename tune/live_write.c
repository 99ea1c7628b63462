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

/* Does the kernel itself answer behind this open file? */
static int check_procfs(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == PROC_SUPER_MAGIC ? 0 : -ENOTSUP;
}

const char *tct_live_error(int code)
{
	return code == ENOTSUP ? "it isn't the kernel's: something else is mounted over it"
			       : strerror(code);
}

int tct_live_open(const struct tct_root *root)
{
	TCT_AUTOCLOSE int fd = -1;

	if (!root->live)
		return -ENOTSUP;
	fd = tct_root_openat(root, "/proc/sys", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;

	TCT_AUTOCLOSE int net = tct_file_openat(fd, "net", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	int result = net < 0 ? net : check_procfs(fd);

	if (result == 0)
		result = check_procfs(net);
	return result < 0 ? result : TCT_STEAL_FD(fd);
}

/* Anything may be mounted over a file or a folder below /proc/sys, too. */
static int open_key(int proc_sys, const struct tct_kernel_key *key, int flags)
{
	char path[NAME_MAX + 1];
	int result = tct_kernel_key_path(key->name, path, sizeof(path));
	TCT_AUTOCLOSE int fd = -1;

	if (result < 0)
		return result;
	fd = tct_file_openat(proc_sys, path, flags | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	result = check_procfs(fd);
	return result < 0 ? result : TCT_STEAL_FD(fd);
}

int tct_live_may_write(int proc_sys, const struct tct_kernel_key *key)
{
	TCT_AUTOCLOSE int fd = open_key(proc_sys, key, O_PATH);
	char path[NAME_MAX + 1];
	int result = fd < 0 ? fd : tct_kernel_key_path(key->name, path, sizeof(path));

	if (result < 0)
		return result;
	return faccessat(proc_sys, path, W_OK, AT_EACCESS) < 0 ? -errno : 0;
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
