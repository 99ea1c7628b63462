#include "audit/observe/sysctl_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/mem.h"

/*
 * One read() must get all: the kernel gives numbers only at offset 0. It makes room for as much as
 * is asked for, so what fills the small buffer is read again with the large one. The bitmap of
 * ports is the longest: every second port, with its comma, is 190 KB.
 */
enum {
	SMALL_VALUE = 1024,
	LARGE_VALUE = 262144,
};

/* The folder of the key read last: the next key is mostly in it. */
struct folder {
	char path[128]; /* below the root; "" = none yet */
	int fd;         /* or -errno */
	int net_ipv4;   /* that one, borrowed; -1 = not open */
};

static void done_folder(const struct folder *folder)
{
	tct_close_fd(&folder->fd);
}

static int open_in(int folder, const char *name, int flags)
{
	int fd = openat(folder, name, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * Open a key's file. On the live host its folder is opened once: each network namespace has a
 * folder of its own below /proc/sys/net, all under the same name, and the kernel finds one by
 * trying them all. In a DIR links count from its root, so the path is walked each time.
 */
static int open_key(const struct tct_root *root, struct folder *folder, const char *path, int flags)
{
	static const char net_ipv4[] = "proc/sys/net/ipv4/";
	const char *slash = strrchr(path, '/');
	size_t length = slash != NULL ? (size_t)(slash - path) : 0;

	if (!root->live || length == 0 || length >= sizeof(folder->path))
		return tct_root_openat(root, path, flags, 0);
	if (folder->net_ipv4 >= 0 && strncmp(path, net_ipv4, strlen(net_ipv4)) == 0)
		return open_in(folder->net_ipv4, path + strlen(net_ipv4), flags);
	if (strncmp(folder->path, path, length) != 0 || folder->path[length] != '\0') {
		tct_close_fd(&folder->fd);
		memcpy(folder->path, path, length);
		folder->path[length] = '\0';
		folder->fd = tct_root_openat(root, folder->path, O_PATH | O_DIRECTORY, 0);
	}
	return folder->fd < 0 ? folder->fd : open_in(folder->fd, slash + 1, flags);
}

static void note_error(struct tct_sysctl *sysctl, int code)
{
	if (code == ENOENT || code == ENOTDIR) {
		sysctl->presence = TCT_ABSENT;
	} else {
		sysctl->presence = TCT_UNREADABLE;
		sysctl->error = code;
	}
}

/* Whether the open file may be written by its mode, on a mount that isn't read-only. */
static bool is_writable(const struct tct_root *root, int fd, const struct stat *status)
{
	struct statvfs mount;

	if ((status->st_mode & S_IWUSR) == 0)
		return false;
	return !root->live || fstatvfs(fd, &mount) < 0 || (mount.f_flag & ST_RDONLY) == 0;
}

/* A file that must not or can't be read still tells its mode. Returns 0 or a positive errno. */
static int look_at_mode(const struct tct_root *root, struct folder *folder, const char *path,
			struct tct_sysctl *sysctl)
{
	TCT_AUTOCLOSE int fd = open_key(root, folder, path, O_PATH);
	struct stat status;

	if (fd < 0)
		return -fd;
	if (fstat(fd, &status) < 0)
		return errno;
	sysctl->writable = is_writable(root, fd, &status);
	return 0;
}

/* Returns the length, or -errno. */
static ssize_t read_whole(int fd, char *buffer, size_t size)
{
	ssize_t length;

	do {
		length = pread(fd, buffer, size, 0);
	} while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : length;
}

/* Open a file to read it; sets writable. Returns an fd or -errno. */
static int open_value(const struct tct_root *root, struct folder *folder, const char *path,
		      struct tct_sysctl *sysctl)
{
	TCT_AUTOCLOSE int fd = open_key(root, folder, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd == -EACCES || fd == -EPERM)
		(void)look_at_mode(root, folder, path, sysctl);
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	sysctl->writable = is_writable(root, fd, &status);
	return TCT_STEAL_FD(fd);
}

/* The path below the root; false if the name has none: then *sysctl says so. */
static bool make_path(const struct tct_kernel_key *key, char path[288], struct tct_sysctl *sysctl)
{
	char below[256];
	int result = tct_kernel_key_path(key->name, below, sizeof(below));

	if (result < 0)
		note_error(sysctl, -result);
	else
		(void)snprintf(path, 288, "proc/sys/%s", below);
	return result == 0;
}

static int look_at_key(const struct tct_root *root, struct folder *folder,
		       const struct tct_kernel_key *key, struct tct_sysctl *sysctl)
{
	TCT_AUTOFREE char *large = NULL;
	TCT_AUTOCLOSE int fd = -1;
	char small[SMALL_VALUE];
	char *text = small;
	char path[288];
	struct tct_err err;
	ssize_t length;

	if (!make_path(key, path, sysctl))
		return 0;
	if (key->handler == TCT_HANDLER_SECRET) {
		int code = look_at_mode(root, folder, path, sysctl);

		if (code != 0)
			note_error(sysctl, code);
		return 0;
	}
	fd = open_value(root, folder, path, sysctl);
	length = fd < 0 ? fd : read_whole(fd, small, SMALL_VALUE);
	if (length == SMALL_VALUE) {
		text = large = malloc(LARGE_VALUE);
		if (large == NULL)
			return -ENOMEM;
		length = read_whole(fd, large, LARGE_VALUE);
	}
	if (length < 0) {
		note_error(sysctl, (int)-length);
		return 0;
	}
	sysctl->presence = TCT_UNPARSED;
	if (length == LARGE_VALUE || memchr(text, '\0', (size_t)length) != NULL)
		return 0;
	text[length] = '\0';

	int result = tct_value_parse(key, text, &sysctl->value, &err);

	if (result == -ENOMEM)
		return result;
	if (result == 0)
		sysctl->presence = TCT_PRESENT;
	else
		tct_value_done(&sysctl->value);
	return 0;
}

int tct_sysctl_look(const struct tct_root *root, const struct tct_kernel_key *key,
		    struct tct_sysctl *sysctl)
{
	TCT_AUTO(done_folder) struct folder folder = { .path = "", .fd = -1, .net_ipv4 = -1 };

	return look_at_key(root, &folder, key, sysctl);
}

/* One gap for all keys of a kind: "3 kernel keys", "net.x: Permission denied". */
static int note_gap(struct tct_observation *observation, enum tct_presence presence,
		    const char *otherwise)
{
	const struct tct_sysctl *first = NULL;
	const char *name = "";
	unsigned count = 0;
	char what[64];

	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		if (observation->sysctls[i].presence != presence)
			continue;
		if (count++ == 0) {
			first = &observation->sysctls[i];
			name = tct_kernel_keys[i].name;
		}
	}
	if (first == NULL)
		return 0;
	(void)snprintf(what, sizeof(what), "live value of %u kernel key%s", count,
		       count == 1 ? "" : "s");
	return tct_observation_gap(observation, what, "%s%s: %s", count == 1 ? "" : "first ", name,
				   first->error != 0 ? strerror(first->error) : otherwise);
}

int tct_sysctls_look(const struct tct_root *root, const bool *wanted, int net_ipv4,
		     struct tct_observation *observation)
{
	TCT_AUTO(done_folder) struct folder folder = { .path = "", .fd = -1, .net_ipv4 = net_ipv4 };

	if (!tct_root_exists(root, "proc/sys")) {
		if (!root->live)
			return 0;
		return tct_observation_gap(
			observation, "live kernel keys",
			"there is no /proc/sys: /proc is not mounted, or restricted");
	}
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		int result = 0;

		if (wanted == NULL || wanted[i])
			result = look_at_key(root, &folder, &tct_kernel_keys[i],
					     &observation->sysctls[i]);
		if (result < 0)
			return result;
	}

	int result = note_gap(observation, TCT_UNREADABLE, "can't be read");

	if (result == 0)
		result = note_gap(observation, TCT_UNPARSED, "not of the expected shape");
	return result;
}
