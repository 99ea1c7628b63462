/* Counting in bounded memory: exact while there is room, within 2 n / k beyond. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/frequent.h"
#include "core/mem.h"

struct entry {
	uint32_t total;
	uint32_t missing;
	uint64_t key;
	int64_t extra;
};

static void begin(struct tct_frequent *frequent, size_t capacity)
{
	ck_assert_int_eq(
		tct_frequent_init(frequent, sizeof(uint64_t), sizeof(struct entry), capacity), 0);
}

static int64_t count_of(const struct tct_frequent *frequent, uint64_t key)
{
	const struct entry *entry = tct_frequent_find(frequent, &key);

	return entry != NULL ? (int64_t)entry->total : 0;
}

START_TEST(exact_while_there_is_room)
{
	TCT_AUTO(tct_frequent_done) struct tct_frequent frequent;

	begin(&frequent, 100);
	for (uint64_t round = 0; round < 100; round++) {
		for (uint64_t key = round; key < 100; key++) {
			struct entry *entry = tct_frequent_add(&frequent, &key, 1);

			ck_assert_ptr_nonnull(entry);
			ck_assert_uint_eq(entry->key, key);
			entry->extra += (int64_t)key;
		}
	}
	ck_assert_uint_eq(frequent.count, 100);
	ck_assert_uint_eq(frequent.lost, 0);
	ck_assert_uint_eq(frequent.dropped, 0);
	for (uint64_t key = 0; key < 100; key++) {
		const struct entry *entry = tct_frequent_find(&frequent, &key);

		ck_assert_int_eq(entry->total, (int64_t)key + 1);
		ck_assert_uint_eq(entry->missing, 0);
		ck_assert_int_eq(entry->extra, (int64_t)(key * (key + 1)));
	}
	ck_assert_ptr_null(tct_frequent_find(&frequent, &(uint64_t){ 100 }));
	tct_frequent_clear(&frequent);
	ck_assert_uint_eq(frequent.count, 0);
	ck_assert_ptr_null(tct_frequent_find(&frequent, &(uint64_t){ 5 }));
}
END_TEST

/* Few frequent kinds among very many rare ones, in any order. */
START_TEST(bounded_beyond)
{
	enum { CAPACITY = 64, FREQUENT = 10, RARE = 20000, EACH = 2000 };
	TCT_AUTO(tct_frequent_done) struct tct_frequent frequent;
	const int64_t all = FREQUENT * EACH + RARE;
	int64_t counted[FREQUENT] = { 0 };
	uint64_t seed = 12345;
	int64_t listed = 0;

	begin(&frequent, CAPACITY);
	for (int64_t i = 0; i < all; i++) {
		uint64_t key;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
		key = (seed >> 33) % 2 == 0 ? (seed >> 40) % FREQUENT : 1000 + (uint64_t)i;
		if (key < FREQUENT)
			counted[key]++;
		(void)tct_frequent_add(&frequent, &key, 1);
		ck_assert_uint_le(frequent.count, CAPACITY);
	}
	ck_assert_uint_gt(frequent.lost, 0);
	ck_assert_int_le(frequent.dropped, 2 * all / CAPACITY);
	for (uint64_t key = 0; key < FREQUENT; key++) {
		const struct entry *entry = tct_frequent_find(&frequent, &key);

		ck_assert_ptr_nonnull(entry);
		ck_assert_int_le(entry->total, counted[key]);
		ck_assert_int_ge((int64_t)entry->total + entry->missing, counted[key]);
		ck_assert_uint_le(entry->missing, frequent.dropped);
		listed += entry->total;
	}
	for (size_t i = 0; i < frequent.count; i++) {
		const struct entry *entry = tct_frequent_at(&frequent, i);

		listed += entry->key < FREQUENT ? 0 : entry->total;
	}
	ck_assert_int_eq(listed + (int64_t)frequent.lost, all);
}
END_TEST

START_TEST(what_is_kept_of_a_kind_stays_with_it)
{
	TCT_AUTO(tct_frequent_done) struct tct_frequent frequent;

	begin(&frequent, 3);
	for (uint64_t key = 1; key <= 3; key++) {
		for (uint64_t times = 0; times < key; times++) {
			struct entry *entry = tct_frequent_add(&frequent, &key, 1);

			entry->extra = (int64_t)key * 100;
		}
	}
	/* makes room by the median, 2: 1 and 2 go, 3 stays */
	ck_assert_ptr_nonnull(tct_frequent_add(&frequent, &(uint64_t){ 9 }, 1));
	ck_assert_uint_eq(frequent.dropped, 2);
	ck_assert_uint_eq(frequent.lost, 3);
	ck_assert_uint_eq(frequent.count, 2);
	ck_assert_int_eq(count_of(&frequent, 1), 0);
	ck_assert_int_eq(count_of(&frequent, 2), 0);
	ck_assert_int_eq(count_of(&frequent, 3), 3);
	ck_assert_int_eq(((struct entry *)tct_frequent_find(&frequent, &(uint64_t){ 3 }))->extra,
			 300);
	ck_assert_int_eq(((struct entry *)tct_frequent_find(&frequent, &(uint64_t){ 9 }))->extra,
			 0);
	ck_assert_uint_eq(((struct entry *)tct_frequent_find(&frequent, &(uint64_t){ 9 }))->missing,
			  2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frequent");
	TCase *cases = tcase_create("frequent");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(cases, exact_while_there_is_room);
	tcase_add_test(cases, bounded_beyond);
	tcase_add_test(cases, what_is_kept_of_a_kind_stays_with_it);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
