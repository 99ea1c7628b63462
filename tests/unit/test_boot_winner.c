/* The boot winner: which line decides a key under each applier, and what the kernel ends with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sysctl_tree.h"

#define A "/etc/sysctl.d/a.conf"
#define B "/etc/sysctl.d/b.conf"
#define KEY "net.ipv4.tcp_keepalive_time"

/* Two files, and who wins KEY. */
static const struct {
	const char *a;
	const char *b;
	const char *systemd;
	const char *procps;
} winner_cases[] = {
	/* later wins; of equal ones too */
	{ KEY "=1\n", KEY "=2\n", B ":1", B ":1" },
	{ KEY "=1\n", KEY "=1\n", B ":1", B ":1" },
	{ KEY "=1\n" KEY "=2\n", "", A ":2", A ":2" },
	/* an explicit key beats a pattern in whatever order */
	{ KEY "=1\n", "net.ipv4.tcp_keep*=2\n", A ":1", A ":1" },
	{ "net.ipv4.tcp_keep*=2\n", KEY "=1\n", B ":1", B ":1" },
	{ "", "net.ipv4.tcp_keep*=2\n", B ":1", B ":1" },
	{ "net.ipv4.tcp_k*=1\n", "net.ipv4.tcp_keep*=2\n", B ":1", B ":1" },
	/* an exclusion keeps patterns away; under systemd it cancels what came before */
	{ "net.ipv4.tcp_keep*=2\n", "-" KEY "\n", "-", "-" },
	{ "-" KEY "\n", "net.ipv4.tcp_keep*=2\n", "-", "-" },
	{ KEY "=1\n", "-" KEY "\n", "-", A ":1" },
	{ "-" KEY "\n", KEY "=1\n", B ":1", B ":1" },
	{ KEY "=1\n-" KEY "\n", "net.ipv4.tcp_keep*=2\n", "-", A ":1" },
	/* the same pattern cancelled */
	{ "net.ipv4.tcp_keep*=2\n", "-net.ipv4.tcp_keep*\n", "-", A ":1" },
	{ "net.ipv4.tcp_keep*=2\n", "-net.ipv4.tcp_k*\n", A ":1", A ":1" },
	/* systemd: an equal pattern keeps its early place, a changed one moves to the end */
	{ "net.ipv4.tcp_k*=1\nnet.ipv4.tcp_keep*=2\n", "net.ipv4.tcp_k*=1\n", A ":2", B ":1" },
	{ "net.ipv4.tcp_k*=1\nnet.ipv4.tcp_keep*=2\n", "net.ipv4.tcp_k*=3\n", B ":1", B ":1" },
	/* '*' does not cross a slash; braces are systemd's */
	{ "net.*_time=1\n", "", "-", "-" },
	{ "*.*.tcp_keepalive_time=1\n", "", A ":1", A ":1" },
	{ "net.ipv4.tcp_keep*_{time,intvl}=1\n", "", A ":1", "-" },
	{ "net.ipv4.tcp_{a,{b,keepalive_t}}[i]me=1\n", "", A ":1", "-" },
	{ "net.ipv4.tcp_{keepalive_time=1\n", "", "-", "-" },
	{ "net.ipv4.tcp_keepalive_[!i]*=1\n", "", A ":1", A ":1" },
	{ "net.ipv4.tcp_keepalive_*/=1\n", "", "-", "-" },
	/* procps compares spellings: an unusual one does not keep a pattern away */
	{ "/net/ipv4/tcp_keepalive_time=1\n", "net.ipv4.tcp_keep*=2\n", A ":1", B ":1" },
	{ KEY "=1\n", "/net/ipv4/tcp_keep*=2\n", A ":1", B ":1" },
	{ "/net/ipv4/tcp_keepalive_time=1\n", "/net/ipv4/tcp_keep*=2\n", A ":1", A ":1" },
	/* a key that only one of them understands */
	{ KEY "=1\n", "- " KEY "=2\n", B ":1", A ":1" },
	{ KEY "=1\n", "--" KEY "=2\n", A ":1", B ":1" },
	{ KEY "=1\r" KEY "=2\n", "", A ":1", A ":1" },
};

START_TEST(winners)
{
	put("etc/sysctl.d/a.conf", winner_cases[_i].a);
	put("etc/sysctl.d/b.conf", winner_cases[_i].b);
	read_tree();
	ck_winners(KEY, winner_cases[_i].systemd, winner_cases[_i].procps);
	ck_winners("net/ipv4/tcp_keepalive_time", winner_cases[_i].systemd,
		   winner_cases[_i].procps);
	for (size_t i = 0; i < files->lines_count; i++) {
		const struct tct_file_line *line = &files->lines[i];

		if (line->is_pattern || strcmp(line->key, KEY) != 0)
			continue;
		ck_assert((line->wins & S) ==
			  (line == tct_sysctl_files_winner(files, KEY, TCT_BOOT_SYSTEMD, false)
				   ? S
				   : 0));
		ck_assert((line->wins & P) ==
			  (line == tct_sysctl_files_winner(files, KEY, TCT_BOOT_PROCPS, false)
				   ? P
				   : 0));
	}
}
END_TEST

START_TEST(keys_outside_the_table)
{
	put("etc/sysctl.d/a.conf", "net.ipv4.conf.eth0/100.rp_filter=1\n"
				   "net.ipv4.conf.eth0.100.rp_filter=2\n"
				   "net.ipv4.conf.*.rp_filter=3\n");
	read_tree();
	ck_winners("net.ipv4.conf.eth0/100.rp_filter", A ":1", A ":1");
	ck_winners("net/ipv4/conf/eth0.100/rp_filter", A ":1", A ":1");
	ck_winners("net.ipv4.conf.eth1.rp_filter", A ":3", A ":3");
	ck_winners("net.ipv4.conf.eth1.forwarding", "-", "-");
	ck_assert_ptr_null(tct_sysctl_files_winner(files, "", TCT_BOOT_PROCPS, false));
	ck_assert_ptr_null(tct_sysctl_files_winner(files, KEY, TCT_BOOT_MODELS, false));
}
END_TEST

#define RMEM "net.ipv4.tcp_rmem"

/* Files in order, and what a vector ends with. */
static const struct {
	const char *a;
	const char *b;
	const char *otherwise;
	const char *systemd;
	const char *procps;
} value_cases[] = {
	{ RMEM "=1 2 3\n", RMEM "=4 5 6\n", "7 8 9", "4 5 6", "4 5 6" },
	/* procps writes every line, so a partial one stands on those before it */
	{ RMEM "=1 2 3\n", RMEM "=4\n", "7 8 9", "4 8 9", "4 2 3" },
	{ RMEM "=1 2 3\n", RMEM "=4 5\n", NULL, "-", "4 5 3" },
	{ RMEM "=1 2 3\n", RMEM "=4 bogus 6\n", "7 8 9", "4 8 9", "4 2 3" },
	{ RMEM "=1 2 3\n", RMEM "=bogus\n", "7 8 9", "-", "1 2 3" },
	{ RMEM "=bogus\n", "", "7 8 9", "-", "-" },
	{ RMEM "=4\n", "", NULL, "-", "-" },
	{ RMEM "=1 2 3 4\n", "", NULL, "1 2 3", "1 2 3" },
	{ RMEM "=1 2 3\n", "-" RMEM "\n", "7 8 9", "-", "1 2 3" },
	/* patterns are written each, by both */
	{ "net.ipv4.tcp_r?em=1 2 3\n", "net.ipv4.tcp_[r]mem=4\n", NULL, "4 2 3", "4 2 3" },
	{ "", "", "7 8 9", "-", "-" },
};

START_TEST(values)
{
	put("etc/sysctl.d/a.conf", value_cases[_i].a);
	put("etc/sysctl.d/b.conf", value_cases[_i].b);
	read_tree();
	ck_value(RMEM, TCT_BOOT_SYSTEMD, value_cases[_i].otherwise, value_cases[_i].systemd);
	ck_value(RMEM, TCT_BOOT_PROCPS, value_cases[_i].otherwise, value_cases[_i].procps);
}
END_TEST

START_TEST(the_port_range_is_all_or_nothing)
{
	put("etc/sysctl.d/a.conf", "net.ipv4.ip_local_port_range=5000\n");
	read_tree();
	ck_value("net.ipv4.ip_local_port_range", TCT_BOOT_PROCPS, "4000 6000", "5000 6000");
	ck_value("net.ipv4.ip_local_port_range", TCT_BOOT_PROCPS, "4000 4500", "-");
}
END_TEST

START_TEST(without_ours)
{
	put("etc/sysctl.d/10-x.conf", "net.core.somaxconn=1\n");
	put("etc/sysctl.d/99-tcptune.conf", "net.core.somaxconn=2\nnet.ipv4.tcp_sack=0\n");
	put("usr/lib/sysctl.d/99-tcptune.conf", "net.core.somaxconn=3\nnet.ipv4.tcp_*=0\n");
	read_tree();
	for (unsigned model = 0; model < TCT_BOOT_MODELS; model++) {
		enum tct_boot_model which = (enum tct_boot_model)model;

		ck_assert_str_eq(winner_of("net.core.somaxconn", which, false),
				 TCT_DROP_IN_PATH ":1");
		ck_assert_str_eq(winner_of("net.core.somaxconn", which, true),
				 "/usr/lib/sysctl.d/99-tcptune.conf:1");
		ck_assert_str_eq(winner_of("net.ipv4.tcp_sack", which, false),
				 TCT_DROP_IN_PATH ":2");
		ck_assert_str_eq(winner_of("net.ipv4.tcp_sack", which, true),
				 "/usr/lib/sysctl.d/99-tcptune.conf:2");
		ck_assert_str_eq(winner_of("net.ipv4.tcp_dsack", which, false), "-");
	}
	ck_assert_uint_eq(files->lines_count, 5);
	ck_assert(files->lines[1].ours && files->lines[2].ours);
	ck_assert(!files->lines[3].ours);
	ck_assert_uint_eq(files->lines[3].read_by, 0);
	ck_assert_uint_eq(files->lines[3].wins, 0);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("all");

	tcase_add_loop_test(cases, winners, 0, (int)TCT_COUNT(winner_cases));
	tcase_add_test(cases, keys_outside_the_table);
	tcase_add_loop_test(cases, values, 0, (int)TCT_COUNT(value_cases));
	tcase_add_test(cases, the_port_range_is_all_or_nothing);
	tcase_add_test(cases, without_ours);
	return run_cases("boot_winner", cases);
}
