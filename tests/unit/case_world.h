/* A made-up host for one case of a rule: a healthy one (tests/rules/healthy.yaml), but for what the
 * case says. */
#ifndef TCT_TESTS_UNIT_CASE_WORLD_H
#define TCT_TESTS_UNIT_CASE_WORLD_H

#include "audit/judge/report.h"
#include "audit/rules/yaml.h"

enum { CASE_VARS_MAX = 16 };

struct case_world {
	struct tct_observation *observation;
	struct tct_observation *first_namespace; /* NULL = none judged beside it */
	struct tct_suppressions *suppressions;   /* of the files given; NULL = none */
	struct tct_history *history;             /* NULL = no earlier looks */
	struct tct_var_override vars[CASE_VARS_MAX];
	size_t vars_count;
};

/*
 * Make the world of `given` (NULL = nothing but health) on top of `healthy`: both are mappings as
 * tests/rules/README.md has them. The files are written below scratch_root, which is open. 0, or
 * -EINVAL with the place; release with case_world_done in either case.
 */
int case_world_make(const struct tct_yaml_node *healthy, const struct tct_yaml_node *given,
		    struct case_world *world, struct tct_err *err);
void case_world_done(struct case_world *world);

#endif
