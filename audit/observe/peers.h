/*
 * Who has several connections to one of our ports: a device that lost its network and came back
 * leaves the old ones behind. Bounded memory; the most frequent peers are kept.
 */
#ifndef TCT_AUDIT_OBSERVE_PEERS_H
#define TCT_AUDIT_OBSERVE_PEERS_H

#include <stdint.h>

#include "audit/observe/frequent.h"
#include "audit/observe/observation.h"
#include "audit/observe/tcp_socket.h"

enum {
	TCT_PEERS_TOLD = 64,
	TCT_PEERS_SEVERAL = 3, /* fewer connections are not told */
};

/* A remote address and our end. IPv4 in IPv6 counts as IPv4. */
struct tct_peer_key {
	uint32_t family;
	uint32_t address[4];
	uint32_t local[4];
	uint32_t port;
};

/* An entry of struct tct_frequent. */
struct tct_peer_tally {
	uint32_t count;
	uint32_t missing;
	struct tct_peer_key key;
	uint32_t unguarded;            /* of these, remote ones without a timer */
	uint32_t idle[TCT_IDLE_STEPS]; /* of those: idle for this step's time, but not the next's */
	int32_t listener;              /* position among the listening sockets, -1 = none */
	uint32_t inode;                /* of one of them that a program holds */
	uint32_t uid;
	uint64_t cgroup;
};

struct tct_peers {
	struct tct_frequent kinds;
};

/* Room for so many connections of as many peers; of more the most frequent are found. 0 or
 * -ENOMEM. */
int tct_peers_init(struct tct_peers *peers, int64_t connections);
void tct_peers_done(struct tct_peers *peers);
void tct_peers_clear(struct tct_peers *peers);

/* Count an ESTABLISHED incoming connection; a peer on this host is left out. listener as above. */
void tct_peers_add(struct tct_peers *peers, const struct tct_tcp_socket *socket, int64_t listener);

/*
 * Append those with TCT_PEERS_SEVERAL connections or more, most first, at most TCT_PEERS_TOLD. The
 * observation's listeners are those of the positions, their owners named; sample is what the
 * connections are of. 0 or -ENOMEM.
 */
int tct_peers_hand_over(const struct tct_peers *peers, const struct tct_sample *sample,
			struct tct_observation *observation);

#endif
