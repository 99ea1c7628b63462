#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/say.h"
#include "core/mem.h"

enum {
	OPTION_COLUMN = 32,
	COMMAND_COLUMN = 12,
};

static void print_lines(const struct tct_page *page, const char *prefix, const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		TCT_AUTO(tct_text_done) struct tct_text line = { 0 };

		tct_text_add(&line, prefix);
		tct_text_add_bytes(&line, text, length);
		tct_page_line(page, 2, NULL, 0, TCT_STYLE_PLAIN, tct_text_string(&line));
		text += length;
		text += *text == '\n' ? 1 : 0;
	}
}

void tct_help_all(const struct tct_page *page)
{
	tct_page_paragraph(
		page, 0, NULL, 0, TCT_STYLE_PLAIN,
		"tcptune tells what this host's TCP is doing, what is wrong and whose fault "
		"it is, and which kernel settings to change or to leave alone; and it "
		"changes them so that nothing is lost.");
	tct_page_heading(page, "Usage", NULL);
	tct_page_line(page, 2, NULL, 0, TCT_STYLE_PLAIN, "tcptune COMMAND [OPTIONS]");
	tct_page_heading(page, "Commands", NULL);
	for (size_t i = 0; tct_commands[i] != NULL; i++)
		tct_page_paragraph(page, 2, tct_commands[i]->name, COMMAND_COLUMN, TCT_STYLE_PLAIN,
				   tct_commands[i]->summary);
	tct_page_heading(page, "Begin with", NULL);
	tct_page_line(page, 2, NULL, 0, TCT_STYLE_PLAIN, "tcptune audit");
	tct_page_line(page, 2, NULL, 0, TCT_STYLE_PLAIN,
		      "tcptune apply --profile highconn --dry-run");
	tct_page_newline(page);
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN,
			   "'tcptune help COMMAND' tells about one command; tcptune(1) about all.");
}

/* "-p, --profile NAME", or "    --json". */
static void option_label(const struct tct_option *option, char *out, size_t out_size)
{
	char letter[5] = "    ";

	if (option->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	if (snprintf(out, out_size, "%s--%s%s%s", letter, option->name,
		     option->argument != NULL ? " " : "",
		     option->argument != NULL ? option->argument : "") < 0)
		out[0] = '\0';
}

static void print_option(const struct tct_page *page, const struct tct_option_use *use)
{
	const struct tct_option *option = &tct_option_table[use->id];
	const char *help = use->help != NULL ? use->help : option->help;
	char label[80];

	option_label(option, label, sizeof(label));
	if (strlen(label) < OPTION_COLUMN) {
		tct_page_paragraph(page, 2, label, OPTION_COLUMN, TCT_STYLE_PLAIN, help);
		return;
	}
	tct_page_putf(page, TCT_STYLE_DIM, "  %s", label);
	tct_page_newline(page);
	tct_page_paragraph(page, 2, NULL, OPTION_COLUMN, TCT_STYLE_PLAIN, help);
}

void tct_help_command(const struct tct_page *page, const struct tct_command *command)
{
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN, command->summary);
	tct_page_heading(page, "Usage", NULL);
	print_lines(page, "tcptune ", command->usage);
	if (command->description != NULL) {
		tct_page_newline(page);
		tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN, command->description);
	}
	if (command->options_count > 0) {
		tct_page_heading(page, "Options", NULL);
		for (size_t i = 0; i < command->options_count; i++)
			print_option(page, &command->options[i]);
	}
	if (command->example != NULL) {
		tct_page_heading(page, "Example", NULL);
		print_lines(page, "", command->example);
	}
}

static int run_help(const struct tct_options *options)
{
	struct tct_page page;
	struct tct_err err;

	tct_page_init(&page, stdout, options);
	if (options->arguments.items_count == 0) {
		tct_help_all(&page);
		return TCT_EXIT_DONE;
	}

	const struct tct_command *command = tct_command_find(options->arguments.items[0], &err);

	if (command == NULL)
		return tct_complain(&err);
	tct_help_command(&page, command);
	return TCT_EXIT_DONE;
}

static int run_version(const struct tct_options *options)
{
	(void)options;
	(void)puts("tcptune " TCPTUNE_VERSION);
	return TCT_EXIT_DONE;
}

static const struct tct_option_use help_options[] = {
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_HELP, NULL },
};

static const struct tct_option_use version_options[] = {
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_help = {
	.name = "help",
	.summary = "Print the list of commands, or what one command does.",
	.usage = "help [COMMAND]",
	.options = help_options,
	.options_count = TCT_COUNT(help_options),
	.example = "tcptune help apply",
	.placeholder = "the name of a command",
	.arguments_max = 1,
	.run = run_help,
};

const struct tct_command tct_command_version = {
	.name = "version",
	.summary = "Print the version.",
	.usage = "version",
	.options = version_options,
	.options_count = TCT_COUNT(version_options),
	.example = "tcptune version",
	.placeholder = "",
	.run = run_version,
};
