/* Facts of the host from the commands of a sosreport. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/observe/host.h"
#include "audit/observe/sos_text.h"
#include "audit/observe/sosreport.h"
#include "core/mem.h"

static const char *const lscpu_paths[2] = { "sos_commands/processor/lscpu", "lscpu" };

/* A line that `take` wants, of the first of these files that has one. */
struct search {
	bool (*take)(struct tct_host *host, const char *line);
	struct tct_host *host;
};

static int take_line(void *context, char *line)
{
	const struct search *search = context;

	return search->take(search->host, line) ? 1 : 0;
}

static void look_in(const struct tct_root *root, struct tct_host *host, const char *const paths[2],
		    bool (*take)(struct tct_host *host, const char *line))
{
	struct search search = { take, host };
	struct tct_sos_lines lines;

	for (int i = 0; i < 2; i++) {
		if (tct_sos_lines_read(root, paths[i], take_line, &search, &lines) == 1)
			return;
	}
}

static bool copy_word(char *to, size_t to_size, const char *word, size_t length)
{
	if (length == 0 || length >= to_size)
		return false;
	for (size_t i = 0; i < length; i++)
		to[i] = word[i] > ' ' && word[i] <= '~' ? word[i] : '?';
	to[length] = '\0';
	return true;
}

/* "Linux web1 5.14.0-362.el9.x86_64 #1 SMP ... x86_64 x86_64 x86_64 GNU/Linux" */
static bool take_uname(struct tct_host *host, const char *line)
{
	char hostname[sizeof(host->hostname)];
	char kernel[sizeof(host->kernel)];
	const char *word;
	size_t length = tct_sos_word(&line, &word);

	if (length != 5 || memcmp(word, "Linux", 5) != 0)
		return false;
	length = tct_sos_word(&line, &word);
	if (!copy_word(hostname, sizeof(hostname), word, length))
		return false;
	length = tct_sos_word(&line, &word);
	if (!copy_word(kernel, sizeof(kernel), word, length) || tct_version_parse(kernel) == 0)
		return false;
	memcpy(host->hostname, hostname, sizeof(hostname));
	memcpy(host->kernel, kernel, sizeof(kernel));
	host->kernel_version = tct_version_parse(kernel);
	host->kernel_assumed = false;
	if (strstr(line, " x86_64 ") != NULL) /* there it has one size only */
		host->page_bytes = 4096;
	return true;
}

/* "Mem:       24684092      680612 ...", in KiB. */
static bool take_free(struct tct_host *host, const char *line)
{
	const char *word;
	size_t length = tct_sos_word(&line, &word);
	uint64_t kib;

	if (length != 4 || memcmp(word, "Mem:", 4) != 0)
		return false;
	length = tct_sos_word(&line, &word);
	if (!tct_sos_whole_number(word, length, INT64_MAX / 1024, &kib))
		return false;
	host->mem_total_bytes = (int64_t)kib * 1024;
	return true;
}

/* "On-line CPU(s) list:   0-3" */
static bool take_lscpu(struct tct_host *host, const char *line)
{
	static const char label[] = "On-line CPU(s) list:";
	int64_t cpus;

	if (strncmp(line, label, strlen(label)) != 0)
		return false;
	line += strlen(label);
	line += strspn(line, " \t");
	cpus = tct_host_count_cpus(line);
	if (cpus > 0)
		host->cpus = cpus;
	return cpus > 0;
}

/* " 22:40:56 up 3 days,  4:05,  2 users, ...", "up 14 min,", "up 1 day, 20 min," */
static bool take_uptime(struct tct_host *host, const char *line)
{
	const char *at = strstr(line, " up ");
	uint64_t number;
	uint64_t minutes = 0;

	if (at == NULL)
		return false;
	for (at += 4; *at != '\0'; at++) {
		uint64_t more;

		at += strspn(at, " ");
		if (!tct_sos_number(&at, 1 << 20, &number))
			break;
		if (*at == ':') {
			at++;
			if (!tct_sos_number(&at, 59, &more))
				return false;
			minutes += number * 60 + more;
		} else if (strncmp(at, " day", 4) == 0) {
			minutes += number * 24 * 60;
			at += strcspn(at, ",");
			if (*at == ',')
				continue;
			break;
		} else if (strncmp(at, " min", 4) == 0) {
			minutes += number;
		} else {
			break; /* the users */
		}
		host->uptime_ns = (int64_t)minutes * 60 * INT64_C(1000000000);
		return true;
	}
	return false;
}

static int find_month(const char *word, size_t length)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; length == 3 && i < 12; i++) {
		if (memcmp(word, months + (size_t)i * 3, 3) == 0)
			return i;
	}
	return -1;
}

static bool take_part(const char **at, uint64_t max, int *part, char then)
{
	uint64_t number;

	if (!tct_sos_number(at, max, &number) || **at != then)
		return false;
	*part = (int)number;
	if (then != '\0')
		*at += 1;
	return true;
}

/* "Wed Nov 25 22:40:56 UTC 2026": as C locale has it, and only in UTC. */
static bool take_date(struct tct_host *host, const char *line)
{
	struct tm time = { 0 };
	const char *word;
	size_t length;
	time_t seconds;

	(void)tct_sos_word(&line, &word);
	length = tct_sos_word(&line, &word);
	time.tm_mon = find_month(word, length);
	line += strspn(line, " ");
	if (time.tm_mon < 0 || !take_part(&line, 31, &time.tm_mday, ' ') ||
	    !take_part(&line, 23, &time.tm_hour, ':') || !take_part(&line, 59, &time.tm_min, ':') ||
	    !take_part(&line, 60, &time.tm_sec, ' '))
		return false;
	length = tct_sos_word(&line, &word);
	if (length != 3 || memcmp(word, "UTC", 3) != 0)
		return false;
	line += strspn(line, " ");
	if (!take_part(&line, 9999, &time.tm_year, '\0') || time.tm_year < 1970)
		return false;
	time.tm_year -= 1900;
	seconds = timegm(&time);
	if (seconds < 0 || seconds > INT64_MAX / INT64_C(1000000000))
		return false;
	host->taken_at_ns = (int64_t)seconds * INT64_C(1000000000);
	return true;
}

void tct_sos_host_look(const struct tct_root *root, struct tct_host *host)
{
	static const char *const uname[2] = { "sos_commands/kernel/uname_-a", "uname" };
	static const char *const memory[2] = { "sos_commands/memory/free", "free" };
	static const char *const uptime[2] = { "sos_commands/host/uptime", "uptime" };
	static const char *const date[2] = { "sos_commands/date/date_--utc", "date" };

	host->sosreport = true;
	look_in(root, host, uname, take_uname);
	if (host->mem_total_bytes < 0)
		look_in(root, host, memory, take_free);
	if (host->cpus < 0)
		look_in(root, host, lscpu_paths, take_lscpu);
	if (host->uptime_ns < 0)
		look_in(root, host, uptime, take_uptime);
	look_in(root, host, date, take_date);
}

struct machine {
	char name[32];
	bool told; /* it is an lscpu at all */
};

/* "Hypervisor vendor:     KVM" */
static int take_hypervisor(void *context, char *line)
{
	static const char label[] = "Hypervisor vendor:";
	static const struct {
		const char *vendor;
		const char *name;
	} names[] = {
		{ "KVM", "kvm" },
		{ "Microsoft", "hyper-v" },
		{ "VMware", "vmware" },
		{ "Xen", "xen" },
	};
	struct machine *machine = context;
	const char *at = line;
	const char *word;

	machine->told |= strncmp(line, "Architecture:", 13) == 0;
	if (strncmp(line, label, strlen(label)) != 0)
		return 0;
	at += strlen(label);
	(void)snprintf(machine->name, sizeof(machine->name), "unknown");
	if (tct_sos_word(&at, &word) == 0)
		return 1;
	for (size_t i = 0; i < TCT_COUNT(names); i++) {
		if (strcmp(word, names[i].vendor) == 0)
			(void)snprintf(machine->name, sizeof(machine->name), "%s", names[i].name);
	}
	return 1;
}

void tct_sos_environment_look(const struct tct_root *root, struct tct_environment *environment)
{
	struct machine machine = { .told = false };
	struct tct_sos_lines lines;

	if (environment->hypervisor[0] != '\0' && strcmp(environment->hypervisor, "unknown") != 0)
		return;
	for (int i = 0; i < 2 && !machine.told; i++)
		(void)tct_sos_lines_read(root, lscpu_paths[i], take_hypervisor, &machine, &lines);
	if (machine.name[0] != '\0') {
		(void)snprintf(environment->hypervisor, sizeof(environment->hypervisor), "%s",
			       machine.name);
		environment->presence = TCT_PRESENT;
	}
	if (!machine.told && environment->hypervisor[0] == '\0' &&
	    environment->container[0] == '\0')
		environment->presence = TCT_NOT_LOOKED;
}
