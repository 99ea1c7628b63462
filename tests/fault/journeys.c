#include "tests/fault/journeys.h"

#include <string.h>

#define APPLY_FIRST                                                                                \
	{                                                                                          \
		"apply", "--profile", STAGE_FIRST, "--persist"                                     \
	}
#define APPLY_SECOND                                                                               \
	{                                                                                          \
		"apply", "--profile", STAGE_SECOND, "--persist"                                    \
	}
#define ROLLBACK(...)                                                                              \
	{                                                                                          \
		"rollback", __VA_ARGS__                                                            \
	}

/* Transactions are counted from 1: the before-commands', the broken one's, then that of `words`. */
const struct journey journeys[] = {
	{
		.name = "apply",
		.words = APPLY_FIRST,
		.end = JOURNEY_NEW,
		.next = { { APPLY_FIRST, JOURNEY_NEW, 0, 0 },
			  { { "rollback" }, JOURNEY_OLD, 0, 0 } },
	},
	{
		.name = "apply-over",
		.before = { APPLY_FIRST },
		.words = APPLY_SECOND,
		.end = JOURNEY_NEW,
		.next = { { APPLY_SECOND, JOURNEY_NEW, 0, 0 },
			  { ROLLBACK("2"), JOURNEY_OLD, 2, 0 } },
	},
	{
		.name = "rollback",
		.before = { APPLY_FIRST, APPLY_SECOND },
		.words = ROLLBACK("2"),
		.end = JOURNEY_NEW,
		.next = { { ROLLBACK("2"), JOURNEY_NEW, 0, 0 },
			  { APPLY_SECOND, JOURNEY_OLD, 0, 0 } },
	},
	{
		/* The drop-in goes away. */
		.name = "rollback-all",
		.before = { APPLY_FIRST },
		.words = { "rollback" },
		.end = JOURNEY_NEW,
		.plain = true,
		.next = { { { "rollback" }, JOURNEY_NEW, 0, 0 },
			  { APPLY_FIRST, JOURNEY_OLD, 0, 0 } },
	},
	{
		.name = "recover-by-apply",
		.before = { APPLY_FIRST },
		.broken = APPLY_SECOND,
		.words = APPLY_SECOND,
		.end = JOURNEY_NEW,
		.next = { { APPLY_SECOND, JOURNEY_NEW, 0, 0 },
			  { ROLLBACK("3"), JOURNEY_OLD, 3, 0 },
			  { ROLLBACK("2"), JOURNEY_OLD, 0, 3 } },
	},
	{
		.name = "recover-by-rollback",
		.before = { APPLY_FIRST },
		.broken = APPLY_SECOND,
		.words = { "rollback" },
		.end = JOURNEY_OLD,
		.next = { { ROLLBACK("2"), JOURNEY_OLD, 0, 0 },
			  { APPLY_SECOND, JOURNEY_NEW, 0, 0 } },
	},
	{
		.name = "recover-rollback",
		.before = { APPLY_FIRST, APPLY_SECOND },
		.broken = ROLLBACK("2"),
		.words = ROLLBACK("2"),
		.end = JOURNEY_NEW,
		.next = { { ROLLBACK("2"), JOURNEY_NEW, 0, 0 },
			  { APPLY_SECOND, JOURNEY_OLD, 0, 0 } },
	},
	{ .name = NULL },
};

const struct journey *journey_find(const char *name)
{
	for (const struct journey *journey = journeys; journey->name != NULL; journey++) {
		if (strcmp(journey->name, name) == 0)
			return journey;
	}
	return NULL;
}
