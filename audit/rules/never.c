/* Values that are refused everywhere. */
#include "audit/rules/profile.h"

const struct tct_never *tct_never_find(const struct tct_profile_set *set,
				       const struct tct_facts *facts,
				       const struct tct_kernel_key *key,
				       const struct tct_value *value)
{
	for (size_t i = 0; i < set->never_count; i++) {
		struct tct_env env = {
			.facts = facts,
			.value = value,
			.variables = set->variables,
		};
		struct tct_result result;

		if (set->never[i].key != key)
			continue;
		tct_expr_eval(set->never[i].when, &env, &result);
		if (result.status == TCT_STATUS_VALUE && result.number != 0)
			return &set->never[i];
	}
	return NULL;
}
