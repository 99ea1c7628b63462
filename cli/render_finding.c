#include <stdlib.h>
#include <string.h>

#include "cli/render.h"
#include "core/mem.h"

enum {
	INDENT = 2,
	LABEL = 8,
};

static const char *orempty(const struct tct_text *text)
{
	return tct_text_string(text);
}

/* Whose it is, and whether any kernel setting helps. */
static void put_cause(const struct tct_page *page, const struct tct_finding *finding)
{
	static const char *const words[TCT_CAUSE_LIMIT] = {
		[TCT_CAUSE_APPLICATION] = "application", [TCT_CAUSE_SYSCTL] = "sysctl",
		[TCT_CAUSE_NETWORK] = "network",         [TCT_CAUSE_ATTACK] = "attack",
		[TCT_CAUSE_MEMORY] = "memory",
	};
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	tct_text_add(&text, words[finding->rule->cause]);
	if (finding->rule->cause != TCT_CAUSE_SYSCTL && finding->rule->sysctls_count == 0)
		tct_text_add(&text, " (no kernel setting helps)");
	tct_page_paragraph(page, INDENT, "whose", LABEL, TCT_STYLE_PLAIN, orempty(&text));
}

static void put_evidence(const struct tct_page *page, const struct tct_finding *finding)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	for (size_t i = 0; i < finding->evidence_count; i++) {
		const struct tct_evidence *evidence = &finding->evidence[i];

		tct_text_addf(&text, "%s%s = ", i > 0 ? ", " : "", evidence->name);
		tct_result_print(&evidence->result, &text);
	}
	if (text.length > 0)
		tct_page_paragraph(page, INDENT, "seen", LABEL, TCT_STYLE_PLAIN, orempty(&text));
}

/* Settings to change and commands to type, line by line. */
static void add_actions(const struct tct_finding *finding, struct tct_text *text)
{
	for (size_t i = 0; i < finding->sysctls_count; i++) {
		const struct tct_sysctl_change *change = &finding->sysctls[i];
		TCT_AUTOFREE char *from = tct_value_or(&change->from, "(not known)");
		TCT_AUTOFREE char *to = tct_value_or(&change->to, "(not known)");

		tct_text_addf(text, "sysctl %s: %s -> %s\n", change->key->name,
			      from != NULL ? from : "?", to != NULL ? to : "?");
	}
	for (size_t i = 0; i < finding->commands_count; i++)
		tct_text_addf(text, "%s\n", finding->commands[i]);
}

/* What one finding says besides its title, as texts: equal ones are printed once. */
struct body {
	struct tct_text why;
	struct tct_text application;
	struct tct_text actions;
};

static void done_body(struct body *body)
{
	tct_text_done(&body->why);
	tct_text_done(&body->application);
	tct_text_done(&body->actions);
}

static void make_body(const struct tct_finding *finding, struct body *body)
{
	*body = (struct body){ 0 };
	if (finding->why != NULL)
		tct_text_add(&body->why, finding->why);
	if (finding->application != NULL)
		tct_text_add(&body->application, finding->application);
	add_actions(finding, &body->actions);
}

/* Which parts are the same for all findings of a group, or are to be printed. */
struct parts {
	bool why;
	bool application;
	bool actions;
};

static bool is_same(const struct tct_text *a, const struct tct_text *b)
{
	return strcmp(orempty(a), orempty(b)) == 0;
}

static struct parts find_same(const struct tct_finding *findings, size_t count,
			      const struct body *first)
{
	struct parts same = { true, true, true };

	for (size_t i = 1; i < count; i++) {
		TCT_AUTO(done_body) struct body body = { 0 };

		make_body(&findings[i], &body);
		same.why = same.why && is_same(&body.why, &first->why);
		same.application =
			same.application && is_same(&body.application, &first->application);
		same.actions = same.actions && is_same(&body.actions, &first->actions);
	}
	return same;
}

static void put_actions(const struct tct_page *page, const char *label, const char *at)
{
	while (*at != '\0') {
		size_t length = strcspn(at, "\n");
		TCT_AUTOFREE char *line = tct_text_copy(at, length);

		tct_page_line(page, INDENT, label, LABEL, TCT_STYLE_STRONG,
			      line != NULL ? line : "");
		label = NULL;
		at += length + 1;
	}
}

static void put_parts(const struct tct_page *page, const struct body *body, struct parts wanted)
{
	bool application = wanted.application && body->application.length > 0;

	if (wanted.why && body->why.length > 0)
		tct_page_paragraph(page, INDENT, "why", LABEL, TCT_STYLE_PLAIN, body->why.data);
	if (application)
		tct_page_paragraph(page, INDENT, "do", LABEL, TCT_STYLE_PLAIN,
				   body->application.data);
	if (wanted.actions)
		put_actions(page, application ? NULL : "do", orempty(&body->actions));
}

/* What the rule says, whatever was found. */
static void put_rule(const struct tct_page *page, bool verbose, const struct tct_rule *rule)
{
	for (size_t i = 0; i < rule->never_count; i++) {
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		tct_text_addf(&text, "%s: %s", rule->never[i].what, rule->never[i].because);
		tct_page_paragraph(page, INDENT, i == 0 ? "never" : NULL, LABEL, TCT_STYLE_PLAIN,
				   orempty(&text));
	}
	for (size_t i = 0; verbose && i < rule->references_count; i++)
		tct_page_paragraph(page, INDENT, i == 0 ? "see" : NULL, LABEL, TCT_STYLE_DIM,
				   rule->references[i]);
}

static void put_tag(const struct tct_page *page, const struct tct_finding *finding, size_t count)
{
	static const char *const tags[TCT_SEVERITY_LIMIT] = {
		[TCT_SEVERITY_CRITICAL] = "CRITICAL",
		[TCT_SEVERITY_WARNING] = "WARNING",
		[TCT_SEVERITY_ADVICE] = "ADVICE",
		[TCT_SEVERITY_INFO] = "INFO",
	};
	char number[TCT_NUMBER_TEXT];

	tct_page_newline(page);
	tct_page_put(page, tct_severity_style(finding->severity), tags[finding->severity]);
	tct_page_putf(page, TCT_STYLE_DIM, "  %s", finding->rule->id);
	if (count > 1)
		tct_page_putf(page, TCT_STYLE_DIM, ", %s times",
			      tct_text_count((int64_t)count, number));
	tct_page_newline(page);
}

size_t tct_findings_alike(const struct tct_finding *findings, size_t count)
{
	size_t alike = 1;

	while (alike < count && findings[alike].rule == findings[0].rule &&
	       findings[alike].severity == findings[0].severity)
		alike++;
	return alike;
}

void tct_omitted_add(struct tct_text *text, const struct tct_omitted *omitted)
{
	char number[TCT_NUMBER_TEXT];

	tct_text_addf(text, "and %s more", tct_text_count((int64_t)omitted->count, number));
	for (size_t i = 0; i < omitted->subjects_count; i++)
		tct_text_addf(text, "%s%s", i == 0 ? ": " : ", ", omitted->subjects[i]);
	if (omitted->subjects_count > 0 && omitted->subjects_count < omitted->count)
		tct_text_add(text, ", ...");
}

/* Those beyond the rule's top. */
static void put_omitted(const struct tct_page *page, const struct tct_omitted *omitted)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (omitted == NULL)
		return;
	tct_omitted_add(&text, omitted);
	tct_page_paragraph(page, INDENT, NULL, 0, TCT_STYLE_PLAIN, orempty(&text));
}

static size_t count_all(size_t told, const struct tct_omitted *omitted)
{
	return told + (omitted != NULL ? omitted->count : 0);
}

void tct_render_findings(const struct tct_page *page, bool verbose,
			 const struct tct_finding *findings, size_t count,
			 const struct tct_omitted *omitted)
{
	TCT_AUTO(done_body) struct body common = { 0 };

	make_body(&findings[0], &common);

	struct parts same = find_same(findings, count, &common);
	struct parts own = { !same.why, !same.application, !same.actions };

	put_tag(page, &findings[0], count_all(count, omitted));
	for (size_t i = 0; i < count; i++) {
		TCT_AUTO(done_body) struct body body = { 0 };

		make_body(&findings[i], &body);
		tct_page_paragraph(page, INDENT, NULL, 0, TCT_STYLE_STRONG, findings[i].title);
		put_evidence(page, &findings[i]);
		put_parts(page, &body, own);
	}
	put_omitted(page, omitted);
	put_cause(page, &findings[0]);
	put_parts(page, &common, same);
	put_rule(page, verbose, findings[0].rule);
}

void tct_render_findings_again(const struct tct_page *page, const struct tct_finding *findings,
			       size_t count, const struct tct_omitted *omitted)
{
	const struct parts wanted = { .actions = true };

	put_tag(page, &findings[0], count_all(count, omitted));
	for (size_t i = 0; i < count; i++) {
		TCT_AUTO(done_body) struct body body = { 0 };

		make_body(&findings[i], &body);
		tct_page_paragraph(page, INDENT, NULL, 0, TCT_STYLE_STRONG, findings[i].title);
		put_evidence(page, &findings[i]);
		put_parts(page, &body, wanted);
	}
	put_omitted(page, omitted);
}

static void put_quiet(const struct tct_page *page, const struct tct_finding *finding,
		      const char *netns, const char *text)
{
	tct_page_put(page, tct_severity_style(finding->severity),
		     tct_severity_name(finding->severity));
	tct_page_putf(page, TCT_STYLE_PLAIN, " %s%s%s: %s", finding->rule->id,
		      netns != NULL ? " in " : "", netns != NULL ? netns : "", text);
	tct_page_newline(page);
}

void tct_render_findings_quiet(const struct tct_page *page, const struct tct_report *report,
			       const char *netns)
{
	for (size_t i = 0; i < report->findings_count;) {
		const struct tct_finding *findings = &report->findings[i];
		size_t alike = tct_findings_alike(findings, report->findings_count - i);
		const struct tct_omitted *omitted =
			tct_report_omitted(report, findings[0].rule, findings[0].severity);
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		for (size_t k = 0; k < alike; k++)
			put_quiet(page, &findings[k], netns, findings[k].title);
		if (omitted != NULL) {
			tct_omitted_add(&text, omitted);
			put_quiet(page, &findings[0], netns, orempty(&text));
		}
		i += alike;
	}
}
