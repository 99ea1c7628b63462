#include "audit/observe/population_kinds.h"

#include <math.h>
#include <string.h>

#include "audit/observe/addresses.h"

enum {
	UNANSWERED_TIMES = 5,
	HEARD_TIMES = 3,
	RARE_TIMES = 2,
	/* Times are told in jiffies of up to 10 ms, each rounded its own way. */
	SLACK_MS = 40,
};

bool tct_socket_has_remote_peer(const struct tct_tcp_socket *socket)
{
	return !tct_address_is_loopback(socket->family, socket->peer) &&
	       memcmp(socket->local, socket->peer, sizeof(socket->local)) != 0;
}

bool tct_socket_was_heard(const struct tct_tcp_socket *socket)
{
	return socket->timer == TCT_TIMER_RETRANSMIT && socket->retransmits >= HEARD_TIMES &&
	       socket->last_data_ms >= 0 && socket->last_sent_ms >= 0 && socket->rto_ms >= 0 &&
	       socket->last_data_ms + SLACK_MS < socket->last_sent_ms + socket->rto_ms / 2;
}

bool tct_socket_flight_is_untold(const struct tct_tcp_socket *socket)
{
	return socket->state == TCT_STATE_ESTABLISHED && socket->in_flight_bytes < 0 &&
	       tct_socket_was_heard(socket);
}

static unsigned bit(enum tct_population_kind kind)
{
	return 1U << kind;
}

/* It waits in an accept queue: whoever tells a cookie tells the inode, too, where there is one. */
static bool is_unaccepted(const struct tct_tcp_socket *socket)
{
	return socket->inode == 0 && socket->cookie != 0;
}

/* Of ESTABLISHED and CLOSE_WAIT: data that doesn't arrive, or may not be sent. */
static unsigned stuck(const struct tct_tcp_socket *socket)
{
	bool again = socket->timer == TCT_TIMER_RETRANSMIT;

	if (socket->timer == TCT_TIMER_PROBE && socket->send_queue > 0)
		return bit(TCT_POPULATION_ZERO_WINDOW);
	if (again && socket->retransmits >= UNANSWERED_TIMES && !tct_socket_was_heard(socket))
		return bit(TCT_POPULATION_UNANSWERED);
	return 0;
}

static unsigned established(const struct tct_tcp_socket *socket)
{
	unsigned kinds = stuck(socket);

	if (socket->retransmits > 0)
		kinds |= bit(TCT_POPULATION_RETRANSMITTING);
	if (socket->mss_bytes > 0 && socket->in_flight_bytes >= socket->mss_bytes &&
	    tct_socket_was_heard(socket))
		kinds |= bit(TCT_POPULATION_HEARD_UNACKED);
	if (socket->inode == 0 || !tct_socket_has_remote_peer(socket))
		return kinds;
	kinds |= bit(TCT_POPULATION_REMOTE);
	if (socket->timer == TCT_TIMER_NONE)
		kinds |= bit(TCT_POPULATION_UNGUARDED);
	return kinds;
}

unsigned tct_populations_of(const struct tct_tcp_socket *socket)
{
	bool again = socket->retransmits >= RARE_TIMES;

	switch (socket->state) {
	case TCT_STATE_ESTABLISHED:
		return established(socket);
	case TCT_STATE_CLOSE_WAIT:
		/* what was never accepted can't be closed: that is the accept queue's trouble */
		return (is_unaccepted(socket) ? 0 : bit(TCT_POPULATION_CLOSE_WAIT)) | stuck(socket);
	case TCT_STATE_SYN_SENT:
		return again ? bit(TCT_POPULATION_SYN_UNANSWERED) : 0;
	case TCT_STATE_FIN_WAIT1:
	case TCT_STATE_CLOSING:
	case TCT_STATE_LAST_ACK:
		return again ? bit(TCT_POPULATION_FIN_UNANSWERED) : 0;
	case TCT_STATE_FIN_WAIT2:
		return bit(socket->inode != 0 ? TCT_POPULATION_FIN_WAIT2_HELD
					      : TCT_POPULATION_FIN_WAIT2_ORPHANED);
	default:
		return 0;
	}
}

int64_t tct_population_idle_of(enum tct_population_kind kind, const struct tct_tcp_socket *socket)
{
	if (kind == TCT_POPULATION_ZERO_WINDOW)
		return socket->last_sent_ms;
	return (int)kind < TCT_POPULATION_RARE ? socket->idle_ms : -1;
}

void tct_populations_add(struct tct_population populations[TCT_POPULATION_LIMIT],
			 const struct tct_tcp_socket *socket)
{
	unsigned kinds = tct_populations_of(socket);

	for (unsigned kind = 0; kinds != 0; kind++, kinds >>= 1) {
		if ((kinds & 1) != 0)
			tct_population_add(
				&populations[kind],
				tct_population_idle_of((enum tct_population_kind)kind, socket));
	}
}

struct tct_sample tct_sample_join(const struct tct_sample *a, const struct tct_sample *b)
{
	struct tct_sample both = {
		.whole = a->whole && b->whole,
		.seen = a->seen + b->seen,
		.of = a->of + b->of,
	};
	double share_a = both.of > 0 ? (double)a->of / (double)both.of : 0;
	double share_b = both.of > 0 ? (double)b->of / (double)both.of : 0;

	both.error_ppm =
		llround(hypot(share_a * (double)a->error_ppm, share_b * (double)b->error_ppm));
	return both;
}
