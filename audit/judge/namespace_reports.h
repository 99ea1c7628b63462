/* The reports on the other network namespaces of a host, with what is worth keeping of each. */
#ifndef TCT_AUDIT_JUDGE_NAMESPACE_REPORTS_H
#define TCT_AUDIT_JUDGE_NAMESPACE_REPORTS_H

#include "audit/judge/report.h"
#include "audit/observe/namespaces.h"
#include "audit/observe/shared_gaps.h"
#include "core/text.h"

/* A namespace that has findings. */
struct tct_namespace_report {
	struct tct_namespace where; /* fd is -1 */
	int64_t counts[TCT_STATE_LIMIT];
	bool counted;              /* counts are known */
	size_t settings_differing; /* of the profile's */
	struct tct_report *report; /* owned: its findings; observation and settings are gone */
};

/* A rule that could not be judged in some of them. */
struct tct_unjudged {
	const char *id;
	char reason[240]; /* in the first of them */
	size_t namespaces;
};

struct tct_namespace_reports {
	/* to be set before the first is added; all borrowed */
	const struct tct_profile_set *set;
	const struct tct_needs *needs;
	const struct tct_facts *facts;    /* the host's */
	struct tct_judge_options options; /* but for their needs */
	bool with_documents;              /* keep each one's document, too */
	size_t json_flags;                /* as json_dumps() takes them, with JSON_INDENT(2) */

	/*
	 * The documents' text, as it stands in a list that is a member of a document: a thousand of
	 * them are 3 MB so, and 18 MB as values.
	 */
	struct tct_text documents;

	struct tct_namespace_report *items; /* worst first once settled */
	size_t items_count;
	size_t items_capacity;
	size_t judged;          /* all, the quiet ones too */
	size_t quiet_differing; /* those without findings, but with settings that differ */
	size_t by_severity[TCT_SEVERITY_LIMIT];
	size_t suppressed;             /* findings */
	struct tct_unjudged *unjudged; /* in the order of the rules */
	size_t unjudged_count;
	size_t unjudged_capacity;
	struct tct_shared_gaps gaps;
};

/*
 * Judge the observation of one more namespace and keep what its report says; the observation stays
 * the caller's. Errors: REFUSED/ENOMEM.
 */
int tct_namespace_reports_add(struct tct_namespace_reports *reports,
			      const struct tct_namespace *where,
			      const struct tct_observation *observation, struct tct_err *err);

/*
 * The same for those of a snapshot, each of which is judged as if it had been looked at for this
 * profile; what it doesn't need is forgotten. *initial becomes true if the host's first is one of
 * them.
 */
int tct_namespace_reports_add_saved(struct tct_namespace_reports *reports,
				    struct tct_observation *const *observations, size_t count,
				    bool *initial, struct tct_err *err);

/*
 * That of the host's first network namespace, with which others are compared: own, or one of
 * observations[0..count). NULL if it is none of them.
 */
const struct tct_observation *
tct_namespace_reports_first(const struct tct_observation *own,
			    struct tct_observation *const *observations, size_t count);

/* All were added: put them in order, and note what could not be seen in them as gaps of `own`. 0 or
 * -ENOMEM. */
int tct_namespace_reports_settle(struct tct_namespace_reports *reports,
				 struct tct_observation *own);
void tct_namespace_reports_done(struct tct_namespace_reports *reports);

/*
 * Put their findings into the "summary" of our own namespace's document. 0 or -ENOMEM.
 */
int tct_namespace_reports_into(const struct tct_namespace_reports *reports,
			       const struct tct_report *own, json_t *document);

/* The documents as one list of values, for who looks into them. NULL on ENOMEM. Owned by the
 * caller. */
json_t *tct_namespace_reports_list(const struct tct_namespace_reports *reports);

#endif
