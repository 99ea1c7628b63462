/* Which modules our modules-load.d file has, by the transactions that stand. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/journal.h"
#include "tune/modules.h"

bool tct_transaction_changed_modules(const struct tct_transaction *transaction)
{
	return transaction->persisted && !transaction->deferred &&
	       !tct_modules_same(transaction->modules_before, transaction->modules_after);
}

/* Is there a line of ours that needs it? */
static bool is_needed(const struct tct_owned_set *owned, const char *module)
{
	for (size_t i = 0; i < owned->items_count; i++) {
		const struct tct_owned *item = &owned->items[i];

		if (item->boot && item->key->module != NULL &&
		    strcmp(item->key->module, module) == 0)
			return true;
	}
	return false;
}

/* Does what it says of its list hold? */
static bool has_list(const struct tct_transaction *transaction)
{
	return transaction->state == TCT_TRANSACTION_STUCK ? transaction->modules_stuck
							   : tct_transaction_has_lines(transaction);
}

/*
 * The newest that says something of it: a whole apply does, whatever its list has; others by what
 * they change. *stuck: it could not be put back, so it is there without a line that needs it.
 */
static bool is_in(const struct tct_journal *journal, uint64_t without, const char *module,
		  bool *stuck)
{
	for (size_t i = journal->transactions_count; i-- > 0;) {
		const struct tct_transaction *transaction = &journal->transactions[i];
		bool before = tct_module_is_among(transaction->modules_before, module);
		bool after = tct_module_is_among(transaction->modules_after, module);

		if (transaction->id != without && tct_transaction_stands(transaction) &&
		    has_list(transaction) &&
		    (before != after || tct_transaction_rules(transaction))) {
			*stuck = transaction->modules_stuck;
			return after;
		}
	}
	return false;
}

int tct_journal_owned_modules(const struct tct_journal *journal, uint64_t without,
			      struct tct_owned_set *owned)
{
	TCT_AUTO(tct_modules_done) struct tct_modules known = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text names = { 0 };

	if (tct_modules_collect(&known) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < known.items_count; i++) {
		const char *module = known.items[i].name;

		bool stuck = false;

		if (is_in(journal, without, module, &stuck) && (stuck || is_needed(owned, module)))
			tct_text_addf(&names, "%s%s", names.length > 0 ? " " : "", module);
	}
	if (names.failed)
		return -ENOMEM;
	if (names.length > 0) {
		owned->modules = tct_text_take(&names);
		if (owned->modules == NULL)
			return -ENOMEM;
	}
	return 0;
}
