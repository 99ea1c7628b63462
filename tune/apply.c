#include "tune/apply.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/asked.h"
#include "tune/drop_in.h"
#include "tune/transact.h"
#include "tune/waiting.h"

struct apply {
	const struct tct_apply_options *options;
	struct tct_place_of_work place;
	struct tct_apply_result *result;
	struct tct_journal *journal;
	struct tct_observation *observation;
	struct tct_facts facts;
	struct tct_profile_set *set;
	bool additive;          /* keys alone are set; what was asked for before goes on */
	struct tct_asked asked; /* additive: what that was */
	bool needs_modules;
	struct tct_modules modules;
	char *drop_in;    /* text now */
	char reason[300]; /* sanitised; "" = none */
	bool live;
	bool persist;
	struct tct_err *err;
};

static void done(struct apply *apply)
{
	tct_journal_free(apply->journal);
	tct_observation_free(apply->observation);
	tct_profile_set_free(apply->set);
	tct_asked_done(&apply->asked);
	tct_modules_done(&apply->modules);
	free(apply->drop_in);
}

static int observe(struct apply *apply)
{
	const struct tct_observe_options options = {
		.root = apply->options->root,
		.netns = apply->options->root->live ? &apply->options->netns : NULL,
	};
	struct tct_profile_request request = *apply->options->profile;
	int result = tct_observe(&options, &apply->observation, apply->err);

	if (result < 0)
		return result;
	/* By it the journal tells what is ours. */
	if (apply->options->root->live &&
	    strcmp(apply->observation->host.boot_id, apply->place.boot_id) != 0)
		return tct_err_set(
			apply->err, TCT_FAULT_REFUSED, EIO,
			"refused, nothing was changed: the id of this boot can't be read "
			"(" TCT_BOOT_ID_PATH ")");
	tct_facts_from_host(&apply->observation->host, &apply->facts);
	request.settings_only = true;
	result = tct_profile_set_load(&request, &apply->facts, &apply->set, apply->err);
	return result < 0 ? result : tct_asked_check(&request, apply->set, apply->err);
}

/* Only where a key needs one: the lists of modules are long. */
static int look_for_modules(struct apply *apply)
{
	const char *release = apply->observation->host.kernel;

	apply->needs_modules = tct_plan_needs_modules(apply->set, apply->journal);
	if (!apply->needs_modules)
		return 0;
	return tct_modules_look(apply->options->root, release, &apply->modules) < 0
		       ? tct_err_nomem(apply->err)
		       : 0;
}

static int make_plan(struct apply *apply)
{
	const struct tct_apply_options *options = apply->options;
	const struct tct_asked *asked = &apply->asked;
	TCT_AUTOFREE char *names = apply->additive ? NULL : tct_asked_profiles(apply->set);
	const struct tct_plan_options plan_options = {
		.live = apply->live,
		.persist = apply->persist,
		.allow_shadowed = options->allow_shadowed,
		.boot_model_given = options->boot_model_given,
		.boot_model = options->boot_model,
		.reason = apply->reason[0] != '\0' ? apply->reason : NULL,
		.drop_in = apply->drop_in,
		.modules = apply->needs_modules ? &apply->modules : NULL,
		.modules_load = options->modules_load,
		.prefix = tct_root_prefix(options->root),
		.additive = apply->additive,
		.profiles = names != NULL           ? names
			    : asked->source != NULL ? asked->source->profiles
						    : NULL,
	};

	int result = tct_plan_make(apply->set, &apply->facts, apply->observation, apply->journal,
				   &plan_options, &apply->result->plan, apply->err);

	if (result == 0 && tct_plan_check_resets(options->root, apply->result->plan) < 0)
		return tct_err_nomem(apply->err);
	/* A plain user may ask what root would do. */
	if (result < 0 || geteuid() != 0)
		return result;
	return tct_plan_refuse_unwritable(apply->result->plan, options->root, apply->err);
}

/* What would change or did change, for people and configuration management. */
static int fill_result(struct apply *apply)
{
	struct tct_apply_result *result = apply->result;
	const struct tct_plan *plan = result->plan;

	for (size_t i = 0; i < plan->keys_count; i++) {
		const struct tct_plan_key *key = &plan->keys[i];
		const struct tct_owned *owned = tct_owned_find(&plan->owned, key->key);
		const struct tct_value *before = &key->before;
		const struct tct_value *after = &key->wanted;

		if (!key->write_live && !key->line_changes)
			continue;
		if (plan->live && key->before.kind != TCT_VALUE_NONE && !key->write_live) {
			after = before;
		} else if (!plan->live || before->kind == TCT_VALUE_NONE) {
			before = owned != NULL && owned->boot ? &owned->boot_value
							      : &key->baseline_boot;
			after = key->persist ? &key->wanted_boot : &key->baseline_boot;
		}
		if (tct_result_setting(result, key->key, before, after, key->write_live,
				       key->persist, key->because) < 0 ||
		    tct_result_note(result, key->note) < 0)
			return tct_err_nomem(apply->err);
	}
	if (plan->refused_count == 0 && tct_restart_find(apply->options->root, result) < 0)
		return tct_err_nomem(apply->err);
	if (plan->persist && tct_result_drop_in(result, apply->options->root, plan->drop_in_before,
						plan->drop_in_after) < 0)
		return tct_err_nomem(apply->err);
	if (tct_result_modules(result, apply->options->root, plan->modules_before,
			       plan->modules_after) < 0)
		return tct_err_nomem(apply->err);
	return 0;
}

static int copy(struct tct_value *to, const struct tct_value *from)
{
	return from != NULL ? tct_value_copy(to, from) : 0;
}

/* Is its live value ours, there, and not to be written here (a read-only /proc/sys)? */
static bool is_out_of_reach(const struct apply *apply, const struct tct_owned *owned)
{
	const struct tct_sysctl *now =
		&apply->observation->sysctls[tct_kernel_key_index(owned->key)];

	return apply->live && owned->live && now->presence == TCT_PRESENT && !now->writable;
}

/* It stays ours, and what it goes back to is still known. */
static int keep_live(struct tct_journal_key *key, const struct tct_owned *owned)
{
	key->live_owned = true;
	return tct_value_copy(&key->before, &owned->written) < 0 ||
			       tct_value_copy(&key->after, &owned->written) < 0 ||
			       tct_value_copy(&key->baseline, &owned->baseline) < 0
		       ? -ENOMEM
		       : 0;
}

/* One key of the transaction, as the journal keeps it. */
static int add_key(const struct apply *apply, struct tct_transaction *transaction,
		   const struct tct_plan_key *planned)
{
	const struct tct_plan *plan = apply->result->plan;
	const struct tct_owned *owned = tct_owned_find(&plan->owned, planned->key);
	bool live = plan->live && planned->wanted.kind != TCT_VALUE_NONE &&
		    planned->before.kind != TCT_VALUE_NONE;
	struct tct_journal_key *key;

	/* Neither ours before nor after: not our business. */
	if (owned == NULL && !planned->write_live && !planned->owned_live && !planned->persist)
		return 0;
	key = TCT_APPEND(transaction, keys);
	if (key == NULL)
		return -ENOMEM;
	key->key = planned->key;
	key->live_owned = live && planned->owned_live;
	if (copy(&key->before, live ? &planned->before : NULL) < 0 ||
	    copy(&key->after, live ? &planned->wanted : NULL) < 0 ||
	    copy(&key->baseline, live ? &planned->baseline_live : NULL) < 0)
		return -ENOMEM;
	if (!live && owned != NULL && is_out_of_reach(apply, owned) && keep_live(key, owned) < 0)
		return -ENOMEM;
	if (!plan->persist)
		return 0;
	if (copy(&key->boot_before, owned != NULL && owned->boot ? &owned->boot_value : NULL) < 0 ||
	    copy(&key->boot_after, planned->persist ? &planned->wanted_boot : NULL) < 0)
		return -ENOMEM;
	if (planned->because[0] != '\0') {
		key->because = strdup(planned->because);
		if (key->because == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* What is ours and the plan has nothing to say about stays: the line of a key that isn't there just
 * now, the live value of one that can't be written here. */
static int carry_over(const struct apply *apply, struct tct_transaction *transaction)
{
	const struct tct_plan *plan = apply->result->plan;

	for (size_t i = 0; i < plan->owned.items_count; i++) {
		const struct tct_owned *owned = &plan->owned.items[i];
		bool live = is_out_of_reach(apply, owned);
		struct tct_journal_key *key;

		if ((!live && (!plan->persist || !owned->boot)) ||
		    tct_transaction_key(transaction, owned->key) != NULL)
			continue;
		key = TCT_APPEND(transaction, keys);
		if (key == NULL)
			return -ENOMEM;
		key->key = owned->key;
		if (live && keep_live(key, owned) < 0)
			return -ENOMEM;
		if (!plan->persist || !owned->boot)
			continue;
		if (tct_value_copy(&key->boot_before, &owned->boot_value) < 0 ||
		    tct_value_copy(&key->boot_after, &owned->boot_value) < 0)
			return -ENOMEM;
		if (owned->because != NULL) {
			key->because = strdup(owned->because);
			if (key->because == NULL)
				return -ENOMEM;
		}
	}
	return 0;
}

static int describe(struct apply *apply, struct tct_transaction *transaction)
{
	const struct tct_plan *plan = apply->result->plan;
	int result = tct_transaction_describe(transaction, TCT_TRANSACTION_APPLY, &apply->place);

	if (result < 0)
		return result;
	transaction->live = plan->live;
	transaction->persisted = plan->persist;
	if (tct_asked_note(apply->options->profile, apply->set, &apply->asked, transaction) < 0)
		return -ENOMEM;
	if (apply->reason[0] != '\0') {
		transaction->reason = strdup(apply->reason);
		if (transaction->reason == NULL)
			return -ENOMEM;
	}
	if (plan->persist) {
		tct_drop_in_sha256(plan->drop_in_before, transaction->drop_in_before_sha256);
		tct_drop_in_sha256(plan->drop_in_after, transaction->drop_in_after_sha256);
	}
	if (tct_modules_copy(&transaction->modules_before, plan->modules_before) < 0 ||
	    tct_modules_copy(&transaction->modules_after, plan->modules_after) < 0)
		return -ENOMEM;
	for (size_t i = 0; result == 0 && i < plan->keys_count; i++)
		result = add_key(apply, transaction, &plan->keys[i]);
	return result == 0 && !transaction->additive ? carry_over(apply, transaction) : result;
}

/* It waits to be confirmed: live values only, and the drop-in is as before. */
static int make_wait(struct apply *apply, struct tct_transaction *transaction)
{
	transaction->deferred =
		apply->result->plan->drop_in_changes || apply->result->plan->modules_change;
	return tct_transaction_wait(transaction, apply->options->confirm_within_ns);
}

static void note_wait(struct tct_apply_result *result, const struct tct_transaction *transaction)
{
	result->waiting.until_ns = transaction->deadline_ns;
	result->waiting.guard = transaction->guard;
	for (size_t i = 0; transaction->deferred && i < result->settings_count; i++)
		result->settings[i].persisted = false;
	if (transaction->deferred)
		result->modules_path[0] = '\0';
	if (transaction->deferred)
		memcpy(result->drop_in_after_sha256, result->drop_in_before_sha256,
		       sizeof(result->drop_in_after_sha256));
}

/* If the journal could be written, it is the drop-in's place that can't: live values could be had.
 */
static int explain_failure(struct apply *apply, bool journal_written, int status)
{
	const struct tct_plan *plan = apply->result->plan;
	struct tct_err cause = *apply->err;

	if (cause.fault != TCT_FAULT_REFUSED || cause.code != EROFS || !plan->live ||
	    !plan->drop_in_changes || !journal_written)
		return status;
	return tct_err_set(apply->err, cause.fault, cause.code,
			   "%.400s; --no-persist changes live values only", cause.message);
}

static int carry_out(struct apply *apply)
{
	struct tct_apply_result *result = apply->result;
	TCT_AUTO(tct_transaction_done) struct tct_transaction transaction = { 0 };
	bool waits = apply->options->confirm_within_ns != 0;
	int status = describe(apply, &transaction);

	if (status == 0 && waits)
		status = make_wait(apply, &transaction);
	if (status < 0)
		return tct_err_nomem(apply->err);
	status = tct_transact(&apply->place, apply->journal, &transaction,
			      result->plan->drop_in_changes && !waits, result->plan->drop_in_after,
			      &result->rolled_back, apply->err);
	result->transaction = transaction.id;
	if (status == 0) {
		result->changed = true;
		if (waits)
			note_wait(result, &transaction);
		return 0;
	}
	result->waiting.ns = 0;
	tct_result_take_back(result);
	return explain_failure(apply, result->transaction != 0, status);
}

/* What carrying it out would be refused for by the system. */
static int foresee(struct apply *apply)
{
	const struct tct_root *root = apply->options->root;
	const struct tct_plan *plan = apply->result->plan;
	const struct tct_intent intent = {
		.drop_in_changes = plan->drop_in_changes,
		.makes_drop_in = plan->drop_in_after != NULL,
		.modules_change = plan->modules_change,
		.makes_modules = plan->modules_after != NULL,
	};
	struct tct_err ignored = { 0 };
	int status = tct_may_transact(root, apply->journal, &intent, apply->err);

	if (status == 0)
		return 0;
	apply->result->waiting.ns = 0;
	tct_result_take_back(apply->result);
	return explain_failure(
		apply,
		tct_may_transact(root, apply->journal, &(struct tct_intent){ 0 }, &ignored) == 0,
		status);
}

static int refused(const struct apply *apply)
{
	const struct tct_plan *plan = apply->result->plan;
	const struct tct_plan_refusal *first = &plan->refused[0];

	return tct_err_set(
		apply->err, TCT_FAULT_REFUSED, EPERM, "refused, nothing was changed: %s%s%.380s%s",
		first->key != NULL ? first->key->name : "", first->key != NULL ? ": " : "",
		first->reason, plan->refused_count > 1 ? " (and more)" : "");
}

/* The drop-in describes the host's next boot: another namespace's values don't belong there
 * unasked. */
static void choose_parts(struct apply *apply)
{
	const struct tct_apply_options *options = apply->options;

	apply->live = options->root->live && !options->no_live;
	apply->persist = !options->no_persist &&
			 (!options->root->live || options->netns.initial || options->persist);
}

static int recover(struct apply *apply)
{
	const struct tct_transaction *foreign = NULL;
	int result;

	if (apply->options->dry_run) {
		const struct tct_transaction *open = tct_journal_interrupted(apply->journal);

		apply->result->recovered = open != NULL ? open->id : 0;
		apply->result->expired = tct_waiting_expired(apply->journal, &apply->place);
		return 0;
	}
	result = tct_recover(&apply->place, apply->journal, apply->result, &foreign, apply->err);
	if (result < 0 || foreign == NULL || !apply->persist)
		return result;
	return tct_refuse_foreign(foreign, apply->err);
}

/* Two unconfirmed changes at once could not be told apart when one of them fails. */
static int refuse_while_waiting(struct apply *apply)
{
	const struct tct_transaction *waiting =
		tct_waiting_in_the_way(apply->journal, &apply->place, apply->persist);
	struct tct_plan *plan = apply->result->plan;
	struct tct_plan_refusal *refusal;
	char words[320];

	if (waiting == NULL || waiting->id == apply->result->expired)
		return 0;
	refusal = TCT_APPEND(plan, refused);
	if (refusal == NULL)
		return tct_err_nomem(apply->err);
	(void)snprintf(refusal->kind, sizeof(refusal->kind), "pending");
	(void)snprintf(refusal->reason, sizeof(refusal->reason), "%s",
		       tct_waiting_words(waiting, &apply->place, words));
	return 0;
}

static int run(struct apply *apply)
{
	struct tct_apply_result *result = apply->result;
	int status = tct_journal_open(apply->options->root, !apply->options->dry_run,
				      &apply->journal, apply->err);

	tct_result_note_torn(result, apply->journal);
	if (status == 0)
		status = recover(apply);
	if (status == 0 && apply->additive &&
	    tct_asked_find(apply->journal, &apply->place.netns, apply->place.boot_id,
			   &apply->asked) < 0)
		status = tct_err_nomem(apply->err);
	if (status == 0)
		status = observe(apply);
	if (status == 0 && apply->persist)
		status = tct_drop_in_read(apply->options->root, &apply->drop_in, apply->err);
	if (status == 0)
		status = look_for_modules(apply);
	if (status == 0)
		status = make_plan(apply);
	if (status == 0)
		status = fill_result(apply);
	if (status == 0)
		status = refuse_while_waiting(apply);
	if (status < 0)
		return status;
	if (result->recovered != 0 || result->expired != 0)
		result->changed = true;
	if (result->plan->refused_count > 0) {
		tct_result_take_back(result);
		return refused(apply);
	}
	if (!result->plan->changes) {
		if (tct_drop_in_is_orphan(apply->drop_in, apply->journal))
			tct_result_note_orphan(result, apply->options->root);
		return 0;
	}
	result->waiting.ns = apply->options->confirm_within_ns;
	/* What waits is to be confirmed: its files are written only then, if they can be. */
	if (apply->options->dry_run || apply->options->confirm_within_ns != 0)
		status = foresee(apply);
	if (status == 0 && apply->options->dry_run)
		result->changed = true;
	else if (status == 0)
		status = carry_out(apply);
	return status;
}

int tct_apply(const struct tct_apply_options *options, struct tct_apply_result *result,
	      struct tct_err *err)
{
	struct apply apply = { .options = options, .result = result, .err = err };
	int lock = -1;
	int status = 0;

	*result = (struct tct_apply_result){ .dry_run = options->dry_run };
	if (options->profile == NULL ||
	    (options->profile->names_count == 0 && options->profile->sets_count == 0))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "which profile? Use --profile NAME, or --set KEY=VALUE");
	apply.additive = tct_request_is_additive(options->profile);
	status = tct_place_of_work_check(options->root, err);
	if (status == 0)
		status = tct_place_of_work_init(options, &apply.place, err);
	if (status < 0)
		return status;
	choose_parts(&apply);
	if (options->reason != NULL)
		tct_drop_in_sanitise(options->reason, apply.reason, sizeof(apply.reason));
	if (!options->dry_run)
		status = tct_lock_take(options->root, &options->wait, &lock, err);
	if (status == 0)
		status = run(&apply);
	/* What fails is recorded, too. */
	if (result->transaction != 0)
		tct_result_prune(result, &apply.place, apply.journal);
	done(&apply);
	/* The last of all: whoever has it next finds no journal open but his own. */
	tct_lock_release(&lock);
	return status;
}
