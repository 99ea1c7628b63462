#include "audit/observe/cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"

enum {
	SLOTS = 1 << 15, /* of the table; a power of two */
	KNOWN_MAX = SLOTS / 2,
	PATH_BYTES = 1024, /* nested Kubernetes makes 300 */
	PATH_TOLD = 256,
	DEPTH_MAX = 32,
	FILEID_KERNFS = 0xfe, /* include/linux/exportfs.h */
	PROCS_READ = 1 << 20, /* bytes of cgroup.procs */
};

struct known {
	uint64_t id; /* 0 = free: no cgroup has it */
	char *path;  /* owned; NULL = there is none */
};

struct tct_cgroups {
	const struct tct_root *root; /* borrowed */
	int mount;                   /* cgroup2, or -1 */
	bool looked_for;
	bool handles; /* open_by_handle_at works, or was not tried */
	bool walked;
	size_t known_count;
	struct known *known; /* owned, [SLOTS]; NULL = nothing was asked yet */
};

struct tct_cgroups *tct_cgroups_new(const struct tct_root *root)
{
	struct tct_cgroups *cgroups = calloc(1, sizeof(*cgroups));

	if (cgroups != NULL) {
		cgroups->root = root;
		cgroups->mount = -1;
		cgroups->handles = true;
	}
	return cgroups;
}

void tct_cgroups_free(struct tct_cgroups *cgroups)
{
	if (cgroups == NULL)
		return;
	for (size_t i = 0; cgroups->known != NULL && i < SLOTS; i++)
		free(cgroups->known[i].path);
	free(cgroups->known);
	if (cgroups->mount >= 0)
		(void)close(cgroups->mount);
	free(cgroups);
}

/* The id's slot, or the free one that it may have. There is always a free one. */
static struct known *slot_of(struct tct_cgroups *cgroups, uint64_t id)
{
	size_t at = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SLOTS;

	while (cgroups->known[at].id != 0 && cgroups->known[at].id != id)
		at = (at + 1) % SLOTS;
	return &cgroups->known[at];
}

/* Keep what an id is. Full, or out of memory: it is sought again next time. */
static void remember(struct tct_cgroups *cgroups, uint64_t id, const char *path)
{
	struct known *slot = slot_of(cgroups, id);
	char *copy = NULL;

	if (slot->id != 0 || cgroups->known_count >= KNOWN_MAX)
		return;
	if (path != NULL) {
		copy = tct_text_copy(path, strlen(path));
		if (copy == NULL)
			return;
	}
	*slot = (struct known){ .id = id, .path = copy };
	cgroups->known_count++;
}

/*
 * Where systemd mounts it: alone, or beside cgroup1. Below a DIR it may be the live one as well (a
 * container that has the host's / mounted); a captured tree has folders with other inode numbers,
 * so only the real file system counts.
 */
static bool find_mount(struct tct_cgroups *cgroups)
{
	static const char *const places[] = { "sys/fs/cgroup", "sys/fs/cgroup/unified" };

	for (size_t i = 0; i < TCT_COUNT(places) && !cgroups->looked_for; i++) {
		TCT_AUTOCLOSE int fd =
			tct_root_openat(cgroups->root, places[i], O_RDONLY | O_DIRECTORY, 0);
		struct statfs status;

		if (fd < 0 || fstatfs(fd, &status) < 0 || status.f_type != CGROUP2_SUPER_MAGIC)
			continue;
		cgroups->mount = TCT_STEAL_FD(fd);
		break;
	}
	cgroups->looked_for = true;
	return cgroups->mount >= 0;
}

/* The path of an open file as this process sees it; false if it is cut off or not reachable. */
static bool path_of(int fd, char *path, size_t size)
{
	char link[64];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, size);
	if (length <= 0 || (size_t)length >= size || path[0] != '/')
		return false;
	path[length] = '\0';
	return true;
}

/* The path of an open cgroup below the mount: "/" or "/system.slice/x.service". */
static bool path_below(const struct tct_cgroups *cgroups, int fd, char path[PATH_BYTES])
{
	char mount[PATH_BYTES];
	char full[4096];
	size_t length;
	const char *below;

	if (!path_of(cgroups->mount, mount, sizeof(mount)) || !path_of(fd, full, sizeof(full)))
		return false;
	length = strlen(mount);
	if (strncmp(full, mount, length) != 0 || (full[length] != '/' && full[length] != '\0'))
		return false;
	below = full[length] == '\0' ? "/" : full + length;
	if (strlen(below) >= PATH_BYTES)
		return false;
	memcpy(path, below, strlen(below) + 1);
	return true;
}

/*
 * Open the folder that has the id as its inode number. -errno: ESTALE if it is gone, EPERM without
 * the capability, others where the kernel can't.
 */
static int open_by_id(const struct tct_cgroups *cgroups, uint64_t id)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
	} name = { .handle = { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS } };
	int fd;

	memcpy(name.bytes + sizeof(struct file_handle), &id, sizeof(id));
	fd = open_by_handle_at(cgroups->mount, &name.handle, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* One folder's children: remembered, and walked in turn. */
static void walk_folder(struct tct_cgroups *cgroups, int folder, char path[PATH_BYTES],
			unsigned depth)
{
	const size_t length = strlen(path);
	DIR *listing = fdopendir(folder);
	const struct dirent *entry;

	if (listing == NULL) {
		(void)close(folder);
		return;
	}
	while (cgroups->known_count < KNOWN_MAX && (entry = readdir(listing)) != NULL) {
		const size_t name = strlen(entry->d_name);
		int child;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (length + name + 2 > PATH_BYTES)
			continue;
		path[length] = '/';
		memcpy(path + length + 1, entry->d_name, name + 1);
		remember(cgroups, entry->d_ino, path);
		child = depth < DEPTH_MAX ? openat(dirfd(listing), entry->d_name,
						   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
					  : -1;
		if (child >= 0)
			walk_folder(cgroups, child, path, depth + 1);
		path[length] = '\0';
	}
	(void)closedir(listing);
}

/* Learn all ids that there are: for those who may not open by handle. */
static void walk(struct tct_cgroups *cgroups)
{
	char path[PATH_BYTES] = "";
	struct stat status;
	int top;

	if (cgroups->walked)
		return;
	cgroups->walked = true;
	if (fstat(cgroups->mount, &status) == 0)
		remember(cgroups, status.st_ino, "/");
	top = openat(cgroups->mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top >= 0)
		walk_folder(cgroups, top, path, 0);
}

/* The path of an id, NULL if there is none. Good until the next call. */
static const char *path_of_id(struct tct_cgroups *cgroups, uint64_t id, char path[PATH_BYTES])
{
	TCT_AUTOCLOSE int fd = -1;
	const struct known *slot;

	if (id == 0 || !find_mount(cgroups))
		return NULL;
	if (cgroups->known == NULL)
		cgroups->known = calloc(SLOTS, sizeof(*cgroups->known));
	if (cgroups->known == NULL)
		return NULL;
	slot = slot_of(cgroups, id);
	if (slot->id == id)
		return slot->path;
	if (cgroups->handles) {
		fd = open_by_id(cgroups, id);
		if (fd >= 0 && path_below(cgroups, fd, path)) {
			remember(cgroups, id, path);
			return path;
		}
		/* Gone; or outside of what this container sees. */
		if (fd >= 0 || fd == -ESTALE || fd == -ENOENT) {
			remember(cgroups, id, NULL);
			return NULL;
		}
		cgroups->handles = false;
	}
	walk(cgroups);
	slot = slot_of(cgroups, id);
	return slot->id == id ? slot->path : NULL;
}

bool tct_cgroups_find(struct tct_cgroups *cgroups, uint64_t id, char unit[128], char path[256])
{
	char buffer[PATH_BYTES];
	const char *found = path_of_id(cgroups, id, buffer);

	unit[0] = '\0';
	if (path != NULL)
		path[0] = '\0';
	if (found == NULL)
		return false;
	(void)tct_cgroup_unit(found, unit);
	if (path != NULL)
		(void)snprintf(path, PATH_TOLD, "%.*s", PATH_TOLD - 1, found);
	return true;
}

/* The numbers of cgroup.procs, one a line; 0 = a process that this PID namespace doesn't have. */
static size_t read_pids(FILE *file, int32_t *pids, size_t max)
{
	char line[32];
	size_t count = 0;

	for (size_t read = 0; count < max && read < PROCS_READ; read += strlen(line)) {
		char *end;
		long pid;

		if (fgets(line, sizeof(line), file) == NULL)
			break;
		errno = 0;
		pid = strtol(line, &end, 10);
		if (errno == 0 && *end == '\n' && pid > 0 && pid <= INT32_MAX)
			pids[count++] = (int32_t)pid;
	}
	return count;
}

size_t tct_cgroups_processes(struct tct_cgroups *cgroups, uint64_t id, int32_t *pids, size_t max)
{
	char buffer[PATH_BYTES];
	char name[PATH_BYTES + 32];
	const char *path = path_of_id(cgroups, id, buffer);
	size_t count;
	FILE *file;
	int fd;

	if (path == NULL || max == 0)
		return 0;
	(void)snprintf(name, sizeof(name), ".%s/cgroup.procs", path);
	fd = openat(cgroups->mount, name, O_RDONLY | O_CLOEXEC);
	file = fd < 0 ? NULL : fdopen(fd, "re");
	if (file == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	count = read_pids(file, pids, max);
	(void)fclose(file);
	return count;
}
