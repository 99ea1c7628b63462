/*
 * /etc/tcptune/suppressions.yaml: findings that somebody has looked at and accepted, each with the
 * reason and, if wanted, a day on which it has to be looked at again. Format: tcptune-profile(5).
 */
#ifndef TCT_AUDIT_RULES_SUPPRESSIONS_H
#define TCT_AUDIT_RULES_SUPPRESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/root.h"

struct tct_profile_set;

struct tct_suppression {
	const char *id;      /* of the rule; the rest is owned by the set, as this is */
	const char *subject; /* pattern with * and ?; "*" where none is given */
	const char *reason;
	char expires[16];   /* "2027-03-31", "" = never */
	int64_t expires_ns; /* CLOCK_REALTIME: the end of that day, UTC; INT64_MAX = never */
	bool expired;       /* at the moment that they were loaded for, or set to */
	unsigned line;      /* where the id stands */
	unsigned column;
};

struct tct_suppressions {
	const char *file;   /* as the host knows it: below a DIR, without the DIR */
	const char *origin; /* for messages: with it */
	struct tct_suppression *items;
	size_t items_count;
	size_t items_capacity;
	struct tct_arena *arena;
};

/*
 * Load the file below root; *out is NULL if there is none. now_ns: CLOCK_REALTIME. Errors: INPUT
 * with file, line and column (an entry without a reason, a day that is none, an id that can't be
 * one).
 */
int tct_suppressions_load(const struct tct_root *root, int64_t now_ns,
			  struct tct_suppressions **out, struct tct_err *err);
/* The same for a file of the caller's own, which must be there. */
int tct_suppressions_load_file(const char *path, int64_t now_ns, struct tct_suppressions **out,
			       struct tct_err *err);
void tct_suppressions_free(struct tct_suppressions *suppressions);

/*
 * Is each id one of a rule: of the set, or of a profile that is known here (root NULL: a built-in
 * one)? Errors: INPUT with the place and the nearest id; a mistyped one would suppress nothing.
 */
int tct_suppressions_check(const struct tct_suppressions *suppressions,
			   const struct tct_profile_set *set, const struct tct_root *root,
			   struct tct_err *err);

/* Find out anew which ones are expired: it is now_ns (CLOCK_REALTIME). */
void tct_suppressions_set_now(struct tct_suppressions *suppressions, int64_t now_ns);

/* The entry, not expired, that takes out such a finding; subject NULL = the host, which only a
 * pattern like "*" matches. NULL if none does. */
const struct tct_suppression *tct_suppressions_find(const struct tct_suppressions *suppressions,
						    const char *id, const char *subject);

#endif
