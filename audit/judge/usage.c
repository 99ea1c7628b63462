#include "audit/judge/usage.h"

#include <arpa/inet.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

int64_t tct_usage_counter(const struct tct_observation *observation, const char *name)
{
	const struct tct_counter *counter = tct_counter_find(name);
	const struct tct_counter_reading *reading;

	if (counter == NULL)
		return -1;
	reading = &observation->counters[tct_counter_index(counter)];
	return reading->presence == TCT_PRESENT ? reading->last : -1;
}

int64_t tct_usage_growth(const struct tct_observation *observation, const char *name)
{
	const struct tct_counter *counter = tct_counter_find(name);
	const struct tct_counter_reading *reading;

	if (counter == NULL)
		return -1;
	reading = &observation->counters[tct_counter_index(counter)];
	if (reading->presence != TCT_PRESENT || observation->interval_ns <= 0 ||
	    reading->last < reading->first)
		return -1;
	return reading->last - reading->first;
}

static int64_t field_of(const struct tct_observation *observation, const char *name, size_t field)
{
	int64_t number;

	return tct_observation_number_of(observation, name, field, &number) ? number : -1;
}

static int64_t in_bytes(int64_t pages, int64_t page_bytes)
{
	int64_t bytes;

	if (pages < 0 || page_bytes <= 0 || __builtin_mul_overflow(pages, page_bytes, &bytes))
		return -1;
	return bytes;
}

void tct_usage_of(const struct tct_report *report, struct tct_usage *usage)
{
	static const char memory[] = "net.ipv4.tcp_mem";
	const struct tct_observation *observation = report->observation;
	const struct tct_facts *facts = &report->facts;
	int64_t page_bytes =
		facts->known[TCT_FACT_PAGE_SIZE] ? facts->value[TCT_FACT_PAGE_SIZE] : -1;

	*usage = (struct tct_usage){
		.memory_min_bytes = in_bytes(field_of(observation, memory, 0), page_bytes),
		.memory_pressure_bytes = in_bytes(field_of(observation, memory, 1), page_bytes),
		.memory_max_bytes = in_bytes(field_of(observation, memory, 2), page_bytes),
		.memory_used_bytes =
			in_bytes(tct_usage_counter(observation, "sockstat.TCP.mem"), page_bytes),
		.orphans = tct_usage_counter(observation, "sockstat.TCP.orphan"),
		.orphans_max = field_of(observation, "net.ipv4.tcp_max_orphans", 0),
		.allocated = tct_usage_counter(observation, "sockstat.TCP.alloc"),
		.conntrack_count = field_of(observation, "net.netfilter.nf_conntrack_count", 0),
		.conntrack_max = field_of(observation, "net.netfilter.nf_conntrack_max", 0),
		.conntrack_buckets = field_of(observation, "net.netfilter.nf_conntrack_buckets", 0),
	};
}

bool tct_usage_ports_growth(const struct tct_observation *observation,
			    const struct tct_destination *destination, int64_t *growth_ppm,
			    int64_t *left_ns)
{
	int64_t usable = observation->outgoing.ports_usable;
	double growth;
	double left_s;

	if (observation->interval_ns <= 0 || destination->used_first < 0 || usable < 0)
		return false;
	growth = (double)(destination->used - destination->used_first) /
		 ((double)observation->interval_ns / 1e9);
	*growth_ppm = llround(growth * 1e6);
	*left_ns = -1;
	if (growth <= 0)
		return true;
	left_s = (double)(usable > destination->used ? usable - destination->used : 0) / growth;
	if (left_s < 9e9)
		*left_ns = llround(left_s * 1e9);
	return true;
}

bool tct_sample_is_part(const struct tct_sample *sample)
{
	return !sample->whole && sample->seen > 0;
}

static bool is_private(const struct tct_listener *listener)
{
	unsigned char bytes[16];
	char address[sizeof(listener->address)];

	memcpy(address, listener->address, sizeof(address));
	address[strcspn(address, "%")] = '\0';
	if (inet_pton(AF_INET6, address, bytes) == 1)
		return (bytes[0] & 0xFE) == 0xFC; /* fc00::/7 */
	if (inet_pton(AF_INET, address, bytes) != 1)
		return false;
	return bytes[0] == 10 || (bytes[0] == 172 && (bytes[1] & 0xF0) == 16) ||
	       (bytes[0] == 192 && bytes[1] == 168);
}

int64_t tct_private_listeners(const struct tct_observation *observation)
{
	int64_t count = 0;

	if (observation->listeners_presence != TCT_PRESENT)
		return -1;
	for (size_t i = 0; i < observation->listeners_count; i++)
		count += is_private(&observation->listeners[i]) ? 1 : 0;
	return count;
}
