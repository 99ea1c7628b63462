#include "audit/rules/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/mem.h"
#include "core/text.h"

struct builder {
	struct tct_arena *arena;
	const struct tct_yaml_document *document;
	struct tct_err *err;
	struct tct_yaml_node *stack[TCT_YAML_DEPTH_MAX]; /* the open lists and maps */
	struct tct_yaml_node *keys[TCT_YAML_DEPTH_MAX];  /* of an open map: the key that waits for
							    its value */
	size_t depth;
	size_t nodes;
	size_t documents;
	struct tct_yaml_node *root;
};

const char *tct_yaml_kind_name(enum tct_yaml_kind kind)
{
	switch (kind) {
	case TCT_YAML_SCALAR:
		return "text";
	case TCT_YAML_LIST:
		return "a list";
	case TCT_YAML_MAP:
		return "a mapping";
	}
	return "?";
}

int tct_yaml_error(const struct tct_yaml_node *node, struct tct_err *err, const char *format, ...)
{
	char message[sizeof(err->message)];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		message[0] = '\0';
	va_end(arguments);
	return tct_err_at(err, node->document->file, node->line, node->column, "%s", message);
}

static int mark_error(const struct builder *builder, const yaml_mark_t *mark, const char *message)
{
	return tct_err_at(builder->err, builder->document->file, (unsigned)mark->line + 1,
			  (unsigned)mark->column + 1, "%s", message);
}

/* What libyaml would only say by byte offset, or not say at all. */
/* The column of the first character that no text has, 0 if all are fine. */
static unsigned bad_column(const char *line, size_t length)
{
	unsigned column = 1;

	for (size_t at = 0; at < length; column++) {
		size_t size = 1;

		while (at + size < length && ((unsigned char)line[at + size] & 0xc0) == 0x80)
			size++;
		if (line[at] == '\0' || !tct_text_is_utf8(line + at, size))
			return column;
		at += size;
	}
	return 0;
}

static int check_bytes(const struct tct_yaml_document *document, size_t parsed, struct tct_err *err)
{
	const char *line = document->raw;
	const char *end = document->raw + parsed;
	unsigned number = 1;

	if (document->length > TCT_YAML_FILE_MAX)
		return tct_err_at(err, document->file, 0, 0, "the file is larger than 1 MiB");
	if (document->length >= 2 &&
	    (memcmp(line, "\xff\xfe", 2) == 0 || memcmp(line, "\xfe\xff", 2) == 0))
		return tct_err_at(err, document->file, 1, 1,
				  "the file is UTF-16: save it as UTF-8");
	if (document->length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
		return tct_err_at(
			err, document->file, 1, 1,
			"the file begins with a byte order mark: save it as UTF-8 without one");
	for (; line < end; number++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline != NULL ? newline : end;
		size_t length = (size_t)(stop - line);
		unsigned column;

		column = bad_column(line, length);
		if (column != 0 && memchr(line, '\0', length) != NULL)
			return tct_err_at(
				err, document->file, number, column,
				"there is a NUL byte in this line: this is not a text file");
		if (column != 0)
			return tct_err_at(err, document->file, number, column,
					  "this line is not UTF-8");
		line = stop + 1;
	}
	return 0;
}

static int syntax_error(const struct builder *builder, const yaml_parser_t *parser)
{
	const char *problem = parser->problem != NULL ? parser->problem : "broken";
	const char *hint = "";
	yaml_mark_t mark = parser->problem_mark;

	if (parser->error == YAML_MEMORY_ERROR)
		return tct_err_nomem(builder->err);
	if (parser->error == YAML_READER_ERROR)
		mark = parser->mark;
	if (strcmp(problem, "mapping values are not allowed in this context") == 0)
		hint = " (text that contains \": \" must be quoted)";
	return tct_err_at(builder->err, builder->document->file, (unsigned)mark.line + 1,
			  (unsigned)mark.column + 1, "not valid YAML: %s%s%s%s", problem,
			  parser->context != NULL ? " " : "",
			  parser->context != NULL ? parser->context : "", hint);
}

static int compare_keys(const void *a, const void *b)
{
	const struct tct_yaml_node *const *left = (const struct tct_yaml_node *const *)a;
	const struct tct_yaml_node *const *right = (const struct tct_yaml_node *const *)b;
	int order = strcmp((*left)->text, (*right)->text);

	if (order != 0)
		return order;
	return (*left)->index < (*right)->index ? -1 : (*left)->index > (*right)->index;
}

/* The earliest key that repeats another one is the one complained about. */
static int refuse_duplicates(const struct builder *builder, const struct tct_yaml_node *map)
{
	const struct tct_yaml_node *again = NULL;
	const struct tct_yaml_node *before = NULL;

	if (map->count < 2)
		return 0;

	TCT_AUTOFREE const struct tct_yaml_node **sorted =
		calloc(map->count, sizeof(struct tct_yaml_node *));
	size_t count = 0;

	if (sorted == NULL)
		return tct_err_nomem(builder->err);
	for (const struct tct_yaml_node *key = map->first; key != NULL; key = key->next)
		sorted[count++] = key;
	qsort(sorted, count, sizeof(struct tct_yaml_node *), compare_keys);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(sorted[i]->text, sorted[i - 1]->text) == 0 &&
		    (again == NULL || sorted[i]->index < again->index)) {
			again = sorted[i];
			before = sorted[i - 1];
		}
	}
	if (again == NULL)
		return 0;
	return tct_yaml_error(again, builder->err, "`%.60s` is given twice, first in line %u",
			      again->text, before->line);
}

static void append(struct tct_yaml_node *parent, struct tct_yaml_node *child)
{
	if (parent->last == NULL)
		parent->first = child;
	else
		parent->last->next = child;
	parent->last = child;
	parent->count++;
}

static int add_node(struct builder *builder, enum tct_yaml_kind kind, const yaml_mark_t *mark,
		    struct tct_yaml_node **out)
{
	struct tct_yaml_node *node;

	if (++builder->nodes > TCT_YAML_NODES_MAX)
		return mark_error(builder, mark, "the file has more than 100,000 values");
	node = tct_arena_alloc(builder->arena, sizeof(*node));
	if (node == NULL)
		return tct_err_nomem(builder->err);
	node->kind = kind;
	node->line = (unsigned)mark->line + 1;
	node->column = (unsigned)mark->column + 1;
	node->index = mark->index;
	node->document = builder->document;
	*out = node;
	if (builder->depth == 0) {
		builder->root = node;
		return 0;
	}

	struct tct_yaml_node *parent = builder->stack[builder->depth - 1];
	struct tct_yaml_node **key = &builder->keys[builder->depth - 1];

	if (parent->kind == TCT_YAML_LIST) {
		append(parent, node);
	} else if (*key == NULL) {
		if (kind != TCT_YAML_SCALAR)
			return mark_error(builder, mark, "the name of a field must be text");
		append(parent, node);
		*key = node;
	} else {
		(*key)->value = node;
		*key = NULL;
	}
	return 0;
}

static int open_node(struct builder *builder, enum tct_yaml_kind kind, const yaml_mark_t *mark)
{
	struct tct_yaml_node *node = NULL;

	if (builder->depth == TCT_YAML_DEPTH_MAX)
		return mark_error(builder, mark, "nested more than 32 levels deep");

	int status = add_node(builder, kind, mark, &node);

	if (status < 0)
		return status;
	builder->stack[builder->depth] = node;
	builder->keys[builder->depth] = NULL;
	builder->depth++;
	return 0;
}

static int add_scalar(struct builder *builder, const yaml_event_t *event)
{
	struct tct_yaml_node *node = NULL;
	int status = add_node(builder, TCT_YAML_SCALAR, &event->start_mark, &node);

	if (status < 0)
		return status;
	/* "\0" in double quotes would cut the text short wherever it is used */
	if (memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL)
		return mark_error(builder, &event->start_mark, "text must not contain a NUL");
	node->text = tct_arena_text(builder->arena, (const char *)event->data.scalar.value,
				    event->data.scalar.length);
	if (node->text == NULL)
		return tct_err_nomem(builder->err);
	node->length = event->data.scalar.length;
	switch (event->data.scalar.style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
		node->style = TCT_YAML_SINGLE_QUOTED;
		break;
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		node->style = TCT_YAML_DOUBLE_QUOTED;
		break;
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE:
		node->style = TCT_YAML_BLOCK;
		break;
	case YAML_ANY_SCALAR_STYLE:
	case YAML_PLAIN_SCALAR_STYLE:
		node->style = TCT_YAML_PLAIN;
		break;
	}
	return 0;
}

static int refuse_extras(const struct builder *builder, const yaml_event_t *event,
			 const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		return mark_error(builder, &event->start_mark, "anchors (&name) are not allowed");
	if (tag != NULL)
		return mark_error(builder, &event->start_mark, "tags (!name) are not allowed");
	return 0;
}

static int take_event(struct builder *builder, const yaml_event_t *event)
{
	int status = 0;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++builder->documents > 1)
			return mark_error(builder, &event->start_mark,
					  "a second document: only one is allowed");
		return 0;
	case YAML_ALIAS_EVENT:
		return mark_error(builder, &event->start_mark, "aliases (*name) are not allowed");
	case YAML_SCALAR_EVENT:
		status = refuse_extras(builder, event, event->data.scalar.anchor,
				       event->data.scalar.tag);
		return status < 0 ? status : add_scalar(builder, event);
	case YAML_SEQUENCE_START_EVENT:
		status = refuse_extras(builder, event, event->data.sequence_start.anchor,
				       event->data.sequence_start.tag);
		return status < 0 ? status : open_node(builder, TCT_YAML_LIST, &event->start_mark);
	case YAML_MAPPING_START_EVENT:
		status = refuse_extras(builder, event, event->data.mapping_start.anchor,
				       event->data.mapping_start.tag);
		return status < 0 ? status : open_node(builder, TCT_YAML_MAP, &event->start_mark);
	case YAML_MAPPING_END_EVENT:
		status = refuse_duplicates(builder, builder->stack[builder->depth - 1]);
		builder->depth--;
		return status;
	case YAML_SEQUENCE_END_EVENT:
		builder->depth--;
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	}
	return 0;
}

static int run(struct builder *builder, yaml_parser_t *parser)
{
	bool ended = false;
	int status = 0;

	while (!ended && status == 0) {
		yaml_event_t event;

		if (yaml_parser_parse(parser, &event) == 0)
			return syntax_error(builder, parser);
		ended = event.type == YAML_STREAM_END_EVENT;
		status = take_event(builder, &event);
		yaml_event_delete(&event);
	}
	return status;
}

int tct_yaml_parse_start(struct tct_arena *arena, const char *file, const char *data, size_t length,
			 size_t parsed, struct tct_yaml_node **root, struct tct_err *err)
{
	struct tct_yaml_document *document = tct_arena_alloc(arena, sizeof(*document));
	yaml_parser_t parser;

	if (document == NULL)
		return tct_err_nomem(err);
	*document = (struct tct_yaml_document){ .file = file, .raw = data, .length = length };

	int status = check_bytes(document, parsed, err);

	if (status < 0)
		return status;
	document->raw = tct_arena_text(arena, data, length);
	if (document->raw == NULL || yaml_parser_initialize(&parser) == 0)
		return tct_err_nomem(err);

	struct builder builder = { .arena = arena, .document = document, .err = err };

	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)document->raw, parsed);
	status = run(&builder, &parser);
	yaml_parser_delete(&parser);
	if (status < 0)
		return status;
	if (builder.root == NULL)
		return tct_err_at(err, file, 0, 0, "the file is empty");
	*root = builder.root;
	return 0;
}

int tct_yaml_parse(struct tct_arena *arena, const char *file, const char *data, size_t length,
		   struct tct_yaml_node **root, struct tct_err *err)
{
	return tct_yaml_parse_start(arena, file, data, length, length, root, err);
}

const struct tct_yaml_node *tct_yaml_get(const struct tct_yaml_node *map, const char *name)
{
	if (map->kind != TCT_YAML_MAP)
		return NULL;
	for (const struct tct_yaml_node *key = map->first; key != NULL; key = key->next) {
		if (strcmp(key->text, name) == 0)
			return key->value;
	}
	return NULL;
}

bool tct_yaml_equal(const struct tct_yaml_node *a, const struct tct_yaml_node *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->kind != b->kind || a->count != b->count)
		return false;
	if (a->kind == TCT_YAML_SCALAR)
		return strcmp(a->text, b->text) == 0;
	a = a->first;
	b = b->first;
	while (a != NULL && b != NULL) {
		if (a->value != NULL || b->value != NULL) {
			if (strcmp(a->text, b->text) != 0 || !tct_yaml_equal(a->value, b->value))
				return false;
		} else if (!tct_yaml_equal(a, b)) {
			return false;
		}
		a = a->next;
		b = b->next;
	}
	return a == b;
}
