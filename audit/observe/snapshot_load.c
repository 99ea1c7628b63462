#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/snapshot_private.h"
#include "core/mem.h"
#include "core/text.h"

/* What lists may hold at most. Of owners and peers an observation tells the first 64, and each of
 * them is compared with listeners. */
enum { ITEMS_MAX = 1 << 17, GAPS_MAX = 4096, OWNERS_MAX = 1024 };

static int take_value(const struct tct_loading *loading, const struct tct_where *where,
		      const struct tct_kernel_key *key, const json_t *json, struct tct_value *value)
{
	struct tct_err err = { 0 };
	int result;

	if (json_is_null(json))
		return 0;
	result = tct_value_from_json(key, json, value, &err);
	if (result == -ENOMEM)
		return tct_err_nomem(loading->err);
	return result < 0 ? tct_loading_fail(loading, where, "%s", err.message) : 0;
}

static int take_sysctl(const struct tct_loading *loading, const struct tct_where *where,
		       const struct tct_kernel_key *key, const json_t *json,
		       struct tct_sysctl *live)
{
	const struct tct_where here = { where, "value", 0 };
	const json_t *value = json_object_get(json, "value");
	int result = tct_part_from_json(loading, where, json, &tct_part_sysctl, live);

	if (result < 0)
		return result;
	if (value == NULL || json_is_null(value) == (live->presence == TCT_PRESENT))
		return tct_loading_fail(loading, &here, "%s",
					live->presence == TCT_PRESENT
						? "it is missing"
						: "there is one although the key isn't present");
	return take_value(loading, &here, key, value, &live->value);
}

/* Names of one kind that this tcptune's tables don't have. */
struct strangers {
	size_t count;
	char first[64];
};

static void note_stranger(struct strangers *strangers, const char *name)
{
	if (strangers->count++ == 0 &&
	    snprintf(strangers->first, sizeof(strangers->first), "%s", name) < 0)
		strangers->first[0] = '\0';
}

/* One gap for those that one side doesn't know. */
static int tell_strangers(const struct tct_loading *loading, struct tct_observation *observation,
			  const struct strangers *strangers, const char *what, const char *why)
{
	char text[64];

	if (strangers->count == 0)
		return 0;
	if (snprintf(text, sizeof(text), "%zu %s%s", strangers->count, what,
		     strangers->count == 1 ? "" : "s") < 0)
		return tct_err_nomem(loading->err);
	if (tct_observation_gap(observation, text, "%s%s: %s",
				strangers->count == 1 ? "" : "first ", strangers->first, why) < 0)
		return tct_err_nomem(loading->err);
	return 0;
}

static const char not_here[] = "this tcptune doesn't know it, the one that took the snapshot did";
static const char not_there[] = "the tcptune that took the snapshot didn't know it";

static int take_sysctls(const struct tct_loading *loading, const struct tct_where *where,
			const json_t *object, struct tct_observation *observation)
{
	const struct tct_where list = { where, "sysctls", 0 };
	struct strangers here = { 0 };
	struct strangers there = { 0 };
	const char *name;
	json_t *entry;
	int result = 0;
	const json_t *keys =
		tct_loading_member(loading, where, object, "sysctls", JSON_OBJECT, &result);

	if (keys == NULL)
		return result;
	json_object_foreach((json_t *)(uintptr_t)keys, name, entry) {
		const struct tct_where place = { &list, name, 0 };
		const struct tct_kernel_key *key = tct_kernel_key_find(name);

		if (key == NULL || strcmp(key->name, name) != 0) {
			note_stranger(&here, name);
			continue;
		}
		result = take_sysctl(loading, &place, key, entry,
				     &observation->sysctls[tct_kernel_key_index(key)]);
		if (result < 0)
			return result;
	}
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		if (json_object_get(keys, tct_kernel_keys[i].name) == NULL)
			note_stranger(&there, tct_kernel_keys[i].name);
	}
	result = tell_strangers(loading, observation, &here, "kernel key", not_here);
	if (result == 0)
		result = tell_strangers(loading, observation, &there, "kernel key", not_there);
	return result;
}

static int take_counters(const struct tct_loading *loading, const struct tct_where *where,
			 const json_t *object, struct tct_observation *observation)
{
	const struct tct_where list = { where, "counters", 0 };
	struct strangers here = { 0 };
	struct strangers there = { 0 };
	const char *name;
	json_t *entry;
	int result = 0;
	const json_t *counters =
		tct_loading_member(loading, where, object, "counters", JSON_OBJECT, &result);

	if (counters == NULL)
		return result;
	json_object_foreach((json_t *)(uintptr_t)counters, name, entry) {
		const struct tct_where place = { &list, name, 0 };
		const struct tct_counter *counter = tct_counter_find(name);

		if (counter == NULL || strcmp(counter->name, name) != 0) {
			note_stranger(&here, name);
			continue;
		}
		result = tct_part_from_json(loading, &place, entry, &tct_part_counter,
					    &observation->counters[tct_counter_index(counter)]);
		if (result < 0)
			return result;
	}
	for (size_t i = 0; i < tct_counters_count; i++) {
		if (json_object_get(counters, tct_counters[i].name) == NULL)
			note_stranger(&there, tct_counters[i].name);
	}
	result = tell_strangers(loading, observation, &here, "kernel counter", not_here);
	if (result == 0)
		result = tell_strangers(loading, observation, &there, "kernel counter", not_there);
	return result;
}

static int take_boot_values(const struct tct_loading *loading, const struct tct_where *where,
			    const json_t *object, struct tct_observation *observation)
{
	const struct tct_where list = { where, "boot_values", 0 };
	const json_t *values = json_object_get(object, "boot_values");
	const char *name;
	json_t *entry;

	if (json_is_null(values))
		return 0;
	if (!json_is_object(values))
		return tct_loading_fail(loading, &list, "an object or null is needed");
	observation->boot_values = calloc(tct_kernel_keys_count, sizeof(*observation->boot_values));
	if (observation->boot_values == NULL)
		return tct_err_nomem(loading->err);
	json_object_foreach((json_t *)(uintptr_t)values, name, entry) {
		const struct tct_where place = { &list, name, 0 };
		const struct tct_kernel_key *key = tct_kernel_key_find(name);
		int result;

		if (key == NULL || strcmp(key->name, name) != 0)
			continue; /* told with the live ones */
		result = take_value(loading, &place, key, entry,
				    &observation->boot_values[tct_kernel_key_index(key)]);
		if (result < 0)
			return result;
	}
	return 0;
}

/* A list of parts into an array that grows. *items is owned by the caller in either case. */
static int take_list(const struct tct_loading *loading, const struct tct_where *where,
		     const json_t *object, const char *name, const struct tct_part *part,
		     size_t most, void **items, size_t *count)
{
	const struct tct_where list = { where, name, 0 };
	int result = 0;
	const json_t *array = tct_loading_member(loading, where, object, name, JSON_ARRAY, &result);
	size_t wanted = json_array_size(array);

	if (array == NULL || wanted == 0)
		return result;
	if (wanted > most)
		return tct_loading_fail(loading, &list, "there are more than %zu", most);
	*items = calloc(wanted, part->size);
	if (*items == NULL)
		return tct_err_nomem(loading->err);
	for (size_t i = 0; i < wanted && result == 0; i++) {
		const struct tct_where here = { &list, NULL, i };

		result = tct_part_from_json(loading, &here, json_array_get(array, i), part,
					    (char *)*items + i * part->size);
		*count = i + 1;
	}
	return result;
}

/* The same of a list that older snapshots of this schema lack: then there is nothing in it. */
static int take_later_list(const struct tct_loading *loading, const struct tct_where *where,
			   const json_t *object, const char *name, const struct tct_part *part,
			   size_t most, void **items, size_t *count)
{
	if (json_object_get(object, name) == NULL)
		return 0;
	return take_list(loading, where, object, name, part, most, items, count);
}

/* The array triple of the observation that a list goes into. */
#define TAKE_LIST(take, loading, where, object, name, part, most, owner, items)                    \
	__extension__({                                                                            \
		void *taken_ = NULL;                                                               \
		int taken_result_ = take(loading, where, object, name, part, most, &taken_,        \
					 &(owner)->items##_count);                                 \
		(owner)->items = taken_;                                                           \
		(owner)->items##_capacity = (owner)->items##_count;                                \
		taken_result_;                                                                     \
	})

static int take_lists(const struct tct_loading *loading, const struct tct_where *where,
		      const json_t *json, struct tct_observation *observation)
{
	const struct tct_where outgoing = { where, "outgoing", 0 };
	int result = TAKE_LIST(take_list, loading, &outgoing, json_object_get(json, "outgoing"),
			       "destinations", &tct_part_destination, ITEMS_MAX,
			       &observation->outgoing, destinations);

	if (result == 0)
		result = TAKE_LIST(take_list, loading, where, json, "owners", &tct_part_owner_group,
				   OWNERS_MAX, observation, owners);
	if (result == 0)
		result = TAKE_LIST(take_later_list, loading, where, json, "peers", &tct_part_peer,
				   OWNERS_MAX, observation, peers);
	if (result == 0)
		result = TAKE_LIST(take_later_list, loading, where, json, "interfaces",
				   &tct_part_interface, ITEMS_MAX, observation, interfaces);
	if (result == 0)
		result = TAKE_LIST(take_list, loading, where, json, "listeners", &tct_part_listener,
				   ITEMS_MAX, observation, listeners);
	if (result == 0)
		result = TAKE_LIST(take_list, loading, where, json, "gaps", &tct_part_gap, GAPS_MAX,
				   observation, gaps);
	return result;
}

static int take_host(const struct tct_loading *loading, const struct tct_where *where,
		     const json_t *json, struct tct_host *host)
{
	const struct tct_where here = { where, "host", 0 };
	int result = 0;
	const json_t *object =
		tct_loading_member(loading, where, json, "host", JSON_OBJECT, &result);

	if (object != NULL)
		result = tct_part_from_json(loading, &here, object, &tct_part_host, host);
	host->source = TCT_SOURCE_SNAPSHOT;
	host->kernel_version = tct_version_parse(host->kernel);
	return result;
}

int tct_observation_from_json(const struct tct_loading *loading, const struct tct_where *where,
			      const json_t *json, struct tct_observation *observation)
{
	const struct tct_where files = { where, "files", 0 };
	int result;

	if (!json_is_object(json))
		return tct_loading_fail(loading, where, "an object is needed");
	result = take_host(loading, where, json, &observation->host);
	if (result == 0)
		result = tct_part_from_json(loading, where, json, &tct_part_observation,
					    observation);
	/* The gaps before what may add some. */
	if (result == 0)
		result = take_lists(loading, where, json, observation);
	if (result == 0)
		result = take_sysctls(loading, where, json, observation);
	if (result == 0)
		result = take_counters(loading, where, json, observation);
	if (result == 0)
		result = take_boot_values(loading, where, json, observation);
	if (result == 0)
		result = tct_snapshot_files_from_json(
			loading, &files, json_object_get(json, "files"), &observation->files);
	return result;
}
