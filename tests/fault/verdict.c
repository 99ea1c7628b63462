#include "tests/fault/verdict.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"

/* Exit codes of tcptune, as documented. */
enum { EXIT_INPUT = 2, EXIT_REFUSED = 3, EXIT_STUCK = 4, EXIT_BUSY = 5 };

/* The first ones are told with all that differs; the others only named. */
enum { EXPLAINED_MAX = 3 };

enum { BUSY_TRIES = 20, BUSY_PAUSE_US = 50000 };

void tally_add(struct tally *sum, const struct tally *tally)
{
	sum->points += tally->points;
	sum->kills += tally->kills;
	sum->at_once_old += tally->at_once_old;
	sum->at_once_new += tally->at_once_new;
	sum->at_once_between += tally->at_once_between;
	sum->old += tally->old;
	sum->new += tally->new;
	sum->mixed += tally->mixed;
	sum->missed += tally->missed;
	sum->skipped = sum->skipped || tally->skipped;
}

static void complain(const struct scene *scene, const struct point *point, struct tally *tally,
		     const char *what, const struct state *expected, const struct state *found)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	TCT_AUTOFREE char *output = NULL;

	if (tally->mixed++ < EXPLAINED_MAX) {
		output = stage_read(STAGE_OUTPUT, NULL);
		if (expected != NULL)
			state_explain(expected, found, &text);
	}
	(void)fprintf(stderr, "MIXED: %s: %s at %s %u: %s\n  %.200s\n%s%s\n", scene->journey->name,
		      point->error != NULL ? point->error : "SIGKILL", point->call->name,
		      point->call->when, what, point->call->line, tct_text_string(&text),
		      output != NULL ? output : "");
}

/* Only the report got lost: the work is done. */
static bool is_output(const struct trace_call *call)
{
	return strncmp(call->line, "write(1<", strlen("write(1<")) == 0 ||
	       strncmp(call->line, "close(1<", strlen("close(1<")) == 0;
}

/* Does what is there go with the exit code? NULL = yes. */
static const char *judge_code(const struct scene *scene, int code, const struct point *point,
			      const struct state *now)
{
	const struct journey *journey = scene->journey;
	bool broken = journey->broken[0] != NULL;
	bool done = state_equal(scene_end(scene, journey->end), now, true) && !now->open;

	if (point->error == NULL)
		return code == COMMAND_KILLED ? NULL : "it wasn't killed";
	if (code != 0 && is_output(point->call))
		return code == EXIT_INPUT && done ? NULL : "the output failed, and more than that";
	switch (code) {
	case 0:
		return done ? NULL : "exit 0, but it isn't done";
	case EXIT_STUCK:
		if (!broken)
			return "exit 4 for a single fault";
		return NULL;
	case EXIT_INPUT:
	case EXIT_REFUSED:
		/* After an interruption it may have got as far as undoing that, but not half way.
		 */
		if (state_equal(&scene->old, now, true) ||
		    (broken && state_equal(&scene->start, now, true)))
			return NULL;
		return "exit 3, but it isn't as it was before";
	default:
		return "an exit code that isn't documented";
	}
}

static void look_at_once(const struct scene *scene, const struct point *point, int code,
			 const struct state *now, struct tally *tally)
{
	const char *wrong = judge_code(scene, code, point, now);
	char what[160];

	if (state_equal(&scene->old, now, true))
		tally->at_once_old++;
	else if (state_equal(&scene->new, now, true))
		tally->at_once_new++;
	else
		tally->at_once_between++;
	if (wrong == NULL)
		return;
	if (snprintf(what, sizeof(what), "exit %d: %s", code, wrong) < 0)
		what[0] = '\0';
	complain(scene, point, tally, what,
		 code == 0 ? scene_end(scene, scene->journey->end) : &scene->old, now);
}

static bool is_possible(const struct journey_next *next, const struct state *now)
{
	return next->words[0] != NULL && (next->begun == 0 || now->newest_id >= next->begun) &&
	       (next->unbegun == 0 || now->newest_id < next->unbegun);
}

static const struct journey_next *choose_next(const struct journey *journey, unsigned number,
					      const struct state *now)
{
	const struct journey_next *possible[JOURNEY_NEXT];
	unsigned count = 0;

	for (unsigned i = 0; i < JOURNEY_NEXT; i++) {
		if (is_possible(&journey->next[i], now))
			possible[count++] = &journey->next[i];
	}
	return possible[number % count];
}

static void look_after_next(const struct scene *scene, const struct point *point,
			    const struct journey_next *next, int code, struct tally *tally)
{
	static const char *const history[COMMAND_WORDS] = { "history", "--json" };
	TCT_AUTO(state_done) struct state after = { 0 };
	const struct state *expected = scene_end(scene, next->end);
	char what[400];

	if (snprintf(what, sizeof(what), "then %s: exit %d", command_text(next->words), code) < 0)
		what[0] = '\0';
	state_take(&after);
	if (code != 0 || !state_equal(expected, &after, false) || after.open || after.torn)
		complain(scene, point, tally, what, expected, &after);
	else if (point->history && command_run(scene->stage, history) != 0)
		complain(scene, point, tally, "the journal can't be read", NULL, NULL);
	else if (next->end != JOURNEY_NEW)
		tally->old++;
	else
		tally->new ++;
}

/*
 * Killed while it makes its guard, a command may leave a child that hasn't let go of the lock yet:
 * that one is waited for, for a second. Nobody else may have it.
 */
static int run_next(const struct scene *scene, const struct point *point,
		    const struct journey_next *next)
{
	int code = command_run(scene->stage, next->words);

	for (int tries = 0; code == EXIT_BUSY && point->error == NULL && tries < BUSY_TRIES;
	     tries++) {
		(void)usleep(BUSY_PAUSE_US);
		code = command_run(scene->stage, next->words);
	}
	return code;
}

void point_try(const struct scene *scene, const struct point *point, struct tally *tally)
{
	TCT_AUTO(state_done) struct state now = { 0 };
	const struct journey_next *next;
	bool hit = false;
	int code;

	state_restore(&scene->start);
	code = command_inject(scene->stage, scene->journey->words, point->call->name,
			      point->call->when, point->error, &hit);
	if (!hit) {
		tally->missed++;
		return;
	}
	tally->points++;
	if (point->error == NULL)
		tally->kills++;
	state_take(&now);
	look_at_once(scene, point, code, &now, tally);
	next = choose_next(scene->journey, point->number, &now);
	look_after_next(scene, point, next, run_next(scene, point, next), tally);
}
