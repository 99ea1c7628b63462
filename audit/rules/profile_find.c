/* Where profiles are: files of /etc/tcptune/profiles, the built-in ones, or any path. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/embedded.h"
#include "audit/rules/profile_private.h"
#include "core/mem.h"

static const char built_in_origin[] = "built-in profile ";

const struct tct_embedded_file *tct_embedded_profile(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < tct_embedded_files_count; i++) {
		const char *file = tct_embedded_files[i].name;

		if (strncmp(file, name, length) == 0 && strcmp(file + length, ".yaml") == 0)
			return &tct_embedded_files[i];
	}
	return NULL;
}

void tct_profile_origin(const struct tct_root *root, const char *path, char origin[280])
{
	bool top = root == NULL || strcmp(root->path, "/") == 0;

	if (snprintf(origin, 280, "%.200s/%.77s", top ? "" : root->path, path) < 0)
		origin[0] = '\0';
}

static int read_error(const char *origin, int code, struct tct_err *err)
{
	if (code == EFBIG)
		return tct_err_set(err, TCT_FAULT_INPUT, code, "%s: larger than 1 MiB", origin);
	if (code == ENOMEM)
		return tct_err_nomem(err);
	return tct_err_set(err, TCT_FAULT_INPUT, code, "%s: %s", origin,
			   code == EINVAL ? "not a regular file" : strerror(code));
}

/* A path is the caller's, never below DIR: relative to the working directory. */
static int read_path(const char *path, char **data, size_t *length, char origin[280],
		     struct tct_err *err)
{
	struct tct_root root = { .fd = AT_FDCWD, .live = true };
	int status;

	if (snprintf(origin, 280, "%.279s", path) < 0)
		origin[0] = '\0';
	if (*path != '/') {
		status = tct_root_read(&root, path, TCT_YAML_FILE_MAX, data, length);
	} else {
		status = tct_root_open(&root, NULL, err);
		if (status < 0)
			return status;
		status = tct_root_read(&root, path, TCT_YAML_FILE_MAX, data, length);
		tct_root_done(&root);
	}
	return status < 0 ? read_error(origin, -status, err) : 0;
}

/* origin is where a file of that name would be. Other profiles aren't read for their names: one of
 * them may be lost, too. */
static int not_found(const struct tct_root *root, const char *name, const char *origin,
		     struct tct_err *err)
{
	char nearest[64];

	if (tct_profile_nearest(root, name, nearest) < 0)
		return tct_err_nomem(err);
	if (strcmp(nearest, name) == 0)
		return tct_err_set(
			err, TCT_FAULT_INPUT, ENOENT,
			"%s: no such file: a link that leads nowhere, or its name is too long",
			origin);
	if (nearest[0] != '\0')
		return tct_err_set(
			err, TCT_FAULT_INPUT, ENOENT,
			"no profile is named `%.60s`: did you mean `%s`? (tcptune profile list)",
			name, nearest);
	return tct_err_set(
		err, TCT_FAULT_INPUT, ENOENT,
		"no profile is named `%.60s` (tcptune profile list; a file is given with a /)",
		name);
}

int tct_profile_read(const struct tct_root *root, const char *asked, char **data, size_t *length,
		     char origin[280], bool *built_in, struct tct_err *err)
{
	const struct tct_embedded_file *embedded;
	char path[160];

	*built_in = false;
	origin[0] = '\0';
	if (strchr(asked, '/') != NULL)
		return read_path(asked, data, length, origin, err);
	if (!tct_name_valid(asked, "_-") || strlen(asked) > 63)
		return tct_err_set(
			err, TCT_FAULT_INPUT, ENOENT,
			"`%.60s` can't name a profile: small letters, digits, - and _; a file is given with a /",
			asked);
	if (root != NULL) {
		int status;

		if (snprintf(path, sizeof(path), TCT_PROFILE_DIR "/%s.yaml", asked) < 0)
			return tct_err_nomem(err);
		tct_profile_origin(root, path, origin);
		status = tct_root_read(root, path, TCT_YAML_FILE_MAX, data, length);
		if (status == 0)
			return 0;
		if (status != -ENOENT && status != -ENOTDIR)
			return read_error(origin, -status, err);
	}
	embedded = tct_embedded_profile(asked);
	if (embedded == NULL)
		return not_found(root, asked, origin, err);
	*data = tct_text_copy(embedded->data, embedded->size);
	*length = embedded->size;
	*built_in = true;
	if (*data == NULL || snprintf(origin, 280, "%s%s", built_in_origin, asked) < 0)
		return tct_err_nomem(err);
	return 0;
}

int tct_profile_text(const struct tct_root *root, const char *name, char **text, size_t *length,
		     char origin[280], struct tct_err *err)
{
	bool built_in;
	int status = tct_profile_read(root, name, text, length, origin, &built_in, err);

	if (status == 0 && built_in && snprintf(origin, 280, "built in") < 0)
		origin[0] = '\0';
	return status;
}

int tct_profile_header(const struct tct_yaml_node *root, const char *expected,
		       struct tct_profile_file *file, struct tct_err *err)
{
	enum { SCHEMA, NAME, SUMMARY, EXTENDS, VARIABLES, SETTINGS, RULES, NEVER, FIELDS };
	static const struct tct_field fields[FIELDS] = {
		[SCHEMA] = { "schema", TCT_WANT_TEXT, true },
		[NAME] = { "name", TCT_WANT_TEXT, true },
		[SUMMARY] = { "summary", TCT_WANT_TEXT, true },
		[EXTENDS] = { "extends", TCT_WANT_LIST, false },
		[VARIABLES] = { "variables", TCT_WANT_MAP, false },
		[SETTINGS] = { "settings", TCT_WANT_MAP, false },
		[RULES] = { "rules", TCT_WANT_LIST, false },
		[NEVER] = { "never", TCT_WANT_LIST, false },
	};
	const struct tct_yaml_node *values[FIELDS];
	int status = tct_fields_read(root, "a profile", fields, FIELDS, values, err);

	if (status < 0)
		return status;
	if (strcmp(values[SCHEMA]->text, TCT_PROFILE_SCHEMA) != 0)
		return tct_yaml_error(values[SCHEMA], err,
				      "unknown schema `%.60s`: this tcptune reads %s",
				      values[SCHEMA]->text, TCT_PROFILE_SCHEMA);
	status = tct_field_text(values[NAME], "`name`", &file->name, err);
	if (status == 0)
		status = tct_field_text(values[SUMMARY], "`summary`", &file->summary, err);
	if (status < 0)
		return status;
	if (!tct_name_valid(file->name, "_-") || values[NAME]->length > 63)
		return tct_yaml_error(
			values[NAME], err,
			"`%.60s` can't name a profile: small letters, digits, - and _ (up to 63)",
			file->name);
	if (expected != NULL && strcmp(file->name, expected) != 0)
		return tct_yaml_error(values[NAME], err,
				      "the profile is named `%s`, but its file `%s.yaml`",
				      file->name, expected);
	file->root = root;
	file->extends = values[EXTENDS];
	file->variables = values[VARIABLES];
	file->settings = values[SETTINGS];
	file->rules = values[RULES];
	file->never = values[NEVER];
	return 0;
}
