#include "core/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void tct_text_done(struct tct_text *text)
{
	free(text->data);
	*text = (struct tct_text){ 0 };
}

void tct_text_clear(struct tct_text *text)
{
	text->length = 0;
	if (text->data != NULL)
		text->data[0] = '\0';
}

static bool make_room(struct tct_text *text, size_t more)
{
	if (text->failed)
		return false;
	if (more > SIZE_MAX / 4 || text->length > SIZE_MAX / 4) {
		text->failed = true;
		return false;
	}
	size_t need = text->length + more + 1;

	if (need <= text->capacity)
		return true;

	size_t wanted = text->capacity < 64 ? 64 : text->capacity;

	while (wanted < need)
		wanted *= 2;

	char *grown = realloc(text->data, wanted);

	if (grown == NULL) {
		text->failed = true;
		return false;
	}
	text->data = grown;
	text->capacity = wanted;
	return true;
}

void tct_text_add_bytes(struct tct_text *text, const char *bytes, size_t length)
{
	if (!make_room(text, length))
		return;
	if (length > 0)
		memcpy(text->data + text->length, bytes, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void tct_text_add(struct tct_text *text, const char *string)
{
	tct_text_add_bytes(text, string, strlen(string));
}

void tct_text_addf(struct tct_text *text, const char *format, ...)
{
	va_list arguments;
	va_list again;

	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);

	va_end(arguments);
	if (length < 0) {
		text->failed = true;
	} else if (make_room(text, (size_t)length)) {
		if (vsnprintf(text->data + text->length, (size_t)length + 1, format, again) < 0)
			text->failed = true;
		else
			text->length += (size_t)length;
	}
	va_end(again);
}

char *tct_text_take(struct tct_text *text)
{
	char *taken = NULL;

	if (make_room(text, 0)) {
		taken = text->data;
		taken[text->length] = '\0';
		*text = (struct tct_text){ 0 };
	} else {
		tct_text_done(text);
	}
	return taken;
}

static const char *put(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static const char *put(char *out, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(out, TCT_NUMBER_TEXT, format, arguments) < 0)
		out[0] = '\0';
	va_end(arguments);
	return out;
}

const char *tct_text_count(int64_t number, char out[TCT_NUMBER_TEXT])
{
	char digits[TCT_NUMBER_TEXT];
	uint64_t magnitude = number < 0 ? (uint64_t)0 - (uint64_t)number : (uint64_t)number;
	size_t at = 0;

	put(digits, "%" PRIu64, magnitude);
	size_t count = strlen(digits);

	if (number < 0)
		out[at++] = '-';
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && (count - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

/* One decimal where it says something: 1.2, but 16 and not 16.0. */
static const char *put_scaled(char *out, int64_t number, int64_t scale, const char *unit)
{
	int64_t tenths = number / scale * 10 + (number % scale) * 10 / scale;

	if (tenths % 10 == 0 || tenths >= 1000 || tenths <= -1000)
		return put(out, "%" PRId64 "%s", tenths / 10, unit);
	return put(out, "%s%" PRId64 ".%" PRId64 "%s", tenths < 0 ? "-" : "",
		   (int64_t)llabs(tenths) / 10, (int64_t)llabs(tenths) % 10, unit);
}

const char *tct_text_bytes(int64_t bytes, char out[TCT_NUMBER_TEXT])
{
	static const struct {
		int64_t scale;
		const char *unit;
	} units[] = {
		{ INT64_C(1) << 40, " TiB" },
		{ INT64_C(1) << 30, " GiB" },
		{ INT64_C(1) << 20, " MiB" },
		{ INT64_C(1) << 10, " KiB" },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (bytes >= units[i].scale || bytes <= -units[i].scale)
			return put_scaled(out, bytes, units[i].scale, units[i].unit);
	}
	return put(out, "%" PRId64 " bytes", bytes);
}

const char *tct_text_nanoseconds(int64_t ns, char out[TCT_NUMBER_TEXT])
{
	const int64_t second = INT64_C(1000000000);

	if (ns != 0 && ns % (3600 * second) == 0)
		return put(out, "%" PRId64 " h", ns / (3600 * second));
	if (ns == 0 || ns >= second || ns <= -second)
		return put_scaled(out, ns, second, " s");
	if (ns >= 1000000 || ns <= -1000000)
		return put_scaled(out, ns, 1000000, " ms");
	return put_scaled(out, ns, 1000, " us");
}

const char *tct_text_millionths(int64_t ppm, char out[TCT_NUMBER_TEXT])
{
	char whole[TCT_NUMBER_TEXT];
	int64_t hundredths = (ppm % 1000000) / 10000;

	/* A rate of 3 in an hour is not 0. */
	if (ppm != 0 && ppm < 10000 && ppm > -10000) {
		put(out, "%s0.%06" PRId64, ppm < 0 ? "-" : "", (int64_t)llabs(ppm));
		for (size_t last = strlen(out) - 1; out[last] == '0'; last--)
			out[last] = '\0';
		return out;
	}
	if (ppm >= 100000000 || ppm <= -100000000 || hundredths == 0)
		return tct_text_count(ppm / 1000000, out);
	tct_text_count(ppm / 1000000, whole);
	hundredths = llabs(hundredths);
	if (hundredths % 10 == 0)
		return put(out, "%s%s.%" PRId64, ppm < 0 && ppm > -1000000 ? "-" : "", whole,
			   hundredths / 10);
	return put(out, "%s%s.%02" PRId64, ppm < 0 && ppm > -1000000 ? "-" : "", whole, hundredths);
}

const char *tct_text_time(int64_t realtime_ns, char out[TCT_NUMBER_TEXT])
{
	const int64_t second = INT64_C(1000000000);
	time_t at = (time_t)(realtime_ns / second - (realtime_ns % second < 0 ? 1 : 0));
	struct tm parts;

	if (gmtime_r(&at, &parts) == NULL ||
	    strftime(out, TCT_NUMBER_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		out[0] = '\0';
	return out;
}

char *tct_text_copy(const char *text, size_t length)
{
	char *copy = malloc(length + 1);

	if (copy != NULL) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

char *tct_text_trim(char *text)
{
	static const char white[] = " \t\r\n\v\f";
	size_t length;

	text += strspn(text, white);
	length = strlen(text);
	while (length > 0 && strchr(white, text[length - 1]) != NULL)
		length--;
	text[length] = '\0';
	return text;
}

void tct_text_printable(char *to, size_t to_size, const char *from, size_t length)
{
	bool utf8;

	if (length > to_size - 1) {
		length = to_size - 1;
		/* Never in the middle of a character. */
		for (int i = 0; i < 3 && length > 0 && (from[length] & 0xc0) == 0x80; i++)
			length--;
	}
	utf8 = tct_text_is_utf8(from, length);
	for (size_t i = 0; i < length; i++) {
		const unsigned char byte = (unsigned char)from[i];

		to[i] = byte < ' ' || byte == 0x7f || (byte > 0x7f && !utf8) ? '?' : from[i];
	}
	to[length] = '\0';
}

/* Edit distance with adjacent swaps, given up (returning limit + 1) for very long names. */
static size_t edit_distance(const char *a, const char *b, size_t limit)
{
	enum { LONGEST = 96 };
	size_t rows[3][LONGEST + 1];
	size_t a_length = strlen(a);
	size_t b_length = strlen(b);
	size_t *before = rows[0];
	size_t *last = rows[1];
	size_t *now = rows[2];

	if (a_length > LONGEST || b_length > LONGEST || a_length > b_length + limit ||
	    b_length > a_length + limit)
		return limit + 1;
	for (size_t j = 0; j <= b_length; j++) {
		before[j] = 0;
		last[j] = j;
	}
	for (size_t i = 1; i <= a_length; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			int left = tolower((unsigned char)a[i - 1]);
			int right = tolower((unsigned char)b[j - 1]);
			size_t best = last[j - 1] + (left == right ? 0 : 1);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && left == tolower((unsigned char)b[j - 2]) &&
			    tolower((unsigned char)a[i - 2]) == right && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		size_t *recycled = before;

		before = last;
		last = now;
		now = recycled;
	}
	return last[b_length];
}

const char *tct_text_nearest(const char *name,
			     const char *(*candidate)(const void *context, size_t i),
			     const void *context)
{
	size_t limit = strlen(name) / 4 + 1;
	const char *best = NULL;
	const char *other;

	for (size_t i = 0; (other = candidate(context, i)) != NULL; i++) {
		size_t distance = edit_distance(name, other, limit);

		if (distance <= limit) {
			best = other;
			if (distance == 0)
				break;
			limit = distance - 1;
		}
	}
	return best;
}

bool tct_text_is_utf8(const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;
	const unsigned char *end = at + length;

	while (at < end) {
		unsigned more;
		uint32_t point;

		if (*at < 0x80) {
			at++;
			continue;
		}
		if (*at >= 0xc2 && *at <= 0xdf) {
			more = 1;
			point = *at & 0x1fU;
		} else if (*at >= 0xe0 && *at <= 0xef) {
			more = 2;
			point = *at & 0x0fU;
		} else if (*at >= 0xf0 && *at <= 0xf4) {
			more = 3;
			point = *at & 0x07U;
		} else {
			return false;
		}
		if ((size_t)(end - at) <= more)
			return false;
		for (unsigned i = 1; i <= more; i++) {
			if ((at[i] & 0xc0) != 0x80)
				return false;
			point = point << 6 | (at[i] & 0x3fU);
		}
		if ((more == 2 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) ||
		    (more == 3 && (point < 0x10000 || point > 0x10ffff)))
			return false;
		at += more + 1;
	}
	return true;
}
