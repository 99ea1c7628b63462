/*
 * The second apply of every profile that ships: changed is false, and there is no call in its trace
 * that writes but the one that tells so. How long it takes is printed, for people; tests/bench
 * measures it.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "tests/fault/command.h"
#include "tests/fault/trace.h"

enum { RUNS = 20 };

static json_t *output_json(void)
{
	json_error_t error;
	json_t *document = json_load_file(STAGE_OUTPUT, 0, &error);

	if (document == NULL)
		stage_fail("the output is not JSON: %s", error.text);
	return document;
}

/* Opening to write is a beginning; the lock and the journal are opened before it is known that
 * nothing is to do. */
static bool opens_to_write(const struct trace_call *call)
{
	bool creates = strstr(call->line, "O_CREAT") != NULL;

	if (strcmp(call->name, "openat") != 0 || strstr(call->line, "\"tcptune.lock\"") != NULL)
		return false;
	return creates ||
	       ((strstr(call->line, "O_WRONLY") != NULL || strstr(call->line, "O_RDWR") != NULL) &&
		strstr(call->line, "\"journal\"") == NULL);
}

static void check_trace(const char *profile)
{
	struct trace trace;

	trace_read(&trace);
	if (trace.calls_count < 100)
		stage_fail("%s: only %zu calls in the trace", profile, trace.calls_count);
	for (size_t i = 0; i < trace.calls_count; i++) {
		const struct trace_call *call = &trace.calls[i];

		if (strncmp(call->line, "write(1<", strlen("write(1<")) == 0)
			continue;
		if (call->writes || opens_to_write(call))
			stage_fail("%s: the second apply writes: %s", profile, call->line);
	}
	trace_done(&trace);
}

static int by_number(const void *a, const void *b)
{
	const double *left = a;
	const double *right = b;

	return (*left > *right) - (*left < *right);
}

/* Milliseconds. */
static double time_once(const struct stage *stage, const char *const *words)
{
	struct timespec before;
	struct timespec after;

	if (clock_gettime(CLOCK_MONOTONIC, &before) < 0)
		abort();
	if (command_run(stage, words) != 0)
		stage_fail("%s", command_text(words));
	if (clock_gettime(CLOCK_MONOTONIC, &after) < 0)
		abort();
	return (double)(after.tv_sec - before.tv_sec) * 1e3 +
	       (double)(after.tv_nsec - before.tv_nsec) / 1e6;
}

/* The median; and the fastest. */
static double time_it(const struct stage *stage, const char *const *words, double *fastest)
{
	double runs[RUNS];

	for (size_t i = 0; i < RUNS; i++)
		runs[i] = time_once(stage, words);
	qsort(runs, RUNS, sizeof(runs[0]), by_number);
	*fastest = runs[0];
	return runs[RUNS / 2];
}

static void try_profile(const struct stage *stage, const char *name)
{
	/* `bulk` asks for one. */
	bool bulk = strcmp(name, "bulk") == 0;
	const command_words words = { "apply",
				      "--profile",
				      name,
				      "--persist",
				      "--json",
				      bulk ? "--var" : NULL,
				      bulk ? "bdp=16777216" : NULL };
	json_t *document;
	json_t *changed;
	size_t settings;
	double fastest;
	double usual;

	stage_enter();
	if (command_run(stage, words) != 0)
		stage_fail("%s: the first apply", name);
	document = output_json();
	settings = json_array_size(json_object_get(document, "settings"));
	json_decref(document);
	if (command_trace(stage, words) != 0)
		stage_fail("%s: the second apply", name);
	document = output_json();
	changed = json_object_get(document, "changed");
	if (!json_is_false(changed) || !json_is_null(json_object_get(document, "transaction")))
		stage_fail("%s: the second apply changes something", name);
	json_decref(document);
	check_trace(name);
	usual = time_it(stage, words, &fastest);
	(void)printf("%-12s %2zu settings, the second time nothing, in %.1f ms (at best %.1f)\n",
		     name, settings, usual, fastest);
}

int main(void)
{
	static const command_words list = { "profile", "list", "--json" };
	struct stage stage = { 0 };
	json_t *document;
	json_t *profiles;
	json_t *profile;
	size_t i;

	stage_find(&stage);
	stage_enter();
	if (command_run(&stage, list) != 0)
		stage_fail("profile list");
	document = output_json();
	profiles = json_object_get(document, "profiles");
	if (json_array_size(profiles) < 8)
		stage_fail("only %zu profiles", json_array_size(profiles));
	json_array_foreach(profiles, i, profile)
		try_profile(&stage, json_string_value(json_object_get(profile, "name")));
	json_decref(document);
	return 0;
}
