/* What the host is (container, virtual machine), and whether addresses are translated on it. */
#ifndef TCT_AUDIT_OBSERVE_ENVIRONMENT_H
#define TCT_AUDIT_OBSERVE_ENVIRONMENT_H

#include "audit/observe/observation.h"
#include "core/root.h"

/*
 * Look, live or below a DIR. Never an error: what is not there or may not be read is a presence.
 * The container and the machine are those that tcptune itself runs in, the translation is that of
 * the network namespace entered. Effects: reads files; live, asks nf_tables and ip_tables for what
 * they have, only where asking cannot load a kernel module.
 */
void tct_environment_look(const struct tct_root *root, struct tct_environment *environment);

/* The container runtime that the text of /proc/PID/cgroup tells of; "" if none. */
const char *tct_environment_cgroup(const char *text);

/* The value of container= among variables, each ended by a NUL, as /proc/PID/environ has them.
 * False if it isn't there or no name. */
bool tct_environment_variable(const char *text, size_t length, char *out, size_t out_size);

/* The hypervisor that the machine's DMI names tell of; "" if none. Any may be "". */
const char *tct_environment_dmi(const char *product, const char *vendor, const char *bios);

#endif
