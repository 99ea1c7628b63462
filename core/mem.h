/* Ownership helpers: cleanup attributes with a steal, and growing arrays. */
#ifndef TCT_CORE_MEM_H
#define TCT_CORE_MEM_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Declares a variable whose destructor runs at the end of its scope: TCT_AUTO(tct_text_done). */
#define TCT_AUTO(destructor) __attribute__((cleanup(destructor)))

static inline void tct_free_pointer(void *pointer_to_pointer)
{
	void *pointer;

	/* The variable has another type: copied, not cast. */
	memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
	free(pointer);
	memset(pointer_to_pointer, 0, sizeof(pointer));
}

static inline void tct_close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

/* `TCT_AUTOFREE char *name = NULL;` and `TCT_AUTOCLOSE int fd = -1;` */
#define TCT_AUTOFREE TCT_AUTO(tct_free_pointer)
#define TCT_AUTOCLOSE TCT_AUTO(tct_close_fd)

/* Take a pointer or fd out of an automatic variable so that it survives the scope. */
#define TCT_STEAL(pointer)                                                                         \
	__extension__({                                                                            \
		__typeof__(pointer) stolen_ = (pointer);                                           \
		(pointer) = NULL;                                                                  \
		stolen_;                                                                           \
	})
#define TCT_STEAL_FD(fd)                                                                           \
	__extension__({                                                                            \
		int stolen_ = (fd);                                                                \
		(fd) = -1;                                                                         \
		stolen_;                                                                           \
	})

#define TCT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Make room for one more element of `size` bytes in the array *items (owned, may be NULL) that
 * holds `count` of `*capacity`. New room is zeroed. Returns 0 or -ENOMEM; on failure nothing
 * changed.
 */
int tct_grow(void *items_pointer, size_t *capacity, size_t count, size_t size);

/* Append a zeroed element to an array triple {items, items_count, items_capacity}; NULL on ENOMEM.
 */
#define TCT_APPEND(owner, items)                                                                   \
	(tct_grow(&(owner)->items, &(owner)->items##_capacity, (owner)->items##_count,             \
		  sizeof(*(owner)->items)) < 0                                                     \
		 ? NULL                                                                            \
		 : &(owner)->items[(owner)->items##_count++])

#endif
