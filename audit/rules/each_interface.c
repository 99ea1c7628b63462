/* Attributes of network interfaces. */
#include "audit/rules/each.h"

static const struct tct_interface *interface_of(const struct tct_env *env)
{
	return &env->observation->interfaces[env->item];
}

void tct_read_interface_interface(const struct tct_env *env, struct tct_result *result)
{
	result->text = interface_of(env)->name;
}

void tct_read_interface_mtu(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(interface_of(env)->mtu_bytes, "the interface's MTU", result);
}

void tct_read_interface_rp_filter(const struct tct_env *env, struct tct_result *result)
{
	tct_result_looked(interface_of(env)->rp_filter, "the interface's rp_filter", result);
}

void tct_read_interface_rx_packets_growth(const struct tct_env *env, struct tct_result *result)
{
	tct_result_growth(env, interface_of(env)->rx_packets_first, interface_of(env)->rx_packets,
			  "packets received", result);
}

void tct_read_interface_rx_errors_growth(const struct tct_env *env, struct tct_result *result)
{
	tct_result_growth(env, interface_of(env)->rx_errors_first, interface_of(env)->rx_errors,
			  "errors of receiving", result);
}

void tct_read_interface_rx_dropped_growth(const struct tct_env *env, struct tct_result *result)
{
	tct_result_growth(env, interface_of(env)->rx_dropped_first, interface_of(env)->rx_dropped,
			  "packets dropped when received", result);
}

void tct_read_interface_tx_errors_growth(const struct tct_env *env, struct tct_result *result)
{
	tct_result_growth(env, interface_of(env)->tx_errors_first, interface_of(env)->tx_errors,
			  "errors of sending", result);
}

void tct_read_interface_tx_dropped_growth(const struct tct_env *env, struct tct_result *result)
{
	tct_result_growth(env, interface_of(env)->tx_dropped_first, interface_of(env)->tx_dropped,
			  "packets dropped when sent", result);
}
