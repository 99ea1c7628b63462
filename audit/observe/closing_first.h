/* Whose sockets were in CLOSE_WAIT at the first look: a leak is known by its growth. */
#ifndef TCT_AUDIT_OBSERVE_CLOSING_FIRST_H
#define TCT_AUDIT_OBSERVE_CLOSING_FIRST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/listening.h"
#include "audit/observe/local_ports.h"
#include "audit/observe/owner_groups.h"
#include "audit/observe/sock_diag.h"

/* One group of sockets (see struct tct_raw_group), as both looks can know it. */
struct tct_closing_mark {
	enum tct_direction direction;
	uint64_t cgroup;
	uint64_t listener; /* cookie, else inode; 0 = none */
	int64_t uid;
	int64_t count;
};

struct tct_closing_marks {
	struct tct_closing_mark *items; /* owned */
	size_t items_count;
	size_t items_capacity;
	bool known;
};

void tct_closing_marks_done(struct tct_closing_marks *marks);

/*
 * Count those that are there now: one walk. cgroups is borrowed, NULL = owners are not told apart.
 * Where the kernel refuses, `known` is false. 0 or -ENOMEM.
 */
int tct_closing_look(struct tct_closing_marks *marks, struct tct_diag *diag,
		     const struct tct_local_ports *ports, struct tct_listening *listening,
		     struct tct_cgroups *cgroups);

/* Tell the groups of the last look, of these listening sockets, what they had at the first. */
void tct_closing_recall(const struct tct_closing_marks *marks,
			const struct tct_listening *listening,
			struct tct_owner_groups groups[TCT_DIRECTIONS]);

#endif
