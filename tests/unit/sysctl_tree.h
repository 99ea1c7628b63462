/* What the tests of the sysctl.d reader share: a tree in a temporary folder, and questions to the
 * reader. */
#ifndef TCT_TESTS_UNIT_SYSCTL_TREE_H
#define TCT_TESTS_UNIT_SYSCTL_TREE_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#include "audit/observe/sysctl_files.h"
#include "core/mem.h"

#define S (1U << TCT_BOOT_SYSTEMD)
#define P (1U << TCT_BOOT_PROCPS)
#define SP (S | P)

/* The fixture: one tree and what was read from it. */
extern char tree[64];
extern struct tct_root root;
extern struct tct_sysctl_files *files;
extern struct tct_err err;

void set_up(void);
void tear_down(void);

/* The path in the tree, its folders made. */
const char *place(const char *path);
void put_bytes(const char *path, const char *bytes, size_t length);
void put(const char *path, const char *text);
void put_link(const char *path, const char *target);
/* Read the tree (again). */
void read_tree(void);

/* "file:line" of the winner, "-" if there is none. */
const char *winner_of(const char *key, enum tct_boot_model model, bool without_ours);
bool has_fault(const char *file, unsigned line, unsigned affects, const char *word);
/* The value that key has after boot, as text; "-" if no file decides it. Owned by the caller. */
char *value_after(const char *name, enum tct_boot_model model, const char *otherwise);
/* Run the cases with the fixture; a main()'s return value. */
int run_cases(const char *name, TCase *cases);

#define ck_winner(key, model, expected) ck_assert_str_eq(winner_of(key, model, false), expected)

#define ck_winners(key, systemd, procps)                                                           \
	do {                                                                                       \
		ck_winner(key, TCT_BOOT_SYSTEMD, systemd);                                         \
		ck_winner(key, TCT_BOOT_PROCPS, procps);                                           \
	} while (0)

#define ck_value(key, model, otherwise, expected)                                                  \
	do {                                                                                       \
		TCT_AUTOFREE char *value_ = value_after(key, model, otherwise);                    \
		ck_assert_str_eq(value_, expected);                                                \
	} while (0)

#endif
