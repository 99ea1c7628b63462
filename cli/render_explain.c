#include <stdlib.h>
#include <string.h>

#include "cli/explain_data.h"
#include "cli/render.h"
#include "core/mem.h"

enum {
	LABEL = 15,
	NAME = 40,
};

/* A section's title as it stands at the margin. */
static const char *label_of(const char *title)
{
	static const struct {
		const char *title;
		const char *label;
	} labels[] = {
		{ "helps", "helps" },
		{ "not", "does not help" },
		{ "see", "see also" },
	};

	for (size_t i = 0; i < TCT_COUNT(labels); i++) {
		if (strcmp(labels[i].title, title) == 0)
			return labels[i].label;
	}
	return title;
}

static void put_lines(const struct tct_page *page, const char *label, const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		TCT_AUTOFREE char *line = tct_text_copy(text, length);

		tct_page_line(page, 2, label, label != NULL ? LABEL : 2, TCT_STYLE_STRONG,
			      line != NULL ? line : "");
		label = label != NULL ? "" : NULL;
		text += length;
		text += *text == '\n' ? 1 : 0;
	}
}

/* The body has no label, and an empty line between its passages. */
static void put_section(const struct tct_page *page, const struct tct_section *section)
{
	bool body = strcmp(section->title, "text") == 0;

	for (size_t i = 0; i < section->passages_count; i++) {
		const struct tct_passage *passage = &section->passages[i];
		const char *label = body ? NULL : i == 0 ? label_of(section->title) : "";

		if (passage->verbatim)
			put_lines(page, label, passage->text);
		else
			tct_page_paragraph(page, 2, label, body ? 0 : LABEL, TCT_STYLE_PLAIN,
					   passage->text);
		if (body)
			tct_page_newline(page);
	}
}

/* The live value of a key, or why there is none; owned by the caller, NULL on ENOMEM. */
static char *live_text(const struct tct_sysctl *live)
{
	switch (live->presence) {
	case TCT_PRESENT:
		return tct_value_or(&live->value, "(not known)");
	case TCT_ABSENT:
		return strdup("not there: not in this kernel or network namespace");
	case TCT_UNREADABLE:
		return strdup("can't be read");
	case TCT_UNPARSED:
		return strdup("not of the expected shape");
	case TCT_NOT_LOOKED:
		break;
	}
	return NULL;
}

void tct_render_explanation(const struct tct_page *page, const struct tct_explanation *explanation)
{
	const struct tct_topic *topic = explanation->topic;

	tct_page_put(page, TCT_STYLE_STRONG, topic->name);
	tct_page_putf(page, TCT_STYLE_DIM, "  (%s)", tct_topic_kind_name(topic->kind));
	tct_page_newline(page);
	tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN, topic->summary);
	tct_page_newline(page);
	for (size_t i = 0; i < explanation->sections_count; i++) {
		if (strcmp(explanation->sections[i].title, "text") == 0)
			put_section(page, &explanation->sections[i]);
	}
	if (explanation->live != NULL) {
		TCT_AUTOFREE char *live = live_text(explanation->live);

		if (live != NULL)
			tct_page_paragraph(page, 2, "here", LABEL, TCT_STYLE_GOOD, live);
	}
	for (size_t i = 0; i < explanation->sections_count; i++) {
		if (strcmp(explanation->sections[i].title, "text") != 0)
			put_section(page, &explanation->sections[i]);
	}
	if (explanation->failed)
		tct_page_line(page, 2, NULL, 0, TCT_STYLE_BAD, "(out of memory: not complete)");
}

void tct_render_topics(const struct tct_page *page, const struct tct_book *book)
{
	static const char *const headings[] = {
		[TCT_TOPIC_KEY] = "Kernel keys",
		[TCT_TOPIC_STATE] = "TCP states",
		[TCT_TOPIC_FINDING] = "Findings",
	};
	static const enum tct_topic_kind order[] = { TCT_TOPIC_STATE, TCT_TOPIC_FINDING,
						     TCT_TOPIC_KEY };

	tct_page_line(page, 0, NULL, 0, TCT_STYLE_PLAIN, "tcptune explain TOPIC tells about:");
	for (size_t i = 0; i < TCT_COUNT(order); i++) {
		tct_page_heading(page, headings[order[i]], NULL);
		for (size_t j = 0; j < book->topics_count; j++) {
			if (book->topics[j].kind == order[i])
				tct_page_paragraph(
					page, 2, book->topics[j].name, NAME, TCT_STYLE_PLAIN,
					book->topics[j].summary[0] != '\0' ? book->topics[j].summary
									   : "-");
		}
	}
}

static json_t *sections_json(const struct tct_explanation *explanation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < explanation->sections_count; i++) {
		const struct tct_section *part = &explanation->sections[i];
		json_t *lines = json_array();

		for (size_t j = 0; j < part->passages_count; j++) {
			if (json_array_append_new(lines, json_string(part->passages[j].text)) !=
			    0) {
				json_decref(lines);
				lines = NULL;
			}
		}
		if (json_array_append_new(list, json_pack("{s:s, s:o}", "title", part->title,
							  "text", lines)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *tct_explanation_json(const struct tct_explanation *explanation)
{
	const struct tct_topic *topic = explanation->topic;
	bool known = explanation->live != NULL && explanation->live->presence == TCT_PRESENT &&
		     explanation->live->value.kind != TCT_VALUE_NONE;

	if (explanation->failed)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "schema", "tcptune.explain.v1", "topic",
			 topic->name, "kind", tct_topic_kind_name(topic->kind), "summary",
			 topic->summary, "live",
			 known ? tct_value_json(&explanation->live->value) : json_null(),
			 "sections", sections_json(explanation));
}

json_t *tct_topics_json(const struct tct_book *book)
{
	json_t *list = json_array();

	for (size_t i = 0; i < book->topics_count; i++) {
		const struct tct_topic *topic = &book->topics[i];

		if (json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "topic", topic->name,
							  "kind", tct_topic_kind_name(topic->kind),
							  "summary", topic->summary)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o}", "schema", "tcptune.explain.v1", "topics", list);
}
