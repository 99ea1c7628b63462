/* Writes docs/rules.md to standard output: rules_book CATALOGUE.yaml > rules.md */
#include "docs/rules_book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static void free_book(struct tct_book *book)
{
	for (size_t i = 0; i < book->profiles_count; i++)
		tct_profile_set_free(book->profiles[i].set);
	free(book->profiles);
	free(book->rules);
	free(book->infos);
}

/* The rules that the book has not had from an earlier profile. */
static int add_rules(struct tct_book *book, const struct tct_profile_set *set)
{
	for (size_t i = 0; i < set->rules_count; i++) {
		const struct tct_rule *rule = &set->rules[i];
		bool known = false;

		for (size_t j = 0; j < book->rules_count && !known; j++)
			known = strcmp(book->rules[j].rule->id, rule->id) == 0 &&
				strcmp(book->rules[j].rule->profile, rule->profile) == 0;
		if (known)
			continue;

		struct tct_book_entry *entry = TCT_APPEND(book, rules);

		if (entry == NULL)
			return -ENOMEM;
		*entry = (struct tct_book_entry){ .rule = rule, .set = set };
	}
	return 0;
}

static int add_profile(struct tct_book *book, const struct tct_profile_info *info,
		       struct tct_err *err)
{
	const char *const names[] = { info->name };
	const struct tct_profile_request request = { .names = names, .names_count = 1 };
	struct tct_facts facts = { .initial_namespace = true };
	struct tct_profile_set *set = NULL;
	struct tct_book_profile *profile;
	int status = tct_profile_set_load(&request, &facts, &set, err);

	if (status < 0)
		return status;
	profile = TCT_APPEND(book, profiles);
	if (profile == NULL) {
		tct_profile_set_free(set);
		return tct_err_nomem(err);
	}
	*profile = (struct tct_book_profile){ .info = info, .set = set };
	return add_rules(book, set) < 0 ? tct_err_nomem(err) : 0;
}

/* base.yaml extends the parts; a part alone need not hold together. */
static bool is_part(const struct tct_profile_info *info)
{
	return strncmp(info->name, "rules-", strlen("rules-")) == 0;
}

static int load(struct tct_book *book, struct tct_err *err)
{
	int status = tct_profile_list(NULL, &book->infos, &book->infos_count, err);

	for (size_t i = 0; i < book->infos_count && status == 0; i++) {
		if (strcmp(book->infos[i].name, "base") == 0)
			status = add_profile(book, &book->infos[i], err);
	}
	for (size_t i = 0; i < book->infos_count && status == 0; i++) {
		if (strcmp(book->infos[i].name, "base") != 0 && !is_part(&book->infos[i]))
			status = add_profile(book, &book->infos[i], err);
	}
	return status;
}

static const char *summary_of(const struct tct_book *book, const char *profile)
{
	for (size_t i = 0; i < book->infos_count; i++) {
		if (strcmp(book->infos[i].name, profile) == 0)
			return book->infos[i].summary;
	}
	return "";
}

static bool begins_profile(const struct tct_book *book, size_t rule)
{
	return rule == 0 ||
	       strcmp(book->rules[rule].rule->profile, book->rules[rule - 1].rule->profile) != 0;
}

static const char introduction[] =
	"# The rules\n"
	"\n"
	"What `tcptune audit` and `tcptune watch` judge by: every rule of the shipped profiles, as it stands in\n"
	"`profiles/*.yaml`. This file is generated from them, and from `docs/catalogue.yaml`; don't edit it:\n"
	"`cmake --build --preset dev --target docs-rules` writes it anew. tcptune-profile(5) explains the language;\n"
	"`tcptune explain RULE` says the same on the command line, with this host's numbers.\n"
	"\n"
	"Parts in braces such as `{queue}` are filled in with what was seen. Thresholds are variables: `--var NAME=VALUE`,\n"
	"`/etc/tcptune/variables.yaml` or a profile of yours changes them.\n"
	"\n";

static void add_contents(struct tct_text *out, const struct tct_book *book)
{
	tct_text_add(out, "## Contents\n\n");
	for (size_t i = 0; i < book->rules_count; i++) {
		const struct tct_rule *rule = book->rules[i].rule;

		if (begins_profile(book, i))
			tct_text_addf(out, "- [%s](#%s): %s\n", rule->profile, rule->profile,
				      summary_of(book, rule->profile));
		tct_text_add(out, "  - ");
		tct_book_link(out, rule->id);
		tct_text_add(out, " (");
		tct_book_severities(out, rule);
		tct_text_add(out, ")\n");
	}
	tct_text_add(out, "- [Values that are refused](#values-that-are-refused)\n"
			  "- [Counters](#counters): what the rules read\n"
			  "- [The catalogue](#the-catalogue): which diagnosis is which rule\n\n");
}

static int add_sections(struct tct_text *out, const struct tct_book *book)
{
	for (size_t i = 0; i < book->rules_count; i++) {
		const struct tct_rule *rule = book->rules[i].rule;

		if (begins_profile(book, i))
			tct_text_addf(out, "## %s\n\n%s.\n\n", rule->profile,
				      summary_of(book, rule->profile));
		if (tct_book_rule(out, book->rules[i].set, rule) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void add_never(struct tct_text *out, const struct tct_book *book)
{
	tct_text_add(out,
		     "## Values that are refused\n\n"
		     "`apply` never writes them, whatever asks for them, and `audit` tells those "
		     "that are there.\n\n| key | value | why | profile |\n|---|---|---|---|\n");
	for (size_t i = 0; i < book->profiles_count; i++) {
		const struct tct_profile_set *set = book->profiles[i].set;

		for (size_t j = 0; j < set->never_count; j++) {
			const struct tct_never *never = &set->never[j];

			/* those that it extends have had theirs */
			if (strcmp(never->profile, book->profiles[i].info->name) != 0)
				continue;
			tct_text_addf(out, "| `%s` | ", never->key->name);
			tct_book_code(out, tct_expr_source(never->when));
			tct_text_add(out, " | ");
			tct_book_prose(out, never->because);
			tct_text_addf(out, " | %s |\n", never->profile);
		}
	}
	tct_text_add(out, "\n");
}

static int add_counters(struct tct_text *out, const struct tct_book *book)
{
	TCT_AUTOFREE bool *used = calloc(tct_counters_count, sizeof(*used));

	if (used == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < book->rules_count; i++)
		tct_book_rule_counters(book->rules[i].rule, used);
	tct_text_add(out, "## Counters\n\n| counter | what it counts | where |\n|---|---|---|\n");
	for (size_t i = 0; i < tct_counters_count; i++) {
		if (!used[i])
			continue;
		tct_text_addf(out, "| `%s` | ", tct_counters[i].name);
		tct_book_prose(out, tct_counters[i].summary);
		tct_text_add(out, " | ");
		tct_book_prose(out, tct_counters[i].source);
		tct_text_add(out, " |\n");
	}
	tct_text_add(out, "\n");
	return 0;
}

static int write_book(const struct tct_book *book, const char *catalogue, struct tct_err *err)
{
	TCT_AUTO(tct_text_done) struct tct_text out = { 0 };
	int status;

	tct_text_add(&out, introduction);
	add_contents(&out, book);
	if (add_sections(&out, book) < 0)
		return tct_err_nomem(err);
	add_never(&out, book);
	if (add_counters(&out, book) < 0)
		return tct_err_nomem(err);
	tct_text_add(
		&out,
		"## The catalogue\n\n"
		"The diagnoses that tcptune set out to make, and the rules that make them.\n\n");
	status = tct_book_catalogue(&out, book, catalogue, err);
	if (status < 0)
		return status;
	if (out.failed)
		return tct_err_nomem(err);
	if (fputs(out.data, stdout) < 0 || fflush(stdout) != 0)
		return tct_err_set(err, TCT_FAULT_INPUT, errno, "can't write: %s", strerror(errno));
	return 0;
}

int main(int argc, char **argv)
{
	TCT_AUTO(free_book) struct tct_book book = { 0 };
	struct tct_err err = { 0 };
	char text[1200];

	if (argc != 2) {
		(void)fprintf(stderr, "usage: rules_book CATALOGUE.yaml > rules.md\n");
		return EXIT_FAILURE;
	}
	if (load(&book, &err) < 0 || write_book(&book, argv[1], &err) < 0) {
		(void)fprintf(stderr, "%s\n", tct_err_text(&err, text, sizeof(text)));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
