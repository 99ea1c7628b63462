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

/* What later ones say stays. */
static int merge_older(struct tct_asked *asked, json_t *sets)
{
	return sets == NULL || json_object_update_missing(asked->sets, sets) == 0 ? 0 : -ENOMEM;
}

/*
 * From the newest back to the one that declared the whole. An additive one whose predecessor is not
 * in the journal any more (it is pruned) knows by itself what that asked for.
 */
static int gather(const struct tct_journal *journal, const struct tct_netns *netns,
		  const char *boot_id, struct tct_asked *asked)
{
	for (size_t i = journal->transactions_count; i-- > 0 && asked->source == NULL;) {
		const struct tct_transaction *transaction = &journal->transactions[i];

		if (!tct_transaction_stands(transaction) ||
		    !tct_transaction_in(transaction, netns, boot_id))
			continue;
		if (asked->newest == NULL)
			asked->newest = transaction;
		if (!transaction->additive ||
		    (transaction->carries != 0 &&
		     tct_journal_find(journal, transaction->carries) == NULL))
			asked->source = transaction;
		if (merge_older(asked,
				asked->source != NULL ? transaction->sets : transaction->asked) < 0)
			return -ENOMEM;
	}
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

int tct_asked_find(const struct tct_journal *journal, const struct tct_netns *netns,
		   const char *boot_id, struct tct_asked *asked)
{
	int result = 0;

	*asked = (struct tct_asked){ .sets = json_object() };
	if (asked->sets == NULL)
		return -ENOMEM;
	result = gather(journal, netns, boot_id, asked);
	if (result == 0)
		result = take_names(asked);
	return result == 0 ? take_values(asked) : result;
}

/* A profile's path must mean the same from another folder; NULL: it is as good as it can be. */
static char *full_name(const char *name)
{
	return strchr(name, '/') != NULL ? realpath(name, NULL) : NULL;
}

int tct_asked_check(const struct tct_profile_set *set, struct tct_err *err)
{
	for (size_t i = 0; i < set->names_count; i++) {
		TCT_AUTOFREE char *full = full_name(set->names[i]);
		const char *name = full != NULL ? full : set->names[i];

		if (!tct_text_is_utf8(name, strlen(name)))
			return tct_err_set(err, TCT_FAULT_INPUT, EILSEQ,
					   "the path of a profile isn't UTF-8: %.300s", name);
	}
	return 0;
}

static json_t *full_names(const struct tct_profile_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < set->names_count; i++) {
		const char *name = set->names[i];
		TCT_AUTOFREE char *full = full_name(name);

		if (json_array_append_new(list, json_string(full != NULL ? full : name)) < 0) {
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

static json_t *variables_json(const struct tct_profile_request *request)
{
	json_t *object = json_object();

	for (size_t i = 0; object != NULL && i < request->vars_count; i++) {
		if (json_object_set_new(object, request->vars[i].name,
					json_string(request->vars[i].value)) < 0) {
			json_decref(object);
			return NULL;
		}
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
	transaction->variables = variables_json(request);
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

/* These keys, besides what was asked for before. */
static int note_more(const struct tct_profile_request *request, const struct tct_profile_set *set,
		     const struct tct_asked *before, struct tct_transaction *transaction)
{
	const struct tct_transaction *source = before->source;

	transaction->additive = true;
	transaction->carries = before->newest != NULL ? before->newest->id : 0;
	transaction->asked = tct_asked_sets(set);
	transaction->sets = json_copy(before->sets);
	transaction->variables =
		source != NULL ? json_incref(source->variables) : variables_json(request);
	if (transaction->asked == NULL || transaction->sets == NULL ||
	    json_object_update(transaction->sets, transaction->asked) < 0)
		return -ENOMEM;
	if (source == NULL)
		return transaction->variables != NULL ? 0 : -ENOMEM;
	transaction->profile_names = json_incref(source->profile_names);
	if (copy_text(&transaction->profiles, source->profiles) < 0 ||
	    copy_text(&transaction->profile_sha256, source->profile_sha256) < 0)
		return -ENOMEM;
	return 0;
}

int tct_asked_note(const struct tct_profile_request *request, const struct tct_profile_set *set,
		   const struct tct_asked *before, struct tct_transaction *transaction)
{
	return tct_request_is_additive(request) ? note_more(request, set, before, transaction)
						: note_whole(request, set, transaction);
}
