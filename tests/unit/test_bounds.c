/* From bounds to the value that a key should have. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/profile.h"
#include "core/mem.h"
#include "tests/unit/rules_world.h"

static const struct tct_kernel_key *key_of(const char *name)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);

	ck_assert_msg(key != NULL, "%s", name);
	return key;
}

/* "16384", "[keep, 5s, 7]": a bound as a profile has it; NULL = not given. */
static struct tct_bound bound_of(const struct tct_kernel_key *key, const char *text)
{
	const struct tct_type type = tct_type_of_key(key);
	const struct tct_scope_names scope = { 0 };
	struct tct_bound bound = { .given = text != NULL, .place = { "f", 3, 9 } };
	struct tct_err err = { 0 };
	char copy[256];
	char *rest = copy;

	if (text == NULL)
		return bound;
	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (unsigned i = 0; i < key->fields; i++) {
		char *field = strsep(&rest, "|");

		ck_assert_ptr_nonnull(field);
		if (strcmp(field, "keep") != 0)
			ck_assert_msg(tct_expr_compile(world.arena, field, bound.place, &scope,
						       &type, &bound.fields[i], &err) == 0,
				      "%s: %s", field, err.message);
	}
	return bound;
}

struct bounds_case {
	const char *key;
	const char *set;
	const char *at_least;
	const char *at_most;
	const char *baseline; /* NULL = not known */
	const char *wanted;   /* or the error's text, with ! before it */
	bool ours;
};

static void check_case(const struct bounds_case *example)
{
	const struct tct_kernel_key *key = key_of(example->key);
	struct tct_bound set = bound_of(key, example->set);
	struct tct_bound at_least = bound_of(key, example->at_least);
	struct tct_bound at_most = bound_of(key, example->at_most);
	TCT_AUTO(tct_value_done) struct tct_value baseline = { 0 };
	TCT_AUTO(tct_value_done) struct tct_value wanted = { 0 };
	TCT_AUTOFREE char *text = NULL;
	struct tct_env env = world_env();
	struct tct_err err = { 0 };
	bool satisfied = false;
	bool ours = false;
	char said[900];
	int status;

	env.observation = NULL;
	if (example->baseline != NULL)
		ck_assert_msg(tct_value_parse(key, example->baseline, &baseline, &err) == 0, "%s",
			      err.message);
	status = tct_bounds_target(key, &set, &at_least, &at_most, &env,
				   example->baseline != NULL ? &baseline : NULL, &wanted, &ours,
				   &err);
	if (example->wanted[0] == '!') {
		ck_assert_msg(status == -EINVAL || status == -ENODATA, "%s: %d", example->wanted,
			      status);
		ck_assert_int_eq(err.code, -status);
		ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
		ck_assert_str_eq(tct_err_text(&err, said, sizeof(said)), example->wanted + 1);
		ck_assert_int_eq(wanted.kind, TCT_VALUE_NONE);
		return;
	}
	ck_assert_msg(status == 0, "%s", err.message);
	text = tct_value_text(&wanted);
	ck_assert_str_eq(text, example->wanted);
	ck_assert_msg(ours == example->ours, "%s %s", example->key, example->wanted);
	if (example->baseline == NULL)
		return;
	ck_assert_int_eq(tct_bounds_satisfied(key, &set, &at_least, &at_most, &env, &baseline,
					      &satisfied, &err),
			 0);
	ck_assert(satisfied == !ours);
	ck_assert_int_eq(tct_bounds_satisfied(key, &set, &at_least, &at_most, &env, &wanted,
					      &satisfied, &err),
			 0);
	ck_assert_msg(satisfied, "%s: the target itself doesn't satisfy", example->key);
}

static void check_cases(const struct bounds_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_case(&cases[i]);
}

START_TEST(at_least_raises_and_never_lowers)
{
	static const struct bounds_case cases[] = {
		{ "net.core.somaxconn", NULL, "16384", NULL, "128", "16384", true },
		{ "net.core.somaxconn", NULL, "16384", NULL, "16384", "16384", false },
		{ "net.core.somaxconn", NULL, "16384", NULL, "65535", "65535", false },
		{ "net.core.somaxconn", NULL, "16384", NULL, NULL, "16384", true },
		{ "net.core.somaxconn", NULL, "1024 * cpus", NULL, "128", "4096", true },
		{ "net.core.somaxconn", NULL, "floor_pow2(mem_total / 1MiB)", NULL, "128", "8192",
		  true },
	};

	check_cases(cases, TCT_COUNT(cases));
}
END_TEST

START_TEST(at_most_lowers_and_set_fixes)
{
	static const struct bounds_case cases[] = {
		{ "net.ipv4.tcp_fin_timeout", NULL, NULL, "30s", "60", "30", true },
		{ "net.ipv4.tcp_fin_timeout", NULL, NULL, "30", "60", "30", true },
		{ "net.ipv4.tcp_fin_timeout", NULL, NULL, "1min", "20", "20", false },
		{ "net.ipv4.tcp_fin_timeout", NULL, "10s", "30s", "5", "10", true },
		{ "net.ipv4.tcp_fin_timeout", NULL, "10s", "30s", "20", "20", false },
		{ "net.ipv4.tcp_fin_timeout", NULL, "30s", "10s", "20",
		  "!f:3:9: net.ipv4.tcp_fin_timeout: at_least 30 is above at_most 10", false },
		{ "net.ipv4.tcp_sack", "1", NULL, NULL, "0", "1", true },
		{ "net.ipv4.tcp_sack", "1", NULL, NULL, "1", "1", false },
		{ "net.ipv4.tcp_sack", "1", NULL, NULL, NULL, "1", true },
	};

	check_cases(cases, TCT_COUNT(cases));
}
END_TEST

START_TEST(unlimited_is_larger_than_anything)
{
	static const struct bounds_case cases[] = {
		{ "net.ipv4.tcp_max_tw_buckets", NULL, "262144", NULL, "-1", "-1", false },
		{ "net.ipv4.tcp_max_tw_buckets", NULL, "262144", NULL, "-5000", "-5000", false },
		{ "net.ipv4.tcp_max_tw_buckets", NULL, "262144", NULL, "5000", "262144", true },
		{ "net.ipv4.tcp_max_tw_buckets", NULL, NULL, "262144", "-1", "262144", true },
		{ "net.netfilter.nf_conntrack_max", NULL, "262144", NULL, "0", "0", false },
		{ "net.netfilter.nf_conntrack_max", NULL, "262144", NULL, "65536", "262144", true },
	};

	check_cases(cases, TCT_COUNT(cases));
}
END_TEST

START_TEST(vectors_go_field_by_field)
{
	static const struct bounds_case cases[] = {
		{ "net.ipv4.tcp_rmem", NULL, "keep|keep|32MiB", NULL, "4096 131072 6291456",
		  "4096 131072 33554432", true },
		{ "net.ipv4.tcp_rmem", NULL, "keep|keep|32MiB", NULL, "4096 131072 67108864",
		  "4096 131072 67108864", false },
		{ "net.ipv4.tcp_rmem", NULL, "4096|131072|6291456", NULL, "8192 87380 8388608",
		  "8192 131072 8388608", true },
		{ "net.ipv4.tcp_rmem", "4096|131072|6291456", NULL, NULL, "8192 87380 8388608",
		  "4096 131072 6291456", true },
		{ "net.ipv4.tcp_rmem", "keep|256KiB|keep", NULL, NULL, "8192 87380 8388608",
		  "8192 262144 8388608", true },
		{ "net.ipv4.tcp_rmem", NULL, "keep|1MiB|keep", NULL, "4096 131072 524288",
		  "!f:3:9: net.ipv4.tcp_rmem: its fields must ascend, but [1] would be 1048576 and [2] 524288",
		  false },
		{ "net.ipv4.tcp_rmem", NULL, "keep|keep|32MiB", NULL, NULL,
		  "!f:3:9: net.ipv4.tcp_rmem: field [0] is to be kept, but its value is not known",
		  false },
		/* somebody else's disorder isn't ours to complain about as long as we change
		   nothing */
		{ "net.ipv4.tcp_rmem", NULL, "keep|keep|4096", NULL, "9000000 5000 4096",
		  "9000000 5000 4096", false },
		{ "net.ipv4.ip_local_port_range", NULL, "keep|65535", "32768|keep", "32768 60999",
		  "32768 65535", true },
		{ "net.ipv4.ip_local_port_range", NULL, "keep|65535", "32768|keep", NULL,
		  "32768 65535", true },
		{ "net.ipv4.ip_local_port_range", NULL, "keep|65535", "32768|keep", "10240 65535",
		  "10240 65535", false },
	};

	check_cases(cases, TCT_COUNT(cases));
}
END_TEST

START_TEST(units_are_the_keys_own)
{
	static const struct bounds_case cases[] = {
		/* pages: a plain number is pages, with a unit it is bytes, rounded down */
		{ "net.ipv4.tcp_mem", NULL, "2000|3000|4000", NULL, "1 2 3", "2000 3000 4000",
		  true },
		{ "net.ipv4.tcp_mem", NULL, "4MiB|8MiB|12MiB", NULL, "1 2 3", "1024 2048 3072",
		  true },
		{ "net.ipv4.tcp_mem", NULL, "4MiB|8MiB|8388609B", NULL, "1 2 3", "1024 2048 2048",
		  true },
		{ "net.ipv4.tcp_keepalive_time", NULL, NULL, "1500ms", "7200",
		  "!f:3:9: net.ipv4.tcp_keepalive_time: 1.5 s is not a whole number of seconds",
		  false },
		{ "net.ipv4.tcp_keepalive_time", NULL, NULL, "mem_total / mem_total * 10min",
		  "7200", "600", true },
		/* the kernel rounds these up to its own ticks */
		{ "net.ipv4.tcp_invalid_ratelimit", "1ms", NULL, NULL, "4", "4", false },
		{ "net.ipv4.tcp_invalid_ratelimit", "500", NULL, NULL, "4", "500", true },
	};

	check_cases(cases, TCT_COUNT(cases));
}
END_TEST

START_TEST(what_cannot_be_written_is_refused)
{
	static const struct bounds_case cases[] = {
		{ "net.ipv4.tcp_fin_timeout", "-5", NULL, NULL, "60", "", false },
		{ "net.ipv4.tcp_keepalive_probes", "0", NULL, NULL, "9", "", false },
		{ "net.core.somaxconn", NULL, "cpus - 5", NULL, "128", "", false },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		const struct tct_kernel_key *key = key_of(cases[i].key);
		struct tct_bound set = bound_of(key, cases[i].set);
		struct tct_bound at_least = bound_of(key, cases[i].at_least);
		struct tct_bound none = { 0 };
		struct tct_value wanted = { 0 };
		struct tct_env env = world_env();
		struct tct_err err = { 0 };
		bool ours;

		ck_assert_int_eq(tct_bounds_target(key, &set, &at_least, &none, &env, NULL, &wanted,
						   &ours, &err),
				 -EINVAL);
		ck_assert_msg(strstr(err.message, "what tcptune writes") != NULL, "%s",
			      err.message);
		ck_assert_uint_eq(err.line, 3);
	}
}
END_TEST

START_TEST(missing_facts_are_no_invalid_input)
{
	static const struct bounds_case cases[] = {
		{ "net.core.somaxconn", NULL, "mem_total / 1MiB", NULL, "128",
		  "!f:3:9: net.core.somaxconn: mem_total is not known (--var mem_total=...)",
		  false },
		{ "net.ipv4.tcp_mem", NULL, "4MiB|8MiB|12MiB", NULL, "1 2 3",
		  "!f:3:9: net.ipv4.tcp_mem is in pages, and page_size is not known", false },
		{ "net.ipv4.tcp_mem", NULL, "2000|3000|4000", NULL, "1 2 3", "2000 3000 4000",
		  true },
		{ "net.core.somaxconn", NULL, "4 / (cpus - cpus)", NULL, "128",
		  "!f:3:9: net.core.somaxconn: division by zero in `4 / (cpus - cpus)`", false },
	};

	world.facts = (struct tct_facts){ .known = { [TCT_FACT_CPUS] = true },
					  .value = { [TCT_FACT_CPUS] = 4 } };
	check_cases(cases, TCT_COUNT(cases));
}
END_TEST

START_TEST(words_are_set_as_they_stand)
{
	const struct tct_kernel_key *key = key_of("net.ipv4.tcp_congestion_control");
	struct tct_bound set = { .given = true };
	struct tct_bound none = { 0 };
	struct tct_env env = world_env();
	struct tct_err err = { 0 };
	static const struct {
		const char *baseline;
		bool ours;
	} cases[] = { { "cubic", true }, { "bbr", false } };

	ck_assert_int_eq(tct_value_parse(key, "bbr", &set.literal, &err), 0);
	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		TCT_AUTO(tct_value_done) struct tct_value baseline = { 0 };
		TCT_AUTO(tct_value_done) struct tct_value wanted = { 0 };
		bool ours = !cases[i].ours;

		ck_assert_int_eq(tct_value_parse(key, cases[i].baseline, &baseline, &err), 0);
		ck_assert_int_eq(tct_bounds_target(key, &set, &none, &none, &env, &baseline,
						   &wanted, &ours, &err),
				 0);
		ck_assert_str_eq(wanted.text, "bbr");
		ck_assert(ours == cases[i].ours);
	}
	tct_value_done(&set.literal);
}
END_TEST

START_TEST(numbers_go_into_the_keys_unit_and_back)
{
	const struct tct_kernel_key *mem = key_of("net.ipv4.tcp_mem");
	const struct tct_kernel_key *keepalive = key_of("net.ipv4.tcp_keepalive_time");
	int64_t number = 0;

	ck_assert_int_eq(tct_number_from_key(mem, 4096, 3, &number), 0);
	ck_assert_int_eq(number, 12288);
	ck_assert_int_eq(tct_number_from_key(mem, 0, 3, &number), -ENODATA);
	ck_assert_int_eq(tct_number_from_key(mem, 4096, INT64_MAX, &number), -ERANGE);
	ck_assert_int_eq(tct_number_to_key(mem, 4096, 12289, &number), 0);
	ck_assert_int_eq(number, 3);
	ck_assert_int_eq(tct_number_to_key(mem, -1, 12289, &number), -ENODATA);
	ck_assert_int_eq(tct_number_from_key(keepalive, 0, -5, &number), 0);
	ck_assert_int_eq(number, INT64_C(-5000000000));
	ck_assert_int_eq(tct_number_to_key(keepalive, 0, number, &number), 0);
	ck_assert_int_eq(number, -5);
	ck_assert_int_eq(tct_number_to_key(keepalive, 0, 1500000000, &number), -ERANGE);
	ck_assert_int_eq(tct_number_from_key(keepalive, 0, INT64_MAX / 2, &number), -ERANGE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bounds");
	TCase *tests = tcase_create("bounds");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, world_open, world_close);
	tcase_add_test(tests, at_least_raises_and_never_lowers);
	tcase_add_test(tests, at_most_lowers_and_set_fixes);
	tcase_add_test(tests, unlimited_is_larger_than_anything);
	tcase_add_test(tests, vectors_go_field_by_field);
	tcase_add_test(tests, units_are_the_keys_own);
	tcase_add_test(tests, what_cannot_be_written_is_refused);
	tcase_add_test(tests, missing_facts_are_no_invalid_input);
	tcase_add_test(tests, words_are_set_as_they_stand);
	tcase_add_test(tests, numbers_go_into_the_keys_unit_and_back);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
