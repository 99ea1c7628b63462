/* `watch` as lines: an interval each, in columns that a script can read too, and findings as they
 * come and go. */
#include <stdio.h>

#include "cli/watch.h"
#include "core/mem.h"

enum kind {
	STATES,        /* sockets in one state, or in two */
	RATE,          /* of a counter, a second */
	RETRANSMITTED, /* per cent of the data segments */
};

static const struct {
	const char *title;
	int width;
	enum kind kind;
	enum tct_state states[2];
	const char *counter;
} columns[] = {
	{ "ESTAB", 9, STATES, { TCT_STATE_ESTABLISHED }, NULL },
	{ "SYN_SENT", 9, STATES, { TCT_STATE_SYN_SENT }, NULL },
	{ "SYN_RECV", 9, STATES, { TCT_STATE_SYN_RECV }, NULL },
	{ "FIN_WAIT", 9, STATES, { TCT_STATE_FIN_WAIT1, TCT_STATE_FIN_WAIT2 }, NULL },
	{ "TIME_WAIT", 10, STATES, { TCT_STATE_TIME_WAIT }, NULL },
	{ "CLOSE_WAIT", 11, STATES, { TCT_STATE_CLOSE_WAIT }, NULL },
	{ "IN/s", 9, RATE, { 0 }, "Tcp.PassiveOpens" },
	{ "OUT/s", 9, RATE, { 0 }, "Tcp.ActiveOpens" },
	{ "RETR%", 7, RETRANSMITTED, { 0 }, NULL },
	{ "OVERFL/s", 9, RATE, { 0 }, "TcpExt.ListenOverflows" },
};

enum { TIME_WIDTH = 20 };

static void add_states(struct tct_text *text, const struct tct_states *states,
		       const enum tct_state which[2])
{
	int64_t sum = states->counts[which[0]];

	if (which[1] != 0)
		sum += states->counts[which[1]];
	if (states->method == TCT_METHOD_NONE)
		tct_text_add(text, "-");
	else
		tct_text_addf(text, "%lld", (long long)sum);
}

/* Millionths as a decimal number with `digits` behind the point, without commas; "-" if not known.
 */
static void add_decimal(struct tct_text *text, int64_t ppm, int digits, double scale)
{
	if (ppm < 0)
		tct_text_add(text, "-");
	else
		tct_text_addf(text, "%.*f", digits, (double)ppm / scale);
}

static const int64_t *rate_series(const struct tct_watch_history *history, const char *counter)
{
	for (size_t i = 0; i < TCT_WATCH_RATES; i++) {
		if (strcmp(tct_watch_rates[i].counter, counter) == 0)
			return history->rates_ppm[i];
	}
	return NULL;
}

static void add_column(struct tct_text *text, size_t column, const struct tct_watch_view *view)
{
	const struct tct_watch_history *history = view->history;
	const int64_t *series;

	switch (columns[column].kind) {
	case STATES:
		add_states(text, &view->report->observation->states, columns[column].states);
		break;
	case RATE:
		series = rate_series(history, columns[column].counter);
		add_decimal(text, series != NULL ? tct_watch_sample(history, series, 0) : -1, 1,
			    1e6);
		break;
	case RETRANSMITTED:
		add_decimal(text, tct_watch_sample(history, history->retransmitted_ppm, 0), 2, 1e4);
		break;
	}
}

void tct_watch_line_names(const struct tct_page *page)
{
	TCT_AUTO(tct_text_done) struct tct_text line = { 0 };

	tct_text_addf(&line, "%-*s", TIME_WIDTH, "TIME");
	for (size_t i = 0; i < TCT_COUNT(columns); i++)
		tct_text_addf(&line, "%*s", columns[i].width, columns[i].title);
	tct_page_put(page, TCT_STYLE_STRONG, tct_text_string(&line));
	tct_page_newline(page);
}

void tct_watch_line(const struct tct_page *page, const struct tct_watch_view *view)
{
	TCT_AUTO(tct_text_done) struct tct_text line = { 0 };
	char time[TCT_NUMBER_TEXT];

	tct_text_addf(&line, "%-*s", TIME_WIDTH, tct_text_time(view->taken_at_ns, time));
	for (size_t i = 0; i < TCT_COUNT(columns); i++) {
		TCT_AUTO(tct_text_done) struct tct_text cell = { 0 };

		add_column(&cell, i, view);
		/* always a blank before it, so that columns never run together */
		tct_text_addf(&line, " %*s", columns[i].width - 1,
			      cell.data != NULL ? cell.data : "-");
	}
	tct_page_put(page, TCT_STYLE_PLAIN, tct_text_string(&line));
	tct_page_newline(page);
}

enum { MOST_EVENTS = 20 }; /* told of one interval, the worst first */

static void put_event(const struct tct_page *page, const struct tct_watch_finding *finding)
{
	const char *severity = tct_severity_name(finding->severity);
	char age[TCT_NUMBER_TEXT];

	if (finding->just_came) {
		tct_page_put(page, TCT_STYLE_PLAIN, "+ ");
		tct_page_put(page, tct_severity_style(finding->severity), severity);
		tct_page_putf(page, TCT_STYLE_PLAIN, " %s: %s", finding->id, finding->title);
	} else {
		tct_page_putf(page, TCT_STYLE_DIM, "- %s %s%s%s: gone after %s", severity,
			      finding->id, finding->subject[0] != '\0' ? " " : "", finding->subject,
			      tct_watch_age(finding, age));
	}
	tct_page_newline(page);
}

void tct_watch_line_findings(const struct tct_page *page, const struct tct_watch_view *view)
{
	const struct tct_watch_history *history = view->history;
	size_t events = 0;

	for (size_t i = 0; i < history->findings_count; i++) {
		if (!history->findings[i].just_came && !history->findings[i].just_went)
			continue;
		if (events++ < MOST_EVENTS)
			put_event(page, &history->findings[i]);
	}
	if (events > MOST_EVENTS) {
		tct_page_putf(page, TCT_STYLE_DIM, "  %zu more findings came or went",
			      events - MOST_EVENTS);
		tct_page_newline(page);
	}
	if (history->findings_lost > 0) {
		tct_page_putf(page, TCT_STYLE_DIM, "  %zu more findings than can be followed",
			      history->findings_lost);
		tct_page_newline(page);
	}
}
