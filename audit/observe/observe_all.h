/* Looking at every network namespace of the host: first looks, one interval, last looks. */
#ifndef TCT_AUDIT_OBSERVE_OBSERVE_ALL_H
#define TCT_AUDIT_OBSERVE_OBSERVE_ALL_H

#include "audit/observe/namespaces.h"
#include "audit/observe/observation.h"

/* What became of the namespaces besides our own. */
struct tct_tour {
	size_t seen;
	size_t gone;    /* they, or their only process, went away before they were looked at */
	size_t refused; /* they may not be entered */
	int refusal;    /* errno of the first refused one */
	bool initial;   /* the host's first namespace is among those seen, our own included */
};

/*
 * One namespace's observation, in the order of the list; it may be taken (set to NULL), else it is
 * freed. 0 or -errno, which ends the tour. Called in whatever namespace.
 */
typedef int tct_tour_visit(void *context, const struct tct_namespace *namespace_,
			   struct tct_observation **observation, struct tct_err *err);

struct tct_tour_options {
	const struct tct_namespaces *namespaces;
	const struct tct_observe_options *own; /* how our own is looked at */
	/*
	 * How the others are; the same interval. The host's first one, if it is among them, is
	 * looked at as our own is, since what is the host's is found there.
	 */
	const struct tct_observe_options *others;
	tct_tour_visit *visit;
	void *context;
};

/*
 * Look at sockets and counters of our own namespace, into `own`, which holds the host, its keys and
 * files already (tct_observe_host); and at all of each other one. With an interval up to 1024
 * namespaces share it, so that memory stays bounded; without, they are looked at one by one. This
 * thread, the process's main one, is in its own namespace again when this returns. Errors: those of
 * tct_observe, and of visit; REFUSED/errno if there is no way back.
 */
int tct_observe_all(const struct tct_tour_options *options, struct tct_observation *own,
		    struct tct_tour *tour, struct tct_err *err);

#endif
