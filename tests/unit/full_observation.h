/* For the tests of snapshots: an observation with something of its own in every member. */
#ifndef TCT_TESTS_UNIT_FULL_OBSERVATION_H
#define TCT_TESTS_UNIT_FULL_OBSERVATION_H

#include "audit/observe/snapshot.h"

/* Needs the fixture of scratch.h: its sysctl files are read from there. */
struct tct_observation *full_observation(void);

void check_same_files(const struct tct_sysctl_files *a, const struct tct_sysctl_files *b);

/* A snapshot of one observation, which it owns. */
struct tct_snapshot snapshot_of(struct tct_observation *observation);
/* Its text, owned by the caller; and back, which must succeed. */
char *snapshot_text(const struct tct_snapshot *snapshot, size_t *length);
void snapshot_load(const char *text, size_t length, struct tct_snapshot *snapshot);

#endif
