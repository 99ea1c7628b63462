/* What rules see of owners, destinations, peers and interfaces, and of a listener's group. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/rules_world.h"

enum { SECOND = 1000000000 };

/* Not to be had, and why; once the observation has it, it can be. */
static void check_unavailable(enum tct_each each, const char *why)
{
	const struct tct_env env = world_env();
	char reason[200];

	ck_assert(!tct_each_available(each, &env, reason));
	ck_assert_str_eq(reason, why);
	ck_assert_uint_eq(tct_each_count(each, &env), 0);
}

static void check_count(enum tct_each each, size_t count)
{
	const struct tct_env env = world_env();
	char reason[200];

	ck_assert(tct_each_available(each, &env, reason));
	ck_assert_str_eq(reason, "");
	ck_assert_uint_eq(tct_each_count(each, &env), count);
}

/* ---- listeners ---- */

#define SIBLING(n) .family = AF_INET, .address = "0.0.0.0", .port = 80, .queue = (n), .siblings = 2

START_TEST(listeners_of_one_port_are_a_group)
{
	struct tct_listener listeners[] = {
		{ SIBLING(7), .syn_recv_resent = 3, .unaccepted_kept = 5,
		  .unaccepted_idle_ns = INT64_C(7000000000), .established = 41203, .remote = 41000,
		  .unguarded = 12, .retransmitting = 9 },
		{ .family = AF_INET, .address = "10.0.0.1", .port = 80, .queue = 1, .siblings = 1 },
		{ SIBLING(2), .queue_first = 2 },
		{ .family = AF_INET6,
		  .address = "::",
		  .port = 80,
		  .v6only = true,
		  .drops = 4,
		  .drops_first = -1,
		  .syn_recv_resent = -1,
		  .unaccepted_kept = -1,
		  .unaccepted_idle_ns = -1,
		  .established = -1,
		  .remote = -1,
		  .unguarded = -1,
		  .retransmitting = -1 },
	};
	static const struct world_example first[] = {
		{ "siblings", "2" },          { "first_sibling", "yes" },
		{ "first_of_port", "yes" },   { "sibling_queue_least", "2" },
		{ "syn_recv_resent", "3" },   { "unaccepted_kept", "5" },
		{ "unaccepted_idle", "7 s" }, { "established", "41,203" },
		{ "remote", "41,000" },       { "unguarded", "12" },
		{ "retransmitting", "9" },    { "v6only", "no" },
		{ "growing(queue)", "yes" },
	};
	static const struct world_example alone[] = {
		{ "siblings", "1" },
		{ "first_sibling", "yes" },
		{ "sibling_queue_least", "1" },
	};
	static const struct world_example second[] = {
		{ "first_sibling", "no" },
		{ "first_of_port", "no" },
		{ "sibling_queue_least", "2" },
		{ "growing(queue)", "no" },
	};
	static const struct world_example unseen[] = {
		{ "v6only", "yes" },
		{ "siblings", "missing: the listener's siblings were not counted" },
		{ "syn_recv_resent",
		  "missing: half-open connections whose SYN-ACK was sent again: not looked at" },
		{ "unaccepted_kept", "missing: connections to be accepted: not looked at" },
		{ "unaccepted_idle",
		  "missing: how long connections wait to be accepted is not known" },
		{ "established", "missing: the listener's connections: not looked at" },
		{ "remote", "missing: the listener's connections: not looked at" },
		{ "unguarded", "missing: the listener's connections: not looked at" },
		{ "retransmitting", "missing: the listener's connections: not looked at" },
		{ "growing(drops)", "missing: the listener's own drops are not known" },
	};
	static const struct world_example once[] = {
		{ "growing(queue)", "missing: one look (--interval 0): no growth" },
		{ "unaccepted_kept",
		  "missing: one look (--interval 0): nobody knows how long they wait" },
	};

	world.observation.interval_ns = SECOND;
	world.observation.listeners = listeners;
	world.observation.listeners_count = TCT_COUNT(listeners);
	world.observation.listeners_presence = TCT_PRESENT;
	world_check_item(TCT_EACH_LISTENER, 0, first, TCT_COUNT(first));
	world_check_item(TCT_EACH_LISTENER, 1, alone, TCT_COUNT(alone));
	world_check_item(TCT_EACH_LISTENER, 2, second, TCT_COUNT(second));
	world_check_item(TCT_EACH_LISTENER, 3, unseen, TCT_COUNT(unseen));
	world.observation.interval_ns = 0;
	world_check_item(TCT_EACH_LISTENER, 3, once, TCT_COUNT(once));
}
END_TEST

/* ---- owners ---- */

static struct tct_population whole(int64_t total)
{
	return (struct tct_population){ .presence = TCT_PRESENT,
					.sample.whole = true,
					.total = total,
					.idle_at_least = { [0] = total, [1] = total / 2 } };
}

START_TEST(owners_have_their_share)
{
	struct tct_listener listener = { .family = AF_INET,
					 .address = "0.0.0.0",
					 .port = 80,
					 .owner = { .unit = "nginx.service" },
					 .inode = 77 };
	struct tct_owner_group owners[] = {
		{ .owner = { .pid = 123, .comm = "nginx", .unit = "nginx.service", .uid = 33 },
		  .established = 41203,
		  .populations = { [TCT_POPULATION_CLOSE_WAIT] = whole(9),
				   [TCT_POPULATION_UNGUARDED] = whole(4) },
		  .descriptors_max = 1024,
		  .close_wait_first = 4,
		  .busy_ns = INT64_C(7200) * SECOND,
		  .rwnd_limited_ns = INT64_C(90) * SECOND,
		  .sndbuf_limited_ns = 0 },
		{ .owner = { .pid = 7, .comm = "java", .uid = -1 },
		  .established = -1,
		  .descriptors_max = -1,
		  .close_wait_first = -1,
		  .busy_ns = -1,
		  .rwnd_limited_ns = -1,
		  .sndbuf_limited_ns = -1 },
		{ .owner = { .uid = 33, .inode = 77 } },
		{ .owner = { .uid = 33, .inode = 78 } },
		{ .owner = { .uid = -1 } },
	};
	static const struct world_example nginx[] = {
		{ "name", "nginx.service" },
		{ "unit", "nginx.service" },
		{ "process", "nginx[123]" },
		{ "pid", "123" },
		{ "ports", "80" },
		{ "established", "41,203" },
		{ "close_wait", "9" },
		{ "growing(close_wait)", "yes" },
		{ "descriptors_max", "1,024" },
		{ "busy", "2 h" },
		{ "rwnd_limited", "90 s" },
		{ "sndbuf_limited", "0 s" },
		{ "population(close_wait)", "9" },
		{ "population(unguarded)", "4" },
		{ "idle(unguarded, 0)", "4" },
		{ "population(remote)", "missing: sockets: not seen" },
		{ "state(CLOSE_WAIT)", "missing: socket states: not seen" },
	};
	static const struct world_example java[] = {
		{ "name", "java[7]" },
		{ "unit", "" },
		{ "ports", "" },
		{ "established", "missing: the owner's connections: not looked at" },
		{ "close_wait", "missing: the owner's CLOSE_WAIT sockets: not looked at" },
		{ "growing(close_wait)", "missing: the owner's CLOSE_WAIT sockets: not looked at" },
		{ "descriptors_max", "missing: the process's limit of descriptors is not known" },
		{ "busy", "missing: how long the owner's connections were busy: not looked at" },
		{ "rwnd_limited",
		  "missing: how long peers' windows held the owner's connections up: not looked at" },
		{ "sndbuf_limited",
		  "missing: how long send buffers held the owner's connections up: not looked at" },
	};
	static const struct world_example of_listener[] = {
		{ "name", "0.0.0.0:80" },
		{ "process", "" },
		{ "pid", "missing: the process is not known" },
	};
	static const struct world_example of_user[] = { { "name", "uid 33" } };
	static const struct world_example of_nobody[] = { { "name", "somebody" } };
	static const struct world_example no_first[] = {
		{ "growing(close_wait)",
		  "missing: the owner's CLOSE_WAIT sockets at the first look: not looked at" },
	};

	check_unavailable(TCT_EACH_OWNER, "owners of connections: not looked at");
	world.observation.populations[TCT_POPULATION_CLOSE_WAIT] = whole(0);
	check_count(TCT_EACH_OWNER, 0);
	world.observation.interval_ns = SECOND;
	world.observation.owners = owners;
	world.observation.owners_count = TCT_COUNT(owners);
	world.observation.listeners = &listener;
	world.observation.listeners_count = 1;
	check_count(TCT_EACH_OWNER, TCT_COUNT(owners));
	world_check_item(TCT_EACH_OWNER, 0, nginx, TCT_COUNT(nginx));
	world_check_item(TCT_EACH_OWNER, 1, java, TCT_COUNT(java));
	world_check_item(TCT_EACH_OWNER, 2, of_listener, TCT_COUNT(of_listener));
	world_check_item(TCT_EACH_OWNER, 3, of_user, TCT_COUNT(of_user));
	world_check_item(TCT_EACH_OWNER, 4, of_nobody, TCT_COUNT(of_nobody));
	owners[0].close_wait_first = -1;
	world_check_item(TCT_EACH_OWNER, 0, no_first, TCT_COUNT(no_first));
}
END_TEST

/* ---- destinations and outgoing() ---- */

static void give_outgoing(struct tct_destination *destinations, size_t count)
{
	world.observation.outgoing = (struct tct_outgoing){
		.presence = TCT_PRESENT,
		.ports_usable = 28232,
		.sockets = 900,
		.established = 400,
		.distinct = 3,
		.unanswered_distinct = 2,
		.destinations = destinations,
		.destinations_count = count,
	};
}

START_TEST(destinations_run_out_of_ports)
{
	struct tct_destination destinations[] = {
		{ .family = AF_INET,
		  .source = "10.0.0.1",
		  .address = "10.0.0.9",
		  .port = 443,
		  .sockets = 28000,
		  .time_wait = 20000,
		  .reusable = 500,
		  .used = 27500,
		  .used_first = 27400,
		  .syn_sent = 8,
		  .syn_unanswered = 6,
		  .owner = { .pid = 9, .comm = "envoy", .unit = "envoy.service" } },
		{ .family = AF_INET6,
		  .address = "fd00::9",
		  .port = 80,
		  .used = 28232,
		  .used_first = -1 },
		{ .family = AF_INET,
		  .address = "10.0.0.8",
		  .port = 80,
		  .used = 5,
		  .used_first = 9 },
		{ .family = AF_INET,
		  .address = "10.0.0.7",
		  .port = 80,
		  .used = 5,
		  .used_first = -1 },
	};
	static const struct world_example first[] = {
		{ "source", "10.0.0.1" },
		{ "address", "10.0.0.9" },
		{ "port", "443" },
		{ "endpoint", "10.0.0.9:443" },
		{ "sockets", "28,000" },
		{ "time_wait", "20,000" },
		{ "reusable", "500" },
		{ "used", "27,500" },
		{ "used_first", "27,400" },
		{ "growing(used)", "yes" },
		{ "syn_sent", "8" },
		{ "syn_unanswered", "6" },
		{ "exhausted_in", "73.2 s" }, /* 732 ports, 100 in 10 s */
		{ "owner", "envoy[9]" },
		{ "unit", "envoy.service" },
		{ "outgoing(ports_usable)", "28,232" },
		{ "outgoing(sockets)", "900" },
		{ "outgoing(established)", "400" },
		{ "outgoing(distinct)", "3" },
		{ "outgoing(unanswered_distinct)", "2" },
	};
	static const struct world_example full[] = {
		{ "endpoint", "[fd00::9]:80" },
		{ "exhausted_in", "0 s" },
		{ "used_first", "missing: one look (--interval 0): no growth" },
		{ "owner", "" },
	};
	static const struct world_example falling[] = {
		{ "growing(used)", "no" },
		{ "exhausted_in", "missing: the ports in use don't grow in number" },
	};
	static const struct world_example once[] = {
		{ "growing(used)", "missing: one look (--interval 0): no growth" },
		{ "exhausted_in", "missing: one look (--interval 0): no growth" },
	};
	static const struct world_example no_range[] = {
		{ "exhausted_in", "missing: how many ports are usable is not known" },
		{ "outgoing(ports_usable)", "missing: how many ports are usable is not known" },
	};

	world.observation.interval_ns = INT64_C(10) * SECOND;
	give_outgoing(destinations, TCT_COUNT(destinations));
	check_count(TCT_EACH_DESTINATION, TCT_COUNT(destinations));
	world_check_item(TCT_EACH_DESTINATION, 0, first, TCT_COUNT(first));
	world_check_item(TCT_EACH_DESTINATION, 1, full, TCT_COUNT(full));
	world_check_item(TCT_EACH_DESTINATION, 2, falling, TCT_COUNT(falling));
	world_check_item(TCT_EACH_DESTINATION, 3, once, TCT_COUNT(once));
	world.observation.outgoing.ports_usable = -1;
	world_check_item(TCT_EACH_DESTINATION, 0, no_range, TCT_COUNT(no_range));
}
END_TEST

static void not_counted(const char *why)
{
	world.observation.outgoing = (struct tct_outgoing){ .ports_usable = 28232 };
	(void)strncpy(world.observation.outgoing.why_not, why,
		      sizeof(world.observation.outgoing.why_not) - 1);
}

START_TEST(ports_that_cannot_run_short_are_no_gap)
{
	static const struct world_example none[] = {
		{ "outgoing(sockets)", "0" },
		{ "outgoing(unanswered_distinct)", "0" },
		{ "outgoing(ports_usable)", "28,232" },
	};
	static const struct world_example few[] = {
		{ "outgoing(sockets)",
		  "missing: ephemeral ports in use: not counted: at most 211 ports can be in use, 28232 are there" },
	};
	static const struct world_example unasked[] = {
		{ "outgoing(distinct)",
		  "missing: ephemeral ports in use: not counted: no rule asks for it" },
	};

	not_counted("no connection was opened from here");
	check_count(TCT_EACH_DESTINATION, 0);
	world_check_item(TCT_EACH_NONE, 0, none, TCT_COUNT(none));
	not_counted("there is no socket");
	check_count(TCT_EACH_DESTINATION, 0);
	world_check_item(TCT_EACH_NONE, 0, none, TCT_COUNT(none));
	not_counted("at most 211 ports can be in use, 28232 are there");
	check_count(TCT_EACH_DESTINATION, 0);
	world_check_item(TCT_EACH_NONE, 0, few, TCT_COUNT(few));
	not_counted("no rule asks for it");
	check_unavailable(TCT_EACH_DESTINATION,
			  "ephemeral ports in use: not counted: no rule asks for it");
	world_check_item(TCT_EACH_NONE, 0, unasked, TCT_COUNT(unasked));
	not_counted("");
	world.observation.outgoing.presence = TCT_UNREADABLE;
	check_unavailable(TCT_EACH_DESTINATION, "ephemeral ports in use: not counted");
}
END_TEST

/* ---- peers ---- */

START_TEST(peers_have_connections_of_their_own)
{
	struct tct_peer peer = {
		.family = AF_INET,
		.address = "10.0.0.7",
		.local = "10.0.0.1:443",
		.port = 443,
		.established = 6,
		.unguarded = whole(5),
		.owner = { .pid = 3, .comm = "mqtt", .unit = "mqtt.service" },
	};
	static const struct world_example examples[] = {
		{ "address", "10.0.0.7" },
		{ "local", "10.0.0.1:443" },
		{ "port", "443" },
		{ "established", "6" },
		{ "owner", "mqtt[3]" },
		{ "unit", "mqtt.service" },
		{ "population(unguarded)", "5" },
		{ "idle(unguarded, 0)", "5" },
	};
	static const struct world_example refused[] = {
		{ "population(remote)",
		  "f:1:12: with `each: peer` population() only takes unguarded" },
		{ "idle(close_wait, 10s)", "f:1:6: with `each: peer` idle() only takes unguarded" },
		{ "growing(established)",
		  "f:1:9: `established` is not known of the first look: growing() takes queue, drops, used or close_wait" },
	};
	static const struct world_example unseen[] = {
		{ "population(unguarded)", "missing: sockets: not seen" },
	};

	check_unavailable(TCT_EACH_PEER, "peers of connections: not looked at");
	world.observation.peers_presence = TCT_PRESENT;
	check_count(TCT_EACH_PEER, 0);
	world.observation.peers = &peer;
	world.observation.peers_count = 1;
	/* the host's own are others */
	world.observation.populations[TCT_POPULATION_UNGUARDED] = whole(900);
	check_count(TCT_EACH_PEER, 1);
	world_check_item(TCT_EACH_PEER, 0, examples, TCT_COUNT(examples));
	world_check_refusals(TCT_EACH_PEER, refused, TCT_COUNT(refused));
	peer.unguarded.presence = TCT_NOT_LOOKED;
	world_check_item(TCT_EACH_PEER, 0, unseen, TCT_COUNT(unseen));
}
END_TEST

/* ---- interfaces ---- */

START_TEST(interfaces_count_what_they_lose)
{
	struct tct_interface interfaces[] = {
		{ .name = "eth0",
		  .mtu_bytes = 1500,
		  .rp_filter = 1,
		  .rx_packets_first = 1000,
		  .rx_packets = 42203,
		  .rx_errors = 1,
		  .rx_dropped = 2,
		  .tx_errors = 3,
		  .tx_dropped = 4 },
		{ .name = "eth1",
		  .mtu_bytes = -1,
		  .rp_filter = -1,
		  .rx_packets_first = 9,
		  .rx_packets = 8,
		  .rx_errors_first = -1,
		  .rx_errors = 5 },
	};
	static const struct world_example eth0[] = {
		{ "interface", "eth0" },
		{ "mtu", "1500" },
		{ "rp_filter", "1" },
		{ "rx_packets_growth", "41,203" },
		{ "rx_errors_growth", "1" },
		{ "rx_dropped_growth", "2" },
		{ "tx_errors_growth", "3" },
		{ "tx_dropped_growth", "4" },
		{ "ratio(rx_dropped_growth, rx_packets_growth, at_least: 1000) > 1%", "no" },
	};
	static const struct world_example eth1[] = {
		{ "mtu", "missing: the interface's MTU: not looked at" },
		{ "rp_filter", "missing: the interface's rp_filter: not looked at" },
		{ "rx_packets_growth", "missing: packets received went backwards" },
		{ "rx_errors_growth", "missing: errors of receiving are not known" },
	};
	static const struct world_example once[] = {
		{ "rx_packets_growth", "missing: one look (--interval 0): no growth" },
		{ "rx_errors_growth", "missing: one look (--interval 0): no growth" },
		{ "rx_dropped_growth", "missing: one look (--interval 0): no growth" },
		{ "tx_errors_growth", "missing: one look (--interval 0): no growth" },
		{ "tx_dropped_growth", "missing: one look (--interval 0): no growth" },
	};

	check_unavailable(TCT_EACH_INTERFACE, "one look (--interval 0): no rates");
	world.observation.interval_ns = 1;
	check_unavailable(TCT_EACH_INTERFACE, "network interfaces: not looked at");
	world.observation.interval_ns = 0;
	world.observation.interval_ns = SECOND;
	world.observation.interfaces = interfaces;
	world.observation.interfaces_count = TCT_COUNT(interfaces);
	world.observation.interfaces_presence = TCT_PRESENT;
	check_count(TCT_EACH_INTERFACE, 2);
	world_check_item(TCT_EACH_INTERFACE, 0, eth0, TCT_COUNT(eth0));
	world_check_item(TCT_EACH_INTERFACE, 1, eth1, TCT_COUNT(eth1));
	world.observation.interval_ns = 0;
	world_check_item(TCT_EACH_INTERFACE, 0, once, TCT_COUNT(once));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("items");
	TCase *items = tcase_create("items");

	tcase_add_checked_fixture(items, world_open, world_close);
	tcase_add_test(items, listeners_of_one_port_are_a_group);
	tcase_add_test(items, owners_have_their_share);
	tcase_add_test(items, destinations_run_out_of_ports);
	tcase_add_test(items, ports_that_cannot_run_short_are_no_gap);
	tcase_add_test(items, peers_have_connections_of_their_own);
	tcase_add_test(items, interfaces_count_what_they_lose);
	suite_add_tcase(suite, items);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
