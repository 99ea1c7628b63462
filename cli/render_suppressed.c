/* What suppressions.yaml takes out of an audit's findings: counted and named, with the reason. */
#include <stdio.h>
#include <string.h>

#include "cli/render.h"
#include "core/mem.h"

enum {
	MOST_ENTRIES = 20,    /* of suppressions.yaml, without verbose */
	MOST_CHARACTERS = 200 /* of subjects, likewise */
};

static const char *orempty(const struct tct_text *text)
{
	return tct_text_string(text);
}

/* "port-overlap 0.0.0.0:5432, 0.0.0.0:5433": what the entry takes out, from `first` on. */
static size_t add_subjects(struct tct_text *text, bool verbose, const struct tct_report *report,
			   size_t first)
{
	const struct tct_suppression *by = report->suppressed[first].by;
	size_t begin = text->length;
	size_t named = 0;
	size_t count = 0;
	char number[TCT_NUMBER_TEXT];

	for (size_t i = first; i < report->suppressed_count; i++) {
		const struct tct_suppressed *suppressed = &report->suppressed[i];

		if (suppressed->by != by)
			continue;
		count++;
		if (suppressed->subject == NULL ||
		    (!verbose && text->length - begin > MOST_CHARACTERS))
			continue;
		tct_text_addf(text, "%s%s", named++ == 0 ? " " : ", ", suppressed->subject);
	}
	if (named > 0 && named < count)
		tct_text_addf(text, " and %s more",
			      tct_text_count((int64_t)(count - named), number));
	return count;
}

/* "1 finding is suppressed: port-overlap 0.0.0.0:5432 (reason; until 2027-03-31)" */
static void put_entry(const struct tct_page *page, bool verbose, const struct tct_report *report,
		      size_t first)
{
	const struct tct_suppressed *suppressed = &report->suppressed[first];
	TCT_AUTO(tct_text_done) struct tct_text subjects = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	size_t count = add_subjects(&subjects, verbose, report, first);
	char number[TCT_NUMBER_TEXT];

	tct_text_addf(&text, "%s finding%s suppressed: %s%s (%s",
		      tct_text_count((int64_t)count, number), count == 1 ? " is" : "s are",
		      suppressed->id, orempty(&subjects), suppressed->by->reason);
	if (suppressed->by->expires[0] != '\0')
		tct_text_addf(&text, "; until %s", suppressed->by->expires);
	tct_text_add(&text, ")");
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_DIM, orempty(&text));
}

static bool is_first_of_entry(const struct tct_report *report, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (report->suppressed[i].by == report->suppressed[index].by)
			return false;
	}
	return true;
}

void tct_render_suppressed(const struct tct_page *page, bool verbose,
			   const struct tct_report *report,
			   const struct tct_namespace_reports *others)
{
	size_t elsewhere = others != NULL ? others->suppressed : 0;
	size_t entries = 0;

	if (report->suppressed_count + elsewhere > 0)
		tct_page_newline(page);
	for (size_t i = 0; i < report->suppressed_count; i++) {
		if (!is_first_of_entry(report, i))
			continue;
		if (verbose || entries < MOST_ENTRIES)
			put_entry(page, verbose, report, i);
		entries++;
	}
	if (!verbose && entries > MOST_ENTRIES) {
		tct_page_putf(page, TCT_STYLE_DIM,
			      "%zu more entries suppress findings (--verbose lists them)",
			      entries - MOST_ENTRIES);
		tct_page_newline(page);
	}
	if (elsewhere > 0) {
		tct_page_putf(page, TCT_STYLE_DIM,
			      "%zu finding%s suppressed in other network namespaces", elsewhere,
			      elsewhere == 1 ? " is" : "s are");
		tct_page_newline(page);
	}
}
