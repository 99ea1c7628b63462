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
 * One read() must get all: the kernel gives numbers only at offset 0. The bitmap of ports is the
 * longest: every second port, with its comma, is 190 KB.
 */
enum {
	SHORT_VALUE = 8192,
	PORTS_VALUE = 262144,
};

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
static int look_at_mode(const struct tct_root *root, const char *path, struct tct_sysctl *sysctl)
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, path, O_PATH, 0);
	struct stat status;

	if (fd < 0)
		return -fd;
	if (fstat(fd, &status) < 0)
		return errno;
	sysctl->writable = is_writable(root, fd, &status);
	return 0;
}

/* Returns the length, or -errno; sets writable. */
static ssize_t read_value(const struct tct_root *root, const char *path, char *buffer, size_t size,
			  struct tct_sysctl *sysctl)
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	struct stat status;
	ssize_t length;

	if (fd == -EACCES || fd == -EPERM)
		(void)look_at_mode(root, path, sysctl);
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	sysctl->writable = is_writable(root, fd, &status);
	do {
		length = read(fd, buffer, size);
	} while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : length;
}

int tct_sysctl_look(const struct tct_root *root, const struct tct_kernel_key *key,
		    struct tct_sysctl *sysctl)
{
	size_t size = key->handler == TCT_HANDLER_PORT_BITMAP ? PORTS_VALUE : SHORT_VALUE;
	TCT_AUTOFREE char *buffer = malloc(size);
	char below[256];
	char path[sizeof(below) + 16];
	struct tct_err err;

	if (buffer == NULL)
		return -ENOMEM;

	int result = tct_kernel_key_path(key->name, below, sizeof(below));

	if (result < 0) {
		note_error(sysctl, -result);
		return 0;
	}
	(void)snprintf(path, sizeof(path), "proc/sys/%s", below);
	if (key->handler == TCT_HANDLER_SECRET) {
		int code = look_at_mode(root, path, sysctl);

		if (code != 0)
			note_error(sysctl, code);
		return 0;
	}

	ssize_t length = read_value(root, path, buffer, size, sysctl);

	if (length < 0) {
		note_error(sysctl, (int)-length);
		return 0;
	}
	sysctl->presence = TCT_UNPARSED;
	if ((size_t)length == size || memchr(buffer, '\0', (size_t)length) != NULL)
		return 0;
	buffer[length] = '\0';
	result = tct_value_parse(key, buffer, &sysctl->value, &err);
	if (result == -ENOMEM)
		return result;
	if (result == 0)
		sysctl->presence = TCT_PRESENT;
	else
		tct_value_done(&sysctl->value);
	return 0;
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

int tct_sysctls_look(const struct tct_root *root, struct tct_observation *observation)
{
	if (!tct_root_exists(root, "proc/sys")) {
		if (!root->live)
			return 0;
		return tct_observation_gap(
			observation, "live kernel keys",
			"there is no /proc/sys: /proc is not mounted, or restricted");
	}
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		int result = tct_sysctl_look(root, &tct_kernel_keys[i], &observation->sysctls[i]);

		if (result < 0)
			return result;
	}

	int result = note_gap(observation, TCT_UNREADABLE, "can't be read");

	if (result == 0)
		result = note_gap(observation, TCT_UNPARSED, "not of the expected shape");
	return result;
}
