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
 * The unit or container of a cgroup id ("nginx.service", "docker:4f2a9c01b2d3") into unit; "" if it
 * is the root cgroup, gone, or nothing that people would name. Returns whether the id's path is
 * known. path (may be NULL) gets the path below the cgroup2 mount as /proc/PID/cgroup writes it,
 * "/" for its root, cut off if longer.
 *
 * The id is the inode number of the cgroup's folder (of 64 bits). It is opened by that, as a file
 * handle, which needs CAP_DAC_READ_SEARCH; for others the tree is walked, once, as far as 16,384
 * folders. What is found stays known: a cgroup renamed or made after the walk is not seen, so
 * keep this no longer than one observation. Source: fs/kernfs/mount.c (kernfs_export_ops).
 */
bool tct_cgroups_find(struct tct_cgroups *cgroups, uint64_t id, char unit[128], char path[256]);

enum tct_cgroup_kind {
	TCT_CGROUP_OTHER, /* nothing to name */
	TCT_CGROUP_UNIT,
	TCT_CGROUP_CONTAINER,
};

/*
 * The unit or container that a path below a cgroup mount means; "" if there is none. A part of the
 * path that is a container goes before units, even those within (a container with a systemd of its
 * own); else the innermost unit:
 *
 *   docker:4f2a9c01b2d3      also containerd:, crio:, podman:; container: if only an id of 64 hex
 *                            digits is there. 12 digits, as the runtimes' tools print and take them
 *   lxc:NAME, machine:NAME   NAME as lxc-ls and machinectl show it
 *   nginx.service            a *.service or *.scope, \x2d and instance as systemd shows them
 *   user@1000.service/x.service  a unit of a user's own manager: another than the system's
 * x.service session-4.scope          what runs in a login session; `systemctl status` takes it, and
 *                            `ps -o unit` shows it
 *
 * A slice alone is no unit. Control characters become '?'; longer than 127 bytes is cut off.
 * Source: systemd.unit(5), systemd-run(1), the runtimes' cgroup drivers.
 */
enum tct_cgroup_kind tct_cgroup_unit(const char *path, char unit[128]);

/*
 * Processes in the cgroup itself (cgroup.procs), at most max into pids. Returns their number, 0 if
 * not known.
 */
size_t tct_cgroups_processes(struct tct_cgroups *cgroups, uint64_t id, int32_t *pids, size_t max);

#endif
