#include "tests/unit/full_observation.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/unit/scratch.h"

/* Another number each time, so that no two members can be mistaken for each other. */
static int64_t number;

static int64_t n(void)
{
	number += 7;
	return number;
}

#define FILL_TEXT(text, format) ck_assert_int_gt(snprintf(text, sizeof(text), format, (int)n()), 0)

static void fill_sample(struct tct_sample *sample)
{
	sample->whole = true;
	sample->seen = n();
	sample->of = n();
	sample->error_ppm = n();
}

static void fill_population(struct tct_population *population)
{
	population->presence = TCT_PRESENT;
	fill_sample(&population->sample);
	population->total = n();
	for (size_t i = 0; i < TCT_IDLE_STEPS; i++)
		population->idle_at_least[i] = i % 3 == 0 ? n() : number;
}

static void fill_owner(struct tct_owner *owner)
{
	owner->pid = (int32_t)n();
	FILL_TEXT(owner->comm, "comm-%d");
	FILL_TEXT(owner->unit, "unit-%d.service");
	owner->cgroup = UINT64_MAX - (uint64_t)n();
	owner->uid = n();
	owner->inode = UINT32_MAX - (uint32_t)n();
	owner->sight = TCT_OWNER_OUT_OF_BUDGET;
}

static void fill_host(struct tct_host *host)
{
	FILL_TEXT(host->hostname, "host-%d\xff\x01\"\\");
	ck_assert_int_gt(snprintf(host->kernel, sizeof(host->kernel), "6.18.44-test"), 0);
	host->kernel_version = tct_version_parse(host->kernel);
	host->kernel_assumed = true;
	host->sosreport = true;
	host->mem_total_bytes = n();
	host->cpus = n();
	host->page_bytes = n();
	FILL_TEXT(host->boot_id, "boot-%d");
	host->uptime_ns = n();
	host->source = TCT_SOURCE_SNAPSHOT;
	host->snapshot_of = TCT_SOURCE_ROOT;
	FILL_TEXT(host->netns.name, "netns-%d");
	host->netns.inode = (uint64_t)n();
	host->netns.cookie = UINT64_MAX - (uint64_t)n();
	host->netns.initial = true;
	host->netns.pid = (int32_t)n();
	FILL_TEXT(host->netns.comm, "comm-%d");
	FILL_TEXT(host->netns.unit, "unit-%d.service");
	host->taken_at_ns = n();
}

/* Ascending, inside what the kernel takes. */
static void fill_numbers(const struct tct_kernel_key *key, char *text, size_t size)
{
	int64_t room = key->max - key->min > 1000000 ? 1000000 : key->max - key->min;
	int64_t first = key->min + n() % (room + 1);
	size_t used = 0;

	for (unsigned i = 0; i < key->fields; i++) {
		int64_t at = first + i <= key->max ? first + i : key->max;

		used += (size_t)snprintf(text + used, size - used, "%s%lld", i > 0 ? " " : "",
					 (long long)at);
	}
}

/* A value that the key can have; false for a secret. */
static bool fill_value(const struct tct_kernel_key *key, struct tct_value *value)
{
	char text[120];
	struct tct_err err = { 0 };

	if (key->handler == TCT_HANDLER_SECRET)
		return false;
	if (key->handler == TCT_HANDLER_PORT_BITMAP)
		(void)snprintf(text, sizeof(text), "80,9000-9%03d", (int)(n() % 1000));
	else if (key->unit == TCT_UNIT_NAME)
		(void)snprintf(text, sizeof(text), "name%d", (int)n());
	else
		fill_numbers(key, text, sizeof(text));
	ck_assert_msg(tct_value_parse(key, text, value, &err) == 0, "%s: %s: %s", key->name, text,
		      err.message);
	return true;
}

static void fill_keys(struct tct_observation *observation)
{
	observation->boot_values = calloc(tct_kernel_keys_count, sizeof(struct tct_value));
	ck_assert_ptr_nonnull(observation->boot_values);
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		struct tct_sysctl *live = &observation->sysctls[i];

		live->presence = (enum tct_presence)(i % 5);
		live->error = live->presence == TCT_UNREADABLE ? EACCES : 0;
		live->writable = i % 2 == 0;
		if (live->presence == TCT_PRESENT && !fill_value(&tct_kernel_keys[i], &live->value))
			live->presence = TCT_ABSENT;
		if (i % 3 != 0)
			(void)fill_value(&tct_kernel_keys[i], &observation->boot_values[i]);
	}
	for (size_t i = 0; i < tct_counters_count; i++) {
		struct tct_counter_reading *reading = &observation->counters[i];

		reading->presence = (enum tct_presence)(i % 5);
		reading->first = i % 4 == 0 ? -n() : n();
		reading->last = n();
	}
}

static void fill_listener(struct tct_listener *listener)
{
	listener->family = AF_INET6;
	FILL_TEXT(listener->address, "fe80::1%%%d");
	listener->port = (uint16_t)n();
	listener->queue = (uint32_t)n();
	listener->queue_first = (uint32_t)n();
	listener->backlog = TCT_BACKLOG_UNKNOWN;
	listener->drops = n();
	listener->drops_first = n();
	listener->syn_recv = n();
	listener->syn_recv_resent = n();
	listener->siblings = (unsigned)n();
	listener->unaccepted_kept = n();
	listener->unaccepted_idle_ns = n();
	listener->established = n();
	listener->remote = n();
	listener->unguarded = n();
	listener->retransmitting = n();
	listener->port_chosen_by_kernel = true;
	listener->port_choice_known = true;
	listener->v6only = true;
	listener->cookie = UINT64_MAX - (uint64_t)n();
	listener->inode = UINT32_MAX - (uint32_t)n();
	listener->uid = UINT32_MAX - (uint32_t)n();
	fill_owner(&listener->owner);
}

static void fill_destination(struct tct_destination *destination)
{
	destination->family = AF_INET;
	FILL_TEXT(destination->source, "10.0.0.%d");
	FILL_TEXT(destination->address, "10.1.0.%d");
	destination->port = (uint16_t)n();
	destination->sockets = n();
	destination->time_wait = n();
	destination->reusable = n();
	destination->used = n();
	destination->used_first = n();
	destination->syn_sent = n();
	destination->syn_unanswered = n();
	fill_owner(&destination->owner);
}

static void fill_owner_group(struct tct_owner_group *group)
{
	fill_owner(&group->owner);
	group->established = n();
	for (unsigned i = 0; i < TCT_POPULATION_LIMIT; i++)
		fill_population(&group->populations[i]);
	group->descriptors_max = INT64_MAX - n();
	group->close_wait_first = n();
	group->busy_ns = n();
	group->rwnd_limited_ns = n();
	group->sndbuf_limited_ns = n();
}

static void fill_peer(struct tct_peer *peer)
{
	peer->family = AF_INET;
	FILL_TEXT(peer->address, "10.2.0.%d");
	FILL_TEXT(peer->local, "10.0.0.1:%d");
	peer->port = (uint16_t)n();
	peer->established = n();
	fill_population(&peer->unguarded);
	fill_owner(&peer->owner);
}

static void fill_interface(struct tct_interface *interface)
{
	FILL_TEXT(interface->name, "eth%d");
	interface->mtu_bytes = n();
	interface->rp_filter = n();
	interface->rx_packets_first = n();
	interface->rx_packets = n();
	interface->rx_errors_first = n();
	interface->rx_errors = n();
	interface->rx_dropped_first = n();
	interface->rx_dropped = n();
	interface->tx_errors_first = n();
	interface->tx_errors = n();
	interface->tx_dropped_first = n();
	interface->tx_dropped = n();
}

static void fill_traffic(struct tct_observation *observation)
{
	observation->interval_ns = n();
	observation->states.method = TCT_METHOD_DERIVED;
	for (unsigned i = TCT_STATE_ESTABLISHED; i < TCT_STATE_LIMIT; i++)
		observation->states.counts[i] = n();
	observation->states.elapsed_ns = n();
	FILL_TEXT(observation->states.why_exact, "because %d");
	fill_sample(&observation->sample);
	for (unsigned i = 0; i < TCT_POPULATION_LIMIT; i++)
		fill_population(&observation->populations[i]);
	observation->outgoing.presence = TCT_ABSENT;
	FILL_TEXT(observation->outgoing.why_not, "why not %d");
	observation->outgoing.whole = true;
	observation->outgoing.ports_usable = n();
	observation->outgoing.ports_looked_at = n();
	observation->outgoing.sockets = n();
	observation->outgoing.established = n();
	observation->outgoing.distinct = n();
	observation->outgoing.unanswered_distinct = n();
	observation->environment.presence = TCT_PRESENT;
	FILL_TEXT(observation->environment.container, "container %d");
	FILL_TEXT(observation->environment.hypervisor, "hypervisor %d");
	observation->environment.nat_presence = TCT_UNPARSED;
	observation->environment.nat = true;
	FILL_TEXT(observation->environment.nat_evidence, "evidence %d");
	observation->peers_presence = TCT_ABSENT;
	observation->interfaces_presence = TCT_UNPARSED;
	observation->listeners_presence = TCT_UNREADABLE;
	for (unsigned i = 0; i < 2; i++) {
		struct tct_listener *listener = TCT_APPEND(observation, listeners);
		struct tct_owner_group *group = TCT_APPEND(observation, owners);
		struct tct_destination *destination =
			TCT_APPEND(&observation->outgoing, destinations);

		struct tct_peer *peer = TCT_APPEND(observation, peers);
		struct tct_interface *interface = TCT_APPEND(observation, interfaces);

		ck_assert(listener != NULL && group != NULL && destination != NULL);
		ck_assert(peer != NULL && interface != NULL);
		fill_listener(listener);
		fill_owner_group(group);
		fill_destination(destination);
		fill_peer(peer);
		fill_interface(interface);
		struct tct_gap *gap = TCT_APPEND(observation, gaps);

		ck_assert_ptr_nonnull(gap);
		FILL_TEXT(gap->what, "what %d");
		FILL_TEXT(gap->why, "why \xc3 %d");
	}
}

static void fill_files(struct tct_observation *observation)
{
	struct tct_err err = { 0 };

	scratch_write("etc/sysctl.d/10-a.conf", "net.core.somaxconn = 4096\n"
						"-net.ipv4.tcp_rmem = 4096 131072 6291456\n"
						"net/ipv4//tcp_wmem = 1 # \xff\x01\nnonsense\n"
						"net.ipv4.conf.*.rp_filter = 2\n-net.ipv4.*\n");
	scratch_write("etc/sysctl.d/99-tcptune.conf", "net.core.somaxconn = 8192\n");
	scratch_write("run/sysctl.d/99-tcptune.conf", "net.core.somaxconn = 512\n");
	scratch_write("usr/lib/sysctl.d/20-b.conf", "net.core.somaxconn = 128\n");
	scratch_write("etc/sysctl.conf", "net.ipv4.tcp_tw_recycle = 1\n");
	ck_assert(symlink("../sysctl.conf", scratch_path("etc/sysctl.d/99-z.conf")) == 0 ||
		  errno == EEXIST);
	ck_assert_int_eq(tct_sysctl_files_read(&scratch_root, &observation->files, &err), 0);
	ck_assert_uint_gt(observation->files->faults_count, 0);
	observation->files->faults[0].unread = true;
	observation->files_govern = true;
	observation->boot_model = TCT_BOOT_PROCPS;
}

struct tct_observation *full_observation(void)
{
	struct tct_observation *observation = tct_observation_new();

	ck_assert_ptr_nonnull(observation);
	number = 1000;
	fill_host(&observation->host);
	fill_keys(observation);
	fill_traffic(observation);
	fill_files(observation);
	return observation;
}

void check_same_files(const struct tct_sysctl_files *a, const struct tct_sysctl_files *b)
{
	ck_assert_uint_eq(a->paths_count, b->paths_count);
	for (size_t i = 0; i < a->paths_count; i++)
		ck_assert_str_eq(a->paths[i], b->paths[i]);
	ck_assert_uint_eq(a->lines_count, b->lines_count);
	for (size_t i = 0; i < a->lines_count; i++) {
		const struct tct_file_line *left = &a->lines[i];
		const struct tct_file_line *right = &b->lines[i];

		ck_assert_str_eq(left->file, right->file);
		ck_assert_uint_eq(left->line, right->line);
		ck_assert_str_eq(left->key, right->key);
		ck_assert_pstr_eq(left->value, right->value);
		ck_assert_ptr_eq(left->known, right->known);
		ck_assert_int_eq(left->is_pattern, right->is_pattern);
		ck_assert_int_eq(left->ignore_errors, right->ignore_errors);
		ck_assert_int_eq(left->ours, right->ours);
		ck_assert_int_eq(left->vendor, right->vendor);
		ck_assert_uint_eq(left->read_by, right->read_by);
		ck_assert_uint_eq(left->wins, right->wins);
		ck_assert_uint_eq(left->twin, right->twin);
		ck_assert_int_eq(left->outcome, right->outcome);
		ck_assert(tct_value_equal(&left->stored, &right->stored));
		ck_assert_str_eq(left->reason, right->reason);
	}
	ck_assert_uint_eq(a->faults_count, b->faults_count);
	for (size_t i = 0; i < a->faults_count; i++) {
		ck_assert_str_eq(a->faults[i].file, b->faults[i].file);
		ck_assert_uint_eq(a->faults[i].line, b->faults[i].line);
		ck_assert_uint_eq(a->faults[i].affects, b->faults[i].affects);
		ck_assert_int_eq(a->faults[i].unread, b->faults[i].unread);
		ck_assert_str_eq(a->faults[i].what, b->faults[i].what);
	}
}

char *snapshot_text(const struct tct_snapshot *snapshot, size_t *length)
{
	json_t *document = tct_snapshot_json(snapshot);
	char *text;

	ck_assert_ptr_nonnull(document);
	text = tct_snapshot_text(document, length);
	ck_assert_ptr_nonnull(text);
	json_decref(document);
	return text;
}

void snapshot_load(const char *text, size_t length, struct tct_snapshot *snapshot)
{
	struct tct_err err = { 0 };
	json_t *document = NULL;

	ck_assert_msg(tct_document_parse("f", text, length, &document, &err) == 0, "%s",
		      err.message);
	ck_assert_msg(tct_snapshot_from_json("f", document, snapshot, &err) == 0, "%s",
		      err.message);
	json_decref(document);
}

/* A snapshot of one observation, which it owns. */
struct tct_snapshot snapshot_of(struct tct_observation *observation)
{
	struct tct_snapshot snapshot = { .tcptune = "1.2.3" };

	ck_assert_ptr_nonnull(observation);
	ck_assert_int_eq(tct_snapshot_add(&snapshot, observation), 0);
	return snapshot;
}
