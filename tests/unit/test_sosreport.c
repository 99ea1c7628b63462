/* Outputs of commands in a sosreport, as they are and broken in every way. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/observe/sosreport.h"
#include "core/mem.h"
#include "tests/unit/scratch.h"

#define SS "sos_commands/networking/ss_-peaonmi"
#define SYSCTL "sos_commands/kernel/sysctl_-a"
#define NSTAT "sos_commands/networking/nstat_-zas"
#define NETSTAT "sos_commands/networking/netstat_-s"
#define HEADING "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"

/* What a visitor was told. */
struct told {
	unsigned restarts;
	unsigned sockets;
	struct tct_tcp_socket last;
	int answer;
};

static void restart(void *context)
{
	struct told *told = context;

	told->restarts++;
	told->sockets = 0;
}

static int visit(void *context, const struct tct_tcp_socket *socket)
{
	struct told *told = context;

	told->sockets++;
	told->last = *socket;
	return told->answer;
}

static int read_sockets(struct told *told, uint64_t *malformed)
{
	const struct tct_tcp_visitor visitor = { restart, visit, told };

	return tct_sos_sockets_read(&scratch_root, &visitor, malformed);
}

START_TEST(sockets_are_told_as_proc_net_tcp_tells_them)
{
	struct told told = { 0 };
	uint64_t malformed = 0;

	ck_assert_int_eq(read_sockets(&told, &malformed), -ENOENT);
	scratch_write(SS,
		      HEADING "udp UNCONN 0 0 *:5353 *:*\n"
			      "\t skmem:(r0,d77)\n"
			      "tcp LISTEN 0 5 *:22 *:* ino:7 sk:1\n"
			      "\t skmem:(r0,rb1,d3) cubic cwnd:10\n"
			      "tcp ESTAB 0 0 nonsense 1.2.3.4:5\n"
			      "\t skmem:(r0,rb1,d99)\n"
			      "tcp ESTAB 0 0 1.2.3.4:5 1.2.3.5:6 timer:(on,200ms,1) ino:8 sk:2\n"
			      "\t skmem:(r0,rb1,d0) rto:200 lastsnd:5 lastrcv:50 lastack:40");
	ck_assert_int_eq(read_sockets(&told, &malformed), 0);
	ck_assert_uint_eq(told.restarts, 1);
	ck_assert_uint_eq(told.sockets, 2);
	ck_assert_uint_eq(malformed, 1);
	ck_assert_int_eq(told.last.idle_ms, 40);
	ck_assert_int_eq(told.last.drops, 0);
	ck_assert_uint_eq(told.last.retransmits, 1);
	ck_assert(told.last.full);
	told.answer = 1; /* enough */
	ck_assert_int_eq(read_sockets(&told, &malformed), 1);
	ck_assert_uint_eq(told.sockets, 1);
	/* an ss that writes "*" for IPv4: no 0.0.0.0 stands before */
	ck_assert_uint_eq(told.last.family, AF_INET);
	ck_assert_int_eq(told.last.drops, 3);
	told.answer = -ENOMEM;
	ck_assert_int_eq(read_sockets(&told, &malformed), -ENOMEM);
}
END_TEST

START_TEST(a_star_is_ipv6_where_ipv4_has_its_own_sign)
{
	struct told told = { 0 };
	uint64_t malformed = 0;

	scratch_write(SS, HEADING "tcp LISTEN 0 5 0.0.0.0:21 0.0.0.0:*\n"
				  "tcp LISTEN 0 5 *:22 *:*\n");
	ck_assert_int_eq(read_sockets(&told, &malformed), 0);
	ck_assert_uint_eq(told.last.family, AF_INET6);
	scratch_write(SS, HEADING "tcp LISTEN 0 5 *:22 *:* v6only:0 <->\n");
	ck_assert_int_eq(read_sockets(&told, &malformed), 0);
	ck_assert_uint_eq(told.last.family, AF_INET6);
}
END_TEST

START_TEST(what_is_cut_off_or_no_list_is_refused)
{
	static const char *const texts[] = {
		"",
		"bash: ss: command not found\n",
		"tcp ESTAB 0 0 1.2.3.4:5 1.2.3.5:6\n",
		"\t skmem:(r0)\ntcp ESTAB 0 0 1.2.3.4:5 1.2.3.5:6\n",
		"ng 0 0 1.2.3.4:5 1.2.3.5:6\ntcp ESTAB 0 0 1.2.3.4:5 1.2.3.5:6\n",
	};
	struct told told = { 0 };
	uint64_t malformed = 0;

	for (size_t i = 0; i < TCT_COUNT(texts); i++) {
		scratch_write(SS, texts[i]);
		ck_assert_msg(read_sockets(&told, &malformed) == -EBADMSG, "%s", texts[i]);
		ck_assert_uint_eq(told.sockets, 0);
	}
	/* a warning above the heading is none of that */
	scratch_write(SS, "Cannot open netlink socket: No such file or directory\n" HEADING
			  "tcp ESTAB 0 0 1.2.3.4:5 1.2.3.5:6\n");
	ck_assert_int_eq(read_sockets(&told, &malformed), 0);
	ck_assert_uint_eq(told.sockets, 1);
}
END_TEST

START_TEST(endless_lines_and_nul_bytes_are_survived)
{
	enum { LONG = 1 << 20 };
	static const char end[] = "\ntcp ESTAB 0 0 1.2.3.4:5 1.2.3.5:6\n";
	TCT_AUTOFREE char *text = malloc(LONG + sizeof(HEADING) + 64 + sizeof(end));
	struct told told = { 0 };
	uint64_t malformed = 0;
	size_t used;

	ck_assert_ptr_nonnull(text);
	/* a listener that thousands of processes share */
	used = (size_t)sprintf(text, "%stcp LISTEN 1 5 0.0.0.0:80 0.0.0.0:* users:(", HEADING);
	while (used < LONG)
		used += (size_t)sprintf(text + used, "(\"w\",pid=%zu,fd=3),", used);
	memcpy(text + used, end, sizeof(end));
	scratch_write(SS, text);
	ck_assert_int_eq(read_sockets(&told, &malformed), 0);
	ck_assert_uint_eq(told.sockets, 2);
	ck_assert_uint_eq(malformed, 0);
	memset(text + sizeof(HEADING) - 1, '\0', LONG - 1000);
	scratch_write_bytes(SS, text, used + sizeof(end) - 1);
	ck_assert_int_eq(read_sockets(&told, &malformed), 0);
	ck_assert_uint_eq(told.sockets, 1);
	/* 0 behind a number ends no word: the line is no good */
	scratch_write_bytes(SS, HEADING "tcp ESTAB 0\0 0 1.2.3.4:5 1.2.3.5:6\n",
			    sizeof(HEADING) - 1 + 36);
	ck_assert_int_eq(read_sockets(&told, &malformed), 0);
	ck_assert_uint_eq(told.sockets, 0);
	ck_assert_uint_eq(malformed, 1);
}
END_TEST

static struct tct_observation *look_at_sysctls(const char *text)
{
	struct tct_observation *observation = tct_observation_new();

	ck_assert_ptr_nonnull(observation);
	if (text != NULL)
		scratch_write(SYSCTL, text);
	ck_assert_int_eq(tct_sos_sysctls_look(&scratch_root, observation), 0);
	return observation;
}

static const struct tct_sysctl *key_in(const struct tct_observation *observation, const char *name)
{
	return &observation->sysctls[tct_kernel_key_index(tct_kernel_key_find(name))];
}

#define WHOLE "fs.file-max = 1\nkernel.x = 1\n"

START_TEST(sysctl_lines_are_typed)
{
	struct tct_observation *observation = look_at_sysctls(
		WHOLE "sysctl: permission denied on key 'net.ipv4.tcp_sack'\n"
		      "dev.cdrom.info = a = b\n"
		      "net.core.somaxconn = 4096\n"
		      "net.ipv4.ip_local_reserved_ports = \n"
		      "net.ipv4.tcp_congestion_control = bbr\n"
		      "net.ipv4.tcp_fastopen_key = 11111111-22222222-33333333-44444444\n"
		      "net.ipv4.tcp_keepalive_time = soon\n"
		      "net.ipv4.tcp_fin_timeout = 60\n"
		      "net.ipv4.tcp_fin_timeout = 30\n"
		      "net.ipv4.tcp_rmem = 4096\t131072\t6291456\r\n"
		      "net.ipv4.tcp_wmem=4096 1 2\n"
		      "= 5\n"
		      " = 5\n"
		      "vm.swappiness = 60");

	ck_assert_int_eq(key_in(observation, "net.core.somaxconn")->value.numbers[0], 4096);
	ck_assert(key_in(observation, "net.core.somaxconn")->writable);
	ck_assert_int_eq(key_in(observation, "net.ipv4.ip_local_reserved_ports")->presence,
			 TCT_PRESENT);
	ck_assert_int_eq(key_in(observation, "net.ipv4.tcp_rmem")->value.numbers[2], 6291456);
	ck_assert_int_eq(key_in(observation, "net.ipv4.tcp_fastopen_key")->presence,
			 TCT_NOT_LOOKED);
	ck_assert_ptr_null(key_in(observation, "net.ipv4.tcp_fastopen_key")->value.text);
	ck_assert_int_eq(key_in(observation, "net.ipv4.tcp_keepalive_time")->presence,
			 TCT_UNPARSED);
	ck_assert_int_eq(key_in(observation, "net.ipv4.tcp_fin_timeout")->presence, TCT_UNPARSED);
	ck_assert_int_eq(key_in(observation, "net.ipv4.tcp_sack")->presence, TCT_UNREADABLE);
	ck_assert_int_eq(key_in(observation, "net.ipv4.tcp_sack")->error, EACCES);
	ck_assert_int_eq(key_in(observation, "net.ipv4.tcp_wmem")->presence, TCT_ABSENT);
	ck_assert_uint_eq(observation->gaps_count, 2);
	tct_observation_free(observation);
}
END_TEST

START_TEST(a_key_is_only_absent_from_a_whole_output)
{
	struct tct_observation *observation = look_at_sysctls(NULL);

	ck_assert_int_eq(key_in(observation, "net.ipv4.tcp_sack")->presence, TCT_NOT_LOOKED);
	ck_assert_uint_eq(observation->gaps_count, 1);
	tct_observation_free(observation);
	observation = look_at_sysctls(WHOLE "net.core.somaxconn = 4096\nnet.ipv4.tcp_s");
	ck_assert_int_eq(key_in(observation, "net.core.somaxconn")->presence, TCT_PRESENT);
	ck_assert_int_eq(key_in(observation, "net.ipv4.tcp_sack")->presence, TCT_NOT_LOOKED);
	ck_assert_uint_eq(observation->gaps_count, 1);
	tct_observation_free(observation);
}
END_TEST

static struct tct_counter_value read_counter(const char *name)
{
	TCT_AUTOFREE struct tct_counter_value *values = calloc(tct_counters_count, sizeof(*values));

	ck_assert_ptr_nonnull(values);
	ck_assert_int_eq(tct_sos_counters_read(&scratch_root, values, NULL), 0);
	return values[tct_counter_index(tct_counter_find(name))];
}

static void ck_counter(const char *name, enum tct_presence presence, int64_t number)
{
	struct tct_counter_value value = read_counter(name);

	ck_assert_msg(value.presence == presence, "%s: %d", name, (int)value.presence);
	if (presence == TCT_PRESENT)
		ck_assert_int_eq(value.value, number);
}

START_TEST(netstat_s_sentences_of_all_ages)
{
	scratch_write(NETSTAT,
		      "TcpExt:\n"
		      "    5 times the listen queue of a socket overflowed\n"
		      "    6 SYNs to LISTEN sockets ignored\n"
		      "    7 packets header predicted\n"
		      "    8 packets rejects in established connections because of timestamp\n"
		      "    TCPTimeWaitOverflow: 9\n"
		      "    TCPMemoryPressures: 99999999999999999999\n"
		      "    Quick ack mode was activated 3 times\n"
		      "    4 sentences that nobody knows\n"
		      "    12 segments received\n"
		      "Tcp:\n"
		      "    10 active connections openings\n"
		      "    11 segments retransmited\n"
		      "    13 bad segments received.\n"
		      "    -2147483648 segments send out\n"
		      "    14 SYN cookies sent\n"
		      "Udp:\n"
		      "    99 segments received\n");
	ck_counter("TcpExt.ListenOverflows", TCT_PRESENT, 5);
	ck_counter("TcpExt.ListenDrops", TCT_PRESENT, 6);
	ck_counter("TcpExt.TCPHPHits", TCT_PRESENT, 7);
	ck_counter("TcpExt.PAWSEstab", TCT_PRESENT, 8);
	ck_counter("TcpExt.TCPTimeWaitOverflow", TCT_PRESENT, 9);
	ck_counter("TcpExt.TCPMemoryPressures", TCT_UNPARSED, 0);
	ck_counter("TcpExt.DelayedACKLost", TCT_PRESENT, 3);
	ck_counter("TcpExt.SyncookiesSent", TCT_PRESENT, 0);    /* not in its section */
	ck_counter("TcpExt.TCPAbortOnTimeout", TCT_PRESENT, 0); /* left out: 0 */
	ck_counter("TcpExt.PAWSPassive", TCT_NOT_LOOKED, 0); /* left out, or not in this kernel */
	ck_counter("Tcp.ActiveOpens", TCT_PRESENT, 10);
	ck_counter("Tcp.RetransSegs", TCT_PRESENT, 11);
	ck_counter("Tcp.InErrs", TCT_PRESENT, 13);
	ck_counter("Tcp.InSegs", TCT_NOT_LOOKED, 0);
	ck_counter("Tcp.OutSegs", TCT_NOT_LOOKED, 0);
	ck_counter("sockstat.TCP.inuse", TCT_NOT_LOOKED, 0);
}
END_TEST

START_TEST(nstat_comes_first_and_files_before_it)
{
	scratch_write(NETSTAT, "Tcp:\n    5 connections established\n    6 resets sent\n"
			       "TcpExt:\n    7 SYNs to LISTEN sockets dropped\n");
	scratch_write(NSTAT, "#kernel\n"
			     "TcpOutRsts                      60                 0.0\n"
			     "TcpExtListenDrops               70                 0.0\n"
			     "TcpExtTW                        x                  0.0\n"
			     "TcpExtNoSuch                    1                  0.0\n"
			     "IpExtInOctets                   1                  0.0\n"
			     "TcpExt\nTcp 5\n\n");
	ck_counter("Tcp.CurrEstab", TCT_PRESENT, 5); /* nstat never prints it */
	ck_counter("Tcp.OutRsts", TCT_PRESENT, 60);
	ck_counter("TcpExt.ListenDrops", TCT_PRESENT, 70);
	ck_counter("TcpExt.TW", TCT_UNPARSED, 0);
	scratch_write("proc/net/netstat", "TcpExt: ListenDrops\nTcpExt: 700\n");
	ck_counter("TcpExt.ListenDrops", TCT_PRESENT, 700);
	ck_counter("Tcp.OutRsts", TCT_PRESENT, 60);
}
END_TEST

START_TEST(facts_of_the_host)
{
	struct tct_host host = { .mem_total_bytes = -1, .cpus = -1, .uptime_ns = -1 };

	scratch_write("uname", "Linux web7 4.18.0-80.el8.x86_64 #1 SMP Sun Sep 15 x86_64 x86_64 "
			       "x86_64 GNU/Linux\n");
	scratch_write("free", "              total\nMem:        1024  1 1\n");
	scratch_write("sos_commands/processor/lscpu", "CPU(s): 9\nOn-line CPU(s) list: 0,2-4\n");
	scratch_write("uptime", " 10:00:00 up 1 day, 14 min,  0 users,  load average: 0.00\n");
	scratch_write("date", "Wed Nov 25 22:40:56 UTC 2026\n");
	tct_sos_host_look(&scratch_root, &host);
	ck_assert(host.sosreport);
	ck_assert_str_eq(host.hostname, "web7");
	ck_assert_str_eq(host.kernel, "4.18.0-80.el8.x86_64");
	ck_assert_int_eq(host.kernel_version, TCT_VERSION(4, 18));
	ck_assert_int_eq(host.page_bytes, 4096);
	ck_assert_int_eq(host.mem_total_bytes, INT64_C(1048576));
	ck_assert_int_eq(host.cpus, 4);
	ck_assert_int_eq(host.uptime_ns, INT64_C(87240) * 1000000000);
	ck_assert_int_eq(host.taken_at_ns, INT64_C(1795646456000000000));
}
END_TEST

START_TEST(odd_facts_stay_unknown)
{
	static const char *const uptimes[][2] = {
		{ " 10:00:00 up 3 days,  4:05,  1 user", "273900" },
		{ " 10:00:00 up  2:15, 1 user", "8100" },
		{ " 10:00:00 up 14 min, 1 user", "840" },
		{ "up", "-1" },
		{ " 10:00:00 up ", "-1" },
		{ " 10:00:00 up soon", "-1" },
		{ " 10:00:00 up 3 users", "-1" },
		{ " 10:00:00 up 4:77", "-1" },
	};
	static const char *const dates[] = {
		"",
		"Wed",
		"Wed Nov",
		"Wed Nov 25 22:40:56 CET 2026",
		"Wed Nov 25 25:40:56 UTC 2026",
		"Wed Nix 25 22:40:56 UTC 2026",
		"Wed Nov 25 22:40:56 UTC 20267x",
		"Wed Nov 25 22:40:56 UTC 1969",
	};

	for (size_t i = 0; i < TCT_COUNT(uptimes); i++) {
		struct tct_host host = { .uptime_ns = -1 };

		scratch_write("uptime", uptimes[i][0]);
		tct_sos_host_look(&scratch_root, &host);
		ck_assert_msg(
			host.uptime_ns ==
				(uptimes[i][1][0] == '-' ? -1 : atoll(uptimes[i][1]) * 1000000000),
			"%s", uptimes[i][0]);
	}
	for (size_t i = 0; i < TCT_COUNT(dates); i++) {
		struct tct_host host = { .taken_at_ns = 1, .kernel_assumed = true };

		scratch_write("date", dates[i]);
		scratch_write("uname", "Linux\nLinux host\nLinux host nonsense\nSunOS a 5.11\n");
		tct_sos_host_look(&scratch_root, &host);
		ck_assert_msg(host.taken_at_ns == 1, "%s", dates[i]);
		ck_assert(host.kernel_assumed);
	}
}
END_TEST

START_TEST(lscpu_names_the_hypervisor)
{
	static const char *const cases[][2] = {
		{ "Architecture: x86_64\nHypervisor vendor:     KVM\n", "kvm" },
		{ "Architecture: x86_64\nHypervisor vendor: Microsoft\n", "hyper-v" },
		{ "Architecture: x86_64\nHypervisor vendor: Somebody\n", "unknown" },
		{ "Architecture: x86_64\nHypervisor vendor:\n", "unknown" },
		{ "Architecture: x86_64\nHypervisor\n", "" },
	};
	struct tct_environment environment = { .presence = TCT_PRESENT };

	tct_sos_environment_look(&scratch_root, &environment);
	ck_assert_int_eq(environment.presence, TCT_NOT_LOOKED);
	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		environment = (struct tct_environment){ .presence = TCT_PRESENT };
		scratch_write("sos_commands/processor/lscpu", cases[i][0]);
		tct_sos_environment_look(&scratch_root, &environment);
		ck_assert_str_eq(environment.hypervisor, cases[i][1]);
		ck_assert_int_eq(environment.presence, TCT_PRESENT);
	}
}
END_TEST

START_TEST(a_folder_around_one_report_is_entered)
{
	struct tct_root root = { .fd = -1 };
	struct tct_err err = { 0 };
	const char *around = scratch_path("a/x");
	char path[256];

	(void)snprintf(path, sizeof(path), "%.*s", (int)(strlen(around) - 2), around);
	scratch_write("a/readme", "");
	ck_assert_int_eq(tct_root_open(&root, path, &err), 0);
	ck_assert_int_eq(tct_sos_enter(&root, &err), 0);
	ck_assert_str_eq(root.path, path);
	ck_assert(!tct_sos_is(&root));
	scratch_write("a/one/sos_commands/x", "");
	scratch_write("a/other/x", "");
	scratch_write("a/file", "");
	ck_assert_int_eq(symlink("one", scratch_path("a/link")), 0);
	ck_assert_int_eq(tct_sos_enter(&root, &err), 0);
	ck_assert_str_eq(root.path + strlen(path), "/one");
	ck_assert(tct_sos_is(&root));
	ck_assert_int_eq(tct_sos_enter(&root, &err), 0); /* and stays there */
	ck_assert_str_eq(root.path + strlen(path), "/one");
	tct_root_done(&root);
	ck_assert_int_eq(tct_root_open(&root, path, &err), 0);
	scratch_write("a/two/sos_commands/x", "");
	ck_assert_int_eq(tct_sos_enter(&root, &err), -EINVAL);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	scratch_write("a/usr/x", "");
	ck_assert_int_eq(tct_sos_enter(&root, &err), 0); /* an image */
	ck_assert_str_eq(root.path, path);
	tct_root_done(&root);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sosreport");
	TCase *tests = tcase_create("sosreport");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_add_test(tests, sockets_are_told_as_proc_net_tcp_tells_them);
	tcase_add_test(tests, a_star_is_ipv6_where_ipv4_has_its_own_sign);
	tcase_add_test(tests, what_is_cut_off_or_no_list_is_refused);
	tcase_add_test(tests, endless_lines_and_nul_bytes_are_survived);
	tcase_add_test(tests, sysctl_lines_are_typed);
	tcase_add_test(tests, a_key_is_only_absent_from_a_whole_output);
	tcase_add_test(tests, netstat_s_sentences_of_all_ages);
	tcase_add_test(tests, nstat_comes_first_and_files_before_it);
	tcase_add_test(tests, facts_of_the_host);
	tcase_add_test(tests, odd_facts_stay_unknown);
	tcase_add_test(tests, lscpu_names_the_hypervisor);
	tcase_add_test(tests, a_folder_around_one_report_is_entered);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
