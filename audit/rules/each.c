/* What rules are judged for, item by item, and the table of attributes. */
#include "audit/rules/each.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/functions.h"
#include "audit/rules/suppressions.h"
#include "core/mem.h"

static const char *const each_names[] = {
	[TCT_EACH_NONE] = "",
	[TCT_EACH_LISTENER] = "listener",
	[TCT_EACH_OWNER] = "owner",
	[TCT_EACH_DESTINATION] = "destination",
	[TCT_EACH_PEER] = "peer",
	[TCT_EACH_INTERFACE] = "interface",
	[TCT_EACH_NAMESPACE] = "namespace",
	[TCT_EACH_KEY] = "key",
	[TCT_EACH_LINE] = "line",
	[TCT_EACH_SUPPRESSION] = "suppression",
};

const char *tct_each_name(enum tct_each each)
{
	return each_names[each];
}

int tct_each_find(const char *name, enum tct_each *each)
{
	for (size_t i = TCT_EACH_LISTENER; i < TCT_COUNT(each_names); i++) {
		if (strcmp(each_names[i], name) == 0) {
			*each = (enum tct_each)i;
			return 0;
		}
	}
	return -1;
}

size_t tct_each_count(enum tct_each each, const struct tct_env *env)
{
	const struct tct_observation *observation = env->observation;

	switch (each) {
	case TCT_EACH_NONE:
		return 1;
	case TCT_EACH_LISTENER:
		return observation->listeners_count;
	case TCT_EACH_OWNER:
		return observation->owners_count;
	case TCT_EACH_DESTINATION:
		return observation->outgoing.destinations_count;
	case TCT_EACH_PEER:
		return observation->peers_count;
	case TCT_EACH_INTERFACE:
		return observation->interfaces_count;
	case TCT_EACH_NAMESPACE:
		return env->host != NULL && env->host != observation;
	case TCT_EACH_SUPPRESSION:
		return env->suppressions != NULL ? env->suppressions->items_count : 0;
	case TCT_EACH_KEY:
		return tct_kernel_keys_count;
	case TCT_EACH_LINE:
		return observation->files != NULL ? observation->files->lines_count : 0;
	}
	return 0;
}

static bool unavailable(char reason[200], const char *what, const char *why)
{
	if (snprintf(reason, 200, "%s%s%.150s", what, *why != '\0' ? ": " : "", why) < 0)
		reason[0] = '\0';
	return false;
}

/* Somebody looked at sockets, and found out whose they are. */
static bool owners_seen(const struct tct_observation *observation)
{
	return observation->owners_count > 0 ||
	       observation->populations[TCT_POPULATION_CLOSE_WAIT].presence == TCT_PRESENT;
}

static bool destinations_seen(const struct tct_outgoing *outgoing, const char *gap,
			      char reason[200])
{
	if (outgoing->presence == TCT_PRESENT || tct_outgoing_suffices(outgoing))
		return true;
	return unavailable(reason, "ephemeral ports in use: not counted",
			   outgoing->why_not[0] != '\0' ? outgoing->why_not : gap);
}

static bool interfaces_seen(const struct tct_observation *observation, char reason[200])
{
	if (observation->interfaces_presence == TCT_PRESENT)
		return true;
	/* who looks once doesn't look at them: only what grows counts */
	if (observation->interfaces_presence == TCT_NOT_LOOKED && observation->interval_ns <= 0 &&
	    tct_host_looked_at(&observation->host) == TCT_SOURCE_LIVE)
		return unavailable(reason, "one look (--interval 0): no rates", "");
	return unavailable(reason, "network interfaces: not looked at",
			   tct_gap_why(observation, "interface"));
}

bool tct_each_available(enum tct_each each, const struct tct_env *env, char reason[200])
{
	const struct tct_observation *observation = env->observation;
	const char *sockets = tct_gap_why(observation, "socket");

	reason[0] = '\0';
	switch (each) {
	case TCT_EACH_LISTENER:
		return observation->listeners_presence == TCT_PRESENT ||
		       unavailable(reason, "listening sockets: not seen", sockets);
	case TCT_EACH_OWNER:
		return owners_seen(observation) ||
		       unavailable(reason, "owners of connections: not looked at", sockets);
	case TCT_EACH_DESTINATION:
		return destinations_seen(&observation->outgoing,
					 tct_gap_why(observation, "ephemeral ports"), reason);
	case TCT_EACH_PEER:
		return observation->peers_presence == TCT_PRESENT ||
		       unavailable(reason, "peers of connections: not looked at", sockets);
	case TCT_EACH_INTERFACE:
		return interfaces_seen(observation, reason);
	case TCT_EACH_LINE:
		return observation->files != NULL ||
		       unavailable(reason, "sysctl files: not read",
				   tct_gap_why(observation, "sysctl"));
	case TCT_EACH_NONE:
	case TCT_EACH_NAMESPACE:
	case TCT_EACH_KEY:
	case TCT_EACH_SUPPRESSION:
		break;
	}
	return true;
}

bool tct_each_applies(enum tct_each each, const struct tct_env *env, size_t item)
{
	if (item >= tct_each_count(each, env))
		return false;
	if (each != TCT_EACH_LINE)
		return true;

	const struct tct_file_line *line = &env->observation->files->lines[item];

	return !line->is_pattern && line->value != NULL && line->twin == 0;
}

unsigned tct_each_looks(enum tct_each each)
{
	switch (each) {
	case TCT_EACH_OWNER:
		return TCT_LOOK_OWNERS | TCT_LOOK_POPULATIONS;
	case TCT_EACH_DESTINATION:
		return TCT_LOOK_DESTINATIONS;
	case TCT_EACH_PEER:
		return TCT_LOOK_PEERS | TCT_LOOK_POPULATIONS | TCT_LOOK_OWNERS;
	case TCT_EACH_INTERFACE:
		return TCT_LOOK_INTERFACES;
	case TCT_EACH_NONE:
	case TCT_EACH_LISTENER:
	case TCT_EACH_NAMESPACE:
	case TCT_EACH_KEY:
	case TCT_EACH_LINE:
	case TCT_EACH_SUPPRESSION:
		break;
	}
	return 0;
}

/* ---- what readers share ---- */

void tct_result_text_copy(const struct tct_env *env, const char *text, struct tct_result *result)
{
	if (env->scratch != NULL)
		result->text = tct_arena_text(env->scratch, text, strlen(text));
	if (env->scratch == NULL || result->text == NULL) {
		result->text = "";
		tct_result_missing(result, "no memory for this text");
	}
}

void tct_result_text_take(const struct tct_env *env, struct tct_text *text,
			  struct tct_result *result)
{
	TCT_AUTOFREE char *taken = tct_text_take(text);

	if (taken == NULL)
		tct_result_no_memory(result);
	else
		tct_result_text_copy(env, taken, result);
}

void tct_result_process(const struct tct_env *env, const struct tct_owner *owner,
			struct tct_result *result)
{
	char text[64];

	if (owner->comm[0] == '\0' && owner->pid == 0)
		return;

	int length = snprintf(text, sizeof(text), "%.31s[%d]", owner->comm, owner->pid);

	tct_result_text_copy(env, length < 0 ? "" : text, result);
}

void tct_result_looked(int64_t number, const char *what, struct tct_result *result)
{
	result->number = number;
	if (number < 0)
		tct_result_missing(result, "%s: not looked at", what);
}

void tct_result_growth(const struct tct_env *env, int64_t first, int64_t last, const char *what,
		       struct tct_result *result)
{
	if (env->observation->interval_ns <= 0)
		tct_result_missing(result, "one look (--interval 0): no growth");
	else if (last < 0 || first < 0)
		tct_result_missing(result, "%s are not known", what);
	else if (__builtin_sub_overflow(last, first, &result->number) || result->number < 0)
		tct_result_missing(result, "%s went backwards", what);
}

void tct_result_no_memory(struct tct_result *result)
{
	tct_result_failed(result, "out of memory");
}

void tct_result_value_text(const struct tct_env *env, const struct tct_value *value,
			   struct tct_result *result)
{
	TCT_AUTOFREE char *text = tct_value_text(value);

	if (text == NULL)
		tct_result_no_memory(result);
	else
		tct_result_text_copy(env, text, result);
}

bool tct_value_out_of_range(const struct tct_kernel_key *key, const struct tct_value *value)
{
	if (value->kind != TCT_VALUE_NUMBERS)
		return false;
	for (unsigned i = 0; i < value->count; i++) {
		int64_t number = value->numbers[i];
		bool unlimited = (key->unlimited == TCT_UNLIMITED_NEGATIVE && number < 0) ||
				 (key->unlimited == TCT_UNLIMITED_ZERO && number == 0);

		if (!unlimited && (number < key->sane_min || number > key->sane_max))
			return true;
	}
	return false;
}

bool tct_value_unsorted(const struct tct_kernel_key *key, const struct tct_value *value)
{
	for (unsigned i = 1; key->ordered && value->kind == TCT_VALUE_NUMBERS && i < value->count;
	     i++) {
		if (value->numbers[i] < value->numbers[i - 1])
			return true;
	}
	return false;
}

/* ---- the table ---- */

/* clang-format off */
#define BOOL { .kind = TCT_KIND_BOOL }
#define TEXT { .kind = TCT_KIND_TEXT }
#define VERSION { .kind = TCT_KIND_VERSION }
#define COUNT { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_COUNT }
#define TIME { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_TIME }
/* printed without thousands separators */
#define NUMBER_NAME { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_COUNT, .has_native = true, .native = TCT_UNIT_PORT }

#define LISTENER(name, type) { TCT_EACH_LISTENER, #name, type, 0, tct_read_listener_##name, NULL }
#define LISTENER_GROWS(name) { TCT_EACH_LISTENER, #name, COUNT, 0, tct_read_listener_##name, tct_read_listener_##name##_first }
#define LISTENER_LOOKS(name, type, looks) { TCT_EACH_LISTENER, #name, type, looks, tct_read_listener_##name, NULL }
#define OWNER(name, type) { TCT_EACH_OWNER, #name, type, 0, tct_read_owner_##name, NULL }
#define DESTINATION(name, type) { TCT_EACH_DESTINATION, #name, type, 0, tct_read_destination_##name, NULL }
#define PEER(name, type) { TCT_EACH_PEER, #name, type, 0, tct_read_peer_##name, NULL }
#define INTERFACE(name, type) { TCT_EACH_INTERFACE, #name, type, 0, tct_read_interface_##name, NULL }
#define NAMESPACE(name, type) { TCT_EACH_NAMESPACE, #name, type, 0, tct_read_namespace_##name, NULL }
#define KEY(name, type) { TCT_EACH_KEY, #name, type, 0, tct_read_key_##name, NULL }
#define LINE(name, type) { TCT_EACH_LINE, #name, type, 0, tct_read_line_##name, NULL }
#define SUPPRESSION(name, type) { TCT_EACH_SUPPRESSION, #name, type, 0, tct_read_suppression_##name, NULL }

const struct tct_attribute tct_attributes[] = {
	LISTENER(address, TEXT),
	LISTENER(endpoint, TEXT),
	LISTENER(port, NUMBER_NAME),
	LISTENER_GROWS(queue),
	LISTENER(queue_first, COUNT),
	LISTENER(backlog, COUNT),
	LISTENER_GROWS(drops),
	LISTENER(drops_growth, COUNT),
	LISTENER(syn_recv, COUNT),
	LISTENER(syn_recv_resent, COUNT),
	LISTENER(family, TEXT),
	LISTENER(fixed_port, BOOL),
	LISTENER(v6only, BOOL),
	LISTENER_LOOKS(owner, TEXT, TCT_LOOK_OWNERS),
	LISTENER_LOOKS(unit, TEXT, TCT_LOOK_OWNERS),
	LISTENER(siblings, COUNT),
	LISTENER(first_sibling, BOOL),
	LISTENER(first_of_port, BOOL),
	LISTENER(sibling_queue_least, COUNT),
	LISTENER_LOOKS(unaccepted_kept, COUNT, TCT_LOOK_UNACCEPTED),
	LISTENER_LOOKS(unaccepted_idle, TIME, TCT_LOOK_UNACCEPTED),
	LISTENER_LOOKS(established, COUNT, TCT_LOOK_POPULATIONS),
	LISTENER_LOOKS(remote, COUNT, TCT_LOOK_POPULATIONS),
	LISTENER_LOOKS(unguarded, COUNT, TCT_LOOK_POPULATIONS),
	LISTENER_LOOKS(retransmitting, COUNT, TCT_LOOK_POPULATIONS),

	OWNER(name, TEXT),
	OWNER(unit, TEXT),
	OWNER(process, TEXT),
	OWNER(pid, NUMBER_NAME),
	OWNER(ports, TEXT),
	OWNER(established, COUNT),
	{ TCT_EACH_OWNER, "close_wait", COUNT, 0, tct_read_owner_close_wait, tct_read_owner_close_wait_first },
	OWNER(descriptors_max, COUNT),
	OWNER(busy, TIME),
	OWNER(rwnd_limited, TIME),
	OWNER(sndbuf_limited, TIME),

	DESTINATION(source, TEXT),
	DESTINATION(address, TEXT),
	DESTINATION(port, NUMBER_NAME),
	DESTINATION(endpoint, TEXT),
	DESTINATION(sockets, COUNT),
	DESTINATION(time_wait, COUNT),
	DESTINATION(reusable, COUNT),
	{ TCT_EACH_DESTINATION, "used", COUNT, 0, tct_read_destination_used, tct_read_destination_used_first },
	DESTINATION(used_first, COUNT),
	DESTINATION(syn_sent, COUNT),
	DESTINATION(syn_unanswered, COUNT),
	DESTINATION(exhausted_in, TIME),
	{ TCT_EACH_DESTINATION, "owner", TEXT, TCT_LOOK_OWNERS, tct_read_destination_owner, NULL },
	{ TCT_EACH_DESTINATION, "unit", TEXT, TCT_LOOK_OWNERS, tct_read_destination_unit, NULL },

	PEER(address, TEXT),
	PEER(local, TEXT),
	PEER(port, NUMBER_NAME),
	PEER(established, COUNT),
	PEER(owner, TEXT),
	PEER(unit, TEXT),

	INTERFACE(interface, TEXT),
	INTERFACE(mtu, NUMBER_NAME),
	INTERFACE(rp_filter, COUNT),
	INTERFACE(rx_packets_growth, COUNT),
	INTERFACE(rx_errors_growth, COUNT),
	INTERFACE(rx_dropped_growth, COUNT),
	INTERFACE(tx_errors_growth, COUNT),
	INTERFACE(tx_dropped_growth, COUNT),

	NAMESPACE(namespace, TEXT),
	NAMESPACE(diverging, COUNT),
	NAMESPACE(diverging_keys, TEXT),

	KEY(key, TEXT),
	KEY(live, TEXT),
	KEY(boot, TEXT),
	KEY(file, TEXT),
	KEY(line, NUMBER_NAME),
	KEY(drift, BOOL),
	KEY(boot_systemd, TEXT),
	KEY(boot_procps, TEXT),
	KEY(models_differ, BOOL),
	KEY(shadowed, BOOL),
	KEY(shadowed_lines, TEXT),
	KEY(shadowed_by_vendor, BOOL),
	KEY(value_set, BOOL),
	KEY(never, BOOL),
	KEY(never_because, TEXT),
	KEY(now, TEXT),
	KEY(set_by_us, BOOL),
	KEY(out_of_range, BOOL),
	KEY(unsorted, BOOL),

	LINE(key, TEXT),
	LINE(value, TEXT),
	LINE(file, TEXT),
	LINE(line, NUMBER_NAME),
	LINE(ours, BOOL),
	LINE(vendor, BOOL),
	LINE(ignore_errors, BOOL),
	LINE(wins, BOOL),
	LINE(in_table, BOOL),
	LINE(removed, BOOL),
	LINE(removed_in, VERSION),
	LINE(no_op, BOOL),
	LINE(no_op_since, VERSION),
	LINE(rest_ignored, BOOL),
	LINE(refused, BOOL),
	LINE(half_refused, BOOL),
	LINE(partial, BOOL),
	LINE(read_only, BOOL),
	LINE(reason, TEXT),
	LINE(stored, TEXT),
	LINE(stored_number, COUNT),
	LINE(out_of_range, BOOL),
	LINE(unsorted, BOOL),

	SUPPRESSION(id, TEXT),
	SUPPRESSION(pattern, TEXT),
	SUPPRESSION(reason, TEXT),
	SUPPRESSION(expires, TEXT),
	SUPPRESSION(file, TEXT),
	SUPPRESSION(line, NUMBER_NAME),
	SUPPRESSION(expired, BOOL),
	SUPPRESSION(days_expired, COUNT),
};
/* clang-format on */

const size_t tct_attributes_count = TCT_COUNT(tct_attributes);

const struct tct_attribute *tct_attribute_find(enum tct_each each, const char *name)
{
	for (size_t i = 0; i < tct_attributes_count; i++) {
		if (tct_attributes[i].each == each && strcmp(tct_attributes[i].name, name) == 0)
			return &tct_attributes[i];
	}
	return NULL;
}

const char *tct_attribute_owners(const char *name, char out[TCT_EACH_WORDS])
{
	const char *found[TCT_COUNT(each_names)];
	size_t count = 0;
	size_t length = 0;

	out[0] = '\0';
	for (size_t i = 0; i < tct_attributes_count && count < TCT_COUNT(found); i++) {
		if (strcmp(tct_attributes[i].name, name) == 0)
			found[count++] = each_names[tct_attributes[i].each];
	}
	for (size_t i = 0; i < count && length < TCT_EACH_WORDS; i++) {
		const char *before = i == 0 ? "" : i + 1 < count ? ", " : " or ";
		int added =
			snprintf(out + length, TCT_EACH_WORDS - length, "%s%s", before, found[i]);

		length += added > 0 ? (size_t)added : 0;
	}
	return out;
}
