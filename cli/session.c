#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "audit/observe/sosreport.h"
#include "cli/progress.h"
#include "core/mem.h"

static int split_var(const char *given, struct tct_var_override *var, char **name,
		     struct tct_err *err)
{
	const char *equals = strchr(given, '=');

	if (equals == NULL || equals == given || equals[1] == '\0')
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "--var wants NAME=VALUE, not '%s'",
				   given);
	*name = tct_text_copy(given, (size_t)(equals - given));
	if (*name == NULL)
		return tct_err_nomem(err);
	*var = (struct tct_var_override){ .name = *name, .value = equals + 1, .origin = "--var" };
	return 0;
}

static int open_vars(struct tct_session *session, struct tct_err *err)
{
	const struct tct_strings *given = &session->options->vars;

	if (given->items_count == 0)
		return 0;
	session->vars = calloc(given->items_count, sizeof(*session->vars));
	session->var_names = calloc(given->items_count, sizeof(*session->var_names));
	if (session->vars == NULL || session->var_names == NULL)
		return tct_err_nomem(err);
	session->request.vars = session->vars;
	for (size_t i = 0; i < given->items_count; i++) {
		int code =
			split_var(given->items[i], &session->vars[i], &session->var_names[i], err);

		if (code < 0)
			return code;
		session->request.vars_count = i + 1;
	}
	return 0;
}

/* "KEY=VALUE", or "KEY = VALUE" as in a file. A value may be empty: no ports. */
static int split_set(const char *given, struct tct_set_override *set, char **key,
		     struct tct_err *err)
{
	const char *equals = strchr(given, '=');
	char *name;

	if (equals == NULL)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "--set wants KEY=VALUE, not '%s'",
				   given);
	*key = tct_text_copy(given, (size_t)(equals - given));
	if (*key == NULL)
		return tct_err_nomem(err);
	name = tct_text_trim(*key);
	if (name[0] == '\0')
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "--set wants KEY=VALUE, not '%s'",
				   given);
	*set = (struct tct_set_override){ .key = name, .value = equals + 1, .origin = "--set" };
	return 0;
}

static int open_sets(struct tct_session *session, struct tct_err *err)
{
	const struct tct_strings *given = &session->options->sets;
	int code = 0;

	if (given->items_count == 0)
		return 0;
	session->sets = calloc(given->items_count, sizeof(*session->sets));
	session->set_keys = calloc(given->items_count, sizeof(*session->set_keys));
	if (session->sets == NULL || session->set_keys == NULL)
		return tct_err_nomem(err);
	session->request.sets = session->sets;
	for (size_t i = 0; code == 0 && i < given->items_count; i++) {
		code = split_set(given->items[i], &session->sets[i], &session->set_keys[i], err);
		session->request.sets_count = i + 1;
	}
	return code;
}

static int check_vars(const struct tct_profile_request *request, struct tct_err *err)
{
	for (size_t i = 0; i < request->vars_count; i++) {
		const char *name = request->vars[i].name;

		for (size_t j = 0; j < i; j++) {
			if (strcmp(name, request->vars[j].name) == 0)
				return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
						   "--var %s is given twice", name);
		}
	}
	return 0;
}

/* Files have no namespace, and stand still. */
static int check_place(const struct tct_options *options, struct tct_err *err)
{
	const char *other = options->netns != NULL      ? "netns"
			    : options->root != NULL     ? "root"
			    : options->interval_ns >= 0 ? "interval"
			    : options->exact            ? "exact"
			    : options->all_netns        ? "all-netns"
							: NULL;

	if (options->snapshot != NULL && other != NULL)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "--snapshot and --%s exclude each other: a snapshot is what was "
				   "seen then",
				   other);
	if (options->root != NULL && options->netns != NULL)
		return tct_err_set(
			err, TCT_FAULT_INPUT, EINVAL,
			"--root and --netns exclude each other: files have no namespace");
	if (options->all_netns && (options->root != NULL || options->netns != NULL))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "--all-netns and --%s exclude each other%s",
				   options->root != NULL ? "root" : "netns",
				   options->root != NULL ? ": files have no namespace" : "");
	return 0;
}

static int open_snapshot(struct tct_session *session, struct tct_err *err)
{
	int code = tct_snapshot_load(session->options->snapshot, &session->snapshot, err);

	session->request.root = NULL;
	session->request.variables = session->snapshot.variables;
	return code;
}

struct tct_observation *tct_session_take(struct tct_snapshot *snapshot)
{
	struct tct_observation *first = snapshot->observations[0];

	snapshot->observations_count--;
	memmove(snapshot->observations, snapshot->observations + 1,
		snapshot->observations_count * sizeof(struct tct_observation *));
	return first;
}

int tct_session_open_nowhere(struct tct_session *session, const struct tct_options *options,
			     const char *default_profile, struct tct_err *err)
{
	int code;

	*session = (struct tct_session){ .options = options, .root = { .fd = -1 } };
	session->request.names = options->profiles.items;
	session->request.names_count = options->profiles.items_count;
	if (options->profiles.items_count == 0 && default_profile != NULL) {
		session->fallback = default_profile;
		session->request.names = &session->fallback;
		session->request.names_count = 1;
	}
	code = open_vars(session, err);
	if (code == 0)
		code = open_sets(session, err);
	return code < 0 ? code : check_vars(&session->request, err);
}

int tct_session_open(struct tct_session *session, const struct tct_options *options,
		     const char *default_profile, struct tct_err *err)
{
	int code = tct_session_open_nowhere(session, options, default_profile, err);

	session->request.root = &session->root;
	if (code == 0)
		code = check_place(options, err);
	if (code == 0 && options->snapshot != NULL)
		code = open_snapshot(session, err);
	else if (code == 0)
		code = tct_root_open(&session->root, options->root, err);
	if (code == 0 && options->snapshot == NULL)
		code = tct_sos_enter(&session->root, err);
	if (code == 0 && session->root.live)
		code = tct_netns_enter(options->netns, &session->netns, err);
	return code;
}

void tct_session_done(struct tct_session *session)
{
	for (size_t i = 0; session->var_names != NULL && i < session->options->vars.items_count;
	     i++)
		free(session->var_names[i]);
	free(session->var_names);
	for (size_t i = 0; session->set_keys != NULL && i < session->options->sets.items_count; i++)
		free(session->set_keys[i]);
	free(session->set_keys);
	free(session->sets);
	free(session->vars);
	tct_root_done(&session->root);
	tct_snapshot_done(&session->snapshot);
	*session = (struct tct_session){ .root = { .fd = -1 } };
}

static struct tct_observe_options how(const struct tct_session *session)
{
	return (struct tct_observe_options){
		.root = &session->root,
		.netns = session->root.live ? &session->netns : NULL,
	};
}

int tct_session_host(struct tct_session *session, struct tct_observation **out, struct tct_err *err)
{
	const struct tct_observe_options observe = how(session);

	if (session->options->snapshot != NULL) {
		*out = tct_session_take(&session->snapshot);
		return 0;
	}
	return tct_observe_host(&observe, out, err);
}

static struct tct_observe_options how_traffic(const struct tct_session *session, unsigned looks,
					      int64_t interval_ns)
{
	struct tct_observe_options observe = how(session);

	observe.sockets = observe.counters = true;
	observe.interval_ns = interval_ns;
	observe.looks = looks;
	observe.exact = session->options->exact;
	return observe;
}

/* text must live as long as the progress. */
static void begin_progress(struct tct_progress *progress, int64_t interval_ns,
			   char text[TCT_NUMBER_TEXT + 32])
{
	char number[TCT_NUMBER_TEXT];

	if (snprintf(text, TCT_NUMBER_TEXT + 32, "looking for %s ...",
		     tct_text_nanoseconds(interval_ns, number)) < 0)
		text[0] = '\0';
	tct_progress_begin(progress, interval_ns > 0 ? text : "looking ...");
}

int tct_session_traffic(const struct tct_session *session, unsigned looks, int64_t interval_ns,
			struct tct_observation *observation, struct tct_err *err)
{
	const struct tct_observe_options observe = how_traffic(session, looks, interval_ns);
	char text[TCT_NUMBER_TEXT + 32];
	struct tct_progress progress;

	if (session->options->snapshot != NULL)
		return 0; /* all of it was seen then */
	begin_progress(&progress, interval_ns, text);

	int code = tct_observe_traffic(&observe, observation, err);

	tct_progress_end(&progress);
	return code;
}

/* Namespaces are held open, one descriptor each. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* then some are opened when it is their turn */
}

int tct_session_namespaces(const struct tct_session *session, struct tct_namespaces *namespaces,
			   struct tct_err *err)
{
	raise_descriptors();
	return tct_namespaces_list(&session->root, namespaces, err);
}

int tct_session_tell_unseen(const struct tct_namespaces *namespaces, const struct tct_tour *tour,
			    struct tct_observation *own, struct tct_err *err)
{
	char what[96];
	int code = 0;

	if (tour->refused > 0) {
		(void)snprintf(what, sizeof(what), "%zu network namespace%s", tour->refused,
			       tour->refused == 1 ? "" : "s");
		code = tct_observation_gap(own, what, "entering %s: %s",
					   tour->refused == 1 ? "it" : "them",
					   strerror(tour->refusal));
	}
	if (code == 0 && tour->gone > 0) {
		(void)snprintf(what, sizeof(what), "%zu network namespace%s", tour->gone,
			       tour->gone == 1 ? "" : "s");
		code = tct_observation_gap(own, what, "gone before %s could be looked at",
					   tour->gone == 1 ? "it" : "they");
	}
	if (code == 0 && namespaces->not_permitted > 0)
		code = tct_observation_gap(own, "network namespaces that have no name",
					   "%zu process%s may not be looked at",
					   namespaces->not_permitted,
					   namespaces->not_permitted == 1 ? "" : "es");
	return code < 0 ? tct_err_nomem(err) : 0;
}

int tct_session_tour(const struct tct_session *session, unsigned looks, int64_t interval_ns,
		     const struct tct_needs *needs, tct_tour_visit *visit, void *context,
		     struct tct_observation *own, struct tct_tour *tour, struct tct_err *err)
{
	TCT_AUTO(tct_namespaces_done) struct tct_namespaces namespaces;
	const struct tct_observe_options own_options = how_traffic(session, looks, interval_ns);
	struct tct_observe_options others = own_options;
	const struct tct_tour_options options = {
		.namespaces = &namespaces,
		.own = &own_options,
		.others = &others,
		.visit = visit,
		.context = context,
	};
	char text[TCT_NUMBER_TEXT + 32];
	struct tct_progress progress;

	others.host = &own->host;
	others.without_files = true;
	others.thrifty = !others.exact;
	if (needs != NULL) {
		others.looks = needs->looks;
		others.keys = needs->keys;
		others.counter_groups = needs->counter_groups;
		if (interval_ns > 0)
			others.counter_groups |= needs->growth_groups;
		others.counters = others.counter_groups != 0;
	}
	begin_progress(&progress, interval_ns, text);

	int code = tct_session_namespaces(session, &namespaces, err);

	if (code == 0)
		code = tct_observe_all(&options, own, tour, err);
	tct_progress_end(&progress);
	return code < 0 ? code : tct_session_tell_unseen(&namespaces, tour, own, err);
}

int tct_session_set(const struct tct_session *session, const struct tct_observation *observation,
		    struct tct_facts *facts, struct tct_profile_set **set, struct tct_err *err)
{
	*facts = (struct tct_facts){ 0 };
	tct_facts_from_host(&observation->host, facts);
	return tct_profile_set_load(&session->request, facts, set, err);
}

int tct_session_load(struct tct_session *session, struct tct_facts *facts,
		     struct tct_observation **observation, struct tct_profile_set **set,
		     struct tct_err *err)
{
	int code = tct_session_host(session, observation, err);

	return code < 0 ? code : tct_session_set(session, *observation, facts, set, err);
}

int tct_session_suppressions(const struct tct_session *session,
			     const struct tct_observation *observation,
			     const struct tct_profile_set *set, struct tct_suppressions **out,
			     struct tct_err *err)
{
	const struct tct_options *options = session->options;
	const struct tct_root *root = session->root.fd >= 0 ? &session->root : NULL;
	int64_t now_ns = observation->host.taken_at_ns;
	struct tct_suppressions *suppressions = NULL;
	int code = 0;

	if (options->no_suppressions && options->suppressions != NULL)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "--suppressions and --no-suppressions exclude each other");
	if (options->no_suppressions)
		return 0;
	if (options->suppressions != NULL)
		code = tct_suppressions_load_file(options->suppressions, now_ns, &suppressions,
						  err);
	else if (root != NULL)
		code = tct_suppressions_load(root, now_ns, &suppressions, err);
	if (code < 0 || suppressions == NULL)
		return code;
	code = tct_suppressions_check(suppressions, set, root, err);
	if (code < 0)
		tct_suppressions_free(suppressions);
	else
		*out = suppressions;
	return code;
}
