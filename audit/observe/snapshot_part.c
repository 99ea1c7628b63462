/* Structs to JSON objects, by the tables of their members. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/observe/snapshot_private.h"
#include "core/mem.h"
#include "core/text.h"

json_t *tct_bytes_json(const char *text)
{
	TCT_AUTO(tct_text_done) struct tct_text hex = { 0 };
	size_t length;

	if (text == NULL)
		return json_null();
	length = strlen(text);
	if (tct_text_is_utf8(text, length))
		return json_stringn(text, length);
	for (size_t i = 0; i < length; i++)
		tct_text_addf(&hex, "%02x", (unsigned)(unsigned char)text[i]);
	return hex.failed ? NULL : json_pack("{s:s}", "hex", hex.data);
}

static uint64_t read_natural(const struct tct_member *member, const char *at)
{
	uint64_t wide;
	uint32_t number;
	uint16_t small;

	switch (member->size) {
	case sizeof(small):
		memcpy(&small, at, sizeof(small));
		return small;
	case sizeof(number):
		memcpy(&number, at, sizeof(number));
		return number;
	default:
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
}

static int64_t read_number(const struct tct_member *member, const char *at)
{
	int64_t wide;
	int32_t number;

	if (member->size == sizeof(wide)) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&number, at, sizeof(number));
	return number;
}

/* JSON's integers end at 2^63 - 1 for most readers; identities beyond are written as text. */
static json_t *natural_json(uint64_t number)
{
	char text[24];

	if (number <= INT64_MAX)
		return json_integer((json_int_t)number);
	if (snprintf(text, sizeof(text), "%" PRIu64, number) < 0)
		return NULL;
	return json_string(text);
}

/*
 * By step in seconds, only where the count is another than at the next step: a step that isn't
 * there has the count of the next one that is.
 */
static json_t *idle_json(const char *at)
{
	int64_t counts[TCT_IDLE_STEPS];
	json_t *object = json_object();
	int failed = object == NULL ? -1 : 0;

	memcpy(counts, at, sizeof(counts));
	for (size_t i = 0; i < TCT_IDLE_STEPS && failed == 0; i++) {
		char step[24];

		if (counts[i] == (i + 1 < TCT_IDLE_STEPS ? counts[i + 1] : 0))
			continue;
		if (snprintf(step, sizeof(step), "%" PRId64, tct_idle_step_s[i]) < 0)
			failed = -1;
		else
			failed = json_object_set_new(object, step, json_integer(counts[i]));
	}
	if (failed == 0)
		return object;
	json_decref(object);
	return NULL;
}

/* An array, by the names of its places; a place without a name is not in use. */
static json_t *array_json(const struct tct_member *member, const char *at)
{
	size_t step = member->size / member->names_count;
	json_t *object = json_object();

	for (size_t i = 0; i < member->names_count; i++, at += step) {
		json_t *value;
		int64_t number;

		if (member->names[i] == NULL)
			continue;
		memcpy(&number, at, sizeof(number));
		value = member->kind == TCT_MEMBER_COUNTS ? json_integer(number)
							  : tct_part_json(member->part, at);
		if (json_object_set_new(object, member->names[i], value) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static const char *choice_name(const struct tct_member *member, uint64_t chosen)
{
	return chosen < member->names_count ? member->names[chosen] : NULL;
}

static json_t *member_json(const struct tct_member *member, const char *at)
{
	bool flag;

	switch (member->kind) {
	case TCT_MEMBER_TEXT:
		return tct_bytes_json(at);
	case TCT_MEMBER_BOOL:
		memcpy(&flag, at, sizeof(flag));
		return json_boolean(flag);
	case TCT_MEMBER_NUMBER:
		return json_integer(read_number(member, at));
	case TCT_MEMBER_NATURAL:
		return natural_json(read_natural(member, at));
	case TCT_MEMBER_CHOICE:
		return json_string(choice_name(member, read_natural(member, at)));
	case TCT_MEMBER_PART:
		return tct_part_json(member->part, at);
	case TCT_MEMBER_PARTS:
	case TCT_MEMBER_COUNTS:
		return array_json(member, at);
	case TCT_MEMBER_IDLE:
		return idle_json(at);
	}
	return NULL;
}

json_t *tct_part_json(const struct tct_part *part, const void *data)
{
	json_t *object = json_object();

	for (size_t i = 0; i < part->count; i++) {
		const struct tct_member *member = &part->members[i];
		json_t *value = member_json(member, (const char *)data + member->offset);

		if (json_object_set_new(object, member->name, value) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
