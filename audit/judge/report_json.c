/* The audit document, tcptune.audit.v1. Its shape is a contract: docs/schemas. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/judge/report_json.h"
#include "core/json_text.h"
#include "core/mem.h"

/* What the files make of a key at the next boot: the value, and the line that decides it. */
static json_t *next_boot_json(const struct tct_observation *observation,
			      const struct tct_kernel_key *key, enum tct_boot_model model,
			      const struct tct_value *live)
{
	TCT_AUTO(tct_value_done) struct tct_value value = { 0 };
	const struct tct_file_line *line;

	if (observation->files == NULL || !observation->files_govern)
		return json_null();
	line = tct_sysctl_files_winner(observation->files, key->name, model, false);
	if (line == NULL)
		return json_null();
	if (tct_sysctl_files_value(observation->files, key, model, false, live, &value) < 0)
		return NULL;
	return json_pack("{s:o, s:o, s:I}", "value",
			 value.kind == TCT_VALUE_NONE ? json_null() : tct_value_json(&value),
			 "file", tct_json_text(line->file), "line", (json_int_t)line->line);
}

/* Lines that set the key and don't decide it under either model. */
static json_t *shadowed_json(const struct tct_observation *observation,
			     const struct tct_kernel_key *key)
{
	const struct tct_sysctl_files *files = observation->files;
	json_t *list = json_array();

	for (size_t i = 0; files != NULL && observation->files_govern && i < files->lines_count;
	     i++) {
		const struct tct_file_line *line = &files->lines[i];

		if (line->known != key || line->is_pattern || line->value == NULL ||
		    line->wins != 0 || line->read_by == 0 || line->twin != 0)
			continue;
		if (json_array_append_new(list, json_pack("{s:o, s:I, s:o}", "file",
							  tct_json_text(line->file), "line",
							  (json_int_t)line->line, "value",
							  tct_json_text(line->value))) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *drift_json(const struct tct_observation *observation, size_t index)
{
	switch (tct_observation_drift(observation, &tct_kernel_keys[index])) {
	case TCT_DRIFT_NONE:
		return json_false();
	case TCT_DRIFT_DIFFERS:
		return json_true();
	case TCT_DRIFT_UNKNOWN:
		break;
	}
	return json_null();
}

static json_t *sysctls_json(const struct tct_observation *observation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_kernel_key *key = &tct_kernel_keys[i];
		const struct tct_sysctl *live = &observation->sysctls[i];
		bool present = live->presence == TCT_PRESENT && live->value.kind != TCT_VALUE_NONE;
		const struct tct_value *value = present ? &live->value : NULL;
		json_t *entry = json_pack(
			"{s:s, s:o, s:s, s:s, s:s, s:{s:o, s:o}, s:o, s:o}", "key", key->name,
			"value", present ? tct_value_json(value) : json_null(), "unit",
			tct_unit_name(key->unit), "scope",
			key->scope == TCT_SCOPE_HOST ? "host" : "netns", "presence",
			tct_presence_name(live->presence), "next_boot", "systemd",
			next_boot_json(observation, key, TCT_BOOT_SYSTEMD, value), "procps",
			next_boot_json(observation, key, TCT_BOOT_PROCPS, value), "shadowed",
			shadowed_json(observation, key), "drift", drift_json(observation, i));

		if (json_array_append_new(list, entry) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Counters that moved while we looked, per second. */
static json_t *rates_json(const struct tct_observation *observation)
{
	json_t *rates = json_object();
	double interval_s = (double)observation->interval_ns / 1e9;

	for (size_t i = 0; i < tct_counters_count; i++) {
		const struct tct_counter_reading *reading = &observation->counters[i];
		int64_t growth;

		if (tct_counters[i].gauge || reading->presence != TCT_PRESENT ||
		    observation->interval_ns <= 0 || reading->last <= reading->first)
			continue;
		growth = reading->last - reading->first;
		if (json_object_set_new(rates, tct_counters[i].name,
					json_real((double)growth / interval_s)) != 0) {
			json_decref(rates);
			return NULL;
		}
	}
	return rates;
}

static json_t *settings_json(const struct tct_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->settings_count; i++) {
		const struct tct_setting_verdict *verdict = &report->settings[i];
		const struct tct_value *live =
			tct_observation_value(report->observation, verdict->setting->key);
		json_t *entry = json_pack(
			"{s:s, s:o, s:o, s:s, s:s, s:o}", "key", verdict->setting->key->name,
			"live", live == NULL ? json_null() : tct_value_json(live), "wanted",
			verdict->wanted.kind == TCT_VALUE_NONE ? json_null()
							       : tct_value_json(&verdict->wanted),
			"status", tct_setting_status_name(verdict->status), "because",
			verdict->setting->because, "reason",
			tct_json_text_or_null(verdict->reason));

		if (json_array_append_new(list, entry) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *evidence_json(const struct tct_evidence *evidence)
{
	const struct tct_result *result = &evidence->result;
	const char *unit = "";
	bool whole = true;
	json_t *value;
	char version[32];
	double number;

	switch (result->type.kind) {
	case TCT_KIND_BOOL:
		value = json_boolean(result->number != 0);
		break;
	case TCT_KIND_TEXT:
		value = tct_json_text(evidence->text);
		break;
	case TCT_KIND_VERSION:
		value = tct_json_text(tct_version_text(result->number, version));
		break;
	case TCT_KIND_NUMBER:
	default:
		number = tct_result_number(result, &unit, &whole);
		value = whole ? json_integer((json_int_t)number) : json_real(number);
		break;
	}
	return json_pack("{s:s, s:o, s:s}", "name", evidence->name, "value", value, "unit", unit);
}

static json_t *remedy_json(const struct tct_finding *finding)
{
	json_t *sysctls = json_array();
	json_t *commands = json_array();
	int failed = 0;

	for (size_t i = 0; i < finding->sysctls_count; i++) {
		const struct tct_sysctl_change *change = &finding->sysctls[i];

		failed |= json_array_append_new(
			sysctls, json_pack("{s:s, s:o, s:o}", "key", change->key->name, "from",
					   change->from.kind == TCT_VALUE_NONE
						   ? json_null()
						   : tct_value_json(&change->from),
					   "to", tct_value_json(&change->to)));
	}
	for (size_t i = 0; i < finding->commands_count; i++)
		failed |= json_array_append_new(commands, tct_json_text(finding->commands[i]));
	if (failed != 0) {
		json_decref(sysctls);
		json_decref(commands);
		return NULL;
	}
	return json_pack("{s:o, s:o, s:o}", "sysctls", sysctls, "application",
			 tct_json_text_or_null(finding->application), "commands", commands);
}

static json_t *finding_json(const struct tct_finding *finding)
{
	const struct tct_rule *rule = finding->rule;
	json_t *evidence = json_array();
	json_t *never = json_array();
	json_t *references = json_array();
	int failed = 0;

	for (size_t i = 0; i < finding->evidence_count; i++)
		failed |= json_array_append_new(evidence, evidence_json(&finding->evidence[i]));
	for (size_t i = 0; i < rule->never_count; i++)
		failed |= json_array_append_new(never,
						json_pack("{s:s, s:s}", "what", rule->never[i].what,
							  "because", rule->never[i].because));
	for (size_t i = 0; i < rule->references_count; i++)
		failed |= json_array_append_new(references, tct_json_text(rule->references[i]));
	if (failed != 0) {
		json_decref(evidence);
		json_decref(never);
		json_decref(references);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", rule->id,
			 "severity", tct_severity_name(finding->severity), "cause",
			 tct_cause_name(rule->cause), "title", tct_json_text(finding->title),
			 "subject", tct_json_text_or_null(finding->subject), "evidence", evidence,
			 "why", tct_json_text_or_null(finding->why), "remedy", remedy_json(finding),
			 "never", never, "references", references);
}

static json_t *findings_json(const struct tct_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->findings_count; i++) {
		if (json_array_append_new(list, finding_json(&report->findings[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Findings beyond the top of their rule. */
static json_t *omitted_json(const struct tct_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->omitted_count; i++) {
		const struct tct_omitted *omitted = &report->omitted[i];
		json_t *subjects = json_array();
		json_t *entry;
		int failed = 0;

		for (size_t k = 0; k < omitted->subjects_count; k++)
			failed |= json_array_append_new(subjects,
							tct_json_text(omitted->subjects[k]));
		entry = json_pack("{s:s, s:s, s:I, s:o}", "id", omitted->rule->id, "severity",
				  tct_severity_name(omitted->severity), "count",
				  (json_int_t)omitted->count, "subjects", subjects);
		failed |= json_array_append_new(list, entry);
		if (failed != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *suppressed_json(const struct tct_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->suppressed_count; i++) {
		const struct tct_suppressed *suppressed = &report->suppressed[i];
		json_t *entry = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "id", suppressed->id,
					  "severity", tct_severity_name(suppressed->severity),
					  "subject", tct_json_text_or_null(suppressed->subject),
					  "title", tct_json_text(suppressed->title), "reason",
					  tct_json_text(suppressed->by->reason), "expires",
					  tct_json_text_or_null(suppressed->by->expires));

		if (json_array_append_new(list, entry) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *not_evaluated_json(const struct tct_report *report)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < report->not_evaluated_count; i++) {
		json_t *entry = json_pack("{s:s, s:o}", "id", report->not_evaluated[i].id, "reason",
					  tct_json_text(report->not_evaluated[i].reason));

		if (json_array_append_new(rules, entry) != 0) {
			json_decref(rules);
			return NULL;
		}
	}
	return rules;
}

/* What another finding explains. */
static json_t *explained_json(const struct tct_report *report)
{
	json_t *explained = json_array();

	for (size_t i = 0; i < report->explained_count; i++) {
		json_t *entry = json_pack("{s:s, s:s}", "id", report->explained[i].id, "by",
					  report->explained[i].by);

		if (json_array_append_new(explained, entry) != 0) {
			json_decref(explained);
			return NULL;
		}
	}
	return explained;
}

/* What could not be seen. */
static json_t *gaps_json(const struct tct_observation *observation)
{
	json_t *gaps = json_array();

	for (size_t i = 0; i < observation->gaps_count; i++) {
		json_t *entry =
			json_pack("{s:o, s:o}", "what", tct_json_text(observation->gaps[i].what),
				  "reason", tct_json_text(observation->gaps[i].why));

		if (json_array_append_new(gaps, entry) != 0) {
			json_decref(gaps);
			return NULL;
		}
	}
	return gaps;
}

static json_t *summary_json(const struct tct_report *report)
{
	json_t *summary = json_object();
	int failed = 0;

	for (enum tct_severity severity = TCT_SEVERITY_CRITICAL; severity < TCT_SEVERITY_LIMIT;
	     severity++)
		failed |= json_object_set_new(
			summary, tct_severity_name(severity),
			json_integer((json_int_t)report->by_severity[severity]));
	failed |= json_object_set_new(summary, "suppressed",
				      json_integer((json_int_t)report->suppressed_count));
	if (failed != 0) {
		json_decref(summary);
		return NULL;
	}
	return summary;
}

json_t *tct_report_json(const struct tct_report *report)
{
	const struct tct_observation *observation = report->observation;
	json_t *document = json_object();
	json_t *profiles = json_array();
	int failed = 0;

	for (size_t i = 0; i < report->set->names_count; i++)
		failed |= json_array_append_new(profiles, tct_json_text(report->set->names[i]));
	failed |= json_object_set_new(document, "schema", tct_json_text("tcptune.audit.v1"));
	failed |= json_object_set_new(document, "profiles", profiles);
	failed |= tct_report_add_look(report, document);
	failed |= json_object_set_new(document, "rates", rates_json(observation));
	failed |= json_object_set_new(document, "sysctls", sysctls_json(observation));
	failed |= json_object_set_new(document, "settings", settings_json(report));
	failed |= json_object_set_new(document, "findings", findings_json(report));
	failed |= json_object_set_new(document, "omitted", omitted_json(report));
	failed |= json_object_set_new(document, "suppressed", suppressed_json(report));
	failed |= json_object_set_new(document, "not_evaluated", not_evaluated_json(report));
	failed |= json_object_set_new(document, "not_seen", gaps_json(observation));
	failed |= json_object_set_new(document, "explained", explained_json(report));
	failed |= json_object_set_new(document, "summary", summary_json(report));
	if (failed != 0) {
		json_decref(document);
		return NULL;
	}
	return document;
}

json_t *tct_report_namespace_json(const struct tct_report *report,
				  const struct tct_namespace *namespace_)
{
	const struct tct_observation *observation = report->observation;
	json_t *document = json_object();
	json_t *netns = json_pack(
		"{s:o, s:I, s:b, s:o, s:o, s:o}", "name", tct_json_text_or_null(namespace_->name),
		"inode", (json_int_t)namespace_->inode, "initial", observation->host.netns.initial,
		"pid", namespace_->pid == 0 ? json_null() : json_integer(namespace_->pid), "comm",
		tct_json_text_or_null(namespace_->comm), "unit",
		tct_json_text_or_null(namespace_->unit));
	int failed = json_object_set_new(document, "netns", netns);

	failed |= tct_report_add_short_look(observation, document);
	failed |= json_object_set_new(document, "rates", rates_json(observation));
	failed |= json_object_set_new(document, "settings", settings_json(report));
	failed |= json_object_set_new(document, "findings", findings_json(report));
	failed |= json_object_set_new(document, "omitted", omitted_json(report));
	failed |= json_object_set_new(document, "suppressed", suppressed_json(report));
	failed |= json_object_set_new(document, "not_evaluated", not_evaluated_json(report));
	failed |= json_object_set_new(document, "explained", explained_json(report));
	failed |= json_object_set_new(document, "summary", summary_json(report));
	if (failed != 0) {
		json_decref(document);
		return NULL;
	}
	return document;
}
