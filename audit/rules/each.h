/* The attributes of the items that rules are judged for: `each: listener`, `key`, `line`. */
#ifndef TCT_AUDIT_RULES_EACH_H
#define TCT_AUDIT_RULES_EACH_H

#include "audit/rules/node.h"

struct tct_attribute {
	enum tct_each each;
	const char *name;
	struct tct_type type;
	/* *result is a VALUE of the type before; the item exists. */
	void (*read)(const struct tct_env *env, struct tct_result *result);
};

extern const struct tct_attribute tct_attributes[];
extern const size_t tct_attributes_count;

/* The attribute of this each, or NULL. */
const struct tct_attribute *tct_attribute_find(enum tct_each each, const char *name);
/* One of any each with that name, or NULL. */
const struct tct_attribute *tct_attribute_find_any(const char *name);

/* Readers of each_files.c: keys and lines of sysctl files. */
#define TCT_KEY_ATTRIBUTES(x)                                                                      \
	x(key) x(live) x(boot) x(file) x(line) x(drift) x(boot_systemd) x(boot_procps)             \
		x(models_differ) x(shadowed_by_vendor) x(value_set) x(never) x(never_because)      \
			x(now) x(set_by_us) x(out_of_range) x(unsorted)
#define TCT_LINE_ATTRIBUTES(x)                                                                     \
	x(key) x(value) x(file) x(line) x(ours) x(vendor) x(ignore_errors) x(wins) x(in_table)     \
		x(removed) x(removed_in) x(no_op) x(no_op_since) x(rest_ignored) x(refused)        \
			x(half_refused) x(partial) x(read_only) x(reason) x(stored)                \
				x(stored_number) x(out_of_range) x(unsorted)
#define TCT_DECLARE_KEY(name) void tct_read_key_##name(const struct tct_env *, struct tct_result *);
#define TCT_DECLARE_LINE(name)                                                                     \
	void tct_read_line_##name(const struct tct_env *, struct tct_result *);
TCT_KEY_ATTRIBUTES(TCT_DECLARE_KEY)
TCT_LINE_ATTRIBUTES(TCT_DECLARE_LINE)
#undef TCT_DECLARE_KEY
#undef TCT_DECLARE_LINE

/* A text that outlives the caller: copied to env->scratch. */
void tct_result_text_copy(const struct tct_env *env, const char *text, struct tct_result *result);

#endif
