#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/snapshot.h"
#include "cli/command.h"
#include "cli/output_file.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/session.h"
#include "core/mem.h"

struct gathering {
	struct tct_snapshot *snapshot;
	size_t left_out; /* namespaces beyond what a snapshot may hold */
};

/* One of the other namespaces was looked at. */
static int add_namespace(void *context, const struct tct_namespace *where,
			 struct tct_observation **observation, struct tct_err *err)
{
	struct gathering *gathering = context;

	(void)where; /* the observation knows it */
	if (gathering->snapshot->observations_count >= TCT_SNAPSHOT_NAMESPACES_MAX) {
		gathering->left_out++;
		return 0;
	}
	return tct_snapshot_add(gathering->snapshot, TCT_STEAL(*observation)) < 0
		       ? tct_err_nomem(err)
		       : 0;
}

static int look_everywhere(struct tct_session *session, struct tct_snapshot *snapshot,
			   int64_t interval_ns, struct tct_err *err)
{
	struct gathering gathering = { .snapshot = snapshot };
	struct tct_observation *own = snapshot->observations[0];
	struct tct_tour tour;
	char what[64];
	/* the others as `audit` looks at them, but with all that any rule may ask for */
	const struct tct_needs needs = { .looks = TCT_LOOK_ALL, .counter_groups = ~0U };
	int code = tct_session_tour(session, TCT_LOOK_ALL, interval_ns, &needs, add_namespace,
				    &gathering, own, &tour, err);

	if (code < 0 || gathering.left_out == 0)
		return code;
	(void)snprintf(what, sizeof(what), "%zu network namespace%s", gathering.left_out,
		       gathering.left_out == 1 ? "" : "s");
	return tct_observation_gap(own, what, "a snapshot holds %d at most",
				   TCT_SNAPSHOT_NAMESPACES_MAX) < 0
		       ? tct_err_nomem(err)
		       : 0;
}

static int look(struct tct_session *session, struct tct_snapshot *snapshot, struct tct_err *err)
{
	int64_t interval_ns = session->options->interval_ns;
	struct tct_observation *observation = NULL;

	(void)snprintf(snapshot->tcptune, sizeof(snapshot->tcptune), "%s", TCPTUNE_VERSION);

	int code = tct_variables_text(&session->root, &snapshot->variables, err);

	if (interval_ns < 0)
		interval_ns = session->root.live ? INT64_C(1000000000) : 0;
	if (code == 0)
		code = tct_session_host(session, &observation, err);
	if (code == 0 && tct_snapshot_add(snapshot, observation) < 0)
		code = tct_err_nomem(err);
	if (code < 0)
		return code;
	/* Everything that any rule of any profile may ask for. */
	if (session->options->all_netns)
		return look_everywhere(session, snapshot, interval_ns, err);
	return tct_session_traffic(session, TCT_LOOK_ALL, interval_ns, observation, err);
}

static void drop_document(json_t *const *document)
{
	json_decref(*document);
}

/* 0, 1 if it went to standard output, or -errno. */
static int save(const struct tct_options *options, const struct tct_snapshot *snapshot,
		size_t *length, struct tct_err *err)
{
	TCT_AUTO(drop_document) json_t *document = tct_snapshot_json(snapshot);
	TCT_AUTOFREE char *text = document != NULL ? tct_snapshot_text(document, length) : NULL;

	if (text == NULL)
		return tct_err_nomem(err);
	if (*length > TCT_SNAPSHOT_BYTES_MAX)
		return tct_err_set(err, TCT_FAULT_REFUSED, EFBIG,
				   "the snapshot would be larger than %d MiB, which nothing loads",
				   TCT_SNAPSHOT_BYTES_MAX >> 20);
	return tct_output_write(options->output != NULL ? options->output : "-", text, *length,
				err);
}

static int run(const struct tct_options *options)
{
	TCT_AUTO(tct_session_done) struct tct_session session;
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot snapshot = { 0 };
	struct tct_page page;
	struct tct_err err = { 0 };
	size_t length = 0;

	if (tct_session_open(&session, options, NULL, &err) < 0)
		return tct_complain(&err);
	if (!session.root.live && options->interval_ns > 0)
		return tct_bad_usage(
			"--interval needs a live host: the counters below --root stand "
			"still");

	int code = look(&session, &snapshot, &err);

	if (code == 0)
		code = save(options, &snapshot, &length, &err);
	if (code < 0)
		return tct_complain(&err);
	if (code > 0 || options->quiet)
		return TCT_EXIT_DONE;
	tct_page_init(&page, stdout, options);
	tct_render_snapshot(&page, options->output, &snapshot, length);
	return TCT_EXIT_DONE;
}

static const struct tct_option_use uses[] = {
	{ TCT_OPTION_OUTPUT, "write to FILE, whole or not at all; a new file is readable by its "
			     "owner only (default: standard output, -)" },
	{ TCT_OPTION_INTERVAL, NULL },
	{ TCT_OPTION_EXACT, NULL },
	{ TCT_OPTION_NETNS, "look at this network namespace" },
	{ TCT_OPTION_ALL_NETNS, NULL },
	{ TCT_OPTION_ROOT, NULL },
	{ TCT_OPTION_QUIET, "say nothing" },
	{ TCT_OPTION_COLOR, NULL },
	{ TCT_OPTION_HELP, NULL },
};

const struct tct_command tct_command_snapshot = {
	.name = "snapshot",
	.summary = "Save all that an audit would look at, to judge it later or on another host.",
	.usage = "snapshot [-o FILE] [OPTIONS]",
	.description =
		"The snapshot is one JSON document. It holds kernel settings and counters, the "
		"lines of the sysctl files, listeners, owners of sockets and addresses of "
		"peers; no secrets, and nothing of what connections carry.",
	.options = uses,
	.options_count = TCT_COUNT(uses),
	.example = "tcptune snapshot -o web1.json\n"
		   "tcptune audit --snapshot web1.json --profile highconn\n"
		   "ssh web1 tcptune snapshot | tcptune audit --snapshot -",
	.placeholder = "",
	.run = run,
};
