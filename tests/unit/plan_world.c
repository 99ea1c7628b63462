/* A host in memory and files in a temporary folder, and the plan for it: what the tests of plans
 * share. */
#include "tests/unit/plan_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define BOOT "11111111-2222-3333-4444-555555555555"

struct tct_err err;
struct tct_observation *observation;
struct tct_journal *journal;
struct tct_plan *plan;
struct tct_plan_options options;

static struct tct_profile_set *set;
static struct tct_facts facts;
static char *drop_in;

void plan_set_up(void)
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

void plan_tear_down(void)
{
	tct_plan_free(plan);
	tct_profile_set_free(set);
	tct_journal_free(journal);
	tct_observation_free(observation);
	free(drop_in);
	scratch_close();
}

const struct tct_kernel_key *key_of(const char *name)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);

	ck_assert_msg(key != NULL, "%s", name);
	return key;
}

void live(const char *name, const char *text)
{
	struct tct_sysctl *sysctl = &observation->sysctls[tct_kernel_key_index(key_of(name))];

	tct_value_done(&sysctl->value);
	ck_assert_int_eq(tct_value_parse(key_of(name), text, &sysctl->value, &err), 0);
	sysctl->presence = TCT_PRESENT;
	sysctl->writable = true;
}

/* What tcptune did earlier; NULL values: not live, or no line. */
void did(const char *name, const char *baseline, const char *before, const char *after,
	 const char *line)
{
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction one = {
		.kind = TCT_TRANSACTION_APPLY,
		.boot_id = BOOT,
		.netns = { .initial = true },
		.live = true,
		.persisted = true,
		.additive = true, /* the key of an earlier call stays ours */
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
void make(const char *settings)
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

const struct tct_plan_key *planned(const char *name)
{
	for (size_t i = 0; i < plan->keys_count; i++) {
		if (plan->keys[i].key == key_of(name))
			return &plan->keys[i];
	}
	ck_abort_msg("%s is not planned", name);
	return NULL;
}

void ck_value(const struct tct_value *value, const char *expected)
{
	TCT_AUTOFREE char *text = tct_value_text(value);

	ck_assert_str_eq(value->kind == TCT_VALUE_NONE ? "-" : text, expected);
}

/* wanted live, line of the drop-in ("-" = none), and whether the live value is written. */
void ck_planned(const char *name, const char *wanted, const char *line, bool write)
{
	const struct tct_plan_key *key = planned(name);

	ck_value(&key->wanted, wanted);
	if (key->persist)
		ck_value(&key->wanted_boot, line);
	else
		ck_assert_str_eq(line, "-");
	ck_assert_int_eq(key->write_live, write);
}

void ck_refused(const char *kind, const char *name, const char *part)
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

void ck_nothing_refused(void)
{
	ck_assert_msg(plan->refused_count == 0, "%s: %s", plan->refused[0].kind,
		      plan->refused[0].reason);
}

int plan_run(const char *name, TCase *cases)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
