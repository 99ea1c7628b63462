/* Keeping the journal short. */
#ifndef TCT_TUNE_JOURNAL_PRUNE_H
#define TCT_TUNE_JOURNAL_PRUNE_H

#include "tune/journal.h"

/*
 * Once more than MOST transactions are recorded the oldest are dropped until KEPT are left. Every
 * apply and check reads them all; measured, one with the keys of highconn costs 0.05 to 0.08 ms.
 */
enum { TCT_JOURNAL_MOST = 200, TCT_JOURNAL_KEPT = 150 };

/*
 * Drop the oldest transactions that no longer matter: never the newest, nor one that is open or
 * waits, nor one that still gives a key's ownership, baseline or line in a namespace that may still
 * exist, or would if the newest were undone; numbers are not used again. The file is replaced in
 * one step, what is kept byte for byte, with its owner, mode and attributes. Only what a kept one
 * says of the dropped is written anew: fields that have a gap before them, and what an additive one
 * carries on. Afterwards nothing can be appended through this journal. Few transactions: does
 * nothing. boot_id is that of now. *dropped is how many went. 0 or -errno; then the journal is as
 * it was, or the shorter one.
 */
int tct_journal_prune(struct tct_journal *journal, const struct tct_root *root, const char *boot_id,
		      size_t *dropped);
/* Remove the temporary file that a crash left in the journal's folder. 0 or -errno. */
int tct_journal_sweep(int folder);

#endif
