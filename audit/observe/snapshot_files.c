/* The sysctl files in a snapshot: what their lines said; the boot winners follow from that again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/snapshot_private.h"
#include "core/mem.h"

static json_t *line_json(const struct tct_sysctl_files *files, size_t i)
{
	struct tct_line_said said;

	tct_sysctl_files_said(files, i, &said);
	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:b, s:I, s:I, s:I}", "file",
			 (json_int_t)said.file, "line", (json_int_t)said.line, "path",
			 tct_bytes_json(said.path), "procps_path", tct_bytes_json(said.procps_path),
			 "value", tct_bytes_json(said.value), "ignore_errors", said.ignore_errors,
			 "read_by", (json_int_t)said.read_by, "without_ours",
			 (json_int_t)said.without_ours, "twin", (json_int_t)said.twin);
}

static json_t *fault_json(const struct tct_sysctl_files *files, size_t i)
{
	const struct tct_file_fault *fault = &files->faults[i];

	return json_pack("{s:I, s:I, s:I, s:b, s:o}", "file",
			 (json_int_t)tct_sysctl_files_path_index(files, fault->file), "line",
			 (json_int_t)fault->line, "affects", (json_int_t)fault->affects, "unread",
			 fault->unread, "what", tct_bytes_json(fault->what));
}

static json_t *path_json(const struct tct_sysctl_files *files, size_t i)
{
	return tct_bytes_json(files->paths[i]);
}

static int add_list(json_t *object, const char *name, const struct tct_sysctl_files *files,
		    size_t count, json_t *(*make)(const struct tct_sysctl_files *files, size_t i))
{
	json_t *list = json_array();
	int failed = list == NULL ? -1 : 0;

	for (size_t i = 0; i < count && failed == 0; i++)
		failed = json_array_append_new(list, make(files, i));
	if (failed != 0) {
		json_decref(list);
		return -1;
	}
	return json_object_set_new(object, name, list);
}

json_t *tct_snapshot_files_json(const struct tct_sysctl_files *files)
{
	json_t *object = files != NULL ? json_object() : json_null();
	int failed = 0;

	if (files == NULL)
		return object;
	failed |= add_list(object, "paths", files, files->paths_count, path_json);
	failed |= add_list(object, "lines", files, files->lines_count, line_json);
	failed |= add_list(object, "faults", files, files->faults_count, fault_json);
	if (failed == 0)
		return object;
	json_decref(object);
	return NULL;
}

/* A number that must be there, from 0 to max. */
static int take_number(const struct tct_loading *loading, const struct tct_where *where,
		       const json_t *object, const char *name, int64_t max, int64_t *number)
{
	const struct tct_where here = { where, name, 0 };
	int error = 0;
	const json_t *json = tct_loading_member(loading, where, object, name, JSON_INTEGER, &error);

	if (json == NULL)
		return error;
	if (json_integer_value(json) < 0 || json_integer_value(json) > max)
		return tct_loading_fail(loading, &here, "a whole number from 0 to %lld is needed",
					(long long)max);
	*number = json_integer_value(json);
	return 0;
}

static int take_flag(const struct tct_loading *loading, const struct tct_where *where,
		     const json_t *object, const char *name, bool *flag)
{
	const struct tct_where here = { where, name, 0 };
	const json_t *json = json_object_get(object, name);

	if (!json_is_boolean(json))
		return tct_loading_fail(loading, &here, "true or false is needed");
	*flag = json_is_true(json);
	return 0;
}

static int take_bytes(const struct tct_loading *loading, const struct tct_where *where,
		      const json_t *object, const char *name, char **text)
{
	const struct tct_where here = { where, name, 0 };
	const json_t *json = json_object_get(object, name);

	if (json == NULL)
		return tct_loading_fail(loading, &here, "it is missing");
	return tct_bytes_from_json(loading, &here, json, text);
}

/* Errors of the reader belong to this place. */
static int place_error(const struct tct_loading *loading, const struct tct_where *where,
		       const struct tct_err *err, int result)
{
	if (result == -ENOMEM)
		return tct_err_nomem(loading->err);
	return result < 0 ? tct_loading_fail(loading, where, "%s", err->message) : 0;
}

static int take_line(const struct tct_loading *loading, const struct tct_where *where,
		     const json_t *json, struct tct_sysctl_files *files)
{
	TCT_AUTOFREE char *path = NULL;
	TCT_AUTOFREE char *procps_path = NULL;
	TCT_AUTOFREE char *value = NULL;
	struct tct_line_said said = { 0 };
	struct tct_err err = { 0 };
	int64_t numbers[5] = { 0 };
	static const struct {
		const char *name;
		int64_t max;
	} members[] = {
		{ "file", INT32_MAX },         { "line", UINT32_MAX }, { "read_by", UINT8_MAX },
		{ "without_ours", UINT8_MAX }, { "twin", INT32_MAX },
	};
	int result = 0;

	for (size_t i = 0; i < TCT_COUNT(members) && result == 0; i++)
		result = take_number(loading, where, json, members[i].name, members[i].max,
				     &numbers[i]);
	if (result == 0)
		result = take_flag(loading, where, json, "ignore_errors", &said.ignore_errors);
	if (result == 0)
		result = take_bytes(loading, where, json, "path", &path);
	if (result == 0)
		result = take_bytes(loading, where, json, "procps_path", &procps_path);
	if (result == 0)
		result = take_bytes(loading, where, json, "value", &value);
	if (result < 0)
		return result;
	said.file = (size_t)numbers[0];
	said.line = (unsigned)numbers[1];
	said.read_by = (unsigned)numbers[2];
	said.without_ours = (unsigned)numbers[3];
	said.twin = (size_t)numbers[4];
	said.path = path != NULL ? path : "";
	said.procps_path = procps_path;
	said.value = value;
	result = tct_sysctl_files_add_line(files, &said, &err);
	return place_error(loading, where, &err, result);
}

static int take_fault(const struct tct_loading *loading, const struct tct_where *where,
		      const json_t *json, struct tct_sysctl_files *files)
{
	const struct tct_where here = { where, "what", 0 };
	TCT_AUTOFREE char *what = NULL;
	struct tct_file_fault fault = { 0 };
	struct tct_err err = { 0 };
	int64_t file = 0;
	int64_t line = 0;
	int64_t affects = 0;
	int result = take_number(loading, where, json, "file", INT32_MAX, &file);

	if (result == 0)
		result = take_number(loading, where, json, "line", UINT32_MAX, &line);
	if (result == 0)
		result = take_number(loading, where, json, "affects", UINT8_MAX, &affects);
	if (result == 0)
		result = take_flag(loading, where, json, "unread", &fault.unread);
	if (result == 0)
		result = take_bytes(loading, where, json, "what", &what);
	if (result < 0)
		return result;
	if (what == NULL || strlen(what) >= sizeof(fault.what))
		return tct_loading_fail(loading, &here, "a text of up to %zu bytes is needed",
					sizeof(fault.what) - 1);
	memcpy(fault.what, what, strlen(what));
	fault.line = (unsigned)line;
	fault.affects = (unsigned)affects;
	result = tct_sysctl_files_add_fault(files, (size_t)file, &fault, &err);
	return place_error(loading, where, &err, result);
}

static int take_path(const struct tct_loading *loading, const struct tct_where *where,
		     const json_t *json, struct tct_sysctl_files *files)
{
	TCT_AUTOFREE char *path = NULL;
	struct tct_err err = { 0 };
	int result = tct_bytes_from_json(loading, where, json, &path);

	if (result == 0)
		result = tct_sysctl_files_add_path(files, path != NULL ? path : "", &err);
	else
		return result;
	return place_error(loading, where, &err, result);
}

typedef int take_fn(const struct tct_loading *loading, const struct tct_where *where,
		    const json_t *json, struct tct_sysctl_files *files);

static int take_list(const struct tct_loading *loading, const struct tct_where *where,
		     const json_t *object, const char *name, take_fn *take,
		     struct tct_sysctl_files *files)
{
	const struct tct_where list = { where, name, 0 };
	int result = 0;
	const json_t *items = tct_loading_member(loading, where, object, name, JSON_ARRAY, &result);

	for (size_t i = 0; i < json_array_size(items) && result == 0; i++) {
		const struct tct_where here = { &list, NULL, i };

		result = take(loading, &here, json_array_get(items, i), files);
	}
	return result;
}

static void free_auto(struct tct_sysctl_files **files)
{
	tct_sysctl_files_free(*files);
}

int tct_snapshot_files_from_json(const struct tct_loading *loading, const struct tct_where *where,
				 const json_t *json, struct tct_sysctl_files **out)
{
	TCT_AUTO(free_auto) struct tct_sysctl_files *files = NULL;
	struct tct_err err = { 0 };
	int result;

	if (json_is_null(json))
		return 0;
	if (!json_is_object(json))
		return tct_loading_fail(loading, where, "an object or null is needed");
	result = tct_sysctl_files_begin(&files, loading->err);
	if (result == 0)
		result = take_list(loading, where, json, "paths", take_path, files);
	if (result == 0)
		result = take_list(loading, where, json, "lines", take_line, files);
	if (result == 0)
		result = take_list(loading, where, json, "faults", take_fault, files);
	if (result < 0)
		return result;
	result = place_error(loading, where, &err, tct_sysctl_files_end(files, &err));
	if (result == 0)
		*out = TCT_STEAL(files);
	return result;
}
