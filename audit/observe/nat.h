/* Evidence that connection tracking translates addresses in the network namespace we are in. */
#ifndef TCT_AUDIT_OBSERVE_NAT_H
#define TCT_AUDIT_OBSERVE_NAT_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/observe/observation.h"
#include "core/root.h"

/* Fills nat_presence, nat and nat_evidence. Effects: see tct_environment_look(). */
void tct_nat_look(const struct tct_root *root, struct tct_environment *environment);

/*
 * Is this a line of /proc/net/nf_conntrack whose answers don't come from where its packets go: a
 * translated connection?
 */
bool tct_nat_is_translated(const char *line);

/*
 * Take the chains out of one datagram of an NFT_MSG_GETCHAIN dump. 1 = a nat chain with rules in it
 * was told, 0 = go on, 2 = the end, or -errno: what the kernel said, -EBADMSG for nonsense.
 */
int tct_nat_take_chains(const void *chunk, size_t length);

#endif
