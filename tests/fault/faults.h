/* Which errors fit which call: the table of the sweep. */
#ifndef TCT_TESTS_FAULT_FAULTS_H
#define TCT_TESTS_FAULT_FAULTS_H

#include <stdbool.h>

enum { FAULT_ERRORS = 6 };

struct fault_row {
	const char *call;
	const char *errors[FAULT_ERRORS]; /* as command_inject takes them; up to the first NULL */
	bool writes;          /* to disk or to the kernel: tried in every run of the sweep */
	const char *left_out; /* why errors of EIO, ENOSPC, EACCES, EINTR aren't tried */
};

/* The row of a call; one that isn't in the table can fail in all four ways. Never NULL. */
const struct fault_row *fault_find(const char *call);

#endif
