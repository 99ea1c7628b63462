/*
 * Populations of states that are few, counted along with the states: SYNs and FINs that nobody
 * answers, FIN_WAIT2 with and without an owner.
 */
#ifndef TCT_AUDIT_OBSERVE_RARE_POPULATIONS_H
#define TCT_AUDIT_OBSERVE_RARE_POPULATIONS_H

#include <stdint.h>

#include "audit/observe/listening.h"
#include "audit/observe/owner_groups.h"
#include "audit/observe/population_kinds.h"

struct tct_rare_populations {
	int64_t totals[TCT_POPULATION_RARE_KINDS];
	struct tct_owner_groups groups; /* of those that have an owner, both directions */
};

/* cgroups is borrowed; NULL = owners are not told apart. */
void tct_rare_populations_init(struct tct_rare_populations *rare, struct tct_cgroups *cgroups);
void tct_rare_populations_done(struct tct_rare_populations *rare);
void tct_rare_populations_clear(struct tct_rare_populations *rare);

/* Count a socket of any state; those of no such population are passed over. 0 or -ENOMEM. */
int tct_rare_populations_add(struct tct_rare_populations *rare, struct tct_listening *listening,
			     const struct tct_tcp_socket *socket);

/* How many sockets are in the states of such a population. */
int64_t tct_rare_population_of(const struct tct_states *states, enum tct_population_kind kind);

/* Fill those populations of the observation, whose states are counted already. */
void tct_rare_populations_hand_over(const struct tct_rare_populations *rare,
				    struct tct_observation *observation);

#endif
