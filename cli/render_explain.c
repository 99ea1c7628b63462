#include <stdio.h>
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

static const char *heading_of(enum tct_topic_kind kind)
{
	switch (kind) {
	case TCT_TOPIC_STATE:
		return "TCP states";
	case TCT_TOPIC_HOWTO:
		return "Topics";
	case TCT_TOPIC_FLAG:
		return "Flags in a capture";
	case TCT_TOPIC_ERRNO:
		return "Errors of system calls (name or number)";
	case TCT_TOPIC_FINDING:
		return "Findings";
	case TCT_TOPIC_MYTH:
		return "Myths";
	case TCT_TOPIC_COUNTER:
		return "Counters";
	case TCT_TOPIC_KEY:
		return "Kernel keys";
	case TCT_TOPIC_LIMIT:
		break;
	}
	return "";
}

/* Few and short enough to be told with their summaries in the list of all. */
static bool is_told(enum tct_topic_kind kind)
{
	return kind == TCT_TOPIC_STATE || kind == TCT_TOPIC_HOWTO;
}

static void put_summaries(const struct tct_page *page, const struct tct_book *book,
			  enum tct_topic_kind kind)
{
	size_t width = 0;

	for (size_t i = 0; i < book->topics_count; i++) {
		size_t columns = book->topics[i].kind == kind
					 ? tct_page_columns(page, book->topics[i].name) + 2
					 : 0;

		width = columns > width ? columns : width;
	}
	for (size_t i = 0; i < book->topics_count; i++) {
		if (book->topics[i].kind == kind)
			tct_page_paragraph(
				page, 2, book->topics[i].name,
				width < NAME ? (unsigned)width : NAME, TCT_STYLE_PLAIN,
				book->topics[i].summary[0] != '\0' ? book->topics[i].summary : "-");
	}
}

/* The folder of keys and the line of counters, which stand over their names; "" for the others. */
static size_t folder_length(const struct tct_topic *topic)
{
	static const char *const folders[] = { "net.ipv4.", "net.core.", "net.netfilter.",
					       "net.mptcp.", "fs." };
	const char *dot = topic->counter != NULL ? strchr(topic->name, '.') : NULL;

	if (dot != NULL)
		return (size_t)(dot - topic->name) + 1;
	for (size_t i = 0; topic->key != NULL && i < TCT_COUNT(folders); i++) {
		if (strncmp(topic->name, folders[i], strlen(folders[i])) == 0)
			return strlen(folders[i]);
	}
	return 0;
}

/* Topics first..first+count of the book, without their folder, in columns that are read downwards.
 */
static void put_columns(const struct tct_page *page, const struct tct_book *book, size_t first,
			size_t count, size_t folder)
{
	size_t width = 0;
	size_t across;
	size_t rows;

	for (size_t i = first; i < first + count; i++) {
		size_t columns = tct_page_columns(page, book->topics[i].name + folder);

		width = columns > width ? columns : width;
	}
	across = page->width > width + 4 ? (page->width - 2) / (width + 2) : 1;
	rows = (count + across - 1) / across;
	for (size_t row = 0; row < rows; row++) {
		tct_page_put(page, TCT_STYLE_PLAIN, "  ");
		for (size_t i = row; i < count; i += rows) {
			const char *name = book->topics[first + i].name + folder;

			tct_page_put(page, TCT_STYLE_PLAIN, name);
			if (i + rows < count)
				tct_page_putf(page, TCT_STYLE_PLAIN, "%*s",
					      (int)(width + 2 - tct_page_columns(page, name)), "");
		}
		tct_page_newline(page);
	}
}

static void put_names(const struct tct_page *page, const struct tct_book *book,
		      enum tct_topic_kind kind)
{
	size_t i = 0;

	while (i < book->topics_count) {
		const struct tct_topic *topic = &book->topics[i];
		size_t folder = folder_length(topic);
		size_t count = 0;

		if (topic->kind != kind) {
			i++;
			continue;
		}
		while (i + count < book->topics_count && topic[count].kind == kind &&
		       folder_length(&topic[count]) == folder &&
		       strncmp(topic[count].name, topic->name, folder) == 0)
			count++;
		if (folder > 0)
			tct_page_putf(page, TCT_STYLE_DIM, "  %.*s", (int)folder, topic->name);
		if (folder > 0)
			tct_page_newline(page);
		put_columns(page, book, i, count, folder);
		i += count;
	}
}

void tct_render_topics(const struct tct_page *page, const struct tct_book *book)
{
	tct_page_line(page, 0, NULL, 0, TCT_STYLE_PLAIN,
		      "tcptune explain TOPIC tells about one of these.");
	for (enum tct_topic_kind kind = 0; kind < TCT_TOPIC_LIMIT; kind++) {
		char command[32];

		(void)snprintf(command, sizeof(command), "explain %s", tct_topic_kind_plural(kind));
		tct_page_heading(page, heading_of(kind), command);
		if (is_told(kind))
			put_summaries(page, book, kind);
		else
			put_names(page, book, kind);
	}
}

void tct_render_kind(const struct tct_page *page, const struct tct_book *book,
		     enum tct_topic_kind kind)
{
	tct_page_put(page, TCT_STYLE_STRONG, heading_of(kind));
	tct_page_newline(page);
	put_summaries(page, book, kind);
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
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o*, s:o}", "schema", "tcptune.explain.v1",
			 "topic", topic->name, "kind", tct_topic_kind_name(topic->kind), "summary",
			 topic->summary, "live",
			 known ? tct_value_json(&explanation->live->value) : json_null(), "number",
			 topic->number != 0 ? json_integer(topic->number) : NULL, "sections",
			 sections_json(explanation));
}

json_t *tct_topics_json(const struct tct_book *book, enum tct_topic_kind kind)
{
	json_t *list = json_array();

	for (size_t i = 0; i < book->topics_count; i++) {
		const struct tct_topic *topic = &book->topics[i];

		if (kind != TCT_TOPIC_LIMIT && topic->kind != kind)
			continue;
		if (json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "topic", topic->name,
							  "kind", tct_topic_kind_name(topic->kind),
							  "summary", topic->summary)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o}", "schema", "tcptune.explain.v1", "topics", list);
}
