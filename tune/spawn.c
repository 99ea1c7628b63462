/* Running a program that must not hold anything of ours: neither the lock nor the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/file_io.h"
#include "tune/guard.h"
#include "tune/waiting.h"

enum {
	NO_EXEC = 1, /* the byte before the errno of a program that can't be run */
	FDS_MAX = 65536,
};

/* Between fork and exec: only what is allowed there, for there may be another thread. */

static void close_others(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		return;
#endif
	for (int fd = 3; fd < FDS_MAX; fd++)
		(void)close(fd);
}

/* As a program expects them; SIGHUP alone stays away, for our terminal may be closed any time. */
static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++) {
		if (signal != SIGKILL && signal != SIGSTOP)
			(void)sigaction(signal, &action, NULL);
	}
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGHUP, &action, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Nothing of ours stays with it: `told` becomes its output, the rest is closed. */
static bool let_go(int told)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (nothing < 0 || dup2(nothing, 0) != 0 || dup2(told, 1) != 1 || dup2(told, 2) != 2 ||
	    chdir("/") < 0)
		return false;
	close_others();
	return true;
}

__attribute__((noreturn)) static void fail(int told, int code)
{
	char failure[1 + sizeof(int)] = { NO_EXEC };

	memcpy(failure + 1, &code, sizeof(code));
	(void)!write(told, failure, sizeof(failure));
	_exit(127);
}

__attribute__((noreturn)) static void become(const struct tct_spawn *spawn)
{
	char *const *argv;

	/* execve() doesn't say that it leaves them as they are. */
	memcpy(&argv, &spawn->argv, sizeof(argv));
	reset_signals();
	(void)execve(spawn->path, argv, environ);
	fail(STDOUT_FILENO, errno);
}

/*
 * The lock goes first: once this child is waited for, nobody has it but its owner. In the
 * background, the session's leader ends at once, so that no terminal can become the program's.
 */
__attribute__((noreturn)) static void be_child(const struct tct_spawn *spawn, int told)
{
	pid_t pid = 0;

	if (!let_go(told))
		fail(told, errno);
	if (spawn->ready != NULL)
		pid = setsid() < 0 ? -1 : fork();
	if (pid < 0)
		fail(STDOUT_FILENO, errno);
	if (pid > 0)
		_exit(0);
	become(spawn);
}

/* End of what is allowed. */

static bool is_ready(const struct tct_spawn *spawn)
{
	return spawn->ready != NULL &&
	       strncmp(spawn->said, spawn->ready, strlen(spawn->ready)) == 0 &&
	       strchr(spawn->said, '\n') != NULL;
}

/* Until it is ready (1) or nobody writes any more (0). -errno; -ETIMEDOUT. */
static int listen_to(struct tct_spawn *spawn, int told)
{
	int64_t end_ns = tct_boottime_ns() + (int64_t)spawn->timeout_ms * 1000000;
	size_t used = 0;

	for (;;) {
		struct pollfd poll_fd = { .fd = told, .events = POLLIN };
		int64_t left_ns = end_ns - tct_boottime_ns();
		char more[256];
		ssize_t got;

		if (left_ns <= 0)
			return -ETIMEDOUT;
		if (poll(&poll_fd, 1, (int)(left_ns / 1000000) + 1) < 0 && errno != EINTR)
			return -errno;
		if (poll_fd.revents == 0)
			continue;
		got = read(told, more, sizeof(more));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		if ((size_t)got > sizeof(spawn->said) - 1 - used)
			got = (ssize_t)(sizeof(spawn->said) - 1 - used);
		memcpy(spawn->said + used, more, (size_t)got);
		used += (size_t)got;
		if (is_ready(spawn))
			return 1;
	}
}

/* Its exit status; -1: not known. */
static int reap(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return status;
}

/* What it came to, from what was heard, and the exit status of a program that was waited for. */
static int judge(const struct tct_spawn *spawn, int heard, int status)
{
	int code;

	if (spawn->said[0] == NO_EXEC) {
		memcpy(&code, spawn->said + 1, sizeof(code));
		return -code;
	}
	if (heard < 0)
		return heard;
	if (spawn->ready != NULL)
		return heard == 1 ? 0 : -ECHILD;
	return status == 0 ? 0 : -ECHILD;
}

int tct_spawn(struct tct_spawn *spawn)
{
	int ends[2];
	int heard;
	int status = 0;
	pid_t pid;

	memset(spawn->said, 0, sizeof(spawn->said));
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;

	TCT_AUTOCLOSE int told = ends[0];

	pid = fork();
	if (pid == 0)
		be_child(spawn, ends[1]);

	int code = errno;

	(void)close(ends[1]);
	if (pid < 0)
		return -code;
	if (spawn->ready != NULL)
		(void)reap(pid);
	heard = listen_to(spawn, told);
	if (spawn->ready == NULL) {
		if (heard < 0)
			(void)kill(pid, SIGKILL);
		status = reap(pid);
	}
	return judge(spawn, heard, status);
}
