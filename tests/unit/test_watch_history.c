/* What `watch` remembers: samples, rates, sparklines, and how long findings have been there. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/watch_world.h"

static struct world world; /* set up afresh for every test, in a process of its own */

static void set_up(void)
{
	world_open(&world);
}

static void tear_down(void)
{
	world_close(&world);
}

static void add_established(int64_t count)
{
	world.observation->states.counts[TCT_STATE_ESTABLISHED] = count;
	world_add(&world, 1);
}

static const int64_t *established(void)
{
	return world.history->states[TCT_STATE_ESTABLISHED];
}

START_TEST(samples_newest_first)
{
	ck_assert_int_eq(tct_watch_sample(world.history, established(), 0), -1);
	for (int i = 0; i < TCT_WATCH_SAMPLES + 10; i++)
		add_established(i);
	ck_assert_int_eq(tct_watch_sample(world.history, established(), 0), TCT_WATCH_SAMPLES + 9);
	ck_assert_int_eq(tct_watch_sample(world.history, established(), TCT_WATCH_SAMPLES - 1), 10);
	ck_assert_int_eq(tct_watch_sample(world.history, established(), TCT_WATCH_SAMPLES), -1);
	ck_assert(tct_watch_moved(world.history, established()));
	ck_assert(!tct_watch_moved(world.history, world.history->states[TCT_STATE_CLOSING]));
}
END_TEST

START_TEST(states_that_nobody_counted)
{
	world.observation->states.method = TCT_METHOD_NONE;
	add_established(7);
	ck_assert_int_eq(tct_watch_sample(world.history, established(), 0), -1);
}
END_TEST

static int64_t rate(const char *name)
{
	for (size_t i = 0; i < TCT_WATCH_RATES; i++) {
		if (strcmp(tct_watch_rates[i].counter, name) == 0)
			return tct_watch_sample(world.history, world.history->rates_ppm[i], 0);
	}
	ck_abort_msg("%s is no rate that is kept", name);
	return 0;
}

START_TEST(rates_are_per_second)
{
	world.observation->interval_ns = SECOND_NS / 2;
	world_counter(&world, "Tcp.PassiveOpens", 1000, 1030);
	world_counter(&world, "Tcp.ActiveOpens", 50, 3); /* it can't shrink: reset, or nonsense */
	world_add(&world, 0.5);
	ck_assert_int_eq(rate("Tcp.PassiveOpens"), 60000000);
	ck_assert_int_eq(rate("Tcp.ActiveOpens"), -1);
	ck_assert_int_eq(rate("Tcp.OutRsts"), 0);

	world.observation->interval_ns = 0; /* one look */
	world_add(&world, 0.5);
	ck_assert_int_eq(rate("Tcp.PassiveOpens"), -1);

	world.observation->interval_ns = 1; /* nothing overflows */
	world_counter(&world, "Tcp.PassiveOpens", 0, INT64_MAX);
	world_add(&world, 0.5);
	ck_assert_int_eq(rate("Tcp.PassiveOpens"), INT64_MAX);
}
END_TEST

START_TEST(every_rate_is_a_counter)
{
	for (size_t i = 0; i < TCT_WATCH_RATES; i++) {
		const struct tct_counter *counter;

		ck_assert_ptr_nonnull(tct_watch_rates[i].counter);
		counter = tct_counter_find(tct_watch_rates[i].counter);
		ck_assert_msg(counter != NULL && !counter->gauge, "%s", tct_watch_rates[i].counter);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(tct_watch_rates[i].counter, tct_watch_rates[j].counter);
		if (i > 0)
			ck_assert(tct_watch_rates[i].rank >= tct_watch_rates[i - 1].rank);
	}
}
END_TEST

START_TEST(data_sent_again)
{
	const int64_t *series = world.history->retransmitted_ppm;

	world_counter(&world, "Tcp.RetransSegs", 100, 130);
	world_counter(&world, "TcpExt.TCPSynRetrans", 10, 20); /* no data: left out */
	world_counter(&world, "TcpExt.TCPOrigDataSent", 0, 1000);
	world_add(&world, 1);
	ck_assert_int_eq(tct_watch_sample(world.history, series, 0), 20000); /* 2 % */
	world_counter(&world, "TcpExt.TCPOrigDataSent", 1000, 1000);
	world_add(&world, 1);
	ck_assert_int_eq(tct_watch_sample(world.history, series, 0), -1);
}
END_TEST

static void ck_spark(size_t width, bool utf8, const char *expected)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	tct_watch_spark(world.history, established(), width, utf8, &text);
	ck_assert_str_eq(text.data, expected);
}

START_TEST(sparklines)
{
	const int64_t counts[] = { 500, 0, 1, 400, 800, 799 };

	ck_spark(3, true, "   ");
	for (size_t i = 0; i < TCT_COUNT(counts); i++)
		add_established(counts[i]);
	ck_spark(8, true, "  ▆▁▂▅██");
	ck_spark(8, false, "  +_.=##");
	ck_spark(4, true, "▂▅██"); /* the newest, at the scale of what is drawn */
	add_established(2);
	ck_spark(1, true, "█");
	world.observation->states.method = TCT_METHOD_NONE;
	add_established(0);
	ck_spark(2, true, "█ "); /* not known is not 0 */
	for (int i = 0; i < 3; i++) {
		world.observation->states.method = TCT_METHOD_EXACT;
		add_established(0);
	}
	ck_spark(3, true, "▁▁▁");
	add_established(INT64_MAX);
	ck_spark(2, false, "_#");
}
END_TEST

static const struct tct_watch_finding *only(void)
{
	ck_assert_uint_eq(world.history->findings_count, 1);
	return &world.history->findings[0];
}

static void leak(const char *title)
{
	world_finding(&world, "close-wait-leak", TCT_SEVERITY_WARNING, NULL, title);
}

START_TEST(a_finding_comes_and_goes)
{
	char age[TCT_NUMBER_TEXT];

	world_add(&world, 1);
	leak("70 connections");
	world_add(&world, 1);
	ck_assert(only()->just_came && only()->present && !only()->since_start);
	world_no_findings(&world);
	leak("90 connections");
	world_add(&world, 34);
	ck_assert(!only()->just_came && only()->present);
	ck_assert_str_eq(only()->title, "90 connections");
	ck_assert_str_eq(tct_watch_age(only(), age), "34 s");

	world_no_findings(&world); /* missing for less than three seconds: it may only flicker */
	world_add(&world, 1);
	world_add(&world, 1);
	ck_assert(!only()->present && !only()->gone && !only()->just_went);
	ck_assert_str_eq(tct_watch_age(only(), age), "34 s");
	world_add(&world, 1);
	ck_assert(only()->gone && only()->just_went);
	world_add(&world, 1);
	ck_assert(only()->gone && !only()->just_went);
	world_add(&world, 55);
	ck_assert(only()->gone);
	world_add(&world, 1); /* a minute since it was seen */
	ck_assert_uint_eq(world.history->findings_count, 0);
}
END_TEST

START_TEST(a_finding_comes_back)
{
	char age[TCT_NUMBER_TEXT];

	world_add(&world, 1);
	leak("first");
	world_add(&world, 1);
	world_no_findings(&world);
	world_add(&world, 2);
	leak("flickered");
	world_add(&world, 0.5);
	ck_assert(only()->present && !only()->just_came);
	ck_assert_str_eq(tct_watch_age(only(), age), "3 s");

	world_no_findings(&world);
	world_add(&world, 10);
	ck_assert(only()->gone);
	leak("again");
	world_add(&world, 1);
	ck_assert(only()->just_came && only()->present && !only()->gone);
	ck_assert_str_eq(tct_watch_age(only(), age), "0 s");
}
END_TEST

START_TEST(since_watching_began)
{
	char age[TCT_NUMBER_TEXT];

	world.observation->interval_ns = 0; /* one look, for the screen to have something */
	world_add(&world, 0);
	world.observation->interval_ns = SECOND_NS;
	leak("70 connections"); /* needs a rate: the first interval can't have it earlier */
	world_add(&world, 1);
	world_add(&world, 600);
	ck_assert_str_eq(tct_watch_age(only(), age), "10 min+");
}
END_TEST

START_TEST(findings_by_rule_and_subject)
{
	const struct tct_watch_history *history = world.history;

	world_finding(&world, "full", TCT_SEVERITY_CRITICAL, "10.0.0.1:80", "80 has 129");
	world_finding(&world, "full", TCT_SEVERITY_CRITICAL, "10.0.0.1:80", "80 has 128");
	world_finding(&world, "full", TCT_SEVERITY_CRITICAL, "10.0.0.1:81", "81 has 129");
	world_finding(&world, "drift", TCT_SEVERITY_ADVICE, "10.0.0.1:80", "other rule");
	world_add(&world, 1);
	ck_assert_uint_eq(history->findings_count, 3);
	ck_assert_str_eq(history->findings[0].title, "80 has 129"); /* of siblings, the first */
	ck_assert_str_eq(history->findings[1].subject, "10.0.0.1:81");
	ck_assert_str_eq(history->findings[2].id, "drift");
	ck_assert_ptr_eq(tct_watch_find(history, &world.report.findings[3]), &history->findings[2]);

	world_no_findings(&world); /* the worst of those that are there stays on top */
	world_finding(&world, "drift", TCT_SEVERITY_ADVICE, "10.0.0.1:80", "other rule");
	world_add(&world, 5);
	ck_assert_str_eq(history->findings[0].id, "drift");
	ck_assert(history->findings[1].gone && history->findings[2].gone);
}
END_TEST

START_TEST(a_finding_gets_worse)
{
	leak("70 connections");
	world_add(&world, 1);
	world_no_findings(&world);
	world_finding(&world, "close-wait-leak", TCT_SEVERITY_CRITICAL, NULL, "7000 connections");
	world_add(&world, 1);
	ck_assert_int_eq(only()->severity, TCT_SEVERITY_CRITICAL);
	ck_assert(!only()->just_came);
}
END_TEST

START_TEST(too_many_findings)
{
	char subject[32];

	for (int i = 0; i < TCT_WATCH_FINDINGS + 44; i++) {
		(void)snprintf(subject, sizeof(subject), "/etc/sysctl.conf:%d", i);
		world_finding(&world, "dead-key", TCT_SEVERITY_ADVICE, subject, "does nothing");
	}
	world_add(&world, 1);
	ck_assert_uint_eq(world.history->findings_count, TCT_WATCH_FINDINGS);
	ck_assert_uint_eq(world.history->findings_lost, 44);
	ck_assert_ptr_null(
		tct_watch_find(world.history, &world.report.findings[TCT_WATCH_FINDINGS + 1]));

	/* what is over makes way at once, though it would be shown for a while yet */
	world_no_findings(&world);
	world_add(&world, 5);
	ck_assert(world.history->findings[0].gone);
	leak("new");
	world_finding(&world, "other", TCT_SEVERITY_INFO, NULL, "new, too");
	world_add(&world, 1);
	ck_assert_uint_eq(world.history->findings_count, TCT_WATCH_FINDINGS);
	ck_assert_uint_eq(world.history->findings_lost, 0);
	ck_assert_str_eq(world.history->findings[0].id, "close-wait-leak");
	ck_assert_str_eq(world.history->findings[1].id, "other");
	ck_assert(world.history->findings[2].gone);
}
END_TEST

START_TEST(durations)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {
		{ -1, "0 s" },       { 0.4, "0 s" },      { 0.6, "1 s" },  { 119.4, "119 s" },
		{ 120, "2 min" },    { 7199, "119 min" }, { 7200, "2 h" }, { 172799, "47 h" },
		{ 172800.0, "2 d" }, { 1e8, "1157 d" },
	};
	char text[TCT_NUMBER_TEXT];

	for (size_t i = 0; i < TCT_COUNT(cases); i++)
		ck_assert_str_eq(tct_watch_duration((int64_t)(cases[i].seconds * 1e9), text),
				 cases[i].text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watch_history");
	TCase *tests = tcase_create("history");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, samples_newest_first);
	tcase_add_test(tests, states_that_nobody_counted);
	tcase_add_test(tests, rates_are_per_second);
	tcase_add_test(tests, every_rate_is_a_counter);
	tcase_add_test(tests, data_sent_again);
	tcase_add_test(tests, sparklines);
	tcase_add_test(tests, a_finding_comes_and_goes);
	tcase_add_test(tests, a_finding_comes_back);
	tcase_add_test(tests, since_watching_began);
	tcase_add_test(tests, findings_by_rule_and_subject);
	tcase_add_test(tests, a_finding_gets_worse);
	tcase_add_test(tests, too_many_findings);
	tcase_add_test(tests, durations);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
