#include "audit/observe/owner_groups.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

		if (closing) {
			memset(group->closing, 0, sizeof(group->closing));
		} else {
			group->established = 0;
			group->times = (struct tct_send_times){ 0 };
		}
		for (size_t kind = 0; kind < TCT_POPULATION_RARE; kind++) {
			if ((kind == TCT_POPULATION_CLOSE_WAIT) == closing)
				group->populations[kind] = (struct tct_population){ 0 };
		}
	}
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

bool tct_owner_groups_know(struct tct_owner_groups *groups, uint64_t cgroup)
{
	return unit_of(groups, cgroup)[0] != '\0';
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

/* A new group; the last one that there is room for takes all others. NULL on ENOMEM. */
static struct tct_raw_group *append(struct tct_owner_groups *groups)
{
	struct tct_raw_group *group = TCT_APPEND(groups, items);

	if (group == NULL)
		return NULL;
	groups->last = groups->items_count - 1;
	/* all of it: the place may be that of a group which was forgotten */
	*group = (struct tct_raw_group){
		.listener = -1,
		.uid = -1,
		.others = groups->cgroups == NULL || groups->items_count == TCT_GROUPS_MAX,
		.close_wait_first = -1,
	};
	return group;
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
	group = append(groups);
	if (group == NULL || group->others)
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
	} else if (socket->state == TCT_STATE_ESTABLISHED &&
		   group->inodes_closing < TCT_GROUP_INODES &&
		   (group->established & (group->established - 1)) == 0) {
		/* not only the first ones, which may all be of one process */
		size_t slot = TCT_GROUP_INODES - 1 -
			      (size_t)__builtin_ctzll((uint64_t)group->established) %
				      (TCT_GROUP_INODES / 2);

		if (slot >= group->inodes_closing)
			group->inodes[slot] = socket->inode;
	}
}

/* Where a socket of the group is counted. */
static void count(struct tct_raw_group *group, unsigned kind, const struct tct_tcp_socket *socket)
{
	bool closing = socket->state == TCT_STATE_CLOSE_WAIT;
	struct tct_population *population;

	if (kind >= TCT_POPULATION_RARE) {
		group->rare[kind - TCT_POPULATION_RARE]++;
		return;
	}
	population = &group->populations[kind];
	if (closing && kind == TCT_POPULATION_UNANSWERED)
		population = &group->closing[TCT_CLOSING_UNANSWERED];
	else if (closing && kind == TCT_POPULATION_ZERO_WINDOW)
		population = &group->closing[TCT_CLOSING_ZERO_WINDOW];
	tct_population_add(population,
			   tct_population_idle_of((enum tct_population_kind)kind, socket));
}

int tct_owner_groups_add(struct tct_owner_groups *groups, int64_t listener,
			 const struct tct_tcp_socket *socket)
{
	struct tct_raw_group *group = find(groups, listener, socket);
	unsigned kinds = tct_populations_of(socket);

	if (group == NULL)
		return -ENOMEM;
	if (group->uid != (int64_t)socket->uid)
		group->uid = -1;
	if (socket->state == TCT_STATE_ESTABLISHED) {
		group->established++;
		tct_send_times_add(&group->times, socket);
	}
	for (unsigned kind = 0; kinds != 0; kind++, kinds >>= 1) {
		if ((kinds & 1) != 0)
			count(group, kind, socket);
	}
	if (!group->others)
		keep_inode(group, socket);
	return 0;
}

/* The group of the same owner, in either direction; NULL if there is none. */
static struct tct_raw_group *find_same(struct tct_owner_groups groups[TCT_DIRECTIONS],
				       const struct tct_raw_group *wanted)
{
	for (size_t direction = 0; direction < TCT_DIRECTIONS; direction++) {
		for (size_t i = 0; i < groups[direction].items_count; i++) {
			struct tct_raw_group *group = &groups[direction].items[i];

			if (is_of(group, wanted->cgroup, wanted->listener, wanted->uid))
				return group;
		}
	}
	return NULL;
}

int tct_owner_groups_add_rare(struct tct_owner_groups groups[TCT_DIRECTIONS],
			      const struct tct_owner_groups *more)
{
	for (size_t i = 0; i < more->items_count; i++) {
		const struct tct_raw_group *from = &more->items[i];
		struct tct_owner_groups *side =
			&groups[from->listener >= 0 ? TCT_INCOMING : TCT_OUTGOING];
		struct tct_raw_group *to;

		if (from->others)
			continue;
		to = find_same(groups, from);
		if (to == NULL && side->items_count + 1 >= TCT_GROUPS_MAX)
			continue; /* they are in the totals, but have no room as an owner */
		if (to == NULL) {
			to = append(side);
			if (to == NULL)
				return -ENOMEM;
			to->cgroup = from->cgroup;
			memcpy(to->unit, from->unit, sizeof(to->unit));
			to->listener = from->listener;
			to->uid = from->uid;
		}
		for (size_t kind = 0; kind < TCT_POPULATION_RARE_KINDS; kind++)
			to->rare[kind] += from->rare[kind];
		for (size_t j = 0; j < from->inodes_count && to->inodes_count < TCT_GROUP_INODES;
		     j++)
			to->inodes[to->inodes_count++] = from->inodes[j];
	}
	return 0;
}

int64_t tct_raw_group_size(const struct tct_raw_group *group)
{
	int64_t size = group->established + group->populations[TCT_POPULATION_CLOSE_WAIT].total;

	for (size_t kind = 0; kind < TCT_POPULATION_RARE_KINDS; kind++)
		size += group->rare[kind];
	return size;
}

static void add_scaled(struct tct_population *to, const struct tct_population *from, double weight)
{
	to->total += llround((double)from->total * weight);
	for (size_t i = 0; i < TCT_IDLE_STEPS; i++)
		to->idle_at_least[i] += llround((double)from->idle_at_least[i] * weight);
}

/* All but the rare ones. */
static void add_populations(struct tct_population *to, const struct tct_raw_group *group,
			    enum tct_direction direction, const struct tct_weights *weights)
{
	for (size_t kind = 0; kind < TCT_POPULATION_RARE; kind++)
		add_scaled(&to[kind], &group->populations[kind],
			   kind == TCT_POPULATION_CLOSE_WAIT ? weights->closing
							     : weights->direction[direction]);
	add_scaled(&to[TCT_POPULATION_UNANSWERED], &group->closing[TCT_CLOSING_UNANSWERED],
		   weights->closing);
	add_scaled(&to[TCT_POPULATION_ZERO_WINDOW], &group->closing[TCT_CLOSING_ZERO_WINDOW],
		   weights->closing);
}

void tct_send_times_add(struct tct_send_times *times, const struct tct_tcp_socket *socket)
{
	if (socket->busy_us < 0)
		return;
	times->told++;
	times->busy_us += (double)socket->busy_us;
	times->rwnd_limited_us += (double)socket->rwnd_limited_us;
	times->sndbuf_limited_us += (double)socket->sndbuf_limited_us;
}

void tct_send_times_hand_over(const struct tct_send_times *times, double weight,
			      struct tct_owner_group *group)
{
	static const double most = 0x1p62;
	double scale = weight * 1000;
	double busy = times->busy_us * scale;
	double rwnd = times->rwnd_limited_us * scale;
	double sndbuf = times->sndbuf_limited_us * scale;
	double fit;

	if (times->told == 0)
		return;
	if (group->busy_ns >= 0) {
		busy += (double)group->busy_ns;
		rwnd += (double)group->rwnd_limited_ns;
		sndbuf += (double)group->sndbuf_limited_ns;
	}
	/* beyond what fits, the three get smaller in proportion */
	fit = fmax(busy, fmax(rwnd, sndbuf));
	fit = fit > most ? most / fit : 1;
	group->busy_ns = llround(busy * fit);
	group->rwnd_limited_ns = llround(rwnd * fit);
	group->sndbuf_limited_ns = llround(sndbuf * fit);
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

static int64_t size_of(const struct tct_owner_group *group)
{
	int64_t size = group->established + group->populations[TCT_POPULATION_CLOSE_WAIT].total;

	for (size_t kind = TCT_POPULATION_RARE; kind < TCT_POPULATION_LIMIT; kind++)
		size += group->populations[kind].total;
	return size;
}

static int by_size(const void *left, const void *right)
{
	const struct tct_owner_group *a = left;
	const struct tct_owner_group *b = right;
	int64_t size_a = size_of(a);
	int64_t size_b = size_of(b);
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

/* Add the group to its owner, which is there. */
static void add_to_owner(struct tct_owner_group *group, const struct tct_raw_group *raw,
			 enum tct_direction direction, const struct tct_weights *weights)
{
	double weight = weights->direction[direction];

	group->established += llround((double)raw->established * weight);
	add_populations(group->populations, raw, direction, weights);
	for (size_t i = 0; i < TCT_POPULATION_RARE_KINDS; i++) {
		struct tct_population *population = &group->populations[TCT_POPULATION_RARE + i];

		population->total += raw->rare[i];
		population->idle_at_least[0] += raw->rare[i];
	}
	if (raw->close_wait_first >= 0)
		group->close_wait_first =
			raw->close_wait_first +
			(group->close_wait_first > 0 ? group->close_wait_first : 0);
	tct_send_times_hand_over(&raw->times, weight, group);
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
		add_to_owner(group, raw, direction, weights);
	}
	return 0;
}

/* Owners without an ESTABLISHED socket had none that waited. */
static void settle_times(struct tct_observation *observation)
{
	if (observation->populations[TCT_POPULATION_REMOTE].presence != TCT_PRESENT)
		return;
	for (size_t i = 0; i < observation->owners_count; i++) {
		struct tct_owner_group *group = &observation->owners[i];

		if (group->established == 0 && group->busy_ns < 0)
			group->busy_ns = group->rwnd_limited_ns = group->sndbuf_limited_ns = 0;
	}
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
	settle_times(observation);
	sort_owners(observation);
	return 0;
}
