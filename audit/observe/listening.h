/* Listening sockets while they are gathered: found by place, then handed over as the observation's
 * listeners. */
#ifndef TCT_AUDIT_OBSERVE_LISTENING_H
#define TCT_AUDIT_OBSERVE_LISTENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/observation.h"
#include "audit/observe/tcp_socket.h"

struct tct_listening_socket {
	struct tct_tcp_socket socket;
	bool automatic_port;
	/* Kept at the first of those with the same port, family and address; siblings share them.
	 */
	int64_t syn_recv;
	int64_t syn_recv_resent; /* of these, the SYN-ACK was sent again */
	int64_t established;
	int64_t remote;
	int64_t unguarded;
	int64_t retransmitting;
	int64_t unaccepted_kept;
	int64_t unaccepted_idle_ms; /* -1 = none of them, or not told */
};

struct tct_listening {
	struct tct_listening_socket *items;
	size_t items_count;
	size_t items_capacity;
	bool connections_known; /* established and so on were looked at */
	bool unaccepted_known;
	bool requests_known; /* it was told whether SYN-ACKs were sent again */
};

void tct_listening_done(struct tct_listening *listening);
/* 0 or -ENOMEM. */
int tct_listening_add(struct tct_listening *listening, const struct tct_tcp_socket *socket);
/* Order by port, family, address, interface, cookie. Must come before all that follows. */
void tct_listening_sort(struct tct_listening *listening);
/* This very socket has a port that the kernel chose. */
void tct_listening_mark_automatic(struct tct_listening *listening,
				  const struct tct_tcp_socket *socket);
/* Count a half-open connection for the listener with its local address, else for the wildcard one.
 */
void tct_listening_count_request(struct tct_listening *listening,
				 const struct tct_tcp_socket *request);
/*
 * The listener that took a connection, or has its request: the first of those with its local
 * address, else of the wildcard ones; NULL if there is none.
 */
struct tct_listening_socket *tct_listening_find(struct tct_listening *listening,
						const struct tct_tcp_socket *socket);
/* Count an ESTABLISHED connection of the listener found. */
void tct_listening_count_connection(struct tct_listening_socket *item,
				    const struct tct_tcp_socket *socket);
/* Forget those counts; scale them up at the end. */
void tct_listening_forget_connections(struct tct_listening *listening);
void tct_listening_scale_connections(struct tct_listening *listening, double weight);
/* Append all to the observation's listeners, in order. 0 or -ENOMEM. */
int tct_listening_hand_over(struct tct_listening *listening, struct tct_observation *observation);

#endif
