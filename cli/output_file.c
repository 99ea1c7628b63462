#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/file_io.h"

struct output {
	const char *file; /* as it was given */
	const char *data;
	size_t length;
	struct tct_err *err;
};

static int complain(const struct output *output, const char *doing, int code)
{
	if (code == ENOMEM)
		return tct_err_nomem(output->err);
	(void)tct_err_at(output->err, output->file, 0, 0, "%s: %s", doing, strerror(code));
	if (output->err != NULL)
		output->err->code = code;
	return -code;
}

/* Through the stream, so that main() sees whether it arrived. */
static int write_stdout(const struct output *output)
{
	(void)fwrite(output->data, 1, output->length, stdout);
	return 1;
}

/* What can't be replaced is written to. */
static int write_through(const struct output *output)
{
	TCT_AUTOCLOSE int fd = tct_file_openat(AT_FDCWD, output->file, O_WRONLY | O_NOCTTY, 0);
	int result;

	if (fd < 0)
		return complain(output, "can't be opened", -fd);
	result = tct_file_write(fd, output->data, output->length);
	if (result == 0)
		result = tct_file_close(&fd);
	return result < 0 ? complain(output, "can't be written", -result) : 0;
}

/* Owner before mode: a change of owner may clear bits of it. Not being allowed to give a file away
 * is no failure. */
static int keep_identity(int fd, const struct stat *old)
{
	if (fchown(fd, old->st_uid, old->st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return -errno;
	return fchmod(fd, old->st_mode & 07777) < 0 ? -errno : 0;
}

static int fill(const struct output *output, int *fd, const struct stat *old)
{
	int result = tct_file_write(*fd, output->data, output->length);

	if (result == 0 && old != NULL)
		result = keep_identity(*fd, old);
	if (result == 0)
		result = tct_file_sync(*fd);
	if (result == 0)
		result = tct_file_close(fd);
	return result;
}

/* After a crash the new name should be there; not every filesystem can say so. */
static void sync_folder(const char *folder)
{
	TCT_AUTOCLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)tct_file_sync(fd);
}

/* path is the file itself, no link; old is what it was, NULL = new. */
static int replace(const struct output *output, const char *path, const struct stat *old)
{
	const char *slash = strrchr(path, '/');
	TCT_AUTOFREE char *folder = slash == NULL   ? tct_text_copy(".", 1)
				    : slash == path ? tct_text_copy("/", 1)
						    : tct_text_copy(path, (size_t)(slash - path));
	TCT_AUTOFREE char *temporary = NULL;
	TCT_AUTOCLOSE int fd = -1;
	int result;

	if (folder == NULL || asprintf(&temporary, "%s/.tcptune.XXXXXX", folder) < 0) {
		temporary = NULL;
		return complain(output, "", ENOMEM);
	}
	fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		return complain(output, "no file can be made beside it", errno);
	result = fill(output, &fd, old);
	if (result == 0 && rename(temporary, path) < 0)
		result = -errno;
	if (result < 0) {
		(void)unlink(temporary);
		return complain(output, "can't be written", -result);
	}
	sync_folder(folder);
	return 0;
}

static bool is_stdout(const struct stat *status)
{
	struct stat own;

	return fstat(STDOUT_FILENO, &own) == 0 && own.st_dev == status->st_dev &&
	       own.st_ino == status->st_ino;
}

/* As the kernel does in /tmp (fs.protected_symlinks): another user's link is a trap. */
static int follow(const struct output *output, const struct stat *link)
{
	TCT_AUTOFREE char *path = NULL;
	struct stat target;

	if (stat(output->file, &target) < 0)
		return complain(output, "the link leads nowhere", errno);
	if (is_stdout(&target))
		return write_stdout(output);
	if (!S_ISREG(target.st_mode))
		return write_through(output);
	if (link->st_uid != geteuid())
		return tct_err_at(output->err, output->file, 0, 0,
				  "a link of another user: it is not followed");
	path = realpath(output->file, NULL);
	return path != NULL ? replace(output, path, &target)
			    : complain(output, "can't be followed", errno);
}

int tct_output_write(const char *file, const char *data, size_t length, struct tct_err *err)
{
	const struct output output = { file, data, length, err };
	struct stat status;

	if (strcmp(file, "-") == 0)
		return write_stdout(&output);
	if (lstat(file, &status) < 0)
		return errno == ENOENT ? replace(&output, file, NULL)
				       : complain(&output, "can't be looked at", errno);
	if (S_ISLNK(status.st_mode))
		return follow(&output, &status);
	if (S_ISDIR(status.st_mode))
		return complain(&output, "can't be written", EISDIR);
	if (S_ISREG(status.st_mode))
		return replace(&output, file, &status);
	return is_stdout(&status) ? write_stdout(&output) : write_through(&output);
}
