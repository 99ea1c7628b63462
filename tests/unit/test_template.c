/* Texts with expressions in them. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/rules_world.h"

struct example {
	const char *text;
	const char *result;
};

START_TEST(templates_render_values)
{
	static const struct example examples[] = {
		{ "plain", "plain" },
		{ "{cpus} CPUs, {mem_total}", "4 CPUs, 8 GiB" },
		{ "{{literal}} {1 + 1}", "{literal} 2" },
		{ "{'}'}{\"{\"}", "}{" },
		{ "{state(LISTEN)} of {1/0}", "(not known) of (not known)" },
		{ "{kernel}: {41203} {5.25%} {350s} {1.5GiB", "" },
		{ "{kernel}: {41203} {5.25%} {350s} {0.0012%} {1000%}",
		  "6.18: 41,203 5.25 % 350 s 0.0012 % 1000 %" },
		{ "{'a\nb\x1b[1m'}", "a b?[1m" },
	};
	const struct tct_scope_names scope = world_scope(TCT_EACH_NONE);
	const struct tct_place place = { "f", 1, 1 };
	const struct tct_env env = world_env();

	for (size_t i = 0; i < TCT_COUNT(examples); i++) {
		TCT_AUTO(tct_text_done) struct tct_text out = { 0 };
		struct tct_template *template_ = NULL;
		struct tct_err err = { 0 };

		if (examples[i].result[0] == '\0') {
			ck_assert_int_eq(tct_template_compile(world.arena, examples[i].text, place,
							      &scope, &template_, &err),
					 -EINVAL);
			continue;
		}
		ck_assert_int_eq(tct_template_compile(world.arena, examples[i].text, place, &scope,
						      &template_, &err),
				 0);
		tct_template_render(template_, &env, &out);
		ck_assert_str_eq(out.data, examples[i].result);
		ck_assert_str_eq(tct_template_source(template_), examples[i].text);
	}
}
END_TEST

START_TEST(commands_have_nothing_that_a_shell_would_run)
{
	static const struct example examples[] = {
		{ "ss 'sport = :{cpus}'", "ss 'sport = :4'" },
		{ "ip route get {'fd77::1%eth0.5'}", "ip route get fd77::1%eth0.5" },
		{ "ss 'dst {'[fd77::1]:443'}'", "ss 'dst [fd77::1]:443'" },
		{ "ethtool {'a;id'}", NULL },
		{ "ethtool {'$(id)'}", NULL },
		{ "ethtool {'`id`'}", NULL },
		{ "ethtool {\"it's\"}", NULL },
		{ "ethtool {'-S'}", NULL },
		{ "ethtool {'a b'}", NULL },
		{ "ethtool {''}", NULL },
		{ "ss 'sport = :{state(LISTEN)}'", NULL }, /* not known */
	};
	const struct tct_scope_names scope = world_scope(TCT_EACH_NONE);
	const struct tct_place place = { "f", 1, 1 };
	const struct tct_env env = world_env();

	for (size_t i = 0; i < TCT_COUNT(examples); i++) {
		TCT_AUTO(tct_text_done) struct tct_text out = { 0 };
		struct tct_template *template_ = NULL;
		struct tct_err err = { 0 };

		ck_assert_int_eq(tct_template_compile(world.arena, examples[i].text, place, &scope,
						      &template_, &err),
				 0);
		ck_assert_int_eq(tct_template_render_command(template_, &env, &out),
				 examples[i].result != NULL ? 0 : -EINVAL);
		if (examples[i].result != NULL)
			ck_assert_str_eq(out.data, examples[i].result);
	}
}
END_TEST

START_TEST(template_errors_have_their_column)
{
	static const struct example examples[] = {
		{ "ab {cpus", "f:1:4: `{` without `}` (a brace itself is written {{)" },
		{ "ab } c", "f:1:4: `}` without `{` (a brace itself is written }})" },
		{ "ab {} c", "f:1:5: the expression is empty" },
		{ "Größe {cpu}", "f:1:8: unknown name `cpu`: did you mean `cpus`?" },
		{ "{cpus} {1 +}", "f:1:12: the expression ends where a value should be" },
	};
	const struct tct_scope_names scope = world_scope(TCT_EACH_NONE);
	const struct tct_place place = { "f", 1, 1 };

	for (size_t i = 0; i < TCT_COUNT(examples); i++) {
		struct tct_template *template_ = NULL;
		struct tct_err err = { 0 };
		char text[600];

		ck_assert_int_eq(tct_template_compile(world.arena, examples[i].text, place, &scope,
						      &template_, &err),
				 -EINVAL);
		ck_assert_str_eq(tct_err_text(&err, text, sizeof(text)), examples[i].result);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("template");
	TCase *tests = tcase_create("template");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, world_open, world_close);
	tcase_add_test(tests, templates_render_values);
	tcase_add_test(tests, commands_have_nothing_that_a_shell_would_run);
	tcase_add_test(tests, template_errors_have_their_column);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
