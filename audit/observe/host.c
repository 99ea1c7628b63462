#include "audit/observe/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"

enum { FACT_MAX = 1 << 20 };

/* Copy one word or line for people: printable ASCII, others as '?'. */
static void copy_text(char *to, size_t to_size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < to_size && from[i] != '\0'; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = '\0';
}

/* The first line of a file that isn't empty or a comment; false if there is none. */
static bool read_line(const struct tct_root *root, const char *path, char *to, size_t to_size)
{
	TCT_AUTOFREE char *data = NULL;
	char *rest = NULL;

	if (tct_root_read(root, path, FACT_MAX, &data, NULL) < 0)
		return false;
	for (char *line = strtok_r(data, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		line = tct_text_trim(line);
		if (*line != '\0' && *line != '#') {
			copy_text(to, to_size, line);
			return true;
		}
	}
	return false;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) < 0)
		return -1;
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int64_t read_memory(const struct tct_root *root)
{
	static const char label[] = "MemTotal:";
	TCT_AUTOFREE char *data = NULL;
	const char *line;
	char *end;

	if (tct_root_read(root, "proc/meminfo", FACT_MAX, &data, NULL) < 0)
		return -1;
	line = strncmp(data, label, strlen(label)) == 0 ? data : strstr(data, "\nMemTotal:");
	if (line == NULL)
		return -1;
	line = strchr(line, ':') + 1;
	errno = 0;

	intmax_t kib = strtoimax(line, &end, 10);

	if (errno != 0 || end == line || kib < 0 || kib > INT64_MAX / 1024 ||
	    strncmp(end, " kB", 3) != 0)
		return -1;
	return kib * 1024;
}

int64_t tct_host_count_cpus(const char *list)
{
	int64_t count = 0;

	for (;;) {
		char *end;
		long first;
		long last;

		if (*list < '0' || *list > '9')
			return -1;
		first = last = strtol(list, &end, 10);
		if (*end == '-') {
			list = end + 1;
			if (*list < '0' || *list > '9')
				return -1;
			last = strtol(list, &end, 10);
		}
		if (last < first || last > 1 << 20)
			return -1;
		count += last - first + 1;
		if (*end == '\0' || *end == '\n')
			return count;
		if (*end != ',')
			return -1;
		list = end + 1;
	}
}

/* "processor : 0" lines; on s390 they are "processor 0: ...". */
static int64_t count_processors(const char *cpuinfo)
{
	static const char label[] = "processor";
	int64_t count = 0;

	for (const char *line = cpuinfo; line != NULL;) {
		const char *next = strchr(line, '\n');

		if (strncmp(line, label, strlen(label)) == 0 &&
		    strchr("\t :", line[strlen(label)]) != NULL && line[strlen(label)] != '\0')
			count++;
		line = next != NULL ? next + 1 : NULL;
	}
	return count > 0 ? count : -1;
}

static int64_t read_cpus(const struct tct_root *root)
{
	TCT_AUTOFREE char *list = NULL;
	TCT_AUTOFREE char *cpuinfo = NULL;

	if (root->live)
		return sysconf(_SC_NPROCESSORS_ONLN);
	if (tct_root_read(root, "sys/devices/system/cpu/online", FACT_MAX, &list, NULL) == 0)
		return tct_host_count_cpus(list);
	if (tct_root_read(root, "proc/cpuinfo", (size_t)FACT_MAX * 16, &cpuinfo, NULL) == 0)
		return count_processors(cpuinfo);
	return -1;
}

/* Is candidate a newer kernel than the one in host? */
static bool is_newer(const char *candidate, const struct tct_host *host)
{
	tct_version version = tct_version_parse(candidate);

	if (version == 0)
		return false;
	return version > host->kernel_version ||
	       (version == host->kernel_version && strverscmp(candidate, host->kernel) > 0);
}

static void close_folder(DIR **folder)
{
	if (*folder != NULL)
		(void)closedir(*folder);
}

/* Take the newest kernel below the folder of modules, if it is newer than host's. */
static void find_modules(const struct tct_root *root, const char *path, struct tct_host *host)
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, path, O_RDONLY | O_DIRECTORY, 0);
	TCT_AUTO(close_folder) DIR *folder = NULL;

	if (fd < 0)
		return;
	folder = fdopendir(fd);
	if (folder == NULL)
		return;
	fd = -1; /* the folder's now */
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if ((entry->d_type == DT_DIR || entry->d_type == DT_LNK ||
		     entry->d_type == DT_UNKNOWN) &&
		    is_newer(entry->d_name, host)) {
			copy_text(host->kernel, sizeof(host->kernel), entry->d_name);
			host->kernel_version = tct_version_parse(host->kernel);
		}
	}
}

static void take_running_kernel(struct tct_host *host)
{
	struct utsname names;

	if (uname(&names) == 0)
		copy_text(host->kernel, sizeof(host->kernel), names.release);
}

static void look_at_dir(const struct tct_root *root, struct tct_host *host)
{
	char uptime[64];

	if (!read_line(root, "proc/sys/kernel/hostname", host->hostname, sizeof(host->hostname)))
		(void)read_line(root, "etc/hostname", host->hostname, sizeof(host->hostname));
	if (!read_line(root, "proc/sys/kernel/osrelease", host->kernel, sizeof(host->kernel))) {
		find_modules(root, "lib/modules", host);
		find_modules(root, "usr/lib/modules", host);
	}
	if (tct_version_parse(host->kernel) == 0) {
		take_running_kernel(host);
		host->kernel_assumed = true;
	}
	if (read_line(root, "proc/uptime", uptime, sizeof(uptime))) {
		char *end;
		double seconds = strtod(uptime, &end);

		if (end != uptime && seconds >= 0 && seconds < 9e9)
			host->uptime_ns = (int64_t)(seconds * 1e9);
	}
}

static void look_at_live(struct tct_host *host)
{
	struct utsname names;

	if (uname(&names) == 0)
		copy_text(host->hostname, sizeof(host->hostname), names.nodename);
	take_running_kernel(host);
	host->page_bytes = sysconf(_SC_PAGESIZE);
	host->uptime_ns = clock_ns(CLOCK_BOOTTIME);
}

void tct_host_look(const struct tct_root *root, struct tct_host *host)
{
	const struct tct_netns netns = host->netns;

	*host = (struct tct_host){
		.page_bytes = -1,
		.uptime_ns = -1,
		.source = root->live ? TCT_SOURCE_LIVE : TCT_SOURCE_ROOT,
		.netns = netns,
		.taken_at_ns = clock_ns(CLOCK_REALTIME),
	};
	if (root->live)
		look_at_live(host);
	else
		look_at_dir(root, host);
	host->kernel_version = tct_version_parse(host->kernel);
	host->mem_total_bytes = read_memory(root);
	host->cpus = read_cpus(root);
	(void)read_line(root, "proc/sys/kernel/random/boot_id", host->boot_id,
			sizeof(host->boot_id));
}
