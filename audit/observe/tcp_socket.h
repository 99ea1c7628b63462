/* One TCP socket as a source tells it, and who wants to hear of it. */
#ifndef TCT_AUDIT_OBSERVE_TCP_SOCKET_H
#define TCT_AUDIT_OBSERVE_TCP_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

enum tct_tcp_timer {
	TCT_TIMER_NONE = 0,
	TCT_TIMER_RETRANSMIT = 1,
	TCT_TIMER_KEEPALIVE = 2, /* also a FIN_WAIT2 orphan's */
	TCT_TIMER_TIME_WAIT = 3, /* mini-sockets: TIME_WAIT, and FIN_WAIT2 without an owner */
	TCT_TIMER_PROBE = 4,     /* zero window */
};

struct tct_tcp_socket {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t state;  /* enum tct_state: requests are SYN_RECV, bound-inactive sockets CLOSE */
	uint8_t timer;
	bool v6only;
	uint16_t local_port; /* host byte order, as peer_port */
	uint16_t peer_port;
	uint32_t local[4]; /* network byte order; AF_INET: [0], the others 0 */
	uint32_t peer[4];
	uint32_t interface;     /* number of the interface it is bound to, 0 = none */
	uint64_t cookie;        /* 0 = not known */
	uint32_t receive_queue; /* LISTEN: accept queue */
	uint32_t send_queue;    /* LISTEN: its limit (inet_diag only) */
	uint32_t uid;
	uint32_t inode;  /* 0 = not accepted yet, orphan, request or mini-socket */
	uint64_t cgroup; /* cgroup id, 0 = not told */
	bool full;       /* a whole socket: no request, no mini-socket. Not told by /proc/net/tcp */
	uint8_t retransmits; /* unanswered, of what `timer` says */
	uint32_t expires_ms; /* until `timer` */
	int64_t drops;       /* -1 = not told */
	int64_t idle_ms;     /* since data or an ACK was received; -1 = not told */
};

struct tct_tcp_visitor {
	void (*restart)(void *context); /* what was told so far doesn't count: it comes again */
	int (*visit)(void *context, const struct tct_tcp_socket *socket); /* 0, 1 = enough, -errno
									   */
	void *context;
};

/* The kernel's two inner states, 12 NEW_SYN_RECV and 13 BOUND_INACTIVE, as people count them. */
static inline uint8_t tct_tcp_state(unsigned kernel_state)
{
	return (uint8_t)(kernel_state == 12 ? 3 : kernel_state == 13 ? 7 : kernel_state);
}

#endif
