#include "cli/command.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/session.h"
#include "core/mem.h"
#include "tune/drop_in.h"

static int verdict(const struct tct_check_result *result)
{
	if (result->refused_count > 0)
		return TCT_EXIT_REFUSED;
	return result->conforms ? TCT_EXIT_DONE : TCT_EXIT_NO;
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session = { .root = { .fd = -1 } };
	TCT_AUTO(tct_check_result_done) struct tct_check_result result = { 0 };
	TCT_AUTO(tct_drop_observation) struct tct_observation *snapshot = NULL;
	char text[TCT_ORPHAN_TEXT];
	struct tct_page page;
	struct tct_err err = { 0 };

	const bool named = options->profiles.items_count > 0 || options->sets.items_count > 0;

	if (options->vars.items_count > 0 && !named)
		return tct_bad_usage("--var needs --profile: without it the variables of the last "
				     "apply count");
	if (options->snapshot != NULL && !named)
		return tct_bad_usage(
			"--snapshot needs --profile or --set: what was last applied is known "
			"on the host alone");
	if (tct_session_open(&session, options, NULL, &err) < 0 ||
	    (options->snapshot != NULL && tct_session_host(&session, &snapshot, &err) < 0))
		return tct_complain(&err);

	const struct tct_apply_options check = {
		.root = &session.root,
		.netns = session.netns,
		.no_live = !session.root.live,
		.boot_model_given = options->boot >= 0,
		.boot_model =
			options->boot >= 0 ? (enum tct_boot_model)options->boot : TCT_BOOT_MODELS,
		.profile = &session.request,
		.snapshot = snapshot,
	};

	if (tct_check(&check, &result, &err) < 0)
		return tct_complain(&err);
	/* Where it is a difference, it is said among them. */
	if (result.orphan && result.drop_in[0] == '\0' && !options->quiet)
		tct_remark(tct_drop_in_orphan_text(tct_root_prefix(&session.root), text));
	if (tct_wants_json(options))
		return tct_print_json(tct_check_json(&result), verdict(&result));
	tct_page_init(&page, stdout, options);
	tct_render_check(&page, options, &result);
	return verdict(&result);
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_PROFILE, "check against this profile instead of what was last applied; may be "
			      "given again" },
	{ TCT_OPTION_VAR, NULL },
	{ TCT_OPTION_SET,
	  "does this key have this value, too, whatever the profiles say of it? Without "
	  "--profile: only this; may be given again" },
	{ TCT_OPTION_BOOT, NULL },
	{ TCT_OPTION_NETNS, NULL },
	{ TCT_OPTION_ROOT, NULL },
	{ TCT_OPTION_SNAPSHOT, "check what `tcptune snapshot` saved in FILE; - is standard input" },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_QUIET, "print nothing; the exit code is the answer" },
	{ TCT_OPTION_VERBOSE, "list the keys that conform, too, and the reasons" },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_check = {
	.name = "check",
	.summary = "Does the host conform to a profile, live and at the next boot?",
	.usage = "check [--profile NAME...] [--set KEY=VALUE...] [OPTIONS]",
	.description =
		"Without --profile and --set: does it still conform to what was last applied, "
		"with the variables and single keys of that? Nothing is changed. Exit code: 0 yes, 1 no, 3 "
		"the profile asks for what tcptune refuses.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune check\n"
		   "tcptune check --profile highconn --json",
	.placeholder = "",
	.run = run,
};
