#include "cli/frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "core/mem.h"

unsigned tct_frame_room(const struct tct_frame *frame)
{
	return frame->line < frame->height ? frame->height - frame->line : 0;
}

/* Bytes and columns of the first character of safe text. */
static size_t character(const struct tct_frame *frame, const char *text, unsigned *columns)
{
	mbstate_t state = { 0 };
	wchar_t wide;

	*columns = 1;
	if (!frame->utf8 || (unsigned char)text[0] < 0x80)
		return 1;

	size_t length = mbrtowc(&wide, text, strlen(text), &state);

	if (length == 0 || length > strlen(text))
		return 1;

	int width = wcwidth(wide);

	*columns = width > 0 ? (unsigned)width : 0;
	return length;
}

static unsigned columns_of(const struct tct_frame *frame, const char *text)
{
	unsigned total = 0;
	unsigned columns;

	while (*text != '\0') {
		text += character(frame, text, &columns);
		total += columns;
	}
	return total;
}

/* How many bytes fit into `most` columns, and how many columns those take. */
static size_t fitting(const struct tct_frame *frame, const char *text, unsigned most,
		      unsigned *taken)
{
	size_t length = 0;
	unsigned columns;

	*taken = 0;
	while (text[length] != '\0') {
		size_t next = character(frame, text + length, &columns);

		if (*taken + columns > most)
			break;
		*taken += columns;
		length += next;
	}
	return length;
}

static void add(struct tct_frame *frame, enum tct_style style, const char *safe, size_t length,
		unsigned columns)
{
	bool painted = frame->color && style != TCT_STYLE_PLAIN && length > 0;

	if (painted)
		tct_text_add(frame->out, tct_style_sequence(style));
	tct_text_add_bytes(frame->out, safe, length);
	if (painted)
		tct_text_add(frame->out, TCT_STYLE_OFF);
	frame->column += columns;
}

/* Put as much as fits into `most` columns; a mark where something is missing. */
static void put_within(struct tct_frame *frame, enum tct_style style, unsigned most,
		       const char *text)
{
	const char *mark = frame->utf8 ? "…" : "~";
	TCT_AUTO(tct_text_done) struct tct_text safe = { 0 };
	unsigned left = frame->column < frame->width ? frame->width - frame->column : 0;
	unsigned taken;

	most = most < left ? most : left;
	if (tct_frame_room(frame) == 0 || most == 0)
		return;
	tct_safe_add(&safe, text, frame->utf8);
	if (safe.data == NULL)
		return;
	if (columns_of(frame, safe.data) <= most) {
		add(frame, style, safe.data, safe.length, columns_of(frame, safe.data));
		return;
	}

	size_t length = fitting(frame, safe.data, most - 1, &taken);

	safe.length = length;
	safe.data[length] = '\0';
	tct_text_add(&safe, mark);
	if (safe.data != NULL)
		add(frame, style, safe.data, safe.length, taken + 1);
}

static void blanks(struct tct_frame *frame, unsigned count)
{
	if (tct_frame_room(frame) == 0)
		return;
	for (; count > 0 && frame->column < frame->width; count--) {
		tct_text_add(frame->out, " ");
		frame->column++;
	}
}

void tct_frame_put(struct tct_frame *frame, enum tct_style style, const char *text)
{
	put_within(frame, style, frame->width, text);
}

void tct_frame_putf(struct tct_frame *frame, enum tct_style style, const char *format, ...)
{
	TCT_AUTOFREE char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);

	va_end(arguments);
	if (length < 0)
		text = NULL;
	tct_frame_put(frame, style, text != NULL ? text : "(out of memory)");
}

void tct_frame_to(struct tct_frame *frame, unsigned column)
{
	if (column > frame->column)
		blanks(frame, column - frame->column);
}

void tct_frame_cell(struct tct_frame *frame, enum tct_style style, unsigned width, const char *text)
{
	unsigned end = frame->column + width;

	put_within(frame, style, width, text);
	tct_frame_to(frame, end);
}

void tct_frame_number(struct tct_frame *frame, enum tct_style style, unsigned width,
		      const char *text)
{
	unsigned end = frame->column + width;
	unsigned columns = columns_of(frame, text);
	bool fits = columns <= width && end <= frame->width;

	blanks(frame, fits ? width - columns : 1);
	if (fits)
		put_within(frame, style, columns, text);
	for (unsigned i = 1; !fits && i < width; i++)
		put_within(frame, style, 1, "#");
	tct_frame_to(frame, end);
}

/* At the edge the cursor still stands on the last character: it would be cleared. */
static void end_line(struct tct_frame *frame)
{
	if (frame->erase && frame->column < frame->width)
		tct_text_add(frame->out, "\033[K");
}

void tct_frame_end(struct tct_frame *frame)
{
	while (tct_frame_room(frame) > 0)
		tct_frame_newline(frame);
}

void tct_frame_newline(struct tct_frame *frame)
{
	if (tct_frame_room(frame) == 0)
		return;
	end_line(frame);
	frame->line++;
	frame->column = 0;
	if (frame->line < frame->height)
		tct_text_add(frame->out, "\n");
}
