/* What a command says: one line on stderr, one document on stdout, and the exit code that goes with
 * them. */
#include "cli/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/page.h"
#include "core/mem.h"

static void say(const char *text)
{
	TCT_AUTO(tct_text_done) struct tct_text safe = { 0 };
	struct tct_page page;

	tct_page_init(&page, stderr, NULL);
	tct_safe_add(&safe, text, page.utf8);
	(void)fflush(stdout);
	(void)fprintf(stderr, "tcptune: %s\n", safe.data != NULL ? safe.data : "out of memory");
}

void tct_remark(const char *text)
{
	if (text[0] != '\0')
		say(text);
}

int tct_complain(const struct tct_err *err)
{
	char text[1024];

	say(tct_err_text(err, text, sizeof(text)));
	switch (err->fault) {
	case TCT_FAULT_NONE:
	case TCT_FAULT_INPUT:
		return TCT_EXIT_INPUT;
	case TCT_FAULT_REFUSED:
		return TCT_EXIT_REFUSED;
	case TCT_FAULT_STUCK:
		return TCT_EXIT_STUCK;
	case TCT_FAULT_BUSY:
		return TCT_EXIT_BUSY;
	}
	return TCT_EXIT_INPUT;
}

int tct_bad_usage(const char *format, ...)
{
	TCT_AUTOFREE char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	say(text != NULL ? text : "out of memory");
	return TCT_EXIT_INPUT;
}

size_t tct_json_flags(void)
{
	size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(15);

	if (isatty(STDOUT_FILENO) == 1)
		flags |= JSON_ENSURE_ASCII; /* nothing in the data may act on the terminal */
	return flags;
}

/* Whole or not at all: of a document that can't be made no half must be printed. NULL on ENOMEM. */
static char *dump_and_drop(json_t *document)
{
	char *text = document == NULL ? NULL : json_dumps(document, tct_json_flags());

	json_decref(document);
	if (text == NULL) {
		struct tct_err err;

		(void)tct_err_nomem(&err);
		(void)tct_complain(&err);
	}
	return text;
}

int tct_print_json(json_t *document, int code)
{
	TCT_AUTOFREE char *text = dump_and_drop(document);

	if (text == NULL)
		return TCT_EXIT_REFUSED;
	(void)fputs(text, stdout);
	(void)fputc('\n', stdout);
	return code;
}

int tct_print_json_and_list(json_t *document, const char *name, const struct tct_text *list,
			    int code)
{
	TCT_AUTOFREE char *text = dump_and_drop(document);
	size_t length = text == NULL ? 0 : strlen(text);

	if (text == NULL)
		return TCT_EXIT_REFUSED;
	/* "...\n}": an object that has members */
	length -= length > 2 ? 2 : length;
	(void)fwrite(text, 1, length, stdout);
	(void)printf(",\n  \"%s\": [", name);
	if (list->length > 0) {
		(void)fwrite(list->data, 1, list->length, stdout);
		(void)fputs("\n  ", stdout);
	}
	(void)fputs("]\n}\n", stdout);
	return code;
}
