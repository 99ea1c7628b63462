#include "audit/observe/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/sockets_private.h"
#include "core/mem.h"

int tct_look_init(struct tct_look *look, struct tct_sockets *sockets,
		  struct tct_observation *observation)
{
	*look = (struct tct_look){ .sockets = sockets, .observation = observation };
	if ((sockets->options->looks & TCT_LOOK_OWNERS) == 0 || !sockets->options->root->live)
		return 0;
	for (size_t direction = 0; direction < TCT_DIRECTIONS; direction++) {
		look->cgroups[direction] = tct_cgroups_new(sockets->options->root);
		if (look->cgroups[direction] == NULL)
			return -ENOMEM;
	}
	/* the count of states runs in the thread that looks at incoming ones */
	tct_rare_populations_init(&look->rare, look->cgroups[TCT_INCOMING]);
	return 0;
}

void tct_look_done(struct tct_look *look)
{
	tct_look_join(look);
	tct_rare_populations_done(&look->rare);
	tct_connections_done(&look->connections);
	tct_peers_done(&look->peers);
	tct_destinations_done(&look->destinations);
	for (size_t direction = 0; direction < TCT_DIRECTIONS; direction++)
		tct_cgroups_free(look->cgroups[direction]);
	tct_listening_done(&look->listening);
}

void tct_sockets_init(struct tct_sockets *sockets, const struct tct_observe_options *options)
{
	*sockets = (struct tct_sockets){ .options = options };
	if (!options->root->live || (options->without & TCT_WITHOUT_INET_DIAG) != 0)
		sockets->diag.way = TCT_DIAG_REFUSED;
	else if ((options->without & TCT_WITHOUT_BOTH_FAMILIES) != 0)
		sockets->diag.way = TCT_DIAG_BY_FAMILY;
}

void tct_sockets_done(struct tct_sockets *sockets)
{
	free(sockets->marks);
	free(sockets->ports);
	free(sockets->plan);
	tct_closing_marks_done(&sockets->closing);
	tct_unaccepted_done(&sockets->unaccepted);
	tct_destinations_done(&sockets->destinations);
	*sockets = (struct tct_sockets){ 0 };
}

int tct_sockets_first_look(struct tct_sockets *sockets, struct tct_observation *observation)
{
	TCT_AUTO(tct_look_done) struct tct_look look;
	int result = tct_look_init(&look, sockets, observation);

	if (result == 0 && tct_look_has_nothing(&look))
		return 0;
	if (result == 0)
		result = tct_look_find_listeners(&look);
	if (result < 0)
		return result == -ENOMEM ? result : 0; /* the second look says what is wrong */
	result = tct_look_remember_listeners(&look);
	return result < 0 ? result : tct_look_remember_connections(&look);
}

/* ---- what could not be seen ---- */

static int note_nothing(const struct tct_look *look, int error)
{
	const struct tct_sockets *sockets = look->sockets;
	const char *what = "socket states and listeners";

	if (!sockets->options->root->live && error == -ENOENT)
		return tct_observation_gap(
			look->observation, what,
			"a directory tree has no sockets (no proc/net/tcp in it)");
	if (sockets->refusal < 0)
		return tct_observation_gap(look->observation, what,
					   "inet_diag: %s; /proc/net/tcp: %s",
					   strerror(-sockets->refusal), strerror(-error));
	return tct_observation_gap(look->observation, what, "proc/net/tcp: %s", strerror(-error));
}

static int note_proc_only(const struct tct_look *look)
{
	static const char *const lost[] = {
		"accept queue limits and drops of listeners",
		"listeners whose port the kernel chose",
		"idle times of connections",
		"sockets that are bound and do nothing (CLOSE)",
	};
	int refusal = look->sockets->refusal;
	int result = 0;

	for (size_t i = 0; i < TCT_COUNT(lost) && result == 0; i++) {
		if (refusal < 0)
			result = tct_observation_gap(look->observation, lost[i],
						     "not told by /proc/net/tcp (inet_diag: %s)",
						     strerror(-refusal));
		else
			result = tct_observation_gap(look->observation, lost[i],
						     "not told by proc/net/tcp");
	}
	return result;
}

static int note_doubts(const struct tct_look *look)
{
	struct tct_observation *observation = look->observation;
	int result = 0;

	if (look->malformed > 0)
		result = tct_observation_gap(observation, "some sockets",
					     "%llu lines of proc/net/tcp and tcp6 can't be read",
					     (unsigned long long)look->malformed);
	if (result == 0 && look->strange > 0)
		result = tct_observation_gap(observation, "some sockets",
					     "%lld are in a state that this program doesn't know",
					     (long long)look->strange);
	if (result == 0 && look->sockets->diag.interrupted)
		result = tct_observation_gap(observation, "exact counts of sockets",
					     "sockets changed while the kernel listed them");
	if (result == 0 && look->bound_uncounted)
		result = tct_observation_gap(observation,
					     "sockets that are bound and do nothing (CLOSE)",
					     "not counted beside so many others; --exact does");
	if (result == 0 && look->skipped)
		result = tct_observation_gap(observation, "half-open and bound sockets",
					     "not counted where the kernel has only listeners");
	return result;
}

/* ---- the look ---- */

/* The same by /proc, where inet_diag tells listeners and then fails. */
static int count_states(struct tct_look *look)
{
	int result = tct_look_count_states(look);

	if (result < 0 && result != -ENOMEM && !look->from_proc) {
		tct_look_join(look);
		look->sockets->diag.way = TCT_DIAG_REFUSED;
		look->sockets->refusal = result;
		look->states = (struct tct_states){ 0 };
		result = tct_look_count_states(look);
	}
	return result;
}

int tct_sockets_look(struct tct_sockets *sockets, struct tct_observation *observation)
{
	TCT_AUTO(tct_look_done) struct tct_look look;
	int result = tct_look_init(&look, sockets, observation);

	if (result == 0)
		result = count_states(&look);

	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return note_nothing(&look, result);
	observation->states = look.states;
	tct_rare_populations_hand_over(&look.rare, observation);
	result = tct_look_at_connections(&look);
	if (result == 0 && look.from_proc)
		result = note_proc_only(&look);
	return result < 0 ? result : note_doubts(&look);
}

int tct_sockets_look_at_listeners(struct tct_sockets *sockets, struct tct_observation *observation)
{
	TCT_AUTO(tct_look_done) struct tct_look look;
	int result = tct_look_init(&look, sockets, observation);

	if (result == 0)
		result = tct_look_find_listeners(&look);
	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return note_nothing(&look, result);
	return tct_look_hand_over_listeners(&look, false);
}
