/* Undoing a transaction, three ways: what it found, what it wrote, what is there now. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "tune/apply.h"
#include "tune/drop_in.h"
#include "tune/live_write.h"
#include "tune/transact.h"

struct rollback {
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

static int no_memory(const struct rollback *rollback)
{
	return tct_err_nomem(rollback->err);
}

/* Does a transaction between these two that stands have the key's live value? */
static bool has_live(const struct rollback *rollback, const struct tct_kernel_key *key, bool later)
{
	for (size_t i = 0; i < rollback->journal->transactions_count; i++) {
		const struct tct_transaction *other = &rollback->journal->transactions[i];

		if (!tct_transaction_stands(other) || other->id == rollback->undo->id ||
		    (other->id > rollback->undo->id) != later ||
		    !tct_transaction_in(other, &rollback->place.netns, rollback->place.boot_id))
			continue;
		for (size_t k = 0; k < other->keys_count; k++) {
			if (other->keys[k].key == key &&
			    other->keys[k].after.kind != TCT_VALUE_NONE)
				return true;
		}
	}
	return false;
}

/* What the key goes back to: what was found, or, if that was a transaction's that is undone by now,
 * the baseline. */
static const struct tct_value *goes_back_to(const struct rollback *rollback,
					    const struct tct_journal_key *key)
{
	if (key->baseline.kind != TCT_VALUE_NONE && !has_live(rollback, key->key, false))
		return &key->baseline;
	return &key->before;
}

static struct tct_journal_key *fresh_key(struct rollback *rollback,
					 const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < rollback->fresh.keys_count; i++) {
		if (rollback->fresh.keys[i].key == key)
			return &rollback->fresh.keys[i];
	}

	struct tct_journal_key *fresh = TCT_APPEND(&rollback->fresh, keys);

	if (fresh != NULL)
		fresh->key = key;
	return fresh;
}

static int conflict(struct rollback *rollback, const struct tct_journal_key *key,
		    const struct tct_value *target, const struct tct_value *now, const char *reason)
{
	return tct_result_conflict(rollback->result, key != NULL ? key->key : NULL, target,
				   key != NULL ? &key->after : NULL, now, reason) < 0
		       ? no_memory(rollback)
		       : 0;
}

/* Was the key left alone the first time? */
static bool was_left(const struct tct_transaction *earlier, const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < earlier->keys_count; i++) {
		if (earlier->keys[i].key == key)
			return earlier->keys[i].left;
	}
	return false;
}

/* A conflict that --force would override: noted, so that it can still be had later. */
static int leave_key(struct rollback *rollback, const struct tct_journal_key *key,
		     const struct tct_value *target, const struct tct_value *now)
{
	struct tct_journal_key *fresh = fresh_key(rollback, key->key);

	if (fresh == NULL)
		return no_memory(rollback);
	fresh->left = true;
	return conflict(rollback, key, target, now,
			"somebody else changed it since; --force puts it back all the same");
}

static int plan_key(struct rollback *rollback, const struct tct_journal_key *key)
{
	TCT_AUTO(tct_value_done) struct tct_value now = { 0 };
	const struct tct_value *target = goes_back_to(rollback, key);
	struct tct_journal_key *fresh;
	int result;

	if (key->after.kind == TCT_VALUE_NONE || has_live(rollback, key->key, true) ||
	    (rollback->earlier != NULL && !was_left(rollback->earlier, key->key)))
		return 0;
	result = tct_live_read(rollback->proc_sys, key->key, &now);
	if (result == -ENOENT)
		return conflict(rollback, key, target, NULL, "the kernel doesn't have it just now");
	if (result == -ENOMEM)
		return no_memory(rollback);
	if (result < 0)
		return tct_err_set(rollback->err, TCT_FAULT_REFUSED, -result,
				   "%s: can't read it: %s", key->key->name, strerror(-result));
	if (tct_value_stored_as(key->key, target, &now))
		return 0;
	if (!tct_value_stored_as(key->key, &key->after, &now) && !rollback->force)
		return leave_key(rollback, key, target, &now);
	fresh = fresh_key(rollback, key->key);
	if (fresh == NULL || tct_value_copy(&fresh->before, &now) < 0 ||
	    tct_value_copy(&fresh->after, target) < 0)
		return no_memory(rollback);
	return 0;
}

static int plan_live(struct rollback *rollback)
{
	int result = 0;

	rollback->proc_sys = tct_live_open(rollback->options->root);
	if (rollback->proc_sys < 0)
		return tct_err_set(rollback->err, TCT_FAULT_REFUSED, -rollback->proc_sys,
				   "can't open /proc/sys: %s", strerror(-rollback->proc_sys));
	for (size_t i = 0; result == 0 && i < rollback->undo->keys_count; i++)
		result = plan_key(rollback, &rollback->undo->keys[i]);
	rollback->fresh.live = true;
	return result;
}

/* The lines that go, come or change, for the journal. */
static int note_lines(struct rollback *rollback)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_owned *before =
			tct_owned_find(&rollback->before, &tct_kernel_keys[i]);
		const struct tct_owned *after =
			tct_owned_find(&rollback->after, &tct_kernel_keys[i]);
		struct tct_journal_key *fresh;

		if ((before == NULL || !before->boot) && (after == NULL || !after->boot))
			continue;
		if (before != NULL && after != NULL &&
		    tct_value_equal(&before->boot_value, &after->boot_value))
			continue;
		fresh = fresh_key(rollback, &tct_kernel_keys[i]);
		if (fresh == NULL ||
		    (before != NULL && before->boot &&
		     tct_value_copy(&fresh->boot_before, &before->boot_value) < 0) ||
		    (after != NULL && after->boot &&
		     tct_value_copy(&fresh->boot_after, &after->boot_value) < 0))
			return no_memory(rollback);
	}
	return 0;
}

static int plan_drop_in(struct rollback *rollback)
{
	TCT_AUTO(tct_drop_in_done) struct tct_drop_in on_disk = { 0 };
	int result = tct_drop_in_read(rollback->options->root, &rollback->drop_in, rollback->err);

	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return conflict(rollback, NULL, NULL, NULL,
				rollback->err != NULL ? rollback->err->message
						      : "it can't be read");
	if (tct_drop_in_parse(rollback->drop_in, &on_disk) < 0 ||
	    tct_drop_in_render_owned(&rollback->after, &rollback->drop_in_after) < 0)
		return no_memory(rollback);
	if (tct_drop_in_equals_owned(&on_disk, &rollback->after) &&
	    (rollback->drop_in == NULL) == (rollback->drop_in_after == NULL))
		return 0;
	/* Taken away by hand, when nothing else of ours would remain: that is what we want, too. */
	if (rollback->drop_in != NULL && !tct_drop_in_equals_owned(&on_disk, &rollback->before) &&
	    !rollback->force) {
		rollback->fresh.drop_in_left = true;
		return conflict(rollback, NULL, NULL, NULL,
				"somebody edited " TCT_DROP_IN_PATH
				" since; it is left as it is; --force writes it anew");
	}
	rollback->drop_in_changes = true;
	rollback->fresh.persisted = true;
	tct_drop_in_sha256(rollback->drop_in, rollback->fresh.drop_in_before_sha256);
	tct_drop_in_sha256(rollback->drop_in_after, rollback->fresh.drop_in_after_sha256);
	if (tct_result_drop_in(rollback->result, rollback->options->root, rollback->drop_in,
			       rollback->drop_in_after) < 0)
		return no_memory(rollback);
	return note_lines(rollback);
}

static int fill_result(struct rollback *rollback)
{
	for (size_t i = 0; i < rollback->fresh.keys_count; i++) {
		const struct tct_journal_key *key = &rollback->fresh.keys[i];
		bool live = key->after.kind != TCT_VALUE_NONE;

		if (!live && key->boot_before.kind == TCT_VALUE_NONE &&
		    key->boot_after.kind == TCT_VALUE_NONE)
			continue; /* left alone */
		if (tct_result_setting(rollback->result, key->key,
				       live ? &key->before : &key->boot_before,
				       live ? &key->after : &key->boot_after, live,
				       key->boot_after.kind != TCT_VALUE_NONE, NULL) < 0)
			return no_memory(rollback);
	}
	return 0;
}

static int describe(struct rollback *rollback)
{
	struct tct_transaction *fresh = &rollback->fresh;
	char reason[300];

	if (tct_transaction_describe(fresh, TCT_TRANSACTION_ROLLBACK, &rollback->place) < 0)
		return no_memory(rollback);
	fresh->undoes = rollback->undo->id;
	if (rollback->undo->profiles != NULL) {
		fresh->profiles = strdup(rollback->undo->profiles);
		if (fresh->profiles == NULL)
			return no_memory(rollback);
	}
	if (rollback->options->reason != NULL) {
		tct_drop_in_sanitise(rollback->options->reason, reason, sizeof(reason));
		fresh->reason = strdup(reason);
		if (fresh->reason == NULL)
			return no_memory(rollback);
	}
	return 0;
}

static int plan_all(struct rollback *rollback)
{
	const struct tct_apply_options *options = rollback->options;
	const struct tct_transaction *undo = rollback->undo;
	const struct tct_place_of_work *place = &rollback->place;
	bool here = tct_transaction_in(undo, &place->netns, place->boot_id);
	char words[160];
	int result = 0;

	if (undo->live && !here && !tct_namespace_gone(undo, place))
		return tct_err_set(rollback->err, TCT_FAULT_REFUSED, EXDEV,
				   "transaction %" PRIu64
				   " is another network namespace's: tcptune rollback "
				   "%s %" PRIu64,
				   undo->id, tct_namespace_words(&undo->netns, words), undo->id);
	if (tct_journal_owned(rollback->journal, &place->netns, place->boot_id, 0,
			      &rollback->before) < 0 ||
	    tct_journal_owned(rollback->journal, &place->netns, place->boot_id, undo->id,
			      &rollback->after) < 0)
		return no_memory(rollback);
	result = describe(rollback);
	if (result == 0 && undo->live && here && options->root->live && !options->no_live)
		result = plan_live(rollback);
	if (result == 0 && tct_transaction_changed_drop_in(undo) && !options->no_persist &&
	    (rollback->earlier == NULL || rollback->earlier->drop_in_left))
		result = plan_drop_in(rollback);
	return result == 0 ? fill_result(rollback) : result;
}

static int undo(struct rollback *rollback)
{
	struct tct_apply_result *result = rollback->result;
	int status = plan_all(rollback);

	if (status < 0)
		return status;
	result->undid = rollback->undo->id;
	/* Nothing but conflicts: the transaction stands, for --force or until they are gone. */
	if (result->conflicts_count > 0 && result->settings_count == 0 &&
	    !rollback->drop_in_changes)
		return 0;
	result->changed = true;
	if (rollback->options->dry_run)
		return 0;
	/* Recorded even if nothing is left to write: it must not be undone again. */
	status = tct_transact(&rollback->place, rollback->journal, &rollback->fresh,
			      rollback->drop_in_changes, rollback->drop_in_after,
			      &result->rolled_back, rollback->err);
	result->transaction = rollback->fresh.id;
	if (status < 0) {
		result->changed = false;
		result->undid = 0;
		tct_result_take_back(result);
	}
	return status;
}

/* What stands can be undone; with --force also what an earlier rollback left. */
static bool is_candidate(const struct rollback *rollback, const struct tct_transaction *transaction)
{
	return tct_transaction_stands(transaction) ||
	       (rollback->force && tct_journal_left_over(rollback->journal, transaction) != NULL);
}

/* Left-over conflicts of an older apply are history: something came after it. */
static const struct tct_transaction *newest(const struct rollback *rollback)
{
	const struct tct_place_of_work *place = &rollback->place;
	bool first = true;

	for (size_t i = rollback->journal->transactions_count; i-- > 0;) {
		const struct tct_transaction *transaction = &rollback->journal->transactions[i];

		if (transaction->kind != TCT_TRANSACTION_APPLY ||
		    transaction->state == TCT_TRANSACTION_UNDONE ||
		    !tct_transaction_in(transaction, &place->netns, place->boot_id))
			continue;
		if (tct_transaction_stands(transaction) ||
		    (first && is_candidate(rollback, transaction)))
			return transaction;
		first = false;
	}
	return NULL;
}

/* Which one? NULL and 0: nothing to do. */
static int choose(struct rollback *rollback, uint64_t id)
{
	if (id == 0) {
		rollback->undo = newest(rollback);
		return 0;
	}

	const struct tct_transaction *chosen = tct_journal_find(rollback->journal, id);

	if (chosen == NULL)
		return tct_err_set(rollback->err, TCT_FAULT_INPUT, ENOENT,
				   "there is no transaction %" PRIu64 "; see tcptune history", id);
	if (chosen->kind == TCT_TRANSACTION_ROLLBACK)
		return tct_err_set(rollback->err, TCT_FAULT_INPUT, EINVAL,
				   "transaction %" PRIu64
				   " is a rollback itself; to get its values again, "
				   "apply the profile",
				   id);
	if (is_candidate(rollback, chosen))
		rollback->undo = chosen;
	return 0;
}

/* Leftovers first. *enough: what was interrupted is what was to be undone. */
static int recover(struct rollback *rollback, uint64_t id, bool *enough)
{
	struct tct_apply_result *result = rollback->result;
	const struct tct_transaction *foreign = NULL;
	const struct tct_transaction *recovered;
	char words[160];
	int status;

	if (rollback->options->dry_run) {
		recovered = tct_journal_interrupted(rollback->journal);
		result->recovered = recovered != NULL ? recovered->id : 0;
		return 0;
	}
	status = tct_recover(&rollback->place, rollback->journal, result, &foreign, rollback->err);
	if (status < 0)
		return status;
	if (foreign != NULL && tct_transaction_changed_drop_in(foreign))
		return tct_err_set(rollback->err, TCT_FAULT_REFUSED, EBUSY,
				   "transaction %" PRIu64
				   " of another network namespace was interrupted; "
				   "undo it first: tcptune rollback %s",
				   foreign->id, tct_namespace_words(&foreign->netns, words));
	recovered = result->recovered != 0 ? tct_journal_find(rollback->journal, result->recovered)
					   : NULL;
	if (recovered == NULL)
		return 0;
	result->changed = true;
	if (recovered->kind == TCT_TRANSACTION_APPLY && (id == 0 || id == recovered->id)) {
		result->undid = recovered->id;
		*enough = true;
	}
	return 0;
}

static int run(struct rollback *rollback, uint64_t id)
{
	bool enough = false;
	int status = tct_journal_open(rollback->options->root, !rollback->options->dry_run,
				      &rollback->journal, rollback->err);

	if (status == 0)
		status = recover(rollback, id, &enough);
	if (status < 0 || enough)
		return status;
	status = choose(rollback, id);
	if (status < 0 || rollback->undo == NULL)
		return status;
	rollback->earlier = tct_journal_left_over(rollback->journal, rollback->undo);
	return undo(rollback);
}

int tct_rollback(const struct tct_apply_options *options, uint64_t id, bool force,
		 struct tct_apply_result *result, struct tct_err *err)
{
	struct rollback rollback = {
		.options = options,
		.result = result,
		.force = force,
		.proc_sys = -1,
		.err = err,
	};
	int lock = -1;
	int status = 0;

	*result = (struct tct_apply_result){ .dry_run = options->dry_run };
	status = tct_place_of_work_check(options->root, err);
	if (status < 0)
		return status;
	tct_place_of_work_init(options, &rollback.place);
	if (!options->dry_run)
		status = tct_lock_take(options->root, &options->wait, &lock, err);
	if (status == 0)
		status = run(&rollback, id);
	tct_lock_release(&lock);
	tct_transaction_done(&rollback.fresh);
	tct_owned_set_done(&rollback.before);
	tct_owned_set_done(&rollback.after);
	tct_journal_free(rollback.journal);
	free(rollback.drop_in);
	free(rollback.drop_in_after);
	if (rollback.proc_sys >= 0)
		(void)close(rollback.proc_sys);
	return status;
}
