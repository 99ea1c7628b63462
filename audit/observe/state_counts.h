/*
 * Counts by state without walking what the kernel counts already: ESTABLISHED from sockstat's
 * `inuse` less the rare whole sockets, TIME_WAIT from `tw` less the mini-sockets in FIN_WAIT2,
 * checked against CurrEstab. While sockets come and go CurrEstab is nearer: listeners and dying
 * connections that came or went between two readings are not in it.
 */
#ifndef TCT_AUDIT_OBSERVE_STATE_COUNTS_H
#define TCT_AUDIT_OBSERVE_STATE_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/observation.h"
#include "audit/observe/tcp_socket.h"
#include "core/root.h"

/* What the kernel of this network namespace counts by itself, at one moment. */
struct tct_kernel_counts {
	int64_t inuse;        /* hashed whole sockets, both families, listeners too */
	int64_t time_wait;    /* mini-sockets: TIME_WAIT, and FIN_WAIT2 without an owner */
	int64_t curr_estab;   /* ESTABLISHED, with CLOSE_WAIT or without, by kernel */
	int64_t allocated;    /* TCP sockets of all namespaces, requests and mini-sockets aside */
	int64_t active_opens; /* connect() calls since the namespace was made */
	int64_t opens;        /* those and the connections that listeners took */
};

/*
 * Read them from proc/net/{sockstat,sockstat6,snmp}. 0, -ENOMEM, or -errno of the file that can't
 * be read; -EBADMSG if a number is missing. Without IPv6 there is no sockstat6.
 */
int tct_kernel_counts_read(const struct tct_root *root, struct tct_kernel_counts *counts);

/*
 * The states that are few as a rule: all but ESTABLISHED, TIME_WAIT and LISTEN. Bound-inactive
 * sockets (bit 13, CLOSE) are not among them: asking for these, the kernel walks the hash of bound
 * ports too, which holds every connected socket as well (measured: 0.3 us for each).
 */
enum {
	TCT_STATES_RARE = 1 << TCT_STATE_SYN_SENT | 1 << TCT_STATE_SYN_RECV |
			  1 << TCT_STATE_FIN_WAIT1 | 1 << TCT_STATE_FIN_WAIT2 |
			  1 << TCT_STATE_CLOSE | 1 << TCT_STATE_CLOSE_WAIT |
			  1 << TCT_STATE_LAST_ACK | 1 << TCT_STATE_CLOSING,
	TCT_STATES_BOUND = 1 << 13,
};

/* What a walk over the rare states came to. */
struct tct_rare_counts {
	int64_t counts[TCT_STATE_LIMIT];
	int64_t inuse; /* of these, those in `inuse` */
	int64_t minis; /* of those in FIN_WAIT2, the mini-sockets, which are in `tw` */
};

/* Count a socket of a rare state. */
void tct_rare_counts_add(struct tct_rare_counts *rare, const struct tct_tcp_socket *socket);

/*
 * Put them together. before and after were read around the walk; listeners is how many there are.
 * Returns false if the sources disagree by more than what was opened and closed meanwhile explains:
 * why says how, counts are not set.
 */
bool tct_states_derive(const struct tct_kernel_counts *before,
		       const struct tct_kernel_counts *after, const struct tct_rare_counts *rare,
		       int64_t listeners, int64_t counts[TCT_STATE_LIMIT], char why[160]);

#endif
