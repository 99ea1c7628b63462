#include "audit/observe/listener_places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/observation.h"
#include "core/mem.h"

void tct_places_init(struct tct_places *places, const struct tct_root *root)
{
	TCT_AUTOFREE char *text = NULL;
	char *end;

	*places = (struct tct_places){ .first_ephemeral = 32768, .last_ephemeral = 60999 };
	if (tct_root_read(root, "proc/sys/net/ipv4/ip_local_port_range", 64, &text, NULL) < 0)
		return;

	unsigned long first = strtoul(text, &end, 10);
	unsigned long last = strtoul(end, &end, 10);

	if (first == 0 || first > last || last > UINT16_MAX)
		return;
	places->first_ephemeral = (uint16_t)first;
	places->last_ephemeral = (uint16_t)last;
}

void tct_places_done(struct tct_places *places)
{
	free(places->items);
	*places = (struct tct_places){ 0 };
}

int tct_places_add(struct tct_places *places, const struct tct_tcp_socket *listener)
{
	struct tct_place *place;

	if (places->items_count >= TCT_PLACES_MAX) {
		places->left_out++;
		return 0;
	}
	place = TCT_APPEND(places, items);
	if (place == NULL)
		return -ENOMEM;
	*place = (struct tct_place){
		.port = listener->local_port,
		.family = listener->family,
		.queue = listener->receive_queue,
		.inode = listener->inode,
		.cgroup = listener->cgroup,
	};
	memcpy(place->address, listener->local, sizeof(place->address));
	return 0;
}

static int compare_place(const struct tct_place *a, const struct tct_place *b)
{
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->address, b->address, sizeof(a->address));
}

/* Siblings: the longest queue first. */
static int compare(const void *left, const void *right)
{
	const struct tct_place *a = left;
	const struct tct_place *b = right;
	int order = compare_place(a, b);

	if (order == 0)
		order = (a->queue < b->queue) - (a->queue > b->queue);
	return order != 0 ? order : (a->inode > b->inode) - (a->inode < b->inode);
}

void tct_places_sort(struct tct_places *places)
{
	size_t kept = 0;

	if (places->items_count > 1)
		qsort(places->items, places->items_count, sizeof(*places->items), compare);
	for (size_t i = 0; i < places->items_count; i++) {
		if (kept == 0 || compare_place(&places->items[kept - 1], &places->items[i]) != 0)
			places->items[kept++] = places->items[i];
	}
	places->items_count = kept;
}

static int compare_wanted(const void *left, const void *right)
{
	return compare_place(left, right);
}

struct tct_place *tct_places_find(const struct tct_places *places,
				  const struct tct_tcp_socket *socket)
{
	struct tct_place wanted = { .port = socket->local_port, .family = socket->family };
	struct tct_place *found;

	if (places->items_count == 0)
		return NULL;
	memcpy(wanted.address, socket->local, sizeof(wanted.address));
	found = bsearch(&wanted, places->items, places->items_count, sizeof(*places->items),
			compare_wanted);
	if (found == NULL) {
		/* A connection has its listener's family; mapped addresses too belong to "::". */
		memset(wanted.address, 0, sizeof(wanted.address));
		found = bsearch(&wanted, places->items, places->items_count, sizeof(*places->items),
				compare_wanted);
	}
	return found;
}

static bool is_ephemeral(const struct tct_places *places, uint16_t port)
{
	return port >= places->first_ephemeral && port <= places->last_ephemeral;
}

bool tct_places_outgoing(const struct tct_places *places, const struct tct_tcp_socket *socket)
{
	switch (socket->state) {
	case TCT_STATE_SYN_SENT:
		return true;
	case TCT_STATE_LISTEN:
	case TCT_STATE_SYN_RECV:
	case TCT_STATE_CLOSE:
		return false;
	default:
		break;
	}
	if (tct_places_find(places, socket) != NULL)
		return false;
	if (is_ephemeral(places, socket->local_port))
		return true;
	/* bind() to a port of one's own choice, then connect(); or a service that has gone. */
	return !is_ephemeral(places, socket->peer_port) && socket->peer_port < socket->local_port;
}
