/*
 * Counting what is frequent in bounded memory: as long as there are no more kinds than there is
 * room for, counts are exact; beyond, the small kinds make room, and what may be missing in the
 * others is known.
 */
#ifndef TCT_AUDIT_OBSERVE_FREQUENT_H
#define TCT_AUDIT_OBSERVE_FREQUENT_H

#include <stddef.h>
#include <stdint.h>

/* How an entry begins; the kind's key follows, then whatever the user keeps of it. */
struct tct_frequent_head {
	uint32_t total;   /* counted while it was here; never too many */
	uint32_t missing; /* at most so many came before it was here (again) */
};

struct tct_frequent {
	size_t key_bytes; /* compared byte by byte: unused fields and padding are 0 */
	size_t entry_bytes;
	size_t most;      /* kinds */
	size_t count;     /* kinds that are there */
	uint32_t dropped; /* no kind is short of more: at most 2 x counted / most */
	uint64_t lost;    /* of kinds that had to go, exactly */
	char *entries;    /* owned; in no order */
	uint32_t *slots;  /* owned; 1 + index of an entry, 0 = free; open addressing */
	size_t slots_count;
	uint32_t *room; /* owned; for finding the median */
	uint64_t seed;  /* peers choose their addresses, but must not choose the slot */
};

/*
 * Room for `most` kinds (at least 2). entry_bytes is the size of a structure that begins with a
 * struct tct_frequent_head and then a key of key_bytes. 0 or -ENOMEM.
 */
int tct_frequent_init(struct tct_frequent *frequent, size_t key_bytes, size_t entry_bytes,
		      size_t most);
void tct_frequent_done(struct tct_frequent *frequent);
/* Forget all, keep the room. */
void tct_frequent_clear(struct tct_frequent *frequent);

/*
 * Count so many of the kind. Returns its entry (of a new kind zero but for head and key), valid
 * until the next call. Memory is there already.
 */
void *tct_frequent_add(struct tct_frequent *frequent, const void *key, uint32_t count);

/* The kind's entry, or NULL. */
void *tct_frequent_find(const struct tct_frequent *frequent, const void *key);

/* The i-th entry, i < count, in no order. */
void *tct_frequent_at(const struct tct_frequent *frequent, size_t i);

#endif
