/* JSON objects to structs, by the tables of their members: each value is checked. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/snapshot_private.h"
#include "core/mem.h"
#include "core/text.h"

static size_t add_where(const struct tct_where *where, char *out, size_t size)
{
	size_t used = where->above != NULL ? add_where(where->above, out, size) : 0;
	int length;

	if (where->name == NULL)
		length = snprintf(out + used, size - used, "[%zu]", where->index);
	else
		length = snprintf(out + used, size - used, "%s%.80s", used > 0 ? "." : "",
				  where->name);
	if (length < 0 || (size_t)length >= size - used)
		return used; /* a cut path still tells the section */
	return used + (size_t)length;
}

int tct_loading_fail(const struct tct_loading *loading, const struct tct_where *where,
		     const char *format, ...)
{
	char path[240] = "";
	char message[240];
	va_list arguments;

	path[add_where(where, path, sizeof(path))] = '\0';
	va_start(arguments, format);
	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		message[0] = '\0';
	va_end(arguments);
	return tct_err_at(loading->err, loading->file, 0, 0, "%s: %s", path, message);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Two digits a byte, none of which is NUL; false if it is anything else. */
static bool from_hex(const char *hex, char *out)
{
	for (; *hex != '\0'; hex += 2) {
		int high = digit(hex[0]);
		int low = high < 0 ? -1 : digit(hex[1]);

		if (low < 0 || high + low == 0)
			return false;
		*out++ = (char)(unsigned char)(high * 16 + low);
	}
	*out = '\0';
	return true;
}

int tct_bytes_from_json(const struct tct_loading *loading, const struct tct_where *where,
			const json_t *json, char **text)
{
	const json_t *hex = json_is_object(json) ? json_object_get(json, "hex") : NULL;
	TCT_AUTOFREE char *bytes = NULL;

	if (json_is_null(json)) {
		*text = NULL;
		return 0;
	}
	if (json_is_string(json)) {
		/* jansson refuses \u0000. */
		*text = tct_text_copy(json_string_value(json), json_string_length(json));
		return *text != NULL ? 0 : tct_err_nomem(loading->err);
	}
	if (!json_is_string(hex))
		return tct_loading_fail(loading, where, "a text is needed");
	bytes = malloc(json_string_length(hex) / 2 + 1);
	if (bytes == NULL)
		return tct_err_nomem(loading->err);
	if (!from_hex(json_string_value(hex), bytes))
		return tct_loading_fail(loading, where, "these are no bytes in hexadecimal");
	*text = TCT_STEAL(bytes);
	return 0;
}

static int take_text(const struct tct_loading *loading, const struct tct_where *where,
		     const json_t *json, const struct tct_member *member, char *at)
{
	TCT_AUTOFREE char *text = NULL;
	int result = tct_bytes_from_json(loading, where, json, &text);

	if (result < 0)
		return result;
	if (text == NULL)
		return tct_loading_fail(loading, where, "a text is needed");
	if (strlen(text) >= member->size)
		return tct_loading_fail(loading, where, "longer than %zu bytes", member->size - 1);
	memset(at, 0, member->size);
	memcpy(at, text, strlen(text) + 1);
	return 0;
}

static int take_number(const struct tct_loading *loading, const struct tct_where *where,
		       const json_t *json, int64_t min, int64_t max, int64_t *number)
{
	if (!json_is_integer(json) || json_integer_value(json) < min ||
	    json_integer_value(json) > max)
		return tct_loading_fail(loading, where,
					"a whole number from %" PRId64 " to %" PRId64 " is needed",
					min, max);
	*number = json_integer_value(json);
	return 0;
}

static bool parse_natural(const char *text, uint64_t *number)
{
	if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
		return false;
	errno = 0;
	*number = strtoull(text, NULL, 10);
	return errno == 0;
}

static int take_natural(const struct tct_loading *loading, const struct tct_where *where,
			const json_t *json, const struct tct_member *member, char *at)
{
	uint64_t max = member->size >= sizeof(uint64_t) ? UINT64_MAX
							: (UINT64_C(1) << 8 * member->size) - 1;
	uint64_t number = UINT64_MAX;
	bool good = false;

	if (json_is_integer(json)) {
		good = json_integer_value(json) >= 0;
		number = (uint64_t)json_integer_value(json);
	} else if (json_is_string(json)) {
		good = parse_natural(json_string_value(json), &number);
	}
	if (!good || number > max)
		return tct_loading_fail(loading, where,
					"a whole number from 0 to %" PRIu64 " is needed", max);

	const uint16_t small = (uint16_t)number;
	const uint32_t middle = (uint32_t)number;

	if (member->size == sizeof(small))
		memcpy(at, &small, sizeof(small));
	else if (member->size == sizeof(middle))
		memcpy(at, &middle, sizeof(middle));
	else
		memcpy(at, &number, sizeof(number));
	return 0;
}

static int take_choice(const struct tct_loading *loading, const struct tct_where *where,
		       const json_t *json, const struct tct_member *member, char *at)
{
	if (!json_is_string(json))
		return tct_loading_fail(loading, where, "a word is needed");
	for (uint32_t i = 0; i < member->names_count; i++) {
		if (member->names[i] != NULL &&
		    strcmp(member->names[i], json_string_value(json)) == 0) {
			memcpy(at, &i, sizeof(i));
			return 0;
		}
	}
	return tct_loading_fail(loading, where, "'%.40s' is not known here",
				json_string_value(json));
}

/* The count at the least step in the object that is not below `step`; 0 if there is none. */
static int take_idle_count(const struct tct_loading *loading, const struct tct_where *where,
			   const json_t *json, int64_t step, int64_t max, int64_t *count)
{
	uint64_t nearest = UINT64_MAX;
	const json_t *found = NULL;
	const char *name;
	json_t *value;

	*count = 0;
	json_object_foreach((json_t *)(uintptr_t)json, name, value) {
		uint64_t number;

		if (!parse_natural(name, &number) || number < (uint64_t)step ||
		    (found != NULL && number >= nearest))
			continue;
		nearest = number;
		found = value;
	}
	return found == NULL ? 0 : take_number(loading, where, found, 0, max, count);
}

static int take_idle(const struct tct_loading *loading, const struct tct_where *where,
		     const json_t *json, const struct tct_member *member, char *at)
{
	enum { STEPS_MAX = 1000 };
	int64_t counts[TCT_IDLE_STEPS];

	if (!json_is_object(json) || json_object_size(json) > STEPS_MAX)
		return tct_loading_fail(loading, where, "an object of counts is needed");
	for (size_t i = 0; i < TCT_IDLE_STEPS; i++) {
		int result = take_idle_count(loading, where, json, tct_idle_step_s[i], member->max,
					     &counts[i]);

		if (result < 0)
			return result;
	}
	memcpy(at, counts, sizeof(counts));
	return 0;
}

static int take_array(const struct tct_loading *loading, const struct tct_where *where,
		      const json_t *json, const struct tct_member *member, char *at)
{
	size_t step = member->size / member->names_count;

	for (size_t i = 0; i < member->names_count; i++, at += step) {
		const struct tct_where here = { where, member->names[i], 0 };
		const json_t *value;
		int64_t number;
		int error = 0;

		if (member->names[i] == NULL ||
		    (member->names_later > 0 && i >= member->names_later && json_is_object(json) &&
		     json_object_get(json, member->names[i]) == NULL))
			continue;
		value = tct_loading_member(
			loading, where, json, member->names[i],
			member->kind == TCT_MEMBER_COUNTS ? JSON_INTEGER : JSON_OBJECT, &error);
		if (value == NULL)
			return error;
		if (member->kind == TCT_MEMBER_COUNTS) {
			error = take_number(loading, &here, value, member->min, member->max,
					    &number);
			if (error == 0)
				memcpy(at, &number, sizeof(number));
		} else {
			error = tct_part_from_json(loading, &here, value, member->part, at);
		}
		if (error < 0)
			return error;
	}
	return 0;
}

static void put_number(const struct tct_member *member, int64_t number, char *at)
{
	const int32_t narrow = (int32_t)number; /* max says that it fits */

	if (member->size == sizeof(number))
		memcpy(at, &number, sizeof(number));
	else
		memcpy(at, &narrow, sizeof(narrow));
}

static int take_member(const struct tct_loading *loading, const struct tct_where *where,
		       const json_t *json, const struct tct_member *member, char *at)
{
	int64_t number = 0;
	bool flag;
	int result;

	switch (member->kind) {
	case TCT_MEMBER_TEXT:
		return take_text(loading, where, json, member, at);
	case TCT_MEMBER_BOOL:
		if (!json_is_boolean(json))
			return tct_loading_fail(loading, where, "true or false is needed");
		flag = json_is_true(json);
		memcpy(at, &flag, sizeof(flag));
		return 0;
	case TCT_MEMBER_NUMBER:
		result = take_number(loading, where, json, member->min, member->max, &number);
		if (result == 0)
			put_number(member, number, at);
		return result;
	case TCT_MEMBER_NATURAL:
		return take_natural(loading, where, json, member, at);
	case TCT_MEMBER_CHOICE:
		return take_choice(loading, where, json, member, at);
	case TCT_MEMBER_PART:
		return tct_part_from_json(loading, where, json, member->part, at);
	case TCT_MEMBER_PARTS:
	case TCT_MEMBER_COUNTS:
		return take_array(loading, where, json, member, at);
	case TCT_MEMBER_IDLE:
		return take_idle(loading, where, json, member, at);
	}
	return 0;
}

int tct_part_from_json(const struct tct_loading *loading, const struct tct_where *where,
		       const json_t *json, const struct tct_part *part, void *data)
{
	if (!json_is_object(json))
		return tct_loading_fail(loading, where, "an object is needed");
	for (size_t i = 0; i < part->count; i++) {
		const struct tct_member *member = &part->members[i];
		const struct tct_where here = { where, member->name, 0 };
		const json_t *value = json_object_get(json, member->name);
		int result;

		char *at = (char *)data + member->offset;

		if (value == NULL && member->later) {
			if (member->kind == TCT_MEMBER_NUMBER)
				put_number(member, member->absent, at);
			continue;
		}
		if (value == NULL)
			return tct_loading_fail(loading, &here, "it is missing");
		result = take_member(loading, &here, value, member, at);
		if (result < 0)
			return result;
	}
	return 0;
}

static const char *type_words(json_type type)
{
	switch (type) {
	case JSON_OBJECT:
		return "an object is needed";
	case JSON_ARRAY:
		return "a list is needed";
	case JSON_STRING:
		return "a text is needed";
	case JSON_INTEGER:
		return "a whole number is needed";
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	return "another type is needed";
}

const json_t *tct_loading_member(const struct tct_loading *loading, const struct tct_where *where,
				 const json_t *object, const char *name, json_type type, int *error)
{
	const json_t *value = json_object_get(object, name);
	const struct tct_where here = { where, name, 0 };

	if (value == NULL)
		*error = tct_loading_fail(loading, &here, "it is missing");
	else if (json_typeof(value) != type)
		*error = tct_loading_fail(loading, &here, "%s", type_words(type));
	else
		return value;
	return NULL;
}
