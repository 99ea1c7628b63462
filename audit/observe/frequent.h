/*
 * Counting what is frequent in bounded memory (Misra and Gries, 1982): with room for k kinds, a
 * kind among n things is counted at most n / k too low, and one that is never counted has at most
 * n / k. As long as there are no more than k kinds, all counts are exact.
 */
#ifndef TCT_AUDIT_OBSERVE_FREQUENT_H
#define TCT_AUDIT_OBSERVE_FREQUENT_H

#include <stddef.h>
#include <stdint.h>

/*
 * An entry is a structure of entry_bytes that begins with `int64_t count;`, then the key of
 * key_bytes (no padding in it, or zeroed), then whatever the user keeps of the kind.
 */
struct tct_frequent {
	size_t key_bytes;
	size_t entry_bytes;
	size_t capacity; /* kinds */
	size_t count;    /* kinds that are there */
	int64_t lost;    /* by so much a count may be too low */
	char *entries;   /* owned */
	uint32_t *slots; /* owned; 1 + index of an entry, 0 = free */
	size_t slots_mask;
};

/* Room for `capacity` kinds. 0 or -ENOMEM. */
int tct_frequent_init(struct tct_frequent *frequent, size_t key_bytes, size_t entry_bytes,
		      size_t capacity);
void tct_frequent_done(struct tct_frequent *frequent);
/* Forget all, keep the room. */
void tct_frequent_clear(struct tct_frequent *frequent);

/*
 * Count one of the kind. Returns its entry (new ones are zero but for count and key), valid until
 * the next call; NULL if it was only counted against the others.
 */
void *tct_frequent_add(struct tct_frequent *frequent, const void *key);

/* The kind's entry, or NULL. */
void *tct_frequent_find(const struct tct_frequent *frequent, const void *key);

/* The i-th entry, i < count, in no order. */
void *tct_frequent_at(const struct tct_frequent *frequent, size_t i);

#endif
