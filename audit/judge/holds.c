/* What a rule asks for beside its condition: a kernel, and that the condition lasts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/judge/judge_private.h"
#include "audit/rules/each.h"
#include "audit/rules/functions.h"

enum tct_passed tct_rule_on_kernel(const struct tct_rule *rule, const struct tct_facts *facts,
				   char reason[200])
{
	bool known;
	bool holds = tct_rule_holds_on(rule, facts, &known);

	if (!known)
		(void)snprintf(reason, 200, "the kernel's version is not known");
	return !known ? TCT_NOT_PASSED : holds ? TCT_PASSED : TCT_PASSED_BY;
}

/* Attributes that two looks are needed for. */
static bool compares(const struct tct_attribute *attribute)
{
	static const char *const endings[] = { "_growth", "_first", "_kept" };
	size_t length = strlen(attribute->name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t ending = strlen(endings[i]);

		if (length > ending && strcmp(attribute->name + length - ending, endings[i]) == 0)
			return true;
	}
	return strcmp(attribute->name, "exhausted_in") == 0;
}

static void find_comparison(void *context, const struct tct_expr *node)
{
	static const char *const functions[] = { "rate", "delta", "growing", "rate_over" };
	bool *found = context;

	if (node->kind == TCT_NODE_ATTRIBUTE)
		*found |= compares(node->attribute);
	for (size_t i = 0;
	     node->kind == TCT_NODE_CALL && i < sizeof(functions) / sizeof(functions[0]); i++)
		*found |= strcmp(node->function->name, functions[i]) == 0;
}

static bool compares_looks(const struct tct_rule *rule)
{
	bool found = false;

	tct_expr_walk(rule->when, find_comparison, &found);
	return found;
}

enum tct_passed tct_rule_held(const struct tct_rule *rule, const struct tct_env *env,
			      struct tct_history *history, const char *subject, char reason[200])
{
	const int64_t second_ns = 1000000000;
	struct tct_result wanted;
	char number[TCT_NUMBER_TEXT];
	const char *text;

	if (rule->for_at_least == NULL)
		return TCT_PASSED;
	tct_expr_eval(rule->for_at_least, env, &wanted);
	if (wanted.status != TCT_STATUS_VALUE) {
		(void)snprintf(reason, 200, "%s", wanted.reason);
		return TCT_NOT_PASSED;
	}
	if (wanted.number <= 0) /* a variable may say so: whatever holds has held for so long */
		return TCT_PASSED;
	if (history != NULL)
		return tct_history_held_ns(history, rule->id, subject != NULL ? subject : "") >=
				       wanted.number
			       ? TCT_PASSED
			       : TCT_PASSED_BY;
	text = tct_text_nanoseconds(wanted.number, number);
	if (!compares_looks(rule)) {
		(void)snprintf(reason, 200, "must hold for %s: only tcptune watch can tell", text);
		return TCT_NOT_PASSED;
	}
	if (env->observation->interval_ns >= wanted.number)
		return TCT_PASSED;
	(void)snprintf(reason, 200, "must hold for %s: tcptune watch, or audit --interval %" PRId64,
		       text, (wanted.number - 1) / second_ns + 1);
	return TCT_NOT_PASSED;
}
