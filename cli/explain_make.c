/* Explanations, put together from the key table, the rules and the embedded texts. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain_data.h"
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

/* When a change counts; where the fields or bits of a key differ in that, which are the exception.
 */
static void explain_effect(struct tct_explanation *explanation, const struct tct_kernel_key *key)
{
	TCT_AUTO(tct_text_done) struct tct_text fields = { 0 };

	tct_explanation_add(explanation, "counts", "%s", tct_effect_text(key->effect));
	for (unsigned i = 0; i < key->fields; i++) {
		if ((key->live_fields >> i & 1) != 0)
			tct_text_addf(&fields, "%s%u", fields.length > 0 ? " and " : "", i + 1);
	}
	if (fields.length > 0)
		tct_explanation_add(explanation, "counts", "numbers %s at once", fields.data);
	if (key->late_bits != 0)
		tct_explanation_add(explanation, "counts", "at once, but for bit %lld",
				    (long long)key->late_bits);
}

static void explain_order(struct tct_explanation *explanation, const struct tct_kernel_key *key)
{
	if (key->write_first)
		tct_explanation_add(explanation, "order",
				    "before all others, for a write resets others; apply does so");
	if (key->write_after != NULL)
		tct_explanation_add(explanation, "order",
				    key->unit == TCT_UNIT_NAME
					    ? "after %s; apply does so"
					    : "raise it after %s, lower it before; apply does so",
				    key->write_after);
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
	explain_effect(explanation, key);
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
	explain_order(explanation, key);
}

/* Which file and line the counter is read from. */
static const char *counter_place(enum tct_counter_group group)
{
	switch (group) {
	case TCT_GROUP_TCP:
		return "/proc/net/snmp, line Tcp";
	case TCT_GROUP_TCPEXT:
		return "/proc/net/netstat, line TcpExt";
	case TCT_GROUP_IPEXT:
		return "/proc/net/netstat, line IpExt";
	case TCT_GROUP_SOCKSTAT:
		return "/proc/net/sockstat";
	case TCT_GROUP_SOCKSTAT6:
		return "/proc/net/sockstat6";
	case TCT_GROUP_CONNTRACK:
		return "/proc/net/stat/nf_conntrack, a line for each CPU, in hexadecimal";
	case TCT_GROUP_SOFTNET:
		return "/proc/net/softnet_stat, a line for each CPU, in hexadecimal";
	}
	return "";
}

void tct_explain_counter(struct tct_explanation *explanation, const struct tct_counter *counter)
{
	TCT_AUTOFREE char *command = NULL;
	bool nstat = counter->group == TCT_GROUP_TCP || counter->group == TCT_GROUP_TCPEXT ||
		     counter->group == TCT_GROUP_IPEXT;

	tct_explanation_add(explanation, "counts", "%s%s",
			    counter->unit[0] != '\0' ? counter->unit : "events",
			    counter->gauge ? ": a level now, no count since boot" : " since boot");
	tct_explanation_add(explanation, "scope", "%s",
			    counter->host_wide ? "one number for the whole host, the same in each "
						 "network namespace"
					       : "one for each network namespace");
	if (counter->optional)
		tct_explanation_add(explanation, "kernels", "not all supported kernels have it");
	tct_explanation_add(explanation, "where", "%s", counter_place(counter->group));
	if (nstat && asprintf(&command, "nstat -az %s%s", counter->line, counter->column) > 0)
		tct_explanation_verbatim(explanation, "look", command);
	else if (counter->group == TCT_GROUP_SOCKSTAT)
		tct_explanation_verbatim(explanation, "look", "cat /proc/net/sockstat");
	else if (counter->group == TCT_GROUP_SOCKSTAT6)
		tct_explanation_verbatim(explanation, "look", "cat /proc/net/sockstat6");
	else if (counter->group == TCT_GROUP_CONNTRACK)
		tct_explanation_verbatim(explanation, "look", "conntrack -S");
}

void tct_explain_errno(struct tct_explanation *explanation, int number)
{
	tct_explanation_add(explanation, "number", "%d on this system, \"%s\"", number,
			    strerror(number));
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
	tct_explanation_add(explanation, title, "%s", tct_text_string(&text));
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
	tct_explanation_add(explanation, title, "%s", tct_text_string(&text));
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
			continue; /* they stand at the head */
		if (strcmp(part->text, "aliases") == 0) {
			add_joined(explanation, "also called", value);
			continue;
		}
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

void tct_explanation_make(const struct tct_book *book, const struct tct_topic *topic,
			  const struct tct_observation *observation,
			  struct tct_explanation *explanation)
{
	const struct tct_yaml_node *body =
		topic->text != NULL ? tct_yaml_get(topic->text, "text") : NULL;

	*explanation = (struct tct_explanation){ .topic = topic };
	if (topic->key != NULL && observation != NULL)
		explanation->live = &observation->sysctls[tct_kernel_key_index(topic->key)];
	if (body != NULL && body->kind == TCT_YAML_SCALAR)
		explain_body(explanation, body->text);
	if (topic->key != NULL)
		tct_explain_key(explanation, topic->key);
	if (topic->counter != NULL)
		tct_explain_counter(explanation, topic->counter);
	if (topic->kind == TCT_TOPIC_ERRNO)
		tct_explain_errno(explanation, topic->number);
	if (topic->rule != NULL)
		tct_explain_rule(explanation, topic->set, topic->rule);
	tct_explain_readers(explanation, book, topic);
	if (topic->text != NULL)
		explain_parts(explanation, topic->text);
	if (topic->counter != NULL &&
	    (topic->text == NULL || tct_yaml_get(topic->text, "source") == NULL))
		tct_explanation_add(explanation, "source", "%s", topic->counter->source);
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
