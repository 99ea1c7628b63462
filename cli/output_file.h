/* Writing a document to a file that somebody named: the whole of it, or the old file stays. */
#ifndef TCT_CLI_OUTPUT_FILE_H
#define TCT_CLI_OUTPUT_FILE_H

#include <stddef.h>

#include "core/err.h"

/*
 * Write data[0..length) to file; "-", and /dev/stdout by whatever name, is standard output. A
 * regular file is replaced as a whole (temporary file, fsync, rename) and keeps its mode and owner;
 * a new one is for its owner only, since a snapshot may hold what others must not read. A link is
 * followed if it is our own; devices and FIFOs are written to. Returns 0, or 1 if it went to
 * standard output. Errors: INPUT with the file.
 */
int tct_output_write(const char *file, const char *data, size_t length, struct tct_err *err);

#endif
