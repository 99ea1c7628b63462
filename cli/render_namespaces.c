/* What `audit --all-netns` says of the namespaces besides our own. */
#include <stdio.h>
#include <string.h>

#include "cli/render.h"
#include "cli/suggest.h"
#include "core/mem.h"

enum {
	TOP_NAMESPACES = 20,
	INDENT = 2,
	LABEL = 8,
};

static const char *orempty(const struct tct_text *text)
{
	return tct_text_string(text);
}

/* "nginx[812] docker:4f2a9c01b2d3, ESTABLISHED 900, LISTEN 2" */
static void add_scene(struct tct_text *text, const struct tct_namespace_report *item)
{
	char number[TCT_NUMBER_TEXT];

	if (item->where.pid != 0)
		tct_text_addf(text, "%s[%d]", item->where.comm, (int)item->where.pid);
	if (item->where.unit[0] != '\0')
		tct_text_addf(text, " %s", item->where.unit);
	for (enum tct_state state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT && item->counted;
	     state++) {
		if (item->counts[state] > 0)
			tct_text_addf(text, "%s%s %s", text->length > 0 ? ", " : "",
				      tct_state_name(state),
				      tct_text_count(item->counts[state], number));
	}
}

void tct_render_inside(const struct tct_page *page, const char *netns)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	tct_page_newline(page);
	if (strchr(netns, '/') != NULL) {
		tct_text_add(&text, "nsenter --net=");
		tct_shell_word(&text, netns);
	} else {
		bool pid = netns[strspn(netns, "0123456789")] == '\0';

		tct_text_addf(&text, pid ? "nsenter -n -t " : "ip netns exec ");
		tct_shell_word(&text, netns);
	}
	tct_text_add(&text, " COMMAND");
	tct_page_line(page, INDENT, "inside", LABEL, TCT_STYLE_STRONG, orempty(&text));
}

static void add_suggestion(struct tct_text *text, const struct tct_options *options,
			   const struct tct_namespace_reports *others, const char *name)
{
	tct_text_add(text, "tcptune audit");
	if (options->profiles.items_count > 0)
		tct_suggest_profiles(text, others->set->names, others->set->names_count);
	tct_suggest_vars(text, options);
	tct_text_add(text, " --netns ");
	tct_shell_word(text, name);
}

/* Has the rule been explained in what was printed so far? */
static bool is_known_rule(const struct tct_namespace_reports *others, size_t item,
			  const struct tct_report *own, const struct tct_rule *rule)
{
	for (size_t i = 0; i < own->findings_count; i++) {
		if (own->findings[i].rule == rule)
			return true;
	}
	for (size_t i = 0; i < item; i++) {
		const struct tct_report *report = others->items[i].report;

		for (size_t j = 0; j < report->findings_count; j++) {
			if (report->findings[j].rule == rule)
				return true;
		}
	}
	return false;
}

static void put_namespace(const struct tct_page *page, const struct tct_options *options,
			  const struct tct_namespace_reports *others, size_t index,
			  const struct tct_report *own)
{
	const struct tct_namespace_report *item = &others->items[index];
	const struct tct_report *report = item->report;
	TCT_AUTO(tct_text_done) struct tct_text heading = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text scene = { 0 };

	tct_text_addf(&heading, "Network namespace %s", item->where.name);
	add_scene(&scene, item);
	tct_page_heading(page, orempty(&heading), orempty(&scene));
	for (size_t i = 0; i < report->findings_count;) {
		const struct tct_finding *findings = &report->findings[i];
		size_t alike = tct_findings_alike(findings, report->findings_count - i);
		const struct tct_omitted *omitted =
			tct_report_omitted(report, findings[0].rule, findings[0].severity);

		if (is_known_rule(others, index, own, findings->rule))
			tct_render_findings_again(page, findings, alike, omitted);
		else
			tct_render_findings(page, options->verbose, findings, alike, omitted);
		i += alike;
	}
	tct_render_inside(page, item->where.name);
	if (item->settings_differing > 0) {
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		tct_text_addf(&text, "%zu setting%s: ", item->settings_differing,
			      item->settings_differing == 1 ? " differs" : "s differ");
		add_suggestion(&text, options, others, item->where.name);
		tct_page_line(page, INDENT, "more", LABEL, TCT_STYLE_PLAIN, orempty(&text));
	}
}

/* Those that nothing is said of, in numbers. */
static void put_rest(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_namespace_reports *others, size_t shown)
{
	size_t quiet = others->judged - others->items_count;
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char number[TCT_NUMBER_TEXT];

	tct_page_newline(page);
	if (shown < others->items_count) {
		tct_text_addf(&text, "%s more with findings (--verbose lists them)",
			      tct_text_count((int64_t)(others->items_count - shown), number));
		tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN, orempty(&text));
		tct_text_clear(&text);
	}
	if (quiet == 0)
		return;
	tct_text_addf(&text, "%s %snetwork namespace%s: nothing to report",
		      tct_text_count((int64_t)quiet, number), shown > 0 ? "more " : "",
		      quiet == 1 ? "" : "s");
	if (others->quiet_differing > 0) {
		tct_text_addf(&text, "; in %s of them settings differ (",
			      tct_text_count((int64_t)others->quiet_differing, number));
		add_suggestion(&text, options, others, "NAME");
		tct_text_add(&text, ")");
	}
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN, orempty(&text));
}

static bool is_unjudged(const struct tct_report *report, const char *id)
{
	for (size_t i = 0; i < report->not_evaluated_count; i++) {
		if (report->not_evaluated[i].id == id)
			return true;
	}
	return false;
}

/* Rules that could not be judged somewhere, though they could in our own namespace. */
static void put_unjudged(const struct tct_page *page, bool verbose,
			 const struct tct_namespace_reports *others, const struct tct_report *own)
{
	bool any = false;

	for (size_t i = 0; i < others->unjudged_count; i++) {
		const struct tct_unjudged *unjudged = &others->unjudged[i];
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		if (is_unjudged(own, unjudged->id) ||
		    (!verbose && tct_reason_is_dull(unjudged->reason)))
			continue;
		if (!any)
			tct_page_newline(page);
		any = true;
		tct_text_addf(&text, "%s could not be judged in %zu of them: %s", unjudged->id,
			      unjudged->namespaces, unjudged->reason);
		tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN, orempty(&text));
	}
}

void tct_render_namespaces(const struct tct_page *page, const struct tct_options *options,
			   const struct tct_namespace_reports *others, const struct tct_report *own)
{
	size_t shown = 0;

	while (shown < others->items_count && (options->verbose || shown < TOP_NAMESPACES))
		put_namespace(page, options, others, shown++, own);
	put_rest(page, options, others, shown);
	put_unjudged(page, options->verbose, others, own);
}

void tct_render_namespaces_quiet(const struct tct_page *page,
				 const struct tct_namespace_reports *others)
{
	for (size_t i = 0; i < others->items_count; i++)
		tct_render_findings_quiet(page, others->items[i].report,
					  others->items[i].where.name);
}
