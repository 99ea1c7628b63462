/* Drift: live values against what the files set at the next boot. */
#include "audit/observe/observation.h"
#include "core/mem.h"

static enum tct_drift drift_under(const struct tct_observation *observation,
				  const struct tct_kernel_key *key, enum tct_boot_model model,
				  const struct tct_value *live)
{
	TCT_AUTO(tct_value_done) struct tct_value boot = { 0 };

	if (tct_sysctl_files_value(observation->files, key, model, false, live, &boot) <= 0)
		return TCT_DRIFT_UNKNOWN;
	return tct_value_stored_as(key, &boot, live) ? TCT_DRIFT_NONE : TCT_DRIFT_DIFFERS;
}

enum tct_drift tct_observation_drift(const struct tct_observation *observation,
				     const struct tct_kernel_key *key)
{
	const struct tct_sysctl *live = &observation->sysctls[tct_kernel_key_index(key)];
	enum tct_drift worst = TCT_DRIFT_UNKNOWN;

	if (observation->files == NULL || !observation->files_govern ||
	    live->presence != TCT_PRESENT || live->value.kind == TCT_VALUE_NONE)
		return TCT_DRIFT_UNKNOWN;
	for (enum tct_boot_model model = TCT_BOOT_SYSTEMD; model < TCT_BOOT_MODELS; model++) {
		enum tct_drift drift;

		if (observation->boot_model != TCT_BOOT_MODELS && observation->boot_model != model)
			continue;
		drift = drift_under(observation, key, model, &live->value);
		if (drift > worst)
			worst = drift;
	}
	return worst;
}
