/* Shared by the files of check. */
#ifndef TCT_TUNE_CHECK_PRIVATE_H
#define TCT_TUNE_CHECK_PRIVATE_H

#include "tune/apply.h"

/* What the verdict is made of; all of it borrowed. */
struct tct_check_question {
	const struct tct_profile_set *set;
	const struct tct_observation *observation;
	const struct tct_plan_options *options;
	const struct tct_plan *plan;
	bool blind; /* what tcptune did here isn't known */
	bool waits; /* the drop-in is to be written by a confirm */
};

/*
 * Fill result's keys, exceptions and verdict: it conforms where apply would have nothing to do, and
 * no other file overrides our drop-in. 0 or -ENOMEM.
 */
int tct_check_conclude(const struct tct_check_question *question, struct tct_check_result *result);

#endif
