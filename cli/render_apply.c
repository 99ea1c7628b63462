#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/render.h"
#include "cli/render_table.h"
#include "cli/say.h"
#include "cli/suggest.h"
#include "core/mem.h"

static const char *data_of(const struct tct_text *text)
{
	return text->data != NULL ? text->data : "";
}

/* Where the value goes: "live and boot", "live", "boot". */
static const char *where(const struct tct_apply_key *setting)
{
	if (setting->live_written && setting->persisted)
		return "live, boot";
	if (setting->live_written)
		return "live";
	return setting->persisted ? "boot" : "-";
}

static void put_settings(const struct tct_page *page, const struct tct_apply_result *result)
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

static void put_diff(const struct tct_page *page, const struct tct_apply_result *result)
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

/* Why there is no drop-in, to whom it may be a surprise: in a container, in `ip netns exec`. */
static void put_live_only(const struct tct_page *page, const struct tct_options *options,
			  const struct tct_apply_result *result)
{
	bool written = false;

	for (size_t i = 0; i < result->settings_count; i++)
		written |= result->settings[i].live_written;
	if (written && result->plan != NULL && !result->plan->persist && !options->no_persist)
		tct_page_heading(page, "For the next boot",
				 "nothing is written from this network namespace (--persist)");
}

static void put_refusals(const struct tct_page *page, const struct tct_plan *plan)
{
	if (plan->refused_count == 0)
		return;
	tct_page_heading(page, "Refused", "so nothing is changed at all");
	for (size_t i = 0; i < plan->refused_count; i++) {
		const struct tct_plan_refusal *refusal = &plan->refused[i];
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		tct_text_addf(&text, "%s%s%s: %s", refusal->kind, refusal->key != NULL ? " " : "",
			      refusal->key != NULL ? refusal->key->name : "", refusal->reason);
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_BAD, data_of(&text));
	}
}

static void put_warnings(const struct tct_page *page, const struct tct_plan *plan)
{
	bool first = true;

	for (size_t i = 0; i < plan->shadowed_count; i++) {
		const struct tct_plan_shadow *shadow = &plan->shadowed[i];
		TCT_AUTOFREE char *value = tct_value_or(&shadow->value, "another value");
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		if (shadow->refuses && plan->refused_count > 0)
			continue; /* it is among the refusals */
		if (first)
			tct_page_heading(page, "Overridden at the next boot", NULL);
		first = false;
		tct_text_addf(&text, "%s: where %s applies the files, %s:%u %s %s",
			      shadow->key->name, tct_boot_model_name(shadow->model), shadow->file,
			      shadow->line,
			      shadow->takes_away ? "takes our line away, and it is" : "sets it to",
			      value != NULL ? value : "?");
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_WARN, data_of(&text));
	}
}

static void put_unsupported(const struct tct_page *page, const struct tct_plan_unsupported *items,
			    size_t count)
{
	if (count == 0)
		return;
	tct_page_heading(page, "Left out", "this kernel or namespace doesn't have them");
	for (size_t i = 0; i < count; i++)
		tct_page_paragraph(page, 2, items[i].key->name, 34, TCT_STYLE_DIM, items[i].reason);
}

static void put_next(const struct tct_page *page, const struct tct_text *text)
{
	if (text->length > 0)
		tct_page_line(page, 0, "next:", 6, TCT_STYLE_STRONG, text->data);
}

/* The same apply again, with or without --dry-run. */
static void suggest_apply(struct tct_text *text, const struct tct_options *options)
{
	tct_text_add(text, "tcptune apply");
	tct_suggest_profiles(text, options->profiles.items, options->profiles.items_count);
	tct_suggest_vars(text, options);
	tct_suggest_sets(text, options);
	tct_text_add(text, options->no_persist ? " --no-persist" : "");
	tct_text_add(text, options->persist ? " --persist" : "");
	tct_text_add(text, options->no_live ? " --no-live" : "");
	tct_text_add(text, options->modules_load ? " --modules-load" : "");
	tct_text_add(text, options->allow_shadowed ? " --allow-shadowed" : "");
	if (options->boot >= 0)
		tct_text_addf(text, " --boot %s",
			      tct_option_table[TCT_OPTION_BOOT].choices[options->boot]);
	if (options->confirm_within_ns != 0)
		tct_text_addf(text, " --confirm-within %.15g",
			      (double)options->confirm_within_ns / 1e9);
	if (options->reason != NULL) {
		tct_text_add(text, " --reason ");
		tct_shell_word(text, options->reason);
	}
	tct_suggest_place(text, options);
}

/* Whether it is so: of just what was asked for, which need not be what was applied last. */
static void suggest_check(struct tct_text *text, const struct tct_options *options)
{
	tct_text_add(text, "tcptune check");
	tct_suggest_profiles(text, options->profiles.items, options->profiles.items_count);
	tct_suggest_vars(text, options);
	tct_suggest_sets(text, options);
	if (options->boot >= 0)
		tct_text_addf(text, " --boot %s",
			      tct_option_table[TCT_OPTION_BOOT].choices[options->boot]);
	tct_suggest_place(text, options);
}

static bool has_failed(int exit_code)
{
	return exit_code == TCT_EXIT_REFUSED || exit_code == TCT_EXIT_STUCK;
}

/* What a failure leaves behind; stderr has said what failed. */
static const char *failure(const struct tct_apply_result *result, int exit_code)
{
	if (exit_code == TCT_EXIT_STUCK)
		return "Failed, and not everything could be put back.";
	if (result->rolled_back)
		return "Failed: what had been written was put back.";
	return "Failed: nothing was changed.";
}

static void put_recovered(const struct tct_page *page, const struct tct_apply_result *result)
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

/* "until 07:31:05 (60 s)", by the clock on this host's wall. */
static void add_until(struct tct_text *text, const struct tct_apply_result *result)
{
	time_t seconds = (time_t)(result->waiting.until_ns / 1000000000);
	char number[TCT_NUMBER_TEXT];
	char clock[32];
	struct tm local;

	if (result->waiting.until_ns != 0 && localtime_r(&seconds, &local) != NULL &&
	    strftime(clock, sizeof(clock), "%H:%M:%S", &local) > 0)
		tct_text_addf(text, " until %s", clock);
	tct_text_addf(text, " (%s)", tct_text_nanoseconds(result->waiting.ns, number));
}

static void put_waiting(const struct tct_page *page, const struct tct_apply_result *result)
{
	static const char advice[] =
		"Try a NEW connection before you confirm, such as a second SSH login: the one you "
		"have may live on although no new one can be made.";
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (result->waiting.ns == 0)
		return;
	if (result->dry_run) {
		tct_text_add(&text, "It would wait to be confirmed");
		add_until(&text, result);
		tct_text_add(&text, ", and be put back otherwise.");
	} else {
		tct_text_add(&text, advice);
	}
	tct_page_newline(page);
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN, data_of(&text));
}

/* The profile asks for keys, and this kernel or namespace has none of them. */
static bool has_no_keys(const struct tct_apply_result *result)
{
	const struct tct_plan *plan = result->plan;

	return plan != NULL && plan->keys_count == 0 && plan->unsupported_count > 0;
}

/* The first line: what happened. */
static void put_outcome(const struct tct_page *page, const struct tct_apply_result *result,
			int exit_code)
{
	bool refused = result->plan != NULL && result->plan->refused_count > 0;
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	enum tct_style style = TCT_STYLE_STRONG;

	if (refused)
		tct_text_add(&text, "Refused: everything is as it was before.");
	else if (has_failed(exit_code))
		tct_text_add(&text, failure(result, exit_code));
	else if (result->dry_run && result->changed)
		tct_text_add(&text, "This would change (nothing has been written):");
	else if (result->transaction == 0 && has_no_keys(result))
		tct_text_add(&text, "Nothing to do: none of the keys can be set here.");
	else if (result->transaction == 0)
		tct_text_addf(&text, "Nothing %sto do: everything is as asked already.",
			      result->recovered != 0 ? "more " : "");
	else if (result->waiting.ns != 0) {
		tct_text_addf(&text, "Waiting: transaction %" PRIu64 " is in force",
			      result->transaction);
		add_until(&text, result);
		tct_text_add(&text, "; then it is put back, unless it is confirmed.");
	} else
		tct_text_addf(&text, "Done: transaction %" PRIu64 ".", result->transaction);
	if (refused || has_failed(exit_code))
		style = TCT_STYLE_BAD;
	tct_page_paragraph(page, 0, NULL, 0, style, data_of(&text));
}

void tct_render_apply(const struct tct_page *page, const struct tct_options *options,
		      const struct tct_apply_result *result, int exit_code)
{
	TCT_AUTO(tct_text_done) struct tct_text next = { 0 };
	const struct tct_plan *plan = result->plan;
	bool refused = plan != NULL && plan->refused_count > 0;

	if (options->quiet && !refused)
		return;
	put_recovered(page, result);
	put_outcome(page, result, exit_code);
	if (!refused) {
		put_settings(page, result);
		put_diff(page, result);
		put_live_only(page, options, result);
		tct_render_modules(page, result);
	}
	if (plan != NULL) {
		put_refusals(page, plan);
		put_warnings(page, plan);
		put_unsupported(page, plan->unsupported, plan->unsupported_count);
	}
	tct_render_keepers(page, result);
	tct_render_restarts(page, result);
	if (options->quiet || refused)
		return;
	put_waiting(page, result);
	if (result->dry_run && result->changed) {
		suggest_apply(&next, options);
	} else if (result->transaction != 0 && result->waiting.ns != 0) {
		tct_text_addf(&next, "tcptune confirm %" PRIu64, result->transaction);
		tct_suggest_place(&next, options);
	} else if (result->transaction != 0 && result->changed) {
		tct_text_addf(&next, "tcptune rollback %" PRIu64, result->transaction);
		tct_suggest_place(&next, options);
	} else {
		suggest_check(&next, options);
	}
	tct_page_newline(page);
	put_next(page, &next);
}

static void put_conflicts(const struct tct_page *page, const struct tct_options *options,
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

		tct_text_add(&text, conflict->key != NULL ? conflict->key->name : TCT_DROP_IN_PATH);
		if (conflict->field != 0)
			tct_text_addf(&text, ", field %u,", conflict->field);
		if (conflict->key != NULL)
			tct_text_addf(&text, " is %s; tcptune had found %s and wrote %s",
				      now != NULL ? now : "?", before != NULL ? before : "?",
				      ours != NULL ? ours : "?");
		tct_text_addf(&text, ": %s", conflict->reason);
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_WARN, data_of(&text));
	}
}

void tct_render_rollback(const struct tct_page *page, const struct tct_options *options,
			 const struct tct_apply_result *result, int exit_code)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text next = { 0 };
	bool conflicts = result->conflicts_count > 0;

	if (options->quiet) {
		put_conflicts(page, options, result);
		return;
	}
	put_recovered(page, result);
	if (has_failed(exit_code))
		tct_text_add(&text, failure(result, exit_code));
	else if (result->undid == 0 && options->arguments.items_count > 0)
		tct_text_addf(&text, "Nothing to roll back: transaction %s doesn't stand any more.",
			      options->arguments.items[0]);
	else if (result->undid == 0)
		tct_text_add(&text, "Nothing to roll back.");
	else if (result->changed && result->settings_count == 0 && result->drop_in_diff == NULL &&
		 result->modules_path[0] == '\0')
		tct_text_addf(&text,
			      "%sransaction %" PRIu64 " %s: no value %s, for its keys are a later "
			      "transaction's or have their old values already.",
			      result->dry_run ? "T" : "Done: t", result->undid,
			      result->dry_run ? "would be undone" : "is undone",
			      result->dry_run ? "would change" : "had to change");
	else if (result->dry_run)
		tct_text_addf(&text,
			      "Undoing transaction %" PRIu64
			      " would change (nothing has been written):",
			      result->undid);
	else if (!result->changed)
		tct_text_addf(&text, "Transaction %" PRIu64 " is not undone: nothing was changed.",
			      result->undid);
	else
		tct_text_addf(&text, "Done: transaction %" PRIu64 " is undone%s.", result->undid,
			      conflicts && !options->force ? ", but for the conflicts" : "");
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_STRONG, data_of(&text));
	if (!has_failed(exit_code)) {
		put_settings(page, result);
		put_diff(page, result);
		tct_render_modules(page, result);
		tct_render_keepers(page, result);
		tct_render_restarts(page, result);
	}
	put_conflicts(page, options, result);
	put_unsupported(page, result->gone, result->gone_count);
	if (result->dry_run && (result->changed || conflicts)) {
		tct_text_addf(&next, "tcptune rollback %" PRIu64, result->undid);
		/* Never over what somebody changed, but where there is nothing else to do. */
		tct_text_add(&next,
			     options->force || (conflicts && !result->changed) ? " --force" : "");
		tct_suggest_place(&next, options);
	} else if (result->undid != 0 && !has_failed(exit_code)) {
		tct_text_addf(&next, "tcptune history show %" PRIu64, result->undid);
		tct_suggest_root(&next, options);
	} else {
		tct_text_add(&next, "tcptune history");
		tct_suggest_root(&next, options);
	}
	tct_page_newline(page);
	put_next(page, &next);
}

/* The first line of confirm. */
static void put_kept(const struct tct_page *page, const struct tct_apply_result *result,
		     int exit_code)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (has_failed(exit_code) && result->transaction == 0)
		tct_text_add(&text, "Not confirmed.");
	else if (has_failed(exit_code))
		tct_text_add(&text, failure(result, exit_code));
	else if (result->confirmed == 0)
		tct_text_add(&text, "Nothing waits to be confirmed.");
	else if (result->transaction == 0)
		tct_text_addf(&text, "Nothing to do: transaction %" PRIu64 " is kept already.",
			      result->confirmed);
	else
		tct_text_addf(&text, "Done: transaction %" PRIu64 " is kept.", result->confirmed);
	tct_page_paragraph(page, 0, NULL, 0,
			   has_failed(exit_code) ? TCT_STYLE_BAD : TCT_STYLE_STRONG,
			   data_of(&text));
}

void tct_render_confirm(const struct tct_page *page, const struct tct_options *options,
			const struct tct_apply_result *result, int exit_code)
{
	TCT_AUTO(tct_text_done) struct tct_text next = { 0 };

	if (options->quiet) {
		put_conflicts(page, options, result);
		return;
	}
	put_recovered(page, result);
	put_kept(page, result, exit_code);
	if (!has_failed(exit_code)) {
		put_diff(page, result);
		tct_render_modules(page, result);
	}
	put_conflicts(page, options, result);
	if (!has_failed(exit_code) && result->confirmed != 0) {
		tct_text_addf(&next, "tcptune rollback %" PRIu64, result->confirmed);
		tct_suggest_place(&next, options);
	} else {
		tct_text_add(&next, "tcptune history");
	}
	tct_page_newline(page);
	put_next(page, &next);
}
