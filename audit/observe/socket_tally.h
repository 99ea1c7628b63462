/*
 * Sockets counted by group (a peer, a port, a process ...) and state, in memory that doesn't grow
 * with their number: beyond `most` groups the small ones make room, and what may be missing in the
 * others is known.
 */
#ifndef TCT_AUDIT_OBSERVE_SOCKET_TALLY_H
#define TCT_AUDIT_OBSERVE_SOCKET_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "audit/observe/frequent.h"
#include "audit/observe/observation.h"

enum { TCT_TALLY_GROUPS = 8192 };

/* What a group is; compared byte by byte, so unused fields are 0. */
struct tct_tally_key {
	uint8_t kind; /* the caller's, as side */
	uint8_t side;
	uint16_t family; /* of the address, 0 = id is a number */
	uint32_t port;
	uint32_t id[4]; /* address in network order, or a number: see tct_tally_number */
};

/* An entry of struct tct_frequent. */
struct tct_tally_group {
	uint32_t total;   /* counted while it was here; never too many */
	uint32_t missing; /* at most so many came before it was here (again) */
	struct tct_tally_key key;
	uint32_t states[TCT_STATE_LIMIT];
};

struct tct_tally {
	struct tct_frequent kinds; /* its kinds are the groups */
};

static inline size_t tct_tally_count(const struct tct_tally *tally)
{
	return tally->kinds.count;
}

/* The groups, tct_tally_count() of them, in no order; to be sorted only once all is counted. */
struct tct_tally_group *tct_tally_groups(const struct tct_tally *tally);

/* Room for `most` groups, at most TCT_TALLY_GROUPS. 0 or -ENOMEM. */
int tct_tally_init(struct tct_tally *tally, size_t most);
void tct_tally_done(struct tct_tally *tally);
void tct_tally_clear(struct tct_tally *tally);

/* Count sockets of one state. Memory is there already. */
void tct_tally_add(struct tct_tally *tally, const struct tct_tally_key *key, unsigned state,
		   uint32_t count);

/* Add what another tally has of a group, under a key of this one. */
void tct_tally_add_group(struct tct_tally *tally, const struct tct_tally_key *key,
			 const struct tct_tally_group *group);

/* A number as key, and back. */
struct tct_tally_key tct_tally_key_of(uint8_t kind, uint8_t side, uint64_t number);
uint64_t tct_tally_number(const struct tct_tally_key *key);

#endif
