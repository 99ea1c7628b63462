/*
 * at_least and at_most against the baseline, the value without tcptune: live, what was there before
 * our first change; at boot, what the files come to without our drop-in. One row is one host.
 */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/plan_world.h"

#define CAP "net.core.somaxconn"
#define FIN "net.ipv4.tcp_fin_timeout"
#define TW "net.ipv4.tcp_max_tw_buckets"
#define RMEM "net.ipv4.tcp_rmem"
#define CT "net.netfilter.nf_conntrack_max"

static const struct {
	const char *what;
	const char *key;
	const char *bound;
	const char *ours_baseline; /* before our first change; NULL = nothing is ours */
	const char *ours;          /* what we wrote, live and as a line */
	const char *live;          /* now */
	const char *site;          /* value in a site's file before ours; NULL = none */
	const char *wanted;
	bool write;
	const char *line; /* "-" = none */
} cases[] = {
	/* at_least */
	{ "fresh", CAP, "at_least: 16384", NULL, NULL, "4096", NULL, "16384", true, "16384" },
	{ "live above by hand", CAP, "at_least: 16384", NULL, NULL, "20000", NULL, "20000", false,
	  "16384" },
	{ "live below by hand", CAP, "at_least: 16384", NULL, NULL, "200", NULL, "16384", true,
	  "16384" },
	{ "a site's file suffices", CAP, "at_least: 16384", NULL, NULL, "4096", "32768", "16384",
	  true, "-" },
	{ "a site's file has exactly that", CAP, "at_least: 16384", NULL, NULL, "16384", "16384",
	  "16384", false, "-" },
	{ "a site's file doesn't suffice", CAP, "at_least: 16384", NULL, NULL, "8192", "8192",
	  "16384", true, "16384" },
	{ "ours is there", CAP, "at_least: 16384", "4096", "16384", "16384", NULL, "16384", false,
	  "16384" },
	{ "ours, raised by hand", CAP, "at_least: 16384", "4096", "16384", "20000", NULL, "20000",
	  false, "16384" },
	{ "ours, lowered by hand", CAP, "at_least: 16384", "4096", "16384", "5000", NULL, "16384",
	  true, "16384" },
	{ "ours, and a site's file that is larger now", CAP, "at_least: 16384", "4096", "16384",
	  "16384", "32768", "16384", false, "-" },
	{ "ours, and a site's file that is smaller", CAP, "at_least: 16384", "4096", "16384",
	  "16384", "8192", "16384", false, "16384" },
	{ "the profile lowered: ours follows", CAP, "at_least: 8192", "4096", "16384", "16384",
	  NULL, "8192", true, "8192" },
	{ "the profile lowered below the baseline: back to it", CAP, "at_least: 2048", "4096",
	  "16384", "16384", NULL, "4096", true, "-" },
	{ "the profile lowered, an operator's value stays", CAP, "at_least: 8192", "4096", "16384",
	  "20000", NULL, "20000", false, "8192" },
	{ "the profile lowered, a site's file stays", CAP, "at_least: 8192", "4096", "16384",
	  "16384", "12000", "8192", true, "-" },
	{ "the profile raised", CAP, "at_least: 32768", "4096", "16384", "16384", NULL, "32768",
	  true, "32768" },
	/* at_most */
	{ "fresh", FIN, "at_most: 30s", NULL, NULL, "60", NULL, "30", true, "30" },
	{ "live below by hand", FIN, "at_most: 30s", NULL, NULL, "20", NULL, "20", false, "30" },
	{ "live above by hand", FIN, "at_most: 30s", NULL, NULL, "90", NULL, "30", true, "30" },
	{ "a site's file suffices", FIN, "at_most: 30s", NULL, NULL, "60", "15", "30", true, "-" },
	{ "a site's file doesn't", FIN, "at_most: 30s", NULL, NULL, "60", "45", "30", true, "30" },
	{ "ours, lowered by hand", FIN, "at_most: 30s", "60", "30", "10", NULL, "10", false, "30" },
	{ "ours, raised by hand", FIN, "at_most: 30s", "60", "30", "50", NULL, "30", true, "30" },
	{ "the profile raised: ours follows", FIN, "at_most: 45s", "60", "30", "30", NULL, "45",
	  true, "45" },
	{ "the profile raised above the baseline", FIN, "at_most: 90s", "60", "30", "30", NULL,
	  "60", true, "-" },
	{ "the profile raised, an operator's value stays", FIN, "at_most: 45s", "60", "30", "20",
	  NULL, "20", false, "45" },
	/* sentinels */
	{ "negative is no limit", TW, "at_least: 262144", NULL, NULL, "-1", "-5", "-1", false,
	  "-" },
	{ "no limit live only", TW, "at_least: 262144", NULL, NULL, "-1", "1000", "-1", false,
	  "262144" },
	{ "no limit in the file only", TW, "at_least: 262144", NULL, NULL, "131072", "-1", "262144",
	  true, "-" },
	{ "at_most: no limit is too much", TW, "at_most: 262144", NULL, NULL, "-1", "-1", "262144",
	  true, "262144" },
	{ "0 is no TIME_WAIT at all", TW, "at_least: 262144", NULL, NULL, "0", "0", "262144", true,
	  "262144" },
	{ "ours, without a limit by hand", TW, "at_least: 262144", "131072", "262144", "-1", NULL,
	  "-1", false, "262144" },
	{ "0 is no limit for connection tracking", CT, "at_least: 262144", NULL, NULL, "0", "0",
	  "0", false, "-" },
	{ "connection tracking, a small file", CT, "at_least: 262144", NULL, NULL, "0", "65536",
	  "0", false, "262144" },
	{ "another file of the same variable", "net.nf_conntrack_max", "at_least: 262144", NULL,
	  NULL, "65536", "0", "262144", true, "-" },
	/* vectors, field by field */
	{ "one field is short", RMEM, "at_least: [4096, keep, 33554432]", NULL, NULL,
	  "8192 131072 6291456", "8192 131072 6291456", "8192 131072 33554432", true,
	  "8192 131072 33554432" },
	{ "larger fields stay larger", RMEM, "at_least: [4096, 131072, 33554432]", NULL, NULL,
	  "4096 262144 6291456", "16384 87380 6291456", "4096 262144 33554432", true,
	  "16384 131072 33554432" },
	{ "all fields suffice", RMEM, "at_least: [4096, keep, 33554432]", NULL, NULL,
	  "4096 131072 67108864", "4096 131072 50000000", "4096 131072 67108864", false, "-" },
	{ "the profile lowered, one field is ours", RMEM, "at_least: [4096, keep, 33554432]",
	  "4096 131072 6291456", "4096 131072 67108864", "4096 131072 67108864",
	  "4096 87380 6291456", "4096 131072 33554432", true, "4096 87380 33554432" },
	{ "ours, one field raised by hand", RMEM, "at_least: [4096, keep, 33554432]",
	  "4096 131072 6291456", "4096 131072 33554432", "4096 524288 33554432",
	  "4096 87380 6291456", "4096 524288 33554432", false, "4096 87380 33554432" },
};

START_TEST(baseline)
{
	char setting[256];
	char site[256];

	if (cases[_i].ours != NULL) {
		char line[256];

		did(cases[_i].key, cases[_i].ours_baseline, cases[_i].ours_baseline, cases[_i].ours,
		    cases[_i].ours);
		(void)snprintf(line, sizeof(line), "%s = %s\n", cases[_i].key, cases[_i].ours);
		scratch_write(DROP_IN, line);
	}
	if (cases[_i].site != NULL) {
		/* Connection tracking's limit may be set under its other name, too. */
		const char *name =
			strcmp(cases[_i].key, "net.nf_conntrack_max") == 0 ? CT : cases[_i].key;

		(void)snprintf(site, sizeof(site), "%s = %s\n", name, cases[_i].site);
		scratch_write("etc/sysctl.d/10-site.conf", site);
	}
	live(cases[_i].key, cases[_i].live);
	(void)snprintf(setting, sizeof(setting), "  %s: { %s, because: x }\n", cases[_i].key,
		       cases[_i].bound);
	for (unsigned model = 0; model < TCT_BOOT_MODELS; model++) {
		observation->boot_model = (enum tct_boot_model)model;
		make(setting);
		ck_nothing_refused();
		ck_planned(cases[_i].key, cases[_i].wanted, cases[_i].line, cases[_i].write);
	}
}
END_TEST

START_TEST(a_default_that_is_known_is_not_taken_from_a_hand)
{
	/* Raised by hand: the next boot begins with half the connection table. */
	live("net.ipv4.tcp_ehash_entries", "-262144");
	live(TW, "300000");
	make("  net.ipv4.tcp_max_tw_buckets: { at_least: 262144, because: x }\n");
	ck_planned(TW, "300000", "262144", false);
	live("net.ipv4.tcp_ehash_entries", "1048576");
	make("  net.ipv4.tcp_max_tw_buckets: { at_least: 262144, because: x }\n");
	ck_planned(TW, "300000", "-", false);
	ck_value(&planned(TW)->next_boot[TCT_BOOT_SYSTEMD].value, "524288");
	/* What isn't known isn't promised. */
	live(RMEM, "4096 131072 67108864");
	make("  net.ipv4.tcp_rmem: { at_least: [keep, keep, 33554432], because: x }\n");
	ck_value(&planned(RMEM)->next_boot[TCT_BOOT_PROCPS].value, "-");
}
END_TEST

#define RANGE "net.ipv4.ip_local_port_range"
#define START "net.ipv4.ip_unprivileged_port_start"

/* Is the line of a before that of b? */
static bool before(const char *a, const char *b)
{
	const char *first = strstr(plan->drop_in_after, a);
	const char *second = strstr(plan->drop_in_after, b);

	ck_assert(first != NULL && second != NULL);
	return first < second;
}

START_TEST(lines_in_an_order_that_the_kernel_takes)
{
	static const char rise[] = "  " RANGE ": { set: [40000, 60999], because: x }\n"
				   "  " START ": { set: 40000, because: x }\n";
	static const char fall[] = "  " RANGE ": { set: [10240, 60999], because: x }\n"
				   "  " START ": { set: 10240, because: x }\n";

	live(RANGE, "32768 60999");
	live(START, "1024");
	make(rise);
	ck_nothing_refused();
	ck_assert(before("\n" RANGE " =", "\n" START " ="));
	make(fall);
	ck_nothing_refused();
	/* procps writes a site's lines first: then the start is in the range's way. */
	observation->boot_model = TCT_BOOT_PROCPS;
	scratch_write("etc/sysctl.d/10-site.conf", RANGE " = 40000 60999\n" START " = 40000\n");
	make(fall);
	ck_nothing_refused();
	ck_assert(before("\n" START " =", "\n" RANGE " ="));
	ck_value(&planned(RANGE)->next_boot[TCT_BOOT_PROCPS].value, "10240 60999");
	make(rise);
	ck_nothing_refused();
	/* The right values in the wrong order are a change. */
	scratch_write("etc/sysctl.d/10-site.conf", RANGE " = 50000 60999\n" START " = 50000\n");
	did(RANGE, "32768 60999", "32768 60999", "10240 60999", "10240 60999");
	did(START, "1024", "1024", "10240", "10240");
	scratch_write(DROP_IN, RANGE " = 10240 60999\n" START " = 10240\n");
	make(fall);
	ck_nothing_refused();
	ck_assert(plan->drop_in_changes);
	ck_assert(before("\n" START " =", "\n" RANGE " ="));
	scratch_write(DROP_IN, START " = 10240\n" RANGE " = 10240 60999\n");
	make(fall);
	ck_assert(!plan->drop_in_changes);
}
END_TEST

START_TEST(lines_that_hinder_others)
{
	/* systemd moves the range behind the start, which the kernel then refuses. */
	live(RANGE, "40000 60999");
	live(START, "40000");
	scratch_write("etc/sysctl.d/10-site.conf", RANGE " = 40000 60999\n" START " = 40000\n");
	make("  " RANGE ": { set: [40000, 65535], because: x }\n");
	ck_refused("invariant", RANGE, "/etc/sysctl.d/10-site.conf:2");
	observation->boot_model = TCT_BOOT_PROCPS;
	make("  " RANGE ": { set: [40000, 65535], because: x }\n");
	ck_nothing_refused();
}
END_TEST

START_TEST(overridden_by_another_file_of_the_variable)
{
	live("net.ipv4.ip_forward", "0");
	scratch_write("etc/sysctl.d/zz.conf", "net.ipv4.conf.all.forwarding = 0\n");
	make("  net.ipv4.ip_forward: { set: 1, because: x }\n");
	ck_refused("shadowed", "net.ipv4.ip_forward", "/etc/sysctl.d/zz.conf:1");
	scratch_write("etc/sysctl.d/zz.conf", "net.ipv4.conf.all.forwarding = 1\n");
	make("  net.ipv4.ip_forward: { set: 1, because: x }\n");
	ck_nothing_refused();
}
END_TEST

START_TEST(overridden_in_part)
{
	live(RMEM, "4096 131072 6291456");
	scratch_write("etc/sysctl.d/zz.conf", RMEM " = 5000 bogus\n");
	make("  net.ipv4.tcp_rmem: { at_least: [8192, keep, 33554432], because: x }\n");
	ck_refused("shadowed", RMEM, "zz.conf:1");
	/* Nothing of it is taken: procps keeps ours, systemd has dropped it. */
	scratch_write("etc/sysctl.d/zz.conf", RMEM " = bogus\n");
	make("  net.ipv4.tcp_rmem: { at_least: [8192, keep, 33554432], because: x }\n");
	ck_refused("shadowed", RMEM, "zz.conf:1");
	observation->boot_model = TCT_BOOT_PROCPS;
	make("  net.ipv4.tcp_rmem: { at_least: [8192, keep, 33554432], because: x }\n");
	ck_nothing_refused();
	ck_assert_uint_eq(plan->shadowed_count, 1);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, plan_set_up, plan_tear_down);
	tcase_add_loop_test(tests, baseline, 0, (int)TCT_COUNT(cases));
	tcase_add_test(tests, a_default_that_is_known_is_not_taken_from_a_hand);
	tcase_add_test(tests, lines_in_an_order_that_the_kernel_takes);
	tcase_add_test(tests, lines_that_hinder_others);
	tcase_add_test(tests, overridden_by_another_file_of_the_variable);
	tcase_add_test(tests, overridden_in_part);
	return plan_run("plan_baseline", tests);
}
