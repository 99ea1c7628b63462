/* Which files count: directories, precedence, masks and the merge order. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "audit/observe/sysctl_files_private.h"
#include "core/mem.h"
#include "core/text.h"

/* Highest priority first. */
static const char *const dirs[] = {
	TCT_DROP_IN_DIR,     "/run/sysctl.d", "/usr/local/lib/sysctl.d",
	"/usr/lib/sysctl.d", "/lib/sysctl.d",
};

/* Where systemd's service manager looks for the credential that systemd-sysctl reads last. */
static const char *const credential_files[] = {
	"/run/credentials/@system/sysctl.extra", "/etc/credstore/sysctl.extra",
	"/run/credstore/sysctl.extra",           "/usr/local/lib/credstore/sysctl.extra",
	"/usr/lib/credstore/sysctl.extra",
};

struct found {
	char *name; /* owned */
	size_t dir; /* index in dirs */
};

/* A file that was read: two names of one file are told by its number. */
struct loaded {
	dev_t device;
	ino_t inode;
	bool is_link;
	size_t first; /* its lines */
	size_t limit;
};

struct scan {
	const struct tct_root *root;
	struct tct_sysctl_files *files;
	struct tct_err *err;
	size_t bytes; /* read so far */
	struct loaded *loaded;
	size_t loaded_count;
	size_t loaded_capacity;
	struct found *found;
	size_t found_count;
	size_t found_capacity;
};

static void scan_done(struct scan *scan)
{
	for (size_t i = 0; i < scan->found_count; i++)
		free(scan->found[i].name);
	free(scan->found);
	free(scan->loaded);
}

static void closedir_auto(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

/* Remember a path for as long as the files live; NULL on ENOMEM. */
static const char *keep_path(struct scan *scan, const char *dir, const char *name)
{
	char **kept = TCT_APPEND(scan->files, paths);

	if (kept == NULL || asprintf(kept, "%s%s%s", dir, name[0] == '\0' ? "" : "/", name) < 0) {
		if (kept != NULL)
			*kept = NULL;
		return NULL;
	}
	return *kept;
}

/* A link's target, "" if it is none (or can't be read). */
static void read_link(const struct tct_root *root, const char *path, char target[PATH_MAX])
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, path, O_PATH | O_NOFOLLOW, 0);
	ssize_t length = fd < 0 ? -1 : readlinkat(fd, "", target, PATH_MAX - 1);

	target[length < 0 ? 0 : length] = '\0';
}

/* An image may lack the device, or have an ordinary file in its place. */
static bool is_null_device(const char *target)
{
	bool up = false;

	while (strncmp(target, "../", 3) == 0) {
		target += 3;
		up = true;
	}
	return strcmp(target, up ? "dev/null" : "/dev/null") == 0;
}

/* What is there instead of a regular file, and whom it disturbs. */
static int note_other_type(struct scan *scan, const char *file, const struct stat *status,
			   unsigned models)
{
	if (S_ISDIR(status->st_mode))
		return tct_sysctl_fault(scan->files, file, 0, models & TCT_MASK_SYSTEMD, scan->err,
					"a directory: systemd-sysctl reports an error");
	if (S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3))
		return 0; /* a mask */
	return tct_sysctl_fault(scan->files, file, 0, models, scan->err,
				S_ISFIFO(status->st_mode)
					? "a FIFO: whoever opens it waits at boot"
					: "neither a file nor a link to one: not read");
}

/* What can't be read. Nobody gets through a loop of links; the rest may be read at boot. */
static int note_unread(struct scan *scan, const char *file, unsigned models, int code)
{
	struct tct_sysctl_files *files = scan->files;
	size_t before = files->faults_count;
	int result = tct_sysctl_fault(files, file, 0, models, scan->err, "%s", strerror(code));

	if (result == 0 && files->faults_count > before)
		files->faults[before].unread = code != ELOOP;
	return result;
}

/* Read and parse what `reading` names. A file that can't be read is a fault, no error. */
static int load(struct scan *scan, const struct tct_reading *reading)
{
	char target[PATH_MAX];
	TCT_AUTOCLOSE int fd = -1;
	TCT_AUTOFREE char *data = NULL;
	size_t length = 0;
	struct stat status;
	int result;

	read_link(scan->root, reading->file, target);
	if (is_null_device(target))
		return 0;
	/* Looked at before it is opened: opening a device or FIFO may do something. */
	fd = tct_root_openat(scan->root, reading->file, O_PATH, 0);
	if (fd == -ENOENT && target[0] != '\0')
		return tct_sysctl_fault(scan->files, reading->file, 0,
					reading->with_ours & TCT_MASK_PROCPS, scan->err,
					"a link to %s, which isn't there: procps reports an error",
					target);
	if (fd == -ENOENT)
		return 0; /* gone meanwhile */
	if (fd < 0)
		return note_unread(scan, reading->file, reading->with_ours, -fd);
	if (fstat(fd, &status) < 0)
		return note_unread(scan, reading->file, reading->with_ours, errno);
	if (!S_ISREG(status.st_mode))
		return note_other_type(scan, reading->file, &status, reading->with_ours);
	result = tct_root_read(scan->root, reading->file, TCT_FILES_BYTES_MAX - scan->bytes, &data,
			       &length);
	if (result == -EFBIG)
		return tct_err_set(scan->err, TCT_FAULT_INPUT, EFBIG,
				   "%s: the sysctl files are larger than %d MiB in sum",
				   reading->file, TCT_FILES_BYTES_MAX >> 20);
	if (result == -ENOMEM)
		return tct_err_nomem(scan->err);
	if (result < 0)
		return note_unread(scan, reading->file, reading->with_ours, -result);
	scan->bytes += length;

	struct loaded *loaded = TCT_APPEND(scan, loaded);

	if (loaded == NULL)
		return tct_err_nomem(scan->err);
	loaded->device = status.st_dev;
	loaded->inode = status.st_ino;
	loaded->is_link = target[0] != '\0';
	loaded->first = scan->files->lines_count;
	result = tct_sysctl_parse(scan->files, reading, data, length, scan->err);
	loaded->limit = scan->files->lines_count;
	return result;
}

/* Lines stand in the order of their numbers in both. */
static void pair_lines(struct tct_sysctl_files *files, const struct loaded *alias,
		       const struct loaded *own)
{
	size_t at = own->first;

	for (size_t i = alias->first; i < alias->limit; i++) {
		struct tct_file_line *line = &files->lines[i];

		while (at < own->limit && files->lines[at].line < line->line)
			at++;
		for (size_t j = at; j < own->limit && files->lines[j].line == line->line; j++) {
			if (strcmp(files->lines[j].key, line->key) == 0 && line->twin == 0)
				line->twin = j + 1;
		}
	}
}

static void pair_files(struct scan *scan)
{
	for (size_t i = 0; i < scan->loaded_count; i++) {
		for (size_t j = i + 1; j < scan->loaded_count; j++) {
			const struct loaded *a = &scan->loaded[i];
			const struct loaded *b = &scan->loaded[j];

			if (a->device != b->device || a->inode != b->inode)
				continue;
			if (a->is_link)
				pair_lines(scan->files, a, b);
			else if (b->is_link)
				pair_lines(scan->files, b, a);
		}
	}
}

static int remember(struct scan *scan, const char *name, size_t dir)
{
	struct found *found;

	if (scan->found_count >= TCT_FILES_NAMES_MAX)
		return tct_err_set(scan->err, TCT_FAULT_INPUT, EFBIG,
				   "%s: more than %d files in the sysctl.d directories", dirs[dir],
				   TCT_FILES_NAMES_MAX);
	found = TCT_APPEND(scan, found);
	if (found == NULL)
		return tct_err_nomem(scan->err);
	found->dir = dir;
	found->name = tct_text_copy(name, strlen(name));
	return found->name == NULL ? tct_err_nomem(scan->err) : 0;
}

static bool is_conf(const char *name)
{
	size_t length = strlen(name);

	return length >= 5 && strcmp(name + length - 5, ".conf") == 0;
}

static int list_dir(struct scan *scan, size_t which, DIR *dir)
{
	for (;;) {
		const struct dirent *entry;
		int result;

		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			break;
		if (!is_conf(entry->d_name))
			continue;
		result = remember(scan, entry->d_name, which);
		if (result < 0)
			return result;
	}
	if (errno == 0)
		return 0;

	int code = errno;
	const char *path = keep_path(scan, dirs[which], "");

	return path == NULL ? tct_err_nomem(scan->err)
			    : note_unread(scan, path, TCT_MASK_BOTH, code);
}

/* List one directory; ids[] holds those listed so far: /lib may be a link to usr/lib. */
static int scan_dir(struct scan *scan, size_t which, struct stat ids[])
{
	TCT_AUTO(closedir_auto) DIR *dir = NULL;
	TCT_AUTOCLOSE int fd =
		tct_root_openat(scan->root, dirs[which], O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);

	ids[which] = (struct stat){ 0 };
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0) {
		const char *path = keep_path(scan, dirs[which], "");

		return path == NULL ? tct_err_nomem(scan->err)
				    : note_unread(scan, path, TCT_MASK_BOTH, -fd);
	}
	if (fstat(fd, &ids[which]) < 0)
		return tct_err_set(scan->err, TCT_FAULT_REFUSED, errno, "%s: %s", dirs[which],
				   strerror(errno));
	for (size_t i = 0; i < which; i++) {
		if (ids[i].st_ino == ids[which].st_ino && ids[i].st_dev == ids[which].st_dev)
			return 0;
	}
	dir = fdopendir(fd);
	if (dir == NULL)
		return tct_err_nomem(scan->err);
	(void)TCT_STEAL_FD(fd); /* now the stream's */
	return list_dir(scan, which, dir);
}

static int by_name(const void *left, const void *right)
{
	const struct found *a = left;
	const struct found *b = right;
	int order = strcmp(a->name, b->name);

	return order != 0 ? order : (a->dir > b->dir) - (a->dir < b->dir);
}

static int load_found(struct scan *scan, const struct found *found, unsigned with_ours,
		      unsigned without_ours)
{
	/* Only procps reads hidden files. */
	unsigned models = found->name[0] == '.' ? TCT_MASK_PROCPS : TCT_MASK_BOTH;
	struct tct_reading reading = {
		.file = keep_path(scan, dirs[found->dir], found->name),
		.with_ours = with_ours & models,
		.without_ours = without_ours & models,
	};

	if (reading.file == NULL)
		return tct_err_nomem(scan->err);
	if (strpbrk(found->name, "*?[{\\") != NULL) {
		int result = tct_sysctl_fault(scan->files, reading.file, 0,
					      with_ours & TCT_MASK_PROCPS, scan->err,
					      "procps takes the name for a pattern of names, "
					      "and may read other files instead");

		if (result < 0)
			return result;
	}
	return load(scan, &reading);
}

/* Load the file that counts of each name, in byte order of the names. */
static int load_all(struct scan *scan)
{
	if (scan->found_count > 0)
		qsort(scan->found, scan->found_count, sizeof(*scan->found), by_name);
	for (size_t i = 0; i < scan->found_count;) {
		const struct found *first = &scan->found[i];
		size_t next = i + 1;
		bool ours = first->dir == 0 && strcmp(first->name, TCT_DROP_IN_NAME) == 0;
		int result = load_found(scan, first, TCT_MASK_BOTH, ours ? 0 : TCT_MASK_BOTH);

		/* Without our drop-in, a file that it hides would count. */
		if (result == 0 && ours && next < scan->found_count &&
		    strcmp(scan->found[next].name, first->name) == 0)
			result = load_found(scan, &scan->found[next], 0, TCT_MASK_BOTH);
		if (result < 0)
			return result;
		while (next < scan->found_count && strcmp(scan->found[next].name, first->name) == 0)
			next++;
		i = next;
	}
	return 0;
}

/* procps reads /etc/sysctl.conf last, if it is a regular file (or a link to one). */
static int load_sysctl_conf(struct scan *scan)
{
	static const char path[] = "/etc/sysctl.conf";
	TCT_AUTOCLOSE int fd = tct_root_openat(scan->root, path, O_PATH, 0);
	struct stat status;
	struct tct_reading reading = {
		.with_ours = TCT_MASK_PROCPS,
		.without_ours = TCT_MASK_PROCPS,
	};

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	reading.file = keep_path(scan, path, "");
	return reading.file == NULL ? tct_err_nomem(scan->err) : load(scan, &reading);
}

/* systemd's last file; of several stores the first that has it. */
static int load_credential(struct scan *scan)
{
	for (size_t i = 0; i < TCT_COUNT(credential_files); i++) {
		struct tct_reading reading = {
			.with_ours = TCT_MASK_SYSTEMD,
			.without_ours = TCT_MASK_SYSTEMD,
		};

		if (!tct_root_exists(scan->root, credential_files[i]))
			continue;
		reading.file = keep_path(scan, credential_files[i], "");
		return reading.file == NULL ? tct_err_nomem(scan->err) : load(scan, &reading);
	}
	return 0;
}

int tct_sysctl_scan(const struct tct_root *root, struct tct_sysctl_files *files,
		    struct tct_err *err)
{
	TCT_AUTO(scan_done) struct scan scan = { .root = root, .files = files, .err = err };
	struct stat ids[TCT_COUNT(dirs)];
	int result;

	for (size_t i = 0; i < TCT_COUNT(dirs); i++) {
		result = scan_dir(&scan, i, ids);
		if (result < 0)
			return result;
	}
	result = load_all(&scan);
	if (result == 0)
		result = load_sysctl_conf(&scan);
	if (result == 0)
		result = load_credential(&scan);
	if (result == 0)
		pair_files(&scan);
	return result;
}
