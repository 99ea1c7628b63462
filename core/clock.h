/* The clock that durations and deadlines are counted by. */
#ifndef TCT_CORE_CLOCK_H
#define TCT_CORE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in nanoseconds; 0 if it can't be read. */
int64_t tct_now_ns(void);

#endif
