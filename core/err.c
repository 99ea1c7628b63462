#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

/* Bytes of the UTF-8 character at text, or 0 if there is none. */
static size_t character_size(const char *text)
{
	for (size_t size = 2; size <= 4 && text[size - 1] != '\0'; size++) {
		if (tct_text_is_utf8(text, size))
			return size;
	}
	return 0;
}

/*
 * One line of UTF-8, whatever hostile input was quoted in it: control characters (C1 too, terminals
 * obey them) and stray bytes become '?'.
 */
static void make_one_line(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
		if (*c >= 0x80) {
			size_t size = character_size((const char *)c);

			if (size > 0 && (*c != 0xc2 || c[1] >= 0xa0)) {
				c += size - 1;
				continue;
			}
			*c = '?';
		} else if (*c < 0x20 || *c == 0x7f) {
			*c = '?';
		}
	}
}

__attribute__((format(printf, 2, 0))) static void set_message(struct tct_err *err,
							      const char *format, va_list arguments)
{
	int length = vsnprintf(err->message, sizeof(err->message), format, arguments);

	if (length < 0)
		err->message[0] = '\0';
	else if ((size_t)length >= sizeof(err->message))
		memcpy(err->message + sizeof(err->message) - 4, "...", 4);
	make_one_line(err->message);
}

int tct_err_set(struct tct_err *err, enum tct_fault fault, int code, const char *format, ...)
{
	if (err != NULL) {
		va_list arguments;

		err->fault = fault;
		err->code = code;
		err->line = 0;
		err->column = 0;
		err->file[0] = '\0';
		va_start(arguments, format);
		set_message(err, format, arguments);
		va_end(arguments);
	}
	return -code;
}

int tct_err_at(struct tct_err *err, const char *file, unsigned line, unsigned column,
	       const char *format, ...)
{
	if (err != NULL) {
		va_list arguments;

		err->fault = TCT_FAULT_INPUT;
		err->code = EINVAL;
		err->line = line;
		err->column = column;
		if (snprintf(err->file, sizeof(err->file), "%s", file != NULL ? file : "") < 0)
			err->file[0] = '\0';
		make_one_line(err->file);
		va_start(arguments, format);
		set_message(err, format, arguments);
		va_end(arguments);
	}
	return -EINVAL;
}

int tct_err_wrap(struct tct_err *err, const char *format, ...)
{
	char old[sizeof(err->message)];
	char context[sizeof(err->message)];
	va_list arguments;

	if (err == NULL)
		return -EINVAL;
	memcpy(old, err->message, sizeof(old));
	va_start(arguments, format);
	int length = vsnprintf(context, sizeof(context), format, arguments);
	va_end(arguments);
	if (length >= 0) {
		length = snprintf(err->message, sizeof(err->message), "%.200s: %.300s", context,
				  old);
		if (length < 0)
			memcpy(err->message, old, sizeof(old));
		make_one_line(err->message);
	}
	return -err->code;
}

int tct_err_nomem(struct tct_err *err)
{
	return tct_err_set(err, TCT_FAULT_REFUSED, ENOMEM, "out of memory");
}

const char *tct_err_text(const struct tct_err *err, char *out, size_t out_size)
{
	int length;

	if (err->file[0] == '\0')
		length = snprintf(out, out_size, "%s", err->message);
	else if (err->line == 0)
		length = snprintf(out, out_size, "%s: %s", err->file, err->message);
	else if (err->column == 0)
		length = snprintf(out, out_size, "%s:%u: %s", err->file, err->line, err->message);
	else
		length = snprintf(out, out_size, "%s:%u:%u: %s", err->file, err->line, err->column,
				  err->message);
	if (length < 0 && out_size > 0)
		out[0] = '\0';
	return out;
}
