#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/actor.h"

enum { LAB_MOST_ACCEPTED = 4096 };

struct lab_server {
	const struct lab_options *options;
	struct lab_loop loop;
	int listener;
	unsigned accepted;
	unsigned closed;
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

static void lab_accept_all(struct lab_server *server)
{
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		server->accepted++;
		if (server->options->listen_mode == LAB_ACCEPT_AND_CLOSE) {
			(void)close(fd);
			server->closed++;
		} else {
			lab_loop_watch(&server->loop, fd, EPOLLIN, (uint64_t)fd);
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
	server->closed++;
}

void lab_listen(const struct lab_options *options)
{
	struct lab_server server = { .options = options };
	struct epoll_event events[LAB_EVENTS];
	const int on = 1;
	int count;

	lab_need_descriptors(LAB_MOST_ACCEPTED);
	lab_loop_init(&server.loop, options->for_ns);
	server.listener = lab_socket(options);
	if (setsockopt(server.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		lab_exit(LAB_EXIT_FAILED, "SO_REUSEADDR: %s", strerror(errno));
	if (bind(server.listener, (const struct sockaddr *)&options->address,
		 options->address_size) < 0)
		lab_exit(LAB_EXIT_FAILED, "bind: %s", strerror(errno));
	if (listen(server.listener, options->backlog) < 0)
		lab_exit(LAB_EXIT_FAILED, "listen: %s", strerror(errno));
	if (options->listen_mode != LAB_NO_ACCEPT)
		lab_loop_watch(&server.loop, server.listener, EPOLLIN, (uint64_t)server.listener);
	lab_ready("ready port=%u", (unsigned)lab_bound_port(server.listener));
	while ((count = lab_loop_wait(&server.loop, events, INT64_MAX)) >= 0) {
		for (int i = 0; i < count; i++) {
			if (events[i].data.u64 == (uint64_t)server.listener)
				lab_accept_all(&server);
			else
				lab_serve(&server, (int)events[i].data.u64);
		}
	}
	(void)printf("accepted=%u closed=%u\n", server.accepted, server.closed);
}
