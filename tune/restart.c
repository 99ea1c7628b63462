/* Who must listen() again before a changed cap on its accept queue counts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/owners.h"
#include "core/mem.h"
#include "tune/transact.h"

static void drop_observation(struct tct_observation *const *observation)
{
	tct_observation_free(*observation);
}

static bool changes_cap(const struct tct_apply_key *setting)
{
	return setting->key->caps_accept_queue && setting->live_written &&
	       setting->before.kind == TCT_VALUE_NUMBERS &&
	       setting->after.kind == TCT_VALUE_NUMBERS &&
	       setting->before.numbers[0] != setting->after.numbers[0];
}

/* The last change of the cap: a recovery may have come before. NULL = none. */
static const struct tct_apply_key *last_change(const struct tct_apply_result *result)
{
	for (size_t i = result->settings_count; i-- > 0;) {
		if (changes_cap(&result->settings[i]))
			return &result->settings[i];
	}
	return NULL;
}

/*
 * Does it keep a limit that was cut to an old cap, so that its program may have asked for more; or,
 * where the cap falls, one that listen() would no longer give?
 */
static bool keeps(const struct tct_apply_result *result, const struct tct_listener *listener,
		  int64_t cap)
{
	int64_t backlog = (int64_t)listener->backlog;

	if (listener->backlog == TCT_BACKLOG_UNKNOWN)
		return false;
	for (size_t i = 0; i < result->settings_count; i++) {
		const struct tct_apply_key *setting = &result->settings[i];

		if (!changes_cap(setting))
			continue;

		int64_t before = setting->before.numbers[0];

		if (before < cap ? backlog == before : backlog > cap)
			return true;
	}
	return false;
}

/* Keep those that keep their limit, at the front. Returns their number. */
static size_t sift(const struct tct_apply_result *result, struct tct_observation *observation,
		   int64_t cap)
{
	size_t kept = 0;

	for (size_t i = 0; i < observation->listeners_count; i++) {
		if (keeps(result, &observation->listeners[i], cap))
			observation->listeners[kept++] = observation->listeners[i];
	}
	return kept;
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* By owner, those without a name last; each owner's by limit and place. */
static int by_owner(const void *left, const void *right)
{
	const struct tct_listener *a = left;
	const struct tct_listener *b = right;
	int order = (a->owner.unit[0] == '\0') - (b->owner.unit[0] == '\0');

	if (order == 0)
		order = (a->owner.pid == 0) - (b->owner.pid == 0);
	if (order == 0)
		order = strcmp(a->owner.unit, b->owner.unit);
	if (order == 0)
		order = strcmp(a->owner.comm, b->owner.comm);
	if (order == 0)
		order = compare_numbers(a->owner.pid, b->owner.pid);
	if (order == 0)
		order = compare_numbers(a->backlog, b->backlog);
	if (order == 0)
		order = compare_numbers(a->port, b->port);
	return order != 0 ? order : strcmp(a->address, b->address);
}

int tct_restart_find(const struct tct_root *root, struct tct_apply_result *result)
{
	const struct tct_observe_options options = { .root = root, .listeners = true };
	const struct tct_apply_key *change = last_change(result);
	TCT_AUTO(drop_observation) struct tct_observation *observation = NULL;
	size_t count;

	if (change == NULL)
		return 0;
	observation = tct_observation_new();
	/* it fails for nothing but lack of memory */
	if (observation == NULL || tct_observe_traffic(&options, observation, NULL) < 0)
		return -ENOMEM;
	count = sift(result, observation, change->after.numbers[0]);
	if (count == 0)
		return 0;
	if (tct_owners_find_listeners(root, observation->listeners, count) < 0)
		return -ENOMEM;
	qsort(observation->listeners, count, sizeof(*observation->listeners), by_owner);
	for (size_t i = 0; i < count; i++) {
		struct tct_restart *restart = TCT_APPEND(result, restart_needed);

		if (restart == NULL)
			return -ENOMEM;
		*restart = (struct tct_restart){
			.listener = observation->listeners[i],
			.limit = change->after.numbers[0],
		};
	}
	return 0;
}
