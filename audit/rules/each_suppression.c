/* Attributes of the entries of suppressions.yaml. */
#include "audit/rules/each.h"
#include "audit/rules/suppressions.h"

static const struct tct_suppression *suppression_of(const struct tct_env *env)
{
	return &env->suppressions->items[env->item];
}

void tct_read_suppression_id(const struct tct_env *env, struct tct_result *result)
{
	result->text = suppression_of(env)->id;
}

void tct_read_suppression_pattern(const struct tct_env *env, struct tct_result *result)
{
	result->text = suppression_of(env)->subject;
}

void tct_read_suppression_reason(const struct tct_env *env, struct tct_result *result)
{
	result->text = suppression_of(env)->reason;
}

void tct_read_suppression_expires(const struct tct_env *env, struct tct_result *result)
{
	result->text = suppression_of(env)->expires;
}

void tct_read_suppression_file(const struct tct_env *env, struct tct_result *result)
{
	result->text = env->suppressions->file;
}

void tct_read_suppression_line(const struct tct_env *env, struct tct_result *result)
{
	result->number = suppression_of(env)->line;
}

void tct_read_suppression_expired(const struct tct_env *env, struct tct_result *result)
{
	result->number = suppression_of(env)->expired;
}

/* Whole days since the end of its last day. */
void tct_read_suppression_days_expired(const struct tct_env *env, struct tct_result *result)
{
	const int64_t day_ns = INT64_C(86400) * 1000000000;
	int64_t now_ns = env->observation->host.taken_at_ns;

	if (now_ns <= 0)
		tct_result_missing(result, "the day of the observation is not known");
	else if (suppression_of(env)->expired && now_ns > suppression_of(env)->expires_ns)
		result->number = (now_ns - suppression_of(env)->expires_ns) / day_ns;
}
