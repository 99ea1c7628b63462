/*
 * A shelf of profiles for tests: the files of a scratch root, and a small table of built-in ones in
 * place of those that are shipped.
 */
#ifndef TCT_TESTS_UNIT_PROFILE_SHELF_H
#define TCT_TESTS_UNIT_PROFILE_SHELF_H

#include "audit/rules/profile.h"

/* The first lines of a profile. */
#define HEAD(name) "schema: tcptune.profile.v1\nname: " name "\nsummary: s\n"

struct shelf {
	struct tct_facts facts;
	struct tct_profile_set *set; /* what was loaded last; freed with the shelf */
	struct tct_err err;
	bool settings_only; /* of what is loaded next */
};

extern struct shelf shelf;

/* Fixtures of check. The host: Linux 6.18, 4 CPUs, 4 KiB pages; its memory is not known. */
void shelf_open(void);
void shelf_close(void);

/* Write /etc/tcptune/profiles/NAME.yaml. */
void shelf_put(const char *name, const char *text);
/* Load the profiles (names separated by blanks) into shelf.set; what tct_profile_set_load returns.
 */
int shelf_load_with(const char *names, const struct tct_var_override *vars, size_t vars_count);
/* The same; it must succeed. */
void shelf_load(const char *names);
/* What is said when they are loaded, which must fail; a path begins below /etc/tcptune. */
const char *shelf_refusal(const char *names);
const char *shelf_refusal_of_var(const char *names, const char *name, const char *value);

/* Parts of the set; NULL if it has none of that name. */
const struct tct_setting *shelf_setting(const char *key);
const struct tct_rule *shelf_rule(const char *id);
/* A variable's value as people read it, or why it has none. */
const char *shelf_variable(const char *name);
/* The value that a key should have whatever it has; the error's text if that can't be said. */
const char *shelf_target(const char *key);

#endif
