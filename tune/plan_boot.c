/* The next boot: what each key would be without us, which lines we need, and who overrides them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

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

/* Without any file: what the kernel is built with, or what is there without us. */
static bool built_in(const struct tct_plan_work *work, const struct tct_kernel_key *key,
		     struct tct_value *value)
{
	const struct tct_facts *facts = work->facts;

	return tct_value_default(
		key, facts->known[TCT_FACT_KERNEL] ? facts->value[TCT_FACT_KERNEL] : 0, value);
}

/* live: the live baseline, NULL or NONE = not known. Returns 1 = known, 0 = not, -ENOMEM. */
static int boot_value(const struct tct_plan_work *work, const struct tct_kernel_key *key,
		      enum tct_boot_model model, bool without_ours, const struct tct_value *live,
		      struct tct_value *value)
{
	struct tct_value fallback = { 0 };
	const struct tct_value *otherwise = NULL;
	int result = 0;

	if (built_in(work, key, &fallback))
		otherwise = &fallback;
	else if (live != NULL && live->kind != TCT_VALUE_NONE)
		otherwise = live;
	if (work->observation->files != NULL)
		result = tct_sysctl_files_value(work->observation->files, key, model, without_ours,
						otherwise, value);
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
	int known = boot_value(work, key->key, model, true, &key->baseline_live, &baseline);
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

int tct_plan_boot_key(struct tct_plan_work *work, struct tct_plan_key *key)
{
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

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Is this line's file applied after our drop-in? */
static bool comes_later(const struct tct_file_line *line)
{
	/* procps reads it last; systemd doesn't, and then read_by says so. */
	return strcmp(line->file, "/etc/sysctl.conf") == 0 ||
	       strcmp(base_name(line->file), TCT_DROP_IN_NAME) > 0;
}

/* The line that decides instead of ours; NULL = ours does. An explicit key beats a pattern wherever
 * it stands. */
static const struct tct_file_line *overrider(const struct tct_sysctl_files *files,
					     const struct tct_kernel_key *key,
					     enum tct_boot_model model)
{
	const struct tct_file_line *last = NULL;

	for (size_t i = 0; files != NULL && i < files->lines_count; i++) {
		const struct tct_file_line *line = &files->lines[i];

		if (line->known != key || line->is_pattern || line->ours ||
		    (line->read_by & 1U << model) == 0 || !comes_later(line))
			continue;
		/* "-key" takes earlier assignments away, but only systemd's. */
		if (line->value == NULL && model != TCT_BOOT_SYSTEMD)
			continue;
		/* procps writes every line: what the kernel refuses leaves ours; systemd writes
		 * only the last. */
		if (line->value != NULL && model == TCT_BOOT_PROCPS &&
		    (line->outcome == TCT_WRITE_REFUSED || line->outcome == TCT_WRITE_READ_ONLY))
			continue;
		last = line;
	}
	return last;
}

static bool says_the_same(const struct tct_file_line *line, const struct tct_value *wanted)
{
	return line->value != NULL &&
	       (line->outcome == TCT_WRITE_TAKEN || line->outcome == TCT_WRITE_REST_IGNORED) &&
	       tct_value_equal(&line->stored, wanted);
}

static int shadow(struct tct_plan_work *work, const struct tct_plan_key *key,
		  enum tct_boot_model model)
{
	const struct tct_file_line *line = overrider(work->observation->files, key->key, model);
	struct tct_plan_shadow *item;

	if (line == NULL || says_the_same(line, &key->wanted_boot))
		return 0;
	item = TCT_APPEND(work->plan, shadowed);
	if (item == NULL)
		return -ENOMEM;
	item->key = key->key;
	item->model = model;
	item->line = line->line;
	item->refuses = tct_plan_model_counts(work->options, work->observation, model) &&
			!work->options->allow_shadowed;
	if (snprintf(item->file, sizeof(item->file), "%s", line->file) < 0)
		item->file[0] = '\0';
	if (line->value != NULL && tct_value_copy(&item->value, &line->stored) < 0)
		return -ENOMEM;
	if (!item->refuses)
		return 0;
	return tct_plan_refuse(
		work, key->key, "shadowed",
		"%s:%u %s at the next boot (%s); change it there, or use --allow-shadowed",
		line->file, line->line,
		line->value != NULL ? "overrides our drop-in" : "takes our line away",
		tct_boot_model_name(model));
}

int tct_plan_boot_shadows(struct tct_plan_work *work)
{
	for (size_t i = 0; i < work->plan->keys_count; i++) {
		const struct tct_plan_key *key = &work->plan->keys[i];

		for (unsigned model = 0; key->persist && model < TCT_BOOT_MODELS; model++) {
			int result = shadow(work, key, (enum tct_boot_model)model);

			if (result < 0)
				return result;
		}
	}
	return 0;
}

/* Lines of ours that this plan has nothing to say about: keys that are not there just
 * now, or not asked for by it. */
static bool is_planned(const struct tct_plan *plan, const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < plan->keys_count; i++) {
		if (plan->keys[i].key == key)
			return true;
	}
	return false;
}

static int state_of_other_lines(struct tct_plan_work *work)
{
	const struct tct_plan *plan = work->plan;

	for (size_t i = 0; i < plan->owned.items_count; i++) {
		const struct tct_owned *owned = &plan->owned.items[i];
		struct tct_value *value = &plan->boot[tct_kernel_key_index(owned->key)];

		if (!owned->boot || is_planned(plan, owned->key))
			continue;
		tct_value_done(value);
		if (tct_value_copy(value, &owned->boot_value) < 0)
			return -ENOMEM;
	}
	return 0;
}

int tct_plan_boot_state(struct tct_plan_work *work)
{
	unsigned model = TCT_BOOT_SYSTEMD;

	if (!tct_plan_model_counts(work->options, work->observation, TCT_BOOT_SYSTEMD))
		model = TCT_BOOT_PROCPS;
	work->plan->boot = calloc(tct_kernel_keys_count, sizeof(*work->plan->boot));
	if (work->plan->boot == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_sysctl *now = &work->observation->sysctls[i];
		int result;

		if (tct_kernel_keys[i].handler == TCT_HANDLER_SECRET)
			continue;
		result = boot_value(work, &tct_kernel_keys[i], (enum tct_boot_model)model, true,
				    now->presence == TCT_PRESENT ? &now->value : NULL,
				    &work->plan->boot[i]);
		if (result < 0)
			return result;
	}
	if (state_of_other_lines(work) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < work->plan->keys_count; i++) {
		const struct tct_plan_key *key = &work->plan->keys[i];
		struct tct_value *value = &work->plan->boot[tct_kernel_key_index(key->key)];
		const struct tct_value *will =
			key->persist ? &key->wanted_boot : &key->baseline_boot;

		if (will->kind == TCT_VALUE_NONE)
			continue;
		tct_value_done(value);
		if (tct_value_copy(value, will) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct tct_drop_in_line *left = a;
	const struct tct_drop_in_line *right = b;

	return strcmp(left->key->name, right->key->name);
}

static size_t collect_lines(const struct tct_plan *plan, struct tct_drop_in_line *lines)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->keys_count; i++) {
		const struct tct_plan_key *key = &plan->keys[i];

		if (key->persist)
			lines[count++] = (struct tct_drop_in_line){
				.key = key->key,
				.value = &key->wanted_boot,
				.because = key->because[0] != '\0' ? key->because : NULL,
			};
	}
	for (size_t i = 0; i < plan->owned.items_count; i++) {
		const struct tct_owned *owned = &plan->owned.items[i];

		if (owned->boot && !is_planned(plan, owned->key))
			lines[count++] = (struct tct_drop_in_line){
				.key = owned->key,
				.value = &owned->boot_value,
				.because = owned->because,
			};
	}
	if (count > 1)
		qsort(lines, count, sizeof(*lines), by_name);
	return count;
}

static char *joined_names(const struct tct_profile_set *set)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	for (size_t i = 0; i < set->names_count; i++)
		tct_text_addf(&text, "%s%s", i > 0 ? "," : "", set->names[i]);
	return tct_text_take(&text);
}

/* Text of the file to come. */
static int render(struct tct_plan_work *work, const struct tct_drop_in_line *lines, size_t count)
{
	TCT_AUTOFREE char *names = NULL;

	if (count == 0)
		return 0;
	if (!work->options->additive) {
		names = joined_names(work->set);
		if (names == NULL)
			return -ENOMEM;
	}

	struct tct_drop_in_head head = {
		.profiles = names != NULL ? names : work->options->profiles,
		.reason = work->options->reason,
		.transaction = work->journal->next_id,
	};

	work->plan->drop_in_after = tct_drop_in_render(&head, lines, count);
	return work->plan->drop_in_after != NULL ? 0 : -ENOMEM;
}

int tct_plan_drop_in(struct tct_plan_work *work)
{
	struct tct_plan *plan = work->plan;
	const char *now = work->options->drop_in;
	TCT_AUTO(tct_drop_in_done) struct tct_drop_in on_disk = { 0 };
	TCT_AUTOFREE struct tct_drop_in_line *lines = NULL;
	size_t count;

	if (now != NULL) {
		plan->drop_in_before = tct_text_copy(now, strlen(now));
		if (plan->drop_in_before == NULL)
			return -ENOMEM;
	}
	lines = calloc(plan->keys_count + plan->owned.items_count + 1, sizeof(*lines));
	if (lines == NULL || tct_drop_in_parse(now, &on_disk) < 0)
		return -ENOMEM;
	count = collect_lines(plan, lines);
	plan->drop_in_changes = plan->persist && !tct_drop_in_equals(&on_disk, lines, count);
	if (!plan->drop_in_changes) {
		if (now != NULL) {
			plan->drop_in_after = tct_text_copy(now, strlen(now));
			if (plan->drop_in_after == NULL)
				return -ENOMEM;
		}
		return 0;
	}
	/* An interrupted transaction explains what is on disk; it is undone before anything is
	 * written. */
	if (now != NULL && !tct_drop_in_equals_owned(&on_disk, &plan->owned) &&
	    tct_journal_interrupted(work->journal) == NULL) {
		int result = tct_plan_refuse(
			work, NULL, "drop-in",
			"%s isn't what tcptune wrote%s: move its lines to a file with a name of your own, "
			"remove it, and apply again",
			TCT_DROP_IN_PATH, plan->owned.drop_in != NULL ? " (edited by hand?)" : "");

		if (result < 0)
			return result;
	}
	return render(work, lines, count);
}
