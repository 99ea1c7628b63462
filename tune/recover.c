/* Interrupted transactions: what a killed tcptune, or a dead host, left half done. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/file_io.h"
#include "tune/live_write.h"
#include "tune/order.h"
#include "tune/transact.h"
#include "tune/waiting.h"

/* Every field is as before or as after: a vector that was killed half way counts as ours. */
static bool is_between(const struct tct_journal_key *key, const struct tct_value *now)
{
	if (tct_value_stored_as(key->key, &key->after, now))
		return true;
	if (now->kind != TCT_VALUE_NUMBERS || key->before.kind != TCT_VALUE_NUMBERS ||
	    key->after.kind != TCT_VALUE_NUMBERS || now->count != key->before.count ||
	    now->count != key->after.count)
		return false;
	for (unsigned i = 0; i < now->count; i++) {
		if (now->numbers[i] != key->before.numbers[i] &&
		    now->numbers[i] != key->after.numbers[i])
			return false;
	}
	return true;
}

struct recovery {
	const struct tct_place_of_work *place;
	struct tct_journal *journal;
	struct tct_apply_result *result;
	struct tct_transaction *transaction;
	int proc_sys;
	struct tct_value *now; /* by key of the transaction */
	struct tct_err *err;
	int stuck; /* the first that could not be put back; -errno, 0 = none */
	struct tct_err why;
};

static bool was_waiting(const struct recovery *recovery)
{
	return recovery->transaction->state == TCT_TRANSACTION_WAITING;
}

static const char *what_kind(const struct recovery *recovery)
{
	return was_waiting(recovery) ? "the unconfirmed" : "the interrupted";
}

static int stuck(struct recovery *recovery, const char *what, int code)
{
	return tct_err_set(recovery->err, TCT_FAULT_STUCK, code,
			   "%s transaction %" PRIu64 " can't be undone: %s: %s",
			   what_kind(recovery), recovery->transaction->id, what,
			   tct_live_error(code));
}

/* One that can't be put back must not keep the others from it: noted, and reported at the end. */
static int note_stuck(struct recovery *recovery, const char *what, int code)
{
	if (code == ENOMEM)
		return tct_err_nomem(recovery->err);
	if (recovery->stuck != 0)
		return 0;
	recovery->stuck = stuck(recovery, what, code);
	if (recovery->err != NULL)
		recovery->why = *recovery->err;
	return 0;
}

static int recover_key(struct recovery *recovery, size_t i)
{
	const struct tct_journal_key *key = &recovery->transaction->keys[i];
	struct tct_value *now = &recovery->now[i];
	TCT_AUTO(tct_value_done) struct tct_value after = { 0 };
	TCT_AUTOFREE char *text = NULL;
	int result;

	/* Not to be changed at all: what it is now is nobody's conflict. */
	if (now->kind == TCT_VALUE_NONE || tct_value_equal(&key->before, &key->after) ||
	    tct_value_stored_as(key->key, &key->before, now))
		return 0;
	if (!is_between(key, now)) {
		result = tct_result_conflict(
			recovery->result, key->key, &key->before, &key->after, now,
			was_waiting(recovery)
				? "somebody else changed it since; left as it is"
				: "somebody else changed it after the interruption; left as it is");
		return result < 0 ? tct_err_nomem(recovery->err) : 0;
	}
	text = tct_value_text(&key->before);
	if (text != NULL) {
		/* The kernel stores an empty value only if there is a line end. */
		size_t length = strlen(text);

		text[length] = '\n';
		result = tct_live_write(recovery->proc_sys, key->key, text, length + 1);
		text[length] = '\0';
	} else {
		return tct_err_nomem(recovery->err);
	}
	if (result == 0)
		result = tct_live_read(recovery->proc_sys, key->key, &after);
	if (result == 0 && !tct_value_stored_as(key->key, &key->before, &after))
		result = -ESTALE;
	if (result < 0)
		return note_stuck(recovery, key->key->name, -result);
	result = tct_result_setting(recovery->result, key->key, now, &key->before, true, false,
				    was_waiting(recovery) ? "put back, for it was not confirmed"
							  : "put back after an interruption");
	return result < 0 ? tct_err_nomem(recovery->err) : 0;
}

static int recover_live(struct recovery *recovery)
{
	struct tct_transaction *transaction = recovery->transaction;
	size_t count = transaction->keys_count;
	TCT_AUTOFREE struct tct_order_item *items = calloc(count + 1, sizeof(*items));
	TCT_AUTOFREE size_t *order = calloc(count + 1, sizeof(*order));
	int result = 0;

	if (items == NULL || order == NULL)
		return tct_err_nomem(recovery->err);
	recovery->proc_sys = tct_live_open(recovery->place->root);
	if (recovery->proc_sys < 0)
		return note_stuck(recovery, "/proc/sys", -recovery->proc_sys);
	for (size_t i = 0; result == 0 && i < count; i++) {
		const struct tct_journal_key *key = &transaction->keys[i];

		if (key->after.kind != TCT_VALUE_NONE) {
			result = tct_live_read(recovery->proc_sys, key->key, &recovery->now[i]);
			/* Gone with its module: nothing to put back. */
			if (result == -ENOENT)
				result = 0;
			if (result < 0)
				result = note_stuck(recovery, key->key->name, -result);
		}
		items[i] = (struct tct_order_item){ key->key, &recovery->now[i], &key->before };
	}
	tct_order(items, count, order);
	for (size_t i = 0; result == 0 && i < count; i++)
		result = recover_key(recovery, order[i]);
	return result;
}

/* The file is as it was, as we wrote it, or somebody else's. */
static int recover_drop_in(struct recovery *recovery)
{
	const struct tct_transaction *transaction = recovery->transaction;
	const struct tct_place_of_work *place = recovery->place;
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set owned = { 0 };
	TCT_AUTOFREE char *text = NULL;
	TCT_AUTOFREE char *regenerated = NULL;
	char sha256[65];
	int result = tct_drop_in_read(place->root, &text, recovery->err);

	if (result == -ENOMEM)
		return result;
	/* Not "changed by somebody": the transaction stays open until it can be read. */
	if (result < 0 && !tct_own_file_is_strange(result))
		return stuck(recovery, TCT_DROP_IN_PATH, -result);
	tct_drop_in_sha256(text, sha256);
	if (result == 0 && strcmp(sha256, transaction->drop_in_before_sha256) == 0)
		return tct_own_file_sweep(place->root, &tct_own_drop_in, recovery->err);
	if (result < 0 || strcmp(sha256, transaction->drop_in_after_sha256) != 0) {
		result = tct_result_conflict(
			recovery->result, NULL, NULL, NULL, NULL,
			"the drop-in was changed after the interruption; left as it is");
		return result < 0 ? tct_err_nomem(recovery->err) : 0;
	}
	if (tct_journal_owned(recovery->journal, &place->netns, place->boot_id, 0, &owned) < 0 ||
	    tct_drop_in_render_owned(&owned, &regenerated) < 0)
		return tct_err_nomem(recovery->err);
	return tct_own_file_restore(place->root, &tct_own_drop_in,
				    transaction->drop_in_before_sha256, regenerated, recovery->err);
}

/* For the end record. */
static const char *end_words(const struct recovery *recovery, bool live, bool left)
{
	if (!was_waiting(recovery))
		return left   ? "interrupted; undone, but what others had changed was left"
		       : live ? "interrupted; undone"
		       : recovery->place->root->live
			       ? "interrupted; its network namespace is gone, files undone"
			       : "interrupted; the host isn't running, files undone";
	if (live)
		return left ? TCT_NOT_CONFIRMED "; put back, but what others had changed was left"
			    : TCT_NOT_CONFIRMED "; put back";
	return tct_transaction_rebooted(recovery->transaction, recovery->place)
		       ? TCT_NOT_CONFIRMED "; the host booted anew, so nothing of it was left"
		       : TCT_NOT_CONFIRMED "; its network namespace is gone";
}

/* The files. A system that keeps them from going back has not left everything as it was. */
static int recover_files(struct recovery *recovery)
{
	const struct tct_transaction *transaction = recovery->transaction;
	int result = 0;

	if (tct_transaction_changed_drop_in(transaction))
		result = recover_drop_in(recovery);
	if (result == 0 && tct_transaction_changed_modules(transaction))
		result = tct_recover_modules(recovery->place, transaction, recovery->result,
					     recovery->err);
	if (result < 0 && recovery->err != NULL && recovery->err->fault == TCT_FAULT_REFUSED) {
		recovery->err->fault = TCT_FAULT_STUCK;
		return tct_err_wrap(recovery->err, "%s transaction %" PRIu64 " can't be undone",
				    what_kind(recovery), transaction->id);
	}
	return result;
}

static int recover_one(struct recovery *recovery, bool live)
{
	struct tct_transaction *transaction = recovery->transaction;
	size_t conflicts = recovery->result->conflicts_count;
	int result = 0;

	recovery->proc_sys = -1;
	recovery->now = calloc(transaction->keys_count + 1, sizeof(*recovery->now));
	if (recovery->now == NULL)
		return tct_err_nomem(recovery->err);
	if (transaction->live && live)
		result = recover_live(recovery);
	if (result == 0)
		result = recover_files(recovery);
	if (recovery->proc_sys >= 0)
		(void)close(recovery->proc_sys);
	for (size_t i = 0; i < transaction->keys_count; i++)
		tct_value_done(&recovery->now[i]);
	free(recovery->now);
	if (result == 0 && recovery->stuck != 0) {
		if (recovery->err != NULL)
			*recovery->err = recovery->why;
		result = recovery->stuck;
	}
	if (result < 0)
		return result;
	return tct_journal_end(
		recovery->journal, transaction->id, TCT_TRANSACTION_UNDONE,
		end_words(recovery, live, recovery->result->conflicts_count > conflicts),
		recovery->err);
}

/* Is there something to undo: interrupted, or not confirmed in time? */
static bool is_due(const struct tct_transaction *transaction, const struct tct_place_of_work *place,
		   bool here)
{
	if (transaction->state == TCT_TRANSACTION_OPEN)
		return true;
	return tct_transaction_waits(transaction) &&
	       (!here || tct_transaction_expired(transaction, place));
}

int tct_recover(const struct tct_place_of_work *place, struct tct_journal *journal,
		struct tct_apply_result *result, const struct tct_transaction **foreign,
		struct tct_err *err)
{
	*foreign = NULL;
	for (size_t i = journal->transactions_count; i-- > 0;) {
		struct recovery recovery = {
			.place = place,
			.journal = journal,
			.result = result,
			.transaction = &journal->transactions[i],
			.err = err,
		};
		bool here = tct_transaction_in(recovery.transaction, &place->netns, place->boot_id);
		/* The disk of a host that isn't running: its live values went with it. */
		bool running = place->root->live;
		bool waited = recovery.transaction->state == TCT_TRANSACTION_WAITING;
		/* Its live values ended with that boot, and files it had none. */
		bool rebooted = recovery.transaction->confirm_within_ns != 0 &&
				tct_transaction_rebooted(recovery.transaction, place);
		int status;

		if (!is_due(recovery.transaction, place, here))
			continue;
		if (!here && (waited || recovery.transaction->id != place->forsaken) &&
		    !tct_namespace_gone(recovery.transaction, place)) {
			/* One that waits has a guard there, and has written no file. */
			if (!waited)
				*foreign = recovery.transaction;
			continue;
		}
		status = recover_one(&recovery, here && running && !rebooted);
		result->settings_recovered = result->settings_count;
		if (status < 0) {
			result->changed = result->settings_count > 0;
			return status;
		}
		if (waited && here)
			result->expired = recovery.transaction->id;
		else if (!waited && result->recovered == 0)
			result->recovered = recovery.transaction->id;
	}
	/* Another namespace's leftovers are its own recovery's means. */
	if (*foreign != NULL)
		return 0;

	int swept = tct_own_file_sweep(place->root, &tct_own_drop_in, err);

	return swept == 0 ? tct_own_file_sweep(place->root, &tct_own_modules_load, err) : swept;
}
