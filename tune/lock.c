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

/* What is locked. */
struct place {
	int folder; /* with the file in it; or, of an image, what is locked. Borrowed */
	bool image; /* its top folder is locked: it is there anyway, and nothing is left in it */
	char name[sizeof(((struct tct_root *)NULL)->path)]; /* for messages */
};

enum { NS_PER_SECOND = 1000000000 };

/* Between two tries: short enough for a transaction's few milliseconds, and no load. */
static const int64_t try_every_ns = 20 * INT64_C(1000000);

static int refuse(const struct place *place, struct tct_err *err, const char *doing, int code)
{
	return tct_err_set(err, TCT_FAULT_REFUSED, code, "can't %s %s: %s%s", doing, place->name,
			   strerror(code), code == EACCES ? " (are you root?)" : "");
}

/* Boot time: a host that slept meanwhile has waited, too. */
static int64_t now_ns(void)
{
	struct timespec now = { 0 };

	/* It doesn't fail for a clock that exists. */
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int open_file(const struct place *place, struct tct_err *err)
{
	TCT_AUTOCLOSE int fd =
		place->image
			? tct_file_openat(place->folder, ".", O_RDONLY | O_DIRECTORY, 0)
			: tct_file_openat(place->folder, LOCK_NAME,
					  O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
					  0600);
	struct stat status;

	if (fd < 0)
		return refuse(place, err, "lock", -fd);
	if (fstat(fd, &status) < 0)
		return refuse(place, err, "look at", errno);
	if (!place->image && !S_ISREG(status.st_mode))
		return tct_err_set(err, TCT_FAULT_REFUSED, EINVAL, "%s is not a regular file",
				   place->name);
	return TCT_STEAL_FD(fd);
}

/* Does the name still mean this file? Another one could be locked by somebody else. */
static bool is_current(const struct place *place, int fd)
{
	struct stat ours;
	struct stat named;

	if (place->image)
		return true;
	return fstat(fd, &ours) == 0 &&
	       fstatat(place->folder, LOCK_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
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

static int busy(const struct place *place, const struct tct_lock_wait *wait, struct tct_err *err)
{
	if (wait->ns == 0)
		return tct_err_set(err, TCT_FAULT_BUSY, EWOULDBLOCK,
				   "another tcptune is at work (it holds %s); --wait SECONDS "
				   "waits for it",
				   place->name);
	return tct_err_set(err, TCT_FAULT_BUSY, EWOULDBLOCK,
			   "another tcptune is still at work (it holds %s) after %.15g s",
			   place->name, (double)wait->ns / NS_PER_SECOND);
}

/* Tries until the wait is over: a blocking flock() with a timer would need a signal. */
static int take(const struct place *place, const struct tct_lock_wait *wait, int *lock_fd,
		struct tct_err *err)
{
	int64_t end_ns = wait->ns > 0 ? now_ns() + wait->ns : 0;
	bool waiting = false;
	int replaced = 0;

	for (;;) {
		TCT_AUTOCLOSE int fd = open_file(place, err);
		int result = fd < 0 ? fd : try_to_lock(fd);
		int64_t left_ns = wait->ns > 0 ? end_ns - now_ns() : 0;

		if (fd < 0)
			return fd;
		if (result == 0 && is_current(place, fd)) {
			*lock_fd = TCT_STEAL_FD(fd);
			break;
		}
		if (result == 0 && replaced++ < TCT_INTERRUPTED_TRIES)
			continue;
		if (result < 0 && result != -EWOULDBLOCK)
			return refuse(place, err, "lock", -result);
		if (left_ns <= 0)
			return busy(place, wait, err);
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

/* `--root /`, or the same by another name: there the running system's own lock counts. */
static bool is_image(const struct tct_root *root)
{
	struct stat top;
	struct stat host;

	return !root->live && fstat(root->fd, &top) == 0 && stat("/", &host) == 0 &&
	       (top.st_dev != host.st_dev || top.st_ino != host.st_ino);
}

/* Returns the folder with the running system's lock, or -errno. */
static int open_host_folder(const struct place *place, struct tct_err *err)
{
	TCT_AUTO(tct_root_done) struct tct_root host = { .fd = -1 };
	int fd = tct_root_open(&host, NULL, err);

	if (fd < 0)
		return fd;
	fd = tct_file_make_folder(&host, LOCK_FOLDER, 0755);
	return fd < 0 ? refuse(place, err, "lock", -fd) : fd;
}

int tct_lock_take(const struct tct_root *root, const struct tct_lock_wait *wait, int *lock_fd,
		  struct tct_err *err)
{
	static const struct tct_lock_wait none = { 0 };
	struct place place = { .image = is_image(root), .name = LOCK_FOLDER "/" LOCK_NAME };
	TCT_AUTOCLOSE int folder = place.image ? -1 : open_host_folder(&place, err);

	*lock_fd = -1;
	if (place.image)
		memcpy(place.name, root->path, sizeof(place.name));
	else if (folder < 0)
		return folder;
	place.folder = place.image ? root->fd : folder;
	return take(&place, wait != NULL ? wait : &none, lock_fd, err);
}

int tct_lock_may_take(const struct tct_root *root, struct tct_err *err)
{
	static const struct place place = { .name = LOCK_FOLDER "/" LOCK_NAME };
	TCT_AUTO(tct_root_done) struct tct_root host = { .fd = -1 };
	int result;

	/* Of an image only the top folder is opened, to be read. */
	if (is_image(root))
		return 0;
	result = tct_root_open(&host, NULL, err);
	if (result < 0)
		return result;
	result = tct_file_may_write(&host, LOCK_FOLDER, LOCK_NAME, true, true);
	return result < 0 ? refuse(&place, err, "lock", -result) : 0;
}

void tct_lock_release(int *lock_fd)
{
	if (*lock_fd >= 0)
		(void)close(*lock_fd);
	*lock_fd = -1;
}
