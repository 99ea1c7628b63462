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

static int add_evidence(struct tct_finding *finding, const char *name,
			const struct tct_result *result)
{
	struct tct_evidence *evidence;

	if (result->status != TCT_STATUS_VALUE)
		return 0;
	/* "" is what isn't known: a unit, a process */
	if (result->type.kind == TCT_KIND_TEXT && (result->text == NULL || result->text[0] == '\0'))
		return 0;
	evidence = TCT_APPEND(finding, evidence);
	if (evidence == NULL)
		return -ENOMEM;
	evidence->result = *result;
	evidence->name = strdup(name);
	if (evidence->name == NULL)
		return -ENOMEM;
	if (result->type.kind == TCT_KIND_TEXT) {
		evidence->text = strdup(result->text);
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
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
		int status = tct_template_render_command(finding->rule->commands[i], env, &text);
		char **command;

		if (status == -EINVAL)
			continue; /* not to be typed */
		if (status < 0)
			return status;
		command = TCT_APPEND(finding, commands);
		if (command == NULL)
			return -ENOMEM;
		*command = tct_text_take(&text);
		if (*command == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* Of findings alike, how bad it is; what can't be told comes last. */
static int64_t order_of(const struct tct_rule *rule, const struct tct_env *env)
{
	struct tct_result result;

	if (rule->sort == NULL)
		return INT64_MIN;
	tct_expr_eval(rule->sort, env, &result);
	return result.status == TCT_STATUS_VALUE ? result.number : INT64_MIN;
}

int tct_finding_add(struct tct_report *report, const struct tct_rule *rule,
		    enum tct_severity severity, struct tct_env *env, char *subject)
{
	struct tct_finding *finding = TCT_APPEND(report, findings);

	if (finding == NULL) {
		free(subject);
		return -ENOMEM;
	}
	finding->rule = rule;
	finding->severity = severity;
	finding->item = env->item;
	finding->subject = subject;
	finding->order = order_of(rule, env);
	return render(rule->title, env, &finding->title);
}

int tct_finding_fill(struct tct_finding *finding, struct tct_env *env)
{
	const struct tct_rule *rule = finding->rule;
	struct tct_inputs inputs; /* large: only what count covers is ever looked at */
	struct tct_result result;

	env->each = rule->each;
	env->item = finding->item;
	inputs.count = 0;
	env->inputs = &inputs;
	tct_expr_eval(rule->when, env, &result); /* again: for what it rests on */
	env->inputs = NULL;
	if (fill_evidence(finding, env, &inputs) < 0 || render(rule->why, env, &finding->why) < 0 ||
	    render(rule->application, env, &finding->application) < 0 ||
	    fill_sysctls(finding, env) < 0 || fill_commands(finding, env) < 0)
		return -ENOMEM;
	return 0;
}
