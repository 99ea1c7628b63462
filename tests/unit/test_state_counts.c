/* States from the kernel's own counts: when they agree, when churn explains it, when they don't. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "audit/observe/state_counts.h"
#include "core/mem.h"
#include "tests/unit/scratch.h"

/* 1000 ESTABLISHED, 20 CLOSE_WAIT, 5 FIN_WAIT2 (2 of them whole), 30 TIME_WAIT, 3 listeners. */
static struct tct_rare_counts rare_sockets(void)
{
	struct tct_rare_counts rare = { 0 };
	const struct {
		enum tct_state state;
		uint8_t timer;
		bool full;
		unsigned times;
	} made[] = {
		{ TCT_STATE_CLOSE_WAIT, TCT_TIMER_NONE, true, 20 },
		{ TCT_STATE_FIN_WAIT2, TCT_TIMER_NONE, true, 2 },
		{ TCT_STATE_FIN_WAIT2, TCT_TIMER_TIME_WAIT, false, 3 },
		{ TCT_STATE_SYN_RECV, TCT_TIMER_RETRANSMIT, false, 7 }, /* requests */
		{ TCT_STATE_SYN_RECV, TCT_TIMER_NONE, true, 1 },        /* Fast Open */
		{ TCT_STATE_CLOSE, TCT_TIMER_NONE, true, 4 },           /* bound */
		{ TCT_STATE_LAST_ACK, TCT_TIMER_RETRANSMIT, true, 6 },
	};

	for (size_t i = 0; i < TCT_COUNT(made); i++) {
		const struct tct_tcp_socket socket = {
			.state = (uint8_t)made[i].state,
			.timer = made[i].timer,
			.full = made[i].full,
		};

		for (unsigned j = 0; j < made[i].times; j++)
			tct_rare_counts_add(&rare, &socket);
	}
	return rare;
}

static const struct tct_kernel_counts quiet = {
	.inuse = 1000 + 20 + 2 + 1 + 6 + 3,
	.time_wait = 33,
	.curr_estab = 1020,
	.active_opens = 10,
	.opens = 5000,
};

static void check_counts(const int64_t *counts)
{
	ck_assert_int_eq(counts[TCT_STATE_ESTABLISHED], 1000);
	ck_assert_int_eq(counts[TCT_STATE_TIME_WAIT], 30);
	ck_assert_int_eq(counts[TCT_STATE_FIN_WAIT2], 5);
	ck_assert_int_eq(counts[TCT_STATE_SYN_RECV], 8);
	ck_assert_int_eq(counts[TCT_STATE_CLOSE_WAIT], 20);
	ck_assert_int_eq(counts[TCT_STATE_CLOSE], 4);
	ck_assert_int_eq(counts[TCT_STATE_LAST_ACK], 6);
	ck_assert_int_eq(counts[TCT_STATE_LISTEN], 3);
	ck_assert_int_eq(counts[TCT_STATE_SYN_SENT], 0);
}

START_TEST(sources_that_agree)
{
	const struct tct_rare_counts rare = rare_sockets();
	struct tct_kernel_counts older = quiet;
	int64_t counts[TCT_STATE_LIMIT] = { 0 };
	char why[160];

	ck_assert(tct_states_derive(&quiet, &quiet, &rare, 3, counts, why));
	ck_assert_str_eq(why, "");
	check_counts(counts);
	older.curr_estab = 1000; /* kernels that don't count CLOSE_WAIT there */
	memset(counts, 0, sizeof(counts));
	ck_assert(tct_states_derive(&older, &older, &rare, 3, counts, why));
	check_counts(counts);
}
END_TEST

START_TEST(sources_that_do_not_agree)
{
	const struct tct_rare_counts rare = rare_sockets();
	int64_t counts[TCT_STATE_LIMIT] = { [TCT_STATE_CLOSING] = 77 };
	struct tct_kernel_counts wrong = quiet;
	char why[160];

	wrong.curr_estab++;
	ck_assert(!tct_states_derive(&wrong, &wrong, &rare, 3, counts, why));
	ck_assert_str_eq(why, "the kernel's counts disagree: ESTABLISHED 1000 by sockstat, "
			      "CurrEstab 1021, TIME_WAIT 30");
	ck_assert_int_eq(counts[TCT_STATE_CLOSING], 77);
	wrong = quiet;
	wrong.inuse = 10;
	ck_assert(!tct_states_derive(&wrong, &wrong, &rare, 3, counts, why));
	wrong = quiet;
	wrong.time_wait = 2;
	ck_assert(!tct_states_derive(&wrong, &wrong, &rare, 3, counts, why));
	wrong = quiet;
	ck_assert(!tct_states_derive(&wrong, &wrong, &rare, 4, counts, why));
}
END_TEST

START_TEST(what_churn_explains)
{
	const struct tct_rare_counts rare = rare_sockets();
	int64_t counts[TCT_STATE_LIMIT] = { 0 };
	struct tct_kernel_counts after = quiet;
	char why[160];

	/* 50 were opened, 40 closed meanwhile; CurrEstab was read a little later than the others */
	after.opens += 50;
	after.inuse += 10;
	after.curr_estab += 13;
	ck_assert(tct_states_derive(&quiet, &after, &rare, 3, counts, why));
	ck_assert_int_eq(counts[TCT_STATE_ESTABLISHED], 1006);
	after.curr_estab += 400;
	ck_assert(tct_states_derive(&quiet, &after, &rare, 3, counts, why));
	after = quiet;
	after.opens += 5;
	after.curr_estab -= 100; /* that many can't have closed: before and after differ by it */
	ck_assert(tct_states_derive(&quiet, &after, &rare, 3, counts, why));
	after = quiet;
	struct tct_kernel_counts before = quiet;
	struct tct_rare_counts open = rare;

	open.counts[TCT_STATE_CLOSE_WAIT] = 0;
	before.curr_estab = after.curr_estab = 1000;
	after.inuse += 60; /* listeners came; no connection did */
	ck_assert(tct_states_derive(&before, &after, &open, 3, counts, why));
	ck_assert_int_eq(counts[TCT_STATE_ESTABLISHED], 1000);
	after = quiet;
	after.opens += 5;
	before = quiet;
	before.curr_estab -= 100;
	after.curr_estab -= 100;
	ck_assert(!tct_states_derive(&before, &after, &rare, 3, counts, why));
}
END_TEST

START_TEST(counts_of_a_tree)
{
	struct tct_kernel_counts counts;

	scratch_open();
	ck_assert_int_eq(tct_kernel_counts_read(&scratch_root, &counts), -ENOENT);
	scratch_write("proc/net/sockstat", "sockets: used 9\n"
					   "TCP: inuse 5 orphan 0 tw 7 alloc 11 mem 3\n");
	scratch_write("proc/net/snmp", "Tcp: ActiveOpens PassiveOpens CurrEstab\nTcp: 100 20 4\n");
	ck_assert_int_eq(tct_kernel_counts_read(&scratch_root, &counts), 0);
	ck_assert_int_eq(counts.inuse, 5);
	ck_assert_int_eq(counts.time_wait, 7);
	ck_assert_int_eq(counts.allocated, 11);
	ck_assert_int_eq(counts.curr_estab, 4);
	ck_assert_int_eq(counts.active_opens, 100);
	ck_assert_int_eq(counts.opens, 120);
	scratch_write("proc/net/sockstat6", "TCP6: inuse 6\n");
	ck_assert_int_eq(tct_kernel_counts_read(&scratch_root, &counts), 0);
	ck_assert_int_eq(counts.inuse, 11);
	scratch_write("proc/net/sockstat6", "TCP6: inuse many\n");
	ck_assert_int_eq(tct_kernel_counts_read(&scratch_root, &counts), -EBADMSG);
	scratch_write("proc/net/sockstat6", "UDP6: inuse 1\n");
	ck_assert_int_eq(tct_kernel_counts_read(&scratch_root, &counts), -EBADMSG);
	scratch_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state_counts");
	TCase *cases = tcase_create("derive");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(cases, sources_that_agree);
	tcase_add_test(cases, sources_that_do_not_agree);
	tcase_add_test(cases, what_churn_explains);
	tcase_add_test(cases, counts_of_a_tree);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
