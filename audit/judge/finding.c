/* One finding: its texts, the numbers it rests on, what to change. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/judge_private.h"
#include "core/mem.h"

void tct_finding_done(struct tct_finding *finding)
{
	for (size_t i = 0; i < finding->evidence_count; i++) {
		free(finding->evidence[i].name);
		free(finding->evidence[i].text);
	}
	for (size_t i = 0; i < finding->sysctls_count; i++) {
		tct_value_done(&finding->sysctls[i].from);
		tct_value_done(&finding->sysctls[i].to);
	}
	for (size_t i = 0; i < finding->commands_count; i++)
		free(finding->commands[i]);
	free(finding->title);
	free(finding->subject);
	free(finding->evidence);
	free(finding->why);
	free(finding->application);
	free(finding->sysctls);
	free(finding->commands);
	*finding = (struct tct_finding){ 0 };
}

static int render(const struct tct_template *template_, const struct tct_env *env, char **out)
{
	struct tct_text text = { 0 };

	if (template_ == NULL)
		return 0;
	tct_template_render(template_, env, &text);
	*out = tct_text_take(&text);
	return *out == NULL ? -ENOMEM : 0;
}

/* Whom the finding is about, in the form that a person would type. */
static int render_subject(const struct tct_env *env, char **subject)
{
	const struct tct_observation *observation = env->observation;
	struct tct_text text = { 0 };
	char endpoint[TCT_ENDPOINT_TEXT];

	switch (env->each) {
	case TCT_EACH_NONE:
	case TCT_EACH_OWNER:
	case TCT_EACH_DESTINATION:
	case TCT_EACH_PEER:
	case TCT_EACH_INTERFACE:
	case TCT_EACH_NAMESPACE:
	case TCT_EACH_SUPPRESSION:
		return 0;
	case TCT_EACH_LISTENER:
		tct_text_add(&text,
			     tct_listener_endpoint(&observation->listeners[env->item], endpoint));
		break;
	case TCT_EACH_KEY:
		tct_text_add(&text, tct_kernel_keys[env->item].name);
		break;
	case TCT_EACH_LINE:
		tct_text_addf(&text, "%s:%u", observation->files->lines[env->item].file,
			      observation->files->lines[env->item].line);
		break;
	}
	*subject = tct_text_take(&text);
	return *subject == NULL ? -ENOMEM : 0;
}

static int add_evidence(struct tct_finding *finding, const char *name,
			const struct tct_result *result)
{
	struct tct_evidence *evidence;

	if (result->status != TCT_STATUS_VALUE)
		return 0;
	evidence = TCT_APPEND(finding, evidence);
	if (evidence == NULL)
		return -ENOMEM;
	evidence->result = *result;
	evidence->name = strdup(name);
	if (evidence->name == NULL)
		return -ENOMEM;
	if (result->type.kind == TCT_KIND_TEXT) {
		evidence->text = strdup(result->text != NULL ? result->text : "");
		if (evidence->text == NULL)
			return -ENOMEM;
		evidence->result.text = evidence->text;
	}
	return 0;
}

static int fill_evidence(struct tct_finding *finding, const struct tct_env *env,
			 const struct tct_inputs *inputs)
{
	const struct tct_rule *rule = finding->rule;
	int status = 0;

	/* what was measured: names and yes/no are in the title and the subject */
	for (size_t i = 0; i < inputs->count && status == 0; i++) {
		if (inputs->items[i].result.type.kind == TCT_KIND_NUMBER)
			status = add_evidence(finding, inputs->items[i].name,
					      &inputs->items[i].result);
	}
	for (size_t i = 0; i < rule->evidence_count && status == 0; i++) {
		struct tct_result result;

		tct_expr_eval(rule->evidence[i].expr, env, &result);
		status = add_evidence(finding, rule->evidence[i].name, &result);
	}
	return status;
}

/* From what it is to what it should be; nothing where the value is fine or the target can't be
 * told. */
static int fill_sysctls(struct tct_finding *finding, const struct tct_env *env)
{
	const struct tct_rule *rule = finding->rule;

	for (size_t i = 0; i < rule->sysctls_count; i++) {
		const struct tct_remedy_sysctl *remedy = &rule->sysctls[i];
		const struct tct_value *now = tct_observation_value(env->observation, remedy->key);
		TCT_AUTO(tct_value_done) struct tct_value wanted = { 0 };
		bool ours = false;
		int status = tct_bounds_target(remedy->key, &remedy->set, &remedy->at_least,
					       &remedy->at_most, env, now, &wanted, &ours, NULL);

		if (status == -ENOMEM)
			return status;
		if (status < 0 || !ours)
			continue;

		struct tct_sysctl_change *change = TCT_APPEND(finding, sysctls);

		if (change == NULL)
			return -ENOMEM;
		change->key = remedy->key;
		change->to = wanted;
		wanted = (struct tct_value){ 0 };
		if (now != NULL && tct_value_copy(&change->from, now) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int fill_commands(struct tct_finding *finding, const struct tct_env *env)
{
	for (size_t i = 0; i < finding->rule->commands_count; i++) {
		char **command = TCT_APPEND(finding, commands);

		if (command == NULL || render(finding->rule->commands[i], env, command) < 0)
			return -ENOMEM;
	}
	return 0;
}

int tct_finding_add(struct tct_report *report, const struct tct_rule *rule,
		    enum tct_severity severity, struct tct_env *env,
		    const struct tct_inputs *inputs)
{
	struct tct_finding *finding = TCT_APPEND(report, findings);

	if (finding == NULL)
		return -ENOMEM;
	finding->rule = rule;
	finding->severity = severity;
	finding->item = env->item;
	if (render(rule->title, env, &finding->title) < 0 ||
	    render_subject(env, &finding->subject) < 0 || fill_evidence(finding, env, inputs) < 0 ||
	    render(rule->why, env, &finding->why) < 0 ||
	    render(rule->application, env, &finding->application) < 0 ||
	    fill_sysctls(finding, env) < 0 || fill_commands(finding, env) < 0)
		return -ENOMEM;
	return 0;
}

/* A root cause is worse, or as bad and of an earlier rule: so no circle can explain itself away. */
static bool explains(const struct tct_finding *cause, const struct tct_finding *finding)
{
	if (cause->severity > finding->severity ||
	    (cause->severity == finding->severity && cause->rule >= finding->rule))
		return false;
	for (size_t i = 0; i < cause->rule->explains_count; i++) {
		if (strcmp(cause->rule->explains[i], finding->rule->id) == 0)
			return true;
	}
	return false;
}

/* Note it once per pair of rules, not once per listener. */
static int note_explained(struct tct_report *report, const struct tct_finding *finding,
			  const struct tct_finding *cause)
{
	struct tct_explained *entry;

	for (size_t i = 0; i < report->explained_count; i++) {
		if (report->explained[i].id == finding->rule->id)
			return 0;
	}
	entry = TCT_APPEND(report, explained);
	if (entry == NULL)
		return -ENOMEM;
	entry->id = finding->rule->id;
	entry->by = cause->rule->id;
	return 0;
}

static const struct tct_finding *cause_of(const struct tct_report *report,
					  const struct tct_finding *finding)
{
	for (size_t i = 0; i < report->findings_count; i++) {
		if (explains(&report->findings[i], finding))
			return &report->findings[i];
	}
	return NULL;
}

static int worse_first(const void *left, const void *right)
{
	const struct tct_finding *a = (const struct tct_finding *)left;
	const struct tct_finding *b = (const struct tct_finding *)right;

	if (a->severity != b->severity)
		return a->severity < b->severity ? -1 : 1;
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item;
}

/* Siblings of one SO_REUSEPORT group can give the same finding word for word: once is enough. */
static bool is_repeated(const struct tct_finding *before, const struct tct_finding *finding)
{
	return before->rule == finding->rule && before->severity == finding->severity &&
	       before->subject != NULL && finding->subject != NULL &&
	       strcmp(before->subject, finding->subject) == 0 &&
	       strcmp(before->title, finding->title) == 0;
}

/* Sorted: what is repeated stands side by side. */
static void drop_repeated(struct tct_report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->findings_count; i++) {
		struct tct_finding *finding = &report->findings[i];

		if (kept > 0 && is_repeated(&report->findings[kept - 1], finding)) {
			tct_finding_done(finding);
			continue;
		}
		report->by_severity[finding->severity]++;
		if (kept != i) {
			report->findings[kept] = *finding;
			*finding = (struct tct_finding){ 0 };
		}
		kept++;
	}
	report->findings_count = kept;
}

int tct_findings_settle(struct tct_report *report)
{
	TCT_AUTOFREE bool *drop = NULL;
	size_t kept = 0;

	if (report->findings_count == 0)
		return 0;
	drop = calloc(report->findings_count, sizeof(*drop));
	if (drop == NULL)
		return -ENOMEM;
	/* decided on the whole list first: a finding that is itself explained still explains */
	for (size_t i = 0; i < report->findings_count; i++) {
		const struct tct_finding *cause = cause_of(report, &report->findings[i]);

		drop[i] = cause != NULL;
		if (cause != NULL && note_explained(report, &report->findings[i], cause) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < report->findings_count; i++) {
		if (drop[i]) {
			tct_finding_done(&report->findings[i]);
			continue;
		}
		if (kept != i) {
			report->findings[kept] = report->findings[i];
			report->findings[i] = (struct tct_finding){ 0 };
		}
		kept++;
	}
	report->findings_count = kept;
	if (kept > 1)
		qsort(report->findings, kept, sizeof(*report->findings), worse_first);
	drop_repeated(report);
	return 0;
}
