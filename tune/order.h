/* In which order live values are written, so that the kernel takes each of them. */
#ifndef TCT_TUNE_ORDER_H
#define TCT_TUNE_ORDER_H

#include <stddef.h>

#include "core/kernel_keys.h"
#include "core/value.h"

struct tct_order_item {
	const struct tct_kernel_key *key;
	const struct tct_value *from; /* now */
	const struct tct_value *to;
};

/*
 * Fill order[count] with positions in items: keys with `write_first` first; a key with
 * `write_after` comes after that key when that one rises or stays, before it when it falls;
 * otherwise the order of items is kept. Only what from and to say counts, so the way back gets an
 * order of its own. Never fails, allocates nothing.
 */
void tct_order(const struct tct_order_item *items, size_t count, size_t *order);

#endif
