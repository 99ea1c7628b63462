/* What a rollback puts back: the three ways of each key, and the drop-in's lines. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "tune/drop_in.h"
#include "tune/live_write.h"
#include "tune/rollback_private.h"

static int no_memory(const struct tct_rollback_work *rollback)
{
	return tct_err_nomem(rollback->err);
}

/* Does a transaction between these two that stands have the key's live value? */
static bool has_live(const struct tct_rollback_work *rollback, const struct tct_kernel_key *key,
		     bool later)
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
static const struct tct_value *goes_back_to(const struct tct_rollback_work *rollback,
					    const struct tct_journal_key *key)
{
	if (key->baseline.kind != TCT_VALUE_NONE && !has_live(rollback, key->key, false))
		return &key->baseline;
	return &key->before;
}

static struct tct_journal_key *fresh_key(struct tct_rollback_work *rollback,
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

static int conflict(struct tct_rollback_work *rollback, const struct tct_journal_key *key,
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
static int leave_key(struct tct_rollback_work *rollback, const struct tct_journal_key *key,
		     const struct tct_value *target, const struct tct_value *now)
{
	struct tct_journal_key *fresh = fresh_key(rollback, key->key);

	if (fresh == NULL)
		return no_memory(rollback);
	fresh->left = true;
	return conflict(rollback, key, target, now,
			"somebody else changed it since; --force puts it back all the same");
}

static int plan_key(struct tct_rollback_work *rollback, const struct tct_journal_key *key)
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
				   "%s: can't read it: %s", key->key->name,
				   tct_live_error(-result));
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

static int plan_live(struct tct_rollback_work *rollback)
{
	int result = 0;

	rollback->proc_sys = tct_live_open(rollback->options->root);
	if (rollback->proc_sys < 0)
		return tct_err_set(rollback->err, TCT_FAULT_REFUSED, -rollback->proc_sys,
				   "/proc/sys: %s", tct_live_error(-rollback->proc_sys));
	for (size_t i = 0; result == 0 && i < rollback->undo->keys_count; i++)
		result = plan_key(rollback, &rollback->undo->keys[i]);
	rollback->fresh.live = true;
	return result;
}

/* The lines that go, come or change, for the journal. */
static int note_lines(struct tct_rollback_work *rollback)
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

static int plan_drop_in(struct tct_rollback_work *rollback)
{
	TCT_AUTO(tct_drop_in_done) struct tct_drop_in on_disk = { 0 };
	int result = tct_drop_in_read(rollback->options->root, &rollback->drop_in, rollback->err);

	/* Something else is in its place: left alone, and named. Not so when the system fails to
	 * give it: who knows what it has. */
	if (result < 0 && !tct_own_file_is_strange(result))
		return result;
	if (result < 0) {
		rollback->fresh.drop_in_left = true;
		return conflict(rollback, NULL, NULL, NULL,
				rollback->err != NULL ? rollback->err->message
						      : "it can't be read");
	}
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

static int fill_result(struct tct_rollback_work *rollback)
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
	return tct_restart_find(rollback->options->root, rollback->result) < 0 ? no_memory(rollback)
									       : 0;
}

static int describe(struct tct_rollback_work *rollback)
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

int tct_rollback_plan(struct tct_rollback_work *rollback)
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
	if (result == 0 && undo->persisted && !undo->deferred && !options->no_persist &&
	    !rollback->fresh.drop_in_left)
		result = tct_rollback_modules(rollback);
	return result == 0 ? fill_result(rollback) : result;
}
