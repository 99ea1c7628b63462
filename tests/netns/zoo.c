#include "tests/netns/zoo.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

union place {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void set_address(int fd, const char *interface, const char *address)
{
	struct ifreq request = { 0 };
	struct sockaddr_in place = { .sin_family = AF_INET };

	ck_assert_int_eq(inet_pton(AF_INET, address, &place.sin_addr), 1);
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	memcpy(&request.ifr_addr, &place, sizeof(place));
	ck_assert_int_eq(ioctl(fd, SIOCSIFADDR, &request), 0);
}

bool zoo_is_permitted(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(zoo_unshare() < 0 ? 1 : 0);
	if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
		return true;
	printf("skipped: no network namespace can be made here\n");
	return false;
}

int zoo_unshare(void)
{
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	return 0;
}

void zoo_enter(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd;

	ck_assert_int_eq(zoo_unshare(), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	set_address(fd, "lo:1", ZOO_HERE);
	set_address(fd, "lo:2", ZOO_THERE);
	ck_assert_int_eq(close(fd), 0);
}

static socklen_t make_place(const char *address, uint16_t port, union place *place)
{
	*place = (union place){ 0 };
	if (inet_pton(AF_INET, address, &place->v4.sin_addr) == 1) {
		place->v4.sin_family = AF_INET;
		place->v4.sin_port = htons(port);
		return sizeof(place->v4);
	}
	ck_assert_int_eq(inet_pton(AF_INET6, address, &place->v6.sin6_addr), 1);
	place->v6.sin6_family = AF_INET6;
	place->v6.sin6_port = htons(port);
	return sizeof(place->v6);
}

static void set_option(int fd, int level, int option, int value)
{
	ck_assert_int_eq(setsockopt(fd, level, option, &value, sizeof(value)), 0);
}

int zoo_listen(const struct zoo_place *wanted)
{
	union place place = { .any.sa_family = wanted->v6 ? AF_INET6 : AF_INET };
	socklen_t length = 0;
	int fd;

	if (wanted->address != NULL)
		length = make_place(wanted->address, wanted->port, &place);
	fd = socket(place.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (wanted->reuse_port)
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (place.any.sa_family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, wanted->v6only);
	if (wanted->defer_s > 0)
		set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, wanted->defer_s);
	if (wanted->address != NULL)
		ck_assert_int_eq(bind(fd, &place.any, length), 0);
	ck_assert_int_eq(listen(fd, wanted->backlog), 0);
	return fd;
}

uint16_t zoo_port(int fd)
{
	union place place;
	socklen_t length = sizeof(place);

	ck_assert_int_eq(getsockname(fd, &place.any, &length), 0);
	return ntohs(place.any.sa_family == AF_INET ? place.v4.sin_port : place.v6.sin6_port);
}

int zoo_connect(const char *address, uint16_t port, const char *from, bool start_only)
{
	union place place;
	union place own;
	socklen_t length = make_place(address, port, &place);
	int type = SOCK_STREAM | SOCK_CLOEXEC | (start_only ? SOCK_NONBLOCK : 0);
	int fd = socket(place.any.sa_family, type, 0);
	int result;

	ck_assert_int_ge(fd, 0);
	if (from != NULL) {
		socklen_t own_length = make_place(from, 0, &own);

		/* connect() chooses the port, which is only taken for this destination */
		set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
		ck_assert_int_eq(bind(fd, &own.any, own_length), 0);
	}
	result = connect(fd, &place.any, length);
	if (start_only)
		ck_assert(result == 0 || errno == EINPROGRESS);
	else
		ck_assert_int_eq(result, 0);
	return fd;
}

int zoo_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

void zoo_await(int fd, enum tct_state state)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	for (unsigned i = 0; i < 2000; i++) {
		ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
		if (info.tcpi_state == state)
			return;
		(void)nanosleep(&pause, NULL);
	}
	ck_abort_msg("the socket is %s and not %s", tct_state_name(info.tcpi_state),
		     tct_state_name(state));
}

void zoo_deafen(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &drop };

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)),
			 0);
}

void zoo_hear_again(int fd)
{
	set_option(fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
}

struct pair {
	int client;
	int server;
};

static struct pair make_pair(int listener, const char *address)
{
	struct pair pair = { .client = zoo_connect(address, zoo_port(listener), NULL, false) };

	pair.server = zoo_accept(listener);
	return pair;
}

static void count(struct zoo *zoo, enum tct_state a, enum tct_state b)
{
	zoo->expected[a]++;
	zoo->expected[b]++;
}

/* Closing, one end after the other. */
static void fill_closing(struct zoo *zoo, int listener, const char *address)
{
	struct pair held = make_pair(listener, address);
	struct pair orphan = make_pair(listener, address);
	struct pair waiting = make_pair(listener, address);
	struct pair last = make_pair(listener, address);
	struct pair first = make_pair(listener, address);
	struct pair both = make_pair(listener, address);

	ck_assert_int_eq(shutdown(held.client, SHUT_WR), 0);
	zoo_await(held.client, TCT_STATE_FIN_WAIT2);
	count(zoo, TCT_STATE_FIN_WAIT2, TCT_STATE_CLOSE_WAIT);

	ck_assert_int_eq(close(orphan.client), 0);
	zoo_await(orphan.server, TCT_STATE_CLOSE_WAIT);
	count(zoo, TCT_STATE_FIN_WAIT2, TCT_STATE_CLOSE_WAIT);

	ck_assert_int_eq(close(waiting.client), 0);
	zoo_await(waiting.server, TCT_STATE_CLOSE_WAIT);
	ck_assert_int_eq(close(waiting.server), 0);
	zoo->expected[TCT_STATE_TIME_WAIT]++;

	ck_assert_int_eq(shutdown(last.client, SHUT_WR), 0);
	zoo_await(last.client, TCT_STATE_FIN_WAIT2);
	zoo_deafen(last.client);
	ck_assert_int_eq(shutdown(last.server, SHUT_WR), 0);
	zoo_await(last.server, TCT_STATE_LAST_ACK);
	count(zoo, TCT_STATE_FIN_WAIT2, TCT_STATE_LAST_ACK);

	zoo_deafen(first.server);
	ck_assert_int_eq(shutdown(first.client, SHUT_WR), 0);
	zoo_await(first.client, TCT_STATE_FIN_WAIT1);
	count(zoo, TCT_STATE_FIN_WAIT1, TCT_STATE_ESTABLISHED);

	zoo_deafen(both.client);
	zoo_deafen(both.server);
	ck_assert_int_eq(shutdown(both.client, SHUT_WR), 0);
	ck_assert_int_eq(shutdown(both.server, SHUT_WR), 0);
	zoo_hear_again(both.client);
	zoo_await(both.client, TCT_STATE_CLOSING); /* when the server's FIN is sent again */
	count(zoo, TCT_STATE_CLOSING, TCT_STATE_FIN_WAIT1);
}

void zoo_fill(struct zoo *zoo, const char *address, uint16_t first_port)
{
	const struct zoo_place plain = { .address = address, .port = first_port, .backlog = 64 };
	const struct zoo_place small = {
		.address = address,
		.port = (uint16_t)(first_port + 1),
		.backlog = 1,
	};
	const struct zoo_place defer = {
		.address = address,
		.port = (uint16_t)(first_port + 2),
		.backlog = 32,
		.defer_s = 60,
	};
	int listener = zoo_listen(&plain);
	union place own;
	socklen_t length = make_place(address, 0, &own);
	int bound = socket(own.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)make_pair(listener, address);
	count(zoo, TCT_STATE_LISTEN, TCT_STATE_ESTABLISHED);
	zoo->expected[TCT_STATE_ESTABLISHED]++;
	fill_closing(zoo, listener, address);

	/* Two connections fill the accept queue of 1; the third one's SYN is dropped. */
	(void)zoo_listen(&small);
	zoo->expected[TCT_STATE_LISTEN]++;
	for (unsigned i = 0; i < 2; i++) {
		(void)zoo_connect(address, small.port, NULL, false);
		count(zoo, TCT_STATE_ESTABLISHED, TCT_STATE_ESTABLISHED);
	}
	(void)zoo_connect(address, small.port, NULL, true);
	zoo->expected[TCT_STATE_SYN_SENT]++;

	/* The listener waits for data: its end stays a request. */
	(void)zoo_listen(&defer);
	(void)zoo_connect(address, defer.port, NULL, false);
	count(zoo, TCT_STATE_LISTEN, TCT_STATE_SYN_RECV);
	zoo->expected[TCT_STATE_ESTABLISHED]++;

	ck_assert_int_ge(bound, 0);
	ck_assert_int_eq(bind(bound, &own.any, length), 0);
	if (zoo->bound_visible)
		zoo->expected[TCT_STATE_CLOSE]++;
}
