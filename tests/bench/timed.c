/*
 * timed OUTPUT COMMAND...: run it, its stdout into the file, and print "wall user system peak_kb
 * status": seconds, KiB (the largest of it and its children), exit code (128 + signal). It is
 * killed after TIMED_MOST_S. Small itself, since a process's peak begins with what it was forked
 * from. A test program: it prints and exits.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	TIMED_MOST_S = 300,
	TIMED_EXIT_USAGE = 2,
	TIMED_EXIT_NOT_RUN = 127,
	TIMED_SIGNALLED = 128,
};

static _Noreturn void timed_fail(const char *what)
{
	(void)fprintf(stderr, "timed: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static double timed_now(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		timed_fail("clock_gettime");
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double timed_seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* In the child: a group of its own, so that a pipeline can be ended as a whole. */
static _Noreturn void timed_run(int output, char **command, pid_t parent)
{
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0)
		timed_fail(command[0]);
	if (getppid() == parent)
		(void)execvp(command[0], command);
	(void)fprintf(stderr, "timed: %s: %s\n", command[0], strerror(errno));
	_exit(TIMED_EXIT_NOT_RUN);
}

/* Wait for it, or for the end of its time. */
static int timed_wait(pid_t pid, const sigset_t *child, struct rusage *usage)
{
	const struct timespec most = { .tv_sec = TIMED_MOST_S };
	int status;
	int caught;

	do {
		caught = sigtimedwait(child, NULL, &most);
	} while (caught < 0 && errno == EINTR);
	if (caught < 0)
		(void)kill(-pid, SIGKILL);
	while (wait4(pid, &status, 0, usage) < 0) {
		if (errno != EINTR)
			timed_fail("wait4");
	}
	return status;
}

int main(int argc, char **argv)
{
	const pid_t self = getpid();
	struct rusage usage;
	sigset_t child, before;
	double start;
	int output, status;
	pid_t pid;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: timed OUTPUT COMMAND...\n");
		return TIMED_EXIT_USAGE;
	}
	output = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (output < 0)
		timed_fail(argv[1]);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, &before) < 0)
		timed_fail("sigprocmask");
	start = timed_now();
	pid = fork();
	if (pid < 0)
		timed_fail("fork");
	if (pid == 0) {
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		timed_run(output, argv + 2, self);
	}
	status = timed_wait(pid, &child, &usage);
	if (printf("%.4f %.4f %.4f %ld %d\n", timed_now() - start, timed_seconds(usage.ru_utime),
		   timed_seconds(usage.ru_stime), usage.ru_maxrss,
		   WIFEXITED(status) ? WEXITSTATUS(status) : TIMED_SIGNALLED + WTERMSIG(status)) <
		    0 ||
	    fflush(stdout) == EOF)
		timed_fail("stdout");
	return EXIT_SUCCESS;
}
