/* A journey made ready: its states, known from undisturbed runs, and the calls of its command. */
#ifndef TCT_TESTS_FAULT_SCENE_H
#define TCT_TESTS_FAULT_SCENE_H

#include "tests/fault/journeys.h"
#include "tests/fault/state.h"
#include "tests/fault/trace.h"

struct scene {
	const struct stage *stage;
	const struct journey *journey;
	struct state start; /* where the command begins: the old state, or between */
	struct state old;
	struct state new;
	struct state away;  /* if the journey has such an end */
	struct trace trace; /* of the command, from start */
};

/* Play the journey once, in a fresh stage. Whatever goes wrong ends the process. */
void scene_make(struct scene *scene, const struct stage *stage, const struct journey *journey);
void scene_done(struct scene *scene);

/* The state where this end is. */
const struct state *scene_end(const struct scene *scene, enum journey_end end);

/* Run it; the exit code must be 0. */
void scene_run(const struct scene *scene, const char *const *words);

#endif
