#include "audit/observe/local_ports.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/mem.h"

enum { STRATA = 256 };

static void set_bit(uint8_t *bits, unsigned port, bool on)
{
	if (on)
		bits[port / 8] |= (uint8_t)(1U << port % 8);
	else
		bits[port / 8] &= (uint8_t) ~(1U << port % 8);
}

/* Clear the ports of "80,9000-9100". The text was checked when it was read. */
static void clear_reserved(uint8_t *bits, const char *list)
{
	while (*list >= '0' && *list <= '9') {
		char *end;
		long first = strtol(list, &end, 10);
		long last = first;

		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (long port = first; port >= 0 && port <= last && port < TCT_PORTS; port++)
			set_bit(bits, (unsigned)port, false);
		if (*end != ',')
			return;
		list = end + 1;
	}
}

static int64_t count_bits(const uint8_t *bits)
{
	int64_t count = 0;

	for (size_t i = 0; i < TCT_PORTS / 8; i++)
		count += __builtin_popcount(bits[i]);
	return count;
}

void tct_local_ports_init(struct tct_local_ports *ports, const struct tct_observation *observation,
			  const uint16_t *listening, size_t count)
{
	const struct tct_value *range =
		tct_observation_value_of(observation, "net.ipv4.ip_local_port_range");
	const struct tct_value *reserved =
		tct_observation_value_of(observation, "net.ipv4.ip_local_reserved_ports");
	uint8_t usable[TCT_PORTS / 8];

	*ports = (struct tct_local_ports){ .usable = -1 };
	if (range == NULL || range->kind != TCT_VALUE_NUMBERS || range->count != 2 ||
	    range->numbers[0] < 0 || range->numbers[1] >= TCT_PORTS)
		return;
	ports->known = true;
	for (int64_t port = range->numbers[0]; port <= range->numbers[1]; port++)
		set_bit(ports->outgoing, (unsigned)port, true);
	memcpy(usable, ports->outgoing, sizeof(usable));
	if (reserved != NULL && reserved->kind == TCT_VALUE_PORTS && reserved->text != NULL)
		clear_reserved(usable, reserved->text);
	ports->usable = count_bits(usable);
	for (size_t i = 0; i < count; i++)
		set_bit(ports->outgoing, listening[i], false);
	ports->outgoing_ports = count_bits(ports->outgoing);
}

/* Append a range of ports; false if there is no room. */
static bool append(struct tct_port_ranges *ranges, unsigned first, unsigned last)
{
	if (ranges->count == TCT_FILTER_RANGES_MAX)
		return false;
	ranges->items[ranges->count++] = (struct tct_port_range){
		.first = (uint16_t)first,
		.last = (uint16_t)last,
	};
	return true;
}

void tct_local_ports_ranges(const struct tct_local_ports *ports, bool outgoing,
			    struct tct_port_ranges *ranges)
{
	unsigned port = 0;

	*ranges = (struct tct_port_ranges){ .whole = true, .ports = ports->outgoing_ports };
	while (port < TCT_PORTS) {
		unsigned first = port;

		while (port < TCT_PORTS && tct_port_is_outgoing(ports, (uint16_t)port) == outgoing)
			port++;
		if (port > first && !append(ranges, first, port - 1)) {
			/* too many: everything from the last range on */
			ranges->items[ranges->count - 1].last = TCT_PORTS - 1;
			return;
		}
		port += port == first ? 1 : 0;
	}
}

/* A random number below limit; 0 where the kernel gives none, which is still a fair stratum. */
static uint32_t random_below(uint32_t limit)
{
	uint32_t number = 0;

	if (limit == 0 || getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		return 0;
	return number % limit;
}

/* The outgoing ports, ascending. */
static size_t list_outgoing(const struct tct_local_ports *ports, uint16_t *list)
{
	size_t count = 0;

	for (unsigned port = 0; port < TCT_PORTS; port++) {
		if (tct_port_is_outgoing(ports, (uint16_t)port))
			list[count++] = (uint16_t)port;
	}
	return count;
}

void tct_local_ports_windows(const struct tct_local_ports *ports, int64_t share_ppm,
			     struct tct_port_ranges *ranges)
{
	TCT_AUTOFREE uint16_t *list = calloc(TCT_PORTS, sizeof(*list));
	size_t count = list != NULL ? list_outgoing(ports, list) : 0;
	size_t wide = count * (size_t)(share_ppm < 0 ? 0 : share_ppm) / 1000000 / STRATA;

	wide += wide % 2;
	wide = wide < 2 ? 2 : wide;
	if (share_ppm >= 1000000 || count < 2 * wide * STRATA) {
		tct_local_ports_ranges(ports, true, ranges);
		return;
	}
	*ranges = (struct tct_port_ranges){ .whole = false };
	for (size_t i = 0; i < STRATA; i++) {
		size_t start = count * i / STRATA;
		size_t room = count * (i + 1) / STRATA - start - wide;
		size_t at = start + random_below((uint32_t)room + 1);

		if (append(ranges, list[at], list[at + wide - 1]))
			ranges->ports += (int64_t)wide;
	}
}
