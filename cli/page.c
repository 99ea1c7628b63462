#include "cli/page.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "core/mem.h"

enum {
	DEFAULT_WIDTH = 80,
	LEAST_WIDTH = 40,
	MOST_WIDTH = 1000,
};

static unsigned find_width(FILE *out, bool terminal)
{
	const char *columns = getenv("COLUMNS");
	unsigned long width = 0;
	struct winsize size;

	if (columns != NULL && columns[strspn(columns, "0123456789")] == '\0')
		width = strtoul(columns, NULL, 10);
	if (width == 0 && terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (width == 0)
		width = DEFAULT_WIDTH;
	if (width < LEAST_WIDTH)
		width = LEAST_WIDTH;
	return width > MOST_WIDTH ? MOST_WIDTH : (unsigned)width;
}

void tct_page_init(struct tct_page *page, FILE *out, const struct tct_options *options)
{
	int choice = options != NULL ? options->color : TCT_COLOR_AUTO;
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	*page = (struct tct_page){ .out = out, .terminal = isatty(fileno(out)) == 1 };
	page->width = find_width(out, page->terminal);
	page->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	page->color = choice == TCT_COLOR_ALWAYS || (choice == TCT_COLOR_AUTO && page->terminal &&
						     (no_color == NULL || no_color[0] == '\0') &&
						     (term == NULL || strcmp(term, "dumb") != 0));
}

/* Write errors stick to the stream and are looked at once, at the end. */
static void emit(const struct tct_page *page, const char *text)
{
	(void)fputs(text, page->out);
}

static void blanks(const struct tct_page *page, size_t count)
{
	for (size_t i = 0; i < count; i++)
		emit(page, " ");
}

size_t tct_page_columns(const struct tct_page *page, const char *text)
{
	mbstate_t state = { 0 };
	size_t left = strlen(text);
	size_t columns = 0;

	if (!page->utf8)
		return left;
	while (left > 0) {
		wchar_t wide;
		size_t length = mbrtowc(&wide, text, left, &state);

		if (length == 0 || length > left)
			return columns + left;

		int width = wcwidth(wide);

		columns += width > 0 ? (size_t)width : 0;
		text += length;
		left -= length;
	}
	return columns;
}

static void put_safe(const struct tct_page *page, enum tct_style style, const char *safe)
{
	bool painted = page->color && style != TCT_STYLE_PLAIN && safe[0] != '\0';

	if (painted)
		emit(page, tct_style_sequence(style));
	emit(page, safe);
	if (painted)
		emit(page, TCT_STYLE_OFF);
}

void tct_page_put(const struct tct_page *page, enum tct_style style, const char *text)
{
	TCT_AUTO(tct_text_done) struct tct_text safe = { 0 };

	tct_safe_add(&safe, text, page->utf8);
	put_safe(page, style, tct_text_string(&safe));
}

void tct_page_putf(const struct tct_page *page, enum tct_style style, const char *format, ...)
{
	TCT_AUTOFREE char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);

	va_end(arguments);
	if (length < 0)
		text = NULL;
	tct_page_put(page, style, text != NULL ? text : "(out of memory)");
}

void tct_page_newline(const struct tct_page *page)
{
	emit(page, "\n");
}

void tct_page_heading(const struct tct_page *page, const char *text, const char *added)
{
	emit(page, "\n");
	tct_page_put(page, TCT_STYLE_STRONG, text);
	if (added != NULL && added[0] != '\0') {
		emit(page, "  ");
		tct_page_put(page, TCT_STYLE_DIM, added);
	}
	emit(page, "\n");
}

void tct_page_wrap(const struct tct_page *page, const char *text, size_t columns,
		   struct tct_text *out)
{
	size_t used = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		TCT_AUTOFREE char *word = tct_text_copy(text, length);

		text += length;
		text += strspn(text, " ");
		if (word == NULL || length == 0)
			continue;

		size_t width = tct_page_columns(page, word);

		if (used > 0 && used + 1 + width > columns) {
			tct_text_add(out, "\n");
			used = 0;
		} else if (used > 0) {
			tct_text_add(out, " ");
			used++;
		}
		tct_text_add(out, word);
		used += width;
	}
}

static void put_label(const struct tct_page *page, unsigned indent, const char *label,
		      unsigned label_width)
{
	TCT_AUTO(tct_text_done) struct tct_text safe = { 0 };

	blanks(page, indent);
	tct_safe_add(&safe, label != NULL ? label : "", page->utf8);

	const char *text = tct_text_string(&safe);
	size_t width = tct_page_columns(page, text);

	put_safe(page, TCT_STYLE_DIM, text);
	if (width < label_width)
		blanks(page, label_width - width);
	else if (width > 0)
		emit(page, " ");
}

void tct_page_paragraph(const struct tct_page *page, unsigned indent, const char *label,
			unsigned label_width, enum tct_style style, const char *text)
{
	TCT_AUTO(tct_text_done) struct tct_text safe = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text wrapped = { 0 };
	size_t room = indent + label_width;
	bool first = true;

	tct_safe_add(&safe, text, page->utf8);
	tct_page_wrap(page, tct_text_string(&safe),
		      page->width > room + 20 ? page->width - room : 20, &wrapped);

	char *rest = wrapped.data;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (first)
			put_label(page, indent, label, label_width);
		else
			blanks(page, room);
		first = false;
		put_safe(page, style, line);
		emit(page, "\n");
	}
}

void tct_page_line(const struct tct_page *page, unsigned indent, const char *label,
		   unsigned label_width, enum tct_style style, const char *text)
{
	put_label(page, indent, label, label_width);
	tct_page_put(page, style, text);
	emit(page, "\n");
}
