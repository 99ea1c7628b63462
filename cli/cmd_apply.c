#include <errno.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/session.h"
#include "core/mem.h"

/* What stands in the way of writing to the live host, before anything is looked at. */
static int check_user(const struct tct_session *session, struct tct_err *err)
{
	const struct tct_options *options = session->options;

	if (!session->root.live || options->dry_run || geteuid() == 0)
		return 0;
	return tct_err_set(err, TCT_FAULT_REFUSED, EPERM,
			   "only root may change settings (--dry-run shows what would change)");
}

static int check_usage(const struct tct_options *options)
{
	if (options->profiles.items_count == 0 && options->sets.items_count == 0)
		return tct_bad_usage("apply needs --profile NAME ('tcptune profile list' names "
				     "them) or --set KEY=VALUE");
	if (options->persist && options->no_persist)
		return tct_bad_usage("--persist and --no-persist exclude each other");
	if (options->no_persist && (options->no_live || options->root != NULL))
		return tct_bad_usage("neither live values nor the drop-in may be written: nothing "
				     "would be left to do");
	if (options->no_persist && options->modules_load)
		return tct_bad_usage("--no-persist and --modules-load exclude each other: modules "
				     "are loaded for the lines of the next boot");
	if (options->confirm_within_ns != 0 && (options->no_live || options->root != NULL))
		return tct_bad_usage("--confirm-within and --%s exclude each other: it is live "
				     "values that are put back",
				     options->no_live ? "no-live" : "root");
	return TCT_EXIT_DONE;
}

static void fill(const struct tct_session *session, struct tct_apply_options *apply)
{
	const struct tct_options *options = session->options;

	*apply = (struct tct_apply_options){
		.root = &session->root,
		.netns = session->netns,
		.dry_run = options->dry_run,
		.no_live = options->no_live || !session->root.live,
		.no_persist = options->no_persist,
		.persist = options->persist,
		.allow_shadowed = options->allow_shadowed,
		.boot_model_given = options->boot >= 0,
		.boot_model =
			options->boot >= 0 ? (enum tct_boot_model)options->boot : TCT_BOOT_MODELS,
		.modules_load = options->modules_load,
		.confirm_within_ns = options->confirm_within_ns,
		.reason = options->reason,
		.profile = &session->request,
	};
}

/* Did the transaction get so far that there is something to tell? */
static bool has_document(const struct tct_apply_result *result, const struct tct_err *err)
{
	return (err->fault == TCT_FAULT_REFUSED || err->fault == TCT_FAULT_STUCK) &&
	       result->plan != NULL;
}

static int report(const struct tct_options *options, const struct tct_apply_result *result,
		  int exit_code)
{
	struct tct_page page;

	if (tct_wants_json(options))
		return tct_print_json(tct_apply_json(result, false), exit_code);
	tct_page_init(&page, stdout, options);
	tct_render_apply(&page, options, result, exit_code);
	return exit_code;
}

/* A document always says who refused what; a text only where there is more to tell than the error.
 */
static int fail(const struct tct_options *options, const struct tct_apply_result *result,
		const struct tct_err *err)
{
	int exit_code = tct_complain(err);

	if (exit_code == TCT_EXIT_REFUSED && tct_wants_json(options))
		return tct_print_json(tct_refused_json(tct_apply_json(result, false), err),
				      exit_code);
	return has_document(result, err) ? report(options, result, exit_code) : exit_code;
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session = { .root = { .fd = -1 } };
	TCT_AUTO(tct_apply_result_done)
	struct tct_apply_result result = { .dry_run = options->dry_run };
	struct tct_apply_options apply;
	struct tct_progress progress;
	struct tct_err err = { 0 };

	if (check_usage(options) != TCT_EXIT_DONE)
		return TCT_EXIT_INPUT;
	if (tct_session_open(&session, options, NULL, &err) < 0 || check_user(&session, &err) < 0)
		return fail(options, &result, &err);
	fill(&session, &apply);
	apply.wait = (struct tct_lock_wait){ options->wait_ns, tct_progress_lock, &progress };
	tct_progress_begin(&progress, options->dry_run ? "planning ..." : "applying ...");

	int code = tct_apply(&apply, &result, &err);

	tct_remark(result.journal_note);
	tct_progress_end(&progress);
	if (code == 0)
		return report(options, &result,
			      result.dry_run && result.changed ? TCT_EXIT_NO : TCT_EXIT_DONE);
	return fail(options, &result, &err);
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_PROFILE,
	  "the profile to apply; a name with a / is a file; may be given again" },
	{ TCT_OPTION_VAR, NULL },
	{ TCT_OPTION_SET,
	  "set this key, whatever the profiles say of it; without --profile all else "
	  "stays as it is; may be given again" },
	{ TCT_OPTION_DRY_RUN, NULL },
	{ TCT_OPTION_REASON, NULL },
	{ TCT_OPTION_CONFIRM_WITHIN, NULL },
	{ TCT_OPTION_NO_PERSIST, NULL },
	{ TCT_OPTION_PERSIST, NULL },
	{ TCT_OPTION_NO_LIVE, NULL },
	{ TCT_OPTION_MODULES_LOAD, NULL },
	{ TCT_OPTION_ALLOW_SHADOWED, NULL },
	{ TCT_OPTION_BOOT, NULL },
	{ TCT_OPTION_WAIT, NULL },
	{ TCT_OPTION_NETNS, NULL },
	{ TCT_OPTION_ROOT, "write to the files below DIR, an image, instead of this host; implies "
			   "--no-live" },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_QUIET, "print nothing but refusals and failures" },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_apply = {
	.name = "apply",
	.summary = "Set what a profile asks for, live and for the next boot, as one transaction.",
	.usage = "apply --profile NAME... [--set KEY=VALUE...] [OPTIONS]\n"
		 "apply --set KEY=VALUE... [OPTIONS]",
	.description =
		"Live values are written to /proc/sys and read back; for the next boot there is "
		"one drop-in, /etc/sysctl.d/99-tcptune.conf. If anything fails, all of it is "
		"put back. The second time nothing is written. Exit code: 0 done, or already "
		"so; 1 a dry run sees differences; 3 refused, everything is as before; 4 "
		"failed, and something could not be put back; 5 another tcptune is at work.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune apply --profile highconn --dry-run\n"
		   "tcptune apply --profile highconn --confirm-within 60\n"
		   "tcptune apply --profile highconn --reason 'accept queues overflow at noon'\n"
		   "tcptune apply --set net.ipv4.tcp_tw_reuse=1",
	.placeholder = "",
	.changes = true,
	.run = run,
};
