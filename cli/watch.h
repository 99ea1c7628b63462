/* What `watch` shows, made from what was observed and judged: a screen, or lines. Nothing here
 * looks at the system. */
#ifndef TCT_CLI_WATCH_H
#define TCT_CLI_WATCH_H

#include "cli/frame.h"
#include "cli/page.h"
#include "cli/watch_history.h"

/* By what the listeners are sorted; one for each column that can be. */
enum tct_watch_sort {
	TCT_WATCH_BY_FULLNESS, /* queue against its limit */
	TCT_WATCH_BY_QUEUE,
	TCT_WATCH_BY_DROPS,
	TCT_WATCH_BY_ESTABLISHED,
	TCT_WATCH_BY_SYN_RECV,
	TCT_WATCH_BY_ADDRESS,
	TCT_WATCH_SORTS,
};

/* The column's title. */
const char *tct_watch_sort_name(enum tct_watch_sort sort);

/* Everything that a screen or a line says. */
struct tct_watch_view {
	const struct tct_report *report; /* of the newest interval; borrowed, as all here */
	const struct tct_watch_history *history;
	int64_t now_ns;      /* CLOCK_MONOTONIC of the last look */
	int64_t taken_at_ns; /* CLOCK_REALTIME of it */
	int64_t interval_ns; /* asked for */
	int64_t pace_ns;     /* the one kept: longer where looking takes long */
	enum tct_watch_sort sort;
	bool reverse;
	bool paused;
	bool help; /* the keys, instead of everything else */
};

/* The whole screen, as wide and high as the frame. */
void tct_watch_screen(struct tct_frame *frame, const struct tct_watch_view *view);

/* The listeners on at most `lines` lines, the worst first, with a heading. */
void tct_watch_listeners(struct tct_frame *frame, const struct tct_watch_view *view,
			 unsigned lines);

/* Drops of a listener's own a second, in millionths; -1 = not known. */
int64_t tct_watch_drops_ppm(const struct tct_observation *observation,
			    const struct tct_listener *listener);

/*
 * Listeners in the order asked for: owned by the caller, observation->listeners_count of them; NULL
 * on ENOMEM.
 */
const struct tct_listener **tct_watch_order(const struct tct_observation *observation,
					    enum tct_watch_sort sort, bool reverse);

/* Lines: names of the columns, an interval, and the findings that came and went with it. */
void tct_watch_line_names(const struct tct_page *page);
void tct_watch_line(const struct tct_page *page, const struct tct_watch_view *view);
void tct_watch_line_findings(const struct tct_page *page, const struct tct_watch_view *view);

/* An interval as a document, tcptune.watch.v1. NULL on ENOMEM. Owned by the caller. */
json_t *tct_watch_json(const struct tct_watch_view *view);

#endif
