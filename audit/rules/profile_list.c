#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/embedded.h"
#include "audit/rules/profile_private.h"
#include "core/mem.h"

enum { LIST_MAX = 1000 };

struct list {
	struct tct_profile_info *infos;
	size_t infos_count;
	size_t infos_capacity;
};

static const char *name_at(const void *context, size_t i)
{
	const struct list *list = context;

	return i < list->infos_count ? list->infos[i].name : NULL;
}

static bool listed(const struct list *list, const char *name)
{
	for (size_t i = 0; i < list->infos_count; i++) {
		if (strcmp(list->infos[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The name of FILE.yaml, cut to fit; false for other files. */
static bool name_of(const char *file, char name[64])
{
	size_t length = strlen(file);

	if (length <= 5 || strcmp(file + length - 5, ".yaml") != 0 || file[0] == '.' ||
	    strchr(file, '/') != NULL)
		return false;
	length -= 5;
	if (length > 63)
		length = 63;
	memcpy(name, file, length);
	name[length] = '\0';
	return true;
}

static int add(struct list *list, const char *file)
{
	struct tct_profile_info *info;
	char name[64];

	if (!name_of(file, name) || listed(list, name) || list->infos_count == LIST_MAX)
		return 0;
	info = TCT_APPEND(list, infos);
	if (info == NULL)
		return -ENOMEM;
	memcpy(info->name, name, sizeof(name));
	return 0;
}

static int add_directory(struct list *list, const struct tct_root *root)
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, TCT_PROFILE_DIR, O_RDONLY | O_DIRECTORY, 0);
	const struct dirent *entry;
	int status = 0;
	DIR *directory;

	/* a directory that can't be listed only hides its profiles from the list */
	if (fd < 0)
		return 0;
	directory = fdopendir(fd);
	if (directory == NULL)
		return errno == ENOMEM ? -ENOMEM : 0;
	fd = -1;
	while (status == 0 && (entry = readdir(directory)) != NULL)
		status = add(list, entry->d_name);
	(void)closedir(directory);
	return status;
}

static int read_info(const struct tct_root *root, struct tct_profile_info *info,
		     struct tct_err *err)
{
	struct tct_arena *arena = tct_arena_new(TCT_PROFILE_ARENA_MAX);
	TCT_AUTOFREE char *data = NULL;
	struct tct_profile_file file = { 0 };
	struct tct_yaml_node *yaml = NULL;
	size_t length = 0;
	bool built_in;
	int status;

	if (arena == NULL)
		return tct_err_nomem(err);
	status = tct_profile_read(root, info->name, &data, &length, info->origin, &built_in, err);
	if (status == 0)
		status = tct_yaml_parse(arena, info->origin, data, length, &yaml, err);
	if (status == 0)
		status = tct_profile_header(yaml, info->name, &file, err);
	if (status == 0 && snprintf(info->summary, sizeof(info->summary), "%s", file.summary) < 0)
		info->summary[0] = '\0';
	if (status == 0 && built_in && snprintf(info->origin, sizeof(info->origin), "built in") < 0)
		info->origin[0] = '\0';
	tct_arena_free(arena);
	return status;
}

static int compare(const void *a, const void *b)
{
	const struct tct_profile_info *left = a;
	const struct tct_profile_info *right = b;

	return strcmp(left->name, right->name);
}

/* The names alone: no file is opened. 0 or -ENOMEM. */
static int find_names(const struct tct_root *root, struct list *list)
{
	int status = root != NULL ? add_directory(list, root) : 0;

	for (size_t i = 0; i < tct_embedded_files_count && status == 0; i++)
		status = add(list, tct_embedded_files[i].name);
	return status;
}

int tct_profile_nearest(const struct tct_root *root, const char *name, char nearest[64])
{
	struct list list = { 0 };
	int status = find_names(root, &list);
	const char *found = status == 0 ? tct_text_nearest(name, name_at, &list) : NULL;

	(void)snprintf(nearest, 64, "%s", found != NULL ? found : "");
	free(list.infos);
	return status;
}

int tct_profile_list(const struct tct_root *root, struct tct_profile_info **infos, size_t *count,
		     struct tct_err *err)
{
	struct list list = { 0 };
	int status = find_names(root, &list);

	for (size_t i = 0; i < list.infos_count && status == 0; i++) {
		struct tct_err own = { 0 };
		char text[sizeof(own.file) + sizeof(own.message) + 32];

		if (read_info(root, &list.infos[i], &own) == 0)
			continue;
		if (own.code == ENOMEM)
			status = -ENOMEM;
		if (snprintf(list.infos[i].error, sizeof(list.infos[i].error), "%.299s",
			     tct_err_text(&own, text, sizeof(text))) < 0)
			list.infos[i].error[0] = '\0';
	}
	if (status < 0) {
		free(list.infos);
		return tct_err_nomem(err);
	}
	if (list.infos_count > 0)
		qsort(list.infos, list.infos_count, sizeof(*list.infos), compare);
	*infos = list.infos;
	*count = list.infos_count;
	return 0;
}
