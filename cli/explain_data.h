/*
 * What `explain` knows: the tables of keys and counters, this system's errnos, the rules of every
 * profile, and the embedded texts.
 */
#ifndef TCT_CLI_EXPLAIN_DATA_H
#define TCT_CLI_EXPLAIN_DATA_H

#include <jansson.h>
#include <stdbool.h>

#include "audit/judge/report.h"
#include "audit/rules/yaml.h"
#include "cli/page.h"

enum tct_topic_kind {
	TCT_TOPIC_STATE,
	TCT_TOPIC_HOWTO,
	TCT_TOPIC_FLAG,
	TCT_TOPIC_ERRNO,
	TCT_TOPIC_FINDING,
	TCT_TOPIC_MYTH,
	TCT_TOPIC_COUNTER,
	TCT_TOPIC_KEY,
	TCT_TOPIC_LIMIT,
};

/* "key", "state", "topic" ...; "keys", "states", "topics" ... */
const char *tct_topic_kind_name(enum tct_topic_kind kind);
const char *tct_topic_kind_plural(enum tct_topic_kind kind);
/* By either; LIMIT if it is none. */
enum tct_topic_kind tct_topic_kind_find(const char *name);

struct tct_topic {
	enum tct_topic_kind kind;
	const char *name;    /* borrowed from the book */
	const char *summary; /* one line; borrowed */
	const struct tct_kernel_key *key;
	const struct tct_counter *counter;
	const struct tct_rule *rule;
	const struct tct_profile_set *set; /* the rule's */
	int number;                        /* of an errno, on this system; 0 = it is none */
	const struct tct_yaml_node *text;  /* of the embedded explanation; NULL = none */
};

/* What a topic may be asked for by, besides its name. */
struct tct_call_name {
	const char *name; /* borrowed from the book */
	size_t topic;     /* its place among the topics */
};

/* One errno that a network program meets, with this system's number. */
struct tct_errno_name {
	const char *name;
	int number;
};

/* Sorted by name. */
extern const struct tct_errno_name tct_errno_names[];
extern const size_t tct_errno_names_count;

struct tct_book_set {
	struct tct_profile_set *set; /* owned */
};

/* All topics, and what they borrow from. */
struct tct_book {
	struct tct_arena *arena;
	struct tct_book_set *sets;
	size_t sets_count;
	size_t sets_capacity;
	struct tct_topic *topics; /* each kind in order of its table, its rules or its file */
	size_t topics_count;
	size_t topics_capacity;
	struct tct_call_name *names; /* all other names of the topics */
	size_t names_count;
	size_t names_capacity;
};

/*
 * Gather everything. Profiles below root that can't be read are passed over: `profile list` tells
 * of them. Errors: ENOMEM; INPUT for an embedded file (a fault of the build).
 */
int tct_book_load(const struct tct_root *root, struct tct_book *book, struct tct_err *err);
void tct_book_done(struct tct_book *book);

/*
 * Find a topic: by its own name, else by another of its names (a key's without its folder or as a
 * file, a counter's as the kernel or nstat writes it, an errno's number, an alias), else by one of
 * them in any case, with or without "_" and "-". "KIND:NAME" looks among one kind only. NULL: err
 * says so: the nearest name, or which ones it may be.
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

/* Put the explanation of a topic of the book together. observation (keys) may be NULL. Release with
 * tct_explanation_done. */
void tct_explanation_make(const struct tct_book *book, const struct tct_topic *topic,
			  const struct tct_observation *observation,
			  struct tct_explanation *explanation);
void tct_explanation_done(struct tct_explanation *explanation);

/* For the files that make it: add a passage to the section `title`, made if it isn't there. Empty
 * text adds nothing. */
__attribute__((format(printf, 3, 4))) void tct_explanation_add(struct tct_explanation *explanation,
							       const char *title,
							       const char *format, ...);
void tct_explanation_verbatim(struct tct_explanation *explanation, const char *title,
			      const char *text);
/* The facts of the tables; the rule of a finding; this system's number and words for an errno. */
void tct_explain_key(struct tct_explanation *explanation, const struct tct_kernel_key *key);
void tct_explain_counter(struct tct_explanation *explanation, const struct tct_counter *counter);
void tct_explain_errno(struct tct_explanation *explanation, int number);
void tct_explain_rule(struct tct_explanation *explanation, const struct tct_profile_set *set,
		      const struct tct_rule *rule);
/* A template as people read it where nothing has been measured: what will be filled in stands as
 * <name>. Appended to out. */
void tct_template_plain(const struct tct_template *source, struct tct_text *out);
/* Which findings look at this key or counter. */
void tct_explain_readers(struct tct_explanation *explanation, const struct tct_book *book,
			 const struct tct_topic *topic);

void tct_render_explanation(const struct tct_page *page, const struct tct_explanation *explanation);
/* All topics: names in columns, with summaries where they are few. Or those of one kind, all with
 * summaries. */
void tct_render_topics(const struct tct_page *page, const struct tct_book *book);
void tct_render_kind(const struct tct_page *page, const struct tct_book *book,
		     enum tct_topic_kind kind);
json_t *tct_explanation_json(const struct tct_explanation *explanation);
/* Those of one kind, or with LIMIT all. */
json_t *tct_topics_json(const struct tct_book *book, enum tct_topic_kind kind);

#endif
