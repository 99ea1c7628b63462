#include "tests/unit/case_world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "tests/unit/case_part.h"
#include "tests/unit/scratch.h"

/* When the last look was taken, by a clock that began at 0. */
#define CASE_NOW_NS INT64_C(1000000000000)

/* One mapping, and what it is poured into. */
struct filling {
	struct case_world *world; /* NULL: only the observation */
	struct tct_observation *observation;
	bool health; /* healthy.yaml: the kernel's own defaults are there already */
	struct tct_err *err;
};

static int need(const struct tct_yaml_node *node, enum tct_yaml_kind kind, struct tct_err *err)
{
	if (node->kind == kind)
		return 0;
	return tct_yaml_error(node, err, "%s is needed, not %s", tct_yaml_kind_name(kind),
			      tct_yaml_kind_name(node->kind));
}

/* "absent", "unreadable", "not_looked"; false for anything else. */
static bool presence_of(const struct tct_yaml_node *node, enum tct_presence *presence)
{
	static const struct {
		const char *word;
		enum tct_presence presence;
	} words[] = { { "absent", TCT_ABSENT },
		      { "unreadable", TCT_UNREADABLE },
		      { "not_looked", TCT_NOT_LOOKED } };

	for (size_t i = 0; node->kind == TCT_YAML_SCALAR && i < TCT_COUNT(words); i++) {
		if (strcmp(node->text, words[i].word) == 0) {
			*presence = words[i].presence;
			return true;
		}
	}
	return false;
}

static int set_kernel(const struct tct_yaml_node *value, const struct filling *filling)
{
	struct tct_host *host = &filling->observation->host;

	if (need(value, TCT_YAML_SCALAR, filling->err) < 0)
		return -EINVAL;
	if (strcmp(value->text, "unknown") == 0) {
		host->kernel[0] = '\0';
		host->kernel_version = 0;
		return 0;
	}
	(void)snprintf(host->kernel, sizeof(host->kernel), "%s", value->text);
	host->kernel_version = tct_version_parse(value->text);
	if (host->kernel_version == 0)
		return tct_yaml_error(value, filling->err, "'%.40s' is no version", value->text);
	return 0;
}

static bool exists(const struct tct_kernel_key *key, tct_version kernel)
{
	return kernel == 0 || (key->since <= kernel && (key->until == 0 || kernel < key->until));
}

static bool has_default(const struct tct_kernel_key *key, tct_version kernel)
{
	return key->default_known && kernel >= key->default_since;
}

/* As the kernel starts with them, where that is the same on every host. */
static void set_defaults(struct tct_observation *observation)
{
	tct_version kernel = observation->host.kernel_version;

	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_kernel_key *key = &tct_kernel_keys[i];
		struct tct_sysctl *sysctl = &observation->sysctls[i];

		sysctl->presence = TCT_ABSENT;
		if (key->handler == TCT_HANDLER_SECRET)
			sysctl->presence = TCT_NOT_LOOKED;
		if (!exists(key, kernel) || !has_default(key, kernel))
			continue;
		sysctl->presence = TCT_PRESENT;
		sysctl->writable = !key->read_only;
		sysctl->value.kind = TCT_VALUE_NUMBERS;
		sysctl->value.count = key->fields;
		memcpy(sysctl->value.numbers, key->default_value, sizeof(key->default_value));
	}
	for (size_t i = 0; i < tct_counters_count; i++)
		observation->counters[i].presence = TCT_PRESENT;
}

static int set_sysctl(const struct tct_yaml_node *entry, const struct filling *filling)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(entry->text);
	tct_version kernel = filling->observation->host.kernel_version;
	struct tct_sysctl *sysctl;
	struct tct_err why = { 0 };

	if (key == NULL)
		return tct_yaml_error(entry, filling->err, "no key is called '%.80s'", entry->text);
	sysctl = &filling->observation->sysctls[tct_kernel_key_index(key)];
	if (presence_of(entry->value, &sysctl->presence)) {
		sysctl->error = sysctl->presence == TCT_UNREADABLE ? EACCES : 0;
		return 0;
	}
	if (need(entry->value, TCT_YAML_SCALAR, filling->err) < 0)
		return -EINVAL;
	if (filling->health && (!exists(key, kernel) || has_default(key, kernel)))
		return 0;
	if (!exists(key, kernel))
		return tct_yaml_error(entry, filling->err, "kernel %s has no %s",
				      filling->observation->host.kernel, key->name);
	tct_value_done(&sysctl->value);
	if (tct_value_parse(key, entry->value->text, &sysctl->value, &why) < 0)
		return tct_yaml_error(entry->value, filling->err, "%s", why.message);
	sysctl->presence = TCT_PRESENT;
	sysctl->writable = !key->read_only;
	return 0;
}

/* [first, last], or one number for both. */
static int set_counter(const struct tct_yaml_node *entry, const struct filling *filling)
{
	const struct tct_counter *counter = tct_counter_find(entry->text);
	const struct tct_yaml_node *value = entry->value;
	struct tct_counter_reading *reading;

	if (counter == NULL)
		return tct_yaml_error(entry, filling->err, "no counter is called '%.80s'",
				      entry->text);
	reading = &filling->observation->counters[tct_counter_index(counter)];
	if (presence_of(value, &reading->presence))
		return 0;
	reading->presence = TCT_PRESENT;
	if (value->kind == TCT_YAML_LIST && value->count != 2)
		return tct_yaml_error(value, filling->err, "first and last are needed");
	if (value->kind == TCT_YAML_LIST) {
		if (case_number(value->first, &reading->first, filling->err) < 0)
			return -EINVAL;
		return case_number(value->first->next, &reading->last, filling->err);
	}
	if (case_number(value, &reading->last, filling->err) < 0)
		return -EINVAL;
	reading->first = reading->last;
	return 0;
}

static int set_file(const struct tct_yaml_node *entry, const struct filling *filling)
{
	const char *path = entry->text;

	if (need(entry->value, TCT_YAML_SCALAR, filling->err) < 0)
		return -EINVAL;
	scratch_write(path[0] == '/' ? path + 1 : path, entry->value->text);
	return 0;
}

static int set_var(const struct tct_yaml_node *entry, const struct filling *filling)
{
	struct case_world *world = filling->world;

	if (world == NULL || world->vars_count == CASE_VARS_MAX)
		return tct_yaml_error(entry, filling->err, "no room for a variable here");
	if (need(entry->value, TCT_YAML_SCALAR, filling->err) < 0)
		return -EINVAL;
	world->vars[world->vars_count++] = (struct tct_var_override){
		.name = entry->text,
		.value = entry->value->text,
		.origin = "--var",
	};
	return 0;
}

static int for_entries(const struct tct_yaml_node *map, const struct filling *filling,
		       int (*set)(const struct tct_yaml_node *entry, const struct filling *filling))
{
	if (need(map, TCT_YAML_MAP, filling->err) < 0)
		return -EINVAL;
	for (const struct tct_yaml_node *entry = map->first; entry != NULL; entry = entry->next) {
		if (set(entry, filling) < 0)
			return -EINVAL;
	}
	return 0;
}

static int for_items(const struct tct_yaml_node *list, const struct filling *filling,
		     int (*add)(const struct tct_yaml_node *item, const struct filling *filling))
{
	if (need(list, TCT_YAML_LIST, filling->err) < 0)
		return -EINVAL;
	for (const struct tct_yaml_node *item = list->first; item != NULL; item = item->next) {
		if (add(item, filling) < 0)
			return -EINVAL;
	}
	return 0;
}

static int add_listener(const struct tct_yaml_node *item, const struct filling *filling)
{
	struct tct_listener *made = TCT_APPEND(filling->observation, listeners);

	if (made == NULL)
		return tct_err_nomem(filling->err);
	*made = (struct tct_listener){
		.family = AF_INET,
		.siblings = 1,
		.port_choice_known = true,
		.owner = { .uid = -1 },
	};
	return case_part_fill(item, &tct_part_listener, made, filling->err);
}

static int add_owner(const struct tct_yaml_node *item, const struct filling *filling)
{
	struct tct_owner_group *made = TCT_APPEND(filling->observation, owners);

	if (made == NULL)
		return tct_err_nomem(filling->err);
	*made = (struct tct_owner_group){ .owner = { .uid = -1 }, .descriptors_max = 1024 };
	for (size_t i = 0; i < TCT_POPULATION_LIMIT; i++)
		made->populations[i].presence = TCT_PRESENT;
	return case_part_fill(item, &tct_part_owner_group, made, filling->err);
}

static int add_destination(const struct tct_yaml_node *item, const struct filling *filling)
{
	struct tct_destination *made = TCT_APPEND(&filling->observation->outgoing, destinations);

	if (made == NULL)
		return tct_err_nomem(filling->err);
	*made = (struct tct_destination){ .family = AF_INET, .owner = { .uid = -1 } };
	return case_part_fill(item, &tct_part_destination, made, filling->err);
}

static int add_peer(const struct tct_yaml_node *item, const struct filling *filling)
{
	struct tct_peer *made = TCT_APPEND(filling->observation, peers);

	if (made == NULL)
		return tct_err_nomem(filling->err);
	*made = (struct tct_peer){
		.family = AF_INET,
		.unguarded = { .presence = TCT_PRESENT },
		.owner = { .uid = -1 },
	};
	return case_part_fill(item, &tct_part_peer, made, filling->err);
}

static int add_interface(const struct tct_yaml_node *item, const struct filling *filling)
{
	struct tct_interface *made = TCT_APPEND(filling->observation, interfaces);

	if (made == NULL)
		return tct_err_nomem(filling->err);
	*made = (struct tct_interface){ .mtu_bytes = 1500 };
	return case_part_fill(item, &tct_part_interface, made, filling->err);
}

static void drop_observation(struct tct_observation *const *observation)
{
	tct_observation_free(*observation);
}

/* { ago: 70s, counter: {...} }: how counters stood then; those that aren't named stood at 0. */
static int add_earlier(const struct tct_yaml_node *item, const struct filling *filling)
{
	TCT_AUTO(drop_observation) struct tct_observation *seen = tct_observation_new();
	const struct filling then = { .observation = seen, .err = filling->err };
	const struct tct_yaml_node *ago = NULL;
	const struct tct_yaml_node *counters = NULL;
	int64_t ago_ns = 0;

	if (seen == NULL)
		return tct_err_nomem(filling->err);
	if (need(item, TCT_YAML_MAP, filling->err) < 0)
		return -EINVAL;
	ago = tct_yaml_get(item, "ago");
	counters = tct_yaml_get(item, "counter");
	if (filling->world == NULL || ago == NULL || counters == NULL || item->count != 2)
		return tct_yaml_error(item, filling->err, "ago and counter are needed");
	if (case_number(ago, &ago_ns, filling->err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < tct_counters_count; i++)
		seen->counters[i].presence = TCT_PRESENT;
	if (for_entries(counters, &then, set_counter) < 0)
		return -EINVAL;
	if (filling->world->history == NULL)
		filling->world->history = tct_history_new();
	if (filling->world->history == NULL)
		return tct_err_nomem(filling->err);
	tct_history_add(filling->world->history, seen, CASE_NOW_NS - ago_ns);
	return 0;
}

static int set_state(const struct tct_yaml_node *entry, const struct filling *filling)
{
	enum tct_state state = tct_state_find(entry->text);

	if (state == 0)
		return tct_yaml_error(entry, filling->err, "no state is called '%.40s'",
				      entry->text);
	return case_number(entry->value, &filling->observation->states.counts[state], filling->err);
}

static int fill(const struct tct_yaml_node *map, const struct filling *filling);

/* The host's first namespace, as healthy as this one but for what is said of it. */
static int set_first_namespace(const struct tct_yaml_node *map, const struct filling *filling)
{
	if (filling->world == NULL)
		return tct_yaml_error(map, filling->err, "no first namespace here");
	const struct filling other = { .observation = filling->world->first_namespace,
				       .err = filling->err };

	return fill(map, &other);
}

static int set_host(const struct tct_yaml_node *map, const struct filling *filling)
{
	return case_part_fill(map, &tct_part_host, &filling->observation->host, filling->err);
}

static int ignore(const struct tct_yaml_node *value, const struct filling *filling)
{
	(void)value;
	(void)filling;
	return 0;
}

/* Anything else is a member of the observation, by its name. */
static int set_member(const struct tct_yaml_node *entry, const struct filling *filling)
{
	struct tct_yaml_node key = *entry;
	struct tct_yaml_node map = *entry;
	char population[] = "populations";

	key.next = NULL;
	if (strcmp(key.text, "population") == 0)
		key.text = population;
	map.kind = TCT_YAML_MAP;
	map.first = &key;
	map.count = 1;
	return case_part_fill(&map, &tct_part_observation, filling->observation, filling->err);
}

struct kind_of_part {
	const char *name;
	/* For each entry of the mapping, or each item of the list, or all of it. */
	int (*entry)(const struct tct_yaml_node *entry, const struct filling *filling);
	int (*item)(const struct tct_yaml_node *item, const struct filling *filling);
	int (*whole)(const struct tct_yaml_node *value, const struct filling *filling);
};

static int set_part(const struct tct_yaml_node *entry, const struct filling *filling)
{
	static const struct kind_of_part parts[] = {
		{ "kernel", NULL, NULL, ignore }, /* it came before all others */
		{ "host", NULL, NULL, set_host },
		{ "sysctl", set_sysctl, NULL, NULL },
		{ "counter", set_counter, NULL, NULL },
		{ "state", set_state, NULL, NULL },
		{ "files", set_file, NULL, NULL },
		{ "var", set_var, NULL, NULL },
		{ "listeners", NULL, add_listener, NULL },
		{ "owners", NULL, add_owner, NULL },
		{ "destinations", NULL, add_destination, NULL },
		{ "peers", NULL, add_peer, NULL },
		{ "interfaces", NULL, add_interface, NULL },
		{ "earlier", NULL, add_earlier, NULL },
		{ "first_namespace", NULL, NULL, set_first_namespace },
	};

	for (size_t i = 0; i < TCT_COUNT(parts); i++) {
		if (strcmp(entry->text, parts[i].name) != 0)
			continue;
		if (parts[i].entry != NULL)
			return for_entries(entry->value, filling, parts[i].entry);
		if (parts[i].item != NULL)
			return for_items(entry->value, filling, parts[i].item);
		return parts[i].whole(entry->value, filling);
	}
	return set_member(entry, filling);
}

static int fill(const struct tct_yaml_node *map, const struct filling *filling)
{
	return for_entries(map, filling, set_part);
}

static int set_kernel_of(const struct tct_yaml_node *map, const struct filling *filling)
{
	const struct tct_yaml_node *kernel;

	if (need(map, TCT_YAML_MAP, filling->err) < 0)
		return -EINVAL;
	kernel = tct_yaml_get(map, "kernel");
	return kernel == NULL ? 0 : set_kernel(kernel, filling);
}

/* A healthy host with this kernel. */
static int make_healthy(const struct tct_yaml_node *healthy, const struct tct_yaml_node *given,
			struct tct_observation *observation, struct tct_err *err)
{
	const struct filling filling = { .observation = observation, .health = true, .err = err };

	if (set_kernel_of(healthy, &filling) < 0 ||
	    (given != NULL && set_kernel_of(given, &filling) < 0))
		return -EINVAL;
	set_defaults(observation);
	return fill(healthy, &filling);
}

int case_world_make(const struct tct_yaml_node *healthy, const struct tct_yaml_node *given,
		    struct case_world *world, struct tct_err *err)
{
	const struct filling filling = { .world = world, .err = err };
	struct filling here = filling;

	*world = (struct case_world){ .observation = tct_observation_new() };
	if (world->observation == NULL)
		return tct_err_nomem(err);
	here.observation = world->observation;
	if (make_healthy(healthy, given, world->observation, err) < 0)
		return -EINVAL;
	if (given != NULL && tct_yaml_get(given, "first_namespace") != NULL) {
		world->first_namespace = tct_observation_new();
		if (world->first_namespace == NULL)
			return tct_err_nomem(err);
		if (make_healthy(healthy, given, world->first_namespace, err) < 0)
			return -EINVAL;
		world->observation->host.netns.initial = false;
		world->observation->files_govern = false;
	}
	if (given != NULL && fill(given, &here) < 0)
		return -EINVAL;
	if (tct_suppressions_load(&scratch_root, world->observation->host.taken_at_ns,
				  &world->suppressions, err) < 0)
		return -EINVAL;
	if (world->history != NULL)
		tct_history_add(world->history, world->observation, CASE_NOW_NS);
	if (world->first_namespace != NULL)
		return tct_sysctl_files_read(&scratch_root, &world->first_namespace->files, err);
	return tct_sysctl_files_read(&scratch_root, &world->observation->files, err);
}

void case_world_done(struct case_world *world)
{
	tct_observation_free(world->observation);
	tct_observation_free(world->first_namespace);
	tct_history_free(world->history);
	tct_suppressions_free(world->suppressions);
	*world = (struct case_world){ 0 };
}
