/* Writing files so that they survive a crash: whole writes, syncs, folders; every result is looked
 * at. */
#ifndef TCT_TUNE_FILE_IO_H
#define TCT_TUNE_FILE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/root.h"

/* Tries of a call that signals interrupt, before its error counts. */
enum { TCT_INTERRUPTED_TRIES = 100 };

/* All of them return 0 (or an fd, or a count) or -errno, and go on after EINTR. */
int tct_file_openat(int folder, const char *name, int flags, mode_t mode);
/* Write all of it; a short write is followed by another. */
int tct_file_write(int fd, const char *data, size_t length);
int tct_file_sync(int fd);
/* close() whose error counts: the last chance of a network filesystem to say that a write failed.
 */
int tct_file_close(int *fd);

/*
 * Open the folder `path` below root for reading; if it is missing, make it (and what is above it,
 * 0755), with mode, and sync the folder above. Returns an fd or -errno.
 */
int tct_file_make_folder(const struct tct_root *root, const char *path, mode_t mode);

/*
 * Could the file be written by what replaces it (made, replaced, removed), or, if appends, by what
 * appends to it? makes: a new file needs room. The folder may be missing. Looks, writes nothing;
 * what only the attempt tells (quotas, policies) isn't seen. 0 or the -errno of the attempt.
 */
int tct_file_may_write(const struct tct_root *root, const char *folder, const char *name,
		       bool makes, bool appends);

/* What to look at after this errno of a file operation as root, " (...)", or "". */
const char *tct_file_hint(int code);

/* The lower case hex SHA-256 of data. */
void tct_file_sha256(const void *data, size_t length, char out[65]);

#endif
