/* Commands that are suggested, with the options that they were given. */
#include "cli/suggest.h"

#include <string.h>

void tct_shell_word(struct tct_text *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-./:=,+@%";

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		tct_text_add(out, word);
		return;
	}
	tct_text_add(out, "'");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			tct_text_add(out, "'\\''");
		else
			tct_text_add_bytes(out, word, 1);
	}
	tct_text_add(out, "'");
}

void tct_suggest_root(struct tct_text *out, const struct tct_options *options)
{
	if (options->root != NULL) {
		tct_text_add(out, " --root ");
		tct_shell_word(out, options->root);
	}
}

void tct_suggest_profiles(struct tct_text *out, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		tct_text_add(out, " --profile ");
		tct_shell_word(out, names[i]);
	}
}

void tct_suggest_vars(struct tct_text *out, const struct tct_options *options)
{
	for (size_t i = 0; i < options->vars.items_count; i++) {
		tct_text_add(out, " --var ");
		tct_shell_word(out, options->vars.items[i]);
	}
}

void tct_suggest_sets(struct tct_text *out, const struct tct_options *options)
{
	for (size_t i = 0; i < options->sets.items_count; i++) {
		tct_text_add(out, " --set ");
		tct_shell_word(out, options->sets.items[i]);
	}
}

void tct_suggest_place(struct tct_text *out, const struct tct_options *options)
{
	if (options->snapshot != NULL) {
		tct_text_add(out, " --snapshot ");
		tct_shell_word(out, options->snapshot);
	}
	tct_suggest_root(out, options);
	if (options->netns != NULL) {
		tct_text_add(out, " --netns ");
		tct_shell_word(out, options->netns);
	}
}
