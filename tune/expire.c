/* What the guard runs: wait, and put back what was not confirmed in time. */
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/apply.h"
#include "tune/file_io.h"
#include "tune/guard.h"
#include "tune/transact.h"
#include "tune/waiting.h"

enum {
	LOCK_ROUNDS = 60, /* of a minute each, as long as another tcptune is at work */
	TRIES = 60,       /* a second apart, if the system refuses */
};

/* Memory may be short because of what is to be put back. Not permitted everywhere. */
static void ask_to_be_spared(void)
{
	TCT_AUTOCLOSE int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)tct_file_write(fd, "-1000\n", strlen("-1000\n"));
	(void)prctl(PR_SET_NAME, "tcptune");
}

static int take_lock(const struct tct_root *root, int *lock, struct tct_err *err)
{
	static const struct tct_lock_wait minute = { .ns = INT64_C(60) * 1000000000 };
	int status = 0;

	for (int round = 0; round < LOCK_ROUNDS; round++) {
		status = tct_lock_take(root, &minute, lock, err);
		if (status == 0 || err->fault != TCT_FAULT_BUSY)
			break;
	}
	return status;
}

static bool is_pending(const struct tct_journal *journal, uint64_t id)
{
	const struct tct_transaction *transaction = tct_journal_find(journal, id);

	return transaction != NULL &&
	       (transaction->state == TCT_TRANSACTION_OPEN || tct_transaction_waits(transaction));
}

/* A journal that can't be written any more must not keep the values from going back. */
static int put_back(const struct tct_place_of_work *place, uint64_t id,
		    struct tct_apply_result *result, struct tct_err *err)
{
	const struct tct_transaction *foreign = NULL;
	struct tct_journal *journal = NULL;
	int lock = -1;
	int status = take_lock(place->root, &lock, err);

	if (status < 0)
		return status;
	status = tct_journal_open(place->root, true, &journal, err);
	if (status < 0)
		status = tct_journal_open(place->root, false, &journal, err);
	if (status == 0 && is_pending(journal, id))
		status = tct_recover(place, journal, result, &foreign, err);
	tct_journal_free(journal);
	tct_lock_release(&lock);
	if (status == 0)
		result->changed = result->expired != 0 || result->recovered != 0;
	return status;
}

int tct_expire(const struct tct_apply_options *options, uint64_t id,
	       void (*ready)(const struct tct_transaction *transaction),
	       struct tct_apply_result *result, struct tct_err *err)
{
	static const struct timespec second = { .tv_sec = 1 };
	struct tct_place_of_work place;
	int status;

	*result = (struct tct_apply_result){ 0 };
	status = tct_place_of_work_init(options, &place, err);
	if (status < 0)
		return status;
	ask_to_be_spared();
	status = tct_guard_watch(&place, id, ready, err);
	if (status <= 0)
		return status;
	for (int i = 0; i < TRIES; i++) {
		if (i > 0)
			(void)nanosleep(&second, NULL);
		status = put_back(&place, id, result, err);
		if (status == 0 || err->fault == TCT_FAULT_INPUT)
			break;
	}
	/* A timer has two alarms: the other one isn't needed any more. */
	if (status == 0)
		tct_guard_disarm(id);
	return status;
}
