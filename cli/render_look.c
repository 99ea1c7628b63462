#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/usage.h"
#include "cli/render.h"
#include "cli/render_table.h"
#include "core/mem.h"

enum { TOP_LISTENERS = 10 };

static void add_namespace(struct tct_text *text, const struct tct_netns *netns)
{
	if (netns->name[0] != '\0')
		tct_text_addf(text, ", network namespace %s", netns->name);
	else if (netns->initial)
		tct_text_add(text, ", initial network namespace");
	else if (netns->inode != 0)
		tct_text_addf(text, ", network namespace net:[%llu]",
			      (unsigned long long)netns->inode);
}

/* Not where the file is: the report is the same wherever it is judged. */
static void add_snapshot(struct tct_text *text, const struct tct_host *host)
{
	char time[TCT_NUMBER_TEXT];

	tct_text_addf(text, ": snapshot taken %s", tct_text_time(host->taken_at_ns, time));
	if (host->snapshot_of == TCT_SOURCE_ROOT)
		tct_text_add(text, host->sosreport ? " of a sosreport" : " of files below a DIR");
}

void tct_render_host(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_observation *observation)
{
	const struct tct_host *host = &observation->host;
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char number[TCT_NUMBER_TEXT];

	if (host->source == TCT_SOURCE_SNAPSHOT)
		add_snapshot(&text, host);
	else if (options->root != NULL)
		tct_text_addf(&text, ": %s %s",
			      host->sosreport ? "the sosreport in" : "files below", options->root);
	if (host->kernel[0] != '\0')
		tct_text_addf(&text, "%s Linux %s%s", text.length > 0 ? "," : ":", host->kernel,
			      host->kernel_assumed ? " (the running one: DIR has none)" : "");
	if (host->mem_total_bytes >= 0)
		tct_text_addf(&text, ", %s of memory",
			      tct_text_bytes(host->mem_total_bytes, number));
	if (host->cpus > 0)
		tct_text_addf(&text, ", %s CPU%s", tct_text_count(host->cpus, number),
			      host->cpus == 1 ? "" : "s");
	if (tct_host_looked_at(host) == TCT_SOURCE_LIVE)
		add_namespace(&text, &host->netns);
	if (observation->interval_ns > 0)
		tct_text_addf(&text, ", watched for %s",
			      tct_text_nanoseconds(observation->interval_ns, number));
	else if (tct_host_looked_at(host) == TCT_SOURCE_LIVE)
		tct_text_add(&text, ", one look (no rates)");

	TCT_AUTO(tct_text_done) struct tct_text line = { 0 };

	tct_text_addf(&line, "%s%s", host->hostname[0] != '\0' ? host->hostname : "host",
		      tct_text_string(&text));
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_STRONG, tct_text_string(&line));
}

/* The eleven states, filled column by column. */
void tct_render_states(const struct tct_page *page, const struct tct_states *states)
{
	enum { FIRST = TCT_STATE_ESTABLISHED, COUNT = TCT_STATE_LIMIT - FIRST, GAP = 4 };
	char counts[COUNT][TCT_NUMBER_TEXT];
	char added[80];
	char number[TCT_NUMBER_TEXT];
	unsigned wide = 1;

	if (states->method == TCT_METHOD_NONE)
		return;
	for (unsigned i = 0; i < COUNT; i++) {
		size_t length = strlen(tct_text_count(states->counts[FIRST + i], counts[i]));

		wide = length > wide ? (unsigned)length : wide;
	}

	unsigned cell = 11 + 2 + wide + GAP;
	unsigned columns = (page->width - 2 + GAP) / cell;
	unsigned rows;

	columns = columns < 1 ? 1 : columns > 4 ? 4 : columns;
	rows = (COUNT + columns - 1) / columns;
	if (snprintf(added, sizeof(added), "IPv4 and IPv6, counted %s in %s",
		     states->method == TCT_METHOD_EXACT ? "one by one" : "by the kernel",
		     tct_text_nanoseconds(states->elapsed_ns, number)) < 0)
		added[0] = '\0';
	tct_page_heading(page, "TCP sockets by state", added);
	for (unsigned row = 0; row < rows; row++) {
		for (unsigned i = row; i < COUNT; i += rows) {
			bool zero = states->counts[FIRST + i] == 0;

			tct_page_putf(page, zero ? TCT_STYLE_DIM : TCT_STYLE_PLAIN, "%*s%-11s  %*s",
				      i == row ? 2 : GAP, "",
				      tct_state_name((enum tct_state)(FIRST + i)), (int)wide,
				      counts[i]);
		}
		tct_page_newline(page);
	}
	if (states->why_exact[0] != '\0')
		tct_page_paragraph(page, 2, "one by one:", 12, TCT_STYLE_DIM, states->why_exact);
}

/* How full the accept queue is, in millionths, for the order. */
static uint64_t fullness(const struct tct_listener *listener)
{
	uint64_t limit = listener->backlog == TCT_BACKLOG_UNKNOWN ? 4096 : listener->backlog;

	return (uint64_t)listener->queue * 1000000 / (limit + 1);
}

struct ranked {
	const struct tct_listener *listener;
};

static int by_fullness(const void *a, const void *b)
{
	const struct tct_listener *left = ((const struct ranked *)a)->listener;
	const struct tct_listener *right = ((const struct ranked *)b)->listener;

	if (fullness(left) != fullness(right))
		return fullness(left) > fullness(right) ? -1 : 1;
	if (left->port != right->port)
		return left->port < right->port ? -1 : 1;
	return strcmp(left->address, right->address);
}

static bool is_worth_seeing(const struct tct_listener *listener)
{
	return listener->queue > 0 || listener->queue_first > 0 ||
	       (listener->drops_first >= 0 && listener->drops > listener->drops_first);
}

/* part: what the number of connections rests on; NULL = without that column. */
static void add_listener(struct tct_table *table, const struct tct_listener *listener,
			 const struct tct_sample *part)
{
	char number[TCT_NUMBER_TEXT];
	char text[TCT_ENDPOINT_TEXT];
	bool over = listener->backlog != TCT_BACKLOG_UNKNOWN && listener->queue > listener->backlog;

	tct_table_row(table);
	tct_table_cell(table, TCT_STYLE_PLAIN, tct_listener_endpoint(listener, text));
	tct_table_cell(table, over ? TCT_STYLE_BAD : TCT_STYLE_PLAIN,
		       tct_text_count(listener->queue, number));
	tct_table_cell(table, TCT_STYLE_PLAIN,
		       listener->backlog == TCT_BACKLOG_UNKNOWN
			       ? "?"
			       : tct_text_count(listener->backlog, number));
	tct_table_cell(table, TCT_STYLE_PLAIN,
		       listener->drops < 0 ? "?" : tct_text_count(listener->drops, number));

	TCT_AUTO(tct_text_done) struct tct_text who = { 0 };

	if (part != NULL)
		tct_table_cell(
			table, TCT_STYLE_PLAIN,
			tct_sampled_count(listener->siblings > 0 ? listener->established : -1,
					  tct_sample_is_part(part), number));
	tct_owner_add(&who, &listener->owner);
	tct_table_cell(table, TCT_STYLE_PLAIN, who.data);
}

/* Were connections counted for any of them? */
static bool has_connections(const struct tct_observation *observation)
{
	for (size_t i = 0; i < observation->listeners_count; i++) {
		const struct tct_listener *listener = &observation->listeners[i];

		if (listener->siblings > 0 && listener->established >= 0)
			return true;
	}
	return false;
}

void tct_render_listeners(const struct tct_page *page, bool verbose,
			  const struct tct_observation *observation)
{
	static const struct tct_column plain[] = {
		{ "LISTENER", false }, { "QUEUE", true },  { "LIMIT", true },
		{ "DROPS", true },     { "OWNER", false },
	};
	static const struct tct_column wide[] = {
		{ "LISTENER", false }, { "QUEUE", true },       { "LIMIT", true },
		{ "DROPS", true },     { "CONNECTIONS", true }, { "OWNER", false },
	};
	size_t count = observation->listeners_count;
	const struct tct_sample *part =
		verbose && has_connections(observation) ? &observation->sample : NULL;
	TCT_AUTOFREE struct ranked *order = calloc(count + 1, sizeof(*order));
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, part != NULL ? wide : plain,
						part != NULL ? TCT_COUNT(wide) : TCT_COUNT(plain));
	size_t shown = 0;
	char added[80];

	if (count == 0 || order == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		order[i].listener = &observation->listeners[i];
	qsort(order, count, sizeof(*order), by_fullness);
	for (size_t i = 0; i < count && (verbose || shown < TOP_LISTENERS); i++) {
		if (verbose || is_worth_seeing(order[i].listener)) {
			add_listener(table, order[i].listener, part);
			shown++;
		}
	}
	if (snprintf(added, sizeof(added), "%zu%s", count,
		     shown == count ? ""
		     : shown == 0   ? ", all with an empty queue (--verbose lists them)"
				    : ", the fullest are listed (--verbose: all)") < 0)
		added[0] = '\0';
	tct_page_heading(page, "Listeners", added);
	tct_table_print(table);
}
