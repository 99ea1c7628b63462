#include "audit/observe/proc_net_tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

enum {
	TICK_MS = 10, /* USER_HZ is 100 */
};

enum { CHUNK = 65536 }; /* a line is about 150 bytes; one longer than this is malformed */

/* A place in a line; bad sticks. */
struct scan {
	const char *at;
	bool bad;
};

static void skip_blanks(struct scan *scan)
{
	while (*scan->at == ' ')
		scan->at++;
}

static void expect(struct scan *scan, char wanted)
{
	if (!scan->bad && *scan->at == wanted)
		scan->at++;
	else
		scan->bad = true;
}

/* Its value; -1 if c is no hexadecimal digit. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Exactly `digits` hexadecimal digits, at most 8. */
static uint32_t scan_hex(struct scan *scan, unsigned digits)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < digits && !scan->bad; i++) {
		int digit = hex_digit(*scan->at);

		if (digit < 0) {
			scan->bad = true;
		} else {
			value = value << 4 | (uint32_t)digit;
			scan->at++;
		}
	}
	return value;
}

/* A decimal number; beyond 32 bits it stays at the largest. */
static uint32_t scan_decimal(struct scan *scan)
{
	uint64_t value = 0;

	skip_blanks(scan);
	if (*scan->at < '0' || *scan->at > '9')
		scan->bad = true;
	while (*scan->at >= '0' && *scan->at <= '9') {
		value = value * 10 + (uint64_t)(*scan->at++ - '0');
		if (value > UINT32_MAX)
			value = UINT32_MAX;
	}
	return (uint32_t)value;
}

/* The kernel prints each 32-bit word of an address as it lies in memory. */
static uint16_t scan_endpoint(struct scan *scan, uint8_t family, uint32_t address[4])
{
	skip_blanks(scan);
	for (unsigned i = 0; i < (family == AF_INET ? 1U : 4U); i++)
		address[i] = scan_hex(scan, 8);
	expect(scan, ':');
	return (uint16_t)scan_hex(scan, 4);
}

int tct_proc_net_tcp_line(const char *line, uint8_t family, struct tct_tcp_socket *socket)
{
	struct scan scan = { .at = line };
	struct tct_tcp_socket told = tct_tcp_socket_untold(family);
	uint32_t retransmits;
	uint32_t ticks;

	(void)scan_decimal(&scan);
	expect(&scan, ':');
	told.local_port = scan_endpoint(&scan, family, told.local);
	told.peer_port = scan_endpoint(&scan, family, told.peer);
	skip_blanks(&scan);
	told.state = tct_tcp_state(scan_hex(&scan, 2));
	skip_blanks(&scan);
	told.send_queue = scan_hex(&scan, 8);
	expect(&scan, ':');
	told.receive_queue = scan_hex(&scan, 8);
	skip_blanks(&scan);
	told.timer = (uint8_t)scan_hex(&scan, 2);
	expect(&scan, ':');
	ticks = scan_hex(&scan, 8);
	told.expires_ms = ticks < UINT32_MAX / TICK_MS ? ticks * TICK_MS : UINT32_MAX;
	skip_blanks(&scan);
	retransmits = scan_hex(&scan, 8);
	told.retransmits = (uint8_t)(retransmits < UINT8_MAX ? retransmits : UINT8_MAX);
	told.uid = scan_decimal(&scan);
	(void)scan_decimal(&scan);
	told.inode = scan_decimal(&scan);
	if (scan.bad)
		return -EBADMSG;
	*socket = told;
	return 0;
}

/* Lines of one file, as they come. */
struct lines {
	uint8_t family;
	const struct tct_tcp_visitor *visitor;
	uint64_t malformed;
	bool heading;  /* the first line is still to come */
	bool skipping; /* inside a line that is too long */
	size_t used;
	char buffer[CHUNK];
};

static int take_line(struct lines *lines, const char *line)
{
	struct tct_tcp_socket socket;

	if (lines->heading) {
		lines->heading = false;
		return 0;
	}
	if (tct_proc_net_tcp_line(line, lines->family, &socket) < 0) {
		lines->malformed++;
		return 0;
	}
	return lines->visitor->visit(lines->visitor->context, &socket);
}

/* Take the whole lines of the buffer; keep the rest at its start. */
static int take_buffer(struct lines *lines)
{
	char *at = lines->buffer;
	char *end = lines->buffer + lines->used;
	char *newline;
	int result = 0;

	while (result == 0 && at < end &&
	       (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		*newline = '\0';
		if (lines->skipping)
			lines->skipping = false;
		else
			result = take_line(lines, at);
		at = newline + 1;
	}
	lines->used = (size_t)(end - at);
	memmove(lines->buffer, at, lines->used);
	if (lines->used == sizeof(lines->buffer)) {
		if (!lines->skipping)
			lines->malformed++;
		lines->skipping = true;
		lines->used = 0;
	}
	return result;
}

static int read_file(const struct tct_root *root, const char *path, struct lines *lines)
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	struct stat status;
	int result = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	lines->heading = true;
	lines->skipping = false;
	lines->used = 0;
	while (result == 0) {
		ssize_t got =
			read(fd, lines->buffer + lines->used, sizeof(lines->buffer) - lines->used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		lines->used += (size_t)got;
		result = take_buffer(lines);
	}
	if (result == 0 && lines->used > 0 && !lines->skipping)
		lines->malformed++; /* cut off in the middle */
	return result;
}

int tct_proc_net_tcp_read(const struct tct_root *root, const struct tct_tcp_visitor *visitor,
			  uint64_t *malformed)
{
	TCT_AUTOFREE struct lines *lines = calloc(1, sizeof(*lines));
	int result;

	if (lines == NULL)
		return -ENOMEM;
	lines->visitor = visitor;
	visitor->restart(visitor->context);
	lines->family = AF_INET;
	result = read_file(root, "proc/net/tcp", lines);
	if (result == 0) {
		lines->family = AF_INET6;
		result = read_file(root, "proc/net/tcp6", lines);
		if (result == -ENOENT)
			result = 0;
	}
	*malformed = lines->malformed;
	return result < 0 ? result : 0;
}
