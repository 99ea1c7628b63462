/* What a key should be, from its bounds: in the file's own unit, field by field. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/node.h"
#include "audit/rules/profile_private.h"
#include "core/mem.h"

/* Where a field of a bound stands; a merged bound has several places. */
static struct tct_place place_of(const struct tct_bound *bound, const struct tct_expr *expr)
{
	return expr->place != NULL ? *expr->place : bound->place;
}

/* Error at the place; code ENODATA or EINVAL. */
__attribute__((format(printf, 4, 5))) static int
complain(struct tct_place place, int code, struct tct_err *err, const char *format, ...)
{
	char message[sizeof(err->message)];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		message[0] = '\0';
	va_end(arguments);
	(void)tct_err_at(err, place.file, place.line, place.column, "%s", message);
	if (err != NULL)
		err->code = code;
	return -code;
}

static int check_range(const struct tct_kernel_key *key, struct tct_place place, int64_t stored,
		       struct tct_err *err)
{
	const char *unit = tct_unit_name(key->unit);

	if (stored >= key->sane_min && stored <= key->sane_max)
		return 0;
	return complain(
		place, EINVAL, err,
		"%s: %" PRId64 " is outside of %" PRId64 " to %" PRId64 "%s%s, what tcptune writes",
		key->name, stored, key->sane_min, key->sane_max, *unit != '\0' ? " " : "", unit);
}

static int eval_field(const struct tct_kernel_key *key, const struct tct_bound *bound,
		      const struct tct_expr *expr, const struct tct_env *env, int64_t *stored,
		      struct tct_err *err);

static bool is_merged(const struct tct_expr *expr)
{
	return expr->kind == TCT_NODE_LARGER || expr->kind == TCT_NODE_SMALLER;
}

static bool first_decides(const struct tct_kernel_key *key, const struct tct_expr *merged,
			  int64_t a, int64_t b)
{
	return tct_value_field_at_least(key, a, b) == (merged->kind == TCT_NODE_LARGER);
}

/* Of two profiles' bounds the stronger, by the key's own order: "no limit" is above everything. */
static int eval_merged(const struct tct_kernel_key *key, const struct tct_bound *bound,
		       const struct tct_expr *expr, const struct tct_env *env, int64_t *stored,
		       struct tct_err *err)
{
	int64_t a;
	int64_t b;
	int status = eval_field(key, bound, expr->arguments[0], env, &a, err);

	if (status == 0)
		status = eval_field(key, bound, expr->arguments[1], env, &b, err);
	if (status < 0)
		return status;
	*stored = first_decides(key, expr, a, b) ? a : b;
	return 0;
}

static int eval_field(const struct tct_kernel_key *key, const struct tct_bound *bound,
		      const struct tct_expr *expr, const struct tct_env *env, int64_t *stored,
		      struct tct_err *err)
{
	const struct tct_place place = place_of(bound, expr);
	const struct tct_facts *facts = env->facts;
	int64_t page = facts->known[TCT_FACT_PAGE_SIZE] ? facts->value[TCT_FACT_PAGE_SIZE] : 0;
	struct tct_result result;
	int status;

	if (is_merged(expr))
		return eval_merged(key, bound, expr, env, stored, err);
	if (tct_expr_bare_number(expr, stored)) /* in the key's own unit already */
		return check_range(key, place, *stored, err);
	tct_expr_eval(expr, env, &result);
	if (result.status != TCT_STATUS_VALUE)
		return complain(place, result.status == TCT_STATUS_MISSING ? ENODATA : EINVAL, err,
				"%s: %s", key->name, result.reason);
	status = tct_number_to_key(key, page, result.number, stored);
	if (status == -ENODATA)
		return complain(place, ENODATA, err, "%s is in pages, and page_size is not known",
				key->name);
	if (status < 0) {
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		tct_result_print(&result, &text);
		return complain(place, EINVAL, err, "%s: %s is not a whole number of %s", key->name,
				text.data != NULL ? text.data : "this", tct_unit_name(key->unit));
	}
	return check_range(key, place, *stored, err);
}

/* The fields of a bound: known[i] false where it keeps. */
struct fields {
	bool known[TCT_KEY_FIELDS_MAX];
	int64_t stored[TCT_KEY_FIELDS_MAX];
};

static int eval_fields(const struct tct_kernel_key *key, const struct tct_bound *bound,
		       const struct tct_env *env, struct fields *fields, struct tct_err *err)
{
	*fields = (struct fields){ 0 };
	if (bound == NULL || !bound->given)
		return 0;
	for (unsigned i = 0; i < key->fields; i++) {
		if (bound->fields[i] == NULL)
			continue;

		int status = eval_field(key, bound, bound->fields[i], env, &fields->stored[i], err);

		if (status < 0)
			return status;
		fields->known[i] = true;
	}
	return 0;
}

/* Of several profiles' bounds that were merged, the place of the one that decides. */
static struct tct_place deciding_place(const struct tct_kernel_key *key,
				       const struct tct_bound *bound, unsigned field,
				       const struct tct_env *env)
{
	const struct tct_expr *expr = bound->fields[field];
	int64_t a;
	int64_t b;

	while (is_merged(expr) && eval_field(key, bound, expr->arguments[0], env, &a, NULL) == 0 &&
	       eval_field(key, bound, expr->arguments[1], env, &b, NULL) == 0)
		expr = expr->arguments[first_decides(key, expr, a, b) ? 0 : 1];
	return place_of(bound, expr);
}

static int contradiction(const struct tct_kernel_key *key, const struct tct_bound *at_least,
			 int64_t least, const struct tct_bound *at_most, int64_t most,
			 unsigned field, const struct tct_env *env, struct tct_err *err)
{
	const struct tct_place low = deciding_place(key, at_least, field, env);
	const struct tct_place high = deciding_place(key, at_most, field, env);

	if (strcmp(low.file, high.file) == 0)
		return complain(low, EINVAL, err,
				"%s: at_least %" PRId64 " is above at_most %" PRId64, key->name,
				least, most);
	return complain(low, EINVAL, err,
			"%s: at_least %" PRId64 " is above at_most %" PRId64
			" in %.200s:%u: a profile that extends both must decide",
			key->name, least, most, high.file, high.line);
}

struct all_fields {
	struct fields set;
	struct fields at_least;
	struct fields at_most;
};

static int eval_all(const struct tct_kernel_key *key, const struct tct_bound *set,
		    const struct tct_bound *at_least, const struct tct_bound *at_most,
		    const struct tct_env *env, struct all_fields *all, struct tct_err *err)
{
	int status = eval_fields(key, set, env, &all->set, err);

	if (status == 0)
		status = eval_fields(key, at_least, env, &all->at_least, err);
	if (status == 0)
		status = eval_fields(key, at_most, env, &all->at_most, err);
	for (unsigned i = 0; i < key->fields && status == 0; i++) {
		if (all->at_least.known[i] && all->at_most.known[i] &&
		    !tct_value_field_at_least(key, all->at_most.stored[i], all->at_least.stored[i]))
			status = contradiction(key, at_least, all->at_least.stored[i], at_most,
					       all->at_most.stored[i], i, env, err);
	}
	return status;
}

static const struct tct_bound *given_one(const struct tct_bound *set,
					 const struct tct_bound *at_least,
					 const struct tct_bound *at_most)
{
	if (set != NULL && set->given)
		return set;
	if (at_least != NULL && at_least->given)
		return at_least;
	return at_most;
}

static int check_order(const struct tct_kernel_key *key, const struct tct_bound *bound,
		       const struct tct_value *value, struct tct_err *err)
{
	for (unsigned i = 1; key->ordered && i < value->count; i++) {
		if (value->numbers[i] < value->numbers[i - 1])
			return complain(bound->place, EINVAL, err,
					"%s: its fields must ascend, but [%u] would be %" PRId64
					" and [%u] %" PRId64,
					key->name, i - 1, value->numbers[i - 1], i,
					value->numbers[i]);
	}
	return 0;
}

/* One field: what the bounds make of `start` (NULL: not known). -ENODATA if that can't be said. */
static int target_field(const struct tct_kernel_key *key, const struct all_fields *all, unsigned i,
			const int64_t *start, int64_t *target)
{
	if (all->set.known[i]) {
		*target = all->set.stored[i];
		return 0;
	}
	if (start != NULL)
		*target = *start;
	else if (all->at_least.known[i])
		*target = all->at_least.stored[i];
	else if (all->at_most.known[i])
		*target = all->at_most.stored[i];
	else
		return -ENODATA;
	if (all->at_least.known[i] &&
	    !tct_value_field_at_least(key, *target, all->at_least.stored[i]))
		*target = all->at_least.stored[i];
	if (all->at_most.known[i] &&
	    !tct_value_field_at_least(key, all->at_most.stored[i], *target))
		*target = all->at_most.stored[i];
	return 0;
}

/* A word or a list of ports. */
static int literal_target(const struct tct_kernel_key *key, const struct tct_bound *set,
			  const struct tct_value *baseline, struct tct_value *wanted, bool *ours,
			  struct tct_err *err)
{
	if (tct_value_copy(wanted, &set->literal) < 0)
		return tct_err_nomem(err);
	*ours = baseline == NULL || !tct_value_stored_as(key, wanted, baseline);
	return 0;
}

int tct_bounds_target(const struct tct_kernel_key *key, const struct tct_bound *set,
		      const struct tct_bound *at_least, const struct tct_bound *at_most,
		      const struct tct_env *env, const struct tct_value *baseline,
		      struct tct_value *wanted, bool *ours, struct tct_err *err)
{
	const struct tct_bound *place = given_one(set, at_least, at_most);
	struct all_fields all;
	int status;

	if (set != NULL && set->given && set->literal.kind != TCT_VALUE_NONE)
		return literal_target(key, set, baseline, wanted, ours, err);
	status = eval_all(key, set, at_least, at_most, env, &all, err);
	if (status < 0)
		return status;
	if (baseline != NULL &&
	    (baseline->kind != TCT_VALUE_NUMBERS || baseline->count != key->fields))
		baseline = NULL;

	struct tct_value made = { .kind = TCT_VALUE_NUMBERS, .count = key->fields };

	for (unsigned i = 0; i < key->fields; i++) {
		status = target_field(key, &all, i, baseline != NULL ? &baseline->numbers[i] : NULL,
				      &made.numbers[i]);
		if (status < 0)
			return complain(place->place, ENODATA, err,
					"%s: field [%u] is to be kept, but its value is not known",
					key->name, i);
	}
	/* the kernel's rounding of what we would write is not a difference */
	*ours = baseline == NULL || !tct_value_stored_as(key, &made, baseline);
	if (!*ours)
		made = *baseline;
	else
		status = check_order(key, place, &made, err);
	if (status == 0)
		*wanted = made;
	return status;
}

int tct_bounds_satisfied(const struct tct_kernel_key *key, const struct tct_bound *set,
			 const struct tct_bound *at_least, const struct tct_bound *at_most,
			 const struct tct_env *env, const struct tct_value *value, bool *satisfied,
			 struct tct_err *err)
{
	TCT_AUTO(tct_value_done) struct tct_value wanted = { 0 };
	bool differs = false;
	int status =
		tct_bounds_target(key, set, at_least, at_most, env, value, &wanted, &differs, err);

	if (status == 0)
		*satisfied = !differs;
	return status;
}

int tct_bounds_check(const struct tct_kernel_key *key, const struct tct_bound *set,
		     const struct tct_bound *at_least, const struct tct_bound *at_most,
		     struct tct_err *err)
{
	static const struct tct_facts nothing = { 0 };
	const struct tct_env env = { .facts = &nothing };
	const struct tct_bound *bounds[3] = { set, at_least, at_most };
	struct all_fields all;
	struct tct_err own;

	if (set->given && set->literal.kind != TCT_VALUE_NONE)
		return 0;
	/* each bound by itself, so that one that can't be known yet doesn't hide another */
	for (size_t i = 0; i < 3; i++) {
		struct tct_value made = { .kind = TCT_VALUE_NUMBERS };
		struct fields fields = { 0 };
		bool whole = true;

		for (unsigned k = 0; k < key->fields && bounds[i]->given; k++) {
			int status = bounds[i]->fields[k] == NULL
					     ? -ENODATA
					     : eval_field(key, bounds[i], bounds[i]->fields[k],
							  &env, &fields.stored[k], &own);

			if (status == -EINVAL) {
				if (err != NULL)
					*err = own;
				return status;
			}
			whole = whole && status == 0;
			made.numbers[made.count++] = fields.stored[k];
		}
		if (whole && bounds[i]->given && check_order(key, bounds[i], &made, err) < 0)
			return -EINVAL;
	}
	if (eval_all(key, set, at_least, at_most, &env, &all, &own) != -EINVAL)
		return 0;
	if (err != NULL)
		*err = own;
	return -EINVAL;
}
