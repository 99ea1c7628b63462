/* Judging: every rule over every item, in the order of the profiles. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/judge_private.h"
#include "audit/rules/arena.h"
#include "core/mem.h"

/* Composed texts of one evaluation: an owner, a vector's text. */
enum { SCRATCH_BYTES_MAX = 1 << 20 };

static int not_evaluated(struct tct_report *report, const char *id, const char *reason)
{
	struct tct_not_evaluated *entry = TCT_APPEND(report, not_evaluated);

	if (entry == NULL)
		return -ENOMEM;
	entry->id = id;
	(void)snprintf(entry->reason, sizeof(entry->reason), "%s", reason);
	return 0;
}

/* The worst severity that holds; LIMIT if none does. A condition that can't be told doesn't hold.
 */
static enum tct_severity severity_of(const struct tct_rule *rule, const struct tct_env *env)
{
	for (enum tct_severity severity = TCT_SEVERITY_CRITICAL; severity < TCT_SEVERITY_LIMIT;
	     severity++) {
		struct tct_result result;

		if (!rule->severity_given[severity])
			continue;
		if (rule->severity_when[severity] == NULL)
			return severity;
		tct_expr_eval(rule->severity_when[severity], env, &result);
		if (result.status == TCT_STATUS_VALUE && result.number != 0)
			return severity;
	}
	return TCT_SEVERITY_LIMIT;
}

/* What happened to the items of one rule. */
struct tally {
	size_t items;
	size_t unknown;
	char reason[200]; /* of the first unknown one */
};

/* How one observation is judged. */
struct judging {
	struct tct_report *report;
	struct tct_env *env;
	struct tct_history *history;   /* env's, to note in; NULL = none */
	const struct tct_needs *needs; /* NULL = also what is the host's */
};

static int note_unknown_item(struct tally *tally, const char *reason)
{
	if (tally->unknown++ == 0)
		(void)snprintf(tally->reason, sizeof(tally->reason), "%s", reason);
	return 0;
}

/* The condition holds: make the finding, if nothing else is missing for it. */
static int judge_hit(const struct judging *judging, const struct tct_rule *rule,
		     struct tally *tally)
{
	enum tct_severity severity = severity_of(rule, judging->env);
	TCT_AUTOFREE char *subject = NULL;
	char reason[200];

	if (tct_subject_of(judging->env, &subject) < 0)
		return -ENOMEM;
	switch (tct_rule_held(rule, judging->env, judging->history, subject, reason)) {
	case TCT_PASSED:
		break;
	case TCT_PASSED_BY:
		return 0;
	case TCT_NOT_PASSED:
		return note_unknown_item(tally, reason);
	}
	if (severity == TCT_SEVERITY_LIMIT)
		return 0;
	return tct_finding_add(judging->report, rule, severity, judging->env, TCT_STEAL(subject));
}

static int judge_item(const struct judging *judging, const struct tct_rule *rule,
		      struct tally *tally)
{
	struct tct_result result;

	tct_expr_eval(rule->when, judging->env, &result);
	tally->items++;
	if (result.status != TCT_STATUS_VALUE)
		return note_unknown_item(tally, result.reason);
	return result.number == 0 ? 0 : judge_hit(judging, rule, tally);
}

/* In a namespace only the keys that are its own, and were looked at. */
static bool is_passed_over(const struct judging *judging, enum tct_each each, size_t item)
{
	const struct tct_observation *observation = judging->report->observation;
	enum tct_presence presence;

	if (!tct_each_applies(each, judging->env, item))
		return true;
	if (judging->needs == NULL || each != TCT_EACH_KEY)
		return false;
	presence = observation->sysctls[item].presence;
	return tct_kernel_keys[item].scope == TCT_SCOPE_HOST || presence == TCT_ABSENT ||
	       presence == TCT_NOT_LOOKED;
}

/* Is the rule unknown only because this namespace isn't the host's first? */
static bool is_known_elsewhere(const struct judging *judging, size_t rule)
{
	unsigned rests;

	if (judging->needs == NULL)
		return false;
	rests = judging->needs->rests[rule];
	return (rests & TCT_RESTS_ON_FILES) != 0 ||
	       ((rests & TCT_RESTS_ON_HOST_KEY) != 0 &&
		tct_rule_lacks_host_key(&judging->report->set->rules[rule],
					judging->report->observation));
}

/* A key that this kernel lacks is no gap in a rule over all keys; an unseen listener is. */
static int note_unknown(struct tct_report *report, const struct tct_rule *rule,
			const struct tally *tally)
{
	char text[240];

	if (tally->unknown == 0)
		return 0;
	if (tally->unknown == tally->items)
		return not_evaluated(report, rule->id, tally->reason);
	if (rule->each == TCT_EACH_KEY)
		return 0;
	(void)snprintf(text, sizeof(text), "for %zu of %zu: %s", tally->unknown, tally->items,
		       tally->reason);
	return not_evaluated(report, rule->id, text);
}

static int judge_rule(const struct judging *judging, size_t index)
{
	struct tct_report *report = judging->report;
	const struct tct_rule *rule = &report->set->rules[index];
	struct tct_env *env = judging->env;
	struct tally tally = { .items = 0 };
	char reason[200];

	env->each = rule->each;
	if (judging->needs != NULL && tct_rule_is_the_hosts(report->set, judging->needs, index))
		return 0;
	switch (tct_rule_on_kernel(rule, env->facts, reason)) {
	case TCT_PASSED:
		break;
	case TCT_PASSED_BY:
		return 0;
	case TCT_NOT_PASSED:
		return not_evaluated(report, rule->id, reason);
	}
	if (!tct_each_available(rule->each, env, reason))
		return not_evaluated(report, rule->id, reason);

	size_t count = tct_each_count(rule->each, env);

	for (env->item = 0; env->item < count; env->item++) {
		if (is_passed_over(judging, rule->each, env->item))
			continue;
		tct_arena_reset(env->scratch);

		int status = judge_item(judging, rule, &tally);

		if (status < 0)
			return status;
	}
	return is_known_elsewhere(judging, index) ? 0 : note_unknown(report, rule, &tally);
}

static int judge_all(const struct judging *judging, bool all)
{
	struct tct_report *report = judging->report;
	struct tct_env *env = judging->env;
	int status;

	for (size_t i = 0; i < report->set->rules_count; i++) {
		status = judge_rule(judging, i);
		if (status < 0)
			return status;
	}
	env->each = TCT_EACH_NONE;
	env->item = 0;
	status = tct_settings_judge(report, env);
	if (status < 0)
		return status;
	return tct_findings_settle(report, env, all);
}

int tct_judge(const struct tct_observation *observation, const struct tct_profile_set *set,
	      const struct tct_facts *facts, const struct tct_judge_options *options,
	      struct tct_report **out, struct tct_err *err)
{
	static const struct tct_judge_options none = { .all = false };
	struct tct_report *report = calloc(1, sizeof(*report));
	struct tct_arena *scratch = tct_arena_new(SCRATCH_BYTES_MAX);
	int status = -ENOMEM;

	if (report != NULL && scratch != NULL) {
		report->observation = observation;
		report->set = set;
		report->facts = *facts;
		options = options != NULL ? options : &none;

		struct tct_env env = {
			.facts = &report->facts,
			.observation = observation,
			.host = options->host,
			.history = options->history,
			.suppressions = options->suppressions,
			.variables = set->variables,
			.set = set,
			.scratch = scratch,
		};
		const struct judging judging = {
			.report = report,
			.env = &env,
			.history = options->history,
			.needs = options->needs,
		};

		status = judge_all(&judging, options->all);
	}
	tct_arena_free(scratch);
	if (status < 0) {
		tct_report_free(report);
		return tct_err_nomem(err);
	}
	*out = report;
	return 0;
}

void tct_report_free(struct tct_report *report)
{
	if (report == NULL)
		return;
	tct_settings_drop(report);
	for (size_t i = 0; i < report->findings_count; i++)
		tct_finding_done(&report->findings[i]);
	for (size_t i = 0; i < report->omitted_count; i++) {
		for (size_t k = 0; k < report->omitted[i].subjects_count; k++)
			free(report->omitted[i].subjects[k]);
		free(report->omitted[i].subjects);
	}
	for (size_t i = 0; i < report->suppressed_count; i++) {
		free(report->suppressed[i].subject);
		free(report->suppressed[i].title);
	}
	free(report->findings);
	free(report->omitted);
	free(report->suppressed);
	free(report->explained);
	free(report->not_evaluated);
	free(report);
}

const struct tct_omitted *tct_report_omitted(const struct tct_report *report,
					     const struct tct_rule *rule,
					     enum tct_severity severity)
{
	for (size_t i = 0; i < report->omitted_count; i++) {
		if (report->omitted[i].rule == rule && report->omitted[i].severity == severity)
			return &report->omitted[i];
	}
	return NULL;
}
