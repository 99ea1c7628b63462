#include "audit/observe/listening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/population_kinds.h"
#include "core/mem.h"

void tct_listening_done(struct tct_listening *listening)
{
	free(listening->items);
	*listening = (struct tct_listening){ 0 };
}

int tct_listening_add(struct tct_listening *listening, const struct tct_tcp_socket *socket)
{
	struct tct_listening_socket *item = TCT_APPEND(listening, items);

	if (item == NULL)
		return -ENOMEM;
	*item = (struct tct_listening_socket){ .socket = *socket };
	return 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_address(const struct tct_tcp_socket *a, const struct tct_tcp_socket *b)
{
	int order = compare_numbers(a->local_port, b->local_port);

	if (order == 0)
		order = compare_numbers(a->family, b->family);
	if (order == 0)
		order = memcmp(a->local, b->local, sizeof(a->local));
	return order;
}

static int compare_place(const void *left, const void *right)
{
	const struct tct_tcp_socket *a = &((const struct tct_listening_socket *)left)->socket;
	const struct tct_tcp_socket *b = &((const struct tct_listening_socket *)right)->socket;
	int order = compare_address(a, b);

	if (order == 0)
		order = compare_numbers(a->interface, b->interface);
	if (order == 0)
		order = compare_numbers(a->cookie, b->cookie);
	if (order == 0)
		order = compare_numbers(a->inode, b->inode);
	return order;
}

void tct_listening_sort(struct tct_listening *listening)
{
	if (listening->items_count > 1)
		qsort(listening->items, listening->items_count, sizeof(*listening->items),
		      compare_place);
}

void tct_listening_mark_automatic(struct tct_listening *listening,
				  const struct tct_tcp_socket *socket)
{
	const struct tct_listening_socket wanted = { .socket = *socket };
	struct tct_listening_socket *found = NULL;

	if (listening->items_count > 0)
		found = bsearch(&wanted, listening->items, listening->items_count,
				sizeof(*listening->items), compare_place);
	if (found != NULL)
		found->automatic_port = true;
}

/* The first listener with the socket's port, family and local address, or NULL. */
static struct tct_listening_socket *first_at(struct tct_listening *listening,
					     const struct tct_tcp_socket *socket)
{
	size_t low = 0;
	size_t high = listening->items_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_address(&listening->items[middle].socket, socket) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == listening->items_count ||
	    compare_address(&listening->items[low].socket, socket) != 0)
		return NULL;
	return &listening->items[low];
}

struct tct_listening_socket *tct_listening_find(struct tct_listening *listening,
						const struct tct_tcp_socket *socket)
{
	struct tct_listening_socket *found = first_at(listening, socket);

	if (found == NULL) {
		/* A connection has its listener's family; mapped addresses too belong to "::". */
		struct tct_tcp_socket anywhere = *socket;

		memset(anywhere.local, 0, sizeof(anywhere.local));
		found = first_at(listening, &anywhere);
	}
	return found;
}

void tct_listening_count_request(struct tct_listening *listening,
				 const struct tct_tcp_socket *request)
{
	struct tct_listening_socket *found = tct_listening_find(listening, request);

	if (found == NULL)
		return;
	found->syn_recv++;
	found->syn_recv_resent += request->retransmits > 0 ? 1 : 0;
}

void tct_listening_count_connection(struct tct_listening_socket *item,
				    const struct tct_tcp_socket *socket)
{
	unsigned kinds = tct_populations_of(socket);

	item->established++;
	item->remote += kinds >> TCT_POPULATION_REMOTE & 1;
	item->unguarded += kinds >> TCT_POPULATION_UNGUARDED & 1;
	item->retransmitting += kinds >> TCT_POPULATION_RETRANSMITTING & 1;
}

void tct_listening_forget_connections(struct tct_listening *listening)
{
	for (size_t i = 0; i < listening->items_count; i++) {
		struct tct_listening_socket *item = &listening->items[i];

		item->established = item->remote = item->unguarded = item->retransmitting = 0;
	}
}

static void scale(int64_t *number, double weight)
{
	*number = llround((double)*number * weight);
}

void tct_listening_scale_connections(struct tct_listening *listening, double weight)
{
	for (size_t i = 0; i < listening->items_count; i++) {
		scale(&listening->items[i].established, weight);
		scale(&listening->items[i].remote, weight);
		scale(&listening->items[i].unguarded, weight);
		scale(&listening->items[i].retransmitting, weight);
	}
	listening->connections_known = true;
}

static void print_address(const struct tct_tcp_socket *socket, char *out, size_t out_size)
{
	char address[INET6_ADDRSTRLEN];

	if (inet_ntop(socket->family, socket->local, address, sizeof(address)) == NULL)
		address[0] = '\0';
	if (socket->interface != 0)
		(void)snprintf(out, out_size, "%s%%%u", address, socket->interface);
	else
		(void)snprintf(out, out_size, "%s", address);
}

/* How many stand at this place, item i being the first. */
static unsigned count_siblings(const struct tct_listening *listening, size_t i)
{
	size_t end = i + 1;

	while (end < listening->items_count &&
	       compare_address(&listening->items[end].socket, &listening->items[i].socket) == 0)
		end++;
	return (unsigned)(end - i);
}

/* What the item tells, with what its place shares. */
static void tell(const struct tct_listening *listening, const struct tct_listening_socket *item,
		 const struct tct_listening_socket *first, unsigned siblings,
		 struct tct_listener *listener)
{
	const struct tct_tcp_socket *socket = &item->socket;
	bool known = listening->connections_known;

	*listener = (struct tct_listener){
		.family = socket->family,
		.port = socket->local_port,
		.queue = socket->receive_queue,
		.queue_first = socket->receive_queue,
		.backlog = socket->send_queue,
		.drops = socket->drops,
		.drops_first = socket->drops,
		.syn_recv = first->syn_recv,
		.syn_recv_resent = listening->requests_known ? first->syn_recv_resent : -1,
		.siblings = siblings,
		.unaccepted_kept = listening->unaccepted_known ? first->unaccepted_kept : -1,
		.unaccepted_idle_ns = -1,
		.established = known ? first->established : -1,
		.remote = known ? first->remote : -1,
		.unguarded = known ? first->unguarded : -1,
		.retransmitting = known ? first->retransmitting : -1,
		.port_chosen_by_kernel = item->automatic_port,
		.port_choice_known = true,
		.v6only = socket->v6only,
		.cookie = socket->cookie,
		.inode = socket->inode,
		.uid = socket->uid,
		.owner = { .cgroup = socket->cgroup, .uid = socket->uid, .inode = socket->inode },
	};
	if (listening->unaccepted_known && first->unaccepted_kept > 0 &&
	    first->unaccepted_idle_ms >= 0)
		listener->unaccepted_idle_ns = first->unaccepted_idle_ms * INT64_C(1000000);
	print_address(socket, listener->address, sizeof(listener->address));
}

int tct_listening_hand_over(struct tct_listening *listening, struct tct_observation *observation)
{
	const struct tct_listening_socket *first = NULL;
	unsigned siblings = 0;

	for (size_t i = 0; i < listening->items_count; i++) {
		const struct tct_listening_socket *item = &listening->items[i];
		struct tct_listener *listener = TCT_APPEND(observation, listeners);

		if (listener == NULL)
			return -ENOMEM;
		if (first == NULL || compare_address(&first->socket, &item->socket) != 0) {
			first = item;
			siblings = count_siblings(listening, i);
		}
		tell(listening, item, first, siblings, listener);
	}
	return 0;
}
