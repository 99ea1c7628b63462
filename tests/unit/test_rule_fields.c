/* The fields of rules on kernels, order and time; and what rules make it worth to look at. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/needs.h"
#include "core/mem.h"
#include "tests/unit/profile_shelf.h"
#include "tests/unit/scratch.h"

#define TAIL "severity: info, cause: network, title: x}\n"

/* A profile `p` of one rule: each and the like, with a comma after it, then `when`. */
static void put_rule(const char *fields, const char *when)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       HEAD("p") "variables: {hold: 10s}\nrules:\n- {id: r, %s when: \"%s\", " TAIL,
		       fields, when);
	shelf_put("p", text);
}

static const struct tct_rule *load_rule(const char *fields)
{
	put_rule(fields, "true");
	shelf_load("p");
	return shelf_rule("r");
}

START_TEST(fields_are_read)
{
	const struct tct_rule *rule = load_rule(
		"each: listener, since: 4.12, until: 6.6.3, sort: queue - backlog, top: 1000, "
		"for_at_least: 2 * hold,");

	ck_assert_int_eq(rule->since, TCT_VERSION(4, 12));
	ck_assert_int_eq(rule->until, tct_version_parse("6.6.3"));
	ck_assert_str_eq(tct_expr_source(rule->sort), "queue - backlog");
	ck_assert_uint_eq(rule->top, 1000);
	ck_assert_str_eq(tct_expr_source(rule->for_at_least), "2 * hold");
	rule = load_rule("");
	ck_assert_int_eq(rule->since, 0);
	ck_assert_int_eq(rule->until, 0);
	ck_assert_ptr_null(rule->sort);
	ck_assert_uint_eq(rule->top, TCT_TOP_DEFAULT);
	ck_assert_ptr_null(rule->for_at_least);
	ck_assert_uint_eq(load_rule("each: peer, top: 1,")->top, 1);
	/* 4.10 is not 4.1 */
	ck_assert_int_eq(load_rule("since: 4.10,")->since, TCT_VERSION(4, 10));
}
END_TEST

START_TEST(every_item_has_a_word)
{
	static const char *const words[] = {
		[TCT_EACH_LISTENER] = "listener",
		[TCT_EACH_OWNER] = "owner",
		[TCT_EACH_DESTINATION] = "destination",
		[TCT_EACH_PEER] = "peer",
		[TCT_EACH_INTERFACE] = "interface",
		[TCT_EACH_NAMESPACE] = "namespace",
		[TCT_EACH_KEY] = "key",
		[TCT_EACH_LINE] = "line",
		[TCT_EACH_SUPPRESSION] = "suppression",
	};

	for (size_t i = TCT_EACH_LISTENER; i < TCT_COUNT(words); i++) {
		char fields[64];

		(void)snprintf(fields, sizeof(fields), "each: %s,", words[i]);
		ck_assert_int_eq(load_rule(fields)->each, (enum tct_each)i);
		ck_assert_str_eq(tct_each_name((enum tct_each)i), words[i]);
	}
}
END_TEST

START_TEST(wrong_fields_are_refused)
{
	static const struct {
		const char *fields;
		const char *said;
	} examples[] = {
		{ "since: four,", "6:18: `since` takes a kernel's version: 4.12" },
		{ "since: 4,", "6:18: `since` takes a kernel's version: 4.12" },
		{ "since: 4.x,", "6:18: `since` takes a kernel's version: 4.12" },
		{ "until: [4.12],", "6:18: `until` must be text, not a list" },
		{ "until: \"\",", "6:18: `until` takes a kernel's version: 4.12" },
		{ "since: 4.12, until: 4.12,",
		  "6:31: `until: 4.12` is not after `since: 4.12`: the rule would hold on no kernel" },
		{ "since: 6.0, until: 4.12,",
		  "6:30: `until: 4.12` is not after `since: 6.0`: the rule would hold on no kernel" },
		{ "each: listener, sort: address,", "6:33: `sort` needs a number, not text" },
		{ "each: listener, sort: used,",
		  "6:33: `used` is only known in rules with `each: destination`" },
		{ "each: listener, sort: queue >,",
		  "6:40: the expression ends where a value should be" },
		{ "sort: cpus,",
		  "6:17: `sort` is for rules with `each`: without it there is one finding at most" },
		{ "top: 3,",
		  "6:16: `top` is for rules with `each`: without it there is one finding at most" },
		{ "each: listener, top: 0,", "6:32: `top` takes a number from 1 to 1000" },
		{ "each: listener, top: 1001,", "6:32: `top` takes a number from 1 to 1000" },
		{ "each: listener, top: -1,", "6:32: `top` takes a number from 1 to 1000" },
		{ "each: listener, top: 99999999999999999999,",
		  "6:32: `top` takes a number from 1 to 1000" },
		{ "each: listener, top: many,", "6:32: `top` takes a number from 1 to 1000" },
		{ "each: listener, top: 1.5,", "6:32: `top` takes a number from 1 to 1000" },
		{ "for_at_least: 10,",
		  "6:25: 10 stands for a time here: give it a unit (ms, s, min ...)" },
		{ "for_at_least: 1MiB,", "6:25: a time is needed here, not bytes" },
		{ "for_at_least: 0s,", "6:25: `for_at_least` must be more than 0" },
		{ "for_at_least: 0,", "6:25: `for_at_least` must be more than 0" },
		{ "for_at_least: interval,",
		  "6:25: `interval` can only be used in rules: settings must not depend on what is seen" },
	};

	for (size_t i = 0; i < TCT_COUNT(examples); i++) {
		const char *said;

		put_rule(examples[i].fields, "true");
		said = shelf_refusal("p");
		ck_assert_msg(strstr(said, examples[i].said) != NULL, "%s: %s", examples[i].fields,
			      said);
	}
}
END_TEST

START_TEST(rules_hold_on_some_kernels)
{
	static const struct {
		const char *fields;
		tct_version kernel;
		bool holds;
		bool known;
	} examples[] = {
		{ "", TCT_VERSION(3, 10), true, true },
		{ "", 0, true, true },
		{ "since: 4.12,", TCT_VERSION(4, 11), false, true },
		{ "since: 4.12,", TCT_VERSION(4, 12), true, true },
		{ "since: 4.12,", TCT_VERSION(4, 12) + 7, true, true }, /* 4.12.7 */
		{ "since: 4.12,", 0, false, false },
		{ "until: 4.12,", TCT_VERSION(4, 12) - 1, true, true },
		{ "until: 4.12,", TCT_VERSION(4, 12), false, true },
		{ "until: 4.12,", 0, false, false },
		{ "since: 4.12, until: 6.0,", TCT_VERSION(5, 4), true, true },
		{ "since: 4.12, until: 6.0,", TCT_VERSION(6, 1), false, true },
	};

	for (size_t i = 0; i < TCT_COUNT(examples); i++) {
		struct tct_facts facts = { .value = { [TCT_FACT_KERNEL] = examples[i].kernel } };
		bool known = !examples[i].known;

		facts.known[TCT_FACT_KERNEL] = examples[i].kernel != 0;
		ck_assert_msg(tct_rule_holds_on(load_rule(examples[i].fields), &facts, &known) ==
				      examples[i].holds,
			      "%s", examples[i].fields);
		ck_assert_msg(known == examples[i].known, "%s", examples[i].fields);
	}
}
END_TEST

START_TEST(only_what_is_asked_for_is_looked_at)
{
	static const struct {
		const char *fields;
		const char *when;
		unsigned looks;
	} examples[] = {
		{ "", "cpus > 1", 0 },
		{ "", "state(CLOSE_WAIT) > 1 and uptime > 1h and container == ''", 0 },
		{ "", "population(unguarded) > 1", TCT_LOOK_POPULATIONS },
		{ "", "idle(unguarded, 1h) > 1", TCT_LOOK_POPULATIONS },
		{ "", "outgoing(distinct) > 1", TCT_LOOK_DESTINATIONS },
		{ "each: listener,", "queue > backlog and growing(queue)", 0 },
		{ "each: listener,", "established > 1", TCT_LOOK_POPULATIONS },
		{ "each: listener,", "unguarded > 1", TCT_LOOK_POPULATIONS },
		{ "each: listener,", "owner == ''", TCT_LOOK_OWNERS },
		{ "each: listener,", "unaccepted_kept > 1", TCT_LOOK_UNACCEPTED },
		{ "each: listener, sort: remote,", "queue > 1", TCT_LOOK_POPULATIONS },
		{ "each: owner,", "close_wait > 1", TCT_LOOK_OWNERS | TCT_LOOK_POPULATIONS },
		{ "each: owner,", "growing(close_wait)",
		  TCT_LOOK_OWNERS | TCT_LOOK_POPULATIONS | TCT_LOOK_CLOSE_WAIT_FIRST },
		{ "each: destination,", "growing(used)", TCT_LOOK_DESTINATIONS },
		{ "each: destination,", "unit == ''", TCT_LOOK_DESTINATIONS | TCT_LOOK_OWNERS },
		{ "each: peer,", "established > 1",
		  TCT_LOOK_PEERS | TCT_LOOK_POPULATIONS | TCT_LOOK_OWNERS },
		{ "each: interface,", "mtu > 1", TCT_LOOK_INTERFACES },
		{ "each: namespace,", "diverging > 1", 0 },
		{ "each: suppression,", "expired", 0 },
		{ "each: line,", "earlier_lines('net') > 1", 0 },
	};

	for (size_t i = 0; i < TCT_COUNT(examples); i++) {
		put_rule(examples[i].fields, examples[i].when);
		shelf_load("p");
		ck_assert_msg(tct_profile_set_looks(shelf.set) == examples[i].looks, "%s: %#x",
			      examples[i].when, tct_profile_set_looks(shelf.set));
	}
}
END_TEST

/* Whether it is the host's alone, and whether it needs a key that nothing speaks of. */
START_TEST(namespaces_are_asked_for_what_is_theirs)
{
	static const struct {
		const char *fields;
		const char *when;
		bool the_hosts;
		bool all_keys;
	} examples[] = {
		{ "each: owner,", "close_wait > 1", false, false },
		{ "each: destination,", "used > 1", false, false },
		{ "each: peer,", "established > 1", false, false },
		{ "each: interface,", "mtu > 1", false, false },
		{ "each: namespace,", "diverging > 1", false, false },
		{ "each: suppression,", "expired", true, false },
		{ "each: line,", "earlier_lines('net') > 1", true, false },
		{ "each: key,", "shadowed", true, false },
		{ "", "outgoing(distinct) > 1", false, false },
		{ "", "nat", false, false },
		{ "", "uptime > 1h and container == ''", true, false },
		{ "", "rate_over(TcpExt.ListenDrops, 60s) > 1", false, false },
		{ "", "rate_over(softnet.dropped, 60s) > 1", true, false },
	};
	const struct tct_kernel_key *key = tct_kernel_key_find("net.ipv4.tcp_moderate_rcvbuf");

	ck_assert_ptr_nonnull(key);
	for (size_t i = 0; i < TCT_COUNT(examples); i++) {
		struct tct_needs needs;
		size_t rule = 0;

		put_rule(examples[i].fields, examples[i].when);
		shelf_load("p");
		ck_assert_int_eq(tct_needs_find(shelf.set, &needs), 0);
		while (strcmp(shelf.set->rules[rule].id, "r") != 0)
			rule++;
		ck_assert_msg(tct_rule_is_the_hosts(shelf.set, &needs, rule) ==
				      examples[i].the_hosts,
			      "%s", examples[i].when);
		ck_assert_msg(needs.keys[tct_kernel_key_index(key)] == examples[i].all_keys, "%s",
			      examples[i].when);
		if (strncmp(examples[i].when, "rate_over(TcpExt", 16) == 0)
			ck_assert_uint_eq(needs.growth_groups, 1U << TCT_GROUP_TCPEXT);
		ck_assert(needs.compares == (strncmp(examples[i].when, "diverging", 9) == 0));
		tct_needs_done(&needs);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rule fields");
	TCase *tests = tcase_create("rule fields");

	tcase_add_checked_fixture(tests, shelf_open, shelf_close);
	tcase_add_test(tests, fields_are_read);
	tcase_add_test(tests, every_item_has_a_word);
	tcase_add_test(tests, wrong_fields_are_refused);
	tcase_add_test(tests, rules_hold_on_some_kernels);
	tcase_add_test(tests, only_what_is_asked_for_is_looked_at);
	tcase_add_test(tests, namespaces_are_asked_for_what_is_theirs);
	suite_add_tcase(suite, tests);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
