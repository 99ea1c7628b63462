/* Texts with {expressions} in them. */
#include <errno.h>
#include <string.h>

#include "audit/rules/node.h"
#include "core/mem.h"

struct part {
	const char *text; /* a piece of text, or NULL: */
	size_t length;
	struct tct_expr *expr;
	struct part *next;
};

struct tct_template {
	const char *source;
	struct part *first;
	struct part *last;
};

static struct part *add_part(struct tct_arena *arena, struct tct_template *template_)
{
	struct part *part = tct_arena_alloc(arena, sizeof(*part));

	if (part == NULL)
		return NULL;
	if (template_->last == NULL)
		template_->first = part;
	else
		template_->last->next = part;
	template_->last = part;
	return part;
}

/* The closing brace of the expression that begins at `at`; quotes may hold braces. 0 = none. */
static size_t find_close(const struct tct_passage *source, size_t at)
{
	char quote = '\0';

	for (; at < source->length; at++) {
		char c = source->text[at];

		if (quote != '\0') {
			if (c == quote)
				quote = '\0';
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '}') {
			return at;
		}
	}
	return 0;
}

static int add_expression(struct tct_arena *arena, const struct tct_passage *source, size_t *at,
			  const struct tct_scope_names *scope, struct tct_template *template_,
			  struct tct_err *err)
{
	size_t close = find_close(source, *at + 1);
	struct part *part;
	int status;

	if (close == 0)
		return tct_passage_error(source, *at, err,
					 "`{` without `}` (a brace itself is written {{)");
	part = add_part(arena, template_);
	if (part == NULL)
		return tct_err_nomem(err);
	status = tct_expr_compile_source(arena, source, *at + 1, close, scope, NULL, &part->expr,
					 err);
	*at = close + 1;
	return status;
}

static int add_text(struct tct_arena *arena, const struct tct_passage *source, size_t *at,
		    struct tct_template *template_, struct tct_err *err)
{
	const char *start = source->text + *at;
	size_t length = strcspn(start, "{}");
	struct part *part;

	if (length == 0) {
		/* "{{" or "}}": one of them is kept */
		if (start[0] != start[1])
			return tct_passage_error(source, *at, err,
						 "`}` without `{` (a brace itself is written }})");
		length = 1;
		*at += 1;
	}
	part = add_part(arena, template_);
	if (part == NULL)
		return tct_err_nomem(err);
	part->text = tct_arena_text(arena, start, length);
	part->length = length;
	*at += length;
	return part->text == NULL ? tct_err_nomem(err) : 0;
}

int tct_template_compile_source(struct tct_arena *arena, const struct tct_passage *source,
				const struct tct_scope_names *scope,
				struct tct_template **template_, struct tct_err *err)
{
	struct tct_template *made = tct_arena_alloc(arena, sizeof(*made));
	size_t at = 0;
	int status = 0;

	if (made == NULL)
		return tct_err_nomem(err);
	made->source = tct_arena_text(arena, source->text, source->length);
	if (made->source == NULL)
		return tct_err_nomem(err);
	while (status == 0 && at < source->length) {
		const char *here = source->text + at;

		if (here[0] == '{' && here[1] != '{')
			status = add_expression(arena, source, &at, scope, made, err);
		else
			status = add_text(arena, source, &at, made, err);
	}
	*template_ = made;
	return status;
}

int tct_template_compile(struct tct_arena *arena, const char *text, struct tct_place place,
			 const struct tct_scope_names *scope, struct tct_template **template_,
			 struct tct_err *err)
{
	const struct tct_passage source = { .text = text, .length = strlen(text), .place = place };

	return tct_template_compile_source(arena, &source, scope, template_, err);
}

const char *tct_template_source(const struct tct_template *template_)
{
	return template_->source;
}

void tct_template_render(const struct tct_template *template_, const struct tct_env *env,
			 struct tct_text *out)
{
	for (const struct part *part = template_->first; part != NULL; part = part->next) {
		if (part->expr == NULL) {
			tct_text_add_bytes(out, part->text, part->length);
		} else {
			struct tct_result result;

			tct_expr_eval(part->expr, env, &result);
			tct_result_print(&result, out);
		}
	}
}

/* What a shell takes as it is, in quotes or out of them; brackets are around IPv6 addresses. */
static bool is_plain(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-./:=,+@%[]";

	return text[0] != '\0' && text[0] != '-' && text[strspn(text, plain)] == '\0';
}

int tct_template_render_command(const struct tct_template *template_, const struct tct_env *env,
				struct tct_text *out)
{
	for (const struct part *part = template_->first; part != NULL; part = part->next) {
		if (part->expr == NULL) {
			tct_text_add_bytes(out, part->text, part->length);
		} else {
			TCT_AUTO(tct_text_done) struct tct_text value = { 0 };
			struct tct_result result;

			tct_expr_eval(part->expr, env, &result);
			tct_result_print(&result, &value);
			if (value.failed)
				return -ENOMEM;
			if (value.data == NULL || !is_plain(value.data))
				return -EINVAL;
			tct_text_add(out, value.data);
		}
	}
	return out->failed ? -ENOMEM : 0;
}

void tct_template_walk(const struct tct_template *template_, tct_node_visit *visit, void *context)
{
	for (const struct part *part = template_->first; part != NULL; part = part->next) {
		if (part->expr != NULL)
			tct_expr_walk(part->expr, visit, context);
	}
}

unsigned tct_template_looks(const struct tct_template *template_)
{
	unsigned looks = 0;

	for (const struct part *part = template_ != NULL ? template_->first : NULL; part != NULL;
	     part = part->next)
		looks |= tct_expr_looks(part->expr);
	return looks;
}
