/* The functions that look at sockets in particular: the host's, or those of the item. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/each.h"
#include "audit/rules/functions.h"
#include "core/mem.h"

static const struct tct_type type_count = { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_COUNT };

int tct_check_population(const struct tct_checker *checker, struct tct_expr *call)
{
	const char *name = tct_check_bare_name(call);

	call->type = type_count;
	for (size_t i = 0; name != NULL && i < TCT_POPULATION_LIMIT; i++) {
		if (strcmp(tct_population_names[i], name) == 0) {
			call->index = i;
			if (checker->scope->each == TCT_EACH_PEER && i != TCT_POPULATION_UNGUARDED)
				return tct_check_error(
					checker, call->arguments[0],
					"with `each: peer` %s() only takes unguarded",
					call->function->name);
			return tct_check_label(checker, call, "population(%s)", name);
		}
	}
	if (call->count > 1)
		return tct_check_error(
			checker, call->arguments[0],
			"%s() takes close_wait, remote, unguarded, retransmitting, unanswered, heard_unacked or zero_window",
			call->function->name);
	return tct_check_error(
		checker, call->arguments[0],
		"%s() takes close_wait, remote, unguarded, retransmitting, unanswered, heard_unacked, zero_window, syn_unanswered, fin_unanswered, fin_wait2_held or fin_wait2_orphaned",
		call->function->name);
}

int tct_check_idle(const struct tct_checker *checker, struct tct_expr *call)
{
	struct tct_expr *duration = call->arguments[1];
	int status = tct_check_population(checker, call);

	if (status == 0 && call->index >= TCT_POPULATION_SYN_UNANSWERED)
		return tct_check_error(checker, call->arguments[0],
				       "no idle times are known of %s: use population(%s)",
				       tct_population_names[call->index],
				       tct_population_names[call->index]);

	if (status == 0)
		status = tct_check_node(checker, duration);
	if (status == 0)
		status = tct_check_expect(
			checker, duration,
			(struct tct_type){ .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_TIME });
	if (status < 0)
		return status;
	return tct_check_label(checker, call, "idle(%s, %.*s)", tct_population_names[call->index],
			       (int)(duration->end - duration->start),
			       duration->source + duration->start);
}

/* The population: the host's, or the share of the item that has its own. */
static const struct tct_population *population_of(const struct tct_expr *call,
						  const struct tct_env *env)
{
	if (env->observation == NULL || env->item >= tct_each_count(env->each, env))
		return NULL;
	if (env->each == TCT_EACH_OWNER)
		return &env->observation->owners[env->item].populations[call->index];
	if (env->each == TCT_EACH_PEER && call->index == TCT_POPULATION_UNGUARDED)
		return &env->observation->peers[env->item].unguarded;
	return &env->observation->populations[call->index];
}

static const struct tct_population *
seen_population(const struct tct_expr *call, const struct tct_env *env, struct tct_result *result)
{
	const struct tct_population *population = population_of(call, env);

	if (population != NULL && population->presence == TCT_PRESENT)
		return population;
	tct_result_unseen_sockets(env, "sockets", result);
	return NULL;
}

void tct_eval_population(const struct tct_expr *call, const struct tct_env *env,
			 struct tct_result *result)
{
	const struct tct_population *population = seen_population(call, env, result);

	if (population != NULL)
		result->number = population->total;
}

void tct_eval_idle(const struct tct_expr *call, const struct tct_env *env,
		   struct tct_result *result)
{
	const struct tct_population *population = seen_population(call, env, result);
	struct tct_result duration;

	if (population == NULL)
		return;
	tct_expr_eval(call->arguments[1], env, &duration);
	if (duration.status == TCT_STATUS_VALUE) {
		result->number = tct_population_idle(population, duration.number);
		return;
	}
	result->status = duration.status;
	memcpy(result->reason, duration.reason, sizeof(result->reason));
}

/* ---- growing() ---- */

int tct_check_growing(const struct tct_checker *checker, struct tct_expr *call)
{
	struct tct_expr *argument = call->arguments[0];
	int status;

	call->type = (struct tct_type){ .kind = TCT_KIND_BOOL };
	if (argument->kind != TCT_NODE_NAME)
		return tct_check_error(checker, argument,
				       "growing() takes an attribute: growing(queue)");
	status = tct_check_node(checker, argument);
	if (status < 0)
		return status;
	if (argument->kind != TCT_NODE_ATTRIBUTE)
		return tct_check_error(
			checker, argument,
			"growing() takes an attribute of the item, and `%.*s` is none",
			(int)(argument->end - argument->start), argument->source + argument->start);
	if (argument->attribute->first == NULL)
		return tct_check_error(
			checker, argument,
			"`%s` is not known of the first look: growing() takes queue, drops, used or close_wait",
			argument->attribute->name);
	return tct_check_label(checker, call, "growing(%s)", argument->attribute->name);
}

void tct_eval_growing(const struct tct_expr *call, const struct tct_env *env,
		      struct tct_result *result)
{
	const struct tct_expr *argument = call->arguments[0];
	struct tct_result first = { .status = TCT_STATUS_VALUE, .type = argument->type };
	struct tct_result last;

	tct_expr_eval(argument, env, &last);
	if (last.status != TCT_STATUS_VALUE) {
		result->status = last.status;
		memcpy(result->reason, last.reason, sizeof(result->reason));
	} else if (env->observation->interval_ns <= 0) {
		tct_result_missing(result, "one look (--interval 0): no growth");
	} else {
		argument->attribute->first(env, &first);
		result->status = first.status;
		result->number = last.number > first.number;
		memcpy(result->reason, first.reason, sizeof(result->reason));
	}
}

/* ---- outgoing() ---- */

static int64_t read_ports_usable(const struct tct_outgoing *outgoing)
{
	return outgoing->ports_usable;
}

static int64_t read_sockets(const struct tct_outgoing *outgoing)
{
	return outgoing->sockets;
}

static int64_t read_established(const struct tct_outgoing *outgoing)
{
	return outgoing->established;
}

static int64_t read_distinct(const struct tct_outgoing *outgoing)
{
	return outgoing->distinct;
}

static int64_t read_unanswered_distinct(const struct tct_outgoing *outgoing)
{
	return outgoing->unanswered_distinct;
}

static const struct {
	const char *name;
	int64_t (*read)(const struct tct_outgoing *outgoing);
} outgoing_numbers[] = {
	{ "ports_usable", read_ports_usable },
	{ "sockets", read_sockets },
	{ "established", read_established },
	{ "distinct", read_distinct },
	{ "unanswered_distinct", read_unanswered_distinct },
};

int tct_check_outgoing(const struct tct_checker *checker, struct tct_expr *call)
{
	const char *name = tct_check_bare_name(call);

	call->type = type_count;
	for (size_t i = 0; name != NULL && i < TCT_COUNT(outgoing_numbers); i++) {
		if (strcmp(outgoing_numbers[i].name, name) == 0) {
			call->index = i;
			return tct_check_label(checker, call, "outgoing(%s)", name);
		}
	}
	return tct_check_error(
		checker, call->arguments[0],
		"outgoing() takes ports_usable, sockets, established, distinct or unanswered_distinct");
}

void tct_eval_outgoing(const struct tct_expr *call, const struct tct_env *env,
		       struct tct_result *result)
{
	const struct tct_outgoing *outgoing =
		env->observation != NULL ? &env->observation->outgoing : NULL;
	int64_t (*read)(const struct tct_outgoing *) = outgoing_numbers[call->index].read;

	if (outgoing == NULL) {
		tct_result_missing(result, "ephemeral ports in use: not counted");
	} else if (read == read_ports_usable) {
		result->number = outgoing->ports_usable;
		if (result->number < 0)
			tct_result_missing(result, "how many ports are usable is not known");
	} else if (outgoing->presence == TCT_PRESENT) {
		result->number = read(outgoing);
	} else if (!tct_outgoing_is_none(outgoing)) {
		const char *why = outgoing->why_not[0] != '\0'
					  ? outgoing->why_not
					  : tct_gap_why(env->observation, "ephemeral ports");

		tct_result_missing(result, "ephemeral ports in use: not counted%s%.140s",
				   *why != '\0' ? ": " : "", why);
	}
}

/* ---- earlier_lines() ---- */

int tct_check_earlier_lines(const struct tct_checker *checker, struct tct_expr *call)
{
	const struct tct_type text = { .kind = TCT_KIND_TEXT };
	const struct tct_expr *first = call->arguments[0];
	const struct tct_expr *last = call->arguments[call->count - 1];
	int status = 0;

	call->type = type_count;
	if (checker->scope->each != TCT_EACH_LINE)
		return tct_check_error(checker, call,
				       "earlier_lines() is only known in rules with `each: line`");
	for (size_t i = 0; i < call->count && status == 0; i++) {
		status = tct_check_node(checker, call->arguments[i]);
		if (status == 0)
			status = tct_check_expect(checker, call->arguments[i], text);
	}
	if (status < 0)
		return status;
	return tct_check_label(checker, call, "earlier_lines(%.*s)",
			       (int)(last->end - first->start), first->source + first->start);
}

/* Where a line stands among those that this model reads: itself, or the link through which it is
 * read. False if it isn't read. */
static bool position_of(const struct tct_sysctl_files *files, size_t line, unsigned bit, size_t *at)
{
	bool read = (files->lines[line].read_by & bit) != 0;

	*at = line;
	for (size_t i = 0; i < files->lines_count && !read; i++) {
		read = files->lines[i].twin == line + 1 && (files->lines[i].read_by & bit) != 0;
		*at = i;
	}
	return read;
}

/* The line decides a key of the table: a question about few lines, however many there are. */
static bool is_decisive(const struct tct_file_line *line, size_t model)
{
	return line->known != NULL && (line->wins & 1U << model) != 0;
}

/* systemd-sysctl writes the line that wins, procps every line. A pattern is written for the keys
 * that no line of their own sets. */
static bool is_written(const struct tct_file_line *line, size_t model)
{
	unsigned bit = 1U << model;

	if (line->value == NULL || line->twin != 0)
		return false;
	return model != TCT_BOOT_SYSTEMD || line->is_pattern || (line->wins & bit) != 0;
}

/* Which lines are counted: by the beginning and the end of their key, and what they store. */
struct line_pattern {
	const char *start;
	const char *end;   /* "" = any */
	const char *value; /* as written; NULL = any */
};

static bool fits(const struct tct_file_line *line, const struct line_pattern *pattern)
{
	size_t length = strlen(line->key);
	size_t end = strlen(pattern->end);

	return strncmp(line->key, pattern->start, strlen(pattern->start)) == 0 && length >= end &&
	       strcmp(line->key + length - end, pattern->end) == 0 &&
	       (pattern->value == NULL || strcmp(line->value, pattern->value) == 0);
}

static int64_t earlier_lines(const struct tct_env *env, const struct line_pattern *pattern,
			     size_t model)
{
	const struct tct_sysctl_files *files = env->observation->files;
	int64_t count = 0;
	size_t own;
	size_t other;

	if (!is_decisive(&files->lines[env->item], model) ||
	    !position_of(files, env->item, 1U << model, &own))
		return 0;
	for (size_t i = 0; i < files->lines_count; i++) {
		const struct tct_file_line *line = &files->lines[i];

		if (is_written(line, model) && fits(line, pattern) &&
		    position_of(files, i, 1U << model, &other))
			count += other < own;
	}
	return count;
}

/* False: the result says why an argument isn't known. */
static bool read_pattern(const struct tct_expr *call, const struct tct_env *env,
			 struct line_pattern *pattern, struct tct_result *result)
{
	const char **parts[] = { &pattern->start, &pattern->end, &pattern->value };

	for (size_t i = 0; i < call->count; i++) {
		struct tct_result text;

		tct_expr_eval(call->arguments[i], env, &text);
		if (text.status != TCT_STATUS_VALUE) {
			result->status = text.status;
			memcpy(result->reason, text.reason, sizeof(result->reason));
			return false;
		}
		*parts[i] = text.text;
	}
	return true;
}

void tct_eval_earlier_lines(const struct tct_expr *call, const struct tct_env *env,
			    struct tct_result *result)
{
	struct line_pattern pattern = { .end = "" };

	if (!read_pattern(call, env, &pattern, result))
		return;
	if (env->observation == NULL || env->observation->files == NULL ||
	    env->each != TCT_EACH_LINE || env->item >= tct_each_count(env->each, env)) {
		tct_result_missing(result, "the sysctl files were not read");
		return;
	}
	for (size_t model = 0; model < TCT_BOOT_MODELS; model++) {
		int64_t count;

		if (env->observation->boot_model != TCT_BOOT_MODELS &&
		    env->observation->boot_model != model)
			continue;
		count = earlier_lines(env, &pattern, model);
		result->number = count > result->number ? count : result->number;
	}
}
