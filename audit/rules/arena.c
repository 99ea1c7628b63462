#include "audit/rules/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 32768 };

struct chunk {
	struct chunk *next;
	size_t capacity;
	size_t used;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct tct_arena {
	struct chunk *chunks; /* the newest first */
	size_t left;
	size_t limit;
};

struct tct_arena *tct_arena_new(size_t limit)
{
	struct tct_arena *arena = calloc(1, sizeof(*arena));

	if (arena != NULL) {
		arena->limit = limit;
		arena->left = limit;
	}
	return arena;
}

static void free_chunks(struct chunk *chunk)
{
	while (chunk != NULL) {
		struct chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void tct_arena_free(struct tct_arena *arena)
{
	if (arena == NULL)
		return;
	free_chunks(arena->chunks);
	free(arena);
}

void tct_arena_reset(struct tct_arena *arena)
{
	if (arena->chunks != NULL) {
		free_chunks(arena->chunks->next);
		arena->chunks->next = NULL;
		memset(arena->chunks->bytes, 0, arena->chunks->used);
		arena->chunks->used = 0;
	}
	arena->left = arena->limit;
}

void *tct_arena_alloc(struct tct_arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);

	if (size > arena->left || size > SIZE_MAX / 2)
		return NULL;
	size = size == 0 ? align : (size + align - 1) / align * align;

	struct chunk *chunk = arena->chunks;

	if (chunk == NULL || chunk->capacity - chunk->used < size) {
		size_t capacity = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		chunk = calloc(1, sizeof(*chunk) + capacity);
		if (chunk == NULL)
			return NULL;
		chunk->capacity = capacity;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}

	void *memory = chunk->bytes + chunk->used;

	chunk->used += size;
	arena->left -= size < arena->left ? size : arena->left;
	return memory;
}

void *tct_arena_array(struct tct_arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return tct_arena_alloc(arena, bytes);
}

char *tct_arena_text(struct tct_arena *arena, const char *text, size_t length)
{
	if (length == SIZE_MAX)
		return NULL;

	char *copy = tct_arena_alloc(arena, length + 1);

	if (copy != NULL && length > 0)
		memcpy(copy, text, length);
	return copy;
}
