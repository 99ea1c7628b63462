#include "tests/fault/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/mem.h"

/* Of the kinds of key: a cap, a time, a vector, what the kernel rounds, two that lean on each
 * other. */
static const char first_profile[] =
	"schema: tcptune.profile.v1\n"
	"name: first\n"
	"summary: Some of each kind\n"
	"settings:\n"
	"  net.core.somaxconn: { at_least: 16384, because: the cap on listen() }\n"
	"  net.ipv4.tcp_fin_timeout: { at_most: 30s, because: orphans }\n"
	"  net.ipv4.tcp_rmem: { at_least: [keep, keep, 67108864], because: three fields }\n"
	"  net.ipv4.tcp_keepalive_time: { set: 600s, because: found sooner }\n"
	"  net.ipv4.tcp_invalid_ratelimit: { set: 5ms, because: the kernel rounds it up }\n"
	"  net.ipv4.ip_unprivileged_port_start: { set: 40000, because: only after the range }\n"
	"  net.ipv4.ip_local_port_range: { set: [40000, 60999], because: only before the start }\n";
static const char second_profile[] =
	"schema: tcptune.profile.v1\n"
	"name: second\n"
	"summary: Another host\n"
	"settings:\n"
	"  net.core.somaxconn: { at_least: 32768, because: more }\n"
	"  net.ipv4.tcp_keepalive_time: { set: 600s, because: the same }\n"
	"  net.ipv4.tcp_tw_reuse: { set: 1, because: outgoing }\n";

/* What programs need of /etc to begin, and tcptune to name the user. */
static const char *const etc_files[] = { "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/passwd",
					 "/etc/group" };

static const char *const covered[] = {
	"/usr/lib/sysctl.d",       "/lib/sysctl.d", "/usr/local/lib/sysctl.d",
	"/usr/lib/modules-load.d", "/var/lib",      "/run"
};

void stage_fail(const char *format, ...)
{
	TCT_AUTOFREE char *output = stage_read(STAGE_OUTPUT, NULL);
	va_list arguments;

	(void)fflush(stdout);
	(void)fputs("FAILED: ", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	if (output != NULL && output[0] != '\0')
		(void)fprintf(stderr, "the last command printed:\n%s\n", output);
	exit(1);
}

__attribute__((noreturn)) static void skip(const char *why, int code)
{
	(void)printf("skipped: %s%s%s\n", why, code != 0 ? ": " : "",
		     code != 0 ? strerror(code) : "");
	(void)fflush(stdout);
	_exit(STAGE_SKIPPED);
}

static bool find_in(const char *folders, const char *name, char out[PATH_MAX])
{
	while (*folders != '\0') {
		size_t length = strcspn(folders, ":");
		int written = snprintf(out, PATH_MAX, "%.*s/%s", (int)length, folders, name);

		if (written > 0 && written < PATH_MAX && access(out, X_OK) == 0)
			return true;
		folders += length;
		folders += strspn(folders, ":");
	}
	return false;
}

void stage_find(struct stage *stage)
{
	const char *program = getenv("TCPTUNE");
	const char *path = getenv("PATH");

	if (program == NULL || realpath(program, stage->tcptune) == NULL)
		stage_fail("TCPTUNE: the program to test");
	if ((path == NULL || !find_in(path, "strace", stage->strace)) &&
	    !find_in("/usr/bin:/bin:/usr/sbin:/sbin", "strace", stage->strace))
		skip("strace is needed", 0);
	stage->sanitized = getenv("TCT_SANITIZED") != NULL;
	if (stage->sanitized && setenv("ASAN_OPTIONS", "exitcode=99:detect_leaks=0", 1) < 0)
		stage_fail("setenv: %s", strerror(errno));
}

char *stage_read(const char *path, unsigned long *length)
{
	TCT_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t capacity = 16384;
	size_t used = 0;
	char *data;

	if (fd < 0)
		return NULL;
	data = malloc(capacity);
	for (;;) {
		ssize_t got;

		if (data == NULL)
			abort();
		got = read(fd, data + used, capacity - used - 1);
		if (got <= 0)
			break;
		used += (size_t)got;
		if (used == capacity - 1) {
			capacity *= 2;
			data = realloc(data, capacity);
		}
	}
	data[used] = '\0';
	if (length != NULL)
		*length = used;
	return data;
}

void stage_write(const char *path, const char *bytes, unsigned long length)
{
	TCT_AUTOCLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
		stage_fail("%s: %s", path, strerror(errno));
}

static void cover(const char *folder)
{
	if (mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		stage_fail("tmpfs over %s: %s", folder, strerror(errno));
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		stage_fail("%s: %s", path, strerror(errno));
}

static void cover_etc(void)
{
	char *bytes[TCT_COUNT(etc_files)];
	unsigned long length[TCT_COUNT(etc_files)];

	for (size_t i = 0; i < TCT_COUNT(etc_files); i++)
		bytes[i] = stage_read(etc_files[i], &length[i]);
	cover("/etc");
	for (size_t i = 0; i < TCT_COUNT(etc_files); i++) {
		if (bytes[i] != NULL)
			stage_write(etc_files[i], bytes[i], length[i]);
		free(bytes[i]);
	}
}

/* Does what is mounted here appear elsewhere? "/" need not be a mount point (in a chroot). */
static bool mounts_are_shared(void)
{
	TCT_AUTOFREE char *mounts = stage_read("/proc/self/mountinfo", NULL);

	return mounts == NULL || strstr(mounts, " shared:") != NULL;
}

/* The lists of the modules of the kernel that runs, in a folder of its name. */
static void make_modules(const char *folder)
{
	static const char *const lists[][2] = {
		{ "modules.dep", "kernel/net/netfilter/nf_conntrack.ko:\n" },
		{ "modules.builtin", "kernel/net/ipv4/tcp_cubic.ko\n" },
	};
	struct utsname names;
	char path[PATH_MAX];

	if (uname(&names) < 0 || snprintf(path, sizeof(path), "%s/%s", folder, names.release) < 0)
		stage_fail("uname: %s", strerror(errno));
	make_folder(path);
	for (size_t i = 0; i < TCT_COUNT(lists); i++) {
		if (snprintf(path, sizeof(path), "%s/%s/%s", folder, names.release, lists[i][0]) <
		    0)
			stage_fail("%s: %s", lists[i][0], strerror(errno));
		stage_write(path, lists[i][1], strlen(lists[i][1]));
	}
}

/*
 * Before what is below /usr/lib is covered. A layer over /lib that only adds to it touches no disk,
 * also where there is no /lib/modules; and nobody outside can take it away from us by removing that
 * folder, as a test may that has made it.
 */
static void unload(void)
{
	char lib[PATH_MAX];
	char options[PATH_MAX + 64];

	if (access("/proc/sys/net/netfilter", F_OK) == 0 &&
	    mount("tmpfs", "/proc/sys/net/netfilter", "tmpfs", 0, "mode=755") < 0)
		skip("may not hide the keys of nf_conntrack", errno);
	make_folder(STAGE_FOLDER "/lib");
	make_folder(STAGE_FOLDER "/lib/modules");
	make_modules(STAGE_FOLDER "/lib/modules");
	if (realpath("/lib", lib) == NULL ||
	    snprintf(options, sizeof(options), "lowerdir=" STAGE_FOLDER "/lib:%s", lib) < 0)
		stage_fail("/lib: %s", strerror(errno));
	if (mount("overlay", lib, "overlay", MS_RDONLY, options) == 0)
		return;
	if (access("/lib/modules", F_OK) < 0)
		skip("there is no /lib/modules, and none can be laid over /lib", errno);
	cover("/lib/modules");
	make_modules("/lib/modules");
}

static void enter(bool unloaded)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		skip("may not make namespaces", errno);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 && mounts_are_shared())
		skip("mounts can't be kept to ourselves", errno);
	cover_etc();
	make_folder(STAGE_FOLDER);
	if (unloaded)
		unload();
	for (size_t i = 0; i < TCT_COUNT(covered); i++) {
		if (access(covered[i], F_OK) == 0)
			cover(covered[i]);
	}
	make_folder("/run/systemd");
	make_folder("/run/systemd/system"); /* systemd's order counts */
	stage_write("/etc/sysctl.conf", "", 0);
	stage_write(STAGE_FIRST, first_profile, strlen(first_profile));
	stage_write(STAGE_SECOND, second_profile, strlen(second_profile));
	if (access("/proc/sys/net/core/somaxconn", W_OK) < 0)
		skip("/proc/sys", errno);
}

void stage_enter(void)
{
	enter(false);
}

void stage_enter_unloaded(void)
{
	enter(true);
}
