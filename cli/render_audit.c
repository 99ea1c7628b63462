#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/render.h"
#include "cli/render_table.h"
#include "cli/suggest.h"
#include "core/mem.h"

/* netns: the other network namespace that was looked into, NULL if none was. */
static void put_findings(const struct tct_page *page, bool verbose, const char *netns,
			 const struct tct_report *report)
{
	tct_page_heading(page, "Findings", report->findings_count == 0 ? "none" : "worst first");
	for (size_t i = 0; i < report->findings_count;) {
		size_t alike = tct_findings_alike(&report->findings[i], report->findings_count - i);

		tct_render_findings(page, verbose, &report->findings[i], alike,
				    tct_report_omitted(report, report->findings[i].rule,
						       report->findings[i].severity));
		i += alike;
	}
	if (netns != NULL && report->findings_count > 0)
		tct_render_inside(page, netns);
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

static void put_settings(const struct tct_page *page, bool verbose, const struct tct_report *report)
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
	tct_page_heading(page, tct_text_string(&heading), added);
	tct_table_print(table);
}

bool tct_reason_is_dull(const char *reason)
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
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN, tct_text_string(&text));
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
		else if (tct_reason_is_dull(entry->reason))
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

static void put_summary(const struct tct_page *page, const struct tct_report *report,
			const struct tct_namespace_reports *others)
{
	tct_page_newline(page);
	for (enum tct_severity severity = TCT_SEVERITY_CRITICAL; severity < TCT_SEVERITY_LIMIT;
	     severity++) {
		size_t count = report->by_severity[severity] +
			       (others != NULL ? others->by_severity[severity] : 0);

		tct_page_putf(page, count > 0 ? tct_severity_style(severity) : TCT_STYLE_DIM,
			      "%zu %s", count, tct_severity_name(severity));
		tct_page_put(page, TCT_STYLE_PLAIN, severity + 1 < TCT_SEVERITY_LIMIT ? ", " : "");
	}
	if (report->not_evaluated_count > 0)
		tct_page_putf(page, TCT_STYLE_DIM, "; %zu rule%s could not be judged",
			      report->not_evaluated_count,
			      report->not_evaluated_count == 1 ? "" : "s");
	tct_page_newline(page);
}

/* The file named by its path that a finding may come from: explain only knows profiles by name. */
static const char *file_of(const struct tct_report *report, const struct tct_finding *finding)
{
	for (size_t i = 0; i < report->set->names_count; i++) {
		if (strcmp(report->set->names[i], finding->rule->place.file) == 0)
			return report->set->names[i];
	}
	return NULL;
}

static void suggest_explain(struct tct_text *text, const struct tct_options *options,
			    const struct tct_report *report)
{
	const struct tct_finding *worst = &report->findings[0];
	const char *file = file_of(report, worst);

	if (file != NULL) {
		tct_text_add(text, "tcptune profile show ");
		tct_shell_word(text, file);
	} else {
		tct_text_addf(text, "tcptune explain %s", worst->rule->id);
	}
	tct_suggest_root(text, options);
}

/* What would change that host can't be suggested here. */
static void suggest_for_snapshot(struct tct_text *text, const struct tct_options *options,
				 const struct tct_report *report)
{
	if (report->findings_count > 0)
		suggest_explain(text, options, report);
	else
		tct_text_add(text, "tcptune explain");
}

/* The other namespace to look at next: one whose worst finding is worse than all of our own. */
static const char *worse_namespace(const struct tct_report *report,
				   const struct tct_namespace_reports *others)
{
	const struct tct_namespace_report *worst;

	if (others == NULL || others->items_count == 0)
		return NULL;
	worst = &others->items[0];
	if (report->findings_count > 0 &&
	    report->findings[0].severity <= worst->report->findings[0].severity)
		return NULL;
	return worst->where.name;
}

/* The command to type next. */
static void put_next(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_report *report, const struct tct_namespace_reports *others)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	const char *netns = worse_namespace(report, others);

	if (report->observation->host.source == TCT_SOURCE_SNAPSHOT) {
		suggest_for_snapshot(&text, options, report);
	} else if (netns != NULL) {
		tct_text_add(&text, "tcptune audit");
		if (options->profiles.items_count > 0)
			tct_suggest_profiles(&text, report->set->names, report->set->names_count);
		tct_suggest_vars(&text, options);
		tct_text_add(&text, " --netns ");
		tct_shell_word(&text, netns);
	} else if (report->by_severity[TCT_SEVERITY_CRITICAL] == 0 && count_changes(report) > 0 &&
		   !report->observation->host.sosreport) {
		/* into a sosreport nothing is to be applied, so a finding's explanation comes next
		 */
		tct_text_add(&text, "tcptune apply");
		tct_suggest_profiles(&text, report->set->names, report->set->names_count);
		tct_suggest_vars(&text, options);
		tct_suggest_place(&text, options);
		tct_text_add(&text, " --dry-run");
	} else if (report->findings_count > 0) {
		suggest_explain(&text, options, report);
	} else if (options->profiles.items_count == 0) {
		tct_text_add(&text, "tcptune profile list");
	} else {
		tct_text_add(&text, "tcptune history");
		tct_suggest_root(&text, options);
	}
	tct_page_line(page, 0, "next:", 6, TCT_STYLE_STRONG, tct_text_string(&text));
}

void tct_render_audit(const struct tct_page *page, const struct tct_options *options,
		      const struct tct_report *report, const struct tct_namespace_reports *others)
{
	const struct tct_observation *observation = report->observation;

	if (options->quiet) {
		tct_render_findings_quiet(page, report, NULL);
		if (others != NULL)
			tct_render_namespaces_quiet(page, others);
		return;
	}
	tct_render_host(page, options, observation);
	tct_render_states(page, &observation->states);
	tct_render_listeners(page, options->verbose, observation);
	if (options->verbose)
		tct_render_owners(page, observation);
	tct_render_usage(page, options->verbose, report);
	put_findings(page, options->verbose, options->netns, report);
	tct_render_suppressed(page, options->verbose, report, others);
	put_settings(page, options->verbose, report);
	put_limits(page, options->verbose, report);
	if (others != NULL)
		tct_render_namespaces(page, options, others, report);
	put_summary(page, report, others);
	put_next(page, options, report, others);
}
