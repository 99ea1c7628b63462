/*
 * Are the estimates fair? 10 destinations of 900 connections each, looked at from both ends: a
 * sample of the incoming ones, and the outgoing ones on some of the ports.
 */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/observe/observation.h"
#include "core/mem.h"
#include "tests/netns/zoo.h"

enum {
	SKIPPED = 77,
	DESTINATIONS = 10,
	EACH = 900,
	ALL = DESTINATIONS * EACH,
	BOTH_ENDS = ALL + ALL,
	ROOM = BOTH_ENDS + BOTH_ENDS,
	FIRST_PORT = 7000,
	CHILDREN_MAX = 64,
	LOOKS = 24,
	SAMPLE = 700, /* small, so that it is a sample: whole up to 12 times as many outgoing ones
		       */
};

static pid_t children[CHILDREN_MAX];

/* Make `count` connections to each listener, hold both ends, and say so. Never returns. */
static void hold(const int listeners[DESTINATIONS], unsigned count, int done)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = 0; j < DESTINATIONS; j++) {
			(void)zoo_connect(ZOO_HERE, (uint16_t)(FIRST_PORT + j), ZOO_THERE, false);
			(void)zoo_accept(listeners[j]);
		}
	}
	ck_assert_int_eq(write(done, "x", 1), 1);
	for (;;)
		(void)pause();
}

/* As many processes as the limit of descriptors makes necessary. */
static void connect_all(void)
{
	struct rlimit limit;
	int listeners[DESTINATIONS];
	int done[2];
	unsigned each;
	unsigned left = EACH;
	char byte;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	each = limit.rlim_cur > BOTH_ENDS + 100
		       ? EACH
		       : (unsigned)(limit.rlim_cur - 100) / DESTINATIONS / 2;
	ck_assert_int_eq(pipe(done), 0);
	for (unsigned j = 0; j < DESTINATIONS; j++) {
		const struct zoo_place place = {
			.address = "0.0.0.0",
			.port = (uint16_t)(FIRST_PORT + j),
			.backlog = 1024,
		};

		listeners[j] = zoo_listen(&place);
	}
	for (size_t i = 0; left > 0; i++) {
		unsigned count = left < each ? left : each;

		ck_assert_uint_lt(i, CHILDREN_MAX);
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0)
			hold(listeners, count, done[1]);
		ck_assert_int_eq(read(done[0], &byte, 1), 1);
		left -= count;
	}
}

static void end_children(void)
{
	for (size_t i = 0; i < CHILDREN_MAX && children[i] > 0; i++) {
		(void)kill(children[i], SIGKILL);
		(void)waitpid(children[i], NULL, 0);
		children[i] = 0;
	}
}

static struct tct_observation *look(int64_t sample)
{
	struct tct_root root;
	struct tct_observation *observation = NULL;
	struct tct_err err = { 0 };

	ck_assert_int_eq(tct_root_open(&root, NULL, &err), 0);

	const struct tct_observe_options options = {
		.root = &root,
		.sockets = true,
		.looks = TCT_LOOK_ALL,
		.sample_sockets = sample,
	};

	ck_assert_msg(tct_observe(&options, &observation, &err) == 0, "%s", err.message);
	tct_root_done(&root);
	return observation;
}

static const struct tct_listener *listener_at(const struct tct_observation *observation,
					      unsigned index)
{
	for (size_t i = 0; i < observation->listeners_count; i++) {
		if (observation->listeners[i].port == FIRST_PORT + index)
			return &observation->listeners[i];
	}
	ck_abort_msg("no listener %u", index);
	return NULL;
}

/* How many sockets are said to go to a destination; 0 if it isn't told. */
static const struct tct_destination *destination_at(const struct tct_observation *observation,
						    unsigned index)
{
	for (size_t i = 0; i < observation->outgoing.destinations_count; i++) {
		const struct tct_destination *destination = &observation->outgoing.destinations[i];

		if (destination->port == FIRST_PORT + index) {
			ck_assert_str_eq(destination->source, ZOO_THERE);
			ck_assert_str_eq(destination->address, ZOO_HERE);
			return destination;
		}
	}
	ck_abort_msg("no destination %u of %zu: %s, %d, %lld ports, %lld sockets", index,
		     observation->outgoing.destinations_count, observation->outgoing.why_not,
		     (int)observation->outgoing.presence,
		     (long long)observation->outgoing.ports_usable,
		     (long long)observation->outgoing.sockets);
	return NULL;
}

static void check_whole(void)
{
	struct tct_observation *observation = look(ROOM);

	ck_assert_int_eq(observation->states.counts[TCT_STATE_ESTABLISHED], BOTH_ENDS);
	ck_assert(observation->sample.whole);
	ck_assert_int_eq(observation->sample.seen, BOTH_ENDS);
	ck_assert_int_eq(observation->sample.error_ppm, 0);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_REMOTE].total, BOTH_ENDS);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_UNGUARDED].total, BOTH_ENDS);
	ck_assert(observation->outgoing.whole);
	ck_assert_int_eq(observation->outgoing.sockets, ALL);
	ck_assert_int_eq(observation->outgoing.established, ALL);
	for (unsigned i = 0; i < DESTINATIONS; i++) {
		ck_assert_int_eq(listener_at(observation, i)->established, EACH);
		ck_assert_int_eq(listener_at(observation, i)->unguarded, EACH);
		ck_assert_int_eq(destination_at(observation, i)->sockets, EACH);
		ck_assert_int_eq(destination_at(observation, i)->used, EACH);
	}
	tct_observation_free(observation);
}

/* Few enough outgoing ones to count each, beside a sample of the incoming ones. */
static void check_outgoing_whole(void)
{
	struct tct_observation *observation = look(1000);

	ck_assert(!observation->sample.whole);
	ck_assert_int_eq(observation->sample.seen, 1000 + ALL);
	ck_assert(observation->outgoing.whole);
	ck_assert_int_eq(observation->outgoing.sockets, ALL);
	for (unsigned i = 0; i < DESTINATIONS; i++)
		ck_assert_int_eq(destination_at(observation, i)->used, EACH);
	/* half of them are sampled, the others are known */
	ck_assert(observation->sample.error_ppm > 10000 && observation->sample.error_ppm < 20000);
	ck_assert_int_eq(observation->populations[TCT_POPULATION_REMOTE].total, BOTH_ENDS);
	tct_observation_free(observation);
}

/* The incoming sample is the same at each look: fair means that no listener is preferred. */
static void check_incoming(const struct tct_observation *observation)
{
	double share = (double)SAMPLE / ALL;
	double expected = SAMPLE / (double)DESTINATIONS;
	/* four and a half standard deviations of what is drawn without putting back */
	double apart = 4.5 * sqrt(expected * (1 - share));

	for (unsigned i = 0; i < DESTINATIONS; i++) {
		double seen = (double)listener_at(observation, i)->established * share;

		ck_assert_msg(fabs(seen - expected) <= apart,
			      "listener %u: %.0f in the sample, %.0f +- %.0f expected", i, seen,
			      expected, apart);
	}
}

static void check_sampled(void)
{
	double sum[DESTINATIONS] = { 0 };
	double worst = 0;

	for (unsigned round = 0; round < LOOKS; round++) {
		struct tct_observation *observation = look(SAMPLE);
		double bound = (double)observation->sample.error_ppm / 1e6;
		double unguarded = (double)observation->populations[TCT_POPULATION_UNGUARDED].total;

		ck_assert(!observation->sample.whole && !observation->outgoing.whole);
		ck_assert_int_eq(observation->sample.of, BOTH_ENDS);
		ck_assert_int_ge(observation->sample.seen, SAMPLE);
		ck_assert_int_lt(observation->sample.seen, ALL);
		ck_assert(bound > 0 && bound < 0.1);
		/* All are unguarded, so the estimate is the whole. */
		ck_assert(fabs(unguarded - BOTH_ENDS) <= 0.02 * BOTH_ENDS);
		ck_assert_int_lt(observation->outgoing.ports_looked_at,
				 observation->outgoing.ports_usable);
		check_incoming(observation);
		for (unsigned i = 0; i < DESTINATIONS; i++) {
			double told = (double)destination_at(observation, i)->sockets;
			double off = fabs(told - EACH) / EACH;

			sum[i] += told;
			worst = off > worst ? off : worst;
		}
		/* five standard deviations and more */
		ck_assert(fabs((double)observation->outgoing.sockets - ALL) <= 0.22 * ALL);
		tct_observation_free(observation);
	}
	for (unsigned i = 0; i < DESTINATIONS; i++) {
		double mean = sum[i] / LOOKS;

		ck_assert_msg(fabs(mean - EACH) <= 0.08 * EACH,
			      "destination %u: %.0f on average, %d expected", i, mean, EACH);
	}
	ck_assert_msg(worst <= 0.65, "a destination is estimated %.1f %% off", worst * 100);
	printf("worst single estimate of a destination: %.1f %% off\n", worst * 100);
}

/* In this namespace: few enough ports that running out of them is possible, so all are looked at.
 */
static void narrow_ports(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_gt(fprintf(file, "20000 32001\n"), 0);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(ten_destinations_of_900_each_from_both_ends)
{
	narrow_ports();
	connect_all();
	check_whole();
	check_outgoing_whole();
	check_sampled();
	end_children();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sampling");
	TCase *cases = tcase_create("sampling");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!zoo_is_permitted()) {
		srunner_free(runner);
		return SKIPPED;
	}
	tcase_add_checked_fixture(cases, zoo_enter, end_children);
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, ten_destinations_of_900_each_from_both_ends);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
