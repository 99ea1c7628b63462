/* What `watch` remembers: states and rates of the last intervals, and how long each finding has
 * been there. Plain data of a fixed size, so that a copy is a picture of one moment. */
#ifndef TCT_CLI_WATCH_HISTORY_H
#define TCT_CLI_WATCH_HISTORY_H

#include "audit/judge/report.h"
#include "core/text.h"

enum {
	TCT_WATCH_SAMPLES = 256,  /* intervals kept */
	TCT_WATCH_FINDINGS = 256, /* findings followed at a time */
	TCT_WATCH_RATES = 32,
};

/* Which rates are shown when there is no room for all. */
enum tct_watch_rank {
	TCT_WATCH_BASE,    /* always */
	TCT_WATCH_TROUBLE, /* if it moved in one of the intervals kept */
	TCT_WATCH_FILLER,  /* if it moved and room is left */
};

struct tct_watch_rate {
	const char *counter; /* full name in the table of counters */
	enum tct_watch_rank rank;
};

/* The counters whose rates are kept; those that matter most first within a rank. */
extern const struct tct_watch_rate tct_watch_rates[TCT_WATCH_RATES];

/* The newest value is at `next - 1`; -1 = not known. */
typedef int64_t tct_watch_series[TCT_WATCH_SAMPLES];

/* A finding, followed by its rule and subject. */
struct tct_watch_finding {
	const char *id; /* borrowed from the profile set */
	char subject[192];
	char title[256];
	enum tct_severity severity;
	size_t rank;      /* place in the report that had it last */
	int64_t since_ns; /* CLOCK_MONOTONIC of the look that found it first */
	int64_t seen_ns;  /* and last */
	bool since_start; /* it was there when watching began: it may be older */
	bool present;     /* in the newest report */
	bool gone;        /* missing for so long that it is over */
	bool just_came;   /* with the newest interval */
	bool just_went;
};

struct tct_watch_history {
	size_t samples; /* so many are there */
	size_t next;    /* where the next one goes */
	bool had_rates; /* an interval with rates has been added */
	tct_watch_series states[TCT_STATE_LIMIT];
	tct_watch_series rates_ppm[TCT_WATCH_RATES];           /* millionths a second */
	tct_watch_series retransmitted_ppm;                    /* of the data segments sent */
	struct tct_watch_finding findings[TCT_WATCH_FINDINGS]; /* worst first, then those gone */
	size_t findings_count;
	size_t findings_lost; /* in the newest report, and not followed: too many */
};

/*
 * Add an interval, looked at last at now_ns (CLOCK_MONOTONIC). The profile set of the report must
 * outlive the history. A finding that is missing is over after three seconds, so that one that
 * flickers from interval to interval keeps its age; it is forgotten a minute after it was seen.
 */
void tct_watch_history_add(struct tct_watch_history *history, const struct tct_report *report,
			   int64_t now_ns);

/* The value of `back` intervals ago, 0 = the newest; -1 if there is none. */
int64_t tct_watch_sample(const struct tct_watch_history *history, const tct_watch_series series,
			 size_t back);

/* Did it differ from 0 in one of the intervals kept? */
bool tct_watch_moved(const struct tct_watch_history *history, const tct_watch_series series);

/* The followed one of a finding of the newest report; NULL if there were too many. */
const struct tct_watch_finding *tct_watch_find(const struct tct_watch_history *history,
					       const struct tct_finding *finding);

/*
 * Append a sparkline of the last `width` intervals, the newest at the right: blanks where nothing
 * is known, the lowest step for 0, the highest for the greatest value among them.
 */
void tct_watch_spark(const struct tct_watch_history *history, const tct_watch_series series,
		     size_t width, bool utf8, struct tct_text *out);

/* How long a finding has been there, until it was seen last: "34 s", "5 min"; "34 s+" since the
 * start. Returns out. */
const char *tct_watch_age(const struct tct_watch_finding *finding, char out[TCT_NUMBER_TEXT]);

/* A duration in one short word or two: "34 s", "12 min", "3 h", "2 d". Returns out. */
const char *tct_watch_duration(int64_t ns, char out[TCT_NUMBER_TEXT]);

#endif
