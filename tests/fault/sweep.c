/*
 * The fault sweep: commands killed, or failing, at every system call that they make after taking
 * the lock. Whatever happens, the next command leaves the old state or the new one.
 *
 *     fault_sweep [JOURNEY...]
 *
 * Tried are all calls that write, all between the journal's begin and commit record, and every
 * TCT_STEP-th of the others (1 = all, with every error). TCT_JOBS: how many stages at once.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/fault/faults.h"
#include "tests/fault/verdict.h"

enum { STEP = 29, STEP_SANITIZED = 149, JOBS_MAX = 16, JOURNEYS_MAX = 32 };
/* Each journey tries more; see the numbers that it prints. */
enum { POINTS_LEAST = 100, POINTS_LEAST_SANITIZED = 30 };

struct sweep {
	struct stage stage;
	const struct journey *chosen[JOURNEYS_MAX];
	size_t chosen_count;
	unsigned step;
	unsigned jobs;
	struct tally (*tallies)[JOURNEYS_MAX]; /* of each job; shared with the jobs */
};

/* A number of the environment. */
static unsigned number_of(const char *name, unsigned otherwise, unsigned most)
{
	const char *text = getenv(name);
	unsigned long number = text != NULL ? strtoul(text, NULL, 10) : 0;

	if (text == NULL)
		return otherwise;
	if (number < 1 || number > most)
		stage_fail("%s: 1 to %u", name, most);
	return (unsigned)number;
}

/* Which of the points of a journey are tried, and by whom. */
struct choice {
	const struct sweep *sweep;
	unsigned job;
	unsigned passed; /* calls that only look, and kinds of fault, so far */
	unsigned tried;
};

/* Between begin and commit one error of each call that only looks is enough, unless all are asked
 * for. */
static bool is_chosen(struct choice *choice, const struct trace_call *call,
		      const struct fault_row *row, unsigned error)
{
	unsigned step = choice->sweep->step;

	if (step == 1 || row->writes)
		return true;
	if (call->in_work) {
		unsigned errors = 0;

		while (errors < FAULT_ERRORS && row->errors[errors] != NULL)
			errors++;
		/* Calls come in rounds, as many as there are errors perhaps: not always the same.
		 */
		if (!choice->sweep->stage.sanitized &&
		    (error == 0 ||
		     (errors > 0 && error - 1 == (call->when + call->when / errors) % errors)))
			return true;
	}
	return choice->passed++ % step == 0;
}

/* Is it this job's? By what the call is, not by its place, so that all jobs agree. */
static bool is_mine(const struct choice *choice, const struct trace_call *call)
{
	unsigned sum = call->when;

	for (const char *c = call->name; *c != '\0'; c++)
		sum = sum * 31 + (unsigned char)*c;
	return sum % choice->sweep->jobs == choice->job;
}

/* The sanitizers' allocator ends the program where memory is short: kills only. */
static bool is_left_out(const struct sweep *sweep, const struct trace_call *call, unsigned error)
{
	return sweep->stage.sanitized && error > 0 &&
	       (strcmp(call->name, "mmap") == 0 || strcmp(call->name, "mremap") == 0 ||
		strcmp(call->name, "brk") == 0);
}

static void try_call(const struct scene *scene, struct choice *choice,
		     const struct trace_call *call, struct tally *tally)
{
	const struct fault_row *row = fault_find(call->name);

	for (unsigned error = 0; error <= FAULT_ERRORS; error++) {
		struct point point = { .call = call };
		unsigned times = 1;

		if (error > 0 && row->errors[error - 1] == NULL)
			break;
		if (is_left_out(choice->sweep, call, error))
			break;
		if (!is_chosen(choice, call, row, error) || !is_mine(choice, call))
			continue;
		point.error = error > 0 ? row->errors[error - 1] : NULL;
		/* All ways on from a killed one, if all is asked for. */
		if (choice->sweep->step == 1 && error == 0)
			times = 2;
		for (unsigned i = 0; i < times; i++) {
			point.number = choice->tried++;
			point.history = choice->sweep->step == 1 || point.number % 8 == 0;
			point_try(scene, &point, tally);
		}
	}
}

static void sweep_journey(const struct sweep *sweep, unsigned job, const struct journey *journey,
			  struct tally *tally)
{
	struct choice choice = { .sweep = sweep, .job = job };
	struct scene scene;

	if (journey->unloaded)
		stage_enter_unloaded();
	else
		stage_enter();
	scene_make(&scene, &sweep->stage, journey);
	for (size_t i = 0; i < scene.trace.calls_count; i++) {
		const struct trace_call *call = &scene.trace.calls[i];

		if (call->after_lock && !call->other)
			try_call(&scene, &choice, call, tally);
	}
	scene_done(&scene);
}

/* A process of its own for each journey, which has a stage of its own. Returns its exit code. */
static int in_process(const struct sweep *sweep, unsigned job, size_t journey)
{
	int status = 0;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid < 0)
		stage_fail("fork: %s", strerror(errno));
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			stage_fail("prctl: %s", strerror(errno));
		sweep_journey(sweep, job, sweep->chosen[journey], &sweep->tallies[job][journey]);
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		stage_fail("waitpid: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int run_job(const struct sweep *sweep, unsigned job)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < sweep->chosen_count; i++) {
		code = in_process(sweep, job, i);
		/* This one can't be staged here; others may. */
		if (code == STAGE_SKIPPED) {
			sweep->tallies[job][i].skipped = true;
			code = 0;
		}
	}
	return code;
}

static int run_jobs(const struct sweep *sweep)
{
	pid_t pids[JOBS_MAX];
	int code = 0;

	for (unsigned job = 0; job < sweep->jobs; job++) {
		pids[job] = fork();
		if (pids[job] < 0)
			stage_fail("fork: %s", strerror(errno));
		if (pids[job] == 0)
			_exit(prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? 1 : run_job(sweep, job));
	}
	for (unsigned job = 0; job < sweep->jobs; job++) {
		int status = 0;

		if (waitpid(pids[job], &status, 0) < 0 || !WIFEXITED(status))
			code = 1;
		else if (WEXITSTATUS(status) != 0)
			code = WEXITSTATUS(status);
	}
	return code;
}

static void print_tally(const char *name, const struct tally *tally)
{
	(void)printf(
		"%-20s %5u points tried (%u killed); at once: %u old, %u new, %u between; after the next command: "
		"old: %u, new: %u, mixed: %u\n",
		name, tally->points, tally->kills, tally->at_once_old, tally->at_once_new,
		tally->at_once_between, tally->old, tally->new, tally->mixed);
}

/* Returns the exit code. */
static int report(const struct sweep *sweep)
{
	unsigned least = sweep->stage.sanitized ? POINTS_LEAST_SANITIZED : POINTS_LEAST;
	struct tally all = { 0 };
	size_t skipped = 0;
	int code = 0;

	for (size_t i = 0; i < sweep->chosen_count; i++) {
		struct tally sum = { 0 };

		for (unsigned job = 0; job < sweep->jobs; job++)
			tally_add(&sum, &sweep->tallies[job][i]);
		if (sum.skipped) {
			(void)printf("%-20s SKIPPED\n", sweep->chosen[i]->name);
			skipped++;
			continue;
		}
		print_tally(sweep->chosen[i]->name, &sum);
		/* A sweep that no longer finds its points must not pass. */
		if (sum.points < least || sum.kills == 0 || sum.missed * 50 > sum.points) {
			(void)printf("FAILED: %s: too few points: %u tried, %u missed\n",
				     sweep->chosen[i]->name, sum.points, sum.missed);
			code = 1;
		}
		tally_add(&all, &sum);
	}
	if (sweep->chosen_count > 1)
		print_tally("in total", &all);
	if (skipped == sweep->chosen_count)
		return STAGE_SKIPPED;
	return all.mixed > 0 ? 1 : code;
}

static void choose(struct sweep *sweep, char *const *names)
{
	for (; *names != NULL && sweep->chosen_count < JOURNEYS_MAX; names++) {
		const struct journey *journey = journey_find(*names);

		if (journey == NULL)
			stage_fail("there is no journey %s", *names);
		sweep->chosen[sweep->chosen_count++] = journey;
	}
	for (size_t i = 0; sweep->chosen_count == i && journeys[i].name != NULL; i++)
		sweep->chosen[sweep->chosen_count++] = &journeys[i];
}

int main(int argc, char **argv)
{
	struct sweep sweep = { 0 };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int code;

	stage_find(&sweep.stage);
	choose(&sweep, argc > 0 ? argv + 1 : argv);
	sweep.step = number_of("TCT_STEP", sweep.stage.sanitized ? STEP_SANITIZED : STEP, 1000000);
	sweep.jobs = number_of(
		"TCT_JOBS",
		argc > 1 || processors < 2 ? 1 : (unsigned)(processors < 8 ? processors : 8),
		JOBS_MAX);
	sweep.tallies = mmap(NULL, sizeof(*sweep.tallies) * JOBS_MAX, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sweep.tallies == MAP_FAILED)
		stage_fail("mmap: %s", strerror(errno));
	code = run_jobs(&sweep);
	return code != 0 ? code : report(&sweep);
}
