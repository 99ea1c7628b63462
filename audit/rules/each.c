#include "audit/rules/each.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/functions.h"
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

size_t tct_each_count(enum tct_each each, const struct tct_observation *observation)
{
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
		return 1;
	case TCT_EACH_SUPPRESSION:
		return 0;
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

bool tct_each_available(enum tct_each each, const struct tct_observation *observation,
			char reason[200])
{
	reason[0] = '\0';
	if (each == TCT_EACH_LISTENER && observation->listeners_presence != TCT_PRESENT)
		return unavailable(reason, "listening sockets: not seen",
				   tct_gap_why(observation, "socket"));
	if (each == TCT_EACH_LINE && observation->files == NULL)
		return unavailable(reason, "sysctl files: not read",
				   tct_gap_why(observation, "sysctl"));
	return true;
}

bool tct_each_applies(enum tct_each each, const struct tct_observation *observation, size_t item)
{
	if (item >= tct_each_count(each, observation))
		return false;
	if (each != TCT_EACH_LINE)
		return true;

	const struct tct_file_line *line = &observation->files->lines[item];

	return !line->is_pattern && line->value != NULL && line->twin == 0;
}

void tct_result_text_copy(const struct tct_env *env, const char *text, struct tct_result *result)
{
	if (env->scratch != NULL)
		result->text = tct_arena_text(env->scratch, text, strlen(text));
	if (env->scratch == NULL || result->text == NULL) {
		result->text = "";
		tct_result_missing(result, "no memory for this text");
	}
}

static const struct tct_listener *listener_of(const struct tct_env *env)
{
	return &env->observation->listeners[env->item];
}

static void read_address(const struct tct_env *env, struct tct_result *result)
{
	result->text = listener_of(env)->address;
}

static void read_endpoint(const struct tct_env *env, struct tct_result *result)
{
	char text[TCT_ENDPOINT_TEXT];

	tct_result_text_copy(env, tct_listener_endpoint(listener_of(env), text), result);
}

static void read_port(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->port;
}

static void read_queue(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->queue;
}

static void read_queue_first(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->queue_first;
}

static void read_backlog(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->backlog;
	if (listener_of(env)->backlog == TCT_BACKLOG_UNKNOWN)
		tct_result_missing(result, "the listener's limit is not known");
}

static void read_drops(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->drops;
	if (result->number < 0)
		tct_result_missing(result, "the listener's own drops are not known");
}

static void read_drops_growth(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_listener *listener = listener_of(env);

	if (env->observation->interval_ns <= 0)
		tct_result_missing(result, "one look (--interval 0): no growth");
	else if (listener->drops < 0 || listener->drops_first < 0)
		tct_result_missing(result, "the listener's own drops are not known");
	else if (__builtin_sub_overflow(listener->drops, listener->drops_first, &result->number) ||
		 result->number < 0)
		tct_result_missing(result, "the listener's own drops went backwards");
}

static void read_syn_recv(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->syn_recv;
	if (result->number < 0)
		tct_result_missing(result, "the listener's half-open connections are not known");
}

static void read_family(const struct tct_env *env, struct tct_result *result)
{
	result->text = listener_of(env)->family == AF_INET6 ? "IPv6" : "IPv4";
}

static void read_fixed_port(const struct tct_env *env, struct tct_result *result)
{
	result->number = !listener_of(env)->port_chosen_by_kernel;
	if (!listener_of(env)->port_choice_known)
		tct_result_missing(result, "who chose the listener's port is not known");
}

static void read_owner(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_owner *owner = &listener_of(env)->owner;
	char text[64];

	if (owner->comm[0] == '\0' && owner->pid == 0) {
		result->text = "";
		return;
	}

	int length = snprintf(text, sizeof(text), "%.31s[%d]", owner->comm, owner->pid);

	tct_result_text_copy(env, length < 0 ? "" : text, result);
}

static void read_unit(const struct tct_env *env, struct tct_result *result)
{
	result->text = listener_of(env)->owner.unit;
}

/* clang-format off */
#define BOOL { .kind = TCT_KIND_BOOL }
#define TEXT { .kind = TCT_KIND_TEXT }
#define VERSION { .kind = TCT_KIND_VERSION }
#define COUNT { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_COUNT }
/* printed without thousands separators */
#define NUMBER_NAME { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_COUNT, .has_native = true, .native = TCT_UNIT_PORT }

#define LISTENER(name, type) { TCT_EACH_LISTENER, #name, type, read_##name }
#define KEY(name, type) { TCT_EACH_KEY, #name, type, tct_read_key_##name }
#define LINE(name, type) { TCT_EACH_LINE, #name, type, tct_read_line_##name }

const struct tct_attribute tct_attributes[] = {
	LISTENER(address, TEXT),
	LISTENER(endpoint, TEXT),
	LISTENER(port, NUMBER_NAME),
	LISTENER(queue, COUNT),
	LISTENER(queue_first, COUNT),
	LISTENER(backlog, COUNT),
	LISTENER(drops, COUNT),
	LISTENER(drops_growth, COUNT),
	LISTENER(syn_recv, COUNT),
	LISTENER(family, TEXT),
	LISTENER(fixed_port, BOOL),
	LISTENER(owner, TEXT),
	LISTENER(unit, TEXT),

	KEY(key, TEXT),
	KEY(live, TEXT),
	KEY(boot, TEXT),
	KEY(file, TEXT),
	KEY(line, NUMBER_NAME),
	KEY(drift, BOOL),
	KEY(boot_systemd, TEXT),
	KEY(boot_procps, TEXT),
	KEY(models_differ, BOOL),
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

const struct tct_attribute *tct_attribute_find_any(const char *name)
{
	for (size_t i = 0; i < tct_attributes_count; i++) {
		if (strcmp(tct_attributes[i].name, name) == 0)
			return &tct_attributes[i];
	}
	return NULL;
}
