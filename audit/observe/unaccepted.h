/*
 * Connections that wait in accept queues, told apart by cookie: one that waits at both looks was
 * not fetched in between, however short the queue is.
 */
#ifndef TCT_AUDIT_OBSERVE_UNACCEPTED_H
#define TCT_AUDIT_OBSERVE_UNACCEPTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/observe/listening.h"
#include "audit/observe/local_ports.h"
#include "audit/observe/sock_diag.h"

struct tct_unaccepted {
	uint64_t *cookies; /* owned, ascending */
	size_t cookies_count;
	size_t cookies_capacity;
	bool known;        /* all of them were seen, within the bounds */
	int64_t looked_at; /* connections, while a dump runs */
};

void tct_unaccepted_done(struct tct_unaccepted *unaccepted);

/*
 * Remember those that wait now at listeners with a queue. Beyond 131,072 connections of such
 * listeners, or 65,536 that wait, `known` is false. 0 or -ENOMEM.
 */
int tct_unaccepted_look(struct tct_unaccepted *unaccepted, struct tct_diag *diag,
			const struct tct_listening *listening);

/*
 * Count for each listener those that waited at the first look and still do, and how long one of
 * them has heard nothing at most. Sets listening->unaccepted_known. 0 or -ENOMEM.
 */
int tct_unaccepted_count(const struct tct_unaccepted *first, struct tct_diag *diag,
			 struct tct_listening *listening);

#endif
