/*
 * A sosreport: the directory that a support archive unpacks to, with files of the host and what
 * commands said there. The commands tell what the files leave out: live kernel keys, sockets,
 * counters.
 */
#ifndef TCT_AUDIT_OBSERVE_SOSREPORT_H
#define TCT_AUDIT_OBSERVE_SOSREPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/counters_read.h"
#include "audit/observe/observation.h"
#include "audit/observe/tcp_socket.h"
#include "core/root.h"

/* Is the DIR one? It has a folder sos_commands. Never true of the live host. */
bool tct_sos_is(const struct tct_root *root);

/*
 * Move a root that is only the folder around a sosreport into it: there is no etc, proc, usr or
 * sos_commands in it, but one directory that has sos_commands. Any other root stays as it is.
 * Errors: INPUT where there are several.
 */
int tct_sos_enter(struct tct_root *root, struct tct_err *err);

/*
 * Put what the commands say over what is known of the host: name and kernel (uname), memory (free),
 * processors (lscpu), uptime, time of the report (date, where it is UTC).
 */
void tct_sos_host_look(const struct tct_root *root, struct tct_host *host);

/*
 * Put the hypervisor that lscpu names into an environment that has none; without an lscpu, and
 * nothing seen, it is not known whether there is one (NOT_LOOKED).
 */
void tct_sos_environment_look(const struct tct_root *root, struct tct_environment *environment);

/*
 * Fill observation->sysctls from `sysctl -a`. Keys that a whole output doesn't have are ABSENT;
 * those missing in one that was cut off, or without any output, stay NOT_LOOKED, with a gap.
 * 0 or -ENOMEM.
 */
int tct_sos_sysctls_look(const struct tct_root *root, struct tct_observation *observation);

/*
 * As tct_counters_read(), and from `nstat -zas` or `netstat -s` where files below proc/net are
 * missing. 0 or -ENOMEM.
 */
int tct_sos_counters_read(const struct tct_root *root, struct tct_counter_value *values,
			  struct tct_observation *gaps);

/*
 * Tell the visitor each TCP socket of the output of `ss` (with -a and -n; else of `netstat
 * -neopa`), in constant memory: as far as that ss was asked, all that struct tct_tcp_socket holds
 * but interfaces' numbers. Lines that can't be read are counted in *malformed. Returns 0, what
 * visit returned, or -errno (-ENOENT: no such output; -EBADMSG: its beginning or end is missing).
 */
int tct_sos_sockets_read(const struct tct_root *root, const struct tct_tcp_visitor *visitor,
			 uint64_t *malformed);

/*
 * Fill states, listeners, populations, owners and destinations of the observation, which has its
 * keys already, from these outputs, with gaps for what they don't tell. Returns 0, -ENOMEM, or
 * -ENOENT where the outputs can't be used and proc/net/tcp of the DIR should be looked at instead
 * (nothing is filled then).
 */
int tct_sos_sockets_look(const struct tct_root *root, struct tct_observation *observation);

#endif
