/* Does the network namespace of a transaction still exist? */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/transact.h"

#ifndef FD_NSFS_ROOT
#define FD_NSFS_ROOT (-10003) /* linux/fcntl.h, since 6.18 */
#endif

enum {
	NSFS_NAME = 64,  /* "net:[4026531840]" */
	PROC_PATH = 320, /* "/proc/PID/task/TID/ns/net" and shorter */
	MOUNTS_MAX = 16 << 20,
	NSFS_HANDLE_TYPE = 0xf1, /* FILEID_NSFS, linux/exportfs.h */
};

/* PROC_PID_INIT_INO, linux/proc_ns.h: the host's first PID namespace. */
static const ino_t first_pid_namespace = 0xEFFFFFFC;

enum presence {
	HERE,
	NOT_HERE,
	CANT_TELL,
};

static enum presence worse(enum presence a, enum presence b)
{
	if (a == HERE || b == HERE)
		return HERE;
	return a == CANT_TELL || b == CANT_TELL ? CANT_TELL : NOT_HERE;
}

/* A failed look at something of a process that may have ended meanwhile. */
static enum presence after_error(int code)
{
	return code == ENOENT || code == ESRCH ? NOT_HERE : CANT_TELL;
}

/* --- the kernel's own answer ------------------------------------------------------------------ */

/* What nsfs puts into its file handles (uapi/linux/nsfs.h, since 6.18). */
struct nsfs_handle {
	uint64_t id;
	uint32_t type;
	uint32_t inode;
};

union handle {
	struct file_handle head;
	char room[sizeof(struct file_handle) + sizeof(struct nsfs_handle)];
};

/* Is the id in the handle the cookie that the journal keeps? Seen in our own namespace's handle. */
static bool handles_have_cookies(void)
{
	union handle handle = { .head = { .handle_bytes = sizeof(struct nsfs_handle) } };
	TCT_AUTOCLOSE int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct nsfs_handle own;
	int mount;

	if (fd < 0 || name_to_handle_at(fd, "", &handle.head, &mount, AT_EMPTY_PATH) < 0 ||
	    handle.head.handle_bytes != sizeof(own) || handle.head.handle_type != NSFS_HANDLE_TYPE)
		return false;
	memcpy(&own, handle.head.f_handle, sizeof(own));
	return own.id != 0 && own.id == tct_netns_cookie();
}

static enum presence ask_kernel(const struct tct_netns *netns)
{
	const struct nsfs_handle wanted = {
		.id = netns->cookie,
		.type = CLONE_NEWNET,
		.inode = (uint32_t)netns->inode,
	};
	union handle handle = { .head = { .handle_bytes = sizeof(wanted),
					  .handle_type = NSFS_HANDLE_TYPE } };

	if (netns->cookie == 0 || netns->inode > UINT32_MAX || !handles_have_cookies())
		return CANT_TELL;
	memcpy(handle.head.f_handle, &wanted, sizeof(wanted));

	TCT_AUTOCLOSE int fd = open_by_handle_at(FD_NSFS_ROOT, &handle.head, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return HERE;
	return errno == ESTALE ? NOT_HERE : CANT_TELL;
}

/* --- or whoever holds it: processes, open files, mounts --------------------------------------- */

/*
 * Are all the host's processes to be seen in /proc? Only in its first PID namespace; from within
 * another, or beside another's /proc, a namespace may have owners that don't show.
 */
static bool sees_all_processes(void)
{
	struct stat status;
	char self[NSFS_NAME];
	ssize_t length = readlink("/proc/self", self, sizeof(self) - 1);

	if (length < 0 || stat("/proc/self/ns/pid", &status) < 0)
		return false;
	self[length] = '\0';
	return status.st_ino == first_pid_namespace && strtoll(self, NULL, 10) == getpid();
}

static enum presence look_at_link(const char *path, const char *name)
{
	char target[NSFS_NAME];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0)
		return after_error(errno);
	target[length] = '\0';
	return strcmp(target, name) == 0 ? HERE : NOT_HERE;
}

/* The links folder/NUMBER/below, or folder/NUMBER if below is "". */
static enum presence look_at_links(const char *folder, const char *below, const char *name)
{
	DIR *open_folder = opendir(folder);
	enum presence found = NOT_HERE;
	struct dirent *entry;

	if (open_folder == NULL)
		return after_error(errno);
	while (found != HERE && (entry = readdir(open_folder)) != NULL) {
		char path[PROC_PATH];

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (snprintf(path, sizeof(path), "%s/%.20s%s", folder, entry->d_name, below) < 0)
			found = CANT_TELL;
		else
			found = worse(found, look_at_link(path, name));
	}
	return closedir(open_folder) < 0 ? worse(found, CANT_TELL) : found;
}

/* Is it mounted there, as `ip netns` and container engines do? */
static enum presence look_at_mounts(const struct tct_root *root, const char *mountinfo,
				    const char *name)
{
	TCT_AUTOFREE char *mounts = NULL;
	int result = tct_root_read(root, mountinfo, MOUNTS_MAX, &mounts, NULL);

	/* EINVAL: a process that ended, but isn't waited for yet. */
	if (result < 0)
		return result == -EINVAL ? NOT_HERE : after_error(-result);
	return strstr(mounts, name) != NULL ? HERE : NOT_HERE;
}

static bool has_other_mounts(const char *process)
{
	char path[PROC_PATH];
	struct stat own;
	struct stat other;

	return snprintf(path, sizeof(path), "%s/ns/mnt", process) < 0 ||
	       stat("/proc/self/ns/mnt", &own) < 0 || stat(path, &other) < 0 ||
	       own.st_ino != other.st_ino;
}

static enum presence look_at_process(const struct tct_root *root, const char *pid, const char *name)
{
	char process[64];
	char path[PROC_PATH];
	enum presence found;

	if (snprintf(process, sizeof(process), "/proc/%.20s", pid) < 0)
		return CANT_TELL;
	(void)snprintf(path, sizeof(path), "%s/task", process);
	found = look_at_links(path, "/ns/net", name);
	(void)snprintf(path, sizeof(path), "%s/fd", process);
	if (found != HERE)
		found = worse(found, look_at_links(path, "", name));
	(void)snprintf(path, sizeof(path), "%s/mountinfo", process);
	if (found != HERE && has_other_mounts(process))
		found = worse(found, look_at_mounts(root, path, name));
	return found;
}

/* A socket may hold it as well, but by a socket alone nobody gets into it any more. */
static enum presence look_for_holders(const struct tct_root *root, const char *name)
{
	DIR *proc = sees_all_processes() ? opendir("/proc") : NULL;
	enum presence found;
	struct dirent *entry;

	if (proc == NULL)
		return CANT_TELL;
	found = look_at_mounts(root, "/proc/self/mountinfo", name);
	while (found != HERE && (entry = readdir(proc)) != NULL) {
		if (isdigit((unsigned char)entry->d_name[0]))
			found = worse(found, look_at_process(root, entry->d_name, name));
	}
	return closedir(proc) < 0 ? worse(found, CANT_TELL) : found;
}

bool tct_namespace_gone(const struct tct_transaction *transaction,
			const struct tct_place_of_work *place)
{
	const struct tct_netns *netns = &transaction->netns;
	enum presence found;
	char name[NSFS_NAME];

	if (netns->initial)
		return false;
	if (!place->root->live)
		return true; /* an image: nothing lives in it */
	if (place->boot_id[0] == '\0' || transaction->boot_id[0] == '\0')
		return false;
	if (strcmp(transaction->boot_id, place->boot_id) != 0)
		return true;
	if (netns->inode == 0 ||
	    snprintf(name, sizeof(name), "net:[%" PRIu64 "]", netns->inode) < 0)
		return false;
	found = ask_kernel(netns);
	if (found == CANT_TELL)
		found = look_for_holders(place->root, name);
	return found == NOT_HERE;
}

const char *tct_namespace_words(const struct tct_netns *netns, char out[160])
{
	int length;

	if (netns->initial)
		length = snprintf(out, 160, "--netns 1");
	else if (netns->name[0] != '\0')
		length = snprintf(out, 160, "--netns %s", netns->name);
	else
		length = snprintf(out, 160, "--netns PID (of a process in net:[%" PRIu64 "])",
				  netns->inode);
	if (length < 0)
		out[0] = '\0';
	return out;
}

int tct_refuse_foreign(const struct tct_transaction *foreign, struct tct_err *err)
{
	char words[160];

	return tct_err_set(err, TCT_FAULT_REFUSED, EBUSY,
			   "transaction %" PRIu64
			   " of another network namespace was interrupted; undo it first: tcptune "
			   "rollback %s; if that is gone: tcptune rollback %" PRIu64 " --force",
			   foreign->id, tct_namespace_words(&foreign->netns, words), foreign->id);
}
