#include "tune/order.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Ports in a normalised list, "80,9000-9100". */
static long count_ports(const char *text)
{
	long ports = 0;

	while (*text >= '0' && *text <= '9') {
		char *end;
		long first = strtol(text, &end, 10);
		long last = *end == '-' ? strtol(end + 1, &end, 10) : first;

		ports += last - first + 1;
		text = *end == ',' ? end + 1 : end;
	}
	return ports;
}

/* Its first field gets smaller: that is the one that other keys lean on. Or it has fewer ports. */
static bool falls(const struct tct_order_item *item)
{
	if (item->from->kind != item->to->kind)
		return false;
	if (item->from->kind == TCT_VALUE_PORTS)
		return count_ports(item->to->text) < count_ports(item->from->text);
	return item->from->kind == TCT_VALUE_NUMBERS &&
	       item->to->numbers[0] < item->from->numbers[0];
}

static bool leans_on(const struct tct_order_item *item, const struct tct_order_item *other)
{
	return item->key->write_after != NULL &&
	       strcmp(item->key->write_after, other->key->name) == 0;
}

static bool must_follow(const struct tct_order_item *item, const struct tct_order_item *other)
{
	if (item->key->write_first != other->key->write_first)
		return other->key->write_first;
	return (leans_on(item, other) && !falls(other)) || (leans_on(other, item) && falls(item));
}

static bool is_done(const size_t *order, size_t done, size_t position)
{
	for (size_t i = 0; i < done; i++) {
		if (order[i] == position)
			return true;
	}
	return false;
}

void tct_order(const struct tct_order_item *items, size_t count, size_t *order)
{
	for (size_t done = 0; done < count; done++) {
		size_t chosen = SIZE_MAX;
		size_t first = SIZE_MAX;

		for (size_t i = 0; i < count && chosen == SIZE_MAX; i++) {
			bool waits = false;

			if (is_done(order, done, i))
				continue;
			if (first == SIZE_MAX)
				first = i;
			for (size_t j = 0; j < count && !waits; j++)
				waits = j != i && must_follow(&items[i], &items[j]) &&
					!is_done(order, done, j);
			if (!waits)
				chosen = i;
		}
		/* The table has no circles; if it had, any order is as good. */
		order[done] = chosen != SIZE_MAX ? chosen : first;
	}
}
