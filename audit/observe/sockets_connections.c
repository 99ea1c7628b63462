/* Beyond the states: what connections are like, who holds them, which ports they use. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/owners.h"
#include "audit/observe/proc_net_tcp.h"
#include "audit/observe/sockets_private.h"
#include "core/mem.h"

enum {
	/* In samples: so many outgoing sockets are counted one by one, and of more so many are
	 * wanted in the windows. */
	WHOLE_OUTGOING = 12,
	WINDOWS_SOCKETS = 1,
	/* LISTEN, requests and bound sockets use no port that connect() wants */
	CONNECTIONS = TCT_STATES_ALL & ~TCT_STATES_LISTEN & ~(1 << TCT_STATE_SYN_RECV),
};

/* ---- which ports are outgoing, and how they are looked at ---- */

/* Learn the ports, from the keys and the listeners that are there now. 0 or -ENOMEM. */
static int learn_ports(struct tct_look *look)
{
	struct tct_sockets *sockets = look->sockets;
	size_t count = look->listening.items_count;
	TCT_AUTOFREE uint16_t *listening = calloc(count + 1, sizeof(*listening));

	if (sockets->ports == NULL)
		sockets->ports = malloc(sizeof(*sockets->ports));
	if (listening == NULL || sockets->ports == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		listening[i] = look->listening.items[i].socket.local_port;
	tct_local_ports_init(sockets->ports, look->observation, listening, count);
	return 0;
}

__attribute__((format(printf, 2, 3))) static void not_walked(struct tct_outgoing_plan *plan,
							     const char *format, ...)
{
	va_list arguments;

	plan->walk = false;
	va_start(arguments, format);
	(void)vsnprintf(plan->why_not, sizeof(plan->why_not), format, arguments);
	va_end(arguments);
}

static int64_t sample_of(const struct tct_look *look)
{
	int64_t wanted = look->sockets->options->sample_sockets;

	return wanted > 0 ? wanted : TCT_SAMPLE_SOCKETS;
}

/* Is it possible at all that ports run short, and how are they counted? */
static void decide(const struct tct_look *look, const struct tct_local_ports *ports,
		   struct tct_outgoing_plan *plan)
{
	const struct tct_kernel_counts *kernel = &look->kernel;
	int64_t listeners = (int64_t)look->listening.items_count;
	int64_t sockets = INT64_MAX;
	int64_t most;

	if (look->kernel_known) {
		sockets = kernel->inuse + kernel->time_wait - listeners;
		sockets = sockets > 0 ? sockets : 0;
	}
	most = sockets;
	if (look->kernel_known && kernel->active_opens < most)
		most = kernel->active_opens;
	*plan = (struct tct_outgoing_plan){ .walk = true, .whole = true };
	if (!ports->known || ports->outgoing_ports == 0)
		not_walked(plan, "net.ipv4.ip_local_port_range is not known");
	else if (most == 0)
		not_walked(plan, "no connection was opened from here");
	else if (sockets > sample_of(look) && most < ports->usable / 2)
		not_walked(plan, "at most %" PRId64 " ports can be in use, %" PRId64 " are there",
			   most, ports->usable);
	if (!plan->walk || most < 1)
		return;
	plan->whole = !look->kernel_known || most <= sample_of(look) * WHOLE_OUTGOING;
	if (plan->whole)
		tct_local_ports_ranges(ports, true, &plan->ranges);
	else
		tct_local_ports_windows(ports,
					INT64_C(1000000) * sample_of(look) * WINDOWS_SOCKETS / most,
					&plan->ranges);
}

/* Both looks see the same ports, if there was anything to see at the first. 0 or -ENOMEM. */
static int make_plan(struct tct_look *look)
{
	struct tct_sockets *sockets = look->sockets;
	int result = learn_ports(look);

	if (result < 0 || (sockets->plan != NULL && sockets->plan->walk))
		return result;
	if (sockets->plan == NULL)
		sockets->plan = malloc(sizeof(*sockets->plan));
	if (sockets->plan == NULL)
		return -ENOMEM;
	if ((sockets->options->looks & TCT_LOOK_DESTINATIONS) == 0) {
		*sockets->plan = (struct tct_outgoing_plan){ .walk = false };
		not_walked(sockets->plan, "no rule asks for it");
	} else {
		decide(look, sockets->ports, sockets->plan);
	}
	return 0;
}

/* ---- destinations ---- */

static void restart_destinations(void *context)
{
	tct_destinations_clear(context);
}

static int visit_destinations(void *context, const struct tct_tcp_socket *socket)
{
	tct_destinations_add(context, socket);
	return 0;
}

/* Count the outgoing sockets of the plan. 0 or -errno. */
static int walk_destinations(const struct tct_look *look, struct tct_destinations *destinations)
{
	const struct tct_outgoing_plan *plan = look->sockets->plan;
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };
	const struct tct_diag_query query = { .states = CONNECTIONS, .filter = &filter };
	const struct tct_tcp_visitor visitor = { restart_destinations, visit_destinations,
						 destinations };
	struct tct_diag diag = look->sockets->diag; /* refusing the filter isn't refusing all */
	uint64_t malformed;
	int result;

	if (look->from_proc)
		return tct_proc_net_tcp_read(look->sockets->options->root, &visitor, &malformed);
	result = tct_diag_filter_local_ports(&filter, plan->ranges.items, plan->ranges.count);
	return result < 0 ? result : tct_diag_dump(&diag, &query, &visitor);
}

/* What was counted, or why not. counted: 0 or the -errno of the walk. 0 or -ENOMEM. */
static int hand_over_destinations(const struct tct_look *look, int counted)
{
	const struct tct_sockets *sockets = look->sockets;
	struct tct_outgoing *outgoing = &look->observation->outgoing;

	outgoing->ports_usable = sockets->ports->usable;
	if (sockets->plan->walk && counted == 0)
		return tct_destinations_hand_over(
			&look->destinations,
			sockets->destinations_known ? &sockets->destinations : NULL,
			&sockets->plan->ranges, sockets->ports->outgoing_ports, outgoing);
	if (counted == -ENOMEM)
		return counted;
	if (counted == 0) {
		memcpy(outgoing->why_not, sockets->plan->why_not, sizeof(outgoing->why_not));
		return 0;
	}
	outgoing->presence = TCT_UNREADABLE;
	return tct_observation_gap(look->observation, "ephemeral ports in use", "inet_diag: %s",
				   strerror(-counted));
}

/* ---- the first look ---- */

/* Whose sockets are in CLOSE_WAIT. 0 or -ENOMEM. */
static int remember_closing(struct tct_look *look)
{
	struct tct_sockets *sockets = look->sockets;
	struct tct_diag diag = sockets->diag;
	int result = learn_ports(look);

	if (result == 0)
		result = tct_closing_look(&sockets->closing, &diag, sockets->ports,
					  &look->listening, look->cgroups[TCT_INCOMING]);
	return result;
}

int tct_look_remember_connections(struct tct_look *look)
{
	struct tct_sockets *sockets = look->sockets;
	unsigned looks = sockets->options->looks;
	int result = 0;

	if (look->from_proc)
		return 0;
	if ((looks & TCT_LOOK_UNACCEPTED) != 0) {
		struct tct_diag diag = sockets->diag;

		result = tct_unaccepted_look(&sockets->unaccepted, &diag, &look->listening);
	}
	if (result == 0 && (looks & TCT_LOOK_CLOSE_WAIT_FIRST) != 0)
		result = remember_closing(look);
	if (result < 0 || (looks & TCT_LOOK_DESTINATIONS) == 0)
		return result;
	look->kernel_known = tct_kernel_counts_read(sockets->options->root, &look->kernel) == 0;
	result = make_plan(look);
	if (result < 0 || !sockets->plan->walk)
		return result;
	result = tct_destinations_init(&sockets->destinations, sockets->ports,
				       tct_port_reuse_of(look->observation));
	if (result == 0)
		result = walk_destinations(look, &sockets->destinations);
	sockets->destinations_known = result == 0;
	return result == -ENOMEM ? result : 0; /* the second look says what is wrong */
}

/* ---- the look that counts ---- */

static bool looks_inside(const struct tct_look *look)
{
	return (look->sockets->options->looks & (TCT_LOOK_POPULATIONS | TCT_LOOK_OWNERS)) != 0 &&
	       !look->from_proc;
}

static void *walk_outgoing(void *context)
{
	struct tct_look *look = context;
	struct tct_outgoing_walk *walk = &look->outgoing;

	walk->result = tct_connections_look_outgoing(
		&look->connections, &walk->diag, &look->sockets->plan->ranges, &look->destinations);
	return NULL;
}

static bool wants_peers(const struct tct_look *look)
{
	const unsigned wanted = TCT_LOOK_POPULATIONS | TCT_LOOK_PEERS;

	return (look->sockets->options->looks & wanted) == wanted && !look->from_proc;
}

/* Make ready for connections and destinations, once. 0 or -ENOMEM. */
static int get_ready(struct tct_look *look)
{
	int result;

	if (look->destinations.ports != NULL) /* perhaps a thread is at work with it */
		return 0;
	result = make_plan(look);
	if (result < 0)
		return result;
	tct_connections_init(&look->connections, &look->listening, look->sockets->ports,
			     look->cgroups, sample_of(look),
			     (look->sockets->options->looks & TCT_LOOK_POPULATIONS) != 0);
	if (wants_peers(look)) {
		result = tct_peers_init(&look->peers, sample_of(look));
		look->connections.peers = &look->peers;
	}
	if (result < 0)
		return result;
	return tct_destinations_init(&look->destinations, look->sockets->ports,
				     tct_port_reuse_of(look->observation));
}

int tct_look_begin_connections(struct tct_look *look)
{
	struct tct_outgoing_walk *walk = &look->outgoing;
	const struct tct_outgoing_plan *plan;
	int result = get_ready(look);

	if (result < 0)
		return result;
	plan = look->sockets->plan;
	if (!looks_inside(look) || !plan->walk || look->kernel.curr_estab <= sample_of(look))
		return 0;
	walk->diag = look->sockets->diag;
	walk->walked = true;
	walk->running = pthread_create(&walk->thread, NULL, walk_outgoing, look) == 0;
	if (!walk->running)
		(void)walk_outgoing(look);
	return 0;
}

void tct_look_join(struct tct_look *look)
{
	if (look->outgoing.running)
		(void)pthread_join(look->outgoing.thread, NULL);
	look->outgoing.running = false;
}

/* Look at the ESTABLISHED ones, or note why not. 0 or -ENOMEM; *seen tells whether it worked. */
static int look_inside(struct tct_look *look, bool *seen)
{
	struct tct_diag diag = look->sockets->diag; /* refusing the filter isn't refusing all */
	int64_t active_opens = look->kernel_known ? look->kernel.active_opens : INT64_MAX;
	int result =
		tct_connections_look(&look->connections, &diag, look->states.counts, active_opens);

	*seen = result == 0;
	if (result == 0 && look->connections.unseen > 0)
		return tct_observation_gap(look->observation, "outgoing connections",
					   "at most %" PRId64
					   " among so many others were not looked at: no owners, "
					   "no idle times of them",
					   look->connections.unseen);
	if (result == 0 || result == -ENOMEM)
		return result;
	return tct_observation_gap(look->observation, "idle times of connections", "inet_diag: %s",
				   strerror(-result));
}

/* Destinations, unless they were counted along. 0 or -errno of the walk. */
static int count_destinations(struct tct_look *look)
{
	if (!look->sockets->plan->walk)
		return 0;
	if (look->outgoing.walked && look->outgoing.result == 0)
		return 0;
	return walk_destinations(look, &look->destinations);
}

static int count_unaccepted(struct tct_look *look)
{
	const struct tct_sockets *sockets = look->sockets;
	struct tct_diag diag = sockets->diag;

	/* without a first look there is nothing to compare with */
	if ((sockets->options->looks & TCT_LOOK_UNACCEPTED) == 0 || !sockets->unaccepted.known)
		return 0;
	return tct_unaccepted_count(&sockets->unaccepted, &diag, &look->listening);
}

/* Name and hand over all that has an owner. 0 or -ENOMEM. */
static int hand_over_owners(struct tct_look *look, bool seen)
{
	int result = 0;

	look->observation->sample = look->connections.sample;
	if (seen)
		result = tct_owner_groups_add_rare(look->connections.groups, &look->rare.groups);
	if (result == 0 && seen)
		tct_closing_recall(&look->sockets->closing, &look->listening,
				   look->connections.groups);
	if (result == 0 && look->cgroups[TCT_INCOMING] != NULL)
		result = tct_owners_find(look->sockets->options->root, look->cgroups[TCT_INCOMING],
					 look->connections.groups, look->observation);
	if (result == 0 && seen)
		result = tct_connections_hand_over(&look->connections, look->observation);
	if (result == 0 && seen && wants_peers(look))
		result = tct_peers_hand_over(&look->peers, &look->connections.sample,
					     look->observation);
	if (result == 0)
		tct_owners_find_limits(look->sockets->options->root, look->observation);
	return result;
}

/* No socket at all: what could be counted is nothing. 0 or -ENOMEM. */
static int hand_over_nothing(struct tct_look *look)
{
	struct tct_observation *observation = look->observation;

	observation->sample = (struct tct_sample){ .whole = true };
	for (size_t kind = 0; kind < TCT_POPULATION_LIMIT; kind++) {
		observation->populations[kind].presence = TCT_PRESENT;
		observation->populations[kind].sample.whole = true;
	}
	if (wants_peers(look))
		observation->peers_presence = TCT_PRESENT;
	(void)snprintf(observation->outgoing.why_not, sizeof(observation->outgoing.why_not), "%s",
		       "there is no socket");
	return tct_look_hand_over_listeners(look, true);
}

int tct_look_at_connections(struct tct_look *look)
{
	bool ports_known;
	bool seen = false;
	int counted;
	int result;

	if (look->outgoing.running) { /* the rest of the sample meanwhile */
		struct tct_diag diag = look->sockets->diag;

		(void)tct_connections_look_incoming(&look->connections, &diag);
	}
	tct_look_join(look);
	if (look->skipped && look->listening.items_count == 0)
		return hand_over_nothing(look);
	result = get_ready(look);
	if (result < 0)
		return result;
	ports_known = tct_look_find_automatic_ports(look);
	if (looks_inside(look))
		result = look_inside(look, &seen);
	counted = count_destinations(look);
	if (result == 0)
		result = count_unaccepted(look);
	if (result == 0)
		result = tct_look_hand_over_listeners(look, ports_known);
	if (result == 0)
		result = hand_over_destinations(look, counted);
	if (result == 0)
		result = hand_over_owners(look, seen);
	if (result == 0 && !look->from_proc && !ports_known)
		result = tct_observation_gap(look->observation,
					     "listeners whose port the kernel chose",
					     "inet_diag refuses the question");
	return result;
}
