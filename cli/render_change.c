/* The parts that apply, rollback and confirm have in common as text. */
#include "cli/render_change.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/render_table.h"
#include "cli/say.h"
#include "core/mem.h"

/* Where the value goes: "live and boot", "live", "boot". */
static const char *where(const struct tct_apply_key *setting)
{
	if (setting->live_written && setting->persisted)
		return "live, boot";
	if (setting->live_written)
		return "live";
	return setting->persisted ? "boot" : "-";
}

void tct_put_settings(const struct tct_page *page, const struct tct_apply_result *result)
{
	static const struct tct_column columns[] = {
		{ "KEY", false },   { "BEFORE", false },  { "", false },
		{ "AFTER", false }, { "WRITTEN", false }, { "BECAUSE", false },
	};
	/* The drop-in's comments give the reasons, where there is a drop-in. */
	bool reasons = result->plan != NULL && result->drop_in_diff == NULL;
	TCT_AUTO(tct_table_free)
	struct tct_table *table =
		tct_table_new(page, columns, TCT_COUNT(columns) - (reasons ? 0 : 1));

	for (size_t i = 0; i < result->settings_count; i++) {
		const struct tct_apply_key *setting = &result->settings[i];
		TCT_AUTOFREE char *before = tct_value_or(&setting->before, "-");
		TCT_AUTOFREE char *after = tct_value_or(&setting->after, "-");

		/* A line for the next boot that says what is the case already: the diff shows it.
		 */
		if (!setting->live_written &&
		    (!setting->persisted || tct_value_equal(&setting->before, &setting->after)))
			continue;
		tct_table_row(table);
		tct_table_cell(table, TCT_STYLE_PLAIN, setting->key->name);
		tct_table_cell(table, TCT_STYLE_PLAIN, before);
		tct_table_cell(table, TCT_STYLE_DIM, "->");
		tct_table_cell(table, TCT_STYLE_GOOD, after);
		tct_table_cell(table, TCT_STYLE_PLAIN, where(setting));
		tct_table_cell(table, TCT_STYLE_PLAIN, setting->because);
	}
	if (tct_table_rows(table) > 0)
		tct_page_newline(page);
	tct_table_print(table);
}

void tct_put_diff(const struct tct_page *page, const struct tct_apply_result *result)
{
	const char *at = result->drop_in_diff;

	if (at == NULL || at[0] == '\0')
		return;
	tct_page_heading(page,
			 result->waiting.ns != 0 ? "For the next boot, once it is confirmed"
						 : "For the next boot",
			 result->drop_in_path);
	while (*at != '\0') {
		size_t length = strcspn(at, "\n");
		TCT_AUTOFREE char *line = tct_text_copy(at, length);
		enum tct_style style = at[0] == '+'   ? TCT_STYLE_GOOD
				       : at[0] == '-' ? TCT_STYLE_BAD
						      : TCT_STYLE_DIM;

		tct_page_line(page, 2, NULL, 0, style, line != NULL ? line : "");
		at += length;
		at += *at == '\n' ? 1 : 0;
	}
}

void tct_put_unsupported(const struct tct_page *page, const struct tct_plan_unsupported *items,
			 size_t count)
{
	if (count == 0)
		return;
	tct_page_heading(page, "Left out", "this kernel or namespace doesn't have them");
	for (size_t i = 0; i < count; i++)
		tct_page_paragraph(page, 2, items[i].key->name, 34, TCT_STYLE_DIM, items[i].reason);
}

void tct_put_next(const struct tct_page *page, const struct tct_text *text)
{
	if (text->length > 0)
		tct_page_line(page, 0, "next:", 6, TCT_STYLE_STRONG, text->data);
}

bool tct_exit_is_failure(int exit_code)
{
	return exit_code == TCT_EXIT_REFUSED || exit_code == TCT_EXIT_STUCK;
}

/* What a failure leaves behind; stderr has said what failed. */
const char *tct_failure_words(const struct tct_apply_result *result, int exit_code)
{
	if (exit_code == TCT_EXIT_STUCK)
		return "Failed, and not everything could be put back.";
	if (result->rolled_back)
		return "Failed: what had been written was put back.";
	return "Failed: nothing was changed.";
}

void tct_put_recovered(const struct tct_page *page, const struct tct_apply_result *result)
{
	if (result->recovered != 0) {
		tct_page_putf(page, TCT_STYLE_WARN,
			      result->dry_run ? "Transaction %" PRIu64
						" was interrupted; it would be undone first."
					      : "Transaction %" PRIu64
						" had been interrupted; it was undone first.",
			      result->recovered);
		tct_page_newline(page);
	}
	if (result->expired != 0) {
		tct_page_putf(page, TCT_STYLE_WARN,
			      result->dry_run
				      ? "Transaction %" PRIu64
					" was not confirmed in time; it would be put back first."
				      : "Transaction %" PRIu64
					" had not been confirmed in time; it was put back first.",
			      result->expired);
		tct_page_newline(page);
	}
}

void tct_put_conflicts(const struct tct_page *page, const struct tct_options *options,
		       const struct tct_apply_result *result)
{
	if (result->conflicts_count == 0)
		return;
	tct_page_heading(page, "Conflicts",
			 options->force ? "changed since, put back all the same"
					: "changed since, so left alone");
	for (size_t i = 0; i < result->conflicts_count; i++) {
		const struct tct_conflict *conflict = &result->conflicts[i];
		TCT_AUTOFREE char *before = tct_value_or(&conflict->before, "nothing");
		TCT_AUTOFREE char *now = tct_value_or(&conflict->now, "not known");
		TCT_AUTOFREE char *ours = tct_value_or(&conflict->ours, "nothing");
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		/* Of a file the reason says which. */
		if (conflict->key != NULL)
			tct_text_add(&text, conflict->key->name);
		if (conflict->field != 0)
			tct_text_addf(&text, ", field %u,", conflict->field);
		if (conflict->key != NULL)
			tct_text_addf(&text, " is %s; tcptune had found %s and wrote %s: ",
				      now != NULL ? now : "?", before != NULL ? before : "?",
				      ours != NULL ? ours : "?");
		tct_text_add(&text, conflict->reason);
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_WARN, tct_text_string(&text));
	}
}
