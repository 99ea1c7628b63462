/* Observations that follow each other: nothing that happened between them is lost. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/join.h"
#include "core/mem.h"

#define SECOND_NS INT64_C(1000000000)

static struct tct_observation *before;
static struct tct_observation *now;

static void set_up(void)
{
	before = tct_observation_new();
	now = tct_observation_new();
	ck_assert(before != NULL && now != NULL);
	before->interval_ns = SECOND_NS;
	now->interval_ns = SECOND_NS;
}

static void tear_down(void)
{
	tct_observation_free(before);
	tct_observation_free(now);
}

static struct tct_counter_reading *counter(struct tct_observation *observation, const char *name)
{
	const struct tct_counter *found = tct_counter_find(name);

	ck_assert_msg(found != NULL, "%s is in the table", name);
	return &observation->counters[tct_counter_index(found)];
}

static void set(const char *name, int64_t ended_at, int64_t first, int64_t last)
{
	*counter(before, name) = (struct tct_counter_reading){ TCT_PRESENT, 0, ended_at };
	*counter(now, name) = (struct tct_counter_reading){ TCT_PRESENT, first, last };
}

static void join(int64_t gap_ns)
{
	ck_assert_int_eq(tct_observation_join(now, before, gap_ns), 0);
}

START_TEST(counters)
{
	set("Tcp.PassiveOpens", 100, 107, 120);
	set("Tcp.ActiveOpens", 500, 3, 9); /* reset in between */
	set("Tcp.CurrEstab", 50, 3, 9);    /* a level may well shrink */
	set("Tcp.OutRsts", 7, 9, 11);
	counter(before, "Tcp.OutRsts")->presence = TCT_ABSENT;
	join(SECOND_NS / 4);
	ck_assert_int_eq(counter(now, "Tcp.PassiveOpens")->first, 100);
	ck_assert_int_eq(counter(now, "Tcp.PassiveOpens")->last, 120);
	ck_assert_int_eq(counter(now, "Tcp.ActiveOpens")->first, 3);
	ck_assert_int_eq(counter(now, "Tcp.CurrEstab")->first, 50);
	ck_assert_int_eq(counter(now, "Tcp.OutRsts")->first, 9);
	ck_assert_int_eq(now->interval_ns, SECOND_NS + SECOND_NS / 4);
}
END_TEST

/* Without two looks each there is no interval to lengthen. */
START_TEST(single_looks)
{
	set("Tcp.PassiveOpens", 100, 107, 120);
	before->interval_ns = 0;
	join(5);
	ck_assert_int_eq(counter(now, "Tcp.PassiveOpens")->first, 107);
	ck_assert_int_eq(now->interval_ns, SECOND_NS);
	before->interval_ns = SECOND_NS;
	now->interval_ns = 0;
	join(5);
	ck_assert_int_eq(counter(now, "Tcp.PassiveOpens")->first, 107);
	ck_assert_int_eq(now->interval_ns, 0);
}
END_TEST

static struct tct_listener *listener(struct tct_observation *observation, uint64_t cookie,
				     uint32_t inode, uint32_t queue, int64_t drops)
{
	struct tct_listener *added = TCT_APPEND(observation, listeners);

	ck_assert_ptr_nonnull(added);
	*added = (struct tct_listener){
		.cookie = cookie,
		.inode = inode,
		.queue = queue,
		.queue_first = 77,
		.drops = drops,
		.drops_first = drops,
	};
	return added;
}

START_TEST(listeners)
{
	listener(before, 30, 1, 3, 300);
	listener(before, 10, 2, 1, 100);
	listener(before, 0, 5, 9, -1); /* a source without cookies and drops */
	listener(before, 20, 3, 2, 999);
	listener(now, 10, 2, 5, 104);
	listener(now, 40, 4, 6, 400); /* new */
	listener(now, 20, 3, 7, 5);   /* another one's count */
	listener(now, 0, 5, 8, -1);
	listener(now, 0, 0, 8, -1); /* nothing to know it by */
	join(1);
	ck_assert_uint_eq(now->listeners[0].queue_first, 1);
	ck_assert_int_eq(now->listeners[0].drops_first, 100);
	ck_assert_uint_eq(now->listeners[1].queue_first, 77);
	ck_assert_int_eq(now->listeners[1].drops_first, 400);
	ck_assert_uint_eq(now->listeners[2].queue_first, 2);
	ck_assert_int_eq(now->listeners[2].drops_first, 5);
	ck_assert_uint_eq(now->listeners[3].queue_first, 9);
	ck_assert_int_eq(now->listeners[3].drops_first, -1);
	ck_assert_uint_eq(now->listeners[4].queue_first, 77);
}
END_TEST

static void destination(struct tct_observation *observation, const char *source,
			const char *address, uint16_t port, int64_t used, int64_t used_first)
{
	struct tct_destination *added = TCT_APPEND(&observation->outgoing, destinations);

	ck_assert_ptr_nonnull(added);
	*added = (struct tct_destination){ .port = port, .used = used, .used_first = used_first };
	strcpy(added->source, source);
	strcpy(added->address, address);
}

START_TEST(destinations)
{
	destination(before, "10.0.0.1", "10.0.0.9", 443, 100, 90);
	destination(before, "10.0.0.2", "10.0.0.9", 443, 200, 90);
	destination(now, "10.0.0.2", "10.0.0.9", 443, 230, 210);
	destination(now, "10.0.0.2", "10.0.0.9", 80, 7, 6);
	destination(now, "10.0.0.1", "10.0.0.9", 443, 130, -1);
	join(1);
	ck_assert_int_eq(now->outgoing.destinations[0].used_first, 200);
	ck_assert_int_eq(now->outgoing.destinations[1].used_first, 6);
	ck_assert_int_eq(now->outgoing.destinations[2].used_first, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("join");
	TCase *tests = tcase_create("join");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, counters);
	tcase_add_test(tests, single_looks);
	tcase_add_test(tests, listeners);
	tcase_add_test(tests, destinations);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
