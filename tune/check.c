#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/observe/sosreport.h"
#include "core/mem.h"
#include "core/text.h"
#include "tune/apply.h"
#include "tune/asked.h"
#include "tune/transact.h"

struct check {
	const struct tct_apply_options *options;
	struct tct_place_of_work place;
	struct tct_check_result *result;
	struct tct_journal *journal;
	struct tct_asked asked; /* of the last apply, where the request says nothing */
	struct tct_profile_request request;
	struct tct_observation *looked; /* owned */
	const struct tct_observation *observation;
	struct tct_facts facts;
	struct tct_profile_set *set;
	struct tct_modules modules; /* looked for where a key needs one */
	struct tct_plan *plan;
	struct tct_plan_options plan_options;
	struct tct_err *err;
};

static void done(struct check *check)
{
	tct_plan_free(check->plan);
	tct_profile_set_free(check->set);
	tct_observation_free(check->looked);
	tct_asked_done(&check->asked);
	tct_modules_done(&check->modules);
	tct_journal_free(check->journal);
}

void tct_check_result_done(struct tct_check_result *result)
{
	for (size_t i = 0; i < result->keys_count; i++) {
		tct_value_done(&result->keys[i].live);
		tct_value_done(&result->keys[i].wanted);
		tct_value_done(&result->keys[i].boot);
	}
	free(result->keys);
	free(result->unsupported);
	free(result->refused);
	free(result->profiles);
	json_decref(result->names);
	json_decref(result->variables);
	json_decref(result->sets);
	*result = (struct tct_check_result){ 0 };
}

/* Does the request say what to judge against? */
static bool says_what(const struct tct_profile_request *request)
{
	return request != NULL && (request->names_count > 0 || request->sets_count > 0);
}

/* What to judge against. */
static int choose_profile(struct check *check)
{
	const struct tct_profile_request *request = check->options->profile;
	const struct tct_asked *asked = &check->asked;

	check->request = (struct tct_profile_request){ .root = check->options->root };
	if (request != NULL)
		check->request = *request;
	if (says_what(request))
		return 0;
	if (tct_asked_find(check->journal, &check->place.netns, check->place.boot_id,
			   &check->asked) < 0)
		return tct_err_nomem(check->err);
	if (asked->newest == NULL)
		return tct_err_set(check->err, TCT_FAULT_INPUT, ENOENT,
				   "nothing is applied here; which profile? Use --profile NAME");
	if (asked->source != NULL)
		check->result->variables = json_incref(asked->source->variables);
	check->request.names = asked->names;
	check->request.names_count = asked->names_count;
	check->request.sets = asked->given_sets;
	check->request.sets_count = asked->given_sets_count;
	if (check->request.vars_count == 0) {
		check->request.vars = asked->vars;
		check->request.vars_count = asked->vars_count;
	}
	return 0;
}

/* As if tcptune had done nothing yet. */
static int make_journal(struct check *check)
{
	check->journal = calloc(1, sizeof(*check->journal));
	if (check->journal == NULL)
		return tct_err_nomem(check->err);
	check->journal->fd = -1;
	check->journal->next_id = 1;
	return 0;
}

static int open_journal(struct check *check)
{
	struct tct_err why = { 0 };
	int result;

	if (check->options->snapshot != NULL)
		return make_journal(check);
	result = tct_journal_open(check->options->root, false, &check->journal, &why);
	/* A plain user can't read it; without it a profile can still be judged, baselines are the
	 * live values. */
	if (result == -EACCES && says_what(check->options->profile))
		return make_journal(check);
	if (result < 0 && check->err != NULL)
		*check->err = why;
	return result;
}

static int observe(struct check *check)
{
	const struct tct_observe_options options = {
		.root = check->options->root,
		.netns = check->options->root->live ? &check->options->netns : NULL,
	};
	int result = 0;

	if (check->options->snapshot == NULL)
		result = tct_observe(&options, &check->looked, check->err);
	if (result < 0)
		return result;
	check->observation =
		check->options->snapshot != NULL ? check->options->snapshot : check->looked;
	tct_facts_from_host(&check->observation->host, &check->facts);
	return tct_profile_set_load(&check->request, &check->facts, &check->set, check->err);
}

static int make_plan(struct check *check)
{
	const struct tct_apply_options *options = check->options;

	check->plan_options = (struct tct_plan_options){
		.live = options->root->live && !options->no_live,
		.persist = !options->no_persist &&
			   (!options->root->live || options->netns.initial || options->persist),
		.additive = tct_request_is_additive(&check->request),
		.allow_shadowed = true, /* seen by what comes up at boot */
		.boot_model_given = options->boot_model_given,
		.boot_model = options->boot_model,
	};
	if (options->snapshot != NULL) {
		check->plan_options.live =
			tct_host_looked_at(&options->snapshot->host) == TCT_SOURCE_LIVE;
		check->plan_options.persist = options->snapshot->files_govern;
	}
	if (options->snapshot == NULL && tct_plan_needs_modules(check->set, check->journal)) {
		if (tct_modules_look(options->root, check->observation->host.kernel,
				     &check->modules) < 0)
			return tct_err_nomem(check->err);
		check->plan_options.modules = &check->modules;
	}
	check->result->live_looked = check->plan_options.live;
	check->result->boot_looked = check->plan_options.persist;
	return tct_plan_make(check->set, &check->facts, check->observation, check->journal,
			     &check->plan_options, &check->plan, check->err);
}

static void explain(struct tct_check_key *key, const char *what)
{
	size_t used = strlen(key->reason);

	(void)snprintf(key->reason + used, sizeof(key->reason) - used, "%s%s", used > 0 ? "; " : "",
		       what);
}

/* What one model boots with, our drop-in as it is. 0 or -ENOMEM. */
static int check_boot(struct check *check, const struct tct_plan_key *planned,
		      enum tct_boot_model model, struct tct_check_key *key)
{
	const struct tct_sysctl_files *files = check->observation->files;
	const struct tct_value *none =
		planned->baseline_boot.kind != TCT_VALUE_NONE ? &planned->baseline_boot : NULL;
	TCT_AUTO(tct_value_done) struct tct_value value = { 0 };
	const struct tct_file_line *winner;
	bool fine;
	int known = tct_sysctl_files_value(files, planned->key, model, false, none, &value);

	if (known < 0)
		return known;
	/* No file, and it suffices: then there is no line of ours, either. */
	fine = known ? tct_value_stored_as(planned->key, &planned->wanted_boot, &value)
		     : !planned->persist;
	if (!fine)
		key->boot_ok = false;
	winner = tct_sysctl_files_winner(files, planned->key->name, model, false);
	if (winner != NULL && (!fine || key->file[0] == '\0')) {
		if (snprintf(key->file, sizeof(key->file), "%s", winner->file) < 0)
			key->file[0] = '\0';
		key->line = winner->line;
	}
	if (!fine || key->boot.kind == TCT_VALUE_NONE) {
		tct_value_done(&key->boot);
		key->boot = value;
		value = (struct tct_value){ 0 };
	}
	if (!fine) {
		char what[120];

		if (snprintf(what, sizeof(what),
			     winner == NULL ? "no file sets it at boot"
					    : "the next boot (%s) gives another value",
			     tct_boot_model_name(model)) < 0)
			what[0] = '\0';
		explain(key, what);
	}
	return 0;
}

/*
 * The line is there, but is there its key when it is applied? What apply promised must hold: a
 * module that is in our list by the journal and not on disk any more. Without a list it is only
 * said.
 */
static void check_module(const struct check *check, const struct tct_plan_key *planned,
			 struct tct_check_key *key)
{
	const struct tct_plan *plan = check->plan;
	const char *module = planned->key->module;

	if (!key->boot_known || module == NULL)
		return;
	if (planned->note[0] != '\0')
		explain(key, planned->note);
	if (!plan->modules_change || !tct_module_is_among(plan->modules_after, module) ||
	    tct_module_is_among(plan->modules_before, module))
		return;
	key->boot_ok = false;
	explain(key, TCT_MODULES_LOAD_PATH " doesn't load its module any more");
}

static int check_key(struct check *check, const struct tct_plan_key *planned)
{
	struct tct_check_key *key = TCT_APPEND(check->result, keys);
	const struct tct_value *wanted =
		check->plan->live ? &planned->wanted : &planned->wanted_boot;

	if (key == NULL || tct_value_copy(&key->live, &planned->before) < 0 ||
	    tct_value_copy(&key->wanted, wanted) < 0)
		return -ENOMEM;
	key->key = planned->key;
	key->live_known = check->plan->live && planned->wanted.kind != TCT_VALUE_NONE;
	key->live_ok = !planned->write_live;
	key->boot_known = check->plan->persist && planned->wanted_boot.kind != TCT_VALUE_NONE;
	key->boot_ok = true;
	if (key->live_known && !key->live_ok)
		explain(key, "the live value differs");
	for (unsigned model = 0; key->boot_known && model < TCT_BOOT_MODELS; model++) {
		int result;

		if (!tct_plan_model_counts(&check->plan_options, check->observation,
					   (enum tct_boot_model)model))
			continue;
		result = check_boot(check, planned, (enum tct_boot_model)model, key);
		if (result < 0)
			return result;
	}
	check_module(check, planned, key);
	if ((key->live_known && !key->live_ok) || (key->boot_known && !key->boot_ok))
		check->result->conforms = false;
	return 0;
}

/* What it is judged against, for people, for configuration management and for suggestions. */
static int name_it(const struct check *check)
{
	struct tct_check_result *result = check->result;
	TCT_AUTO(tct_text_done) struct tct_text names = { 0 };

	result->names = json_array();
	result->sets = tct_asked_sets(check->set);
	for (size_t i = 0; i < check->set->names_count; i++) {
		tct_text_addf(&names, "%s%s", i > 0 ? "," : "", check->set->names[i]);
		if (json_array_append_new(result->names, json_string(check->set->names[i])) < 0)
			return -ENOMEM;
	}
	result->profiles = tct_text_take(&names);
	return result->names != NULL && result->sets != NULL && result->profiles != NULL ? 0
											 : -ENOMEM;
}

static int conclude(struct check *check)
{
	struct tct_check_result *result = check->result;

	result->conforms = true;
	if (name_it(check) < 0)
		return -ENOMEM;
	/* In the table's order, not in that of writing. */
	for (size_t k = 0; k < tct_kernel_keys_count; k++) {
		for (size_t i = 0; i < check->plan->keys_count; i++) {
			const struct tct_plan_key *planned = &check->plan->keys[i];

			if (planned->key == &tct_kernel_keys[k] && planned->setting != NULL &&
			    check_key(check, planned) < 0)
				return -ENOMEM;
		}
	}
	for (size_t i = 0; i < check->plan->unsupported_count; i++) {
		struct tct_plan_unsupported *item = TCT_APPEND(result, unsupported);

		if (item == NULL)
			return -ENOMEM;
		*item = check->plan->unsupported[i];
	}
	for (size_t i = 0; i < check->plan->refused_count; i++) {
		struct tct_plan_refusal *item;

		/* No plan to write: an edited drop-in shows in what comes up at boot. */
		if (strcmp(check->plan->refused[i].kind, "drop-in") == 0 ||
		    strcmp(check->plan->refused[i].kind, "modules-load") == 0)
			continue;
		item = TCT_APPEND(result, refused);
		if (item == NULL)
			return -ENOMEM;
		*item = check->plan->refused[i];
	}
	if (result->refused_count > 0)
		result->conforms = false;
	return 0;
}

static int run(struct check *check)
{
	const struct tct_transaction *interrupted;
	int result = open_journal(check);

	if (result < 0)
		return result;
	interrupted = tct_journal_interrupted(check->journal);
	if (interrupted != NULL)
		check->result->interrupted = interrupted->id;
	result = choose_profile(check);
	if (result == 0)
		result = observe(check);
	if (result == 0)
		result = make_plan(check);
	if (result == 0 && conclude(check) < 0)
		result = tct_err_nomem(check->err);
	return result;
}

int tct_check(const struct tct_apply_options *options, struct tct_check_result *result,
	      struct tct_err *err)
{
	struct check check = { .options = options, .result = result, .err = err };
	int status;

	*result = (struct tct_check_result){ .record = tct_sos_is(options->root) };
	tct_place_of_work_init(options, &check.place);
	status = run(&check);
	done(&check);
	return status;
}
