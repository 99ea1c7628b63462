/* The shipped profiles and explanations, compiled into the binary from profiles/ by the build. */
#ifndef TCT_AUDIT_RULES_EMBEDDED_H
#define TCT_AUDIT_RULES_EMBEDDED_H

#include <stddef.h>

struct tct_embedded_file {
	const char *name; /* path below profiles/: "base.yaml", "explain/states.yaml" */
	const char *data; /* the file's bytes, and a NUL that size does not count */
	size_t size;      /* bytes */
};

/* Sorted by name (byte order). */
extern const struct tct_embedded_file tct_embedded_files[];
extern const size_t tct_embedded_files_count;

#endif
