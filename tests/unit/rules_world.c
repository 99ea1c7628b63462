#include "tests/unit/rules_world.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world world;

void world_open(void)
{
	struct tct_host host = {
		.kernel_version = TCT_VERSION(6, 18),
		.mem_total_bytes = INT64_C(8) << 30,
		.cpus = 4,
		.page_bytes = 4096,
		.netns = { .initial = true },
	};

	world = (struct world){ .arena = tct_arena_new(64U << 20) };
	ck_assert_ptr_nonnull(world.arena);
	world.observation.host = host;
	world.observation.sysctls =
		calloc(tct_kernel_keys_count, sizeof(*world.observation.sysctls));
	world.observation.counters =
		calloc(tct_counters_count, sizeof(*world.observation.counters));
	world.observation.boot_model = TCT_BOOT_SYSTEMD;
	ck_assert_ptr_nonnull(world.observation.sysctls);
	ck_assert_ptr_nonnull(world.observation.counters);
	tct_facts_from_host(&host, &world.facts);
}

void world_close(void)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		tct_value_done(&world.observation.sysctls[i].value);
	free(world.observation.sysctls);
	free(world.observation.counters);
	tct_arena_free(world.arena);
}

void world_sysctl(const char *name, const char *value)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);
	struct tct_sysctl *sysctl;
	struct tct_err err = { 0 };

	ck_assert_msg(key != NULL, "%s", name);
	sysctl = &world.observation.sysctls[tct_kernel_key_index(key)];
	tct_value_done(&sysctl->value);
	sysctl->presence = TCT_PRESENT;
	ck_assert_msg(tct_value_parse(key, value, &sysctl->value, &err) == 0, "%s", err.message);
}

void world_counter(const char *name, int64_t first, int64_t last)
{
	const struct tct_counter *counter = tct_counter_find(name);

	ck_assert_msg(counter != NULL, "%s", name);
	world.observation.counters[tct_counter_index(counter)] =
		(struct tct_counter_reading){ .presence = TCT_PRESENT,
					      .first = first,
					      .last = last };
}

struct tct_env world_env(void)
{
	return (struct tct_env){
		.facts = &world.facts,
		.observation = &world.observation,
		.scratch = world.arena,
	};
}

struct tct_scope_names world_scope(enum tct_each each)
{
	return (struct tct_scope_names){ .sysctl = true, .evidence = true, .each = each };
}

struct tct_expr *world_compile(const char *text, const struct tct_scope_names *scope)
{
	const struct tct_place place = { "f", 1, 1 };
	struct tct_expr *expr = NULL;
	struct tct_err err = { 0 };
	int status = tct_expr_compile(world.arena, text, place, scope, NULL, &expr, &err);

	ck_assert_msg(status == 0, "%s: %u: %s", text, err.column, err.message);
	ck_assert_str_eq(tct_expr_source(expr), text);
	return expr;
}

const char *world_refusal(const char *text, const struct tct_scope_names *scope)
{
	static char said[1024];
	const struct tct_place place = { "f", 1, 1 };
	struct tct_expr *expr = NULL;
	struct tct_err err = { 0 };
	int status = tct_expr_compile(world.arena, text, place, scope, NULL, &expr, &err);

	ck_assert_msg(status == -EINVAL, "not refused: %.80s", text);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	ck_assert_ptr_null(strpbrk(err.message, "\r\n\t\x1b"));
	return tct_err_text(&err, said, sizeof(said));
}

const char *world_value(const char *text, const struct tct_scope_names *scope,
			const struct tct_env *env)
{
	static char said[1024];
	const struct tct_expr *expr = world_compile(text, scope);
	struct tct_text out = { 0 };
	struct tct_result result;

	tct_expr_eval(expr, env, &result);
	if (result.status == TCT_STATUS_MISSING)
		tct_text_addf(&out, "missing: %s", result.reason);
	else if (result.status == TCT_STATUS_FAILED)
		tct_text_addf(&out, "failed: %s", result.reason);
	else
		tct_result_print(&result, &out);
	ck_assert(!out.failed);
	(void)snprintf(said, sizeof(said), "%s", tct_text_string(&out));
	tct_text_done(&out);
	return said;
}

void world_check(const struct tct_env *env, const struct world_example *examples, size_t count)
{
	const struct tct_scope_names scope = world_scope(env->each);

	for (size_t i = 0; i < count; i++)
		ck_assert_msg(
			strcmp(world_value(examples[i].text, &scope, env), examples[i].result) == 0,
			"%s: %s", examples[i].text, world_value(examples[i].text, &scope, env));
}

void world_check_item(enum tct_each each, size_t item, const struct world_example *examples,
		      size_t count)
{
	struct tct_env env = world_env();

	env.each = each;
	env.item = item;
	world_check(&env, examples, count);
}

void world_check_refusals(enum tct_each each, const struct world_example *examples, size_t count)
{
	const struct tct_scope_names scope = world_scope(each);

	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(world_refusal(examples[i].text, &scope), examples[i].result);
}
