/* What the files that load profiles share. Everything lives in the set's arena. */
#ifndef TCT_AUDIT_RULES_PROFILE_PRIVATE_H
#define TCT_AUDIT_RULES_PROFILE_PRIVATE_H

#include <nettle/sha2.h>

#include "audit/rules/node.h"
#include "audit/rules/profile.h"
#include "audit/rules/yaml.h"

enum {
	TCT_PROFILE_FILES_MAX = 64,         /* in one set; a bit each in `ancestors` */
	TCT_PROFILE_EXTENDS_MAX = 16,       /* levels */
	TCT_PROFILE_DEFINITIONS_MAX = 2000, /* settings, rules, variables, nevers: of each */
	TCT_PROFILE_ARENA_MAX = 256 << 20,
};

#define TCT_PROFILE_SCHEMA "tcptune.profile.v1"
#define TCT_VARIABLES_SCHEMA "tcptune.variables.v1"
#define TCT_PROFILE_DIR "etc/tcptune/profiles"
#define TCT_VARIABLES_PATH "etc/tcptune/variables.yaml"

/* One file: the top of its YAML, checked. */
struct tct_profile_file {
	const char *asked;  /* the name or path by which it was asked for */
	const char *name;   /* as it says itself */
	const char *origin; /* for messages */
	const char *summary;
	bool built_in;
	bool only_never; /* the built-in base, if nobody asked for it */
	bool cut;        /* its rules weren't parsed */
	const struct tct_yaml_node *root;
	const struct tct_yaml_node *extends; /* these may be NULL */
	const struct tct_yaml_node *variables;
	const struct tct_yaml_node *settings;
	const struct tct_yaml_node *rules;
	const struct tct_yaml_node *never;
	uint64_t ancestors; /* bit i: it extends files[i], directly or not */
};

/* Something with a name that several files may define: a setting, a rule, a variable. */
struct tct_definition {
	const char *id;
	size_t file;                      /* index */
	const struct tct_yaml_node *key;  /* where it stands */
	const struct tct_yaml_node *body; /* what it says */
	void *object;                     /* struct tct_setting, tct_rule, ... */
};

struct tct_definitions {
	struct tct_definition *items; /* [TCT_PROFILE_DEFINITIONS_MAX] */
	size_t count;
};

struct tct_loader {
	const struct tct_profile_request *request;
	const struct tct_root *root; /* may be NULL */
	struct tct_profile_set *set;
	struct tct_arena *arena;
	struct tct_err *err;
	struct sha256_ctx hash;
	struct tct_profile_file files[TCT_PROFILE_FILES_MAX]; /* parents before children */
	size_t files_count;
	const char *chain[TCT_PROFILE_EXTENDS_MAX]; /* asked for, not yet in files */
	size_t chain_count;
	bool whole;             /* the rules of built-in profiles are parsed as well */
	size_t *variable_order; /* indexes of set->variables, so that each comes after what it needs
				 */
};

/* ---- profile_fields.c: maps with known fields ---- */

enum {
	TCT_WANT_TEXT = 1 << TCT_YAML_SCALAR,
	TCT_WANT_LIST = 1 << TCT_YAML_LIST,
	TCT_WANT_MAP = 1 << TCT_YAML_MAP,
};

struct tct_field {
	const char *name;
	unsigned kinds; /* TCT_WANT_... */
	bool required;
};

/* Check `map` against fields[0..count); values[i] is the value of fields[i] or NULL. `what`: "a
 * rule". */
int tct_fields_read(const struct tct_yaml_node *map, const char *what,
		    const struct tct_field *fields, size_t count,
		    const struct tct_yaml_node **values, struct tct_err *err);
/* Check that a node is of the kinds; `what` names it. */
int tct_field_kind(const struct tct_yaml_node *node, const char *what, unsigned kinds,
		   struct tct_err *err);
/* The text of a scalar that must not be empty. */
int tct_field_text(const struct tct_yaml_node *node, const char *what, const char **text,
		   struct tct_err *err);
/* [a-z0-9] first, then those and the others. */
bool tct_name_valid(const char *name, const char *others);
/* A variable's name: [a-z_][a-z0-9_]*, no word of the language. */
int tct_variable_name_check(const struct tct_yaml_node *key, struct tct_err *err);

/* ---- profile_list.c ---- */

/* The name of a profile that comes nearest, by names alone; "" if none does. 0 or -ENOMEM. */
int tct_profile_nearest(const struct tct_root *root, const char *name, char nearest[64]);

/* ---- profile_find.c ---- */

/*
 * The bytes of a profile by name or path. *data is owned by the caller. origin is for messages.
 * -ENOENT with the nearest name if there is none.
 */
int tct_profile_read(const struct tct_root *root, const char *asked, char **data, size_t *length,
		     char origin[280], bool *built_in, struct tct_err *err);
/* The file of DIR or of the host, for messages. */
void tct_profile_origin(const struct tct_root *root, const char *path, char origin[280]);
const struct tct_embedded_file *tct_embedded_profile(const char *name);
/* Check the top of a profile's YAML. expected: the name it must have, or NULL. */
int tct_profile_header(const struct tct_yaml_node *root, const char *expected,
		       struct tct_profile_file *file, struct tct_err *err);

/* ---- profile_settings.c ---- */

int tct_settings_load(struct tct_loader *loader);
/* By the key's name, for qsort(). */
int tct_settings_compare(const void *a, const void *b);
/* {set, at_least, at_most} of values[0..3) for key. */
int tct_bounds_load(const struct tct_loader *loader, const struct tct_kernel_key *key,
		    const struct tct_yaml_node *const *values, const struct tct_scope_names *scope,
		    struct tct_bound bounds[3]);
/* A key that may be written; removed_too: old kernels' keys as well. */
int tct_settable_key(const struct tct_yaml_node *node, bool removed_too,
		     const struct tct_kernel_key **key, struct tct_err *err);
/* A key of the table. */
int tct_known_key(const struct tct_yaml_node *node, const struct tct_kernel_key **key,
		  struct tct_err *err);
/* Compile a scalar. */
int tct_expr_load(const struct tct_loader *loader, const struct tct_yaml_node *node,
		  const char *what, const struct tct_scope_names *scope,
		  const struct tct_type *expected, struct tct_expr **expr);
/* The names that settings and variables may use. */
struct tct_scope_names tct_scope_of_facts(const struct tct_loader *loader);

/* ---- profile_rule.c, profile_remedy.c ---- */

int tct_rule_load(const struct tct_loader *loader, const struct tct_profile_file *file,
		  const struct tct_yaml_node *node, struct tct_rule *rule);
int tct_remedy_load(const struct tct_loader *loader, const struct tct_yaml_node *node,
		    const struct tct_scope_names *scope, struct tct_rule *rule);
/* Compile a scalar as a template. */
int tct_template_load(const struct tct_loader *loader, const struct tct_yaml_node *node,
		      const char *what, const struct tct_scope_names *scope,
		      struct tct_template **template_);

/* ---- profile_rules.c ---- */

int tct_rules_load(struct tct_loader *loader);
int tct_never_load(struct tct_loader *loader);

/* ---- profile_merge.c ---- */

int tct_definitions_init(const struct tct_loader *loader, struct tct_definitions *definitions);
int tct_definitions_add(const struct tct_loader *loader, struct tct_definitions *definitions,
			struct tct_definition definition);
/*
 * The definitions of items[i].id that nobody overrides: left[0..*left_count). 0 of them if an
 * earlier item has the same id, as then it is done already.
 */
void tct_definitions_left(const struct tct_loader *loader,
			  const struct tct_definitions *definitions, size_t i,
			  const struct tct_definition *left[TCT_PROFILE_FILES_MAX],
			  size_t *left_count);
/* "`x` is defined differently in ..." at b. */
int tct_definitions_conflict(const struct tct_loader *loader, const struct tct_definition *a,
			     const struct tct_definition *b, const char *what);
/* One setting of several. */
int tct_settings_merge(const struct tct_loader *loader, const struct tct_definition *const *left,
		       size_t left_count, struct tct_setting *merged);

/* ---- profile_sets.c ---- */

/* Is this key among them? */
bool tct_sets_have(const struct tct_loader *loader, const char *key);
/* The keys set by hand take the place of the profiles' settings. After everything else. */
int tct_sets_load(const struct tct_loader *loader, const struct tct_facts *facts);

/* ---- variables.c ---- */

/* Collect, order, type. */
int tct_variables_load(struct tct_loader *loader);
/* Facts and variables that are overridden, then every value. */
int tct_variables_bind(struct tct_loader *loader, const struct tct_profile_request *request,
		       struct tct_facts *facts);

/* ---- bounds.c ---- */

/* What can be said about bounds before any host is known. */
int tct_bounds_check(const struct tct_kernel_key *key, const struct tct_bound *set,
		     const struct tct_bound *at_least, const struct tct_bound *at_most,
		     struct tct_err *err);

#endif
