#include "core/counters.h"

#include <string.h>

#include "core/text.h"

const struct tct_counter *tct_counter_find(const char *name)
{
	const struct tct_counter *found = NULL;
	size_t low = 0;
	size_t high = tct_counters_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, tct_counters[middle].name);

		if (order == 0)
			return &tct_counters[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	for (size_t i = 0; i < tct_counters_count; i++) {
		if (strcmp(name, tct_counters[i].column) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = &tct_counters[i];
	}
	return found;
}

size_t tct_counter_index(const struct tct_counter *counter)
{
	return (size_t)(counter - tct_counters);
}

static const char *candidate_name(const void *context, size_t i)
{
	(void)context;
	return i < tct_counters_count ? tct_counters[i].name : NULL;
}

static const char *candidate_column(const void *context, size_t i)
{
	(void)context;
	return i < tct_counters_count ? tct_counters[i].column : NULL;
}

const char *tct_counter_nearest(const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *column = tct_text_nearest(dot != NULL ? dot + 1 : name, candidate_column, NULL);

	for (size_t i = 0; column != NULL && i < tct_counters_count; i++) {
		if (tct_counters[i].column == column)
			return tct_counters[i].name;
	}
	return tct_text_nearest(name, candidate_name, NULL);
}
