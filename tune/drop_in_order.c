/*
 * The order of our drop-in's lines. The appliers write them one after the other, and the kernel
 * refuses some by what another key is at that moment.
 */
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tune/drop_in.h"

static int by_name(const void *a, const void *b)
{
	const struct tct_drop_in_line *left = a;
	const struct tct_drop_in_line *right = b;

	return strcmp(left->key->name, right->key->name);
}

static size_t find(const struct tct_drop_in_line *lines, size_t count, const char *name)
{
	size_t i = 0;

	while (name != NULL && i < count && strcmp(lines[i].key->name, name) != 0)
		i++;
	return name != NULL ? i : count;
}

/* Is it less than the kernel starts with? Then what leans on it must get out of its way first. */
static bool falls(const struct tct_drop_in_line *line)
{
	TCT_AUTO(tct_value_done) struct tct_value start = { 0 };

	return tct_value_default(line->key, 0, &start) && start.kind == TCT_VALUE_NUMBERS &&
	       line->value->kind == TCT_VALUE_NUMBERS && line->value->numbers[0] < start.numbers[0];
}

static void swap(struct tct_drop_in_line *a, struct tct_drop_in_line *b)
{
	struct tct_drop_in_line kept = *a;

	*a = *b;
	*b = kept;
}

unsigned tct_drop_in_order(struct tct_drop_in_line *lines, size_t count, unsigned turned)
{
	unsigned pairs = 0;

	if (count > 1)
		qsort(lines, count, sizeof(*lines), by_name);
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const char *limit_name = tct_kernel_keys[i].refused_above;
		size_t limit = find(lines, count, limit_name);
		size_t key = limit < count ? find(lines, count, tct_kernel_keys[i].name) : count;
		bool key_first;

		if (limit == count || key == count)
			continue;
		key_first = falls(&lines[limit]) != ((turned >> pairs & 1U) != 0);
		pairs++;
		if (key_first != (key < limit))
			swap(&lines[key], &lines[limit]);
	}
	return pairs;
}
