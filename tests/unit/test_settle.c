/* Which findings are told: root causes, order, the top of each rule, suppressions, lasting ones. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/judge/report.h"
#include "audit/rules/history.h"
#include "core/mem.h"
#include "tests/unit/profile_shelf.h"
#include "tests/unit/scratch.h"

#define SECOND INT64_C(1000000000)
#define RULE(id, fields) "  - {id: " id ", cause: sysctl, title: " id ", " fields "}\n"
#define LISTENER(id, fields) RULE(id, "each: listener, " fields)

static struct tct_observation *seen;
static struct tct_report *report;

static void set_up(void)
{
	shelf_open();
	seen = tct_observation_new();
	ck_assert_ptr_nonnull(seen);
	seen->listeners_presence = TCT_PRESENT;
	seen->interval_ns = SECOND;
	report = NULL;
}

static void tear_down(void)
{
	tct_report_free(report);
	tct_observation_free(seen);
	shelf_close();
}

static struct tct_listener *add(uint16_t port, uint32_t queue, uint32_t backlog)
{
	struct tct_listener *listener = TCT_APPEND(seen, listeners);

	ck_assert_ptr_nonnull(listener);
	*listener = (struct tct_listener){
		.family = AF_INET,
		.address = "10.0.0.1",
		.port = port,
		.queue = queue,
		.queue_first = queue,
		.backlog = backlog,
		.drops = -1,
		.drops_first = -1,
		.syn_recv_resent = -1,
	};
	return listener;
}

static void judge_as(const struct tct_judge_options *options)
{
	struct tct_err err = { 0 };

	tct_report_free(report);
	report = NULL;
	ck_assert_int_eq(tct_judge(seen, shelf.set, &shelf.facts, options, &report, &err), 0);
}

static void judge(const char *rules)
{
	char text[4096];

	ck_assert_int_gt(snprintf(text, sizeof(text), HEAD("t") "rules:\n%s", rules), 0);
	shelf_put("t", text);
	shelf_load("t");
	judge_as(NULL);
}

/* "a 10.0.0.1:80, b -": what is told, in its order. */
static const char *told(void)
{
	static char text[4096];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < report->findings_count; i++) {
		const struct tct_finding *finding = &report->findings[i];
		const char *subject = finding->subject != NULL ? finding->subject : "-";

		if (strncmp(subject, "10.0.0.1:", 9) == 0)
			subject += 9;
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s %s",
					   i > 0 ? ", " : "", finding->rule->id, subject);
		ck_assert_uint_lt(length, sizeof(text));
	}
	return text;
}

static const char *explained(void)
{
	static char text[1024];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < report->explained_count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s by %s",
					   i > 0 ? ", " : "", report->explained[i].id,
					   report->explained[i].by);
	return text;
}

static const char *reason_of(const char *id)
{
	for (size_t i = 0; i < report->not_evaluated_count; i++) {
		if (strcmp(report->not_evaluated[i].id, id) == 0)
			return report->not_evaluated[i].reason;
	}
	return "";
}

/* ---- order and top ---- */

START_TEST(the_worst_are_told_first_and_the_rest_is_counted)
{
	for (uint16_t i = 0; i < 500; i++)
		add((uint16_t)(32768 + i), (uint32_t)(i * 7 % 500), 0);
	judge(LISTENER("many", "when: 'port >= 32768', severity: warning, sort: queue, top: 3"));
	/* the queues 499, 498, 497: i * 7 mod 500 */
	ck_assert_str_eq(told(), "many 33125, many 32982, many 32839");
	ck_assert_uint_eq(report->by_severity[TCT_SEVERITY_WARNING], 500);
	ck_assert_uint_eq(report->omitted_count, 1);

	const struct tct_omitted *omitted = &report->omitted[0];
	size_t characters = 0;

	ck_assert_ptr_eq(tct_report_omitted(report, report->findings[0].rule, omitted->severity),
			 omitted);
	ck_assert_ptr_null(tct_report_omitted(report, report->findings[0].rule, TCT_SEVERITY_INFO));
	ck_assert_str_eq(omitted->rule->id, "many");
	ck_assert_uint_eq(omitted->count, 497);
	ck_assert_str_eq(omitted->subjects[0], "10.0.0.1:33196");
	for (size_t i = 0; i < omitted->subjects_count; i++)
		characters += strlen(omitted->subjects[i]) + 2;
	ck_assert_uint_le(characters, 202);
	ck_assert_uint_ge(omitted->subjects_count, 10);
	ck_assert_ptr_nonnull(report->findings[0].evidence);
}
END_TEST

START_TEST(all_are_told_if_they_are_wanted)
{
	static const struct tct_judge_options options = { .all = true };

	for (uint16_t i = 0; i < 12; i++)
		add((uint16_t)(1000 + i), 1, 0);
	judge(LISTENER("many", "when: 'queue > 0', severity: warning"));
	ck_assert_uint_eq(report->findings_count, TCT_TOP_DEFAULT);
	ck_assert_uint_eq(report->omitted[0].count, 12 - TCT_TOP_DEFAULT);
	ck_assert_str_eq(report->findings[0].subject, "10.0.0.1:1000");
	judge_as(&options);
	ck_assert_uint_eq(report->findings_count, 12);
	ck_assert_uint_eq(report->omitted_count, 0);
	ck_assert_uint_eq(report->by_severity[TCT_SEVERITY_WARNING], 12);
}
END_TEST

START_TEST(each_severity_has_a_top_of_its_own)
{
	for (uint16_t i = 0; i < 6; i++)
		add((uint16_t)(10 + i), i < 3 ? 9 : 1, 0);
	judge(LISTENER("many", "when: 'true', sort: port, top: 2, "
			       "severity: {critical: queue > 5, info: 'true'}"));
	ck_assert_str_eq(told(), "many 12, many 11, many 15, many 14");
	ck_assert_uint_eq(report->omitted_count, 2);
	ck_assert_int_eq(report->omitted[0].severity, TCT_SEVERITY_CRITICAL);
	ck_assert_str_eq(report->omitted[0].subjects[0], "10.0.0.1:10");
	ck_assert_str_eq(report->omitted[1].subjects[0], "10.0.0.1:13");
}
END_TEST

START_TEST(what_cannot_be_sorted_comes_last)
{
	add(1, 1, 0)->drops = -1;
	add(2, 1, 0)->drops = 5;
	add(3, 1, 0)->drops = 0;
	judge(LISTENER("many", "when: 'true', severity: info, sort: drops"));
	ck_assert_str_eq(told(), "many 2, many 3, many 1");
}
END_TEST

START_TEST(siblings_say_it_once)
{
	add(80, 7, 0);
	add(81, 3, 0);
	add(80, 7, 0);
	judge(LISTENER("many", "when: 'true', severity: info, sort: port"));
	ck_assert_str_eq(told(), "many 81, many 80");
	ck_assert_uint_eq(report->by_severity[TCT_SEVERITY_INFO], 2);
}
END_TEST

/* Quadratic, these would take minutes; the texts of all would take megabytes. */
START_TEST(five_thousand_findings_cost_little)
{
	struct timespec began;
	struct timespec ended;

	for (uint16_t i = 0; i < 5000; i++)
		add((uint16_t)(1 + i), i, 0);
	ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began), 0);
	judge(LISTENER("cause", "when: 'port > 2500', severity: warning, explains: [loud]")
		      LISTENER("loud", "when: 'true', severity: warning, sort: queue") LISTENER(
			      "quiet", "when: 'true', severity: info, sort: queue, top: 1000"));
	ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended), 0);
	ck_assert_uint_eq(report->by_severity[TCT_SEVERITY_WARNING], 5000);
	ck_assert_uint_eq(report->findings_count, 5 + 5 + 1000);
	ck_assert_int_lt(ended.tv_sec - began.tv_sec, 5);
}
END_TEST

/* ---- root causes ---- */

START_TEST(a_root_cause_explains_the_same_subject_only)
{
	add(80, 9, 5);
	add(81, 9, 100);
	judge(LISTENER("full", "when: 'queue > backlog', severity: critical, explains: [slow]")
		      LISTENER("slow", "when: 'queue > 3', severity: warning"));
	ck_assert_str_eq(told(), "full 80, slow 81");
	ck_assert_str_eq(explained(), "slow by full");
}
END_TEST

START_TEST(a_root_cause_of_another_kind_explains_all)
{
	add(80, 9, 5);
	add(81, 9, 100);
	judge(LISTENER("full", "when: 'queue > backlog', severity: critical, explains: [host]")
		      RULE("host", "when: 'true', severity: warning, explains: [slow]")
			      LISTENER("slow", "when: 'queue > 3', severity: info"));
	/* one that is itself explained still explains */
	ck_assert_str_eq(told(), "full 80");
	ck_assert_str_eq(explained(), "host by full, slow by host");
}
END_TEST

START_TEST(a_milder_or_later_finding_explains_nothing)
{
	add(80, 9, 5);
	judge(LISTENER("mild", "when: 'true', severity: info, explains: [bad]") LISTENER(
		"bad", "when: 'true', severity: warning, explains: [first]")
		      LISTENER("first", "when: 'true', severity: warning, explains: [bad]"));
	ck_assert_str_eq(told(), "bad 80, mild 80");
	ck_assert_str_eq(explained(), "first by bad");
}
END_TEST

START_TEST(the_worst_of_siblings_explains)
{
	add(80, 1, 5);
	add(80, 9, 5);
	judge(LISTENER("slow", "when: 'queue > 0', severity: warning")
		      LISTENER("full", "when: 'queue > 0', explains: [slow], "
				       "severity: {critical: queue > backlog, info: 'true'}"));
	ck_assert_str_eq(told(), "full 80, full 80");
	ck_assert_str_eq(explained(), "slow by full");
}
END_TEST

/* ---- kernels ---- */

START_TEST(a_rule_of_other_kernels_is_passed_over)
{
	static const char rules[] = RULE("old", "until: 4.12, when: 'true', severity: info")
		RULE("new", "since: 4.12, when: 'true', severity: info")
			RULE("between", "since: 4.1, until: 4.13, when: 'true', severity: info");

	judge(rules);
	ck_assert_str_eq(told(), "new -");
	ck_assert_uint_eq(report->not_evaluated_count, 0);

	shelf.facts.value[TCT_FACT_KERNEL] = TCT_VERSION(3, 10);
	judge(rules);
	ck_assert_str_eq(told(), "old -");

	shelf.facts.value[TCT_FACT_KERNEL] = TCT_VERSION(4, 12);
	judge(rules);
	ck_assert_str_eq(told(), "new -, between -");

	shelf.facts.known[TCT_FACT_KERNEL] = false;
	judge(rules);
	ck_assert_str_eq(told(), "");
	ck_assert_uint_eq(report->not_evaluated_count, 3);
	ck_assert_str_eq(reason_of("old"), "the kernel's version is not known");
}
END_TEST

/* ---- what must last ---- */

static const char lasting[] = LISTENER(
	"stuck", "when: 'queue > 0 and drops_growth >= 0', for_at_least: 10s, severity: info")
	LISTENER("level", "when: 'queue > 0', for_at_least: 10s, severity: info");

START_TEST(two_looks_can_show_that_it_lasts)
{
	struct tct_listener *listener = add(80, 1, 0);

	listener->drops = listener->drops_first = 0;
	judge(lasting);
	ck_assert_str_eq(told(), "");
	ck_assert_str_eq(reason_of("stuck"),
			 "must hold for 10 s: tcptune watch, or audit --interval 10");
	ck_assert_str_eq(reason_of("level"), "must hold for 10 s: only tcptune watch can tell");

	seen->interval_ns = 10 * SECOND;
	judge(lasting);
	ck_assert_str_eq(told(), "stuck 80");
	ck_assert_str_eq(reason_of("stuck"), "");

	listener->queue = 0; /* it doesn't hold: nothing is unknown about that */
	seen->interval_ns = SECOND;
	judge(lasting);
	ck_assert_uint_eq(report->not_evaluated_count, 0);
}
END_TEST

/* As variables may have it. */
START_TEST(times_at_the_edges)
{
	static const char edges[] = LISTENER(
		"none", "when: 'queue > 0', for_at_least: 1s - 2s, severity: info")
		LISTENER(
			"ages",
			"when: 'queue > 0 and drops_growth >= 0', for_at_least: 9223372036854775807ns, severity: info")
			LISTENER(
				"more",
				"when: 'queue > 0 and drops_growth >= 0', for_at_least: 10000000001ns, severity: info");
	struct tct_listener *listener = add(80, 1, 0);

	listener->drops = listener->drops_first = 0;
	judge(edges);
	ck_assert_str_eq(told(), "none 80");
	ck_assert_str_eq(reason_of("none"), "");
	ck_assert_ptr_nonnull(strstr(reason_of("ages"), "or audit --interval 9223372037"));
	ck_assert_ptr_nonnull(strstr(reason_of("more"), "or audit --interval 11"));
}
END_TEST

START_TEST(who_looks_again_follows_each_subject)
{
	struct tct_history *history = tct_history_new();
	const struct tct_judge_options options = { .history = history };

	ck_assert_ptr_nonnull(history);
	add(80, 1, 0);
	add(81, 0, 0);
	judge(lasting);
	for (int64_t second = 0; second <= 20; second += 5) {
		seen->listeners[1].queue = second >= 10;
		tct_history_add(history, seen, (100 + second) * SECOND);
		judge_as(&options);
		ck_assert_str_eq(told(), second < 10   ? ""
					 : second < 20 ? "level 80"
						       : "level 80, level 81");
		ck_assert_str_eq(reason_of("level"), "");
	}
	tct_history_free(history);
}
END_TEST

/* ---- suppressions ---- */

static const char suppressions_head[] = "schema: tcptune.suppressions.v1\nsuppressions:\n";

static struct tct_suppressions *load(const char *entries, int64_t now_ns)
{
	struct tct_suppressions *suppressions = NULL;
	char text[2048];

	ck_assert_int_gt(snprintf(text, sizeof(text), "%s%s", suppressions_head, entries), 0);
	scratch_write("etc/tcptune/suppressions.yaml", text);
	ck_assert_int_eq(tct_suppressions_load(&scratch_root, now_ns, &suppressions, &shelf.err),
			 0);
	ck_assert_ptr_nonnull(suppressions);
	return suppressions;
}

START_TEST(a_suppressed_finding_is_counted_apart)
{
	struct tct_suppressions *suppressions =
		load("  - {id: slow, subject: '*:81', reason: known, expires: 2027-03-31}\n", 0);
	const struct tct_judge_options options = { .suppressions = suppressions };

	add(80, 1, 0);
	add(81, 1, 0);
	judge(LISTENER("slow", "when: 'true', severity: warning"));
	judge_as(&options);
	ck_assert_str_eq(told(), "slow 80");
	ck_assert_uint_eq(report->by_severity[TCT_SEVERITY_WARNING], 1);
	ck_assert_uint_eq(report->suppressed_count, 1);
	ck_assert_str_eq(report->suppressed[0].id, "slow");
	ck_assert_str_eq(report->suppressed[0].subject, "10.0.0.1:81");
	ck_assert_str_eq(report->suppressed[0].title, "slow");
	ck_assert_int_eq(report->suppressed[0].severity, TCT_SEVERITY_WARNING);
	ck_assert_str_eq(report->suppressed[0].by->reason, "known");
	ck_assert_str_eq(report->suppressed[0].by->expires, "2027-03-31");
	tct_report_free(TCT_STEAL(report));
	tct_suppressions_free(suppressions);
}
END_TEST

START_TEST(a_suppressed_root_cause_still_explains)
{
	struct tct_suppressions *suppressions = load("  - {id: full, reason: known}\n", 0);
	const struct tct_judge_options options = { .suppressions = suppressions };

	add(80, 9, 5);
	judge(LISTENER("full", "when: 'queue > backlog', severity: critical, explains: [slow]")
		      LISTENER("slow", "when: 'queue > 3', severity: warning"));
	judge_as(&options);
	ck_assert_str_eq(told(), "");
	ck_assert_str_eq(explained(), "slow by full");
	ck_assert_uint_eq(report->suppressed_count, 1);
	tct_report_free(TCT_STEAL(report));
	tct_suppressions_free(suppressions);
}
END_TEST

START_TEST(an_expired_one_suppresses_nothing_and_is_told)
{
	/* 2027-04-02 */
	const int64_t now_ns = INT64_C(1806624000) * SECOND;
	struct tct_suppressions *suppressions =
		load("  - {id: slow, reason: known, expires: 2027-03-31}\n", now_ns);
	const struct tct_judge_options options = { .suppressions = suppressions };

	seen->host.taken_at_ns = now_ns;
	add(80, 9, 5);
	judge(LISTENER("slow", "when: 'queue > 3', severity: warning")
		      RULE("late", "each: suppression, when: expired, severity: info, "
				   "evidence: {days: days_expired}"));
	judge_as(&options);
	ck_assert_str_eq(told(), "slow 80, late /etc/tcptune/suppressions.yaml:3");
	ck_assert_uint_eq(report->suppressed_count, 0);
	ck_assert_uint_eq(report->findings[1].evidence_count, 1);
	ck_assert_int_eq(report->findings[1].evidence[0].result.number, 1);
	tct_report_free(TCT_STEAL(report));
	tct_suppressions_free(suppressions);
}
END_TEST

/* ---- subjects ---- */

START_TEST(subjects_are_what_a_person_would_type)
{
	struct tct_owner_group *group = TCT_APPEND(seen, owners);
	struct tct_destination *destination;
	struct tct_interface *interface;
	struct tct_peer *peer;

	ck_assert_ptr_nonnull(group);
	*group = (struct tct_owner_group){ .owner = { .pid = 123, .comm = "nginx" } };
	seen->outgoing.presence = TCT_PRESENT;
	destination = TCT_APPEND(&seen->outgoing, destinations);
	ck_assert_ptr_nonnull(destination);
	*destination = (struct tct_destination){ .family = AF_INET,
						 .source = "10.0.0.1",
						 .address = "10.0.0.9",
						 .port = 443 };
	destination = TCT_APPEND(&seen->outgoing, destinations);
	ck_assert_ptr_nonnull(destination);
	*destination = (struct tct_destination){ .family = AF_INET6,
						 .source = "2001:db8::1",
						 .address = "2001:db8::9",
						 .port = 443 };
	seen->peers_presence = TCT_PRESENT;
	peer = TCT_APPEND(seen, peers);
	ck_assert_ptr_nonnull(peer);
	*peer = (struct tct_peer){ .address = "10.0.0.7", .local = "10.0.0.1:443", .port = 443 };
	seen->interfaces_presence = TCT_PRESENT;
	interface = TCT_APPEND(seen, interfaces);
	ck_assert_ptr_nonnull(interface);
	*interface = (struct tct_interface){ .name = "eth0" };
	for (size_t i = 0; i < TCT_POPULATION_LIMIT; i++)
		seen->populations[i].presence = TCT_PRESENT;
	seen->sample.whole = true;
	seen->states.method = TCT_METHOD_EXACT;
	strcpy(seen->host.netns.name, "blue");

	struct tct_observation *host = tct_observation_new();
	const struct tct_judge_options options = { .host = host };

	judge(RULE("a", "each: owner, when: 'true', severity: info")
		      RULE("b", "each: destination, when: 'true', severity: info")
			      RULE("c", "each: peer, when: 'true', severity: info") RULE(
				      "d", "each: interface, when: 'true', severity: info")
				      RULE("e", "each: namespace, when: 'true', severity: info"));
	ck_assert_ptr_nonnull(host);
	judge_as(&options);
	ck_assert_str_eq(told(), "a nginx[123], b 10.0.0.1 -> 10.0.0.9:443, "
				 "b 2001:db8::1 -> [2001:db8::9]:443, "
				 "c 10.0.0.7 -> 10.0.0.1:443, d eth0, e blue");
	tct_observation_free(host);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settle");
	TCase *tests = tcase_create("settle");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, the_worst_are_told_first_and_the_rest_is_counted);
	tcase_add_test(tests, all_are_told_if_they_are_wanted);
	tcase_add_test(tests, each_severity_has_a_top_of_its_own);
	tcase_add_test(tests, what_cannot_be_sorted_comes_last);
	tcase_add_test(tests, siblings_say_it_once);
	tcase_add_test(tests, five_thousand_findings_cost_little);
	tcase_add_test(tests, a_root_cause_explains_the_same_subject_only);
	tcase_add_test(tests, a_root_cause_of_another_kind_explains_all);
	tcase_add_test(tests, a_milder_or_later_finding_explains_nothing);
	tcase_add_test(tests, the_worst_of_siblings_explains);
	tcase_add_test(tests, a_rule_of_other_kernels_is_passed_over);
	tcase_add_test(tests, two_looks_can_show_that_it_lasts);
	tcase_add_test(tests, times_at_the_edges);
	tcase_add_test(tests, who_looks_again_follows_each_subject);
	tcase_add_test(tests, a_suppressed_finding_is_counted_apart);
	tcase_add_test(tests, a_suppressed_root_cause_still_explains);
	tcase_add_test(tests, an_expired_one_suppresses_nothing_and_is_told);
	tcase_add_test(tests, subjects_are_what_a_person_would_type);
	suite_add_tcase(suite, tests);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
