/*
 * Which side opened a connection, by its local port: one in ip_local_port_range on which nobody
 * listens is an outgoing connection's; every other is an incoming one's. The two are all there are.
 */
#ifndef TCT_AUDIT_OBSERVE_LOCAL_PORTS_H
#define TCT_AUDIT_OBSERVE_LOCAL_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/diag_filter.h"
#include "audit/observe/observation.h"

enum { TCT_PORTS = 65536 };

struct tct_local_ports {
	bool known;     /* the range is; else no port counts as outgoing */
	int64_t usable; /* in the range and not in ip_local_reserved_ports: connect() may take it */
	int64_t outgoing_ports;          /* ports in the range that have no listener */
	uint8_t outgoing[TCT_PORTS / 8]; /* these: a bit per port */
};

static inline bool tct_port_is_outgoing(const struct tct_local_ports *ports, uint16_t port)
{
	return (ports->outgoing[port / 8] >> port % 8 & 1) != 0;
}

/*
 * Look at the keys of the observation; listening[0..count) are the ports that have a listener, in
 * any order.
 */
void tct_local_ports_init(struct tct_local_ports *ports, const struct tct_observation *observation,
			  const uint16_t *listening, size_t count);

/* Ranges as the kernel's filter takes them. */
struct tct_port_ranges {
	struct tct_port_range items[TCT_FILTER_RANGES_MAX];
	size_t count;
	int64_t ports; /* outgoing ports in them */
	bool whole;    /* all of what was asked for; else a part that stands for it */
};

/*
 * The ranges of all outgoing (or all incoming) ports. If there are more than a filter takes, they
 * hold others too: ask tct_port_is_outgoing() of each socket told.
 */
void tct_local_ports_ranges(const struct tct_local_ports *ports, bool outgoing,
			    struct tct_port_ranges *ranges);

/*
 * A fair part of the outgoing ports: windows at random places, one in each of many equal strata, of
 * an even number of ports, because connect() takes every second port first. share_ppm is the part
 * wanted (>= 1,000,000: all). Since about Linux 6.15 one destination's sockets lie side by side in
 * the hash, so the first sockets of a dump are no fair sample of outgoing ones; ports are.
 */
void tct_local_ports_windows(const struct tct_local_ports *ports, int64_t share_ppm,
			     struct tct_port_ranges *ranges);

#endif
