#include "tune/journal_choose.h"

#include <string.h>

#include "tune/journal_prune.h"

/* One later transaction alone may be undone, or not be confirmed: then it is the older one's again.
 */
enum { OVERTAKERS = 2 };

/* Its network namespace went with an earlier boot. */
static bool is_past(const struct tct_journal_choice *choice,
		    const struct tct_transaction *transaction)
{
	return !transaction->netns.initial && strcmp(transaction->boot_id, choice->boot_id) != 0;
}

static bool same_namespace(const struct tct_transaction *one, const struct tct_transaction *other)
{
	return tct_transaction_in(one, &other->netns, other->boot_id);
}

/* --- by those that tell the whole state ---------------------------------------------------- */

static bool is_overtaken(const struct tct_journal_choice *choice, size_t at)
{
	const struct tct_journal *journal = choice->journal;
	const struct tct_transaction *transaction = &journal->transactions[at];
	unsigned live = transaction->live && !is_past(choice, transaction) ? OVERTAKERS : 0;
	unsigned lines = tct_transaction_has_lines(transaction) || transaction->modules_stuck
				 ? OVERTAKERS
				 : 0;

	for (size_t i = at + 1; i < journal->transactions_count && live + lines > 0; i++) {
		const struct tct_transaction *later = &journal->transactions[i];

		if (!tct_transaction_rules(later))
			continue;
		if (live > 0 && later->live && same_namespace(later, transaction))
			live--;
		if (lines > 0 && tct_transaction_has_lines(later))
			lines--;
	}
	return live + lines == 0;
}

/* --- key by key: those that say nothing of what they don't name ---------------------------- */

/* Does its live value of the key count? */
static bool has_live(const struct tct_transaction *transaction, const struct tct_journal_key *key)
{
	return key->after.kind != TCT_VALUE_NONE &&
	       (transaction->state != TCT_TRANSACTION_STUCK || key->stuck);
}

static bool tells_live(const struct tct_transaction *transaction, const struct tct_kernel_key *key)
{
	const struct tct_journal_key *its = tct_transaction_key(transaction, key);

	return transaction->live &&
	       (tct_transaction_rules(transaction) || (its != NULL && has_live(transaction, its)));
}

static bool tells_line(const struct tct_transaction *transaction, const struct tct_kernel_key *key)
{
	return tct_transaction_has_lines(transaction) &&
	       (tct_transaction_rules(transaction) ||
		tct_transaction_key(transaction, key) != NULL);
}

static bool is_key_overtaken(const struct tct_journal_choice *choice, size_t at,
			     const struct tct_journal_key *key)
{
	const struct tct_journal *journal = choice->journal;
	const struct tct_transaction *transaction = &journal->transactions[at];
	unsigned live =
		transaction->live && !is_past(choice, transaction) && has_live(transaction, key)
			? OVERTAKERS
			: 0;
	unsigned lines = tct_transaction_has_lines(transaction) ? OVERTAKERS : 0;

	for (size_t i = at + 1; i < journal->transactions_count && live + lines > 0; i++) {
		const struct tct_transaction *later = &journal->transactions[i];

		if (!tct_transaction_stands(later))
			continue;
		if (live > 0 && same_namespace(later, transaction) && tells_live(later, key->key))
			live--;
		if (lines > 0 && tells_line(later, key->key))
			lines--;
	}
	return live + lines == 0;
}

/* Was that asked for anew? name NULL: the profiles. */
static bool is_asked_anew(const struct tct_journal_choice *choice, size_t at, const char *name)
{
	const struct tct_journal *journal = choice->journal;
	unsigned missing = OVERTAKERS;

	for (size_t i = at + 1; i < journal->transactions_count && missing > 0; i++) {
		const struct tct_transaction *later = &journal->transactions[i];

		if (tct_transaction_stands(later) &&
		    same_namespace(later, &journal->transactions[at]) &&
		    (!later->additive ||
		     (name != NULL && json_object_get(later->asked, name) != NULL)))
			missing--;
	}
	return missing == 0;
}

static bool is_overtaken_by_key(const struct tct_journal_choice *choice, size_t at)
{
	const struct tct_transaction *transaction = &choice->journal->transactions[at];
	const char *name;
	json_t *value;

	if (tct_transaction_rules(transaction) || tct_transaction_changed_modules(transaction))
		return false;
	for (size_t i = 0; i < transaction->keys_count; i++) {
		if (!is_key_overtaken(choice, at, &transaction->keys[i]))
			return false;
	}
	if (is_past(choice, transaction))
		return true;
	if (!transaction->additive)
		return is_asked_anew(choice, at, NULL);
	json_object_foreach(transaction->asked, name, value) {
		if (!is_asked_anew(choice, at, name))
			return false;
	}
	return true;
}

/* --- which ones ---------------------------------------------------------------------------- */

/* `rollback --force` comes back to the newest apply of a namespace, undone or not. */
static bool is_newest_apply(const struct tct_journal_choice *choice, size_t at)
{
	const struct tct_journal *journal = choice->journal;
	const struct tct_transaction *transaction = &journal->transactions[at];

	if (transaction->kind != TCT_TRANSACTION_APPLY ||
	    transaction->state == TCT_TRANSACTION_UNDONE || is_past(choice, transaction))
		return false;
	for (size_t i = at + 1; i < journal->transactions_count; i++) {
		const struct tct_transaction *later = &journal->transactions[i];

		if (later->kind == TCT_TRANSACTION_APPLY &&
		    later->state != TCT_TRANSACTION_UNDONE && same_namespace(later, transaction))
			return false;
	}
	return true;
}

/* Is the transaction that this one is about kept? It would count again without this one. */
static bool is_needed(const struct tct_journal_choice *choice, uint64_t about)
{
	const struct tct_transaction *other =
		about != 0 ? tct_journal_find(choice->journal, about) : NULL;

	return other != NULL && !choice->drop[other - choice->journal->transactions];
}

static bool matters(const struct tct_journal_choice *choice, size_t at)
{
	const struct tct_transaction *transaction = &choice->journal->transactions[at];

	if (transaction->state == TCT_TRANSACTION_OPEN || tct_transaction_waits(transaction) ||
	    is_needed(choice, transaction->undoes) || is_needed(choice, transaction->confirms) ||
	    is_newest_apply(choice, at))
		return true;
	return tct_transaction_stands(transaction) && !is_overtaken(choice, at) &&
	       !is_overtaken_by_key(choice, at);
}

/* Is an older one of its namespace kept? */
static bool is_behind_kept(const struct tct_journal_choice *choice, size_t at)
{
	const struct tct_transaction *all = choice->journal->transactions;

	for (size_t i = 0; i < at; i++) {
		if (!choice->drop[i] && same_namespace(&all[i], &all[at]))
			return true;
	}
	return false;
}

/*
 * May it be missing in between? One that gave up what an older one has would give it back. Others
 * leave a gap, of which the keys after it tell.
 */
static bool may_go(const struct tct_journal_choice *choice, size_t at)
{
	return !tct_transaction_rules(&choice->journal->transactions[at]) ||
	       !is_behind_kept(choice, at);
}

/* With older ones kept its rollback goes along, which alone would lead nowhere. */
static void drop(struct tct_journal_choice *choice, size_t at)
{
	const struct tct_transaction *first = choice->journal->transactions;
	const struct tct_transaction *rollback =
		tct_journal_find(choice->journal, first[at].undone_by);

	choice->drop[at] = true;
	choice->dropped++;
	if (rollback != NULL && is_behind_kept(choice, at)) {
		choice->drop[rollback - first] = true;
		choice->dropped++;
	}
}

void tct_journal_choose(struct tct_journal_choice *choice)
{
	const struct tct_transaction *all = choice->journal->transactions;
	size_t count = choice->journal->transactions_count;

	/* The newest stays: numbers go on from it. */
	for (size_t i = 0; i + 1 < count && count - choice->dropped > TCT_JOURNAL_KEPT; i++) {
		if (!choice->drop[i] && all[i].undone_by != all[count - 1].id &&
		    may_go(choice, i) && !matters(choice, i))
			drop(choice, i);
	}
}
