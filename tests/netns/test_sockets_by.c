/*
 * Tables of sockets against ss on the running kernel, in a network namespace with sockets in every
 * state, of several processes, IPv4 and IPv6.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/observe/netns.h"
#include "audit/observe/socket_table.h"
#include "core/mem.h"
#include "tests/netns/by_ss.h"
#include "tests/netns/children.h"
#include "tests/netns/zoo.h"

enum {
	SKIPPED = 77,
	OURS = 7300,   /* the parent listens, the client connects */
	THEIRS = 7310, /* the other way round */
	CLIENTS = 5,
};

static const unsigned ways[] = { 0, TCT_WITHOUT_BOTH_FAMILIES, TCT_WITHOUT_INET_DIAG };

/* In this zoo every listener's port is below 8000 and every client's above. */
static void name_port(struct by_ss_groups *groups, const struct by_ss_line *line, const char *side)
{
	bool on = line->port < 8000;
	char name[96];

	(void)side;
	(void)snprintf(name, sizeof(name), "%s %u", on ? "on" : "to",
		       on ? line->port : line->peer_port);
	by_ss_count(groups, name, line->state, 1);
}

static void name_peer(struct by_ss_groups *groups, const struct by_ss_line *line, const char *side)
{
	char name[96];

	(void)snprintf(name, sizeof(name), "%s%s", line->peer_port == 0 ? "no peer" : line->address,
		       side);
	by_ss_count(groups, name, line->state, 1);
}

static void name_state(struct by_ss_groups *groups, const struct by_ss_line *line, const char *side)
{
	(void)side;
	by_ss_count(groups, tct_state_name((enum tct_state)line->state), line->state, 1);
}

/* The processes with sockets here, as the test made them. (ss -p would look at all of the host.) */
static pid_t holders[3];

/* Has the process a descriptor of the socket? */
static bool holds(pid_t pid, unsigned inode)
{
	char wanted[32];
	char path[64];
	char link[64];
	bool found = false;

	(void)snprintf(wanted, sizeof(wanted), "socket:[%u]", inode);
	for (int fd = 0; fd < 256 && !found; fd++) {
		ssize_t length;

		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		length = readlink(path, link, sizeof(link) - 1);
		if (length > 0) {
			link[length] = '\0';
			found = strcmp(link, wanted) == 0;
		}
	}
	return found;
}

static void name_process(struct by_ss_groups *groups, const struct by_ss_line *line,
			 const char *side)
{
	const char *without = line->state == TCT_STATE_TIME_WAIT ? "time wait"
			      : line->state == TCT_STATE_SYN_RECV ||
					      line->state == TCT_STATE_ESTABLISHED ||
					      line->state == TCT_STATE_CLOSE_WAIT
				      ? "not accepted"
				      : "closed";
	char name[96];
	unsigned count = 0;

	if (line->inode == 0) {
		pid_t listener = holders[line->port == THEIRS ? 1 : 0];

		if (strcmp(without, "not accepted") == 0)
			(void)snprintf(name, sizeof(name), "not accepted by %d%s", (int)listener,
				       side);
		else
			(void)snprintf(name, sizeof(name), "%s%s", without, side);
		by_ss_count(groups, name, line->state, 1);
		return;
	}
	for (size_t i = 0; i < TCT_COUNT(holders); i++) {
		if (holders[i] == 0 || !holds(holders[i], line->inode))
			continue;
		(void)snprintf(name, sizeof(name), "%d%s", (int)holders[i], side);
		by_ss_count(groups, name, line->state, 1);
		count++;
	}
	ck_assert_uint_gt(count, 0);
}

static struct tct_observation *observation;
static struct tct_socket_table table;

static void look(struct tct_socket_query query)
{
	struct tct_root root;
	struct tct_err err = { 0 };

	tct_socket_table_done(&table);
	tct_observation_free(observation);
	observation = tct_observation_new();
	ck_assert_ptr_nonnull(observation);
	ck_assert_int_eq(tct_root_open(&root, NULL, &err), 0);
	ck_assert_int_eq(tct_netns_enter(NULL, &observation->host.netns, &err), 0);
	query.root = &root;
	ck_assert_int_eq(tct_socket_table_look(&query, observation, &table), 0);
	ck_assert_int_eq(table.states.method, TCT_METHOD_EXACT);
	tct_root_done(&root);
}

static void name_row(const struct tct_socket_row *row, unsigned port, char name[96])
{
	const char *side = port == 0 ? "" : row->side == TCT_SIDE_ON ? " on" : " to";

	switch (row->kind) {
	case TCT_KIND_STATE:
		(void)snprintf(name, 96, "%s", tct_state_name(row->state));
		break;
	case TCT_KIND_PORT:
		(void)snprintf(name, 96, "%s %u", row->side == TCT_SIDE_ON ? "on" : "to",
			       row->port);
		break;
	case TCT_KIND_PEER:
		(void)snprintf(name, 96, "%s%s", row->address, side);
		break;
	case TCT_KIND_NO_PEER:
		(void)snprintf(name, 96, "no peer%s", side);
		break;
	case TCT_KIND_PROCESS:
		(void)snprintf(name, 96, "%d%s", row->owner.pid, side);
		break;
	case TCT_KIND_NOT_ACCEPTED:
		(void)snprintf(name, 96, "not accepted by %d%s", row->owner.pid, side);
		break;
	case TCT_KIND_TIME_WAIT:
		(void)snprintf(name, 96, "time wait%s", side);
		break;
	case TCT_KIND_CLOSED:
		(void)snprintf(name, 96, "closed%s", side);
		break;
	case TCT_KIND_UNIT:
	case TCT_KIND_NO_UNIT:
	case TCT_KIND_NOT_SEEN:
	case TCT_KIND_LIMIT:
		ck_abort_msg("a row of kind %d", row->kind);
	}
}

static void check_by(enum tct_sockets_by by, unsigned port, const char *filter, by_ss_name *name)
{
	struct by_ss_groups by_ss = { .count = 0 };

	by_ss_run(filter, port, name, &by_ss);
	for (size_t way = 0; way < TCT_COUNT(ways); way++) {
		struct by_ss_groups ours = { .count = 0 };
		int64_t last = INT64_MAX;
		char text[96];

		look((struct tct_socket_query){
			.by = by,
			.port = (uint16_t)port,
			.without = ways[way],
		});
		for (size_t i = 0; i < table.rows_count; i++) {
			const struct tct_socket_row *row = &table.rows[i];

			ck_assert_int_le(row->total, last);
			last = row->total;
			name_row(row, port, text);
			for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
				by_ss_count(&ours, text, state, row->states[state]);
		}
		by_ss_check(&ours, &by_ss);
	}
}

/* Both ways between a test and its child; made before the sockets, which it must not inherit. */
struct channel {
	int to_child[2];
	int to_parent[2];
};

static void open_channel(struct channel *channel)
{
	ck_assert_int_eq(pipe2(channel->to_child, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(channel->to_parent, O_CLOEXEC), 0);
}

static void tell(const int ends[2])
{
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
}

static void await(const int ends[2])
{
	char byte;

	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
}

/* Connects to the parent, and listens itself. */
static void be_client(const struct channel *channel)
{
	const struct zoo_place place = { .address = "::", .port = THEIRS, .backlog = 16 };

	await(channel->to_child);
	(void)zoo_listen(&place);
	for (unsigned i = 0; i < CLIENTS; i++) {
		int fd = zoo_connect("127.0.0.1", OURS, NULL, false);

		ck_assert_int_ge(dup(fd), 0); /* one socket, however many descriptors */
	}
	tell(channel->to_parent);
	for (;;)
		(void)pause();
}

/* Every state twice; a client with connections both ways; a child that shares everything. */
static pid_t fill(pid_t *sharing)
{
	const struct zoo_place place = { .address = "127.0.0.1", .port = OURS, .backlog = 16 };
	struct zoo zoo = { .bound_visible = false };
	struct channel channel;
	int listener;
	pid_t client;

	open_channel(&channel);
	client = children_fork();
	if (client == 0)
		be_client(&channel);
	zoo_fill(&zoo, "127.0.0.1", 7000);
	zoo_fill(&zoo, "::1", 7100);
	listener = zoo_listen(&place);
	tell(channel.to_child);
	await(channel.to_parent);
	for (unsigned i = 0; i + 1 < CLIENTS; i++) /* one waits */
		(void)zoo_accept(listener);
	(void)zoo_connect("::1", THEIRS, NULL, false);
	if (sharing != NULL) {
		*sharing = children_fork();
		if (*sharing == 0)
			for (;;)
				(void)pause();
	}
	return client;
}

START_TEST(by_state_port_and_peer_as_ss)
{
	char filter[64];

	(void)fill(NULL);
	check_by(TCT_BY_STATE, 0, "", name_state);
	check_by(TCT_BY_PORT, 0, "", name_port);
	check_by(TCT_BY_PEER, 0, "", name_peer);
	(void)snprintf(filter, sizeof(filter), "'( sport = :%d or dport = :%d )'", OURS, OURS);
	check_by(TCT_BY_STATE, OURS, filter, name_state);
	check_by(TCT_BY_PORT, OURS, filter, name_port);
	check_by(TCT_BY_PEER, OURS, filter, name_peer);
}
END_TEST

START_TEST(by_state_of_some_states)
{
	const struct {
		unsigned states;
		const char *filter;
	} cases[] = {
		{ 1 << TCT_STATE_ESTABLISHED, "state established" },
		{ 1 << TCT_STATE_FIN_WAIT2 | 1 << TCT_STATE_TIME_WAIT,
		  "state fin-wait-2 state time-wait" },
		{ 1 << TCT_STATE_SYN_RECV | 1 << TCT_STATE_LISTEN,
		  "state syn-recv state listening" },
	};
	int64_t total;

	(void)fill(NULL);
	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char command[160];
		FILE *ss;

		(void)snprintf(command, sizeof(command), "ss -tnH %s | wc -l", cases[i].filter);
		ss = popen(command, "re");
		ck_assert_ptr_nonnull(ss);
		ck_assert_int_eq(fscanf(ss, "%" SCNd64, &total), 1);
		ck_assert_int_eq(pclose(ss), 0);
		ck_assert_int_gt(total, 0);
		for (unsigned by = TCT_BY_STATE; by <= TCT_BY_PEER; by++) {
			look((struct tct_socket_query){ .by = (enum tct_sockets_by)by,
							.states = cases[i].states });
			ck_assert_int_eq(table.total, total);
		}
	}
}
END_TEST

START_TEST(by_process_and_for_a_port_as_ss)
{
	pid_t sharing;
	pid_t client = fill(&sharing);
	int64_t both = 0;
	char filter[64];

	holders[0] = getpid();
	holders[1] = client;
	holders[2] = sharing;
	check_by(TCT_BY_PROCESS, 0, "", name_process);
	ck_assert_int_gt(table.shared, 0);
	for (unsigned port = OURS; port <= THEIRS; port += THEIRS - OURS) {
		(void)snprintf(filter, sizeof(filter), "'( sport = :%u or dport = :%u )'", port,
			       port);
		check_by(TCT_BY_PROCESS, port, filter, name_process);
	}
	look((struct tct_socket_query){ .by = TCT_BY_PROCESS, .port = OURS });
	for (size_t i = 0; i < table.rows_count; i++) {
		if (table.rows[i].owner.pid != client)
			continue;
		ck_assert_int_eq(table.rows[i].side, TCT_SIDE_TO);
		ck_assert_int_eq(table.rows[i].total, CLIENTS);
		ck_assert_str_ne(table.rows[i].owner.comm, "");
		both++;
	}
	ck_assert_int_eq(both, 1);
	/* Nobody is at this port. */
	look((struct tct_socket_query){ .by = TCT_BY_PROCESS, .port = 9 });
	ck_assert_uint_eq(table.rows_count, 0);
	ck_assert_uint_eq(observation->gaps_count, 0);
}
END_TEST

static void look_as_nobody(void)
{
	const struct zoo_place place = { .address = "127.0.0.1", .port = 7500, .backlog = 2 };
	int64_t own = 0;
	int64_t not_seen = 0;

	children_become_nobody();
	(void)zoo_listen(&place);
	look((struct tct_socket_query){ .by = TCT_BY_PROCESS });
	for (size_t i = 0; i < table.rows_count; i++) {
		if (table.rows[i].kind == TCT_KIND_PROCESS) {
			ck_assert_int_eq(table.rows[i].owner.pid, getpid());
			own += table.rows[i].total;
		}
		if (table.rows[i].kind == TCT_KIND_NOT_SEEN)
			not_seen += table.rows[i].total;
	}
	ck_assert_int_eq(own, 1);
	ck_assert_int_gt(not_seen, 10);
	/* Beside very many sockets on this host the bound ones are a gap too. */
	ck_assert_uint_ge(observation->gaps_count, 1);
	ck_assert_ptr_nonnull(
		strstr(observation->gaps[observation->gaps_count - 1].why, "not permitted"));
}

START_TEST(a_plain_user_sees_his_own_and_is_told_so)
{
	struct channel channel;
	pid_t plain;

	if (getuid() != 0)
		return;
	open_channel(&channel);
	plain = children_fork();
	if (plain == 0) {
		await(channel.to_child);
		look_as_nobody();
		children_leave();
	}
	(void)fill(NULL);
	tell(channel.to_child);
	children_join(plain);
}
END_TEST

/* A cgroup2 folder of this test's; false, said aloud, where none can be made. */
static bool make_cgroup(char path[256], const char *name)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < TCT_COUNT(mounts); i++) {
		struct statfs status;

		if (statfs(mounts[i], &status) < 0 || status.f_type != CGROUP2_SUPER_MAGIC)
			continue;
		(void)snprintf(path, 256, "%s/%s", mounts[i], name);
		if (mkdir(path, 0755) == 0)
			return true;
		printf("NOT TESTED: no cgroup can be made in %s: %s\n", mounts[i], strerror(errno));
		return false;
	}
	printf("NOT TESTED: cgroup2 is not mounted here\n");
	return false;
}

/* In the cgroup: a listener with two connections accepted, one waiting, one half open. */
static void be_service(const char *cgroup, const struct channel *channel)
{
	const struct zoo_place place = { .address = "127.0.0.1", .port = 7600, .backlog = 8 };
	const struct zoo_place defer = {
		.address = "::",
		.port = 7601,
		.backlog = 8,
		.defer_s = 60,
	};
	char file[300];
	int listener;
	int fd;

	(void)snprintf(file, sizeof(file), "%s/cgroup.procs", cgroup);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "0", 1), 1);
	ck_assert_int_eq(close(fd), 0);
	listener = zoo_listen(&place);
	(void)zoo_listen(&defer);
	tell(channel->to_parent);
	for (unsigned i = 0; i < 2; i++)
		(void)zoo_accept(listener);
	tell(channel->to_parent);
	for (;;)
		(void)pause();
}

static void check_unit_rows(const char *unit)
{
	static const int64_t wanted[TCT_STATE_LIMIT] = {
		[TCT_STATE_LISTEN] = 2,
		[TCT_STATE_ESTABLISHED] = 3,
		[TCT_STATE_SYN_RECV] = 1,
	};

	for (size_t way = 0; way < TCT_COUNT(ways); way++) {
		look((struct tct_socket_query){ .by = TCT_BY_UNIT, .without = ways[way] });
		ck_assert_uint_eq(table.rows_count, 2);
		ck_assert_int_eq(table.rows[0].kind, TCT_KIND_UNIT);
		ck_assert_str_eq(table.rows[0].owner.unit, unit);
		ck_assert_int_eq(table.rows[0].total, 6);
		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
			ck_assert_int_eq(table.rows[0].states[state], wanted[state]);
		/* What the test connected from; where it runs may itself be a unit. */
		ck_assert(table.rows[1].kind == TCT_KIND_NO_UNIT ||
			  table.rows[1].kind == TCT_KIND_UNIT);
		ck_assert_int_eq(table.rows[1].total, 4);
		look((struct tct_socket_query){ .by = TCT_BY_PROCESS,
						.without = ways[way],
						.port = 7600 });
		ck_assert_int_eq(table.rows[0].total, 3);
		ck_assert_int_eq(table.rows[2].kind, TCT_KIND_NOT_ACCEPTED);
		ck_assert_str_eq(table.rows[2].owner.unit, unit);
	}
}

START_TEST(by_unit_as_the_cgroups_say)
{
	char unit[64];
	char cgroup[256];
	struct channel channel;
	pid_t service;

	(void)snprintf(unit, sizeof(unit), "tct-by-%d.service", (int)getpid());
	if (!make_cgroup(cgroup, unit))
		return;
	open_channel(&channel);
	service = children_fork();
	if (service == 0)
		be_service(cgroup, &channel);
	await(channel.to_parent);
	for (unsigned i = 0; i < 3; i++)
		(void)zoo_connect("127.0.0.1", 7600, NULL, false);
	(void)zoo_connect("::1", 7601, NULL, false);
	await(channel.to_parent);
	check_unit_rows(unit);
	children_end(service);
	ck_assert_int_eq(rmdir(cgroup), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sockets_by");
	TCase *tests = tcase_create("namespace");
	SRunner *runner;
	int failed;

	if (!zoo_is_permitted())
		return SKIPPED;
	runner = srunner_create(suite);
	tcase_set_timeout(tests, 150);
	tcase_add_checked_fixture(tests, zoo_enter, NULL);
	tcase_add_test(tests, by_state_port_and_peer_as_ss);
	tcase_add_test(tests, by_state_of_some_states);
	tcase_add_test(tests, by_process_and_for_a_port_as_ss);
	tcase_add_test(tests, a_plain_user_sees_his_own_and_is_told_so);
	tcase_add_test(tests, by_unit_as_the_cgroups_say);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
