#include "tune/asked.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

static const char origin[] = "the journal";

void tct_asked_done(struct tct_asked *asked)
{
	json_decref(asked->sets);
	json_decref(asked->live_sets);
	free(asked->split);
	free(asked->names);
	free(asked->vars);
	free(asked->given_sets);
	*asked = (struct tct_asked){ 0 };
}

bool tct_request_is_additive(const struct tct_profile_request *request)
{
	return request->names_count == 0 && request->sets_count > 0;
}

/* What later ones say stays. What was asked for without the drop-in is promised live only. */
static int merge_older(struct tct_asked *asked, json_t *sets, bool persisted)
{
	const char *name;
	json_t *value;

	json_object_foreach(sets, name, value) {
		if (json_object_get(asked->sets, name) != NULL)
			continue;
		if (json_object_set(asked->sets, name, value) < 0 ||
		    (!persisted && json_object_set(asked->live_sets, name, value) < 0))
			return -ENOMEM;
	}
	return 0;
}

/*
 * From the newest (no later one than that) back to the one that declared the whole. An additive one
 * whose predecessor is not in the journal any more (it is pruned) knows by itself what that asked
 * for.
 */
static int gather(const struct tct_journal *journal, const struct tct_netns *netns,
		  const char *boot_id, uint64_t newest, struct tct_asked *asked)
{
	for (size_t i = journal->transactions_count; i-- > 0;) {
		const struct tct_transaction *transaction = &journal->transactions[i];

		if (transaction->id > newest || !tct_transaction_stands(transaction) ||
		    !tct_transaction_in(transaction, netns, boot_id))
			continue;
		asked->persists |= transaction->persisted;
		if (asked->source != NULL)
			continue;
		if (asked->newest == NULL)
			asked->newest = transaction;
		if (!transaction->additive ||
		    (transaction->carries != 0 &&
		     tct_journal_find(journal, transaction->carries) == NULL))
			asked->source = transaction;
		if (merge_older(asked,
				asked->source != NULL ? transaction->sets : transaction->asked,
				transaction->persisted) < 0)
			return -ENOMEM;
	}
	asked->live_only = asked->source != NULL && !asked->source->persisted;
	return 0;
}

static int add_name(struct tct_asked *asked, const char *name)
{
	const char **slot = TCT_APPEND(asked, names);

	if (slot == NULL)
		return -ENOMEM;
	*slot = name;
	return 0;
}

/* Older records have but the joined text. */
static int split_names(struct tct_asked *asked, const char *joined)
{
	asked->split = strdup(joined);
	if (asked->split == NULL)
		return -ENOMEM;
	for (char *rest = asked->split; rest != NULL;) {
		const char *name = strsep(&rest, ",");

		if (name[0] != '\0' && add_name(asked, name) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int take_names(struct tct_asked *asked)
{
	const struct tct_transaction *source = asked->source;
	json_t *name;
	size_t i;

	if (source == NULL)
		return 0;
	if (source->profile_names == NULL)
		return source->profiles != NULL ? split_names(asked, source->profiles) : 0;
	json_array_foreach(source->profile_names, i, name) {
		if (add_name(asked, json_string_value(name)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int take_values(struct tct_asked *asked)
{
	const char *name;
	json_t *value;

	json_object_foreach(asked->source != NULL ? asked->source->variables : NULL, name, value) {
		struct tct_var_override *var = TCT_APPEND(asked, vars);

		if (var == NULL)
			return -ENOMEM;
		*var = (struct tct_var_override){ name, json_string_value(value), origin, 0 };
	}
	json_object_foreach(asked->sets, name, value) {
		struct tct_set_override *set = TCT_APPEND(asked, given_sets);

		if (set == NULL)
			return -ENOMEM;
		*set = (struct tct_set_override){ name, json_string_value(value), origin };
	}
	return 0;
}

static int begin(struct tct_asked *asked)
{
	*asked = (struct tct_asked){ .sets = json_object(), .live_sets = json_object() };
	return asked->sets != NULL && asked->live_sets != NULL ? 0 : -ENOMEM;
}

int tct_asked_find(const struct tct_journal *journal, const struct tct_netns *netns,
		   const char *boot_id, struct tct_asked *asked)
{
	int result = begin(asked);

	if (result == 0)
		result = gather(journal, netns, boot_id, UINT64_MAX, asked);
	if (result == 0)
		result = take_names(asked);
	return result == 0 ? take_values(asked) : result;
}

/* A profile's path must mean the same from another folder. NULL on ENOMEM. */
static char *full_name(const char *name)
{
	char *full = strchr(name, '/') != NULL ? realpath(name, NULL) : NULL;

	return full != NULL ? full : strdup(name);
}

int tct_asked_check(const struct tct_profile_request *request, const struct tct_profile_set *set,
		    struct tct_err *err)
{
	for (size_t i = 0; i < set->names_count; i++) {
		TCT_AUTOFREE char *full = full_name(set->names[i]);

		if (full == NULL)
			return tct_err_nomem(err);
		if (!tct_text_is_utf8(full, strlen(full)))
			return tct_err_set(err, TCT_FAULT_INPUT, EILSEQ,
					   "%s: the path isn't UTF-8, so the journal can't name it",
					   full);
	}
	for (size_t i = 0; i < request->vars_count; i++) {
		const struct tct_var_override *var = &request->vars[i];

		if (!tct_text_is_utf8(var->value, strlen(var->value)))
			return tct_err_set(err, TCT_FAULT_INPUT, EILSEQ,
					   "--var %s: the text is not UTF-8", var->name);
	}
	return 0;
}

static json_t *full_names(const struct tct_profile_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < set->names_count; i++) {
		TCT_AUTOFREE char *full = full_name(set->names[i]);

		if (full == NULL || json_array_append_new(list, json_string(full)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* "base,proxy", for people. */
static char *joined(const json_t *names)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
		tct_text_addf(&text, "%s%s", i > 0 ? "," : "", json_string_value(name));
	return tct_text_take(&text);
}

char *tct_asked_profiles(const struct tct_profile_set *set)
{
	json_t *names = full_names(set);
	char *text = names != NULL ? joined(names) : NULL;

	json_decref(names);
	return text;
}

/* What overrides variables and facts: --var, and lines of variables.yaml. NULL on ENOMEM. */
static json_t *variables_json(const struct tct_profile_request *request,
			      const struct tct_profile_set *set)
{
	json_t *object = json_object();
	bool failed = object == NULL;

	for (size_t i = 0; !failed && i < set->variables_count; i++) {
		const struct tct_variable *variable = &set->variables[i];

		failed = variable->given != NULL &&
			 json_object_set_new(object, variable->name, json_string(variable->given)) <
				 0;
	}
	for (size_t i = 0; !failed && i < request->vars_count; i++)
		failed = json_object_set_new(object, request->vars[i].name,
					     json_string(request->vars[i].value)) < 0;
	if (failed) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *tct_asked_sets(const struct tct_profile_set *set)
{
	json_t *object = json_object();

	for (size_t i = 0; object != NULL && i < set->settings_count; i++) {
		const struct tct_setting *setting = &set->settings[i];
		TCT_AUTOFREE char *value =
			setting->by_hand ? tct_value_text(&setting->set.literal) : NULL;

		if (!setting->by_hand)
			continue;
		if (value == NULL ||
		    json_object_set_new(object, setting->key->name, json_string(value)) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* The whole is declared. */
static int note_whole(const struct tct_profile_request *request, const struct tct_profile_set *set,
		      struct tct_transaction *transaction)
{
	transaction->profile_names = full_names(set);
	transaction->profiles = joined(transaction->profile_names);
	transaction->profile_sha256 = strdup(set->sha256);
	transaction->variables = variables_json(request, set);
	transaction->sets = tct_asked_sets(set);
	if (transaction->profile_names == NULL || transaction->profiles == NULL ||
	    transaction->profile_sha256 == NULL || transaction->variables == NULL ||
	    transaction->sets == NULL)
		return -ENOMEM;
	if (json_object_size(transaction->sets) == 0) {
		json_decref(transaction->sets);
		transaction->sets = NULL;
	}
	return 0;
}

static int copy_text(char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return *to == NULL && from != NULL ? -ENOMEM : 0;
}

/* Whose profiles and variables go on; NULL = none of any. */
static int carry(struct tct_transaction *transaction, const struct tct_transaction *source)
{
	if (source == NULL)
		return 0;
	transaction->variables = json_incref(source->variables);
	transaction->profile_names = json_incref(source->profile_names);
	return copy_text(&transaction->profiles, source->profiles) < 0 ||
			       copy_text(&transaction->profile_sha256, source->profile_sha256) < 0
		       ? -ENOMEM
		       : 0;
}

/* These keys, besides what was asked for before. */
static int note_more(const struct tct_profile_request *request, const struct tct_profile_set *set,
		     const struct tct_asked *before, struct tct_transaction *transaction)
{
	const struct tct_transaction *source = before->source;

	transaction->additive = true;
	transaction->carries = before->newest != NULL ? before->newest->id : 0;
	transaction->asked = tct_asked_sets(set);
	transaction->sets = json_copy(before->sets);
	if (source == NULL)
		transaction->variables = variables_json(request, set);
	if (transaction->asked == NULL || transaction->sets == NULL ||
	    json_object_update(transaction->sets, transaction->asked) < 0)
		return -ENOMEM;
	if (source == NULL)
		return transaction->variables != NULL ? 0 : -ENOMEM;
	return carry(transaction, source);
}

int tct_asked_settle(const struct tct_journal *journal, struct tct_transaction *transaction)
{
	struct tct_asked asked;
	int result = begin(&asked);

	if (result == 0)
		result = gather(journal, &transaction->netns, transaction->boot_id, transaction->id,
				&asked);
	if (result == 0) {
		free(transaction->profiles);
		free(transaction->profile_sha256);
		json_decref(transaction->profile_names);
		json_decref(transaction->variables);
		json_decref(transaction->sets);
		transaction->profiles = NULL;
		transaction->profile_sha256 = NULL;
		transaction->profile_names = NULL;
		transaction->variables = NULL;
		transaction->sets = json_incref(asked.sets);
		/* Nothing but its own keys: it carries nothing on. */
		if (asked.source == NULL && json_equal(asked.sets, transaction->asked))
			transaction->carries = 0;
		result = carry(transaction, asked.source);
	}
	tct_asked_done(&asked);
	return result;
}

int tct_asked_note(const struct tct_profile_request *request, const struct tct_profile_set *set,
		   const struct tct_asked *before, struct tct_transaction *transaction)
{
	return tct_request_is_additive(request) ? note_more(request, set, before, transaction)
						: note_whole(request, set, transaction);
}
