/* The drop-in: its text, its values, and its replacement that leaves the old or the new file, never
 * another. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/unit/scratch.h"
#include "tune/drop_in.h"

#define FOLDER "etc/sysctl.d"
#define FILE_NAME FOLDER "/99-tcptune.conf"

static struct tct_err err;
static struct tct_value somaxconn = { .kind = TCT_VALUE_NUMBERS, .count = 1, .numbers = { 16384 } };
static struct tct_value rmem = { .kind = TCT_VALUE_NUMBERS,
				 .count = 3,
				 .numbers = { 4096, 131072, 33554432 } };

static void two_lines(struct tct_drop_in_line lines[2])
{
	lines[0] = (struct tct_drop_in_line){
		.key = tct_kernel_key_find("net.core.somaxconn"),
		.value = &somaxconn,
		.because = "the cap on\nevery \x1b[31mlisten()",
	};
	lines[1] = (struct tct_drop_in_line){
		.key = tct_kernel_key_find("net.ipv4.tcp_rmem"),
		.value = &rmem,
	};
}

START_TEST(text)
{
	static const char expected[] =
		"# Written by tcptune. Don't edit: `tcptune apply` writes it anew,\n"
		"# `tcptune rollback` takes it back.\n"
		"# Profile: base,highconn\n"
		"# Reason: full queue kernel.core_pattern = |/bin/sh\n"
		"# Transaction: 7\n"
		"\n"
		"# the cap on every ?[31mlisten()\n"
		"net.core.somaxconn = 16384\n"
		"\n"
		"net.ipv4.tcp_rmem = 4096 131072 33554432\n";
	const struct tct_drop_in_head head = {
		.profiles = "base,highconn",
		.reason = "full queue\nkernel.core_pattern = |/bin/sh",
		.transaction = 7,
	};
	struct tct_drop_in_line lines[2];
	TCT_AUTOFREE char *rendered = NULL;
	TCT_AUTO(tct_drop_in_done) struct tct_drop_in parsed = { 0 };

	two_lines(lines);
	rendered = tct_drop_in_render(&head, lines, 2);
	ck_assert_str_eq(rendered, expected);
	ck_assert_int_eq(tct_drop_in_parse(rendered, &parsed), 0);
	ck_assert_uint_eq(parsed.values_count, 2);
	ck_assert_uint_eq(parsed.strange_line, 0);
	ck_assert_uint_eq(parsed.values[1].line, 10);
	ck_assert(tct_drop_in_equals(&parsed, lines, 2));
	ck_assert(!tct_drop_in_equals(&parsed, lines, 1));
	somaxconn.numbers[0]++;
	ck_assert(!tct_drop_in_equals(&parsed, lines, 2));
	somaxconn.numbers[0]--;
}
END_TEST

static const struct {
	const char *text;
	unsigned strange_line;
	size_t values;
} parsed_cases[] = {
	{ "", 0, 0 },
	{ "# only words\n\n   \n", 0, 0 },
	{ "net.core.somaxconn=16384", 0, 1 },
	{ "\tnet/core/somaxconn\t=  16384 \r\n", 0, 1 },
	{ "net.core.somaxconn = 16384 # note\n", 1, 0 },
	{ "-net.core.somaxconn = 16384\n", 1, 0 },
	{ "; semicolon\n", 1, 0 },
	{ "#\nnet.core.somaxconn\n", 2, 0 },
	{ "kernel.core_pattern = |/bin/sh\n", 1, 0 },
	{ "net.core.somaxconn = 1\nnet.core.somaxconn = 1\n", 2, 1 },
	{ "net.ipv4.tcp_rmem = 1 2\n", 1, 0 },
	{ "net.ipv4.conf.*.rp_filter = 1\n", 1, 0 },
	{ "=\n", 1, 0 },
};

START_TEST(parsing)
{
	TCT_AUTO(tct_drop_in_done) struct tct_drop_in parsed = { 0 };

	ck_assert_int_eq(tct_drop_in_parse(parsed_cases[_i].text, &parsed), 0);
	ck_assert_uint_eq(parsed.strange_line, parsed_cases[_i].strange_line);
	ck_assert_uint_eq(parsed.values_count, parsed_cases[_i].values);
}
END_TEST

static const struct {
	const char *text;
	const char *clean;
} sanitised_cases[] = {
	{ "plain", "plain" },
	{ "  two\t\n words  ", "two words" },
	{ "\x1b]0;title\x07", "?]0;title?" },
	{ "\xe2\x80\x94 dash", "\xe2\x80\x94 dash" },
	{ "bad \xff\xc3 bytes", "bad ?? bytes" },
	{ "c1 \xc2\x9b control", "c1 ? control" },
	{ "0123456789012345678901234567890123456789", "0123456789012345678901234567890" },
	{ "012345678901234567890123456789\xe2\x80\x94", "012345678901234567890123456789" },
	{ "", "" },
};

START_TEST(sanitising)
{
	char clean[32];

	tct_drop_in_sanitise(sanitised_cases[_i].text, clean, sizeof(clean));
	ck_assert_str_eq(clean, sanitised_cases[_i].clean);
}
END_TEST

static void ck_content(const char *expected)
{
	TCT_AUTOFREE char *content = scratch_read(FILE_NAME);
	TCT_AUTOFREE char *names = scratch_list(FOLDER);

	if (expected == NULL) {
		ck_assert_ptr_null(content);
		ck_assert_str_eq(names, "");
	} else {
		ck_assert_str_eq(content, expected);
		ck_assert_str_eq(names, "99-tcptune.conf");
	}
}

static void replace(const char *content, struct tct_own_file_change *change)
{
	ck_assert_msg(
		tct_own_file_replace(&scratch_root, &tct_own_drop_in, content, change, &err) == 0,
		"%s", err.message);
}

START_TEST(made_replaced_removed)
{
	struct tct_own_file_change change;
	struct stat status;
	mode_t mask = umask(077);

	ck_assert_int_eq(mkdir(scratch_path("etc"), 0755), 0);
	replace("a = 1\n", &change);
	tct_own_file_finish(&change);
	(void)umask(mask);
	ck_content("a = 1\n");
	ck_assert_int_eq(stat(scratch_path(FILE_NAME), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0644);
	ck_assert_int_eq(stat(scratch_path(FOLDER), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0755);
	replace("a = 2\n", &change);
	tct_own_file_finish(&change);
	ck_content("a = 2\n");
	replace(NULL, &change);
	tct_own_file_finish(&change);
	ck_content(NULL);
	/* Nothing there to remove. */
	replace(NULL, &change);
	tct_own_file_finish(&change);
	ck_content(NULL);
}
END_TEST

START_TEST(taken_back)
{
	struct tct_own_file_change change;

	replace("a = 1\n", &change);
	ck_assert_int_eq(tct_own_file_undo(&change), 0);
	ck_content(NULL);
	scratch_write(FILE_NAME, "old\n");
	replace("a = 1\n", &change);
	ck_assert_int_eq(tct_own_file_undo(&change), 0);
	ck_content("old\n");
	replace(NULL, &change);
	ck_assert_int_eq(tct_own_file_undo(&change), 0);
	ck_content("old\n");
	/* Not begun. */
	change = (struct tct_own_file_change){ .folder = -1 };
	ck_assert_int_eq(tct_own_file_undo(&change), 0);
	ck_content("old\n");
}
END_TEST

START_TEST(owner_mode_and_attributes_stay)
{
	struct tct_own_file_change change;
	struct stat status;
	bool root = geteuid() == 0;
	bool attribute;
	char value[16] = "";

	scratch_write(FILE_NAME, "old\n");
	if (root)
		ck_assert_int_eq(chown(scratch_path(FILE_NAME), 12, 34), 0);
	ck_assert_int_eq(chmod(scratch_path(FILE_NAME), 0640), 0);
	attribute =
		root && setxattr(scratch_path(FILE_NAME), "security.tcptune", "label", 5, 0) == 0;
	replace("new\n", &change);
	tct_own_file_finish(&change);
	ck_content("new\n");
	ck_assert_int_eq(stat(scratch_path(FILE_NAME), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0640);
	if (root) {
		ck_assert_uint_eq(status.st_uid, 12);
		ck_assert_uint_eq(status.st_gid, 34);
	}
	if (attribute) {
		ck_assert_int_eq(getxattr(scratch_path(FILE_NAME), "security.tcptune", value, 15),
				 5);
		ck_assert_str_eq(value, "label");
	}
}
END_TEST

START_TEST(links_and_strange_files_are_refused)
{
	struct tct_own_file_change change;
	TCT_AUTOFREE char *kept = NULL;
	char *content = NULL;

	scratch_write("etc/other", "mine\n");
	ck_assert_int_eq(mkdir(scratch_path(FOLDER), 0755), 0);
	ck_assert_int_eq(symlink("../other", scratch_path(FILE_NAME)), 0);
	ck_assert_int_lt(tct_drop_in_read(&scratch_root, &content, &err), 0);
	ck_assert_int_eq(err.fault, TCT_FAULT_REFUSED);
	ck_assert_int_lt(
		tct_own_file_replace(&scratch_root, &tct_own_drop_in, "x\n", &change, &err), 0);
	ck_assert_int_eq(tct_own_file_undo(&change), 0);
	kept = scratch_read("etc/other");
	ck_assert_str_eq(kept, "mine\n");
	ck_assert_int_eq(unlink(scratch_path(FILE_NAME)), 0);
	ck_assert_int_eq(mkfifo(scratch_path(FILE_NAME), 0644), 0);
	ck_assert_int_lt(tct_drop_in_read(&scratch_root, &content, &err), 0);
	ck_assert_int_lt(
		tct_own_file_replace(&scratch_root, &tct_own_drop_in, "x\n", &change, &err), 0);
	ck_assert_int_eq(tct_own_file_undo(&change), 0);
	ck_assert_int_eq(unlink(scratch_path(FILE_NAME)), 0);
	scratch_write_bytes(FILE_NAME, "a\0b\n", 4);
	ck_assert_int_lt(tct_drop_in_read(&scratch_root, &content, &err), 0);
	ck_assert_ptr_null(content);
}
END_TEST

START_TEST(a_planted_temporary_file_is_not_followed)
{
	struct tct_own_file_change change;
	TCT_AUTOFREE char *kept = NULL;

	scratch_write("etc/other", "mine\n");
	ck_assert_int_eq(mkdir(scratch_path(FOLDER), 0755), 0);
	ck_assert_int_eq(symlink("../other", scratch_path(FOLDER "/.99-tcptune.conf.new")), 0);
	ck_assert_int_eq(symlink("../other", scratch_path(FOLDER "/.99-tcptune.conf.old")), 0);
	replace("a = 1\n", &change);
	tct_own_file_finish(&change);
	ck_assert_int_eq(tct_own_file_sweep(&scratch_root, &tct_own_drop_in, &err), 0);
	ck_content("a = 1\n");
	kept = scratch_read("etc/other");
	ck_assert_str_eq(kept, "mine\n");
}
END_TEST

/* What a crash between any two steps leaves, and what recovery makes of it. */
START_TEST(after_a_crash)
{
	char before[65];

	tct_drop_in_sha256("old\n", before);
	/* Before the rename: both names are the old file. */
	scratch_write(FILE_NAME, "old\n");
	scratch_write(FOLDER "/.99-tcptune.conf.new", "ne");
	{
		char from[512];

		(void)snprintf(from, sizeof(from), "%s", scratch_path(FILE_NAME));
		ck_assert_int_eq(link(from, scratch_path(FOLDER "/.99-tcptune.conf.old")), 0);
	}
	ck_assert_int_eq(tct_own_file_sweep(&scratch_root, &tct_own_drop_in, &err), 0);
	ck_content("old\n");
	/* After it: the old file is kept, byte for byte, although its text would be another. */
	scratch_write(FOLDER "/.99-tcptune.conf.old", "old\n");
	scratch_write(FILE_NAME, "new\n");
	ck_assert_int_eq(tct_own_file_restore(&scratch_root, &tct_own_drop_in, before,
					      "regenerated\n", &err),
			 0);
	ck_content("old\n");
	/* The kept file is gone: made anew from what is ours. */
	scratch_write(FILE_NAME, "new\n");
	ck_assert_int_eq(tct_own_file_restore(&scratch_root, &tct_own_drop_in, before,
					      "regenerated\n", &err),
			 0);
	ck_content("regenerated\n");
	/* There was none before. */
	ck_assert_int_eq(tct_own_file_restore(&scratch_root, &tct_own_drop_in, "", NULL, &err), 0);
	ck_content(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("drop_in");
	TCase *cases = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, scratch_open, scratch_close);
	tcase_add_test(cases, text);
	tcase_add_loop_test(cases, parsing, 0, (int)TCT_COUNT(parsed_cases));
	tcase_add_loop_test(cases, sanitising, 0, (int)TCT_COUNT(sanitised_cases));
	tcase_add_test(cases, made_replaced_removed);
	tcase_add_test(cases, taken_back);
	tcase_add_test(cases, owner_mode_and_attributes_stay);
	tcase_add_test(cases, links_and_strange_files_are_refused);
	tcase_add_test(cases, a_planted_temporary_file_is_not_followed);
	tcase_add_test(cases, after_a_crash);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
