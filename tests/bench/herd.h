/*
 * tcpherd: makes very many TCP connections in network namespaces of its own, says "ready" with what
 * the kernel counts there, and holds them until SIGTERM, its parent's death or its time limit. The
 * namespaces have no name and live only as long as its processes do, so nothing is left, however it
 * ends. A test program: it prints and exits.
 */
#ifndef TCT_TESTS_BENCH_HERD_H
#define TCT_TESTS_BENCH_HERD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/lab/actor.h"

enum {
	HERD_MOST_CONNECTIONS = 2000000,
	HERD_MOST_LISTENERS = 64,
	HERD_MOST_CLIENTS = 1 << 20,
	HERD_MOST_PER_PAIR = 45000,   /* connections from one address to one listener: connect()
					 searches for a port */
	HERD_SPARE_DESCRIPTORS = 160, /* per process: listeners, pipes, namespaces */
};

enum herd_kind {
	HERD_INCOMING, /* looked at: the accepted sockets; their clients are in another namespace */
	HERD_BOTH,     /* looked at: both ends, over lo; twice as many sockets as connections */
	HERD_PROXY, /* looked at: the connecting sockets; few destinations, in another namespace */
	HERD_TIME_WAIT, /* looked at: accepted and closed first; they last a minute */
};

struct herd_options {
	enum herd_kind kind;
	unsigned count;     /* connections */
	unsigned listeners; /* one address each, all on one port */
	unsigned clients;   /* client addresses, used in turn */
	unsigned rate;      /* connections per second, all processes together */
	unsigned buckets; /* of the namespaces' own hash of sockets; 0 = the machine's is shared */
	uint16_t port;
	bool keepalive; /* on the side that is looked at */
	int64_t for_ns;
};

/* Read the command line, or exit. */
void herd_parse(int argc, char **argv, struct herd_options *options);

/* The namespaces, as descriptors; one and the same for HERD_BOTH. */
struct herd_stage {
	int server;
	int client;
	int looked_at;
};

/*
 * Make the namespaces, with addresses, routes and limits for the options, and enter the one to be
 * looked at. Exits on failure: LAB_EXIT_REFUSED if namespaces are refused.
 */
void herd_stage_init(struct herd_stage *stage, const struct herd_options *options);

/* Enter one of the stage's namespaces, or exit. */
void herd_enter(int namespace_fd);

/* The kernel's own counts of the namespace that the process is in. */
struct herd_census {
	unsigned in_use;
	unsigned time_wait;
};

void herd_take_census(struct herd_census *census);

/* The address and port of a listener, and the address of a client. */
struct sockaddr_in herd_listener_address(const struct herd_options *options, unsigned listener);
struct in_addr herd_client_address(unsigned client);

/*
 * The work of one process, a child: make its part of the connections and hold them for ever.
 * `progress` is a pipe; a number (unsigned) is written there, how many were made.
 */
struct herd_part {
	const struct herd_options *options;
	const struct herd_stage *stage;
	const int *listeners; /* [options->listeners] */
	int progress;
	unsigned processes; /* that connect, and share the rate */
	unsigned first;     /* number of the first connection; accepting: of the listener */
	unsigned count;
};

_Noreturn void herd_connect(const struct herd_part *part);
_Noreturn void herd_accept(const struct herd_part *part);
_Noreturn void herd_time_wait(const struct herd_part *part);

#endif
