#include "audit/observe/closing_first.h"

#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"

void tct_closing_marks_done(struct tct_closing_marks *marks)
{
	free(marks->items);
	*marks = (struct tct_closing_marks){ 0 };
}

struct walk {
	const struct tct_local_ports *ports;
	struct tct_listening *listening;
	struct tct_owner_groups groups[TCT_DIRECTIONS];
};

static void done_walk(struct walk *walk)
{
	for (size_t direction = 0; direction < TCT_DIRECTIONS; direction++)
		tct_owner_groups_done(&walk->groups[direction]);
}

static void restart(void *context)
{
	struct walk *walk = context;

	for (size_t direction = 0; direction < TCT_DIRECTIONS; direction++)
		tct_owner_groups_clear(&walk->groups[direction], true);
}

static int visit(void *context, const struct tct_tcp_socket *socket)
{
	struct walk *walk = context;
	bool outgoing = tct_port_is_outgoing(walk->ports, socket->local_port);
	const struct tct_listening_socket *item =
		outgoing ? NULL : tct_listening_find(walk->listening, socket);

	return tct_owner_groups_add(&walk->groups[outgoing ? TCT_OUTGOING : TCT_INCOMING],
				    item != NULL ? item - walk->listening->items : -1, socket);
}

static uint64_t listener_id(const struct tct_listening *listening, int64_t position)
{
	const struct tct_tcp_socket *socket;

	if (position < 0 || (size_t)position >= listening->items_count)
		return 0;
	socket = &listening->items[position].socket;
	return socket->cookie != 0 ? socket->cookie : socket->inode;
}

static int keep(struct tct_closing_marks *marks, const struct walk *walk)
{
	for (enum tct_direction direction = TCT_INCOMING; direction < TCT_DIRECTIONS; direction++) {
		const struct tct_owner_groups *groups = &walk->groups[direction];

		for (size_t i = 0; i < groups->items_count; i++) {
			const struct tct_raw_group *group = &groups->items[i];
			struct tct_closing_mark *mark;

			if (group->others)
				continue;
			mark = TCT_APPEND(marks, items);
			if (mark == NULL)
				return -ENOMEM;
			*mark = (struct tct_closing_mark){
				.direction = direction,
				.cgroup = group->cgroup,
				.listener = listener_id(walk->listening, group->listener),
				.uid = group->uid,
				.count = group->populations[TCT_POPULATION_CLOSE_WAIT].total,
			};
		}
	}
	return 0;
}

int tct_closing_look(struct tct_closing_marks *marks, struct tct_diag *diag,
		     const struct tct_local_ports *ports, struct tct_listening *listening,
		     struct tct_cgroups *cgroups)
{
	TCT_AUTO(done_walk)
	struct walk walk = {
		.ports = ports,
		.listening = listening,
		.groups = { { .cgroups = cgroups }, { .cgroups = cgroups } },
	};
	const struct tct_diag_query query = { .states = 1 << TCT_STATE_CLOSE_WAIT };
	const struct tct_tcp_visitor visitor = { restart, visit, &walk };
	int result;

	tct_closing_marks_done(marks);
	result = tct_diag_dump(diag, &query, &visitor);
	if (result == -ENOMEM)
		return result;
	marks->known = result == 0;
	return marks->known ? keep(marks, &walk) : 0;
}

/* The same owner, told the same way as is_of() in owner_groups.c does. */
static bool is_of(const struct tct_closing_mark *mark, const struct tct_raw_group *group,
		  uint64_t listener)
{
	if (mark->cgroup != 0 || group->cgroup != 0)
		return mark->cgroup == group->cgroup;
	if (mark->listener != 0 || listener != 0)
		return mark->listener == listener;
	return mark->uid == group->uid;
}

void tct_closing_recall(const struct tct_closing_marks *marks,
			const struct tct_listening *listening,
			struct tct_owner_groups groups[TCT_DIRECTIONS])
{
	if (!marks->known)
		return;
	for (enum tct_direction direction = TCT_INCOMING; direction < TCT_DIRECTIONS; direction++) {
		for (size_t i = 0; i < groups[direction].items_count; i++) {
			struct tct_raw_group *group = &groups[direction].items[i];
			uint64_t listener = listener_id(listening, group->listener);

			group->close_wait_first = 0;
			for (size_t j = 0; j < marks->items_count; j++) {
				if (marks->items[j].direction == direction &&
				    is_of(&marks->items[j], group, listener))
					group->close_wait_first += marks->items[j].count;
			}
		}
	}
}
