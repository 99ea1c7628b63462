/* The members of the observation's structs, as snapshots have them. */
#include "audit/observe/snapshot_private.h"
#include "core/mem.h"

/* No host comes near it; sums of a few can't overflow, and every JSON reader has it exactly. */
#define COUNT_MAX (INT64_C(1) << 53)
#define NUMBER_MAX (INT64_C(1) << 62)

enum { ERRNO_MAX = 4095 };

/* clang-format off */

#define AT(struct_, member_) \
	.name = #member_, .offset = offsetof(struct struct_, member_), \
	.size = sizeof(((struct struct_ *)NULL)->member_)

#define TEXT(struct_, member_) { AT(struct_, member_), .kind = TCT_MEMBER_TEXT }
#define BOOL(struct_, member_) { AT(struct_, member_), .kind = TCT_MEMBER_BOOL }
#define NATURAL(struct_, member_) { AT(struct_, member_), .kind = TCT_MEMBER_NATURAL }
#define NUMBER(struct_, member_, min_, max_) \
	{ AT(struct_, member_), .kind = TCT_MEMBER_NUMBER, .min = (min_), .max = (max_) }
#define COUNT(struct_, member_) NUMBER(struct_, member_, 0, COUNT_MAX)
/* -1 = not known */
#define COUNT_OR_NOT(struct_, member_) NUMBER(struct_, member_, -1, COUNT_MAX)
#define CHOICE(struct_, member_, names_) \
	{ AT(struct_, member_), .kind = TCT_MEMBER_CHOICE, \
	  .names = (names_), .names_count = TCT_COUNT(names_) }
#define PART(struct_, member_, part_) \
	{ AT(struct_, member_), .kind = TCT_MEMBER_PART, .part = &(part_) }
#define COUNTS(struct_, member_, names_) \
	{ AT(struct_, member_), .kind = TCT_MEMBER_COUNTS, .max = COUNT_MAX, \
	  .names = (names_), .names_count = TCT_COUNT(names_) }
/* Older snapshots know the names before first_later_ only. */
#define PARTS_GROWN(struct_, member_, part_, names_, first_later_) \
	{ AT(struct_, member_), .kind = TCT_MEMBER_PARTS, .part = &(part_), \
	  .names = (names_), .names_count = TCT_COUNT(names_), .names_later = (first_later_) }
/* Older snapshots lack them: then they are not known. */
#define COUNT_OR_NOT_LATER(struct_, member_) \
	{ AT(struct_, member_), .kind = TCT_MEMBER_NUMBER, .min = -1, .max = COUNT_MAX, \
	  .later = true, .absent = -1 }
#define TIME_OR_NOT_LATER(struct_, member_) \
	{ AT(struct_, member_), .kind = TCT_MEMBER_NUMBER, .min = -1, .max = NUMBER_MAX, \
	  .later = true, .absent = -1 }
#define PRESENCE_LATER(struct_, member_) \
	{ AT(struct_, member_), .kind = TCT_MEMBER_CHOICE, \
	  .names = presences, .names_count = TCT_COUNT(presences), .later = true }
#define IDLE(struct_, member_) \
	{ AT(struct_, member_), .kind = TCT_MEMBER_IDLE, .max = COUNT_MAX }

#define MADE_OF(members_, struct_) { (members_), TCT_COUNT(members_), sizeof(struct struct_) }

/* clang-format on */

static const char *const presences[] = {
	[TCT_NOT_LOOKED] = "not_looked", [TCT_PRESENT] = "present",   [TCT_ABSENT] = "absent",
	[TCT_UNREADABLE] = "unreadable", [TCT_UNPARSED] = "unparsed",
};

static const char *const sources[] = {
	[TCT_SOURCE_LIVE] = "live",
	[TCT_SOURCE_ROOT] = "root",
};

static const char *const families[] = {
	[AF_INET] = "ipv4",
	[AF_INET6] = "ipv6",
};

static const char *const boot_models[] = {
	[TCT_BOOT_SYSTEMD] = "systemd",
	[TCT_BOOT_PROCPS] = "procps",
	[TCT_BOOT_MODELS] = "unknown",
};

static const char *const methods[] = {
	[TCT_METHOD_NONE] = "none",
	[TCT_METHOD_EXACT] = "exact",
	[TCT_METHOD_DERIVED] = "derived",
};

static const char *const states[TCT_STATE_LIMIT] = {
	[TCT_STATE_ESTABLISHED] = "ESTABLISHED",
	[TCT_STATE_SYN_SENT] = "SYN_SENT",
	[TCT_STATE_SYN_RECV] = "SYN_RECV",
	[TCT_STATE_FIN_WAIT1] = "FIN_WAIT1",
	[TCT_STATE_FIN_WAIT2] = "FIN_WAIT2",
	[TCT_STATE_TIME_WAIT] = "TIME_WAIT",
	[TCT_STATE_CLOSE] = "CLOSE",
	[TCT_STATE_CLOSE_WAIT] = "CLOSE_WAIT",
	[TCT_STATE_LAST_ACK] = "LAST_ACK",
	[TCT_STATE_LISTEN] = "LISTEN",
	[TCT_STATE_CLOSING] = "CLOSING",
};

static const char *const sights[] = {
	[TCT_OWNER_NOT_SOUGHT] = "not_sought",
	[TCT_OWNER_FOUND] = "found",
	[TCT_OWNER_NOT_PERMITTED] = "not_permitted",
	[TCT_OWNER_OUT_OF_BUDGET] = "out_of_budget",
	[TCT_OWNER_NOBODY] = "nobody",
	[TCT_OWNER_SEVERAL] = "several",
};

static const struct tct_member netns_members[] = {
	TEXT(tct_netns, name),
	NATURAL(tct_netns, inode),
	NATURAL(tct_netns, cookie),
	BOOL(tct_netns, initial),
	{ AT(tct_netns, pid), .kind = TCT_MEMBER_NUMBER, .max = INT32_MAX, .later = true },
	{ AT(tct_netns, comm), .kind = TCT_MEMBER_TEXT, .later = true },
	{ AT(tct_netns, unit), .kind = TCT_MEMBER_TEXT, .later = true },
};
static const struct tct_part netns_part = MADE_OF(netns_members, tct_netns);

/* kernel_version follows from kernel; source is what this one is loaded as. */
static const struct tct_member host_members[] = {
	TEXT(tct_host, hostname),
	TEXT(tct_host, kernel),
	BOOL(tct_host, kernel_assumed),
	BOOL(tct_host, sosreport),
	NUMBER(tct_host, mem_total_bytes, -1, NUMBER_MAX),
	NUMBER(tct_host, cpus, -1, INT32_MAX),
	NUMBER(tct_host, page_bytes, -1, 1 << 30),
	TEXT(tct_host, boot_id),
	NUMBER(tct_host, uptime_ns, -1, NUMBER_MAX),
	CHOICE(tct_host, snapshot_of, sources),
	PART(tct_host, netns, netns_part),
	NUMBER(tct_host, taken_at_ns, -1, INT64_MAX),
};
const struct tct_part tct_part_host = MADE_OF(host_members, tct_host);

static const struct tct_member sysctl_members[] = {
	CHOICE(tct_sysctl, presence, presences),
	NUMBER(tct_sysctl, error, 0, ERRNO_MAX),
	BOOL(tct_sysctl, writable),
};
const struct tct_part tct_part_sysctl = MADE_OF(sysctl_members, tct_sysctl);

/* Some levels may be negative; the difference of two must not overflow. */
static const struct tct_member counter_members[] = {
	CHOICE(tct_counter_reading, presence, presences),
	NUMBER(tct_counter_reading, first, -NUMBER_MAX, NUMBER_MAX - 1),
	NUMBER(tct_counter_reading, last, -NUMBER_MAX, NUMBER_MAX - 1),
};
const struct tct_part tct_part_counter = MADE_OF(counter_members, tct_counter_reading);

static const struct tct_member sample_members[] = {
	BOOL(tct_sample, whole),
	COUNT(tct_sample, seen),
	COUNT(tct_sample, of),
	COUNT(tct_sample, error_ppm),
};
static const struct tct_part sample_part = MADE_OF(sample_members, tct_sample);

static const struct tct_member population_members[] = {
	CHOICE(tct_population, presence, presences),
	PART(tct_population, sample, sample_part),
	COUNT(tct_population, total),
	IDLE(tct_population, idle_at_least),
};
static const struct tct_part population_part = MADE_OF(population_members, tct_population);

static const struct tct_member states_members[] = {
	CHOICE(tct_states, method, methods),
	COUNTS(tct_states, counts, states),
	NUMBER(tct_states, elapsed_ns, 0, NUMBER_MAX),
	TEXT(tct_states, why_exact),
};
static const struct tct_part states_part = MADE_OF(states_members, tct_states);

static const struct tct_member owner_members[] = {
	NUMBER(tct_owner, pid, 0, INT32_MAX),
	TEXT(tct_owner, comm),
	TEXT(tct_owner, unit),
	NATURAL(tct_owner, cgroup),
	NUMBER(tct_owner, uid, -1, UINT32_MAX),
	NATURAL(tct_owner, inode),
	CHOICE(tct_owner, sight, sights),
};
static const struct tct_part owner_part = MADE_OF(owner_members, tct_owner);

static const struct tct_member owner_group_members[] = {
	PART(tct_owner_group, owner, owner_part),
	COUNT(tct_owner_group, established),
	PARTS_GROWN(tct_owner_group, populations, population_part, tct_population_names,
		    TCT_POPULATION_UNANSWERED),
	NUMBER(tct_owner_group, descriptors_max, -1, INT64_MAX),
	COUNT_OR_NOT_LATER(tct_owner_group, close_wait_first),
	TIME_OR_NOT_LATER(tct_owner_group, busy_ns),
	TIME_OR_NOT_LATER(tct_owner_group, rwnd_limited_ns),
	TIME_OR_NOT_LATER(tct_owner_group, sndbuf_limited_ns),
};
const struct tct_part tct_part_owner_group = MADE_OF(owner_group_members, tct_owner_group);

static const struct tct_member peer_members[] = {
	CHOICE(tct_peer, family, families),
	TEXT(tct_peer, address),
	TEXT(tct_peer, local),
	NATURAL(tct_peer, port),
	COUNT(tct_peer, established),
	PART(tct_peer, unguarded, population_part),
	PART(tct_peer, owner, owner_part),
};
const struct tct_part tct_part_peer = MADE_OF(peer_members, tct_peer);

static const struct tct_member interface_members[] = {
	TEXT(tct_interface, name),
	COUNT_OR_NOT(tct_interface, mtu_bytes),
	COUNT_OR_NOT(tct_interface, rp_filter),
	NUMBER(tct_interface, rx_packets_first, -1, INT64_MAX),
	NUMBER(tct_interface, rx_packets, -1, INT64_MAX),
	NUMBER(tct_interface, rx_errors_first, -1, INT64_MAX),
	NUMBER(tct_interface, rx_errors, -1, INT64_MAX),
	NUMBER(tct_interface, rx_dropped_first, -1, INT64_MAX),
	NUMBER(tct_interface, rx_dropped, -1, INT64_MAX),
	NUMBER(tct_interface, tx_errors_first, -1, INT64_MAX),
	NUMBER(tct_interface, tx_errors, -1, INT64_MAX),
	NUMBER(tct_interface, tx_dropped_first, -1, INT64_MAX),
	NUMBER(tct_interface, tx_dropped, -1, INT64_MAX),
};
const struct tct_part tct_part_interface = MADE_OF(interface_members, tct_interface);

static const struct tct_member listener_members[] = {
	CHOICE(tct_listener, family, families),
	TEXT(tct_listener, address),
	NATURAL(tct_listener, port),
	NATURAL(tct_listener, queue),
	NATURAL(tct_listener, queue_first),
	NATURAL(tct_listener, backlog),
	COUNT_OR_NOT(tct_listener, drops),
	COUNT_OR_NOT(tct_listener, drops_first),
	COUNT_OR_NOT(tct_listener, syn_recv),
	COUNT_OR_NOT_LATER(tct_listener, syn_recv_resent),
	NATURAL(tct_listener, siblings),
	COUNT_OR_NOT(tct_listener, unaccepted_kept),
	COUNT_OR_NOT_LATER(tct_listener, unaccepted_idle_ns),
	COUNT_OR_NOT(tct_listener, established),
	COUNT_OR_NOT(tct_listener, remote),
	COUNT_OR_NOT(tct_listener, unguarded),
	COUNT_OR_NOT(tct_listener, retransmitting),
	BOOL(tct_listener, port_chosen_by_kernel),
	BOOL(tct_listener, port_choice_known),
	BOOL(tct_listener, v6only),
	NATURAL(tct_listener, cookie),
	NATURAL(tct_listener, inode),
	NATURAL(tct_listener, uid),
	PART(tct_listener, owner, owner_part),
};
const struct tct_part tct_part_listener = MADE_OF(listener_members, tct_listener);

static const struct tct_member destination_members[] = {
	CHOICE(tct_destination, family, families),
	TEXT(tct_destination, source),
	TEXT(tct_destination, address),
	NATURAL(tct_destination, port),
	COUNT(tct_destination, sockets),
	COUNT(tct_destination, time_wait),
	COUNT(tct_destination, reusable),
	COUNT(tct_destination, used),
	COUNT_OR_NOT(tct_destination, used_first),
	COUNT_OR_NOT_LATER(tct_destination, syn_sent),
	COUNT_OR_NOT_LATER(tct_destination, syn_unanswered),
	PART(tct_destination, owner, owner_part),
};
const struct tct_part tct_part_destination = MADE_OF(destination_members, tct_destination);

static const struct tct_member outgoing_members[] = {
	CHOICE(tct_outgoing, presence, presences),
	TEXT(tct_outgoing, why_not),
	BOOL(tct_outgoing, whole),
	COUNT_OR_NOT(tct_outgoing, ports_usable),
	COUNT(tct_outgoing, ports_looked_at),
	COUNT(tct_outgoing, sockets),
	COUNT(tct_outgoing, established),
	COUNT_OR_NOT_LATER(tct_outgoing, distinct),
	COUNT_OR_NOT_LATER(tct_outgoing, unanswered_distinct),
};
static const struct tct_part outgoing_part = MADE_OF(outgoing_members, tct_outgoing);

static const struct tct_member environment_members[] = {
	CHOICE(tct_environment, presence, presences),
	TEXT(tct_environment, container),
	TEXT(tct_environment, hypervisor),
	CHOICE(tct_environment, nat_presence, presences),
	BOOL(tct_environment, nat),
	TEXT(tct_environment, nat_evidence),
};
static const struct tct_part environment_part = MADE_OF(environment_members, tct_environment);

static const struct tct_member gap_members[] = {
	TEXT(tct_gap, what),
	TEXT(tct_gap, why),
};
const struct tct_part tct_part_gap = MADE_OF(gap_members, tct_gap);

static const struct tct_member observation_members[] = {
	BOOL(tct_observation, files_govern),
	CHOICE(tct_observation, boot_model, boot_models),
	NUMBER(tct_observation, interval_ns, 0, NUMBER_MAX),
	PART(tct_observation, states, states_part),
	PART(tct_observation, sample, sample_part),
	PARTS_GROWN(tct_observation, populations, population_part, tct_population_names,
		    TCT_POPULATION_UNANSWERED),
	PART(tct_observation, outgoing, outgoing_part),
	PART(tct_observation, environment, environment_part),
	PRESENCE_LATER(tct_observation, peers_presence),
	PRESENCE_LATER(tct_observation, interfaces_presence),
	CHOICE(tct_observation, listeners_presence, presences),
};
const struct tct_part tct_part_observation = MADE_OF(observation_members, tct_observation);
