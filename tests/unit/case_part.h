/* Structs of the observation from YAML, by the tables of their members that snapshots have. */
#ifndef TCT_TESTS_UNIT_CASE_PART_H
#define TCT_TESTS_UNIT_CASE_PART_H

#include "audit/observe/snapshot_private.h"
#include "audit/rules/yaml.h"

/*
 * Overwrite the members that the mapping names; data holds what the others are. A number may be
 * written in the language's literals (10s, 24GiB, 3%), and "_ns" and "_bytes" left out of a name
 * then. A member N_first that isn't named gets what N was given. A population may be written as
 * its total or its presence alone, and its idle times as `idle: { 10s: 160 }`: 160 have heard
 * nothing for 10 s, none for longer. 0, or -EINVAL with the place.
 */
int case_part_fill(const struct tct_yaml_node *map, const struct tct_part *part, void *data,
		   struct tct_err *err);

/* A number in the language's literals: a time in nanoseconds, a share in millionths. */
int case_number(const struct tct_yaml_node *scalar, int64_t *number, struct tct_err *err);

#endif
