/* An observation with something of everything, for tests of what a report tells of it. */
#ifndef TCT_TESTS_UNIT_REPORT_WORLD_H
#define TCT_TESTS_UNIT_REPORT_WORLD_H

#include "audit/observe/observation.h"

/* Fill an observation that is empty. */
void report_world_fill(struct tct_observation *seen);

/* A counter of it, at both looks. */
void report_world_counter(struct tct_observation *seen, const char *name, int64_t first,
			  int64_t last);

#endif
