/* What the kernel makes of a text that is written to a key. */
#include "core/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "core/value_scan.h"

enum {
	REASON = 160,
	WRITE_MAX = 4095,     /* PAGE_SIZE - 1: what an integer handler looks at */
	NAME_MAX_LENGTH = 15, /* TCP_CA_NAME_MAX, IFNAMSIZ */
	/* Seconds that a kernel takes whatever its HZ: INT_MAX / 1000. */
	SECONDS_ANYWHERE = 2147483,
};

__attribute__((format(printf, 2, 3))) static void say(char reason[REASON], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(reason, REASON, format, arguments) < 0)
		reason[0] = '\0';
	va_end(arguments);
}

/* The rest after the value: blanks count as nothing. */
static bool only_spaces(struct tct_scan scan)
{
	tct_scan_skip_spaces(&scan);
	return scan.left == 0;
}

static void say_ignored(struct tct_scan rest, unsigned fields, char reason[REASON])
{
	tct_scan_skip_spaces(&rest);
	if (*rest.at == '#' || *rest.at == ';')
		say(reason,
		    "the comment is written too; the kernel ignores what follows the value");
	else if (fields == 1)
		say(reason, "only the first number counts, the kernel ignores the rest");
	else
		say(reason, "only the first %u numbers count, the kernel ignores the rest", fields);
}

/* A number is there but the handler won't have it, or there is none. */
static void say_refused(const struct tct_kernel_key *key, struct tct_scan at, bool number,
			unsigned field, char reason[REASON])
{
	char place[REASON] = "";

	if (key->fields > 1)
		say(place, "field %u: ", field + 1);
	if (number)
		say(reason, "%.20sthe kernel takes %" PRId64 " to %" PRId64, place, key->min,
		    key->max);
	else if (at.left > 0 && (*at.at == '"' || *at.at == '\''))
		say(reason, "%.20sthe quotes are written too, and the kernel refuses them", place);
	else if (at.left > 0 && (*at.at == '#' || *at.at == ';'))
		say(reason, "%.20sthe comment is written too, and the kernel takes it for a number",
		    place);
	else if (at.left == 0)
		say(reason, "there is no value");
	else
		say(reason, "%.20snot a number as the kernel reads it", place);
}

/* Things that are taken but may not be what was meant. */
static void say_surprise(const struct tct_kernel_key *key, const char *text,
			 const struct tct_value *value, char reason[REASON])
{
	struct tct_scan scan = { .at = text, .left = strlen(text) };

	tct_scan_skip_spaces(&scan);
	if (scan.left > 0 && *scan.at == '-')
		scan.at++;
	if (key->handler == TCT_HANDLER_SECONDS &&
	    (value->numbers[0] > SECONDS_ANYWHERE || value->numbers[0] < -SECONDS_ANYWHERE))
		say(reason,
		    "refused where the kernel's HZ is high: more than %d is not taken everywhere",
		    SECONDS_ANYWHERE);
	else if (scan.at[0] == '0' && scan.at[1] >= '0' && scan.at[1] <= '7')
		say(reason, "the leading 0 makes it octal: it means %" PRId64, value->numbers[0]);
}

/*
 * Numbers, taken one by one. In place of the handlers' loops, do_proc_dointvec() and its kin; the
 * port range is read into a copy first, so that an error leaves all of it as it was.
 */
static void foretell_numbers(const struct tct_kernel_key *key, const char *text,
			     enum tct_write_outcome *outcome, struct tct_value *value,
			     char reason[REASON])
{
	size_t length = strlen(text);
	struct tct_scan scan = { .at = text, .left = length < WRITE_MAX ? length : WRITE_MAX };
	bool at_once = key->fields > 1 && !tct_kernel_key_fields_apart(key);
	bool number = false;
	bool refused = false;

	value->kind = TCT_VALUE_NUMBERS;
	while (value->count < key->fields) {
		uint64_t magnitude;
		bool negative;

		tct_scan_skip_spaces(&scan);
		if (scan.left == 0)
			break;

		struct tct_scan start = scan;

		number = tct_scan_number(&scan, " \t\n", &magnitude, &negative);
		if (!number ||
		    !tct_scan_convert(key, magnitude, negative, &value->numbers[value->count])) {
			scan = start;
			refused = true;
			break;
		}
		value->count++;
	}
	scan.left = strlen(scan.at);
	if (at_once && value->count == 2 && value->numbers[0] > value->numbers[1]) {
		say(reason, "the first port is above the last");
		*outcome = TCT_WRITE_REFUSED;
	} else if (value->count == 0 || (refused && at_once)) {
		say_refused(key, scan, number && refused, value->count, reason);
		*outcome = TCT_WRITE_REFUSED;
	} else if (refused) {
		say_refused(key, scan, number, value->count, reason);
		*outcome = TCT_WRITE_HALF_REFUSED;
	} else if (value->count < key->fields) {
		say(reason, "%u of %u numbers: the others stay as they are", value->count,
		    key->fields);
		*outcome = TCT_WRITE_PARTIAL;
	} else if (!only_spaces(scan)) {
		say_ignored(scan, key->fields, reason);
		*outcome = TCT_WRITE_REST_IGNORED;
	} else {
		say_surprise(key, text, value, reason);
		*outcome = TCT_WRITE_TAKEN;
	}
	if (*outcome == TCT_WRITE_REFUSED)
		*value = (struct tct_value){ 0 };
}

static int foretell_ports(const char *text, enum tct_write_outcome *outcome,
			  struct tct_value *value, char reason[REASON])
{
	struct tct_scan scan = { .at = text, .left = strlen(text) };
	struct tct_ports ports;

	if (!tct_ports_scan(&ports, &scan, false)) {
		say(reason, "not a list of ports like 8080,9000-9100 (no blanks, no comment)");
		*outcome = TCT_WRITE_REFUSED;
		return 0;
	}
	*outcome = TCT_WRITE_TAKEN;
	if (scan.left > 0) {
		say(reason, "one write takes %d bytes of the list, the rest is lost", WRITE_MAX);
		*outcome = TCT_WRITE_REST_IGNORED;
	}
	value->kind = TCT_VALUE_PORTS;
	value->text = tct_ports_text(&ports);
	return value->text != NULL ? 0 : -ENOMEM;
}

/* What an algorithm or a queueing discipline can be called. */
static bool is_name(const char *text, size_t length)
{
	if (length == 0 || length > NAME_MAX_LENGTH)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '-' || c == '.'))
			return false;
	}
	return true;
}

/* Of a string the kernel takes all up to the first line break, blanks and comments included. */
static int foretell_word(const char *text, enum tct_write_outcome *outcome, struct tct_value *value,
			 char reason[REASON])
{
	size_t length = strcspn(text, "\n");
	struct tct_scan rest = { .at = text + length, .left = strlen(text + length) };

	*outcome = TCT_WRITE_REFUSED;
	if (!is_name(text, length)) {
		if (length == 0)
			say(reason, "there is no value");
		else if (strcspn(text, " \t#;\n") < length)
			say(reason,
			    "the kernel takes the whole line for the name, and finds none such");
		else
			say(reason, "not a name that the kernel knows");
		return 0;
	}
	*outcome = TCT_WRITE_TAKEN;
	if (!only_spaces(rest)) {
		say(reason, "only the first line counts");
		*outcome = TCT_WRITE_REST_IGNORED;
	}
	value->kind = TCT_VALUE_WORDS;
	value->count = 1;
	value->text = tct_text_copy(text, length);
	return value->text != NULL ? 0 : -ENOMEM;
}

/* Names between single blanks; a second blank ends the list. */
static int foretell_words(const char *text, enum tct_write_outcome *outcome,
			  struct tct_value *value, char reason[REASON])
{
	TCT_AUTO(tct_text_done) struct tct_text words = { 0 };
	const char *end = text + strcspn(text, "\n");
	unsigned count = 0;

	*outcome = TCT_WRITE_REFUSED;
	while (text < end && *text != ' ') {
		size_t length = strcspn(text, " \n");

		if (!is_name(text, length)) {
			say(reason, "not a name that the kernel knows; the list stays as it is");
			return 0;
		}
		if (count++ > 0)
			tct_text_add(&words, " ");
		tct_text_add_bytes(&words, text, length);
		text += length;
		if (*text == ' ')
			text++;
	}
	*outcome = TCT_WRITE_TAKEN;
	if (!only_spaces((struct tct_scan){ .at = text, .left = strlen(text) })) {
		say(reason, "two blanks or a line break end the list; the kernel ignores the rest");
		*outcome = TCT_WRITE_REST_IGNORED;
	}
	value->kind = TCT_VALUE_WORDS;
	value->count = count;
	value->text = tct_text_take(&words);
	return value->text != NULL ? 0 : -ENOMEM;
}

/* Four hexadecimal numbers with '-' between them, as sscanf() takes them. Returns what follows, or
 * NULL. */
static const char *skip_secret(const char *text)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	for (unsigned i = 0; i < 4; i++) {
		size_t length;

		if (i > 0 && *text++ != '-')
			return NULL;
		while (tct_scan_is_space(*text))
			text++;
		if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
			text += 2;
		length = strspn(text, digits);
		if (length == 0)
			return NULL;
		text += length;
	}
	return text;
}

/* One key, or two with a comma between them; what follows either is ignored. */
static void foretell_secret(const char *text, enum tct_write_outcome *outcome, char reason[REASON])
{
	const char *rest = skip_secret(text);
	const char *second = strchr(text, ',');

	if (second != NULL && rest != NULL)
		rest = skip_secret(second + 1);
	if (rest == NULL) {
		say(reason, "not a key of four hexadecimal numbers with - between them");
		*outcome = TCT_WRITE_REFUSED;
	} else if (!only_spaces((struct tct_scan){ .at = rest, .left = strlen(rest) })) {
		say(reason, "the kernel ignores what follows the key");
		*outcome = TCT_WRITE_REST_IGNORED;
	} else {
		*outcome = TCT_WRITE_TAKEN;
	}
}

void tct_value_mask_secret(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '0' && (text[1] == 'x' || text[1] == 'X'))
			text++; /* counts as one mark */
		else if (strchr("0123456789abcdefABCDEF", *text) != NULL)
			*text = '1';
		else if (strchr("-,", *text) == NULL && !tct_scan_is_space(*text))
			*text = '?';
	}
}

int tct_value_from_write(const struct tct_kernel_key *key, const char *text,
			 enum tct_write_outcome *outcome, struct tct_value *value, char reason[160])
{
	*value = (struct tct_value){ 0 };
	reason[0] = '\0';
	if (key->read_only) {
		say(reason, "the key can't be written");
		*outcome = TCT_WRITE_READ_ONLY;
		return 0;
	}
	switch (key->handler) {
	case TCT_HANDLER_PORT_BITMAP:
		return foretell_ports(text, outcome, value, reason);
	case TCT_HANDLER_WORD:
		return foretell_word(text, outcome, value, reason);
	case TCT_HANDLER_WORDS:
		return foretell_words(text, outcome, value, reason);
	case TCT_HANDLER_SECRET:
		foretell_secret(text, outcome, reason);
		return 0;
	case TCT_HANDLER_INT:
	case TCT_HANDLER_INT_RANGE:
	case TCT_HANDLER_U8:
	case TCT_HANDLER_UINT:
	case TCT_HANDLER_SECONDS:
	case TCT_HANDLER_MS:
	case TCT_HANDLER_ULONG:
	case TCT_HANDLER_PORT_RANGE:
		foretell_numbers(key, text, outcome, value, reason);
		break;
	}
	return 0;
}
