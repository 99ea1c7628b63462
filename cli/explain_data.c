#include "cli/explain_data.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "audit/rules/embedded.h"
#include "core/mem.h"

enum { ARENA_LIMIT = 16 << 20 };

/* In the order of enum tct_topic_kind: in words for one and for all of them. */
static const struct {
	const char *one;
	const char *all;
} kinds[] = {
	[TCT_TOPIC_STATE] = { "state", "states" },       [TCT_TOPIC_HOWTO] = { "topic", "topics" },
	[TCT_TOPIC_FLAG] = { "flag", "flags" },          [TCT_TOPIC_ERRNO] = { "errno", "errnos" },
	[TCT_TOPIC_FINDING] = { "finding", "findings" }, [TCT_TOPIC_MYTH] = { "myth", "myths" },
	[TCT_TOPIC_COUNTER] = { "counter", "counters" }, [TCT_TOPIC_KEY] = { "key", "keys" },
};

static_assert(TCT_COUNT(kinds) == TCT_TOPIC_LIMIT, "each kind of topic has its words");

const char *tct_topic_kind_name(enum tct_topic_kind kind)
{
	return kind < TCT_TOPIC_LIMIT ? kinds[kind].one : "";
}

const char *tct_topic_kind_plural(enum tct_topic_kind kind)
{
	return kind < TCT_TOPIC_LIMIT ? kinds[kind].all : "";
}

enum tct_topic_kind tct_topic_kind_find(const char *name)
{
	enum tct_topic_kind kind = 0;

	while (kind < TCT_TOPIC_LIMIT && strcasecmp(name, kinds[kind].one) != 0 &&
	       strcasecmp(name, kinds[kind].all) != 0)
		kind++;
	return kind;
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

/*
 * The topic that a text is for. States, keys, counters, errnos and findings are there already;
 * flags, howtos and myths come from their texts alone.
 */
static int topic_for(struct tct_book *book, enum tct_topic_kind kind,
		     const struct tct_yaml_node *name, struct tct_topic **topic,
		     struct tct_err *err)
{
	bool made_here =
		kind == TCT_TOPIC_FLAG || kind == TCT_TOPIC_HOWTO || kind == TCT_TOPIC_MYTH;

	*topic = topic_of(book, kind, name->text);
	if (*topic != NULL && (*topic)->text != NULL)
		return tct_yaml_error(name, err, "'%s' has a text already", name->text);
	if (*topic == NULL && !made_here)
		return tct_yaml_error(name, err, "'%s' is no %s", name->text,
				      tct_topic_kind_name(kind));
	if (*topic == NULL)
		*topic = add_topic(book, kind, name->text);
	return *topic != NULL ? 0 : tct_err_nomem(err);
}

/* Give a topic its text. */
static int place_text(struct tct_book *book, enum tct_topic_kind kind,
		      const struct tct_yaml_node *name, const struct tct_yaml_node *text,
		      struct tct_err *err)
{
	const struct tct_yaml_node *summary;
	struct tct_topic *topic = NULL;
	int code = topic_for(book, kind, name, &topic, err);

	if (code < 0)
		return code;
	if (text->kind != TCT_YAML_MAP)
		return tct_yaml_error(text, err, "a mapping is expected");
	topic->text = text;
	summary = tct_yaml_get(text, "summary");
	if (summary != NULL && summary->kind == TCT_YAML_SCALAR)
		topic->summary = summary->text;
	return 0;
}

/*
 * A file has a `kind` and `topics`, a map from a topic's name to its parts: summary, aliases, text,
 * and lists or texts under any other title (helps, not, see, source).
 */
static int load_file(struct tct_book *book, const struct tct_embedded_file *file,
		     struct tct_err *err)
{
	struct tct_yaml_node *root = NULL;
	int code = tct_yaml_parse(book->arena, file->name, file->data, file->size, &root, err);

	if (code < 0)
		return code;

	const struct tct_yaml_node *topics =
		root->kind == TCT_YAML_MAP ? tct_yaml_get(root, "topics") : NULL;
	const struct tct_yaml_node *word = topics != NULL ? tct_yaml_get(root, "kind") : NULL;
	enum tct_topic_kind kind = word != NULL && word->kind == TCT_YAML_SCALAR
					   ? tct_topic_kind_find(word->text)
					   : TCT_TOPIC_LIMIT;

	if (topics == NULL || topics->kind != TCT_YAML_MAP || kind == TCT_TOPIC_LIMIT)
		return tct_yaml_error(root, err, "a mapping with `kind` and `topics` is expected");
	for (const struct tct_yaml_node *name = topics->first; name != NULL; name = name->next) {
		code = place_text(book, kind, name, name->value, err);
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
		TCT_AUTO(tct_text_done) struct tct_text title = { 0 };
		struct tct_topic *topic;

		if (topic_of(book, TCT_TOPIC_FINDING, rule->id) != NULL)
			continue;
		topic = add_topic(book, TCT_TOPIC_FINDING, rule->id);
		tct_template_plain(rule->title, &title);
		if (topic == NULL || title.data == NULL || title.failed)
			return tct_err_nomem(err);
		topic->rule = rule;
		topic->set = set;
		topic->summary = tct_arena_text(book->arena, title.data, title.length);
		if (topic->summary == NULL)
			return tct_err_nomem(err);
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

/* Keys, counters, states and errnos: what the tables have. */
static int add_tables(struct tct_book *book, struct tct_err *err)
{
	struct tct_topic *topic;

	for (enum tct_state state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++) {
		if (add_topic(book, TCT_TOPIC_STATE, tct_state_name(state)) == NULL)
			return tct_err_nomem(err);
	}
	for (size_t i = 0; i < tct_errno_names_count; i++) {
		topic = add_topic(book, TCT_TOPIC_ERRNO, tct_errno_names[i].name);
		if (topic == NULL)
			return tct_err_nomem(err);
		topic->number = tct_errno_names[i].number;
	}
	for (size_t i = 0; i < tct_counters_count; i++) {
		topic = add_topic(book, TCT_TOPIC_COUNTER, tct_counters[i].name);
		if (topic == NULL)
			return tct_err_nomem(err);
		topic->counter = &tct_counters[i];
		topic->summary = topic->counter->summary;
	}
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		topic = add_topic(book, TCT_TOPIC_KEY, tct_kernel_keys[i].name);
		if (topic == NULL)
			return tct_err_nomem(err);
		topic->key = &tct_kernel_keys[i];
		topic->summary = topic->key->summary;
	}
	return 0;
}

/* name is borrowed; NULL stands for a copy that failed. */
static int add_name(struct tct_book *book, size_t topic, const char *name, struct tct_err *err)
{
	struct tct_call_name *added = name != NULL ? TCT_APPEND(book, names) : NULL;

	if (added == NULL)
		return tct_err_nomem(err);
	*added = (struct tct_call_name){ .name = name, .topic = topic };
	return 0;
}

/* A key without its folders: "tcp_sack", "conf.all.rp_filter", "all.rp_filter" ..., and without
 * "tcp_", as people speak of it. */
static int name_key(struct tct_book *book, size_t topic, struct tct_err *err)
{
	const char *dot = strchr(book->topics[topic].name, '.');
	int code = 0;

	for (; code == 0 && dot != NULL; dot = strchr(dot + 1, '.')) {
		code = add_name(book, topic, dot + 1, err);
		if (code == 0 && strncmp(dot + 1, "tcp_", 4) == 0)
			code = add_name(book, topic, dot + 5, err);
	}
	return code;
}

/* A counter as the kernel prints it, and as nstat does: line and column in one word. */
static int name_counter(struct tct_book *book, size_t topic, struct tct_err *err)
{
	const struct tct_counter *counter = book->topics[topic].counter;
	char both[96];
	int length = snprintf(both, sizeof(both), "%s%s", counter->line, counter->column);
	int code = add_name(book, topic, counter->column, err);

	if (code < 0 || length < 0 || (size_t)length >= sizeof(both))
		return code;
	return add_name(book, topic, tct_arena_text(book->arena, both, (size_t)length), err);
}

static int name_errno(struct tct_book *book, size_t topic, struct tct_err *err)
{
	char number[16];
	int length = snprintf(number, sizeof(number), "%d", book->topics[topic].number);

	if (length < 0)
		return tct_err_nomem(err);
	return add_name(book, topic, tct_arena_text(book->arena, number, (size_t)length), err);
}

static int name_aliases(struct tct_book *book, size_t topic, struct tct_err *err)
{
	const struct tct_yaml_node *text = book->topics[topic].text;
	const struct tct_yaml_node *list = text != NULL ? tct_yaml_get(text, "aliases") : NULL;
	int code = 0;

	if (list == NULL)
		return 0;
	if (list->kind != TCT_YAML_LIST)
		return tct_yaml_error(list, err, "a list is expected");
	for (const struct tct_yaml_node *item = list->first; code == 0 && item != NULL;
	     item = item->next) {
		if (item->kind != TCT_YAML_SCALAR)
			return tct_yaml_error(item, err, "a name is expected");
		code = add_name(book, topic, item->text, err);
	}
	return code;
}

/* The other names of every topic. */
static int add_names(struct tct_book *book, struct tct_err *err)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < book->topics_count; i++) {
		switch (book->topics[i].kind) {
		case TCT_TOPIC_KEY:
			code = name_key(book, i, err);
			break;
		case TCT_TOPIC_COUNTER:
			code = name_counter(book, i, err);
			break;
		case TCT_TOPIC_ERRNO:
			code = name_errno(book, i, err);
			break;
		case TCT_TOPIC_STATE:
		case TCT_TOPIC_HOWTO:
		case TCT_TOPIC_FLAG:
		case TCT_TOPIC_FINDING:
		case TCT_TOPIC_MYTH:
		case TCT_TOPIC_LIMIT:
			break;
		}
		if (code == 0)
			code = name_aliases(book, i, err);
	}
	return code;
}

int tct_book_load(const struct tct_root *root, struct tct_book *book, struct tct_err *err)
{
	int code;

	*book = (struct tct_book){ .arena = tct_arena_new(ARENA_LIMIT) };
	if (book->arena == NULL)
		return tct_err_nomem(err);
	code = add_tables(book, err);
	if (code == 0)
		code = load_profiles(book, root, err);
	if (code == 0)
		code = load_texts(book, err);
	return code == 0 ? add_names(book, err) : code;
}

void tct_book_done(struct tct_book *book)
{
	for (size_t i = 0; i < book->sets_count; i++)
		tct_profile_set_free(book->sets[i].set);
	free(book->sets);
	free(book->topics);
	free(book->names);
	tct_arena_free(book->arena);
	*book = (struct tct_book){ 0 };
}
