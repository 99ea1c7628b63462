/* Tables for people: aligned, coloured, and wrapped at words in their last column. */
#ifndef TCT_CLI_RENDER_TABLE_H
#define TCT_CLI_RENDER_TABLE_H

#include "cli/page.h"

struct tct_column {
	const char *name;
	bool right; /* numbers */
};

enum { TCT_COLUMNS_MAX = 16 };

struct tct_table; /* rows are gathered until it is printed */

/*
 * A table of columns[0..count), which must outlive it. Lack of memory sticks and shows as a note
 * when it is printed. The last column takes the room that is left and is wrapped.
 */
struct tct_table *tct_table_new(const struct tct_page *page, const struct tct_column *columns,
				size_t count);
void tct_table_free(struct tct_table **table);

/* Begin a row, then fill its cells from the left; text is made safe and copied. NULL = an empty
 * cell. */
void tct_table_row(struct tct_table *table);
void tct_table_cell(struct tct_table *table, enum tct_style style, const char *text);

size_t tct_table_rows(const struct tct_table *table);

/* Print with a heading line, indented by two blanks. An empty table prints nothing. */
void tct_table_print(struct tct_table *table);

#endif
