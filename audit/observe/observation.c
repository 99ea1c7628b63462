#include "audit/observe/observation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static const char *const state_names[TCT_STATE_LIMIT] = {
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

const char *const tct_population_names[TCT_POPULATION_LIMIT] = {
	[TCT_POPULATION_CLOSE_WAIT] = "close_wait",
	[TCT_POPULATION_REMOTE] = "remote",
	[TCT_POPULATION_UNGUARDED] = "unguarded",
	[TCT_POPULATION_RETRANSMITTING] = "retransmitting",
	[TCT_POPULATION_UNANSWERED] = "unanswered",
	[TCT_POPULATION_HEARD_UNACKED] = "heard_unacked",
	[TCT_POPULATION_ZERO_WINDOW] = "zero_window",
	[TCT_POPULATION_SYN_UNANSWERED] = "syn_unanswered",
	[TCT_POPULATION_FIN_UNANSWERED] = "fin_unanswered",
	[TCT_POPULATION_FIN_WAIT2_HELD] = "fin_wait2_held",
	[TCT_POPULATION_FIN_WAIT2_ORPHANED] = "fin_wait2_orphaned",
};

const char *tct_state_name(enum tct_state state)
{
	return (unsigned)state < TCT_STATE_LIMIT ? state_names[state] : NULL;
}

enum tct_state tct_state_find(const char *name)
{
	for (unsigned i = TCT_STATE_ESTABLISHED; i < TCT_STATE_LIMIT; i++) {
		if (strcmp(state_names[i], name) == 0)
			return (enum tct_state)i;
	}
	return (enum tct_state)0;
}

/* Dense where people set limits: seconds in tests, middleboxes' time-outs, hours, days. */
const int64_t tct_idle_step_s[TCT_IDLE_STEPS] = {
	0,     1,     2,     3,      5,      10,     15,     20,     30,      45,
	60,    90,    120,   180,    240,    300,    350,    420,    600,     900,
	1200,  1800,  2700,  3600,   5400,   7200,   10800,  14400,  21600,   28800,
	43200, 64800, 86400, 129600, 172800, 259200, 432000, 604800, 1209600, 2592000,
};

void tct_population_add(struct tct_population *population, int64_t idle_ms)
{
	population->total++;
	population->idle_at_least[0]++;
	for (size_t i = 1; i < TCT_IDLE_STEPS && tct_idle_step_s[i] * 1000 <= idle_ms; i++)
		population->idle_at_least[i]++;
}

int64_t tct_population_idle(const struct tct_population *population, int64_t idle_ns)
{
	if (population->presence != TCT_PRESENT)
		return -1;
	for (size_t i = 0; i < TCT_IDLE_STEPS; i++) {
		if (tct_idle_step_s[i] * INT64_C(1000000000) >= idle_ns)
			return population->idle_at_least[i];
	}
	return 0;
}

struct tct_observation *tct_observation_new(void)
{
	struct tct_observation *observation = calloc(1, sizeof(*observation));

	if (observation == NULL)
		return NULL;
	observation->host.mem_total_bytes = -1;
	observation->host.cpus = -1;
	observation->host.page_bytes = -1;
	observation->host.uptime_ns = -1;
	observation->boot_model = TCT_BOOT_MODELS;
	observation->outgoing.ports_usable = -1;
	observation->outgoing.distinct = -1;
	observation->outgoing.unanswered_distinct = -1;
	observation->sysctls = calloc(tct_kernel_keys_count, sizeof(*observation->sysctls));
	observation->counters = calloc(tct_counters_count, sizeof(*observation->counters));
	if (observation->sysctls == NULL || observation->counters == NULL) {
		tct_observation_free(observation);
		return NULL;
	}
	return observation;
}

void tct_observation_free(struct tct_observation *observation)
{
	if (observation == NULL)
		return;
	for (size_t i = 0; observation->sysctls != NULL && i < tct_kernel_keys_count; i++)
		tct_value_done(&observation->sysctls[i].value);
	for (size_t i = 0; observation->boot_values != NULL && i < tct_kernel_keys_count; i++)
		tct_value_done(&observation->boot_values[i]);
	free(observation->sysctls);
	free(observation->boot_values);
	tct_sysctl_files_free(observation->files);
	free(observation->counters);
	free(observation->listeners);
	free(observation->owners);
	free(observation->outgoing.destinations);
	free(observation->peers);
	free(observation->interfaces);
	free(observation->gaps);
	free(observation);
}

int tct_observation_gap(struct tct_observation *observation, const char *what, const char *why, ...)
{
	struct tct_gap *gap = TCT_APPEND(observation, gaps);
	va_list arguments;

	if (gap == NULL)
		return -ENOMEM;
	(void)snprintf(gap->what, sizeof(gap->what), "%s", what);
	va_start(arguments, why);
	(void)vsnprintf(gap->why, sizeof(gap->why), why, arguments);
	va_end(arguments);
	return 0;
}

const char *tct_listener_endpoint(const struct tct_listener *listener, char out[TCT_ENDPOINT_TEXT])
{
	bool v6 = strchr(listener->address, ':') != NULL;
	int length = snprintf(out, TCT_ENDPOINT_TEXT, "%s%s%s:%u", v6 ? "[" : "", listener->address,
			      v6 ? "]" : "", (unsigned)listener->port);

	if (length < 0)
		out[0] = '\0';
	return out;
}

bool tct_listener_is_dual_stack(const struct tct_listener *listener)
{
	return listener->family == AF_INET6 && !listener->v6only &&
	       strncmp(listener->address, "::", 2) == 0 &&
	       (listener->address[2] == '\0' || listener->address[2] == '%');
}

const struct tct_value *tct_observation_value(const struct tct_observation *observation,
					      const struct tct_kernel_key *key)
{
	size_t index = tct_kernel_key_index(key);
	const struct tct_sysctl *live = &observation->sysctls[index];
	const struct tct_value *value = NULL;

	if (live->presence == TCT_PRESENT)
		value = &live->value;
	else if (live->presence == TCT_NOT_LOOKED && observation->boot_values != NULL)
		value = &observation->boot_values[index];
	return value != NULL && value->kind != TCT_VALUE_NONE ? value : NULL;
}

const struct tct_value *tct_observation_value_of(const struct tct_observation *observation,
						 const char *name)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name);

	return key != NULL ? tct_observation_value(observation, key) : NULL;
}

bool tct_observation_number_of(const struct tct_observation *observation, const char *name,
			       size_t field, int64_t *number)
{
	const struct tct_value *value = tct_observation_value_of(observation, name);

	if (value == NULL || value->kind != TCT_VALUE_NUMBERS || field >= value->count)
		return false;
	*number = value->numbers[field];
	return true;
}
