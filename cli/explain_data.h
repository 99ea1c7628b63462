/* What `explain` knows: the key table, the embedded explanations, and the rules of every profile.
 */
#ifndef TCT_CLI_EXPLAIN_DATA_H
#define TCT_CLI_EXPLAIN_DATA_H

#include <jansson.h>
#include <stdbool.h>

#include "audit/judge/report.h"
#include "audit/rules/yaml.h"
#include "cli/page.h"

enum tct_topic_kind {
	TCT_TOPIC_KEY,
	TCT_TOPIC_STATE,
	TCT_TOPIC_FINDING,
};

/* "key", "state", "finding". */
const char *tct_topic_kind_name(enum tct_topic_kind kind);

struct tct_topic {
	enum tct_topic_kind kind;
	const char *name;    /* borrowed from the book */
	const char *summary; /* one line; borrowed */
	const struct tct_kernel_key *key;
	const struct tct_rule *rule;
	const struct tct_yaml_node *text; /* of the embedded explanation; NULL = none */
};

struct tct_book_set {
	struct tct_profile_set *set; /* owned */
};

/* All topics, and what they borrow from. */
struct tct_book {
	struct tct_arena *arena;
	struct tct_book_set *sets;
	size_t sets_count;
	size_t sets_capacity;
	struct tct_topic *topics; /* keys, states, findings; each kind in order of its name or
				     number */
	size_t topics_count;
	size_t topics_capacity;
};

/*
 * Gather everything. Profiles below root that can't be read are passed over: `profile list` tells
 * of them. Errors: ENOMEM; INPUT for an embedded file (a fault of the build).
 */
int tct_book_load(const struct tct_root *root, struct tct_book *book, struct tct_err *err);
void tct_book_done(struct tct_book *book);

/*
 * Find a topic: a key by its full or short name (tcp_tw_reuse), a state in any case, with or
 * without "_" and "-", a finding by its id. NULL: err says so, with the nearest name.
 */
const struct tct_topic *tct_book_find(const struct tct_book *book, const char *name,
				      struct tct_err *err);

struct tct_passage {
	char *text;    /* owned: a paragraph, or lines that are shown as they are */
	bool verbatim; /* commands and settings: not wrapped */
};

/* A titled part of an explanation. */
struct tct_section {
	const char *title; /* "why"; a constant or borrowed. "text" is the body */
	struct tct_passage *passages;
	size_t passages_count;
	size_t passages_capacity;
};

struct tct_explanation {
	const struct tct_topic *topic;
	struct tct_section *sections;
	size_t sections_count;
	size_t sections_capacity;
	const struct tct_sysctl *live; /* of a key; NULL = not looked */
	bool failed;                   /* ENOMEM, sticks */
};

/* Put the explanation of a topic together. observation (keys) may be NULL. Release with
 * tct_explanation_done. */
void tct_explanation_make(const struct tct_topic *topic, const struct tct_observation *observation,
			  struct tct_explanation *explanation);
void tct_explanation_done(struct tct_explanation *explanation);

/* For the files that make it: add a passage to the section `title`, made if it isn't there. Empty
 * text adds nothing. */
__attribute__((format(printf, 3, 4))) void tct_explanation_add(struct tct_explanation *explanation,
							       const char *title,
							       const char *format, ...);
void tct_explanation_verbatim(struct tct_explanation *explanation, const char *title,
			      const char *text);
/* The facts of the key table; the rule of a finding. */
void tct_explain_key(struct tct_explanation *explanation, const struct tct_kernel_key *key);
void tct_explain_rule(struct tct_explanation *explanation, const struct tct_rule *rule);

void tct_render_explanation(const struct tct_page *page, const struct tct_explanation *explanation);
void tct_render_topics(const struct tct_page *page, const struct tct_book *book);
json_t *tct_explanation_json(const struct tct_explanation *explanation);
json_t *tct_topics_json(const struct tct_book *book);

#endif
