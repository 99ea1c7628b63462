/* The commands of the sweep: each a way from an old state to a new one, or back. */
#ifndef TCT_TESTS_FAULT_JOURNEYS_H
#define TCT_TESTS_FAULT_JOURNEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/fault/command.h"

/* AWAY: somewhere else, where the next command leads from the start. */
enum journey_end { JOURNEY_OLD, JOURNEY_NEW, JOURNEY_AWAY };

enum { JOURNEY_NEXT = 4 };

/* A command that comes after the fault, and what it must lead to from wherever it finds the host.
 */
struct journey_next {
	command_words words;
	enum journey_end end;
	uint64_t begun;   /* only if the journal has this transaction; 0 = always */
	uint64_t unbegun; /* only if it hasn't; 0 = always */
};

struct journey {
	const char *name;        /* the test is fault.NAME; NULL ends the table */
	unsigned undone;         /* so many applies that were undone again come before everything */
	command_words before[3]; /* what makes the old state */
	command_words broken; /* killed among its live writes, before `words` begins; the new state
				 is where it would have led. Empty: `words` leads there */
	command_words words;  /* the command that is broken at every call */
	enum journey_end end; /* where it leads */
	unsigned sleep_s;     /* after `before`, the state kept: a time in it that must be over */
	bool unloaded;        /* a stage whose kernel hasn't loaded nf_conntrack */
	bool plain;           /* the old drop-in keeps the owner and mode that tcptune gave it */
	struct journey_next next[JOURNEY_NEXT]; /* the first is always possible */
};

extern const struct journey journeys[];

/* By its name, NULL = there is none. */
const struct journey *journey_find(const char *name);

#endif
