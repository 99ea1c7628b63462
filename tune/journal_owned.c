/* Questions to the journal: which transaction is meant, and what is ours. */
#include <errno.h>
#include <string.h>

#include "core/mem.h"
#include "tune/journal.h"

bool tct_transaction_in(const struct tct_transaction *transaction, const struct tct_netns *netns,
			const char *boot_id)
{
	const struct tct_netns *other = &transaction->netns;

	if (other->initial || netns->initial)
		return other->initial && netns->initial;
	if (strcmp(transaction->boot_id, boot_id) != 0)
		return false;
	if (other->cookie != 0 && netns->cookie != 0)
		return other->cookie == netns->cookie;
	return other->inode == netns->inode;
}

bool tct_transaction_stands(const struct tct_transaction *transaction)
{
	return transaction->kind == TCT_TRANSACTION_APPLY && transaction->undone_by == 0 &&
	       (transaction->state == TCT_TRANSACTION_COMMITTED ||
		transaction->state == TCT_TRANSACTION_WAITING ||
		transaction->state == TCT_TRANSACTION_STUCK);
}

bool tct_transaction_waits(const struct tct_transaction *transaction)
{
	return transaction->state == TCT_TRANSACTION_WAITING && transaction->undone_by == 0;
}

bool tct_transaction_rules(const struct tct_transaction *transaction)
{
	return tct_transaction_stands(transaction) && !transaction->additive &&
	       transaction->state != TCT_TRANSACTION_STUCK;
}

bool tct_transaction_has_lines(const struct tct_transaction *transaction)
{
	return transaction->persisted && !transaction->deferred &&
	       (transaction->state != TCT_TRANSACTION_STUCK || transaction->drop_in_stuck);
}

const struct tct_journal_key *tct_transaction_key(const struct tct_transaction *transaction,
						  const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < transaction->keys_count; i++) {
		if (transaction->keys[i].key == key)
			return &transaction->keys[i];
	}
	return NULL;
}

bool tct_transaction_changed_drop_in(const struct tct_transaction *transaction)
{
	if (!transaction->persisted || transaction->deferred)
		return false;
	if (strcmp(transaction->drop_in_before_sha256, transaction->drop_in_after_sha256) != 0)
		return true;
	for (size_t i = 0; i < transaction->keys_count; i++) {
		if (!tct_value_equal(&transaction->keys[i].boot_before,
				     &transaction->keys[i].boot_after))
			return true;
	}
	return false;
}

const struct tct_transaction *tct_journal_left_over(const struct tct_journal *journal,
						    const struct tct_transaction *transaction)
{
	const struct tct_transaction *rollback =
		transaction->undone_by != 0 ? tct_journal_find(journal, transaction->undone_by)
					    : NULL;

	if (rollback == NULL || rollback->drop_in_left)
		return rollback;
	for (size_t i = 0; i < rollback->keys_count; i++) {
		if (rollback->keys[i].left)
			return rollback;
	}
	return NULL;
}

struct tct_transaction *tct_journal_newest(const struct tct_journal *journal,
					   const struct tct_netns *netns, const char *boot_id)
{
	for (size_t i = journal->transactions_count; i-- > 0;) {
		struct tct_transaction *transaction = &journal->transactions[i];

		if (tct_transaction_stands(transaction) &&
		    tct_transaction_in(transaction, netns, boot_id))
			return transaction;
	}
	return NULL;
}

struct tct_transaction *tct_journal_interrupted(const struct tct_journal *journal)
{
	for (size_t i = journal->transactions_count; i-- > 0;) {
		if (journal->transactions[i].state == TCT_TRANSACTION_OPEN)
			return &journal->transactions[i];
	}
	return NULL;
}

struct tct_transaction *tct_journal_waiting(const struct tct_journal *journal,
					    const struct tct_netns *netns, const char *boot_id)
{
	for (size_t i = journal->transactions_count; i-- > 0;) {
		struct tct_transaction *transaction = &journal->transactions[i];

		if (tct_transaction_waits(transaction) &&
		    tct_transaction_in(transaction, netns, boot_id))
			return transaction;
	}
	return NULL;
}

static struct tct_owned *slot(struct tct_owned_set *owned, const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < owned->items_count; i++) {
		if (owned->items[i].key == key)
			return &owned->items[i];
	}

	struct tct_owned *item = TCT_APPEND(owned, items);

	if (item != NULL)
		item->key = key;
	return item;
}

/* What one key of a standing transaction makes ours, or not ours any more. */
static int replay(struct tct_owned_set *owned, const struct tct_transaction *transaction,
		  const struct tct_journal_key *key, bool here, bool boot)
{
	bool stuck = transaction->state == TCT_TRANSACTION_STUCK;
	bool live = here && key->after.kind != TCT_VALUE_NONE && (!stuck || key->stuck);
	struct tct_owned *item;
	int result = 0;

	if (!live && !boot)
		return 0;
	item = slot(owned, key->key);
	if (item == NULL)
		return -ENOMEM;
	item->transaction = transaction->id;
	item->profiles = transaction->profiles;
	if (live) {
		item->live = key->live_owned || stuck;
		result = tct_value_replace(&item->written, &key->after);
		if (result == 0)
			result = tct_value_replace(&item->baseline,
						   key->baseline.kind != TCT_VALUE_NONE
							   ? &key->baseline
							   : &key->before);
	}
	if (boot && result == 0) {
		item->boot = key->boot_after.kind != TCT_VALUE_NONE;
		item->because = key->because;
		result = tct_value_replace(&item->boot_value, &key->boot_after);
	}
	return result;
}

/* What a transaction that tells the whole state doesn't name is not ours after it. */
static void release_rest(struct tct_owned_set *owned, const struct tct_transaction *transaction,
			 bool here, bool boot)
{
	for (size_t i = 0; i < owned->items_count; i++) {
		struct tct_owned *item = &owned->items[i];
		const struct tct_journal_key *key = tct_transaction_key(transaction, item->key);

		if (here && transaction->live && (key == NULL || key->after.kind == TCT_VALUE_NONE))
			item->live = false;
		if (boot && key == NULL)
			item->boot = false;
	}
}

static int by_name(const void *a, const void *b)
{
	const struct tct_owned *left = a;
	const struct tct_owned *right = b;

	return strcmp(left->key->name, right->key->name);
}

int tct_journal_owned(const struct tct_journal *journal, const struct tct_netns *netns,
		      const char *boot_id, uint64_t without, struct tct_owned_set *owned)
{
	size_t kept = 0;

	for (size_t i = 0; i < journal->transactions_count; i++) {
		const struct tct_transaction *transaction = &journal->transactions[i];
		bool here = tct_transaction_in(transaction, netns, boot_id);
		bool boot = tct_transaction_has_lines(transaction);

		if (transaction->id == without || !tct_transaction_stands(transaction))
			continue;
		if (boot)
			owned->drop_in = transaction;
		if (boot &&
		    (owned->written == NULL || strcmp(transaction->drop_in_before_sha256,
						      transaction->drop_in_after_sha256) != 0))
			owned->written = transaction;
		if (tct_transaction_rules(transaction))
			release_rest(owned, transaction, here, boot);
		for (size_t k = 0; k < transaction->keys_count; k++) {
			int result = replay(owned, transaction, &transaction->keys[k], here, boot);

			if (result < 0) {
				tct_owned_set_done(owned);
				return result;
			}
		}
	}
	for (size_t i = 0; i < owned->items_count; i++) {
		struct tct_owned *item = &owned->items[i];

		if (item->live || item->boot) {
			struct tct_owned moved = *item;

			*item = (struct tct_owned){ 0 };
			owned->items[kept++] = moved;
		} else {
			tct_value_done(&item->written);
			tct_value_done(&item->baseline);
			tct_value_done(&item->boot_value);
		}
	}
	owned->items_count = kept;
	if (kept > 1)
		qsort(owned->items, kept, sizeof(*owned->items), by_name);
	if (tct_journal_owned_modules(journal, without, owned) < 0) {
		tct_owned_set_done(owned);
		return -ENOMEM;
	}
	return 0;
}

const struct tct_owned *tct_owned_find(const struct tct_owned_set *owned,
				       const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < owned->items_count; i++) {
		if (owned->items[i].key == key)
			return &owned->items[i];
	}
	return NULL;
}

const struct tct_value *tct_owned_line(const struct tct_owned_set *owned,
				       const struct tct_kernel_key *key)
{
	static const struct tct_value none = { 0 };
	const struct tct_owned *item = tct_owned_find(owned, key);

	return item != NULL && item->boot ? &item->boot_value : &none;
}

void tct_owned_set_done(struct tct_owned_set *owned)
{
	for (size_t i = 0; i < owned->items_count; i++) {
		tct_value_done(&owned->items[i].written);
		tct_value_done(&owned->items[i].baseline);
		tct_value_done(&owned->items[i].boot_value);
	}
	free(owned->items);
	free(owned->modules);
	*owned = (struct tct_owned_set){ 0 };
}
