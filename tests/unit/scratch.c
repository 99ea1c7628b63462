#include "tests/unit/scratch.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"

struct tct_root scratch_root;

static char folder[64];

void scratch_open(void)
{
	struct tct_err err = { 0 };

	(void)snprintf(folder, sizeof(folder), "/tmp/tct-scratch-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(tct_root_open(&scratch_root, folder, &err), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

void scratch_close(void)
{
	tct_root_done(&scratch_root);
	ck_assert_int_eq(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *scratch_path(const char *path)
{
	static char full[512];

	(void)snprintf(full, sizeof(full), "%s/%s", folder, path);
	for (char *slash = full + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		*slash = '\0';
		ck_assert(mkdir(full, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	return full;
}

void scratch_write_bytes(const char *path, const char *bytes, size_t length)
{
	int fd = open(scratch_path(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	ck_assert_int_eq(close(fd), 0);
}

void scratch_write(const char *path, const char *text)
{
	scratch_write_bytes(path, text, strlen(text));
}

char *scratch_read(const char *path)
{
	char *text = NULL;
	int result = tct_root_read(&scratch_root, path, (size_t)1 << 26, &text, NULL);

	ck_assert(result == 0 || result == -ENOENT);
	return text;
}

char *scratch_list(const char *path)
{
	struct tct_text names = { 0 };
	struct dirent **entries = NULL;
	int count = scandir(scratch_path(path), &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
			tct_text_addf(&names, "%s%s", names.length > 0 ? " " : "",
				      entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return tct_text_take(&names);
}
