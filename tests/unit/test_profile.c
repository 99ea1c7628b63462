/* Profiles: what is loaded, and how several become one. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/unit/profile_shelf.h"
#include "tests/unit/scratch.h"

START_TEST(a_whole_profile_is_loaded)
{
	struct tct_env env = { .facts = &shelf.facts };
	struct tct_result result;

	shelf_put(
		"full",
		HEAD("full") "extends: [base]\n"
			     "variables:\n"
			     "  b: a * 2\n"
			     "  a: 2s\n"
			     "  c: {value: mem_total / 2, because: half}\n"
			     "settings:\n"
			     "  net.ipv4.tcp_fin_timeout: {at_most: b + 6s, because: x, requires: 'sysctl(net.ipv4.tcp_sack) == 1'}\n"
			     "  net.ipv4.tcp_congestion_control: {set: bbr, because: y}\n"
			     "  net.ipv4.ip_local_reserved_ports: {set: '80,8080-8081', because: y}\n"
			     "  net.ipv4.tcp_rmem: {at_least: [keep, keep, 32MiB], because: z, requires: [cpus > 1, 'true']}\n"
			     "rules:\n"
			     "  - id: three\n"
			     "    each: listener\n"
			     "    when: queue > backlog\n"
			     "    severity: {critical: queue > 100, warning: true}\n"
			     "    cause: application\n"
			     "    title: \"{address}:{port} waits\"\n"
			     "    why: because {b}\n"
			     "    evidence: {half of it: queue / 2}\n"
			     "    remedy:\n"
			     "      application: restart {owner}\n"
			     "      sysctls: {net.core.somaxconn: {at_least: backlog * 2}, net.ipv4.tcp_tw_recycle: {set: 0}}\n"
			     "      commands: ['ss -ltn', 'x {port}']\n"
			     "    never: [{what: w, because: b}]\n"
			     "    references: [r1, r2]\n"
			     "    explains: [one]\n");
	shelf_load("full");
	ck_assert_str_eq(shelf.set->summary, "s");
	ck_assert_str_eq(shelf.set->names[0], "full");
	ck_assert_uint_eq(strlen(shelf.set->sha256), 64);
	ck_assert_str_eq(shelf_variable("b"), "4 s");
	ck_assert_str_eq(shelf_variable("c"), "mem_total is not known (--var mem_total=...)");
	ck_assert_str_eq(shelf_variable("wait"), "variable wait is not set (--var wait=...)");
	ck_assert_str_eq(shelf_variable("floor"), "8");
	ck_assert_uint_eq(shelf.set->settings_count, 5);
	for (size_t i = 1; i < shelf.set->settings_count; i++)
		ck_assert_int_lt(strcmp(shelf.set->settings[i - 1].key->name,
					shelf.set->settings[i].key->name),
				 0);
	ck_assert_str_eq(shelf_target("net.ipv4.tcp_fin_timeout"), "10");
	ck_assert_str_eq(shelf_target("net.ipv4.tcp_congestion_control"), "bbr");
	ck_assert_str_eq(shelf_target("net.ipv4.ip_local_reserved_ports"), "80,8080-8081");
	ck_assert_str_eq(shelf_setting("net.core.somaxconn")->profile, "base");
	ck_assert_uint_eq(shelf_setting("net.ipv4.tcp_rmem")->requirements_count, 2);
	ck_assert_str_eq(shelf_setting("net.ipv4.tcp_rmem")->requirements[0].text, "cpus > 1");
	ck_assert_uint_eq(shelf_setting("net.ipv4.tcp_rmem")->place.line, 13);
	ck_assert_uint_eq(shelf.set->rules_count, 3);
	ck_assert_str_eq(shelf.set->rules[0].id, "one");
	ck_assert_str_eq(shelf.set->rules[2].id, "three");
	ck_assert_int_eq(shelf_rule("three")->each, TCT_EACH_LISTENER);
	ck_assert(shelf_rule("three")->severity_given[TCT_SEVERITY_CRITICAL]);
	ck_assert_ptr_nonnull(shelf_rule("three")->severity_when[TCT_SEVERITY_WARNING]);
	ck_assert_ptr_null(shelf_rule("one")->severity_when[TCT_SEVERITY_INFO]);
	ck_assert_uint_eq(shelf_rule("three")->sysctls_count, 2);
	ck_assert_uint_eq(shelf_rule("three")->commands_count, 2);
	ck_assert_uint_eq(shelf_rule("three")->references_count, 2);
	ck_assert_str_eq(shelf_rule("three")->explains[0], "one");
	ck_assert_str_eq(shelf_rule("three")->evidence[0].name, "half of it");
	ck_assert_str_eq(shelf_rule("three")->never[0].because, "b");
	ck_assert_uint_eq(shelf.set->never_count, 2);
	env.variables = shelf.set->variables;
	const struct tct_value seven = { .kind = TCT_VALUE_NUMBERS, .count = 1, .numbers = { 7 } };

	env.value = &seven;
	tct_expr_eval(shelf.set->never[0].when, &env, &result);
	ck_assert_int_eq(result.number, 1); /* 7 < 5 + 3 */
}
END_TEST

/* Built-in rules are left out; those of other files are checked, beside the built-in ones. */
START_TEST(rules_can_be_left_out)
{
	static const char rule[] =
		"  - {id: %s, when: '%s', severity: info, cause: sysctl, title: t}\n";
	char whole[65];
	char text[600];
	int length;

	shelf_put("plain", HEAD("plain") "extends: [base]\n");
	shelf_load("plain");
	ck_assert_uint_eq(shelf.set->rules_count, 2);
	memcpy(whole, shelf.set->sha256, sizeof(whole));
	shelf.settings_only = true;
	shelf_load("plain");
	ck_assert_uint_eq(shelf.set->rules_count, 0);
	ck_assert_uint_eq(shelf.set->settings_count, 1);
	ck_assert_uint_eq(shelf.set->never_count, 2);
	ck_assert_str_eq(shelf.set->sha256, whole);

	length = snprintf(text, sizeof(text), HEAD("ruled") "extends: [base]\nrules:\n");
	(void)snprintf(text + length, sizeof(text) - (size_t)length, rule, "one", "many > 5");
	shelf_put("ruled", text);
	shelf_load("plain ruled");
	ck_assert_uint_eq(shelf.set->rules_count, 2);
	ck_assert_str_eq(shelf_rule("one")->profile, "ruled");
	ck_assert_uint_eq(shelf.set->names_count, 2);
	shelf.settings_only = false;
	memcpy(whole, shelf.set->sha256, sizeof(whole));
	shelf_load("plain ruled");
	ck_assert_str_eq(shelf.set->sha256, whole);
	shelf.settings_only = true;
	(void)snprintf(text + length, sizeof(text) - (size_t)length, rule, "one", "mny > 5");
	shelf_put("ruled", text);
	ck_assert_ptr_nonnull(strstr(shelf_refusal("plain ruled"), "ruled.yaml:6:"));
}
END_TEST

START_TEST(a_child_overrides_its_parents)
{
	shelf_put(
		"child",
		HEAD("child") "extends: [base]\nvariables: {many: 7}\n"
			      "settings: {net.core.somaxconn: {at_least: 128, because: less}}\n"
			      "rules: [{id: two, when: 'false', severity: warning, cause: attack, title: mine}]\n"
			      "never: [{key: net.ipv4.tcp_retries2, when: value < floor, because: again},\n"
			      "        {key: net.ipv4.tcp_retries2, when: value > 100, because: much}]\n");
	shelf_load("child");
	ck_assert_str_eq(shelf_target("net.core.somaxconn"), "128");
	ck_assert_str_eq(shelf_variable("many"), "7");
	ck_assert_uint_eq(shelf.set->rules_count, 2);
	ck_assert_str_eq(shelf.set->rules[1].id, "two");
	ck_assert_int_eq(shelf.set->rules[1].cause, TCT_CAUSE_ATTACK);
	ck_assert_uint_eq(shelf.set->never_count, 3);
	ck_assert_str_eq(shelf.set->never[0].because, "too few");
	/* the parent asked for as well says nothing new */
	shelf_load("base child");
	ck_assert_str_eq(shelf_target("net.core.somaxconn"), "128");
	shelf_load("child base");
	ck_assert_str_eq(shelf_target("net.core.somaxconn"), "128");
	/* nor does a sibling that only inherits */
	shelf_put("sibling", HEAD("sibling") "extends: [base]\n");
	shelf_load("child sibling");
	ck_assert_str_eq(shelf_target("net.core.somaxconn"), "128");
}
END_TEST

START_TEST(siblings_merge_their_bounds)
{
	shelf_put(
		"a",
		HEAD("a") "extends: [base]\nsettings:\n"
			  "  net.ipv4.tcp_fin_timeout: {at_most: 30, because: a, requires: 'true'}\n"
			  "  net.ipv4.tcp_max_tw_buckets: {at_least: 65536 * cpus, because: same}\n"
			  "  net.ipv4.tcp_rmem: {at_least: [keep, 256KiB, 1MiB], because: a}\n"
			  "  net.ipv4.tcp_sack: {set: 1, because: a}\n");
	shelf_put(
		"b",
		HEAD("b") "extends: [base]\nsettings:\n"
			  "  net.ipv4.tcp_fin_timeout: {at_most: 20s, because: b, requires: cpus > 0}\n"
			  "  net.ipv4.tcp_max_tw_buckets: {at_least: 100000, because: same}\n"
			  "  net.ipv4.tcp_rmem: {at_least: [4096, keep, 8MiB], because: b}\n"
			  "  net.ipv4.tcp_sack: {set: 1, because: b}\n");
	shelf_load("a b");
	ck_assert_str_eq(shelf_target("net.ipv4.tcp_fin_timeout"), "20");
	ck_assert_str_eq(shelf_setting("net.ipv4.tcp_fin_timeout")->because, "a; b");
	ck_assert_uint_eq(shelf_setting("net.ipv4.tcp_fin_timeout")->requirements_count, 2);
	ck_assert_str_eq(shelf_target("net.ipv4.tcp_max_tw_buckets"), "262144");
	ck_assert_str_eq(shelf_setting("net.ipv4.tcp_max_tw_buckets")->because, "same");
	ck_assert_str_eq(
		tct_expr_source(shelf_setting("net.ipv4.tcp_max_tw_buckets")->at_least.fields[0]),
		"max(65536 * cpus, 100000)");
	ck_assert_str_eq(shelf_target("net.ipv4.tcp_rmem"), "4096 262144 8388608");
	ck_assert_str_eq(shelf_target("net.core.somaxconn"), "4096");
	ck_assert_uint_eq(shelf.set->never_count, 2);
	/* the same by extends */
	shelf_put("both", HEAD("both") "extends: [b, a]\n");
	shelf_load("both");
	ck_assert_str_eq(shelf_target("net.ipv4.tcp_max_tw_buckets"), "262144");
	ck_assert_str_eq(shelf_target("net.ipv4.tcp_fin_timeout"), "20");
}
END_TEST

START_TEST(siblings_that_contradict_each_other_are_refused)
{
	static const char *const orders[] = { "a b", "b a", "c d b a", "a c b d" };
	static const char impossible[] =
		"profiles/a.yaml:4:49: net.ipv4.tcp_fin_timeout: at_least 30 is above at_most 20 in ";
	static const struct {
		const char *a;
		const char *b;
		const char *end; /* of the message, after both places */
	} cases[] = {
		{ "settings: {net.ipv4.tcp_sack: {set: 1, because: x}}",
		  "settings: {net.ipv4.tcp_sack: {set: 0, because: x}}",
		  ":4:12: the setting `net.ipv4.tcp_sack` differs from the one in " },
		{ "settings: {net.ipv4.tcp_sack: {set: 1, because: x}}",
		  "settings: {net.ipv4.tcp_sack: {at_least: 0, because: x}}",
		  ":4:12: the setting `net.ipv4.tcp_sack` differs from the one in " },
		{ "settings: {net.ipv4.tcp_congestion_control: {set: bbr, because: x}}",
		  "settings: {net.ipv4.tcp_congestion_control: {set: cubic, because: x}}",
		  ":4:12: the setting `net.ipv4.tcp_congestion_control` differs from the one in " },
		{ "variables: {v: 1}", "variables: {v: 2}",
		  ":4:13: the variable `v` differs from the one in " },
		{ "rules: [{id: r, when: 'true', severity: info, cause: sysctl, title: x}]",
		  "rules: [{id: r, when: 'true', severity: info, cause: sysctl, title: y}]",
		  ":4:9: the rule `r` differs from the one in " },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char text[512];
		const char *error;

		(void)snprintf(text, sizeof(text), HEAD("a") "%s\n", cases[i].a);
		shelf_put("a", text);
		(void)snprintf(text, sizeof(text), HEAD("b") "%s\n", cases[i].b);
		shelf_put("b", text);
		error = shelf_refusal("a b");
		ck_assert_msg(strncmp(error, "profiles/b.yaml", 15) == 0, "%s", error);
		ck_assert_msg(strstr(error, cases[i].end) != NULL, "%s", error);
		ck_assert_ptr_nonnull(
			strstr(error, "a.yaml:4: a profile that extends both must decide"));
		/* the same words are no contradiction */
		(void)snprintf(text, sizeof(text), HEAD("b") "%s\n", cases[i].a);
		shelf_put("b", text);
		shelf_load("a b");
	}
	shelf_put("a", HEAD("a") "variables: {v: 1}\n");
	shelf_put("b", HEAD("b") "variables: {v: 2}\n");
	shelf_put("judge", HEAD("judge") "extends: [a, b]\nvariables: {v: 3}\n");
	shelf_load("judge");
	ck_assert_str_eq(shelf_variable("v"), "3");
	shelf_load("a judge b");
	ck_assert_str_eq(shelf_variable("v"), "3");
	/* bounds that only together are impossible: of several those that decide are named */
	shelf_put("a",
		  HEAD("a") "settings: {net.ipv4.tcp_fin_timeout: {at_least: 30, because: x}}\n");
	shelf_put("b",
		  HEAD("b") "settings: {net.ipv4.tcp_fin_timeout: {at_most: 20, because: x}}\n");
	shelf_put("c",
		  HEAD("c") "settings: {net.ipv4.tcp_fin_timeout: {at_least: 10, because: x}}\n");
	shelf_put("d",
		  HEAD("d") "settings: {net.ipv4.tcp_fin_timeout: {at_most: 50, because: x}}\n");
	for (size_t i = 0; i < TCT_COUNT(orders); i++) {
		const char *error = shelf_refusal(orders[i]);

		ck_assert_msg(strncmp(error, impossible, strlen(impossible)) == 0, "%s", error);
		ck_assert_msg(strstr(error, "b.yaml:4: a profile that extends both must decide") !=
				      NULL,
			      "%s", error);
	}
}
END_TEST

START_TEST(the_built_in_never_is_always_there)
{
	shelf_put("alone", HEAD("alone"));
	shelf_load("alone");
	ck_assert_uint_eq(shelf.set->never_count, 2);
	ck_assert_uint_eq(shelf.set->settings_count, 0);
	ck_assert_uint_eq(shelf.set->rules_count, 0);
	/* only the variables that it needs come with it */
	ck_assert_uint_eq(shelf.set->variables_count, 2);
	ck_assert_str_eq(shelf_variable("floor"), "8");
	ck_assert_ptr_null(shelf_variable("many"));
	shelf_put("base",
		  HEAD("base") "never: [{key: net.ipv4.tcp_sack, when: value == 0, because: x}]\n");
	shelf_load("base");
	ck_assert_uint_eq(shelf.set->never_count, 3);
	shelf_load("");
	ck_assert_uint_eq(shelf.set->never_count, 2);
}
END_TEST

START_TEST(names_are_found_in_order)
{
	char origin[280];
	char *text = NULL;
	size_t length = 0;

	ck_assert_str_eq(shelf_refusal("bose"),
			 "no profile is named `bose`: did you mean `base`? (tcptune profile list)");
	ck_assert_int_eq(shelf.err.code, ENOENT);
	ck_assert_str_eq(
		shelf_refusal("nothing-like-it"),
		"no profile is named `nothing-like-it` (tcptune profile list; a file is given with a /)");
	ck_assert_str_eq(
		shelf_refusal("Base"),
		"`Base` can't name a profile: small letters, digits, - and _; a file is given with a /");
	ck_assert_str_eq(
		shelf_refusal("explain"),
		"no profile is named `explain` (tcptune profile list; a file is given with a /)");
	ck_assert_str_eq(shelf_refusal("/nowhere/x.yaml"),
			 "/nowhere/x.yaml: No such file or directory");
	ck_assert_str_eq(shelf_refusal("./nowhere.yaml"),
			 "./nowhere.yaml: No such file or directory");
	ck_assert_str_eq(shelf_refusal("/tmp/"), "/tmp/: Is a directory");
	ck_assert_int_eq(
		tct_profile_text(&scratch_root, "base", &text, &length, origin, &shelf.err), 0);
	ck_assert_str_eq(origin, "built in");
	ck_assert_ptr_nonnull(strstr(text, "summary: the base\n"));
	free(text);
	shelf_put("base", HEAD("base") "# mine\n");
	ck_assert_int_eq(
		tct_profile_text(&scratch_root, "base", &text, &length, origin, &shelf.err), 0);
	ck_assert_ptr_nonnull(strstr(origin, "/etc/tcptune/profiles/base.yaml"));
	free(text);
	/* a path may have any name */
	scratch_write("own/whatever.yaml", HEAD("mine"));
	shelf_load(scratch_path("own/whatever.yaml"));
	shelf_put("mine", HEAD("mine"));
	char both[600];

	(void)snprintf(both, sizeof(both), "mine %s", scratch_path("own/whatever.yaml"));
	shelf_load(both); /* the same bytes: the same profile */
	shelf_put("mine", HEAD("mine") "# other\n");
	ck_assert_ptr_nonnull(
		strstr(shelf_refusal(both), "two profiles are named `mine`: this one and "));
}
END_TEST

START_TEST(extends_is_followed_with_care)
{
	shelf_put("a", HEAD("a") "extends: [b]\n");
	shelf_put("b", HEAD("b") "extends:\n  - c\n");
	shelf_put("c", HEAD("c") "extends: [base, a]\n");
	shelf_put("self", HEAD("self") "extends: [self]\n");
	shelf_put("lost", HEAD("lost") "extends: [bsae]\n");
	shelf_put("path", HEAD("path") "extends: [./x.yaml]\n");
	shelf_put("empty", HEAD("empty") "extends: ['']\n");
	ck_assert_str_eq(shelf_refusal("a"),
			 "profiles/c.yaml:4:17: `extends` goes in a circle: a -> b -> c -> a");
	ck_assert_str_eq(shelf_refusal("self"),
			 "profiles/self.yaml:4:11: `extends` goes in a circle: self -> self");
	ck_assert_str_eq(
		shelf_refusal("lost"),
		"profiles/lost.yaml:4:11: no profile is named `bsae`: did you mean `base`? (tcptune profile list)");
	ck_assert_str_eq(shelf_refusal("path"),
			 "profiles/path.yaml:4:11: `extends` takes names of profiles, not paths");
	ck_assert_str_eq(shelf_refusal("empty"),
			 "profiles/empty.yaml:4:11: a name in `extends` is empty");
	for (int i = 0; i < 20; i++) {
		char name[16];
		char text[256];

		(void)snprintf(name, sizeof(name), "p%d", i);
		(void)snprintf(
			text, sizeof(text),
			"schema: tcptune.profile.v1\nname: p%d\nsummary: s\nextends: [%s%d]\n", i,
			i == 19 ? "base" : "p", i + 1);
		if (i == 19)
			(void)snprintf(text, sizeof(text),
				       "schema: tcptune.profile.v1\nname: p19\nsummary: s\n");
		shelf_put(name, text);
	}
	ck_assert_str_eq(shelf_refusal("p0"),
			 "profiles/p15.yaml:4:11: `extends` goes deeper than 16 levels");
	shelf_load("p4");
}
END_TEST

/* Links that lead nowhere are passed over, and neither is looked for in the other's place. */
START_TEST(lost_files_are_told)
{
	static const char *const lost[] = { "lost", "gone" };
	struct tct_profile_info *infos = NULL;
	size_t count = 0;
	size_t told = 0;

	scratch_write("etc/tcptune/profiles/notes.txt", "x");
	for (size_t i = 0; i < TCT_COUNT(lost); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "etc/tcptune/profiles/%s.yaml", lost[i]);
		ck_assert_int_eq(symlink("/nowhere", scratch_path(path)), 0);
	}
	ck_assert_int_eq(tct_profile_list(&scratch_root, &infos, &count, &shelf.err), 0);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(infos[i].name, lost[0]) != 0 && strcmp(infos[i].name, lost[1]) != 0)
			continue;
		told++;
		ck_assert_ptr_nonnull(strstr(infos[i].error, "no such file: a link that leads"));
	}
	ck_assert_uint_eq(told, 2);
	free(infos);
}
END_TEST

START_TEST(profiles_are_listed)
{
	struct tct_profile_info *infos = NULL;
	size_t count = 0;

	shelf_put("mine", HEAD("mine"));
	shelf_put("wrong", HEAD("other-name"));
	shelf_put("other", HEAD("other"));
	scratch_write("etc/tcptune/profiles/notes.txt", "x");
	ck_assert_int_eq(tct_profile_list(&scratch_root, &infos, &count, &shelf.err), 0);
	ck_assert_uint_eq(count, 4);
	ck_assert_str_eq(infos[0].name, "base");
	ck_assert_str_eq(infos[0].origin, "built in");
	ck_assert_str_eq(infos[0].summary, "the base");
	ck_assert_str_eq(infos[1].name, "mine");
	ck_assert_str_eq(infos[2].name, "other");
	ck_assert_ptr_nonnull(strstr(infos[2].origin, "/etc/tcptune/profiles/other.yaml"));
	ck_assert_str_eq(infos[3].name, "wrong");
	ck_assert_ptr_nonnull(strstr(
		infos[3].error,
		"wrong.yaml:2:7: the profile is named `other-name`, but its file `wrong.yaml`"));
	free(infos);
	ck_assert_int_eq(tct_profile_list(NULL, &infos, &count, &shelf.err), 0);
	ck_assert_uint_eq(count, 2);
	free(infos);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile");
	TCase *tests = tcase_create("profile");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, shelf_open, shelf_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_whole_profile_is_loaded);
	tcase_add_test(tests, rules_can_be_left_out);
	tcase_add_test(tests, a_child_overrides_its_parents);
	tcase_add_test(tests, siblings_merge_their_bounds);
	tcase_add_test(tests, siblings_that_contradict_each_other_are_refused);
	tcase_add_test(tests, the_built_in_never_is_always_there);
	tcase_add_test(tests, names_are_found_in_order);
	tcase_add_test(tests, extends_is_followed_with_care);
	tcase_add_test(tests, profiles_are_listed);
	tcase_add_test(tests, lost_files_are_told);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
