#include "tests/fault/trace.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tests/fault/faults.h"
#include "tests/fault/stage.h"

bool trace_is(const struct trace_call *call, const char *name, const char *text)
{
	return strcmp(call->name, name) == 0 && strstr(call->line, text) != NULL;
}

const char *trace_path(const struct trace_call *call, char *out, size_t size)
{
	const char *begin = strchr(call->line, '(');
	size_t length;

	out[0] = '\0';
	begin = begin != NULL ? begin + 1 + strspn(begin + 1, "0123456789") : NULL;
	if (begin == NULL || *begin != '<')
		return out;
	begin++;
	length = strcspn(begin, ">");
	if (length >= size)
		length = size - 1;
	memcpy(out, begin, length);
	out[length] = '\0';
	return out;
}

static unsigned ordinal(const struct trace *trace, const struct trace_call *call)
{
	unsigned when = 1;

	/* Backwards to the last of its name; calls of other processes have counts of their own, and
	 * aren't points. */
	for (size_t i = trace->calls_count - 1; i-- > 0;) {
		const struct trace_call *earlier = &trace->calls[i];

		if (earlier->other == call->other && strcmp(earlier->name, call->name) == 0) {
			when = earlier->when + 1;
			break;
		}
	}
	return when;
}

/* "1234  write(6, ...) = 3": not signals, ends of processes and second halves. */
static void read_line(struct trace *trace, const char *line, size_t length, long *first)
{
	char *end = NULL;
	long process = strtol(line, &end, 10);
	struct trace_call *call;
	size_t name;

	end += strspn(end, " ");
	name = strcspn(end, "(\n");
	if (end[0] < 'a' || end[0] > 'z' || end[name] != '(')
		return;
	call = TCT_APPEND(trace, calls);
	if (call == NULL)
		abort();
	if (*first == 0)
		*first = process;
	call->name = tct_text_copy(end, name);
	call->line = tct_text_copy(end, length - (size_t)(end - line));
	if (call->name == NULL || call->line == NULL)
		abort();
	call->other = process != *first;
	call->writes = fault_find(call->name)->writes;
	call->failed =
		strstr(call->line, ") = -1 E") != NULL || strstr(call->line, "= -1 E") != NULL;
	call->when = ordinal(trace, call);
}

/* Between the journal's begin and commit record there is no longer stretch of calls that only look.
 */
enum { AROUND = 10 };

static void mark_around(struct trace *trace, size_t at)
{
	for (size_t i = at > AROUND ? at - AROUND : 0; i < trace->calls_count && i <= at + AROUND;
	     i++)
		trace->calls[i].in_work = true;
}

/* What decides what is done at all: faults here once led to a mixture. */
static bool decides(const struct trace_call *call)
{
	static const char *const texts[] = { "/etc/sysctl.d",       "\"etc/sysctl.d\"",
					     "/etc/modules-load.d", "\"etc/modules-load.d\"",
					     "/modules.",           "boot_id",
					     "\"proc/sys\"" };

	for (size_t i = 0; i < TCT_COUNT(texts); i++) {
		if (strstr(call->line, texts[i]) != NULL)
			return true;
	}
	return false;
}

static void mark(struct trace *trace)
{
	bool locked = false;

	for (size_t i = 0; i < trace->calls_count; i++) {
		struct trace_call *call = &trace->calls[i];

		locked = locked || trace_is(call, "flock", "LOCK_EX");
		call->after_lock = locked;
		if (call->writes)
			mark_around(trace, i);
		call->in_work = call->in_work || decides(call);
	}
}

void trace_read(struct trace *trace)
{
	TCT_AUTOFREE char *text = stage_read(STAGE_TRACE, NULL);
	long first = 0;

	*trace = (struct trace){ 0 };
	if (text == NULL)
		stage_fail("there is no trace");
	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");

		read_line(trace, line, length, &first);
		line += length + (line[length] == '\n' ? 1 : 0);
	}
	mark(trace);
}

void trace_done(struct trace *trace)
{
	for (size_t i = 0; i < trace->calls_count; i++) {
		free(trace->calls[i].name);
		free(trace->calls[i].line);
	}
	free(trace->calls);
	*trace = (struct trace){ 0 };
}
