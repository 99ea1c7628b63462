#include "tests/unit/case_trial.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/case_world.h"
#include "tests/unit/scratch.h"

const char *case_text(const struct tct_yaml_node *map, const char *name)
{
	const struct tct_yaml_node *node = tct_yaml_get(map, name);

	return node != NULL && node->kind == TCT_YAML_SCALAR ? node->text : NULL;
}

/* What a case may say; anything else is an error. 0 or -EINVAL. */
static int check_fields(const struct tct_yaml_node *made, struct tct_err *err)
{
	static const char *const fields[] = { "name",    "profile", "given", "finds",
					      "subject", "title",   "count", "by",
					      "because", "changes", "alone" };
	const char *finds;

	if (made->kind != TCT_YAML_MAP)
		return tct_yaml_error(made, err, "a case is a mapping");
	for (const struct tct_yaml_node *key = made->first; key != NULL; key = key->next) {
		bool known = false;

		for (size_t i = 0; i < TCT_COUNT(fields); i++)
			known |= strcmp(key->text, fields[i]) == 0;
		if (!known)
			return tct_yaml_error(key, err, "a case has no '%.40s'", key->text);
	}
	finds = case_text(made, "finds");
	if (case_text(made, "name") == NULL || finds == NULL)
		return tct_yaml_error(made, err, "a case needs a name, and what it finds");
	if (tct_severity_find(finds) == TCT_SEVERITY_LIMIT && strcmp(finds, "nothing") != 0 &&
	    strcmp(finds, "not-evaluated") != 0 && strcmp(finds, "explained") != 0)
		return tct_yaml_error(tct_yaml_get(made, "finds"), err, "'%.40s' can't be found",
				      finds);
	return 0;
}

/* One case at work. */
struct trial {
	const char *id;
	const struct tct_yaml_node *made;
	struct case_world world;
	struct tct_profile_set *set;
	struct tct_report *report;
	int *failures;
};

__attribute__((format(printf, 2, 3))) static void complain(const struct trial *trial,
							   const char *format, ...)
{
	va_list arguments;

	(void)fprintf(stderr, "%s:%u: %s, %s: ", trial->made->document->file, trial->made->line,
		      trial->id, case_text(trial->made, "name"));
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	++*trial->failures;
}

static bool subject_fits(const struct trial *trial, const struct tct_finding *finding)
{
	const char *subject = case_text(trial->made, "subject");

	return subject == NULL ||
	       strcmp(finding->subject != NULL ? finding->subject : "", subject) == 0;
}

static size_t count_findings(const struct trial *trial)
{
	size_t count = 0;

	for (size_t i = 0; i < trial->report->findings_count; i++)
		count += strcmp(trial->report->findings[i].rule->id, trial->id) == 0;
	for (size_t i = 0; i < trial->report->omitted_count; i++) {
		if (strcmp(trial->report->omitted[i].rule->id, trial->id) == 0)
			count += trial->report->omitted[i].count;
	}
	return count;
}

/* The rule's finding with the case's severity and subject, or NULL. */
static const struct tct_finding *find(const struct trial *trial, enum tct_severity severity)
{
	for (size_t i = 0; i < trial->report->findings_count; i++) {
		const struct tct_finding *finding = &trial->report->findings[i];

		if (strcmp(finding->rule->id, trial->id) == 0 && finding->severity == severity &&
		    subject_fits(trial, finding))
			return finding;
	}
	return NULL;
}

static void tell_findings(const struct trial *trial)
{
	for (size_t i = 0; i < trial->report->findings_count; i++) {
		const struct tct_finding *finding = &trial->report->findings[i];

		if (strcmp(finding->rule->id, trial->id) == 0)
			complain(trial, "found: %s [%s] %s", tct_severity_name(finding->severity),
				 finding->subject != NULL ? finding->subject : "", finding->title);
	}
	for (size_t i = 0; i < trial->report->not_evaluated_count; i++) {
		if (strcmp(trial->report->not_evaluated[i].id, trial->id) == 0)
			complain(trial, "not evaluated: %s",
				 trial->report->not_evaluated[i].reason);
	}
	for (size_t i = 0; i < trial->report->explained_count; i++) {
		if (strcmp(trial->report->explained[i].id, trial->id) == 0)
			complain(trial, "explained by %s", trial->report->explained[i].by);
	}
}

/* changes: { key: value } - what the finding would have the keys set to. */
static void check_changes(const struct trial *trial, const struct tct_finding *finding)
{
	const struct tct_yaml_node *changes = tct_yaml_get(trial->made, "changes");
	const struct tct_yaml_node *key = changes != NULL ? changes->first : NULL;

	for (; key != NULL; key = key->next) {
		TCT_AUTOFREE char *to = NULL;

		for (size_t i = 0; i < finding->sysctls_count; i++) {
			if (strcmp(finding->sysctls[i].key->name, key->text) == 0) {
				free(to);
				to = tct_value_text(&finding->sysctls[i].to);
			}
		}
		if (to == NULL || strcmp(to, key->value->text) != 0)
			complain(trial, "%s should become %s, not %s", key->text, key->value->text,
				 to != NULL ? to : "(left alone)");
	}
}

static void check_finding(const struct trial *trial, enum tct_severity severity)
{
	const struct tct_finding *finding = find(trial, severity);
	const char *title = case_text(trial->made, "title");
	const char *count = case_text(trial->made, "count");

	if (finding == NULL) {
		complain(trial, "no %s %s", tct_severity_name(severity),
			 case_text(trial->made, "subject") != NULL
				 ? case_text(trial->made, "subject")
				 : "");
		tell_findings(trial);
		return;
	}
	if (title != NULL && strstr(finding->title, title) == NULL)
		complain(trial, "the title is: %s", finding->title);
	if (count != NULL && strtoul(count, NULL, 10) != count_findings(trial))
		complain(trial, "%zu findings, not %s", count_findings(trial), count);
	check_changes(trial, finding);
}

static const char *why_not_evaluated(const struct trial *trial)
{
	for (size_t i = 0; i < trial->report->not_evaluated_count; i++) {
		if (strcmp(trial->report->not_evaluated[i].id, trial->id) == 0)
			return trial->report->not_evaluated[i].reason;
	}
	return NULL;
}

static void check_not_evaluated(const struct trial *trial)
{
	const char *because = case_text(trial->made, "because");
	const char *reason = why_not_evaluated(trial);

	if (reason == NULL) {
		complain(trial, "it was evaluated");
		tell_findings(trial);
	} else if (because != NULL && strstr(reason, because) == NULL) {
		complain(trial, "not evaluated, but: %s", reason);
	}
}

static void check_explained(const struct trial *trial)
{
	const char *by = case_text(trial->made, "by");

	for (size_t i = 0; i < trial->report->explained_count; i++) {
		if (strcmp(trial->report->explained[i].id, trial->id) == 0 &&
		    (by == NULL || strcmp(trial->report->explained[i].by, by) == 0))
			return;
	}
	complain(trial, "not explained by another finding");
	tell_findings(trial);
}

static void check_nothing(const struct trial *trial)
{
	bool explained = false;

	for (size_t i = 0; i < trial->report->explained_count; i++)
		explained |= strcmp(trial->report->explained[i].id, trial->id) == 0;
	if (count_findings(trial) == 0 && why_not_evaluated(trial) == NULL && !explained)
		return;
	complain(trial, "nothing should be found");
	tell_findings(trial);
}

static void check_alone(const struct trial *trial)
{
	const char *alone = case_text(trial->made, "alone");

	for (size_t i = 0; alone != NULL && i < trial->report->findings_count; i++) {
		const struct tct_finding *finding = &trial->report->findings[i];

		if (strcmp(finding->rule->id, trial->id) != 0 &&
		    finding->severity <= TCT_SEVERITY_WARNING)
			complain(trial, "not alone: %s [%s] %s", finding->rule->id,
				 finding->subject != NULL ? finding->subject : "", finding->title);
	}
}

static void check_report(const struct trial *trial)
{
	const char *finds = case_text(trial->made, "finds");
	enum tct_severity severity = tct_severity_find(finds);

	if (severity != TCT_SEVERITY_LIMIT)
		check_finding(trial, severity);
	else if (strcmp(finds, "nothing") == 0)
		check_nothing(trial);
	else if (strcmp(finds, "explained") == 0)
		check_explained(trial);
	else
		check_not_evaluated(trial);
	check_alone(trial);
}

static bool has_rule(const struct tct_profile_set *set, const char *id)
{
	for (size_t i = 0; i < set->rules_count; i++) {
		if (strcmp(set->rules[i].id, id) == 0)
			return true;
	}
	return false;
}

static int judge(struct trial *trial, const struct tct_yaml_node *healthy, struct tct_err *err)
{
	const char *profile = case_text(trial->made, "profile");
	struct tct_judge_options options = { 0 };
	struct tct_profile_request request = { .names = &profile, .names_count = 1 };
	struct tct_facts facts;
	int result =
		case_world_make(healthy, tct_yaml_get(trial->made, "given"), &trial->world, err);

	if (result < 0)
		return result;
	if (profile == NULL)
		profile = "base";
	request.vars = trial->world.vars;
	request.vars_count = trial->world.vars_count;
	options.host = trial->world.first_namespace;
	options.history = trial->world.history;
	options.suppressions = trial->world.suppressions;
	tct_facts_from_host(&trial->world.observation->host, &facts);
	result = tct_profile_set_load(&request, &facts, &trial->set, err);
	if (result < 0)
		return result;
	if (!has_rule(trial->set, trial->id))
		return tct_yaml_error(trial->made, err, "%s has no rule %s", profile, trial->id);
	return tct_judge(trial->world.observation, trial->set, &facts, &options, &trial->report,
			 err);
}

int case_try(const char *id, const struct tct_yaml_node *made, const struct tct_yaml_node *healthy)
{
	int failures = 0;
	struct trial trial = { .id = id, .made = made, .failures = &failures };
	struct tct_err err = { 0 };
	char text[1024];
	int result = check_fields(made, &err);

	scratch_open();
	if (result == 0)
		result = judge(&trial, healthy, &err);
	if (result == 0)
		check_report(&trial);
	if (result < 0) {
		(void)fprintf(stderr, "%s\n", tct_err_text(&err, text, sizeof(text)));
		failures++;
	}
	tct_report_free(trial.report);
	tct_profile_set_free(trial.set);
	case_world_done(&trial.world);
	scratch_close();
	return failures;
}
