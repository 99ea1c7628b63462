/* A root of our own below /tmp, for tests of what reads and writes files. */
#ifndef TCT_TESTS_UNIT_SCRATCH_H
#define TCT_TESTS_UNIT_SCRATCH_H

#include "core/root.h"

extern struct tct_root scratch_root;

/* Fixtures of check: a fresh folder as scratch_root, and its removal. */
void scratch_open(void);
void scratch_close(void);
/* The full path of "etc/sysctl.d/x" in it; the folders above are made. Good until the next call. */
const char *scratch_path(const char *path);
void scratch_write(const char *path, const char *text);
void scratch_write_bytes(const char *path, const char *bytes, size_t length);
/* The content, owned by the caller; NULL = there is no such file. */
char *scratch_read(const char *path);
/* Names in a folder, sorted, separated by blanks; owned by the caller. */
char *scratch_list(const char *path);

#endif
