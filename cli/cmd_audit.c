#include "cli/command.h"
#include "cli/render.h"
#include "cli/session.h"
#include "core/mem.h"

/* --fail-on: is there a finding at least as bad? */
static bool is_hit(const struct tct_report *report, int fail_on)
{
	for (int severity = 0; severity <= fail_on; severity++) {
		if (report->by_severity[severity] > 0)
			return true;
	}
	return false;
}

static int print(const struct tct_options *options, const struct tct_report *report)
{
	int code = is_hit(report, options->fail_on) ? TCT_EXIT_NO : TCT_EXIT_DONE;
	struct tct_page page;

	if (tct_wants_json(options))
		return tct_print_json(tct_report_json(report), code);
	tct_page_init(&page, stdout, options);
	tct_render_audit(&page, options, report);
	return code;
}

static int audit(struct tct_session *session, struct tct_err *err, int *exit_code)
{
	const struct tct_options *options = session->options;
	TCT_AUTO(tct_drop_observation) struct tct_observation *observation = NULL;
	TCT_AUTO(tct_drop_set) struct tct_profile_set *set = NULL;
	TCT_AUTO(tct_drop_report) struct tct_report *report = NULL;
	struct tct_facts facts;
	int64_t interval_ns = options->interval_ns;
	int code;

	if (interval_ns < 0)
		interval_ns = session->root.live ? INT64_C(1000000000) : 0;
	/* the profile first: a mistake in it should not wait for the interval */
	code = tct_session_load(session, &facts, &observation, &set, err);
	if (code == 0)
		code = tct_session_traffic(session,
					   tct_profile_set_looks(set) | TCT_LOOK_DESTINATIONS |
						   TCT_LOOK_OWNERS | TCT_LOOK_UNACCEPTED,
					   interval_ns, observation, err);
	if (code == 0)
		code = tct_judge(observation, set, &facts, &report, err);
	if (code == 0)
		*exit_code = print(options, report);
	return code;
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session;
	struct tct_err err;
	int exit_code = TCT_EXIT_DONE;

	if (tct_session_open(&session, options, "base", &err) < 0)
		return tct_complain(&err);
	if (!session.root.live && options->interval_ns > 0)
		return tct_bad_usage(
			"--interval needs a live host: the counters below --root stand "
			"still");
	if (audit(&session, &err, &exit_code) < 0)
		return tct_complain(&err);
	return exit_code;
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_PROFILE, "judge by this profile instead of base; a name with a / is a file; "
			      "may be given again" },
	{ TCT_OPTION_VAR, NULL },
	{ TCT_OPTION_INTERVAL, NULL },
	{ TCT_OPTION_EXACT, NULL },
	{ TCT_OPTION_NETNS, NULL },
	{ TCT_OPTION_ROOT, NULL },
	{ TCT_OPTION_SNAPSHOT, NULL },
	{ TCT_OPTION_FAIL_ON, NULL },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_QUIET, "only the findings, one line each" },
	{ TCT_OPTION_VERBOSE, "all listeners, owners, limits and reasons; references" },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_audit = {
	.name = "audit",
	.summary = "Look at the host's TCP, say what is wrong, whose fault it is and what to do.",
	.usage = "audit [OPTIONS]",
	.description =
		"Nothing is changed. As a plain user it works too, and says what it could not "
		"see. Exit code: 0, or 1 with --fail-on.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune audit\n"
		   "tcptune audit --profile highconn --interval 10\n"
		   "tcptune audit --root /mnt/image --json | jq .findings\n"
		   "tcptune audit --snapshot web1.json",
	.placeholder = "",
	.run = run,
};
