/* suppressions.yaml: patterns, days, mistakes, and whether the rules exist. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/suppressions.h"
#include "core/mem.h"
#include "tests/unit/profile_shelf.h"
#include "tests/unit/scratch.h"

#define SECOND INT64_C(1000000000)
#define FILE_NAME "etc/tcptune/suppressions.yaml"
#define TOP "schema: tcptune.suppressions.v1\nsuppressions:\n"

static struct tct_suppressions *suppressions;

static void tear_down(void)
{
	tct_suppressions_free(suppressions);
	suppressions = NULL;
	shelf_close();
}

static int load(const char *text, int64_t now_ns)
{
	tct_suppressions_free(suppressions);
	suppressions = NULL;
	shelf.err = (struct tct_err){ 0 };
	scratch_write(FILE_NAME, text);
	return tct_suppressions_load(&scratch_root, now_ns, &suppressions, &shelf.err);
}

/* "3:5: ...": what is said of a file that is refused. */
static const char *refusal(void)
{
	static char text[1200];
	const char *at;

	(void)tct_err_text(&shelf.err, text, sizeof(text));
	at = strstr(text, FILE_NAME ":");
	ck_assert_msg(at != NULL && text[0] == '/', "%s", text);
	ck_assert_int_eq(shelf.err.fault, TCT_FAULT_INPUT);
	return at + strlen(FILE_NAME) + 1;
}

START_TEST(without_a_file_nothing_is_suppressed)
{
	suppressions = NULL;
	ck_assert_int_eq(tct_suppressions_load(&scratch_root, 0, &suppressions, &shelf.err), 0);
	ck_assert_ptr_null(suppressions);
	ck_assert_int_eq(load("schema: tcptune.suppressions.v1\nsuppressions: []\n", 0), 0);
	ck_assert_ptr_nonnull(suppressions);
	ck_assert_ptr_null(tct_suppressions_find(suppressions, "one", NULL));
	ck_assert_int_lt(
		tct_suppressions_load_file("/nowhere/x.yaml", 0, &suppressions, &shelf.err), 0);
}
END_TEST

START_TEST(patterns_match_what_a_report_names)
{
	static const struct {
		const char *pattern;
		const char *subject;
		bool matches;
	} cases[] = {
		{ "*:5432", "0.0.0.0:5432", true },
		{ "*:5432", "[::]:5432", true },
		{ "*:5432", "0.0.0.0:54321", false },
		{ "[::]:80", "[::]:80", true },
		{ "[::]:80", "::80", false },
		{ "[::1]:*", "[::1]:9", true },
		{ "10.0.0.?:80", "10.0.0.7:80", true },
		{ "10.0.0.?:80", "10.0.0.77:80", false },
		{ "10.0.0.1 -> *:443", "10.0.0.1 -> 10.0.0.9:443", true },
		{ "*a*b*", "xxaxxbxx", true },
		{ "*a*b*", "xxbxxaxx", false },
		{ "*ab", "aab", true },
		{ "*", "", true },
		{ "**", NULL, true },
		{ "?", NULL, false },
		{ "net.ipv4.*", "net.ipv4.tcp_rmem", true },
		{ "net.ipv4", "net.ipv4.tcp_rmem", false },
		{ "net.ipv4.tcp_rmem", "net.ipv4", false },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char text[300];
		const struct tct_suppression *found;

		ck_assert_int_gt(snprintf(text, sizeof(text),
					  TOP "  - {id: one, reason: r, subject: '%s'}\n",
					  cases[i].pattern),
				 0);
		ck_assert_int_eq(load(text, 0), 0);
		found = tct_suppressions_find(suppressions, "one", cases[i].subject);
		ck_assert_msg((found != NULL) == cases[i].matches, "%s, %s", cases[i].pattern,
			      cases[i].subject != NULL ? cases[i].subject : "(the host)");
		ck_assert_ptr_null(tct_suppressions_find(suppressions, "two", cases[i].subject));
	}
}
END_TEST

START_TEST(a_long_pattern_takes_no_time)
{
	char text[400] = TOP "  - {id: one, reason: r, subject: '";
	char subject[200] = "";

	for (size_t i = 0; i < 60; i++)
		strcat(text, "*a");
	strcat(text, "'}\n");
	memset(subject, 'a', 190);
	strcat(subject, "b");
	ck_assert_int_eq(load(text, 0), 0);
	ck_assert_ptr_null(tct_suppressions_find(suppressions, "one", subject));
}
END_TEST

START_TEST(the_last_day_is_a_whole_one)
{
	static const struct {
		const char *day;
		int64_t ends_s; /* date -u -d 'DAY + 1 day' +%s */
	} cases[] = {
		{ "1970-01-01", 86400 },      { "2000-02-29", 951868800 },
		{ "2024-02-29", 1709251200 }, { "2027-03-31", 1806537600 },
		{ "2100-02-28", 4107542400 }, { "2261-12-31", 9214646400 },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char text[300];

		ck_assert_int_gt(snprintf(text, sizeof(text),
					  TOP "  - {id: one, reason: r, expires: %s}\n",
					  cases[i].day),
				 0);
		ck_assert_int_eq(load(text, cases[i].ends_s * SECOND - 1), 0);
		ck_assert_ptr_nonnull(tct_suppressions_find(suppressions, "one", NULL));
		ck_assert_int_eq(suppressions->items[0].expires_ns, cases[i].ends_s * SECOND);
		ck_assert_str_eq(suppressions->items[0].expires, cases[i].day);
		tct_suppressions_set_now(suppressions, cases[i].ends_s * SECOND);
		ck_assert(suppressions->items[0].expired);
		ck_assert_ptr_null(tct_suppressions_find(suppressions, "one", NULL));
		tct_suppressions_set_now(suppressions, 0);
		ck_assert_ptr_nonnull(tct_suppressions_find(suppressions, "one", NULL));
	}
}
END_TEST

START_TEST(an_expired_entry_hides_no_later_one)
{
	ck_assert_int_eq(load(TOP "  - {id: one, reason: old, expires: 2020-01-01}\n"
				  "  - {id: one, reason: new}\n",
			      INT64_C(1806537600) * SECOND),
			 0);
	ck_assert_str_eq(tct_suppressions_find(suppressions, "one", "x")->reason, "new");
	ck_assert_uint_eq(tct_suppressions_find(suppressions, "one", "x")->line, 4);
}
END_TEST

START_TEST(mistakes_are_refused_with_their_place)
{
	static const struct {
		const char *text;
		const char *refusal;
	} cases[] = {
		{ TOP "  - {id: one}\n", "3:5: a suppression needs `reason`" },
		{ TOP "  - {id: one, reason: ' '}\n", "3:23: `reason` is empty" },
		{ TOP "  - {id: one, reason: null}\n", "3:23: `reason` is empty" },
		{ TOP "  - {reason: r}\n", "3:5: a suppression needs `id`" },
		{ TOP "  - {id: o_e, reason: r}\n", "3:10: `o_e` can't be an id: " },
		{ TOP "  - {id: one, reason: r, subject: ''}\n", "3:35: `subject` is empty" },
		{ TOP "  - {id: one, reason: r, until: x}\n",
		  "3:26: unknown field `until` in a suppression" },
		{ TOP "  - {id: one, reason: r, expires: 2027-02-29}\n",
		  "3:35: `expires: 2027-02-29` is no day" },
		{ TOP "  - {id: one, reason: r, expires: 2100-02-29}\n", "3:35: `expires: " },
		{ TOP "  - {id: one, reason: r, expires: 2027-00-01}\n", "3:35: `expires: " },
		{ TOP "  - {id: one, reason: r, expires: 2027-13-01}\n", "3:35: `expires: " },
		{ TOP "  - {id: one, reason: r, expires: 2027-04-31}\n", "3:35: `expires: " },
		{ TOP "  - {id: one, reason: r, expires: 2027-4-1}\n", "3:35: `expires: " },
		{ TOP "  - {id: one, reason: r, expires: '2027-04-01 '}\n", "3:35: `expires: " },
		{ TOP "  - {id: one, reason: r, expires: 1969-12-31}\n", "3:35: `expires: " },
		{ TOP "  - {id: one, reason: r, expires: 2262-01-01}\n", "3:35: `expires: " },
		{ TOP "  - {id: one, reason: r, expires: ''}\n", "3:35: `expires: ` is no day" },
		{ "suppressions: []\n", "1:1: the file of suppressions needs `schema`" },
		{ "schema: x\nsuppressions: []\n", "1:9: unknown schema `x`" },
		{ TOP "  - a: [\n", "4:1: " },
		{ "- a\n", "1:1: the file of suppressions must be a mapping, not a list" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		ck_assert_int_lt(load(cases[i].text, 0), 0);
		ck_assert_ptr_null(suppressions);
		ck_assert_msg(strncmp(refusal(), cases[i].refusal, strlen(cases[i].refusal)) == 0,
			      "%s: %s", cases[i].text, refusal());
	}
}
END_TEST

START_TEST(the_rule_must_exist_somewhere)
{
	shelf_put("mine", HEAD("mine") "rules: [{id: my-rule, when: 'true', severity: info, "
				       "cause: sysctl, title: t}]\n");
	shelf_put("broken", "rules: [{id: broken-rule}\n");
	shelf_put("odd", "rules: {id: odd-rule}\n");
	shelf_load("other"); /* it has no rules of its own */

	/* of the set, of a built-in profile that isn't in use, of the host's */
	ck_assert_int_eq(load(TOP "  - {id: two, reason: r}\n  - {id: my-rule, reason: r}\n", 0),
			 0);
	ck_assert_int_eq(tct_suppressions_check(suppressions, shelf.set, &scratch_root, &shelf.err),
			 0);
	/* without a host its profiles are not known */
	ck_assert_int_lt(tct_suppressions_check(suppressions, shelf.set, NULL, &shelf.err), 0);
	ck_assert_str_eq(refusal(), "4:10: no rule has the id `my-rule`");

	ck_assert_int_eq(load(TOP "  - {id: my-ruel, reason: r}\n", 0), 0);
	ck_assert_int_lt(tct_suppressions_check(suppressions, shelf.set, &scratch_root, &shelf.err),
			 0);
	ck_assert_str_eq(refusal(), "3:10: no rule has the id `my-ruel`: did you mean `my-rule`?");

	ck_assert_int_eq(load(TOP "  - {id: broken-rule, reason: r}\n", 0), 0);
	ck_assert_int_lt(tct_suppressions_check(suppressions, shelf.set, &scratch_root, &shelf.err),
			 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suppressions");
	TCase *tests = tcase_create("suppressions");

	tcase_add_checked_fixture(tests, shelf_open, tear_down);
	tcase_add_test(tests, without_a_file_nothing_is_suppressed);
	tcase_add_test(tests, patterns_match_what_a_report_names);
	tcase_add_test(tests, a_long_pattern_takes_no_time);
	tcase_add_test(tests, the_last_day_is_a_whole_one);
	tcase_add_test(tests, an_expired_entry_hides_no_later_one);
	tcase_add_test(tests, mistakes_are_refused_with_their_place);
	tcase_add_test(tests, the_rule_must_exist_somewhere);
	suite_add_tcase(suite, tests);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
