/* Errors, memory, versions, and reading below a root. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/root.h"
#include "core/text.h"
#include "core/version.h"

START_TEST(an_error_tells_its_place)
{
	struct tct_err err;
	char out[1024];

	ck_assert_int_eq(tct_err_set(&err, TCT_FAULT_REFUSED, EACCES, "can't write %s", "x"),
			 -EACCES);
	ck_assert_int_eq(err.fault, TCT_FAULT_REFUSED);
	ck_assert_int_eq(err.code, EACCES);
	ck_assert_str_eq(tct_err_text(&err, out, sizeof(out)), "can't write x");
	ck_assert_int_eq(tct_err_at(&err, "a.yaml", 3, 7, "what's '%c'?", 'q'), -EINVAL);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	ck_assert_str_eq(tct_err_text(&err, out, sizeof(out)), "a.yaml:3:7: what's 'q'?");
	err.column = 0;
	ck_assert_str_eq(tct_err_text(&err, out, sizeof(out)), "a.yaml:3: what's 'q'?");
	err.line = 0;
	ck_assert_str_eq(tct_err_text(&err, out, sizeof(out)), "a.yaml: what's 'q'?");
	ck_assert_int_eq(tct_err_wrap(&err, "profile %d", 1), -EINVAL);
	ck_assert_str_eq(tct_err_text(&err, out, sizeof(out)), "a.yaml: profile 1: what's 'q'?");
	ck_assert_str_eq(tct_err_text(&err, out, 7), "a.yaml");
	ck_assert_int_eq(tct_err_nomem(&err), -ENOMEM);
	ck_assert_int_eq(err.fault, TCT_FAULT_REFUSED);
	ck_assert_int_eq(tct_err_at(&err, NULL, 0, 0, "no place"), -EINVAL);
	ck_assert_str_eq(tct_err_text(&err, out, sizeof(out)), "no place");
}
END_TEST

START_TEST(an_error_needs_nobody_to_listen)
{
	ck_assert_int_eq(tct_err_set(NULL, TCT_FAULT_INPUT, EPERM, "x"), -EPERM);
	ck_assert_int_eq(tct_err_at(NULL, "f", 1, 1, "x"), -EINVAL);
	ck_assert_int_eq(tct_err_wrap(NULL, "x"), -EINVAL);
	ck_assert_int_eq(tct_err_nomem(NULL), -ENOMEM);
}
END_TEST

/* What is quoted in a message may be anything: it stays one line of UTF-8 without controls. */
START_TEST(an_error_is_one_clean_line)
{
	static const struct {
		const char *quoted;
		const char *shown;
	} cases[] = {
		{ "a\nb\tc\x1b[31m\x7f", "a?b?c?[31m?" },
		{ "\xe6\x9c\x80", "\xe6\x9c\x80" },
		{ "\xc2\x9b"
		  "31m",
		  "??31m" },
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "\xff\xfe", "??" },
		{ "\xe6\x9c", "??" },
		{ "\xf0\x9f\x98\x80!", "\xf0\x9f\x98\x80!" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		struct tct_err err;

		(void)tct_err_at(&err, cases[i].quoted, 1, 1, "%s", cases[i].quoted);
		ck_assert_str_eq(err.message, cases[i].shown);
		ck_assert_str_eq(err.file, cases[i].shown);
		(void)tct_err_wrap(&err, "%s", cases[i].quoted);
		ck_assert_int_eq(strncmp(err.message, cases[i].shown, strlen(cases[i].shown)), 0);
	}
}
END_TEST

START_TEST(a_long_error_is_cut)
{
	struct tct_err err;
	char endless[2000];

	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	(void)tct_err_at(&err, endless, 1, 1, "%s", endless);
	ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
	ck_assert_str_eq(err.message + sizeof(err.message) - 4, "...");
	ck_assert_uint_eq(strlen(err.file), sizeof(err.file) - 1);
	(void)tct_err_wrap(&err, "%s", endless);
	ck_assert_uint_lt(strlen(err.message), sizeof(err.message));
	/* Cut in the middle of a character. */
	for (size_t i = 0; i + 2 < sizeof(endless); i += 2)
		memcpy(endless + i, "\xc3\xa4", 2);
	endless[0] = 'x';
	memmove(endless + 1, endless + 2, sizeof(endless) - 2);
	(void)tct_err_at(&err, endless, 1, 1, "%s", endless);
	ck_assert(tct_text_is_utf8(err.message, strlen(err.message)));
	ck_assert(tct_text_is_utf8(err.file, strlen(err.file)));
}
END_TEST

struct list {
	int *items;
	size_t items_count;
	size_t items_capacity;
};

START_TEST(an_array_grows_zeroed)
{
	struct list list = { 0 };
	void *unchanged = NULL;
	size_t capacity = SIZE_MAX / 2;

	for (int i = 0; i < 1000; i++) {
		int *item = TCT_APPEND(&list, items);

		ck_assert_ptr_nonnull(item);
		ck_assert_int_eq(*item, 0);
		*item = i;
	}
	ck_assert_uint_eq(list.items_count, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(list.items[i], i);
	free(list.items);
	ck_assert_int_eq(tct_grow(&unchanged, &capacity, capacity, 8), -ENOMEM);
	ck_assert_ptr_null(unchanged);
	ck_assert_uint_eq(capacity, SIZE_MAX / 2);
}
END_TEST

START_TEST(what_is_stolen_survives)
{
	char *kept;
	int kept_fd;

	{
		TCT_AUTOFREE char *text = tct_text_copy("kept", 4);
		TCT_AUTOCLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		ck_assert_int_ge(fd, 0);
		kept = TCT_STEAL(text);
		kept_fd = TCT_STEAL_FD(fd);
		ck_assert_ptr_null(text);
		ck_assert_int_eq(fd, -1);
	}
	ck_assert_str_eq(kept, "kept");
	ck_assert_int_eq(fcntl(kept_fd, F_GETFD), FD_CLOEXEC);
	free(kept);
	ck_assert_int_eq(close(kept_fd), 0);
	{
		TCT_AUTOCLOSE int fd = kept_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		ck_assert_int_ge(fd, 0);
	}
	ck_assert_int_eq(fcntl(kept_fd, F_GETFD), -1);
}
END_TEST

START_TEST(versions_compare)
{
	static const struct {
		const char *text;
		tct_version version;
		const char *shown;
	} cases[] = {
		{ "6.18.44-amd64", TCT_VERSION(6, 18) + 44, "6.18.44" },
		{ "4.18.0-553.el8_10.x86_64", TCT_VERSION(4, 18), "4.18" },
		{ "2.6.32", TCT_VERSION(2, 6) + 32, "2.6.32" },
		{ "5.4", TCT_VERSION(5, 4), "5.4" },
		{ "5.4-rc1", TCT_VERSION(5, 4), "5.4" },
		{ "6.1.", TCT_VERSION(6, 1), "6.1" },
		{ "6", 0, "0.0" },
		{ "6.", 0, "0.0" },
		{ "", 0, "0.0" },
		{ "v6.1", 0, "0.0" },
		{ "-6.1", 0, "0.0" },
		{ "6.99999", 0, "0.0" },
		{ "99999999999999999999.1", 0, "0.0" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char out[32];

		ck_assert_int_eq(tct_version_parse(cases[i].text), cases[i].version);
		ck_assert_str_eq(tct_version_text(cases[i].version, out), cases[i].shown);
	}
	ck_assert_int_lt(TCT_VERSION(4, 9), TCT_VERSION(4, 12));
	ck_assert_int_lt(TCT_VERSION(4, 12), TCT_VERSION(4, 12) + 1);
	ck_assert_int_lt(TCT_VERSION(4, 12) + 65535, TCT_VERSION(4, 13));
}
END_TEST

/* A tree of the test's own, and beside it something that must never be seen through it. */
static char top[] = "/tmp/tct-core-XXXXXX";
static char tree[64];

static void put_file(const char *path, const char *text, size_t length)
{
	char full[256];

	ck_assert_int_lt(snprintf(full, sizeof(full), "%s/%s", top, path), (int)sizeof(full));

	FILE *file = fopen(full, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

static void make_tree(void)
{
	char path[256];

	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_lt(snprintf(tree, sizeof(tree), "%s/root", top), (int)sizeof(tree));
	ck_assert_int_eq(mkdir(tree, 0755), 0);
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/etc", tree), (int)sizeof(path));
	ck_assert_int_eq(mkdir(path, 0755), 0);
	put_file("secret", "outside", 7);
	put_file("root/secret", "inside", 6);
	put_file("root/etc/a", "one\0two", 7);
	put_file("root/etc/empty", "", 0);
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/etc/up", tree), (int)sizeof(path));
	ck_assert_int_eq(symlink("../../../../secret", path), 0);
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/etc/absolute", tree), (int)sizeof(path));
	ck_assert_int_eq(symlink("/secret", path), 0);
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/etc/loop", tree), (int)sizeof(path));
	ck_assert_int_eq(symlink("loop", path), 0);
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/etc/dangling", tree), (int)sizeof(path));
	ck_assert_int_eq(symlink("nowhere", path), 0);
}

static void remove_tree(void)
{
	static const char *const files[] = { "root/etc/fifo",     "root/etc/up",
					     "root/etc/absolute", "root/etc/loop",
					     "root/etc/dangling", "root/etc/a",
					     "root/etc/empty",    "root/etc/big",
					     "root/secret",       "secret" };
	char path[256];

	for (size_t i = 0; i < TCT_COUNT(files); i++) {
		ck_assert_int_lt(snprintf(path, sizeof(path), "%s/%s", top, files[i]),
				 (int)sizeof(path));
		(void)unlink(path);
	}
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/etc", tree), (int)sizeof(path));
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(tree), 0);
	ck_assert_int_eq(rmdir(top), 0);
}

static void check_read(const struct tct_root *root, const char *path, const char *text, size_t size)
{
	TCT_AUTOFREE char *data = NULL;
	size_t length = 99;

	ck_assert_int_eq(tct_root_read(root, path, 1 << 20, &data, &length), 0);
	ck_assert_uint_eq(length, size);
	ck_assert_mem_eq(data, text, size);
	ck_assert_int_eq(data[length], '\0');
}

START_TEST(links_stay_inside_a_root)
{
	TCT_AUTO(tct_root_done) struct tct_root root = { .fd = -1 };
	char *data = NULL;

	ck_assert_int_eq(tct_root_open(&root, tree, NULL), 0);
	ck_assert(!root.live);
	check_read(&root, "etc/a", "one\0two", 7);
	check_read(&root, "/etc/a", "one\0two", 7);
	check_read(&root, "//etc//a", "one\0two", 7);
	check_read(&root, "etc/empty", "", 0);
	check_read(&root, "etc/up", "inside", 6);
	check_read(&root, "etc/absolute", "inside", 6);
	check_read(&root, "../secret", "inside", 6);
	ck_assert_int_eq(tct_root_read(&root, "etc/loop", 100, &data, NULL), -ELOOP);
	ck_assert_int_eq(tct_root_read(&root, "etc/dangling", 100, &data, NULL), -ENOENT);
	ck_assert_int_eq(tct_root_read(&root, "etc/none", 100, &data, NULL), -ENOENT);
	ck_assert_int_eq(tct_root_read(&root, "etc", 100, &data, NULL), -EISDIR);
	ck_assert_int_eq(tct_root_read(&root, "etc/a", 6, &data, NULL), -EFBIG);
	ck_assert_int_eq(tct_root_read(&root, "etc/a/b", 6, &data, NULL), -ENOTDIR);
	ck_assert_ptr_null(data);
	ck_assert(tct_root_exists(&root, "etc"));
	ck_assert(tct_root_exists(&root, ""));
	ck_assert(tct_root_exists(&root, "etc/up"));
	ck_assert(!tct_root_exists(&root, "etc/dangling"));
}
END_TEST

/* Sizes around each point where the buffer grows. */
START_TEST(large_files_are_read_whole)
{
	static const size_t sizes[] = { 16382, 16383,  16384,  65534,  65535,
					65536, 100000, 262143, 262144, 1000000 };
	TCT_AUTO(tct_root_done) struct tct_root root = { .fd = -1 };
	TCT_AUTOFREE char *text = malloc(1000000);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < 1000000; i++)
		text[i] = (char)('a' + i % 23);
	ck_assert_int_eq(tct_root_open(&root, tree, NULL), 0);
	for (size_t i = 0; i < TCT_COUNT(sizes); i++) {
		char *data = NULL;

		put_file("root/etc/big", text, sizes[i]);
		check_read(&root, "etc/big", text, sizes[i]);
		ck_assert_int_eq(tct_root_read(&root, "etc/big", sizes[i] - 1, &data, NULL),
				 -EFBIG);
	}
}
END_TEST

/* Not even if somebody writes to it: in a tree a FIFO or a device is no source. */
START_TEST(a_root_gives_regular_files_only)
{
	TCT_AUTO(tct_root_done) struct tct_root root = { .fd = -1 };
	TCT_AUTOCLOSE int writer = -1;
	char *data = NULL;
	char path[256];

	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/etc/fifo", tree), (int)sizeof(path));
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	writer = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	ck_assert_int_ge(writer, 0);
	ck_assert_int_eq(tct_root_open(&root, tree, NULL), 0);
	ck_assert_int_eq(tct_root_read(&root, "etc/fifo", 100, &data, NULL), -EINVAL);
	ck_assert_ptr_null(data);
}
END_TEST

/* As `<(...)` and /dev/stdin are: more than the pipe holds, and the writer is late. */
START_TEST(a_pipe_is_read_to_its_end)
{
	TCT_AUTO(tct_root_done) struct tct_root root = { .fd = -1 };
	TCT_AUTOFREE char *data = NULL;
	size_t length = 0;
	char path[64];
	int ends[2];
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		(void)close(ends[0]);
		for (int i = 0; i < 200; i++) {
			if (usleep(i % 50 == 0 ? 20000 : 0) < 0 ||
			    dprintf(ends[1], "%01000d", i) != 1000)
				_exit(1);
		}
		_exit(0);
	}
	(void)close(ends[1]);
	ck_assert_int_eq(tct_root_open(&root, NULL, NULL), 0);
	ck_assert_int_lt(snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]),
			 (int)sizeof(path));
	ck_assert_int_eq(tct_root_read(&root, path, 1 << 20, &data, &length), 0);
	ck_assert_uint_eq(length, 200000);
	ck_assert_mem_eq(data + length - 4, "0199", 4);
	(void)close(ends[0]);

	int status = 0;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_root_must_be_a_directory)
{
	struct tct_root root;
	struct tct_err err;
	char endless[300];
	char path[256];

	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/secret", top), (int)sizeof(path));
	ck_assert_int_eq(tct_root_open(&root, path, &err), -ENOTDIR);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	ck_assert_ptr_nonnull(strstr(err.message, path));
	tct_root_done(&root);
	ck_assert_int_eq(tct_root_open(&root, "/nonexistent/tct", &err), -ENOENT);
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	ck_assert_int_eq(tct_root_open(&root, endless, &err), -ENAMETOOLONG);
	ck_assert_int_eq(root.fd, -1);
	ck_assert_int_eq(tct_root_open(&root, NULL, &err), 0);
	ck_assert(root.live);
	ck_assert_str_eq(root.path, "/");
	ck_assert(tct_root_exists(&root, "proc/self"));
	tct_root_done(&root);
	ck_assert_int_eq(root.fd, -1);
	tct_root_done(&root);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core");
	TCase *plain = tcase_create("plain");
	TCase *rooted = tcase_create("rooted");
	SRunner *runner;
	int failed;

	tcase_add_test(plain, an_error_tells_its_place);
	tcase_add_test(plain, an_error_needs_nobody_to_listen);
	tcase_add_test(plain, an_error_is_one_clean_line);
	tcase_add_test(plain, a_long_error_is_cut);
	tcase_add_test(plain, an_array_grows_zeroed);
	tcase_add_test(plain, what_is_stolen_survives);
	tcase_add_test(plain, versions_compare);
	suite_add_tcase(suite, plain);
	tcase_add_unchecked_fixture(rooted, make_tree, remove_tree);
	tcase_add_test(rooted, links_stay_inside_a_root);
	tcase_add_test(rooted, large_files_are_read_whole);
	tcase_add_test(rooted, a_root_gives_regular_files_only);
	tcase_add_test(rooted, a_pipe_is_read_to_its_end);
	tcase_add_test(rooted, a_root_must_be_a_directory);
	suite_add_tcase(suite, rooted);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
