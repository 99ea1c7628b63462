/*
 * Replacing the drop-in. The new file is written beside it under a name that no applier reads
 * (procps reads hidden files that end in .conf), the old one gets a second name, then one rename()
 * decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/drop_in.h"
#include "tune/file_attributes.h"
#include "tune/file_io.h"

#define NEW_NAME "." TCT_DROP_IN_NAME ".new"
#define OLD_NAME "." TCT_DROP_IN_NAME ".old"

enum { DROP_IN_MAX = 1 << 20, DROP_IN_MODE = 0644 };

static int refuse(struct tct_err *err, int result, const char *what)
{
	return tct_err_set(err, TCT_FAULT_REFUSED, -result, "can't %s %s: %s%s", what,
			   TCT_DROP_IN_PATH, strerror(-result), tct_file_hint(-result));
}

/* The folder itself can't be had. */
static int refuse_folder(struct tct_err *err, int result)
{
	if (result == -ENOENT || result == -ENOTDIR || result == -ELOOP)
		return tct_err_set(err, TCT_FAULT_REFUSED, -result,
				   "%s is not a folder, nor a symbolic link to one",
				   TCT_DROP_IN_DIR);
	return tct_err_set(err, TCT_FAULT_REFUSED, -result, "can't open %s: %s%s", TCT_DROP_IN_DIR,
			   strerror(-result), tct_file_hint(-result));
}

static int open_folder(const struct tct_root *root)
{
	for (int tries = 0;; tries++) {
		int fd = tct_root_openat(root, TCT_DROP_IN_DIR, O_RDONLY | O_DIRECTORY, 0);

		if (fd != -EINTR || tries == TCT_INTERRUPTED_TRIES)
			return fd;
	}
}

/* *text NULL and 0: there is no such file. -ELOOP: a link, -EINVAL: not a regular file. */
static int read_name(int folder, const char *name, char **text)
{
	TCT_AUTOCLOSE int fd =
		tct_file_openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);
	TCT_AUTOFREE char *buffer = NULL;
	struct stat status;
	size_t used = 0;
	int tries = 0;

	*text = NULL;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (status.st_size > DROP_IN_MAX)
		return -EFBIG;
	buffer = malloc(DROP_IN_MAX + 1);
	if (buffer == NULL)
		return -ENOMEM;
	while (used < DROP_IN_MAX) {
		ssize_t got = read(fd, buffer + used, DROP_IN_MAX - used);

		if (got < 0) {
			if (errno == EINTR && tries++ < TCT_INTERRUPTED_TRIES)
				continue;
			return -errno;
		}
		if (got == 0)
			break;
		used += (size_t)got;
	}
	if (memchr(buffer, '\0', used) != NULL)
		return -EBADMSG;
	buffer[used] = '\0';
	*text = tct_text_copy(buffer, used);
	return *text != NULL ? 0 : -ENOMEM;
}

bool tct_drop_in_is_strange(int result)
{
	return result == -ELOOP || result == -EINVAL || result == -EBADMSG || result == -EFBIG;
}

int tct_drop_in_read(const struct tct_root *root, char **text, struct tct_err *err)
{
	TCT_AUTOCLOSE int folder = open_folder(root);
	int result;

	*text = NULL;
	if (folder == -ENOENT)
		return 0;
	if (folder < 0)
		return refuse_folder(err, folder);
	result = read_name(folder, TCT_DROP_IN_NAME, text);
	switch (result) {
	case 0:
		return 0;
	case -ENOMEM:
		return tct_err_nomem(err);
	case -ELOOP:
		return tct_err_set(
			err, TCT_FAULT_REFUSED, ELOOP,
			"%s is a symbolic link: tcptune writes only its own regular file; remove it",
			TCT_DROP_IN_PATH);
	case -EINVAL:
		return tct_err_set(err, TCT_FAULT_REFUSED, EINVAL, "%s is not a regular file",
				   TCT_DROP_IN_PATH);
	case -EFBIG:
		return tct_err_set(err, TCT_FAULT_REFUSED, EFBIG,
				   "%s is larger than 1 MiB: tcptune didn't write it",
				   TCT_DROP_IN_PATH);
	case -EBADMSG:
		return tct_err_set(err, TCT_FAULT_REFUSED, EBADMSG, "%s: there is a NUL in it",
				   TCT_DROP_IN_PATH);
	default:
		return refuse(err, result, "read");
	}
}

static int keep_attributes(int folder, int fd)
{
	TCT_AUTOCLOSE int old = tct_file_openat(folder, TCT_DROP_IN_NAME,
						O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);

	if (old == -ENOENT)
		return fchmod(fd, DROP_IN_MODE) < 0 ? -errno : 0;
	return old < 0 ? old : tct_file_copy_attributes(old, fd);
}

static int write_new(struct tct_drop_in_change *change, const char *text)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	int fd = tct_file_openat(change->folder, NEW_NAME, flags, 0600);
	int result;

	if (fd == -EEXIST) {
		/* Left by a crash; we hold the lock. */
		if (unlinkat(change->folder, NEW_NAME, 0) < 0)
			return -errno;
		fd = tct_file_openat(change->folder, NEW_NAME, flags, 0600);
	}
	if (fd < 0)
		return fd;
	change->made_new = true;
	result = tct_file_write(fd, text, strlen(text));
	if (result == 0)
		result = keep_attributes(change->folder, fd);
	if (result == 0)
		result = tct_file_sync(fd);

	int closed = tct_file_close(&fd);

	return result < 0 ? result : closed;
}

static int rename_in(int folder, const char *from, const char *to)
{
	for (int tries = 0; renameat(folder, from, folder, to) < 0; tries++) {
		if (errno != EINTR || tries == TCT_INTERRUPTED_TRIES)
			return -errno;
	}
	return 0;
}

/* Is it there, and of the right kind? */
static int look(struct tct_drop_in_change *change)
{
	struct stat status;

	if (fstatat(change->folder, TCT_DROP_IN_NAME, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(status.st_mode))
		return S_ISLNK(status.st_mode) ? -ELOOP : -EINVAL;
	change->had_old = true;
	return 0;
}

static int keep_old(struct tct_drop_in_change *change)
{
	if (!change->had_old)
		return 0;
	if (unlinkat(change->folder, OLD_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	if (linkat(change->folder, TCT_DROP_IN_NAME, change->folder, OLD_NAME, 0) < 0)
		return -errno;
	change->kept_old = true;
	return 0;
}

static int replace(struct tct_drop_in_change *change, const char *text)
{
	int result = look(change);

	if (result < 0)
		return result;
	if (text != NULL)
		result = write_new(change, text);
	if (result == 0)
		result = keep_old(change);
	if (result < 0)
		return result;
	if (text != NULL) {
		result = rename_in(change->folder, NEW_NAME, TCT_DROP_IN_NAME);
		if (result == 0)
			change->made_new = false;
	} else if (change->had_old && unlinkat(change->folder, TCT_DROP_IN_NAME, 0) < 0) {
		result = -errno;
	}
	if (result < 0)
		return result;
	change->replaced = true;
	return tct_file_sync(change->folder);
}

int tct_drop_in_replace(const struct tct_root *root, const char *text,
			struct tct_drop_in_change *change, struct tct_err *err)
{
	int result;

	*change = (struct tct_drop_in_change){ .folder = -1 };
	change->folder = text != NULL ? tct_file_make_folder(root, TCT_DROP_IN_DIR, 0755)
				      : open_folder(root);
	if (change->folder < 0) {
		result = change->folder;
		change->folder = -1;
		return refuse_folder(err, result);
	}
	result = replace(change, text);
	return result < 0 ? refuse(err, result, text != NULL ? "write" : "remove") : 0;
}

/* Remove the temporary names and let go of the folder. */
static void forget(struct tct_drop_in_change *change)
{
	if (change->folder < 0)
		return;
	/* What can't be removed here is removed by the next sweep. */
	if (change->made_new)
		(void)unlinkat(change->folder, NEW_NAME, 0);
	if (change->kept_old)
		(void)unlinkat(change->folder, OLD_NAME, 0);
	(void)close(change->folder);
	*change = (struct tct_drop_in_change){ .folder = -1 };
}

int tct_drop_in_undo(struct tct_drop_in_change *change)
{
	int result = 0;

	if (change->folder >= 0 && change->replaced) {
		if (change->kept_old)
			result = rename_in(change->folder, OLD_NAME, TCT_DROP_IN_NAME);
		else if (unlinkat(change->folder, TCT_DROP_IN_NAME, 0) < 0 && errno != ENOENT)
			result = -errno;
		if (result == 0)
			change->kept_old = false;
		if (result == 0)
			result = tct_file_sync(change->folder);
	}
	/* The old file is the only copy if it couldn't be put back. */
	if (result < 0 && change->kept_old)
		change->kept_old = false;
	forget(change);
	return result;
}

void tct_drop_in_finish(struct tct_drop_in_change *change)
{
	forget(change);
}

int tct_drop_in_restore(const struct tct_root *root, const char *before_sha256, const char *text,
			struct tct_err *err)
{
	TCT_AUTOCLOSE int folder = open_folder(root);
	TCT_AUTOFREE char *old = NULL;
	struct tct_drop_in_change change;
	char sha256[65];
	int result;

	if (folder >= 0 && before_sha256[0] != '\0') {
		result = read_name(folder, OLD_NAME, &old);
		if (result == -ENOMEM)
			return tct_err_nomem(err);
		tct_drop_in_sha256(result == 0 ? old : NULL, sha256);
		if (strcmp(sha256, before_sha256) == 0) {
			result = rename_in(folder, OLD_NAME, TCT_DROP_IN_NAME);
			if (result == 0)
				result = tct_file_sync(folder);
			if (result < 0)
				return refuse(err, result, "put back");
			return tct_drop_in_sweep(root, err);
		}
	}
	result = tct_drop_in_replace(root, text, &change, err);
	if (result < 0) {
		(void)tct_drop_in_undo(&change);
		return result;
	}
	tct_drop_in_finish(&change);
	return tct_drop_in_sweep(root, err);
}

int tct_drop_in_sweep(const struct tct_root *root, struct tct_err *err)
{
	static const char *const names[] = { NEW_NAME, OLD_NAME };
	TCT_AUTOCLOSE int folder = open_folder(root);
	struct stat status;

	if (folder == -ENOENT)
		return 0;
	if (folder < 0)
		return refuse_folder(err, folder);
	for (size_t i = 0; i < TCT_COUNT(names); i++) {
		if (fstatat(folder, names[i], &status, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return refuse(err, -errno, "look for leftovers of");
		}
		if (unlinkat(folder, names[i], 0) < 0)
			return refuse(err, -errno, "remove leftovers of");
	}
	return 0;
}
