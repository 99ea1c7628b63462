/* What earlier looks saw: growth of counters over a time, and since when conditions have held. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/rules/history.h"
#include "core/mem.h"

#define SECOND_NS INT64_C(1000000000)

static struct tct_history *history;
static struct tct_observation *observation;
static size_t drops;    /* place of a counter */
static size_t overflow; /* of another one */

static void set_up(void)
{
	history = tct_history_new();
	observation = tct_observation_new();
	ck_assert(history != NULL && observation != NULL);
	drops = tct_counter_index(tct_counter_find("TcpExt.ListenDrops"));
	overflow = tct_counter_index(tct_counter_find("TcpExt.ListenOverflows"));
}

static void tear_down(void)
{
	tct_history_free(history);
	tct_observation_free(observation);
}

/* A look at ListenDrops; a negative value = the counter isn't there. */
static void look(int64_t at_ns, int64_t value)
{
	observation->counters[drops] = (struct tct_counter_reading){
		.presence = value < 0 ? TCT_ABSENT : TCT_PRESENT,
		.first = value,
		.last = value,
	};
	tct_history_add(history, observation, at_ns);
}

/* Growth of ListenDrops, and over how long. */
static void expect_growth(int64_t duration_ns, int64_t growth, int64_t over_ns)
{
	int64_t got = -1;
	int64_t got_over_ns = -1;

	ck_assert(tct_history_growth(history, drops, duration_ns, &got, &got_over_ns));
	ck_assert_int_eq(got, growth);
	ck_assert_int_eq(got_over_ns, over_ns);
}

static void expect_unknown(size_t counter, int64_t duration_ns)
{
	int64_t growth;
	int64_t over_ns;

	ck_assert(!tct_history_growth(history, counter, duration_ns, &growth, &over_ns));
}

START_TEST(growth_over_a_time)
{
	expect_unknown(drops, SECOND_NS);
	look(100 * SECOND_NS, 7);
	expect_unknown(drops, SECOND_NS); /* one look */
	look(101 * SECOND_NS, 9);
	look(103 * SECOND_NS, 30);
	expect_growth(SECOND_NS, 21, 2 * SECOND_NS); /* at least as long as asked for */
	expect_growth(2 * SECOND_NS, 21, 2 * SECOND_NS);
	expect_growth(2 * SECOND_NS + 1, 23, 3 * SECOND_NS);
	expect_growth(3 * SECOND_NS, 23, 3 * SECOND_NS);
	expect_unknown(drops, 3 * SECOND_NS + 1);
	expect_unknown(drops, 0);
	expect_unknown(overflow, SECOND_NS); /* it was never there */
}
END_TEST

/* What the first observation saw at its own first look belongs to the history. */
START_TEST(first_interval)
{
	observation->interval_ns = SECOND_NS;
	observation->counters[drops] = (struct tct_counter_reading){ TCT_PRESENT, 5, 8 };
	tct_history_add(history, observation, 50 * SECOND_NS);
	expect_growth(SECOND_NS, 3, SECOND_NS);
	observation->counters[drops] = (struct tct_counter_reading){ TCT_PRESENT, 8, 20 };
	tct_history_add(history, observation, 51 * SECOND_NS);
	expect_growth(SECOND_NS, 12, SECOND_NS);
	expect_growth(2 * SECOND_NS, 15, 2 * SECOND_NS);
	expect_unknown(drops, 2 * SECOND_NS + 1);
}
END_TEST

/* A counter that fell, or was away, is known from there on only. */
START_TEST(breaks)
{
	look(10 * SECOND_NS, 50);
	look(11 * SECOND_NS, 60);
	look(12 * SECOND_NS, 3);
	expect_unknown(drops, SECOND_NS);
	look(13 * SECOND_NS, 70); /* more than ever, but not since then */
	expect_growth(SECOND_NS, 67, SECOND_NS);
	expect_unknown(drops, 2 * SECOND_NS);
	expect_unknown(drops, 3 * SECOND_NS);
	look(14 * SECOND_NS, -1);
	expect_unknown(drops, SECOND_NS);
	look(15 * SECOND_NS, 80);
	expect_unknown(drops, SECOND_NS);
	expect_unknown(drops, 2 * SECOND_NS);
	look(16 * SECOND_NS, 80);
	expect_growth(SECOND_NS, 0, SECOND_NS);
	expect_unknown(drops, 2 * SECOND_NS);
}
END_TEST

/* A look at the time of the last one takes its place. */
START_TEST(same_time)
{
	look(10 * SECOND_NS, 50);
	look(11 * SECOND_NS, 60);
	look(11 * SECOND_NS, 62);
	expect_growth(SECOND_NS, 12, SECOND_NS);
	look(12 * SECOND_NS, 63);
	expect_growth(SECOND_NS, 1, SECOND_NS);
}
END_TEST

/* Ten looks a second for three hours: minutes are still told, and not from much further back. */
START_TEST(many_looks)
{
	static const int64_t seconds[] = { 1, 10, 60, 600, 3600 };
	const int64_t step_ns = SECOND_NS / 10;
	int64_t at_ns = 0;

	for (int64_t i = 0; i < INT64_C(10) * 3 * 3600; i++) {
		at_ns += step_ns;
		look(at_ns, 4 * i); /* 40 a second */
	}
	for (size_t i = 0; i < TCT_COUNT(seconds); i++) {
		int64_t growth = -1;
		int64_t over_ns = -1;

		ck_assert(tct_history_growth(history, drops, seconds[i] * SECOND_NS, &growth,
					     &over_ns));
		ck_assert_int_ge(over_ns, seconds[i] * SECOND_NS);
		ck_assert_int_le(over_ns, seconds[i] * SECOND_NS / 10 * 11 + step_ns);
		ck_assert_int_eq(growth, over_ns / step_ns * 4);
	}
	expect_growth(at_ns - step_ns, 4 * (at_ns / step_ns - 1), at_ns - step_ns);
}
END_TEST

/* A fall is remembered, whichever looks are thinned out. */
START_TEST(many_looks_and_a_break)
{
	int64_t at_ns = 0;

	for (int64_t i = 0; i < 5000; i++) {
		at_ns += SECOND_NS;
		look(at_ns, i == 4000 ? 0 : i);
	}
	expect_unknown(drops, 1100 * SECOND_NS);

	int64_t growth;
	int64_t over_ns;

	ck_assert(tct_history_growth(history, drops, 500 * SECOND_NS, &growth, &over_ns));
	ck_assert_int_eq(growth, over_ns / SECOND_NS);
}
END_TEST

START_TEST(conditions)
{
	look(10 * SECOND_NS, 0);
	ck_assert_int_eq(tct_history_held_ns(history, "full", "a:80"), 0);
	ck_assert_int_eq(tct_history_held_ns(history, "full", "a:80"), 0);
	look(11 * SECOND_NS, 0);
	ck_assert_int_eq(tct_history_held_ns(history, "full", "b:80"), 0);
	ck_assert_int_eq(tct_history_held_ns(history, "high", "a:80"), 0);
	ck_assert_int_eq(tct_history_held_ns(history, "full", "a:80"), SECOND_NS);
	ck_assert_int_eq(tct_history_held_ns(history, "full", "a:80"), SECOND_NS); /* no new look */
	look(14 * SECOND_NS, 0);
	ck_assert_int_eq(tct_history_held_ns(history, "full", "a:80"), 4 * SECOND_NS);
	ck_assert_int_eq(tct_history_held_ns(history, "full", "b:80"), 3 * SECOND_NS);
	look(15 * SECOND_NS, 0); /* only one of them holds */
	ck_assert_int_eq(tct_history_held_ns(history, "full", "b:80"), 4 * SECOND_NS);
	look(16 * SECOND_NS, 0);
	ck_assert_int_eq(tct_history_held_ns(history, "full", "a:80"), 0);
	ck_assert_int_eq(tct_history_held_ns(history, "high", "a:80"), 0);
	ck_assert_int_eq(tct_history_held_ns(history, "full", "b:80"), 5 * SECOND_NS);
	/* id and subject are told apart */
	ck_assert_int_eq(tct_history_held_ns(history, "fullb:80", ""), 0);
	ck_assert_int_eq(tct_history_held_ns(history, "", "full"), 0);
}
END_TEST

/* There is room for a bounded number, and again when they have ended. */
START_TEST(too_many_conditions)
{
	enum { ROOM = 1024, MORE = 1500 };
	char subject[32];
	int64_t now_ns = 0;

	for (int round = 0; round < 3; round++) {
		for (int at = 0; at < 3; at++) {
			now_ns += SECOND_NS;
			look(now_ns, 0);
			for (int i = 0; i < MORE; i++) {
				int64_t held_ns;

				(void)snprintf(subject, sizeof(subject), "%d-%d", round, i);
				held_ns = tct_history_held_ns(history, "full", subject);
				ck_assert_int_eq(held_ns, i < ROOM ? at * SECOND_NS : 0);
			}
		}
		now_ns += SECOND_NS;
		look(now_ns, 0); /* at which none of them holds */
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("history");
	TCase *tcase = tcase_create("history");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, growth_over_a_time);
	tcase_add_test(tcase, first_interval);
	tcase_add_test(tcase, breaks);
	tcase_add_test(tcase, same_time);
	tcase_add_test(tcase, many_looks);
	tcase_add_test(tcase, many_looks_and_a_break);
	tcase_add_test(tcase, conditions);
	tcase_add_test(tcase, too_many_conditions);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
