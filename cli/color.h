/* What may reach a terminal: our own colours, and text of which nothing can act on it. */
#ifndef TCT_CLI_COLOR_H
#define TCT_CLI_COLOR_H

#include <stdbool.h>

#include "audit/rules/profile.h"
#include "core/text.h"

enum tct_style {
	TCT_STYLE_PLAIN,
	TCT_STYLE_STRONG,
	TCT_STYLE_DIM,
	TCT_STYLE_GOOD,
	TCT_STYLE_BAD,
	TCT_STYLE_WARN,
	TCT_STYLE_ADVICE,
	TCT_STYLE_INFO,
};

/* The escape sequence that switches a style on; "" for PLAIN. TCT_STYLE_OFF ends any. */
const char *tct_style_sequence(enum tct_style style);
#define TCT_STYLE_OFF "\033[0m"

enum tct_style tct_severity_style(enum tct_severity severity);

/*
 * Append text to out so that it is safe to print: white space becomes blanks; control characters,
 * characters that change the direction or hide, and bytes that aren't UTF-8 are written as \xNN or
 * \uNNNN. Without utf8, every other character beyond ASCII becomes '?'.
 */
void tct_safe_add(struct tct_text *out, const char *text, bool utf8);

#endif
