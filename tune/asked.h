/*
 * What was asked for, all in all: the profiles and variables of the newest apply that declared the
 * whole, and the keys that were set one by one, then and since.
 */
#ifndef TCT_TUNE_ASKED_H
#define TCT_TUNE_ASKED_H

#include "audit/rules/profile.h"
#include "tune/journal.h"

struct tct_asked {
	const struct tct_transaction *newest; /* that stands here; NULL = nothing does. Borrowed */
	const struct tct_transaction *source; /* whose profiles and variables count; NULL = none of
						 any: keys alone were set. Borrowed */
	json_t *sets;                         /* {key: value as text}, owned */
	char *split;                          /* owned: of older records, cut at the commas */
	/* The same for a request; all of it borrowed from the journal and from above. */
	const char **names;
	size_t names_count;
	size_t names_capacity;
	struct tct_var_override *vars;
	size_t vars_count;
	size_t vars_capacity;
	struct tct_set_override *given_sets;
	size_t given_sets_count;
	size_t given_sets_capacity;
};

/* Find it for this namespace. Release with tct_asked_done in either case. 0 or -ENOMEM. */
int tct_asked_find(const struct tct_journal *journal, const struct tct_netns *netns,
		   const char *boot_id, struct tct_asked *asked);
void tct_asked_done(struct tct_asked *asked);

/* Does the request say nothing of keys that it doesn't name: sets without a profile? */
bool tct_request_is_additive(const struct tct_profile_request *request);

/* The keys of a set that were asked for by hand: {key: text}, by the table's names; NULL on ENOMEM.
 */
json_t *tct_asked_sets(const struct tct_profile_set *set);

/* Can the names of its profiles be kept as text? Errors: INPUT, a path that isn't UTF-8. */
int tct_asked_check(const struct tct_profile_set *set, struct tct_err *err);

/*
 * Names of the set's profiles joined by commas, for people; paths are made full. Owned by the
 * caller, NULL on ENOMEM.
 */
char *tct_asked_profiles(const struct tct_profile_set *set);

/*
 * Note in an apply's transaction what this request asked for: profiles, variables and sets; before:
 * what an additive one carries on (NULL for others). 0 or -ENOMEM.
 */
int tct_asked_note(const struct tct_profile_request *request, const struct tct_profile_set *set,
		   const struct tct_asked *before, struct tct_transaction *transaction);

#endif
