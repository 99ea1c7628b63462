/*
 * The expression language of profiles: typed, total, without side effects. Parsed and type-checked
 * at load time; evaluated against an environment. Grammar and meaning: tcptune-profile(5).
 */
#ifndef TCT_AUDIT_RULES_EXPR_H
#define TCT_AUDIT_RULES_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/observation.h"
#include "core/err.h"
#include "core/text.h"

enum tct_kind {
	TCT_KIND_BOOL,
	TCT_KIND_NUMBER,
	TCT_KIND_TEXT,
	TCT_KIND_VERSION,
};

/* What a number counts. All are int64; mixing them is a type error. */
enum tct_dimension {
	TCT_DIM_COUNT, /* plain numbers */
	TCT_DIM_BYTES, /* bytes; page counts are turned into bytes */
	TCT_DIM_TIME,  /* nanoseconds */
	TCT_DIM_SHARE, /* millionths: 1 % is 10,000 */
	TCT_DIM_RATE,  /* millionths per second: 1/s is 1,000,000 */
};

struct tct_type {
	enum tct_kind kind;
	enum tct_dimension dimension; /* of NUMBER */
	bool has_native; /* comes straight from a kernel key: a bare literal beside it is in that
			    unit */
	enum tct_unit native;
};

enum tct_status {
	TCT_STATUS_VALUE,
	TCT_STATUS_MISSING, /* an input is not there; reason says which and why */
	TCT_STATUS_FAILED,  /* overflow, division by zero; reason says where */
};

struct tct_result {
	enum tct_status status;
	struct tct_type type;
	int64_t number;   /* NUMBER, VERSION; 0/1 for BOOL */
	const char *text; /* TEXT: borrowed from the observation, the profile or env->scratch */
	char reason[200]; /* MISSING, FAILED */
};

/* Host facts: names usable everywhere; a --var may set them for trees whose host we never see. */
enum tct_fact {
	TCT_FACT_KERNEL,    /* kernel: version */
	TCT_FACT_MEM_TOTAL, /* mem_total: bytes */
	TCT_FACT_CPUS,      /* cpus: count */
	TCT_FACT_PAGE_SIZE, /* page_size: bytes */
	TCT_FACT_LIMIT,
};

struct tct_facts {
	bool known[TCT_FACT_LIMIT];
	int64_t value[TCT_FACT_LIMIT];
	bool initial_namespace;
};

/* Name and type of a fact; find returns TCT_FACT_LIMIT for other names. */
const char *tct_fact_name(enum tct_fact fact);
enum tct_fact tct_fact_find(const char *name);
struct tct_type tct_fact_type(enum tct_fact fact);
void tct_facts_from_host(const struct tct_host *host, struct tct_facts *facts);

/* What a rule is judged for, one by one. */
enum tct_each {
	TCT_EACH_NONE,        /* once, for the host */
	TCT_EACH_LISTENER,    /* observation->listeners */
	TCT_EACH_OWNER,       /* observation->owners: a unit, container or process */
	TCT_EACH_DESTINATION, /* observation->outgoing.destinations */
	TCT_EACH_PEER,        /* observation->peers */
	TCT_EACH_INTERFACE,   /* observation->interfaces */
	TCT_EACH_NAMESPACE,   /* the observed network namespace against the host's first one */
	TCT_EACH_KEY,         /* keys of the table */
	TCT_EACH_LINE,        /* observation->files->lines */
	TCT_EACH_SUPPRESSION, /* entries of suppressions.yaml */
};

/* "listener", "key", "line" ... find: -1 for unknown. */
const char *tct_each_name(enum tct_each each);
int tct_each_find(const char *name, enum tct_each *each);
/* Where an expression's text begins. */
struct tct_place {
	const char *file; /* borrowed for the life of the profile set */
	unsigned line;
	unsigned column;
};

/* A variable: named, typed, computed from facts and other variables only. */
struct tct_variable {
	const char *name;      /* owned by the profile set's arena, as all here */
	struct tct_expr *expr; /* what counts: the profile's, or what overrides it */
	struct tct_type type;
	struct tct_result value; /* filled by tct_profile_set_load */
	const char *summary;     /* what it is for; "" = none given */
	const char *profile;     /* which profile declares it */
	struct tct_place place;  /* there */
	const char *origin; /* "--var" or the file that overrides it; NULL = the profile's own value
			     */
	const char *given;  /* by what overrides it, as it stands there; NULL */
};

struct tct_arena; /* memory of a profile set, or of a judgement: audit/rules/arena.h */

/* Names that a piece of profile may use; a name outside is a load-time error that says where it may
 * be used. */
struct tct_scope_names {
	bool sysctl;   /* sysctl(), default() */
	bool evidence; /* state() counter() rate() delta() idle() population() interval */
	bool unset;    /* unset(), as the whole expression: a variable's */
	bool value;    /* `value`: the value under judgement in `never` (type from value_key) */
	const struct tct_kernel_key *value_key;
	enum tct_each each; /* attributes of the item */
	const struct tct_variable *variables;
	size_t variables_count;
};

/* Inputs noted while evaluating, once each: the evidence. */
struct tct_input {
	char name[96]; /* "queue", "rate(TcpExt.ListenOverflows)", "net.core.somaxconn" */
	struct tct_result result;
};

enum { TCT_INPUTS_MAX = 24 };

struct tct_inputs {
	struct tct_input items[TCT_INPUTS_MAX];
	size_t count;
};

struct tct_profile_set;
struct tct_history;      /* audit/rules/history.h */
struct tct_suppressions; /* audit/rules/suppressions.h */

struct tct_env {
	const struct tct_facts *facts;
	const struct tct_observation *observation; /* NULL where scope.evidence and scope.sysctl are
						      off */
	const struct tct_observation *host; /* of the host's first network namespace, when others
					       are judged beside it; NULL = not known */
	const struct tct_history *history;  /* of earlier looks (`watch`); NULL = none */
	const struct tct_suppressions *suppressions; /* NULL = none */
	const struct tct_value *const *planned;      /* [tct_kernel_keys_count] or NULL: overrides
							sysctl() per key */
	const struct tct_value *value;               /* for `value` */
	enum tct_each each;
	size_t item; /* index of the item */
	const struct tct_variable *variables;
	const struct tct_profile_set *set; /* whose `never` counts; NULL = no value is refused */
	struct tct_inputs *inputs;         /* NULL = don't note */
	struct tct_arena *scratch; /* composed texts live here; NULL = such texts are missing */
};

/* How many items there are of it (1 for NONE), those to be passed over included. */
size_t tct_each_count(enum tct_each each, const struct tct_env *env);
/* False, and why, if the items could not be seen at all: the rule is then not evaluated. */
bool tct_each_available(enum tct_each each, const struct tct_env *env, char reason[200]);
/* False for an item that rules pass over: a pattern, "-key" without a value, or a line that also
 * stands under its file's own name, among the lines. */
bool tct_each_applies(enum tct_each each, const struct tct_env *env, size_t item);

/*
 * Parse and type-check. `text` is copied. Depth, length and node count are bounded. Errors: INPUT
 * at the exact column. expected NULL = any type.
 */
int tct_expr_compile(struct tct_arena *arena, const char *text, struct tct_place place,
		     const struct tct_scope_names *scope, const struct tct_type *expected,
		     struct tct_expr **expr, struct tct_err *err);

struct tct_type tct_expr_type(const struct tct_expr *expr);
/* The source text, for `profile show`. */
const char *tct_expr_source(const struct tct_expr *expr);
/* If the whole expression is one bare integer literal (perhaps negative): true and the number. */
bool tct_expr_bare_number(const struct tct_expr *expr, int64_t *number);
/* If the whole expression is one literal number: true and the number in the language's dimension.
 */
bool tct_expr_literal(const struct tct_expr *expr, int64_t *number);

/*
 * Evaluate. Never fails but through result->status. Kleene logic: `false and missing` is false.
 * Both sides of and, or are always looked at, so that the noted inputs are complete.
 */
void tct_expr_eval(const struct tct_expr *expr, const struct tct_env *env,
		   struct tct_result *result);

/*
 * A template: text with {expression} parts, "{{" and "}}" for braces. Rendering prints numbers as
 * people read them by type (41,203; 1.2 GiB; 34/s; 90 s; 3 days; 5.2 %).
 */
struct tct_template;
int tct_template_compile(struct tct_arena *arena, const char *text, struct tct_place place,
			 const struct tct_scope_names *scope, struct tct_template **template_,
			 struct tct_err *err);
const char *tct_template_source(const struct tct_template *template_);
/* A part that is missing prints "(not known)". */
void tct_template_render(const struct tct_template *template_, const struct tct_env *env,
			 struct tct_text *out);

/*
 * The same for a command to type. 0; -EINVAL if a part is missing, or has what a shell would take
 * for its own (an interface's name may hold `;` or `$(...)`): then there is nothing to type;
 * -ENOMEM.
 */
int tct_template_render_command(const struct tct_template *template_, const struct tct_env *env,
				struct tct_text *out);

/* One result as people read it, appended to out: one line, whatever a text holds. */
void tct_result_print(const struct tct_result *result, struct tct_text *out);

/*
 * The number of a kernel key's field in the language's own dimension, and back into the file's
 * unit. page_bytes is needed for PAGES (<= 0: returns -ENODATA). -ERANGE on overflow or when it
 * isn't a whole number of the unit (to_key rounds down for bytes->pages).
 */
int tct_number_from_key(const struct tct_kernel_key *key, int64_t page_bytes, int64_t stored,
			int64_t *number);
int tct_number_to_key(const struct tct_kernel_key *key, int64_t page_bytes, int64_t number,
		      int64_t *stored);
struct tct_type tct_type_of_key(const struct tct_kernel_key *key);
/* JSON evidence: a number in the unit's natural size and the unit's name ("bytes", "seconds", "per
 * second", "%", ""). */
double tct_result_number(const struct tct_result *result, const char **unit, bool *whole);

#endif
