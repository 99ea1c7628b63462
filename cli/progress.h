/* A word on stderr about work that takes longer than half a second; only on a terminal, and erased
 * afterwards. */
#ifndef TCT_CLI_PROGRESS_H
#define TCT_CLI_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>

struct tct_progress {
	bool running;
	bool ended; /* guarded by lock */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	const char *text; /* guarded by lock */
};

/*
 * Begin and end. text is borrowed until the end. Without a terminal, or if no thread can be had,
 * nothing is shown. The thread touches nothing but stderr; it is joined at the end, so that what
 * writes to the system never runs beside it.
 */
void tct_progress_begin(struct tct_progress *progress, const char *text);
/* Tell something else from now on; text is borrowed until the end. */
void tct_progress_change(struct tct_progress *progress, const char *text);
/* For struct tct_lock_wait: context is the progress, which is said to wait for another tcptune. */
void tct_progress_lock(void *context, bool waiting);
void tct_progress_end(struct tct_progress *progress);

#endif
