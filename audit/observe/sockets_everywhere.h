/*
 * Sockets as somebody asks for them, in every network namespace of the host: the sum, what each
 * namespace has, and the groups of all of them, each with its namespace (port 80 in one container
 * isn't that in another).
 */
#ifndef TCT_AUDIT_OBSERVE_SOCKETS_EVERYWHERE_H
#define TCT_AUDIT_OBSERVE_SOCKETS_EVERYWHERE_H

#include "audit/observe/namespaces.h"
#include "audit/observe/observe_all.h"
#include "audit/observe/shared_gaps.h"
#include "audit/observe/socket_table.h"

/* One namespace. */
struct tct_socket_place {
	struct tct_namespace where; /* fd is -1 */
	bool initial;               /* the host's first one */
	bool counted;               /* else its sockets could not be seen: see gaps */
	int64_t counts[TCT_STATE_LIMIT];
	int64_t total;
};

struct tct_sockets_everywhere {
	struct tct_socket_table table;   /* rows by state: of the sum; else each of one namespace */
	struct tct_socket_place *places; /* the own one first, then by name */
	size_t places_count;
	size_t places_capacity;
	struct tct_shared_gaps gaps;
	size_t rows_capacity;
};

/* Are there sockets that are worth a line: others than listeners, or any that were asked for? */
bool tct_socket_place_is_busy(const struct tct_socket_query *query,
			      const struct tct_socket_place *place);

/*
 * Add one more namespace, the own one first. The table is of it, for this query; its rows stay the
 * caller's. The observation's gaps are kept, but those of the own one, which has them. 0 or
 * -ENOMEM.
 */
int tct_sockets_everywhere_add(struct tct_sockets_everywhere *everywhere,
			       const struct tct_socket_query *query,
			       const struct tct_namespace *where,
			       const struct tct_observation *observation,
			       const struct tct_socket_table *table);

/*
 * All were added: put the rows in order, cut at `top`; what could not be seen in the others becomes
 * gaps of `own`. 0 or -ENOMEM.
 */
int tct_sockets_everywhere_settle(struct tct_sockets_everywhere *everywhere,
				  const struct tct_socket_query *query,
				  struct tct_observation *own);
void tct_sockets_everywhere_done(struct tct_sockets_everywhere *everywhere);

/* Count the sockets of the namespace that we are in, with what can't be seen as gaps. 0 or -errno.
 */
typedef int tct_place_look(void *context, struct tct_observation *observation,
			   struct tct_socket_table *table, struct tct_err *err);

/*
 * Look at all of them: at our own into `own`, which has its host; then at the others, one by one,
 * with thrift. This thread, the process's main one, is in its own namespace again when this
 * returns. Errors: those of look for our own; REFUSED/ENOMEM; REFUSED if there is no way back.
 */
int tct_sockets_everywhere_look(const struct tct_namespaces *namespaces,
				const struct tct_socket_query *query, tct_place_look *look,
				void *context, struct tct_observation *own,
				struct tct_sockets_everywhere *everywhere, struct tct_tour *tour,
				struct tct_err *err);

#endif
