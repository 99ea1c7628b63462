/* What must hold in the planned state, whoever set it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/plan_private.h"

enum relation {
	AT_MOST, /* the first number of key is at most the first number of other */
	NEEDS,   /* key other than 0 needs other other than 0 */
};

/* The kernel enforces some of these at the moment of the write; planned, they must hold at the end.
 */
static const struct invariant {
	const char *key;
	enum relation relation;
	const char *other;
	const char *because;
} invariants[] = {
	{ "net.ipv4.ip_unprivileged_port_start", AT_MOST, "net.ipv4.ip_local_port_range",
	  "the kernel refuses a local port range that begins among the privileged ports" },
	{ "net.ipv4.tcp_reordering", AT_MOST, "net.ipv4.tcp_max_reordering",
	  "the kernel refuses a tcp_reordering above tcp_max_reordering" },
	{ "net.ipv4.tcp_tw_reuse", NEEDS, "net.ipv4.tcp_timestamps",
	  "tcp_tw_reuse tells an old connection's segments from a new one's by timestamps" },
};

static const struct tct_value *value_of(const struct tct_plan_work *work,
					const struct tct_kernel_key *key)
{
	const struct tct_value *value = work->planned[tct_kernel_key_index(key)];

	return value != NULL ? value : tct_observation_value(work->observation, key);
}

/* Do we touch it: write it, keep it, or have a line for it? What others broke, audit reports. */
static const struct tct_plan_key *touched(const struct tct_plan_work *work,
					  const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < work->plan->keys_count; i++) {
		const struct tct_plan_key *planned = &work->plan->keys[i];

		if (planned->key == key &&
		    (planned->write_live || planned->owned_live || planned->persist))
			return planned;
	}
	return NULL;
}

static bool refused_already(const struct tct_plan_work *work, const struct tct_kernel_key *key,
			    const char *kind)
{
	for (size_t i = 0; i < work->plan->refused_count; i++) {
		if (work->plan->refused[i].key == key &&
		    strcmp(work->plan->refused[i].kind, kind) == 0)
			return true;
	}
	return false;
}

static int check_pair(struct tct_plan_work *work, const struct invariant *invariant,
		      const char *when)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(invariant->key);
	const struct tct_kernel_key *other = tct_kernel_key_find(invariant->other);

	if (key == NULL || other == NULL ||
	    (touched(work, key) == NULL && touched(work, other) == NULL))
		return 0;

	const struct tct_value *value = value_of(work, key);
	const struct tct_value *limit = value_of(work, other);

	if (value == NULL || limit == NULL || value->kind != TCT_VALUE_NUMBERS ||
	    limit->kind != TCT_VALUE_NUMBERS)
		return 0;

	int64_t a = value->numbers[0];
	int64_t b = limit->numbers[0];
	const struct tct_kernel_key *named = touched(work, key) != NULL ? key : other;

	if (invariant->relation == NEEDS ? a == 0 || b != 0 : a <= b)
		return 0;
	if (refused_already(work, named, "invariant"))
		return 0;
	return tct_plan_refuse(work, named, "invariant",
			       "%s would be %" PRId64 " and %s %" PRId64 "%s: %s", key->name, a,
			       other->name, b, when, invariant->because);
}

static int check_fields(struct tct_plan_work *work, const struct tct_plan_key *planned,
			const char *when)
{
	const struct tct_value *value = work->planned[tct_kernel_key_index(planned->key)];
	bool strict = planned->key->handler == TCT_HANDLER_PORT_RANGE;

	if (!planned->key->ordered || value == NULL || value->kind != TCT_VALUE_NUMBERS)
		return 0;
	for (unsigned i = 1; i < value->count; i++) {
		int64_t low = value->numbers[i - 1];
		int64_t high = value->numbers[i];

		if ((low < high || (!strict && low == high)) ||
		    refused_already(work, planned->key, "invariant"))
			continue;
		return tct_plan_refuse(work, planned->key, "invariant",
				       "its fields must ascend, but field %u would be %" PRId64
				       " and field %u %" PRId64 "%s",
				       i, low, i + 1, high, when);
	}
	return 0;
}

static int check_requirements(struct tct_plan_work *work, const struct tct_plan_key *planned,
			      const char *when)
{
	const struct tct_setting *setting = planned->setting;
	struct tct_env env = tct_plan_env(work);

	if (setting == NULL || refused_already(work, planned->key, "requires"))
		return 0;
	env.planned = work->planned;
	for (size_t i = 0; i < setting->requirements_count; i++) {
		const struct tct_requirement *requirement = &setting->requirements[i];
		struct tct_result result = { 0 };
		int noted = 0;

		tct_expr_eval(requirement->expr, &env, &result);
		if (result.status == TCT_STATUS_MISSING) {
			if (!refused_already(work, planned->key, "missing"))
				noted = tct_plan_refuse(
					work, planned->key, "missing", "%s:%u: requires %s, but %s",
					requirement->place.file, requirement->place.line,
					requirement->text, result.reason);
		} else if (result.status == TCT_STATUS_FAILED || result.number == 0) {
			noted = tct_plan_refuse(
				work, planned->key, "requires", "%s:%u: requires %s%s%s%s",
				requirement->place.file, requirement->place.line, requirement->text,
				when, result.status == TCT_STATUS_FAILED ? ": " : "",
				result.status == TCT_STATUS_FAILED ? result.reason : "");
		}
		if (noted < 0)
			return noted;
	}
	return 0;
}

int tct_plan_check_planned(struct tct_plan_work *work, const char *when)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < work->plan->keys_count; i++) {
		const struct tct_plan_key *planned = &work->plan->keys[i];

		result = check_requirements(work, planned, when);
		if (result == 0 && touched(work, planned->key) != NULL)
			result = check_fields(work, planned, when);
	}
	for (size_t i = 0; result == 0 && i < TCT_COUNT(invariants); i++)
		result = check_pair(work, &invariants[i], when);
	return result;
}

/* Is the key's value one that the kernel lets stand, but would not take as a write? */
static bool is_beyond(const struct tct_plan_work *work, const struct tct_plan_key *planned,
		      const struct tct_kernel_key *other, bool above)
{
	const struct tct_value *limit =
		other != NULL ? tct_observation_value(work->observation, other) : NULL;

	if (limit == NULL || limit->kind != TCT_VALUE_NUMBERS ||
	    planned->before.kind != TCT_VALUE_NUMBERS)
		return false;
	return above ? planned->before.numbers[0] > limit->numbers[0]
		     : planned->before.numbers[0] < limit->numbers[0];
}

int tct_plan_check_way_back(struct tct_plan_work *work)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < work->plan->keys_count; i++) {
		const struct tct_plan_key *planned = &work->plan->keys[i];
		bool above = planned->key->refused_above != NULL;
		const char *name =
			above ? planned->key->refused_above : planned->key->refused_below;
		const struct tct_kernel_key *other =
			name != NULL ? tct_kernel_key_find(name) : NULL;

		if (planned->write_live && is_beyond(work, planned, other, above))
			result = tct_plan_refuse(
				work, planned->key, "invariant",
				"its value %" PRId64
				" could not be put back: the kernel refuses one %s %s",
				planned->before.numbers[0], above ? "above" : "below", name);
	}
	return result;
}
