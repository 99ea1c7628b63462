/*
 * The algorithm is Misra and Gries's for frequent items, with decrements by the median (Anderson et
 * al. 2017, "A High-Performance Algorithm for Identifying Frequent Items in Data Streams"): when
 * the table is full, every group's credit goes down by the median of all credits, and those that
 * have none left go. That takes at least half of the groups away, so it happens at most once in
 * most / 2 new groups, and the sum of decrements, `dropped`, is at most 2 x counted / most.
 */
#include "audit/observe/socket_tally.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

int tct_tally_init(struct tct_tally *tally, size_t most)
{
	struct timespec now = { 0 };

	if (most < 2 || most > TCT_TALLY_GROUPS)
		most = TCT_TALLY_GROUPS;
	*tally = (struct tct_tally){ .most = most, .slots_count = 4 };
	while (tally->slots_count < 2 * most)
		tally->slots_count *= 2;
	tally->groups = calloc(most, sizeof(*tally->groups));
	tally->slots = calloc(tally->slots_count, sizeof(*tally->slots));
	tally->room = calloc(most, sizeof(*tally->room));
	if (tally->groups == NULL || tally->slots == NULL || tally->room == NULL) {
		tct_tally_done(tally);
		return -ENOMEM;
	}
	if (getrandom(&tally->seed, sizeof(tally->seed), GRND_NONBLOCK) !=
		    (ssize_t)sizeof(tally->seed) &&
	    clock_gettime(CLOCK_MONOTONIC, &now) == 0)
		tally->seed = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15U ^ (uint64_t)now.tv_sec;
	return 0;
}

void tct_tally_done(struct tct_tally *tally)
{
	free(tally->groups);
	free(tally->slots);
	free(tally->room);
	*tally = (struct tct_tally){ 0 };
}

void tct_tally_clear(struct tct_tally *tally)
{
	if (tally->slots != NULL)
		memset(tally->slots, 0, tally->slots_count * sizeof(*tally->slots));
	tally->groups_count = 0;
	tally->dropped = 0;
	tally->lost = 0;
}

static uint64_t mix(uint64_t value)
{
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93U;
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93U;
	return value ^ value >> 32;
}

/* The slot that has the key, or the free one where it belongs. */
static size_t find_slot(const struct tct_tally *tally, const struct tct_tally_key *key)
{
	uint64_t hash = mix(tally->seed ^ ((uint64_t)key->kind << 48 | (uint64_t)key->side << 40 |
					   (uint64_t)key->family << 32 | key->port));
	size_t slot;

	hash = mix(hash ^ ((uint64_t)key->id[0] << 32 | key->id[1]));
	hash = mix(hash ^ ((uint64_t)key->id[2] << 32 | key->id[3]));
	slot = hash & (tally->slots_count - 1);
	while (tally->slots[slot] != 0 &&
	       memcmp(&tally->groups[tally->slots[slot] - 1].key, key, sizeof(*key)) != 0)
		slot = (slot + 1) & (tally->slots_count - 1);
	return slot;
}

/* What would have to be dropped, in all, for the group to go; > 0 for all that are here. */
static uint32_t credit_of(const struct tct_tally *tally, const struct tct_tally_group *group)
{
	uint64_t credit = (uint64_t)group->total + group->missing - tally->dropped;

	return credit > UINT32_MAX ? UINT32_MAX : (uint32_t)credit;
}

/* The value that stands in the middle when values[0..count) are in order; they get disordered. */
static uint32_t find_median(uint32_t *values, size_t count)
{
	size_t low = 0;
	size_t high = count - 1;
	size_t middle = count / 2;

	while (low < high) {
		uint32_t pivot = values[low + (high - low) / 2];
		size_t left = low;
		size_t right = high;

		for (;;) {
			while (values[left] < pivot)
				left++;
			while (values[right] > pivot)
				right--;
			if (left >= right)
				break;

			uint32_t moved = values[left];

			values[left++] = values[right];
			values[right--] = moved;
		}
		if (middle <= right)
			high = right;
		else
			low = right + 1;
	}
	return values[middle];
}

static void make_room(struct tct_tally *tally)
{
	size_t kept = 0;

	for (size_t i = 0; i < tally->groups_count; i++)
		tally->room[i] = credit_of(tally, &tally->groups[i]);
	tally->dropped += find_median(tally->room, tally->groups_count);
	for (size_t i = 0; i < tally->groups_count; i++) {
		const struct tct_tally_group *group = &tally->groups[i];

		if ((uint64_t)group->total + group->missing > tally->dropped)
			tally->groups[kept++] = *group;
		else
			tally->lost += group->total;
	}
	tally->groups_count = kept;
	memset(tally->slots, 0, tally->slots_count * sizeof(*tally->slots));
	for (size_t i = 0; i < kept; i++)
		tally->slots[find_slot(tally, &tally->groups[i].key)] = (uint16_t)(i + 1);
}

static struct tct_tally_group *find_group(struct tct_tally *tally, const struct tct_tally_key *key)
{
	size_t slot = find_slot(tally, key);
	struct tct_tally_group *group;

	if (tally->slots[slot] != 0)
		return &tally->groups[tally->slots[slot] - 1];
	if (tally->groups_count == tally->most) {
		make_room(tally);
		slot = find_slot(tally, key);
	}
	group = &tally->groups[tally->groups_count++];
	*group = (struct tct_tally_group){ .key = *key, .missing = tally->dropped };
	tally->slots[slot] = (uint16_t)tally->groups_count;
	return group;
}

void tct_tally_add(struct tct_tally *tally, const struct tct_tally_key *key, unsigned state,
		   uint32_t count)
{
	struct tct_tally_group *group;

	if (count == 0 || state >= TCT_STATE_LIMIT)
		return;
	group = find_group(tally, key);
	group->states[state] += count;
	group->total += count;
}

void tct_tally_add_group(struct tct_tally *tally, const struct tct_tally_key *key,
			 const struct tct_tally_group *group)
{
	struct tct_tally_group *own;

	if (group->total == 0)
		return;
	own = find_group(tally, key);
	for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
		own->states[state] += group->states[state];
	own->total += group->total;
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
