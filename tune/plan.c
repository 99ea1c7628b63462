#include "tune/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "tune/order.h"
#include "tune/plan_private.h"

#define NEVER_REASON "refused everywhere: %s (%s:%u)"

static void clear_key(struct tct_plan_key *key)
{
	tct_value_done(&key->before);
	tct_value_done(&key->baseline_live);
	tct_value_done(&key->baseline_boot);
	tct_value_done(&key->wanted);
	tct_value_done(&key->wanted_boot);
	for (unsigned model = 0; model < TCT_BOOT_MODELS; model++) {
		tct_value_done(&key->next_boot[model].value);
		tct_value_done(&key->boot_now[model].value);
	}
}

void tct_plan_free(struct tct_plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->keys_count; i++)
		clear_key(&plan->keys[i]);
	for (size_t i = 0; i < plan->shadowed_count; i++)
		tct_value_done(&plan->shadowed[i].value);
	tct_owned_set_done(&plan->owned);
	free(plan->keys);
	free(plan->refused);
	free(plan->shadowed);
	free(plan->unsupported);
	free(plan->drop_in_before);
	free(plan->drop_in_after);
	free(plan->modules_before);
	free(plan->modules_after);
	free(plan);
}

int tct_plan_refuse(struct tct_plan_work *work, const struct tct_kernel_key *key, const char *kind,
		    const char *reason, ...)
{
	struct tct_plan_refusal *refusal = TCT_APPEND(work->plan, refused);
	va_list arguments;

	if (refusal == NULL)
		return -ENOMEM;
	refusal->key = key;
	if (snprintf(refusal->kind, sizeof(refusal->kind), "%s", kind) < 0)
		refusal->kind[0] = '\0';
	va_start(arguments, reason);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, one line above */
	if (vsnprintf(refusal->reason, sizeof(refusal->reason), reason, arguments) < 0)
		refusal->reason[0] = '\0';
	va_end(arguments);
	return 0;
}

int tct_plan_refuse_error(struct tct_plan_work *work, const struct tct_kernel_key *key, int result,
			  const struct tct_err *why)
{
	const char *kind = result == -ENODATA ? "missing" : "range";
	char text[sizeof(why->message) + sizeof(why->file) + 32];

	if (result == -ENOMEM)
		return result;
	for (size_t i = 0; i < work->plan->refused_count; i++) {
		if (work->plan->refused[i].key == key &&
		    strcmp(work->plan->refused[i].kind, kind) == 0)
			return 0;
	}
	return tct_plan_refuse(work, key, kind, "%s", tct_err_text(why, text, sizeof(text)));
}

struct tct_env tct_plan_env(const struct tct_plan_work *work)
{
	return (struct tct_env){
		.facts = work->facts,
		.observation = work->observation,
		.variables = work->set->variables,
	};
}

static int note_unsupported(struct tct_plan_work *work, const struct tct_kernel_key *key,
			    const char *reason)
{
	struct tct_plan_unsupported *item = TCT_APPEND(work->plan, unsupported);

	if (item == NULL)
		return -ENOMEM;
	item->key = key;
	if (snprintf(item->reason, sizeof(item->reason), "%s", reason) < 0)
		item->reason[0] = '\0';
	return 0;
}

/* Why this key can't be set here; NULL = it can. */
static const char *why_unsupported(const struct tct_plan_work *work,
				   const struct tct_kernel_key *key)
{
	const struct tct_sysctl *now = &work->observation->sysctls[tct_kernel_key_index(key)];
	const struct tct_facts *facts = work->facts;

	if (key->handler == TCT_HANDLER_SECRET)
		return "it is a secret, which tcptune doesn't handle";
	if (key->read_only)
		return "it can't be written in any kernel";
	switch (now->presence) {
	case TCT_ABSENT:
		if (key->scope != TCT_SCOPE_HOST || work->observation->host.netns.initial)
			return "this kernel doesn't have it";
		return tct_host_looked_at(&work->observation->host) == TCT_SOURCE_LIVE
			       ? "it exists only in the host's own network namespace"
			       : "it isn't there below DIR";
	case TCT_UNREADABLE:
	case TCT_UNPARSED:
		return NULL; /* it is there: see refuse_unknown() */
	case TCT_PRESENT:
		return now->writable || !work->plan->live ? NULL : "it is read-only here";
	case TCT_NOT_LOOKED:
		break;
	}
	if (work->plan->live)
		return NULL; /* see refuse_unknown() */
	/* An image: nothing but the kernel's version can tell. */
	if (facts->known[TCT_FACT_KERNEL]) {
		int64_t kernel = facts->value[TCT_FACT_KERNEL];

		if (key->until != 0 && kernel >= (int64_t)key->until)
			return "this kernel doesn't have it any more";
		if (key->since != 0 && kernel < (int64_t)key->since)
			return "this kernel doesn't have it yet";
	}
	return NULL;
}

/*
 * The value without us. Still what we wrote? Then what counts is what was there before us; else
 * somebody set it by hand. Where the kernel keeps the fields apart each is asked.
 */
static int find_baseline(const struct tct_owned *owned, const struct tct_value *now,
			 struct tct_value *baseline)
{
	const struct tct_value *written = &owned->written;

	if (tct_value_stored_as(owned->key, written, now))
		return tct_value_copy(baseline, &owned->baseline);
	if (tct_value_copy(baseline, now) < 0)
		return -ENOMEM;
	if (!tct_kernel_key_fields_apart(owned->key) || now->kind != TCT_VALUE_NUMBERS ||
	    written->kind != TCT_VALUE_NUMBERS || owned->baseline.kind != TCT_VALUE_NUMBERS)
		return 0;
	for (unsigned i = 0; i < now->count; i++) {
		if (now->numbers[i] == written->numbers[i])
			baseline->numbers[i] = owned->baseline.numbers[i];
	}
	return 0;
}

/* before and baseline_live. */
static int fill_live(struct tct_plan_work *work, struct tct_plan_key *key)
{
	const struct tct_sysctl *now = &work->observation->sysctls[tct_kernel_key_index(key->key)];
	const struct tct_owned *owned = tct_owned_find(&work->plan->owned, key->key);

	if (now->presence != TCT_PRESENT)
		return 0;
	if (tct_value_copy(&key->before, &now->value) < 0)
		return -ENOMEM;
	if (owned != NULL && owned->live && owned->baseline.kind != TCT_VALUE_NONE)
		return find_baseline(owned, &now->value, &key->baseline_live);
	return tct_value_copy(&key->baseline_live, &now->value);
}

/* 0, 1 = refused, -ENOMEM. */
static int target_live(struct tct_plan_work *work, struct tct_plan_key *key)
{
	const struct tct_setting *setting = key->setting;
	struct tct_env env = tct_plan_env(work);
	struct tct_err why = { 0 };
	int result =
		tct_bounds_target(key->key, &setting->set, &setting->at_least, &setting->at_most,
				  &env, &key->baseline_live, &key->wanted, &key->owned_live, &why);

	if (result < 0) {
		result = tct_plan_refuse_error(work, key->key, result, &why);
		return result < 0 ? result : 1;
	}
	key->write_live = !tct_value_stored_as(key->key, &key->wanted, &key->before);
	return 0;
}

static int check_never(struct tct_plan_work *work, const struct tct_plan_key *key)
{
	const struct tct_never *never = NULL;

	if (key->owned_live || key->write_live)
		never = tct_never_find(work->set, work->facts, key->key, &key->wanted);
	if (never == NULL && key->persist)
		never = tct_never_find(work->set, work->facts, key->key, &key->wanted_boot);
	if (never == NULL)
		return 0;
	return tct_plan_refuse(work, key->key, "never", NEVER_REASON, never->because,
			       never->place.file, never->place.line);
}

/* Who asks for a refused value by name is told so, whether the kernel has the key or not. 1 =
 * refused, 0, -ENOMEM. */
static int refuse_by_hand(struct tct_plan_work *work, const struct tct_setting *setting)
{
	const struct tct_never *never =
		setting->by_hand ? tct_never_find(work->set, work->facts, setting->key,
						  &setting->set.literal)
				 : NULL;
	int result;

	if (never != NULL)
		result = tct_plan_refuse(work, setting->key, "never", NEVER_REASON, never->because,
					 never->place.file, never->place.line);
	else if (setting->outside != NULL)
		result = tct_plan_refuse(work, setting->key, "range", "%s", setting->outside);
	else
		return 0;
	return result < 0 ? result : 1;
}

/* It is there, but what it is now can't be told, so it couldn't be put back. 1 = refused, 0,
 * -ENOMEM. */
static int refuse_unknown(struct tct_plan_work *work, const struct tct_kernel_key *key)
{
	const struct tct_sysctl *now = &work->observation->sysctls[tct_kernel_key_index(key)];
	int result;

	if (now->presence == TCT_UNREADABLE)
		result = tct_plan_refuse(work, key, "missing", "its value can't be read: %s",
					 strerror(now->error));
	else if (now->presence == TCT_UNPARSED)
		result = tct_plan_refuse(work, key, "missing",
					 "its value has a shape that tcptune doesn't know");
	else if (now->presence == TCT_NOT_LOOKED && work->plan->live)
		result = tct_plan_refuse(work, key, "missing", "/proc/sys could not be looked at");
	else
		return 0;
	return result < 0 ? result : 1;
}

static int plan_setting(struct tct_plan_work *work, const struct tct_setting *setting)
{
	struct tct_plan *plan = work->plan;
	bool dormant = tct_plan_is_dormant(work, setting->key);
	char no_module[240];
	const char *unsupported = tct_plan_why_no_module(work, setting->key, no_module);
	struct tct_plan_key *key;
	int result = refuse_by_hand(work, setting);

	if (result != 0)
		return result < 0 ? result : 0;
	if (unsupported == NULL)
		unsupported = why_unsupported(work, setting->key);
	if (unsupported != NULL && !dormant)
		return note_unsupported(work, setting->key, unsupported);
	result = refuse_unknown(work, setting->key);
	if (result != 0)
		return result < 0 ? result : 0;
	key = TCT_APPEND(plan, keys);
	if (key == NULL)
		return -ENOMEM;
	key->key = setting->key;
	key->setting = setting;
	key->dormant = dormant;
	if (setting->because != NULL)
		tct_drop_in_sanitise(setting->because, key->because, sizeof(key->because));
	result = fill_live(work, key);
	if (result == 0 && plan->live && !dormant)
		result = target_live(work, key);
	if (result == 0 && plan->persist)
		result = tct_plan_boot_key(work, key);
	if (result == 0)
		result = check_never(work, key);
	return result < 0 ? result : 0;
}

/* A key that is ours but of no setting any more: it goes back, straight, in the same transaction.
 */
static int plan_release(struct tct_plan_work *work, const struct tct_owned *owned)
{
	struct tct_plan *plan = work->plan;
	const struct tct_sysctl *now =
		&work->observation->sysctls[tct_kernel_key_index(owned->key)];
	bool ours = plan->live && owned->live && now->presence == TCT_PRESENT && now->writable;
	struct tct_plan_key *key;
	int unknown = plan->live && owned->live ? refuse_unknown(work, owned->key) : 0;

	if (unknown != 0)
		return unknown < 0 ? unknown : 0;
	if (plan->live && owned->live && now->presence == TCT_PRESENT && !now->writable &&
	    note_unsupported(work, owned->key,
			     "no longer asked for, but read-only here: it stays as it is") < 0)
		return -ENOMEM;
	if (!ours && !(plan->persist && owned->boot))
		return 0;
	key = TCT_APPEND(plan, keys);
	if (key == NULL)
		return -ENOMEM;
	key->key = owned->key;
	if (snprintf(key->because, sizeof(key->because), "no longer asked for") < 0 ||
	    fill_live(work, key) < 0)
		return -ENOMEM;
	if (ours && tct_value_copy(&key->wanted, &key->baseline_live) < 0)
		return -ENOMEM;
	key->write_live = ours && !tct_value_stored_as(key->key, &key->wanted, &key->before);
	/* Without --persist our drop-in's line stays. */
	if (owned->boot && (!plan->persist || work->options->lines_stay)) {
		key->persist = true;
		if (tct_value_copy(&key->wanted_boot, &owned->boot_value) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool in_set(const struct tct_profile_set *set, const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < set->settings_count; i++) {
		if (set->settings[i].key == key)
			return true;
	}
	return false;
}

static int plan_keys(struct tct_plan_work *work)
{
	const struct tct_profile_set *set = work->set;
	int result = 0;

	for (size_t i = 0; result == 0 && i < set->settings_count; i++)
		result = plan_setting(work, &set->settings[i]);
	for (size_t i = 0;
	     result == 0 && !work->options->additive && i < work->plan->owned.items_count; i++) {
		if (!in_set(set, work->plan->owned.items[i].key))
			result = plan_release(work, &work->plan->owned.items[i]);
	}
	return result;
}

/* What this model makes of the next boot, against what must hold. */
static int check_boot_state(struct tct_plan_work *work, enum tct_boot_model model)
{
	struct tct_value *values = calloc(tct_kernel_keys_count, sizeof(*values));
	int result = -ENOMEM;

	if (values != NULL)
		result = tct_plan_boot_state(work, model, values);
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		work->planned[i] =
			result == 0 && values[i].kind != TCT_VALUE_NONE ? &values[i] : NULL;
	if (result == 0)
		result = tct_plan_check_planned(work, " after the next boot");
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		work->planned[i] = NULL;
		if (values != NULL)
			tct_value_done(&values[i]);
	}
	free(values);
	return result;
}

/* The state to come, live and at boot, against what must hold. */
static int check_states(struct tct_plan_work *work)
{
	struct tct_plan *plan = work->plan;
	int result = 0;

	if (plan->live) {
		for (size_t i = 0; i < plan->keys_count; i++) {
			const struct tct_plan_key *key = &plan->keys[i];

			if (key->wanted.kind != TCT_VALUE_NONE)
				work->planned[tct_kernel_key_index(key->key)] = &key->wanted;
		}
		result = tct_plan_check_planned(work, "");
		if (result == 0)
			result = tct_plan_check_way_back(work);
	}
	for (unsigned model = 0; result == 0 && plan->persist && model < TCT_BOOT_MODELS; model++) {
		if (tct_plan_model_counts(work->options, work->observation,
					  (enum tct_boot_model)model))
			result = check_boot_state(work, (enum tct_boot_model)model);
	}
	return result;
}

static int order_keys(struct tct_plan *plan)
{
	static const struct tct_value none = { 0 };
	TCT_AUTOFREE struct tct_order_item *items = calloc(plan->keys_count + 1, sizeof(*items));
	TCT_AUTOFREE size_t *order = calloc(plan->keys_count + 1, sizeof(*order));
	struct tct_plan_key *sorted = calloc(plan->keys_count + 1, sizeof(*sorted));

	if (items == NULL || order == NULL || sorted == NULL) {
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < plan->keys_count; i++) {
		const struct tct_plan_key *key = &plan->keys[i];

		items[i] = (struct tct_order_item){
			.key = key->key,
			.from = key->write_live ? &key->before : &none,
			.to = key->write_live ? &key->wanted : &none,
		};
	}
	tct_order(items, plan->keys_count, order);
	for (size_t i = 0; i < plan->keys_count; i++)
		sorted[i] = plan->keys[order[i]];
	free(plan->keys);
	plan->keys = sorted;
	plan->keys_capacity = plan->keys_count + 1;
	return 0;
}

static int make(struct tct_plan_work *work)
{
	struct tct_plan *plan = work->plan;
	const struct tct_host *host = &work->observation->host;
	struct tct_netns netns = host->netns;
	int result;

	/* Below a DIR everything is the host's. */
	netns.initial |= host->source != TCT_SOURCE_LIVE;
	result = tct_journal_owned(work->journal, &netns, host->boot_id, 0, &plan->owned);
	if (result == 0)
		result = plan_keys(work);
	if (result == 0 && plan->persist)
		result = tct_plan_drop_in(work);
	if (result == 0 && plan->persist)
		result = tct_plan_boot_shadows(work);
	if (result == 0)
		result = check_states(work);
	if (result == 0 && plan->persist)
		result = tct_plan_drop_in_refuse(work);
	if (result == 0)
		result = tct_plan_modules(work);
	if (result == 0)
		result = order_keys(plan);
	if (result < 0)
		return result;
	plan->changes = plan->drop_in_changes || plan->modules_change;
	for (size_t i = 0; i < plan->keys_count; i++)
		plan->changes |= plan->keys[i].write_live;
	return 0;
}

int tct_plan_make(const struct tct_profile_set *set, const struct tct_facts *facts,
		  const struct tct_observation *observation, const struct tct_journal *journal,
		  const struct tct_plan_options *options, struct tct_plan **out,
		  struct tct_err *err)
{
	TCT_AUTOFREE const struct tct_value **planned =
		calloc(tct_kernel_keys_count, sizeof(void *));
	struct tct_plan *plan = calloc(1, sizeof(*plan));
	struct tct_plan_work work = {
		.set = set,
		.facts = facts,
		.observation = observation,
		.journal = journal,
		.options = options,
		.plan = plan,
		.planned = planned,
		.err = err,
	};
	int result = -ENOMEM;

	if (plan != NULL && planned != NULL) {
		plan->live = options->live;
		plan->persist = options->persist;
		result = options->persist && observation->files == NULL ? -ENODATA : make(&work);
	}
	tct_sysctl_files_free(work.files);
	if (result < 0)
		tct_plan_free(plan);
	if (result == -ENODATA)
		return tct_err_set(err, TCT_FAULT_REFUSED, ENODATA,
				   "the sysctl.d files can't be read, so what the next boot does "
				   "can't be told");
	if (result == -ENOMEM)
		return tct_err_nomem(err);
	if (result < 0)
		return result;
	*out = plan;
	return 0;
}
