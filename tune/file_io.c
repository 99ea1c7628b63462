#include "tune/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

int tct_file_openat(int folder, const char *name, int flags, mode_t mode)
{
	for (int tries = 0;; tries++) {
		int fd = openat(folder, name, flags | O_CLOEXEC, mode);

		if (fd >= 0)
			return fd;
		if (errno != EINTR || tries == TCT_INTERRUPTED_TRIES)
			return -errno;
	}
}

int tct_file_write(int fd, const char *data, size_t length)
{
	int tries = 0;

	while (length > 0) {
		ssize_t wrote = write(fd, data, length);

		if (wrote < 0) {
			if (errno == EINTR && tries++ < TCT_INTERRUPTED_TRIES)
				continue;
			return -errno;
		}
		if (wrote == 0 || (size_t)wrote > length)
			return -EIO;
		data += wrote;
		length -= (size_t)wrote;
	}
	return 0;
}

int tct_file_sync(int fd)
{
	for (int tries = 0; fsync(fd) < 0; tries++) {
		if (errno != EINTR || tries == TCT_INTERRUPTED_TRIES)
			return -errno;
	}
	return 0;
}

int tct_file_close(int *fd)
{
	int old = *fd;

	*fd = -1;
	/* Linux has closed it even after EINTR. */
	return close(old) < 0 && errno != EINTR ? -errno : 0;
}

/* Open path[0..length) below root as a folder. */
static int open_folder(const struct tct_root *root, const char *path, size_t length)
{
	char part[PATH_MAX];

	if (length >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, length);
	part[length] = '\0';
	for (int tries = 0;; tries++) {
		int fd = tct_root_openat(root, part, O_RDONLY | O_DIRECTORY, 0);

		if (fd != -EINTR || tries == TCT_INTERRUPTED_TRIES)
			return fd;
	}
}

/* Make `name` in `folder` and sync both; whatever the umask says, it gets mode. */
static int make_one(int folder, const char *name, mode_t mode)
{
	TCT_AUTOCLOSE int fd = -1;

	if (mkdirat(folder, name, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	fd = tct_file_openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	if (fchmod(fd, mode) < 0)
		return -errno;

	int result = tct_file_sync(fd);

	return result < 0 ? result : tct_file_sync(folder);
}

int tct_file_make_folder(const struct tct_root *root, const char *path, mode_t mode)
{
	size_t length = strlen(path);
	size_t at = 0;
	int fd = open_folder(root, path, length);

	if (fd != -ENOENT)
		return fd;
	while (at < length) {
		char name[NAME_MAX + 1];
		size_t start = at + strspn(path + at, "/");
		size_t size = strcspn(path + start, "/");

		if (size == 0)
			break;
		if (size >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, path + start, size);
		name[size] = '\0';
		fd = open_folder(root, path, start + size);
		if (fd == -ENOENT) {
			TCT_AUTOCLOSE int above = open_folder(root, path, start);
			int result = above < 0 ? above
					       : make_one(above, name,
							  start + size == length ? mode : 0755);

			if (result < 0)
				return result;
		} else if (fd < 0) {
			return fd;
		} else if (close(fd) < 0 && errno != EINTR) {
			return -errno;
		}
		at = start + size;
	}
	return open_folder(root, path, length);
}

const char *tct_file_hint(int code)
{
	switch (code) {
	case EPERM:
		return " (immutable or append-only? lsattr shows it)";
	case ENOSPC:
		return " (df and df -i show it)";
	case EFBIG:
		return " (see ulimit -f)";
	default:
		return "";
	}
}

void tct_file_sha256(const void *data, size_t length, char out[65])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, length, data);
	sha256_digest(&context, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[64] = '\0';
}
