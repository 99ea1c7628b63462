/* The plan: baselines, live and at boot; what is refused; in which order; what the drop-in becomes.
 */
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tests/unit/scratch.h"
#include "tune/plan.h"

#define BOOT "11111111-2222-3333-4444-555555555555"
#define DROP_IN "etc/sysctl.d/99-tcptune.conf"

static struct tct_err err;
static struct tct_observation *observation;
static struct tct_journal *journal;
static struct tct_profile_set *set;
static struct tct_facts facts;
static struct tct_plan *plan;
static struct tct_plan_options options;
static char *drop_in;

static void set_up(void)
{
	scratch_open();
	observation = tct_observation_new();
	ck_assert_ptr_nonnull(observation);
	observation->host.source = TCT_SOURCE_LIVE;
	observation->host.netns.initial = true;
	observation->host.kernel_version = TCT_VERSION(6, 18);
	observation->host.mem_total_bytes = INT64_C(16) << 30;
	observation->host.page_bytes = 4096;
	observation->host.cpus = 4;
	(void)strcpy(observation->host.boot_id, BOOT);
	observation->boot_model = TCT_BOOT_SYSTEMD;
	observation->files_govern = true;
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		observation->sysctls[i].presence = TCT_ABSENT;
	ck_assert_int_eq(tct_journal_open(&scratch_root, true, &journal, &err), 0);
	options = (struct tct_plan_options){ .live = true, .persist = true };
	set = NULL;
	plan = NULL;
	drop_in = NULL;
}

static void tear_down(void)
{
	tct_plan_free(plan);
	tct_profile_set_free(set);
	tct_journal_free(journal);
	tct_observation_free(observation);
	free(drop_in);
	scratch_close();
}

static const struct tct_kernel_key *key_of(const char *name)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);

	ck_assert_msg(key != NULL, "%s", name);
	return key;
}

/* The key is there and has this value. */
static void live(const char *name, const char *text)
{
	struct tct_sysctl *sysctl = &observation->sysctls[tct_kernel_key_index(key_of(name))];

	tct_value_done(&sysctl->value);
	ck_assert_int_eq(tct_value_parse(key_of(name), text, &sysctl->value, &err), 0);
	sysctl->presence = TCT_PRESENT;
	sysctl->writable = true;
}

/* What tcptune did earlier; NULL values: not live, or no line. */
static void did(const char *name, const char *baseline, const char *before, const char *after,
		const char *line)
{
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction one = {
		.kind = TCT_TRANSACTION_APPLY,
		.boot_id = BOOT,
		.netns = { .initial = true },
		.live = true,
		.persisted = true,
		.drop_in_after_sha256 = "x",
	};
	struct tct_journal_key *key = TCT_APPEND(&one, keys);

	ck_assert_ptr_nonnull(key);
	key->key = key_of(name);
	if (after != NULL) {
		ck_assert_int_eq(tct_value_parse(key->key, baseline, &key->baseline, &err), 0);
		ck_assert_int_eq(tct_value_parse(key->key, before, &key->before, &err), 0);
		ck_assert_int_eq(tct_value_parse(key->key, after, &key->after, &err), 0);
		key->live_owned = true;
	}
	if (line != NULL)
		ck_assert_int_eq(tct_value_parse(key->key, line, &key->boot_after, &err), 0);
	ck_assert_msg(tct_journal_begin(journal, &scratch_root, &one, &err) == 0, "%s",
		      err.message);
	ck_assert_int_eq(tct_journal_end(journal, one.id, TCT_TRANSACTION_COMMITTED, NULL, &err),
			 0);
}

/* The plan for a profile with these settings (YAML, two blanks deep). */
static void make(const char *settings)
{
	struct tct_text text = { 0 };
	char path[512];
	const char *names[] = { path };
	const struct tct_profile_request request = {
		.root = &scratch_root,
		.names = names,
		.names_count = 1,
	};

	tct_text_addf(&text, "schema: tcptune.profile.v1\nname: p\nsummary: a test\n%s%s",
		      strncmp(settings, "never:", 6) == 0 ||
				      strncmp(settings, "variables:", 10) == 0 ||
				      settings[0] == '\0'
			      ? ""
			      : "settings:\n",
		      settings);
	scratch_write("p.yaml", text.data);
	tct_text_done(&text);
	(void)snprintf(path, sizeof(path), "%s", scratch_path("p.yaml"));
	tct_facts_from_host(&observation->host, &facts);
	tct_profile_set_free(set);
	set = NULL;
	ck_assert_msg(tct_profile_set_load(&request, &facts, &set, &err) == 0, "%s:%u:%u %s",
		      err.file, err.line, err.column, err.message);
	tct_sysctl_files_free(observation->files);
	observation->files = NULL;
	ck_assert_int_eq(tct_sysctl_files_read(&scratch_root, &observation->files, &err), 0);
	free(drop_in);
	drop_in = scratch_read(DROP_IN);
	options.drop_in = drop_in;
	tct_plan_free(plan);
	plan = NULL;
	ck_assert_msg(tct_plan_make(set, &facts, observation, journal, &options, &plan, &err) == 0,
		      "%s", err.message);
}

static const struct tct_plan_key *planned(const char *name)
{
	for (size_t i = 0; i < plan->keys_count; i++) {
		if (plan->keys[i].key == key_of(name))
			return &plan->keys[i];
	}
	ck_abort_msg("%s is not planned", name);
	return NULL;
}

static void ck_value(const struct tct_value *value, const char *expected)
{
	TCT_AUTOFREE char *text = tct_value_text(value);

	ck_assert_str_eq(value->kind == TCT_VALUE_NONE ? "-" : text, expected);
}

/* wanted live, line of the drop-in ("-" = none), and whether the live value is written. */
static void ck_planned(const char *name, const char *wanted, const char *line, bool write)
{
	const struct tct_plan_key *key = planned(name);

	ck_value(&key->wanted, wanted);
	if (key->persist)
		ck_value(&key->wanted_boot, line);
	else
		ck_assert_str_eq(line, "-");
	ck_assert_int_eq(key->write_live, write);
}

static void ck_refused(const char *kind, const char *name, const char *part)
{
	for (size_t i = 0; i < plan->refused_count; i++) {
		const struct tct_plan_refusal *refusal = &plan->refused[i];

		if (strcmp(refusal->kind, kind) == 0 &&
		    (refusal->key != NULL ? strcmp(refusal->key->name, name) == 0
					  : *name == '\0')) {
			ck_assert_msg(strstr(refusal->reason, part) != NULL, "%s", refusal->reason);
			return;
		}
	}
	ck_abort_msg("%s %s is not refused", name, kind);
}

static void ck_nothing_refused(void)
{
	ck_assert_msg(plan->refused_count == 0, "%s: %s", plan->refused[0].kind,
		      plan->refused[0].reason);
}

#define RAISE_SOMAXCONN "  net.core.somaxconn: { at_least: 16384, because: the cap }\n"

START_TEST(raised)
{
	live("net.core.somaxconn", "4096");
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
	ck_planned("net.core.somaxconn", "16384", "16384", true);
	ck_assert(plan->changes && plan->drop_in_changes);
	ck_assert_ptr_null(plan->drop_in_before);
	ck_assert_ptr_nonnull(
		strstr(plan->drop_in_after, "\n# the cap\nnet.core.somaxconn = 16384\n"));
	ck_assert_ptr_nonnull(strstr(plan->drop_in_after, "# Transaction: 1\n"));
}
END_TEST

START_TEST(never_lowered)
{
	/* By hand live, and the kernel's default at boot. */
	live("net.core.somaxconn", "65535");
	make(RAISE_SOMAXCONN);
	ck_planned("net.core.somaxconn", "65535", "16384", false);
	/* In a file. */
	scratch_write("etc/sysctl.d/10-site.conf", "net.core.somaxconn = 32768\n");
	make(RAISE_SOMAXCONN);
	ck_planned("net.core.somaxconn", "65535", "-", false);
	ck_value(&planned("net.core.somaxconn")->baseline_boot, "32768");
	ck_assert(!plan->changes);
	/* In a later file. */
	scratch_write("etc/sysctl.d/zz-site.conf", "net.core.somaxconn = 40000\n");
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
	ck_planned("net.core.somaxconn", "65535", "-", false);
}
END_TEST

START_TEST(unlimited_is_more_than_any_number)
{
	live("net.ipv4.tcp_max_tw_buckets", "-1");
	make("  net.ipv4.tcp_max_tw_buckets: { at_least: 262144, because: x }\n");
	ck_planned("net.ipv4.tcp_max_tw_buckets", "-1", "-", false);
	ck_assert(!plan->changes);
}
END_TEST

START_TEST(vectors_field_by_field)
{
	live("net.ipv4.tcp_rmem", "8192 131072 6291456");
	make("  net.ipv4.tcp_rmem: { at_least: [4096, keep, 33554432], because: x }\n");
	ck_nothing_refused();
	ck_value(&planned("net.ipv4.tcp_rmem")->wanted, "8192 131072 33554432");
}
END_TEST

START_TEST(ours_follows_a_lowered_profile)
{
	did("net.core.somaxconn", "4096", "4096", "32768", "32768");
	scratch_write(DROP_IN, "net.core.somaxconn = 32768\n");
	live("net.core.somaxconn", "32768");
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
	ck_planned("net.core.somaxconn", "16384", "16384", true);
	ck_value(&planned("net.core.somaxconn")->baseline_live, "4096");
	ck_value(&planned("net.core.somaxconn")->baseline_boot, "4096");
	/* Set by hand since: that is the baseline now. */
	live("net.core.somaxconn", "20000");
	make(RAISE_SOMAXCONN);
	ck_planned("net.core.somaxconn", "20000", "16384", false);
	ck_value(&planned("net.core.somaxconn")->baseline_live, "20000");
}
END_TEST

START_TEST(twice_changes_nothing)
{
	did("net.core.somaxconn", "4096", "4096", "16384", "16384");
	/* Comments never make a change. */
	scratch_write(DROP_IN, "# edited\nnet.core.somaxconn=16384\n");
	live("net.core.somaxconn", "16384");
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
	ck_assert(!plan->changes && !plan->drop_in_changes);
	ck_assert_str_eq(plan->drop_in_after, plan->drop_in_before);
	/* The file was taken away: it comes back. */
	ck_assert_int_eq(remove(scratch_path(DROP_IN)), 0);
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
	ck_assert(plan->changes && plan->drop_in_changes);
}
END_TEST

START_TEST(milliseconds_that_the_kernel_rounded)
{
	live("net.ipv4.tcp_invalid_ratelimit", "8");
	options.persist = false;
	make("  net.ipv4.tcp_invalid_ratelimit: { set: 5ms, because: x }\n");
	ck_planned("net.ipv4.tcp_invalid_ratelimit", "8", "-", false);
	ck_assert(!plan->changes);
}
END_TEST

START_TEST(keys_of_the_old_profile_go_back)
{
	did("net.ipv4.tcp_fin_timeout", "60", "60", "30", "30");
	scratch_write(DROP_IN, "net.ipv4.tcp_fin_timeout = 30\n");
	live("net.ipv4.tcp_fin_timeout", "30");
	live("net.core.somaxconn", "4096");
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
	ck_planned("net.ipv4.tcp_fin_timeout", "60", "-", true);
	ck_assert_ptr_null(planned("net.ipv4.tcp_fin_timeout")->setting);
	ck_assert_ptr_null(strstr(plan->drop_in_after, "tcp_fin_timeout"));
	/* Somebody else has set it meanwhile: it is theirs. */
	live("net.ipv4.tcp_fin_timeout", "20");
	make(RAISE_SOMAXCONN);
	ck_planned("net.ipv4.tcp_fin_timeout", "20", "-", false);
	/* Without persistence the line stays. */
	options.persist = false;
	live("net.ipv4.tcp_fin_timeout", "30");
	make(RAISE_SOMAXCONN);
	ck_planned("net.ipv4.tcp_fin_timeout", "60", "30", true);
	ck_assert(!plan->drop_in_changes);
}
END_TEST

/* Another profile sets the same key: from ours to ours, with the old baseline. */
START_TEST(shared_keys_go_straight)
{
	did("net.ipv4.tcp_fin_timeout", "60", "60", "30", "30");
	scratch_write(DROP_IN, "net.ipv4.tcp_fin_timeout = 30\n");
	live("net.ipv4.tcp_fin_timeout", "30");
	make("  net.ipv4.tcp_fin_timeout: { at_most: 15s, because: sooner }\n");
	ck_planned("net.ipv4.tcp_fin_timeout", "15", "15", true);
	ck_value(&planned("net.ipv4.tcp_fin_timeout")->before, "30");
	ck_value(&planned("net.ipv4.tcp_fin_timeout")->baseline_live, "60");
	ck_assert(planned("net.ipv4.tcp_fin_timeout")->owned_live);
	make("  net.ipv4.tcp_fin_timeout: { at_most: 30s, because: the same }\n");
	ck_planned("net.ipv4.tcp_fin_timeout", "30", "30", false);
	ck_assert(!plan->changes);
	/* It is content with what was there before us: that again, and no line. */
	make("  net.ipv4.tcp_fin_timeout: { at_most: 90s, because: later }\n");
	ck_planned("net.ipv4.tcp_fin_timeout", "60", "-", true);
	ck_assert(!planned("net.ipv4.tcp_fin_timeout")->owned_live);
}
END_TEST

START_TEST(set_always_has_a_line)
{
	live("net.ipv4.tcp_fin_timeout", "60");
	make("  net.ipv4.tcp_fin_timeout: { set: 60s, because: x }\n");
	ck_planned("net.ipv4.tcp_fin_timeout", "60", "60", false);
	ck_assert(plan->changes);
}
END_TEST

START_TEST(unsupported_keys_are_skipped)
{
	live("net.core.somaxconn", "4096");
	observation->sysctls[tct_kernel_key_index(key_of("net.core.somaxconn"))].writable = false;
	make(RAISE_SOMAXCONN "  net.ipv4.tcp_fin_timeout: { set: 30s, because: x }\n");
	ck_nothing_refused();
	ck_assert_uint_eq(plan->unsupported_count, 2);
	ck_assert_uint_eq(plan->keys_count, 0);
	ck_assert(!plan->changes);
	/* There, but unreadable: it couldn't be put back. */
	observation->sysctls[tct_kernel_key_index(key_of("net.core.somaxconn"))] =
		(struct tct_sysctl){ .presence = TCT_UNREADABLE, .error = EIO };
	make(RAISE_SOMAXCONN);
	ck_refused("missing", "net.core.somaxconn", "Input/output error");
	live("net.core.somaxconn", "4096");
	observation->sysctls[tct_kernel_key_index(key_of("net.core.somaxconn"))].writable = false;
	/* A line of ours for a key that is away for now stays. */
	did("net.ipv4.tcp_fin_timeout", "60", "60", "30", "30");
	scratch_write(DROP_IN, "net.ipv4.tcp_fin_timeout = 30\n");
	make(RAISE_SOMAXCONN "  net.ipv4.tcp_fin_timeout: { set: 30s, because: x }\n");
	ck_nothing_refused();
	ck_assert(!plan->changes);
}
END_TEST

START_TEST(shadowed)
{
	live("net.core.somaxconn", "4096");
	scratch_write("etc/sysctl.d/zz-vendor.conf", "# note\nnet.core.somaxconn = 128\n");
	make(RAISE_SOMAXCONN);
	ck_refused("shadowed", "net.core.somaxconn", "/etc/sysctl.d/zz-vendor.conf:2");
	ck_assert_uint_eq(plan->shadowed_count, 2);
	ck_assert(plan->shadowed[0].refuses && !plan->shadowed[1].refuses);
	ck_value(&plan->shadowed[0].value, "128");
	options.allow_shadowed = true;
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
	ck_assert_uint_eq(plan->shadowed_count, 2);
	/* /etc/sysctl.conf beats us only under procps. */
	options.allow_shadowed = false;
	ck_assert_int_eq(remove(scratch_path("etc/sysctl.d/zz-vendor.conf")), 0);
	scratch_write("etc/sysctl.conf", "net.core.somaxconn = 128\n");
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
	ck_assert_uint_eq(plan->shadowed_count, 1);
	ck_assert_int_eq(plan->shadowed[0].model, TCT_BOOT_PROCPS);
	options.boot_model_given = true;
	options.boot_model = TCT_BOOT_MODELS;
	make(RAISE_SOMAXCONN);
	ck_refused("shadowed", "net.core.somaxconn", "/etc/sysctl.conf:1");
	/* The same value there harms nobody; a pattern never beats a key. */
	scratch_write("etc/sysctl.conf", "net.core.somaxconn = 16384\n");
	scratch_write("etc/sysctl.d/zz.conf", "net.core.* = 7\n");
	options.boot_model = TCT_BOOT_SYSTEMD;
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
	/* systemd lets a later "-key" take our line away. */
	scratch_write("etc/sysctl.d/zz.conf", "-net.core.somaxconn\n");
	make(RAISE_SOMAXCONN);
	ck_refused("shadowed", "net.core.somaxconn", "takes our line away");
}
END_TEST

START_TEST(never)
{
	live("net.ipv4.tcp_fin_timeout", "60");
	make("never:\n  - key: net.ipv4.tcp_fin_timeout\n    when: value < 40\n    because: too short\n"
	     "settings:\n  net.ipv4.tcp_fin_timeout: { set: 30s, because: x }\n");
	ck_refused("never", "net.ipv4.tcp_fin_timeout", "too short");
}
END_TEST

START_TEST(requirements_of_the_planned_state)
{
	static const char alone[] = "  net.ipv4.tcp_tw_reuse: { set: 1, because: x, requires: "
				    "[ sysctl(net.ipv4.tcp_timestamps) != 0 ] }\n";
	char both[512];

	live("net.ipv4.tcp_tw_reuse", "2");
	live("net.ipv4.tcp_timestamps", "0");
	make(alone);
	ck_refused("requires", "net.ipv4.tcp_tw_reuse", "tcp_timestamps");
	(void)snprintf(both, sizeof(both), "%s  net.ipv4.tcp_timestamps: { set: 1, because: x }\n",
		       alone);
	make(both);
	ck_nothing_refused();
	/* And written in that order. */
	ck_assert_str_eq(plan->keys[0].key->name, "net.ipv4.tcp_timestamps");
	/* Live it is fine, but not at the next boot. */
	live("net.ipv4.tcp_timestamps", "1");
	scratch_write("etc/sysctl.d/10.conf", "net.ipv4.tcp_timestamps = 0\n");
	make(alone);
	ck_refused("requires", "net.ipv4.tcp_tw_reuse", "after the next boot");
}
END_TEST

START_TEST(invariants)
{
	live("net.ipv4.tcp_tw_reuse", "2");
	live("net.ipv4.tcp_timestamps", "0");
	make("  net.ipv4.tcp_tw_reuse: { set: 1, because: x }\n");
	ck_refused("invariant", "net.ipv4.tcp_tw_reuse", "timestamps");
	/* What others broke and we don't touch is none of our business. */
	live("net.core.somaxconn", "4096");
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();

	live("net.ipv4.ip_local_port_range", "32768 60999");
	live("net.ipv4.ip_unprivileged_port_start", "20000");
	make("  net.ipv4.ip_local_port_range: { set: [10240, 60999], because: x }\n");
	ck_refused("invariant", "net.ipv4.ip_local_port_range", "ip_unprivileged_port_start");
	/* Same parity is no fault. */
	make("  net.ipv4.ip_local_port_range: { set: [20000, 61000], because: x }\n");
	ck_nothing_refused();
	live("net.ipv4.tcp_rmem", "4096 131072 6291456");
	make("  net.ipv4.tcp_rmem: { at_least: [keep, 8MiB, keep], because: x }\n");
	ck_assert_uint_gt(plan->refused_count, 0);
}
END_TEST

START_TEST(missing_facts)
{
	observation->host.mem_total_bytes = -1;
	live("net.ipv4.tcp_max_tw_buckets", "131072");
	make("variables:\n  b: floor_pow2(mem_total / 16KiB)\nsettings:\n"
	     "  net.ipv4.tcp_max_tw_buckets: { at_least: b, because: x }\n");
	ck_refused("missing", "net.ipv4.tcp_max_tw_buckets", "mem_total");
}
END_TEST

START_TEST(a_strange_drop_in)
{
	live("net.core.somaxconn", "4096");
	scratch_write(DROP_IN, "net.ipv4.tcp_sack = 0\n");
	make(RAISE_SOMAXCONN);
	ck_refused("drop-in", "", "99-tcptune.conf");
	/* Exactly what we want is fine, whoever wrote it. */
	scratch_write(DROP_IN, "net.core.somaxconn = 16384\n");
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
	ck_assert(plan->changes && !plan->drop_in_changes);
	/* Live only: the file is none of our business. */
	scratch_write(DROP_IN, "kernel.panic = 1\n");
	options.persist = false;
	make(RAISE_SOMAXCONN);
	ck_nothing_refused();
}
END_TEST

START_TEST(an_image)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		observation->sysctls[i].presence = TCT_NOT_LOOKED;
	observation->host.source = TCT_SOURCE_ROOT;
	observation->host.kernel_version = TCT_VERSION(6, 1);
	observation->boot_model = TCT_BOOT_MODELS;
	options.live = false;
	make(RAISE_SOMAXCONN "  net.ipv4.tcp_max_tw_buckets: { at_least: 262144, because: x }\n"
			     "  net.ipv4.tcp_rto_max_ms: { set: 60s, because: x }\n");
	ck_nothing_refused();
	ck_planned("net.core.somaxconn", "-", "16384", false);
	ck_planned("net.ipv4.tcp_max_tw_buckets", "-", "262144", false);
	ck_assert_uint_eq(plan->unsupported_count, 1);
	/* One line for two appliers that start from different values: it lowers neither. */
	scratch_write("etc/sysctl.conf", "net.ipv4.tcp_max_tw_buckets = 300000\n");
	make("  net.ipv4.tcp_max_tw_buckets: { at_least: 262144, because: x }\n");
	ck_nothing_refused();
	ck_planned("net.ipv4.tcp_max_tw_buckets", "-", "300000", false);
}
END_TEST

/* The kernel lets tcp_max_reordering fall below tcp_reordering; then that can't be written any
 * more. */
START_TEST(what_could_not_be_put_back_is_refused)
{
	static const char lower[] = "  net.ipv4.tcp_reordering: { set: 50, because: x }\n";

	options.persist = false;
	live("net.ipv4.tcp_reordering", "300");
	live("net.ipv4.tcp_max_reordering", "100");
	make(lower);
	ck_refused("invariant", "net.ipv4.tcp_reordering", "300 could not be put back");
	live("net.ipv4.tcp_reordering", "100");
	make(lower);
	ck_nothing_refused();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *cases = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, raised);
	tcase_add_test(cases, never_lowered);
	tcase_add_test(cases, unlimited_is_more_than_any_number);
	tcase_add_test(cases, vectors_field_by_field);
	tcase_add_test(cases, ours_follows_a_lowered_profile);
	tcase_add_test(cases, twice_changes_nothing);
	tcase_add_test(cases, milliseconds_that_the_kernel_rounded);
	tcase_add_test(cases, keys_of_the_old_profile_go_back);
	tcase_add_test(cases, shared_keys_go_straight);
	tcase_add_test(cases, set_always_has_a_line);
	tcase_add_test(cases, unsupported_keys_are_skipped);
	tcase_add_test(cases, shadowed);
	tcase_add_test(cases, never);
	tcase_add_test(cases, requirements_of_the_planned_state);
	tcase_add_test(cases, invariants);
	tcase_add_test(cases, missing_facts);
	tcase_add_test(cases, a_strange_drop_in);
	tcase_add_test(cases, an_image);
	tcase_add_test(cases, what_could_not_be_put_back_is_refused);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
