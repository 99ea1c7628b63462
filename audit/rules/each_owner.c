/* Attributes of owners: a unit, a container or a process with its sockets. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/rules/each.h"

static const struct tct_owner_group *group_of(const struct tct_env *env)
{
	return &env->observation->owners[env->item];
}

/* The listener that has one of the group's sockets for its own, or is of the same process. */
static const struct tct_listener *listener_of(const struct tct_env *env)
{
	const struct tct_observation *observation = env->observation;
	const struct tct_owner *owner = &group_of(env)->owner;

	for (size_t i = 0; i < observation->listeners_count; i++) {
		const struct tct_listener *listener = &observation->listeners[i];

		if ((owner->inode != 0 && listener->inode == owner->inode) ||
		    (owner->pid != 0 && listener->owner.pid == owner->pid))
			return listener;
	}
	return NULL;
}

void tct_read_owner_name(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_owner *owner = &group_of(env)->owner;
	const struct tct_listener *listener;
	char text[TCT_ENDPOINT_TEXT];

	if (owner->unit[0] != '\0') {
		result->text = owner->unit;
		return;
	}
	if (owner->comm[0] != '\0') {
		tct_result_process(env, owner, result);
		return;
	}
	listener = listener_of(env);
	if (listener != NULL)
		(void)tct_listener_endpoint(listener, text);
	else if (owner->uid < 0 || snprintf(text, sizeof(text), "uid %" PRId64, owner->uid) < 0)
		(void)snprintf(text, sizeof(text), "somebody");
	tct_result_text_copy(env, text, result);
}

void tct_read_owner_unit(const struct tct_env *env, struct tct_result *result)
{
	result->text = group_of(env)->owner.unit;
}

void tct_read_owner_process(const struct tct_env *env, struct tct_result *result)
{
	tct_result_process(env, &group_of(env)->owner, result);
}

/* Where it listens: "6379", "80, 443", at most so many; "" if nowhere. */
enum { OWNER_PORTS_TOLD = 8 };

static bool told_before(const uint16_t ports[], unsigned count, uint16_t port)
{
	for (unsigned i = 0; i < count; i++) {
		if (ports[i] == port)
			return true;
	}
	return false;
}

void tct_read_owner_ports(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_observation *observation = env->observation;
	const struct tct_owner *owner = &group_of(env)->owner;
	uint16_t ports[OWNER_PORTS_TOLD];
	struct tct_text text = { 0 };
	unsigned count = 0;

	for (size_t i = 0; i < observation->listeners_count; i++) {
		const struct tct_listener *listener = &observation->listeners[i];
		const bool is_its =
			(owner->pid != 0 && listener->owner.pid == owner->pid) ||
			(owner->unit[0] != '\0' && strcmp(listener->owner.unit, owner->unit) == 0);

		if (!is_its || told_before(ports, count, listener->port))
			continue;
		if (count == OWNER_PORTS_TOLD) {
			tct_text_add(&text, " ...");
			break;
		}
		tct_text_addf(&text, "%s%u", count == 0 ? "" : ", ", (unsigned)listener->port);
		ports[count++] = listener->port;
	}
	if (count == 0)
		result->text = "";
	else
		tct_result_text_take(env, &text, result);
}

void tct_read_owner_pid(const struct tct_env *env, struct tct_result *result)
{
	result->number = group_of(env)->owner.pid;
	if (result->number == 0)
		tct_result_missing(result, "the process is not known");
}

void tct_read_owner_established(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(group_of(env)->established, "the owner's connections", result);
}

void tct_read_owner_close_wait(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_population *all = &group_of(env)->populations[TCT_POPULATION_CLOSE_WAIT];

	tct_result_looked(all->presence == TCT_PRESENT ? all->total : -1,
			  "the owner's CLOSE_WAIT sockets", result);
}

void tct_read_owner_close_wait_first(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(group_of(env)->close_wait_first,
			  "the owner's CLOSE_WAIT sockets at the first look", result);
}

void tct_read_owner_descriptors_max(const struct tct_env *env, struct tct_result *result)
{
	result->number = group_of(env)->descriptors_max;
	if (result->number < 0)
		tct_result_missing(result, "the process's limit of descriptors is not known");
}

void tct_read_owner_busy(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(group_of(env)->busy_ns, "how long the owner's connections were busy",
			  result);
}

void tct_read_owner_rwnd_limited(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(group_of(env)->rwnd_limited_ns,
			  "how long peers' windows held the owner's connections up", result);
}

void tct_read_owner_sndbuf_limited(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(group_of(env)->sndbuf_limited_ns,
			  "how long send buffers held the owner's connections up", result);
}
