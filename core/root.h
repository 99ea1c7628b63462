/*
 * Where files are read: the live host ("/") or a directory that holds an image, a fixture or a
 * captured machine (--root DIR). Below a DIR no symbolic link leads out of it.
 */
#ifndef TCT_CORE_ROOT_H
#define TCT_CORE_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/err.h"

struct tct_root {
	int fd;         /* O_PATH directory, owned; -1 = not open */
	bool live;      /* the host itself, not a DIR */
	char path[256]; /* "/" or DIR as given, for messages */
};

/* What stands before the path of a file below it in a message: DIR, or "" of the live host. */
static inline const char *tct_root_prefix(const struct tct_root *root)
{
	return root->live ? "" : root->path;
}

/* Open DIR, or the live host if dir is NULL. Errors: INPUT with the path. */
int tct_root_open(struct tct_root *root, const char *dir, struct tct_err *err);
void tct_root_done(struct tct_root *root);

/*
 * Open `path` ("etc/sysctl.conf" or "/etc/sysctl.conf") below root with open(2) flags (O_CLOEXEC
 * added). Links are followed as a chroot would. Returns an fd or -errno.
 */
int tct_root_openat(const struct tct_root *root, const char *path, int flags, mode_t mode);

/*
 * Read a whole file, at most max bytes (-EFBIG beyond). *data is owned by the caller and terminated
 * with a NUL that is not counted in *length (may be NULL). Reads with one big read() first, as
 * /proc/sys needs. In a DIR only regular files are read (-EINVAL); live, a pipe is read to its end.
 * Returns 0 or -errno (-ENOENT absent, -EACCES/-EPERM unreadable, -EISDIR ...).
 */
int tct_root_read(const struct tct_root *root, const char *path, size_t max, char **data,
		  size_t *length);

/*
 * Read the beginning of a file: what one read() gives, at most size - 1 bytes, and a NUL. For files
 * that are long or slow to make. Returns the length or -errno, as above.
 */
ssize_t tct_root_read_beginning(const struct tct_root *root, const char *path, char *buffer,
				size_t size);

/* True if the path exists below root (following links). */
bool tct_root_exists(const struct tct_root *root, const char *path);

#endif
