/* The observer's readers over canned text and over directory trees: counters, sockets, host, keys.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/observe/counters_read.h"
#include "audit/observe/host.h"
#include "audit/observe/observation.h"
#include "audit/observe/proc_net_tcp.h"
#include "audit/observe/sockets.h"
#include "audit/observe/sysctl_live.h"
#include "core/mem.h"

/* A directory tree that a test fills. */
static char tree[] = "/tmp/tct-observe-XXXXXX";
static struct tct_root root;

static void make_tree(void)
{
	ck_assert_ptr_nonnull(mkdtemp(tree));
	ck_assert_int_eq(tct_root_open(&root, tree, NULL), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

static void remove_tree(void)
{
	tct_root_done(&root);
	ck_assert_int_eq(nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void make_folders(const char *path)
{
	char part[256];

	(void)snprintf(part, sizeof(part), "%s/%s", tree, path);
	for (char *slash = part + strlen(tree) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		ck_assert(mkdir(part, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

static void put_bytes(const char *path, const char *bytes, size_t length)
{
	char full[256];
	int fd;

	make_folders(path);
	(void)snprintf(full, sizeof(full), "%s/%s", tree, path);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		ck_assert_int_gt(written, 0);
		bytes += written;
		length -= (size_t)written;
	}
	ck_assert_int_eq(close(fd), 0);
}

static void put_file(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

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

		tct_sockets_populate(populations, &socket);
		ck_assert_int_eq(populations[TCT_POPULATION_REMOTE].total, cases[i].remote);
		ck_assert_int_eq(populations[TCT_POPULATION_UNGUARDED].total, cases[i].remote);
		socket.timer = 2;
		tct_sockets_populate(populations, &socket);
		ck_assert_int_eq(populations[TCT_POPULATION_REMOTE].total, 2 * cases[i].remote);
		ck_assert_int_eq(populations[TCT_POPULATION_UNGUARDED].total, cases[i].remote);
		socket.inode = 0;
		tct_sockets_populate(populations, &socket);
		ck_assert_int_eq(populations[TCT_POPULATION_REMOTE].total, 2 * cases[i].remote);
		socket.state = TCT_STATE_CLOSE_WAIT;
		tct_sockets_populate(populations, &socket);
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

#define HEADING                                                                                    \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
#define LISTEN4                                                                                       \
	"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000005 00:00000000 00000000  1000        0 " \
	"4711 1 000000003ed6b8bb 100 0 0 10 0\n"
#define REQUEST4                                                                                      \
	"   1: 0100007F:1F90 0200007F:C15E 03 00000000:00000000 01:0000001A 00000001     0        0 " \
	"0 3 00000000dd1cb0c6\n"
#define ESTABLISHED6                                                                                 \
	"   0: 00000000000000000000000001000000:0016 B80D01200000000000000000FFFFFFFF:D431 01 "      \
	"00000010:00000020 02:000A7214 00000000     0        0 18446744073709551615 2 0 20 4 29 10 " \
	"-1\n"

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

static struct tct_observation *look(void)
{
	const struct tct_observe_options options = {
		.root = &root,
		.interval_ns = INT64_C(60000000000), /* a tree is looked at once, without a wait */
		.sockets = true,
		.counters = true,
	};
	struct tct_observation *observation = NULL;
	struct tct_err err = { 0 };

	ck_assert_msg(tct_observe(&options, &observation, &err) == 0, "%s", err.message);
	ck_assert_int_eq(observation->interval_ns, 0);
	ck_assert(observation->files_govern);
	return observation;
}

static bool has_gap(const struct tct_observation *observation, const char *text)
{
	for (size_t i = 0; i < observation->gaps_count; i++) {
		if (strstr(observation->gaps[i].what, text) != NULL ||
		    strstr(observation->gaps[i].why, text) != NULL)
			return true;
	}
	return false;
}

START_TEST(a_tree_s_sockets_are_counted)
{
	struct tct_observation *observation;

	put_file("proc/net/tcp", HEADING LISTEN4 REQUEST4 REQUEST4 "garbage\n" LISTEN4);
	put_file("proc/net/tcp6", HEADING ESTABLISHED6 "   1: 0000");
	observation = look();
	ck_assert_int_eq(observation->states.method, TCT_METHOD_EXACT);
	ck_assert_int_eq(observation->states.counts[TCT_STATE_LISTEN], 2);
	ck_assert_int_eq(observation->states.counts[TCT_STATE_SYN_RECV], 2);
	ck_assert_int_eq(observation->states.counts[TCT_STATE_ESTABLISHED], 1);
	ck_assert_uint_eq(observation->listeners_count, 2);
	ck_assert_str_eq(observation->listeners[0].address, "127.0.0.1");
	ck_assert_uint_eq(observation->listeners[0].port, 8080);
	ck_assert_uint_eq(observation->listeners[0].backlog, TCT_BACKLOG_UNKNOWN);
	ck_assert_int_eq(observation->listeners[1].syn_recv, 2);
	ck_assert(has_gap(observation, "2 lines of proc/net/tcp"));
	ck_assert(has_gap(observation, "accept queue limits"));
	tct_observation_free(observation);
}
END_TEST

START_TEST(a_huge_file_of_sockets_is_read_to_its_end)
{
	const size_t sockets = 5000;
	const size_t long_line = 200000;
	char *text = malloc(sizeof(HEADING) + (sockets + 1) * sizeof(REQUEST4) + long_line);
	struct tct_observation *observation;
	char *at = text;

	ck_assert_ptr_nonnull(text);
	at = stpcpy(at, HEADING);
	for (size_t i = 0; i < sockets; i++)
		at = stpcpy(at, REQUEST4);
	memset(at, '1', long_line);
	at += long_line;
	*at++ = '\n';
	at = stpcpy(at, LISTEN4);
	put_bytes("proc/net/tcp", text, (size_t)(at - text));
	observation = look();
	ck_assert_int_eq(observation->states.counts[TCT_STATE_SYN_RECV], (int64_t)sockets);
	ck_assert_int_eq(observation->states.counts[TCT_STATE_LISTEN], 1);
	ck_assert_int_eq(observation->listeners[0].syn_recv, (int64_t)sockets);
	ck_assert(has_gap(observation, "1 lines of proc/net/tcp"));
	tct_observation_free(observation);
	free(text);
}
END_TEST

START_TEST(an_empty_tree_is_an_observation_with_gaps)
{
	struct tct_observation *observation = look();

	ck_assert_int_eq(observation->host.source, TCT_SOURCE_ROOT);
	ck_assert(observation->host.kernel_assumed && observation->host.kernel_version != 0);
	ck_assert_str_eq(observation->host.hostname, "");
	ck_assert_str_eq(observation->host.boot_id, "");
	ck_assert_int_eq(observation->host.mem_total_bytes, -1);
	ck_assert_int_eq(observation->host.cpus, -1);
	ck_assert_int_eq(observation->host.page_bytes, -1);
	ck_assert_int_eq(observation->host.uptime_ns, -1);
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		ck_assert_int_eq(observation->sysctls[i].presence, TCT_NOT_LOOKED);
	for (size_t i = 0; i < tct_counters_count; i++)
		ck_assert_int_eq(observation->counters[i].presence, TCT_NOT_LOOKED);
	ck_assert_int_eq(observation->states.method, TCT_METHOD_NONE);
	ck_assert_int_eq(observation->listeners_presence, TCT_NOT_LOOKED);
	ck_assert(has_gap(observation, "a directory tree has no sockets"));
	tct_observation_free(observation);
	tct_observation_free(NULL);
}
END_TEST

START_TEST(a_captured_host_is_read)
{
	struct tct_observation *observation;
	const struct tct_host *host;

	put_file("proc/sys/kernel/hostname", "web\x01"
					     "7\n");
	put_file("etc/hostname", "other\n");
	put_file("proc/sys/kernel/osrelease", "5.10.0-28-amd64\n");
	put_file("proc/sys/kernel/random/boot_id", "a265bfa2-b825-4f76-959a-292d260e2bea\n");
	put_file("proc/meminfo", "MemTotal:        2048000 kB\nMemFree: 1 kB\n");
	put_file("proc/uptime", "12.50 9.00\n");
	put_file("proc/cpuinfo", "processor\t: 0\nmodel\t: x\nprocessor\t: 1\n");
	put_file("lib/modules/6.9.0/x", "");
	observation = look();
	host = &observation->host;
	ck_assert_str_eq(host->hostname, "web?7");
	ck_assert_str_eq(host->kernel, "5.10.0-28-amd64");
	ck_assert(!host->kernel_assumed);
	ck_assert_int_eq(host->kernel_version, TCT_VERSION(5, 10));
	ck_assert_int_eq(host->mem_total_bytes, INT64_C(2048000) * 1024);
	ck_assert_int_eq(host->cpus, 2);
	ck_assert_int_eq(host->uptime_ns, INT64_C(12500000000));
	ck_assert_str_eq(host->boot_id, "a265bfa2-b825-4f76-959a-292d260e2bea");
	tct_observation_free(observation);
}
END_TEST

START_TEST(an_image_s_newest_kernel_counts)
{
	struct tct_observation *observation;

	put_file("etc/hostname", "# a comment\n\nimage\n");
	put_file("lib/modules/5.9.1/x", "");
	put_file("lib/modules/5.10.2-a/x", "");
	put_file("lib/modules/extra/x", "");
	put_file("usr/lib/modules/5.10.2-b/x", "");
	put_file("sys/devices/system/cpu/online", "0-3,8\n");
	put_file("proc/meminfo", "MemTotal: lots kB\n");
	observation = look();
	ck_assert_str_eq(observation->host.hostname, "image");
	ck_assert_str_eq(observation->host.kernel, "5.10.2-b");
	ck_assert(!observation->host.kernel_assumed);
	ck_assert_int_eq(observation->host.cpus, 5);
	ck_assert_int_eq(observation->host.mem_total_bytes, -1);
	tct_observation_free(observation);
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

static const struct tct_sysctl *sysctl_in(const struct tct_observation *observation,
					  const char *name)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);

	ck_assert_ptr_nonnull(key);
	return &observation->sysctls[tct_kernel_key_index(key)];
}

START_TEST(absent_unreadable_and_unparsed_keys_are_told_apart)
{
	struct tct_observation *observation;
	char path[256];

	put_file("proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n");
	put_file("proc/sys/net/ipv4/tcp_wmem", "4096\t131072\n");
	put_file("proc/sys/net/ipv4/tcp_syncookies", "lots\n");
	put_bytes("proc/sys/net/ipv4/tcp_sack", "1\0\n", 3);
	put_file("proc/sys/net/ipv4/tcp_dsack/x", "");
	put_file("proc/sys/net/ipv4/tcp_fin_timeout", "60\n");
	put_file("proc/sys/net/ipv4/tcp_fastopen_key", "00000000-11111111-22222222-33333333\n");
	(void)snprintf(path, sizeof(path), "%s/proc/sys/net/ipv4/tcp_fin_timeout", tree);
	ck_assert_int_eq(chmod(path, 0444), 0);
	(void)snprintf(path, sizeof(path), "%s/proc/sys/net/ipv4/tcp_timestamps", tree);
	ck_assert_int_eq(symlink("tcp_timestamps", path), 0);
	observation = look();
	ck_assert_int_eq(sysctl_in(observation, "net.ipv4.tcp_rmem")->presence, TCT_PRESENT);
	ck_assert_int_eq(sysctl_in(observation, "net.ipv4.tcp_rmem")->value.numbers[2], 6291456);
	ck_assert(sysctl_in(observation, "net.ipv4.tcp_rmem")->writable);
	ck_assert(!sysctl_in(observation, "net.ipv4.tcp_fin_timeout")->writable);
	ck_assert_int_eq(sysctl_in(observation, "net.ipv4.tcp_wmem")->presence, TCT_UNPARSED);
	ck_assert_int_eq(sysctl_in(observation, "net.ipv4.tcp_syncookies")->presence, TCT_UNPARSED);
	ck_assert_int_eq(sysctl_in(observation, "net.ipv4.tcp_sack")->presence, TCT_UNPARSED);
	ck_assert_int_eq(sysctl_in(observation, "net.ipv4.tcp_dsack")->presence, TCT_UNREADABLE);
	ck_assert_int_eq(sysctl_in(observation, "net.ipv4.tcp_timestamps")->presence,
			 TCT_UNREADABLE);
	ck_assert_int_eq(sysctl_in(observation, "net.ipv4.tcp_timestamps")->error, ELOOP);
	ck_assert_int_eq(sysctl_in(observation, "net.core.somaxconn")->presence, TCT_ABSENT);
	ck_assert_int_eq(sysctl_in(observation, "net.ipv4.tcp_fastopen_key")->presence,
			 TCT_NOT_LOOKED);
	ck_assert_int_eq(sysctl_in(observation, "net.ipv4.tcp_fastopen_key")->value.kind,
			 TCT_VALUE_NONE);
	ck_assert_ptr_null(tct_observation_value(observation,
						 tct_kernel_key_find("net.ipv4.tcp_fastopen_key")));
	ck_assert(has_gap(observation, "live value of 2 kernel keys"));
	ck_assert(has_gap(observation, "live value of 3 kernel keys"));
	tct_observation_free(observation);
}
END_TEST

START_TEST(the_longest_list_of_ports_is_read_whole)
{
	const struct tct_kernel_key *key = tct_kernel_key_find("net.ipv4.ip_local_reserved_ports");
	struct tct_sysctl sysctl = { .presence = TCT_NOT_LOOKED };
	char *list = malloc((size_t)65536 * 6);
	char *at = list;

	ck_assert(key != NULL && list != NULL);
	for (unsigned port = 1; port <= 65535; port += 2)
		at += sprintf(at, "%s%u", port > 1 ? "," : "", port);
	(void)stpcpy(at, "\n");
	put_file("proc/sys/net/ipv4/ip_local_reserved_ports", list);
	*at = '\0';
	ck_assert_int_eq(tct_sysctl_look(&root, key, &sysctl), 0);
	ck_assert_int_eq(sysctl.presence, TCT_PRESENT);
	ck_assert_str_eq(sysctl.value.text, list);
	tct_value_done(&sysctl.value);
	free(list);
}
END_TEST

START_TEST(an_image_s_files_stand_for_its_live_values)
{
	const struct tct_kernel_key *set = tct_kernel_key_find("net.core.somaxconn");
	const struct tct_kernel_key *unset = tct_kernel_key_find("net.ipv4.tcp_sack");
	struct tct_observation *observation;
	const struct tct_value *value;

	put_file("etc/sysctl.d/50-x.conf", "net.core.somaxconn = 1234\n");
	observation = look();
	value = tct_observation_value(observation, set);
	ck_assert_ptr_nonnull(value);
	ck_assert_int_eq(value->numbers[0], 1234);
	ck_assert_int_eq(sysctl_in(observation, set->name)->presence, TCT_NOT_LOOKED);
	ck_assert_ptr_null(tct_observation_value(observation, unset));
	tct_observation_free(observation);
	/* With live values in the tree, these count. */
	put_file("proc/sys/net/core/somaxconn", "4096\n");
	observation = look();
	value = tct_observation_value(observation, set);
	ck_assert_ptr_nonnull(value);
	ck_assert_int_eq(value->numbers[0], 4096);
	tct_observation_free(observation);
}
END_TEST

START_TEST(a_tree_s_counters_are_read)
{
	const struct tct_counter *drops = tct_counter_find("TcpExt.ListenDrops");
	const struct tct_counter *memory = tct_counter_find("sockstat.TCP.mem");
	const struct tct_counter *segments = tct_counter_find("Tcp.InSegs");
	struct tct_observation *observation;

	ck_assert(drops != NULL && memory != NULL && segments != NULL);
	put_file("proc/net/netstat", "TcpExt: ListenDrops\nTcpExt: 12\n");
	put_file("proc/net/sockstat/x", "");
	observation = look();
	ck_assert_int_eq(observation->counters[tct_counter_index(drops)].presence, TCT_PRESENT);
	ck_assert_int_eq(observation->counters[tct_counter_index(drops)].first, 12);
	ck_assert_int_eq(observation->counters[tct_counter_index(drops)].last, 12);
	ck_assert_int_eq(observation->counters[tct_counter_index(memory)].presence, TCT_UNREADABLE);
	ck_assert_int_eq(observation->counters[tct_counter_index(segments)].presence, TCT_ABSENT);
	ck_assert(has_gap(observation, "proc/net/sockstat: Is a directory"));
	tct_observation_free(observation);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observe");
	TCase *readers = tcase_create("readers");
	TCase *trees = tcase_create("trees");
	SRunner *runner;
	int failed;

	tcase_add_test(readers, state_names_go_both_ways);
	tcase_add_test(readers, idle_times_are_never_overstated);
	tcase_add_test(readers, populations_leave_out_what_is_not_remote);
	tcase_add_test(readers, columns_are_found_by_name);
	tcase_add_test(readers, strange_numbers_are_not_taken);
	tcase_add_test(readers, lines_without_a_partner_don_t_shift_the_others);
	tcase_add_test(readers, sockstat_is_read_in_turns);
	tcase_add_test(readers, very_many_columns_are_survived);
	tcase_add_test(readers, a_counter_missing_in_one_look_is_missing);
	tcase_add_test(readers, lines_of_proc_net_tcp_are_read);
	tcase_add_test(readers, no_beginning_of_a_line_is_a_line);
	tcase_add_test(readers, lists_of_processors_are_counted);
	tcase_add_checked_fixture(trees, make_tree, remove_tree);
	tcase_add_test(trees, a_tree_s_sockets_are_counted);
	tcase_add_test(trees, a_huge_file_of_sockets_is_read_to_its_end);
	tcase_add_test(trees, an_empty_tree_is_an_observation_with_gaps);
	tcase_add_test(trees, a_captured_host_is_read);
	tcase_add_test(trees, an_image_s_newest_kernel_counts);
	tcase_add_test(trees, absent_unreadable_and_unparsed_keys_are_told_apart);
	tcase_add_test(trees, the_longest_list_of_ports_is_read_whole);
	tcase_add_test(trees, an_image_s_files_stand_for_its_live_values);
	tcase_add_test(trees, a_tree_s_counters_are_read);
	suite_add_tcase(suite, readers);
	suite_add_tcase(suite, trees);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
