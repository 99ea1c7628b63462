#include "tune/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/waiting.h"

/* Longer than a loaded host needs, and short enough for somebody who waits. */
enum { ARM_TIMEOUT_MS = 10000 };

#define UNIT "tcptune-confirm-%" PRIu64
#define SELF "/proc/self/exe"

const char *tct_guard_name(enum tct_guard guard)
{
	switch (guard) {
	case TCT_GUARD_NONE:
		break;
	case TCT_GUARD_SYSTEMD:
		return "systemd";
	case TCT_GUARD_PROCESS:
		return "process";
	}
	return "none";
}

static bool is_same(const char *ours, const char *theirs)
{
	struct stat a;
	struct stat b;

	return stat(ours, &a) == 0 && stat(theirs, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Would what systemd runs see the same network, the same files and the same journal as we do? */
static bool has_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0 &&
	       is_same("/proc/self/ns/net", "/proc/1/ns/net") &&
	       is_same("/proc/self/ns/mnt", "/proc/1/ns/mnt") && is_same("/", "/proc/1/root");
}

/* The first that is there, or NULL. */
static const char *program(const char *const *paths)
{
	for (; *paths != NULL; paths++) {
		if (access(*paths, X_OK) == 0)
			return *paths;
	}
	return NULL;
}

/* The file that we are, by a name that means it still. 0 or -errno. */
static int own_path(char *path, size_t size)
{
	ssize_t length = readlink(SELF, path, size - 1);

	if (length < 0)
		return -errno;
	path[length] = '\0';
	return is_same(SELF, path) ? 0 : -ENOENT;
}

/*
 * The timer counts CLOCK_MONOTONIC, which stands still while the host sleeps; the time of day
 * doesn't, so a host that wakes up too late is told by that. A service that is too early waits.
 */
static int arm_timer(const struct tct_transaction *transaction, char *why, size_t why_size)
{
	static const char *const paths[] = { "/usr/bin/systemd-run", "/bin/systemd-run", NULL };
	int64_t left_ns = transaction->deadline_boottime_ns - tct_boottime_ns();
	char unit[64];
	char description[96];
	char active[64];
	char calendar[TCT_NUMBER_TEXT + 16];
	char time[TCT_NUMBER_TEXT];
	char id[32];
	char path[4096];
	const char *const argv[] = {
		"systemd-run",
		"--quiet",
		"--collect",
		unit,
		description,
		active,
		calendar,
		"--timer-property=AccuracySec=100ms",
		"--property=OOMScoreAdjust=-1000",
		"--",
		path,
		"confirm",
		"--expire",
		id,
		NULL,
	};
	struct tct_spawn spawn = {
		.path = program(paths),
		.argv = argv,
		.timeout_ms = ARM_TIMEOUT_MS,
	};
	int result = spawn.path != NULL ? own_path(path, sizeof(path)) : -ENOENT;

	if (result < 0)
		return result;
	/* "2026-11-26T05:30:00Z", and a second, for it has no parts of seconds */
	(void)tct_text_time(transaction->deadline_ns + 1000000000, time);
	if (strlen(time) != 20)
		return -EOVERFLOW;
	if (snprintf(unit, sizeof(unit), "--unit=" UNIT, transaction->id) < 0 ||
	    snprintf(description, sizeof(description),
		     "--description=tcptune transaction %" PRIu64 " unless it is confirmed",
		     transaction->id) < 0 ||
	    snprintf(active, sizeof(active), "--on-active=%" PRId64 "us",
		     left_ns > 0 ? left_ns / 1000 : 0) < 0 ||
	    snprintf(calendar, sizeof(calendar), "--on-calendar=%.10s %.8s UTC", time, time + 11) <
		    0 ||
	    snprintf(id, sizeof(id), "%" PRIu64, transaction->id) < 0)
		return -EOVERFLOW;
	result = tct_spawn(&spawn);
	if (result == -ECHILD)
		tct_text_printable(why, why_size, spawn.said, strcspn(spawn.said, "\n"));
	return result;
}

/* A fresh image of the program that we are, though its file may be gone. */
static int arm_process(const struct tct_transaction *transaction, char *why, size_t why_size)
{
	char id[32];
	const char *const argv[] = { "tcptune", "confirm", "--expire", id, NULL };
	struct tct_spawn spawn = {
		.path = SELF,
		.argv = argv,
		.ready = TCT_GUARD_READY,
		.timeout_ms = ARM_TIMEOUT_MS,
	};
	int result;

	if (snprintf(id, sizeof(id), "%" PRIu64, transaction->id) < 0)
		return -EOVERFLOW;
	result = tct_spawn(&spawn);
	if (result == -ECHILD)
		tct_text_printable(why, why_size, spawn.said, strcspn(spawn.said, "\n"));
	return result;
}

int tct_guard_arm(const struct tct_transaction *transaction, enum tct_guard *guard,
		  struct tct_err *err)
{
	char why[200] = "";
	int result;

	*guard = TCT_GUARD_SYSTEMD;
	if (has_systemd() && arm_timer(transaction, why, sizeof(why)) == 0)
		return 0;
	*guard = TCT_GUARD_PROCESS;
	why[0] = '\0';
	result = arm_process(transaction, why, sizeof(why));
	if (result == 0)
		return 0;
	*guard = TCT_GUARD_NONE;
	return tct_err_set(err, TCT_FAULT_REFUSED, -result,
			   "nothing could be set up that puts the values back in time: %s",
			   why[0] != '\0' ? why : strerror(-result));
}

void tct_guard_disarm(uint64_t id)
{
	static const char *const paths[] = { "/usr/bin/systemctl", "/bin/systemctl", NULL };
	char unit[64];
	const char *const argv[] = { "systemctl", "--quiet", "stop", unit, NULL };
	struct tct_spawn spawn = {
		.path = program(paths),
		.argv = argv,
		.timeout_ms = ARM_TIMEOUT_MS,
	};

	if (spawn.path == NULL || !has_systemd() ||
	    snprintf(unit, sizeof(unit), UNIT ".timer", id) < 0)
		return;
	/* There may be none. One that stays finds nothing to do. */
	(void)tct_spawn(&spawn);
}
