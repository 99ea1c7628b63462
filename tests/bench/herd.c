/* The process that keeps the herd together. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/bench/herd.h"

enum {
	HERD_MOST_PROCESSES = 8192,
	HERD_MOST_DESCRIPTORS = 20000, /* in one process: larger ones take longer to end */
	HERD_LEAST_DESCRIPTORS = 320,
};

struct herd {
	struct herd_options options;
	struct herd_stage stage;
	struct lab_loop loop;
	int listeners[HERD_MOST_LISTENERS];
	int progress[2];
	pid_t *pids; /* [HERD_MOST_PROCESSES] */
	unsigned pid_count;
	unsigned per_process;
};

/* As many descriptors per process as we may have without asking for more. */
static unsigned herd_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		lab_exit(LAB_EXIT_FAILED, "getrlimit: %s", strerror(errno));
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		lab_exit(LAB_EXIT_FAILED, "setrlimit: %s", strerror(errno));
	if (limit.rlim_max < HERD_LEAST_DESCRIPTORS)
		lab_exit(LAB_EXIT_REFUSED, "a process may have no more than %u descriptors",
			 (unsigned)limit.rlim_max);
	if (limit.rlim_max > HERD_MOST_DESCRIPTORS)
		limit.rlim_max = HERD_MOST_DESCRIPTORS;
	return (unsigned)limit.rlim_max - HERD_SPARE_DESCRIPTORS;
}

static void herd_listen(struct herd *herd)
{
	const struct linger reset = { .l_onoff = 1 };
	const int on = 1;
	struct sockaddr_in address;
	int fd;

	herd_enter(herd->stage.server);
	for (unsigned i = 0; i < herd->options.listeners; i++) {
		address = herd_listener_address(&herd->options, i);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
		if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
			lab_exit(LAB_EXIT_FAILED, "socket: %s", strerror(errno));
		/* What is accepted inherits both. */
		if (herd->options.kind != HERD_TIME_WAIT &&
		    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
			lab_exit(LAB_EXIT_FAILED, "SO_LINGER: %s", strerror(errno));
		if (herd->options.keepalive && herd->options.kind != HERD_PROXY &&
		    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0)
			lab_exit(LAB_EXIT_FAILED, "SO_KEEPALIVE: %s", strerror(errno));
		if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		    listen(fd, HERD_MOST_CONNECTIONS) < 0)
			lab_exit(LAB_EXIT_FAILED, "listen: %s", strerror(errno));
		herd->listeners[i] = fd;
	}
	herd_enter(herd->stage.looked_at);
}

static void herd_start(struct herd *herd, void (*work)(const struct herd_part *part),
		       const struct herd_part *part)
{
	const pid_t parent = getpid();
	sigset_t none;
	pid_t pid;

	if (herd->pid_count == HERD_MOST_PROCESSES)
		lab_exit(LAB_EXIT_REFUSED, "more than %d processes", HERD_MOST_PROCESSES);
	pid = fork();
	if (pid < 0)
		lab_exit(LAB_EXIT_REFUSED, "fork: %s", strerror(errno));
	if (pid > 0) {
		herd->pids[herd->pid_count++] = pid;
		return;
	}
	(void)sigemptyset(&none);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		lab_exit(LAB_EXIT_FAILED, "prctl: %s", strerror(errno));
	if (getppid() == parent)
		work(part);
	_exit(LAB_EXIT_FAILED);
}

/* Start as many processes as `total` needs, with an even part each; if numbered, each has its own
 * `first`. */
static void herd_start_all(struct herd *herd, void (*work)(const struct herd_part *part),
			   struct herd_part part, unsigned total, bool numbered)
{
	part.processes = (total + herd->per_process - 1) / herd->per_process;
	for (unsigned i = 0; i < part.processes; i++) {
		part.count = total / part.processes + (i < total % part.processes);
		herd_start(herd, work, &part);
		if (numbered)
			part.first += part.count;
	}
}

static void herd_start_parts(struct herd *herd)
{
	const struct herd_options *options = &herd->options;
	struct herd_part part = { .options = options,
				  .stage = &herd->stage,
				  .listeners = herd->listeners,
				  .progress = herd->progress[1],
				  .processes = 1 };

	if (options->kind == HERD_TIME_WAIT) {
		part.count = options->count;
		herd_start(herd, herd_time_wait, &part);
		return;
	}
	for (part.first = 0; part.first < options->listeners; part.first++)
		herd_start_all(herd, herd_accept, part,
			       (options->count - part.first + options->listeners - 1) /
				       options->listeners,
			       false);
	part.first = 0;
	herd_start_all(herd, herd_connect, part, options->count, true);
}

static void herd_end(struct herd *herd)
{
	for (unsigned i = 0; i < herd->pid_count; i++)
		(void)kill(herd->pids[i], SIGKILL);
	for (unsigned i = 0; i < herd->pid_count; i++)
		(void)waitpid(herd->pids[i], NULL, 0);
}

static void herd_check_parts(struct herd *herd)
{
	const pid_t gone = waitpid(-1, NULL, WNOHANG);

	if (gone == 0)
		return;
	for (unsigned i = 0; i < herd->pid_count; i++) {
		if (herd->pids[i] == gone)
			herd->pids[i] = herd->pids[--herd->pid_count];
	}
	herd_end(herd);
	lab_exit(LAB_EXIT_FAILED, "a process of the herd is gone");
}

/* Wait until the parts say that all connections are there, at both ends. False: it is time to end.
 */
static bool herd_await(struct herd *herd)
{
	const uint64_t wanted =
		(uint64_t)herd->options.count * (herd->options.kind == HERD_TIME_WAIT ? 1 : 2);
	struct lab_loop *loop = &herd->loop;
	struct epoll_event events[LAB_EVENTS];
	uint64_t made = 0;
	unsigned part;
	int count;

	lab_loop_watch(loop, herd->progress[0], EPOLLIN, (uint64_t)herd->progress[0]);
	while (made < wanted) {
		count = lab_loop_wait(loop, events, lab_now_ns() + LAB_SECOND_NS / 4);
		if (count < 0)
			return false;
		if (count > 0) {
			if (read(herd->progress[0], &part, sizeof(part)) != sizeof(part))
				lab_exit(LAB_EXIT_FAILED, "progress: %s", strerror(errno));
			made += part;
		}
		herd_check_parts(herd);
	}
	return true;
}

/* The kernel must count what we think we made. TIME_WAIT may have begun to end. */
static void herd_verify(struct herd *herd, struct herd_census *census)
{
	const unsigned ends = herd->options.kind == HERD_BOTH ? 2 : 1;
	const unsigned listeners = herd->options.kind == HERD_PROXY ? 0 : herd->options.listeners;

	herd_take_census(census);
	if (herd->options.kind == HERD_TIME_WAIT
		    ? census->time_wait < herd->options.count / 10 * 9
		    : census->in_use != herd->options.count * ends + listeners) {
		herd_end(herd);
		lab_exit(LAB_EXIT_FAILED, "the kernel counts inuse %u tw %u", census->in_use,
			 census->time_wait);
	}
}

int main(int argc, char **argv)
{
	struct herd herd = { .pid_count = 0 };
	const int64_t start_ns = lab_now_ns();
	const pid_t parent = getppid();
	TCT_AUTOFREE pid_t *pids = calloc(HERD_MOST_PROCESSES, sizeof(*pids));
	struct epoll_event events[LAB_EVENTS];
	struct herd_census census;

	if (!pids)
		lab_exit(LAB_EXIT_FAILED, "out of memory");
	herd.pids = pids;
	herd_parse(argc, argv, &herd.options);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		lab_exit(LAB_EXIT_FAILED, "prctl: %s", strerror(errno));
	if (getppid() != parent)
		return LAB_EXIT_FAILED;
	herd.per_process = herd_descriptors();
	herd_stage_init(&herd.stage, &herd.options);
	herd_listen(&herd);
	if (pipe2(herd.progress, O_CLOEXEC) < 0)
		lab_exit(LAB_EXIT_FAILED, "pipe: %s", strerror(errno));
	lab_loop_init(&herd.loop, herd.options.for_ns);
	herd_start_parts(&herd);
	if (!herd_await(&herd)) {
		herd_end(&herd);
		lab_exit(LAB_EXIT_FAILED, "not all connections came about in time");
	}
	herd_verify(&herd, &census);
	lab_ready("ready pid=%d netns=/proc/%d/ns/net inuse=%u tw=%u listeners=%u port=%u "
		  "processes=%u seconds=%.1f",
		  (int)getpid(), (int)getpid(), census.in_use, census.time_wait,
		  herd.options.kind == HERD_PROXY ? 0 : herd.options.listeners, herd.options.port,
		  herd.pid_count, (double)(lab_now_ns() - start_ns) / (double)LAB_SECOND_NS);
	while (lab_loop_wait(&herd.loop, events, lab_now_ns() + LAB_SECOND_NS) >= 0)
		herd_check_parts(&herd);
	herd_end(&herd);
	return EXIT_SUCCESS;
}
