/* The command line of tcpherd. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/bench/herd.h"

enum {
	HERD_DEFAULT_FOR_S = 300,
	HERD_MOST_FOR_S = 3600,
	HERD_DEFAULT_PORT = 8080,
	HERD_DEFAULT_RATE = 60000,
	HERD_DEFAULT_BUCKETS = 524288, /* the most that a kernel takes by itself: a server's */
	HERD_MOST_BUCKETS = 1 << 24,
	HERD_MOST_TIME_WAIT = 500000, /* what can be made well within the minute that they last */
};

static const struct {
	const char *name;
	unsigned listeners;
	unsigned per_client; /* connections; 0 = one client address */
} herd_kinds[] = {
	[HERD_INCOMING] = { "incoming", 1, 100 },
	[HERD_BOTH] = { "both", 1, 100 },
	[HERD_PROXY] = { "proxy", 10, 0 },
	[HERD_TIME_WAIT] = { "timewait", 1, 100 },
};

static void herd_usage(void)
{
	lab_exit(
		LAB_EXIT_USAGE,
		"usage: tcpherd incoming|both|proxy|timewait --count CONNECTIONS [--for SECONDS]\n"
		"       [--port P] [--listeners N] [--clients N] [--keepalive] [--rate PER_SECOND]\n"
		"       [--buckets N]");
}

static unsigned herd_number(const char *text, unsigned least, unsigned most)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || number < least || number > most)
		lab_exit(LAB_EXIT_USAGE, "%s: not a number from %u to %u", text, least, most);
	return (unsigned)number;
}

static const struct option herd_long_options[] = {
	{ "count", required_argument, NULL, 'c' },
	{ "for", required_argument, NULL, 'f' },
	{ "port", required_argument, NULL, 'p' },
	{ "listeners", required_argument, NULL, 'l' },
	{ "clients", required_argument, NULL, 'n' },
	{ "keepalive", no_argument, NULL, 'k' },
	{ "rate", required_argument, NULL, 'r' },
	{ "buckets", required_argument, NULL, 'b' },
	{ NULL, 0, NULL, 0 },
};

static void herd_parse_options(int argc, char **argv, struct herd_options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "", herd_long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->count = herd_number(optarg, 1, HERD_MOST_CONNECTIONS);
			break;
		case 'f':
			options->for_ns = herd_number(optarg, 1, HERD_MOST_FOR_S) * LAB_SECOND_NS;
			break;
		case 'p':
			options->port = (uint16_t)herd_number(optarg, 1, 9999);
			break;
		case 'l':
			options->listeners = herd_number(optarg, 1, HERD_MOST_LISTENERS);
			break;
		case 'n':
			options->clients = herd_number(optarg, 1, HERD_MOST_CLIENTS);
			break;
		case 'k':
			options->keepalive = true;
			break;
		case 'r':
			options->rate = herd_number(optarg, 1, 1000000);
			break;
		case 'b':
			options->buckets = herd_number(optarg, 0, HERD_MOST_BUCKETS);
			break;
		default:
			herd_usage();
		}
	}
	if (optind != argc || !options->count)
		herd_usage();
}

static void herd_complete(struct herd_options *options)
{
	const unsigned per_client = herd_kinds[options->kind].per_client;

	if (!options->listeners)
		options->listeners = herd_kinds[options->kind].listeners;
	if (!options->clients)
		options->clients = per_client ? (options->count + per_client - 1) / per_client : 1;
	if (options->count / options->listeners / options->clients > HERD_MOST_PER_PAIR)
		lab_exit(LAB_EXIT_USAGE, "more than %d connections per client and listener",
			 HERD_MOST_PER_PAIR);
	if (options->kind == HERD_TIME_WAIT && options->count > HERD_MOST_TIME_WAIT)
		lab_exit(LAB_EXIT_USAGE, "at most %d connections in TIME_WAIT",
			 HERD_MOST_TIME_WAIT);
}

void herd_parse(int argc, char **argv, struct herd_options *options)
{
	size_t kind = 0;

	while (kind < TCT_COUNT(herd_kinds) &&
	       (argc < 2 || strcmp(argv[1], herd_kinds[kind].name) != 0))
		kind++;
	if (kind == TCT_COUNT(herd_kinds))
		herd_usage();
	*options = (struct herd_options){ .kind = (enum herd_kind)kind,
					  .port = HERD_DEFAULT_PORT,
					  .rate = HERD_DEFAULT_RATE,
					  .buckets = HERD_DEFAULT_BUCKETS,
					  .for_ns = HERD_DEFAULT_FOR_S * LAB_SECOND_NS };
	herd_parse_options(argc - 1, argv + 1, options);
	herd_complete(options);
}
