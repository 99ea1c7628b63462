/* Documents from files that anybody may have written, and the snapshot in one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/observe/snapshot_private.h"
#include "core/mem.h"
#include "core/text.h"

/* What the parsed document may take, by an estimate that is rather too high. */
#define TREE_BYTES_MAX (INT64_C(512) << 20)

static int file_error(const char *file, int code, struct tct_err *err)
{
	if (code == ENOMEM)
		return tct_err_nomem(err);
	(void)tct_err_at(err, file, 0, 0, "%s", strerror(code));
	if (err != NULL)
		err->code = code;
	return -code;
}

static const char *name_of(const char *file)
{
	return strcmp(file, "-") == 0 ? "standard input" : file;
}

/* A file, a pipe, or what a shell gives as /dev/stdin. */
static int open_file(const char *file, int *fd, struct tct_err *err)
{
	struct stat status;

	if (strcmp(file, "-") == 0)
		*fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		*fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd < 0 || fstat(*fd, &status) < 0)
		return file_error(name_of(file), errno, err);
	if (S_ISDIR(status.st_mode))
		return file_error(name_of(file), EISDIR, err);
	if (S_ISBLK(status.st_mode))
		return tct_err_at(err, name_of(file), 0, 0, "a block device, not a file");
	return 0;
}

static int read_all(const char *file, int fd, struct tct_text *text, struct tct_err *err)
{
	TCT_AUTOFREE char *buffer = malloc(1 << 16);

	if (buffer == NULL)
		return tct_err_nomem(err);
	for (;;) {
		ssize_t length = read(fd, buffer, 1 << 16);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return file_error(name_of(file), errno, err);
		if (length == 0)
			break;
		if (text->length + (size_t)length > TCT_SNAPSHOT_BYTES_MAX)
			return tct_err_at(err, name_of(file), 0, 0, "larger than %d MiB",
					  TCT_SNAPSHOT_BYTES_MAX >> 20);
		tct_text_add_bytes(text, buffer, (size_t)length);
		if (text->failed)
			return tct_err_nomem(err);
	}
	return 0;
}

/* The memory of a parsed document, from the marks outside its strings. */
static int64_t estimate(const char *text, size_t length)
{
	enum { OBJECT = 320, LIST = 160, MEMBER = 160 };
	int64_t bytes = 0;
	bool inside = false;

	for (size_t i = 0; i < length; i++) {
		switch (text[i]) {
		case '"':
			inside = !inside;
			break;
		case '\\':
			i += inside ? 1 : 0;
			break;
		case '{':
			bytes += inside ? 0 : OBJECT;
			break;
		case '[':
			bytes += inside ? 0 : LIST;
			break;
		case ',':
			bytes += inside ? 0 : MEMBER;
			break;
		default:
			break;
		}
	}
	return bytes;
}

int tct_document_parse(const char *file, const char *text, size_t length, json_t **document,
		       struct tct_err *err)
{
	const char *name = name_of(file);
	json_error_t error;
	json_t *json;

	if (length == 0)
		return tct_err_at(err, name, 0, 0, "it is empty");
	if (estimate(text, length) > TREE_BYTES_MAX)
		return tct_err_at(err, name, 0, 0, "it holds too many values");
	json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL && json_error_code(&error) == json_error_out_of_memory)
		return tct_err_nomem(err);
	if (json == NULL)
		return tct_err_at(err, name, error.line > 0 ? (unsigned)error.line : 0,
				  error.line > 0 && error.column > 0 ? (unsigned)error.column : 0,
				  "%s", error.text);
	*document = json;
	return 0;
}

int tct_document_read(const char *file, json_t **document, struct tct_err *err)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	TCT_AUTOCLOSE int fd = -1;
	int result = open_file(file, &fd, err);

	if (result == 0)
		result = read_all(file, fd, &text, err);
	if (result == 0)
		result = tct_document_parse(file, tct_text_string(&text), text.length, document,
					    err);
	return result;
}

const char *tct_document_schema(const json_t *document)
{
	const char *schema = json_string_value(json_object_get(document, "schema"));

	return schema != NULL ? schema : "";
}

static int check_schema(const char *file, const json_t *document, struct tct_err *err)
{
	static const char kind[] = "tcptune.snapshot.v";
	const char *schema = tct_document_schema(document);

	if (strcmp(schema, TCT_SNAPSHOT_SCHEMA) == 0)
		return 0;
	if (strncmp(schema, kind, sizeof(kind) - 1) == 0)
		return tct_err_at(err, file, 0, 0,
				  "its schema is %.60s: this tcptune reads " TCT_SNAPSHOT_SCHEMA,
				  schema);
	if (schema[0] != '\0')
		return tct_err_at(err, file, 0, 0, "its schema is %.60s: this is no snapshot",
				  schema);
	return tct_err_at(err, file, 0, 0,
			  "this is no snapshot: there is no \"schema\": \"" TCT_SNAPSHOT_SCHEMA
			  "\"");
}

static int take_text(const struct tct_loading *loading, const json_t *document,
		     struct tct_snapshot *snapshot)
{
	const struct tct_where made_by = { NULL, "tcptune", 0 };
	const struct tct_where variables = { NULL, "variables", 0 };
	int result = 0;
	const json_t *version =
		tct_loading_member(loading, NULL, document, "tcptune", JSON_STRING, &result);

	if (version == NULL)
		return result;
	if (json_string_length(version) >= sizeof(snapshot->tcptune))
		return tct_loading_fail(loading, &made_by, "longer than %zu bytes",
					sizeof(snapshot->tcptune) - 1);
	memcpy(snapshot->tcptune, json_string_value(version), json_string_length(version));
	return tct_bytes_from_json(loading, &variables, json_object_get(document, "variables"),
				   &snapshot->variables);
}

static int take_observations(const struct tct_loading *loading, const json_t *document,
			     struct tct_snapshot *snapshot)
{
	const struct tct_where list = { NULL, "observations", 0 };
	int result = 0;
	const json_t *items =
		tct_loading_member(loading, NULL, document, "observations", JSON_ARRAY, &result);

	if (items == NULL)
		return result;
	if (json_array_size(items) == 0)
		return tct_loading_fail(loading, &list, "there is none");
	if (json_array_size(items) > TCT_SNAPSHOT_OBSERVATIONS_MAX)
		return tct_loading_fail(loading, &list, "there are more than %d",
					TCT_SNAPSHOT_OBSERVATIONS_MAX);
	for (size_t i = 0; i < json_array_size(items) && result == 0; i++) {
		const struct tct_where here = { &list, NULL, i };
		struct tct_observation *observation = tct_observation_new();

		if (observation == NULL || tct_snapshot_add(snapshot, observation) < 0)
			return tct_err_nomem(loading->err);
		result = tct_observation_from_json(loading, &here, json_array_get(items, i),
						   observation);
	}
	return result;
}

int tct_snapshot_from_json(const char *file, const json_t *document, struct tct_snapshot *snapshot,
			   struct tct_err *err)
{
	const struct tct_loading loading = { name_of(file), err };
	int result = check_schema(name_of(file), document, err);

	if (result == 0)
		result = take_text(&loading, document, snapshot);
	if (result == 0)
		result = take_observations(&loading, document, snapshot);
	return result;
}

static void drop_document(json_t *const *document)
{
	json_decref(*document);
}

int tct_snapshot_load(const char *file, struct tct_snapshot *snapshot, struct tct_err *err)
{
	TCT_AUTO(drop_document) json_t *document = NULL;
	int result = tct_document_read(file, &document, err);

	return result < 0 ? result : tct_snapshot_from_json(file, document, snapshot, err);
}
