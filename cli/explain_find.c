/* Finding a topic by what somebody calls it. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain_data.h"
#include "core/mem.h"

enum {
	SHORTEST_GUESS = 3, /* characters; below that everything is near to everything */
	LONGEST_LIST = 6,   /* names told where several are meant */
};

/* How well a name fits, best first. */
enum fit {
	FIT_NAME,
	FIT_OTHER_NAME,
	FIT_LIKE,
	FIT_LIMIT,
};

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

/* What is looked for: a name, and the kind it must be of. */
struct search {
	const struct tct_book *book;
	const char *name;
	enum tct_topic_kind kind;         /* LIMIT = any */
	const struct tct_kernel_key *key; /* that the name means as a key or a file; NULL = none */
};

static bool fits(const struct search *search, size_t topic, const char *name, enum fit fit,
		 enum fit exact)
{
	if (search->kind != TCT_TOPIC_LIMIT && search->book->topics[topic].kind != search->kind)
		return false;
	return fit == FIT_LIKE ? is_like(name, search->name)
			       : fit == exact && strcmp(name, search->name) == 0;
}

/* All topics that a name fits to a degree, in their order; marks[] has one place for each. Returns
 * how many. */
static size_t mark(const struct search *search, enum fit fit, bool *marks)
{
	const struct tct_book *book = search->book;
	size_t count = 0;

	for (size_t i = 0; i < book->topics_count; i++) {
		marks[i] = fits(search, i, book->topics[i].name, fit, FIT_NAME) ||
			   (search->key != NULL && search->key == book->topics[i].key);
	}
	for (size_t i = 0; i < book->names_count; i++) {
		size_t topic = book->names[i].topic;

		marks[topic] = marks[topic] ||
			       fits(search, topic, book->names[i].name, fit, FIT_OTHER_NAME);
	}
	for (size_t i = 0; i < book->topics_count; i++)
		count += marks[i] ? 1 : 0;
	return count;
}

/* Returns NULL, and says which topics the name may mean. */
static const struct tct_topic *ambiguous(const struct search *search, const bool *marks,
					 struct tct_err *err)
{
	const struct tct_book *book = search->book;
	TCT_AUTO(tct_text_done) struct tct_text list = { 0 };
	size_t told = 0;

	for (size_t i = 0; i < book->topics_count; i++) {
		if (!marks[i])
			continue;
		if (told++ == LONGEST_LIST) {
			tct_text_add(&list, ", ...");
			break;
		}
		tct_text_addf(&list, "%s%s:%s", told > 1 ? ", " : "",
			      tct_topic_kind_name(book->topics[i].kind), book->topics[i].name);
	}
	(void)tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "'%s' may be %s", search->name,
			  list.data != NULL ? list.data : "several topics");
	return NULL;
}

/* The names to guess among: the topics', then their others. Passed over: numbers, and what is too
 * short. */
static const char *guess(const void *context, size_t i)
{
	const struct search *search = context;
	const struct tct_book *book = search->book;
	const char *name;
	size_t topic;

	if (i >= book->topics_count + book->names_count)
		return NULL;
	topic = i < book->topics_count ? i : book->names[i - book->topics_count].topic;
	name = i < book->topics_count ? book->topics[i].name
				      : book->names[i - book->topics_count].name;
	if (strlen(name) < SHORTEST_GUESS || isdigit((unsigned char)name[0]) ||
	    (search->kind != TCT_TOPIC_LIMIT && book->topics[topic].kind != search->kind))
		return "";
	return name;
}

/* Returns NULL, and says what comes near. */
static const struct tct_topic *unknown(const struct search *search, struct tct_err *err)
{
	const char *nearest = tct_text_nearest(search->name, guess, search);
	bool digits =
		search->name[0] != '\0' && search->name[strspn(search->name, "0123456789")] == '\0';

	if (digits && (search->kind == TCT_TOPIC_LIMIT || search->kind == TCT_TOPIC_ERRNO))
		(void)tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				  "no errno that a network program meets has the number %s here "
				  "('tcptune explain errnos' lists them)",
				  search->name);
	else if (nearest != NULL && nearest[0] != '\0')
		(void)tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				  "nothing is known about '%s'; did you mean '%s'?", search->name,
				  nearest);
	else
		(void)tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				  "nothing is known about '%s'; 'tcptune explain' lists the topics",
				  search->name);
	return NULL;
}

/* "errno:EPIPE" says the kind before the colon. */
static void split_kind(struct search *search, char *word, size_t size)
{
	const char *colon = strchr(search->name, ':');
	size_t length = colon != NULL ? (size_t)(colon - search->name) : 0;

	if (length == 0 || length >= size)
		return;
	memcpy(word, search->name, length);
	word[length] = '\0';
	search->kind = tct_topic_kind_find(word);
	if (search->kind != TCT_TOPIC_LIMIT)
		search->name = colon + 1;
}

const struct tct_topic *tct_book_find(const struct tct_book *book, const char *name,
				      struct tct_err *err)
{
	static const char folder[] = "/proc/sys/";
	struct search search = { .book = book, .name = name, .kind = TCT_TOPIC_LIMIT };
	TCT_AUTOFREE bool *marks = calloc(book->topics_count, sizeof(*marks));
	char word[16];

	if (marks == NULL) {
		(void)tct_err_nomem(err);
		return NULL;
	}
	split_kind(&search, word, sizeof(word));
	if (search.kind == TCT_TOPIC_LIMIT || search.kind == TCT_TOPIC_KEY)
		search.key = tct_kernel_key_find(strncmp(search.name, folder, strlen(folder)) == 0
							 ? search.name + strlen(folder)
							 : search.name);
	for (enum fit fit = FIT_NAME; fit < FIT_LIMIT; fit++) {
		size_t count = mark(&search, fit, marks);

		if (count > 1)
			return ambiguous(&search, marks, err);
		for (size_t i = 0; count == 1 && i < book->topics_count; i++) {
			if (marks[i])
				return &book->topics[i];
		}
	}
	return unknown(&search, err);
}
