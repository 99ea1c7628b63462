#include "audit/observe/rare_populations.h"

#include <string.h>

void tct_rare_populations_init(struct tct_rare_populations *rare, struct tct_cgroups *cgroups)
{
	*rare = (struct tct_rare_populations){ .groups = { .cgroups = cgroups } };
}

void tct_rare_populations_done(struct tct_rare_populations *rare)
{
	tct_owner_groups_done(&rare->groups);
}

void tct_rare_populations_clear(struct tct_rare_populations *rare)
{
	memset(rare->totals, 0, sizeof(rare->totals));
	rare->groups.items_count = 0;
	rare->groups.last = 0;
}

int tct_rare_populations_add(struct tct_rare_populations *rare, struct tct_listening *listening,
			     const struct tct_tcp_socket *socket)
{
	unsigned kinds = tct_populations_of(socket) >> TCT_POPULATION_RARE;
	const struct tct_listening_socket *item = NULL;

	if (kinds == 0)
		return 0;
	for (unsigned i = 0; i < TCT_POPULATION_RARE_KINDS; i++)
		rare->totals[i] += kinds >> i & 1;
	/* An orphan's cgroup still tells whose it was; else nobody has it. */
	if (rare->groups.cgroups == NULL ||
	    (socket->inode == 0 && !tct_owner_groups_know(&rare->groups, socket->cgroup)))
		return 0;
	if (socket->state != TCT_STATE_SYN_SENT)
		item = tct_listening_find(listening, socket);
	return tct_owner_groups_add(&rare->groups, item != NULL ? item - listening->items : -1,
				    socket);
}

int64_t tct_rare_population_of(const struct tct_states *states, enum tct_population_kind kind)
{
	const int64_t *counts = states->counts;

	if (kind == TCT_POPULATION_SYN_UNANSWERED)
		return counts[TCT_STATE_SYN_SENT];
	if (kind == TCT_POPULATION_FIN_UNANSWERED)
		return counts[TCT_STATE_FIN_WAIT1] + counts[TCT_STATE_CLOSING] +
		       counts[TCT_STATE_LAST_ACK];
	return counts[TCT_STATE_FIN_WAIT2];
}

void tct_rare_populations_hand_over(const struct tct_rare_populations *rare,
				    struct tct_observation *observation)
{
	for (unsigned i = 0; i < TCT_POPULATION_RARE_KINDS; i++) {
		enum tct_population_kind kind = (enum tct_population_kind)(TCT_POPULATION_RARE + i);
		int64_t of = tct_rare_population_of(&observation->states, kind);

		observation->populations[kind] = (struct tct_population){
			.presence = TCT_PRESENT,
			.sample = { .whole = true, .seen = of, .of = of },
			.total = rare->totals[i],
			.idle_at_least = { rare->totals[i] },
		};
	}
}
