/* Variables of profiles: their order, their types, and how they are set from outside. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/profile_shelf.h"
#include "tests/unit/scratch.h"

START_TEST(variables_need_each_other_in_any_order)
{
	static const struct {
		const char *variables;
		const char *refusal;
	} cases[] = {
		{ "{a: b, b: c, c: a}", "4:13: variables that need each other: a -> b -> c -> a" },
		{ "{a: a + 1}", "4:13: variables that need each other: a -> a" },
		{ "{a: bb, bc: 1}", "4:16: unknown name `bb`: did you mean `bc`?" },
		{ "{a: 1 + 2s}",
		  "4:16: 1 stands for a time here: give it a unit (ms, s, min ...)" },
		{ "{a: sysctl(net.core.somaxconn)}",
		  "4:16: sysctl() can't be used here: it must not depend on what is seen, so that applying twice changes nothing" },
		{ "{a: 1 + unset(count)}",
		  "4:20: unset() only stands alone, as a variable's value" },
		{ "{a: unset(time)}", "4:22: unset() takes duration, bytes, count, share or rate" },
		{ "{a: }", "4:16: a variable is empty" },
		{ "{a: [1]}", "4:16: a variable must be text or a mapping, not a list" },
		{ "{a: {valve: 1}}",
		  "4:17: unknown field `valve` in a variable: did you mean `value`?" },
		{ "{a: {summary: x}}", "4:16: a variable needs `value`" },
		{ "{A: 1}",
		  "4:13: `A` can't name a variable: small letters, digits and _ (up to 63)" },
		{ "{1a: 1}",
		  "4:13: `1a` can't name a variable: small letters, digits and _ (up to 63)" },
		{ "{queue: 1}",
		  "4:13: `queue` can't name a variable: it is an attribute of `each: listener`" },
		{ "{max: 1}", "4:13: `max` can't name a variable: it is a word of the language" },
		{ "{min: 1}", "4:13: `min` can't name a variable: it is a word of the language" },
		{ "{s: 1}", "4:13: `s` can't name a variable: it is a word of the language" },
		{ "{and: 1}", "4:13: `and` can't name a variable: it is a word of the language" },
		{ "{kernel: 1}", "4:13: `kernel` can't name a variable: it is a fact of the host" },
		{ "{a: 1, a: 2}", "4:19: `a` is given twice, first in line 4" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char wanted[300];
		char text[300];

		(void)snprintf(text, sizeof(text), HEAD("v") "variables: %s\n", cases[i].variables);
		(void)snprintf(wanted, sizeof(wanted), "profiles/v.yaml:%s", cases[i].refusal);
		shelf_put("v", text);
		ck_assert_str_eq(shelf_refusal("v"), wanted);
	}
	shelf_put("v", HEAD("v") "extends: [base]\nvariables: {many: 5s}\n");
	ck_assert_str_eq(
		shelf_refusal("v"),
		"profiles/v.yaml:5:13: `many` is a time here, but a count in built-in profile base:7");
}
END_TEST

START_TEST(variables_are_set_from_outside)
{
	static const struct tct_var_override vars[] = {
		{ "wait", "90", "--var", 0 },
		{ "size", "4096", "--var", 0 },
		{ "part", "12.5%", "--var", 0 },
		{ "flag", "false", "--var", 0 },
		{ "word", "hello", "--var", 0 },
		{ "mem_total", "16GiB", "--var", 0 },
		{ "kernel", "5.10.0-8-amd64", "--var", 0 },
		{ "cpus", "64", "--var", 0 },
		{ "many", "cpus * 2", "--var", 0 },
	};

	shelf_put(
		"v",
		HEAD("v") "extends: [base]\nvariables: {size: 1KiB, part: 1%, flag: true, word: '\"x\"', half: mem_total / 2}\n");
	ck_assert_msg(shelf_load_with("v", vars, TCT_COUNT(vars)) == 0, "%s", shelf.err.message);
	ck_assert_str_eq(shelf_variable("wait"), "90 s");
	ck_assert_str_eq(shelf_variable("size"), "4 KiB");
	ck_assert_str_eq(shelf_variable("part"), "12.5 %");
	ck_assert_str_eq(shelf_variable("flag"), "no");
	ck_assert_str_eq(shelf_variable("word"), "hello");
	ck_assert_str_eq(shelf_variable("half"), "8 GiB");
	ck_assert_str_eq(shelf_variable("many"), "128");
	ck_assert_int_eq(shelf.facts.value[TCT_FACT_KERNEL], TCT_VERSION(5, 10));
	ck_assert_str_eq(shelf_refusal_of_var("v", "many", "5s"),
			 "--var many: a count is needed here, not a time");
	ck_assert_str_eq(shelf_refusal_of_var("v", "part", "5"),
			 "--var part: 5 stands for a share (%) here: give it a unit (%)");
	ck_assert_str_eq(shelf_refusal_of_var("v", "many", "floor"),
			 "--var many: unknown name `floor`");
	ck_assert_str_eq(shelf_refusal_of_var("v", "many", ""),
			 "--var many: the expression is empty");
	ck_assert_str_eq(shelf_refusal_of_var("v", "mny", "5"),
			 "--var mny: no variable is named `mny`: did you mean `many`?");
	ck_assert_str_eq(shelf_refusal_of_var("v", "elsewhere", "5"),
			 "--var elsewhere: no variable is named `elsewhere` in these profiles");
	ck_assert_str_eq(shelf_refusal_of_var("v", "kernel", "six"),
			 "--var kernel: `six` is not a version such as 6.18");
	ck_assert_str_eq(shelf_refusal_of_var("v", "mem_total", "0"),
			 "--var mem_total: must be above 0");
	ck_assert_str_eq(shelf_refusal_of_var("v", "cpus", "1/0"),
			 "--var cpus: division by zero in `1/0`");
}
END_TEST

START_TEST(the_hosts_file_sets_variables)
{
	const struct tct_var_override var = { .name = "many", .value = "3", .origin = "--var" };
	static const struct {
		const char *text;
		const char *refusal;
	} cases[] = {
		{ "variables: {many: 5, mny: 6}\n",
		  "1:22: no variable is named `mny`: did you mean `many`?" },
		{ "variables: {many: 5s}\n", "1:19: a count is needed here, not a time" },
		{ "variables: {wait: [1]}\n", "1:19: a variable must be text, not a list" },
		{ "variables: {mem_total: 1GiB}\n",
		  "1:13: `mem_total` is a fact of the host, not a variable (--var can set it for a DIR)" },
		{ "vars: {}\n", "1:1: unknown field `vars` in the file of variables" },
		{ "schema: x\nvariables: {}\n",
		  "1:9: unknown schema `x`: this tcptune reads tcptune.variables.v1" },
		{ "schema: tcptune.variables.v1\n",
		  "1:1: the file of variables needs `variables`" },
		{ "[",
		  "2:1: not valid YAML: did not find expected node content while parsing a flow node" },
	};

	/* elsewhere is another profile's: a host's file may serve several */
	scratch_write(
		"etc/tcptune/variables.yaml",
		"schema: tcptune.variables.v1\nvariables: {many: 5, wait: 350, elsewhere: 9s}\n");
	shelf_load("base");
	ck_assert_str_eq(shelf_variable("many"), "5");
	ck_assert_str_eq(shelf_variable("wait"), "350 s");
	ck_assert_ptr_nonnull(strstr(shelf.set->variables[2].origin, "variables.yaml"));
	ck_assert_int_eq(shelf_load_with("base", &var, 1), 0);
	ck_assert_str_eq(shelf_variable("many"), "3");
	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char wanted[300];

		scratch_write("etc/tcptune/variables.yaml", cases[i].text);
		(void)snprintf(wanted, sizeof(wanted), "variables.yaml:%s", cases[i].refusal);
		ck_assert_str_eq(shelf_refusal("base"), wanted);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("variables");
	TCase *tests = tcase_create("variables");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, shelf_open, shelf_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, variables_need_each_other_in_any_order);
	tcase_add_test(tests, variables_are_set_from_outside);
	tcase_add_test(tests, the_hosts_file_sets_variables);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
