/*
 * Profiles: what a kind of host should run with (settings), what the evidence says (rules), and
 * what is refused everywhere (never). Loaded from YAML, checked and typed; merged from several
 * files into one set.
 */
#ifndef TCT_AUDIT_RULES_PROFILE_H
#define TCT_AUDIT_RULES_PROFILE_H

#include "audit/rules/expr.h"
#include "core/root.h"

enum tct_severity { /* worst first */
		    TCT_SEVERITY_CRITICAL,
		    TCT_SEVERITY_WARNING,
		    TCT_SEVERITY_ADVICE,
		    TCT_SEVERITY_INFO,
		    TCT_SEVERITY_LIMIT,
};

enum tct_cause {
	TCT_CAUSE_APPLICATION,
	TCT_CAUSE_SYSCTL,
	TCT_CAUSE_NETWORK,
	TCT_CAUSE_ATTACK,
	TCT_CAUSE_MEMORY,
	TCT_CAUSE_LIMIT,
};

const char *tct_severity_name(enum tct_severity severity);
enum tct_severity tct_severity_find(const char *name); /* LIMIT if unknown */
const char *tct_cause_name(enum tct_cause cause);
enum tct_cause tct_cause_find(const char *name);

/* One bound of a setting: literal value (words, ports, plain numbers) or expressions per field. */
struct tct_bound {
	bool given;
	struct tct_place place;
	struct tct_value literal; /* WORDS, PORTS, of --set NUMBERS too; NONE if expressions are
				     used */
	struct tct_expr *fields[TCT_KEY_FIELDS_MAX]; /* NULL = `keep`: leave this field alone */
};

struct tct_requirement {
	struct tct_expr *expr; /* boolean over the planned state */
	const char *text;
	struct tct_place place;
};

struct tct_setting {
	const struct tct_kernel_key *key;
	struct tct_place place; /* of the key */
	const char *profile;    /* whose it is; "" by hand */
	bool by_hand;           /* --set: `set` is a literal, whatever the key */
	const char *outside; /* by hand: why the value is outside of what tcptune writes; or NULL */
	struct tct_bound set;
	struct tct_bound at_least;
	struct tct_bound at_most;
	const char *because;
	struct tct_requirement *requirements;
	size_t requirements_count;
	size_t requirements_capacity;
};

/* A change that a finding recommends: the same bounds as a setting's. */
struct tct_remedy_sysctl {
	const struct tct_kernel_key *key;
	struct tct_bound set;
	struct tct_bound at_least;
	struct tct_bound at_most;
};

struct tct_never_text {
	const char *what;
	const char *because;
};

struct tct_named_expr {
	const char *name;
	struct tct_expr *expr;
};

enum { TCT_TOP_DEFAULT = 5, TCT_TOP_MAX = 1000 };

struct tct_rule {
	const char *id;
	struct tct_place place;
	const char *profile;
	enum tct_each each;
	tct_version since; /* holds on kernels from this one on; 0 = all */
	tct_version until; /* and before this one; 0 = all */
	struct tct_expr *when;
	struct tct_expr *sort; /* a number: of findings alike the larger is the worse; NULL = as
				  they come */
	size_t top;            /* findings told of one severity, unless all are wanted */
	struct tct_expr *for_at_least; /* a time: `when` must hold for so long; NULL = at once */
	/* severity: a word, or a map of words to conditions; the worst that holds counts */
	bool severity_given[TCT_SEVERITY_LIMIT];
	struct tct_expr *severity_when[TCT_SEVERITY_LIMIT]; /* NULL = always */
	enum tct_cause cause;
	struct tct_template *title;
	struct tct_template *why;         /* NULL = none */
	struct tct_template *application; /* remedy.application, NULL = none */
	struct tct_remedy_sysctl *sysctls;
	size_t sysctls_count;
	size_t sysctls_capacity;
	struct tct_template **commands;
	size_t commands_count;
	size_t commands_capacity;
	struct tct_never_text *never;
	size_t never_count;
	size_t never_capacity;
	const char **references;
	size_t references_count;
	size_t references_capacity;
	const char **explains; /* ids of findings that this one makes superfluous */
	size_t explains_count;
	size_t explains_capacity;
	struct tct_named_expr *evidence; /* besides the inputs of `when` */
	size_t evidence_count;
	size_t evidence_capacity;
};

struct tct_never {
	const struct tct_kernel_key *key;
	struct tct_expr *when; /* boolean over `value`, facts and variables */
	const char *because;
	const char *profile;
	struct tct_place place;
};

struct tct_profile_set {
	struct tct_arena *arena;
	const char **names; /* as asked for */
	size_t names_count;
	size_t names_capacity;
	const char *summary; /* of the (last) named profile */
	struct tct_variable *variables;
	size_t variables_count;
	size_t variables_capacity;
	struct tct_setting *settings; /* merged, sorted by key name */
	size_t settings_count;
	size_t settings_capacity;
	struct tct_rule *rules; /* in order of definition, parents first */
	size_t rules_count;
	size_t rules_capacity;
	struct tct_never *never; /* those of the embedded base are always among them */
	size_t never_count;
	size_t never_capacity;
	char sha256[65]; /* over the files that were loaded, in order */
};

/* --var NAME=VALUE or a line of variables.yaml. */
struct tct_var_override {
	const char *name;
	const char *value;
	const char *origin; /* "--var", or the file for messages */
	unsigned line;      /* 0 for --var */
};

/* --set KEY=VALUE: one key asked for by hand. */
struct tct_set_override {
	const char *key;    /* as given: net.ipv4.x or net/ipv4/x */
	const char *value;  /* as sysctl(8) takes it: fields apart by white space */
	const char *origin; /* "--set", for messages */
};

struct tct_profile_request {
	const struct tct_root *root; /* /etc/tcptune/profiles and variables.yaml are looked for
					here; NULL = none */
	const char *const *names;    /* name, or path if it has a '/' */
	size_t names_count;
	const struct tct_var_override *vars;
	size_t vars_count;
	const struct tct_set_override *sets; /* they override what the profiles say of their keys */
	size_t sets_count;
	/*
	 * Settings and `never` are all that is asked for: the rules of built-in profiles aren't
	 * even parsed (two thirds of the time), unless another file has rules: those are checked as
	 * ever, and may override built-in ones.
	 */
	bool settings_only;
	/*
	 * Text of another host's variables.yaml, NULL = that below root; of variables that aren't
	 * found here that host may have the profile.
	 */
	const char *variables;
	bool no_variables_file; /* vars has all that is overridden */
};

/* The text of variables.yaml below root, owned by the caller; NULL if there is none. Errors: INPUT.
 */
int tct_variables_text(const struct tct_root *root, char **text, struct tct_err *err);

/*
 * Load, check, merge. Then variables are bound: override > variables.yaml > profile. Facts in vars
 * ("mem_total", "kernel", "cpus", "page_size") change *facts, which must be filled before. *set is
 * owned by the caller. Errors: INPUT with file:line:column (YAML, names, types, units, cycles,
 * merge conflicts naming both lines), or "--set KEY". Without names there are only the sets, and
 * the embedded base's never list. A variable that needs an unknown fact is MISSING, not an error.
 */
int tct_profile_set_load(const struct tct_profile_request *request, struct tct_facts *facts,
			 struct tct_profile_set **set, struct tct_err *err);
void tct_profile_set_free(struct tct_profile_set *set);

/* Does the rule hold on this kernel (since, until)? *known: can that be told; if not, false. */
bool tct_rule_holds_on(const struct tct_rule *rule, const struct tct_facts *facts, bool *known);

/* TCT_LOOK_... that its rules ask for (observation.h). */
unsigned tct_profile_set_looks(const struct tct_profile_set *set);

/*
 * Is `value` refused for `key` by a `never` entry? Returns the entry or NULL. An entry that can't
 * be evaluated (kernel not known) doesn't refuse.
 */
const struct tct_never *tct_never_find(const struct tct_profile_set *set,
				       const struct tct_facts *facts,
				       const struct tct_kernel_key *key,
				       const struct tct_value *value);

/* The known profiles, files of /etc/tcptune/profiles before embedded ones of the same name. */
struct tct_profile_info {
	char name[64];
	char origin[280];  /* path, or "built in" */
	char summary[200]; /* "" and error set if it can't be read */
	char error[300];
};
int tct_profile_list(const struct tct_root *root, struct tct_profile_info **infos, size_t *count,
		     struct tct_err *err);

/* The text of one profile as stored (for `profile show --source`): NAME or path. Owned by the
 * caller. */
int tct_profile_text(const struct tct_root *root, const char *name, char **text, size_t *length,
		     char origin[280], struct tct_err *err);

/*
 * The target of a setting for a key whose baseline is `baseline`: field by field, at_least raises,
 * at_most lowers, set fixes; `keep` keeps. *wanted (empty before) is the value to run with; *ours =
 * wanted differs from baseline. baseline NULL: only possible for whole `set`s and for bounds
 * without `keep`; the bound itself is then wanted. Returns 0, or -ENODATA (a fact or variable is
 * missing; err says which: INPUT), or -EINVAL (arithmetic, range beyond sane_min..sane_max,
 * unsorted fields of an ordered key: err has the place).
 */
int tct_bounds_target(const struct tct_kernel_key *key, const struct tct_bound *set,
		      const struct tct_bound *at_least, const struct tct_bound *at_most,
		      const struct tct_env *env, const struct tct_value *baseline,
		      struct tct_value *wanted, bool *ours, struct tct_err *err);

/* Does the live value satisfy the bounds as they stand (no baseline)? Same errors. */
int tct_bounds_satisfied(const struct tct_kernel_key *key, const struct tct_bound *set,
			 const struct tct_bound *at_least, const struct tct_bound *at_most,
			 const struct tct_env *env, const struct tct_value *value, bool *satisfied,
			 struct tct_err *err);

#endif
