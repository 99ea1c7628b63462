/* Explanations, put together from the key table, the rules and the embedded texts. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain_data.h"
#include "cli/profile_view.h"
#include "core/mem.h"

static struct tct_section *section(struct tct_explanation *explanation, const char *title)
{
	struct tct_section *made;

	for (size_t i = 0; i < explanation->sections_count; i++) {
		if (strcmp(explanation->sections[i].title, title) == 0)
			return &explanation->sections[i];
	}
	made = TCT_APPEND(explanation, sections);
	if (made == NULL)
		explanation->failed = true;
	else
		made->title = title;
	return made;
}

/* Takes the text over. */
static void add_owned(struct tct_explanation *explanation, const char *title, char *text,
		      bool verbatim)
{
	struct tct_section *to = text != NULL ? section(explanation, title) : NULL;
	struct tct_passage *passage = to != NULL ? TCT_APPEND(to, passages) : NULL;

	if (passage == NULL) {
		free(text);
		explanation->failed = true;
		return;
	}
	*passage = (struct tct_passage){ .text = text, .verbatim = verbatim };
}

void tct_explanation_add(struct tct_explanation *explanation, const char *title, const char *format,
			 ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (text != NULL && text[0] == '\0')
		free(text);
	else
		add_owned(explanation, title, text, false);
}

void tct_explanation_verbatim(struct tct_explanation *explanation, const char *title,
			      const char *text)
{
	add_owned(explanation, title, strdup(text), true);
}

static void explain_range(struct tct_explanation *explanation, const struct tct_kernel_key *key)
{
	const char *unit = tct_unit_name(key->unit);
	char low[TCT_NUMBER_TEXT];
	char high[TCT_NUMBER_TEXT];

	switch (key->handler) {
	case TCT_HANDLER_WORD:
		tct_explanation_add(explanation, "value", "one name");
		return;
	case TCT_HANDLER_WORDS:
		tct_explanation_add(explanation, "value", "a list of names");
		return;
	case TCT_HANDLER_PORT_BITMAP:
		tct_explanation_add(explanation, "value",
				    "a list of ports and ranges: 80,9000-9100");
		return;
	case TCT_HANDLER_SECRET:
		tct_explanation_add(explanation, "value", "a secret: tcptune never reads it");
		return;
	case TCT_HANDLER_INT:
	case TCT_HANDLER_INT_RANGE:
	case TCT_HANDLER_U8:
	case TCT_HANDLER_UINT:
	case TCT_HANDLER_SECONDS:
	case TCT_HANDLER_MS:
	case TCT_HANDLER_ULONG:
	case TCT_HANDLER_PORT_RANGE:
		break;
	}
	tct_explanation_add(explanation, "value", "%u number%s%s%s; the kernel takes %s to %s%s",
			    key->fields, key->fields == 1 ? "" : "s", unit[0] != '\0' ? ", " : "",
			    unit, tct_text_count(key->min, low), tct_text_count(key->max, high),
			    key->beyond_max ? " and more" : "");
	if (key->sane_min != key->min || key->sane_max != key->max)
		tct_explanation_add(explanation, "value", "tcptune writes %s to %s",
				    tct_text_count(key->sane_min, low),
				    tct_text_count(key->sane_max, high));
	if (key->unlimited == TCT_UNLIMITED_NEGATIVE)
		tct_explanation_add(explanation, "value", "negative means without limit");
	if (key->unlimited == TCT_UNLIMITED_ZERO)
		tct_explanation_add(explanation, "value", "0 means without limit");
}

void tct_explain_key(struct tct_explanation *explanation, const struct tct_kernel_key *key)
{
	char version[32];

	explain_range(explanation, key);
	if (key->default_text != NULL)
		tct_explanation_add(explanation, "default", "%s", key->default_text);
	tct_explanation_add(explanation, "scope", "%s",
			    key->scope == TCT_SCOPE_HOST ? "one for the whole host"
							 : "one for each network namespace");
	tct_explanation_add(explanation, "counts", "%s", tct_effect_text(key->effect));
	if (key->since != 0)
		tct_explanation_add(explanation, "kernels", "since %s",
				    tct_version_text(key->since, version));
	if (key->until != 0)
		tct_explanation_add(explanation, "kernels", "removed in %s",
				    tct_version_text(key->until, version));
	if (key->no_op_since != 0)
		tct_explanation_add(explanation, "kernels", "without any effect since %s",
				    tct_version_text(key->no_op_since, version));
	if (key->read_only)
		tct_explanation_add(explanation, "value", "read-only");
	if (key->write_after != NULL)
		tct_explanation_add(explanation, "order",
				    "raise it after %s, lower it before; apply does so",
				    key->write_after);
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

	tct_text_addf(&text, "sysctl %s: ", change->key->name);
	for (size_t i = 0; i < TCT_COUNT(bounds); i++) {
		if (bounds[i].bound->given) {
			tct_text_add(&text, bounds[i].word);
			tct_bound_source(change->key, bounds[i].bound, &text);
		}
	}
	tct_explanation_verbatim(explanation, "do", text.data != NULL ? text.data : "");
}

void tct_explain_rule(struct tct_explanation *explanation, const struct tct_rule *rule)
{
	explain_severity(explanation, rule);
	tct_explanation_add(explanation, "whose", "%s%s", tct_cause_name(rule->cause),
			    rule->cause != TCT_CAUSE_SYSCTL && rule->sysctls_count == 0
				    ? " (no kernel setting helps)"
				    : "");
	tct_explanation_add(explanation, "when", "%s%s%s%s", tct_expr_source(rule->when),
			    rule->each != TCT_EACH_NONE ? ", for each " : "",
			    rule->each != TCT_EACH_NONE ? tct_each_name(rule->each) : "",
			    rule->each == TCT_EACH_LINE ? " of the sysctl files" : "");
	if (rule->why != NULL)
		tct_explanation_add(explanation, "why", "%s", tct_template_source(rule->why));
	if (rule->application != NULL)
		tct_explanation_add(explanation, "application", "%s",
				    tct_template_source(rule->application));
	for (size_t i = 0; i < rule->sysctls_count; i++)
		explain_change(explanation, &rule->sysctls[i]);
	for (size_t i = 0; i < rule->commands_count; i++)
		tct_explanation_verbatim(explanation, "do", tct_template_source(rule->commands[i]));
	for (size_t i = 0; i < rule->never_count; i++)
		tct_explanation_add(explanation, "never", "%s: %s", rule->never[i].what,
				    rule->never[i].because);
	for (size_t i = 0; i < rule->explains_count; i++)
		tct_explanation_add(explanation, "covers", "%s (left out where this one is found)",
				    rule->explains[i]);
	for (size_t i = 0; i < rule->references_count; i++)
		tct_explanation_add(explanation, "see", "%s", rule->references[i]);
	tct_explanation_add(explanation, "profile", "%s", rule->profile);
}

/* A list's entry: a text, or a map such as { what: ..., because: ... }. */
static void add_item(struct tct_explanation *explanation, const char *title,
		     const struct tct_yaml_node *item)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (item->kind == TCT_YAML_SCALAR) {
		tct_explanation_add(explanation, title, "%s", item->text);
		return;
	}
	for (const struct tct_yaml_node *field = item->kind == TCT_YAML_MAP ? item->first : NULL;
	     field != NULL; field = field->next) {
		if (field->value->kind == TCT_YAML_SCALAR)
			tct_text_addf(&text, "%s%s", text.length > 0 ? ": " : "",
				      field->value->text);
	}
	tct_explanation_add(explanation, title, "%s", text.data != NULL ? text.data : "");
}

/* A list of names as one line. */
static void add_joined(struct tct_explanation *explanation, const char *title,
		       const struct tct_yaml_node *list)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	for (const struct tct_yaml_node *item = list->first; item != NULL; item = item->next) {
		if (item->kind == TCT_YAML_SCALAR)
			tct_text_addf(&text, "%s%s", text.length > 0 ? ", " : "", item->text);
	}
	tct_explanation_add(explanation, title, "%s", text.data != NULL ? text.data : "");
}

/* End the passage that was being gathered. */
static void flush_passage(struct tct_explanation *explanation, struct tct_text *text, bool verbatim)
{
	if (text->failed)
		explanation->failed = true;
	else if (text->length > 0)
		add_owned(explanation, "text", tct_text_take(text), verbatim);
}

/* The body: paragraphs, and indented lines that stay as they are. */
static void explain_body(struct tct_explanation *explanation, const char *body)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	bool verbatim = false;

	while (*body != '\0') {
		size_t length = strcspn(body, "\n");
		bool indented = body[0] == ' ';

		if (length == 0 || indented != verbatim)
			flush_passage(explanation, &text, verbatim);
		verbatim = indented;
		if (length > 0) {
			size_t margin = indented ? strspn(body, " ") : 0;

			if (margin > 2)
				margin = 2; /* the block's own indentation */
			if (text.length > 0)
				tct_text_add(&text, indented ? "\n" : " ");
			tct_text_add_bytes(&text, body + margin, length - margin);
		}
		body += length;
		body += *body == '\n' ? 1 : 0;
	}
	flush_passage(explanation, &text, verbatim);
}

/* The other parts: helps, not, see, source. */
static void explain_parts(struct tct_explanation *explanation, const struct tct_yaml_node *text)
{
	for (const struct tct_yaml_node *part = text->first; part != NULL; part = part->next) {
		const struct tct_yaml_node *value = part->value;

		if (strcmp(part->text, "text") == 0 || strcmp(part->text, "summary") == 0)
			continue;
		if (value->kind != TCT_YAML_LIST) {
			add_item(explanation, part->text, value);
			continue;
		}
		if (strcmp(part->text, "see") == 0) {
			add_joined(explanation, part->text, value);
			continue;
		}
		for (const struct tct_yaml_node *item = value->first; item != NULL;
		     item = item->next)
			add_item(explanation, part->text, item);
	}
}

void tct_explanation_make(const struct tct_topic *topic, const struct tct_observation *observation,
			  struct tct_explanation *explanation)
{
	*explanation = (struct tct_explanation){ .topic = topic };
	if (topic->key != NULL && observation != NULL)
		explanation->live = &observation->sysctls[tct_kernel_key_index(topic->key)];
	if (topic->text != NULL) {
		const struct tct_yaml_node *body = tct_yaml_get(topic->text, "text");

		if (body != NULL && body->kind == TCT_YAML_SCALAR)
			explain_body(explanation, body->text);
	}
	if (topic->key != NULL)
		tct_explain_key(explanation, topic->key);
	if (topic->rule != NULL)
		tct_explain_rule(explanation, topic->rule);
	if (topic->text != NULL)
		explain_parts(explanation, topic->text);
}

void tct_explanation_done(struct tct_explanation *explanation)
{
	for (size_t i = 0; i < explanation->sections_count; i++) {
		struct tct_section *part = &explanation->sections[i];

		for (size_t j = 0; j < part->passages_count; j++)
			free(part->passages[j].text);
		free(part->passages);
	}
	free(explanation->sections);
	*explanation = (struct tct_explanation){ 0 };
}
