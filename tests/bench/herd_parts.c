/* What one process of the herd does. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/herd.h"

/* The kernel picks the port at connect(), per destination, not at bind(). */
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { HERD_BURST = 64 };

static int herd_open(const struct herd_options *options, unsigned number)
{
	const unsigned listener = number % options->listeners;
	const unsigned client = number / options->listeners % options->clients;
	const struct sockaddr_in to = herd_listener_address(options, listener);
	const struct sockaddr_in from = { .sin_family = AF_INET,
					  .sin_addr = herd_client_address(client) };
	const struct linger reset = { .l_onoff = 1 };
	const int on = 1;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd < 0)
		lab_exit(LAB_EXIT_FAILED, "socket: %s", strerror(errno));
	/* At the end a reset frees both ends at once. */
	if (options->kind != HERD_TIME_WAIT &&
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
		lab_exit(LAB_EXIT_FAILED, "SO_LINGER: %s", strerror(errno));
	if (options->keepalive && (options->kind == HERD_BOTH || options->kind == HERD_PROXY) &&
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0)
		lab_exit(LAB_EXIT_FAILED, "SO_KEEPALIVE: %s", strerror(errno));
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
		lab_exit(LAB_EXIT_FAILED, "bind: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		lab_exit(LAB_EXIT_FAILED, "connection %u: %s", number + 1, strerror(errno));
	return fd;
}

static int herd_take(const struct herd_part *part, unsigned listener)
{
	int fd;

	do {
		fd = accept4(part->listeners[listener], NULL, NULL, SOCK_CLOEXEC);
	} while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0)
		lab_exit(LAB_EXIT_FAILED, "accept: %s", strerror(errno));
	return fd;
}

/* After `made` connections since start_ns: wait while that is more than this process's part of the
 * rate. */
static void herd_pace(const struct herd_part *part, unsigned made, int64_t start_ns)
{
	const int64_t due_ns =
		start_ns + made * LAB_SECOND_NS / part->options->rate * part->processes;
	const int64_t early_ns = due_ns - lab_now_ns();
	const struct timespec pause_for = { .tv_sec = early_ns / LAB_SECOND_NS,
					    .tv_nsec = early_ns % LAB_SECOND_NS };

	if (early_ns > 0)
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause_for, NULL);
}

/* The descriptors stay open, unnamed: they go with the process. */
static _Noreturn void herd_hold(const struct herd_part *part)
{
	if (write(part->progress, &part->count, sizeof(part->count)) != sizeof(part->count))
		lab_exit(LAB_EXIT_FAILED, "progress: %s", strerror(errno));
	for (;;)
		(void)pause();
}

void herd_connect(const struct herd_part *part)
{
	const int64_t start_ns = lab_now_ns();

	herd_enter(part->stage->client);
	for (unsigned i = 0; i < part->count; i++) {
		(void)herd_open(part->options, part->first + i);
		if (i % HERD_BURST == HERD_BURST - 1)
			herd_pace(part, i, start_ns);
	}
	herd_hold(part);
}

void herd_accept(const struct herd_part *part)
{
	for (unsigned i = 0; i < part->count; i++)
		(void)herd_take(part, part->first);
	herd_hold(part);
}

void herd_time_wait(const struct herd_part *part)
{
	const int64_t start_ns = lab_now_ns();
	int client, server;

	herd_enter(part->stage->client);
	for (unsigned i = 0; i < part->count; i++) {
		client = herd_open(part->options, part->first + i);
		server = herd_take(part, (part->first + i) % part->options->listeners);
		/* TIME_WAIT is where close() comes first. */
		(void)close(server);
		(void)close(client);
		if (i % HERD_BURST == HERD_BURST - 1)
			herd_pace(part, i, start_ns);
	}
	herd_hold(part);
}
