#include "tests/fault/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/fault/stage.h"
#include "tune/journal.h"

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The n-th quoted string of the line, from 0; "" if there is none. */
static void quoted(const char *line, unsigned n, char *out, size_t size)
{
	out[0] = '\0';
	for (const char *at = strchr(line, '"'); at != NULL; at = strchr(at + 1, '"')) {
		size_t length = strcspn(at + 1, "\"");

		if (n-- == 0 && length < size) {
			memcpy(out, at + 1, length);
			out[length] = '\0';
			return;
		}
		at += length + 1;
		if (*at == '\0')
			return;
	}
}

static void describe_write(struct step *step)
{
	if (strcmp(step->path, TCT_JOURNAL_PATH) == 0)
		step->kind = STEP_RECORD;
	else if (begins(step->path, "/proc/sys/"))
		step->kind = STEP_LIVE;
	else if (begins(step->call->line, "write(1<") || begins(step->call->line, "write(2<"))
		step->kind = STEP_TOLD;
	else
		step->kind = STEP_DATA;
}

/* Is it a step? */
static bool describe(struct step *step)
{
	static const char *const data[] = { "fchmod", "fchown", "fsetxattr", "ftruncate" };
	static const char *const names[] = { "unlinkat", "mkdirat" };
	const struct trace_call *call = step->call;

	if (call->failed || call->other)
		return false;
	(void)trace_path(call, step->path, sizeof(step->path));
	if (begins(step->path, "/run/"))
		return false;
	if (strcmp(call->name, "write") == 0) {
		describe_write(step);
		return true;
	}
	if (strcmp(call->name, "fsync") == 0 || strcmp(call->name, "fdatasync") == 0) {
		step->kind = STEP_SYNC;
		return true;
	}
	if (begins(call->name, "renameat")) {
		step->kind = STEP_RENAME;
		quoted(call->line, 0, step->from, sizeof(step->from));
		quoted(call->line, 1, step->name, sizeof(step->name));
		return true;
	}
	step->kind = STEP_NAME;
	if (strcmp(call->name, "linkat") == 0 || trace_is(call, "openat", "O_EXCL")) {
		quoted(call->line, call->name[0] == 'l' ? 1 : 0, step->name, sizeof(step->name));
		return true;
	}
	for (size_t i = 0; i < TCT_COUNT(names); i++) {
		if (strcmp(call->name, names[i]) == 0) {
			quoted(call->line, 0, step->name, sizeof(step->name));
			return true;
		}
	}
	step->kind = STEP_DATA;
	for (size_t i = 0; i < TCT_COUNT(data); i++) {
		if (strcmp(call->name, data[i]) == 0)
			return true;
	}
	return false;
}

void steps_take(const struct trace *trace, struct steps *steps)
{
	*steps = (struct steps){ 0 };
	for (size_t i = 0; i < trace->calls_count; i++) {
		struct step step = { .call = &trace->calls[i] };
		struct step *added;

		if (!step.call->after_lock || !describe(&step))
			continue;
		added = TCT_APPEND(steps, items);
		if (added == NULL)
			abort();
		*added = step;
	}
}

void steps_done(struct steps *steps)
{
	free(steps->items);
	*steps = (struct steps){ 0 };
}

/* --- the order
 * ---------------------------------------------------------------------------------------------------
 */

enum { DIRTY_MAX = 64 };

/* What is not on the disk yet. */
struct disk {
	char dirty[DIRTY_MAX][PATH_MAX];
	size_t dirty_count;
	bool begun;          /* the journal describes what is going on */
	bool journal_synced; /* its last record is on the disk */
	bool done;           /* the last record is written */
};

static void soil(struct disk *disk, const char *path)
{
	for (size_t i = 0; i < disk->dirty_count; i++) {
		if (strcmp(disk->dirty[i], path) == 0)
			return;
	}
	if (disk->dirty_count == DIRTY_MAX)
		stage_fail("too many files");
	(void)snprintf(disk->dirty[disk->dirty_count++], PATH_MAX, "%s", path);
}

static bool is_dirty(const struct disk *disk, const char *path)
{
	for (size_t i = 0; i < disk->dirty_count; i++) {
		if (strcmp(disk->dirty[i], path) == 0)
			return true;
	}
	return false;
}

static void clean(struct disk *disk, const char *path)
{
	if (strcmp(path, TCT_JOURNAL_PATH) == 0)
		disk->journal_synced = true;
	for (size_t i = 0; i < disk->dirty_count; i++) {
		if (strcmp(disk->dirty[i], path) == 0) {
			disk->dirty_count--;
			memmove(disk->dirty[i], disk->dirty[disk->dirty_count], PATH_MAX);
			return;
		}
	}
}

static bool is_journals(const struct step *step)
{
	return begins(TCT_JOURNAL_DIR, step->path) || begins(step->path, TCT_JOURNAL_DIR);
}

/* Of the replacement: what these names are doesn't matter any more when all is recorded. */
static bool is_temporary(const struct step *step)
{
	return step->kind == STEP_NAME && step->name[0] == '.';
}

static const char *change(const struct disk *disk, const struct step *step)
{
	if (is_journals(step))
		return NULL;
	if (!disk->begun || !disk->journal_synced)
		return "a change before the journal's record of it is on the disk";
	if (disk->done && !is_temporary(step))
		return "a change after the last record";
	return NULL;
}

static const char *rename_step(struct disk *disk, const struct step *step)
{
	char from[PATH_MAX + NAME_MAX + 2];

	(void)snprintf(from, sizeof(from), "%s/%s", step->path, step->from);
	if (is_dirty(disk, from))
		return "renamed before its data is on the disk";
	return change(disk, step);
}

static const char *record(struct disk *disk, bool last)
{
	clean(disk, TCT_JOURNAL_PATH); /* its mode goes along with the record's own sync */
	if (disk->dirty_count > 0)
		return "a record before what it tells of is on the disk";
	disk->begun = true;
	disk->journal_synced = false;
	disk->done = last;
	return NULL;
}

static const char *take_step(struct disk *disk, const struct step *step, bool last_record)
{
	const char *wrong = NULL;

	switch (step->kind) {
	case STEP_DATA:
		wrong = change(disk, step);
		soil(disk, step->path);
		break;
	case STEP_NAME:
		wrong = change(disk, step);
		if (!disk->done)
			soil(disk, step->path);
		break;
	case STEP_RENAME:
		wrong = rename_step(disk, step);
		soil(disk, step->path);
		break;
	case STEP_SYNC:
		clean(disk, step->path);
		break;
	case STEP_LIVE:
		wrong = change(disk, step);
		break;
	case STEP_RECORD:
		wrong = record(disk, last_record);
		break;
	case STEP_TOLD:
		if (!disk->done || !disk->journal_synced)
			wrong = "told before it is recorded";
		break;
	}
	return wrong;
}

const char *steps_judge(const struct steps *steps, bool begun, size_t without, size_t *at)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	const char *wrong = NULL;
	size_t last = 0;

	if (disk == NULL)
		abort();
	disk->begun = begun;
	disk->journal_synced = begun;
	for (size_t i = 0; i < steps->items_count; i++) {
		if (steps->items[i].kind == STEP_RECORD && i != without)
			last = i;
	}
	for (*at = 0; wrong == NULL && *at < steps->items_count; (*at)++) {
		if (*at != without)
			wrong = take_step(disk, &steps->items[*at], *at == last);
	}
	if (wrong == NULL && (!disk->done || !disk->journal_synced))
		wrong = "ended before it is recorded";
	/* Or the next record goes into a file that has no name after a power cut. */
	if (wrong == NULL && is_dirty(disk, TCT_JOURNAL_DIR))
		wrong = "ended before the journal's folder is on the disk";
	if (wrong != NULL && *at > 0)
		(*at)--;
	free(disk);
	return wrong;
}
