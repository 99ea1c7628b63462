/* What the parts of one look at the sockets share. Nobody else includes this. */
#ifndef TCT_AUDIT_OBSERVE_SOCKETS_PRIVATE_H
#define TCT_AUDIT_OBSERVE_SOCKETS_PRIVATE_H

#include <pthread.h>

#include "audit/observe/listening.h"
#include "audit/observe/peers.h"
#include "audit/observe/rare_populations.h"
#include "audit/observe/sockets.h"
#include "audit/observe/state_counts.h"

enum {
	TCT_STATES_LISTEN = 1 << TCT_STATE_LISTEN,
	TCT_STATES_ALL = (1 << TCT_STATE_LIMIT) - 2, /* but for TCT_STATES_BOUND */
};

/* The walk over outgoing sockets, all or some of them, beside the one over the rare states: each
 * costs the kernel a visit to every socket. */
struct tct_outgoing_walk {
	bool running;
	pthread_t thread;
	struct tct_diag diag;
	int result;  /* of the walk */
	bool walked; /* it was begun */
};

/* One look. */
struct tct_look {
	struct tct_sockets *sockets; /* borrowed */
	struct tct_observation *observation;
	struct tct_listening listening;
	struct tct_states states;
	struct tct_kernel_counts kernel;
	bool kernel_known;
	bool bound_uncounted; /* too many sockets for a walk to those that are only bound */
	bool skipped;         /* no walk: the kernel's counts say that there are only listeners */
	int64_t strange;      /* sockets of a state that we don't know */
	bool from_proc;
	uint64_t malformed;
	struct tct_rare_populations rare;
	struct tct_connections connections;
	struct tct_peers peers;
	struct tct_destinations destinations;
	struct tct_outgoing_walk outgoing;
	struct tct_cgroups *cgroups[TCT_DIRECTIONS]; /* owned, one for each thread; NULL = owners
							are not asked for */
};

int tct_look_init(struct tct_look *look, struct tct_sockets *sockets,
		  struct tct_observation *observation);
void tct_look_done(struct tct_look *look);

/* sockets_listeners.c: the listeners, sorted, from inet_diag or else from /proc. 0 or -errno. */
int tct_look_find_listeners(struct tct_look *look);
/* Which listeners have a port that the kernel chose. Returns whether that could be learnt. */
bool tct_look_find_automatic_ports(struct tct_look *look);
/* Hand the listeners over, with what the first look remembered. 0 or -ENOMEM. */
int tct_look_hand_over_listeners(struct tct_look *look, bool ports_known);
/* Remember this first look's listeners. 0 or -ENOMEM. */
int tct_look_remember_listeners(struct tct_look *look);

/* sockets_states.c: the listeners, and the counts by state. 0 or -errno. */
int tct_look_count_states(struct tct_look *look);
/* Thrifty, and the kernel's counts say that there is not even a listener: nothing is to be walked.
 */
bool tct_look_has_nothing(struct tct_look *look);

/*
 * sockets_connections.c: once listeners and the kernel's counts are known, begin what can run
 * beside the count of states. 0 or -ENOMEM.
 */
int tct_look_begin_connections(struct tct_look *look);
/* Wait for it. */
void tct_look_join(struct tct_look *look);
/* Populations, owners, destinations, un-accepted connections, as far as
 * sockets->looks asks. 0 or -ENOMEM. */
int tct_look_at_connections(struct tct_look *look);
/* The same at the first look, as far as it is compared later. 0 or -ENOMEM. */
int tct_look_remember_connections(struct tct_look *look);

#endif
