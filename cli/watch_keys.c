/* `watch` on a terminal: what the keys do, and when it is drawn. */
#include "cli/watch_run.h"
#include "core/mem.h"

/* What the keys + and - go through. */
static const int64_t steps_ns[] = {
	TCT_WATCH_SECOND_NS / 5,  TCT_WATCH_SECOND_NS / 2,  TCT_WATCH_SECOND_NS,
	TCT_WATCH_SECOND_NS * 2,  TCT_WATCH_SECOND_NS * 5,  TCT_WATCH_SECOND_NS * 10,
	TCT_WATCH_SECOND_NS * 30, TCT_WATCH_SECOND_NS * 60,
};

static void draw(struct tct_watch_run *run)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	struct tct_watch_view view = tct_watch_view_of(run);
	struct tct_frame frame = {
		.out = &text,
		.width = run->terminal->width,
		.height = run->terminal->height,
		.color = run->page.color,
		.utf8 = run->page.utf8,
		.erase = true,
	};

	if (view.report == NULL)
		return;
	tct_watch_screen(&frame, &view);
	tct_terminal_draw(run->terminal, &text);
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

static void pause_or_go_on(struct tct_watch_run *run)
{
	if (run->paused)
		run->shown = run->newest;
	else
		*run->still = *run->history;
	run->paused = !run->paused;
}

static void press(struct tct_watch_run *run, char key)
{
	if (key == 'q') {
		run->ended = true;
		return;
	}
	if (run->help) {
		run->help = false;
		return;
	}
	switch (key) {
	case ' ':
		pause_or_go_on(run);
		break;
	case 's':
		run->sort = (run->sort + 1) % TCT_WATCH_SORTS;
		break;
	case 'r':
		run->reverse = !run->reverse;
		break;
	case '+':
	case '=': /* the same key, without shift */
		run->interval_ns = step(run->interval_ns, true);
		break;
	case '-':
		run->interval_ns = step(run->interval_ns, false);
		break;
	case 'h':
	case '?':
		run->help = true;
		break;
	default:
		break;
	}
}

bool tct_watch_wait_on_terminal(struct tct_watch_run *run)
{
	for (;;) {
		char key = 0;

		switch (tct_terminal_wait(run->terminal, run->began_ns + tct_watch_pace_ns(run),
					  &key)) {
		case TCT_TERMINAL_DEADLINE:
			return false;
		case TCT_TERMINAL_KEY:
			press(run, key);
			break;
		case TCT_TERMINAL_REDRAW:
			break;
		case TCT_TERMINAL_ENDED:
			run->ended = true;
			break;
		}
		if (run->ended) { /* at once: the look that is still to come may take its time */
			tct_terminal_close(run->terminal);
			return true;
		}
		draw(run);
	}
}

int tct_watch_run_screen(struct tct_watch_run *run, struct tct_err *err)
{
	const int64_t count = run->session->options->count;
	int code = tct_terminal_open(run->terminal, err);

	/* first a look without rates: nobody should have to wait for it */
	for (int64_t i = 0; code == 0 && !run->ended && (count == 0 || i <= count); i++) {
		code = tct_watch_look(run, i == 0, err);
		if (code == 0 && !run->ended && !run->paused)
			draw(run);
	}
	tct_terminal_close(run->terminal);
	return code;
}
