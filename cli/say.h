/* What a command says: one line on stderr, one document on stdout; and its exit code. */
#ifndef TCT_CLI_SAY_H
#define TCT_CLI_SAY_H

#include <jansson.h>

#include "core/err.h"
#include "core/text.h"

enum {
	TCT_EXIT_DONE = 0,
	TCT_EXIT_NO = 1,
	TCT_EXIT_INPUT = 2,
	TCT_EXIT_REFUSED = 3,
	TCT_EXIT_STUCK = 4,
	TCT_EXIT_BUSY = 5,
};

/* Say what is wrong, as one line on stderr; returns the exit code of the fault. */
int tct_complain(const struct tct_err *err);
/* Print what is no failure to stderr; "" = nothing. */
void tct_remark(const char *text);

/* The same for bad usage: exit code 2. */
__attribute__((format(printf, 1, 2))) int tct_bad_usage(const char *format, ...);

/*
 * Print one document on stdout and drop it: two blanks a level, members in the order they were set.
 * NULL is lack of memory. Returns the exit code to go on with: `code`, or the one of the failure.
 */
int tct_print_json(json_t *document, int code);

/*
 * The same, with one more member at the end: a list whose entries are in `list` already, as they
 * are printed, four blanks in.
 */
int tct_print_json_and_list(json_t *document, const char *name, const struct tct_text *list,
			    int code);

/* How documents are printed, for json_dumps(). */
size_t tct_json_flags(void);

#endif
