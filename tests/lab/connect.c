#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/lab/actor.h"

/* The kernel picks the port at connect(), per destination, not at bind(). */
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { LAB_MOST_IN_FLIGHT = 2048 };

/* Open a socket and send its SYN; `number` chooses the source address. -1 = failed at once, errno
 * is set. */
static int lab_start(const struct lab_options *options, unsigned number)
{
	const uint32_t first = ntohl(options->from_first.s_addr);
	const uint32_t last = ntohl(options->from_last.s_addr);
	struct sockaddr_in from = { .sin_family = AF_INET };
	const int on = 1;
	int fd = lab_socket(options);
	int error;

	if (first) {
		from.sin_addr.s_addr = htonl(first + number % (last - first + 1));
		if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
		    bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
			lab_exit(LAB_EXIT_FAILED, "--from: %s", strerror(errno));
	}
	if (connect(fd, (const struct sockaddr *)&options->address, options->address_size) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

static int lab_socket_error(int fd)
{
	socklen_t size = sizeof(int);
	int error = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

/* Wait until all are connected; false when it is time to end first. */
static bool lab_await_connected(const struct lab_loop *loop, unsigned count)
{
	struct epoll_event events[LAB_EVENTS];
	struct epoll_event none = { .events = 0 };
	unsigned connected = 0;
	int got, error;

	while (connected < count) {
		got = lab_loop_wait(loop, events, INT64_MAX);
		if (got < 0)
			return false;
		for (int i = 0; i < got; i++) {
			error = lab_socket_error((int)events[i].data.u64);
			if (error)
				lab_exit(LAB_EXIT_FAILED, "connection %u of %u: %s", connected + 1,
					 count, strerror(error));
			(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, (int)events[i].data.u64, &none);
			connected++;
		}
	}
	return true;
}

/* Send what is to be sent, do as ordered, until the end. */
static void lab_keep(const struct lab_options *options, struct lab_loop *loop, int *fds)
{
	TCT_AUTOFREE int64_t *unsent = calloc(options->count, sizeof(*unsent));
	struct epoll_event events[LAB_EVENTS];
	struct epoll_event none = { .events = 0 };
	enum lab_order order;
	int got;

	if (!unsent)
		lab_exit(LAB_EXIT_FAILED, "out of memory");
	for (unsigned i = 0; i < options->count; i++) {
		unsent[i] = options->send_bytes;
		if (fds[i] >= 0 && !lab_pour(fds[i], &unsent[i]))
			lab_loop_watch(loop, fds[i], EPOLLOUT, i);
	}
	while ((got = lab_loop_wait(loop, events, INT64_MAX)) >= 0) {
		for (int i = 0; i < got; i++) {
			const uint64_t tag = events[i].data.u64;

			if (tag != LAB_ORDER_TAG) {
				if (fds[tag] >= 0 && lab_pour(fds[tag], &unsent[tag]))
					(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fds[tag],
							&none);
				continue;
			}
			order = lab_loop_order(loop);
			for (unsigned k = 0; k < options->count; k++) {
				if (fds[k] >= 0 && lab_obey(order, fds[k]))
					fds[k] = -1;
			}
		}
	}
}

void lab_connect(const struct lab_options *options)
{
	struct epoll_event events[LAB_EVENTS];
	TCT_AUTOFREE int *fds = NULL;
	struct lab_loop loop;

	if (options->rate) {
		lab_churn(options);
		return;
	}
	lab_need_descriptors(options->count);
	lab_loop_init(&loop, options->for_ns);
	fds = calloc(options->count, sizeof(*fds));
	if (!fds)
		lab_exit(LAB_EXIT_FAILED, "out of memory");
	for (unsigned i = 0; i < options->count; i++) {
		fds[i] = lab_start(options, i);
		if (fds[i] < 0)
			lab_exit(LAB_EXIT_FAILED, "connection %u of %u: %s", i + 1, options->count,
				 strerror(errno));
		if (!options->nonblocking)
			lab_loop_watch(&loop, fds[i], EPOLLOUT, (uint64_t)fds[i]);
	}
	if (!options->nonblocking && !lab_await_connected(&loop, options->count))
		lab_exit(LAB_EXIT_FAILED, "not all of %u connections came about", options->count);
	if (options->close_after_ns >= 0) {
		if (lab_loop_wait(&loop, events, lab_now_ns() + options->close_after_ns) < 0)
			return;
		for (unsigned i = 0; i < options->count; i++) {
			(void)close(fds[i]);
			fds[i] = -1;
		}
	}
	lab_loop_take_orders(&loop);
	lab_ready("ready count=%u", options->count);
	if (options->talk)
		lab_talk(options, &loop, fds);
	else
		lab_keep(options, &loop, fds);
}

/* --- churn: short connections at a steady rate --- */

enum lab_phase {
	LAB_FREE = 0,
	LAB_CONNECTING,
	LAB_TALKING, /* waits for its bytes to come back, or for the peer's FIN */
};

struct lab_visit {
	int fd;
	enum lab_phase phase;
	unsigned received;
};

struct lab_churn {
	const struct lab_options *options;
	struct lab_loop loop;
	struct lab_visit *visits; /* [LAB_MOST_IN_FLIGHT] */
	unsigned free[LAB_MOST_IN_FLIGHT];
	unsigned free_count;
	unsigned opened, completed, failed, skipped;
};

static void lab_visit_end(struct lab_churn *churn, struct lab_visit *visit, bool good)
{
	(void)close(visit->fd);
	*visit = (struct lab_visit){ .fd = -1 };
	churn->free[churn->free_count++] = (unsigned)(visit - churn->visits);
	if (good)
		churn->completed++;
	else
		churn->failed++;
}

static void lab_visit_begin(struct lab_churn *churn)
{
	const unsigned number = churn->opened + churn->skipped;
	unsigned slot;
	int fd;

	if (!churn->free_count) {
		churn->skipped++;
		return;
	}
	fd = lab_start(churn->options, number);
	churn->opened++;
	if (fd < 0) {
		churn->failed++;
		return;
	}
	slot = churn->free[--churn->free_count];
	churn->visits[slot] = (struct lab_visit){ .fd = fd, .phase = LAB_CONNECTING };
	lab_loop_watch(&churn->loop, fd, EPOLLOUT, slot);
}

static void lab_visit_connected(struct lab_churn *churn, struct lab_visit *visit)
{
	static const char payload[4096];

	if (lab_socket_error(visit->fd) != 0) {
		lab_visit_end(churn, visit, false);
		return;
	}
	if (!churn->options->exchange && !churn->options->peer_closes) {
		lab_visit_end(churn, visit, true);
		return;
	}
	if (churn->options->exchange && send(visit->fd, payload, churn->options->exchange,
					     MSG_NOSIGNAL) != (ssize_t)churn->options->exchange) {
		lab_visit_end(churn, visit, false);
		return;
	}
	visit->phase = LAB_TALKING;
	lab_loop_watch(&churn->loop, visit->fd, EPOLLIN, (uint64_t)(visit - churn->visits));
}

static void lab_visit_heard(struct lab_churn *churn, struct lab_visit *visit)
{
	char data[4096];
	const ssize_t got = recv(visit->fd, data, sizeof(data), 0);

	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			lab_visit_end(churn, visit, false);
		return;
	}
	visit->received += (unsigned)got;
	if (churn->options->peer_closes) {
		if (got == 0)
			lab_visit_end(churn, visit, visit->received >= churn->options->exchange);
	} else if (got == 0 || visit->received >= churn->options->exchange) {
		lab_visit_end(churn, visit, got != 0);
	}
}

static void lab_churn_event(struct lab_churn *churn, const struct epoll_event *event)
{
	struct lab_visit *visit = &churn->visits[event->data.u64];

	switch (visit->phase) {
	case LAB_CONNECTING:
		lab_visit_connected(churn, visit);
		break;
	case LAB_TALKING:
		lab_visit_heard(churn, visit);
		break;
	case LAB_FREE:
		break;
	}
}

static bool lab_churn_open_more(const struct lab_churn *churn)
{
	return !churn->options->count || churn->opened < churn->options->count;
}

void lab_churn(const struct lab_options *options)
{
	const unsigned burst = options->burst ? options->burst : 1;
	const int64_t step_ns = LAB_SECOND_NS * burst / options->rate;
	struct lab_churn churn = { .options = options, .free_count = LAB_MOST_IN_FLIGHT };
	TCT_AUTOFREE struct lab_visit *visits = calloc(LAB_MOST_IN_FLIGHT, sizeof(*visits));
	struct epoll_event events[LAB_EVENTS];
	int64_t next_ns;
	int count;

	if (!visits)
		lab_exit(LAB_EXIT_FAILED, "out of memory");
	churn.visits = visits;
	for (unsigned i = 0; i < LAB_MOST_IN_FLIGHT; i++)
		churn.free[i] = i;
	lab_need_descriptors(LAB_MOST_IN_FLIGHT);
	lab_loop_init(&churn.loop, options->for_ns);
	next_ns = lab_now_ns();
	do {
		for (; lab_churn_open_more(&churn) && next_ns <= lab_now_ns(); next_ns += step_ns) {
			for (unsigned i = 0; i < burst; i++)
				lab_visit_begin(&churn);
		}
		count = lab_loop_wait(&churn.loop, events,
				      lab_churn_open_more(&churn) ? next_ns : INT64_MAX);
		for (int i = 0; i < count; i++)
			lab_churn_event(&churn, &events[i]);
		if (churn.completed > options->rate / 2)
			lab_ready("ready rate=%u", options->rate);
	} while (count >= 0);
	(void)printf("opened=%u completed=%u failed=%u skipped=%u\n", churn.opened, churn.completed,
		     churn.failed, churn.skipped);
}
