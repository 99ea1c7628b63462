#include "audit/judge/namespace_reports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/judge_private.h"
#include "core/mem.h"

static void drop_report(struct tct_report *const *report)
{
	tct_report_free(*report);
}

static size_t count_differing(const struct tct_report *report)
{
	size_t differing = 0;

	for (size_t i = 0; i < report->settings_count; i++)
		differing += report->settings[i].status == TCT_SETTING_CHANGE ? 1 : 0;
	return differing;
}

static int note_unjudged(struct tct_namespace_reports *reports, const struct tct_report *report)
{
	for (size_t i = 0; i < report->not_evaluated_count; i++) {
		const struct tct_not_evaluated *entry = &report->not_evaluated[i];
		struct tct_unjudged *unjudged = NULL;

		for (size_t j = 0; j < reports->unjudged_count && unjudged == NULL; j++) {
			if (reports->unjudged[j].id == entry->id)
				unjudged = &reports->unjudged[j];
		}
		if (unjudged == NULL) {
			unjudged = TCT_APPEND(reports, unjudged);
			if (unjudged == NULL)
				return -ENOMEM;
			unjudged->id = entry->id;
			memcpy(unjudged->reason, entry->reason, sizeof(unjudged->reason));
		}
		unjudged->namespaces++;
	}
	return 0;
}

/* Keep the findings; what they were made of is let go. */
static int keep(struct tct_namespace_reports *reports, const struct tct_namespace *where,
		const struct tct_observation *observation, struct tct_report **report)
{
	struct tct_namespace_report *item;
	size_t differing = count_differing(*report);

	for (size_t i = 0; i < TCT_SEVERITY_LIMIT; i++)
		reports->by_severity[i] += (*report)->by_severity[i];
	reports->suppressed += (*report)->suppressed_count;
	if ((*report)->findings_count == 0) {
		reports->quiet_differing += differing > 0 ? 1 : 0;
		return 0;
	}
	item = TCT_APPEND(reports, items);
	if (item == NULL)
		return -ENOMEM;
	item->where = *where;
	item->where.fd = -1;
	item->settings_differing = differing;
	item->counted = observation->states.method != TCT_METHOD_NONE;
	memcpy(item->counts, observation->states.counts, sizeof(item->counts));
	item->report = TCT_STEAL(*report);
	item->report->observation = NULL;
	tct_settings_drop(item->report);
	return 0;
}

static int judge(const struct tct_namespace_reports *reports,
		 const struct tct_observation *observation, struct tct_report **report,
		 struct tct_err *err)
{
	struct tct_facts facts = *reports->facts;
	bool initial = observation->host.netns.initial;
	struct tct_judge_options options = reports->options;

	options.needs = initial ? NULL : reports->needs;
	facts.initial_namespace = initial;
	return tct_judge(observation, reports->set, &facts, &options, report, err);
}

/* The document's lines, two levels in. 0 or -ENOMEM. */
static int keep_document(struct tct_namespace_reports *reports, const struct tct_namespace *where,
			 const struct tct_report *report)
{
	struct tct_text *text = &reports->documents;
	json_t *document = tct_report_namespace_json(report, where);
	TCT_AUTOFREE char *lines =
		document == NULL ? NULL : json_dumps(document, reports->json_flags);

	json_decref(document);
	if (lines == NULL)
		return -ENOMEM;
	tct_text_add(text, text->length > 0 ? "," : "");
	for (const char *line = lines; line != NULL;) {
		const char *end = strchr(line, '\n'); /* within strings it is written as \n */

		tct_text_add(text, "\n    ");
		tct_text_add_bytes(text, line, end != NULL ? (size_t)(end - line) : strlen(line));
		line = end != NULL ? end + 1 : NULL;
	}
	return text->failed ? -ENOMEM : 0;
}

int tct_namespace_reports_add(struct tct_namespace_reports *reports,
			      const struct tct_namespace *where,
			      const struct tct_observation *observation, struct tct_err *err)
{
	TCT_AUTO(drop_report) struct tct_report *report = NULL;
	int code = judge(reports, observation, &report, err);

	if (code < 0)
		return code;
	reports->judged++;
	if (reports->with_documents && keep_document(reports, where, report) < 0)
		return tct_err_nomem(err);
	if (note_unjudged(reports, report) < 0 ||
	    tct_shared_gaps_add(&reports->gaps, where->name, observation) < 0 ||
	    keep(reports, where, observation, &report) < 0)
		return tct_err_nomem(err);
	return 0;
}

int tct_namespace_reports_add_saved(struct tct_namespace_reports *reports,
				    struct tct_observation *const *observations, size_t count,
				    bool *initial, struct tct_err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct tct_netns *netns = &observations[i]->host.netns;
		struct tct_namespace where;
		int code;

		/* what is the host's is judged there */
		if (!netns->initial)
			tct_needs_narrow(reports->needs, observations[i]);
		*initial |= netns->initial;
		tct_namespace_of(netns, &where);
		code = tct_namespace_reports_add(reports, &where, observations[i], err);
		if (code < 0)
			return code;
	}
	return 0;
}

const struct tct_observation *
tct_namespace_reports_first(const struct tct_observation *own,
			    struct tct_observation *const *observations, size_t count)
{
	if (own->host.netns.initial)
		return own;
	for (size_t i = 0; i < count; i++) {
		if (observations[i]->host.netns.initial)
			return observations[i];
	}
	return NULL;
}

static int worse_first(const void *left, const void *right)
{
	const struct tct_namespace_report *a = (const struct tct_namespace_report *)left;
	const struct tct_namespace_report *b = (const struct tct_namespace_report *)right;

	for (size_t i = 0; i < TCT_SEVERITY_LIMIT; i++) {
		if (a->report->by_severity[i] != b->report->by_severity[i])
			return a->report->by_severity[i] > b->report->by_severity[i] ? -1 : 1;
	}
	return strverscmp(a->where.name, b->where.name);
}

int tct_namespace_reports_settle(struct tct_namespace_reports *reports, struct tct_observation *own)
{
	if (reports->items_count > 1)
		qsort(reports->items, reports->items_count, sizeof(*reports->items), worse_first);
	return tct_shared_gaps_tell(&reports->gaps, own);
}

void tct_namespace_reports_done(struct tct_namespace_reports *reports)
{
	for (size_t i = 0; i < reports->items_count; i++)
		tct_report_free(reports->items[i].report);
	free(reports->items);
	free(reports->unjudged);
	tct_shared_gaps_done(&reports->gaps);
	tct_text_done(&reports->documents);
	*reports = (struct tct_namespace_reports){ .items = NULL };
}

int tct_namespace_reports_into(const struct tct_namespace_reports *reports,
			       const struct tct_report *own, json_t *document)
{
	json_t *summary = json_object();
	size_t suppressed;
	int failed = 0;

	for (enum tct_severity severity = TCT_SEVERITY_CRITICAL; severity < TCT_SEVERITY_LIMIT;
	     severity++) {
		size_t all = own->by_severity[severity] + reports->by_severity[severity];

		failed |= json_object_set_new(summary, tct_severity_name(severity),
					      json_integer((json_int_t)all));
	}
	suppressed = own->suppressed_count + reports->suppressed;
	failed |= json_object_set_new(summary, "suppressed", json_integer((json_int_t)suppressed));
	failed |= json_object_set_new(document, "summary", summary);
	return failed != 0 ? -ENOMEM : 0;
}

json_t *tct_namespace_reports_list(const struct tct_namespace_reports *reports)
{
	TCT_AUTO(tct_text_done) struct tct_text list = { 0 };

	tct_text_add(&list, "[");
	tct_text_add_bytes(&list, reports->documents.data, reports->documents.length);
	tct_text_add(&list, "]");
	return list.failed ? NULL : json_loadb(list.data, list.length, 0, NULL);
}
