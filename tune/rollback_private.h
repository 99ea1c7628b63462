/* Inside of rollback: between the files that choose, plan and carry it out. */
#ifndef TCT_TUNE_ROLLBACK_PRIVATE_H
#define TCT_TUNE_ROLLBACK_PRIVATE_H

#include "tune/apply.h"
#include "tune/transact.h"

struct tct_rollback_work {
	const struct tct_apply_options *options;
	struct tct_place_of_work place;
	struct tct_apply_result *result;
	struct tct_journal *journal;
	const struct tct_transaction *undo;
	const struct tct_transaction *earlier; /* its rollback, which left conflicts: only those are
						  meant; NULL = the first time */
	struct tct_transaction fresh;
	struct tct_owned_set before; /* ours now */
	struct tct_owned_set after;  /* ours without that transaction */
	char *drop_in;               /* text now */
	char *drop_in_after;
	bool drop_in_changes;
	bool force;
	int proc_sys;
	struct tct_err *err;
};

/*
 * Plan it: fresh (the transaction to record), the drop-in's new text, and the result with what goes
 * back and what is a conflict. Writes nothing. Errors: ENOMEM, REFUSED.
 */
int tct_rollback_plan(struct tct_rollback_work *rollback);

/* Note the conflict that somebody edited this file of ours. 0 or -ENOMEM. */
int tct_rollback_edited(struct tct_rollback_work *rollback, const char *path);

/* The part of it that is our modules-load.d file; after the drop-in. */
int tct_rollback_modules(struct tct_rollback_work *rollback);

#endif
