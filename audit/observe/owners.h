/* Who holds the sockets: units by cgroup, processes by inode within a budget. */
#ifndef TCT_AUDIT_OBSERVE_OWNERS_H
#define TCT_AUDIT_OBSERVE_OWNERS_H

#include <stdint.h>

#include "audit/observe/cgroups.h"
#include "audit/observe/observation.h"
#include "audit/observe/owner_groups.h"
#include "core/root.h"

enum {
	TCT_OWNERS_BUDGET_MS = 60,
	TCT_OWNERS_SMALL_BUDGET_MS = 10, /* where connections are only sampled */
	TCT_OWNERS_WORTH = 4, /* groups and destinations with fewer sockets are not sought */
};

/*
 * Name the owners of the observation's listeners and destinations, and of the groups (not handed
 * over yet, their listeners being positions among the observation's). Notes gaps. 0 or -ENOMEM.
 */
int tct_owners_find(const struct tct_root *root, struct tct_cgroups *cgroups,
		    struct tct_owner_groups groups[TCT_DIRECTIONS],
		    struct tct_observation *observation);

/*
 * Name the owners of these listeners only, their cgroup being set: unit and process as far as the
 * budget goes; owner.sight says why not. 0 or -ENOMEM.
 */
int tct_owners_find_listeners(const struct tct_root *root, struct tct_listener *listeners,
			      size_t count);

/* Learn how many descriptors the owners handed over may have. */
void tct_owners_find_limits(const struct tct_root *root, struct tct_observation *observation);

#endif
