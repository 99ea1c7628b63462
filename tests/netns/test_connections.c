/*
 * What is said of connections, on the running kernel: who holds them, who accepts them, which ports
 * they use; and what happens where the kernel's counts can't be had or are wrong.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit/judge/usage.h"
#include "audit/observe/observation.h"
#include "core/mem.h"
#include "tests/netns/zoo.h"

enum { SKIPPED = 77 };

/* What happens between the two looks. */
struct meanwhile {
	void (*act)(struct meanwhile *meanwhile);
	int listener;
	uint16_t port;
};

static bool wait_and_act(void *context, int64_t deadline_ns)
{
	struct meanwhile *meanwhile = context;

	(void)deadline_ns;
	if (meanwhile->act != NULL)
		meanwhile->act(meanwhile);
	return false;
}

struct how {
	struct meanwhile *meanwhile; /* NULL = one look */
	bool thrifty;
	int64_t sample; /* 0 = the usual one */
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
		.counters = true,
		.looks = TCT_LOOK_ALL,
		.thrifty = how->thrifty,
		.sample_sockets = how->sample,
		.wait = how->meanwhile != NULL ? wait_and_act : NULL,
		.wait_context = how->meanwhile,
	};

	ck_assert_msg(tct_observe(&options, &observation, &err) == 0, "%s", err.message);
	tct_root_done(&root);
	return observation;
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

static const char *gap_of(const struct tct_observation *observation, const char *what)
{
	for (size_t i = 0; i < observation->gaps_count; i++) {
		if (strstr(observation->gaps[i].what, what) != NULL)
			return observation->gaps[i].why;
	}
	return "";
}

/* ---- accept queues ---- */

static void accept_one_and_connect_one(struct meanwhile *meanwhile)
{
	(void)zoo_accept(meanwhile->listener);
	(void)zoo_connect("127.0.0.1", meanwhile->port, NULL, false);
}

START_TEST(connections_that_nobody_accepts_are_known_again)
{
	const struct zoo_place place = { .address = "0.0.0.0", .port = 7500, .backlog = 16 };
	const struct zoo_place other = { .address = "::", .port = 7501, .backlog = 16 };
	struct meanwhile meanwhile = { .port = place.port };
	const struct timespec moment = { .tv_nsec = 50000000 };
	struct tct_observation *observation;
	int last = -1;

	meanwhile.listener = zoo_listen(&place);
	(void)zoo_listen(&other);
	for (unsigned i = 0; i < 3; i++)
		last = zoo_connect("127.0.0.1", place.port, NULL, false);
	(void)zoo_connect("::1", other.port, NULL, false);

	ck_assert_int_eq(nanosleep(&moment, NULL), 0);
	observation = look(&(struct how){ .meanwhile = &meanwhile });
	ck_assert_int_eq(listener_at(observation, 7500)->unaccepted_kept, 3);
	ck_assert_int_ge(listener_at(observation, 7500)->unaccepted_idle_ns,
			 moment.tv_nsec - 10000000);
	ck_assert_int_lt(listener_at(observation, 7500)->unaccepted_idle_ns, 60000000000);
	ck_assert_int_eq(listener_at(observation, 7501)->unaccepted_kept, 1);
	tct_observation_free(observation);

	/* a client that gave up waits on in the queue, in CLOSE_WAIT */
	ck_assert_int_eq(shutdown(last, SHUT_WR), 0);
	ck_assert_int_eq(nanosleep(&moment, NULL), 0);
	observation = look(&(struct how){ .meanwhile = &meanwhile });
	ck_assert_int_eq(observation->states.counts[TCT_STATE_CLOSE_WAIT], 1);
	ck_assert_int_eq(listener_at(observation, 7500)->unaccepted_kept, 3);
	tct_observation_free(observation);

	meanwhile.act = accept_one_and_connect_one;
	observation = look(&(struct how){ .meanwhile = &meanwhile });
	ck_assert_int_eq(listener_at(observation, 7500)->unaccepted_kept, 2);
	ck_assert_uint_eq(listener_at(observation, 7500)->queue, 3);
	ck_assert_uint_eq(listener_at(observation, 7500)->queue_first, 3);
	tct_observation_free(observation);

	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(listener_at(observation, 7500)->unaccepted_kept, -1);
	ck_assert_int_eq(listener_at(observation, 7500)->unaccepted_idle_ns, -1);
	tct_observation_free(observation);
}
END_TEST

START_TEST(listeners_tell_siblings_families_and_owner)
{
	const struct zoo_place places[] = {
		{ .address = "127.0.0.2", .port = 7510, .backlog = 6, .reuse_port = true },
		{ .address = "127.0.0.2", .port = 7510, .backlog = 7, .reuse_port = true },
		{ .address = "::", .port = 7511, .backlog = 8 },
		{ .address = "::", .port = 7512, .backlog = 9, .v6only = true },
	};
	struct tct_observation *observation;
	char comm[32] = "";

	for (size_t i = 0; i < TCT_COUNT(places); i++)
		(void)zoo_listen(&places[i]);
	(void)prctl(PR_GET_NAME, comm);
	observation = look(&(struct how){ 0 });
	ck_assert_uint_eq(listener_at(observation, 7510)->siblings, 2);
	ck_assert_uint_eq(listener_at(observation, 7510)[1].siblings, 2);
	ck_assert_uint_eq(listener_at(observation, 7511)->siblings, 1);
	ck_assert(tct_listener_is_dual_stack(listener_at(observation, 7511)));
	ck_assert(!tct_listener_is_dual_stack(listener_at(observation, 7512)));
	ck_assert(!tct_listener_is_dual_stack(listener_at(observation, 7510)));
	for (size_t i = 0; i < observation->listeners_count; i++) {
		const struct tct_owner *owner = &observation->listeners[i].owner;

		ck_assert_int_eq(owner->sight, TCT_OWNER_FOUND);
		ck_assert_int_eq(owner->pid, getpid());
		ck_assert_str_eq(owner->comm, comm);
		ck_assert_int_eq(owner->uid, getuid());
	}
	tct_observation_free(observation);
}
END_TEST

/* ---- owners ---- */

/* A connection whose other end is itself: outgoing, with nothing incoming. */
static void connect_to_itself(uint16_t port)
{
	const struct sockaddr_in here = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&here, sizeof(here)), 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&here, sizeof(here)), 0);
}

START_TEST(an_estimate_takes_nothing_away_from_what_was_seen)
{
	enum { OUTGOING = 900, INCOMING = 24, SAMPLE = 16, LOOKS = 12 };
	const struct zoo_place place = { .address = "127.0.0.1", .port = 7530, .backlog = 64 };
	int listener = zoo_listen(&place);

	for (unsigned i = 0; i < OUTGOING; i++)
		connect_to_itself((uint16_t)(33000 + 30 * i));
	for (unsigned i = 0; i < INCOMING; i++) {
		(void)zoo_connect("127.0.0.1", place.port, NULL, false);
		(void)zoo_accept(listener);
	}
	for (unsigned i = 0; i < LOOKS; i++) {
		struct tct_observation *observation = look(&(struct how){ .sample = SAMPLE });

		ck_assert(!observation->sample.whole && !observation->outgoing.whole);
		ck_assert_int_ge(listener_at(observation, 7530)->established, SAMPLE);
		tct_observation_free(observation);
	}
}
END_TEST

START_TEST(who_was_not_sought_is_not_nobody)
{
	enum { SOUGHT = 1024, BEYOND = 6, FIRST = 20000 };
	const struct rlimit files = { SOUGHT + 100, SOUGHT + 100 };
	struct tct_observation *observation;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	for (unsigned i = 0; i < SOUGHT + BEYOND; i++) {
		const struct zoo_place place = {
			.address = "127.0.0.1",
			.port = (uint16_t)(FIRST + i),
			.backlog = 1,
		};

		(void)zoo_listen(&place);
	}
	(void)zoo_connect("127.0.0.1", FIRST, NULL, false);
	observation = look(&(struct how){ 0 });
	ck_assert_uint_eq(observation->listeners_count, SOUGHT + BEYOND);
	for (unsigned i = SOUGHT; i < SOUGHT + BEYOND; i++)
		ck_assert_int_eq(observation->listeners[i].owner.sight, TCT_OWNER_NOT_SOUGHT);
	ck_assert_uint_eq(observation->outgoing.destinations_count, 1);
	ck_assert_int_eq(observation->outgoing.destinations[0].owner.sight, TCT_OWNER_NOT_SOUGHT);
	tct_observation_free(observation);
}
END_TEST

enum { HELD = 32, BOTH = 2 * HELD };

/* A process that holds HELD outgoing connections, on ports from first_port on. */
static pid_t start_holder(uint16_t first_port)
{
	int ready[2];
	char byte;
	pid_t child;

	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned i = 0; i < HELD; i++)
			connect_to_itself((uint16_t)(first_port + i));
		ck_assert_int_eq(write(ready[1], "x", 1), 1);
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	return child;
}

static void end_holder(pid_t child)
{
	(void)kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

/* Where nothing but the user joins them, one process isn't blamed for another's sockets. */
START_TEST(several_processes_of_a_user_are_not_one)
{
	pid_t first = start_holder(33000);
	struct tct_observation *observation = look(&(struct how){ 0 });
	pid_t second;

	ck_assert_uint_eq(observation->owners_count, 1);
	ck_assert_int_eq(observation->owners[0].owner.pid, first);
	tct_observation_free(observation);

	second = start_holder(43000);
	observation = look(&(struct how){ 0 });
	ck_assert_uint_eq(observation->owners_count, 1);
	ck_assert_int_eq(observation->owners[0].established, BOTH);
	if (observation->owners[0].owner.unit[0] == '\0') {
		ck_assert_int_eq(observation->owners[0].owner.pid, 0);
		ck_assert_int_eq(observation->owners[0].owner.sight, TCT_OWNER_SEVERAL);
		ck_assert_str_eq(observation->owners[0].owner.comm, "");
	}
	tct_observation_free(observation);
	end_holder(first);
	end_holder(second);
}
END_TEST

enum { LEAKED = 40, FEW = 3 };

/* Accept `count` connections whose peers are closed, and hold them. Never returns. */
static void leak(uint16_t port, unsigned count, int ready)
{
	const struct zoo_place place = { .address = "127.0.0.1", .port = port, .backlog = 64 };
	int listener = zoo_listen(&place);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, port == 7520 ? "leaker" : "small");
	for (unsigned i = 0; i < count; i++) {
		int client = zoo_connect("127.0.0.1", port, NULL, false);
		int server = zoo_accept(listener);

		ck_assert_int_eq(close(client), 0);
		zoo_await(server, TCT_STATE_CLOSE_WAIT);
	}
	ck_assert_int_eq(write(ready, "x", 1), 1);
	for (;;)
		(void)pause();
}

static pid_t start_leak(uint16_t port, unsigned count)
{
	int ready[2];
	char byte;
	pid_t child;

	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		leak(port, count, ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	return child;
}

START_TEST(a_leak_has_an_owner)
{
	pid_t leaker = start_leak(7520, LEAKED);
	pid_t small = start_leak(7521, FEW);
	struct tct_observation *observation = look(&(struct how){ 0 });
	const struct tct_owner_group *owners = observation->owners;

	ck_assert_int_eq(observation->states.counts[TCT_STATE_CLOSE_WAIT], LEAKED + FEW);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_CLOSE_WAIT].total, LEAKED + FEW);
	ck_assert_uint_eq(observation->owners_count, 2);
	ck_assert_int_eq(owners[0].owner.pid, leaker);
	ck_assert_str_eq(owners[0].owner.comm, "leaker");
	ck_assert_int_eq(owners[0].owner.sight, TCT_OWNER_FOUND);
	ck_assert_int_eq(owners[0].populations[TCT_POPULATION_CLOSE_WAIT].total, LEAKED);
	ck_assert_int_eq(owners[0].established, 0);
	ck_assert_int_gt(owners[0].descriptors_max, LEAKED);
	/* too few to be sought themselves; but their listener was */
	ck_assert_int_eq(owners[1].owner.pid, small);
	ck_assert_int_eq(owners[1].populations[TCT_POPULATION_CLOSE_WAIT].total, FEW);
	tct_observation_free(observation);
	(void)kill(leaker, SIGKILL);
	(void)kill(small, SIGKILL);
	ck_assert_int_eq(waitpid(leaker, NULL, 0), leaker);
	ck_assert_int_eq(waitpid(small, NULL, 0), small);
}
END_TEST

/* ---- ports ---- */

static void connect_ten(struct meanwhile *meanwhile)
{
	for (unsigned i = 0; i < 10; i++) {
		(void)zoo_connect(ZOO_HERE, meanwhile->port, ZOO_THERE, false);
		(void)zoo_accept(meanwhile->listener);
	}
}

START_TEST(ports_in_use_grow)
{
	const struct zoo_place place = { .address = ZOO_HERE, .port = 7530, .backlog = 64 };
	struct meanwhile meanwhile = { .act = connect_ten, .port = place.port };
	struct tct_observation *observation;
	const struct tct_outgoing *outgoing;
	int64_t growth_ppm = 0;
	int64_t left_ns = 0;

	meanwhile.listener = zoo_listen(&place);
	observation = look(&(struct how){ .meanwhile = &meanwhile });
	outgoing = &observation->outgoing;
	ck_assert_uint_eq(outgoing->destinations_count, 1);
	ck_assert_int_eq(outgoing->destinations[0].used, 10);
	tct_observation_free(observation);

	observation = look(&(struct how){ .meanwhile = &meanwhile });
	outgoing = &observation->outgoing;
	ck_assert_int_eq(outgoing->presence, TCT_PRESENT);
	ck_assert(outgoing->whole);
	ck_assert_int_eq(outgoing->ports_usable, 28232);
	ck_assert_uint_eq(outgoing->destinations_count, 1);
	ck_assert_str_eq(outgoing->destinations[0].source, ZOO_THERE);
	ck_assert_str_eq(outgoing->destinations[0].address, ZOO_HERE);
	ck_assert_uint_eq(outgoing->destinations[0].port, 7530);
	ck_assert_int_eq(outgoing->destinations[0].used_first, 10);
	ck_assert_int_eq(outgoing->destinations[0].used, 20);
	ck_assert(tct_usage_ports_growth(observation, &outgoing->destinations[0], &growth_ppm,
					 &left_ns));
	/* 10 in the interval, and 28,212 are left */
	ck_assert_int_eq(growth_ppm, llround(10e15 / (double)observation->interval_ns));
	ck_assert_int_eq(left_ns, llround(28212 / 10.0 * (double)observation->interval_ns));
	tct_observation_free(observation);
}
END_TEST

/* ---- where the kernel's counts can't be relied on ---- */

static void write_file(const char *folder, const char *name, const char *text, size_t length)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

static void copy_file(const char *folder, const char *name)
{
	char path[128];
	char text[16384];
	FILE *file;
	size_t length;

	(void)snprintf(path, sizeof(path), "/proc/self/net/%s", name);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	length = fread(text, 1, sizeof(text), file);
	ck_assert_int_eq(fclose(file), 0);
	write_file(folder, name, text, length);
}

/*
 * For this process, /proc/net is a folder with copies and a sockstat of our own. (A single file
 * there can't be mounted over: the kernel forgets such entries at once.)
 */
static void replace_sockstat(const char *text)
{
	static const char *const copies[] = { "sockstat6", "snmp", "netstat" };
	const char *folder = "/mnt";

	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("tmpfs", folder, "tmpfs", 0, NULL), 0);
	for (size_t i = 0; i < TCT_COUNT(copies); i++)
		copy_file(folder, copies[i]);
	write_file(folder, "sockstat", text, strlen(text));
	ck_assert_int_eq(mount(folder, "/proc/self/net", NULL, MS_BIND, NULL), 0);
}

static void check_walked(const char *sockstat, const char *why)
{
	const struct zoo_place place = { .address = "127.0.0.1", .port = 7540, .backlog = 4 };
	int listener = zoo_listen(&place);
	struct tct_observation *observation;

	(void)zoo_connect("127.0.0.1", place.port, NULL, false);
	(void)zoo_accept(listener);
	replace_sockstat(sockstat);
	observation = look(&(struct how){ 0 });
	ck_assert_int_eq(observation->states.method, TCT_METHOD_EXACT);
	ck_assert_str_eq(observation->states.why_exact, why);
	ck_assert_int_eq(observation->states.counts[TCT_STATE_ESTABLISHED], 2);
	ck_assert_int_eq(observation->states.counts[TCT_STATE_LISTEN], 1);
	tct_observation_free(observation);
}

START_TEST(unreadable_counts_are_made_up_for)
{
	if (geteuid() != 0)
		return; /* mounts need more than a user namespace of one's own here */
	check_walked("TCP: nothing\n", "the kernel's own counts can't be read: Bad message");
}
END_TEST

START_TEST(counts_that_disagree_are_not_believed)
{
	if (geteuid() != 0)
		return;
	check_walked("sockets: used 9\nTCP: inuse 90 orphan 0 tw 0 alloc 3 mem 1\n",
		     "the kernel's counts disagree: ESTABLISHED 89 by sockstat, CurrEstab 2, "
		     "TIME_WAIT 0");
}
END_TEST

/* ---- thrift ---- */

START_TEST(a_namespace_of_listeners_needs_no_walk)
{
	const struct zoo_place place = { .address = "127.0.0.1", .port = 7550, .backlog = 4 };
	int listener = zoo_listen(&place);
	struct tct_observation *observation = look(&(struct how){ .thrifty = true });

	ck_assert_int_eq(observation->states.method, TCT_METHOD_DERIVED);
	ck_assert_int_eq(observation->states.counts[TCT_STATE_LISTEN], 1);
	ck_assert_str_ne(gap_of(observation, "half-open"), "");
	tct_observation_free(observation);

	(void)zoo_connect("127.0.0.1", place.port, NULL, false);
	(void)zoo_accept(listener);
	observation = look(&(struct how){ .thrifty = true });
	ck_assert_int_eq(observation->states.counts[TCT_STATE_ESTABLISHED], 2);
	ck_assert_str_eq(gap_of(observation, "half-open"), "");
	tct_observation_free(observation);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connections");
	TCase *cases = tcase_create("connections");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!zoo_is_permitted()) {
		srunner_free(runner);
		return SKIPPED;
	}
	tcase_add_checked_fixture(cases, zoo_enter, NULL);
	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, connections_that_nobody_accepts_are_known_again);
	tcase_add_test(cases, listeners_tell_siblings_families_and_owner);
	tcase_add_test(cases, an_estimate_takes_nothing_away_from_what_was_seen);
	tcase_add_test(cases, who_was_not_sought_is_not_nobody);
	tcase_add_test(cases, several_processes_of_a_user_are_not_one);
	tcase_add_test(cases, a_leak_has_an_owner);
	tcase_add_test(cases, ports_in_use_grow);
	tcase_add_test(cases, unreadable_counts_are_made_up_for);
	tcase_add_test(cases, counts_that_disagree_are_not_believed);
	tcase_add_test(cases, a_namespace_of_listeners_needs_no_walk);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
