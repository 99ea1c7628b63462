#include "cli/render_table.h"

#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum {
	INDENT = 2,
	GAP = 2,
	LEAST_LAST = 24, /* the last column is never narrower: rather a line too long */
};

struct cell {
	char *text; /* owned */
	enum tct_style style;
};

struct row {
	struct cell cells[TCT_COLUMNS_MAX];
	size_t filled;
};

struct tct_table {
	const struct tct_page *page;
	const struct tct_column *columns;
	size_t columns_count;
	struct row *rows;
	size_t rows_count;
	size_t rows_capacity;
	bool failed;
};

struct tct_table *tct_table_new(const struct tct_page *page, const struct tct_column *columns,
				size_t count)
{
	struct tct_table *table = calloc(1, sizeof(*table));

	if (table != NULL) {
		table->page = page;
		table->columns = columns;
		table->columns_count = count < TCT_COLUMNS_MAX ? count : TCT_COLUMNS_MAX;
	}
	return table;
}

void tct_table_free(struct tct_table **table_pointer)
{
	struct tct_table *table = *table_pointer;

	if (table == NULL)
		return;
	for (size_t i = 0; i < table->rows_count; i++) {
		for (size_t j = 0; j < TCT_COLUMNS_MAX; j++)
			free(table->rows[i].cells[j].text);
	}
	free(table->rows);
	free(table);
	*table_pointer = NULL;
}

void tct_table_row(struct tct_table *table)
{
	if (table != NULL && TCT_APPEND(table, rows) == NULL)
		table->failed = true;
}

void tct_table_cell(struct tct_table *table, enum tct_style style, const char *text)
{
	TCT_AUTO(tct_text_done) struct tct_text safe = { 0 };

	if (table == NULL || table->failed || table->rows_count == 0)
		return;

	struct row *row = &table->rows[table->rows_count - 1];

	if (row->filled >= table->columns_count)
		return;
	tct_safe_add(&safe, text != NULL ? text : "", table->page->utf8);
	row->cells[row->filled].style = style;
	row->cells[row->filled].text = tct_text_take(&safe);
	if (row->cells[row->filled].text == NULL)
		table->failed = true;
	row->filled++;
}

size_t tct_table_rows(const struct tct_table *table)
{
	return table != NULL ? table->rows_count : 0;
}

/* Columns that are left for the last one. */
static size_t last_room(const struct tct_table *table)
{
	size_t used = INDENT;

	for (size_t j = 0; j + 1 < table->columns_count; j++) {
		size_t widest = strlen(table->columns[j].name);

		for (size_t i = 0; i < table->rows_count; i++) {
			const char *text = table->rows[i].cells[j].text;
			size_t width = text != NULL ? tct_page_columns(table->page, text) : 0;

			if (width > widest)
				widest = width;
		}
		used += widest + GAP;
	}
	return table->page->width > used + LEAST_LAST ? table->page->width - used : LEAST_LAST;
}

/* The cell's text, wrapped if it stands in the last column. NULL on ENOMEM. */
static char *cell_text(const struct tct_table *table, const struct cell *cell, bool last,
		       size_t room)
{
	TCT_AUTO(tct_text_done) struct tct_text out = { 0 };

	if (cell->text == NULL)
		return tct_text_copy("", 0);
	if (last)
		tct_page_wrap(table->page, cell->text, room, &out);
	else
		tct_text_add(&out, cell->text);
	return tct_text_take(&out);
}

static bool add_columns(const struct tct_table *table, struct libscols_table *scols)
{
	for (size_t j = 0; j < table->columns_count; j++) {
		bool last = j + 1 == table->columns_count;
		int flags =
			(table->columns[j].right ? SCOLS_FL_RIGHT : 0) | (last ? SCOLS_FL_WRAP : 0);
		struct libscols_column *column =
			scols_table_new_column(scols, table->columns[j].name, 0, flags);

		if (column == NULL)
			return false;
		if (last && (scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
						       scols_wrapnl_nextchunk, NULL) != 0 ||
			     scols_column_set_safechars(column, "\n") != 0))
			return false;
	}
	return true;
}

static bool add_rows(const struct tct_table *table, struct libscols_table *scols)
{
	size_t room = last_room(table);

	for (size_t i = 0; i < table->rows_count; i++) {
		struct libscols_line *line = scols_table_new_line(scols, NULL);

		if (line == NULL)
			return false;
		for (size_t j = 0; j < table->columns_count; j++) {
			const struct cell *cell = &table->rows[i].cells[j];
			TCT_AUTOFREE char *text =
				cell_text(table, cell, j + 1 == table->columns_count, room);

			if (text == NULL || scols_line_set_data(line, j, text) != 0)
				return false;
			if (table->page->color && cell->style != TCT_STYLE_PLAIN &&
			    scols_cell_set_color(scols_line_get_cell(line, j),
						 tct_style_sequence(cell->style)) != 0)
				return false;
		}
	}
	return true;
}

static void print_indented(const struct tct_page *page, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		size_t length = strlen(line);

		while (length > 0 && line[length - 1] == ' ')
			length--;
		if (length > 0)
			(void)fprintf(page->out, "%*s%.*s\n", INDENT, "", (int)length, line);
	}
}

void tct_table_print(struct tct_table *table)
{
	struct libscols_table *scols = NULL;
	TCT_AUTOFREE char *text = NULL;

	if (table != NULL && table->rows_count == 0 && !table->failed)
		return;
	scols_init_debug(0);
	if (table != NULL && !table->failed)
		scols = scols_new_table();
	if (scols == NULL || scols_table_set_column_separator(scols, "  ") != 0 ||
	    scols_table_enable_colors(scols, table->page->color ? 1 : 0) != 0 ||
	    scols_table_set_termforce(scols, SCOLS_TERMFORCE_NEVER) != 0 ||
	    !add_columns(table, scols) || !add_rows(table, scols) ||
	    scols_print_table_to_string(scols, &text) != 0)
		(void)fputs("  (no memory for a table)\n", stdout);
	else
		print_indented(table->page, text);
	if (scols != NULL)
		scols_unref_table(scols);
}
