#include "tests/unit/journal_world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/scratch.h"

struct tct_err journal_err;
const struct tct_netns journal_host = { .initial = true };
const struct tct_netns journal_other = { .name = "blue", .inode = 4026532000, .cookie = 77 };

static void parse(const char *key, const char *text, struct tct_value *value)
{
	ck_assert_int_eq(tct_value_parse(tct_kernel_key_find(key), text, value, NULL), 0);
}

/* A key that goes from one value to another, with a line in the drop-in. */
void journal_add(struct tct_transaction *transaction, const char *name, const char *before,
		 const char *after, bool owned)
{
	struct tct_journal_key *key = TCT_APPEND(transaction, keys);

	ck_assert_ptr_nonnull(key);
	key->key = tct_kernel_key_find(name);
	ck_assert_ptr_nonnull(key->key);
	parse(name, before, &key->before);
	parse(name, after, &key->after);
	parse(name, owned ? before : after, &key->baseline);
	if (owned)
		parse(name, after, &key->boot_after);
	else
		parse(name, before, &key->boot_before);
	key->live_owned = owned;
	key->because = strdup("so that \"nothing\" is lost \xe2\x80\x94 ever");
}

struct tct_transaction journal_make(enum tct_transaction_kind kind, const struct tct_netns *netns)
{
	struct tct_transaction transaction = {
		.kind = kind,
		.time_ns = 1700000000123456789,
		.profiles = strdup("base,highconn"),
		.profile_sha256 = strdup("abc"),
		.variables = json_pack("{s:s}", "tw_buckets", "400000"),
		.reason = strdup("noon \n overflow"),
		.user = strdup("alice (root)"),
		.boot_id = "11111111-2222-3333-4444-555555555555",
		.netns = *netns,
		.live = true,
		.persisted = true,
		.drop_in_after_sha256 = "feed",
	};

	return transaction;
}

struct tct_journal *journal_reopen(struct tct_journal *journal, bool writable)
{
	struct tct_journal *fresh = NULL;

	tct_journal_free(journal);
	ck_assert_msg(tct_journal_open(&scratch_root, writable, &fresh, &journal_err) == 0, "%s",
		      journal_err.message);
	return fresh;
}

/* One committed apply of somaxconn 4096 -> to. */
uint64_t journal_apply(struct tct_journal *journal, const char *from, const char *to,
		       const struct tct_netns *netns)
{
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction one = journal_make(TCT_TRANSACTION_APPLY, netns);

	journal_add(&one, "net.core.somaxconn", from, to, true);
	ck_assert_msg(tct_journal_begin(journal, &scratch_root, &one, &journal_err) == 0, "%s",
		      journal_err.message);
	ck_assert_int_eq(
		tct_journal_end(journal, one.id, TCT_TRANSACTION_COMMITTED, NULL, &journal_err), 0);
	return one.id;
}
