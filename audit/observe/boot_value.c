/*
 * What boot leaves in a key: its writes in the applier's order, each as far as the kernel takes it.
 * Where the kernel looks at another key when this one is written, that key's writes are gone
 * through, too, in the same order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/sysctl_files_private.h"
#include "core/mem.h"

/* A key, and those that the kernel looks at when it is written. */
enum { MEMBERS_MAX = 3 };

/* A value that is being put together, field by field. */
struct member {
	const struct tct_kernel_key *key;
	char path[256];
	struct tct_value value;
	unsigned known; /* mask of fields; the others are what the kernel is built with, or 0 */
	const struct tct_file_line *last; /* the last line that did something */
};

struct group {
	struct member members[MEMBERS_MAX];
	size_t members_count;
};

static void group_done(struct group *group)
{
	for (size_t i = 0; i < group->members_count; i++)
		tct_value_done(&group->members[i].value);
}

static unsigned all_fields(const struct tct_kernel_key *key)
{
	return (1U << key->fields) - 1;
}

static struct member *find(struct group *group, const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < group->members_count; i++) {
		if (group->members[i].key == key)
			return &group->members[i];
	}
	return NULL;
}

/* 0, or a negative errno from the path. */
static int join(struct group *group, const struct tct_kernel_key *key)
{
	struct member *member;

	if (key == NULL || find(group, key) != NULL || group->members_count == MEMBERS_MAX)
		return 0;
	member = &group->members[group->members_count++];
	*member = (struct member){ .key = key };
	if (tct_value_default(key, 0, &member->value))
		member->known = all_fields(key);
	return tct_kernel_key_path(key->name, member->path, sizeof(member->path));
}

static const struct tct_kernel_key *neighbour(const char *name)
{
	return name != NULL ? tct_kernel_key_find(name) : NULL;
}

/* The key and its neighbours; otherwise: what the key is before any file counts. */
static int gather(struct group *group, const struct tct_kernel_key *key,
		  const struct tct_value *otherwise)
{
	struct member *own = &group->members[0];
	int result = join(group, key);

	for (size_t i = 0; result == 0 && i < group->members_count; i++) {
		const struct tct_kernel_key *here = group->members[i].key;

		result = join(group, neighbour(here->refused_above));
		if (result == 0)
			result = join(group, neighbour(here->refused_below));
	}
	if (result < 0)
		return result;
	own->known = 0;
	if (otherwise == NULL || otherwise->kind == TCT_VALUE_NONE)
		return 0;
	tct_value_done(&own->value);
	if (otherwise->kind != TCT_VALUE_NUMBERS || otherwise->count == key->fields)
		own->known = all_fields(key);
	return tct_value_copy(&own->value, otherwise);
}

struct step {
	struct tct_boot_write write;
	struct member *member;
};

struct steps {
	struct step *list; /* owned */
	size_t list_count;
	size_t list_capacity;
	struct member *member; /* whose writes are being visited */
};

static void steps_done(struct steps *steps)
{
	free(steps->list);
}

static int collect(void *context, struct tct_boot_write write)
{
	struct steps *steps = context;
	struct step *step = TCT_APPEND(steps, list);

	if (step == NULL)
		return -ENOMEM;
	*step = (struct step){ write, steps->member };
	return 0;
}

/* One pattern's writes come in the order of its alternatives, then of the paths, as glob(3) has
 * them. */
static int by_time(const void *left, const void *right)
{
	const struct step *a = left;
	const struct step *b = right;

	if (a->write.position != b->write.position)
		return a->write.position > b->write.position ? 1 : -1;
	if (a->write.part != b->write.part)
		return a->write.part > b->write.part ? 1 : -1;
	return strcmp(a->member->path, b->member->path);
}

/* The first number of another key, as far as it is known. */
static bool first_number(struct group *group, const char *name, int64_t *number)
{
	const struct tct_kernel_key *key = neighbour(name);
	const struct member *member = key != NULL ? find(group, key) : NULL;

	if (member == NULL || (member->known & 1U) == 0 || member->value.kind != TCT_VALUE_NUMBERS)
		return false;
	*number = member->value.numbers[0];
	return true;
}

/* Does the kernel refuse this for what another key, or the rest of this one, is by then? */
static bool is_refused(struct group *group, const struct member *member,
		       const struct tct_value *given)
{
	const struct tct_kernel_key *key = member->key;
	int64_t limit;

	/* The low port alone: refused if it is above the high one. */
	if (key->handler == TCT_HANDLER_PORT_RANGE && given->count < key->fields &&
	    (member->known & 2U) != 0 && given->numbers[0] > member->value.numbers[1])
		return true;
	return (first_number(group, key->refused_above, &limit) && given->numbers[0] > limit) ||
	       (first_number(group, key->refused_below, &limit) && given->numbers[0] < limit);
}

/* Apply one write, as far as the kernel takes it. */
static int apply(struct group *group, struct member *member, const struct tct_file_line *line)
{
	const struct tct_kernel_key *key = member->key;
	TCT_AUTO(tct_value_done) struct tct_value given = { .kind = TCT_VALUE_NONE };
	enum tct_write_outcome written;
	char reason[160];
	int result = tct_value_from_write(key, line->value, &written, &given, reason);

	if (result < 0)
		return result;
	if (written == TCT_WRITE_REFUSED || written == TCT_WRITE_READ_ONLY ||
	    (given.kind == TCT_VALUE_NUMBERS &&
	     (given.count == 0 || is_refused(group, member, &given))))
		return 0;
	member->last = line;
	if (given.kind != TCT_VALUE_NUMBERS || given.count >= key->fields) {
		tct_value_done(&member->value);
		member->value = given;
		given = (struct tct_value){ .kind = TCT_VALUE_NONE };
		member->known = all_fields(key);
		return 0;
	}
	member->value.kind = TCT_VALUE_NUMBERS;
	member->value.count = key->fields;
	for (unsigned i = 0; i < given.count; i++) {
		member->value.numbers[i] = given.numbers[i];
		member->known |= 1U << i;
	}
	return 0;
}

/* Visit all writes to the group, in their order. */
static int go_through(struct group *group, const struct tct_sysctl_files *files,
		      enum tct_boot_model model, bool without_ours)
{
	TCT_AUTO(steps_done) struct steps steps = { 0 };
	int result = 0;

	for (size_t i = 0; result == 0 && i < group->members_count; i++) {
		const struct tct_boot_question question = { files, group->members[i].path, model,
							    without_ours };

		steps.member = &group->members[i];
		result = tct_boot_visit_writes(&question, collect, &steps);
		/* No file sets the key itself: then the others don't matter. */
		if (i == 0 && steps.list_count == 0)
			break;
	}
	if (result < 0 || steps.list_count == 0)
		return result;
	qsort(steps.list, steps.list_count, sizeof(*steps.list), by_time);
	for (size_t i = 0; result == 0 && i < steps.list_count; i++) {
		const struct step *step = &steps.list[i];

		result = apply(group, step->member, &files->lines[step->write.line]);
	}
	return result;
}

int tct_sysctl_files_outcome(const struct tct_sysctl_files *files, const struct tct_kernel_key *key,
			     enum tct_boot_model model, bool without_ours,
			     const struct tct_value *otherwise, struct tct_value *value,
			     const struct tct_file_line **last)
{
	TCT_AUTO(group_done) struct group group = { 0 };
	struct member *own = &group.members[0];
	int result;

	*last = NULL;
	if (model >= TCT_BOOT_MODELS)
		return -EINVAL;
	result = gather(&group, key, otherwise);
	if (result == 0)
		result = go_through(&group, files, model, without_ours);
	if (result < 0)
		return result;
	*last = own->last;
	if (own->last == NULL || own->known != all_fields(key))
		return 0;
	*value = own->value;
	own->value = (struct tct_value){ .kind = TCT_VALUE_NONE };
	return 1;
}

int tct_sysctl_files_value(const struct tct_sysctl_files *files, const struct tct_kernel_key *key,
			   enum tct_boot_model model, bool without_ours,
			   const struct tct_value *otherwise, struct tct_value *value)
{
	const struct tct_file_line *last;

	return tct_sysctl_files_outcome(files, key, model, without_ours, otherwise, value, &last);
}
