/* The page: where text for people goes, how wide it is, whether it may have colour. All text is
 * made safe. */
#ifndef TCT_CLI_PAGE_H
#define TCT_CLI_PAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/color.h"
#include "cli/options.h"

struct tct_page {
	FILE *out;
	bool terminal;
	bool color;
	bool utf8;
	unsigned width; /* columns */
};

/* A page on out (stdout or stderr), as wide as COLUMNS or the terminal says, else 80. options may
 * be NULL. */
void tct_page_init(struct tct_page *page, FILE *out, const struct tct_options *options);

/* Columns that safe text takes. */
size_t tct_page_columns(const struct tct_page *page, const char *text);

/* Print text in a style, without a line break. */
void tct_page_put(const struct tct_page *page, enum tct_style style, const char *text);
__attribute__((format(printf, 3, 4))) void
tct_page_putf(const struct tct_page *page, enum tct_style style, const char *format, ...);
void tct_page_newline(const struct tct_page *page);

/* A heading: an empty line, then the text, strong, then what is added to it, dim (NULL = nothing).
 */
void tct_page_heading(const struct tct_page *page, const char *text, const char *added);

/*
 * A paragraph, wrapped: `indent` blanks, the label padded to label_width, the text; all its lines
 * begin where the text does. White space in the text counts as one blank. label NULL or "" leaves
 * the room empty.
 */
void tct_page_paragraph(const struct tct_page *page, unsigned indent, const char *label,
			unsigned label_width, enum tct_style style, const char *text);

/* The same, but the text stays on one line whatever its length: commands to copy, lines of a diff.
 */
void tct_page_line(const struct tct_page *page, unsigned indent, const char *label,
		   unsigned label_width, enum tct_style style, const char *text);

/*
 * Wrap safe text to `columns`: words joined by blanks, lines by '\n'. A longer word has a line of
 * its own. Appends to out.
 */
void tct_page_wrap(const struct tct_page *page, const char *text, size_t columns,
		   struct tct_text *out);

#endif
