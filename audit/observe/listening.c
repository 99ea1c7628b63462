#include "audit/observe/listening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void tct_listening_count_request(struct tct_listening *listening,
				 const struct tct_tcp_socket *request)
{
	struct tct_listening_socket *found = first_at(listening, request);

	if (found == NULL) {
		/* A request has its listener's family; mapped addresses too belong to "::". */
		struct tct_tcp_socket anywhere = *request;

		memset(anywhere.local, 0, sizeof(anywhere.local));
		found = first_at(listening, &anywhere);
	}
	if (found != NULL)
		found->syn_recv++;
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

int tct_listening_hand_over(struct tct_listening *listening, struct tct_observation *observation)
{
	int64_t syn_recv = 0;

	for (size_t i = 0; i < listening->items_count; i++) {
		const struct tct_listening_socket *item = &listening->items[i];
		const struct tct_tcp_socket *socket = &item->socket;
		struct tct_listener *listener = TCT_APPEND(observation, listeners);

		if (listener == NULL)
			return -ENOMEM;
		if (i == 0 || compare_address(&listening->items[i - 1].socket, socket) != 0)
			syn_recv = item->syn_recv;
		*listener = (struct tct_listener){
			.family = socket->family,
			.port = socket->local_port,
			.queue = socket->receive_queue,
			.queue_first = socket->receive_queue,
			.backlog = socket->send_queue,
			.drops = socket->drops,
			.drops_first = socket->drops,
			.syn_recv = syn_recv,
			.port_chosen_by_kernel = item->automatic_port,
			.port_choice_known = true,
			.v6only = socket->v6only,
			.cookie = socket->cookie,
			.inode = socket->inode,
			.uid = socket->uid,
		};
		print_address(socket, listener->address, sizeof(listener->address));
	}
	return 0;
}
