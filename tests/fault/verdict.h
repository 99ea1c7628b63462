/* One point of the sweep: a fault, what it leaves, and what the next command makes of it. */
#ifndef TCT_TESTS_FAULT_VERDICT_H
#define TCT_TESTS_FAULT_VERDICT_H

#include <stdbool.h>

#include "tests/fault/scene.h"

/* What came of all points. */
struct tally {
	unsigned points;
	unsigned kills;
	unsigned at_once_old; /* right after the fault */
	unsigned at_once_new;
	unsigned at_once_between;
	unsigned old; /* after the next command */
	unsigned new;
	unsigned mixed;  /* neither, or not what was promised: must be 0 */
	unsigned missed; /* the call was not made this time */
	bool skipped;    /* the stage can't be made on this machine */
};

void tally_add(struct tally *sum, const struct tally *tally);

struct point {
	const struct trace_call *call;
	const char *error; /* NULL = SIGKILL */
	unsigned number;   /* which of the commands that may come next */
	bool history;      /* ask `tcptune history`, too */
};

/* How many commands may come next is known only then: `number` counts on through them. */
void point_try(const struct scene *scene, const struct point *point, struct tally *tally);

#endif
