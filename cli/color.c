#include "cli/color.h"

#include <string.h>

const char *tct_style_sequence(enum tct_style style)
{
	switch (style) {
	case TCT_STYLE_PLAIN:
		return "";
	case TCT_STYLE_STRONG:
		return "\033[1m";
	case TCT_STYLE_DIM:
		return "\033[2m";
	case TCT_STYLE_GOOD:
		return "\033[32m";
	case TCT_STYLE_BAD:
		return "\033[1;31m";
	case TCT_STYLE_WARN:
		return "\033[33m";
	case TCT_STYLE_ADVICE:
		return "\033[36m";
	case TCT_STYLE_INFO:
		return "\033[34m";
	}
	return "";
}

enum tct_style tct_severity_style(enum tct_severity severity)
{
	switch (severity) {
	case TCT_SEVERITY_CRITICAL:
		return TCT_STYLE_BAD;
	case TCT_SEVERITY_WARNING:
		return TCT_STYLE_WARN;
	case TCT_SEVERITY_ADVICE:
		return TCT_STYLE_ADVICE;
	case TCT_SEVERITY_INFO:
	case TCT_SEVERITY_LIMIT:
		break;
	}
	return TCT_STYLE_INFO;
}

/* Length of the well-formed character at text, and its number; 0 if it isn't one. */
static size_t decode(const char *text, uint32_t *point)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

	if (at[0] < 0x80) {
		*point = at[0];
		return 1;
	}
	if (strnlen(text, length) < length || !tct_text_is_utf8(text, length))
		return 0;
	*point = at[0] & (0xffU >> (length + 1));
	for (size_t i = 1; i < length; i++)
		*point = *point << 6 | (at[i] & 0x3fU);
	return length;
}

/* Controls, and characters that turn the reading direction or can't be seen. */
static bool is_dangerous(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
	       (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe0fff);
}

void tct_safe_add(struct tct_text *out, const char *text, bool utf8)
{
	while (*text != '\0') {
		uint32_t point = 0;
		size_t length = decode(text, &point);

		if (length == 0) {
			tct_text_addf(out, "\\x%02x", (unsigned)(unsigned char)*text);
			length = 1;
		} else if (point == '\t' || point == '\n' || point == '\r') {
			tct_text_add(out, " ");
		} else if (is_dangerous(point)) {
			tct_text_addf(out, point < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)point);
		} else if (point >= 0x80 && !utf8) {
			tct_text_add(out, "?");
		} else {
			tct_text_add_bytes(out, text, length);
		}
		text += length;
	}
}
