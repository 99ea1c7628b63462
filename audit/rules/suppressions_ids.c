/* Do the rules exist that suppressions.yaml names? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/profile_private.h"
#include "audit/rules/suppressions.h"
#include "core/mem.h"

/* Ids of rules, each perhaps several times. */
struct ids {
	struct tct_arena *arena;
	const char **items;
	size_t items_count;
	size_t items_capacity;
};

static void ids_done(struct ids *ids)
{
	free(ids->items);
	tct_arena_free(ids->arena);
}

static const char *id_at(const void *context, size_t i)
{
	const struct ids *ids = context;

	return i < ids->items_count ? ids->items[i] : NULL;
}

static bool has(const struct ids *ids, const char *id)
{
	for (size_t i = 0; i < ids->items_count; i++) {
		if (strcmp(ids->items[i], id) == 0)
			return true;
	}
	return false;
}

static int add(struct ids *ids, const char *id)
{
	const char **item = TCT_APPEND(ids, items);

	if (item == NULL)
		return -ENOMEM;
	*item = tct_arena_text(ids->arena, id, strlen(id));
	return *item == NULL ? -ENOMEM : 0;
}

static int add_set(struct ids *ids, const struct tct_profile_set *set)
{
	for (size_t i = 0; i < set->rules_count; i++) {
		if (add(ids, set->rules[i].id) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The ids of one profile's file; a file that isn't right has none. */
static int add_profile(struct ids *ids, const struct tct_root *root, const char *name)
{
	struct tct_arena *arena = tct_arena_new(TCT_PROFILE_ARENA_MAX);
	TCT_AUTOFREE char *data = NULL;
	struct tct_yaml_node *yaml = NULL;
	const struct tct_yaml_node *rules = NULL;
	char origin[280];
	bool built_in;
	size_t length;
	int status = 0;

	if (arena == NULL)
		return -ENOMEM;
	if (tct_profile_read(root, name, &data, &length, origin, &built_in, NULL) == 0 &&
	    tct_yaml_parse(arena, origin, data, length, &yaml, NULL) == 0 &&
	    yaml->kind == TCT_YAML_MAP)
		rules = tct_yaml_get(yaml, "rules");
	for (const struct tct_yaml_node *rule =
		     rules != NULL && rules->kind == TCT_YAML_LIST ? rules->first : NULL;
	     rule != NULL && status == 0; rule = rule->next) {
		const struct tct_yaml_node *id =
			rule->kind == TCT_YAML_MAP ? tct_yaml_get(rule, "id") : NULL;

		if (id != NULL && id->kind == TCT_YAML_SCALAR)
			status = add(ids, id->text);
	}
	tct_arena_free(arena);
	return status;
}

static int add_profiles(struct ids *ids, const struct tct_root *root)
{
	TCT_AUTOFREE struct tct_profile_info *infos = NULL;
	size_t count = 0;

	if (tct_profile_list(root, &infos, &count, NULL) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (add_profile(ids, root, infos[i].name) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int complain(const struct tct_suppressions *suppressions,
		    const struct tct_suppression *suppression, const struct ids *ids,
		    struct tct_err *err)
{
	const char *nearest = tct_text_nearest(suppression->id, id_at, ids);

	if (nearest == NULL)
		return tct_err_at(err, suppressions->origin, suppression->line, suppression->column,
				  "no rule has the id `%.60s`", suppression->id);
	return tct_err_at(err, suppressions->origin, suppression->line, suppression->column,
			  "no rule has the id `%.60s`: did you mean `%s`?", suppression->id,
			  nearest);
}

int tct_suppressions_check(const struct tct_suppressions *suppressions,
			   const struct tct_profile_set *set, const struct tct_root *root,
			   struct tct_err *err)
{
	TCT_AUTO(ids_done) struct ids ids = { .arena = tct_arena_new(TCT_PROFILE_ARENA_MAX) };
	bool all = false; /* the other profiles are looked into only where the set isn't enough */

	if (ids.arena == NULL || add_set(&ids, set) < 0)
		return tct_err_nomem(err);
	for (size_t i = 0; i < suppressions->items_count; i++) {
		const struct tct_suppression *suppression = &suppressions->items[i];

		if (has(&ids, suppression->id))
			continue;
		if (!all && add_profiles(&ids, root) < 0)
			return tct_err_nomem(err);
		all = true;
		if (!has(&ids, suppression->id))
			return complain(suppressions, suppression, &ids, err);
	}
	return 0;
}
