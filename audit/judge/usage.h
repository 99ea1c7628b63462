/* How much of the host's limits is in use: numbers of the observation put side by side. */
#ifndef TCT_AUDIT_JUDGE_USAGE_H
#define TCT_AUDIT_JUDGE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/judge/report.h"
#include "audit/observe/observation.h"

/* Every number: -1 = not known. Limits and memory are the host's, shared by its namespaces. */
struct tct_usage {
	/* TCP's memory, against tcp_mem; the limits are seen in the initial namespace only. */
	int64_t memory_min_bytes;
	int64_t memory_pressure_bytes;
	int64_t memory_max_bytes;
	int64_t memory_used_bytes;
	int64_t orphans;
	int64_t orphans_max;
	int64_t allocated; /* TCP sockets */
	/* Connection tracking of this namespace; the count's limit is the host's. */
	int64_t conntrack_count;
	int64_t conntrack_max; /* 0 = no limit */
	int64_t conntrack_buckets;
};

/* Pages count with the report's page_size: the host's, or --var's. */
void tct_usage_of(const struct tct_report *report, struct tct_usage *usage);

/* A counter's last value, or its growth during the interval; -1 = not known. */
int64_t tct_usage_counter(const struct tct_observation *observation, const char *name);
int64_t tct_usage_growth(const struct tct_observation *observation, const char *name);

/*
 * How fast a destination takes up ports: per second, in millionths (may be negative); false = not
 * known. left_ns, if they get fewer: until none is left for it, -1 = they don't.
 */
bool tct_usage_ports_growth(const struct tct_observation *observation,
			    const struct tct_destination *destination, int64_t *growth_ppm,
			    int64_t *left_ns);

/* Was a number of owners, listeners and populations scaled up from a part of the connections? */
bool tct_sample_is_part(const struct tct_sample *sample);

/* Listeners bound to nothing but a private address (RFC 1918, RFC 4193): behind a NAT, maybe. */
int64_t tct_private_listeners(const struct tct_observation *observation);

#endif
