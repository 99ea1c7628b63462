#include "audit/observe/processes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/observe/cgroups.h"
#include "core/mem.h"
#include "core/text.h"

enum {
	PROCESS_FILE_MAX = 1 << 16,
	LINES_MAX = 64, /* of /proc/PID/cgroup: cgroup1 has about a dozen hierarchies */
};

/* One file of a process; NULL if there is none, or it may not be read. Owned by the caller. */
static char *read_file(const struct tct_root *root, int32_t pid, const char *name)
{
	char path[64];
	char *data = NULL;

	(void)snprintf(path, sizeof(path), "proc/%" PRId32 "/%s", pid, name);
	return tct_root_read(root, path, PROCESS_FILE_MAX, &data, NULL) == 0 ? data : NULL;
}

void tct_process_name(const struct tct_root *root, int32_t pid, char comm[32])
{
	TCT_AUTOFREE char *text = read_file(root, pid, "comm");

	comm[0] = '\0';
	/* The kernel ends it with one newline and writes those within as \n. */
	if (text != NULL)
		tct_text_printable(comm, 32, text, strcspn(text, "\n"));
}

int64_t tct_process_descriptors_max(const struct tct_root *root, int32_t pid)
{
	static const char label[] = "\nMax open files ";
	TCT_AUTOFREE char *text = read_file(root, pid, "limits");
	const char *at = text == NULL ? NULL : strstr(text, label);
	char *end;
	intmax_t soft;

	if (at == NULL)
		return -1;
	at += strlen(label);
	at += strspn(at, " ");
	if (strncmp(at, "unlimited ", strlen("unlimited ")) == 0)
		return INT64_MAX;
	if (*at < '0' || *at > '9')
		return -1;
	errno = 0;
	soft = strtoimax(at, &end, 10);
	return errno != 0 || *end != ' ' ? -1 : soft;
}

/* What one line of /proc/PID/cgroup is about: the better one is told. */
enum merit {
	MERIT_NONE,
	MERIT_SYSTEMD, /* "1:name=systemd:PATH" */
	MERIT_UNIFIED, /* "0::PATH" */
	MERIT_CONTAINER,
};

/* Take a line "ID:CONTROLLERS:PATH" apart, in place. */
static enum merit judge_line(char *line, char unit[128])
{
	static const char deleted[] = " (deleted)"; /* the folder was removed below the process */
	char *controllers = strchr(line, ':');
	char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
	size_t length;

	if (path == NULL)
		return MERIT_NONE;
	*controllers++ = '\0';
	*path++ = '\0';
	length = strlen(path);
	if (length > strlen(deleted) && strcmp(path + length - strlen(deleted), deleted) == 0)
		path[length - strlen(deleted)] = '\0';
	if (tct_cgroup_unit(path, unit) == TCT_CGROUP_CONTAINER)
		return MERIT_CONTAINER;
	if (unit[0] == '\0')
		return MERIT_NONE;
	if (strcmp(line, "0") == 0 && *controllers == '\0')
		return MERIT_UNIFIED;
	return strcmp(controllers, "name=systemd") == 0 ? MERIT_SYSTEMD : MERIT_NONE;
}

void tct_process_unit(const struct tct_root *root, int32_t pid, char unit[128])
{
	TCT_AUTOFREE char *text = read_file(root, pid, "cgroup");
	enum merit best = MERIT_NONE;
	char *rest = NULL;
	size_t lines = 0;

	unit[0] = '\0';
	if (text == NULL)
		return;
	/*
	 * With both versions mounted, runtimes that use cgroup1 leave a container in its daemon's
	 * cgroup2: "0::/system.slice/containerd.service". So a container on any line goes first.
	 */
	for (char *line = strtok_r(text, "\n", &rest); line != NULL && lines < LINES_MAX;
	     line = strtok_r(NULL, "\n", &rest), lines++) {
		char candidate[128];
		enum merit merit = judge_line(line, candidate);

		if (merit > best) {
			best = merit;
			memcpy(unit, candidate, sizeof(candidate));
		}
	}
}
