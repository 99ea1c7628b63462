#include "audit/observe/sos_connections.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/cgroups.h"
#include "audit/observe/owner_groups.h"
#include "core/mem.h"

int tct_sos_connections_init(struct tct_sos_connections *connections,
			     struct tct_listening *listening,
			     const struct tct_observation *observation)
{
	size_t count = listening->items_count;
	TCT_AUTOFREE uint16_t *listening_ports = calloc(count + 1, sizeof(*listening_ports));

	*connections = (struct tct_sos_connections){ .listening = listening };
	connections->ports = malloc(sizeof(*connections->ports));
	if (listening_ports == NULL || connections->ports == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		listening_ports[i] = listening->items[i].socket.local_port;
	tct_local_ports_init(connections->ports, observation, listening_ports, count);
	if (tct_peers_init(&connections->peers, INT64_MAX) < 0)
		return -ENOMEM;
	return tct_destinations_init(&connections->destinations, connections->ports,
				     tct_port_reuse_of(observation));
}

void tct_sos_connections_done(struct tct_sos_connections *connections)
{
	tct_destinations_done(&connections->destinations);
	tct_peers_done(&connections->peers);
	free(connections->ports);
	free(connections->groups);
	*connections = (struct tct_sos_connections){ 0 };
}

/* The unit of a socket's cgroup, "" if there is none that people would name. */
static const char *unit_of(struct tct_sos_connections *connections, const char *cgroup)
{
	if (cgroup[0] == '\0')
		return "";
	if (strcmp(cgroup, connections->last_cgroup) != 0) {
		(void)snprintf(connections->last_cgroup, sizeof(connections->last_cgroup), "%s",
			       cgroup);
		(void)tct_cgroup_unit(cgroup, connections->last_unit);
	}
	return connections->last_unit;
}

/* One unit, or else one process. */
static bool is_of(const struct tct_owner *owner, const char *unit, int32_t pid)
{
	if (owner->unit[0] != '\0' || unit[0] != '\0')
		return strcmp(owner->unit, unit) == 0;
	return owner->pid == pid;
}

/* The group of such a socket, made where there is room. *result is 0 or -ENOMEM. */
static struct tct_owner_group *find_group(struct tct_sos_connections *connections,
					  const struct tct_sos_socket *socket, int *result)
{
	const char *unit = unit_of(connections, socket->cgroup);
	struct tct_owner_group *group;

	*result = 0;
	if (unit[0] == '\0' && socket->pid == 0)
		return NULL;
	if (connections->last < connections->groups_count &&
	    is_of(&connections->groups[connections->last].owner, unit, socket->pid))
		return &connections->groups[connections->last];
	for (size_t i = 0; i < connections->groups_count; i++) {
		if (!is_of(&connections->groups[i].owner, unit, socket->pid))
			continue;
		connections->last = i;
		return &connections->groups[i];
	}
	if (connections->groups_count == TCT_GROUPS_MAX)
		return NULL;
	group = TCT_APPEND(connections, groups);
	if (group == NULL) {
		*result = -ENOMEM;
		return NULL;
	}
	connections->last = connections->groups_count - 1;
	group->descriptors_max = -1;
	group->close_wait_first = -1;
	group->busy_ns = group->rwnd_limited_ns = group->sndbuf_limited_ns = -1;
	group->owner.uid = socket->socket.uid;
	group->owner.inode = socket->socket.inode;
	(void)snprintf(group->owner.unit, sizeof(group->owner.unit), "%s", unit);
	return group;
}

static int add_to_owner(struct tct_sos_connections *connections,
			const struct tct_sos_socket *socket)
{
	int result;
	struct tct_owner_group *group = find_group(connections, socket, &result);
	struct tct_send_times times = { 0 };
	struct tct_owner *owner;

	if (group == NULL)
		return result;
	owner = &group->owner;
	if (owner->pid == 0 && socket->pid != 0) {
		owner->pid = socket->pid;
		owner->sight = TCT_OWNER_FOUND;
		memcpy(owner->comm, socket->comm, sizeof(owner->comm));
	}
	if (owner->uid != (int64_t)socket->socket.uid)
		owner->uid = -1;
	tct_populations_add(group->populations, &socket->socket);
	if (socket->socket.state != TCT_STATE_ESTABLISHED)
		return 0;
	group->established++;
	connections->times_told |= socket->socket.busy_us >= 0;
	tct_send_times_add(&times, &socket->socket);
	tct_send_times_hand_over(&times, 1, group);
	return 0;
}

int tct_sos_connections_add(void *context, const struct tct_sos_socket *told)
{
	struct tct_sos_connections *connections = context;
	const struct tct_tcp_socket *socket = &told->socket;
	struct tct_listening_socket *item;

	if (socket->state == TCT_STATE_SYN_RECV)
		tct_listening_count_request(connections->listening, socket);
	tct_destinations_add(&connections->destinations, socket);
	if (socket->state != TCT_STATE_ESTABLISHED && tct_populations_of(socket) == 0)
		return 0;
	if (socket->state == TCT_STATE_ESTABLISHED &&
	    !tct_port_is_outgoing(connections->ports, socket->local_port)) {
		item = tct_listening_find(connections->listening, socket);
		if (item != NULL)
			tct_listening_count_connection(item, socket);
		tct_peers_add(&connections->peers, socket,
			      item != NULL ? item - connections->listening->items : -1);
	}
	return add_to_owner(connections, told);
}

static int by_size(const void *left, const void *right)
{
	const struct tct_owner_group *a = left;
	const struct tct_owner_group *b = right;
	int64_t size_a = a->established + a->populations[TCT_POPULATION_CLOSE_WAIT].total;
	int64_t size_b = b->established + b->populations[TCT_POPULATION_CLOSE_WAIT].total;
	int order = (size_a < size_b) - (size_a > size_b);

	if (order == 0)
		order = strcmp(a->owner.unit, b->owner.unit);
	if (order == 0)
		order = (a->owner.pid > b->owner.pid) - (a->owner.pid < b->owner.pid);
	return order;
}

static int hand_over_owners(struct tct_sos_connections *connections,
			    struct tct_observation *observation)
{
	if (connections->groups_count > 1)
		qsort(connections->groups, connections->groups_count, sizeof(*connections->groups),
		      by_size);
	for (size_t i = 0; i < connections->groups_count && i < TCT_OWNERS_TOLD; i++) {
		struct tct_owner_group *group = TCT_APPEND(observation, owners);

		if (group == NULL)
			return -ENOMEM;
		*group = connections->groups[i];
		/* the others tell times: it has no ESTABLISHED socket that could */
		if (group->established == 0 && connections->times_told)
			group->busy_ns = group->rwnd_limited_ns = group->sndbuf_limited_ns = 0;
		for (size_t kind = 0; kind < TCT_POPULATION_LIMIT; kind++) {
			group->populations[kind].presence = observation->populations[kind].presence;
			group->populations[kind].sample = observation->populations[kind].sample;
		}
	}
	return 0;
}

int tct_sos_connections_hand_over(struct tct_sos_connections *connections,
				  struct tct_observation *observation)
{
	struct tct_outgoing *outgoing = &observation->outgoing;
	TCT_AUTOFREE struct tct_port_ranges *ranges = malloc(sizeof(*ranges));
	int result = hand_over_owners(connections, observation);

	if (ranges == NULL)
		return -ENOMEM;
	if (result == 0 &&
	    observation->populations[TCT_POPULATION_UNGUARDED].presence == TCT_PRESENT)
		result =
			tct_peers_hand_over(&connections->peers, &observation->sample, observation);
	if (result < 0)
		return result;
	outgoing->ports_usable = connections->ports->usable;
	if (!connections->ports->known || connections->ports->outgoing_ports == 0) {
		(void)snprintf(outgoing->why_not, sizeof(outgoing->why_not),
			       "net.ipv4.ip_local_port_range is not known");
		return 0;
	}
	*ranges = (struct tct_port_ranges){ .whole = true,
					    .ports = connections->ports->outgoing_ports };
	return tct_destinations_hand_over(&connections->destinations, NULL, ranges,
					  connections->ports->outgoing_ports, outgoing);
}
