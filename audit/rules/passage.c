#include "audit/rules/passage.h"

#include <stdarg.h>
#include <stdio.h>

struct tct_passage tct_passage_of(const struct tct_yaml_node *scalar)
{
	struct tct_passage source = {
		.text = scalar->text,
		.length = scalar->length,
		.place = { scalar->document->file, scalar->line, scalar->column },
		.node = scalar,
	};

	return source;
}

struct tct_place tct_passage_place(const struct tct_passage *source, size_t offset)
{
	struct tct_place place = source->place;

	if (source->node != NULL) {
		tct_yaml_locate(source->node, offset, &place.line, &place.column);
		return place;
	}
	if (place.line == 0)
		return place;
	for (size_t i = 0; i < offset && i < source->length; i++) {
		if (source->text[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)source->text[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

int tct_passage_error(const struct tct_passage *source, size_t offset, struct tct_err *err,
		      const char *format, ...)
{
	struct tct_place place = tct_passage_place(source, offset);
	char message[sizeof(err->message)];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		message[0] = '\0';
	va_end(arguments);
	return tct_err_at(err, place.file, place.line, place.column, "%s", message);
}
