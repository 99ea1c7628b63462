/* A frame: text of a fixed width and height, made line by line. What doesn't fit is cut, never
 * wrapped; all text is made safe. */
#ifndef TCT_CLI_FRAME_H
#define TCT_CLI_FRAME_H

#include <stdbool.h>

#include "cli/color.h"
#include "core/text.h"

struct tct_frame {
	struct tct_text *out; /* borrowed: lines joined by '\n', none after the last */
	unsigned width;
	unsigned height;
	bool color;
	bool utf8;
	bool erase;      /* clear the rest of each line: there is a terminal with an older frame */
	unsigned line;   /* complete ones */
	unsigned column; /* taken in this one */
};

/* Lines that are left, the one begun included. */
unsigned tct_frame_room(const struct tct_frame *frame);

/* Put text in a style, cut at the edge. */
void tct_frame_put(struct tct_frame *frame, enum tct_style style, const char *text);
__attribute__((format(printf, 3, 4))) void
tct_frame_putf(struct tct_frame *frame, enum tct_style style, const char *format, ...);

/* The same in a cell of exactly `width` columns: at its left, or at its right. What is cut at the
 * left ends in a mark; a number that is too wide becomes all marks, never another number. */
void tct_frame_cell(struct tct_frame *frame, enum tct_style style, unsigned width,
		    const char *text);
void tct_frame_number(struct tct_frame *frame, enum tct_style style, unsigned width,
		      const char *text);

/* Blanks up to a column; nothing if it is passed already. */
void tct_frame_to(struct tct_frame *frame, unsigned column);

/* End the line; the last one ends with the frame. */
void tct_frame_newline(struct tct_frame *frame);
void tct_frame_end(struct tct_frame *frame);

#endif
