#include "tests/unit/case_part.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/expr.h"
#include "core/mem.h"

static void drop_json(json_t *const *json)
{
	json_decref(*json);
}

static void drop_arena(struct tct_arena *const *arena)
{
	tct_arena_free(*arena);
}

int case_number(const struct tct_yaml_node *scalar, int64_t *number, struct tct_err *err)
{
	TCT_AUTO(drop_arena) struct tct_arena *arena = tct_arena_new(1U << 16);
	const struct tct_scope_names scope = { 0 };
	const struct tct_facts facts = { 0 };
	const struct tct_env env = { .facts = &facts };
	struct tct_result result;
	struct tct_expr *expr = NULL;

	if (arena == NULL)
		return tct_err_nomem(err);
	if (scalar->kind != TCT_YAML_SCALAR)
		return tct_yaml_error(scalar, err, "a number is needed, not %s",
				      tct_yaml_kind_name(scalar->kind));
	const struct tct_place place = { scalar->document->file, scalar->line, scalar->column };

	if (tct_expr_compile(arena, scalar->text, place, &scope, NULL, &expr, err) < 0)
		return tct_yaml_error(scalar, err, "'%.40s' is no number", scalar->text);
	tct_expr_eval(expr, &env, &result);
	if (result.status != TCT_STATUS_VALUE || result.type.kind != TCT_KIND_NUMBER)
		return tct_yaml_error(scalar, err, "'%.40s' is no number", scalar->text);
	*number = result.number;
	return 0;
}

static int overlay(const struct tct_yaml_node *map, const struct tct_part *part, json_t *object,
		   struct tct_err *err);

static int set(json_t *object, const char *name, json_t *value, struct tct_err *err)
{
	return json_object_set_new(object, name, value) == 0 ? 0 : tct_err_nomem(err);
}

static bool is_name_of(const struct tct_member *member, const char *name)
{
	size_t length = strlen(name);

	return strncmp(member->name, name, length) == 0 &&
	       (member->name[length] == '\0' || strcmp(member->name + length, "_ns") == 0 ||
		strcmp(member->name + length, "_bytes") == 0);
}

static const struct tct_member *find_member(const struct tct_part *part, const char *name)
{
	if (strcmp(name, "idle") == 0)
		name = "idle_at_least";
	for (size_t i = 0; i < part->count; i++) {
		if (is_name_of(&part->members[i], name))
			return &part->members[i];
	}
	return NULL;
}

static int need_map(const struct tct_yaml_node *node, struct tct_err *err)
{
	if (node->kind == TCT_YAML_MAP)
		return 0;
	return tct_yaml_error(node, err, "a mapping is needed, not %s",
			      tct_yaml_kind_name(node->kind));
}

/* { 10s: 160, 60s: 20 } as the seconds that snapshots have. */
static int overlay_idle(const struct tct_yaml_node *map, json_t *object, const char *name,
			struct tct_err *err)
{
	TCT_AUTO(drop_json) json_t *idle = json_object();

	if (idle == NULL)
		return tct_err_nomem(err);
	if (need_map(map, err) < 0)
		return -EINVAL;
	for (const struct tct_yaml_node *key = map->first; key != NULL; key = key->next) {
		int64_t count = 0;
		int64_t time = 0;
		char seconds[24];

		if (case_number(key, &time, err) < 0 || case_number(key->value, &count, err) < 0)
			return -EINVAL;
		(void)snprintf(seconds, sizeof(seconds), "%" PRId64, time / 1000000000);
		if (set(idle, seconds, json_integer(count), err) < 0)
			return -ENOMEM;
	}
	return set(object, name, TCT_STEAL(idle), err);
}

/* An array by name: of numbers, or of structs. */
static int overlay_named(const struct tct_yaml_node *map, const struct tct_member *member,
			 json_t *object, struct tct_err *err)
{
	if (need_map(map, err) < 0)
		return -EINVAL;
	for (const struct tct_yaml_node *key = map->first; key != NULL; key = key->next) {
		json_t *item = json_object_get(object, key->text);
		int64_t number = 0;

		if (item == NULL)
			return tct_yaml_error(key, err, "'%.40s' is not known here", key->text);
		if (member->kind == TCT_MEMBER_PARTS) {
			if (overlay(key->value, member->part, item, err) < 0)
				return -EINVAL;
		} else if (case_number(key->value, &number, err) < 0) {
			return -EINVAL;
		} else if (set(object, key->text, json_integer(number), err) < 0) {
			return -ENOMEM;
		}
	}
	return 0;
}

static int overlay_scalar(const struct tct_yaml_node *node, const struct tct_member *member,
			  json_t *object, struct tct_err *err)
{
	int64_t number = 0;

	if (node->kind != TCT_YAML_SCALAR)
		return tct_yaml_error(node, err, "a single value is needed, not %s",
				      tct_yaml_kind_name(node->kind));
	if (member->kind == TCT_MEMBER_TEXT || member->kind == TCT_MEMBER_CHOICE)
		return set(object, member->name, json_string(node->text), err);
	if (member->kind == TCT_MEMBER_BOOL) {
		if (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0)
			return tct_yaml_error(node, err, "true or false is needed");
		return set(object, member->name, json_boolean(node->text[0] == 't'), err);
	}
	if (case_number(node, &number, err) < 0)
		return -EINVAL;
	return set(object, member->name, json_integer(number), err);
}

static int overlay_member(const struct tct_yaml_node *node, const struct tct_member *member,
			  json_t *object, struct tct_err *err)
{
	if (member->kind == TCT_MEMBER_PART)
		return overlay(node, member->part, json_object_get(object, member->name), err);
	if (member->kind == TCT_MEMBER_PARTS || member->kind == TCT_MEMBER_COUNTS)
		return overlay_named(node, member, json_object_get(object, member->name), err);
	if (member->kind == TCT_MEMBER_IDLE)
		return overlay_idle(node, object, member->name, err);
	return overlay_scalar(node, member, object, err);
}

/* "queue_first" as "queue", if only that was given. */
static int overlay_firsts(const struct tct_yaml_node *map, const struct tct_part *part,
			  json_t *object, struct tct_err *err)
{
	for (const struct tct_yaml_node *key = map->first; key != NULL; key = key->next) {
		const struct tct_member *member = find_member(part, key->text);
		char first[80];

		(void)snprintf(first, sizeof(first), "%s_first", member->name);
		if (json_object_get(object, first) != NULL && tct_yaml_get(map, first) == NULL &&
		    json_object_set(object, first, json_object_get(object, member->name)) < 0)
			return tct_err_nomem(err);
	}
	return 0;
}

/* A population as one word: its total, or why it isn't known. */
static int overlay_word(const struct tct_yaml_node *node, const struct tct_part *part,
			json_t *object, struct tct_err *err)
{
	const struct tct_member *total = find_member(part, "total");
	const struct tct_member *presence = find_member(part, "presence");

	if (total == NULL || presence == NULL)
		return need_map(node, err);
	if (node->text[0] >= '0' && node->text[0] <= '9')
		return overlay_scalar(node, total, object, err);
	return overlay_scalar(node, presence, object, err);
}

static int overlay(const struct tct_yaml_node *map, const struct tct_part *part, json_t *object,
		   struct tct_err *err)
{
	if (map->kind == TCT_YAML_SCALAR)
		return overlay_word(map, part, object, err);
	if (need_map(map, err) < 0)
		return -EINVAL;
	for (const struct tct_yaml_node *key = map->first; key != NULL; key = key->next) {
		const struct tct_member *member = find_member(part, key->text);

		if (member == NULL)
			return tct_yaml_error(key, err, "there is no member '%.40s'", key->text);
		if (overlay_member(key->value, member, object, err) < 0)
			return -EINVAL;
	}
	return overlay_firsts(map, part, object, err);
}

int case_part_fill(const struct tct_yaml_node *map, const struct tct_part *part, void *data,
		   struct tct_err *err)
{
	TCT_AUTO(drop_json) json_t *object = tct_part_json(part, data);
	const struct tct_loading loading = { map->document->file, err };
	const struct tct_where where = { NULL, "given", 0 };
	int result;

	if (object == NULL)
		return tct_err_nomem(err);
	result = overlay(map, part, object, err);
	if (result == 0)
		result = tct_part_from_json(&loading, &where, object, part, data);
	if (result < 0 && err->line == 0)
		err->line = map->line;
	return result;
}
