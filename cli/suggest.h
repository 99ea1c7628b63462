/* Commands that are suggested, with the options that they were given. */
#ifndef TCT_CLI_SUGGEST_H
#define TCT_CLI_SUGGEST_H

#include "cli/options.h"
#include "core/text.h"

/*
 * For commands that are suggested: append " --root DIR", " --netns X" and
 * " --snapshot FILE" as given; " --root DIR"
 * only, for those that take no namespace; " --profile P" for each name.
 */
void tct_suggest_place(struct tct_text *out, const struct tct_options *options);
void tct_suggest_root(struct tct_text *out, const struct tct_options *options);
void tct_suggest_profiles(struct tct_text *out, const char *const *names, size_t count);

/* Append " --var NAME=VALUE", " --set KEY=VALUE" for each one given. */
void tct_suggest_vars(struct tct_text *out, const struct tct_options *options);
void tct_suggest_sets(struct tct_text *out, const struct tct_options *options);

/* Append a word for a shell, quoted where it needs it. */
void tct_shell_word(struct tct_text *out, const char *word);

#endif
