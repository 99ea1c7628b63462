/* The next boot as it will be against what is wanted: who overrides our lines, and whom they
 * hinder. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/plan_private.h"

static const struct tct_file_line *our_line(const struct tct_sysctl_files *files,
					    const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < files->lines_count; i++) {
		if (files->lines[i].ours && files->lines[i].known == key)
			return &files->lines[i];
	}
	return NULL;
}

/* The last "-key" behind this line; only systemd's takes earlier assignments away. */
static const struct tct_file_line *exclusion(const struct tct_sysctl_files *files,
					     const struct tct_file_line *ours)
{
	for (const struct tct_file_line *line = files->lines + files->lines_count; line-- > ours;) {
		if (line->known == ours->known && line->value == NULL &&
		    (line->read_by & 1U << TCT_BOOT_SYSTEMD) != 0)
			return line;
	}
	return NULL;
}

/* The line that decides instead of ours; NULL = none does, the kernel refuses ours. */
static const struct tct_file_line *overrider(const struct tct_sysctl_files *files,
					     const struct tct_file_line *ours,
					     enum tct_boot_model model,
					     const struct tct_file_line *last)
{
	const struct tct_file_line *winner =
		tct_sysctl_files_winner(files, ours->known->name, model, false);

	if (last > ours)
		return last;
	/* systemd writes the last of a key's lines alone: the kernel may refuse it, ours is lost.
	 */
	if (winner > ours)
		return winner;
	return winner == NULL && model == TCT_BOOT_SYSTEMD ? exclusion(files, ours) : NULL;
}

static int refuse_hindered(struct tct_plan_work *work, const struct tct_kernel_key *key,
			   enum tct_boot_model model)
{
	const char *other = key->refused_above != NULL ? key->refused_above : key->refused_below;

	return tct_plan_refuse(work, key, "invariant",
			       "the kernel would refuse our line at the next boot (%s), because of "
			       "what the files make of %s by then",
			       tct_boot_model_name(model), other != NULL ? other : "other keys");
}

static int note_shadow(struct tct_plan_work *work, const struct tct_plan_key *key,
		       enum tct_boot_model model, const struct tct_file_line *line,
		       const struct tct_value *value)
{
	struct tct_plan_shadow *item = TCT_APPEND(work->plan, shadowed);

	if (item == NULL)
		return -ENOMEM;
	item->key = key->key;
	item->model = model;
	item->line = line->line;
	item->takes_away = line->value == NULL;
	item->counts = tct_plan_model_counts(work->options, work->observation, model);
	item->refuses = item->counts && !work->options->allow_shadowed;
	if (snprintf(item->file, sizeof(item->file), "%s", line->file) < 0)
		item->file[0] = '\0';
	if (tct_value_copy(&item->value, value) < 0)
		return -ENOMEM;
	if (!item->refuses)
		return 0;
	return tct_plan_refuse(
		work, key->key, "shadowed",
		"%s:%u %s at the next boot (%s); change it there, or use --allow-shadowed",
		line->file, line->line,
		item->takes_away ? "takes our line away" : "overrides our drop-in",
		tct_boot_model_name(model));
}

/* Does our line come up under this model? */
static int check_line(struct tct_plan_work *work, const struct tct_plan_key *key,
		      enum tct_boot_model model)
{
	const struct tct_sysctl_files *files = tct_plan_files(work);
	const struct tct_file_line *ours = our_line(files, key->key);
	const struct tct_file_line *line;
	const struct tct_file_line *last = NULL;
	TCT_AUTO(tct_value_done) struct tct_value value = { 0 };
	int known = tct_plan_boot_value(work, files, key->key, model, false, &key->baseline_live,
					&value, &last);

	if (known < 0 || ours == NULL ||
	    (known != 0 && tct_value_stored_as(key->key, &key->wanted_boot, &value)))
		return known < 0 ? known : 0;
	line = overrider(files, ours, model, last);
	if (line != NULL)
		return note_shadow(work, key, model, line, &value);
	/* Under the other model nothing is promised. */
	if (!tct_plan_model_counts(work->options, work->observation, model))
		return 0;
	return refuse_hindered(work, key->key, model);
}

static bool has_line(const struct tct_plan *plan, const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < plan->keys_count; i++) {
		if (plan->keys[i].key == key)
			return plan->keys[i].persist;
	}
	return false;
}

/* Would our line make the kernel refuse what others set for `name`? */
static int check_neighbour(struct tct_plan_work *work, const struct tct_plan_key *key,
			   enum tct_boot_model model, const char *name)
{
	const struct tct_kernel_key *other = name != NULL ? tct_kernel_key_find(name) : NULL;
	const struct tct_sysctl_files *now = work->observation->files;
	TCT_AUTO(tct_value_done) struct tct_value before = { 0 };
	TCT_AUTO(tct_value_done) struct tct_value after = { 0 };
	const struct tct_file_line *line = NULL;
	int known;

	if (other == NULL || has_line(work->plan, other))
		return 0;
	known = tct_plan_boot_value(work, now, other, model, true, NULL, &before, &line);
	/* No line of theirs has an effect without us, either. */
	if (known <= 0 || line == NULL)
		return known < 0 ? known : 0;
	known = tct_plan_boot_value(work, tct_plan_files(work), other, model, false, NULL, &after,
				    NULL);
	if (known <= 0 || tct_value_equal(&before, &after))
		return known < 0 ? known : 0;
	return tct_plan_refuse(work, key->key, "invariant",
			       "our line would make the kernel refuse %s at the next boot (%s), "
			       "which %s:%u sets; set it in the profile, too",
			       other->name, tct_boot_model_name(model), line->file, line->line);
}

static int check_neighbours(struct tct_plan_work *work, const struct tct_plan_key *key,
			    enum tct_boot_model model)
{
	int result = 0;

	if (!tct_plan_model_counts(work->options, work->observation, model))
		return 0;
	result = check_neighbour(work, key, model, key->key->refused_above);
	if (result == 0)
		result = check_neighbour(work, key, model, key->key->refused_below);
	return result;
}

int tct_plan_boot_shadows(struct tct_plan_work *work)
{
	for (size_t i = 0; i < work->plan->keys_count; i++) {
		const struct tct_plan_key *key = &work->plan->keys[i];

		for (unsigned model = 0; key->persist && model < TCT_BOOT_MODELS; model++) {
			int result = check_line(work, key, (enum tct_boot_model)model);

			if (result == 0)
				result = check_neighbours(work, key, (enum tct_boot_model)model);
			if (result < 0)
				return result;
		}
	}
	return 0;
}
