#include "tests/netns/fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/mem.h"

enum { SKIPPED = 77 };

static ino_t own_namespace(void)
{
	struct stat status;

	if (stat("/proc/self/ns/net", &status) < 0) {
		perror("/proc/self/ns/net");
		exit(1);
	}
	return status.st_ino;
}

static void key_path(const struct tct_kernel_key *key, char path[PATH_MAX])
{
	char below[PATH_MAX - 16];

	if (tct_kernel_key_path(key->name, below, sizeof(below)) < 0)
		abort();
	if (snprintf(path, PATH_MAX, "/proc/sys/%s", below) < 0)
		abort();
}

/* The largest number of seconds that this kernel takes, by trying. */
static int64_t find_seconds_max(const struct fresh *fresh)
{
	static const int64_t rates[] = { 24,  32,  48,  64,  100,  128,  250,
					 256, 300, 500, 512, 1000, 1024, 1200 };
	const struct tct_kernel_key *key = tct_kernel_key_find("net.ipv4.tcp_keepalive_time");

	for (size_t i = 0; i < TCT_COUNT(rates); i++) {
		char text[32];

		if (snprintf(text, sizeof(text), "%d", (int)(INT_MAX / rates[i])) < 0)
			abort();
		if (fresh_write(fresh, key, text) == 0) {
			if (fresh_write(fresh, key, "7200") < 0)
				abort();
			return INT_MAX / rates[i];
		}
	}
	return 0;
}

void fresh_enter(struct fresh *fresh)
{
	ino_t before = own_namespace();
	struct utsname name;

	*fresh = (struct fresh){ 0 };
	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: unshare: %s\n", strerror(errno));
		exit(SKIPPED);
	}
	if (own_namespace() == before || uname(&name) < 0 ||
	    tct_root_open(&fresh->root, NULL, NULL) < 0)
		abort();
	fresh->kernel = tct_version_parse(name.release);
	fresh->exact = fresh->kernel >= TCT_VERSION(6, 18) && fresh->kernel < TCT_VERSION(6, 19);

	int result = fresh_write(fresh, tct_kernel_key_find("net.ipv4.tcp_fin_timeout"), "60");

	if (result == -EROFS || result == -EACCES || result == -EPERM) {
		printf("skipped: /proc/sys: %s\n", strerror(-result));
		exit(SKIPPED);
	}
	fresh->seconds_max = find_seconds_max(fresh);
}

int fresh_done(struct fresh *fresh)
{
	tct_root_done(&fresh->root);
	printf("%u checks, %u failures, %u differences of this kernel\n", fresh->checks,
	       fresh->failures, fresh->differences);
	return fresh->failures > 0 || fresh->checks == 0 ? 1 : 0;
}

bool fresh_check(struct fresh *fresh, bool good, bool versioned, const char *format, ...)
{
	va_list arguments;

	fresh->checks++;
	if (good)
		return true;
	if (versioned && !fresh->exact)
		fresh->differences++;
	else
		fresh->failures++;
	printf("%s: ", versioned && !fresh->exact ? "differs" : "FAILED");
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	return false;
}

static bool is_own(const struct tct_kernel_key *key)
{
	return key->scope == TCT_SCOPE_NETNS && strncmp(key->name, "net.", 4) == 0;
}

bool fresh_writable(const struct fresh *fresh, const struct tct_kernel_key *key)
{
	char path[PATH_MAX];
	struct stat status;

	(void)fresh;
	key_path(key, path);
	return is_own(key) && !key->read_only && stat(path, &status) == 0 &&
	       (status.st_mode & S_IWUSR) != 0;
}

int fresh_read(struct fresh *fresh, const struct tct_kernel_key *key, struct tct_value *value)
{
	TCT_AUTOFREE char *text = NULL;
	struct tct_err err;
	char path[PATH_MAX];
	int result;

	*value = (struct tct_value){ 0 };
	key_path(key, path);
	result = tct_root_read(&fresh->root, path, 1 << 20, &text, NULL);
	if (result < 0)
		return result;
	result = tct_value_parse(key, text, value, &err);
	fresh_check(fresh, result == 0, true, "%s: '%s' doesn't parse: %s", key->name, text,
		    result < 0 ? err.message : "");
	return result;
}

int fresh_write(const struct fresh *fresh, const struct tct_kernel_key *key, const char *text)
{
	char path[PATH_MAX];
	ssize_t written;
	int result = 0;

	(void)fresh;
	if (!is_own(key))
		abort();
	key_path(key, path);

	TCT_AUTOCLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	if (written < 0)
		result = -errno;
	return result;
}
