/*
 * Options: one typed table drives parsing, --help and what is said about mistakes. A command names
 * the rows that it takes.
 */
#ifndef TCT_CLI_OPTIONS_H
#define TCT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum tct_option_id {
	TCT_OPTION_PROFILE,
	TCT_OPTION_VAR,
	TCT_OPTION_SET,
	TCT_OPTION_DRY_RUN,
	TCT_OPTION_NO_PERSIST,
	TCT_OPTION_PERSIST,
	TCT_OPTION_NO_LIVE,
	TCT_OPTION_ALLOW_SHADOWED,
	TCT_OPTION_MODULES_LOAD,
	TCT_OPTION_BOOT,
	TCT_OPTION_REASON,
	TCT_OPTION_FORCE,
	TCT_OPTION_WAIT,
	TCT_OPTION_CONFIRM_WITHIN,
	TCT_OPTION_EXPIRE,
	TCT_OPTION_SOURCE,
	TCT_OPTION_INTERVAL,
	TCT_OPTION_COUNT,
	TCT_OPTION_EXACT,
	TCT_OPTION_FAIL_ON,
	TCT_OPTION_SUPPRESSIONS,
	TCT_OPTION_NO_SUPPRESSIONS,
	TCT_OPTION_BY,
	TCT_OPTION_PORT,
	TCT_OPTION_STATE,
	TCT_OPTION_TOP,
	TCT_OPTION_NETNS,
	TCT_OPTION_ALL_NETNS,
	TCT_OPTION_ROOT,
	TCT_OPTION_SNAPSHOT,
	TCT_OPTION_OUTPUT,
	TCT_OPTION_FORMAT,
	TCT_OPTION_JSON,
	TCT_OPTION_COLOR,
	TCT_OPTION_QUIET,
	TCT_OPTION_VERBOSE,
	TCT_OPTION_HELP,
	TCT_OPTION_VERSION,
	TCT_OPTION_LIMIT,
};

enum tct_option_kind {
	TCT_OPTION_FLAG,    /* bool */
	TCT_OPTION_PRESET,  /* int: sets `preset` */
	TCT_OPTION_TEXT,    /* const char * */
	TCT_OPTION_LIST,    /* struct tct_strings: may be given again */
	TCT_OPTION_CHOICE,  /* int: index into choices */
	TCT_OPTION_SECONDS, /* int64_t: nanoseconds; least..most are seconds, most 0 = 3600 */
	TCT_OPTION_NUMBER,  /* int64_t: least..most */
};

struct tct_option {
	const char *name; /* "profile" */
	char letter;      /* 'p', 0 = none */
	enum tct_option_kind kind;
	const char *argument;       /* "NAME", NULL = takes none */
	const char *const *choices; /* CHOICE: words, NULL at the end */
	int preset;
	int64_t least;
	int64_t most;
	size_t offset; /* into struct tct_options */
	const char *help;
};

struct tct_strings {
	const char **items; /* borrowed from argv; the array is owned */
	size_t items_count;
	size_t items_capacity;
};

enum tct_format {
	TCT_FORMAT_TEXT,
	TCT_FORMAT_JSON,
};

enum tct_color_choice {
	TCT_COLOR_AUTO,
	TCT_COLOR_ALWAYS,
	TCT_COLOR_NEVER,
};

/* Everything that can be asked for. Texts are borrowed from argv. */
struct tct_options {
	struct tct_strings profiles;
	struct tct_strings vars; /* NAME=VALUE, unchecked */
	struct tct_strings sets; /* KEY=VALUE, unchecked */
	bool dry_run;
	bool no_persist;
	bool persist;
	bool no_live;
	bool allow_shadowed;
	bool modules_load;
	int boot; /* enum tct_boot_model, both being TCT_BOOT_MODELS; -1 = not given */
	const char *reason;
	bool force;
	int64_t wait_ns;           /* for the lock; 0 = not at all */
	int64_t confirm_within_ns; /* 0 = not given */
	bool expire;
	bool source;
	int64_t interval_ns; /* -1 = not given */
	int64_t count;       /* 0 = not given */
	bool exact;
	int fail_on;              /* enum tct_severity, -1 = not given */
	const char *suppressions; /* a file, NULL = the host's */
	bool no_suppressions;
	int by;                    /* enum tct_sockets_by, -1 = not given */
	int64_t port;              /* 0 = not given */
	struct tct_strings states; /* names, as given */
	int64_t top;               /* 0 = all, -1 = not given */
	const char *netns;
	bool all_netns;
	const char *root;
	const char *snapshot;
	const char *output;
	int format; /* enum tct_format */
	int color;  /* enum tct_color_choice */
	bool quiet;
	bool verbose;
	bool help;
	bool version;
	struct tct_strings arguments; /* what is not an option */
};

/* A row of the table that a command takes, with words of its own or NULL for the table's. */
struct tct_option_use {
	enum tct_option_id id;
	const char *help;
};

/* The rows, by enum tct_option_id. */
extern const struct tct_option tct_option_table[TCT_OPTION_LIMIT];

/*
 * Read argv[1..argc) for the command `name`, which takes uses[0..count). Options may follow
 * arguments; "--" ends them. Errors: INPUT, one line with the nearest name for a misspelling.
 * *options is released with tct_options_done in either case.
 */
int tct_options_parse(const char *name, const struct tct_option_use *uses, size_t count, int argc,
		      char *argv[], struct tct_options *options, struct tct_err *err);
void tct_options_done(struct tct_options *options);

/* True if the options ask for JSON. */
bool tct_wants_json(const struct tct_options *options);

/* A transaction's number: digits only, not 0. */
bool tct_parse_id(const char *text, uint64_t *id);

#endif
