/* --var, variables.yaml, and the values of variables. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/profile_private.h"
#include "core/mem.h"

/* One override, from wherever. */
struct override {
	const char *name;
	const char *origin;
	const struct tct_yaml_node *key; /* variables.yaml: where it stands; or NULL */
	struct tct_passage value;
};

/* Put "--var NAME: " before messages that have no place of their own. */
static int wrap(const struct tct_loader *loader, const struct override *override, int status)
{
	if (status < 0 && override->key == NULL && loader->err != NULL &&
	    loader->err->file[0] == '\0')
		(void)tct_err_wrap(loader->err, "%.80s %.60s", override->origin, override->name);
	return status;
}

/* Error at the override's name. */
__attribute__((format(printf, 3, 4))) static int
complain(const struct tct_loader *loader, const struct override *override, const char *format, ...)
{
	char message[300];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		message[0] = '\0';
	va_end(arguments);
	if (override->key != NULL)
		return tct_yaml_error(override->key, loader->err, "%s", message);
	return tct_passage_error(&override->value, 0, loader->err, "%s", message);
}

/* A bare integer is in seconds or bytes here: people type it on a command line. */
static struct tct_type outside_type(struct tct_type type)
{
	if (type.kind == TCT_KIND_NUMBER &&
	    (type.dimension == TCT_DIM_TIME || type.dimension == TCT_DIM_BYTES)) {
		type.has_native = true;
		type.native = type.dimension == TCT_DIM_TIME ? TCT_UNIT_S : TCT_UNIT_BYTES;
	}
	return type;
}

/* foo for a text variable needs no quotes. */
static int quote(const struct tct_loader *loader, struct tct_passage *value)
{
	char mark = strchr(value->text, '"') == NULL ? '"' : '\'';
	char *quoted;

	if (*value->text == '"' || *value->text == '\'')
		return 0;
	quoted = tct_arena_alloc(loader->arena, value->length + 3);
	if (quoted == NULL)
		return tct_err_nomem(loader->err);
	quoted[0] = mark;
	memcpy(quoted + 1, value->text, value->length);
	quoted[value->length + 1] = mark;
	value->text = quoted;
	value->length += 2;
	return 0;
}

static int compile(const struct tct_loader *loader, const struct override *override,
		   struct tct_type type, struct tct_expr **expr)
{
	const struct tct_scope_names scope = { 0 };
	const struct tct_type wanted = outside_type(type);
	struct tct_passage value = override->value;
	int status = 0;

	if (type.kind == TCT_KIND_TEXT)
		status = quote(loader, &value);
	if (status == 0)
		status = tct_expr_compile_source(loader->arena, &value, 0, value.length, &scope,
						 &wanted, expr, loader->err);
	return wrap(loader, override, status);
}

static int set_fact(const struct tct_loader *loader, const struct override *override,
		    enum tct_fact fact, struct tct_facts *facts)
{
	const struct tct_env env = { .facts = facts };
	struct tct_expr *expr = NULL;
	struct tct_result result;

	if (fact == TCT_FACT_KERNEL) {
		/* "6.18.44-amd64" as uname -r says it */
		result.number = tct_version_parse(override->value.text);
		if (result.number == 0)
			return wrap(loader, override,
				    complain(loader, override,
					     "`%.60s` is not a version such as 6.18",
					     override->value.text));
	} else {
		int status = compile(loader, override, tct_fact_type(fact), &expr);

		if (status < 0)
			return status;
		tct_expr_eval(expr, &env, &result);
		if (result.status != TCT_STATUS_VALUE)
			return wrap(loader, override,
				    complain(loader, override, "%s", result.reason));
		if (result.number <= 0)
			return wrap(loader, override,
				    complain(loader, override, "must be above 0"));
	}
	facts->known[fact] = true;
	facts->value[fact] = result.number;
	return 0;
}

static const char *variable_name(const void *context, size_t i)
{
	const struct tct_profile_set *set = context;

	if (i < set->variables_count)
		return set->variables[i].name;
	return tct_fact_name((enum tct_fact)(i - set->variables_count));
}

static struct tct_variable *find(const struct tct_loader *loader, const char *name)
{
	for (size_t i = 0; i < loader->set->variables_count; i++) {
		if (strcmp(loader->set->variables[i].name, name) == 0)
			return &loader->set->variables[i];
	}
	return NULL;
}

static int unknown(const struct tct_loader *loader, const struct override *override)
{
	const char *nearest = tct_text_nearest(override->name, variable_name, loader->set);

	if (nearest != NULL)
		return complain(loader, override,
				"no variable is named `%.60s`: did you mean `%s`?", override->name,
				nearest);
	return complain(loader, override, "no variable is named `%.60s` in these profiles",
			override->name);
}

static int set_variable(const struct tct_loader *loader, const struct override *override)
{
	struct tct_variable *variable = find(loader, override->name);
	struct tct_expr *expr = NULL;
	int status;

	if (variable == NULL)
		return wrap(loader, override, unknown(loader, override));
	status = compile(loader, override, variable->type, &expr);
	if (status < 0)
		return status;
	variable->expr = expr;
	variable->origin =
		tct_arena_text(loader->arena, override->origin, strlen(override->origin));
	variable->given =
		tct_arena_text(loader->arena, override->value.text, override->value.length);
	return variable->origin == NULL || variable->given == NULL ? tct_err_nomem(loader->err) : 0;
}

/* ---- variables.yaml ---- */

/* Does some profile that isn't loaded now declare it? Then this host's file may well set it. */
static bool declared_elsewhere(const struct tct_loader *loader, const char *name)
{
	TCT_AUTOFREE struct tct_profile_info *infos = NULL;
	bool found = false;
	size_t count = 0;

	if (tct_profile_list(loader->root, &infos, &count, NULL) < 0)
		return false;
	for (size_t i = 0; i < count && !found; i++) {
		struct tct_arena *arena = tct_arena_new(TCT_PROFILE_ARENA_MAX);
		TCT_AUTOFREE char *data = NULL;
		struct tct_yaml_node *yaml = NULL;
		const struct tct_yaml_node *map;
		char origin[280];
		bool built_in;
		size_t length;

		if (arena != NULL &&
		    tct_profile_read(loader->root, infos[i].name, &data, &length, origin, &built_in,
				     NULL) == 0 &&
		    tct_yaml_parse(arena, origin, data, length, &yaml, NULL) == 0) {
			map = tct_yaml_get(yaml, "variables");
			found = map != NULL && tct_yaml_get(map, name) != NULL;
		}
		tct_arena_free(arena);
	}
	return found;
}

static int take_line(const struct tct_loader *loader, const struct tct_yaml_node *key,
		     const char *origin, bool of_another_host)
{
	struct override override = { .name = key->text, .origin = origin, .key = key };
	const char *text;
	int status = tct_field_text(key->value, "a variable", &text, loader->err);

	if (status < 0)
		return status;
	if (tct_fact_find(key->text) != TCT_FACT_LIMIT)
		return tct_yaml_error(
			key, loader->err,
			"`%s` is a fact of the host, not a variable (--var can set it for a DIR)",
			key->text);
	if (find(loader, key->text) == NULL &&
	    (of_another_host || declared_elsewhere(loader, key->text)))
		return 0;
	override.value = tct_passage_of(key->value);
	return set_variable(loader, &override);
}

static int read_file(const struct tct_root *root, char **data, size_t *length, char origin[280],
		     struct tct_err *err)
{
	int status;

	tct_profile_origin(root, TCT_VARIABLES_PATH, origin);
	status = tct_root_read(root, TCT_VARIABLES_PATH, TCT_YAML_FILE_MAX, data, length);
	if (status == -ENOENT || status == -ENOTDIR)
		return 0;
	if (status < 0)
		return tct_err_set(err, TCT_FAULT_INPUT, -status, "%s: %s", origin,
				   status == -EFBIG    ? "larger than 1 MiB"
				   : status == -EINVAL ? "not a regular file"
						       : strerror(-status));
	return 0;
}

int tct_variables_text(const struct tct_root *root, char **text, struct tct_err *err)
{
	char origin[280];
	size_t length = 0;
	int status = read_file(root, text, &length, origin, err);

	if (status == 0 && *text != NULL && strlen(*text) != length) {
		tct_free_pointer((void *)text);
		status = tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "%s: there is a NUL in it",
				     origin);
	}
	return status;
}

/* The text of variables.yaml, from wherever; NULL = there is none. */
static int find_file(const struct tct_loader *loader, const char *given, char **data,
		     size_t *length, char origin[280])
{
	if (given != NULL) {
		(void)snprintf(origin, 280, "/" TCT_VARIABLES_PATH " in the snapshot");
		*length = strlen(given);
		*data = tct_text_copy(given, *length);
		return *data != NULL ? 0 : tct_err_nomem(loader->err);
	}
	if (loader->root == NULL)
		return 0;
	return read_file(loader->root, data, length, origin, loader->err);
}

static int take_file(struct tct_loader *loader, const char *given)
{
	enum { SCHEMA, VARIABLES, FIELDS };
	static const struct tct_field fields[FIELDS] = {
		[SCHEMA] = { "schema", TCT_WANT_TEXT, false },
		[VARIABLES] = { "variables", TCT_WANT_MAP, true },
	};
	const struct tct_yaml_node *values[FIELDS];
	struct tct_yaml_node *yaml = NULL;
	TCT_AUTOFREE char *data = NULL;
	char *origin = tct_arena_alloc(loader->arena, 280);
	size_t length = 0;
	int status;

	if (origin == NULL)
		return tct_err_nomem(loader->err);
	status = find_file(loader, given, &data, &length, origin);
	if (status < 0 || data == NULL)
		return status;
	sha256_update(&loader->hash, length, (const uint8_t *)data);
	status = tct_yaml_parse(loader->arena, origin, data, length, &yaml, loader->err);
	if (status == 0)
		status = tct_fields_read(yaml, "the file of variables", fields, FIELDS, values,
					 loader->err);
	if (status < 0)
		return status;
	if (values[SCHEMA] != NULL && strcmp(values[SCHEMA]->text, TCT_VARIABLES_SCHEMA) != 0)
		return tct_yaml_error(values[SCHEMA], loader->err,
				      "unknown schema `%.60s`: this tcptune reads %s",
				      values[SCHEMA]->text, TCT_VARIABLES_SCHEMA);
	for (const struct tct_yaml_node *key = values[VARIABLES]->first; key != NULL && status == 0;
	     key = key->next)
		status = take_line(loader, key, origin, given != NULL);
	return status;
}

/* ---- the values ---- */

static int take_request(const struct tct_loader *loader, const struct tct_var_override *var,
			struct tct_facts *facts)
{
	struct override override = { .name = var->name,
				     .origin = var->origin != NULL ? var->origin : "--var" };
	enum tct_fact fact = tct_fact_find(var->name);
	const char *file = NULL;

	if (var->line > 0) {
		file = tct_arena_text(loader->arena, override.origin, strlen(override.origin));
		if (file == NULL)
			return tct_err_nomem(loader->err);
	}
	override.value = (struct tct_passage){ .text = var->value,
					       .length = strlen(var->value),
					       .place = { file, var->line, 0 } };
	if (fact != TCT_FACT_LIMIT)
		return set_fact(loader, &override, fact, facts);
	return set_variable(loader, &override);
}

static void evaluate(const struct tct_loader *loader, const struct tct_facts *facts)
{
	struct tct_profile_set *set = loader->set;
	const struct tct_env env = { .facts = facts, .variables = set->variables };

	for (size_t i = 0; i < set->variables_count; i++) {
		struct tct_variable *variable = &set->variables[loader->variable_order[i]];
		struct tct_result result;

		tct_expr_eval(variable->expr, &env, &result);
		result.type = variable->type;
		if (tct_expr_is_unset(variable->expr))
			tct_result_missing(&result, "variable %.60s is not set (--var %.60s=...)",
					   variable->name, variable->name);
		variable->value = result;
	}
}

int tct_variables_bind(struct tct_loader *loader, const struct tct_profile_request *request,
		       struct tct_facts *facts)
{
	int status = request->no_variables_file ? 0 : take_file(loader, request->variables);

	for (size_t i = 0; i < request->vars_count && status == 0; i++)
		status = take_request(loader, &request->vars[i], facts);
	if (status == 0)
		evaluate(loader, facts);
	return status;
}
