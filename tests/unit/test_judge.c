/* Judging made-up observations with the shipped profiles, and with small ones of the test's own. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/report.h"
#include "core/mem.h"

static struct tct_observation *seen; /* set up afresh for every test, in a process of its own */

static struct tct_sysctl *sysctl_of(const char *name)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);

	ck_assert_msg(key != NULL, "%s is in the table", name);
	return &seen->sysctls[tct_kernel_key_index(key)];
}

static void set_live(const char *name, const char *text)
{
	struct tct_sysctl *live = sysctl_of(name);
	struct tct_err err = { 0 };

	tct_value_done(&live->value);
	ck_assert_msg(tct_value_parse(tct_kernel_key_find(name), text, &live->value, &err) == 0,
		      "%s = %s: %s", name, text, err.message);
	live->presence = TCT_PRESENT;
	live->writable = true;
}

static void set_counter(const char *name, int64_t first, int64_t last)
{
	const struct tct_counter *counter = tct_counter_find(name);

	ck_assert_msg(counter != NULL, "%s is in the table", name);
	seen->counters[tct_counter_index(counter)] = (struct tct_counter_reading){
		.presence = TCT_PRESENT,
		.first = first,
		.last = last,
	};
}

static struct tct_listener *add_listener(const char *address, uint16_t port, uint32_t queue,
					 uint32_t backlog)
{
	struct tct_listener *listener = TCT_APPEND(seen, listeners);

	ck_assert_ptr_nonnull(listener);
	*listener = (struct tct_listener){
		.family = AF_INET,
		.port = port,
		.queue = queue,
		.queue_first = queue,
		.backlog = backlog,
		.port_choice_known = true,
	};
	strcpy(listener->address, address);
	return listener;
}

/* A healthy 6.18 host: defaults, no traffic, one second. */
static void set_up(void)
{
	seen = calloc(1, sizeof(*seen));
	ck_assert_ptr_nonnull(seen);
	seen->sysctls = calloc(tct_kernel_keys_count, sizeof(*seen->sysctls));
	seen->counters = calloc(tct_counters_count, sizeof(*seen->counters));
	ck_assert(seen->sysctls != NULL && seen->counters != NULL);
	strcpy(seen->host.kernel, "6.18.44");
	seen->host.kernel_version = TCT_VERSION(6, 18);
	seen->host.mem_total_bytes = INT64_C(24) << 30;
	seen->host.cpus = 8;
	seen->host.page_bytes = 4096;
	seen->host.netns.initial = true;
	seen->boot_model = TCT_BOOT_SYSTEMD;
	seen->interval_ns = INT64_C(1000000000);
	seen->listeners_presence = TCT_PRESENT;
	seen->states.method = TCT_METHOD_EXACT;
	for (size_t i = 0; i < TCT_POPULATION_LIMIT; i++)
		seen->populations[i].presence = TCT_PRESENT;
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		seen->sysctls[i].presence = TCT_ABSENT;
	for (size_t i = 0; i < tct_counters_count; i++)
		seen->counters[i].presence = TCT_PRESENT;
	set_live("net.core.somaxconn", "4096");
	set_live("net.ipv4.tcp_syncookies", "1");
	set_live("net.ipv4.tcp_window_scaling", "1");
	set_live("net.ipv4.tcp_sack", "1");
	set_live("net.ipv4.tcp_timestamps", "1");
	set_live("net.ipv4.tcp_tw_reuse", "2");
	set_live("net.ipv4.tcp_fin_timeout", "60");
	set_live("net.ipv4.tcp_max_tw_buckets", "131072");
	set_live("net.ipv4.tcp_ehash_entries", "262144");
	set_live("net.ipv4.tcp_max_orphans", "131072");
	set_live("net.ipv4.tcp_mem", "287901 383870 575802");
	set_live("net.ipv4.tcp_keepalive_time", "7200");
	set_live("net.ipv4.tcp_keepalive_intvl", "75");
	set_live("net.ipv4.tcp_keepalive_probes", "9");
	set_live("net.ipv4.ip_local_port_range", "32768 60999");
	set_live("net.ipv4.ip_local_reserved_ports", "");
}

static void tear_down(void)
{
	tct_observation_free(seen);
}

static struct tct_report *judge(const char *profile, const struct tct_var_override *vars,
				size_t vars_count, struct tct_profile_set **set)
{
	struct tct_profile_request request = {
		.names = &profile,
		.names_count = 1,
		.vars = vars,
		.vars_count = vars_count,
	};
	struct tct_report *report = NULL;
	struct tct_facts facts;
	struct tct_err err = { 0 };
	char text[1024];

	tct_facts_from_host(&seen->host, &facts);
	ck_assert_msg(tct_profile_set_load(&request, &facts, set, &err) == 0, "%s",
		      tct_err_text(&err, text, sizeof(text)));
	ck_assert_int_eq(tct_judge(seen, *set, &facts, NULL, &report, &err), 0);
	return report;
}

static const struct tct_finding *find(const struct tct_report *report, const char *id)
{
	for (size_t i = 0; i < report->findings_count; i++) {
		if (strcmp(report->findings[i].rule->id, id) == 0)
			return &report->findings[i];
	}
	return NULL;
}

static const char *reason_of(const struct tct_report *report, const char *id)
{
	for (size_t i = 0; i < report->not_evaluated_count; i++) {
		if (strcmp(report->not_evaluated[i].id, id) == 0)
			return report->not_evaluated[i].reason;
	}
	return NULL;
}

static int64_t evidence(const struct tct_finding *finding, const char *name)
{
	for (size_t i = 0; i < finding->evidence_count; i++) {
		if (strcmp(finding->evidence[i].name, name) == 0)
			return finding->evidence[i].result.number;
	}
	ck_abort_msg("%s has no evidence named %s", finding->rule->id, name);
	return 0;
}

static void done(struct tct_report *report, struct tct_profile_set *set)
{
	tct_report_free(report);
	tct_profile_set_free(set);
}

START_TEST(a_healthy_host_gets_nothing)
{
	struct tct_profile_set *set = NULL;

	add_listener("0.0.0.0", 80, 3, 511);
	struct tct_report *report = judge("base", NULL, 0, &set);

	for (size_t i = 0; i < report->findings_count; i++)
		ck_abort_msg("%s: %s", report->findings[i].rule->id, report->findings[i].title);
	done(report, set);
}
END_TEST

START_TEST(a_full_accept_queue_is_the_root_cause_of_overflows)
{
	struct tct_profile_set *set = NULL;

	add_listener("10.0.0.1", 443, 130, 128);
	set_counter("TcpExt.ListenOverflows", 1000, 1040);
	struct tct_report *report = judge("base", NULL, 0, &set);
	const struct tct_finding *finding = find(report, "accept-queue-full");

	ck_assert_ptr_nonnull(finding);
	ck_assert_ptr_eq(finding, &report->findings[0]);
	ck_assert_int_eq(finding->severity, TCT_SEVERITY_CRITICAL);
	ck_assert_str_eq(finding->subject, "10.0.0.1:443");
	ck_assert_int_eq(evidence(finding, "queue"), 130);
	ck_assert_int_eq(evidence(finding, "backlog"), 128);
	ck_assert_ptr_null(find(report, "listen-overflows"));
	bool told = false;

	for (size_t i = 0; i < report->explained_count; i++) {
		ck_assert_str_eq(report->explained[i].by, "accept-queue-full");
		told = told || strcmp(report->explained[i].id, "listen-overflows") == 0;
	}
	ck_assert(told);
	ck_assert_ptr_nonnull(find(report, "app-backlog-small"));
	ck_assert_ptr_null(find(report, "backlog-capped"));
	done(report, set);
}
END_TEST

START_TEST(a_queue_that_is_full_at_one_look_only_is_a_burst)
{
	struct tct_profile_set *set = NULL;

	add_listener("0.0.0.0", 80, 129, 128)->queue_first = 0;
	struct tct_report *report = judge("base", NULL, 0, &set);

	ck_assert_ptr_null(find(report, "accept-queue-full"));
	done(report, set);
}
END_TEST

START_TEST(overflows_alone_are_judged_by_rate)
{
	static const struct {
		int64_t growth;
		int severity; /* -1 = no finding */
	} cases[] = {
		{ 0, -1 },
		{ 9, -1 }, /* a handful */
		{ 40, TCT_SEVERITY_CRITICAL },
	};
	struct tct_profile_set *set = NULL;

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		set_counter("TcpExt.ListenOverflows", 9000, 9000 + cases[i].growth);
		struct tct_report *report = judge("base", NULL, 0, &set);
		const struct tct_finding *finding = find(report, "listen-overflows");

		ck_assert_int_eq(finding == NULL ? -1 : (int)finding->severity, cases[i].severity);
		done(report, set);
	}
	seen->interval_ns *= 10; /* 4 per second */
	struct tct_report *report = judge("base", NULL, 0, &set);

	ck_assert_ptr_nonnull(find(report, "listen-overflows"));
	ck_assert_int_eq(find(report, "listen-overflows")->severity, TCT_SEVERITY_WARNING);
	done(report, set);
}
END_TEST

START_TEST(one_look_leaves_rates_not_evaluated)
{
	struct tct_profile_set *set = NULL;

	seen->interval_ns = 0;
	struct tct_report *report = judge("base", NULL, 0, &set);

	ck_assert_ptr_nonnull(reason_of(report, "listen-overflows"));
	ck_assert_ptr_nonnull(strstr(reason_of(report, "listen-overflows"), "--interval"));
	ck_assert_ptr_nonnull(reason_of(report, "keepalive-slow"));
	ck_assert_ptr_nonnull(strstr(reason_of(report, "keepalive-slow"), "middlebox_idle"));
	done(report, set);
}
END_TEST

START_TEST(a_missing_input_is_never_passed_in_silence)
{
	struct tct_profile_set *set = NULL;

	sysctl_of("net.ipv4.tcp_syncookies")->presence = TCT_UNREADABLE;
	sysctl_of("net.ipv4.tcp_syncookies")->error = EACCES;
	seen->listeners_presence = TCT_UNREADABLE;
	seen->states.method = TCT_METHOD_NONE;
	seen->populations[TCT_POPULATION_CLOSE_WAIT].presence = TCT_UNREADABLE;
	struct tct_report *report = judge("base", NULL, 0, &set);

	ck_assert_ptr_nonnull(reason_of(report, "syncookies-off"));
	ck_assert_ptr_nonnull(reason_of(report, "accept-queue-full"));
	ck_assert_ptr_nonnull(reason_of(report, "close-wait-leak"));
	done(report, set);
}
END_TEST

START_TEST(settings_of_the_kernel_are_judged)
{
	struct tct_profile_set *set = NULL;

	set_live("net.ipv4.tcp_syncookies", "0");
	set_live("net.ipv4.tcp_window_scaling", "0");
	set_live("net.ipv4.tcp_timestamps", "0");
	set_live("net.ipv4.tcp_tw_reuse", "1");
	set_live("net.ipv4.tcp_max_tw_buckets", "5000");
	struct tct_report *report = judge("base", NULL, 0, &set);

	ck_assert_int_eq(find(report, "window-scaling-off")->severity, TCT_SEVERITY_CRITICAL);
	ck_assert_ptr_nonnull(find(report, "syncookies-off"));
	ck_assert_ptr_nonnull(find(report, "tw-reuse-without-timestamps"));
	const struct tct_finding *finding = find(report, "tw-buckets-low");

	ck_assert_ptr_nonnull(finding);
	ck_assert_uint_eq(finding->sysctls_count, 1);
	ck_assert_int_eq(finding->sysctls[0].from.numbers[0], 5000);
	ck_assert_int_eq(finding->sysctls[0].to.numbers[0], 131072);
	ck_assert_uint_eq(report->by_severity[TCT_SEVERITY_CRITICAL], 1);
	done(report, set);
}
END_TEST

START_TEST(unlimited_tw_buckets_are_fine)
{
	struct tct_profile_set *set = NULL;

	set_live("net.ipv4.tcp_max_tw_buckets", "-1");
	struct tct_report *report = judge("highconn", NULL, 0, &set);

	ck_assert_ptr_null(find(report, "tw-buckets-low"));
	for (size_t i = 0; i < report->settings_count; i++) {
		if (strcmp(report->settings[i].setting->key->name, "net.ipv4.tcp_max_tw_buckets") ==
		    0)
			ck_assert_int_eq(report->settings[i].status, TCT_SETTING_OK);
	}
	done(report, set);
}
END_TEST

START_TEST(old_close_wait_sockets_are_a_leak)
{
	struct tct_population *population = &seen->populations[TCT_POPULATION_CLOSE_WAIT];
	struct tct_profile_set *set = NULL;

	/* whose they are is not known */
	population->total = 150;
	seen->states.counts[TCT_STATE_CLOSE_WAIT] = 150;
	for (size_t i = 0; i < TCT_IDLE_STEPS; i++)
		population->idle_at_least[i] = tct_idle_step_s[i] <= 20 ? 150 : 0;
	struct tct_report *report = judge("base", NULL, 0, &set);
	const struct tct_finding *finding = find(report, "close-wait-pile");

	ck_assert_ptr_nonnull(finding);
	ck_assert_int_eq(finding->rule->cause, TCT_CAUSE_APPLICATION);
	ck_assert_int_eq(evidence(finding, "CLOSE_WAIT sockets"), 150);
	done(report, set);

	static const struct tct_var_override vars[] = { { "close_wait_age", "60s", "--var", 0 } };

	report = judge("base", vars, 1, &set);
	ck_assert_ptr_null(find(report, "close-wait-pile"));
	done(report, set);
}
END_TEST

START_TEST(an_overlapping_port_is_found_unless_it_is_reserved)
{
	struct tct_profile_set *set = NULL;

	add_listener("0.0.0.0", 40000, 0, 128);
	add_listener("0.0.0.0", 41000, 0, 128)->port_chosen_by_kernel = true;
	struct tct_report *report = judge("base", NULL, 0, &set);

	ck_assert_ptr_nonnull(find(report, "port-overlap"));
	ck_assert_str_eq(find(report, "port-overlap")->subject, "0.0.0.0:40000");
	ck_assert_uint_eq(report->findings_count, 1);
	done(report, set);

	set_live("net.ipv4.ip_local_reserved_ports", "39990-40010");
	report = judge("base", NULL, 0, &set);
	ck_assert_uint_eq(report->findings_count, 0);
	done(report, set);
}
END_TEST

START_TEST(a_flood_is_told_from_overload)
{
	struct tct_profile_set *set = NULL;

	set_counter("TcpExt.TCPReqQFullDoCookies", 0, 500);
	set_counter("TcpExt.SyncookiesSent", 0, 500);
	set_counter("TcpExt.SyncookiesRecv", 0, 3);
	struct tct_report *report = judge("base", NULL, 0, &set);

	ck_assert_ptr_nonnull(find(report, "syn-cookies-active"));
	ck_assert_int_eq(find(report, "syn-cookies-active")->rule->cause, TCT_CAUSE_ATTACK);
	ck_assert_ptr_null(find(report, "syn-cookies-overload"));
	done(report, set);

	set_counter("TcpExt.SyncookiesRecv", 0, 480);
	report = judge("base", NULL, 0, &set);
	ck_assert_ptr_null(find(report, "syn-cookies-active"));
	ck_assert_ptr_nonnull(find(report, "syn-cookies-overload"));
	done(report, set);
}
END_TEST

START_TEST(highconn_settings_are_compared)
{
	static const struct {
		const char *key;
		enum tct_setting_status status;
	} expected[] = {
		{ "net.core.somaxconn", TCT_SETTING_CHANGE },
		{ "net.ipv4.tcp_syncookies", TCT_SETTING_OK },
		{ "net.ipv4.ip_local_port_range", TCT_SETTING_CHANGE },
		{ "net.ipv4.tcp_max_tw_buckets", TCT_SETTING_CHANGE },
		{ "net.ipv4.tcp_fin_timeout", TCT_SETTING_UNSUPPORTED },
	};
	struct tct_profile_set *set = NULL;

	sysctl_of("net.ipv4.tcp_fin_timeout")->writable = false;
	struct tct_report *report = judge("highconn", NULL, 0, &set);

	for (size_t i = 0; i < TCT_COUNT(expected); i++) {
		bool found = false;

		for (size_t j = 0; j < report->settings_count; j++) {
			if (strcmp(report->settings[j].setting->key->name, expected[i].key) != 0)
				continue;
			found = true;
			ck_assert_msg(report->settings[j].status == expected[i].status, "%s: %s %s",
				      expected[i].key,
				      tct_setting_status_name(report->settings[j].status),
				      report->settings[j].reason);
		}
		ck_assert_msg(found, "%s is a setting", expected[i].key);
	}
	done(report, set);
}
END_TEST

START_TEST(the_document_has_the_documented_keys)
{
	static const char *const keys[] = { "schema",    "host",          "states",
					    "listeners", "sysctls",       "settings",
					    "findings",  "not_evaluated", "summary" };
	struct tct_profile_set *set = NULL;

	add_listener("::", 443, 130, 128);
	struct tct_report *report = judge("base", NULL, 0, &set);
	json_t *document = tct_report_json(report);

	ck_assert_ptr_nonnull(document);
	for (size_t i = 0; i < TCT_COUNT(keys); i++)
		ck_assert_msg(json_object_get(document, keys[i]) != NULL, "%s", keys[i]);
	ck_assert_str_eq(json_string_value(json_object_get(document, "schema")),
			 "tcptune.audit.v1");
	json_t *finding = json_array_get(json_object_get(document, "findings"), 0);

	ck_assert_str_eq(json_string_value(json_object_get(finding, "subject")), "[::]:443");
	ck_assert_int_eq(json_integer_value(
				 json_object_get(json_object_get(document, "summary"), "critical")),
			 1);
	json_t *counts = json_object_get(json_object_get(document, "states"), "counts");

	ck_assert_uint_eq(json_object_size(counts), 11);
	ck_assert(json_is_integer(json_object_get(counts, "CLOSING")));
	json_decref(document);
	done(report, set);
}
END_TEST

START_TEST(never_values_are_found)
{
	static const struct {
		const char *key;
		const char *text;
		bool refused;
	} cases[] = {
		{ "net.ipv4.tcp_max_tw_buckets", "5000", true },
		{ "net.ipv4.tcp_max_tw_buckets", "-1", false },
		{ "net.ipv4.tcp_max_tw_buckets", "262144", false },
		{ "net.ipv4.tcp_syncookies", "2", true },
		{ "net.ipv4.ip_local_port_range", "1024 65535", true },
		{ "net.ipv4.ip_local_port_range", "32768 65535", false },
		{ "net.ipv4.tcp_mem", "8388608 12582912 16777216", true },
		{ "net.ipv4.tcp_mem", "287901 383870 575802", false },
	};
	struct tct_profile_set *set = NULL;
	struct tct_report *report = judge("longlived", NULL, 0, &set);

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		TCT_AUTO(tct_value_done) struct tct_value value = { 0 };
		const struct tct_kernel_key *key = tct_kernel_key_find(cases[i].key);

		ck_assert_int_eq(tct_value_parse(key, cases[i].text, &value, NULL), 0);
		ck_assert_msg((tct_never_find(set, &report->facts, key, &value) != NULL) ==
				      cases[i].refused,
			      "%s = %s", cases[i].key, cases[i].text);
	}
	done(report, set);
}
END_TEST

START_TEST(values_that_are_never_set_are_told)
{
	struct tct_profile_set *set = NULL;

	set_live("net.ipv4.tcp_syncookies", "2");
	set_live("net.ipv4.tcp_keepalive_probes", "0");
	set_live("net.ipv4.tcp_max_tw_buckets", "5000"); /* has a rule of its own */
	struct tct_report *report = judge("base", NULL, 0, &set);
	unsigned found = 0;

	for (size_t i = 0; i < report->findings_count; i++) {
		if (strcmp(report->findings[i].rule->id, "never-value") == 0)
			found++;
	}
	ck_assert_uint_eq(found, 2);
	ck_assert_str_eq(find(report, "never-value")->subject, "net.ipv4.tcp_keepalive_probes");
	ck_assert_ptr_nonnull(strstr(find(report, "never-value")->why, "kills a connection"));
	done(report, set);

	sysctl_of("net.ipv4.tcp_syncookies")->presence = TCT_UNREADABLE;
	set_live("net.ipv4.tcp_keepalive_probes", "9");
	report = judge("base", NULL, 0, &set);
	ck_assert_ptr_null(find(report, "never-value"));
	done(report, set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("judge");
	TCase *tests = tcase_create("judge");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_healthy_host_gets_nothing);
	tcase_add_test(tests, a_full_accept_queue_is_the_root_cause_of_overflows);
	tcase_add_test(tests, a_queue_that_is_full_at_one_look_only_is_a_burst);
	tcase_add_test(tests, overflows_alone_are_judged_by_rate);
	tcase_add_test(tests, one_look_leaves_rates_not_evaluated);
	tcase_add_test(tests, a_missing_input_is_never_passed_in_silence);
	tcase_add_test(tests, settings_of_the_kernel_are_judged);
	tcase_add_test(tests, unlimited_tw_buckets_are_fine);
	tcase_add_test(tests, old_close_wait_sockets_are_a_leak);
	tcase_add_test(tests, an_overlapping_port_is_found_unless_it_is_reserved);
	tcase_add_test(tests, a_flood_is_told_from_overload);
	tcase_add_test(tests, highconn_settings_are_compared);
	tcase_add_test(tests, the_document_has_the_documented_keys);
	tcase_add_test(tests, never_values_are_found);
	tcase_add_test(tests, values_that_are_never_set_are_told);
	suite_add_tcase(suite, tests);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
