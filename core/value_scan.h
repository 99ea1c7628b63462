/* How the kernel reads numbers and port lists from what is written to /proc/sys. For core/value*.c
 * only. */
#ifndef TCT_CORE_VALUE_SCAN_H
#define TCT_CORE_VALUE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/kernel_keys.h"

/* What is left of the text. */
struct tct_scan {
	const char *at;
	size_t left;
};

/* The kernel's isspace(), which knows Latin-1's no-break space as well. */
bool tct_scan_is_space(char c);
void tct_scan_skip_spaces(struct tct_scan *scan);

/*
 * Take one number: decimal, 0x or 0 prefix, at most 20 characters, followed by the end or one of
 * `after` (which is left). Returns false if the kernel would refuse it. Source: kernel/sysctl.c,
 * proc_get_long().
 */
bool tct_scan_number(struct tct_scan *scan, const char *after, uint64_t *magnitude, bool *negative);

/*
 * The value that the key's handler makes of a number. Returns false if it is outside what the
 * handler takes. Source: the conv functions of kernel/sysctl.c.
 */
bool tct_scan_convert(const struct tct_kernel_key *key, uint64_t magnitude, bool negative,
		      int64_t *number);

/* A set of ports; 8 KiB. */
struct tct_ports {
	uint64_t words[65536 / 64];
};

/*
 * Read a list as ip_local_reserved_ports does: "1,2-4"; line breaks may stand for commas. One
 * write(2) takes the first 4095 bytes, the rest stays in *scan; with `whole` there is no such
 * limit. Returns false if the kernel would refuse it. Source: kernel/sysctl.c,
 * proc_do_large_bitmap().
 */
bool tct_ports_scan(struct tct_ports *ports, struct tct_scan *scan, bool whole);

/* "80,9000-9100" in ascending order, owned by the caller; NULL on ENOMEM. */
char *tct_ports_text(const struct tct_ports *ports);

#endif
