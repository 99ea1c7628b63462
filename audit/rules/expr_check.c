/* Names and types: everything that can be wrong with an expression is found here, before it is ever
 * evaluated. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/each.h"
#include "audit/rules/functions.h"
#include "audit/rules/node.h"
#include "core/mem.h"

static const struct tct_type type_bool = { .kind = TCT_KIND_BOOL };
static const struct tct_type type_text = { .kind = TCT_KIND_TEXT };
static const struct tct_type type_version = { .kind = TCT_KIND_VERSION };
static const struct tct_type type_count = { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_COUNT };

int tct_check_error(const struct tct_checker *checker, const struct tct_expr *node,
		    const char *format, ...)
{
	char message[sizeof(checker->err->message)];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		message[0] = '\0';
	va_end(arguments);
	return tct_passage_error(checker->source, node->start, checker->err, "%s", message);
}

static const char *unit_example(enum tct_dimension dimension)
{
	switch (dimension) {
	case TCT_DIM_BYTES:
		return "B, KiB, MiB ...";
	case TCT_DIM_TIME:
		return "ms, s, min ...";
	case TCT_DIM_SHARE:
		return "%";
	case TCT_DIM_RATE:
		return "/s";
	case TCT_DIM_COUNT:
		break;
	}
	return "";
}

int tct_check_place_bare(const struct tct_checker *checker, struct tct_expr *node,
			 struct tct_type type)
{
	int64_t scale = 1;

	if (type.has_native) {
		scale = tct_unit_scale(type.native, 1);
		node->in_native = type.native == TCT_UNIT_PAGES;
	} else if (type.dimension == TCT_DIM_RATE) {
		scale = 1000000;
	} else if (type.dimension != TCT_DIM_COUNT && node->bare_number != 0) {
		return tct_check_error(
			checker, node, "%" PRId64 " stands for %s here: give it a unit (%s)",
			node->bare_number, tct_type_words(type), unit_example(type.dimension));
	}
	if (__builtin_mul_overflow(node->bare_number, scale, &node->number))
		return tct_check_error(checker, node, "this number is too large (64 bits)");
	node->type = type;
	return 0;
}

static const char *version_hint(const struct tct_expr *a, const struct tct_expr *b)
{
	if (a->kind == TCT_NODE_VERSION && b->type.kind == TCT_KIND_NUMBER)
		return " (digits with a dot and no unit are a version)";
	if (b->kind == TCT_NODE_VERSION && a->type.kind == TCT_KIND_NUMBER)
		return " (digits with a dot and no unit are a version)";
	if ((a->type.kind == TCT_KIND_VERSION && b->bare) ||
	    (b->type.kind == TCT_KIND_VERSION && a->bare))
		return " (a version has a dot: 6.0)";
	return "";
}

static int mismatch(const struct tct_checker *checker, const struct tct_expr *a,
		    const struct tct_expr *b)
{
	return tct_check_error(checker, b, "%s doesn't go with %s before it%s",
			       tct_type_words(b->type), tct_type_words(a->type),
			       version_hint(a, b));
}

int tct_check_unify(const struct tct_checker *checker, struct tct_expr *const *nodes, size_t count,
		    struct tct_type *type)
{
	const struct tct_expr *first = NULL;
	bool ambiguous = false;

	*type = type_count;
	for (size_t i = 0; i < count; i++) {
		const struct tct_expr *node = nodes[i];

		if (node->type.kind != TCT_KIND_NUMBER)
			return tct_check_error(checker, node, "a number is needed here, not %s%s",
					       tct_type_words(node->type),
					       version_hint(node, nodes[i == 0 ? count - 1 : 0]));
		if (node->bare)
			continue;
		if (first == NULL) {
			first = node;
			*type = node->type;
			continue;
		}
		if (node->type.dimension != type->dimension)
			return mismatch(checker, first, node);
		if (node->type.has_native && type->has_native &&
		    node->type.native != type->native) {
			ambiguous = true;
		} else if (node->type.has_native) {
			*type = node->type;
		}
	}
	if (ambiguous)
		type->has_native = false;
	for (size_t i = 0; i < count; i++) {
		if (nodes[i]->bare) {
			int status = tct_check_place_bare(checker, nodes[i], *type);

			if (status < 0)
				return status;
		}
	}
	return 0;
}

int tct_check_expect(const struct tct_checker *checker, struct tct_expr *node, struct tct_type type)
{
	if (node->type.kind == TCT_KIND_NUMBER && type.kind == TCT_KIND_NUMBER) {
		if (node->bare)
			return tct_check_place_bare(checker, node, type);
		if (node->type.dimension == type.dimension)
			return 0;
	} else if (node->type.kind == type.kind) {
		return 0;
	}
	return tct_check_error(checker, node, "%s is needed here, not %s%s", tct_type_words(type),
			       tct_type_words(node->type),
			       node->kind == TCT_NODE_VERSION
				       ? " (digits with a dot and no unit are a version)"
				       : "");
}

struct names {
	const struct tct_scope_names *scope;
};

/* All names that would have been right here, one after the other. */
static const char *name_candidate(const void *context, size_t i)
{
	static const char *const others[] = { "initial_namespace", "true", "false" };
	const struct tct_scope_names *scope = ((const struct names *)context)->scope;

	if (i < TCT_FACT_LIMIT)
		return tct_fact_name((enum tct_fact)i);
	i -= TCT_FACT_LIMIT;
	if (i < TCT_COUNT(others))
		return others[i];
	i -= TCT_COUNT(others);
	if (i < scope->variables_count)
		return scope->variables[i].name;
	i -= scope->variables_count;
	if (i == 0)
		return scope->value ? "value" : "kernel";
	if (i == 1)
		return scope->evidence ? "interval" : "kernel";
	i -= 2;
	if (i < TCT_HOST_NAMES)
		return scope->evidence ? tct_host_name((enum tct_host_name)i) : "kernel";
	i -= TCT_HOST_NAMES;
	for (size_t k = 0; k < tct_attributes_count; k++) {
		if (tct_attributes[k].each == scope->each && i-- == 0)
			return tct_attributes[k].name;
	}
	return NULL;
}

static int unknown_name(const struct tct_checker *checker, const struct tct_expr *node)
{
	const struct names names = { checker->scope };
	const struct tct_function *function = tct_function_find(node->text);
	const char *nearest = tct_text_nearest(node->text, name_candidate, &names);
	char eaches[TCT_EACH_WORDS];

	if (strcmp(node->text, "value") == 0)
		return tct_check_error(checker, node, "`value` is only known in `never`");
	if (strcmp(node->text, "interval") == 0 || tct_host_name_find(node->text) != TCT_HOST_NAMES)
		return tct_check_error(
			checker, node,
			"`%s` can only be used in rules: settings must not depend on what is seen",
			node->text);
	if (function != NULL)
		return tct_check_error(checker, node, "`%s` is a function: %s", node->text,
				       function->usage);
	if (*tct_attribute_owners(node->text, eaches) != '\0')
		return tct_check_error(checker, node, "`%s` is only known in rules with `each: %s`",
				       node->text, eaches);
	if (nearest != NULL)
		return tct_check_error(checker, node, "unknown name `%.60s`: did you mean `%s`?",
				       node->text, nearest);
	return tct_check_error(checker, node, "unknown name `%.60s`", node->text);
}

static bool check_fixed_name(const struct tct_checker *checker, struct tct_expr *node)
{
	enum tct_fact fact = tct_fact_find(node->text);

	if (fact != TCT_FACT_LIMIT) {
		node->kind = TCT_NODE_FACT;
		node->index = fact;
		node->type = tct_fact_type(fact);
		return true;
	}
	if (strcmp(node->text, "initial_namespace") == 0) {
		node->kind = TCT_NODE_INITIAL_NAMESPACE;
		node->type = type_bool;
		return true;
	}
	if (strcmp(node->text, "interval") == 0 && checker->scope->evidence) {
		node->kind = TCT_NODE_INTERVAL;
		node->type =
			(struct tct_type){ .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_TIME };
		return true;
	}
	if (tct_host_name_find(node->text) != TCT_HOST_NAMES && checker->scope->evidence) {
		node->kind = TCT_NODE_HOST;
		node->index = tct_host_name_find(node->text);
		node->type = tct_host_name_type((enum tct_host_name)node->index);
		node->label = tct_host_name((enum tct_host_name)node->index);
		return true;
	}
	if (strcmp(node->text, "value") == 0 && checker->scope->value) {
		node->kind = TCT_NODE_VALUE;
		node->key = checker->scope->value_key;
		node->type = tct_type_of_key(node->key);
		return true;
	}
	return false;
}

static int check_name(const struct tct_checker *checker, struct tct_expr *node)
{
	const struct tct_scope_names *scope = checker->scope;

	if (check_fixed_name(checker, node))
		return 0;
	for (size_t i = 0; i < scope->variables_count; i++) {
		if (strcmp(scope->variables[i].name, node->text) == 0) {
			node->kind = TCT_NODE_VARIABLE;
			node->index = i;
			node->type = scope->variables[i].type;
			return 0;
		}
	}
	node->attribute = tct_attribute_find(scope->each, node->text);
	if (node->attribute == NULL)
		return unknown_name(checker, node);
	node->kind = TCT_NODE_ATTRIBUTE;
	node->type = node->attribute->type;
	node->label = node->attribute->name;
	return 0;
}

static int check_dotted(const struct tct_checker *checker, const struct tct_expr *node)
{
	if (tct_kernel_key_find(node->text) != NULL)
		return tct_check_error(checker, node, "a key's value is written sysctl(%.80s)",
				       node->text);
	if (tct_counter_find(node->text) != NULL)
		return tct_check_error(checker, node,
				       "a counter is written rate(%.80s), or counter(), delta()",
				       node->text);
	return tct_check_error(checker, node, "unknown name `%.80s`", node->text);
}

static int check_call(const struct tct_checker *checker, struct tct_expr *node)
{
	const struct tct_function *function = tct_function_find(node->text);

	if (function == NULL) {
		const char *nearest = tct_function_nearest(node->text);

		if (nearest != NULL)
			return tct_check_error(checker, node,
					       "unknown function `%.40s`: did you mean `%s`?",
					       node->text, nearest);
		return tct_check_error(checker, node, "unknown function `%.40s`", node->text);
	}
	if ((function->need == TCT_NEED_SYSCTL && !checker->scope->sysctl) ||
	    (function->need == TCT_NEED_EVIDENCE && !checker->scope->evidence))
		return tct_check_error(
			checker, node,
			"%s() can't be used here: it must not depend on what is seen, so that applying twice changes nothing",
			function->name);
	if (node->named != NULL &&
	    (function->named == NULL || strcmp(node->named, function->named) != 0))
		return tct_check_error(checker, node, "%s has no argument `%.40s`", function->usage,
				       node->named);
	if (node->count < function->least || node->count > function->most ||
	    (function->named != NULL && node->named == NULL))
		return tct_check_error(checker, node, "wrong number of arguments: %s",
				       function->usage);
	node->function = function;
	return function->check(checker, node);
}

static int check_unindexed(const struct tct_checker *checker, struct tct_expr *node);

static int check_index(const struct tct_checker *checker, struct tct_expr *node)
{
	struct tct_expr *of = node->arguments[0];
	int status = check_unindexed(checker, of);

	if (status < 0)
		return status;
	if (of->key == NULL || of->field >= 0)
		return tct_check_error(checker, node,
				       "only a sysctl with several fields takes an [index]");
	if (of->key->fields < 2)
		return tct_check_error(checker, node, "%s has one field: no [index]",
				       of->key->name);
	if (node->number >= of->key->fields)
		return tct_check_error(checker, node, "%s has %u fields: [0] to [%u]",
				       of->key->name, of->key->fields, of->key->fields - 1);

	size_t end = node->end;
	int64_t field = node->number;

	*node = *of;
	node->end = end;
	node->field = (int)field;
	if (of->label != NULL) {
		char label[128];
		int length = snprintf(label, sizeof(label), "%.110s[%d]", of->label, node->field);

		node->label =
			length < 0 ? NULL : tct_arena_text(checker->arena, label, strlen(label));
		if (node->label == NULL)
			return tct_err_nomem(checker->err);
	}
	return 0;
}

static int check_negate(const struct tct_checker *checker, struct tct_expr *node)
{
	struct tct_expr *operand = node->arguments[0];
	int status = tct_check_node(checker, operand);

	if (status < 0)
		return status;
	if (operand->type.kind != TCT_KIND_NUMBER)
		return tct_check_error(checker, operand, "- needs a number, not %s",
				       tct_type_words(operand->type));
	node->type = operand->type;
	if (operand->bare) {
		/* the smallest number can't be negated back: literals are 0 or more, so this holds
		 */
		node->kind = TCT_NODE_NUMBER;
		node->bare = true;
		node->bare_number = -operand->bare_number;
		node->number = node->bare_number;
		node->count = 0;
	}
	return 0;
}

static int check_comparison(const struct tct_checker *checker, struct tct_expr *node)
{
	struct tct_expr *left = node->arguments[0];
	struct tct_expr *right = node->arguments[1];
	bool equality = node->operator_ == TCT_TOKEN_EQ || node->operator_ == TCT_TOKEN_NE;
	struct tct_type type;

	node->type = type_bool;
	if (left->type.kind == TCT_KIND_NUMBER && right->type.kind == TCT_KIND_NUMBER)
		return tct_check_unify(checker, node->arguments, 2, &type);
	if (left->type.kind != right->type.kind)
		return mismatch(checker, left, right);
	if (left->type.kind != TCT_KIND_VERSION && !equality)
		return tct_check_error(checker, left, "%s can only be compared with == and !=",
				       tct_type_words(left->type));
	return 0;
}

static bool is_count(const struct tct_expr *node)
{
	return node->type.dimension == TCT_DIM_COUNT;
}

static bool is_share(const struct tct_expr *node)
{
	return node->type.dimension == TCT_DIM_SHARE;
}

static int check_product(const struct tct_checker *checker, struct tct_expr *node)
{
	struct tct_expr *left = node->arguments[0];
	struct tct_expr *right = node->arguments[1];

	if (node->operator_ == TCT_TOKEN_SLASH) {
		if (is_count(right)) {
			node->type = left->type;
			return 0;
		}
		if (left->type.dimension != right->type.dimension)
			return mismatch(checker, left, right);
		node->type = type_count;
		return 0;
	}
	if ((left->bare && is_share(right)) || (right->bare && is_share(left)))
		return tct_check_error(checker, node,
				       "a plain number times a share: write the share itself");
	if (is_share(left))
		node->type = right->type;
	else if (is_share(right))
		node->type = left->type;
	else if (is_count(left))
		node->type = right->type;
	else if (is_count(right))
		node->type = left->type;
	else
		return tct_check_error(checker, node,
				       "%s times %s: one side must be a count or a share",
				       tct_type_words(left->type), tct_type_words(right->type));
	if (node->type.dimension == TCT_DIM_COUNT)
		node->type.has_native = false;
	return 0;
}

static int check_binary(const struct tct_checker *checker, struct tct_expr *node)
{
	bool logic = node->operator_ == TCT_TOKEN_AND || node->operator_ == TCT_TOKEN_OR;
	bool product = node->operator_ == TCT_TOKEN_STAR || node->operator_ == TCT_TOKEN_SLASH;

	for (size_t i = 0; i < 2; i++) {
		struct tct_expr *side = node->arguments[i];
		int status = tct_check_node(checker, side);

		if (status < 0)
			return status;
		if (logic && side->type.kind != TCT_KIND_BOOL)
			return tct_check_error(checker, side,
					       "`%s` needs true or false on both sides, not %s",
					       node->operator_ == TCT_TOKEN_AND ? "and" : "or",
					       tct_type_words(side->type));
		if (product && side->type.kind != TCT_KIND_NUMBER)
			return tct_check_error(checker, side, "a number is needed here, not %s",
					       tct_type_words(side->type));
	}
	if (logic) {
		node->type = type_bool;
		return 0;
	}
	if (product)
		return check_product(checker, node);
	if (node->operator_ == TCT_TOKEN_PLUS || node->operator_ == TCT_TOKEN_MINUS)
		return tct_check_unify(checker, node->arguments, 2, &node->type);
	return check_comparison(checker, node);
}

static int check_not(const struct tct_checker *checker, struct tct_expr *node)
{
	int status = tct_check_node(checker, node->arguments[0]);

	if (status < 0)
		return status;
	if (node->arguments[0]->type.kind != TCT_KIND_BOOL)
		return tct_check_error(checker, node->arguments[0],
				       "`not` needs true or false, not %s",
				       tct_type_words(node->arguments[0]->type));
	node->type = type_bool;
	return 0;
}

/* Everything but the rule that a vector needs an index. */
static int check_unindexed(const struct tct_checker *checker, struct tct_expr *node)
{
	switch (node->kind) {
	case TCT_NODE_NUMBER:
		node->type.kind = TCT_KIND_NUMBER;
		return 0;
	case TCT_NODE_VERSION:
		node->type = type_version;
		return 0;
	case TCT_NODE_TEXT:
		node->type = type_text;
		return 0;
	case TCT_NODE_BOOL:
		node->type = type_bool;
		return 0;
	case TCT_NODE_NAME:
		return check_name(checker, node);
	case TCT_NODE_DOTTED:
		return check_dotted(checker, node);
	case TCT_NODE_CALL:
		return check_call(checker, node);
	case TCT_NODE_INDEX:
		return check_index(checker, node);
	case TCT_NODE_NOT:
		return check_not(checker, node);
	case TCT_NODE_NEGATE:
		return check_negate(checker, node);
	case TCT_NODE_BINARY:
		return check_binary(checker, node);
	case TCT_NODE_FACT:
	case TCT_NODE_INITIAL_NAMESPACE:
	case TCT_NODE_INTERVAL:
	case TCT_NODE_HOST:
	case TCT_NODE_VARIABLE:
	case TCT_NODE_VALUE:
	case TCT_NODE_ATTRIBUTE:
	case TCT_NODE_LARGER:
	case TCT_NODE_SMALLER:
		break; /* checked before */
	}
	return 0;
}

int tct_check_node(const struct tct_checker *checker, struct tct_expr *node)
{
	int status = check_unindexed(checker, node);

	if (status < 0)
		return status;
	if (node->key != NULL && node->key->fields > 1 && node->field < 0)
		return tct_check_error(checker, node,
				       "%s has %u fields: write [0] to [%u] after it",
				       node->key->name, node->key->fields, node->key->fields - 1);
	return 0;
}

int tct_node_check(struct tct_arena *arena, const struct tct_passage *source,
		   const struct tct_scope_names *scope, const struct tct_type *expected,
		   struct tct_expr *expr, struct tct_err *err)
{
	const struct tct_checker checker = {
		.arena = arena,
		.source = source,
		.scope = scope,
		.root = expr,
		.err = err,
	};
	int status = tct_check_node(&checker, expr);

	if (status < 0 || expected == NULL)
		return status;
	return tct_check_expect(&checker, expr, *expected);
}
