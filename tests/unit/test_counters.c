/* The table of counters: is it in order, and does the running kernel print those names? */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/counters.h"
#include "core/mem.h"
#include "core/root.h"
#include "core/version.h"

START_TEST(counters_are_sorted_and_found)
{
	ck_assert_uint_ge(tct_counters_count, 100);
	for (size_t i = 0; i < tct_counters_count; i++) {
		const struct tct_counter *counter = &tct_counters[i];

		ck_assert_msg(i == 0 || strcmp(counter[-1].name, counter->name) < 0, "%s",
			      counter->name);
		ck_assert_ptr_eq(tct_counter_find(counter->name), counter);
		ck_assert_uint_eq(tct_counter_index(counter), i);
		ck_assert_uint_gt(strlen(counter->summary), 0);
		ck_assert_uint_gt(strlen(counter->source), 0);
		ck_assert_ptr_nonnull(counter->unit);
	}
}
END_TEST

START_TEST(names_are_made_of_line_and_column)
{
	static const char *const files[] = { "", "", "", "sockstat.", "sockstat6.", "", "" };

	for (size_t i = 0; i < tct_counters_count; i++) {
		const struct tct_counter *counter = &tct_counters[i];
		bool level = counter->group == TCT_GROUP_SOCKSTAT ||
			     counter->group == TCT_GROUP_SOCKSTAT6;
		char name[128];

		(void)snprintf(name, sizeof(name), "%s%s.%s", files[counter->group], counter->line,
			       counter->column);
		ck_assert_str_eq(counter->name, name);
		ck_assert_msg(!level || counter->gauge, "%s", name);
		/* softnet's are the only counts of the whole host */
		ck_assert_msg(!counter->host_wide || level || counter->group == TCT_GROUP_SOFTNET,
			      "%s", name);
		ck_assert_msg(counter->group != TCT_GROUP_SOFTNET || counter->host_wide, "%s",
			      name);
	}
	ck_assert(tct_counter_find("CurrEstab")->gauge);
	ck_assert(!tct_counter_find("ListenDrops")->gauge);
	ck_assert(tct_counter_find("sockstat.TCP.mem")->host_wide);
	ck_assert(!tct_counter_find("sockstat.TCP.tw")->host_wide);
	ck_assert(!tct_counter_find("conntrack.drop")->host_wide);
	ck_assert(!tct_counter_find("conntrack.drop")->gauge);
	ck_assert(!tct_counter_find("softnet.dropped")->gauge);
}
END_TEST

START_TEST(bare_names_are_found_if_clear)
{
	ck_assert_str_eq(tct_counter_find("ListenOverflows")->name, "TcpExt.ListenOverflows");
	ck_assert_str_eq(tct_counter_find("RetransSegs")->name, "Tcp.RetransSegs");
	ck_assert_str_eq(tct_counter_find("orphan")->name, "sockstat.TCP.orphan");
	ck_assert_str_eq(tct_counter_find("early_drop")->name, "conntrack.early_drop");
	ck_assert_str_eq(tct_counter_find("dropped")->name, "softnet.dropped");
	ck_assert_ptr_null(tct_counter_find("inuse"));
	ck_assert_ptr_null(tct_counter_find("listenoverflows"));
	ck_assert_ptr_null(tct_counter_find("Tcp.ListenOverflows"));
	ck_assert_ptr_null(tct_counter_find(""));
	ck_assert_str_eq(tct_counter_nearest("TcpExt.ListenOverflow"), "TcpExt.ListenOverflows");
	ck_assert_str_eq(tct_counter_nearest("listenoverflows"), "TcpExt.ListenOverflows");
	ck_assert_str_eq(tct_counter_nearest("Tcp.ListenDrop"), "TcpExt.ListenDrops");
	ck_assert_ptr_null(tct_counter_nearest("CoffeeCups"));
}
END_TEST

/* How many columns has the first line, and is one of them called that? */
static size_t count_columns(const char *text, const char *name, bool *found)
{
	size_t length = strcspn(text, "\n");
	size_t columns = 0;

	*found = false;
	for (const char *word = text; word < text + length;) {
		size_t size = strcspn(word, " \n");

		*found |= size == strlen(name) && strncmp(word, name, size) == 0;
		columns += size > 0 ? 1 : 0;
		word += size + strspn(word + size, " ");
	}
	return columns;
}

/* Is there a line "Tcp: ... column ..."? */
static bool prints(const char *text, const struct tct_counter *counter)
{
	bool found = false;

	if (counter->group == TCT_GROUP_CONNTRACK || counter->group == TCT_GROUP_SOFTNET) {
		size_t columns = count_columns(text, counter->column, &found);

		return counter->group == TCT_GROUP_SOFTNET ? columns >= 11 : found;
	}

	size_t prefix = strlen(counter->line);
	size_t size = strlen(counter->column);

	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");

		if (length > prefix && strncmp(line, counter->line, prefix) == 0 &&
		    line[prefix] == ':') {
			for (const char *word = line + prefix + 1; word < line + length;) {
				word += strspn(word, " ");
				if (strcspn(word, " \n") == size &&
				    strncmp(word, counter->column, size) == 0)
					return true;
				word += strcspn(word, " \n");
			}
		}
		line += length + (line[length] == '\n' ? 1 : 0);
	}
	return false;
}

START_TEST(this_kernel_prints_them)
{
	static const char *const files[] = { "proc/net/snmp",        "proc/net/netstat",
					     "proc/net/netstat",     "proc/net/sockstat",
					     "proc/net/sockstat6",   "proc/net/stat/nf_conntrack",
					     "proc/net/softnet_stat" };
	TCT_AUTO(tct_root_done) struct tct_root root = { .fd = -1 };
	struct utsname system;
	bool strict;

	ck_assert_int_eq(uname(&system), 0);
	/* Older kernels lack some that aren't marked: nothing that would be wrong here. */
	strict = tct_version_parse(system.release) >= TCT_VERSION(6, 12);
	ck_assert_int_eq(tct_root_open(&root, NULL, NULL), 0);
	for (size_t i = 0; i < tct_counters_count; i++) {
		const struct tct_counter *counter = &tct_counters[i];
		TCT_AUTOFREE char *text = NULL;

		if (tct_root_read(&root, files[counter->group], 1 << 20, &text, NULL) < 0) {
			ck_assert(counter->group == TCT_GROUP_SOCKSTAT6 ||
				  counter->group == TCT_GROUP_CONNTRACK);
			continue;
		}
		ck_assert_msg(prints(text, counter) || counter->optional || !strict, "%s",
			      counter->name);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("counters");
	TCase *tests = tcase_create("counters");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, counters_are_sorted_and_found);
	tcase_add_test(tests, names_are_made_of_line_and_column);
	tcase_add_test(tests, bare_names_are_found_if_clear);
	tcase_add_test(tests, this_kernel_prints_them);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
