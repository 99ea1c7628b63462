#include "cli/profile_view.h"

#include <string.h>

#include "core/json_text.h"
#include "core/mem.h"

static json_t *value_or_null(const struct tct_value *value)
{
	return value == NULL || value->kind == TCT_VALUE_NONE ? json_null() : tct_value_json(value);
}

static json_t *bound_json(const struct tct_kernel_key *key, const struct tct_bound *bound)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (!bound->given)
		return json_null();
	tct_bound_source(key, bound, &text);
	return tct_json_text(tct_text_string(&text));
}

static json_t *variables_json(const struct tct_profile_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->variables_count; i++) {
		const struct tct_variable *variable = &set->variables[i];
		TCT_AUTO(tct_text_done) struct tct_text value = { 0 };

		if (variable->value.status == TCT_STATUS_VALUE)
			tct_result_print(&variable->value, &value);

		json_t *entry =
			json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", variable->name,
				  "expression", tct_expr_source(variable->expr), "value",
				  tct_json_text_or_null(value.data), "missing",
				  variable->value.status == TCT_STATUS_VALUE
					  ? json_null()
					  : tct_json_text_or_null(variable->value.reason),
				  "summary", tct_json_text_or_null(variable->summary), "profile",
				  tct_json_text(variable->profile), "overridden_by",
				  tct_json_text_or_null(variable->origin));

		if (json_array_append_new(list, entry) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *setting_json(const struct tct_report *report,
			    const struct tct_setting_verdict *verdict)
{
	const struct tct_setting *setting = verdict->setting;
	json_t *requires = json_array();

	for (size_t i = 0; i < setting->requirements_count; i++) {
		if (json_array_append_new(requires, tct_json_text(setting->requirements[i].text)) !=
		    0) {
			json_decref(requires);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "key",
			 setting->key->name, "set", bound_json(setting->key, &setting->set),
			 "at_least", bound_json(setting->key, &setting->at_least), "at_most",
			 bound_json(setting->key, &setting->at_most), "requires", requires, "live",
			 value_or_null(tct_observation_value(report->observation, setting->key)),
			 "wanted", value_or_null(&verdict->wanted), "status",
			 tct_setting_status_name(verdict->status), "reason",
			 tct_json_text_or_null(verdict->reason), "because",
			 tct_json_text_or_null(setting->because), "profile",
			 tct_json_text(setting->profile));
}

static json_t *settings_json(const struct tct_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->settings_count; i++) {
		if (json_array_append_new(list, setting_json(report, &report->settings[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *version_or_null(tct_version version)
{
	char text[32];

	return version != 0 ? json_string(tct_version_text(version, text)) : json_null();
}

static json_t *source_or_null(const struct tct_expr *expr)
{
	return expr != NULL ? json_string(tct_expr_source(expr)) : json_null();
}

static json_t *rule_json(const struct tct_rule *rule)
{
	json_t *severities = json_array();

	for (enum tct_severity severity = TCT_SEVERITY_CRITICAL; severity < TCT_SEVERITY_LIMIT;
	     severity++) {
		if (rule->severity_given[severity] &&
		    json_array_append_new(severities, tct_json_text(tct_severity_name(severity))) !=
			    0) {
			json_decref(severities);
			severities = NULL;
		}
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:I, s:s, s:o}", "id",
			 rule->id, "each",
			 rule->each == TCT_EACH_NONE ? json_null()
						     : tct_json_text(tct_each_name(rule->each)),
			 "since", version_or_null(rule->since), "until",
			 version_or_null(rule->until), "severities", severities, "cause",
			 tct_cause_name(rule->cause), "when", tct_expr_source(rule->when),
			 "for_at_least", source_or_null(rule->for_at_least), "sort",
			 source_or_null(rule->sort), "top", (json_int_t)rule->top, "title",
			 tct_template_source(rule->title), "profile", tct_json_text(rule->profile));
}

static json_t *rules_json(const struct tct_profile_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->rules_count; i++) {
		if (json_array_append_new(list, rule_json(&set->rules[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *never_json(const struct tct_profile_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->never_count; i++) {
		const struct tct_never *never = &set->never[i];

		if (json_array_append_new(
			    list, json_pack("{s:s, s:s, s:s, s:o}", "key", never->key->name, "when",
					    tct_expr_source(never->when), "because", never->because,
					    "profile", tct_json_text(never->profile))) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *tct_profile_show_json(const struct tct_report *report, const char *origin)
{
	const struct tct_profile_set *set = report->set;

	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "schema",
			 "tcptune.profile.v1", "name", tct_json_text(set->names[0]), "origin",
			 tct_json_text(origin), "summary", tct_json_text_or_null(set->summary),
			 "sha256", set->sha256, "variables", variables_json(set), "settings",
			 settings_json(report), "rules", rules_json(set), "never", never_json(set));
}

json_t *tct_profile_list_json(const struct tct_profile_info *infos, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		if (json_array_append_new(
			    list,
			    json_pack("{s:o, s:o, s:o, s:o}", "name", tct_json_text(infos[i].name),
				      "origin", tct_json_text(infos[i].origin), "summary",
				      tct_json_text_or_null(infos[i].summary), "error",
				      tct_json_text_or_null(infos[i].error))) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o}", "schema", "tcptune.profile.v1", "profiles", list);
}
