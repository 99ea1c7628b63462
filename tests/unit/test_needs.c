/* What judging one of many namespaces asks for, and what is left to the host's first one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/report.h"
#include "core/mem.h"
#include "tests/unit/scratch.h"

static struct tct_profile_set *set;
static struct tct_needs needs;
static struct tct_facts facts;

static void set_up(void)
{
	static const char *const names[] = { "base" };
	const struct tct_profile_request request = { .names = names, .names_count = 1 };
	struct tct_err err = { 0 };

	facts = (struct tct_facts){ 0 };
	facts.known[TCT_FACT_KERNEL] = true;
	facts.value[TCT_FACT_KERNEL] = TCT_VERSION(6, 18);
	facts.known[TCT_FACT_MEM_TOTAL] = true;
	facts.value[TCT_FACT_MEM_TOTAL] = INT64_C(8) << 30;
	ck_assert_msg(tct_profile_set_load(&request, &facts, &set, &err) == 0, "%s", err.message);
	ck_assert_int_eq(tct_needs_find(set, &needs), 0);
}

static void tear_down(void)
{
	tct_needs_done(&needs);
	tct_profile_set_free(set);
}

static bool needs_key(const char *name)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);

	ck_assert_ptr_nonnull(key);
	return needs.keys[tct_kernel_key_index(key)];
}

START_TEST(keys_of_rules_settings_remedies_and_refusals_are_needed)
{
	ck_assert(needs_key("net.ipv4.tcp_syncookies"));      /* a condition */
	ck_assert(needs_key("net.ipv4.tcp_sack"));            /* a setting */
	ck_assert(needs_key("net.core.somaxconn"));           /* a remedy */
	ck_assert(needs_key("net.ipv4.tcp_retries2"));        /* a value that is never set */
	ck_assert(needs_key("net.ipv4.ip_local_port_range")); /* the observer's own */
	ck_assert(!needs_key("net.ipv4.udp_mem"));            /* the host's */
	ck_assert_uint_ne(needs.growth_groups & 1U << TCT_GROUP_TCPEXT, 0);
	ck_assert_uint_ne(needs.counter_groups & 1U << TCT_GROUP_TCPEXT, 0); /* since boot */
	ck_assert_uint_eq(needs.counter_groups & 1U << TCT_GROUP_CONNTRACK, 0);
}
END_TEST

/* No rule names these keys; they are looked at where the host's files decide them. */
START_TEST(keys_are_compared_if_the_host_s_files_set_them)
{
	struct tct_observation *host = tct_observation_new();
	struct tct_err err = { 0 };

	ck_assert_ptr_nonnull(host);
	ck_assert(needs.compares);
	tct_needs_compare(&needs, NULL);
	tct_needs_compare(&needs, host); /* its files were not read */
	ck_assert(!needs_key("net.ipv4.tcp_moderate_rcvbuf"));
	scratch_open();
	scratch_write("etc/sysctl.d/10-a.conf",
		      "net.ipv4.tcp_moderate_rcvbuf = 1\nnet.ipv4.udp_mem = 1 2 3\n");
	ck_assert_int_eq(tct_sysctl_files_read(&scratch_root, &host->files, &err), 0);
	scratch_close();
	tct_needs_compare(&needs, host);
	ck_assert(needs_key("net.ipv4.tcp_moderate_rcvbuf"));
	ck_assert(!needs_key("net.ipv4.tcp_frto"));
	ck_assert(!needs_key("net.ipv4.udp_mem")); /* the host's */
	tct_observation_free(host);
}
END_TEST

START_TEST(rules_on_files_and_on_the_host_s_keys_are_the_host_s)
{
	static const struct {
		const char *id;
		bool the_hosts;
	} rules[] = {
		{ "tcp-mem", true },
		{ "drift", true },
		{ "shadowed-by-vendor", true },
		{ "dead-key", true },
		{ "tw-buckets-low-at-boot", true },
		{ "never-value", false },
		{ "syncookies-off", false },
		{ "accept-queue-full", false },
		{ "keepalive-missing", false },
	};
	size_t found = 0;

	for (size_t i = 0; i < set->rules_count; i++) {
		for (size_t j = 0; j < TCT_COUNT(rules); j++) {
			if (strcmp(rules[j].id, set->rules[i].id) != 0)
				continue;
			found++;
			ck_assert_msg(tct_rule_is_the_hosts(set, &needs, i) == rules[j].the_hosts,
				      "%s", rules[j].id);
		}
	}
	ck_assert_uint_eq(found, TCT_COUNT(rules));
}
END_TEST

static bool is_not_evaluated(const struct tct_report *report, const char *id)
{
	for (size_t i = 0; i < report->not_evaluated_count; i++) {
		if (strcmp(report->not_evaluated[i].id, id) == 0)
			return true;
	}
	return false;
}

START_TEST(a_namespace_without_the_host_s_keys_and_files_lacks_nothing)
{
	struct tct_observation *observation = tct_observation_new();
	struct tct_report *report = NULL;

	ck_assert_ptr_nonnull(observation);
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		observation->sysctls[i].presence = TCT_ABSENT;
	observation->interval_ns = 1000000000;
	for (unsigned alone = 0; alone < 2; alone++) {
		const struct tct_judge_options options = { .needs = alone ? NULL : &needs };

		ck_assert_int_eq(tct_judge(observation, set, &facts, &options, &report, NULL), 0);
		ck_assert(is_not_evaluated(report, "tcp-mem") == (alone == 1));
		ck_assert(is_not_evaluated(report, "drift") == (alone == 1));
		ck_assert(is_not_evaluated(report, "dead-key") == (alone == 1));
		/* what it should have of its own is missed either way */
		ck_assert(is_not_evaluated(report, "syncookies-off"));
		ck_assert(is_not_evaluated(report, "accept-queue-full"));
		tct_report_free(report);
	}
	tct_observation_free(observation);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("needs");
	TCase *tests = tcase_create("needs");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, keys_of_rules_settings_remedies_and_refusals_are_needed);
	tcase_add_test(tests, keys_are_compared_if_the_host_s_files_set_them);
	tcase_add_test(tests, rules_on_files_and_on_the_host_s_keys_are_the_host_s);
	tcase_add_test(tests, a_namespace_without_the_host_s_keys_and_files_lacks_nothing);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
