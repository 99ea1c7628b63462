#include "core/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "core/value_scan.h"

void tct_value_done(struct tct_value *value)
{
	free(value->text);
	*value = (struct tct_value){ 0 };
}

int tct_value_copy(struct tct_value *to, const struct tct_value *from)
{
	char *text = NULL;

	if (from->text != NULL) {
		text = tct_text_copy(from->text, strlen(from->text));
		if (text == NULL)
			return -ENOMEM;
	}
	*to = *from;
	to->text = text;
	return 0;
}

int tct_value_replace(struct tct_value *value, const struct tct_value *by)
{
	tct_value_done(value);
	return tct_value_copy(value, by);
}

static int refuse(struct tct_err *err, const char *why)
{
	return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "%s", why);
}

static int refuse_range(const struct tct_kernel_key *key, unsigned field, struct tct_err *err)
{
	if (key->fields > 1)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "field [%u] is outside what the kernel takes, %" PRId64
				   " to %" PRId64,
				   field, key->min, key->max);
	return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
			   "a number is outside what the kernel takes, %" PRId64 " to %" PRId64,
			   key->min, key->max);
}

/* What a number means, if it is one that the kernel takes or shows. */
static bool take_number(const struct tct_kernel_key *key, uint64_t magnitude, bool negative,
			int64_t *number)
{
	/* Rounded up by the slowest HZ, the largest milliseconds read as a bit more. */
	const uint64_t ms_most = INT32_MAX + UINT64_C(42);

	if (key != NULL && key->handler != TCT_HANDLER_MS)
		return tct_scan_convert(key, magnitude, negative, number);
	/* The handler would cut it to 32 bits; nobody means that. */
	if (key != NULL && (magnitude > ms_most || (negative && magnitude != 0)))
		return false;
	if (magnitude > INT64_MAX)
		return false;
	*number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

/* One to three numbers, all of the text. */
static int parse_numbers(const struct tct_kernel_key *key, const char *text,
			 struct tct_value *value, struct tct_err *err)
{
	struct tct_scan scan = { .at = text, .left = strlen(text) };
	unsigned fields = key != NULL ? key->fields : TCT_KEY_FIELDS_MAX;

	value->kind = TCT_VALUE_NUMBERS;
	for (;;) {
		uint64_t magnitude;
		bool negative;

		tct_scan_skip_spaces(&scan);
		if (scan.left == 0)
			break;
		if (value->count == fields)
			return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
					   "there is text after the %s",
					   fields == 1 ? "number" : "last number");
		if (!tct_scan_number(&scan, " \t\n", &magnitude, &negative))
			return refuse(err, "this is not a number");

		if (!take_number(key, magnitude, negative, &value->numbers[value->count]))
			return key != NULL ? refuse_range(key, value->count, err)
					   : refuse(err, "the number is too large");
		value->count++;
	}
	if (value->count == 0)
		return refuse(err, "there is no value");
	if (key != NULL && value->count < fields)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "%u numbers are needed, here are %u", fields, value->count);
	if (key != NULL && key->handler == TCT_HANDLER_PORT_RANGE &&
	    value->numbers[0] > value->numbers[1])
		return refuse(err, "the first port is above the last");
	return 0;
}

/* At most `most` words, joined by single blanks. */
static int parse_words(const char *text, unsigned most, struct tct_value *value,
		       struct tct_err *err)
{
	static const char white[] = " \t\r\n\v\f";
	TCT_AUTO(tct_text_done) struct tct_text words = { 0 };
	unsigned count = 0;

	for (text += strspn(text, white); *text != '\0'; text += strspn(text, white)) {
		size_t length = strcspn(text, white);

		if (++count > most)
			return refuse(err, "there is text after the name");
		if (!tct_text_is_utf8(text, length))
			return refuse(err, "the text is not UTF-8");
		if (count > 1)
			tct_text_add(&words, " ");
		tct_text_add_bytes(&words, text, length);
		text += length;
	}
	if (count == 0 && most == 1)
		return refuse(err, "there is no value");
	value->kind = TCT_VALUE_WORDS;
	value->count = count;
	value->text = tct_text_take(&words);
	return value->text != NULL ? 0 : tct_err_nomem(err);
}

static int parse_ports(const char *text, struct tct_value *value, struct tct_err *err)
{
	static const char white[] = " \t\r\n\v\f";
	struct tct_ports ports;
	struct tct_scan scan;

	text += strspn(text, white);
	scan = (struct tct_scan){ .at = text, .left = strlen(text) };
	while (scan.left > 0 && strchr(white, scan.at[scan.left - 1]) != NULL)
		scan.left--;
	if (!tct_ports_scan(&ports, &scan, true))
		return refuse(err, "this is not a list of ports like 8080,9000-9100");
	value->kind = TCT_VALUE_PORTS;
	value->text = tct_ports_text(&ports);
	return value->text != NULL ? 0 : tct_err_nomem(err);
}

static int parse_for_key(const struct tct_kernel_key *key, const char *text,
			 struct tct_value *value, struct tct_err *err)
{
	switch (key->handler) {
	case TCT_HANDLER_PORT_BITMAP:
		return parse_ports(text, value, err);
	case TCT_HANDLER_WORD:
		return parse_words(text, 1, value, err);
	case TCT_HANDLER_WORDS:
		return parse_words(text, UINT32_MAX, value, err);
	case TCT_HANDLER_SECRET:
		return refuse(err, "this is a secret: tcptune doesn't handle it");
	case TCT_HANDLER_INT:
	case TCT_HANDLER_INT_RANGE:
	case TCT_HANDLER_U8:
	case TCT_HANDLER_UINT:
	case TCT_HANDLER_SECONDS:
	case TCT_HANDLER_MS:
	case TCT_HANDLER_ULONG:
	case TCT_HANDLER_PORT_RANGE:
		break;
	}
	return parse_numbers(key, text, value, err);
}

int tct_value_parse(const struct tct_kernel_key *key, const char *text, struct tct_value *value,
		    struct tct_err *err)
{
	int result;

	*value = (struct tct_value){ 0 };
	if (key != NULL) {
		result = parse_for_key(key, text, value, err);
	} else {
		result = parse_numbers(NULL, text, value, NULL);
		if (result < 0) {
			*value = (struct tct_value){ 0 };
			result = parse_words(text, UINT32_MAX, value, err);
		}
	}
	if (result < 0)
		tct_value_done(value);
	return result;
}

bool tct_value_equal(const struct tct_value *a, const struct tct_value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case TCT_VALUE_NONE:
		return true;
	case TCT_VALUE_NUMBERS:
		return a->count == b->count &&
		       memcmp(a->numbers, b->numbers, a->count * sizeof(a->numbers[0])) == 0;
	case TCT_VALUE_WORDS:
	case TCT_VALUE_PORTS:
		return strcmp(a->text, b->text) == 0;
	}
	return false;
}

/* Milliseconds go to jiffies rounded up, and back the same way. Every HZ that Linux can be built
 * with. */
static bool rounds_to(int64_t written, int64_t read)
{
	static const int64_t rates[] = { 24,  32,  48,  64,  100,  128,  250,
					 256, 300, 500, 512, 1000, 1024, 1200 };

	for (size_t i = 0; i < TCT_COUNT(rates); i++) {
		int64_t jiffies = (written * rates[i] + 999) / 1000;

		if ((jiffies * 1000 + rates[i] - 1) / rates[i] == read)
			return true;
	}
	return false;
}

bool tct_value_stored_as(const struct tct_kernel_key *key, const struct tct_value *written,
			 const struct tct_value *read)
{
	if (tct_value_equal(written, read))
		return true;
	if (key == NULL || written->kind != TCT_VALUE_NUMBERS || read->kind != TCT_VALUE_NUMBERS ||
	    written->count != 1 || read->count != 1)
		return false;

	int64_t from = written->numbers[0];
	int64_t to = read->numbers[0];

	if (key->handler == TCT_HANDLER_MS)
		return from >= 0 && from <= INT32_MAX && rounds_to(from, to);
	return to > from && (uint64_t)to - (uint64_t)from < (uint64_t)key->rounding;
}

bool tct_value_default(const struct tct_kernel_key *key, tct_version kernel,
		       struct tct_value *value)
{
	bool dated = key->default_since != 0 || key->until != 0;

	if (!key->default_known || (dated && kernel == 0) || kernel < key->default_since ||
	    (key->until != 0 && kernel >= key->until))
		return false;
	*value = (struct tct_value){ .kind = TCT_VALUE_NUMBERS, .count = key->fields };
	memcpy(value->numbers, key->default_value, sizeof(value->numbers));
	return true;
}

char *tct_value_text(const struct tct_value *value)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	switch (value->kind) {
	case TCT_VALUE_NONE:
		break;
	case TCT_VALUE_NUMBERS:
		for (unsigned i = 0; i < value->count; i++)
			tct_text_addf(&text, "%s%" PRId64, i > 0 ? " " : "", value->numbers[i]);
		break;
	case TCT_VALUE_WORDS:
	case TCT_VALUE_PORTS:
		tct_text_add(&text, value->text);
		break;
	}
	return tct_text_take(&text);
}

json_t *tct_value_json(const struct tct_value *value)
{
	json_t *array;

	switch (value->kind) {
	case TCT_VALUE_NONE:
		return json_null();
	case TCT_VALUE_WORDS:
	case TCT_VALUE_PORTS:
		return json_string(value->text);
	case TCT_VALUE_NUMBERS:
		break;
	}
	if (value->count == 1)
		return json_integer(value->numbers[0]);
	array = json_array();
	for (unsigned i = 0; array != NULL && i < value->count; i++) {
		if (json_array_append_new(array, json_integer(value->numbers[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* The numbers of an integer or an array of integers as text. */
static int numbers_text(const json_t *json, struct tct_text *text, struct tct_err *err)
{
	size_t count = json_is_array(json) ? json_array_size(json) : 1;

	if (count == 0 || count > TCT_KEY_FIELDS_MAX)
		return refuse(err, "a list of one to three numbers is needed");
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_is_array(json) ? json_array_get(json, i) : json;

		if (!json_is_integer(item))
			return refuse(err, "a number, a list of numbers or a string is needed");
		tct_text_addf(text, "%s%" JSON_INTEGER_FORMAT, i > 0 ? " " : "",
			      json_integer_value(item));
	}
	return 0;
}

int tct_value_from_json(const struct tct_kernel_key *key, const json_t *json,
			struct tct_value *value, struct tct_err *err)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	bool words = key != NULL && key->unit == TCT_UNIT_NAME;
	bool ports = key != NULL && key->handler == TCT_HANDLER_PORT_BITMAP;

	*value = (struct tct_value){ 0 };
	if (json_is_null(json))
		return key == NULL ? 0 : refuse(err, "a value is needed");
	if (json_is_string(json)) {
		if (key != NULL && !words && !ports)
			return refuse(err, "a number or a list of numbers is needed");
		if (strlen(json_string_value(json)) != json_string_length(json))
			return refuse(err, "there is a NUL in the string");
		/* A string is words even if it looks like a number: tct_value_json wrote it so. */
		if (key == NULL) {
			int result = parse_words(json_string_value(json), UINT32_MAX, value, err);

			if (result < 0)
				tct_value_done(value);
			return result;
		}
		return tct_value_parse(key, json_string_value(json), value, err);
	}
	if (words || ports)
		return refuse(err, "a string is needed");

	int result = numbers_text(json, &text, err);

	if (result < 0)
		return result;
	if (text.failed)
		return tct_err_nomem(err);
	return tct_value_parse(key, text.data, value, err);
}

bool tct_value_field_at_least(const struct tct_kernel_key *key, int64_t a, int64_t b)
{
	bool a_unlimited = false;
	bool b_unlimited = false;

	if (key != NULL && key->unlimited == TCT_UNLIMITED_NEGATIVE) {
		a_unlimited = a < 0;
		b_unlimited = b < 0;
	} else if (key != NULL && key->unlimited == TCT_UNLIMITED_ZERO) {
		a_unlimited = a == 0;
		b_unlimited = b == 0;
	}
	return a_unlimited || (!b_unlimited && a >= b);
}
