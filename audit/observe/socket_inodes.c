#include "audit/observe/socket_inodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { BITS = 64 };

void tct_inodes_done(struct tct_socket_inodes *inodes)
{
	for (unsigned side = 0; side < TCT_SIDES; side++) {
		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
			free(inodes->sets[side][state].items);
	}
	free(inodes->seen);
	*inodes = (struct tct_socket_inodes){ 0 };
}

void tct_inodes_clear(struct tct_socket_inodes *inodes)
{
	for (unsigned side = 0; side < TCT_SIDES; side++) {
		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
			inodes->sets[side][state].items_count = 0;
	}
	inodes->count = 0;
}

int tct_inodes_add(struct tct_socket_inodes *inodes, unsigned side, unsigned state, uint32_t inode)
{
	uint32_t *slot;

	if (inodes->count >= TCT_INODES_MAX)
		return -E2BIG;
	slot = TCT_APPEND(&inodes->sets[side][state], items);
	if (slot == NULL)
		return -ENOMEM;
	*slot = inode;
	inodes->count++;
	return 0;
}

/* Ascending, in place (qsort() would copy everything): by the highest bit, then each half. */
static void sort(uint32_t *items, size_t count, uint32_t bit)
{
	while (count > 1 && bit != 0) {
		size_t low = 0;
		size_t high = count;

		while (low < high) {
			if ((items[low] & bit) == 0) {
				low++;
			} else {
				uint32_t moved = items[--high];

				items[high] = items[low];
				items[low] = moved;
			}
		}
		bit >>= 1;
		sort(items, low, bit);
		items += low;
		count -= low;
	}
}

/* Of a bit map with a bit for each. */
static size_t words(const struct tct_socket_inodes *inodes)
{
	return inodes->count / BITS + 1;
}

int tct_inodes_sort(struct tct_socket_inodes *inodes)
{
	size_t first = 0;

	free(inodes->seen);
	inodes->seen = calloc(words(inodes), sizeof(*inodes->seen));
	if (inodes->seen == NULL)
		return -ENOMEM;
	for (unsigned side = 0; side < TCT_SIDES; side++) {
		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++) {
			struct tct_inode_set *set = &inodes->sets[side][state];

			sort(set->items, set->items_count, UINT32_C(1) << 31);
			set->first = first;
			first += set->items_count;
		}
	}
	inodes->left = inodes->count;
	return 0;
}

int tct_holder_begin(struct tct_holder *holder, const struct tct_socket_inodes *inodes, int32_t pid)
{
	if (holder->own == NULL) {
		holder->own = calloc(words(inodes), sizeof(*holder->own));
		if (holder->own == NULL)
			return -ENOMEM;
	} else if (holder->used) {
		memset(holder->own, 0, words(inodes) * sizeof(*holder->own));
		memset(holder->counts, 0, sizeof(holder->counts));
	}
	holder->used = false;
	holder->pid = pid;
	return 0;
}

void tct_holder_done(struct tct_holder *holder)
{
	free(holder->own);
	*holder = (struct tct_holder){ 0 };
}

static bool has_bit(const uint64_t *bits, size_t number)
{
	return (bits[number / BITS] >> number % BITS & 1) != 0;
}

static void set_bit(uint64_t *bits, size_t number)
{
	bits[number / BITS] |= UINT64_C(1) << number % BITS;
}

/* Index of the first item that is not smaller. */
static size_t find(const struct tct_inode_set *set, uint32_t inode)
{
	size_t low = 0;
	size_t high = set->items_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->items[middle] < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void tct_inodes_see(struct tct_socket_inodes *inodes, struct tct_holder *holder, uint32_t inode)
{
	for (unsigned side = 0; side < TCT_SIDES; side++) {
		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++) {
			const struct tct_inode_set *set = &inodes->sets[side][state];

			for (size_t i = find(set, inode);
			     i < set->items_count && set->items[i] == inode; i++) {
				size_t number = set->first + i;

				if (has_bit(holder->own, number))
					continue;
				set_bit(holder->own, number);
				holder->used = true;
				holder->counts[side][state]++;
				if (!has_bit(inodes->seen, number)) {
					set_bit(inodes->seen, number);
					inodes->left--;
				}
			}
		}
	}
}

void tct_inodes_unseen(const struct tct_socket_inodes *inodes,
		       uint32_t counts[TCT_SIDES][TCT_STATE_LIMIT])
{
	memset(counts, 0, TCT_SIDES * sizeof(counts[0]));
	for (unsigned side = 0; side < TCT_SIDES; side++) {
		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++) {
			const struct tct_inode_set *set = &inodes->sets[side][state];

			for (size_t i = 0; i < set->items_count; i++)
				counts[side][state] +=
					has_bit(inodes->seen, set->first + i) ? 0 : 1;
		}
	}
}
