#include "audit/observe/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "core/mem.h"

enum {
	CHUNK = 32768, /* the kernel fills no more at once */
	ATTEMPTS = 3,
	PATIENCE_S = 10, /* for one recv(); the answer is made while we wait, so it comes at once */
};

/* The member is in what the kernel told. */
#define IS_TOLD(length, member)                                                                    \
	((length) >=                                                                               \
	 offsetof(struct tcp_info, member) + sizeof(((const struct tcp_info *)NULL)->member))

static int64_t time_us(uint64_t us)
{
	return us <= INT64_MAX ? (int64_t)us : INT64_MAX;
}

/* Older kernels tell less. */
static void read_info(const struct nlattr *attribute, struct tct_tcp_socket *socket)
{
	struct tcp_info info = { 0 };
	size_t length = mnl_attr_get_payload_len(attribute);

	if (!IS_TOLD(length, tcpi_last_ack_recv))
		return;
	memcpy(&info, mnl_attr_get_payload(attribute),
	       length < sizeof(info) ? length : sizeof(info));
	socket->idle_ms = info.tcpi_last_data_recv < info.tcpi_last_ack_recv
				  ? info.tcpi_last_data_recv
				  : info.tcpi_last_ack_recv;
	socket->last_data_ms = info.tcpi_last_data_recv;
	socket->last_sent_ms = info.tcpi_last_data_sent;
	socket->rto_ms = info.tcpi_rto / 1000;
	socket->mss_bytes = info.tcpi_snd_mss;
	if (IS_TOLD(length, tcpi_notsent_bytes)) /* Linux 4.6 */
		socket->in_flight_bytes =
			info.tcpi_unacked > 0 && socket->send_queue > info.tcpi_notsent_bytes
				? (int64_t)socket->send_queue - info.tcpi_notsent_bytes
				: 0;
	if (!IS_TOLD(length, tcpi_sndbuf_limited)) /* Linux 4.10 */
		return;
	socket->busy_us = time_us(info.tcpi_busy_time);
	socket->rwnd_limited_us = time_us(info.tcpi_rwnd_limited);
	socket->sndbuf_limited_us = time_us(info.tcpi_sndbuf_limited);
}

static int read_attribute(const struct nlattr *attribute, void *data)
{
	struct tct_tcp_socket *socket = data;
	size_t length = mnl_attr_get_payload_len(attribute);
	const char *payload = mnl_attr_get_payload(attribute);
	uint32_t drops;

	switch (mnl_attr_get_type(attribute)) {
	case INET_DIAG_SKMEMINFO:
		if (length >= (SK_MEMINFO_DROPS + 1) * sizeof(drops)) {
			memcpy(&drops, payload + SK_MEMINFO_DROPS * sizeof(drops), sizeof(drops));
			socket->drops = drops;
		}
		break;
	case INET_DIAG_INFO:
		read_info(attribute, socket);
		break;
	case INET_DIAG_SKV6ONLY:
		socket->v6only = length >= 1 && payload[0] != 0;
		break;
	case INET_DIAG_SHUTDOWN: /* told of whole sockets, and only of them */
		socket->full = true;
		break;
	case INET_DIAG_CGROUP_ID:
		if (length >= sizeof(socket->cgroup))
			memcpy(&socket->cgroup, payload, sizeof(socket->cgroup));
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

int tct_diag_parse(const struct nlmsghdr *message, struct tct_tcp_socket *socket)
{
	struct inet_diag_msg answer;

	/* the kernel pads every attribute, and libmnl reads up to the padding's end */
	if (mnl_nlmsg_get_payload_len(message) < sizeof(answer) ||
	    message->nlmsg_len % MNL_ALIGNTO != 0)
		return -EBADMSG;
	memcpy(&answer, mnl_nlmsg_get_payload(message), sizeof(answer));
	if (answer.idiag_family != AF_INET && answer.idiag_family != AF_INET6)
		return -EBADMSG;

	size_t address = answer.idiag_family == AF_INET ? 4 : 16;

	*socket = tct_tcp_socket_untold(answer.idiag_family);
	socket->state = tct_tcp_state(answer.idiag_state);
	socket->timer = answer.idiag_timer;
	socket->retransmits = answer.idiag_retrans;
	socket->expires_ms = answer.idiag_expires;
	socket->local_port = ntohs(answer.id.idiag_sport);
	socket->peer_port = ntohs(answer.id.idiag_dport);
	socket->interface = answer.id.idiag_if;
	socket->cookie = (uint64_t)answer.id.idiag_cookie[1] << 32 | answer.id.idiag_cookie[0];
	socket->receive_queue = answer.idiag_rqueue;
	socket->send_queue = answer.idiag_wqueue;
	socket->uid = answer.idiag_uid;
	socket->inode = answer.idiag_inode;
	memcpy(socket->local, answer.id.idiag_src, address);
	memcpy(socket->peer, answer.id.idiag_dst, address);
	if (mnl_attr_parse(message, sizeof(answer), read_attribute, socket) < 0)
		return -EBADMSG;
	return 0;
}

/* True if the socket was told a moment ago: its bucket changed between two chunks. */
static bool is_repeated(struct tct_diag_stream *stream, uint64_t cookie)
{
	bool found = false;

	if (cookie == 0)
		return false;
	for (unsigned i = 0; i < TCT_DIAG_RECENT; i++)
		found |= stream->recent[i] == cookie;
	if (!found) {
		stream->recent[stream->recent_next] = cookie;
		stream->recent_next = (stream->recent_next + 1) % TCT_DIAG_RECENT;
	}
	return found;
}

/* The errno at the start of NLMSG_ERROR and NLMSG_DONE; 0 where there is none. */
static int told_error(const struct nlmsghdr *message)
{
	int code = 0;

	if (mnl_nlmsg_get_payload_len(message) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
	return code;
}

static int take_message(struct tct_diag_stream *stream, const struct nlmsghdr *message)
{
	struct tct_tcp_socket socket;
	int code;

	if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		stream->interrupted = true;
	switch (message->nlmsg_type) {
	case NLMSG_ERROR:
		code = told_error(message);
		return code > 0 ? -EBADMSG : code;
	case NLMSG_DONE:
		code = told_error(message);
		return code < 0 ? code : 1;
	case NLMSG_OVERRUN:
		return -ENOBUFS;
	case SOCK_DIAG_BY_FAMILY:
	case TCPDIAG_GETSOCK:
		code = tct_diag_parse(message, &socket);
		if (code < 0)
			return code;
		if (is_repeated(stream, socket.cookie))
			return 0;
		code = stream->visitor->visit(stream->visitor->context, &socket);
		stream->enough |= code > 0;
		return code;
	default:
		return 0;
	}
}

/* mnl_nlmsg_ok() takes a length beyond INT_MAX for a negative one, and so for a good one. */
static bool is_whole(const struct nlmsghdr *message, int left)
{
	return left >= (int)sizeof(*message) && message->nlmsg_len <= (unsigned)left &&
	       mnl_nlmsg_ok(message, left);
}

int tct_diag_take(struct tct_diag_stream *stream, const void *chunk, size_t length)
{
	const struct nlmsghdr *message = chunk;
	int left = length > INT32_MAX ? INT32_MAX : (int)length;

	while (is_whole(message, left)) {
		if (message->nlmsg_seq == stream->sequence && message->nlmsg_pid == stream->port) {
			int result = take_message(stream, message);

			if (result != 0)
				return result;
		}
		message = mnl_nlmsg_next(message, &left);
	}
	return left > 0 ? -EBADMSG : 0;
}

/* Bytes that a request takes at most. */
static size_t request_bytes(const struct tct_diag_query *query)
{
	return 256 + (query->filter != NULL ? query->filter->bytes : 0);
}

/* Write the request into buffer. family counts only for TCT_DIAG_BY_FAMILY. */
static struct nlmsghdr *build_request(void *buffer, enum tct_diag_way way, uint8_t family,
				      const struct tct_diag_query *query)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	uint8_t extensions = 0;

	if (query->memory)
		extensions |= 1 << (INET_DIAG_SKMEMINFO - 1);
	if (query->info)
		extensions |= 1 << (INET_DIAG_INFO - 1);
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	if (way == TCT_DIAG_BOTH_FAMILIES) {
		struct inet_diag_req *request;

		message->nlmsg_type = TCPDIAG_GETSOCK;
		request = mnl_nlmsg_put_extra_header(message, sizeof(*request));
		request->idiag_family = AF_INET;
		request->idiag_ext = extensions;
		request->idiag_states = query->states;
	} else {
		struct inet_diag_req_v2 *request;

		message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
		request = mnl_nlmsg_put_extra_header(message, sizeof(*request));
		request->sdiag_family = family;
		request->sdiag_protocol = IPPROTO_TCP;
		request->idiag_ext = extensions;
		request->idiag_states = query->states;
	}
	if (query->filter != NULL && query->filter->code != NULL)
		mnl_attr_put(message, INET_DIAG_REQ_BYTECODE, query->filter->bytes,
			     query->filter->code);
	return message;
}

static void close_netlink(struct mnl_socket **netlink)
{
	if (*netlink != NULL)
		(void)mnl_socket_close(*netlink);
}

/* A failed call's errno; never 0. */
static int last_error(void)
{
	return errno > 0 ? -errno : -EIO;
}

static int open_netlink(struct mnl_socket **out)
{
	TCT_AUTO(close_netlink)
	struct mnl_socket *netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	const struct timeval patience = { .tv_sec = PATIENCE_S };

	if (netlink == NULL)
		return last_error();
	if (mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0)
		return last_error();
	if (setsockopt(mnl_socket_get_fd(netlink), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0)
		return last_error();
	*out = TCT_STEAL(netlink);
	return 0;
}

/* 1 = the whole answer came, or the visitor has enough; -errno. */
static int receive(const struct mnl_socket *netlink, struct tct_diag_stream *stream)
{
	alignas(struct nlmsghdr) char chunk[CHUNK];
	int result;

	do {
		ssize_t length;

		do {
			length = mnl_socket_recvfrom(netlink, chunk, sizeof(chunk));
		} while (length < 0 && errno == EINTR);
		if (length < 0)
			return errno == EAGAIN ? -ETIMEDOUT : last_error();
		if (length == 0)
			return -EBADMSG;
		result = tct_diag_take(stream, chunk, (size_t)length);
	} while (result == 0);
	return result;
}

/* One request and its answer, on a socket of its own, so that nothing of an aborted dump is left
 * over. */
static int dump_once(struct tct_diag *diag, uint8_t family, const struct tct_diag_query *query,
		     struct tct_diag_stream *stream)
{
	TCT_AUTOFREE void *buffer = calloc(1, request_bytes(query));
	TCT_AUTO(close_netlink) struct mnl_socket *netlink = NULL;
	struct nlmsghdr *message;
	int result;

	if (buffer == NULL)
		return -ENOMEM;
	message = build_request(buffer, diag->way, family, query);
	result = open_netlink(&netlink);
	if (result < 0)
		return result;
	message->nlmsg_seq = ++diag->sequence;
	stream->sequence = message->nlmsg_seq;
	stream->port = mnl_socket_get_portid(netlink);
	while (mnl_socket_sendto(netlink, message, message->nlmsg_len) < 0) {
		if (errno != EINTR)
			return last_error();
	}
	result = receive(netlink, stream);
	if (result < 0)
		return result;
	return stream->enough ? 1 : 0;
}

static int dump_families(struct tct_diag *diag, const struct tct_diag_query *query,
			 struct tct_diag_stream *stream)
{
	int result = dump_once(diag, AF_INET, query, stream);

	if (result == 0 && diag->way == TCT_DIAG_BY_FAMILY)
		result = dump_once(diag, AF_INET6, query, stream);
	return result;
}

/* This way of asking is not there or forbidden; another may be. */
static bool is_refusal(int result)
{
	return result < 0 && result != -ENOMEM && result != -ENOBUFS;
}

int tct_diag_dump(struct tct_diag *diag, const struct tct_diag_query *query,
		  const struct tct_tcp_visitor *visitor)
{
	int result = -EOPNOTSUPP;

	for (; diag->way < TCT_DIAG_REFUSED; diag->way++) {
		for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
			struct tct_diag_stream stream = { .visitor = visitor };

			visitor->restart(visitor->context);
			result = dump_families(diag, query, &stream);
			if (result == 0 && stream.interrupted && attempt + 1 == ATTEMPTS)
				diag->interrupted = true;
			if (result != -ENOBUFS && !(result == 0 && stream.interrupted))
				break;
		}
		if (!is_refusal(result))
			break;
	}
	return result;
}
