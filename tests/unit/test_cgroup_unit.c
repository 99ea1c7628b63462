/* What a cgroup's path is called by those who run the host. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/cgroups.h"

#define ID_A "4f2a9c01b2d34f2a9c01b2d34f2a9c01b2d34f2a9c01b2d34f2a9c01b2d3beef"
#define ID_B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD "d9a5f1c2_6b1e_4f3a_9c7d_2b8e1f0a3c4d"
#define KUBE "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD ".slice"
#define USER "/user.slice/user-1000.slice/user@1000.service"

static const struct {
	const char *path;
	const char *unit;
	enum tct_cgroup_kind kind;
} paths[] = {
	{ "", "", TCT_CGROUP_OTHER },
	{ "/", "", TCT_CGROUP_OTHER },
	{ "///", "", TCT_CGROUP_OTHER },
	{ "/../..", "", TCT_CGROUP_OTHER },
	/* systemd's units */
	{ "/system.slice/nginx.service", "nginx.service", TCT_CGROUP_UNIT },
	{ "system.slice/nginx.service/", "nginx.service", TCT_CGROUP_UNIT },
	{ "/../system.slice/nginx.service", "nginx.service", TCT_CGROUP_UNIT },
	{ "/system.slice", "", TCT_CGROUP_OTHER },
	{ "/user.slice/user-1000.slice", "", TCT_CGROUP_OTHER },
	{ "/init.scope", "init.scope", TCT_CGROUP_UNIT },
	{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service",
	  TCT_CGROUP_UNIT },
	{ "/system.slice/dev-disk-by\\x2duuid.service", "dev-disk-by\\x2duuid.service",
	  TCT_CGROUP_UNIT },
	{ "/system.slice/web.service/worker", "web.service", TCT_CGROUP_UNIT },
	{ "/system.slice/web.service/inner.scope", "inner.scope", TCT_CGROUP_UNIT },
	{ "/system.slice/.service", "", TCT_CGROUP_OTHER },
	{ "/.scope", "", TCT_CGROUP_OTHER },
	{ "/system.slice/nginx.service.d", "", TCT_CGROUP_OTHER },
	/* Users */
	{ "/user.slice/user-1000.slice/session-4.scope", "session-4.scope", TCT_CGROUP_UNIT },
	{ USER, "user@1000.service", TCT_CGROUP_UNIT },
	{ USER "/init.scope", "user@1000.service", TCT_CGROUP_UNIT },
	{ USER "/app.slice/dbus.service", "user@1000.service/dbus.service", TCT_CGROUP_UNIT },
	{ USER "/app.slice/app-org.x.scope", "user@1000.service/app-org.x.scope", TCT_CGROUP_UNIT },
	/* Containers in systemd's slices */
	{ "/system.slice/docker-" ID_A ".scope", "docker:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ KUBE "/cri-containerd-" ID_A ".scope", "containerd:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ KUBE "/crio-" ID_A ".scope", "crio:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ KUBE "/crio-" ID_A ".scope/container", "crio:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ KUBE "/docker-" ID_A ".scope", "docker:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ KUBE, "", TCT_CGROUP_OTHER },
	{ "/machine.slice/libpod-" ID_A ".scope/container", "podman:4f2a9c01b2d3",
	  TCT_CGROUP_CONTAINER },
	{ USER "/user.slice/libpod-" ID_A ".scope/container", "podman:4f2a9c01b2d3",
	  TCT_CGROUP_CONTAINER },
	{ "/system.slice/nerdctl-" ID_A ".scope", "containerd:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ "/system.slice/kubepods-pod1.slice:cri-containerd:" ID_A, "containerd:4f2a9c01b2d3",
	  TCT_CGROUP_CONTAINER },
	/* ... and what only looks like one */
	{ "/machine.slice/libpod-conmon-" ID_A ".scope", "libpod-conmon-" ID_A ".scope",
	  TCT_CGROUP_UNIT },
	{ "/system.slice/docker-compose.scope", "docker-compose.scope", TCT_CGROUP_UNIT },
	{ "/system.slice/docker.service", "docker.service", TCT_CGROUP_UNIT },
	{ "/system.slice/docker-abc.scope", "docker-abc.scope", TCT_CGROUP_UNIT },
	{ "/system.slice/docker-.scope", "docker-.scope", TCT_CGROUP_UNIT },
	{ "/docker", "", TCT_CGROUP_OTHER },
	{ "/docker/buildkit", "", TCT_CGROUP_OTHER },
	/* Containers in folders of the runtime's own */
	{ "/docker/" ID_A, "docker:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ "/docker/" ID_A "/init.scope", "docker:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ "/docker/" ID_A "/docker/" ID_B, "docker:0123456789ab", TCT_CGROUP_CONTAINER },
	{ "/libpod_parent/libpod-" ID_A, "podman:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ "/kubepods/besteffort/pod" POD "/" ID_A, "container:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ "/kubepods/besteffort/pod" POD "/crio-" ID_A, "crio:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ "/jobs/" ID_A, "container:4f2a9c01b2d3", TCT_CGROUP_CONTAINER },
	{ "/jobs/" ID_A "0", "", TCT_CGROUP_OTHER },
	{ "/jobs/915a753bd05c691dd0f4c337b3ba0d94", "", TCT_CGROUP_OTHER },
	/* Whole systems: they go before the units within */
	{ "/lxc.payload.web/system.slice/nginx.service", "lxc:web", TCT_CGROUP_CONTAINER },
	{ "/lxc.monitor.web", "", TCT_CGROUP_OTHER },
	{ "/lxc/101/ns/system.slice/nginx.service", "lxc:101", TCT_CGROUP_CONTAINER },
	{ "/lxc", "", TCT_CGROUP_OTHER },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator", "machine:qemu-1-web",
	  TCT_CGROUP_CONTAINER },
	{ "/machine.slice/machine-a\\x0ab\\x2.scope", "machine:a?b\\x2", TCT_CGROUP_CONTAINER },
	{ "/machine.slice/systemd-nspawn@db.service/payload/system.slice/sshd.service",
	  "machine:db", TCT_CGROUP_CONTAINER },
	{ "/system.slice/machine-x.scope", "machine-x.scope", TCT_CGROUP_UNIT },
	/* Names that harm terminals */
	{ "/system.slice/a\033[2Jb.service", "a?[2Jb.service", TCT_CGROUP_UNIT },
	{ "/system.slice/\xff.service", "?.service", TCT_CGROUP_UNIT },
};

START_TEST(a_path_s_unit)
{
	char unit[128];

	memset(unit, 'x', sizeof(unit));
	ck_assert_int_eq(tct_cgroup_unit(paths[_i].path, unit), paths[_i].kind);
	ck_assert_str_eq(unit, paths[_i].unit);
}
END_TEST

START_TEST(long_names_are_cut_off)
{
	char path[2048];
	char unit[128];

	for (size_t length = 1; length < 1000; length++) {
		memset(path, 'a', length);
		strcpy(path + length, ".service");
		ck_assert_int_eq(tct_cgroup_unit(path, unit), TCT_CGROUP_UNIT);
		ck_assert_uint_eq(strlen(unit), length + 8 < 127 ? length + 8 : 127);
		ck_assert_int_eq(strncmp(path, unit, strlen(unit)), 0);

		strcpy(path, "user@1.service/");
		memset(path + 15, 'b', length);
		strcpy(path + 15 + length, ".scope");
		ck_assert_int_eq(tct_cgroup_unit(path, unit), TCT_CGROUP_UNIT);
		ck_assert_uint_eq(strlen(unit), 21 + length < 127 ? 21 + length : 127);

		strcpy(path, "user@");
		memset(path + 5, '1', length);
		strcpy(path + 5 + length, ".service/x.service");
		ck_assert_int_eq(tct_cgroup_unit(path, unit), TCT_CGROUP_UNIT);
		ck_assert_uint_le(strlen(unit), 127);

		strcpy(path, "lxc.payload.");
		memset(path + 12, 'c', length);
		path[12 + length] = '\0';
		ck_assert_int_eq(tct_cgroup_unit(path, unit), TCT_CGROUP_CONTAINER);
		ck_assert_uint_eq(strlen(unit), 4 + length < 127 ? 4 + length : 127);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroup_unit");
	TCase *tests = tcase_create("paths");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, a_path_s_unit, 0, (int)(sizeof(paths) / sizeof(paths[0])));
	tcase_add_test(tests, long_names_are_cut_off);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
