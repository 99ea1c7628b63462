/* The live values of the namespace: every key of the table that it has. */
#ifndef TCT_TESTS_FAULT_STATE_VALUES_H
#define TCT_TESTS_FAULT_STATE_VALUES_H

#include "core/kernel_keys.h"

/* Texts by position in tct_kernel_keys, owned by the caller; NULL = not a key of this namespace, or
 * not readable. */
char **state_values_take(void);
void state_values_free(char **values);

/* Write what differs from `now` until all of it is as in `values`; the order of keys that lean on
 * each other is found by trying. */
void state_values_restore(char *const *values, char *const *now);

#endif
