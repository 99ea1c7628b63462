/* Which command's output of a sosreport tells its sockets, and reading it. */
#ifndef TCT_AUDIT_OBSERVE_SOS_OUTPUT_H
#define TCT_AUDIT_OBSERVE_SOS_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/sos_text.h"
#include "core/root.h"

struct tct_sos_output {
	char path[320]; /* below the root */
	bool netstat;   /* not ss */
	bool extended;  /* -e: uid, inode, cookie */
	bool timers;    /* -o */
	bool memory;    /* -m: drops */
	bool info;      /* -i: idle times */
	bool processes; /* -p */
	/* What came of reading it. */
	uint64_t malformed;
	bool beginning_missing; /* no heading: only the end of a long output was kept */
	bool idle_told;
	bool drops_told;
	bool busy_told; /* how long data was there to send; ss leaves out what is 0 */
};

/*
 * Find the output of ss that tells most, or of netstat: with all sockets, numerically. Returns 0 or
 * -ENOENT.
 */
int tct_sos_output_find(const struct tct_root *root, bool netstat, struct tct_sos_output *output);

/* What a command with such a file name ("ss_-peaonmi") tells; false if it isn't all TCP sockets. */
bool tct_sos_output_flags(const char *name, struct tct_sos_output *output);

/*
 * Tell `take` each TCP socket, whole. Returns 0, what take returned, -EBADMSG (the beginning is
 * missing; nothing was told) or -errno.
 */
int tct_sos_output_read(const struct tct_root *root, struct tct_sos_output *output,
			int (*take)(void *context, const struct tct_sos_socket *socket),
			void *context);

#endif
