/* Several files that define the same thing: who overrides whom, what merges, what is a conflict. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/profile_private.h"

int tct_definitions_init(const struct tct_loader *loader, struct tct_definitions *definitions)
{
	definitions->count = 0;
	definitions->items = tct_arena_array(loader->arena, TCT_PROFILE_DEFINITIONS_MAX,
					     sizeof(*definitions->items));
	return definitions->items == NULL ? tct_err_nomem(loader->err) : 0;
}

int tct_definitions_add(const struct tct_loader *loader, struct tct_definitions *definitions,
			struct tct_definition definition)
{
	if (definitions->count == TCT_PROFILE_DEFINITIONS_MAX)
		return tct_yaml_error(definition.key, loader->err,
				      "more than %d of this kind in all profiles",
				      TCT_PROFILE_DEFINITIONS_MAX);
	definitions->items[definitions->count++] = definition;
	return 0;
}

/* Does b's file override a's? It does if it extends it, and everybody overrides a base nobody asked
 * for. */
static bool overridden(const struct tct_loader *loader, const struct tct_definition *a,
		       const struct tct_definition *b)
{
	if (loader->files[a->file].only_never)
		return !loader->files[b->file].only_never;
	return (loader->files[b->file].ancestors >> a->file & 1) != 0;
}

void tct_definitions_left(const struct tct_loader *loader,
			  const struct tct_definitions *definitions, size_t i,
			  const struct tct_definition *left[TCT_PROFILE_FILES_MAX],
			  size_t *left_count)
{
	const struct tct_definition *all[TCT_PROFILE_FILES_MAX];
	const char *id = definitions->items[i].id;
	size_t count = 0;

	*left_count = 0;
	for (size_t k = 0; k < definitions->count; k++) {
		if (strcmp(definitions->items[k].id, id) != 0)
			continue;
		if (k < i)
			return;
		if (count < TCT_PROFILE_FILES_MAX) /* at most one in a file */
			all[count++] = &definitions->items[k];
	}
	for (size_t k = 0; k < count; k++) {
		bool lost = false;

		for (size_t n = 0; n < count; n++)
			lost = lost || overridden(loader, all[k], all[n]);
		if (!lost)
			left[(*left_count)++] = all[k];
	}
}

int tct_definitions_conflict(const struct tct_loader *loader, const struct tct_definition *a,
			     const struct tct_definition *b, const char *what)
{
	return tct_yaml_error(
		b->key, loader->err,
		"%s `%.80s` differs from the one in %.200s:%u: a profile that extends both must decide",
		what, b->id, a->key->document->file, a->key->line);
}

static bool same_set(const struct tct_kernel_key *key, const struct tct_bound *a,
		     const struct tct_bound *b)
{
	if (a->given != b->given)
		return false;
	if (!a->given)
		return true;
	if (a->literal.kind != TCT_VALUE_NONE || b->literal.kind != TCT_VALUE_NONE)
		return tct_value_equal(&a->literal, &b->literal);
	for (unsigned i = 0; i < key->fields; i++) {
		if ((a->fields[i] == NULL) != (b->fields[i] == NULL))
			return false;
		if (a->fields[i] != NULL &&
		    strcmp(tct_expr_source(a->fields[i]), tct_expr_source(b->fields[i])) != 0)
			return false;
	}
	return true;
}

/* The stronger of two bounds, field by field. */
static int merge_bound(const struct tct_loader *loader, const struct tct_kernel_key *key,
		       enum tct_node_kind kind, struct tct_bound *into,
		       const struct tct_bound *from)
{
	if (!from->given)
		return 0;
	if (!into->given) {
		*into = *from;
		return 0;
	}
	for (unsigned i = 0; i < key->fields; i++) {
		struct tct_expr *ours = into->fields[i];
		struct tct_expr *theirs = from->fields[i];

		if (theirs == NULL ||
		    (ours != NULL && strcmp(tct_expr_source(ours), tct_expr_source(theirs)) == 0))
			continue;
		into->fields[i] =
			ours == NULL ? theirs : tct_node_merge(loader->arena, kind, ours, theirs);
		if (into->fields[i] == NULL)
			return tct_err_nomem(loader->err);
	}
	return 0;
}

static int merge_requirements(const struct tct_loader *loader, struct tct_setting *into,
			      const struct tct_setting *from)
{
	size_t count = into->requirements_count + from->requirements_count;
	struct tct_requirement *all;

	if (from->requirements_count == 0)
		return 0;
	all = tct_arena_array(loader->arena, count, sizeof(*all));
	if (all == NULL)
		return tct_err_nomem(loader->err);
	if (into->requirements_count > 0)
		memcpy(all, into->requirements, into->requirements_count * sizeof(*all));
	memcpy(all + into->requirements_count, from->requirements,
	       from->requirements_count * sizeof(*all));
	into->requirements = all;
	into->requirements_count = count;
	into->requirements_capacity = count;
	return 0;
}

/* Both reasons, unless one says it already. */
static int merge_because(const struct tct_loader *loader, struct tct_setting *into,
			 const struct tct_setting *from)
{
	size_t length = strlen(into->because) + strlen(from->because) + 3;
	char *both;

	if (strstr(into->because, from->because) != NULL)
		return 0;
	both = tct_arena_alloc(loader->arena, length);
	if (both == NULL || snprintf(both, length, "%s; %s", into->because, from->because) < 0)
		return tct_err_nomem(loader->err);
	into->because = both;
	return 0;
}

int tct_settings_merge(const struct tct_loader *loader, const struct tct_definition *const *left,
		       size_t left_count, struct tct_setting *merged)
{
	const struct tct_setting *first = left[0]->object;
	int status = 0;

	*merged = *first;
	for (size_t i = 1; i < left_count && status == 0; i++) {
		const struct tct_setting *other = left[i]->object;

		if (!same_set(merged->key, &merged->set, &other->set))
			return tct_definitions_conflict(loader, left[0], left[i], "the setting");
		status = merge_bound(loader, merged->key, TCT_NODE_LARGER, &merged->at_least,
				     &other->at_least);
		if (status == 0)
			status = merge_bound(loader, merged->key, TCT_NODE_SMALLER,
					     &merged->at_most, &other->at_most);
		if (status == 0)
			status = merge_requirements(loader, merged, other);
		if (status == 0)
			status = merge_because(loader, merged, other);
		if (status == 0)
			status = tct_bounds_check(merged->key, &merged->set, &merged->at_least,
						  &merged->at_most, loader->err);
	}
	return status;
}
