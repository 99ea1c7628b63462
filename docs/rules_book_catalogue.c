/* The rows of the catalogue of diagnoses, and the rules that carry them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/yaml.h"
#include "core/mem.h"
#include "docs/rules_book.h"

enum {
	ROWS = 59,
	ROWS_MAX = 200,
	ARENA_BYTES_MAX = 8 << 20,
};

/* Rows between the numbered ones. */
static const char *const lettered[] = { "14a", "15a", "32a" };

struct catalogue {
	const struct tct_book *book;
	struct tct_err *err;
	struct tct_text *out;
	char rows[ROWS_MAX][8]; /* those seen */
	size_t rows_count;
	bool *named; /* [book->rules_count]: a row, or `beyond`, has it */
};

/* The text of a field, NULL if it isn't there. */
static int get_text(const struct catalogue *catalogue, const struct tct_yaml_node *map,
		    const char *field, const char **text)
{
	const struct tct_yaml_node *node = tct_yaml_get(map, field);

	*text = NULL;
	if (node == NULL)
		return 0;
	if (node->kind != TCT_YAML_SCALAR || node->length == 0)
		return tct_yaml_error(node, catalogue->err, "%s must be a text", field);
	*text = node->text;
	return 0;
}

static int check_fields(const struct catalogue *catalogue, const struct tct_yaml_node *map,
			const char *const *fields, size_t count)
{
	if (map->kind != TCT_YAML_MAP)
		return tct_yaml_error(map, catalogue->err, "must be a mapping");
	for (const struct tct_yaml_node *key = map->first; key != NULL; key = key->next) {
		size_t i = 0;

		while (i < count && strcmp(fields[i], key->text) != 0)
			i++;
		if (i == count)
			return tct_yaml_error(key, catalogue->err, "unknown field %s", key->text);
	}
	return 0;
}

static int find_rule(const struct catalogue *catalogue, const struct tct_yaml_node *id,
		     size_t *index)
{
	const struct tct_book *book = catalogue->book;

	if (id->kind != TCT_YAML_SCALAR)
		return tct_yaml_error(id, catalogue->err, "must be the id of a rule");
	for (size_t i = 0; i < book->rules_count; i++) {
		if (strcmp(book->rules[i].rule->id, id->text) == 0) {
			*index = i;
			return 0;
		}
	}
	return tct_yaml_error(id, catalogue->err, "no shipped profile has a rule %s", id->text);
}

/* 1 .. 59 in order, the lettered ones behind their number. */
static int check_row(struct catalogue *catalogue, const struct tct_yaml_node *entry,
		     const char *row)
{
	const char *before =
		catalogue->rows_count > 0 ? catalogue->rows[catalogue->rows_count - 1] : "0";
	char *letter = NULL;
	unsigned long number = strtoul(row, &letter, 10);
	unsigned long number_before = strtoul(before, NULL, 10);

	if (*letter == '\0') {
		if (number != number_before + 1)
			return tct_yaml_error(entry, catalogue->err, "row %s follows row %s", row,
					      before);
	} else {
		size_t i = 0;

		while (i < TCT_COUNT(lettered) && strcmp(lettered[i], row) != 0)
			i++;
		if (i == TCT_COUNT(lettered))
			return tct_yaml_error(entry, catalogue->err, "the catalogue has no row %s",
					      row);
		if (number != number_before || strcmp(before, row) == 0)
			return tct_yaml_error(entry, catalogue->err, "row %s follows row %s", row,
					      before);
	}
	if (catalogue->rows_count == ROWS_MAX || number > ROWS)
		return tct_yaml_error(entry, catalogue->err, "the catalogue has no row %s", row);
	(void)snprintf(catalogue->rows[catalogue->rows_count++], sizeof(catalogue->rows[0]), "%s",
		       row);
	return 0;
}

static int add_rules(struct catalogue *catalogue, const struct tct_yaml_node *rules)
{
	size_t index = 0;

	if (rules->kind != TCT_YAML_LIST || rules->count == 0)
		return tct_yaml_error(rules, catalogue->err, "must be a list of ids");
	for (const struct tct_yaml_node *id = rules->first; id != NULL; id = id->next) {
		int status = find_rule(catalogue, id, &index);

		if (status < 0)
			return status;
		for (const struct tct_yaml_node *other = rules->first; other != id;
		     other = other->next) {
			if (strcmp(other->text, id->text) == 0)
				return tct_yaml_error(id, catalogue->err, "%s stands here twice",
						      id->text);
		}
		catalogue->named[index] = true;
		tct_text_add(catalogue->out, id == rules->first ? "" : ", ");
		tct_book_link(catalogue->out, id->text);
	}
	return 0;
}

static int add_row(struct catalogue *catalogue, const struct tct_yaml_node *entry)
{
	static const char *const fields[] = { "row", "name", "rules", "why_not", "note" };
	const struct tct_yaml_node *rules;
	const char *row;
	const char *name;
	const char *why_not;
	const char *note;
	int status = check_fields(catalogue, entry, fields, TCT_COUNT(fields));

	if (status < 0)
		return status;
	if (get_text(catalogue, entry, "row", &row) < 0 ||
	    get_text(catalogue, entry, "name", &name) < 0 ||
	    get_text(catalogue, entry, "why_not", &why_not) < 0 ||
	    get_text(catalogue, entry, "note", &note) < 0)
		return -EINVAL;
	if (row == NULL || name == NULL)
		return tct_yaml_error(entry, catalogue->err, "row and name are required");
	status = check_row(catalogue, entry, row);
	if (status < 0)
		return status;
	rules = tct_yaml_get(entry, "rules");
	if ((rules == NULL) == (why_not == NULL))
		return tct_yaml_error(entry, catalogue->err,
				      "row %s needs rules, or why_not: why there is none", row);
	tct_text_addf(catalogue->out, "| %s | %s | ", row, name);
	if (rules != NULL && add_rules(catalogue, rules) < 0)
		return -EINVAL;
	if (why_not != NULL) {
		tct_text_add(catalogue->out, "none: ");
		tct_book_prose(catalogue->out, why_not);
	}
	tct_text_add(catalogue->out, " | ");
	tct_book_prose(catalogue->out, note != NULL ? note : "");
	tct_text_add(catalogue->out, " |\n");
	return 0;
}

static int add_rows(struct catalogue *catalogue, const struct tct_yaml_node *rows)
{
	if (rows == NULL || rows->kind != TCT_YAML_LIST)
		return tct_err_set(catalogue->err, TCT_FAULT_INPUT, EINVAL,
				   "the catalogue has no list of rows");
	tct_text_add(catalogue->out, "| row | diagnosis | rules | remark |\n|---|---|---|---|\n");
	for (const struct tct_yaml_node *entry = rows->first; entry != NULL; entry = entry->next) {
		int status = add_row(catalogue, entry);

		if (status < 0)
			return status;
	}
	if (catalogue->rows_count != ROWS + TCT_COUNT(lettered))
		return tct_yaml_error(rows, catalogue->err, "%zu rows, and the catalogue has %zu",
				      catalogue->rows_count, ROWS + TCT_COUNT(lettered));
	return 0;
}

static int add_beyond_entry(struct catalogue *catalogue, const struct tct_yaml_node *entry)
{
	static const char *const fields[] = { "rule", "why" };
	const struct tct_yaml_node *rule;
	const char *why;
	size_t index = 0;
	int status = check_fields(catalogue, entry, fields, TCT_COUNT(fields));

	if (status < 0 || get_text(catalogue, entry, "why", &why) < 0)
		return -EINVAL;
	rule = tct_yaml_get(entry, "rule");
	if (rule == NULL || why == NULL)
		return tct_yaml_error(entry, catalogue->err, "rule and why are required");
	status = find_rule(catalogue, rule, &index);
	if (status < 0)
		return status;
	if (catalogue->named[index])
		return tct_yaml_error(entry, catalogue->err, "%s stands in the catalogue already",
				      rule->text);
	catalogue->named[index] = true;
	tct_text_add(catalogue->out, "| ");
	tct_book_link(catalogue->out, rule->text);
	tct_text_add(catalogue->out, " | ");
	tct_book_prose(catalogue->out, why);
	tct_text_add(catalogue->out, " |\n");
	return 0;
}

static int add_beyond(struct catalogue *catalogue, const struct tct_yaml_node *beyond)
{
	if (beyond == NULL)
		return 0;
	if (beyond->kind != TCT_YAML_LIST)
		return tct_yaml_error(beyond, catalogue->err, "beyond must be a list");
	tct_text_add(catalogue->out,
		     "\nRules that no row asks for:\n\n| rule | why |\n|---|---|\n");
	for (const struct tct_yaml_node *entry = beyond->first; entry != NULL;
	     entry = entry->next) {
		int status = add_beyond_entry(catalogue, entry);

		if (status < 0)
			return status;
	}
	return 0;
}

static int check_all_named(const struct catalogue *catalogue, const struct tct_yaml_node *root)
{
	for (size_t i = 0; i < catalogue->book->rules_count; i++) {
		if (!catalogue->named[i])
			return tct_yaml_error(root, catalogue->err,
					      "no row has the rule %s, and it isn't below `beyond`",
					      catalogue->book->rules[i].rule->id);
	}
	return 0;
}

static int add_all(struct catalogue *catalogue, const struct tct_yaml_node *root)
{
	static const char *const fields[] = { "rows", "beyond" };
	int status = check_fields(catalogue, root, fields, TCT_COUNT(fields));

	if (status == 0)
		status = add_rows(catalogue, tct_yaml_get(root, "rows"));
	if (status == 0)
		status = add_beyond(catalogue, tct_yaml_get(root, "beyond"));
	return status == 0 ? check_all_named(catalogue, root) : status;
}

static int read_file(const char *file, char **data, size_t *length, struct tct_err *err)
{
	TCT_AUTOFREE char *path = realpath(file, NULL);
	struct tct_root root = { .fd = -1 };
	int status;

	if (path == NULL)
		return tct_err_set(err, TCT_FAULT_INPUT, errno, "%s: %s", file, strerror(errno));
	status = tct_root_open(&root, NULL, err);
	if (status < 0)
		return status;
	status = tct_root_read(&root, path, TCT_YAML_FILE_MAX, data, length);
	tct_root_done(&root);
	if (status < 0)
		return tct_err_set(err, TCT_FAULT_INPUT, -status, "%s: %s", file,
				   strerror(-status));
	return 0;
}

int tct_book_catalogue(struct tct_text *out, const struct tct_book *book, const char *file,
		       struct tct_err *err)
{
	struct tct_arena *arena = tct_arena_new(ARENA_BYTES_MAX);
	TCT_AUTOFREE bool *named = calloc(book->rules_count + 1, sizeof(*named));
	struct catalogue catalogue = { .book = book, .err = err, .out = out, .named = named };
	struct tct_yaml_node *yaml = NULL;
	TCT_AUTOFREE char *data = NULL;
	size_t length = 0;
	int status = arena != NULL && named != NULL ? 0 : tct_err_nomem(err);

	if (status == 0)
		status = read_file(file, &data, &length, err);
	if (status == 0)
		status = tct_yaml_parse(arena, file, data, length, &yaml, err);
	if (status == 0)
		status = add_all(&catalogue, yaml);
	tct_arena_free(arena);
	return status;
}
