/* Variables: declared in any order, typed, overridden from outside, evaluated once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/profile_private.h"
#include "core/mem.h"

enum state {
	STATE_NEW,
	STATE_OPEN, /* its own needs are being looked at */
	STATE_DONE,
};

struct variables {
	struct tct_loader *loader;
	struct tct_definitions definitions; /* object: the scalar node with the expression */
	const struct tct_definition *effective[TCT_PROFILE_DEFINITIONS_MAX]; /* by index of
										set->variables */
	enum state states[TCT_PROFILE_DEFINITIONS_MAX];
	size_t path[TCT_PROFILE_DEFINITIONS_MAX]; /* the open ones */
	size_t path_count;
	size_t ordered;
};

/* ---- collect ---- */

/* name: EXPR, or name: {value: EXPR, summary: text}. */
static int declare(struct variables *variables, size_t file, const struct tct_yaml_node *key)
{
	enum { VALUE, SUMMARY, BECAUSE, FIELDS };
	static const struct tct_field fields[FIELDS] = {
		[VALUE] = { "value", TCT_WANT_TEXT, true },
		[SUMMARY] = { "summary", TCT_WANT_TEXT, false },
		[BECAUSE] = { "because", TCT_WANT_TEXT, false },
	};
	const struct tct_loader *loader = variables->loader;
	const struct tct_yaml_node *values[FIELDS] = { key->value, NULL, NULL };
	struct tct_definition definition = { .id = key->text, .file = file, .key = key };
	int status = tct_variable_name_check(key, loader->err);

	if (status == 0)
		status = tct_field_kind(key->value, "a variable", TCT_WANT_TEXT | TCT_WANT_MAP,
					loader->err);
	if (status == 0 && key->value->kind == TCT_YAML_MAP)
		status = tct_fields_read(key->value, "a variable", fields, FIELDS, values,
					 loader->err);
	if (status < 0)
		return status;
	if (values[SUMMARY] != NULL && values[BECAUSE] != NULL)
		return tct_yaml_error(values[BECAUSE], loader->err,
				      "a variable has a `summary` or a `because`");
	definition.body = values[VALUE];
	definition.object = tct_arena_text(loader->arena,
					   values[SUMMARY] != NULL   ? values[SUMMARY]->text
					   : values[BECAUSE] != NULL ? values[BECAUSE]->text
								     : "",
					   values[SUMMARY] != NULL   ? values[SUMMARY]->length
					   : values[BECAUSE] != NULL ? values[BECAUSE]->length
								     : 0);
	if (definition.object == NULL)
		return tct_err_nomem(loader->err);
	return tct_definitions_add(loader, &variables->definitions, definition);
}

static bool declared(const struct variables *variables, size_t file, const char *name)
{
	for (size_t i = 0; i < variables->definitions.count; i++) {
		if (variables->definitions.items[i].file == file &&
		    strcmp(variables->definitions.items[i].id, name) == 0)
			return true;
	}
	return false;
}

/* Of a base nobody asked for: only the variables that an expression of it needs, and what those
 * need. */
static int declare_needed(struct variables *variables, size_t file,
			  const struct tct_yaml_node *text)
{
	const struct tct_yaml_node *map = variables->loader->files[file].variables;
	struct tct_passage passage;
	struct tct_lexer lexer;
	struct tct_token token = { .kind = TCT_TOKEN_COMMA };
	int status = 0;

	if (text == NULL || text->kind != TCT_YAML_SCALAR || map == NULL)
		return 0;
	passage = tct_passage_of(text);
	lexer = (struct tct_lexer){ .source = &passage, .end = passage.length };
	while (status == 0 && token.kind != TCT_TOKEN_END) {
		/* what is wrong with the text is said when it is compiled */
		if (tct_lexer_next(&lexer, &token, NULL) < 0)
			return 0;
		for (const struct tct_yaml_node *key = map->first; key != NULL && status == 0;
		     key = key->next) {
			if (token.kind != TCT_TOKEN_NAME ||
			    key->length != token.end - token.start ||
			    memcmp(key->text, passage.text + token.start, key->length) != 0 ||
			    declared(variables, file, key->text))
				continue;
			status = declare(variables, file, key);
			if (status == 0)
				status = declare_needed(variables, file,
							key->value->kind == TCT_YAML_MAP
								? tct_yaml_get(key->value, "value")
								: key->value);
		}
	}
	return status;
}

static int declare_for_never(struct variables *variables, size_t file)
{
	const struct tct_yaml_node *list = variables->loader->files[file].never;
	int status = 0;

	for (const struct tct_yaml_node *item = list != NULL ? list->first : NULL;
	     item != NULL && status == 0; item = item->next)
		status = declare_needed(variables, file, tct_yaml_get(item, "when"));
	return status;
}

static int declare_all(struct variables *variables)
{
	const struct tct_loader *loader = variables->loader;
	int status = tct_definitions_init(loader, &variables->definitions);

	for (size_t i = 0; i < loader->files_count && status == 0; i++) {
		const struct tct_yaml_node *map = loader->files[i].variables;

		if (loader->files[i].only_never) {
			status = declare_for_never(variables, i);
			continue;
		}
		for (const struct tct_yaml_node *key = map != NULL ? map->first : NULL;
		     key != NULL && status == 0; key = key->next)
			status = declare(variables, i, key);
	}
	return status;
}

/* One entry of set->variables for each name, its type still open. */
static int choose(struct variables *variables)
{
	const struct tct_definition *left[TCT_PROFILE_FILES_MAX];
	const struct tct_loader *loader = variables->loader;
	struct tct_profile_set *set = loader->set;

	set->variables = tct_arena_array(loader->arena, variables->definitions.count,
					 sizeof(*set->variables));
	if (set->variables == NULL)
		return tct_err_nomem(loader->err);
	set->variables_capacity = variables->definitions.count;
	for (size_t i = 0; i < variables->definitions.count; i++) {
		struct tct_variable *variable;
		size_t count;

		tct_definitions_left(loader, &variables->definitions, i, left, &count);
		for (size_t k = 1; k < count; k++) {
			if (!tct_yaml_equal(left[0]->body, left[k]->body))
				return tct_definitions_conflict(loader, left[0], left[k],
								"the variable");
		}
		if (count == 0)
			continue;
		variables->effective[set->variables_count] = left[0];
		variable = &set->variables[set->variables_count++];
		variable->name = left[0]->id;
		variable->summary = left[0]->object;
		variable->profile = loader->files[left[0]->file].name;
		variable->place = (struct tct_place){ left[0]->key->document->file,
						      left[0]->key->line, left[0]->key->column };
	}
	return 0;
}

/* ---- order and type ---- */

static size_t find_variable(const struct tct_profile_set *set, const char *name, size_t length)
{
	for (size_t i = 0; i < set->variables_count; i++) {
		if (strlen(set->variables[i].name) == length &&
		    memcmp(set->variables[i].name, name, length) == 0)
			return i;
	}
	return SIZE_MAX;
}

static int compile(const struct variables *variables, const struct tct_definition *definition,
		   struct tct_expr **expr)
{
	struct tct_scope_names scope = tct_scope_of_facts(variables->loader);

	scope.unset = true;
	return tct_expr_load(variables->loader, definition->body, "a variable", &scope, NULL, expr);
}

static int cycle(const struct variables *variables, size_t again)
{
	const struct tct_profile_set *set = variables->loader->set;
	const struct tct_yaml_node *key = variables->effective[again]->key;
	TCT_AUTO(tct_text_done) struct tct_text chain = { 0 };
	size_t start = variables->path_count;

	while (start > 0 && variables->path[start - 1] != again)
		start--;
	for (size_t i = start > 0 ? start - 1 : 0; i < variables->path_count; i++)
		tct_text_addf(&chain, "%s -> ", set->variables[variables->path[i]].name);
	tct_text_add(&chain, set->variables[again].name);
	return tct_yaml_error(key, variables->loader->err, "variables that need each other: %.300s",
			      tct_text_string(&chain));
}

static int order(struct variables *variables, size_t index);

/* Every name in the text that is a variable comes first. */
static int order_needs(struct variables *variables, size_t index)
{
	const struct tct_yaml_node *body = variables->effective[index]->body;
	const struct tct_passage passage = tct_passage_of(body);
	struct tct_lexer lexer = { .source = &passage, .end = passage.length };
	struct tct_token token = { 0 };
	int status = tct_lexer_next(&lexer, &token, variables->loader->err);

	while (status == 0 && token.kind != TCT_TOKEN_END) {
		if (token.kind == TCT_TOKEN_NAME) {
			size_t needed =
				find_variable(variables->loader->set, passage.text + token.start,
					      token.end - token.start);

			if (needed != SIZE_MAX)
				status = order(variables, needed);
		}
		if (status == 0)
			status = tct_lexer_next(&lexer, &token, variables->loader->err);
	}
	return status;
}

static int order(struct variables *variables, size_t index)
{
	struct tct_variable *variable = &variables->loader->set->variables[index];
	int status;

	if (variables->states[index] == STATE_DONE)
		return 0;
	if (variables->states[index] == STATE_OPEN)
		return cycle(variables, index);
	if (variables->path_count >= TCT_EXPR_DEPTH_MAX)
		return tct_yaml_error(variables->effective[index]->key, variables->loader->err,
				      "a chain of more than %d variables", TCT_EXPR_DEPTH_MAX);
	variables->states[index] = STATE_OPEN;
	variables->path[variables->path_count++] = index;
	status = order_needs(variables, index);
	if (status == 0)
		status = compile(variables, variables->effective[index], &variable->expr);
	if (status < 0)
		return status;
	variable->type = tct_expr_type(variable->expr);
	variable->type.has_native = false;
	variables->path_count--;
	variables->states[index] = STATE_DONE;
	variables->loader->variable_order[variables->ordered++] = index;
	return 0;
}

/* What was overridden must have had the same type: rules and settings were written for it. */
static int check_overridden(const struct variables *variables)
{
	const struct tct_loader *loader = variables->loader;

	for (size_t i = 0; i < variables->definitions.count; i++) {
		const struct tct_definition *old = &variables->definitions.items[i];
		size_t index = find_variable(loader->set, old->id, strlen(old->id));
		const struct tct_variable *variable = &loader->set->variables[index];
		struct tct_expr *expr = NULL;
		int status;

		if (old == variables->effective[index])
			continue;
		status = compile(variables, old, &expr);
		if (status < 0)
			return status;
		if (expr->type.kind != variable->type.kind ||
		    expr->type.dimension != variable->type.dimension)
			return tct_yaml_error(variables->effective[index]->key, loader->err,
					      "`%s` is %s here, but %s in %.200s:%u",
					      variable->name, tct_type_words(variable->type),
					      tct_type_words(expr->type), old->key->document->file,
					      old->key->line);
	}
	return 0;
}

int tct_variables_load(struct tct_loader *loader)
{
	struct variables *variables = tct_arena_alloc(loader->arena, sizeof(*variables));
	int status;

	if (variables == NULL)
		return tct_err_nomem(loader->err);
	variables->loader = loader;
	status = declare_all(variables);
	if (status == 0)
		status = choose(variables);
	if (status < 0)
		return status;
	loader->variable_order = tct_arena_array(loader->arena, loader->set->variables_count,
						 sizeof(*loader->variable_order));
	if (loader->variable_order == NULL)
		return tct_err_nomem(loader->err);
	for (size_t i = 0; i < loader->set->variables_count && status == 0; i++)
		status = order(variables, i);
	return status < 0 ? status : check_overridden(variables);
}
