/* A journal that grew long: the oldest go, what still counts stays. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mem.h"
#include "tests/unit/journal_world.h"
#include "tests/unit/scratch.h"
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
	ck_assert_uint_eq(prune(journal, JOURNAL_BOOT), 0);
	/* After a boot the other namespace is gone, but its line would be in the drop-in. */
	ck_assert(tct_transaction_stands(tct_journal_find(journal, first)));
	(void)journal_apply(journal, "16384", "32768", &journal_host);
	/* That one may be undone, and then it is the first's again. */
	ck_assert_uint_eq(prune(journal, JOURNAL_BOOT), 0);
	(void)journal_apply(journal, "32768", "65535", &journal_host);
	open.id = 0;
	journal_add(&open, "net.core.somaxconn", "8192", "100", true);
	ck_assert_int_eq(tct_journal_begin(journal, &scratch_root, &open, &journal_err), 0);
	ck_assert_uint_eq(prune(journal, JOURNAL_BOOT),
			  2 + TCT_JOURNAL_MOST + 3 - TCT_JOURNAL_KEPT);
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
	tcase_add_test(tests, pruning_swept);
	suite_add_tcase(suite, tests);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
