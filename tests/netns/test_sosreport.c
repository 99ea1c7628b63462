/*
 * Sosreports of the running kernel: what the real ss, netstat, nstat and sysctl say of a network
 * namespace with sockets in every state, read back, must be what the live observation of that
 * namespace is.
 */
#include <check.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/observe/sosreport.h"
#include "core/mem.h"
#include "core/text.h"
#include "tests/netns/zoo.h"
#include "tests/unit/scratch.h"

enum { SKIPPED = 77 };

static void enter(void)
{
	zoo_enter();
	scratch_open();
	scratch_write("sos_commands/networking/empty", "");
	scratch_write("sos_commands/kernel/empty", "");
}

/* Run it with its output, errors too, in this file of the sosreport. */
static void save(const char *command, const char *path)
{
	char line[1024];
	int length = snprintf(line, sizeof(line), "%s >'%s' 2>&1", command, scratch_path(path));

	ck_assert_int_gt(length, 0);
	ck_assert_int_lt(length, (int)sizeof(line));
	ck_assert_msg(system(line) == 0, "%s", line);
}

static struct tct_observation *observe(const struct tct_root *root)
{
	struct tct_netns netns = { 0 };
	struct tct_observation *observation = NULL;
	struct tct_err err = { 0 };

	if (root->live)
		ck_assert_int_eq(tct_netns_enter(NULL, &netns, &err), 0);

	const struct tct_observe_options options = {
		.root = root,
		.netns = root->live ? &netns : NULL,
		.sockets = true,
		.counters = true,
		.looks = TCT_LOOK_ALL,
	};

	ck_assert_msg(tct_observe(&options, &observation, &err) == 0, "%s", err.message);
	return observation;
}

static struct tct_observation *observe_live(void)
{
	struct tct_root root;
	struct tct_err err = { 0 };
	struct tct_observation *observation;

	ck_assert_int_eq(tct_root_open(&root, NULL, &err), 0);
	observation = observe(&root);
	tct_root_done(&root);
	return observation;
}

static bool has_gap(const struct tct_observation *observation, const char *what)
{
	for (size_t i = 0; i < observation->gaps_count; i++) {
		if (strstr(observation->gaps[i].what, what) != NULL)
			return true;
	}
	return false;
}

static void fill(struct zoo *zoo)
{
	const struct zoo_place dual = { .address = "::", .port = 7200, .backlog = 10 };
	const struct zoo_place full = { .address = "0.0.0.0", .port = 7201, .backlog = 2 };
	const struct zoo_place only = { .address = "::",
					.port = 7202,
					.backlog = 7,
					.v6only = true };
	int listener;

	*zoo = (struct zoo){ 0 };
	zoo_fill(zoo, "127.0.0.1", 7000);
	zoo_fill(zoo, "::1", 7100);
	listener = zoo_listen(&dual);
	(void)zoo_connect("127.0.0.1", dual.port, NULL, false);
	(void)zoo_accept(listener);
	(void)zoo_listen(&full);
	for (int i = 0; i < 3; i++)
		(void)zoo_connect("127.0.0.1", full.port, NULL, false);
	(void)zoo_listen(&only);
	/* one that counts as remote, with its time-out running */
	(void)zoo_connect(ZOO_HERE, dual.port, ZOO_THERE, false);
	(void)zoo_accept(listener);
}

/*
 * CLOSE are bound sockets, which ss and netstat leave out. Half-open connections expire, and a tool
 * may take long beside other tests: what it told lies between the looks around it.
 */
static void ck_states(const struct tct_observation *before, const struct tct_observation *after,
		      const struct tct_observation *sos)
{
	ck_assert_int_eq(sos->states.method, TCT_METHOD_EXACT);
	for (unsigned state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++) {
		const char *name = tct_state_name((enum tct_state)state);
		int64_t most = before->states.counts[state];
		int64_t least = after->states.counts[state];
		int64_t told = sos->states.counts[state];

		if (state == TCT_STATE_CLOSE)
			continue;
		if (most < least) {
			most = after->states.counts[state];
			least = before->states.counts[state];
		}
		ck_assert_msg(told >= least && told <= most,
			      "%s: %" PRId64 ", live %" PRId64 " to %" PRId64, name, told, least,
			      most);
		ck_assert_msg(most > 0 || state == TCT_STATE_SYN_RECV, "no %s", name);
	}
}

/* before: the live look before ss ran, NULL = the output tells no more than places and queues. */
static void ck_listeners(const struct tct_observation *live, const struct tct_observation *sos,
			 bool backlog, const struct tct_observation *before)
{
	ck_assert_int_eq(sos->listeners_presence, TCT_PRESENT);
	ck_assert_uint_eq(sos->listeners_count, live->listeners_count);
	ck_assert_uint_gt(live->listeners_count, 4);
	for (size_t i = 0; i < live->listeners_count; i++) {
		const struct tct_listener *a = &live->listeners[i];
		const struct tct_listener *b = &sos->listeners[i];

		ck_assert_uint_eq(b->port, a->port);
		ck_assert_int_eq(b->family, a->family);
		ck_assert_str_eq(b->address, a->address);
		ck_assert_uint_eq(b->queue, a->queue);
		ck_assert_uint_eq(b->backlog, backlog ? a->backlog : TCT_BACKLOG_UNKNOWN);
		ck_assert_int_ge(b->syn_recv, a->syn_recv); /* they expire */
		ck_assert_uint_eq(b->siblings, a->siblings);
		if (before == NULL)
			continue;
		ck_assert_int_ge(b->drops, before->listeners[i].drops);
		ck_assert_int_le(b->drops, a->drops);
		ck_assert_int_eq(b->established, a->established);
		ck_assert_int_eq(b->remote, a->remote);
		ck_assert_int_eq(b->unguarded, a->unguarded);
		ck_assert_int_eq(b->retransmitting, a->retransmitting);
		ck_assert_uint_eq(b->inode, a->inode);
		ck_assert_int_eq(b->v6only, a->v6only);
		ck_assert_int_eq(b->owner.sight, TCT_OWNER_FOUND);
		ck_assert_int_eq(b->owner.pid, getpid());
		ck_assert_uint_eq(b->cookie, a->cookie);
	}
}

/* The order depends on ports that connect() may take back, which ss tells to the second. */
static const struct tct_destination *find_destination(const struct tct_outgoing *outgoing,
						      const struct tct_destination *wanted)
{
	for (size_t i = 0; i < outgoing->destinations_count; i++) {
		const struct tct_destination *destination = &outgoing->destinations[i];

		if (destination->port == wanted->port &&
		    strcmp(destination->address, wanted->address) == 0 &&
		    strcmp(destination->source, wanted->source) == 0)
			return destination;
	}
	return NULL;
}

static void ck_destinations(const struct tct_outgoing *live, const struct tct_outgoing *sos)
{
	ck_assert_int_eq(live->presence, TCT_PRESENT);
	ck_assert_int_eq(sos->presence, TCT_PRESENT);
	ck_assert(sos->whole);
	ck_assert_int_eq(sos->ports_usable, live->ports_usable);
	ck_assert_int_eq(sos->sockets, live->sockets);
	ck_assert_int_eq(sos->established, live->established);
	ck_assert_uint_eq(sos->destinations_count, live->destinations_count);
	ck_assert_uint_gt(live->destinations_count, 3);
	for (size_t i = 0; i < live->destinations_count; i++) {
		const struct tct_destination *a = &live->destinations[i];
		const struct tct_destination *b = find_destination(sos, a);

		ck_assert_msg(b != NULL, "%s:%u", a->address, (unsigned)a->port);
		ck_assert_int_eq(b->sockets, a->sockets);
		ck_assert_int_eq(b->time_wait, a->time_wait);
	}
}

/* What is sent again is so more and more often: what ss told lies between the looks around it. */
static void ck_populations(const struct tct_observation *before, const struct tct_observation *live,
			   const struct tct_observation *sos)
{
	static const enum tct_population_kind some[] = {
		TCT_POPULATION_CLOSE_WAIT,         TCT_POPULATION_REMOTE,
		TCT_POPULATION_UNGUARDED,          TCT_POPULATION_FIN_WAIT2_HELD,
		TCT_POPULATION_FIN_WAIT2_ORPHANED,
	};

	for (size_t i = 0; i < TCT_POPULATION_LIMIT; i++) {
		ck_assert_int_eq(live->populations[i].presence, TCT_PRESENT);
		ck_assert_int_eq(sos->populations[i].presence, TCT_PRESENT);
		ck_assert_int_ge(sos->populations[i].total, before->populations[i].total);
		ck_assert_int_le(sos->populations[i].total, live->populations[i].total);
	}
	for (size_t i = 0; i < TCT_COUNT(some); i++) {
		ck_assert_int_gt(live->populations[some[i]].total, 0);
		ck_assert_int_eq(sos->populations[some[i]].total, live->populations[some[i]].total);
	}
}

START_TEST(ss_tells_what_the_kernel_tells)
{
	struct zoo zoo;
	struct tct_observation *before;
	struct tct_observation *live;
	struct tct_observation *sos;

	save("sysctl -a", "sos_commands/kernel/sysctl_-a"); /* before the sockets, which don't last
							     */
	fill(&zoo);
	before = observe_live();
	save("ss -peaonmi", "sos_commands/networking/ss_-peaonmi");
	live = observe_live();
	sos = observe(&scratch_root);
	ck_states(before, live, sos);
	ck_assert_int_gt(before->states.counts[TCT_STATE_SYN_RECV], 0);
	ck_listeners(live, sos, true, before);
	ck_destinations(&live->outgoing, &sos->outgoing);
	ck_populations(before, live, sos);
	/* Every socket that a program holds is this program's. */
	ck_assert_uint_gt(sos->owners_count, 0);
	ck_assert_int_eq(sos->owners[0].owner.pid, getpid());
	ck_assert_int_gt(sos->owners[0].populations[TCT_POPULATION_CLOSE_WAIT].total, 0);
	ck_assert(!has_gap(sos, "some sockets"));
	ck_assert(!has_gap(sos, "owners"));
	ck_assert(!has_gap(sos, "idle"));
	ck_assert(!has_gap(sos, "drops"));
	tct_observation_free(before);
	tct_observation_free(live);
	tct_observation_free(sos);
}
END_TEST

START_TEST(a_short_ss_and_netstat_tell_states_and_queues)
{
	static const struct {
		const char *command;
		const char *path;
		bool backlog;
	} outputs[] = {
		{ "ss -tan", "sos_commands/networking/ss_-tan", true },
		{ "ss -tanpeoiO", "sos_commands/networking/ss_-tanpeoiO", true },
		{ "netstat -W -neopa", "sos_commands/networking/netstat_-W_-neopa", false },
	};
	struct zoo zoo;

	fill(&zoo);
	for (size_t i = 0; i < TCT_COUNT(outputs); i++) {
		struct tct_observation *before = observe_live();
		struct tct_observation *live;
		struct tct_observation *sos;

		save(outputs[i].command, outputs[i].path);
		live = observe_live();
		sos = observe(&scratch_root);
		ck_states(before, live, sos);
		ck_listeners(live, sos, outputs[i].backlog, NULL);
		ck_assert(!has_gap(sos, "some sockets"));
		ck_assert_int_eq(has_gap(sos, "limits"), !outputs[i].backlog);
		ck_assert_int_eq(has_gap(sos, "owners"), i == 0);
		ck_assert_int_eq(sos->listeners[0].owner.pid, i == 0 ? 0 : getpid());
		tct_observation_free(before);
		tct_observation_free(live);
		tct_observation_free(sos);
		ck_assert_int_eq(unlink(scratch_path(outputs[i].path)), 0);
	}
}
END_TEST

START_TEST(sysctl_tells_the_live_values)
{
	struct tct_observation *live;
	struct tct_observation *sos;
	size_t present = 0;
	size_t absent = 0;

	ck_assert_int_eq(system("echo 1234 >/proc/sys/net/core/somaxconn &&"
				"echo 8080,9000-9100 >/proc/sys/net/ipv4/ip_local_reserved_ports &&"
				"echo '4096 65536 999424' >/proc/sys/net/ipv4/tcp_rmem"),
			 0);
	save("sysctl -a", "sos_commands/kernel/sysctl_-a");
	live = observe_live();
	sos = observe(&scratch_root);
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_sysctl *a = &live->sysctls[i];
		const struct tct_sysctl *b = &sos->sysctls[i];

		if (strstr(tct_kernel_keys[i].name, "nf_conntrack_count") != NULL)
			continue;
		ck_assert_msg(a->presence == b->presence, "%s: %d, live %d",
			      tct_kernel_keys[i].name, (int)b->presence, (int)a->presence);
		ck_assert_msg(tct_value_equal(&a->value, &b->value), "%s", tct_kernel_keys[i].name);
		present += a->presence == TCT_PRESENT;
		absent += a->presence == TCT_ABSENT;
	}
	ck_assert_uint_gt(present, 60);
	ck_assert_uint_gt(absent, 0);
	ck_assert(!has_gap(sos, "kernel key"));
	tct_observation_free(live);
	tct_observation_free(sos);
}
END_TEST

static void read_live(struct tct_counter_value *values)
{
	struct tct_root root;
	struct tct_err err = { 0 };

	ck_assert_int_eq(tct_root_open(&root, NULL, &err), 0);
	ck_assert_int_eq(tct_counters_read(&root, 0, values, NULL), 0);
	tct_root_done(&root);
}

/* Settings, and what nstat takes for one. */
static bool is_left_out(const char *command, const char *name)
{
	return strncmp(name, "Tcp.Rto", 7) == 0 || strcmp(name, "Tcp.MaxConn") == 0 ||
	       (strstr(command, "nstat") != NULL && strcmp(name, "Tcp.CurrEstab") == 0);
}

/* Counters only grow, so what was told between two looks lies between them. */
static void ck_counters(const char *command, const char *path)
{
	TCT_AUTOFREE struct tct_counter_value *before = calloc(tct_counters_count, sizeof(*before));
	TCT_AUTOFREE struct tct_counter_value *told = calloc(tct_counters_count, sizeof(*told));
	TCT_AUTOFREE struct tct_counter_value *after = calloc(tct_counters_count, sizeof(*after));
	size_t compared = 0;
	size_t not_zero = 0;

	ck_assert(before != NULL && told != NULL && after != NULL);
	read_live(before);
	save(command, path);
	read_live(after);
	ck_assert_int_eq(tct_sos_counters_read(&scratch_root, told, NULL), 0);
	for (size_t i = 0; i < tct_counters_count; i++) {
		const struct tct_counter *counter = &tct_counters[i];
		const char *name = counter->name;

		if (counter->group != TCT_GROUP_TCP && counter->group != TCT_GROUP_TCPEXT)
			continue;
		if (told[i].presence != TCT_PRESENT) {
			ck_assert_msg(is_left_out(command, name) ||
					      before[i].presence != TCT_PRESENT ||
					      before[i].value == 0,
				      "%s is not told", name);
			continue;
		}
		compared++;
		not_zero += told[i].value != 0;
		ck_assert_msg(before[i].presence == TCT_PRESENT || told[i].value == 0, "%s", name);
		if (before[i].presence == TCT_PRESENT && !counter->gauge)
			ck_assert_msg(told[i].value >= before[i].value &&
					      told[i].value <= after[i].value,
				      "%s: %" PRId64 ", live %" PRId64 " to %" PRId64, name,
				      told[i].value, before[i].value, after[i].value);
	}
	ck_assert_uint_gt(compared, 80);
	ck_assert_uint_gt(not_zero, 12);
	ck_assert_int_eq(unlink(scratch_path(path)), 0);
}

START_TEST(nstat_and_netstat_tell_the_counters)
{
	struct zoo zoo;

	fill(&zoo);
	ck_counters("nstat -zas", "sos_commands/networking/nstat_-zas");
	ck_counters("netstat -s", "sos_commands/networking/netstat_-s");
}
END_TEST

/* proc/net/snmp and netstat with another number in each column. */
static void make_proc(const char *file)
{
	char path[64];
	char source[64];
	char lines[2][16384];
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	FILE *stream;
	int number = file[1] == 'n' ? 1000 : 5000;

	(void)snprintf(source, sizeof(source), "/proc/net/%s", file);
	(void)snprintf(path, sizeof(path), "made/proc/net/%s", file);
	stream = fopen(source, "re");
	ck_assert_ptr_nonnull(stream);
	while (fgets(lines[0], sizeof(lines[0]), stream) != NULL &&
	       fgets(lines[1], sizeof(lines[1]), stream) != NULL) {
		char *rest = NULL;

		tct_text_add(&text, lines[0]);
		tct_text_add(&text, strtok_r(lines[0], " \n", &rest));
		for (const char *word; (word = strtok_r(NULL, " \n", &rest)) != NULL;)
			tct_text_addf(&text, " %d",
				      strcmp(word, "RtoAlgorithm") == 0 ? 1 : ++number);
		tct_text_add(&text, "\n");
	}
	ck_assert_int_eq(fclose(stream), 0);
	scratch_write(path, text.data);
}

/* Every counter that the kernel has, not zero. */
static void ck_all_told(const struct tct_counter_value *wanted, const char *command,
			const char *path)
{
	TCT_AUTOFREE struct tct_counter_value *told = calloc(tct_counters_count, sizeof(*told));
	char line[1024];
	size_t compared = 0;

	(void)snprintf(line, sizeof(line), "made='%s'; ", scratch_path("made"));
	(void)snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s >'%s'", command,
		       scratch_path(path));
	if (system(line) != 0) {
		printf("not tried: %s\n", line);
		return;
	}
	ck_assert_ptr_nonnull(told);
	ck_assert_int_eq(tct_sos_counters_read(&scratch_root, told, NULL), 0);
	for (size_t i = 0; i < tct_counters_count; i++) {
		const char *name = tct_counters[i].name;

		if (wanted[i].presence != TCT_PRESENT)
			continue;
		if (is_left_out(command, name))
			continue;
		ck_assert_msg(told[i].presence == TCT_PRESENT && told[i].value == wanted[i].value,
			      "%s: %" PRId64 ", not %" PRId64, name, told[i].value,
			      wanted[i].value);
		compared++;
	}
	ck_assert_uint_gt(compared, 100);
	ck_assert_int_eq(unlink(scratch_path(path)), 0);
}

/* Each of them, by its own number: no sentence may be taken for another. */
START_TEST(every_sentence_is_understood)
{
	TCT_AUTOFREE struct tct_counter_value *wanted = calloc(tct_counters_count, sizeof(*wanted));
	struct tct_root made;
	struct tct_err err = { 0 };

	ck_assert_ptr_nonnull(wanted);
	make_proc("snmp");
	make_proc("netstat");
	ck_assert_int_eq(tct_root_open(&made, scratch_path("made"), &err), 0);
	ck_assert_int_eq(tct_counters_read(&made, 0, wanted, NULL), 0);
	tct_root_done(&made);
	ck_all_told(
		wanted,
		"PROC_NET_SNMP=$made/proc/net/snmp PROC_NET_NETSTAT=$made/proc/net/netstat nstat -zas",
		"sos_commands/networking/nstat_-zas");
	ck_all_told(
		wanted,
		"export made; unshare -m sh -c 'mount --bind \"$made/proc\" /proc && exec netstat -s'",
		"sos_commands/networking/netstat_-s");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sosreport");
	TCase *tests = tcase_create("namespace");
	SRunner *runner;
	int failed;

	(void)setenv("LC_ALL", "C", 1);
	if (!zoo_is_permitted())
		return SKIPPED;
	if (getuid() != 0) {
		printf("skipped: it needs root\n");
		return SKIPPED;
	}
	for (int i = 0; i < 4; i++) {
		static const char *const tools[] = { "ss -V", "nstat -V", "netstat -V",
						     "sysctl -V" };
		char line[64];

		(void)snprintf(line, sizeof(line), "%s >/dev/null 2>&1", tools[i]);
		if (WEXITSTATUS(system(line)) == 127) {
			printf("skipped: %s can't be run\n", tools[i]);
			return SKIPPED;
		}
	}
	tcase_add_checked_fixture(tests, enter, scratch_close);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, ss_tells_what_the_kernel_tells);
	tcase_add_test(tests, a_short_ss_and_netstat_tell_states_and_queues);
	tcase_add_test(tests, sysctl_tells_the_live_values);
	tcase_add_test(tests, nstat_and_netstat_tell_the_counters);
	tcase_add_test(tests, every_sentence_is_understood);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
