#include "audit/observe/sockets_everywhere.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"

enum {
	EVERY_STATE = (1 << TCT_STATE_LIMIT) - 2,
	ROWS_MAX = 16384, /* some 6 MB, however many namespaces with however many groups there are
			   */
};

bool tct_socket_place_is_busy(const struct tct_socket_query *query,
			      const struct tct_socket_place *place)
{
	int64_t listeners = place->counts[TCT_STATE_LISTEN];

	if (query->states != EVERY_STATE && query->states != 0)
		listeners = 0;
	return place->total > listeners;
}

/* Most sockets first; equals by namespace, then as they stood there. */
static int compare_rows(const void *left, const void *right)
{
	const struct tct_socket_row *a = left;
	const struct tct_socket_row *b = right;

	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->side != b->side)
		return a->side < b->side ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->owner.pid != b->owner.pid)
		return a->owner.pid < b->owner.pid ? -1 : 1;
	if (strcmp(a->address, b->address) != 0)
		return strcmp(a->address, b->address);
	return strcmp(a->owner.unit, b->owner.unit);
}

/* Keep the largest `most`. */
static void cut(struct tct_socket_table *table, size_t most, bool asked_for)
{
	if (table->rows_count > 1)
		qsort(table->rows, table->rows_count, sizeof(*table->rows), compare_rows);
	while (table->rows_count > most) {
		const struct tct_socket_row *row = &table->rows[--table->rows_count];

		if (asked_for)
			table->truncated++;
		else
			table->unlisted += row->total;
	}
}

static int add_rows(struct tct_sockets_everywhere *everywhere, const struct tct_socket_query *query,
		    const struct tct_socket_table *from)
{
	struct tct_socket_table *table = &everywhere->table;
	bool bounded = query->top != 0 && query->top < ROWS_MAX;
	size_t most = bounded ? query->top : ROWS_MAX;

	table->truncated += from->truncated;
	table->unlisted += from->unlisted;
	table->shared += from->shared;
	for (size_t i = 0; i < from->rows_count; i++) {
		struct tct_socket_row *row;

		/* the sort is worth it once in a while */
		if (table->rows_count >= 2 * most)
			cut(table, most, bounded);
		if (tct_grow(&table->rows, &everywhere->rows_capacity, table->rows_count,
			     sizeof(*table->rows)) < 0)
			return -ENOMEM;
		row = &table->rows[table->rows_count++];
		*row = from->rows[i];
		row->place = everywhere->places_count - 1;
	}
	return 0;
}

static void add_states(struct tct_states *sum, const struct tct_states *states)
{
	if (states->method == TCT_METHOD_NONE)
		return;
	for (unsigned i = 0; i < TCT_STATE_LIMIT; i++)
		sum->counts[i] += states->counts[i];
	sum->elapsed_ns += states->elapsed_ns;
	if (sum->method == TCT_METHOD_NONE || states->method == TCT_METHOD_DERIVED)
		sum->method = states->method;
	if (sum->why_exact[0] == '\0')
		memcpy(sum->why_exact, states->why_exact, sizeof(sum->why_exact));
}

int tct_sockets_everywhere_add(struct tct_sockets_everywhere *everywhere,
			       const struct tct_socket_query *query,
			       const struct tct_namespace *where,
			       const struct tct_observation *observation,
			       const struct tct_socket_table *table)
{
	struct tct_socket_place *place = TCT_APPEND(everywhere, places);
	int result = 0;

	if (place == NULL)
		return -ENOMEM;
	*place = (struct tct_socket_place){
		.where = *where,
		.initial = observation->host.netns.initial,
		.counted = table->states.method != TCT_METHOD_NONE,
		.total = table->total,
	};
	place->where.fd = -1;
	memcpy(place->counts, table->states.counts, sizeof(place->counts));
	everywhere->table.total += table->total;
	add_states(&everywhere->table.states, &table->states);
	if (query->by != TCT_BY_STATE)
		result = add_rows(everywhere, query, table);
	if (result == 0 && everywhere->places_count > 1)
		result = tct_shared_gaps_add(&everywhere->gaps, where->name, observation);
	return result;
}

int tct_sockets_everywhere_settle(struct tct_sockets_everywhere *everywhere,
				  const struct tct_socket_query *query, struct tct_observation *own)
{
	struct tct_socket_table *table = &everywhere->table;
	int result = 0;

	/* some were walked, most were not */
	if (table->states.method != TCT_METHOD_EXACT)
		table->states.why_exact[0] = '\0';
	if (query->by == TCT_BY_STATE) {
		const struct tct_states sum = table->states;

		tct_socket_table_done(table);
		result = tct_socket_table_of_states(query, &sum, table);
	} else if (query->top != 0 && query->top < ROWS_MAX) {
		cut(table, query->top, true);
	} else {
		cut(table, ROWS_MAX, false);
	}
	return result < 0 ? result : tct_shared_gaps_tell(&everywhere->gaps, own);
}

void tct_sockets_everywhere_done(struct tct_sockets_everywhere *everywhere)
{
	tct_socket_table_done(&everywhere->table);
	free(everywhere->places);
	tct_shared_gaps_done(&everywhere->gaps);
	*everywhere = (struct tct_sockets_everywhere){ .places = NULL };
}

/* ---- the tour ---- */

struct walk {
	const struct tct_namespaces *namespaces;
	const struct tct_socket_query *query;
	tct_place_look *look;
	void *context;
	const struct tct_host *host;
	struct tct_sockets_everywhere *everywhere;
};

static void drop_observation(struct tct_observation *const *observation)
{
	tct_observation_free(*observation);
}

static int look_here(const struct walk *walk, size_t index, struct tct_observation *observation,
		     struct tct_err *err)
{
	TCT_AUTO(tct_socket_table_done) struct tct_socket_table table = { .rows = NULL };
	int code = walk->look(walk->context, observation, &table, err);

	if (code == 0 &&
	    tct_sockets_everywhere_add(walk->everywhere, walk->query,
				       &walk->namespaces->items[index], observation, &table) < 0)
		code = tct_err_nomem(err);
	return code;
}

/* Go into one of the others. 0, also if it can't be entered; or -errno. */
static int look_there(const struct walk *walk, size_t index, struct tct_tour *tour,
		      struct tct_err *err)
{
	TCT_AUTO(drop_observation) struct tct_observation *observation = tct_observation_new();
	int code;

	if (observation == NULL)
		return tct_err_nomem(err);
	observation->host = *walk->host;
	code = tct_namespaces_enter(walk->namespaces, index, &observation->host.netns, NULL);
	if (code == -ENOMEM)
		return tct_err_nomem(err);
	if (code == -ENOENT) {
		tour->gone++;
		return 0;
	}
	if (code < 0) {
		if (tour->refused++ == 0)
			tour->refusal = -code;
		return 0;
	}
	tour->seen++;
	tour->initial |= observation->host.netns.initial;
	return look_here(walk, index, observation, err);
}

int tct_sockets_everywhere_look(const struct tct_namespaces *namespaces,
				const struct tct_socket_query *query, tct_place_look *look,
				void *context, struct tct_observation *own,
				struct tct_sockets_everywhere *everywhere, struct tct_tour *tour,
				struct tct_err *err)
{
	const struct walk walk = { namespaces, query, look, context, &own->host, everywhere };
	size_t others = namespaces->items_count - 1;
	int way_back = tct_namespaces_return(namespaces);
	int code = look_here(&walk, 0, own, err);
	int home;

	*tour = (struct tct_tour){ .initial = own->host.netns.initial };
	if (way_back < 0) {
		tour->refused = others;
		tour->refusal = -way_back;
		others = 0;
	}
	for (size_t i = 1; i <= others && code == 0; i++)
		code = look_there(&walk, i, tour, err);
	home = others > 0 ? tct_namespaces_return(namespaces) : 0;
	if (code == 0 && home < 0)
		code = tct_err_set(err, TCT_FAULT_REFUSED, -home,
				   "there is no way back into our own network namespace: %s",
				   strerror(-home));
	if (code == 0 && tct_sockets_everywhere_settle(everywhere, query, own) < 0)
		code = tct_err_nomem(err);
	return code;
}
