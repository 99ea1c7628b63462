#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "audit/observe/host.h"
#include "audit/observe/sosreport.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/session.h"
#include "cli/sockets_view.h"
#include "core/mem.h"

enum {
	EVERY_STATE = (1 << TCT_STATE_LIMIT) - 2,
	DEFAULT_TOP = 20,
	NAME_MAX_LENGTH = 32,
};

/* As ss, netstat, lsof and others write states, capitals without - and _. */
static const struct {
	const char *name;
	enum tct_state state;
} spellings[] = {
	{ "ESTABLISHED", TCT_STATE_ESTABLISHED },
	{ "ESTAB", TCT_STATE_ESTABLISHED },
	{ "SYNSENT", TCT_STATE_SYN_SENT },
	{ "SYNRECV", TCT_STATE_SYN_RECV },
	{ "SYNRCVD", TCT_STATE_SYN_RECV },
	{ "SYNRECEIVED", TCT_STATE_SYN_RECV },
	{ "FINWAIT1", TCT_STATE_FIN_WAIT1 },
	{ "FINWAIT2", TCT_STATE_FIN_WAIT2 },
	{ "TIMEWAIT", TCT_STATE_TIME_WAIT },
	{ "CLOSE", TCT_STATE_CLOSE },
	{ "CLOSED", TCT_STATE_CLOSE },
	{ "UNCONN", TCT_STATE_CLOSE },
	{ "CLOSEWAIT", TCT_STATE_CLOSE_WAIT },
	{ "LASTACK", TCT_STATE_LAST_ACK },
	{ "LISTEN", TCT_STATE_LISTEN },
	{ "LISTENING", TCT_STATE_LISTEN },
	{ "CLOSING", TCT_STATE_CLOSING },
};

/* For a misspelling: the names as we write them, then the others' short ones. */
static const char *state_name(const void *context, size_t i)
{
	static const char *const others[] = { "ESTAB", "UNCONN", "CLOSED", "LISTENING" };
	size_t own = TCT_STATE_LIMIT - TCT_STATE_ESTABLISHED;

	(void)context;
	if (i < own)
		return tct_state_name((enum tct_state)(i + TCT_STATE_ESTABLISHED));
	return i - own < TCT_COUNT(others) ? others[i - own] : NULL;
}

static int unknown_state(const char *text, size_t length, struct tct_err *err)
{
	char name[NAME_MAX_LENGTH + 1] = "";
	const char *nearest = NULL;

	if (length < sizeof(name)) {
		for (size_t i = 0; i < length; i++)
			name[i] = (char)(text[i] == '-' ? '_' : toupper((unsigned char)text[i]));
		nearest = tct_text_nearest(name, state_name, NULL);
	}
	if (nearest != NULL)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "--state doesn't know '%.*s'; did you mean '%s'?", (int)length,
				   text, nearest);
	return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
			   "--state doesn't know '%.*s'; it takes TCP states, such as ESTABLISHED "
			   "or close-wait",
			   length < 64 ? (int)length : 64, text);
}

/* Add one state, text[0..length), to the mask. */
static int parse_state(const char *text, size_t length, uint32_t *states, struct tct_err *err)
{
	char plain[NAME_MAX_LENGTH + 1];
	size_t used = 0;

	for (size_t i = 0; i < length && used < NAME_MAX_LENGTH; i++) {
		if (text[i] != '-' && text[i] != '_')
			plain[used++] = (char)toupper((unsigned char)text[i]);
	}
	plain[used] = '\0';
	for (size_t i = 0; i < TCT_COUNT(spellings); i++) {
		if (strcmp(spellings[i].name, plain) == 0) {
			*states |= 1U << spellings[i].state;
			return 0;
		}
	}
	return unknown_state(text, length, err);
}

static int parse_states(const struct tct_strings *given, uint32_t *states, struct tct_err *err)
{
	for (size_t i = 0; i < given->items_count; i++) {
		const char *at = given->items[i];

		for (;;) {
			size_t length = strcspn(at, ",");
			int code = parse_state(at, length, states, err);

			if (code < 0)
				return code;
			if (at[length] == '\0')
				break;
			at += length + 1;
		}
	}
	return 0;
}

static int read_query(const struct tct_options *options, const struct tct_root *root,
		      struct tct_socket_query *query, struct tct_err *err)
{
	int code;

	*query = (struct tct_socket_query){
		.root = root,
		.port = (uint16_t)options->port,
		.exact = options->exact,
		.top = options->top < 0 ? DEFAULT_TOP : (size_t)options->top,
		.by = options->by >= 0    ? (enum tct_sockets_by)options->by
		      : options->port > 0 ? TCT_BY_PROCESS
					  : TCT_BY_STATE,
	};
	code = parse_states(&options->states, &query->states, err);
	if (query->states == 0)
		query->states = EVERY_STATE;
	return code;
}

/* Plain states are counted as `audit` does, which walks no further than it must. */
static int count_states(const struct tct_session *session, struct tct_observation *observation,
			const struct tct_socket_query *query, struct tct_socket_table *table,
			struct tct_err *err)
{
	const struct tct_observe_options observe = {
		.root = &session->root,
		.netns = session->root.live ? &observation->host.netns : NULL,
		.sockets = true,
		.exact = session->options->exact,
		.thrifty = query->thrifty,
	};
	int code = tct_observe_traffic(&observe, observation, err);

	if (code < 0)
		return code;
	return tct_socket_table_of_states(query, &observation->states, table) < 0
		       ? tct_err_nomem(err)
		       : 0;
}

/* Nothing at all could be seen: no document, and why not. */
static int refuse(const struct tct_session *session, const struct tct_observation *observation,
		  struct tct_err *err)
{
	const char *why = observation->gaps_count > 0 ? observation->gaps[0].why : "no source";

	if (!session->root.live)
		return tct_err_set(err, TCT_FAULT_INPUT, ENOENT, "%s: %s", session->root.path, why);
	return tct_err_set(err, TCT_FAULT_REFUSED, EPERM, "sockets can't be seen: %s", why);
}

/* Can `audit`'s counts answer? Bound sockets (CLOSE) may not be among them. */
static bool is_plain(const struct tct_session *session, const struct tct_socket_query *query)
{
	return session->root.live && query->by == TCT_BY_STATE && query->port == 0 &&
	       (query->states == EVERY_STATE || (query->states & 1U << TCT_STATE_CLOSE) == 0);
}

static int count(const struct tct_session *session, struct tct_observation *observation,
		 const struct tct_socket_query *query, struct tct_socket_table *table,
		 struct tct_err *err)
{
	if (is_plain(session, query))
		return count_states(session, observation, query, table, err);
	return tct_socket_table_look(query, observation, table) < 0 ? tct_err_nomem(err) : 0;
}

/* Looking at all namespaces. */
struct round {
	const struct tct_session *session;
	const struct tct_sockets_view *view;
	const struct tct_observation *own;
};

static int look_around(void *context, struct tct_observation *observation,
		       struct tct_socket_table *table, struct tct_err *err)
{
	enum { UNCOUNTED = 1 << TCT_STATE_SYN_RECV | 1 << TCT_STATE_CLOSE };
	const struct round *round = context;
	struct tct_socket_query query = round->view->query;

	/* who asks for half-open or bound sockets gets them */
	query.thrifty = observation != round->own && !query.exact &&
			(query.states == EVERY_STATE || (query.states & UNCOUNTED) == 0);
	return count(round->session, observation, &query, table, err);
}

static int look_everywhere(const struct tct_session *session, struct tct_observation *observation,
			   struct tct_sockets_view *view, struct tct_sockets_everywhere *everywhere,
			   struct tct_err *err)
{
	TCT_AUTO(tct_namespaces_done) struct tct_namespaces namespaces = { .items = NULL };
	struct round round = { session, view, observation };
	struct tct_tour tour;
	int code = tct_session_namespaces(session, &namespaces, err);

	if (code == 0)
		code = tct_sockets_everywhere_look(&namespaces, &view->query, look_around, &round,
						   observation, everywhere, &tour, err);
	if (code == 0)
		code = tct_session_tell_unseen(&namespaces, &tour, observation, err);
	return code;
}

/* A snapshot holds counts, and no single sockets. */
static int check_snapshot(const struct tct_options *options, const struct tct_socket_query *query,
			  struct tct_err *err)
{
	const char *what = query->port != 0                  ? "port"
			   : options->states.items_count > 0 ? "state"
			   : query->by != TCT_BY_STATE       ? "by"
							     : NULL;

	if (what == NULL)
		return 0;
	return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
			   "--snapshot and --%s%s%s exclude each other: a snapshot holds how many "
			   "sockets are in each state, not the sockets",
			   what, what[0] == 'b' ? " " : "",
			   what[0] == 'b' ? tct_sockets_by_name(query->by) : "");
}

static int add_saved(const struct tct_observation *observation,
		     const struct tct_socket_query *query,
		     struct tct_sockets_everywhere *everywhere)
{
	TCT_AUTO(tct_socket_table_done) struct tct_socket_table table = { .rows = NULL };
	struct tct_namespace where;
	int result = tct_socket_table_of_states(query, &observation->states, &table);

	tct_namespace_of(&observation->host.netns, &where);
	if (result == 0)
		result = tct_sockets_everywhere_add(everywhere, query, &where, observation, &table);
	return result;
}

/* What was counted when the snapshot was taken, in each namespace that it holds. */
static int recall(struct tct_session *session, struct tct_sockets_view *view,
		  struct tct_sockets_everywhere *everywhere, struct tct_err *err)
{
	const struct tct_snapshot *snapshot = &session->snapshot;
	struct tct_observation *own = snapshot->observations[0];
	int result = 0;

	view->observation = own;
	for (size_t i = 0; i < snapshot->observations_count && result == 0; i++)
		result = add_saved(snapshot->observations[i], &view->query, everywhere);
	if (result == 0)
		result = tct_sockets_everywhere_settle(everywhere, &view->query, own);
	if (result < 0)
		return tct_err_nomem(err);
	if (everywhere->table.states.method == TCT_METHOD_NONE)
		return tct_err_set(err, TCT_FAULT_INPUT, ENODATA, "%s: it holds no sockets: %s",
				   session->options->snapshot,
				   own->gaps_count > 0 ? own->gaps[0].why : "none were looked at");
	if (snapshot->observations_count > 1)
		view->everywhere = everywhere;
	view->table = everywhere->table;
	return 0;
}

static int look(const struct tct_session *session, struct tct_observation *observation,
		struct tct_sockets_view *view, struct tct_sockets_everywhere *everywhere,
		struct tct_err *err)
{
	struct tct_progress progress;
	int code;

	if (session->root.live)
		observation->host.netns = session->netns;
	tct_host_look(&session->root, &observation->host);
	if (tct_sos_is(&session->root))
		tct_sos_host_look(&session->root, &observation->host);
	tct_progress_begin(&progress, "counting sockets ...");
	if (session->options->all_netns)
		code = look_everywhere(session, observation, view, everywhere, err);
	else
		code = count(session, observation, &view->query, &everywhere->table, err);
	tct_progress_end(&progress);
	view->table = everywhere->table;
	if (session->options->all_netns)
		view->everywhere = everywhere;
	if (code == 0 && view->table.states.method == TCT_METHOD_NONE)
		code = refuse(session, observation, err);
	return code;
}

static int print(const struct tct_options *options, const struct tct_sockets_view *view)
{
	struct tct_page page;

	if (tct_wants_json(options))
		return tct_print_json(tct_sockets_json(view), TCT_EXIT_DONE);
	tct_page_init(&page, stdout, options);
	tct_render_sockets(&page, options, view);
	return TCT_EXIT_DONE;
}

static void done_everywhere(struct tct_sockets_everywhere *everywhere)
{
	tct_sockets_everywhere_done(everywhere);
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session = { .root = { .fd = -1 } };
	TCT_AUTO(tct_drop_observation) struct tct_observation *observation = NULL;
	TCT_AUTO(done_everywhere) struct tct_sockets_everywhere everywhere = { .places = NULL };
	struct tct_sockets_view view = { 0 }; /* its table is that of everywhere */
	struct tct_err err;
	int code = read_query(options, &session.root, &view.query, &err);

	if (code == 0 && options->snapshot != NULL)
		code = check_snapshot(options, &view.query, &err);
	if (code == 0)
		code = tct_session_open(&session, options, NULL, &err);
	if (code < 0)
		return tct_complain(&err);
	if (options->snapshot != NULL) {
		code = recall(&session, &view, &everywhere, &err);
		return code < 0 ? tct_complain(&err) : print(options, &view);
	}
	observation = tct_observation_new();
	if (observation == NULL) {
		(void)tct_err_nomem(&err);
		return tct_complain(&err);
	}
	view.observation = observation;
	if (look(&session, observation, &view, &everywhere, &err) < 0)
		return tct_complain(&err);
	return print(options, &view);
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_BY, NULL },
	{ TCT_OPTION_PORT, NULL },
	{ TCT_OPTION_STATE, NULL },
	{ TCT_OPTION_TOP, NULL },
	{ TCT_OPTION_EXACT, NULL },
	{ TCT_OPTION_NETNS, NULL },
	{ TCT_OPTION_ALL_NETNS, NULL },
	{ TCT_OPTION_ROOT, NULL },
	{ TCT_OPTION_SNAPSHOT,
	  "count the states that `tcptune snapshot` saved in FILE; - is standard input" },
	{ TCT_OPTION_FORMAT, NULL },
	{ TCT_OPTION_JSON, NULL },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_sockets = {
	.name = "sockets",
	.summary = "Count TCP sockets by state, port, process, unit or peer.",
	.usage = "sockets [--by state|port|process|unit|peer] [--port N] [--state STATE] [OPTIONS]",
	.description =
		"What netstat -nat, ss and lsof -i:N answer, counted. By port, \"on 443\" is a "
		"service of this host and \"to 443\" are connections opened from here. With --port: "
		"who listens there and who is connected, in both directions. Processes of other "
		"users are only seen by root. Exit code: 0, even if there is no such socket.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune sockets\n"
		   "tcptune sockets --port 443\n"
		   "tcptune sockets --port 443 --all-netns\n"
		   "tcptune sockets --by unit --state close-wait\n"
		   "tcptune sockets --by peer --state SYN_RECV,ESTABLISHED --top 5",
	.placeholder = "",
	.run = run,
};
