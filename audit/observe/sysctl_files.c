#include "audit/observe/sysctl_files.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/sysctl_files_private.h"
#include "core/mem.h"

const char *tct_boot_model_name(enum tct_boot_model model)
{
	switch (model) {
	case TCT_BOOT_SYSTEMD:
		return "systemd";
	case TCT_BOOT_PROCPS:
		return "procps";
	case TCT_BOOT_MODELS:
		break;
	}
	return "unknown";
}

int tct_sysctl_fault(struct tct_sysctl_files *files, const char *file, unsigned line,
		     unsigned affects, struct tct_err *err, const char *format, ...)
{
	va_list arguments;

	if (affects == 0 || files->faults_count > TCT_FILES_FAULTS_MAX)
		return 0;

	struct tct_file_fault *fault = TCT_APPEND(files, faults);

	if (fault == NULL)
		return tct_err_nomem(err);
	fault->file = file;
	fault->line = line;
	fault->affects = affects;
	if (files->faults_count > TCT_FILES_FAULTS_MAX) {
		fault->affects = TCT_MASK_BOTH;
		(void)snprintf(fault->what, sizeof(fault->what),
			       "too many faults: those from here on are not listed");
		return 0;
	}
	va_start(arguments, format);
	/* A cut message still says what it is about. */
	(void)vsnprintf(fault->what, sizeof(fault->what), format, arguments);
	va_end(arguments);
	return 0;
}

static void free_auto(struct tct_sysctl_files **files)
{
	tct_sysctl_files_free(*files);
}

int tct_sysctl_files_read(const struct tct_root *root, struct tct_sysctl_files **out,
			  struct tct_err *err)
{
	TCT_AUTO(free_auto) struct tct_sysctl_files *files = NULL;
	int result = tct_sysctl_files_begin(&files, err);

	if (result == 0)
		result = tct_sysctl_scan(root, files, err);
	if (result == 0)
		result = tct_boot_index_build(files, err);
	if (result < 0)
		return result;
	*out = TCT_STEAL(files);
	return 0;
}

static void index_free(struct tct_boot_index *index)
{
	if (index == NULL)
		return;
	for (size_t i = 0; i < index->lines_count; i++) {
		free(index->lines[i].path);
		free(index->lines[i].procps_path);
	}
	for (size_t i = 0; i < index->globs_count; i++)
		free(index->globs[i].glob);
	free(index->lines);
	free(index->globs);
	free(index->by_path);
	free(index);
}

void tct_sysctl_files_free(struct tct_sysctl_files *files)
{
	if (files == NULL)
		return;
	for (size_t i = 0; i < files->lines_count; i++) {
		free(files->lines[i].key);
		free(files->lines[i].value);
		tct_value_done(&files->lines[i].stored);
	}
	for (size_t i = 0; i < files->paths_count; i++)
		free(files->paths[i]);
	index_free(tct_boot_index(files));
	free(files->lines);
	free(files->paths);
	free(files->faults);
	free(files);
}
