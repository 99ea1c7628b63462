#include "audit/observe/unaccepted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum {
	COOKIES_MAX = 65536,
	LOOKED_AT_MAX = 131072,
};

void tct_unaccepted_done(struct tct_unaccepted *unaccepted)
{
	free(unaccepted->cookies);
	*unaccepted = (struct tct_unaccepted){ 0 };
}

/* The ports of listeners with a queue; they come in ascending order. False if there are too many.
 */
static bool list_ports(const struct tct_listening *listening, struct tct_port_ranges *ranges)
{
	ranges->count = 0;
	for (size_t i = 0; i < listening->items_count; i++) {
		const struct tct_tcp_socket *socket = &listening->items[i].socket;
		const struct tct_port_range *last =
			ranges->count > 0 ? &ranges->items[ranges->count - 1] : NULL;

		if (socket->receive_queue == 0 ||
		    (last != NULL && last->first == socket->local_port))
			continue;
		if (ranges->count == TCT_FILTER_RANGES_MAX)
			return false;
		ranges->items[ranges->count++] = (struct tct_port_range){
			.first = socket->local_port,
			.last = socket->local_port,
		};
	}
	return true;
}

/* Tell the visitor the connections on those ports: ESTABLISHED, or CLOSE_WAIT where the client gave
 * up meanwhile. As tct_diag_dump(); 1 also if there are too many ports. */
static int walk(struct tct_diag *diag, const struct tct_listening *listening, bool info,
		const struct tct_tcp_visitor *visitor)
{
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };
	TCT_AUTOFREE struct tct_port_ranges *ranges = malloc(sizeof(*ranges));
	const struct tct_diag_query query = {
		.states = 1 << TCT_STATE_ESTABLISHED | 1 << TCT_STATE_CLOSE_WAIT,
		.info = info,
		.filter = &filter,
	};
	int result;

	if (ranges == NULL)
		return -ENOMEM;
	if (!list_ports(listening, ranges))
		return 1;
	if (ranges->count == 0)
		return 0;
	result = tct_diag_filter_local_ports(&filter, ranges->items, ranges->count);
	return result < 0 ? result : tct_diag_dump(diag, &query, visitor);
}

static int compare_cookies(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;

	return (*a > *b) - (*a < *b);
}

static void restart(void *context)
{
	struct tct_unaccepted *unaccepted = context;

	unaccepted->cookies_count = 0;
	unaccepted->looked_at = 0;
}

static int visit(void *context, const struct tct_tcp_socket *socket)
{
	struct tct_unaccepted *unaccepted = context;
	uint64_t *cookie;

	if (++unaccepted->looked_at > LOOKED_AT_MAX)
		return 1;
	if (socket->inode != 0 || socket->cookie == 0)
		return 0;
	if (unaccepted->cookies_count == COOKIES_MAX)
		return 1;
	cookie = TCT_APPEND(unaccepted, cookies);
	if (cookie == NULL)
		return -ENOMEM;
	*cookie = socket->cookie;
	return 0;
}

int tct_unaccepted_look(struct tct_unaccepted *unaccepted, struct tct_diag *diag,
			const struct tct_listening *listening)
{
	const struct tct_tcp_visitor visitor = { restart, visit, unaccepted };
	int result;

	restart(unaccepted);
	result = walk(diag, listening, false, &visitor);
	if (result == -ENOMEM)
		return result;
	unaccepted->known = result == 0;
	if (unaccepted->cookies_count > 1)
		qsort(unaccepted->cookies, unaccepted->cookies_count, sizeof(*unaccepted->cookies),
		      compare_cookies);
	return 0;
}

/* The second look. */
struct recount {
	const struct tct_unaccepted *first;
	struct tct_listening *listening;
	int64_t looked_at;
};

static void restart_recount(void *context)
{
	struct recount *recount = context;

	recount->looked_at = 0;
	for (size_t i = 0; i < recount->listening->items_count; i++) {
		recount->listening->items[i].unaccepted_kept = 0;
		recount->listening->items[i].unaccepted_idle_ms = -1;
	}
}

static int visit_recount(void *context, const struct tct_tcp_socket *socket)
{
	struct recount *recount = context;
	const struct tct_unaccepted *first = recount->first;
	struct tct_listening_socket *item;

	if (++recount->looked_at > LOOKED_AT_MAX)
		return 1;
	if (socket->inode != 0 || first->cookies_count == 0 ||
	    bsearch(&socket->cookie, first->cookies, first->cookies_count, sizeof(*first->cookies),
		    compare_cookies) == NULL)
		return 0;
	item = tct_listening_find(recount->listening, socket);
	if (item == NULL)
		return 0;
	item->unaccepted_kept++;
	if (socket->idle_ms > item->unaccepted_idle_ms)
		item->unaccepted_idle_ms = socket->idle_ms;
	return 0;
}

int tct_unaccepted_count(const struct tct_unaccepted *first, struct tct_diag *diag,
			 struct tct_listening *listening)
{
	struct recount recount = { .first = first, .listening = listening };
	const struct tct_tcp_visitor visitor = { restart_recount, visit_recount, &recount };
	int result = 0;

	restart_recount(&recount);
	if (first->known && first->cookies_count > 0)
		result = walk(diag, listening, true, &visitor);
	if (result == -ENOMEM)
		return result;
	listening->unaccepted_known = first->known && result == 0;
	return 0;
}
