#include "audit/observe/socket_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/observe/addresses.h"
#include "audit/observe/proc_net_tcp.h"
#include "audit/observe/socket_table_private.h"
#include "audit/observe/sosreport.h"
#include "audit/observe/state_counts.h"
#include "core/clock.h"
#include "core/mem.h"

enum {
	LISTENING = 1 << TCT_STATE_LISTEN,
	EVERY_STATE = (1 << TCT_STATE_LIMIT) - 2,
	UNCOUNTED = 1 << TCT_STATE_SYN_RECV | 1 << TCT_STATE_CLOSE, /* with thrift */
	MANY_SOCKETS = 50000,
};

static void done_walk(struct tct_socket_walk *walk)
{
	tct_listening_done(&walk->listening);
	tct_tally_done(&walk->tally);
	tct_inodes_done(&walk->inodes);
	tct_cgroups_free(walk->cgroups);
	free(walk->units);
	free(walk->waiting);
}

static bool by_owner(const struct tct_socket_walk *walk)
{
	return walk->query->by == TCT_BY_PROCESS || walk->query->by == TCT_BY_UNIT;
}

static void restart_listening(void *context)
{
	struct tct_socket_walk *walk = context;

	walk->listening.items_count = 0;
}

static int visit_listening(void *context, const struct tct_tcp_socket *socket)
{
	struct tct_socket_walk *walk = context;

	/* /proc/net/tcp tells all states. */
	return socket->state == TCT_STATE_LISTEN ? tct_listening_add(&walk->listening, socket) : 0;
}

static void restart_count(void *context)
{
	struct tct_socket_walk *walk = context;

	memset(walk->counts, 0, sizeof(walk->counts));
	walk->strange = 0;
	walk->not_sought = 0;
	walk->hints_count = 0;
	tct_tally_clear(&walk->tally);
	tct_inodes_clear(&walk->inodes);
}

enum tct_socket_side tct_socket_walk_side(const struct tct_socket_walk *walk,
					  const struct tct_tcp_socket *socket)
{
	if (walk->query->port == 0)
		return TCT_SIDE_NONE;
	return socket->local_port == walk->query->port ? TCT_SIDE_ON : TCT_SIDE_TO;
}

static void take_by_port(struct tct_socket_walk *walk, const struct tct_tcp_socket *socket)
{
	bool outgoing = tct_connection_is_outgoing(&walk->listening, &walk->ephemeral, socket);
	const struct tct_tally_key key = {
		.kind = TCT_KIND_PORT,
		.side = outgoing ? TCT_SIDE_TO : TCT_SIDE_ON,
		.port = outgoing ? socket->peer_port : socket->local_port,
	};

	tct_tally_add(&walk->tally, &key, socket->state, 1);
}

/* An IPv4 address is one, mapped into IPv6 or not. */
static void take_by_peer(struct tct_socket_walk *walk, const struct tct_tcp_socket *socket)
{
	struct tct_tally_key key = {
		.kind = TCT_KIND_PEER,
		.side = (uint8_t)tct_socket_walk_side(walk, socket),
		.family = socket->family,
	};

	if (socket->peer_port == 0) {
		key.kind = TCT_KIND_NO_PEER;
		key.family = 0;
	} else if (tct_address_is_mapped(socket->family, socket->peer)) {
		key.family = AF_INET;
		key.id[0] = socket->peer[3];
	} else {
		memcpy(key.id, socket->peer, sizeof(key.id));
	}
	tct_tally_add(&walk->tally, &key, socket->state, 1);
}

static int visit_count(void *context, const struct tct_tcp_socket *socket)
{
	struct tct_socket_walk *walk = context;
	const struct tct_socket_query *query = walk->query;

	if (socket->state == 0 || socket->state >= TCT_STATE_LIMIT) {
		walk->strange++;
		return 0;
	}
	if ((query->states & 1U << socket->state) == 0 ||
	    (query->port != 0 && socket->local_port != query->port &&
	     socket->peer_port != query->port))
		return 0;
	walk->counts[socket->state]++;
	switch (query->by) {
	case TCT_BY_STATE:
		return 0;
	case TCT_BY_PORT:
		take_by_port(walk, socket);
		return 0;
	case TCT_BY_PEER:
		take_by_peer(walk, socket);
		return 0;
	case TCT_BY_PROCESS:
	case TCT_BY_UNIT:
		return tct_socket_owners_take(walk, socket);
	}
	return 0;
}

/*
 * Tell the visitor the sockets, from inet_diag or else from /proc; of a sosreport from the outputs
 * of ss or netstat. 0 or -errno.
 */
static int dump(struct tct_socket_walk *walk, const struct tct_diag_query *query,
		const struct tct_tcp_visitor *visitor)
{
	int result;

	if (walk->diag.way != TCT_DIAG_REFUSED) {
		result = tct_diag_dump(&walk->diag, query, visitor);
		if (result >= 0 || result == -ENOMEM)
			return result < 0 ? result : 0;
		walk->diag.way = TCT_DIAG_REFUSED;
		walk->refusal = result;
	}
	if (tct_sos_is(walk->query->root)) {
		result = tct_sos_sockets_read(walk->query->root, visitor, &walk->malformed);
		if (result >= 0 || result == -ENOMEM)
			return result < 0 ? result : 0;
	}
	walk->from_proc = true;
	return tct_proc_net_tcp_read(walk->query->root, visitor, &walk->malformed);
}

/*
 * Sockets that are bound and do nothing cost a walk past all others, of other namespaces too; so
 * beside very many they are counted only for who asks for them.
 */
static bool is_worth_bound(const struct tct_socket_walk *walk)
{
	const struct tct_socket_query *query = walk->query;
	struct tct_kernel_counts counts;

	if (query->exact || query->states != EVERY_STATE)
		return true;
	return tct_kernel_counts_read(query->root, &counts) < 0 || counts.allocated <= MANY_SOCKETS;
}

/*
 * Listeners, by the kernel's own counts, and nothing else that is worth a walk past the sockets of
 * all namespaces? Before the listeners are listed: nothing at all?
 */
static bool has_only_listeners(const struct tct_socket_walk *walk, bool listed)
{
	struct tct_kernel_counts counts;

	return walk->query->thrifty && walk->diag.way != TCT_DIAG_REFUSED &&
	       tct_kernel_counts_read(walk->query->root, &counts) == 0 && counts.time_wait == 0 &&
	       counts.inuse == (listed ? (int64_t)walk->listening.items_count : 0);
}

static int walk_sockets(struct tct_socket_walk *walk)
{
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };
	const struct tct_tcp_visitor listening = { restart_listening, visit_listening, walk };
	const struct tct_tcp_visitor count = { restart_count, visit_count, walk };
	const struct tct_diag_query listeners = { .states = LISTENING };
	struct tct_diag_query query = { .states = walk->query->states };
	int result = 0;

	walk->skipped = has_only_listeners(walk, false);
	if (walk->skipped)
		return 0;
	if (walk->query->by == TCT_BY_PORT || by_owner(walk) || walk->query->thrifty)
		result = dump(walk, &listeners, &listening);
	if (result < 0)
		return result;
	tct_listening_sort(&walk->listening);
	walk->skipped = has_only_listeners(walk, true);
	if (walk->skipped)
		query.states &= LISTENING;
	if (query.states == 0)
		return 0;
	walk->bound_uncounted = !walk->skipped && !is_worth_bound(walk);
	if ((query.states & 1U << TCT_STATE_CLOSE) != 0 && !walk->bound_uncounted)
		query.states |= TCT_STATES_BOUND;
	if (walk->query->port != 0) {
		result = tct_diag_filter_port(&filter, walk->query->port);
		query.filter = &filter;
	}
	return result < 0 ? result : dump(walk, &query, &count);
}

static int note_nothing(const struct tct_socket_walk *walk, int error)
{
	const char *what = "sockets";

	if (!walk->query->root->live && error == -ENOENT)
		return tct_observation_gap(
			walk->observation, what,
			"a directory tree has no sockets (no proc/net/tcp in it)");
	if (walk->refusal < 0)
		return tct_observation_gap(walk->observation, what,
					   "inet_diag: %s; /proc/net/tcp: %s",
					   strerror(-walk->refusal), strerror(-error));
	return tct_observation_gap(walk->observation, what, "proc/net/tcp: %s", strerror(-error));
}

static int note_bound(const struct tct_socket_walk *walk)
{
	const char *what = "sockets that are bound and do nothing (CLOSE)";

	if (walk->from_proc && walk->refusal < 0)
		return tct_observation_gap(walk->observation, what,
					   "not told by /proc/net/tcp (inet_diag: %s)",
					   strerror(-walk->refusal));
	if (walk->from_proc)
		return tct_observation_gap(walk->observation, what, "not told by proc/net/tcp");
	if (walk->bound_uncounted)
		return tct_observation_gap(walk->observation, what,
					   "not counted beside so many others; --exact does");
	return 0;
}

/* 0 or -ENOMEM. */
static int note_doubts(const struct tct_socket_walk *walk)
{
	struct tct_observation *observation = walk->observation;
	int result = 0;

	if (walk->skipped && (walk->query->states & UNCOUNTED) != 0)
		result = tct_observation_gap(observation, "half-open and bound sockets",
					     "not counted where the kernel has only listeners");
	else if (!walk->skipped && (walk->query->states & 1U << TCT_STATE_CLOSE) != 0)
		result = note_bound(walk);
	if (result == 0 && walk->malformed > 0)
		result = tct_observation_gap(
			observation, "some sockets", "%llu lines of %s can't be read",
			(unsigned long long)walk->malformed,
			walk->from_proc ? "proc/net/tcp and tcp6" : "what ss or netstat said");
	if (result == 0 && walk->strange > 0)
		result = tct_observation_gap(observation, "some sockets",
					     "%lld are in a state that this program doesn't know",
					     (long long)walk->strange);
	if (result == 0 && walk->diag.interrupted)
		result = tct_observation_gap(observation, "exact counts of sockets",
					     "sockets changed while the kernel listed them");
	return result;
}

/* Most sockets first; equals in an order that stays. */
static int compare_groups(const void *left, const void *right)
{
	const struct tct_tally_group *a = left;
	const struct tct_tally_group *b = right;

	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	if (a->key.kind != b->key.kind)
		return a->key.kind < b->key.kind ? -1 : 1;
	if (a->key.side != b->key.side)
		return a->key.side < b->key.side ? -1 : 1;
	if (a->key.port != b->key.port)
		return a->key.port < b->key.port ? -1 : 1;
	if (a->key.family != b->key.family)
		return a->key.family < b->key.family ? -1 : 1;
	return memcmp(a->key.id, b->key.id, sizeof(a->key.id));
}

static void make_row(const struct tct_socket_walk *walk, const struct tct_tally_group *group,
		     struct tct_socket_row *row)
{
	const struct tct_tally_key *key = &group->key;
	uint64_t missing = by_owner(walk) ? walk->tally.kinds.lost : group->missing;

	*row = (struct tct_socket_row){
		.kind = (enum tct_socket_kind)key->kind,
		.side = (enum tct_socket_side)key->side,
		.port = (uint16_t)key->port,
		.owner = { .uid = -1 },
		.total = group->total,
		.missing = (int64_t)(missing < walk->tally.kinds.lost ? missing
								      : walk->tally.kinds.lost),
	};
	memcpy(row->states, group->states, sizeof(row->states));
	if (row->side != TCT_SIDE_NONE && row->kind != TCT_KIND_PORT)
		row->port = walk->query->port;
	if (row->kind == TCT_KIND_PEER &&
	    inet_ntop(key->family, key->id, row->address, sizeof(row->address)) == NULL)
		row->address[0] = '\0';
	if (by_owner(walk))
		tct_socket_owners_name(walk, key, row);
}

static int make_rows(struct tct_socket_walk *walk, struct tct_socket_table *table)
{
	struct tct_tally *tally = &walk->tally;
	size_t top = walk->query->top;

	if (tct_tally_count(tally) > 1)
		qsort(tct_tally_groups(tally), tct_tally_count(tally),
		      sizeof(struct tct_tally_group), compare_groups);
	table->rows_count = top == 0 || top > tct_tally_count(tally) ? tct_tally_count(tally) : top;
	table->truncated = tct_tally_count(tally) - table->rows_count;
	table->unlisted = (int64_t)tally->kinds.lost;
	if (table->rows_count == 0)
		return 0;
	table->rows = calloc(table->rows_count, sizeof(*table->rows));
	if (table->rows == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < table->rows_count; i++)
		make_row(walk, &tct_tally_groups(tally)[i], &table->rows[i]);
	return 0;
}

static int prepare(struct tct_socket_walk *walk)
{
	const struct tct_socket_query *query = walk->query;

	if (!query->root->live || (query->without & TCT_WITHOUT_INET_DIAG) != 0)
		walk->diag.way = TCT_DIAG_REFUSED;
	else if ((query->without & TCT_WITHOUT_BOTH_FAMILIES) != 0)
		walk->diag.way = TCT_DIAG_BY_FAMILY;
	tct_ephemeral_read(&walk->ephemeral, query->root);
	if (query->by == TCT_BY_STATE)
		return 0;
	if (by_owner(walk)) {
		walk->cgroups = tct_cgroups_new(query->root);
		if (walk->cgroups == NULL)
			return -ENOMEM;
	}
	return tct_tally_init(&walk->tally, TCT_TALLY_GROUPS);
}

static int compare_rows(const void *left, const void *right)
{
	const struct tct_socket_row *a = left;
	const struct tct_socket_row *b = right;

	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	return (a->state > b->state) - (a->state < b->state);
}

/* Rows by state: all that were asked for, those without a socket too. 0 or -ENOMEM. */
static int make_state_rows(const struct tct_socket_query *query, struct tct_socket_table *table)
{
	size_t count = 0;

	table->rows = calloc(TCT_STATE_LIMIT, sizeof(*table->rows));
	if (table->rows == NULL)
		return -ENOMEM;
	for (unsigned state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++) {
		struct tct_socket_row *row = &table->rows[count];

		if ((query->states & 1U << state) == 0)
			continue;
		*row = (struct tct_socket_row){
			.kind = TCT_KIND_STATE,
			.state = (enum tct_state)state,
			.owner = { .uid = -1 },
			.total = table->states.counts[state],
		};
		row->states[state] = (uint32_t)row->total;
		count++;
	}
	qsort(table->rows, count, sizeof(*table->rows), compare_rows);
	table->rows_count = query->top == 0 || query->top > count ? count : query->top;
	table->truncated = count - table->rows_count;
	return 0;
}

/* What was counted, of the states that were asked for. 0 or -ENOMEM. */
static int take_states(const struct tct_socket_query *query, const struct tct_states *states,
		       struct tct_socket_table *table)
{
	table->states = *states;
	table->total = 0;
	for (unsigned state = 0; state < TCT_STATE_LIMIT; state++) {
		if ((query->states & 1U << state) == 0)
			table->states.counts[state] = 0;
		table->total += table->states.counts[state];
	}
	return query->by == TCT_BY_STATE ? make_state_rows(query, table) : 0;
}

static int fill_table(struct tct_socket_walk *walk, struct tct_socket_table *table)
{
	int64_t started = tct_now_ns();
	int result = walk_sockets(walk);

	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return note_nothing(walk, result);
	struct tct_states states = {
		.method = TCT_METHOD_EXACT,
		.elapsed_ns = tct_now_ns() - started,
	};

	memcpy(states.counts, walk->counts, sizeof(walk->counts));
	result = take_states(walk->query, &states, table);
	if (result == 0)
		result = note_doubts(walk);
	if (result == 0 && by_owner(walk))
		result = tct_socket_owners_find(walk, table);
	if (result == 0 && by_owner(walk))
		result = tct_socket_owners_gather(walk);
	if (result == 0 && walk->query->by != TCT_BY_STATE)
		result = make_rows(walk, table);
	return result;
}

/* The query with every state where none is named. */
static struct tct_socket_query complete(const struct tct_socket_query *query)
{
	struct tct_socket_query whole = *query;

	if (whole.states == 0)
		whole.states = EVERY_STATE;
	return whole;
}

int tct_socket_table_look(const struct tct_socket_query *query, struct tct_observation *observation,
			  struct tct_socket_table *table)
{
	const struct tct_socket_query whole = complete(query);
	TCT_AUTO(done_walk)
	struct tct_socket_walk walk = { .query = &whole, .observation = observation };
	TCT_AUTO(tct_socket_table_done) struct tct_socket_table made = { 0 };
	int result = prepare(&walk);

	if (result == 0)
		result = fill_table(&walk, &made);
	if (result < 0)
		return result;
	*table = made;
	made.rows = NULL;
	return 0;
}

int tct_socket_table_of_states(const struct tct_socket_query *query,
			       const struct tct_states *states, struct tct_socket_table *table)
{
	const struct tct_socket_query whole = complete(query);

	*table = (struct tct_socket_table){ 0 };
	return take_states(&whole, states, table);
}

void tct_socket_table_done(struct tct_socket_table *table)
{
	free(table->rows);
	table->rows = NULL;
	table->rows_count = 0;
}
