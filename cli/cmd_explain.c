#include "cli/command.h"
#include "cli/explain_data.h"
#include "cli/session.h"
#include "core/mem.h"

static int explain(struct tct_session *session, const struct tct_topic *topic)
{
	TCT_AUTO(tct_drop_observation) struct tct_observation *observation = NULL;
	TCT_AUTO(tct_explanation_done) struct tct_explanation explanation = { 0 };
	struct tct_page page;
	struct tct_err err = { 0 };

	if (topic->kind == TCT_TOPIC_KEY && tct_session_host(session, &observation, &err) < 0)
		return tct_complain(&err);
	tct_explanation_make(topic, observation, &explanation);
	if (tct_wants_json(session->options))
		return tct_print_json(tct_explanation_json(&explanation), TCT_EXIT_DONE);
	tct_page_init(&page, stdout, session->options);
	tct_render_explanation(&page, &explanation);
	return TCT_EXIT_DONE;
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session = { .root = { .fd = -1 } };
	TCT_AUTO(tct_book_done) struct tct_book book = { 0 };
	const struct tct_topic *topic;
	struct tct_page page;
	struct tct_err err = { 0 };

	if (tct_session_open(&session, options, NULL, &err) < 0 ||
	    tct_book_load(session.request.root, &book, &err) < 0)
		return tct_complain(&err);
	if (options->arguments.items_count > 0) {
		topic = tct_book_find(&book, options->arguments.items[0], &err);
		return topic != NULL ? explain(&session, topic) : tct_complain(&err);
	}
	if (tct_wants_json(options))
		return tct_print_json(tct_topics_json(&book), TCT_EXIT_DONE);
	tct_page_init(&page, stdout, options);
	tct_render_topics(&page, &book);
	return TCT_EXIT_DONE;
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
		"What a kernel key, a TCP state or a finding means, what helps and what does not.",
	.usage = "explain [TOPIC] [OPTIONS]",
	.description =
		"Without TOPIC all topics are listed. A key may be given without its folder, a "
		"state in any case.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune explain TIME_WAIT\n"
		   "tcptune explain tcp_tw_reuse\n"
		   "tcptune explain accept-queue-full",
	.placeholder = "one topic",
	.arguments_max = 1,
	.run = run,
};
