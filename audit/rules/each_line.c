/* Attributes of lines of sysctl files. */
#include <errno.h>
#include <string.h>

#include "audit/rules/each.h"
#include "audit/rules/functions.h"

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
		tct_result_value_text(env, &line_of(env)->stored, result);
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
			 tct_value_out_of_range(line_of(env)->known, &line_of(env)->stored);
}

void tct_read_line_unsorted(const struct tct_env *env, struct tct_result *result)
{
	result->number = line_of(env)->known != NULL &&
			 tct_value_unsorted(line_of(env)->known, &line_of(env)->stored);
}
