/* What rules see of a host: functions, and the attributes of listeners, keys and lines. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/rules_world.h"
#include "tests/unit/scratch.h"

static void check_host(const struct world_example *examples, size_t count)
{
	world_check_item(TCT_EACH_NONE, 0, examples, count);
}

START_TEST(sysctls_come_in_their_unit)
{
	static const struct world_example examples[] = {
		{ "sysctl(net.core.somaxconn)", "4,096" },
		{ "sysctl(net.core.somaxconn) < 5000", "yes" },
		{ "sysctl(net.ipv4.tcp_fin_timeout)", "60 s" },
		{ "sysctl(net.ipv4.tcp_fin_timeout) == 60", "yes" },
		{ "sysctl(net.ipv4.tcp_fin_timeout) == 1min", "yes" },
		{ "60 == sysctl(net.ipv4.tcp_fin_timeout)", "yes" },
		{ "sysctl(net.ipv4.tcp_fin_timeout) / 2", "30 s" },
		{ "sysctl(net.ipv4.tcp_fin_timeout) - 10 > 50", "no" },
		{ "sysctl(net.ipv4.tcp_rmem)[2]", "6 MiB" },
		{ "sysctl(net.ipv4.tcp_rmem)[2] > 64MiB", "no" },
		{ "sysctl(net.ipv4.tcp_rmem)[0] == 4096", "yes" },
		/* pages */
		{ "sysctl(net.ipv4.tcp_mem)[1]", "8 MiB" },
		{ "sysctl(net.ipv4.tcp_mem)[1] == 2048", "yes" },
		{ "sysctl(net.ipv4.tcp_mem)[2] * 2 >= 6144", "yes" },
		{ "max(sysctl(net.ipv4.tcp_mem)[1], 1)", "8 MiB" },
		{ "sysctl(net.ipv4.tcp_congestion_control) == 'cubic'", "yes" },
		{ "port_in(sysctl(net.ipv4.ip_local_reserved_ports), 8080)", "yes" },
		{ "sysctl(net.ipv4.ip_local_port_range)[0]", "32768" },
		{ "sysctl(net.ipv4.tcp_max_tw_buckets)",
		  "missing: net.ipv4.tcp_max_tw_buckets: not in this kernel" },
		{ "sysctl(net.ipv4.tcp_sack)",
		  "missing: net.ipv4.tcp_sack: can't be read: Permission denied" },
		{ "sysctl(net.ipv4.tcp_dsack)",
		  "missing: net.ipv4.tcp_dsack: its value is not of the expected shape" },
		{ "sysctl(net.ipv4.tcp_syncookies)",
		  "missing: net.ipv4.tcp_syncookies: its value is not known here" },
		{ "default(net.core.somaxconn)", "4,096" },
		{ "default(net.ipv4.tcp_fin_timeout) == 60s", "yes" },
		{ "default(net.ipv4.ip_local_port_range)[1]", "60999" },
		{ "default(net.ipv4.tcp_max_tw_buckets)",
		  "missing: net.ipv4.tcp_max_tw_buckets: its default is not known on this kernel" },
	};
	static const struct world_example elsewhere[] = {
		{ "sysctl(net.ipv4.tcp_max_orphans)",
		  "missing: net.ipv4.tcp_max_orphans: only in the host's initial namespace" },
		{ "sysctl(net.ipv4.tcp_mem)[1]",
		  "missing: net.ipv4.tcp_mem is in pages, and page_size is not known" },
		{ "sysctl(net.ipv4.tcp_rmem)[1] > 0", "yes" },
		{ "default(net.core.somaxconn)",
		  "missing: net.core.somaxconn: its default is not known on this kernel" },
		{ "mem_total", "missing: mem_total is not known (--var mem_total=...)" },
		{ "initial_namespace", "no" },
	};
	struct tct_sysctl *sysctls = world.observation.sysctls;

	world_sysctl("net.core.somaxconn", "4096");
	world_sysctl("net.ipv4.tcp_fin_timeout", "60");
	world_sysctl("net.ipv4.tcp_rmem", "4096 131072 6291456");
	world_sysctl("net.ipv4.tcp_mem", "1024 2048 3072");
	world_sysctl("net.ipv4.tcp_congestion_control", "cubic");
	world_sysctl("net.ipv4.ip_local_reserved_ports", "80,8000-8100");
	world_sysctl("net.ipv4.ip_local_port_range", "32768 60999");
	sysctls[tct_kernel_key_index(tct_kernel_key_find("net.ipv4.tcp_max_tw_buckets"))].presence =
		TCT_ABSENT;
	sysctls[tct_kernel_key_index(tct_kernel_key_find("net.ipv4.tcp_max_orphans"))].presence =
		TCT_ABSENT;
	sysctls[tct_kernel_key_index(tct_kernel_key_find("net.ipv4.tcp_dsack"))].presence =
		TCT_UNPARSED;
	sysctls[tct_kernel_key_index(tct_kernel_key_find("net.ipv4.tcp_sack"))] =
		(struct tct_sysctl){ .presence = TCT_UNREADABLE, .error = EACCES };
	check_host(examples, TCT_COUNT(examples));
	world.facts = (struct tct_facts){ 0 };
	check_host(elsewhere, TCT_COUNT(elsewhere));
}
END_TEST

START_TEST(planned_values_come_before_live_ones)
{
	const struct tct_kernel_key *key = tct_kernel_key_find("net.core.somaxconn");
	const struct tct_value planned = { .kind = TCT_VALUE_NUMBERS,
					   .count = 1,
					   .numbers = { 777 } };
	TCT_AUTOFREE const struct tct_value **all =
		calloc(tct_kernel_keys_count, sizeof(struct tct_value *));
	const struct tct_scope_names scope = { .sysctl = true };
	struct tct_env env = world_env();

	world_sysctl("net.core.somaxconn", "4096");
	world_sysctl("net.ipv4.tcp_fin_timeout", "60");
	all[tct_kernel_key_index(key)] = &planned;
	env.planned = all;
	ck_assert_str_eq(world_value("sysctl(net.core.somaxconn)", &scope, &env), "777");
	ck_assert_str_eq(world_value("sysctl(net.ipv4.tcp_fin_timeout)", &scope, &env), "60 s");
	env.observation = NULL;
	ck_assert_str_eq(world_value("sysctl(net.core.somaxconn)", &scope, &env), "777");
	ck_assert_str_eq(world_value("sysctl(net.ipv4.tcp_fin_timeout)", &scope, &env),
			 "missing: net.ipv4.tcp_fin_timeout: its value is not known here");
}
END_TEST

START_TEST(counters_need_an_interval_to_have_rates)
{
	static const struct world_example examples[] = {
		{ "counter(TcpExt.ListenOverflows)", "130" },
		{ "counter(ListenOverflows)", "130" },
		{ "delta(TcpExt.ListenOverflows)", "30" },
		{ "rate(TcpExt.ListenOverflows)", "15/s" },
		{ "rate(TcpExt.ListenOverflows) > 5", "yes" },
		{ "rate(TcpExt.ListenOverflows) > 15", "no" },
		{ "rate(TcpExt.ListenOverflows) * 2", "30/s" },
		{ "counter(sockstat.TCP.mem)", "40 KiB" },
		{ "counter(Tcp.CurrEstab)", "5" },
		{ "delta(TcpExt.ListenDrops)", "missing: TcpExt.ListenDrops went backwards" },
		{ "rate(TcpExt.ListenDrops)", "missing: TcpExt.ListenDrops went backwards" },
		{ "rate(TcpExt.PruneCalled)", "missing: TcpExt.PruneCalled: not in this kernel" },
		{ "rate(TcpExt.RcvPruned)", "missing: TcpExt.RcvPruned: not known here" },
		{ "interval", "2 s" },
		{ "ratio(delta(Tcp.RetransSegs), delta(Tcp.OutSegs), at_least: 1000)", "5 %" },
		{ "ratio(rate(Tcp.RetransSegs), rate(Tcp.OutSegs), at_least:1000) > 4.9%", "yes" },
		{ "ratio(rate(Tcp.RetransSegs), rate(Tcp.OutSegs), at_least: 2000)", "5 %" },
		{ "ratio(rate(Tcp.RetransSegs), rate(Tcp.OutSegs), at_least: 2001)",
		  "missing: not enough traffic: 2,000 of at least 2,001" },
		{ "ratio(delta(Tcp.RetransSegs), delta(Tcp.InErrs), at_least: 0)",
		  "missing: not enough traffic: 0 of at least 0" },
		{ "ratio(counter(sockstat.TCP.mem), mem_total, at_least: 1MiB) < 1%", "yes" },
		{ "ratio(1, 2, at_least: cpus)", "missing: not enough traffic: 2 of at least 4" },
	};
	static const struct world_example one_look[] = {
		{ "rate(TcpExt.ListenOverflows)", "missing: one look (--interval 0): no rates" },
		{ "delta(TcpExt.ListenOverflows)", "missing: one look (--interval 0): no rates" },
		{ "counter(TcpExt.ListenOverflows)", "130" },
		{ "interval", "0 s" },
	};
	const struct tct_counter *gone = tct_counter_find("TcpExt.PruneCalled");

	world.observation.interval_ns = INT64_C(2000000000);
	world_counter("TcpExt.ListenOverflows", 100, 130);
	world_counter("TcpExt.ListenDrops", 100, 90);
	world_counter("sockstat.TCP.mem", 10, 10);
	world_counter("Tcp.CurrEstab", 4, 5);
	world_counter("Tcp.RetransSegs", 0, 100);
	world_counter("Tcp.OutSegs", 500, 2500);
	world_counter("Tcp.InErrs", 7, 7);
	world.observation.counters[tct_counter_index(gone)].presence = TCT_ABSENT;
	check_host(examples, TCT_COUNT(examples));
	world.observation.interval_ns = 0;
	check_host(one_look, TCT_COUNT(one_look));
}
END_TEST

START_TEST(states_and_populations)
{
	static const struct world_example blind[] = {
		{ "state(CLOSE_WAIT)",
		  "missing: socket states: not seen: inet_diag: Operation not permitted" },
		{ "population(remote)",
		  "missing: sockets: not seen: inet_diag: Operation not permitted" },
		{ "idle(remote, 5s)",
		  "missing: sockets: not seen: inet_diag: Operation not permitted" },
	};
	static const struct world_example examples[] = {
		{ "state(CLOSE_WAIT)", "1,234" },
		{ "population(close_wait)", "1,234" },
		{ "idle(close_wait, 0s)", "1,234" },
		{ "idle(close_wait, 10s) <= 1234", "yes" },
		{ "idle(close_wait, sysctl(net.ipv4.tcp_fin_timeout))",
		  "missing: net.ipv4.tcp_fin_timeout: its value is not known here" },
	};
	struct tct_gap gap = { "socket states", "inet_diag: Operation not permitted" };

	world.observation.gaps = &gap;
	world.observation.gaps_count = 1;
	check_host(blind, TCT_COUNT(blind));
	world.observation.states.method = TCT_METHOD_EXACT;
	world.observation.states.counts[TCT_STATE_CLOSE_WAIT] = 1234;
	world.observation.populations[TCT_POPULATION_CLOSE_WAIT].presence = TCT_PRESENT;
	world.observation.populations[TCT_POPULATION_CLOSE_WAIT].total = 1234;
	world.observation.populations[TCT_POPULATION_CLOSE_WAIT].idle_at_least[0] = 1234;
	check_host(examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(listeners_have_attributes)
{
	static const struct world_example first[] = {
		{ "address", "0.0.0.0" },
		{ "port", "8080" },
		{ "queue", "129" },
		{ "queue_first", "5" },
		{ "backlog", "1,024" },
		{ "drops", "12" },
		{ "drops_growth", "2" },
		{ "syn_recv", "3" },
		{ "family", "IPv4" },
		{ "fixed_port", "yes" },
		{ "owner", "nginx[42]" },
		{ "unit", "nginx.service" },
		{ "queue * 100 / backlog", "12" },
		{ "port_in('8000-8090', port)", "yes" },
	};
	static const struct world_example second[] = {
		{ "drops", "missing: the listener's own drops are not known" },
		{ "drops_growth", "missing: the listener's own drops are not known" },
		{ "syn_recv", "missing: the listener's half-open connections are not known" },
		{ "family", "IPv6" },
		{ "fixed_port", "missing: who chose the listener's port is not known" },
		{ "backlog", "missing: the listener's limit is not known" },
		{ "endpoint", "[::]:443" },
		{ "owner", "" },
		{ "owner == ''", "yes" },
	};
	static const struct world_example outside[] = {
		{ "queue", "missing: queue is not known here" },
	};
	struct tct_listener listeners[2] = {
		{ .family = AF_INET,
		  .address = "0.0.0.0",
		  .port = 8080,
		  .queue = 129,
		  .queue_first = 5,
		  .backlog = 1024,
		  .drops = 12,
		  .drops_first = 10,
		  .syn_recv = 3,
		  .port_choice_known = true,
		  .owner = { .pid = 42, .comm = "nginx", .unit = "nginx.service" } },
		{ .family = AF_INET6,
		  .address = "::",
		  .port = 443,
		  .drops = -1,
		  .drops_first = -1,
		  .syn_recv = -1,
		  .backlog = TCT_BACKLOG_UNKNOWN,
		  .port_chosen_by_kernel = true },
	};
	const struct tct_scope_names scope = world_scope(TCT_EACH_LISTENER);
	struct tct_env env = world_env();
	char reason[200];

	ck_assert(!tct_each_available(TCT_EACH_LISTENER, &env, reason));
	ck_assert_str_eq(reason, "listening sockets: not seen");
	world.observation.interval_ns = 1;
	world.observation.listeners = listeners;
	world.observation.listeners_count = 2;
	world.observation.listeners_presence = TCT_PRESENT;
	ck_assert(tct_each_available(TCT_EACH_LISTENER, &env, reason));
	ck_assert_uint_eq(tct_each_count(TCT_EACH_LISTENER, &env), 2);
	ck_assert(tct_each_applies(TCT_EACH_LISTENER, &env, 1));
	ck_assert(!tct_each_applies(TCT_EACH_LISTENER, &env, 2));
	world_check_item(TCT_EACH_LISTENER, 0, first, TCT_COUNT(first));
	world_check_item(TCT_EACH_LISTENER, 1, second, TCT_COUNT(second));
	world_check_item(TCT_EACH_LISTENER, 2, outside, TCT_COUNT(outside));
	env.each = TCT_EACH_LISTENER;
	env.scratch = NULL;
	ck_assert_str_eq(world_value("owner", &scope, &env), "missing: no memory for this text");
	world.observation.interval_ns = 0;
	ck_assert_str_eq(world_value("drops_growth", &scope, &env),
			 "missing: one look (--interval 0): no growth");
}
END_TEST

static size_t item_of(const char *key)
{
	const struct tct_kernel_key *found = tct_kernel_key_find(key);

	ck_assert_ptr_nonnull(found);
	return tct_kernel_key_index(found);
}

static void read_files(void)
{
	struct tct_err err = { 0 };

	ck_assert_int_eq(tct_sysctl_files_read(&scratch_root, &world.observation.files, &err), 0);
	world.observation.files_govern = true;
}

START_TEST(keys_compare_live_with_boot)
{
	static const struct world_example somaxconn[] = {
		{ "key", "net.core.somaxconn" },
		{ "live", "4096" },
		{ "boot", "128" },
		{ "file", "/etc/sysctl.d/10-a.conf" },
		{ "line", "2" },
		{ "drift", "yes" },
		{ "boot_systemd", "128" },
		{ "boot_procps", "1024" },
		{ "models_differ", "yes" },
		{ "shadowed_by_vendor", "no" },
		{ "value_set", "yes" },
		{ "set_by_us", "no" },
		{ "out_of_range", "no" },
	};
	static const struct world_example rmem[] = {
		{ "live", "9000 5000 4096" },
		{ "boot", "missing: no file decides net.ipv4.tcp_rmem" },
		{ "file", "missing: no file decides net.ipv4.tcp_rmem" },
		{ "drift", "no" },
		{ "value_set", "no" },
		{ "unsorted", "yes" },
	};
	static const struct world_example vendor[] = {
		{ "shadowed_by_vendor", "yes" },
		{ "file", "/usr/lib/sysctl.d/99-vendor.conf" },
		{ "drift", "missing: net.ipv4.tcp_fin_timeout: its value is not known here" },
	};
	static const struct world_example ours[] = { { "set_by_us", "yes" }, { "drift", "no" } };
	static const struct world_example either[] = {
		{ "boot",
		  "missing: systemd and procps boot net.core.somaxconn differently, and this host's way is not known" },
		{ "file",
		  "missing: systemd and procps take net.core.somaxconn from different lines" },
	};
	static const struct world_example elsewhere[] = {
		{ "drift", "missing: the sysctl files don't decide this namespace's values" },
		{ "value_set", "missing: the sysctl files don't decide this namespace's values" },
		{ "live", "4096" },
	};
	static const struct world_example unread[] = {
		{ "models_differ", "missing: the sysctl files were not read" },
	};

	scratch_open();
	scratch_write("etc/sysctl.d/10-a.conf",
		      "# note\nnet.core.somaxconn = 128\nnet.ipv4.tcp_fin_timeout=30\n");
	scratch_write("usr/lib/sysctl.d/99-vendor.conf", "net.ipv4.tcp_fin_timeout = 20\n");
	scratch_write("etc/sysctl.d/99-tcptune.conf", "net.ipv4.tcp_keepalive_time = 600\n");
	scratch_write("etc/sysctl.conf", "net.core.somaxconn = 1024\n");
	read_files();
	world_sysctl("net.core.somaxconn", "4096");
	world_sysctl("net.ipv4.tcp_rmem", "9000 5000 4096");
	world_sysctl("net.ipv4.tcp_keepalive_time", "600");
	world_check_item(TCT_EACH_KEY, item_of("net.core.somaxconn"), somaxconn,
			 TCT_COUNT(somaxconn));
	world_check_item(TCT_EACH_KEY, item_of("net.ipv4.tcp_rmem"), rmem, TCT_COUNT(rmem));
	world_check_item(TCT_EACH_KEY, item_of("net.ipv4.tcp_fin_timeout"), vendor,
			 TCT_COUNT(vendor));
	world_check_item(TCT_EACH_KEY, item_of("net.ipv4.tcp_keepalive_time"), ours,
			 TCT_COUNT(ours));
	world.observation.boot_model = TCT_BOOT_MODELS;
	world_check_item(TCT_EACH_KEY, item_of("net.core.somaxconn"), either, TCT_COUNT(either));
	world.observation.files_govern = false;
	world_check_item(TCT_EACH_KEY, item_of("net.core.somaxconn"), elsewhere,
			 TCT_COUNT(elsewhere));
	tct_sysctl_files_free(world.observation.files);
	world.observation.files = NULL;
	world_check_item(TCT_EACH_KEY, item_of("net.core.somaxconn"), unread, TCT_COUNT(unread));
	scratch_close();
}
END_TEST

static size_t line_of(const char *key)
{
	for (size_t i = 0; i < world.observation.files->lines_count; i++) {
		if (strcmp(world.observation.files->lines[i].key, key) == 0)
			return i;
	}
	ck_abort_msg("no line for %s", key);
	return 0;
}

START_TEST(lines_say_what_becomes_of_them)
{
	static const struct world_example buckets[] = {
		{ "key", "net.ipv4.tcp_max_tw_buckets" },
		{ "value", "5000 #TIME-WAIT" },
		{ "file", "/etc/sysctl.conf" },
		{ "line", "1" },
		{ "in_table", "yes" },
		{ "ours", "no" },
		{ "vendor", "no" },
		{ "wins", "no" },
		{ "rest_ignored", "yes" },
		{ "refused", "no" },
		{ "stored", "5000" },
		{ "stored_number < 16384", "yes" },
		{ "removed", "no" },
		{ "no_op", "no" },
		{ "no_op_since", "missing: the key still works" },
		{ "removed_in", "missing: the key was not removed" },
	};
	static const struct world_example recycle[] = {
		{ "removed", "yes" },
		{ "removed_in", "4.12" },
		{ "ignore_errors", "no" },
	};
	static const struct world_example broken[] = {
		{ "refused", "yes" },
		{ "stored", "missing: the kernel stores nothing of this line" },
		{ "stored_number", "missing: the kernel stores nothing of this line" },
	};
	static const struct world_example vector[] = { { "partial", "yes" },
						       { "unsorted", "yes" },
						       { "stored", "9000 5000" } };
	static const struct world_example scale[] = { { "no_op", "yes" },
						      { "no_op_since", "6.6" },
						      { "ignore_errors", "yes" } };
	static const struct world_example foreign[] = {
		{ "in_table", "no" },
		{ "removed", "no" },
		{ "refused", "no" },
		{ "out_of_range", "no" },
		{ "stored", "missing: the kernel stores nothing of this line" },
	};
	static const struct world_example old[] = {
		{ "removed", "missing: the kernel's version is not known (--var kernel=...)" },
	};
	struct tct_env env = world_env();
	char reason[200];

	ck_assert(!tct_each_available(TCT_EACH_LINE, &env, reason));
	ck_assert_str_eq(reason, "sysctl files: not read");
	scratch_open();
	scratch_write("etc/sysctl.conf", "net.ipv4.tcp_max_tw_buckets=5000 #TIME-WAIT\n"
					 "net.ipv4.tcp_tw_recycle = 1\n"
					 "net.ipv4.tcp_syncookies = x\n"
					 "net.ipv4.tcp_rmem = 9000 5000\n"
					 "-net.ipv4.tcp_adv_win_scale = 1\n"
					 "kernel.foo = 1\n"
					 "net.ipv4.conf.*.rp_filter = 0\n"
					 "-net.ipv4.tcp_sack\n");
	read_files();
	world_check_item(TCT_EACH_LINE, line_of("net.ipv4.tcp_max_tw_buckets"), buckets,
			 TCT_COUNT(buckets));
	world_check_item(TCT_EACH_LINE, line_of("net.ipv4.tcp_tw_recycle"), recycle,
			 TCT_COUNT(recycle));
	world_check_item(TCT_EACH_LINE, line_of("net.ipv4.tcp_syncookies"), broken,
			 TCT_COUNT(broken));
	world_check_item(TCT_EACH_LINE, line_of("net.ipv4.tcp_rmem"), vector, TCT_COUNT(vector));
	world_check_item(TCT_EACH_LINE, line_of("net.ipv4.tcp_adv_win_scale"), scale,
			 TCT_COUNT(scale));
	world_check_item(TCT_EACH_LINE, line_of("kernel.foo"), foreign, TCT_COUNT(foreign));
	ck_assert(tct_each_applies(TCT_EACH_LINE, &env, line_of("kernel.foo")));
	ck_assert(!tct_each_applies(TCT_EACH_LINE, &env, line_of("net.ipv4.conf.*.rp_filter")));
	ck_assert(!tct_each_applies(TCT_EACH_LINE, &env, line_of("net.ipv4.tcp_sack")));
	world.facts.known[TCT_FACT_KERNEL] = false;
	world_check_item(TCT_EACH_LINE, line_of("net.ipv4.tcp_tw_recycle"), old, TCT_COUNT(old));
	world.facts.known[TCT_FACT_KERNEL] = true;
	world.facts.value[TCT_FACT_KERNEL] = TCT_VERSION(4, 4);
	static const struct world_example older[] = { { "removed", "no" } };
	world_check_item(TCT_EACH_LINE, line_of("net.ipv4.tcp_tw_recycle"), older,
			 TCT_COUNT(older));
	tct_sysctl_files_free(world.observation.files);
	world.observation.files = NULL;
	scratch_close();
}
END_TEST

START_TEST(inputs_are_noted_once_each)
{
	const struct tct_scope_names scope = world_scope(TCT_EACH_NONE);
	struct tct_inputs inputs = { 0 };
	struct tct_env env = world_env();
	struct tct_result result;

	world.observation.interval_ns = INT64_C(1000000000);
	world_counter("TcpExt.ListenOverflows", 0, 40);
	world_counter("TcpExt.ListenDrops", 0, 80);
	world_sysctl("net.ipv4.tcp_rmem", "4096 131072 6291456");
	env.inputs = &inputs;
	tct_expr_eval(
		world_compile(
			"rate(ListenOverflows) > 5 or rate(ListenOverflows) > 9 or cpus > 1 or "
			"sysctl(net.ipv4.tcp_rmem)[2] > 1MiB or state(LISTEN) > 0 or "
			"ratio(delta(ListenOverflows), (delta(ListenDrops) + 1), at_least: 1) > 1%",
			&scope),
		&env, &result);
	ck_assert_int_eq(result.number, 1);
	ck_assert_uint_eq(inputs.count, 6);
	ck_assert_str_eq(inputs.items[0].name, "rate(TcpExt.ListenOverflows)");
	ck_assert_int_eq(inputs.items[0].result.number, 40000000);
	ck_assert_str_eq(inputs.items[1].name, "net.ipv4.tcp_rmem[2]");
	ck_assert_str_eq(inputs.items[2].name, "state(LISTEN)");
	ck_assert_int_eq(inputs.items[2].result.status, TCT_STATUS_MISSING);
	ck_assert_str_eq(inputs.items[3].name, "delta(TcpExt.ListenOverflows)");
	ck_assert_str_eq(inputs.items[4].name, "delta(TcpExt.ListenDrops)");
	ck_assert_str_eq(inputs.items[5].name, "delta(ListenOverflows) / (delta(ListenDrops) + 1)");
}
END_TEST

START_TEST(numbers_for_machines_keep_their_unit)
{
	static const struct {
		const char *text;
		double number;
		const char *unit;
		bool whole;
	} cases[] = {
		{ "41203", 41203, "", true },
		{ "16KiB", 16384, "bytes", true },
		{ "350s", 350, "seconds", true },
		{ "1.5s", 1.5, "seconds", false },
		{ "0.5%", 0.5, "%", false },
		{ "5%", 5, "%", true },
		{ "rate(ListenDrops)", 0.5, "per second", false },
	};
	const struct tct_scope_names scope = world_scope(TCT_EACH_NONE);
	const struct tct_env env = world_env();

	world.observation.interval_ns = INT64_C(2000000000);
	world_counter("TcpExt.ListenDrops", 0, 1);
	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		struct tct_result result;
		const char *unit;
		bool whole;

		tct_expr_eval(world_compile(cases[i].text, &scope), &env, &result);
		ck_assert_double_eq(tct_result_number(&result, &unit, &whole), cases[i].number);
		ck_assert_str_eq(unit, cases[i].unit);
		ck_assert(whole == cases[i].whole);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("evidence");
	TCase *tests = tcase_create("evidence");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, world_open, world_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, sysctls_come_in_their_unit);
	tcase_add_test(tests, planned_values_come_before_live_ones);
	tcase_add_test(tests, counters_need_an_interval_to_have_rates);
	tcase_add_test(tests, states_and_populations);
	tcase_add_test(tests, listeners_have_attributes);
	tcase_add_test(tests, keys_compare_live_with_boot);
	tcase_add_test(tests, lines_say_what_becomes_of_them);
	tcase_add_test(tests, inputs_are_noted_once_each);
	tcase_add_test(tests, numbers_for_machines_keep_their_unit);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
