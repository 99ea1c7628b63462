#include "core/mem.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

int tct_grow(void *items_pointer, size_t *capacity, size_t count, size_t size)
{
	void *items;

	if (count < *capacity)
		return 0;

	size_t wanted = *capacity < 8 ? 8 : *capacity * 2;

	if (size == 0 || wanted > SIZE_MAX / size)
		return -ENOMEM;

	/* The caller's pointer has another type: copied, not cast. */
	memcpy(&items, items_pointer, sizeof(items));

	void *grown = realloc(items, wanted * size);

	if (grown == NULL)
		return -ENOMEM;
	memset((char *)grown + *capacity * size, 0, (wanted - *capacity) * size);
	memcpy(items_pointer, &grown, sizeof(grown));
	*capacity = wanted;
	return 0;
}
