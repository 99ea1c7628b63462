/* JSON strings from bytes that may be anything: names of files, processes and users, lines of
 * files. */
#ifndef TCT_CORE_JSON_TEXT_H
#define TCT_CORE_JSON_TEXT_H

#include <jansson.h>
#include <stdint.h>

/*
 * json_string() that never refuses a text: bytes that aren't UTF-8 are written as \xNN, so that two
 * different texts stay different. NULL on ENOMEM, or if text is NULL. Owned by the caller.
 */
json_t *tct_json_text(const char *text);

/* The same; null for NULL and "". */
json_t *tct_json_text_or_null(const char *text);

/* A time (CLOCK_REALTIME) as RFC 3339 in UTC, in whole seconds; null if it has no such form. */
json_t *tct_json_time(int64_t realtime_ns);

#endif
