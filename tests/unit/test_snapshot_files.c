/* Sysctl files out of a snapshot answer every question as those that were read. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mem.h"
#include "tests/netns/boot_tree.h"
#include "tests/unit/full_observation.h"
#include "tests/unit/scratch.h"

static size_t index_of(const struct tct_sysctl_files *files, const struct tct_file_line *line)
{
	return line == NULL ? SIZE_MAX : (size_t)(line - files->lines);
}

static void check_key(const struct tct_sysctl_files *a, const struct tct_sysctl_files *b,
		      const char *name)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);

	for (unsigned i = 0; i < 2 * TCT_BOOT_MODELS; i++) {
		enum tct_boot_model model = (enum tct_boot_model)(i / 2);
		TCT_AUTO(tct_value_done) struct tct_value left = { 0 };
		TCT_AUTO(tct_value_done) struct tct_value right = { 0 };
		bool without = i % 2 == 1;

		ck_assert_msg(index_of(a, tct_sysctl_files_winner(a, name, model, without)) ==
				      index_of(b, tct_sysctl_files_winner(b, name, model, without)),
			      "%s: another winner", name);
		if (key == NULL)
			continue;
		ck_assert_int_eq(tct_sysctl_files_value(a, key, model, without, NULL, &left),
				 tct_sysctl_files_value(b, key, model, without, NULL, &right));
		ck_assert_msg(tct_value_equal(&left, &right), "%s: another value", name);
	}
}

/* Read what is below the scratch root, save and load it. Returns how many lines there are. */
static size_t check_tree(void)
{
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot saved = snapshot_of(tct_observation_new());
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot loaded = { 0 };
	TCT_AUTOFREE char *text = NULL;
	TCT_AUTOFREE char *again = NULL;
	const struct tct_sysctl_files *a;
	const struct tct_sysctl_files *b;
	struct tct_err err = { 0 };
	size_t length;

	ck_assert_msg(tct_sysctl_files_read(&scratch_root, &saved.observations[0]->files, &err) ==
			      0,
		      "%s", err.message);
	text = snapshot_text(&saved, &length);
	snapshot_load(text, length, &loaded);
	again = snapshot_text(&loaded, &length);
	ck_assert_str_eq(text, again);
	a = saved.observations[0]->files;
	b = loaded.observations[0]->files;
	check_same_files(a, b);
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		check_key(a, b, tct_kernel_keys[i].name);
	for (size_t i = 0; i < a->lines_count; i++)
		check_key(a, b, a->lines[i].key);
	return a->lines_count;
}

enum { SEEDS = 60 };

START_TEST(random_trees_are_the_same)
{
	static const char *const folders[] = { "etc/x", "run/x", "usr/lib/sysctl.d/x",
					       "usr/local/lib/sysctl.d/x" };

	for (size_t i = 0; i < TCT_COUNT(folders); i++)
		scratch_write(folders[i], "");
	ck_assert_int_eq(tct_boot_tree_make(scratch_root.path, (uint64_t)_i + 1), 0);
	(void)check_tree(); /* some seeds make an empty tree */
}
END_TEST

START_TEST(odd_lines_are_the_same)
{
	scratch_write_bytes(
		"etc/sysctl.d/10-a.conf",
		"net.core.somaxconn = 1\0net.ipv4.tcp_rmem = 2\rnet.core.rmem_max = 3\n", 67);
	scratch_write("etc/sysctl.d/20-b.conf",
		      "net/ipv4//tcp_wmem = 1\nnet.ipv4.tcp_{r,w}mem* = 4\n"
		      "-net.ipv4.conf.eth0/1.rp_filter\n--kernel.x = 1\n"
		      "net.ipv4/../ipv4/tcp_fin_timeout = 5\n"
		      "\xff\xfe = \xff\n\xef\xbb\xbfk = v\n = 1\n");
	scratch_write("etc/sysctl.d/99-tcptune.conf", "net.core.somaxconn = 8192\n");
	scratch_write("usr/lib/sysctl.d/99-tcptune.conf", "net.core.somaxconn = 512\n"
							  "net.*.so* = 1\n");
	scratch_write("etc/sysctl.conf", "net.core.somaxconn = 77\n");
	ck_assert_uint_gt(check_tree(), 10);
}
END_TEST

/* Neither the reader nor a snapshot keeps a secret; what the kernel makes of the line is told. */
START_TEST(secrets_are_not_kept)
{
	static const char *const secrets[] = { "deadbeef", "cafe0123", "fade", "2001:db8", "bead" };
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot saved = snapshot_of(tct_observation_new());
	TCT_AUTOFREE char *text = NULL;
	const struct tct_sysctl_files *files;
	struct tct_err err = { 0 };
	size_t length;

	scratch_write("etc/sysctl.d/10-a.conf",
		      "net.ipv4.tcp_fastopen_key = deadbeef-cafe0123-0xfade-0, 1-2-3-4 beadrest\n"
		      "net/ipv4/tcp_fastopen_key = not-a-secret-bead\n"
		      "net.ipv4.tcp_fast* = deadbeef-cafe0123-fade-0\n"
		      "net.ipv6.conf.eth0.stable_secret = 2001:db8::fade\n"
		      "net.ipv6.conf.*.{stable_secret,x} = 2001:db8::fade\n"
		      "net.ipv4.* = 1\nnet.core.somaxconn = 4096\n");
	ck_assert_int_eq(tct_sysctl_files_read(&scratch_root, &saved.observations[0]->files, &err),
			 0);
	files = saved.observations[0]->files;
	ck_assert_uint_eq(files->lines_count, 7);
	ck_assert_str_eq(files->lines[0].value, "11111111-11111111-0x1111-1, 1-1-1-1 1111?1??");
	ck_assert_int_eq(files->lines[0].outcome, TCT_WRITE_REST_IGNORED);
	ck_assert_int_eq(files->lines[1].outcome, TCT_WRITE_REFUSED);
	ck_assert_str_eq(files->lines[5].value, "1");
	ck_assert_str_eq(files->lines[6].value, "4096");
	text = snapshot_text(&saved, &length);
	for (size_t i = 0; i < TCT_COUNT(secrets); i++)
		ck_assert_msg(strstr(text, secrets[i]) == NULL, "%s is in the snapshot",
			      secrets[i]);
	ck_assert_uint_eq(check_tree(), 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snapshot_files");
	TCase *cases = tcase_create("snapshot_files");
	SRunner *runner;
	int failed;

	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, scratch_open, scratch_close);
	tcase_add_loop_test(cases, random_trees_are_the_same, 0, SEEDS);
	tcase_add_test(cases, odd_lines_are_the_same);
	tcase_add_test(cases, secrets_are_not_kept);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
