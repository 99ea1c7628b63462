/* The table of kernel counters: names as the kernel prints them, and what they mean. */
#ifndef TCT_CORE_COUNTERS_H
#define TCT_CORE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>

/* Which file and line prefix. */
enum tct_counter_group {
	TCT_GROUP_TCP,       /* /proc/net/snmp "Tcp:" */
	TCT_GROUP_TCPEXT,    /* /proc/net/netstat "TcpExt:" */
	TCT_GROUP_IPEXT,     /* /proc/net/netstat "IpExt:" */
	TCT_GROUP_SOCKSTAT,  /* /proc/net/sockstat "TCP:", "sockets:" */
	TCT_GROUP_SOCKSTAT6, /* /proc/net/sockstat6 "TCP6:" */
	TCT_GROUP_CONNTRACK, /* /proc/net/stat/nf_conntrack: a line of names, a line for each CPU */
	TCT_GROUP_SOFTNET,   /* /proc/net/softnet_stat: a line for each CPU, no names */
};

struct tct_counter {
	const char *name; /* full: "TcpExt.ListenOverflows", "Tcp.RetransSegs", "sockstat.TCP.mem"
			   */
	enum tct_counter_group group;
	const char *line;    /* line prefix in the file: "TcpExt", "TCP"; "conntrack", "softnet" */
	const char *column;  /* name in the file: "ListenOverflows"; ours for softnet */
	bool gauge;          /* a level, not a count: no rate */
	bool host_wide;      /* one number for all namespaces (sockstat orphan, alloc, mem; softnet)
			      */
	bool optional;       /* kernels differ: newer or older than others that are supported */
	const char *unit;    /* "" = events, "segments", "pages", "sockets", "connections", "ms" */
	const char *summary; /* one line: what it counts, and its trap */
	const char *source;  /* where the kernel counts it */
};

/* Sorted by name (byte order). */
extern const struct tct_counter tct_counters[];
extern const size_t tct_counters_count;

/* Find "TcpExt.ListenOverflows" or the bare "ListenOverflows". NULL if unknown or, bare, ambiguous.
 */
const struct tct_counter *tct_counter_find(const char *name);
/* Position in tct_counters. */
size_t tct_counter_index(const struct tct_counter *counter);
/* Nearest full name for a misspelling, or NULL. */
const char *tct_counter_nearest(const char *name);

#endif
