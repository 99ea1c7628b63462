/* The table of the expression language's functions. */
#ifndef TCT_AUDIT_RULES_FUNCTIONS_H
#define TCT_AUDIT_RULES_FUNCTIONS_H

#include "audit/rules/node.h"

/* What a place must allow for a function to be used in it. */
enum tct_need {
	TCT_NEED_NOTHING, /* a pure function */
	TCT_NEED_SYSCTL,
	TCT_NEED_EVIDENCE,
};

struct tct_function {
	const char *name;
	const char *usage;
	size_t least; /* number of arguments */
	size_t most;
	const char *named; /* the last argument is NAME: value; NULL = none is */
	enum tct_need need;
	unsigned looks; /* evidence that costs: TCT_LOOK_... */
	/* Check the arguments, set call->type and what eval needs. */
	int (*check)(const struct tct_checker *checker, struct tct_expr *call);
	/* *result is a VALUE of call->type before. */
	void (*eval)(const struct tct_expr *call, const struct tct_env *env,
		     struct tct_result *result);
};

/* NULL if unknown. */
const struct tct_function *tct_function_find(const char *name);
const char *tct_function_nearest(const char *name);

/* Those that look at the host: functions_host.c and functions_sockets.c. */
int tct_check_sysctl(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_default(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_state(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_counter(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_rate(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_delta(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_population(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_idle(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_rate_over(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_growing(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_outgoing(const struct tct_checker *checker, struct tct_expr *call);
int tct_check_earlier_lines(const struct tct_checker *checker, struct tct_expr *call);
void tct_eval_sysctl(const struct tct_expr *call, const struct tct_env *env,
		     struct tct_result *result);
void tct_eval_default(const struct tct_expr *call, const struct tct_env *env,
		      struct tct_result *result);
void tct_eval_state(const struct tct_expr *call, const struct tct_env *env,
		    struct tct_result *result);
void tct_eval_counter(const struct tct_expr *call, const struct tct_env *env,
		      struct tct_result *result);
void tct_eval_rate(const struct tct_expr *call, const struct tct_env *env,
		   struct tct_result *result);
void tct_eval_delta(const struct tct_expr *call, const struct tct_env *env,
		    struct tct_result *result);
void tct_eval_population(const struct tct_expr *call, const struct tct_env *env,
			 struct tct_result *result);
void tct_eval_idle(const struct tct_expr *call, const struct tct_env *env,
		   struct tct_result *result);

void tct_eval_rate_over(const struct tct_expr *call, const struct tct_env *env,
			struct tct_result *result);
void tct_eval_growing(const struct tct_expr *call, const struct tct_env *env,
		      struct tct_result *result);
void tct_eval_outgoing(const struct tct_expr *call, const struct tct_env *env,
		       struct tct_result *result);
void tct_eval_earlier_lines(const struct tct_expr *call, const struct tct_env *env,
			    struct tct_result *result);

/* Name the call as evidence. */
__attribute__((format(printf, 3, 4))) int
tct_check_label(const struct tct_checker *checker, struct tct_expr *call, const char *format, ...);
/* The first argument as written: a name, not an expression. NULL if it is something else. */
const char *tct_check_bare_name(const struct tct_expr *call);
/* Sockets could not be looked at: why. */
void tct_result_unseen_sockets(const struct tct_env *env, const char *what,
			       struct tct_result *result);

/* One field (or the text) of a key's value, as a result of the key's type. */
void tct_result_of_value(const struct tct_kernel_key *key, unsigned field,
			 const struct tct_value *value, const struct tct_facts *facts,
			 struct tct_result *result);
/* Why `key` has no live value. */
void tct_result_no_value(const struct tct_kernel_key *key, const struct tct_env *env,
			 struct tct_result *result);
/* Why `what` could not be seen, from the observation's gaps; "" if they don't say. */
const char *tct_gap_why(const struct tct_observation *observation, const char *what);

#endif
