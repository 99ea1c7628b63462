/*
 * Where somebody listens: tells incoming connections from outgoing ones, and whose listener it is
 * that has not accepted one yet.
 */
#ifndef TCT_AUDIT_OBSERVE_LISTENER_PLACES_H
#define TCT_AUDIT_OBSERVE_LISTENER_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/tcp_socket.h"
#include "core/root.h"

enum { TCT_PLACES_MAX = 32768 };

/* A port at one address, or at all ("wildcard"). Of SO_REUSEPORT siblings the one with the longest
 * accept queue stands for all. */
struct tct_place {
	uint16_t port;
	uint8_t family;
	uint32_t address[4];
	uint32_t queue;
	uint32_t inode;
	uint64_t cgroup;
	int32_t pid; /* for who seeks it; 0 = not found */
};

struct tct_places {
	struct tct_place *items; /* by port, family and address */
	size_t items_count;
	size_t items_capacity;
	uint16_t first_ephemeral; /* ip_local_port_range */
	uint16_t last_ephemeral;
	size_t left_out; /* listeners beyond TCT_PLACES_MAX */
};

/* Read ip_local_port_range below root; the kernel's default where it isn't there. */
void tct_places_init(struct tct_places *places, const struct tct_root *root);
void tct_places_done(struct tct_places *places);

/* Add a listening socket; sort before the others below. 0 or -ENOMEM. */
int tct_places_add(struct tct_places *places, const struct tct_tcp_socket *listener);
void tct_places_sort(struct tct_places *places);

/* The place where a connection came in, or NULL. */
struct tct_place *tct_places_find(const struct tct_places *places,
				  const struct tct_tcp_socket *socket);

/*
 * Was the connection opened from here? By its state, by the listener of its local port, and where
 * that is gone by ip_local_port_range: connect() takes its port from there.
 */
bool tct_places_outgoing(const struct tct_places *places, const struct tct_tcp_socket *socket);

#endif
