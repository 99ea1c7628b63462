/* Which side opened a connection: the question behind "on 443" and "to 443". */
#ifndef TCT_AUDIT_OBSERVE_CONNECTION_SIDE_H
#define TCT_AUDIT_OBSERVE_CONNECTION_SIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/listening.h"
#include "audit/observe/tcp_socket.h"
#include "core/root.h"

/* ip_local_port_range */
struct tct_ephemeral {
	uint16_t first;
	uint16_t last;
};

/* Read it below root; the kernel's default where it isn't there or makes no sense. */
void tct_ephemeral_read(struct tct_ephemeral *ephemeral, const struct tct_root *root);

/*
 * Was the connection opened from here? By its state, by the listener of its local address and port,
 * and where that is gone by the range that connect() takes ports from; of two other ports the lower
 * is the service's.
 */
bool tct_connection_is_outgoing(struct tct_listening *listening,
				const struct tct_ephemeral *ephemeral,
				const struct tct_tcp_socket *socket);

#endif
