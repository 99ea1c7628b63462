/* The tree behind struct tct_expr. Private to the expression language and the bounds. */
#ifndef TCT_AUDIT_RULES_NODE_H
#define TCT_AUDIT_RULES_NODE_H

#include "audit/rules/arena.h"
#include "audit/rules/expr.h"
#include "audit/rules/lexer.h"
#include "audit/rules/passage.h"

/* For products that are divided again. */
__extension__ typedef __int128 tct_wide;

enum {
	TCT_EXPR_LENGTH_MAX = 8192, /* bytes */
	TCT_EXPR_NODES_MAX = 1000,
	TCT_EXPR_DEPTH_MAX = 100,
	TCT_EXPR_ARGUMENTS_MAX = 16,
};

enum tct_node_kind {
	TCT_NODE_NUMBER,
	TCT_NODE_VERSION,
	TCT_NODE_TEXT,
	TCT_NODE_BOOL,
	TCT_NODE_NAME,   /* until checked */
	TCT_NODE_DOTTED, /* likewise: a.b.c */
	TCT_NODE_CALL,
	TCT_NODE_INDEX, /* until checked: it becomes its argument's field */
	TCT_NODE_NOT,
	TCT_NODE_NEGATE,
	TCT_NODE_BINARY,
	TCT_NODE_FACT,
	TCT_NODE_INITIAL_NAMESPACE,
	TCT_NODE_INTERVAL,
	TCT_NODE_HOST, /* uptime, container ...: index of tct_host_names */
	TCT_NODE_VARIABLE,
	TCT_NODE_VALUE,
	TCT_NODE_ATTRIBUTE,
	TCT_NODE_LARGER, /* bounds of two profiles merged: the larger one by the key's order */
	TCT_NODE_SMALLER,
};

struct tct_function;
struct tct_attribute;

struct tct_expr {
	enum tct_node_kind kind;
	enum tct_token_kind operator_; /* BINARY */
	struct tct_type type;
	bool bare;      /* an integer without a unit, perhaps negative */
	bool in_native; /* NUMBER: number is in type.native and the host's page size turns it into
			   bytes */
	bool enclosed;  /* in parentheses, which start..end includes */
	unsigned depth;
	const char *source; /* the whole text; start..end is this node's part of it */
	size_t start;
	size_t end;
	int64_t number;              /* NUMBER, VERSION, BOOL */
	int64_t bare_number;         /* as written, if bare */
	const char *text;            /* TEXT, NAME, DOTTED; CALL: the function's name */
	const char *label;           /* name as evidence, NULL = none */
	struct tct_expr **arguments; /* operands too */
	size_t count;
	const char *named; /* CALL: name of the last argument, NULL = none has one */
	const struct tct_function *function;
	const struct tct_kernel_key *key;
	int field;    /* of key or `value`; -1 = not indexed */
	size_t index; /* of a variable, fact, counter, state, population */
	const struct tct_attribute *attribute;
	const struct tct_place *place; /* of a bound, which may be merged with others; else NULL */
};

/* Parse source->text[start..end). Names and types are not looked at. */
int tct_node_parse(struct tct_arena *arena, const struct tct_passage *source, size_t start,
		   size_t end, struct tct_expr **expr, struct tct_err *err);

/* Resolve names, check types, place units. expected NULL = any type but an unindexed vector. */
int tct_node_check(struct tct_arena *arena, const struct tct_passage *source,
		   const struct tct_scope_names *scope, const struct tct_type *expected,
		   struct tct_expr *expr, struct tct_err *err);

/* The same below the top, as the functions need it. */
struct tct_checker {
	struct tct_arena *arena;
	const struct tct_passage *source;
	const struct tct_scope_names *scope;
	const struct tct_expr *root;
	struct tct_err *err;
};

int tct_check_node(const struct tct_checker *checker, struct tct_expr *node);
/* Error at the node. */
__attribute__((format(printf, 3, 4))) int tct_check_error(const struct tct_checker *checker,
							  const struct tct_expr *node,
							  const char *format, ...);
/* Give a bare integer the type, or complain that it has no unit. */
int tct_check_place_bare(const struct tct_checker *checker, struct tct_expr *node,
			 struct tct_type type);
/* Bring numbers to one dimension; bare ones follow the others. *type is the common one. */
int tct_check_unify(const struct tct_checker *checker, struct tct_expr *const *nodes, size_t count,
		    struct tct_type *type);
/* A node must have this kind, and dimension if it is a number; bare integers follow. */
int tct_check_expect(const struct tct_checker *checker, struct tct_expr *node,
		     struct tct_type type);

/* Compile source->text[start..end). */
int tct_expr_compile_source(struct tct_arena *arena, const struct tct_passage *source, size_t start,
			    size_t end, const struct tct_scope_names *scope,
			    const struct tct_type *expected, struct tct_expr **expr,
			    struct tct_err *err);
int tct_template_compile_source(struct tct_arena *arena, const struct tct_passage *source,
				const struct tct_scope_names *scope,
				struct tct_template **template_, struct tct_err *err);

/* What the host is like beyond its facts: names for rules only. */
enum tct_host_name {
	TCT_HOST_UPTIME,
	TCT_HOST_CONTAINER,
	TCT_HOST_HYPERVISOR,
	TCT_HOST_NAT,
	TCT_HOST_NAMES,
};
/* NULL outside; find returns TCT_HOST_NAMES for other names. */
const char *tct_host_name(enum tct_host_name name);
enum tct_host_name tct_host_name_find(const char *name);
struct tct_type tct_host_name_type(enum tct_host_name name);
/* *result is a VALUE of the type before. */
void tct_host_name_eval(enum tct_host_name name, const struct tct_env *env,
			struct tct_result *result);

/* Tell visit each node of the expression, or of the template's expressions. */
typedef void tct_node_visit(void *context, const struct tct_expr *node);
void tct_expr_walk(const struct tct_expr *expr, tct_node_visit *visit, void *context);
void tct_template_walk(const struct tct_template *template_, tct_node_visit *visit, void *context);

/* "a count", "bytes", "a time" ...: for messages. */
const char *tct_type_words(struct tct_type type);

/* How many of the language's own (bytes, nanoseconds) one of the unit is; 0 = pages of unknown
 * size. */
int64_t tct_unit_scale(enum tct_unit unit, int64_t page_bytes);

/* Set a result. */
__attribute__((format(printf, 2, 3))) void tct_result_missing(struct tct_result *result,
							      const char *format, ...);
__attribute__((format(printf, 2, 3))) void tct_result_failed(struct tct_result *result,
							     const char *format, ...);
/* Note a leaf's result, once per name. */
void tct_inputs_note(struct tct_inputs *inputs, const char *name, const struct tct_result *result);

/* True for unset(...), which may only be a variable's whole value. */
bool tct_expr_is_unset(const struct tct_expr *expr);

/* TCT_LOOK_... that the expression, or the text, asks for; NULL asks for nothing. */
unsigned tct_expr_looks(const struct tct_expr *expr);
unsigned tct_template_looks(const struct tct_template *template_);

/* One bound of two profiles: the larger (at_least) or smaller (at_most). NULL on ENOMEM. */
struct tct_expr *tct_node_merge(struct tct_arena *arena, enum tct_node_kind kind,
				struct tct_expr *a, struct tct_expr *b);

#endif
