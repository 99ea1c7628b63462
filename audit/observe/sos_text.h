/* The outputs of commands in a sosreport, line by line; and one line of ss and of netstat. */
#ifndef TCT_AUDIT_OBSERVE_SOS_TEXT_H
#define TCT_AUDIT_OBSERVE_SOS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/observation.h"
#include "audit/observe/tcp_socket.h"
#include "core/root.h"

/* What is longer stays out: a line of ss names every process that shares the socket. */
enum { TCT_SOS_LINE_MAX = 65536 };

/* How the file ended. */
struct tct_sos_lines {
	uint64_t lines;
	uint64_t shortened; /* lines of which only the beginning was told */
	bool cut;           /* no newline at the end */
};

/*
 * Tell `take` each line of the file below root, without its newline, terminated; NUL bytes in it
 * come as 0x01, which no reader takes. Constant memory. Only regular files are read. Returns 0,
 * what take returned, or -errno.
 */
int tct_sos_lines_read(const struct tct_root *root, const char *path,
		       int (*take)(void *context, char *line), void *context,
		       struct tct_sos_lines *lines);

/* The next word at *at, which moves behind it; its length, 0 at the end. Blanks are ' ' and TAB. */
size_t tct_sos_word(const char **at, const char **word);

/* A decimal number that stands at *at and is at most max; *at moves behind it. False if there is
 * none. */
bool tct_sos_number(const char **at, uint64_t max, uint64_t *number);

/* A whole unsigned decimal word. False if it isn't one, or beyond max. */
bool tct_sos_whole_number(const char *word, size_t length, uint64_t max, uint64_t *number);

/* One socket while its lines are read. */
struct tct_sos_socket {
	struct tct_tcp_socket socket;
	int32_t pid; /* the first process that has it, 0 = not told */
	char comm[32];
	char cgroup[256]; /* path below the cgroup2 mount, "" = not told */
	char interface[16];
	bool any_star; /* the local address is "*": either family, see v6only_told */
	bool v6only_told;
	bool last_told;   /* lastsnd, lastrcv or lastack was there */
	bool info_told;   /* tcp_info was there */
	bool flight_told; /* so new that it tells what is not sent yet, if there is any */
	uint64_t unacked; /* segments in flight */
	uint64_t notsent_bytes;
	uint32_t last_sent_ms;
	uint32_t last_received_ms;
	uint32_t last_ack_ms;
};

enum tct_sos_line {
	TCT_SOS_SOCKET, /* a TCP socket begins */
	TCT_SOS_MORE,   /* more about the one before */
	TCT_SOS_HEADING,
	TCT_SOS_OTHER,     /* of another protocol, or not about sockets */
	TCT_SOS_MALFORMED, /* a TCP socket that can't be read */
};

/* What kind of line of ss it is; a TCT_SOS_SOCKET fills *socket, the others leave it alone. */
enum tct_sos_line tct_ss_line(const char *line, struct tct_sos_socket *socket);

/* Take what stands behind the addresses, or in a line of TCT_SOS_MORE, into *socket. */
void tct_ss_details(const char *text, struct tct_sos_socket *socket);

/* The same for `netstat -neopa`, which needs one line for each socket. */
enum tct_sos_line tct_netstat_line(const char *line, struct tct_sos_socket *socket);

/*
 * Split "ADDRESS:PORT" at its last colon: the address, as it stands, and the port, "*" being 0.
 * False if it is no such word.
 */
enum { TCT_SOS_ENDPOINT_MAX = 96 };
bool tct_sos_split_endpoint(const char *word, size_t length, char address[TCT_SOS_ENDPOINT_MAX],
			    uint16_t *port);

#endif
