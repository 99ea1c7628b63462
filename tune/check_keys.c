/* The verdict on each key: live drift, boot drift and shadowing, told apart. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/json_text.h"
#include "core/mem.h"
#include "core/text.h"
#include "tune/asked.h"
#include "tune/check_private.h"

__attribute__((format(printf, 2, 3))) static void explain(struct tct_check_key *key,
							  const char *format, ...)
{
	size_t used = strlen(key->reason);
	va_list arguments;

	if (used > 0) {
		(void)snprintf(key->reason + used, sizeof(key->reason) - used, "; ");
		used = strlen(key->reason);
	}
	va_start(arguments, format);
	/* A cut reason still says which kind it is. */
	(void)vsnprintf(key->reason + used, sizeof(key->reason) - used, format, arguments);
	va_end(arguments);
}

static void place(struct tct_check_key *key, const char *file, unsigned line)
{
	if (snprintf(key->file, sizeof(key->file), "%s", file) < 0)
		key->file[0] = '\0';
	key->line = line;
}

static bool model_counts(const struct tct_check_question *question, unsigned model)
{
	return tct_plan_model_counts(question->options, question->observation,
				     (enum tct_boot_model)model);
}

/* A later file that overrides us under a model that counts; NULL = none. */
static const struct tct_plan_shadow *shadow_of(const struct tct_check_question *question,
					       const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < question->plan->shadowed_count; i++) {
		const struct tct_plan_shadow *shadow = &question->plan->shadowed[i];

		if (shadow->key == key && shadow->counts)
			return shadow;
	}
	return NULL;
}

static bool shadowed_under(const struct tct_check_question *question,
			   const struct tct_kernel_key *key, unsigned model)
{
	for (size_t i = 0; i < question->plan->shadowed_count; i++) {
		if (question->plan->shadowed[i].key == key &&
		    question->plan->shadowed[i].model == (enum tct_boot_model)model)
			return true;
	}
	return false;
}

/* What comes up under this model: is it what the plan would make of it? */
static bool comes_up(const struct tct_plan_key *planned, unsigned model)
{
	const struct tct_value *now = &planned->boot_now[model].value;
	const struct tct_value *meant =
		planned->persist ? &planned->wanted_boot : &planned->next_boot[model].value;

	if (now->kind == TCT_VALUE_NONE || meant->kind == TCT_VALUE_NONE)
		return now->kind == meant->kind;
	return tct_value_stored_as(planned->key, meant, now);
}

/* Our line, apart from what others make of it. */
static void check_line(const struct tct_check_question *question,
		       const struct tct_plan_key *planned, struct tct_check_key *key)
{
	const struct tct_plan *plan = question->plan;
	const struct tct_owned *owned = tct_owned_find(&plan->owned, planned->key);

	/* A line that isn't needed may be anybody's reason, if we don't know what we did. */
	if (!planned->line_changes || (question->blind && !planned->persist))
		return;
	key->boot_drift = true;
	if (question->waits)
		explain(key, "boot drift: our drop-in is written when what waits is confirmed");
	else if (!planned->persist)
		explain(key, "boot drift: our drop-in has a line that isn't asked for");
	else if (planned->line_differs)
		explain(key, "boot drift: the line in our drop-in has another value");
	else if (owned != NULL && owned->boot)
		explain(key, "boot drift: our line is gone");
	else
		explain(key, "boot drift: our drop-in has no line for it");
}

/* What comes up, under the models that count. 0 or -ENOMEM. */
static int check_models(const struct tct_check_question *question,
			const struct tct_plan_key *planned, struct tct_check_key *key)
{
	const struct tct_plan_promise *shown = NULL;
	bool shown_fine = true;

	for (unsigned model = 0; model < TCT_BOOT_MODELS; model++) {
		const struct tct_plan_promise *now = &planned->boot_now[model];
		bool fine = comes_up(planned, model);

		if (!model_counts(question, model))
			continue;
		if (shown == NULL || (shown_fine && !fine)) {
			shown = now;
			shown_fine = fine;
		}
		if (fine)
			continue;
		key->boot_ok = false;
		if (shadowed_under(question, planned->key, model) || key->boot_drift)
			continue;
		key->boot_drift = true;
		explain(key, "boot drift: the next boot (%s) gives another value",
			tct_boot_model_name((enum tct_boot_model)model));
	}
	if (shown == NULL)
		return 0;
	place(key, shown->file, shown->line);
	/* Without a line nothing is set, even if we know what the kernel starts with. */
	return shown->file[0] != '\0' ? tct_value_copy(&key->boot, &shown->value) : 0;
}

static int check_boot(const struct tct_check_question *question, const struct tct_plan_key *planned,
		      struct tct_check_key *key)
{
	const struct tct_plan_shadow *shadow = shadow_of(question, planned->key);
	int result;

	check_line(question, planned, key);
	result = check_models(question, planned, key);
	for (unsigned model = 0; result == 0 && model < TCT_BOOT_MODELS; model++) {
		key->next_boot[model] = planned->boot_now[model];
		key->next_boot[model].value = (struct tct_value){ 0 };
		result = tct_value_copy(&key->next_boot[model].value,
					&planned->boot_now[model].value);
	}
	if (result == 0 && planned->persist)
		result = tct_value_copy(&key->wanted_boot, &planned->wanted_boot);
	if (shadow != NULL) {
		key->shadowed = true;
		place(key, shadow->file, shadow->line);
		explain(key, "shadowed: %s:%u %s at the next boot (%s)", shadow->file, shadow->line,
			shadow->takes_away ? "takes our line away" : "overrides our drop-in",
			tct_boot_model_name(shadow->model));
	}
	key->boot_ok = key->boot_ok && !key->boot_drift && !key->shadowed;
	return result;
}

/*
 * The line is there, but is there its key when it is applied? What apply promised must hold: a
 * module that is in our list by the journal and not on disk any more. Without a list it is only
 * said.
 */
static void check_module(const struct tct_plan *plan, const struct tct_plan_key *planned,
			 struct tct_check_key *key)
{
	const char *module = planned->key->module;

	if (module == NULL)
		return;
	if (planned->note[0] != '\0')
		explain(key, "%s", planned->note);
	if (!plan->modules_change || !tct_module_is_among(plan->modules_after, module) ||
	    tct_module_is_among(plan->modules_before, module))
		return;
	key->boot_ok = false;
	key->boot_drift = true;
	explain(key, "boot drift: %s doesn't load its module %s any more", TCT_MODULES_LOAD_PATH,
		module);
}

/* A key that goes back has something to say only where it isn't back. */
static bool is_of_interest(const struct tct_check_question *question,
			   const struct tct_plan_key *planned)
{
	return planned->setting != NULL || planned->write_live ||
	       (question->plan->persist && planned->line_changes && !question->blind);
}

static int check_key(const struct tct_check_question *question, const struct tct_plan_key *planned,
		     struct tct_check_result *result)
{
	const struct tct_plan *plan = question->plan;
	const struct tct_value *wanted = plan->live && planned->wanted.kind != TCT_VALUE_NONE
						 ? &planned->wanted
						 : &planned->wanted_boot;
	struct tct_check_key *key = TCT_APPEND(result, keys);

	if (key == NULL || tct_value_copy(&key->live, &planned->before) < 0 ||
	    tct_value_copy(&key->wanted, wanted) < 0)
		return -ENOMEM;
	key->key = planned->key;
	key->live_known = plan->live && planned->wanted.kind != TCT_VALUE_NONE;
	key->live_ok = !planned->write_live;
	key->boot_known = plan->persist &&
			  (planned->setting == NULL || planned->wanted_boot.kind != TCT_VALUE_NONE);
	key->boot_ok = true;
	if (planned->setting == NULL && (planned->write_live || !planned->persist))
		explain(key, "no longer asked for: it goes back");
	if (plan->persist && question->options->live_only != NULL &&
	    question->options->live_only[tct_kernel_key_index(planned->key)])
		explain(key, "asked for live only");
	if (key->live_known && !key->live_ok)
		explain(key, "live drift: the live value differs");
	if (key->boot_known && check_boot(question, planned, key) < 0)
		return -ENOMEM;
	if (key->boot_known)
		check_module(plan, planned, key);
	if ((key->live_known && !key->live_ok) || (key->boot_known && !key->boot_ok))
		result->conforms = false;
	return 0;
}

static int note_unsupported(const struct tct_plan *plan, struct tct_check_result *result)
{
	for (size_t i = 0; i < plan->unsupported_count; i++) {
		struct tct_plan_unsupported *item = TCT_APPEND(result, unsupported);

		if (item == NULL)
			return -ENOMEM;
		*item = plan->unsupported[i];
	}
	return 0;
}

static int note_refused(const struct tct_check_question *question, struct tct_check_result *result)
{
	const struct tct_plan *plan = question->plan;

	for (size_t i = 0; i < plan->refused_count; i++) {
		struct tct_plan_refusal *item;

		if (strcmp(plan->refused[i].kind, "drop-in") == 0 ||
		    strcmp(plan->refused[i].kind, "modules-load") == 0) {
			/* What stands in an edited drop-in shows in what comes up at boot. */
			if (!question->blind)
				(void)snprintf(result->drop_in, sizeof(result->drop_in), "%s",
					       plan->refused[i].reason);
			continue;
		}
		item = TCT_APPEND(result, refused);
		if (item == NULL)
			return -ENOMEM;
		*item = plan->refused[i];
	}
	return 0;
}

/* What it is judged against, for people, for configuration management and for suggestions. */
static int name_it(const struct tct_profile_set *set, struct tct_check_result *result)
{
	TCT_AUTO(tct_text_done) struct tct_text names = { 0 };

	result->names = json_array();
	result->sets = tct_asked_sets(set);
	for (size_t i = 0; i < set->names_count; i++) {
		tct_text_addf(&names, "%s%s", i > 0 ? "," : "", set->names[i]);
		if (json_array_append_new(result->names, tct_json_text(set->names[i])) < 0)
			return -ENOMEM;
	}
	result->profiles = tct_text_take(&names);
	return result->names != NULL && result->sets != NULL && result->profiles != NULL ? 0
											 : -ENOMEM;
}

int tct_check_conclude(const struct tct_check_question *question, struct tct_check_result *result)
{
	const struct tct_plan *plan = question->plan;

	result->conforms = true;
	if (name_it(question->set, result) < 0)
		return -ENOMEM;
	/* In the table's order, not in that of writing. */
	for (size_t k = 0; k < tct_kernel_keys_count; k++) {
		for (size_t i = 0; i < plan->keys_count; i++) {
			const struct tct_plan_key *planned = &plan->keys[i];

			if (planned->key == &tct_kernel_keys[k] &&
			    is_of_interest(question, planned) &&
			    check_key(question, planned, result) < 0)
				return -ENOMEM;
		}
	}
	if (note_unsupported(plan, result) < 0 || note_refused(question, result) < 0)
		return -ENOMEM;
	/* Whatever apply would do is a difference. */
	if (result->conforms && plan->changes && !question->blind && result->drop_in[0] == '\0')
		(void)snprintf(result->drop_in, sizeof(result->drop_in),
			       "%s%s isn't what tcptune would write", question->options->prefix,
			       TCT_DROP_IN_PATH);
	/* The next apply would put back first what was not confirmed in time. */
	if (result->refused_count > 0 || result->interrupted != 0 || result->waiting.expired ||
	    result->drop_in[0] != '\0')
		result->conforms = false;
	return 0;
}
