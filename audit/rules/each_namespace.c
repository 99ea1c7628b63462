/* Attributes of a network namespace beside the host's first one. */
#include <inttypes.h>

#include "audit/rules/each.h"
#include "core/mem.h"

/* So many are named; the rest is counted. */
enum { KEYS_TOLD = 5 };

void tct_read_namespace_namespace(const struct tct_env *env, struct tct_result *result)
{
	const struct tct_netns *netns = &env->observation->host.netns;
	struct tct_text text = { 0 };

	if (netns->name[0] != '\0') {
		result->text = netns->name;
		return;
	}
	tct_text_addf(&text, "net:[%" PRIu64 "]", netns->inode);
	tct_result_text_take(env, &text, result);
}

bool tct_host_sets(const struct tct_observation *host, const struct tct_kernel_key *key)
{
	for (size_t model = 0; model < TCT_BOOT_MODELS; model++) {
		if ((host->boot_model == TCT_BOOT_MODELS || host->boot_model == model) &&
		    tct_sysctl_files_winner(host->files, key->name, (enum tct_boot_model)model,
					    false) != NULL)
			return true;
	}
	return false;
}

static bool diverges(const struct tct_env *env, size_t key)
{
	const struct tct_sysctl *here = &env->observation->sysctls[key];
	const struct tct_sysctl *host = &env->host->sysctls[key];

	return tct_kernel_keys[key].scope == TCT_SCOPE_NETNS && here->presence == TCT_PRESENT &&
	       host->presence == TCT_PRESENT && !tct_value_equal(&here->value, &host->value) &&
	       tct_host_sets(env->host, &tct_kernel_keys[key]);
}

/* Can the two be compared? */
static bool comparable(const struct tct_env *env, struct tct_result *result)
{
	if (env->host->files == NULL)
		tct_result_missing(result, "the host's sysctl files were not read");
	else if (env->host->sysctls == NULL || env->observation->sysctls == NULL)
		tct_result_missing(result, "the keys of both were not read");
	return result->status == TCT_STATUS_VALUE;
}

void tct_read_namespace_diverging(const struct tct_env *env, struct tct_result *result)
{
	if (!comparable(env, result))
		return;
	for (size_t key = 0; key < tct_kernel_keys_count; key++)
		result->number += diverges(env, key);
}

static void add_key(const struct tct_env *env, size_t key, struct tct_text *text)
{
	TCT_AUTOFREE char *here = tct_value_text(&env->observation->sysctls[key].value);
	TCT_AUTOFREE char *host = tct_value_text(&env->host->sysctls[key].value);

	tct_text_addf(text, "%s%s %s (host: %s)", text->length > 0 ? ", " : "",
		      tct_kernel_keys[key].name, here != NULL ? here : "?",
		      host != NULL ? host : "?");
}

void tct_read_namespace_diverging_keys(const struct tct_env *env, struct tct_result *result)
{
	struct tct_text text = { 0 };
	size_t count = 0;

	if (!comparable(env, result))
		return;
	for (size_t key = 0; key < tct_kernel_keys_count; key++) {
		if (diverges(env, key) && count++ < KEYS_TOLD)
			add_key(env, key, &text);
	}
	if (count > KEYS_TOLD)
		tct_text_addf(&text, " and %zu more", count - KEYS_TOLD);
	tct_result_text_take(env, &text, result);
}
