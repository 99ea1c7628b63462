/* The shipped profiles: they load alone and together, and never set what they themselves refuse. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/profile.h"
#include "core/mem.h"

/* From a small virtual machine to a large server; the last knows nothing of its host. */
static struct tct_facts facts_of(size_t i)
{
	static const int64_t memory[] = { INT64_C(1) << 28, INT64_C(1) << 30, INT64_C(24) << 30,
					  INT64_C(2) << 40 };
	struct tct_facts facts = { .initial_namespace = true };

	if (i >= TCT_COUNT(memory))
		return facts;
	facts.known[TCT_FACT_KERNEL] = true;
	facts.value[TCT_FACT_KERNEL] = TCT_VERSION(6, 1);
	facts.known[TCT_FACT_MEM_TOTAL] = true;
	facts.value[TCT_FACT_MEM_TOTAL] = memory[i];
	facts.known[TCT_FACT_CPUS] = true;
	facts.value[TCT_FACT_CPUS] = 2;
	facts.known[TCT_FACT_PAGE_SIZE] = true;
	facts.value[TCT_FACT_PAGE_SIZE] = 4096;
	return facts;
}

enum { HOSTS = 5 };

static bool refused(const struct tct_profile_set *set, const struct tct_facts *facts,
		    const struct tct_kernel_key *key, const struct tct_value *value)
{
	const struct tct_env env = { .facts = facts, .variables = set->variables, .value = value };

	for (size_t i = 0; i < set->never_count; i++) {
		struct tct_result result;

		if (set->never[i].key != key)
			continue;
		tct_expr_eval(set->never[i].when, &env, &result);
		if (result.status == TCT_STATUS_VALUE && result.number != 0)
			return true;
	}
	return false;
}

static void check_settings(const struct tct_profile_set *set, const struct tct_facts *facts)
{
	const struct tct_env env = { .facts = facts, .variables = set->variables };

	for (size_t i = 0; i < set->settings_count; i++) {
		const struct tct_setting *setting = &set->settings[i];
		TCT_AUTO(tct_value_done) struct tct_value wanted = { 0 };
		struct tct_err err = { 0 };
		bool ours = false;
		int status = tct_bounds_target(setting->key, &setting->set, &setting->at_least,
					       &setting->at_most, &env, NULL, &wanted, &ours, &err);

		ck_assert_msg(status == 0 || status == -ENODATA, "%s: %s", setting->key->name,
			      err.message);
		if (status == 0)
			ck_assert_msg(!refused(set, facts, setting->key, &wanted),
				      "%s: set, but in `never`", setting->key->name);
	}
}

static void check_together(const char *const *names, size_t count)
{
	for (size_t host = 0; host < HOSTS; host++) {
		const struct tct_profile_request request = { .names = names, .names_count = count };
		struct tct_facts facts = facts_of(host);
		struct tct_profile_set *set = NULL;
		struct tct_err err = { 0 };
		char text[1200];

		ck_assert_msg(tct_profile_set_load(&request, &facts, &set, &err) == 0, "%s",
			      tct_err_text(&err, text, sizeof(text)));
		check_settings(set, &facts);
		tct_profile_set_free(set);
	}
}

START_TEST(they_load_alone_and_in_pairs)
{
	TCT_AUTOFREE struct tct_profile_info *infos = NULL;
	struct tct_err err = { 0 };
	size_t count = 0;

	ck_assert_int_eq(tct_profile_list(NULL, &infos, &count, &err), 0);
	ck_assert_uint_ge(count, 3);
	for (size_t i = 0; i < count; i++) {
		ck_assert_msg(infos[i].error[0] == '\0', "%s", infos[i].error);
		ck_assert_str_eq(infos[i].origin, "built in");
		for (size_t k = i; k < count; k++) {
			const char *const pair[] = { infos[i].name, infos[k].name };

			check_together(pair, i == k ? 1 : 2);
		}
	}
}
END_TEST

static void load(const char *name, struct tct_facts *facts, struct tct_profile_set **set)
{
	const struct tct_profile_request request = { .names = &name, .names_count = 1 };
	struct tct_err err = { 0 };

	*facts = facts_of(2);
	ck_assert_msg(tct_profile_set_load(&request, facts, set, &err) == 0, "%s", err.message);
}

/* What container sets, a namespace has. */
START_TEST(container_has_only_keys_of_a_namespace)
{
	struct tct_profile_set *set = NULL;
	struct tct_facts facts;

	load("container", &facts, &set);
	ck_assert_uint_gt(set->settings_count, 4);
	for (size_t i = 0; i < set->settings_count; i++)
		ck_assert_msg(set->settings[i].key->scope == TCT_SCOPE_NETNS, "%s",
			      set->settings[i].key->name);
	tct_profile_set_free(set);
}
END_TEST

/* A key that has no effect on some kernel that tcptune knows, or is only there to be read. */
START_TEST(nothing_is_set_in_vain)
{
	TCT_AUTOFREE struct tct_profile_info *infos = NULL;
	struct tct_err err = { 0 };
	size_t count = 0;

	ck_assert_int_eq(tct_profile_list(NULL, &infos, &count, &err), 0);
	for (size_t i = 0; i < count; i++) {
		struct tct_profile_set *set = NULL;
		struct tct_facts facts;

		load(infos[i].name, &facts, &set);
		for (size_t k = 0; k < set->settings_count; k++)
			ck_assert_msg(set->settings[k].key->effect != TCT_EFFECT_NONE &&
					      !set->settings[k].key->read_only,
				      "%s: %s", infos[i].name, set->settings[k].key->name);
		tct_profile_set_free(set);
	}
}
END_TEST

/* The rules stand last in a built-in profile, so that apply and check can leave them unparsed. */
START_TEST(settings_are_the_same_without_the_rules)
{
	TCT_AUTOFREE struct tct_profile_info *infos = NULL;
	struct tct_err err = { 0 };
	size_t count = 0;

	ck_assert_int_eq(tct_profile_list(NULL, &infos, &count, &err), 0);
	for (size_t i = 0; i < count; i++) {
		const char *name = infos[i].name;
		const struct tct_profile_request request = { .names = &name,
							     .names_count = 1,
							     .settings_only = true };
		struct tct_profile_set *whole = NULL;
		struct tct_profile_set *set = NULL;
		struct tct_facts facts;

		load(name, &facts, &whole);
		ck_assert_int_eq(tct_profile_set_load(&request, &facts, &set, &err), 0);
		ck_assert_uint_eq(set->rules_count, 0);
		ck_assert_str_eq(set->sha256, whole->sha256);
		ck_assert_uint_eq(set->settings_count, whole->settings_count);
		for (size_t k = 0; k < set->settings_count; k++) {
			ck_assert_ptr_eq(set->settings[k].key, whole->settings[k].key);
			ck_assert_uint_eq(set->settings[k].place.line,
					  whole->settings[k].place.line);
		}
		ck_assert_uint_eq(set->variables_count, whole->variables_count);
		for (size_t k = 0; k < set->variables_count; k++)
			ck_assert_str_eq(set->variables[k].name, whole->variables[k].name);
		ck_assert_uint_eq(set->never_count, whole->never_count);
		tct_profile_set_free(set);
		tct_profile_set_free(whole);
	}
}
END_TEST

START_TEST(every_rule_can_be_judged_on_a_host_that_shows_nothing)
{
	static const char *const names[] = { "base" };
	const struct tct_profile_request request = { .names = names, .names_count = 1 };
	TCT_AUTOFREE struct tct_sysctl *sysctls = calloc(tct_kernel_keys_count, sizeof(*sysctls));
	TCT_AUTOFREE struct tct_counter_reading *counters =
		calloc(tct_counters_count, sizeof(*counters));
	const struct tct_observation blind = { .sysctls = sysctls, .counters = counters };
	struct tct_facts facts = facts_of(HOSTS);
	struct tct_profile_set *set = NULL;
	struct tct_err err = { 0 };

	ck_assert_int_eq(tct_profile_set_load(&request, &facts, &set, &err), 0);
	for (size_t i = 0; i < set->rules_count; i++) {
		const struct tct_rule *rule = &set->rules[i];
		struct tct_env env = { .facts = &facts,
				       .observation = &blind,
				       .variables = set->variables,
				       .each = rule->each };
		TCT_AUTO(tct_text_done) struct tct_text title = { 0 };
		struct tct_result result;

		tct_expr_eval(rule->when, &env, &result);
		ck_assert_msg(result.status == TCT_STATUS_MISSING ||
				      (result.status == TCT_STATUS_VALUE && result.number == 0),
			      "%s: a finding, or a failure, of nothing: %s", rule->id,
			      result.reason);
		tct_template_render(rule->title, &env, &title);
		ck_assert_uint_gt(title.length, 0);
	}
	tct_profile_set_free(set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shipped");
	TCase *tests = tcase_create("shipped");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, they_load_alone_and_in_pairs);
	tcase_add_test(tests, container_has_only_keys_of_a_namespace);
	tcase_add_test(tests, nothing_is_set_in_vain);
	tcase_add_test(tests, settings_are_the_same_without_the_rules);
	tcase_add_test(tests, every_rule_can_be_judged_on_a_host_that_shows_nothing);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
