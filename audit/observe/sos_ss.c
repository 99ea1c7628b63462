/*
 * What ss prints of a TCP socket: `[Netid] State Recv-Q Send-Q Local:Port Peer:Port [details]`, the
 * details on the same line or, those of -m and -i, on lines that begin with a blank. Formats as of
 * iproute2 3.10 to 6.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "audit/observe/sos_text.h"
#include "core/mem.h"

static const struct {
	const char *name;
	enum tct_state state;
} state_words[] = {
	{ "ESTAB", TCT_STATE_ESTABLISHED },    { "LISTEN", TCT_STATE_LISTEN },
	{ "TIME-WAIT", TCT_STATE_TIME_WAIT },  { "CLOSE-WAIT", TCT_STATE_CLOSE_WAIT },
	{ "SYN-SENT", TCT_STATE_SYN_SENT },    { "SYN-RECV", TCT_STATE_SYN_RECV },
	{ "FIN-WAIT-1", TCT_STATE_FIN_WAIT1 }, { "FIN-WAIT-2", TCT_STATE_FIN_WAIT2 },
	{ "LAST-ACK", TCT_STATE_LAST_ACK },    { "CLOSING", TCT_STATE_CLOSING },
	{ "UNCONN", TCT_STATE_CLOSE },         { "BOUND-INACTIVE", TCT_STATE_CLOSE },
};

static bool is_word(const char *word, size_t length, const char *wanted)
{
	return strlen(wanted) == length && memcmp(word, wanted, length) == 0;
}

static uint8_t find_state(const char *word, size_t length)
{
	for (size_t i = 0; i < TCT_COUNT(state_words); i++) {
		if (is_word(word, length, state_words[i].name))
			return (uint8_t)state_words[i].state;
	}
	return 0;
}

/* "*" is an IPv6 wildcard that takes IPv4 as well, or the IPv4 one of an old ss: the caller knows.
 */
static bool read_address(const char *text, uint8_t *family, uint32_t address[4], bool *star)
{
	*star = strcmp(text, "*") == 0;
	if (*star)
		return true;
	*family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(*family, text, address) == 1;
}

/* "10.0.0.1:80", "[::1]:80", "[fe80::1]%eth0:22", "127.0.0.1%lo:53", "*:80", ":::22". */
static bool read_endpoint(const char *word, size_t length, uint8_t *family, uint32_t address[4],
			  uint16_t *port, bool *star, char interface[16])
{
	char text[TCT_SOS_ENDPOINT_MAX];
	char *percent;

	if (!tct_sos_split_endpoint(word, length, text, port))
		return false;
	percent = strrchr(text, '%');
	if (percent != NULL) {
		char *end = strchr(percent, ']');
		bool inside = end != NULL; /* "[fe80::1%eth0]" */

		if (inside)
			*end = '\0';
		if (interface != NULL)
			(void)snprintf(interface, 16, "%s", percent + 1);
		percent[0] = inside ? ']' : '\0';
		if (inside)
			percent[1] = '\0';
	}
	if (text[0] != '[')
		return read_address(text, family, address, star);
	if (text[strlen(text) - 1] != ']')
		return false;
	text[strlen(text) - 1] = '\0';
	return read_address(text + 1, family, address, star) && *family == AF_INET6;
}

/* "117min", "1min59sec", "10sec", "6.535ms" (which is 6.535 seconds), "828ms". */
static bool read_duration(const char **at, uint64_t *ms)
{
	uint64_t number;

	*ms = 0;
	for (int parts = 0; parts < 3 && **at >= '0' && **at <= '9'; parts++) {
		if (!tct_sos_number(at, UINT32_MAX / 60000, &number))
			return false;
		if (strncmp(*at, "min", 3) == 0) {
			*at += 3;
			*ms += number * 60000;
		} else if (strncmp(*at, "sec", 3) == 0) {
			*at += 3;
			*ms += number * 1000;
		} else if (**at == '.') {
			*at += 1;
			*ms += number * 1000;
		} else if (strncmp(*at, "ms", 2) == 0) {
			*at += 2;
			*ms += number;
		} else {
			return false;
		}
	}
	return true;
}

/* "(keepalive,119min,0)" */
static void read_timer(const char *at, struct tct_tcp_socket *socket)
{
	static const struct {
		const char *name;
		enum tct_tcp_timer timer;
	} timers[] = {
		{ "on,", TCT_TIMER_RETRANSMIT },      { "keepalive,", TCT_TIMER_KEEPALIVE },
		{ "timewait,", TCT_TIMER_TIME_WAIT }, { "persist,", TCT_TIMER_PROBE },
		{ "unknown,", TCT_TIMER_PROBE },
	};
	uint64_t ms;
	uint64_t retransmits;

	if (*at++ != '(')
		return;
	for (size_t i = 0; i < TCT_COUNT(timers); i++) {
		size_t length = strlen(timers[i].name);

		if (strncmp(at, timers[i].name, length) != 0)
			continue;
		at += length;
		if (!read_duration(&at, &ms) || *at++ != ',' ||
		    !tct_sos_number(&at, UINT8_MAX, &retransmits) || *at != ')')
			return;
		socket->timer = (uint8_t)timers[i].timer;
		socket->expires_ms = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
		socket->retransmits = (uint8_t)retransmits;
		return;
	}
}

static void copy_plain(char *to, size_t to_size, const char *from, size_t length)
{
	size_t i;

	for (i = 0; i + 1 < to_size && i < length; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = '\0';
}

/*
 * (("nginx",pid=1,fd=3),("nginx",pid=2,fd=3)), or the pid bare as in old ones. A name may hold
 * anything. Returns what follows.
 */
static const char *read_users(const char *at, struct tct_sos_socket *socket)
{
	if (*at != '(')
		return at;
	at++;
	while (strncmp(at, "(\"", 2) == 0) {
		const char *name = at + 2;
		const char *end = strstr(name, "\",");
		const char *number;
		uint64_t pid;

		while (end != NULL) {
			number = end + (strncmp(end + 2, "pid=", 4) == 0 ? 6 : 2);
			if (tct_sos_number(&number, INT32_MAX, &pid) && *number == ',')
				break;
			end = strstr(end + 1, "\",");
		}
		if (end == NULL)
			return at;
		if (socket->pid == 0) {
			socket->pid = (int32_t)pid;
			copy_plain(socket->comm, sizeof(socket->comm), name, (size_t)(end - name));
		}
		at = strchr(number, ')');
		if (at == NULL)
			return number + strlen(number);
		at++;
		if (*at == ',')
			at++;
	}
	return *at == ')' ? at + 1 : at;
}

/* The drops of "(r0,rb87380,t0,...,bl0,d326)". */
static void read_memory(const char *word, size_t length, struct tct_tcp_socket *socket)
{
	const char *end = word + length;
	uint64_t drops;

	for (const char *at = word; at + 2 < end; at++) {
		const char *number = at + 2;

		if (at[0] == ',' && at[1] == 'd' && tct_sos_number(&number, INT64_MAX, &drops) &&
		    number < end && *number == ')')
			socket->drops = (int64_t)drops;
	}
}

static bool has_prefix(const char *word, size_t length, const char *prefix, const char **rest)
{
	size_t prefix_length = strlen(prefix);

	if (length < prefix_length || memcmp(word, prefix, prefix_length) != 0)
		return false;
	*rest = word + prefix_length;
	return true;
}

/* The hexadecimal cookie. Older ones print an address of the kernel's: as good to tell apart. */
static uint64_t read_cookie(const char *at)
{
	uint64_t value = 0;

	for (int digits = 0; digits < 16; digits++, at++) {
		static const char hex[] = "0123456789abcdef";
		const char *digit = *at != '\0' ? strchr(hex, *at) : NULL;

		if (digit == NULL)
			break;
		value = value << 4 | (uint64_t)(digit - hex);
	}
	return value;
}

static bool read_field(const char *rest, const char *end, uint64_t max, uint64_t *number)
{
	return end > rest && tct_sos_whole_number(rest, (size_t)(end - rest), max, number);
}

/* How long ago something was sent or received; false if it is another word. */
static bool take_last(const char *word, size_t length, struct tct_sos_socket *told)
{
	const struct {
		const char *name;
		uint32_t *ms;
	} times[] = {
		{ "lastsnd:", &told->last_sent_ms },
		{ "lastrcv:", &told->last_received_ms },
		{ "lastack:", &told->last_ack_ms },
	};
	const char *rest;
	uint64_t number;

	for (size_t i = 0; i < TCT_COUNT(times); i++) {
		if (!has_prefix(word, length, times[i].name, &rest))
			continue;
		told->last_told = true;
		if (read_field(rest, word + length, UINT32_MAX, &number))
			*times[i].ms = (uint32_t)number;
		return true;
	}
	return false;
}

/* "busy:1204ms", "rwnd_limited:8ms(0.7%)" */
static bool take_time(const char *rest, int64_t *us)
{
	uint64_t ms;

	if (!tct_sos_number(&rest, INT64_MAX / 1000, &ms) || strncmp(rest, "ms", 2) != 0)
		return false;
	*us = (int64_t)ms * 1000;
	return true;
}

/* The rest of tcp_info, of which ss leaves out what is 0. */
static void take_info(const char *word, size_t length, struct tct_sos_socket *told)
{
	struct tct_tcp_socket *socket = &told->socket;
	const char *end = word + length;
	const char *rest;
	uint64_t number;

	if (has_prefix(word, length, "cwnd:", &rest)) {
		told->info_told = true;
	} else if (has_prefix(word, length, "rto:", &rest)) {
		told->info_told = true;
		if (tct_sos_number(&rest, UINT32_MAX, &number)) /* "204", "201.5" */
			socket->rto_ms = (int64_t)number;
	} else if (has_prefix(word, length, "mss:", &rest)) {
		if (read_field(rest, end, UINT32_MAX, &number))
			socket->mss_bytes = (int64_t)number;
	} else if (has_prefix(word, length, "unacked:", &rest)) {
		(void)read_field(rest, end, UINT32_MAX, &told->unacked);
	} else if (has_prefix(word, length, "data_segs_out:", &rest)) {
		told->flight_told = true; /* as old as notsent: Linux 4.6 */
	} else if (has_prefix(word, length, "notsent:", &rest)) {
		told->flight_told = read_field(rest, end, UINT32_MAX, &told->notsent_bytes);
	} else if (has_prefix(word, length, "busy:", &rest)) {
		(void)take_time(rest, &socket->busy_us);
	} else if (has_prefix(word, length, "rwnd_limited:", &rest)) {
		(void)take_time(rest, &socket->rwnd_limited_us);
	} else if (has_prefix(word, length, "sndbuf_limited:", &rest)) {
		(void)take_time(rest, &socket->sndbuf_limited_us);
	}
}

/* One "name:value" of the details. */
static void take_detail(const char *word, size_t length, struct tct_sos_socket *told)
{
	struct tct_tcp_socket *socket = &told->socket;
	const char *end = word + length;
	const char *rest;
	uint64_t number;

	if (has_prefix(word, length, "timer:", &rest)) {
		read_timer(rest, socket);
	} else if (has_prefix(word, length, "uid:", &rest)) {
		if (read_field(rest, end, UINT32_MAX, &number))
			socket->uid = (uint32_t)number;
	} else if (has_prefix(word, length, "ino:", &rest)) {
		if (read_field(rest, end, UINT32_MAX, &number))
			socket->inode = (uint32_t)number;
	} else if (has_prefix(word, length, "sk:", &rest)) {
		socket->cookie = read_cookie(rest);
	} else if (has_prefix(word, length, "v6only:", &rest)) {
		told->v6only_told = true;
		socket->v6only = *rest == '1';
	} else if (has_prefix(word, length, "cgroup:", &rest)) {
		copy_plain(told->cgroup, sizeof(told->cgroup), rest, (size_t)(end - rest));
	} else if (has_prefix(word, length, "skmem:", &rest)) {
		read_memory(rest, (size_t)(end - rest), socket);
	} else if (!take_last(word, length, told)) {
		take_info(word, length, told);
	}
}

void tct_ss_details(const char *text, struct tct_sos_socket *socket)
{
	const char *word;
	size_t length;

	while ((length = tct_sos_word(&text, &word)) > 0) {
		if (length >= 6 && memcmp(word, "users:", 6) == 0) {
			/* names may hold blanks */
			text = read_users(word + 6, socket);
			text += strcspn(text, " \t");
		} else if (strchr("tuisvcrlmdnb", word[0]) != NULL) {
			take_detail(word, length, socket);
		}
	}
}

static bool is_heading(const char *line)
{
	return (strncmp(line, "Netid", 5) == 0 || strncmp(line, "State", 5) == 0) &&
	       strstr(line, "Recv-Q") != NULL;
}

static bool read_queue(const char **at, uint32_t *queue)
{
	const char *word;
	size_t length = tct_sos_word(at, &word);
	uint64_t number;

	if (length == 0 || !tct_sos_whole_number(word, length, UINT32_MAX, &number))
		return false;
	*queue = (uint32_t)number;
	return true;
}

/* What stands behind the state. */
static bool read_socket(const char *at, struct tct_sos_socket *told)
{
	struct tct_tcp_socket *socket = &told->socket;
	uint8_t peer_family = AF_UNSPEC;
	bool peer_star = false;
	const char *word;
	size_t length;

	if (!read_queue(&at, &socket->receive_queue) || !read_queue(&at, &socket->send_queue))
		return false;
	length = tct_sos_word(&at, &word);
	if (!read_endpoint(word, length, &socket->family, socket->local, &socket->local_port,
			   &told->any_star, told->interface))
		return false;
	length = tct_sos_word(&at, &word);
	if (!read_endpoint(word, length, &peer_family, socket->peer, &socket->peer_port, &peer_star,
			   NULL))
		return false;
	if (told->any_star && !peer_star)
		socket->family = peer_family;
	else if (!peer_star && peer_family != socket->family)
		return false;
	tct_ss_details(at, told);
	return true;
}

enum tct_sos_line tct_ss_line(const char *line, struct tct_sos_socket *socket)
{
	struct tct_sos_socket told = { .socket = tct_tcp_socket_untold(AF_UNSPEC) };
	const char *at = line;
	const char *word;
	size_t length;

	if (*line == ' ' || *line == '\t')
		return TCT_SOS_MORE;
	if (is_heading(line))
		return TCT_SOS_HEADING;
	length = tct_sos_word(&at, &word);
	told.socket.state = find_state(word, length);
	if (told.socket.state == 0) {
		if (!is_word(word, length, "tcp"))
			return TCT_SOS_OTHER;
		length = tct_sos_word(&at, &word);
		told.socket.state = find_state(word, length);
		if (told.socket.state == 0)
			return TCT_SOS_MALFORMED;
	}
	if (!read_socket(at, &told))
		return TCT_SOS_MALFORMED;
	*socket = told;
	return TCT_SOS_SOCKET;
}
