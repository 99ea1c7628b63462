/* In which order live values are written, there and back; and when a change counts. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tune/order.h"
#include "tune/transact.h"

static void parse(const struct tct_kernel_key *key, const char *text, struct tct_value *value)
{
	struct tct_err err = { 0 };

	ck_assert_msg(tct_value_parse(key, text, value, &err) == 0, "%s %s: %s", key->name, text,
		      err.message);
}

#define RANGE "net.ipv4.ip_local_port_range"
#define START "net.ipv4.ip_unprivileged_port_start"
#define RESERVED "net.ipv4.ip_local_reserved_ports"
#define BUCKETS "net.netfilter.nf_conntrack_buckets"
#define TRACKED "net.netfilter.nf_conntrack_max"
#define REORDERING "net.ipv4.tcp_reordering"
#define REORDERING_MAX "net.ipv4.tcp_max_reordering"
#define STAMPS "net.ipv4.tcp_timestamps"
#define REUSE "net.ipv4.tcp_tw_reuse"
#define CONTROL "net.ipv4.tcp_congestion_control"
#define ALLOWED "net.ipv4.tcp_allowed_congestion_control"

/* The one that must be written first stands first. */
static const struct {
	const char *first, *first_from, *first_to;
	const char *second, *second_from, *second_to;
} cases[] = {
	/* The kernel refuses a range that begins below the first unprivileged port. */
	{ RANGE, "20000 60999", "32768 60999", START, "1024", "30000" },
	{ START, "30000", "1024", RANGE, "32768 60999", "10240 60999" },
	{ START, "1024", "2048", RANGE, "32768 60999", "10240 60999" },
	{ RANGE, "10240 60999", "32768 60999", START, "2048", "1024" },
	/* No moment in which a reserved port may be chosen. */
	{ RESERVED, "", "61616", RANGE, "32768 60999", "32768 65535" },
	{ RANGE, "32768 65535", "32768 60999", RESERVED, "61616", "" },
	{ RESERVED, "8080", "61616,62000-62010", RANGE, "32768 60999", "32768 65535" },
	{ RANGE, "32768 65535", "32768 60999", RESERVED, "61616,62000-62010", "8080" },
	/* A table that is too full for its buckets is slow. */
	{ BUCKETS, "65536", "262144", TRACKED, "262144", "1048576" },
	{ TRACKED, "1048576", "262144", BUCKETS, "262144", "65536" },
	/* The kernel refuses a tcp_reordering above the maximum. */
	{ REORDERING_MAX, "300", "1000", REORDERING, "3", "300" },
	{ REORDERING, "300", "3", REORDERING_MAX, "300", "100" },
	/* No moment of reuse without timestamps. */
	{ STAMPS, "0", "1", REUSE, "0", "1" },
	{ REUSE, "1", "0", STAMPS, "1", "0" },
	{ STAMPS, "0", "1", REUSE, "2", "1" },
	{ REUSE, "1", "2", STAMPS, "1", "0" },
	/* Setting an algorithm may add it to the list of those allowed. */
	{ CONTROL, "cubic", "bbr", ALLOWED, "reno cubic", "reno cubic bbr" },
	{ CONTROL, "bbr", "cubic", ALLOWED, "reno cubic bbr", "reno" },
	/* It resets others. */
	{ "net.ipv4.ip_forward", "0", "1", "net.ipv4.conf.all.rp_filter", "0", "1" },
	{ "net.ipv4.ip_forward", "1", "0", "net.ipv4.conf.all.rp_filter", "1", "0" },
	{ "net.ipv4.ip_forward", "1", "0", STAMPS, "1", "0" },
};

START_TEST(who_goes_first)
{
	const struct tct_kernel_key *first = tct_kernel_key_find(cases[_i].first);
	const struct tct_kernel_key *second = tct_kernel_key_find(cases[_i].second);
	struct tct_value values[4] = { 0 };
	const struct tct_order_item items[] = {
		{ first, &values[0], &values[1] },
		{ second, &values[2], &values[3] },
	};
	const struct tct_order_item turned[] = { items[1], items[0] };
	size_t order[2];

	ck_assert(first != NULL && second != NULL);
	parse(first, cases[_i].first_from, &values[0]);
	parse(first, cases[_i].first_to, &values[1]);
	parse(second, cases[_i].second_from, &values[2]);
	parse(second, cases[_i].second_to, &values[3]);
	tct_order(items, 2, order);
	ck_assert_msg(order[0] == 0 && order[1] == 1, "%s after %s", first->name, second->name);
	tct_order(turned, 2, order);
	ck_assert_msg(order[0] == 1 && order[1] == 0, "%s after %s", first->name, second->name);
	for (size_t i = 0; i < TCT_COUNT(values); i++)
		tct_value_done(&values[i]);
}
END_TEST

/* A chain: reserved ports, then the range, then the first unprivileged port; others stay put. */
START_TEST(a_chain)
{
	static const struct {
		const char *name, *from, *to;
	} keys[] = {
		{ START, "1024", "20000" },
		{ STAMPS, "0", "1" },
		{ RANGE, "10240 60999", "20000 65535" },
		{ "net.ipv4.ip_forward", "0", "1" },
		{ RESERVED, "", "61616" },
	};
	static const size_t there[] = { 3, 1, 4, 2, 0 };
	static const size_t back[] = { 3, 0, 1, 2, 4 };
	struct tct_value values[2 * TCT_COUNT(keys)] = { 0 };
	struct tct_order_item items[TCT_COUNT(keys)];
	size_t order[TCT_COUNT(keys)];

	for (size_t i = 0; i < TCT_COUNT(keys); i++) {
		const struct tct_kernel_key *key = tct_kernel_key_find(keys[i].name);

		parse(key, keys[i].from, &values[2 * i]);
		parse(key, keys[i].to, &values[2 * i + 1]);
		items[i] = (struct tct_order_item){ key, &values[2 * i], &values[2 * i + 1] };
	}
	tct_order(items, TCT_COUNT(keys), order);
	ck_assert_int_eq(memcmp(order, there, sizeof(there)), 0);
	for (size_t i = 0; i < TCT_COUNT(keys); i++)
		items[i] = (struct tct_order_item){ items[i].key, items[i].to, items[i].from };
	tct_order(items, TCT_COUNT(keys), order);
	ck_assert_int_eq(memcmp(order, back, sizeof(back)), 0);
	for (size_t i = 0; i < TCT_COUNT(values); i++)
		tct_value_done(&values[i]);
}
END_TEST

static const struct {
	const char *name, *from, *to;
	enum tct_effect effect;
} effects[] = {
	{ "net.ipv4.tcp_rmem", "4096 131072 6291456", "4096 131072 33554432", TCT_EFFECT_LIVE },
	{ "net.ipv4.tcp_rmem", "4096 131072 6291456", "4096 87380 33554432", TCT_EFFECT_SOCKET },
	{ "net.ipv4.tcp_wmem", "4096 16384 4194304", "8192 16384 4194304", TCT_EFFECT_LIVE },
	{ "net.ipv4.tcp_fastopen", "1", "3", TCT_EFFECT_LIVE },
	{ "net.ipv4.tcp_fastopen", "1", "0x403", TCT_EFFECT_LISTEN },
	{ "net.core.somaxconn", "4096", "16384", TCT_EFFECT_LISTEN },
	{ "net.ipv4.tcp_keepalive_time", "7200", "600", TCT_EFFECT_TIMER },
	{ "net.ipv4.tcp_timestamps", "0", "1", TCT_EFFECT_HANDSHAKE },
	{ "net.ipv4.tcp_congestion_control", "cubic", "bbr", TCT_EFFECT_HANDSHAKE },
	{ "net.core.rmem_max", "212992", "4194304", TCT_EFFECT_OPTION },
	{ "net.ipv4.ip_local_port_range", "32768 60999", "32768 65535", TCT_EFFECT_LIVE },
};

START_TEST(when_a_change_counts)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(effects[_i].name);
	struct tct_value from = { 0 };
	struct tct_value to = { 0 };

	ck_assert_ptr_nonnull(key);
	parse(key, effects[_i].from, &from);
	parse(key, effects[_i].to, &to);
	ck_assert_int_eq(tct_effect_of_change(key, &from, &to), effects[_i].effect);
	ck_assert_int_eq(tct_effect_of_change(key, &to, &from), effects[_i].effect);
	tct_value_done(&from);
	tct_value_done(&to);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order");
	TCase *tests = tcase_create("order");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, who_goes_first, 0, (int)TCT_COUNT(cases));
	tcase_add_test(tests, a_chain);
	tcase_add_loop_test(tests, when_a_change_counts, 0, (int)TCT_COUNT(effects));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
