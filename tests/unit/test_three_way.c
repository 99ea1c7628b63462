/* One key, three ways: as a whole where its parts depend on each other, else field by field. */
#include <check.h>
#include <stdlib.h>

#include "core/mem.h"
#include "tune/three_way.h"

#define RMEM "net.ipv4.tcp_rmem"
#define RANGE "net.ipv4.ip_local_port_range"
#define PORTS "net.ipv4.ip_local_reserved_ports"
#define AVAILABLE "net.ipv4.tcp_allowed_congestion_control"
#define RATELIMIT "net.ipv4.tcp_invalid_ratelimit"

/* NULL after: nothing is written. fields: bits; -1: a conflict of the whole key; 0: none. */
static const struct {
	const char *key;
	const char *before;
	const char *ours;
	const char *now;
	const char *after;
	int fields;
	const char *forced; /* what --force writes; NULL = nothing */
} cases[] = {
	{ "net.core.somaxconn", "4096", "16384", "16384", "4096", 0, "4096" },
	{ "net.core.somaxconn", "4096", "16384", "4096", NULL, 0, NULL },
	{ "net.core.somaxconn", "4096", "16384", "100", NULL, -1, "4096" },
	/* We changed nothing: whoever did since is right. */
	{ "net.core.somaxconn", "4096", "4096", "100", NULL, 0, NULL },
	/* The kernel rounds. */
	{ RATELIMIT, "500", "5", "8", "500", 0, "500" },
	{ RATELIMIT, "500", "5", "30", NULL, -1, "500" },
	/* Ours in field 2 goes back, field 3 is somebody else's. */
	{ RMEM, "4096 131072 6291456", "4096 262144 33554432", "4096 262144 7000000",
	  "4096 131072 7000000", 4, "4096 131072 6291456" },
	{ RMEM, "4096 131072 6291456", "4096 262144 33554432", "4096 262144 33554432",
	  "4096 131072 6291456", 0, "4096 131072 6291456" },
	/* A field that we never changed is nobody's conflict, and stays even if forced. */
	{ RMEM, "4096 131072 6291456", "4096 262144 6291456", "4096 262144 7000000",
	  "4096 131072 7000000", 0, "4096 131072 7000000" },
	{ RMEM, "4096 131072 6291456", "4096 131072 33554432", "8192 131072 7000000", NULL, 4,
	  "8192 131072 6291456" },
	{ RMEM, "4096 131072 6291456", "8192 262144 33554432", "5000 300000 7000000", NULL, 7,
	  "4096 131072 6291456" },
	/* A mixture that would not ascend: the key as a whole. */
	{ RMEM, "4096 131072 6291456", "4096 262144 6291456", "200000 262144 6291456", NULL, -1,
	  "4096 131072 6291456" },
	/* One limits the other: never a mixture. */
	{ RANGE, "32768 60999", "10000 65001", "10000 61000", NULL, -1, "32768 60999" },
	{ RANGE, "32768 60999", "10000 65001", "10000 65001", "32768 60999", 0, "32768 60999" },
	{ PORTS, "80", "80,9000-9100", "80,443,9000-9100", NULL, -1, "80" },
	{ PORTS, "80", "80,9000-9100", "80,9000-9100", "80", 0, "80" },
	{ AVAILABLE, "reno cubic", "reno cubic bbr", "reno", NULL, -1, "reno cubic" },
};

static void parse(const struct tct_kernel_key *key, const char *text, struct tct_value *value)
{
	struct tct_err err = { 0 };

	ck_assert_msg(tct_value_parse(key, text, value, &err) == 0, "%s: %s", text, err.message);
}

static void check_after(const struct tct_kernel_key *key, const struct tct_value *after,
			const char *expected, size_t number)
{
	TCT_AUTO(tct_value_done) struct tct_value wanted = { 0 };

	if (expected == NULL) {
		ck_assert_msg(after->kind == TCT_VALUE_NONE, "case %zu writes", number);
		return;
	}
	parse(key, expected, &wanted);
	ck_assert_msg(tct_value_equal(after, &wanted), "case %zu", number);
}

START_TEST(three_ways)
{
	size_t number = (size_t)_i;
	const struct tct_kernel_key *key = tct_kernel_key_find(cases[number].key);
	TCT_AUTO(tct_value_done) struct tct_value before = { 0 };
	TCT_AUTO(tct_value_done) struct tct_value ours = { 0 };
	TCT_AUTO(tct_value_done) struct tct_value now = { 0 };
	struct tct_three_way ways = { .before = &before, .ours = &ours, .now = &now };
	struct tct_three_way_answer answer;
	int fields = cases[number].fields;

	ck_assert_ptr_nonnull(key);
	ways.key = key;
	parse(key, cases[number].before, &before);
	parse(key, cases[number].ours, &ours);
	parse(key, cases[number].now, &now);
	ck_assert_int_eq(tct_three_way(&ways, &answer), 0);
	ck_assert_int_eq(answer.conflict, fields != 0);
	ck_assert_uint_eq(answer.fields, fields > 0 ? (unsigned)fields : 0);
	check_after(key, &answer.after, cases[number].after, number);
	tct_value_done(&answer.after);
	ways.force = true;
	ck_assert_int_eq(tct_three_way(&ways, &answer), 0);
	check_after(key, &answer.after, cases[number].forced, number);
	tct_value_done(&answer.after);
}
END_TEST

/* After a boot what the drop-in's line made is ours, too. */
START_TEST(after_a_boot)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(RMEM);
	struct tct_value before;
	struct tct_value ours;
	struct tct_value line;
	struct tct_value now;
	struct tct_three_way ways = { .key = key,
				      .before = &before,
				      .ours = &ours,
				      .now = &now,
				      .booted = &line };
	struct tct_three_way_answer answer;

	parse(key, "4096 131072 6291456", &before);
	parse(key, "4096 131072 33554432", &ours);
	parse(key, "4096 131072 67108864", &line);
	parse(key, "4096 131072 67108864", &now);
	ck_assert_int_eq(tct_three_way(&ways, &answer), 0);
	ck_assert(!answer.conflict);
	check_after(key, &answer.after, "4096 131072 6291456", 0);
	ways.booted = NULL;
	ck_assert_int_eq(tct_three_way(&ways, &answer), 0);
	ck_assert_uint_eq(answer.fields, 4);
}
END_TEST

/* --force comes back to the fields that were left, not to those that went back. */
START_TEST(settled_fields)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(RMEM);
	struct tct_value before;
	struct tct_value ours;
	struct tct_value from;
	struct tct_value to;
	struct tct_value now;
	struct tct_three_way ways = {
		.key = key,
		.before = &before,
		.ours = &ours,
		.now = &now,
		.settled = { &from, &to },
		.force = true,
	};
	struct tct_three_way_answer answer;

	parse(key, "4096 131072 6291456", &before);
	parse(key, "4096 262144 33554432", &ours);
	parse(key, "4096 262144 7000000", &from);
	parse(key, "4096 131072 7000000", &to);
	parse(key, "4096 150000 7000000", &now);
	ck_assert_int_eq(tct_three_way(&ways, &answer), 0);
	check_after(key, &answer.after, "4096 150000 6291456", 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("three ways");
	TCase *tests = tcase_create("all");

	tcase_add_loop_test(tests, three_ways, 0, TCT_COUNT(cases));
	tcase_add_test(tests, after_a_boot);
	tcase_add_test(tests, settled_fields);
	suite_add_tcase(suite, tests);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
