/* What rules see of other namespaces, suppressions, shadowed lines and earlier looks; and names in
 * the wrong place. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/history.h"
#include "audit/rules/suppressions.h"
#include "core/mem.h"
#include "tests/unit/rules_world.h"
#include "tests/unit/scratch.h"

enum { SECOND = 1000000000 };

static struct tct_env item_env(enum tct_each each, size_t item)
{
	struct tct_env env = world_env();

	env.each = each;
	env.item = item;
	return env;
}

/* ---- suppressions ---- */

START_TEST(suppressions_expire)
{
	const int64_t day = INT64_C(86400) * SECOND;
	struct tct_suppression items[] = {
		{ .id = "tw-churn",
		  .subject = "10.*",
		  .reason = "known",
		  .expires = "2026-11-20",
		  .expires_ns = 100 * day,
		  .expired = true,
		  .line = 1203 },
		{ .id = "a", .subject = "*", .reason = "b", .expires_ns = INT64_MAX, .line = 9 },
	};
	const struct tct_suppressions suppressions = { .file = "/etc/tcptune/suppressions.yaml",
						       .items = items,
						       .items_count = 2 };
	static const struct world_example first[] = {
		{ "id", "tw-churn" },  { "pattern", "10.*" },
		{ "reason", "known" }, { "expires", "2026-11-20" },
		{ "line", "1203" },    { "file", "/etc/tcptune/suppressions.yaml" },
		{ "expired", "yes" },  { "days_expired", "3" },
	};
	static const struct world_example second[] = {
		{ "expires", "" },
		{ "expired", "no" },
		{ "days_expired", "0" },
	};
	static const struct world_example no_day[] = {
		{ "days_expired", "missing: the day of the observation is not known" },
	};
	struct tct_env env = item_env(TCT_EACH_SUPPRESSION, 0);

	ck_assert_uint_eq(tct_each_count(TCT_EACH_SUPPRESSION, &env), 0);
	env.suppressions = &suppressions;
	ck_assert_uint_eq(tct_each_count(TCT_EACH_SUPPRESSION, &env), 2);
	world_check(&env, no_day, TCT_COUNT(no_day));
	world.observation.host.taken_at_ns = 103 * day + 1;
	world_check(&env, first, TCT_COUNT(first));
	env.item = 1;
	world_check(&env, second, TCT_COUNT(second));
	env.item = 2;
	const struct world_example outside[] = { { "id", "missing: id is not known here" } };
	world_check(&env, outside, 1);
}
END_TEST

/* ---- wrong use ---- */

START_TEST(attributes_belong_to_their_items)
{
	static const struct world_example refused[] = {
		{ "queue > 1", "f:1:1: `queue` is only known in rules with `each: listener`" },
		{ "mtu > 1", "f:1:1: `mtu` is only known in rules with `each: interface`" },
		{ "exhausted_in > 1s",
		  "f:1:1: `exhausted_in` is only known in rules with `each: destination`" },
		{ "established > 1",
		  "f:1:1: `established` is only known in rules with `each: listener, owner or peer`" },
		{ "diverging > 1",
		  "f:1:1: `diverging` is only known in rules with `each: namespace`" },
		{ "days_expired > 1",
		  "f:1:1: `days_expired` is only known in rules with `each: suppression`" },
		{ "busy > 1s", "f:1:1: `busy` is only known in rules with `each: owner`" },
		{ "local == ''", "f:1:1: `local` is only known in rules with `each: peer`" },
		{ "growing(queue)", "f:1:9: `queue` is only known in rules with `each: listener`" },
		{ "growing(cpus)",
		  "f:1:9: growing() takes an attribute of the item, and `cpus` is none" },
		{ "growing(1 + 1)", "f:1:9: growing() takes an attribute: growing(queue)" },
		{ "growing", "f:1:1: `growing` is a function: growing(queue)" },
		{ "earlier_lines('net.') > 0",
		  "f:1:1: earlier_lines() is only known in rules with `each: line`" },
		{ "outgoing(ports) > 0",
		  "f:1:10: outgoing() takes ports_usable, sockets, established, distinct or unanswered_distinct" },
		{ "idle(fin_wait2_held, 10s) > 0",
		  "f:1:6: no idle times are known of fin_wait2_held: use population(fin_wait2_held)" },
		{ "rate_over(TcpExt.ListenDrops, 60) > 0",
		  "f:1:31: 60 stands for a time here: give it a unit (ms, s, min ...)" },
		{ "rate_over(TcpExt.ListenDrops, 0s) > 0", "f:1:31: the time must be more than 0" },
		{ "rate_over(sockstat.TCP.mem, 60s) > 0",
		  "f:1:11: sockstat.TCP.mem is a level, it has no rate_over(): use counter(sockstat.TCP.mem)" },
		{ "upime > 1h", "f:1:1: unknown name `upime`: did you mean `uptime`?" },
	};
	static const struct world_example of_listener[] = {
		{ "growing(backlog)",
		  "f:1:9: `backlog` is not known of the first look: growing() takes queue, drops, used or close_wait" },
		{ "used > 1", "f:1:1: `used` is only known in rules with `each: destination`" },
		{ "queue_frst > 1",
		  "f:1:1: unknown name `queue_frst`: did you mean `queue_first`?" },
	};
	struct tct_scope_names scope = { .each = TCT_EACH_NONE };

	world_check_refusals(TCT_EACH_NONE, refused, TCT_COUNT(refused));
	world_check_refusals(TCT_EACH_LISTENER, of_listener, TCT_COUNT(of_listener));
	/* settings */
	ck_assert_str_eq(
		world_refusal("uptime > 1h", &scope),
		"f:1:1: `uptime` can only be used in rules: settings must not depend on what is seen");
}
END_TEST

/* ---- what the host is like ---- */

START_TEST(the_host_is_somewhere)
{
	static const struct world_example unseen[] = {
		{ "uptime", "missing: how long the host is up is not known" },
		{ "container", "missing: what this host runs in was not looked at" },
		{ "hypervisor", "missing: what this host runs in was not looked at" },
		{ "nat", "missing: whether addresses are translated here is not known" },
	};
	static const struct world_example seen[] = {
		{ "uptime", "3 days" }, { "uptime > 1d", "yes" }, { "container", "docker" },
		{ "hypervisor", "" },   { "nat", "yes" },
	};
	static const struct world_example beside[] = { { "container", "docker" } };
	struct tct_observation host = { .environment = { .presence = TCT_PRESENT,
							 .container = "docker" } };
	struct tct_env env = item_env(TCT_EACH_NONE, 0);

	world.observation.host.uptime_ns = -1;
	world_check_item(TCT_EACH_NONE, 0, unseen, TCT_COUNT(unseen));
	env.host = &host;
	world_check(&env, beside, 1);
	world.observation.host.uptime_ns = INT64_C(300000) * SECOND;
	world.observation.environment = (struct tct_environment){ .presence = TCT_PRESENT,
								  .container = "docker",
								  .nat_presence = TCT_PRESENT,
								  .nat = true };
	world_check_item(TCT_EACH_NONE, 0, seen, TCT_COUNT(seen));
}
END_TEST

/* ---- files ---- */

static size_t key_item(const char *name)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);

	ck_assert_ptr_nonnull(key);
	return tct_kernel_key_index(key);
}

/* The line of the key in the file. */
static size_t line_item(const char *file, const char *key)
{
	const struct tct_sysctl_files *files = world.observation.files;

	for (size_t i = 0; i < files->lines_count; i++) {
		if (strcmp(files->lines[i].key, key) == 0 &&
		    strcmp(files->lines[i].file, file) == 0)
			return i;
	}
	ck_abort_msg("%s: no line of %s", file, key);
	return 0;
}

static void read_files(struct tct_observation *observation)
{
	struct tct_err err = { 0 };

	ck_assert_int_eq(tct_sysctl_files_read(&scratch_root, &observation->files, &err), 0);
	observation->files_govern = true;
}

static void forget_files(struct tct_observation *observation)
{
	tct_sysctl_files_free(observation->files);
	observation->files = NULL;
	scratch_close();
}

START_TEST(lines_that_lose_are_shadowed)
{
	static const struct world_example somaxconn[] = {
		{ "shadowed", "yes" },
		{ "shadowed_lines",
		  "/etc/sysctl.d/10-a.conf:1 (128), /etc/sysctl.d/20-b.conf:1 (256)" },
		{ "shadowed_by_vendor", "no" },
	};
	static const struct world_example alike[] = {
		{ "shadowed", "no" },
		{ "shadowed_lines", "" },
	};
	static const struct world_example vendor[] = {
		{ "shadowed", "yes" },
		{ "shadowed_by_vendor", "yes" },
		{ "shadowed_lines", "/etc/sysctl.d/10-a.conf:3 (30)" },
	};
	static const struct world_example procps[] = {
		{ "shadowed_lines",
		  "/etc/sysctl.d/10-a.conf:1 (128), /etc/sysctl.d/20-b.conf:1 (256), /etc/sysctl.d/30-c.conf:1 (512)" },
	};
	static const struct world_example many[] = {
		{ "shadowed_lines",
		  "/etc/sysctl.d/40-d.conf:1 (1), /etc/sysctl.d/40-d.conf:2 (2), /etc/sysctl.d/40-d.conf:3 (3), /etc/sysctl.d/40-d.conf:4 (4), /etc/sysctl.d/40-d.conf:5 (5) and 2 more" },
	};
	static const struct world_example unread[] = {
		{ "shadowed", "missing: the sysctl files were not read" },
		{ "shadowed_lines", "missing: the sysctl files were not read" },
	};

	scratch_open();
	scratch_write("etc/sysctl.d/10-a.conf",
		      "net.core.somaxconn = 128\nnet.ipv4.tcp_sack = 1\n"
		      "net.ipv4.tcp_fin_timeout = 30\nnet.ipv4.tcp_retries2 = 8\n");
	scratch_write("etc/sysctl.d/20-b.conf", "net.core.somaxconn = 256\nnet.ipv4.tcp_sack=1\n");
	scratch_write("etc/sysctl.d/30-c.conf", "net.core.somaxconn = 512\n");
	scratch_write("etc/sysctl.d/40-d.conf",
		      "net.ipv4.tcp_retries1=1\nnet.ipv4.tcp_retries1=2\n"
		      "net.ipv4.tcp_retries1=3\nnet.ipv4.tcp_retries1=4\n"
		      "net.ipv4.tcp_retries1=5\nnet.ipv4.tcp_retries1=6\n"
		      "net.ipv4.tcp_retries1=7\nnet.ipv4.tcp_retries1=8\n");
	/* a package's, which an administrator's overrides: as it should be */
	scratch_write("usr/lib/sysctl.d/05-vendor.conf", "net.ipv4.tcp_retries2 = 15\n");
	scratch_write("usr/lib/sysctl.d/99-vendor.conf", "net.ipv4.tcp_fin_timeout = 20\n");
	/* systemd-sysctl doesn't read it */
	scratch_write("etc/sysctl.conf", "net.core.somaxconn = 1024\n");
	read_files(&world.observation);
	world_check_item(TCT_EACH_KEY, key_item("net.core.somaxconn"), somaxconn,
			 TCT_COUNT(somaxconn));
	world_check_item(TCT_EACH_KEY, key_item("net.ipv4.tcp_sack"), alike, TCT_COUNT(alike));
	world_check_item(TCT_EACH_KEY, key_item("net.ipv4.tcp_retries2"), alike, TCT_COUNT(alike));
	world_check_item(TCT_EACH_KEY, key_item("net.ipv4.tcp_fin_timeout"), vendor,
			 TCT_COUNT(vendor));
	world_check_item(TCT_EACH_KEY, key_item("net.ipv4.tcp_retries1"), many, TCT_COUNT(many));
	world.observation.boot_model = TCT_BOOT_PROCPS;
	world_check_item(TCT_EACH_KEY, key_item("net.core.somaxconn"), procps, TCT_COUNT(procps));
	forget_files(&world.observation);
	world_check_item(TCT_EACH_KEY, key_item("net.core.somaxconn"), unread, TCT_COUNT(unread));
}
END_TEST

START_TEST(lines_come_before_others)
{
	static const char forward[] = "net.ipv4.ip_forward";
	static const char last[] = "/etc/sysctl.d/20-b.conf";
	static const struct world_example two[] = {
		{ "earlier_lines('net.ipv4.conf.')", "2" },
		{ "earlier_lines('net.ipv6.')", "0" },
		{ "earlier_lines('net.ipv4.conf.', '.rp_filter')", "2" },
		{ "earlier_lines('net.ipv4.conf.', '.rp_filter', '2')", "1" },
		{ "earlier_lines('net.ipv4.conf.', '.forwarding')", "0" },
		{ "earlier_lines('')", "3" },
		{ "earlier_lines('net.ipv4.conf.', '.rp_filter', '2')", "1" },
		{ "earlier_lines('', '', '1')", "2" },
	};
	static const struct world_example three[] = {
		{ "earlier_lines('net.ipv4.conf.')", "3" },
	};
	static const struct world_example none[] = { { "earlier_lines('net.ipv4.conf.')", "0" } };

	scratch_open();
	scratch_write("etc/sysctl.d/10-a.conf", "net.ipv4.conf.all.rp_filter = 0\n"
						"net.ipv4.conf.*.rp_filter = 1\n"
						"net.ipv4.tcp_sack = 1\n"
						"net.ipv4.ip_forward = 0\n");
	scratch_write(last, "net.ipv4.conf.all.rp_filter = 2\nnet.ipv4.ip_forward = 1\n"
			    "net.ipv4.conf.all.accept_redirects = 0\n");
	read_files(&world.observation);
	/* systemd-sysctl writes rp_filter once, as the last line says */
	world_check_item(TCT_EACH_LINE, line_item(last, forward), two, TCT_COUNT(two));
	world_check_item(TCT_EACH_LINE, line_item("/etc/sysctl.d/10-a.conf", "net.ipv4.ip_forward"),
			 none, TCT_COUNT(none)); /* never written */
	world.observation.boot_model = TCT_BOOT_PROCPS;
	world_check_item(TCT_EACH_LINE, line_item(last, forward), three, TCT_COUNT(three));
	world_check_item(TCT_EACH_LINE,
			 line_item("/etc/sysctl.d/10-a.conf", "net.ipv4.conf.all.rp_filter"), none,
			 TCT_COUNT(none));
	forget_files(&world.observation);
}
END_TEST

/* ---- namespaces ---- */

static void set_live(struct tct_observation *observation, const char *name, const char *value)
{
	struct tct_sysctl *sysctl = &observation->sysctls[key_item(name)];
	struct tct_err err = { 0 };

	sysctl->presence = TCT_PRESENT;
	tct_value_done(&sysctl->value);
	ck_assert_int_eq(tct_value_parse(tct_kernel_key_find(name), value, &sysctl->value, &err),
			 0);
}

START_TEST(namespaces_are_compared_with_the_host)
{
	static const struct world_example named[] = {
		{ "namespace", "blue" },
		{ "diverging", "1" },
		{ "diverging_keys", "net.core.somaxconn 4096 (host: 65535)" },
	};
	static const struct world_example unnamed[] = { { "namespace", "net:[4026532001]" } };
	static const struct world_example unread[] = {
		{ "diverging", "missing: the host's sysctl files were not read" },
		{ "diverging_keys", "missing: the host's sysctl files were not read" },
	};
	struct tct_observation *host = tct_observation_new();
	struct tct_env env = item_env(TCT_EACH_NAMESPACE, 0);
	char reason[200];

	ck_assert_ptr_nonnull(host);
	scratch_open();
	scratch_write("etc/sysctl.d/10-a.conf",
		      "net.core.somaxconn = 65535\nnet.ipv4.tcp_sack = 1\n");
	read_files(host);
	host->boot_model = TCT_BOOT_SYSTEMD;
	set_live(host, "net.core.somaxconn", "65535");
	set_live(host, "net.ipv4.tcp_sack", "1");
	set_live(host, "net.ipv4.tcp_retries2", "15");
	world_sysctl("net.core.somaxconn", "4096");
	world_sysctl("net.ipv4.tcp_sack", "1");
	world_sysctl("net.ipv4.tcp_retries2", "8"); /* no file sets it */
	ck_assert_uint_eq(tct_each_count(TCT_EACH_NAMESPACE, &env), 0);
	ck_assert(tct_each_available(TCT_EACH_NAMESPACE, &env, reason));
	env.host = &world.observation;
	ck_assert_uint_eq(tct_each_count(TCT_EACH_NAMESPACE, &env), 0);
	env.host = host;
	ck_assert_uint_eq(tct_each_count(TCT_EACH_NAMESPACE, &env), 1);
	world.observation.host.netns.inode = 4026532001;
	world_check(&env, unnamed, TCT_COUNT(unnamed));
	(void)strcpy(world.observation.host.netns.name, "blue");
	world_check(&env, named, TCT_COUNT(named));
	forget_files(host);
	world_check(&env, unread, TCT_COUNT(unread));
	tct_observation_free(host);
}
END_TEST

/* ---- earlier looks ---- */

START_TEST(rates_over_a_while)
{
	static const struct world_example short_of[] = {
		{ "rate_over(TcpExt.ListenDrops, 60s)",
		  "missing: needs 60 s of history: tcptune watch" },
		{ "rate_over(TcpExt.ListenDrops, 10s)", "3/s" },
		{ "rate_over(TcpExt.ListenDrops, 1s - 1s)",
		  "failed: rate_over(TcpExt.ListenDrops, 1s - 1s): the time must be more than 0" },
	};
	static const struct world_example remembered[] = {
		{ "rate_over(TcpExt.ListenDrops, 60s)", "2/s" },
		{ "rate_over(TcpExt.ListenDrops, 600s)",
		  "missing: needs 600 s of history: tcptune watch" },
	};
	struct tct_history *history = tct_history_new();
	struct tct_env env = item_env(TCT_EACH_NONE, 0);

	ck_assert_ptr_nonnull(history);
	world_counter("TcpExt.ListenDrops", 0, 10);
	world.observation.interval_ns = INT64_C(10) * SECOND;
	tct_history_add(history, &world.observation, INT64_C(1000) * SECOND);
	world_counter("TcpExt.ListenDrops", 100, 130);
	tct_history_add(history, &world.observation, INT64_C(1060) * SECOND);
	world_check(&env, short_of, TCT_COUNT(short_of));
	env.history = history;
	world_check(&env, remembered, TCT_COUNT(remembered));
	tct_history_free(history);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("item words");
	TCase *items = tcase_create("item words");

	tcase_add_checked_fixture(items, world_open, world_close);
	tcase_add_test(items, suppressions_expire);
	tcase_add_test(items, attributes_belong_to_their_items);
	tcase_add_test(items, the_host_is_somewhere);
	tcase_add_test(items, lines_that_lose_are_shadowed);
	tcase_add_test(items, lines_come_before_others);
	tcase_add_test(items, namespaces_are_compared_with_the_host);
	tcase_add_test(items, rates_over_a_while);
	suite_add_tcase(suite, items);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
