/* The words of the expression language. */
#ifndef TCT_AUDIT_RULES_LEXER_H
#define TCT_AUDIT_RULES_LEXER_H

#include "audit/rules/passage.h"

enum tct_token_kind {
	TCT_TOKEN_END,
	TCT_TOKEN_NUMBER,
	TCT_TOKEN_VERSION,
	TCT_TOKEN_TEXT,   /* quotes included in start..end */
	TCT_TOKEN_NAME,   /* queue */
	TCT_TOKEN_DOTTED, /* net.core.somaxconn */
	TCT_TOKEN_TRUE,
	TCT_TOKEN_FALSE,
	TCT_TOKEN_AND,
	TCT_TOKEN_OR,
	TCT_TOKEN_NOT,
	TCT_TOKEN_EQ,
	TCT_TOKEN_NE,
	TCT_TOKEN_LT,
	TCT_TOKEN_LE,
	TCT_TOKEN_GT,
	TCT_TOKEN_GE,
	TCT_TOKEN_PLUS,
	TCT_TOKEN_MINUS,
	TCT_TOKEN_STAR,
	TCT_TOKEN_SLASH,
	TCT_TOKEN_OPEN,
	TCT_TOKEN_CLOSE,
	TCT_TOKEN_OPEN_INDEX,
	TCT_TOKEN_CLOSE_INDEX,
	TCT_TOKEN_COMMA,
	TCT_TOKEN_COLON,
};

struct tct_token {
	enum tct_token_kind kind;
	size_t start; /* bytes of the source's text */
	size_t end;
	int64_t number;               /* NUMBER in its dimension, VERSION */
	bool bare;                    /* NUMBER: an integer without a unit */
	enum tct_dimension dimension; /* NUMBER */
};

struct tct_lexer {
	const struct tct_passage *source;
	size_t at;
	size_t end; /* the text to read is source->text[at..end) */
};

/* Read the next token. 0, or -EINVAL with the place. */
int tct_lexer_next(struct tct_lexer *lexer, struct tct_token *token, struct tct_err *err);

/* True for a name of a unit: such a name can't be a variable's. */
bool tct_lexer_is_unit(const char *name, size_t length);
/* True for true, false, and, or, not. */
bool tct_lexer_is_keyword(const char *name, size_t length);

#endif
