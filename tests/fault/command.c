#include "tests/fault/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"

enum { ARGUMENTS = COMMAND_WORDS + 16 };

/* A command line. Programs don't change their words, but the type of argv says they may. */
struct line {
	char *words[ARGUMENTS];
	size_t count;
};

static void add(struct line *line, const char *word)
{
	if (line->count == ARGUMENTS - 1)
		abort();
	line->words[line->count] = strdup(word);
	if (line->words[line->count++] == NULL)
		abort();
}

static void add_program(struct line *line, const struct stage *stage, const char *const *words)
{
	add(line, stage->tcptune);
	for (; *words != NULL; words++)
		add(line, *words);
}

/* With its children; but the guard of what waits for a confirmation would be waited for. */
static bool follows(const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strcmp(*words, "--confirm-within") == 0)
			return false;
	}
	return true;
}

static void line_done(struct line *line)
{
	for (size_t i = 0; i < line->count; i++)
		free(line->words[i]);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			stage_fail("waitpid: %s", strerror(errno));
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run(const struct line *line)
{
	posix_spawn_file_actions_t actions;
	pid_t pid = 0;
	int result = posix_spawn_file_actions_init(&actions);

	if (result == 0)
		result = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, STAGE_OUTPUT,
							  O_WRONLY | O_CREAT | O_TRUNC | O_APPEND,
							  0644);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
	if (result == 0)
		result = posix_spawn(&pid, line->words[0], &actions, NULL, line->words, environ);
	if (result != 0)
		stage_fail("%s: %s", line->words[0], strerror(result));
	(void)posix_spawn_file_actions_destroy(&actions);
	return wait_for(pid);
}

int command_run(const struct stage *stage, const char *const *words)
{
	TCT_AUTO(line_done) struct line line = { 0 };

	add_program(&line, stage, words);
	return run(&line);
}

int command_trace(const struct stage *stage, const char *const *words)
{
	TCT_AUTO(line_done) struct line line = { 0 };

	add(&line, stage->strace);
	add(&line, "-y");
	if (follows(words))
		add(&line, "-f");
	add(&line, "-o");
	add(&line, STAGE_TRACE);
	add_program(&line, stage, words);
	return run(&line);
}

int command_inject(const struct stage *stage, const char *const *words, const char *call,
		   unsigned when, const char *error, bool *hit)
{
	TCT_AUTO(line_done) struct line line = { 0 };
	TCT_AUTOFREE char *trace = NULL;
	char traced[80];
	char inject[160];
	const char *what = error == NULL ? "signal=KILL" : error[0] == '=' ? "retval" : "error=";
	int code;

	if (snprintf(traced, sizeof(traced), "trace=%s", call) < 0 ||
	    snprintf(inject, sizeof(inject), "inject=%s:%s%s:when=%u", call, what,
		     error != NULL ? error : "", when) < 0)
		abort();
	add(&line, stage->strace);
	if (follows(words))
		add(&line, "-f");
	/* Much faster, but a signal for a process that the filter has stopped gets lost. */
	if (follows(words) && error != NULL)
		add(&line, "--seccomp-bpf");
	add(&line, "-o");
	add(&line, STAGE_TRACE);
	add(&line, "-e");
	add(&line, traced);
	add(&line, "-e");
	add(&line, inject);
	add_program(&line, stage, words);
	code = run(&line);
	trace = stage_read(STAGE_TRACE, NULL);
	*hit = trace != NULL &&
	       strstr(trace, error != NULL ? "(INJECTED)" : "killed by SIGKILL") != NULL;
	return code;
}

const char *command_text(const char *const *words)
{
	static char text[256];
	size_t used = 0;

	text[0] = '\0';
	for (; *words != NULL && used < sizeof(text); words++) {
		int length = snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? " " : "",
				      *words);

		if (length < 0)
			abort();
		used += (size_t)length;
	}
	return text;
}
