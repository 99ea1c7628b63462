/* One walk over the sockets for a table, shared by its two halves: counting, and whose they are. */
#ifndef TCT_AUDIT_OBSERVE_SOCKET_TABLE_PRIVATE_H
#define TCT_AUDIT_OBSERVE_SOCKET_TABLE_PRIVATE_H

#include "audit/observe/cgroups.h"
#include "audit/observe/connection_side.h"
#include "audit/observe/listening.h"
#include "audit/observe/sock_diag.h"
#include "audit/observe/socket_inodes.h"
#include "audit/observe/socket_table.h"
#include "audit/observe/socket_tally.h"

enum {
	TCT_KEY_WAITING = TCT_KIND_LIMIT, /* not accepted; the listener's number among `listening`
					   */
	TCT_KEY_CGROUP,                   /* a cgroup's id */
	TCT_HINTS_MAX = 64,
	TCT_KNOWN_CGROUPS = 64, /* a power of two */
};

struct tct_known_cgroup {
	uint64_t id;
	bool has_unit;
};

/* A listener with connections that nobody accepted. Siblings share them: it is the one with the
 * longest accept queue. */
struct tct_waiting {
	size_t listener; /* number of the first sibling */
	uint32_t inode;
	int32_t pid; /* 0 = not found (yet) */
};

struct tct_unit_name {
	char name[128];
};

struct tct_socket_walk {
	const struct tct_socket_query *query;
	struct tct_observation *observation;
	struct tct_diag diag;
	int refusal; /* why inet_diag can't be used, -errno */
	bool from_proc;
	bool bound_uncounted; /* sockets that are bound and do nothing */
	bool skipped;         /* only listeners were looked at: there is nothing else to speak of */
	uint64_t malformed;
	struct tct_listening listening; /* by place */
	struct tct_ephemeral ephemeral;
	int64_t counts[TCT_STATE_LIMIT];
	int64_t strange; /* of a state that we don't know */
	struct tct_tally tally;
	/* by process and by unit */
	struct tct_socket_inodes inodes;
	int64_t not_sought;          /* sockets beyond TCT_INODES_MAX */
	struct tct_waiting *waiting; /* by inode; owned */
	size_t waiting_count;
	size_t waiting_capacity;
	struct tct_cgroups *cgroups;   /* owned */
	uint64_t hints[TCT_HINTS_MAX]; /* cgroups of the sockets whose process is sought */
	size_t hints_count;
	struct tct_known_cgroup known[TCT_KNOWN_CGROUPS]; /* by the id's low bits */
	struct tct_unit_name *units; /* by unit: a key's number is an index; owned */
	size_t units_count;
	size_t units_capacity;
};

/* Which end has the port that was asked for; NONE if none was. */
enum tct_socket_side tct_socket_walk_side(const struct tct_socket_walk *walk,
					  const struct tct_tcp_socket *socket);

/* Take one socket by process or by unit. 0 or -ENOMEM. */
int tct_socket_owners_take(struct tct_socket_walk *walk, const struct tct_tcp_socket *socket);

/* Does the cgroup belong to a unit or container? */
bool tct_socket_walk_has_unit(struct tct_socket_walk *walk, uint64_t cgroup);

/*
 * Find the processes of the sockets taken, and of listeners with connections not accepted; put
 * them into the tally. 0 or -ENOMEM.
 */
int tct_socket_owners_find(struct tct_socket_walk *walk, struct tct_socket_table *table);

/*
 * Turn the tally's inner kinds into those of rows: connections not accepted get their listener's
 * owner; by unit, processes and cgroups become units. 0 or -ENOMEM.
 */
int tct_socket_owners_gather(struct tct_socket_walk *walk);

/* Name a row's process or unit. */
void tct_socket_owners_name(const struct tct_socket_walk *walk, const struct tct_tally_key *key,
			    struct tct_socket_row *row);

#endif
