#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/render.h"
#include "cli/render_table.h"
#include "cli/suggest.h"
#include "core/mem.h"

static bool is_fine(const struct tct_check_key *key)
{
	return (!key->live_known || key->live_ok) && (!key->boot_known || key->boot_ok);
}

static bool has_live_drift(const struct tct_check_key *key)
{
	return key->live_known && !key->live_ok;
}

/* In what it differs: "live", "boot", "shadowed". */
static void add_drift(struct tct_table *table, const struct tct_check_key *key)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (has_live_drift(key))
		tct_text_add(&text, "live");
	if (key->boot_drift)
		tct_text_addf(&text, "%sboot", text.length > 0 ? ", " : "");
	if (key->shadowed)
		tct_text_addf(&text, "%sshadowed", text.length > 0 ? ", " : "");
	tct_table_cell(table, is_fine(key) ? TCT_STYLE_DIM : TCT_STYLE_BAD,
		       text.length > 0 ? text.data : "-");
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
		       key->boot_known ? tct_text_string(&text) : "-");
}

static void put_keys(const struct tct_page *page, bool verbose,
		     const struct tct_check_result *result)
{
	static const struct tct_column columns[] = {
		{ "KEY", false },
		{ "DRIFT", false },
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
		add_drift(table, key);
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

/* Why, for each key; unless asked for, only for what another file does. */
static void put_reasons(const struct tct_page *page, bool verbose,
			const struct tct_check_result *result)
{
	bool first = true;

	for (size_t i = 0; i < result->keys_count; i++) {
		const struct tct_check_key *key = &result->keys[i];
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		if (key->reason[0] == '\0' || is_fine(key) || (!verbose && !key->shadowed))
			continue;
		if (first)
			tct_page_newline(page);
		first = false;
		tct_text_addf(&text, "%s: %s", key->key->name, key->reason);
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN, tct_text_string(&text));
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
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_BAD, tct_text_string(&text));
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
	tct_shell_word(text, tct_text_string(&pair));
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

/* The verb of what add_what() says. */
static const char *asks(const struct tct_check_result *result)
{
	bool several = (result->profiles == NULL || result->profiles[0] == '\0') &&
		       json_object_size(result->sets) > 1;

	return several ? "ask" : "asks";
}

/* How many keys differ in which way: "2 live, 1 shadowed". */
static void add_kinds(struct tct_text *text, const struct tct_check_result *result)
{
	size_t live = 0;
	size_t boot = 0;
	size_t shadowed = 0;
	const char *comma = "";

	for (size_t i = 0; i < result->keys_count; i++) {
		live += has_live_drift(&result->keys[i]);
		boot += result->keys[i].boot_drift;
		shadowed += result->keys[i].shadowed;
	}
	if (live > 0) {
		tct_text_addf(text, "%zu with live drift", live);
		comma = ", ";
	}
	if (boot > 0) {
		tct_text_addf(text, "%s%zu with boot drift", comma, boot);
		comma = ", ";
	}
	if (shadowed > 0)
		tct_text_addf(text, "%s%zu shadowed by another file", comma, shadowed);
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
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char time[TCT_NUMBER_TEXT];

	if (result->waiting.id == 0)
		return;
	tct_text_addf(&text, "Transaction %" PRIu64, result->waiting.id);
	if (result->waiting.expired)
		tct_text_add(&text, " was not confirmed in time; 'tcptune rollback' puts it back.");
	else
		tct_text_addf(&text, " waits to be confirmed until %s%s.",
			      tct_text_time(result->waiting.until_ns, time),
			      result->waiting.deferred ? "; only then the drop-in is written" : "");
	tct_page_newline(page);
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_WARN, tct_text_string(&text));
}

/* The lines of others that have to go first; each once. */
static void put_edits(const struct tct_page *page, const struct tct_check_result *result)
{
	for (size_t i = 0; i < result->keys_count; i++) {
		const struct tct_check_key *key = &result->keys[i];
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		if (!key->shadowed)
			continue;
		tct_text_addf(&text, "%s:%u, for %s", key->file, key->line, key->key->name);
		tct_page_line(page, 0, "edit:", 6, TCT_STYLE_STRONG, tct_text_string(&text));
	}
}

/* What to type: nothing that a shadow refuses, before its line is edited. */
static void put_next(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_check_result *result)
{
	TCT_AUTO(tct_text_done) struct tct_text next = { 0 };
	bool apply =
		result->drop_in[0] != '\0' || result->interrupted != 0 || result->waiting.expired;

	for (size_t i = 0; i < result->keys_count; i++)
		apply |= has_live_drift(&result->keys[i]) || result->keys[i].boot_drift;
	if (result->waiting.id != 0 && !result->waiting.expired) {
		tct_text_addf(&next, "tcptune confirm %" PRIu64, result->waiting.id);
		tct_suggest_place(&next, options);
		tct_page_newline(page);
		tct_page_line(page, 0, "next:", 6, TCT_STYLE_STRONG, tct_text_string(&next));
		return;
	}
	/* What would change that host can't be suggested here. */
	tct_text_add(&next, options->snapshot != NULL ? "tcptune audit"
			    : apply                   ? "tcptune apply"
						      : "tcptune check");
	if (apply || options->snapshot != NULL || options->profiles.items_count > 0)
		tct_suggest_profiles(&next, options->profiles.items, options->profiles.items_count);
	if (options->profiles.items_count == 0 && options->sets.items_count == 0 && apply)
		suggest_applied(&next, result);
	tct_suggest_vars(&next, options);
	tct_suggest_sets(&next, options);
	if (options->boot >= 0 && options->snapshot == NULL)
		tct_text_addf(&next, " --boot %s",
			      tct_option_table[TCT_OPTION_BOOT].choices[options->boot]);
	tct_suggest_place(&next, options);
	if (options->snapshot == NULL && apply)
		tct_text_addf(&next, "%s --dry-run",
			      result->persist      ? " --persist"
			      : result->no_persist ? " --no-persist"
						   : "");
	tct_page_newline(page);
	put_edits(page, result);
	tct_page_line(page, 0, "next:", 6, TCT_STYLE_STRONG, tct_text_string(&next));
}

void tct_render_check(const struct tct_page *page, const struct tct_options *options,
		      const struct tct_check_result *result)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text what = { 0 };
	size_t wrong = 0;

	if (options->quiet)
		return;
	for (size_t i = 0; i < result->keys_count; i++)
		wrong += is_fine(&result->keys[i]) ? 0 : 1;
	add_what(&what, result);
	if (result->conforms)
		tct_text_addf(&text, "Yes: the host conforms to %s, %s (%zu key%s).",
			      tct_text_string(&what), scope(result), result->keys_count,
			      result->keys_count == 1 ? "" : "s");
	else if (wrong == 0 && result->refused_count > 0)
		tct_text_addf(&text, "No: %s %s for what tcptune refuses.", tct_text_string(&what),
			      asks(result));
	else if (wrong == 0)
		tct_text_add(&text, "No: the keys are as asked, but there is more to put right.");
	else
		tct_text_addf(&text, "No: %zu of %zu key%s %s not as %s %s, %s: ", wrong,
			      result->keys_count, result->keys_count == 1 ? "" : "s",
			      wrong == 1 ? "is" : "are", tct_text_string(&what), asks(result),
			      scope(result));
	if (wrong > 0) {
		add_kinds(&text, result);
		tct_text_add(&text, ".");
	}
	tct_page_paragraph(page, 0, NULL, 0, result->conforms ? TCT_STYLE_GOOD : TCT_STYLE_BAD,
			   tct_text_string(&text));
	put_keys(page, options->verbose, result);
	put_reasons(page, options->verbose, result);
	put_exceptions(page, options->verbose, result);
	put_waiting(page, result);
	if (result->drop_in[0] != '\0') {
		tct_page_heading(page, "Our drop-in", "apply has to put it right, or can't");
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_BAD, result->drop_in);
	}
	tct_render_interrupted(page, options, result->interrupted);
	if (result->conforms || result->refused_count > 0 || result->profiles == NULL ||
	    result->record)
		return;
	put_next(page, options, result);
}
