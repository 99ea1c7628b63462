/* The network interfaces of a namespace: their counters at both looks, MTU, reverse path filter. */
#ifndef TCT_AUDIT_OBSERVE_INTERFACES_H
#define TCT_AUDIT_OBSERVE_INTERFACES_H

#include <stddef.h>

#include "audit/observe/observation.h"
#include "core/root.h"

enum { TCT_INTERFACES_MAX = 256 };

/* Those of one look, as /proc/net/dev has them; the *_first members are not used. */
struct tct_interface_list {
	struct tct_interface *items;
	size_t items_count;
	size_t items_capacity;
	size_t beyond; /* more are there than TCT_INTERFACES_MAX */
};

/*
 * Read /proc/net/dev of the namespace that this thread is in, or of a DIR: names and counters, the
 * first TCT_INTERFACES_MAX. *list is empty before; release it in either case. 0, -ENOENT (the DIR
 * doesn't have it) or -errno.
 */
int tct_interfaces_read(const struct tct_root *root, struct tct_interface_list *list);
void tct_interface_list_done(struct tct_interface_list *list);

/*
 * The last look: fill the observation's interfaces, with their MTU (live only) and reverse path
 * filter. Counters of the first look come from `first`, by name; without it (NULL), or for an
 * interface that is new, first equals last. What can't be seen is a gap. 0 or -ENOMEM.
 */
int tct_interfaces_look(const struct tct_root *root, const struct tct_interface_list *first,
			struct tct_observation *observation);

#endif
