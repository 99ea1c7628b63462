/* Judging the settings of the asked profiles against what is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/judge/judge_private.h"
#include "core/mem.h"

const char *tct_setting_status_name(enum tct_setting_status status)
{
	static const char *const names[] = {
		[TCT_SETTING_OK] = "ok",
		[TCT_SETTING_CHANGE] = "change",
		[TCT_SETTING_UNSUPPORTED] = "unsupported",
		[TCT_SETTING_REFUSED] = "refused",
	};

	return names[status];
}

static void say(struct tct_setting_verdict *verdict, enum tct_setting_status status,
		const char *reason)
{
	verdict->status = status;
	(void)snprintf(verdict->reason, sizeof(verdict->reason), "%s", reason);
}

/* Can this key be had here at all? */
static bool is_supported(struct tct_setting_verdict *verdict, const struct tct_report *report)
{
	const struct tct_kernel_key *key = verdict->setting->key;
	const struct tct_sysctl *live = &report->observation->sysctls[tct_kernel_key_index(key)];

	if (live->presence == TCT_ABSENT) {
		say(verdict, TCT_SETTING_UNSUPPORTED,
		    key->scope == TCT_SCOPE_HOST && !report->observation->host.netns.initial
			    ? "belongs to the host: not in this network namespace"
			    : "not in this kernel");
		return false;
	}
	if (live->presence == TCT_PRESENT && !live->writable) {
		say(verdict, TCT_SETTING_UNSUPPORTED, "read-only here");
		return false;
	}
	if (live->presence == TCT_UNREADABLE || live->presence == TCT_UNPARSED) {
		say(verdict, TCT_SETTING_REFUSED, "its live value can't be read");
		return false;
	}
	return true;
}

/* For a satisfied setting the bound itself is what is wanted; for the others what would be written.
 */
static int find_wanted(struct tct_setting_verdict *verdict, const struct tct_env *env,
		       const struct tct_value *now, bool satisfied, struct tct_err *err)
{
	const struct tct_setting *setting = verdict->setting;
	bool ours = false;
	int status = -ENODATA;

	if (satisfied)
		status = tct_bounds_target(setting->key, &setting->set, &setting->at_least,
					   &setting->at_most, env, NULL, &verdict->wanted, &ours,
					   NULL);
	if (status < 0 && status != -ENOMEM)
		status = tct_bounds_target(setting->key, &setting->set, &setting->at_least,
					   &setting->at_most, env, now, &verdict->wanted, &ours,
					   err);
	return status;
}

static int judge_setting(struct tct_report *report, struct tct_env *env,
			 struct tct_setting_verdict *verdict)
{
	const struct tct_setting *setting = verdict->setting;
	struct tct_value built_in;
	const struct tct_value *now;
	struct tct_err err = { 0 };
	bool satisfied = false;
	int status = 0;

	if (!is_supported(verdict, report))
		return 0;
	now = tct_observation_value(report->observation, setting->key);
	if (now == NULL && tct_host_looked_at(&report->observation->host) == TCT_SOURCE_ROOT &&
	    tct_value_default(setting->key, report->observation->host.kernel_version, &built_in))
		now = &built_in; /* a tree whose files don't set it */
	if (now != NULL)
		status = tct_bounds_satisfied(setting->key, &setting->set, &setting->at_least,
					      &setting->at_most, env, now, &satisfied, &err);
	if (status == 0)
		status = find_wanted(verdict, env, now, satisfied, &err);
	if (status == -ENOMEM)
		return status;
	if (status < 0) {
		char text[sizeof(err.message) + sizeof(err.file) + 32];

		say(verdict, TCT_SETTING_REFUSED, tct_err_text(&err, text, sizeof(text)));
		return 0;
	}

	const struct tct_never *never =
		tct_never_find(report->set, &report->facts, setting->key, &verdict->wanted);

	if (never != NULL && !satisfied)
		say(verdict, TCT_SETTING_REFUSED, never->because);
	else
		verdict->status = satisfied ? TCT_SETTING_OK : TCT_SETTING_CHANGE;
	return 0;
}

/* `requires` speaks of the state as it will be: live values with every wanted change made. */
static int check_requirements(struct tct_report *report, struct tct_env *env)
{
	TCT_AUTOFREE const struct tct_value **planned =
		calloc(tct_kernel_keys_count, sizeof(const struct tct_value *));

	if (planned == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < report->settings_count; i++) {
		const struct tct_setting_verdict *verdict = &report->settings[i];

		if (verdict->status == TCT_SETTING_CHANGE)
			planned[tct_kernel_key_index(verdict->setting->key)] = &verdict->wanted;
	}
	env->planned = planned;
	for (size_t i = 0; i < report->settings_count; i++) {
		struct tct_setting_verdict *verdict = &report->settings[i];
		const struct tct_setting *setting = verdict->setting;

		if (verdict->status != TCT_SETTING_CHANGE)
			continue;
		for (size_t j = 0; j < setting->requirements_count; j++) {
			struct tct_result result;

			tct_expr_eval(setting->requirements[j].expr, env, &result);
			if (result.status != TCT_STATUS_VALUE)
				say(verdict, TCT_SETTING_REFUSED, result.reason);
			else if (result.number == 0)
				(void)snprintf(verdict->reason, sizeof(verdict->reason),
					       "requires %s", setting->requirements[j].text);
			if (result.status == TCT_STATUS_VALUE && result.number == 0)
				verdict->status = TCT_SETTING_REFUSED;
		}
	}
	env->planned = NULL;
	return 0;
}

int tct_settings_judge(struct tct_report *report, struct tct_env *env)
{
	for (size_t i = 0; i < report->set->settings_count; i++) {
		struct tct_setting_verdict *verdict = TCT_APPEND(report, settings);

		if (verdict == NULL)
			return -ENOMEM;
		verdict->setting = &report->set->settings[i];

		int status = judge_setting(report, env, verdict);

		if (status < 0)
			return status;
	}
	return check_requirements(report, env);
}

void tct_settings_drop(struct tct_report *report)
{
	for (size_t i = 0; i < report->settings_count; i++)
		tct_value_done(&report->settings[i].wanted);
	free(report->settings);
	report->settings = NULL;
	report->settings_count = 0;
	report->settings_capacity = 0;
}
