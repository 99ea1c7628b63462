/* The host's facts: name, kernel, memory, processors, boot. */
#ifndef TCT_AUDIT_OBSERVE_HOST_H
#define TCT_AUDIT_OBSERVE_HOST_H

#include "audit/observe/observation.h"
#include "core/root.h"

/*
 * Fill *host but its netns. Of a DIR nothing is taken from the running host but the kernel's
 * version, and that only where the DIR has no kernel (kernel_assumed). What can't be found stays
 * not known. Effects: none.
 */
void tct_host_look(const struct tct_root *root, struct tct_host *host);

/* Number of processors in a list like "0-3,8"; -1 if it isn't one. */
int64_t tct_host_count_cpus(const char *list);

#endif
