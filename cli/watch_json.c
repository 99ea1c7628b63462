/* An interval of `watch` as a document, tcptune.watch.v1. Its shape is a contract: docs/schemas. */
#include <netinet/in.h>

#include "cli/watch.h"
#include "core/json_text.h"
#include "core/mem.h"

/* The worst ones; the rest is in an audit. */
enum { LISTENERS_MOST = 20 };

static json_t *count_or_null(int64_t count)
{
	return count < 0 ? json_null() : json_integer(count);
}

static json_t *seconds(int64_t ns)
{
	return json_real((double)ns / 1e9);
}

static json_t *per_second(int64_t ppm)
{
	return ppm < 0 ? json_null() : json_real((double)ppm / 1e6);
}

/* Append, or drop the list and make it NULL. */
static void append(json_t **list, json_t *entry)
{
	if (*list == NULL) {
		json_decref(entry);
	} else if (json_array_append_new(*list, entry) != 0) {
		json_decref(*list);
		*list = NULL;
	}
}

static json_t *states_json(const struct tct_states *states)
{
	static const char *const methods[] = {
		[TCT_METHOD_NONE] = NULL,
		[TCT_METHOD_EXACT] = "exact",
		[TCT_METHOD_DERIVED] = "derived",
	};
	bool known = states->method != TCT_METHOD_NONE;
	json_t *counts = json_object();
	int failed = 0;

	for (enum tct_state state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++)
		failed |= json_object_set_new(counts, tct_state_name(state),
					      known ? json_integer(states->counts[state])
						    : json_null());
	if (failed != 0) {
		json_decref(counts);
		return NULL;
	}
	return json_pack("{s:o, s:o, s:o}", "counts", counts, "method",
			 tct_json_text_or_null(methods[states->method]), "elapsed_seconds",
			 known ? seconds(states->elapsed_ns) : json_null());
}

/* Every counter that moved, not only those that fit on a screen. */
static json_t *rates_json(const struct tct_observation *observation)
{
	double interval_s = (double)observation->interval_ns / 1e9;
	json_t *rates = json_object();
	int failed = 0;

	for (size_t i = 0; i < tct_counters_count && observation->interval_ns > 0; i++) {
		const struct tct_counter_reading *reading = &observation->counters[i];

		if (tct_counters[i].gauge || reading->presence != TCT_PRESENT ||
		    reading->last <= reading->first)
			continue;
		failed |= json_object_set_new(
			rates, tct_counters[i].name,
			json_real((double)(reading->last - reading->first) / interval_s));
	}
	if (failed != 0) {
		json_decref(rates);
		return NULL;
	}
	return rates;
}

static json_t *owner_json(const struct tct_owner *owner)
{
	if (owner->pid == 0 && owner->unit[0] == '\0')
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "pid",
			 owner->pid == 0 ? json_null() : json_integer(owner->pid), "comm",
			 tct_json_text_or_null(owner->comm), "unit",
			 tct_json_text_or_null(owner->unit));
}

static json_t *listeners_json(const struct tct_watch_view *view)
{
	const struct tct_observation *observation = view->report->observation;
	TCT_AUTOFREE const struct tct_listener **order =
		tct_watch_order(observation, view->sort, view->reverse);
	json_t *list = order != NULL ? json_array() : NULL;

	for (size_t i = 0; order != NULL && i < observation->listeners_count; i++) {
		const struct tct_listener *listener = order[i];
		bool known = listener->backlog != TCT_BACKLOG_UNKNOWN;

		if (i >= LISTENERS_MOST)
			break;
		append(&list, json_pack("{s:s, s:i, s:I, s:o, s:o, s:o, s:o, s:o}", "address",
					listener->address, "port", (int)listener->port, "queue",
					(json_int_t)listener->queue, "backlog",
					count_or_null(known ? (int64_t)listener->backlog : -1),
					"drops_per_second",
					per_second(tct_watch_drops_ppm(observation, listener)),
					"established", count_or_null(listener->established),
					"syn_recv", count_or_null(listener->syn_recv), "owner",
					owner_json(&listener->owner)));
	}
	return list;
}

static json_t *finding_json(const struct tct_finding *finding,
			    const struct tct_watch_finding *followed)
{
	return json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:o, s:b}", "id", finding->rule->id, "severity",
		tct_severity_name(finding->severity), "cause", tct_cause_name(finding->rule->cause),
		"subject", tct_json_text_or_null(finding->subject), "title",
		tct_json_text(finding->title), "lasts_seconds",
		followed != NULL ? seconds(followed->seen_ns - followed->since_ns) : json_null(),
		"came", followed != NULL && followed->just_came);
}

static json_t *findings_json(const struct tct_watch_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->report->findings_count; i++) {
		const struct tct_finding *finding = &view->report->findings[i];

		append(&list, finding_json(finding, tct_watch_find(view->history, finding)));
	}
	return list;
}

static json_t *gone_json(const struct tct_watch_history *history)
{
	json_t *list = json_array();

	for (size_t i = 0; i < history->findings_count; i++) {
		const struct tct_watch_finding *finding = &history->findings[i];

		if (!finding->just_went)
			continue;
		append(&list, json_pack("{s:s, s:s, s:o, s:o}", "id", finding->id, "severity",
					tct_severity_name(finding->severity), "subject",
					tct_json_text_or_null(finding->subject), "lasted_seconds",
					seconds(finding->seen_ns - finding->since_ns)));
	}
	return list;
}

static json_t *not_evaluated_json(const struct tct_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->not_evaluated_count; i++)
		append(&list, json_string(report->not_evaluated[i].id));
	return list;
}

static json_t *not_seen_json(const struct tct_observation *observation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < observation->gaps_count; i++)
		append(&list,
		       json_pack("{s:o, s:o}", "what", tct_json_text(observation->gaps[i].what),
				 "reason", tct_json_text(observation->gaps[i].why)));
	return list;
}

json_t *tct_watch_json(const struct tct_watch_view *view)
{
	const struct tct_observation *observation = view->report->observation;
	const struct tct_host *host = &observation->host;
	const struct tct_netns *netns = &host->netns;

	return json_pack(
		"{s:s, s:o, s:o, s:{s:o, s:o, s:{s:o, s:o, s:b}}, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o}",
		"schema", "tcptune.watch.v1", "taken_at", tct_json_time(view->taken_at_ns),
		"interval_seconds", seconds(observation->interval_ns), "host", "hostname",
		tct_json_text_or_null(host->hostname), "kernel",
		tct_json_text_or_null(host->kernel), "netns", "name",
		tct_json_text_or_null(netns->name), "inode",
		netns->inode == 0 ? json_null() : json_integer((json_int_t)netns->inode), "initial",
		netns->initial, "states", states_json(&observation->states), "rates",
		rates_json(observation), "listeners", listeners_json(view), "findings",
		findings_json(view), "gone", gone_json(view->history), "not_evaluated",
		not_evaluated_json(view->report), "not_seen", not_seen_json(observation));
}
