/* What a set of profiles makes it worth to look at. */
#include "audit/rules/each.h"
#include "audit/rules/functions.h"
#include "audit/rules/profile.h"

/* Of the first look not everything is kept unless somebody asks. */
static unsigned growth_looks(const struct tct_expr *call)
{
	bool close_wait = call->function->eval == tct_eval_growing &&
			  call->arguments[0]->attribute->each == TCT_EACH_OWNER;

	return close_wait ? TCT_LOOK_CLOSE_WAIT_FIRST : 0;
}

/* The depth is bounded: TCT_EXPR_DEPTH_MAX. */
unsigned tct_expr_looks(const struct tct_expr *expr)
{
	unsigned looks = 0;

	if (expr == NULL)
		return 0;
	if (expr->kind == TCT_NODE_ATTRIBUTE)
		looks = expr->attribute->looks;
	if (expr->kind == TCT_NODE_CALL)
		looks = expr->function->looks | growth_looks(expr);
	for (size_t i = 0; i < expr->count; i++)
		looks |= tct_expr_looks(expr->arguments[i]);
	return looks;
}

static unsigned rule_looks(const struct tct_rule *rule)
{
	unsigned looks = tct_each_looks(rule->each) | tct_expr_looks(rule->when) |
			 tct_expr_looks(rule->sort) | tct_expr_looks(rule->for_at_least);

	for (size_t i = 0; i < TCT_SEVERITY_LIMIT; i++)
		looks |= tct_expr_looks(rule->severity_when[i]);
	for (size_t i = 0; i < rule->evidence_count; i++)
		looks |= tct_expr_looks(rule->evidence[i].expr);
	for (size_t i = 0; i < rule->commands_count; i++)
		looks |= tct_template_looks(rule->commands[i]);
	return looks | tct_template_looks(rule->title) | tct_template_looks(rule->why) |
	       tct_template_looks(rule->application);
}

unsigned tct_profile_set_looks(const struct tct_profile_set *set)
{
	unsigned looks = 0;

	for (size_t i = 0; i < set->rules_count; i++)
		looks |= rule_looks(&set->rules[i]);
	return looks;
}
