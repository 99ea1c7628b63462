#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/observe/cgroups.h"
#include "audit/observe/listening.h"
#include "audit/observe/rare_populations.h"
#include "audit/observe/sos_connections.h"
#include "audit/observe/sos_output.h"
#include "audit/observe/sosreport.h"
#include "core/clock.h"
#include "core/mem.h"

struct telling {
	const struct tct_tcp_visitor *visitor;
};

static int tell(void *context, const struct tct_sos_socket *socket)
{
	const struct telling *telling = context;

	return telling->visitor->visit(telling->visitor->context, &socket->socket);
}

int tct_sos_sockets_read(const struct tct_root *root, const struct tct_tcp_visitor *visitor,
			 uint64_t *malformed)
{
	struct telling telling = { visitor };
	int result = -ENOENT;

	if (!tct_sos_is(root))
		return -ENOENT;
	for (int netstat = 0; netstat <= 1; netstat++) {
		struct tct_sos_output output = { 0 };

		if (tct_sos_output_find(root, netstat != 0, &output) < 0)
			continue;
		visitor->restart(visitor->context);
		result = tct_sos_output_read(root, &output, tell, &telling);
		*malformed = output.malformed;
		if (!output.beginning_missing)
			break;
	}
	return result;
}

/* Who has a listener. */
struct owner {
	uint32_t inode;
	int32_t pid;
	char comm[32];
	char unit[128];
};

struct look {
	struct tct_listening listening;
	struct owner *owners;
	size_t owners_count;
	size_t owners_capacity;
	int64_t counts[TCT_STATE_LIMIT];
	struct tct_population populations[TCT_POPULATION_LIMIT];
	bool flight_untold; /* see tct_socket_flight_is_untold() */
	struct tct_sos_connections connections;
};

static void done_look(struct look *look)
{
	tct_sos_connections_done(&look->connections);
	tct_listening_done(&look->listening);
	free(look->owners);
}

static int note_owner(struct look *look, const struct tct_sos_socket *socket)
{
	struct owner *owner;

	if (socket->socket.inode == 0)
		return 0;
	owner = TCT_APPEND(look, owners);
	if (owner == NULL)
		return -ENOMEM;
	*owner = (struct owner){
		.inode = socket->socket.inode,
		.pid = socket->pid,
	};
	memcpy(owner->comm, socket->comm, sizeof(owner->comm));
	if (socket->cgroup[0] != '\0')
		(void)tct_cgroup_unit(socket->cgroup, owner->unit);
	return 0;
}

static int take_socket(void *context, const struct tct_sos_socket *socket)
{
	struct look *look = context;
	int result = 0;

	look->counts[socket->socket.state]++;
	tct_populations_add(look->populations, &socket->socket);
	look->flight_untold |= tct_socket_flight_is_untold(&socket->socket);
	if (socket->socket.state == TCT_STATE_LISTEN) {
		result = tct_listening_add(&look->listening, &socket->socket);
		if (result == 0)
			result = note_owner(look, socket);
	}
	return result;
}

/* Twice: what belongs to a listener can be counted only when all are known and sorted. */
static int look_twice(const struct tct_root *root, struct tct_sos_output *output, struct look *look,
		      const struct tct_observation *observation)
{
	int result = tct_sos_output_read(root, output, take_socket, look);

	if (result < 0)
		return result;
	tct_listening_sort(&look->listening);
	result = tct_sos_connections_init(&look->connections, &look->listening, observation);
	if (result < 0)
		return result;
	look->listening.connections_known = output->extended && output->timers;
	look->listening.requests_known = output->timers;
	return tct_sos_output_read(root, output, tct_sos_connections_add, &look->connections);
}

static int compare_owners(const void *left, const void *right)
{
	const struct owner *a = left;
	const struct owner *b = right;

	return (a->inode > b->inode) - (a->inode < b->inode);
}

static void fill_owner(const struct look *look, const struct tct_sos_output *output,
		       struct tct_listener *listener)
{
	const struct owner wanted = { .inode = listener->inode };
	const struct owner *owner = NULL;

	if (look->owners_count > 0 && listener->inode != 0)
		owner = bsearch(&wanted, look->owners, look->owners_count, sizeof(*look->owners),
				compare_owners);
	if (owner == NULL)
		return;
	memcpy(listener->owner.unit, owner->unit, sizeof(listener->owner.unit));
	if (owner->pid != 0) {
		listener->owner.pid = owner->pid;
		memcpy(listener->owner.comm, owner->comm, sizeof(listener->owner.comm));
		listener->owner.sight = TCT_OWNER_FOUND;
	} else if (output->processes) {
		listener->owner.sight = TCT_OWNER_NOBODY;
	}
}

static int hand_over_listeners(struct look *look, const struct tct_sos_output *output,
			       struct tct_observation *observation)
{
	int result = tct_listening_hand_over(&look->listening, observation);

	if (result < 0)
		return result;
	if (look->owners_count > 1)
		qsort(look->owners, look->owners_count, sizeof(*look->owners), compare_owners);
	observation->listeners_presence = TCT_PRESENT;
	for (size_t i = 0; i < observation->listeners_count; i++) {
		struct tct_listener *listener = &observation->listeners[i];

		if (output->netstat)
			listener->backlog = TCT_BACKLOG_UNKNOWN;
		listener->port_choice_known = false;
		listener->port_chosen_by_kernel = true;
		fill_owner(look, output, listener);
	}
	return 0;
}

/* What this output doesn't tell. 0 or -ENOMEM. */
static int note_losses(struct tct_observation *observation, const struct tct_sos_output *output)
{
	const struct {
		bool lost;
		const char *what;
	} losses[] = {
		{ output->netstat, "accept queue limits of listeners" },
		{ !output->drops_told, "drops of listeners" },
		{ true, "listeners whose port the kernel chose" },
		{ !output->idle_told || !output->timers || !output->extended,
		  "idle times of connections" },
		{ !output->processes || !output->extended, "owners of listeners" },
		{ true, "sockets that are bound and do nothing (CLOSE)" },
	};
	int result = 0;

	for (size_t i = 0; i < TCT_COUNT(losses) && result == 0; i++) {
		if (losses[i].lost)
			result = tct_observation_gap(observation, losses[i].what, "not told by %s",
						     output->path);
	}
	if (result == 0 && output->malformed > 0)
		result = tct_observation_gap(observation, "some sockets",
					     "%llu lines of %s can't be read",
					     (unsigned long long)output->malformed, output->path);
	return result;
}

/* Timers and inodes are told. */
static void hand_over_populations(const struct look *look, const struct tct_sos_output *output,
				  struct tct_observation *observation)
{
	int64_t established = look->counts[TCT_STATE_ESTABLISHED];
	int64_t closing = look->counts[TCT_STATE_CLOSE_WAIT];
	bool idle_known = output->idle_told || established == 0;

	for (unsigned i = 0; i < TCT_POPULATION_LIMIT; i++) {
		enum tct_population_kind kind = (enum tct_population_kind)i;
		struct tct_population *population = &observation->populations[kind];
		int64_t of = established;

		if (kind == TCT_POPULATION_UNANSWERED || kind == TCT_POPULATION_ZERO_WINDOW)
			of = established + closing;
		if (kind >= TCT_POPULATION_SYN_UNANSWERED)
			of = tct_rare_population_of(&observation->states, kind);
		else if (!idle_known)
			continue;
		if (kind == TCT_POPULATION_HEARD_UNACKED && look->flight_untold)
			continue;
		*population = look->populations[kind];
		population->presence = TCT_PRESENT;
		population->sample = (struct tct_sample){ .whole = true, .seen = of, .of = of };
	}
}

static int hand_over(struct look *look, const struct tct_sos_output *output,
		     struct tct_observation *observation)
{
	int64_t established = look->counts[TCT_STATE_ESTABLISHED];
	int result;

	observation->states.method = TCT_METHOD_EXACT;
	memcpy(observation->states.counts, look->counts, sizeof(look->counts));
	if (output->extended && output->timers)
		hand_over_populations(look, output, observation);
	observation->sample = (struct tct_sample){
		.whole = true,
		.seen = established,
		.of = established,
	};
	result = hand_over_listeners(look, output, observation);
	if (result == 0)
		result = tct_sos_connections_hand_over(&look->connections, observation);
	return result < 0 ? result : note_losses(observation, output);
}

/* True if proc/net/tcp begins with its heading: a large one may be cut off as well. */
static bool has_proc_net_tcp(const struct tct_root *root)
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, "proc/net/tcp", O_RDONLY | O_NONBLOCK, 0);
	char start[8] = "";
	ssize_t got = fd >= 0 ? read(fd, start, sizeof(start) - 1) : -1;

	return got > 0 && strstr(start, "sl") != NULL;
}

/* One output. 0 = done, -ENOENT = there is none, or it can't be used. */
static int look_at(const struct tct_root *root, bool netstat, struct tct_observation *observation)
{
	TCT_AUTO(done_look) struct look look = { 0 };
	struct tct_sos_output output = { 0 };
	int64_t started = tct_now_ns();
	int result = tct_sos_output_find(root, netstat, &output);

	if (result < 0)
		return -ENOENT;
	result = look_twice(root, &output, &look, observation);
	if (result == 0) {
		observation->states.elapsed_ns = tct_now_ns() - started;
		return hand_over(&look, &output, observation);
	}
	if (result == -ENOMEM)
		return result;
	result = tct_observation_gap(
		observation, output.path, "%s",
		output.beginning_missing ? "it is no list of sockets, or its beginning is missing"
					 : strerror(-result));
	return result < 0 ? result : -ENOENT;
}

int tct_sos_sockets_look(const struct tct_root *root, struct tct_observation *observation)
{
	int result;

	if (!tct_sos_is(root))
		return -ENOENT;
	result = look_at(root, false, observation);
	if (result == -ENOENT && !has_proc_net_tcp(root))
		result = look_at(root, true, observation);
	if (result != -ENOENT || has_proc_net_tcp(root) || !tct_root_exists(root, "proc/net/tcp"))
		return result;
	/* What the folder has can't be used, and must not be taken for all. */
	return tct_observation_gap(observation, "socket states and listeners",
				   "the beginning of proc/net/tcp is missing");
}
