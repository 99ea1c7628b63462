/* The screen of `watch`: the host, states beside rates, listeners, findings, the keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/watch.h"
#include "cli/watch_layout.h"
#include "core/mem.h"

enum {
	NAME_WIDTH = 11,
	COUNT_WIDTH = 11,
	CHANGE_WIDTH = 9,
	RATE_NAME_WIDTH = 20,
	RATE_WIDTH = 9,
	LEAST_SPARK = 5,
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static void put_host(struct tct_frame *frame, const struct tct_watch_view *view)
{
	const struct tct_host *host = &view->report->observation->host;
	char time[TCT_NUMBER_TEXT];
	char number[TCT_NUMBER_TEXT];
	unsigned start = 0;

	(void)tct_text_time(view->taken_at_ns, time);
	if (strlen(time) + 1 < frame->width)
		start = frame->width - (unsigned)strlen(time);

	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	tct_text_addf(&text, "%s  every %s", host->hostname[0] != '\0' ? host->hostname : "host",
		      tct_text_nanoseconds(view->interval_ns, number));
	if (view->pace_ns > view->interval_ns)
		tct_text_addf(&text, ", slowed to %s", tct_text_nanoseconds(view->pace_ns, number));
	if (host->netns.name[0] != '\0')
		tct_text_addf(&text, "  network namespace %s", host->netns.name);
	else if (host->netns.inode != 0 && !host->netns.initial)
		tct_text_addf(&text, "  net:[%llu]", (unsigned long long)host->netns.inode);
	if (host->kernel[0] != '\0')
		tct_text_addf(&text, "  Linux %s", host->kernel);
	if (start > 1)
		tct_frame_cell(frame, TCT_STYLE_STRONG, start - 1, tct_text_string(&text));
	tct_frame_to(frame, start);
	tct_frame_put(frame, TCT_STYLE_STRONG, time);
	tct_frame_newline(frame);
}

/* A number; without its commas where it doesn't fit. */
static void put_number(struct tct_frame *frame, enum tct_style style, unsigned width,
		       const char *text)
{
	char bare[TCT_NUMBER_TEXT];
	size_t length = 0;

	for (const char *at = text; *at != '\0' && length + 1 < sizeof(bare); at++) {
		if (*at != ',')
			bare[length++] = *at;
	}
	bare[length] = '\0';
	tct_frame_number(frame, style, width, strlen(text) < width ? text : bare);
}

static void put_spark(struct tct_frame *frame, const struct tct_watch_view *view,
		      enum tct_style style, const tct_watch_series series, unsigned end)
{
	TCT_AUTO(tct_text_done) struct tct_text spark = { 0 };

	if (frame->column + 1 + LEAST_SPARK > end)
		return;
	tct_frame_to(frame, frame->column + 1);
	tct_watch_spark(view->history, series, least(end - frame->column, TCT_WATCH_SAMPLES),
			frame->utf8, &spark);
	tct_frame_put(frame, style, tct_text_string(&spark));
}

static void put_state(struct tct_frame *frame, const struct tct_watch_view *view,
		      enum tct_state state, unsigned end)
{
	const int64_t *series = view->history->states[state];
	int64_t now = tct_watch_sample(view->history, series, 0);
	int64_t before = tct_watch_sample(view->history, series, 1);
	enum tct_style style = now == 0 ? TCT_STYLE_DIM : TCT_STYLE_PLAIN;
	char number[TCT_NUMBER_TEXT];

	tct_frame_cell(frame, style, NAME_WIDTH, tct_state_name(state));
	put_number(frame, style, COUNT_WIDTH, now < 0 ? "-" : tct_text_count(now, number));
	if (frame->column + CHANGE_WIDTH <= end) {
		TCT_AUTO(tct_text_done) struct tct_text change = { 0 };

		if (now >= 0 && before >= 0 && now != before)
			tct_text_addf(&change, "%s%s", now > before ? "+" : "",
				      tct_text_count(now - before, number));
		put_number(frame, TCT_STYLE_PLAIN, CHANGE_WIDTH, tct_text_string(&change));
	}
	put_spark(frame, view, style, series, end);
}

static void put_rate(struct tct_frame *frame, const struct tct_watch_view *view, unsigned rate)
{
	const struct tct_watch_history *history = view->history;
	const char *name = tct_watch_rates[rate].counter;
	int64_t ppm = tct_watch_sample(history, history->rates_ppm[rate], 0);
	int64_t share = tct_watch_sample(history, history->retransmitted_ppm, 0);
	enum tct_style style = ppm > 0 ? TCT_STYLE_PLAIN : TCT_STYLE_DIM;
	TCT_AUTO(tct_text_done) struct tct_text label = { 0 };
	char number[TCT_NUMBER_TEXT];

	tct_text_add(&label, strchr(name, '.') != NULL ? strchr(name, '.') + 1 : name);
	if (strcmp(name, "Tcp.RetransSegs") == 0 && ppm > 0 && share >= 0)
		tct_text_addf(&label, " %.1f%%", (double)share / 1e4);
	tct_frame_cell(frame, style, RATE_NAME_WIDTH, tct_text_string(&label));
	put_number(frame, style, RATE_WIDTH, ppm < 0 ? "-" : tct_text_millionths(ppm, number));
	put_spark(frame, view, style, history->rates_ppm[rate], frame->width);
}

static void put_titles(struct tct_frame *frame, const struct tct_watch_layout *layout)
{
	tct_frame_cell(frame, TCT_STYLE_STRONG, NAME_WIDTH, "STATE");
	tct_frame_number(frame, TCT_STYLE_STRONG, COUNT_WIDTH, "SOCKETS");
	if (frame->column + CHANGE_WIDTH <= layout->left)
		tct_frame_number(frame, TCT_STYLE_STRONG, CHANGE_WIDTH, "CHANGE");
	if (layout->side_by_side) {
		tct_frame_to(frame, layout->right);
		tct_frame_cell(frame, TCT_STYLE_STRONG, RATE_NAME_WIDTH, "COUNTER");
		tct_frame_number(frame, TCT_STYLE_STRONG, RATE_WIDTH, "PER SEC");
		if (layout->rates_hidden > 0)
			tct_frame_putf(frame, TCT_STYLE_DIM, " +%u", layout->rates_hidden);
	}
	tct_frame_newline(frame);
}

static void put_states(struct tct_frame *frame, const struct tct_watch_view *view,
		       const struct tct_watch_layout *layout)
{
	put_titles(frame, layout);
	for (unsigned i = 0; i < layout->states_count; i++) {
		put_state(frame, view, layout->states[i], layout->left);
		if (layout->side_by_side && i < layout->rates_count) {
			tct_frame_to(frame, layout->right);
			put_rate(frame, view, layout->rates[i]);
		}
		tct_frame_newline(frame);
	}
	if (layout->side_by_side || layout->rates_count == 0)
		return;
	tct_frame_cell(frame, TCT_STYLE_STRONG, RATE_NAME_WIDTH, "COUNTER");
	tct_frame_number(frame, TCT_STYLE_STRONG, RATE_WIDTH, "PER SEC");
	tct_frame_newline(frame);
	for (unsigned i = 0; i < layout->rates_count; i++) {
		put_rate(frame, view, layout->rates[i]);
		tct_frame_newline(frame);
	}
}

static void put_listeners(struct tct_frame *frame, const struct tct_watch_view *view,
			  unsigned lines)
{
	const struct tct_observation *observation = view->report->observation;

	if (lines == 0)
		return;
	if (observation->listeners_count > 0) {
		tct_watch_listeners(frame, view, lines);
		return;
	}
	tct_frame_put(frame, TCT_STYLE_STRONG, "LISTENERS");
	tct_frame_put(frame, TCT_STYLE_DIM,
		      observation->listeners_presence == TCT_PRESENT ? "  none" : "  not seen");
	tct_frame_newline(frame);
}

static void put_finding(struct tct_frame *frame, const struct tct_watch_view *view,
			const struct tct_watch_finding *finding)
{
	enum { SEVERITY_WIDTH = 9, AGE_WIDTH = 8, LONGEST_ID = 22 };
	bool now = finding->present;
	enum tct_style text_style = now ? TCT_STYLE_PLAIN : TCT_STYLE_DIM;
	char age[TCT_NUMBER_TEXT];
	char gone[TCT_NUMBER_TEXT];
	unsigned id_width = (unsigned)strlen(finding->id) + 2;

	tct_frame_cell(frame, now ? tct_severity_style(finding->severity) : TCT_STYLE_DIM,
		       SEVERITY_WIDTH, tct_severity_name(finding->severity));
	tct_frame_cell(frame, text_style, AGE_WIDTH, tct_watch_age(finding, age));
	if (id_width < LONGEST_ID)
		id_width = LONGEST_ID;
	if (frame->width >= TCT_WATCH_SIDE_BY_SIDE)
		tct_frame_cell(frame, text_style, id_width, finding->id);
	if (finding->gone)
		tct_frame_putf(frame, TCT_STYLE_DIM, "gone %s ago: ",
			       tct_watch_duration(view->now_ns - finding->seen_ns, gone));
	tct_frame_put(frame, text_style, finding->title);
	tct_frame_newline(frame);
}

/* What to do about it, in the words of the report: the application's part, else a command. */
static void put_remedy(struct tct_frame *frame, const struct tct_watch_view *view,
		       const struct tct_watch_finding *followed)
{
	enum { INDENT = 9, LABEL = 8 };
	const struct tct_finding *finding;
	const char *text = NULL;

	if (!followed->present || followed->rank >= view->report->findings_count)
		return;
	finding = &view->report->findings[followed->rank];
	if (finding->application != NULL)
		text = finding->application;
	else if (finding->commands_count > 0)
		text = finding->commands[0];
	if (text == NULL)
		return;
	tct_frame_to(frame, INDENT);
	tct_frame_cell(frame, TCT_STYLE_DIM, LABEL, "do");
	tct_frame_put(frame, TCT_STYLE_DIM, text);
	tct_frame_newline(frame);
}

static void put_findings_title(struct tct_frame *frame, const struct tct_watch_view *view,
			       size_t hidden)
{
	const struct tct_report *report = view->report;
	bool any = false;

	tct_frame_put(frame, TCT_STYLE_STRONG, "FINDINGS");
	for (enum tct_severity severity = TCT_SEVERITY_CRITICAL; severity < TCT_SEVERITY_LIMIT;
	     severity++) {
		size_t count = report->by_severity[severity];

		if (count == 0)
			continue;
		tct_frame_put(frame, TCT_STYLE_PLAIN, any ? ", " : "  ");
		tct_frame_putf(frame, tct_severity_style(severity), "%zu %s", count,
			       tct_severity_name(severity));
		any = true;
	}
	if (!any)
		tct_frame_put(frame, TCT_STYLE_GOOD, "  none");
	if (report->not_evaluated_count > 0)
		tct_frame_putf(frame, TCT_STYLE_DIM, "; %zu rule%s could not be judged",
			       report->not_evaluated_count,
			       report->not_evaluated_count == 1 ? "" : "s");
	if (hidden > 0)
		tct_frame_putf(frame, TCT_STYLE_DIM, "; %zu more don't fit here", hidden);
	tct_frame_newline(frame);
}

static void put_findings(struct tct_frame *frame, const struct tct_watch_view *view,
			 const struct tct_watch_layout *layout)
{
	unsigned lines = layout->findings;
	const struct tct_watch_history *history = view->history;
	size_t shown = lines > 0 ? lines - 1 : 0;

	if (lines == 0)
		return;
	if (shown > history->findings_count)
		shown = history->findings_count;
	put_findings_title(frame, view, history->findings_count - shown + history->findings_lost);
	for (size_t i = 0; i < shown; i++) {
		put_finding(frame, view, &history->findings[i]);
		if (layout->remedies)
			put_remedy(frame, view, &history->findings[i]);
	}
}

/* An empty table would look like an idle host. */
static void put_gap(struct tct_frame *frame, const struct tct_observation *observation)
{
	tct_frame_putf(frame, TCT_STYLE_WARN, "not seen: %s: %s", observation->gaps[0].what,
		       observation->gaps[0].why);
	tct_frame_newline(frame);
}

static void put_help(struct tct_frame *frame)
{
	enum { KEY_WIDTH = 8 };
	static const struct {
		const char *key;
		const char *does;
	} keys[] = {
		{ "q", "quit (ctrl-C and ctrl-D do, too)" },
		{ "space", "hold the picture still, or go on; watching goes on behind it" },
		{ "s", "sort the listeners by the next column; its title is green" },
		{ "r", "reverse the order of the listeners" },
		{ "+ -", "a longer or a shorter interval, 0.2 s to 60 s" },
		{ "h ?", "this help" },
	};
	static const char *const notes[] = {
		"",
		"A sparkline goes from 0 to the greatest value in it, the newest at the right.",
		"A + behind the counters' title: so many more moved than there is room for.",
		"The percentage at RetransSegs: data segments sent again, of those sent.",
		"A finding's time is how long it has been there; a + means: at least, since it",
		"was there when watching began. Dim findings are gone.",
		"'tcptune explain NAME' says more about a finding.",
	};

	tct_frame_newline(frame);
	for (size_t i = 0; i < TCT_COUNT(keys) && tct_frame_room(frame) > 1; i++) {
		tct_frame_cell(frame, TCT_STYLE_STRONG, KEY_WIDTH, keys[i].key);
		tct_frame_put(frame, TCT_STYLE_PLAIN, keys[i].does);
		tct_frame_newline(frame);
	}
	for (size_t i = 0; i < TCT_COUNT(notes) && tct_frame_room(frame) > 1; i++) {
		tct_frame_put(frame, TCT_STYLE_PLAIN, notes[i]);
		tct_frame_newline(frame);
	}
}

static void put_keys(struct tct_frame *frame, const struct tct_watch_view *view)
{
	if (view->help) {
		tct_frame_put(frame, TCT_STYLE_DIM, "any key goes back");
		return;
	}
	if (view->paused)
		tct_frame_put(frame, TCT_STYLE_WARN, "PAUSED  ");
	tct_frame_putf(frame, TCT_STYLE_DIM,
		       "q quit  space %s  s sort: %s%s  r reverse  + - interval  h help",
		       view->paused ? "go on" : "pause", tct_watch_sort_name(view->sort),
		       view->reverse ? " reversed" : "");
}

void tct_watch_screen(struct tct_frame *frame, const struct tct_watch_view *view)
{
	struct tct_watch_layout layout;

	tct_watch_layout_make(&layout, view, frame->width, frame->height);
	put_host(frame, view);
	if (view->help) {
		if (tct_frame_room(frame) > 1)
			put_help(frame);
	} else {
		if (layout.gap)
			put_gap(frame, view->report->observation);
		if (layout.states_count > 0)
			put_states(frame, view, &layout);
		if (layout.blanks)
			tct_frame_newline(frame);
		put_listeners(frame, view, layout.listeners);
		if (layout.blanks)
			tct_frame_newline(frame);
		put_findings(frame, view, &layout);
	}
	while (tct_frame_room(frame) > 1)
		tct_frame_newline(frame);
	put_keys(frame, view);
	tct_frame_end(frame);
}
