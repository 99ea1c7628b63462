/* One line of a sysctl file: what follows from what it says, whether it was read or comes from a
 * snapshot. */
#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/sysctl_files_private.h"
#include "core/mem.h"
#include "core/text.h"

/* Sets *context if a secret's path is found. */
static int finds_secret(void *context, const char *glob)
{
	static const char stable[] = "stable_secret";
	char named[2 * TCT_SYSCTL_PATH_MAX + 1];
	char path[256];
	const char *last = strrchr(glob, '/');
	bool *found = context;

	/* One for each interface: they are not in the table. */
	last = last != NULL ? last + 1 : glob;
	if (fnmatch(last, stable, FNM_PERIOD) == 0)
		*found = true;
	for (size_t i = 0; i < tct_kernel_keys_count && !*found; i++) {
		const struct tct_kernel_key *key = &tct_kernel_keys[i];

		if (key->handler == TCT_HANDLER_SECRET &&
		    tct_kernel_key_path(key->name, path, sizeof(path)) == 0 &&
		    tct_glob_finds(glob, path, named))
			*found = true;
	}
	return 0;
}

/*
 * Does the line give a secret key a secret? A pattern like net.ipv4.* = 1 reaches secret keys too,
 * but "1" is none.
 */
static int gives_secret(const struct tct_file_line *line, const char *path, bool *secret)
{
	*secret = false;
	if (line->known != NULL) {
		*secret = line->known->handler == TCT_HANDLER_SECRET;
		return 0;
	}
	if (strpbrk(line->value, "-:") == NULL)
		return 0;
	return tct_expand_braces(path, finds_secret, secret);
}

static int foretell(struct tct_file_line *line, const char *path)
{
	bool secret;
	int result;

	line->known = line->is_pattern ? NULL : tct_kernel_key_find(line->key);
	if (line->value == NULL)
		return 0;
	result = gives_secret(line, path, &secret);
	if (result < 0)
		return result;
	if (secret)
		tct_value_mask_secret(line->value);
	if (line->known == NULL)
		return 0;
	return tct_value_from_write(line->known, line->value, &line->outcome, &line->stored,
				    line->reason);
}

/* An owned name for the line: the path, dotted. */
static char *name_of(const char *path)
{
	char *name = tct_text_copy(path, strlen(path));

	if (name != NULL)
		tct_path_to_name(name);
	return name;
}

static void given_done(struct tct_line_given *given)
{
	free(given->path);
	free(given->procps_path);
	free(given->value);
}

int tct_sysctl_line_add(struct tct_sysctl_files *files, struct tct_line_given *given,
			struct tct_err *err)
{
	TCT_AUTO(given_done) struct tct_line_given own = *given;
	struct tct_boot_index *index = tct_boot_index(files);

	given->path = given->procps_path = given->value = NULL;
	if (files->lines_count >= TCT_FILES_LINES_MAX)
		return tct_err_set(err, TCT_FAULT_INPUT, EFBIG,
				   "%s:%u: more than %d settings in all sysctl files", own.file,
				   own.line, TCT_FILES_LINES_MAX);

	struct tct_boot_line *boot = TCT_APPEND(index, lines);
	struct tct_file_line *line = TCT_APPEND(files, lines);

	if (boot == NULL || line == NULL)
		return tct_err_nomem(err);
	line->file = own.file;
	line->line = own.line;
	line->is_pattern = tct_is_pattern(own.path);
	line->ignore_errors = own.ignore_errors;
	line->ours = strcmp(line->file, TCT_DROP_IN_PATH) == 0;
	line->vendor = strncmp(line->file, "/usr/", 5) == 0 || strncmp(line->file, "/lib/", 5) == 0;
	line->read_by = own.with_ours;
	line->twin = own.twin;
	line->key = name_of(own.path);
	line->value = TCT_STEAL(own.value);
	if (line->key == NULL || foretell(line, own.path) < 0)
		return tct_err_nomem(err);
	boot->without_ours = own.without_ours;
	boot->position[0] = SIZE_MAX;
	boot->position[1] = SIZE_MAX;
	boot->path = TCT_STEAL(own.path);
	boot->procps_path = TCT_STEAL(own.procps_path);
	return 0;
}

/* ---- for snapshots ---- */

void tct_sysctl_files_said(const struct tct_sysctl_files *files, size_t line,
			   struct tct_line_said *said)
{
	const struct tct_file_line *from = &files->lines[line];
	const struct tct_boot_line *boot = &tct_boot_index(files)->lines[line];

	*said = (struct tct_line_said){
		.file = tct_sysctl_files_path_index(files, from->file),
		.line = from->line,
		.path = boot->path,
		.procps_path = boot->procps_path,
		.value = from->value,
		.ignore_errors = from->ignore_errors,
		.read_by = from->read_by,
		.without_ours = boot->without_ours,
		.twin = from->twin,
	};
}

size_t tct_sysctl_files_path_index(const struct tct_sysctl_files *files, const char *path)
{
	for (size_t i = files->paths_count; i-- > 0;) {
		if (files->paths[i] == path)
			return i;
	}
	return 0;
}

static void free_auto(struct tct_sysctl_files **files)
{
	tct_sysctl_files_free(*files);
}

int tct_sysctl_files_begin(struct tct_sysctl_files **out, struct tct_err *err)
{
	TCT_AUTO(free_auto) struct tct_sysctl_files *files = calloc(1, sizeof(*files));

	if (files == NULL)
		return tct_err_nomem(err);
	files->index = calloc(1, sizeof(struct tct_boot_index));
	if (files->index == NULL)
		return tct_err_nomem(err);
	*out = TCT_STEAL(files);
	return 0;
}

int tct_sysctl_files_add_path(struct tct_sysctl_files *files, const char *path, struct tct_err *err)
{
	char **kept;

	if (files->paths_count >= TCT_FILES_PATHS_MAX)
		return tct_err_set(err, TCT_FAULT_INPUT, EFBIG, "more than %d sysctl files",
				   TCT_FILES_PATHS_MAX);
	kept = TCT_APPEND(files, paths);
	if (kept == NULL)
		return tct_err_nomem(err);
	*kept = tct_text_copy(path, strlen(path));
	return *kept != NULL ? 0 : tct_err_nomem(err);
}

static bool is_path(const char *path, size_t most)
{
	return path[0] != '\0' && strlen(path) <= most;
}

int tct_sysctl_files_add_line(struct tct_sysctl_files *files, const struct tct_line_said *said,
			      struct tct_err *err)
{
	struct tct_line_given given = {
		.line = said->line,
		.ignore_errors = said->ignore_errors,
		.with_ours = said->read_by,
		.without_ours = said->without_ours,
		.twin = said->twin,
	};

	if (said->file >= files->paths_count)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "there is no file %zu",
				   said->file);
	if ((said->read_by | said->without_ours) == 0 ||
	    ((said->read_by | said->without_ours) & ~TCT_MASK_BOTH) != 0)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "nobody reads it so");
	if (!is_path(said->path, TCT_SYSCTL_PATH_MAX) ||
	    (said->procps_path != NULL && !is_path(said->procps_path, TCT_SYSCTL_PATH_MAX)))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "no key can have this path");
	given.file = files->paths[said->file];
	given.path = tct_text_copy(said->path, strlen(said->path));
	if (said->procps_path != NULL)
		given.procps_path = tct_text_copy(said->procps_path, strlen(said->procps_path));
	if (said->value != NULL)
		given.value = tct_text_copy(said->value, strlen(said->value));
	if (given.path == NULL || (said->procps_path != NULL && given.procps_path == NULL) ||
	    (said->value != NULL && given.value == NULL)) {
		given_done(&given);
		return tct_err_nomem(err);
	}
	return tct_sysctl_line_add(files, &given, err);
}

int tct_sysctl_files_add_fault(struct tct_sysctl_files *files, size_t file,
			       const struct tct_file_fault *fault, struct tct_err *err)
{
	struct tct_file_fault *kept;

	if (file >= files->paths_count)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "there is no file %zu", file);
	if ((fault->affects & ~TCT_MASK_BOTH) != 0)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "nobody reads it so");
	if (files->faults_count > TCT_FILES_FAULTS_MAX)
		return tct_err_set(err, TCT_FAULT_INPUT, EFBIG, "more than %d faults",
				   TCT_FILES_FAULTS_MAX);
	kept = TCT_APPEND(files, faults);
	if (kept == NULL)
		return tct_err_nomem(err);
	*kept = *fault;
	kept->file = files->paths[file];
	return 0;
}

int tct_sysctl_files_end(struct tct_sysctl_files *files, struct tct_err *err)
{
	for (size_t i = 0; i < files->lines_count; i++) {
		if (files->lines[i].twin > files->lines_count)
			return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
					   "line %zu: there is no line %zu", i,
					   files->lines[i].twin);
	}
	return tct_boot_index_build(files, err);
}
