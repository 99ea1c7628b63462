#include "audit/observe/destinations.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/addresses.h"
#include "audit/observe/population_kinds.h"
#include "core/mem.h"

enum {
	KINDS = 4096,
	TIME_WAIT_MS = 60000,  /* a constant of the kernel */
	REUSE_DELAY_MS = 1000, /* before tcp_tw_reuse_delay was a key */
};

struct tct_port_reuse tct_port_reuse_of(const struct tct_observation *observation)
{
	struct tct_port_reuse reuse = { .delay_ms = REUSE_DELAY_MS };
	int64_t timestamps = 0;
	int64_t mode = 0;

	if (!tct_observation_number_of(observation, "net.ipv4.tcp_timestamps", 0, &timestamps) ||
	    timestamps == 0 ||
	    !tct_observation_number_of(observation, "net.ipv4.tcp_tw_reuse", 0, &mode))
		return reuse;
	(void)tct_observation_number_of(observation, "net.ipv4.tcp_tw_reuse_delay", 0,
					&reuse.delay_ms);
	reuse.always = mode == 1;
	reuse.loopback = mode == 2;
	return reuse;
}

int tct_destinations_init(struct tct_destinations *destinations,
			  const struct tct_local_ports *ports, struct tct_port_reuse reuse)
{
	*destinations = (struct tct_destinations){ .ports = ports, .reuse = reuse };
	return tct_frequent_init(&destinations->kinds, sizeof(struct tct_destination_key),
				 sizeof(struct tct_destination_tally), KINDS);
}

void tct_destinations_done(struct tct_destinations *destinations)
{
	tct_frequent_done(&destinations->kinds);
}

void tct_destinations_clear(struct tct_destinations *destinations)
{
	tct_frequent_clear(&destinations->kinds);
	destinations->sockets = 0;
	destinations->established = 0;
}

static struct tct_destination_key key_of(const struct tct_tcp_socket *socket)
{
	struct tct_destination_key key = { .family = AF_INET, .port = socket->peer_port };

	if (socket->family == AF_INET || (tct_address_is_mapped(socket->family, socket->local) &&
					  tct_address_is_mapped(socket->family, socket->peer))) {
		size_t word = socket->family == AF_INET ? 0 : 3;

		key.source[0] = socket->local[word];
		key.address[0] = socket->peer[word];
	} else {
		key.family = socket->family;
		memcpy(key.source, socket->local, sizeof(key.source));
		memcpy(key.address, socket->peer, sizeof(key.address));
	}
	return key;
}

/* Source: tcp_twsk_unique() in net/ipv4/tcp_ipv4.c. That the old connection used timestamps is
 * taken for granted. */
static bool is_reusable(const struct tct_port_reuse *reuse, const struct tct_tcp_socket *socket)
{
	if (socket->state != TCT_STATE_TIME_WAIT || socket->timer != TCT_TIMER_TIME_WAIT ||
	    (int64_t)socket->expires_ms + reuse->delay_ms >= TIME_WAIT_MS)
		return false;
	return reuse->always ||
	       (reuse->loopback && (tct_address_is_loopback(socket->family, socket->local) ||
				    tct_address_is_loopback(socket->family, socket->peer)));
}

void tct_destinations_add(struct tct_destinations *destinations,
			  const struct tct_tcp_socket *socket)
{
	struct tct_destination_key key;
	struct tct_destination_tally *tally;

	if (socket->state == TCT_STATE_LISTEN || socket->state == TCT_STATE_CLOSE ||
	    socket->state == TCT_STATE_SYN_RECV ||
	    !tct_port_is_outgoing(destinations->ports, socket->local_port))
		return;
	destinations->sockets++;
	destinations->established += socket->state == TCT_STATE_ESTABLISHED ? 1 : 0;
	key = key_of(socket);
	tally = tct_frequent_add(&destinations->kinds, &key, 1);
	tally->time_wait += socket->state == TCT_STATE_TIME_WAIT ? 1 : 0;
	tally->reusable += is_reusable(&destinations->reuse, socket) ? 1 : 0;
	if (socket->state == TCT_STATE_SYN_SENT) {
		tally->syn_sent++;
		tally->syn_unanswered +=
			tct_populations_of(socket) >> TCT_POPULATION_SYN_UNANSWERED & 1;
	}
	if (socket->inode != 0) {
		tally->inode = socket->inode;
		tally->cgroup = socket->cgroup;
		tally->uid = socket->uid;
	}
}

struct ranked {
	const struct tct_destination_tally *tally;
};

static int by_use(const void *left, const void *right)
{
	const struct tct_destination_tally *a = ((const struct ranked *)left)->tally;
	const struct tct_destination_tally *b = ((const struct ranked *)right)->tally;
	int64_t used_a = (int64_t)a->count - a->reusable;
	int64_t used_b = (int64_t)b->count - b->reusable;

	if (used_a != used_b)
		return used_a > used_b ? -1 : 1;
	return memcmp(&a->key, &b->key, sizeof(a->key));
}

static int64_t scaled(int64_t count, double scale)
{
	return llround((double)count * scale);
}

static void tell(const struct tct_destination_tally *tally, const struct tct_destinations *first,
		 double scale, struct tct_destination *out)
{
	const struct tct_destination_tally *before =
		first != NULL ? tct_frequent_find(&first->kinds, &tally->key) : NULL;

	*out = (struct tct_destination){
		.family = (int)tally->key.family,
		.port = (uint16_t)tally->key.port,
		.sockets = scaled(tally->count, scale),
		.time_wait = scaled(tally->time_wait, scale),
		.reusable = scaled(tally->reusable, scale),
		/* not there then; but perhaps it only found no room */
		.used_first = first == NULL || first->kinds.dropped > 0 ? -1 : 0,
		.owner = { .cgroup = tally->cgroup,
			   .uid = tally->inode != 0 ? (int64_t)tally->uid : -1,
			   .inode = tally->inode },
	};
	out->syn_sent = scaled(tally->syn_sent, scale);
	out->syn_unanswered = scaled(tally->syn_unanswered, scale);
	out->used = scaled((int64_t)tally->count - tally->reusable, scale);
	if (before != NULL)
		out->used_first = scaled((int64_t)before->count - before->reusable, scale);
	if (inet_ntop(out->family, tally->key.source, out->source, sizeof(out->source)) == NULL)
		out->source[0] = '\0';
	if (inet_ntop(out->family, tally->key.address, out->address, sizeof(out->address)) == NULL)
		out->address[0] = '\0';
}

int64_t tct_destinations_distinct(const struct tct_destinations *destinations, bool unanswered)
{
	const struct tct_frequent *kinds = &destinations->kinds;
	int64_t distinct = 0;

	/* those that had to make room were there together with all that fit */
	if (!unanswered)
		return (int64_t)(kinds->dropped > 0 ? kinds->most : kinds->count);
	for (size_t i = 0; i < kinds->count; i++) {
		const struct tct_destination_tally *tally = tct_frequent_at(kinds, i);

		distinct += tally->syn_unanswered > 0 ? 1 : 0;
	}
	return distinct;
}

int tct_destinations_hand_over(const struct tct_destinations *destinations,
			       const struct tct_destinations *first,
			       const struct tct_port_ranges *ranges, int64_t ports,
			       struct tct_outgoing *outgoing)
{
	size_t count = destinations->kinds.count;
	TCT_AUTOFREE struct ranked *order = calloc(count + 1, sizeof(*order));
	double scale = 1;

	if (order == NULL)
		return -ENOMEM;
	if (!ranges->whole && ranges->ports > 0)
		scale = (double)ports / (double)ranges->ports;
	for (size_t i = 0; i < count; i++)
		order[i].tally = tct_frequent_at(&destinations->kinds, i);
	if (count > 1)
		qsort(order, count, sizeof(*order), by_use);
	for (size_t i = 0; i < count && i < TCT_DESTINATIONS_TOLD; i++) {
		struct tct_destination *destination = TCT_APPEND(outgoing, destinations);

		if (destination == NULL)
			return -ENOMEM;
		tell(order[i].tally, first, scale, destination);
	}
	outgoing->presence = TCT_PRESENT;
	outgoing->whole = ranges->whole && destinations->kinds.dropped == 0;
	outgoing->ports_looked_at = ranges->ports;
	outgoing->sockets = scaled(destinations->sockets, scale);
	outgoing->established = scaled(destinations->established, scale);
	outgoing->distinct = tct_destinations_distinct(destinations, false);
	outgoing->unanswered_distinct = tct_destinations_distinct(destinations, true);
	return 0;
}
