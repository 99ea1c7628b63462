/* One case of a rule: judged, and compared with what it says (tests/rules/README.md). */
#ifndef TCT_TESTS_UNIT_CASE_TRIAL_H
#define TCT_TESTS_UNIT_CASE_TRIAL_H

#include "audit/rules/yaml.h"

/* What is wrong goes to stderr, with the case's place; returns how many complaints. */
int case_try(const char *id, const struct tct_yaml_node *made, const struct tct_yaml_node *healthy);

/* The text of a scalar in a mapping, or NULL. */
const char *case_text(const struct tct_yaml_node *map, const char *name);

#endif
