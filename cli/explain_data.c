#include "cli/explain_data.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "audit/rules/embedded.h"
#include "core/mem.h"

enum { ARENA_LIMIT = 16 << 20 };

const char *tct_topic_kind_name(enum tct_topic_kind kind)
{
	switch (kind) {
	case TCT_TOPIC_KEY:
		return "key";
	case TCT_TOPIC_STATE:
		return "state";
	case TCT_TOPIC_FINDING:
		return "finding";
	}
	return "";
}

static struct tct_topic *add_topic(struct tct_book *book, enum tct_topic_kind kind,
				   const char *name)
{
	struct tct_topic *topic = TCT_APPEND(book, topics);

	if (topic != NULL)
		*topic = (struct tct_topic){ .kind = kind, .name = name, .summary = "" };
	return topic;
}

static struct tct_topic *topic_of(struct tct_book *book, enum tct_topic_kind kind, const char *name)
{
	for (size_t i = 0; i < book->topics_count; i++) {
		if (book->topics[i].kind == kind && strcmp(book->topics[i].name, name) == 0)
			return &book->topics[i];
	}
	return NULL;
}

/* Give a topic its text; the name decides which it is. */
static int place_text(struct tct_book *book, const struct tct_yaml_node *name,
		      const struct tct_yaml_node *text, struct tct_err *err)
{
	const struct tct_kernel_key *key = tct_kernel_key_find(name->text);
	enum tct_topic_kind kind = key != NULL                       ? TCT_TOPIC_KEY
				   : tct_state_find(name->text) != 0 ? TCT_TOPIC_STATE
								     : TCT_TOPIC_FINDING;
	struct tct_topic *topic = topic_of(book, kind, key != NULL ? key->name : name->text);
	const struct tct_yaml_node *summary;

	if (topic == NULL)
		return tct_yaml_error(name, err, "'%s' is no key, no state and no finding",
				      name->text);
	if (text->kind != TCT_YAML_MAP)
		return tct_yaml_error(text, err, "a mapping is expected");
	topic->text = text;
	summary = tct_yaml_get(text, "summary");
	if (summary != NULL && summary->kind == TCT_YAML_SCALAR)
		topic->summary = summary->text;
	return 0;
}

/* A file's `topics` is a map from a topic's name to its parts: summary, text, helps, not, see,
 * source. */
static int load_file(struct tct_book *book, const struct tct_embedded_file *file,
		     struct tct_err *err)
{
	struct tct_yaml_node *root = NULL;
	int code = tct_yaml_parse(book->arena, file->name, file->data, file->size, &root, err);

	if (code < 0)
		return code;

	const struct tct_yaml_node *topics =
		root->kind == TCT_YAML_MAP ? tct_yaml_get(root, "topics") : NULL;

	if (topics == NULL || topics->kind != TCT_YAML_MAP)
		return tct_yaml_error(root, err, "a mapping with `topics` is expected");
	for (const struct tct_yaml_node *name = topics->first; name != NULL; name = name->next) {
		code = place_text(book, name, name->value, err);
		if (code < 0)
			return code;
	}
	return 0;
}

static int load_texts(struct tct_book *book, struct tct_err *err)
{
	for (size_t i = 0; i < tct_embedded_files_count; i++) {
		if (strncmp(tct_embedded_files[i].name, "explain/", 8) != 0)
			continue;

		int code = load_file(book, &tct_embedded_files[i], err);

		if (code < 0)
			return code;
	}
	return 0;
}

static int add_rules(struct tct_book *book, const struct tct_profile_set *set, struct tct_err *err)
{
	for (size_t i = 0; i < set->rules_count; i++) {
		const struct tct_rule *rule = &set->rules[i];
		struct tct_topic *topic;

		if (topic_of(book, TCT_TOPIC_FINDING, rule->id) != NULL)
			continue;
		topic = add_topic(book, TCT_TOPIC_FINDING, rule->id);
		if (topic == NULL)
			return tct_err_nomem(err);
		topic->rule = rule;
		topic->summary = tct_template_source(rule->title);
	}
	return 0;
}

/* The rules of one profile; one that can't be loaded is passed over. */
static int load_profile(struct tct_book *book, const struct tct_root *root, const char *name,
			struct tct_err *err)
{
	const struct tct_profile_request request = { .root = root,
						     .names = &name,
						     .names_count = 1 };
	struct tct_facts facts = { 0 };
	struct tct_book_set *slot = TCT_APPEND(book, sets);

	if (slot == NULL)
		return tct_err_nomem(err);
	if (tct_profile_set_load(&request, &facts, &slot->set, err) < 0) {
		book->sets_count--;
		return err->code == ENOMEM ? -ENOMEM : 0;
	}
	return add_rules(book, slot->set, err);
}

static int load_profiles(struct tct_book *book, const struct tct_root *root, struct tct_err *err)
{
	TCT_AUTOFREE struct tct_profile_info *infos = NULL;
	size_t count = 0;
	int code = load_profile(book, root, "base", err);

	if (code == 0)
		code = tct_profile_list(root, &infos, &count, err);
	for (size_t i = 0; code == 0 && i < count; i++) {
		if (infos[i].error[0] == '\0' && strcmp(infos[i].name, "base") != 0)
			code = load_profile(book, root, infos[i].name, err);
	}
	return code;
}

int tct_book_load(const struct tct_root *root, struct tct_book *book, struct tct_err *err)
{
	*book = (struct tct_book){ .arena = tct_arena_new(ARENA_LIMIT) };
	if (book->arena == NULL)
		return tct_err_nomem(err);
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		struct tct_topic *topic = add_topic(book, TCT_TOPIC_KEY, tct_kernel_keys[i].name);

		if (topic == NULL)
			return tct_err_nomem(err);
		topic->key = &tct_kernel_keys[i];
		topic->summary = topic->key->summary;
	}
	for (enum tct_state state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++) {
		if (add_topic(book, TCT_TOPIC_STATE, tct_state_name(state)) == NULL)
			return tct_err_nomem(err);
	}

	int code = load_profiles(book, root, err);

	return code == 0 ? load_texts(book, err) : code;
}

void tct_book_done(struct tct_book *book)
{
	for (size_t i = 0; i < book->sets_count; i++)
		tct_profile_set_free(book->sets[i].set);
	free(book->sets);
	free(book->topics);
	tct_arena_free(book->arena);
	*book = (struct tct_book){ 0 };
}

/* Equal but for case, and "-" and " " for "_"; an underscore may be left out ("timewait",
 * "TIME-WAIT"). */
static bool is_like(const char *name, const char *given)
{
	for (;;) {
		while (*name == '_' || *name == '-')
			name++;
		while (*given == '_' || *given == '-' || *given == ' ')
			given++;
		if (tolower((unsigned char)*name) != tolower((unsigned char)*given))
			return false;
		if (*name == '\0')
			return true;
		name++;
		given++;
	}
}

static bool is_short_name(const char *full, const char *given)
{
	const char *last = strrchr(full, '.');

	return last != NULL && strcasecmp(last + 1, given) == 0;
}

/* Topics by name, then keys by their short names. */
static const char *topic_name(const void *context, size_t i)
{
	const struct tct_book *book = context;

	if (i < book->topics_count)
		return book->topics[i].name;
	i -= book->topics_count;
	return i < tct_kernel_keys_count ? strrchr(tct_kernel_keys[i].name, '.') + 1 : NULL;
}

/* A key's name, also if its file is given: "/proc/sys/net/ipv4/tcp_sack". */
static const struct tct_kernel_key *key_of(const char *name)
{
	static const char folder[] = "/proc/sys/";
	size_t length = strlen(folder);

	return tct_kernel_key_find(strncmp(name, folder, length) == 0 ? name + length : name);
}

const struct tct_topic *tct_book_find(const struct tct_book *book, const char *name,
				      struct tct_err *err)
{
	const struct tct_kernel_key *key = key_of(name);
	const struct tct_topic *found = NULL;
	unsigned hits = 0;

	for (size_t i = 0; i < book->topics_count; i++) {
		const struct tct_topic *topic = &book->topics[i];

		if ((key != NULL && topic->key == key) || strcmp(topic->name, name) == 0 ||
		    (topic->kind != TCT_TOPIC_KEY && is_like(topic->name, name)))
			return topic;
		if (topic->kind == TCT_TOPIC_KEY && is_short_name(topic->name, name)) {
			found = topic;
			hits++;
		}
	}
	if (hits == 1)
		return found;
	if (hits > 1) {
		(void)tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				  "'%s' may be several keys: write the full name (%s ...)", name,
				  found->name);
		return NULL;
	}

	const char *nearest = tct_text_nearest(name, topic_name, book);

	if (nearest != NULL)
		(void)tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				  "nothing is known about '%s'; did you mean '%s'?", name, nearest);
	else
		(void)tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				  "nothing is known about '%s'; 'tcptune explain' lists the topics",
				  name);
	return NULL;
}
