#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/value.h"

/* "tcp_rmem" of net.ipv4, or a full name; "" is no key at all. */
static const struct tct_kernel_key *key(const char *name)
{
	const struct tct_kernel_key *found;
	char full[128];

	if (name[0] == '\0')
		return NULL;
	(void)snprintf(full, sizeof(full), "%s%s", strchr(name, '.') != NULL ? "" : "net.ipv4.",
		       name);
	found = tct_kernel_key_find(full);
	ck_assert_msg(found != NULL, "%s", name);
	return found;
}

/* What a text is parsed to, as text; NULL if it is refused. */
START_TEST(values_are_parsed_strictly)
{
	static const struct {
		const char *key;
		const char *text;
		const char *value;
	} cases[] = {
		{ "tcp_fin_timeout", "60", "60" },
		{ "tcp_fin_timeout", " \t60\n", "60" },
		{ "tcp_fin_timeout", "0x3c", "60" },
		{ "tcp_fin_timeout", "074", "60" },
		{ "tcp_fin_timeout", "-5", "-5" },
		{ "tcp_fin_timeout", "21474836", "21474836" },
		{ "tcp_fin_timeout", "21474837", NULL },
		{ "tcp_fin_timeout", "60 # note", NULL },
		{ "tcp_fin_timeout", "60s", NULL },
		{ "tcp_fin_timeout", "6.5", NULL },
		{ "tcp_fin_timeout", "+60", NULL },
		{ "tcp_fin_timeout", "\"60\"", NULL },
		{ "tcp_fin_timeout", "", NULL },
		{ "tcp_fin_timeout", " ", NULL },
		{ "tcp_fin_timeout", "60 60", NULL },
		{ "tcp_fin_timeout", "99999999999999999999999", NULL },
		{ "tcp_max_tw_buckets", "-1", "-1" },
		{ "tcp_max_tw_buckets", "-2147483648", "-2147483648" },
		{ "tcp_max_tw_buckets", "2147483648", NULL },
		{ "tcp_retries2", "255", "255" },
		{ "tcp_retries2", "256", NULL },
		{ "tcp_retries2", "-0", NULL },
		{ "tcp_notsent_lowat", "4294967295", "4294967295" },
		{ "tcp_notsent_lowat", "4294967296", NULL },
		{ "tcp_notsent_lowat", "-1", NULL },
		{ "tcp_invalid_ratelimit", "500", "500" },
		{ "tcp_invalid_ratelimit", "4294967296", NULL },
		{ "tcp_invalid_ratelimit", "-4294967295", NULL },
		{ "tcp_invalid_ratelimit", "2147483648", "2147483648" },
		{ "tcp_rmem", "4096 131072 33554432", "4096 131072 33554432" },
		{ "tcp_rmem", "4096\t131072\t33554432\n", "4096 131072 33554432" },
		{ "tcp_rmem", "4096 131072", NULL },
		{ "tcp_rmem", "4096 131072 33554432 1", NULL },
		{ "tcp_rmem", "4096,131072,33554432", NULL },
		{ "tcp_rmem", "0 131072 33554432", NULL },
		{ "tcp_mem", "1 2 18446744073709551615", "1 2 9223372036854775807" },
		{ "fs.file-max", "9223372036854775807", "9223372036854775807" },
		{ "fs.file-max", "9223372036854775808", NULL },
		{ "ip_local_port_range", "1024\t65535\n", "1024 65535" },
		{ "ip_local_port_range", "0 65535", NULL },
		{ "ip_local_port_range", "60000 50000", NULL },
		{ "ip_local_port_range", "1024", NULL },
		{ "ip_local_reserved_ports", "\n", "" },
		{ "ip_local_reserved_ports", "", "" },
		{ "ip_local_reserved_ports", " 80 \n", "80" },
		{ "ip_local_reserved_ports", "9000-9100,80,81,8080", "80-81,8080,9000-9100" },
		{ "ip_local_reserved_ports", "65535,0", "0,65535" },
		{ "ip_local_reserved_ports", "0-65535", "0-65535" },
		{ "ip_local_reserved_ports", "65536", NULL },
		{ "ip_local_reserved_ports", "80 90", NULL },
		{ "ip_local_reserved_ports", "90-80", NULL },
		{ "tcp_congestion_control", "bbr\n", "bbr" },
		{ "tcp_congestion_control", "bbr cubic", NULL },
		{ "tcp_congestion_control", "", NULL },
		{ "tcp_congestion_control", "b\xff", NULL },
		{ "tcp_allowed_congestion_control", " reno  bbr\n", "reno bbr" },
		{ "tcp_allowed_congestion_control", "", "" },
		{ "tcp_fastopen_key", "1-2-3-4", NULL },
		{ "", "5", "5" },
		{ "", "1 -2 0x3", "1 -2 3" },
		{ "", "1 2 3 4", "1 2 3 4" },
		{ "", "5 # note", "5 # note" },
		{ "", " some  words ", "some words" },
		{ "", "", "" },
		{ "", "18446744073709551615", "18446744073709551615" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		struct tct_value value;
		struct tct_err err = { 0 };
		int result = tct_value_parse(key(cases[i].key), cases[i].text, &value, &err);
		TCT_AUTOFREE char *text = tct_value_text(&value);

		ck_assert_msg((result == 0) == (cases[i].value != NULL), "%s: '%s'", cases[i].key,
			      cases[i].text);
		if (cases[i].value != NULL) {
			ck_assert_str_eq(text, cases[i].value);
		} else {
			ck_assert_int_eq(result, -EINVAL);
			ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
			ck_assert_uint_gt(strlen(err.message), 0);
			ck_assert_int_eq(value.kind, TCT_VALUE_NONE);
		}
		tct_value_done(&value);
	}
}
END_TEST

START_TEST(numbers_and_words_are_told_apart)
{
	struct tct_value value;

	ck_assert_int_eq(tct_value_parse(NULL, "1 2", &value, NULL), 0);
	ck_assert_int_eq(value.kind, TCT_VALUE_NUMBERS);
	ck_assert_uint_eq(value.count, 2);
	tct_value_done(&value);
	ck_assert_int_eq(tct_value_parse(NULL, "1 x", &value, NULL), 0);
	ck_assert_int_eq(value.kind, TCT_VALUE_WORDS);
	tct_value_done(&value);
}
END_TEST

/* Each is tried against the kernel as well, in tests/netns. */
START_TEST(writes_are_foretold)
{
	static const struct {
		const char *key;
		const char *text;
		enum tct_write_outcome outcome;
		const char *value;
		const char *reason;
	} cases[] = {
		{ "tcp_max_tw_buckets", "5000 #TIME-WAIT Socket \xe6\x9c\x80\xe5\xa4\xa7",
		  TCT_WRITE_REST_IGNORED, "5000", "comment" },
		{ "tcp_max_tw_buckets", "5000", TCT_WRITE_TAKEN, "5000", NULL },
		{ "tcp_max_tw_buckets", "0200", TCT_WRITE_TAKEN, "128", "octal" },
		{ "tcp_max_tw_buckets", "5000#x", TCT_WRITE_REFUSED, "", "not a number" },
		{ "tcp_max_tw_buckets", "\"5000\"", TCT_WRITE_REFUSED, "", "quotes" },
		{ "tcp_max_tw_buckets", "# x", TCT_WRITE_REFUSED, "", "comment" },
		{ "tcp_max_tw_buckets", "3000000000", TCT_WRITE_REFUSED, "",
		  "-2147483648 to 2147483647" },
		{ "tcp_max_tw_buckets", "1 2", TCT_WRITE_REST_IGNORED, "1", "first number" },
		{ "tcp_max_tw_buckets", "", TCT_WRITE_REFUSED, "", "no value" },
		{ "tcp_tw_reuse", "1 #x", TCT_WRITE_REST_IGNORED, "1", "comment" },
		{ "tcp_tw_reuse", "3", TCT_WRITE_REFUSED, "", "0 to 2" },
		{ "tcp_tw_recycle", "1 # x", TCT_WRITE_REST_IGNORED, "1", "comment" },
		{ "tcp_rmem", "4096 87380 6291456", TCT_WRITE_TAKEN, "4096 87380 6291456", NULL },
		{ "tcp_rmem", "4096 87380", TCT_WRITE_PARTIAL, "4096 87380", "2 of 3" },
		{ "tcp_rmem", "4096 87380 # x", TCT_WRITE_HALF_REFUSED, "4096 87380", "field 3" },
		{ "tcp_rmem", "4096 bogus 7", TCT_WRITE_HALF_REFUSED, "4096", "field 2" },
		{ "tcp_rmem", "bogus 1 7", TCT_WRITE_REFUSED, "", "field 1" },
		{ "tcp_rmem", "1 2 3 # x", TCT_WRITE_REST_IGNORED, "1 2 3", "comment" },
		{ "tcp_rmem", "1 2 3 4", TCT_WRITE_REST_IGNORED, "1 2 3", "first 3 numbers" },
		{ "ip_local_port_range", "1024 65535 # ports", TCT_WRITE_REST_IGNORED, "1024 65535",
		  "comment" },
		{ "ip_local_port_range", "1024 # ports", TCT_WRITE_REFUSED, "", "comment" },
		{ "ip_local_port_range", "40000", TCT_WRITE_PARTIAL, "40000", "1 of 2" },
		{ "ip_local_port_range", "60000 50000", TCT_WRITE_REFUSED, "", "above" },
		{ "ip_local_reserved_ports", "80, 90", TCT_WRITE_REFUSED, "", "blanks" },
		{ "ip_local_reserved_ports", "1,2-4", TCT_WRITE_TAKEN, "1-4", NULL },
		{ "ip_local_reserved_ports", "", TCT_WRITE_TAKEN, "", NULL },
		{ "tcp_congestion_control", "bbr", TCT_WRITE_TAKEN, "bbr", NULL },
		{ "tcp_congestion_control", "bbr # x", TCT_WRITE_REFUSED, "", "whole line" },
		{ "tcp_congestion_control", "", TCT_WRITE_REFUSED, "", "no value" },
		{ "tcp_allowed_congestion_control", "reno bbr", TCT_WRITE_TAKEN, "reno bbr", NULL },
		{ "tcp_allowed_congestion_control", "reno # x", TCT_WRITE_REFUSED, "", "name" },
		{ "tcp_available_congestion_control", "bbr", TCT_WRITE_READ_ONLY, "", "written" },
		{ "tcp_keepalive_time", "3000000", TCT_WRITE_TAKEN, "3000000", "HZ" },
		{ "tcp_keepalive_time", "60", TCT_WRITE_TAKEN, "60", NULL },
		{ "tcp_invalid_ratelimit", "4294967296", TCT_WRITE_TAKEN, "0", NULL },
		{ "tcp_fastopen_key", "1-2-3-4", TCT_WRITE_TAKEN, "", NULL },
		{ "tcp_fastopen_key", "1-2-3", TCT_WRITE_REFUSED, "", "hexadecimal" },
		{ "net.core.default_qdisc", "fq", TCT_WRITE_TAKEN, "fq", NULL },
		{ "fs.file-max", "18446744073709551615", TCT_WRITE_REFUSED, "",
		  "0 to 9223372036854775807" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		enum tct_write_outcome outcome;
		struct tct_value value;
		char reason[160];

		ck_assert_int_eq(tct_value_from_write(key(cases[i].key), cases[i].text, &outcome,
						      &value, reason),
				 0);

		TCT_AUTOFREE char *text = tct_value_text(&value);

		ck_assert_msg(outcome == cases[i].outcome, "%s: '%s' gave %d", cases[i].key,
			      cases[i].text, (int)outcome);
		ck_assert_str_eq(text, cases[i].value);
		if (cases[i].reason == NULL)
			ck_assert_str_eq(reason, "");
		else
			ck_assert_msg(strstr(reason, cases[i].reason) != NULL, "%s: '%s': %s",
				      cases[i].key, cases[i].text, reason);
		tct_value_done(&value);
	}
}
END_TEST

static bool equal(const char *name, const char *left, const char *right)
{
	struct tct_value a;
	struct tct_value b;
	bool result;

	ck_assert_int_eq(tct_value_parse(key(name), left, &a, NULL), 0);
	ck_assert_int_eq(tct_value_parse(key(name), right, &b, NULL), 0);
	result = tct_value_equal(&a, &b);
	tct_value_done(&a);
	tct_value_done(&b);
	return result;
}

START_TEST(values_compare_by_meaning)
{
	const struct tct_value none = { 0 };
	struct tct_value one;

	ck_assert(equal("tcp_rmem", "1 2 3", "1\t2\t0x3\n"));
	ck_assert(!equal("tcp_rmem", "1 2 3", "1 2 4"));
	ck_assert(equal("ip_local_reserved_ports", "80,81,82", "80-82\n"));
	ck_assert(!equal("ip_local_reserved_ports", "80,81", "80-82"));
	ck_assert(equal("tcp_congestion_control", "bbr", "bbr\n"));
	ck_assert(!equal("", "1 2", "1 2 3"));
	ck_assert(!equal("", "1", "x"));
	ck_assert(tct_value_equal(&none, &none));
	ck_assert_int_eq(tct_value_parse(NULL, "0", &one, NULL), 0);
	ck_assert(!tct_value_equal(&none, &one));
}
END_TEST

static bool stored(const char *name, const char *written, const char *read)
{
	struct tct_value a;
	struct tct_value b;
	bool result;

	ck_assert_int_eq(tct_value_parse(key(name), written, &a, NULL), 0);
	ck_assert_int_eq(tct_value_parse(key(name), read, &b, NULL), 0);
	result = tct_value_stored_as(key(name), &a, &b);
	tct_value_done(&a);
	tct_value_done(&b);
	return result;
}

START_TEST(the_kernel_may_round_up)
{
	/* HZ 1000, 250, 300 and 100 make these of 1, 5 and 1000. */
	ck_assert(stored("tcp_invalid_ratelimit", "1", "1"));
	ck_assert(stored("tcp_invalid_ratelimit", "1", "4"));
	ck_assert(stored("tcp_invalid_ratelimit", "1", "10"));
	ck_assert(stored("tcp_invalid_ratelimit", "5", "8"));
	ck_assert(stored("tcp_invalid_ratelimit", "5", "7"));
	ck_assert(stored("tcp_invalid_ratelimit", "5", "10"));
	ck_assert(stored("tcp_invalid_ratelimit", "2147483647", "2147483648"));
	ck_assert(!stored("tcp_invalid_ratelimit", "5", "4"));
	ck_assert(!stored("tcp_invalid_ratelimit", "5", "0"));
	ck_assert(!stored("tcp_invalid_ratelimit", "1000", "1004"));
	ck_assert(!stored("tcp_invalid_ratelimit", "5", "50"));
	ck_assert(stored("net.netfilter.nf_conntrack_buckets", "100000", "100352"));
	ck_assert(!stored("net.netfilter.nf_conntrack_buckets", "100000", "99840"));
	ck_assert(!stored("net.netfilter.nf_conntrack_buckets", "100000", "108192"));
	ck_assert(!stored("tcp_fin_timeout", "5", "6"));
	ck_assert(stored("tcp_rmem", "1 2 3", "1 2 3"));
	ck_assert(!stored("tcp_rmem", "1 2 3", "1 2 4"));
	ck_assert(!stored("", "1", "2"));
}
END_TEST

START_TEST(unlimited_is_the_most)
{
	const struct tct_kernel_key *buckets = key("tcp_max_tw_buckets");
	const struct tct_kernel_key *conntrack = key("net.netfilter.nf_conntrack_max");
	const struct tct_kernel_key *plain = key("tcp_max_syn_backlog");

	ck_assert(tct_value_field_at_least(buckets, -1, 262144));
	ck_assert(!tct_value_field_at_least(buckets, 262144, -1));
	ck_assert(tct_value_field_at_least(buckets, -1, -5));
	ck_assert(tct_value_field_at_least(buckets, -5, -1));
	ck_assert(tct_value_field_at_least(buckets, 5, 5));
	ck_assert(!tct_value_field_at_least(buckets, 0, 5));
	ck_assert(tct_value_field_at_least(conntrack, 0, 262144));
	ck_assert(!tct_value_field_at_least(conntrack, 262144, 0));
	ck_assert(!tct_value_field_at_least(plain, -1, 5));
	ck_assert(tct_value_field_at_least(plain, 5, -1));
	ck_assert(tct_value_field_at_least(NULL, 5, 5));
	ck_assert(!tct_value_field_at_least(NULL, -1, 0));
}
END_TEST

START_TEST(values_survive_json)
{
	static const struct {
		const char *key;
		const char *text;
		const char *json;
	} cases[] = {
		{ "tcp_fin_timeout", "60", "60" },
		{ "tcp_rmem", "4096 131072 33554432", "[4096,131072,33554432]" },
		{ "fs.file-max", "9223372036854775807", "9223372036854775807" },
		{ "tcp_congestion_control", "bbr", "\"bbr\"" },
		{ "tcp_allowed_congestion_control", "reno bbr", "\"reno bbr\"" },
		{ "ip_local_reserved_ports", "80,90", "\"80,90\"" },
		{ "ip_local_reserved_ports", "", "\"\"" },
		{ "", "5", "5" },
		{ "", "5 6", "[5,6]" },
		{ "", "1 2 3 4", "\"1 2 3 4\"" },
		{ "", "18446744073709551615", "\"18446744073709551615\"" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		struct tct_value value;
		struct tct_value again;
		struct tct_value copy = { 0 };

		ck_assert_int_eq(tct_value_parse(key(cases[i].key), cases[i].text, &value, NULL),
				 0);

		json_t *json = tct_value_json(&value);
		TCT_AUTOFREE char *dumped = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);

		ck_assert_str_eq(dumped, cases[i].json);
		ck_assert_int_eq(tct_value_from_json(key(cases[i].key), json, &again, NULL), 0);
		ck_assert(tct_value_equal(&value, &again));
		ck_assert_int_eq(tct_value_copy(&copy, &value), 0);
		ck_assert(tct_value_equal(&value, &copy));
		ck_assert(value.text == NULL || value.text != copy.text);
		json_decref(json);
		tct_value_done(&value);
		tct_value_done(&again);
		tct_value_done(&copy);
	}
}
END_TEST

START_TEST(foreign_json_is_refused)
{
	static const struct {
		const char *key;
		const char *json;
	} cases[] = {
		{ "tcp_fin_timeout", "\"60\"" },
		{ "tcp_fin_timeout", "60.0" },
		{ "tcp_fin_timeout", "true" },
		{ "tcp_fin_timeout", "null" },
		{ "tcp_fin_timeout", "{}" },
		{ "tcp_fin_timeout", "[]" },
		{ "tcp_fin_timeout", "[60,60]" },
		{ "tcp_fin_timeout", "9999999999" },
		{ "tcp_rmem", "[1,2]" },
		{ "tcp_rmem", "[1,2,3,4]" },
		{ "tcp_rmem", "[1,2,\"3\"]" },
		{ "tcp_rmem", "[1,2,[3]]" },
		{ "tcp_congestion_control", "5" },
		{ "tcp_congestion_control", "\"a b\"" },
		{ "tcp_congestion_control", "\"bbr\\u0000x\"" },
		{ "ip_local_reserved_ports", "80" },
		{ "tcp_fastopen_key", "\"1-2-3-4\"" },
		{ "", "[]" },
		{ "", "[1,2,3,4]" },
		{ "", "true" },
		{ "", "1.5" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		json_t *json = json_loads(cases[i].json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		struct tct_value value;
		struct tct_err err = { 0 };

		ck_assert_ptr_nonnull(json);
		ck_assert_msg(tct_value_from_json(key(cases[i].key), json, &value, &err) == -EINVAL,
			      "%s: %s", cases[i].key, cases[i].json);
		ck_assert_uint_gt(strlen(err.message), 0);
		ck_assert_int_eq(value.kind, TCT_VALUE_NONE);
		json_decref(json);
	}
}
END_TEST

START_TEST(no_value_is_null)
{
	const struct tct_value none = { 0 };
	struct tct_value again;
	json_t *json = tct_value_json(&none);
	TCT_AUTOFREE char *text = tct_value_text(&none);

	ck_assert(json_is_null(json));
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(tct_value_from_json(NULL, json, &again, NULL), 0);
	ck_assert_int_eq(again.kind, TCT_VALUE_NONE);
	json_decref(json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("value");
	TCase *tests = tcase_create("value");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, values_are_parsed_strictly);
	tcase_add_test(tests, numbers_and_words_are_told_apart);
	tcase_add_test(tests, writes_are_foretold);
	tcase_add_test(tests, values_compare_by_meaning);
	tcase_add_test(tests, the_kernel_may_round_up);
	tcase_add_test(tests, unlimited_is_the_most);
	tcase_add_test(tests, values_survive_json);
	tcase_add_test(tests, foreign_json_is_refused);
	tcase_add_test(tests, no_value_is_null);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
