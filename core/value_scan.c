#include "core/value_scan.h"

#include <limits.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

enum {
	NUMBER_CHARACTERS = 20, /* kernel/sysctl.c: TMPBUFLEN - 2 */
	PORT_COUNT = 65536,
};

bool tct_scan_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char)c == 0xa0;
}

void tct_scan_skip_spaces(struct tct_scan *scan)
{
	while (scan->left > 0 && tct_scan_is_space(*scan->at)) {
		scan->at++;
		scan->left--;
	}
}

/* The value of a hexadecimal digit, or 16. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

bool tct_scan_number(struct tct_scan *scan, const char *after, uint64_t *magnitude, bool *negative)
{
	const char *at = scan->at;
	const char *end = at + scan->left;
	unsigned base = 10;
	uint64_t number = 0;

	*negative = scan->left > 1 && *at == '-';
	if (*negative)
		at++;
	if (at == end || *at < '0' || *at > '9')
		return false;
	if (*at == '0') {
		base = 8;
		if (end - at > 2 && (at[1] == 'x' || at[1] == 'X') && digit_value(at[2]) < 16) {
			base = 16;
			at += 2;
		}
	}
	for (; at < end && digit_value(*at) < base; at++) {
		if (__builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, digit_value(*at), &number))
			return false;
	}
	if (at - scan->at > NUMBER_CHARACTERS)
		return false;
	if (at < end && (*at == '\0' || strchr(after, *at) == NULL))
		return false;
	scan->at = at;
	scan->left = (size_t)(end - at);
	*magnitude = number;
	return true;
}

/* Signed, if it fits. */
static bool to_signed(uint64_t magnitude, bool negative, int64_t *number)
{
	if (magnitude > INT64_MAX)
		return false;
	*number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

static bool in_range(const struct tct_kernel_key *key, int64_t number)
{
	return number >= key->min && number <= key->max;
}

bool tct_scan_convert(const struct tct_kernel_key *key, uint64_t magnitude, bool negative,
		      int64_t *number)
{
	switch (key->handler) {
	case TCT_HANDLER_INT:
	case TCT_HANDLER_INT_RANGE:
	case TCT_HANDLER_PORT_RANGE:
	case TCT_HANDLER_SECONDS:
		return to_signed(magnitude, negative, number) && in_range(key, *number);
	case TCT_HANDLER_MS: {
		/* The handler cuts to 32 bits before it looks. */
		uint32_t cut = (uint32_t)magnitude;

		*number = negative ? (uint32_t)(0 - cut) : cut;
		return in_range(key, *number);
	}
	case TCT_HANDLER_ULONG:
		if (!negative && magnitude > INT64_MAX && key->beyond_max) {
			*number = key->max;
			return true;
		}
		return !negative && to_signed(magnitude, false, number) && in_range(key, *number);
	case TCT_HANDLER_U8:
	case TCT_HANDLER_UINT:
		return !negative && to_signed(magnitude, false, number) && in_range(key, *number);
	case TCT_HANDLER_PORT_BITMAP:
	case TCT_HANDLER_WORD:
	case TCT_HANDLER_WORDS:
	case TCT_HANDLER_SECRET:
		return false;
	}
	return false;
}

static void skip_newlines(struct tct_scan *scan)
{
	while (scan->left > 0 && *scan->at == '\n') {
		scan->at++;
		scan->left--;
	}
}

/* Takes the separator too: '\0' at the end. */
static char take_separator(struct tct_scan *scan)
{
	if (scan->left == 0)
		return '\0';
	scan->left--;
	return *scan->at++;
}

bool tct_ports_scan(struct tct_ports *ports, struct tct_scan *scan, bool whole)
{
	enum { LONGEST = 4095 };
	size_t skipped = !whole && scan->left > LONGEST ? scan->left - LONGEST : 0;

	*ports = (struct tct_ports){ 0 };
	scan->left -= skipped;
	skip_newlines(scan);
	while (scan->left > 0) {
		struct tct_scan start = *scan;
		uint64_t low;
		uint64_t high;
		bool negative;

		if (!tct_scan_number(scan, "-,\n", &low, &negative))
			return false;
		/* A number that the page cuts waits for the next write. */
		if (skipped > 0 && scan->left <= 1) {
			*scan = start;
			break;
		}
		if (negative || low >= PORT_COUNT)
			return false;
		high = low;
		if (take_separator(scan) == '-') {
			if (!tct_scan_number(scan, ",\n", &high, &negative))
				return false;
			if (skipped > 0 && scan->left == 0) {
				*scan = start;
				break;
			}
			if (negative || high >= PORT_COUNT || low > high)
				return false;
			(void)take_separator(scan);
		}
		for (uint64_t port = low; port <= high; port++)
			ports->words[port / 64] |= UINT64_C(1) << port % 64;
		skip_newlines(scan);
	}
	scan->left += skipped;
	return true;
}

static bool has_port(const struct tct_ports *ports, unsigned port)
{
	return (ports->words[port / 64] >> port % 64 & 1) != 0;
}

char *tct_ports_text(const struct tct_ports *ports)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	for (unsigned port = 0; port < PORT_COUNT; port++) {
		unsigned last = port;

		if (port % 64 == 0 && ports->words[port / 64] == 0) {
			port += 63; /* mostly all of them */
			continue;
		}
		if (!has_port(ports, port))
			continue;
		while (last + 1 < PORT_COUNT && has_port(ports, last + 1))
			last++;
		tct_text_addf(&text, last == port ? "%s%u" : "%s%u-%u", text.length > 0 ? "," : "",
			      port, last);
		port = last;
	}
	return tct_text_take(&text);
}
