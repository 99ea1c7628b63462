#include "cli/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_NS = 500000000 };

/* Write over what stands in the line. */
static void show(const char *text)
{
	(void)fprintf(stderr, "\r\033[K%s", text);
	(void)fflush(stderr);
}

static void *wait_and_tell(void *context)
{
	struct tct_progress *progress = context;
	const char *shown = NULL;
	struct timespec until;
	int code = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PATIENCE_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	(void)pthread_mutex_lock(&progress->lock);
	while (!progress->ended && code == 0)
		code = pthread_cond_timedwait(&progress->wake, &progress->lock, &until);
	while (!progress->ended) {
		if (shown != progress->text) {
			shown = progress->text;
			show(shown);
		}
		(void)pthread_cond_wait(&progress->wake, &progress->lock);
	}
	(void)pthread_mutex_unlock(&progress->lock);
	if (shown != NULL)
		show("");
	return NULL;
}

void tct_progress_begin(struct tct_progress *progress, const char *text)
{
	pthread_condattr_t clock;
	sigset_t all;
	sigset_t before;

	*progress = (struct tct_progress){ .text = text };
	if (isatty(STDERR_FILENO) != 1 || pthread_condattr_init(&clock) != 0)
		return;
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&progress->lock, NULL);
	(void)pthread_cond_init(&progress->wake, &clock);
	(void)pthread_condattr_destroy(&clock);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	progress->running = pthread_create(&progress->thread, NULL, wait_and_tell, progress) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void tct_progress_change(struct tct_progress *progress, const char *text)
{
	if (!progress->running)
		return;
	(void)pthread_mutex_lock(&progress->lock);
	progress->text = text;
	(void)pthread_cond_signal(&progress->wake);
	(void)pthread_mutex_unlock(&progress->lock);
}

void tct_progress_lock(void *context, bool waiting)
{
	tct_progress_change(context,
			    waiting ? "waiting for another tcptune to end ..." : "at work ...");
}

void tct_progress_end(struct tct_progress *progress)
{
	if (!progress->running)
		return;
	(void)pthread_mutex_lock(&progress->lock);
	progress->ended = true;
	(void)pthread_cond_signal(&progress->wake);
	(void)pthread_mutex_unlock(&progress->lock);
	(void)pthread_join(progress->thread, NULL);
	(void)pthread_cond_destroy(&progress->wake);
	(void)pthread_mutex_destroy(&progress->lock);
	progress->running = false;
}
