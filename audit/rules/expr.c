/* The outside of expressions: compile, ask, print. */
#include "audit/rules/expr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/node.h"

int tct_expr_compile_source(struct tct_arena *arena, const struct tct_passage *source, size_t start,
			    size_t end, const struct tct_scope_names *scope,
			    const struct tct_type *expected, struct tct_expr **expr,
			    struct tct_err *err)
{
	struct tct_passage copy = *source;
	struct tct_expr *root = NULL;
	int status;

	/* the nodes keep pointers into the text */
	copy.text = tct_arena_text(arena, source->text, source->length);
	if (copy.text == NULL)
		return tct_err_nomem(err);
	status = tct_node_parse(arena, &copy, start, end, &root, err);
	if (status == 0)
		status = tct_node_check(arena, &copy, scope, expected, root, err);
	if (status < 0)
		return status;
	/* the root stands for the whole text, parentheses included */
	root->source = copy.text;
	*expr = root;
	return 0;
}

int tct_expr_compile(struct tct_arena *arena, const char *text, struct tct_place place,
		     const struct tct_scope_names *scope, const struct tct_type *expected,
		     struct tct_expr **expr, struct tct_err *err)
{
	const struct tct_passage source = { .text = text, .length = strlen(text), .place = place };

	return tct_expr_compile_source(arena, &source, 0, source.length, scope, expected, expr,
				       err);
}

void tct_expr_walk(const struct tct_expr *expr, tct_node_visit *visit, void *context)
{
	visit(context, expr);
	for (size_t i = 0; i < expr->count; i++)
		tct_expr_walk(expr->arguments[i], visit, context);
}

struct tct_type tct_expr_type(const struct tct_expr *expr)
{
	return expr->type;
}

const char *tct_expr_source(const struct tct_expr *expr)
{
	return expr->source;
}

bool tct_expr_bare_number(const struct tct_expr *expr, int64_t *number)
{
	if (!expr->bare)
		return false;
	*number = expr->bare_number;
	return true;
}

bool tct_expr_literal(const struct tct_expr *expr, int64_t *number)
{
	if (expr->kind != TCT_NODE_NUMBER || expr->in_native)
		return false;
	*number = expr->number;
	return true;
}

struct tct_expr *tct_node_merge(struct tct_arena *arena, enum tct_node_kind kind,
				struct tct_expr *a, struct tct_expr *b)
{
	struct tct_expr *node = tct_arena_alloc(arena, sizeof(*node));
	char text[512];

	if (node == NULL)
		return NULL;

	int length = snprintf(text, sizeof(text), "%s(%.240s, %.240s)",
			      kind == TCT_NODE_LARGER ? "max" : "min", a->source, b->source);

	node->arguments = tct_arena_array(arena, 2, sizeof(struct tct_expr *));
	node->source = tct_arena_text(arena, text, length < 0 ? 0 : strlen(text));
	if (node->arguments == NULL || node->source == NULL)
		return NULL;
	node->kind = kind;
	node->type = a->type;
	node->arguments[0] = a;
	node->arguments[1] = b;
	node->count = 2;
	node->end = strlen(node->source);
	node->field = -1;
	node->depth = (a->depth > b->depth ? a->depth : b->depth) + 1;
	return node;
}

/* A hostile name (a process's, a file's) must not break out of its line. */
static void print_text(const char *text, struct tct_text *out)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			tct_text_add(out, c == '\t' || c == '\n' ? " " : "?");
		else
			tct_text_add_bytes(out, text, 1);
	}
}

/* 52000 millionths: 5.2 %. */
static void print_share(int64_t millionths, struct tct_text *out)
{
	const char *sign = millionths < 0 ? "-" : "";
	uint64_t size = millionths < 0 ? (uint64_t)0 - (uint64_t)millionths : (uint64_t)millionths;
	uint64_t whole = size / 10000;
	uint64_t hundredths = size % 10000 / 100;

	if (whole == 0 && hundredths == 0 && size > 0)
		tct_text_addf(out, "%s0.%04" PRIu64 " %%", sign, size);
	else if (hundredths == 0 || whole >= 100)
		tct_text_addf(out, "%s%" PRIu64 " %%", sign, whole);
	else if (hundredths % 10 == 0)
		tct_text_addf(out, "%s%" PRIu64 ".%" PRIu64 " %%", sign, whole, hundredths / 10);
	else
		tct_text_addf(out, "%s%" PRIu64 ".%02" PRIu64 " %%", sign, whole, hundredths);
}

/* Long times are read in days and hours, cut off: 3 days, 2 h 11 min. Short ones as they are set:
 * 350 s. */
static void print_time(int64_t ns, struct tct_text *out)
{
	const int64_t minute = INT64_C(60000000000);
	const int64_t hour = 60 * minute;
	const int64_t day = 24 * hour;
	char number[TCT_NUMBER_TEXT];

	if (ns >= 2 * day && (ns % hour != 0 || ns % day == 0))
		tct_text_addf(out, "%s days", tct_text_count(ns / day, number));
	else if (ns >= 2 * hour && ns % hour >= minute)
		tct_text_addf(out, "%" PRId64 " h %" PRId64 " min", ns / hour, ns % hour / minute);
	else if (ns >= 2 * hour)
		tct_text_addf(out, "%" PRId64 " h", ns / hour);
	else
		tct_text_add(out, tct_text_nanoseconds(ns, number));
}

static void print_number(const struct tct_result *result, struct tct_text *out)
{
	char number[TCT_NUMBER_TEXT];

	switch (result->type.dimension) {
	case TCT_DIM_COUNT:
		/* ports and lines are names, not amounts */
		if (result->type.has_native && result->type.native == TCT_UNIT_PORT)
			tct_text_addf(out, "%" PRId64, result->number);
		else
			tct_text_add(out, tct_text_count(result->number, number));
		break;
	case TCT_DIM_BYTES:
		tct_text_add(out, tct_text_bytes(result->number, number));
		break;
	case TCT_DIM_TIME:
		print_time(result->number, out);
		break;
	case TCT_DIM_SHARE:
		print_share(result->number, out);
		break;
	case TCT_DIM_RATE:
		tct_text_addf(out, "%s/s", tct_text_millionths(result->number, number));
		break;
	}
}

void tct_result_print(const struct tct_result *result, struct tct_text *out)
{
	char version[32];

	if (result->status != TCT_STATUS_VALUE) {
		tct_text_add(out, "(not known)");
		return;
	}
	switch (result->type.kind) {
	case TCT_KIND_BOOL:
		tct_text_add(out, result->number ? "yes" : "no");
		break;
	case TCT_KIND_NUMBER:
		print_number(result, out);
		break;
	case TCT_KIND_TEXT:
		print_text(result->text, out);
		break;
	case TCT_KIND_VERSION:
		tct_text_add(out, tct_version_text(result->number, version));
		break;
	}
}

double tct_result_number(const struct tct_result *result, const char **unit, bool *whole)
{
	int64_t scale = 1;

	*unit = "";
	if (result->type.kind == TCT_KIND_NUMBER) {
		switch (result->type.dimension) {
		case TCT_DIM_COUNT:
			break;
		case TCT_DIM_BYTES:
			*unit = "bytes";
			break;
		case TCT_DIM_TIME:
			*unit = "seconds";
			scale = INT64_C(1000000000);
			break;
		case TCT_DIM_SHARE:
			*unit = "%";
			scale = 10000;
			break;
		case TCT_DIM_RATE:
			*unit = "per second";
			scale = 1000000;
			break;
		}
	}
	*whole = result->number % scale == 0;
	/* the quotient first: 2^53 and more stay exact where they are whole */
	int64_t quotient = result->number / scale;

	return (double)quotient + (double)(result->number % scale) / (double)scale;
}
