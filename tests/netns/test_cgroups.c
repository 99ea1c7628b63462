/*
 * The cgroup ids that inet_diag tells of sockets, on the running kernel: for root, and for those
 * who may not open by handle.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "audit/observe/cgroups.h"
#include "audit/observe/processes.h"
#include "core/mem.h"
#include "tests/netns/children.h"
#include "tests/netns/zoo.h"

enum {
	SKIPPED = 77,
	PORT = 7400,
};

static struct tct_root root;
static pid_t program; /* names its cgroups */

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

/* The cgroup id that inet_diag tells of an IPv4 TCP socket; 0 = it tells none. */
static uint64_t id_in(struct nlmsghdr *message, uint32_t inode)
{
	const struct inet_diag_msg *socket = NLMSG_DATA(message);
	const struct rtattr *attribute = (const void *)(socket + 1);
	long left = (long)message->nlmsg_len - (long)NLMSG_LENGTH(sizeof(*socket));
	uint64_t id = 0;

	if (socket->idiag_inode != inode)
		return 0;
	while (left >= (long)sizeof(*attribute) && attribute->rta_len >= sizeof(*attribute) &&
	       attribute->rta_len <= left) {
		if (attribute->rta_type == INET_DIAG_CGROUP_ID)
			memcpy(&id, attribute + 1, sizeof(id));
		left -= RTA_ALIGN(attribute->rta_len);
		attribute = (const void *)((const char *)attribute + RTA_ALIGN(attribute->rta_len));
	}
	return id;
}

static uint64_t cgroup_id_of(uint32_t inode)
{
	const struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} dump = {
		.header = { .nlmsg_len = sizeof(dump),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.request = { .sdiag_family = AF_INET,
			     .sdiag_protocol = IPPROTO_TCP,
			     .idiag_states = ~0U },
	};
	_Alignas(8) static char reply[1 << 16];
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	uint64_t id = 0;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(send(fd, &dump, sizeof(dump), 0), (ssize_t)sizeof(dump));
	for (bool more = true; more;) {
		ssize_t length = recv(fd, reply, sizeof(reply), 0);
		struct nlmsghdr *message = (void *)reply;

		ck_assert_int_gt(length, 0);
		for (size_t left = (size_t)length; NLMSG_OK(message, left);
		     message = NLMSG_NEXT(message, left)) {
			ck_assert_int_ne(message->nlmsg_type, NLMSG_ERROR);
			if (message->nlmsg_type == NLMSG_DONE)
				more = false;
			else if (id == 0)
				id = id_in(message, inode);
		}
	}
	ck_assert_int_eq(close(fd), 0);
	return id;
}

static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

#define CONTAINER "docker-%064x.scope", 0xbeef

/* Remove a folder whose processes are about to end, if it is there. */
static void remove_cgroup(const char *path)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (int tries = 0; rmdir(path) < 0 && errno == EBUSY && tries < 200; tries++)
		(void)nanosleep(&pause, NULL);
}

/* After all the tests, in the process that runs them: what a failed one left. */
static void tidy_up(void)
{
	static const char *const names[] = { ".service", ".scope", ".slice" };

	for (size_t i = 0; i < TCT_COUNT(mounts) * TCT_COUNT(names); i++) {
		char path[256];
		char inner[400];
		int length = snprintf(path, sizeof(path), "%s/tct-test-%d%s", mounts[i % 2],
				      program, names[i / 2]);

		if (length < 0 || access(path, F_OK) < 0)
			continue;
		length = snprintf(inner, sizeof(inner), "%s/", path);
		(void)snprintf(inner + length, sizeof(inner) - (size_t)length, CONTAINER);
		remove_cgroup(inner);
		remove_cgroup(path);
	}
}

/* A cgroup2 folder of this test's; false, said aloud, where none can be made. */
static bool make_cgroup(char path[256], char below[128], const char *name)
{
	(void)snprintf(below, 128, "/tct-test-%d%s", program, name);
	for (size_t i = 0; i < 2; i++) {
		struct statfs status;

		if (statfs(mounts[i], &status) < 0 || status.f_type != CGROUP2_SUPER_MAGIC)
			continue;
		(void)snprintf(path, 256, "%s%s", mounts[i], below);
		if (mkdir(path, 0755) == 0)
			return true;
		printf("NOT TESTED: no cgroup can be made in %s: %s\n", mounts[i], strerror(errno));
		return false;
	}
	printf("NOT TESTED: cgroup2 is not mounted here\n");
	return false;
}

static void enter_cgroup(const char *path)
{
	char file[300];
	int fd;

	(void)snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s: %s", file, strerror(errno));
	ck_assert_msg(write(fd, "0", 1) == 1, "%s: %s", file, strerror(errno));
	ck_assert_int_eq(close(fd), 0);
}

/* The sockets of a service: it listens, connects to itself, accepts. */
enum { SERVICE_SOCKETS = 3 };

static pid_t start_service(const char *cgroup, uint32_t inodes[SERVICE_SOCKETS])
{
	const struct zoo_place place = { .address = "127.0.0.1", .port = PORT, .backlog = 8 };
	const size_t size = SERVICE_SOCKETS * sizeof(*inodes);
	int channel[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(channel, O_CLOEXEC), 0);
	pid = children_fork();
	if (pid == 0) {
		int fds[SERVICE_SOCKETS];

		enter_cgroup(cgroup);
		fds[0] = zoo_listen(&place);
		fds[1] = zoo_connect("127.0.0.1", PORT, NULL, false);
		fds[2] = zoo_accept(fds[0]);
		for (size_t i = 0; i < SERVICE_SOCKETS; i++)
			inodes[i] = inode_of(fds[i]);
		ck_assert_int_eq(write(channel[1], inodes, size), (ssize_t)size);
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(close(channel[1]), 0);
	ck_assert_int_eq(read(channel[0], inodes, size), (ssize_t)size);
	ck_assert_int_eq(close(channel[0]), 0);
	return pid;
}

/* What everybody can say of a cgroup, be it by handle or by a walk. */
static void check_id(uint64_t id, const char *unit, const char *path, pid_t pid)
{
	struct tct_cgroups *cgroups = tct_cgroups_new(&root);
	char found_unit[128];
	char found_path[256];
	int32_t pids[4];

	ck_assert_ptr_nonnull(cgroups);
	for (int i = 0; i < 2; i++) { /* the second time from memory */
		ck_assert(tct_cgroups_find(cgroups, id, found_unit, found_path));
		ck_assert_str_eq(found_unit, unit);
		ck_assert_str_eq(found_path, path);
	}
	ck_assert(tct_cgroups_find(cgroups, id, found_unit, NULL));
	ck_assert_uint_eq(tct_cgroups_processes(cgroups, id, pids, 4), 1);
	ck_assert_int_eq(pids[0], pid);
	ck_assert_uint_eq(tct_cgroups_processes(cgroups, id, pids, 0), 0);
	/* The root, and what there never was. */
	ck_assert(tct_cgroups_find(cgroups, 1, found_unit, found_path));
	ck_assert_str_eq(found_unit, "");
	ck_assert_str_eq(found_path, "/");
	for (uint64_t none = 0; none < 3; none++) {
		ck_assert(!tct_cgroups_find(cgroups, none == 0 ? 0 : UINT64_MAX - none, found_unit,
					    found_path));
		ck_assert_str_eq(found_unit, "");
		ck_assert_str_eq(found_path, "");
	}
	tct_cgroups_free(cgroups);
}

static void check_service(const char *name, const char *unit)
{
	uint32_t inodes[SERVICE_SOCKETS];
	char folder[256];
	char below[128];
	char found[128];
	struct tct_cgroups *cgroups;
	struct stat status;
	uint64_t id = 0;
	pid_t service;
	pid_t plain;

	if (!make_cgroup(folder, below, name))
		return;
	ck_assert_int_eq(stat(folder, &status), 0);
	service = start_service(folder, inodes);
	for (size_t i = 0; i < SERVICE_SOCKETS; i++) {
		int32_t pid;

		id = cgroup_id_of(inodes[i]);
		ck_assert_uint_eq(id, status.st_ino);
		ck_assert(seek(inodes[i], service, 0, &pid).complete);
		ck_assert_int_eq(pid, service);
		ck_assert(seek(inodes[i], 0, 0, &pid).complete);
		ck_assert_int_eq(pid, service);
	}
	check_id(id, unit, below, service);
	tct_process_unit(&root, service, found);
	ck_assert_str_eq(found, unit);
	plain = children_fork();
	if (plain == 0) {
		children_become_nobody();
		check_id(id, unit, below, service);
		children_leave();
	}
	children_join(plain);
	children_end(service);
	ck_assert_int_eq(rmdir(folder), 0);
	/* Gone; but who asks one that knew it gets it. */
	cgroups = tct_cgroups_new(&root);
	ck_assert_ptr_nonnull(cgroups);
	ck_assert(!tct_cgroups_find(cgroups, id, found, NULL));
	ck_assert_str_eq(found, "");
	tct_cgroups_free(cgroups);
}

START_TEST(a_socket_s_cgroup_id_leads_to_the_unit)
{
	char unit[128];

	(void)snprintf(unit, sizeof(unit), "tct-test-%d.service", program);
	check_service(".service", unit);
}
END_TEST

/* May this process open by handle, and does the kernel's own handle of a folder hold the id? */
static bool may_open_by_handle(const char *folder)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} name = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
	const int mount = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;
	uint64_t id;
	int mount_id;
	int fd;

	ck_assert_int_ge(mount, 0);
	ck_assert_int_eq(fstat(mount, &status), 0);
	ck_assert_int_eq(name_to_handle_at(mount, "", &name.handle, &mount_id, AT_EMPTY_PATH), 0);
	ck_assert_uint_eq(name.handle.handle_bytes, sizeof(id));
	memcpy(&id, name.bytes + sizeof(struct file_handle), sizeof(id));
	ck_assert_uint_eq(id, status.st_ino);
	fd = open_by_handle_at(mount, &name.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		printf("NOT TESTED: opening a cgroup by handle: %s\n", strerror(errno));
	else
		ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(close(mount), 0);
	return fd >= 0;
}

START_TEST(by_handle_a_cgroup_is_known_at_once)
{
	struct tct_cgroups *cgroups = tct_cgroups_new(&root);
	char folder[256];
	char below[128];
	char path[256];
	char unit[128];
	struct stat status;

	ck_assert_ptr_nonnull(cgroups);
	/* Where it is walked, this is when. */
	ck_assert(!tct_cgroups_find(cgroups, UINT64_MAX, unit, NULL));
	if (!make_cgroup(folder, below, ".scope"))
		return;
	ck_assert_int_eq(stat(folder, &status), 0);
	if (may_open_by_handle(folder)) {
		ck_assert(tct_cgroups_find(cgroups, status.st_ino, unit, path));
		ck_assert_str_eq(path, below);
		ck_assert_str_eq(unit, below + 1);
	}
	ck_assert_int_eq(rmdir(folder), 0);
	tct_cgroups_free(cgroups);
}
END_TEST

START_TEST(a_socket_s_cgroup_id_leads_to_the_container)
{
	char folder[256];
	char below[128];
	uint32_t inodes[SERVICE_SOCKETS];
	char inner[400];
	char unit[128];
	struct tct_cgroups *cgroups = tct_cgroups_new(&root);
	pid_t service;
	int length;

	ck_assert_ptr_nonnull(cgroups);
	if (!make_cgroup(folder, below, ".slice"))
		return;
	length = snprintf(inner, sizeof(inner), "%s/", folder);
	ck_assert_int_gt(length, 0);
	(void)snprintf(inner + length, sizeof(inner) - (size_t)length, CONTAINER);
	ck_assert_int_eq(mkdir(inner, 0755), 0);
	service = start_service(inner, inodes);
	ck_assert(tct_cgroups_find(cgroups, cgroup_id_of(inodes[1]), unit, NULL));
	ck_assert_str_eq(unit, "docker:000000000000");
	children_end(service);
	ck_assert_int_eq(rmdir(inner), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	tct_cgroups_free(cgroups);
}
END_TEST

START_TEST(a_tree_s_folders_are_no_cgroups)
{
	char folder[] = "/tmp/tct-owners-XXXXXX";
	char path[128];
	char unit[128];
	struct tct_root tree;
	struct tct_err err = { 0 };
	struct tct_cgroups *cgroups;
	struct stat status;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "mkdir -p %s/sys/fs/cgroup/x.service", folder);
	ck_assert_int_eq(system(path), 0);
	(void)snprintf(path, sizeof(path), "%s/sys/fs/cgroup/x.service", folder);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(tct_root_open(&tree, folder, &err), 0);
	cgroups = tct_cgroups_new(&tree);
	ck_assert_ptr_nonnull(cgroups);
	ck_assert(!tct_cgroups_find(cgroups, status.st_ino, unit, NULL));
	tct_cgroups_free(cgroups);
	tct_root_done(&tree);
	(void)snprintf(path, sizeof(path), "rm -r %s", folder);
	ck_assert_int_eq(system(path), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups");
	TCase *tests = tcase_create("namespace");
	SRunner *runner;
	int failed;

	if (geteuid() != 0) {
		printf("skipped: needs root, for cgroups and to become somebody else\n");
		return SKIPPED;
	}
	program = getpid();
	tcase_add_unchecked_fixture(tests, NULL, tidy_up);
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_socket_s_cgroup_id_leads_to_the_unit);
	tcase_add_test(tests, by_handle_a_cgroup_is_known_at_once);
	tcase_add_test(tests, a_socket_s_cgroup_id_leads_to_the_container);
	tcase_add_test(tests, a_tree_s_folders_are_no_cgroups);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
