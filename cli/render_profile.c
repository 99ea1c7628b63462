#include <stdlib.h>
#include <string.h>

#include "cli/profile_view.h"
#include "cli/render.h"
#include "cli/render_table.h"
#include "core/mem.h"

enum { LABEL = 10 };

static void add_bound(const struct tct_kernel_key *key, const char *word,
		      const struct tct_bound *bound, struct tct_text *out)
{
	if (!bound->given)
		return;
	tct_text_addf(out, "%s%s ", out->length > 0 ? ", " : "", word);
	tct_bound_source(key, bound, out);
}

static void put_variable(const struct tct_page *page, const struct tct_variable *variable)
{
	enum { NAME = 18 };
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text value = { 0 };
	const char *source = tct_expr_source(variable->expr);

	if (variable->value.status == TCT_STATUS_VALUE)
		tct_result_print(&variable->value, &value);
	tct_text_add(&text, value.data != NULL ? value.data : "not set");
	if (variable->origin != NULL)
		tct_text_addf(&text, " (%s)", variable->origin);
	else if (strchr(source, '(') != NULL && value.data != NULL) /* computed, not just a number
								     */
		tct_text_addf(&text, " = %s", source);
	if (variable->summary != NULL && variable->summary[0] != '\0')
		tct_text_addf(&text, ": %s", variable->summary);
	tct_page_paragraph(page, 2, variable->name, NAME, TCT_STYLE_PLAIN, tct_text_string(&text));
}

static void put_variables(const struct tct_page *page, const struct tct_profile_set *set)
{
	if (set->variables_count > 0)
		tct_page_heading(page, "Variables", "--var NAME=VALUE overrides them");
	for (size_t i = 0; i < set->variables_count; i++)
		put_variable(page, &set->variables[i]);
}

static void put_setting(const struct tct_page *page, const struct tct_report *report,
			const struct tct_setting_verdict *verdict)
{
	const struct tct_setting *setting = verdict->setting;
	TCT_AUTO(tct_text_done) struct tct_text asked = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text here = { 0 };
	TCT_AUTOFREE char *live =
		tct_value_or(tct_observation_value(report->observation, setting->key), "?");
	TCT_AUTOFREE char *wanted = tct_value_or(&verdict->wanted, "?");

	add_bound(setting->key, "set", &setting->set, &asked);
	add_bound(setting->key, "at least", &setting->at_least, &asked);
	add_bound(setting->key, "at most", &setting->at_most, &asked);
	tct_page_newline(page);
	tct_page_putf(page, TCT_STYLE_STRONG, "  %s", setting->key->name);
	tct_page_putf(page, TCT_STYLE_DIM, "  (%s)", setting->profile);
	tct_page_newline(page);
	tct_page_paragraph(page, 4, "asks for", LABEL, TCT_STYLE_PLAIN, tct_text_string(&asked));
	if (verdict->status == TCT_SETTING_OK)
		tct_text_addf(&here, "ok: %s", live != NULL ? live : "?");
	else if (verdict->status == TCT_SETTING_CHANGE)
		tct_text_addf(&here, "%s -> %s", live != NULL ? live : "?",
			      wanted != NULL ? wanted : "?");
	else
		tct_text_addf(&here, "%s: %s", tct_setting_status_name(verdict->status),
			      verdict->reason);
	tct_page_paragraph(page, 4, "here", LABEL,
			   verdict->status == TCT_SETTING_CHANGE ? TCT_STYLE_GOOD : TCT_STYLE_PLAIN,
			   tct_text_string(&here));
	for (size_t i = 0; i < setting->requirements_count; i++)
		tct_page_paragraph(page, 4, "requires", LABEL, TCT_STYLE_PLAIN,
				   setting->requirements[i].text);
	if (setting->because != NULL)
		tct_page_paragraph(page, 4, "because", LABEL, TCT_STYLE_PLAIN, setting->because);
}

/* The condition, and all else that decides whether and how a finding is told. */
static void add_conditions(const struct tct_rule *rule, struct tct_text *text)
{
	char version[32];

	tct_text_add(text, tct_expr_source(rule->when));
	if (rule->each != TCT_EACH_NONE)
		tct_text_addf(text, "; each %s", tct_each_name(rule->each));
	if (rule->since != 0)
		tct_text_addf(text, "; since Linux %s", tct_version_text(rule->since, version));
	if (rule->until != 0)
		tct_text_addf(text, "; until Linux %s", tct_version_text(rule->until, version));
	if (rule->for_at_least != NULL)
		tct_text_addf(text, "; for at least %s", tct_expr_source(rule->for_at_least));
	if (rule->sort != NULL)
		tct_text_addf(text, "; sort %s", tct_expr_source(rule->sort));
	if (rule->top != TCT_TOP_DEFAULT)
		tct_text_addf(text, "; top %zu", rule->top);
}

static void put_rules(const struct tct_page *page, bool verbose, const struct tct_profile_set *set)
{
	static const struct tct_column columns[] = {
		{ "RULE", false },
		{ "SEVERITY", false },
		{ "WHOSE", false },
		{ "WHEN", false },
	};
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, columns, TCT_COUNT(columns));

	for (size_t i = 0; i < set->rules_count; i++) {
		const struct tct_rule *rule = &set->rules[i];
		TCT_AUTO(tct_text_done) struct tct_text severities = { 0 };
		TCT_AUTO(tct_text_done) struct tct_text conditions = { 0 };

		add_conditions(rule, &conditions);
		for (enum tct_severity severity = TCT_SEVERITY_CRITICAL;
		     severity < TCT_SEVERITY_LIMIT; severity++) {
			if (rule->severity_given[severity])
				tct_text_addf(&severities, "%s%s", severities.length > 0 ? "/" : "",
					      tct_severity_name(severity));
		}
		tct_table_row(table);
		tct_table_cell(table, TCT_STYLE_PLAIN, rule->id);
		tct_table_cell(table, TCT_STYLE_PLAIN, tct_text_string(&severities));
		tct_table_cell(table, TCT_STYLE_PLAIN, tct_cause_name(rule->cause));
		tct_table_cell(table, TCT_STYLE_PLAIN,
			       verbose ? tct_text_string(&conditions)
				       : tct_template_source(rule->title));
	}
	if (tct_table_rows(table) > 0)
		tct_page_heading(page, "Rules", verbose ? NULL : "tcptune explain RULE tells more");
	tct_table_print(table);
}

static void put_never(const struct tct_page *page, const struct tct_profile_set *set)
{
	for (size_t i = 0; i < set->never_count; i++) {
		const struct tct_never *never = &set->never[i];
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		if (i == 0)
			tct_page_heading(page, "Never", "refused whoever asks for it");
		tct_text_addf(&text, "%s when %s: %s", never->key->name,
			      tct_expr_source(never->when), never->because);
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN, tct_text_string(&text));
	}
}

void tct_render_profile(const struct tct_page *page, bool verbose, const struct tct_report *report,
			const char *origin)
{
	const struct tct_profile_set *set = report->set;

	tct_page_put(page, TCT_STYLE_STRONG, set->names[0]);
	tct_page_putf(page, TCT_STYLE_DIM, "  (%s)", origin);
	tct_page_newline(page);
	if (set->summary != NULL)
		tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN, set->summary);
	put_variables(page, set);
	if (report->settings_count > 0)
		tct_page_heading(page, "Settings", "and what they come to on this host");
	for (size_t i = 0; i < report->settings_count; i++)
		put_setting(page, report, &report->settings[i]);
	put_rules(page, verbose, set);
	put_never(page, set);
}

void tct_render_profiles(const struct tct_page *page, const struct tct_profile_info *infos,
			 size_t count)
{
	static const struct tct_column columns[] = {
		{ "PROFILE", false },
		{ "FROM", false },
		{ "SUMMARY", false },
	};
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, columns, TCT_COUNT(columns));

	for (size_t i = 0; i < count; i++) {
		bool broken = infos[i].error[0] != '\0';

		tct_table_row(table);
		tct_table_cell(table, TCT_STYLE_PLAIN, infos[i].name);
		tct_table_cell(table, TCT_STYLE_PLAIN, infos[i].origin);
		tct_table_cell(table, broken ? TCT_STYLE_BAD : TCT_STYLE_PLAIN,
			       broken ? infos[i].error : infos[i].summary);
	}
	tct_table_print(table);
}
