#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/profile_view.h"
#include "cli/say.h"
#include "cli/session.h"
#include "core/json_text.h"
#include "core/mem.h"

static int list(const struct tct_session *session)
{
	TCT_AUTOFREE struct tct_profile_info *infos = NULL;
	size_t count = 0;
	struct tct_page page;
	struct tct_err err = { 0 };

	if (tct_profile_list(session->request.root, &infos, &count, &err) < 0)
		return tct_complain(&err);
	if (tct_wants_json(session->options))
		return tct_print_json(tct_profile_list_json(infos, count), TCT_EXIT_DONE);
	tct_page_init(&page, stdout, session->options);
	tct_render_profiles(&page, infos, count);
	return TCT_EXIT_DONE;
}

/* As it is stored; on a terminal, line by line, so that nothing in it can act on the terminal. */
static void print_source(const struct tct_page *page, const char *text, size_t length)
{
	if (!page->terminal) {
		(void)fwrite(text, 1, length, page->out);
		return;
	}
	while (*text != '\0') {
		size_t line = strcspn(text, "\n");
		TCT_AUTOFREE char *copy = tct_text_copy(text, line);

		tct_page_line(page, 0, NULL, 0, TCT_STYLE_PLAIN, copy != NULL ? copy : "");
		text += line;
		text += *text == '\n' ? 1 : 0;
	}
}

static int judge_and_show(struct tct_session *session, const char *origin)
{
	TCT_AUTO(tct_drop_observation) struct tct_observation *observation = NULL;
	TCT_AUTO(tct_drop_set) struct tct_profile_set *set = NULL;
	TCT_AUTO(tct_drop_report) struct tct_report *report = NULL;
	struct tct_facts facts;
	struct tct_page page;
	struct tct_err err = { 0 };

	if (tct_session_load(session, &facts, &observation, &set, &err) < 0 ||
	    tct_judge(observation, set, &facts, NULL, &report, &err) < 0)
		return tct_complain(&err);
	if (tct_wants_json(session->options))
		return tct_print_json(tct_profile_show_json(report, origin), TCT_EXIT_DONE);
	tct_page_init(&page, stdout, session->options);
	tct_render_profile(&page, session->options->verbose, report, origin);
	return TCT_EXIT_DONE;
}

static int show(struct tct_session *session)
{
	const struct tct_strings *arguments = &session->options->arguments;
	TCT_AUTOFREE char *text = NULL;
	size_t length = 0;
	char origin[280];
	struct tct_page page;
	struct tct_err err = { 0 };

	if (arguments->items_count != 2)
		return tct_bad_usage("profile show takes one profile ('tcptune profile list' names "
				     "them)");
	if (tct_profile_text(session->request.root, arguments->items[1], &text, &length, origin,
			     &err) < 0)
		return tct_complain(&err);
	session->request.names = &arguments->items[1];
	session->request.names_count = 1;
	if (!session->options->source)
		return judge_and_show(session, origin);
	tct_page_init(&page, stdout, session->options);
	print_source(&page, text, length);
	return TCT_EXIT_DONE;
}

/* Load one file as a profile. Returns the exit code it stands for; the text is owned by the caller.
 */
static int validate_one(const struct tct_session *session, const char *file, char **fault)
{
	TCT_AUTO(tct_drop_set) struct tct_profile_set *set = NULL;
	TCT_AUTO(tct_text_done) struct tct_text path = { 0 };
	TCT_AUTOCLOSE int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct tct_facts facts = { 0 };
	struct tct_err err = { 0 };
	char text[1024];

	if (fd < 0) {
		if (asprintf(fault, "%s: %s", file, strerror(errno)) < 0)
			*fault = NULL;
		return TCT_EXIT_INPUT;
	}
	/* Always a file, never a known profile's name. */
	tct_text_addf(&path, "%s%s", strchr(file, '/') == NULL ? "./" : "", file);

	const char *name = path.data != NULL ? path.data : file;
	const struct tct_profile_request request = {
		.root = session->request.root,
		.names = &name,
		.names_count = 1,
	};

	if (tct_profile_set_load(&request, &facts, &set, &err) == 0)
		return TCT_EXIT_DONE;
	*fault = strdup(tct_err_text(&err, text, sizeof(text)));
	return err.code == EINVAL ? TCT_EXIT_NO : TCT_EXIT_INPUT;
}

static int validate(const struct tct_session *session)
{
	const struct tct_strings *arguments = &session->options->arguments;
	bool json = tct_wants_json(session->options);
	json_t *files = json_array();
	int worst = TCT_EXIT_DONE;
	struct tct_page page;

	if (arguments->items_count < 2) {
		json_decref(files);
		return tct_bad_usage("profile validate needs a file");
	}
	tct_page_init(&page, stdout, session->options);
	for (size_t i = 1; i < arguments->items_count; i++) {
		TCT_AUTOFREE char *fault = NULL;
		int code = validate_one(session, arguments->items[i], &fault);

		worst = code > worst ? code : worst;
		if (code != TCT_EXIT_DONE && fault == NULL)
			fault = strdup("out of memory");
		if (!json) {
			tct_page_putf(&page, code == TCT_EXIT_DONE ? TCT_STYLE_GOOD : TCT_STYLE_BAD,
				      "%s%s", fault != NULL ? fault : arguments->items[i],
				      fault != NULL ? "" : ": ok");
			tct_page_newline(&page);
		} else if (json_array_append_new(files,
						 json_pack("{s:o, s:b, s:o}", "file",
							   tct_json_text(arguments->items[i]),
							   "valid", code == TCT_EXIT_DONE, "error",
							   tct_json_text_or_null(fault))) != 0) {
			json_decref(files);
			return tct_print_json(NULL, TCT_EXIT_REFUSED);
		}
	}
	if (!json) {
		json_decref(files);
		return worst;
	}
	return tct_print_json(
		json_pack("{s:s, s:o}", "schema", "tcptune.profile.v1", "files", files), worst);
}

static const char *action_name(const void *context, size_t i)
{
	static const char *const names[] = { "list", "show", "validate", NULL };

	(void)context;
	return names[i];
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session = { .root = { .fd = -1 } };
	const struct tct_strings *arguments = &options->arguments;
	const char *action = arguments->items_count > 0 ? arguments->items[0] : NULL;
	struct tct_err err = { 0 };

	if (action == NULL)
		return tct_bad_usage("profile needs list, show or validate");
	if (options->source && (strcmp(action, "show") != 0 || tct_wants_json(options)))
		return tct_bad_usage("--source goes with 'profile show' as text");
	if (strcmp(action, "list") == 0 && arguments->items_count > 1)
		return tct_bad_usage("profile list takes no arguments, but '%s' is given",
				     arguments->items[1]);
	if (tct_session_open(&session, options, NULL, &err) < 0)
		return tct_complain(&err);
	if (strcmp(action, "list") == 0)
		return list(&session);
	if (strcmp(action, "show") == 0)
		return show(&session);
	if (strcmp(action, "validate") == 0)
		return validate(&session);

	const char *nearest = tct_text_nearest(action, action_name, NULL);

	return tct_bad_usage("profile doesn't know '%s'; %s%s%s", action,
			     nearest != NULL ? "did you mean '" : "it takes list, show or validate",
			     nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_SOURCE, "show: print the YAML as it is stored" },
	{ TCT_OPTION_VAR, "show: override a variable, or a fact of the host" },
	{ TCT_OPTION_NETNS, "show: evaluate it in this network namespace" },
	{ TCT_OPTION_ROOT, "list and show: the profiles and the host below DIR" },
	{ TCT_OPTION_SNAPSHOT,
	  "show: what it comes to on the host of a snapshot; built-in profiles, "
	  "or files" },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_VERBOSE, "show: the conditions of the rules instead of their titles" },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_profile = {
	.name = "profile",
	.summary = "List the profiles, show what one does on this host, validate your own.",
	.usage = "profile list [OPTIONS]\n"
		 "profile show NAME [OPTIONS]\n"
		 "profile validate FILE... [OPTIONS]",
	.description =
		"Profiles are looked for in /etc/tcptune/profiles, then among the built-in ones; "
		"a name with a / is a file. Exit code: 0; 1 if validate found a fault; 2 if a "
		"file can't be read.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune profile list\n"
		   "tcptune profile show highconn\n"
		   "tcptune profile validate ./mine.yaml",
	.placeholder = "list, show or validate",
	.arguments_max = 10000,
	.run = run,
};
