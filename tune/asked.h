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
	json_t *live_sets; /* of sets the keys asked for without the drop-in: live only. Owned */
	bool live_only;    /* the same of the profiles, or of the keys beside them */
	bool persists;     /* what stands here has a part in the drop-in */
	char *split;       /* owned: of older records, cut at the commas */
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

/*
 * Can the journal name what is asked for: are the profiles' full paths and the variables' values
 * UTF-8? 0, -EILSEQ or -ENOMEM.
 */
int tct_asked_check(const struct tct_profile_request *request, const struct tct_profile_set *set,
		    struct tct_err *err);

/* The keys of a set that were asked for by hand: {key: text}, by the table's names; NULL on ENOMEM.
 */
json_t *tct_asked_sets(const struct tct_profile_set *set);

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

/*
 * Note anew in a record of an additive apply that stands what it carries on, by what stands before
 * it in the journal (nothing of what is undone by now): the one that it took it from is about to be
 * dropped. 0 or -ENOMEM.
 */
int tct_asked_settle(const struct tct_journal *journal, struct tct_transaction *transaction);

#endif
