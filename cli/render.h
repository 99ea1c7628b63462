/* Renderers: they print what was found and never look at the system or judge anything. */
#ifndef TCT_CLI_RENDER_H
#define TCT_CLI_RENDER_H

#include "audit/judge/namespace_reports.h"
#include "audit/judge/report.h"
#include "audit/judge/report_diff.h"
#include "audit/observe/snapshot.h"
#include "cli/page.h"
#include "tune/apply.h"

/* `audit` as text: everything, or one line a finding with --quiet. others: of --all-netns, or NULL.
 */
void tct_render_audit(const struct tct_page *page, const struct tct_options *options,
		      const struct tct_report *report, const struct tct_namespace_reports *others);

/* The findings in other namespaces, namespace by namespace; or a line each. own: of our own one. */
void tct_render_namespaces(const struct tct_page *page, const struct tct_options *options,
			   const struct tct_namespace_reports *others,
			   const struct tct_report *own);
void tct_render_namespaces_quiet(const struct tct_page *page,
				 const struct tct_namespace_reports *others);

/* How the commands of findings are run in a network namespace: "inside  ip netns exec NAME
 * COMMAND". */
void tct_render_inside(const struct tct_page *page, const char *netns);

/* A rule that simply had nothing to look at in so short a time, or without rates. */
bool tct_reason_is_dull(const char *reason);

/* What was seen: the host in one line, the eleven states, the listeners (all with verbose). */
void tct_render_host(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_observation *observation);
void tct_render_states(const struct tct_page *page, const struct tct_states *states);
void tct_render_listeners(const struct tct_page *page, bool verbose,
			  const struct tct_observation *observation);

/* What `snapshot` wrote to FILE, and what to do with it. */
void tct_render_snapshot(const struct tct_page *page, const char *file,
			 const struct tct_snapshot *snapshot, size_t bytes);

/* `diff` as text: what is new first; all that stayed with verbose, only what got worse with quiet.
 */
void tct_render_diff(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_diff *diff);

/* Who has the sockets: one line an owner. */
void tct_render_owners(const struct tct_page *page, const struct tct_observation *observation);

/* Ports, connection tracking, memory, the environment: a line each, if it says something. */
void tct_render_usage(const struct tct_page *page, bool verbose, const struct tct_report *report);

/* After apply or rollback: by what keeps them, the keys whose old values stay in what is there. */
void tct_render_keepers(const struct tct_page *page, const struct tct_apply_result *result);
/* The listeners that keep another limit than listen() gives now, by unit and process, and what
 * restarts them. */
void tct_render_restarts(const struct tct_page *page, const struct tct_apply_result *result);

/* Add "nginx[812] nginx.service", or why the owner isn't known; nothing if nobody asked. */
void tct_owner_add(struct tct_text *text, const struct tct_owner *owner);

/* "1,204", "~1,204" if it was scaled up from a part, "?" if it is not known (-1). Returns out. */
const char *tct_sampled_count(int64_t number, bool part, char out[TCT_NUMBER_TEXT]);

/* Add "from a sample of 16,384 in about 1,000,000, ±0.8 %"; nothing if each was looked at. */
void tct_sample_add(struct tct_text *text, const struct tct_page *page,
		    const struct tct_sample *sample);

/* How many findings at the front of findings[0..count) are of one rule and severity; count > 0. */
size_t tct_findings_alike(const struct tct_finding *findings, size_t count);

/*
 * Findings of one rule and severity: title and evidence of each; how many more there are (omitted,
 * or NULL); whose it is, why, remedy, never; references with verbose. What is the same for all is
 * printed once.
 */
void tct_render_findings(const struct tct_page *page, bool verbose,
			 const struct tct_finding *findings, size_t count,
			 const struct tct_omitted *omitted);

/* The same where what the rule says stands further up already: what was seen, and what to change.
 */
void tct_render_findings_again(const struct tct_page *page, const struct tct_finding *findings,
			       size_t count, const struct tct_omitted *omitted);

/* "and 495 more: 0.0.0.0:32801, ..." */
void tct_omitted_add(struct tct_text *text, const struct tct_omitted *omitted);

/* A line for each finding of a report, as --quiet has them; netns: where, or NULL. */
void tct_render_findings_quiet(const struct tct_page *page, const struct tct_report *report,
			       const char *netns);

/* The findings that suppressions.yaml takes out, by entry; others: of --all-netns, or NULL. */
void tct_render_suppressed(const struct tct_page *page, bool verbose,
			   const struct tct_report *report,
			   const struct tct_namespace_reports *others);

/* `apply` and its dry run, and `rollback`, as text; exit_code tells whether it failed. */
void tct_render_apply(const struct tct_page *page, const struct tct_options *options,
		      const struct tct_apply_result *result, int exit_code);
void tct_render_rollback(const struct tct_page *page, const struct tct_options *options,
			 const struct tct_apply_result *result, int exit_code);
void tct_render_confirm(const struct tct_page *page, const struct tct_options *options,
			const struct tct_apply_result *result, int exit_code);

/* Their part about kernel modules; nothing if there is nothing to say. */
void tct_render_modules(const struct tct_page *page, const struct tct_apply_result *result);

/* `check` as text. */
void tct_render_check(const struct tct_page *page, const struct tct_options *options,
		      const struct tct_check_result *result);

/* `history` as text: the list, or one transaction. */
void tct_render_history(const struct tct_page *page, const struct tct_options *options,
			const struct tct_journal *journal);
void tct_render_transaction(const struct tct_page *page, const struct tct_transaction *transaction);

/* The line that tells of an interrupted transaction (0 = none) and the way out, after a blank one.
 */
void tct_render_interrupted(const struct tct_page *page, const struct tct_options *options,
			    uint64_t id);

/* "applied", "rolled back", "undone by 7", "interrupted" ...: how a transaction stands. */
const char *tct_transaction_standing(const struct tct_transaction *transaction, char out[64]);

/* A value as /proc/sys has it, or `none` where there is none; owned by the caller, NULL on ENOMEM.
 */
char *tct_value_or(const struct tct_value *value, const char *none);

#endif
