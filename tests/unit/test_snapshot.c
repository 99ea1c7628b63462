/* Snapshots hold the whole observation: every member comes back as it was. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/report.h"
#include "audit/observe/snapshot.h"
#include "core/mem.h"
#include "tests/unit/full_observation.h"
#include "tests/unit/scratch.h"

static void check_list(const char *what, const void *a, size_t a_count, const void *b,
		       size_t b_count, size_t size)
{
	ck_assert_msg(a_count == b_count, "%s: %zu, %zu", what, a_count, b_count);
	ck_assert_msg(a_count == 0 || memcmp(a, b, a_count * size) == 0, "%s differ", what);
}

#define CHECK_LIST(a, b, items)                                                                    \
	check_list(#items, (a)->items, (a)->items##_count, (b)->items, (b)->items##_count,         \
		   sizeof(*(a)->items))
#define CHECK_PLAIN(a, b, member)                                                                  \
	check_list(#member, &(a)->member, 1, &(b)->member, 1, sizeof((a)->member))

static void check_observation(const struct tct_observation *a, const struct tct_observation *b)
{
	CHECK_PLAIN(a, b, host);
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		ck_assert_int_eq(a->sysctls[i].presence, b->sysctls[i].presence);
		ck_assert_int_eq(a->sysctls[i].error, b->sysctls[i].error);
		ck_assert_int_eq(a->sysctls[i].writable, b->sysctls[i].writable);
		ck_assert_msg(tct_value_equal(&a->sysctls[i].value, &b->sysctls[i].value), "%s",
			      tct_kernel_keys[i].name);
		ck_assert_msg(tct_value_equal(&a->boot_values[i], &b->boot_values[i]), "%s",
			      tct_kernel_keys[i].name);
	}
	check_same_files(a->files, b->files);
	CHECK_PLAIN(a, b, files_govern);
	CHECK_PLAIN(a, b, boot_model);
	check_list("counters", a->counters, tct_counters_count, b->counters, tct_counters_count,
		   sizeof(*a->counters));
	CHECK_PLAIN(a, b, interval_ns);
	CHECK_PLAIN(a, b, states);
	CHECK_PLAIN(a, b, sample);
	CHECK_PLAIN(a, b, populations);
	CHECK_LIST(a, b, owners);
	CHECK_PLAIN(a, b, peers_presence);
	CHECK_LIST(a, b, peers);
	CHECK_PLAIN(a, b, interfaces_presence);
	CHECK_LIST(a, b, interfaces);
	check_list("outgoing", &a->outgoing, 1, &b->outgoing, 1,
		   offsetof(struct tct_outgoing, destinations));
	CHECK_LIST(&a->outgoing, &b->outgoing, destinations);
	CHECK_PLAIN(a, b, environment);
	CHECK_PLAIN(a, b, listeners_presence);
	CHECK_LIST(a, b, listeners);
	CHECK_LIST(a, b, gaps);
}

START_TEST(everything_comes_back)
{
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot saved = snapshot_of(full_observation());
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot loaded = { 0 };
	TCT_AUTOFREE char *first = NULL;
	TCT_AUTOFREE char *second = NULL;
	size_t length;

	saved.variables = strdup("variables:\n  tw_buckets: 5\n\xff");
	first = snapshot_text(&saved, &length);
	snapshot_load(first, length, &loaded);
	ck_assert_str_eq(loaded.tcptune, "1.2.3");
	ck_assert_str_eq(loaded.variables, saved.variables);
	ck_assert_uint_eq(loaded.observations_count, 1);
	check_observation(saved.observations[0], loaded.observations[0]);
	second = snapshot_text(&loaded, &length);
	ck_assert_str_eq(first, second);
	for (const char *c = first; *c != '\0'; c++)
		ck_assert((*c >= ' ' && *c <= '~') || *c == '\n');
}
END_TEST

START_TEST(an_empty_observation_comes_back)
{
	struct tct_observation *empty = tct_observation_new();
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot loaded = { 0 };
	TCT_AUTOFREE char *first = NULL;
	TCT_AUTOFREE char *second = NULL;
	size_t length;

	ck_assert_ptr_nonnull(empty);

	TCT_AUTO(tct_snapshot_done) struct tct_snapshot saved = snapshot_of(empty);

	first = snapshot_text(&saved, &length);
	snapshot_load(first, length, &loaded);
	ck_assert_ptr_null(loaded.variables);
	ck_assert_ptr_null(loaded.observations[0]->files);
	ck_assert_ptr_null(loaded.observations[0]->boot_values);
	ck_assert_int_eq(loaded.observations[0]->host.source, TCT_SOURCE_SNAPSHOT);
	ck_assert_int_eq(tct_host_looked_at(&loaded.observations[0]->host), TCT_SOURCE_LIVE);
	loaded.observations[0]->host.source = TCT_SOURCE_LIVE;
	CHECK_PLAIN(empty, loaded.observations[0], host);
	second = snapshot_text(&loaded, &length);
	ck_assert_str_eq(first, second);
}
END_TEST

/* Take away what snapshots did not have at first. */
static void make_older(json_t *observation)
{
	static const char *const own[] = { "peers", "peers_presence", "interfaces",
					   "interfaces_presence" };
	static const char *const of_owner[] = { "close_wait_first", "busy_ns", "rwnd_limited_ns",
						"sndbuf_limited_ns" };
	static const char *const populations[] = {
		"unanswered",     "heard_unacked",  "zero_window",        "syn_unanswered",
		"fin_unanswered", "fin_wait2_held", "fin_wait2_orphaned",
	};
	json_t *outgoing = json_object_get(observation, "outgoing");
	json_t *item;
	size_t i;

	for (size_t j = 0; j < TCT_COUNT(own); j++)
		ck_assert_int_eq(json_object_del(observation, own[j]), 0);
	for (size_t j = 0; j < TCT_COUNT(populations); j++)
		ck_assert_int_eq(json_object_del(json_object_get(observation, "populations"),
						 populations[j]),
				 0);
	json_array_foreach(json_object_get(observation, "owners"), i, item) {
		for (size_t j = 0; j < TCT_COUNT(of_owner); j++)
			ck_assert_int_eq(json_object_del(item, of_owner[j]), 0);
		for (size_t j = 0; j < TCT_COUNT(populations); j++)
			ck_assert_int_eq(json_object_del(json_object_get(item, "populations"),
							 populations[j]),
					 0);
	}
	json_array_foreach(json_object_get(observation, "listeners"), i, item)
		ck_assert_int_eq(json_object_del(item, "syn_recv_resent"), 0);
	ck_assert_int_eq(json_object_del(outgoing, "distinct"), 0);
	ck_assert_int_eq(json_object_del(outgoing, "unanswered_distinct"), 0);
	json_array_foreach(json_object_get(outgoing, "destinations"), i, item) {
		ck_assert_int_eq(json_object_del(item, "syn_sent"), 0);
		ck_assert_int_eq(json_object_del(item, "syn_unanswered"), 0);
	}
}

START_TEST(an_older_snapshot_is_loaded)
{
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot saved = snapshot_of(full_observation());
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot loaded = { 0 };
	json_t *document = tct_snapshot_json(&saved);
	struct tct_err err = { 0 };
	const struct tct_observation *told;
	const struct tct_observation *full = saved.observations[0];

	make_older(json_array_get(json_object_get(document, "observations"), 0));
	ck_assert_msg(tct_snapshot_from_json("f", document, &loaded, &err) == 0, "%s", err.message);
	json_decref(document);
	told = loaded.observations[0];
	for (size_t kind = 0; kind < TCT_POPULATION_LIMIT; kind++) {
		bool known = kind < TCT_POPULATION_UNANSWERED;

		ck_assert_int_eq(told->populations[kind].presence,
				 known ? TCT_PRESENT : TCT_NOT_LOOKED);
		ck_assert_int_eq(told->owners[1].populations[kind].presence,
				 known ? TCT_PRESENT : TCT_NOT_LOOKED);
		ck_assert_int_eq(told->populations[kind].total,
				 known ? full->populations[kind].total : 0);
	}
	ck_assert_int_eq(told->owners[0].descriptors_max, full->owners[0].descriptors_max);
	ck_assert_int_eq(told->owners[0].close_wait_first, -1);
	ck_assert_int_eq(told->owners[0].busy_ns, -1);
	ck_assert_int_eq(told->owners[1].rwnd_limited_ns, -1);
	ck_assert_int_eq(told->owners[1].sndbuf_limited_ns, -1);
	ck_assert_int_eq(told->listeners[1].syn_recv_resent, -1);
	ck_assert_int_eq(told->listeners[1].syn_recv, full->listeners[1].syn_recv);
	ck_assert_int_eq(told->outgoing.distinct, -1);
	ck_assert_int_eq(told->outgoing.unanswered_distinct, -1);
	ck_assert_int_eq(told->outgoing.destinations[1].syn_sent, -1);
	ck_assert_int_eq(told->outgoing.destinations[1].syn_unanswered, -1);
	ck_assert_int_eq(told->peers_presence, TCT_NOT_LOOKED);
	ck_assert_uint_eq(told->peers_count, 0);
	ck_assert_int_eq(told->interfaces_presence, TCT_NOT_LOOKED);
	ck_assert_uint_eq(told->interfaces_count, 0);
}
END_TEST

static char *report_of(const struct tct_observation *observation, const char *profile)
{
	const struct tct_profile_request request = { .names = &profile, .names_count = 1 };
	struct tct_facts facts = { 0 };
	struct tct_profile_set *set = NULL;
	struct tct_report *report = NULL;
	struct tct_err err = { 0 };
	json_t *document;
	char *text;

	tct_facts_from_host(&observation->host, &facts);
	ck_assert_msg(tct_profile_set_load(&request, &facts, &set, &err) == 0, "%s", err.message);
	ck_assert_int_eq(tct_judge(observation, set, &facts, NULL, &report, &err), 0);
	document = tct_report_json(report);
	ck_assert_ptr_nonnull(document);
	text = json_dumps(document, JSON_INDENT(2));
	ck_assert_ptr_nonnull(text);
	json_decref(document);
	tct_report_free(report);
	tct_profile_set_free(set);
	return text;
}

/* The same report as of the observation itself, but for its source. */
START_TEST(the_report_is_the_same)
{
	static const char *const profiles[] = {
		"base",     "highconn",   "longlived", "proxy",
		"synflood", "lowlatency", "bulk",      "container"
	};
	static const enum tct_source sources[] = { TCT_SOURCE_LIVE, TCT_SOURCE_ROOT };
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot saved = snapshot_of(full_observation());

	for (size_t s = 0; s < TCT_COUNT(sources); s++) {
		TCT_AUTO(tct_snapshot_done) struct tct_snapshot loaded = { 0 };
		TCT_AUTOFREE char *text = NULL;
		size_t length;

		saved.observations[0]->host.source = sources[s];
		text = snapshot_text(&saved, &length);
		snapshot_load(text, length, &loaded);
		ck_assert_int_eq(tct_host_looked_at(&loaded.observations[0]->host), sources[s]);
		for (size_t i = 0; i < TCT_COUNT(profiles); i++) {
			TCT_AUTOFREE char *here = NULL;
			TCT_AUTOFREE char *there = report_of(loaded.observations[0], profiles[i]);

			saved.observations[0]->host.source = sources[s];
			here = report_of(saved.observations[0], profiles[i]);
			ck_assert_ptr_nonnull(strstr(there, "\"source\": \"snapshot\""));
			ck_assert_ptr_nonnull(strstr(here, sources[s] == TCT_SOURCE_LIVE
								   ? "\"source\": \"live\""
								   : "\"source\": \"root\""));
			/* What follows the source is equal to the last byte. */
			ck_assert_str_eq(strstr(here, "\"netns\": {"),
					 strstr(there, "\"netns\": {"));
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *cases = tcase_create("snapshot");
	SRunner *runner;
	int failed;

	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, scratch_open, scratch_close);
	tcase_add_test(cases, everything_comes_back);
	tcase_add_test(cases, an_empty_observation_comes_back);
	tcase_add_test(cases, an_older_snapshot_is_loaded);
	tcase_add_test(cases, the_report_is_the_same);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
