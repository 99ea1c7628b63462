/* Which process holds a socket, over trees that look like /proc. */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/observe/processes.h"
#include "tests/unit/scratch.h"

static void add_descriptor(int pid, int number, const char *target)
{
	static char folder[256]; /* of the process before, mostly */
	static int folder_pid;
	char path[300];

	if (pid != folder_pid) {
		(void)snprintf(path, sizeof(path), "proc/%d/fd/x", pid);
		(void)snprintf(folder, sizeof(folder), "%s", scratch_path(path));
		folder[strlen(folder) - 1] = '\0';
		folder_pid = pid;
	}
	(void)snprintf(path, sizeof(path), "%s%d", folder, number);
	ck_assert_int_eq(symlink(target, path), 0);
}

static void add_socket(int pid, int number, unsigned inode)
{
	char target[32];

	(void)snprintf(target, sizeof(target), "socket:[%u]", inode);
	add_descriptor(pid, number, target);
}

/* Who has the inode? 0 = nobody. */
static int32_t seek(uint32_t inode, const int32_t *hint, size_t hints, struct tct_search *search)
{
	struct tct_sought sought = { .inode = inode, .pid = 42 };

	ck_assert_int_eq(tct_processes_seek(&scratch_root, &sought, 1, hint, hints, 0, search), 0);
	ck_assert_uint_eq(search->found, sought.pid != 0 ? 1 : 0);
	return sought.pid;
}

START_TEST(sockets_are_found_among_other_descriptors)
{
	struct tct_sought sought[] = { { .inode = 900 }, { .inode = 0 }, { .inode = 17 },
				       { .inode = 17 },  { .inode = 5 }, { .inode = 4294967295 } };
	const struct tct_sought expected[] = { { 0, 0 },    { 5, 300 },   { 17, 200 },
					       { 17, 200 }, { 900, 300 }, { 4294967295, 200 } };
	struct tct_search search;

	add_descriptor(200, 0, "/dev/null");
	add_descriptor(200, 1, "pipe:[900]");
	add_descriptor(200, 2, "/tmp/socket:[900]");
	add_descriptor(200, 3, "anon_inode:[eventpoll]");
	add_socket(200, 4, 17);
	add_socket(200, 5, 4294967295);
	add_socket(300, 3, 5);
	add_socket(300, 4, 900);
	scratch_write("proc/meminfo", "MemTotal: 1 kB\n");
	scratch_write("proc/12x/fd/3", "");
	ck_assert_int_eq(tct_processes_seek(&scratch_root, sought, 6, NULL, 0, 0, &search), 0);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(sought[i].inode, expected[i].inode);
		ck_assert_int_eq(sought[i].pid, expected[i].pid);
	}
	ck_assert_uint_eq(search.found, 5);
	ck_assert(search.complete && !search.not_permitted && !search.out_of_time);
	ck_assert_int_ge(search.elapsed_ns, 0);
}
END_TEST

START_TEST(what_only_looks_like_a_socket_is_none)
{
	static const char *const targets[] = {
		"socket:[",      "socket:[]",           "socket:[12",
		"socket:[12]x",  "socket:[1 2]",        "socket:[-1]",
		"socket:[0]",    "socket:[4294967296]", "socket:[18446744073709551617]",
		"[socket:[12]]", "socket:12",           "socket:[12] (deleted)",
		"Socket:[12]",   "socket:[0x12]",       "socket:[00000000000000000000000012]",
	};
	struct tct_search search;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		add_descriptor(10, (int)i, targets[i]);
	for (uint32_t inode = 1; inode < 20; inode++)
		ck_assert_int_eq(seek(inode, NULL, 0, &search), 0);
	ck_assert(search.complete);
	ck_assert_int_eq(search.looked_at, sizeof(targets) / sizeof(targets[0]));
}
END_TEST

START_TEST(hinted_processes_go_first_and_init_last)
{
	const int32_t hint[] = { 30, -5, 0, 30, 4711 };
	struct tct_search search;

	for (int pid = 1; pid <= 40; pid++)
		add_socket(pid, 3, 77);
	add_socket(1, 4, 78);
	ck_assert_int_eq(seek(77, NULL, 0, &search), 2);
	ck_assert_int_eq(search.looked_at, 1);
	ck_assert_int_eq(seek(77, hint, 5, &search), 30);
	ck_assert_int_eq(search.looked_at, 1);
	/* Each process once, hinted or not. */
	ck_assert_int_eq(seek(78, hint, 5, &search), 1);
	ck_assert_int_eq(search.looked_at, 41);
	ck_assert_int_eq(seek(79, hint, 5, &search), 0);
	ck_assert_int_eq(search.looked_at, 41);
	ck_assert(search.complete);
}
END_TEST

START_TEST(a_few_descriptors_of_each_before_many_of_one)
{
	struct tct_search search;

	for (int i = 0; i < 900; i++)
		add_socket(10, i, 10000 + (unsigned)i);
	add_socket(20, 0, 5);
	ck_assert_int_eq(seek(5, NULL, 0, &search), 20);
	ck_assert_int_lt(search.looked_at, 100);
	/* ... and nothing is left out in the end, wherever the rounds cut. */
	for (unsigned inode = 10000; inode < 10900; inode += 99)
		ck_assert_int_eq(seek(inode, NULL, 0, &search), 10);
	ck_assert_int_eq(seek(6, NULL, 0, &search), 0);
	ck_assert_int_eq(search.looked_at, 901);
	ck_assert(search.complete);
}
END_TEST

START_TEST(a_spent_budget_is_told)
{
	struct tct_sought sought = { .inode = 5 };
	struct tct_search search;

	add_socket(20, 0, 5);
	ck_assert_int_eq(tct_processes_seek(&scratch_root, &sought, 1, NULL, 0, 1, &search), 0);
	ck_assert_int_eq(sought.pid, 0);
	ck_assert(!search.complete && search.out_of_time && !search.not_permitted);
	ck_assert_int_eq(tct_processes_seek(&scratch_root, &sought, 1, NULL, 0,
					    INT64_C(10000000000), &search),
			 0);
	ck_assert_int_eq(sought.pid, 20);
	ck_assert(search.complete && !search.out_of_time);
	/* Nothing is sought: done before the clock matters. */
	ck_assert_int_eq(tct_processes_seek(&scratch_root, NULL, 0, NULL, 0, 1, &search), 0);
	ck_assert(search.complete && search.looked_at == 0);
}
END_TEST

static int never(void *context, int32_t pid, uint32_t inode)
{
	(void)context;
	ck_abort_msg("process %" PRId32 " has socket %" PRIu32, pid, inode);
	return -EINVAL;
}

START_TEST(without_proc_there_is_an_error)
{
	struct tct_sought sought = { .inode = 5 };
	struct tct_search search;

	ck_assert_int_eq(tct_processes_seek(&scratch_root, &sought, 1, NULL, 0, 0, &search),
			 -ENOENT);
	ck_assert(!search.complete);
	ck_assert_int_eq(tct_processes_walk(&scratch_root, NULL, 0, never, NULL, &search), -ENOENT);
	ck_assert(!search.complete);
	scratch_write("proc", "a file");
	ck_assert_int_eq(tct_processes_walk(&scratch_root, NULL, 0, never, NULL, &search),
			 -ENOTDIR);
}
END_TEST

START_TEST(no_link_leads_out_of_a_tree)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct tct_search search;
	struct stat status;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	scratch_write("proc/1/comm", "init\n");
	scratch_write("proc/13/fd", "a file");
	ck_assert_int_eq(symlink("/proc/self", scratch_path("proc/11")), 0);
	ck_assert_int_eq(symlink("../../../../../../../../proc/self", scratch_path("proc/12")), 0);
	ck_assert_int_eq(symlink("14", scratch_path("proc/14")), 0);
	ck_assert_int_eq(seek((uint32_t)status.st_ino, NULL, 0, &search), 0);
	ck_assert(search.complete);
	ck_assert_int_eq(tct_processes_walk(&scratch_root, NULL, 0, never, NULL, &search), 0);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

/* What a walk told. */
struct told {
	unsigned char *times; /* by inode */
	uint32_t limit;
	size_t count;
	int32_t pid; /* all of one process; 0 = any */
	size_t end_after;
	int end_with;
};

static int count_socket(void *context, int32_t pid, uint32_t inode)
{
	struct told *told = context;

	ck_assert_uint_lt(inode, told->limit);
	ck_assert(told->pid == 0 || told->pid == pid);
	told->times[inode]++;
	return ++told->count == told->end_after ? told->end_with : 0;
}

/* More than one piece. */
enum { MANY = 1500 };

START_TEST(a_walk_tells_each_socket_once)
{
	static unsigned char times[MANY + 100];
	struct told told = { .times = times, .limit = sizeof(times) };
	struct tct_search search;

	for (int i = 0; i < MANY; i++)
		add_socket(50, i, (unsigned)i + 1);
	for (int i = 0; i < 50; i++)
		add_socket(60 + i, 0, MANY + 1 + (unsigned)i);
	add_descriptor(60, 1, "/dev/null");
	ck_assert_int_eq(tct_processes_walk(&scratch_root, NULL, 0, count_socket, &told, &search),
			 0);
	for (size_t i = 0; i < sizeof(times); i++)
		ck_assert_int_eq(times[i], i > 0 && i <= MANY + 50);
	ck_assert_uint_eq(search.found, MANY + 50);
	ck_assert_int_eq(search.looked_at, MANY + 51);
	ck_assert(search.complete && !search.not_permitted);

	told = (struct told){ .times = times, .limit = sizeof(times), .end_after = MANY / 2 };
	told.end_with = 1;
	ck_assert_int_eq(tct_processes_walk(&scratch_root, NULL, 0, count_socket, &told, &search),
			 0);
	ck_assert_uint_eq(told.count, MANY / 2);
	ck_assert_uint_eq(search.found, MANY / 2);
	ck_assert(!search.complete);

	told = (struct told){ .times = times, .limit = sizeof(times), .end_after = MANY - 10 };
	told.end_with = -EMLINK;
	ck_assert_int_eq(tct_processes_walk(&scratch_root, NULL, 0, count_socket, &told, &search),
			 -EMLINK);
	ck_assert_uint_eq(told.count, MANY - 10);
	ck_assert(!search.complete);
}
END_TEST

START_TEST(a_walk_of_given_processes)
{
	unsigned char times[10] = { 0 };
	struct told told = { .times = times, .limit = sizeof(times), .pid = 7 };
	const int32_t only[] = { 7, 999 };
	struct tct_search search;

	add_socket(6, 3, 1);
	add_socket(7, 3, 2);
	add_socket(7, 4, 2); /* dup(): two descriptors */
	ck_assert_int_eq(tct_processes_walk(&scratch_root, only, 2, count_socket, &told, &search),
			 0);
	ck_assert_int_eq(times[2], 2);
	ck_assert_uint_eq(told.count, 2);
	ck_assert(search.complete);
	told.count = 0;
	ck_assert_int_eq(tct_processes_walk(&scratch_root, only, 0, count_socket, &told, &search),
			 0);
	ck_assert_uint_eq(told.count, 0);
}
END_TEST

START_TEST(names_and_limits)
{
	char comm[32];

	scratch_write("proc/5/comm", "ngi\033nx\n");
	scratch_write("proc/6/comm", "");
	scratch_write("proc/7/comm", "kworker/u256:3-events_unbound_and_more\n");
	scratch_write("proc/8/comm", "caf\xc3\xa9\n");
	scratch_write("proc/9/comm", "caf\xc3\n");
	tct_process_name(&scratch_root, 5, comm);
	ck_assert_str_eq(comm, "ngi?nx");
	tct_process_name(&scratch_root, 6, comm);
	ck_assert_str_eq(comm, "");
	tct_process_name(&scratch_root, 7, comm);
	ck_assert_str_eq(comm, "kworker/u256:3-events_unbound_a");
	tct_process_name(&scratch_root, 8, comm);
	ck_assert_str_eq(comm, "caf\xc3\xa9");
	tct_process_name(&scratch_root, 9, comm);
	ck_assert_str_eq(comm, "caf?");
	tct_process_name(&scratch_root, 10, comm);
	ck_assert_str_eq(comm, "");

#define LIMITS(soft)                                                                               \
	"Limit                     Soft Limit           Hard Limit           Units     \n"         \
	"Max processes             62987                62987                processes \n"         \
	"Max open files            " soft "                1048576              files     \n"
	scratch_write("proc/5/limits", LIMITS("1024"));
	scratch_write("proc/6/limits", LIMITS("unlimited"));
	scratch_write("proc/7/limits", LIMITS("-1"));
	scratch_write("proc/8/limits", LIMITS("99999999999999999999"));
	scratch_write("proc/9/limits", "x\nMax open files            12");
	ck_assert_int_eq(tct_process_descriptors_max(&scratch_root, 5), 1024);
	ck_assert_int_eq(tct_process_descriptors_max(&scratch_root, 6), INT64_MAX);
	ck_assert_int_eq(tct_process_descriptors_max(&scratch_root, 7), -1);
	ck_assert_int_eq(tct_process_descriptors_max(&scratch_root, 8), -1);
	ck_assert_int_eq(tct_process_descriptors_max(&scratch_root, 9), -1);
	ck_assert_int_eq(tct_process_descriptors_max(&scratch_root, 10), -1);
}
END_TEST

#define ID_A "4f2a9c01b2d34f2a9c01b2d34f2a9c01b2d34f2a9c01b2d34f2a9c01b2d3beef"

static const struct {
	const char *cgroup; /* /proc/PID/cgroup */
	const char *unit;
} memberships[] = {
	{ "0::/system.slice/nginx.service\n", "nginx.service" },
	{ "0::/\n", "" },
	{ "", "" },
	{ "garbage\n0:\n:\n::\n", "" },
	{ "12:pids:/x.service\n1:name=systemd:/system.slice/a.service\n0::/\n", "a.service" },
	{ "1:name=systemd:/system.slice/a.service\n0::/system.slice/b.service\n", "b.service" },
	/* cgroup1 in use beside cgroup2: the container is only in the former */
	{ "9:memory:/docker/" ID_A
	  "\n1:name=systemd:/x.service\n0::/system.slice/dockerd.service\n",
	  "docker:4f2a9c01b2d3" },
	{ "9:memory:/process/1\n0::/../../system.slice/a.service (deleted)\n", "a.service" },
	/* A path may hold colons. */
	{ "0::/system.slice/dev:disk:by.service\n", "dev:disk:by.service" },
	{ "0::/system.slice:docker:" ID_A "\n", "docker:4f2a9c01b2d3" },
};

START_TEST(a_process_s_unit)
{
	char unit[128];

	scratch_write("proc/5/cgroup", memberships[_i].cgroup);
	tct_process_unit(&scratch_root, 5, unit);
	ck_assert_str_eq(unit, memberships[_i].unit);
	tct_process_unit(&scratch_root, 6, unit);
	ck_assert_str_eq(unit, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processes");
	TCase *tests = tcase_create("tree");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, sockets_are_found_among_other_descriptors);
	tcase_add_test(tests, what_only_looks_like_a_socket_is_none);
	tcase_add_test(tests, hinted_processes_go_first_and_init_last);
	tcase_add_test(tests, a_few_descriptors_of_each_before_many_of_one);
	tcase_add_test(tests, a_spent_budget_is_told);
	tcase_add_test(tests, without_proc_there_is_an_error);
	tcase_add_test(tests, no_link_leads_out_of_a_tree);
	tcase_add_test(tests, a_walk_tells_each_socket_once);
	tcase_add_test(tests, a_walk_of_given_processes);
	tcase_add_test(tests, names_and_limits);
	tcase_add_loop_test(tests, a_process_s_unit, 0,
			    (int)(sizeof(memberships) / sizeof(memberships[0])));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
