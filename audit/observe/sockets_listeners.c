/* Listening sockets: where they are found, what the first look remembers of them. */
#include <errno.h>
#include <stdlib.h>

#include "audit/observe/proc_net_tcp.h"
#include "audit/observe/sockets_private.h"
#include "core/mem.h"

static void restart_listening(void *context)
{
	struct tct_look *look = context;

	look->listening.items_count = 0;
}

static int visit_listening(void *context, const struct tct_tcp_socket *socket)
{
	struct tct_look *look = context;

	/* /proc/net/tcp tells all states. */
	return socket->state == TCT_STATE_LISTEN ? tct_listening_add(&look->listening, socket) : 0;
}

static void restart_automatic(void *context)
{
	struct tct_look *look = context;

	for (size_t i = 0; i < look->listening.items_count; i++)
		look->listening.items[i].automatic_port = false;
}

static int visit_automatic(void *context, const struct tct_tcp_socket *socket)
{
	struct tct_look *look = context;

	tct_listening_mark_automatic(&look->listening, socket);
	return 0;
}

int tct_look_find_listeners(struct tct_look *look)
{
	struct tct_sockets *sockets = look->sockets;
	const struct tct_diag_query query = { .states = TCT_STATES_LISTEN, .memory = true };
	const struct tct_tcp_visitor visitor = { restart_listening, visit_listening, look };
	int result = 0;

	if (sockets->diag.way != TCT_DIAG_REFUSED) {
		result = tct_diag_dump(&sockets->diag, &query, &visitor);
		if (result == -ENOMEM)
			return result;
		if (result < 0) {
			sockets->diag.way = TCT_DIAG_REFUSED;
			sockets->refusal = result;
		}
	}
	look->from_proc = sockets->diag.way == TCT_DIAG_REFUSED;
	if (look->from_proc)
		result = tct_proc_net_tcp_read(sockets->options->root, &visitor, &look->malformed);
	tct_listening_sort(&look->listening);
	return result;
}

bool tct_look_find_automatic_ports(struct tct_look *look)
{
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };
	const struct tct_diag_query query = { .states = TCT_STATES_LISTEN, .filter = &filter };
	const struct tct_tcp_visitor visitor = { restart_automatic, visit_automatic, look };
	struct tct_diag diag = look->sockets->diag; /* refusing the filter isn't refusing all */

	if (look->from_proc || look->listening.items_count == 0)
		return !look->from_proc;
	return tct_diag_filter_automatic(&filter) == 0 &&
	       tct_diag_dump(&diag, &query, &visitor) == 0;
}

static uint64_t listener_id(uint64_t cookie, uint32_t inode)
{
	return cookie != 0 ? cookie : inode;
}

static int compare_marks(const void *left, const void *right)
{
	const struct tct_listener_mark *a = left;
	const struct tct_listener_mark *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

int tct_look_remember_listeners(struct tct_look *look)
{
	struct tct_sockets *sockets = look->sockets;

	sockets->marks_count = 0;
	for (size_t i = 0; i < look->listening.items_count; i++) {
		const struct tct_tcp_socket *socket = &look->listening.items[i].socket;
		struct tct_listener_mark *mark = TCT_APPEND(sockets, marks);

		if (mark == NULL)
			return -ENOMEM;
		*mark = (struct tct_listener_mark){
			.id = listener_id(socket->cookie, socket->inode),
			.queue = socket->receive_queue,
			.drops = socket->drops,
		};
	}
	if (sockets->marks_count > 1)
		qsort(sockets->marks, sockets->marks_count, sizeof(*sockets->marks), compare_marks);
	return 0;
}

static void recall(const struct tct_sockets *sockets, struct tct_listener *listener)
{
	const struct tct_listener_mark wanted = {
		.id = listener_id(listener->cookie, listener->inode),
	};
	const struct tct_listener_mark *mark = NULL;

	if (sockets->marks_count > 0 && wanted.id != 0)
		mark = bsearch(&wanted, sockets->marks, sockets->marks_count,
			       sizeof(*sockets->marks), compare_marks);
	if (mark == NULL)
		return;
	listener->queue_first = mark->queue;
	listener->drops_first = mark->drops;
}

int tct_look_hand_over_listeners(struct tct_look *look, bool ports_known)
{
	struct tct_observation *observation = look->observation;
	int result = tct_listening_hand_over(&look->listening, observation);

	if (result < 0)
		return result;
	observation->listeners_presence = TCT_PRESENT;
	for (size_t i = 0; i < observation->listeners_count; i++) {
		struct tct_listener *listener = &observation->listeners[i];

		if (look->from_proc)
			listener->backlog = TCT_BACKLOG_UNKNOWN;
		if (!ports_known) {
			listener->port_choice_known = false;
			listener->port_chosen_by_kernel = true;
		}
		recall(look->sockets, listener);
	}
	return 0;
}
