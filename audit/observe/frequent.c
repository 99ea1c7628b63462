#include "audit/observe/frequent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = sizeof(int64_t) }; /* where the key begins in an entry */

int tct_frequent_init(struct tct_frequent *frequent, size_t key_bytes, size_t entry_bytes,
		      size_t capacity)
{
	size_t slots = 16;

	while (slots < 2 * capacity)
		slots *= 2;
	*frequent = (struct tct_frequent){
		.key_bytes = key_bytes,
		.entry_bytes = entry_bytes,
		.capacity = capacity,
		.entries = calloc(capacity, entry_bytes),
		.slots = calloc(slots, sizeof(*frequent->slots)),
		.slots_mask = slots - 1,
	};
	if (frequent->entries != NULL && frequent->slots != NULL)
		return 0;
	tct_frequent_done(frequent);
	return -ENOMEM;
}

void tct_frequent_done(struct tct_frequent *frequent)
{
	free(frequent->entries);
	free(frequent->slots);
	*frequent = (struct tct_frequent){ 0 };
}

void tct_frequent_clear(struct tct_frequent *frequent)
{
	if (frequent->slots != NULL)
		memset(frequent->slots, 0, (frequent->slots_mask + 1) * sizeof(*frequent->slots));
	frequent->count = 0;
	frequent->lost = 0;
}

void *tct_frequent_at(const struct tct_frequent *frequent, size_t i)
{
	return frequent->entries + i * frequent->entry_bytes;
}

/* FNV-1a, its halves mixed. */
static size_t hash(const void *key, size_t bytes)
{
	const unsigned char *byte = key;
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes; i++)
		sum = (sum ^ byte[i]) * UINT64_C(0x100000001b3);
	return (size_t)(sum ^ sum >> 32);
}

/* The slot that holds the key, or the free one where it would be. */
static uint32_t *slot_of(const struct tct_frequent *frequent, const void *key)
{
	size_t at = hash(key, frequent->key_bytes) & frequent->slots_mask;

	for (;; at = (at + 1) & frequent->slots_mask) {
		uint32_t *slot = &frequent->slots[at];

		if (*slot == 0 || memcmp((char *)tct_frequent_at(frequent, *slot - 1) + KEY, key,
					 frequent->key_bytes) == 0)
			return slot;
	}
}

static int64_t count_of(const struct tct_frequent *frequent, size_t i)
{
	int64_t count;

	memcpy(&count, tct_frequent_at(frequent, i), sizeof(count));
	return count;
}

static void set_count(const struct tct_frequent *frequent, size_t i, int64_t count)
{
	memcpy(tct_frequent_at(frequent, i), &count, sizeof(count));
}

/* Take the smallest count off all, drop what is at 0, and put the slots in order again. */
static void make_room(struct tct_frequent *frequent)
{
	int64_t least = count_of(frequent, 0);
	size_t kept = 0;

	for (size_t i = 1; i < frequent->count; i++)
		least = count_of(frequent, i) < least ? count_of(frequent, i) : least;
	for (size_t i = 0; i < frequent->count; i++) {
		int64_t count = count_of(frequent, i) - least;

		if (count == 0)
			continue;
		if (kept != i)
			memcpy(tct_frequent_at(frequent, kept), tct_frequent_at(frequent, i),
			       frequent->entry_bytes);
		set_count(frequent, kept++, count);
	}
	memset(frequent->slots, 0, (frequent->slots_mask + 1) * sizeof(*frequent->slots));
	frequent->count = kept;
	frequent->lost += least;
	for (size_t i = 0; i < kept; i++)
		*slot_of(frequent, (char *)tct_frequent_at(frequent, i) + KEY) = (uint32_t)(i + 1);
}

void *tct_frequent_find(const struct tct_frequent *frequent, const void *key)
{
	const uint32_t *slot = slot_of(frequent, key);

	return *slot == 0 ? NULL : tct_frequent_at(frequent, *slot - 1);
}

void *tct_frequent_add(struct tct_frequent *frequent, const void *key)
{
	uint32_t *slot = slot_of(frequent, key);
	char *entry;

	if (*slot == 0 && frequent->count == frequent->capacity) {
		/* The new one pays as well: it is the one of the least that is taken off. */
		make_room(frequent);
		return NULL;
	}
	if (*slot == 0) {
		entry = tct_frequent_at(frequent, frequent->count++);
		memset(entry, 0, frequent->entry_bytes);
		memcpy(entry + KEY, key, frequent->key_bytes);
		*slot = (uint32_t)frequent->count;
	}
	entry = tct_frequent_at(frequent, *slot - 1);
	set_count(frequent, *slot - 1, count_of(frequent, *slot - 1) + 1);
	return entry;
}
