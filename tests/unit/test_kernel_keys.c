/* The table of keys: is it in order, does it make sense, is every key explained? */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernel_keys.h"
#include "core/mem.h"
#include "core/root.h"
#include "core/text.h"

START_TEST(keys_are_sorted_and_found)
{
	ck_assert_uint_ge(tct_kernel_keys_count, 75);
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_kernel_key *key = &tct_kernel_keys[i];
		char path[NAME_MAX];

		ck_assert_msg(i == 0 || strcmp(key[-1].name, key->name) < 0, "%s", key->name);
		ck_assert_ptr_eq(tct_kernel_key_find(key->name), key);
		ck_assert_uint_eq(tct_kernel_key_index(key), i);
		ck_assert_int_eq(tct_kernel_key_path(key->name, path, sizeof(path)), 0);
		ck_assert_ptr_eq(tct_kernel_key_find(path), key);
	}
	ck_assert_ptr_null(tct_kernel_key_find("net.ipv4.tcp_none"));
	ck_assert_ptr_null(tct_kernel_key_find("net.ipv4"));
	ck_assert_ptr_null(tct_kernel_key_find(""));
	ck_assert_ptr_null(tct_kernel_key_find("net.ipv4.tcp_rmem.x"));
	ck_assert_ptr_null(tct_kernel_key_find("net/ipv4.tcp_rmem"));
}
END_TEST

static bool is_number(const struct tct_kernel_key *key)
{
	return key->unit != TCT_UNIT_NAME && key->handler != TCT_HANDLER_PORT_BITMAP;
}

static void check_texts(const struct tct_kernel_key *key)
{
	const char *const texts[] = { key->default_text, key->summary, key->source };

	for (size_t i = 0; i < TCT_COUNT(texts); i++) {
		ck_assert_msg(texts[i] != NULL && texts[i][0] != '\0', "%s", key->name);
		ck_assert_msg(strpbrk(texts[i], "\n\t") == NULL, "%s", key->name);
	}
	ck_assert_msg(strlen(key->summary) <= 100, "%s", key->name);
}

START_TEST(rows_make_sense)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_kernel_key *key = &tct_kernel_keys[i];

		check_texts(key);
		ck_assert_msg(key->fields >= 1 && key->fields <= TCT_KEY_FIELDS_MAX, "%s",
			      key->name);
		ck_assert_msg(key->min <= key->sane_min && key->sane_min <= key->sane_max &&
				      key->sane_max <= key->max,
			      "%s", key->name);
		ck_assert_msg(!is_number(key) || key->min < key->max, "%s", key->name);
		ck_assert_msg(!key->ordered || key->fields > 1, "%s", key->name);
		ck_assert_msg(key->fields == 1 || key->ordered, "%s", key->name);
		ck_assert_msg(!key->beyond_max || key->handler == TCT_HANDLER_ULONG, "%s",
			      key->name);
		ck_assert_msg(key->handler != TCT_HANDLER_U8 || (key->min >= 0 && key->max <= 255),
			      "%s", key->name);
		ck_assert_msg(key->handler != TCT_HANDLER_INT ||
				      (key->min == INT32_MIN && key->max == INT32_MAX),
			      "%s", key->name);
		ck_assert_msg(key->until == 0 || key->until > key->since, "%s", key->name);
		ck_assert_msg((key->effect == TCT_EFFECT_NONE) == (key->no_op_since != 0), "%s",
			      key->name);
		for (unsigned field = 0; key->default_known && field < key->fields; field++)
			ck_assert_msg(key->default_value[field] >= key->min &&
					      key->default_value[field] <= key->max,
				      "%s", key->name);
		ck_assert_msg(is_number(key) || !key->default_known, "%s", key->name);
		ck_assert_msg(key->live_fields >> key->fields == 0, "%s", key->name);
		ck_assert_msg(!key->caps_accept_queue || key->effect == TCT_EFFECT_LISTEN, "%s",
			      key->name);
		if (key->write_after != NULL)
			ck_assert_ptr_nonnull(tct_kernel_key_find(key->write_after));
	}
}
END_TEST

/* Values that the kernel takes and that tcptune must never write. */
START_TEST(traps_are_not_sane)
{
	static const struct {
		const char *name;
		int64_t trap;
	} traps[] = {
		{ "net.ipv4.tcp_keepalive_time", -1 },
		{ "net.ipv4.tcp_keepalive_time", 0 },
		{ "net.ipv4.tcp_keepalive_intvl", -1 },
		{ "net.ipv4.tcp_keepalive_probes", 0 },
		{ "net.ipv4.tcp_max_syn_backlog", -1 },
		{ "net.ipv4.tcp_max_tw_buckets", 0 },
		{ "net.ipv4.tcp_rmem", 2 },
		{ "net.ipv4.tcp_fin_timeout", -5 },
		{ "net.ipv4.tcp_retries2", 0 },
		{ "net.ipv4.tcp_synack_retries", 0 },
		{ "net.ipv4.tcp_syncookies", 2 },
		{ "net.ipv4.tcp_timestamps", 2 },
		{ "net.ipv4.tcp_tw_recycle", 1 },
		{ "net.ipv4.tcp_max_orphans", -1 },
		{ "net.core.somaxconn", 65536 },
		{ "net.core.somaxconn", 0 },
		{ "net.core.netdev_max_backlog", -1 },
		{ "net.ipv4.tcp_limit_output_bytes", -1 },
		{ "net.netfilter.nf_conntrack_max", 1 },
		{ "net.ipv4.ip_local_port_range", 1 },
	};

	for (size_t i = 0; i < TCT_COUNT(traps); i++) {
		const struct tct_kernel_key *key = tct_kernel_key_find(traps[i].name);

		ck_assert_msg(traps[i].trap >= key->min && traps[i].trap <= key->max, "%s",
			      key->name);
		ck_assert_msg(traps[i].trap < key->sane_min || traps[i].trap > key->sane_max, "%s",
			      key->name);
	}
}
END_TEST

START_TEST(names_become_paths)
{
	static const struct {
		const char *name;
		int result;
		const char *path;
	} cases[] = {
		{ "net.ipv4.tcp_rmem", 0, "net/ipv4/tcp_rmem" },
		{ "net/ipv4/tcp_rmem", 0, "net/ipv4/tcp_rmem" },
		{ "net.ipv4.conf.eth0/100.rp_filter", 0, "net/ipv4/conf/eth0.100/rp_filter" },
		{ "net/ipv4/conf/eth0.100/rp_filter", 0, "net/ipv4/conf/eth0.100/rp_filter" },
		{ "kernel", 0, "kernel" },
		{ "", -EINVAL, "" },
		{ ".net", -EINVAL, "" },
		{ "/net", -EINVAL, "" },
		{ "net/../kernel", -EINVAL, "" },
		{ "net.//.kernel", -EINVAL, "" },
		{ "..", -EINVAL, "" },
		{ "net/ipv4/..", -EINVAL, "" },
		{ "net/./ipv4", -EINVAL, "" },
		{ "net...x", 0, "net///x" },
		{ "net/...", 0, "net/..." },
	};
	char path[64];
	char tight[sizeof("net/ipv4")];

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		ck_assert_msg(tct_kernel_key_path(cases[i].name, path, sizeof(path)) ==
				      cases[i].result,
			      "%s", cases[i].name);
		ck_assert_str_eq(path, cases[i].path);
	}
	ck_assert_int_eq(tct_kernel_key_path("net.ipv4", tight, sizeof(tight)), 0);
	ck_assert_int_eq(tct_kernel_key_path("net.ipv44", tight, sizeof(tight)), -ENAMETOOLONG);
}
END_TEST

START_TEST(misspellings_find_their_key)
{
	static const struct {
		const char *wrong;
		const char *right;
	} cases[] = {
		{ "net.ipv4.tcp_rmen", "net.ipv4.tcp_rmem" },
		{ "net.ipv4.tcp_tw_resuse", "net.ipv4.tcp_tw_reuse" },
		{ "net.ipv4.tcp_max_tw_bucket", "net.ipv4.tcp_max_tw_buckets" },
		{ "net/ipv4/tcp_keepalive_prob", "net.ipv4.tcp_keepalive_probes" },
		{ "net.ipv4.somaxconn", "net.core.somaxconn" },
		{ "tcp_fin_timeout", "net.ipv4.tcp_fin_timeout" },
		{ "net.netfilter.nf_conntrack_max", "net.netfilter.nf_conntrack_max" },
		{ "net.nf_conntrack_maxx", "net.nf_conntrack_max" },
		{ "net_ipv4_tcp_rmem", "net.ipv4.tcp_rmem" },
		{ "net.ipv4.conf.defualt.rp_filter", "net.ipv4.conf.default.rp_filter" },
		{ "kernel.panic", NULL },
		{ "net.ipv4.tcp_frobnicate", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		const char *nearest = tct_kernel_key_nearest(cases[i].wrong);

		if (cases[i].right == NULL)
			ck_assert_msg(nearest == NULL, "%s: %s", cases[i].wrong, nearest);
		else
			ck_assert_msg(nearest != NULL && strcmp(nearest, cases[i].right) == 0,
				      "%s: %s", cases[i].wrong, nearest);
	}
}
END_TEST

START_TEST(units_and_effects_have_words)
{
	ck_assert_str_eq(tct_unit_name(TCT_UNIT_S), "seconds");
	ck_assert_str_eq(tct_unit_name(TCT_UNIT_PAGES), "pages");
	ck_assert_str_eq(tct_unit_name(TCT_UNIT_COUNT), "");
	for (int effect = TCT_EFFECT_LIVE; effect <= TCT_EFFECT_NONE; effect++)
		ck_assert_uint_gt(strlen(tct_effect_text((enum tct_effect)effect)), 0);
	for (int effect = TCT_EFFECT_LIVE; effect <= TCT_EFFECT_NONE; effect++)
		ck_assert_uint_gt(strlen(tct_effect_name((enum tct_effect)effect)), 0);
	ck_assert_str_eq(tct_effect_keeps(TCT_EFFECT_HANDSHAKE), "open connections");
	ck_assert_ptr_null(tct_effect_keeps(TCT_EFFECT_LIVE));
	ck_assert_str_eq(tct_effect_text(TCT_EFFECT_LISTEN), "at the next listen()");
}
END_TEST

/* "  net.ipv4.tcp_rmem:" is a topic: its name to `name`. */
static bool topic_of(const char *line, size_t length, char name[NAME_MAX])
{
	if (length < 4 || length >= NAME_MAX || strncmp(line, "  ", 2) != 0 || line[2] == ' ' ||
	    line[2] == '#' || line[length - 1] != ':')
		return false;
	memcpy(name, line + 2, length - 3);
	name[length - 3] = '\0';
	return true;
}

static char *read_explanations(const char *file)
{
	const char *checkout = getenv("TCT_SOURCE_DIR");
	TCT_AUTO(tct_root_done) struct tct_root root = { .fd = -1 };
	char path[PATH_MAX];
	char *text = NULL;

#ifdef TCT_SOURCE_DIR
	if (checkout == NULL)
		checkout = TCT_SOURCE_DIR;
#endif
	ck_assert_msg(checkout != NULL, "TCT_SOURCE_DIR is not set");
	(void)snprintf(path, sizeof(path), "%s/profiles/explain/%s", checkout, file);
	ck_assert_int_eq(tct_root_open(&root, NULL, NULL), 0);
	ck_assert_msg(tct_root_read(&root, path, 1 << 20, &text, NULL) == 0, "%s", path);
	return text;
}

START_TEST(every_key_is_explained)
{
	TCT_AUTOFREE char *text = read_explanations("keys.yaml");
	TCT_AUTOFREE bool *explained = calloc(tct_kernel_keys_count, sizeof(*explained));

	ck_assert_ptr_nonnull(explained);
	ck_assert_int_eq(strncmp(text, "schema: tcptune.explain.v1\nkind: keys\n", 38), 0);
	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		char name[NAME_MAX];

		ck_assert_msg(length <= 100, "%.*s", (int)length, line);
		if (topic_of(line, length, name)) {
			const struct tct_kernel_key *key = tct_kernel_key_find(name);

			ck_assert_msg(key != NULL, "%s is explained but not in the table", name);
			ck_assert_msg(!explained[tct_kernel_key_index(key)],
				      "%s is explained twice", name);
			explained[tct_kernel_key_index(key)] = true;
		}
		line += length + (line[length] == '\n' ? 1 : 0);
	}
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		ck_assert_msg(explained[i], "%s is not explained", tct_kernel_keys[i].name);
}
END_TEST

START_TEST(every_state_is_explained)
{
	static const char *const states[] = { "ESTABLISHED", "SYN_SENT",  "SYN_RECV", "FIN_WAIT1",
					      "FIN_WAIT2",   "TIME_WAIT", "CLOSE",    "CLOSE_WAIT",
					      "LAST_ACK",    "LISTEN",    "CLOSING" };
	TCT_AUTOFREE char *text = read_explanations("states.yaml");
	size_t topics = 0;

	ck_assert_int_eq(strncmp(text, "schema: tcptune.explain.v1\nkind: states\n", 40), 0);
	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		char name[NAME_MAX];
		bool known = false;

		ck_assert_msg(length <= 100, "%.*s", (int)length, line);
		if (topic_of(line, length, name)) {
			for (size_t i = 0; i < TCT_COUNT(states); i++)
				known = known || strcmp(name, states[i]) == 0;
			ck_assert_msg(known, "%s", name);
			topics++;
		}
		line += length + (line[length] == '\n' ? 1 : 0);
	}
	ck_assert_uint_eq(topics, TCT_COUNT(states));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kernel_keys");
	TCase *tests = tcase_create("kernel_keys");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, keys_are_sorted_and_found);
	tcase_add_test(tests, rows_make_sense);
	tcase_add_test(tests, traps_are_not_sane);
	tcase_add_test(tests, names_become_paths);
	tcase_add_test(tests, misspellings_find_their_key);
	tcase_add_test(tests, units_and_effects_have_words);
	tcase_add_test(tests, every_key_is_explained);
	tcase_add_test(tests, every_state_is_explained);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
