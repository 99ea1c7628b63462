/* A made-up host for tests of the rules: an observation whose parts are set one by one. */
#ifndef TCT_TESTS_UNIT_RULES_WORLD_H
#define TCT_TESTS_UNIT_RULES_WORLD_H

#include "audit/rules/arena.h"
#include "audit/rules/expr.h"

struct world {
	struct tct_arena *arena; /* of what is compiled; its scratch, too */
	struct tct_observation observation;
	struct tct_facts facts;
};

extern struct world world;

/*
 * Fixtures of check. The host: Linux 6.18, 8 GiB, 4 CPUs, 4 KiB pages, the initial namespace;
 * nothing else is known.
 */
void world_open(void);
void world_close(void);

/* The key's live value, as text. */
void world_sysctl(const char *name, const char *value);
void world_counter(const char *name, int64_t first, int64_t last);
/* An environment for what was set so far. */
struct tct_env world_env(void);

/* Everything is allowed that a rule with this `each` may use. */
struct tct_scope_names world_scope(enum tct_each each);

/* Compile, which must succeed; the message in *err otherwise. */
struct tct_expr *world_compile(const char *text, const struct tct_scope_names *scope);
/* What is wrong with it: "f:1:5: ...". It must be refused. */
const char *world_refusal(const char *text, const struct tct_scope_names *scope);
/* As people read it, or "missing: reason", "failed: reason". Good until the next call. */
const char *world_value(const char *text, const struct tct_scope_names *scope,
			const struct tct_env *env);

/* What an expression yields, as world_value tells it, or how it is refused. */
struct world_example {
	const char *text;
	const char *result;
};

/* Each of them in this environment. */
void world_check(const struct tct_env *env, const struct world_example *examples, size_t count);
/* The same for one item of what was set so far. */
void world_check_item(enum tct_each each, size_t item, const struct world_example *examples,
		      size_t count);
void world_check_refusals(enum tct_each each, const struct world_example *examples, size_t count);

#endif
