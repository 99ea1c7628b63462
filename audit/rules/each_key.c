/* Attributes of keys: live against boot. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/each.h"
#include "audit/rules/functions.h"
#include "audit/rules/profile.h"
#include "core/mem.h"

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
			tct_result_no_memory(result);
		return *known >= 0;
	}
	*known = boot_value(env, TCT_BOOT_SYSTEMD, value);
	other_known = boot_value(env, TCT_BOOT_PROCPS, &other);
	if (*known < 0 || other_known < 0)
		tct_result_no_memory(result);
	else if (*known != other_known || (*known == 1 && !tct_value_equal(value, &other)))
		tct_result_missing(
			result,
			"systemd and procps boot %s differently, and this host's way is not known",
			key_of(env)->name);
	return result->status == TCT_STATUS_VALUE;
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
		tct_result_value_text(env, live, result);
}

static void set_boot_text(const struct tct_env *env, const struct tct_value *value, int known,
			  struct tct_result *result)
{
	if (known < 0)
		tct_result_no_memory(result);
	else if (known == 0)
		tct_result_missing(result, "no file decides %s", key_of(env)->name);
	else
		tct_result_value_text(env, value, result);
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
		tct_result_no_memory(result);
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

/* What decides a key, under each way to boot that this host may have; NULL where none counts. */
struct deciders {
	const struct tct_file_line *winners[TCT_BOOT_MODELS];
	unsigned *through; /* the models that read each line through a link (Debian's
			      99-sysctl.conf); owned, NULL = there is no link */
};

static void done_deciders(struct deciders *deciders)
{
	free(deciders->through);
}

/* 0 or -ENOMEM. */
static int find_deciders(const struct tct_env *env, struct deciders *deciders)
{
	const struct tct_sysctl_files *files = env->observation->files;

	for (size_t model = 0; model < TCT_BOOT_MODELS; model++)
		deciders->winners[model] = model_counts(env, model) ? winner_of(env, model) : NULL;
	for (size_t i = 0; i < files->lines_count; i++) {
		const struct tct_file_line *line = &files->lines[i];

		if (line->twin == 0 || line->twin > files->lines_count)
			continue;
		if (deciders->through == NULL)
			deciders->through = calloc(files->lines_count, sizeof(*deciders->through));
		if (deciders->through == NULL)
			return -ENOMEM;
		deciders->through[line->twin - 1] |= line->read_by;
	}
	return 0;
}

/* It says something else than the line that wins. A package's line that an administrator's
 * overrides is as it should be. */
static bool is_shadowed(const struct tct_env *env, const struct deciders *deciders, size_t index)
{
	const struct tct_sysctl_files *files = env->observation->files;
	const struct tct_file_line *line = &files->lines[index];
	unsigned read_by;

	if (line->known != key_of(env) || line->is_pattern || line->twin != 0)
		return false;
	read_by = line->read_by | (deciders->through != NULL ? deciders->through[index] : 0U);
	for (size_t model = 0; model < TCT_BOOT_MODELS; model++) {
		const struct tct_file_line *winner = deciders->winners[model];
		unsigned bit = 1U << model;

		if (winner != NULL && (read_by & bit) != 0 && (line->wins & bit) == 0 &&
		    (!line->vendor || winner->vendor) && other_value(line, winner))
			return true;
	}
	return false;
}

void tct_read_key_shadowed(const struct tct_env *env, struct tct_result *result)
{
	TCT_AUTO(done_deciders) struct deciders deciders = { .through = NULL };

	if (!files_known(env, result))
		return;
	if (find_deciders(env, &deciders) < 0) {
		tct_result_no_memory(result);
		return;
	}
	for (size_t i = 0; i < env->observation->files->lines_count && result->number == 0; i++)
		result->number = is_shadowed(env, &deciders, i);
}

void tct_read_key_shadowed_lines(const struct tct_env *env, struct tct_result *result)
{
	enum { LINES_TOLD = 5 };
	const struct tct_sysctl_files *files = env->observation->files;
	TCT_AUTO(done_deciders) struct deciders deciders = { .through = NULL };
	struct tct_text text = { 0 };
	size_t count = 0;

	if (!files_known(env, result))
		return;
	if (find_deciders(env, &deciders) < 0) {
		tct_result_no_memory(result);
		return;
	}
	for (size_t i = 0; i < files->lines_count; i++) {
		const struct tct_file_line *line = &files->lines[i];

		if (is_shadowed(env, &deciders, i) && count++ < LINES_TOLD)
			tct_text_addf(&text, "%s%s:%u (%s)", count > 1 ? ", " : "", line->file,
				      line->line, line->value);
	}
	if (count > LINES_TOLD)
		tct_text_addf(&text, " and %zu more", count - LINES_TOLD);
	tct_result_text_take(env, &text, result);
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

void tct_read_key_out_of_range(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_value *value = tct_observation_value(env->observation, key_of(env));

	if (value == NULL)
		tct_result_no_value(key_of(env), env, result);
	else
		result->number = tct_value_out_of_range(key_of(env), value);
}

void tct_read_key_unsorted(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_value *value = tct_observation_value(env->observation, key_of(env));

	if (value == NULL)
		tct_result_no_value(key_of(env), env, result);
	else
		result->number = tct_value_unsorted(key_of(env), value);
}
