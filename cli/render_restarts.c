/* After a change of live values: what keeps the old ones, and who must listen() again. */
#include <inttypes.h>
#include <string.h>

#include "cli/render.h"
#include "cli/suggest.h"
#include "core/mem.h"

enum {
	OWNERS_SHOWN = 16,
	PLACES_SHOWN = 8,
	KEEPER_COLUMN = 34,
};

/* Each key once, also where an interrupted transaction was undone before it was set. */
static bool is_kept(const struct tct_apply_result *result, size_t index, enum tct_effect effect)
{
	const struct tct_apply_key *setting = &result->settings[index];

	for (size_t i = 0; i < index; i++) {
		if (result->settings[i].key == setting->key && result->settings[i].live_written)
			return false;
	}
	return setting->live_written && setting->effect == effect;
}

void tct_render_keepers(const struct tct_page *page, const struct tct_apply_result *result)
{
	bool first = true;

	for (int effect = TCT_EFFECT_LIVE; effect <= TCT_EFFECT_NONE; effect++) {
		const char *keeper = tct_effect_keeps((enum tct_effect)effect);
		TCT_AUTO(tct_text_done) struct tct_text keys = { 0 };

		for (size_t i = 0; keeper != NULL && i < result->settings_count; i++) {
			if (is_kept(result, i, (enum tct_effect)effect))
				tct_text_addf(&keys, "%s%s", keys.length > 0 ? ", " : "",
					      result->settings[i].key->name);
		}
		if (keys.length == 0)
			continue;
		if (first)
			tct_page_heading(page, "The old value stays", "in what is there already");
		first = false;
		tct_page_paragraph(page, 2, keeper, KEEPER_COLUMN, TCT_STYLE_PLAIN,
				   tct_text_string(&keys));
	}
}

static bool same_owner(const struct tct_owner *a, const struct tct_owner *b)
{
	if (a->unit[0] == '\0' && a->pid == 0 && (b->pid != 0 || a->sight != b->sight))
		return false;
	return strcmp(a->unit, b->unit) == 0 && strcmp(a->comm, b->comm) == 0 && a->pid == b->pid;
}

/* How many at the front of items[0..count) are of one owner. */
static size_t owners_own(const struct tct_restart *items, size_t count)
{
	size_t same = 1;

	while (same < count && same_owner(&items[0].listener.owner, &items[same].listener.owner))
		same++;
	return same;
}

/* "nginx.service (nginx, pid 812)", "redis (pid 900)", "(not permitted to see)". */
static void add_owner(struct tct_text *text, const struct tct_owner *owner)
{
	if (owner->unit[0] == '\0' && owner->pid == 0) {
		if (owner->sight == TCT_OWNER_NOT_SOUGHT)
			tct_text_add(text, "(its process was not looked for)");
		else
			tct_owner_add(text, owner);
		return;
	}
	tct_text_add(text, owner->unit[0] != '\0' ? owner->unit : owner->comm);
	if (owner->pid == 0)
		return;
	if (owner->unit[0] != '\0')
		tct_text_addf(text, " (%s, pid %d)", owner->comm, (int)owner->pid);
	else
		tct_text_addf(text, " (pid %d)", (int)owner->pid);
}

/* "0.0.0.0:80, [::]:80 keep 4,096; [::]:81 keeps 128" */
static void add_places(struct tct_text *text, const struct tct_restart *items, size_t count)
{
	size_t shown = count < PLACES_SHOWN ? count : PLACES_SHOWN;
	size_t alike = 0;
	char number[TCT_NUMBER_TEXT];

	for (size_t i = 0; i < shown; i++) {
		const struct tct_listener *listener = &items[i].listener;
		bool last = i + 1 == shown || items[i + 1].listener.backlog != listener->backlog;
		char endpoint[TCT_ENDPOINT_TEXT];

		alike++;
		tct_text_add(text, tct_listener_endpoint(listener, endpoint));
		if (!last) {
			tct_text_add(text, ", ");
			continue;
		}
		if (i + 1 == shown && count > shown)
			tct_text_addf(text, " and %zu more", count - shown);
		tct_text_addf(text, " %s %s%s", alike == 1 && count <= shown ? "keeps" : "keep",
			      tct_text_count(listener->backlog, number), i + 1 < shown ? "; " : "");
		alike = 0;
	}
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* What restarts it; nothing where that isn't known. */
static void add_command(struct tct_text *text, const char *unit)
{
	static const char *const engines[] = { "docker", "podman" };

	/* with a slash it is of a user's own manager */
	if (ends_in(unit, ".service") && strchr(unit, '/') == NULL) {
		tct_text_add(text, "systemctl restart ");
		tct_shell_word(text, unit);
	}
	for (size_t i = 0; i < TCT_COUNT(engines); i++) {
		size_t length = strlen(engines[i]);

		if (strncmp(unit, engines[i], length) != 0 || unit[length] != ':')
			continue;
		tct_text_addf(text, "%s restart ", engines[i]);
		tct_shell_word(text, unit + length + 1);
	}
}

static void put_owner(const struct tct_page *page, const struct tct_restart *items, size_t count)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	add_owner(&text, &items[0].listener.owner);
	tct_text_add(&text, ": ");
	add_places(&text, items, count);
	tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN, tct_text_string(&text));
}

/* After the last process of a unit. */
static void put_command(const struct tct_page *page, const char *unit)
{
	TCT_AUTO(tct_text_done) struct tct_text command = { 0 };

	add_command(&command, unit);
	if (command.length > 0)
		tct_page_line(page, 4, NULL, 0, TCT_STYLE_STRONG, command.data);
}

void tct_render_restarts(const struct tct_page *page, const struct tct_apply_result *result)
{
	size_t shown = 0;
	size_t next;

	if (result->restart_needed_count == 0)
		return;
	tct_page_heading(
		page, "Restart",
		"they keep their limit until they listen() again; a reload may not do that");
	for (size_t i = 0; i < result->restart_needed_count; i += next) {
		const struct tct_restart *items = &result->restart_needed[i];
		size_t left = result->restart_needed_count - i;

		next = owners_own(items, left);
		if (shown++ < OWNERS_SHOWN) {
			const char *unit = items[0].listener.owner.unit;

			put_owner(page, items, next);
			if (next == left || shown == OWNERS_SHOWN ||
			    strcmp(items[next].listener.owner.unit, unit) != 0)
				put_command(page, unit);
			continue;
		}

		TCT_AUTO(tct_text_done) struct tct_text more = { 0 };

		tct_text_addf(&more, "and %zu listeners of others: see --json", left);
		tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN, tct_text_string(&more));
		return;
	}
}
