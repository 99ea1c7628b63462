/* TCP sockets by inet_diag: the request, the stream of answers, and what to do when it is refused.
 */
#ifndef TCT_AUDIT_OBSERVE_SOCK_DIAG_H
#define TCT_AUDIT_OBSERVE_SOCK_DIAG_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/diag_filter.h"
#include "audit/observe/tcp_socket.h"

enum tct_diag_way {
	TCT_DIAG_BOTH_FAMILIES, /* TCPDIAG_GETSOCK: one walk tells IPv4 and IPv6 */
	TCT_DIAG_BY_FAMILY,     /* SOCK_DIAG_BY_FAMILY: two walks */
	TCT_DIAG_REFUSED,
};

struct tct_diag {
	enum tct_diag_way way; /* the best that was not refused so far */
	bool interrupted;      /* some dump says that it is not consistent */
	uint32_t sequence;     /* of the last request */
};

struct tct_diag_query {
	uint32_t states;                      /* mask 1 << state; bit 13 = bound-inactive */
	bool memory;                          /* tell drops */
	bool info;                            /* tell tcp_info; locks each socket for a moment */
	const struct tct_diag_filter *filter; /* only sockets that it accepts; borrowed, NULL = all
					       */
};

/*
 * Tell the visitor each TCP socket of this network namespace that the query asks for. A refused
 * request is tried the next way (diag->way moves on and stays); a dump that overran or was
 * interrupted is repeated, after visitor->restart. Neighbours in the stream with the same cookie
 * are told once. visit may end the dump early by returning 1. Returns 0 = all were told, 1 = visit
 * had enough, -ENOMEM or what visit returned, or -errno when every way is refused (diag->way says
 * so) or broken.
 */
int tct_diag_dump(struct tct_diag *diag, const struct tct_diag_query *query,
		  const struct tct_tcp_visitor *visitor);

/* Read one answer message. 0, or -EBADMSG if it is too short or of a strange family. */
int tct_diag_parse(const struct nlmsghdr *message, struct tct_tcp_socket *socket);

/* A dump's stream of messages. Its end is where sockets may be repeated: the walk resumes by
 * position. */
enum { TCT_DIAG_RECENT = 32 };
struct tct_diag_stream {
	uint32_t sequence;
	uint32_t port;
	const struct tct_tcp_visitor *visitor;
	bool interrupted;
	bool enough;                      /* the visitor said so */
	uint64_t recent[TCT_DIAG_RECENT]; /* cookies told last */
	unsigned recent_next;
};

/*
 * Take what one recv() gave. Returns 0 = more is to come, 1 = end, -errno: the kernel's
 * (NLMSG_ERROR, or the number inside NLMSG_DONE), the visitor's, -EBADMSG. Messages of another
 * sequence or port are skipped.
 */
int tct_diag_take(struct tct_diag_stream *stream, const void *chunk, size_t length);

#endif
