#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/watch.h"
#include "core/mem.h"

static const char *const sort_names[TCT_WATCH_SORTS] = {
	[TCT_WATCH_BY_FULLNESS] = "FULL",     [TCT_WATCH_BY_QUEUE] = "QUEUE",
	[TCT_WATCH_BY_DROPS] = "DROPS/s",     [TCT_WATCH_BY_ESTABLISHED] = "ESTAB",
	[TCT_WATCH_BY_SYN_RECV] = "SYN_RECV", [TCT_WATCH_BY_ADDRESS] = "LISTENER",
};

const char *tct_watch_sort_name(enum tct_watch_sort sort)
{
	return sort < TCT_WATCH_SORTS ? sort_names[sort] : "";
}

int64_t tct_watch_drops_ppm(const struct tct_observation *observation,
			    const struct tct_listener *listener)
{
	if (observation->interval_ns <= 0 || listener->drops_first < 0 ||
	    listener->drops < listener->drops_first)
		return -1;
	return (int64_t)((double)(listener->drops - listener->drops_first) * 1e15 /
			 (double)observation->interval_ns);
}

/* In millionths; the queue holds one more than its limit. -1 = not known. */
static int64_t fullness(const struct tct_listener *listener)
{
	if (listener->backlog == TCT_BACKLOG_UNKNOWN)
		return -1;
	return (int64_t)listener->queue * 1000000 / ((int64_t)listener->backlog + 1);
}

struct ranked {
	const struct tct_listener *listener;
	int64_t worth[3];
	bool reverse;
};

static void rank(struct ranked *ranked, const struct tct_observation *observation,
		 const struct tct_listener *listener, enum tct_watch_sort sort)
{
	const int64_t drops = tct_watch_drops_ppm(observation, listener);
	int64_t first = 0;

	switch (sort) {
	case TCT_WATCH_BY_FULLNESS:
		first = fullness(listener);
		break;
	case TCT_WATCH_BY_QUEUE:
		first = listener->queue;
		break;
	case TCT_WATCH_BY_DROPS:
		first = drops;
		break;
	case TCT_WATCH_BY_ESTABLISHED:
		first = listener->established;
		break;
	case TCT_WATCH_BY_SYN_RECV:
		first = listener->syn_recv;
		break;
	case TCT_WATCH_BY_ADDRESS:
	case TCT_WATCH_SORTS:
		ranked->worth[0] = -(int64_t)listener->port;
		return;
	}
	ranked->worth[0] = first;
	ranked->worth[1] = drops;
	ranked->worth[2] = listener->queue;
}

/* The order is total, so that rows don't change places for no reason. */
static int compare(const void *left, const void *right)
{
	const struct ranked *a = left;
	const struct ranked *b = right;
	int order = 0;

	for (size_t i = 0; i < TCT_COUNT(a->worth) && order == 0; i++)
		order = (a->worth[i] < b->worth[i]) - (a->worth[i] > b->worth[i]);
	if (order == 0)
		order = (a->listener->port > b->listener->port) -
			(a->listener->port < b->listener->port);
	if (order == 0)
		order = strcmp(a->listener->address, b->listener->address);
	if (order == 0)
		order = (a->listener->cookie > b->listener->cookie) -
			(a->listener->cookie < b->listener->cookie);
	return a->reverse ? -order : order;
}

const struct tct_listener **tct_watch_order(const struct tct_observation *observation,
					    enum tct_watch_sort sort, bool reverse)
{
	size_t count = observation->listeners_count;
	TCT_AUTOFREE struct ranked *ranked = calloc(count + 1, sizeof(*ranked));
	const struct tct_listener **order = calloc(count + 1, sizeof(const struct tct_listener *));

	if (ranked == NULL || order == NULL) {
		free(order);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		ranked[i].listener = &observation->listeners[i];
		ranked[i].reverse = reverse;
		rank(&ranked[i], observation, &observation->listeners[i], sort);
	}
	qsort(ranked, count, sizeof(*ranked), compare);
	for (size_t i = 0; i < count; i++)
		order[i] = ranked[i].listener;
	return order;
}

enum column {
	LISTENER,
	QUEUE,
	LIMIT,
	FULL,
	DROPS,
	ESTABLISHED,
	SYN_RECV,
	OWNER,
	COLUMNS_LIMIT,
};

static const struct {
	const char *title;
	unsigned width;
	enum tct_watch_sort sort; /* TCT_WATCH_SORTS = can't be sorted by */
} columns[COLUMNS_LIMIT] = {
	[LISTENER] = { "LISTENER", 22, TCT_WATCH_BY_ADDRESS },
	[QUEUE] = { "QUEUE", 7, TCT_WATCH_BY_QUEUE },
	[LIMIT] = { "LIMIT", 7, TCT_WATCH_SORTS },
	[FULL] = { "FULL", 5, TCT_WATCH_BY_FULLNESS },
	[DROPS] = { "DROPS/s", 8, TCT_WATCH_BY_DROPS },
	[ESTABLISHED] = { "ESTAB", 8, TCT_WATCH_BY_ESTABLISHED },
	[SYN_RECV] = { "SYN_RECV", 9, TCT_WATCH_BY_SYN_RECV },
	[OWNER] = { "OWNER", 12, TCT_WATCH_SORTS },
};

/* How wide each column is here; 0 = there is no room for it. Those that matter less go first. */
static void plan(unsigned width, unsigned widths[COLUMNS_LIMIT])
{
	enum { LONGEST_ENDPOINT = 52 };
	static const enum column order[] = { LISTENER, QUEUE, LIMIT,       DROPS,
					     FULL,     OWNER, ESTABLISHED, SYN_RECV };
	unsigned left = width;

	memset(widths, 0, COLUMNS_LIMIT * sizeof(widths[0]));
	for (size_t i = 0; i < TCT_COUNT(order); i++) {
		enum column column = order[i];

		if (columns[column].width > left)
			break;
		widths[column] = columns[column].width;
		left -= columns[column].width;
	}
	if (widths[LISTENER] == 0) {
		widths[LISTENER] = width;
		return;
	}

	unsigned more = left / 2;

	if (widths[OWNER] == 0)
		more = left;
	if (more > LONGEST_ENDPOINT - widths[LISTENER])
		more = LONGEST_ENDPOINT - widths[LISTENER];
	widths[LISTENER] += more;
	if (widths[OWNER] > 0)
		widths[OWNER] += left - more;
}

static void put_count(struct tct_frame *frame, enum tct_style style, unsigned width, int64_t count)
{
	char number[TCT_NUMBER_TEXT];

	if (width == 0)
		return;
	if (count < 0)
		(void)snprintf(number, sizeof(number), "-");
	else if (strlen(tct_text_count(count, number)) >= width) /* without the commas it may fit */
		(void)snprintf(number, sizeof(number), "%" PRId64, count);
	tct_frame_number(frame, style, width, number);
}

/* The last column: it ends at the edge. */
static void put_owner(struct tct_frame *frame, const struct tct_owner *owner)
{
	TCT_AUTO(tct_text_done) struct tct_text who = { 0 };

	if (owner->comm[0] != '\0')
		tct_text_addf(&who, "%s[%d]", owner->comm, (int)owner->pid);
	if (owner->unit[0] != '\0')
		tct_text_addf(&who, "%s%s", who.length > 0 ? " " : "", owner->unit);
	tct_frame_cell(frame, TCT_STYLE_PLAIN, 2, "");
	tct_frame_put(frame, TCT_STYLE_PLAIN, who.data != NULL ? who.data : "-");
}

static void put_listener(struct tct_frame *frame, const unsigned widths[COLUMNS_LIMIT],
			 const struct tct_observation *observation,
			 const struct tct_listener *listener)
{
	int64_t drops_ppm = tct_watch_drops_ppm(observation, listener);
	int64_t full_ppm = fullness(listener);
	bool known = listener->backlog != TCT_BACKLOG_UNKNOWN;
	bool over = known && listener->queue > listener->backlog;
	char endpoint[TCT_ENDPOINT_TEXT];
	char number[TCT_NUMBER_TEXT];

	tct_frame_cell(frame, TCT_STYLE_PLAIN, widths[LISTENER],
		       tct_listener_endpoint(listener, endpoint));
	put_count(frame, over ? TCT_STYLE_BAD : TCT_STYLE_PLAIN, widths[QUEUE], listener->queue);
	put_count(frame, TCT_STYLE_PLAIN, widths[LIMIT], known ? (int64_t)listener->backlog : -1);
	if (widths[FULL] > 0) {
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		if (full_ppm < 0)
			tct_text_add(&text, "-");
		else
			tct_text_addf(&text, "%d%%", (int)(full_ppm / 10000));
		tct_frame_number(frame, over ? TCT_STYLE_BAD : TCT_STYLE_PLAIN, widths[FULL],
				 tct_text_string(&text));
	}
	if (widths[DROPS] > 0)
		tct_frame_number(frame, drops_ppm > 0 ? TCT_STYLE_WARN : TCT_STYLE_PLAIN,
				 widths[DROPS],
				 drops_ppm < 0 ? "-" : tct_text_millionths(drops_ppm, number));
	put_count(frame, TCT_STYLE_PLAIN, widths[ESTABLISHED], listener->established);
	put_count(frame, TCT_STYLE_PLAIN, widths[SYN_RECV], listener->syn_recv);
	if (widths[OWNER] > 0)
		put_owner(frame, &listener->owner);
	tct_frame_newline(frame);
}

static void put_titles(struct tct_frame *frame, const unsigned widths[COLUMNS_LIMIT],
		       const struct tct_watch_view *view)
{
	for (enum column column = LISTENER; column < COLUMNS_LIMIT; column++) {
		bool chosen = columns[column].sort == view->sort;
		enum tct_style style = chosen ? TCT_STYLE_GOOD : TCT_STYLE_STRONG;

		if (widths[column] == 0)
			continue;
		if (column == LISTENER)
			tct_frame_cell(frame, style, widths[column], columns[column].title);
		else if (column == OWNER)
			tct_frame_putf(frame, style, "  %s", columns[column].title);
		else
			tct_frame_number(frame, style, widths[column], columns[column].title);
	}
	tct_frame_newline(frame);
}

void tct_watch_listeners(struct tct_frame *frame, const struct tct_watch_view *view, unsigned lines)
{
	const struct tct_observation *observation = view->report->observation;
	TCT_AUTOFREE const struct tct_listener **order =
		tct_watch_order(observation, view->sort, view->reverse);
	unsigned widths[COLUMNS_LIMIT];

	plan(frame->width, widths);
	put_titles(frame, widths, view);
	for (size_t i = 0; order != NULL && i < observation->listeners_count && i + 1 < lines; i++)
		put_listener(frame, widths, observation, order[i]);
}
