/* A journal below the scratch root, for tests of what is in it. */
#ifndef TCT_TESTS_UNIT_JOURNAL_WORLD_H
#define TCT_TESTS_UNIT_JOURNAL_WORLD_H

#include "tune/journal.h"

#define JOURNAL_FILE "var/lib/tcptune/journal"
#define JOURNAL_BOOT "11111111-2222-3333-4444-555555555555"

extern struct tct_err journal_err;
extern const struct tct_netns journal_host;  /* the host's own namespace */
extern const struct tct_netns journal_other; /* another one, in the boot JOURNAL_BOOT */

/* A key that goes from one value to another, with a line in the drop-in; not owned: it goes back.
 */
void journal_add(struct tct_transaction *transaction, const char *name, const char *before,
		 const char *after, bool owned);
/* A transaction without keys, of JOURNAL_BOOT; to be released. */
struct tct_transaction journal_make(enum tct_transaction_kind kind, const struct tct_netns *netns);
/* Free this journal (or NULL) and read the file again. */
struct tct_journal *journal_reopen(struct tct_journal *journal, bool writable);
/* One committed apply of somaxconn; returns its number. */
uint64_t journal_apply(struct tct_journal *journal, const char *from, const char *to,
		       const struct tct_netns *netns);

#endif
