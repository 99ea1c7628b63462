/* rules: of all profiles, and never: */
#include <errno.h>
#include <string.h>

#include "audit/rules/profile_private.h"
#include "core/mem.h"

static const char *rule_id(const void *context, size_t i)
{
	const struct tct_profile_set *set = context;

	return i < set->rules_count ? set->rules[i].id : NULL;
}

static bool has_rule(const struct tct_profile_set *set, const char *id)
{
	for (size_t i = 0; i < set->rules_count; i++) {
		if (strcmp(set->rules[i].id, id) == 0)
			return true;
	}
	return false;
}

/* An id that no rule has would silently explain nothing. */
static int check_explains(const struct tct_loader *loader, const struct tct_definition *definition)
{
	const struct tct_yaml_node *list = tct_yaml_get(definition->body, "explains");

	for (const struct tct_yaml_node *item = list != NULL ? list->first : NULL; item != NULL;
	     item = item->next) {
		const char *nearest;

		/* The nearest is dear: it is sought for people only. */
		if (has_rule(loader->set, item->text))
			continue;
		nearest = tct_text_nearest(item->text, rule_id, loader->set);
		if (nearest == NULL)
			return tct_yaml_error(item, loader->err,
					      "`explains`: no rule has the id `%.60s`", item->text);
		return tct_yaml_error(item, loader->err,
				      "`explains`: no rule has the id `%.60s`: did you mean `%s`?",
				      item->text, nearest);
	}
	return 0;
}

static int resolve_rules(struct tct_loader *loader, const struct tct_definitions *definitions)
{
	const struct tct_definition *left[TCT_PROFILE_FILES_MAX];
	struct tct_profile_set *set = loader->set;
	int status = 0;

	set->rules = tct_arena_array(loader->arena, definitions->count, sizeof(*set->rules));
	if (set->rules == NULL)
		return tct_err_nomem(loader->err);
	set->rules_capacity = definitions->count;
	for (size_t i = 0; i < definitions->count; i++) {
		size_t count;

		tct_definitions_left(loader, definitions, i, left, &count);
		if (count == 0)
			continue;
		for (size_t k = 1; k < count; k++) {
			if (!tct_yaml_equal(left[0]->body, left[k]->body))
				return tct_definitions_conflict(loader, left[0], left[k],
								"the rule");
		}
		set->rules[set->rules_count++] = *(const struct tct_rule *)left[0]->object;
	}
	for (size_t i = 0; i < definitions->count && status == 0; i++)
		status = check_explains(loader, &definitions->items[i]);
	return status;
}

static int refuse_second_id(const struct tct_loader *loader,
			    const struct tct_definitions *definitions,
			    const struct tct_definition *last)
{
	for (size_t i = definitions->count; i-- > 0 && definitions->items[i].file == last->file;) {
		if (strcmp(definitions->items[i].id, last->id) == 0)
			return tct_yaml_error(last->key, loader->err,
					      "the rule `%s` is given twice, first in line %u",
					      last->id, definitions->items[i].key->line);
	}
	return 0;
}

int tct_rules_load(struct tct_loader *loader)
{
	struct tct_definitions definitions;
	int status;

	status = tct_definitions_init(loader, &definitions);
	for (size_t i = 0; i < loader->files_count && status == 0; i++) {
		const struct tct_profile_file *file = &loader->files[i];

		if (file->only_never || file->rules == NULL)
			continue;
		for (const struct tct_yaml_node *node = file->rules->first;
		     node != NULL && status == 0; node = node->next) {
			struct tct_definition definition = { .file = i, .key = node, .body = node };
			struct tct_rule *rule = tct_arena_alloc(loader->arena, sizeof(*rule));

			if (rule == NULL)
				return tct_err_nomem(loader->err);
			status = tct_rule_load(loader, file, node, rule);
			if (status < 0)
				return status;
			definition.id = rule->id;
			definition.object = rule;
			status = refuse_second_id(loader, &definitions, &definition);
			if (status == 0)
				status = tct_definitions_add(loader, &definitions, definition);
		}
	}
	return status < 0 ? status : resolve_rules(loader, &definitions);
}

/* ---- never ---- */

static const struct tct_type boolean = { .kind = TCT_KIND_BOOL };

static int load_never(const struct tct_loader *loader, const struct tct_profile_file *file,
		      const struct tct_yaml_node *node, struct tct_never *never)
{
	enum { KEY, VALUE_WHEN, BECAUSE, FIELDS };
	static const struct tct_field fields[FIELDS] = {
		[KEY] = { "key", TCT_WANT_TEXT, true },
		[VALUE_WHEN] = { "when", TCT_WANT_TEXT, true },
		[BECAUSE] = { "because", TCT_WANT_TEXT, true },
	};
	struct tct_scope_names scope = tct_scope_of_facts(loader);
	const struct tct_yaml_node *values[FIELDS];
	int status =
		tct_fields_read(node, "an entry of `never`", fields, FIELDS, values, loader->err);

	if (status == 0)
		status = tct_known_key(values[KEY], &never->key, loader->err);
	if (status < 0)
		return status;
	if (never->key->handler == TCT_HANDLER_SECRET)
		return tct_yaml_error(values[KEY], loader->err,
				      "%s is a secret: tcptune never reads it", never->key->name);
	scope.value = true;
	scope.value_key = never->key;
	never->profile = file->name;
	never->place = (struct tct_place){ node->document->file, node->line, node->column };
	status =
		tct_expr_load(loader, values[VALUE_WHEN], "`when`", &scope, &boolean, &never->when);
	return status < 0
		       ? status
		       : tct_field_text(values[BECAUSE], "`because`", &never->because, loader->err);
}

static bool said_already(const struct tct_profile_set *set, const struct tct_never *never)
{
	for (size_t i = 0; i < set->never_count; i++) {
		if (set->never[i].key == never->key &&
		    strcmp(tct_expr_source(set->never[i].when), tct_expr_source(never->when)) == 0)
			return true;
	}
	return false;
}

int tct_never_load(struct tct_loader *loader)
{
	struct tct_profile_set *set = loader->set;
	size_t total = 0;

	for (size_t i = 0; i < loader->files_count; i++)
		total += loader->files[i].never != NULL ? loader->files[i].never->count : 0;
	set->never = tct_arena_array(loader->arena, total, sizeof(*set->never));
	if (set->never == NULL)
		return tct_err_nomem(loader->err);
	set->never_capacity = total;
	for (size_t i = 0; i < loader->files_count; i++) {
		const struct tct_yaml_node *list = loader->files[i].never;

		for (const struct tct_yaml_node *node = list != NULL ? list->first : NULL;
		     node != NULL; node = node->next) {
			struct tct_never never = { 0 };
			int status = load_never(loader, &loader->files[i], node, &never);

			if (status < 0)
				return status;
			if (set->never_count == TCT_PROFILE_DEFINITIONS_MAX)
				return tct_yaml_error(node, loader->err,
						      "more than %d entries in `never`",
						      TCT_PROFILE_DEFINITIONS_MAX);
			if (!said_already(set, &never))
				set->never[set->never_count++] = never;
		}
	}
	return 0;
}
