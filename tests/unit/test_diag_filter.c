/* Programs for inet_diag: what they accept, and that the kernel's checker would take them. */
#include <check.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/diag_filter.h"
#include "core/mem.h"

/* Is `to` bytes from the start a place on the chain of yes? As valid_cc() asks. */
static bool on_chain(const struct tct_diag_filter *filter, size_t to)
{
	size_t at = 0;

	while (at < to) {
		struct inet_diag_bc_op op;

		memcpy(&op, (const char *)filter->code + at, sizeof(op));
		if (op.yes < 4 || op.yes % 4 != 0)
			return false;
		at += op.yes;
	}
	return at == to;
}

/* As inet_diag_bc_audit() does. */
static void check_program(const struct tct_diag_filter *filter)
{
	size_t at = 0;

	ck_assert_uint_eq(filter->bytes % 4, 0);
	ck_assert_uint_le(filter->bytes, TCT_FILTER_BYTES_MAX);
	while (at < filter->bytes) {
		size_t left = filter->bytes - at;
		struct inet_diag_bc_op op;
		size_t least;

		memcpy(&op, (const char *)filter->code + at, sizeof(op));
		least = op.code == INET_DIAG_BC_JMP || op.code == INET_DIAG_BC_AUTO ? 4 : 8;
		ck_assert_uint_le(least, left);
		ck_assert(op.no >= least && op.no <= left + 4 && op.no % 4 == 0);
		ck_assert(op.yes >= (op.code == INET_DIAG_BC_JMP ? 4 : least));
		if (op.no < left)
			ck_assert(on_chain(filter, at + op.no));
		at += op.yes;
	}
	ck_assert_uint_eq(at, filter->bytes);
}

static bool in_ranges(const struct tct_port_range *ranges, size_t count, uint16_t port)
{
	for (size_t i = 0; i < count; i++) {
		if (port >= ranges[i].first && port <= ranges[i].last)
			return true;
	}
	return false;
}

static void check_ranges(const struct tct_port_range *ranges, size_t count)
{
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };

	ck_assert_int_eq(tct_diag_filter_local_ports(&filter, ranges, count), 0);
	check_program(&filter);
	for (unsigned port = 0; port <= 65535; port++) {
		bool wanted = in_ranges(ranges, count, (uint16_t)port);

		if (tct_diag_filter_accepts(&filter, (uint16_t)port, 80, true) != wanted)
			ck_abort_msg("%zu ranges: port %u, %d wanted", count, port, wanted);
	}
}

START_TEST(ranges_of_local_ports)
{
	static const struct tct_port_range edges[] = {
		{ 0, 0 }, { 2, 79 }, { 81, 81 }, { 443, 1023 }, { 32768, 60999 }, { 65535, 65535 },
	};
	static const struct tct_port_range all[] = { { 0, 65535 } };

	check_ranges(all, 0);
	check_ranges(all, 1);
	for (size_t i = 0; i < TCT_COUNT(edges); i++) {
		check_ranges(edges + i, 1);
		check_ranges(edges, i + 1);
	}
}
END_TEST

START_TEST(as_many_ranges_as_may_be)
{
	static struct tct_port_range ranges[TCT_FILTER_RANGES_MAX + 1];
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };

	for (unsigned i = 0; i < TCT_COUNT(ranges); i++)
		ranges[i] = (struct tct_port_range){ (uint16_t)(i * 60 + i % 7),
						     (uint16_t)(i * 60 + 9 + i % 40) };
	check_ranges(ranges, 3);
	check_ranges(ranges, 256);
	check_ranges(ranges, TCT_FILTER_RANGES_MAX - 1);
	check_ranges(ranges, TCT_FILTER_RANGES_MAX);
	ck_assert_int_eq(tct_diag_filter_local_ports(&filter, ranges, TCT_FILTER_RANGES_MAX + 1),
			 -E2BIG);
}
END_TEST

START_TEST(a_port_at_either_end)
{
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };

	ck_assert_int_eq(tct_diag_filter_port(&filter, 443), 0);
	check_program(&filter);
	ck_assert(tct_diag_filter_accepts(&filter, 443, 50000, false));
	ck_assert(tct_diag_filter_accepts(&filter, 50000, 443, false));
	ck_assert(tct_diag_filter_accepts(&filter, 443, 443, false));
	ck_assert(!tct_diag_filter_accepts(&filter, 442, 444, false));
	ck_assert(!tct_diag_filter_accepts(&filter, 444, 442, false));
	ck_assert(!tct_diag_filter_accepts(&filter, 0, 65535, false));
}
END_TEST

START_TEST(ports_that_the_kernel_chose)
{
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };

	ck_assert_int_eq(tct_diag_filter_automatic(&filter), 0);
	check_program(&filter);
	ck_assert(tct_diag_filter_accepts(&filter, 1, 2, true));
	ck_assert(!tct_diag_filter_accepts(&filter, 1, 2, false));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("diag_filter");
	TCase *cases = tcase_create("filter");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(cases, 30);
	tcase_add_test(cases, ranges_of_local_ports);
	tcase_add_test(cases, as_many_ranges_as_may_be);
	tcase_add_test(cases, a_port_at_either_end);
	tcase_add_test(cases, ports_that_the_kernel_chose);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
