/* The command line: finds the command, reads its options, runs it, and sees that its output
 * arrived. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/say.h"
#include "core/mem.h"

/* A closed stdin, stdout or stderr must not become a file that we open: writes to it would land
 * there. */
static bool guard_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			return false;
	}
	return true;
}

/* Nobody listens any more (EPIPE): nothing to say. Otherwise output that is lost is a failure. */
static int finish(const struct tct_command *command, int code)
{
	bool lost = ferror(stdout) != 0;

	errno = 0;
	if (fflush(stdout) != 0)
		lost = true;
	if (!lost || errno == EPIPE)
		return code;
	(void)fprintf(stderr, "tcptune: can't write the output: %s%s\n",
		      errno != 0 ? strerror(errno) : "write error",
		      command != NULL && command->changes
			      ? " (what was done is done: see tcptune history)"
			      : "");
	return code > TCT_EXIT_INPUT ? code : TCT_EXIT_INPUT;
}

static int run_command(const struct tct_command *command, int argc, char *argv[])
{
	TCT_AUTO(tct_options_done) struct tct_options options;
	struct tct_err err;

	if (tct_options_parse(command->name, command->options, command->options_count, argc, argv,
			      &options, &err) < 0)
		return tct_complain(&err);
	if (options.help) {
		struct tct_page page;

		tct_page_init(&page, stdout, &options);
		tct_help_command(&page, command);
		return TCT_EXIT_DONE;
	}
	if (options.arguments.items_count > command->arguments_max) {
		const char *extra = options.arguments.items[command->arguments_max];

		if (command->arguments_max == 0)
			return tct_bad_usage("%s takes no arguments, but '%s' is given",
					     command->name, extra);
		return tct_bad_usage("%s takes %s, but '%s' is left over", command->name,
				     command->placeholder, extra);
	}
	return command->run(&options);
}

/* What stands before a command: --help, --version, or a mistake. */
static int run_without_command(int argc, char *argv[])
{
	static const struct tct_option_use uses[] = {
		{ TCT_OPTION_HELP, NULL },
		{ TCT_OPTION_VERSION, NULL },
	};
	struct tct_page page;

	if (argc >= 2 && (strcmp(argv[1], "-") == 0 || strcmp(argv[1], "--") == 0))
		return tct_bad_usage("a command is expected, not '%s'; see 'tcptune --help'",
				     argv[1]);
	if (argc < 2) {
		tct_page_init(&page, stderr, NULL);
		tct_help_all(&page);
		return TCT_EXIT_INPUT;
	}
	for (size_t i = 0; i < TCT_OPTION_LIMIT; i++) {
		const struct tct_option *option = &tct_option_table[i];

		if (i != TCT_OPTION_HELP && i != TCT_OPTION_VERSION && argv[1][1] == '-' &&
		    strncmp(argv[1] + 2, option->name, strlen(option->name)) == 0 &&
		    strchr("=", argv[1][2 + strlen(option->name)]) != NULL)
			return tct_bad_usage("options come after the command: 'tcptune COMMAND %s'",
					     argv[1]);
	}

	TCT_AUTO(tct_options_done) struct tct_options options;
	struct tct_err err;

	if (tct_options_parse("tcptune", uses, TCT_COUNT(uses), 2, argv, &options, &err) < 0)
		return tct_complain(&err);
	if (options.version)
		return tct_command_version.run(&options);
	tct_page_init(&page, stdout, &options);
	tct_help_all(&page);
	return TCT_EXIT_DONE;
}

int main(int argc, char *argv[])
{
	struct tct_err err;

	if (!guard_standard_files())
		return TCT_EXIT_INPUT;
	(void)setlocale(LC_CTYPE, "");
	/* Neither a reader that went away nor a limit of file sizes may cut a transaction short:
	 * the write says so (EPIPE, EFBIG). */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (argc < 2 || argv[1][0] == '-')
		return finish(NULL, run_without_command(argc, argv));

	const struct tct_command *command = tct_command_find(argv[1], &err);

	if (command == NULL)
		return tct_complain(&err);
	return finish(command, run_command(command, argc - 1, argv + 1));
}
