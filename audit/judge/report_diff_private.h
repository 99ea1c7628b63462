/* Shared by the files that compare audits. */
#ifndef TCT_AUDIT_JUDGE_REPORT_DIFF_PRIVATE_H
#define TCT_AUDIT_JUDGE_REPORT_DIFF_PRIVATE_H

#include "audit/judge/report_diff.h"

/* What is compared of a document's list: a finding, a key or a listener. */
struct tct_entry {
	const char *netns; /* the namespace's name, "" = the own one */
	const char *name;  /* id, key or address */
	const char *also;  /* subject or family, never NULL */
	int64_t number;    /* port */
	size_t index;      /* in the list */
	const json_t *json;
};

struct tct_entries {
	struct tct_entry *items; /* owned, sorted by netns, name, also, number, index */
	size_t count;
};

void tct_entries_done(struct tct_entries *entries);

/* By netns, name, also and number. */
int tct_entry_compare(const struct tct_entry *a, const struct tct_entry *b);

/* The lists of a side, checked: what the functions below read is there and of its type. */
int tct_entries_of_findings(const struct tct_side *side, struct tct_entries *entries,
			    struct tct_err *err);
int tct_entries_of_keys(const struct tct_side *side, struct tct_entries *entries,
			struct tct_err *err);
int tct_entries_of_listeners(const struct tct_side *side, struct tct_entries *entries,
			     struct tct_err *err);

/*
 * The namespaces of a side besides the own one, as an object by name that borrows nothing; NULL on
 * error. Empty if it doesn't tell of them.
 */
json_t *tct_side_namespaces(const struct tct_side *side, struct tct_err *err);

/* The eleven counts; -1 = not known. */
int tct_side_states(const struct tct_side *side, int64_t counts[TCT_STATE_LIMIT],
		    struct tct_err *err);

#endif
