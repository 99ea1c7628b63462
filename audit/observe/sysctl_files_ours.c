/* The sysctl files as they would be with another text in our drop-in. */
#include <stdlib.h>
#include <string.h>

#include "audit/observe/sysctl_files_private.h"
#include "core/mem.h"

struct change {
	const struct tct_sysctl_files *from;
	struct tct_sysctl_files *to;
	const char *text; /* NULL = no drop-in */
	size_t *moved;    /* owned; index in from -> 1 + index in to, 0 = it is gone */
	bool put;         /* our lines are in */
	struct tct_err *err;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool in_sysctl_d(const char *path)
{
	static const char folder[] = "/sysctl.d/";
	size_t head = (size_t)(base_name(path) - path);

	return head >= sizeof(folder) - 1 &&
	       strncmp(path + head - (sizeof(folder) - 1), folder, sizeof(folder) - 1) == 0;
}

/* Is this file applied after our drop-in? The single files are read last. */
static bool comes_later(const char *path)
{
	return !in_sysctl_d(path) || strcmp(base_name(path), TCT_DROP_IN_NAME) > 0;
}

/* A file of the same name in another folder, which ours hides. */
static bool is_hidden_by_ours(const struct tct_file_line *line)
{
	return in_sysctl_d(line->file) && strcmp(base_name(line->file), TCT_DROP_IN_NAME) == 0;
}

static int put_ours(struct change *change)
{
	struct tct_reading reading = { .with_ours = TCT_MASK_BOTH };
	int result;

	if (change->put)
		return 0;
	change->put = true;
	if (change->text == NULL)
		return 0;
	result = tct_sysctl_files_add_path(change->to, TCT_DROP_IN_PATH, change->err);
	if (result < 0)
		return result;
	reading.file = change->to->paths[change->to->paths_count - 1];
	return tct_sysctl_parse(change->to, &reading, change->text, strlen(change->text),
				change->err);
}

static int copy_line(struct change *change, size_t index)
{
	const struct tct_file_line *line = &change->from->lines[index];
	struct tct_line_said said;
	int result;

	if (line->ours)
		return 0;
	tct_sysctl_files_said(change->from, index, &said);
	if (is_hidden_by_ours(line))
		said.read_by = change->text != NULL ? 0 : said.without_ours;
	said.twin = 0;
	result = tct_sysctl_files_add_line(change->to, &said, change->err);
	change->moved[index] = change->to->lines_count;
	return result;
}

static int copy_lines(struct change *change)
{
	const struct tct_sysctl_files *from = change->from;
	int result = 0;

	for (size_t i = 0; result == 0 && i < from->lines_count; i++) {
		if (!from->lines[i].ours && comes_later(from->lines[i].file))
			result = put_ours(change);
		if (result == 0)
			result = copy_line(change, i);
	}
	if (result == 0)
		result = put_ours(change);
	for (size_t i = 0; result == 0 && i < from->lines_count; i++) {
		if (change->moved[i] != 0 && from->lines[i].twin != 0)
			change->to->lines[change->moved[i] - 1].twin =
				change->moved[from->lines[i].twin - 1];
	}
	return result;
}

static void free_auto(struct tct_sysctl_files **files)
{
	tct_sysctl_files_free(*files);
}

int tct_sysctl_files_with_ours(const struct tct_sysctl_files *files, const char *text,
			       struct tct_sysctl_files **out, struct tct_err *err)
{
	TCT_AUTO(free_auto) struct tct_sysctl_files *to = NULL;
	TCT_AUTOFREE size_t *moved = calloc(files->lines_count + 1, sizeof(*moved));
	struct change change = { .from = files, .text = text, .moved = moved, .err = err };
	int result;

	if (moved == NULL)
		return tct_err_nomem(err);
	result = tct_sysctl_files_begin(&to, err);
	change.to = to;
	for (size_t i = 0; result == 0 && i < files->paths_count; i++)
		result = tct_sysctl_files_add_path(to, files->paths[i], err);
	if (result == 0)
		result = copy_lines(&change);
	if (result == 0)
		result = tct_sysctl_files_end(to, err);
	if (result < 0)
		return result;
	*out = TCT_STEAL(to);
	return 0;
}
