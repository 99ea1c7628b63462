/*
 * Connections by who holds them, while they are gathered: the unit or container of their cgroup;
 * else the listener that took them, whose process is sought later; else their user.
 */
#ifndef TCT_AUDIT_OBSERVE_OWNER_GROUPS_H
#define TCT_AUDIT_OBSERVE_OWNER_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/cgroups.h"
#include "audit/observe/observation.h"
#include "audit/observe/population_kinds.h"
#include "audit/observe/tcp_socket.h"

enum tct_direction {
	TCT_INCOMING,
	TCT_OUTGOING,
	TCT_DIRECTIONS,
};

enum {
	TCT_GROUPS_MAX = 256,
	TCT_GROUP_INODES = 16,
	TCT_OWNERS_TOLD = 64,
};

/* Populations that have CLOSE_WAIT sockets beside ESTABLISHED ones: these come from another walk.
 */
enum tct_closing_kind {
	TCT_CLOSING_UNANSWERED,
	TCT_CLOSING_ZERO_WINDOW,
	TCT_CLOSING_KINDS,
};

/* How long the ESTABLISHED sockets had data to send, and what held it up. In all it may be more
 * than fits into 64 bits of nanoseconds. */
struct tct_send_times {
	int64_t told; /* by so many sockets */
	double busy_us;
	double rwnd_limited_us;
	double sndbuf_limited_us;
};

/* What was seen of one group, not scaled yet. */
struct tct_raw_group {
	uint64_t cgroup; /* of a unit or container, else 0 */
	char unit[128];
	int64_t listener; /* position among the listening sockets, -1 = none */
	int64_t uid;      /* -1 = several */
	bool others;      /* all that found no room */
	int64_t established;
	struct tct_send_times times;
	struct tct_population populations[TCT_POPULATION_RARE];
	struct tct_population closing[TCT_CLOSING_KINDS];
	int64_t rare[TCT_POPULATION_RARE_KINDS];
	int64_t close_wait_first;          /* in CLOSE_WAIT at the first look, -1 = not known */
	uint32_t inodes[TCT_GROUP_INODES]; /* of its sockets, those in CLOSE_WAIT first */
	size_t inodes_count;
	size_t inodes_closing; /* of these, in CLOSE_WAIT */
	struct tct_owner owner;
};

/* Those of one direction. */
struct tct_owner_groups {
	struct tct_raw_group *items; /* owned */
	size_t items_count;
	size_t items_capacity;
	size_t last;                 /* that a socket was added to: neighbours are often alike */
	struct tct_cgroups *cgroups; /* borrowed; NULL = don't tell owners apart */
	uint64_t last_cgroup;
	char last_unit[128];
};

void tct_owner_groups_done(struct tct_owner_groups *groups);

/* Forget what was counted of ESTABLISHED connections, or of those in CLOSE_WAIT. */
void tct_owner_groups_clear(struct tct_owner_groups *groups, bool closing);

/* Count a socket that has an owner. listener as in struct tct_raw_group. 0 or -ENOMEM. */
int tct_owner_groups_add(struct tct_owner_groups *groups, int64_t listener,
			 const struct tct_tcp_socket *socket);

/* Add a socket's times, if it tells them. */
void tct_send_times_add(struct tct_send_times *times, const struct tct_tcp_socket *socket);

/* Add the times to the owner's, scaled; those that it doesn't know yet are none so far. */
void tct_send_times_hand_over(const struct tct_send_times *times, double weight,
			      struct tct_owner_group *group);

/* People have a name for the cgroup: it is a unit's or container's. */
bool tct_owner_groups_know(struct tct_owner_groups *groups, uint64_t cgroup);

/*
 * Add what `more` counted of rare populations to the groups of the same owners, which are made
 * where there are none. 0 or -ENOMEM.
 */
int tct_owner_groups_add_rare(struct tct_owner_groups groups[TCT_DIRECTIONS],
			      const struct tct_owner_groups *more);

/* How many of its sockets count when it is asked whether the owner is worth seeking, or told first.
 */
int64_t tct_raw_group_size(const struct tct_raw_group *group);

/* By how much each direction's numbers, and those of CLOSE_WAIT, are scaled up. */
struct tct_weights {
	double direction[TCT_DIRECTIONS];
	double closing;
};

/*
 * Add to the observation's populations, but for the rare ones (samples and presences are left
 * alone), and fill its owners: groups of one unit, or of one process, are one owner. 0 or -ENOMEM.
 */
int tct_owner_groups_hand_over(const struct tct_owner_groups groups[TCT_DIRECTIONS],
			       const struct tct_weights *weights,
			       struct tct_observation *observation);

#endif
