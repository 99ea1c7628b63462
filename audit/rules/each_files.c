/* Attributes of keys (live against boot) and of lines of sysctl files. */
#include <errno.h>
#include <string.h>

#include "audit/rules/each.h"
#include "audit/rules/functions.h"
#include "audit/rules/profile.h"
#include "core/mem.h"

/* ---- keys ---- */

static const struct tct_kernel_key *key_of(const struct tct_env *env)
{
	return &tct_kernel_keys[env->item];
}

static bool files_known(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_sysctl_files *files = env->observation->files;

	if (files == NULL)
		tct_result_missing(result, "the sysctl files were not read");
	else if (!env->observation->files_govern)
		tct_result_missing(result, "the sysctl files don't decide this namespace's values");
	for (size_t i = 0; files != NULL && i < files->faults_count; i++) {
		if (files->faults[i].unread && result->status == TCT_STATUS_VALUE)
			tct_result_missing(result, "%.120s: %.60s", files->faults[i].file,
					   files->faults[i].what);
	}
	return result->status == TCT_STATUS_VALUE;
}

static bool model_counts(const struct tct_env *env, size_t model)
{
	return env->observation->boot_model == TCT_BOOT_MODELS ||
	       env->observation->boot_model == model;
}

static const struct tct_file_line *winner_of(const struct tct_env *env, size_t model)
{
	return tct_sysctl_files_winner(env->observation->files, key_of(env)->name,
				       (enum tct_boot_model)model, false);
}

/* 1 and *value, 0 if no file decides it, or -errno. */
static int boot_value(const struct tct_env *env, size_t model, struct tct_value *value)
{
	return tct_sysctl_files_value(env->observation->files, key_of(env),
				      (enum tct_boot_model)model, false, NULL, value);
}

static void no_memory(struct tct_result *result)
{
	tct_result_failed(result, "out of memory");
}

/* The value at boot under this host's model; where that can't be told, what both agree on. False:
 * see result. */
static bool host_boot_value(const struct tct_env *env, struct tct_value *value, int *known,
			    struct tct_result *result)
{
	TCT_AUTO(tct_value_done) struct tct_value other = { 0 };
	int other_known;

	if (!files_known(env, result))
		return false;
	if (env->observation->boot_model != TCT_BOOT_MODELS) {
		*known = boot_value(env, env->observation->boot_model, value);
		if (*known < 0)
			no_memory(result);
		return *known >= 0;
	}
	*known = boot_value(env, TCT_BOOT_SYSTEMD, value);
	other_known = boot_value(env, TCT_BOOT_PROCPS, &other);
	if (*known < 0 || other_known < 0)
		no_memory(result);
	else if (*known != other_known || (*known == 1 && !tct_value_equal(value, &other)))
		tct_result_missing(
			result,
			"systemd and procps boot %s differently, and this host's way is not known",
			key_of(env)->name);
	return result->status == TCT_STATUS_VALUE;
}

static void set_value_text(const struct tct_env *env, const struct tct_value *value,
			   struct tct_result *result)
{
	TCT_AUTOFREE char *text = tct_value_text(value);

	if (text == NULL)
		no_memory(result);
	else
		tct_result_text_copy(env, text, result);
}

static const struct tct_value *live_value(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_sysctl *sysctls = env->observation->sysctls;

	if (sysctls == NULL || sysctls[env->item].presence != TCT_PRESENT) {
		tct_result_no_value(key_of(env), env, result);
		return NULL;
	}
	return &sysctls[env->item].value;
}

void tct_read_key_key(const struct tct_env *env, struct tct_result *result)
{
	result->text = key_of(env)->name;
}

void tct_read_key_live(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_value *live = live_value(env, result);

	if (live != NULL)
		set_value_text(env, live, result);
}

static void set_boot_text(const struct tct_env *env, const struct tct_value *value, int known,
			  struct tct_result *result)
{
	if (known < 0)
		no_memory(result);
	else if (known == 0)
		tct_result_missing(result, "no file decides %s", key_of(env)->name);
	else
		set_value_text(env, value, result);
}

void tct_read_key_boot(const struct tct_env *env, struct tct_result *result)
{
	TCT_AUTO(tct_value_done) struct tct_value boot = { 0 };
	int known;

	if (host_boot_value(env, &boot, &known, result))
		set_boot_text(env, &boot, known, result);
}

static void read_boot_model(const struct tct_env *env, size_t model, struct tct_result *result)
{
	TCT_AUTO(tct_value_done) struct tct_value boot = { 0 };

	if (files_known(env, result))
		set_boot_text(env, &boot, boot_value(env, model, &boot), result);
}

void tct_read_key_boot_systemd(const struct tct_env *env, struct tct_result *result)
{
	read_boot_model(env, TCT_BOOT_SYSTEMD, result);
}

void tct_read_key_boot_procps(const struct tct_env *env, struct tct_result *result)
{
	read_boot_model(env, TCT_BOOT_PROCPS, result);
}

/* The line that decides at boot; missing if none, or if the models don't agree and both could
 * count. */
static const struct tct_file_line *host_winner(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_file_line *found = NULL;
	bool first = true;

	if (!files_known(env, result))
		return NULL;
	for (size_t model = 0; model < TCT_BOOT_MODELS; model++) {
		const struct tct_file_line *winner;

		if (!model_counts(env, model))
			continue;
		winner = winner_of(env, model);
		if (!first && winner != found) {
			tct_result_missing(result,
					   "systemd and procps take %s from different lines",
					   key_of(env)->name);
			return NULL;
		}
		found = winner;
		first = false;
	}
	if (found == NULL)
		tct_result_missing(result, "no file decides %s", key_of(env)->name);
	return found;
}

void tct_read_key_file(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_file_line *winner = host_winner(env, result);

	if (winner != NULL)
		result->text = winner->file;
}

void tct_read_key_line(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_file_line *winner = host_winner(env, result);

	if (winner != NULL)
		result->number = winner->line;
}

static bool any_winner(const struct tct_env *env)
{
	for (size_t model = 0; model < TCT_BOOT_MODELS; model++) {
		if (model_counts(env, model) && winner_of(env, model) != NULL)
			return true;
	}
	return false;
}

void tct_read_key_drift(const struct tct_env *env, struct tct_result *result)
{
	if (!files_known(env, result) || !any_winner(env) || live_value(env, result) == NULL)
		return;
	result->number = tct_observation_drift(env->observation, key_of(env)) == TCT_DRIFT_DIFFERS;
}

void tct_read_key_models_differ(const struct tct_env *env, struct tct_result *result)
{
	TCT_AUTO(tct_value_done) struct tct_value systemd = { 0 };
	TCT_AUTO(tct_value_done) struct tct_value procps = { 0 };
	int systemd_known;
	int procps_known;

	if (!files_known(env, result))
		return;
	systemd_known = boot_value(env, TCT_BOOT_SYSTEMD, &systemd);
	procps_known = boot_value(env, TCT_BOOT_PROCPS, &procps);
	if (systemd_known < 0 || procps_known < 0)
		no_memory(result);
	else
		result->number = systemd_known != procps_known ||
				 (systemd_known == 1 && !tct_value_equal(&systemd, &procps));
}

static bool other_value(const struct tct_file_line *a, const struct tct_file_line *b)
{
	if (a->value == NULL || b->value == NULL)
		return false;
	if (a->stored.kind != TCT_VALUE_NONE && b->stored.kind != TCT_VALUE_NONE)
		return !tct_value_equal(&a->stored, &b->stored);
	return strcmp(a->value, b->value) != 0;
}

void tct_read_key_shadowed_by_vendor(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_sysctl_files *files = env->observation->files;

	if (!files_known(env, result))
		return;
	for (size_t model = 0; model < TCT_BOOT_MODELS && result->number == 0; model++) {
		const struct tct_file_line *winner =
			model_counts(env, model) ? winner_of(env, model) : NULL;
		unsigned bit = 1U << model;

		if (winner == NULL || !winner->vendor)
			continue;
		for (size_t i = 0; i < files->lines_count; i++) {
			const struct tct_file_line *line = &files->lines[i];

			if (line->known == key_of(env) && !line->is_pattern && !line->vendor &&
			    (line->read_by & bit) != 0 && (line->wins & bit) == 0 &&
			    other_value(line, winner))
				result->number = 1;
		}
	}
}

/* The entry that refuses what the key is now (or, in a tree, will be). */
static const struct tct_never *refusal_of(const struct tct_env *env)
{
	const struct tct_value *value = tct_observation_value(env->observation, key_of(env));

	if (env->set == NULL || value == NULL)
		return NULL;
	return tct_never_find(env->set, env->facts, key_of(env), value);
}

void tct_read_key_never(const struct tct_env *env, struct tct_result *result)
{
	enum tct_presence presence = env->observation->sysctls[env->item].presence;

	if (presence == TCT_UNREADABLE || presence == TCT_UNPARSED)
		tct_result_missing(result, "%s: its value can't be read", key_of(env)->name);
	else
		result->number = refusal_of(env) != NULL;
}

void tct_read_key_never_because(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_never *never = refusal_of(env);

	result->text = never != NULL ? never->because : "";
}

void tct_read_key_now(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_value *value = tct_observation_value(env->observation, key_of(env));
	TCT_AUTOFREE char *text = value != NULL ? tct_value_text(value) : NULL;

	if (value == NULL)
		tct_result_missing(result, "%s: its value is not known", key_of(env)->name);
	else
		tct_result_text_copy(env, text != NULL ? text : "", result);
}

void tct_read_key_value_set(const struct tct_env *env, struct tct_result *result)
{
	if (files_known(env, result))
		result->number = any_winner(env);
}

void tct_read_key_set_by_us(const struct tct_env *env, struct tct_result *result)
{
	if (!files_known(env, result))
		return;
	for (size_t model = 0; model < TCT_BOOT_MODELS; model++) {
		const struct tct_file_line *winner =
			model_counts(env, model) ? winner_of(env, model) : NULL;

		if (winner != NULL && winner->ours)
			result->number = 1;
	}
}

static bool value_out_of_range(const struct tct_kernel_key *key, const struct tct_value *value)
{
	if (value->kind != TCT_VALUE_NUMBERS)
		return false;
	for (unsigned i = 0; i < value->count; i++) {
		int64_t number = value->numbers[i];
		bool unlimited = (key->unlimited == TCT_UNLIMITED_NEGATIVE && number < 0) ||
				 (key->unlimited == TCT_UNLIMITED_ZERO && number == 0);

		if (!unlimited && (number < key->sane_min || number > key->sane_max))
			return true;
	}
	return false;
}

static bool value_unsorted(const struct tct_kernel_key *key, const struct tct_value *value)
{
	for (unsigned i = 1; key->ordered && value->kind == TCT_VALUE_NUMBERS && i < value->count;
	     i++) {
		if (value->numbers[i] < value->numbers[i - 1])
			return true;
	}
	return false;
}

void tct_read_key_out_of_range(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_value *value = tct_observation_value(env->observation, key_of(env));

	if (value == NULL)
		tct_result_no_value(key_of(env), env, result);
	else
		result->number = value_out_of_range(key_of(env), value);
}

void tct_read_key_unsorted(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_value *value = tct_observation_value(env->observation, key_of(env));

	if (value == NULL)
		tct_result_no_value(key_of(env), env, result);
	else
		result->number = value_unsorted(key_of(env), value);
}

/* ---- lines ---- */

static const struct tct_file_line *line_of(const struct tct_env *env)
{
	return &env->observation->files->lines[env->item];
}

void tct_read_line_key(const struct tct_env *env, struct tct_result *result)
{
	result->text = line_of(env)->key;
}

void tct_read_line_value(const struct tct_env *env, struct tct_result *result)
{
	result->text = line_of(env)->value != NULL ? line_of(env)->value : "";
}

void tct_read_line_file(const struct tct_env *env, struct tct_result *result)
{
	result->text = line_of(env)->file;
}

void tct_read_line_line(const struct tct_env *env, struct tct_result *result)
{
	result->number = line_of(env)->line;
}

void tct_read_line_ours(const struct tct_env *env, struct tct_result *result)
{
	result->number = line_of(env)->ours;
}

void tct_read_line_vendor(const struct tct_env *env, struct tct_result *result)
{
	result->number = line_of(env)->vendor;
}

void tct_read_line_ignore_errors(const struct tct_env *env, struct tct_result *result)
{
	result->number = line_of(env)->ignore_errors;
}

void tct_read_line_wins(const struct tct_env *env, struct tct_result *result)
{
	unsigned wins = line_of(env)->wins;

	if (env->observation->boot_model != TCT_BOOT_MODELS)
		wins &= 1U << env->observation->boot_model;
	result->number = wins != 0;
}

void tct_read_line_in_table(const struct tct_env *env, struct tct_result *result)
{
	result->number = line_of(env)->known != NULL;
}

/* Has the kernel reached `version` (0 = never)? */
static void set_reached(const struct tct_env *env, tct_version version, struct tct_result *result)
{
	if (version == 0)
		return;
	if (env->facts->known[TCT_FACT_KERNEL])
		result->number = env->facts->value[TCT_FACT_KERNEL] >= version;
	else
		tct_result_missing(result, "the kernel's version is not known (--var kernel=...)");
}

static void set_version(tct_version version, struct tct_result *result, const char *missing)
{
	result->number = version;
	if (version == 0)
		tct_result_missing(result, "%s", missing);
}

void tct_read_line_removed(const struct tct_env *env, struct tct_result *result)
{
	set_reached(env, line_of(env)->known != NULL ? line_of(env)->known->until : 0, result);
}

void tct_read_line_removed_in(const struct tct_env *env, struct tct_result *result)
{
	set_version(line_of(env)->known != NULL ? line_of(env)->known->until : 0, result,
		    "the key was not removed");
}

void tct_read_line_no_op(const struct tct_env *env, struct tct_result *result)
{
	set_reached(env, line_of(env)->known != NULL ? line_of(env)->known->no_op_since : 0,
		    result);
}

void tct_read_line_no_op_since(const struct tct_env *env, struct tct_result *result)
{
	set_version(line_of(env)->known != NULL ? line_of(env)->known->no_op_since : 0, result,
		    "the key still works");
}

static bool has_outcome(const struct tct_env *env, enum tct_write_outcome outcome)
{
	return line_of(env)->known != NULL && line_of(env)->outcome == outcome;
}

void tct_read_line_rest_ignored(const struct tct_env *env, struct tct_result *result)
{
	result->number = has_outcome(env, TCT_WRITE_REST_IGNORED);
}

void tct_read_line_refused(const struct tct_env *env, struct tct_result *result)
{
	result->number =
		has_outcome(env, TCT_WRITE_REFUSED) || has_outcome(env, TCT_WRITE_HALF_REFUSED);
}

void tct_read_line_half_refused(const struct tct_env *env, struct tct_result *result)
{
	result->number = has_outcome(env, TCT_WRITE_HALF_REFUSED);
}

void tct_read_line_partial(const struct tct_env *env, struct tct_result *result)
{
	result->number = has_outcome(env, TCT_WRITE_PARTIAL);
}

void tct_read_line_read_only(const struct tct_env *env, struct tct_result *result)
{
	result->number = has_outcome(env, TCT_WRITE_READ_ONLY);
}

void tct_read_line_reason(const struct tct_env *env, struct tct_result *result)
{
	result->text = line_of(env)->reason;
}

static bool stored_known(const struct tct_env *env, struct tct_result *result)
{
	if (line_of(env)->known == NULL || line_of(env)->stored.kind == TCT_VALUE_NONE)
		tct_result_missing(result, "the kernel stores nothing of this line");
	return result->status == TCT_STATUS_VALUE;
}

void tct_read_line_stored(const struct tct_env *env, struct tct_result *result)
{
	if (stored_known(env, result))
		set_value_text(env, &line_of(env)->stored, result);
}

void tct_read_line_stored_number(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_value *stored = &line_of(env)->stored;

	if (!stored_known(env, result))
		return;
	if (stored->kind == TCT_VALUE_NUMBERS && stored->count > 0)
		result->number = stored->numbers[0];
	else
		tct_result_missing(result, "%s is not a number", line_of(env)->key);
}

void tct_read_line_out_of_range(const struct tct_env *env, struct tct_result *result)
{
	result->number = line_of(env)->known != NULL &&
			 value_out_of_range(line_of(env)->known, &line_of(env)->stored);
}

void tct_read_line_unsorted(const struct tct_env *env, struct tct_result *result)
{
	result->number = line_of(env)->known != NULL &&
			 value_unsorted(line_of(env)->known, &line_of(env)->stored);
}
