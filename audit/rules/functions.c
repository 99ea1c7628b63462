/* The table of functions, and those that only look at their arguments. */
#include "audit/rules/functions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static const struct tct_type type_bool = { .kind = TCT_KIND_BOOL };
static const struct tct_type type_text = { .kind = TCT_KIND_TEXT };
static const struct tct_type type_count = { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_COUNT };

static int check_arguments(const struct tct_checker *checker, const struct tct_expr *call)
{
	for (size_t i = 0; i < call->count; i++) {
		int status = tct_check_node(checker, call->arguments[i]);

		if (status < 0)
			return status;
	}
	return 0;
}

/* All numbers, of one dimension, which is the result's. */
static int check_alike(const struct tct_checker *checker, struct tct_expr *call)
{
	int status = check_arguments(checker, call);

	return status < 0 ? status
			  : tct_check_unify(checker, call->arguments, call->count, &call->type);
}

/* Evaluate argument i; false if it has no value: *result then says why. */
static bool eval_argument(const struct tct_expr *call, size_t i, const struct tct_env *env,
			  struct tct_result *result, struct tct_result *argument)
{
	tct_expr_eval(call->arguments[i], env, argument);
	if (argument->status == TCT_STATUS_VALUE)
		return true;
	result->status = argument->status;
	memcpy(result->reason, argument->reason, sizeof(result->reason));
	return false;
}

static void eval_extreme(const struct tct_expr *call, const struct tct_env *env,
			 struct tct_result *result, int sign)
{
	struct tct_result argument;

	for (size_t i = 0; i < call->count; i++) {
		if (!eval_argument(call, i, env, result, &argument))
			return;
		if (i == 0 || (sign > 0 ? argument.number > result->number
					: argument.number < result->number))
			result->number = argument.number;
	}
}

static void eval_max(const struct tct_expr *call, const struct tct_env *env,
		     struct tct_result *result)
{
	eval_extreme(call, env, result, 1);
}

static void eval_min(const struct tct_expr *call, const struct tct_env *env,
		     struct tct_result *result)
{
	eval_extreme(call, env, result, -1);
}

static void eval_clamp(const struct tct_expr *call, const struct tct_env *env,
		       struct tct_result *result)
{
	struct tct_result x;
	struct tct_result lowest;
	struct tct_result highest;

	if (!eval_argument(call, 0, env, result, &x) ||
	    !eval_argument(call, 1, env, result, &lowest) ||
	    !eval_argument(call, 2, env, result, &highest))
		return;
	if (lowest.number > highest.number) {
		tct_result_failed(result, "clamp(): the lowest is above the highest");
		return;
	}
	result->number = x.number < lowest.number    ? lowest.number
			 : x.number > highest.number ? highest.number
						     : x.number;
}

static void eval_abs(const struct tct_expr *call, const struct tct_env *env,
		     struct tct_result *result)
{
	struct tct_result x;

	if (!eval_argument(call, 0, env, result, &x))
		return;
	if (x.number == INT64_MIN)
		tct_result_failed(result, "abs(): overflow");
	else
		result->number = x.number < 0 ? -x.number : x.number;
}

static void eval_floor_pow2(const struct tct_expr *call, const struct tct_env *env,
			    struct tct_result *result)
{
	struct tct_result x;

	if (!eval_argument(call, 0, env, result, &x))
		return;
	if (x.number < 1)
		tct_result_failed(result, "floor_pow2(): the number is below 1");
	else
		result->number =
			(int64_t)(UINT64_C(1) << (63 - __builtin_clzll((uint64_t)x.number)));
}

static int check_ratio(const struct tct_checker *checker, struct tct_expr *call)
{
	struct tct_type floor_type;
	struct tct_type type;
	char label[96];
	int status = check_arguments(checker, call);

	if (status < 0)
		return status;
	status = tct_check_unify(checker, call->arguments, 2, &type);
	if (status < 0)
		return status;
	floor_type = type.dimension == TCT_DIM_RATE ? type_count : type;
	status = tct_check_expect(checker, call->arguments[2], floor_type);
	if (status < 0)
		return status;
	call->type = (struct tct_type){ .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_SHARE };

	const struct tct_expr *a = call->arguments[0];
	const struct tct_expr *b = call->arguments[1];
	bool a_sum = a->kind == TCT_NODE_BINARY && !a->enclosed;
	bool b_sum = b->kind == TCT_NODE_BINARY && !b->enclosed;
	int length = snprintf(label, sizeof(label), "%s%.*s%s / %s%.*s%s", a_sum ? "(" : "",
			      (int)(a->end - a->start), a->source + a->start, a_sum ? ")" : "",
			      b_sum ? "(" : "", (int)(b->end - b->start), b->source + b->start,
			      b_sum ? ")" : "");

	if (length < 0)
		return tct_err_nomem(checker->err);
	for (char *c = label; *c != '\0'; c++)
		*c = *c == '\n' || *c == '\r' || *c == '\t' ? ' ' : *c;
	call->label = tct_arena_text(checker->arena, label, strlen(label));
	return call->label == NULL ? tct_err_nomem(checker->err) : 0;
}

/* What b is compared with the floor as: a rate's events in the interval. */
static int64_t traffic_of(const struct tct_result *b, const struct tct_env *env)
{
	int64_t interval_ns = env->observation != NULL ? env->observation->interval_ns : 0;
	tct_wide events;

	if (b->type.dimension != TCT_DIM_RATE)
		return b->number;
	/* millionths per second, times nanoseconds; rounded, because the rate was cut off */
	events = ((tct_wide)b->number * interval_ns + INT64_C(500000000000000)) /
		 INT64_C(1000000000000000);
	return events > INT64_MAX ? INT64_MAX : (int64_t)events;
}

static void eval_ratio(const struct tct_expr *call, const struct tct_env *env,
		       struct tct_result *result)
{
	struct tct_result a;
	struct tct_result b;
	struct tct_result floor;

	if (!eval_argument(call, 0, env, result, &a) || !eval_argument(call, 1, env, result, &b) ||
	    !eval_argument(call, 2, env, result, &floor))
		return;

	struct tct_result traffic = { .type = floor.type, .number = traffic_of(&b, env) };

	if (traffic.number < floor.number || traffic.number == 0) {
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		tct_text_add(&text, "not enough traffic: ");
		tct_result_print(&traffic, &text);
		tct_text_add(&text, " of at least ");
		tct_result_print(&floor, &text);
		tct_result_missing(result, "%s",
				   text.data != NULL ? text.data : "not enough traffic");
		return;
	}

	tct_wide share = (tct_wide)a.number * 1000000 / b.number;

	if (share > INT64_MAX || share < INT64_MIN)
		tct_result_failed(result, "ratio(): overflow");
	else
		result->number = (int64_t)share;
}

static int check_known(const struct tct_checker *checker, struct tct_expr *call)
{
	call->type = type_bool;
	return check_arguments(checker, call);
}

static void eval_known(const struct tct_expr *call, const struct tct_env *env,
		       struct tct_result *result)
{
	struct tct_result argument;

	tct_expr_eval(call->arguments[0], env, &argument);
	if (argument.status == TCT_STATUS_FAILED)
		tct_result_failed(result, "%s", argument.reason);
	else
		result->number = argument.status == TCT_STATUS_VALUE;
}

static int check_unset(const struct tct_checker *checker, struct tct_expr *call)
{
	static const struct {
		const char *name;
		enum tct_dimension dimension;
	} kinds[] = {
		{ "duration", TCT_DIM_TIME }, { "bytes", TCT_DIM_BYTES },
		{ "count", TCT_DIM_COUNT },   { "share", TCT_DIM_SHARE },
		{ "rate", TCT_DIM_RATE },
	};
	const struct tct_expr *kind = call->arguments[0];

	if (!checker->scope->unset || checker->root != call)
		return tct_check_error(checker, call,
				       "unset() only stands alone, as a variable's value");
	for (size_t i = 0; i < TCT_COUNT(kinds); i++) {
		if (kind->kind == TCT_NODE_NAME && strcmp(kind->text, kinds[i].name) == 0) {
			call->type = (struct tct_type){ .kind = TCT_KIND_NUMBER,
							.dimension = kinds[i].dimension };
			return 0;
		}
	}
	return tct_check_error(checker, kind,
			       "unset() takes duration, bytes, count, share or rate");
}

static void eval_unset(const struct tct_expr *call, const struct tct_env *env,
		       struct tct_result *result)
{
	(void)call;
	(void)env;
	tct_result_missing(result, "the variable is not set (--var NAME=...)");
}

bool tct_expr_is_unset(const struct tct_expr *expr)
{
	return expr->kind == TCT_NODE_CALL && expr->function->eval == eval_unset;
}

static int check_texts(const struct tct_checker *checker, struct tct_expr *call,
		       struct tct_type second)
{
	int status = check_arguments(checker, call);

	if (status == 0)
		status = tct_check_expect(checker, call->arguments[0], type_text);
	if (status == 0)
		status = tct_check_expect(checker, call->arguments[1], second);
	call->type = type_bool;
	return status;
}

static int check_port_in(const struct tct_checker *checker, struct tct_expr *call)
{
	return check_texts(checker, call, type_count);
}

static int check_starts_with(const struct tct_checker *checker, struct tct_expr *call)
{
	return check_texts(checker, call, type_text);
}

static bool read_port(const char **at, long *port)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*port = strtol(*at, &end, 10);
	*at = end;
	return *port <= 65535;
}

/* "80,9000-9100": 1 if port is in it, 0 if not, -1 if that isn't a list of ports. */
static int list_has_port(const char *list, int64_t port)
{
	bool found = false;

	if (*list == '\0')
		return 0;
	for (;; list++) {
		long low;
		long high;

		if (!read_port(&list, &low))
			return -1;
		high = low;
		if (*list == '-') {
			list++;
			if (!read_port(&list, &high))
				return -1;
		}
		found = found || (port >= low && port <= high);
		if (*list == '\0')
			return found;
		if (*list != ',')
			return -1;
	}
}

static void eval_port_in(const struct tct_expr *call, const struct tct_env *env,
			 struct tct_result *result)
{
	struct tct_result list;
	struct tct_result port;

	if (!eval_argument(call, 0, env, result, &list) ||
	    !eval_argument(call, 1, env, result, &port))
		return;

	int found = list_has_port(list.text, port.number);

	if (found < 0)
		tct_result_failed(result, "port_in(): `%.60s` is not a list of ports", list.text);
	else
		result->number = found;
}

static void eval_starts_with(const struct tct_expr *call, const struct tct_env *env,
			     struct tct_result *result)
{
	struct tct_result text;
	struct tct_result start;

	if (!eval_argument(call, 0, env, result, &text) ||
	    !eval_argument(call, 1, env, result, &start))
		return;
	result->number = strncmp(text.text, start.text, strlen(start.text)) == 0;
}

static const struct tct_function functions[] = {
	{ "clamp", "clamp(x, lowest, highest)", 3, 3, NULL, TCT_NEED_NOTHING, 0, check_alike,
	  eval_clamp },
	{ "min", "min(a, b, ...)", 2, 16, NULL, TCT_NEED_NOTHING, 0, check_alike, eval_min },
	{ "max", "max(a, b, ...)", 2, 16, NULL, TCT_NEED_NOTHING, 0, check_alike, eval_max },
	{ "abs", "abs(x)", 1, 1, NULL, TCT_NEED_NOTHING, 0, check_alike, eval_abs },
	{ "floor_pow2", "floor_pow2(x)", 1, 1, NULL, TCT_NEED_NOTHING, 0, check_alike,
	  eval_floor_pow2 },
	{ "ratio", "ratio(a, b, at_least: N)", 3, 3, "at_least", TCT_NEED_NOTHING, 0, check_ratio,
	  eval_ratio },
	{ "known", "known(x)", 1, 1, NULL, TCT_NEED_NOTHING, 0, check_known, eval_known },
	{ "unset", "unset(duration)", 1, 1, NULL, TCT_NEED_NOTHING, 0, check_unset, eval_unset },
	{ "port_in", "port_in(list, port)", 2, 2, NULL, TCT_NEED_NOTHING, 0, check_port_in,
	  eval_port_in },
	{ "starts_with", "starts_with(text, start)", 2, 2, NULL, TCT_NEED_NOTHING, 0,
	  check_starts_with, eval_starts_with },
	{ "sysctl", "sysctl(KEY)", 1, 1, NULL, TCT_NEED_SYSCTL, 0, tct_check_sysctl,
	  tct_eval_sysctl },
	{ "default", "default(KEY)", 1, 1, NULL, TCT_NEED_SYSCTL, 0, tct_check_default,
	  tct_eval_default },
	{ "state", "state(CLOSE_WAIT)", 1, 1, NULL, TCT_NEED_EVIDENCE, 0, tct_check_state,
	  tct_eval_state },
	{ "counter", "counter(NAME)", 1, 1, NULL, TCT_NEED_EVIDENCE, 0, tct_check_counter,
	  tct_eval_counter },
	{ "rate", "rate(NAME)", 1, 1, NULL, TCT_NEED_EVIDENCE, 0, tct_check_rate, tct_eval_rate },
	{ "delta", "delta(NAME)", 1, 1, NULL, TCT_NEED_EVIDENCE, 0, tct_check_delta,
	  tct_eval_delta },
	{ "population", "population(close_wait)", 1, 1, NULL, TCT_NEED_EVIDENCE,
	  TCT_LOOK_POPULATIONS, tct_check_population, tct_eval_population },
	{ "idle", "idle(close_wait, 10s)", 2, 2, NULL, TCT_NEED_EVIDENCE, TCT_LOOK_POPULATIONS,
	  tct_check_idle, tct_eval_idle },
	{ "rate_over", "rate_over(NAME, 60s)", 2, 2, NULL, TCT_NEED_EVIDENCE, 0,
	  tct_check_rate_over, tct_eval_rate_over },
	{ "growing", "growing(queue)", 1, 1, NULL, TCT_NEED_EVIDENCE, 0, tct_check_growing,
	  tct_eval_growing },
	{ "outgoing", "outgoing(sockets)", 1, 1, NULL, TCT_NEED_EVIDENCE, TCT_LOOK_DESTINATIONS,
	  tct_check_outgoing, tct_eval_outgoing },
	{ "earlier_lines", "earlier_lines(start, end, value)", 1, 3, NULL, TCT_NEED_EVIDENCE, 0,
	  tct_check_earlier_lines, tct_eval_earlier_lines },
};

const struct tct_function *tct_function_find(const char *name)
{
	for (size_t i = 0; i < TCT_COUNT(functions); i++) {
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	}
	return NULL;
}

static const char *function_name(const void *context, size_t i)
{
	(void)context;
	return i < TCT_COUNT(functions) ? functions[i].name : NULL;
}

const char *tct_function_nearest(const char *name)
{
	return tct_text_nearest(name, function_name, NULL);
}
