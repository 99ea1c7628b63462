/* Which systemd unit or container a cgroup is, by the id that inet_diag tells of each socket. */
#ifndef TCT_AUDIT_OBSERVE_CGROUPS_H
#define TCT_AUDIT_OBSERVE_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/root.h"

struct tct_cgroups; /* what is known of ids so far; bounded */

/* NULL on ENOMEM. Nothing is read yet. The root must outlive it. */
struct tct_cgroups *tct_cgroups_new(const struct tct_root *root);
void tct_cgroups_free(struct tct_cgroups *cgroups);

/*
 * The unit or container of a cgroup id ("nginx.service", "docker:4f2a9c01b2d3",
 * "user@1000.service") into unit; "" if it is the root cgroup, gone, or nothing that people would
 * name. Returns whether the id's path is known. path (may be NULL) gets the path below the cgroup2
 * mount.
 */
bool tct_cgroups_find(struct tct_cgroups *cgroups, uint64_t id, char unit[128], char path[256]);

/*
 * The unit or container that a path below a cgroup mount means: the innermost *.service or *.scope
 * that is no bare session or slice, a container's runtime and short id where the path has one; ""
 * if there is none. Source: systemd.unit(5), the runtimes' cgroup layouts.
 */
void tct_cgroup_unit(const char *path, char unit[128]);

/*
 * Processes in the cgroup (cgroup.procs), at most max into pids. Returns their number, 0 if not
 * known.
 */
size_t tct_cgroups_processes(struct tct_cgroups *cgroups, uint64_t id, int32_t *pids, size_t max);

#endif
