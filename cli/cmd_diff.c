#include <string.h>

#include "audit/judge/namespace_reports.h"
#include "audit/judge/report_diff.h"
#include "cli/command.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/session.h"
#include "core/mem.h"

/* One of the two: an audit as it was saved, or a snapshot, judged. */
struct half {
	json_t *document; /* the audit */
	struct tct_side side;
};

static void half_done(struct half *half)
{
	json_decref(half->document);
}

static void drop_reports(struct tct_namespace_reports *reports)
{
	tct_namespace_reports_done(reports);
}

/* All namespaces of a snapshot; the first one's observation is `own`. */
static int judge_all(struct tct_snapshot *snapshot, struct tct_observation *own,
		     const struct tct_profile_set *set, const struct tct_facts *facts,
		     struct tct_judge_options options, json_t **audit, struct tct_err *err)
{
	TCT_AUTO(tct_needs_done) struct tct_needs needs = { 0 };
	TCT_AUTO(drop_reports)
	struct tct_namespace_reports others = { .set = set, .needs = &needs, .facts = facts };
	TCT_AUTO(tct_drop_report) struct tct_report *report = NULL;
	bool initial = own->host.netns.initial;
	int code;

	options.host = tct_namespace_reports_first(own, snapshot->observations,
						   snapshot->observations_count);
	others.options = options;
	others.with_documents = true;
	if (tct_needs_find(set, &needs) < 0)
		return tct_err_nomem(err);
	tct_needs_compare(&needs, options.host);
	code = tct_namespace_reports_add_saved(&others, snapshot->observations,
					       snapshot->observations_count, &initial, err);
	options.needs = initial && !own->host.netns.initial ? &needs : NULL;
	if (code == 0)
		code = tct_judge(own, set, facts, &options, &report, err);
	if (code < 0)
		return code;
	*audit = tct_report_json(report);
	if (*audit == NULL || tct_namespace_reports_into(&others, report, *audit) < 0 ||
	    json_object_set_new(*audit, "namespaces", tct_namespace_reports_list(&others)) != 0) {
		json_decref(*audit);
		*audit = NULL;
		return tct_err_nomem(err);
	}
	return 0;
}

/* Judge what the snapshot holds. *audit is owned by the caller. */
static int judge(struct tct_session *session, struct tct_snapshot *snapshot, json_t **audit,
		 struct tct_err *err)
{
	TCT_AUTO(tct_drop_observation)
	struct tct_observation *observation = tct_session_take(snapshot);
	TCT_AUTO(tct_drop_set) struct tct_profile_set *set = NULL;
	TCT_AUTO(tct_drop_suppressions) struct tct_suppressions *suppressions = NULL;
	TCT_AUTO(tct_drop_report) struct tct_report *report = NULL;
	/* what isn't told can't be compared */
	struct tct_judge_options options = { .all = true };
	struct tct_facts facts;
	int code;

	session->request.variables = snapshot->variables;
	code = tct_session_set(session, observation, &facts, &set, err);
	if (code == 0)
		code = tct_session_suppressions(session, observation, set, &suppressions, err);
	options.suppressions = suppressions;
	if (code == 0 && snapshot->observations_count > 0)
		return judge_all(snapshot, observation, set, &facts, options, audit, err);
	if (code == 0)
		code = tct_judge(observation, set, &facts, &options, &report, err);
	if (code < 0)
		return code;
	*audit = tct_report_json(report);
	return *audit != NULL ? 0 : tct_err_nomem(err);
}

static int judge_document(struct tct_session *session, const char *file, struct half *half,
			  struct tct_err *err)
{
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot snapshot = { 0 };
	json_t *audit = NULL;
	int code = tct_snapshot_from_json(file, half->document, &snapshot, err);

	if (code == 0)
		code = judge(session, &snapshot, &audit, err);
	if (code == 0) {
		json_decref(half->document);
		half->document = audit;
	}
	return code;
}

static int load(struct tct_session *session, const char *file, struct half *half,
		struct tct_err *err)
{
	int code = tct_document_read(file, &half->document, err);
	bool saved;

	if (code < 0)
		return code;
	saved = strcmp(tct_document_schema(half->document), TCT_AUDIT_SCHEMA) == 0;
	if (!saved)
		code = judge_document(session, file, half, err);
	return code < 0 ? code
			: tct_side_init(&half->side, file, saved ? "audit" : "snapshot",
					half->document, err);
}

/* --fail-on: did something at least as bad come, or get as bad? */
static bool is_hit(const struct tct_diff *diff, int fail_on)
{
	for (size_t i = 0; i < diff->findings_count; i++) {
		const struct tct_finding_change *change = &diff->findings[i];

		if ((change->change == TCT_CHANGE_NEW || change->change == TCT_CHANGE_WORSE) &&
		    (int)change->severity[1] <= fail_on)
			return true;
	}
	return false;
}

static int print(const struct tct_options *options, const struct tct_diff *diff)
{
	int code = is_hit(diff, options->fail_on) ? TCT_EXIT_NO : TCT_EXIT_DONE;
	struct tct_page page;

	if (tct_wants_json(options))
		return tct_print_json(tct_diff_json(diff), code);
	tct_page_init(&page, stdout, options);
	tct_render_diff(&page, options, diff);
	return code;
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session = { .root = { .fd = -1 } };
	TCT_AUTO(half_done) struct half a = { 0 };
	TCT_AUTO(half_done) struct half b = { 0 };
	TCT_AUTO(tct_diff_done) struct tct_diff diff = { 0 };
	const char *const *files = options->arguments.items;
	struct tct_err err = { 0 };

	if (options->arguments.items_count != 2)
		return tct_bad_usage("diff takes two files: what was before, and what is after");
	if (strcmp(files[0], "-") == 0 && strcmp(files[1], "-") == 0)
		return tct_bad_usage("only one of the two can be standard input");
	if (tct_session_open_nowhere(&session, options, "base", &err) < 0 ||
	    load(&session, files[0], &a, &err) < 0 || load(&session, files[1], &b, &err) < 0 ||
	    tct_diff_make(&a.side, &b.side, &diff, &err) < 0)
		return tct_complain(&err);
	return print(options, &diff);
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_PROFILE, "judge snapshots by this profile instead of base; a name with a / is "
			      "a file; may be given again" },
	{ TCT_OPTION_VAR, NULL },
	{ TCT_OPTION_SUPPRESSIONS, "suppress findings of snapshots as FILE says" },
	{ TCT_OPTION_FAIL_ON, "exit 1 if a finding at least this bad is new, or got worse: "
			      "critical, warning, advice or info" },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_QUIET, "only what is new or worse, one line each" },
	{ TCT_OPTION_VERBOSE, "all findings and listeners, those that stayed too, and all states" },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_diff = {
	.name = "diff",
	.summary = "What changed between two snapshots or saved audits: new, worse, fixed.",
	.usage = "diff A B [OPTIONS]",
	.description =
		"A and B are snapshots, which are judged first, or what `audit --json` printed; - "
		"is standard input. Findings are matched by their id and subject; changed values "
		"of kernel settings, states and listeners are listed. Exit code: 0, or 1 with "
		"--fail-on.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune diff before.json after.json\n"
		   "tcptune diff monday.json tuesday.json --profile highconn --fail-on warning",
	.placeholder = "two files",
	.arguments_max = 2,
	.run = run,
};
