/* The kernel's counters: proc/net/snmp, netstat, sockstat, sockstat6, stat/nf_conntrack, by name
 * and not by position; softnet_stat, which has no names. */
#ifndef TCT_AUDIT_OBSERVE_COUNTERS_READ_H
#define TCT_AUDIT_OBSERVE_COUNTERS_READ_H

#include <stdint.h>

#include "audit/observe/observation.h"
#include "core/counters.h"
#include "core/root.h"

struct tct_counter_value {
	enum tct_presence presence;
	int64_t value;
};

/*
 * Read counters of the table into values[tct_counters_count]: those in files that have one of the
 * groups (mask 1 << enum tct_counter_group, 0 = all); the others are NOT_LOOKED. ABSENT: the file
 * or the column isn't there; UNPARSED: no number, or beyond 63 bits. gaps: where to note unreadable
 * files, may be NULL. A root without proc/net leaves all NOT_LOOKED. 0 or -ENOMEM.
 */
int tct_counters_read(const struct tct_root *root, unsigned groups,
		      struct tct_counter_value *values, struct tct_observation *gaps);

/*
 * Take the counters of the group from text: pairs of lines (snmp, netstat: names, then values) or
 * lines of names and values in turn (sockstat), or a line for each CPU, which are added up
 * (nf_conntrack, softnet_stat). Counters not found are left alone. text is changed.
 */
void tct_counters_parse(enum tct_counter_group group, char *text, struct tct_counter_value *values);

/* Put two looks together: a counter missing in one of them is missing. last may be the same array.
 */
void tct_counters_combine(const struct tct_counter_value *first,
			  const struct tct_counter_value *last,
			  struct tct_counter_reading *readings);

#endif
