/* What a rollback makes of our modules-load.d file: the list without what only the undone apply put
 * in. */
#include <errno.h>
#include <string.h>

#include "core/mem.h"
#include "tune/modules.h"
#include "tune/rollback_private.h"

/* Left alone, for --force to come back to. */
static int conflict(struct tct_rollback_work *rollback, const char *reason)
{
	rollback->fresh.drop_in_left = true;
	return tct_result_conflict(rollback->result, NULL, NULL, NULL, NULL, reason) < 0
		       ? tct_err_nomem(rollback->err)
		       : 0;
}

int tct_rollback_modules(struct tct_rollback_work *rollback)
{
	struct tct_transaction *fresh = &rollback->fresh;
	const char *wanted = rollback->after.modules;
	TCT_AUTOFREE char *text = NULL;
	TCT_AUTOFREE char *names = NULL;
	struct tct_err why = { 0 };
	int result;

	/* The second time it is about what was left alone. */
	if (tct_modules_same(rollback->before.modules, wanted) &&
	    (rollback->earlier == NULL || !tct_transaction_changed_modules(rollback->undo)))
		return 0;
	result = tct_own_file_read(rollback->options->root, &tct_own_modules_load, &text, &why);
	if (result == -ENOMEM || (result == 0 && tct_modules_parse(text, &names) < 0))
		return tct_err_nomem(rollback->err);
	if (result < 0 && !tct_own_file_is_strange(result)) {
		if (rollback->err != NULL)
			*rollback->err = why;
		return result;
	}
	if (result < 0)
		return conflict(rollback, why.message);
	/* Taken away by hand is what we want, too. */
	if (tct_modules_same(names, wanted))
		return 0;
	if (names != NULL && !tct_modules_same(names, rollback->before.modules) && !rollback->force)
		return tct_rollback_edited(rollback, TCT_MODULES_LOAD_PATH);
	fresh->persisted = true;
	if (tct_modules_copy(&fresh->modules_before, names) < 0 ||
	    tct_modules_copy(&fresh->modules_after, wanted) < 0 ||
	    tct_result_modules(rollback->result, rollback->options->root, names, wanted) < 0)
		return tct_err_nomem(rollback->err);
	return 0;
}
