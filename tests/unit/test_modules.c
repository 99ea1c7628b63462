/* Kernel modules: found in the lists of a kernel, loaded by files of modules-load.d, our own list.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/unit/scratch.h"
#include "tune/modules.h"

static struct tct_modules modules;

static void close_it(void)
{
	tct_modules_done(&modules);
	scratch_close();
}

/* Connection tracking's, looked for anew. */
static const struct tct_module *look(const char *release)
{
	const struct tct_kernel_key *key = tct_kernel_key_find("net.netfilter.nf_conntrack_max");

	tct_modules_done(&modules);
	ck_assert_int_eq(tct_modules_look(&scratch_root, release, &modules), 0);
	ck_assert_ptr_nonnull(tct_modules_of(&modules, key));
	return tct_modules_of(&modules, key);
}

START_TEST(names_are_compared_whole)
{
	static const char dep[] = "kernel/net/netfilter/nf_conntrack_ftp.ko: x/nf_conntrack.ko\n"
				  "kernel/net/ipv4/netfilter/nf_conntrack-old.ko.gz:\n"
				  "updates/nf-nat.ko.zst: kernel/a.ko";

	ck_assert(!tct_module_is_listed(dep, "nf_conntrack"));
	ck_assert(tct_module_is_listed(dep, "nf_conntrack_ftp"));
	ck_assert(tct_module_is_listed(dep, "nf_nat"));
	ck_assert(!tct_module_is_listed(dep, "a"));
	ck_assert(!tct_module_is_listed("", "a"));
	ck_assert(tct_module_is_listed("nf_conntrack.ko", "nf_conntrack"));
	ck_assert(!tct_module_is_listed("nf_conntrack.k", "nf_conntrack"));
	ck_assert(!tct_module_is_listed("nf_conntrac", "nf_conntrack"));
}
END_TEST

START_TEST(a_kernel_has_it_on_disk_built_in_or_not_at_all)
{
	ck_assert_int_eq(look("6.1.0")->place, TCT_MODULE_NOT_KNOWN);
	ck_assert_str_eq(modules.folder, "/lib/modules/6.1.0");
	scratch_write("lib/modules/6.1.0/modules.dep", "kernel/fs/x.ko:\n");
	ck_assert_int_eq(look("6.1.0")->place, TCT_MODULE_MISSING);
	scratch_write("lib/modules/6.1.0/modules.dep", "kernel/net/netfilter/nf_conntrack.ko:\n");
	ck_assert_int_eq(look("6.1.0")->place, TCT_MODULE_ON_DISK);
	scratch_write("lib/modules/6.1.0/modules.builtin",
		      "kernel/net/netfilter/nf_conntrack.ko\n");
	ck_assert_int_eq(look("6.1.0")->place, TCT_MODULE_BUILT_IN);
	/* another kernel's don't count; nor does a name that leads elsewhere */
	ck_assert_int_eq(look("6.2.0")->place, TCT_MODULE_NOT_KNOWN);
	ck_assert_int_eq(look("../modules/6.1.0")->place, TCT_MODULE_NOT_KNOWN);
	ck_assert_int_eq(look("")->place, TCT_MODULE_NOT_KNOWN);
	scratch_write("usr/lib/modules/6.3.0/modules.dep", "kernel/nf-conntrack.ko.xz:\n");
	ck_assert_int_eq(look("6.3.0")->place, TCT_MODULE_ON_DISK);
	/* a folder in its place: a list that can't be read doesn't say that it is missing */
	scratch_write("lib/modules/6.4.0/modules.builtin", "kernel/fs/x.ko\n");
	ck_assert_int_eq(look("6.4.0")->place, TCT_MODULE_MISSING);
	scratch_write("lib/modules/6.4.0/modules.dep/x", "");
	ck_assert_int_eq(look("6.4.0")->place, TCT_MODULE_NOT_KNOWN);
}
END_TEST

START_TEST(keys_without_a_module_need_none)
{
	look("6.1.0");
	ck_assert_ptr_null(tct_modules_of(&modules, tct_kernel_key_find("net.core.somaxconn")));
	ck_assert_ptr_null(tct_modules_of(NULL, tct_kernel_key_find("net.core.somaxconn")));
}
END_TEST

START_TEST(a_file_of_modules_load_d_names_it)
{
	ck_assert(tct_module_is_loaded_by("# nf_nat\n\t; nf_nat\n  nf-conntrack \r\nx",
					  "nf_conntrack"));
	ck_assert(!tct_module_is_loaded_by("# nf_nat\n;nf_nat\nnf_nat2\nnf_nat x\n", "nf_nat"));
	ck_assert(tct_module_is_loaded_by("nf_nat", "nf_nat"));

	ck_assert_str_eq(look("6.1.0")->loaded_by, "");
	scratch_write("usr/lib/modules-load.d/net.conf", "nf_conntrack\n");
	ck_assert_str_eq(look("6.1.0")->loaded_by, "/usr/lib/modules-load.d/net.conf");
	scratch_write("etc/modules-load.d/net.conf", "# hidden\n"); /* the same name, earlier */
	ck_assert_str_eq(look("6.1.0")->loaded_by, "");
	scratch_write("run/modules-load.d/other.conf.off", "nf_conntrack\n");
	scratch_write("run/modules-load.d/.hidden.conf", "nf_conntrack\n");
	ck_assert_str_eq(look("6.1.0")->loaded_by, "");
	/* our own is ours */
	scratch_write("etc/modules-load.d/tcptune.conf", "nf_conntrack\n");
	ck_assert_str_eq(look("6.1.0")->loaded_by, "");
	ck_assert_str_eq(modules.own, "nf_conntrack\n");
	scratch_write("run/modules-load.d/other.conf", "nf_conntrack\n");
	ck_assert_str_eq(look("6.1.0")->loaded_by, "/run/modules-load.d/other.conf");
}
END_TEST

START_TEST(our_list_is_read_as_it_was_written)
{
	TCT_AUTOFREE char *text = NULL;
	TCT_AUTOFREE char *again = NULL;
	TCT_AUTOFREE char *names = NULL;

	ck_assert_int_eq(tct_modules_render("ip_vs nf_conntrack", &text), 0);
	ck_assert_ptr_nonnull(strstr(text, "\nip_vs\nnf_conntrack\n"));
	ck_assert_int_eq(tct_modules_render("ip_vs nf_conntrack", &again), 0);
	ck_assert_str_eq(text, again);
	ck_assert_int_eq(tct_modules_parse(text, &names), 0);
	ck_assert_str_eq(names, "ip_vs nf_conntrack");
	free(TCT_STEAL(text));
	ck_assert_int_eq(tct_modules_render(NULL, &text), 0);
	ck_assert_ptr_null(text);
	free(TCT_STEAL(names));
	ck_assert_int_eq(tct_modules_parse(NULL, &names), 0);
	ck_assert_ptr_null(names);
	ck_assert_int_eq(tct_modules_parse("b\na # c\n", &names), 0);
	ck_assert_str_eq(names, "a # c b"); /* no names of ours: whoever compares sees it */
	ck_assert(tct_modules_same(NULL, NULL));
	ck_assert(!tct_modules_same("", NULL));
	ck_assert(tct_modules_same("a b", "a b"));
	ck_assert(tct_module_is_among("a bc", "bc"));
	ck_assert(!tct_module_is_among("a bc", "b"));
	ck_assert(!tct_module_is_among(NULL, "b"));
}
END_TEST

START_TEST(a_link_in_its_place_is_told_not_followed)
{
	scratch_write("etc/modules-load.d/x", "nf_conntrack\n");
	ck_assert_int_eq(symlink("x", scratch_path("etc/modules-load.d/tcptune.conf")), 0);
	look("6.1.0");
	ck_assert_ptr_null(modules.own);
	ck_assert_ptr_nonnull(strstr(modules.own_error, "symbolic link"));
}
END_TEST

START_TEST(the_list_is_replaced_and_put_back)
{
	struct tct_own_file_change change;
	struct tct_err err = { 0 };
	TCT_AUTOFREE char *now = NULL;

	ck_assert_int_eq(
		tct_own_file_replace(&scratch_root, &tct_own_modules_load, "one\n", &change, &err),
		0);
	tct_own_file_finish(&change);
	ck_assert_int_eq(
		tct_own_file_replace(&scratch_root, &tct_own_modules_load, NULL, &change, &err), 0);
	ck_assert(!tct_root_exists(&scratch_root, "etc/modules-load.d/tcptune.conf"));
	ck_assert_int_eq(tct_own_file_undo(&change), 0);
	now = scratch_read("etc/modules-load.d/tcptune.conf");
	ck_assert_str_eq(now, "one\n");
	free(TCT_STEAL(now));
	now = scratch_list("etc/modules-load.d");
	ck_assert_str_eq(now, "tcptune.conf");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("modules");
	TCase *test_case = tcase_create("modules");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test_case);
	tcase_add_checked_fixture(test_case, scratch_open, close_it);
	tcase_add_test(test_case, names_are_compared_whole);
	tcase_add_test(test_case, a_kernel_has_it_on_disk_built_in_or_not_at_all);
	tcase_add_test(test_case, keys_without_a_module_need_none);
	tcase_add_test(test_case, a_file_of_modules_load_d_names_it);
	tcase_add_test(test_case, our_list_is_read_as_it_was_written);
	tcase_add_test(test_case, a_link_in_its_place_is_told_not_followed);
	tcase_add_test(test_case, the_list_is_replaced_and_put_back);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
