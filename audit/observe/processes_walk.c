#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "audit/observe/processes.h"
#include "audit/observe/processes_private.h"
#include "core/clock.h"
#include "core/mem.h"

/*
 * Threads, because nearly all of the time is the kernel's look-up of one name, which two
 * processors do side by side: 102,000 descriptors took 0.50 s with one, 0.29 s with two, for the
 * same processor time (5 us each). They start only when there is much to do; more than four would
 * be unkind to a busy host.
 */
enum {
	THREADS_MAX = 4,
	STACK_BYTES = 128 << 10,
	MUCH = 4096, /* descriptors, about 20 ms */
};

/* A process, from a place on. */
struct share {
	int64_t next;
	int32_t pid; /* 0 = nothing */
};

struct walk {
	struct tct_proc proc;
	const int32_t *pids;
	size_t count;
	int (*visit)(void *context, int32_t pid, uint32_t inode);
	void *context;
	struct tct_search *search;

	pthread_mutex_t lock;   /* for all below, the search and the visitor */
	pthread_cond_t changed; /* rests or reading did */
	size_t next;            /* pids begun */
	/*
	 * What each worker left of the process that it began; it goes on there unless another took
	 * it, who had nothing else: two in one process wait for each other in the kernel.
	 */
	struct share rests[THREADS_MAX];
	unsigned reading; /* workers that may still leave one */
	int result;       /* 1: the visitor has enough, or -errno */
};

struct worker {
	struct walk *walk;
	struct share *rest; /* its own */
	struct share share;
	size_t batch_count;
	uint32_t batch[TCT_DESCRIPTORS_MOST];
	struct tct_descriptors piece;
};

/* What to do next: its own rest, a process that nobody began, another's rest. */
static bool choose_share(struct walk *walk, struct worker *worker)
{
	struct share *rest = worker->rest;

	if (rest->pid == 0 && walk->next < walk->count) {
		worker->share = (struct share){ .pid = walk->pids[walk->next++] };
		return true;
	}
	for (size_t i = 0; i < TCT_COUNT(walk->rests) && rest->pid == 0; i++)
		rest = walk->rests[i].pid != 0 ? &walk->rests[i] : rest;
	worker->share = *rest;
	rest->pid = 0;
	return worker->share.pid != 0;
}

/* Wait for something to do; false at the end. */
static bool take_share(struct worker *worker)
{
	struct walk *walk = worker->walk;
	bool taken = false;

	(void)pthread_mutex_lock(&walk->lock);
	while (walk->result == 0 && !(taken = choose_share(walk, worker)) && walk->reading > 0)
		(void)pthread_cond_wait(&walk->changed, &walk->lock);
	walk->reading += taken;
	(void)pthread_mutex_unlock(&walk->lock);
	return taken;
}

/* The names are read, so another worker may go on behind them. */
static void leave_rest(struct worker *worker, int result)
{
	struct walk *walk = worker->walk;

	(void)pthread_mutex_lock(&walk->lock);
	if (result == 0 && !worker->piece.last)
		*worker->rest = (struct share){
			.pid = worker->share.pid,
			.next = worker->piece.next,
		};
	if (tct_processes_is_refusal(result))
		walk->search->not_permitted = true;
	else if (result < 0 && !tct_processes_is_ordinary(result) && walk->result == 0)
		walk->result = result;
	walk->reading--;
	(void)pthread_cond_broadcast(&walk->changed);
	(void)pthread_mutex_unlock(&walk->lock);
}

static void tell(struct worker *worker, size_t looked_at, bool refused)
{
	struct walk *walk = worker->walk;

	(void)pthread_mutex_lock(&walk->lock);
	walk->search->looked_at += (int64_t)looked_at;
	if (refused)
		walk->search->not_permitted = true;
	for (size_t i = 0; i < worker->batch_count && walk->result == 0; i++) {
		walk->search->found++;
		walk->result = walk->visit(walk->context, worker->share.pid, worker->batch[i]);
	}
	(void)pthread_mutex_unlock(&walk->lock);
}

/* Look at one piece of a process. Returns the number of descriptors. */
static size_t do_share(struct worker *worker)
{
	const int result =
		tct_descriptors_read(&worker->piece, &worker->walk->proc, worker->share.pid,
				     worker->share.next, TCT_DESCRIPTORS_MANY);
	enum tct_descriptor kind = TCT_DESCRIPTOR_OTHER;
	size_t looked_at = 0;

	leave_rest(worker, result);
	if (result < 0)
		return 0;
	worker->batch_count = 0;
	while (kind != TCT_DESCRIPTOR_REFUSED && worker->batch_count < TCT_DESCRIPTORS_MOST) {
		kind = tct_descriptors_next(&worker->piece, &worker->batch[worker->batch_count]);
		if (kind == TCT_DESCRIPTOR_END)
			break;
		if (kind == TCT_DESCRIPTOR_SOCKET)
			worker->batch_count++;
		looked_at++;
	}
	tct_descriptors_done(&worker->piece);
	tell(worker, looked_at, kind == TCT_DESCRIPTOR_REFUSED);
	return looked_at;
}

static void *help(void *argument)
{
	struct worker *worker = argument;

	while (take_share(worker))
		(void)do_share(worker);
	return NULL;
}

static size_t processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

/* Start the other workers, as many as there can be. */
static size_t start_helpers(struct worker *workers, size_t max, pthread_t *threads)
{
	pthread_attr_t attributes;
	size_t started = 0;
	sigset_t all;
	sigset_t before;

	if (max == 0 || pthread_attr_init(&attributes) != 0)
		return 0;
	/* Signals stay with the thread that called. */
	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) == 0) {
		(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
		while (started < max &&
		       pthread_create(&threads[started], &attributes, help, &workers[started]) == 0)
			started++;
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	(void)pthread_attr_destroy(&attributes);
	return started;
}

/* Work, and get help when there turns out to be much. */
static int work(struct walk *walk)
{
	TCT_AUTOFREE struct worker *workers = calloc(THREADS_MAX, sizeof(*workers));
	pthread_t threads[THREADS_MAX - 1];
	const size_t useful = processors();
	size_t helpers = 0;
	size_t looked_at = 0;
	bool alone = true;

	if (workers == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < THREADS_MAX; i++) {
		workers[i].walk = walk;
		workers[i].rest = &walk->rests[i];
	}
	while (take_share(&workers[0])) {
		looked_at += do_share(&workers[0]);
		if (alone && looked_at >= MUCH) {
			alone = false;
			helpers = start_helpers(&workers[1],
						(useful < THREADS_MAX ? useful : THREADS_MAX) - 1,
						threads);
		}
	}
	for (size_t i = 0; i < helpers; i++)
		(void)pthread_join(threads[i], NULL);
	return walk->result;
}

int tct_processes_walk(const struct tct_root *root, const int32_t *only, size_t count,
		       int (*visit)(void *context, int32_t pid, uint32_t inode), void *context,
		       struct tct_search *search)
{
	const int64_t start_ns = tct_now_ns();
	TCT_AUTOFREE int32_t *pids = NULL;
	struct walk walk = {
		.pids = only,
		.count = count,
		.visit = visit,
		.context = context,
		.search = search,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	int result;

	*search = (struct tct_search){ 0 };
	result = tct_proc_open(&walk.proc, root);
	if (result < 0)
		return result;
	if (only == NULL) {
		result = tct_proc_list(&walk.proc, &pids, &walk.count, &search->not_permitted);
		walk.pids = pids;
	}
	if (result == 0)
		result = work(&walk);
	tct_proc_done(&walk.proc);
	search->complete = result == 0 && !search->not_permitted;
	search->elapsed_ns = tct_now_ns() - start_ns;
	return result < 0 ? result : 0;
}
