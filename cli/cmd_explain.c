#include <strings.h>

#include "cli/command.h"
#include "cli/explain_data.h"
#include "cli/say.h"
#include "cli/session.h"
#include "core/mem.h"

static int explain(struct tct_session *session, const struct tct_book *book,
		   const struct tct_topic *topic)
{
	TCT_AUTO(tct_drop_observation) struct tct_observation *observation = NULL;
	TCT_AUTO(tct_explanation_done) struct tct_explanation explanation = { 0 };
	struct tct_page page;
	struct tct_err err = { 0 };

	if (topic->kind == TCT_TOPIC_KEY && tct_session_host(session, &observation, &err) < 0)
		return tct_complain(&err);
	tct_explanation_make(book, topic, observation, &explanation);
	if (tct_wants_json(session->options))
		return tct_print_json(tct_explanation_json(&explanation), TCT_EXIT_DONE);
	tct_page_init(&page, stdout, session->options);
	tct_render_explanation(&page, &explanation);
	return TCT_EXIT_DONE;
}

/* All topics, or with a kind those of it. */
static int list(const struct tct_options *options, const struct tct_book *book,
		enum tct_topic_kind kind)
{
	struct tct_page page;

	if (tct_wants_json(options))
		return tct_print_json(tct_topics_json(book, kind), TCT_EXIT_DONE);
	tct_page_init(&page, stdout, options);
	if (kind == TCT_TOPIC_LIMIT)
		tct_render_topics(&page, book);
	else
		tct_render_kind(&page, book, kind);
	return TCT_EXIT_DONE;
}

/* "keys", "errnos" ...: the plural names a kind, so that no topic is hidden by it. */
static enum tct_topic_kind kind_asked(const char *name)
{
	enum tct_topic_kind kind = tct_topic_kind_find(name);

	return kind != TCT_TOPIC_LIMIT && strcasecmp(name, tct_topic_kind_plural(kind)) == 0
		       ? kind
		       : TCT_TOPIC_LIMIT;
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session = { .root = { .fd = -1 } };
	TCT_AUTO(tct_book_done) struct tct_book book = { 0 };
	const char *name = options->arguments.items_count > 0 ? options->arguments.items[0] : NULL;
	enum tct_topic_kind kind = name != NULL ? kind_asked(name) : TCT_TOPIC_LIMIT;
	const struct tct_topic *topic;
	struct tct_err err = { 0 };

	if (tct_session_open(&session, options, NULL, &err) < 0 ||
	    tct_book_load(session.request.root, &book, &err) < 0)
		return tct_complain(&err);
	if (name == NULL || kind != TCT_TOPIC_LIMIT)
		return list(options, &book, kind);
	topic = tct_book_find(&book, name, &err);
	return topic != NULL ? explain(&session, &book, topic) : tct_complain(&err);
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_NETNS, "show the key's value in this network namespace" },
	{ TCT_OPTION_ROOT, NULL },
	{ TCT_OPTION_SNAPSHOT,
	  "show the key's value in what `tcptune snapshot` saved in FILE; - is "
	  "standard input" },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_explain = {
	.name = "explain",
	.summary =
		"What a key, state, counter, errno, flag or finding means, what helps, what does "
		"not.",
	.usage = "explain [TOPIC] [OPTIONS]",
	.description =
		"TOPIC is a kernel key, a TCP state, a counter, an errno (name or number), TCP flags "
		"(RST, '[S.]'), the id of a finding, a subject such as keepalive, or a myth. Case "
		"doesn't matter, a key's folder may be left out. Without TOPIC all topics are "
		"listed; a kind (states, topics, flags, errnos, findings, myths, counters, keys) "
		"lists its topics with what each is. KIND:NAME picks one where a name has several "
		"meanings.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune explain TIME_WAIT\n"
		   "tcptune explain tcp_tw_reuse\n"
		   "tcptune explain ECONNRESET\n"
		   "tcptune explain TcpExtListenOverflows\n"
		   "tcptune explain accept-queue-full\n"
		   "tcptune explain keepalive",
	.placeholder = "one topic",
	.arguments_max = 1,
	.run = run,
};
