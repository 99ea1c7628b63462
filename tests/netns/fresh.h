/* A fresh network namespace and its /proc/sys, for the programs that try the table of keys on the
 * kernel. */
#ifndef TCT_TESTS_NETNS_FRESH_H
#define TCT_TESTS_NETNS_FRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/kernel_keys.h"
#include "core/root.h"
#include "core/value.h"

struct fresh {
	struct tct_root root;
	tct_version kernel;
	/*
	 * The ranges and defaults in the table are those of 6.18. On another kernel a difference is
	 * told but is no failure, unless it has nothing to do with the kernel's version.
	 */
	bool exact;
	int64_t seconds_max; /* INT_MAX / HZ of this kernel */
	unsigned checks;
	unsigned failures;
	unsigned differences;
};

/* Enter a new namespace. Exits with 77 where that, or writing its sysctls, is not permitted. */
void fresh_enter(struct fresh *fresh);

/* Say what was found; the exit code of the program. */
int fresh_done(struct fresh *fresh);

/* Count a check; if it failed, print the message (a difference if `versioned` and not exact). */
__attribute__((format(printf, 4, 5))) bool fresh_check(struct fresh *fresh, bool good,
						       bool versioned, const char *format, ...);

/* May a test write this key? Only what belongs to the namespace, is there and is no secret by
 * mistake. */
bool fresh_writable(const struct fresh *fresh, const struct tct_kernel_key *key);

/* Parse the live value. Returns 0, -errno of the read, or -EINVAL of the parser with a failure
 * counted. */
int fresh_read(struct fresh *fresh, const struct tct_kernel_key *key, struct tct_value *value);

/* One open, one write. Returns 0 or -errno. Refuses (abort) a key that is not the namespace's own.
 */
int fresh_write(const struct fresh *fresh, const struct tct_kernel_key *key, const char *text);

#endif
