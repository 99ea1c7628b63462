#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/render.h"
#include "cli/render_table.h"
#include "cli/sockets_view.h"
#include "cli/suggest.h"
#include "core/mem.h"

enum {
	EVERY_STATE = (1 << TCT_STATE_LIMIT) - 2,
	GAP = 2,
	UNIT_WIDTH = 24,
};

const char *tct_sockets_by_name(enum tct_sockets_by by)
{
	static const char *const names[] = {
		[TCT_BY_STATE] = "state", [TCT_BY_PORT] = "port", [TCT_BY_PROCESS] = "process",
		[TCT_BY_UNIT] = "unit",   [TCT_BY_PEER] = "peer",
	};

	return names[by];
}

const char *tct_socket_row_side(const struct tct_socket_row *row, char out[TCT_NUMBER_TEXT])
{
	out[0] = '\0';
	if (row->side != TCT_SIDE_NONE)
		(void)snprintf(out, TCT_NUMBER_TEXT, "%s %u",
			       row->side == TCT_SIDE_ON ? "on" : "to", row->port);
	return out;
}

static const char *fixed_name(enum tct_socket_kind kind)
{
	switch (kind) {
	case TCT_KIND_NO_PEER:
		return "no peer";
	case TCT_KIND_NOT_ACCEPTED:
		return "not accepted yet";
	case TCT_KIND_TIME_WAIT:
		return "no process: TIME_WAIT";
	case TCT_KIND_CLOSED:
		return "no process: closed";
	case TCT_KIND_NO_UNIT:
		return "no unit";
	case TCT_KIND_NOT_SEEN:
		return "not seen";
	case TCT_KIND_STATE:
	case TCT_KIND_PORT:
	case TCT_KIND_PEER:
	case TCT_KIND_PROCESS:
	case TCT_KIND_UNIT:
	case TCT_KIND_LIMIT:
		break;
	}
	return "?";
}

const char *tct_socket_row_name(const struct tct_socket_row *row, char out[TCT_ROW_TEXT])
{
	char number[TCT_NUMBER_TEXT];
	const struct tct_owner *owner = &row->owner;

	switch (row->kind) {
	case TCT_KIND_STATE:
		(void)snprintf(out, TCT_ROW_TEXT, "%s", tct_state_name(row->state));
		break;
	case TCT_KIND_PORT:
		(void)snprintf(out, TCT_ROW_TEXT, "%s", tct_socket_row_side(row, number));
		break;
	case TCT_KIND_PEER:
		(void)snprintf(out, TCT_ROW_TEXT, "%s", row->address);
		break;
	case TCT_KIND_UNIT:
		(void)snprintf(out, TCT_ROW_TEXT, "%s", owner->unit);
		break;
	case TCT_KIND_PROCESS:
	case TCT_KIND_NOT_ACCEPTED:
		if (owner->pid != 0) {
			(void)snprintf(out, TCT_ROW_TEXT, "%s[%d]%s",
				       owner->comm[0] != '\0' ? owner->comm : "?", (int)owner->pid,
				       row->kind == TCT_KIND_PROCESS ? "" : ", not accepted yet");
			break;
		}
		(void)snprintf(out, TCT_ROW_TEXT, "%s", fixed_name(row->kind));
		break;
	case TCT_KIND_NO_PEER:
	case TCT_KIND_TIME_WAIT:
	case TCT_KIND_CLOSED:
	case TCT_KIND_NO_UNIT:
	case TCT_KIND_NOT_SEEN:
	case TCT_KIND_LIMIT:
		(void)snprintf(out, TCT_ROW_TEXT, "%s", fixed_name(row->kind));
		break;
	}
	return out;
}

/* A namespace that has only a pid for a name is better known by whose it is. */
static const char *place_name(const struct tct_socket_place *place, bool own,
			      char out[TCT_ROW_TEXT])
{
	const struct tct_namespace *where = &place->where;
	bool pid = where->pid != 0 && strspn(where->name, "0123456789") == strlen(where->name);

	if (own)
		(void)snprintf(out, TCT_ROW_TEXT, "(own)");
	else if (!pid)
		(void)snprintf(out, TCT_ROW_TEXT, "%.*s", TCT_ROW_TEXT - 1, where->name);
	else
		(void)snprintf(out, TCT_ROW_TEXT, "%.12s %s", where->name,
			       where->unit[0] != '\0' ? where->unit : where->comm);
	return out;
}

static const char *row_place(const struct tct_sockets_view *view, const struct tct_socket_row *row,
			     char out[TCT_ROW_TEXT])
{
	return place_name(&view->everywhere->places[row->place], row->place == 0, out);
}

/* Which columns the table has: states of their own, and the others in one. */
struct layout {
	bool netns;
	bool name;
	bool side;
	bool unit;
	bool states[TCT_STATE_LIMIT];
	bool others;
	struct tct_column columns[TCT_COLUMNS_MAX];
	size_t columns_count;
};

static size_t wider(size_t width, const char *text)
{
	size_t length = strlen(text);

	return length > width ? length : width;
}

/* How wide the state's column would be, with the gap before it. */
static size_t state_width(const struct tct_socket_table *table, enum tct_state state)
{
	size_t width = strlen(tct_state_name(state));
	char number[TCT_NUMBER_TEXT];

	for (size_t i = 0; i < table->rows_count; i++)
		width = wider(width, tct_text_count(table->rows[i].states[state], number));
	return width + GAP;
}

/* How wide the other columns are: name, side, total, the states in one, unit. */
static size_t fixed_width(const struct tct_sockets_view *view, const struct layout *layout)
{
	const struct tct_socket_table *table = &view->table;
	size_t netns = strlen("NETNS");
	size_t name = 7;
	size_t side = 4;
	size_t total = strlen("TOTAL");
	char text[TCT_ROW_TEXT];
	char number[TCT_NUMBER_TEXT];

	for (size_t i = 0; i < table->rows_count; i++) {
		if (layout->netns)
			netns = wider(netns, row_place(view, &table->rows[i], text));
		name = wider(name, tct_socket_row_name(&table->rows[i], text));
		side = wider(side, tct_socket_row_side(&table->rows[i], number));
		total = wider(total, tct_text_count(table->rows[i].total, number));
	}
	return (layout->netns ? GAP + netns : 0) + (layout->name ? GAP + name : 0) +
	       (layout->side ? GAP + side : 0) + GAP + total + GAP + total +
	       (layout->unit ? GAP + UNIT_WIDTH : 0);
}

/* The most numerous states get columns, as many as fit. */
static void choose_states(const struct tct_page *page, const struct tct_sockets_view *view,
			  struct layout *layout)
{
	size_t used = fixed_width(view, layout);
	int64_t sums[TCT_STATE_LIMIT] = { 0 };

	for (size_t i = 0; i < view->table.rows_count; i++) {
		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
			sums[state] += view->table.rows[i].states[state];
	}
	for (;;) {
		unsigned best = 0;

		for (unsigned state = 1; state < TCT_STATE_LIMIT; state++) {
			if (!layout->states[state] && sums[state] > sums[best])
				best = state;
		}
		if (sums[best] == 0)
			return;
		used += state_width(&view->table, (enum tct_state)best);
		if (used > page->width) {
			layout->others = true;
			return;
		}
		layout->states[best] = true;
		sums[best] = 0;
	}
}

static void add_column(struct layout *layout, const char *name, bool right)
{
	layout->columns[layout->columns_count++] = (struct tct_column){ name, right };
}

/* by_place: the rows are namespaces. */
static void make_layout(const struct tct_page *page, const struct tct_sockets_view *view,
			bool by_place, struct layout *layout)
{
	static const char *const names[] = {
		[TCT_BY_STATE] = "STATE", [TCT_BY_PORT] = "PORT", [TCT_BY_PROCESS] = "PROCESS",
		[TCT_BY_UNIT] = "UNIT",   [TCT_BY_PEER] = "PEER",
	};

	*layout = (struct layout){ .side = view->query.port != 0 && view->query.by != TCT_BY_PORT &&
					   view->query.by != TCT_BY_STATE };
	layout->name = !by_place;
	layout->netns = by_place || (view->everywhere != NULL && view->query.by != TCT_BY_STATE);
	for (size_t i = 0; i < view->table.rows_count && view->query.by == TCT_BY_PROCESS; i++)
		layout->unit |= view->table.rows[i].owner.unit[0] != '\0';
	if (layout->netns)
		add_column(layout, "NETNS", false);
	if (layout->name)
		add_column(layout, names[view->query.by], false);
	if (layout->side)
		add_column(layout, "PORT", false);
	add_column(layout, "TOTAL", true);
	if (view->query.by == TCT_BY_STATE && !by_place)
		return;
	choose_states(page, view, layout);
	for (unsigned state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++) {
		if (layout->states[state])
			add_column(layout, tct_state_name((enum tct_state)state), true);
	}
	if (layout->others)
		add_column(layout, "OTHER", true);
	if (layout->unit)
		add_column(layout, "UNIT", false);
}

static void add_count(struct tct_table *table, int64_t count)
{
	char number[TCT_NUMBER_TEXT];

	tct_table_cell(table, count == 0 ? TCT_STYLE_DIM : TCT_STYLE_PLAIN,
		       count == 0 ? "-" : tct_text_count(count, number));
}

static void add_row(struct tct_table *table, const struct layout *layout,
		    const struct tct_sockets_view *view, const struct tct_socket_row *row)
{
	char text[TCT_ROW_TEXT];
	char number[TCT_NUMBER_TEXT];
	int64_t others = row->total;

	tct_table_row(table);
	if (layout->netns)
		tct_table_cell(table, TCT_STYLE_PLAIN, row_place(view, row, text));
	if (layout->name)
		tct_table_cell(table, TCT_STYLE_PLAIN, tct_socket_row_name(row, text));
	if (layout->side)
		tct_table_cell(table, TCT_STYLE_PLAIN, tct_socket_row_side(row, number));
	tct_table_cell(table, row->total == 0 ? TCT_STYLE_DIM : TCT_STYLE_PLAIN,
		       tct_text_count(row->total, number));
	for (unsigned state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++) {
		if (!layout->states[state])
			continue;
		add_count(table, row->states[state]);
		others -= row->states[state];
	}
	if (layout->others)
		add_count(table, others);
	if (layout->unit)
		tct_table_cell(table, TCT_STYLE_PLAIN, row->owner.unit);
}

static void put_heading(const struct tct_page *page, const struct tct_sockets_view *view)
{
	const struct tct_states *states = &view->table.states;
	TCT_AUTO(tct_text_done) struct tct_text heading = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text added = { 0 };
	char number[TCT_NUMBER_TEXT];
	const char *join = "in";

	tct_text_addf(&heading, "TCP sockets by %s", tct_sockets_by_name(view->query.by));
	if (view->query.port != 0)
		tct_text_addf(&heading, ", port %u", view->query.port);
	tct_text_add(&added, tct_text_count(view->table.total, number));
	for (unsigned i = TCT_STATE_ESTABLISHED; i < TCT_STATE_LIMIT; i++) {
		if (view->query.states == EVERY_STATE || (view->query.states & 1U << i) == 0)
			continue;
		tct_text_addf(&added, " %s %s", join, tct_state_name((enum tct_state)i));
		join = "or";
	}
	tct_text_addf(&added, ", IPv4 and IPv6, counted %s in %s",
		      states->method == TCT_METHOD_EXACT ? "one by one" : "by the kernel",
		      tct_text_nanoseconds(states->elapsed_ns, number));
	tct_page_heading(page, tct_text_string(&heading), tct_text_string(&added));
}

static void put_table(const struct tct_page *page, const struct tct_sockets_view *view,
		      bool by_place)
{
	struct layout layout;

	make_layout(page, view, by_place, &layout);

	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, layout.columns, layout.columns_count);

	for (size_t i = 0; i < view->table.rows_count; i++)
		add_row(table, &layout, view, &view->table.rows[i]);
	tct_table_print(table);
	if (view->table.rows_count == 0)
		tct_page_line(page, 2, NULL, 0, TCT_STYLE_DIM, "none");
}

static int compare_places(const void *left, const void *right)
{
	const struct tct_socket_row *a = left;
	const struct tct_socket_row *b = right;

	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	return (a->place > b->place) - (a->place < b->place);
}

/* Those with more than listeners, as rows. NULL on ENOMEM. */
static struct tct_socket_row *list_places(const struct tct_sockets_view *view, size_t *count)
{
	const struct tct_sockets_everywhere *everywhere = view->everywhere;
	struct tct_socket_row *rows = calloc(everywhere->places_count + 1, sizeof(*rows));

	*count = 0;
	if (rows == NULL)
		return NULL;
	for (size_t i = 0; i < everywhere->places_count; i++) {
		const struct tct_socket_place *place = &everywhere->places[i];
		struct tct_socket_row *row = &rows[*count];

		if (!tct_socket_place_is_busy(&view->query, place))
			continue;
		row->place = i;
		row->total = place->total;
		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
			row->states[state] = (uint32_t)place->counts[state];
		++*count;
	}
	if (*count > 1)
		qsort(rows, *count, sizeof(*rows), compare_places);
	return rows;
}

/* Which namespaces the sockets are in. */
static void put_places(const struct tct_page *page, const struct tct_sockets_view *view)
{
	const char *nothing = view->query.states == EVERY_STATE ? "nothing but listeners" : "none";
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	struct tct_sockets_view places = *view;
	size_t top = view->query.top;
	char number[TCT_NUMBER_TEXT];
	size_t count;
	TCT_AUTOFREE struct tct_socket_row *rows = list_places(view, &count);
	size_t quiet = view->everywhere->places_count - count;

	tct_page_heading(page, "Network namespaces", NULL);
	if (rows == NULL) {
		tct_page_line(page, 2, NULL, 0, TCT_STYLE_DIM, "out of memory");
		return;
	}
	places.table.rows = rows;
	places.table.rows_count = top == 0 || top > count ? count : top;
	if (count > 0)
		put_table(page, &places, true);
	if (places.table.rows_count < count)
		tct_text_addf(&text, "%s more with fewer sockets: --top 0 lists all. ",
			      tct_text_count((int64_t)(count - places.table.rows_count), number));
	if (quiet > 0)
		tct_text_addf(&text, "%s%s network namespace%s %s %s.",
			      tct_text_count((int64_t)quiet, number), count > 0 ? " more" : "",
			      quiet == 1 ? "" : "s", quiet == 1 ? "has" : "have", nothing);
	if (text.length > 0)
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_DIM, text.data);
}

/* What must be known to read the table. */
static void put_notes(const struct tct_page *page, const struct tct_sockets_view *view)
{
	const struct tct_socket_table *table = &view->table;
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char number[TCT_NUMBER_TEXT];
	int64_t missing = 0;

	for (size_t i = 0; i < table->rows_count; i++)
		missing = table->rows[i].missing > missing ? table->rows[i].missing : missing;
	if (table->truncated > 0)
		tct_text_addf(&text, "%s more with fewer sockets: --top 0 lists all. ",
			      tct_text_count((int64_t)table->truncated, number));
	if (view->query.by == TCT_BY_PORT && table->total > 0)
		tct_text_add(&text, "\"on\" is a service of this host, \"to\" are connections "
				    "opened from here. ");
	if (table->shared > 0)
		tct_text_addf(&text, "%s counted more than once: several processes share them. ",
			      tct_text_count(table->shared, number));
	if (table->unlisted > 0)
		tct_text_addf(&text, "%s sockets are in too many small groups to list. ",
			      tct_text_count(table->unlisted, number));
	if (missing > 0)
		tct_text_addf(&text, "A total is at most %s too low. ",
			      tct_text_count(missing, number));
	if (text.length > 0)
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_DIM, text.data);
}

static void put_gaps(const struct tct_page *page, const struct tct_observation *observation)
{
	if (observation->gaps_count > 0)
		tct_page_heading(page, "Not seen", NULL);
	for (size_t i = 0; i < observation->gaps_count; i++) {
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		tct_text_addf(&text, "%s: %s", observation->gaps[i].what, observation->gaps[i].why);
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN, tct_text_string(&text));
	}
}

/* The state that is worth a word: one that piles up when something is wrong. */
static enum tct_state telling_state(const struct tct_sockets_view *view)
{
	static const enum tct_state worst_first[] = {
		TCT_STATE_CLOSE_WAIT, TCT_STATE_LAST_ACK,  TCT_STATE_SYN_SENT,  TCT_STATE_SYN_RECV,
		TCT_STATE_FIN_WAIT1,  TCT_STATE_TIME_WAIT, TCT_STATE_FIN_WAIT2, TCT_STATE_CLOSING,
	};

	for (size_t i = 0; i < TCT_COUNT(worst_first); i++) {
		if (view->table.states.counts[worst_first[i]] > 0)
			return worst_first[i];
	}
	return TCT_STATE_ESTABLISHED;
}

/* The command to type next. */
static void put_next(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_sockets_view *view)
{
	const struct tct_socket_table *table = &view->table;
	enum tct_state state = telling_state(view);
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (options->snapshot != NULL)
		tct_text_add(&text, "tcptune audit");
	else if (view->query.by == TCT_BY_PORT && table->rows_count > 0 && view->query.port == 0)
		tct_text_addf(&text, "tcptune sockets --port %u", table->rows[0].port);
	else if (view->query.by == TCT_BY_STATE && view->query.port == 0 &&
		 state == TCT_STATE_CLOSE_WAIT)
		tct_text_add(&text, "tcptune sockets --by process --state CLOSE_WAIT");
	else if (view->query.by == TCT_BY_STATE && view->query.port == 0)
		tct_text_add(&text, "tcptune sockets --by port");
	else if (state != TCT_STATE_ESTABLISHED)
		tct_text_addf(&text, "tcptune explain %s", tct_state_name(state));
	else if (view->query.port != 0 && view->query.by != TCT_BY_PEER && table->total > 0)
		tct_text_addf(&text, "tcptune sockets --by peer --port %u", view->query.port);
	else
		tct_text_add(&text, view->query.by == TCT_BY_PORT ? "tcptune sockets"
								  : "tcptune sockets --by port");
	if (options->all_netns && text.data != NULL && strstr(text.data, " sockets") != NULL)
		tct_text_add(&text, " --all-netns");
	tct_suggest_place(&text, options);
	tct_page_newline(page);
	tct_page_line(page, 0, "next:", 6, TCT_STYLE_STRONG, tct_text_string(&text));
}

void tct_render_sockets(const struct tct_page *page, const struct tct_options *options,
			const struct tct_sockets_view *view)
{
	bool plain = view->query.by == TCT_BY_STATE && view->query.port == 0 &&
		     view->query.states == EVERY_STATE && view->table.truncated == 0;

	if (plain) {
		tct_render_states(page, &view->table.states);
	} else {
		put_heading(page, view);
		put_table(page, view, false);
		put_notes(page, view);
	}
	if (view->everywhere != NULL && view->query.by == TCT_BY_STATE)
		put_places(page, view);
	put_gaps(page, view->observation);
	put_next(page, options, view);
}
