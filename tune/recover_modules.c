/* The list of modules of an interrupted transaction: as it was, as we wrote it, or somebody else's.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "tune/modules.h"
#include "tune/transact.h"

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static int stuck(const struct tct_transaction *transaction, int status, struct tct_err *err)
{
	return tct_err_set(err, TCT_FAULT_STUCK, -status,
			   "the interrupted transaction %" PRIu64 " can't be undone: %s: %s",
			   transaction->id, TCT_MODULES_LOAD_PATH, strerror(-status));
}

int tct_recover_modules(const struct tct_place_of_work *place,
			const struct tct_transaction *transaction, struct tct_apply_result *result,
			struct tct_err *err)
{
	const struct tct_own_file *file = &tct_own_modules_load;
	TCT_AUTOFREE char *before = NULL;
	TCT_AUTOFREE char *after = NULL;
	TCT_AUTOFREE char *now = NULL;
	char before_sha256[65];
	int status = tct_own_file_read(place->root, file, &now, err);

	if (status == -ENOMEM)
		return status;
	/* Not "changed by somebody": the transaction stays open until it can be read. */
	if (status < 0 && !tct_own_file_is_strange(status))
		return stuck(transaction, status, err);
	if (tct_modules_render(transaction->modules_before, &before) < 0 ||
	    tct_modules_render(transaction->modules_after, &after) < 0)
		return tct_err_nomem(err);
	if (status == 0 && same_text(now, before))
		return tct_own_file_sweep(place->root, file, err);
	if (status < 0 || !same_text(now, after)) {
		status = tct_result_conflict(result, NULL, NULL, NULL, NULL,
					     TCT_MODULES_LOAD_PATH
					     " was changed after the interruption; left as it is");
		return status < 0 ? tct_err_nomem(err) : 0;
	}
	tct_own_file_sha256(before, before_sha256);
	status = tct_own_file_restore(place->root, file, before_sha256, before, err);
	/* Live values and the drop-in have gone back already. */
	return status < 0 && status != -ENOMEM ? stuck(transaction, status, err) : status;
}
