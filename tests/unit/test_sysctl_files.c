/* The sysctl.d reader: which files count, what each applier makes of a line, and its bounds. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/sysctl_tree.h"

START_TEST(the_first_directory_wins_a_name)
{
	put("usr/lib/sysctl.d/10-a.conf", "net.core.somaxconn = 4\n");
	put("usr/local/lib/sysctl.d/10-a.conf", "net.core.somaxconn = 3\n");
	read_tree();
	ck_winners("net.core.somaxconn", "/usr/local/lib/sysctl.d/10-a.conf:1",
		   "/usr/local/lib/sysctl.d/10-a.conf:1");
	put("run/sysctl.d/10-a.conf", "net.core.somaxconn = 2\n");
	read_tree();
	ck_winners("net.core.somaxconn", "/run/sysctl.d/10-a.conf:1", "/run/sysctl.d/10-a.conf:1");
	put("etc/sysctl.d/10-a.conf", "net.core.somaxconn = 1\n");
	read_tree();
	ck_winners("net.core.somaxconn", "/etc/sysctl.d/10-a.conf:1", "/etc/sysctl.d/10-a.conf:1");
	ck_assert_uint_eq(files->lines_count, 1);
	ck_assert(!files->lines[0].vendor && !files->lines[0].ours);
	ck_assert_uint_eq(files->lines[0].wins, SP);
}
END_TEST

START_TEST(files_merge_in_byte_order_across_directories)
{
	static const char *const order[] = {
		"/usr/lib/sysctl.d/10-a.conf", "/etc/sysctl.d/9-b.conf",
		"/run/sysctl.d/99-c.conf",     "/usr/lib/sysctl.d/Z.conf",
		"/etc/sysctl.d/a.conf",        "/run/sysctl.d/\xc3\xa4.conf",
	};

	for (size_t i = TCT_COUNT(order); i-- > 0;)
		put(order[i] + 1, "net.core.somaxconn = 1\n");
	put("etc/sysctl.d/zz.conf.bak", "net.core.somaxconn = 2\n");
	put("etc/sysctl.d/zz.CONF", "net.core.somaxconn = 2\n");
	read_tree();
	ck_assert_uint_eq(files->lines_count, TCT_COUNT(order));
	for (size_t i = 0; i < TCT_COUNT(order); i++) {
		ck_assert_str_eq(files->lines[i].file, order[i]);
		ck_assert(files->lines[i].vendor == (strncmp(order[i], "/usr/", 5) == 0));
	}
}
END_TEST

START_TEST(split_usr)
{
	put("lib/sysctl.d/50-a.conf", "net.core.somaxconn = 1\n");
	put("usr/lib/sysctl.d/50-b.conf", "net.core.somaxconn = 2\n");
	read_tree();
	ck_assert_uint_eq(files->lines_count, 2);
	ck_assert_str_eq(files->lines[0].file, "/lib/sysctl.d/50-a.conf");
	ck_assert(files->lines[0].vendor);
}
END_TEST

START_TEST(merged_usr_is_read_once)
{
	put("usr/lib/sysctl.d/50-b.conf", "net.core.somaxconn = 2\n");
	put_link("lib", "usr/lib");
	read_tree();
	ck_assert_uint_eq(files->lines_count, 1);
	ck_assert_str_eq(files->lines[0].file, "/usr/lib/sysctl.d/50-b.conf");
}
END_TEST

START_TEST(no_name_wins_under_both)
{
	put("etc/sysctl.d/zz-tool.conf", "net.ipv4.tcp_fin_timeout = 32\n");
	put("etc/sysctl.conf", "net.ipv4.tcp_fin_timeout = 31\n");
	read_tree();
	ck_winners("net.ipv4.tcp_fin_timeout", "/etc/sysctl.d/zz-tool.conf:1",
		   "/etc/sysctl.conf:1");
	ck_value("net.ipv4.tcp_fin_timeout", TCT_BOOT_SYSTEMD, "60", "32");
	ck_value("net.ipv4.tcp_fin_timeout", TCT_BOOT_PROCPS, "60", "31");
	ck_assert_uint_eq(files->lines[0].wins, S);
	ck_assert_uint_eq(files->lines[1].wins, P);
	ck_assert_uint_eq(files->lines[1].read_by, P);
}
END_TEST

START_TEST(sysctl_conf_through_a_link)
{
	put("etc/sysctl.conf", "net.ipv4.tcp_fin_timeout = 31\n");
	put_link("etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
	put("etc/sysctl.d/50-x.conf", "net.ipv4.tcp_fin_timeout = 32\n");
	read_tree();
	ck_winners("net.ipv4.tcp_fin_timeout", "/etc/sysctl.d/99-sysctl.conf:1",
		   "/etc/sysctl.conf:1");
	ck_assert_uint_eq(files->lines_count, 3);
	/* one line under two names: told once, under the file's own name, with what it wins in all
	 */
	ck_assert_str_eq(files->lines[1].file, "/etc/sysctl.d/99-sysctl.conf");
	ck_assert_uint_eq(files->lines[1].twin, 3);
	ck_assert_uint_eq(files->lines[0].twin, 0);
	ck_assert_uint_eq(files->lines[2].twin, 0);
	ck_assert_uint_eq(files->lines[2].wins, SP);
}
END_TEST

START_TEST(sysctl_conf_that_is_no_file)
{
	put("etc/sysctl.conf/x.conf", "net.ipv4.tcp_fin_timeout = 31\n");
	read_tree();
	ck_assert_uint_eq(files->lines_count, 0);
	ck_assert_uint_eq(files->faults_count, 0);
}
END_TEST

START_TEST(masks)
{
	static const char *const names[] = { "10-null.conf", "11-up.conf",  "12-empty.conf",
					     "13-lost.conf", "14-dir.conf", "15-loop.conf" };
	char path[64];

	for (size_t i = 0; i < TCT_COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "usr/lib/sysctl.d/%s", names[i]);
		put(path, "net.core.somaxconn = 1\n");
	}
	put_link("etc/sysctl.d/10-null.conf", "/dev/null");
	put_link("etc/sysctl.d/11-up.conf", "../../dev/null");
	put("etc/sysctl.d/12-empty.conf", "");
	put_link("etc/sysctl.d/13-lost.conf", "nowhere");
	put("etc/sysctl.d/14-dir.conf/inner.conf", "net.core.somaxconn = 2\n");
	put_link("etc/sysctl.d/15-loop.conf", "15-loop.conf");
	read_tree();
	ck_assert_uint_eq(files->lines_count, 0);
	ck_assert_uint_eq(files->faults_count, 3);
	ck_assert(has_fault("/etc/sysctl.d/13-lost.conf", 0, P, "nowhere"));
	ck_assert(has_fault("/etc/sysctl.d/14-dir.conf", 0, S, "directory"));
	ck_assert(has_fault("/etc/sysctl.d/15-loop.conf", 0, SP, ""));
}
END_TEST

START_TEST(hidden_files_are_for_procps)
{
	put("etc/sysctl.d/.x.conf", "net.core.somaxconn = 1\n");
	put("etc/sysctl.d/.conf", "net.core.somaxconn = 2\n");
	read_tree();
	ck_winners("net.core.somaxconn", "-", "/etc/sysctl.d/.x.conf:1");
	ck_assert_uint_eq(files->lines_count, 2);
	ck_assert_uint_eq(files->lines[0].read_by, P);
}
END_TEST

START_TEST(nothing_is_opened_that_is_no_file)
{
	ck_assert_int_eq(mkfifo(place("etc/sysctl.d/10-fifo.conf"), 0600), 0);
	read_tree();
	ck_assert(has_fault("/etc/sysctl.d/10-fifo.conf", 0, SP, "FIFO"));
}
END_TEST

START_TEST(no_link_leads_out_of_the_root)
{
	char outside[80];
	FILE *file;

	(void)snprintf(outside, sizeof(outside), "%s.conf", tree);
	file = fopen(outside, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs("net.core.somaxconn = 1\n", file), 0);
	ck_assert_int_eq(fclose(file), 0);
	put_link("etc/sysctl.d/10-out.conf", outside);
	put_link("usr/lib/sysctl.d", "/tmp");
	put("tmp/20-in.conf", "net.core.somaxconn = 2\n");
	read_tree();
	ck_assert_int_eq(unlink(outside), 0);
	ck_assert_uint_eq(files->lines_count, 1);
	ck_assert_str_eq(files->lines[0].file, "/usr/lib/sysctl.d/20-in.conf");
}
END_TEST

START_TEST(the_credential_is_systemds_last)
{
	put("etc/sysctl.d/zz.conf", "net.core.somaxconn = 1\n");
	put("usr/lib/credstore/sysctl.extra", "net.core.somaxconn = 2\n");
	put("etc/credstore/sysctl.extra", "net.core.somaxconn = 3\n");
	read_tree();
	ck_winners("net.core.somaxconn", "/etc/credstore/sysctl.extra:1",
		   "/etc/sysctl.d/zz.conf:1");
}
END_TEST

/* One line, and what is made of it: "[SP] key=value", '!' in front: errors ignored; '*': a pattern.
 */
static const struct {
	const char *bytes;
	size_t length;
	const char *expected;
} line_cases[] = {
#define LINE(text, expected)                                                                       \
	{                                                                                          \
		text, sizeof(text) - 1, expected                                                   \
	}
	LINE("net.ipv4.tcp_sack = 1\n", "[SP]net.ipv4.tcp_sack=1;"),
	LINE("net.ipv4.tcp_sack=1", "[SP]net.ipv4.tcp_sack=1;"),
	LINE(" \tnet.ipv4.tcp_sack\t=  1 \t\n", "[SP]net.ipv4.tcp_sack=1;"),
	LINE("net.ipv4.tcp_sack = 1\r\n", "[SP]net.ipv4.tcp_sack=1;"),
	LINE("net.ipv4.tcp_sack = 1 # note\n", "[SP]net.ipv4.tcp_sack=1 # note;"),
	LINE("net.ipv4.tcp_sack = \"1\"\n", "[SP]net.ipv4.tcp_sack=\"1\";"),
	LINE("net.ipv4.tcp_sack = 1 \\\n", "[SP]net.ipv4.tcp_sack=1 \\;"),
	LINE("net.ipv4.tcp_sack = = 1\n", "[SP]net.ipv4.tcp_sack== 1;"),
	LINE("net.ipv4.tcp_sack =\n", "[SP]net.ipv4.tcp_sack=;"),
	LINE("# net.ipv4.tcp_sack = 1\n", ""),
	LINE("  ; net.ipv4.tcp_sack = 1\n", ""),
	LINE("\n \n\t\n", ""),
	LINE("net.ipv4.tcp_sack 1\n", "fault[SP]1;"),
	LINE("= 1\n", "fault[SP]1;"),
	LINE("-net.ipv4.tcp_sack = 1\n", "![SP]net.ipv4.tcp_sack=1;"),
	LINE("-net.ipv4.tcp_sack\n", "[SP]net.ipv4.tcp_sack;"),
	LINE("- net.ipv4.tcp_sack = 1\n", "![P] net.ipv4.tcp_sack=1;![S]net.ipv4.tcp_sack=1;"),
	LINE("--net.ipv4.tcp_sack = 1\n", "![P]net.ipv4.tcp_sack=1;![S]-net.ipv4.tcp_sack=1;"),
	/* separators */
	LINE("net/ipv4/tcp_sack=1\n", "[SP]net.ipv4.tcp_sack=1;"),
	LINE("net.ipv4.conf.eth0/100.rp_filter=1\n", "[SP]net.ipv4.conf.eth0/100.rp_filter=1;"),
	LINE("net/ipv4/conf/eth0.100/rp_filter=1\n", "[SP]net.ipv4.conf.eth0/100.rp_filter=1;"),
	LINE("/net/ipv4/tcp_sack=1\n", "[SP]net.ipv4.tcp_sack=1;"),
	LINE("net//ipv4/tcp_sack=1\n", "[SP]net.ipv4.tcp_sack=1;"),
	LINE("net..ipv4.tcp_sack=1\n", "[SP]net.ipv4.tcp_sack=1;"),
	LINE("/proc/sys/net/ipv4/tcp_sack=1\n", "[SP]proc.sys.net.ipv4.tcp_sack=1;"),
	LINE("net/ipv4/tcp_sack/=1\n", "[P]net.ipv4.tcp_sack.=1;[S]net.ipv4.tcp_sack=1;"),
	LINE("net/../net/ipv4/tcp_sack=1\n",
	     "[P]net.ipv4.tcp_sack=1;[S]net.//.net.ipv4.tcp_sack=1;fault[S]1;"),
	LINE("no/../net/ipv4/tcp_sack=1\n", "[SP]no.//.net.ipv4.tcp_sack=1;fault[S]1;"),
	/* ends of lines */
	LINE("a.b=1\rc.d=2\n", "[P]a.b=1\rc.d=2;[S]a.b=1;[S]c.d=2;"),
	LINE("a.b=1\0c.d=2\ne.f=3\n", "[SP]a.b=1;[S]c.d=2;[SP]e.f=3;"),
	LINE("a.b=1\f\n", "[P]a.b=1;[S]a.b=1\f;"),
	LINE("\xef\xbb\xbfnet.ipv4.tcp_sack=1\n",
	     "[SP]\xef\xbb\xbfnet.ipv4.tcp_sack=1;fault[SP]1;"),
	LINE("a\0b=1", "[S]b=1;fault[S]1;"),
	LINE("a", "fault[S]1;"),
	LINE("a=", "[SP]a=;"),
	LINE("-", "fault[S]1;"),
	/* patterns */
	LINE("net.ipv4.conf.*.rp_filter = 2\n", "*[SP]net.ipv4.conf.*.rp_filter=2;"),
	LINE("-net.ipv4.conf.*.rp_filter\n", "*[SP]net.ipv4.conf.*.rp_filter;"),
	LINE("net.ipv4.tcp_?ack = 2\n", "*[SP]net.ipv4.tcp_?ack=2;"),
	LINE("net//ipv4/tcp_?ack = 2\n", "*[P]net..ipv4.tcp_?ack=2;*[S]net.ipv4.tcp_?ack=2;"),
#undef LINE
};

static const char *mask_text(unsigned mask)
{
	static const char *const texts[] = { "[]", "[S]", "[P]", "[SP]" };

	return texts[mask];
}

START_TEST(lines)
{
	char seen[512] = "";

	put_bytes("etc/sysctl.d/x.conf", line_cases[_i].bytes, line_cases[_i].length);
	read_tree();
	for (size_t i = 0; i < files->lines_count; i++) {
		const struct tct_file_line *line = &files->lines[i];
		size_t used = strlen(seen);

		(void)snprintf(seen + used, sizeof(seen) - used, "%s%s%s%s%s%s;",
			       line->ignore_errors ? "!" : "", line->is_pattern ? "*" : "",
			       mask_text(line->read_by), line->key, line->value == NULL ? "" : "=",
			       line->value == NULL ? "" : line->value);
	}
	for (size_t i = 0; i < files->faults_count; i++) {
		size_t used = strlen(seen);

		(void)snprintf(seen + used, sizeof(seen) - used, "fault%s%u;",
			       mask_text(files->faults[i].affects), files->faults[i].line);
	}
	ck_assert_str_eq(seen, line_cases[_i].expected);
}
END_TEST

START_TEST(what_the_table_and_the_kernel_say)
{
	put("etc/sysctl.d/x.conf", "net.ipv4.tcp_max_tw_buckets=5000 #TIME-WAIT Socket\n"
				   "net.ipv4.tcp_keepalive_time = sixty\n"
				   "net.ipv4.tcp_rmem = 5000 bogus 7\n"
				   "no.such.key = 1\n");
	read_tree();
	ck_assert_str_eq(files->lines[0].known->name, "net.ipv4.tcp_max_tw_buckets");
	ck_assert_int_eq(files->lines[0].outcome, TCT_WRITE_REST_IGNORED);
	ck_assert_int_eq(files->lines[0].stored.numbers[0], 5000);
	ck_assert_int_eq(files->lines[1].outcome, TCT_WRITE_REFUSED);
	ck_assert_str_ne(files->lines[1].reason, "");
	ck_assert_int_eq(files->lines[2].outcome, TCT_WRITE_HALF_REFUSED);
	ck_assert_ptr_null(files->lines[3].known);
	ck_assert_uint_eq(files->lines[3].wins, SP);
}
END_TEST

#define KEY "net.ipv4.tcp_keepalive_time"

START_TEST(long_lines)
{
	const size_t mib = 1 << 20;
	TCT_AUTOFREE char *text = malloc(3 * mib);
	char *end = text;

	ck_assert_ptr_nonnull(text);
	memset(text, '#', 3 * mib);
	end += mib - 1; /* the longest that systemd takes */
	end = stpcpy(end, "\nnet.core.somaxconn=1\n");
	memset(end, '#', mib);
	end += mib;
	end = stpcpy(end, "\nnet.core.somaxconn=2\n");
	put_bytes("etc/sysctl.d/x.conf", text, (size_t)(end - text));
	read_tree();
	ck_winners("net.core.somaxconn", "/etc/sysctl.d/x.conf:2", "/etc/sysctl.d/x.conf:4");
	ck_assert(has_fault("/etc/sysctl.d/x.conf", 3, S, "1 MiB"));
	ck_assert_uint_eq(files->faults_count, 1);
}
END_TEST

START_TEST(a_long_key)
{
	static char text[9000];

	memset(text, 'k', sizeof(text) - 8);
	memcpy(text + sizeof(text) - 8, ".x = 1\n", 8);
	put("etc/sysctl.d/x.conf", text);
	read_tree();
	ck_assert(has_fault("/etc/sysctl.d/x.conf", 1, SP, "longer"));
	ck_assert_uint_eq(files->lines_count, 0);
}
END_TEST

/* `count` times the line. */
static void put_many(const char *path, const char *line, unsigned count)
{
	FILE *file = fopen(place(path), "we");

	ck_assert_ptr_nonnull(file);
	for (unsigned i = 0; i < count && !ferror(file); i++)
		(void)fputs(line, file);
	ck_assert(!ferror(file));
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(bounds)
{
	static const struct {
		const char *line;
		unsigned count;
	} cases[] = {
		{ "# sixteen bytes\n", (1U << 20) + 1 },
		{ "a=1\n", 65537 },
		{ "a*=1\n", 1025 },
		{ "a*{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}=1\n", 1 },
	};

	put_many("etc/sysctl.d/x.conf", cases[_i].line, cases[_i].count);
	ck_assert_int_eq(tct_sysctl_files_read(&root, &files, &err), -EFBIG);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	ck_assert_str_ne(err.message, "");
	ck_assert_ptr_null(files);
}
END_TEST

START_TEST(as_much_as_is_allowed)
{
	put_many("etc/sysctl.d/x.conf", "# sixteen bytes\n", 1U << 19);
	put_many("etc/sysctl.d/y.conf", KEY "=1\n", 65536 - 1024);
	put_many("etc/sysctl.d/z.conf", "//net/*/tcp_*e*e*p*_*e=2\n", 512);
	read_tree();
	ck_winners(KEY, "/etc/sysctl.d/y.conf:64512", "/etc/sysctl.d/z.conf:512");
}
END_TEST

START_TEST(faults_are_bounded)
{
	put_many("etc/sysctl.d/x.conf", "garbage\n", 5000);
	read_tree();
	ck_assert_uint_le(files->faults_count, 1001);
	ck_assert(strstr(files->faults[files->faults_count - 1].what, "too many") != NULL);
}
END_TEST

START_TEST(which_applier)
{
	ck_assert_int_eq(tct_boot_model_of(&root), TCT_BOOT_MODELS);
	put("usr/sbin/sysctl", "");
	ck_assert_int_eq(tct_boot_model_of(&root), TCT_BOOT_PROCPS);
	put("usr/lib/systemd/systemd-sysctl", "");
	ck_assert_int_eq(tct_boot_model_of(&root), TCT_BOOT_MODELS);
	ck_assert_int_eq(unlink(place("usr/sbin/sysctl")), 0);
	ck_assert_int_eq(tct_boot_model_of(&root), TCT_BOOT_SYSTEMD);
	ck_assert_str_eq(tct_boot_model_name(TCT_BOOT_SYSTEMD), "systemd");
	ck_assert_str_eq(tct_boot_model_name(TCT_BOOT_PROCPS), "procps");
}
END_TEST

START_TEST(an_empty_root)
{
	read_tree();
	ck_assert_uint_eq(files->lines_count, 0);
	ck_assert_uint_eq(files->faults_count, 0);
	ck_winners("net.core.somaxconn", "-", "-");
	tct_sysctl_files_free(NULL);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("all");

	tcase_add_test(cases, the_first_directory_wins_a_name);
	tcase_add_test(cases, files_merge_in_byte_order_across_directories);
	tcase_add_test(cases, split_usr);
	tcase_add_test(cases, merged_usr_is_read_once);
	tcase_add_test(cases, no_name_wins_under_both);
	tcase_add_test(cases, sysctl_conf_through_a_link);
	tcase_add_test(cases, sysctl_conf_that_is_no_file);
	tcase_add_test(cases, masks);
	tcase_add_test(cases, hidden_files_are_for_procps);
	tcase_add_test(cases, nothing_is_opened_that_is_no_file);
	tcase_add_test(cases, no_link_leads_out_of_the_root);
	tcase_add_test(cases, the_credential_is_systemds_last);
	tcase_add_loop_test(cases, lines, 0, (int)TCT_COUNT(line_cases));
	tcase_add_test(cases, what_the_table_and_the_kernel_say);
	tcase_add_test(cases, long_lines);
	tcase_add_test(cases, a_long_key);
	tcase_add_loop_test(cases, bounds, 0, 4);
	tcase_add_test(cases, as_much_as_is_allowed);
	tcase_add_test(cases, faults_are_bounded);
	tcase_add_test(cases, which_applier);
	tcase_add_test(cases, an_empty_root);
	return run_cases("sysctl_files", cases);
}
