/* A journal that grew long: the oldest go, what still counts stays. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/unit/journal_world.h"
#include "tests/unit/scratch.h"
#include "tune/asked.h"
#include "tune/journal_chain.h"
#include "tune/journal_prune.h"

/* A committed rollback. */
static void roll_back(struct tct_journal *journal, uint64_t undoes, const char *from,
		      const char *to)
{
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction back = journal_make(TCT_TRANSACTION_ROLLBACK, &journal_host);

	back.undoes = undoes;
	journal_add(&back, "net.core.somaxconn", from, to, false);
	ck_assert_int_eq(tct_journal_begin(journal, &scratch_root, &back, &journal_err), 0);
	ck_assert_int_eq(
		tct_journal_end(journal, back.id, TCT_TRANSACTION_COMMITTED, NULL, &journal_err),
		0);
}

static size_t prune(struct tct_journal *journal, const char *boot_id)
{
	size_t dropped = 0;

	ck_assert_int_eq(tct_journal_prune(journal, &scratch_root, boot_id, &dropped), 0);
	return dropped;
}

/* What is ours is the same before and after, the file keeps its mode, numbers go on. */
START_TEST(pruning)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set before = { 0 };
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set after = { 0 };
	TCT_AUTOFREE char *whole = NULL;
	TCT_AUTOFREE char *kept = NULL;
	TCT_AUTOFREE char *names = NULL;
	struct stat status;

	for (int i = 0; i < TCT_JOURNAL_MOST; i++)
		(void)journal_apply(journal, i % 2 == 0 ? "4096" : "16384",
				    i % 2 == 0 ? "16384" : "4096", &journal_host);
	journal = journal_reopen(journal, true);
	ck_assert_uint_eq(prune(journal, JOURNAL_BOOT), 0);
	(void)journal_apply(journal, "4096", "16384", &journal_host);
	ck_assert_int_eq(tct_journal_owned(journal, &journal_host, JOURNAL_BOOT, 0, &before), 0);
	whole = scratch_read(JOURNAL_FILE);
	ck_assert_int_eq(chmod(scratch_path(JOURNAL_FILE), 0640), 0);
	ck_assert_uint_eq(prune(journal, JOURNAL_BOOT), TCT_JOURNAL_MOST + 1 - TCT_JOURNAL_KEPT);
	journal = journal_reopen(journal, true);
	ck_assert_uint_eq(journal->transactions_count, TCT_JOURNAL_KEPT);
	ck_assert_uint_eq(journal->next_id, TCT_JOURNAL_MOST + 2);
	ck_assert_int_eq(tct_journal_owned(journal, &journal_host, JOURNAL_BOOT, 0, &after), 0);
	ck_assert_uint_eq(after.items_count, before.items_count);
	ck_assert(tct_value_equal(&after.items[0].written, &before.items[0].written));
	ck_assert(tct_value_equal(&after.items[0].baseline, &before.items[0].baseline));
	ck_assert(tct_value_equal(&after.items[0].boot_value, &before.items[0].boot_value));
	/* The end of the file it was, byte for byte. */
	kept = scratch_read(JOURNAL_FILE);
	ck_assert_str_eq(kept, whole + strlen(whole) - strlen(kept));
	ck_assert_int_eq(stat(scratch_path(JOURNAL_FILE), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0640);
	names = scratch_list("var/lib/tcptune");
	ck_assert_str_eq(names, "journal");
	tct_journal_free(journal);
}
END_TEST

/* What still counts stays, however old it is: and so do those after it in its namespace. */
START_TEST(pruning_keeps_what_matters)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction open = journal_make(TCT_TRANSACTION_APPLY, &journal_other);
	uint64_t there = journal_apply(journal, "4096", "8192", &journal_other);
	uint64_t first = journal_apply(journal, "4096", "16384", &journal_host);

	/* Undone in vain: only the first stands, for all of them. */
	for (int i = 0; i < TCT_JOURNAL_MOST / 2; i++) {
		uint64_t id = journal_apply(journal, "16384", "32768", &journal_host);

		roll_back(journal, id, "32768", "16384");
	}
	ck_assert_uint_eq(prune(journal, JOURNAL_BOOT), 2 + TCT_JOURNAL_MOST - TCT_JOURNAL_KEPT);
	journal = journal_reopen(journal, true);
	/* After a boot the other namespace is gone, but its line would be in the drop-in. */
	ck_assert(tct_transaction_stands(tct_journal_find(journal, first)));
	(void)journal_apply(journal, "16384", "32768", &journal_host);
	for (int i = 0; i < (TCT_JOURNAL_MOST - TCT_JOURNAL_KEPT) / 2; i++) {
		uint64_t id = journal_apply(journal, "32768", "40000", &journal_host);

		roll_back(journal, id, "40000", "32768");
	}
	/* That one may be undone, and then it is the first's again. */
	(void)prune(journal, JOURNAL_BOOT);
	journal = journal_reopen(journal, true);
	ck_assert(tct_transaction_stands(tct_journal_find(journal, first)));
	(void)journal_apply(journal, "32768", "65535", &journal_host);
	while (journal->transactions_count < TCT_JOURNAL_MOST)
		(void)journal_apply(journal, "65535", "65535", &journal_host);
	open.id = 0;
	journal_add(&open, "net.core.somaxconn", "8192", "100", true);
	ck_assert_int_eq(tct_journal_begin(journal, &scratch_root, &open, &journal_err), 0);
	ck_assert_uint_eq(prune(journal, JOURNAL_BOOT), TCT_JOURNAL_MOST + 1 - TCT_JOURNAL_KEPT);
	journal = journal_reopen(journal, true);
	/* In this boot the other namespace may exist, and that is all it has. */
	ck_assert_ptr_nonnull(tct_journal_find(journal, there));
	ck_assert_ptr_null(tct_journal_find(journal, first));
	ck_assert_ptr_nonnull(tct_journal_interrupted(journal));
	tct_journal_free(journal);
}
END_TEST

/* A rollback stays as long as what it undid: without it that would stand again. */
START_TEST(pruning_keeps_pairs)
{
	struct tct_journal *journal = journal_reopen(NULL, true);

	for (int i = 0; i <= TCT_JOURNAL_MOST; i++) {
		uint64_t id = journal_apply(journal, "4096", "16384", &journal_host);

		roll_back(journal, id, "16384", "4096");
	}
	ck_assert_uint_eq(prune(journal, JOURNAL_BOOT),
			  2 * (TCT_JOURNAL_MOST + 1) - TCT_JOURNAL_KEPT);
	journal = journal_reopen(journal, true);
	ck_assert_ptr_null(tct_journal_newest(journal, &journal_host, JOURNAL_BOOT));
	for (size_t i = 0; i < journal->transactions_count; i++)
		ck_assert(!tct_transaction_stands(&journal->transactions[i]));
	tct_journal_free(journal);
}
END_TEST

/* --set KEY=VALUE alone, as apply notes it; committed, or stuck with its key. */
static uint64_t set_key(struct tct_journal *journal, const char *key, const char *from,
			const char *to, const char *baseline, bool stuck)
{
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction one = journal_make(TCT_TRANSACTION_APPLY, &journal_host);
	struct tct_journal_key *its;

	journal_add(&one, key, from, to, true);
	tct_value_done(&one.keys[0].baseline);
	ck_assert_int_eq(
		tct_value_parse(one.keys[0].key, baseline, &one.keys[0].baseline, &journal_err), 0);
	one.additive = true;
	one.carries = journal->next_id - 1;
	one.asked = json_pack("{s:s}", key, to);
	one.sets = json_copy(one.asked);
	ck_assert_int_eq(tct_journal_begin(journal, &scratch_root, &one, &journal_err), 0);
	its = tct_journal_find(journal, one.id)->keys;
	its->stuck = stuck;
	ck_assert_int_eq(tct_journal_end(journal, one.id,
					 stuck ? TCT_TRANSACTION_STUCK : TCT_TRANSACTION_COMMITTED,
					 stuck ? "it can't" : NULL, &journal_err),
			 0);
	return one.id;
}

static int64_t back_to(const struct tct_journal *journal, uint64_t id)
{
	const struct tct_transaction *transaction = tct_journal_find(journal, id);
	TCT_AUTO(tct_value_done) struct tct_value value = { 0 };

	ck_assert_int_eq(
		tct_journal_goes_back_to(journal, transaction, &transaction->keys[0], &value), 0);
	return value.numbers[0];
}

/* One that sets single keys says nothing of the others: those stay as long as they are the last
 * word about theirs. */
START_TEST(pruning_of_single_keys)
{
	static const bool stuck[] = { false, true };

	for (size_t kind = 0; kind < TCT_COUNT(stuck); kind++) {
		struct tct_journal *journal = journal_reopen(NULL, true);
		TCT_AUTO(tct_owned_set_done) struct tct_owned_set owned = { 0 };
		uint64_t other =
			set_key(journal, "net.ipv4.tcp_fin_timeout", "60", "30", "60", false);
		uint64_t id = set_key(journal, "net.core.somaxconn", "4096", "5000", "4096", false);

		for (int i = 0; i < TCT_JOURNAL_MOST; i++)
			id = set_key(journal, "net.core.somaxconn", "5000", "5000", "4096",
				     stuck[kind]);
		ck_assert_uint_eq(prune(journal, JOURNAL_BOOT),
				  2 + TCT_JOURNAL_MOST - TCT_JOURNAL_KEPT);
		journal = journal_reopen(journal, true);
		ck_assert_ptr_nonnull(tct_journal_find(journal, other));
		ck_assert_int_eq(tct_journal_owned(journal, &journal_host, JOURNAL_BOOT, 0, &owned),
				 0);
		ck_assert_uint_eq(owned.items_count, 2);
		ck_assert_int_eq(owned.items[0].baseline.numbers[0], 4096);
		ck_assert_int_eq(owned.items[1].baseline.numbers[0], 60);
		/* The oldest that is left of them goes back to the beginning. */
		ck_assert_int_eq(back_to(journal, journal->transactions[1].id), 4096);
		ck_assert_uint_lt(journal->transactions[1].id, id);
		tct_journal_free(journal);
		ck_assert_int_eq(unlink(scratch_path(JOURNAL_FILE)), 0);
	}
}
END_TEST

/* Over a profile that has the key, too: what is left goes back to the profile's. */
START_TEST(pruning_above_a_profile)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	uint64_t profile = journal_apply(journal, "4096", "16384", &journal_host);
	uint64_t by_hand;

	(void)set_key(journal, "net.core.somaxconn", "16384", "5000", "4096", false);
	for (int i = 0; i < TCT_JOURNAL_MOST - 2; i++)
		(void)set_key(journal, "net.core.somaxconn", i % 2 == 0 ? "5000" : "6000",
			      i % 2 == 0 ? "6000" : "5000", "4096", false);
	by_hand = set_key(journal, "net.core.somaxconn", "7777", "5000", "7777", false);
	ck_assert_uint_eq(prune(journal, JOURNAL_BOOT), TCT_JOURNAL_MOST + 1 - TCT_JOURNAL_KEPT);
	for (int again = 0; again < 2; again++) {
		const struct tct_transaction *oldest;

		journal = journal_reopen(journal, true);
		oldest = &journal->transactions[1];
		ck_assert_uint_eq(journal->transactions[0].id, profile);
		ck_assert_int_eq(back_to(journal, oldest->id), 16384);
		/* And what was asked for is what both asked for. */
		ck_assert_uint_eq(oldest->carries, profile);
		ck_assert_uint_eq(journal->transactions[2].carries, oldest->id);
		ck_assert_int_eq(back_to(journal, by_hand), 7777);
		while (journal->transactions_count <= TCT_JOURNAL_MOST)
			(void)set_key(journal, "net.core.somaxconn", "5000", "5000", "7777", false);
		if (again == 0)
			(void)prune(journal, JOURNAL_BOOT);
	}
	tct_journal_free(journal);
}
END_TEST

/* What an additive one carried over from one that is undone since doesn't come back when that one
 * is dropped. */
START_TEST(pruning_forgets_what_is_undone)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTO(tct_asked_done) struct tct_asked asked = { 0 };
	uint64_t profile = journal_apply(journal, "4096", "16384", &journal_host);
	uint64_t first = set_key(journal, "net.ipv4.tcp_fin_timeout", "60", "30", "60", false);
	TCT_AUTOFREE char *sets = NULL;

	ck_assert_uint_eq(tct_journal_find(journal, first)->carries, profile);
	roll_back(journal, profile, "16384", "4096");
	for (int i = 0; i < TCT_JOURNAL_MOST / 2; i++) {
		uint64_t id = journal_apply(journal, "4096", "16384", &journal_host);

		roll_back(journal, id, "16384", "4096");
	}
	ck_assert_uint_gt(prune(journal, JOURNAL_BOOT), 0);
	journal = journal_reopen(journal, true);
	ck_assert_ptr_null(tct_journal_find(journal, profile));
	ck_assert_ptr_nonnull(tct_journal_find(journal, first));
	ck_assert_int_eq(tct_asked_find(journal, &journal_host, JOURNAL_BOOT, &asked), 0);
	ck_assert_uint_eq(asked.names_count, 0);
	sets = json_dumps(asked.sets, JSON_COMPACT);
	ck_assert_str_eq(sets, "{\"net.ipv4.tcp_fin_timeout\":\"30\"}");
	ck_assert_ptr_null(asked.source);
	tct_journal_free(journal);
}
END_TEST

/* What a crash left of a shorter journal is removed, and never read. */
START_TEST(pruning_swept)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTOFREE char *names = NULL;

	(void)journal_apply(journal, "4096", "16384", &journal_host);
	scratch_write("var/lib/tcptune/.journal.new", "half a rec");
	journal = journal_reopen(journal, false);
	ck_assert_uint_eq(journal->transactions_count, 1);
	journal = journal_reopen(journal, true);
	names = scratch_list("var/lib/tcptune");
	ck_assert_str_eq(names, "journal");
	tct_journal_free(journal);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("journal, shortened");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_set_timeout(tests, 40);
	tcase_add_test(tests, pruning);
	tcase_add_test(tests, pruning_keeps_what_matters);
	tcase_add_test(tests, pruning_keeps_pairs);
	tcase_add_test(tests, pruning_of_single_keys);
	tcase_add_test(tests, pruning_above_a_profile);
	tcase_add_test(tests, pruning_forgets_what_is_undone);
	tcase_add_test(tests, pruning_swept);
	suite_add_tcase(suite, tests);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
