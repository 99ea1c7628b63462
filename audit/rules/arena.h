/* Memory that is freed all at once: everything that belongs to one profile set, or to one
 * judgement. */
#ifndef TCT_AUDIT_RULES_ARENA_H
#define TCT_AUDIT_RULES_ARENA_H

#include <stddef.h>

struct tct_arena;

/* A new arena that hands out at most `limit` bytes. NULL on ENOMEM. Free with tct_arena_free. */
struct tct_arena *tct_arena_new(size_t limit);
/* Frees the arena and all that came from it. NULL is fine. */
void tct_arena_free(struct tct_arena *arena);
/* Takes back all that came from it, and keeps one chunk for the next round. */
void tct_arena_reset(struct tct_arena *arena);

/* Zeroed, aligned memory; NULL if memory or the limit is exhausted. */
void *tct_arena_alloc(struct tct_arena *arena, size_t size);
/* The same for count elements of size bytes each. */
void *tct_arena_array(struct tct_arena *arena, size_t count, size_t size);
/* Terminated copy of text[0..length); NULL as above. */
char *tct_arena_text(struct tct_arena *arena, const char *text, size_t length);

#endif
