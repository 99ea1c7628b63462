/* Shared by the judge's files only. */
#ifndef TCT_AUDIT_JUDGE_PRIVATE_H
#define TCT_AUDIT_JUDGE_PRIVATE_H

#include "audit/judge/report.h"

/* Every function here returns 0 or -ENOMEM. */

/*
 * Add the finding that `rule` makes of env->item: severity, subject (taken, NULL = the host), title
 * and order. The rest is filled in once it is known that it is told.
 */
int tct_finding_add(struct tct_report *report, const struct tct_rule *rule,
		    enum tct_severity severity, struct tct_env *env, char *subject);
/* Fill in what a finding that is told says beside its title. */
int tct_finding_fill(struct tct_finding *finding, struct tct_env *env);
void tct_finding_done(struct tct_finding *finding);

/* Whom a finding about env->item is about, in the form that a person would type: owned by the
 * caller, NULL = the host. */
int tct_subject_of(const struct tct_env *env, char **subject);

/*
 * Once every rule was judged: drop what others explain, what is said twice and what is suppressed;
 * put the rest worst first, and tell of each rule and severity as many as its `top` says (all:
 * every one), completely.
 */
int tct_findings_settle(struct tct_report *report, struct tct_env *env, bool all);

/* Of a rule that asks for more than its condition. */
enum tct_passed {
	TCT_PASSED,     /* judge it */
	TCT_PASSED_BY,  /* it says nothing here */
	TCT_NOT_PASSED, /* it can't be told: see reason */
};

/* Does the rule hold on this kernel? */
enum tct_passed tct_rule_on_kernel(const struct tct_rule *rule, const struct tct_facts *facts,
				   char reason[200]);

/*
 * The condition of the rule holds for env->item: has it held for as long as `for_at_least` asks?
 * It is noted in the history, if there is one.
 */
enum tct_passed tct_rule_held(const struct tct_rule *rule, const struct tct_env *env,
			      struct tct_history *history, const char *subject, char reason[200]);

/* Judge every setting of the set: status and wanted value. */
int tct_settings_judge(struct tct_report *report, struct tct_env *env);
/* Let the verdicts go. */
void tct_settings_drop(struct tct_report *report);

#endif
