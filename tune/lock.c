#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/apply.h"
#include "tune/file_io.h"

#define LOCK_FOLDER "/run"
#define LOCK_NAME "tcptune.lock"

int tct_lock_take(const struct tct_root *root, int *lock_fd, struct tct_err *err)
{
	TCT_AUTOCLOSE int folder = tct_file_make_folder(root, LOCK_FOLDER, 0755);
	TCT_AUTOCLOSE int fd = -1;
	struct stat status;

	*lock_fd = -1;
	if (folder < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, -folder, "%s below %s: %s", LOCK_FOLDER,
				   root->path, strerror(-folder));
	fd = tct_file_openat(folder, LOCK_NAME,
			     O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, -fd, "can't lock %s/%s: %s%s",
				   LOCK_FOLDER, LOCK_NAME, strerror(-fd),
				   fd == -EACCES ? " (are you root?)" : "");
	if (fstat(fd, &status) < 0) {
		int code = errno;

		return tct_err_set(err, TCT_FAULT_REFUSED, code, "can't look at %s/%s: %s",
				   LOCK_FOLDER, LOCK_NAME, strerror(code));
	}
	if (!S_ISREG(status.st_mode))
		return tct_err_set(err, TCT_FAULT_REFUSED, EINVAL, "%s/%s is not a regular file",
				   LOCK_FOLDER, LOCK_NAME);
	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		int code = errno;

		if (code == EINTR && tries < TCT_INTERRUPTED_TRIES)
			continue;
		if (code == EWOULDBLOCK)
			return tct_err_set(err, TCT_FAULT_BUSY, code,
					   "another tcptune is at work (it holds %s/%s)",
					   LOCK_FOLDER, LOCK_NAME);
		return tct_err_set(err, TCT_FAULT_REFUSED, code, "can't lock %s/%s: %s",
				   LOCK_FOLDER, LOCK_NAME, strerror(code));
	}
	*lock_fd = TCT_STEAL_FD(fd);
	return 0;
}

void tct_lock_release(int *lock_fd)
{
	if (*lock_fd >= 0)
		(void)close(*lock_fd);
	*lock_fd = -1;
}
