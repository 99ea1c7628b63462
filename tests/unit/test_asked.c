/* What was asked for, all in all: folded over the transactions that stand. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/scratch.h"
#include "tune/asked.h"

static const struct tct_netns host = { .initial = true };
static const struct tct_netns other = { .name = "blue", .inode = 4026532000, .cookie = 77 };
static bool persisted = true; /* what is applied has the drop-in */
static struct tct_journal *journal;
static struct tct_asked asked;
static struct tct_err err;

static void open_it(void)
{
	persisted = true;
	scratch_open();
	ck_assert_int_eq(tct_journal_open(&scratch_root, true, &journal, &err), 0);
}

static void close_it(void)
{
	tct_asked_done(&asked);
	tct_journal_free(journal);
	scratch_close();
}

/* Through the file, as it will be read again. */
static uint64_t put(struct tct_transaction *transaction)
{
	uint64_t id;

	transaction->user = strdup("root");
	ck_assert_msg(tct_journal_begin(journal, &scratch_root, transaction, &err) == 0, "%s",
		      err.message);
	id = transaction->id;
	ck_assert_int_eq(tct_journal_end(journal, id, TCT_TRANSACTION_COMMITTED, NULL, &err), 0);
	tct_transaction_done(transaction);
	return id;
}

/* An apply of a profile; sets is taken, or NULL. */
static uint64_t whole(const char *profile, json_t *sets)
{
	struct tct_transaction made = {
		.netns = host,
		.persisted = persisted,
		.profiles = strdup(profile),
		.profile_names = json_pack("[s]", profile),
		.variables = json_pack("{s:s}", "v", profile),
		.sets = sets,
	};

	return put(&made);
}

/* --set alone, as apply notes it. */
static uint64_t more(const char *key, const char *value)
{
	const struct tct_set_override one = { key, value, "--set" };
	const struct tct_profile_request request = { .sets = &one, .sets_count = 1 };
	struct tct_transaction made = { .netns = host, .persisted = persisted };
	struct tct_profile_set *set = NULL;
	struct tct_facts facts = { 0 };

	tct_asked_done(&asked);
	ck_assert(tct_request_is_additive(&request));
	ck_assert_int_eq(tct_asked_find(journal, &host, "", &asked), 0);
	ck_assert_int_eq(tct_profile_set_load(&request, &facts, &set, &err), 0);
	ck_assert_int_eq(tct_asked_note(&request, set, &asked, &made), 0);
	tct_profile_set_free(set);
	return put(&made);
}

static void undo(uint64_t id)
{
	struct tct_transaction made = {
		.kind = TCT_TRANSACTION_ROLLBACK,
		.netns = host,
		.undoes = id,
	};

	put(&made);
}

/* "highconn|net.core.somaxconn=9000 ...", sorted by when they were said. */
static const char *find(void)
{
	static char text[400];
	size_t used = 0;

	tct_asked_done(&asked);
	text[0] = '\0';
	ck_assert_int_eq(tct_asked_find(journal, &host, "", &asked), 0);
	for (size_t i = 0; i < asked.names_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s|", asked.names[i]);
	for (size_t i = 0; i < asked.given_sets_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s=%s ",
					 asked.given_sets[i].key, asked.given_sets[i].value);
	return text;
}

START_TEST(nothing_was_asked_for)
{
	ck_assert_str_eq(find(), "");
	ck_assert_ptr_null(asked.newest);
	ck_assert_ptr_null(asked.source);
}
END_TEST

START_TEST(single_keys_come_on_top)
{
	whole("highconn", json_pack("{s:s}", "net.core.somaxconn", "9000"));
	more("net.ipv4.tcp_tw_reuse", "1");
	more("net.core.somaxconn", "9001");
	find();
	ck_assert_str_eq(asked.names[0], "highconn");
	ck_assert_uint_eq(asked.given_sets_count, 2);
	ck_assert_str_eq(json_string_value(json_object_get(asked.sets, "net.core.somaxconn")),
			 "9001");
	ck_assert_str_eq(json_string_value(json_object_get(asked.sets, "net.ipv4.tcp_tw_reuse")),
			 "1");
	ck_assert_str_eq(asked.vars[0].name, "v");
	ck_assert_str_eq(asked.vars[0].value, "highconn");
	/* The newest record says all of it, too. */
	ck_assert_str_eq(asked.newest->profiles, "highconn");
	ck_assert_uint_eq(json_object_size(asked.newest->sets), 2);
	ck_assert_uint_eq(json_object_size(asked.newest->asked), 1);
	ck_assert_uint_eq(asked.newest->carries, asked.newest->id - 1);
}
END_TEST

static bool is_live_only(const char *key)
{
	return json_object_get(asked.live_sets, key) != NULL;
}

START_TEST(without_the_drop_in_it_is_promised_live_only)
{
	whole("highconn", json_pack("{s:s}", "net.core.somaxconn", "9000"));
	persisted = false;
	more("net.ipv4.tcp_tw_reuse", "1");
	more("net.core.somaxconn", "9001");
	persisted = true;
	more("net.ipv4.tcp_fin_timeout", "20"); /* carries both on */
	find();
	ck_assert(asked.persists && !asked.live_only);
	ck_assert(is_live_only("net.ipv4.tcp_tw_reuse"));
	ck_assert(is_live_only("net.core.somaxconn"));
	ck_assert(!is_live_only("net.ipv4.tcp_fin_timeout"));
	more("net.core.somaxconn", "9001"); /* now the whole of it */
	find();
	ck_assert(!is_live_only("net.core.somaxconn"));

	persisted = false;
	whole("longlived", NULL);
	find();
	ck_assert(asked.persists && asked.live_only); /* the one before has its lines */
	ck_assert_uint_eq(json_object_size(asked.live_sets), 0);
}
END_TEST

START_TEST(nothing_has_the_drop_in)
{
	persisted = false;
	more("net.ipv4.tcp_tw_reuse", "1");
	find();
	ck_assert(!asked.persists && is_live_only("net.ipv4.tcp_tw_reuse"));
}
END_TEST

START_TEST(a_profile_says_it_anew)
{
	more("net.ipv4.tcp_tw_reuse", "1");
	whole("longlived", NULL);
	ck_assert_str_eq(find(), "longlived|");
}
END_TEST

START_TEST(what_is_undone_is_not_asked_for)
{
	uint64_t first = whole("highconn", NULL);
	uint64_t second = whole("longlived", json_pack("{s:s}", "net.core.somaxconn", "9000"));
	uint64_t third = more("net.ipv4.tcp_tw_reuse", "1");

	ck_assert_str_eq(find(), "longlived|net.ipv4.tcp_tw_reuse=1 net.core.somaxconn=9000 ");
	undo(second); /* the one below it counts again */
	ck_assert_str_eq(find(), "highconn|net.ipv4.tcp_tw_reuse=1 ");
	undo(first);
	ck_assert_str_eq(find(), "net.ipv4.tcp_tw_reuse=1 ");
	ck_assert_ptr_null(asked.source);
	undo(third);
	ck_assert_str_eq(find(), "");
}
END_TEST

START_TEST(what_the_journal_forgot_the_record_knows)
{
	whole("highconn", json_pack("{s:s}", "net.core.somaxconn", "9000"));
	more("net.ipv4.tcp_tw_reuse", "1");
	/* As if the first had been pruned. */
	tct_transaction_done(&journal->transactions[0]);
	journal->transactions[0] = journal->transactions[1];
	journal->transactions_count = 1;
	find();
	ck_assert_str_eq(asked.names[0], "highconn");
	ck_assert_uint_eq(asked.given_sets_count, 2);
	journal->transactions_capacity = 1;
}
END_TEST

START_TEST(other_namespaces_ask_for_their_own)
{
	struct tct_transaction made = { .netns = other, .profiles = strdup("highconn") };

	put(&made);
	ck_assert_str_eq(find(), "");
}
END_TEST

START_TEST(names_may_have_commas_and_older_records_are_split)
{
	struct tct_transaction old = { .netns = host, .profiles = strdup("base,longlived") };

	put(&old);
	ck_assert_str_eq(find(), "base|longlived|");
	whole("/a,b/c.yaml", NULL);
	ck_assert_str_eq(find(), "/a,b/c.yaml|");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("asked");
	TCase *test_case = tcase_create("asked");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test_case);
	tcase_add_checked_fixture(test_case, open_it, close_it);
	tcase_add_test(test_case, nothing_was_asked_for);
	tcase_add_test(test_case, single_keys_come_on_top);
	tcase_add_test(test_case, without_the_drop_in_it_is_promised_live_only);
	tcase_add_test(test_case, nothing_has_the_drop_in);
	tcase_add_test(test_case, a_profile_says_it_anew);
	tcase_add_test(test_case, what_is_undone_is_not_asked_for);
	tcase_add_test(test_case, what_the_journal_forgot_the_record_knows);
	tcase_add_test(test_case, other_namespaces_ask_for_their_own);
	tcase_add_test(test_case, names_may_have_commas_and_older_records_are_split);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
