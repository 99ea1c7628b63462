/* Which populations a socket is in, and what groups, peers and destinations make of many. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/closing_first.h"
#include "audit/observe/destinations.h"
#include "audit/observe/peers.h"
#include "audit/observe/population_kinds.h"
#include "audit/observe/rare_populations.h"
#include "core/mem.h"

#define BIT(kind) (1U << TCT_POPULATION_##kind)

/* A connection from 10.0.0.2 that a program holds. */
static struct tct_tcp_socket make_socket(uint8_t state)
{
	struct tct_tcp_socket socket = tct_tcp_socket_untold(AF_INET);

	socket.state = state;
	socket.inode = 1;
	socket.local_port = 443;
	socket.peer_port = 50000;
	socket.local[0] = htonl(0x0a000001);
	socket.peer[0] = htonl(0x0a000002);
	return socket;
}

/* Sent again `times` times, the last time sent_ms ago; new data came data_ms ago, an ACK just now.
 */
static struct tct_tcp_socket make_stuck(uint8_t times, int64_t sent_ms, int64_t rto_ms,
					int64_t data_ms)
{
	struct tct_tcp_socket socket = make_socket(TCT_STATE_ESTABLISHED);

	socket.timer = TCT_TIMER_RETRANSMIT;
	socket.retransmits = times;
	socket.send_queue = 4096;
	socket.idle_ms = 0;
	socket.last_data_ms = data_ms;
	socket.last_sent_ms = sent_ms;
	socket.rto_ms = rto_ms;
	socket.mss_bytes = 1448;
	socket.in_flight_bytes = 4096;
	return socket;
}

START_TEST(heard_is_who_sent_new_data_meanwhile)
{
	static const struct {
		uint8_t times;
		int64_t sent_ms;
		int64_t rto_ms;
		int64_t data_ms;
		bool heard;
	} cases[] = {
		/* the last time but one was 1,000 + 800 ms ago */
		{ 3, 1000, 1600, 1000, true },
		{ 3, 1000, 1600, 1759, true },
		{ 3, 1000, 1600, 1760, false }, /* jiffies */
		{ 3, 1000, 1600, 5000, false },
		{ 2, 1000, 1600, 0, false }, /* too early to tell */
		{ 15, 60000, 120000, 119000, true },
		{ 15, 60000, 120000, 121000, false },
		{ 255, 0, INT64_C(4294967), 0, true },
		{ 4, -1, 1600, 0, false },
		{ 4, 1000, -1, 0, false },
		{ 4, 1000, 1600, -1, false },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		struct tct_tcp_socket socket = make_stuck(cases[i].times, cases[i].sent_ms,
							  cases[i].rto_ms, cases[i].data_ms);

		ck_assert_msg(tct_socket_was_heard(&socket) == cases[i].heard, "case %zu", i);
		ck_assert_msg((tct_populations_of(&socket) & BIT(HEARD_UNACKED)) ==
				      (cases[i].heard ? BIT(HEARD_UNACKED) : 0),
			      "case %zu", i);
		socket.timer = TCT_TIMER_KEEPALIVE;
		ck_assert(!tct_socket_was_heard(&socket));
	}
}
END_TEST

START_TEST(only_full_size_data_tells_of_the_path)
{
	struct tct_tcp_socket socket = make_stuck(4, 1000, 1600, 0);

	socket.in_flight_bytes = 1448;
	ck_assert((tct_populations_of(&socket) & BIT(HEARD_UNACKED)) != 0);
	socket.in_flight_bytes = 1447;
	ck_assert((tct_populations_of(&socket) & BIT(HEARD_UNACKED)) == 0);
	ck_assert(!tct_socket_flight_is_untold(&socket));
	socket.in_flight_bytes = -1;
	ck_assert((tct_populations_of(&socket) & BIT(HEARD_UNACKED)) == 0);
	ck_assert(tct_socket_flight_is_untold(&socket));
	socket.last_data_ms = 9000;
	ck_assert(!tct_socket_flight_is_untold(&socket));
	socket = make_stuck(4, 1000, 1600, 0);
	socket.mss_bytes = 0;
	ck_assert((tct_populations_of(&socket) & BIT(HEARD_UNACKED)) == 0);
	socket.mss_bytes = -1;
	ck_assert((tct_populations_of(&socket) & BIT(HEARD_UNACKED)) == 0);
}
END_TEST

START_TEST(data_is_stuck_in_two_states)
{
	struct tct_tcp_socket socket = make_stuck(5, 1000, 1600, 60000);
	struct tct_population populations[TCT_POPULATION_LIMIT] = { 0 };

	ck_assert((tct_populations_of(&socket) & BIT(UNANSWERED)) != 0);
	socket.last_data_ms = 0; /* heard */
	ck_assert((tct_populations_of(&socket) & BIT(UNANSWERED)) == 0);
	socket.last_data_ms = -1; /* times not told: by the count alone */
	ck_assert((tct_populations_of(&socket) & BIT(UNANSWERED)) != 0);
	socket.state = TCT_STATE_CLOSE_WAIT;
	ck_assert_uint_eq(tct_populations_of(&socket), BIT(UNANSWERED) | BIT(CLOSE_WAIT));
	socket.retransmits = 4;
	ck_assert_uint_eq(tct_populations_of(&socket), BIT(CLOSE_WAIT));
	socket.retransmits = 9;
	socket.timer = TCT_TIMER_PROBE;
	ck_assert_uint_eq(tct_populations_of(&socket), BIT(ZERO_WINDOW) | BIT(CLOSE_WAIT));
	socket.send_queue = 0;
	ck_assert_uint_eq(tct_populations_of(&socket), BIT(CLOSE_WAIT));
	socket.inode = 0; /* never accepted, if the source tells so much of it */
	socket.cookie = 7;
	ck_assert_uint_eq(tct_populations_of(&socket), 0);
	socket.cookie = 0;
	ck_assert_uint_eq(tct_populations_of(&socket), BIT(CLOSE_WAIT));
	socket.state = TCT_STATE_ESTABLISHED;
	socket.send_queue = 1;
	socket.idle_ms = 3000;
	socket.last_sent_ms = 70000;
	tct_populations_add(populations, &socket);
	ck_assert_int_eq(populations[TCT_POPULATION_ZERO_WINDOW].idle_at_least[10], 1);
	ck_assert_int_eq(populations[TCT_POPULATION_RETRANSMITTING].idle_at_least[3], 1);
	ck_assert_int_eq(populations[TCT_POPULATION_RETRANSMITTING].idle_at_least[4], 0);
	ck_assert_int_eq(populations[TCT_POPULATION_UNANSWERED].total, 0);
}
END_TEST

START_TEST(rare_states_have_their_populations)
{
	static const struct {
		uint8_t state;
		uint8_t retransmits;
		uint32_t inode;
		unsigned kinds;
	} cases[] = {
		{ TCT_STATE_SYN_SENT, 1, 1, 0 },
		{ TCT_STATE_SYN_SENT, 2, 1, BIT(SYN_UNANSWERED) },
		{ TCT_STATE_FIN_WAIT1, 2, 0, BIT(FIN_UNANSWERED) },
		{ TCT_STATE_FIN_WAIT1, 1, 0, 0 },
		{ TCT_STATE_CLOSING, 9, 0, BIT(FIN_UNANSWERED) },
		{ TCT_STATE_LAST_ACK, 2, 5, BIT(FIN_UNANSWERED) },
		{ TCT_STATE_FIN_WAIT2, 0, 5, BIT(FIN_WAIT2_HELD) },
		{ TCT_STATE_FIN_WAIT2, 7, 0, BIT(FIN_WAIT2_ORPHANED) },
		{ TCT_STATE_SYN_RECV, 5, 0, 0 },
		{ TCT_STATE_TIME_WAIT, 0, 0, 0 },
		{ TCT_STATE_LISTEN, 9, 1, 0 },
		{ TCT_STATE_CLOSE, 9, 1, 0 },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		struct tct_tcp_socket socket = make_socket(cases[i].state);

		socket.timer = TCT_TIMER_RETRANSMIT;
		socket.retransmits = cases[i].retransmits;
		socket.inode = cases[i].inode;
		ck_assert_msg(tct_populations_of(&socket) == cases[i].kinds, "case %zu", i);
	}
}
END_TEST

START_TEST(samples_are_joined)
{
	const struct tct_sample whole = { .whole = true, .seen = 10, .of = 10 };
	const struct tct_sample part = { .seen = 100, .of = 990, .error_ppm = 10000 };
	struct tct_sample both = tct_sample_join(&whole, &whole);

	ck_assert(both.whole);
	ck_assert_int_eq(both.of, 20);
	ck_assert_int_eq(both.error_ppm, 0);
	both = tct_sample_join(&whole, &part);
	ck_assert(!both.whole);
	ck_assert_int_eq(both.seen, 110);
	ck_assert_int_eq(both.of, 1000);
	ck_assert_int_eq(both.error_ppm, 9900);
	both = tct_sample_join(&(struct tct_sample){ .whole = true },
			       &(struct tct_sample){ .whole = true });
	ck_assert(both.whole);
	ck_assert_int_eq(both.error_ppm, 0);
}
END_TEST

/* ---- owners ---- */

START_TEST(times_are_added_and_never_overflow)
{
	struct tct_owner_group group = { .busy_ns = -1,
					 .rwnd_limited_ns = -1,
					 .sndbuf_limited_ns = -1 };
	struct tct_send_times times = { 0 };
	struct tct_tcp_socket socket = make_socket(TCT_STATE_ESTABLISHED);

	tct_send_times_add(&times, &socket); /* an older kernel */
	tct_send_times_hand_over(&times, 1, &group);
	ck_assert_int_eq(group.busy_ns, -1);
	socket.busy_us = 1000;
	socket.rwnd_limited_us = 250;
	socket.sndbuf_limited_us = 0;
	tct_send_times_add(&times, &socket);
	tct_send_times_hand_over(&times, 2, &group);
	ck_assert_int_eq(group.busy_ns, 2000000);
	ck_assert_int_eq(group.rwnd_limited_ns, 500000);
	ck_assert_int_eq(group.sndbuf_limited_ns, 0);
	tct_send_times_hand_over(&times, 1, &group);
	ck_assert_int_eq(group.busy_ns, 3000000);
	socket.busy_us = INT64_MAX;
	socket.rwnd_limited_us = INT64_MAX / 2;
	for (unsigned i = 0; i < 100; i++)
		tct_send_times_add(&times, &socket);
	tct_send_times_hand_over(&times, 1000, &group);
	ck_assert_int_eq(group.busy_ns, INT64_C(1) << 62);
	ck_assert_int_ge(group.rwnd_limited_ns, (INT64_C(1) << 61) - (1 << 20));
	ck_assert_int_le(group.rwnd_limited_ns, (INT64_C(1) << 61) + (1 << 20));
	ck_assert_int_eq(group.sndbuf_limited_ns, 0);
}
END_TEST

/* Sockets of both walks, weighed apart, and those of rare states: totals of the observation. */
START_TEST(states_are_weighed_apart)
{
	struct tct_observation *observation = tct_observation_new();
	struct tct_owner_groups groups[TCT_DIRECTIONS] = { 0 };
	const struct tct_weights weights = { .direction = { 10, 1 }, .closing = 3 };
	struct tct_rare_populations rare;
	struct tct_listening listening = { 0 };
	struct tct_tcp_socket socket = make_stuck(6, 1000, 1600, 60000);

	ck_assert_ptr_nonnull(observation);
	tct_rare_populations_init(&rare, NULL);
	ck_assert_int_eq(tct_owner_groups_add(&groups[TCT_INCOMING], -1, &socket), 0);
	socket.state = TCT_STATE_CLOSE_WAIT;
	ck_assert_int_eq(tct_owner_groups_add(&groups[TCT_INCOMING], -1, &socket), 0);
	ck_assert_int_eq(tct_owner_groups_add(&groups[TCT_INCOMING], -1, &socket), 0);
	socket.state = TCT_STATE_LAST_ACK;
	observation->states.counts[TCT_STATE_LAST_ACK] = 4;
	observation->states.counts[TCT_STATE_FIN_WAIT1] = 3;
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(tct_rare_populations_add(&rare, &listening, &socket), 0);
	tct_rare_populations_hand_over(&rare, observation);
	ck_assert_int_eq(tct_owner_groups_add_rare(groups, &rare.groups), 0);
	ck_assert_int_eq(tct_owner_groups_hand_over(groups, &weights, observation), 0);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_UNANSWERED].total, 16); /* 10 + 2 *
											    3 */
	ck_assert_int_eq(observation->populations[TCT_POPULATION_CLOSE_WAIT].total, 6);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_RETRANSMITTING].total, 10);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_FIN_UNANSWERED].total, 4);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_FIN_UNANSWERED].presence,
			 TCT_PRESENT);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_FIN_UNANSWERED].sample.of, 7);
	/* a walk that begins again forgets its own */
	tct_owner_groups_clear(&groups[TCT_INCOMING], true);
	tct_rare_populations_clear(&rare);
	tct_rare_populations_hand_over(&rare, observation);
	memset(observation->populations, 0,
	       TCT_POPULATION_RARE * sizeof(*observation->populations));
	ck_assert_int_eq(tct_owner_groups_hand_over(groups, &weights, observation), 0);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_UNANSWERED].total, 10);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_CLOSE_WAIT].total, 0);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_FIN_UNANSWERED].total, 0);
	tct_rare_populations_done(&rare);
	tct_owner_groups_done(&groups[TCT_INCOMING]);
	tct_owner_groups_done(&groups[TCT_OUTGOING]);
	tct_observation_free(observation);
}
END_TEST

/* The walk over the rare states begins again: after an interruption, or to walk every socket. */
START_TEST(an_owners_rare_sockets_are_counted_once)
{
	const struct tct_root root = { .fd = -1 };
	struct tct_cgroups *cgroups = tct_cgroups_new(&root);
	struct tct_owner_groups groups[TCT_DIRECTIONS] = { { .cgroups = cgroups },
							   { .cgroups = cgroups } };
	struct tct_rare_populations rare;
	struct tct_listening listening = { 0 };
	struct tct_tcp_socket socket = make_socket(TCT_STATE_FIN_WAIT2);
	const unsigned held = TCT_POPULATION_FIN_WAIT2_HELD - TCT_POPULATION_RARE;

	ck_assert_ptr_nonnull(cgroups);
	tct_rare_populations_init(&rare, cgroups);
	for (unsigned walk = 0; walk < 3; walk++) {
		tct_rare_populations_clear(&rare);
		socket.uid = 33 - walk; /* another one comes first */
		socket.inode = 100 + walk;
		for (unsigned i = 0; i < 5; i++)
			ck_assert_int_eq(tct_rare_populations_add(&rare, &listening, &socket), 0);
	}
	ck_assert_int_eq(tct_owner_groups_add_rare(groups, &rare.groups), 0);
	ck_assert_uint_eq(groups[TCT_OUTGOING].items_count, 1);
	ck_assert_int_eq(groups[TCT_OUTGOING].items[0].uid, 31);
	ck_assert_int_eq(groups[TCT_OUTGOING].items[0].rare[held], 5);
	ck_assert_uint_eq(groups[TCT_OUTGOING].items[0].inodes[0], 102);
	tct_rare_populations_done(&rare);
	tct_owner_groups_done(&groups[TCT_INCOMING]);
	tct_owner_groups_done(&groups[TCT_OUTGOING]);
	tct_cgroups_free(cgroups);
}
END_TEST

START_TEST(groups_of_the_first_look_are_known_again)
{
	struct tct_closing_mark items[] = {
		{ .direction = TCT_INCOMING, .listener = 77, .uid = 33, .count = 5 },
		{ .direction = TCT_INCOMING, .cgroup = 9, .uid = -1, .count = 6 },
		{ .direction = TCT_OUTGOING, .uid = 33, .count = 7 },
	};
	const struct tct_closing_marks marks = { .items = items, .items_count = 3, .known = true };
	struct tct_listening_socket listeners[] = {
		{ .socket = { .cookie = 78 } },
		{ .socket = { .inode = 77 } }, /* no cookie told */
	};
	const struct tct_listening listening = { .items = listeners, .items_count = 2 };
	struct tct_raw_group incoming[] = {
		{ .listener = 1, .uid = 0, .close_wait_first = -1 },  /* of the same listener */
		{ .listener = 0, .uid = 33, .close_wait_first = -1 }, /* of a new one */
		{ .listener = -1, .cgroup = 9, .close_wait_first = -1 },
		{ .listener = -1, .uid = 33, .close_wait_first = -1 }, /* the other way */
	};
	struct tct_raw_group outgoing[] = { { .listener = -1, .uid = 33 } };
	struct tct_owner_groups groups[TCT_DIRECTIONS] = {
		[TCT_INCOMING] = { .items = incoming, .items_count = 4 },
		[TCT_OUTGOING] = { .items = outgoing, .items_count = 1 },
	};
	const int64_t wanted[] = { 5, 0, 6, 0 };

	tct_closing_recall(&(struct tct_closing_marks){ 0 }, &listening, groups);
	ck_assert_int_eq(incoming[0].close_wait_first, -1);
	tct_closing_recall(&marks, &listening, groups);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(incoming[i].close_wait_first, wanted[i]);
	ck_assert_int_eq(outgoing[0].close_wait_first, 7);
}
END_TEST

/* ---- peers ---- */

static void add_peer(struct tct_peers *peers, uint32_t address, unsigned times, int64_t idle_ms)
{
	struct tct_tcp_socket socket = make_socket(TCT_STATE_ESTABLISHED);

	socket.peer[0] = htonl(address);
	socket.idle_ms = idle_ms;
	for (unsigned i = 0; i < times; i++)
		tct_peers_add(peers, &socket, -1);
}

START_TEST(peers_with_several_connections_are_told)
{
	const struct tct_sample sample = { .whole = true, .seen = 40, .of = 40 };
	struct tct_observation *observation = tct_observation_new();
	struct tct_tcp_socket socket = make_socket(TCT_STATE_ESTABLISHED);
	struct tct_peers peers;
	const struct tct_peer *peer;

	ck_assert_ptr_nonnull(observation);
	ck_assert_int_eq(tct_peers_init(&peers, 100), 0);
	add_peer(&peers, 0x0a000009, 9, 0);
	tct_peers_clear(&peers);
	add_peer(&peers, 0x0a000003, TCT_PEERS_SEVERAL - 1, 0); /* too few */
	add_peer(&peers, 0x0a000004, 3, 5000);
	add_peer(&peers, 0x0a000005, 2, 61000);
	add_peer(&peers, 0x0a000005, 2, -1);
	add_peer(&peers, 0x7f000001, 9, 0); /* loopback */
	add_peer(&peers, 0x0a000001, 9, 0); /* our own address */
	/* the same by an IPv6 socket */
	socket.family = AF_INET6;
	socket.local[0] = socket.peer[0] = 0;
	socket.local[2] = socket.peer[2] = htonl(0xffff);
	socket.local[3] = htonl(0x0a000001);
	socket.peer[3] = htonl(0x0a000005);
	socket.timer = TCT_TIMER_KEEPALIVE;
	tct_peers_add(&peers, &socket, -1);
	ck_assert_int_eq(tct_peers_hand_over(&peers, &sample, observation), 0);
	ck_assert_int_eq(observation->peers_presence, TCT_PRESENT);
	ck_assert_uint_eq(observation->peers_count, 2);
	peer = &observation->peers[0];
	ck_assert_str_eq(peer->address, "10.0.0.5");
	ck_assert_str_eq(peer->local, "10.0.0.1:443");
	ck_assert_int_eq(peer->established, 5);
	ck_assert_int_eq(peer->unguarded.total, 4);
	ck_assert_int_eq(peer->unguarded.idle_at_least[0], 4);
	ck_assert_int_eq(peer->unguarded.idle_at_least[1], 2);
	ck_assert_int_eq(tct_population_idle(&peer->unguarded, INT64_C(60000000000)), 2);
	ck_assert_int_eq(tct_population_idle(&peer->unguarded, INT64_C(90000000000)), 0);
	ck_assert_str_eq(observation->peers[1].address, "10.0.0.4");
	ck_assert_int_eq(observation->peers[1].unguarded.idle_at_least[4], 3);
	ck_assert_int_eq(observation->peers[1].unguarded.idle_at_least[5], 0);
	tct_peers_done(&peers);
	tct_observation_free(observation);
}
END_TEST

START_TEST(very_many_peers_take_bounded_memory)
{
	enum { PEERS = 200000, FREQUENT = 80 };
	const struct tct_sample sample = { .seen = PEERS, .of = PEERS };
	struct tct_observation *observation = tct_observation_new();
	struct tct_peers peers;

	ck_assert_ptr_nonnull(observation);
	ck_assert_int_eq(tct_peers_init(&peers, INT64_MAX), 0);
	ck_assert_uint_le(peers.kinds.most * peers.kinds.entry_bytes, 5 << 20);
	for (uint32_t i = 0; i < PEERS; i++) {
		add_peer(&peers, 0x0b000000 + i, 1, 0);
		if (i % 2000 == 0) {
			for (uint32_t j = 0; j < FREQUENT; j++)
				add_peer(&peers, 0x0a010000 + j, 1, 0);
		}
	}
	ck_assert_int_eq(tct_peers_hand_over(&peers, &sample, observation), 0);
	ck_assert_uint_eq(observation->peers_count, TCT_PEERS_TOLD);
	for (size_t i = 0; i < observation->peers_count; i++) {
		ck_assert_msg(strncmp(observation->peers[i].address, "10.1.0.", 7) == 0, "%s",
			      observation->peers[i].address);
		ck_assert_int_le(observation->peers[i].established, PEERS / 2000);
	}
	tct_peers_done(&peers);
	tct_observation_free(observation);
}
END_TEST

/* ---- destinations ---- */

START_TEST(different_destinations_are_counted)
{
	static struct tct_local_ports ports;
	const struct tct_port_ranges ranges = { .whole = true, .ports = 1 };
	struct tct_outgoing outgoing = { .presence = TCT_NOT_LOOKED };
	struct tct_destinations destinations;
	struct tct_tcp_socket socket = make_socket(TCT_STATE_SYN_SENT);

	socket.local_port = 40000;
	ports.outgoing[socket.local_port / 8] = 0xff;
	socket.timer = TCT_TIMER_RETRANSMIT;
	ck_assert_int_eq(tct_destinations_init(&destinations, &ports, (struct tct_port_reuse){ 0 }),
			 0);
	for (unsigned i = 0; i < 6; i++) {
		socket.peer_port = (uint16_t)(80 + i % 3);
		socket.retransmits = i == 4 || i == 5 ? 2 : 1;
		socket.state = i < 5 ? TCT_STATE_SYN_SENT : TCT_STATE_ESTABLISHED;
		tct_destinations_add(&destinations, &socket);
	}
	ck_assert_int_eq(tct_destinations_hand_over(&destinations, NULL, &ranges, 1, &outgoing), 0);
	ck_assert_int_eq(outgoing.distinct, 3);
	ck_assert_int_eq(outgoing.unanswered_distinct, 1);
	for (size_t i = 0; i < outgoing.destinations_count; i++) {
		const struct tct_destination *to = &outgoing.destinations[i];

		ck_assert_int_eq(to->syn_sent, to->port == 82 ? 1 : 2);
		ck_assert_int_eq(to->syn_unanswered, to->port == 81 ? 1 : 0);
	}
	free(outgoing.destinations);
	outgoing = (struct tct_outgoing){ .presence = TCT_NOT_LOOKED };

	/* a scan: more than there is room for, so at least */
	tct_destinations_clear(&destinations);
	socket.state = TCT_STATE_SYN_SENT;
	socket.retransmits = 3;
	for (uint32_t i = 0; i < 50000; i++) {
		socket.peer[0] = htonl(0x0b000000 + i);
		tct_destinations_add(&destinations, &socket);
	}
	ck_assert_int_eq(tct_destinations_hand_over(&destinations, NULL, &ranges, 1, &outgoing), 0);
	ck_assert(!outgoing.whole);
	ck_assert_int_ge(outgoing.distinct, 4096);
	ck_assert_int_le(outgoing.distinct, 50000);
	ck_assert_int_gt(outgoing.unanswered_distinct, 0);
	ck_assert_int_le(outgoing.unanswered_distinct, outgoing.distinct);
	free(outgoing.destinations);
	tct_destinations_done(&destinations);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("populations");
	TCase *cases = tcase_create("populations");
	SRunner *runner;
	int failed;

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, heard_is_who_sent_new_data_meanwhile);
	tcase_add_test(cases, only_full_size_data_tells_of_the_path);
	tcase_add_test(cases, data_is_stuck_in_two_states);
	tcase_add_test(cases, rare_states_have_their_populations);
	tcase_add_test(cases, samples_are_joined);
	tcase_add_test(cases, times_are_added_and_never_overflow);
	tcase_add_test(cases, states_are_weighed_apart);
	tcase_add_test(cases, an_owners_rare_sockets_are_counted_once);
	tcase_add_test(cases, groups_of_the_first_look_are_known_again);
	tcase_add_test(cases, peers_with_several_connections_are_told);
	tcase_add_test(cases, very_many_peers_take_bounded_memory);
	tcase_add_test(cases, different_destinations_are_counted);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
