/* Following a key's live value back through the journal. */
#ifndef TCT_TUNE_JOURNAL_CHAIN_H
#define TCT_TUNE_JOURNAL_CHAIN_H

#include "tune/journal.h"

/*
 * The live value that the key goes back to when this transaction is undone: what it found, or, if
 * that was the value of a transaction that is undone by now, what that one found, and so on. A
 * value set by hand in between ends the search, and so does a transaction that stands. Field by
 * field where the kernel keeps the fields apart. *value (empty before) is filled. 0 or -ENOMEM.
 */
int tct_journal_goes_back_to(const struct tct_journal *journal,
			     const struct tct_transaction *transaction,
			     const struct tct_journal_key *key, struct tct_value *value);

/*
 * The key's gaps once the transactions with drop[] are no longer in the journal. It has a live
 * value before.
 */
unsigned tct_journal_gaps(const struct tct_journal *journal, const bool *drop,
			  const struct tct_transaction *transaction,
			  const struct tct_journal_key *key);

#endif
