/*
 * The algorithm is Misra and Gries's for frequent items, with decrements by the median (Anderson et
 * al. 2017, "A High-Performance Algorithm for Identifying Frequent Items in Data Streams"): when
 * the table is full, every kind's credit goes down by the median of all credits, and those that
 * have none left go. That takes at least half of the kinds away, so it happens at most once in
 * most / 2 new kinds, and the sum of decrements, `dropped`, is at most 2 x counted / most.
 */
#include "audit/observe/frequent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { KEY = sizeof(struct tct_frequent_head) }; /* where the key begins in an entry */

static uint64_t make_seed(void)
{
	struct timespec now = { 0 };
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed) &&
	    clock_gettime(CLOCK_MONOTONIC, &now) == 0)
		seed = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15U ^ (uint64_t)now.tv_sec;
	return seed;
}

int tct_frequent_init(struct tct_frequent *frequent, size_t key_bytes, size_t entry_bytes,
		      size_t most)
{
	size_t slots = 4;

	most = most < 2 ? 2 : most;
	while (slots < 2 * most)
		slots *= 2;
	*frequent = (struct tct_frequent){
		.key_bytes = key_bytes,
		.entry_bytes = entry_bytes,
		.most = most,
		.entries = calloc(most, entry_bytes),
		.slots = calloc(slots, sizeof(*frequent->slots)),
		.slots_count = slots,
		.room = calloc(most, sizeof(*frequent->room)),
		.seed = make_seed(),
	};
	if (frequent->entries != NULL && frequent->slots != NULL && frequent->room != NULL)
		return 0;
	tct_frequent_done(frequent);
	return -ENOMEM;
}

void tct_frequent_done(struct tct_frequent *frequent)
{
	free(frequent->entries);
	free(frequent->slots);
	free(frequent->room);
	*frequent = (struct tct_frequent){ 0 };
}

void tct_frequent_clear(struct tct_frequent *frequent)
{
	if (frequent->slots != NULL)
		memset(frequent->slots, 0, frequent->slots_count * sizeof(*frequent->slots));
	frequent->count = 0;
	frequent->dropped = 0;
	frequent->lost = 0;
}

void *tct_frequent_at(const struct tct_frequent *frequent, size_t i)
{
	return frequent->entries + i * frequent->entry_bytes;
}

static struct tct_frequent_head head_of(const struct tct_frequent *frequent, size_t i)
{
	struct tct_frequent_head head;

	memcpy(&head, tct_frequent_at(frequent, i), sizeof(head));
	return head;
}

static uint64_t mix(uint64_t value)
{
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93U;
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93U;
	return value ^ value >> 32;
}

static uint64_t hash(const struct tct_frequent *frequent, const char *key)
{
	uint64_t sum = frequent->seed;

	for (size_t at = 0; at < frequent->key_bytes; at += sizeof(uint64_t)) {
		size_t left = frequent->key_bytes - at;
		uint64_t part = 0;

		memcpy(&part, key + at, left < sizeof(part) ? left : sizeof(part));
		sum = mix(sum ^ part);
	}
	return sum;
}

/* The slot that has the key, or the free one where it belongs. */
static uint32_t *find_slot(const struct tct_frequent *frequent, const char *key)
{
	size_t at = hash(frequent, key) & (frequent->slots_count - 1);

	for (;; at = (at + 1) & (frequent->slots_count - 1)) {
		uint32_t *slot = &frequent->slots[at];

		if (*slot == 0 || memcmp((const char *)tct_frequent_at(frequent, *slot - 1) + KEY,
					 key, frequent->key_bytes) == 0)
			return slot;
	}
}

/* What would have to be dropped, in all, for the kind to go; > 0 for all that are here. */
static uint32_t credit_of(const struct tct_frequent *frequent, size_t i)
{
	struct tct_frequent_head head = head_of(frequent, i);
	uint64_t credit = (uint64_t)head.total + head.missing - frequent->dropped;

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

static void make_room(struct tct_frequent *frequent)
{
	size_t kept = 0;

	for (size_t i = 0; i < frequent->count; i++)
		frequent->room[i] = credit_of(frequent, i);
	frequent->dropped += find_median(frequent->room, frequent->count);
	for (size_t i = 0; i < frequent->count; i++) {
		struct tct_frequent_head head = head_of(frequent, i);

		if ((uint64_t)head.total + head.missing <= frequent->dropped) {
			frequent->lost += head.total;
			continue;
		}
		if (kept != i)
			memcpy(tct_frequent_at(frequent, kept), tct_frequent_at(frequent, i),
			       frequent->entry_bytes);
		kept++;
	}
	frequent->count = kept;
	memset(frequent->slots, 0, frequent->slots_count * sizeof(*frequent->slots));
	for (size_t i = 0; i < kept; i++)
		*find_slot(frequent, (const char *)tct_frequent_at(frequent, i) + KEY) =
			(uint32_t)(i + 1);
}

void *tct_frequent_find(const struct tct_frequent *frequent, const void *key)
{
	const uint32_t *slot = find_slot(frequent, key);

	return *slot == 0 ? NULL : tct_frequent_at(frequent, *slot - 1);
}

void *tct_frequent_add(struct tct_frequent *frequent, const void *key, uint32_t count)
{
	uint32_t *slot = find_slot(frequent, key);
	struct tct_frequent_head head;
	char *entry;

	if (*slot == 0 && frequent->count == frequent->most) {
		make_room(frequent);
		slot = find_slot(frequent, key);
	}
	if (*slot == 0) {
		entry = tct_frequent_at(frequent, frequent->count++);
		memset(entry, 0, frequent->entry_bytes);
		memcpy(entry + KEY, key, frequent->key_bytes);
		head = (struct tct_frequent_head){ .missing = frequent->dropped };
		*slot = (uint32_t)frequent->count;
	} else {
		entry = tct_frequent_at(frequent, *slot - 1);
		memcpy(&head, entry, sizeof(head));
	}
	head.total += count;
	memcpy(entry, &head, sizeof(head));
	return entry;
}
