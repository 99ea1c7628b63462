#include "tune/journal_chain.h"

/* All fields at once. */
enum { WHOLE = -1 };

/* Did it leave this live value behind? */
static bool wrote(const struct tct_transaction *transaction, const struct tct_journal_key *key)
{
	return key->after.kind != TCT_VALUE_NONE && transaction->kind != TCT_TRANSACTION_CONFIRM &&
	       (transaction->state == TCT_TRANSACTION_COMMITTED ||
		transaction->state == TCT_TRANSACTION_WAITING ||
		(transaction->state == TCT_TRANSACTION_STUCK && key->stuck));
}

static bool same(const struct tct_kernel_key *key, int field, const struct tct_value *written,
		 const struct tct_value *found)
{
	if (field == WHOLE || written->kind != TCT_VALUE_NUMBERS ||
	    found->kind != TCT_VALUE_NUMBERS)
		return tct_value_stored_as(key, written, found);
	return written->numbers[field] == found->numbers[field];
}

/* Is that what it left behind? After a boot the drop-in's line has made the value. */
static bool left_behind(const struct tct_journal_key *key, int field, const struct tct_value *found)
{
	return same(key->key, field, &key->after, found) ||
	       (key->boot_after.kind != TCT_VALUE_NONE &&
		same(key->key, field, &key->boot_after, found));
}

/* Where the transactions from this id on begin. */
static size_t place_of(const struct tct_journal *journal, uint64_t id)
{
	size_t i = journal->transactions_count;

	while (i > 0 && journal->transactions[i - 1].id >= id)
		i--;
	return i;
}

/* A rollback lists a vector whole, and has put back only what differs. */
static bool left_alone(const struct tct_transaction *transaction, const struct tct_journal_key *key,
		       int field)
{
	return transaction->kind == TCT_TRANSACTION_ROLLBACK && field != WHOLE &&
	       key->before.numbers[field] == key->after.numbers[field];
}

/*
 * A rollback went the same way, from what was there before what it undid. Not named by that one:
 * from what the rollback found. NULL: it is dropped from the journal.
 */
static const struct tct_journal_key *where_it_began(const struct tct_journal *journal,
						    const struct tct_transaction *rollback,
						    const struct tct_journal_key *put_back)
{
	const struct tct_transaction *undone = tct_journal_find(journal, rollback->undoes);
	const struct tct_journal_key *key =
		undone != NULL ? tct_transaction_key(undone, put_back->key) : NULL;

	if (undone == NULL)
		return NULL;
	return key != NULL && key->before.kind != TCT_VALUE_NONE ? key : put_back;
}

static bool has_gap(const struct tct_journal_key *key, int field)
{
	return key != NULL && (key->gaps & (1u << (field == WHOLE ? 0 : field))) != 0;
}

static const struct tct_value *baseline_or(const struct tct_journal_key *key,
					   const struct tct_value *found)
{
	return key != NULL && key->baseline.kind != TCT_VALUE_NONE ? &key->baseline : found;
}

/*
 * The value whose field (or all of it) is the one to go back to. *origin is the transaction that
 * stands and wrote it; NULL = none.
 */
static const struct tct_value *follow(const struct tct_journal *journal,
				      const struct tct_transaction *transaction,
				      const struct tct_journal_key *key, int field,
				      const struct tct_transaction **origin)
{
	const struct tct_journal_key *last = key;
	const struct tct_value *found = &key->before;

	*origin = NULL;

	for (size_t i = place_of(journal, transaction->id); i-- > 0;) {
		const struct tct_transaction *earlier = &journal->transactions[i];
		const struct tct_journal_key *link = tct_transaction_key(earlier, key->key);

		if (!tct_transaction_in(earlier, &transaction->netns, transaction->boot_id))
			continue;
		if (link == NULL || !wrote(earlier, link)) {
			/* It stands for what was there then: not ours. */
			if (earlier->live && tct_transaction_rules(earlier))
				return has_gap(last, field) ? baseline_or(last, found) : found;
			continue;
		}
		if (left_alone(earlier, link, field))
			continue;
		if (!has_gap(last, field) && !left_behind(link, field, found))
			return found; /* set by hand */
		if (tct_transaction_stands(earlier)) {
			*origin = earlier;
			return &link->after;
		}
		if (earlier->kind == TCT_TRANSACTION_ROLLBACK) {
			i = place_of(journal, earlier->undoes);
			link = where_it_began(journal, earlier, link);
		}
		last = link;
		if (link != NULL)
			found = &link->before;
	}
	/* The oldest of the journal may have found what an older one, dropped by now, had written.
	 */
	return baseline_or(last, found);
}

/* Is it followed field by field? */
static bool is_apart(const struct tct_journal_key *key)
{
	return tct_kernel_key_fields_apart(key->key) && key->before.kind == TCT_VALUE_NUMBERS;
}

int tct_journal_goes_back_to(const struct tct_journal *journal,
			     const struct tct_transaction *transaction,
			     const struct tct_journal_key *key, struct tct_value *value)
{
	const struct tct_transaction *origin;

	if (!is_apart(key))
		return tct_value_copy(value, follow(journal, transaction, key, WHOLE, &origin));
	*value = key->before;
	for (unsigned i = 0; i < value->count; i++)
		value->numbers[i] = follow(journal, transaction, key, (int)i, &origin)->numbers[i];
	return 0;
}

unsigned tct_journal_gaps(const struct tct_journal *journal, const bool *drop,
			  const struct tct_transaction *transaction,
			  const struct tct_journal_key *key)
{
	unsigned fields = is_apart(key) ? key->before.count : 1;
	unsigned gaps = key->gaps;

	for (unsigned i = 0; i < fields; i++) {
		const struct tct_transaction *origin = NULL;

		(void)follow(journal, transaction, key, is_apart(key) ? (int)i : WHOLE, &origin);
		if (origin != NULL && drop[origin - journal->transactions])
			gaps |= 1u << i;
	}
	return gaps;
}
