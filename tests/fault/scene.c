#include "tests/fault/scene.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/drop_in.h"
#include "tune/journal.h"

void scene_run(const struct scene *scene, const char *const *words)
{
	int code = command_run(scene->stage, words);

	if (code != 0)
		stage_fail("%s: tcptune %s: exit %d", scene->journey->name, command_text(words),
			   code);
}

const struct state *scene_end(const struct scene *scene, enum journey_end end)
{
	switch (end) {
	case JOURNEY_OLD:
		return &scene->old;
	case JOURNEY_AWAY:
		return &scene->away;
	case JOURNEY_NEW:
		break;
	}
	return &scene->new;
}

/* An owner, a mode and a security context that tcptune must keep. */
static void mark_drop_in(void)
{
	static const char context[] = "kept";

	if (access(TCT_DROP_IN_PATH, F_OK) < 0)
		return;
	if (chown(TCT_DROP_IN_PATH, 1, 1) < 0 || chmod(TCT_DROP_IN_PATH, 0640) < 0 ||
	    (setxattr(TCT_DROP_IN_PATH, STATE_ATTRIBUTE, context, strlen(context), 0) < 0 &&
	     errno != ENOTSUP))
		stage_fail("%s: %s", TCT_DROP_IN_PATH, strerror(errno));
}

/* Kill the interrupted command at the middle one of its live writes. */
static void break_off(struct scene *scene)
{
	const struct journey *journey = scene->journey;
	struct trace trace;
	unsigned writes = 0;
	unsigned middle = 0;
	bool hit = false;

	state_restore(&scene->old);
	if (command_trace(scene->stage, journey->broken) != 0)
		stage_fail("%s: %s", journey->name, command_text(journey->broken));
	trace_read(&trace);
	for (int pass = 0; pass < 2; pass++) {
		unsigned seen = 0;

		for (size_t i = 0; i < trace.calls_count; i++) {
			const struct trace_call *call = &trace.calls[i];

			if (!trace_is(call, "write", "</proc/sys/"))
				continue;
			seen++;
			if (pass == 1 && seen == writes / 2 + 1)
				middle = call->when;
		}
		writes = seen;
	}
	trace_done(&trace);
	state_restore(&scene->old);
	if (writes < 2 || command_inject(scene->stage, journey->broken, "write", middle, NULL,
					 &hit) != COMMAND_KILLED)
		stage_fail("%s: SIGKILL at write %u", journey->name, middle);
	state_take(&scene->start);
	if (!scene->start.open || state_equal(&scene->start, &scene->old, true) ||
	    state_equal(&scene->start, &scene->new, true))
		stage_fail("%s: nothing is interrupted", journey->name);
}

/* Where a next command leads that leads neither back nor on. */
static void find_away(struct scene *scene)
{
	const struct journey *journey = scene->journey;

	for (size_t i = 0; i < JOURNEY_NEXT; i++) {
		if (journey->next[i].words[0] == NULL || journey->next[i].end != JOURNEY_AWAY)
			continue;
		scene_run(scene, journey->next[i].words);
		state_take(&scene->away);
		state_restore(&scene->start);
		return;
	}
}

/* Two transactions each. */
static void apply_and_undo(const struct scene *scene)
{
	static const command_words apply = { "apply", "--set", "net.core.somaxconn=8192",
					     "--no-persist" };
	static const command_words undo = { "rollback" };

	for (unsigned i = 0; i < scene->journey->undone; i++) {
		scene_run(scene, apply);
		scene_run(scene, undo);
	}
}

void scene_make(struct scene *scene, const struct stage *stage, const struct journey *journey)
{
	bool broken = journey->broken[0] != NULL;

	*scene = (struct scene){ .stage = stage, .journey = journey };
	apply_and_undo(scene);
	for (size_t i = 0; i < TCT_COUNT(journey->before) && journey->before[i][0] != NULL; i++)
		scene_run(scene, journey->before[i]);
	if (!journey->plain)
		mark_drop_in();
	state_take(&scene->old);
	if (journey->sleep_s > 0) {
		(void)sleep(journey->sleep_s);
		state_restore(&scene->old);
	}
	scene_run(scene, broken ? journey->broken : journey->words);
	state_take(&scene->new);
	if (state_equal(&scene->old, &scene->new, true))
		stage_fail("%s: nothing changes", journey->name);
	if (journey->undone > 0 && scene->new.transactions >= scene->old.transactions)
		stage_fail("%s: the journal isn't made shorter", journey->name);
	if (broken) {
		break_off(scene);
	} else {
		state_restore(&scene->old);
		state_take(&scene->start);
	}
	find_away(scene);
	if (command_trace(stage, journey->words) != 0)
		stage_fail("%s: tcptune %s", journey->name, command_text(journey->words));
	trace_read(&scene->trace);
}

void scene_done(struct scene *scene)
{
	/* A guard that still watches the journal sees that nothing waits any more. */
	stage_write(TCT_JOURNAL_PATH, "", 0);
	state_done(&scene->start);
	state_done(&scene->old);
	state_done(&scene->new);
	state_done(&scene->away);
	trace_done(&scene->trace);
}
