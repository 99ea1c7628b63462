/* What `explain` says of system calls, tried on this kernel: errnos, resets, a server's restart,
 * keepalive. In a namespace of its own, on lo. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/netns/zoo.h"

enum {
	SKIPPED = 77,
	PORT = 7000,
};

static struct sockaddr_in place(const char *address, uint16_t port)
{
	struct sockaddr_in made = { .sin_family = AF_INET, .sin_port = htons(port) };

	ck_assert_int_eq(inet_pton(AF_INET, address, &made.sin_addr), 1);
	return made;
}

static int stream(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int connect_to(int fd, const char *address, uint16_t port)
{
	struct sockaddr_in to = place(address, port);

	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static int bind_to(int fd, const char *address, uint16_t port)
{
	struct sockaddr_in at = place(address, port);

	return bind(fd, (struct sockaddr *)&at, sizeof(at));
}

static void set(int fd, int level, int option, int value)
{
	ck_assert_int_eq(setsockopt(fd, level, option, &value, sizeof(value)), 0);
}

static int get(int fd, int level, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, option, &value, &size), 0);
	return value;
}

static void fails(long result, int expected)
{
	int got = result < 0 ? errno : 0;

	ck_assert_msg(got == expected, "%s instead of %s", got != 0 ? strerror(got) : "success",
		      strerror(expected));
}

/* Until the other side's FIN or reset has come, at most 5 s. */
static void await_end(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN | POLLRDHUP };

	ck_assert_int_eq(poll(&wait, 1, 5000), 1);
}

/* A listener, with or without SO_REUSEADDR. */
static int serve(uint16_t port, bool reuse)
{
	int fd = stream(0);

	set(fd, SOL_SOCKET, SO_REUSEADDR, reuse ? 1 : 0);
	ck_assert_int_eq(bind_to(fd, "127.0.0.1", port), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static void join(int listener, uint16_t port, int *client, int *server)
{
	*client = stream(0);
	ck_assert_int_eq(connect_to(*client, "127.0.0.1", port), 0);
	*server = accept(listener, NULL, NULL);
	ck_assert_int_ge(*server, 0);
}

static void reset(int fd)
{
	struct linger now = { .l_onoff = 1 };

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	ck_assert_int_eq(close(fd), 0);
}

START_TEST(a_reset_is_told_once)
{
	int listener = serve(PORT, true);
	int client;
	int server;
	char byte = 'x';

	join(listener, PORT, &client, &server);
	reset(server);
	await_end(client);
	fails(read(client, &byte, 1), ECONNRESET);
	ck_assert_int_eq(read(client, &byte, 1), 0);
	fails(write(client, &byte, 1), EPIPE);

	join(listener, PORT, &client, &server);
	reset(server);
	await_end(client);
	fails(write(client, &byte, 1), ECONNRESET);
	fails(write(client, &byte, 1), EPIPE);
}
END_TEST

/* The first write after the peer's close succeeds, the second doesn't. */
START_TEST(a_broken_pipe_comes_one_write_late)
{
	int listener = serve(PORT, true);
	int client;
	int server;
	char byte = 'x';

	join(listener, PORT, &client, &server);
	ck_assert_int_eq(close(server), 0);
	await_end(client);
	ck_assert_int_eq(write(client, &byte, 1), 1);
	ck_assert_int_eq(poll(&(struct pollfd){ .fd = client }, 1, 5000), 1); /* the reset */
	fails(write(client, &byte, 1), EPIPE);
}
END_TEST

START_TEST(closing_with_unread_data_resets)
{
	int listener = serve(PORT, true);
	int client;
	int server;
	char byte = 'x';

	join(listener, PORT, &client, &server);
	ck_assert_int_eq(write(client, &byte, 1), 1);
	await_end(server);
	ck_assert_int_eq(close(server), 0);
	await_end(client);
	fails(read(client, &byte, 1), ECONNRESET);
}
END_TEST

/* Linux accepts a connection that was reset before; ECONNABORTED isn't given. */
START_TEST(accept_takes_what_was_reset)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	int listener = serve(PORT, true);
	int client = stream(0);
	struct pollfd wait = { .fd = listener, .events = POLLIN };
	char byte;
	int server;

	ck_assert_int_eq(connect_to(client, "127.0.0.1", PORT), 0);
	ck_assert_int_eq(poll(&wait, 1, 5000), 1);
	reset(client);
	server = accept(listener, NULL, NULL);
	ck_assert_int_ge(server, 0);
	await_end(server);
	fails(getpeername(server, (struct sockaddr *)&peer, &size), ENOTCONN);
	fails(read(server, &byte, 1), ECONNRESET);
}
END_TEST

START_TEST(what_connect_returns)
{
	int listener = serve(PORT, true);
	int fd = stream(0);

	fails(connect_to(fd, "127.0.0.1", PORT + 1), ECONNREFUSED);
	fails(connect_to(fd, "203.0.113.7", PORT), ENETUNREACH);
	ck_assert_int_eq(connect_to(fd, "127.0.0.1", PORT), 0);
	fails(connect_to(fd, "127.0.0.1", PORT), EISCONN);
	fails(connect_to(listener, "127.0.0.1", PORT), EISCONN);
	fails(bind_to(stream(0), "203.0.113.7", PORT), EADDRNOTAVAIL);
	fails(read(stream(0), &(char){ 0 }, 1), ENOTCONN);
	fails(write(stream(0), "x", 1), EPIPE);
}
END_TEST

/* The accept queue is full, so the SYN gets no answer. */
START_TEST(a_connect_in_progress)
{
	int fd = stream(SOCK_NONBLOCK);
	struct zoo_place full = { .address = "127.0.0.1", .port = PORT, .backlog = 0 };
	char byte = 'x';
	int listener = zoo_listen(&full);
	int first = stream(0);

	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(connect_to(first, "127.0.0.1", PORT), 0); /* the queue of one is full */
	fails(connect_to(fd, "127.0.0.1", PORT), EINPROGRESS);
	fails(connect_to(fd, "127.0.0.1", PORT), EALREADY);
	fails(write(fd, &byte, 1), EAGAIN);
}
END_TEST

START_TEST(ports_run_out)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "we");
	int listener = serve(PORT, true);

	ck_assert_int_ge(listener, 0);
	ck_assert_ptr_nonnull(file);
	ck_assert_int_gt(fprintf(file, "40000 40003"), 0);
	ck_assert_int_eq(fclose(file), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(connect_to(stream(0), "127.0.0.1", PORT), 0);
	fails(connect_to(stream(0), "127.0.0.1", PORT), EADDRNOTAVAIL);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(bind_to(stream(0), "127.0.0.2", 0), 0);
	fails(bind_to(stream(0), "127.0.0.2", 0), EADDRINUSE);
}
END_TEST

/* The connection that accept() had no descriptor for is still there afterwards. */
START_TEST(too_many_files_lose_no_connection)
{
	struct rlimit limit;
	int listener = serve(PORT, true);
	int client = stream(0);
	int next = dup(0);
	rlim_t before;

	ck_assert_int_ge(next, 0);
	ck_assert_int_eq(close(next), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(connect_to(client, "127.0.0.1", PORT), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)next;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	fails(accept(listener, NULL, NULL), EMFILE);
	limit.rlim_cur = before;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_ge(accept(listener, NULL, NULL), 0);
}
END_TEST

/* What is in the way of a new bind(): the table of `explain server-restart`. */
static void restart(uint16_t port, bool old_reuse, bool time_wait, bool listener_stays, bool reuse,
		    int expected)
{
	int listener = serve(port, old_reuse);
	int fresh = stream(0);
	int client;
	int server;

	join(listener, port, &client, &server);
	if (!listener_stays)
		ck_assert_int_eq(close(listener), 0);
	if (time_wait) {
		ck_assert_int_eq(close(server), 0);
		await_end(client);
		ck_assert_int_eq(close(client), 0);
	}
	set(fresh, SOL_SOCKET, SO_REUSEADDR, reuse ? 1 : 0);
	if (expected != 0)
		fails(bind_to(fresh, "127.0.0.1", port), expected);
	else
		ck_assert_int_eq(bind_to(fresh, "127.0.0.1", port), 0);
}

START_TEST(a_server_restarts)
{
	uint16_t port = PORT;

	/* TIME_WAIT */
	restart(port++, true, true, false, false, EADDRINUSE);
	restart(port++, true, true, false, true, 0);
	/* ESTABLISHED, its listener closed */
	restart(port++, true, false, false, false, EADDRINUSE);
	restart(port++, true, false, false, true, 0);
	/* a listener */
	restart(port++, true, false, true, false, EADDRINUSE);
	restart(port++, true, false, true, true, EADDRINUSE);
	/* TIME_WAIT of a server without it */
	restart(port++, false, true, false, false, EADDRINUSE);
	restart(port++, false, true, false, true, EADDRINUSE);
}
END_TEST

START_TEST(keepalive_options_are_inherited)
{
	int listener = serve(PORT, true);
	int client;
	int server;

	set(listener, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(listener, IPPROTO_TCP, TCP_KEEPIDLE, 60);
	set(listener, IPPROTO_TCP, TCP_KEEPINTVL, 20);
	set(listener, IPPROTO_TCP, TCP_KEEPCNT, 3);
	set(listener, IPPROTO_TCP, TCP_USER_TIMEOUT, 120000);
	join(listener, PORT, &client, &server);
	ck_assert_int_eq(get(server, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(get(server, IPPROTO_TCP, TCP_KEEPIDLE), 60);
	ck_assert_int_eq(get(server, IPPROTO_TCP, TCP_KEEPINTVL), 20);
	ck_assert_int_eq(get(server, IPPROTO_TCP, TCP_KEEPCNT), 3);
	ck_assert_int_eq(get(server, IPPROTO_TCP, TCP_USER_TIMEOUT), 120000);
}
END_TEST

/* time + probes * intvl, here 1 + 2 * 1 s: not sooner, and not much later. */
START_TEST(keepalive_finds_a_dead_peer)
{
	int listener = serve(PORT, true);
	struct timespec from;
	struct timespec to;
	struct pollfd wait = { .events = POLLIN };
	double seconds;
	int client;
	int server;

	join(listener, PORT, &client, &server);
	set(client, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(client, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	set(client, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	set(client, IPPROTO_TCP, TCP_KEEPCNT, 2);
	zoo_deafen(server);
	wait.fd = client;
	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &from), 0);
	ck_assert_int_eq(poll(&wait, 1, 20000), 1);
	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &to), 0);
	seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	fails(read(client, &(char){ 0 }, 1), ETIMEDOUT);
	ck_assert_msg(seconds > 2.5 && seconds < 10, "%f s", seconds);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain_claims");
	TCase *cases = tcase_create("explain_claims");
	SRunner *runner;
	int failed;

	if (!zoo_is_permitted())
		return SKIPPED;
	(void)signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, zoo_enter, NULL);
	tcase_add_test(cases, a_reset_is_told_once);
	tcase_add_test(cases, a_broken_pipe_comes_one_write_late);
	tcase_add_test(cases, closing_with_unread_data_resets);
	tcase_add_test(cases, accept_takes_what_was_reset);
	tcase_add_test(cases, what_connect_returns);
	tcase_add_test(cases, a_connect_in_progress);
	tcase_add_test(cases, ports_run_out);
	tcase_add_test(cases, too_many_files_lose_no_connection);
	tcase_add_test(cases, a_server_restarts);
	tcase_add_test(cases, keepalive_options_are_inherited);
	tcase_add_test(cases, keepalive_finds_a_dead_peer);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
