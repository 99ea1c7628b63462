/* Shared by the files that make the plan. */
#ifndef TCT_TUNE_PLAN_PRIVATE_H
#define TCT_TUNE_PLAN_PRIVATE_H

#include "tune/drop_in.h"
#include "tune/plan.h"

struct tct_plan_work {
	const struct tct_profile_set *set;
	const struct tct_facts *facts;
	const struct tct_observation *observation;
	const struct tct_journal *journal;
	const struct tct_plan_options *options;
	struct tct_plan *plan;
	const struct tct_value **planned; /* [tct_kernel_keys_count] the state to check */
	struct tct_err *err;
};

/* Note a refusal. key NULL = the whole. 0 or -ENOMEM. */
__attribute__((format(printf, 4, 5))) int tct_plan_refuse(struct tct_plan_work *work,
							  const struct tct_kernel_key *key,
							  const char *kind, const char *reason,
							  ...);
/* Note a bound that could not be computed (result < 0 and its error). 0 = noted, -ENOMEM. */
int tct_plan_refuse_error(struct tct_plan_work *work, const struct tct_kernel_key *key, int result,
			  const struct tct_err *why);

/* The environment of bounds and requirements. */
struct tct_env tct_plan_env(const struct tct_plan_work *work);

/*
 * Its module isn't loaded but is on disk, and there is a drop-in: a line for the next boot is all
 * that can be had.
 */
bool tct_plan_is_dormant(const struct tct_plan_work *work, const struct tct_kernel_key *key);
/* Why a key that needs a module isn't there; NULL = that has nothing to do with its module. */
const char *tct_plan_why_no_module(const struct tct_plan_work *work,
				   const struct tct_kernel_key *key, char reason[240]);
/* Our modules-load.d file, and the notes of the keys; after the drop-in. 0 (refusals noted) or
 * -ENOMEM. */
int tct_plan_modules(struct tct_plan_work *work);

/* The boot part of one key: baseline_boot, wanted_boot, persist. 0 (refusals noted) or -ENOMEM. */
int tct_plan_boot_key(struct tct_plan_work *work, struct tct_plan_key *key);
/* Who overrides us. */
int tct_plan_boot_shadows(struct tct_plan_work *work);
/* The values after the next boot: plan->boot. */
int tct_plan_boot_state(struct tct_plan_work *work);
/* The drop-in's text and whether it changes. */
int tct_plan_drop_in(struct tct_plan_work *work);

/* Check work->planned: requirements, then what the kernel or sense demands between keys. */
int tct_plan_check_planned(struct tct_plan_work *work, const char *when);
/* Refuse to change what the kernel would not take back: values that it lets stand, but not be
 * written. */
int tct_plan_check_way_back(struct tct_plan_work *work);

#endif
