#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/each.h"
#include "audit/rules/functions.h"
#include "audit/rules/profile_private.h"
#include "core/mem.h"

struct field_names {
	const struct tct_field *fields;
	size_t count;
};

static const char *field_name(const void *context, size_t i)
{
	const struct field_names *names = context;

	return i < names->count ? names->fields[i].name : NULL;
}

int tct_field_kind(const struct tct_yaml_node *node, const char *what, unsigned kinds,
		   struct tct_err *err)
{
	const char *wanted = kinds == TCT_WANT_TEXT                     ? "text"
			     : kinds == TCT_WANT_LIST                   ? "a list"
			     : kinds == TCT_WANT_MAP                    ? "a mapping"
			     : kinds == (TCT_WANT_TEXT | TCT_WANT_LIST) ? "text or a list"
									: "text or a mapping";

	if ((1U << node->kind & kinds) != 0)
		return 0;
	if (node->kind == TCT_YAML_SCALAR && node->length == 0)
		return tct_yaml_error(node, err, "%s is empty: it must be %s", what, wanted);
	return tct_yaml_error(node, err, "%s must be %s, not %s", what, wanted,
			      tct_yaml_kind_name(node->kind));
}

static int read_field(const struct tct_yaml_node *key, const char *what,
		      const struct tct_field *fields, size_t count,
		      const struct tct_yaml_node **values, struct tct_err *err)
{
	const struct field_names names = { fields, count };
	const char *nearest;
	char quoted[64];

	for (size_t i = 0; i < count; i++) {
		if (strcmp(fields[i].name, key->text) != 0)
			continue;
		values[i] = key->value;
		if (snprintf(quoted, sizeof(quoted), "`%s`", fields[i].name) < 0)
			quoted[0] = '\0';
		return tct_field_kind(key->value, quoted, fields[i].kinds, err);
	}
	nearest = tct_text_nearest(key->text, field_name, &names);
	if (nearest != NULL)
		return tct_yaml_error(key, err, "unknown field `%.60s` in %s: did you mean `%s`?",
				      key->text, what, nearest);
	return tct_yaml_error(key, err, "unknown field `%.60s` in %s", key->text, what);
}

int tct_fields_read(const struct tct_yaml_node *map, const char *what,
		    const struct tct_field *fields, size_t count,
		    const struct tct_yaml_node **values, struct tct_err *err)
{
	int status = tct_field_kind(map, what, TCT_WANT_MAP, err);

	for (size_t i = 0; i < count; i++)
		values[i] = NULL;
	if (status < 0)
		return status;
	for (const struct tct_yaml_node *key = map->first; key != NULL; key = key->next) {
		status = read_field(key, what, fields, count, values, err);
		if (status < 0)
			return status;
	}
	for (size_t i = 0; i < count; i++) {
		if (fields[i].required && values[i] == NULL)
			return tct_yaml_error(map, err, "%s needs `%s`", what, fields[i].name);
	}
	return 0;
}

int tct_field_text(const struct tct_yaml_node *node, const char *what, const char **text,
		   struct tct_err *err)
{
	int status = tct_field_kind(node, what, TCT_WANT_TEXT, err);

	if (status < 0)
		return status;
	if (node->text[strspn(node->text, " \t\r\n")] == '\0' ||
	    (node->style == TCT_YAML_PLAIN &&
	     (strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0)))
		return tct_yaml_error(node, err, "%s is empty", what);
	*text = node->text;
	return 0;
}

bool tct_name_valid(const char *name, const char *others)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	if (*name == '\0' || strchr(letters, *name) == NULL)
		return false;
	for (; *name != '\0'; name++) {
		if (strchr(letters, *name) == NULL && strchr(others, *name) == NULL)
			return false;
	}
	return true;
}

int tct_variable_name_check(const struct tct_yaml_node *key, struct tct_err *err)
{
	const char *name = key->text;
	char eaches[TCT_EACH_WORDS];
	const char *rest = *name == '_' ? name + strspn(name, "_") : name;

	if (!tct_name_valid(rest, "_") || (*name >= '0' && *name <= '9') || key->length > 63)
		return tct_yaml_error(
			key, err,
			"`%.60s` can't name a variable: small letters, digits and _ (up to 63)",
			name);
	if (*tct_attribute_owners(name, eaches) != '\0')
		return tct_yaml_error(
			key, err, "`%s` can't name a variable: it is an attribute of `each: %s`",
			name, eaches);
	if (tct_fact_find(name) != TCT_FACT_LIMIT || strcmp(name, "initial_namespace") == 0)
		return tct_yaml_error(key, err,
				      "`%s` can't name a variable: it is a fact of the host", name);
	if (tct_function_find(name) != NULL || tct_lexer_is_keyword(name, strlen(name)) ||
	    tct_lexer_is_unit(name, strlen(name)) || strcmp(name, "interval") == 0 ||
	    tct_host_name_find(name) != TCT_HOST_NAMES || strcmp(name, "keep") == 0)
		return tct_yaml_error(
			key, err, "`%s` can't name a variable: it is a word of the language", name);
	return 0;
}
