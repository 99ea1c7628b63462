/* Host facts, what else the host is, and the numbers of kernel keys in the language's dimensions.
 */
#include <errno.h>
#include <string.h>

#include "audit/rules/node.h"
#include "core/mem.h"

static const struct {
	const char *name;
	struct tct_type type;
} facts_table[TCT_FACT_LIMIT] = {
	[TCT_FACT_KERNEL] = { "kernel", { .kind = TCT_KIND_VERSION } },
	[TCT_FACT_MEM_TOTAL] = { "mem_total",
				 { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_BYTES } },
	[TCT_FACT_CPUS] = { "cpus", { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_COUNT } },
	[TCT_FACT_PAGE_SIZE] = { "page_size",
				 { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_BYTES } },
};

const char *tct_fact_name(enum tct_fact fact)
{
	return fact < TCT_FACT_LIMIT ? facts_table[fact].name : NULL;
}

enum tct_fact tct_fact_find(const char *name)
{
	for (size_t i = 0; i < TCT_FACT_LIMIT; i++) {
		if (strcmp(facts_table[i].name, name) == 0)
			return (enum tct_fact)i;
	}
	return TCT_FACT_LIMIT;
}

struct tct_type tct_fact_type(enum tct_fact fact)
{
	return facts_table[fact].type;
}

static void set_fact(struct tct_facts *facts, enum tct_fact fact, int64_t value, int64_t least)
{
	if (value < least)
		return;
	facts->known[fact] = true;
	facts->value[fact] = value;
}

void tct_facts_from_host(const struct tct_host *host, struct tct_facts *facts)
{
	*facts = (struct tct_facts){ .initial_namespace = host->netns.initial };
	set_fact(facts, TCT_FACT_KERNEL, host->kernel_version, 1);
	set_fact(facts, TCT_FACT_MEM_TOTAL, host->mem_total_bytes, 0);
	set_fact(facts, TCT_FACT_CPUS, host->cpus, 1);
	set_fact(facts, TCT_FACT_PAGE_SIZE, host->page_bytes, 1);
}

static const struct {
	const char *name;
	struct tct_type type;
} host_names[TCT_HOST_NAMES] = {
	[TCT_HOST_UPTIME] = { "uptime", { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_TIME } },
	[TCT_HOST_CONTAINER] = { "container", { .kind = TCT_KIND_TEXT } },
	[TCT_HOST_HYPERVISOR] = { "hypervisor", { .kind = TCT_KIND_TEXT } },
	[TCT_HOST_NAT] = { "nat", { .kind = TCT_KIND_BOOL } },
};

const char *tct_host_name(enum tct_host_name name)
{
	return name < TCT_HOST_NAMES ? host_names[name].name : NULL;
}

enum tct_host_name tct_host_name_find(const char *name)
{
	for (size_t i = 0; i < TCT_HOST_NAMES; i++) {
		if (strcmp(host_names[i].name, name) == 0)
			return (enum tct_host_name)i;
	}
	return TCT_HOST_NAMES;
}

struct tct_type tct_host_name_type(enum tct_host_name name)
{
	return host_names[name].type;
}

void tct_host_name_eval(enum tct_host_name name, const struct tct_env *env,
			struct tct_result *result)
{
	const struct tct_observation *observation = env->observation;
	const struct tct_environment *around =
		observation != NULL ? &observation->environment : NULL;

	/* what is around another namespace was found out when the host was looked at */
	if (around != NULL && around->presence != TCT_PRESENT && env->host != NULL)
		around = &env->host->environment;
	if (observation == NULL) {
		tct_result_missing(result, "%s is not known here", host_names[name].name);
	} else if (name == TCT_HOST_UPTIME) {
		result->number = observation->host.uptime_ns;
		if (observation->host.uptime_ns < 0)
			tct_result_missing(result, "how long the host is up is not known");
	} else if (name == TCT_HOST_NAT) {
		result->number = observation->environment.nat;
		if (observation->environment.nat_presence != TCT_PRESENT)
			tct_result_missing(result,
					   "whether addresses are translated here is not known");
	} else if (around->presence != TCT_PRESENT) {
		tct_result_missing(result, "what this host runs in was not looked at");
	} else {
		result->text = name == TCT_HOST_CONTAINER ? around->container : around->hypervisor;
	}
}

struct tct_type tct_type_of_key(const struct tct_kernel_key *key)
{
	struct tct_type type = { .kind = TCT_KIND_NUMBER, .has_native = true, .native = key->unit };

	switch (key->unit) {
	case TCT_UNIT_COUNT:
	case TCT_UNIT_PORT:
		type.dimension = TCT_DIM_COUNT;
		break;
	case TCT_UNIT_BYTES:
	case TCT_UNIT_PAGES:
		type.dimension = TCT_DIM_BYTES;
		break;
	case TCT_UNIT_S:
	case TCT_UNIT_MS:
	case TCT_UNIT_US:
	case TCT_UNIT_NS:
		type.dimension = TCT_DIM_TIME;
		break;
	case TCT_UNIT_NAME:
		type = (struct tct_type){ .kind = TCT_KIND_TEXT };
		break;
	}
	if (key->handler == TCT_HANDLER_PORT_BITMAP || key->handler == TCT_HANDLER_WORD ||
	    key->handler == TCT_HANDLER_WORDS || key->handler == TCT_HANDLER_SECRET)
		type = (struct tct_type){ .kind = TCT_KIND_TEXT };
	return type;
}

int64_t tct_unit_scale(enum tct_unit unit, int64_t page_bytes)
{
	switch (unit) {
	case TCT_UNIT_PAGES:
		return page_bytes > 0 ? page_bytes : 0;
	case TCT_UNIT_S:
		return INT64_C(1000000000);
	case TCT_UNIT_MS:
		return 1000000;
	case TCT_UNIT_US:
		return 1000;
	case TCT_UNIT_COUNT:
	case TCT_UNIT_BYTES:
	case TCT_UNIT_NS:
	case TCT_UNIT_PORT:
	case TCT_UNIT_NAME:
		break;
	}
	return 1;
}

int tct_number_from_key(const struct tct_kernel_key *key, int64_t page_bytes, int64_t stored,
			int64_t *number)
{
	int64_t scale = tct_unit_scale(key->unit, page_bytes);

	if (scale == 0)
		return -ENODATA;
	return __builtin_mul_overflow(stored, scale, number) ? -ERANGE : 0;
}

int tct_number_to_key(const struct tct_kernel_key *key, int64_t page_bytes, int64_t number,
		      int64_t *stored)
{
	int64_t scale = tct_unit_scale(key->unit, page_bytes);

	if (scale == 0)
		return -ENODATA;
	if (key->unit != TCT_UNIT_PAGES && number % scale != 0)
		return -ERANGE;
	*stored = number / scale;
	if (number % scale < 0)
		(*stored)--;
	return 0;
}

const char *tct_type_words(struct tct_type type)
{
	switch (type.kind) {
	case TCT_KIND_BOOL:
		return "true or false";
	case TCT_KIND_TEXT:
		return "text";
	case TCT_KIND_VERSION:
		return "a version";
	case TCT_KIND_NUMBER:
		break;
	}
	switch (type.dimension) {
	case TCT_DIM_COUNT:
		return "a count";
	case TCT_DIM_BYTES:
		return "bytes";
	case TCT_DIM_TIME:
		return "a time";
	case TCT_DIM_SHARE:
		return "a share (%)";
	case TCT_DIM_RATE:
		return "a rate (per second)";
	}
	return "?";
}
