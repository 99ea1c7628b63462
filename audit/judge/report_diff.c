#include "audit/judge/report_diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/report_diff_private.h"
#include "core/mem.h"

const char *tct_change_name(enum tct_change change)
{
	static const char *const names[TCT_CHANGE_LIMIT] = {
		[TCT_CHANGE_NEW] = "new",         [TCT_CHANGE_WORSE] = "worse",
		[TCT_CHANGE_UNCLEAR] = "unclear", [TCT_CHANGE_BETTER] = "better",
		[TCT_CHANGE_FIXED] = "fixed",     [TCT_CHANGE_SAME] = "same",
	};

	return change < TCT_CHANGE_LIMIT ? names[change] : NULL;
}

/* ---- findings ---- */

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Rules of any profile, or subjects; beyond, a document was not written by an audit. */
enum { ENTRIES_MAX = 1 << 14 };

/* The entry of a list of the document that is about the rule and, if given, the subject (NULL = the
 * host). */
static const json_t *entry_of(const json_t *document, const char *list_name, const char *id,
			      bool by_subject, const char *subject)
{
	const json_t *list = json_object_get(document, list_name);

	for (size_t i = 0; i < json_array_size(list) && i < ENTRIES_MAX; i++) {
		const json_t *entry = json_array_get(list, i);
		const char *name = text_of(entry, "id");
		const char *about = text_of(entry, "subject");

		if (name == NULL || strcmp(name, id) != 0)
			continue;
		if (!by_subject || (about == NULL && subject == NULL) ||
		    (about != NULL && subject != NULL && strcmp(about, subject) == 0))
			return entry;
	}
	return NULL;
}

/* Why a side does not tell of this finding although it may be there. False: it tells. */
static bool is_silent(const json_t *document, const char *id, const char *subject, char note[240])
{
	const json_t *entry = entry_of(document, "not_evaluated", id, false, NULL);
	const char *text;
	int length;

	if (entry != NULL) {
		text = text_of(entry, "reason");
		length = snprintf(note, 240, "not judged: %s", text != NULL ? text : "?");
	} else if ((entry = entry_of(document, "explained", id, false, NULL)) != NULL) {
		text = text_of(entry, "by");
		length = snprintf(note, 240, "explained by %s", text != NULL ? text : "?");
	} else if ((entry = entry_of(document, "suppressed", id, true, subject)) != NULL) {
		text = text_of(entry, "reason");
		length = snprintf(note, 240, "suppressed: %s", text != NULL ? text : "?");
	} else if ((entry = entry_of(document, "omitted", id, false, NULL)) != NULL) {
		length = snprintf(note, 240,
				  "it may be among %lld that were only counted "
				  "(audit --verbose tells all)",
				  (long long)json_integer_value(json_object_get(entry, "count")));
	} else {
		return false;
	}
	if (length < 0)
		note[0] = '\0';
	return true;
}

static enum tct_severity severity_of(const struct tct_entry *entry)
{
	return entry != NULL ? tct_severity_find(text_of(entry->json, "severity"))
			     : TCT_SEVERITY_LIMIT;
}

/* Did the side count findings of this rule and severity without telling which? */
static bool is_counted(const json_t *document, const char *id, enum tct_severity severity)
{
	const json_t *list = json_object_get(document, "omitted");

	for (size_t i = 0; i < json_array_size(list) && i < ENTRIES_MAX; i++) {
		const json_t *entry = json_array_get(list, i);
		const char *name = text_of(entry, "id");
		const char *bad = text_of(entry, "severity");

		if (name != NULL && bad != NULL && strcmp(name, id) == 0 &&
		    tct_severity_find(bad) == severity)
			return true;
	}
	return false;
}

/* The document of the side's namespace; NULL = it has none of that name. */
static const json_t *document_of(const struct tct_diff *diff, unsigned side,
				 const json_t *namespaces, const char *netns)
{
	return netns == NULL ? diff->side[side].document : json_object_get(namespaces, netns);
}

/* The same for the side's namespace of that name, which it may not have, or not tell of. */
static bool is_silent_there(const struct tct_diff *diff, unsigned side, const json_t *namespaces,
			    const struct tct_finding_change *change, char note[240])
{
	const json_t *document = document_of(diff, side, namespaces, change->netns);

	if (document != NULL)
		return is_silent(document, change->id, change->subject, note);
	if (snprintf(note, 240, "%s",
		     diff->everywhere[side] ? "there is no such network namespace"
					    : "other network namespaces were not looked at") < 0)
		note[0] = '\0';
	return !diff->everywhere[side];
}

/* One finding, in one or both of the sides. */
static int add_finding(struct tct_diff *diff, json_t *const namespaces[2],
		       const struct tct_entry *before, const struct tct_entry *after,
		       struct tct_err *err)
{
	const struct tct_entry *any = after != NULL ? after : before;
	const json_t *json = any->json;
	struct tct_finding_change *change = TCT_APPEND(diff, findings);

	if (change == NULL)
		return tct_err_nomem(err);
	change->netns = any->netns[0] != '\0' ? any->netns : NULL;
	change->id = text_of(json, "id");
	change->subject = text_of(json, "subject");
	change->cause = text_of(json, "cause");
	change->title = text_of(json, "title");
	change->severity[0] = severity_of(before);
	change->severity[1] = severity_of(after);
	for (unsigned i = 0; i < 2; i++) {
		if ((i == 0 ? before : after) != NULL && change->severity[i] == TCT_SEVERITY_LIMIT)
			return tct_err_at(err, diff->side[i].file, 0, 0,
					  "findings: the severity of %s is unknown", change->id);
	}
	if (before == NULL) {
		/* one of many that were only counted may well have been there: no alarm */
		change->change = is_counted(document_of(diff, 0, namespaces[0], change->netns),
					    change->id, change->severity[1])
					 ? TCT_CHANGE_SAME
					 : TCT_CHANGE_NEW;
		(void)is_silent_there(diff, 0, namespaces[0], change, change->note);
	} else if (after == NULL) {
		change->change = is_silent_there(diff, 1, namespaces[1], change, change->note)
					 ? TCT_CHANGE_UNCLEAR
					 : TCT_CHANGE_FIXED;
	} else {
		change->change = change->severity[1] < change->severity[0]   ? TCT_CHANGE_WORSE
				 : change->severity[1] > change->severity[0] ? TCT_CHANGE_BETTER
									     : TCT_CHANGE_SAME;
	}
	diff->by_change[change->change]++;
	return 0;
}

static enum tct_severity worst_of(const struct tct_finding_change *change)
{
	return change->severity[1] != TCT_SEVERITY_LIMIT ? change->severity[1]
							 : change->severity[0];
}

static int by_change(const void *left, const void *right)
{
	const struct tct_finding_change *a = left;
	const struct tct_finding_change *b = right;
	int order = (a->change > b->change) - (a->change < b->change);

	if (order == 0)
		order = (worst_of(a) > worst_of(b)) - (worst_of(a) < worst_of(b));
	if (order == 0)
		order = strcmp(a->netns != NULL ? a->netns : "", b->netns != NULL ? b->netns : "");
	if (order == 0)
		order = strcmp(a->id, b->id);
	if (order == 0)
		order = strcmp(a->subject != NULL ? a->subject : "",
			       b->subject != NULL ? b->subject : "");
	return order != 0 ? order : strcmp(a->title, b->title);
}

/* Walk two sorted lists side by side. */
struct walk {
	struct tct_entries side[2];
	size_t at[2];
};

static void walk_done(struct walk *walk)
{
	tct_entries_done(&walk->side[0]);
	tct_entries_done(&walk->side[1]);
}

static const struct tct_entry *here(const struct walk *walk, unsigned side)
{
	return walk->at[side] < walk->side[side].count ? &walk->side[side].items[walk->at[side]]
						       : NULL;
}

/* The next entry of either side; both where they are of the same name. False at the end. */
static bool step(struct walk *walk, const struct tct_entry *pair[2])
{
	int order;

	pair[0] = here(walk, 0);
	pair[1] = here(walk, 1);
	if (pair[0] == NULL || pair[1] == NULL)
		order = 0;
	else
		order = tct_entry_compare(pair[0], pair[1]);
	if (order < 0)
		pair[1] = NULL;
	if (order > 0)
		pair[0] = NULL;
	walk->at[0] += pair[0] != NULL ? 1 : 0;
	walk->at[1] += pair[1] != NULL ? 1 : 0;
	return pair[0] != NULL || pair[1] != NULL;
}

static int compare_findings(struct tct_diff *diff, json_t *const namespaces[2], struct tct_err *err)
{
	TCT_AUTO(walk_done) struct walk walk = { 0 };
	const struct tct_entry *pair[2];
	int result = 0;

	for (unsigned i = 0; i < 2 && result == 0; i++)
		result = tct_entries_of_findings(&diff->side[i], &walk.side[i], err);
	while (result == 0 && step(&walk, pair))
		result = add_finding(diff, namespaces, pair[0], pair[1], err);
	if (result == 0 && diff->findings_count > 0)
		qsort(diff->findings, diff->findings_count, sizeof(*diff->findings), by_change);
	return result;
}

/* ---- values ---- */

static const json_t *value_at(const struct tct_entry *entry, enum tct_value_place place)
{
	static const char *const models[TCT_VALUE_PLACES] = {
		[TCT_VALUE_SYSTEMD] = "systemd",
		[TCT_VALUE_PROCPS] = "procps",
	};
	const json_t *value;

	if (entry == NULL)
		return NULL;
	value = place == TCT_VALUE_LIVE
			? json_object_get(entry->json, "value")
			: json_object_get(json_object_get(json_object_get(entry->json, "next_boot"),
							  models[place]),
					  "value");
	return json_is_null(value) ? NULL : value;
}

static bool same_json(const json_t *a, const json_t *b)
{
	return a == NULL || b == NULL
		       ? a == b
		       : json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b) != 0;
}

static int compare_key(struct tct_diff *diff, const struct tct_entry *const pair[2],
		       struct tct_err *err)
{
	struct tct_key_change found = { .key = pair[0] != NULL ? pair[0]->name : pair[1]->name };
	bool any = false;
	struct tct_key_change *change;

	for (unsigned place = 0; place < TCT_VALUE_PLACES; place++) {
		for (unsigned i = 0; i < 2; i++)
			found.value[place][i] = value_at(pair[i], (enum tct_value_place)place);
		found.changed[place] = !same_json(found.value[place][0], found.value[place][1]);
		any |= found.changed[place];
	}
	if (!any)
		return 0;
	change = TCT_APPEND(diff, keys);
	if (change == NULL)
		return tct_err_nomem(err);
	*change = found;
	return 0;
}

static int compare_keys(struct tct_diff *diff, struct tct_err *err)
{
	TCT_AUTO(walk_done) struct walk walk = { 0 };
	const struct tct_entry *pair[2];
	int result = 0;

	for (unsigned i = 0; i < 2 && result == 0; i++)
		result = tct_entries_of_keys(&diff->side[i], &walk.side[i], err);
	while (result == 0 && step(&walk, pair))
		result = compare_key(diff, pair, err);
	return result;
}

/* ---- listeners ---- */

static const char *owner_of(const json_t *listener)
{
	const json_t *owner = json_object_get(listener, "owner");
	const char *unit = text_of(owner, "unit");

	return unit != NULL ? unit : text_of(owner, "comm");
}

/* Take a side's listeners of the endpoint `like`. */
static void take_endpoint(struct walk *walk, unsigned side, const struct tct_entry *like,
			  struct tct_endpoint *endpoint)
{
	for (const struct tct_entry *entry;
	     (entry = here(walk, side)) != NULL && tct_entry_compare(entry, like) == 0;
	     walk->at[side]++) {
		const json_t *backlog = json_object_get(entry->json, "backlog");

		if (endpoint->sockets++ > 0)
			continue;
		endpoint->backlog = json_is_integer(backlog) ? json_integer_value(backlog) : -1;
		endpoint->owner = owner_of(entry->json);
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_endpoint(const struct tct_endpoint *a, const struct tct_endpoint *b)
{
	return a->sockets == b->sockets && a->backlog == b->backlog &&
	       same_text(a->owner, b->owner);
}

static int compare_listeners(struct tct_diff *diff, struct tct_err *err)
{
	TCT_AUTO(walk_done) struct walk walk = { 0 };
	int result = 0;

	for (unsigned i = 0; i < 2 && result == 0; i++)
		result = tct_entries_of_listeners(&diff->side[i], &walk.side[i], err);
	while (result == 0 && (here(&walk, 0) != NULL || here(&walk, 1) != NULL)) {
		const struct tct_entry *a = here(&walk, 0);
		const struct tct_entry *b = here(&walk, 1);
		const struct tct_entry *first =
			b == NULL || (a != NULL && tct_entry_compare(a, b) <= 0) ? a : b;
		const struct tct_endpoint empty = { .family = first->also,
						    .address = first->name,
						    .port = first->number,
						    .backlog = -1 };
		struct tct_listener_change found = {
			.netns = first->netns[0] != '\0' ? first->netns : NULL,
			.side = { empty, empty },
		};
		struct tct_listener_change *change;

		take_endpoint(&walk, 0, first, &found.side[0]);
		take_endpoint(&walk, 1, first, &found.side[1]);
		if (same_endpoint(&found.side[0], &found.side[1]))
			continue;
		change = TCT_APPEND(diff, listeners);
		if (change == NULL)
			return tct_err_nomem(err);
		*change = found;
	}
	return result;
}

/* ---- namespaces ---- */

static int add_namespaces(struct tct_diff *diff, json_t *from, const json_t *other, bool came,
			  struct tct_err *err)
{
	const char *name;
	json_t *document;

	json_object_foreach(from, name, document) {
		struct tct_namespace_change *change;

		if (json_object_get(other, name) != NULL)
			continue;
		change = TCT_APPEND(diff, namespaces);
		if (change == NULL)
			return tct_err_nomem(err);
		/* the object by name goes, the document stays */
		change->name = text_of(json_object_get(document, "netns"), "name");
		change->came = came;
	}
	return 0;
}

static int compare_namespaces(struct tct_diff *diff, json_t *const namespaces[2],
			      struct tct_err *err)
{
	int result;

	if (!diff->everywhere[0] || !diff->everywhere[1])
		return 0;
	result = add_namespaces(diff, namespaces[0], namespaces[1], false, err);
	return result < 0 ? result : add_namespaces(diff, namespaces[1], namespaces[0], true, err);
}

struct namespaces_by_name {
	json_t *side[2];
};

static void namespaces_done(struct namespaces_by_name *namespaces)
{
	json_decref(namespaces->side[0]);
	json_decref(namespaces->side[1]);
}

int tct_diff_make(const struct tct_side *before, const struct tct_side *after,
		  struct tct_diff *diff, struct tct_err *err)
{
	TCT_AUTO(namespaces_done) struct namespaces_by_name namespaces = { 0 };
	int result;

	diff->side[0] = *before;
	diff->side[1] = *after;
	for (unsigned i = 0; i < 2; i++)
		diff->everywhere[i] =
			json_is_array(json_object_get(diff->side[i].document, "namespaces"));
	for (unsigned i = 0; i < 2; i++) {
		namespaces.side[i] = tct_side_namespaces(&diff->side[i], err);
		if (namespaces.side[i] == NULL)
			return -EINVAL;
	}
	result = compare_findings(diff, namespaces.side, err);
	if (result == 0)
		result = compare_namespaces(diff, namespaces.side, err);
	if (result == 0)
		result = compare_keys(diff, err);
	if (result == 0)
		result = compare_listeners(diff, err);
	for (unsigned i = 0; i < 2 && result == 0; i++)
		result = tct_side_states(&diff->side[i], diff->states[i], err);
	return result;
}

void tct_diff_done(struct tct_diff *diff)
{
	free(diff->findings);
	free(diff->keys);
	free(diff->listeners);
	free(diff->namespaces);
	*diff = (struct tct_diff){ 0 };
}
