/* The document tcptune.sockets.v1. Its shape is a contract: docs/schemas. */
#include "audit/judge/report.h"
#include "cli/sockets_view.h"
#include "core/json_text.h"
#include "core/mem.h"

static const char *const kinds[TCT_KIND_LIMIT] = {
	[TCT_KIND_STATE] = "state",         [TCT_KIND_PORT] = "port",
	[TCT_KIND_PEER] = "peer",           [TCT_KIND_NO_PEER] = "no_peer",
	[TCT_KIND_PROCESS] = "process",     [TCT_KIND_NOT_ACCEPTED] = "not_accepted",
	[TCT_KIND_TIME_WAIT] = "time_wait", [TCT_KIND_CLOSED] = "closed",
	[TCT_KIND_UNIT] = "unit",           [TCT_KIND_NO_UNIT] = "no_unit",
	[TCT_KIND_NOT_SEEN] = "not_seen",
};

/* Append and drop; NULL in either is lack of memory. */
static int append(json_t *list, json_t *entry)
{
	return list == NULL || entry == NULL ? -1 : json_array_append_new(list, entry);
}

static json_t *filter_json(const struct tct_sockets_view *view)
{
	json_t *states = json_array();
	int failed = 0;

	for (unsigned i = TCT_STATE_ESTABLISHED; i < TCT_STATE_LIMIT; i++) {
		if (view->query.states != (1 << TCT_STATE_LIMIT) - 2 &&
		    (view->query.states & 1U << i) != 0)
			failed |= append(states, json_string(tct_state_name((enum tct_state)i)));
	}
	if (failed != 0) {
		json_decref(states);
		return NULL;
	}
	return json_pack("{s:o, s:o}", "port",
			 view->query.port == 0 ? json_null() : json_integer(view->query.port),
			 "state", states);
}

static json_t *counts_json(const uint32_t counts[TCT_STATE_LIMIT])
{
	json_t *object = json_object();
	int failed = 0;

	for (unsigned i = TCT_STATE_ESTABLISHED; i < TCT_STATE_LIMIT; i++)
		failed |= json_object_set_new(object, tct_state_name((enum tct_state)i),
					      json_integer(counts[i]));
	if (failed != 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *process_json(const struct tct_owner *owner)
{
	if (owner->pid == 0)
		return json_null();
	return json_pack("{s:i, s:o, s:o}", "pid", (int)owner->pid, "comm",
			 tct_json_text_or_null(owner->comm), "unit",
			 tct_json_text_or_null(owner->unit));
}

/* Which one it is, among "namespaces". */
static json_t *short_netns_json(const struct tct_socket_place *place)
{
	return json_pack("{s:o, s:I}", "name", tct_json_text_or_null(place->where.name), "inode",
			 (json_int_t)place->where.inode);
}

static json_t *place_json(const struct tct_socket_place *place)
{
	const struct tct_namespace *where = &place->where;
	json_t *netns = short_netns_json(place);
	uint32_t counts[TCT_STATE_LIMIT];
	int failed = json_object_set_new(netns, "initial", json_boolean(place->initial));

	failed |= json_object_set_new(netns, "pid",
				      where->pid == 0 ? json_null() : json_integer(where->pid));
	failed |= json_object_set_new(netns, "comm", tct_json_text_or_null(where->comm));
	failed |= json_object_set_new(netns, "unit", tct_json_text_or_null(where->unit));
	if (failed != 0) {
		json_decref(netns);
		return NULL;
	}
	for (unsigned i = 0; i < TCT_STATE_LIMIT; i++)
		counts[i] = (uint32_t)place->counts[i];
	return json_pack("{s:o, s:o, s:o}", "netns", netns, "states",
			 place->counted ? counts_json(counts) : json_null(), "total",
			 place->counted ? json_integer((json_int_t)place->total) : json_null());
}

static json_t *places_json(const struct tct_sockets_everywhere *everywhere)
{
	json_t *list = json_array();
	int failed = 0;

	for (size_t i = 0; i < everywhere->places_count; i++)
		failed |= append(list, place_json(&everywhere->places[i]));
	if (failed != 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *row_json(const struct tct_sockets_view *view, const struct tct_socket_row *row)
{
	char name[TCT_ROW_TEXT];
	const char *side = row->side == TCT_SIDE_ON ? "on" : row->side == TCT_SIDE_TO ? "to" : "";

	json_t *object = json_pack(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "name",
		tct_json_text(tct_socket_row_name(row, name)), "kind", kinds[row->kind], "side",
		tct_json_text_or_null(side), "port",
		row->side == TCT_SIDE_NONE ? json_null() : json_integer(row->port), "address",
		tct_json_text_or_null(row->address), "process", process_json(&row->owner), "unit",
		tct_json_text_or_null(row->owner.unit), "states", counts_json(row->states), "total",
		(json_int_t)row->total, "missing_at_most", (json_int_t)row->missing);

	if (view->everywhere == NULL || row->kind == TCT_KIND_STATE)
		return object;
	if (json_object_set_new(object, "netns",
				short_netns_json(&view->everywhere->places[row->place])) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *rows_json(const struct tct_sockets_view *view)
{
	const struct tct_socket_table *table = &view->table;
	json_t *list = json_array();
	int failed = 0;

	for (size_t i = 0; i < table->rows_count; i++)
		failed |= append(list, row_json(view, &table->rows[i]));
	if (failed != 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *not_seen_json(const struct tct_observation *observation)
{
	json_t *list = json_array();
	int failed = 0;

	for (size_t i = 0; i < observation->gaps_count; i++) {
		const struct tct_gap *gap = &observation->gaps[i];

		failed |= append(list, json_pack("{s:o, s:o}", "what", tct_json_text(gap->what),
						 "reason", tct_json_text(gap->why)));
	}
	if (failed != 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

json_t *tct_sockets_json(const struct tct_sockets_view *view)
{
	const struct tct_socket_table *table = &view->table;
	json_t *document = json_pack(
		"{s:s, s:o, s:s, s:o, s:o, s:I, s:o, s:I, s:I, s:I, s:o}", "schema",
		"tcptune.sockets.v1", "host", tct_host_json(&view->observation->host), "by",
		tct_sockets_by_name(view->query.by), "filter", filter_json(view), "states",
		tct_states_json(&table->states), "total", (json_int_t)table->total, "rows",
		rows_json(view), "truncated", (json_int_t)table->truncated, "unlisted",
		(json_int_t)table->unlisted, "shared", (json_int_t)table->shared, "not_seen",
		not_seen_json(view->observation));

	if (view->everywhere == NULL ||
	    json_object_set_new(document, "namespaces", places_json(view->everywhere)) == 0)
		return document;
	json_decref(document);
	return NULL;
}
