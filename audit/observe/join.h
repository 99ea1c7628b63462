/* Interval after interval: what watches must not lose what happened between two observations. */
#ifndef TCT_AUDIT_OBSERVE_JOIN_H
#define TCT_AUDIT_OBSERVE_JOIN_H

#include "audit/observe/observation.h"

/*
 * Make the interval of the observation begin where the one before ended, gap_ns earlier than it
 * did: counters, queues, drops and used ports of the first look become those of the last look
 * before. Nothing is done if one of the two was a single look. What is new, or was reset, stays as
 * it is. 0 or -ENOMEM.
 */
int tct_observation_join(struct tct_observation *observation, const struct tct_observation *before,
			 int64_t gap_ns);

#endif
