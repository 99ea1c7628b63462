/* What the commands share: the root, the namespace and the profile request from the options, and
 * what is observed through them. */
#ifndef TCT_CLI_SESSION_H
#define TCT_CLI_SESSION_H

#include "audit/judge/report.h"
#include "audit/observe/observe_all.h"
#include "audit/observe/snapshot.h"
#include "cli/options.h"

/* Destructors for TCT_AUTO(). */
static inline void tct_drop_observation(struct tct_observation *const *observation)
{
	tct_observation_free(*observation);
}

static inline void tct_drop_set(struct tct_profile_set *const *set)
{
	tct_profile_set_free(*set);
}

static inline void tct_drop_report(struct tct_report *const *report)
{
	tct_report_free(*report);
}

static inline void tct_drop_suppressions(struct tct_suppressions *const *suppressions)
{
	tct_suppressions_free(*suppressions);
}

struct tct_session {
	const struct tct_options *options;
	struct tct_root root;
	struct tct_netns netns;
	struct tct_profile_request request; /* names and vars of the options; points into the
					       session */
	const char *fallback;               /* the profile when none is named */
	struct tct_var_override *vars;      /* owned */
	char **var_names;                   /* owned, vars_count of them */
	struct tct_set_override *sets;      /* owned */
	char **set_keys;                    /* owned, as many */
	struct tct_snapshot snapshot;       /* --snapshot; empty without it */
};

/*
 * Open the root (--root) and, on the live host, enter the namespace (--netns). With --snapshot
 * nothing of this host is opened, and no profile or variable of its own is found: the root stays
 * closed, and what is observed is the snapshot. default_profile (may
 * be NULL) is asked for when the options name none. Release with tct_session_done in either case.
 * Errors: INPUT, REFUSED.
 */
int tct_session_open(struct tct_session *session, const struct tct_options *options,
		     const char *default_profile, struct tct_err *err);
/* The same without a place to look at: only what is asked of profiles, none of them of this host.
 */
int tct_session_open_nowhere(struct tct_session *session, const struct tct_options *options,
			     const char *default_profile, struct tct_err *err);
void tct_session_done(struct tct_session *session);

/*
 * Take a snapshot's first observation for judging (tct_session_host does that, too): that of the
 * namespace in which it was taken. The others stay. Owned by the caller.
 */
struct tct_observation *tct_session_take(struct tct_snapshot *snapshot);

/*
 * Observe through the session: the host, its keys and files; once if it is a snapshot. *out is
 * owned by the caller.
 */
int tct_session_host(struct tct_session *session, struct tct_observation **out,
		     struct tct_err *err);

/*
 * Observe sockets and counters over interval_ns, into the same observation; looks is TCT_LOOK_...
 * A word about it appears on stderr, if that is a terminal, when it takes longer than half a
 * second. A snapshot has them already.
 */
int tct_session_traffic(const struct tct_session *session, unsigned looks, int64_t interval_ns,
			struct tct_observation *observation, struct tct_err *err);

/*
 * Look at every network namespace of the host: sockets and counters of our own, into `own`, which
 * tct_session_load gave; all of each other one, for visit (see observe_all.h), but of its keys,
 * counters and connections only what needs says (NULL = all keys and counters, and looks). What
 * could not be looked at becomes gaps of `own`.
 */
int tct_session_tour(const struct tct_session *session, unsigned looks, int64_t interval_ns,
		     const struct tct_needs *needs, tct_tour_visit *visit, void *context,
		     struct tct_observation *own, struct tct_tour *tour, struct tct_err *err);

/* In parts: list the namespaces, with as many held open as may be; and make what a tour could not
 * see gaps of `own`. */
int tct_session_namespaces(const struct tct_session *session, struct tct_namespaces *namespaces,
			   struct tct_err *err);
int tct_session_tell_unseen(const struct tct_namespaces *namespaces, const struct tct_tour *tour,
			    struct tct_observation *own, struct tct_err *err);

/* Load the set for the host observed, and its facts. *set is owned by the caller. */
int tct_session_set(const struct tct_session *session, const struct tct_observation *observation,
		    struct tct_facts *facts, struct tct_profile_set **set, struct tct_err *err);

/* Observe the host, and load the set for it. Both are owned by the caller. */
int tct_session_load(struct tct_session *session, struct tct_facts *facts,
		     struct tct_observation **observation, struct tct_profile_set **set,
		     struct tct_err *err);

/*
 * What is suppressed: --suppressions FILE, or what the host or DIR has. *out stays NULL without
 * one, and for snapshots, which are of any host. Owned by the caller. Errors: INPUT, for ids too
 * that no rule has.
 */
int tct_session_suppressions(const struct tct_session *session,
			     const struct tct_observation *observation,
			     const struct tct_profile_set *set, struct tct_suppressions **out,
			     struct tct_err *err);

#endif
