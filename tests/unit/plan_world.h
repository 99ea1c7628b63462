/* A host in memory and files in a temporary folder, and the plan for it: what the tests of plans
 * share. */
#ifndef TCT_TESTS_UNIT_PLAN_WORLD_H
#define TCT_TESTS_UNIT_PLAN_WORLD_H

#include <check.h>
#include <stdbool.h>

#include "tests/unit/scratch.h"
#include "tune/plan.h"

#define DROP_IN "etc/sysctl.d/99-tcptune.conf"

/* The fixture: a host on which no key is there yet, nothing was applied, and systemd boots. */
extern struct tct_err err;
extern struct tct_observation *observation;
extern struct tct_journal *journal;
extern struct tct_plan *plan;
extern struct tct_plan_options options;

void plan_set_up(void);
void plan_tear_down(void);

const struct tct_kernel_key *key_of(const char *name);
/* The key is there and has this value. */
void live(const char *name, const char *text);
/* What tcptune did earlier; NULL values: not live, or no line. */
void did(const char *name, const char *baseline, const char *before, const char *after,
	 const char *line);
/* The plan for a profile with these settings (YAML, two blanks deep). */
void make(const char *settings);

const struct tct_plan_key *planned(const char *name);
void ck_value(const struct tct_value *value, const char *expected);
/* wanted live, line of the drop-in ("-" = none), and whether the live value is written. */
void ck_planned(const char *name, const char *wanted, const char *line, bool write);
void ck_refused(const char *kind, const char *name, const char *part);
void ck_nothing_refused(void);

/* Run the cases; a main()'s return value. */
int plan_run(const char *name, TCase *cases);

#endif
