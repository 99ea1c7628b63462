/*
 * The table of keys against the running kernel: in a fresh network namespace each key is there, is
 * typed, has its built-in default, and takes exactly the numbers from min to max.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tests/netns/fresh.h"

/* Files that are there only with a module or a build option. */
static bool may_be_missing(const struct tct_kernel_key *key)
{
	return strstr(key->name, "nf_conntrack") != NULL ||
	       strcmp(key->name, "net.ipv4.tcp_l3mdev_accept") == 0 ||
	       strcmp(key->name, "net.ipv4.tcp_syncookies") == 0;
}

/* A new namespace gets these from the initial one, not from the kernel's built-in defaults. */
static bool is_copied(const struct tct_kernel_key *key)
{
	return strstr(key->name, ".conf.") != NULL;
}

static void check_present(struct fresh *fresh, const struct tct_kernel_key *key)
{
	char path[NAME_MAX];
	bool known = (key->since == 0 || fresh->kernel >= key->since) &&
		     (key->until == 0 || fresh->kernel < key->until);

	if (tct_kernel_key_path(key->name, path, sizeof(path)) < 0) {
		fresh_check(fresh, false, false, "%s: no path", key->name);
		return;
	}

	char full[NAME_MAX + 16];

	if (snprintf(full, sizeof(full), "/proc/sys/%s", path) < 0)
		abort();

	bool there = tct_root_exists(&fresh->root, full);

	/* tcp_mem and its like exist in the initial namespace only; there is nothing to say here.
	 */
	if (key->scope == TCT_SCOPE_NETNS && !may_be_missing(key))
		fresh_check(fresh, there == known, true, "%s: %s, but this kernel should %s it",
			    key->name, there ? "is there" : "is missing",
			    known ? "have" : "not have");
	else if (there)
		fresh_check(fresh, known, true, "%s: is there too early or too late", key->name);
	if (!there)
		return;
	if (key->read_only) {
		int fd = open(full, O_WRONLY | O_CLOEXEC);

		fresh_check(fresh, fd < 0, true, "%s: can be written", key->name);
		if (fd >= 0)
			(void)close(fd);
	}
}

static void check_default(struct fresh *fresh, const struct tct_kernel_key *key)
{
	struct tct_value value;

	if (key->handler == TCT_HANDLER_SECRET || fresh_read(fresh, key, &value) < 0)
		return;
	if (key->default_known && fresh->kernel >= key->default_since &&
	    key->scope == TCT_SCOPE_NETNS && !is_copied(key)) {
		for (unsigned i = 0; i < key->fields; i++)
			fresh_check(fresh, value.numbers[i] == key->default_value[i], true,
				    "%s: starts as %" PRId64 ", not as %" PRId64, key->name,
				    value.numbers[i], key->default_value[i]);
	}
	tct_value_done(&value);
}

/* The same number in each field. Returns 0, -errno, or 1 if something else was stored. */
static int write_number(struct fresh *fresh, const struct tct_kernel_key *key, const char *number)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	struct tct_value wanted;
	struct tct_value found;
	int result;

	for (unsigned i = 0; i < key->fields; i++)
		tct_text_addf(&text, "%s%s", i > 0 ? " " : "", number);
	if (text.failed)
		abort();
	result = fresh_write(fresh, key, text.data);
	if (result < 0)
		return result;
	if (tct_value_parse(key, text.data, &wanted, NULL) < 0 ||
	    fresh_read(fresh, key, &found) < 0)
		return 1;
	result = tct_value_stored_as(key, &wanted, &found) ? 0 : 1;
	tct_value_done(&wanted);
	tct_value_done(&found);
	return result;
}

static void check_taken(struct fresh *fresh, const struct tct_kernel_key *key, int64_t number)
{
	char text[32];

	if (snprintf(text, sizeof(text), "%" PRId64, number) < 0)
		abort();

	int result = write_number(fresh, key, text);

	fresh_check(fresh, result == 0, true, "%s: %s is not taken: %s", key->name, text,
		    result > 0 ? "another value was stored" : strerror(-result));
}

static void check_refused(struct fresh *fresh, const struct tct_kernel_key *key, const char *text)
{
	int result = write_number(fresh, key, text);

	fresh_check(fresh, result == -EINVAL, true, "%s: %s is not refused: %s", key->name, text,
		    result < 0 ? strerror(-result) : "it was taken");
}

static void check_range(struct fresh *fresh, const struct tct_kernel_key *key)
{
	bool seconds = key->handler == TCT_HANDLER_SECONDS;
	int64_t min = seconds ? -fresh->seconds_max : key->min;
	int64_t max = seconds ? fresh->seconds_max : key->max;
	char text[32];

	fresh_check(fresh, min >= key->min && max <= key->max, false, "%s: the table is too narrow",
		    key->name);
	check_taken(fresh, key, min);
	check_taken(fresh, key, max);
	check_taken(fresh, key, key->sane_min);
	check_taken(fresh, key, key->sane_max);
	if (snprintf(text, sizeof(text), "%" PRId64, min - 1) < 0)
		abort();
	check_refused(fresh, key, text);
	if (key->beyond_max) {
		fresh_check(fresh, fresh_write(fresh, key, "18446744073709551615") == 0, true,
			    "%s: 2^64 - 1 is refused", key->name);
		check_refused(fresh, key, "18446744073709551616");
	} else {
		if (snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)max + 1) < 0)
			abort();
		check_refused(fresh, key, text);
	}
}

/* What the table says about order: with write_after at its highest, all of the range is open. */
static void check_numbers(struct fresh *fresh, const struct tct_kernel_key *key)
{
	const struct tct_kernel_key *first =
		key->write_after != NULL ? tct_kernel_key_find(key->write_after) : NULL;
	struct tct_value first_before = { 0 };
	struct tct_value before;

	if (!fresh_writable(fresh, key) || key->unit == TCT_UNIT_NAME ||
	    key->handler == TCT_HANDLER_PORT_BITMAP || fresh_read(fresh, key, &before) < 0)
		return;
	if (first != NULL) {
		if (fresh_read(fresh, first, &first_before) < 0)
			abort();
		check_taken(fresh, first, first->max);
	}
	check_range(fresh, key);

	TCT_AUTOFREE char *text = tct_value_text(&before);

	fresh_check(fresh, text != NULL && fresh_write(fresh, key, text) == 0, false,
		    "%s: can't be put back", key->name);
	if (first != NULL) {
		TCT_AUTOFREE char *first_text = tct_value_text(&first_before);

		fresh_check(fresh, first_text != NULL && fresh_write(fresh, first, first_text) == 0,
			    false, "%s: can't be put back", first->name);
	}
	tct_value_done(&before);
	tct_value_done(&first_before);
}

/* A reserved list that is longer than one read of an ordinary file: nothing may be cut off. */
static void check_long_list(struct fresh *fresh)
{
	const struct tct_kernel_key *key = tct_kernel_key_find("net.ipv4.ip_local_reserved_ports");
	TCT_AUTO(tct_text_done) struct tct_text wanted = { 0 };
	struct tct_value value;
	int fd = open("/proc/sys/net/ipv4/ip_local_reserved_ports", O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0;

	/* Writes at an offset are added to what is there. */
	for (unsigned port = 1; port < 65536; port += 2) {
		char text[16];
		int length = snprintf(text, sizeof(text), "%u\n", port);

		written = written && write(fd, text, (size_t)length) == length;
		tct_text_addf(&wanted, port > 1 ? ",%u" : "%u", port);
	}
	if (fd >= 0)
		(void)close(fd);
	fresh_check(fresh,
		    written && fresh_read(fresh, key, &value) == 0 &&
			    strcmp(value.text, wanted.data) == 0,
		    false, "%s: a long list is not read whole", key->name);
	tct_value_done(&value);
	fresh_check(fresh,
		    fresh_write(fresh, key, "\n") == 0 && fresh_read(fresh, key, &value) == 0 &&
			    value.text[0] == '\0',
		    false, "%s: a line break doesn't clear it", key->name);
	tct_value_done(&value);
}

int main(void)
{
	const struct tct_kernel_key *start =
		tct_kernel_key_find("net.ipv4.ip_unprivileged_port_start");
	struct fresh fresh;

	fresh_enter(&fresh);
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		check_present(&fresh, &tct_kernel_keys[i]);
		check_default(&fresh, &tct_kernel_keys[i]);
	}
	/* The range of ports may not begin below it. */
	fresh_check(&fresh, fresh_write(&fresh, start, "0") == 0, false, "%s: 0 is refused",
		    start->name);
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		check_numbers(&fresh, &tct_kernel_keys[i]);
	check_long_list(&fresh);
	return fresh_done(&fresh);
}
