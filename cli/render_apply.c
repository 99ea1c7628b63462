/* `apply` and its dry run as text. */
#include <inttypes.h>
#include <time.h>

#include "cli/render_change.h"
#include "cli/say.h"
#include "cli/suggest.h"
#include "core/mem.h"

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
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_BAD, tct_text_string(&text));
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
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_WARN, tct_text_string(&text));
	}
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
	static const char process_guard[] =
		"A process puts it back, for systemd can't be asked to here. Should it be killed, "
		"as by the end of the container or service that runs tcptune, the next apply, "
		"confirm or rollback does it.";
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (result->waiting.ns == 0)
		return;
	if (!result->dry_run && result->waiting.guard == TCT_GUARD_PROCESS) {
		tct_page_newline(page);
		tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN, process_guard);
	}
	if (result->dry_run) {
		tct_text_add(&text, "It would wait to be confirmed");
		add_until(&text, result);
		tct_text_add(&text, ", and be put back otherwise.");
	} else {
		tct_text_add(&text, advice);
	}
	tct_page_newline(page);
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN, tct_text_string(&text));
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
	else if (tct_exit_is_failure(exit_code))
		tct_text_add(&text, tct_failure_words(result, exit_code));
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
	if (refused || tct_exit_is_failure(exit_code))
		style = TCT_STYLE_BAD;
	tct_page_paragraph(page, 0, NULL, 0, style, tct_text_string(&text));
}

void tct_render_apply(const struct tct_page *page, const struct tct_options *options,
		      const struct tct_apply_result *result, int exit_code)
{
	TCT_AUTO(tct_text_done) struct tct_text next = { 0 };
	const struct tct_plan *plan = result->plan;
	bool refused = plan != NULL && plan->refused_count > 0;

	if (options->quiet && !refused)
		return;
	tct_put_recovered(page, result);
	put_outcome(page, result, exit_code);
	if (!refused) {
		tct_put_settings(page, result);
		tct_put_diff(page, result);
		put_live_only(page, options, result);
		tct_render_modules(page, result);
	}
	if (plan != NULL) {
		put_refusals(page, plan);
		put_warnings(page, plan);
		tct_put_unsupported(page, plan->unsupported, plan->unsupported_count);
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
	tct_put_next(page, &next);
}
