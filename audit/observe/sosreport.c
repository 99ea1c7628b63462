#include "audit/observe/sosreport.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

static const char commands[] = "sos_commands";

bool tct_sos_is(const struct tct_root *root)
{
	TCT_AUTOCLOSE int fd =
		root->live ? -1 : tct_root_openat(root, commands, O_PATH | O_DIRECTORY, 0);

	return fd >= 0;
}

static void close_folder(DIR **folder)
{
	if (*folder != NULL)
		(void)closedir(*folder);
}

/* Is it a directory with sos_commands in it? Takes no link. */
static bool is_report(const struct tct_root *root, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", name, commands);
	TCT_AUTOCLOSE int fd = tct_root_openat(root, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	TCT_AUTOCLOSE int inner =
		fd >= 0 ? tct_root_openat(root, path, O_PATH | O_DIRECTORY, 0) : -1;

	return inner >= 0;
}

/* The directory below the root that is a sosreport, and how many there are. -errno if it can't be
 * read. */
static int find_report(const struct tct_root *root, char found[256], unsigned *count)
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, ".", O_RDONLY | O_DIRECTORY, 0);
	TCT_AUTO(close_folder) DIR *folder = NULL;

	*count = 0;
	if (fd < 0)
		return fd;
	folder = fdopendir(fd);
	if (folder == NULL)
		return -errno;
	fd = -1; /* the folder's now */
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.' || !is_report(root, entry->d_name))
			continue;
		(void)snprintf(found, 256, "%s", entry->d_name);
		++*count;
	}
	return 0;
}

int tct_sos_enter(struct tct_root *root, struct tct_err *err)
{
	static const char *const image[] = { commands, "etc", "proc", "usr" };
	char name[256] = "";
	unsigned count = 0;

	if (root->live)
		return 0;
	for (size_t i = 0; i < TCT_COUNT(image); i++) {
		if (tct_root_exists(root, image[i]))
			return 0;
	}
	if (find_report(root, name, &count) < 0 || count == 0)
		return 0;
	if (count > 1)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "%s holds %u sosreports: give the directory of one", root->path,
				   count);

	int fd = tct_root_openat(root, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	size_t length = strlen(root->path);

	if (fd < 0)
		return tct_err_set(err, TCT_FAULT_INPUT, -fd, "%s/%s: %s", root->path, name,
				   strerror(-fd));
	(void)snprintf(root->path + length, sizeof(root->path) - length, "/%s", name);
	(void)close(root->fd);
	root->fd = fd;
	return 0;
}
