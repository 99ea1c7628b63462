/*
 * What connections are like - how long they heard nothing, what timers guard them, who holds them -
 * from a fair sample when there are many: of incoming ones the first of the dump, which the hash
 * mixes well; of outgoing ones those on some of the local ports (see local_ports.h).
 */
#ifndef TCT_AUDIT_OBSERVE_CONNECTIONS_H
#define TCT_AUDIT_OBSERVE_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/destinations.h"
#include "audit/observe/listening.h"
#include "audit/observe/local_ports.h"
#include "audit/observe/observation.h"
#include "audit/observe/owner_groups.h"
#include "audit/observe/peers.h"
#include "audit/observe/sock_diag.h"

enum {
	TCT_SAMPLE_CLOSING = 65536, /* so many in CLOSE_WAIT are all looked at */
};

/* How outgoing sockets are looked at. */
struct tct_outgoing_plan {
	bool walk; /* count them by destination */
	char why_not[160];
	bool whole; /* each of them; else those in the windows */
	struct tct_port_ranges ranges;
};

struct tct_connections {
	struct tct_listening *listening;     /* borrowed; sorted */
	const struct tct_local_ports *ports; /* borrowed */
	struct tct_peers *peers;             /* borrowed; NULL = not asked for */
	struct tct_owner_groups groups[TCT_DIRECTIONS];
	const struct tct_port_ranges *outgoing; /* borrowed; where outgoing ones were looked at,
						   NULL = not yet */
	int incoming; /* what look_incoming() returned; -EAGAIN = not yet */
	int64_t sample_sockets;
	bool info; /* ask for idle times: they cost a lock of each socket */
	struct tct_weights weights;
	struct tct_sample sample;
	struct tct_sample closing;
	struct tct_port_ranges *windows; /* owned; of our own choice */
	int64_t unseen;                  /* at most so many outgoing ones were not looked at */
	int64_t seen[TCT_DIRECTIONS];
	int64_t flight_untold[TCT_DIRECTIONS]; /* see tct_socket_flight_is_untold() */
	int64_t seen_closing;
};

void tct_connections_init(struct tct_connections *connections, struct tct_listening *listening,
			  const struct tct_local_ports *ports,
			  struct tct_cgroups *const cgroups[TCT_DIRECTIONS], int64_t sample_sockets,
			  bool info);
void tct_connections_done(struct tct_connections *connections);

/*
 * Look at the outgoing ones on the ports of the ranges, which must outlive the connections, and
 * count them in destinations as well (may be NULL). May run in a thread of its own, beside
 * tct_connections_look_incoming(). 0 or -errno of the dump.
 */
int tct_connections_look_outgoing(struct tct_connections *connections, struct tct_diag *diag,
				  const struct tct_port_ranges *ranges,
				  struct tct_destinations *destinations);

/* Look at a sample of the incoming ones. 0 = there were no more, 1 = there were, or -errno. */
int tct_connections_look_incoming(struct tct_connections *connections, struct tct_diag *diag);

/*
 * Look at all, or at samples, at what was not looked at yet. counts are the namespace's,
 * active_opens its connect() calls. Fills the listening items' numbers, scaled. 0 or -errno of the
 * dump.
 */
int tct_connections_look(struct tct_connections *connections, struct tct_diag *diag,
			 const int64_t counts[TCT_STATE_LIMIT], int64_t active_opens);

/* Fill the observation's populations and owners. 0 or -ENOMEM. */
int tct_connections_hand_over(struct tct_connections *connections,
			      struct tct_observation *observation);

#endif
