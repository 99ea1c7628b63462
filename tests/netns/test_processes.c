/* Which process holds a socket, on the running kernel: /proc with and without the right to look. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/observe/processes.h"
#include "core/mem.h"
#include "tests/netns/children.h"
#include "tests/netns/zoo.h"

enum {
	SKIPPED = 77,
	MANY = 9000, /* more than one thread takes on alone */
};

static struct tct_root root;

static void open_root(void)
{
	struct tct_err err = { 0 };

	ck_assert_int_eq(tct_root_open(&root, NULL, &err), 0);
}

static void set_up(void)
{
	zoo_enter();
	open_root();
}

static uint32_t inode_of(int fd)
{
	struct stat status;

	ck_assert_int_eq(fstat(fd, &status), 0);
	return (uint32_t)status.st_ino;
}

static struct tct_search seek(uint32_t inode, int32_t hint, int64_t budget_ns, int32_t *pid)
{
	struct tct_sought sought = { .inode = inode };
	struct tct_search search;

	ck_assert_int_eq(
		tct_processes_seek(&root, &sought, 1, &hint, hint != 0, budget_ns, &search), 0);
	*pid = sought.pid;
	return search;
}

START_TEST(a_small_budget_runs_out)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct tct_search search;
	int32_t pid;

	ck_assert_int_ge(fd, 0);
	search = seek(inode_of(fd), 0, 1, &pid);
	ck_assert(search.out_of_time && !search.complete);
	ck_assert_int_eq(pid, 0);
	ck_assert_uint_eq(search.found, 0);
	search = seek(inode_of(fd), 0, 0, &pid);
	ck_assert(!search.out_of_time && search.complete);
	ck_assert_int_eq(pid, getpid());
	ck_assert_int_gt(search.looked_at, 0);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

/*
 * Run a test as the init of a PID namespace with a /proc that shows no more: there the whole of it
 * may be looked at, whatever the host runs.
 */
static void alone(void (*test)(void))
{
	const pid_t outer = children_fork();

	if (outer == 0) {
		pid_t inner;

		if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) {
			printf("NOT TESTED: no PID namespace can be made: %s\n", strerror(errno));
			children_leave();
		}
		inner = children_fork();
		if (inner == 0) {
			tct_root_done(&root);
			ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
			ck_assert_int_eq(mount("proc", "/proc", "proc", 0, NULL), 0);
			open_root(); /* the old one leads to the old mounts */
			test();
			children_leave();
		}
		children_join(inner);
		children_leave();
	}
	children_join(outer);
}

/* A child that only holds what was open. */
static pid_t start_holder(void)
{
	const pid_t pid = children_fork();

	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	return pid;
}

static void look_with_rights(void)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const uint32_t inode = inode_of(fd);
	const pid_t holder = start_holder();
	struct tct_search search;
	int32_t pid;
	pid_t plain;

	/* Both hold it: init is not the one to name. */
	search = seek(inode, 0, 0, &pid);
	ck_assert_int_eq(pid, holder);
	ck_assert(search.complete && !search.not_permitted);
	search = seek(inode, 1, 0, &pid);
	ck_assert_int_eq(pid, 1);
	/* Nobody has it: sure, for all was seen. */
	search = seek(0x7fffffff, 0, 0, &pid);
	ck_assert_int_eq(pid, 0);
	ck_assert(search.complete && !search.not_permitted && !search.out_of_time);

	plain = children_fork();
	if (plain == 0) {
		ck_assert_int_eq(close(fd), 0);
		children_become_nobody();
		search = seek(inode, holder, 0, &pid);
		ck_assert_int_eq(pid, 0);
		ck_assert(search.not_permitted && !search.complete && !search.out_of_time);
		children_leave();
	}
	children_join(plain);
	children_end(holder);
}

START_TEST(what_may_not_be_looked_at_is_told)
{
	alone(look_with_rights);
}
END_TEST

static void look_for_the_hidden(void)
{
	pid_t plain;

	ck_assert_int_eq(mount("proc", "/proc", "proc", 0, "hidepid=2"), 0);
	plain = children_fork();
	if (plain == 0) {
		struct tct_search search;
		int32_t pid;

		children_become_nobody();
		ck_assert_int_eq(access("/proc/1", F_OK), -1);
		search = seek(0x7fffffff, 0, 0, &pid);
		ck_assert(search.not_permitted && !search.complete);
		children_leave();
	}
	children_join(plain);
}

START_TEST(hidden_processes_are_told)
{
	alone(look_for_the_hidden);
}
END_TEST

static void *rest(void *argument)
{
	(void)argument;
	for (;;)
		(void)pause();
	return NULL;
}

/* What a walk told of one process. */
struct told {
	uint32_t *inodes;
	size_t count;
	size_t max;
	int32_t pid;
};

static int note(void *context, int32_t pid, uint32_t inode)
{
	struct told *told = context;

	if (pid != told->pid)
		return 0;
	ck_assert_uint_lt(told->count, told->max);
	told->inodes[told->count++] = inode;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const uint32_t left = *(const uint32_t *)a;
	const uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* Raises this process's limit on descriptors; so many sockets as go, at most `wanted`. */
static size_t open_many(uint32_t *inodes, size_t wanted)
{
	struct rlimit limit;
	size_t count = 0;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (count < wanted) {
		const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			break;
		inodes[count++] = inode_of(fd);
	}
	return count;
}

static void walk_many(void)
{
	static uint32_t expected[MANY];
	static uint32_t found[MANY + 1];
	struct told told = { .inodes = found, .max = MANY + 1, .pid = 1 };
	const int32_t only[] = { 1 };
	struct tct_search search;
	pthread_t thread;
	size_t count;

	/* Before the walk's own threads: this one shares the descriptors, and is no process. */
	ck_assert_int_eq(pthread_create(&thread, NULL, rest, NULL), 0);
	count = open_many(expected, MANY);
	if (count < MANY)
		printf("NOT TESTED: only %zu descriptors of %d\n", count, MANY);
	ck_assert_uint_gt(count, 100);
	qsort(expected, count, sizeof(*expected), compare);
	for (int all = 0; all < 2; all++) {
		told.count = 0;
		ck_assert_int_eq(
			tct_processes_walk(&root, all != 0 ? NULL : only, 1, note, &told, &search),
			0);
		ck_assert(search.complete);
		ck_assert_int_ge(search.looked_at, (int64_t)count);
		qsort(found, told.count, sizeof(*found), compare);
		/* Each once, and besides them check's own at most. */
		for (size_t i = 0, j = 0; i < count; i++, j++) {
			while (j < told.count && found[j] < expected[i])
				j++;
			ck_assert(j < told.count && found[j] == expected[i]);
			ck_assert(j + 1 >= told.count || found[j + 1] != found[j]);
		}
	}
	for (size_t i = 0; i < count; i += 1000) {
		int32_t pid;

		ck_assert(seek(expected[i], 0, 0, &pid).complete);
		ck_assert_int_eq(pid, 1);
	}
}

START_TEST(a_process_with_very_many_descriptors_is_walked_whole)
{
	alone(walk_many);
}
END_TEST

/* Each of the open sockets once, whatever numbers they have. */
static void expect_walked(uint32_t *expected, size_t count)
{
	uint32_t found[2048];
	struct told told = { .inodes = found, .max = 2048, .pid = 1 };
	const int32_t only[] = { 1 };
	struct tct_search search;
	int32_t pid;

	qsort(expected, count, sizeof(*expected), compare);
	ck_assert_int_eq(tct_processes_walk(&root, only, 1, note, &told, &search), 0);
	ck_assert(search.complete);
	ck_assert_int_ge(search.looked_at, (int64_t)count);
	qsort(found, told.count, sizeof(*found), compare);
	for (size_t i = 0, j = 0; i < count; i++, j++) {
		while (j < told.count && found[j] < expected[i])
			j++;
		ck_assert(j < told.count && found[j] == expected[i]);
		ck_assert(j + 1 >= told.count || found[j + 1] != found[j]);
	}
	for (size_t i = 0; i < count; i += 97) {
		ck_assert(seek(expected[i], 0, 0, &pid).complete);
		ck_assert_int_eq(pid, 1);
	}
}

/* Where the numbers of descriptors lie: first + i * step, and every `hole`-th is free again. */
static const struct {
	int first;
	int step;
	int count;
	int hole;
} layouts[] = {
	{ 100, 1, 1500, 0 },  /* close: tried one by one, more than one piece */
	{ 100, 1, 1500, 5 },  /* a fifth is free */
	{ 100, 1, 1500, 11 }, /* fewer */
	{ 100, 7, 700, 0 },   /* far apart: listed */
	{ 4000, 1, 1500, 0 }, /* none of those that are tried is there */
	{ 900, 1, 900, 0 },   /* half of them is */
	{ 6000, 3, 10, 0 },   /* few in a large table */
};

static void walk_layouts(void)
{
	static uint32_t expected[1500];

	(void)open_many(expected, 0); /* the limit */
	for (size_t i = 0; i < TCT_COUNT(layouts); i++) {
		size_t kept = 0;
		int last = 0;

		for (int n = 0; n < layouts[i].count; n++) {
			const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

			if (layouts[i].hole != 0 && n % layouts[i].hole == 0) {
				ck_assert_int_eq(close(fd), 0);
				continue;
			}
			last = layouts[i].first + n * layouts[i].step;
			expected[kept++] = inode_of(fd);
			ck_assert_int_eq(dup3(fd, last, O_CLOEXEC), last);
			ck_assert_int_eq(close(fd), 0);
		}
		expect_walked(expected, kept);
		ck_assert_int_eq(close_range((unsigned)layouts[i].first, (unsigned)last, 0), 0);
	}
}

START_TEST(descriptors_are_found_wherever_their_numbers_lie)
{
	alone(walk_layouts);
}
END_TEST

enum { CHURNING = 600, STAYING = 1200 };

static void *open_and_close(void *argument)
{
	int held[CHURNING];

	for (atomic_bool *stop = argument; !atomic_load(stop);) {
		for (int i = 0; i < CHURNING; i++)
			held[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		for (int i = 0; i < CHURNING; i++)
			(void)close(held[i]);
	}
	return NULL;
}

/* What is open all the time is told once, whatever comes and goes below, between and above. */
static void walk_beside_churn(void)
{
	static uint32_t expected[STAYING];
	static uint32_t found[4 * (STAYING + CHURNING)];
	const int32_t only[] = { 1 };
	atomic_bool stop = false;
	pthread_t thread;
	int spare[200];

	for (int i = 0; i < 200; i++)
		spare[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_uint_eq(open_many(expected, STAYING), STAYING);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(close(spare[i]), 0);
	qsort(expected, STAYING, sizeof(*expected), compare);
	ck_assert_int_eq(pthread_create(&thread, NULL, open_and_close, &stop), 0);
	for (int round = 0; round < 100; round++) {
		struct told told = { .inodes = found, .max = TCT_COUNT(found), .pid = 1 };
		struct tct_search search;

		ck_assert_int_eq(tct_processes_walk(&root, only, 1, note, &told, &search), 0);
		qsort(found, told.count, sizeof(*found), compare);
		for (size_t i = 0, j = 0; i < STAYING; i++, j++) {
			while (j < told.count && found[j] < expected[i])
				j++;
			ck_assert(j < told.count && found[j] == expected[i]);
			ck_assert(j + 1 >= told.count || found[j + 1] != found[j]);
		}
	}
	atomic_store(&stop, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

START_TEST(descriptors_may_come_and_go_meanwhile)
{
	alone(walk_beside_churn);
}
END_TEST

static void look_at_the_short_lived(void)
{
	const pid_t churn = children_fork();
	struct tct_search search;
	uint32_t inode;
	int32_t pid;

	if (churn == 0) {
		for (;;) {
			const pid_t child = fork();

			if (child == 0)
				_exit(0);
			if (child > 0)
				(void)waitpid(child, NULL, 0);
		}
	}
	inode = inode_of(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	for (int i = 0; i < 200; i++) {
		search = seek(inode, 0, 0, &pid);
		ck_assert(search.complete && !search.not_permitted);
		ck_assert_int_eq(pid, 1);
		search = seek(0x7fffffff, churn, 0, &pid);
		ck_assert(search.complete && !search.not_permitted);
	}
	children_end(churn);
}

START_TEST(processes_may_vanish_meanwhile)
{
	alone(look_at_the_short_lived);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processes");
	TCase *tests = tcase_create("namespace");
	SRunner *runner;
	int failed;

	if (geteuid() != 0) {
		printf("skipped: needs root, to become somebody else\n");
		return SKIPPED;
	}
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_small_budget_runs_out);
	tcase_add_test(tests, what_may_not_be_looked_at_is_told);
	tcase_add_test(tests, hidden_processes_are_told);
	tcase_add_test(tests, a_process_with_very_many_descriptors_is_walked_whole);
	tcase_add_test(tests, descriptors_are_found_wherever_their_numbers_lie);
	tcase_add_test(tests, descriptors_may_come_and_go_meanwhile);
	tcase_add_test(tests, processes_may_vanish_meanwhile);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
