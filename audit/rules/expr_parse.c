/* From text to a tree: a Pratt parser of bounded depth. */
#include <errno.h>
#include <string.h>

#include "audit/rules/node.h"

enum power {
	POWER_NONE,
	POWER_OR,
	POWER_AND,
	POWER_NOT,
	POWER_COMPARE,
	POWER_ADD,
	POWER_MULTIPLY,
	POWER_NEGATE,
	POWER_INDEX,
};

struct parser {
	struct tct_arena *arena;
	struct tct_lexer lexer;
	struct tct_token token; /* the next one */
	struct tct_err *err;
	unsigned depth;
	size_t nodes;
};

static int parse(struct parser *parser, enum power least, struct tct_expr **out);

static int fail(const struct parser *parser, size_t offset, const char *message)
{
	return tct_passage_error(parser->lexer.source, offset, parser->err, "%s", message);
}

static int advance(struct parser *parser)
{
	return tct_lexer_next(&parser->lexer, &parser->token, parser->err);
}

static int unexpected(const struct parser *parser, const char *wanted)
{
	const struct tct_token *token = &parser->token;
	size_t length = token->end - token->start;

	if (token->kind == TCT_TOKEN_END)
		return tct_passage_error(parser->lexer.source, token->start, parser->err,
					 "the expression ends where %s should be", wanted);
	return tct_passage_error(parser->lexer.source, token->start, parser->err,
				 "`%.*s` stands where %s should be", length > 40 ? 40 : (int)length,
				 parser->lexer.source->text + token->start, wanted);
}

static int take(struct parser *parser, enum tct_token_kind kind, const char *wanted)
{
	if (parser->token.kind != kind)
		return unexpected(parser, wanted);
	return advance(parser);
}

/* NULL on failure, with *status. */
static struct tct_expr *new_node(struct parser *parser, enum tct_node_kind kind, size_t start,
				 size_t arguments, int *status)
{
	struct tct_expr *node;

	if (++parser->nodes > TCT_EXPR_NODES_MAX) {
		*status = fail(parser, start, "the expression is too long (1000 parts)");
		return NULL;
	}
	node = tct_arena_alloc(parser->arena, sizeof(*node));
	if (node != NULL && arguments > 0)
		node->arguments =
			tct_arena_array(parser->arena, arguments, sizeof(struct tct_expr *));
	if (node == NULL || (arguments > 0 && node->arguments == NULL)) {
		*status = tct_err_nomem(parser->err);
		return NULL;
	}
	node->kind = kind;
	node->source = parser->lexer.source->text;
	node->start = start;
	node->end = parser->token.end;
	node->field = -1;
	node->depth = 1;
	*status = 0;
	return node;
}

/* Chains such as 1+1+1... lean to one side; their depth counts as nesting does. */
static int add_argument(const struct parser *parser, struct tct_expr *node,
			struct tct_expr *argument)
{
	node->arguments[node->count++] = argument;
	if (argument->depth >= TCT_EXPR_DEPTH_MAX)
		return fail(parser, node->start, "the expression is nested too deep (100 levels)");
	if (node->depth <= argument->depth)
		node->depth = argument->depth + 1;
	return 0;
}

static int copy_text(const struct parser *parser, size_t start, size_t end, const char **text)
{
	*text = tct_arena_text(parser->arena, parser->lexer.source->text + start, end - start);
	return *text == NULL ? tct_err_nomem(parser->err) : 0;
}

static int parse_argument(struct parser *parser, struct tct_expr *call)
{
	struct tct_expr *argument = NULL;
	int status;

	if (call->named != NULL)
		return fail(parser, parser->token.start, "nothing may follow a named argument");
	if (call->count == TCT_EXPR_ARGUMENTS_MAX)
		return fail(parser, parser->token.start, "more than 16 arguments");
	status = parse(parser, POWER_NONE, &argument);
	if (status < 0)
		return status;
	if (parser->token.kind == TCT_TOKEN_COLON) {
		if (argument->kind != TCT_NODE_NAME)
			return unexpected(parser, "`,` or `)`");
		call->named = argument->text;
		status = advance(parser);
		if (status < 0)
			return status;
		status = parse(parser, POWER_NONE, &argument);
		if (status < 0)
			return status;
	}
	return add_argument(parser, call, argument);
}

/* After the opening parenthesis of NAME(. */
static int parse_call(struct parser *parser, struct tct_expr *name, struct tct_expr **out)
{
	int status;
	struct tct_expr *call =
		new_node(parser, TCT_NODE_CALL, name->start, TCT_EXPR_ARGUMENTS_MAX, &status);

	if (call == NULL)
		return status;
	call->text = name->text;
	status = advance(parser);
	while (status == 0 && parser->token.kind != TCT_TOKEN_CLOSE) {
		status = parse_argument(parser, call);
		if (status < 0 || parser->token.kind == TCT_TOKEN_CLOSE)
			break;
		status = take(parser, TCT_TOKEN_COMMA, "`,` or `)`");
		if (status == 0 && parser->token.kind == TCT_TOKEN_CLOSE)
			return unexpected(parser, "an argument");
	}
	if (status < 0)
		return status;
	call->end = parser->token.end;
	*out = call;
	return advance(parser);
}

static int parse_literal(struct parser *parser, enum tct_node_kind kind, struct tct_expr **out)
{
	const struct tct_token token = parser->token;
	int status;
	struct tct_expr *node = new_node(parser, kind, token.start, 0, &status);

	if (node == NULL)
		return status;
	node->number = token.number;
	node->bare = token.bare;
	node->bare_number = token.number;
	node->type.dimension = token.dimension;
	if (kind == TCT_NODE_TEXT)
		status = copy_text(parser, token.start + 1, token.end - 1, &node->text);
	else if (kind == TCT_NODE_NAME || kind == TCT_NODE_DOTTED)
		status = copy_text(parser, token.start, token.end, &node->text);
	else if (kind == TCT_NODE_BOOL)
		node->number = token.kind == TCT_TOKEN_TRUE;
	if (status == 0)
		status = advance(parser);
	if (status == 0 && kind == TCT_NODE_NAME && parser->token.kind == TCT_TOKEN_OPEN)
		return parse_call(parser, node, out);
	*out = node;
	return status;
}

static int parse_unary(struct parser *parser, enum tct_node_kind kind, enum power power,
		       struct tct_expr **out)
{
	struct tct_expr *operand = NULL;
	int status;
	struct tct_expr *node = new_node(parser, kind, parser->token.start, 1, &status);

	if (node == NULL)
		return status;
	status = advance(parser);
	if (status == 0)
		status = parse(parser, power, &operand);
	if (status < 0)
		return status;
	node->end = operand->end;
	*out = node;
	return add_argument(parser, node, operand);
}

/* The node takes them along: they belong to its text. */
static int parse_parentheses(struct parser *parser, struct tct_expr **out)
{
	size_t start = parser->token.start;
	int status = advance(parser);

	if (status == 0)
		status = parse(parser, POWER_NONE, out);
	if (status < 0)
		return status;
	(*out)->start = start;
	(*out)->end = parser->token.end;
	(*out)->enclosed = true;
	return take(parser, TCT_TOKEN_CLOSE, "`)`");
}

static int parse_first(struct parser *parser, enum power least, struct tct_expr **out)
{
	switch (parser->token.kind) {
	case TCT_TOKEN_NUMBER:
		return parse_literal(parser, TCT_NODE_NUMBER, out);
	case TCT_TOKEN_VERSION:
		return parse_literal(parser, TCT_NODE_VERSION, out);
	case TCT_TOKEN_TEXT:
		return parse_literal(parser, TCT_NODE_TEXT, out);
	case TCT_TOKEN_NAME:
		return parse_literal(parser, TCT_NODE_NAME, out);
	case TCT_TOKEN_DOTTED:
		return parse_literal(parser, TCT_NODE_DOTTED, out);
	case TCT_TOKEN_TRUE:
	case TCT_TOKEN_FALSE:
		return parse_literal(parser, TCT_NODE_BOOL, out);
	case TCT_TOKEN_NOT:
		if (least > POWER_NOT)
			return fail(parser, parser->token.start,
				    "`not` needs parentheses here: (not ...)");
		return parse_unary(parser, TCT_NODE_NOT, POWER_NOT, out);
	case TCT_TOKEN_MINUS:
		return parse_unary(parser, TCT_NODE_NEGATE, POWER_NEGATE, out);
	case TCT_TOKEN_OPEN:
		return parse_parentheses(parser, out);
	case TCT_TOKEN_END:
	case TCT_TOKEN_AND:
	case TCT_TOKEN_OR:
	case TCT_TOKEN_EQ:
	case TCT_TOKEN_NE:
	case TCT_TOKEN_LT:
	case TCT_TOKEN_LE:
	case TCT_TOKEN_GT:
	case TCT_TOKEN_GE:
	case TCT_TOKEN_PLUS:
	case TCT_TOKEN_STAR:
	case TCT_TOKEN_SLASH:
	case TCT_TOKEN_CLOSE:
	case TCT_TOKEN_OPEN_INDEX:
	case TCT_TOKEN_CLOSE_INDEX:
	case TCT_TOKEN_COMMA:
	case TCT_TOKEN_COLON:
		break;
	}
	return unexpected(parser, "a value");
}

static enum power power_of(enum tct_token_kind kind)
{
	static const enum power powers[] = {
		[TCT_TOKEN_OR] = POWER_OR,
		[TCT_TOKEN_AND] = POWER_AND,
		[TCT_TOKEN_EQ] = POWER_COMPARE,
		[TCT_TOKEN_NE] = POWER_COMPARE,
		[TCT_TOKEN_LT] = POWER_COMPARE,
		[TCT_TOKEN_LE] = POWER_COMPARE,
		[TCT_TOKEN_GT] = POWER_COMPARE,
		[TCT_TOKEN_GE] = POWER_COMPARE,
		[TCT_TOKEN_PLUS] = POWER_ADD,
		[TCT_TOKEN_MINUS] = POWER_ADD,
		[TCT_TOKEN_STAR] = POWER_MULTIPLY,
		[TCT_TOKEN_SLASH] = POWER_MULTIPLY,
		[TCT_TOKEN_OPEN_INDEX] = POWER_INDEX,
		[TCT_TOKEN_COLON] = POWER_NONE,
	};

	return powers[kind];
}

/* left [ number ] */
static int parse_index(struct parser *parser, struct tct_expr *left, struct tct_expr **out)
{
	int status;
	struct tct_expr *node = new_node(parser, TCT_NODE_INDEX, left->start, 1, &status);

	if (node == NULL)
		return status;
	status = add_argument(parser, node, left);
	if (status == 0)
		status = advance(parser);
	if (status < 0)
		return status;
	if (parser->token.kind != TCT_TOKEN_NUMBER || !parser->token.bare)
		return unexpected(parser, "the number of a field");
	node->number = parser->token.number;
	status = advance(parser);
	if (status < 0)
		return status;
	node->end = parser->token.end;
	*out = node;
	return take(parser, TCT_TOKEN_CLOSE_INDEX, "`]`");
}

static int parse_binary(struct parser *parser, struct tct_expr *left, enum power power,
			struct tct_expr **out)
{
	struct tct_expr *right = NULL;
	int status;
	struct tct_expr *node = new_node(parser, TCT_NODE_BINARY, left->start, 2, &status);

	if (node == NULL)
		return status;
	node->operator_ = parser->token.kind;
	status = advance(parser);
	if (status == 0)
		status = parse(parser, (enum power)(power + 1), &right);
	if (status < 0)
		return status;
	node->end = right->end;
	*out = node;
	status = add_argument(parser, node, left);
	return status < 0 ? status : add_argument(parser, node, right);
}

static int parse(struct parser *parser, enum power least, struct tct_expr **out)
{
	bool compared = false;
	int status;

	if (++parser->depth > TCT_EXPR_DEPTH_MAX)
		return fail(parser, parser->token.start,
			    "the expression is nested too deep (100 levels)");
	status = parse_first(parser, least, out);
	while (status == 0) {
		enum power power = power_of(parser->token.kind);

		if (power == POWER_NONE || power < least)
			break;
		if (power == POWER_COMPARE && compared)
			return fail(parser, parser->token.start,
				    "comparisons can't be chained: write a < b and b < c");
		compared = compared || power == POWER_COMPARE;
		if (power == POWER_INDEX)
			status = parse_index(parser, *out, out);
		else
			status = parse_binary(parser, *out, power, out);
	}
	parser->depth--;
	return status;
}

int tct_node_parse(struct tct_arena *arena, const struct tct_passage *source, size_t start,
		   size_t end, struct tct_expr **expr, struct tct_err *err)
{
	struct parser parser = {
		.arena = arena,
		.lexer = { .source = source, .at = start, .end = end },
		.err = err,
	};
	int status;

	if (end - start > TCT_EXPR_LENGTH_MAX)
		return fail(&parser, start, "the expression is longer than 8192 bytes");
	status = advance(&parser);
	if (status == 0 && parser.token.kind == TCT_TOKEN_END)
		return fail(&parser, start, "the expression is empty");
	if (status == 0)
		status = parse(&parser, POWER_NONE, expr);
	if (status == 0 && parser.token.kind != TCT_TOKEN_END)
		return unexpected(&parser, "an operator or the end");
	return status;
}
