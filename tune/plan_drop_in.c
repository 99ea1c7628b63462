/* Our drop-in to come: its lines, in an order that the kernel takes, and what comes up with them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/plan_private.h"

/* The lines to have; what they point to is the plan's. */
struct wanted_lines {
	struct tct_drop_in_line *list; /* owned */
	size_t count;
};

static void lines_done(struct wanted_lines *lines)
{
	free(lines->list);
}

bool tct_plan_has(const struct tct_plan *plan, const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < plan->keys_count; i++) {
		if (plan->keys[i].key == key)
			return true;
	}
	return false;
}

static int collect_lines(const struct tct_plan *plan, struct wanted_lines *lines)
{
	lines->list = calloc(plan->keys_count + plan->owned.items_count + 1, sizeof(*lines->list));
	if (lines->list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < plan->keys_count; i++) {
		const struct tct_plan_key *key = &plan->keys[i];

		if (key->persist)
			lines->list[lines->count++] = (struct tct_drop_in_line){
				.key = key->key,
				.value = &key->wanted_boot,
				.because = key->because[0] != '\0' ? key->because : NULL,
			};
	}
	for (size_t i = 0; i < plan->owned.items_count; i++) {
		const struct tct_owned *owned = &plan->owned.items[i];

		if (owned->boot && !tct_plan_has(plan, owned->key))
			lines->list[lines->count++] = (struct tct_drop_in_line){
				.key = owned->key,
				.value = &owned->boot_value,
				.because = owned->because,
			};
	}
	return 0;
}

static char *joined_names(const struct tct_profile_set *set)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	for (size_t i = 0; i < set->names_count; i++)
		tct_text_addf(&text, "%s%s", i > 0 ? "," : "", set->names[i]);
	return tct_text_take(&text);
}

/* Text of the file to come; NULL for no lines. */
static int render(const struct tct_plan_work *work, const struct wanted_lines *lines, char **text)
{
	TCT_AUTOFREE char *names = NULL;

	*text = NULL;
	if (lines->count == 0)
		return 0;
	if (work->options->profiles == NULL && !work->options->additive) {
		names = joined_names(work->set);
		if (names == NULL)
			return -ENOMEM;
	}

	struct tct_drop_in_head head = {
		.profiles = names != NULL ? names : work->options->profiles,
		.reason = work->options->reason,
		.transaction = work->journal->next_id,
	};

	*text = tct_drop_in_render(&head, lines->list, lines->count);
	return *text != NULL ? 0 : -ENOMEM;
}

const struct tct_sysctl_files *tct_plan_files(const struct tct_plan_work *work)
{
	return work->files != NULL ? work->files : work->observation->files;
}

/* How many of our lines don't come up with these files, under the models that count? */
static int count_lost(const struct tct_plan_work *work, const struct tct_sysctl_files *files,
		      size_t *lost)
{
	*lost = 0;
	for (size_t i = 0; i < work->plan->keys_count; i++) {
		const struct tct_plan_key *key = &work->plan->keys[i];

		for (unsigned model = 0; key->persist && model < TCT_BOOT_MODELS; model++) {
			TCT_AUTO(tct_value_done) struct tct_value value = { 0 };
			int known;

			if (!tct_plan_model_counts(work->options, work->observation,
						   (enum tct_boot_model)model))
				continue;
			known = tct_plan_boot_value(work, files, key->key,
						    (enum tct_boot_model)model, false,
						    &key->baseline_live, &value, NULL);
			if (known < 0)
				return known;
			if (known == 0 || !tct_value_stored_as(key->key, &key->wanted_boot, &value))
				++*lost;
		}
	}
	return 0;
}

static void files_free(struct tct_sysctl_files **files)
{
	tct_sysctl_files_free(*files);
}

/* One order of the lines. Kept if fewer of them are lost than *least. 0 or -ENOMEM. */
static int try_order(struct tct_plan_work *work, const struct wanted_lines *lines, size_t *least)
{
	TCT_AUTOFREE char *text = NULL;
	TCT_AUTO(files_free) struct tct_sysctl_files *files = NULL;
	size_t lost = 0;
	int result = render(work, lines, &text);

	if (result == 0 && work->observation->files != NULL)
		result = tct_sysctl_files_with_ours(work->observation->files, text, &files,
						    work->err);
	if (result == 0)
		result = count_lost(work, files, &lost);
	if (result < 0 || lost >= *least)
		return result;
	*least = lost;
	tct_sysctl_files_free(work->files);
	work->files = TCT_STEAL(files);
	free(work->plan->drop_in_after);
	work->plan->drop_in_after = TCT_STEAL(text);
	work->plan->drop_in_changes = true;
	return 0;
}

/* Of the orders that matter the first by which no line is lost, else the one that loses fewest. */
static int choose_order(struct tct_plan_work *work, struct wanted_lines *lines, size_t least)
{
	unsigned pairs = tct_drop_in_order(lines->list, lines->count, 0);
	int result = 0;

	for (unsigned turned = 0; result == 0 && least > 0 && turned < 1U << pairs; turned++) {
		(void)tct_drop_in_order(lines->list, lines->count, turned);
		result = try_order(work, lines, &least);
	}
	return result;
}

static void note_line_changes(struct tct_plan *plan, const struct tct_drop_in *on_disk)
{
	for (size_t i = 0; i < plan->keys_count; i++) {
		struct tct_plan_key *key = &plan->keys[i];
		const struct tct_value *now = tct_drop_in_find(on_disk, key->key);

		key->line_differs =
			key->persist && now != NULL && !tct_value_equal(now, &key->wanted_boot);
		key->line_changes = key->line_differs || key->persist != (now != NULL);
	}
}

/* The live value may be somebody's by hand: nothing is promised from it. */
static int promise(const struct tct_plan_work *work, const struct tct_sysctl_files *files,
		   const struct tct_plan_key *key, enum tct_boot_model model,
		   struct tct_plan_promise *to)
{
	const struct tct_file_line *winner;
	int known =
		tct_plan_boot_value(work, files, key->key, model, false, NULL, &to->value, NULL);

	if (known < 0 || files == NULL)
		return known < 0 ? known : 0;
	winner = tct_sysctl_files_winner(files, key->key->name, model, false);
	if (winner == NULL)
		return 0;
	to->line = winner->line;
	if (snprintf(to->file, sizeof(to->file), "%s", winner->file) < 0)
		to->file[0] = '\0';
	return 0;
}

int tct_plan_drop_in(struct tct_plan_work *work)
{
	struct tct_plan *plan = work->plan;
	const char *now = work->options->drop_in;
	TCT_AUTO(tct_drop_in_done) struct tct_drop_in on_disk = { 0 };
	TCT_AUTO(lines_done) struct wanted_lines lines = { 0 };
	size_t lost = SIZE_MAX;
	int result = collect_lines(plan, &lines);

	if (result == 0)
		result = tct_drop_in_parse(now, &on_disk);
	if (result < 0)
		return result;
	note_line_changes(plan, &on_disk);
	/* The values are there; is the order good enough? */
	if (tct_drop_in_equals(&on_disk, lines.list, lines.count))
		result = count_lost(work, work->observation->files, &lost);
	if (result == 0)
		result = choose_order(work, &lines, lost);
	if (result == 0 && now != NULL) {
		plan->drop_in_before = tct_text_copy(now, strlen(now));
		if (!plan->drop_in_changes)
			plan->drop_in_after = tct_text_copy(now, strlen(now));
		if (plan->drop_in_before == NULL ||
		    (!plan->drop_in_changes && plan->drop_in_after == NULL))
			return -ENOMEM;
	}
	for (size_t i = 0; i < plan->keys_count; i++) {
		struct tct_plan_key *key = &plan->keys[i];

		for (unsigned m = 0; result == 0 && m < TCT_BOOT_MODELS; m++) {
			enum tct_boot_model model = (enum tct_boot_model)m;

			result =
				promise(work, tct_plan_files(work), key, model, &key->next_boot[m]);
			if (result == 0)
				result = promise(work, work->observation->files, key, model,
						 &key->boot_now[m]);
		}
	}
	return result;
}

int tct_plan_drop_in_refuse(struct tct_plan_work *work)
{
	const struct tct_plan *plan = work->plan;
	const char *prefix = work->options->prefix != NULL ? work->options->prefix : "";
	TCT_AUTO(tct_drop_in_done) struct tct_drop_in on_disk = { 0 };
	char orphan[TCT_ORPHAN_TEXT];

	/* An interrupted transaction explains what is on disk; it is undone before anything is
	 * written. */
	if (!plan->drop_in_changes || plan->drop_in_before == NULL ||
	    tct_journal_interrupted(work->journal) != NULL)
		return 0;
	if (tct_drop_in_parse(plan->drop_in_before, &on_disk) < 0)
		return -ENOMEM;
	if (tct_drop_in_equals_owned(&on_disk, &plan->owned))
		return 0;
	if (tct_drop_in_is_orphan(plan->drop_in_before, work->journal))
		return tct_plan_refuse(work, NULL, "drop-in", "%s",
				       tct_drop_in_orphan_text(prefix, orphan));
	return tct_plan_refuse(
		work, NULL, "drop-in",
		"%s%s isn't what tcptune wrote%s: move its lines to a file with a name of your own, "
		"remove it, and apply again",
		prefix, TCT_DROP_IN_PATH, plan->owned.drop_in != NULL ? " (edited by hand?)" : "");
}
