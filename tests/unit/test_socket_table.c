/* Tables of sockets out of proc/net/tcp below a root: groups, filters, order, bounds. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/connection_side.h"
#include "audit/observe/socket_table.h"
#include "core/mem.h"
#include "core/text.h"
#include "tests/unit/scratch.h"

static struct tct_text v4_lines;
static struct tct_text v6_lines;
static struct tct_observation *observation;
static struct tct_socket_table table;

static void open_all(void)
{
	scratch_open();
	observation = tct_observation_new();
	ck_assert_ptr_nonnull(observation);
	tct_text_add(&v4_lines, "  sl  local_address ...\n");
	tct_text_add(&v6_lines, "  sl  local_address ...\n");
}

static void close_all(void)
{
	tct_socket_table_done(&table);
	tct_observation_free(observation);
	tct_text_done(&v4_lines);
	tct_text_done(&v6_lines);
	scratch_close();
}

static void add_address(struct tct_text *lines, const char *address, unsigned port)
{
	uint32_t words[4] = { 0 };
	bool v6 = strchr(address, ':') != NULL;

	ck_assert_int_eq(inet_pton(v6 ? AF_INET6 : AF_INET, address, words), 1);
	for (unsigned i = 0; i < (v6 ? 4U : 1U); i++)
		tct_text_addf(lines, "%08X", words[i]);
	tct_text_addf(lines, ":%04X ", port);
}

/* A line of proc/net/tcp, or tcp6 if the addresses are. */
static void add(const char *local, unsigned port, const char *peer, unsigned peer_port,
		enum tct_state state, unsigned inode)
{
	struct tct_text *lines = strchr(local, ':') != NULL ? &v6_lines : &v4_lines;

	tct_text_add(lines, "   1: ");
	add_address(lines, local, port);
	add_address(lines, peer, peer_port);
	tct_text_addf(lines, "%02X 00000000:00000000 00:00000000 00000000     0        0 %u 1 0\n",
		      (unsigned)state, inode);
}

static void look(struct tct_socket_query query)
{
	query.root = &scratch_root;
	scratch_write("proc/net/tcp", v4_lines.data);
	scratch_write("proc/net/tcp6", v6_lines.data);
	tct_socket_table_done(&table);
	ck_assert_int_eq(tct_socket_table_look(&query, observation, &table), 0);
	ck_assert_int_eq(table.states.method, TCT_METHOD_EXACT);
}

static void check_port_row(size_t i, enum tct_socket_side side, unsigned port, int64_t total)
{
	ck_assert_uint_lt(i, table.rows_count);
	ck_assert_int_eq(table.rows[i].kind, TCT_KIND_PORT);
	ck_assert_int_eq(table.rows[i].side, side);
	ck_assert_uint_eq(table.rows[i].port, port);
	ck_assert_int_eq(table.rows[i].total, total);
}

START_TEST(connections_to_a_listener_are_told_from_those_opened_here)
{
	scratch_write("proc/sys/net/ipv4/ip_local_port_range", "20000\t30000\n");
	add("0.0.0.0", 443, "0.0.0.0", 0, TCT_STATE_LISTEN, 1);
	add("::", 25000, "::", 0, TCT_STATE_LISTEN, 2); /* a port that connect() could have taken */
	for (unsigned i = 0; i < 4; i++)
		add("10.0.0.1", 443, "192.0.2.1", 40000 + i, TCT_STATE_ESTABLISHED, 10 + i);
	add("::ffff:10.0.0.1", 25000, "::ffff:192.0.2.1", 443, TCT_STATE_ESTABLISHED, 20);
	add("::ffff:10.0.0.1", 25000, "::ffff:192.0.2.1", 444, TCT_STATE_SYN_RECV, 0);
	/* An IPv4 socket isn't the IPv6 listener's. */
	add("10.0.0.1", 25000, "192.0.2.9", 5432, TCT_STATE_ESTABLISHED, 30);
	add("10.0.0.1", 20000, "192.0.2.9", 5432, TCT_STATE_TIME_WAIT, 0);
	add("10.0.0.1", 30000, "192.0.2.9", 5432, TCT_STATE_CLOSE_WAIT, 31);
	add("10.0.0.1", 700, "192.0.2.9", 5432, TCT_STATE_SYN_SENT, 32);
	add("10.0.0.1", 9000, "192.0.2.9", 3306, TCT_STATE_ESTABLISHED, 33); /* bound by itself */
	add("10.0.0.1", 22, "192.0.2.9", 30001, TCT_STATE_ESTABLISHED, 34);  /* listener gone */
	add("10.0.0.1", 23, "192.0.2.9", 20001, TCT_STATE_TIME_WAIT, 0);
	look((struct tct_socket_query){ .by = TCT_BY_PORT });
	ck_assert_uint_eq(table.rows_count, 6);
	check_port_row(0, TCT_SIDE_ON, 443, 5);
	check_port_row(1, TCT_SIDE_TO, 5432, 4);
	check_port_row(2, TCT_SIDE_ON, 25000, 3);
	check_port_row(3, TCT_SIDE_ON, 22, 1);
	check_port_row(4, TCT_SIDE_ON, 23, 1);
	check_port_row(5, TCT_SIDE_TO, 3306, 1);
	ck_assert_int_eq(table.total, 15);
	ck_assert_int_eq(table.unlisted, 0);
	ck_assert_uint_eq(table.rows[0].states[TCT_STATE_LISTEN], 1);
	ck_assert_uint_eq(table.rows[1].states[TCT_STATE_CLOSE_WAIT], 1);
	ck_assert_uint_eq(table.rows[1].states[TCT_STATE_SYN_SENT], 1);
}
END_TEST

START_TEST(without_a_port_range_the_default_counts)
{
	static const char *const bad[] = { NULL, "", "x y", "30000 20000", "0 9", "1 70000" };
	struct tct_ephemeral ephemeral;

	for (size_t i = 0; i < TCT_COUNT(bad); i++) {
		if (bad[i] != NULL)
			scratch_write("proc/sys/net/ipv4/ip_local_port_range", bad[i]);
		tct_ephemeral_read(&ephemeral, &scratch_root);
		ck_assert_uint_eq(ephemeral.first, 32768);
		ck_assert_uint_eq(ephemeral.last, 60999);
	}
}
END_TEST

START_TEST(a_peer_is_one_whatever_its_family)
{
	add("0.0.0.0", 443, "0.0.0.0", 0, TCT_STATE_LISTEN, 1);
	add("10.0.0.1", 443, "192.0.2.1", 40000, TCT_STATE_ESTABLISHED, 2);
	add("::ffff:10.0.0.1", 443, "::ffff:192.0.2.1", 40001, TCT_STATE_TIME_WAIT, 0);
	add("2001:db8::1", 443, "2001:db8::9", 40001, TCT_STATE_ESTABLISHED, 3);
	add("::1", 443, "::1", 40001, TCT_STATE_ESTABLISHED, 4);
	add("::1", 40001, "::1", 443, TCT_STATE_ESTABLISHED, 5);
	add("::1", 40002, "::1", 443, TCT_STATE_ESTABLISHED, 6);
	look((struct tct_socket_query){ .by = TCT_BY_PEER });
	ck_assert_uint_eq(table.rows_count, 4);
	ck_assert_str_eq(table.rows[0].address, "::1");
	ck_assert_int_eq(table.rows[0].total, 3);
	ck_assert_int_eq(table.rows[0].side, TCT_SIDE_NONE);
	ck_assert_str_eq(table.rows[1].address, "192.0.2.1");
	ck_assert_int_eq(table.rows[1].total, 2);
	ck_assert_str_eq(table.rows[2].address, "2001:db8::9");
	ck_assert_int_eq(table.rows[3].kind, TCT_KIND_NO_PEER);
	/* Those of one port: clients and servers apart. */
	look((struct tct_socket_query){ .by = TCT_BY_PEER, .port = 443 });
	ck_assert_uint_eq(table.rows_count, 5);
	ck_assert_str_eq(table.rows[0].address, "192.0.2.1");
	ck_assert_str_eq(table.rows[1].address, "::1");
	ck_assert_int_eq(table.rows[1].side, TCT_SIDE_TO);
	ck_assert_int_eq(table.rows[1].total, 2);
	ck_assert_uint_eq(table.rows[1].port, 443);
	ck_assert_str_eq(table.rows[2].address, "::1");
	ck_assert_int_eq(table.rows[2].side, TCT_SIDE_ON);
}
END_TEST

START_TEST(states_and_ports_select)
{
	add("0.0.0.0", 443, "0.0.0.0", 0, TCT_STATE_LISTEN, 1);
	add("10.0.0.1", 443, "192.0.2.1", 40000, TCT_STATE_ESTABLISHED, 2);
	add("10.0.0.1", 40000, "192.0.2.1", 443, TCT_STATE_CLOSE_WAIT, 3);
	add("10.0.0.1", 444, "192.0.2.1", 40000, TCT_STATE_ESTABLISHED, 4);
	look((struct tct_socket_query){ .by = TCT_BY_STATE });
	ck_assert_int_eq(table.total, 4);
	ck_assert_uint_eq(table.rows_count, 11);
	ck_assert_int_eq(table.rows[0].state, TCT_STATE_ESTABLISHED);
	ck_assert_int_eq(table.rows[0].total, 2);
	ck_assert_int_eq(table.rows[1].state, TCT_STATE_CLOSE_WAIT);
	ck_assert_int_eq(table.rows[2].state, TCT_STATE_LISTEN);
	ck_assert_int_eq(table.rows[3].state, TCT_STATE_SYN_SENT);
	look((struct tct_socket_query){ .by = TCT_BY_STATE, .port = 443 });
	ck_assert_int_eq(table.total, 3);
	look((struct tct_socket_query){
		.by = TCT_BY_STATE,
		.port = 443,
		.states = 1 << TCT_STATE_CLOSE_WAIT | 1 << TCT_STATE_TIME_WAIT,
		.top = 1,
	});
	ck_assert_int_eq(table.total, 1);
	ck_assert_uint_eq(table.rows_count, 1);
	ck_assert_uint_eq(table.truncated, 1);
	ck_assert_int_eq(table.rows[0].state, TCT_STATE_CLOSE_WAIT);
	look((struct tct_socket_query){ .by = TCT_BY_PEER, .port = 1 });
	ck_assert_int_eq(table.total, 0);
	ck_assert_uint_eq(table.rows_count, 0);
}
END_TEST

static void check_row(size_t i, enum tct_socket_kind kind, enum tct_socket_side side, int64_t total)
{
	ck_assert_uint_lt(i, table.rows_count);
	ck_assert_int_eq(table.rows[i].kind, kind);
	ck_assert_int_eq(table.rows[i].side, side);
	ck_assert_int_eq(table.rows[i].total, total);
}

START_TEST(sockets_without_a_process_are_told_by_why)
{
	add("0.0.0.0", 443, "0.0.0.0", 0, TCT_STATE_LISTEN, 1);
	add("10.0.0.1", 443, "192.0.2.1", 40000, TCT_STATE_ESTABLISHED, 0);
	add("10.0.0.1", 443, "192.0.2.1", 40001, TCT_STATE_CLOSE_WAIT, 0);
	add("10.0.0.1", 443, "192.0.2.1", 40002, TCT_STATE_SYN_RECV, 0);
	for (unsigned i = 0; i < 5; i++)
		add("10.0.0.1", 443, "192.0.2.1", 41000 + i, TCT_STATE_TIME_WAIT, 0);
	add("10.0.0.1", 40000, "192.0.2.1", 443, TCT_STATE_FIN_WAIT1, 0);
	add("10.0.0.1", 40001, "192.0.2.1", 443, TCT_STATE_FIN_WAIT2, 0);
	add("10.0.0.1", 40003, "192.0.2.1", 443, TCT_STATE_FIN_WAIT2, 7);
	add("10.0.0.1", 40004, "192.0.2.1", 443, TCT_STATE_FIN_WAIT2, 8);
	add("10.0.0.1", 40005, "192.0.2.1", 443, TCT_STATE_FIN_WAIT2, 9);
	add("10.0.0.1", 40006, "192.0.2.1", 443, TCT_STATE_FIN_WAIT2, 9);
	look((struct tct_socket_query){ .by = TCT_BY_PROCESS, .port = 443 });
	ck_assert_uint_eq(table.rows_count, 5);
	check_row(0, TCT_KIND_TIME_WAIT, TCT_SIDE_ON, 5);
	check_row(1, TCT_KIND_NOT_SEEN, TCT_SIDE_TO, 4);
	check_row(2, TCT_KIND_NOT_ACCEPTED, TCT_SIDE_ON, 3);
	check_row(3, TCT_KIND_CLOSED, TCT_SIDE_TO, 2);
	check_row(4, TCT_KIND_NOT_SEEN, TCT_SIDE_ON, 1);
	ck_assert_int_eq(table.shared, 0);
	ck_assert_uint_ge(observation->gaps_count, 1);
	look((struct tct_socket_query){ .by = TCT_BY_UNIT });
	ck_assert_uint_eq(table.rows_count, 4);
	check_row(0, TCT_KIND_TIME_WAIT, TCT_SIDE_NONE, 5);
	check_row(1, TCT_KIND_NOT_SEEN, TCT_SIDE_NONE, 5);
}
END_TEST

START_TEST(very_many_peers_take_bounded_memory_and_keep_the_large_one)
{
	enum { PEERS = 30000, LARGE = 700 };
	char peer[INET_ADDRSTRLEN];
	int64_t listed = 0;

	for (unsigned i = 0; i < PEERS; i++) {
		uint32_t address = htonl(0x0a000000 + i);

		ck_assert_ptr_nonnull(inet_ntop(AF_INET, &address, peer, sizeof(peer)));
		add("192.0.2.1", 443, peer, 5000, TCT_STATE_ESTABLISHED, 1);
		if (i % (PEERS / LARGE) == 0)
			add("192.0.2.1", 443, "198.51.100.7", 5000 + i, TCT_STATE_ESTABLISHED, 1);
	}
	look((struct tct_socket_query){ .by = TCT_BY_PEER });
	ck_assert_uint_le(table.rows_count, 8192);
	ck_assert_str_eq(table.rows[0].address, "198.51.100.7");
	ck_assert_int_ge(table.rows[0].total, LARGE);
	ck_assert_int_eq(table.rows[0].missing, 0);
	for (size_t i = 0; i < table.rows_count; i++)
		listed += table.rows[i].total;
	ck_assert_int_gt(table.unlisted, 0);
	ck_assert_int_eq(listed + table.unlisted, table.total);
	ck_assert_int_gt(table.rows[table.rows_count - 1].missing, 0);
	look((struct tct_socket_query){ .by = TCT_BY_PEER, .top = 3 });
	ck_assert_uint_eq(table.rows_count, 3);
	ck_assert_uint_gt(table.truncated, 0);
}
END_TEST

START_TEST(what_is_broken_or_missing_is_said)
{
	struct tct_socket_query query = { .root = &scratch_root, .by = TCT_BY_PORT };

	ck_assert_int_eq(tct_socket_table_look(&query, observation, &table), 0);
	ck_assert_int_eq(table.states.method, TCT_METHOD_NONE);
	ck_assert_uint_eq(observation->gaps_count, 1);
	tct_text_add(&v4_lines, "   0: nonsense\n\xff\xfe\n   1: 0100007F:1F90\n");
	add("10.0.0.1", 443, "192.0.2.1", 40000, (enum tct_state)13, 0);
	add("10.0.0.1", 443, "192.0.2.1", 40000, (enum tct_state)0, 0);
	add("10.0.0.1", 443, "192.0.2.1", 40000, (enum tct_state)99, 0);
	look((struct tct_socket_query){ .by = TCT_BY_PORT });
	ck_assert_int_eq(table.total, 1); /* 13: bound, told as CLOSE */
	ck_assert_uint_eq(observation->gaps_count, 4);
	ck_assert_str_eq(observation->gaps[2].why,
			 "3 lines of proc/net/tcp and tcp6 can't be read");
	ck_assert_str_eq(observation->gaps[3].why,
			 "2 are in a state that this program doesn't know");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("socket_table");
	TCase *cases = tcase_create("table");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(cases, 30); /* beside much other work */
	tcase_add_checked_fixture(cases, open_all, close_all);
	tcase_add_test(cases, connections_to_a_listener_are_told_from_those_opened_here);
	tcase_add_test(cases, without_a_port_range_the_default_counts);
	tcase_add_test(cases, a_peer_is_one_whatever_its_family);
	tcase_add_test(cases, states_and_ports_select);
	tcase_add_test(cases, sockets_without_a_process_are_told_by_why);
	tcase_add_test(cases, very_many_peers_take_bounded_memory_and_keep_the_large_one);
	tcase_add_test(cases, what_is_broken_or_missing_is_said);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
