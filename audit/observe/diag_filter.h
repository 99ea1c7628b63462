/* Filters that inet_diag runs in the kernel, for each socket before it is told: little programs. */
#ifndef TCT_AUDIT_OBSERVE_DIAG_FILTER_H
#define TCT_AUDIT_OBSERVE_DIAG_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* first..last, both included. */
struct tct_port_range {
	uint16_t first;
	uint16_t last;
};

enum {
	/* The kernel checks each branch by walking the program, so its cost grows with the
	 * square. */
	TCT_FILTER_RANGES_MAX = 1024,
	TCT_FILTER_BYTES_MAX = TCT_FILTER_RANGES_MAX * 28,
};

struct tct_diag_filter {
	uint32_t *code; /* owned; struct inet_diag_bc_op, NULL = every socket */
	size_t bytes;
};

void tct_diag_filter_done(struct tct_diag_filter *filter);

/* Sockets whose port the kernel chose (bind(0), or connect() or listen() without bind). 0 or
 * -ENOMEM. */
int tct_diag_filter_automatic(struct tct_diag_filter *filter);

/* Sockets with this port at either end. 0 or -ENOMEM. */
int tct_diag_filter_port(struct tct_diag_filter *filter, uint16_t port);

/*
 * Sockets whose local port is in one of the ranges, which ascend and don't touch; asked as a tree,
 * so that many ranges cost little. No range: no socket. 0, -ENOMEM, -E2BIG beyond
 * TCT_FILTER_RANGES_MAX.
 */
int tct_diag_filter_local_ports(struct tct_diag_filter *filter, const struct tct_port_range *ranges,
				size_t count);

/*
 * Would the kernel accept a socket with these ports? As inet_diag_bc_run() reads the program; for
 * tests, and for sources without a kernel. `automatic` is what INET_DIAG_BC_AUTO asks.
 */
bool tct_diag_filter_accepts(const struct tct_diag_filter *filter, uint16_t local_port,
			     uint16_t peer_port, bool automatic);

#endif
