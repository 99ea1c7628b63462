#include "cli/watch_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)

static const int64_t over_after_ns = 3 * SECOND_NS;
static const int64_t forgotten_after_ns = 60 * SECOND_NS;

const struct tct_watch_rate tct_watch_rates[TCT_WATCH_RATES] = {
	{ "Tcp.PassiveOpens", TCT_WATCH_BASE },
	{ "Tcp.ActiveOpens", TCT_WATCH_BASE },
	{ "Tcp.RetransSegs", TCT_WATCH_BASE },
	{ "TcpExt.ListenOverflows", TCT_WATCH_BASE },
	{ "TcpExt.ListenDrops", TCT_WATCH_BASE },
	{ "Tcp.OutRsts", TCT_WATCH_BASE },
	{ "TcpExt.TCPTimeWaitOverflow", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPReqQFullDrop", TCT_WATCH_TROUBLE },
	{ "TcpExt.SyncookiesSent", TCT_WATCH_TROUBLE },
	{ "TcpExt.SyncookiesRecv", TCT_WATCH_TROUBLE },
	{ "TcpExt.SyncookiesFailed", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPAbortOnMemory", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPMemoryPressures", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPRcvQDrop", TCT_WATCH_TROUBLE },
	{ "TcpExt.RcvPruned", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPBacklogDrop", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPAbortOnTimeout", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPSynRetrans", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPTimeouts", TCT_WATCH_TROUBLE },
	{ "Tcp.AttemptFails", TCT_WATCH_TROUBLE },
	{ "Tcp.EstabResets", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPAbortOnClose", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPAbortOnData", TCT_WATCH_TROUBLE },
	{ "TcpExt.EmbryonicRsts", TCT_WATCH_TROUBLE },
	{ "TcpExt.PAWSEstab", TCT_WATCH_TROUBLE },
	{ "TcpExt.TCPRetransFail", TCT_WATCH_TROUBLE },
	{ "Tcp.InErrs", TCT_WATCH_TROUBLE },
	{ "TcpExt.PruneCalled", TCT_WATCH_TROUBLE },
	{ "Tcp.InSegs", TCT_WATCH_FILLER },
	{ "Tcp.OutSegs", TCT_WATCH_FILLER },
	{ "TcpExt.TW", TCT_WATCH_FILLER },
	{ "TcpExt.TWRecycled", TCT_WATCH_FILLER },
};

/* By how much a counter grew in the interval; -1 = not known, and after a reset. */
static int64_t growth(const struct tct_observation *observation, const char *name)
{
	const struct tct_counter *counter = tct_counter_find(name);
	const struct tct_counter_reading *reading;

	if (counter == NULL || observation->interval_ns <= 0)
		return -1;
	reading = &observation->counters[tct_counter_index(counter)];
	if (reading->presence != TCT_PRESENT || reading->last < reading->first)
		return -1;
	return reading->last - reading->first;
}

/* part * scale / whole; -1 = not known. */
static int64_t scaled(int64_t part, double scale, int64_t whole)
{
	if (part < 0 || whole <= 0)
		return -1;

	double value = (double)part * scale / (double)whole;

	return value < 9e18 ? (int64_t)value : INT64_MAX;
}

/*
 * Data segments sent again, of those sent for the first time. RetransSegs counts SYNs and SYN-ACKs
 * too, and OutSegs leaves data sent again out: a share of one in the other says little.
 */
static int64_t retransmitted_ppm(const struct tct_observation *observation)
{
	int64_t again = growth(observation, "Tcp.RetransSegs");
	int64_t handshakes = growth(observation, "TcpExt.TCPSynRetrans");
	int64_t sent = growth(observation, "TcpExt.TCPOrigDataSent");

	if (again < 0 || handshakes < 0)
		return -1;
	return scaled(again > handshakes ? again - handshakes : 0, 1e6, sent);
}

static void add_sample(struct tct_watch_history *history, const struct tct_observation *observation)
{
	bool counted = observation->states.method != TCT_METHOD_NONE;
	size_t at = history->next;

	for (size_t state = 0; state < TCT_STATE_LIMIT; state++)
		history->states[state][at] = counted ? observation->states.counts[state] : -1;
	for (size_t i = 0; i < TCT_WATCH_RATES; i++)
		history->rates_ppm[i][at] = scaled(growth(observation, tct_watch_rates[i].counter),
						   1e6 * 1e9, observation->interval_ns);
	history->retransmitted_ppm[at] = retransmitted_ppm(observation);
	history->next = (at + 1) % TCT_WATCH_SAMPLES;
	if (history->samples < TCT_WATCH_SAMPLES)
		history->samples++;
}

static bool is_same(const struct tct_watch_finding *followed, const struct tct_finding *finding)
{
	const char *subject = finding->subject != NULL ? finding->subject : "";

	return strcmp(followed->id, finding->rule->id) == 0 &&
	       strncmp(followed->subject, subject, sizeof(followed->subject) - 1) == 0;
}

static struct tct_watch_finding *find(struct tct_watch_history *history,
				      const struct tct_finding *finding)
{
	for (size_t i = 0; i < history->findings_count; i++) {
		if (is_same(&history->findings[i], finding))
			return &history->findings[i];
	}
	return NULL;
}

const struct tct_watch_finding *tct_watch_find(const struct tct_watch_history *history,
					       const struct tct_finding *finding)
{
	for (size_t i = 0; i < history->findings_count; i++) {
		if (is_same(&history->findings[i], finding))
			return &history->findings[i];
	}
	return NULL;
}

/* Room for one more: those that are over stand at the end, and make way. NULL if there are too
 * many. */
static struct tct_watch_finding *make_room(struct tct_watch_history *history)
{
	if (history->findings_count < TCT_WATCH_FINDINGS)
		return &history->findings[history->findings_count++];

	for (size_t i = history->findings_count; i-- > 0;) {
		if (history->findings[i].gone)
			return &history->findings[i];
	}
	return NULL;
}

static void follow(struct tct_watch_history *history, const struct tct_finding *finding,
		   size_t rank, int64_t now_ns)
{
	struct tct_watch_finding *followed = find(history, finding);

	if (followed == NULL || followed->gone) {
		if (followed == NULL)
			followed = make_room(history);
		if (followed == NULL) {
			history->findings_lost++;
			return;
		}
		*followed = (struct tct_watch_finding){
			.id = finding->rule->id,
			.since_ns = now_ns,
			.since_start = !history->had_rates,
			.just_came = true,
		};
		(void)snprintf(followed->subject, sizeof(followed->subject), "%s",
			       finding->subject != NULL ? finding->subject : "");
	} else if (followed->present) {
		return; /* siblings of one address and port: the first one, the worst, stands for
			   all */
	}
	(void)snprintf(followed->title, sizeof(followed->title), "%s", finding->title);
	followed->severity = finding->severity;
	followed->rank = rank;
	followed->seen_ns = now_ns;
	followed->present = true;
}

static int compare(const void *left, const void *right)
{
	const struct tct_watch_finding *a = left;
	const struct tct_watch_finding *b = right;

	if (a->gone != b->gone)
		return a->gone ? 1 : -1;
	if (a->gone && a->seen_ns != b->seen_ns)
		return a->seen_ns > b->seen_ns ? -1 : 1;
	if (a->severity != b->severity)
		return a->severity < b->severity ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return 0;
}

static void settle(struct tct_watch_history *history, int64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < history->findings_count; i++) {
		struct tct_watch_finding *followed = &history->findings[i];
		int64_t missing_ns = now_ns - followed->seen_ns;

		if (followed->gone && missing_ns >= forgotten_after_ns)
			continue;
		if (!followed->present && !followed->gone && missing_ns >= over_after_ns) {
			followed->gone = true;
			followed->just_went = true;
		}
		if (kept != i)
			history->findings[kept] = *followed;
		kept++;
	}
	history->findings_count = kept;
	qsort(history->findings, kept, sizeof(history->findings[0]), compare);
}

void tct_watch_history_add(struct tct_watch_history *history, const struct tct_report *report,
			   int64_t now_ns)
{
	add_sample(history, report->observation);
	for (size_t i = 0; i < history->findings_count; i++) {
		history->findings[i].present = false;
		history->findings[i].just_came = false;
		history->findings[i].just_went = false;
	}
	history->findings_lost = 0;
	for (size_t i = 0; i < report->findings_count; i++)
		follow(history, &report->findings[i], i, now_ns);
	settle(history, now_ns);
	history->had_rates = history->had_rates || report->observation->interval_ns > 0;
}

int64_t tct_watch_sample(const struct tct_watch_history *history, const tct_watch_series series,
			 size_t back)
{
	if (back >= history->samples)
		return -1;
	return series[(history->next + TCT_WATCH_SAMPLES - 1 - back) % TCT_WATCH_SAMPLES];
}

bool tct_watch_moved(const struct tct_watch_history *history, const tct_watch_series series)
{
	for (size_t back = 0; back < history->samples; back++) {
		if (tct_watch_sample(history, series, back) > 0)
			return true;
	}
	return false;
}

void tct_watch_spark(const struct tct_watch_history *history, const tct_watch_series series,
		     size_t width, bool utf8, struct tct_text *out)
{
	enum { STEPS = 8 };
	static const char *const blocks[STEPS] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const plain[STEPS] = { "_", ".", "-", ":", "=", "+", "*", "#" };
	int64_t most = 0;

	for (size_t back = 0; back < width; back++) {
		int64_t value = tct_watch_sample(history, series, back);

		most = value > most ? value : most;
	}
	for (size_t back = width; back-- > 0;) {
		int64_t value = tct_watch_sample(history, series, back);
		unsigned step = 0;

		if (value < 0) {
			tct_text_add(out, " ");
			continue;
		}
		if (value > 0) /* what is there is never drawn as nothing */
			step = 1 + (unsigned)((double)(STEPS - 2) * ((double)value / (double)most) +
					      0.5);
		tct_text_add(out, utf8 ? blocks[step] : plain[step]);
	}
}

const char *tct_watch_duration(int64_t ns, char out[TCT_NUMBER_TEXT])
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" } };
	int64_t seconds = ns > 0 ? (ns + SECOND_NS / 2) / SECOND_NS : 0;

	(void)snprintf(out, TCT_NUMBER_TEXT, "%" PRId64 " s", seconds);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (seconds >= 2 * units[i].seconds) {
			(void)snprintf(out, TCT_NUMBER_TEXT, "%" PRId64 " %s",
				       seconds / units[i].seconds, units[i].unit);
			break;
		}
	}
	return out;
}

const char *tct_watch_age(const struct tct_watch_finding *finding, char out[TCT_NUMBER_TEXT])
{
	(void)tct_watch_duration(finding->seen_ns - finding->since_ns, out);
	if (finding->since_start)
		(void)strncat(out, "+", TCT_NUMBER_TEXT - strlen(out) - 1);
	return out;
}
