/*
 * docs/rules.md is written from the shipped profiles, so that it can't disagree with them, and from
 * docs/catalogue.yaml, which says which rules carry each row of the catalogue of diagnoses.
 */
#ifndef TCT_DOCS_RULES_BOOK_H
#define TCT_DOCS_RULES_BOOK_H

#include "audit/rules/profile.h"

/* A shipped profile with everything that it extends. */
struct tct_book_profile {
	const struct tct_profile_info *info;
	struct tct_profile_set *set;
};

struct tct_book_entry {
	const struct tct_rule *rule;
	const struct tct_profile_set *set; /* whose it is */
};

struct tct_book {
	struct tct_profile_info *infos;
	size_t infos_count;
	struct tct_book_profile *profiles; /* in the order of the book: base first */
	size_t profiles_count;
	size_t profiles_capacity;
	struct tct_book_entry *rules; /* in the order of the book */
	size_t rules_count;
	size_t rules_capacity;
};

/* Text as Markdown shows it; {expressions} of a template become code. */
void tct_book_prose(struct tct_text *out, const char *source);
/* Code within a line. */
void tct_book_code(struct tct_text *out, const char *code);
/* Code on lines of its own, wrapped at blanks. */
void tct_book_code_block(struct tct_text *out, const char *language, const char *code);
/* A template as a line of code: {expressions} stay, doubled braces become single ones. */
void tct_book_template(struct tct_text *out, const char *source);
/* A link to the rule's section. */
void tct_book_link(struct tct_text *out, const char *id);

/* All that is to be said of a rule; set: whose rule it is. 0 or -ENOMEM. */
int tct_book_rule(struct tct_text *out, const struct tct_profile_set *set,
		  const struct tct_rule *rule);
/* "critical, warning": those that the rule may have. */
void tct_book_severities(struct tct_text *out, const struct tct_rule *rule);
/* Mark the counters that the rule reads: used[tct_counters_count]. */
void tct_book_rule_counters(const struct tct_rule *rule, bool *used);

/*
 * Check the catalogue against the rules of the book, and write its tables. Errors: INPUT with file
 * and line: a row that is missing, a rule that doesn't exist or that no row has.
 */
int tct_book_catalogue(struct tct_text *out, const struct tct_book *book, const char *file,
		       struct tct_err *err);

#endif
