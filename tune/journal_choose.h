/* Which transactions go from a journal that grew long. */
#ifndef TCT_TUNE_JOURNAL_CHOOSE_H
#define TCT_TUNE_JOURNAL_CHOOSE_H

#include "tune/journal.h"

struct tct_journal_choice {
	const struct tct_journal *journal;
	const char *boot_id;
	bool *drop; /* by transaction */
	size_t dropped;
};

/* Mark the oldest that no longer matter, until TCT_JOURNAL_KEPT are left. drop[] is all false. */
void tct_journal_choose(struct tct_journal_choice *choice);

#endif
