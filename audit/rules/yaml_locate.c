/* From a byte of a scalar's text back to its place in the file. Only used to complain, so it may be
 * slow. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/yaml.h"

struct cursor {
	const char *raw;
	size_t length;
	size_t at;
	unsigned line;
	unsigned column;
};

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One character onwards. */
static void step(struct cursor *cursor)
{
	char c = cursor->raw[cursor->at++];

	if (c == '\n' ||
	    (c == '\r' && (cursor->at >= cursor->length || cursor->raw[cursor->at] != '\n'))) {
		cursor->line++;
		cursor->column = 1;
		return;
	}
	while (cursor->at < cursor->length &&
	       ((unsigned char)cursor->raw[cursor->at] & 0xc0) == 0x80)
		cursor->at++;
	cursor->column++;
}

static char peek(const struct cursor *cursor, size_t ahead)
{
	return cursor->at + ahead < cursor->length ? cursor->raw[cursor->at + ahead] : '\0';
}

static void skip_white(struct cursor *cursor)
{
	while (cursor->at < cursor->length && is_white(peek(cursor, 0)))
		step(cursor);
}

static void skip_line(struct cursor *cursor)
{
	unsigned line = cursor->line;

	while (cursor->at < cursor->length && cursor->line == line)
		step(cursor);
}

/* A double-quoted escape: its length in characters, and the length in bytes of what it stands for.
 */
static size_t escape_length(const struct cursor *cursor, size_t *bytes, bool *white)
{
	static const char numeric[] = "xuU";
	static const size_t digits[] = { 2, 4, 8 };
	char kind = peek(cursor, 1);
	const char *found = kind != '\0' ? strchr(numeric, kind) : NULL;

	*white = kind == 'n' || kind == 't' || kind == 'r' || is_white(kind);
	*bytes = kind == '\n' || kind == '\r' ? 0
		 : kind == '_' || kind == 'N' ? 2
		 : kind == 'L' || kind == 'P' ? 3
					      : 1;
	if (found == NULL)
		return 2;

	size_t count = digits[found - numeric];
	char number[9] = { 0 };

	for (size_t i = 0; i < count; i++)
		number[i] = peek(cursor, 2 + i);

	unsigned long point = strtoul(number, NULL, 16);

	*bytes = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	*white = point == ' ' || point == '\t' || point == '\n' || point == '\r';
	return 2 + count;
}

static void step_many(struct cursor *cursor, size_t count)
{
	while (count-- > 0 && cursor->at < cursor->length)
		step(cursor);
}

/* Pass over what stands for text[*done..), which isn't white. */
static void pass_character(struct cursor *cursor, const struct tct_yaml_node *scalar, size_t *done)
{
	if (scalar->style == TCT_YAML_DOUBLE_QUOTED && peek(cursor, 0) == '\\') {
		size_t bytes;
		bool white;
		size_t length = escape_length(cursor, &bytes, &white);

		step_many(cursor, length);
		*done += white ? 0 : bytes;
		return;
	}
	if (scalar->style == TCT_YAML_SINGLE_QUOTED && peek(cursor, 0) == '\'')
		step(cursor);

	size_t before = cursor->at;

	step(cursor);
	*done += cursor->at - before;
}

void tct_yaml_locate(const struct tct_yaml_node *scalar, size_t offset, unsigned *line,
		     unsigned *column)
{
	struct cursor cursor = { .raw = scalar->document->raw,
				 .length = scalar->document->length,
				 .line = 1,
				 .column = 1 };
	size_t done = 0;

	for (size_t i = 0; i < scalar->index && cursor.at < cursor.length; i++) {
		/* libyaml counts CR LF as two characters, too */
		step(&cursor);
	}
	if (scalar->style == TCT_YAML_BLOCK)
		skip_line(&cursor);
	else if (scalar->style != TCT_YAML_PLAIN)
		step(&cursor);
	if (offset > scalar->length)
		offset = scalar->length;
	while (done < offset && cursor.at < cursor.length) {
		if (!is_white(scalar->text[done])) {
			skip_white(&cursor);
			pass_character(&cursor, scalar, &done);
			continue;
		}
		if (scalar->style == TCT_YAML_DOUBLE_QUOTED && peek(&cursor, 0) == '\\') {
			size_t bytes;
			bool white;

			step_many(&cursor, escape_length(&cursor, &bytes, &white));
		}
		done++;
	}
	if (offset < scalar->length && !is_white(scalar->text[offset]))
		skip_white(&cursor);
	*line = cursor.line;
	*column = cursor.column;
}
