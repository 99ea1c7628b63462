#include "audit/observe/owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/processes.h"
#include "core/mem.h"

enum {
	SOUGHT_LISTENERS = 1024,
	HINTS_EACH = 16,
	HINTS_MAX = 256,
	INODES_OF_A_UNIT = 4,
};

/* The search while it is put together. */
struct hunt {
	struct tct_sought *sought;
	size_t sought_count;
	size_t sought_capacity;
	int32_t hints[HINTS_MAX];
	size_t hints_count;
	struct tct_search search;
	bool done; /* the search ran */
};

static void done_hunt(struct hunt *hunt)
{
	free(hunt->sought);
}

static int seek(struct hunt *hunt, uint32_t inode)
{
	struct tct_sought *sought;

	if (inode == 0)
		return 0;
	sought = TCT_APPEND(hunt, sought);
	if (sought == NULL)
		return -ENOMEM;
	sought->inode = inode;
	return 0;
}

static void hint(struct hunt *hunt, struct tct_cgroups *cgroups, uint64_t cgroup)
{
	size_t room = HINTS_MAX - hunt->hints_count;

	if (cgroup != 0 && room > 0)
		hunt->hints_count +=
			tct_cgroups_processes(cgroups, cgroup, hunt->hints + hunt->hints_count,
					      room < HINTS_EACH ? room : HINTS_EACH);
}

/* All that is known to join its sockets is their user: they may be several processes'. */
static bool is_only_of_a_user(const struct tct_raw_group *group)
{
	return group->cgroup == 0 && group->listener < 0;
}

/* One that is found is enough to name a unit's process, or a listener's. */
static size_t inodes_sought(const struct tct_raw_group *group)
{
	size_t most = is_only_of_a_user(group) ? TCT_GROUP_INODES : INODES_OF_A_UNIT;

	return group->inodes_count < most ? group->inodes_count : most;
}

/* The groups that are worth it. 0 or -ENOMEM. */
static int seek_groups(struct hunt *hunt, struct tct_cgroups *cgroups,
		       const struct tct_owner_groups *groups)
{
	int result = 0;

	for (size_t i = 0; i < groups->items_count; i++) {
		const struct tct_raw_group *group = &groups->items[i];

		if (group->others || tct_raw_group_size(group) < TCT_OWNERS_WORTH)
			continue;
		for (size_t j = 0; j < inodes_sought(group); j++)
			result |= seek(hunt, group->inodes[j]);
		hint(hunt, cgroups, group->cgroup);
	}
	return result;
}

/* Connections wait there, or are dropped. */
static bool is_in_need(const struct tct_listener *listener)
{
	return listener->queue > 0 || listener->queue_first > 0 ||
	       listener->drops > listener->drops_first;
}

/* The listeners, those in need first: there may be more than are sought. 0 or -ENOMEM. */
static int seek_listeners(struct hunt *hunt, struct tct_cgroups *cgroups,
			  const struct tct_observation *observation)
{
	size_t left = SOUGHT_LISTENERS;
	int result = 0;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < observation->listeners_count && left > 0; i++) {
			const struct tct_listener *listener = &observation->listeners[i];

			if (is_in_need(listener) != (round == 0))
				continue;
			left--;
			result |= seek(hunt, listener->inode);
			if (round == 0)
				hint(hunt, cgroups, listener->owner.cgroup);
		}
	}
	return result;
}

static int put_together(struct hunt *hunt, struct tct_cgroups *cgroups,
			const struct tct_owner_groups groups[TCT_DIRECTIONS],
			const struct tct_observation *observation)
{
	const struct tct_outgoing *outgoing = &observation->outgoing;
	int result = seek_listeners(hunt, cgroups, observation);

	for (size_t direction = 0; direction < TCT_DIRECTIONS; direction++)
		result |= seek_groups(hunt, cgroups, &groups[direction]);
	for (size_t i = 0; i < outgoing->destinations_count; i++) {
		if (outgoing->destinations[i].sockets >= TCT_OWNERS_WORTH)
			result |= seek(hunt, outgoing->destinations[i].owner.inode);
	}
	return result;
}

static int by_inode(const void *left, const void *right)
{
	const struct tct_sought *a = left;
	const struct tct_sought *b = right;

	return (a->inode > b->inode) - (a->inode < b->inode);
}

static const struct tct_sought *sought_of(const struct hunt *hunt, uint32_t inode)
{
	const struct tct_sought wanted = { .inode = inode };

	if (hunt->sought_count == 0 || inode == 0)
		return NULL;
	return bsearch(&wanted, hunt->sought, hunt->sought_count, sizeof(*hunt->sought), by_inode);
}

static int32_t pid_of(const struct hunt *hunt, uint32_t inode)
{
	const struct tct_sought *found = sought_of(hunt, inode);

	return found != NULL ? found->pid : 0;
}

static enum tct_owner_sight sight_of(const struct hunt *hunt, int32_t pid)
{
	if (pid != 0)
		return TCT_OWNER_FOUND;
	if (!hunt->done)
		return TCT_OWNER_NOT_SOUGHT;
	if (hunt->search.out_of_time)
		return TCT_OWNER_OUT_OF_BUDGET;
	return hunt->search.not_permitted ? TCT_OWNER_NOT_PERMITTED : TCT_OWNER_NOBODY;
}

/* Fill the owner; its cgroup and uid are set. */
static void name_owner(const struct hunt *hunt, const struct tct_root *root,
		       struct tct_cgroups *cgroups, int32_t pid, struct tct_owner *owner)
{
	owner->pid = pid;
	owner->sight = sight_of(hunt, pid);
	if (owner->unit[0] == '\0' && owner->cgroup != 0)
		(void)tct_cgroups_find(cgroups, owner->cgroup, owner->unit, NULL);
	if (pid == 0)
		return;
	tct_process_name(root, pid, owner->comm);
	if (owner->unit[0] == '\0')
		tct_process_unit(root, pid, owner->unit);
}

/* An owner that is known by one socket. A socket without an inode has no process: that is known. */
static void name_by_socket(const struct hunt *hunt, const struct tct_root *root,
			   struct tct_cgroups *cgroups, uint32_t inode, struct tct_owner *owner)
{
	const struct tct_sought *sought = sought_of(hunt, inode);

	name_owner(hunt, root, cgroups, sought != NULL ? sought->pid : 0, owner);
	if (sought == NULL && inode != 0)
		owner->sight = TCT_OWNER_NOT_SOUGHT;
}

/*
 * The process that the group's sockets were found in; 0 = in none. Where only their user joins
 * them those looked at must agree, else it is *several.
 */
static int32_t pid_of_group(const struct hunt *hunt, const struct tct_raw_group *group,
			    bool *several)
{
	bool must_agree = is_only_of_a_user(group);
	int32_t pid = 0;

	for (size_t i = 0; i < inodes_sought(group); i++) {
		int32_t found = pid_of(hunt, group->inodes[i]);

		if (pid == 0)
			pid = found;
		else if (must_agree && found != 0 && found != pid)
			*several = true;
	}
	return *several ? 0 : pid;
}

static void name_group(const struct hunt *hunt, const struct tct_root *root,
		       struct tct_cgroups *cgroups, const struct tct_observation *observation,
		       struct tct_raw_group *group)
{
	bool sought = !group->others && tct_raw_group_size(group) >= TCT_OWNERS_WORTH;
	bool several = false;
	int32_t pid = sought ? pid_of_group(hunt, group, &several) : 0;

	if (pid == 0 && group->listener >= 0 &&
	    (size_t)group->listener < observation->listeners_count)
		pid = observation->listeners[group->listener].owner.pid;
	group->owner = (struct tct_owner){
		.cgroup = group->cgroup,
		.uid = group->uid,
		.inode = group->inodes_count > 0 ? group->inodes[0] : 0,
	};
	memcpy(group->owner.unit, group->unit, sizeof(group->owner.unit));
	name_owner(hunt, root, cgroups, pid, &group->owner);
	if (pid == 0 && !sought)
		group->owner.sight = TCT_OWNER_NOT_SOUGHT;
	if (several)
		group->owner.sight = TCT_OWNER_SEVERAL;
}

/* Beside very many sockets all processes together hold as many descriptors: less is tried there. */
static int64_t budget_ms(const struct tct_observation *observation)
{
	return observation->sample.whole ? TCT_OWNERS_BUDGET_MS : TCT_OWNERS_SMALL_BUDGET_MS;
}

static int note_gaps(const struct hunt *hunt, struct tct_observation *observation)
{
	if (!hunt->done || hunt->search.found == hunt->sought_count)
		return 0;
	if (hunt->search.out_of_time)
		return tct_observation_gap(observation, "processes of some sockets",
					   "not found within %d ms of processor time",
					   (int)budget_ms(observation));
	if (hunt->search.not_permitted)
		return tct_observation_gap(
			observation, "processes of some sockets",
			"not permitted: some processes' descriptors may not be seen");
	return 0;
}

int tct_owners_find(const struct tct_root *root, struct tct_cgroups *cgroups,
		    struct tct_owner_groups groups[TCT_DIRECTIONS],
		    struct tct_observation *observation)
{
	TCT_AUTO(done_hunt) struct hunt hunt = { .sought = NULL };
	int result = put_together(&hunt, cgroups, groups, observation);

	if (result < 0)
		return result;
	if (hunt.sought_count > 0) {
		result = tct_processes_seek(
			root, hunt.sought, hunt.sought_count, hunt.hints, hunt.hints_count,
			budget_ms(observation) * INT64_C(1000000), &hunt.search);
		hunt.done = result == 0;
	}
	if (result == -ENOMEM)
		return result;
	if (result < 0 && tct_observation_gap(observation, "processes of sockets", "/proc: %s",
					      strerror(-result)) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < observation->listeners_count; i++) {
		struct tct_listener *listener = &observation->listeners[i];

		name_by_socket(&hunt, root, cgroups, listener->inode, &listener->owner);
	}
	for (size_t direction = 0; direction < TCT_DIRECTIONS; direction++) {
		for (size_t i = 0; i < groups[direction].items_count; i++)
			name_group(&hunt, root, cgroups, observation, &groups[direction].items[i]);
	}
	for (size_t i = 0; i < observation->outgoing.destinations_count; i++) {
		struct tct_owner *owner = &observation->outgoing.destinations[i].owner;

		name_by_socket(&hunt, root, cgroups, owner->inode, owner);
	}
	return note_gaps(&hunt, observation);
}

void tct_owners_find_limits(const struct tct_root *root, struct tct_observation *observation)
{
	for (size_t i = 0; i < observation->owners_count; i++) {
		struct tct_owner_group *group = &observation->owners[i];

		if (group->owner.pid != 0)
			group->descriptors_max =
				tct_process_descriptors_max(root, group->owner.pid);
	}
}

int tct_owners_find_listeners(const struct tct_root *root, struct tct_listener *listeners,
			      size_t count)
{
	TCT_AUTO(done_hunt) struct hunt hunt = { .sought = NULL };
	struct tct_cgroups *cgroups = tct_cgroups_new(root);
	int result = cgroups != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; result == 0 && i < count && i < SOUGHT_LISTENERS; i++) {
		result = seek(&hunt, listeners[i].inode);
		hint(&hunt, cgroups, listeners[i].owner.cgroup);
	}
	if (result == 0 && hunt.sought_count > 0) {
		result = tct_processes_seek(root, hunt.sought, hunt.sought_count, hunt.hints,
					    hunt.hints_count,
					    TCT_OWNERS_BUDGET_MS * INT64_C(1000000), &hunt.search);
		hunt.done = result == 0;
		/* without /proc the units are still known */
		result = result == -ENOMEM ? result : 0;
	}
	for (size_t i = 0; result == 0 && i < count; i++)
		name_by_socket(&hunt, root, cgroups, listeners[i].inode, &listeners[i].owner);
	tct_cgroups_free(cgroups);
	return result;
}

const char *tct_owner_sight_name(enum tct_owner_sight sight)
{
	static const char *const names[] = {
		[TCT_OWNER_NOT_SOUGHT] = "not_sought",
		[TCT_OWNER_FOUND] = "found",
		[TCT_OWNER_NOT_PERMITTED] = "not_permitted",
		[TCT_OWNER_OUT_OF_BUDGET] = "out_of_budget",
		[TCT_OWNER_NOBODY] = "nobody",
		[TCT_OWNER_SEVERAL] = "several",
	};

	return names[sight];
}
