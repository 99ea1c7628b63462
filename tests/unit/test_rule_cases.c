/*
 * The rules that ship, judged over made observations: each file of tests/rules is one test. With
 * the argument "--untested" no case is judged: the rules without a case that finds them, or without
 * one that finds nothing, are listed.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/embedded.h"
#include "audit/rules/profile.h"
#include "core/mem.h"
#include "core/root.h"
#include "tests/unit/case_trial.h"

#define CASES_DIR "tests/rules"
#define HEALTHY "healthy.yaml"

enum { FILE_MAX = 1 << 20, FILES_MAX = 64, RULES_MAX = 512 };

static struct tct_root checkout;
static char files[FILES_MAX][300]; /* "tests/rules/closing.yaml" */
static int files_count;

struct rule_tests {
	const char *id;
	bool found;
	bool nothing;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void list_files(void)
{
	const char *source = getenv("TCT_SOURCE_DIR");
	struct tct_err err = { 0 };
	char path[512];
	const struct dirent *entry;
	DIR *folder;

	if (tct_root_open(&checkout, source != NULL ? source : ".", &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.message);
		exit(EXIT_FAILURE);
	}
	(void)snprintf(path, sizeof(path), "%s/" CASES_DIR, checkout.path);
	folder = opendir(path);
	if (folder == NULL) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
	while ((entry = readdir(folder)) != NULL && files_count < FILES_MAX) {
		size_t length = strlen(entry->d_name);

		if (length > 5 && length < 60 && strcmp(entry->d_name + length - 5, ".yaml") == 0 &&
		    strcmp(entry->d_name, HEALTHY) != 0)
			(void)snprintf(files[files_count++], sizeof(files[0]), CASES_DIR "/%s",
				       entry->d_name);
	}
	(void)closedir(folder);
	qsort(files, (size_t)files_count, sizeof(files[0]), compare_names);
}

/* The text of a file of the checkout as YAML; the nodes live in the arena. */
static const struct tct_yaml_node *read_yaml(struct tct_arena *arena, const char *path,
					     struct tct_err *err)
{
	TCT_AUTOFREE char *data = NULL;
	size_t length = 0;
	struct tct_yaml_node *root = NULL;
	int result = tct_root_read(&checkout, path, FILE_MAX, &data, &length);

	if (result < 0) {
		(void)tct_err_set(err, TCT_FAULT_INPUT, -result, "%s: %s", path, strerror(-result));
		return NULL;
	}
	return tct_yaml_parse(arena, path, data, length, &root, err) < 0 ? NULL : root;
}

/* Each case of a file, by its rule: { accept-queue-full: [ {...}, ... ], ... }. False: it isn't
 * one.
 */
static bool for_cases(const struct tct_yaml_node *root,
		      void (*use)(const char *id, const struct tct_yaml_node *made, void *context),
		      void *context)
{
	bool good = root->kind == TCT_YAML_MAP;

	for (const struct tct_yaml_node *rule = root->first; good && rule != NULL;
	     rule = rule->next) {
		good = rule->value->kind == TCT_YAML_LIST;
		for (const struct tct_yaml_node *made = rule->value->first; good && made != NULL;
		     made = made->next)
			use(rule->text, made, context);
	}
	return good;
}

struct trying {
	const struct tct_yaml_node *healthy;
	int failures;
};

static void use_case(const char *id, const struct tct_yaml_node *made, void *context)
{
	struct trying *trying = context;

	trying->failures += case_try(id, made, trying->healthy);
}

START_TEST(every_case_of_a_file_holds)
{
	struct tct_arena *arena = tct_arena_new(64U << 20);
	struct tct_err err = { 0 };
	char text[1024];

	ck_assert_ptr_nonnull(arena);
	const struct tct_yaml_node *healthy = read_yaml(arena, CASES_DIR "/" HEALTHY, &err);
	const struct tct_yaml_node *root =
		healthy != NULL ? read_yaml(arena, files[_i], &err) : NULL;
	struct trying trying = { .healthy = healthy };

	ck_assert_msg(root != NULL, "%s", tct_err_text(&err, text, sizeof(text)));
	ck_assert_msg(for_cases(root, use_case, &trying), "%s: lists of cases by rule are needed",
		      files[_i]);
	tct_arena_free(arena);
	ck_assert_msg(trying.failures == 0, "%s: %d complaints", files[_i], trying.failures);
}
END_TEST

struct coverage {
	struct rule_tests rules[RULES_MAX];
	size_t count;
};

static void note_rule(struct coverage *coverage, const char *id)
{
	for (size_t i = 0; i < coverage->count; i++) {
		if (strcmp(coverage->rules[i].id, id) == 0)
			return;
	}
	if (coverage->count < RULES_MAX)
		coverage->rules[coverage->count++].id = id;
}

static void note_case(const char *id, const struct tct_yaml_node *made, void *context)
{
	struct coverage *coverage = context;
	const char *finds = made->kind == TCT_YAML_MAP ? case_text(made, "finds") : NULL;

	for (size_t i = 0; finds != NULL && i < coverage->count; i++) {
		if (strcmp(coverage->rules[i].id, id) != 0)
			continue;
		coverage->rules[i].found |= tct_severity_find(finds) != TCT_SEVERITY_LIMIT;
		coverage->rules[i].nothing |= strcmp(finds, "nothing") == 0;
	}
}

/* Rules of every profile that ships. Their texts live in the sets, which are left for exit(). */
static void note_rules(struct coverage *coverage, struct tct_arena *arena)
{
	for (size_t i = 0; i < tct_embedded_files_count; i++) {
		const struct tct_embedded_file *file = &tct_embedded_files[i];
		size_t length = strlen(file->name);
		struct tct_yaml_node *root = NULL;
		const struct tct_yaml_node *rules;
		struct tct_err err = { 0 };

		if (strchr(file->name, '/') != NULL ||
		    strcmp(file->name + length - 5, ".yaml") != 0)
			continue;
		if (tct_yaml_parse(arena, file->name, file->data, file->size, &root, &err) < 0) {
			(void)fprintf(stderr, "%s: %s\n", file->name, err.message);
			exit(EXIT_FAILURE);
		}
		rules = tct_yaml_get(root, "rules");
		for (const struct tct_yaml_node *rule = rules != NULL ? rules->first : NULL;
		     rule != NULL; rule = rule->next) {
			if (case_text(rule, "id") != NULL)
				note_rule(coverage, case_text(rule, "id"));
		}
	}
}

/* The exit code: rules without both kinds of case are listed. */
static int tell_untested(void)
{
	struct tct_arena *arena = tct_arena_new(64U << 20);
	struct coverage coverage = { 0 };
	size_t untested = 0;

	if (arena == NULL)
		return EXIT_FAILURE;
	note_rules(&coverage, arena);
	for (int i = 0; i < files_count; i++) {
		struct tct_err err = { 0 };
		const struct tct_yaml_node *root = read_yaml(arena, files[i], &err);

		if (root == NULL) {
			(void)fprintf(stderr, "%s: %s\n", files[i], err.message);
			return EXIT_FAILURE;
		}
		if (!for_cases(root, note_case, &coverage))
			return EXIT_FAILURE;
	}
	for (size_t i = 0; i < coverage.count; i++) {
		const struct rule_tests *rule = &coverage.rules[i];

		if (rule->found && rule->nothing)
			continue;
		(void)printf("%s: no case in " CASES_DIR " that %s\n", rule->id,
			     !rule->found && !rule->nothing ? "finds it, nor one that finds nothing"
			     : !rule->found                 ? "finds it"
							    : "finds nothing");
		untested++;
	}
	(void)printf("%zu rules, %zu of them without their cases\n", coverage.count, untested);
	tct_arena_free(arena);
	return untested == 0 && coverage.count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("rule_cases");
	TCase *cases = tcase_create("files");
	SRunner *runner;
	int failed;

	list_files();
	if (argc > 1 && strcmp(argv[1], "--untested") == 0)
		return tell_untested();
	tcase_set_timeout(cases, 120);
	tcase_add_loop_test(cases, every_case_of_a_file_holds, 0, files_count);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	tct_root_done(&checkout);
	return failed == 0 && files_count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
