#include "tune/transact.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/guard.h"
#include "tune/live_write.h"
#include "tune/modules.h"
#include "tune/order.h"

/* One live value. Texts and orders are made before the first write; from then on nothing is
 * allocated. */
struct step {
	struct tct_journal_key *key; /* the journal's own copy */
	char *before;                /* as written to the kernel */
	char *after;
	bool touched;
};

struct work {
	const struct tct_place_of_work *place;
	struct tct_journal *journal;
	struct tct_transaction *transaction; /* the journal's own copy */
	struct step *steps;
	size_t steps_count;
	size_t *forward;
	size_t *backward;
	int proc_sys;
	char *modules_text; /* our modules-load.d file to come; NULL = none */
	struct tct_own_file_change modules;
	struct tct_own_file_change change; /* of the drop-in */
	bool wrote;
	enum tct_guard guard;
};

enum { STUCK_TEXT = 240 }; /* names of what could not be put back */

static char *kernel_text(const struct tct_value *value)
{
	TCT_AUTOFREE char *text = tct_value_text(value);
	TCT_AUTO(tct_text_done) struct tct_text line = { 0 };

	if (text == NULL)
		return NULL;
	tct_text_addf(&line, "%s\n", text);
	return tct_text_take(&line);
}

static void done(struct work *work)
{
	for (size_t i = 0; i < work->steps_count; i++) {
		free(work->steps[i].before);
		free(work->steps[i].after);
	}
	free(work->steps);
	free(work->forward);
	free(work->backward);
	free(work->modules_text);
	if (work->proc_sys >= 0)
		(void)close(work->proc_sys);
}

static int make_orders(struct work *work)
{
	size_t count = work->steps_count;
	TCT_AUTOFREE struct tct_order_item *items = calloc(count + 1, sizeof(*items));

	work->forward = calloc(count + 1, sizeof(*work->forward));
	work->backward = calloc(count + 1, sizeof(*work->backward));
	if (items == NULL || work->forward == NULL || work->backward == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct tct_journal_key *key = work->steps[i].key;

		items[i] = (struct tct_order_item){ key->key, &key->before, &key->after };
	}
	tct_order(items, count, work->forward);
	for (size_t i = 0; i < count; i++) {
		const struct tct_journal_key *key = work->steps[i].key;

		items[i] = (struct tct_order_item){ key->key, &key->after, &key->before };
	}
	tct_order(items, count, work->backward);
	return 0;
}

static int prepare(struct work *work)
{
	struct tct_transaction *transaction = work->transaction;

	work->steps = calloc(transaction->keys_count + 1, sizeof(*work->steps));
	if (work->steps == NULL ||
	    tct_modules_render(transaction->modules_after, &work->modules_text) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < transaction->keys_count; i++) {
		struct tct_journal_key *key = &transaction->keys[i];
		struct step *step = &work->steps[work->steps_count];

		if (key->after.kind == TCT_VALUE_NONE ||
		    tct_value_stored_as(key->key, &key->after, &key->before))
			continue;
		work->steps_count++;
		step->key = key;
		step->before = kernel_text(&key->before);
		step->after = kernel_text(&key->after);
		if (step->before == NULL || step->after == NULL)
			return -ENOMEM;
	}
	return make_orders(work);
}

/* Does the key now have this value? 0, -errno; -ESTALE: it has another. */
static int verify(const struct work *work, const struct step *step, const struct tct_value *value)
{
	TCT_AUTO(tct_value_done) struct tct_value now = { 0 };
	int result = tct_live_read(work->proc_sys, step->key->key, &now);

	if (result == 0 && !tct_value_stored_as(step->key->key, value, &now))
		result = -ESTALE;
	return result;
}

/* Of what was written and what is read back, the first field that differs. */
static int tell_difference(const struct step *step, const struct tct_value *now,
			   struct tct_err *err)
{
	const struct tct_value *after = &step->key->after;
	unsigned field = 0;

	while (field < after->count && field < now->count &&
	       after->numbers[field] == now->numbers[field])
		field++;
	if (after->kind != TCT_VALUE_NUMBERS || now->kind != TCT_VALUE_NUMBERS ||
	    field >= after->count || field >= now->count)
		return tct_err_set(
			err, TCT_FAULT_REFUSED, ESTALE,
			"%s: %.*s was written without an error, but another value is read back",
			step->key->key->name, (int)strcspn(step->after, "\n"), step->after);
	if (after->count == 1)
		return tct_err_set(err, TCT_FAULT_REFUSED, ESTALE,
				   "%s: %" PRId64 " was written without an error, but %" PRId64
				   " is read back",
				   step->key->key->name, after->numbers[0], now->numbers[0]);
	return tct_err_set(err, TCT_FAULT_REFUSED, ESTALE,
			   "%s: %.*s was written without an error, but field %u is read back as "
			   "%" PRId64,
			   step->key->key->name, (int)strcspn(step->after, "\n"), step->after,
			   field + 1, now->numbers[field]);
}

static int read_back(const struct work *work, const struct step *step, struct tct_err *err)
{
	TCT_AUTO(tct_value_done) struct tct_value now = { 0 };
	const struct tct_kernel_key *key = step->key->key;
	int result = tct_live_read(work->proc_sys, key, &now);

	if (result < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, -result, "%s: can't read it back: %s",
				   key->name, tct_live_error(-result));
	return tct_value_stored_as(key, &step->key->after, &now) ? 0
								 : tell_difference(step, &now, err);
}

static int write_step(struct work *work, struct step *step, struct tct_err *err)
{
	/* prepare() fills each step that counts. */
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	const char *name = step->key->key->name;
	int result = verify(work, step, &step->key->before);

	if (result == -ESTALE)
		return tct_err_set(err, TCT_FAULT_REFUSED, ESTALE,
				   "%s: somebody else changed it at this moment", name);
	if (result < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, -result, "%s: can't read it: %s", name,
				   tct_live_error(-result));
	step->touched = true;
	work->wrote = true;
	result = tct_live_write(work->proc_sys, step->key->key, step->after, strlen(step->after));
	if (result < 0)
		return tct_err_set(
			err, TCT_FAULT_REFUSED, -result, "%s: the kernel refuses %.*s: %s", name,
			(int)strcspn(step->after, "\n"), step->after, tct_live_error(-result));
	return read_back(work, step, err);
}

/* Also the key that failed: a refused vector may be half written. */
static bool put_back(struct work *work, struct step *step)
{
	if (verify(work, step, &step->key->before) == 0)
		return true;
	/* What counts is what is there afterwards, not what the write says. */
	(void)tct_live_write(work->proc_sys, step->key->key, step->before, strlen(step->before));
	return verify(work, step, &step->key->before) == 0;
}

/* Without allocating. */
static void add_stuck(char *stuck, size_t size, const char *name)
{
	size_t used = strlen(stuck);

	(void)snprintf(stuck + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

/* Undo in the order that the way back needs. Names what is stuck in stuck[]. */
static bool put_all_back(struct work *work, char *stuck, size_t size)
{
	bool all = true;

	stuck[0] = '\0';
	/* Without an order nothing was begun. */
	for (size_t i = 0; work->backward != NULL && i < work->steps_count; i++) {
		struct step *step = &work->steps[work->backward[i]];

		if (!step->touched || put_back(work, step))
			continue;
		all = false;
		step->key->stuck = true;
		add_stuck(stuck, size, step->key->key->name);
	}
	if (tct_own_file_undo(&work->change) < 0) {
		all = false;
		work->transaction->drop_in_stuck = true;
		add_stuck(stuck, size, TCT_DROP_IN_PATH);
	}
	if (tct_own_file_undo(&work->modules) < 0) {
		all = false;
		work->transaction->modules_stuck = true;
		add_stuck(stuck, size, TCT_MODULES_LOAD_PATH);
	}
	return all;
}

static int forward(struct work *work, bool drop_in_changes, const char *drop_in_text,
		   struct tct_err *err)
{
	bool waits = work->transaction->confirm_within_ns != 0;
	int result = 0;

	/* Before the first write: from here on somebody puts it back, whatever becomes of us. */
	if (waits)
		result = tct_guard_arm(work->transaction, &work->guard, err);
	if (result == 0 && work->steps_count > 0) {
		work->proc_sys = tct_live_open(work->place->root);
		if (work->proc_sys < 0)
			return tct_err_set(err, TCT_FAULT_REFUSED, -work->proc_sys, "/proc/sys: %s",
					   tct_live_error(-work->proc_sys));
	}
	/* The modules first: a list without its lines does no harm, lines without their list might.
	 */
	if (result == 0 && tct_transaction_changed_modules(work->transaction)) {
		result = tct_own_file_replace(work->place->root, &tct_own_modules_load,
					      work->modules_text, &work->modules, err);
		work->wrote = work->modules.replaced;
	}
	if (result == 0 && drop_in_changes) {
		result = tct_own_file_replace(work->place->root, &tct_own_drop_in, drop_in_text,
					      &work->change, err);
		work->wrote |= work->change.replaced;
	}
	for (size_t i = 0; result == 0 && i < work->steps_count; i++)
		result = write_step(work, &work->steps[work->forward[i]], err);
	if (result == 0)
		result = tct_journal_end(
			work->journal, work->transaction->id,
			waits ? TCT_TRANSACTION_WAITING : TCT_TRANSACTION_COMMITTED, NULL, err);
	return result;
}

/* After a failure: everything back, and the journal told. err keeps the cause. */
static int backward(struct work *work, bool *rolled_back, struct tct_err *err)
{
	char stuck[STUCK_TEXT];
	struct tct_err cause = { 0 };
	enum tct_transaction_state state = TCT_TRANSACTION_UNDONE;

	if (err != NULL)
		cause = *err;
	if (!put_all_back(work, stuck, sizeof(stuck)))
		state = TCT_TRANSACTION_STUCK;

	/* If it can't be noted, the transaction stays open and the next one looks after it. */
	int noted =
		tct_journal_end(work->journal, work->transaction->id, state, cause.message, NULL);

	if (work->guard == TCT_GUARD_SYSTEMD && noted == 0)
		tct_guard_disarm(work->transaction->id);
	*rolled_back = state == TCT_TRANSACTION_UNDONE && work->wrote;
	if (state == TCT_TRANSACTION_UNDONE)
		return tct_err_set(err, TCT_FAULT_REFUSED, cause.code, "%.380s%s%s", cause.message,
				   work->wrote ? "; everything is as it was before" : "",
				   noted < 0 ? " (the journal could not be told)" : "");
	return tct_err_set(err, TCT_FAULT_STUCK, cause.code,
			   "%.200s; this could not be put back: %s", cause.message, stuck);
}

/* Forget the old files. */
static void finish(struct work *work)
{
	tct_own_file_finish(&work->change);
	tct_own_file_finish(&work->modules);
}

/* All but those by which the kernel tells a fault of this very program. */
static void hold_signals(sigset_t *before)
{
	static const int faults[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP };
	sigset_t set;

	/* None of these calls fails for signals that exist. */
	(void)sigfillset(&set);
	for (size_t i = 0; i < TCT_COUNT(faults); i++)
		(void)sigdelset(&set, faults[i]);
	(void)sigprocmask(SIG_BLOCK, &set, before);
}

int tct_transact(const struct tct_place_of_work *place, struct tct_journal *journal,
		 struct tct_transaction *transaction, bool drop_in_changes,
		 const char *drop_in_text, bool *rolled_back, struct tct_err *err)
{
	struct work work = {
		.place = place,
		.journal = journal,
		.proc_sys = -1,
		.modules = { .folder = -1 },
		.change = { .folder = -1 },
	};
	struct tct_err own = { 0 };
	struct tct_err *error = err != NULL ? err : &own;
	sigset_t signals;
	int result;

	*rolled_back = false;
	hold_signals(&signals);
	result = tct_journal_begin(journal, place->root, transaction, error);
	if (result == 0) {
		work.transaction = tct_journal_find(journal, transaction->id);
		result = prepare(&work);
		if (result < 0)
			(void)tct_err_nomem(error);
		if (result == 0)
			result = forward(&work, drop_in_changes, drop_in_text, error);
		if (result < 0)
			result = backward(&work, rolled_back, error);
		else
			finish(&work);
		transaction->guard = work.guard;
		done(&work);
	}
	(void)sigprocmask(SIG_SETMASK, &signals, NULL);
	return result;
}
