#include <string.h>

#include "audit/observe/sosreport.h"
#include "cli/command.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/session.h"
#include "core/mem.h"
#include "tune/drop_in.h"

static void drop_journal(struct tct_journal *const *journal)
{
	tct_journal_free(*journal);
}

/* The document with this transaction only. */
static json_t *only(json_t *document, uint64_t id)
{
	json_t *all = json_object_get(document, "transactions");
	json_t *one = json_array();

	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *entry = json_array_get(all, i);

		if (json_integer_value(json_object_get(entry, "id")) == (json_int_t)id &&
		    json_array_append(one, entry) != 0)
			break;
	}
	if (json_array_size(one) != 1 || json_object_set(document, "transactions", one) != 0) {
		json_decref(document);
		document = NULL;
	}
	json_decref(one);
	return document;
}

static int show(const struct tct_options *options, const struct tct_journal *journal)
{
	const struct tct_transaction *transaction;
	struct tct_page page;
	uint64_t id = 0;

	if (options->arguments.items_count < 2)
		return tct_bad_usage("history show needs the number of a transaction");
	if (!tct_parse_id(options->arguments.items[1], &id) ||
	    (transaction = tct_journal_find(journal, id)) == NULL)
		return tct_bad_usage("there is no transaction '%s' ('tcptune history' lists them)",
				     options->arguments.items[1]);
	if (tct_wants_json(options)) {
		json_t *document = tct_history_json(journal);

		return tct_print_json(document != NULL ? only(document, id) : NULL, TCT_EXIT_DONE);
	}
	tct_page_init(&page, stdout, options);
	tct_render_transaction(&page, transaction);
	return TCT_EXIT_DONE;
}

static void tell_torn(const struct tct_journal *journal)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (!journal->torn)
		return;
	tct_text_addf(&text, "the last record of the journal %s was cut off; it is left out",
		      journal->path);
	tct_remark(tct_text_string(&text));
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session = { .root = { .fd = -1 } };
	TCT_AUTO(drop_journal) struct tct_journal *journal = NULL;
	char text[TCT_ORPHAN_TEXT];
	bool orphan;
	bool one = options->arguments.items_count > 0;
	struct tct_page page;
	struct tct_err err = { 0 };

	if (one && strcmp(options->arguments.items[0], "show") != 0)
		return tct_bad_usage("history doesn't know '%s'; it takes show ID",
				     options->arguments.items[0]);
	if (tct_session_open(&session, options, NULL, &err) < 0 ||
	    tct_journal_open(&session.root, false, &journal, &err) < 0)
		return tct_complain(&err);
	tell_torn(journal);
	/* A sosreport need not have it. */
	orphan = !tct_sos_is(&session.root) && tct_drop_in_left_orphan(&session.root, journal);
	if (orphan)
		tct_remark(tct_drop_in_orphan_text(tct_root_prefix(&session.root), text));
	if (one)
		return show(options, journal);
	if (tct_wants_json(options))
		return tct_print_json(tct_history_json(journal), TCT_EXIT_DONE);
	tct_page_init(&page, stdout, options);
	/* "Nothing has been applied yet" isn't so then. */
	if (!orphan || journal->transactions_count > 0)
		tct_render_history(&page, options, journal);
	return TCT_EXIT_DONE;
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_ROOT, "the history of the files below DIR" },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_history = {
	.name = "history",
	.summary = "What was applied and undone: when, by whom, why, from what to what.",
	.usage = "history [OPTIONS]\nhistory show ID [OPTIONS]",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune history\n"
		   "tcptune history show 7",
	.placeholder = "show ID",
	.arguments_max = 2,
	.run = run,
};
