#include "audit/observe/namespaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/observe/processes.h"
#include "core/mem.h"

enum { DESCRIPTORS_LEFT = 64 }; /* for everything but namespaces */

/* What lives while they are listed. */
struct finder {
	struct tct_namespaces *namespaces;
	dev_t device;       /* of all namespaces' files */
	size_t descriptors; /* that may still be held */
	size_t *slots;      /* inode -> 1 + index of the item; 0 = free */
	size_t slots_count; /* a power of two, at least twice the items */
};

static void done_finder(struct finder *finder)
{
	free(finder->slots);
}

static void close_folder(DIR **folder)
{
	if (*folder != NULL)
		(void)closedir(*folder);
}

static size_t *find_slot(const struct finder *finder, uint64_t inode)
{
	size_t mask = finder->slots_count - 1;
	size_t at = (size_t)(inode * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

	while (finder->slots[at] != 0 &&
	       finder->namespaces->items[finder->slots[at] - 1].inode != inode)
		at = (at + 1) & mask;
	return &finder->slots[at];
}

/* Room for one more item. 0 or -ENOMEM. */
static int make_slots(struct finder *finder)
{
	const struct tct_namespaces *namespaces = finder->namespaces;
	size_t wanted = finder->slots_count > 0 ? finder->slots_count : 64;
	size_t *slots;

	if (finder->slots_count > 2 * namespaces->items_count)
		return 0;
	while (wanted <= 2 * namespaces->items_count)
		wanted *= 2;
	slots = calloc(wanted, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	free(finder->slots);
	finder->slots = slots;
	finder->slots_count = wanted;
	for (size_t i = 0; i < namespaces->items_count; i++)
		*find_slot(finder, namespaces->items[i].inode) = i + 1;
	return 0;
}

/* The namespace with this inode, added if it is new; NULL on ENOMEM. fd (may be -1) is taken. */
static struct tct_namespace *add(struct finder *finder, uint64_t inode, int fd)
{
	TCT_AUTOCLOSE int held = fd;
	struct tct_namespace *item;
	size_t *slot;

	if (make_slots(finder) < 0)
		return NULL;
	slot = find_slot(finder, inode);
	if (*slot != 0)
		return &finder->namespaces->items[*slot - 1];
	item = TCT_APPEND(finder->namespaces, items);
	if (item == NULL)
		return NULL;
	*slot = finder->namespaces->items_count;
	item->inode = inode;
	item->fd = -1;
	if (held >= 0 && finder->descriptors > 0) {
		item->fd = TCT_STEAL_FD(held);
		finder->descriptors--;
	}
	return item;
}

/*
 * Look at a file that should be a network namespace; *status is the opened one's, if it can be
 * opened: the name may mean another one by now. False if it is none. *fd may be -1.
 */
static bool look_at_file(const struct finder *finder, int folder, const char *path,
			 struct stat *status, int *fd)
{
	int type;

	*fd = -1;
	if (fstatat(folder, path, status, 0) < 0)
		return false;
	if (status->st_dev != finder->device) {
		errno = EINVAL;
		return false;
	}
	*fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0)
		return true; /* entering it will tell */
	type = ioctl(*fd, NS_GET_NSTYPE);
	if (fstat(*fd, status) == 0 && status->st_dev == finder->device &&
	    (type == CLONE_NEWNET || type < 0))
		return true;
	(void)close(*fd);
	*fd = -1;
	errno = EINVAL;
	return false;
}

static bool is_known(const struct finder *finder, uint64_t inode)
{
	return *find_slot(finder, inode) != 0;
}

static int add_own(struct finder *finder, struct tct_err *err)
{
	struct stat status;
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct tct_namespace *item;

	if (fd < 0 || fstat(fd, &status) < 0) {
		int code = errno;

		tct_close_fd(&fd);
		return tct_err_set(err, TCT_FAULT_REFUSED, code,
				   "network namespaces: /proc/self/ns/net: %s", strerror(code));
	}
	finder->device = status.st_dev;
	item = add(finder, status.st_ino, fd);
	if (item == NULL)
		return tct_err_nomem(err);
	item->own = true;
	finder->namespaces->own_initial = tct_netns_is_initial();
	return 0;
}

/* Of two names the first by order counts, so that it is the same every time. */
static void take_name(struct tct_namespace *item, const char *name)
{
	if (item->name[0] == '\0' || strcmp(name, item->name) < 0)
		(void)snprintf(item->name, sizeof(item->name), "%s", name);
}

/* Names that `ip netns` gave. 0 or -ENOMEM; a folder that isn't there, or may not be read, has
 * none. */
static int look_at_names(struct finder *finder)
{
	static const char *const paths[] = { "/run/netns", "/var/run/netns" };
	struct stat before = { 0 };
	struct stat here;

	for (size_t i = 0; i < TCT_COUNT(paths); i++) {
		TCT_AUTO(close_folder) DIR *folder = opendir(paths[i]);

		if (folder == NULL || fstat(dirfd(folder), &here) < 0)
			continue;
		if (here.st_dev == before.st_dev && here.st_ino == before.st_ino)
			continue; /* /var/run is a link to /run */
		before = here;
		for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
			struct tct_namespace *item;
			struct stat status;
			int fd;

			if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			    !look_at_file(finder, dirfd(folder), entry->d_name, &status, &fd))
				continue;
			item = add(finder, status.st_ino, fd);
			if (item == NULL)
				return -ENOMEM;
			take_name(item, entry->d_name);
		}
	}
	return 0;
}

static bool is_pid(const char *name)
{
	size_t length = strspn(name, "0123456789");

	return length > 0 && length < 10 && name[length] == '\0';
}

static int look_at_process(struct finder *finder, int proc, const char *name)
{
	int32_t pid = (int32_t)strtol(name, NULL, 10);
	struct tct_namespace *item;
	struct stat status;
	char path[32];
	int fd = -1;

	(void)snprintf(path, sizeof(path), "%d/ns/net", (int)pid);
	/* mostly one that is known: then a look is enough */
	if (fstatat(proc, path, &status, 0) < 0 ||
	    (!is_known(finder, status.st_ino) && !look_at_file(finder, proc, path, &status, &fd))) {
		if (errno == EACCES || errno == EPERM)
			finder->namespaces->not_permitted++;
		return 0; /* gone, or a zombie */
	}
	item = add(finder, status.st_ino, fd);
	if (item == NULL)
		return -ENOMEM;
	if (item->pid == 0 || pid < item->pid)
		item->pid = pid;
	return 0;
}

static int look_at_processes(struct finder *finder, const struct tct_root *root,
			     struct tct_err *err)
{
	TCT_AUTO(close_folder) DIR *folder = NULL;
	TCT_AUTOCLOSE int fd = tct_root_openat(root, "proc", O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0)
		folder = fdopendir(fd);
	if (folder == NULL) {
		int code = fd < 0 ? -fd : errno;

		return tct_err_set(err, TCT_FAULT_REFUSED, code, "network namespaces: /proc: %s",
				   strerror(code));
	}
	fd = -1; /* the folder's now */
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (is_pid(entry->d_name) &&
		    look_at_process(finder, dirfd(folder), entry->d_name) < 0)
			return tct_err_nomem(err);
	}
	return 0;
}

/* A pid where there is no name; but a name of digits comes before a pid. */
static void name_by_pid(struct tct_namespace *item)
{
	char path[64];
	struct stat status;

	if (item->name[0] != '\0' || item->pid == 0)
		return;
	(void)snprintf(item->name, sizeof(item->name), "%d", (int)item->pid);
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/run/netns/%d", i == 0 ? "" : "/var",
			       (int)item->pid);
		if (stat(path, &status) == 0) {
			(void)snprintf(item->name, sizeof(item->name), "/proc/%d/ns/net",
				       (int)item->pid);
			return;
		}
	}
}

static int own_first_then_by_name(const void *left, const void *right)
{
	const struct tct_namespace *a = (const struct tct_namespace *)left;
	const struct tct_namespace *b = (const struct tct_namespace *)right;

	if (a->own != b->own)
		return a->own ? -1 : 1;
	return strverscmp(a->name, b->name);
}

/* So many descriptors may be held. */
static size_t count_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= DESCRIPTORS_LEFT)
		return 1; /* the own one: the way back */
	return limit.rlim_cur - DESCRIPTORS_LEFT;
}

int tct_namespaces_list(const struct tct_root *root, struct tct_namespaces *namespaces,
			struct tct_err *err)
{
	TCT_AUTO(done_finder)
	struct finder finder = { .namespaces = namespaces, .descriptors = count_descriptors() };
	int code;

	*namespaces = (struct tct_namespaces){ .items = NULL };
	code = add_own(&finder, err);
	if (code == 0 && look_at_names(&finder) < 0)
		code = tct_err_nomem(err);
	if (code == 0)
		code = look_at_processes(&finder, root, err);
	if (code < 0)
		return code;
	for (size_t i = 0; i < namespaces->items_count; i++) {
		struct tct_namespace *item = &namespaces->items[i];

		name_by_pid(item);
		if (item->pid != 0) {
			tct_process_name(root, item->pid, item->comm);
			tct_process_unit(root, item->pid, item->unit);
		}
	}
	qsort(namespaces->items, namespaces->items_count, sizeof(*namespaces->items),
	      own_first_then_by_name);
	return 0;
}

void tct_namespaces_done(struct tct_namespaces *namespaces)
{
	for (size_t i = 0; i < namespaces->items_count; i++)
		tct_close_fd(&namespaces->items[i].fd);
	free(namespaces->items);
	*namespaces = (struct tct_namespaces){ .items = NULL };
}

/* By its name again; but what has the name now may be another one. An fd or -errno. */
static int reopen(const struct tct_namespace *item)
{
	TCT_AUTOCLOSE int fd = tct_netns_open(item->name, NULL);
	struct stat status;

	if (fd < 0)
		return fd == -EACCES || fd == -EPERM ? fd : -ENOENT;
	if (fstat(fd, &status) < 0 || status.st_ino != item->inode)
		return -ENOENT;
	return TCT_STEAL_FD(fd);
}

int tct_namespaces_enter(const struct tct_namespaces *namespaces, size_t i, struct tct_netns *netns,
			 int *keys)
{
	const struct tct_namespace *item = &namespaces->items[i];
	TCT_AUTOCLOSE int opened = item->fd < 0 ? reopen(item) : -1;
	TCT_AUTOCLOSE int folder = -1;

	if (item->fd < 0 && opened < 0)
		return opened;
	if (setns(item->fd >= 0 ? item->fd : opened, CLONE_NEWNET) < 0)
		return -errno;
	*netns = (struct tct_netns){ .inode = item->inode, .cookie = tct_netns_cookie() };
	memcpy(netns->name, item->name, sizeof(netns->name));
	netns->pid = item->pid;
	memcpy(netns->comm, item->comm, sizeof(netns->comm));
	memcpy(netns->unit, item->unit, sizeof(netns->unit));
	if (keys != NULL || (!item->own && !namespaces->own_initial))
		folder = tct_netns_keys();
	netns->initial = item->own ? namespaces->own_initial
				   : !namespaces->own_initial && tct_netns_keys_initial(folder);
	if (keys != NULL)
		*keys = TCT_STEAL_FD(folder);
	return 0;
}

void tct_namespace_of(const struct tct_netns *netns, struct tct_namespace *namespace_)
{
	*namespace_ = (struct tct_namespace){ .inode = netns->inode, .pid = netns->pid, .fd = -1 };
	memcpy(namespace_->name, netns->name, sizeof(namespace_->name));
	memcpy(namespace_->comm, netns->comm, sizeof(namespace_->comm));
	memcpy(namespace_->unit, netns->unit, sizeof(namespace_->unit));
}

int tct_namespaces_return(const struct tct_namespaces *namespaces)
{
	return setns(namespaces->items[0].fd, CLONE_NEWNET) < 0 ? -errno : 0;
}
