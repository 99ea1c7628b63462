/* Who must listen() again before a raised limit counts. */
#include <errno.h>

#include "core/mem.h"
#include "tune/transact.h"

/* The limit was cut to the old value, so the application may have asked for more. */
static bool was_capped(const struct tct_listener *listener, const struct tct_plan_key *key)
{
	return listener->backlog != TCT_BACKLOG_UNKNOWN &&
	       (int64_t)listener->backlog == key->before.numbers[0];
}

int tct_restart_find(const struct tct_plan *plan, const struct tct_observation *observation,
		     struct tct_apply_result *result)
{
	for (size_t i = 0; i < plan->keys_count; i++) {
		const struct tct_plan_key *key = &plan->keys[i];

		if (!key->write_live || key->key->effect != TCT_EFFECT_LISTEN ||
		    key->before.kind != TCT_VALUE_NUMBERS ||
		    key->before.numbers[0] >= key->wanted.numbers[0])
			continue;
		for (size_t j = 0; j < observation->listeners_count; j++) {
			const struct tct_listener *listener = &observation->listeners[j];

			if (!was_capped(listener, key))
				continue;

			struct tct_listener *restart = TCT_APPEND(result, restart_needed);

			if (restart == NULL)
				return -ENOMEM;
			*restart = *listener;
		}
	}
	return 0;
}
