/* What a profile set asks of one of many network namespaces: so that nothing else is looked at. */
#ifndef TCT_AUDIT_RULES_NEEDS_H
#define TCT_AUDIT_RULES_NEEDS_H

#include "audit/rules/profile.h"

/* What a rule's conditions rest on. */
enum {
	TCT_RESTS_ON_NAMESPACE = 1 << 0, /* sockets, counters or keys of a network namespace */
	TCT_RESTS_ON_HOST_KEY = 1 << 1,  /* a key, or a counter, that only the host has */
	TCT_RESTS_ON_FILES = 1 << 2,     /* the sysctl files */
	TCT_RESTS_ON_NEVER = 1 << 3,     /* each key that `never` speaks of */
	TCT_RESTS_ON_EACH_KEY = 1 << 4,  /* the live value of each key */
};

struct tct_needs {
	bool *keys;              /* [tct_kernel_keys_count]: their live values */
	bool compares;           /* keys with those of the host's first namespace, too */
	unsigned counter_groups; /* 1 << enum tct_counter_group: levels */
	unsigned growth_groups;  /* the same for growth, which only two looks tell */
	unsigned looks;          /* TCT_LOOK_... */
	unsigned *rests;         /* [rules_count]: TCT_RESTS_ON_... */
};

/*
 * Find out what the rules (conditions, texts, evidence, remedies) that a namespace can have of its
 * own use, and the settings. Release with tct_needs_done. 0 or -ENOMEM.
 */
int tct_needs_find(const struct tct_profile_set *set, struct tct_needs *needs);
void tct_needs_done(struct tct_needs *needs);

/*
 * Add the keys that are compared with the host's first network namespace, if the rules compare:
 * those that its sysctl files decide. host NULL: it isn't known, and nothing is compared.
 */
void tct_needs_compare(struct tct_needs *needs, const struct tct_observation *host);

/*
 * Forget the keys and counters of a namespace that nothing here needs, as if they had not been
 * looked at: a snapshot has them all.
 */
void tct_needs_narrow(const struct tct_needs *needs, struct tct_observation *observation);

/* Is there nothing in rule i of the set that a network namespace could have of its own? */
bool tct_rule_is_the_hosts(const struct tct_profile_set *set, const struct tct_needs *needs,
			   size_t i);

/* Does the rule's condition need a key of the host that this network namespace doesn't have? */
bool tct_rule_lacks_host_key(const struct tct_rule *rule,
			     const struct tct_observation *observation);

#endif
