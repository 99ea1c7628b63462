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
	/* Of tcp_info; -1 = not told, perhaps by an older kernel. */
	int64_t last_data_ms;      /* since new data was received in order */
	int64_t last_sent_ms;      /* since data was sent, for the first time or again */
	int64_t rto_ms;            /* the retransmission timer's whole time, as it is now */
	int64_t mss_bytes;         /* that we send */
	int64_t in_flight_bytes;   /* sent and not acknowledged */
	int64_t busy_us;           /* data was there to send, since the socket was made */
	int64_t rwnd_limited_us;   /* of that, the peer's window held it up */
	int64_t sndbuf_limited_us; /* of that, our own send buffer */
};

/* A socket of which nothing is told yet but its family. */
static inline struct tct_tcp_socket tct_tcp_socket_untold(uint8_t family)
{
	return (struct tct_tcp_socket){
		.family = family,
		.drops = -1,
		.idle_ms = -1,
		.last_data_ms = -1,
		.last_sent_ms = -1,
		.rto_ms = -1,
		.mss_bytes = -1,
		.in_flight_bytes = -1,
		.busy_us = -1,
		.rwnd_limited_us = -1,
		.sndbuf_limited_us = -1,
	};
}

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
