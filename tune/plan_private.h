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
	struct tct_sysctl_files *files;   /* owned; as they will be, NULL = as they are */
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

/* Was this key asked for without the drop-in? */
bool tct_plan_is_live_only(const struct tct_plan_work *work, const struct tct_kernel_key *key);

/* The boot part of one key: baseline_boot, wanted_boot, persist. 0 (refusals noted) or -ENOMEM. */
int tct_plan_boot_key(struct tct_plan_work *work, struct tct_plan_key *key);
/*
 * What files make of a key at boot, the kernel's own value where none sets it. live: the live
 * baseline, for keys whose built-in value isn't known; NULL or NONE = not known. *last: the last
 * line that had an effect; may be NULL. 1 = known, 0 = not, -ENOMEM.
 */
int tct_plan_boot_value(const struct tct_plan_work *work, const struct tct_sysctl_files *files,
			const struct tct_kernel_key *key, enum tct_boot_model model,
			bool without_ours, const struct tct_value *live, struct tct_value *value,
			const struct tct_file_line **last);
/* The state after the next boot as it is meant: values[tct_kernel_keys_count], empty before. */
int tct_plan_boot_state(const struct tct_plan_work *work, enum tct_boot_model model,
			struct tct_value *values);

/* Is the key in the plan? Of ours that aren't, the lines stay: keys that are not there just now, or
 * not asked for by it. */
bool tct_plan_has(const struct tct_plan *plan, const struct tct_kernel_key *key);
/* The drop-in's text, whether it changes, and what comes up with it: next_boot of all keys. */
int tct_plan_drop_in(struct tct_plan_work *work);
/* Refuse to replace a drop-in that isn't what we wrote. */
int tct_plan_drop_in_refuse(struct tct_plan_work *work);
/* The files as they will be. */
const struct tct_sysctl_files *tct_plan_files(const struct tct_plan_work *work);
/* Who overrides us, and whom our lines hinder. */
int tct_plan_boot_shadows(struct tct_plan_work *work);

/* Check work->planned: requirements, then what the kernel or sense demands between keys. */
int tct_plan_check_planned(struct tct_plan_work *work, const char *when);
/* Refuse to change what the kernel would not take back: values that it lets stand, but not be
 * written. */
int tct_plan_check_way_back(struct tct_plan_work *work);

#endif
