#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/session.h"
#include "core/mem.h"
#include "tune/guard.h"

static int report(const struct tct_options *options, const struct tct_apply_result *result,
		  int exit_code)
{
	struct tct_page page;

	if (tct_wants_json(options))
		return tct_print_json(tct_confirm_json(result), exit_code);
	tct_page_init(&page, stdout, options);
	tct_render_confirm(&page, options, result, exit_code);
	return exit_code;
}

/* A document always says who refused what; a text only where there is more to tell than the error.
 */
static int fail(const struct tct_options *options, const struct tct_apply_result *result,
		const struct tct_err *err)
{
	int exit_code = tct_complain(err);

	if (exit_code == TCT_EXIT_REFUSED && tct_wants_json(options) && !options->expire)
		return tct_print_json(tct_refused_json(tct_confirm_json(result), err), exit_code);
	if (result->changed || result->transaction != 0 || result->conflicts_count > 0)
		return report(options, result, exit_code);
	return exit_code;
}

static int confirm(const struct tct_options *options, const struct tct_session *session,
		   uint64_t id)
{
	TCT_AUTO(tct_apply_result_done) struct tct_apply_result result = { 0 };
	struct tct_progress progress;
	struct tct_err err = { 0 };
	const struct tct_apply_options apply = {
		.root = &session->root,
		.netns = session->netns,
		.wait = { options->wait_ns, tct_progress_lock, &progress },
	};

	tct_progress_begin(&progress, "confirming ...");

	int code = tct_confirm(&apply, id, &result, &err);

	tct_progress_end(&progress);
	if (code == 0)
		return report(options, &result, TCT_EXIT_DONE);
	return fail(options, &result, &err);
}

/* Who armed the guard reads this line, and goes on. */
static void tell_ready(const struct tct_transaction *transaction)
{
	char time[TCT_NUMBER_TEXT];

	(void)printf(TCT_GUARD_READY " until %s for transaction %" PRIu64 " to be confirmed\n",
		     tct_text_time(transaction->deadline_ns, time), transaction->id);
	(void)fflush(stdout);
}

static int expire(const struct tct_session *session, uint64_t id)
{
	TCT_AUTO(tct_apply_result_done) struct tct_apply_result result = { 0 };
	const struct tct_apply_options apply = {
		.root = &session->root,
		.netns = session->netns,
	};
	struct tct_err err = { 0 };

	if (tct_expire(&apply, id, tell_ready, &result, &err) < 0)
		return tct_complain(&err);
	(void)printf(result.changed ? "transaction %" PRIu64
				      " was not confirmed in time: put back\n"
				    : "transaction %" PRIu64 " waits no more: nothing to do\n",
		     id);
	return TCT_EXIT_DONE;
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session = { .root = { .fd = -1 } };
	bool given = options->arguments.items_count > 0;
	const struct tct_apply_result nothing = { 0 };
	struct tct_err err = { 0 };
	uint64_t id = 0;

	if (given && !tct_parse_id(options->arguments.items[0], &id))
		return tct_bad_usage("'%s' is no transaction ('tcptune history' lists them)",
				     options->arguments.items[0]);
	if (options->expire && !given)
		return tct_bad_usage("--expire needs the number of a transaction");
	if (tct_session_open(&session, options, NULL, &err) < 0)
		return fail(options, &nothing, &err);
	if (geteuid() != 0) {
		(void)tct_err_set(&err, TCT_FAULT_REFUSED, EPERM, "only root may change settings");
		return fail(options, &nothing, &err);
	}
	return options->expire ? expire(&session, id) : confirm(options, &session, id);
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_WAIT, NULL },
	{ TCT_OPTION_EXPIRE, NULL },
	{ TCT_OPTION_NETNS, NULL },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_QUIET, "print nothing but changes by others and failures" },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_confirm = {
	.name = "confirm",
	.summary = "Keep what 'apply --confirm-within' set, and write it for the next boot.",
	.usage = "confirm [ID] [OPTIONS]",
	.description =
		"Try a new connection first, such as a second login: the one you have may live "
		"on although no new one could be made. Without ID it is the apply that waits "
		"in this network namespace. Exit code: 0 kept, or kept already, or nothing "
		"waits; 3 refused, for instance because the time was over and everything was "
		"put back; 4 failed, and something could not be put back; 5 another tcptune is "
		"at work.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune apply --profile highconn --confirm-within 60\n"
		   "tcptune confirm",
	.placeholder = "one transaction",
	.arguments_max = 1,
	.changes = true,
	.run = run,
};
