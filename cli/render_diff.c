#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/render.h"
#include "cli/render_table.h"
#include "cli/suggest.h"
#include "core/mem.h"

enum {
	REST_CHARACTERS = 200, /* of subjects of findings that are not told one by one */
	MOST_LISTENERS = 50,   /* without verbose */
};

static const char * or (const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

static void add_profiles(struct tct_text *text, const struct tct_side *side)
{
	for (size_t i = 0; i < json_array_size(side->profiles); i++)
		tct_text_addf(text, "%s%s", i > 0 ? ", " : "",
			      json_string_value(json_array_get(side->profiles, i)));
}

static void put_side(const struct tct_page *page, const char *label, const struct tct_side *side)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	tct_text_addf(&text, "%s, %s of %s", or (side->hostname, "host"), side->kind,
		      or (side->taken_at, "an unknown time"));
	if (side->kernel != NULL)
		tct_text_addf(&text, ", Linux %s", side->kernel);
	tct_text_add(&text, ", judged by ");
	add_profiles(&text, side);
	tct_page_paragraph(page, 0, label, 3, TCT_STYLE_STRONG, or (text.data, ""));
}

/* What makes the two hard to compare. */
static void put_doubts(const struct tct_page *page, const struct tct_diff *diff)
{
	const struct tct_side *a = &diff->side[0];
	const struct tct_side *b = &diff->side[1];

	if (!json_equal((json_t *)(uintptr_t)a->profiles, (json_t *)(uintptr_t)b->profiles))
		tct_page_paragraph(page, 3, NULL, 0, TCT_STYLE_WARN,
				   "They were judged by different profiles: a finding may be new "
				   "because its rule is.");
	if (diff->everywhere[0] != diff->everywhere[1])
		tct_page_paragraph(page, 3, NULL, 0, TCT_STYLE_WARN,
				   diff->everywhere[0] ? "Only A tells of all network namespaces."
						       : "Only B tells of all network namespaces.");
	if (a->hostname != NULL && b->hostname != NULL && strcmp(a->hostname, b->hostname) != 0)
		tct_page_paragraph(page, 3, NULL, 0, TCT_STYLE_WARN,
				   "These are two different hosts.");
	else if (a->boot_id != NULL && b->boot_id != NULL && strcmp(a->boot_id, b->boot_id) != 0)
		tct_page_paragraph(page, 3, NULL, 0, TCT_STYLE_PLAIN,
				   "The host was booted in between.");
}

/* The severity as it is now, or as it went from one to another. */
static void put_finding(const struct tct_page *page, const struct tct_finding_change *change)
{
	enum tct_severity now = change->severity[1] != TCT_SEVERITY_LIMIT ? change->severity[1]
									  : change->severity[0];
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	bool moved = change->change == TCT_CHANGE_WORSE || change->change == TCT_CHANGE_BETTER;

	tct_page_putf(page, TCT_STYLE_PLAIN, "  ");
	tct_page_put(page, tct_severity_style(now), tct_severity_name(now));
	if (moved)
		tct_text_addf(&text, " (was %s)", tct_severity_name(change->severity[0]));
	tct_text_addf(&text, " %s", change->id);
	if (change->netns != NULL)
		tct_text_addf(&text, " in %s", change->netns);
	tct_text_addf(&text, ": %s", change->title);
	if (change->note[0] != '\0')
		tct_text_addf(&text, " (%s: %s)",
			      change->change == TCT_CHANGE_UNCLEAR ? "after" : "before",
			      change->note);
	tct_page_put(page, TCT_STYLE_PLAIN, or (text.data, ""));
	tct_page_newline(page);
}

/* Changes of one kind, severity and rule in one namespace stand side by side: how many from first
 * on. */
static size_t count_alike(const struct tct_diff *diff, size_t first)
{
	const struct tct_finding_change *a = &diff->findings[first];
	size_t end = first + 1;

	for (; end < diff->findings_count; end++) {
		const struct tct_finding_change *b = &diff->findings[end];

		if (a->change != b->change || a->severity[0] != b->severity[0] ||
		    a->severity[1] != b->severity[1] || strcmp(a->id, b->id) != 0 ||
		    strcmp(or (a->netns, ""), or (b->netns, "")) != 0)
			break;
	}
	return end - first;
}

/* How many of them are told one by one. */
static size_t count_told(bool verbose, size_t alike)
{
	return verbose || alike <= TCT_TOP_DEFAULT ? alike : TCT_TOP_DEFAULT;
}

/* "and 495 more: 0.0.0.0:32801, ..." */
static void add_rest(struct tct_text *text, const struct tct_finding_change *changes, size_t count)
{
	size_t begin = text->length;
	size_t named = 0;
	char number[TCT_NUMBER_TEXT];

	tct_text_addf(text, "and %s more", tct_text_count((int64_t)count, number));
	for (size_t i = 0; i < count && text->length - begin < REST_CHARACTERS; i++) {
		if (changes[i].subject != NULL)
			tct_text_addf(text, "%s%s", named++ == 0 ? ": " : ", ", changes[i].subject);
	}
	if (named > 0 && named < count)
		tct_text_add(text, ", ...");
}

static void put_rest(const struct tct_page *page, const struct tct_finding_change *changes,
		     size_t count)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (count == 0)
		return;
	add_rest(&text, changes, count);
	tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN, or (text.data, ""));
}

static void put_findings(const struct tct_page *page, bool verbose, const struct tct_diff *diff)
{
	static const struct {
		const char *heading;
		const char *added;
	} words[TCT_CHANGE_LIMIT] = {
		[TCT_CHANGE_NEW] = { "New", "worst first" },
		[TCT_CHANGE_WORSE] = { "Worse", "worst first" },
		[TCT_CHANGE_UNCLEAR] = { "Gone from sight", "there may still be a problem" },
		[TCT_CHANGE_BETTER] = { "Better", NULL },
		[TCT_CHANGE_FIXED] = { "Fixed", NULL },
		[TCT_CHANGE_SAME] = { "As before", NULL },
	};

	for (size_t i = 0; i < diff->findings_count;) {
		const struct tct_finding_change *change = &diff->findings[i];
		size_t alike = count_alike(diff, i);
		size_t told = count_told(verbose, alike);

		if (change->change == TCT_CHANGE_SAME && !verbose)
			break; /* the last */
		if (i == 0 || diff->findings[i - 1].change != change->change)
			tct_page_heading(page, words[change->change].heading,
					 words[change->change].added);
		for (size_t k = 0; k < told; k++)
			put_finding(page, &change[k]);
		put_rest(page, change + told, alike - told);
		i += alike;
	}
}

/* A value as /proc/sys has it. */
static void add_value(struct tct_text *text, const json_t *value)
{
	if (json_is_integer(value))
		tct_text_addf(text, "%s%" JSON_INTEGER_FORMAT, text->length > 0 ? " " : "",
			      json_integer_value(value));
	else if (json_is_string(value))
		tct_text_addf(text, "%s%s", text->length > 0 ? " " : "", json_string_value(value));
	else
		tct_text_add(text, "?");
}

static void put_value(struct tct_table *table, enum tct_style style, const json_t *value)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (value == NULL)
		tct_text_add(&text, "-");
	else if (json_is_array(value))
		for (size_t i = 0; i < json_array_size(value) && i < TCT_KEY_FIELDS_MAX; i++)
			add_value(&text, json_array_get(value, i));
	else
		add_value(&text, value);
	tct_table_cell(table, style, or (text.data, ""));
}

static bool same_value(const json_t *a, const json_t *b)
{
	return a == NULL || b == NULL
		       ? a == b
		       : json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b) != 0;
}

static void add_key_row(struct tct_table *table, const struct tct_key_change *change,
			enum tct_value_place place, const char *what)
{
	tct_table_row(table);
	tct_table_cell(table, TCT_STYLE_PLAIN, change->key);
	tct_table_cell(table, TCT_STYLE_PLAIN, what);
	put_value(table, TCT_STYLE_PLAIN, change->value[place][0]);
	put_value(table, TCT_STYLE_STRONG, change->value[place][1]);
}

static void put_keys(const struct tct_page *page, const struct tct_diff *diff)
{
	static const struct tct_column columns[] = {
		{ "KEY", false },
		{ "WHERE", false },
		{ "A", false },
		{ "B", false },
	};
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, columns, TCT_COUNT(columns));

	if (diff->keys_count == 0)
		return;
	for (size_t i = 0; i < diff->keys_count; i++) {
		const struct tct_key_change *change = &diff->keys[i];
		bool alike = same_value(change->value[TCT_VALUE_SYSTEMD][0],
					change->value[TCT_VALUE_PROCPS][0]) &&
			     same_value(change->value[TCT_VALUE_SYSTEMD][1],
					change->value[TCT_VALUE_PROCPS][1]);

		if (change->changed[TCT_VALUE_LIVE])
			add_key_row(table, change, TCT_VALUE_LIVE, "live");
		if (change->changed[TCT_VALUE_SYSTEMD])
			add_key_row(table, change, TCT_VALUE_SYSTEMD,
				    alike ? "next boot" : "next boot (systemd)");
		if (change->changed[TCT_VALUE_PROCPS] && !alike)
			add_key_row(table, change, TCT_VALUE_PROCPS, "next boot (procps)");
	}
	tct_page_heading(page, "Kernel settings", "that differ");
	tct_table_print(table);
}

static void put_count(struct tct_table *table, int64_t count)
{
	char number[TCT_NUMBER_TEXT];

	tct_table_cell(table, TCT_STYLE_PLAIN, count < 0 ? "?" : tct_text_count(count, number));
}

static void put_states(const struct tct_page *page, bool verbose, const struct tct_diff *diff)
{
	static const struct tct_column columns[] = {
		{ "STATE", false },
		{ "A", true },
		{ "B", true },
		{ "CHANGE", true },
	};
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, columns, TCT_COUNT(columns));
	char number[TCT_NUMBER_TEXT];
	char text[TCT_NUMBER_TEXT + 1];

	for (enum tct_state state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++) {
		int64_t a = diff->states[0][state];
		int64_t b = diff->states[1][state];

		if (a == b && (!verbose || a < 0))
			continue;
		tct_table_row(table);
		tct_table_cell(table, TCT_STYLE_PLAIN, tct_state_name(state));
		put_count(table, a);
		put_count(table, b);
		if (a < 0 || b < 0 || a == b ||
		    snprintf(text, sizeof(text), "%s%s", b > a ? "+" : "",
			     tct_text_count(b - a, number)) < 0)
			text[0] = '\0';
		tct_table_cell(table, TCT_STYLE_PLAIN, text);
	}
	if (tct_table_rows(table) == 0)
		return;
	tct_page_heading(page, "TCP sockets by state", verbose ? NULL : "that differ");
	tct_table_print(table);
}

static void add_endpoint(struct tct_text *text, const struct tct_endpoint *endpoint)
{
	char number[TCT_NUMBER_TEXT];

	tct_text_addf(text, "limit %s",
		      endpoint->backlog < 0 ? "?" : tct_text_count(endpoint->backlog, number));
	if (endpoint->sockets > 1)
		tct_text_addf(text, ", %zu sockets", endpoint->sockets);
	if (endpoint->owner != NULL)
		tct_text_addf(text, ", %s", endpoint->owner);
}

static void put_listeners(const struct tct_page *page, bool verbose, const struct tct_diff *diff)
{
	static const struct tct_column columns[] = {
		{ "LISTENER", false },
		{ "A", false },
		{ "B", false },
	};
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, columns, TCT_COUNT(columns));

	size_t told = verbose || diff->listeners_count < MOST_LISTENERS ? diff->listeners_count
									: MOST_LISTENERS;

	for (size_t i = 0; i < told; i++) {
		const struct tct_listener_change *change = &diff->listeners[i];
		TCT_AUTO(tct_text_done) struct tct_text name = { 0 };
		bool v6 = strchr(change->side[0].address, ':') != NULL;

		if (change->netns != NULL)
			tct_text_addf(&name, "%s ", change->netns);
		tct_text_addf(&name, "%s%s%s:%" PRId64, v6 ? "[" : "", change->side[0].address,
			      v6 ? "]" : "", change->side[0].port);
		tct_table_row(table);
		tct_table_cell(table, TCT_STYLE_PLAIN, name.data);
		for (unsigned side = 0; side < 2; side++) {
			TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

			if (change->side[side].sockets > 0)
				add_endpoint(&text, &change->side[side]);
			tct_table_cell(table, TCT_STYLE_PLAIN, or (text.data, "-"));
		}
	}
	if (tct_table_rows(table) == 0)
		return;
	tct_page_heading(page, "Listeners", "that differ");
	tct_table_print(table);
	if (told < diff->listeners_count) {
		tct_page_putf(page, TCT_STYLE_DIM, "  %zu more (--verbose lists them)",
			      diff->listeners_count - told);
		tct_page_newline(page);
	}
}

static void put_some_namespaces(const struct tct_page *page, const struct tct_diff *diff, bool came)
{
	enum { MOST = 20 };
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < diff->namespaces_count; i++) {
		if (diff->namespaces[i].came == came && count++ < MOST)
			tct_text_addf(&text, "%s%s", count > 1 ? ", " : "",
				      diff->namespaces[i].name);
	}
	if (count > MOST)
		tct_text_addf(&text, " and %zu more", count - MOST);
	if (count > 0)
		tct_page_paragraph(page, 2, came ? "new" : "gone", 6, TCT_STYLE_STRONG,
				   or (text.data, ""));
}

static void put_namespaces(const struct tct_page *page, const struct tct_diff *diff)
{
	if (diff->namespaces_count == 0)
		return;
	tct_page_heading(page, "Network namespaces", "that differ");
	put_some_namespaces(page, diff, true);
	put_some_namespaces(page, diff, false);
}

static void put_summary(const struct tct_page *page, const struct tct_diff *diff)
{
	static const char *const words[TCT_CHANGE_LIMIT] = {
		[TCT_CHANGE_NEW] = "new",
		[TCT_CHANGE_WORSE] = "worse",
		[TCT_CHANGE_UNCLEAR] = "gone from sight",
		[TCT_CHANGE_BETTER] = "better",
		[TCT_CHANGE_FIXED] = "fixed",
		[TCT_CHANGE_SAME] = "as before",
	};

	tct_page_newline(page);
	for (unsigned i = 0; i < TCT_CHANGE_LIMIT; i++)
		tct_page_putf(page, diff->by_change[i] > 0 ? TCT_STYLE_PLAIN : TCT_STYLE_DIM,
			      "%s%zu %s", i > 0 ? ", " : "", diff->by_change[i], words[i]);
	tct_page_newline(page);
}

/* The finding to look at first: the first that is still there. */
static const struct tct_finding_change *worst(const struct tct_diff *diff)
{
	for (size_t i = 0; i < diff->findings_count; i++) {
		if (diff->findings[i].severity[1] != TCT_SEVERITY_LIMIT)
			return &diff->findings[i];
	}
	return NULL;
}

static void put_next(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_diff *diff)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	const struct tct_side *after = &diff->side[1];
	const struct tct_finding_change *finding = worst(diff);

	if (strcmp(after->kind, "snapshot") == 0 && strcmp(after->file, "-") != 0) {
		tct_text_add(&text, "tcptune audit --snapshot ");
		tct_shell_word(&text, after->file);
		tct_suggest_profiles(&text, options->profiles.items, options->profiles.items_count);
		tct_suggest_vars(&text, options);
	} else if (finding != NULL) {
		tct_text_add(&text, "tcptune explain ");
		tct_shell_word(&text, finding->id);
	} else {
		tct_text_add(&text, "tcptune audit");
	}
	tct_page_line(page, 0, "next:", 6, TCT_STYLE_STRONG, or (text.data, ""));
}

static void put_quiet_line(const struct tct_page *page, const struct tct_finding_change *change,
			   const char *text)
{
	tct_page_putf(page, TCT_STYLE_PLAIN, "%s ", tct_change_name(change->change));
	tct_page_put(page, tct_severity_style(change->severity[1]),
		     tct_severity_name(change->severity[1]));
	tct_page_putf(page, TCT_STYLE_PLAIN, " %s%s%s: %s", change->id,
		      change->netns != NULL ? " in " : "", or (change->netns, ""), text);
	tct_page_newline(page);
}

static void put_quiet(const struct tct_page *page, bool verbose, const struct tct_diff *diff)
{
	for (size_t i = 0; i < diff->findings_count;) {
		const struct tct_finding_change *change = &diff->findings[i];
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
		size_t alike = count_alike(diff, i);
		size_t told = count_told(verbose, alike);

		if (change->change != TCT_CHANGE_NEW && change->change != TCT_CHANGE_WORSE)
			break;
		for (size_t k = 0; k < told; k++)
			put_quiet_line(page, &change[k], change[k].title);
		if (told < alike) {
			add_rest(&text, change + told, alike - told);
			put_quiet_line(page, change, or (text.data, ""));
		}
		i += alike;
	}
}

void tct_render_diff(const struct tct_page *page, const struct tct_options *options,
		     const struct tct_diff *diff)
{
	if (options->quiet) {
		put_quiet(page, options->verbose, diff);
		return;
	}
	put_side(page, "A", &diff->side[0]);
	put_side(page, "B", &diff->side[1]);
	put_doubts(page, diff);
	put_findings(page, options->verbose, diff);
	put_keys(page, diff);
	put_states(page, options->verbose, diff);
	put_listeners(page, options->verbose, diff);
	put_namespaces(page, diff);
	put_summary(page, diff);
	put_next(page, options, diff);
}
