/*
 * Replacing a file of ours. The new one is written beside it under a name that no applier reads
 * (procps reads hidden files that end in .conf), the old one gets a second name, then one rename()
 * decides.
 */
#include "tune/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/file_attributes.h"
#include "tune/file_io.h"

#define OWN_FILE(folder_, name_)                                                                   \
	{                                                                                          \
		.folder = (folder_), .name = (name_), .path = folder_ "/" name_,                   \
		.new_name = "." name_ ".new", .old_name = "." name_ ".old",                        \
	}

const struct tct_own_file tct_own_drop_in = OWN_FILE(TCT_DROP_IN_DIR, TCT_DROP_IN_NAME);
const struct tct_own_file tct_own_modules_load =
	OWN_FILE(TCT_MODULES_LOAD_DIR, TCT_MODULES_LOAD_NAME);

enum { OWN_FILE_MAX = 1 << 20, OWN_FILE_MODE = 0644 };

/* The paths have DIR before them: what is to be removed isn't the host's. */
static int refuse(const struct tct_root *root, const struct tct_own_file *file, struct tct_err *err,
		  int result, const char *what)
{
	return tct_err_set(err, TCT_FAULT_REFUSED, -result, "can't %s %s%s: %s%s", what,
			   tct_root_prefix(root), file->path, strerror(-result),
			   tct_file_hint(-result));
}

/* The folder itself can't be had. */
static int refuse_folder(const struct tct_root *root, const struct tct_own_file *file,
			 struct tct_err *err, int result)
{
	if (result == -ENOENT || result == -ENOTDIR || result == -ELOOP)
		return tct_err_set(err, TCT_FAULT_REFUSED, -result,
				   "%s%s is not a folder, nor a symbolic link to one",
				   tct_root_prefix(root), file->folder);
	return tct_err_set(err, TCT_FAULT_REFUSED, -result, "can't open %s%s: %s%s",
			   tct_root_prefix(root), file->folder, strerror(-result),
			   tct_file_hint(-result));
}

static int open_folder(const struct tct_root *root, const struct tct_own_file *file)
{
	for (int tries = 0;; tries++) {
		int fd = tct_root_openat(root, file->folder, O_RDONLY | O_DIRECTORY, 0);

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
	if (status.st_size > OWN_FILE_MAX)
		return -EFBIG;
	buffer = malloc(OWN_FILE_MAX + 1);
	if (buffer == NULL)
		return -ENOMEM;
	while (used < OWN_FILE_MAX) {
		ssize_t got = read(fd, buffer + used, OWN_FILE_MAX - used);

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

bool tct_own_file_is_strange(int result)
{
	return result == -ELOOP || result == -EINVAL || result == -EBADMSG || result == -EFBIG;
}

int tct_own_file_read(const struct tct_root *root, const struct tct_own_file *file, char **text,
		      struct tct_err *err)
{
	TCT_AUTOCLOSE int folder = open_folder(root, file);
	int result;

	*text = NULL;
	if (folder == -ENOENT)
		return 0;
	if (folder < 0)
		return refuse_folder(root, file, err, folder);
	result = read_name(folder, file->name, text);
	switch (result) {
	case 0:
		return 0;
	case -ENOMEM:
		return tct_err_nomem(err);
	case -ELOOP:
		return tct_err_set(
			err, TCT_FAULT_REFUSED, ELOOP,
			"%s%s is a symbolic link: tcptune writes only its own regular file; remove it",
			tct_root_prefix(root), file->path);
	case -EINVAL:
		return tct_err_set(err, TCT_FAULT_REFUSED, EINVAL, "%s%s is not a regular file",
				   tct_root_prefix(root), file->path);
	case -EFBIG:
		return tct_err_set(err, TCT_FAULT_REFUSED, EFBIG,
				   "%s%s is larger than 1 MiB: tcptune didn't write it",
				   tct_root_prefix(root), file->path);
	case -EBADMSG:
		return tct_err_set(err, TCT_FAULT_REFUSED, EBADMSG, "%s%s: there is a NUL in it",
				   tct_root_prefix(root), file->path);
	default:
		return refuse(root, file, err, result, "read");
	}
}

static int keep_attributes(const struct tct_own_file *file, int folder, int fd)
{
	TCT_AUTOCLOSE int old = tct_file_openat(folder, file->name,
						O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);

	if (old == -ENOENT)
		return fchmod(fd, OWN_FILE_MODE) < 0 ? -errno : 0;
	return old < 0 ? old : tct_file_copy_attributes(old, fd);
}

static int write_new(struct tct_own_file_change *change, const char *text)
{
	const struct tct_own_file *file = change->file;
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	int fd = tct_file_openat(change->folder, file->new_name, flags, 0600);
	int result;

	if (fd == -EEXIST) {
		/* Left by a crash; we hold the lock. */
		if (unlinkat(change->folder, file->new_name, 0) < 0)
			return -errno;
		fd = tct_file_openat(change->folder, file->new_name, flags, 0600);
	}
	if (fd < 0)
		return fd;
	change->made_new = true;
	result = tct_file_write(fd, text, strlen(text));
	if (result == 0)
		result = keep_attributes(file, change->folder, fd);
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
static int look(struct tct_own_file_change *change)
{
	const struct tct_own_file *file = change->file;
	struct stat status;

	if (fstatat(change->folder, file->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(status.st_mode))
		return S_ISLNK(status.st_mode) ? -ELOOP : -EINVAL;
	change->had_old = true;
	return 0;
}

static int keep_old(struct tct_own_file_change *change)
{
	const struct tct_own_file *file = change->file;
	if (!change->had_old)
		return 0;
	if (unlinkat(change->folder, file->old_name, 0) < 0 && errno != ENOENT)
		return -errno;
	if (linkat(change->folder, file->name, change->folder, file->old_name, 0) < 0)
		return -errno;
	change->kept_old = true;
	return 0;
}

static int replace(struct tct_own_file_change *change, const char *text)
{
	const struct tct_own_file *file = change->file;
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
		result = rename_in(change->folder, file->new_name, file->name);
		if (result == 0)
			change->made_new = false;
	} else if (change->had_old && unlinkat(change->folder, file->name, 0) < 0) {
		result = -errno;
	}
	if (result < 0)
		return result;
	change->replaced = true;
	return tct_file_sync(change->folder);
}

int tct_own_file_replace(const struct tct_root *root, const struct tct_own_file *file,
			 const char *text, struct tct_own_file_change *change, struct tct_err *err)
{
	int result;

	*change = (struct tct_own_file_change){ .file = file, .folder = -1 };
	change->folder = text != NULL ? tct_file_make_folder(root, file->folder, 0755)
				      : open_folder(root, file);
	if (change->folder < 0) {
		result = change->folder;
		change->folder = -1;
		return refuse_folder(root, file, err, result);
	}
	result = replace(change, text);
	return result < 0 ? refuse(root, file, err, result, text != NULL ? "write" : "remove") : 0;
}

int tct_own_file_may_replace(const struct tct_root *root, const struct tct_own_file *file,
			     bool makes, struct tct_err *err)
{
	TCT_AUTOCLOSE int folder = open_folder(root, file);
	int result = tct_file_may_write(root, file->folder, file->name, makes, false);

	if (result < 0 && folder < 0)
		return refuse_folder(root, file, err, result);
	return result < 0 ? refuse(root, file, err, result, makes ? "write" : "remove") : 0;
}

/* Remove the temporary names and let go of the folder. */
static void forget(struct tct_own_file_change *change)
{
	const struct tct_own_file *file = change->file;
	if (change->folder < 0)
		return;
	/* What can't be removed here is removed by the next sweep. */
	if (change->made_new)
		(void)unlinkat(change->folder, file->new_name, 0);
	if (change->kept_old)
		(void)unlinkat(change->folder, file->old_name, 0);
	(void)close(change->folder);
	*change = (struct tct_own_file_change){ .folder = -1 };
}

int tct_own_file_undo(struct tct_own_file_change *change)
{
	const struct tct_own_file *file = change->file;
	int result = 0;

	if (change->folder >= 0 && change->replaced) {
		if (change->kept_old)
			result = rename_in(change->folder, file->old_name, file->name);
		else if (unlinkat(change->folder, file->name, 0) < 0 && errno != ENOENT)
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

void tct_own_file_finish(struct tct_own_file_change *change)
{
	forget(change);
}

int tct_own_file_restore(const struct tct_root *root, const struct tct_own_file *file,
			 const char *before_sha256, const char *text, struct tct_err *err)
{
	TCT_AUTOCLOSE int folder = open_folder(root, file);
	TCT_AUTOFREE char *old = NULL;
	struct tct_own_file_change change;
	char sha256[65];
	int result;

	if (folder >= 0 && before_sha256[0] != '\0') {
		result = read_name(folder, file->old_name, &old);
		if (result == -ENOMEM)
			return tct_err_nomem(err);
		tct_own_file_sha256(result == 0 ? old : NULL, sha256);
		if (strcmp(sha256, before_sha256) == 0) {
			result = rename_in(folder, file->old_name, file->name);
			if (result == 0)
				result = tct_file_sync(folder);
			if (result < 0)
				return refuse(root, file, err, result, "put back");
			return tct_own_file_sweep(root, file, err);
		}
	}
	result = tct_own_file_replace(root, file, text, &change, err);
	if (result < 0) {
		(void)tct_own_file_undo(&change);
		return result;
	}
	tct_own_file_finish(&change);
	return tct_own_file_sweep(root, file, err);
}

int tct_own_file_sweep(const struct tct_root *root, const struct tct_own_file *file,
		       struct tct_err *err)
{
	const char *const names[] = { file->new_name, file->old_name };
	TCT_AUTOCLOSE int folder = open_folder(root, file);
	struct stat status;

	if (folder == -ENOENT)
		return 0;
	if (folder < 0)
		return refuse_folder(root, file, err, folder);
	for (size_t i = 0; i < TCT_COUNT(names); i++) {
		if (fstatat(folder, names[i], &status, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return refuse(root, file, err, -errno, "look for leftovers of");
		}
		if (unlinkat(folder, names[i], 0) < 0)
			return refuse(root, file, err, -errno, "remove leftovers of");
	}
	return 0;
}

void tct_own_file_sha256(const char *text, char out[65])
{
	if (text == NULL)
		out[0] = '\0';
	else
		tct_file_sha256(text, strlen(text), out);
}
