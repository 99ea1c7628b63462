#include "audit/observe/shared_gaps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { SHARED_GAPS_MAX = 64 }; /* different ones; hardly more than a handful */

static int add(struct tct_shared_gaps *gaps, const char *name, const struct tct_gap *gap)
{
	struct tct_shared_gap *shared = NULL;

	for (size_t i = 0; i < gaps->items_count && shared == NULL; i++) {
		if (strcmp(gaps->items[i].gap.what, gap->what) == 0 &&
		    strcmp(gaps->items[i].gap.why, gap->why) == 0)
			shared = &gaps->items[i];
	}
	if (shared == NULL && gaps->items_count >= SHARED_GAPS_MAX)
		shared = &gaps->items[SHARED_GAPS_MAX - 1];
	if (shared == NULL) {
		shared = TCT_APPEND(gaps, items);
		if (shared == NULL)
			return -ENOMEM;
		shared->gap = *gap;
		(void)snprintf(shared->first, sizeof(shared->first), "%s", name);
	}
	shared->namespaces++;
	return 0;
}

int tct_shared_gaps_add(struct tct_shared_gaps *gaps, const char *name,
			const struct tct_observation *observation)
{
	int result = 0;

	for (size_t i = 0; i < observation->gaps_count && result == 0; i++)
		result = add(gaps, name, &observation->gaps[i]);
	return result;
}

int tct_shared_gaps_tell(const struct tct_shared_gaps *gaps, struct tct_observation *own)
{
	for (size_t i = 0; i < gaps->items_count; i++) {
		const struct tct_shared_gap *shared = &gaps->items[i];
		char what[sizeof(shared->gap.what) + sizeof(shared->first) + 32];
		int length;

		if (shared->namespaces == 1)
			length = snprintf(what, sizeof(what), "network namespace %s: %s",
					  shared->first, shared->gap.what);
		else
			length = snprintf(what, sizeof(what), "%zu network namespaces: %s",
					  shared->namespaces, shared->gap.what);
		if (length < 0 || tct_observation_gap(own, what, "%s", shared->gap.why) < 0)
			return -ENOMEM;
	}
	return 0;
}

void tct_shared_gaps_done(struct tct_shared_gaps *gaps)
{
	free(gaps->items);
	*gaps = (struct tct_shared_gaps){ .items = NULL };
}
