/* The result of apply and rollback, and what they share. */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audit/observe/sosreport.h"
#include "core/mem.h"
#include "core/text.h"
#include "tune/journal_prune.h"
#include "tune/live_write.h"
#include "tune/transact.h"

void tct_apply_result_done(struct tct_apply_result *result)
{
	for (size_t i = 0; i < result->settings_count; i++) {
		tct_value_done(&result->settings[i].before);
		tct_value_done(&result->settings[i].after);
		free(result->settings[i].because);
		free(result->settings[i].note);
	}
	for (size_t i = 0; i < result->conflicts_count; i++) {
		tct_value_done(&result->conflicts[i].before);
		tct_value_done(&result->conflicts[i].ours);
		tct_value_done(&result->conflicts[i].now);
	}
	free(result->settings);
	free(result->restart_needed);
	free(result->conflicts);
	free(result->gone);
	free(result->drop_in_diff);
	free(result->modules_before);
	free(result->modules_after);
	tct_plan_free(result->plan);
	*result = (struct tct_apply_result){ 0 };
}

static int copy_known(struct tct_value *to, const struct tct_value *from)
{
	return from != NULL ? tct_value_copy(to, from) : 0;
}

int tct_result_conflict(struct tct_apply_result *result, const struct tct_kernel_key *key,
			const struct tct_value *before, const struct tct_value *ours,
			const struct tct_value *now, const char *reason)
{
	struct tct_conflict *conflict = TCT_APPEND(result, conflicts);

	if (conflict == NULL)
		return -ENOMEM;
	conflict->key = key;
	if (snprintf(conflict->reason, sizeof(conflict->reason), "%s", reason) < 0)
		conflict->reason[0] = '\0';
	if (copy_known(&conflict->before, before) < 0 || copy_known(&conflict->ours, ours) < 0 ||
	    copy_known(&conflict->now, now) < 0)
		return -ENOMEM;
	return 0;
}

static struct tct_value field_of(const struct tct_value *value, unsigned field)
{
	return (struct tct_value){
		.kind = TCT_VALUE_NUMBERS,
		.count = 1,
		.numbers = { value->numbers[field] },
	};
}

int tct_result_conflict_field(struct tct_apply_result *result, const struct tct_three_way *ways,
			      unsigned field, const char *reason)
{
	struct tct_value before = field_of(ways->before, field);
	struct tct_value ours = field_of(ways->ours, field);
	struct tct_value now = field_of(ways->now, field);
	int status = tct_result_conflict(result, ways->key, &before, &ours, &now, reason);

	if (status == 0)
		result->conflicts[result->conflicts_count - 1].field = field + 1;
	return status;
}

int tct_result_gone(struct tct_apply_result *result, const struct tct_kernel_key *key,
		    const char *reason)
{
	struct tct_plan_unsupported *item = TCT_APPEND(result, gone);

	if (item == NULL)
		return -ENOMEM;
	item->key = key;
	if (snprintf(item->reason, sizeof(item->reason), "%s", reason) < 0)
		item->reason[0] = '\0';
	return 0;
}

int tct_result_setting(struct tct_apply_result *result, const struct tct_kernel_key *key,
		       const struct tct_value *before, const struct tct_value *after,
		       bool live_written, bool persisted, const char *because)
{
	struct tct_apply_key *setting = TCT_APPEND(result, settings);

	if (setting == NULL)
		return -ENOMEM;
	setting->key = key;
	setting->live_written = live_written;
	setting->persisted = persisted;
	if (before != NULL && after != NULL)
		setting->effect = tct_effect_of_change(key, before, after);
	if (copy_known(&setting->before, before) < 0 || copy_known(&setting->after, after) < 0)
		return -ENOMEM;
	if (because != NULL && because[0] != '\0') {
		setting->because = strdup(because);
		if (setting->because == NULL)
			return -ENOMEM;
	}
	return 0;
}

int tct_result_line(struct tct_apply_result *result, int proc_sys, const struct tct_kernel_key *key,
		    const struct tct_value *before, const struct tct_value *after,
		    const char *because)
{
	TCT_AUTO(tct_value_done) struct tct_value now = { 0 };
	bool persisted = after->kind != TCT_VALUE_NONE;
	int status = proc_sys >= 0 ? tct_live_read(proc_sys, key, &now) : -ENOENT;

	if (status == -ENOMEM)
		return status;
	if (status == 0)
		before = after = &now;
	return tct_result_setting(result, key, before, after, false, persisted, because);
}

int tct_result_note(struct tct_apply_result *result, const char *note)
{
	struct tct_apply_key *setting = &result->settings[result->settings_count - 1];

	if (note[0] == '\0')
		return 0;
	setting->note = strdup(note);
	return setting->note != NULL ? 0 : -ENOMEM;
}

int tct_result_modules(struct tct_apply_result *result, const struct tct_root *root,
		       const char *before, const char *after)
{
	if (tct_modules_same(before, after))
		return 0;
	if (snprintf(result->modules_path, sizeof(result->modules_path), "%s%s",
		     tct_root_prefix(root), TCT_MODULES_LOAD_PATH) < 0)
		result->modules_path[0] = '\0';
	result->modules_before = before != NULL ? strdup(before) : NULL;
	result->modules_after = after != NULL ? strdup(after) : NULL;
	return (before != NULL && result->modules_before == NULL) ||
			       (after != NULL && result->modules_after == NULL)
		       ? -ENOMEM
		       : 0;
}

int tct_result_drop_in(struct tct_apply_result *result, const struct tct_root *root,
		       const char *before, const char *after)
{
	if (snprintf(result->drop_in_path, sizeof(result->drop_in_path), "%s%s",
		     tct_root_prefix(root), TCT_DROP_IN_PATH) < 0)
		result->drop_in_path[0] = '\0';
	tct_drop_in_sha256(before, result->drop_in_before_sha256);
	tct_drop_in_sha256(after, result->drop_in_after_sha256);
	if (strcmp(result->drop_in_before_sha256, result->drop_in_after_sha256) == 0)
		return 0;
	result->drop_in_diff = tct_diff(result->drop_in_path, before, after);
	return result->drop_in_diff != NULL ? 0 : -ENOMEM;
}

int tct_place_of_work_check(const struct tct_root *root, struct tct_err *err)
{
	if (!tct_sos_is(root))
		return 0;
	return tct_err_set(err, TCT_FAULT_REFUSED, EROFS,
			   "%s is a sosreport, a record of a host: nothing is written into it",
			   root->path);
}

int tct_place_of_work_init(const struct tct_apply_options *options, struct tct_place_of_work *place,
			   struct tct_err *err)
{
	TCT_AUTOFREE char *boot_id = NULL;
	int result;

	*place = (struct tct_place_of_work){ .root = options->root, .netns = options->netns };
	if (!options->root->live) {
		place->netns = (struct tct_netns){ .initial = true };
		return 0;
	}
	result = tct_root_read(options->root, TCT_BOOT_ID_PATH, 4096, &boot_id, NULL);
	if (result == -ENOENT)
		return 0;
	if (result < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, -result, "%s: %s", TCT_BOOT_ID_PATH,
				   strerror(-result));

	const char *id = tct_text_trim(boot_id);

	if (strlen(id) < sizeof(place->boot_id))
		memcpy(place->boot_id, id, strlen(id) + 1);
	return 0;
}

/* "root", "alice (root)" under sudo. */
static char *user_name(void)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	const char *sudo = getenv("SUDO_USER");
	char clean[64];
	char buffer[4096];
	struct passwd entry;
	struct passwd *found = NULL;

	if (sudo != NULL && sudo[0] != '\0') {
		tct_drop_in_sanitise(sudo, clean, sizeof(clean));
		tct_text_addf(&text, "%s (", clean);
	}
	if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL) {
		tct_drop_in_sanitise(found->pw_name, clean, sizeof(clean));
		tct_text_add(&text, clean);
	} else {
		tct_text_addf(&text, "uid %u", (unsigned)getuid());
	}
	if (sudo != NULL && sudo[0] != '\0')
		tct_text_add(&text, ")");
	return tct_text_take(&text);
}

int tct_transaction_describe(struct tct_transaction *transaction, enum tct_transaction_kind kind,
			     const struct tct_place_of_work *place)
{
	struct timespec now = { 0 };

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -errno;
	transaction->kind = kind;
	transaction->time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	transaction->netns = place->netns;
	/* The journal is text; who it is, its numbers tell. */
	if (!tct_text_is_utf8(transaction->netns.name, strlen(transaction->netns.name)))
		transaction->netns.name[0] = '\0';
	memcpy(transaction->boot_id, place->boot_id, sizeof(transaction->boot_id));
	transaction->user = user_name();
	transaction->version = strdup(TCPTUNE_VERSION);
	return transaction->user != NULL && transaction->version != NULL ? 0 : -ENOMEM;
}

void tct_result_take_back(struct tct_apply_result *result)
{
	for (size_t i = result->settings_recovered; i < result->settings_count; i++) {
		result->settings[i].live_written = false;
		result->settings[i].persisted = false;
	}
	memcpy(result->drop_in_after_sha256, result->drop_in_before_sha256,
	       sizeof(result->drop_in_after_sha256));
	free(result->drop_in_diff);
	result->drop_in_diff = NULL;
	result->modules_path[0] = '\0';
	result->restart_needed_count = 0;
}

__attribute__((format(printf, 2, 3))) static void note(struct tct_apply_result *result,
						       const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(result->journal_note, sizeof(result->journal_note), format, arguments) < 0)
		result->journal_note[0] = '\0';
	va_end(arguments);
}

void tct_result_note_torn(struct tct_apply_result *result, const struct tct_journal *journal)
{
	if (journal != NULL && journal->torn)
		note(result, "the last record of the journal %s was cut off; it is left out",
		     journal->path);
}

void tct_result_note_orphan(struct tct_apply_result *result, const struct tct_root *root)
{
	char text[TCT_ORPHAN_TEXT];

	note(result, "%s", tct_drop_in_orphan_text(tct_root_prefix(root), text));
}

void tct_result_prune(struct tct_apply_result *result, const struct tct_place_of_work *place,
		      struct tct_journal *journal)
{
	size_t dropped = 0;
	int status = tct_journal_prune(journal, place->root, place->boot_id, &dropped);

	if (status < 0)
		note(result, "the journal %s could not be shortened: %s", journal->path,
		     strerror(-status));
}
