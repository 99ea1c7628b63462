/* Markdown. */
#include <ctype.h>
#include <string.h>

#include "docs/rules_book.h"

enum { CODE_WIDTH = 110 };

/* The end of an expression that begins behind a brace; text in quotes may hold braces. */
static const char *expression_end(const char *from)
{
	char quote = '\0';

	for (; *from != '\0'; from++) {
		if (quote != '\0')
			quote = *from == quote ? '\0' : quote;
		else if (*from == '"' || *from == '\'')
			quote = *from;
		else if (*from == '}')
			break;
	}
	return from;
}

/* An underscore inside of a word means nothing, and sysctl keys are full of them. */
static bool is_special(const char *start, const char *at)
{
	if (*at == '_')
		return at == start || !isalnum((unsigned char)at[-1]) ||
		       !isalnum((unsigned char)at[1]);
	if (*at == '>' || *at == '#')
		return at == start;
	return strchr("\\*<[]|", *at) != NULL;
}

void tct_book_prose(struct tct_text *out, const char *source)
{
	const char *at = source;

	while (*at != '\0') {
		if (at[0] == '{' && at[1] != '{') {
			const char *end = expression_end(at + 1);

			tct_text_add(out, "`");
			tct_text_add_bytes(out, at, (size_t)(end - at));
			tct_text_add(out, "}`");
			at = *end != '\0' ? end + 1 : end;
			continue;
		}
		if (*at == '`' && strchr(at + 1, '`') != NULL) { /* it is code already */
			size_t length = (size_t)(strchr(at + 1, '`') - at) + 1;

			tct_text_add_bytes(out, at, length);
			at += length;
			continue;
		}
		if ((at[0] == '{' && at[1] == '{') || (at[0] == '}' && at[1] == '}'))
			at++;
		if (*at == '\n')
			tct_text_add(out, at[1] != '\0' ? "\n\n" : "");
		else
			tct_text_addf(out, "%s%c", is_special(source, at) ? "\\" : "", *at);
		at++;
	}
}

void tct_book_code(struct tct_text *out, const char *code)
{
	tct_text_add(out, "`");
	for (; *code != '\0'; code++)
		tct_text_addf(out, "%c", *code == '\n' ? ' ' : *code);
	tct_text_add(out, "`");
}

void tct_book_code_block(struct tct_text *out, const char *language, const char *code)
{
	size_t column = 0;

	tct_text_addf(out, "```%s\n", language);
	while (*code != '\0') {
		size_t word = strcspn(code, " \n");

		if (column > 0 && column + 1 + word > CODE_WIDTH) {
			tct_text_add(out, "\n  ");
			column = 2;
		} else if (column > 0) {
			tct_text_add(out, " ");
			column++;
		}
		tct_text_add_bytes(out, code, word);
		column += word;
		code += word + strspn(code + word, " \n");
	}
	tct_text_add(out, "\n```\n\n");
}

void tct_book_template(struct tct_text *out, const char *source)
{
	for (const char *at = source; *at != '\0'; at++) {
		if ((at[0] == '{' && at[1] == '{') || (at[0] == '}' && at[1] == '}'))
			at++;
		tct_text_add_bytes(out, at, 1);
	}
	tct_text_add(out, "\n");
}

void tct_book_link(struct tct_text *out, const char *id)
{
	tct_text_addf(out, "[%s](#%s)", id, id);
}
