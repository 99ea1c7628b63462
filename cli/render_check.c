#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/render.h"
#include "cli/render_table.h"
#include "cli/session.h"
#include "core/mem.h"

static const char *data_of(const struct tct_text *text)
{
	return text->data != NULL ? text->data : "";
}

static bool is_fine(const struct tct_check_key *key)
{
	return (!key->live_known || key->live_ok) && (!key->boot_known || key->boot_ok);
}

/* The boot winner: the value, and the line that sets it. */
static void add_boot(struct tct_table *table, const struct tct_check_key *key)
{
	TCT_AUTOFREE char *value = tct_value_or(&key->boot, "no file sets it");
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	tct_text_add(&text, value != NULL ? value : "?");
	if (key->file[0] != '\0')
		tct_text_addf(&text, " (%s:%u)", key->file, key->line);
	tct_table_cell(table,
		       !key->boot_known ? TCT_STYLE_DIM
		       : key->boot_ok   ? TCT_STYLE_PLAIN
					: TCT_STYLE_BAD,
		       key->boot_known ? data_of(&text) : "-");
}

static void put_keys(const struct tct_page *page, bool verbose,
		     const struct tct_check_result *result)
{
	static const struct tct_column columns[] = {
		{ "KEY", false },
		{ "WANTED", false },
		{ "LIVE", false },
		{ "AT THE NEXT BOOT", false },
	};
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, columns, TCT_COUNT(columns));

	for (size_t i = 0; i < result->keys_count; i++) {
		const struct tct_check_key *key = &result->keys[i];
		TCT_AUTOFREE char *wanted = tct_value_or(&key->wanted, "?");
		TCT_AUTOFREE char *live = tct_value_or(&key->live, "?");

		if (is_fine(key) && !verbose)
			continue;
		tct_table_row(table);
		tct_table_cell(table, TCT_STYLE_PLAIN, key->key->name);
		tct_table_cell(table, TCT_STYLE_PLAIN, wanted);
		tct_table_cell(table,
			       !key->live_known ? TCT_STYLE_DIM
			       : key->live_ok   ? TCT_STYLE_PLAIN
						: TCT_STYLE_BAD,
			       key->live_known ? live : "-");
		add_boot(table, key);
	}
	if (tct_table_rows(table) > 0)
		tct_page_newline(page);
	tct_table_print(table);
}

static void put_reasons(const struct tct_page *page, const struct tct_check_result *result)
{
	bool first = true;

	for (size_t i = 0; i < result->keys_count; i++) {
		const struct tct_check_key *key = &result->keys[i];
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		if (key->reason[0] == '\0' || is_fine(key))
			continue;
		if (first)
			tct_page_newline(page);
		first = false;
		tct_text_addf(&text, "%s: %s", key->key->name, key->reason);
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN, data_of(&text));
	}
}

static void put_exceptions(const struct tct_page *page, bool verbose,
			   const struct tct_check_result *result)
{
	for (size_t i = 0; i < result->refused_count; i++) {
		const struct tct_plan_refusal *refusal = &result->refused[i];
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		if (i == 0)
			tct_page_heading(page, "Refused", "tcptune would not set this");
		tct_text_addf(&text, "%s%s%s: %s", refusal->kind, refusal->key != NULL ? " " : "",
			      refusal->key != NULL ? refusal->key->name : "", refusal->reason);
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_BAD, data_of(&text));
	}
	for (size_t i = 0; verbose && i < result->unsupported_count; i++) {
		if (i == 0)
			tct_page_heading(page, "Left out",
					 "this kernel or namespace doesn't have them");
		tct_page_paragraph(page, 2, result->unsupported[i].key->name, 34, TCT_STYLE_DIM,
				   result->unsupported[i].reason);
	}
}

static void suggest_pair(struct tct_text *text, const char *option, const char *name,
			 const char *value)
{
	TCT_AUTO(tct_text_done) struct tct_text pair = { 0 };

	tct_text_addf(&pair, "%s=%s", name, value);
	tct_text_addf(text, " %s ", option);
	tct_shell_word(text, data_of(&pair));
}

/* Give the profiles of the last apply one by one, its variables, and the keys that were set. */
static void suggest_applied(struct tct_text *text, const struct tct_check_result *result)
{
	const char *name;
	json_t *value;
	size_t i;

	json_array_foreach(result->names, i, value) {
		const char *const names[] = { json_string_value(value) };

		tct_suggest_profiles(text, names, 1);
	}
	json_object_foreach(result->variables, name, value)
		suggest_pair(text, "--var", name, json_string_value(value));
	json_object_foreach(result->sets, name, value)
		suggest_pair(text, "--set", name, json_string_value(value));
}

/* "highconn", "highconn with net.core.somaxconn = 8192", "2 keys set one by one": what it is. */
static void add_what(struct tct_text *text, const struct tct_check_result *result)
{
	size_t count = json_object_size(result->sets);
	const char *name;
	json_t *value;

	tct_text_add(text, result->profiles != NULL ? result->profiles : "it");
	if (count == 0)
		return;
	if (text->length > 0)
		tct_text_add(text, " with ");
	if (count > 1) {
		tct_text_addf(text, "%zu keys set one by one", count);
		return;
	}
	json_object_foreach(result->sets, name, value)
		tct_text_addf(text, "%s = %s", name, json_string_value(value));
}

/* "live and at the next boot", as far as each was looked at. */
static const char *scope(const struct tct_check_result *result)
{
	if (result->live_looked && result->boot_looked)
		return "live and at the next boot";
	return result->boot_looked ? "at the next boot" : "live";
}

static void put_waiting(const struct tct_page *page, const struct tct_check_result *result)
{
	char time[TCT_NUMBER_TEXT];

	if (result->waiting.id == 0)
		return;
	tct_page_newline(page);
	if (result->waiting.expired)
		tct_page_putf(page, TCT_STYLE_WARN,
			      "Transaction %" PRIu64 " was not confirmed in time; 'tcptune "
			      "rollback' puts it back.",
			      result->waiting.id);
	else
		tct_page_putf(page, TCT_STYLE_WARN,
			      "Transaction %" PRIu64 " waits to be confirmed until %s%s.",
			      result->waiting.id, tct_text_time(result->waiting.until_ns, time),
			      result->waiting.deferred ? "; only then the drop-in is written" : "");
	tct_page_newline(page);
}

void tct_render_check(const struct tct_page *page, const struct tct_options *options,
		      const struct tct_check_result *result)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text next = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text what = { 0 };
	size_t wrong = 0;

	if (options->quiet)
		return;
	for (size_t i = 0; i < result->keys_count; i++)
		wrong += is_fine(&result->keys[i]) ? 0 : 1;
	add_what(&what, result);
	if (result->conforms)
		tct_text_addf(&text, "Yes: the host conforms to %s, %s (%zu key%s).",
			      data_of(&what), scope(result), result->keys_count,
			      result->keys_count == 1 ? "" : "s");
	else
		tct_text_addf(&text, "No: %zu of %zu key%s %s not as %s asks, %s.", wrong,
			      result->keys_count, result->keys_count == 1 ? "" : "s",
			      wrong == 1 ? "is" : "are", data_of(&what), scope(result));
	tct_page_paragraph(page, 0, NULL, 0, result->conforms ? TCT_STYLE_GOOD : TCT_STYLE_BAD,
			   data_of(&text));
	put_keys(page, options->verbose, result);
	if (options->verbose)
		put_reasons(page, result);
	put_exceptions(page, options->verbose, result);
	put_waiting(page, result);
	if (result->interrupted != 0) {
		tct_page_newline(page);
		tct_page_putf(page, TCT_STYLE_WARN,
			      "Transaction %" PRIu64 " was interrupted; 'tcptune rollback' puts it "
			      "right.",
			      result->interrupted);
		tct_page_newline(page);
	}
	if (result->conforms || result->refused_count > 0 || result->profiles == NULL ||
	    result->record)
		return;
	/* What would change that host can't be suggested here. */
	tct_text_add(&next, options->snapshot != NULL ? "tcptune audit" : "tcptune apply");
	tct_suggest_profiles(&next, options->profiles.items, options->profiles.items_count);
	if (options->profiles.items_count == 0 && options->sets.items_count == 0)
		suggest_applied(&next, result);
	tct_suggest_vars(&next, options);
	tct_suggest_sets(&next, options);
	tct_suggest_place(&next, options);
	if (options->snapshot == NULL)
		tct_text_add(&next, " --dry-run");
	tct_page_newline(page);
	tct_page_line(page, 0, "next:", 6, TCT_STYLE_STRONG, data_of(&next));
}
