/* Attributes of listening sockets. */
#include <string.h>

#include "audit/rules/each.h"

static const struct tct_listener *listener_of(const struct tct_env *env)
{
	return &env->observation->listeners[env->item];
}

void tct_read_listener_address(const struct tct_env *env, struct tct_result *result)
{
	result->text = listener_of(env)->address;
}

void tct_read_listener_endpoint(const struct tct_env *env, struct tct_result *result)
{
	char text[TCT_ENDPOINT_TEXT];

	tct_result_text_copy(env, tct_listener_endpoint(listener_of(env), text), result);
}

void tct_read_listener_port(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->port;
}

void tct_read_listener_queue(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->queue;
}

void tct_read_listener_queue_first(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->queue_first;
}

void tct_read_listener_backlog(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->backlog;
	if (listener_of(env)->backlog == TCT_BACKLOG_UNKNOWN)
		tct_result_missing(result, "the listener's limit is not known");
}

void tct_read_listener_drops(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->drops;
	if (result->number < 0)
		tct_result_missing(result, "the listener's own drops are not known");
}

void tct_read_listener_drops_first(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->drops_first;
	if (result->number < 0)
		tct_result_missing(result, "the listener's own drops are not known");
}

void tct_read_listener_drops_growth(const struct tct_env *env, struct tct_result *result)
{
	tct_result_growth(env, listener_of(env)->drops_first, listener_of(env)->drops,
			  "the listener's own drops", result);
}

void tct_read_listener_syn_recv(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->syn_recv;
	if (result->number < 0)
		tct_result_missing(result, "the listener's half-open connections are not known");
}

void tct_read_listener_syn_recv_resent(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(listener_of(env)->syn_recv_resent,
			  "half-open connections whose SYN-ACK was sent again", result);
}

void tct_read_listener_family(const struct tct_env *env, struct tct_result *result)
{
	result->text = listener_of(env)->family == AF_INET6 ? "IPv6" : "IPv4";
}

void tct_read_listener_fixed_port(const struct tct_env *env, struct tct_result *result)
{
	result->number = !listener_of(env)->port_chosen_by_kernel;
	if (!listener_of(env)->port_choice_known)
		tct_result_missing(result, "who chose the listener's port is not known");
}

void tct_read_listener_v6only(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->v6only;
}

void tct_read_listener_owner(const struct tct_env *env, struct tct_result *result)
{
	tct_result_process(env, &listener_of(env)->owner, result);
}

void tct_read_listener_unit(const struct tct_env *env, struct tct_result *result)
{
	result->text = listener_of(env)->owner.unit;
}

/* ---- the group: listeners of one address and port (SO_REUSEPORT) ---- */

static bool is_sibling(const struct tct_listener *a, const struct tct_listener *b)
{
	return a->family == b->family && a->port == b->port && strcmp(a->address, b->address) == 0;
}

/* Known to be alone: nobody has to be compared with it. 0 = not counted. */
static bool is_alone(const struct tct_env *env)
{
	return listener_of(env)->siblings == 1;
}

void tct_read_listener_siblings(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->siblings;
	if (result->number == 0)
		tct_result_missing(result, "the listener's siblings were not counted");
}

void tct_read_listener_first_sibling(const struct tct_env *env, struct tct_result *result)
{
	result->number = 1;
	for (size_t i = 0; !is_alone(env) && i < env->item && result->number != 0; i++)
		result->number = !is_sibling(&env->observation->listeners[i], listener_of(env));
}

/* Among those whose port was chosen in the same way: one that bind(0) got speaks for no service. */
void tct_read_listener_first_of_port(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_listener *self = listener_of(env);

	result->number = 1;
	for (size_t i = 0; i < env->item && result->number != 0; i++) {
		const struct tct_listener *other = &env->observation->listeners[i];

		result->number = other->port != self->port ||
				 other->port_chosen_by_kernel != self->port_chosen_by_kernel;
	}
}

void tct_read_listener_sibling_queue_least(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_observation *observation = env->observation;
	const struct tct_listener *self = listener_of(env);
	const size_t count = is_alone(env) ? 0 : observation->listeners_count;
	uint32_t least = self->queue;

	for (size_t i = 0; i < count && least > 0; i++) {
		const struct tct_listener *other = &observation->listeners[i];

		if (other->queue < least && is_sibling(other, self))
			least = other->queue;
	}
	result->number = least;
}

void tct_read_listener_unaccepted_kept(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->unaccepted_kept;
	if (result->number >= 0)
		return;
	if (env->observation->interval_ns <= 0)
		tct_result_missing(result,
				   "one look (--interval 0): nobody knows how long they wait");
	else
		tct_result_missing(result, "connections to be accepted: not looked at");
}

void tct_read_listener_unaccepted_idle(const struct tct_env *env, struct tct_result *result)
{
	result->number = listener_of(env)->unaccepted_idle_ns;
	if (result->number < 0)
		tct_result_missing(result, "how long connections wait to be accepted is not known");
}

void tct_read_listener_established(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(listener_of(env)->established, "the listener's connections", result);
}

void tct_read_listener_remote(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(listener_of(env)->remote, "the listener's connections", result);
}

void tct_read_listener_unguarded(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(listener_of(env)->unguarded, "the listener's connections", result);
}

void tct_read_listener_retransmitting(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(listener_of(env)->retransmitting, "the listener's connections", result);
}
