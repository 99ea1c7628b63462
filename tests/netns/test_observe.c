/*
 * The observer against the running kernel and against ss, in a network namespace of its own with
 * sockets in every state.
 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit/observe/observation.h"
#include "core/mem.h"
#include "tests/netns/zoo.h"

enum {
	SKIPPED = 77,
	LINES_MAX = 64,
};

static bool tells_bound_sockets(void)
{
	struct utsname names;

	ck_assert_int_eq(uname(&names), 0);
	return tct_version_parse(names.release) >= TCT_VERSION(6, 8);
}

static void nap_ms(long ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	ck_assert_int_eq(nanosleep(&pause, NULL), 0);
}

/* Observe this namespace. Freed by the caller. */
static struct tct_observation *look_exactly(int64_t interval_ns, unsigned without, bool exact)
{
	struct tct_root root;
	struct tct_netns netns;
	struct tct_observation *observation = NULL;
	struct tct_err err = { 0 };

	ck_assert_int_eq(tct_root_open(&root, NULL, &err), 0);
	ck_assert_int_eq(tct_netns_enter(NULL, &netns, &err), 0);

	const struct tct_observe_options options = {
		.root = &root,
		.netns = &netns,
		.interval_ns = interval_ns,
		.sockets = true,
		.counters = true,
		.looks = TCT_LOOK_ALL,
		.exact = exact,
		.without = without,
	};

	ck_assert_msg(tct_observe(&options, &observation, &err) == 0, "%s", err.message);
	tct_root_done(&root);
	return observation;
}

static struct tct_observation *look(int64_t interval_ns, unsigned without)
{
	return look_exactly(interval_ns, without, false);
}

static bool has_gap(const struct tct_observation *observation, const char *what)
{
	for (size_t i = 0; i < observation->gaps_count; i++) {
		if (strstr(observation->gaps[i].what, what) != NULL)
			return true;
	}
	return false;
}

static const struct tct_listener *listener_at(const struct tct_observation *observation,
					      uint16_t port)
{
	for (size_t i = 0; i < observation->listeners_count; i++) {
		if (observation->listeners[i].port == port)
			return &observation->listeners[i];
	}
	ck_abort_msg("no listener at port %u", port);
	return NULL;
}

static void fill(struct zoo *zoo)
{
	const struct zoo_place dual = { .address = "::", .port = 7200, .backlog = 10 };
	int listener;

	*zoo = (struct zoo){ .bound_visible = tells_bound_sockets() };
	zoo_fill(zoo, "127.0.0.1", 7000);
	zoo_fill(zoo, "::1", 7100);
	listener = zoo_listen(&dual);
	(void)zoo_connect("127.0.0.1", dual.port, NULL, false);
	(void)zoo_accept(listener);
	zoo->expected[TCT_STATE_LISTEN]++;
	zoo->expected[TCT_STATE_ESTABLISHED] += 2;
}

/* State counts as ss tells them, by our state numbers. */
static void count_by_ss(int64_t counts[TCT_STATE_LIMIT])
{
	static const char *const names[TCT_STATE_LIMIT] = {
		"",          "ESTAB",  "SYN-SENT",   "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2",
		"TIME-WAIT", "UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN",     "CLOSING",
	};
	FILE *ss = popen("ss -tanH", "re");
	char line[512];

	ck_assert_ptr_nonnull(ss);
	memset(counts, 0, TCT_STATE_LIMIT * sizeof(*counts));
	while (fgets(line, sizeof(line), ss) != NULL) {
		size_t state = 1;

		line[strcspn(line, " ")] = '\0';
		while (state < TCT_STATE_LIMIT && strcmp(names[state], line) != 0)
			state++;
		ck_assert_msg(state < TCT_STATE_LIMIT, "ss says %s", line);
		counts[state]++;
	}
	ck_assert_msg(pclose(ss) == 0, "ss (iproute2) is needed");
}

static void check_counts(const int64_t *got, const int64_t *wanted, bool with_close,
			 const char *whose)
{
	for (unsigned i = TCT_STATE_ESTABLISHED; i < TCT_STATE_LIMIT; i++) {
		if (i == TCT_STATE_CLOSE && !with_close)
			continue;
		ck_assert_msg(got[i] == wanted[i], "%s: %" PRId64 ", %s %" PRId64,
			      tct_state_name((enum tct_state)i), got[i], whose, wanted[i]);
	}
}

START_TEST(every_state_is_counted_as_made_and_as_ss_does)
{
	static const unsigned ways[] = { 0, TCT_WITHOUT_BOTH_FAMILIES, TCT_WITHOUT_INET_DIAG };
	int64_t by_ss[TCT_STATE_LIMIT];
	struct zoo zoo;

	fill(&zoo);
	for (size_t i = 0; i < TCT_COUNT(ways); i++) {
		bool by_diag = ways[i] != TCT_WITHOUT_INET_DIAG;
		struct tct_observation *observation = look(0, ways[i]);

		ck_assert_int_eq(observation->states.method,
				 by_diag ? TCT_METHOD_DERIVED : TCT_METHOD_EXACT);
		ck_assert_str_eq(observation->states.why_exact, "");
		check_counts(observation->states.counts, zoo.expected,
			     by_diag && !has_gap(observation, "bound and do nothing"), "made");
		count_by_ss(by_ss);
		check_counts(observation->states.counts, by_ss, false, "ss");
		ck_assert_int_eq(has_gap(observation, "accept queue limits"), !by_diag);
		ck_assert_int_eq(has_gap(observation, "idle times"), !by_diag);
		tct_observation_free(observation);
	}

	struct tct_observation *exact = look_exactly(0, 0, true);

	ck_assert_int_eq(exact->states.method, TCT_METHOD_EXACT);
	ck_assert_str_eq(exact->states.why_exact, "asked for");
	check_counts(exact->states.counts, zoo.expected, true, "made");
	tct_observation_free(exact);
	for (unsigned i = TCT_STATE_ESTABLISHED; i < TCT_STATE_LIMIT; i++)
		ck_assert_msg(zoo.expected[i] > 0 || i == TCT_STATE_CLOSE, "no %s was made",
			      tct_state_name((enum tct_state)i));
}
END_TEST

struct line_list {
	char lines[LINES_MAX][160];
	size_t count;
};

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void sort_lines(struct line_list *list)
{
	qsort(list->lines, list->count, sizeof(list->lines[0]), compare_lines);
}

/* "queue limit address:port" of each listener, as ss writes the address. */
static void list_by_ss(struct line_list *list)
{
	FILE *ss = popen("ss -ltnH", "re");
	char line[512];

	ck_assert_ptr_nonnull(ss);
	while (fgets(line, sizeof(line), ss) != NULL) {
		unsigned queue;
		unsigned limit;
		char place[128];

		ck_assert_uint_lt(list->count, LINES_MAX);
		ck_assert_int_eq(sscanf(line, "LISTEN %u %u %127s", &queue, &limit, place), 3);
		(void)snprintf(list->lines[list->count++], sizeof(list->lines[0]), "%u %u %s",
			       queue, limit, place);
	}
	ck_assert_msg(pclose(ss) == 0, "ss (iproute2) is needed");
	sort_lines(list);
}

static void list_ours(const struct tct_observation *observation, struct line_list *list)
{
	for (size_t i = 0; i < observation->listeners_count; i++) {
		const struct tct_listener *listener = &observation->listeners[i];
		char address[80];

		if (strcmp(listener->address, "::") == 0 && !listener->v6only)
			(void)snprintf(address, sizeof(address), "*");
		else if (listener->family == AF_INET6)
			(void)snprintf(address, sizeof(address), "[%s]", listener->address);
		else
			(void)snprintf(address, sizeof(address), "%s", listener->address);
		ck_assert_uint_lt(list->count, LINES_MAX);
		(void)snprintf(list->lines[list->count++], sizeof(list->lines[0]), "%u %u %s:%u",
			       listener->queue, listener->backlog, address, listener->port);
	}
	sort_lines(list);
}

static void add_listeners(uint16_t automatic[2])
{
	const struct zoo_place places[] = {
		{ .address = "0.0.0.0", .port = 7300, .backlog = 3 },
		{ .address = "::", .port = 7301, .backlog = 5, .v6only = true },
		{ .address = "127.0.0.2", .port = 7302, .backlog = 6, .reuse_port = true },
		{ .address = "127.0.0.2", .port = 7302, .backlog = 7, .reuse_port = true },
	};
	const struct zoo_place unbound = { .backlog = 8 };
	const struct zoo_place unbound6 = { .backlog = 9, .v6 = true };

	for (size_t i = 0; i < TCT_COUNT(places); i++)
		(void)zoo_listen(&places[i]);
	automatic[0] = zoo_port(zoo_listen(&unbound));
	automatic[1] = zoo_port(zoo_listen(&unbound6));
}

START_TEST(listeners_are_as_ss_shows_them)
{
	static const unsigned ways[] = { 0, TCT_WITHOUT_BOTH_FAMILIES };
	struct line_list by_ss = { .count = 0 };
	uint16_t automatic[2];
	struct zoo zoo;

	fill(&zoo);
	add_listeners(automatic);
	list_by_ss(&by_ss);
	for (size_t way = 0; way < TCT_COUNT(ways); way++) {
		struct tct_observation *observation = look(0, ways[way]);
		struct line_list ours = { .count = 0 };

		ck_assert_int_eq(observation->listeners_presence, TCT_PRESENT);
		list_ours(observation, &ours);
		ck_assert_uint_eq(ours.count, by_ss.count);
		for (size_t i = 0; i < ours.count; i++)
			ck_assert_str_eq(ours.lines[i], by_ss.lines[i]);
		for (size_t i = 0; i < observation->listeners_count; i++) {
			const struct tct_listener *listener = &observation->listeners[i];

			ck_assert(i == 0 || listener[-1].port <= listener->port);
			ck_assert(listener->port_choice_known);
			ck_assert_int_eq(listener->port_chosen_by_kernel,
					 listener->port == automatic[0] ||
						 listener->port == automatic[1]);
			ck_assert(listener->cookie != 0 && listener->inode != 0);
		}
		tct_observation_free(observation);
	}
}
END_TEST

START_TEST(a_listener_knows_its_queue_drops_and_requests)
{
	struct tct_observation *observation;
	const struct tct_listener *listener;
	uint16_t automatic[2];
	struct zoo zoo;

	fill(&zoo);
	add_listeners(automatic);
	observation = look(0, 0);
	for (uint16_t port = 7000; port <= 7100; port = (uint16_t)(port + 100)) {
		listener = listener_at(observation, (uint16_t)(port + 1));
		ck_assert_uint_eq(listener->queue, 2);
		ck_assert_uint_eq(listener->backlog, 1);
		ck_assert_int_ge(listener->drops, 1);
		ck_assert_int_eq(listener->syn_recv, 0);
		listener = listener_at(observation, (uint16_t)(port + 2));
		ck_assert_int_eq(listener->syn_recv, 1);
		listener = listener_at(observation, port);
		ck_assert_int_eq(listener->drops, 0);
	}
	/* Siblings are listeners of their own. */
	listener = listener_at(observation, 7302);
	ck_assert_uint_eq(listener[1].port, 7302);
	ck_assert_uint_eq(listener[0].backlog + listener[1].backlog, 6 + 7);
	ck_assert(listener[0].cookie < listener[1].cookie);
	tct_observation_free(observation);
}
END_TEST

START_TEST(requests_count_for_the_wildcard_and_for_mapped_addresses)
{
	const struct zoo_place places[] = {
		{ .address = "0.0.0.0",
		  .port = 7400,
		  .reuse_port = true,
		  .backlog = 9,
		  .defer_s = 60 },
		{ .address = "127.0.0.9",
		  .port = 7400,
		  .reuse_port = true,
		  .backlog = 9,
		  .defer_s = 60 },
		{ .address = "::", .port = 7401, .backlog = 9, .defer_s = 60 },
	};
	static const unsigned ways[] = { 0, TCT_WITHOUT_BOTH_FAMILIES, TCT_WITHOUT_INET_DIAG };

	for (size_t i = 0; i < TCT_COUNT(places); i++)
		(void)zoo_listen(&places[i]);
	(void)zoo_connect("127.0.0.1", 7400, NULL, false);
	(void)zoo_connect("127.0.0.9", 7400, NULL, false);
	(void)zoo_connect("127.0.0.9", 7400, NULL, false);
	(void)zoo_connect("127.0.0.1", 7401, NULL, false);
	(void)zoo_connect("::1", 7401, NULL, false);
	for (size_t i = 0; i < TCT_COUNT(ways); i++) {
		struct tct_observation *observation = look(0, ways[i]);
		const struct tct_listener *listeners = observation->listeners;

		ck_assert_uint_eq(observation->listeners_count, 3);
		ck_assert_str_eq(listeners[0].address, "0.0.0.0");
		ck_assert_int_eq(listeners[0].syn_recv, 1);
		ck_assert_str_eq(listeners[1].address, "127.0.0.9");
		ck_assert_int_eq(listeners[1].syn_recv, 2);
		ck_assert_str_eq(listeners[2].address, "::");
		ck_assert_int_eq(listeners[2].syn_recv, 2);
		if (ways[i] == TCT_WITHOUT_INET_DIAG) {
			ck_assert_uint_eq(listeners[0].backlog, TCT_BACKLOG_UNKNOWN);
			ck_assert_int_eq(listeners[0].drops, -1);
			ck_assert(!listeners[0].port_choice_known);
			ck_assert(listeners[0].port_chosen_by_kernel);
		}
		tct_observation_free(observation);
	}
}
END_TEST

/* Connects twice after a while, then waits to be killed. */
static pid_t start_client(uint16_t port)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		nap_ms(150);
		(void)zoo_connect("127.0.0.1", port, NULL, false);
		(void)zoo_connect("127.0.0.1", port, NULL, false);
		for (;;)
			(void)pause();
	}
	return child;
}

START_TEST(two_looks_show_what_changed)
{
	const struct zoo_place place = { .address = "127.0.0.1", .port = 7500, .backlog = 20 };
	const struct tct_counter *opens = tct_counter_find("Tcp.ActiveOpens");
	static const unsigned ways[] = { 0, TCT_WITHOUT_INET_DIAG };

	ck_assert_ptr_nonnull(opens);
	(void)zoo_listen(&place);
	for (size_t i = 0; i < TCT_COUNT(ways); i++) {
		pid_t child = start_client(place.port);
		struct tct_observation *observation = look(INT64_C(700000000), ways[i]);
		const struct tct_listener *listener = listener_at(observation, place.port);
		const struct tct_counter_reading *reading =
			&observation->counters[tct_counter_index(opens)];
		int status;

		ck_assert_int_eq(kill(child, SIGKILL), 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_uint_eq(listener->queue_first, 2 * i);
		ck_assert_uint_eq(listener->queue, 2 * i + 2);
		ck_assert_int_eq(listener->drops, listener->drops_first);
		ck_assert_int_eq(reading->presence, TCT_PRESENT);
		ck_assert_int_eq(reading->last - reading->first, 2);
		ck_assert_int_ge(observation->interval_ns, INT64_C(700000000));
		ck_assert_int_lt(observation->interval_ns, INT64_C(10000000000));
		tct_observation_free(observation);
	}
}
END_TEST

static void check_population(const struct tct_observation *observation,
			     enum tct_population_kind kind, int64_t total, int64_t idle)
{
	const struct tct_population *population = &observation->populations[kind];

	ck_assert_int_eq(population->presence, TCT_PRESENT);
	ck_assert_msg(population->total == total, "population %d: %" PRId64, kind,
		      population->total);
	ck_assert_msg(tct_population_idle(population, INT64_C(1000000000)) == idle,
		      "population %d: %" PRId64 " idle", kind,
		      tct_population_idle(population, INT64_C(1000000000)));
	ck_assert_int_eq(tct_population_idle(population, INT64_C(3600000000000)), 0);
}

START_TEST(populations_tell_remote_guarded_and_idle_connections)
{
	const struct zoo_place place = { .address = ZOO_THERE, .port = 7600, .backlog = 20 };
	const struct zoo_place loopback = { .address = "::1", .port = 7601, .backlog = 20 };
	int listener = zoo_listen(&place);
	int listener6 = zoo_listen(&loopback);
	int clients[4];
	int servers[4];
	int on = 1;

	for (size_t i = 0; i < TCT_COUNT(clients); i++) {
		clients[i] = zoo_connect(ZOO_THERE, place.port, ZOO_HERE, false);
		servers[i] = zoo_accept(listener);
	}
	/* Not remote: loopback, an address talking to itself, the un-accepted end. */
	(void)zoo_connect("::1", loopback.port, NULL, false);
	(void)zoo_accept(listener6);
	(void)zoo_connect(ZOO_THERE, place.port, ZOO_THERE, false);
	(void)zoo_accept(listener);
	(void)zoo_connect(ZOO_THERE, place.port, ZOO_HERE, false);
	ck_assert_int_eq(setsockopt(servers[1], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), 0);
	nap_ms(200);
	ck_assert_int_eq(shutdown(clients[3], SHUT_WR), 0);
	zoo_await(servers[3], TCT_STATE_CLOSE_WAIT);
	nap_ms(1200);
	ck_assert_int_eq(write(clients[0], "x", 1), 1);
	nap_ms(100); /* the ACK may be delayed, the keepalive timer is armed */

	struct tct_observation *observation = look(0, 0);

	/* 3 pairs and one client end; of them one pair has just talked, one socket has keepalive.
	 */
	check_population(observation, TCT_POPULATION_CLOSE_WAIT, 1, 1);
	check_population(observation, TCT_POPULATION_REMOTE, 7, 5);
	check_population(observation, TCT_POPULATION_UNGUARDED, 6, 4);
	tct_observation_free(observation);
	observation = look(0, TCT_WITHOUT_INET_DIAG);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_REMOTE].presence, TCT_NOT_LOOKED);
	ck_assert_int_eq(tct_population_idle(&observation->populations[0], 0), -1);
	tct_observation_free(observation);
}
END_TEST

START_TEST(the_namespace_s_own_keys_are_read)
{
	const struct tct_kernel_key *key = tct_kernel_key_find("net.core.somaxconn");
	const struct tct_kernel_key *global = tct_kernel_key_find("net.ipv4.tcp_mem");
	const struct tct_kernel_key *secret = tct_kernel_key_find("net.ipv4.tcp_fastopen_key");
	FILE *file = fopen("/proc/sys/net/core/somaxconn", "we");
	struct tct_observation *observation;
	const struct tct_value *value;

	ck_assert(key != NULL && global != NULL && secret != NULL);
	if (file != NULL) {
		ck_assert_int_gt(fprintf(file, "777"), 0);
		ck_assert_int_eq(fclose(file), 0);
	}
	observation = look(0, 0);
	value = tct_observation_value(observation, key);
	ck_assert_ptr_nonnull(value);
	if (file != NULL)
		ck_assert_int_eq(value->numbers[0], 777);
	ck_assert_int_eq(observation->sysctls[tct_kernel_key_index(global)].presence, TCT_ABSENT);
	ck_assert_ptr_null(tct_observation_value(observation, global));
	ck_assert_int_eq(observation->sysctls[tct_kernel_key_index(secret)].presence,
			 TCT_NOT_LOOKED);
	ck_assert_ptr_null(tct_observation_value(observation, secret));
	ck_assert(!observation->host.netns.initial && !observation->files_govern);
	tct_observation_free(observation);
}
END_TEST

static struct tct_netns own_netns(void)
{
	struct tct_netns netns;

	ck_assert_int_eq(tct_netns_enter(NULL, &netns, NULL), 0);
	return netns;
}

static void refuses(const char *spec, const char *why)
{
	struct tct_netns before = own_netns();
	struct tct_netns netns;
	struct tct_err err = { 0 };

	ck_assert_int_lt(tct_netns_enter(spec, &netns, &err), 0);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	ck_assert_msg(strstr(err.message, why) != NULL, "%s", err.message);
	ck_assert_uint_eq(own_netns().inode, before.inode);
}

START_TEST(another_namespace_is_entered_by_pid_and_path)
{
	struct tct_netns before = own_netns();
	struct tct_netns netns;
	struct tct_err err = { 0 };
	struct stat status;
	int ready[2];
	char spec[64];
	char byte;
	pid_t child;

	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (zoo_unshare() < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	(void)snprintf(spec, sizeof(spec), "/proc/%d/ns/net", child);
	ck_assert_int_eq(stat(spec, &status), 0);
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(spec, sizeof(spec), i == 0 ? "%d" : "/proc/%d/ns/net", child);
		ck_assert_msg(tct_netns_enter(spec, &netns, &err) == 0, "%s", err.message);
		ck_assert_str_eq(netns.name, spec);
		ck_assert_uint_eq(netns.inode, status.st_ino);
		ck_assert_uint_ne(netns.inode, before.inode);
		ck_assert(netns.cookie == 0 || netns.cookie != before.cookie);
		ck_assert(!netns.initial);
	}
	refuses("/etc/passwd", "not a namespace");
	refuses("/proc/self/ns/mnt", "not of the network");
	refuses("/no/such/file", "No such file");
	refuses("no-such-name-here", "none of this name");
	refuses("4194399", "no process");
	refuses("", "no name");
	refuses("..", "no name");
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observe");
	TCase *tests = tcase_create("namespace");
	SRunner *runner;
	int failed;

	if (!zoo_is_permitted())
		return SKIPPED;
	tcase_add_checked_fixture(tests, zoo_enter, NULL);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, every_state_is_counted_as_made_and_as_ss_does);
	tcase_add_test(tests, listeners_are_as_ss_shows_them);
	tcase_add_test(tests, a_listener_knows_its_queue_drops_and_requests);
	tcase_add_test(tests, requests_count_for_the_wildcard_and_for_mapped_addresses);
	tcase_add_test(tests, two_looks_show_what_changed);
	tcase_add_test(tests, populations_tell_remote_guarded_and_idle_connections);
	tcase_add_test(tests, the_namespace_s_own_keys_are_read);
	tcase_add_test(tests, another_namespace_is_entered_by_pid_and_path);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
