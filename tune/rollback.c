/* Undoing a transaction, three ways: what it found, what it wrote, what is there now. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/apply.h"
#include "tune/guard.h"
#include "tune/rollback_private.h"
#include "tune/transact.h"
#include "tune/waiting.h"

/* A dry run: would the system let us? */
static int foresee(struct tct_rollback_work *rollback)
{
	struct tct_apply_result *result = rollback->result;
	const struct tct_intent intent = {
		.drop_in_changes = rollback->drop_in_changes,
		.makes_drop_in = rollback->drop_in_after != NULL,
		.modules_change = tct_transaction_changed_modules(&rollback->fresh),
		.makes_modules = rollback->fresh.modules_after != NULL,
	};
	int status = tct_may_transact(rollback->options->root, rollback->journal, &intent,
				      rollback->err);

	result->changed = status == 0;
	if (status < 0) {
		result->undid = 0;
		tct_result_take_back(result);
	}
	return status;
}

static int undo(struct tct_rollback_work *rollback)
{
	struct tct_apply_result *result = rollback->result;
	bool waits = tct_transaction_waits(rollback->undo);
	/* A recovery may have come before. */
	size_t settings = result->settings_count;
	size_t conflicts = result->conflicts_count;
	int status = tct_rollback_plan(rollback);

	if (status < 0)
		return status;
	result->undid = rollback->undo->id;
	/* Nothing but conflicts: the transaction stands, for --force or until they are gone. */
	if (result->conflicts_count > conflicts && result->settings_count == settings &&
	    !rollback->drop_in_changes && !tct_transaction_changed_modules(&rollback->fresh))
		return 0;
	if (rollback->options->dry_run)
		return foresee(rollback);
	result->changed = true;
	/* Recorded even if nothing is left to write: it must not be undone again. */
	status = tct_transact(&rollback->place, rollback->journal, &rollback->fresh,
			      rollback->drop_in_changes, rollback->drop_in_after,
			      &result->rolled_back, rollback->err);
	result->transaction = rollback->fresh.id;
	if (status < 0) {
		result->changed = false;
		result->undid = 0;
		tct_result_take_back(result);
	} else if (waits) {
		tct_guard_disarm(result->undid);
	}
	return status;
}

/* What stands can be undone; with --force also what an earlier rollback left. */
static bool is_candidate(const struct tct_rollback_work *rollback,
			 const struct tct_transaction *transaction)
{
	return tct_transaction_stands(transaction) ||
	       (rollback->force && tct_journal_left_over(rollback->journal, transaction) != NULL);
}

/* Left-over conflicts of an older apply are history: something came after it. */
static const struct tct_transaction *newest(const struct tct_rollback_work *rollback)
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

/* What waits to be confirmed has put its values over those of older ones: it goes first. */
static int choose_candidate(struct tct_rollback_work *rollback,
			    const struct tct_transaction *chosen)
{
	const struct tct_place_of_work *place = &rollback->place;
	const struct tct_transaction *waiting =
		tct_journal_waiting(rollback->journal, &place->netns, place->boot_id);
	char words[320];

	if (!is_candidate(rollback, chosen))
		return 0;
	if (waiting != NULL && waiting != chosen && waiting->id != rollback->result->expired)
		return tct_err_set(rollback->err, TCT_FAULT_REFUSED, EBUSY, "%s",
				   tct_waiting_words(waiting, place, words));
	rollback->undo = chosen;
	return 0;
}

/* Which one? NULL and 0: nothing to do. */
static int choose(struct tct_rollback_work *rollback, uint64_t id)
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
	if (chosen->kind == TCT_TRANSACTION_CONFIRM)
		return tct_err_set(rollback->err, TCT_FAULT_INPUT, EINVAL,
				   "transaction %" PRIu64 " confirms %" PRIu64
				   "; to undo that: tcptune rollback %" PRIu64,
				   id, chosen->confirms, chosen->confirms);
	return choose_candidate(rollback, chosen);
}

/* Is it the interrupted transaction that was to be undone? NULL = there is none. */
static bool undoes_enough(struct tct_rollback_work *rollback,
			  const struct tct_transaction *recovered, uint64_t id)
{
	if (recovered == NULL)
		return false;
	rollback->result->changed = true;
	if (recovered->kind != TCT_TRANSACTION_APPLY || (id != 0 && id != recovered->id))
		return false;
	rollback->result->undid = recovered->id;
	return true;
}

/* Leftovers first. *enough: what was interrupted is what was to be undone. */
static int recover(struct tct_rollback_work *rollback, uint64_t id, bool *enough)
{
	struct tct_apply_result *result = rollback->result;
	const struct tct_transaction *foreign = NULL;
	const struct tct_transaction *recovered;
	int status;

	if (rollback->options->dry_run) {
		recovered = tct_journal_interrupted(rollback->journal);
		result->expired = tct_waiting_expired(rollback->journal, &rollback->place);
		result->recovered = recovered != NULL ? recovered->id : 0;
		if (recovered != NULL && (tct_transaction_in(recovered, &rollback->place.netns,
							     rollback->place.boot_id) ||
					  tct_namespace_gone(recovered, &rollback->place)))
			*enough = undoes_enough(rollback, recovered, id);
		return 0;
	}
	if (rollback->force)
		rollback->place.forsaken = id;
	status = tct_recover(&rollback->place, rollback->journal, result, &foreign, rollback->err);
	if (status < 0)
		return status;
	if (foreign != NULL && tct_transaction_changed_drop_in(foreign))
		return tct_refuse_foreign(foreign, rollback->err);
	if (result->expired != 0) {
		result->changed = true;
		if (id == 0 || id == result->expired) {
			result->undid = result->expired;
			*enough = true;
		}
	}
	recovered = result->recovered != 0 ? tct_journal_find(rollback->journal, result->recovered)
					   : NULL;
	*enough |= undoes_enough(rollback, recovered, id);
	return 0;
}

static int run(struct tct_rollback_work *rollback, uint64_t id)
{
	bool enough = false;
	int status = tct_journal_open(rollback->options->root, !rollback->options->dry_run,
				      &rollback->journal, rollback->err);

	tct_result_note_torn(rollback->result, rollback->journal);
	if (status == 0)
		status = recover(rollback, id, &enough);
	if (status < 0 || enough)
		return status;
	status = choose(rollback, id);
	if (status == 0 && rollback->undo == NULL &&
	    tct_drop_in_left_orphan(rollback->options->root, rollback->journal))
		tct_result_note_orphan(rollback->result, rollback->options->root);
	if (status < 0 || rollback->undo == NULL)
		return status;
	rollback->earlier = tct_journal_left_over(rollback->journal, rollback->undo);
	return undo(rollback);
}

int tct_rollback(const struct tct_apply_options *options, uint64_t id, bool force,
		 struct tct_apply_result *result, struct tct_err *err)
{
	struct tct_rollback_work rollback = {
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
	if (status == 0)
		status = tct_place_of_work_init(options, &rollback.place, err);
	if (status < 0)
		return status;
	if (!options->dry_run)
		status = tct_lock_take(options->root, &options->wait, &lock, err);
	if (status == 0)
		status = run(&rollback, id);
	if (result->transaction != 0)
		tct_result_prune(result, &rollback.place, rollback.journal);
	tct_transaction_done(&rollback.fresh);
	tct_owned_set_done(&rollback.before);
	tct_owned_set_done(&rollback.after);
	tct_journal_free(rollback.journal);
	free(rollback.drop_in);
	free(rollback.drop_in_after);
	if (rollback.proc_sys >= 0)
		(void)close(rollback.proc_sys);
	tct_lock_release(&lock);
	return status;
}
