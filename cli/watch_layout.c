#include "cli/watch_layout.h"

enum {
	STATES = TCT_STATE_LIMIT - TCT_STATE_ESTABLISHED,
	BETWEEN = 2, /* columns between states and rates */
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* All eleven, or those that are or were there. */
static void choose_states(struct tct_watch_layout *layout, const struct tct_watch_history *history,
			  unsigned room)
{
	bool all = room >= STATES;

	for (enum tct_state state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++) {
		if (layout->states_count >= room)
			break;
		if (all || state == TCT_STATE_ESTABLISHED ||
		    tct_watch_moved(history, history->states[state]))
			layout->states[layout->states_count++] = state;
	}
}

static void choose_rates(struct tct_watch_layout *layout, const struct tct_watch_history *history,
			 unsigned room)
{
	for (unsigned i = 0; i < TCT_WATCH_RATES; i++) {
		bool moved = tct_watch_moved(history, history->rates_ppm[i]);
		enum tct_watch_rank rank = tct_watch_rates[i].rank;

		if (rank != TCT_WATCH_BASE && !moved)
			continue;
		if (layout->rates_count < room)
			layout->rates[layout->rates_count++] = i;
		else if (rank == TCT_WATCH_TROUBLE)
			layout->rates_hidden++;
	}
}

static unsigned present(const struct tct_watch_history *history)
{
	unsigned count = 0;

	for (size_t i = 0; i < history->findings_count; i++)
		count += history->findings[i].present ? 1 : 0;
	return count;
}

/* Listeners and findings share the lines that are left: half for each, and more where the other
 * needs less. */
static void share(struct tct_watch_layout *layout, const struct tct_watch_view *view, unsigned room)
{
	enum { MOST = 1000, ROOMY = 14 };
	size_t listeners = view->report->observation->listeners_count;
	size_t findings = view->history->findings_count;
	unsigned for_listeners = 1 + (listeners < MOST ? (unsigned)listeners : MOST);
	unsigned for_findings = 1 + (findings < MOST ? (unsigned)findings : MOST);

	layout->blanks = room >= for_listeners + for_findings + 2 || room >= ROOMY;
	if (layout->blanks)
		room -= 2;
	if (for_listeners + for_findings <= room || for_findings <= room / 2)
		layout->findings = least(for_findings, room);
	else if (for_listeners <= room / 2)
		layout->findings = room - for_listeners;
	else
		layout->findings = room - room / 2;
	layout->listeners = least(for_listeners, room - layout->findings);
	layout->remedies = layout->findings == for_findings && layout->listeners == for_listeners &&
			   room - layout->findings - layout->listeners >= present(view->history);
	if (layout->listeners == 1 && listeners > 0) { /* a heading alone says nothing */
		layout->findings = least(for_findings, layout->findings + 1);
		layout->listeners = 0;
	}
}

void tct_watch_layout_make(struct tct_watch_layout *layout, const struct tct_watch_view *view,
			   unsigned width, unsigned height)
{
	enum { EDGES = 3, LEAST_LISTS = 6, LEAST_STATES = 3 };
	const struct tct_observation *observation = view->report->observation;
	unsigned edges = EDGES; /* the host, the titles, the keys */

	*layout = (struct tct_watch_layout){ .side_by_side = width >= TCT_WATCH_SIDE_BY_SIDE };
	layout->gap = height > edges && observation->gaps_count > 0 &&
		      (observation->states.method == TCT_METHOD_NONE ||
		       observation->listeners_presence != TCT_PRESENT);
	if (layout->gap)
		edges++;

	unsigned body = height > edges ? height - edges : 0;

	choose_states(layout, view->history,
		      body > LEAST_LISTS + LEAST_STATES ? body - LEAST_LISTS
							: least(body, LEAST_STATES));
	body -= layout->states_count;
	layout->left = width;
	if (layout->side_by_side) {
		layout->left = (width - BETWEEN) * 53 / 100;
		layout->right = layout->left + BETWEEN;
		choose_rates(layout, view->history, layout->states_count);
	} else if (body > 2 * LEAST_LISTS) {
		choose_rates(layout, view->history, least(body - 2 * LEAST_LISTS, STATES));
		body -= layout->rates_count + 1;
	}
	share(layout, view, body);
}
