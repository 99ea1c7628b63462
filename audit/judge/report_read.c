/* Audit documents, read back: anybody may have written them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/report_diff_private.h"
#include "core/mem.h"

static int wrong(const struct tct_side *side, const char *list, size_t index,
		 const json_error_t *error, struct tct_err *err)
{
	return tct_err_at(err, side->file, 0, 0, "%s[%zu]: %s", list, index, error->text);
}

/* A member that is a text or null. */
static bool text_or_null(const json_t *object, const char *name, const char **text)
{
	const json_t *value = json_object_get(object, name);

	*text = json_string_value(value);
	return json_is_string(value) || json_is_null(value);
}

int tct_side_init(struct tct_side *side, const char *file, const char *kind, const json_t *document,
		  struct tct_err *err)
{
	const json_t *host = json_object_get(document, "host");

	*side = (struct tct_side){
		.file = file,
		.kind = kind,
		.document = document,
		.profiles = json_object_get(document, "profiles"),
	};
	if (!text_or_null(host, "hostname", &side->hostname) ||
	    !text_or_null(host, "kernel", &side->kernel) ||
	    !text_or_null(host, "boot_id", &side->boot_id) ||
	    !text_or_null(host, "taken_at", &side->taken_at))
		return tct_err_at(err, file, 0, 0,
				  "host: hostname, kernel, boot_id and taken_at are needed");
	for (size_t i = 0; i < json_array_size(side->profiles); i++) {
		if (!json_is_string(json_array_get(side->profiles, i)))
			return tct_err_at(err, file, 0, 0, "profiles: names are needed");
	}
	return json_is_array(side->profiles)
		       ? 0
		       : tct_err_at(err, file, 0, 0, "profiles: a list is needed");
}

void tct_entries_done(struct tct_entries *entries)
{
	free(entries->items);
	*entries = (struct tct_entries){ 0 };
}

int tct_entry_compare(const struct tct_entry *a, const struct tct_entry *b)
{
	int order = strcmp(a->netns, b->netns);

	if (order == 0)
		order = strcmp(a->name, b->name);
	if (order == 0)
		order = strcmp(a->also, b->also);
	return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static int by_entry(const void *left, const void *right)
{
	const struct tct_entry *a = left;
	const struct tct_entry *b = right;
	int order = tct_entry_compare(a, b);

	return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

typedef int fill_fn(const json_t *json, struct tct_entry *entry, json_error_t *error);

/* No host has so many of anything that is compared. */
enum { ENTRIES_MAX = 1 << 17 };

/* The list of one document: the side's, or a namespace's in it. Entries have room. */
static int fill_from(const struct tct_side *side, const json_t *document, const char *netns,
		     const char *list, fill_fn *fill, struct tct_entries *entries,
		     struct tct_err *err)
{
	const json_t *items = json_object_get(document, list);

	if (!json_is_array(items))
		return tct_err_at(err, side->file, 0, 0, "%s%s%s: a list is needed",
				  netns[0] != '\0' ? "namespaces: " : "", list,
				  netns[0] != '\0' ? " of one" : "");
	for (size_t i = 0; i < json_array_size(items); i++) {
		struct tct_entry *entry = &entries->items[entries->count];
		json_error_t error;

		entry->netns = netns;
		entry->index = i;
		entry->json = json_array_get(items, i);
		if (fill(entry->json, entry, &error) < 0)
			return wrong(side, list, i, &error, err);
		entries->count++;
	}
	return 0;
}

static const char *namespace_name(const json_t *document)
{
	return json_string_value(json_object_get(json_object_get(document, "netns"), "name"));
}

/* namespaces: those besides the own one, too. */
static int fill_entries(const struct tct_side *side, const char *list, bool namespaces,
			fill_fn *fill, struct tct_entries *entries, struct tct_err *err)
{
	const json_t *others = namespaces ? json_object_get(side->document, "namespaces") : NULL;
	size_t count = json_array_size(json_object_get(side->document, list));
	int result;

	for (size_t i = 0; i < json_array_size(others); i++)
		count += json_array_size(json_object_get(json_array_get(others, i), list));
	if (count > ENTRIES_MAX)
		return tct_err_at(err, side->file, 0, 0, "%s: there are more than %d", list,
				  ENTRIES_MAX);
	entries->items = calloc(count + 1, sizeof(*entries->items));
	if (entries->items == NULL)
		return tct_err_nomem(err);
	result = fill_from(side, side->document, "", list, fill, entries, err);
	for (size_t i = 0; i < json_array_size(others) && result == 0; i++) {
		const json_t *document = json_array_get(others, i);
		const char *name = namespace_name(document);

		result = fill_from(side, document, name != NULL ? name : "?", list, fill, entries,
				   err);
	}
	if (result == 0 && entries->count > 1)
		qsort(entries->items, entries->count, sizeof(*entries->items), by_entry);
	return result;
}

json_t *tct_side_namespaces(const struct tct_side *side, struct tct_err *err)
{
	const json_t *others = json_object_get(side->document, "namespaces");
	json_t *index = json_object();

	bool failed = index == NULL;

	for (size_t i = 0; i < json_array_size(others) && !failed; i++) {
		json_t *document = json_array_get(others, i);
		const char *name = namespace_name(document);

		if (name == NULL || name[0] == '\0') {
			json_decref(index);
			(void)tct_err_at(err, side->file, 0, 0,
					 "namespaces[%zu]: the name of its netns is needed", i);
			return NULL;
		}
		failed = json_object_set(index, name, document) < 0;
	}
	if (!failed)
		return index;
	json_decref(index);
	(void)tct_err_nomem(err);
	return NULL;
}

static json_t *mutable(const json_t *json)
{
	return (json_t *)(uintptr_t)json; /* json_unpack only reads */
}

static int fill_finding(const json_t *json, struct tct_entry *entry, json_error_t *error)
{
	const json_t *subject = NULL;
	const char *severity;
	const char *cause;
	const char *title;

	if (json_unpack_ex(mutable(json), error, 0, "{s:s, s:s, s:s, s:s, s:o}", "id", &entry->name,
			   "severity", &severity, "cause", &cause, "title", &title, "subject",
			   &subject) < 0)
		return -1;
	entry->also = json_is_string(subject) ? json_string_value(subject) : "";
	return 0;
}

int tct_entries_of_findings(const struct tct_side *side, struct tct_entries *entries,
			    struct tct_err *err)
{
	return fill_entries(side, "findings", true, fill_finding, entries, err);
}

static int fill_key(const json_t *json, struct tct_entry *entry, json_error_t *error)
{
	const json_t *value;
	const json_t *systemd;
	const json_t *procps;

	entry->also = "";
	return json_unpack_ex(mutable(json), error, 0, "{s:s, s:o, s:{s:o, s:o}}", "key",
			      &entry->name, "value", &value, "next_boot", "systemd", &systemd,
			      "procps", &procps);
}

int tct_entries_of_keys(const struct tct_side *side, struct tct_entries *entries,
			struct tct_err *err)
{
	return fill_entries(side, "sysctls", false, fill_key, entries, err);
}

static int fill_listener(const json_t *json, struct tct_entry *entry, json_error_t *error)
{
	const json_t *backlog;
	const json_t *owner;
	json_int_t port = 0;
	int code = json_unpack_ex(mutable(json), error, 0, "{s:s, s:I, s:s, s:o, s:o}", "address",
				  &entry->name, "port", &port, "family", &entry->also, "backlog",
				  &backlog, "owner", &owner);

	entry->number = port;
	return code;
}

int tct_entries_of_listeners(const struct tct_side *side, struct tct_entries *entries,
			     struct tct_err *err)
{
	return fill_entries(side, "listeners", true, fill_listener, entries, err);
}

int tct_side_states(const struct tct_side *side, int64_t counts[TCT_STATE_LIMIT],
		    struct tct_err *err)
{
	const json_t *object = json_object_get(json_object_get(side->document, "states"), "counts");

	counts[0] = -1;
	for (enum tct_state state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++) {
		const json_t *count = json_object_get(object, tct_state_name(state));

		counts[state] = -1;
		if (json_is_integer(count) && json_integer_value(count) >= 0)
			counts[state] = json_integer_value(count);
		else if (!json_is_null(count))
			return tct_err_at(err, side->file, 0, 0,
					  "states.counts.%s: a count or null is needed",
					  tct_state_name(state));
	}
	return 0;
}
