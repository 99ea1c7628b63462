#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/apply.h"
#include "tune/file_io.h"

#define LOCK_FOLDER "/run"
#define LOCK_NAME "tcptune.lock"

enum { NS_PER_SECOND = 1000000000 };

/* Between two tries: short enough for a transaction's few milliseconds, and no load. */
static const int64_t try_every_ns = 20 * INT64_C(1000000);

static int refuse(struct tct_err *err, const char *doing, int code)
{
	return tct_err_set(err, TCT_FAULT_REFUSED, code, "can't %s %s/%s: %s%s", doing, LOCK_FOLDER,
			   LOCK_NAME, strerror(code), code == EACCES ? " (are you root?)" : "");
}

/* Boot time: a host that slept meanwhile has waited, too. */
static int64_t now_ns(void)
{
	struct timespec now = { 0 };

	/* It doesn't fail for a clock that exists. */
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int open_file(int folder, struct tct_err *err)
{
	TCT_AUTOCLOSE int fd = tct_file_openat(
		folder, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	struct stat status;

	if (fd < 0)
		return refuse(err, "lock", -fd);
	if (fstat(fd, &status) < 0)
		return refuse(err, "look at", errno);
	if (!S_ISREG(status.st_mode))
		return tct_err_set(err, TCT_FAULT_REFUSED, EINVAL, "%s/%s is not a regular file",
				   LOCK_FOLDER, LOCK_NAME);
	return TCT_STEAL_FD(fd);
}

/* Does the name still mean this file? Another one could be locked by somebody else. */
static bool is_current(int folder, int fd)
{
	struct stat ours;
	struct stat named;

	return fstat(fd, &ours) == 0 &&
	       fstatat(folder, LOCK_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/* 0, or -errno; -EWOULDBLOCK: another has it. */
static int try_to_lock(int fd)
{
	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (errno != EINTR || tries == TCT_INTERRUPTED_TRIES)
			return -errno;
	}
	return 0;
}

static int busy(const struct tct_lock_wait *wait, struct tct_err *err)
{
	if (wait->ns == 0)
		return tct_err_set(err, TCT_FAULT_BUSY, EWOULDBLOCK,
				   "another tcptune is at work (it holds %s/%s); --wait SECONDS "
				   "waits for it",
				   LOCK_FOLDER, LOCK_NAME);
	return tct_err_set(err, TCT_FAULT_BUSY, EWOULDBLOCK,
			   "another tcptune is still at work (it holds %s/%s) after %.15g s",
			   LOCK_FOLDER, LOCK_NAME, (double)wait->ns / NS_PER_SECOND);
}

/* Tries until the wait is over: a blocking flock() with a timer would need a signal. */
static int take(int folder, const struct tct_lock_wait *wait, int *lock_fd, struct tct_err *err)
{
	int64_t end_ns = wait->ns > 0 ? now_ns() + wait->ns : 0;
	bool waiting = false;
	int replaced = 0;

	for (;;) {
		TCT_AUTOCLOSE int fd = open_file(folder, err);
		int result = fd < 0 ? fd : try_to_lock(fd);
		int64_t left_ns = wait->ns > 0 ? end_ns - now_ns() : 0;

		if (fd < 0)
			return fd;
		if (result == 0 && is_current(folder, fd)) {
			*lock_fd = TCT_STEAL_FD(fd);
			break;
		}
		if (result == 0 && replaced++ < TCT_INTERRUPTED_TRIES)
			continue;
		if (result < 0 && result != -EWOULDBLOCK)
			return refuse(err, "lock", -result);
		if (left_ns <= 0)
			return busy(wait, err);
		if (!waiting && wait->tell != NULL)
			wait->tell(wait->context, true);
		waiting = true;

		const struct timespec pause = {
			.tv_nsec = (long)(left_ns < try_every_ns ? left_ns : try_every_ns),
		};

		/* Woken early: one try more. */
		(void)nanosleep(&pause, NULL);
	}
	if (waiting && wait->tell != NULL)
		wait->tell(wait->context, false);
	return 0;
}

int tct_lock_take(const struct tct_root *root, const struct tct_lock_wait *wait, int *lock_fd,
		  struct tct_err *err)
{
	static const struct tct_lock_wait none = { 0 };
	TCT_AUTOCLOSE int folder = tct_file_make_folder(root, LOCK_FOLDER, 0755);

	*lock_fd = -1;
	if (folder < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, -folder, "%s below %s: %s", LOCK_FOLDER,
				   root->path, strerror(-folder));
	return take(folder, wait != NULL ? wait : &none, lock_fd, err);
}

int tct_lock_may_take(const struct tct_root *root, struct tct_err *err)
{
	int result = tct_file_may_write(root, LOCK_FOLDER, LOCK_NAME, true, true);

	return result < 0 ? refuse(err, "lock", -result) : 0;
}

void tct_lock_release(int *lock_fd)
{
	if (*lock_fd >= 0)
		(void)close(*lock_fd);
	*lock_fd = -1;
}
