/* Ephemeral ports: how many each destination of outgoing connections uses. */
#ifndef TCT_AUDIT_OBSERVE_DESTINATIONS_H
#define TCT_AUDIT_OBSERVE_DESTINATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/frequent.h"
#include "audit/observe/local_ports.h"
#include "audit/observe/observation.h"
#include "audit/observe/tcp_socket.h"

/* A local address with a remote address and port. IPv4 in IPv6 counts as IPv4: it shares its ports.
 */
struct tct_destination_key {
	uint32_t family;
	uint32_t source[4];
	uint32_t address[4];
	uint32_t port;
};

/* The sockets of one destination (an entry of struct tct_frequent). */
struct tct_destination_tally {
	uint32_t count;
	uint32_t missing;
	struct tct_destination_key key;
	int64_t time_wait;
	int64_t reusable;
	int64_t syn_sent;
	int64_t syn_unanswered;
	uint64_t cgroup; /* of one of its sockets that a program holds */
	uint32_t inode;
	uint32_t uid;
};

/* When connect() may take a port from TIME_WAIT. */
struct tct_port_reuse {
	bool always;      /* tcp_tw_reuse = 1 */
	bool loopback;    /* tcp_tw_reuse = 2 */
	int64_t delay_ms; /* in TIME_WAIT for longer than this */
};

struct tct_port_reuse tct_port_reuse_of(const struct tct_observation *observation);

/* One look at the outgoing sockets. */
struct tct_destinations {
	const struct tct_local_ports *ports; /* borrowed */
	struct tct_port_reuse reuse;
	struct tct_frequent kinds;
	int64_t sockets;
	int64_t established;
};

/* 0 or -ENOMEM. */
int tct_destinations_init(struct tct_destinations *destinations,
			  const struct tct_local_ports *ports, struct tct_port_reuse reuse);
void tct_destinations_done(struct tct_destinations *destinations);
void tct_destinations_clear(struct tct_destinations *destinations);

/* Count a socket; incoming and listening ones are left out. */
void tct_destinations_add(struct tct_destinations *destinations,
			  const struct tct_tcp_socket *socket);

/*
 * How many different destinations there are, at least: exact as long as there are no more than
 * there is room for (4,096) and every outgoing port was looked at. unanswered: only those to which
 * a SYN was sent again 2 times or more.
 */
int64_t tct_destinations_distinct(const struct tct_destinations *destinations, bool unanswered);

/*
 * Hand over what was counted, most used first, at most TCT_DESTINATIONS_TOLD: scaled up by
 * ports / looked_at where only a part of the ports was looked at. first may be NULL (one look).
 * 0 or -ENOMEM.
 */
enum { TCT_DESTINATIONS_TOLD = 64 };
int tct_destinations_hand_over(const struct tct_destinations *destinations,
			       const struct tct_destinations *first,
			       const struct tct_port_ranges *ranges, int64_t ports,
			       struct tct_outgoing *outgoing);

#endif
