/* Whose the groups of sockets are, in names: processes, and the units that they belong to. */
#include <errno.h>
#include <string.h>

#include "audit/observe/processes.h"
#include "audit/observe/socket_table_private.h"
#include "core/mem.h"

/* The key of a unit's name. It is new if no earlier group has it. 0 or -ENOMEM. */
static int name_unit(struct tct_socket_walk *walk, const char *unit, uint64_t *number)
{
	struct tct_unit_name *slot;

	for (size_t i = 0; i < walk->units_count; i++) {
		if (strcmp(walk->units[i].name, unit) == 0) {
			*number = i;
			return 0;
		}
	}
	slot = TCT_APPEND(walk, units);
	if (slot == NULL)
		return -ENOMEM;
	memcpy(slot->name, unit, sizeof(slot->name));
	*number = walk->units_count - 1;
	return 0;
}

/* The unit of a group by process or cgroup. 0 or -ENOMEM. */
static int find_unit(struct tct_socket_walk *walk, struct tct_tally_key *key)
{
	uint64_t number = tct_tally_number(key);
	char unit[128] = "";
	int result;

	if (key->kind == TCT_KEY_CGROUP)
		(void)tct_cgroups_find(walk->cgroups, number, unit, NULL);
	else
		tct_process_unit(walk->query->root, (int32_t)number, unit);
	if (unit[0] == '\0') {
		*key = tct_tally_key_of(TCT_KIND_NO_UNIT, key->side, 0);
		return 0;
	}
	result = name_unit(walk, unit, &number);
	if (result == 0)
		*key = tct_tally_key_of(TCT_KIND_UNIT, key->side, number);
	return result;
}

/* The process of a listener that connections wait for, 0 = not found. */
static int32_t listener_pid(const struct tct_socket_walk *walk, uint64_t listener)
{
	for (size_t i = 0; i < walk->waiting_count; i++) {
		if (walk->waiting[i].listener == listener)
			return walk->waiting[i].pid;
	}
	return 0;
}

/* The key of a row for a group of the walk. 0 or -ENOMEM. */
static int settle(struct tct_socket_walk *walk, struct tct_tally_key *key)
{
	if (key->kind == TCT_KEY_WAITING)
		*key = tct_tally_key_of(TCT_KIND_NOT_ACCEPTED, key->side,
					(uint64_t)listener_pid(walk, tct_tally_number(key)));
	if (walk->query->by != TCT_BY_UNIT)
		return 0;
	if (key->kind == TCT_KIND_NOT_ACCEPTED && tct_tally_number(key) == 0)
		return 0;
	if (key->kind == TCT_KIND_PROCESS || key->kind == TCT_KIND_NOT_ACCEPTED ||
	    key->kind == TCT_KEY_CGROUP)
		return find_unit(walk, key);
	return 0;
}

int tct_socket_owners_gather(struct tct_socket_walk *walk)
{
	TCT_AUTO(tct_tally_done) struct tct_tally settled = { 0 };
	struct tct_tally swapped;

	if (tct_tally_init(&settled, TCT_TALLY_GROUPS) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < tct_tally_count(&walk->tally); i++) {
		const struct tct_tally_group *group = &tct_tally_groups(&walk->tally)[i];
		struct tct_tally_key key = group->key;

		if (settle(walk, &key) < 0)
			return -ENOMEM;
		tct_tally_add_group(&settled, &key, group);
	}
	settled.kinds.lost += walk->tally.kinds.lost;
	swapped = walk->tally;
	walk->tally = settled;
	settled = swapped;
	return 0;
}

void tct_socket_owners_name(const struct tct_socket_walk *walk, const struct tct_tally_key *key,
			    struct tct_socket_row *row)
{
	uint64_t number = tct_tally_number(key);
	struct tct_owner *owner = &row->owner;

	switch (row->kind) {
	case TCT_KIND_PROCESS:
	case TCT_KIND_NOT_ACCEPTED:
		if (number == 0)
			return;
		owner->pid = (int32_t)number;
		owner->sight = TCT_OWNER_FOUND;
		tct_process_name(walk->query->root, owner->pid, owner->comm);
		tct_process_unit(walk->query->root, owner->pid, owner->unit);
		return;
	case TCT_KIND_UNIT:
		memcpy(owner->unit, walk->units[number].name, sizeof(owner->unit));
		return;
	case TCT_KIND_STATE:
	case TCT_KIND_PORT:
	case TCT_KIND_PEER:
	case TCT_KIND_NO_PEER:
	case TCT_KIND_TIME_WAIT:
	case TCT_KIND_CLOSED:
	case TCT_KIND_NO_UNIT:
	case TCT_KIND_NOT_SEEN:
	case TCT_KIND_LIMIT:
		return;
	}
}
