/* A network namespace of its own with TCP sockets in every state, for the tests of the observer. */
#ifndef TCT_TESTS_NETNS_ZOO_H
#define TCT_TESTS_NETNS_ZOO_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/observation.h"

/* Addresses on lo that aren't loopback addresses: a connection between them counts as remote. */
#define ZOO_HERE "198.51.100.1"
#define ZOO_THERE "198.51.100.2"

/* What the sockets made so far must be counted as. They live as long as the process. */
struct zoo {
	int64_t expected[TCT_STATE_LIMIT];
	bool bound_visible; /* this kernel tells bound-inactive sockets (6.8) */
};

/* Can this machine do it at all? Tried in a child; says so on stdout if not. */
bool zoo_is_permitted(void);
/* Enter a new namespace, as root or in a user namespace of its own. 0 or -errno. */
int zoo_unshare(void);
/* The same, with lo up; failing ends the test. */
void zoo_enter(void);

struct zoo_place {
	const char *address; /* "127.0.0.1", "::1"; NULL = no bind() */
	uint16_t port;       /* 0 = the kernel chooses */
	int backlog;
	bool v6; /* family where address is NULL */
	bool v6only;
	bool reuse_port;
	int defer_s; /* TCP_DEFER_ACCEPT */
};

/* A listening socket (not counted in expected). */
int zoo_listen(const struct zoo_place *wanted);
/* The port it got. */
uint16_t zoo_port(int fd);
/* Connect to the address from `from` (NULL = any); start only = don't wait. Not counted. */
int zoo_connect(const char *address, uint16_t port, const char *from, bool start_only);
int zoo_accept(int listener);
/* From now on the socket gets no segment, and then it does again. */
void zoo_deafen(int fd);
void zoo_hear_again(int fd);
/* Wait until the socket has the state, at most 10 s. */
void zoo_await(int fd, enum tct_state state);

/* Every state, with both ends on the loopback address. Ports from first_port on. */
void zoo_fill(struct zoo *zoo, const char *address, uint16_t first_port);

#endif
