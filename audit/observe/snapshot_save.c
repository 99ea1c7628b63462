#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/snapshot_private.h"
#include "core/json_text.h"
#include "core/mem.h"

static json_t *sysctls_json(const struct tct_observation *observation)
{
	json_t *object = json_object();

	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_sysctl *live = &observation->sysctls[i];
		json_t *entry = tct_part_json(&tct_part_sysctl, live);

		if (json_object_set_new(entry, "value", tct_value_json(&live->value)) < 0) {
			json_decref(entry);
			entry = NULL;
		}
		if (json_object_set_new(object, tct_kernel_keys[i].name, entry) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* Only those that are known; null where there is no such list. */
static json_t *boot_values_json(const struct tct_observation *observation)
{
	json_t *object;

	if (observation->boot_values == NULL)
		return json_null();
	object = json_object();
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_value *value = &observation->boot_values[i];

		if (value->kind != TCT_VALUE_NONE &&
		    json_object_set_new(object, tct_kernel_keys[i].name, tct_value_json(value)) <
			    0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *counters_json(const struct tct_observation *observation)
{
	json_t *object = json_object();

	for (size_t i = 0; i < tct_counters_count; i++) {
		json_t *entry = tct_part_json(&tct_part_counter, &observation->counters[i]);

		if (json_object_set_new(object, tct_counters[i].name, entry) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *list_json(const struct tct_part *part, const void *items, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const char *item = (const char *)items + i * part->size;

		if (json_array_append_new(list, tct_part_json(part, item)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *host_json(const struct tct_host *host)
{
	struct tct_host copy = *host;

	copy.snapshot_of = tct_host_looked_at(host);
	return tct_part_json(&tct_part_host, &copy);
}

static json_t *observation_json(const struct tct_observation *observation)
{
	json_t *object = json_object();
	json_t *plain = tct_part_json(&tct_part_observation, observation);
	json_t *outgoing = json_object_get(plain, "outgoing");
	int failed = json_object_set_new(object, "host", host_json(&observation->host));

	failed |= json_object_set_new(object, "sysctls", sysctls_json(observation));
	failed |= json_object_set_new(object, "files", tct_snapshot_files_json(observation->files));
	failed |= json_object_set_new(object, "boot_values", boot_values_json(observation));
	failed |= json_object_set_new(object, "counters", counters_json(observation));
	failed |= json_object_set_new(outgoing, "destinations",
				      list_json(&tct_part_destination,
						observation->outgoing.destinations,
						observation->outgoing.destinations_count));
	failed |= json_object_update(object, plain);
	failed |= json_object_set_new(
		object, "owners",
		list_json(&tct_part_owner_group, observation->owners, observation->owners_count));
	failed |= json_object_set_new(
		object, "peers",
		list_json(&tct_part_peer, observation->peers, observation->peers_count));
	failed |= json_object_set_new(object, "interfaces",
				      list_json(&tct_part_interface, observation->interfaces,
						observation->interfaces_count));
	failed |= json_object_set_new(object, "listeners",
				      list_json(&tct_part_listener, observation->listeners,
						observation->listeners_count));
	failed |= json_object_set_new(
		object, "gaps",
		list_json(&tct_part_gap, observation->gaps, observation->gaps_count));
	json_decref(plain);
	if (failed == 0)
		return object;
	json_decref(object);
	return NULL;
}

json_t *tct_snapshot_json(const struct tct_snapshot *snapshot)
{
	json_t *document = json_object();
	json_t *list = json_array();
	int64_t taken_at_ns =
		snapshot->observations_count > 0 ? snapshot->observations[0]->host.taken_at_ns : -1;
	int failed = json_object_set_new(document, "schema", json_string(TCT_SNAPSHOT_SCHEMA));

	failed |= json_object_set_new(document, "tcptune", tct_json_text(snapshot->tcptune));
	/* For people: what counts is in host. */
	failed |= json_object_set_new(document, "taken_at", tct_json_time(taken_at_ns));
	failed |= json_object_set_new(document, "variables", tct_bytes_json(snapshot->variables));
	for (size_t i = 0; i < snapshot->observations_count && failed == 0; i++)
		failed = json_array_append_new(list, observation_json(snapshot->observations[i]));
	failed |= json_object_set_new(document, "observations", list);
	if (failed == 0)
		return document;
	json_decref(document);
	return NULL;
}

char *tct_snapshot_text(const json_t *document, size_t *length)
{
	TCT_AUTOFREE char *text = json_dumps(document, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	char *whole;

	if (text == NULL)
		return NULL;
	*length = strlen(text);
	whole = realloc(text, *length + 2);
	if (whole == NULL)
		return NULL;
	text = NULL; /* realloc's now */
	memcpy(whole + *length, "\n", 2);
	++*length;
	return whole;
}

int tct_snapshot_add(struct tct_snapshot *snapshot, struct tct_observation *observation)
{
	if (tct_grow(&snapshot->observations, &snapshot->observations_capacity,
		     snapshot->observations_count, sizeof(void *)) < 0) {
		tct_observation_free(observation);
		return -ENOMEM;
	}
	snapshot->observations[snapshot->observations_count++] = observation;
	return 0;
}

void tct_snapshot_done(struct tct_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->observations_count; i++)
		tct_observation_free(snapshot->observations[i]);
	free(snapshot->observations);
	free(snapshot->variables);
	*snapshot = (struct tct_snapshot){ 0 };
}
