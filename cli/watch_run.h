/* `watch` at work: interval after interval is observed and judged, for a screen or for lines. */
#ifndef TCT_CLI_WATCH_RUN_H
#define TCT_CLI_WATCH_RUN_H

#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/watch.h"

#define TCT_WATCH_SECOND_NS INT64_C(1000000000)

/* One interval, observed and judged. */
struct tct_watch_round {
	struct tct_observation *observation;
	struct tct_report *report;
	int64_t last_ns;     /* CLOCK_MONOTONIC of the last look; 0 = not known */
	int64_t now_ns;      /* of when it was judged */
	int64_t taken_at_ns; /* the same, CLOCK_REALTIME */
};

struct tct_watch_run {
	struct tct_session *session;
	const struct tct_profile_set *set;
	struct tct_suppressions *suppressions; /* borrowed; NULL = none */
	struct tct_facts facts;
	struct tct_page page;
	struct tct_terminal *terminal; /* NULL = lines */
	struct tct_watch_history *history;
	struct tct_watch_history *still;  /* the one of what is shown while paused */
	struct tct_history *past;         /* what rules may ask of earlier looks */
	struct tct_watch_round rounds[2]; /* the newest one, and the one shown while paused */
	unsigned newest;
	unsigned shown;
	int64_t interval_ns; /* asked for */
	int64_t began_ns;    /* when the interval began, by the beat; 0 = none has begun */
	int64_t first_ns;    /* when its first look was */
	int64_t cpu_ns;      /* of the process, when it slept last; 0 = never */
	int64_t spent_ns;    /* what looking and judging takes, the last times weighing most */
	enum tct_watch_sort sort;
	bool reverse;
	bool paused;
	bool help;
	bool ended;
};

/*
 * Observe and judge the next interval, until run->interval_ns is over (once = a single look,
 * without rates), and add it to the history; it is the newest round then. Nothing is added if the
 * run ended meanwhile.
 */
int tct_watch_look(struct tct_watch_run *run, bool once, struct tct_err *err);

/* From one look to the next: as asked for, but longer where looking takes more than a tenth of it.
 */
int64_t tct_watch_pace_ns(const struct tct_watch_run *run);

/* What there is to show: of the newest round, or of the one that stands still. */
struct tct_watch_view tct_watch_view_of(const struct tct_watch_run *run);

/* Until the interval is over, or something ends it. True = the run has ended. */
bool tct_watch_wait_on_terminal(struct tct_watch_run *run);
bool tct_watch_wait_for_reader(struct tct_watch_run *run);

/* The whole of it. */
int tct_watch_run_screen(struct tct_watch_run *run, struct tct_err *err);
int tct_watch_run_lines(struct tct_watch_run *run, struct tct_err *err);

void tct_watch_run_done(struct tct_watch_run *run);

#endif
