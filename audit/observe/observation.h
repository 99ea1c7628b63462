/*
 * The observation: everything that the judge may look at, as plain data. It holds no judgement, and
 * the judge looks at nothing else; so a live host, an image and a fixture are judged by the same
 * code.
 *
 * A snapshot holds all of it: a member that is added here needs its row in snapshot_members.c (or,
 * if it is a pointer, its lines in snapshot_save.c and snapshot_load.c) and its value in
 * tests/unit/full_observation.c; unit.snapshot_members tells which one is missing.
 */
#ifndef TCT_AUDIT_OBSERVE_OBSERVATION_H
#define TCT_AUDIT_OBSERVE_OBSERVATION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/netns.h"
#include "audit/observe/sysctl_files.h"
#include "core/counters.h"
#include "core/err.h"
#include "core/kernel_keys.h"
#include "core/root.h"
#include "core/value.h"
#include "core/version.h"

enum tct_source {
	TCT_SOURCE_LIVE,
	TCT_SOURCE_ROOT,
	TCT_SOURCE_SNAPSHOT,
};

struct tct_host {
	char hostname[256];         /* "" = not known, as for every text here */
	char kernel[128];           /* "6.18.44-amd64" */
	tct_version kernel_version; /* 0 = not known */
	bool kernel_assumed; /* a DIR without a kernel: the running one is taken, and the report
				says so */
	bool sosreport;      /* a DIR that is a record of a host: nothing is to be written there */
	int64_t mem_total_bytes; /* -1 = not known, as for every number here */
	int64_t cpus;
	int64_t page_bytes;
	char boot_id[40];
	int64_t uptime_ns;
	enum tct_source source;
	enum tct_source snapshot_of; /* of a SNAPSHOT: what was looked at, LIVE or ROOT */
	struct tct_netns netns;
	int64_t taken_at_ns; /* CLOCK_REALTIME */
};

/* What was looked at, by us or by whoever took the snapshot: LIVE or ROOT. */
static inline enum tct_source tct_host_looked_at(const struct tct_host *host)
{
	return host->source == TCT_SOURCE_SNAPSHOT ? host->snapshot_of : host->source;
}

/* How an input was found. Absent and unreadable are values, not errors. */
enum tct_presence {
	TCT_NOT_LOOKED = 0, /* this source doesn't have it (an image has no live values) */
	TCT_PRESENT,
	TCT_ABSENT,     /* the file isn't there: not in this kernel, namespace or configuration */
	TCT_UNREADABLE, /* it is there, but reading failed: see error */
	TCT_UNPARSED,   /* read, but not of the shape that the table says */
};

/* One key of the table, live. A secret that is there is NOT_LOOKED: never read. */
struct tct_sysctl {
	enum tct_presence presence;
	int error;     /* errno when UNREADABLE */
	bool writable; /* by its mode: the owner's write bit, and /proc/sys not mounted read-only */
	struct tct_value value;
};

struct tct_counter_reading {
	enum tct_presence presence;
	int64_t first; /* at the start of the interval */
	int64_t last;  /* at its end; equals first when there was one look */
};

/* Kernel state numbers: 1 ESTABLISHED .. 11 CLOSING. */
enum tct_state {
	TCT_STATE_ESTABLISHED = 1,
	TCT_STATE_SYN_SENT,
	TCT_STATE_SYN_RECV,
	TCT_STATE_FIN_WAIT1,
	TCT_STATE_FIN_WAIT2,
	TCT_STATE_TIME_WAIT,
	TCT_STATE_CLOSE,
	TCT_STATE_CLOSE_WAIT,
	TCT_STATE_LAST_ACK,
	TCT_STATE_LISTEN,
	TCT_STATE_CLOSING,
	TCT_STATE_LIMIT,
};

/* "ESTABLISHED" ..; NULL outside 1..11. The inverse returns 0 for an unknown name. */
const char *tct_state_name(enum tct_state state);
enum tct_state tct_state_find(const char *name);

enum tct_states_method {
	TCT_METHOD_NONE,    /* could not be counted: see gaps */
	TCT_METHOD_EXACT,   /* every socket was walked */
	TCT_METHOD_DERIVED, /* from the kernel's own counts and a walk of the rare states */
};

struct tct_states {
	enum tct_states_method method;
	int64_t counts[TCT_STATE_LIMIT]; /* by state number, both families */
	int64_t elapsed_ns;              /* what counting took */
	char why_exact[160]; /* why every socket was walked, if the kernel's counts were not enough
			      */
};

/* Some sockets looked at, which stand for all. */
struct tct_sample {
	bool whole;        /* each was looked at: no error */
	int64_t seen;      /* how many were looked at */
	int64_t of;        /* how many there are; an estimate unless whole */
	int64_t error_ppm; /* any share among them is right within this many millionths, 95 times
			      in 100 */
};

/* How long sockets have heard nothing: counts at or above fixed steps, so memory stays bounded. */
enum { TCT_IDLE_STEPS = 40 };
extern const int64_t tct_idle_step_s[TCT_IDLE_STEPS]; /* ascending; [0] = 0 */

enum tct_population_kind {
	TCT_POPULATION_CLOSE_WAIT, /* CLOSE_WAIT, but for those that wait in accept queues */
	TCT_POPULATION_REMOTE, /* ESTABLISHED, accepted, peer not on this host (loopback aside) */
	TCT_POPULATION_UNGUARDED,      /* those of REMOTE without any timer running: no keepalive,
					  nothing in flight */
	TCT_POPULATION_RETRANSMITTING, /* ESTABLISHED, data or a probe sent again and not answered
					  yet */
	TCT_POPULATION_UNANSWERED,    /* ESTABLISHED or CLOSE_WAIT, data sent again 5 times or more,
					 no new data came back meanwhile */
	TCT_POPULATION_HEARD_UNACKED, /* ESTABLISHED, full-size data sent again 3 times or more,
					 while the peer sent new data: see population_kinds.h */
	TCT_POPULATION_ZERO_WINDOW,   /* ESTABLISHED or CLOSE_WAIT, data waits for the peer's
					 window; idle: since data was sent last */
	/* Those of states that are few: no idle times are known of them, all count as just
	   heard. */
	TCT_POPULATION_SYN_UNANSWERED,     /* SYN_SENT, the SYN sent again 2 times or more */
	TCT_POPULATION_FIN_UNANSWERED,     /* FIN_WAIT1, CLOSING or LAST_ACK, sent again 2 times or
					      more */
	TCT_POPULATION_FIN_WAIT2_HELD,     /* FIN_WAIT2 that a program still holds */
	TCT_POPULATION_FIN_WAIT2_ORPHANED, /* FIN_WAIT2 without an owner */
	TCT_POPULATION_LIMIT,
};

/* "close_wait", "remote" ...: in profiles, snapshots and documents. */
extern const char *const tct_population_names[TCT_POPULATION_LIMIT];

/* From a sample the numbers are scaled up to all: see `sample`. */
struct tct_population {
	enum tct_presence presence;
	struct tct_sample sample;
	int64_t total;
	int64_t idle_at_least[TCT_IDLE_STEPS]; /* sockets that heard nothing (no data, no ACK) for
						  >= step */
};

/* Count one socket that heard nothing for idle_ms (negative = not known: counts as just heard). */
void tct_population_add(struct tct_population *population, int64_t idle_ms);

/*
 * Sockets of the population idle for at least idle_ns: counted at the next step upwards, so never
 * too many (0 beyond the last step); -1 if the population is not known.
 */
int64_t tct_population_idle(const struct tct_population *population, int64_t idle_ns);

/* Whether the process was found. */
enum tct_owner_sight {
	TCT_OWNER_NOT_SOUGHT = 0, /* too few sockets to be worth it, or nobody asked */
	TCT_OWNER_FOUND,
	TCT_OWNER_NOT_PERMITTED, /* some processes' files may not be looked at */
	TCT_OWNER_OUT_OF_BUDGET, /* not found within the budget */
	TCT_OWNER_NOBODY,        /* no process has it: the kernel's own, or passed on and gone */
	TCT_OWNER_SEVERAL,       /* sockets of one user that several processes have */
};

/* "found", "not_permitted" ...: in documents. */
const char *tct_owner_sight_name(enum tct_owner_sight sight);

struct tct_owner {
	int32_t pid;     /* 0 = not known */
	char comm[32];   /* "" = not known */
	char unit[128];  /* systemd unit or container ("nginx.service", "docker:4f2a…"), "" = not
			  * known
			  */
	uint64_t cgroup; /* cgroup id, 0 = not told */
	int64_t uid;     /* -1 = not known */
	uint32_t inode;  /* of one of its sockets, 0 = none: by it the process is sought */
	enum tct_owner_sight sight;
};

/* Sockets of one unit, container or process. */
struct tct_owner_group {
	struct tct_owner owner;
	int64_t established;                                     /* scaled, as populations are */
	struct tct_population populations[TCT_POPULATION_LIMIT]; /* its share */
	int64_t descriptors_max;  /* RLIMIT_NOFILE of the process, -1 = not known */
	int64_t close_wait_first; /* its CLOSE_WAIT sockets at the first look, -1 = not looked */
	/* Of its ESTABLISHED sockets, since each was made: how long data was there to send, and how
	 * much of that the peer's window or our own send buffer held it up. Scaled; -1 = not known
	 * (before Linux 4.10). Beyond 2^62 ns they are kept in proportion. */
	int64_t busy_ns;
	int64_t rwnd_limited_ns;
	int64_t sndbuf_limited_ns;
};

/* Connections of one peer address to one of our ports. */
struct tct_peer {
	int family;
	char address[64];
	char local[64]; /* the listener's end: "10.0.0.1:443" */
	uint16_t port;
	int64_t established;             /* in the sample, not scaled: at least so many */
	struct tct_population unguarded; /* of these; not scaled either */
	struct tct_owner owner;
};

/* A network interface of the namespace. Counters: -1 = not known. */
struct tct_interface {
	char name[16];
	int64_t mtu_bytes;
	int64_t rp_filter; /* what counts: the larger of conf/all and its own; -1 = not known */
	int64_t rx_packets_first;
	int64_t rx_packets;
	int64_t rx_errors_first;
	int64_t rx_errors;
	int64_t rx_dropped_first;
	int64_t rx_dropped;
	int64_t tx_errors_first;
	int64_t tx_errors;
	int64_t tx_dropped_first;
	int64_t tx_dropped;
};

/* The accept queue's limit where the source doesn't tell it (/proc/net/tcp); no listen() gives it.
 */
#define TCT_BACKLOG_UNKNOWN UINT32_MAX

struct tct_listener {
	int family;       /* AF_INET, AF_INET6 */
	char address[64]; /* "0.0.0.0", "::", "fe80::1%3": %3 = only on interface number 3 */
	uint16_t port;
	uint32_t queue;       /* accept queue now */
	uint32_t queue_first; /* at the start of the interval (equals queue if one look or new) */
	uint32_t backlog;     /* its limit; holds backlog + 1. May be TCT_BACKLOG_UNKNOWN */
	int64_t drops;        /* own drop counter since it listens, -1 = not known */
	int64_t drops_first;
	int64_t syn_recv; /* half-open connections to this address and port, siblings' included */
	int64_t syn_recv_resent; /* of these, the SYN-ACK was sent again; -1 = not known */
	unsigned siblings; /* listeners of this address and port (SO_REUSEPORT), itself included */
	int64_t unaccepted_kept; /* connections that nobody accepted at both looks; -1 = not known
				  */
	int64_t unaccepted_idle_ns; /* the longest that one of these has heard nothing, so that it
				       waits at least as long; -1 = not known */
	/* Its connections, siblings' included, scaled as populations are; -1 = not looked at. */
	int64_t established;
	int64_t remote;
	int64_t unguarded;
	int64_t retransmitting;
	bool port_chosen_by_kernel; /* bind(0) or no bind: not a service's fixed port. True also
				       when not known */
	bool port_choice_known;
	bool v6only;
	uint64_t cookie; /* 0 = not known */
	uint32_t inode;
	uint32_t uid;
	struct tct_owner owner;
};

/* Takes IPv4 and IPv6: bound to :: without IPV6_V6ONLY. */
bool tct_listener_is_dual_stack(const struct tct_listener *listener);

/* Outgoing connections from one local address to one remote address and port. */
struct tct_destination {
	int family;
	char source[64];
	char address[64];
	uint16_t port;
	int64_t sockets;    /* all states, TIME_WAIT too; an estimate unless tct_outgoing.whole */
	int64_t time_wait;  /* of these */
	int64_t reusable;   /* of those in TIME_WAIT: tcp_tw_reuse may take their ports */
	int64_t used;       /* ports that connect() can't take: sockets - reusable */
	int64_t used_first; /* the same at the first look, -1 = one look */
	int64_t syn_sent;   /* of the sockets, in SYN_SENT; -1 = not known */
	int64_t syn_unanswered; /* of these, the SYN was sent again 2 times or more */
	struct tct_owner owner;
};

/* Ephemeral ports and who uses them. */
struct tct_outgoing {
	enum tct_presence presence; /* NOT_LOOKED: see why_not */
	char why_not[160]; /* "at most 211 connections were opened, 28,232 ports are there" */
	bool whole; /* each outgoing socket was counted; else a part of the ports stands for all */
	int64_t ports_usable;    /* in ip_local_port_range and not reserved; -1 = not known */
	int64_t ports_looked_at; /* of these */
	int64_t sockets;         /* outgoing ones in all, connections and TIME_WAIT */
	int64_t established;     /* ESTABLISHED ones among them */
	/* Different (source, destination, port) among them, and of these those with SYNs sent
	 * again 2 times or more. Exact if whole and below 4,096, else at least so many. -1 = not
	 * known */
	int64_t distinct;
	int64_t unanswered_distinct;
	struct tct_destination *destinations; /* most used first, bounded */
	size_t destinations_count;
	size_t destinations_capacity;
};

/* What the host is, and what stands between it and its peers. */
struct tct_environment {
	enum tct_presence presence;
	char container[64];  /* "docker", "podman", "lxc", "kubernetes" ..., "" = none seen */
	char hypervisor[64]; /* "kvm", "vmware" ..., "" = none seen */
	enum tct_presence nat_presence;
	bool nat;               /* connection tracking translates addresses here */
	char nat_evidence[128]; /* what says so: "nf_tables: a nat chain",
				   "/proc/net/ip_tables_names: nat" */
};

/* "10.0.0.1:443", "[::]:443". Returns out. */
enum { TCT_ENDPOINT_TEXT = 80 };
const char *tct_listener_endpoint(const struct tct_listener *listener, char out[TCT_ENDPOINT_TEXT]);

/* Something that could not be seen: "socket states", "inet_diag: Operation not permitted". */
struct tct_gap {
	char what[96];
	char why[200];
};

struct tct_observation {
	struct tct_host host;

	struct tct_sysctl *sysctls;     /* [tct_kernel_keys_count], by table index */
	struct tct_sysctl_files *files; /* NULL = not read (see gaps) */
	bool files_govern; /* the files are what this namespace gets at boot: initial namespace, or
			      an image */
	enum tct_boot_model boot_model; /* of this host; TCT_BOOT_MODELS = can't be told (both
					   apply) */
	struct tct_value *boot_values;  /* [tct_kernel_keys_count] from files, for a DIR; NULL = see
					   sysctls */

	struct tct_counter_reading *counters; /* [tct_counters_count] */
	int64_t interval_ns; /* between first and last; 0 = one look, rates unknown */

	struct tct_states states;
	struct tct_sample sample; /* of ESTABLISHED connections: what populations, owners' and
				     listeners' numbers rest on */
	struct tct_population populations[TCT_POPULATION_LIMIT];
	struct tct_owner_group *owners; /* most sockets first, bounded */
	size_t owners_count;
	size_t owners_capacity;
	struct tct_outgoing outgoing;
	struct tct_environment environment;
	enum tct_presence peers_presence;
	struct tct_peer *peers; /* of incoming connections, most connections first, bounded; only
				   those with several */
	size_t peers_count;
	size_t peers_capacity;
	enum tct_presence interfaces_presence;
	struct tct_interface *interfaces;
	size_t interfaces_count;
	size_t interfaces_capacity;

	enum tct_presence listeners_presence;
	struct tct_listener *listeners;
	size_t listeners_count;
	size_t listeners_capacity;

	struct tct_gap *gaps;
	size_t gaps_count;
	size_t gaps_capacity;
};

/* Ways of looking at sockets that are not to be used: to try the others, and where they are known
 * to hurt. */
enum {
	TCT_WITHOUT_BOTH_FAMILIES = 1 << 0, /* the old inet_diag request, which tells both families
					       at once */
	TCT_WITHOUT_INET_DIAG = 1 << 1,     /* inet_diag altogether: /proc/net/tcp and tcp6 */
};

enum { TCT_SAMPLE_SOCKETS = 16384 };

/* What is looked at beside states and listeners: each costs something, so only what rules ask for.
 */
enum {
	TCT_LOOK_POPULATIONS = 1 << 0,  /* idle times, timers, retransmits: tcp_info of a sample */
	TCT_LOOK_DESTINATIONS = 1 << 1, /* use of ephemeral ports */
	TCT_LOOK_OWNERS = 1 << 2,       /* units by cgroup, processes within a budget */
	TCT_LOOK_UNACCEPTED = 1 << 3,   /* which connections stay in accept queues */
	TCT_LOOK_PEERS = 1 << 4,        /* who has several connections; with POPULATIONS */
	TCT_LOOK_CLOSE_WAIT_FIRST = 1 << 5, /* owners' CLOSE_WAIT sockets at the first look too */
	TCT_LOOK_INTERFACES = 1 << 6,
	TCT_LOOK_ALL = (1 << 7) - 1,
};

struct tct_observe_options {
	const struct tct_root *root;   /* borrowed; live host or DIR (with or without DIR/proc) */
	const struct tct_netns *netns; /* borrowed; the namespace entered (see netns.h). NULL = find
					  out */
	int64_t interval_ns;           /* 0 = one look */
	bool sockets;                  /* look at sockets at all (check and apply need none) */
	bool listeners; /* the listening sockets only: cheap beside any number of others */
	bool counters;
	unsigned looks;         /* TCT_LOOK_..., with sockets */
	int64_t sample_sockets; /* so many connections are all looked at, of more a sample; 0 =
				   TCT_SAMPLE_SOCKETS */
	bool exact;             /* walk every socket for the states */
	bool thrifty;     /* don't walk at all where the kernel's counts say that there are only
			     listeners: requests and bound sockets are not counted then */
	unsigned without; /* TCT_WITHOUT_..., 0 = use what is best */
	/* For one of many namespaces: what is the host's need not be looked at again. */
	const bool *keys;            /* borrowed; which keys of the table are read, NULL = all */
	unsigned counter_groups;     /* with counters: 1 << enum tct_counter_group, 0 = all */
	bool without_files;          /* don't read the sysctl files */
	const struct tct_host *host; /* borrowed; what the host is, but for its namespace. NULL =
					find out */
	const int *net_ipv4; /* borrowed; its folder proc/sys/net/ipv4, NULL = not open yet */
	/*
	 * Sleep until CLOCK_MONOTONIC is deadline_ns; true = that's enough, don't look again (the
	 * observation then has one look). NULL = just sleep.
	 */
	bool (*wait)(void *context, int64_t deadline_ns);
	void *wait_context;
};

/*
 * Observe. Missing inputs become presences and gaps, not errors; only a broken root or lack of
 * memory fails. *out is owned by the caller. Effects: reads only; sleeps for the interval.
 */
int tct_observe(const struct tct_observe_options *options, struct tct_observation **out,
		struct tct_err *err);

/*
 * The same in two steps, for who must know the host before it knows what to look at: the host, its
 * keys and files; then sockets and counters, into the same observation.
 */
int tct_observe_host(const struct tct_observe_options *options, struct tct_observation **out,
		     struct tct_err *err);
int tct_observe_traffic(const struct tct_observe_options *options,
			struct tct_observation *observation, struct tct_err *err);

/*
 * tct_observe_traffic in parts, for who waits once for many: a first look, and the last one. One
 * look only (no interval, not the live host): the first does nothing. Both are taken in the same
 * network namespace. options and observation must outlive *looks, which the last look takes, and
 * frees, in any case. again false: the interval was cut short, there is no second look.
 */
struct tct_looks;
int tct_observe_first(const struct tct_observe_options *options,
		      struct tct_observation *observation, struct tct_looks **looks,
		      struct tct_err *err);
int tct_observe_last(struct tct_looks *looks, bool again, struct tct_err *err);
void tct_looks_free(struct tct_looks *looks);

/* Until the interval is over that began at since_ns (CLOCK_MONOTONIC), as options->wait says. True:
 * that's enough, don't look again. */
bool tct_observe_wait(const struct tct_observe_options *options, int64_t since_ns);
void tct_observation_free(struct tct_observation *observation);

/* An observation with nothing in it yet, arrays allocated; NULL on ENOMEM. */
struct tct_observation *tct_observation_new(void);

/* Note a gap (used by the observers). 0 or -ENOMEM. */
__attribute__((format(printf, 3, 4))) int
tct_observation_gap(struct tct_observation *observation, const char *what, const char *why, ...);

/*
 * The value that counts for judging a key: the live one; for a DIR without live values, what its
 * files set at boot under its model (systemd's winner, else procps's, where the model can't be
 * told). NULL = none known.
 */
const struct tct_value *tct_observation_value(const struct tct_observation *observation,
					      const struct tct_kernel_key *key);

/* The same by the key's name; NULL too if the table has no such key. */
const struct tct_value *tct_observation_value_of(const struct tct_observation *observation,
						 const char *name);

/* Field `field` of a key's value, by name; false if it isn't known or no number. */
bool tct_observation_number_of(const struct tct_observation *observation, const char *name,
			       size_t field, int64_t *number);

/* Live against what the files set at the next boot. */
enum tct_drift {
	TCT_DRIFT_UNKNOWN, /* live or boot value not known, or the files don't govern this namespace
			    */
	TCT_DRIFT_NONE,
	TCT_DRIFT_DIFFERS,
};

/*
 * Compare by type (rounded ms keys are equal) under this host's boot model; where the model can't
 * be told, a difference under either counts.
 */
enum tct_drift tct_observation_drift(const struct tct_observation *observation,
				     const struct tct_kernel_key *key);

#endif
