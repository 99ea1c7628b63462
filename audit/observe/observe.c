#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/observe/counters_read.h"
#include "audit/observe/environment.h"
#include "audit/observe/host.h"
#include "audit/observe/interfaces.h"
#include "audit/observe/observation.h"
#include "audit/observe/sockets.h"
#include "audit/observe/sosreport.h"
#include "audit/observe/sysctl_live.h"
#include "core/clock.h"
#include "core/mem.h"

/* What lives from the first look to the last one. */
struct tct_looks {
	const struct tct_observe_options *options;
	struct tct_observation *observation;
	struct tct_sockets sockets;
	struct tct_counter_value *first;      /* [tct_counters_count], NULL = no first look */
	struct tct_interface_list interfaces; /* of the first look */
	bool two_looks;
	int64_t first_ns; /* CLOCK_MONOTONIC of the first look at the counters */
};

void tct_looks_free(struct tct_looks *looks)
{
	if (looks == NULL)
		return;
	tct_sockets_done(&looks->sockets);
	tct_interface_list_done(&looks->interfaces);
	free(looks->first);
	free(looks);
}

static void drop_looks(struct tct_looks *const *looks)
{
	tct_looks_free(*looks);
}

bool tct_observe_wait(const struct tct_observe_options *options, int64_t since_ns)
{
	int64_t deadline_ns = since_ns + options->interval_ns;
	const struct timespec deadline = {
		.tv_sec = deadline_ns / INT64_C(1000000000),
		.tv_nsec = deadline_ns % INT64_C(1000000000),
	};

	if (options->wait != NULL)
		return options->wait(options->wait_context, deadline_ns);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR)
		;
	return false;
}

/* What counts of interfaces is what grows: of the live host one look tells nothing. */
static bool wants_interfaces(const struct tct_looks *looks)
{
	const struct tct_observe_options *options = looks->options;

	return options->sockets && (options->looks & TCT_LOOK_INTERFACES) != 0 &&
	       (looks->two_looks || !options->root->live);
}

static int first_look(struct tct_looks *looks)
{
	const struct tct_observe_options *options = looks->options;
	int result = 0;

	if (!looks->two_looks)
		return 0;
	looks->first = calloc(tct_counters_count, sizeof(*looks->first));
	if (looks->first == NULL)
		return -ENOMEM;
	looks->first_ns = tct_now_ns();
	if (options->counters)
		result = tct_counters_read(options->root, options->counter_groups, looks->first,
					   NULL);
	/* what can't be read now is noted at the last look */
	if (result == 0 && wants_interfaces(looks) &&
	    tct_interfaces_read(options->root, &looks->interfaces) == -ENOMEM)
		result = -ENOMEM;
	if (result == 0 && options->sockets)
		result = tct_sockets_first_look(&looks->sockets, looks->observation);
	return result;
}

static int last_look(struct tct_looks *looks)
{
	const struct tct_observe_options *options = looks->options;
	struct tct_observation *observation = looks->observation;
	TCT_AUTOFREE struct tct_counter_value *last = calloc(tct_counters_count, sizeof(*last));
	int64_t last_ns = tct_now_ns();
	int result = 0;

	if (last == NULL)
		return -ENOMEM;
	if (options->counters) {
		result = tct_sos_is(options->root)
				 ? tct_sos_counters_read(options->root, last, observation)
				 : tct_counters_read(options->root, options->counter_groups, last,
						     observation);
		if (result < 0)
			return result;
		tct_counters_combine(looks->two_looks ? looks->first : last, last,
				     observation->counters);
	}
	if (looks->two_looks)
		observation->interval_ns = last_ns - looks->first_ns;
	if (wants_interfaces(looks))
		result = tct_interfaces_look(
			options->root, looks->two_looks ? &looks->interfaces : NULL, observation);
	if (result < 0)
		return result;
	if (options->sockets || options->listeners) {
		result = tct_sos_sockets_look(options->root, observation);
		if (result != -ENOENT)
			return result;
	}
	if (options->sockets)
		result = tct_sockets_look(&looks->sockets, observation);
	else if (options->listeners)
		result = tct_sockets_look_at_listeners(&looks->sockets, observation);
	return result;
}

/* What the files of a DIR set, where it has no live values. 0 or -errno. */
static int find_boot_values(struct tct_observation *observation, const struct tct_root *root)
{
	bool any_live = false;

	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		any_live |= observation->sysctls[i].presence != TCT_NOT_LOOKED;
	if (root->live || any_live || observation->files == NULL)
		return 0;
	observation->boot_values = calloc(tct_kernel_keys_count, sizeof(*observation->boot_values));
	if (observation->boot_values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		enum tct_boot_model model = observation->boot_model;
		tct_version until = tct_kernel_keys[i].until;
		int known = 0;

		/* a line for a key that this kernel no longer has sets nothing */
		if (until != 0 && observation->host.kernel_version >= until)
			continue;
		for (unsigned m = 0; m < TCT_BOOT_MODELS && known == 0; m++) {
			if (model != TCT_BOOT_MODELS && model != (enum tct_boot_model)m)
				continue;
			known = tct_sysctl_files_value(observation->files, &tct_kernel_keys[i],
						       (enum tct_boot_model)m, false, NULL,
						       &observation->boot_values[i]);
			if (known == 0)
				tct_value_done(&observation->boot_values[i]);
		}
		if (known < 0)
			return known;
	}
	return 0;
}

/* Files that may decide the next boot, and could not be read. 0 or -ENOMEM. */
static int note_unread_files(struct tct_observation *observation)
{
	enum { MOST = 8 };
	const struct tct_sysctl_files *files = observation->files;
	size_t unread = 0;
	char what[64];

	for (size_t i = 0; i < files->faults_count; i++) {
		const struct tct_file_fault *fault = &files->faults[i];

		if (!fault->unread || ++unread > MOST)
			continue;
		if (tct_observation_gap(observation, fault->file, "%s", fault->what) < 0)
			return -ENOMEM;
	}
	if (unread <= MOST)
		return 0;
	(void)snprintf(what, sizeof(what), "%zu more sysctl files", unread - MOST);
	return tct_observation_gap(observation, what, "they can't be read either");
}

static int look_at_files(struct tct_observation *observation, const struct tct_root *root)
{
	struct tct_err err = { 0 };
	int result = tct_sysctl_files_read(root, &observation->files, &err);

	observation->files_govern = !root->live || observation->host.netns.initial;
	observation->boot_model = tct_boot_model_of(root);
	if (result == -ENOMEM)
		return result;
	if (result < 0) {
		observation->files = NULL;
		return tct_observation_gap(observation, "sysctl files", "%s", err.message);
	}
	if (observation->files_govern && note_unread_files(observation) < 0)
		return -ENOMEM;
	return find_boot_values(observation, root);
}

/* The same host, seen from another namespace. */
static void take_host(const struct tct_host *host, struct tct_host *to)
{
	const struct tct_netns netns = to->netns;

	*to = *host;
	to->netns = netns;
}

static int look_at_host(const struct tct_observe_options *options,
			struct tct_observation *observation)
{
	int result = 0;

	if (options->netns != NULL)
		observation->host.netns = *options->netns;
	else if (options->root->live)
		result = tct_netns_enter(NULL, &observation->host.netns, NULL);
	if (result < 0)
		return result;
	if (options->host != NULL) {
		take_host(options->host, &observation->host);
	} else {
		tct_host_look(options->root, &observation->host);
		tct_environment_look(options->root, &observation->environment);
	}
	if (tct_sos_is(options->root)) {
		tct_sos_host_look(options->root, &observation->host);
		tct_sos_environment_look(options->root, &observation->environment);
		result = tct_sos_sysctls_look(options->root, observation);
	} else {
		result = tct_sysctls_look(options->root, options->keys,
					  options->net_ipv4 != NULL ? *options->net_ipv4 : -1,
					  observation);
	}
	if (result == 0 && !options->without_files)
		result = look_at_files(observation, options->root);
	return result;
}

static int check_root(const struct tct_observe_options *options, struct tct_err *err)
{
	if (options->root->fd < 0)
		return tct_err_set(err, TCT_FAULT_INPUT, EBADF, "the root is not open");
	return 0;
}

static int tell_error(int result, struct tct_err *err)
{
	if (result == -ENOMEM)
		return tct_err_nomem(err);
	return tct_err_set(err, TCT_FAULT_REFUSED, -result, "the host can't be observed: %s",
			   strerror(-result));
}

static void drop_observation(struct tct_observation *const *observation)
{
	tct_observation_free(*observation);
}

int tct_observe_host(const struct tct_observe_options *options, struct tct_observation **out,
		     struct tct_err *err)
{
	TCT_AUTO(drop_observation) struct tct_observation *observation = NULL;
	int result = check_root(options, err);

	if (result < 0)
		return result;
	observation = tct_observation_new();
	if (observation == NULL)
		return tct_err_nomem(err);
	result = look_at_host(options, observation);
	if (result < 0)
		return tell_error(result, err);
	*out = TCT_STEAL(observation);
	return 0;
}

int tct_observe_first(const struct tct_observe_options *options,
		      struct tct_observation *observation, struct tct_looks **looks,
		      struct tct_err *err)
{
	TCT_AUTO(drop_looks) struct tct_looks *made = NULL;
	int result = check_root(options, err);

	if (result < 0)
		return result;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return tct_err_nomem(err);
	made->options = options;
	made->observation = observation;
	made->two_looks = options->root->live && options->interval_ns > 0 &&
			  (options->counters || options->sockets);
	tct_sockets_init(&made->sockets, options);
	result = first_look(made);
	if (result < 0)
		return tell_error(result, err);
	*looks = TCT_STEAL(made);
	return 0;
}

int tct_observe_last(struct tct_looks *looks, bool again, struct tct_err *err)
{
	TCT_AUTO(drop_looks) struct tct_looks *taken = looks;
	int result;

	taken->two_looks = taken->two_looks && again;
	result = last_look(taken);
	return result < 0 ? tell_error(result, err) : 0;
}

int tct_observe_traffic(const struct tct_observe_options *options,
			struct tct_observation *observation, struct tct_err *err)
{
	struct tct_looks *looks = NULL;
	int result = tct_observe_first(options, observation, &looks, err);
	bool again = true;

	if (result < 0)
		return result;
	if (looks->two_looks)
		again = !tct_observe_wait(options, looks->first_ns);
	return tct_observe_last(looks, again, err);
}

int tct_observe(const struct tct_observe_options *options, struct tct_observation **out,
		struct tct_err *err)
{
	TCT_AUTO(drop_observation) struct tct_observation *observation = NULL;
	int result = tct_observe_host(options, &observation, err);

	if (result == 0)
		result = tct_observe_traffic(options, observation, err);
	if (result == 0)
		*out = TCT_STEAL(observation);
	return result;
}
