/* Which populations a socket belongs to, by what a source tells of it. */
#ifndef TCT_AUDIT_OBSERVE_POPULATION_KINDS_H
#define TCT_AUDIT_OBSERVE_POPULATION_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/observation.h"
#include "audit/observe/tcp_socket.h"

enum {
	/* The kinds before this one come from the sample; from here on, from the count of states.
	 */
	TCT_POPULATION_RARE = TCT_POPULATION_SYN_UNANSWERED,
	TCT_POPULATION_RARE_KINDS = TCT_POPULATION_LIMIT - TCT_POPULATION_RARE,
};

/*
 * Data is sent again for the 3rd time or more, and the peer sent new data since it was sent again
 * the last time but one. Then both ways are open for small packets: the peer could not go on
 * sending if our ACKs were lost, and its own retransmissions are no new data (tcpi_last_data_recv
 * counts what came in order; an ACK alone is heard in those too). False where the times are not
 * told.
 *
 * By tcp_retransmit_timer() in net/ipv4/tcp_timer.c, which doubles tcpi_rto each time it fires: the
 * time but one was tcpi_rto / 2 before the last one, or earlier, and tcpi_last_data_sent counts
 * from the last one, or from something that was sent later.
 */
bool tct_socket_was_heard(const struct tct_tcp_socket *socket);

/* Whether it belongs to TCT_POPULATION_HEARD_UNACKED is not known: the kernel or ss is too old to
 * tell how much is in flight. */
bool tct_socket_flight_is_untold(const struct tct_tcp_socket *socket);

/* The populations of the socket, 1 << kind. */
unsigned tct_populations_of(const struct tct_tcp_socket *socket);

/* What `idle` counts from in that population, in ms; -1 = not known. */
int64_t tct_population_idle_of(enum tct_population_kind kind, const struct tct_tcp_socket *socket);

/* Count the socket in the populations that it belongs to. */
void tct_populations_add(struct tct_population populations[TCT_POPULATION_LIMIT],
			 const struct tct_tcp_socket *socket);

/* The peer is on another host: it is no loopback address, and not our own one. */
bool tct_socket_has_remote_peer(const struct tct_tcp_socket *socket);

/* Two samples as one. */
struct tct_sample tct_sample_join(const struct tct_sample *a, const struct tct_sample *b);

#endif
