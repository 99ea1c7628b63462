/* Keeping what waits to be confirmed: its lines of the drop-in are written, and its guard goes. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/apply.h"
#include "tune/drop_in.h"
#include "tune/guard.h"
#include "tune/live_write.h"
#include "tune/modules.h"
#include "tune/transact.h"
#include "tune/waiting.h"

struct confirm {
	const struct tct_apply_options *options;
	struct tct_place_of_work place;
	struct tct_apply_result *result;
	struct tct_journal *journal;
	struct tct_transaction *kept; /* borrowed from the journal */
	struct tct_transaction fresh;
	struct tct_owned_set before; /* ours now */
	struct tct_owned_set after;  /* ours with the lines that were put off */
	char *drop_in;               /* text now */
	char *drop_in_after;
	bool drop_in_changes;
	struct tct_err *err;
};

static int no_memory(const struct confirm *confirm)
{
	return tct_err_nomem(confirm->err);
}

/* --- which one ----------------------------------------------------------------------------- */

/* Why it can't be confirmed any more. */
static int refuse_ended(const struct confirm *confirm, const struct tct_transaction *ended)
{
	char time[TCT_NUMBER_TEXT];

	if (tct_transaction_lapsed(ended))
		return tct_err_set(confirm->err, TCT_FAULT_REFUSED, ETIMEDOUT,
				   "transaction %" PRIu64
				   " can't be confirmed any more, its time was over at %s: %s",
				   ended->id, tct_text_time(ended->deadline_ns, time),
				   ended->error + strlen(TCT_NOT_CONFIRMED "; "));
	if (ended->undone_by != 0)
		return tct_err_set(confirm->err, TCT_FAULT_REFUSED, ECANCELED,
				   "transaction %" PRIu64 " was undone by %" PRIu64, ended->id,
				   ended->undone_by);
	return tct_err_set(confirm->err, TCT_FAULT_REFUSED, ECANCELED,
			   "transaction %" PRIu64 " was put back: %.300s", ended->id,
			   ended->error != NULL ? ended->error : "it failed");
}

/* Without a number: what waits here. If nothing does, was the newest apply lost? */
static int choose_newest(struct confirm *confirm)
{
	const struct tct_place_of_work *place = &confirm->place;

	confirm->kept = tct_journal_waiting(confirm->journal, &place->netns, place->boot_id);
	if (confirm->kept != NULL)
		return 0;
	for (size_t i = confirm->journal->transactions_count; i-- > 0;) {
		const struct tct_transaction *newest = &confirm->journal->transactions[i];

		if (newest->kind != TCT_TRANSACTION_APPLY ||
		    !tct_transaction_in(newest, &place->netns, place->boot_id))
			continue;
		if (newest->confirm_within_ns != 0 && !tct_transaction_stands(newest))
			return refuse_ended(confirm, newest);
		confirm->result->confirmed = newest->confirm_within_ns != 0 ? newest->id : 0;
		break;
	}
	return 0;
}

/* kept NULL and 0: nothing to do. */
static int choose(struct confirm *confirm, uint64_t id)
{
	struct tct_transaction *chosen = tct_journal_find(confirm->journal, id);
	const struct tct_place_of_work *place = &confirm->place;
	char words[160];

	if (id == 0)
		return choose_newest(confirm);
	if (chosen == NULL)
		return tct_err_set(confirm->err, TCT_FAULT_INPUT, ENOENT,
				   "there is no transaction %" PRIu64 "; see tcptune history", id);
	if (chosen->kind != TCT_TRANSACTION_APPLY)
		return tct_err_set(confirm->err, TCT_FAULT_INPUT, EINVAL,
				   "transaction %" PRIu64 " is not an apply: it never waited", id);
	if (!tct_transaction_stands(chosen))
		return refuse_ended(confirm, chosen);
	if (!tct_transaction_waits(chosen)) {
		confirm->result->confirmed = id;
		return 0;
	}
	if (!tct_transaction_in(chosen, &place->netns, place->boot_id))
		return tct_err_set(confirm->err, TCT_FAULT_REFUSED, EXDEV,
				   "transaction %" PRIu64
				   " is another network namespace's: tcptune confirm "
				   "%s %" PRIu64,
				   id, tct_namespace_words(&chosen->netns, words), id);
	confirm->kept = chosen;
	return 0;
}

/* --- what is written ----------------------------------------------------------------------- */

/* The file must be what tcptune wrote; then it gets the lines. */
static int plan_drop_in(struct confirm *confirm)
{
	TCT_AUTO(tct_drop_in_done) struct tct_drop_in on_disk = { 0 };
	const struct tct_place_of_work *place = &confirm->place;
	struct tct_transaction *fresh = &confirm->fresh;
	int result = tct_drop_in_read(place->root, &confirm->drop_in, confirm->err);

	if (result < 0)
		return result;
	if (tct_drop_in_parse(confirm->drop_in, &on_disk) < 0 ||
	    tct_journal_owned(confirm->journal, &place->netns, place->boot_id, 0,
			      &confirm->before) < 0)
		return no_memory(confirm);
	/* As if it had been written by the apply: so it will count. */
	confirm->kept->deferred = false;
	result = tct_journal_owned(confirm->journal, &place->netns, place->boot_id, 0,
				   &confirm->after);
	if (result == 0)
		result = tct_drop_in_render_owned(&confirm->after, &confirm->drop_in_after);
	confirm->kept->deferred = true;
	if (result < 0)
		return no_memory(confirm);
	if (confirm->drop_in != NULL && !tct_drop_in_equals_owned(&on_disk, &confirm->before))
		return tct_err_set(
			confirm->err, TCT_FAULT_REFUSED, EEXIST,
			TCT_DROP_IN_PATH
			" isn't what tcptune wrote (edited by hand?): move its lines to a file "
			"with a name of your own, remove it, and confirm again");
	confirm->drop_in_changes = !tct_drop_in_equals_owned(&on_disk, &confirm->after);
	fresh->persisted = true;
	tct_drop_in_sha256(confirm->drop_in, fresh->drop_in_before_sha256);
	tct_drop_in_sha256(confirm->drop_in_after, fresh->drop_in_after_sha256);
	return tct_result_drop_in(confirm->result, place->root, confirm->drop_in,
				  confirm->drop_in_after) < 0
		       ? no_memory(confirm)
		       : 0;
}

/* The list of modules that the lines need, if one was asked for. */
static int plan_modules(struct confirm *confirm)
{
	const struct tct_root *root = confirm->place.root;
	struct tct_transaction *fresh = &confirm->fresh;
	TCT_AUTOFREE char *text = NULL;
	TCT_AUTOFREE char *names = NULL;
	int result;

	if (tct_modules_same(confirm->before.modules, confirm->after.modules))
		return 0;
	result = tct_own_file_read(root, &tct_own_modules_load, &text, confirm->err);
	if (result < 0)
		return result;
	if (tct_modules_parse(text, &names) < 0)
		return no_memory(confirm);
	if (names != NULL && !tct_modules_same(names, confirm->before.modules))
		return tct_err_set(
			confirm->err, TCT_FAULT_REFUSED, EEXIST,
			TCT_MODULES_LOAD_PATH
			" isn't what tcptune wrote: move its lines to a file with a name of your "
			"own, remove it, and confirm again");
	if (tct_modules_copy(&fresh->modules_before, names) < 0 ||
	    tct_modules_copy(&fresh->modules_after, confirm->after.modules) < 0 ||
	    tct_result_modules(confirm->result, root, names, confirm->after.modules) < 0)
		return no_memory(confirm);
	return 0;
}

/* The lines of this apply, for the journal, which counts them as the apply's own. */
static int note_lines(struct confirm *confirm)
{
	TCT_AUTOCLOSE int proc_sys = tct_live_open(confirm->place.root);

	for (size_t i = 0; i < confirm->kept->keys_count; i++) {
		const struct tct_journal_key *kept = &confirm->kept->keys[i];
		const struct tct_value *before = tct_owned_line(&confirm->before, kept->key);
		const struct tct_value *after = tct_owned_line(&confirm->after, kept->key);
		struct tct_journal_key *key;

		if (before->kind == TCT_VALUE_NONE && after->kind == TCT_VALUE_NONE)
			continue;
		key = TCT_APPEND(&confirm->fresh, keys);
		if (key == NULL || tct_value_copy(&key->boot_before, before) < 0 ||
		    tct_value_copy(&key->boot_after, after) < 0)
			return no_memory(confirm);
		key->key = kept->key;
		if (!tct_value_equal(before, after) &&
		    tct_result_line(confirm->result, proc_sys, key->key, before, after,
				    kept->because) < 0)
			return no_memory(confirm);
	}
	return 0;
}

/* Values that somebody changed meanwhile are kept as well: said, and left. */
static int compare_live(struct confirm *confirm)
{
	TCT_AUTOCLOSE int proc_sys = tct_live_open(confirm->place.root);

	for (size_t i = 0; proc_sys >= 0 && i < confirm->kept->keys_count; i++) {
		const struct tct_journal_key *key = &confirm->kept->keys[i];
		TCT_AUTO(tct_value_done) struct tct_value now = { 0 };

		if (key->after.kind == TCT_VALUE_NONE ||
		    tct_live_read(proc_sys, key->key, &now) < 0 ||
		    tct_value_stored_as(key->key, &key->after, &now))
			continue;
		if (tct_result_conflict(confirm->result, key->key, &key->before, &key->after, &now,
					"somebody else changed it since; left as it is") < 0)
			return no_memory(confirm);
	}
	return 0;
}

static int describe(struct confirm *confirm)
{
	struct tct_transaction *fresh = &confirm->fresh;

	if (tct_transaction_describe(fresh, TCT_TRANSACTION_CONFIRM, &confirm->place) < 0)
		return no_memory(confirm);
	fresh->confirms = confirm->kept->id;
	if (confirm->kept->profiles != NULL) {
		fresh->profiles = strdup(confirm->kept->profiles);
		if (fresh->profiles == NULL)
			return no_memory(confirm);
	}
	return 0;
}

static int keep(struct confirm *confirm)
{
	struct tct_apply_result *result = confirm->result;
	uint64_t id = confirm->kept->id;
	int status = describe(confirm);

	if (status == 0 && confirm->kept->deferred)
		status = plan_drop_in(confirm);
	if (status == 0 && confirm->kept->deferred)
		status = note_lines(confirm);
	if (status == 0 && confirm->kept->deferred)
		status = plan_modules(confirm);
	if (status == 0)
		status = compare_live(confirm);
	if (status < 0)
		return status;
	/* The journal's list of transactions grows: what was borrowed from it ends here. */
	confirm->kept = NULL;
	status = tct_transact(&confirm->place, confirm->journal, &confirm->fresh,
			      confirm->drop_in_changes, confirm->drop_in_after,
			      &result->rolled_back, confirm->err);
	result->transaction = confirm->fresh.id;
	if (status < 0) {
		tct_result_take_back(result);
		return status;
	}
	result->changed = true;
	result->confirmed = id;
	tct_guard_disarm(id);
	return 0;
}

/* --- all of it ----------------------------------------------------------------------------- */

static int recover(struct confirm *confirm)
{
	const struct tct_transaction *foreign = NULL;
	struct tct_apply_result *result = confirm->result;
	int status = tct_recover(&confirm->place, confirm->journal, result, &foreign, confirm->err);

	if (status < 0)
		return status;
	result->changed = result->recovered != 0 || result->expired != 0;
	return foreign != NULL && tct_transaction_changed_drop_in(foreign)
		       ? tct_refuse_foreign(foreign, confirm->err)
		       : 0;
}

static int run(struct confirm *confirm, uint64_t id)
{
	int status =
		tct_journal_open(confirm->options->root, true, &confirm->journal, confirm->err);

	if (status == 0)
		status = recover(confirm);
	if (status == 0)
		status = choose(confirm, id);
	if (status < 0 || confirm->kept == NULL)
		return status;
	return keep(confirm);
}

int tct_confirm(const struct tct_apply_options *options, uint64_t id,
		struct tct_apply_result *result, struct tct_err *err)
{
	struct confirm confirm = { .options = options, .result = result, .err = err };
	int lock = -1;
	int status;

	*result = (struct tct_apply_result){ 0 };
	status = tct_place_of_work_init(options, &confirm.place, err);
	if (status == 0)
		status = tct_lock_take(options->root, &options->wait, &lock, err);
	if (status == 0)
		status = run(&confirm, id);
	tct_transaction_done(&confirm.fresh);
	tct_owned_set_done(&confirm.before);
	tct_owned_set_done(&confirm.after);
	tct_journal_free(confirm.journal);
	free(confirm.drop_in);
	free(confirm.drop_in_after);
	tct_lock_release(&lock);
	return status;
}
