#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/observe/sosreport.h"
#include "core/mem.h"
#include "core/text.h"
#include "tune/apply.h"
#include "tune/asked.h"
#include "tune/check_private.h"
#include "tune/drop_in.h"
#include "tune/transact.h"
#include "tune/waiting.h"

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
	char *drop_in;   /* owned; text now */
	bool *live_only; /* owned: keys promised live only; NULL = what is asked for is judged whole
			  */
	bool blind;      /* what tcptune did here isn't known: there is no journal to ask */
	struct tct_err *err;
};

static void done(struct check *check)
{
	tct_plan_free(check->plan);
	tct_profile_set_free(check->set);
	tct_observation_free(check->looked);
	tct_asked_done(&check->asked);
	tct_modules_done(&check->modules);
	free(check->drop_in);
	free(check->live_only);
	tct_journal_free(check->journal);
}

void tct_check_result_done(struct tct_check_result *result)
{
	for (size_t i = 0; i < result->keys_count; i++) {
		tct_value_done(&result->keys[i].live);
		tct_value_done(&result->keys[i].wanted);
		tct_value_done(&result->keys[i].wanted_boot);
		tct_value_done(&result->keys[i].boot);
		for (unsigned model = 0; model < TCT_BOOT_MODELS; model++)
			tct_value_done(&result->keys[i].next_boot[model].value);
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
	char orphan[TCT_ORPHAN_TEXT];

	check->request = (struct tct_profile_request){ .root = check->options->root };
	if (request != NULL)
		check->request = *request;
	if (says_what(request))
		return 0;
	if (tct_asked_find(check->journal, &check->place.netns, check->place.boot_id,
			   &check->asked) < 0)
		return tct_err_nomem(check->err);
	if (asked->newest == NULL && check->result->interrupted != 0)
		return tct_err_set(check->err, TCT_FAULT_INPUT, ENOENT,
				   "nothing is applied here, for transaction %" PRIu64
				   " was interrupted ('tcptune rollback' puts it right); which "
				   "profile? Use --profile NAME",
				   check->result->interrupted);
	if (asked->newest == NULL && !check->result->record &&
	    tct_drop_in_left_orphan(check->options->root, check->journal))
		return tct_err_set(
			check->err, TCT_FAULT_INPUT, ENOENT, "%s",
			tct_drop_in_orphan_text(tct_root_prefix(check->options->root), orphan));
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
		check->request.no_variables_file = true;
	}
	return 0;
}

/* As if tcptune had done nothing yet. */
static int make_journal(struct check *check)
{
	check->journal = calloc(1, sizeof(*check->journal));
	if (check->journal == NULL)
		return tct_err_nomem(check->err);
	check->blind = true;
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
	/* A sosreport need not have it. */
	check->blind =
		result == 0 && check->result->record && check->journal->transactions_count == 0;
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
	check->request.settings_only = true;
	return tct_profile_set_load(&check->request, &check->facts, &check->set, check->err);
}

/* Has what stands here a part in the drop-in? Then it is looked at, wherever we are. */
static bool ever_persisted(const struct check *check)
{
	for (size_t i = 0; i < check->journal->transactions_count; i++) {
		const struct tct_transaction *transaction = &check->journal->transactions[i];

		if (transaction->persisted && tct_transaction_stands(transaction) &&
		    tct_transaction_in(transaction, &check->place.netns, check->place.boot_id))
			return true;
	}
	return false;
}

/* What was applied without the drop-in is promised live only. */
static int find_live_only(struct check *check)
{
	const struct tct_asked *asked = &check->asked;
	const struct tct_profile_set *set = check->set;

	if (asked->newest == NULL)
		return 0;
	check->live_only = calloc(tct_kernel_keys_count, sizeof(*check->live_only));
	if (check->live_only == NULL)
		return tct_err_nomem(check->err);
	for (size_t i = 0; i < set->settings_count; i++) {
		const struct tct_setting *setting = &set->settings[i];

		check->live_only[tct_kernel_key_index(setting->key)] =
			setting->by_hand
				? json_object_get(asked->live_sets, setting->key->name) != NULL
				: asked->live_only;
	}
	check->plan_options.live_only = check->live_only;
	check->plan_options.lines_stay = asked->live_only;
	return 0;
}

/* Is the next boot part of the question? Without a request it is if it was part of an answer. */
static bool looks_at_boot(const struct check *check)
{
	const struct tct_apply_options *options = check->options;

	if (options->no_persist || !options->root->live)
		return !options->no_persist;
	if (check->asked.newest != NULL)
		return check->asked.persists;
	return options->netns.initial || options->persist || ever_persisted(check);
}

/* A snapshot has the lines of our drop-in, not its text. */
static int drop_in_of_snapshot(struct check *check)
{
	const struct tct_sysctl_files *files = check->observation->files;
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	for (size_t i = 0; files != NULL && i < files->lines_count; i++) {
		const struct tct_file_line *line = &files->lines[i];

		if (line->ours && line->value != NULL)
			tct_text_addf(&text, "%s = %s\n", line->key, line->value);
	}
	if (text.length == 0)
		return text.failed ? -ENOMEM : 0;
	check->drop_in = tct_text_take(&text);
	return check->drop_in != NULL ? 0 : -ENOMEM;
}

static int read_drop_in(struct check *check)
{
	struct tct_err why = { 0 };
	int result = 0;

	if (!check->plan_options.persist)
		return 0;
	if (check->options->snapshot != NULL)
		result = drop_in_of_snapshot(check);
	else if (tct_drop_in_read(check->options->root, &check->drop_in, &why) < 0 &&
		 snprintf(check->result->drop_in, sizeof(check->result->drop_in), "%s",
			  why.message) < 0)
		check->result->drop_in[0] = '\0';
	check->plan_options.drop_in = check->drop_in;
	return result < 0 ? tct_err_nomem(check->err) : 0;
}

static int make_plan(struct check *check)
{
	const struct tct_apply_options *options = check->options;
	int result;

	check->plan_options = (struct tct_plan_options){
		.live = options->root->live && !options->no_live,
		.persist = looks_at_boot(check),
		.additive = tct_request_is_additive(&check->request),
		.allow_shadowed = true, /* seen by what comes up at boot */
		.boot_model_given = options->boot_model_given,
		.boot_model = options->boot_model,
		.prefix = tct_root_prefix(options->root),
	};
	if (options->snapshot != NULL) {
		check->plan_options.live =
			tct_host_looked_at(&options->snapshot->host) == TCT_SOURCE_LIVE;
		check->plan_options.persist = options->snapshot->files_govern;
	}
	result = find_live_only(check);
	if (result < 0)
		return result;
	if (options->snapshot == NULL && tct_plan_needs_modules(check->set, check->journal)) {
		if (tct_modules_look(options->root, check->observation->host.kernel,
				     &check->modules) < 0)
			return tct_err_nomem(check->err);
		check->plan_options.modules = &check->modules;
	}
	check->result->live_looked = check->plan_options.live;
	check->result->boot_looked = check->plan_options.persist;
	check->result->persist = check->plan_options.persist && options->snapshot == NULL &&
				 options->root->live && !options->netns.initial;
	check->result->no_persist = check->asked.newest != NULL && !check->plan_options.persist &&
				    options->root->live && options->netns.initial;
	result = read_drop_in(check);
	if (result < 0)
		return result;
	return tct_plan_make(check->set, &check->facts, check->observation, check->journal,
			     &check->plan_options, &check->plan, check->err);
}

static void note_waiting(struct check *check)
{
	const struct tct_transaction *waiting =
		tct_journal_waiting(check->journal, &check->place.netns, check->place.boot_id);

	if (waiting == NULL)
		return;
	check->result->waiting.id = waiting->id;
	check->result->waiting.until_ns = waiting->deadline_ns;
	check->result->waiting.expired = tct_transaction_expired(waiting, &check->place);
	check->result->waiting.deferred = waiting->deferred;
}

/* Where nothing is known of what tcptune did, that isn't known, either. */
static void note_orphan(struct check *check)
{
	check->result->orphan =
		!check->blind && tct_drop_in_is_orphan(check->drop_in, check->journal);
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
	note_waiting(check);
	result = choose_profile(check);
	if (result == 0)
		result = observe(check);
	if (result == 0)
		result = make_plan(check);
	if (result < 0)
		return result;
	note_orphan(check);

	const struct tct_check_question question = {
		.set = check->set,
		.observation = check->observation,
		.options = &check->plan_options,
		.plan = check->plan,
		.blind = check->blind,
		.waits = check->result->waiting.deferred,
	};

	return tct_check_conclude(&question, check->result) == 0 ? 0 : tct_err_nomem(check->err);
}

int tct_check(const struct tct_apply_options *options, struct tct_check_result *result,
	      struct tct_err *err)
{
	struct check check = { .options = options, .result = result, .err = err };
	int status;

	*result = (struct tct_check_result){ .record = tct_sos_is(options->root) };
	status = tct_place_of_work_init(options, &check.place, err);
	if (status == 0)
		status = run(&check);
	done(&check);
	return status;
}
