/* Carrying out a transaction that the journal describes, and taking it back when it fails. */
#ifndef TCT_TUNE_TRANSACT_H
#define TCT_TUNE_TRANSACT_H

#include "tune/apply.h"
#include "tune/drop_in.h"
#include "tune/journal.h"
#include "tune/three_way.h"

/* Where and for whom we work; all of it borrowed. */
struct tct_place_of_work {
	const struct tct_root *root;
	struct tct_netns netns; /* initial below a DIR */
	char boot_id[40];       /* "" below a DIR */
	uint64_t forsaken;      /* rollback ID --force: the namespace of this one counts as gone */
};

/* Refuse a root into which nothing is ever to be written: a sosreport is a record. */
int tct_place_of_work_check(const struct tct_root *root, struct tct_err *err);

#define TCT_BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

/* Errors: REFUSED if the id of this boot is there but can't be read. */
int tct_place_of_work_init(const struct tct_apply_options *options, struct tct_place_of_work *place,
			   struct tct_err *err);

/* Fill what every transaction has: kind, time, user, boot id, namespace. 0 or -ENOMEM. */
int tct_transaction_describe(struct tct_transaction *transaction, enum tct_transaction_kind kind,
			     const struct tct_place_of_work *place);

/*
 * Do it, durably: begin record, drop-in (if drop_in_changes; text NULL = remove), the live values
 * of keys whose before and after differ, in the order of the kernel's needs, each read back; commit
 * record. One that waits to be confirmed has its guard armed before the live values are written,
 * and a "waiting" record instead; transaction->guard is set. Signals that would end the process are
 * held back. Sets transaction->id. Errors: REFUSED, then everything is as before and *rolled_back
 * says whether anything had been written; STUCK, then the message names what could not be put back.
 */
int tct_transact(const struct tct_place_of_work *place, struct tct_journal *journal,
		 struct tct_transaction *transaction, bool drop_in_changes,
		 const char *drop_in_text, bool *rolled_back, struct tct_err *err);

/* What a dry run's transaction would write. */
struct tct_intent {
	bool drop_in_changes;
	bool makes_drop_in; /* else it would be removed */
	bool modules_change;
	bool makes_modules;
};

/*
 * Would the system let tct_transact write its files? Looks as far as that can be seen without
 * trying, in the order of writing; writes nothing. Where a plain user asks what root would do: 0.
 * Errors: REFUSED, with the words of the attempt.
 */
int tct_may_transact(const struct tct_root *root, const struct tct_journal *journal,
		     const struct tct_intent *intent, struct tct_err *err);

/*
 * Undo every interrupted transaction of this namespace, those that were not confirmed in time, and
 * the drop-in of those whose namespace is gone; sweep temporary files. result->recovered is the
 * newest interrupted one that was undone, result->expired the one whose time was over; what had
 * been changed by others meanwhile is left and noted in result->conflicts. *foreign is an
 * interrupted one of a namespace that still exists, NULL = none. Errors: STUCK (the system refused;
 * the transaction stays open), REFUSED.
 */
int tct_recover(const struct tct_place_of_work *place, struct tct_journal *journal,
		struct tct_apply_result *result, const struct tct_transaction **foreign,
		struct tct_err *err);
/* The part of it that is our modules-load.d file; what somebody changed is left, as a conflict.
 * Errors: STUCK (it can't be read or put back), REFUSED. */
int tct_recover_modules(const struct tct_place_of_work *place,
			const struct tct_transaction *transaction, struct tct_apply_result *result,
			struct tct_err *err);
/* Is the namespace of this transaction gone? What can't be told counts as still there. */
bool tct_namespace_gone(const struct tct_transaction *transaction,
			const struct tct_place_of_work *place);
/* How to name that namespace on a command line. */
const char *tct_namespace_words(const struct tct_netns *netns, char out[160]);
/*
 * Its interrupted transaction stands in the way of ours, and only from within it is it undone
 * whole. Sets err (REFUSED) and returns its code; says what to type.
 */
int tct_refuse_foreign(const struct tct_transaction *foreign, struct tct_err *err);

/*
 * Refuse a plan that changes, live, a key whose write resets others to what they are not: the way
 * back could not restore them. Reads /proc/sys only. 0 (refusals noted in the plan) or -ENOMEM.
 */
int tct_plan_check_resets(const struct tct_root *root, struct tct_plan *plan);

/*
 * If result->settings change what listen() is cut to, live: look at the listeners of this thread's
 * namespace and note those that keep another limit, with their owners. Otherwise looks at nothing.
 * 0 or -ENOMEM.
 */
int tct_restart_find(const struct tct_root *root, struct tct_apply_result *result);

/* When does this change of the key begin to count? By the fields, or bits, that change. */
enum tct_effect tct_effect_of_change(const struct tct_kernel_key *key,
				     const struct tct_value *before, const struct tct_value *after);

/* Note a record that was cut off when the journal was read. journal may be NULL. */
void tct_result_note_torn(struct tct_apply_result *result, const struct tct_journal *journal);
/* Note a drop-in of ours that the journal doesn't know of. */
void tct_result_note_orphan(struct tct_apply_result *result, const struct tct_root *root);
/* After a transaction: keep the journal short. What fails is noted, and fails nothing. */
void tct_result_prune(struct tct_apply_result *result, const struct tct_place_of_work *place,
		      struct tct_journal *journal);

/* Nothing was written after all: let the result say so. */
void tct_result_take_back(struct tct_apply_result *result);

/* Append to result. 0 or -ENOMEM. */
int tct_result_conflict(struct tct_apply_result *result, const struct tct_kernel_key *key,
			const struct tct_value *before, const struct tct_value *ours,
			const struct tct_value *now, const char *reason);
/* The same about one field (from 0 on) of a vector. */
int tct_result_conflict_field(struct tct_apply_result *result, const struct tct_three_way *ways,
			      unsigned field, const char *reason);
/* A key that the kernel doesn't have any more. */
int tct_result_gone(struct tct_apply_result *result, const struct tct_kernel_key *key,
		    const char *reason);
int tct_result_setting(struct tct_apply_result *result, const struct tct_kernel_key *key,
		       const struct tct_value *before, const struct tct_value *after,
		       bool live_written, bool persisted, const char *because);
/*
 * A setting of which only the line for the next boot comes, goes or changes: its live value is what
 * it was before and is after. proc_sys: as of tct_live_open, -1 = live values are no part of it;
 * then, or where the kernel doesn't have the key, it is the lines.
 */
int tct_result_line(struct tct_apply_result *result, int proc_sys, const struct tct_kernel_key *key,
		    const struct tct_value *before, const struct tct_value *after,
		    const char *because);
/* A note for the setting that was appended last. 0 or -ENOMEM. */
int tct_result_note(struct tct_apply_result *result, const char *note);
/* Names in our modules-load.d file, if they differ. 0 or -ENOMEM. */
int tct_result_modules(struct tct_apply_result *result, const struct tct_root *root,
		       const char *before, const char *after);
/* Path and checksums of the drop-in, and the diff. 0 or -ENOMEM. */
int tct_result_drop_in(struct tct_apply_result *result, const struct tct_root *root,
		       const char *before, const char *after);

/* Unified diff of two texts (NULL = no file); owned by the caller, NULL on ENOMEM, "" if they are
 * equal. */
char *tct_diff(const char *path, const char *before, const char *after);

#endif
