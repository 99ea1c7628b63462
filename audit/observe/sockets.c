#include "audit/observe/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/observe/listening.h"
#include "audit/observe/proc_net_tcp.h"
#include "core/mem.h"

enum {
	LISTENING = 1 << TCT_STATE_LISTEN,
	HEARING = 1 << TCT_STATE_ESTABLISHED | 1 << TCT_STATE_CLOSE_WAIT,
	BOUND_INACTIVE = 1 << 13,
	ALL = ((1 << TCT_STATE_LIMIT) - 2) | BOUND_INACTIVE,
};

/* One look; filled by the visitors below. */
struct look {
	struct tct_listening listening;
	int64_t counts[TCT_STATE_LIMIT];
	struct tct_population populations[TCT_POPULATION_LIMIT];
	int64_t strange; /* of a state that we don't know */
	bool from_proc;
	uint64_t malformed;
};

static void done_look(struct look *look)
{
	tct_listening_done(&look->listening);
}

static bool is_loopback(uint8_t family, const uint32_t address[4])
{
	uint32_t v4 = address[0];

	if (family == AF_INET6) {
		if (address[0] != 0 || address[1] != 0)
			return false;
		if (address[2] == 0)
			return address[3] == htonl(1);
		if (address[2] != htonl(0xffff))
			return false;
		v4 = address[3];
	}
	return ntohl(v4) >> 24 == 127;
}

/* An established connection that an application holds, with a peer on another host. */
static bool is_remote(const struct tct_tcp_socket *socket)
{
	return socket->state == TCT_STATE_ESTABLISHED && socket->inode != 0 &&
	       !is_loopback(socket->family, socket->peer) &&
	       memcmp(socket->local, socket->peer, sizeof(socket->local)) != 0;
}

void tct_sockets_populate(struct tct_population populations[TCT_POPULATION_LIMIT],
			  const struct tct_tcp_socket *socket)
{
	if (socket->state == TCT_STATE_CLOSE_WAIT)
		tct_population_add(&populations[TCT_POPULATION_CLOSE_WAIT], socket->idle_ms);
	if (!is_remote(socket))
		return;
	tct_population_add(&populations[TCT_POPULATION_REMOTE], socket->idle_ms);
	if (socket->timer == TCT_TIMER_NONE)
		tct_population_add(&populations[TCT_POPULATION_UNGUARDED], socket->idle_ms);
}

static void restart_listening(void *context)
{
	struct look *look = context;

	look->listening.items_count = 0;
}

static int visit_listening(void *context, const struct tct_tcp_socket *socket)
{
	struct look *look = context;

	/* /proc/net/tcp tells all states. */
	return socket->state == TCT_STATE_LISTEN ? tct_listening_add(&look->listening, socket) : 0;
}

static void restart_automatic(void *context)
{
	struct look *look = context;

	for (size_t i = 0; i < look->listening.items_count; i++)
		look->listening.items[i].automatic_port = false;
}

static int visit_automatic(void *context, const struct tct_tcp_socket *socket)
{
	struct look *look = context;

	tct_listening_mark_automatic(&look->listening, socket);
	return 0;
}

static void restart_count(void *context)
{
	struct look *look = context;

	memset(look->counts, 0, sizeof(look->counts));
	look->strange = 0;
	for (size_t i = 0; i < look->listening.items_count; i++)
		look->listening.items[i].syn_recv = 0;
}

static int visit_count(void *context, const struct tct_tcp_socket *socket)
{
	struct look *look = context;

	if (socket->state == 0 || socket->state >= TCT_STATE_LIMIT) {
		look->strange++;
		return 0;
	}
	look->counts[socket->state]++;
	if (socket->state == TCT_STATE_SYN_RECV)
		tct_listening_count_request(&look->listening, socket);
	return 0;
}

static void restart_populations(void *context)
{
	struct look *look = context;

	memset(look->populations, 0, sizeof(look->populations));
}

static int visit_populations(void *context, const struct tct_tcp_socket *socket)
{
	struct look *look = context;

	tct_sockets_populate(look->populations, socket);
	return 0;
}

void tct_sockets_init(struct tct_sockets *sockets, const struct tct_root *root, unsigned without)
{
	*sockets = (struct tct_sockets){ .root = root };
	if (!root->live || (without & TCT_WITHOUT_INET_DIAG) != 0)
		sockets->diag.way = TCT_DIAG_REFUSED;
	else if ((without & TCT_WITHOUT_BOTH_FAMILIES) != 0)
		sockets->diag.way = TCT_DIAG_BY_FAMILY;
}

void tct_sockets_done(struct tct_sockets *sockets)
{
	free(sockets->marks);
	sockets->marks = NULL;
}

/* The listeners, sorted, from inet_diag or else from /proc. 0 or -errno. */
static int find_listeners(struct tct_sockets *sockets, struct look *look)
{
	const struct tct_diag_query query = { .states = LISTENING, .memory = true };
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
		result = tct_proc_net_tcp_read(sockets->root, &visitor, &look->malformed);
	tct_listening_sort(&look->listening);
	return result;
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

int tct_sockets_first_look(struct tct_sockets *sockets)
{
	TCT_AUTO(done_look) struct look look = { 0 };
	int result = find_listeners(sockets, &look);

	if (result < 0)
		return result == -ENOMEM ? result : 0; /* the second look says what is wrong */
	sockets->marks_count = 0;
	for (size_t i = 0; i < look.listening.items_count; i++) {
		const struct tct_tcp_socket *socket = &look.listening.items[i].socket;
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

static void recall_first_look(const struct tct_sockets *sockets, struct tct_listener *listener)
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

/* Which listeners have a port that the kernel chose. Returns whether that could be learnt. */
static bool find_automatic_ports(struct tct_sockets *sockets, struct look *look)
{
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };
	const struct tct_diag_query query = { .states = LISTENING, .filter = &filter };
	const struct tct_tcp_visitor visitor = { restart_automatic, visit_automatic, look };
	struct tct_diag diag = sockets->diag; /* refusing the filter isn't refusing everything */

	if (look->from_proc || look->listening.items_count == 0)
		return !look->from_proc;
	return tct_diag_filter_automatic(&filter) == 0 &&
	       tct_diag_dump(&diag, &query, &visitor) == 0;
}

/* Listeners first, then all other states. 0 or -errno. */
static int look_once(struct tct_sockets *sockets, struct look *look)
{
	const struct tct_diag_query query = { .states = ALL & ~LISTENING };
	const struct tct_tcp_visitor visitor = { restart_count, visit_count, look };
	int result = find_listeners(sockets, look);

	if (result < 0)
		return result;
	if (look->from_proc)
		result = tct_proc_net_tcp_read(sockets->root, &visitor, &look->malformed);
	else
		result = tct_diag_dump(&sockets->diag, &query, &visitor);
	look->counts[TCT_STATE_LISTEN] = (int64_t)look->listening.items_count;
	return result;
}

/* The same, by /proc where inet_diag tells listeners and then fails. */
static int look_at_sockets(struct tct_sockets *sockets, struct look *look)
{
	int result = look_once(sockets, look);

	if (result < 0 && result != -ENOMEM && !look->from_proc) {
		sockets->diag.way = TCT_DIAG_REFUSED;
		sockets->refusal = result;
		result = look_once(sockets, look);
	}
	return result;
}

/* How long connections heard nothing: needs tcp_info, so only where there are any. 0 or -errno. */
static int find_populations(struct tct_sockets *sockets, struct look *look)
{
	const struct tct_diag_query query = { .states = HEARING, .info = true };
	const struct tct_tcp_visitor visitor = { restart_populations, visit_populations, look };
	int result = 0;

	if (look->from_proc)
		return -EOPNOTSUPP;
	if (look->counts[TCT_STATE_ESTABLISHED] != 0 || look->counts[TCT_STATE_CLOSE_WAIT] != 0)
		result = tct_diag_dump(&sockets->diag, &query, &visitor);
	for (size_t i = 0; result == 0 && i < TCT_POPULATION_LIMIT; i++)
		look->populations[i].presence = TCT_PRESENT;
	return result;
}

static int64_t now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return 0;
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int note_nothing(struct tct_observation *observation, const struct tct_sockets *sockets,
			int error)
{
	const char *what = "socket states and listeners";

	if (!sockets->root->live && error == -ENOENT)
		return tct_observation_gap(
			observation, what,
			"a directory tree has no sockets (no proc/net/tcp in it)");
	if (sockets->refusal < 0)
		return tct_observation_gap(observation, what, "inet_diag: %s; /proc/net/tcp: %s",
					   strerror(-sockets->refusal), strerror(-error));
	return tct_observation_gap(observation, what, "proc/net/tcp: %s", strerror(-error));
}

static int note_proc_only(struct tct_observation *observation, const struct tct_sockets *sockets)
{
	static const char *const lost[] = {
		"accept queue limits and drops of listeners",
		"listeners whose port the kernel chose",
		"idle times of connections",
		"sockets that are bound and do nothing (CLOSE)",
	};
	int result = 0;

	for (size_t i = 0; i < TCT_COUNT(lost) && result == 0; i++) {
		if (sockets->refusal < 0)
			result = tct_observation_gap(observation, lost[i],
						     "not told by /proc/net/tcp (inet_diag: %s)",
						     strerror(-sockets->refusal));
		else
			result = tct_observation_gap(observation, lost[i],
						     "not told by proc/net/tcp");
	}
	return result;
}

static int note_doubts(struct tct_observation *observation, const struct tct_sockets *sockets,
		       const struct look *look)
{
	int result = 0;

	if (look->malformed > 0)
		result = tct_observation_gap(observation, "some sockets",
					     "%llu lines of proc/net/tcp and tcp6 can't be read",
					     (unsigned long long)look->malformed);
	if (result == 0 && look->strange > 0)
		result = tct_observation_gap(observation, "some sockets",
					     "%lld are in a state that this program doesn't know",
					     (long long)look->strange);
	if (result == 0 && sockets->diag.interrupted)
		result = tct_observation_gap(observation, "exact counts of sockets",
					     "sockets changed while the kernel listed them");
	return result;
}

static int hand_over(const struct tct_sockets *sockets, struct look *look, bool ports_known,
		     struct tct_observation *observation)
{
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
		recall_first_look(sockets, listener);
	}
	return 0;
}

/* Populations, or the gap. 0 or -ENOMEM. */
static int hand_over_populations(struct tct_sockets *sockets, struct look *look,
				 struct tct_observation *observation)
{
	int result = find_populations(sockets, look);

	if (result == -ENOMEM)
		return result;
	if (result == 0)
		memcpy(observation->populations, look->populations, sizeof(look->populations));
	else if (!look->from_proc)
		return tct_observation_gap(observation, "idle times of connections",
					   "inet_diag: %s", strerror(-result));
	return 0;
}

int tct_sockets_look(struct tct_sockets *sockets, struct tct_observation *observation)
{
	TCT_AUTO(done_look) struct look look = { 0 };
	int64_t started = now_ns();
	int result = look_at_sockets(sockets, &look);

	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return note_nothing(observation, sockets, result);
	observation->states.method = TCT_METHOD_EXACT;
	observation->states.elapsed_ns = now_ns() - started;
	memcpy(observation->states.counts, look.counts, sizeof(look.counts));

	bool ports_known = find_automatic_ports(sockets, &look);

	result = hand_over_populations(sockets, &look, observation);
	if (result == 0)
		result = hand_over(sockets, &look, ports_known, observation);
	if (result == 0 && look.from_proc)
		result = note_proc_only(observation, sockets);
	if (result == 0 && !look.from_proc && !ports_known)
		result = tct_observation_gap(observation, "listeners whose port the kernel chose",
					     "inet_diag refuses the question");
	if (result == 0)
		result = note_doubts(observation, sockets, &look);
	return result;
}

int tct_sockets_look_at_listeners(struct tct_sockets *sockets, struct tct_observation *observation)
{
	TCT_AUTO(done_look) struct look look = { 0 };
	int result = find_listeners(sockets, &look);

	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return note_nothing(observation, sockets, result);
	return hand_over(sockets, &look, false, observation);
}
