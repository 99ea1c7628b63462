/* What the system wouldn't let us write is refused before anything is written. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/live_write.h"
#include "tune/plan.h"
#include "tune/transact.h"

static int refuse(struct tct_plan *plan, const struct tct_kernel_key *key, int code)
{
	struct tct_plan_refusal *refusal = TCT_APPEND(plan, refused);

	if (refusal == NULL)
		return -ENOMEM;
	*refusal = (struct tct_plan_refusal){ .key = key, .kind = "system" };
	(void)snprintf(refusal->reason, sizeof(refusal->reason), "it can't be written here: %s",
		       tct_live_error(code));
	return 0;
}

int tct_plan_refuse_unwritable(struct tct_plan *plan, const struct tct_root *root,
			       struct tct_err *err)
{
	TCT_AUTOCLOSE int proc_sys = plan->live ? tct_live_open(root) : -1;

	if (!plan->live)
		return 0;
	if (proc_sys < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, -proc_sys, "/proc/sys: %s",
				   tct_live_error(-proc_sys));
	for (size_t i = 0; i < plan->keys_count; i++) {
		const struct tct_plan_key *key = &plan->keys[i];
		int result = key->write_live ? tct_live_may_write(proc_sys, key->key) : 0;

		if (result < 0 && refuse(plan, key->key, -result) < 0)
			return tct_err_nomem(err);
	}
	return 0;
}

int tct_may_transact(const struct tct_root *root, const struct tct_journal *journal,
		     const struct tct_intent *intent, struct tct_err *err)
{
	int result;

	if (root->live && geteuid() != 0)
		return 0;
	result = tct_lock_may_take(root, err);
	if (result == 0)
		result = tct_journal_may_write(journal, root, err);
	if (result == 0 && intent->modules_change)
		result = tct_own_file_may_replace(root, &tct_own_modules_load,
						  intent->makes_modules, err);
	if (result == 0 && intent->drop_in_changes)
		result = tct_own_file_may_replace(root, &tct_own_drop_in, intent->makes_drop_in,
						  err);
	return result;
}
