#include "core/json_text.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"

/* Length of the well-formed character at text, 0 if there is none. */
static size_t character(const char *text, size_t left)
{
	for (size_t length = 1; length <= 4 && length <= left; length++) {
		if (tct_text_is_utf8(text, length))
			return length;
	}
	return 0;
}

json_t *tct_json_text(const char *text)
{
	TCT_AUTO(tct_text_done) struct tct_text out = { 0 };

	if (text == NULL)
		return NULL;

	size_t left = strlen(text);

	if (tct_text_is_utf8(text, left))
		return json_stringn(text, left);
	while (left > 0) {
		size_t length = character(text, left);

		if (length > 0)
			tct_text_add_bytes(&out, text, length);
		else
			tct_text_addf(&out, "\\x%02x", (unsigned)(unsigned char)*text);
		length = length > 0 ? length : 1;
		text += length;
		left -= length;
	}
	return out.failed ? NULL : json_stringn(out.data, out.length);
}

json_t *tct_json_text_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? json_null() : tct_json_text(text);
}

json_t *tct_json_time(int64_t realtime_ns)
{
	char text[TCT_NUMBER_TEXT];

	return tct_json_text_or_null(tct_text_time(realtime_ns, text));
}
