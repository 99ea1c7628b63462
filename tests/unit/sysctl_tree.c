#include "tests/unit/sysctl_tree.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char tree[64];
struct tct_root root;
struct tct_sysctl_files *files;
struct tct_err err;

void set_up(void)
{
	(void)snprintf(tree, sizeof(tree), "/tmp/tct-sysctl-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tree));
	ck_assert_int_eq(tct_root_open(&root, tree, &err), 0);
	files = NULL;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

void tear_down(void)
{
	tct_sysctl_files_free(files);
	tct_root_done(&root);
	ck_assert_int_eq(nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The path in the tree, its folders made. */
const char *place(const char *path)
{
	static char full[512];

	(void)snprintf(full, sizeof(full), "%s/%s", tree, path);
	for (char *slash = full + strlen(tree) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		ck_assert(mkdir(full, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	return full;
}

void put_bytes(const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(place(path), "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

void put_link(const char *path, const char *target)
{
	ck_assert_int_eq(symlink(target, place(path)), 0);
}

void read_tree(void)
{
	tct_sysctl_files_free(files);
	files = NULL;
	ck_assert_msg(tct_sysctl_files_read(&root, &files, &err) == 0, "%s", err.message);
}

/* "file:line" of the winner, "-" if there is none. */
const char *winner_of(const char *key, enum tct_boot_model model, bool without_ours)
{
	static char text[256];
	const struct tct_file_line *line = tct_sysctl_files_winner(files, key, model, without_ours);

	if (line == NULL)
		return "-";
	(void)snprintf(text, sizeof(text), "%s:%u", line->file, line->line);
	return text;
}

bool has_fault(const char *file, unsigned line, unsigned affects, const char *word)
{
	for (size_t i = 0; i < files->faults_count; i++) {
		const struct tct_file_fault *fault = &files->faults[i];

		if (strcmp(fault->file, file) == 0 && fault->line == line &&
		    fault->affects == affects && strstr(fault->what, word) != NULL)
			return true;
	}
	return false;
}

/* The value that key has after boot, as text; "-" if no file decides it. Owned by the caller. */
char *value_after(const char *name, enum tct_boot_model model, const char *otherwise)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);
	TCT_AUTO(tct_value_done) struct tct_value before = { .kind = TCT_VALUE_NONE };
	TCT_AUTO(tct_value_done) struct tct_value value = { .kind = TCT_VALUE_NONE };
	int known;

	ck_assert_ptr_nonnull(key);
	if (otherwise != NULL)
		ck_assert_int_eq(tct_value_parse(key, otherwise, &before, &err), 0);
	known = tct_sysctl_files_value(files, key, model, false, otherwise == NULL ? NULL : &before,
				       &value);
	ck_assert_int_ge(known, 0);
	return known == 1 ? tct_value_text(&value) : strdup("-");
}

int run_cases(const char *name, TCase *cases)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_set_timeout(cases, 30);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
