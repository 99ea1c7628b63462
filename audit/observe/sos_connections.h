/* The connections of a sosreport, once its listeners are known: by listener, by owner, by
 * destination. */
#ifndef TCT_AUDIT_OBSERVE_SOS_CONNECTIONS_H
#define TCT_AUDIT_OBSERVE_SOS_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/destinations.h"
#include "audit/observe/listening.h"
#include "audit/observe/local_ports.h"
#include "audit/observe/observation.h"
#include "audit/observe/peers.h"
#include "audit/observe/sos_text.h"

struct tct_sos_connections {
	struct tct_listening *listening; /* borrowed; sorted */
	struct tct_local_ports *ports;   /* owned */
	struct tct_destinations destinations;
	struct tct_peers peers;
	struct tct_owner_group *groups; /* owned */
	size_t groups_count;
	size_t groups_capacity;
	bool times_told; /* busy_us and so on, of some socket */
	size_t last;     /* that a socket was added to: neighbours are often alike */
	char last_cgroup[256];
	char last_unit[128];
};

/* The observation has its keys already. 0 or -ENOMEM. */
int tct_sos_connections_init(struct tct_sos_connections *connections,
			     struct tct_listening *listening,
			     const struct tct_observation *observation);
void tct_sos_connections_done(struct tct_sos_connections *connections);

/* Count any socket where it belongs. context is the struct tct_sos_connections. 0 or -ENOMEM. */
int tct_sos_connections_add(void *context, const struct tct_sos_socket *told);

/*
 * Fill the observation's owners, as its populations are, peers, and outgoing ports. Its listeners
 * are there already. 0 or -ENOMEM.
 */
int tct_sos_connections_hand_over(struct tct_sos_connections *connections,
				  struct tct_observation *observation);

#endif
