/* The observer's readers over canned text: counters, sockets, processors. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "audit/observe/counters_read.h"
#include "audit/observe/host.h"
#include "audit/observe/owner_groups.h"
#include "audit/observe/proc_net_tcp.h"
#include "core/mem.h"
#include "tests/unit/tcp_lines.h"

START_TEST(state_names_go_both_ways)
{
	for (unsigned i = TCT_STATE_ESTABLISHED; i < TCT_STATE_LIMIT; i++) {
		const char *name = tct_state_name((enum tct_state)i);

		ck_assert_ptr_nonnull(name);
		ck_assert_uint_eq(tct_state_find(name), i);
	}
	ck_assert_ptr_null(tct_state_name((enum tct_state)0));
	ck_assert_ptr_null(tct_state_name(TCT_STATE_LIMIT));
	ck_assert_uint_eq(tct_state_find("ESTAB"), 0);
	ck_assert_uint_eq(tct_state_find(""), 0);
}
END_TEST

START_TEST(idle_times_are_never_overstated)
{
	const int64_t second = INT64_C(1000000000);
	struct tct_population population = { .presence = TCT_NOT_LOOKED };

	for (size_t i = 1; i < TCT_IDLE_STEPS; i++)
		ck_assert_int_lt(tct_idle_step_s[i - 1], tct_idle_step_s[i]);
	ck_assert_int_eq(tct_idle_step_s[0], 0);
	ck_assert_int_eq(tct_population_idle(&population, 0), -1);
	population.presence = TCT_PRESENT;
	tct_population_add(&population, -1);
	tct_population_add(&population, 999);
	tct_population_add(&population, 1000);
	tct_population_add(&population, 61000);
	tct_population_add(&population, UINT32_MAX);
	ck_assert_int_eq(population.total, 5);
	ck_assert_int_eq(tct_population_idle(&population, 0), 5);
	ck_assert_int_eq(tct_population_idle(&population, 1), 3);
	ck_assert_int_eq(tct_population_idle(&population, second), 3);
	ck_assert_int_eq(tct_population_idle(&population, 60 * second), 2);
	/* Asked for 61 s, only the step of 90 s is sure. */
	ck_assert_int_eq(tct_population_idle(&population, 61 * second), 1);
	ck_assert_int_eq(tct_population_idle(&population, 2592000 * second), 1);
	ck_assert_int_eq(tct_population_idle(&population, 2592001 * second), 0);
}
END_TEST

static struct tct_tcp_socket make_socket(uint8_t family, const char *local, const char *peer)
{
	struct tct_tcp_socket socket = {
		.family = family,
		.state = TCT_STATE_ESTABLISHED,
		.inode = 1,
		.idle_ms = 5000,
	};

	ck_assert_int_eq(inet_pton(family, local, socket.local), 1);
	ck_assert_int_eq(inet_pton(family, peer, socket.peer), 1);
	return socket;
}

START_TEST(populations_leave_out_what_is_not_remote)
{
	static const struct {
		uint8_t family;
		const char *local;
		const char *peer;
		int64_t remote;
	} cases[] = {
		{ AF_INET, "10.0.0.1", "10.0.0.2", 1 },
		{ AF_INET, "10.0.0.1", "10.0.0.1", 0 },
		{ AF_INET, "127.0.0.1", "127.255.0.9", 0 },
		{ AF_INET, "10.0.0.1", "128.0.0.1", 1 },
		{ AF_INET6, "::1", "::1", 0 },
		{ AF_INET6, "2001:db8::1", "::1", 0 },
		{ AF_INET6, "2001:db8::1", "2001:db8::2", 1 },
		{ AF_INET6, "2001:db8::1", "2001:db8::1", 0 },
		{ AF_INET6, "::ffff:10.0.0.1", "::ffff:127.0.0.1", 0 },
		{ AF_INET6, "::ffff:10.0.0.1", "::ffff:10.0.0.2", 1 },
		{ AF_INET6, "2001:db8::1", "::7f00:1", 1 },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		struct tct_population populations[TCT_POPULATION_LIMIT] = { 0 };
		struct tct_tcp_socket socket =
			make_socket(cases[i].family, cases[i].local, cases[i].peer);

		tct_populations_add(populations, &socket);
		ck_assert_int_eq(populations[TCT_POPULATION_REMOTE].total, cases[i].remote);
		ck_assert_int_eq(populations[TCT_POPULATION_UNGUARDED].total, cases[i].remote);
		socket.timer = 2;
		tct_populations_add(populations, &socket);
		ck_assert_int_eq(populations[TCT_POPULATION_REMOTE].total, 2 * cases[i].remote);
		ck_assert_int_eq(populations[TCT_POPULATION_UNGUARDED].total, cases[i].remote);
		socket.inode = 0;
		tct_populations_add(populations, &socket);
		ck_assert_int_eq(populations[TCT_POPULATION_REMOTE].total, 2 * cases[i].remote);
		socket.state = TCT_STATE_CLOSE_WAIT;
		tct_populations_add(populations, &socket);
		ck_assert_int_eq(populations[TCT_POPULATION_CLOSE_WAIT].total, 1);
		ck_assert_int_eq(populations[TCT_POPULATION_CLOSE_WAIT].idle_at_least[4], 1);
		ck_assert_int_eq(populations[TCT_POPULATION_REMOTE].total, 2 * cases[i].remote);
	}
}
END_TEST

/* One counter of the group from the text. */
static struct tct_counter_value counter_in(enum tct_counter_group group, const char *text,
					   const char *name)
{
	const struct tct_counter *counter = tct_counter_find(name);
	struct tct_counter_value *values = calloc(tct_counters_count, sizeof(*values));
	char *copy = strdup(text);
	struct tct_counter_value value;

	ck_assert(counter != NULL && values != NULL && copy != NULL);
	tct_counters_parse(group, copy, values);
	value = values[tct_counter_index(counter)];
	free(values);
	free(copy);
	return value;
}

#define IS(group, text, name, presence_, value_)                                                   \
	do {                                                                                       \
		struct tct_counter_value got_ = counter_in(group, text, name);                     \
		ck_assert_int_eq(got_.presence, presence_);                                        \
		ck_assert_int_eq(got_.value, value_);                                              \
	} while (0)

START_TEST(columns_are_found_by_name)
{
	static const char text[] = "Ip: Forwarding DefaultTTL\nIp: 1 64\n"
				   "TcpExt: ListenDrops SomethingNew ListenOverflows TW\n"
				   "TcpExt: 12 99 7\n"
				   "IpExt: ListenOverflows\nIpExt: 55\n";

	IS(TCT_GROUP_TCPEXT, text, "TcpExt.ListenOverflows", TCT_PRESENT, 7);
	IS(TCT_GROUP_TCPEXT, text, "TcpExt.ListenDrops", TCT_PRESENT, 12);
	/* No value for the last name, no name at all, another group. */
	IS(TCT_GROUP_TCPEXT, text, "TcpExt.TW", TCT_NOT_LOOKED, 0);
	IS(TCT_GROUP_TCPEXT, text, "TcpExt.TCPTimeWaitOverflow", TCT_NOT_LOOKED, 0);
	IS(TCT_GROUP_TCP, text, "TcpExt.ListenDrops", TCT_NOT_LOOKED, 0);
}
END_TEST

START_TEST(strange_numbers_are_not_taken)
{
	const enum tct_counter_group group = TCT_GROUP_TCP;

	IS(group, "Tcp: MaxConn InSegs\nTcp: -1 9223372036854775807\n", "Tcp.MaxConn", TCT_PRESENT,
	   -1);
	IS(group, "Tcp: InSegs\nTcp: 9223372036854775807\n", "Tcp.InSegs", TCT_PRESENT, INT64_MAX);
	IS(group, "Tcp: InSegs\nTcp: 9223372036854775808\n", "Tcp.InSegs", TCT_UNPARSED, 0);
	IS(group, "Tcp: InSegs\nTcp: 12x\n", "Tcp.InSegs", TCT_UNPARSED, 0);
	IS(group, "Tcp: InSegs\nTcp: -\n", "Tcp.InSegs", TCT_UNPARSED, 0);
	IS(group, "Tcp: InSegs\nTcp: +5\n", "Tcp.InSegs", TCT_UNPARSED, 0);
	IS(group, "Tcp: InSegs\nTcp: 0x10\n", "Tcp.InSegs", TCT_UNPARSED, 0);
}
END_TEST

START_TEST(lines_without_a_partner_don_t_shift_the_others)
{
	const enum tct_counter_group group = TCT_GROUP_TCP;

	IS(group, "Icmp: a b\nTcp: InSegs\nTcp: 5\n", "Tcp.InSegs", TCT_PRESENT, 5);
	IS(group, "no colon here\nTcp: InSegs\nTcp: 5", "Tcp.InSegs", TCT_PRESENT, 5);
	IS(group, "Tcp: InSegs\n", "Tcp.InSegs", TCT_NOT_LOOKED, 0);
	IS(group, "Tcp: InSegs\nUdp: 5\n", "Tcp.InSegs", TCT_NOT_LOOKED, 0);
	IS(group, "\n\n\n:\n:\nTcp:\nTcp:\n", "Tcp.InSegs", TCT_NOT_LOOKED, 0);
	IS(group, "", "Tcp.InSegs", TCT_NOT_LOOKED, 0);
}
END_TEST

START_TEST(sockstat_is_read_in_turns)
{
	static const char text[] =
		"sockets: used 14\n"
		"TCP: inuse 1 orphan 0 new 3 tw 2 alloc 1 mem 136\nUDP: inuse 9 mem 0\n";

	IS(TCT_GROUP_SOCKSTAT, text, "sockstat.TCP.mem", TCT_PRESENT, 136);
	IS(TCT_GROUP_SOCKSTAT, text, "sockstat.TCP.tw", TCT_PRESENT, 2);
	IS(TCT_GROUP_SOCKSTAT, text, "sockstat.TCP.inuse", TCT_PRESENT, 1);
	IS(TCT_GROUP_SOCKSTAT6, "TCP6: inuse 4\n", "sockstat6.TCP6.inuse", TCT_PRESENT, 4);
	IS(TCT_GROUP_SOCKSTAT, "TCP: inuse\n", "sockstat.TCP.inuse", TCT_NOT_LOOKED, 0);
}
END_TEST

START_TEST(the_cpus_are_added_up_by_the_names_above)
{
	const enum tct_counter_group group = TCT_GROUP_CONNTRACK;
	static const char text[] = "entries  drop new early_drop\n"
				   "00000010  ffffffff 00000007 00000001\n"
				   "00000010  ffffffff 00000007 0000000A\n";

	IS(group, text, "conntrack.drop", TCT_PRESENT, INT64_C(0x1fffffffe));
	IS(group, text, "conntrack.early_drop", TCT_PRESENT, 11);
	IS(group, text, "conntrack.insert_failed", TCT_NOT_LOOKED, 0);
	IS(group, "entries drop\n", "conntrack.drop", TCT_NOT_LOOKED, 0);
	IS(group, "", "conntrack.drop", TCT_NOT_LOOKED, 0);
	/* One bad CPU, before or after a good one, makes the sum unknown. */
	IS(group, "drop\n00000001\n0000000g\n", "conntrack.drop", TCT_UNPARSED, 0);
	IS(group, "drop\n0x1\n00000001\n", "conntrack.drop", TCT_UNPARSED, 0);
	IS(group, "drop\n-1\n", "conntrack.drop", TCT_UNPARSED, 0);
	IS(group, "drop\n100000000\n", "conntrack.drop", TCT_UNPARSED, 0);
	IS(group, "drop\nfffffffffffffffffffffffff\n", "conntrack.drop", TCT_UNPARSED, 0);
	IS(group, "entries drop\n00000001 00000002\n00000001\n", "conntrack.drop", TCT_UNPARSED, 0);
	IS(group, "entries drop\n00000001\n00000001 00000002\n", "conntrack.drop", TCT_UNPARSED, 0);
	IS(group, "entries drop\n\n00000001 00000002\n\n", "conntrack.drop", TCT_PRESENT, 2);
	/* No other group's. */
	IS(group, text, "softnet.dropped", TCT_NOT_LOOKED, 0);
}
END_TEST

START_TEST(softnet_s_columns_go_by_position)
{
	const enum tct_counter_group group = TCT_GROUP_SOFTNET;
	static const char text[] =
		"00000001 00000002 00000003 0 0 0 0 0 0 00000004 00000005 00000009 00000000\n"
		"00000010 00000020 00000030 0 0 0 0 0 0 00000040 00000050 00000009 00000001\n";
	static const char old[] = "00000001 00000002 00000003 0 0 0 0 0 00000000\n";

	IS(group, text, "softnet.processed", TCT_PRESENT, 0x11);
	IS(group, text, "softnet.dropped", TCT_PRESENT, 0x22);
	IS(group, text, "softnet.time_squeeze", TCT_PRESENT, 0x33);
	IS(group, text, "softnet.received_rps", TCT_PRESENT, 0x44);
	IS(group, text, "softnet.flow_limit", TCT_PRESENT, 0x55);
	/* A kernel that has fewer columns. */
	IS(group, old, "softnet.time_squeeze", TCT_PRESENT, 3);
	IS(group, old, "softnet.flow_limit", TCT_NOT_LOOKED, 0);
	/* Cut off in the middle of a CPU. */
	IS(group, "00000001 00000002 00000003\n00000001", "softnet.processed", TCT_PRESENT, 2);
	IS(group, "00000001 00000002 00000003\n00000001", "softnet.dropped", TCT_UNPARSED, 0);
}
END_TEST

START_TEST(very_many_columns_are_survived)
{
	const size_t columns = 100000;
	char *text = malloc(2 * columns * 4 + 64);
	char *at = text;

	ck_assert_ptr_nonnull(text);
	for (unsigned line = 0; line < 2; line++) {
		at = stpcpy(at, line == 0 ? "Tcp: InSegs" : "Tcp: 8");
		for (size_t i = 0; i < columns; i++)
			at = stpcpy(at, " 1");
		at = stpcpy(at, "\n");
	}
	IS(TCT_GROUP_TCP, text, "Tcp.InSegs", TCT_PRESENT, 8);
	IS(TCT_GROUP_TCP, text, "Tcp.OutSegs", TCT_NOT_LOOKED, 0);
	free(text);
}
END_TEST

START_TEST(a_counter_missing_in_one_look_is_missing)
{
	struct tct_counter_value *first = calloc(tct_counters_count, sizeof(*first));
	struct tct_counter_value *last = calloc(tct_counters_count, sizeof(*last));
	struct tct_counter_reading *readings = calloc(tct_counters_count, sizeof(*readings));

	ck_assert(first != NULL && last != NULL && readings != NULL);
	first[0] = (struct tct_counter_value){ TCT_PRESENT, 5 };
	last[0] = (struct tct_counter_value){ TCT_PRESENT, 9 };
	first[1] = (struct tct_counter_value){ TCT_PRESENT, 5 };
	last[1] = (struct tct_counter_value){ TCT_ABSENT, 0 };
	first[2] = (struct tct_counter_value){ TCT_UNPARSED, 0 };
	last[2] = (struct tct_counter_value){ TCT_PRESENT, 9 };
	tct_counters_combine(first, last, readings);
	ck_assert_int_eq(readings[0].presence, TCT_PRESENT);
	ck_assert_int_eq(readings[0].first, 5);
	ck_assert_int_eq(readings[0].last, 9);
	ck_assert_int_eq(readings[1].presence, TCT_ABSENT);
	ck_assert_int_eq(readings[2].presence, TCT_UNPARSED);
	ck_assert_int_eq(readings[2].last, 0);
	free(first);
	free(last);
	free(readings);
}
END_TEST

START_TEST(lines_of_proc_net_tcp_are_read)
{
	struct tct_tcp_socket socket;

	ck_assert_int_eq(tct_proc_net_tcp_line(LISTEN4, AF_INET, &socket), 0);
	ck_assert_uint_eq(socket.local[0], 0x0100007F);
	ck_assert_uint_eq(socket.local_port, 8080);
	ck_assert_int_eq(socket.state, TCT_STATE_LISTEN);
	ck_assert_uint_eq(socket.receive_queue, 5);
	ck_assert_uint_eq(socket.uid, 1000);
	ck_assert_uint_eq(socket.inode, 4711);
	ck_assert_int_eq(socket.drops, -1);
	ck_assert_int_eq(tct_proc_net_tcp_line(REQUEST4, AF_INET, &socket), 0);
	ck_assert_int_eq(socket.state, TCT_STATE_SYN_RECV);
	ck_assert_int_eq(socket.timer, 1);
	ck_assert_uint_eq(socket.inode, 0);
	ck_assert_int_eq(tct_proc_net_tcp_line(ESTABLISHED6, AF_INET6, &socket), 0);
	ck_assert_uint_eq(socket.local[3], 0x01000000);
	ck_assert_uint_eq(socket.peer[0], 0xB80D0120);
	ck_assert_uint_eq(socket.local_port, 22);
	ck_assert_uint_eq(socket.send_queue, 16);
	ck_assert_uint_eq(socket.receive_queue, 32);
	ck_assert_int_eq(socket.timer, 2);
	ck_assert_uint_ne(socket.inode, 0);
}
END_TEST

START_TEST(no_beginning_of_a_line_is_a_line)
{
	char line[] = LISTEN4;
	struct tct_tcp_socket socket;
	size_t inode = (size_t)(strstr(line, "4711") - line);

	for (size_t length = 0; length <= inode; length++) {
		char *cut = strndup(line, length);

		ck_assert_ptr_nonnull(cut);
		ck_assert_int_eq(tct_proc_net_tcp_line(cut, AF_INET, &socket), -EBADMSG);
		free(cut);
	}
	ck_assert_int_eq(tct_proc_net_tcp_line(LISTEN4, AF_INET6, &socket), -EBADMSG);
	ck_assert_int_eq(tct_proc_net_tcp_line(ESTABLISHED6, AF_INET, &socket), -EBADMSG);
}
END_TEST

START_TEST(lists_of_processors_are_counted)
{
	ck_assert_int_eq(tct_host_count_cpus("0"), 1);
	ck_assert_int_eq(tct_host_count_cpus("0-127\n"), 128);
	ck_assert_int_eq(tct_host_count_cpus("0,2-3,9"), 4);
	ck_assert_int_eq(tct_host_count_cpus(""), -1);
	ck_assert_int_eq(tct_host_count_cpus("3-1"), -1);
	ck_assert_int_eq(tct_host_count_cpus("0-"), -1);
	ck_assert_int_eq(tct_host_count_cpus("0,"), -1);
	ck_assert_int_eq(tct_host_count_cpus("0 1"), -1);
	ck_assert_int_eq(tct_host_count_cpus("0-99999999999999999999"), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observe_text");
	TCase *cases = tcase_create("observe_text");
	SRunner *runner;
	int failed;

	tcase_add_test(cases, state_names_go_both_ways);
	tcase_add_test(cases, idle_times_are_never_overstated);
	tcase_add_test(cases, populations_leave_out_what_is_not_remote);
	tcase_add_test(cases, columns_are_found_by_name);
	tcase_add_test(cases, strange_numbers_are_not_taken);
	tcase_add_test(cases, lines_without_a_partner_don_t_shift_the_others);
	tcase_add_test(cases, sockstat_is_read_in_turns);
	tcase_add_test(cases, the_cpus_are_added_up_by_the_names_above);
	tcase_add_test(cases, softnet_s_columns_go_by_position);
	tcase_add_test(cases, very_many_columns_are_survived);
	tcase_add_test(cases, a_counter_missing_in_one_look_is_missing);
	tcase_add_test(cases, lines_of_proc_net_tcp_are_read);
	tcase_add_test(cases, no_beginning_of_a_line_is_a_line);
	tcase_add_test(cases, lists_of_processors_are_counted);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
