/* Running tcptune on the stage, by itself or under strace. */
#ifndef TCT_TESTS_FAULT_COMMAND_H
#define TCT_TESTS_FAULT_COMMAND_H

#include "tests/fault/stage.h"

enum { COMMAND_WORDS = 12, COMMAND_KILLED = 137 };

/* The words after "tcptune", NULL at the end. */
typedef const char *command_words[COMMAND_WORDS];

/* Run it. Returns the exit code, 128 + the signal if one ended it. What it prints is in
 * STAGE_OUTPUT. */
int command_run(const struct stage *stage, const char *const *words);

/* Run it and trace every call, with paths, into STAGE_TRACE. The same result. */
int command_trace(const struct stage *stage, const char *const *words);

/*
 * Run it, and let its `when`-th call of this name fail with `error` ("EIO", or "=0" for a result),
 * or be killed there (NULL), the call not made. *hit: it came so far.
 */
int command_inject(const struct stage *stage, const char *const *words, const char *call,
		   unsigned when, const char *error, bool *hit);

/* For people: "apply --profile first". Static until the next call. */
const char *command_text(const char *const *words);

#endif
