#include "audit/observe/nat.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include "core/mem.h"

enum {
	NAMES_MAX = 4096,
	CONNECTIONS_MAX = 1 << 16, /* bytes of /proc/net/nf_conntrack */
	BUILTIN_MAX = 1 << 20,
	CHUNK = 32768,
	CHUNKS_MAX = 4096,
	PATIENCE_S = 2,
};

/* What one source says. */
enum answer {
	ANSWER_NO,     /* nothing is translated by it, or it isn't there */
	ANSWER_YES,    /* evidence is filled in */
	ANSWER_DENIED, /* it may not be looked at */
};

/* The word behind "name=" at or after *at, which is moved behind it. False if there is none. */
static bool next_field(const char **at, const char *name, char out[64])
{
	const char *found = strstr(*at, name);
	size_t length;

	if (found == NULL)
		return false;
	found += strlen(name);
	length = strcspn(found, " \n");
	if (length == 0 || length >= 64)
		return false;
	memcpy(out, found, length);
	out[length] = '\0';
	*at = found + length;
	return true;
}

bool tct_nat_is_translated(const char *line)
{
	char source[64];
	char destination[64];
	char ports[2][64] = { "", "" };
	char reply_source[64];
	char reply_destination[64];
	char reply_ports[2][64] = { "", "" };
	const char *at = line;
	const char *rest;

	if (!next_field(&at, " src=", source) || !next_field(&at, " dst=", destination))
		return false;
	rest = strstr(at, " src=");
	if (rest == NULL)
		return false;
	/* ports, where the protocol has some; those of the first half stand before `rest` */
	if (!next_field(&at, " sport=", ports[0]) || !next_field(&at, " dport=", ports[1]) ||
	    at > rest)
		ports[0][0] = ports[1][0] = '\0';
	at = rest;
	if (!next_field(&at, " src=", reply_source) || !next_field(&at, " dst=", reply_destination))
		return false;
	if (strcmp(source, reply_destination) != 0 || strcmp(destination, reply_source) != 0)
		return true;
	if (ports[0][0] == '\0' || !next_field(&at, " sport=", reply_ports[0]) ||
	    !next_field(&at, " dport=", reply_ports[1]))
		return false;
	return strcmp(ports[0], reply_ports[1]) != 0 || strcmp(ports[1], reply_ports[0]) != 0;
}

static enum answer look_at_connections(const struct tct_root *root, char *evidence, size_t size)
{
	TCT_AUTOFREE char *text = malloc(CONNECTIONS_MAX);
	ssize_t length;
	char *rest = NULL;

	if (text == NULL)
		return ANSWER_DENIED;
	length = tct_root_read_beginning(root, "proc/net/nf_conntrack", text, CONNECTIONS_MAX);
	/*
	 * Only a yes counts: what isn't translated at this moment says little. Live it is the last
	 * resort: the kernel goes through the whole host's table for the part that is ours.
	 */
	if (length <= 0)
		return ANSWER_NO;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		/* the last line may be cut off; a half of a name differs from the whole */
		if ((rest == NULL || *rest == '\0') && length == CONNECTIONS_MAX - 1)
			break;
		if (tct_nat_is_translated(line)) {
			(void)snprintf(evidence, size,
				       "/proc/net/nf_conntrack: a translated connection");
			return ANSWER_YES;
		}
	}
	return ANSWER_NO;
}

static bool has_line(char *text, const char *wanted)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strcmp(line, wanted) == 0)
			return true;
	}
	return false;
}

/* Has the table, which is there, no rules, just a policy for each hook and its end? */
static bool is_empty_table(int family)
{
	TCT_AUTOCLOSE int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ipt_getinfo info = { .name = "nat" }; /* the same in ip6_tables */
	socklen_t length = sizeof(info);
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int option = family == AF_INET ? IPT_SO_GET_INFO : IP6T_SO_GET_INFO;

	_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "");
	if (fd < 0 || getsockopt(fd, level, option, &info, &length) < 0)
		return false;
	return info.num_entries <= (unsigned)__builtin_popcount(info.valid_hooks) + 1;
}

static enum answer look_at_ip_tables(const struct tct_root *root, int family, char *evidence,
				     size_t size)
{
	const char *path =
		family == AF_INET ? "proc/net/ip_tables_names" : "proc/net/ip6_tables_names";
	TCT_AUTOFREE char *names = NULL;
	int result = tct_root_read(root, path, NAMES_MAX, &names, NULL);

	if (result < 0)
		return result == -ENOENT ? ANSWER_NO : ANSWER_DENIED;
	if (!has_line(names, "nat") || (root->live && is_empty_table(family)))
		return ANSWER_NO;
	(void)snprintf(evidence, size, "/%s: nat", path);
	return ANSWER_YES;
}

struct chain {
	bool nat; /* a chain with a hook, of this type */
	uint32_t rules;
};

static int read_attribute(const struct nlattr *attribute, void *data)
{
	struct chain *chain = data;
	const char *payload = mnl_attr_get_payload(attribute);
	size_t length = mnl_attr_get_payload_len(attribute);

	if (mnl_attr_get_type(attribute) == NFTA_CHAIN_TYPE)
		chain->nat = length == sizeof("nat") && memcmp(payload, "nat", length) == 0;
	if (mnl_attr_get_type(attribute) == NFTA_CHAIN_USE && length == sizeof(chain->rules))
		memcpy(&chain->rules, payload, length); /* only 0 counts: no order of bytes */
	return MNL_CB_OK;
}

static bool translates(const struct nlmsghdr *message)
{
	struct chain chain = { 0 };

	/* libmnl reads attributes up to the padding's end, which must be in the message */
	return message->nlmsg_len % MNL_ALIGNTO == 0 &&
	       mnl_nlmsg_get_payload_len(message) >= sizeof(struct nfgenmsg) &&
	       mnl_attr_parse(message, sizeof(struct nfgenmsg), read_attribute, &chain) >= 0 &&
	       chain.nat && chain.rules != 0;
}

int tct_nat_take_chains(const void *chunk, size_t length)
{
	const struct nlmsghdr *message = chunk;
	int left = length > INT32_MAX ? INT32_MAX : (int)length;

	/* mnl_nlmsg_ok() takes a length beyond INT_MAX for a negative one, and so for a good one */
	while (left >= (int)sizeof(*message) && message->nlmsg_len <= (unsigned)left &&
	       mnl_nlmsg_ok(message, left)) {
		int code = 0;

		if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
			if (mnl_nlmsg_get_payload_len(message) >= sizeof(code))
				memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
			return code < 0 ? code : 2;
		}
		if (message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) &&
		    translates(message))
			return 1;
		message = mnl_nlmsg_next(message, &left);
	}
	return left > 0 ? -EBADMSG : 0;
}

/*
 * Asking for a subsystem of nfnetlink that isn't there makes the kernel load its module. So ask
 * only if it is there, or can't be loaded. DENIED = that can't be told.
 */
static enum answer may_ask_nf_tables(const struct tct_root *root)
{
	TCT_AUTOFREE char *list = NULL;
	struct utsname names;
	char path[sizeof(names.release) + 64];

	if (!tct_root_exists(root, "proc/net/netlink"))
		return ANSWER_DENIED;
	if (tct_root_exists(root, "sys/module/nf_tables") || !tct_root_exists(root, "proc/modules"))
		return ANSWER_YES;
	if (uname(&names) < 0)
		return ANSWER_DENIED;
	(void)snprintf(path, sizeof(path), "lib/modules/%s/modules.builtin", names.release);
	if (tct_root_read(root, path, BUILTIN_MAX, &list, NULL) < 0)
		return ANSWER_DENIED;
	return strstr(list, "/nf_tables.ko") != NULL ? ANSWER_YES : ANSWER_NO;
}

/* Dump the chains of all families. As tct_nat_take_chains(). */
static int ask_nf_tables(void)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	TCT_AUTOCLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	alignas(struct nlmsghdr) char request[64];
	TCT_AUTOFREE char *chunk = malloc(CHUNK);
	struct nlmsghdr *message = mnl_nlmsg_put_header(request);
	struct nfgenmsg *family;
	int result = 0;

	if (fd < 0)
		return -errno;
	if (chunk == NULL)
		return -ENOMEM;
	message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	family = mnl_nlmsg_put_extra_header(message, sizeof(*family));
	family->nfgen_family = AF_UNSPEC;
	family->version = NFNETLINK_V0;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    send(fd, message, message->nlmsg_len, 0) < 0)
		return -errno;
	for (unsigned i = 0; i < CHUNKS_MAX && result == 0; i++) {
		ssize_t got = recv(fd, chunk, CHUNK, 0);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got >= 0)
			result = tct_nat_take_chains(chunk, (size_t)got);
	}
	return result;
}

static enum answer look_at_nf_tables(const struct tct_root *root, char *evidence, size_t size)
{
	enum answer answer = may_ask_nf_tables(root);
	int result;

	if (answer != ANSWER_YES)
		return answer;
	result = ask_nf_tables();
	if (result == 1) {
		(void)snprintf(evidence, size, "nf_tables: a nat chain with rules");
		return ANSWER_YES;
	}
	/* EINVAL, EPROTONOSUPPORT: this kernel has none */
	return result == 2 || result == -EINVAL || result == -EPROTONOSUPPORT ? ANSWER_NO
									      : ANSWER_DENIED;
}

void tct_nat_look(const struct tct_root *root, struct tct_environment *environment)
{
	enum { SOURCES = 4 };
	size_t size = sizeof(environment->nat_evidence);
	char *evidence = environment->nat_evidence;
	bool denied = false;

	environment->nat_presence = TCT_PRESENT;
	for (unsigned i = 0; i < SOURCES; i++) {
		enum answer answer = ANSWER_NO;

		if (i < 2)
			answer = look_at_ip_tables(root, i == 0 ? AF_INET : AF_INET6, evidence,
						   size);
		else if (i == 2 && root->live)
			answer = look_at_nf_tables(root, evidence, size);
		else if (i == 3 && (denied || !root->live))
			answer = look_at_connections(root, evidence, size);
		environment->nat = answer == ANSWER_YES;
		if (environment->nat)
			return;
		denied |= answer == ANSWER_DENIED;
	}
	/* Files don't hold what nf_tables has. */
	if (!root->live)
		environment->nat_presence = TCT_NOT_LOOKED;
	else if (denied)
		environment->nat_presence = TCT_UNREADABLE;
}
