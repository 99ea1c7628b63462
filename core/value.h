/* Typed values of kernel keys: read, compare, print; and what the kernel makes of a line of text.
 */
#ifndef TCT_CORE_VALUE_H
#define TCT_CORE_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/kernel_keys.h"

enum tct_value_kind {
	TCT_VALUE_NONE = 0,
	TCT_VALUE_NUMBERS, /* numbers[0..count) */
	TCT_VALUE_WORDS,   /* text: names separated by one blank */
	TCT_VALUE_PORTS,   /* text: normalised list "80,9000-9100", "" = none */
};

struct tct_value {
	enum tct_value_kind kind;
	unsigned count;
	int64_t numbers[TCT_KEY_FIELDS_MAX];
	char *text; /* owned; WORDS and PORTS */
};

void tct_value_done(struct tct_value *value);
/* Deep copy to an empty target. 0 or -ENOMEM. */
int tct_value_copy(struct tct_value *to, const struct tct_value *from);
/* The same in place of what is there, which is released first. 0 or -ENOMEM, then it is empty. */
int tct_value_replace(struct tct_value *value, const struct tct_value *by);

/*
 * Parse what /proc/sys shows, or what a person or profile gives, strictly: right number of fields,
 * nothing left over, inside the kernel's min..max. Decimal, 0x and 0 prefixes as in the kernel. key
 * may be NULL: then one to three numbers, or words. A secret is refused. *value is overwritten, not
 * freed, and empty on error. Errors: INPUT, message without the key's name; -ENOMEM.
 */
int tct_value_parse(const struct tct_kernel_key *key, const char *text, struct tct_value *value,
		    struct tct_err *err);

/* Same kind, same numbers, same words in the same order, same set of ports. */
bool tct_value_equal(const struct tct_value *a, const struct tct_value *b);

/*
 * Is `read` what the kernel shows after `written` was written? Tolerates the rounding up of ms keys
 * (by any HZ) and the key's own (nf_conntrack_buckets). key may be NULL: equal.
 */
bool tct_value_stored_as(const struct tct_kernel_key *key, const struct tct_value *written,
			 const struct tct_value *read);

/*
 * The value that a kernel of this version is built with, as far as the table knows it (not for
 * defaults that depend on memory, nor for kernels without the key; kernel 0 = not known). Fills
 * *value (empty before).
 */
bool tct_value_default(const struct tct_kernel_key *key, tct_version kernel,
		       struct tct_value *value);

/* As it is written to /proc/sys or a file: "4096 131072 33554432". Owned by the caller; NULL on
 * ENOMEM. */
char *tct_value_text(const struct tct_value *value);

/* number, array of numbers, or string; words of a list key too are one string; null for none. NULL
 * on ENOMEM. */
json_t *tct_value_json(const struct tct_value *value);
/* The inverse, for the journal and snapshots; checked against the key as tct_value_parse does. */
int tct_value_from_json(const struct tct_kernel_key *key, const json_t *json,
			struct tct_value *value, struct tct_err *err);

/* What a line of a sysctl file does when sysctl(8) hands its value to the kernel, as it is. */
enum tct_write_outcome {
	TCT_WRITE_TAKEN,        /* stored whole */
	TCT_WRITE_REST_IGNORED, /* stored; something after the value was ignored ("5000 # note") */
	TCT_WRITE_PARTIAL,      /* a vector was given too few fields: the others stay as they are */
	TCT_WRITE_HALF_REFUSED, /* EINVAL, but the first fields of a vector have changed */
	TCT_WRITE_REFUSED,      /* EINVAL (or ENOENT for names): nothing changed */
	TCT_WRITE_READ_ONLY,    /* the key can't be written */
};

/*
 * Foretell what the kernel does with `text` written to `key` in one write(2) (with the newline that
 * sysctl(8) and systemd-sysctl append, so "" is a line break, not an empty write): the outcome, and
 * the value's fields that take effect (value->count may be smaller than key->fields). value is
 * empty where nothing is known or nothing takes effect: REFUSED, READ_ONLY and secrets. *value is
 * overwritten, not freed.
 *
 * What lies outside the text is not known here: whether a name exists, and the checks against other
 * keys (the port range against ip_unprivileged_port_start, tcp_reordering against
 * tcp_max_reordering). Seconds beyond what HZ = 1000 takes are foretold as TAKEN, with a reason.
 *
 * reason gets one line for people; "" if TAKEN as it reads. Returns 0 or -ENOMEM. Effects: none.
 * Source: kernel/sysctl.c, net/ipv4/sysctl_net_ipv4.c; tried by tests/netns/test_value_write.c.
 */
int tct_value_from_write(const struct tct_kernel_key *key, const char *text,
			 enum tct_write_outcome *outcome, struct tct_value *value,
			 char reason[160]);

/*
 * Take a secret out of the text that is written to a secret key, in place: its digits become 1,
 * letters and the rest ?; tct_value_from_write foretells the same of it.
 */
void tct_value_mask_secret(char *text);

/*
 * Is a at least b for at_least/at_most, by the key's meaning of "unlimited"? All unlimited values
 * are equal. key may be NULL: plain numbers.
 */
bool tct_value_field_at_least(const struct tct_kernel_key *key, int64_t a, int64_t b);

#endif
