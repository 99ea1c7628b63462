/* What a rollback puts back: the three ways of each key, and the drop-in's lines. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "tune/drop_in.h"
#include "tune/journal_chain.h"
#include "tune/live_write.h"
#include "tune/rollback_private.h"
#include "tune/three_way.h"

static int no_memory(const struct tct_rollback_work *rollback)
{
	return tct_err_nomem(rollback->err);
}

/* Is the key's live value a later transaction's that stands: its own, or given up by it? */
static bool is_overtaken(const struct tct_rollback_work *rollback, const struct tct_kernel_key *key)
{
	for (size_t i = rollback->journal->transactions_count; i-- > 0;) {
		const struct tct_transaction *other = &rollback->journal->transactions[i];
		const struct tct_journal_key *its;

		if (other->id <= rollback->undo->id)
			return false;
		if (!tct_transaction_stands(other) ||
		    !tct_transaction_in(other, &rollback->place.netns, rollback->place.boot_id))
			continue;
		its = tct_transaction_key(other, key);
		if ((its != NULL && its->after.kind != TCT_VALUE_NONE) ||
		    (other->live && tct_transaction_rules(other)))
			return true;
	}
	return false;
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

/* A conflict about the drop-in. */
static int conflict_of_file(struct tct_rollback_work *rollback, const char *reason)
{
	return tct_result_conflict(rollback->result, NULL, NULL, NULL, NULL, reason) < 0
		       ? no_memory(rollback)
		       : 0;
}

int tct_rollback_edited(struct tct_rollback_work *rollback, const char *path)
{
	char reason[512];

	rollback->fresh.drop_in_left = true;
	if (snprintf(reason, sizeof(reason),
		     "somebody edited %s%s since; it is left as it is; --force writes it anew",
		     tct_root_prefix(rollback->options->root), path) < 0)
		reason[0] = '\0';
	return conflict_of_file(rollback, reason);
}

/* What the earlier rollback did about the key; NULL = it left nothing of it alone. */
static const struct tct_journal_key *was_left(const struct tct_transaction *earlier,
					      const struct tct_kernel_key *key)
{
	const struct tct_journal_key *its = tct_transaction_key(earlier, key);

	return its != NULL && its->left ? its : NULL;
}

/* A conflict that --force would override: noted, so that it can still be had later. */
static int leave_key(struct tct_rollback_work *rollback, const struct tct_three_way *ways,
		     const struct tct_three_way_answer *answer)
{
	struct tct_journal_key *fresh = fresh_key(rollback, ways->key);
	int result = fresh == NULL ? -ENOMEM : 0;

	if (result == 0)
		fresh->left = true;
	if (result == 0 && answer->fields == 0)
		result = tct_result_conflict(
			rollback->result, ways->key, ways->before, ways->ours, ways->now,
			answer->disordered
				? "somebody else changed a part of it since, and with that its "
				  "fields would not ascend; --force puts it back all the same"
				: "somebody else changed it since; --force puts it back all the "
				  "same");
	for (unsigned field = 0; result == 0 && field < ways->now->count; field++) {
		if ((answer->fields & (1u << field)) != 0)
			result = tct_result_conflict_field(
				rollback->result, ways, field,
				"somebody else changed this field since; --force puts it back all "
				"the same");
	}
	return result < 0 ? no_memory(rollback) : 0;
}

static int settle_key(struct tct_rollback_work *rollback, const struct tct_three_way *ways)
{
	struct tct_three_way_answer answer;
	struct tct_journal_key *fresh = NULL;
	int result = tct_three_way(ways, &answer);

	if (result == 0 && answer.conflict && !ways->force)
		result = leave_key(rollback, ways, &answer);
	if (result == 0 && answer.after.kind != TCT_VALUE_NONE) {
		fresh = fresh_key(rollback, ways->key);
		if (fresh == NULL || tct_value_copy(&fresh->before, ways->now) < 0 ||
		    tct_value_copy(&fresh->after, &answer.after) < 0)
			result = no_memory(rollback);
	}
	tct_value_done(&answer.after);
	return result == -ENOMEM ? no_memory(rollback) : result;
}

/* The live value; *now NONE: the kernel doesn't have the key. */
static int read_now(struct tct_rollback_work *rollback, const struct tct_kernel_key *key,
		    struct tct_value *now)
{
	int result = tct_live_read(rollback->proc_sys, key, now);

	if (result == 0 || result == -ENOENT)
		return 0;
	if (result == -ENOMEM)
		return no_memory(rollback);
	return tct_err_set(rollback->err, TCT_FAULT_REFUSED, -result, "%s: can't read it: %s",
			   key->name, tct_live_error(-result));
}

static int plan_key(struct tct_rollback_work *rollback, const struct tct_journal_key *key)
{
	const struct tct_transaction *undo = rollback->undo;
	const struct tct_journal_key *left = NULL;
	TCT_AUTO(tct_value_done) struct tct_value now = { 0 };
	TCT_AUTO(tct_value_done) struct tct_value before = { 0 };
	bool booted = strcmp(undo->boot_id, rollback->place.boot_id) != 0;
	int result;

	if (key->after.kind == TCT_VALUE_NONE || is_overtaken(rollback, key->key))
		return 0;
	if (rollback->earlier != NULL) {
		left = was_left(rollback->earlier, key->key);
		if (left == NULL)
			return 0;
	}
	result = read_now(rollback, key->key, &now);
	if (result < 0)
		return result;
	/* Gone with its module, and its value too. */
	if (now.kind == TCT_VALUE_NONE)
		result =
			tct_result_gone(rollback->result, key->key,
					"the kernel doesn't have it just now: nothing to put back");
	else
		result = tct_journal_goes_back_to(rollback->journal, undo, key, &before);
	if (result < 0)
		return no_memory(rollback);
	if (now.kind == TCT_VALUE_NONE)
		return 0;

	const struct tct_three_way ways = {
		.key = key->key,
		.before = &before,
		.ours = &key->after,
		.booted =
			booted && key->boot_after.kind != TCT_VALUE_NONE ? &key->boot_after : NULL,
		.now = &now,
		.settled = { left != NULL ? &left->before : NULL,
			     left != NULL ? &left->after : NULL },
		.force = rollback->force,
	};

	return settle_key(rollback, &ways);
}

/*
 * A key that this transaction doesn't name because one before it had given it up: if that one is
 * undone by now, the key is an older one's again.
 */
static int plan_returning(struct tct_rollback_work *rollback, const struct tct_owned *owned)
{
	const struct tct_owned *ours = tct_owned_find(&rollback->before, owned->key);
	const struct tct_journal_key *named = tct_transaction_key(rollback->undo, owned->key);
	struct tct_journal_key key = { .key = owned->key };
	int result;

	if (!owned->live || (ours != NULL && ours->live) ||
	    (named != NULL && named->after.kind != TCT_VALUE_NONE))
		return 0;
	result = read_now(rollback, owned->key, &key.before);
	if (result == 0 && key.before.kind != TCT_VALUE_NONE) {
		result = tct_value_copy(&key.after, &key.before);
		if (result == 0)
			result = plan_key(rollback, &key);
		else
			result = no_memory(rollback);
	}
	tct_value_done(&key.before);
	tct_value_done(&key.after);
	return result;
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
	for (size_t i = 0; result == 0 && i < rollback->after.items_count; i++)
		result = plan_returning(rollback, &rollback->after.items[i]);
	rollback->fresh.live = true;
	return result;
}

static bool line_changes(const struct tct_rollback_work *rollback, const struct tct_kernel_key *key)
{
	return !tct_value_equal(tct_owned_line(&rollback->before, key),
				tct_owned_line(&rollback->after, key));
}

static bool any_line_changes(const struct tct_rollback_work *rollback)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		if (line_changes(rollback, &tct_kernel_keys[i]))
			return true;
	}
	return false;
}

/* The lines that go, come or change, for the journal. */
static int note_lines(struct tct_rollback_work *rollback)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_kernel_key *key = &tct_kernel_keys[i];
		struct tct_journal_key *fresh;

		if (!line_changes(rollback, key))
			continue;
		fresh = fresh_key(rollback, key);
		if (fresh == NULL ||
		    tct_value_copy(&fresh->boot_before, tct_owned_line(&rollback->before, key)) <
			    0 ||
		    tct_value_copy(&fresh->boot_after, tct_owned_line(&rollback->after, key)) < 0)
			return no_memory(rollback);
	}
	return 0;
}

static int plan_drop_in(struct tct_rollback_work *rollback)
{
	TCT_AUTO(tct_drop_in_done) struct tct_drop_in on_disk = { 0 };
	int result = 0;

	/* Its lines are a later transaction's. What was left alone earlier is gone after all the
	 * same. */
	if (rollback->earlier == NULL && !any_line_changes(rollback))
		return 0;
	result = tct_drop_in_read(rollback->options->root, &rollback->drop_in, rollback->err);
	/* Something else is in its place: left alone, and named. Not so when the system fails to
	 * give it: who knows what it has. */
	if (result < 0 && !tct_own_file_is_strange(result))
		return result;
	if (result < 0) {
		rollback->fresh.drop_in_left = true;
		return conflict_of_file(rollback, rollback->err != NULL ? rollback->err->message
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
	    !rollback->force)
		return tct_rollback_edited(rollback, TCT_DROP_IN_PATH);
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
	struct tct_apply_result *out = rollback->result;

	/* Where no live value is undone they are told all the same. */
	if (rollback->proc_sys < 0 && rollback->options->root->live)
		rollback->proc_sys = tct_live_open(rollback->options->root);
	for (size_t i = 0; i < rollback->fresh.keys_count; i++) {
		const struct tct_journal_key *key = &rollback->fresh.keys[i];
		bool persisted = key->boot_after.kind != TCT_VALUE_NONE;
		int result = 0;

		if (key->after.kind != TCT_VALUE_NONE)
			result = tct_result_setting(out, key->key, &key->before, &key->after, true,
						    persisted, NULL);
		else if (persisted || key->boot_before.kind != TCT_VALUE_NONE)
			result = tct_result_line(out, rollback->proc_sys, key->key,
						 &key->boot_before, &key->boot_after, NULL);
		if (result < 0)
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
	if (result == 0 && tct_transaction_has_lines(undo) && !options->no_persist &&
	    (rollback->earlier == NULL || rollback->earlier->drop_in_left))
		result = plan_drop_in(rollback);
	if (result == 0 && undo->persisted && !undo->deferred && !options->no_persist &&
	    !rollback->fresh.drop_in_left)
		result = tct_rollback_modules(rollback);
	return result == 0 ? fill_result(rollback) : result;
}
