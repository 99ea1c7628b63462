/*
 * A bounded reader of plain YAML: one document of mappings, lists and scalars with their places. No
 * aliases, anchors, tags or duplicate keys; UTF-8 only; at most 1 MiB, 32 levels and 100,000 nodes.
 */
#ifndef TCT_AUDIT_RULES_YAML_H
#define TCT_AUDIT_RULES_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/rules/arena.h"
#include "core/err.h"

enum {
	TCT_YAML_FILE_MAX = 1 << 20, /* bytes */
	TCT_YAML_DEPTH_MAX = 32,
	TCT_YAML_NODES_MAX = 100000,
};

enum tct_yaml_kind {
	TCT_YAML_SCALAR,
	TCT_YAML_LIST,
	TCT_YAML_MAP,
};

enum tct_yaml_style {
	TCT_YAML_PLAIN,
	TCT_YAML_SINGLE_QUOTED,
	TCT_YAML_DOUBLE_QUOTED,
	TCT_YAML_BLOCK, /* | and > */
};

struct tct_yaml_document {
	const char *file; /* for messages; borrowed */
	const char *raw;  /* the bytes as read */
	size_t length;
};

struct tct_yaml_node {
	enum tct_yaml_kind kind;
	enum tct_yaml_style style;
	unsigned line;   /* 1-based, of its first character */
	unsigned column; /* 1-based, in characters */
	size_t index;    /* of its first character, in characters */
	const struct tct_yaml_document *document;
	const char *text; /* SCALAR: terminated, without NUL inside */
	size_t length;
	size_t count;                /* LIST, MAP: entries */
	struct tct_yaml_node *first; /* LIST: the items. MAP: the keys, each with its value */
	struct tct_yaml_node *last;
	struct tct_yaml_node *next;  /* the next item or key */
	struct tct_yaml_node *value; /* of a key */
};

/*
 * Parse data[0..length) of `file` (borrowed by the nodes) into arena. Errors: INPUT with file, line
 * and column, or ENOMEM.
 */
int tct_yaml_parse(struct tct_arena *arena, const char *file, const char *data, size_t length,
		   struct tct_yaml_node **root, struct tct_err *err);

/*
 * The same, but nothing behind data[0..parsed) is looked at: for a file that is known to be good.
 * The document still holds it whole.
 */
int tct_yaml_parse_start(struct tct_arena *arena, const char *file, const char *data, size_t length,
			 size_t parsed, struct tct_yaml_node **root, struct tct_err *err);

/* The value of key `name` in a map, or NULL. */
const struct tct_yaml_node *tct_yaml_get(const struct tct_yaml_node *map, const char *name);

/* "text", "a list", "a mapping". */
const char *tct_yaml_kind_name(enum tct_yaml_kind kind);

/* Same kinds, texts and order: style and places don't count. */
bool tct_yaml_equal(const struct tct_yaml_node *a, const struct tct_yaml_node *b);

/* Where the byte text[offset] of a scalar stands in the file, quotes, escapes and folding
 * considered. */
void tct_yaml_locate(const struct tct_yaml_node *scalar, size_t offset, unsigned *line,
		     unsigned *column);

/* Error at the node. Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int
tct_yaml_error(const struct tct_yaml_node *node, struct tct_err *err, const char *format, ...);

#endif
