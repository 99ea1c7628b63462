/*
 * The state of the stage: every live value, every file where tcptune writes, and what the journal
 * says. It is looked at, compared, and put back without a command.
 */
#ifndef TCT_TESTS_FAULT_STATE_H
#define TCT_TESTS_FAULT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/text.h"

struct state_file {
	char *path;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	char *bytes; /* NULL: a folder */
	size_t length;
	char *security; /* value of the attribute STATE_ATTRIBUTE; NULL = none */
};

/* Stands for a file's security context. */
#define STATE_ATTRIBUTE "security.tct-fault"

struct state {
	struct state_file *files; /* sorted by path; without the lock */
	size_t files_count;
	size_t files_capacity;
	char **values; /* by position in tct_kernel_keys; NULL = not a key of this namespace */
	/* What the journal says of it. */
	size_t transactions;
	uint64_t newest_id; /* 0 = there is no transaction */
	bool open;          /* the newest is begun and has no end */
	bool torn;
	char *owned; /* who stands, and what is ours: one line each */
};

/* Look at everything. */
void state_take(struct state *state);
void state_done(struct state *state);

/* Make values and files what they were. */
void state_restore(const struct state *state);

/*
 * The same? The journal's bytes aside, of which only the meaning counts, and the number of the
 * transaction in the drop-in's head. leftovers: temporary names of the drop-in may be there.
 */
bool state_equal(const struct state *state, const struct state *other, bool leftovers);

/* Are there files that a run should have taken away? */
bool state_has_leftovers(const struct state *state);

/* For people: what differs, "expected" against "found". */
void state_explain(const struct state *expected, const struct state *found, struct tct_text *text);

#endif
