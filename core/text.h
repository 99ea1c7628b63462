/* Text for people and for files: a growing buffer, numbers with units, nearest names. */
#ifndef TCT_CORE_TEXT_H
#define TCT_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing, always terminated buffer. Zero-initialise; `failed` sticks after ENOMEM. */
struct tct_text {
	char *data; /* owned; NULL while empty */
	size_t length;
	size_t capacity;
	bool failed;
};

/* Terminated, and "" while empty; borrowed. */
static inline const char *tct_text_string(const struct tct_text *text)
{
	return text->data != NULL ? text->data : "";
}

void tct_text_done(struct tct_text *text);
void tct_text_clear(struct tct_text *text);
void tct_text_add(struct tct_text *text, const char *string);
void tct_text_add_bytes(struct tct_text *text, const char *bytes, size_t length);
__attribute__((format(printf, 2, 3))) void tct_text_addf(struct tct_text *text, const char *format,
							 ...);
/* Hand over the string (owned by the caller; never NULL unless memory failed). Empties text. */
char *tct_text_take(struct tct_text *text);

/* Numbers as people read them. Each writes to out (terminated) and returns out. */
enum { TCT_NUMBER_TEXT = 48 };
const char *tct_text_count(int64_t number, char out[TCT_NUMBER_TEXT]);   /* 41,203 */
const char *tct_text_bytes(int64_t bytes, char out[TCT_NUMBER_TEXT]);    /* 1.2 GiB */
const char *tct_text_nanoseconds(int64_t ns, char out[TCT_NUMBER_TEXT]); /* 2 h, 350 s, 40 ms */
const char *tct_text_millionths(int64_t ppm, char out[TCT_NUMBER_TEXT]); /* 34, 0.5: for rates */

/* A time (CLOCK_REALTIME) as RFC 3339 in UTC, in whole seconds; "" if it has no such form. */
const char *tct_text_time(int64_t realtime_ns, char out[TCT_NUMBER_TEXT]);

/* Copy of text[0..length) as a terminated string, or NULL on ENOMEM. Caller frees. */
char *tct_text_copy(const char *text, size_t length);

/* Remove white space (space, tab, CR, LF, VT, FF) at both ends, in place. Returns the new start. */
char *tct_text_trim(char *text);

/*
 * Copy from[0..length), as much as fits, for people: well-formed UTF-8 without control characters,
 * '?' for what isn't. Always terminated (to_size > 0).
 */
void tct_text_printable(char *to, size_t to_size, const char *from, size_t length);

/*
 * Find the candidate nearest to `name` by edit distance, if near enough to be a misspelling.
 * candidate(context, i) returns the i-th name, NULL at the end. Returns the name or NULL.
 */
const char *tct_text_nearest(const char *name,
			     const char *(*candidate)(const void *context, size_t i),
			     const void *context);

/* True if the bytes are well-formed UTF-8 (no surrogates, no overlong forms). */
bool tct_text_is_utf8(const char *bytes, size_t length);

#endif
