/* The report of a command that changes things, and what is said if it gets lost. */
#ifndef TCT_CLI_DELIVER_H
#define TCT_CLI_DELIVER_H

#include <jansson.h>

#include "cli/options.h"
#include "tune/apply.h"

/*
 * Print the document (taken over; NULL = no memory for it), see that it arrived, and return the
 * exit code, as tct_deliver_text.
 */
int tct_deliver_json(const struct tct_options *options, const struct tct_apply_result *result,
		     json_t *document, int code);
/*
 * See that what was printed arrived, and return the exit code. It tells what became of the host, so
 * it is code itself, even if the report is lost: then standard error says which transaction is
 * done. Nothing is said of a reader that went away, and a dry run, which is only its report, is
 * left to main().
 */
int tct_deliver_text(const struct tct_options *options, const struct tct_apply_result *result,
		     int code);

#endif
