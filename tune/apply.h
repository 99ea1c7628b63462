/* The transaction: apply, check, rollback. All writing to the system happens below these calls. */
#ifndef TCT_TUNE_APPLY_H
#define TCT_TUNE_APPLY_H

#include <jansson.h>

#include "tune/journal.h"
#include "tune/plan.h"

/* How long to wait for the lock while another tcptune has it. */
struct tct_lock_wait {
	int64_t ns; /* 0 = not at all */
	/* Called when the waiting begins (true) and when the lock is had (false); NULL = nobody. */
	void (*tell)(void *context, bool waiting);
	void *context;
};

/*
 * The exclusive lock, held until release or exit: /run/tcptune.lock; in an image its top folder, so
 * that no file is made there. wait may be NULL. Errors: BUSY, at once or when the wait is over;
 * REFUSED if there can't be a lock.
 */
int tct_lock_take(const struct tct_root *root, const struct tct_lock_wait *wait, int *lock_fd,
		  struct tct_err *err);
/* Could there be a lock? Takes and writes nothing. Errors: REFUSED. */
int tct_lock_may_take(const struct tct_root *root, struct tct_err *err);
void tct_lock_release(int *lock_fd);

struct tct_apply_options {
	const struct tct_root *root;
	struct tct_netns netns;
	bool dry_run;
	bool no_live;    /* --root, or asked for */
	bool no_persist; /* --no-persist */
	bool persist;    /* --persist: even outside the initial namespace */
	bool allow_shadowed;
	bool modules_load; /* --modules-load */
	bool boot_model_given;
	enum tct_boot_model boot_model;
	int64_t confirm_within_ns; /* 0 = it need not be confirmed; live root only */
	const char *reason;
	struct tct_lock_wait wait;
	const struct tct_profile_request *profile; /* names and --var */
	/*
	 * Of check alone, borrowed: a snapshot to check instead of this host, by a profile that is
	 * named. What tcptune did there isn't known: baselines are the values themselves.
	 */
	const struct tct_observation *snapshot;
};

struct tct_apply_key {
	const struct tct_kernel_key *key;
	struct tct_value before;
	struct tct_value after;
	bool live_written;
	bool persisted;
	enum tct_effect effect; /* when the change of the live value counts */
	char *because;          /* owned, NULL = none */
	char *note; /* owned: what the line for the next boot depends on; NULL = nothing */
};

/* A listener that keeps the limit of its listen() until it calls it again. */
struct tct_restart {
	struct tct_listener listener; /* of its owner what could be told; .sight says why not */
	int64_t limit;                /* what listen() is cut to now */
};

struct tct_conflict {
	const struct tct_kernel_key *key; /* NULL: the drop-in file */
	unsigned field;          /* the values are this field's, from 1 on; 0 = the key's */
	struct tct_value before; /* what rollback would restore */
	struct tct_value ours;
	struct tct_value now;
	char reason[512]; /* with a path below DIR of --root */
};

struct tct_apply_result {
	bool changed; /* dry run: would change */
	bool dry_run;
	bool rolled_back;     /* a failure was put back whole */
	uint64_t transaction; /* 0 = none */
	uint64_t undid;       /* rollback: which one */
	uint64_t recovered;   /* an interrupted transaction that was undone first; 0 = none */
	uint64_t expired;     /* one that was not confirmed in time and was put back first; 0 */
	uint64_t confirmed;   /* confirm: which one is kept now; 0 = none */
	struct {              /* until it is confirmed; ns 0 = it need not be */
		int64_t ns;
		int64_t until_ns; /* CLOCK_REALTIME; 0 in a dry run */
		enum tct_guard guard;
	} waiting;
	struct tct_apply_key *settings;
	size_t settings_count;
	size_t settings_capacity;
	size_t settings_recovered; /* the first of them, put back before anything else: they stay
				      written, whatever becomes of the rest */
	char drop_in_path[300];    /* "" = not part of it */
	char drop_in_before_sha256[65];
	char drop_in_after_sha256[65];
	char modules_path[300]; /* of our modules-load.d file; "" = it doesn't change */
	char *modules_before;   /* owned: its names, joined by blanks; NULL = no file */
	char *modules_after;
	char *drop_in_diff;    /* owned; unified diff for people; NULL = none */
	struct tct_plan *plan; /* owned; refused, shadowed, unsupported; NULL for rollback */
	struct tct_restart *restart_needed; /* after (or, in a dry run, if) the cap on listen()
					       changed; sorted by owner */
	size_t restart_needed_count;
	size_t restart_needed_capacity;
	struct tct_conflict *conflicts;
	size_t conflicts_count;
	size_t conflicts_capacity;
	char journal_note[800];            /* what the journal's keeper should know; "" = nothing */
	struct tct_plan_unsupported *gone; /* rollback: keys that the kernel lost since */
	size_t gone_count;
	size_t gone_capacity;
};

/*
 * Apply as product.md, "Apply, so that nothing is lost". result is filled (also on refusal and
 * failure, as far as known); release it with tct_apply_result_done. Returns 0 when done, or nothing
 * to do, or a dry run. Errors: REFUSED (plan->refused, or the system; everything is as before),
 * STUCK, BUSY, INPUT.
 */
int tct_apply(const struct tct_apply_options *options, struct tct_apply_result *result,
	      struct tct_err *err);

/* Three-way rollback of transaction id (0 = newest standing one of this namespace). force:
 * conflicts too. */
int tct_rollback(const struct tct_apply_options *options, uint64_t id, bool force,
		 struct tct_apply_result *result, struct tct_err *err);
/*
 * Keep the apply `id` (0 = the one of this namespace that waits), and write its lines of the
 * drop-in. result->confirmed is the one that is kept, also if it was before; 0: nothing waits.
 * result->conflicts has live values that somebody changed since; they are left. Errors: REFUSED
 * (its time was over, it was undone, it is another namespace's; the drop-in was edited; the
 * system), STUCK, BUSY, INPUT.
 */
int tct_confirm(const struct tct_apply_options *options, uint64_t id,
		struct tct_apply_result *result, struct tct_err *err);
/*
 * What the guard runs: wait until `id` waits no more or its time is over, and then put it back;
 * result->expired says so. ready is called when it has begun to wait. Errors: as tct_rollback.
 */
int tct_expire(const struct tct_apply_options *options, uint64_t id,
	       void (*ready)(const struct tct_transaction *transaction),
	       struct tct_apply_result *result, struct tct_err *err);
void tct_apply_result_done(struct tct_apply_result *result);

/* One key's conformity. */
struct tct_check_key {
	const struct tct_kernel_key *key;
	bool live_known;
	bool live_ok;
	bool boot_known;
	bool boot_ok;    /* the next boot gives what is wanted */
	bool boot_drift; /* our line is missing or differs, or what files set doesn't suffice */
	bool shadowed;   /* a file that counts after our drop-in gives another value */
	struct tct_value live;
	struct tct_value wanted;
	struct tct_value wanted_boot; /* NONE = as wanted, or nothing */
	struct tct_value boot;        /* winner; NONE = no file sets it */
	char file[280]; /* of the boot winner; if it is shadowed, of what overrides our drop-in */
	unsigned line;
	struct tct_plan_promise next_boot[TCT_BOOT_MODELS]; /* with the files as they are */
	char reason[400];
};
struct tct_check_result {
	bool conforms;
	bool live_looked;
	bool boot_looked;
	bool persist;    /* ... in a namespace where apply has to be asked for it, with --persist */
	bool no_persist; /* ... in the host's own, where it has to be told not to: --no-persist */
	char *profiles;  /* judged against, joined by commas; "" = keys alone */
	json_t *names;   /* the same as a list of texts */
	json_t *sets;    /* keys of it that were set one by one: {key: text} */
	json_t *variables;    /* of the last apply, if it is judged against; NULL = none */
	uint64_t interrupted; /* an interrupted transaction waits for recovery; 0 = none */
	struct {              /* one that waits to be confirmed; id 0 = none */
		uint64_t id;
		int64_t until_ns;
		bool expired;  /* and nobody has put it back yet */
		bool deferred; /* lines of the drop-in are still to be written */
	} waiting;
	bool orphan;       /* our drop-in is there, but the journal doesn't know of it */
	bool record;       /* of a sosreport: nothing can be applied there */
	char drop_in[512]; /* what is wrong with our drop-in as a whole; "" = nothing */
	struct tct_check_key *keys;
	size_t keys_count;
	size_t keys_capacity;
	struct tct_plan_unsupported *unsupported;
	size_t unsupported_count;
	size_t unsupported_capacity;
	struct tct_plan_refusal *refused;
	size_t refused_count;
	size_t refused_capacity;
};
/*
 * Does the host conform, live and at next boot? options->profile names the profiles, or has none:
 * then what was last applied, with its variables (nothing applied: INPUT error that says so). Never
 * writes.
 */
int tct_check(const struct tct_apply_options *options, struct tct_check_result *result,
	      struct tct_err *err);
void tct_check_result_done(struct tct_check_result *result);

/* JSON documents of product.md: tcptune.plan.v1 (dry run), tcptune.apply.v1, tcptune.rollback.v1,
 * tcptune.confirm.v1, check, history. */
json_t *tct_apply_json(const struct tct_apply_result *result, bool rollback);
json_t *tct_confirm_json(const struct tct_apply_result *result);
/* Such a document of what ended in a refusal: if `refused` names none yet, it is of the whole
 * transaction, kind "system". Takes document over; NULL: out of memory. */
json_t *tct_refused_json(json_t *document, const struct tct_err *why);
json_t *tct_check_json(const struct tct_check_result *result);
json_t *tct_history_json(const struct tct_journal *journal);

#endif
