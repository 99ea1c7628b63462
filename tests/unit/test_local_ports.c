/* Outgoing and incoming by local port, the ranges of each, and fair windows. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/destinations.h"
#include "audit/observe/local_ports.h"
#include "core/mem.h"

static struct tct_observation *observation;
static struct tct_local_ports ports;
static struct tct_port_ranges ranges;

static void set_key(const char *name, const char *text)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);
	struct tct_sysctl *sysctl;
	struct tct_err err;

	ck_assert_ptr_nonnull(key);
	sysctl = &observation->sysctls[tct_kernel_key_index(key)];
	tct_value_done(&sysctl->value);
	sysctl->presence = TCT_PRESENT;
	ck_assert_int_eq(tct_value_parse(key, text, &sysctl->value, &err), 0);
}

static void begin(void)
{
	observation = tct_observation_new();
	ck_assert_ptr_nonnull(observation);
	set_key("net.ipv4.ip_local_port_range", "32768 60999");
}

static void end(void)
{
	tct_observation_free(observation);
}

static bool in_ranges(uint16_t port)
{
	for (size_t i = 0; i < ranges.count; i++) {
		if (port >= ranges.items[i].first && port <= ranges.items[i].last)
			return true;
	}
	return false;
}

START_TEST(the_range_less_listeners_is_outgoing)
{
	const uint16_t listening[] = { 443, 40000, 40001, 32768, 60999 };
	unsigned wrong = 0;

	set_key("net.ipv4.ip_local_reserved_ports", "33000-33099,50000,61000");
	tct_local_ports_init(&ports, observation, listening, TCT_COUNT(listening));
	ck_assert(ports.known);
	ck_assert_int_eq(ports.usable, 28232 - 101);
	ck_assert_int_eq(ports.outgoing_ports, 28232 - 4);
	ck_assert(!tct_port_is_outgoing(&ports, 443) && !tct_port_is_outgoing(&ports, 40001));
	ck_assert(tct_port_is_outgoing(&ports, 33000)); /* may be bound by hand */
	for (int outgoing = 0; outgoing <= 1; outgoing++) {
		tct_local_ports_ranges(&ports, outgoing == 1, &ranges);
		ck_assert(ranges.whole);
		for (unsigned port = 0; port < TCT_PORTS; port++)
			wrong += in_ranges((uint16_t)port) !=
						 (tct_port_is_outgoing(&ports, (uint16_t)port) ==
						  (outgoing == 1))
					 ? 1
					 : 0;
		ck_assert_uint_eq(wrong, 0);
	}
}
END_TEST

START_TEST(without_a_range_nothing_is_outgoing)
{
	struct tct_observation *empty = tct_observation_new();

	ck_assert_ptr_nonnull(empty);
	tct_local_ports_init(&ports, empty, NULL, 0);
	ck_assert(!ports.known);
	ck_assert_int_eq(ports.usable, -1);
	ck_assert_int_eq(ports.outgoing_ports, 0);
	ck_assert(!tct_port_is_outgoing(&ports, 40000));
	tct_local_ports_ranges(&ports, false, &ranges);
	ck_assert_uint_eq(ranges.count, 1);
	ck_assert(ranges.items[0].first == 0 && ranges.items[0].last == 65535);
	tct_observation_free(empty);
}
END_TEST

START_TEST(more_listeners_than_ranges)
{
	enum { MANY = 4000 };
	uint16_t listening[MANY];
	unsigned missing = 0;

	for (unsigned i = 0; i < MANY; i++)
		listening[i] = (uint16_t)(33000 + 2 * i);
	tct_local_ports_init(&ports, observation, listening, MANY);
	for (int outgoing = 0; outgoing <= 1; outgoing++) {
		tct_local_ports_ranges(&ports, outgoing == 1, &ranges);
		ck_assert_uint_le(ranges.count, TCT_FILTER_RANGES_MAX);
		for (unsigned port = 0; port < TCT_PORTS; port++)
			missing += !in_ranges((uint16_t)port) &&
						   tct_port_is_outgoing(&ports, (uint16_t)port) ==
							   (outgoing == 1)
					   ? 1
					   : 0;
		ck_assert_uint_eq(missing, 0);
	}
}
END_TEST

/* Each port is in a window as often as any other, even and odd ones alike. */
START_TEST(windows_are_fair)
{
	enum { ROUNDS = 2000 };
	static unsigned times[TCT_PORTS];
	double expected;
	double ports_in = 0;
	unsigned parity[2] = { 0 };
	bool ascending = true;

	memset(times, 0, sizeof(times));
	tct_local_ports_init(&ports, observation, NULL, 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t counted = 0;

		tct_local_ports_windows(&ports, 40000, &ranges);
		ck_assert(!ranges.whole);
		ck_assert_uint_eq(ranges.count, 256);
		for (size_t i = 0; i < ranges.count; i++) {
			ascending &= i == 0 || ranges.items[i].first > ranges.items[i - 1].last;
			for (unsigned port = ranges.items[i].first; port <= ranges.items[i].last;
			     port++) {
				times[port]++;
				parity[port % 2]++;
				counted++;
			}
		}
		ck_assert_int_eq(counted, ranges.ports);
		ports_in += (double)counted;
	}
	ck_assert(ascending);
	ck_assert_uint_eq(parity[0], parity[1]);
	expected = ports_in / 28232;
	for (unsigned stratum = 0; stratum < 28; stratum++) {
		double sum = 0;

		for (unsigned port = 0; port < 1000; port++)
			sum += times[32768 + stratum * 1000 + port];
		ck_assert_msg(fabs(sum / 1000 - expected) < 0.05 * expected,
			      "ports from %u: %.1f times, %.1f expected", 32768 + stratum * 1000,
			      sum / 1000, expected);
	}
}
END_TEST

START_TEST(windows_of_all_ports_are_the_whole)
{
	tct_local_ports_init(&ports, observation, NULL, 0);
	tct_local_ports_windows(&ports, 1000000, &ranges);
	ck_assert(ranges.whole);
	ck_assert_int_eq(ranges.ports, 28232);
	tct_local_ports_windows(&ports, 900000, &ranges);
	ck_assert(ranges.whole);
	set_key("net.ipv4.ip_local_port_range", "50000 50009");
	tct_local_ports_init(&ports, observation, NULL, 0);
	tct_local_ports_windows(&ports, 1000, &ranges);
	ck_assert(ranges.whole);
	ck_assert_int_eq(ranges.ports, 10);
}
END_TEST

/* ---- destinations ---- */

static struct tct_tcp_socket outgoing(uint16_t port, uint8_t state)
{
	return (struct tct_tcp_socket){
		.family = AF_INET,
		.state = state,
		.timer = state == TCT_STATE_TIME_WAIT ? TCT_TIMER_TIME_WAIT : TCT_TIMER_NONE,
		.local_port = port,
		.peer_port = 443,
		.local = { htonl(0x0a000001) },
		.peer = { htonl(0x0a000002) },
		.expires_ms = 30000,
	};
}

static void count_some(struct tct_destinations *destinations)
{
	struct tct_tcp_socket socket;

	for (uint16_t i = 0; i < 100; i++) {
		socket = outgoing((uint16_t)(40000 + i), TCT_STATE_ESTABLISHED);
		tct_destinations_add(destinations, &socket);
		socket = outgoing((uint16_t)(41000 + i), TCT_STATE_TIME_WAIT);
		socket.expires_ms = i < 60 ? 30000 : 59500; /* 40 of them are too young */
		tct_destinations_add(destinations, &socket);
	}
	/* the same destination through an IPv6 socket, a FIN_WAIT2 without an owner; and what
	 * doesn't count */
	socket = outgoing(42000, TCT_STATE_FIN_WAIT2);
	socket.timer = TCT_TIMER_TIME_WAIT;
	socket.family = AF_INET6;
	socket.local[3] = socket.local[0];
	socket.peer[3] = socket.peer[0];
	socket.local[2] = socket.peer[2] = htonl(0xffff);
	socket.local[0] = socket.peer[0] = 0;
	tct_destinations_add(destinations, &socket);
	socket = outgoing(443, TCT_STATE_ESTABLISHED);
	tct_destinations_add(destinations, &socket);
	socket = outgoing(40000, TCT_STATE_CLOSE);
	tct_destinations_add(destinations, &socket);
	socket = outgoing(43000, TCT_STATE_ESTABLISHED);
	socket.peer_port = 80;
	tct_destinations_add(destinations, &socket);
}

static void check_destination(const char *tw_reuse, int64_t reusable)
{
	TCT_AUTO(tct_destinations_done) struct tct_destinations destinations = { 0 };
	struct tct_outgoing told = { 0 };

	set_key("net.ipv4.tcp_timestamps", "1");
	set_key("net.ipv4.tcp_tw_reuse", tw_reuse);
	tct_local_ports_init(&ports, observation, NULL, 0);
	tct_local_ports_ranges(&ports, true, &ranges);
	ck_assert_int_eq(
		tct_destinations_init(&destinations, &ports, tct_port_reuse_of(observation)), 0);
	count_some(&destinations);
	ck_assert_int_eq(tct_destinations_hand_over(&destinations, NULL, &ranges,
						    ports.outgoing_ports, &told),
			 0);
	ck_assert(told.whole);
	ck_assert_int_eq(told.sockets, 202);
	ck_assert_int_eq(told.established, 101);
	ck_assert_uint_eq(told.destinations_count, 2);
	ck_assert_str_eq(told.destinations[0].source, "10.0.0.1");
	ck_assert_str_eq(told.destinations[0].address, "10.0.0.2");
	ck_assert_uint_eq(told.destinations[0].port, 443);
	ck_assert_int_eq(told.destinations[0].sockets, 201);
	ck_assert_int_eq(told.destinations[0].time_wait, 100);
	ck_assert_int_eq(told.destinations[0].reusable, reusable);
	ck_assert_int_eq(told.destinations[0].used, 201 - reusable);
	ck_assert_int_eq(told.destinations[0].used_first, -1);
	ck_assert_uint_eq(told.destinations[1].port, 80);
	free(told.destinations);
}

START_TEST(ports_by_destination)
{
	check_destination("0", 0);
	check_destination("2", 0); /* loopback only */
	check_destination("1", 60);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("local_ports");
	TCase *cases = tcase_create("ports");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(cases, 30);
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, the_range_less_listeners_is_outgoing);
	tcase_add_test(cases, without_a_range_nothing_is_outgoing);
	tcase_add_test(cases, more_listeners_than_ranges);
	tcase_add_test(cases, windows_are_fair);
	tcase_add_test(cases, windows_of_all_ports_are_the_whole);
	tcase_add_test(cases, ports_by_destination);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
