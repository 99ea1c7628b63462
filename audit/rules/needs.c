#include "audit/rules/needs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/each.h"
#include "audit/rules/functions.h"
#include "core/mem.h"

/* What is found, and where it counts. */
struct collector {
	struct tct_needs *needs; /* NULL = only find out what it rests on */
	unsigned rests;
};

static unsigned rests_on_attribute(const struct tct_attribute *attribute)
{
	static const struct {
		const char *name;
		unsigned rests;
	} of_keys[] = {
		{ "key", 0 },
		{ "live", TCT_RESTS_ON_EACH_KEY },
		{ "now", TCT_RESTS_ON_EACH_KEY },
		{ "out_of_range", TCT_RESTS_ON_EACH_KEY },
		{ "unsorted", TCT_RESTS_ON_EACH_KEY },
		{ "never", TCT_RESTS_ON_NEVER },
		{ "never_because", TCT_RESTS_ON_NEVER },
	};

	if (attribute->each == TCT_EACH_LINE)
		return TCT_RESTS_ON_FILES;
	if (attribute->each == TCT_EACH_SUPPRESSION)
		return 0;
	if (attribute->each != TCT_EACH_KEY)
		return TCT_RESTS_ON_NAMESPACE;
	for (size_t i = 0; i < TCT_COUNT(of_keys); i++) {
		if (strcmp(attribute->name, of_keys[i].name) == 0)
			return of_keys[i].rests;
	}
	return TCT_RESTS_ON_FILES;
}

/* Counters: levels and growth. */
static void collect_counter(struct collector *collector, const struct tct_expr *call, bool growth)
{
	const struct tct_counter *counter = &tct_counters[call->index];

	collector->rests |= counter->host_wide ? TCT_RESTS_ON_HOST_KEY : TCT_RESTS_ON_NAMESPACE;
	if (collector->needs == NULL)
		return;
	if (growth)
		collector->needs->growth_groups |= 1U << counter->group;
	else
		collector->needs->counter_groups |= 1U << counter->group;
}

static void collect_call(struct collector *collector, const struct tct_expr *call)
{
	const struct tct_function *function = call->function;
	bool growth = function->eval == tct_eval_rate || function->eval == tct_eval_delta ||
		      function->eval == tct_eval_rate_over;

	if (function->eval == tct_eval_sysctl) {
		collector->rests |= call->key->scope == TCT_SCOPE_HOST ? TCT_RESTS_ON_HOST_KEY
								       : TCT_RESTS_ON_NAMESPACE;
		if (collector->needs != NULL)
			collector->needs->keys[tct_kernel_key_index(call->key)] = true;
	} else if (growth || function->eval == tct_eval_counter) {
		collect_counter(collector, call, growth);
	} else if (function->eval == tct_eval_earlier_lines) {
		collector->rests |= TCT_RESTS_ON_FILES;
	} else if (function->need != TCT_NEED_NOTHING && function->need != TCT_NEED_SYSCTL) {
		collector->rests |= TCT_RESTS_ON_NAMESPACE;
	}
}

static void collect(void *context, const struct tct_expr *node)
{
	struct collector *collector = context;

	if (node->kind == TCT_NODE_CALL)
		collect_call(collector, node);
	else if (node->kind == TCT_NODE_HOST && node->index == TCT_HOST_NAT)
		collector->rests |= TCT_RESTS_ON_NAMESPACE;
	else if (node->kind == TCT_NODE_ATTRIBUTE)
		collector->rests |= rests_on_attribute(node->attribute);
}

static void collect_expr(struct collector *collector, const struct tct_expr *expr)
{
	if (expr != NULL)
		tct_expr_walk(expr, collect, collector);
}

static void collect_text(struct collector *collector, const struct tct_template *text)
{
	if (text != NULL)
		tct_template_walk(text, collect, collector);
}

static void collect_bound(struct collector *collector, const struct tct_bound *bound)
{
	for (size_t i = 0; i < TCT_COUNT(bound->fields); i++)
		collect_expr(collector, bound->fields[i]);
}

/* Rules over all keys pass over those of the host: it has them alone. */
static void add_key(const struct tct_kernel_key *key, struct tct_needs *needs)
{
	if (key->scope == TCT_SCOPE_NETNS)
		needs->keys[tct_kernel_key_index(key)] = true;
}

static void add_never_keys(const struct tct_profile_set *set, struct tct_needs *needs)
{
	for (size_t i = 0; i < set->never_count; i++)
		add_key(set->never[i].key, needs);
}

static void add_all_keys(struct tct_needs *needs)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		add_key(&tct_kernel_keys[i], needs);
}

/* Which keys a rule over all keys must see. */
static void add_each_key(const struct tct_profile_set *set, unsigned rests, struct tct_needs *needs)
{
	if ((rests & TCT_RESTS_ON_NEVER) != 0)
		add_never_keys(set, needs);
	if ((rests & (TCT_RESTS_ON_NEVER | TCT_RESTS_ON_FILES)) != 0 &&
	    (rests & TCT_RESTS_ON_EACH_KEY) == 0)
		return;
	add_all_keys(needs);
}

static void collect_conditions(struct collector *collector, const struct tct_rule *rule)
{
	collect_expr(collector, rule->when);
	for (size_t i = 0; i < TCT_SEVERITY_LIMIT; i++)
		collect_expr(collector, rule->severity_when[i]);
}

static unsigned find_rests(const struct tct_rule *rule)
{
	struct collector collector = { .needs = NULL };

	collect_conditions(&collector, rule);
	if (rule->each == TCT_EACH_LINE)
		collector.rests |= TCT_RESTS_ON_FILES;
	else if (rule->each != TCT_EACH_KEY && rule->each != TCT_EACH_NONE &&
		 rule->each != TCT_EACH_SUPPRESSION)
		collector.rests |= TCT_RESTS_ON_NAMESPACE; /* listeners ... */
	return collector.rests;
}

static void collect_rule(const struct tct_profile_set *set, const struct tct_rule *rule,
			 unsigned rests, struct tct_needs *needs)
{
	struct collector collector = { .needs = needs };

	collect_conditions(&collector, rule);
	if (rule->each == TCT_EACH_KEY)
		add_each_key(set, rests, needs);
	if (rule->each == TCT_EACH_NAMESPACE)
		needs->compares = true;
	collect_expr(&collector, rule->sort);
	collect_text(&collector, rule->title);
	collect_text(&collector, rule->why);
	collect_text(&collector, rule->application);
	for (size_t i = 0; i < rule->commands_count; i++)
		collect_text(&collector, rule->commands[i]);
	for (size_t i = 0; i < rule->evidence_count; i++)
		collect_expr(&collector, rule->evidence[i].expr);
	for (size_t i = 0; i < rule->sysctls_count; i++) {
		needs->keys[tct_kernel_key_index(rule->sysctls[i].key)] = true;
		collect_bound(&collector, &rule->sysctls[i].set);
		collect_bound(&collector, &rule->sysctls[i].at_least);
		collect_bound(&collector, &rule->sysctls[i].at_most);
	}
}

static void collect_setting(const struct tct_setting *setting, struct tct_needs *needs)
{
	struct collector collector = { .needs = needs };

	needs->keys[tct_kernel_key_index(setting->key)] = true;
	collect_bound(&collector, &setting->set);
	collect_bound(&collector, &setting->at_least);
	collect_bound(&collector, &setting->at_most);
	for (size_t i = 0; i < setting->requirements_count; i++)
		collect_expr(&collector, setting->requirements[i].expr);
}

/* What the observer itself goes by when it counts outgoing ports. */
static void add_observers_keys(struct tct_needs *needs)
{
	static const char *const names[] = {
		"net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
		"net.ipv4.tcp_timestamps",      "net.ipv4.tcp_tw_reuse",
		"net.ipv4.tcp_tw_reuse_delay",
	};

	for (size_t i = 0; i < TCT_COUNT(names); i++) {
		const struct tct_kernel_key *key = tct_kernel_key_find(names[i]);

		if (key != NULL)
			needs->keys[tct_kernel_key_index(key)] = true;
	}
}

int tct_needs_find(const struct tct_profile_set *set, struct tct_needs *needs)
{
	*needs = (struct tct_needs){
		.keys = calloc(tct_kernel_keys_count, sizeof(*needs->keys)),
		.looks = tct_profile_set_looks(set),
		.rests = calloc(set->rules_count + 1, sizeof(*needs->rests)),
	};
	if (needs->keys == NULL || needs->rests == NULL) {
		tct_needs_done(needs);
		return -ENOMEM;
	}
	add_observers_keys(needs);
	for (size_t i = 0; i < set->rules_count; i++) {
		needs->rests[i] = find_rests(&set->rules[i]);
		if (!tct_rule_is_the_hosts(set, needs, i))
			collect_rule(set, &set->rules[i], needs->rests[i], needs);
	}
	for (size_t i = 0; i < set->settings_count; i++)
		collect_setting(&set->settings[i], needs);
	return 0;
}

void tct_needs_compare(struct tct_needs *needs, const struct tct_observation *host)
{
	if (!needs->compares || host == NULL || host->files == NULL)
		return;
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		if (tct_host_sets(host, &tct_kernel_keys[i]))
			add_key(&tct_kernel_keys[i], needs);
	}
}

void tct_needs_done(struct tct_needs *needs)
{
	free(needs->keys);
	free(needs->rests);
	*needs = (struct tct_needs){ .keys = NULL };
}

void tct_needs_narrow(const struct tct_needs *needs, struct tct_observation *observation)
{
	unsigned groups = needs->counter_groups;

	if (observation->interval_ns > 0)
		groups |= needs->growth_groups;
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		struct tct_sysctl *live = &observation->sysctls[i];

		if (needs->keys[i])
			continue;
		tct_value_done(&live->value);
		*live = (struct tct_sysctl){ .presence = TCT_NOT_LOOKED };
	}
	for (size_t i = 0; i < tct_counters_count; i++) {
		if ((groups & 1U << tct_counters[i].group) == 0)
			observation->counters[i] = (struct tct_counter_reading){ 0 };
	}
}

bool tct_rule_is_the_hosts(const struct tct_profile_set *set, const struct tct_needs *needs,
			   size_t i)
{
	enum tct_each each = set->rules[i].each;
	unsigned rests = needs->rests[i];

	if (each == TCT_EACH_LINE || each == TCT_EACH_SUPPRESSION)
		return true;
	if (each == TCT_EACH_KEY)
		return (rests & TCT_RESTS_ON_FILES) != 0 &&
		       (rests & (TCT_RESTS_ON_NEVER | TCT_RESTS_ON_EACH_KEY)) == 0;
	return (rests & TCT_RESTS_ON_NAMESPACE) == 0;
}

struct absence {
	const struct tct_observation *observation;
	bool found;
};

static void find_absent(void *context, const struct tct_expr *node)
{
	struct absence *absence = context;

	if (node->kind == TCT_NODE_CALL && node->function->eval == tct_eval_sysctl &&
	    node->key->scope == TCT_SCOPE_HOST)
		absence->found |=
			absence->observation->sysctls[tct_kernel_key_index(node->key)].presence !=
			TCT_PRESENT;
}

bool tct_rule_lacks_host_key(const struct tct_rule *rule, const struct tct_observation *observation)
{
	struct absence absence = { .observation = observation };

	tct_expr_walk(rule->when, find_absent, &absence);
	return absence.found;
}
