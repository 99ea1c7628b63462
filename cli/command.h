/* Commands: each is one constant record in a file of its own; commands.c gathers them. */
#ifndef TCT_CLI_COMMAND_H
#define TCT_CLI_COMMAND_H

#include "cli/options.h"
#include "cli/page.h"

struct tct_command {
	const char *name;
	const char *summary;     /* one line, for the list of commands */
	const char *usage;       /* one or more lines, each begins after "tcptune " */
	const char *description; /* a paragraph, or NULL */
	const struct tct_option_use *options;
	size_t options_count;
	const char *example;     /* whole lines as one types them, or NULL */
	const char *placeholder; /* what its arguments are, "" = it takes none */
	unsigned arguments_max;
	int (*run)(const struct tct_options *options); /* returns the exit code */
};

extern const struct tct_command tct_command_audit;
extern const struct tct_command tct_command_apply;
extern const struct tct_command tct_command_check;
extern const struct tct_command tct_command_confirm;
extern const struct tct_command tct_command_rollback;
extern const struct tct_command tct_command_history;
extern const struct tct_command tct_command_profile;
extern const struct tct_command tct_command_sockets;
extern const struct tct_command tct_command_explain;
extern const struct tct_command tct_command_watch;
extern const struct tct_command tct_command_snapshot;
extern const struct tct_command tct_command_diff;
extern const struct tct_command tct_command_help;
extern const struct tct_command tct_command_version;

/* All of them, in the order of --help; NULL at the end. */
extern const struct tct_command *const tct_commands[];

/* By name, or NULL: then err says so, with the nearest name. */
const struct tct_command *tct_command_find(const char *name, struct tct_err *err);

/* Print the list of commands, or one command's help. */
void tct_help_all(const struct tct_page *page);
void tct_help_command(const struct tct_page *page, const struct tct_command *command);

#endif
