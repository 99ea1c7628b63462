/* The document tcptune.diff.v1. Its shape is a contract: docs/schemas. */
#include <string.h>

#include "audit/judge/report_diff.h"
#include "core/json_text.h"

static json_t *copy_or_null(const json_t *json)
{
	return json == NULL ? json_null() : json_incref((json_t *)(uintptr_t)json);
}

static json_t *number_or_null(int64_t number)
{
	return number < 0 ? json_null() : json_integer((json_int_t)number);
}

static json_t *side_json(const struct tct_side *side)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "file", tct_json_text(side->file),
			 "kind", side->kind, "profiles", copy_or_null(side->profiles), "hostname",
			 tct_json_text_or_null(side->hostname), "kernel",
			 tct_json_text_or_null(side->kernel), "boot_id",
			 tct_json_text_or_null(side->boot_id), "taken_at",
			 tct_json_text_or_null(side->taken_at));
}

static json_t *severity_json(enum tct_severity severity)
{
	return severity == TCT_SEVERITY_LIMIT ? json_null()
					      : json_string(tct_severity_name(severity));
}

static json_t *finding_json(const struct tct_finding_change *change)
{
	return json_pack("{s:o, s:s, s:o, s:s, s:s, s:{s:o, s:o}, s:o}", "netns",
			 tct_json_text_or_null(change->netns), "id", change->id, "subject",
			 tct_json_text_or_null(change->subject), "cause", change->cause, "title",
			 change->title, "severity", "a", severity_json(change->severity[0]), "b",
			 severity_json(change->severity[1]), "note",
			 tct_json_text_or_null(change->note));
}

static json_t *findings_json(const struct tct_diff *diff, enum tct_change change)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diff->findings_count; i++) {
		if (diff->findings[i].change == change &&
		    json_array_append_new(list, finding_json(&diff->findings[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *pair_json(const json_t *const pair[2])
{
	return json_pack("{s:o, s:o}", "a", copy_or_null(pair[0]), "b", copy_or_null(pair[1]));
}

static json_t *keys_json(const struct tct_diff *diff)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diff->keys_count; i++) {
		const struct tct_key_change *change = &diff->keys[i];
		json_t *entry = json_pack("{s:s, s:o, s:{s:o, s:o}}", "key", change->key, "value",
					  pair_json(change->value[TCT_VALUE_LIVE]), "next_boot",
					  "systemd", pair_json(change->value[TCT_VALUE_SYSTEMD]),
					  "procps", pair_json(change->value[TCT_VALUE_PROCPS]));

		if (json_array_append_new(list, entry) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *states_json(const struct tct_diff *diff)
{
	json_t *object = json_object();

	for (enum tct_state state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++) {
		json_t *pair = json_pack("{s:o, s:o}", "a", number_or_null(diff->states[0][state]),
					 "b", number_or_null(diff->states[1][state]));

		if (json_object_set_new(object, tct_state_name(state), pair) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* null: nobody listens there. */
static json_t *endpoint_json(const struct tct_endpoint *endpoint)
{
	if (endpoint->sockets == 0)
		return json_null();
	return json_pack("{s:I, s:o, s:o}", "sockets", (json_int_t)endpoint->sockets, "backlog",
			 number_or_null(endpoint->backlog), "owner",
			 tct_json_text_or_null(endpoint->owner));
}

static json_t *listeners_json(const struct tct_diff *diff)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diff->listeners_count; i++) {
		const struct tct_listener_change *change = &diff->listeners[i];
		json_t *entry = json_pack(
			"{s:o, s:s, s:I, s:s, s:o, s:o}", "netns",
			tct_json_text_or_null(change->netns), "address", change->side[0].address,
			"port", (json_int_t)change->side[0].port, "family", change->side[0].family,
			"a", endpoint_json(&change->side[0]), "b", endpoint_json(&change->side[1]));

		if (json_array_append_new(list, entry) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* null: one of the two doesn't tell of all. */
static json_t *namespaces_json(const struct tct_diff *diff)
{
	json_t *lists[2] = { json_array(), json_array() };
	int failed = 0;

	if (!diff->everywhere[0] || !diff->everywhere[1]) {
		json_decref(lists[0]);
		json_decref(lists[1]);
		return json_null();
	}
	for (size_t i = 0; i < diff->namespaces_count; i++)
		failed |= json_array_append_new(lists[diff->namespaces[i].came ? 0 : 1],
						tct_json_text(diff->namespaces[i].name));
	if (failed == 0)
		return json_pack("{s:o, s:o}", "new", lists[0], "gone", lists[1]);
	json_decref(lists[0]);
	json_decref(lists[1]);
	return NULL;
}

static json_t *summary_json(const struct tct_diff *diff)
{
	json_t *summary = json_object();

	for (unsigned change = 0; change < TCT_CHANGE_LIMIT; change++) {
		if (json_object_set_new(summary, tct_change_name((enum tct_change)change),
					json_integer((json_int_t)diff->by_change[change])) < 0) {
			json_decref(summary);
			return NULL;
		}
	}
	return summary;
}

json_t *tct_diff_json(const struct tct_diff *diff)
{
	json_t *document = json_object();
	int failed = json_object_set_new(document, "schema", json_string("tcptune.diff.v1"));

	failed |= json_object_set_new(document, "a", side_json(&diff->side[0]));
	failed |= json_object_set_new(document, "b", side_json(&diff->side[1]));
	for (unsigned change = 0; change < TCT_CHANGE_LIMIT; change++)
		failed |= json_object_set_new(document, tct_change_name((enum tct_change)change),
					      findings_json(diff, (enum tct_change)change));
	failed |= json_object_set_new(document, "sysctls", keys_json(diff));
	failed |= json_object_set_new(document, "states", states_json(diff));
	failed |= json_object_set_new(document, "listeners", listeners_json(diff));
	failed |= json_object_set_new(document, "namespaces", namespaces_json(diff));
	failed |= json_object_set_new(document, "summary", summary_json(diff));
	if (failed == 0)
		return document;
	json_decref(document);
	return NULL;
}
