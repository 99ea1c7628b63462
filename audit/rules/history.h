/*
 * What earlier looks saw, as far as rules ask: counters over the last minutes, and since when the
 * condition of a rule has held. Of one who looks again and again (`watch`).
 */
#ifndef TCT_AUDIT_RULES_HISTORY_H
#define TCT_AUDIT_RULES_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/observation.h"

struct tct_history;

/* NULL on ENOMEM. Memory is bounded: 256 looks, 1,024 conditions. */
struct tct_history *tct_history_new(void);
void tct_history_free(struct tct_history *history);

/* Add an observation's counters, last looked at at now_ns (CLOCK_MONOTONIC), before it is judged.
 */
void tct_history_add(struct tct_history *history, const struct tct_observation *observation,
		     int64_t now_ns);

/*
 * Growth of the counter (its place in the table) over the last duration_ns: *growth in *over_ns,
 * which is at least duration_ns. False if the looks don't go back so far, or the counter was not
 * known or went backwards meanwhile. Of very many looks the older ones are thinned out: *over_ns
 * may then be longer by up to a tenth, beside what one look is from the next.
 */
bool tct_history_growth(const struct tct_history *history, size_t counter, int64_t duration_ns,
			int64_t *growth, int64_t *over_ns);

/*
 * Note that the condition of rule `id` on `subject` (may be "") holds at the look added last, and
 * return for how long it has held without a look in between at which it did not: 0 the first time.
 * One of too many, or on ENOMEM, is not followed: always 0.
 */
int64_t tct_history_held_ns(struct tct_history *history, const char *id, const char *subject);

#endif
