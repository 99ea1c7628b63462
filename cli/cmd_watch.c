#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/watch.h"
#include "core/mem.h"

#define SECOND_NS INT64_C(1000000000)

enum { HEADING_EVERY = 20 }; /* lines */

static const int64_t default_interval_ns = SECOND_NS;
static const int64_t least_interval_ns = SECOND_NS / 10;

/* What the keys + and - go through. */
static const int64_t steps_ns[] = {
	SECOND_NS / 5, SECOND_NS / 2,  SECOND_NS,      2 * SECOND_NS,
	5 * SECOND_NS, 10 * SECOND_NS, 30 * SECOND_NS, 60 * SECOND_NS,
};

/* One interval, observed and judged. */
struct round {
	struct tct_observation *observation;
	struct tct_report *report;
	int64_t now_ns;
	int64_t taken_at_ns;
};

struct watch {
	const struct tct_session *session;
	const struct tct_profile_set *set;
	struct tct_facts facts;
	struct tct_page page;
	struct tct_terminal *terminal; /* NULL = lines */
	struct tct_watch_history *history;
	struct tct_watch_history *still; /* what is shown while paused */
	struct round shown;
	int64_t interval_ns;
	int64_t began_ns; /* when the interval began, by the beat; 0 = none has begun */
	enum tct_watch_sort sort;
	bool reverse;
	bool paused;
	bool help;
	bool ended;
};

static void drop_round(struct round *round)
{
	tct_report_free(round->report);
	tct_observation_free(round->observation);
	*round = (struct round){ 0 };
}

static int64_t realtime_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return 0;
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static struct tct_watch_view view_of(const struct watch *watch, const struct round *round)
{
	return (struct tct_watch_view){
		.report = round->report,
		.history = watch->paused ? watch->still : watch->history,
		.now_ns = round->now_ns,
		.taken_at_ns = round->taken_at_ns,
		.interval_ns = watch->interval_ns,
		.sort = watch->sort,
		.reverse = watch->reverse,
		.paused = watch->paused,
		.help = watch->help,
	};
}

static void draw(struct watch *watch)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	struct tct_frame frame = {
		.out = &text,
		.width = watch->terminal->width,
		.height = watch->terminal->height,
		.color = watch->page.color,
		.utf8 = watch->page.utf8,
		.erase = true,
	};

	if (watch->shown.report == NULL)
		return;

	struct tct_watch_view view = view_of(watch, &watch->shown);

	tct_watch_screen(&frame, &view);
	tct_terminal_draw(watch->terminal, &text);
}

/* The next longer or shorter interval; the same at the ends. */
static int64_t step(int64_t interval_ns, bool longer)
{
	for (size_t i = 0; longer && i < TCT_COUNT(steps_ns); i++) {
		if (steps_ns[i] > interval_ns)
			return steps_ns[i];
	}
	for (size_t i = TCT_COUNT(steps_ns); !longer && i-- > 0;) {
		if (steps_ns[i] < interval_ns)
			return steps_ns[i];
	}
	return interval_ns;
}

static void press(struct watch *watch, char key)
{
	if (key == 'q') {
		watch->ended = true;
		return;
	}
	if (watch->help) {
		watch->help = false;
		return;
	}
	switch (key) {
	case ' ':
		if (!watch->paused)
			*watch->still = *watch->history;
		watch->paused = !watch->paused;
		break;
	case 's':
		watch->sort = (watch->sort + 1) % TCT_WATCH_SORTS;
		break;
	case 'r':
		watch->reverse = !watch->reverse;
		break;
	case '+':
	case '=': /* the same key, without shift */
		watch->interval_ns = step(watch->interval_ns, true);
		break;
	case '-':
		watch->interval_ns = step(watch->interval_ns, false);
		break;
	case 'h':
	case '?':
		watch->help = true;
		break;
	default:
		break;
	}
}

/* Until the interval is over: answer keys. True if it's all over. */
static bool wait_on_terminal(struct watch *watch)
{
	for (;;) {
		char key = 0;

		switch (tct_terminal_wait(watch->terminal, watch->began_ns + watch->interval_ns,
					  &key)) {
		case TCT_TERMINAL_DEADLINE:
			return false;
		case TCT_TERMINAL_KEY:
			press(watch, key);
			break;
		case TCT_TERMINAL_REDRAW:
			break;
		case TCT_TERMINAL_ENDED:
			watch->ended = true;
			break;
		}
		if (watch->ended) { /* at once: the look that is still to come may take its time */
			tct_terminal_close(watch->terminal);
			return true;
		}
		draw(watch);
	}
}

/* Until the interval is over, or nobody reads our lines any more. True in that case. */
static bool wait_for_reader(struct watch *watch)
{
	for (;;) {
		struct pollfd out = { .fd = STDOUT_FILENO };
		int64_t left_ns = watch->began_ns + watch->interval_ns - tct_now_ns();
		const struct timespec timeout = {
			.tv_sec = left_ns / SECOND_NS,
			.tv_nsec = left_ns % SECOND_NS,
		};

		if (left_ns <= 0)
			return false;
		if (ppoll(&out, 1, &timeout, NULL) > 0) {
			watch->ended = true;
			return true;
		}
	}
}

/* The observation sleeps through this. The beat is kept if looking took little of the interval. */
static bool wait_for_interval(void *context, int64_t deadline_ns)
{
	struct watch *watch = context;
	int64_t began_ns = deadline_ns - watch->interval_ns;

	if (watch->began_ns == 0 || began_ns - watch->began_ns > watch->interval_ns / 2)
		watch->began_ns = began_ns;

	bool ended = watch->terminal != NULL ? wait_on_terminal(watch) : wait_for_reader(watch);

	watch->began_ns += watch->interval_ns;
	return ended;
}

/* One interval; 0 = one look. A round that ended before its time is of no use. */
static int look(struct watch *watch, int64_t interval_ns, struct round *round, struct tct_err *err)
{
	const struct tct_observe_options options = {
		.root = &watch->session->root,
		.netns = &watch->session->netns,
		.interval_ns = interval_ns,
		.sockets = true,
		.counters = true,
		.wait = wait_for_interval,
		.wait_context = watch,
	};
	int code = tct_observe(&options, &round->observation, err);

	if (code == 0 && !watch->ended)
		code = tct_judge(round->observation, watch->set, &watch->facts, &round->report,
				 err);
	round->now_ns = tct_now_ns();
	round->taken_at_ns = realtime_ns();
	return code;
}

/* Show what is new; while paused it goes into the history only. */
static void show(struct watch *watch, struct round *round)
{
	tct_watch_history_add(watch->history, round->report, round->now_ns);
	if (!watch->paused) {
		drop_round(&watch->shown);
		watch->shown = *round;
		*round = (struct round){ 0 };
	}
	draw(watch);
}

static void print_json(struct watch *watch, const struct tct_watch_view *view)
{
	size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
	json_t *document = tct_watch_json(view);

	if (watch->page.terminal)
		flags |= JSON_ENSURE_ASCII; /* nothing in the data may act on the terminal */

	TCT_AUTOFREE char *text = document != NULL ? json_dumps(document, flags) : NULL;

	json_decref(document);
	if (text == NULL) {
		errno = ENOMEM;
		watch->ended = true;
		return;
	}
	(void)fputs(text, stdout);
	(void)fputc('\n', stdout);
}

/* A line for a round; the writer is told when nobody reads. */
static int print(struct watch *watch, struct round *round, uint64_t number, struct tct_err *err)
{
	bool json = tct_wants_json(watch->session->options);

	tct_watch_history_add(watch->history, round->report, round->now_ns);

	struct tct_watch_view view = view_of(watch, round);

	if (json) {
		print_json(watch, &view);
		if (watch->ended)
			return tct_err_nomem(err);
	} else {
		if (number % HEADING_EVERY == 0)
			tct_watch_line_names(&watch->page);
		tct_watch_line(&watch->page, &view);
		tct_watch_line_findings(&watch->page, &view);
	}
	if (fflush(stdout) != 0 || ferror(stdout) != 0)
		watch->ended = true; /* main says so, if there is something to say */
	return 0;
}

static int run_lines(struct watch *watch, struct tct_err *err)
{
	const uint64_t count = watch->session->options->count;
	int code = 0;

	for (uint64_t i = 0; code == 0 && !watch->ended && (count == 0 || i < count); i++) {
		TCT_AUTO(drop_round) struct round round = { 0 };

		code = look(watch, watch->interval_ns, &round, err);
		if (code == 0 && !watch->ended)
			code = print(watch, &round, i, err);
	}
	return code;
}

static int run_screen(struct watch *watch, struct tct_err *err)
{
	const uint64_t count = watch->session->options->count;
	int code = tct_terminal_open(watch->terminal, err);

	/* first a look without rates: nobody should have to wait for it */
	for (uint64_t i = 0; code == 0 && !watch->ended && (count == 0 || i <= count); i++) {
		TCT_AUTO(drop_round) struct round round = { 0 };

		code = look(watch, i == 0 ? 0 : watch->interval_ns, &round, err);
		if (code == 0 && !watch->ended)
			show(watch, &round);
	}
	drop_round(&watch->shown);
	tct_terminal_close(watch->terminal);
	return code;
}

static int watch_session(const struct tct_session *session, struct tct_terminal *terminal,
			 struct tct_err *err)
{
	const struct tct_options *options = session->options;
	TCT_AUTO(tct_drop_observation) struct tct_observation *keys = NULL;
	TCT_AUTO(tct_drop_set) struct tct_profile_set *set = NULL;
	TCT_AUTOFREE struct tct_watch_history *history = calloc(1, sizeof(*history));
	TCT_AUTOFREE struct tct_watch_history *still = calloc(1, sizeof(*still));
	struct watch watch = {
		.session = session,
		.terminal = terminal,
		.history = history,
		.still = still,
		.interval_ns =
			options->interval_ns < 0 ? default_interval_ns : options->interval_ns,
	};

	if (history == NULL || still == NULL)
		return tct_err_nomem(err);

	int code = tct_session_load(session, &watch.facts, &keys, &set, err);

	if (code < 0)
		return code;
	watch.set = set;
	tct_page_init(&watch.page, stdout, options);
	return terminal != NULL ? run_screen(&watch, err) : run_lines(&watch, err);
}

static int open_and_watch(const struct tct_options *options, struct tct_terminal *terminal,
			  struct tct_err *err)
{
	TCT_AUTO(tct_session_done) struct tct_session session;
	int code = tct_session_open(&session, options, "base", err);

	return code < 0 ? code : watch_session(&session, terminal, err);
}

static int run(const struct tct_options *options)
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
	.run = run,
};
