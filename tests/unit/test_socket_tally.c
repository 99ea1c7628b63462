/* Sockets counted in bounded memory: the tally of groups, and the inodes whose process is sought.
 */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/socket_inodes.h"
#include "audit/observe/socket_tally.h"
#include "core/mem.h"

enum { KIND = 3 };

static struct tct_tally_key key_of(uint64_t number)
{
	return tct_tally_key_of(KIND, 0, number);
}

static void add(struct tct_tally *tally, uint64_t number, unsigned state, uint32_t count)
{
	struct tct_tally_key key = key_of(number);

	tct_tally_add(tally, &key, state, count);
}

static const struct tct_tally_group *find(const struct tct_tally *tally, uint64_t number)
{
	struct tct_tally_key key = key_of(number);

	for (size_t i = 0; i < tct_tally_count(tally); i++) {
		if (memcmp(&tct_tally_groups(tally)[i].key, &key, sizeof(key)) == 0)
			return &tct_tally_groups(tally)[i];
	}
	return NULL;
}

static uint64_t sum(const struct tct_tally *tally)
{
	uint64_t total = 0;

	for (size_t i = 0; i < tct_tally_count(tally); i++) {
		uint64_t states = 0;

		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
			states += tct_tally_groups(tally)[i].states[state];
		ck_assert_uint_eq(states, tct_tally_groups(tally)[i].total);
		total += states;
	}
	return total;
}

START_TEST(few_groups_are_counted_exactly)
{
	struct tct_tally tally;
	struct tct_tally_key v4 = { .kind = KIND, .family = AF_INET, .id = { 7 } };
	struct tct_tally_key v6 = { .kind = KIND, .family = AF_INET6, .id = { 7 } };
	struct tct_tally_key side = { .kind = KIND, .family = AF_INET, .side = 1, .id = { 7 } };

	ck_assert_int_eq(tct_tally_init(&tally, TCT_TALLY_GROUPS), 0);
	for (unsigned i = 0; i < 1000; i++)
		add(&tally, i % 10, TCT_STATE_ESTABLISHED + i % 2, 1);
	add(&tally, 3, TCT_STATE_LISTEN, 0); /* nothing */
	add(&tally, 3, TCT_STATE_LIMIT, 1);
	tct_tally_add(&tally, &v4, TCT_STATE_LISTEN, 1);
	tct_tally_add(&tally, &v6, TCT_STATE_LISTEN, 2);
	tct_tally_add(&tally, &side, TCT_STATE_LISTEN, 3);
	ck_assert_uint_eq(tct_tally_count(&tally), 13);
	for (unsigned i = 0; i < 10; i++) {
		const struct tct_tally_group *group = find(&tally, i);

		ck_assert_ptr_nonnull(group);
		ck_assert_uint_eq(group->total, 100);
		ck_assert_uint_eq(group->states[TCT_STATE_ESTABLISHED + i % 2], 100);
		ck_assert_uint_eq(group->missing, 0);
		ck_assert_uint_eq(tct_tally_number(&group->key), i);
	}
	ck_assert_uint_eq(sum(&tally), 1006);
	tct_tally_clear(&tally);
	ck_assert_uint_eq(tct_tally_count(&tally), 0);
	add(&tally, UINT64_MAX, 1, 5);
	ck_assert_uint_eq(find(&tally, UINT64_MAX)->total, 5);
	ck_assert_uint_eq(sum(&tally), 5);
	tct_tally_done(&tally);
}
END_TEST

/* A random stream of many groups, a few of them large; then each bound, against true counts. */
static void try_stream(size_t most, unsigned groups, unsigned length, unsigned large)
{
	TCT_AUTOFREE uint32_t *truth = calloc(groups, sizeof(*truth));
	struct tct_tally tally;
	uint64_t listed;

	ck_assert_ptr_nonnull(truth);
	ck_assert_int_eq(tct_tally_init(&tally, most), 0);
	for (unsigned i = 0; i < length; i++) {
		unsigned group = (unsigned)(random() % (i % 3 == 0 ? large : groups));

		truth[group]++;
		add(&tally, group, 1 + i % 11, 1);
		if (tct_tally_count(&tally) > most)
			ck_abort_msg("%zu groups", tct_tally_count(&tally));
	}
	ck_assert_uint_le((uint64_t)tally.kinds.dropped * most, 2 * (uint64_t)length);
	listed = sum(&tally);
	ck_assert_uint_eq(listed + tally.kinds.lost, length);
	for (unsigned i = 0; i < groups; i++) {
		const struct tct_tally_group *group = find(&tally, i);

		if (group == NULL) {
			ck_assert_uint_le(truth[i], tally.kinds.dropped);
			continue;
		}
		ck_assert_uint_le(group->total, truth[i]);
		ck_assert_uint_ge((uint64_t)group->total + group->missing, truth[i]);
		ck_assert_uint_le(group->missing, tally.kinds.dropped);
	}
	for (unsigned i = 0; i < large && truth[i] > 2 * (size_t)length / most; i++)
		ck_assert_ptr_nonnull(find(&tally, i));
	tct_tally_done(&tally);
}

START_TEST(many_groups_stay_within_memory_and_bound)
{
	srandom(20261125);
	try_stream(2, 9, 1000, 1);
	try_stream(16, 500, 20000, 3);
	try_stream(64, 60, 20000, 3); /* they fit */
	try_stream(128, 128, 20000, 9);
	try_stream(128, 129, 20000, 9);
	try_stream(512, 20000, 100000, 20);
}
END_TEST

START_TEST(large_groups_are_found_behind_a_flood_of_small_ones)
{
	struct tct_tally tally;
	const unsigned flood = 300000;

	ck_assert_int_eq(tct_tally_init(&tally, TCT_TALLY_GROUPS), 0);
	for (unsigned i = 0; i < flood; i++)
		add(&tally, 1000 + i, TCT_STATE_SYN_RECV, 1);
	for (unsigned i = 0; i < 5000; i++) {
		add(&tally, 7, TCT_STATE_ESTABLISHED, 1);
		add(&tally, 1000 + flood + i, TCT_STATE_SYN_RECV, 1);
	}
	ck_assert_uint_eq(find(&tally, 7)->total, 5000);
	ck_assert_uint_gt(find(&tally, 7)->missing, 0);
	ck_assert_uint_le(find(&tally, 7)->missing, 2 * flood / TCT_TALLY_GROUPS);
	ck_assert_uint_eq(sum(&tally) + tally.kinds.lost, flood + 10000);
	tct_tally_done(&tally);
}
END_TEST

START_TEST(groups_of_another_tally_are_added_under_new_keys)
{
	struct tct_tally from;
	struct tct_tally into;

	ck_assert_int_eq(tct_tally_init(&from, 64), 0);
	ck_assert_int_eq(tct_tally_init(&into, 64), 0);
	for (unsigned i = 0; i < 40; i++)
		add(&from, i, 1 + i % 2, i + 1);
	add(&into, 3, TCT_STATE_LISTEN, 9);
	for (size_t i = 0; i < tct_tally_count(&from); i++) {
		struct tct_tally_key key =
			key_of(tct_tally_number(&tct_tally_groups(&from)[i].key) % 4);

		tct_tally_add_group(&into, &key, &tct_tally_groups(&from)[i]);
	}
	ck_assert_uint_eq(tct_tally_count(&into), 4);
	ck_assert_uint_eq(sum(&into), 40 * 41 / 2 + 9);
	ck_assert_uint_eq(find(&into, 3)->states[TCT_STATE_LISTEN], 9);
	ck_assert_uint_eq(find(&into, 3)->states[2], 4 + 8 + 12 + 16 + 20 + 24 + 28 + 32 + 36 + 40);
	tct_tally_done(&from);
	tct_tally_done(&into);
}
END_TEST

static void add_inode(struct tct_socket_inodes *inodes, unsigned side, unsigned state,
		      uint32_t inode)
{
	ck_assert_int_eq(tct_inodes_add(inodes, side, state, inode), 0);
}

START_TEST(inodes_are_found_counted_once_and_left_over)
{
	static const uint32_t some[] = { 5, 0xffffffff, 1, 0x80000000, 7, 0x7fffffff, 2, 3 };
	struct tct_socket_inodes inodes = { 0 };
	struct tct_holder first = { 0 };
	struct tct_holder second = { 0 };
	uint32_t unseen[TCT_SIDES][TCT_STATE_LIMIT];

	for (size_t i = 0; i < TCT_COUNT(some); i++)
		add_inode(&inodes, 0, TCT_STATE_ESTABLISHED, some[i]);
	add_inode(&inodes, 1, TCT_STATE_ESTABLISHED, 5); /* MPTCP: one inode, several sockets */
	add_inode(&inodes, 1, TCT_STATE_CLOSE_WAIT, 9);
	add_inode(&inodes, 1, TCT_STATE_CLOSE_WAIT, 9);
	ck_assert_int_eq(tct_inodes_sort(&inodes), 0);
	for (size_t i = 1; i < TCT_COUNT(some); i++)
		ck_assert_uint_lt(inodes.sets[0][1].items[i - 1], inodes.sets[0][1].items[i]);
	ck_assert_uint_eq(inodes.left, 11);

	ck_assert_int_eq(tct_holder_begin(&first, &inodes, 100), 0);
	ck_assert_int_eq(tct_holder_begin(&second, &inodes, 200), 0);
	for (unsigned i = 0; i < 3; i++) { /* descriptors of dup() */
		tct_inodes_see(&inodes, &first, 5);
		tct_inodes_see(&inodes, &second, 5);
		tct_inodes_see(&inodes, &first, 9);
		tct_inodes_see(&inodes, &first, 4);
		tct_inodes_see(&inodes, &first, 0);
		tct_inodes_see(&inodes, &second, 0xffffffff);
	}
	ck_assert_uint_eq(first.counts[0][TCT_STATE_ESTABLISHED], 1);
	ck_assert_uint_eq(first.counts[1][TCT_STATE_ESTABLISHED], 1);
	ck_assert_uint_eq(first.counts[1][TCT_STATE_CLOSE_WAIT], 2);
	ck_assert_uint_eq(second.counts[0][TCT_STATE_ESTABLISHED], 2);
	ck_assert_uint_eq(second.counts[1][TCT_STATE_ESTABLISHED], 1);
	ck_assert_uint_eq(inodes.left, 11 - 2 - 2 - 1);

	/* Another process begins with nothing. */
	ck_assert_int_eq(tct_holder_begin(&first, &inodes, 300), 0);
	ck_assert(!first.used);
	tct_inodes_see(&inodes, &first, 5);
	ck_assert_uint_eq(first.counts[0][TCT_STATE_ESTABLISHED], 1);
	ck_assert_uint_eq(first.counts[1][TCT_STATE_CLOSE_WAIT], 0);
	ck_assert_uint_eq(inodes.left, 6);
	tct_inodes_unseen(&inodes, unseen);
	ck_assert_uint_eq(unseen[0][TCT_STATE_ESTABLISHED], 6);
	ck_assert_uint_eq(unseen[1][TCT_STATE_CLOSE_WAIT], 0);
	tct_holder_done(&first);
	tct_holder_done(&second);
	tct_inodes_done(&inodes);
}
END_TEST

START_TEST(inodes_have_a_limit_and_any_order)
{
	struct tct_socket_inodes inodes = { 0 };
	struct tct_holder holder = { 0 };
	const struct tct_inode_set *set = &inodes.sets[0][1];
	size_t wrong = 0; /* asserting each would take long */

	for (uint32_t i = 0; i < TCT_INODES_MAX; i++)
		wrong += tct_inodes_add(&inodes, 0, 1, i * 2654435761U | 1) != 0;
	ck_assert_int_eq(tct_inodes_add(&inodes, 0, 2, 8), -E2BIG);
	ck_assert_int_eq(tct_inodes_sort(&inodes), 0);
	for (size_t i = 1; i < set->items_count; i++)
		wrong += set->items[i - 1] > set->items[i];
	ck_assert_uint_eq(wrong, 0);
	ck_assert_int_eq(tct_holder_begin(&holder, &inodes, 1), 0);
	tct_inodes_see(&inodes, &holder, 2654435761U | 1);
	tct_inodes_see(&inodes, &holder, 8);
	ck_assert_uint_ge(holder.counts[0][1], 1);
	ck_assert_uint_lt(inodes.left, TCT_INODES_MAX);
	tct_holder_done(&holder);
	tct_inodes_clear(&inodes);
	ck_assert_uint_eq(inodes.count, 0);
	tct_inodes_done(&inodes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("socket_tally");
	TCase *tally = tcase_create("tally");
	TCase *inodes = tcase_create("inodes");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tally, 30); /* beside much other work */
	tcase_set_timeout(inodes, 30);
	tcase_add_test(tally, few_groups_are_counted_exactly);
	tcase_add_test(tally, many_groups_stay_within_memory_and_bound);
	tcase_add_test(tally, large_groups_are_found_behind_a_flood_of_small_ones);
	tcase_add_test(tally, groups_of_another_tally_are_added_under_new_keys);
	tcase_add_test(inodes, inodes_are_found_counted_once_and_left_over);
	tcase_add_test(inodes, inodes_have_a_limit_and_any_order);
	suite_add_tcase(suite, tally);
	suite_add_tcase(suite, inodes);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
