/* What was seen, in the audit document. */
#include <string.h>

#include "audit/judge/report_json.h"
#include "audit/judge/usage.h"
#include "core/json_text.h"
#include "core/mem.h"

const char *tct_presence_name(enum tct_presence presence)
{
	static const char *const names[] = {
		[TCT_NOT_LOOKED] = "not_looked", [TCT_PRESENT] = "present",
		[TCT_ABSENT] = "absent",         [TCT_UNREADABLE] = "unreadable",
		[TCT_UNPARSED] = "unparsed",
	};

	return names[presence];
}

static json_t *number_or_null(int64_t number)
{
	return number < 0 ? json_null() : json_integer(number);
}

static json_t *seconds(int64_t ns)
{
	return ns < 0 ? json_null() : json_real((double)ns / 1e9);
}

json_t *tct_host_json(const struct tct_host *host)
{
	static const char *const sources[] = {
		[TCT_SOURCE_LIVE] = "live",
		[TCT_SOURCE_ROOT] = "root",
		[TCT_SOURCE_SNAPSHOT] = "snapshot",
	};

	return json_pack(
		"{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:s, s:{s:o, s:o, s:b}, s:o}", "hostname",
		tct_json_text_or_null(host->hostname), "kernel",
		tct_json_text_or_null(host->kernel), "kernel_assumed", host->kernel_assumed,
		"mem_total_bytes", number_or_null(host->mem_total_bytes), "cpus",
		number_or_null(host->cpus), "boot_id", tct_json_text_or_null(host->boot_id),
		"uptime_seconds", seconds(host->uptime_ns), "source", sources[host->source],
		"netns", "name", tct_json_text_or_null(host->netns.name), "inode",
		host->netns.inode == 0 ? json_null() : json_integer((json_int_t)host->netns.inode),
		"initial", host->netns.initial, "taken_at", tct_json_time(host->taken_at_ns));
}

json_t *tct_states_json(const struct tct_states *states)
{
	static const char *const methods[] = {
		[TCT_METHOD_NONE] = NULL,
		[TCT_METHOD_EXACT] = "exact",
		[TCT_METHOD_DERIVED] = "derived",
	};
	json_t *counts = json_object();
	int failed = 0;

	for (enum tct_state state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++)
		failed |= json_object_set_new(counts, tct_state_name(state),
					      states->method == TCT_METHOD_NONE
						      ? json_null()
						      : json_integer(states->counts[state]));
	if (failed != 0) {
		json_decref(counts);
		return NULL;
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "counts", counts, "method",
			 tct_json_text_or_null(methods[states->method]), "why_exact",
			 tct_json_text_or_null(states->why_exact), "elapsed_seconds",
			 states->method == TCT_METHOD_NONE ? json_null()
							   : seconds(states->elapsed_ns));
}

static json_t *owner_json(const struct tct_owner *owner)
{
	if (owner->pid == 0 && owner->unit[0] == '\0')
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o}", "pid",
			 owner->pid == 0 ? json_null() : json_integer(owner->pid), "comm",
			 tct_json_text_or_null(owner->comm), "unit",
			 tct_json_text_or_null(owner->unit), "uid", number_or_null(owner->uid));
}

static json_t *listener_json(const struct tct_listener *listener)
{
	/* nobody counted siblings, nor what is counted together with them */
	bool counted = listener->siblings > 0;

	return json_pack(
		"{s:s, s:i, s:s, s:b, s:o, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:s}",
		"address", listener->address, "port", (int)listener->port, "family",
		listener->family == AF_INET6 ? "ipv6" : "ipv4", "dual_stack",
		tct_listener_is_dual_stack(listener), "siblings",
		counted ? json_integer(listener->siblings) : json_null(), "queue",
		(json_int_t)listener->queue, "backlog",
		number_or_null(
			listener->backlog == TCT_BACKLOG_UNKNOWN ? -1 : (int64_t)listener->backlog),
		"syn_recv", (json_int_t)listener->syn_recv, "syn_recv_resent",
		number_or_null(counted ? listener->syn_recv_resent : -1), "drops",
		number_or_null(listener->drops), "unaccepted_kept",
		number_or_null(counted ? listener->unaccepted_kept : -1), "established",
		number_or_null(counted ? listener->established : -1), "remote",
		number_or_null(counted ? listener->remote : -1), "unguarded",
		number_or_null(counted ? listener->unguarded : -1), "retransmitting",
		number_or_null(counted ? listener->retransmitting : -1), "owner",
		owner_json(&listener->owner), "owner_sight",
		tct_owner_sight_name(listener->owner.sight));
}

static json_t *listeners_json(const struct tct_observation *observation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < observation->listeners_count; i++) {
		if (json_array_append_new(list, listener_json(&observation->listeners[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Null where nothing was looked at, or nobody told how much. */
static json_t *sample_json(const struct tct_sample *sample)
{
	if (!sample->whole && sample->seen == 0)
		return json_null();
	return json_pack("{s:b, s:I, s:I, s:f}", "whole", sample->whole, "seen",
			 (json_int_t)sample->seen, "of", (json_int_t)sample->of, "error",
			 sample->whole ? 0.0 : (double)sample->error_ppm / 1e6);
}

static json_t *idle_json(const struct tct_population *population)
{
	json_t *list = json_array();

	for (size_t i = 0; i < TCT_IDLE_STEPS && population->idle_at_least[i] > 0; i++) {
		if (json_array_append_new(
			    list, json_pack("{s:I, s:I}", "seconds", (json_int_t)tct_idle_step_s[i],
					    "sockets", (json_int_t)population->idle_at_least[i])) !=
		    0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *population_json(const struct tct_population *population)
{
	if (population->presence != TCT_PRESENT)
		return json_null();
	return json_pack("{s:I, s:o, s:o}", "total", (json_int_t)population->total, "sample",
			 sample_json(&population->sample), "idle_at_least", idle_json(population));
}

static json_t *populations_json(const struct tct_population populations[TCT_POPULATION_LIMIT])
{
	json_t *object = json_object();
	int failed = 0;

	for (size_t i = 0; i < TCT_POPULATION_LIMIT; i++)
		failed |= json_object_set_new(object, tct_population_names[i],
					      population_json(&populations[i]));
	if (failed == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *owner_group_json(const struct tct_owner_group *group)
{
	json_t *entry = json_pack("{s:o, s:s, s:o, s:o}", "owner", owner_json(&group->owner),
				  "owner_sight", tct_owner_sight_name(group->owner.sight),
				  "established", number_or_null(group->established),
				  "close_wait_first", number_or_null(group->close_wait_first));
	int failed = 0;

	for (size_t i = 0; i < TCT_POPULATION_LIMIT; i++) {
		const struct tct_population *population = &group->populations[i];

		failed |= json_object_set_new(entry, tct_population_names[i],
					      number_or_null(population->presence == TCT_PRESENT
								     ? population->total
								     : -1));
	}
	failed |= json_object_set_new(entry, "descriptors_max",
				      number_or_null(group->descriptors_max));
	failed |= json_object_set_new(entry, "busy_seconds", seconds(group->busy_ns));
	failed |=
		json_object_set_new(entry, "rwnd_limited_seconds", seconds(group->rwnd_limited_ns));
	failed |= json_object_set_new(entry, "sndbuf_limited_seconds",
				      seconds(group->sndbuf_limited_ns));
	if (failed == 0)
		return entry;
	json_decref(entry);
	return NULL;
}

static json_t *owners_json(const struct tct_observation *observation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < observation->owners_count; i++) {
		if (json_array_append_new(list, owner_group_json(&observation->owners[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *peers_json(const struct tct_observation *observation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < observation->peers_count; i++) {
		const struct tct_peer *peer = &observation->peers[i];
		json_t *entry = json_pack(
			"{s:s, s:s, s:s, s:i, s:I, s:o, s:o, s:s}", "family",
			peer->family == AF_INET6 ? "ipv6" : "ipv4", "address", peer->address,
			"local", peer->local, "port", (int)peer->port, "established",
			(json_int_t)peer->established, "unguarded",
			population_json(&peer->unguarded), "owner", owner_json(&peer->owner),
			"owner_sight", tct_owner_sight_name(peer->owner.sight));

		if (json_array_append_new(list, entry) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o}", "presence", tct_presence_name(observation->peers_presence),
			 "list", list);
}

static json_t *interface_json(const struct tct_interface *interface)
{
	const struct {
		const char *name;
		int64_t number;
	} numbers[] = {
		{ "mtu_bytes", interface->mtu_bytes },
		{ "rp_filter", interface->rp_filter },
		{ "rx_packets_first", interface->rx_packets_first },
		{ "rx_packets", interface->rx_packets },
		{ "rx_errors_first", interface->rx_errors_first },
		{ "rx_errors", interface->rx_errors },
		{ "rx_dropped_first", interface->rx_dropped_first },
		{ "rx_dropped", interface->rx_dropped },
		{ "tx_errors_first", interface->tx_errors_first },
		{ "tx_errors", interface->tx_errors },
		{ "tx_dropped_first", interface->tx_dropped_first },
		{ "tx_dropped", interface->tx_dropped },
	};
	json_t *entry = json_object();
	int failed = json_object_set_new(entry, "name", tct_json_text(interface->name));

	for (size_t i = 0; i < TCT_COUNT(numbers); i++)
		failed |= json_object_set_new(entry, numbers[i].name,
					      number_or_null(numbers[i].number));
	if (failed == 0)
		return entry;
	json_decref(entry);
	return NULL;
}

static json_t *interfaces_json(const struct tct_observation *observation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < observation->interfaces_count; i++) {
		if (json_array_append_new(list, interface_json(&observation->interfaces[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o}", "presence",
			 tct_presence_name(observation->interfaces_presence), "list", list);
}

/* Seconds or a rate from millionths or nanoseconds; null if not known. */
static json_t *real_or_null(bool known, int64_t number, double scale)
{
	return known ? json_real((double)number / scale) : json_null();
}

static json_t *destinations_json(const struct tct_observation *observation)
{
	const struct tct_outgoing *outgoing = &observation->outgoing;
	json_t *list = json_array();

	for (size_t i = 0; i < outgoing->destinations_count; i++) {
		const struct tct_destination *to = &outgoing->destinations[i];
		int64_t growth_ppm = 0;
		int64_t left_ns = -1;
		bool known = tct_usage_ports_growth(observation, to, &growth_ppm, &left_ns);
		json_t *entry = json_pack(
			"{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s}",
			"family", to->family == AF_INET6 ? "ipv6" : "ipv4", "source", to->source,
			"address", to->address, "port", (int)to->port, "sockets",
			(json_int_t)to->sockets, "time_wait", (json_int_t)to->time_wait, "reusable",
			(json_int_t)to->reusable, "used", (json_int_t)to->used, "used_first",
			number_or_null(to->used_first), "syn_sent", number_or_null(to->syn_sent),
			"syn_unanswered", number_or_null(to->syn_unanswered), "growth_per_second",
			real_or_null(known, growth_ppm, 1e6), "exhausted_in_seconds",
			real_or_null(known && left_ns >= 0, left_ns, 1e9), "owner",
			owner_json(&to->owner), "owner_sight",
			tct_owner_sight_name(to->owner.sight));

		if (json_array_append_new(list, entry) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *outgoing_json(const struct tct_observation *observation)
{
	const struct tct_outgoing *outgoing = &observation->outgoing;
	bool seen = outgoing->presence == TCT_PRESENT;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "presence",
			 tct_presence_name(outgoing->presence), "why_not",
			 tct_json_text_or_null(outgoing->why_not), "whole",
			 seen ? json_boolean(outgoing->whole) : json_null(), "ports_usable",
			 number_or_null(outgoing->ports_usable), "ports_looked_at",
			 number_or_null(seen ? outgoing->ports_looked_at : -1), "sockets",
			 number_or_null(seen ? outgoing->sockets : -1), "established",
			 number_or_null(seen ? outgoing->established : -1), "distinct",
			 number_or_null(seen ? outgoing->distinct : -1), "unanswered_distinct",
			 number_or_null(seen ? outgoing->unanswered_distinct : -1), "destinations",
			 destinations_json(observation));
}

static json_t *counter_json(const struct tct_observation *observation, const char *name)
{
	return number_or_null(tct_usage_counter(observation, name));
}

static json_t *conntrack_json(const struct tct_observation *observation,
			      const struct tct_usage *usage)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "count",
			 number_or_null(usage->conntrack_count), "max",
			 number_or_null(usage->conntrack_max), "buckets",
			 number_or_null(usage->conntrack_buckets), "drops",
			 counter_json(observation, "conntrack.drop"), "early_drops",
			 counter_json(observation, "conntrack.early_drop"), "insert_failed",
			 counter_json(observation, "conntrack.insert_failed"));
}

static json_t *memory_json(const struct tct_usage *usage)
{
	return json_pack("{s:s, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o}", "scope", "host",
			 "tcp_mem_bytes", "min", number_or_null(usage->memory_min_bytes),
			 "pressure", number_or_null(usage->memory_pressure_bytes), "max",
			 number_or_null(usage->memory_max_bytes), "used_bytes",
			 number_or_null(usage->memory_used_bytes), "orphans",
			 number_or_null(usage->orphans), "orphans_max",
			 number_or_null(usage->orphans_max), "allocated",
			 number_or_null(usage->allocated));
}

static json_t *softnet_json(const struct tct_observation *observation)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "scope", "host", "processed",
			 counter_json(observation, "softnet.processed"), "dropped",
			 counter_json(observation, "softnet.dropped"), "time_squeeze",
			 counter_json(observation, "softnet.time_squeeze"), "received_rps",
			 counter_json(observation, "softnet.received_rps"), "flow_limit",
			 counter_json(observation, "softnet.flow_limit"));
}

static json_t *environment_json(const struct tct_observation *observation)
{
	const struct tct_environment *seen = &observation->environment;

	return json_pack("{s:s, s:o, s:o, s:{s:s, s:o, s:o}, s:o}", "presence",
			 tct_presence_name(seen->presence), "container",
			 tct_json_text_or_null(seen->container), "hypervisor",
			 tct_json_text_or_null(seen->hypervisor), "nat", "presence",
			 tct_presence_name(seen->nat_presence), "seen",
			 seen->nat_presence == TCT_PRESENT ? json_boolean(seen->nat) : json_null(),
			 "evidence", tct_json_text_or_null(seen->nat_evidence), "private_listeners",
			 number_or_null(tct_private_listeners(observation)));
}

int tct_report_add_short_look(const struct tct_observation *observation, json_t *document)
{
	int failed = json_object_set_new(document, "interval_seconds",
					 seconds(observation->interval_ns));

	failed |= json_object_set_new(document, "states", tct_states_json(&observation->states));
	failed |= json_object_set_new(document, "listeners", listeners_json(observation));
	return failed;
}

int tct_report_add_look(const struct tct_report *report, json_t *document)
{
	const struct tct_observation *observation = report->observation;
	struct tct_usage usage;
	int failed = 0;

	tct_usage_of(report, &usage);
	failed |= json_object_set_new(document, "host", tct_host_json(&observation->host));
	failed |= tct_report_add_short_look(observation, document);
	failed |= json_object_set_new(document, "sample", sample_json(&observation->sample));
	failed |= json_object_set_new(document, "populations",
				      populations_json(observation->populations));
	failed |= json_object_set_new(document, "owners", owners_json(observation));
	failed |= json_object_set_new(document, "outgoing", outgoing_json(observation));
	failed |= json_object_set_new(document, "peers", peers_json(observation));
	failed |= json_object_set_new(document, "interfaces", interfaces_json(observation));
	failed |= json_object_set_new(document, "conntrack", conntrack_json(observation, &usage));
	failed |= json_object_set_new(document, "memory", memory_json(&usage));
	failed |= json_object_set_new(document, "softnet", softnet_json(observation));
	failed |= json_object_set_new(document, "environment", environment_json(observation));
	return failed;
}
