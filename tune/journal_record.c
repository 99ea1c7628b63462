/* Making a record, and letting go of one; journal_parse.c reads them. */
#include "tune/journal_record.h"

#include <string.h>

#include "core/json_text.h"
#include "core/mem.h"
#include "core/text.h"
#include "tune/file_io.h"

const char *const tct_transaction_kind_names[TCT_TRANSACTION_KINDS] = {
	[TCT_TRANSACTION_APPLY] = "apply",
	[TCT_TRANSACTION_ROLLBACK] = "rollback",
	[TCT_TRANSACTION_CONFIRM] = "confirm",
};

const char *const tct_transaction_state_names[TCT_TRANSACTION_STATES] = {
	[TCT_TRANSACTION_OPEN] = "open",       [TCT_TRANSACTION_COMMITTED] = "committed",
	[TCT_TRANSACTION_UNDONE] = "undone",   [TCT_TRANSACTION_STUCK] = "stuck",
	[TCT_TRANSACTION_WAITING] = "waiting",
};

static void clear_key(struct tct_journal_key *key)
{
	tct_value_done(&key->before);
	tct_value_done(&key->after);
	tct_value_done(&key->boot_before);
	tct_value_done(&key->boot_after);
	tct_value_done(&key->baseline);
	free(key->because);
}

void tct_transaction_done(struct tct_transaction *transaction)
{
	for (size_t i = 0; i < transaction->keys_count; i++)
		clear_key(&transaction->keys[i]);
	free(transaction->keys);
	free(transaction->profiles);
	free(transaction->profile_sha256);
	free(transaction->reason);
	free(transaction->user);
	free(transaction->error);
	free(transaction->version);
	free(transaction->modules_before);
	free(transaction->modules_after);
	json_decref(transaction->variables);
	json_decref(transaction->sets);
	json_decref(transaction->asked);
	json_decref(transaction->profile_names);
	*transaction = (struct tct_transaction){ 0 };
}

void tct_record_done(struct tct_record *record)
{
	tct_transaction_done(&record->transaction);
	free(record->error);
	json_decref(record->stuck);
	*record = (struct tct_record){ 0 };
}

/* Like json_object_set_new, for values that may be out of memory; keeps the first failure. */
static void set(json_t *object, const char *name, json_t *value, bool *failed)
{
	if (value == NULL || json_object_set_new(object, name, value) < 0)
		*failed = true;
}

static json_t *key_json(const struct tct_journal_key *key)
{
	json_t *object = json_object();
	bool failed = object == NULL;

	if (failed)
		return NULL;
	set(object, "key", json_string(key->key->name), &failed);
	set(object, "before", tct_value_json(&key->before), &failed);
	set(object, "after", tct_value_json(&key->after), &failed);
	set(object, "boot_before", tct_value_json(&key->boot_before), &failed);
	set(object, "boot_after", tct_value_json(&key->boot_after), &failed);
	set(object, "live_owned", json_boolean(key->live_owned), &failed);
	if (key->left)
		set(object, "left", json_true(), &failed);
	if (key->gaps != 0)
		set(object, "gaps", json_integer((json_int_t)key->gaps), &failed);
	set(object, "baseline", tct_value_json(&key->baseline), &failed);
	if (key->because != NULL)
		set(object, "because", json_string(key->because), &failed);
	if (failed) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *netns_json(const struct tct_netns *netns)
{
	return json_pack("{s:s, s:I, s:I, s:b}", "name", netns->name, "inode",
			 (json_int_t)netns->inode, "cookie", (json_int_t)netns->cookie, "initial",
			 netns->initial);
}

/* Takes the object. */
static char *line_of(json_t *object, bool failed)
{
	TCT_AUTOFREE char *json = failed ? NULL : json_dumps(object, JSON_COMPACT);
	TCT_AUTO(tct_text_done) struct tct_text line = { 0 };
	char checksum[TCT_RECORD_CHECKSUM_LENGTH + 1];

	json_decref(object);
	if (json == NULL)
		return NULL;
	tct_file_sha256(json, strlen(json), checksum);
	tct_text_add(&line, checksum);
	tct_text_add(&line, " ");
	tct_text_add(&line, json);
	tct_text_add(&line, "\n");
	return tct_text_take(&line);
}

/* Members that most transactions don't have. */
static void set_seldom(json_t *object, const struct tct_transaction *transaction, bool *failed)
{
	if (transaction->confirms != 0)
		set(object, "confirms", json_integer((json_int_t)transaction->confirms), failed);
	if (transaction->sets != NULL)
		set(object, "sets", json_incref(transaction->sets), failed);
	if (transaction->profile_names != NULL)
		set(object, "profile_names", json_incref(transaction->profile_names), failed);
	if (transaction->additive)
		set(object, "additive", json_true(), failed);
	if (transaction->asked != NULL)
		set(object, "asked", json_incref(transaction->asked), failed);
	if (transaction->carries != 0)
		set(object, "carries", json_integer((json_int_t)transaction->carries), failed);
	if (transaction->version != NULL)
		set(object, "version", json_string(transaction->version), failed);
	if (transaction->modules_before != NULL)
		set(object, "modules_before", json_string(transaction->modules_before), failed);
	if (transaction->modules_after != NULL)
		set(object, "modules_after", json_string(transaction->modules_after), failed);
	if (transaction->confirm_within_ns == 0)
		return;
	set(object, "confirm_within_ns", json_integer(transaction->confirm_within_ns), failed);
	set(object, "deadline_boottime_ns", json_integer(transaction->deadline_boottime_ns),
	    failed);
	set(object, "deadline_ns", json_integer(transaction->deadline_ns), failed);
	set(object, "deferred", json_boolean(transaction->deferred), failed);
}

char *tct_record_begin_line(const struct tct_transaction *transaction)
{
	json_t *object = json_object();
	json_t *keys = json_array();
	bool failed = object == NULL || keys == NULL;

	for (size_t i = 0; !failed && i < transaction->keys_count; i++) {
		json_t *key = key_json(&transaction->keys[i]);

		if (key == NULL || json_array_append_new(keys, key) < 0)
			failed = true;
	}
	if (failed) {
		json_decref(keys);
		return line_of(object, true);
	}
	set(object, "record", json_string("begin"), &failed);
	set(object, "id", json_integer((json_int_t)transaction->id), &failed);
	set(object, "kind", json_string(tct_transaction_kind_names[transaction->kind]), &failed);
	set(object, "undoes", json_integer((json_int_t)transaction->undoes), &failed);
	set(object, "time_ns", json_integer(transaction->time_ns), &failed);
	set(object, "profiles", tct_json_text_or_null(transaction->profiles), &failed);
	set(object, "profile_sha256", tct_json_text_or_null(transaction->profile_sha256), &failed);
	if (transaction->variables != NULL)
		set(object, "variables", json_incref(transaction->variables), &failed);
	set(object, "reason", tct_json_text_or_null(transaction->reason), &failed);
	set(object, "user", tct_json_text_or_null(transaction->user), &failed);
	set(object, "boot_id", json_string(transaction->boot_id), &failed);
	set(object, "netns", netns_json(&transaction->netns), &failed);
	set(object, "live", json_boolean(transaction->live), &failed);
	set(object, "persisted", json_boolean(transaction->persisted), &failed);
	set(object, "drop_in_before_sha256", json_string(transaction->drop_in_before_sha256),
	    &failed);
	set(object, "drop_in_after_sha256", json_string(transaction->drop_in_after_sha256),
	    &failed);
	if (transaction->drop_in_left)
		set(object, "drop_in_left", json_true(), &failed);
	set_seldom(object, transaction, &failed);
	set(object, "keys", keys, &failed);
	return line_of(object, failed);
}

char *tct_record_end_line(const struct tct_transaction *transaction,
			  enum tct_transaction_state state, const char *error)
{
	json_t *object = json_object();
	json_t *stuck = json_array();
	bool failed = object == NULL || stuck == NULL;

	if (failed) {
		json_decref(stuck);
		return line_of(object, true);
	}
	set(object, "record", json_string("end"), &failed);
	set(object, "id", json_integer((json_int_t)transaction->id), &failed);
	set(object, "state", json_string(tct_transaction_state_names[state]), &failed);
	set(object, "error", tct_json_text_or_null(error), &failed);
	if (state == TCT_TRANSACTION_STUCK) {
		for (size_t i = 0; i < transaction->keys_count; i++) {
			const struct tct_journal_key *key = &transaction->keys[i];

			if (key->stuck &&
			    json_array_append_new(stuck, json_string(key->key->name)) < 0)
				failed = true;
		}
		set(object, "drop_in_stuck", json_boolean(transaction->drop_in_stuck), &failed);
		if (transaction->modules_stuck)
			set(object, "modules_stuck", json_true(), &failed);
		set(object, "stuck", stuck, &failed);
	} else {
		json_decref(stuck);
	}
	return line_of(object, failed);
}
