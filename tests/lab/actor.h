/*
 * tcplab: one end of a laboratory experiment. It brings TCP sockets into a wanted state, says
 * "ready", and keeps them there until SIGTERM or its time limit. A test program: unlike the
 * libraries it prints and exits.
 */
#ifndef TCT_TESTS_LAB_ACTOR_H
#define TCT_TESTS_LAB_ACTOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { LAB_SECOND_MS = 1000 };
#define LAB_SECOND_NS INT64_C(1000000000)

/* Exit codes: 1 the wanted state was not reached, 2 bad usage, 3 refused. */
enum lab_exit {
	LAB_EXIT_FAILED = 1,
	LAB_EXIT_USAGE = 2,
	LAB_EXIT_REFUSED = 3,
};

enum lab_listen_mode {
	LAB_NO_ACCEPT,
	LAB_ACCEPT_AND_CLOSE, /* closes first, so TIME_WAIT stays on this side */
	LAB_ACCEPT_AND_HOLD,  /* closes when the peer does */
	LAB_LEAK,             /* never closes: CLOSE_WAIT after the peer's FIN */
	LAB_ECHO,             /* sends everything back, closes when the peer does */
};

struct lab_options {
	struct sockaddr_storage address; /* to listen on, or to connect to; port included */
	socklen_t address_size;
	struct in_addr from_first; /* IPv4 source addresses, used in turn; 0.0.0.0 = the kernel's
				      choice */
	struct in_addr from_last;
	struct in_addr spoof_net;
	unsigned spoof_prefix;
	int backlog;
	enum lab_listen_mode listen_mode;
	bool keepalive;
	bool reuseport;
	bool v6only;
	bool abort;         /* close() sends a RST, and so does the end of the program */
	bool no_read;       /* listen: what was accepted is never read */
	int rcvbuf_bytes;   /* SO_RCVBUF, 0 = the kernel's choice */
	int64_t send_bytes; /* sent on each connection as soon as it is there */
	unsigned talk;      /* connect: questions a second over the connections held */
	bool impatient;     /* talk: ask again though no answer has come */
	unsigned burst;     /* churn: so many at once, then none until the rate allows more */
	struct sockaddr_storage onward; /* relay: where to */
	socklen_t onward_size;
	bool nonblocking;       /* ready when every SYN is out, connected or not */
	bool peer_closes;       /* churn: wait for the peer's FIN instead of closing first */
	unsigned count;         /* connections or packets; 0 = no limit (churn) */
	unsigned rate;          /* per second */
	unsigned exchange;      /* churn: bytes to send and to get back before closing */
	int64_t close_after_ns; /* < 0 = hold */
	int64_t for_ns;
};

/* Waits for sockets, SIGTERM, SIGINT and the time limit. */
struct lab_loop {
	int epoll;
	int signals;
	int orders; /* a signalfd, -1 = none are taken */
	int64_t deadline_ns;
};

enum { LAB_EVENTS = 256 };
#define LAB_SIGNAL_TAG UINT64_MAX
#define LAB_ORDER_TAG (UINT64_MAX - 1)

/* What a script may ask of a running actor. */
enum lab_order {
	LAB_ORDER_NONE,
	LAB_ORDER_CLOSE,      /* SIGUSR1: close all connections, stay */
	LAB_ORDER_PAUSE,      /* SIGHUP: hang until the next SIGHUP */
	LAB_ORDER_HALF_CLOSE, /* SIGUSR2: shutdown(SHUT_WR) on all connections */
};

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t lab_now_ns(void);

/* Print "PROGRAM: message" to stderr and exit with the code. */
__attribute__((format(printf, 2, 3), noreturn)) void lab_exit(enum lab_exit code,
							      const char *format, ...);

/* Say "ready ..." on stdout; the first call only. */
__attribute__((format(printf, 1, 2))) void lab_ready(const char *format, ...);

/* Make sure that `sockets` descriptors can be open at once, or exit. */
void lab_need_descriptors(unsigned sockets);

void lab_loop_init(struct lab_loop *loop, int64_t for_ns);

/* Watch fd for events (EPOLLIN ..); the tag comes back in data.u64. Exits on failure. */
void lab_loop_watch(const struct lab_loop *loop, int fd, uint32_t events, uint64_t tag);

/*
 * Wait for events, at most until until_ns. Returns their number (0 = until_ns came), or -1 when it
 * is time to end: a signal came or the time limit is reached.
 */
int lab_loop_wait(const struct lab_loop *loop, struct epoll_event *events, int64_t until_ns);

/* From now on take orders: they come as events with LAB_ORDER_TAG. */
void lab_loop_take_orders(struct lab_loop *loop);

/* The order behind such an event. */
enum lab_order lab_loop_order(const struct lab_loop *loop);

/* Do nothing until the next LAB_ORDER_PAUSE, or until it is time to end. */
void lab_loop_pause(const struct lab_loop *loop);

/* Obey on one connection; true if it is closed now. */
bool lab_obey(enum lab_order order, int fd);

/*
 * Send zeros, up to *left bytes, as far as the connection takes them. True when nothing is left or
 * the connection is lost; else wait for EPOLLOUT.
 */
bool lab_pour(int fd, int64_t *left);

/* Wait for the end. */
void lab_loop_rest(const struct lab_loop *loop);

/* A non-blocking TCP socket with the options' keepalive, buffer and lingering, or exit. */
int lab_socket(const struct lab_options *options);

/* The commands. They return when it is time to end. */
void lab_listen(const struct lab_options *options);
void lab_connect(const struct lab_options *options);
void lab_churn(const struct lab_options *options);
void lab_talk(const struct lab_options *options, struct lab_loop *loop, int *fds);
void lab_relay(const struct lab_options *options);
void lab_synflood(const struct lab_options *options);
void lab_hold(const struct lab_options *options);

#endif
