/* Attributes of peers: one remote address with several connections to one of our ports. */
#include "audit/rules/each.h"

static const struct tct_peer *peer_of(const struct tct_env *env)
{
	return &env->observation->peers[env->item];
}

void tct_read_peer_address(const struct tct_env *env, struct tct_result *result)
{
	result->text = peer_of(env)->address;
}

void tct_read_peer_local(const struct tct_env *env, struct tct_result *result)
{
	result->text = peer_of(env)->local;
}

void tct_read_peer_port(const struct tct_env *env, struct tct_result *result)
{
	result->number = peer_of(env)->port;
}

void tct_read_peer_established(const struct tct_env *env, struct tct_result *result)
{
	result->number = peer_of(env)->established;
}

void tct_read_peer_owner(const struct tct_env *env, struct tct_result *result)
{
	tct_result_process(env, &peer_of(env)->owner, result);
}

void tct_read_peer_unit(const struct tct_env *env, struct tct_result *result)
{
	result->text = peer_of(env)->owner.unit;
}
