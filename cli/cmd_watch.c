#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/say.h"
#include "cli/watch_run.h"
#include "core/mem.h"

enum { HEADING_EVERY = 20 }; /* lines */

static const int64_t default_interval_ns = TCT_WATCH_SECOND_NS;
static const int64_t least_interval_ns = TCT_WATCH_SECOND_NS / 10;

bool tct_watch_wait_for_reader(struct tct_watch_run *run)
{
	for (;;) {
		struct pollfd out = { .fd = STDOUT_FILENO };
		int64_t left_ns = run->began_ns + tct_watch_pace_ns(run) - tct_now_ns();
		const struct timespec timeout = {
			.tv_sec = left_ns / TCT_WATCH_SECOND_NS,
			.tv_nsec = left_ns % TCT_WATCH_SECOND_NS,
		};

		if (left_ns <= 0)
			return false;
		if (ppoll(&out, 1, &timeout, NULL) > 0) { /* nobody reads any more */
			run->ended = true;
			return true;
		}
	}
}

static int print_json(const struct tct_watch_run *run, const struct tct_watch_view *view,
		      struct tct_err *err)
{
	size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
	json_t *document = tct_watch_json(view);

	if (run->page.terminal)
		flags |= JSON_ENSURE_ASCII; /* nothing in the data may act on the terminal */

	TCT_AUTOFREE char *text = document != NULL ? json_dumps(document, flags) : NULL;

	json_decref(document);
	if (text == NULL)
		return tct_err_nomem(err);
	(void)fputs(text, stdout);
	(void)fputc('\n', stdout);
	return 0;
}

/* Each line is for somebody who reads it now. That nobody does is an end, and no failure. */
static int flush(struct tct_watch_run *run, struct tct_err *err)
{
	int code;

	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return 0;
	code = errno != 0 ? errno : EIO;
	clearerr(stdout); /* it is told here, while the reason is known */
	run->ended = true;
	if (code == EPIPE)
		return 0;
	return tct_err_set(err, TCT_FAULT_INPUT, code, "can't write the output: %s",
			   strerror(code));
}

/* The newest interval. */
static int print(struct tct_watch_run *run, int64_t number, struct tct_err *err)
{
	struct tct_watch_view view = tct_watch_view_of(run);
	int code = 0;

	errno = 0;
	if (tct_wants_json(run->session->options)) {
		code = print_json(run, &view, err);
	} else {
		if (number > 0 && number % HEADING_EVERY == 0)
			tct_watch_line_names(&run->page);
		tct_watch_line(&run->page, &view);
		tct_watch_line_findings(&run->page, &view);
	}
	return code < 0 ? code : flush(run, err);
}

int tct_watch_run_lines(struct tct_watch_run *run, struct tct_err *err)
{
	const int64_t count = run->session->options->count;
	int code;

	errno = 0;
	if (!tct_wants_json(run->session->options))
		tct_watch_line_names(&run->page);
	code = flush(run, err);
	for (int64_t i = 0; code == 0 && !run->ended && (count == 0 || i < count); i++) {
		code = tct_watch_look(run, false, err);
		if (code == 0 && !run->ended)
			code = print(run, i, err);
	}
	return code;
}

static int watch_session(struct tct_session *session, struct tct_terminal *terminal,
			 struct tct_err *err)
{
	const struct tct_options *options = session->options;
	TCT_AUTO(tct_drop_observation) struct tct_observation *keys = NULL;
	TCT_AUTO(tct_drop_set) struct tct_profile_set *set = NULL;
	TCT_AUTO(tct_drop_suppressions) struct tct_suppressions *suppressions = NULL;
	TCT_AUTO(tct_watch_run_done)
	struct tct_watch_run run = {
		.session = session,
		.terminal = terminal,
		.history = calloc(1, sizeof(*run.history)),
		.still = calloc(1, sizeof(*run.still)),
		.past = tct_history_new(),
		.interval_ns =
			options->interval_ns < 0 ? default_interval_ns : options->interval_ns,
	};

	if (run.history == NULL || run.still == NULL || run.past == NULL)
		return tct_err_nomem(err);

	int code = tct_session_load(session, &run.facts, &keys, &set, err);

	if (code == 0)
		code = tct_session_suppressions(session, keys, set, &suppressions, err);
	if (code < 0)
		return code;
	run.set = set;
	run.suppressions = suppressions;
	tct_page_init(&run.page, stdout, options);
	return terminal != NULL ? tct_watch_run_screen(&run, err) : tct_watch_run_lines(&run, err);
}

static int open_and_watch(const struct tct_options *options, struct tct_terminal *terminal,
			  struct tct_err *err)
{
	TCT_AUTO(tct_session_done) struct tct_session session;
	int code = tct_session_open(&session, options, "base", err);

	return code < 0 ? code : watch_session(&session, terminal, err);
}

static int run_watch(const struct tct_options *options)
{
	struct tct_terminal terminal = { 0 };
	bool screen = !tct_wants_json(options) && tct_terminal_usable();
	struct tct_err err;

	if (options->interval_ns >= 0 && options->interval_ns < least_interval_ns)
		return tct_bad_usage("watch looks at most ten times a second: --interval is at "
				     "least 0.1");
	if (open_and_watch(options, screen ? &terminal : NULL, &err) < 0)
		return tct_complain(&err);
	if (terminal.ended_by != 0) { /* as if it had not been caught: the shell must know */
		(void)signal(terminal.ended_by, SIG_DFL);
		(void)raise(terminal.ended_by);
	}
	return TCT_EXIT_DONE;
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_INTERVAL, "seconds from one look to the next; decimals are allowed, at least "
			       "0.1 (default: 1)" },
	{ TCT_OPTION_COUNT, NULL },
	{ TCT_OPTION_PROFILE, "judge by this profile instead of base; a name with a / is a file; "
			      "may be given again" },
	{ TCT_OPTION_VAR, NULL },
	{ TCT_OPTION_SUPPRESSIONS, NULL },
	{ TCT_OPTION_NO_SUPPRESSIONS, NULL },
	{ TCT_OPTION_NETNS, NULL },
	{ TCT_OPTION_FORMAT, "how to print lines (default: text)" },
	{ TCT_OPTION_JSON, "one document a line and interval, instead of the screen" },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_watch = {
	.name = "watch",
	.summary = "Show states, rates, listeners and findings live, and judge each interval.",
	.usage = "watch [OPTIONS]",
	.description =
		"On a terminal the screen is redrawn; h tells the keys. Else there is a line for "
		"each interval, and one for each finding that comes (+) or goes (-). Nothing is "
		"changed.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune watch\n"
		   "tcptune watch --interval 5 | tee tcp.log\n"
		   "tcptune watch --json --count 60 | jq -c .findings",
	.placeholder = "",
	.run = run_watch,
};
