#include "tests/lab/actor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

int64_t lab_now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		lab_exit(LAB_EXIT_FAILED, "clock_gettime: %s", strerror(errno));
	return (int64_t)now.tv_sec * LAB_SECOND_NS + now.tv_nsec;
}

void lab_exit(enum lab_exit code, const char *format, ...)
{
	va_list arguments;

	(void)fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	exit((int)code);
}

void lab_ready(const char *format, ...)
{
	static bool said;
	va_list arguments;
	int printed;

	if (said)
		return;
	said = true;
	va_start(arguments, format);
	printed = vprintf(format, arguments);
	va_end(arguments);
	if (printed < 0 || putchar('\n') == EOF || fflush(stdout) == EOF)
		lab_exit(LAB_EXIT_FAILED, "stdout: %s", strerror(errno));
}

void lab_need_descriptors(unsigned sockets)
{
	const rlim_t wanted = (rlim_t)sockets + 64;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		lab_exit(LAB_EXIT_FAILED, "getrlimit: %s", strerror(errno));
	if (limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted;
	if (limit.rlim_max < wanted)
		limit.rlim_max = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		lab_exit(LAB_EXIT_REFUSED, "no room for %u descriptors: %s", sockets,
			 strerror(errno));
}

void lab_loop_init(struct lab_loop *loop, int64_t for_ns)
{
	sigset_t ends;

	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigaddset(&ends, SIGINT);
	if (sigprocmask(SIG_BLOCK, &ends, NULL) < 0)
		lab_exit(LAB_EXIT_FAILED, "sigprocmask: %s", strerror(errno));
	loop->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	loop->orders = -1;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->signals < 0 || loop->epoll < 0)
		lab_exit(LAB_EXIT_FAILED, "event loop: %s", strerror(errno));
	loop->deadline_ns = lab_now_ns() + for_ns;
	lab_loop_watch(loop, loop->signals, EPOLLIN, LAB_SIGNAL_TAG);
}

void lab_loop_watch(const struct lab_loop *loop, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event event = { .events = events, .data = { .u64 = tag } };

	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0 &&
	    (errno != EEXIST || epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event) < 0))
		lab_exit(LAB_EXIT_FAILED, "epoll_ctl: %s", strerror(errno));
}

int lab_loop_wait(const struct lab_loop *loop, struct epoll_event *events, int64_t until_ns)
{
	const int64_t end_ns = until_ns < loop->deadline_ns ? until_ns : loop->deadline_ns;
	int64_t left_ns;
	int count;

	for (;;) {
		left_ns = end_ns - lab_now_ns();
		if (left_ns < 0)
			left_ns = 0;
		count = epoll_wait(loop->epoll, events, LAB_EVENTS,
				   (int)((left_ns + 999999) / 1000000));
		if (count >= 0)
			break;
		if (errno != EINTR)
			lab_exit(LAB_EXIT_FAILED, "epoll_wait: %s", strerror(errno));
	}
	for (int i = 0; i < count; i++) {
		if (events[i].data.u64 == LAB_SIGNAL_TAG)
			return -1;
	}
	if (lab_now_ns() >= loop->deadline_ns)
		return -1;
	return count;
}

void lab_loop_rest(const struct lab_loop *loop)
{
	struct epoll_event events[LAB_EVENTS];
	struct epoll_event none = { .events = 0 };
	int count;

	while ((count = lab_loop_wait(loop, events, INT64_MAX)) >= 0) {
		/* Sockets are to be left alone from here on, however much they have to say. */
		for (int i = 0; i < count; i++)
			(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, (int)events[i].data.u64, &none);
	}
}

void lab_loop_take_orders(struct lab_loop *loop)
{
	sigset_t orders;

	(void)sigemptyset(&orders);
	(void)sigaddset(&orders, SIGUSR1);
	(void)sigaddset(&orders, SIGUSR2);
	(void)sigaddset(&orders, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &orders, NULL) < 0)
		lab_exit(LAB_EXIT_FAILED, "sigprocmask: %s", strerror(errno));
	loop->orders = signalfd(-1, &orders, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->orders < 0)
		lab_exit(LAB_EXIT_FAILED, "signalfd: %s", strerror(errno));
	lab_loop_watch(loop, loop->orders, EPOLLIN, LAB_ORDER_TAG);
}

enum lab_order lab_loop_order(const struct lab_loop *loop)
{
	struct signalfd_siginfo signal;

	if (read(loop->orders, &signal, sizeof(signal)) != (ssize_t)sizeof(signal))
		return LAB_ORDER_NONE;
	if (signal.ssi_signo == SIGHUP)
		return LAB_ORDER_PAUSE;
	return signal.ssi_signo == SIGUSR1 ? LAB_ORDER_CLOSE : LAB_ORDER_HALF_CLOSE;
}

void lab_loop_pause(const struct lab_loop *loop)
{
	struct pollfd heard[] = {
		{ .fd = loop->signals, .events = POLLIN },
		{ .fd = loop->orders, .events = POLLIN },
	};
	int64_t left_ns;

	do {
		left_ns = loop->deadline_ns - lab_now_ns();
		if (left_ns <= 0)
			return;
		if (poll(heard, 2, (int)(left_ns / 1000000) + 1) < 0 && errno != EINTR)
			lab_exit(LAB_EXIT_FAILED, "poll: %s", strerror(errno));
		/* SIGTERM stays to be read: the loop ends by it. */
		if (heard[0].revents)
			return;
	} while (!heard[1].revents || lab_loop_order(loop) != LAB_ORDER_PAUSE);
}

bool lab_obey(enum lab_order order, int fd)
{
	switch (order) {
	case LAB_ORDER_CLOSE:
		(void)close(fd);
		return true;
	case LAB_ORDER_HALF_CLOSE:
		/* One whose peer has gone meanwhile can't, and needn't. */
		(void)shutdown(fd, SHUT_WR);
		break;
	case LAB_ORDER_PAUSE:
	case LAB_ORDER_NONE:
		break;
	}
	return false;
}

bool lab_pour(int fd, int64_t *left)
{
	static const char zeros[65536];
	ssize_t sent;

	while (*left > 0) {
		sent = send(fd, zeros,
			    *left < (int64_t)sizeof(zeros) ? (size_t)*left : sizeof(zeros),
			    MSG_NOSIGNAL);
		if (sent < 0)
			return errno != EAGAIN;
		*left -= sent;
	}
	return true;
}

static void lab_set(int fd, int level, int option, const void *value, socklen_t size,
		    const char *name)
{
	if (setsockopt(fd, level, option, value, size) < 0)
		lab_exit(LAB_EXIT_FAILED, "%s: %s", name, strerror(errno));
}

int lab_socket(const struct lab_options *options)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	const int on = 1;
	const int fd = socket(options->address.ss_family,
			      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	if (fd < 0)
		lab_exit(LAB_EXIT_FAILED, "socket: %s", strerror(errno));
	if (options->keepalive)
		lab_set(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on), "SO_KEEPALIVE");
	if (options->abort)
		lab_set(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once), "SO_LINGER");
	if (options->rcvbuf_bytes)
		lab_set(fd, SOL_SOCKET, SO_RCVBUF, &options->rcvbuf_bytes,
			sizeof(options->rcvbuf_bytes), "SO_RCVBUF");
	return fd;
}

void lab_hold(const struct lab_options *options)
{
	struct lab_loop loop;

	lab_loop_init(&loop, options->for_ns);
	lab_ready("ready");
	lab_loop_rest(&loop);
}
