#include "audit/observe/connection_side.h"

#include <stdlib.h>

#include "audit/observe/observation.h"
#include "core/mem.h"

void tct_ephemeral_read(struct tct_ephemeral *ephemeral, const struct tct_root *root)
{
	TCT_AUTOFREE char *text = NULL;
	char *end;

	*ephemeral = (struct tct_ephemeral){ .first = 32768, .last = 60999 };
	if (tct_root_read(root, "proc/sys/net/ipv4/ip_local_port_range", 64, &text, NULL) < 0)
		return;

	unsigned long first = strtoul(text, &end, 10);
	unsigned long last = strtoul(end, &end, 10);

	if (first == 0 || first > last || last > UINT16_MAX)
		return;
	ephemeral->first = (uint16_t)first;
	ephemeral->last = (uint16_t)last;
}

static bool is_ephemeral(const struct tct_ephemeral *ephemeral, uint16_t port)
{
	return port >= ephemeral->first && port <= ephemeral->last;
}

bool tct_connection_is_outgoing(struct tct_listening *listening,
				const struct tct_ephemeral *ephemeral,
				const struct tct_tcp_socket *socket)
{
	switch (socket->state) {
	case TCT_STATE_SYN_SENT:
		return true;
	case TCT_STATE_LISTEN:
	case TCT_STATE_SYN_RECV:
	case TCT_STATE_CLOSE:
		return false;
	default:
		break;
	}
	if (tct_listening_find(listening, socket) != NULL)
		return false;
	if (is_ephemeral(ephemeral, socket->local_port))
		return true;
	/* bind() to a port of one's own choice, then connect(); or a service that has gone. */
	return !is_ephemeral(ephemeral, socket->peer_port) &&
	       socket->peer_port < socket->local_port;
}
