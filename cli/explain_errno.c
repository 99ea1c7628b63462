/* The errnos that a network program meets. The numbers are the C library's: they differ between
 * architectures. */
#include <errno.h>

#include "cli/explain_data.h"
#include "core/mem.h"

#define NAMED(name_)                                                                               \
	{                                                                                          \
#name_, name_                                                                      \
	}

const struct tct_errno_name tct_errno_names[] = {
	NAMED(EACCES),       NAMED(EADDRINUSE),   NAMED(EADDRNOTAVAIL),   NAMED(EAFNOSUPPORT),
	NAMED(EAGAIN),       NAMED(EALREADY),     NAMED(EBADF),           NAMED(ECONNABORTED),
	NAMED(ECONNREFUSED), NAMED(ECONNRESET),   NAMED(EDESTADDRREQ),    NAMED(EFAULT),
	NAMED(EHOSTDOWN),    NAMED(EHOSTUNREACH), NAMED(EINPROGRESS),     NAMED(EINTR),
	NAMED(EINVAL),       NAMED(EISCONN),      NAMED(EMFILE),          NAMED(EMSGSIZE),
	NAMED(ENETDOWN),     NAMED(ENETRESET),    NAMED(ENETUNREACH),     NAMED(ENFILE),
	NAMED(ENOBUFS),      NAMED(ENODEV),       NAMED(ENOENT),          NAMED(ENOMEM),
	NAMED(ENOPROTOOPT),  NAMED(ENOTCONN),     NAMED(ENOTSOCK),        NAMED(EOPNOTSUPP),
	NAMED(EPERM),        NAMED(EPIPE),        NAMED(EPROTO),          NAMED(EPROTONOSUPPORT),
	NAMED(EPROTOTYPE),   NAMED(ESHUTDOWN),    NAMED(ESOCKTNOSUPPORT), NAMED(ETIMEDOUT),
};

const size_t tct_errno_names_count = TCT_COUNT(tct_errno_names);
