/* What a trace did that a power cut could undo, as steps: writes, syncs, names that come and go. */
#ifndef TCT_TESTS_FAULT_STEPS_H
#define TCT_TESTS_FAULT_STEPS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/fault/trace.h"

enum step_kind {
	STEP_DATA,   /* bytes, owner, mode or attributes of `path` */
	STEP_NAME,   /* a name below the folder `path` came or went: `name` */
	STEP_RENAME, /* the same, by renaming `from` to `name` */
	STEP_SYNC,   /* fsync of `path` */
	STEP_LIVE,   /* a live value was written */
	STEP_RECORD, /* a record was written to the journal */
	STEP_TOLD,   /* people were told */
};

struct step {
	enum step_kind kind;
	const struct trace_call *call;
	char path[PATH_MAX];
	char name[NAME_MAX + 1];
	char from[NAME_MAX + 1];
};

struct steps {
	struct step *items;
	size_t items_count;
	size_t items_capacity;
};

/* Calls that failed, and what happens in /run (which no power cut survives), are no steps. Borrows
 * the trace's calls. */
void steps_take(const struct trace *trace, struct steps *steps);
void steps_done(struct steps *steps);

/*
 * Is the order such that at whatever point the power fails, the journal tells enough? begun: a
 * record of an interrupted transaction is there before. Returns NULL, or what is wrong; *at is the
 * step. Step `without` is left out (SIZE_MAX = none).
 */
const char *steps_judge(const struct steps *steps, bool begun, size_t without, size_t *at);

#endif
