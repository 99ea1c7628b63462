/*
 * The order in which things reach the disk, as far as a power cut can be made here: from a trace of
 * each journey. Data before the name, the name before its folder, the folder before the record; the
 * record before a change and before people are told. That the judgement would see a missing fsync
 * is shown by leaving out each.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "tests/fault/scene.h"
#include "tests/fault/steps.h"
#include "tune/journal.h"

static unsigned count(const struct steps *steps, enum step_kind kind)
{
	unsigned found = 0;

	for (size_t i = 0; i < steps->items_count; i++)
		found += steps->items[i].kind == kind;
	return found;
}

/* Another sync of the same path before it matters: for the journal a change, for all else the next
 * record. */
static bool is_repeated(const struct steps *steps, size_t sync)
{
	const char *path = steps->items[sync].path;
	bool journal = strcmp(path, TCT_JOURNAL_PATH) == 0;

	for (size_t i = sync + 1; i < steps->items_count; i++) {
		const struct step *step = &steps->items[i];

		if (step->kind == STEP_SYNC && strcmp(step->path, path) == 0)
			return true;
		if (journal ? step->kind != STEP_SYNC && step->kind != STEP_RECORD
			    : step->kind == STEP_RECORD)
			break;
	}
	return false;
}

/* Each fsync, and each record, is needed. */
static void leave_out(const struct journey *journey, const struct steps *steps, bool begun)
{
	for (size_t i = 0; i < steps->items_count; i++) {
		const struct step *step = &steps->items[i];
		size_t at = 0;

		if (step->kind != STEP_SYNC && (step->kind != STEP_RECORD || begun))
			continue;
		if (steps_judge(steps, begun, i, &at) == NULL && !is_repeated(steps, i))
			stage_fail("%s: nobody would miss this: %s", journey->name,
				   step->call->line);
	}
}

static void judge(const struct stage *stage, const struct journey *journey)
{
	/* What is put back is in the journal already. */
	bool begun = journey->broken[0] != NULL || journey->sleep_s > 0;
	struct scene scene;
	struct steps steps;
	const char *wrong;
	size_t at = 0;

	stage_enter();
	scene_make(&scene, stage, journey);
	steps_take(&scene.trace, &steps);
	wrong = steps_judge(&steps, begun, SIZE_MAX, &at);
	if (wrong != NULL)
		stage_fail("%s: %s: %s", journey->name, wrong,
			   at < steps.items_count ? steps.items[at].call->line : "at the end");
	(void)printf("%-20s %u records, %u syncs, %u live values, in order\n", journey->name,
		     count(&steps, STEP_RECORD), count(&steps, STEP_SYNC),
		     count(&steps, STEP_LIVE));
	if (count(&steps, STEP_RECORD) < (begun ? 1 : 2) ||
	    count(&steps, STEP_SYNC) < count(&steps, STEP_RECORD) ||
	    count(&steps, STEP_LIVE) + count(&steps, STEP_RENAME) == 0)
		stage_fail("%s: the trace lacks them", journey->name);
	leave_out(journey, &steps, begun);
	steps_done(&steps);
	scene_done(&scene);
}

int main(void)
{
	struct stage stage = { 0 };

	stage_find(&stage);
	for (const struct journey *journey = journeys; journey->name != NULL; journey++)
		judge(&stage, journey);
	return 0;
}
