/* `rollback` and `confirm` as text. */
#include <inttypes.h>

#include "cli/render_change.h"
#include "cli/suggest.h"
#include "core/mem.h"

void tct_render_rollback(const struct tct_page *page, const struct tct_options *options,
			 const struct tct_apply_result *result, int exit_code)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text next = { 0 };
	bool conflicts = result->conflicts_count > 0;

	if (options->quiet) {
		tct_put_conflicts(page, options, result);
		return;
	}
	tct_put_recovered(page, result);
	if (tct_exit_is_failure(exit_code))
		tct_text_add(&text, tct_failure_words(result, exit_code));
	else if (result->undid == 0 && options->arguments.items_count > 0)
		tct_text_addf(&text, "Nothing to roll back: transaction %s doesn't stand any more.",
			      options->arguments.items[0]);
	else if (result->undid == 0)
		tct_text_add(&text, "Nothing to roll back.");
	else if (result->dry_run && result->undid == result->recovered)
		tct_text_add(&text, "That is all that there is to undo.");
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
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_STRONG, tct_text_string(&text));
	if (!tct_exit_is_failure(exit_code)) {
		tct_put_settings(page, result);
		tct_put_diff(page, result);
		tct_render_modules(page, result);
		tct_render_keepers(page, result);
		tct_render_restarts(page, result);
	}
	tct_put_conflicts(page, options, result);
	tct_put_unsupported(page, result->gone, result->gone_count);
	if (result->dry_run && (result->changed || conflicts)) {
		tct_text_addf(&next, "tcptune rollback %" PRIu64, result->undid);
		/* Never over what somebody changed, but where there is nothing else to do. */
		tct_text_add(&next,
			     options->force || (conflicts && !result->changed) ? " --force" : "");
		tct_suggest_place(&next, options);
	} else if (result->undid != 0 && !tct_exit_is_failure(exit_code)) {
		tct_text_addf(&next, "tcptune history show %" PRIu64, result->undid);
		tct_suggest_root(&next, options);
	} else {
		tct_text_add(&next, "tcptune history");
		tct_suggest_root(&next, options);
	}
	tct_page_newline(page);
	tct_put_next(page, &next);
}

/* The first line of confirm. */
static void put_kept(const struct tct_page *page, const struct tct_apply_result *result,
		     int exit_code)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (tct_exit_is_failure(exit_code) && result->transaction == 0)
		tct_text_add(&text, "Not confirmed.");
	else if (tct_exit_is_failure(exit_code))
		tct_text_add(&text, tct_failure_words(result, exit_code));
	else if (result->confirmed == 0)
		tct_text_add(&text, "Nothing waits to be confirmed.");
	else if (result->transaction == 0)
		tct_text_addf(&text, "Nothing to do: transaction %" PRIu64 " is kept already.",
			      result->confirmed);
	else
		tct_text_addf(&text, "Done: transaction %" PRIu64 " is kept.", result->confirmed);
	tct_page_paragraph(page, 0, NULL, 0,
			   tct_exit_is_failure(exit_code) ? TCT_STYLE_BAD : TCT_STYLE_STRONG,
			   tct_text_string(&text));
}

void tct_render_confirm(const struct tct_page *page, const struct tct_options *options,
			const struct tct_apply_result *result, int exit_code)
{
	TCT_AUTO(tct_text_done) struct tct_text next = { 0 };

	if (options->quiet) {
		tct_put_conflicts(page, options, result);
		return;
	}
	tct_put_recovered(page, result);
	put_kept(page, result, exit_code);
	if (!tct_exit_is_failure(exit_code)) {
		tct_put_diff(page, result);
		tct_render_modules(page, result);
	}
	tct_put_conflicts(page, options, result);
	if (!tct_exit_is_failure(exit_code) && result->confirmed != 0) {
		tct_text_addf(&next, "tcptune rollback %" PRIu64, result->confirmed);
		tct_suggest_place(&next, options);
	} else {
		tct_text_add(&next, "tcptune history");
	}
	tct_page_newline(page);
	tct_put_next(page, &next);
}
