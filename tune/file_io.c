#include "tune/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
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

/* The nearest folder that is there of those that would be made. An fd or -errno. */
static int folder_to_make_in(const struct tct_root *root, const char *path)
{
	size_t length = strlen(path);
	size_t below = length;

	for (;;) {
		struct stat status;
		char name[NAME_MAX + 1];
		int fd;

		while (length > 0 && path[length - 1] != '/')
			length--;
		fd = open_folder(root, path, length);
		if (fd == -ENOENT && length > 1) {
			below = --length;
			continue;
		}
		if (fd < 0)
			return fd;
		if (below - length >= sizeof(name)) {
			(void)close(fd);
			return -ENAMETOOLONG;
		}
		memcpy(name, path + length, below - length);
		name[below - length] = '\0';
		/* A link to nothing: no folder can be made there. */
		if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
			(void)close(fd);
			return -ENOENT;
		}
		return fd;
	}
}

/* Is there room for a new file? What doesn't count blocks or files says nothing. */
static int has_room(int folder)
{
	struct statvfs system;

	if (fstatvfs(folder, &system) < 0)
		return -errno;
	return (system.f_blocks > 0 && system.f_bfree == 0) ||
			       (system.f_files > 0 && system.f_ffree == 0)
		       ? -ENOSPC
		       : 0;
}

/* access() sees read-only file systems and immutable files, but not append-only ones. */
static int attributes_of(int folder, const char *name, uint64_t *attributes)
{
	struct statx status;
	int flags = name[0] == '\0' ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;

	*attributes = 0;
	if (statx(folder, name, flags, 0, &status) < 0)
		return errno == ENOSYS ? 0 : -errno;
	*attributes = status.stx_attributes;
	return 0;
}

int tct_file_may_write(const struct tct_root *root, const char *folder, const char *name,
		       bool makes, bool appends)
{
	TCT_AUTOCLOSE int fd = open_folder(root, folder, strlen(folder));
	uint64_t above = 0;
	uint64_t attributes = 0;
	bool missing = fd == -ENOENT;
	int result;

	if (missing)
		fd = folder_to_make_in(root, folder);
	if (fd < 0)
		return fd;
	result = missing ? -ENOENT : attributes_of(fd, name, &attributes);
	if (result < 0 && result != -ENOENT)
		return result;
	if (result == 0 && appends)
		return faccessat(fd, name, W_OK, 0) < 0 ? -errno : 0;
	if (faccessat(fd, ".", W_OK | X_OK, 0) < 0)
		return -errno;
	if ((attributes & STATX_ATTR_MOUNT_ROOT) != 0)
		return -EXDEV; /* it gets no second name */
	if (!appends && !missing)
		(void)attributes_of(fd, "", &above);
	if (((attributes | above) & STATX_ATTR_APPEND) != 0 ||
	    (attributes & STATX_ATTR_IMMUTABLE) != 0)
		return -EPERM;
	return makes ? has_room(fd) : 0;
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
