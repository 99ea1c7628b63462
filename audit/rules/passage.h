/* The text of an expression or template and where it comes from: so that every complaint has its
 * exact place. */
#ifndef TCT_AUDIT_RULES_PASSAGE_H
#define TCT_AUDIT_RULES_PASSAGE_H

#include <stddef.h>

#include "audit/rules/expr.h"
#include "audit/rules/yaml.h"

struct tct_passage {
	const char *text; /* terminated, without NUL inside */
	size_t length;
	struct tct_place place;           /* of text[0]; used where node is NULL */
	const struct tct_yaml_node *node; /* the scalar that text is, or NULL */
};

/* The source that a scalar node is. */
struct tct_passage tct_passage_of(const struct tct_yaml_node *scalar);
/* Where text[offset] stands. */
struct tct_place tct_passage_place(const struct tct_passage *source, size_t offset);
/* Error at text[offset]. Returns -EINVAL. */
__attribute__((format(printf, 4, 5))) int tct_passage_error(const struct tct_passage *source,
							    size_t offset, struct tct_err *err,
							    const char *format, ...);

#endif
