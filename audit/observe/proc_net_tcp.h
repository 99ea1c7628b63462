/* TCP sockets from /proc/net/tcp and tcp6: for where inet_diag can't be used, and for captured
 * machines. */
#ifndef TCT_AUDIT_OBSERVE_PROC_NET_TCP_H
#define TCT_AUDIT_OBSERVE_PROC_NET_TCP_H

#include <stddef.h>
#include <stdint.h>

#include "audit/observe/tcp_socket.h"
#include "core/root.h"

/*
 * Tell the visitor each socket of proc/net/tcp and, where it exists, proc/net/tcp6 below root, in
 * constant memory. Not told: the accept queue's limit, drops, idle times, cookies, bound-inactive
 * sockets. Lines that can't be read are counted in *malformed. Returns 0, what visit returned, or
 * -errno (-ENOENT: no proc/net/tcp).
 */
int tct_proc_net_tcp_read(const struct tct_root *root, const struct tct_tcp_visitor *visitor,
			  uint64_t *malformed);

/* Read one line (not the heading) of the family's file. 0 or -EBADMSG. */
int tct_proc_net_tcp_line(const char *line, uint8_t family, struct tct_tcp_socket *socket);

#endif
