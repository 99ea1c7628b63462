#include "audit/observe/owner_groups.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/addresses.h"
#include "core/mem.h"

void tct_owner_groups_done(struct tct_owner_groups *groups)
{
	free(groups->items);
	*groups = (struct tct_owner_groups){ 0 };
}

void tct_owner_groups_clear(struct tct_owner_groups *groups, bool closing)
{
	for (size_t i = 0; i < groups->items_count; i++) {
		struct tct_raw_group *group = &groups->items[i];

		if (!closing)
			group->established = 0;
		for (size_t kind = 0; kind < TCT_POPULATION_LIMIT; kind++) {
			if ((kind == TCT_POPULATION_CLOSE_WAIT) == closing)
				group->populations[kind] = (struct tct_population){ 0 };
		}
	}
}

/* An established connection that an application holds, with a peer on another host. */
static bool is_remote(const struct tct_tcp_socket *socket)
{
	return socket->state == TCT_STATE_ESTABLISHED && socket->inode != 0 &&
	       !tct_address_is_loopback(socket->family, socket->peer) &&
	       memcmp(socket->local, socket->peer, sizeof(socket->local)) != 0;
}

void tct_populations_add(struct tct_population populations[TCT_POPULATION_LIMIT],
			 const struct tct_tcp_socket *socket)
{
	if (socket->state == TCT_STATE_CLOSE_WAIT)
		tct_population_add(&populations[TCT_POPULATION_CLOSE_WAIT], socket->idle_ms);
	if (socket->state == TCT_STATE_ESTABLISHED && socket->retransmits > 0)
		tct_population_add(&populations[TCT_POPULATION_RETRANSMITTING], socket->idle_ms);
	if (!is_remote(socket))
		return;
	tct_population_add(&populations[TCT_POPULATION_REMOTE], socket->idle_ms);
	if (socket->timer == TCT_TIMER_NONE)
		tct_population_add(&populations[TCT_POPULATION_UNGUARDED], socket->idle_ms);
}

/* The unit of a socket's cgroup, "" if people have no name for it. Neighbours share it mostly. */
static const char *unit_of(struct tct_owner_groups *groups, uint64_t cgroup)
{
	if (groups->cgroups == NULL || cgroup == 0)
		return "";
	if (cgroup != groups->last_cgroup) {
		groups->last_cgroup = cgroup;
		(void)tct_cgroups_find(groups->cgroups, cgroup, groups->last_unit, NULL);
	}
	return groups->last_unit;
}

static bool is_of(const struct tct_raw_group *group, uint64_t cgroup, int64_t listener, int64_t uid)
{
	if (group->others)
		return false;
	if (group->cgroup != 0 || cgroup != 0)
		return group->cgroup == cgroup;
	if (group->listener >= 0 || listener >= 0)
		return group->listener == listener;
	return group->uid == uid;
}

/* The group of such a socket, made where there is none. NULL on ENOMEM. */
static struct tct_raw_group *find(struct tct_owner_groups *groups, int64_t listener,
				  const struct tct_tcp_socket *socket)
{
	const char *unit = unit_of(groups, socket->cgroup);
	uint64_t cgroup = unit[0] != '\0' ? socket->cgroup : 0;
	bool told_apart = groups->cgroups != NULL;
	struct tct_raw_group *group;

	if (!told_apart)
		listener = -1;
	if (groups->last < groups->items_count &&
	    is_of(&groups->items[groups->last], cgroup, listener, socket->uid))
		return &groups->items[groups->last];
	for (size_t i = 0; i < groups->items_count; i++) {
		group = &groups->items[i];
		if (is_of(group, cgroup, listener, socket->uid) || group->others) {
			groups->last = i;
			return group;
		}
	}
	group = TCT_APPEND(groups, items);
	if (group == NULL)
		return NULL;
	groups->last = groups->items_count - 1;
	group->others = !told_apart || groups->items_count == TCT_GROUPS_MAX;
	group->listener = -1;
	group->uid = -1;
	if (group->others)
		return group;
	group->cgroup = cgroup;
	memcpy(group->unit, unit, strlen(unit) + 1);
	group->listener = cgroup != 0 ? -1 : listener;
	group->uid = socket->uid;
	return group;
}

/* Remember some of its sockets, to seek their process by; those that are leaked are worth more. */
static void keep_inode(struct tct_raw_group *group, const struct tct_tcp_socket *socket)
{
	bool closing = socket->state == TCT_STATE_CLOSE_WAIT;

	if (socket->inode == 0)
		return;
	if (closing && group->inodes_closing < TCT_GROUP_INODES) {
		group->inodes[group->inodes_closing++] = socket->inode;
		if (group->inodes_count < group->inodes_closing)
			group->inodes_count = group->inodes_closing;
	} else if (!closing && group->inodes_count < TCT_GROUP_INODES) {
		group->inodes[group->inodes_count++] = socket->inode;
	}
}

int tct_owner_groups_add(struct tct_owner_groups *groups, int64_t listener,
			 const struct tct_tcp_socket *socket)
{
	struct tct_raw_group *group = find(groups, listener, socket);

	if (group == NULL)
		return -ENOMEM;
	if (group->uid != (int64_t)socket->uid)
		group->uid = -1;
	if (socket->state == TCT_STATE_ESTABLISHED)
		group->established++;
	tct_populations_add(group->populations, socket);
	if (!group->others)
		keep_inode(group, socket);
	return 0;
}

static void add_scaled(struct tct_population *to, const struct tct_population *from, double weight)
{
	to->total += llround((double)from->total * weight);
	for (size_t i = 0; i < TCT_IDLE_STEPS; i++)
		to->idle_at_least[i] += llround((double)from->idle_at_least[i] * weight);
}

static void add_populations(struct tct_population *to, const struct tct_raw_group *group,
			    enum tct_direction direction, const struct tct_weights *weights)
{
	for (size_t kind = 0; kind < TCT_POPULATION_LIMIT; kind++)
		add_scaled(&to[kind], &group->populations[kind],
			   kind == TCT_POPULATION_CLOSE_WAIT ? weights->closing
							     : weights->direction[direction]);
}

/* One unit, or one process, or else groups that nothing joins. */
static bool is_same_owner(const struct tct_owner *a, const struct tct_owner *b)
{
	if (a->unit[0] != '\0' || b->unit[0] != '\0')
		return strcmp(a->unit, b->unit) == 0;
	return a->pid != 0 && a->pid == b->pid;
}

static struct tct_owner_group *owner_of(struct tct_observation *observation,
					const struct tct_owner *owner)
{
	struct tct_owner_group *group;

	for (size_t i = 0; i < observation->owners_count; i++) {
		if (is_same_owner(&observation->owners[i].owner, owner))
			return &observation->owners[i];
	}
	group = TCT_APPEND(observation, owners);
	if (group != NULL) {
		group->owner = *owner;
		group->descriptors_max = -1;
		group->close_wait_first = -1;
		group->busy_ns = group->rwnd_limited_ns = group->sndbuf_limited_ns = -1;
	}
	return group;
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
	if (order == 0)
		order = (a->owner.uid > b->owner.uid) - (a->owner.uid < b->owner.uid);
	return order;
}

/* The most of the sockets' owners, most sockets first. */
static void sort_owners(struct tct_observation *observation)
{
	if (observation->owners_count > 1)
		qsort(observation->owners, observation->owners_count, sizeof(*observation->owners),
		      by_size);
	if (observation->owners_count > TCT_OWNERS_TOLD)
		observation->owners_count = TCT_OWNERS_TOLD;
	for (size_t i = 0; i < observation->owners_count; i++) {
		for (size_t kind = 0; kind < TCT_POPULATION_LIMIT; kind++) {
			struct tct_population *population =
				&observation->owners[i].populations[kind];

			population->presence = observation->populations[kind].presence;
			population->sample = observation->populations[kind].sample;
		}
	}
}

static int hand_over(const struct tct_owner_groups *groups, enum tct_direction direction,
		     const struct tct_weights *weights, struct tct_observation *observation)
{
	for (size_t i = 0; i < groups->items_count; i++) {
		const struct tct_raw_group *raw = &groups->items[i];
		struct tct_owner_group *group;

		add_populations(observation->populations, raw, direction, weights);
		if (groups->cgroups == NULL || raw->others)
			continue;
		group = owner_of(observation, &raw->owner);
		if (group == NULL)
			return -ENOMEM;
		group->established +=
			llround((double)raw->established * weights->direction[direction]);
		add_populations(group->populations, raw, direction, weights);
	}
	return 0;
}

int tct_owner_groups_hand_over(const struct tct_owner_groups groups[TCT_DIRECTIONS],
			       const struct tct_weights *weights,
			       struct tct_observation *observation)
{
	for (enum tct_direction direction = TCT_INCOMING; direction < TCT_DIRECTIONS; direction++) {
		int result = hand_over(&groups[direction], direction, weights, observation);

		if (result < 0)
			return result;
	}
	sort_owners(observation);
	return 0;
}
