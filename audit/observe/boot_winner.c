/*
 * Which lines reach a key at boot, and what they leave there.
 *
 * systemd-sysctl keeps one entry per spelling of a key or pattern: a later, different value takes
 * the earlier one's place at the end of the order, an equal one leaves it where it is. procps
 * `sysctl --system` writes line by line. Under both a key that is spelt out anywhere, or excluded,
 * is out of reach for patterns.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/sosreport.h"
#include "audit/observe/sysctl_files_private.h"
#include "core/mem.h"

static bool reads(const struct tct_sysctl_files *files, size_t line, enum tct_boot_model model,
		  bool without_ours)
{
	unsigned readers = without_ours ? tct_boot_index(files)->lines[line].without_ours
					: files->lines[line].read_by;

	return (readers & 1U << model) != 0;
}

static bool is_read(const struct tct_boot_question *question, size_t line)
{
	return reads(question->files, line, question->model, question->without_ours);
}

static const char *line_path(const struct tct_boot_index *index, size_t line)
{
	return index->lines[line].path;
}

static const char *spelling(const struct tct_boot_question *question, size_t line)
{
	const struct tct_boot_line *boot = &tct_boot_index(question->files)->lines[line];

	return question->model == TCT_BOOT_PROCPS && boot->procps_path != NULL ? boot->procps_path
									       : boot->path;
}

static bool equal_or_null(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The lines that spell this key out: by_path[first .. return value). */
static size_t find_lines(const struct tct_boot_index *index, const char *path, size_t *first)
{
	size_t low = 0;
	size_t high = index->by_path_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(line_path(index, index->by_path[middle]), path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	while (low < index->by_path_count &&
	       strcmp(line_path(index, index->by_path[low]), path) == 0)
		low++;
	return low;
}

/* systemd's entry for the key, if there is one; one without a value only shuts patterns out. */
static bool systemd_entry(const struct tct_boot_question *question, size_t first, size_t end,
			  struct tct_boot_write *entry)
{
	const struct tct_boot_index *index = tct_boot_index(question->files);
	const struct tct_file_line *lines = question->files->lines;
	bool found = false;

	for (size_t i = first; i < end; i++) {
		size_t line = index->by_path[i];

		if (!is_read(question, line))
			continue;
		if (!found || !equal_or_null(lines[line].value, lines[entry->line].value))
			entry->position = line;
		entry->line = line;
		found = true;
	}
	return found;
}

/* Does a line that spells the key out shut out a pattern that finds it as `named`? */
static bool shut_out(const struct tct_boot_question *question, size_t first, size_t end,
		     const char *named)
{
	const struct tct_boot_index *index = tct_boot_index(question->files);

	for (size_t i = first; i < end; i++) {
		size_t line = index->by_path[i];

		if (is_read(question, line) && strcmp(spelling(question, line), named) == 0)
			return true;
	}
	return false;
}

/* When the pattern of this line is applied; false if it never is. */
static bool pattern_position(const struct tct_boot_question *question, size_t line,
			     size_t *position)
{
	const struct tct_boot_line *boot = &tct_boot_index(question->files)->lines[line];

	if (question->files->lines[line].value == NULL)
		return false;
	*position =
		question->model == TCT_BOOT_SYSTEMD ? boot->position[question->without_ours] : line;
	return *position != SIZE_MAX;
}

static int visit_patterns(const struct tct_boot_question *question, size_t first, size_t end,
			  tct_boot_visit_fn *visit, void *context)
{
	const struct tct_boot_index *index = tct_boot_index(question->files);
	char named[2 * TCT_SYSCTL_PATH_MAX + 1];
	size_t last = SIZE_MAX;

	/* The usual case, and quick: the usual spelling shuts every usual pattern out. */
	if (!index->odd_globs && shut_out(question, first, end, question->path))
		return 0;
	for (size_t i = 0; i < index->globs_count; i++) {
		const struct tct_boot_glob *glob = &index->globs[i];
		size_t position;
		int result;

		if ((glob->models & 1U << question->model) == 0 || glob->line == last ||
		    !is_read(question, glob->line) ||
		    !pattern_position(question, glob->line, &position) ||
		    !tct_glob_finds(glob->glob, question->path, named) ||
		    shut_out(question, first, end, named))
			continue;
		last = glob->line;
		result = visit(context, (struct tct_boot_write){ position, i, glob->line });
		if (result < 0)
			return result;
	}
	return 0;
}

/* Visit every write to the one file, in no order. Returns 0 or visit's error. */
static int visit_file(const struct tct_boot_question *question, tct_boot_visit_fn *visit,
		      void *context)
{
	const struct tct_boot_index *index = tct_boot_index(question->files);
	size_t first;
	size_t end = find_lines(index, question->path, &first);
	int result = 0;

	if (question->model == TCT_BOOT_SYSTEMD) {
		struct tct_boot_write entry = { 0 };

		if (systemd_entry(question, first, end, &entry) &&
		    question->files->lines[entry.line].value != NULL)
			result = visit(context, entry);
	} else {
		for (size_t i = first; i < end && result == 0; i++) {
			size_t line = index->by_path[i];

			if (is_read(question, line) && question->files->lines[line].value != NULL)
				result = visit(context, (struct tct_boot_write){ line, 0, line });
		}
	}
	return result < 0 ? result : visit_patterns(question, first, end, visit, context);
}

struct latest {
	bool found;
	struct tct_boot_write write;
};

static int keep_latest(void *context, struct tct_boot_write write)
{
	struct latest *latest = context;

	if (!latest->found || write.position > latest->write.position)
		latest->write = write;
	latest->found = true;
	return 0;
}

/* Another file of the same variable: its path; false if there is none. */
static bool other_file(const char *path, char *other, size_t size)
{
	char one[256];
	char two[256];

	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_kernel_key *key = &tct_kernel_keys[i];

		if (key->also == NULL || tct_kernel_key_path(key->name, one, sizeof(one)) < 0 ||
		    tct_kernel_key_path(key->also, two, sizeof(two)) < 0)
			continue;
		if (strcmp(path, one) == 0)
			return snprintf(other, size, "%s", two) > 0;
		if (strcmp(path, two) == 0)
			return snprintf(other, size, "%s", one) > 0;
	}
	return false;
}

int tct_boot_visit_writes(const struct tct_boot_question *question, tct_boot_visit_fn *visit,
			  void *context)
{
	struct tct_boot_question other = *question;
	char path[256];
	int result = visit_file(question, visit, context);

	if (result < 0 || !other_file(question->path, path, sizeof(path)))
		return result;
	other.path = path;
	return visit_file(&other, visit, context);
}

static const struct tct_file_line *winner(const struct tct_boot_question *question)
{
	struct latest latest = { 0 };

	/* keep_latest never fails. */
	(void)tct_boot_visit_writes(question, keep_latest, &latest);
	return latest.found ? &question->files->lines[latest.write.line] : NULL;
}

const struct tct_file_line *tct_sysctl_files_winner(const struct tct_sysctl_files *files,
						    const char *key, enum tct_boot_model model,
						    bool without_ours)
{
	char path[TCT_SYSCTL_PATH_MAX];
	const struct tct_boot_question question = { files, path, model, without_ours };

	if (model >= TCT_BOOT_MODELS || tct_kernel_key_path(key, path, sizeof(path)) < 0)
		return NULL;
	return winner(&question);
}

static int add_glob(struct tct_boot_index *index, size_t line, unsigned models, const char *text)
{
	struct tct_boot_glob *glob;

	if (index->globs_count >= TCT_FILES_GLOBS_MAX)
		return -EFBIG;
	glob = TCT_APPEND(index, globs);
	if (glob == NULL)
		return -ENOMEM;
	glob->line = line;
	glob->models = models;
	glob->glob = strdup(text);
	if (glob->glob == NULL)
		return -ENOMEM;
	if (text[0] == '/' || text[0] == '.' || strstr(text, "//") != NULL ||
	    strstr(text, "/.") != NULL)
		index->odd_globs = true;
	return 0;
}

struct expansion {
	struct tct_boot_index *index;
	size_t line;
};

static int add_alternative(void *context, const char *glob)
{
	struct expansion *expansion = context;

	return add_glob(expansion->index, expansion->line, TCT_MASK_SYSTEMD, glob);
}

static int add_pattern(const struct tct_sysctl_files *files, size_t line)
{
	struct tct_boot_index *index = tct_boot_index(files);
	const struct tct_boot_line *boot = &index->lines[line];
	struct expansion expansion = { index, line };
	unsigned readers = files->lines[line].read_by | boot->without_ours;
	int result = 0;

	if (strchr(boot->path, '{') == NULL)
		return add_glob(index, line, readers, boot->path);
	if ((readers & TCT_MASK_SYSTEMD) != 0)
		result = tct_expand_braces(boot->path, add_alternative, &expansion);
	if (result == 0 && (readers & TCT_MASK_PROCPS) != 0)
		result = add_glob(index, line, TCT_MASK_PROCPS, boot->path);
	return result;
}

/* systemd's order of patterns: the latest line of each spelling, at the place its value first had.
 */
static void order_patterns(const struct tct_sysctl_files *files, bool without_ours)
{
	const struct tct_boot_index *index = tct_boot_index(files);
	size_t lines[TCT_FILES_GLOBS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < index->globs_count; i++) {
		size_t line = index->globs[i].line;

		if (reads(files, line, TCT_BOOT_SYSTEMD, without_ours) &&
		    (count == 0 || lines[count - 1] != line))
			lines[count++] = line;
	}
	for (size_t i = 0; i < count; i++) {
		struct tct_boot_line *boot = &index->lines[lines[i]];
		size_t before = i;

		boot->position[without_ours] = lines[i];
		while (before-- > 0) {
			struct tct_boot_line *earlier = &index->lines[lines[before]];

			if (strcmp(earlier->path, boot->path) != 0)
				continue;
			if (equal_or_null(files->lines[lines[before]].value,
					  files->lines[lines[i]].value))
				boot->position[without_ours] = earlier->position[without_ours];
			earlier->position[without_ours] = SIZE_MAX;
			break;
		}
	}
}

static int by_path_then_order(const void *left, const void *right, void *context)
{
	const struct tct_boot_index *index = context;
	size_t a = *(const size_t *)left;
	size_t b = *(const size_t *)right;
	int order = strcmp(line_path(index, a), line_path(index, b));

	return order != 0 ? order : (a > b) - (a < b);
}

/* Set `wins` of the lines that win. */
static void mark_winners(struct tct_sysctl_files *files)
{
	const struct tct_boot_index *index = tct_boot_index(files);
	size_t first;

	for (size_t at = 0; at < index->by_path_count;) {
		struct tct_boot_question question = { .files = files };

		question.path = line_path(index, index->by_path[at]);
		for (unsigned model = 0; model < TCT_BOOT_MODELS; model++) {
			question.model = (enum tct_boot_model)model;

			const struct tct_file_line *won = winner(&question);

			if (won != NULL && !won->is_pattern)
				files->lines[won - files->lines].wins |= 1U << model;
		}
		at = find_lines(index, question.path, &first);
	}
	for (size_t i = 0; i < files->lines_count; i++) {
		if (files->lines[i].twin != 0)
			files->lines[files->lines[i].twin - 1].wins |= files->lines[i].wins;
	}
}

int tct_boot_index_build(struct tct_sysctl_files *files, struct tct_err *err)
{
	struct tct_boot_index *index = tct_boot_index(files);

	if (files->lines == NULL)
		return 0;
	index->by_path = calloc(files->lines_count, sizeof(*index->by_path));
	if (index->by_path == NULL)
		return tct_err_nomem(err);
	for (size_t i = 0; i < files->lines_count; i++) {
		int result = 0;

		if (files->lines[i].is_pattern)
			result = add_pattern(files, i);
		else
			index->by_path[index->by_path_count++] = i;
		if (result == -EFBIG)
			return tct_err_set(err, TCT_FAULT_INPUT, EFBIG,
					   "%s:%u: more than %d patterns in all sysctl files",
					   files->lines[i].file, files->lines[i].line,
					   TCT_FILES_GLOBS_MAX);
		if (result < 0)
			return tct_err_nomem(err);
	}
	qsort_r(index->by_path, index->by_path_count, sizeof(*index->by_path), by_path_then_order,
		index);
	order_patterns(files, false);
	order_patterns(files, true);
	mark_winners(files);
	return 0;
}

static bool any_exists(const struct tct_root *root, const char *const paths[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (tct_root_exists(root, paths[i]))
			return true;
	}
	return false;
}

enum tct_boot_model tct_boot_model_of(const struct tct_root *root)
{
	static const char *const systemd[] = { "/usr/lib/systemd/systemd-sysctl",
					       "/lib/systemd/systemd-sysctl" };
	static const char *const procps[] = { "/usr/sbin/sysctl", "/sbin/sysctl", "/usr/bin/sysctl",
					      "/bin/sysctl" };

	if (root->live)
		return tct_root_exists(root, "/run/systemd/system") ? TCT_BOOT_SYSTEMD
								    : TCT_BOOT_PROCPS;
	/* sos asks systemd only where it is installed, and takes no programs along */
	if (tct_sos_is(root) && tct_root_exists(root, "/sos_commands/systemd"))
		return TCT_BOOT_SYSTEMD;

	bool has_systemd = any_exists(root, systemd, TCT_COUNT(systemd));
	bool has_procps = any_exists(root, procps, TCT_COUNT(procps));

	if (has_systemd == has_procps)
		return TCT_BOOT_MODELS;
	return has_systemd ? TCT_BOOT_SYSTEMD : TCT_BOOT_PROCPS;
}
