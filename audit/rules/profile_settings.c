/* settings: of profiles, and the bounds that remedies have, too. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/profile_private.h"

static const char *const bound_names[3] = { "set", "at_least", "at_most" };

struct tct_scope_names tct_scope_of_facts(const struct tct_loader *loader)
{
	struct tct_scope_names scope = {
		.variables = loader->set->variables,
		.variables_count = loader->set->variables_count,
	};

	return scope;
}

int tct_expr_load(const struct tct_loader *loader, const struct tct_yaml_node *node,
		  const char *what, const struct tct_scope_names *scope,
		  const struct tct_type *expected, struct tct_expr **expr)
{
	struct tct_passage passage;
	const char *text;
	int status = tct_field_text(node, what, &text, loader->err);

	if (status < 0)
		return status;
	passage = tct_passage_of(node);
	return tct_expr_compile_source(loader->arena, &passage, 0, passage.length, scope, expected,
				       expr, loader->err);
}

int tct_known_key(const struct tct_yaml_node *node, const struct tct_kernel_key **key,
		  struct tct_err *err)
{
	const char *nearest;
	const char *name;
	int status = tct_field_text(node, "a key", &name, err);

	if (status < 0)
		return status;
	*key = tct_kernel_key_find(name);
	if (*key != NULL && strcmp((*key)->name, name) == 0)
		return 0;
	nearest = *key != NULL ? (*key)->name : tct_kernel_key_nearest(name);
	if (nearest != NULL)
		return tct_yaml_error(node, err, "unknown key `%.80s`: did you mean `%s`?", name,
				      nearest);
	return tct_yaml_error(node, err, "unknown key `%.80s`: it is not in the table of keys",
			      name);
}

int tct_settable_key(const struct tct_yaml_node *node, bool removed_too,
		     const struct tct_kernel_key **key, struct tct_err *err)
{
	char version[32];
	int status = tct_known_key(node, key, err);

	if (status < 0)
		return status;
	if ((*key)->read_only)
		return tct_yaml_error(node, err, "%s is read-only: it can't be set", (*key)->name);
	if ((*key)->handler == TCT_HANDLER_SECRET)
		return tct_yaml_error(node, err,
				      "%s is a secret: tcptune neither reads nor sets it",
				      (*key)->name);
	if ((*key)->until != 0 && !removed_too)
		return tct_yaml_error(
			node, err,
			"%s was removed in Linux %s: it can only stand in `never` and in rules",
			(*key)->name, tct_version_text((*key)->until, version));
	return 0;
}

/* A word or a list of ports: taken as it stands. */
static int load_literal(const struct tct_loader *loader, const struct tct_kernel_key *key,
			const struct tct_yaml_node *node, const char *name, struct tct_bound *bound)
{
	struct tct_err own = { 0 };
	int status;

	if (strcmp(name, "set") != 0)
		return tct_yaml_error(node, loader->err,
				      "%s holds text: only `set` fits it, not `%s`", key->name,
				      name);
	status = tct_field_kind(node, key->name, TCT_WANT_TEXT, loader->err);
	if (status < 0)
		return status;
	status = tct_value_parse(key, node->text, &bound->literal, &own);
	if (status == -ENOMEM)
		return tct_err_nomem(loader->err);
	if (status < 0)
		return tct_yaml_error(node, loader->err, "%s: %s", key->name, own.message);
	if (bound->literal.text != NULL) {
		char *copy = tct_arena_text(loader->arena, bound->literal.text,
					    strlen(bound->literal.text));

		tct_value_done(&(struct tct_value){ .kind = bound->literal.kind,
						    .text = bound->literal.text });
		bound->literal.text = copy;
		if (copy == NULL)
			return tct_err_nomem(loader->err);
	}
	return 0;
}

static bool is_keep(const struct tct_yaml_node *node)
{
	return node->kind == TCT_YAML_SCALAR && strcmp(node->text, "keep") == 0;
}

static int load_fields(const struct tct_loader *loader, const struct tct_kernel_key *key,
		       const struct tct_yaml_node *node, const struct tct_scope_names *scope,
		       struct tct_bound *bound)
{
	const struct tct_type type = tct_type_of_key(key);
	const struct tct_yaml_node *item = node->kind == TCT_YAML_LIST ? node->first : node;
	size_t count = node->kind == TCT_YAML_LIST ? node->count : 1;
	struct tct_place *place = tct_arena_alloc(loader->arena, sizeof(*place));
	bool any = false;

	if (place == NULL)
		return tct_err_nomem(loader->err);
	*place = bound->place;
	if (count != key->fields)
		return tct_yaml_error(
			node, loader->err,
			key->fields == 1
				? "%s has one field, not a list of them"
				: "%s has %u fields: write a list of %u (`keep` leaves a field alone)",
			key->name, key->fields, key->fields);
	if (node->kind == TCT_YAML_SCALAR && is_keep(node))
		return tct_yaml_error(node, loader->err, "`keep` is for fields of a list");
	for (size_t i = 0; i < count; i++) {
		if (!is_keep(item)) {
			int status = tct_expr_load(loader, item, key->name, scope, &type,
						   &bound->fields[i]);

			if (status < 0)
				return status;
			bound->fields[i]->place = place;
			any = true;
		}
		item = item->next;
	}
	if (!any)
		return tct_yaml_error(node, loader->err, "nothing but `keep`: this sets nothing");
	return 0;
}

int tct_bounds_load(const struct tct_loader *loader, const struct tct_kernel_key *key,
		    const struct tct_yaml_node *const *values, const struct tct_scope_names *scope,
		    struct tct_bound bounds[3])
{
	int status = 0;

	for (size_t i = 0; i < 3 && status == 0; i++) {
		const struct tct_yaml_node *node = values[i];

		if (node == NULL)
			continue;
		bounds[i].given = true;
		bounds[i].place =
			(struct tct_place){ node->document->file, node->line, node->column };
		if (tct_type_of_key(key).kind == TCT_KIND_TEXT)
			status = load_literal(loader, key, node, bound_names[i], &bounds[i]);
		else
			status = load_fields(loader, key, node, scope, &bounds[i]);
	}
	if (status < 0)
		return status;
	if (bounds[0].given && (bounds[1].given || bounds[2].given))
		return tct_yaml_error(
			values[bounds[1].given ? 1 : 2], loader->err,
			"%s: `set` fixes the value: `at_least` and `at_most` can't stand beside it",
			key->name);
	return tct_bounds_check(key, &bounds[0], &bounds[1], &bounds[2], loader->err);
}

static int load_requirement(const struct tct_loader *loader, const struct tct_yaml_node *node,
			    struct tct_requirement *requirement)
{
	static const struct tct_type boolean = { .kind = TCT_KIND_BOOL };
	struct tct_scope_names scope = tct_scope_of_facts(loader);
	int status;

	scope.sysctl = true;
	requirement->place = (struct tct_place){ node->document->file, node->line, node->column };
	status = tct_expr_load(loader, node, "`requires`", &scope, &boolean, &requirement->expr);
	if (status == 0)
		requirement->text = node->text;
	return status;
}

static int load_requirements(const struct tct_loader *loader, const struct tct_yaml_node *node,
			     struct tct_setting *setting)
{
	const struct tct_yaml_node *item = node->kind == TCT_YAML_LIST ? node->first : node;
	size_t count = node->kind == TCT_YAML_LIST ? node->count : 1;

	setting->requirements =
		tct_arena_array(loader->arena, count, sizeof(*setting->requirements));
	if (setting->requirements == NULL)
		return tct_err_nomem(loader->err);
	setting->requirements_count = count;
	setting->requirements_capacity = count;
	for (size_t i = 0; i < count; i++) {
		int status = load_requirement(loader, item, &setting->requirements[i]);

		if (status < 0)
			return status;
		item = item->next;
	}
	return 0;
}

static int load_setting(const struct tct_loader *loader, const struct tct_profile_file *file,
			const struct tct_yaml_node *node, struct tct_setting *setting)
{
	enum { SET, AT_LEAST, AT_MOST, BECAUSE, REQUIRES, FIELDS };
	static const struct tct_field fields[FIELDS] = {
		[SET] = { "set", TCT_WANT_TEXT | TCT_WANT_LIST, false },
		[AT_LEAST] = { "at_least", TCT_WANT_TEXT | TCT_WANT_LIST, false },
		[AT_MOST] = { "at_most", TCT_WANT_TEXT | TCT_WANT_LIST, false },
		[BECAUSE] = { "because", TCT_WANT_TEXT, true },
		[REQUIRES] = { "requires", TCT_WANT_TEXT | TCT_WANT_LIST, false },
	};
	const struct tct_scope_names scope = tct_scope_of_facts(loader);
	const struct tct_yaml_node *values[FIELDS];
	struct tct_bound bounds[3] = { 0 };
	int status = tct_settable_key(node, false, &setting->key, loader->err);

	if (status == 0)
		status = tct_fields_read(node->value, "a setting", fields, FIELDS, values,
					 loader->err);
	if (status < 0)
		return status;
	if (values[SET] == NULL && values[AT_LEAST] == NULL && values[AT_MOST] == NULL)
		return tct_yaml_error(node->value, loader->err,
				      "a setting needs `set`, `at_least` or `at_most`");
	status = tct_field_text(values[BECAUSE], "`because`", &setting->because, loader->err);
	if (status == 0)
		status = tct_bounds_load(loader, setting->key, values, &scope, bounds);
	if (status == 0 && values[REQUIRES] != NULL)
		status = load_requirements(loader, values[REQUIRES], setting);
	setting->set = bounds[0];
	setting->at_least = bounds[1];
	setting->at_most = bounds[2];
	setting->profile = file->name;
	setting->place = (struct tct_place){ node->document->file, node->line, node->column };
	return status;
}

int tct_settings_compare(const void *a, const void *b)
{
	const struct tct_setting *left = a;
	const struct tct_setting *right = b;

	return strcmp(left->key->name, right->key->name);
}

static int resolve(struct tct_loader *loader, const struct tct_definitions *definitions)
{
	const struct tct_definition *left[TCT_PROFILE_FILES_MAX];
	struct tct_profile_set *set = loader->set;

	set->settings = tct_arena_array(loader->arena, definitions->count, sizeof(*set->settings));
	if (set->settings == NULL)
		return tct_err_nomem(loader->err);
	for (size_t i = 0; i < definitions->count; i++) {
		size_t count;
		int status;

		tct_definitions_left(loader, definitions, i, left, &count);
		if (count == 0)
			continue;
		/* What is set by hand decides between profiles that don't agree. */
		if (tct_sets_have(loader, definitions->items[i].id))
			count = 1;
		status = tct_settings_merge(loader, left, count,
					    &set->settings[set->settings_count++]);
		if (status < 0)
			return status;
	}
	set->settings_capacity = definitions->count;
	if (set->settings_count > 0)
		qsort(set->settings, set->settings_count, sizeof(*set->settings),
		      tct_settings_compare);
	return 0;
}

int tct_settings_load(struct tct_loader *loader)
{
	struct tct_definitions definitions;
	int status = tct_definitions_init(loader, &definitions);

	for (size_t i = 0; i < loader->files_count && status == 0; i++) {
		const struct tct_profile_file *file = &loader->files[i];

		if (file->only_never || file->settings == NULL)
			continue;
		for (const struct tct_yaml_node *node = file->settings->first;
		     node != NULL && status == 0; node = node->next) {
			struct tct_setting *setting =
				tct_arena_alloc(loader->arena, sizeof(*setting));

			if (setting == NULL)
				return tct_err_nomem(loader->err);
			status = load_setting(loader, file, node, setting);
			if (status == 0)
				status = tct_definitions_add(
					loader, &definitions,
					(struct tct_definition){ .id = node->text,
								 .file = i,
								 .key = node,
								 .body = node->value,
								 .object = setting });
		}
	}
	return status < 0 ? status : resolve(loader, &definitions);
}
