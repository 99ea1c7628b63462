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

static struct tct_owner_group *add_owner(struct tct_observation *observation, const char *unit,
					 int32_t pid, int64_t close_wait)
{
	struct tct_owner_group *group = TCT_APPEND(observation, owners);

	ck_assert_ptr_nonnull(group);
	*group = (struct tct_owner_group){ .owner = { .pid = pid }, .close_wait_first = 1 };
	strcpy(group->owner.unit, unit);
	group->populations[TCT_POPULATION_CLOSE_WAIT].total = close_wait;
	return group;
}

START_TEST(owners)
{
	(void)add_owner(before, "a.service", 1, 10);
	(void)add_owner(before, "", 2, 20);
	(void)add_owner(before, "", 0, 30);
	(void)add_owner(now, "", 2, 21);
	(void)add_owner(now, "a.service", 99, 11); /* its unit is the owner */
	(void)add_owner(now, "", 0, 31);           /* nobody knows who */
	add_owner(now, "", 1, 5)->close_wait_first = -1;
	add_owner(now, "a.service", 1, 5)->close_wait_first = -1; /* not looked at */
	join(5);
	ck_assert_int_eq(now->owners[0].close_wait_first, 20);
	ck_assert_int_eq(now->owners[1].close_wait_first, 10);
	ck_assert_int_eq(now->owners[2].close_wait_first, 1);
	ck_assert_int_eq(now->owners[3].close_wait_first, -1);
	ck_assert_int_eq(now->owners[4].close_wait_first, -1);
}
END_TEST

static void add_interface(struct tct_observation *observation, const char *name, int64_t first,
			  int64_t last)
{
	struct tct_interface *interface = TCT_APPEND(observation, interfaces);

	ck_assert_ptr_nonnull(interface);
	*interface = (struct tct_interface){
		.rx_packets_first = first,
		.rx_packets = last,
		.rx_errors_first = first,
		.rx_errors = last,
		.rx_dropped_first = first,
		.rx_dropped = last,
		.tx_errors_first = first,
		.tx_errors = last,
		.tx_dropped_first = -1,
		.tx_dropped = -1,
	};
	strcpy(interface->name, name);
}

START_TEST(interfaces)
{
	add_interface(before, "eth0", 1, 100);
	add_interface(before, "eth1", 1, 100);
	add_interface(now, "eth1", 40, 90); /* made anew under the same name */
	add_interface(now, "eth0", 110, 120);
	add_interface(now, "eth2", 7, 8);
	join(5);
	ck_assert_int_eq(now->interfaces[0].rx_packets_first, 40);
	ck_assert_int_eq(now->interfaces[1].rx_packets_first, 100);
	ck_assert_int_eq(now->interfaces[1].rx_errors_first, 100);
	ck_assert_int_eq(now->interfaces[1].rx_dropped_first, 100);
	ck_assert_int_eq(now->interfaces[1].tx_errors_first, 100);
	ck_assert_int_eq(now->interfaces[1].tx_dropped_first, -1);
	ck_assert_int_eq(now->interfaces[1].rx_packets, 120);
	ck_assert_int_eq(now->interfaces[2].rx_packets_first, 7);
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
	tcase_add_test(tests, owners);
	tcase_add_test(tests, interfaces);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
