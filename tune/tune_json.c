/* The documents of apply, rollback, check and history. Their shapes are a contract: docs/schemas.
 */
#include <stdio.h>
#include <string.h>

#include "core/json_text.h"
#include "core/mem.h"
#include "tune/apply.h"
#include "tune/guard.h"

/* Sets name to value, which may be out of memory; keeps the first failure. */
static void set(json_t *object, const char *name, json_t *value, bool *failed)
{
	if (value == NULL || json_object_set_new(object, name, value) < 0)
		*failed = true;
}

static void append(json_t *array, json_t *value, bool *failed)
{
	if (value == NULL || json_array_append_new(array, value) < 0)
		*failed = true;
}

/* The object, or NULL and released if something failed on the way. */
static json_t *whole(json_t *object, bool failed)
{
	if (!failed)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *id_or_null(uint64_t id)
{
	return id != 0 ? json_integer((json_int_t)id) : json_null();
}

static json_t *key_or_null(const struct tct_kernel_key *key)
{
	return key != NULL ? tct_json_text(key->name) : json_null();
}

/* What one applier makes of the key at the next boot, and the line that decides it. */
static json_t *promise_json(const struct tct_plan_promise *promise)
{
	json_t *object;
	bool failed;

	if (promise->value.kind == TCT_VALUE_NONE && promise->file[0] == '\0')
		return json_null();
	object = json_object();
	failed = object == NULL;
	set(object, "value", tct_value_json(&promise->value), &failed);
	set(object, "file", tct_json_text_or_null(promise->file), &failed);
	set(object, "line",
	    promise->line != 0 ? json_integer((json_int_t)promise->line) : json_null(), &failed);
	return whole(object, failed);
}

/* By applier; null where the next boot isn't part of it. */
static json_t *next_boot_json(const struct tct_plan_promise promises[TCT_BOOT_MODELS], bool looked)
{
	json_t *object = looked ? json_object() : json_null();
	bool failed = object == NULL;

	for (unsigned model = 0; looked && model < TCT_BOOT_MODELS; model++)
		set(object, tct_boot_model_name((enum tct_boot_model)model),
		    promise_json(&promises[model]), &failed);
	return whole(object, failed);
}

static json_t *setting_next_boot(const struct tct_plan *plan, const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < plan->keys_count; i++) {
		if (plan->keys[i].key == key)
			return next_boot_json(plan->keys[i].next_boot, plan->persist);
	}
	return json_null();
}

static json_t *setting_json(const struct tct_apply_key *setting, const struct tct_plan *plan)
{
	json_t *object = json_object();
	bool failed = object == NULL;

	set(object, "key", tct_json_text(setting->key->name), &failed);
	set(object, "before", tct_value_json(&setting->before), &failed);
	set(object, "after", tct_value_json(&setting->after), &failed);
	set(object, "live_written", json_boolean(setting->live_written), &failed);
	set(object, "persisted", json_boolean(setting->persisted), &failed);
	if (plan != NULL)
		set(object, "next_boot", setting_next_boot(plan, setting->key), &failed);
	set(object, "effect",
	    setting->live_written ? tct_json_text(tct_effect_name(setting->effect)) : json_null(),
	    &failed);
	set(object, "because", tct_json_text_or_null(setting->because), &failed);
	set(object, "note", tct_json_text_or_null(setting->note), &failed);
	return whole(object, failed);
}

static json_t *refusals_json(const struct tct_plan_refusal *refused, size_t count)
{
	json_t *list = json_array();
	bool failed = list == NULL;

	for (size_t i = 0; !failed && i < count; i++) {
		json_t *object = json_object();
		bool broken = object == NULL;

		set(object, "key", key_or_null(refused[i].key), &broken);
		set(object, "kind", tct_json_text(refused[i].kind), &broken);
		set(object, "reason", tct_json_text(refused[i].reason), &broken);
		append(list, whole(object, broken), &failed);
	}
	return whole(list, failed);
}

static json_t *unsupported_json(const struct tct_plan_unsupported *unsupported, size_t count)
{
	json_t *list = json_array();
	bool failed = list == NULL;

	for (size_t i = 0; !failed && i < count; i++) {
		json_t *object = json_object();
		bool broken = object == NULL;

		set(object, "key", tct_json_text(unsupported[i].key->name), &broken);
		set(object, "reason", tct_json_text(unsupported[i].reason), &broken);
		append(list, whole(object, broken), &failed);
	}
	return whole(list, failed);
}

static json_t *shadows_json(const struct tct_plan *plan)
{
	json_t *list = json_array();
	bool failed = list == NULL;

	for (size_t i = 0; plan != NULL && !failed && i < plan->shadowed_count; i++) {
		const struct tct_plan_shadow *shadow = &plan->shadowed[i];
		json_t *object = json_object();
		bool broken = object == NULL;

		set(object, "key", tct_json_text(shadow->key->name), &broken);
		set(object, "model", tct_json_text(tct_boot_model_name(shadow->model)), &broken);
		set(object, "refuses", json_boolean(shadow->refuses), &broken);
		set(object, "file", tct_json_text(shadow->file), &broken);
		set(object, "line", json_integer((json_int_t)shadow->line), &broken);
		set(object, "value", tct_value_json(&shadow->value), &broken);
		append(list, whole(object, broken), &failed);
	}
	return whole(list, failed);
}

static json_t *restart_needed_json(const struct tct_apply_result *result)
{
	json_t *list = json_array();
	bool failed = list == NULL;

	for (size_t i = 0; !failed && i < result->restart_needed_count; i++) {
		const struct tct_restart *restart = &result->restart_needed[i];
		const struct tct_listener *listener = &restart->listener;
		const struct tct_owner *owner = &listener->owner;
		json_t *entry = json_pack("{s:o, s:o, s:o, s:s, s:s, s:i, s:I, s:I}", "unit",
					  tct_json_text_or_null(owner->unit), "pid",
					  owner->pid != 0 ? json_integer(owner->pid) : json_null(),
					  "comm", tct_json_text_or_null(owner->comm), "owner_sight",
					  tct_owner_sight_name(owner->sight), "address",
					  listener->address, "port", (int)listener->port, "backlog",
					  (json_int_t)listener->backlog, "limit",
					  (json_int_t)restart->limit);

		failed = json_array_append_new(list, entry) < 0;
	}
	if (failed) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *conflicts_json(const struct tct_apply_result *result)
{
	json_t *list = json_array();
	bool failed = list == NULL;

	for (size_t i = 0; !failed && i < result->conflicts_count; i++) {
		const struct tct_conflict *conflict = &result->conflicts[i];
		json_t *object = json_object();
		bool broken = object == NULL;

		set(object, "key", key_or_null(conflict->key), &broken);
		set(object, "field",
		    conflict->field != 0 ? json_integer((json_int_t)conflict->field) : json_null(),
		    &broken);
		set(object, "before", tct_value_json(&conflict->before), &broken);
		set(object, "ours", tct_value_json(&conflict->ours), &broken);
		set(object, "now", tct_value_json(&conflict->now), &broken);
		set(object, "reason", tct_json_text(conflict->reason), &broken);
		append(list, whole(object, broken), &failed);
	}
	return whole(list, failed);
}

static json_t *drop_in_json(const struct tct_apply_result *result)
{
	json_t *object;
	bool failed;

	if (result->drop_in_path[0] == '\0')
		return json_null();
	object = json_object();
	failed = object == NULL;
	set(object, "path", tct_json_text(result->drop_in_path), &failed);
	set(object, "before_sha256", tct_json_text_or_null(result->drop_in_before_sha256), &failed);
	set(object, "after_sha256", tct_json_text_or_null(result->drop_in_after_sha256), &failed);
	set(object, "diff", tct_json_text_or_null(result->drop_in_diff), &failed);
	return whole(object, failed);
}

/* Names joined by blanks, as a list; null for no file. */
static json_t *names_json(const char *names)
{
	json_t *list = names != NULL ? json_array() : json_null();

	while (list != NULL && names != NULL && *names != '\0') {
		size_t length = strcspn(names, " ");

		if (json_array_append_new(list, json_stringn(names, length)) < 0)
			return whole(list, true);
		names += length + strspn(names + length, " ");
	}
	return list;
}

static json_t *modules_json(const struct tct_apply_result *result)
{
	json_t *object;
	bool failed;

	if (result->modules_path[0] == '\0')
		return json_null();
	object = json_object();
	failed = object == NULL;
	set(object, "path", tct_json_text(result->modules_path), &failed);
	set(object, "before", names_json(result->modules_before), &failed);
	set(object, "after", names_json(result->modules_after), &failed);
	return whole(object, failed);
}

/* Of an apply that has to be confirmed, or would have to be. */
static json_t *waiting_json(const struct tct_apply_result *result)
{
	json_t *object;
	bool failed;

	if (result->waiting.ns == 0)
		return json_null();
	object = json_object();
	failed = object == NULL;
	set(object, "until",
	    result->waiting.until_ns != 0 ? tct_json_time(result->waiting.until_ns) : json_null(),
	    &failed);
	set(object, "seconds", json_real((double)result->waiting.ns / 1e9), &failed);
	set(object, "guard",
	    result->waiting.guard != TCT_GUARD_NONE
		    ? tct_json_text(tct_guard_name(result->waiting.guard))
		    : json_null(),
	    &failed);
	return whole(object, failed);
}

json_t *tct_apply_json(const struct tct_apply_result *result, bool rollback)
{
	const struct tct_plan *plan = result->plan;
	const char *schema = rollback          ? "tcptune.rollback.v1"
			     : result->dry_run ? "tcptune.plan.v1"
					       : "tcptune.apply.v1";
	json_t *object = json_object();
	json_t *settings = json_array();
	bool failed = object == NULL || settings == NULL;

	for (size_t i = 0; !failed && i < result->settings_count; i++)
		append(settings, setting_json(&result->settings[i], plan), &failed);
	if (object == NULL || failed) {
		json_decref(settings);
		return whole(object, true);
	}
	set(object, "schema", tct_json_text(schema), &failed);
	set(object, "changed", json_boolean(result->changed), &failed);
	set(object, "dry_run", json_boolean(result->dry_run), &failed);
	set(object, "transaction", id_or_null(result->transaction), &failed);
	if (rollback)
		set(object, "undid", id_or_null(result->undid), &failed);
	set(object, "recovered", id_or_null(result->recovered), &failed);
	set(object, "expired", id_or_null(result->expired), &failed);
	if (!rollback)
		set(object, "waiting", waiting_json(result), &failed);
	set(object, "rolled_back", json_boolean(result->rolled_back), &failed);
	set(object, "settings", settings, &failed);
	set(object, "drop_in", drop_in_json(result), &failed);
	set(object, "modules_load", modules_json(result), &failed);
	set(object, "refused",
	    refusals_json(plan != NULL ? plan->refused : NULL,
			  plan != NULL ? plan->refused_count : 0),
	    &failed);
	set(object, "unsupported",
	    plan != NULL ? unsupported_json(plan->unsupported, plan->unsupported_count)
			 : unsupported_json(result->gone, result->gone_count),
	    &failed);
	set(object, "shadowed", shadows_json(plan), &failed);
	set(object, "conflicts", conflicts_json(result), &failed);
	set(object, "restart_needed", restart_needed_json(result), &failed);
	return whole(object, failed);
}

json_t *tct_refused_json(json_t *document, const struct tct_err *why)
{
	json_t *list = json_object_get(document, "refused");
	struct tct_plan_refusal refusal = { .kind = "system" };
	char text[sizeof(why->message) + sizeof(why->file) + 32];
	bool failed = document == NULL;

	if (json_array_size(list) > 0)
		return document;
	if (snprintf(refusal.reason, sizeof(refusal.reason), "%s",
		     tct_err_text(why, text, sizeof(text))) < 0)
		refusal.reason[0] = '\0';
	set(document, "refused", refusals_json(&refusal, 1), &failed);
	return whole(document, failed);
}

/* What it has in common with a rollback, and which one is kept. */
json_t *tct_confirm_json(const struct tct_apply_result *result)
{
	static const char *const others[] = { "dry_run", "undid", "unsupported", "shadowed",
					      "restart_needed" };
	json_t *object = tct_apply_json(result, true);
	bool failed = object == NULL;

	set(object, "schema", tct_json_text("tcptune.confirm.v1"), &failed);
	set(object, "confirmed", id_or_null(result->confirmed), &failed);
	for (size_t i = 0; !failed && i < TCT_COUNT(others); i++)
		failed = json_object_del(object, others[i]) < 0;
	return whole(object, failed);
}

/* The kinds of difference, each by its word. */
static json_t *drift_json(const struct tct_check_key *key)
{
	json_t *list = json_array();
	bool failed = list == NULL;

	if (!failed && key->live_known && !key->live_ok)
		append(list, json_string("live"), &failed);
	if (!failed && key->boot_drift)
		append(list, json_string("boot"), &failed);
	if (!failed && key->shadowed)
		append(list, json_string("shadowed"), &failed);
	return whole(list, failed);
}

static json_t *check_key_json(const struct tct_check_key *key)
{
	json_t *object = json_object();
	bool failed = object == NULL;

	set(object, "key", tct_json_text(key->key->name), &failed);
	set(object, "drift", drift_json(key), &failed);
	set(object, "wanted", tct_value_json(&key->wanted), &failed);
	set(object, "live", tct_value_json(&key->live), &failed);
	set(object, "live_ok", key->live_known ? json_boolean(key->live_ok) : json_null(), &failed);
	set(object, "boot", tct_value_json(&key->boot), &failed);
	set(object, "boot_ok", key->boot_known ? json_boolean(key->boot_ok) : json_null(), &failed);
	set(object, "file", tct_json_text_or_null(key->file), &failed);
	set(object, "line", key->line != 0 ? json_integer((json_int_t)key->line) : json_null(),
	    &failed);
	set(object, "wanted_boot", tct_value_json(&key->wanted_boot), &failed);
	set(object, "next_boot", next_boot_json(key->next_boot, key->boot_known), &failed);
	set(object, "reason", tct_json_text_or_null(key->reason), &failed);
	return whole(object, failed);
}

json_t *tct_check_json(const struct tct_check_result *result)
{
	json_t *object = json_object();
	json_t *keys = json_array();
	bool failed = object == NULL || keys == NULL;

	for (size_t i = 0; !failed && i < result->keys_count; i++)
		append(keys, check_key_json(&result->keys[i]), &failed);
	if (object == NULL || failed) {
		json_decref(keys);
		return whole(object, true);
	}
	set(object, "schema", tct_json_text("tcptune.check.v1"), &failed);
	set(object, "conforms", json_boolean(result->conforms), &failed);
	set(object, "live_looked", json_boolean(result->live_looked), &failed);
	set(object, "boot_looked", json_boolean(result->boot_looked), &failed);
	set(object, "profiles", tct_json_text_or_null(result->profiles), &failed);
	set(object, "sets", result->sets != NULL ? json_incref(result->sets) : json_object(),
	    &failed);
	set(object, "interrupted", id_or_null(result->interrupted), &failed);
	set(object, "waiting",
	    result->waiting.id != 0
		    ? json_pack("{s:I, s:o, s:b}", "transaction", (json_int_t)result->waiting.id,
				"until", tct_json_time(result->waiting.until_ns), "expired",
				result->waiting.expired)
		    : json_null(),
	    &failed);
	set(object, "drop_in", tct_json_text_or_null(result->drop_in), &failed);
	set(object, "settings", keys, &failed);
	set(object, "refused", refusals_json(result->refused, result->refused_count), &failed);
	set(object, "unsupported", unsupported_json(result->unsupported, result->unsupported_count),
	    &failed);
	return whole(object, failed);
}

static json_t *journal_key_json(const struct tct_journal_key *key)
{
	json_t *object = json_object();
	bool failed = object == NULL;

	set(object, "key", tct_json_text(key->key->name), &failed);
	set(object, "before", tct_value_json(&key->before), &failed);
	set(object, "after", tct_value_json(&key->after), &failed);
	set(object, "boot_before", tct_value_json(&key->boot_before), &failed);
	set(object, "boot_after", tct_value_json(&key->boot_after), &failed);
	set(object, "baseline", tct_value_json(&key->baseline), &failed);
	set(object, "owned", json_boolean(key->live_owned), &failed);
	set(object, "left", json_boolean(key->left), &failed);
	set(object, "stuck", json_boolean(key->stuck), &failed);
	set(object, "because", tct_json_text_or_null(key->because), &failed);
	return whole(object, failed);
}

static const char *kind_name(const struct tct_transaction *transaction)
{
	switch (transaction->kind) {
	case TCT_TRANSACTION_APPLY:
		break;
	case TCT_TRANSACTION_ROLLBACK:
		return "rollback";
	case TCT_TRANSACTION_CONFIRM:
		return "confirm";
	}
	return "apply";
}

static const char *state_name(const struct tct_transaction *transaction)
{
	switch (transaction->state) {
	case TCT_TRANSACTION_OPEN:
		return "interrupted";
	case TCT_TRANSACTION_COMMITTED:
		return transaction->undone_by != 0 ? "rolled-back" : "committed";
	case TCT_TRANSACTION_UNDONE:
		return "undone";
	case TCT_TRANSACTION_STUCK:
		return transaction->undone_by != 0 ? "rolled-back" : "stuck";
	case TCT_TRANSACTION_WAITING:
		return transaction->undone_by != 0 ? "rolled-back" : "waiting";
	}
	return "committed";
}

static json_t *transaction_json(const struct tct_transaction *transaction)
{
	json_t *object = json_object();
	json_t *keys = json_array();
	json_t *netns = json_pack(
		"{s:o, s:o, s:b}", "name", tct_json_text_or_null(transaction->netns.name), "inode",
		id_or_null(transaction->netns.inode), "initial", transaction->netns.initial);
	bool failed = object == NULL || keys == NULL || netns == NULL;

	for (size_t i = 0; !failed && i < transaction->keys_count; i++)
		append(keys, journal_key_json(&transaction->keys[i]), &failed);
	if (object == NULL || failed) {
		json_decref(keys);
		json_decref(netns);
		return whole(object, true);
	}
	set(object, "id", id_or_null(transaction->id), &failed);
	set(object, "kind", tct_json_text(kind_name(transaction)), &failed);
	set(object, "state", tct_json_text(state_name(transaction)), &failed);
	set(object, "undoes", id_or_null(transaction->undoes), &failed);
	set(object, "undone_by", id_or_null(transaction->undone_by), &failed);
	set(object, "confirms", id_or_null(transaction->confirms), &failed);
	set(object, "confirmed_by", id_or_null(transaction->confirmed_by), &failed);
	set(object, "deadline",
	    transaction->confirm_within_ns != 0 ? tct_json_time(transaction->deadline_ns)
						: json_null(),
	    &failed);
	set(object, "time", tct_json_time(transaction->time_ns), &failed);
	set(object, "profiles", tct_json_text_or_null(transaction->profiles), &failed);
	set(object, "profile_sha256", tct_json_text_or_null(transaction->profile_sha256), &failed);
	set(object, "variables",
	    transaction->variables != NULL ? json_incref(transaction->variables) : json_object(),
	    &failed);
	set(object, "sets",
	    transaction->sets != NULL ? json_incref(transaction->sets) : json_object(), &failed);
	set(object, "additive", json_boolean(transaction->additive), &failed);
	set(object, "modules", tct_json_text_or_null(transaction->modules_after), &failed);
	set(object, "version", tct_json_text_or_null(transaction->version), &failed);
	set(object, "reason", tct_json_text_or_null(transaction->reason), &failed);
	set(object, "user", tct_json_text_or_null(transaction->user), &failed);
	set(object, "boot_id", tct_json_text_or_null(transaction->boot_id), &failed);
	set(object, "netns", netns, &failed);
	set(object, "live", json_boolean(transaction->live), &failed);
	/* What waits for its confirmation, or waited in vain, has written no file. */
	set(object, "persisted", json_boolean(transaction->persisted && !transaction->deferred),
	    &failed);
	set(object, "drop_in_stuck", json_boolean(transaction->drop_in_stuck), &failed);
	set(object, "modules_stuck", json_boolean(transaction->modules_stuck), &failed);
	set(object, "error", tct_json_text_or_null(transaction->error), &failed);
	set(object, "settings", keys, &failed);
	return whole(object, failed);
}

json_t *tct_history_json(const struct tct_journal *journal)
{
	json_t *object = json_object();
	json_t *list = json_array();
	bool failed = object == NULL || list == NULL;

	/* The newest first, as people ask for it. */
	for (size_t i = journal->transactions_count; !failed && i-- > 0;)
		append(list, transaction_json(&journal->transactions[i]), &failed);
	if (object == NULL || failed) {
		json_decref(list);
		return whole(object, true);
	}
	set(object, "schema", tct_json_text("tcptune.history.v1"), &failed);
	set(object, "torn", json_boolean(journal->torn), &failed);
	set(object, "transactions", list, &failed);
	return whole(object, failed);
}
