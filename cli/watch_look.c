/* One interval of `watch` after the other, without a gap between them. */
#include <time.h>

#include "audit/observe/join.h"
#include "cli/watch_run.h"
#include "core/mem.h"

static void drop_round(struct tct_watch_round *round)
{
	tct_report_free(round->report);
	tct_observation_free(round->observation);
	*round = (struct tct_watch_round){ 0 };
}

void tct_watch_run_done(struct tct_watch_run *run)
{
	for (size_t i = 0; i < TCT_COUNT(run->rounds); i++)
		drop_round(&run->rounds[i]);
	free(run->history);
	free(run->still);
	tct_history_free(run->past);
	run->history = NULL;
	run->still = NULL;
	run->past = NULL;
}

static int64_t realtime_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return 0;
	return now.tv_sec * TCT_WATCH_SECOND_NS + now.tv_nsec;
}

int64_t tct_watch_pace_ns(const struct tct_watch_run *run)
{
	enum { SHARE = 10 };
	const int64_t most_ns = 60 * TCT_WATCH_SECOND_NS;
	int64_t pace_ns = run->spent_ns * SHARE;

	pace_ns = pace_ns < most_ns ? pace_ns : most_ns;
	return pace_ns > run->interval_ns / 4 * 5 ? pace_ns : run->interval_ns;
}

static int64_t cpu_ns(void)
{
	struct timespec used;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) < 0)
		return 0;
	return used.tv_sec * TCT_WATCH_SECOND_NS + used.tv_nsec;
}

/* The observation sleeps through this. The beat is kept if looking took little of the interval. */
static bool wait_for_interval(void *context, int64_t deadline_ns)
{
	struct tct_watch_run *run = context;

	run->first_ns = deadline_ns - run->interval_ns;
	if (run->cpu_ns != 0) /* before the first there was a profile to load, and no look */
		run->spent_ns += (cpu_ns() - run->cpu_ns - run->spent_ns) / 4;
	if (run->began_ns == 0 || run->first_ns - run->began_ns > run->interval_ns / 2)
		run->began_ns = run->first_ns;

	bool ended = run->terminal != NULL ? tct_watch_wait_on_terminal(run)
					   : tct_watch_wait_for_reader(run);

	run->began_ns += tct_watch_pace_ns(run);
	run->cpu_ns = cpu_ns();
	return ended;
}

/* What happened since the last look of the interval before belongs to this one. */
static int join(const struct tct_watch_run *run, struct tct_watch_round *round)
{
	const struct tct_watch_round *before = &run->rounds[run->newest];

	if (round->observation->interval_ns > 0)
		round->last_ns = run->first_ns + round->observation->interval_ns;
	if (before->last_ns == 0 || round->last_ns == 0)
		return 0;
	return tct_observation_join(round->observation, before->observation,
				    run->first_ns - before->last_ns);
}

/* The round becomes the newest; the one that is shown while paused stays. */
static void keep(struct tct_watch_run *run, struct tct_watch_round *round)
{
	unsigned slot = run->paused ? 1 - run->shown : run->shown;

	drop_round(&run->rounds[slot]);
	run->rounds[slot] = *round;
	*round = (struct tct_watch_round){ 0 };
	run->newest = slot;
}

int tct_watch_look(struct tct_watch_run *run, bool once, struct tct_err *err)
{
	TCT_AUTO(drop_round) struct tct_watch_round round = { 0 };
	const struct tct_observe_options options = {
		.root = &run->session->root,
		.netns = &run->session->netns,
		.interval_ns = once ? 0 : run->interval_ns,
		.sockets = true,
		.counters = true,
		/* the same as an audit's: it must not judge otherwise */
		.looks = tct_profile_set_looks(run->set) | TCT_LOOK_DESTINATIONS | TCT_LOOK_OWNERS |
			 TCT_LOOK_UNACCEPTED,
		.wait = wait_for_interval,
		.wait_context = run,
	};
	/* each finding is followed: which ones are at the top may change from look to look */
	const struct tct_judge_options judging = {
		.history = run->past,
		.suppressions = run->suppressions,
		.all = true,
	};
	int code = tct_observe(&options, &round.observation, err);

	if (code < 0 || run->ended)
		return code;
	if (join(run, &round) < 0)
		return tct_err_nomem(err);
	round.now_ns = tct_now_ns();
	round.taken_at_ns = realtime_ns();
	if (run->suppressions != NULL)
		tct_suppressions_set_now(run->suppressions, round.taken_at_ns);
	tct_history_add(run->past, round.observation,
			round.last_ns != 0 ? round.last_ns : round.now_ns);
	code = tct_judge(round.observation, run->set, &run->facts, &judging, &round.report, err);
	if (code < 0)
		return code;
	tct_watch_history_add(run->history, round.report, round.now_ns);
	keep(run, &round);
	return 0;
}

struct tct_watch_view tct_watch_view_of(const struct tct_watch_run *run)
{
	const struct tct_watch_round *round = &run->rounds[run->shown];

	return (struct tct_watch_view){
		.report = round->report,
		.history = run->paused ? run->still : run->history,
		.now_ns = round->now_ns,
		.taken_at_ns = round->taken_at_ns,
		.interval_ns = run->interval_ns,
		.pace_ns = tct_watch_pace_ns(run),
		.sort = run->sort,
		.reverse = run->reverse,
		.paused = run->paused,
		.help = run->help,
	};
}
