#include "audit/observe/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/mem.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* A failed open or setns as an error; what is not there is INPUT, what is forbidden REFUSED. */
static int refuse(struct tct_err *err, const char *spec, int code, const char *doing)
{
	enum tct_fault fault = TCT_FAULT_INPUT;

	if (code == EPERM || code == EACCES || code == ENOMEM || code == EMFILE || code == ENFILE)
		fault = TCT_FAULT_REFUSED;
	return tct_err_set(err, fault, code, "network namespace %s: %s: %s", spec, doing,
			   strerror(code));
}

/*
 * Open the file of a network namespace. Returns an fd or -errno. Looks before it opens: the path is
 * the user's, and opening a device or a FIFO may do something.
 */
static int open_file(const char *spec, const char *path, struct tct_err *err)
{
	struct statfs filesystem;
	int fd;
	int type;

	if (statfs(path, &filesystem) < 0)
		return refuse(err, spec, errno, "it can't be looked at");
	if (filesystem.f_type != NSFS_MAGIC)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "network namespace %s: not a namespace%s", spec,
				   filesystem.f_type == TMPFS_MAGIC ? " (any more)" : "");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return refuse(err, spec, errno, "it can't be opened");
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type >= 0 && type != CLONE_NEWNET) {
		(void)close(fd);
		return tct_err_set(
			err, TCT_FAULT_INPUT, EINVAL,
			"network namespace %s: %s is a namespace, but not of the network", spec,
			path);
	}
	return fd;
}

static bool is_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

int tct_netns_open(const char *spec, struct tct_err *err)
{
	static const char *const folders[] = { "/run/netns", "/var/run/netns" };
	char path[TCT_NETNS_NAME + 32];
	struct stat status;

	if (strlen(spec) >= TCT_NETNS_NAME)
		return tct_err_set(err, TCT_FAULT_INPUT, ENAMETOOLONG,
				   "network namespace: the name is longer than %d characters",
				   TCT_NETNS_NAME - 1);
	if (strchr(spec, '/') != NULL)
		return open_file(spec, spec, err);
	if (*spec == '\0' || strcmp(spec, ".") == 0 || strcmp(spec, "..") == 0)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "network namespace: \"%s\" is no name", spec);
	for (size_t i = 0; i < TCT_COUNT(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folders[i], spec);
		if (stat(path, &status) == 0 || errno != ENOENT)
			return open_file(spec, path, err);
	}
	if (!is_number(spec))
		return tct_err_set(err, TCT_FAULT_INPUT, ENOENT,
				   "network namespace %s: there is none of this name in /run/netns",
				   spec);
	(void)snprintf(path, sizeof(path), "/proc/%s", spec);
	if (stat(path, &status) < 0 && errno == ENOENT)
		return tct_err_set(
			err, TCT_FAULT_INPUT, ESRCH,
			"network namespace %s: there is no process %s, and no such name in /run/netns",
			spec, spec);
	(void)snprintf(path, sizeof(path), "/proc/%s/ns/net", spec);
	return open_file(spec, path, err);
}

static bool is_own(int fd)
{
	struct stat own;
	struct stat other;

	return stat("/proc/self/ns/net", &own) == 0 && fstat(fd, &other) == 0 &&
	       own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

uint64_t tct_netns_cookie(void)
{
	TCT_AUTOCLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0 ||
	    length != sizeof(cookie))
		return 0;
	return cookie;
}

int tct_netns_keys(void)
{
	return open("/proc/sys/net/ipv4", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool tct_netns_keys_initial(int keys)
{
	return keys >= 0 && faccessat(keys, "tcp_mem", F_OK, 0) == 0;
}

bool tct_netns_is_initial(void)
{
	TCT_AUTOCLOSE int keys = tct_netns_keys();

	return tct_netns_keys_initial(keys);
}

int tct_netns_enter(const char *spec, struct tct_netns *netns, struct tct_err *err)
{
	struct stat status;

	*netns = (struct tct_netns){ .name = "" };
	if (spec != NULL) {
		TCT_AUTOCLOSE int fd = tct_netns_open(spec, err);

		if (fd < 0)
			return fd;
		if (!is_own(fd) && setns(fd, CLONE_NEWNET) < 0)
			return refuse(err, spec, errno, "it can't be entered");
		(void)snprintf(netns->name, sizeof(netns->name), "%s", spec);
	}
	if (stat("/proc/self/ns/net", &status) == 0)
		netns->inode = status.st_ino;
	netns->cookie = tct_netns_cookie();
	netns->initial = tct_netns_is_initial();
	return 0;
}
