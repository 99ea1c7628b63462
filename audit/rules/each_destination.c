/* Attributes of destinations: who uses up the ephemeral ports to one address and port. */
#include <stdio.h>
#include <string.h>

#include "audit/rules/each.h"

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

bool tct_outgoing_is_none(const struct tct_outgoing *outgoing)
{
	return outgoing->presence == TCT_NOT_LOOKED &&
	       (begins(outgoing->why_not, "there is no socket") ||
		begins(outgoing->why_not, "no connection was opened"));
}

bool tct_outgoing_suffices(const struct tct_outgoing *outgoing)
{
	return tct_outgoing_is_none(outgoing) ||
	       (outgoing->presence == TCT_NOT_LOOKED && begins(outgoing->why_not, "at most "));
}

static const struct tct_destination *destination_of(const struct tct_env *env)
{
	return &env->observation->outgoing.destinations[env->item];
}

void tct_read_destination_source(const struct tct_env *env, struct tct_result *result)
{
	result->text = destination_of(env)->source;
}

void tct_read_destination_address(const struct tct_env *env, struct tct_result *result)
{
	result->text = destination_of(env)->address;
}

void tct_read_destination_port(const struct tct_env *env, struct tct_result *result)
{
	result->number = destination_of(env)->port;
}

void tct_read_destination_endpoint(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_destination *destination = destination_of(env);
	bool v6 = destination->family == AF_INET6;
	struct tct_text text = { 0 };

	tct_text_addf(&text, "%s%s%s:%u", v6 ? "[" : "", destination->address, v6 ? "]" : "",
		      destination->port);
	tct_result_text_take(env, &text, result);
}

void tct_read_destination_sockets(const struct tct_env *env, struct tct_result *result)
{
	result->number = destination_of(env)->sockets;
}

void tct_read_destination_time_wait(const struct tct_env *env, struct tct_result *result)
{
	result->number = destination_of(env)->time_wait;
}

void tct_read_destination_reusable(const struct tct_env *env, struct tct_result *result)
{
	result->number = destination_of(env)->reusable;
}

void tct_read_destination_used(const struct tct_env *env, struct tct_result *result)
{
	result->number = destination_of(env)->used;
}

void tct_read_destination_used_first(const struct tct_env *env, struct tct_result *result)
{
	result->number = destination_of(env)->used_first;
	if (result->number < 0)
		tct_result_missing(result, "one look (--interval 0): no growth");
}

void tct_read_destination_syn_sent(const struct tct_env *env, struct tct_result *result)
{
	result->number = destination_of(env)->syn_sent;
}

void tct_read_destination_syn_unanswered(const struct tct_env *env, struct tct_result *result)
{
	result->number = destination_of(env)->syn_unanswered;
}

void tct_read_destination_exhausted_in(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_destination *destination = destination_of(env);
	int64_t usable = env->observation->outgoing.ports_usable;
	int64_t grown = destination->used - destination->used_first;
	tct_wide left;

	if (usable < 0) {
		tct_result_missing(result, "how many ports are usable is not known");
	} else if (destination->used >= usable) {
		result->number = 0;
	} else if (env->observation->interval_ns <= 0 || destination->used_first < 0) {
		tct_result_missing(result, "one look (--interval 0): no growth");
	} else if (grown <= 0) {
		tct_result_missing(result, "the ports in use don't grow in number");
	} else {
		left = (tct_wide)(usable - destination->used) * env->observation->interval_ns /
		       grown;
		result->number = left > INT64_MAX ? INT64_MAX : (int64_t)left;
	}
}

void tct_read_destination_owner(const struct tct_env *env, struct tct_result *result)
{
	tct_result_process(env, &destination_of(env)->owner, result);
}

void tct_read_destination_unit(const struct tct_env *env, struct tct_result *result)
{
	result->text = destination_of(env)->owner.unit;
}
