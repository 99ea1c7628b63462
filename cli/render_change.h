/* The parts that apply, rollback and confirm have in common as text. */
#ifndef TCT_CLI_RENDER_CHANGE_H
#define TCT_CLI_RENDER_CHANGE_H

#include "cli/render.h"

/* Each prints one part; where there is nothing to tell, nothing. */

/* An interrupted or unconfirmed transaction that was undone first. */
void tct_put_recovered(const struct tct_page *page, const struct tct_apply_result *result);
/* The table of keys: before, after, where. */
void tct_put_settings(const struct tct_page *page, const struct tct_apply_result *result);
/* What changes in the drop-in, as a diff. */
void tct_put_diff(const struct tct_page *page, const struct tct_apply_result *result);
void tct_put_conflicts(const struct tct_page *page, const struct tct_options *options,
		       const struct tct_apply_result *result);
/* Keys that this kernel or namespace doesn't have. */
void tct_put_unsupported(const struct tct_page *page, const struct tct_plan_unsupported *items,
			 size_t count);
/* The command to type next. */
void tct_put_next(const struct tct_page *page, const struct tct_text *text);

/* Did the system refuse? */
bool tct_exit_is_failure(int exit_code);
/* What such a failure leaves behind, as a sentence; stderr has said what failed. */
const char *tct_failure_words(const struct tct_apply_result *result, int exit_code);

#endif
