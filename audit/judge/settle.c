/* All rules were judged: which findings are told, and in what order. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/judge_private.h"
#include "audit/rules/arena.h"
#include "core/mem.h"

enum { OMITTED_CHARACTERS = 200 }; /* of the subjects told of those beyond the top */

/* ---- order ---- */

static int compare_subjects(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_items(const struct tct_finding *a, const struct tct_finding *b)
{
	if (a->order != b->order) /* not known, the least of all numbers, comes last */
		return a->order > b->order ? -1 : 1;
	return (a->item > b->item) - (a->item < b->item);
}

/* Those of a rule side by side, and among them those of a subject, the worst one first. */
static int by_rule(const void *left, const void *right)
{
	const struct tct_finding *a = left;
	const struct tct_finding *b = right;
	int order = (a->rule > b->rule) - (a->rule < b->rule);

	if (order == 0)
		order = compare_subjects(a->subject, b->subject);
	if (order == 0)
		order = (a->severity > b->severity) - (a->severity < b->severity);
	if (order == 0)
		order = strcmp(a->title, b->title);
	return order != 0 ? order : compare_items(a, b);
}

static int worse_first(const void *left, const void *right)
{
	const struct tct_finding *a = left;
	const struct tct_finding *b = right;

	if (a->severity != b->severity)
		return a->severity < b->severity ? -1 : 1;
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	return compare_items(a, b);
}

static void sort(struct tct_report *report, int (*compare)(const void *, const void *))
{
	if (report->findings_count > 1)
		qsort(report->findings, report->findings_count, sizeof(*report->findings), compare);
}

/* Move findings[from] to the end of those kept. */
static void keep(struct tct_report *report, size_t from, size_t *kept)
{
	if (*kept != from) {
		report->findings[*kept] = report->findings[from];
		report->findings[from] = (struct tct_finding){ 0 };
	}
	(*kept)++;
}

/* ---- root causes ---- */

/* The findings of one rule: [first, end), by subject. */
struct range {
	size_t first;
	size_t end;
	enum tct_severity worst;
};

static void find_ranges(const struct tct_report *report, struct range *ranges)
{
	for (size_t i = 0; i < report->findings_count; i++) {
		const struct tct_finding *finding = &report->findings[i];
		struct range *range = &ranges[finding->rule - report->set->rules];

		if (range->end == 0)
			*range = (struct range){ i, i, finding->severity };
		range->end = i + 1;
		if (finding->severity < range->worst)
			range->worst = finding->severity;
	}
}

/* The worst finding of the range that is about the subject: its severity, LIMIT if there is none.
 */
static enum tct_severity worst_about(const struct tct_report *report, const struct range *range,
				     const char *subject)
{
	size_t first = range->first;
	size_t end = range->end;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (compare_subjects(report->findings[middle].subject, subject) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	if (first < range->end && compare_subjects(report->findings[first].subject, subject) == 0)
		return report->findings[first].severity;
	return TCT_SEVERITY_LIMIT;
}

/* A root cause is worse, or as bad and of an earlier rule: so no circle can explain itself away. */
static bool is_cause(enum tct_severity cause, const struct tct_rule *cause_rule,
		     const struct tct_finding *finding)
{
	return cause < finding->severity ||
	       (cause == finding->severity && cause_rule < finding->rule);
}

/* Mark what findings of `cause` explain among those of `rule`. 0 or -ENOMEM. */
static int explain_rule(struct tct_report *report, const struct range *ranges,
			const struct tct_rule *cause, const struct tct_rule *rule, bool *explained)
{
	const struct range *causes = &ranges[cause - report->set->rules];
	const struct range *range = &ranges[rule - report->set->rules];
	bool same_subject = cause->each == rule->each;
	struct tct_explained *entry;
	bool any = false;

	for (size_t i = range->first; i < range->end; i++) {
		const struct tct_finding *finding = &report->findings[i];

		if (explained[i] ||
		    !is_cause(same_subject ? worst_about(report, causes, finding->subject)
					   : causes->worst,
			      cause, finding))
			continue;
		explained[i] = true;
		any = true;
	}
	if (!any)
		return 0;
	entry = TCT_APPEND(report, explained);
	if (entry == NULL)
		return -ENOMEM;
	entry->id = rule->id;
	entry->by = cause->id;
	return 0;
}

/* Decided on the whole list: a finding that is itself explained still explains. 0 or -ENOMEM. */
static int explain(struct tct_report *report, const struct range *ranges, bool *explained)
{
	const struct tct_profile_set *set = report->set;

	for (size_t i = 0; i < set->rules_count; i++) {
		const struct tct_rule *cause = &set->rules[i];

		for (size_t k = 0; ranges[i].end > 0 && k < cause->explains_count; k++) {
			for (size_t j = 0; j < set->rules_count; j++) {
				if (strcmp(set->rules[j].id, cause->explains[k]) != 0)
					continue;
				if (explain_rule(report, ranges, cause, &set->rules[j], explained) <
				    0)
					return -ENOMEM;
				break;
			}
		}
	}
	return 0;
}

static int drop_explained(struct tct_report *report)
{
	TCT_AUTOFREE struct range *ranges = calloc(report->set->rules_count, sizeof(*ranges));
	TCT_AUTOFREE bool *explained = calloc(report->findings_count, sizeof(*explained));
	size_t kept = 0;

	if (ranges == NULL || explained == NULL)
		return -ENOMEM;
	find_ranges(report, ranges);
	if (explain(report, ranges, explained) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < report->findings_count; i++) {
		if (explained[i])
			tct_finding_done(&report->findings[i]);
		else
			keep(report, i, &kept);
	}
	report->findings_count = kept;
	return 0;
}

/* ---- said twice ---- */

/* Siblings of one SO_REUSEPORT group can give the same finding word for word: once is enough. */
static bool is_repeated(const struct tct_finding *before, const struct tct_finding *finding)
{
	return before->rule == finding->rule && before->severity == finding->severity &&
	       before->subject != NULL && finding->subject != NULL &&
	       strcmp(before->subject, finding->subject) == 0 &&
	       strcmp(before->title, finding->title) == 0;
}

/* By rule and subject: what is repeated stands side by side. */
static void drop_repeated(struct tct_report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->findings_count; i++) {
		if (kept > 0 && is_repeated(&report->findings[kept - 1], &report->findings[i]))
			tct_finding_done(&report->findings[i]);
		else
			keep(report, i, &kept);
	}
	report->findings_count = kept;
}

/* ---- suppressed ---- */

static int suppress(struct tct_report *report, struct tct_finding *finding,
		    const struct tct_suppression *by)
{
	struct tct_suppressed *entry = TCT_APPEND(report, suppressed);

	if (entry == NULL)
		return -ENOMEM;
	*entry = (struct tct_suppressed){
		.id = finding->rule->id,
		.severity = finding->severity,
		.subject = TCT_STEAL(finding->subject),
		.title = TCT_STEAL(finding->title),
		.by = by,
	};
	tct_finding_done(finding);
	return 0;
}

/* Take out what is suppressed; what it explained stays explained. 0 or -ENOMEM. */
static int drop_suppressed(struct tct_report *report, const struct tct_suppressions *suppressions)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->findings_count; i++) {
		struct tct_finding *finding = &report->findings[i];
		const struct tct_suppression *by =
			tct_suppressions_find(suppressions, finding->rule->id, finding->subject);

		if (by == NULL)
			keep(report, i, &kept);
		else if (suppress(report, finding, by) < 0)
			return -ENOMEM;
	}
	report->findings_count = kept;
	return 0;
}

/* ---- the top ---- */

/* Add a subject to those that are named: each once, as long as there is room. 0 or -ENOMEM. */
static int name_subject(struct tct_omitted *omitted, struct tct_finding *finding, size_t *room)
{
	const char *last =
		omitted->subjects_count > 0 ? omitted->subjects[omitted->subjects_count - 1] : NULL;
	size_t length = finding->subject != NULL ? strlen(finding->subject) + 2 : 0;
	char **subject;

	if (length == 0 || (last != NULL && strcmp(last, finding->subject) == 0))
		return 0;
	if (length > *room && last != NULL) {
		*room = 0;
		return 0;
	}
	*room -= length < *room ? length : *room;
	subject = TCT_APPEND(omitted, subjects);
	if (subject == NULL)
		return -ENOMEM;
	*subject = TCT_STEAL(finding->subject);
	return 0;
}

/* Count findings[first, end), which are of one rule and severity, and let them go. 0 or -ENOMEM. */
static int omit(struct tct_report *report, size_t first, size_t end)
{
	struct tct_omitted *omitted = TCT_APPEND(report, omitted);
	size_t room = OMITTED_CHARACTERS;
	int status = 0;

	if (omitted == NULL)
		return -ENOMEM;
	omitted->rule = report->findings[first].rule;
	omitted->severity = report->findings[first].severity;
	omitted->count = end - first;
	for (size_t i = first; i < end; i++) {
		if (status == 0)
			status = name_subject(omitted, &report->findings[i], &room);
		tct_finding_done(&report->findings[i]);
	}
	return status;
}

/* Worst first: of each rule and severity the first ones stay. 0 or -ENOMEM. */
static int keep_top(struct tct_report *report)
{
	size_t kept = 0;
	size_t end;

	for (size_t first = 0; first < report->findings_count; first = end) {
		const struct tct_rule *rule = report->findings[first].rule;
		enum tct_severity severity = report->findings[first].severity;
		size_t top = rule->top > 0 ? rule->top : TCT_TOP_DEFAULT;

		for (end = first; end < report->findings_count; end++) {
			if (report->findings[end].rule != rule ||
			    report->findings[end].severity != severity)
				break;
		}
		for (size_t i = first; i < end && i - first < top; i++)
			keep(report, i, &kept);
		if (end - first > top && omit(report, first + top, end) < 0)
			return -ENOMEM;
	}
	report->findings_count = kept;
	return 0;
}

int tct_findings_settle(struct tct_report *report, struct tct_env *env, bool all)
{
	if (report->findings_count == 0)
		return 0;
	sort(report, by_rule);
	if (drop_explained(report) < 0)
		return -ENOMEM;
	drop_repeated(report);
	sort(report, worse_first);
	if (env->suppressions != NULL && drop_suppressed(report, env->suppressions) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < report->findings_count; i++)
		report->by_severity[report->findings[i].severity]++;
	if (!all && keep_top(report) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < report->findings_count; i++) {
		tct_arena_reset(env->scratch);
		if (tct_finding_fill(&report->findings[i], env) < 0)
			return -ENOMEM;
	}
	return 0;
}
