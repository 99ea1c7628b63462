/*
 * Populations of sockets in trouble, on the running kernel: each is made, told apart from what is
 * like it, and compared with ss. Peers with several connections; what grows between two looks.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "audit/observe/observation.h"
#include "core/mem.h"
#include "tests/netns/zoo.h"

enum { SKIPPED = 77 };

struct meanwhile {
	void (*act)(int listener, uint16_t port);
	int listener;
	uint16_t port;
};

static bool wait_and_act(void *context, int64_t deadline_ns)
{
	const struct meanwhile *meanwhile = context;

	(void)deadline_ns;
	meanwhile->act(meanwhile->listener, meanwhile->port);
	return false;
}

struct how {
	struct meanwhile *meanwhile; /* NULL = one look */
	bool exact;
	unsigned without;      /* TCT_WITHOUT_... */
	unsigned without_look; /* TCT_LOOK_... */
};

static struct tct_observation *look(const struct how *how)
{
	struct tct_root root;
	struct tct_observation *observation = NULL;
	struct tct_err err = { 0 };

	ck_assert_int_eq(tct_root_open(&root, NULL, &err), 0);

	const struct tct_observe_options options = {
		.root = &root,
		.interval_ns = how->meanwhile != NULL ? 1 : 0,
		.sockets = true,
		.looks = TCT_LOOK_ALL & ~how->without_look,
		.exact = how->exact,
		.without = how->without,
		.wait = how->meanwhile != NULL ? wait_and_act : NULL,
		.wait_context = how->meanwhile,
	};

	ck_assert_msg(tct_observe(&options, &observation, &err) == 0, "%s", err.message);
	tct_root_done(&root);
	return observation;
}

static void pause_ms(long ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	ck_assert_int_eq(nanosleep(&time, NULL), 0);
}

static void run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* How many lines of ss have a timer that went off so many times or more; NULL = any timer. */
static int64_t count_by_ss(const char *filter, const char *timer, unsigned times)
{
	char command[160];
	char text[1024];
	int64_t count = 0;
	FILE *ss;

	(void)snprintf(command, sizeof(command), "ss -tanoH %s", filter);
	ss = popen(command, "re");
	ck_assert_ptr_nonnull(ss);
	while (fgets(text, sizeof(text), ss) != NULL) {
		const char *at = timer != NULL ? strstr(text, timer) : text;

		if (at != NULL && timer != NULL)
			at = strrchr(at, ',');
		if (at != NULL && (timer == NULL || strtoul(at + 1, NULL, 10) >= times))
			count++;
	}
	ck_assert_msg(pclose(ss) == 0, "ss (iproute2) is needed");
	return count;
}

static int64_t total(const struct tct_observation *observation, enum tct_population_kind kind)
{
	ck_assert_int_eq(observation->populations[kind].presence, TCT_PRESENT);
	return observation->populations[kind].total;
}

/* What the owners have of it. */
static int64_t owned(const struct tct_observation *observation, enum tct_population_kind kind)
{
	int64_t sum = 0;

	for (size_t i = 0; i < observation->owners_count; i++) {
		ck_assert_int_eq(observation->owners[i].populations[kind].presence, TCT_PRESENT);
		sum += observation->owners[i].populations[kind].total;
	}
	return sum;
}

struct pair {
	int client;
	int server;
};

static struct pair make_pair(int listener)
{
	struct pair pair = { .client =
				     zoo_connect(ZOO_HERE, zoo_port(listener), ZOO_THERE, false) };

	pair.server = zoo_accept(listener);
	return pair;
}

static int listen_at(uint16_t port)
{
	const struct zoo_place place = { .address = ZOO_HERE, .port = port, .backlog = 64 };

	return zoo_listen(&place);
}

static void send_bytes(int fd, size_t count)
{
	static const char bytes[8192];

	ck_assert_int_eq(send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL), (ssize_t)count);
}

/* ---- states that are few ---- */

/* Two that vanished in FIN_WAIT1 (one of them an orphan), LAST_ACK, CLOSING; three in FIN_WAIT2. */
static void close_in_vain(int listener)
{
	struct pair vanished = make_pair(listener);
	struct pair orphan = make_pair(listener);
	struct pair last = make_pair(listener);
	struct pair both = make_pair(listener);
	struct pair waiting = make_pair(listener);
	struct pair forgotten = make_pair(listener);

	zoo_deafen(vanished.server);
	ck_assert_int_eq(shutdown(vanished.client, SHUT_WR), 0);
	zoo_deafen(orphan.server);
	ck_assert_int_eq(close(orphan.client), 0);

	ck_assert_int_eq(shutdown(last.client, SHUT_WR), 0);
	zoo_await(last.server, TCT_STATE_CLOSE_WAIT);
	zoo_await(last.client, TCT_STATE_FIN_WAIT2);
	zoo_deafen(last.client); /* held in FIN_WAIT2 */
	ck_assert_int_eq(shutdown(last.server, SHUT_WR), 0);
	zoo_await(last.server, TCT_STATE_LAST_ACK);

	zoo_deafen(both.client);
	zoo_deafen(both.server);
	ck_assert_int_eq(shutdown(both.client, SHUT_WR), 0);
	ck_assert_int_eq(shutdown(both.server, SHUT_WR), 0);
	zoo_hear_again(both.client);
	zoo_await(both.client, TCT_STATE_CLOSING);

	ck_assert_int_eq(shutdown(waiting.client, SHUT_WR), 0);
	zoo_await(waiting.client, TCT_STATE_FIN_WAIT2);
	ck_assert_int_eq(close(forgotten.client), 0);
	zoo_await(forgotten.server, TCT_STATE_CLOSE_WAIT);
}

static void check_rare(const struct how *how, int64_t syns, int64_t fins)
{
	struct tct_observation *observation = look(how);

	ck_assert_int_eq(total(observation, TCT_POPULATION_SYN_UNANSWERED), syns);
	ck_assert_int_eq(total(observation, TCT_POPULATION_FIN_UNANSWERED), fins);
	ck_assert_int_eq(total(observation, TCT_POPULATION_FIN_WAIT2_HELD), 2);
	ck_assert_int_eq(total(observation, TCT_POPULATION_FIN_WAIT2_ORPHANED), 1);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_FIN_WAIT2_HELD].sample.of, 3);
	ck_assert_int_eq(
		tct_population_idle(&observation->populations[TCT_POPULATION_FIN_UNANSWERED], 0),
		fins);
	tct_observation_free(observation);
}

START_TEST(nobody_answers_syns_and_fins)
{
	const struct how ways[] = {
		{ 0 },
		{ .exact = true },
		{ .without = TCT_WITHOUT_BOTH_FAMILIES },
		{ .without = TCT_WITHOUT_INET_DIAG },
		{ .without_look = TCT_LOOK_ALL },
	};
	const struct zoo_place full = { .address = ZOO_HERE, .port = 7601, .backlog = 0 };
	const struct tct_destination *to;
	struct tct_observation *observation;

	close_in_vain(listen_at(7600));
	(void)zoo_listen(&full);
	(void)zoo_connect(ZOO_HERE, full.port, ZOO_THERE, false);
	for (unsigned i = 0; i < 2; i++)
		(void)zoo_connect(ZOO_HERE, full.port, ZOO_THERE, true);
	ck_assert_int_eq(count_by_ss("state syn-sent", NULL, 0), 2);
	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(total(observation, TCT_POPULATION_SYN_UNANSWERED), 0);
	ck_assert_int_eq(observation->outgoing.unanswered_distinct, 0);
	tct_observation_free(observation);

	/* a SYN goes out again after 1 and 3 s, a FIN after 0.2 and 0.6 s; the other side of
	   CLOSING is deaf in FIN_WAIT1 */
	pause_ms(3700);
	ck_assert_int_eq(count_by_ss("state syn-sent", "timer:(on,", 2), 2);
	ck_assert_int_eq(count_by_ss("state fin-wait-1", "timer:(on,", 2), 3);
	ck_assert_int_eq(count_by_ss("state last-ack", "timer:(on,", 2), 1);
	ck_assert_int_eq(count_by_ss("state closing", "timer:(on,", 2), 1);
	for (size_t i = 0; i < TCT_COUNT(ways); i++)
		check_rare(&ways[i], 2, 5);

	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(owned(observation, TCT_POPULATION_SYN_UNANSWERED), 2);
	ck_assert_int_ge(owned(observation, TCT_POPULATION_FIN_UNANSWERED), 4);
	ck_assert_int_eq(owned(observation, TCT_POPULATION_FIN_WAIT2_HELD), 2);
	ck_assert_int_eq(owned(observation, TCT_POPULATION_FIN_WAIT2_ORPHANED), 0);
	/* 7600 and 7601 */
	ck_assert_int_eq(observation->outgoing.distinct, 2);
	ck_assert_int_eq(observation->outgoing.unanswered_distinct, 1);
	ck_assert_uint_eq(observation->outgoing.destinations_count, 2);
	for (size_t i = 0; i < 2; i++) {
		to = &observation->outgoing.destinations[i];
		ck_assert_int_eq(to->syn_sent, to->port == full.port ? 2 : 0);
		ck_assert_int_eq(to->syn_unanswered, to->port == full.port ? 2 : 0);
	}
	tct_observation_free(observation);
}
END_TEST

START_TEST(syn_acks_are_sent_again)
{
	const struct zoo_place place = { .address = ZOO_HERE, .port = 7610, .backlog = 64 };
	struct tct_observation *observation;

	(void)zoo_listen(&place);
	/* the answer never arrives */
	run("nft 'add table inet zoo; add chain inet zoo in { type filter hook input priority 0; };"
	    "add rule inet zoo in tcp sport 7610 drop'");
	(void)zoo_connect(ZOO_HERE, place.port, ZOO_THERE, true);
	(void)zoo_connect(ZOO_HERE, place.port, ZOO_THERE, true);
	pause_ms(100);
	observation = look(&(struct how){ 0 });
	ck_assert_uint_eq(observation->listeners_count, 1);
	ck_assert_int_eq(observation->listeners[0].syn_recv, 2);
	ck_assert_int_eq(observation->listeners[0].syn_recv_resent, 0);
	tct_observation_free(observation);
	pause_ms(1500);
	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(observation->listeners[0].syn_recv, 2);
	ck_assert_int_eq(observation->listeners[0].syn_recv_resent, 2);
	tct_observation_free(observation);
	observation = look(&(struct how){ .exact = true });
	ck_assert_int_eq(observation->listeners[0].syn_recv_resent, 2);
	tct_observation_free(observation);
	observation = look(&(struct how){ .without = TCT_WITHOUT_INET_DIAG });
	ck_assert_int_eq(observation->listeners[0].syn_recv, 2);
	ck_assert_int_eq(observation->listeners[0].syn_recv_resent, -1);
	tct_observation_free(observation);
}
END_TEST

/* ---- data that gets stuck ---- */

/* Send until the peer, which doesn't read, takes no more. */
static void fill_window(int fd)
{
	static const char bytes[16384];

	for (unsigned quiet = 0; quiet < 5;) {
		if (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
			quiet = 0;
			continue;
		}
		ck_assert_int_eq(errno, EAGAIN);
		quiet++;
		pause_ms(60);
	}
}

START_TEST(the_peer_does_not_read)
{
	int listener = listen_at(7620);
	struct pair open = make_pair(listener);
	struct pair closing = make_pair(listener);
	struct pair busy = make_pair(listener);
	const struct tct_population *stuck;
	const struct tct_owner_group *owner;
	struct tct_observation *observation;

	send_bytes(busy.server, 4096); /* all of it fits in */
	ck_assert_int_eq(shutdown(closing.client, SHUT_WR), 0);
	zoo_await(closing.server, TCT_STATE_CLOSE_WAIT);
	fill_window(open.server);
	fill_window(closing.server);
	pause_ms(1300);
	ck_assert_int_eq(count_by_ss("", "timer:(persist,", 0), 2);
	observation = look(&(struct how){ 0 });
	stuck = &observation->populations[TCT_POPULATION_ZERO_WINDOW];
	ck_assert_int_eq(total(observation, TCT_POPULATION_ZERO_WINDOW), 2);
	/* the probes are answered all the time: idle counts from the data */
	ck_assert_int_eq(tct_population_idle(stuck, INT64_C(1000000000)), 2);
	ck_assert_int_eq(tct_population_idle(stuck, INT64_C(30000000000)), 0);
	ck_assert_int_eq(owned(observation, TCT_POPULATION_ZERO_WINDOW), 2);
	ck_assert_int_eq(total(observation, TCT_POPULATION_UNANSWERED), 0);
	ck_assert_int_eq(total(observation, TCT_POPULATION_HEARD_UNACKED), 0);
	owner = &observation->owners[0];
	if (owner->populations[TCT_POPULATION_ZERO_WINDOW].total == 0)
		owner++; /* the clients are a group of their own, too few to be sought */
	ck_assert_int_eq(owner->populations[TCT_POPULATION_ZERO_WINDOW].total, 2);
	ck_assert_int_ge(owner->busy_ns, INT64_C(1000000000));
	ck_assert_int_ge(owner->rwnd_limited_ns, INT64_C(1000000000));
	ck_assert_int_le(owner->rwnd_limited_ns, owner->busy_ns);
	ck_assert_int_ge(owner->sndbuf_limited_ns, 0);
	tct_observation_free(observation);
}
END_TEST

START_TEST(the_peer_vanished)
{
	int listener = listen_at(7630);
	struct pair open = make_pair(listener);
	struct pair closing = make_pair(listener);
	struct tct_observation *observation;

	ck_assert_int_eq(shutdown(closing.client, SHUT_WR), 0);
	zoo_await(closing.server, TCT_STATE_CLOSE_WAIT);
	zoo_await(closing.client, TCT_STATE_FIN_WAIT2);
	zoo_deafen(open.client);
	zoo_deafen(closing.client);
	send_bytes(open.server, 4096);
	send_bytes(closing.server, 1);
	pause_ms(2500); /* 3 times by now */
	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(total(observation, TCT_POPULATION_RETRANSMITTING), 1);
	ck_assert_int_eq(total(observation, TCT_POPULATION_UNANSWERED), 0);
	ck_assert_int_eq(total(observation, TCT_POPULATION_HEARD_UNACKED), 0);
	tct_observation_free(observation);

	pause_ms(4900);
	ck_assert_int_eq(count_by_ss("", "timer:(on,", 5), 2);
	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(total(observation, TCT_POPULATION_UNANSWERED), 2);
	ck_assert_int_eq(tct_population_idle(&observation->populations[TCT_POPULATION_UNANSWERED],
					     INT64_C(5000000000)),
			 2);
	ck_assert_int_eq(owned(observation, TCT_POPULATION_UNANSWERED), 2);
	ck_assert_int_eq(total(observation, TCT_POPULATION_HEARD_UNACKED), 0);
	ck_assert_int_eq(total(observation, TCT_POPULATION_ZERO_WINDOW), 0);
	tct_observation_free(observation);
}
END_TEST

static void set_mtu(const char *name, int mtu)
{
	struct ifreq request = { .ifr_mtu = mtu };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	ck_assert_int_eq(ioctl(fd, SIOCSIFMTU, &request), 0);
	ck_assert_int_eq(close(fd), 0);
}

/* The client goes on talking for so long, as far as it gets; both ends say a few words at first. */
static void talk(const struct pair *pairs, size_t count, long ms)
{
	for (long at = 0; at < ms; at += 100) {
		for (size_t i = 0; i < count; i++)
			(void)send(pairs[i].client, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		pause_ms(100);
	}
}

/*
 * Four paths for 4 KiB of the server's: large packets are dropped; everything is; everything but
 * what the client sends; everything of the server's, to a client that waits for the answer and asks
 * again and again.
 */
START_TEST(only_large_packets_are_lost)
{
	enum { LARGE, ALL, ONE_WAY, ASKING, PATHS };
	const uint16_t first = 7640;
	struct pair pairs[PATHS];
	struct tct_observation *observation;
	const int on = 1;

	set_mtu("lo", 1500);
	for (unsigned i = 0; i < PATHS; i++) {
		pairs[i] = make_pair(listen_at((uint16_t)(first + i)));
		ck_assert_int_eq(
			setsockopt(pairs[i].client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	}
	talk(pairs, ASKING, 200);
	run("nft 'add table inet zoo; add chain inet zoo in { type filter hook input priority 0; };"
	    "add rule inet zoo in tcp sport 7640 meta length > 1200 drop;"
	    "add rule inet zoo in tcp sport 7641 drop; add rule inet zoo in tcp dport 7641 drop;"
	    "add rule inet zoo in tcp sport 7642 drop; add rule inet zoo in tcp sport 7643 drop'");
	send_bytes(pairs[ASKING].client, 1);
	for (unsigned i = 0; i < PATHS; i++)
		send_bytes(pairs[i].server, 4096);
	/* 0.2, 0.6, 1.4, 3.0 s; what the client can send one way is used up by then */
	talk(pairs, ASKING, 4000);
	ck_assert_int_eq(count_by_ss("sport 7640 or sport 7641 or sport 7642 or sport 7643",
				     "timer:(on,", 4),
			 PATHS);
	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(total(observation, TCT_POPULATION_HEARD_UNACKED), 1);
	ck_assert_int_eq(owned(observation, TCT_POPULATION_HEARD_UNACKED), 1);
	ck_assert_int_eq(total(observation, TCT_POPULATION_UNANSWERED), 0);
	tct_observation_free(observation);

	talk(pairs, ASKING, 3200); /* 6.2 s */
	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(total(observation, TCT_POPULATION_HEARD_UNACKED), 1);
	ck_assert_int_ge(total(observation, TCT_POPULATION_UNANSWERED), PATHS - 1);
	tct_observation_free(observation);

	/* with small packets the same path loses nothing */
	run("nft flush table inet zoo");
	pause_ms(7000);
	run("nft 'add rule inet zoo in tcp sport 7640 meta length > 1200 drop'");
	send_bytes(pairs[LARGE].server, 100);
	talk(pairs, 1, 1000);
	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(total(observation, TCT_POPULATION_HEARD_UNACKED), 0);
	ck_assert_int_eq(count_by_ss("sport 7640", "timer:(on,", 1), 0);
	tct_observation_free(observation);
}
END_TEST

/* ---- peers ---- */

START_TEST(who_has_several_connections)
{
	const struct zoo_place plain = { .address = ZOO_HERE, .port = 7650, .backlog = 64 };
	const struct zoo_place dual = { .address = "::", .port = 7651, .backlog = 64 };
	const struct zoo_place loop = { .address = "127.0.0.1", .port = 7652, .backlog = 64 };
	const int on = 1;
	int listeners[] = { zoo_listen(&plain), zoo_listen(&dual), zoo_listen(&loop) };
	struct tct_observation *observation;
	const struct tct_peer *peer;

	for (unsigned i = 0; i < 5; i++)
		(void)make_pair(listeners[0]);
	for (unsigned i = 0; i < 4; i++) {
		struct pair pair = make_pair(listeners[1]); /* by IPv4: mapped at the server's end
							     */

		if (i == 0)
			ck_assert_int_eq(
				setsockopt(pair.server, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)),
				0);
	}
	for (unsigned i = 0; i < 6; i++) {
		(void)zoo_connect("127.0.0.1", loop.port, NULL, false);
		(void)zoo_accept(listeners[2]);
		if (i < 2) { /* from our own address: not another host's either */
			(void)zoo_connect(ZOO_HERE, plain.port, ZOO_HERE, false);
			(void)zoo_accept(listeners[0]);
		}
	}
	pause_ms(1200);
	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(observation->peers_presence, TCT_PRESENT);
	ck_assert_uint_eq(observation->peers_count, 2);
	peer = &observation->peers[0];
	ck_assert_int_eq(peer->family, AF_INET);
	ck_assert_str_eq(peer->address, ZOO_THERE);
	ck_assert_str_eq(peer->local, ZOO_HERE ":7650");
	ck_assert_uint_eq(peer->port, 7650);
	ck_assert_int_eq(peer->established, count_by_ss("sport 7650 dst " ZOO_THERE, NULL, 0));
	ck_assert_int_eq(peer->established, 5);
	ck_assert_int_eq(peer->unguarded.total, 5);
	ck_assert_int_eq(tct_population_idle(&peer->unguarded, INT64_C(1000000000)), 5);
	ck_assert_int_eq(tct_population_idle(&peer->unguarded, INT64_C(60000000000)), 0);
	ck_assert_int_eq(peer->owner.pid, getpid());
	peer = &observation->peers[1];
	ck_assert_int_eq(peer->family, AF_INET);
	ck_assert_str_eq(peer->address, ZOO_THERE);
	ck_assert_str_eq(peer->local, ZOO_HERE ":7651");
	ck_assert_int_eq(peer->established, 4);
	ck_assert_int_eq(peer->unguarded.total, 3);
	tct_observation_free(observation);

	observation = look(&(struct how){ .without_look = TCT_LOOK_PEERS });
	ck_assert_int_eq(observation->peers_presence, TCT_NOT_LOOKED);
	ck_assert_uint_eq(observation->peers_count, 0);
	tct_observation_free(observation);
}
END_TEST

/* ---- growth ---- */

static void leak_five(int listener, uint16_t port)
{
	(void)port;
	for (unsigned i = 0; i < 5; i++) {
		struct pair pair = make_pair(listener);

		ck_assert_int_eq(close(pair.client), 0);
		zoo_await(pair.server, TCT_STATE_CLOSE_WAIT);
	}
}

START_TEST(a_leak_grows)
{
	struct meanwhile meanwhile = { .act = leak_five, .listener = listen_at(7660) };
	const struct tct_owner_group *owner;
	struct tct_observation *observation;

	leak_five(meanwhile.listener, 7660);
	leak_five(listen_at(7661), 7661); /* the same process's, and doesn't grow */
	observation = look(&(struct how){ .meanwhile = &meanwhile });
	ck_assert_uint_eq(observation->owners_count, 1);
	owner = &observation->owners[0];
	ck_assert_int_eq(owner->owner.pid, getpid());
	ck_assert_int_eq(owner->close_wait_first, 10);
	ck_assert_int_eq(owner->populations[TCT_POPULATION_CLOSE_WAIT].total, 15);
	/* none is ESTABLISHED */
	ck_assert_int_eq(owner->busy_ns, 0);
	tct_observation_free(observation);

	observation = look(&(struct how){ .meanwhile = &meanwhile,
					  .without_look = TCT_LOOK_CLOSE_WAIT_FIRST });
	ck_assert_int_eq(observation->owners[0].close_wait_first, -1);
	tct_observation_free(observation);
	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(observation->owners[0].close_wait_first, -1);
	ck_assert_int_eq(observation->owners[0].populations[TCT_POPULATION_CLOSE_WAIT].total, 20);
	tct_observation_free(observation);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("populations");
	TCase *cases = tcase_create("populations");
	SRunner *runner;
	int failed;

	if (!zoo_is_permitted())
		return SKIPPED;
	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, zoo_enter, NULL);
	tcase_add_test(cases, nobody_answers_syns_and_fins);
	tcase_add_test(cases, syn_acks_are_sent_again);
	tcase_add_test(cases, the_peer_does_not_read);
	tcase_add_test(cases, the_peer_vanished);
	tcase_add_test(cases, only_large_packets_are_lost);
	tcase_add_test(cases, who_has_several_connections);
	tcase_add_test(cases, a_leak_grows);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
