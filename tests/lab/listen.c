#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/actor.h"

enum {
	LAB_MOST_ACCEPTED = 4096,
	LAB_MOST_DESCRIPTORS = LAB_MOST_ACCEPTED + 64,
};

struct lab_server {
	const struct lab_options *options;
	struct lab_loop loop;
	int listener;
	unsigned accepted;
	unsigned closed;
	bool held[LAB_MOST_DESCRIPTORS];      /* by descriptor: connections that are open */
	int64_t unsent[LAB_MOST_DESCRIPTORS]; /* by descriptor: bytes to send yet */
};

static uint16_t lab_bound_port(int fd)
{
	struct sockaddr_storage address;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	socklen_t size = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		lab_exit(LAB_EXIT_FAILED, "getsockname: %s", strerror(errno));
	if (address.ss_family == AF_INET) {
		memcpy(&v4, &address, sizeof(v4));
		return ntohs(v4.sin_port);
	}
	memcpy(&v6, &address, sizeof(v6));
	return ntohs(v6.sin6_port);
}

static void lab_took(struct lab_server *server, int fd)
{
	const bool reads = !server->options->no_read;

	if (fd >= LAB_MOST_DESCRIPTORS)
		lab_exit(LAB_EXIT_FAILED, "more than %d connections", LAB_MOST_ACCEPTED);
	server->held[fd] = true;
	server->unsent[fd] = server->options->send_bytes;
	if (lab_pour(fd, &server->unsent[fd])) {
		if (reads)
			lab_loop_watch(&server->loop, fd, EPOLLIN, (uint64_t)fd);
	} else {
		lab_loop_watch(&server->loop, fd, reads ? EPOLLIN | EPOLLOUT : EPOLLOUT,
			       (uint64_t)fd);
	}
}

static void lab_accept_all(struct lab_server *server)
{
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		server->accepted++;
		if (server->options->listen_mode == LAB_ACCEPT_AND_CLOSE) {
			(void)close(fd);
			server->closed++;
		} else {
			lab_took(server, fd);
		}
	}
	/* The peer may have gone before we came: not our failure. */
	if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		lab_exit(LAB_EXIT_FAILED, "accept: %s", strerror(errno));
}

/* Send everything; false when the peer doesn't take it within a second. */
static bool lab_send_all(int fd, const char *data, size_t size)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	ssize_t sent;

	while (size) {
		sent = send(fd, data, size, MSG_NOSIGNAL);
		if (sent >= 0) {
			data += sent;
			size -= (size_t)sent;
		} else if (errno != EAGAIN || poll(&writable, 1, LAB_SECOND_MS) <= 0) {
			return false;
		}
	}
	return true;
}

static void lab_dropped(struct lab_server *server, int fd)
{
	server->held[fd] = false;
	server->closed++;
}

static void lab_serve(struct lab_server *server, int fd)
{
	struct epoll_event none = { .events = 0 };
	char data[16384];
	ssize_t got;

	got = recv(fd, data, sizeof(data), 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0 && server->options->listen_mode != LAB_ECHO)
		return;
	if (got > 0 && lab_send_all(fd, data, (size_t)got))
		return;
	if (server->options->listen_mode == LAB_LEAK) {
		/* The bug this mode is made for: the FIN is seen, close() never comes. */
		(void)epoll_ctl(server->loop.epoll, EPOLL_CTL_DEL, fd, &none);
		return;
	}
	(void)close(fd);
	lab_dropped(server, fd);
}

static void lab_server_event(struct lab_server *server, const struct epoll_event *event)
{
	const int fd = (int)event->data.u64;
	enum lab_order order;

	if (event->data.u64 == LAB_ORDER_TAG) {
		order = lab_loop_order(&server->loop);
		if (order == LAB_ORDER_PAUSE)
			lab_loop_pause(&server->loop);
		for (int i = 0; i < LAB_MOST_DESCRIPTORS; i++) {
			if (server->held[i] && lab_obey(order, i))
				lab_dropped(server, i);
		}
	} else if (fd == server->listener) {
		lab_accept_all(server);
	} else if (!server->held[fd]) {
		return; /* closed by an order in this very round */
	} else if (event->events & EPOLLOUT) {
		if (lab_pour(fd, &server->unsent[fd]))
			lab_loop_watch(&server->loop, fd, server->options->no_read ? 0 : EPOLLIN,
				       (uint64_t)fd);
	} else if (!server->options->no_read) {
		lab_serve(server, fd);
	} else {
		/* Hung up or broken, and nobody looks. */
		(void)epoll_ctl(server->loop.epoll, EPOLL_CTL_DEL, fd, &(struct epoll_event){ 0 });
	}
}

static void lab_listener_options(int fd, const struct lab_options *options)
{
	const int on = 1;
	const int v6only = options->v6only;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		lab_exit(LAB_EXIT_FAILED, "SO_REUSEADDR: %s", strerror(errno));
	if (options->reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		lab_exit(LAB_EXIT_FAILED, "SO_REUSEPORT: %s", strerror(errno));
	if (options->address.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0)
		lab_exit(LAB_EXIT_FAILED, "IPV6_V6ONLY: %s", strerror(errno));
}

void lab_listen(const struct lab_options *options)
{
	struct lab_server server = { .options = options };
	struct epoll_event events[LAB_EVENTS];
	int count;

	lab_need_descriptors(LAB_MOST_ACCEPTED);
	lab_loop_init(&server.loop, options->for_ns);
	lab_loop_take_orders(&server.loop);
	server.listener = lab_socket(options);
	lab_listener_options(server.listener, options);
	if (bind(server.listener, (const struct sockaddr *)&options->address,
		 options->address_size) < 0)
		lab_exit(LAB_EXIT_FAILED, "bind: %s", strerror(errno));
	if (listen(server.listener, options->backlog) < 0)
		lab_exit(LAB_EXIT_FAILED, "listen: %s", strerror(errno));
	if (options->listen_mode != LAB_NO_ACCEPT)
		lab_loop_watch(&server.loop, server.listener, EPOLLIN, (uint64_t)server.listener);
	lab_ready("ready port=%u", (unsigned)lab_bound_port(server.listener));
	while ((count = lab_loop_wait(&server.loop, events, INT64_MAX)) >= 0) {
		for (int i = 0; i < count; i++)
			lab_server_event(&server, &events[i]);
	}
	(void)printf("accepted=%u closed=%u\n", server.accepted, server.closed);
}
