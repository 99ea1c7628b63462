/* Live values: the one place that writes below /proc/sys. */
#ifndef TCT_TUNE_LIVE_WRITE_H
#define TCT_TUNE_LIVE_WRITE_H

#include <stddef.h>

#include "core/err.h"
#include "core/kernel_keys.h"
#include "core/root.h"
#include "core/value.h"

/*
 * Open /proc/sys of the live host, if that and its net/ are the kernel's own. Its net/ is that of
 * the network namespace that this thread is in at each call. Returns an fd owned by the caller, or
 * -errno; -ENOTSUP when it isn't procfs (so the others, of a key) or root isn't live.
 */
int tct_live_open(const struct tct_root *root);

/* strerror(), and what -ENOTSUP of these functions means. */
const char *tct_live_error(int code);

/* Would the kernel let us open the key for writing? Opens nothing for writing. 0 or -errno. */
int tct_live_may_write(int proc_sys, const struct tct_kernel_key *key);

/* Read one key. *value is empty before. 0, -errno of the system, -EBADMSG if it isn't of the key's
 * shape. */
int tct_live_read(int proc_sys, const struct tct_kernel_key *key, struct tct_value *value);

/*
 * Write one key: one openat, one write, one close. text ends in a newline (an empty value is only
 * stored so). A short write is -EIO. Allocates nothing. Vectors may be half applied on failure:
 * read again.
 */
int tct_live_write(int proc_sys, const struct tct_kernel_key *key, const char *text, size_t length);

#endif
