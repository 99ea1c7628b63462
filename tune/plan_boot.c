/* The next boot: what each key would be without us, and which lines we need. */
#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/plan_private.h"

bool tct_plan_model_counts(const struct tct_plan_options *options,
			   const struct tct_observation *observation, enum tct_boot_model model)
{
	enum tct_boot_model host =
		options->boot_model_given ? options->boot_model : observation->boot_model;

	return host == TCT_BOOT_MODELS || host == model;
}

/* Without any file: what the kernel is built with, or makes of the host. */
static bool built_in(const struct tct_plan_work *work, const struct tct_kernel_key *key,
		     struct tct_value *value)
{
	const struct tct_facts *facts = work->facts;
	const struct tct_kernel_key *from = NULL;
	const struct tct_value *whole = NULL;

	if (tct_value_default(
		    key, facts->known[TCT_FACT_KERNEL] ? facts->value[TCT_FACT_KERNEL] : 0, value))
		return true;
	if (key->default_part_of != NULL)
		from = tct_kernel_key_find(key->default_part_of);
	if (from != NULL)
		whole = tct_observation_value(work->observation, from);
	if (whole == NULL || whole->kind != TCT_VALUE_NUMBERS)
		return false;
	/* Negative: a namespace that shares the host's table. */
	*value = (struct tct_value){ .kind = TCT_VALUE_NUMBERS, .count = 1 };
	value->numbers[0] = llabs(whole->numbers[0]) / key->default_divisor;
	if (value->numbers[0] < key->default_least)
		value->numbers[0] = key->default_least;
	return true;
}

int tct_plan_boot_value(const struct tct_plan_work *work, const struct tct_sysctl_files *files,
			const struct tct_kernel_key *key, enum tct_boot_model model,
			bool without_ours, const struct tct_value *live, struct tct_value *value,
			const struct tct_file_line **last)
{
	const struct tct_file_line *ignored = NULL;
	struct tct_value fallback = { 0 };
	const struct tct_value *otherwise = NULL;
	int result = 0;

	if (built_in(work, key, &fallback))
		otherwise = &fallback;
	else if (live != NULL && live->kind != TCT_VALUE_NONE)
		otherwise = live;
	if (files != NULL)
		result = tct_sysctl_files_outcome(files, key, model, without_ours, otherwise, value,
						  last != NULL ? last : &ignored);
	if (result != 0 || otherwise == NULL)
		return result;
	result = tct_value_copy(value, otherwise);
	return result < 0 ? result : 1;
}

static bool bounds_field(const struct tct_bound *bound, unsigned field)
{
	return bound->given && bound->fields[field] != NULL;
}

/* Of the targets of two models the line that suits both: no bound is missed, nobody's larger value
 * lowered. */
static void combine(const struct tct_setting *setting, struct tct_value *line,
		    const struct tct_value *other)
{
	if (line->kind != TCT_VALUE_NUMBERS || other->kind != TCT_VALUE_NUMBERS)
		return;
	for (unsigned i = 0; i < line->count && i < other->count; i++) {
		bool smaller =
			bounds_field(&setting->at_most, i) && !bounds_field(&setting->at_least, i);
		bool less =
			tct_value_field_at_least(setting->key, line->numbers[i], other->numbers[i]);

		if (less == smaller)
			line->numbers[i] = other->numbers[i];
	}
}

/* Where neither a file nor the kernel's code tells: the live value before our first change, or, if
 * there was none, the one without us now. Somebody's hand may be in it. */
static const struct tct_value *stand_in(const struct tct_plan_work *work,
					const struct tct_plan_key *key)
{
	const struct tct_owned *owned = tct_owned_find(&work->plan->owned, key->key);

	return owned != NULL && owned->baseline.kind != TCT_VALUE_NONE ? &owned->baseline
								       : &key->baseline_live;
}

/* One model's part in the line. 0, or 1 when it was refused, or -ENOMEM. */
static int boot_model(struct tct_plan_work *work, struct tct_plan_key *key,
		      enum tct_boot_model model)
{
	const struct tct_setting *setting = key->setting;
	TCT_AUTO(tct_value_done) struct tct_value baseline = { 0 };
	TCT_AUTO(tct_value_done) struct tct_value wanted = { 0 };
	struct tct_env env = tct_plan_env(work);
	struct tct_err why = { 0 };
	bool ours = false;
	int known = tct_plan_boot_value(work, work->observation->files, key->key, model, true,
					stand_in(work, key), &baseline, NULL);
	int result;

	if (known < 0)
		return known;
	result = tct_bounds_target(key->key, &setting->set, &setting->at_least, &setting->at_most,
				   &env, known ? &baseline : NULL, &wanted, &ours, &why);
	if (result < 0) {
		result = tct_plan_refuse_error(work, key->key, result, &why);
		return result < 0 ? result : 1;
	}
	key->persist |= ours || !known || setting->set.given;
	if (key->wanted_boot.kind == TCT_VALUE_NONE) {
		key->wanted_boot = wanted;
		wanted = (struct tct_value){ 0 };
	} else {
		combine(setting, &key->wanted_boot, &wanted);
	}
	if (key->baseline_boot.kind == TCT_VALUE_NONE && known) {
		key->baseline_boot = baseline;
		baseline = (struct tct_value){ 0 };
	}
	return 0;
}

bool tct_plan_is_live_only(const struct tct_plan_work *work, const struct tct_kernel_key *key)
{
	const bool *live_only = work->options->live_only;

	return live_only != NULL && live_only[tct_kernel_key_index(key)];
}

/* Asked for without the drop-in: what earlier ones made of its line stays. 0 or -ENOMEM. */
static int keep_line(const struct tct_plan_work *work, struct tct_plan_key *key)
{
	const struct tct_owned *owned = tct_owned_find(&work->plan->owned, key->key);

	if (owned == NULL || !owned->boot)
		return 0;
	key->persist = true;
	return tct_value_copy(&key->wanted_boot, &owned->boot_value);
}

int tct_plan_boot_key(struct tct_plan_work *work, struct tct_plan_key *key)
{
	if (tct_plan_is_live_only(work, key->key))
		return keep_line(work, key);
	for (unsigned model = 0; model < TCT_BOOT_MODELS; model++) {
		int result;

		if (!tct_plan_model_counts(work->options, work->observation,
					   (enum tct_boot_model)model))
			continue;
		result = boot_model(work, key, (enum tct_boot_model)model);
		if (result != 0) {
			key->persist = false;
			tct_value_done(&key->wanted_boot);
			return result < 0 ? result : 0;
		}
	}
	return 0;
}

static int put_value(struct tct_value *values, const struct tct_kernel_key *key,
		     const struct tct_value *line)
{
	if (line->kind == TCT_VALUE_NONE)
		return 0;
	return tct_value_replace(&values[tct_kernel_key_index(key)], line);
}

/* What our lines are meant to make of it: the plan's, and those that it has nothing to say about.
 */
static int state_of_lines(const struct tct_plan *plan, struct tct_value *values)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < plan->owned.items_count; i++) {
		const struct tct_owned *owned = &plan->owned.items[i];

		if (owned->boot && !tct_plan_has(plan, owned->key))
			result = put_value(values, owned->key, &owned->boot_value);
	}
	for (size_t i = 0; result == 0 && i < plan->keys_count; i++) {
		if (plan->keys[i].persist)
			result = put_value(values, plan->keys[i].key, &plan->keys[i].wanted_boot);
	}
	return result;
}

int tct_plan_boot_state(const struct tct_plan_work *work, enum tct_boot_model model,
			struct tct_value *values)
{
	const struct tct_sysctl_files *files = work->observation->files;

	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_sysctl *now = &work->observation->sysctls[i];
		int result;

		if (tct_kernel_keys[i].handler == TCT_HANDLER_SECRET)
			continue;
		result = tct_plan_boot_value(work, files, &tct_kernel_keys[i], model, true,
					     now->presence == TCT_PRESENT ? &now->value : NULL,
					     &values[i], NULL);
		if (result < 0)
			return result;
	}
	return state_of_lines(work->plan, values);
}
