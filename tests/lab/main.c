/* The command line of tcplab. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/lab/actor.h"

enum {
	LAB_DEFAULT_FOR_S = 60,
	LAB_MOST_FOR_S = 600,
	LAB_MOST_COUNT = 100000,
	LAB_MOST_RATE = 20000,
	LAB_MOST_BURST = 1000,
};

enum lab_command_bit {
	LAB_LISTEN = 1,
	LAB_CONNECT = 2,
	LAB_SYNFLOOD = 4,
	LAB_HOLD = 8,
	LAB_RELAY = 16,
};

struct lab_command {
	const char *name;
	enum lab_command_bit bit;
	void (*run)(const struct lab_options *options);
};

static const struct lab_command lab_commands[] = {
	{ "listen", LAB_LISTEN, lab_listen },       { "connect", LAB_CONNECT, lab_connect },
	{ "synflood", LAB_SYNFLOOD, lab_synflood }, { "hold", LAB_HOLD, lab_hold },
	{ "relay", LAB_RELAY, lab_relay },
};

enum lab_option {
	LAB_OPTION_ADDRESS = 1,
	LAB_OPTION_PORT,
	LAB_OPTION_BACKLOG,
	LAB_OPTION_NO_ACCEPT,
	LAB_OPTION_ACCEPT_AND_CLOSE,
	LAB_OPTION_ACCEPT_AND_HOLD,
	LAB_OPTION_LEAK,
	LAB_OPTION_ECHO,
	LAB_OPTION_KEEPALIVE,
	LAB_OPTION_TO,
	LAB_OPTION_COUNT,
	LAB_OPTION_HOLD,
	LAB_OPTION_CLOSE_AFTER,
	LAB_OPTION_CHURN,
	LAB_OPTION_EXCHANGE,
	LAB_OPTION_PEER_CLOSES,
	LAB_OPTION_NONBLOCKING,
	LAB_OPTION_FROM,
	LAB_OPTION_RATE,
	LAB_OPTION_SPOOF_NET,
	LAB_OPTION_FOR,
	LAB_OPTION_ABORT,
	LAB_OPTION_REUSEPORT,
	LAB_OPTION_V6ONLY,
	LAB_OPTION_NO_READ,
	LAB_OPTION_RCVBUF,
	LAB_OPTION_SEND,
	LAB_OPTION_TALK,
	LAB_OPTION_IMPATIENT,
	LAB_OPTION_BURST,
	LAB_OPTION_ONWARD,
	LAB_OPTION_LIMIT,
};

static const struct option lab_long_options[] = {
	{ "address", required_argument, NULL, LAB_OPTION_ADDRESS },
	{ "port", required_argument, NULL, LAB_OPTION_PORT },
	{ "backlog", required_argument, NULL, LAB_OPTION_BACKLOG },
	{ "no-accept", no_argument, NULL, LAB_OPTION_NO_ACCEPT },
	{ "accept-and-close", no_argument, NULL, LAB_OPTION_ACCEPT_AND_CLOSE },
	{ "accept-and-hold", no_argument, NULL, LAB_OPTION_ACCEPT_AND_HOLD },
	{ "leak", no_argument, NULL, LAB_OPTION_LEAK },
	{ "echo", no_argument, NULL, LAB_OPTION_ECHO },
	{ "keepalive", no_argument, NULL, LAB_OPTION_KEEPALIVE },
	{ "to", required_argument, NULL, LAB_OPTION_TO },
	{ "count", required_argument, NULL, LAB_OPTION_COUNT },
	{ "hold", no_argument, NULL, LAB_OPTION_HOLD },
	{ "close-after", required_argument, NULL, LAB_OPTION_CLOSE_AFTER },
	{ "churn", required_argument, NULL, LAB_OPTION_CHURN },
	{ "exchange", required_argument, NULL, LAB_OPTION_EXCHANGE },
	{ "peer-closes", no_argument, NULL, LAB_OPTION_PEER_CLOSES },
	{ "nonblocking", no_argument, NULL, LAB_OPTION_NONBLOCKING },
	{ "from", required_argument, NULL, LAB_OPTION_FROM },
	{ "rate", required_argument, NULL, LAB_OPTION_RATE },
	{ "spoof-net", required_argument, NULL, LAB_OPTION_SPOOF_NET },
	{ "for", required_argument, NULL, LAB_OPTION_FOR },
	{ "abort", no_argument, NULL, LAB_OPTION_ABORT },
	{ "reuseport", no_argument, NULL, LAB_OPTION_REUSEPORT },
	{ "v6only", no_argument, NULL, LAB_OPTION_V6ONLY },
	{ "no-read", no_argument, NULL, LAB_OPTION_NO_READ },
	{ "rcvbuf", required_argument, NULL, LAB_OPTION_RCVBUF },
	{ "send", required_argument, NULL, LAB_OPTION_SEND },
	{ "talk", required_argument, NULL, LAB_OPTION_TALK },
	{ "impatient", no_argument, NULL, LAB_OPTION_IMPATIENT },
	{ "burst", required_argument, NULL, LAB_OPTION_BURST },
	{ "onward", required_argument, NULL, LAB_OPTION_ONWARD },
	{ NULL, 0, NULL, 0 },
};

/* Which commands understand an option. */
static const unsigned lab_option_commands[LAB_OPTION_LIMIT] = {
	[LAB_OPTION_ADDRESS] = LAB_LISTEN | LAB_RELAY,
	[LAB_OPTION_PORT] = LAB_LISTEN | LAB_CONNECT | LAB_SYNFLOOD | LAB_RELAY,
	[LAB_OPTION_BACKLOG] = LAB_LISTEN | LAB_RELAY,
	[LAB_OPTION_NO_ACCEPT] = LAB_LISTEN,
	[LAB_OPTION_ACCEPT_AND_CLOSE] = LAB_LISTEN,
	[LAB_OPTION_ACCEPT_AND_HOLD] = LAB_LISTEN,
	[LAB_OPTION_LEAK] = LAB_LISTEN,
	[LAB_OPTION_ECHO] = LAB_LISTEN,
	[LAB_OPTION_KEEPALIVE] = LAB_LISTEN | LAB_CONNECT | LAB_RELAY,
	[LAB_OPTION_TO] = LAB_CONNECT | LAB_SYNFLOOD,
	[LAB_OPTION_COUNT] = LAB_CONNECT | LAB_SYNFLOOD,
	[LAB_OPTION_HOLD] = LAB_CONNECT,
	[LAB_OPTION_CLOSE_AFTER] = LAB_CONNECT,
	[LAB_OPTION_CHURN] = LAB_CONNECT,
	[LAB_OPTION_EXCHANGE] = LAB_CONNECT,
	[LAB_OPTION_PEER_CLOSES] = LAB_CONNECT,
	[LAB_OPTION_NONBLOCKING] = LAB_CONNECT,
	[LAB_OPTION_FROM] = LAB_CONNECT,
	[LAB_OPTION_RATE] = LAB_SYNFLOOD,
	[LAB_OPTION_SPOOF_NET] = LAB_SYNFLOOD,
	[LAB_OPTION_FOR] = LAB_LISTEN | LAB_CONNECT | LAB_SYNFLOOD | LAB_HOLD | LAB_RELAY,
	[LAB_OPTION_ABORT] = LAB_LISTEN | LAB_CONNECT,
	[LAB_OPTION_REUSEPORT] = LAB_LISTEN,
	[LAB_OPTION_V6ONLY] = LAB_LISTEN,
	[LAB_OPTION_NO_READ] = LAB_LISTEN,
	[LAB_OPTION_RCVBUF] = LAB_LISTEN | LAB_CONNECT,
	[LAB_OPTION_SEND] = LAB_LISTEN | LAB_CONNECT,
	[LAB_OPTION_TALK] = LAB_CONNECT,
	[LAB_OPTION_IMPATIENT] = LAB_CONNECT,
	[LAB_OPTION_BURST] = LAB_CONNECT,
	[LAB_OPTION_ONWARD] = LAB_RELAY,
};

static void lab_usage(void)
{
	lab_exit(
		LAB_EXIT_USAGE,
		"usage:\n"
		"  listen --address A --port P [--backlog N] [--keepalive] [--no-accept |\n"
		"         --accept-and-close | --accept-and-hold | --leak | --echo]\n"
		"         [--reuseport] [--v6only] [--abort] [--no-read] [--send BYTES]\n"
		"         [--rcvbuf BYTES]\n"
		"  connect --to A --port P --count N [--hold | --close-after S] [--nonblocking]\n"
		"         [--keepalive] [--from A[-B]] [--abort] [--send BYTES] [--rcvbuf BYTES]\n"
		"         [--talk RATE --exchange BYTES [--impatient]]\n"
		"  connect --to A --port P --churn RATE [--exchange BYTES | --peer-closes]\n"
		"         [--count N] [--keepalive] [--from A[-B]] [--abort] [--burst N]\n"
		"  relay --address A --port P --onward A:P [--backlog N] [--keepalive]\n"
		"  synflood --to A --port P --rate N --count N --spoof-net 10.9.0.0/16\n"
		"  hold\n"
		"each with --for SECONDS (%d, at most %d)\n"
		"--abort: close() sends a RST. --send: as soon as connected. --talk: RATE times a\n"
		"second one of the connections sends BYTES and wants them back from an --echo, and\n"
		"before it asks again (unless --impatient).\n"
		"listen and connect obey SIGUSR1 (close all connections) and SIGUSR2 (shut down\n"
		"all for writing), and stay; listen also SIGHUP (hang, until the next SIGHUP).",
		LAB_DEFAULT_FOR_S, LAB_MOST_FOR_S);
}

static unsigned lab_parse_number(const char *text, unsigned most)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text < '0' || *text > '9' || number > most)
		lab_exit(LAB_EXIT_USAGE, "%s: not a number from 0 to %u", text, most);
	return (unsigned)number;
}

static int64_t lab_parse_seconds(const char *text)
{
	double seconds;
	char *end;

	errno = 0;
	seconds = strtod(text, &end);
	if (errno || end == text || *end || !isfinite(seconds) || seconds < 0 ||
	    seconds > LAB_MOST_FOR_S)
		lab_exit(LAB_EXIT_USAGE, "%s: not a time from 0 to %d seconds", text,
			 LAB_MOST_FOR_S);
	return (int64_t)(seconds * (double)LAB_SECOND_NS);
}

static void lab_parse_address(const char *text, struct lab_options *options)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(&options->address, &v4, sizeof(v4));
		options->address_size = sizeof(v4);
	} else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(&options->address, &v6, sizeof(v6));
		options->address_size = sizeof(v6);
	} else {
		lab_exit(LAB_EXIT_USAGE, "%s: not an IP address", text);
	}
}

static void lab_set_port(struct lab_options *options, uint16_t port)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (options->address.ss_family == AF_INET) {
		memcpy(&v4, &options->address, sizeof(v4));
		v4.sin_port = htons(port);
		memcpy(&options->address, &v4, sizeof(v4));
	} else {
		memcpy(&v6, &options->address, sizeof(v6));
		v6.sin6_port = htons(port);
		memcpy(&options->address, &v6, sizeof(v6));
	}
}

/* "10.78.1.2:7000": the relay's next station, IPv4 */
static void lab_parse_onward(char *text, struct lab_options *options)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	char *colon = strchr(text, ':');

	if (colon)
		*colon = '\0';
	if (!colon || inet_pton(AF_INET, text, &v4.sin_addr) != 1)
		lab_exit(LAB_EXIT_USAGE, "--onward: not IPV4:PORT");
	v4.sin_port = htons((uint16_t)lab_parse_number(colon + 1, UINT16_MAX));
	memcpy(&options->onward, &v4, sizeof(v4));
	options->onward_size = sizeof(v4);
}

/* "10.8.0.1" or "10.8.0.1-10.8.0.50" */
static void lab_parse_from(char *text, struct lab_options *options)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash = '\0';
	if (inet_pton(AF_INET, text, &options->from_first) != 1 ||
	    inet_pton(AF_INET, dash ? dash + 1 : text, &options->from_last) != 1 ||
	    ntohl(options->from_first.s_addr) > ntohl(options->from_last.s_addr))
		lab_exit(LAB_EXIT_USAGE, "--from: not an IPv4 address or range");
}

static void lab_parse_net(char *text, struct lab_options *options)
{
	char *slash = strchr(text, '/');

	if (slash)
		*slash = '\0';
	if (!slash || inet_pton(AF_INET, text, &options->spoof_net) != 1)
		lab_exit(LAB_EXIT_USAGE, "--spoof-net: not an IPv4 network");
	options->spoof_prefix = lab_parse_number(slash + 1, 24);
}

/* An option without an argument; false if it is none. */
static bool lab_parse_flag(int option, struct lab_options *options)
{
	switch (option) {
	case LAB_OPTION_NO_ACCEPT:
		options->listen_mode = LAB_NO_ACCEPT;
		break;
	case LAB_OPTION_ACCEPT_AND_CLOSE:
		options->listen_mode = LAB_ACCEPT_AND_CLOSE;
		break;
	case LAB_OPTION_ACCEPT_AND_HOLD:
		options->listen_mode = LAB_ACCEPT_AND_HOLD;
		break;
	case LAB_OPTION_LEAK:
		options->listen_mode = LAB_LEAK;
		break;
	case LAB_OPTION_ECHO:
		options->listen_mode = LAB_ECHO;
		break;
	case LAB_OPTION_KEEPALIVE:
		options->keepalive = true;
		break;
	case LAB_OPTION_HOLD:
		options->close_after_ns = -1;
		break;
	case LAB_OPTION_PEER_CLOSES:
		options->peer_closes = true;
		break;
	case LAB_OPTION_ABORT:
		options->abort = true;
		break;
	case LAB_OPTION_REUSEPORT:
		options->reuseport = true;
		break;
	case LAB_OPTION_V6ONLY:
		options->v6only = true;
		break;
	case LAB_OPTION_NO_READ:
		options->no_read = true;
		break;
	case LAB_OPTION_IMPATIENT:
		options->impatient = true;
		break;
	case LAB_OPTION_NONBLOCKING:
		options->nonblocking = true;
		break;
	default:
		return false;
	}
	return true;
}

static void lab_parse_option(int option, char *argument, struct lab_options *options, int *port)
{
	if (lab_parse_flag(option, options))
		return;
	switch (option) {
	case LAB_OPTION_ADDRESS:
	case LAB_OPTION_TO:
		lab_parse_address(argument, options);
		break;
	case LAB_OPTION_PORT:
		*port = (int)lab_parse_number(argument, UINT16_MAX);
		break;
	case LAB_OPTION_BACKLOG:
		options->backlog = (int)lab_parse_number(argument, INT32_MAX);
		break;
	case LAB_OPTION_COUNT:
		options->count = lab_parse_number(argument, LAB_MOST_COUNT);
		break;
	case LAB_OPTION_CLOSE_AFTER:
		options->close_after_ns = lab_parse_seconds(argument);
		break;
	case LAB_OPTION_CHURN:
	case LAB_OPTION_RATE:
		options->rate = lab_parse_number(argument, LAB_MOST_RATE);
		if (!options->rate)
			lab_exit(LAB_EXIT_USAGE, "a rate of 0 does nothing");
		break;
	case LAB_OPTION_EXCHANGE:
		options->exchange = lab_parse_number(argument, 4096);
		break;
	case LAB_OPTION_RCVBUF:
		options->rcvbuf_bytes = (int)lab_parse_number(argument, INT32_MAX);
		break;
	case LAB_OPTION_SEND:
		options->send_bytes = lab_parse_number(argument, INT32_MAX);
		break;
	case LAB_OPTION_TALK:
		options->talk = lab_parse_number(argument, LAB_MOST_RATE);
		break;
	case LAB_OPTION_BURST:
		options->burst = lab_parse_number(argument, LAB_MOST_BURST);
		break;
	case LAB_OPTION_ONWARD:
		lab_parse_onward(argument, options);
		break;
	case LAB_OPTION_FROM:
		lab_parse_from(argument, options);
		break;
	case LAB_OPTION_SPOOF_NET:
		lab_parse_net(argument, options);
		break;
	case LAB_OPTION_FOR:
		options->for_ns = lab_parse_seconds(argument);
		break;
	default:
		break;
	}
}

static void lab_parse(int argc, char **argv, const struct lab_command *command,
		      struct lab_options *options)
{
	int port = -1;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", lab_long_options, NULL)) != -1) {
		if (option == '?' || !(lab_option_commands[option] & (unsigned)command->bit))
			lab_exit(LAB_EXIT_USAGE, "%s: wrong option before argument %d",
				 command->name, optind);
		lab_parse_option(option, optarg, options, &port);
	}
	if (optind != argc)
		lab_exit(LAB_EXIT_USAGE, "%s: not expected", argv[optind]);
	if (command->bit == LAB_HOLD)
		return;
	if (!options->address_size || port < 0)
		lab_exit(LAB_EXIT_USAGE, "%s needs an address and a port", command->name);
	lab_set_port(options, (uint16_t)port);
	if (command->bit == LAB_RELAY && !options->onward_size)
		lab_exit(LAB_EXIT_USAGE, "relay needs --onward");
	if (options->talk && !options->exchange)
		lab_exit(LAB_EXIT_USAGE, "--talk needs --exchange");
	if (!(command->bit & (LAB_LISTEN | LAB_RELAY)) && !options->rate && !options->count)
		lab_exit(LAB_EXIT_USAGE, "%s needs --count", command->name);
}

int main(int argc, char **argv)
{
	struct lab_options options = {
		.backlog = 128,
		.close_after_ns = -1,
		.for_ns = LAB_DEFAULT_FOR_S * LAB_SECOND_NS,
	};
	const pid_t parent = getppid();

	if (argc < 2)
		lab_usage();
	/* No orphans: when the script is gone, so are we. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		lab_exit(LAB_EXIT_FAILED, "prctl: %s", strerror(errno));
	if (getppid() != parent)
		return LAB_EXIT_FAILED;
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		lab_exit(LAB_EXIT_FAILED, "signal: %s", strerror(errno));
	for (size_t i = 0; i < TCT_COUNT(lab_commands); i++) {
		if (strcmp(argv[1], lab_commands[i].name) != 0)
			continue;
		lab_parse(argc - 1, argv + 1, &lab_commands[i], &options);
		lab_commands[i].run(&options);
		return EXIT_SUCCESS;
	}
	lab_usage();
}
