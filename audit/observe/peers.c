#include "audit/observe/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/addresses.h"
#include "audit/observe/population_kinds.h"
#include "core/mem.h"

enum { KINDS_MAX = 16384 };

int tct_peers_init(struct tct_peers *peers, int64_t connections)
{
	size_t most = connections > 0 && connections < KINDS_MAX ? (size_t)connections : KINDS_MAX;

	return tct_frequent_init(&peers->kinds, sizeof(struct tct_peer_key),
				 sizeof(struct tct_peer_tally), most);
}

void tct_peers_done(struct tct_peers *peers)
{
	tct_frequent_done(&peers->kinds);
}

void tct_peers_clear(struct tct_peers *peers)
{
	tct_frequent_clear(&peers->kinds);
}

static struct tct_peer_key key_of(const struct tct_tcp_socket *socket)
{
	struct tct_peer_key key = { .family = socket->family, .port = socket->local_port };

	if (tct_address_is_mapped(socket->family, socket->local) &&
	    tct_address_is_mapped(socket->family, socket->peer)) {
		key.family = AF_INET;
		key.address[0] = socket->peer[3];
		key.local[0] = socket->local[3];
	} else {
		memcpy(key.address, socket->peer, sizeof(key.address));
		memcpy(key.local, socket->local, sizeof(key.local));
	}
	return key;
}

static size_t step_of(int64_t idle_ms)
{
	size_t step = 0;

	while (step + 1 < TCT_IDLE_STEPS && tct_idle_step_s[step + 1] * 1000 <= idle_ms)
		step++;
	return step;
}

void tct_peers_add(struct tct_peers *peers, const struct tct_tcp_socket *socket, int64_t listener)
{
	struct tct_peer_key key;
	struct tct_peer_tally *tally;

	if (!tct_socket_has_remote_peer(socket))
		return;
	key = key_of(socket);
	tally = tct_frequent_add(&peers->kinds, &key, 1);
	tally->listener = (int32_t)listener;
	if (socket->inode != 0) {
		tally->inode = socket->inode;
		tally->uid = socket->uid;
		tally->cgroup = socket->cgroup;
	}
	if ((tct_populations_of(socket) >> TCT_POPULATION_UNGUARDED & 1) == 0)
		return;
	tally->unguarded++;
	tally->idle[step_of(socket->idle_ms)]++;
}

struct ranked {
	const struct tct_peer_tally *tally;
};

static int by_count(const void *left, const void *right)
{
	const struct tct_peer_tally *a = ((const struct ranked *)left)->tally;
	const struct tct_peer_tally *b = ((const struct ranked *)right)->tally;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return memcmp(&a->key, &b->key, sizeof(a->key));
}

static void tell_owner(const struct tct_peer_tally *tally,
		       const struct tct_observation *observation, struct tct_owner *owner)
{
	if (tally->listener >= 0 && (size_t)tally->listener < observation->listeners_count)
		*owner = observation->listeners[tally->listener].owner;
	else
		*owner = (struct tct_owner){
			.cgroup = tally->cgroup,
			.inode = tally->inode,
			.uid = tally->inode != 0 ? (int64_t)tally->uid : -1,
		};
}

static void tell(const struct tct_peer_tally *tally, const struct tct_sample *sample,
		 const struct tct_observation *observation, struct tct_peer *peer)
{
	char local[INET6_ADDRSTRLEN];
	bool v6 = tally->key.family == AF_INET6;
	int64_t idle = 0;

	*peer = (struct tct_peer){
		.family = (int)tally->key.family,
		.port = (uint16_t)tally->key.port,
		.established = tally->count,
		.unguarded = { .presence = TCT_PRESENT,
			       .sample = *sample,
			       .total = tally->unguarded },
	};
	for (size_t i = TCT_IDLE_STEPS; i-- > 0;) {
		idle += tally->idle[i];
		peer->unguarded.idle_at_least[i] = idle;
	}
	if (inet_ntop(peer->family, tally->key.address, peer->address, sizeof(peer->address)) ==
	    NULL)
		peer->address[0] = '\0';
	if (inet_ntop(peer->family, tally->key.local, local, sizeof(local)) == NULL)
		local[0] = '\0';
	(void)snprintf(peer->local, sizeof(peer->local), "%s%s%s:%u", v6 ? "[" : "", local,
		       v6 ? "]" : "", (unsigned)peer->port);
	tell_owner(tally, observation, &peer->owner);
}

int tct_peers_hand_over(const struct tct_peers *peers, const struct tct_sample *sample,
			struct tct_observation *observation)
{
	size_t count = 0;
	TCT_AUTOFREE struct ranked *order = calloc(peers->kinds.count + 1, sizeof(*order));

	if (order == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < peers->kinds.count; i++) {
		const struct tct_peer_tally *tally = tct_frequent_at(&peers->kinds, i);

		if (tally->count >= TCT_PEERS_SEVERAL)
			order[count++].tally = tally;
	}
	if (count > 1)
		qsort(order, count, sizeof(*order), by_count);
	for (size_t i = 0; i < count && i < TCT_PEERS_TOLD; i++) {
		struct tct_peer *peer = TCT_APPEND(observation, peers);

		if (peer == NULL)
			return -ENOMEM;
		tell(order[i].tally, sample, observation, peer);
	}
	observation->peers_presence = TCT_PRESENT;
	return 0;
}
