/* What could not be seen in several network namespaces, told once. */
#ifndef TCT_AUDIT_OBSERVE_SHARED_GAPS_H
#define TCT_AUDIT_OBSERVE_SHARED_GAPS_H

#include "audit/observe/observation.h"

struct tct_shared_gap {
	struct tct_gap gap;
	size_t namespaces;
	char first[TCT_NETNS_NAME]; /* the name of the first of them */
};

struct tct_shared_gaps {
	struct tct_shared_gap *items;
	size_t items_count;
	size_t items_capacity;
};

/* Note those of the namespace `name`. 0 or -ENOMEM. */
int tct_shared_gaps_add(struct tct_shared_gaps *gaps, const char *name,
			const struct tct_observation *observation);

/* Make them gaps of `own`: "network namespace web: ...", "7 network namespaces: ...". 0 or -ENOMEM.
 */
int tct_shared_gaps_tell(const struct tct_shared_gaps *gaps, struct tct_observation *own);
void tct_shared_gaps_done(struct tct_shared_gaps *gaps);

#endif
