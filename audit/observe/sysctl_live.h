/* The live values of the table's keys, from proc/sys below a root. */
#ifndef TCT_AUDIT_OBSERVE_SYSCTL_LIVE_H
#define TCT_AUDIT_OBSERVE_SYSCTL_LIVE_H

#include "audit/observe/observation.h"
#include "core/root.h"

/*
 * Fill observation->sysctls, in the network namespace of the caller. A root without proc/sys leaves
 * all NOT_LOOKED; so do secrets, which are never read, and keys i without wanted[i] (NULL = all
 * are). net_ipv4 is the folder proc/sys/net/ipv4 if it is open already (borrowed), else -1. Notes
 * gaps. 0 or -ENOMEM.
 */
int tct_sysctls_look(const struct tct_root *root, const bool *wanted, int net_ipv4,
		     struct tct_observation *observation);

/* Read one key. *sysctl is empty before. 0 or -ENOMEM. */
int tct_sysctl_look(const struct tct_root *root, const struct tct_kernel_key *key,
		    struct tct_sysctl *sysctl);

#endif
