/* Shared by the judge's files only. */
#ifndef TCT_AUDIT_JUDGE_PRIVATE_H
#define TCT_AUDIT_JUDGE_PRIVATE_H

#include "audit/judge/report.h"

/* Every function here returns 0 or -ENOMEM. */

/* Add the finding that `rule` makes of env->item; inputs are what its `when` rested on. */
int tct_finding_add(struct tct_report *report, const struct tct_rule *rule,
		    enum tct_severity severity, struct tct_env *env,
		    const struct tct_inputs *inputs);
void tct_finding_done(struct tct_finding *finding);

/* Drop the findings that a finding at least as severe explains, and put the rest worst first. */
int tct_findings_settle(struct tct_report *report);

/* Judge every setting of the set: status and wanted value. */
int tct_settings_judge(struct tct_report *report, struct tct_env *env);
/* Let the verdicts go. */
void tct_settings_drop(struct tct_report *report);

#endif
