#include "audit/judge/namespace_reports.h"
#include "cli/command.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/session.h"
#include "core/mem.h"

static void drop_reports(struct tct_namespace_reports *reports)
{
	tct_namespace_reports_done(reports);
}

/* --fail-on: is there a finding at least as bad, here or in another namespace (may be NULL)? */
static bool is_hit(const struct tct_report *report, const struct tct_namespace_reports *others,
		   int fail_on)
{
	for (int severity = 0; severity <= fail_on; severity++) {
		if (report->by_severity[severity] > 0 ||
		    (others != NULL && others->by_severity[severity] > 0))
			return true;
	}
	return false;
}

static json_t *document_of(const struct tct_report *report,
			   const struct tct_namespace_reports *others)
{
	json_t *document = tct_report_json(report);

	if (document == NULL || others == NULL ||
	    tct_namespace_reports_into(others, report, document) == 0)
		return document;
	json_decref(document);
	return NULL;
}

static int print(const struct tct_options *options, const struct tct_report *report,
		 const struct tct_namespace_reports *others)
{
	int code = is_hit(report, others, options->fail_on) ? TCT_EXIT_NO : TCT_EXIT_DONE;
	struct tct_page page;

	if (tct_wants_json(options) && others != NULL)
		return tct_print_json_and_list(document_of(report, others), "namespaces",
					       &others->documents, code);
	if (tct_wants_json(options))
		return tct_print_json(document_of(report, NULL), code);
	tct_page_init(&page, stdout, options);
	tct_render_audit(&page, options, report, others);
	return code;
}

/* What the rules ask for, and what is printed anyhow. */
static unsigned looks_of(const struct tct_profile_set *set)
{
	return tct_profile_set_looks(set) | TCT_LOOK_DESTINATIONS | TCT_LOOK_OWNERS |
	       TCT_LOOK_UNACCEPTED;
}

static int audit(struct tct_session *session, int64_t interval_ns, struct tct_err *err,
		 int *exit_code)
{
	TCT_AUTO(tct_drop_observation) struct tct_observation *observation = NULL;
	TCT_AUTO(tct_drop_set) struct tct_profile_set *set = NULL;
	TCT_AUTO(tct_drop_suppressions) struct tct_suppressions *suppressions = NULL;
	TCT_AUTO(tct_drop_report) struct tct_report *report = NULL;
	struct tct_judge_options options = { .all = session->options->verbose };
	struct tct_facts facts;
	/* the profile first: a mistake in it should not wait for the interval */
	int code = tct_session_load(session, &facts, &observation, &set, err);

	if (code == 0)
		code = tct_session_suppressions(session, observation, set, &suppressions, err);
	options.suppressions = suppressions;
	if (code == 0)
		code = tct_session_traffic(session, looks_of(set), interval_ns, observation, err);
	if (code == 0)
		code = tct_judge(observation, set, &facts, &options, &report, err);
	if (code == 0)
		*exit_code = print(session->options, report, NULL);
	return code;
}

/* One of the other namespaces was looked at. */
static int add_namespace(void *context, const struct tct_namespace *where,
			 struct tct_observation **observation, struct tct_err *err)
{
	return tct_namespace_reports_add(context, where, *observation, err);
}

/* The other namespaces, live or as a snapshot has them. */
static int look_at_others(struct tct_session *session, int64_t interval_ns,
			  struct tct_namespace_reports *others, struct tct_observation *own,
			  bool *initial, struct tct_err *err)
{
	struct tct_tour tour = { .initial = false };
	int code;

	if (session->options->snapshot != NULL) {
		*initial = own->host.netns.initial;
		return tct_namespace_reports_add_saved(others, session->snapshot.observations,
						       session->snapshot.observations_count,
						       initial, err);
	}
	code = tct_session_tour(session, looks_of(others->set), interval_ns, others->needs,
				add_namespace, others, own, &tour, err);
	*initial = tour.initial;
	return code;
}

static int audit_all(struct tct_session *session, int64_t interval_ns, struct tct_err *err,
		     int *exit_code)
{
	TCT_AUTO(tct_drop_observation) struct tct_observation *own = NULL;
	TCT_AUTO(tct_drop_set) struct tct_profile_set *set = NULL;
	TCT_AUTO(tct_needs_done) struct tct_needs needs = { 0 };
	TCT_AUTO(tct_drop_suppressions) struct tct_suppressions *suppressions = NULL;
	struct tct_judge_options options = { .all = session->options->verbose };
	TCT_AUTO(drop_reports) struct tct_namespace_reports others = { 0 };
	TCT_AUTO(tct_drop_report) struct tct_report *report = NULL;
	struct tct_facts facts;
	bool initial = false;
	int code = tct_session_load(session, &facts, &own, &set, err);

	if (code == 0)
		code = tct_session_suppressions(session, own, set, &suppressions, err);
	if (code < 0)
		return code;
	options.suppressions = suppressions;
	options.host = tct_namespace_reports_first(own, session->snapshot.observations,
						   session->snapshot.observations_count);
	if (tct_needs_find(set, &needs) < 0)
		return tct_err_nomem(err);
	tct_needs_compare(&needs, options.host);
	others.set = set;
	others.needs = &needs;
	others.facts = &facts;
	others.options = options;
	others.with_documents = tct_wants_json(session->options);
	others.json_flags = tct_json_flags();
	code = look_at_others(session, interval_ns, &others, own, &initial, err);
	/* what is the host's is judged once: in its first namespace, if that is among them */
	options.needs = initial && !own->host.netns.initial ? &needs : NULL;
	if (code == 0)
		code = tct_judge(own, set, &facts, &options, &report, err);
	if (code == 0 && tct_namespace_reports_settle(&others, own) < 0)
		code = tct_err_nomem(err);
	if (code == 0)
		*exit_code = print(session->options, report, &others);
	return code;
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session;
	int64_t interval_ns = options->interval_ns;
	struct tct_err err;
	int exit_code = TCT_EXIT_DONE;

	if (tct_session_open(&session, options, "base", &err) < 0)
		return tct_complain(&err);
	if (!session.root.live && options->interval_ns > 0)
		return tct_bad_usage(
			"--interval needs a live host: the counters below --root stand "
			"still");
	if (interval_ns < 0)
		interval_ns = session.root.live ? INT64_C(1000000000) : 0;
	if ((options->all_netns || session.snapshot.observations_count > 1 ? audit_all : audit)(
		    &session, interval_ns, &err, &exit_code) < 0)
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
	{ TCT_OPTION_ALL_NETNS, NULL },
	{ TCT_OPTION_ROOT, NULL },
	{ TCT_OPTION_SNAPSHOT, NULL },
	{ TCT_OPTION_FAIL_ON, NULL },
	{ TCT_OPTION_SUPPRESSIONS, NULL },
	{ TCT_OPTION_NO_SUPPRESSIONS, NULL },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_QUIET, "only the findings, one line each" },
	{ TCT_OPTION_VERBOSE, "all findings, listeners, owners, limits and reasons; references" },
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
		   "tcptune audit --all-netns --fail-on warning --quiet\n"
		   "tcptune audit --root /mnt/image --json | jq .findings\n"
		   "tcptune audit --snapshot web1.json",
	.placeholder = "",
	.run = run,
};
