#include "tests/fault/journeys.h"

#include <string.h>

#include "tune/journal_prune.h"

#define APPLY_FIRST                                                                                \
	{                                                                                          \
		"apply", "--profile", STAGE_FIRST, "--persist"                                     \
	}
#define APPLY_SECOND                                                                               \
	{                                                                                          \
		"apply", "--profile", STAGE_SECOND, "--persist"                                    \
	}
#define APPLY_WITHIN(seconds)                                                                      \
	{                                                                                          \
		"apply", "--profile", STAGE_SECOND, "--persist", "--confirm-within", seconds       \
	}
/* Over a profile: its other keys stay. One that it has, one that it hasn't. */
#define APPLY_SET                                                                                  \
	{                                                                                          \
		"apply", "--set", "net.core.somaxconn=32768", "--set", "net.ipv4.tcp_tw_reuse=1",  \
			"--persist"                                                                \
	}
#define APPLY_ONE(limit)                                                                           \
	{                                                                                          \
		"apply", "--set", "net.core.somaxconn=" limit, "--persist"                         \
	}
/* Two files: a line for a key whose module isn't loaded yet, and the list that loads it. */
#define APPLY_MODULES                                                                              \
	{                                                                                          \
		"apply", "--set", "net.netfilter.nf_conntrack_tcp_timeout_close_wait=30", "--set", \
			"net.core.somaxconn=16384", "--persist", "--modules-load"                  \
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
		.name = "apply-set",
		.before = { APPLY_FIRST },
		.words = APPLY_SET,
		.end = JOURNEY_NEW,
		.next = { { APPLY_SET, JOURNEY_NEW, 0, 0 }, { ROLLBACK("2"), JOURNEY_OLD, 2, 0 } },
	},
	{
		.name = "apply-modules",
		.unloaded = true,
		.words = APPLY_MODULES,
		.end = JOURNEY_NEW,
		.next = { { APPLY_MODULES, JOURNEY_NEW, 0, 0 },
			  { { "rollback" }, JOURNEY_OLD, 0, 0 } },
	},
	{
		/* Both files go away. */
		.name = "rollback-modules",
		.unloaded = true,
		.before = { APPLY_MODULES },
		.words = { "rollback" },
		.end = JOURNEY_NEW,
		.plain = true,
		.next = { { { "rollback" }, JOURNEY_NEW, 0, 0 },
			  { APPLY_MODULES, JOURNEY_OLD, 0, 0 } },
	},
	{
		/* The journal is as long as it gets: after this one it is made shorter. */
		.name = "apply-prune",
		.undone = TCT_JOURNAL_MOST / 2,
		.words = APPLY_ONE("16384"),
		.end = JOURNEY_NEW,
		.next = { { APPLY_ONE("16384"), JOURNEY_NEW, 0, 0 },
			  { { "rollback" }, JOURNEY_OLD, 0, 0 } },
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
	{
		.name = "apply-waiting",
		.before = { APPLY_FIRST },
		.words = APPLY_WITHIN("7200"),
		.end = JOURNEY_NEW,
		.next = { { APPLY_WITHIN("7200"), JOURNEY_NEW, 0, 2 },
			  { ROLLBACK("2"), JOURNEY_OLD, 2, 0 } },
	},
	{
		.name = "confirm",
		.before = { APPLY_FIRST, APPLY_WITHIN("7200") },
		.words = { "confirm" },
		.end = JOURNEY_NEW,
		.next = { { { "confirm", "2" }, JOURNEY_NEW, 0, 0 },
			  { ROLLBACK("2"), JOURNEY_AWAY, 0, 0 } },
	},
	{
		/* What the guard runs when the time is over. */
		.name = "deadline",
		.before = { APPLY_FIRST, APPLY_WITHIN("4") },
		.sleep_s = 5,
		.words = { "confirm", "--expire", "2" },
		.end = JOURNEY_NEW,
		.next = { { { "confirm", "--expire", "2" }, JOURNEY_NEW, 0, 0 },
			  { ROLLBACK("2"), JOURNEY_NEW, 0, 0 } },
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
