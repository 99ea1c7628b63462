/* Keys that a kernel module brings: what can be planned while it isn't loaded, and our list of
 * modules to load at boot. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/plan_private.h"

bool tct_plan_needs_modules(const struct tct_profile_set *set, const struct tct_journal *journal)
{
	for (size_t i = 0; i < set->settings_count; i++) {
		if (set->settings[i].key->module != NULL)
			return true;
	}
	for (size_t i = 0; i < journal->transactions_count; i++) {
		const struct tct_transaction *transaction = &journal->transactions[i];

		for (size_t k = 0; k < transaction->keys_count; k++) {
			if (transaction->keys[k].key->module != NULL)
				return true;
		}
	}
	return false;
}

/* Is it loaded now, or built in: does another key of it show? One that can't be read says nothing:
 * it need not be there. */
static bool is_loaded(const struct tct_observation *observation, const char *module)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		enum tct_presence presence = observation->sysctls[i].presence;

		if (tct_kernel_keys[i].module != NULL &&
		    (presence == TCT_PRESENT || presence == TCT_UNPARSED) &&
		    strcmp(tct_kernel_keys[i].module, module) == 0)
			return true;
	}
	return false;
}

/* The module that would bring a key which isn't there; NULL = something else keeps it away. */
static const struct tct_module *missing_module(const struct tct_plan_work *work,
					       const struct tct_kernel_key *key)
{
	const struct tct_module *module = tct_modules_of(work->options->modules, key);
	const struct tct_facts *facts = work->facts;
	const struct tct_host *host = &work->observation->host;
	int64_t kernel = facts->known[TCT_FACT_KERNEL] ? facts->value[TCT_FACT_KERNEL] : 0;

	if (module == NULL ||
	    work->observation->sysctls[tct_kernel_key_index(key)].presence != TCT_ABSENT ||
	    is_loaded(work->observation, module->name) || module->place == TCT_MODULE_BUILT_IN ||
	    (key->scope == TCT_SCOPE_HOST && !host->netns.initial &&
	     host->source == TCT_SOURCE_LIVE))
		return NULL;
	if (kernel != 0 &&
	    ((key->until != 0 && kernel >= (int64_t)key->until) || kernel < (int64_t)key->since))
		return NULL;
	return module;
}

bool tct_plan_is_dormant(const struct tct_plan_work *work, const struct tct_kernel_key *key)
{
	const struct tct_module *module = missing_module(work, key);

	return module != NULL && module->place == TCT_MODULE_ON_DISK && work->plan->persist &&
	       !tct_plan_is_live_only(work, key);
}

const char *tct_plan_why_no_module(const struct tct_plan_work *work,
				   const struct tct_kernel_key *key, char reason[240])
{
	const struct tct_module *module = missing_module(work, key);
	const struct tct_sysctl *now = &work->observation->sysctls[tct_kernel_key_index(key)];
	const char *folder = work->options->modules != NULL ? work->options->modules->folder : "";
	int length = -1;

	/* An image: its modules tell what its kernel will have. */
	if (module == NULL && now->presence == TCT_NOT_LOOKED) {
		module = tct_modules_of(work->options->modules, key);
		if (module == NULL || module->place != TCT_MODULE_MISSING)
			return NULL;
		length = snprintf(reason, 240, "its module %s isn't in %.140s", module->name,
				  folder);
	} else if (module == NULL) {
		return NULL;
	} else if (module->place == TCT_MODULE_ON_DISK) {
		length = snprintf(reason, 240,
				  "its module %s isn't loaded, and no line for the next boot is "
				  "written here",
				  module->name);
	} else {
		length = snprintf(reason, 240, "its module %s isn't loaded, and %.140s %s",
				  module->name, folder,
				  module->place == TCT_MODULE_MISSING ? "doesn't have it"
								      : "can't be read");
	}
	return length < 0 ? NULL : reason;
}

/* ---- the list of modules ---- */

static bool is_planned(const struct tct_plan *plan, const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < plan->keys_count; i++) {
		if (plan->keys[i].key == key)
			return true;
	}
	return false;
}

/* Will a line of ours need it? */
static bool is_needed(const struct tct_plan *plan, const char *module)
{
	for (size_t i = 0; i < plan->keys_count; i++) {
		const char *needs = plan->keys[i].key->module;

		if (plan->keys[i].persist && needs != NULL && strcmp(needs, module) == 0)
			return true;
	}
	for (size_t i = 0; i < plan->owned.items_count; i++) {
		const struct tct_owned *owned = &plan->owned.items[i];

		if (owned->boot && owned->key->module != NULL && !is_planned(plan, owned->key) &&
		    strcmp(owned->key->module, module) == 0)
			return true;
	}
	return false;
}

/* With --modules-load all that the lines need; without it what is in the list already, as long as
 * it is needed. */
static int choose(struct tct_plan_work *work)
{
	const struct tct_modules *modules = work->options->modules;
	TCT_AUTO(tct_text_done) struct tct_text names = { 0 };

	for (size_t i = 0; i < modules->items_count; i++) {
		const struct tct_module *module = &modules->items[i];
		bool wanted =
			tct_module_is_among(work->plan->owned.modules, module->name) ||
			(work->options->modules_load && (module->place == TCT_MODULE_ON_DISK ||
							 module->place == TCT_MODULE_NOT_KNOWN));

		if (wanted && is_needed(work->plan, module->name))
			tct_text_addf(&names, "%s%s", names.length > 0 ? " " : "", module->name);
	}
	if (names.failed)
		return -ENOMEM;
	if (names.length == 0)
		return 0;
	work->plan->modules_after = tct_text_take(&names);
	return work->plan->modules_after != NULL ? 0 : -ENOMEM;
}

/* What a key's line depends on at the next boot. */
static void add_note(const struct tct_plan_work *work, struct tct_plan_key *key)
{
	const struct tct_plan *plan = work->plan;
	const struct tct_module *module = tct_modules_of(work->options->modules, key->key);
	const char *by = NULL;
	char when[160];

	if (module == NULL || !key->persist || module->place != TCT_MODULE_ON_DISK)
		return;
	if (tct_module_is_among(plan->modules_after, module->name))
		by = TCT_MODULES_LOAD_PATH;
	else if (module->loaded_by[0] != '\0')
		by = module->loaded_by;
	if (by != NULL && !key->dormant)
		return;
	if (snprintf(when, sizeof(when), "%.80s%s", by != NULL ? by : "",
		     by != NULL ? " loads it at boot, before sysctl is applied"
				: "at boot the line counts only if the module is loaded before "
				  "sysctl is applied (--modules-load sees to it)") < 0)
		when[0] = '\0';
	if (snprintf(key->note, sizeof(key->note), "%s%s%s", module->name,
		     key->dormant ? " isn't loaded: nothing to change now; " : ": ", when) < 0)
		key->note[0] = '\0';
}

/* The list on disk isn't what the journal says: somebody else's, or edited. */
static int refuse_edited(struct tct_plan_work *work)
{
	/* An interrupted transaction explains it; it is undone before anything is written. */
	if (work->plan->modules_before == NULL ||
	    tct_modules_same(work->plan->modules_before, work->plan->owned.modules) ||
	    tct_journal_interrupted(work->journal) != NULL)
		return 0;
	return tct_plan_refuse(
		work, NULL, "modules-load",
		"%s%s isn't what tcptune wrote%s: move its lines to a file with a name of your own, "
		"remove it, and apply again",
		work->options->prefix != NULL ? work->options->prefix : "", TCT_MODULES_LOAD_PATH,
		work->plan->owned.modules != NULL ? " (edited by hand?)" : "");
}

int tct_plan_modules(struct tct_plan_work *work)
{
	struct tct_plan *plan = work->plan;
	const struct tct_modules *modules = work->options->modules;

	if (!plan->persist)
		return 0;
	if (modules == NULL)
		return tct_modules_copy(&plan->modules_before, plan->owned.modules) < 0 ||
				       tct_modules_copy(&plan->modules_after, plan->owned.modules) <
					       0
			       ? -ENOMEM
			       : 0;
	if (tct_modules_parse(modules->own, &plan->modules_before) < 0 || choose(work) < 0)
		return -ENOMEM;
	if (modules->own_error[0] != '\0' &&
	    (plan->modules_after != NULL || plan->owned.modules != NULL)) {
		plan->modules_change = true;
		return tct_plan_refuse(work, NULL, "modules-load", "%s", modules->own_error);
	}
	for (size_t i = 0; i < plan->keys_count; i++)
		add_note(work, &plan->keys[i]);
	/* A list that isn't ours, where we want none, is none of our business. */
	if (plan->modules_after == NULL && plan->owned.modules == NULL) {
		free(plan->modules_before);
		plan->modules_before = NULL;
	}
	plan->modules_change = !tct_modules_same(plan->modules_before, plan->modules_after);
	return plan->modules_change ? refuse_edited(work) : 0;
}
