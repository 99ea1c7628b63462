#include "tests/unit/report_world.h"

#include <check.h>
#include <netinet/in.h>
#include <string.h>

#include "core/mem.h"

static void set_key(struct tct_observation *seen, const char *name, const char *text)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);
	struct tct_sysctl *live = key != NULL ? &seen->sysctls[tct_kernel_key_index(key)] : NULL;

	ck_assert_msg(live != NULL, "%s", name);
	tct_value_done(&live->value);
	ck_assert_int_eq(tct_value_parse(key, text, &live->value, NULL), 0);
	live->presence = TCT_PRESENT;
}

void report_world_counter(struct tct_observation *seen, const char *name, int64_t first,
			  int64_t last)
{
	const struct tct_counter *counter = tct_counter_find(name);

	ck_assert_msg(counter != NULL, "%s", name);
	seen->counters[tct_counter_index(counter)] =
		(struct tct_counter_reading){ TCT_PRESENT, first, last };
}

static const struct tct_sample part = { .seen = 16384, .of = 1000000, .error_ppm = 8000 };

static void add_listener(struct tct_observation *seen, const char *address, int family)
{
	struct tct_listener *listener = TCT_APPEND(seen, listeners);

	ck_assert_ptr_nonnull(listener);
	*listener = (struct tct_listener){
		.family = family,
		.port = 443,
		.backlog = 128,
		.drops = -1,
		.syn_recv_resent = 3,
		.siblings = 2,
		.unaccepted_kept = -1,
		.unaccepted_idle_ns = -1,
		.established = 700000,
		.remote = 600000,
		.unguarded = 0,
		.retransmitting = 12,
		.owner = { .uid = -1, .sight = TCT_OWNER_NOT_PERMITTED },
	};
	strcpy(listener->address, address);
}

static void add_owners(struct tct_observation *seen)
{
	struct tct_owner_group *first = TCT_APPEND(seen, owners);

	ck_assert_ptr_nonnull(first);
	*first = (struct tct_owner_group){
		.owner = { .pid = 812,
			   .uid = 33,
			   .comm = "nginx",
			   .unit = "nginx.service",
			   .sight = TCT_OWNER_FOUND },
		.established = 700000,
		.descriptors_max = 1024,
		.close_wait_first = 4,
		.busy_ns = INT64_C(90500000000),
		.rwnd_limited_ns = INT64_C(30000000000),
	};
	first->populations[TCT_POPULATION_REMOTE] = (struct tct_population){
		.presence = TCT_PRESENT,
		.sample = part,
		.total = 600000,
	};
	first->populations[TCT_POPULATION_CLOSE_WAIT] = (struct tct_population){
		.presence = TCT_PRESENT,
		.sample = { .whole = true, .seen = 9, .of = 9 },
		.total = 9,
	};

	struct tct_owner_group *second = TCT_APPEND(seen, owners);

	ck_assert_ptr_nonnull(second);
	*second = (struct tct_owner_group){
		.owner = { .uid = -1, .sight = TCT_OWNER_OUT_OF_BUDGET },
		.established = 12,
		.descriptors_max = -1,
		.close_wait_first = -1,
		.busy_ns = -1,
		.rwnd_limited_ns = -1,
		.sndbuf_limited_ns = -1,
	};
}

static void add_destinations(struct tct_observation *seen)
{
	struct tct_destination *first = TCT_APPEND(&seen->outgoing, destinations);

	ck_assert_ptr_nonnull(first);
	*first = (struct tct_destination){
		.family = AF_INET6,
		.source = "2001:db8::1",
		.address = "2001:db8::2",
		.port = 443,
		.sockets = 18001,
		.time_wait = 2000,
		.reusable = 1000,
		.used = 17001,
		.used_first = 16000,
		.syn_sent = 40,
		.syn_unanswered = 30,
		.owner = { .unit = "proxy.service", .uid = -1 },
	};
	seen->outgoing.presence = TCT_PRESENT;
	seen->outgoing.whole = true;
	seen->outgoing.ports_usable = 28232;
	seen->outgoing.ports_looked_at = 28232;
	seen->outgoing.sockets = 18001;
	seen->outgoing.established = 16001;
	seen->outgoing.distinct = 2;
	seen->outgoing.unanswered_distinct = 1;
}

static void add_peers(struct tct_observation *seen)
{
	struct tct_peer *peer = TCT_APPEND(seen, peers);
	struct tct_interface *interface = TCT_APPEND(seen, interfaces);

	ck_assert(peer != NULL && interface != NULL);
	*peer = (struct tct_peer){
		.family = AF_INET,
		.address = "10.9.8.7",
		.local = "10.0.0.1:443",
		.port = 443,
		.established = 5,
		.unguarded = { .presence = TCT_PRESENT, .sample = part },
		.owner = { .pid = 812, .comm = "web", .uid = 33, .sight = TCT_OWNER_FOUND },
	};
	tct_population_add(&peer->unguarded, 61000);
	*interface = (struct tct_interface){
		.name = "eth0",
		.mtu_bytes = 1500,
		.rp_filter = -1,
		.rx_packets_first = 10,
		.rx_packets = 20,
		.rx_errors_first = -1,
		.rx_errors = -1,
		.tx_dropped_first = 1,
		.tx_dropped = 3,
	};
	seen->peers_presence = TCT_PRESENT;
	seen->interfaces_presence = TCT_PRESENT;
}

void report_world_fill(struct tct_observation *seen)
{
	seen->host.page_bytes = 4096;
	seen->host.netns.initial = true;
	seen->interval_ns = INT64_C(2000000000);
	seen->states.method = TCT_METHOD_EXACT;
	strcpy(seen->states.why_exact, "sockstat and the dump disagree");
	seen->sample = part;
	seen->listeners_presence = TCT_PRESENT;
	add_listener(seen, "::", AF_INET6);
	add_listener(seen, "10.0.0.1", AF_INET);
	add_owners(seen);
	add_destinations(seen);
	add_peers(seen);
	seen->populations[TCT_POPULATION_FIN_UNANSWERED] = (struct tct_population){
		.presence = TCT_PRESENT,
		.sample = { .whole = true, .seen = 44, .of = 44 },
		.total = 44,
		.idle_at_least = { 44 },
	};
	seen->populations[TCT_POPULATION_UNGUARDED] = (struct tct_population){
		.presence = TCT_PRESENT,
		.sample = part,
	};
	tct_population_add(&seen->populations[TCT_POPULATION_UNGUARDED], 2500);
	tct_population_add(&seen->populations[TCT_POPULATION_UNGUARDED], 500);
	set_key(seen, "net.ipv4.tcp_mem", "1000 2000 3000");
	set_key(seen, "net.ipv4.tcp_max_orphans", "4096");
	report_world_counter(seen, "sockstat.TCP.mem", 1500, 1500);
	report_world_counter(seen, "sockstat.TCP.orphan", 7, 7);
	report_world_counter(seen, "sockstat.TCP.alloc", 90, 90);
	set_key(seen, "net.netfilter.nf_conntrack_count", "200");
	set_key(seen, "net.netfilter.nf_conntrack_max", "1000");
	set_key(seen, "net.netfilter.nf_conntrack_buckets", "1024");
	report_world_counter(seen, "conntrack.drop", 5, 31);
	report_world_counter(seen, "conntrack.early_drop", 0, 0);
	report_world_counter(seen, "softnet.processed", 1000, 1500);
	report_world_counter(seen, "softnet.dropped", 3, 3);
	seen->environment = (struct tct_environment){
		.presence = TCT_PRESENT,
		.container = "docker",
		.hypervisor = "kvm",
		.nat_presence = TCT_PRESENT,
		.nat = true,
		.nat_evidence = "nf_tables: a nat chain with rules",
	};
}
