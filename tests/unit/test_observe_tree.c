/* What the observer makes of directory trees: captured hosts, images, nothing at all. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/observe/observation.h"
#include "audit/observe/sysctl_live.h"
#include "tests/unit/scratch.h"
#include "tests/unit/tcp_lines.h"

static struct tct_observation *look(void)
{
	const struct tct_observe_options options = {
		.root = &scratch_root,
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

	scratch_write("proc/net/tcp", HEADING LISTEN4 REQUEST4 REQUEST4 "garbage\n" LISTEN4);
	scratch_write("proc/net/tcp6", HEADING ESTABLISHED6 "   1: 0000");
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
	scratch_write_bytes("proc/net/tcp", text, (size_t)(at - text));
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

	scratch_write("proc/sys/kernel/hostname", "web\x01"
						  "7\n");
	scratch_write("etc/hostname", "other\n");
	scratch_write("proc/sys/kernel/osrelease", "5.10.0-28-amd64\n");
	scratch_write("proc/sys/kernel/random/boot_id", "a265bfa2-b825-4f76-959a-292d260e2bea\n");
	scratch_write("proc/meminfo", "MemTotal:        2048000 kB\nMemFree: 1 kB\n");
	scratch_write("proc/uptime", "12.50 9.00\n");
	scratch_write("proc/cpuinfo", "processor\t: 0\nmodel\t: x\nprocessor\t: 1\n");
	scratch_write("lib/modules/6.9.0/x", "");
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

	scratch_write("etc/hostname", "# a comment\n\nimage\n");
	scratch_write("lib/modules/5.9.1/x", "");
	scratch_write("lib/modules/5.10.2-a/x", "");
	scratch_write("lib/modules/extra/x", "");
	scratch_write("usr/lib/modules/5.10.2-b/x", "");
	scratch_write("sys/devices/system/cpu/online", "0-3,8\n");
	scratch_write("proc/meminfo", "MemTotal: lots kB\n");
	observation = look();
	ck_assert_str_eq(observation->host.hostname, "image");
	ck_assert_str_eq(observation->host.kernel, "5.10.2-b");
	ck_assert(!observation->host.kernel_assumed);
	ck_assert_int_eq(observation->host.cpus, 5);
	ck_assert_int_eq(observation->host.mem_total_bytes, -1);
	tct_observation_free(observation);
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

	scratch_write("proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n");
	scratch_write("proc/sys/net/ipv4/tcp_wmem", "4096\t131072\n");
	scratch_write("proc/sys/net/ipv4/tcp_syncookies", "lots\n");
	scratch_write_bytes("proc/sys/net/ipv4/tcp_sack", "1\0\n", 3);
	scratch_write("proc/sys/net/ipv4/tcp_dsack/x", "");
	scratch_write("proc/sys/net/ipv4/tcp_fin_timeout", "60\n");
	scratch_write("proc/sys/net/ipv4/tcp_fastopen_key",
		      "00000000-11111111-22222222-33333333\n");
	ck_assert_int_eq(chmod(scratch_path("proc/sys/net/ipv4/tcp_fin_timeout"), 0444), 0);
	ck_assert_int_eq(
		symlink("tcp_timestamps", scratch_path("proc/sys/net/ipv4/tcp_timestamps")), 0);
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
	scratch_write("proc/sys/net/ipv4/ip_local_reserved_ports", list);
	*at = '\0';
	ck_assert_int_eq(tct_sysctl_look(&scratch_root, key, &sysctl), 0);
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

	scratch_write("etc/sysctl.d/50-x.conf", "net.core.somaxconn = 1234\n");
	observation = look();
	value = tct_observation_value(observation, set);
	ck_assert_ptr_nonnull(value);
	ck_assert_int_eq(value->numbers[0], 1234);
	ck_assert_int_eq(sysctl_in(observation, set->name)->presence, TCT_NOT_LOOKED);
	ck_assert_ptr_null(tct_observation_value(observation, unset));
	tct_observation_free(observation);
	/* With live values in the tree, these count. */
	scratch_write("proc/sys/net/core/somaxconn", "4096\n");
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
	scratch_write("proc/net/netstat", "TcpExt: ListenDrops\nTcpExt: 12\n");
	scratch_write("proc/net/sockstat/x", "");
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

/* A name too long to look up stands for what may not be read; a loop is nobody's to read. */
START_TEST(sysctl_files_that_can_t_be_read_are_gaps)
{
	char far[300];
	char name[64];
	struct tct_observation *observation;

	memset(far, 'x', sizeof(far) - 1);
	far[sizeof(far) - 1] = '\0';
	for (int i = 0; i < 10; i++) {
		ck_assert_int_gt(snprintf(name, sizeof(name), "etc/sysctl.d/%d-far.conf", i), 0);
		ck_assert_int_eq(symlink(far, scratch_path(name)), 0);
	}
	ck_assert_int_eq(symlink("loop.conf", scratch_path("etc/sysctl.d/loop.conf")), 0);
	observation = look();
	ck_assert(has_gap(observation, "/etc/sysctl.d/0-far.conf"));
	ck_assert(has_gap(observation, "/etc/sysctl.d/7-far.conf"));
	ck_assert(!has_gap(observation, "/etc/sysctl.d/8-far.conf"));
	ck_assert(has_gap(observation, "2 more sysctl files"));
	ck_assert(has_gap(observation, strerror(ENAMETOOLONG)));
	ck_assert(!has_gap(observation, "loop.conf"));
	tct_observation_free(observation);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observe_tree");
	TCase *cases = tcase_create("observe_tree");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, scratch_open, scratch_close);
	tcase_add_test(cases, a_tree_s_sockets_are_counted);
	tcase_add_test(cases, a_huge_file_of_sockets_is_read_to_its_end);
	tcase_add_test(cases, an_empty_tree_is_an_observation_with_gaps);
	tcase_add_test(cases, a_captured_host_is_read);
	tcase_add_test(cases, an_image_s_newest_kernel_counts);
	tcase_add_test(cases, absent_unreadable_and_unparsed_keys_are_told_apart);
	tcase_add_test(cases, the_longest_list_of_ports_is_read_whole);
	tcase_add_test(cases, an_image_s_files_stand_for_its_live_values);
	tcase_add_test(cases, a_tree_s_counters_are_read);
	tcase_add_test(cases, sysctl_files_that_can_t_be_read_are_gaps);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
