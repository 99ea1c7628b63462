/* Reading a record: nothing in it is taken on trust. */
#include <errno.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/file_io.h"
#include "tune/journal_record.h"

static int bad(struct tct_err *err, const char *what)
{
	return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "%s", what);
}

/* A copy of the string `name`; NULL where it is null or missing. */
static int take_text(const json_t *object, const char *name, char **out, struct tct_err *err)
{
	const json_t *text = json_object_get(object, name);

	if (text == NULL || json_is_null(text))
		return 0;
	if (!json_is_string(text) || strlen(json_string_value(text)) != json_string_length(text))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "`%s` is not a text", name);
	*out = tct_text_copy(json_string_value(text), json_string_length(text));
	return *out != NULL ? 0 : tct_err_nomem(err);
}

static int take_fixed(const json_t *object, const char *name, char *out, size_t size,
		      struct tct_err *err)
{
	const json_t *text = json_object_get(object, name);

	if (!json_is_string(text) || json_string_length(text) >= size ||
	    strlen(json_string_value(text)) != json_string_length(text))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "`%s` is missing or no such text",
				   name);
	memcpy(out, json_string_value(text), json_string_length(text) + 1);
	return 0;
}

static int take_number(const json_t *object, const char *name, json_int_t least, json_int_t *out,
		       struct tct_err *err)
{
	const json_t *number = json_object_get(object, name);

	if (!json_is_integer(number) || json_integer_value(number) < least)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "`%s` is missing or no such number", name);
	*out = json_integer_value(number);
	return 0;
}

static int take_bool(const json_t *object, const char *name, bool *out, struct tct_err *err)
{
	const json_t *flag = json_object_get(object, name);

	if (!json_is_boolean(flag))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "`%s` is missing or not true or false", name);
	*out = json_is_true(flag);
	return 0;
}

/* Absent means no. */
static int take_flag(const json_t *object, const char *name, bool *out, struct tct_err *err)
{
	*out = false;
	return json_object_get(object, name) == NULL ? 0 : take_bool(object, name, out, err);
}

static int take_word(const json_t *object, const char *name, const char *const *words, size_t count,
		     unsigned *out, struct tct_err *err)
{
	const char *word = json_string_value(json_object_get(object, name));

	for (size_t i = 0; word != NULL && i < count; i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = (unsigned)i;
			return 0;
		}
	}
	return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
			   "`%s` is missing or a word that this tcptune doesn't know; a newer one "
			   "wrote it?",
			   name);
}

static int take_value(const json_t *object, const char *name, const struct tct_kernel_key *key,
		      struct tct_value *value, struct tct_err *err)
{
	const json_t *json = json_object_get(object, name);

	if (json == NULL)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "`%s` is missing", name);
	if (json_is_null(json))
		return 0;

	int result = tct_value_from_json(key, json, value, err);

	return result < 0 ? tct_err_wrap(err, "%s, `%s`", key->name, name) : 0;
}

static int take_key(const json_t *object, struct tct_journal_key *key, struct tct_err *err)
{
	const char *name = json_string_value(json_object_get(object, "key"));
	json_int_t gaps = 0;
	int result;

	if (name == NULL)
		return bad(err, "a key has no name");
	if (json_object_get(object, "gaps") != NULL) {
		result = take_number(object, "gaps", 1, &gaps, err);
		if (result < 0)
			return result;
	}
	key->gaps = (unsigned)gaps;
	key->key = tct_kernel_key_find(name);
	if (key->key == NULL)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "%.80s is not known to this tcptune; a newer one wrote it?",
				   name);
	if ((result = take_value(object, "before", key->key, &key->before, err)) < 0 ||
	    (result = take_value(object, "after", key->key, &key->after, err)) < 0 ||
	    (result = take_value(object, "boot_before", key->key, &key->boot_before, err)) < 0 ||
	    (result = take_value(object, "boot_after", key->key, &key->boot_after, err)) < 0 ||
	    (result = take_value(object, "baseline", key->key, &key->baseline, err)) < 0 ||
	    (result = take_bool(object, "live_owned", &key->live_owned, err)) < 0 ||
	    (result = take_flag(object, "left", &key->left, err)) < 0)
		return result;
	if ((key->before.kind == TCT_VALUE_NONE) != (key->after.kind == TCT_VALUE_NONE))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "%s: only one of before and after",
				   key->key->name);
	return take_text(object, "because", &key->because, err);
}

static int take_keys(const json_t *object, struct tct_transaction *transaction, struct tct_err *err)
{
	const json_t *keys = json_object_get(object, "keys");

	if (!json_is_array(keys) || json_array_size(keys) > tct_kernel_keys_count)
		return bad(err, "`keys` is missing or no such list");
	for (size_t i = 0; i < json_array_size(keys); i++) {
		struct tct_journal_key *key = TCT_APPEND(transaction, keys);

		if (key == NULL)
			return tct_err_nomem(err);

		int result = take_key(json_array_get(keys, i), key, err);

		if (result < 0)
			return result;
		for (size_t j = 0; j < i; j++) {
			if (transaction->keys[j].key == key->key)
				return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
						   "%s is there twice", key->key->name);
		}
	}
	return 0;
}

static int take_netns(const json_t *object, struct tct_netns *netns, struct tct_err *err)
{
	const json_t *json = json_object_get(object, "netns");
	json_int_t inode = 0;
	json_int_t cookie = 0;
	int result;

	if (!json_is_object(json))
		return bad(err, "`netns` is missing");
	if ((result = take_fixed(json, "name", netns->name, sizeof(netns->name), err)) < 0 ||
	    (result = take_number(json, "inode", 0, &inode, err)) < 0 ||
	    (result = take_number(json, "cookie", 0, &cookie, err)) < 0 ||
	    (result = take_bool(json, "initial", &netns->initial, err)) < 0)
		return result;
	netns->inode = (uint64_t)inode;
	netns->cookie = (uint64_t)cookie;
	return 0;
}

/* An object of texts; NULL where it is missing. */
static int take_texts(const json_t *object, const char *name, json_t **out, struct tct_err *err)
{
	json_t *texts = json_object_get(object, name);
	const char *member;
	json_t *value;

	if (texts == NULL)
		return 0;
	if (!json_is_object(texts))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "`%s` is not an object", name);
	json_object_foreach(texts, member, value) {
		if (!json_is_string(value))
			return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
					   "`%s` has a member %s that is not a text", name, member);
	}
	*out = json_incref(texts);
	return 0;
}

/* A list of texts; NULL where it is missing. */
static int take_list(const json_t *object, const char *name, json_t **out, struct tct_err *err)
{
	json_t *list = json_object_get(object, name);
	json_t *text;
	size_t i;

	if (list == NULL)
		return 0;
	if (!json_is_array(list))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "`%s` is not a list", name);
	json_array_foreach(list, i, text) {
		if (!json_is_string(text))
			return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
					   "`%s` has something that is not a text", name);
	}
	*out = json_incref(list);
	return 0;
}

/* An id that most don't have; 0 where it is missing. */
static int take_id(const json_t *object, const char *name, uint64_t *id, struct tct_err *err)
{
	json_int_t number = 0;
	int result = 0;

	if (json_object_get(object, name) != NULL)
		result = take_number(object, name, 1, &number, err);
	*id = (uint64_t)number;
	return result;
}

/* What most transactions don't have; absent means no. */
static int take_seldom(const json_t *object, struct tct_transaction *transaction,
		       struct tct_err *err)
{
	json_int_t within_ns = 0;
	json_int_t boottime_ns = 0;
	json_int_t deadline_ns = 0;
	int result;

	if ((result = take_texts(object, "sets", &transaction->sets, err)) < 0 ||
	    (result = take_list(object, "profile_names", &transaction->profile_names, err)) < 0 ||
	    (result = take_flag(object, "additive", &transaction->additive, err)) < 0 ||
	    (result = take_texts(object, "asked", &transaction->asked, err)) < 0 ||
	    (result = take_id(object, "carries", &transaction->carries, err)) < 0 ||
	    (result = take_id(object, "confirms", &transaction->confirms, err)) < 0 ||
	    (result = take_text(object, "version", &transaction->version, err)) < 0 ||
	    (result = take_text(object, "modules_before", &transaction->modules_before, err)) < 0 ||
	    (result = take_text(object, "modules_after", &transaction->modules_after, err)) < 0)
		return result;
	if (json_object_get(object, "confirm_within_ns") == NULL)
		return 0;
	if ((result = take_number(object, "confirm_within_ns", 1, &within_ns, err)) < 0 ||
	    (result = take_number(object, "deadline_boottime_ns", 0, &boottime_ns, err)) < 0 ||
	    (result = take_number(object, "deadline_ns", INT64_MIN, &deadline_ns, err)) < 0 ||
	    (result = take_bool(object, "deferred", &transaction->deferred, err)) < 0)
		return result;
	transaction->confirm_within_ns = within_ns;
	transaction->deadline_boottime_ns = boottime_ns;
	transaction->deadline_ns = deadline_ns;
	return 0;
}

static int take_begin(const json_t *object, struct tct_transaction *transaction,
		      struct tct_err *err)
{
	json_int_t undoes = 0;
	json_int_t time_ns = 0;
	unsigned kind = 0;
	int result;

	if ((result = take_word(object, "kind", tct_transaction_kind_names, TCT_TRANSACTION_KINDS,
				&kind, err)) < 0 ||
	    (result = take_number(object, "undoes", 0, &undoes, err)) < 0 ||
	    (result = take_number(object, "time_ns", INT64_MIN, &time_ns, err)) < 0 ||
	    (result = take_text(object, "profiles", &transaction->profiles, err)) < 0 ||
	    (result = take_text(object, "profile_sha256", &transaction->profile_sha256, err)) < 0 ||
	    (result = take_text(object, "reason", &transaction->reason, err)) < 0 ||
	    (result = take_text(object, "user", &transaction->user, err)) < 0 ||
	    (result = take_fixed(object, "boot_id", transaction->boot_id,
				 sizeof(transaction->boot_id), err)) < 0 ||
	    (result = take_netns(object, &transaction->netns, err)) < 0 ||
	    (result = take_bool(object, "live", &transaction->live, err)) < 0 ||
	    (result = take_bool(object, "persisted", &transaction->persisted, err)) < 0 ||
	    (result = take_flag(object, "drop_in_left", &transaction->drop_in_left, err)) < 0 ||
	    (result =
		     take_fixed(object, "drop_in_before_sha256", transaction->drop_in_before_sha256,
				sizeof(transaction->drop_in_before_sha256), err)) < 0 ||
	    (result = take_fixed(object, "drop_in_after_sha256", transaction->drop_in_after_sha256,
				 sizeof(transaction->drop_in_after_sha256), err)) < 0 ||
	    (result = take_texts(object, "variables", &transaction->variables, err)) < 0 ||
	    (result = take_seldom(object, transaction, err)) < 0)
		return result;
	transaction->kind = (enum tct_transaction_kind)kind;
	transaction->undoes = (uint64_t)undoes;
	transaction->time_ns = time_ns;
	transaction->state = TCT_TRANSACTION_OPEN;
	return take_keys(object, transaction, err);
}

static int take_end(const json_t *object, struct tct_record *record, struct tct_err *err)
{
	json_t *stuck = json_object_get(object, "stuck");
	unsigned state = 0;
	int result = take_word(object, "state", tct_transaction_state_names, TCT_TRANSACTION_STATES,
			       &state, err);

	if (result < 0)
		return result;
	if (state == TCT_TRANSACTION_OPEN)
		return bad(err, "an end can't be open");
	record->state = (enum tct_transaction_state)state;
	if (record->state == TCT_TRANSACTION_STUCK) {
		if ((result = take_bool(object, "drop_in_stuck", &record->drop_in_stuck, err)) <
			    0 ||
		    (result = take_flag(object, "modules_stuck", &record->modules_stuck, err)) < 0)
			return result;
		if (!json_is_array(stuck))
			return bad(err, "`stuck` is not a list");
		record->stuck = json_incref(stuck);
	}
	return take_text(object, "error", &record->error, err);
}

int tct_record_parse(const char *line, size_t length, struct tct_record *record,
		     struct tct_err *err)
{
	char checksum[TCT_RECORD_CHECKSUM_LENGTH + 1];
	json_error_t error;
	json_int_t id = 0;
	json_t *object;
	int result;

	*record = (struct tct_record){ 0 };
	if (length > TCT_RECORD_CHECKSUM_LENGTH + 1)
		tct_file_sha256(line + TCT_RECORD_CHECKSUM_LENGTH + 1,
				length - TCT_RECORD_CHECKSUM_LENGTH - 1, checksum);
	if (length <= TCT_RECORD_CHECKSUM_LENGTH + 1 || line[TCT_RECORD_CHECKSUM_LENGTH] != ' ' ||
	    memcmp(line, checksum, TCT_RECORD_CHECKSUM_LENGTH) != 0)
		return tct_err_set(err, TCT_FAULT_INPUT, EBADMSG,
				   "the checksum is wrong: it is damaged");
	object =
		json_loadb(line + TCT_RECORD_CHECKSUM_LENGTH + 1,
			   length - TCT_RECORD_CHECKSUM_LENGTH - 1, JSON_REJECT_DUPLICATES, &error);
	if (object == NULL)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "it is not JSON: %s", error.text);

	const char *kind = json_string_value(json_object_get(object, "record"));

	result = take_number(object, "id", 1, &id, err);
	record->id = (uint64_t)id;
	if (result == 0 && kind == NULL) {
		result = bad(err, "`record` is missing");
	} else if (result == 0 && strcmp(kind, "begin") == 0) {
		record->kind = TCT_RECORD_BEGIN;
		result = take_begin(object, &record->transaction, err);
		record->transaction.id = record->id;
	} else if (result == 0 && strcmp(kind, "end") == 0) {
		record->kind = TCT_RECORD_END;
		result = take_end(object, record, err);
	} else if (result == 0) {
		result = bad(
			err,
			"a kind of record that this tcptune doesn't know; a newer one wrote it?");
	}
	if (result < 0)
		tct_record_done(record);
	json_decref(object);
	return result;
}
