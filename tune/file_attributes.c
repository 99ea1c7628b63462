#include "tune/file_attributes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "core/mem.h"

#define ACCESS_LIST "system.posix_acl_access"

enum {
	NAMES_MAX = 65536, /* XATTR_LIST_MAX, linux/limits.h */
	VALUE_MAX = 65536, /* XATTR_SIZE_MAX */
};

/* Hashes and signatures of the content or of the inode: the kernel makes them, or nobody can. */
static bool is_of_content(const char *name)
{
	return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* Of the same folder, so the file system can; if it can't, there is nothing to keep. */
static ssize_t list(int fd, char *names)
{
	ssize_t length = flistxattr(fd, names, NAMES_MAX);

	return length < 0 ? (errno == ENOTSUP ? 0 : -errno) : length;
}

/* value: room for two values. */
static int copy_one(int from, int to, const char *name, char *value)
{
	char *there = value + VALUE_MAX;
	ssize_t size = fgetxattr(from, name, value, VALUE_MAX);
	ssize_t size_there;

	if (size < 0)
		return -errno;
	/* What is so already isn't written: a context that the policy has given may be fixed. */
	size_there = fgetxattr(to, name, there, VALUE_MAX);
	if (size_there == size && memcmp(value, there, (size_t)size) == 0)
		return 0;
	return fsetxattr(to, name, value, (size_t)size, 0) < 0 ? -errno : 0;
}

static int copy_extended(int from, int to)
{
	TCT_AUTOFREE char *names = malloc(NAMES_MAX);
	TCT_AUTOFREE char *value = malloc((size_t)VALUE_MAX * 2);
	bool has_list = false;
	ssize_t length;

	if (names == NULL || value == NULL)
		return -ENOMEM;
	length = list(from, names);
	if (length < 0)
		return (int)length;
	for (const char *name = names; name < names + length; name += strlen(name) + 1) {
		int result = is_of_content(name) ? 0 : copy_one(from, to, name, value);

		if (result < 0)
			return result;
		has_list = has_list || strcmp(name, ACCESS_LIST) == 0;
	}
	/* One that came from the folder's default list. */
	if (!has_list && fremovexattr(to, ACCESS_LIST) < 0 && errno != ENODATA && errno != ENOTSUP)
		return -errno;
	return 0;
}

int tct_file_copy_attributes(int from, int to)
{
	struct stat status;
	struct stat fresh;
	int result;

	if (fstat(from, &status) < 0 || fstat(to, &fresh) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if ((status.st_uid != fresh.st_uid || status.st_gid != fresh.st_gid) &&
	    fchown(to, status.st_uid, status.st_gid) < 0)
		return -errno;
	result = copy_extended(from, to);
	if (result < 0)
		return result;
	/* Last: the mode has the list's mask. */
	return fchmod(to, status.st_mode & 07777) < 0 ? -errno : 0;
}
