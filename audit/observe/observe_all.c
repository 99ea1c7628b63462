#include "audit/observe/observe_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/mem.h"

enum { SHARING = 1024 }; /* namespaces that share one interval: some 20 KB each */

/* One namespace between its two looks. */
struct stop {
	size_t index; /* in the list */
	struct tct_netns netns;
	struct tct_observe_options options;
	struct tct_observation *observation;
	struct tct_looks *looks;
};

struct walk {
	const struct tct_tour_options *options;
	struct tct_tour *tour;
	struct stop *stops;
	size_t stops_count;
	size_t stops_room;
};

static void done_stop(struct stop *stop)
{
	tct_looks_free(stop->looks);
	tct_observation_free(stop->observation);
	stop->looks = NULL;
	stop->observation = NULL;
}

static void done_walk(struct walk *walk)
{
	for (size_t i = 0; i < walk->stops_count; i++)
		done_stop(&walk->stops[i]);
	free(walk->stops);
}

static void note_closed(struct tct_tour *tour, int code)
{
	if (code == -ENOENT) {
		tour->gone++;
	} else if (tour->refused++ == 0) {
		tour->refusal = -code;
	}
}

/* Go there and take the first look. 0, also if it can't be entered; or -errno. */
static int begin_stop(struct walk *walk, size_t index, struct tct_err *err)
{
	const struct tct_tour_options *options = walk->options;
	struct stop *stop = &walk->stops[walk->stops_count];
	TCT_AUTOCLOSE int net_ipv4 = -1;
	int code = tct_namespaces_enter(options->namespaces, index, &stop->netns, &net_ipv4);

	if (code == -ENOMEM)
		return tct_err_nomem(err);
	if (code < 0) {
		note_closed(walk->tour, code);
		return 0;
	}
	stop->index = index;
	stop->options = stop->netns.initial ? *options->own : *options->others;
	stop->options.netns = &stop->netns;
	stop->options.net_ipv4 = &net_ipv4;
	stop->observation = NULL;
	stop->looks = NULL;
	walk->stops_count++;
	code = tct_observe_host(&stop->options, &stop->observation, err);
	if (code == 0)
		code = tct_observe_first(&stop->options, stop->observation, &stop->looks, err);
	stop->options.net_ipv4 = NULL;
	return code;
}

/* Take the last look, and hand the observation over. */
static int end_stop(struct walk *walk, struct stop *stop, bool again, bool inside,
		    struct tct_err *err)
{
	const struct tct_tour_options *options = walk->options;
	int code = 0;

	if (!inside)
		code = tct_namespaces_enter(options->namespaces, stop->index, &stop->netns, NULL);
	if (code == -ENOMEM)
		return tct_err_nomem(err);
	if (code < 0) {
		note_closed(walk->tour, code);
		done_stop(stop);
		return 0;
	}
	code = tct_observe_last(TCT_STEAL(stop->looks), again, err);
	if (code == 0) {
		walk->tour->seen++;
		walk->tour->initial |= stop->netns.initial;
		code = options->visit(options->context, &options->namespaces->items[stop->index],
				      &stop->observation, err);
	}
	done_stop(stop);
	return code;
}

static int go_home(const struct walk *walk, struct tct_err *err)
{
	int code = tct_namespaces_return(walk->options->namespaces);

	if (code < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, -code,
				   "there is no way back into our own network namespace: %s",
				   strerror(-code));
	return 0;
}

/* One by one: nothing lives longer than its visit. */
static int walk_without_interval(struct walk *walk, size_t first, struct tct_err *err)
{
	for (size_t i = first; i < walk->options->namespaces->items_count; i++) {
		int code;

		walk->stops_count = 0;
		code = begin_stop(walk, i, err);
		if (code == 0 && walk->stops_count > 0)
			code = end_stop(walk, &walk->stops[0], true, true, err);
		if (code < 0)
			return code;
	}
	return 0;
}

/* First looks at as many as there is room for, the interval, last looks; own: our own among them.
 */
static int walk_together(struct walk *walk, size_t *next, struct tct_looks *own,
			 struct tct_err *err)
{
	const struct tct_tour_options *options = walk->options;
	bool again;
	int code = 0;

	walk->stops_count = 0;
	while (code == 0 && *next < options->namespaces->items_count &&
	       walk->stops_count < walk->stops_room)
		code = begin_stop(walk, (*next)++, err);
	if (code == 0)
		code = go_home(walk, err);
	if (code < 0) {
		tct_looks_free(own);
		return code;
	}
	if (own == NULL && walk->stops_count == 0)
		return 0; /* nothing to wait for */
	again = !tct_observe_wait(options->own, tct_now_ns());
	if (own != NULL)
		code = tct_observe_last(own, again, err);
	for (size_t i = 0; i < walk->stops_count && code == 0; i++)
		code = end_stop(walk, &walk->stops[i], again, false, err);
	return code;
}

static int walk_all(struct walk *walk, struct tct_looks *own, size_t others, struct tct_err *err)
{
	const struct tct_tour_options *options = walk->options;
	size_t next = options->namespaces->items_count - others;
	int code = 0;

	if (options->own->interval_ns == 0) {
		code = tct_observe_last(own, true, err);
		return code < 0 ? code : walk_without_interval(walk, next, err);
	}
	do {
		code = walk_together(walk, &next, own, err);
		own = NULL;
	} while (code == 0 && next < options->namespaces->items_count);
	return code;
}

int tct_observe_all(const struct tct_tour_options *options, struct tct_observation *own,
		    struct tct_tour *tour, struct tct_err *err)
{
	TCT_AUTO(done_walk) struct walk walk = { .options = options, .tour = tour };
	size_t others = options->namespaces->items_count - 1;
	struct tct_looks *looks = NULL;
	int way_back = tct_namespaces_return(options->namespaces);
	int code;

	*tour = (struct tct_tour){ .initial = own->host.netns.initial };
	if (way_back < 0 && others > 0) {
		tour->refused = others;
		tour->refusal = -way_back;
		others = 0;
	}
	walk.stops_room = options->own->interval_ns == 0 ? 1
			  : others < SHARING             ? others + 1
							 : SHARING;
	walk.stops = calloc(walk.stops_room, sizeof(*walk.stops));
	if (walk.stops == NULL)
		return tct_err_nomem(err);
	code = tct_observe_first(options->own, own, &looks, err);
	if (code == 0)
		code = walk_all(&walk, looks, others, err);
	if (way_back == 0) {
		struct tct_err lost = { 0 };
		int back = go_home(&walk, &lost);

		if (code == 0 && back < 0) {
			if (err != NULL)
				*err = lost;
			code = back;
		}
	}
	return code;
}
