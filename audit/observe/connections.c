#include "audit/observe/connections.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/mem.h"

enum {
	ESTABLISHED = 1 << TCT_STATE_ESTABLISHED,
	CLOSING = 1 << TCT_STATE_CLOSE_WAIT,
	/* LISTEN is on no outgoing port, requests have no port of their own */
	OUTGOING = 1 << TCT_STATE_ESTABLISHED | 1 << TCT_STATE_SYN_SENT | 1 << TCT_STATE_FIN_WAIT1 |
		   1 << TCT_STATE_FIN_WAIT2 | 1 << TCT_STATE_TIME_WAIT | 1 << TCT_STATE_CLOSE_WAIT |
		   1 << TCT_STATE_LAST_ACK | 1 << TCT_STATE_CLOSING,
};

enum { MANY_SAMPLES = 12 };

/* One dump. */
struct walk {
	struct tct_connections *connections;
	struct tct_destinations *destinations; /* NULL = not counted */
	bool incoming;                         /* which ones are wanted */
	bool outgoing;
	int64_t limit; /* of the incoming ones; 0 = none */
};

void tct_connections_init(struct tct_connections *connections, struct tct_listening *listening,
			  const struct tct_local_ports *ports,
			  struct tct_cgroups *const cgroups[TCT_DIRECTIONS], int64_t sample_sockets,
			  bool info)
{
	*connections = (struct tct_connections){
		.listening = listening,
		.ports = ports,
		.sample_sockets = sample_sockets,
		.info = info,
		.incoming = -EAGAIN,
		.groups = { { .cgroups = cgroups[TCT_INCOMING] },
			    { .cgroups = cgroups[TCT_OUTGOING] } },
		.weights = { .direction = { 1, 1 }, .closing = 1 },
	};
}

void tct_connections_done(struct tct_connections *connections)
{
	for (size_t direction = 0; direction < TCT_DIRECTIONS; direction++)
		tct_owner_groups_done(&connections->groups[direction]);
	free(connections->windows);
	connections->windows = NULL;
}

static enum tct_direction direction_of(const struct tct_connections *connections,
				       const struct tct_tcp_socket *socket)
{
	return tct_port_is_outgoing(connections->ports, socket->local_port) ? TCT_OUTGOING
									    : TCT_INCOMING;
}

/* The listener that took it, among the listening ones; NULL if none did. */
static struct tct_listening_socket *listener_of(const struct tct_connections *connections,
						enum tct_direction direction,
						const struct tct_tcp_socket *socket)
{
	return direction == TCT_INCOMING ? tct_listening_find(connections->listening, socket)
					 : NULL;
}

static int add(struct tct_connections *connections, enum tct_direction direction,
	       const struct tct_listening_socket *item, const struct tct_tcp_socket *socket)
{
	return tct_owner_groups_add(&connections->groups[direction],
				    item != NULL ? item - connections->listening->items : -1,
				    socket);
}

static void restart(void *context)
{
	struct walk *walk = context;
	struct tct_connections *connections = walk->connections;

	if (walk->incoming) {
		connections->seen[TCT_INCOMING] = 0;
		connections->flight_untold[TCT_INCOMING] = 0;
		tct_owner_groups_clear(&connections->groups[TCT_INCOMING], false);
		tct_listening_forget_connections(connections->listening);
		if (connections->peers != NULL)
			tct_peers_clear(connections->peers);
	}
	if (walk->outgoing) {
		connections->seen[TCT_OUTGOING] = 0;
		connections->flight_untold[TCT_OUTGOING] = 0;
		tct_owner_groups_clear(&connections->groups[TCT_OUTGOING], false);
	}
	if (walk->destinations != NULL)
		tct_destinations_clear(walk->destinations);
}

static int visit(void *context, const struct tct_tcp_socket *socket)
{
	struct walk *walk = context;
	struct tct_connections *connections = walk->connections;
	enum tct_direction direction = direction_of(connections, socket);
	struct tct_listening_socket *item;
	int result;

	if (direction == TCT_OUTGOING ? !walk->outgoing : !walk->incoming)
		return 0;
	if (walk->destinations != NULL)
		tct_destinations_add(walk->destinations, socket);
	if (socket->state != TCT_STATE_ESTABLISHED)
		return 0;
	connections->seen[direction]++;
	connections->flight_untold[direction] += tct_socket_flight_is_untold(socket) ? 1 : 0;
	item = listener_of(connections, direction, socket);
	if (item != NULL)
		tct_listening_count_connection(item, socket);
	if (connections->peers != NULL && direction == TCT_INCOMING)
		tct_peers_add(connections->peers, socket,
			      item != NULL ? item - connections->listening->items : -1);
	result = add(connections, direction, item, socket);
	if (result < 0)
		return result;
	return walk->limit > 0 && connections->seen[direction] >= walk->limit;
}

static void restart_closing(void *context)
{
	struct tct_connections *connections = context;

	connections->seen_closing = 0;
	for (size_t direction = 0; direction < TCT_DIRECTIONS; direction++)
		tct_owner_groups_clear(&connections->groups[direction], true);
}

static int visit_closing(void *context, const struct tct_tcp_socket *socket)
{
	struct tct_connections *connections = context;
	enum tct_direction direction = direction_of(connections, socket);
	int result =
		add(connections, direction, listener_of(connections, direction, socket), socket);

	if (result < 0)
		return result;
	return ++connections->seen_closing >= TCT_SAMPLE_CLOSING;
}

/* Every ESTABLISHED one. */
static int look_at_all(struct tct_connections *connections, struct tct_diag *diag)
{
	struct walk walk = { .connections = connections, .incoming = true, .outgoing = true };
	const struct tct_diag_query query = { .states = ESTABLISHED, .info = connections->info };
	const struct tct_tcp_visitor visitor = { restart, visit, &walk };

	return tct_diag_dump(diag, &query, &visitor);
}

int tct_connections_look_incoming(struct tct_connections *connections, struct tct_diag *diag)
{
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };
	TCT_AUTOFREE struct tct_port_ranges *ranges = malloc(sizeof(*ranges));
	struct walk walk = {
		.connections = connections,
		.incoming = true,
		.limit = connections->sample_sockets,
	};
	const struct tct_diag_query query = {
		.states = ESTABLISHED,
		.info = connections->info,
		.filter = &filter,
	};
	const struct tct_tcp_visitor visitor = { restart, visit, &walk };

	connections->incoming = -ENOMEM;
	if (ranges == NULL)
		return -ENOMEM;
	tct_local_ports_ranges(connections->ports, false, ranges);
	connections->incoming = tct_diag_filter_local_ports(&filter, ranges->items, ranges->count);
	if (connections->incoming == 0)
		connections->incoming = tct_diag_dump(diag, &query, &visitor);
	return connections->incoming;
}

int tct_connections_look_outgoing(struct tct_connections *connections, struct tct_diag *diag,
				  const struct tct_port_ranges *ranges,
				  struct tct_destinations *destinations)
{
	TCT_AUTO(tct_diag_filter_done) struct tct_diag_filter filter = { 0 };
	struct walk walk = {
		.connections = connections,
		.destinations = destinations,
		.outgoing = true,
	};
	const struct tct_diag_query query = {
		.states = destinations != NULL ? OUTGOING : ESTABLISHED,
		.info = connections->info,
		.filter = &filter,
	};
	const struct tct_tcp_visitor visitor = { restart, visit, &walk };
	int result = tct_diag_filter_local_ports(&filter, ranges->items, ranges->count);

	if (result == 0)
		result = tct_diag_dump(diag, &query, &visitor);
	if (result == 0)
		connections->outgoing = ranges;
	return result;
}

static int look_at_closing(struct tct_connections *connections, struct tct_diag *diag)
{
	const struct tct_diag_query query = { .states = CLOSING, .info = connections->info };
	const struct tct_tcp_visitor visitor = { restart_closing, visit_closing, connections };

	return tct_diag_dump(diag, &query, &visitor);
}

/* 95 % of samples of n give a share within so much, a half being the worst. */
static double error_of(int64_t n)
{
	return n > 0 ? 1.96 * sqrt(0.25 / (double)n) : 1;
}

/* Weights and error, from what the two samples saw. */
static void weigh(struct tct_connections *connections, int64_t established, bool incoming_whole,
		  double ports_scale)
{
	int64_t unseen = connections->unseen;
	int64_t in = connections->seen[TCT_INCOMING];
	int64_t out = connections->seen[TCT_OUTGOING];
	double outgoing = (double)out * ports_scale;
	double incoming;
	double shares[TCT_DIRECTIONS] = { 0 };
	double error = 0;

	if (unseen > 0) /* from none to so many: half, and it may be off by as much */
		outgoing = (double)unseen / 2;
	/* those that were seen are there, whatever the estimate says */
	if (outgoing > (double)(established - in))
		outgoing = (double)(established - in);
	if (outgoing < (double)out)
		outgoing = (double)out;
	if (incoming_whole) /* then the rest is outgoing */
		outgoing = (double)(established > in ? established - in : 0);
	incoming = (double)established - outgoing;
	if (incoming < (double)in) /* some were closed meanwhile */
		incoming = (double)in;
	connections->weights.direction[TCT_INCOMING] = in > 0 ? incoming / (double)in : 0;
	connections->weights.direction[TCT_OUTGOING] = out > 0 ? outgoing / (double)out : 0;
	if (incoming_whole)
		connections->weights.direction[TCT_INCOMING] = 1;
	if (established > 0) {
		shares[TCT_INCOMING] = incoming / (double)established;
		shares[TCT_OUTGOING] = outgoing / (double)established;
	}
	if (!incoming_whole)
		error = hypot(error, shares[TCT_INCOMING] * error_of(in));
	if (ports_scale > 1)
		error = hypot(error, shares[TCT_OUTGOING] * error_of(out));
	if (unseen > 0 && !incoming_whole)
		error += shares[TCT_OUTGOING];
	connections->sample = (struct tct_sample){
		.whole = incoming_whole && ports_scale <= 1 && unseen == 0,
		.seen = in + out,
		.of = established,
		.error_ppm = llround(error * 1e6),
	};
}

/* Outgoing ones, on some ports of our own choice. 0 or -errno. */
static int look_at_some_outgoing(struct tct_connections *connections, struct tct_diag *diag,
				 int64_t most)
{
	connections->windows = malloc(sizeof(*connections->windows));
	if (connections->windows == NULL)
		return -ENOMEM;
	tct_local_ports_windows(connections->ports,
				INT64_C(1000000) * connections->sample_sockets / most,
				connections->windows);
	return tct_connections_look_outgoing(connections, diag, connections->windows, NULL);
}

/* Two samples. 0 or -errno. */
static int look_at_some(struct tct_connections *connections, struct tct_diag *diag,
			int64_t established, int64_t active_opens)
{
	int64_t most = active_opens < established ? active_opens : established;
	const struct tct_port_ranges *ranges;
	double scale = 1;
	int result = 0;

	if (connections->outgoing == NULL &&
	    established > MANY_SAMPLES * connections->sample_sockets && most <= established / 8)
		connections->unseen = most; /* not worth a visit to every socket */
	else if (connections->outgoing == NULL && most > 0)
		result = look_at_some_outgoing(connections, diag, most);
	if (result == 0 && connections->incoming < 0)
		result = tct_connections_look_incoming(connections, diag);
	if (result < 0)
		return result;
	ranges = connections->outgoing;
	if (ranges != NULL && !ranges->whole && ranges->ports > 0)
		scale = (double)connections->ports->outgoing_ports / (double)ranges->ports;
	weigh(connections, established, connections->incoming == 0, scale);
	return 0;
}

int tct_connections_look(struct tct_connections *connections, struct tct_diag *diag,
			 const int64_t counts[TCT_STATE_LIMIT], int64_t active_opens)
{
	int64_t established = counts[TCT_STATE_ESTABLISHED];
	int64_t closing = counts[TCT_STATE_CLOSE_WAIT];
	int result = 0;

	connections->sample = (struct tct_sample){ .whole = true };
	connections->closing = (struct tct_sample){ .whole = true };
	if (established > connections->sample_sockets) {
		result = look_at_some(connections, diag, established, active_opens);
	} else if (established > 0) {
		result = look_at_all(connections, diag);
		connections->sample.seen =
			connections->seen[TCT_INCOMING] + connections->seen[TCT_OUTGOING];
		connections->sample.of = connections->sample.seen;
	}
	if (result < 0)
		return result;
	tct_listening_scale_connections(connections->listening,
					connections->weights.direction[TCT_INCOMING]);
	if (closing == 0)
		return 0;
	result = look_at_closing(connections, diag);
	if (result < 0)
		return result;
	connections->closing.seen = connections->closing.of = connections->seen_closing;
	if (result == 1 && closing > connections->seen_closing) {
		connections->closing.whole = false;
		connections->closing.of = closing;
		connections->closing.error_ppm = llround(error_of(connections->seen_closing) * 1e6);
		connections->weights.closing = (double)closing / (double)connections->seen_closing;
	}
	return 0;
}

int tct_connections_hand_over(struct tct_connections *connections,
			      struct tct_observation *observation)
{
	const struct tct_sample both = tct_sample_join(&connections->sample, &connections->closing);

	for (unsigned kind = 0; kind < TCT_POPULATION_RARE; kind++) {
		struct tct_population *population = &observation->populations[kind];

		population->presence = connections->info ? TCT_PRESENT : TCT_NOT_LOOKED;
		population->sample = connections->sample;
	}
	observation->populations[TCT_POPULATION_CLOSE_WAIT].sample = connections->closing;
	observation->populations[TCT_POPULATION_UNANSWERED].sample = both;
	observation->populations[TCT_POPULATION_ZERO_WINDOW].sample = both;
	if (connections->info &&
	    connections->flight_untold[TCT_INCOMING] + connections->flight_untold[TCT_OUTGOING] > 0)
		observation->populations[TCT_POPULATION_HEARD_UNACKED].presence = TCT_ABSENT;
	return tct_owner_groups_hand_over(connections->groups, &connections->weights, observation);
}
