#include "cli/deliver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

#include "cli/say.h"
#include "cli/suggest.h"
#include "core/mem.h"
#include "core/text.h"

/* What became of the host: the report would have said it. */
static void add_outcome(struct tct_text *text, const struct tct_apply_result *result, uint64_t id)
{
	char time[TCT_NUMBER_TEXT];

	if (id == 0 || !result->changed) {
		tct_text_add(text, "all that was to be done is done");
		return;
	}
	tct_text_addf(text, "transaction %" PRIu64 " is %s", id,
		      result->confirmed != 0 ? "kept"
		      : result->undid != 0   ? "undone"
					     : "done");
	if (result->waiting.ns != 0)
		tct_text_addf(text, ", and waits to be confirmed until %s",
			      tct_text_time(result->waiting.until_ns, time));
}

static void tell_lost(const struct tct_options *options, const struct tct_apply_result *result,
		      int code, const char *why)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	uint64_t id = result->confirmed != 0 ? result->confirmed
		      : result->undid != 0   ? result->undid
					     : result->transaction;

	if (code == TCT_EXIT_DONE || code == TCT_EXIT_NO) {
		add_outcome(&text, result, id);
		tct_text_addf(&text, "; only the report is lost: %s", why);
	} else {
		tct_text_addf(&text, "the report of that is lost: %s", why);
	}
	tct_text_add(&text, "; see tcptune history");
	tct_suggest_root(&text, options);
	tct_remark(text.data != NULL ? text.data : "the report is lost");
}

int tct_deliver_text(const struct tct_options *options, const struct tct_apply_result *result,
		     int code)
{
	bool lost = ferror(stdout) != 0;
	int cause;

	if (result->dry_run)
		return code;
	errno = 0;
	if (fflush(stdout) != 0)
		lost = true;
	cause = errno;
	if (!lost)
		return code;
	/* This is the place to say it: main() shall not try again, nor say it in its own way. */
	__fpurge(stdout);
	clearerr(stdout);
	if (cause != EPIPE)
		tell_lost(options, result, code, cause != 0 ? strerror(cause) : "write error");
	return code;
}

int tct_deliver_json(const struct tct_options *options, const struct tct_apply_result *result,
		     json_t *document, int code)
{
	int printed = tct_print_json(document, code);

	if (result->dry_run)
		return printed;
	if (printed != code) {
		tell_lost(options, result, code, strerror(ENOMEM));
		return code;
	}
	return tct_deliver_text(options, result, code);
}
