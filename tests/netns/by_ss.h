/* Sockets by name and state as ss tells them, for the tests of tables. */
#ifndef TCT_TESTS_NETNS_BY_SS_H
#define TCT_TESTS_NETNS_BY_SS_H

#include <stddef.h>
#include <stdint.h>

#include "audit/observe/observation.h"

enum { BY_SS_GROUPS_MAX = 64 };

/* Counts of one name: of a port, a peer, a process. */
struct by_ss_group {
	char name[96];
	int64_t states[TCT_STATE_LIMIT];
};

struct by_ss_groups {
	struct by_ss_group items[BY_SS_GROUPS_MAX];
	size_t count;
};

/* One line of ss. */
struct by_ss_line {
	unsigned state;
	char address[64]; /* the peer's; mapped ones as IPv4; "" = none */
	unsigned port;
	unsigned peer_port; /* 0 = none */
	unsigned inode;     /* 0 = none */
};

/* Count a line under the names that it belongs to; side is " on", " to" or "". */
typedef void by_ss_name(struct by_ss_groups *groups, const struct by_ss_line *line,
			const char *side);

/* CLOSE is left out: not every ss shows sockets that are bound and do nothing. */
void by_ss_count(struct by_ss_groups *groups, const char *name, unsigned state, int64_t count);

/* The same names with the same counts. */
void by_ss_check(const struct by_ss_groups *got, const struct by_ss_groups *wanted);

/* Name every line of ss with the filter; port 0 = no sides. */
void by_ss_run(const char *filter, unsigned port, by_ss_name *name, struct by_ss_groups *groups);

#endif
