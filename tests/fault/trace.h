/* What strace saw: one call a line. */
#ifndef TCT_TESTS_FAULT_TRACE_H
#define TCT_TESTS_FAULT_TRACE_H

#include <stdbool.h>
#include <stddef.h>

struct trace_call {
	char *name;
	char *line;    /* without the process id */
	unsigned when; /* the how many-th of its name in its process, from 1 */
	bool other;    /* of a process that tcptune began */
	bool failed;
	bool after_lock; /* made while (or after) the lock is held */
	bool writes;     /* see faults.h */
	bool in_work;    /* around a call that writes, or it decides what is done */
};

struct trace {
	struct trace_call *calls;
	size_t calls_count;
	size_t calls_capacity;
};

/* Read STAGE_TRACE. A call that was interrupted by another process's is one call, where it began.
 */
void trace_read(struct trace *trace);
void trace_done(struct trace *trace);

/* Is it this call, with this text in its line ("" = any)? */
bool trace_is(const struct trace_call *call, const char *name, const char *text);

/*
 * The path of the descriptor that is its first argument: "write(6</var/lib/x>, ...". Cut at size;
 * "" if there is none.
 */
const char *trace_path(const struct trace_call *call, char *out, size_t size);

#endif
