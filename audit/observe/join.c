#include "audit/observe/join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static uint64_t listener_id(const struct tct_listener *listener)
{
	return listener->cookie != 0 ? listener->cookie : listener->inode;
}

struct known_listener {
	const struct tct_listener *listener;
};

static int by_id(const void *left, const void *right)
{
	const struct tct_listener *a = ((const struct known_listener *)left)->listener;
	const struct tct_listener *b = ((const struct known_listener *)right)->listener;

	return (listener_id(a) > listener_id(b)) - (listener_id(a) < listener_id(b));
}

static int join_listeners(struct tct_observation *observation, const struct tct_observation *before)
{
	size_t count = before->listeners_count;
	TCT_AUTOFREE struct known_listener *order = calloc(count + 1, sizeof(*order));

	if (order == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		order[i].listener = &before->listeners[i];
	qsort(order, count, sizeof(*order), by_id);
	for (size_t i = 0; i < observation->listeners_count; i++) {
		struct tct_listener *listener = &observation->listeners[i];
		const struct known_listener key = { listener };
		const struct known_listener *found =
			bsearch(&key, order, count, sizeof(*order), by_id);

		if (found == NULL || listener_id(listener) == 0)
			continue;
		listener->queue_first = found->listener->queue;
		if (found->listener->drops >= 0 && found->listener->drops <= listener->drops)
			listener->drops_first = found->listener->drops;
	}
	return 0;
}

struct known_destination {
	const struct tct_destination *destination;
};

static int by_ends(const void *left, const void *right)
{
	const struct tct_destination *a = ((const struct known_destination *)left)->destination;
	const struct tct_destination *b = ((const struct known_destination *)right)->destination;
	int order = strcmp(a->address, b->address);

	if (order == 0)
		order = (a->port > b->port) - (a->port < b->port);
	return order != 0 ? order : strcmp(a->source, b->source);
}

static int join_destinations(struct tct_outgoing *outgoing, const struct tct_outgoing *before)
{
	size_t count = before->destinations_count;
	TCT_AUTOFREE struct known_destination *order = calloc(count + 1, sizeof(*order));

	if (order == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		order[i].destination = &before->destinations[i];
	qsort(order, count, sizeof(*order), by_ends);
	for (size_t i = 0; i < outgoing->destinations_count; i++) {
		const struct known_destination key = { &outgoing->destinations[i] };
		const struct known_destination *found =
			bsearch(&key, order, count, sizeof(*order), by_ends);

		if (found != NULL && outgoing->destinations[i].used_first >= 0)
			outgoing->destinations[i].used_first = found->destination->used;
	}
	return 0;
}

/* One unit, or one process. */
static bool is_same_owner(const struct tct_owner *a, const struct tct_owner *b)
{
	if (a->unit[0] != '\0' || b->unit[0] != '\0')
		return strcmp(a->unit, b->unit) == 0;
	return a->pid != 0 && a->pid == b->pid;
}

/* There are at most a few dozen. */
static void join_owners(struct tct_observation *observation, const struct tct_observation *before)
{
	for (size_t i = 0; i < observation->owners_count; i++) {
		struct tct_owner_group *group = &observation->owners[i];

		for (size_t j = 0; j < before->owners_count && group->close_wait_first >= 0; j++) {
			const struct tct_owner_group *old = &before->owners[j];

			if (!is_same_owner(&group->owner, &old->owner))
				continue;
			group->close_wait_first = old->populations[TCT_POPULATION_CLOSE_WAIT].total;
			break;
		}
	}
}

/* One counter of an interface: one that shrank was reset in between. */
static void join_counter(int64_t *first, int64_t before_last)
{
	if (*first >= 0 && before_last >= 0 && before_last <= *first)
		*first = before_last;
}

static void join_interfaces(struct tct_observation *observation,
			    const struct tct_observation *before)
{
	for (size_t i = 0; i < observation->interfaces_count; i++) {
		struct tct_interface *interface = &observation->interfaces[i];
		const struct tct_interface *old = NULL;

		for (size_t j = 0; j < before->interfaces_count && old == NULL; j++) {
			if (strcmp(before->interfaces[j].name, interface->name) == 0)
				old = &before->interfaces[j];
		}
		if (old == NULL)
			continue;
		join_counter(&interface->rx_packets_first, old->rx_packets);
		join_counter(&interface->rx_errors_first, old->rx_errors);
		join_counter(&interface->rx_dropped_first, old->rx_dropped);
		join_counter(&interface->tx_errors_first, old->tx_errors);
		join_counter(&interface->tx_dropped_first, old->tx_dropped);
	}
}

static void join_counters(struct tct_counter_reading *readings,
			  const struct tct_counter_reading *before)
{
	for (size_t i = 0; i < tct_counters_count; i++) {
		if (readings[i].presence != TCT_PRESENT || before[i].presence != TCT_PRESENT)
			continue;
		/* a count that shrank was reset in between: the first look came after that */
		if (tct_counters[i].gauge || before[i].last <= readings[i].first)
			readings[i].first = before[i].last;
	}
}

int tct_observation_join(struct tct_observation *observation, const struct tct_observation *before,
			 int64_t gap_ns)
{
	if (observation->interval_ns <= 0 || before->interval_ns <= 0 || gap_ns < 0)
		return 0;

	int result = join_listeners(observation, before);

	if (result == 0)
		result = join_destinations(&observation->outgoing, &before->outgoing);
	if (result < 0)
		return result;
	join_owners(observation, before);
	join_interfaces(observation, before);
	join_counters(observation->counters, before->counters);
	observation->interval_ns += gap_ns;
	return 0;
}
