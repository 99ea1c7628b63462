/* Evaluation: total, with missing inputs and arithmetic failures as results. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/each.h"
#include "audit/rules/functions.h"
#include "audit/rules/node.h"

void tct_result_missing(struct tct_result *result, const char *format, ...)
{
	va_list arguments;

	result->status = TCT_STATUS_MISSING;
	va_start(arguments, format);
	if (vsnprintf(result->reason, sizeof(result->reason), format, arguments) < 0)
		result->reason[0] = '\0';
	va_end(arguments);
}

void tct_result_failed(struct tct_result *result, const char *format, ...)
{
	va_list arguments;

	result->status = TCT_STATUS_FAILED;
	va_start(arguments, format);
	if (vsnprintf(result->reason, sizeof(result->reason), format, arguments) < 0)
		result->reason[0] = '\0';
	va_end(arguments);
}

void tct_inputs_note(struct tct_inputs *inputs, const char *name, const struct tct_result *result)
{
	struct tct_input *input;

	for (size_t i = 0; i < inputs->count; i++) {
		if (strncmp(inputs->items[i].name, name, sizeof(inputs->items[i].name) - 1) == 0)
			return;
	}
	if (inputs->count == TCT_INPUTS_MAX)
		return;
	input = &inputs->items[inputs->count++];
	if (snprintf(input->name, sizeof(input->name), "%s", name) < 0)
		input->name[0] = '\0';
	input->result = *result;
}

static void fail_at(const struct tct_expr *expr, struct tct_result *result, const char *what)
{
	size_t length = expr->end - expr->start;

	tct_result_failed(result, "%s in `%.*s`", what, length > 120 ? 120 : (int)length,
			  expr->source + expr->start);
}

/* The status of an operation on both: failed before missing. */
static bool both_known(const struct tct_result *left, const struct tct_result *right,
		       struct tct_result *result)
{
	const struct tct_result *bad = left->status == TCT_STATUS_FAILED     ? left
				       : right->status == TCT_STATUS_FAILED  ? right
				       : left->status == TCT_STATUS_MISSING  ? left
				       : right->status == TCT_STATUS_MISSING ? right
									     : NULL;

	if (bad == NULL)
		return true;
	result->status = bad->status;
	memcpy(result->reason, bad->reason, sizeof(result->reason));
	return false;
}

/* `deciding` is the truth value that settles it alone: false for and, true for or. */
static void eval_logic(const struct tct_result *left, const struct tct_result *right,
		       int64_t deciding, struct tct_result *result)
{
	if ((left->status == TCT_STATUS_VALUE && left->number == deciding) ||
	    (right->status == TCT_STATUS_VALUE && right->number == deciding))
		result->number = deciding;
	else if (both_known(left, right, result))
		result->number = !deciding;
}

static int order_of(const struct tct_result *left, const struct tct_result *right)
{
	if (left->type.kind == TCT_KIND_TEXT)
		return strcmp(left->text, right->text);
	return left->number < right->number ? -1 : left->number > right->number;
}

/* Part of a whole, cut off downwards. */
static bool share_overflows(int64_t share, int64_t whole, int64_t *part)
{
	tct_wide product = (tct_wide)share * whole;
	tct_wide cut = product / 1000000;

	if (product % 1000000 < 0)
		cut--;
	*part = (int64_t)cut;
	return cut > INT64_MAX || cut < INT64_MIN;
}

static void eval_product(const struct tct_expr *expr, const struct tct_result *left,
			 const struct tct_result *right, struct tct_result *result)
{
	bool overflow;

	if (left->type.dimension == TCT_DIM_SHARE)
		overflow = share_overflows(left->number, right->number, &result->number);
	else if (right->type.dimension == TCT_DIM_SHARE)
		overflow = share_overflows(right->number, left->number, &result->number);
	else
		overflow = __builtin_mul_overflow(left->number, right->number, &result->number);
	if (overflow)
		fail_at(expr, result, "overflow");
}

static void eval_quotient(const struct tct_expr *expr, const struct tct_result *left,
			  const struct tct_result *right, struct tct_result *result)
{
	if (right->number == 0)
		fail_at(expr, result, "division by zero");
	else if (left->number == INT64_MIN && right->number == -1)
		fail_at(expr, result, "overflow");
	else
		result->number = left->number / right->number;
}

static void eval_binary(const struct tct_expr *expr, const struct tct_env *env,
			struct tct_result *result)
{
	struct tct_result left;
	struct tct_result right;

	tct_expr_eval(expr->arguments[0], env, &left);
	tct_expr_eval(expr->arguments[1], env, &right);
	if (expr->operator_ == TCT_TOKEN_AND || expr->operator_ == TCT_TOKEN_OR) {
		eval_logic(&left, &right, expr->operator_ == TCT_TOKEN_OR, result);
		return;
	}
	if (!both_known(&left, &right, result))
		return;
	if (expr->operator_ == TCT_TOKEN_EQ)
		result->number = order_of(&left, &right) == 0;
	else if (expr->operator_ == TCT_TOKEN_NE)
		result->number = order_of(&left, &right) != 0;
	else if (expr->operator_ == TCT_TOKEN_LT)
		result->number = order_of(&left, &right) < 0;
	else if (expr->operator_ == TCT_TOKEN_LE)
		result->number = order_of(&left, &right) <= 0;
	else if (expr->operator_ == TCT_TOKEN_GT)
		result->number = order_of(&left, &right) > 0;
	else if (expr->operator_ == TCT_TOKEN_GE)
		result->number = order_of(&left, &right) >= 0;
	else if (expr->operator_ == TCT_TOKEN_STAR)
		eval_product(expr, &left, &right, result);
	else if (expr->operator_ == TCT_TOKEN_SLASH)
		eval_quotient(expr, &left, &right, result);
	else if (expr->operator_ == TCT_TOKEN_PLUS
			 ? __builtin_add_overflow(left.number, right.number, &result->number)
			 : __builtin_sub_overflow(left.number, right.number, &result->number))
		fail_at(expr, result, "overflow");
}

static void eval_unary(const struct tct_expr *expr, const struct tct_env *env,
		       struct tct_result *result)
{
	struct tct_type type = expr->type;

	tct_expr_eval(expr->arguments[0], env, result);
	result->type = type;
	if (result->status != TCT_STATUS_VALUE)
		return;
	if (expr->kind == TCT_NODE_NOT)
		result->number = !result->number;
	else if (__builtin_sub_overflow(INT64_C(0), result->number, &result->number))
		fail_at(expr, result, "overflow");
}

static void eval_fact(enum tct_fact fact, const struct tct_env *env, struct tct_result *result)
{
	if (env->facts->known[fact])
		result->number = env->facts->value[fact];
	else
		tct_result_missing(result, "%s is not known (--var %s=...)", tct_fact_name(fact),
				   tct_fact_name(fact));
}

static void eval_number(const struct tct_expr *expr, const struct tct_env *env,
			struct tct_result *result)
{
	struct tct_result page;

	result->number = expr->number;
	if (!expr->in_native)
		return;
	page = (struct tct_result){ .status = TCT_STATUS_VALUE };
	eval_fact(TCT_FACT_PAGE_SIZE, env, &page);
	if (page.status != TCT_STATUS_VALUE)
		tct_result_missing(result, "%s", page.reason);
	else if (__builtin_mul_overflow(expr->number, page.number, &result->number))
		fail_at(expr, result, "overflow");
}

static void eval_attribute(const struct tct_expr *expr, const struct tct_env *env,
			   struct tct_result *result)
{
	if (env->observation == NULL || env->each != expr->attribute->each ||
	    env->item >= tct_each_count(env->each, env))
		tct_result_missing(result, "%s is not known here", expr->attribute->name);
	else
		expr->attribute->read(env, result);
}

static void eval_merged(const struct tct_expr *expr, const struct tct_env *env,
			struct tct_result *result)
{
	struct tct_result left;
	struct tct_result right;

	tct_expr_eval(expr->arguments[0], env, &left);
	tct_expr_eval(expr->arguments[1], env, &right);
	if (!both_known(&left, &right, result))
		return;
	result->number = (left.number > right.number) == (expr->kind == TCT_NODE_LARGER)
				 ? left.number
				 : right.number;
}

void tct_expr_eval(const struct tct_expr *expr, const struct tct_env *env,
		   struct tct_result *result)
{
	result->status = TCT_STATUS_VALUE;
	result->type = expr->type;
	result->number = 0;
	result->text = "";
	result->reason[0] = '\0';
	switch (expr->kind) {
	case TCT_NODE_NUMBER:
		eval_number(expr, env, result);
		break;
	case TCT_NODE_VERSION:
	case TCT_NODE_BOOL:
		result->number = expr->number;
		break;
	case TCT_NODE_TEXT:
		result->text = expr->text;
		break;
	case TCT_NODE_CALL:
		expr->function->eval(expr, env, result);
		break;
	case TCT_NODE_NOT:
	case TCT_NODE_NEGATE:
		eval_unary(expr, env, result);
		break;
	case TCT_NODE_BINARY:
		eval_binary(expr, env, result);
		break;
	case TCT_NODE_FACT:
		eval_fact((enum tct_fact)expr->index, env, result);
		break;
	case TCT_NODE_INITIAL_NAMESPACE:
		result->number = env->facts->initial_namespace;
		break;
	case TCT_NODE_INTERVAL:
		if (env->observation != NULL)
			result->number = env->observation->interval_ns;
		break;
	case TCT_NODE_HOST:
		tct_host_name_eval((enum tct_host_name)expr->index, env, result);
		break;
	case TCT_NODE_VARIABLE:
		if (env->variables != NULL)
			*result = env->variables[expr->index].value;
		else
			tct_result_missing(result, "variables are not known here");
		break;
	case TCT_NODE_VALUE:
		if (env->value != NULL)
			tct_result_of_value(expr->key, expr->field < 0 ? 0 : (unsigned)expr->field,
					    env->value, env->facts, result);
		else
			tct_result_missing(result, "there is no value here");
		break;
	case TCT_NODE_ATTRIBUTE:
		eval_attribute(expr, env, result);
		break;
	case TCT_NODE_LARGER:
	case TCT_NODE_SMALLER:
		eval_merged(expr, env, result);
		break;
	case TCT_NODE_NAME:
	case TCT_NODE_DOTTED:
	case TCT_NODE_INDEX:
		tct_result_failed(result, "not checked"); /* tct_expr_compile leaves none behind */
		break;
	}
	if (expr->label != NULL && env->inputs != NULL)
		tct_inputs_note(env->inputs, expr->label, result);
}
