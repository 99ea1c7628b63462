/* Made-up intervals for the tests of `watch`: an observation, and a report of it. */
#ifndef TCT_TESTS_UNIT_WATCH_WORLD_H
#define TCT_TESTS_UNIT_WATCH_WORLD_H

#include "cli/watch.h"

#define SECOND_NS INT64_C(1000000000)

struct world {
	struct tct_observation *observation;
	struct tct_report report;
	struct tct_watch_history *history;
	int64_t now_ns;
};

/* A host where nothing happens, after one second. */
void world_open(struct world *world);
void world_close(struct world *world);

void world_counter(struct world *world, const char *name, int64_t first, int64_t last);
struct tct_listener *world_listener(struct world *world, const char *address, uint16_t port,
				    uint32_t queue, uint32_t backlog);

/* A finding of this interval; rules are made as needed, one for each id. Worst first, as a report
 * has them. */
void world_finding(struct world *world, const char *id, enum tct_severity severity,
		   const char *subject, const char *title);
void world_no_findings(struct world *world);

/* `seconds` go by, and the interval is added to the history. */
void world_add(struct world *world, double seconds);

struct tct_watch_view world_view(const struct world *world);

/* The screen as text, without colours. Owned by the caller. */
char *world_screen(const struct tct_watch_view *view, unsigned width, unsigned height, bool utf8);

#endif
