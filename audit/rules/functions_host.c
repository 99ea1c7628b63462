/* The functions that look at the host: sysctls, states, counters. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/functions.h"
#include "audit/rules/history.h"
#include "core/mem.h"

static const struct tct_type type_count = { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_COUNT };

int tct_check_label(const struct tct_checker *checker, struct tct_expr *call, const char *format,
		    ...)
{
	char label[160];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(label, sizeof(label), format, arguments);

	va_end(arguments);
	if (length < 0)
		label[0] = '\0';
	call->label = tct_arena_text(checker->arena, label, strlen(label));
	return call->label == NULL ? tct_err_nomem(checker->err) : 0;
}

const char *tct_check_bare_name(const struct tct_expr *call)
{
	const struct tct_expr *name = call->arguments[0];

	return name->kind == TCT_NODE_NAME || name->kind == TCT_NODE_DOTTED ? name->text : NULL;
}

/* ---- kernel keys ---- */

static int check_key(const struct tct_checker *checker, struct tct_expr *call)
{
	const struct tct_expr *argument = call->arguments[0];
	const char *name = tct_check_bare_name(call);

	if (name == NULL)
		return tct_check_error(
			checker, argument,
			"%s: the key stands there as it is: sysctl(net.core.somaxconn)",
			call->function->usage);
	call->key = tct_kernel_key_find(name);
	if (call->key == NULL) {
		const char *nearest = tct_kernel_key_nearest(name);

		if (nearest != NULL)
			return tct_check_error(checker, argument,
					       "unknown key `%.80s`: did you mean `%s`?", name,
					       nearest);
		return tct_check_error(checker, argument, "unknown key `%.80s`", name);
	}
	if (call->key->handler == TCT_HANDLER_SECRET)
		return tct_check_error(checker, argument, "%s is a secret: tcptune never reads it",
				       call->key->name);
	call->type = tct_type_of_key(call->key);
	return 0;
}

int tct_check_sysctl(const struct tct_checker *checker, struct tct_expr *call)
{
	int status = check_key(checker, call);

	return status < 0 ? status : tct_check_label(checker, call, "%s", call->key->name);
}

int tct_check_default(const struct tct_checker *checker, struct tct_expr *call)
{
	int status = check_key(checker, call);

	if (status == 0 && call->type.kind != TCT_KIND_NUMBER)
		return tct_check_error(checker, call->arguments[0],
				       "default() is for numbers: %s holds text", call->key->name);
	return status;
}

static void set_stored(const struct tct_kernel_key *key, int64_t stored,
		       const struct tct_facts *facts, struct tct_result *result)
{
	int64_t page = facts->known[TCT_FACT_PAGE_SIZE] ? facts->value[TCT_FACT_PAGE_SIZE] : 0;
	int status = tct_number_from_key(key, page, stored, &result->number);

	if (status == -ENODATA)
		tct_result_missing(result, "%s is in pages, and page_size is not known", key->name);
	else if (status < 0)
		tct_result_failed(result, "%s: %" PRId64 " is too large to count with", key->name,
				  stored);
}

void tct_result_of_value(const struct tct_kernel_key *key, unsigned field,
			 const struct tct_value *value, const struct tct_facts *facts,
			 struct tct_result *result)
{
	if (result->type.kind == TCT_KIND_TEXT) {
		if (value->kind == TCT_VALUE_WORDS || value->kind == TCT_VALUE_PORTS)
			result->text = value->text != NULL ? value->text : "";
		else
			tct_result_missing(result, "%s: its value is not text", key->name);
	} else if (value->kind != TCT_VALUE_NUMBERS || field >= value->count) {
		tct_result_missing(result, "%s: field %u is not known", key->name, field);
	} else {
		set_stored(key, value->numbers[field], facts, result);
	}
}

void tct_result_no_value(const struct tct_kernel_key *key, const struct tct_env *env,
			 struct tct_result *result)
{
	const struct tct_sysctl *sysctl = NULL;

	if (env->observation != NULL && env->observation->sysctls != NULL)
		sysctl = &env->observation->sysctls[tct_kernel_key_index(key)];
	if (sysctl == NULL || sysctl->presence == TCT_NOT_LOOKED || sysctl->presence == TCT_PRESENT)
		tct_result_missing(result, "%s: its value is not known here", key->name);
	else if (sysctl->presence == TCT_UNREADABLE)
		tct_result_missing(result, "%s: can't be read: %s", key->name,
				   strerror(sysctl->error));
	else if (sysctl->presence == TCT_UNPARSED)
		tct_result_missing(result, "%s: its value is not of the expected shape", key->name);
	else if (key->scope == TCT_SCOPE_HOST && !env->facts->initial_namespace)
		tct_result_missing(result, "%s: only in the host's initial namespace", key->name);
	else
		tct_result_missing(result, "%s: not in this kernel", key->name);
}

void tct_eval_sysctl(const struct tct_expr *call, const struct tct_env *env,
		     struct tct_result *result)
{
	const struct tct_value *value = NULL;

	if (env->planned != NULL)
		value = env->planned[tct_kernel_key_index(call->key)];
	if (value == NULL && env->observation != NULL)
		value = tct_observation_value(env->observation, call->key);
	if (value == NULL || value->kind == TCT_VALUE_NONE)
		tct_result_no_value(call->key, env, result);
	else
		tct_result_of_value(call->key, call->field < 0 ? 0 : (unsigned)call->field, value,
				    env->facts, result);
}

void tct_eval_default(const struct tct_expr *call, const struct tct_env *env,
		      struct tct_result *result)
{
	const struct tct_kernel_key *key = call->key;
	const struct tct_facts *facts = env->facts;
	tct_version kernel = facts->known[TCT_FACT_KERNEL] ? facts->value[TCT_FACT_KERNEL] : 0;
	struct tct_value value;

	if (!tct_value_default(key, kernel, &value))
		tct_result_missing(result, "%s: its default is not known on this kernel",
				   key->name);
	else
		set_stored(key, value.numbers[call->field < 0 ? 0 : call->field], facts, result);
}

/* ---- socket states ---- */

const char *tct_gap_why(const struct tct_observation *observation, const char *what)
{
	for (size_t i = 0; observation != NULL && i < observation->gaps_count; i++) {
		if (strstr(observation->gaps[i].what, what) != NULL)
			return observation->gaps[i].why;
	}
	return "";
}

void tct_result_unseen_sockets(const struct tct_env *env, const char *what,
			       struct tct_result *result)
{
	const char *why = tct_gap_why(env->observation, "socket");

	tct_result_missing(result, "%s: not seen%s%.140s", what, *why != '\0' ? ": " : "", why);
}

int tct_check_state(const struct tct_checker *checker, struct tct_expr *call)
{
	const char *name = tct_check_bare_name(call);
	enum tct_state state = name != NULL ? tct_state_find(name) : 0;

	if (state == 0)
		return tct_check_error(
			checker, call->arguments[0],
			"state() takes ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING");
	call->index = state;
	call->type = type_count;
	return tct_check_label(checker, call, "state(%s)", tct_state_name(state));
}

void tct_eval_state(const struct tct_expr *call, const struct tct_env *env,
		    struct tct_result *result)
{
	if (env->observation == NULL || env->observation->states.method == TCT_METHOD_NONE)
		tct_result_unseen_sockets(env, "socket states", result);
	else
		result->number = env->observation->states.counts[call->index];
}

/* ---- counters ---- */

static int check_counter(const struct tct_checker *checker, struct tct_expr *call, bool growth)
{
	const struct tct_expr *argument = call->arguments[0];
	const char *name = tct_check_bare_name(call);
	const struct tct_counter *counter = name != NULL ? tct_counter_find(name) : NULL;

	if (counter == NULL) {
		const char *nearest = name != NULL ? tct_counter_nearest(name) : NULL;

		if (nearest != NULL)
			return tct_check_error(checker, argument,
					       "unknown counter `%.80s`: did you mean `%s`?", name,
					       nearest);
		return tct_check_error(checker, argument, "unknown counter%s%.80s",
				       name != NULL ? " " : "", name != NULL ? name : "");
	}
	if (growth && counter->gauge)
		return tct_check_error(checker, argument,
				       "%s is a level, it has no %s(): use counter(%s)",
				       counter->name, call->function->name, counter->name);
	call->index = tct_counter_index(counter);
	call->type = type_count;
	if (strcmp(counter->unit, "pages") == 0 || strcmp(counter->unit, "bytes") == 0)
		call->type.dimension = TCT_DIM_BYTES;
	else if (strcmp(counter->unit, "ms") == 0)
		call->type.dimension = TCT_DIM_TIME;
	return tct_check_label(checker, call, "%s(%s)", call->function->name, counter->name);
}

int tct_check_counter(const struct tct_checker *checker, struct tct_expr *call)
{
	return check_counter(checker, call, false);
}

int tct_check_delta(const struct tct_checker *checker, struct tct_expr *call)
{
	return check_counter(checker, call, true);
}

int tct_check_rate(const struct tct_checker *checker, struct tct_expr *call)
{
	int status = check_counter(checker, call, true);

	call->type = (struct tct_type){ .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_RATE };
	return status;
}

static const struct tct_counter_reading *
seen_counter(const struct tct_expr *call, const struct tct_env *env, struct tct_result *result)
{
	const struct tct_counter *counter = &tct_counters[call->index];
	const struct tct_counter_reading *reading = NULL;

	if (env->observation != NULL && env->observation->counters != NULL)
		reading = &env->observation->counters[call->index];
	if (reading != NULL && reading->presence == TCT_PRESENT)
		return reading;
	if (reading != NULL && reading->presence == TCT_ABSENT)
		tct_result_missing(result, "%s: not in this kernel", counter->name);
	else if (reading != NULL && reading->presence == TCT_UNREADABLE)
		tct_result_missing(result, "%s: can't be read", counter->name);
	else
		tct_result_missing(result, "%s: not known here", counter->name);
	return NULL;
}

/* A counter's own unit as the language's. */
static void set_counter(const struct tct_expr *call, int64_t number, const struct tct_env *env,
			struct tct_result *result)
{
	const struct tct_counter *counter = &tct_counters[call->index];
	int64_t scale = 1;

	if (strcmp(counter->unit, "pages") == 0) {
		if (!env->facts->known[TCT_FACT_PAGE_SIZE]) {
			tct_result_missing(result, "%s is in pages, and page_size is not known",
					   counter->name);
			return;
		}
		scale = env->facts->value[TCT_FACT_PAGE_SIZE];
	} else if (strcmp(counter->unit, "ms") == 0) {
		scale = 1000000;
	}
	if (__builtin_mul_overflow(number, scale, &result->number))
		tct_result_failed(result, "%s: %" PRId64 " is too large to count with",
				  counter->name, number);
}

void tct_eval_counter(const struct tct_expr *call, const struct tct_env *env,
		      struct tct_result *result)
{
	const struct tct_counter_reading *reading = seen_counter(call, env, result);

	if (reading != NULL)
		set_counter(call, reading->last, env, result);
}

/* Growth over the interval; false if there is none to speak of. */
static bool growth_of(const struct tct_expr *call, const struct tct_env *env,
		      struct tct_result *result, int64_t *growth)
{
	const struct tct_observation *observation = env->observation;
	const struct tct_counter_reading *reading;

	/* who looks once need not read what only growth is asked of */
	if (observation != NULL && tct_host_looked_at(&observation->host) == TCT_SOURCE_LIVE &&
	    observation->interval_ns <= 0 && observation->counters != NULL &&
	    observation->counters[call->index].presence == TCT_NOT_LOOKED) {
		tct_result_missing(result, "one look (--interval 0): no rates");
		return false;
	}
	reading = seen_counter(call, env, result);
	if (reading == NULL)
		return false;
	if (env->observation->interval_ns <= 0) {
		tct_result_missing(result, "one look (--interval 0): no rates");
		return false;
	}
	if (__builtin_sub_overflow(reading->last, reading->first, growth) || *growth < 0) {
		tct_result_missing(result, "%s went backwards", tct_counters[call->index].name);
		return false;
	}
	return true;
}

/* Events per second of so many in so long. */
static void set_rate(const struct tct_expr *call, int64_t growth, int64_t over_ns,
		     struct tct_result *result)
{
	/* events * 10^6 per (ns / 10^9) */
	tct_wide rate = (tct_wide)growth * INT64_C(1000000000000000) / over_ns;

	if (rate > INT64_MAX)
		tct_result_failed(result, "%s: overflow", call->label);
	else
		result->number = (int64_t)rate;
}

void tct_eval_delta(const struct tct_expr *call, const struct tct_env *env,
		    struct tct_result *result)
{
	int64_t growth;

	if (growth_of(call, env, result, &growth))
		set_counter(call, growth, env, result);
}

void tct_eval_rate(const struct tct_expr *call, const struct tct_env *env,
		   struct tct_result *result)
{
	int64_t growth;

	if (growth_of(call, env, result, &growth))
		set_rate(call, growth, env->observation->interval_ns, result);
}

/* ---- rate_over() ---- */

int tct_check_rate_over(const struct tct_checker *checker, struct tct_expr *call)
{
	const struct tct_type time = { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_TIME };
	struct tct_expr *duration = call->arguments[1];
	int64_t literal;
	int status = tct_check_rate(checker, call);

	if (status == 0)
		status = tct_check_node(checker, duration);
	if (status == 0)
		status = tct_check_expect(checker, duration, time);
	if (status == 0 && tct_expr_literal(duration, &literal) && literal <= 0)
		return tct_check_error(checker, duration, "the time must be more than 0");
	if (status < 0)
		return status;
	return tct_check_label(checker, call, "rate_over(%s, %.*s)", tct_counters[call->index].name,
			       (int)(duration->end - duration->start),
			       duration->source + duration->start);
}

void tct_eval_rate_over(const struct tct_expr *call, const struct tct_env *env,
			struct tct_result *result)
{
	struct tct_result duration;
	int64_t growth;
	int64_t over_ns = 0;
	char text[TCT_NUMBER_TEXT];

	tct_expr_eval(call->arguments[1], env, &duration);
	if (duration.status != TCT_STATUS_VALUE) {
		result->status = duration.status;
		memcpy(result->reason, duration.reason, sizeof(result->reason));
		return;
	}
	if (duration.number <= 0) {
		tct_result_failed(result, "%s: the time must be more than 0", call->label);
		return;
	}
	if (env->history != NULL &&
	    tct_history_growth(env->history, call->index, duration.number, &growth, &over_ns)) {
		set_rate(call, growth, over_ns, result);
		return;
	}
	if (env->observation == NULL || env->observation->interval_ns < duration.number)
		tct_result_missing(result, "needs %s of history: tcptune watch",
				   tct_text_nanoseconds(duration.number, text));
	else
		tct_eval_rate(call, env, result);
}
