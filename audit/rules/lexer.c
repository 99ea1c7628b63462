#include "audit/rules/lexer.h"

#include <errno.h>
#include <string.h>

#include "core/mem.h"
#include "core/version.h"

static const struct unit {
	const char *name;
	enum tct_dimension dimension;
	int64_t scale;
	unsigned decimals; /* how many are exact; 0 = whole numbers only */
} units[] = {
	{ "B", TCT_DIM_BYTES, 1, 0 },
	{ "KiB", TCT_DIM_BYTES, INT64_C(1) << 10, 0 },
	{ "MiB", TCT_DIM_BYTES, INT64_C(1) << 20, 0 },
	{ "GiB", TCT_DIM_BYTES, INT64_C(1) << 30, 0 },
	{ "TiB", TCT_DIM_BYTES, INT64_C(1) << 40, 0 },
	{ "ns", TCT_DIM_TIME, 1, 0 },
	{ "us", TCT_DIM_TIME, 1000, 0 },
	{ "ms", TCT_DIM_TIME, 1000000, 6 },
	{ "s", TCT_DIM_TIME, INT64_C(1000000000), 9 },
	{ "min", TCT_DIM_TIME, INT64_C(60000000000), 0 },
	{ "h", TCT_DIM_TIME, INT64_C(3600000000000), 0 },
	{ "d", TCT_DIM_TIME, INT64_C(86400000000000), 0 },
	{ "%", TCT_DIM_SHARE, 10000, 4 },
	{ "/s", TCT_DIM_RATE, 1000000, 6 },
};

static const struct {
	const char *name;
	enum tct_token_kind kind;
} keywords[] = {
	{ "true", TCT_TOKEN_TRUE }, { "false", TCT_TOKEN_FALSE }, { "and", TCT_TOKEN_AND },
	{ "or", TCT_TOKEN_OR },     { "not", TCT_TOKEN_NOT },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
	return is_letter(c) || is_digit(c);
}

static const struct unit *find_unit(const char *name, size_t length)
{
	for (size_t i = 0; i < TCT_COUNT(units); i++) {
		if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
			return &units[i];
	}
	return NULL;
}

bool tct_lexer_is_unit(const char *name, size_t length)
{
	return find_unit(name, length) != NULL;
}

bool tct_lexer_is_keyword(const char *name, size_t length)
{
	for (size_t i = 0; i < TCT_COUNT(keywords); i++) {
		if (strlen(keywords[i].name) == length &&
		    memcmp(keywords[i].name, name, length) == 0)
			return true;
	}
	return false;
}

static char look(const struct tct_lexer *lexer, size_t ahead)
{
	size_t at = lexer->at + ahead;

	return at < lexer->end ? lexer->source->text[at] : '\0';
}

/* Length of the unit's name at `ahead`: letters, "%", or, glued to the number, "/s". */
static size_t unit_length(const struct tct_lexer *lexer, size_t ahead)
{
	size_t length = 0;

	if (look(lexer, ahead) == '%')
		return 1;
	if (ahead == 0 && look(lexer, 0) == '/' && look(lexer, 1) == 's' &&
	    !is_word(look(lexer, 2)))
		return 2;
	if (!is_letter(look(lexer, ahead)))
		return 0;
	while (is_word(look(lexer, ahead + length)))
		length++;
	return length;
}

/* A unit glued to the number, or after one blank. NULL and 0: none. */
static int lex_unit(struct tct_lexer *lexer, const struct unit **unit, struct tct_err *err)
{
	size_t length = unit_length(lexer, 0);

	*unit = NULL;
	if (length > 0) {
		const char *name = lexer->source->text + lexer->at;

		*unit = find_unit(name, length);
		if (*unit == NULL)
			return tct_passage_error(
				lexer->source, lexer->at, err,
				"unknown unit `%.*s`: B KiB MiB GiB TiB, ns us ms s min h d, %% or /s",
				length > 20 ? 20 : (int)length, name);
		lexer->at += length;
		return 0;
	}
	if (look(lexer, 0) != ' ')
		return 0;
	length = unit_length(lexer, 1);
	*unit = find_unit(lexer->source->text + lexer->at + 1, length);
	if (*unit != NULL)
		lexer->at += 1 + length;
	return 0;
}

static int too_large(const struct tct_lexer *lexer, size_t start, struct tct_err *err)
{
	return tct_passage_error(lexer->source, start, err, "this number is too large (64 bits)");
}

/* Digits, single `_` between them allowed. *digits counts them. */
static int lex_digits(struct tct_lexer *lexer, int base, int64_t *number, size_t *digits,
		      struct tct_err *err)
{
	size_t start = lexer->at;

	*number = 0;
	*digits = 0;
	for (;; lexer->at++) {
		char c = look(lexer, 0);
		int digit;

		if (is_digit(c))
			digit = c - '0';
		else if (base == 16 && ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'))
			digit = (c | 0x20) - 'a' + 10;
		else if (c == '_' && *digits > 0 && is_word(look(lexer, 1)) &&
			 look(lexer, 1) != '_')
			continue;
		else
			break;
		if (__builtin_mul_overflow(*number, (int64_t)base, number) ||
		    __builtin_add_overflow(*number, (int64_t)digit, number))
			return too_large(lexer, start, err);
		(*digits)++;
	}
	return 0;
}

static int lex_hexadecimal(struct tct_lexer *lexer, struct tct_token *token, struct tct_err *err)
{
	size_t digits;

	lexer->at += 2;

	int status = lex_digits(lexer, 16, &token->number, &digits, err);

	if (status < 0)
		return status;
	if (digits == 0 || is_word(look(lexer, 0)) || look(lexer, 0) == '.')
		return tct_passage_error(lexer->source, token->start, err,
					 "malformed hexadecimal number");
	token->kind = TCT_TOKEN_NUMBER;
	token->bare = true;
	token->dimension = TCT_DIM_COUNT;
	return 0;
}

static int finish_version(const struct tct_lexer *lexer, struct tct_token *token,
			  const int64_t *parts, size_t count, struct tct_err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (parts[i] > 0xffff)
			return tct_passage_error(lexer->source, token->start, err,
						 "a version's parts go up to 65535");
	}
	token->kind = TCT_TOKEN_VERSION;
	token->number = (tct_version)(parts[0] << 32 | parts[1] << 16 | (count > 2 ? parts[2] : 0));
	return 0;
}

/* 0.5% and 1.5s: exact, or refused. */
static int finish_decimal(const struct tct_lexer *lexer, struct tct_token *token,
			  const struct unit *unit, const int64_t *parts, size_t digits,
			  struct tct_err *err)
{
	int64_t scale = unit->scale;
	int64_t part;

	if (unit->decimals == 0)
		return tct_passage_error(lexer->source, token->start, err,
					 "decimals go with s, ms, %% and /s only, not with %s",
					 unit->name);
	if (digits > unit->decimals)
		return tct_passage_error(lexer->source, token->start, err,
					 "at most %u decimals with %s", unit->decimals, unit->name);
	for (size_t i = 0; i < digits; i++)
		scale /= 10;
	part = parts[1] * scale; /* parts[1] < 10^digits, so this is below unit->scale */
	if (__builtin_mul_overflow(parts[0], unit->scale, &token->number) ||
	    __builtin_add_overflow(token->number, part, &token->number))
		return too_large(lexer, token->start, err);
	return 0;
}

static int lex_number(struct tct_lexer *lexer, struct tct_token *token, struct tct_err *err)
{
	int64_t parts[3] = { 0 };
	size_t digits[3] = { 0 };
	size_t count = 0;
	const struct unit *unit;
	int status;

	if (look(lexer, 0) == '0' && (look(lexer, 1) == 'x' || look(lexer, 1) == 'X'))
		return lex_hexadecimal(lexer, token, err);

	bool leading_zero =
		look(lexer, 0) == '0' && (is_digit(look(lexer, 1)) || look(lexer, 1) == '_');

	for (;;) {
		status = lex_digits(lexer, 10, &parts[count], &digits[count], err);
		if (status < 0)
			return status;
		count++;
		if (look(lexer, 0) != '.')
			break;
		if (count == 3 || !is_digit(look(lexer, 1)))
			return tct_passage_error(lexer->source, token->start, err,
						 "malformed number");
		lexer->at++;
	}
	if (leading_zero)
		return tct_passage_error(
			lexer->source, token->start, err,
			"a number must not begin with 0: the kernel reads such numbers as octal");
	if (look(lexer, 0) == '_')
		return tct_passage_error(lexer->source, token->start, err, "malformed number");
	status = lex_unit(lexer, &unit, err);
	if (status < 0)
		return status;
	if (unit == NULL && count > 1)
		return finish_version(lexer, token, parts, count, err);
	token->kind = TCT_TOKEN_NUMBER;
	token->bare = unit == NULL;
	token->dimension = unit == NULL ? TCT_DIM_COUNT : unit->dimension;
	if (unit == NULL) {
		token->number = parts[0];
		return 0;
	}
	if (count == 3)
		return tct_passage_error(lexer->source, token->start, err, "malformed number");
	if (count == 2)
		return finish_decimal(lexer, token, unit, parts, digits[1], err);
	if (__builtin_mul_overflow(parts[0], unit->scale, &token->number))
		return too_large(lexer, token->start, err);
	return 0;
}

static int lex_text(struct tct_lexer *lexer, struct tct_token *token, struct tct_err *err)
{
	char quote = look(lexer, 0);

	for (lexer->at++; lexer->at < lexer->end; lexer->at++) {
		if (look(lexer, 0) == quote) {
			lexer->at++;
			token->kind = TCT_TOKEN_TEXT;
			return 0;
		}
	}
	return tct_passage_error(lexer->source, token->start, err, "this text has no closing %c",
				 quote);
}

static void lex_name(struct tct_lexer *lexer, struct tct_token *token)
{
	token->kind = TCT_TOKEN_NAME;
	while (is_word(look(lexer, 0)))
		lexer->at++;
	while (look(lexer, 0) == '.' && is_word(look(lexer, 1))) {
		token->kind = TCT_TOKEN_DOTTED;
		lexer->at++;
		while (is_word(look(lexer, 0)) ||
		       (look(lexer, 0) == '-' && is_word(look(lexer, 1))))
			lexer->at++;
	}
	for (size_t i = 0; i < TCT_COUNT(keywords); i++) {
		size_t length = lexer->at - token->start;

		if (strlen(keywords[i].name) == length &&
		    memcmp(keywords[i].name, lexer->source->text + token->start, length) == 0)
			token->kind = keywords[i].kind;
	}
}

static const struct {
	char text[3];
	enum tct_token_kind kind;
} signs[] = {
	/* longer ones first */
	{ "==", TCT_TOKEN_EQ },        { "!=", TCT_TOKEN_NE },         { "<=", TCT_TOKEN_LE },
	{ ">=", TCT_TOKEN_GE },        { "<", TCT_TOKEN_LT },          { ">", TCT_TOKEN_GT },
	{ "+", TCT_TOKEN_PLUS },       { "-", TCT_TOKEN_MINUS },       { "*", TCT_TOKEN_STAR },
	{ "/", TCT_TOKEN_SLASH },      { "(", TCT_TOKEN_OPEN },        { ")", TCT_TOKEN_CLOSE },
	{ "[", TCT_TOKEN_OPEN_INDEX }, { "]", TCT_TOKEN_CLOSE_INDEX }, { ",", TCT_TOKEN_COMMA },
	{ ":", TCT_TOKEN_COLON },
};

static int lex_sign(struct tct_lexer *lexer, struct tct_token *token, struct tct_err *err)
{
	char c = look(lexer, 0);

	for (size_t i = 0; i < TCT_COUNT(signs); i++) {
		size_t length = strlen(signs[i].text);

		if (c == signs[i].text[0] && (length == 1 || look(lexer, 1) == signs[i].text[1])) {
			token->kind = signs[i].kind;
			lexer->at += length;
			return 0;
		}
	}
	if (c == '=')
		return tct_passage_error(lexer->source, lexer->at, err,
					 "`=`: a comparison is written ==");
	if (c == '&' || c == '|' || c == '!')
		return tct_passage_error(lexer->source, lexer->at, err, "`%c`: write and, or, not",
					 c);
	if (c > ' ' && c < 0x7f)
		return tct_passage_error(lexer->source, lexer->at, err, "unexpected `%c`", c);
	return tct_passage_error(lexer->source, lexer->at, err,
				 "unexpected character outside of quotes");
}

int tct_lexer_next(struct tct_lexer *lexer, struct tct_token *token, struct tct_err *err)
{
	int status = 0;
	char c;

	while (look(lexer, 0) == ' ' || look(lexer, 0) == '\t' || look(lexer, 0) == '\n' ||
	       look(lexer, 0) == '\r')
		lexer->at++;
	*token = (struct tct_token){ .kind = TCT_TOKEN_END, .start = lexer->at };
	c = look(lexer, 0);
	if (lexer->at >= lexer->end)
		status = 0;
	else if (is_digit(c))
		status = lex_number(lexer, token, err);
	else if (is_letter(c))
		lex_name(lexer, token);
	else if (c == '"' || c == '\'')
		status = lex_text(lexer, token, err);
	else
		status = lex_sign(lexer, token, err);
	token->end = lexer->at;
	return status;
}
