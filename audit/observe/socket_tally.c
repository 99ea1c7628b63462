#include "audit/observe/socket_tally.h"

int tct_tally_init(struct tct_tally *tally, size_t most)
{
	if (most < 2 || most > TCT_TALLY_GROUPS)
		most = TCT_TALLY_GROUPS;
	return tct_frequent_init(&tally->kinds, sizeof(struct tct_tally_key),
				 sizeof(struct tct_tally_group), most);
}

void tct_tally_done(struct tct_tally *tally)
{
	tct_frequent_done(&tally->kinds);
}

void tct_tally_clear(struct tct_tally *tally)
{
	tct_frequent_clear(&tally->kinds);
}

struct tct_tally_group *tct_tally_groups(const struct tct_tally *tally)
{
	return tct_frequent_at(&tally->kinds, 0);
}

void tct_tally_add(struct tct_tally *tally, const struct tct_tally_key *key, unsigned state,
		   uint32_t count)
{
	struct tct_tally_group *group;

	if (count == 0 || state >= TCT_STATE_LIMIT)
		return;
	group = tct_frequent_add(&tally->kinds, key, count);
	group->states[state] += count;
}

void tct_tally_add_group(struct tct_tally *tally, const struct tct_tally_key *key,
			 const struct tct_tally_group *group)
{
	struct tct_tally_group *own;

	if (group->total == 0)
		return;
	own = tct_frequent_add(&tally->kinds, key, group->total);
	for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
		own->states[state] += group->states[state];
	own->missing += group->missing;
}

struct tct_tally_key tct_tally_key_of(uint8_t kind, uint8_t side, uint64_t number)
{
	return (struct tct_tally_key){
		.kind = kind,
		.side = side,
		.id = { (uint32_t)(number >> 32), (uint32_t)number },
	};
}

uint64_t tct_tally_number(const struct tct_tally_key *key)
{
	return (uint64_t)key->id[0] << 32 | key->id[1];
}
