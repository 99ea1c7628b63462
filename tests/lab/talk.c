/* Connections that stay open: questions over them, and bytes handed on from one to another. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/lab/actor.h"

enum {
	LAB_MOST_RELAYED = 1024,
	LAB_MOST_QUESTION = 4096,
};

/* Read and forget; how many bytes, or -1 when the connection is over. */
static ssize_t lab_drain(int fd)
{
	char data[16384];
	ssize_t all = 0;
	ssize_t got;

	while ((got = recv(fd, data, sizeof(data), 0)) > 0)
		all += got;
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? all : -1;
}

struct lab_talker {
	const struct lab_options *options;
	struct lab_loop *loop;
	int *fds;
	int64_t *awaited; /* by connection: bytes of the answer to come yet */
	unsigned next;
	unsigned asked, answered, busy;
};

static void lab_ask(struct lab_talker *talker)
{
	static const char question[LAB_MOST_QUESTION];
	const unsigned i = talker->next++ % talker->options->count;

	if (talker->fds[i] < 0)
		return;
	if (talker->awaited[i] > 0 && !talker->options->impatient) {
		talker->busy++;
		return;
	}
	if (send(talker->fds[i], question, talker->options->exchange, MSG_NOSIGNAL) !=
	    (ssize_t)talker->options->exchange)
		return;
	talker->asked++;
	talker->awaited[i] += talker->options->exchange;
}

static void lab_talker_event(struct lab_talker *talker, uint64_t tag)
{
	enum lab_order order;
	ssize_t got;

	if (tag == LAB_ORDER_TAG) {
		order = lab_loop_order(talker->loop);
		for (unsigned i = 0; i < talker->options->count; i++) {
			if (talker->fds[i] >= 0 && lab_obey(order, talker->fds[i]))
				talker->fds[i] = -1;
		}
		return;
	}
	if (talker->fds[tag] < 0)
		return;
	got = lab_drain(talker->fds[tag]);
	if (got < 0) {
		(void)close(talker->fds[tag]);
		talker->fds[tag] = -1;
		return;
	}
	talker->awaited[tag] -= got;
	if (talker->awaited[tag] == 0)
		talker->answered++;
}

void lab_talk(const struct lab_options *options, struct lab_loop *loop, int *fds)
{
	TCT_AUTOFREE int64_t *awaited = calloc(options->count, sizeof(*awaited));
	struct lab_talker talker = { .options = options,
				     .loop = loop,
				     .fds = fds,
				     .awaited = awaited };
	const int64_t step_ns = LAB_SECOND_NS / options->talk;
	struct epoll_event events[LAB_EVENTS];
	int64_t next_ns = lab_now_ns();
	int got;

	if (!awaited)
		lab_exit(LAB_EXIT_FAILED, "out of memory");
	for (unsigned i = 0; i < options->count; i++)
		lab_loop_watch(loop, fds[i], EPOLLIN, i);
	do {
		for (; next_ns <= lab_now_ns(); next_ns += step_ns)
			lab_ask(&talker);
		got = lab_loop_wait(loop, events, next_ns);
		for (int i = 0; i < got; i++)
			lab_talker_event(&talker, events[i].data.u64);
	} while (got >= 0);
	(void)printf("asked=%u answered=%u busy=%u\n", talker.asked, talker.answered, talker.busy);
}

/* --- relay: a proxy, each connection accepted is joined to one of its own --- */

struct lab_relay {
	const struct lab_options *options;
	struct lab_loop loop;
	int listener;
	int other[LAB_MOST_RELAYED]; /* by descriptor: the other end, -1 = none */
};

static void lab_relay_accept(struct lab_relay *relay)
{
	int near, far;

	while ((near = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		far = lab_socket(relay->options);
		if (near >= LAB_MOST_RELAYED || far >= LAB_MOST_RELAYED)
			lab_exit(LAB_EXIT_FAILED, "more than %d descriptors", LAB_MOST_RELAYED);
		if (connect(far, (const struct sockaddr *)&relay->options->onward,
			    relay->options->onward_size) < 0 &&
		    errno != EINPROGRESS)
			lab_exit(LAB_EXIT_FAILED, "--onward: %s", strerror(errno));
		relay->other[near] = far;
		relay->other[far] = near;
		/* What the client says waits until the way onward is there. */
		lab_loop_watch(&relay->loop, far, EPOLLOUT, (uint64_t)far);
	}
	if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		lab_exit(LAB_EXIT_FAILED, "accept: %s", strerror(errno));
}

static void lab_relay_end(struct lab_relay *relay, int fd)
{
	const int other = relay->other[fd];

	relay->other[fd] = -1;
	relay->other[other] = -1;
	(void)close(fd);
	(void)close(other);
}

static void lab_relay_event(struct lab_relay *relay, const struct epoll_event *event)
{
	const int fd = (int)event->data.u64;
	char data[16384];
	ssize_t got;

	if (fd == relay->listener) {
		lab_relay_accept(relay);
		return;
	}
	if (relay->other[fd] < 0)
		return;
	if (event->events & EPOLLOUT) {
		lab_loop_watch(&relay->loop, fd, EPOLLIN, (uint64_t)fd);
		lab_loop_watch(&relay->loop, relay->other[fd], EPOLLIN, (uint64_t)relay->other[fd]);
		return;
	}
	got = recv(fd, data, sizeof(data), 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Answers are small: what the other end doesn't take at once is too much for this proxy. */
	if (got <= 0 || send(relay->other[fd], data, (size_t)got, MSG_NOSIGNAL) != got)
		lab_relay_end(relay, fd);
}

void lab_relay(const struct lab_options *options)
{
	struct lab_relay relay = { .options = options };
	struct epoll_event events[LAB_EVENTS];
	const int on = 1;
	int count;

	for (size_t i = 0; i < LAB_MOST_RELAYED; i++)
		relay.other[i] = -1;
	lab_need_descriptors(LAB_MOST_RELAYED);
	lab_loop_init(&relay.loop, options->for_ns);
	relay.listener = lab_socket(options);
	if (setsockopt(relay.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(relay.listener, (const struct sockaddr *)&options->address,
		 options->address_size) < 0 ||
	    listen(relay.listener, options->backlog) < 0)
		lab_exit(LAB_EXIT_FAILED, "listen: %s", strerror(errno));
	lab_loop_watch(&relay.loop, relay.listener, EPOLLIN, (uint64_t)relay.listener);
	lab_ready("ready");
	while ((count = lab_loop_wait(&relay.loop, events, INT64_MAX)) >= 0) {
		for (int i = 0; i < count; i++)
			lab_relay_event(&relay, &events[i]);
	}
}
