/* The report: what the judge says of one observation under one profile set. Renderers only print
 * it. */
#ifndef TCT_AUDIT_JUDGE_REPORT_H
#define TCT_AUDIT_JUDGE_REPORT_H

#include <jansson.h>

#include "audit/observe/namespaces.h"
#include "audit/observe/observation.h"
#include "audit/rules/history.h"
#include "audit/rules/needs.h"
#include "audit/rules/profile.h"
#include "audit/rules/suppressions.h"

enum tct_setting_status {
	TCT_SETTING_OK,
	TCT_SETTING_CHANGE,
	TCT_SETTING_UNSUPPORTED, /* this kernel or namespace doesn't have it, or it is read-only
				    here */
	TCT_SETTING_REFUSED,     /* never, requires, range, or a missing fact: see reason */
};

/* "ok", "change", "unsupported", "refused". */
const char *tct_setting_status_name(enum tct_setting_status status);

struct tct_setting_verdict {
	const struct tct_setting *setting;
	enum tct_setting_status status;
	struct tct_value wanted; /* kind NONE if it can't be told */
	char reason[240];        /* UNSUPPORTED, REFUSED */
};

struct tct_evidence {
	char *name;
	struct tct_result result; /* status VALUE; text, if any, is a private copy */
	char *text;               /* owned copy of result.text */
};

struct tct_sysctl_change {
	const struct tct_kernel_key *key;
	struct tct_value from; /* kind NONE if not known */
	struct tct_value to;
};

struct tct_finding {
	const struct tct_rule *rule;
	enum tct_severity severity;
	char *title;
	char *subject; /* "0.0.0.0:80", a key, "/etc/sysctl.conf:3"; NULL = the host */
	size_t item;   /* index of the item in rule->each */
	int64_t order; /* what rule->sort came to, INT64_MIN = not known */
	struct tct_evidence *evidence;
	size_t evidence_count;
	size_t evidence_capacity;
	char *why;         /* NULL = none */
	char *application; /* NULL = none */
	struct tct_sysctl_change *sysctls;
	size_t sysctls_count;
	size_t sysctls_capacity;
	char **commands;
	size_t commands_count;
	size_t commands_capacity;
};

struct tct_not_evaluated {
	const char *id;
	char reason[240];
};

/*
 * Findings left out because others, at least as severe, are their root cause: told once for each
 * pair of rules.
 */
struct tct_explained {
	const char *id;
	const char *by; /* id of the root cause's finding */
};

/* Findings beyond a rule's `top`: counted, not told one by one. */
struct tct_omitted {
	const struct tct_rule *rule;
	enum tct_severity severity;
	size_t count;
	char **subjects; /* of the first of them, each once, about 200 characters in all; owned */
	size_t subjects_count;
	size_t subjects_capacity;
};

/* A finding that suppressions.yaml takes out. */
struct tct_suppressed {
	const char *id;
	enum tct_severity severity;
	char *subject; /* NULL = the host */
	char *title;
	const struct tct_suppression *by; /* borrowed */
};

struct tct_report {
	const struct tct_observation *observation; /* borrowed */
	const struct tct_profile_set *set;         /* borrowed */
	struct tct_facts facts;
	struct tct_setting_verdict *settings;
	size_t settings_count;
	size_t settings_capacity;
	struct tct_finding *findings; /* worst first */
	size_t findings_count;
	size_t findings_capacity;
	struct tct_explained *explained;
	size_t explained_count;
	size_t explained_capacity;
	struct tct_not_evaluated *not_evaluated;
	size_t not_evaluated_count;
	size_t not_evaluated_capacity;
	struct tct_omitted *omitted;
	size_t omitted_count;
	size_t omitted_capacity;
	struct tct_suppressed *suppressed; /* worst first */
	size_t suppressed_count;
	size_t suppressed_capacity;
	size_t by_severity[TCT_SEVERITY_LIMIT]; /* those omitted included */
};

/* Beside what is observed. Zero: nothing of it. */
struct tct_judge_options {
	const struct tct_observation *host; /* see struct tct_env */
	struct tct_history *history;        /* likewise; conditions that hold are noted there */
	const struct tct_suppressions *suppressions; /* likewise; must outlive the report */
	const struct tct_needs *needs; /* of one of several namespaces: what rests on the host's
					  keys and files only is left to the report on its first
					  one; NULL = judge all */
	bool all;                      /* tell every finding, whatever the rule's `top` */
};

/*
 * Judge. The observation and the set must outlive the report. options NULL: none. Errors:
 * REFUSED/ENOMEM only; whatever can't be evaluated is in the report. Effects: none.
 */
int tct_judge(const struct tct_observation *observation, const struct tct_profile_set *set,
	      const struct tct_facts *facts, const struct tct_judge_options *options,
	      struct tct_report **out, struct tct_err *err);
void tct_report_free(struct tct_report *report);

/* What was omitted of the findings of this rule and severity, or NULL. */
const struct tct_omitted *tct_report_omitted(const struct tct_report *report,
					     const struct tct_rule *rule,
					     enum tct_severity severity);

/* The audit document (schema tcptune.audit.v1) of product.md, "JSON". NULL on ENOMEM. Owned by the
 * caller. */
json_t *tct_report_json(const struct tct_report *report);

/* One of the audit document's "namespaces": what a report says of another namespace of the host.
 * Likewise. */
json_t *tct_report_namespace_json(const struct tct_report *report,
				  const struct tct_namespace *namespace_);

/* Its members `host` and `states`, for documents that have them too. NULL on ENOMEM. */
json_t *tct_host_json(const struct tct_host *host);
json_t *tct_states_json(const struct tct_states *states);

#endif
