/*
 * Sockets as somebody asks for them: counted by port, by process, by unit or by peer, those of one
 * port or in some states only. One walk, in memory that doesn't grow with their number.
 */
#ifndef TCT_AUDIT_OBSERVE_SOCKET_TABLE_H
#define TCT_AUDIT_OBSERVE_SOCKET_TABLE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/observation.h"

enum tct_sockets_by {
	TCT_BY_STATE,
	TCT_BY_PORT,
	TCT_BY_PROCESS,
	TCT_BY_UNIT,
	TCT_BY_PEER,
};

struct tct_socket_query {
	const struct tct_root *root; /* borrowed */
	enum tct_sockets_by by;
	uint16_t port;   /* only sockets with it at either end; 0 = any */
	uint32_t states; /* only these, 1 << state; 0 = all */
	size_t top;      /* rows to name; 0 = all */
	bool exact;      /* count bound sockets beside very many others, too */
	bool thrifty; /* one of many namespaces: where the kernel's counts say that there are only
			 listeners, requests and bound sockets are not counted */
	unsigned without; /* TCT_WITHOUT_... */
};

/* What a row's sockets have in common. */
enum tct_socket_kind {
	TCT_KIND_STATE,        /* by state */
	TCT_KIND_PORT,         /* by port */
	TCT_KIND_PEER,         /* by peer: the address */
	TCT_KIND_NO_PEER,      /* listeners, and sockets that are bound and do nothing */
	TCT_KIND_PROCESS,      /* a process has them */
	TCT_KIND_NOT_ACCEPTED, /* in a listener's queues: `owner` is the listener's */
	TCT_KIND_TIME_WAIT,    /* the kernel's own */
	TCT_KIND_CLOSED,       /* closed by its process, the kernel ends the connection */
	TCT_KIND_UNIT,         /* by unit */
	TCT_KIND_NO_UNIT,      /* of processes that belong to none */
	TCT_KIND_NOT_SEEN,     /* whose it is could not be learnt: see gaps */
	TCT_KIND_LIMIT,
};

/* Which end of the connection the row's port is. */
enum tct_socket_side {
	TCT_SIDE_NONE, /* no matter */
	TCT_SIDE_ON,   /* the local one: a service of this host */
	TCT_SIDE_TO,   /* the remote one */
};

struct tct_socket_row {
	enum tct_socket_kind kind;
	enum tct_socket_side side;
	enum tct_state state;             /* of STATE */
	uint16_t port;                    /* with a side */
	char address[INET6_ADDRSTRLEN];   /* of a peer, an IPv4-mapped one as IPv4; "" = none */
	struct tct_owner owner;           /* pid 0 = none or not known */
	uint32_t states[TCT_STATE_LIMIT]; /* never too many */
	int64_t total;                    /* their sum */
	int64_t missing; /* at most so many more: 0 unless there are very many groups */
	size_t place;    /* of tct_sockets_everywhere: the namespace's number there */
};

struct tct_socket_table {
	struct tct_states states; /* of all the sockets asked for */
	int64_t total;
	struct tct_socket_row *rows; /* most sockets first; owned */
	size_t rows_count;
	size_t truncated; /* rows beyond `top` */
	int64_t unlisted; /* sockets in no row at all: too many groups */
	int64_t shared;   /* counted more than once: several processes have them */
};

/*
 * Walk the sockets and fill *table; what can't be seen becomes gaps of the observation. 0 or
 * -ENOMEM; without any source of sockets states.method stays TCT_METHOD_NONE. Effects: reads only.
 */
int tct_socket_table_look(const struct tct_socket_query *query, struct tct_observation *observation,
			  struct tct_socket_table *table);

/*
 * Make the table by state of counts that are there already (by `audit`'s way of counting, which
 * walks no further than it must). 0 or -ENOMEM.
 */
int tct_socket_table_of_states(const struct tct_socket_query *query,
			       const struct tct_states *states, struct tct_socket_table *table);
void tct_socket_table_done(struct tct_socket_table *table);

#endif
