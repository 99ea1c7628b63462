/*
 * The observation: everything that the judge may look at, as plain data. It holds no judgement, and
 * the judge looks at nothing else; so a live host, an image and a fixture are judged by the same
 * code.
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
	bool kernel_assumed;     /* a DIR without a kernel: the running one is taken, and the report
				    says so */
	int64_t mem_total_bytes; /* -1 = not known, as for every number here */
	int64_t cpus;
	int64_t page_bytes;
	char boot_id[40];
	int64_t uptime_ns;
	enum tct_source source;
	struct tct_netns netns;
	int64_t taken_at_ns; /* CLOCK_REALTIME */
};

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
};

/* How long sockets have heard nothing: counts at or above fixed steps, so memory stays bounded. */
enum { TCT_IDLE_STEPS = 40 };
extern const int64_t tct_idle_step_s[TCT_IDLE_STEPS]; /* ascending; [0] = 0 */

enum tct_population_kind {
	TCT_POPULATION_CLOSE_WAIT, /* every CLOSE_WAIT socket */
	TCT_POPULATION_REMOTE, /* ESTABLISHED, accepted, peer not on this host (loopback aside) */
	TCT_POPULATION_UNGUARDED, /* those of REMOTE without any timer running: no keepalive,
				     nothing in flight */
	TCT_POPULATION_LIMIT,
};

struct tct_population {
	enum tct_presence presence;
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

struct tct_owner {
	int32_t pid;    /* 0 = not known */
	char comm[32];  /* "" = not known */
	char unit[128]; /* systemd unit or container, "" = not known */
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
	bool port_chosen_by_kernel; /* bind(0) or no bind: not a service's fixed port. True also
				       when not known */
	bool port_choice_known;
	bool v6only;
	uint64_t cookie; /* 0 = not known */
	uint32_t inode;
	uint32_t uid;
	struct tct_owner owner;
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
	struct tct_population populations[TCT_POPULATION_LIMIT];

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

struct tct_observe_options {
	const struct tct_root *root;   /* borrowed; live host or DIR (with or without DIR/proc) */
	const struct tct_netns *netns; /* borrowed; the namespace entered (see netns.h). NULL = find
					  out */
	int64_t interval_ns;           /* 0 = one look */
	bool sockets;                  /* look at sockets at all (check and apply need none) */
	bool listeners; /* the listening sockets only: cheap beside any number of others */
	bool counters;
	unsigned without; /* TCT_WITHOUT_..., 0 = use what is best */
};

/*
 * Observe. Missing inputs become presences and gaps, not errors; only a broken root or lack of
 * memory fails. *out is owned by the caller. Effects: reads only; sleeps for the interval.
 */
int tct_observe(const struct tct_observe_options *options, struct tct_observation **out,
		struct tct_err *err);
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
