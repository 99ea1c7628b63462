/* What the sockets of a namespace come to: counts by state, listeners, connections. */
#ifndef TCT_AUDIT_OBSERVE_SOCKETS_H
#define TCT_AUDIT_OBSERVE_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "audit/observe/closing_first.h"
#include "audit/observe/connections.h"
#include "audit/observe/observation.h"
#include "audit/observe/sock_diag.h"
#include "audit/observe/tcp_socket.h"
#include "audit/observe/unaccepted.h"
#include "core/root.h"

/* A listener at the first look. */
struct tct_listener_mark {
	uint64_t id; /* cookie, else inode */
	uint32_t queue;
	int64_t drops;
};

struct tct_sockets {
	const struct tct_observe_options *options; /* borrowed */
	struct tct_diag diag;
	int refusal; /* why inet_diag can't be used: -errno, 0 = it can or was not to be */
	/* of the first look */
	struct tct_listener_mark *marks; /* by id */
	size_t marks_count;
	size_t marks_capacity;
	struct tct_unaccepted unaccepted;
	struct tct_closing_marks closing;
	struct tct_local_ports *ports; /* NULL = not looked at yet */
	struct tct_outgoing_plan *plan;
	struct tct_destinations destinations;
	bool destinations_known;
};

/* options must outlive it. */
void tct_sockets_init(struct tct_sockets *sockets, const struct tct_observe_options *options);
void tct_sockets_done(struct tct_sockets *sockets);

/*
 * Remember, at the start of the interval, what grows: the listeners' queues and drops, connections
 * that wait, ports in use. The observation has its keys already. 0 or -ENOMEM.
 */
int tct_sockets_first_look(struct tct_sockets *sockets, struct tct_observation *observation);

/*
 * Fill states, listeners and, as options->looks says, the rest of what the observation has of
 * sockets, with gaps for what can't be seen. 0 or -ENOMEM.
 */
int tct_sockets_look(struct tct_sockets *sockets, struct tct_observation *observation);

/* Fill the listeners only; the other sockets are not walked. 0 or -ENOMEM. */
int tct_sockets_look_at_listeners(struct tct_sockets *sockets, struct tct_observation *observation);

#endif
