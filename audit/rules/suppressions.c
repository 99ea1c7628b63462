#include "audit/rules/suppressions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/profile_private.h"
#include "core/mem.h"

#define SCHEMA_NAME "tcptune.suppressions.v1"
#define PATH "etc/tcptune/suppressions.yaml"

enum {
	ENTRIES_MAX = 2000,
	ARENA_MAX = 64 << 20,
	YEAR_LEAST = 1970,
	YEAR_MOST = 2261, /* the last whole one that nanoseconds since 1970 reach */
};

/* ---- a day ---- */

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to this one; -1 if there is no such day. */
static int64_t day_number(int year, int month, int day)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t days = 0;

	if (year < YEAR_LEAST || year > YEAR_MOST || month < 1 || month > 12 || day < 1 ||
	    day > lengths[month - 1] + (month == 2 && is_leap(year)))
		return -1;
	for (int i = YEAR_LEAST; i < year; i++)
		days += is_leap(i) ? 366 : 365;
	for (int i = 1; i < month; i++)
		days += lengths[i - 1] + (i == 2 && is_leap(year));
	return days + day - 1;
}

/* "2027-03-31" and nothing else. */
static int64_t parse_day(const char *text)
{
	static const char form[] = "dddd-dd-dd";
	int numbers[3] = { 0 };
	size_t part = 0;

	for (size_t i = 0; form[i] != '\0'; i++) {
		if (form[i] == '-' ? text[i] != '-' : text[i] < '0' || text[i] > '9')
			return -1;
		if (form[i] == '-')
			part++;
		else
			numbers[part] = numbers[part] * 10 + text[i] - '0';
	}
	return text[sizeof(form) - 1] == '\0' ? day_number(numbers[0], numbers[1], numbers[2]) : -1;
}

static int load_expires(const struct tct_yaml_node *node, struct tct_suppression *suppression,
			struct tct_err *err)
{
	const int64_t day_ns = INT64_C(86400) * 1000000000;
	int64_t day = parse_day(node->text);

	if (day < 0 || node->length >= sizeof(suppression->expires))
		return tct_yaml_error(node, err,
				      "`expires: %.40s` is no day: it is written like 2027-03-31",
				      node->text);
	memcpy(suppression->expires, node->text, node->length + 1);
	suppression->expires_ns = (day + 1) * day_ns;
	return 0;
}

/* ---- the file ---- */

static int load_entry(const struct tct_yaml_node *node, struct tct_suppression *suppression,
		      struct tct_err *err)
{
	enum { ID, SUBJECT, REASON, EXPIRES, FIELDS };
	static const struct tct_field fields[FIELDS] = {
		[ID] = { "id", TCT_WANT_TEXT, true },
		[SUBJECT] = { "subject", TCT_WANT_TEXT, false },
		[REASON] = { "reason", TCT_WANT_TEXT, true },
		[EXPIRES] = { "expires", TCT_WANT_TEXT, false },
	};
	const struct tct_yaml_node *values[FIELDS];
	int status = tct_fields_read(node, "a suppression", fields, FIELDS, values, err);

	if (status == 0)
		status = tct_field_text(values[ID], "`id`", &suppression->id, err);
	if (status == 0)
		status = tct_field_text(values[REASON], "`reason`", &suppression->reason, err);
	suppression->subject = "*";
	if (status == 0 && values[SUBJECT] != NULL)
		status = tct_field_text(values[SUBJECT], "`subject`", &suppression->subject, err);
	if (status < 0)
		return status;
	if (!tct_name_valid(suppression->id, "-") || values[ID]->length > 63)
		return tct_yaml_error(
			values[ID], err,
			"`%.60s` can't be an id: small letters, digits and - (up to 63)",
			suppression->id);
	suppression->line = values[ID]->line;
	suppression->column = values[ID]->column;
	suppression->expires_ns = INT64_MAX;
	return values[EXPIRES] == NULL ? 0 : load_expires(values[EXPIRES], suppression, err);
}

static int load_entries(const struct tct_yaml_node *yaml, struct tct_suppressions *suppressions,
			struct tct_err *err)
{
	enum { SCHEMA, ENTRIES, FIELDS };
	static const struct tct_field fields[FIELDS] = {
		[SCHEMA] = { "schema", TCT_WANT_TEXT, true },
		[ENTRIES] = { "suppressions", TCT_WANT_LIST, true },
	};
	const struct tct_yaml_node *values[FIELDS];
	int status = tct_fields_read(yaml, "the file of suppressions", fields, FIELDS, values, err);

	if (status < 0)
		return status;
	if (strcmp(values[SCHEMA]->text, SCHEMA_NAME) != 0)
		return tct_yaml_error(values[SCHEMA], err,
				      "unknown schema `%.60s`: this tcptune reads " SCHEMA_NAME,
				      values[SCHEMA]->text);
	if (values[ENTRIES]->count > ENTRIES_MAX)
		return tct_yaml_error(values[ENTRIES], err, "more than %d suppressions",
				      ENTRIES_MAX);
	suppressions->items = tct_arena_array(suppressions->arena, values[ENTRIES]->count,
					      sizeof(*suppressions->items));
	if (suppressions->items == NULL)
		return tct_err_nomem(err);
	suppressions->items_capacity = values[ENTRIES]->count;
	for (const struct tct_yaml_node *node = values[ENTRIES]->first; node != NULL && status == 0;
	     node = node->next)
		status = load_entry(node, &suppressions->items[suppressions->items_count++], err);
	return status;
}

static int read_error(const char *origin, int code, struct tct_err *err)
{
	if (code == ENOMEM)
		return tct_err_nomem(err);
	return tct_err_set(err, TCT_FAULT_INPUT, code, "%s: %s", origin,
			   code == EFBIG    ? "larger than 1 MiB"
			   : code == EINVAL ? "not a regular file"
					    : strerror(code));
}

/* The arena's copies of the names: file and origin outlive the caller's. */
static int name_file(struct tct_suppressions *suppressions, const char *file, const char *origin)
{
	suppressions->file = tct_arena_text(suppressions->arena, file, strlen(file));
	suppressions->origin = tct_arena_text(suppressions->arena, origin, strlen(origin));
	return suppressions->file == NULL || suppressions->origin == NULL ? -ENOMEM : 0;
}

static int load(const char *file, const char *origin, const char *data, size_t length,
		int64_t now_ns, struct tct_suppressions **out, struct tct_err *err)
{
	struct tct_suppressions *suppressions = calloc(1, sizeof(*suppressions));
	struct tct_yaml_node *yaml = NULL;
	int status;

	if (suppressions != NULL)
		suppressions->arena = tct_arena_new(ARENA_MAX);
	if (suppressions == NULL || suppressions->arena == NULL ||
	    name_file(suppressions, file, origin) < 0) {
		tct_suppressions_free(suppressions);
		return tct_err_nomem(err);
	}
	status =
		tct_yaml_parse(suppressions->arena, suppressions->origin, data, length, &yaml, err);
	if (status == 0)
		status = load_entries(yaml, suppressions, err);
	if (status < 0) {
		tct_suppressions_free(suppressions);
		return status;
	}
	tct_suppressions_set_now(suppressions, now_ns);
	*out = suppressions;
	return 0;
}

int tct_suppressions_load(const struct tct_root *root, int64_t now_ns,
			  struct tct_suppressions **out, struct tct_err *err)
{
	TCT_AUTOFREE char *data = NULL;
	char origin[280];
	size_t length = 0;
	int status = tct_root_read(root, PATH, TCT_YAML_FILE_MAX, &data, &length);

	if (status == -ENOENT || status == -ENOTDIR) {
		*out = NULL;
		return 0;
	}
	tct_profile_origin(root, PATH, origin);
	if (status < 0)
		return read_error(origin, -status, err);
	return load("/" PATH, origin, data, length, now_ns, out, err);
}

int tct_suppressions_load_file(const char *path, int64_t now_ns, struct tct_suppressions **out,
			       struct tct_err *err)
{
	struct tct_root root = { .fd = AT_FDCWD, .live = true };
	TCT_AUTOFREE char *data = NULL;
	size_t length = 0;
	int status;

	if (*path == '/') {
		status = tct_root_open(&root, NULL, err);
		if (status < 0)
			return status;
	}
	status = tct_root_read(&root, path, TCT_YAML_FILE_MAX, &data, &length);
	if (root.fd != AT_FDCWD)
		tct_root_done(&root);
	if (status < 0)
		return read_error(path, -status, err);
	return load(path, path, data, length, now_ns, out, err);
}

void tct_suppressions_free(struct tct_suppressions *suppressions)
{
	if (suppressions == NULL)
		return;
	tct_arena_free(suppressions->arena); /* everything else lives there */
	free(suppressions);
}

/* ---- what they say ---- */

void tct_suppressions_set_now(struct tct_suppressions *suppressions, int64_t now_ns)
{
	for (size_t i = 0; i < suppressions->items_count; i++)
		suppressions->items[i].expired = now_ns >= suppressions->items[i].expires_ns;
}

/* `*` stands for any text, `?` for one character; all else for itself: subjects have brackets. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL; /* behind the last one */
	const char *retry = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	pattern += strspn(pattern, "*");
	return *pattern == '\0';
}

const struct tct_suppression *tct_suppressions_find(const struct tct_suppressions *suppressions,
						    const char *id, const char *subject)
{
	for (size_t i = 0; i < suppressions->items_count; i++) {
		const struct tct_suppression *suppression = &suppressions->items[i];

		if (!suppression->expired && strcmp(suppression->id, id) == 0 &&
		    matches(suppression->subject, subject != NULL ? subject : ""))
			return suppression;
	}
	return NULL;
}
