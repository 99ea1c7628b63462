/* Interfaces from the files of a tree, good and hostile ones. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/observe/interfaces.h"
#include "core/mem.h"
#include "core/text.h"
#include "tests/unit/scratch.h"

#define HEAD                                                                                       \
	"Inter-|   Receive                                                |  Transmit\n"           \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs " \
	"drop fifo colls carrier compressed\n"

static struct tct_observation *seen;

static void open_all(void)
{
	scratch_open();
	seen = tct_observation_new();
	ck_assert_ptr_nonnull(seen);
}

static void close_all(void)
{
	tct_observation_free(seen);
	scratch_close();
}

static void look(const struct tct_interface_list *first)
{
	ck_assert_int_eq(tct_interfaces_look(&scratch_root, first, seen), 0);
}

START_TEST(numbers_stand_where_the_kernel_puts_them)
{
	scratch_write("proc/net/dev",
		      HEAD "    lo:     101     102  103  104  105   106     107   108     201     "
			   "202  203  204  205   206     207        208\n"
			   "eth0.100:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
	look(NULL);
	ck_assert_int_eq(seen->interfaces_presence, TCT_PRESENT);
	ck_assert_uint_eq(seen->interfaces_count, 2);

	const struct tct_interface *lo = &seen->interfaces[0];

	ck_assert_str_eq(lo->name, "lo");
	ck_assert_int_eq(lo->rx_packets, 102);
	ck_assert_int_eq(lo->rx_errors, 103);
	ck_assert_int_eq(lo->rx_dropped, 104);
	ck_assert_int_eq(lo->tx_errors, 203);
	ck_assert_int_eq(lo->tx_dropped, 204);
	ck_assert_int_eq(lo->rx_packets_first, 102);
	ck_assert_int_eq(lo->tx_dropped_first, 204);
	ck_assert_int_eq(lo->mtu_bytes, -1);
	ck_assert_int_eq(lo->rp_filter, -1);
	ck_assert_str_eq(seen->interfaces[1].name, "eth0.100");
	ck_assert_int_eq(seen->interfaces[1].rx_packets, 2);
	ck_assert_uint_eq(seen->gaps_count, 0);
}
END_TEST

START_TEST(the_larger_reverse_path_filter_counts)
{
	scratch_write("proc/net/dev", HEAD "a:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
					   "b.1:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
					   "c:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
	scratch_write("proc/sys/net/ipv4/conf/all/rp_filter", "1\n");
	scratch_write("proc/sys/net/ipv4/conf/a/rp_filter", "0\n");
	scratch_write("proc/sys/net/ipv4/conf/b.1/rp_filter", "2\n");
	look(NULL);
	ck_assert_int_eq(seen->interfaces[0].rp_filter, 1);
	ck_assert_int_eq(seen->interfaces[1].rp_filter, 2);
	ck_assert_int_eq(seen->interfaces[2].rp_filter, -1);
}
END_TEST

START_TEST(first_looks_are_joined_by_name)
{
	TCT_AUTO(tct_interface_list_done) struct tct_interface_list first = { 0 };

	scratch_write("proc/net/dev", HEAD "a:0 10 1 2 0 0 0 0 0 0 3 4 0 0 0 0\n"
					   "reset:0 900 9 9 0 0 0 0 0 0 9 9 0 0 0 0\n");
	ck_assert_int_eq(tct_interfaces_read(&scratch_root, &first), 0);
	scratch_write("proc/net/dev", HEAD "new:0 50 5 5 0 0 0 0 0 0 5 5 0 0 0 0\n"
					   "reset:0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
					   "a:0 30 6 7 0 0 0 0 0 0 8 9 0 0 0 0\n");
	look(&first);
	ck_assert_int_eq(seen->interfaces[0].rx_packets_first, 50);
	ck_assert_int_eq(seen->interfaces[1].rx_packets_first, 5);
	ck_assert_int_eq(seen->interfaces[2].rx_packets_first, 10);
	ck_assert_int_eq(seen->interfaces[2].rx_errors_first, 1);
	ck_assert_int_eq(seen->interfaces[2].rx_dropped_first, 2);
	ck_assert_int_eq(seen->interfaces[2].tx_errors_first, 3);
	ck_assert_int_eq(seen->interfaces[2].tx_dropped_first, 4);
	ck_assert_int_eq(seen->interfaces[2].tx_dropped, 9);
}
END_TEST

START_TEST(nonsense_is_passed_over)
{
	scratch_write("proc/net/dev", HEAD "..:1 2 3 4 5 6 7 8 9 10 11 12 13\n"
					   "a/b:1 2 3 4 5 6 7 8 9 10 11 12 13\n"
					   "short:1 2 3 4 5 6 7 8 9 10 11\n"
					   "minus:1 -2 3 4 5 6 7 8 9 10 11 12 13\n"
					   "large:1 99999999999999999999 3 4 5 6 7 8 9 10 11 12\n"
					   "sixteen_letters_:1 2 3 4 5 6 7 8 9 10 11 12 13\n"
					   ":1 2 3 4 5 6 7 8 9 10 11 12 13\nno colon\n\n");
	look(NULL);
	ck_assert_int_eq(seen->interfaces_presence, TCT_PRESENT);
	ck_assert_uint_eq(seen->interfaces_count, 0);
}
END_TEST

START_TEST(a_tree_without_the_file_was_not_looked_at)
{
	look(NULL);
	ck_assert_int_eq(seen->interfaces_presence, TCT_NOT_LOOKED);
	ck_assert_uint_eq(seen->gaps_count, 0);
}
END_TEST

START_TEST(beyond_the_most_is_a_gap)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	tct_text_add(&text, HEAD);
	for (int i = 0; i < TCT_INTERFACES_MAX + 44; i++)
		tct_text_addf(&text, "veth%d: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", i);
	ck_assert(!text.failed);
	scratch_write("proc/net/dev", text.data);
	look(NULL);
	ck_assert_uint_eq(seen->interfaces_count, TCT_INTERFACES_MAX);
	ck_assert_str_eq(seen->interfaces[TCT_INTERFACES_MAX - 1].name, "veth255");
	ck_assert_uint_eq(seen->gaps_count, 1);
	ck_assert_str_eq(seen->gaps[0].why, "300 are there, only the first 256 were looked at");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("interfaces");
	TCase *cases = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, open_all, close_all);
	tcase_add_test(cases, numbers_stand_where_the_kernel_puts_them);
	tcase_add_test(cases, the_larger_reverse_path_filter_counts);
	tcase_add_test(cases, first_looks_are_joined_by_name);
	tcase_add_test(cases, nonsense_is_passed_over);
	tcase_add_test(cases, a_tree_without_the_file_was_not_looked_at);
	tcase_add_test(cases, beyond_the_most_is_a_gap);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
