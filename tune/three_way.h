/* Undoing one key's change when others may have changed it, too: before, ours, now. */
#ifndef TCT_TUNE_THREE_WAY_H
#define TCT_TUNE_THREE_WAY_H

#include "core/value.h"

struct tct_three_way {
	const struct tct_kernel_key *key;
	const struct tct_value *before; /* to go back to */
	const struct tct_value *ours;   /* what we wrote */
	const struct tct_value *booted; /* what our drop-in's line made of it at a boot since; NULL
					 */
	const struct tct_value *now;
	const struct tct_value *settled[2]; /* fields that differ here went back earlier and are not
					       meant again; NULL */
	bool force;
};

struct tct_three_way_answer {
	struct tct_value after; /* to be written; NONE = nothing is */
	bool conflict;          /* changed by somebody else since we did; force overrides it */
	unsigned fields;        /* which fields, a bit each; 0 = the key as a whole */
	bool disordered;        /* as a whole, because a mixture of fields would not ascend */
};

/*
 * What becomes of the key. Where the kernel keeps the fields apart each has three ways of its own,
 * else the value as a whole has. What we did not change there is nobody's conflict. *answer is
 * overwritten, after is owned by the caller. 0 or -ENOMEM.
 */
int tct_three_way(const struct tct_three_way *ways, struct tct_three_way_answer *answer);

#endif
