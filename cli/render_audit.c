#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/render.h"
#include "cli/render_table.h"
#include "cli/session.h"
#include "core/mem.h"

enum { TOP_LISTENERS = 10 };

char *tct_value_or(const struct tct_value *value, const char *none)
{
	if (value == NULL || value->kind == TCT_VALUE_NONE)
		return tct_text_copy(none, strlen(none));
	if (value->kind == TCT_VALUE_PORTS && value->text[0] == '\0')
		return tct_text_copy("(none)", 6);
	return tct_value_text(value);
}

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

static void put_host(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_observation *observation)
{
	const struct tct_host *host = &observation->host;
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char number[TCT_NUMBER_TEXT];

	if (options->root != NULL)
		tct_text_addf(&text, ": files below %s", options->root);
	if (host->kernel[0] != '\0')
		tct_text_addf(&text, "%s Linux %s%s", text.length > 0 ? "," : ":", host->kernel,
			      host->kernel_assumed ? " (the running one: DIR has none)" : "");
	if (host->mem_total_bytes >= 0)
		tct_text_addf(&text, ", %s of memory",
			      tct_text_bytes(host->mem_total_bytes, number));
	if (host->cpus > 0)
		tct_text_addf(&text, ", %s CPU%s", tct_text_count(host->cpus, number),
			      host->cpus == 1 ? "" : "s");
	if (host->source == TCT_SOURCE_LIVE)
		add_namespace(&text, &host->netns);
	if (observation->interval_ns > 0)
		tct_text_addf(&text, ", watched for %s",
			      tct_text_nanoseconds(observation->interval_ns, number));
	else if (host->source == TCT_SOURCE_LIVE)
		tct_text_add(&text, ", one look (no rates)");

	TCT_AUTO(tct_text_done) struct tct_text line = { 0 };

	tct_text_addf(&line, "%s%s", host->hostname[0] != '\0' ? host->hostname : "host",
		      text.data != NULL ? text.data : "");
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_STRONG, line.data != NULL ? line.data : "");
}

/* The eleven states, filled column by column. */
static void put_states(const struct tct_page *page, const struct tct_states *states)
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
}

/* How full the accept queue is, in millionths, for the order. */
static uint64_t fullness(const struct tct_listener *listener)
{
	uint64_t limit = listener->backlog == TCT_BACKLOG_UNKNOWN ? 4096 : listener->backlog;

	return (uint64_t)listener->queue * 1000000 / (limit + 1);
}

static int by_fullness(const void *a, const void *b)
{
	const struct tct_listener *left = *(const struct tct_listener *const *)a;
	const struct tct_listener *right = *(const struct tct_listener *const *)b;

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

static void add_listener(struct tct_table *table, const struct tct_listener *listener)
{
	char number[TCT_NUMBER_TEXT];
	char text[sizeof(listener->address) + 16];
	bool over = listener->backlog != TCT_BACKLOG_UNKNOWN && listener->queue > listener->backlog;
	const struct tct_owner *owner = &listener->owner;
	bool bracket = strchr(listener->address, ':') != NULL;

	tct_table_row(table);
	if (snprintf(text, sizeof(text), "%s%s%s:%u", bracket ? "[" : "", listener->address,
		     bracket ? "]" : "", (unsigned)listener->port) < 0)
		text[0] = '\0';
	tct_table_cell(table, TCT_STYLE_PLAIN, text);
	tct_table_cell(table, over ? TCT_STYLE_BAD : TCT_STYLE_PLAIN,
		       tct_text_count(listener->queue, number));
	tct_table_cell(table, TCT_STYLE_PLAIN,
		       listener->backlog == TCT_BACKLOG_UNKNOWN
			       ? "?"
			       : tct_text_count(listener->backlog, number));
	tct_table_cell(table, TCT_STYLE_PLAIN,
		       listener->drops < 0 ? "?" : tct_text_count(listener->drops, number));

	TCT_AUTO(tct_text_done) struct tct_text who = { 0 };

	if (owner->comm[0] != '\0')
		tct_text_addf(&who, "%s[%d]", owner->comm, (int)owner->pid);
	if (owner->unit[0] != '\0')
		tct_text_addf(&who, "%s%s", who.length > 0 ? " " : "", owner->unit);
	tct_table_cell(table, TCT_STYLE_PLAIN, who.data);
}

static void put_listeners(const struct tct_page *page, bool verbose,
			  const struct tct_observation *observation)
{
	static const struct tct_column columns[] = {
		{ "LISTENER", false }, { "QUEUE", true }, { "LIMIT", true },
		{ "DROPS", true },     { "OWNER", false },
	};
	size_t count = observation->listeners_count;
	TCT_AUTOFREE const struct tct_listener **order = calloc(count + 1, sizeof(struct tct_listener *));
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, columns, TCT_COUNT(columns));
	size_t shown = 0;
	char added[80];

	if (count == 0 || order == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		order[i] = &observation->listeners[i];
	qsort(order, count, sizeof(*order), by_fullness);
	for (size_t i = 0; i < count && (verbose || shown < TOP_LISTENERS); i++) {
		if (verbose || is_worth_seeing(order[i])) {
			add_listener(table, order[i]);
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

static void put_findings(const struct tct_page *page, bool verbose,
			 const struct tct_report *report)
{
	tct_page_heading(page, "Findings", report->findings_count == 0 ? "none" : "worst first");
	for (size_t i = 0; i < report->findings_count;) {
		size_t alike = tct_findings_alike(&report->findings[i], report->findings_count - i);

		tct_render_findings(page, verbose, &report->findings[i], alike);
		i += alike;
	}
}

static void add_setting(struct tct_table *table, const struct tct_report *report,
			const struct tct_setting_verdict *verdict)
{
	const struct tct_setting *setting = verdict->setting;
	TCT_AUTOFREE char *live =
		tct_value_or(tct_observation_value(report->observation, setting->key), "-");
	TCT_AUTOFREE char *wanted = tct_value_or(&verdict->wanted, "?");
	bool change = verdict->status == TCT_SETTING_CHANGE;

	tct_table_row(table);
	tct_table_cell(table, change ? TCT_STYLE_PLAIN : TCT_STYLE_DIM, setting->key->name);
	tct_table_cell(table, TCT_STYLE_PLAIN, live);
	tct_table_cell(table, change ? TCT_STYLE_GOOD : TCT_STYLE_DIM,
		       change ? wanted : tct_setting_status_name(verdict->status));
	tct_table_cell(table, TCT_STYLE_PLAIN, change ? setting->because : verdict->reason);
}

static size_t count_changes(const struct tct_report *report)
{
	size_t changes = 0;

	for (size_t i = 0; i < report->settings_count; i++)
		changes += report->settings[i].status == TCT_SETTING_CHANGE ? 1 : 0;
	return changes;
}

static void add_profiles(struct tct_text *text, const struct tct_report *report, const char *join)
{
	for (size_t i = 0; i < report->set->names_count; i++)
		tct_text_addf(text, "%s%s", i > 0 ? join : "", report->set->names[i]);
}

static void put_settings(const struct tct_page *page, bool verbose,
			 const struct tct_report *report)
{
	const struct tct_column columns[] = {
		{ "KEY", false },
		{ report->observation->boot_values != NULL ? "IN FILES" : "LIVE", false },
		{ "WANTED", false },
		{ "BECAUSE", false },
	};
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, columns, TCT_COUNT(columns));
	TCT_AUTO(tct_text_done) struct tct_text heading = { 0 };
	char added[80];

	if (report->settings_count == 0)
		return;
	for (size_t i = 0; i < report->settings_count; i++) {
		const struct tct_setting_verdict *verdict = &report->settings[i];

		if (verdict->status == TCT_SETTING_CHANGE ||
		    verdict->status == TCT_SETTING_REFUSED ||
		    (verbose && verdict->status == TCT_SETTING_UNSUPPORTED))
			add_setting(table, report, verdict);
	}
	tct_text_add(&heading, "Settings of ");
	add_profiles(&heading, report, ", ");
	if (snprintf(added, sizeof(added), "%zu of %zu differ", count_changes(report),
		     report->settings_count) < 0)
		added[0] = '\0';
	tct_page_heading(page, heading.data != NULL ? heading.data : "", added);
	tct_table_print(table);
}

/* A rule that simply had nothing to look at in so short a time, or without rates. */
static bool is_dull(const char *reason)
{
	return strstr(reason, "not enough traffic") != NULL || strstr(reason, "one look") != NULL ||
	       strstr(reason, "interval") != NULL;
}

/* What could not be seen: things with the same reason together. */
static void put_gaps(const struct tct_page *page, const struct tct_observation *observation)
{
	for (size_t i = 0; i < observation->gaps_count; i++) {
		const struct tct_gap *gap = &observation->gaps[i];
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
		bool told = false;

		for (size_t j = 0; j < i; j++)
			told = told || strcmp(observation->gaps[j].why, gap->why) == 0;
		if (told)
			continue;
		tct_text_add(&text, gap->what);
		for (size_t j = i + 1; j < observation->gaps_count; j++) {
			if (strcmp(observation->gaps[j].why, gap->why) == 0)
				tct_text_addf(&text, "; %s", observation->gaps[j].what);
		}
		tct_text_addf(&text, ": %s", gap->why);
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN,
				   text.data != NULL ? text.data : "");
	}
}

static void put_limits(const struct tct_page *page, bool verbose, const struct tct_report *report)
{
	enum { LABEL = 26 };
	const struct tct_observation *observation = report->observation;
	TCT_AUTO(tct_text_done) struct tct_text dull = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (observation->gaps_count == 0 && report->not_evaluated_count == 0)
		return;
	tct_page_heading(page, "Not seen, not judged",
			 verbose ? NULL : "--verbose gives all the reasons");
	put_gaps(page, observation);
	for (size_t i = 0; i < report->not_evaluated_count; i++) {
		const struct tct_not_evaluated *entry = &report->not_evaluated[i];

		if (verbose)
			tct_page_paragraph(page, 2, entry->id, LABEL, TCT_STYLE_PLAIN,
					   entry->reason);
		else if (is_dull(entry->reason))
			tct_text_addf(&dull, "%s%s", dull.length > 0 ? ", " : "", entry->id);
		else
			tct_text_addf(&text, "%s%s", text.length > 0 ? ", " : "", entry->id);
	}
	if (text.length > 0)
		tct_page_paragraph(page, 2, "inputs are missing for", LABEL, TCT_STYLE_PLAIN,
				   text.data);
	if (dull.length > 0)
		tct_page_paragraph(page, 2,
				   observation->interval_ns > 0 ? "not enough traffic for"
								: "no rates for",
				   LABEL, TCT_STYLE_PLAIN, dull.data);
}

static void put_summary(const struct tct_page *page, const struct tct_report *report)
{
	tct_page_newline(page);
	for (enum tct_severity severity = TCT_SEVERITY_CRITICAL; severity < TCT_SEVERITY_LIMIT;
	     severity++) {
		size_t count = report->by_severity[severity];

		tct_page_putf(page, count > 0 ? tct_severity_style(severity) : TCT_STYLE_DIM,
			      "%zu %s", count, tct_severity_name(severity));
		tct_page_put(page, TCT_STYLE_PLAIN, severity + 1 < TCT_SEVERITY_LIMIT ? ", " : "");
	}
	if (report->not_evaluated_count > 0)
		tct_page_putf(page, TCT_STYLE_DIM, "; %zu rules could not be judged",
			      report->not_evaluated_count);
	tct_page_newline(page);
}

/* The command to type next. */
static void put_next(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_report *report)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (report->by_severity[TCT_SEVERITY_CRITICAL] == 0 && count_changes(report) > 0) {
		tct_text_add(&text, "tcptune apply");
		for (size_t i = 0; i < report->set->names_count; i++) {
			tct_text_add(&text, " --profile ");
			tct_shell_word(&text, report->set->names[i]);
		}
		for (size_t i = 0; i < options->vars.items_count; i++) {
			tct_text_add(&text, " --var ");
			tct_shell_word(&text, options->vars.items[i]);
		}
		tct_suggest_place(&text, options);
		tct_text_add(&text, " --dry-run");
	} else if (report->findings_count > 0) {
		tct_text_addf(&text, "tcptune explain %s", report->findings[0].rule->id);
	} else if (options->profiles.items_count == 0) {
		tct_text_add(&text, "tcptune profile list");
	} else {
		tct_text_add(&text, "tcptune history");
		tct_suggest_place(&text, options);
	}
	tct_page_line(page, 0, "next:", 6, TCT_STYLE_STRONG, text.data != NULL ? text.data : "");
}

static void put_quiet(const struct tct_page *page, const struct tct_report *report)
{
	for (size_t i = 0; i < report->findings_count; i++) {
		const struct tct_finding *finding = &report->findings[i];

		tct_page_put(page, tct_severity_style(finding->severity),
			     tct_severity_name(finding->severity));
		tct_page_putf(page, TCT_STYLE_PLAIN, " %s: %s", finding->rule->id, finding->title);
		tct_page_newline(page);
	}
}

void tct_render_audit(const struct tct_page *page, const struct tct_options *options,
		      const struct tct_report *report)
{
	const struct tct_observation *observation = report->observation;

	if (options->quiet) {
		put_quiet(page, report);
		return;
	}
	put_host(page, options, observation);
	put_states(page, &observation->states);
	put_listeners(page, options->verbose, observation);
	put_findings(page, options->verbose, report);
	put_settings(page, options->verbose, report);
	put_limits(page, options->verbose, report);
	put_summary(page, report);
	put_next(page, options, report);
}
