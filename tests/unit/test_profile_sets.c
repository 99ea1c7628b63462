/* --set KEY=VALUE: a setting like a profile's, typed by the table of keys. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/profile.h"
#include "core/mem.h"

static struct tct_err err;
static struct tct_profile_set *set;

static int load(const char *profile, const struct tct_set_override *sets, size_t count)
{
	const struct tct_profile_request request = {
		.names = &profile,
		.names_count = profile != NULL ? 1 : 0,
		.sets = sets,
		.sets_count = count,
	};
	struct tct_facts facts = { 0 };

	facts.known[TCT_FACT_KERNEL] = true;
	facts.value[TCT_FACT_KERNEL] = tct_version_parse("6.18");
	facts.known[TCT_FACT_MEM_TOTAL] = true;
	facts.value[TCT_FACT_MEM_TOTAL] = INT64_C(8) << 30;
	tct_profile_set_free(set);
	set = NULL;
	err = (struct tct_err){ 0 };
	return tct_profile_set_load(&request, &facts, &set, &err);
}

static void drop(void)
{
	tct_profile_set_free(set);
	set = NULL;
}

static const struct tct_setting *setting(const char *name)
{
	for (size_t i = 0; i < set->settings_count; i++) {
		if (strcmp(set->settings[i].key->name, name) == 0)
			return &set->settings[i];
	}
	return NULL;
}

/* What is said when it is refused. */
static const char *refusal(const char *key, const char *value)
{
	const struct tct_set_override one = { key, value, "--set" };

	ck_assert_int_lt(load(NULL, &one, 1), 0);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	return err.message;
}

START_TEST(alone_there_are_only_the_keys_and_what_is_refused)
{
	static const struct tct_set_override sets[] = {
		{ "net/ipv4/tcp_rmem", "4096\t131072  33554432 ", "--set" },
		{ "net.core.somaxconn", "0x2000", "--set" },
		{ "net.ipv4.ip_local_reserved_ports", "80,9000-9001", "--set" },
		{ "net.ipv4.tcp_congestion_control", "bbr", "--set" },
	};

	ck_assert_int_eq(load(NULL, sets, TCT_COUNT(sets)), 0);
	ck_assert_uint_eq(set->names_count, 0);
	ck_assert_uint_eq(set->settings_count, TCT_COUNT(sets));
	ck_assert_uint_gt(set->never_count, 0);
	for (size_t i = 1; i < set->settings_count; i++)
		ck_assert_int_lt(strcmp(set->settings[i - 1].key->name, set->settings[i].key->name),
				 0);
	ck_assert(setting("net.ipv4.tcp_rmem")->by_hand);
	ck_assert_int_eq(setting("net.ipv4.tcp_rmem")->set.literal.numbers[2], 33554432);
	ck_assert_int_eq(setting("net.core.somaxconn")->set.literal.numbers[0], 8192);
	ck_assert_str_eq(setting("net.ipv4.ip_local_reserved_ports")->set.literal.text,
			 "80,9000-9001");
	ck_assert_str_eq(setting("net.ipv4.tcp_congestion_control")->set.literal.text, "bbr");
}
END_TEST

START_TEST(a_profile_s_bounds_are_overridden)
{
	static const struct tct_set_override one = { "net.core.somaxconn", "9000", "--set" };
	size_t count;

	ck_assert_int_eq(load("highconn", NULL, 0), 0);
	count = set->settings_count;
	ck_assert(setting("net.core.somaxconn")->at_least.given);
	ck_assert_int_eq(load("highconn", &one, 1), 0);
	ck_assert_uint_eq(set->settings_count, count);
	ck_assert(!setting("net.core.somaxconn")->at_least.given);
	ck_assert_str_eq(setting("net.core.somaxconn")->because, "asked for with --set");
}
END_TEST

START_TEST(the_target_is_the_value_whatever_was_there)
{
	static const struct tct_set_override one = { "net.core.somaxconn", "9000", "--set" };
	static const struct tct_facts nothing = { 0 };
	const struct tct_env env = { .facts = &nothing };
	const struct tct_value more = { .kind = TCT_VALUE_NUMBERS,
					.count = 1,
					.numbers = { 20000 } };
	const struct tct_value same = { .kind = TCT_VALUE_NUMBERS,
					.count = 1,
					.numbers = { 9000 } };
	struct tct_value wanted = { 0 };
	const struct tct_setting *made;
	bool ours = false;

	ck_assert_int_eq(load(NULL, &one, 1), 0);
	made = setting("net.core.somaxconn");
	ck_assert_int_eq(tct_bounds_target(made->key, &made->set, &made->at_least, &made->at_most,
					   &env, &more, &wanted, &ours, &err),
			 0);
	ck_assert_int_eq(wanted.numbers[0], 9000);
	ck_assert(ours);
	ck_assert_int_eq(tct_bounds_target(made->key, &made->set, &made->at_least, &made->at_most,
					   &env, &same, &wanted, &ours, &err),
			 0);
	ck_assert(!ours);
}
END_TEST

START_TEST(the_same_key_twice_must_say_the_same)
{
	static const struct tct_set_override same[] = {
		{ "net.core.somaxconn", "9000", "--set" },
		{ "net/core/somaxconn", "0x2328", "--set" },
	};
	static const struct tct_set_override other[] = {
		{ "net.core.somaxconn", "9000", "--set" },
		{ "net/core/somaxconn", "9001", "--set" },
	};

	ck_assert_int_eq(load(NULL, same, 2), 0);
	ck_assert_uint_eq(set->settings_count, 1);
	ck_assert_int_lt(load(NULL, other, 2), 0);
	ck_assert_str_eq(err.message,
			 "--set net.core.somaxconn: it is given twice, with different values");
}
END_TEST

START_TEST(what_tcptune_does_not_write_is_loaded_to_be_refused)
{
	static const struct tct_set_override sets[] = {
		{ "net.core.somaxconn", "1", "--set" },
		{ "net.ipv4.tcp_rmem", "4096 131072 2000000000", "--set" },
		{ "net.ipv4.tcp_fin_timeout", "30", "--set" },
	};

	ck_assert_int_eq(load(NULL, sets, TCT_COUNT(sets)), 0);
	ck_assert_str_eq(setting("net.core.somaxconn")->outside,
			 "1 is outside of 128 to 65535, what tcptune writes");
	ck_assert_str_eq(setting("net.ipv4.tcp_rmem")->outside,
			 "field [2], 2000000000 is outside of 4096 to 1073741824 bytes, what "
			 "tcptune writes");
	ck_assert_ptr_null(setting("net.ipv4.tcp_fin_timeout")->outside);
}
END_TEST

START_TEST(mistakes_are_named)
{
	ck_assert_str_eq(refusal("net.ipv4.tcp_rmemm", "1"),
			 "--set net.ipv4.tcp_rmemm: tcptune doesn't know this key; did you mean "
			 "net.ipv4.tcp_rmem?");
	ck_assert_str_eq(refusal("kernel.panic", "1"),
			 "--set kernel.panic: it is not among the keys that tcptune knows");
	ck_assert_str_eq(refusal("net.ipv4.tcp_rmem", "4096 131072"),
			 "--set net.ipv4.tcp_rmem: 3 numbers are needed, here are 2");
	ck_assert_str_eq(
		refusal("net.ipv4.tcp_rmem", "4096 131072 99999999999"),
		"--set net.ipv4.tcp_rmem: field [2] is outside what the kernel takes, 1 to "
		"2147483647");
	ck_assert_str_eq(refusal("net.ipv4.tcp_rmem", "8192 4096 6291456"),
			 "--set net.ipv4.tcp_rmem: its fields must ascend, but [0] is 8192 and [1] "
			 "4096");
	ck_assert_str_eq(refusal("net.core.somaxconn", ""),
			 "--set net.core.somaxconn: there is no value");
	ck_assert_str_eq(refusal("net.netfilter.nf_conntrack_count", "1"),
			 "--set net.netfilter.nf_conntrack_count: the kernel shows it, but lets "
			 "nobody write it");
	ck_assert_str_eq(refusal("net.ipv4.tcp_fastopen_key", "1"),
			 "--set net.ipv4.tcp_fastopen_key: it is a secret, which tcptune doesn't "
			 "handle");
}
END_TEST

START_TEST(what_never_refuses_is_loaded_to_be_refused_with_its_reason)
{
	static const struct tct_set_override one = { "net.ipv4.tcp_tw_recycle", "1", "--set" };

	ck_assert_msg(load(NULL, &one, 1) == 0, "%s", err.message);
	ck_assert_int_eq(setting("net.ipv4.tcp_tw_recycle")->set.literal.numbers[0], 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile_sets");
	TCase *test_case = tcase_create("sets");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test_case);
	tcase_add_checked_fixture(test_case, NULL, drop);
	tcase_add_test(test_case, alone_there_are_only_the_keys_and_what_is_refused);
	tcase_add_test(test_case, a_profile_s_bounds_are_overridden);
	tcase_add_test(test_case, the_target_is_the_value_whatever_was_there);
	tcase_add_test(test_case, the_same_key_twice_must_say_the_same);
	tcase_add_test(test_case, what_tcptune_does_not_write_is_loaded_to_be_refused);
	tcase_add_test(test_case, mistakes_are_named);
	tcase_add_test(test_case, what_never_refuses_is_loaded_to_be_refused_with_its_reason);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
