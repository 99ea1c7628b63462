/* Our drop-in, /etc/sysctl.d/99-tcptune.conf: its text and its values. */
#ifndef TCT_TUNE_DROP_IN_H
#define TCT_TUNE_DROP_IN_H

#include "audit/observe/sysctl_files.h"
#include "core/root.h"
#include "tune/journal.h"
#include "tune/own_file.h"

/* A line to be in it; everything is borrowed. */
struct tct_drop_in_line {
	const struct tct_kernel_key *key;
	const struct tct_value *value;
	const char *because; /* NULL = no comment */
};

struct tct_drop_in_head {
	const char *profiles; /* NULL = not known */
	const char *reason;   /* NULL = none */
	uint64_t transaction;
};

/*
 * Write value of `reason` or any text from outside for one line of a comment or of the journal:
 * white space becomes one blank, control characters and what isn't UTF-8 become '?', and it is cut.
 * out is terminated.
 */
void tct_drop_in_sanitise(const char *text, char *out, size_t out_size);

/*
 * Sort the lines by name, but where the kernel refuses one key above another's value, that of the
 * two first that it takes from the state it starts with. Bit i of turned turns the i-th such pair
 * round. Returns the number of pairs.
 */
unsigned tct_drop_in_order(struct tct_drop_in_line *lines, size_t count, unsigned turned);

/*
 * The text for these lines (count > 0). The same lines and head give the same bytes. Owned by the
 * caller; NULL on ENOMEM.
 */
char *tct_drop_in_render(const struct tct_drop_in_head *head, const struct tct_drop_in_line *lines,
			 size_t count);
/* The lines that are ours by the journal, rendered; *text NULL = none is. 0 or -ENOMEM. */
int tct_drop_in_render_owned(const struct tct_owned_set *owned, char **text);

/* What a drop-in's text sets. */
struct tct_drop_in {
	struct tct_drop_in_value {
		const struct tct_kernel_key *key;
		struct tct_value value;
		unsigned line;
	} * values;
	size_t values_count;
	size_t values_capacity;
	unsigned strange_line; /* a line that we would never write; 0 = none */
};

/* text NULL = no file. 0 or -ENOMEM. */
int tct_drop_in_parse(const char *text, struct tct_drop_in *drop_in);
void tct_drop_in_done(struct tct_drop_in *drop_in);
/* The value of the key's line; NULL = there is none. */
const struct tct_value *tct_drop_in_find(const struct tct_drop_in *drop_in,
					 const struct tct_kernel_key *key);
/* Exactly these keys with these values, in any order, and nothing else? */
bool tct_drop_in_equals(const struct tct_drop_in *drop_in, const struct tct_drop_in_line *lines,
			size_t count);
bool tct_drop_in_equals_owned(const struct tct_drop_in *drop_in, const struct tct_owned_set *owned);

/*
 * Did tcptune write this drop-in (NULL = none), although the journal knows of no transaction that
 * had one: is the journal lost, or another one?
 */
bool tct_drop_in_is_orphan(const char *text, const struct tct_journal *journal);
/* Is that so below root? What can't be read says nothing. */
bool tct_drop_in_left_orphan(const struct tct_root *root, const struct tct_journal *journal);
/* What happened then, and what to type, in one line; prefix as of tct_root_prefix(). Returns out.
 */
enum { TCT_ORPHAN_TEXT = 800 };
const char *tct_drop_in_orphan_text(const char *prefix, char out[TCT_ORPHAN_TEXT]);

/* Read it, as own_file.h says. */
int tct_drop_in_read(const struct tct_root *root, char **text, struct tct_err *err);
void tct_drop_in_sha256(const char *text, char out[65]); /* "" for NULL */

#endif
