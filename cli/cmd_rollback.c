#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/session.h"
#include "core/mem.h"

static int report(const struct tct_options *options, const struct tct_apply_result *result,
		  int exit_code)
{
	struct tct_page page;

	if (tct_wants_json(options))
		return tct_print_json(tct_apply_json(result, true), exit_code);
	tct_page_init(&page, stdout, options);
	tct_render_rollback(&page, options, result, exit_code);
	return exit_code;
}

/* "No" where something was left alone, and where a dry run sees something to do. */
static int success(const struct tct_apply_result *result)
{
	return result->conflicts_count > 0 || (result->dry_run && result->changed) ? TCT_EXIT_NO
										   : TCT_EXIT_DONE;
}

/* A document always says who refused what; a text only where there is more to tell than the error.
 */
static int fail(const struct tct_options *options, const struct tct_apply_result *result,
		const struct tct_err *err)
{
	int exit_code = tct_complain(err);

	if (exit_code == TCT_EXIT_REFUSED && tct_wants_json(options))
		return tct_print_json(tct_refused_json(tct_apply_json(result, true), err),
				      exit_code);
	if (result->settings_count > 0 || result->conflicts_count > 0)
		return report(options, result, exit_code);
	return exit_code;
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session = { .root = { .fd = -1 } };
	TCT_AUTO(tct_apply_result_done)
	struct tct_apply_result result = { .dry_run = options->dry_run };
	struct tct_progress progress;
	struct tct_err err = { 0 };
	uint64_t id = 0;

	if (options->arguments.items_count > 0 && !tct_parse_id(options->arguments.items[0], &id))
		return tct_bad_usage("'%s' is no transaction ('tcptune history' lists them)",
				     options->arguments.items[0]);
	if (tct_session_open(&session, options, NULL, &err) < 0)
		return fail(options, &result, &err);
	if (session.root.live && !options->dry_run && geteuid() != 0) {
		(void)tct_err_set(
			&err, TCT_FAULT_REFUSED, EPERM,
			"only root may change settings (--dry-run shows what would change)");
		return fail(options, &result, &err);
	}

	const struct tct_apply_options apply = {
		.root = &session.root,
		.netns = session.netns,
		.dry_run = options->dry_run,
		.no_live = !session.root.live,
		.boot_model = TCT_BOOT_MODELS,
		.reason = options->reason,
		.wait = { options->wait_ns, tct_progress_lock, &progress },
		.profile = &session.request,
	};

	tct_progress_begin(&progress, "rolling back ...");

	int code = tct_rollback(&apply, id, options->force, &result, &err);

	tct_remark(result.journal_note);
	tct_progress_end(&progress);
	if (code == 0)
		return report(options, &result, success(&result));
	return fail(options, &result, &err);
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_DRY_RUN, "print what would go back, write nothing" },
	{ TCT_OPTION_FORCE, NULL },
	{ TCT_OPTION_REASON, "why, for the history" },
	{ TCT_OPTION_WAIT, NULL },
	{ TCT_OPTION_NETNS, NULL },
	{ TCT_OPTION_ROOT, "undo what was applied to the files below DIR" },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_QUIET, "print nothing but conflicts and failures" },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_rollback = {
	.name = "rollback",
	.summary = "Undo an apply: every value goes back that is still as tcptune wrote it.",
	.usage = "rollback [ID] [OPTIONS]",
	.description =
		"Without ID the newest apply that still stands is undone. A value that somebody "
		"changed since is a conflict: it is named and left alone, unless --force is "
		"given. Exit code: 0 done, or nothing to undo; 1 conflicts were left alone, or "
		"--dry-run sees something that would change; 3 refused; 4 failed, and something could not be put back; 5 another tcptune is "
		"at work.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune rollback --dry-run\n"
		   "tcptune rollback 7",
	.placeholder = "one transaction",
	.arguments_max = 1,
	.changes = true,
	.run = run,
};
