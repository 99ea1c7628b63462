/*
 * The guard of a transaction that waits to be confirmed: what puts it back when its time is over,
 * though the terminal, the session and tcptune itself are gone by then. It is a timer of systemd
 * where that is pid 1 and lives in our namespaces, otherwise a process in a session of its own.
 * Both run `tcptune confirm --expire ID`, which asks the journal, so a guard too many does no harm;
 * and none too few, for whatever command comes next looks at the time as well.
 */
#ifndef TCT_TUNE_GUARD_H
#define TCT_TUNE_GUARD_H

#include "tune/transact.h"

/*
 * Arm it for a transaction whose begin record is written, and see that it runs. *guard tells which
 * it is. Errors: REFUSED; then none is left.
 */
int tct_guard_arm(const struct tct_transaction *transaction, enum tct_guard *guard,
		  struct tct_err *err);
/*
 * The transaction waits no more: let systemd forget its timer, if it has one. A process ends by
 * itself, for it watches the journal.
 */
void tct_guard_disarm(uint64_t id);
const char *tct_guard_name(enum tct_guard guard); /* "systemd", "process" */

/*
 * The guard's own part: watch the journal until the transaction waits no more (0), or its time is
 * over (1). ready is called once, when nothing can fail any more. Errors: INPUT, REFUSED.
 */
int tct_guard_watch(const struct tct_place_of_work *place, uint64_t id,
		    void (*ready)(const struct tct_transaction *transaction), struct tct_err *err);

/* How what a guard says begins, as soon as it is ready. */
#define TCT_GUARD_READY "waiting"

/* A program to run with nothing of ours but the environment: no descriptor, no signal's setting. */
struct tct_spawn {
	const char *path;
	const char *const *argv;
	/*
	 * In a session of its own, and left alone as soon as it says this; NULL: it is waited for.
	 */
	const char *ready;
	int timeout_ms;
	char said[240]; /* what it wrote to standard output and error; terminated */
};

/*
 * Run it. 0: it is ready, or it has ended well. -ETIMEDOUT (one that was waited for is killed),
 * -ECHILD (it ended otherwise, see what it said), or -errno of what failed.
 */
int tct_spawn(struct tct_spawn *spawn);

#endif
