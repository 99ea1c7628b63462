/* The explanation of a finding: the rule that makes it. */
#include <ctype.h>
#include <string.h>

#include "cli/explain_data.h"
#include "cli/profile_view.h"
#include "core/mem.h"

void tct_template_plain(const struct tct_template *source, struct tct_text *out)
{
	const char *at = tct_template_source(source);

	while (*at != '\0') {
		size_t length = strcspn(at, "{}");

		tct_text_add_bytes(out, at, length);
		at += length;
		if (*at == '\0')
			break;
		if (at[1] == at[0]) { /* a brace of the text itself */
			tct_text_add_bytes(out, at, 1);
			at++;
		} else {
			tct_text_add(out, *at == '{' ? "<" : ">");
		}
		at++;
	}
}

/* A template's text under a title; as it stands if it is a command. */
static void add_template(struct tct_explanation *explanation, const char *title,
			 const struct tct_template *source, bool verbatim)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (source == NULL)
		return;
	tct_template_plain(source, &text);
	if (text.failed)
		explanation->failed = true;
	else if (verbatim)
		tct_explanation_verbatim(explanation, title, tct_text_string(&text));
	else
		tct_explanation_add(explanation, title, "%s", tct_text_string(&text));
}

static void explain_severity(struct tct_explanation *explanation, const struct tct_rule *rule)
{
	for (enum tct_severity severity = TCT_SEVERITY_CRITICAL; severity < TCT_SEVERITY_LIMIT;
	     severity++) {
		const char *name = tct_severity_name(severity);

		if (!rule->severity_given[severity])
			continue;
		if (rule->severity_when[severity] != NULL)
			tct_explanation_add(explanation, "severity", "%s when %s", name,
					    tct_expr_source(rule->severity_when[severity]));
		else
			tct_explanation_add(explanation, "severity", "%s", name);
	}
}

static void explain_change(struct tct_explanation *explanation,
			   const struct tct_remedy_sysctl *change)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	const struct {
		const char *word;
		const struct tct_bound *bound;
	} bounds[] = {
		{ "", &change->set },
		{ "at least ", &change->at_least },
		{ "at most ", &change->at_most },
	};
	size_t told = 0;

	tct_text_addf(&text, "sysctl %s: ", change->key->name);
	for (size_t i = 0; i < TCT_COUNT(bounds); i++) {
		if (!bounds[i].bound->given)
			continue;
		tct_text_addf(&text, "%s%s", told > 0 ? ", " : "", bounds[i].word);
		tct_bound_source(change->key, bounds[i].bound, &text);
		told++;
	}
	tct_explanation_verbatim(explanation, "do", tct_text_string(&text));
}

static void explain_when(struct tct_explanation *explanation, const struct tct_rule *rule)
{
	char version[32];

	tct_explanation_add(explanation, "when", "%s%s%s%s", tct_expr_source(rule->when),
			    rule->each != TCT_EACH_NONE ? ", for each " : "",
			    rule->each != TCT_EACH_NONE ? tct_each_name(rule->each) : "",
			    rule->each == TCT_EACH_LINE ? " of the sysctl files" : "");
	if (rule->for_at_least != NULL)
		tct_explanation_add(explanation, "when", "for at least %s without a break",
				    tct_expr_source(rule->for_at_least));
	if (rule->since != 0)
		tct_explanation_add(explanation, "kernels", "since %s",
				    tct_version_text(rule->since, version));
	if (rule->until != 0)
		tct_explanation_add(explanation, "kernels", "before %s",
				    tct_version_text(rule->until, version));
	if (rule->sort != NULL)
		tct_explanation_add(explanation, "told", "the worst %zu of each severity, by %s",
				    rule->top, tct_expr_source(rule->sort));
}

/* Is `word` in text, as a word of its own? */
static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
		bool begins = at == text ||
			      (!isalnum((unsigned char)at[-1]) && at[-1] != '_' && at[-1] != '.');

		if (begins && !isalnum((unsigned char)at[length]) && at[length] != '_' &&
		    at[length] != '.')
			return true;
	}
	return false;
}

/* Is the word in one of the rule's expressions? */
static bool rule_has(const struct tct_rule *rule, const char *word)
{
	if (has_word(tct_expr_source(rule->when), word) ||
	    (rule->for_at_least != NULL && has_word(tct_expr_source(rule->for_at_least), word)))
		return true;
	for (enum tct_severity severity = TCT_SEVERITY_CRITICAL; severity < TCT_SEVERITY_LIMIT;
	     severity++) {
		if (rule->severity_when[severity] != NULL &&
		    has_word(tct_expr_source(rule->severity_when[severity]), word))
			return true;
	}
	return false;
}

/* The variables that its conditions compare with: what --var may change. */
static void explain_thresholds(struct tct_explanation *explanation,
			       const struct tct_profile_set *set, const struct tct_rule *rule)
{
	for (size_t i = 0; set != NULL && i < set->variables_count; i++) {
		const struct tct_variable *variable = &set->variables[i];

		if (rule_has(rule, variable->name))
			tct_explanation_add(explanation, "threshold", "%s = %s%s%s", variable->name,
					    tct_expr_source(variable->expr),
					    variable->summary[0] != '\0' ? ": " : "",
					    variable->summary);
	}
}

void tct_explain_readers(struct tct_explanation *explanation, const struct tct_book *book,
			 const struct tct_topic *topic)
{
	TCT_AUTO(tct_text_done) struct tct_text list = { 0 };

	if (topic->key == NULL && topic->counter == NULL)
		return;
	for (size_t i = 0; i < book->topics_count; i++) {
		const struct tct_rule *rule = book->topics[i].rule;

		if (rule != NULL && rule_has(rule, topic->name))
			tct_text_addf(&list, "%s%s", list.length > 0 ? ", " : "", rule->id);
	}
	if (list.length > 0)
		tct_explanation_add(explanation, "findings", "%s", list.data);
}

void tct_explain_rule(struct tct_explanation *explanation, const struct tct_profile_set *set,
		      const struct tct_rule *rule)
{
	TCT_AUTO(tct_text_done) struct tct_text covered = { 0 };

	explain_severity(explanation, rule);
	tct_explanation_add(explanation, "whose", "%s%s", tct_cause_name(rule->cause),
			    rule->cause != TCT_CAUSE_SYSCTL && rule->sysctls_count == 0
				    ? " (no kernel setting helps)"
				    : "");
	explain_when(explanation, rule);
	explain_thresholds(explanation, set, rule);
	add_template(explanation, "why", rule->why, false);
	add_template(explanation, "application", rule->application, false);
	for (size_t i = 0; i < rule->sysctls_count; i++)
		explain_change(explanation, &rule->sysctls[i]);
	for (size_t i = 0; i < rule->commands_count; i++)
		add_template(explanation, "do", rule->commands[i], true);
	for (size_t i = 0; i < rule->never_count; i++)
		tct_explanation_add(explanation, "never", "%s: %s", rule->never[i].what,
				    rule->never[i].because);
	for (size_t i = 0; i < rule->explains_count; i++)
		tct_text_addf(&covered, "%s%s", i > 0 ? ", " : "", rule->explains[i]);
	if (covered.length > 0)
		tct_explanation_add(explanation, "covers", "%s (left out where this one is found)",
				    covered.data);
	for (size_t i = 0; i < rule->references_count; i++)
		tct_explanation_add(explanation, "see", "%s", rule->references[i]);
	tct_explanation_add(explanation, "profile", "%s", rule->profile);
}
