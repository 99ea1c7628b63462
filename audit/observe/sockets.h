/* What the sockets of a namespace come to: counts by state, listeners, populations. */
#ifndef TCT_AUDIT_OBSERVE_SOCKETS_H
#define TCT_AUDIT_OBSERVE_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "audit/observe/observation.h"
#include "audit/observe/sock_diag.h"
#include "audit/observe/tcp_socket.h"
#include "core/root.h"

/* A listener at the first look. */
struct tct_listener_mark {
	uint64_t id; /* cookie, else inode */
	uint32_t queue;
	int64_t drops;
};

struct tct_sockets {
	const struct tct_root *root; /* borrowed */
	struct tct_diag diag;
	int refusal; /* why inet_diag can't be used: -errno, 0 = it can or was not to be */
	struct tct_listener_mark *marks; /* by id */
	size_t marks_count;
	size_t marks_capacity;
};

/* without: TCT_WITHOUT_... */
void tct_sockets_init(struct tct_sockets *sockets, const struct tct_root *root, unsigned without);
void tct_sockets_done(struct tct_sockets *sockets);

/* Remember the listeners' queues and drops at the start of the interval. 0 or -ENOMEM. */
int tct_sockets_first_look(struct tct_sockets *sockets);

/*
 * Fill states, listeners and populations of the observation, with gaps for what can't be seen.
 * 0 or -ENOMEM.
 */
int tct_sockets_look(struct tct_sockets *sockets, struct tct_observation *observation);

/* Fill the listeners only; the other sockets are not walked. 0 or -ENOMEM. */
int tct_sockets_look_at_listeners(struct tct_sockets *sockets, struct tct_observation *observation);

/* Count the socket in the populations that it belongs to. */
void tct_sockets_populate(struct tct_population populations[TCT_POPULATION_LIMIT],
			  const struct tct_tcp_socket *socket);

#endif
