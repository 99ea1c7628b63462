/* What `netstat -neopa` prints of a TCP socket: `tcp[6] Recv-Q Send-Q Local Foreign State [User
 * Inode] [PID/Program] [timer (seconds/retransmits/probes)]`. */
#include <arpa/inet.h>
#include <string.h>

#include "audit/observe/sos_text.h"
#include "core/mem.h"

/* IPv4 inside IPv6 is printed as bare IPv4, and there are no brackets: "::1:22", ":::80". */
static bool read_endpoint(const char *word, size_t length, uint8_t family, uint32_t address[4],
			  uint16_t *port)
{
	char text[TCT_SOS_ENDPOINT_MAX];

	if (!tct_sos_split_endpoint(word, length, text, port))
		return false;
	if (family == AF_INET6 && strchr(text, ':') == NULL) {
		address[2] = htonl(0xffff);
		return inet_pton(AF_INET, text, &address[3]) == 1;
	}
	return inet_pton(family, text, address) == 1;
}

static uint8_t find_state(const char *word, size_t length)
{
	char name[16];

	if (length >= sizeof(name))
		return 0;
	memcpy(name, word, length);
	name[length] = '\0';
	return (uint8_t)tct_state_find(name);
}

/* "keepalive (7074.91/0/0)" at the end of the line, if it was asked for. */
static void read_timer(const char *line, struct tct_tcp_socket *socket)
{
	static const struct {
		const char *name;
		enum tct_tcp_timer timer;
	} timers[] = {
		{ "on", TCT_TIMER_RETRANSMIT },
		{ "keepalive", TCT_TIMER_KEEPALIVE },
		{ "timewait", TCT_TIMER_TIME_WAIT },
		{ "probe", TCT_TIMER_PROBE },
	};
	const char *open = strrchr(line, '(');
	const char *at = open;
	uint64_t seconds;
	uint64_t hundredths;
	uint64_t retransmits;

	if (open == NULL || open - line < 2 || open[-1] != ' ')
		return;
	at++;
	if (!tct_sos_number(&at, UINT32_MAX / 1000, &seconds) || *at++ != '.' ||
	    !tct_sos_number(&at, 99, &hundredths) || *at++ != '/' ||
	    !tct_sos_number(&at, UINT8_MAX, &retransmits) || *at != '/')
		return;
	for (size_t i = 0; i < TCT_COUNT(timers); i++) {
		size_t length = strlen(timers[i].name);
		const char *name = open - 1 - length;

		if (name <= line || name[-1] != ' ' || strncmp(name, timers[i].name, length) != 0)
			continue;
		socket->timer = (uint8_t)timers[i].timer;
		socket->expires_ms = (uint32_t)(seconds * 1000 + hundredths * 10);
		socket->retransmits = (uint8_t)retransmits;
		return;
	}
}

/* "1026/sshd", or "-". The name may hold blanks: it ends before two of them. */
static void read_program(const char *at, struct tct_sos_socket *told)
{
	uint64_t pid;
	size_t i;

	at += strspn(at, " ");
	if (!tct_sos_number(&at, INT32_MAX, &pid) || *at != '/' || pid == 0)
		return;
	at++;
	told->pid = (int32_t)pid;
	for (i = 0;
	     i + 1 < sizeof(told->comm) && at[i] != '\0' && (at[i] != ' ' || at[i + 1] != ' '); i++)
		told->comm[i] = at[i] >= ' ' && at[i] <= '~' ? at[i] : '?';
	while (i > 0 && told->comm[i - 1] == ' ')
		i--;
	told->comm[i] = '\0';
}

static bool read_number(const char **at, uint32_t *number)
{
	const char *word;
	size_t length = tct_sos_word(at, &word);
	uint64_t value;

	if (!tct_sos_whole_number(word, length, UINT32_MAX, &value))
		return false;
	*number = (uint32_t)value;
	return true;
}

static bool read_socket(const char *line, const char *at, struct tct_sos_socket *told)
{
	struct tct_tcp_socket *socket = &told->socket;
	const char *word;
	size_t length;
	const char *behind;

	if (!read_number(&at, &socket->receive_queue) || !read_number(&at, &socket->send_queue))
		return false;
	length = tct_sos_word(&at, &word);
	if (!read_endpoint(word, length, socket->family, socket->local, &socket->local_port))
		return false;
	length = tct_sos_word(&at, &word);
	if (!read_endpoint(word, length, socket->family, socket->peer, &socket->peer_port))
		return false;
	length = tct_sos_word(&at, &word);
	socket->state = find_state(word, length);
	if (socket->state == 0)
		return false;
	behind = at;
	if (!read_number(&at, &socket->uid) || !read_number(&at, &socket->inode)) {
		socket->uid = 0;
		at = behind;
	}
	read_program(at, told);
	read_timer(line, socket);
	return true;
}

enum tct_sos_line tct_netstat_line(const char *line, struct tct_sos_socket *socket)
{
	struct tct_sos_socket told = { .socket = tct_tcp_socket_untold(AF_UNSPEC) };
	const char *at = line;
	const char *word;
	size_t length = tct_sos_word(&at, &word);

	if (strncmp(line, "Active Internet connections", 27) == 0)
		return TCT_SOS_HEADING;
	if (length == 3 && memcmp(word, "tcp", 3) == 0)
		told.socket.family = AF_INET;
	else if (length == 4 && memcmp(word, "tcp6", 4) == 0)
		told.socket.family = AF_INET6;
	else
		return TCT_SOS_OTHER;
	if (!read_socket(line, at, &told))
		return TCT_SOS_MALFORMED;
	*socket = told;
	return TCT_SOS_SOCKET;
}
