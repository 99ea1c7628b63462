/* modules-load.d(5): which modules are loaded at boot, before sysctl is applied; and our list among
 * them. */
#include "tune/modules_load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"

enum { FILE_MAX = 1 << 20, NAMES_MAX = 1000 };

static const char suffix[] = ".conf";

/* The first folder that has a name decides what is in the file of that name. */
static const char *const folders[] = {
	TCT_MODULES_LOAD_DIR,      "/run/modules-load.d", "/usr/local/lib/modules-load.d",
	"/usr/lib/modules-load.d", "/lib/modules-load.d",
};

bool tct_module_same_name(const char *text, const char *module, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char given = text[i] == '-' ? '_' : text[i];

		if (given != (module[i] == '-' ? '_' : module[i]))
			return false;
	}
	return true;
}

/* The next name of a list; NULL = no more. */
static const char *next_name(const char **text, size_t *length)
{
	static const char white[] = " \t\r";

	while (**text != '\0') {
		const char *line = *text;
		size_t size = strcspn(line, "\n");
		size_t lead = strspn(line, white);

		*text += size + (line[size] == '\n' ? 1 : 0);
		if (lead >= size || line[lead] == '#' || line[lead] == ';')
			continue;
		line += lead;
		size -= lead;
		while (size > 0 && strchr(white, line[size - 1]) != NULL)
			size--;
		*length = size;
		return line;
	}
	return NULL;
}

bool tct_module_is_loaded_by(const char *text, const char *module)
{
	const char *name;
	size_t length = 0;

	while ((name = next_name(&text, &length)) != NULL) {
		if (length == strlen(module) && tct_module_same_name(name, module, length))
			return true;
	}
	return false;
}

/* ---- other people's files ---- */

struct names {
	char **items;
	size_t items_count;
	size_t items_capacity;
};

static void done_names(struct names *names)
{
	for (size_t i = 0; i < names->items_count; i++)
		free(names->items[i]);
	free(names->items);
}

static bool has_name(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->items_count; i++) {
		if (strcmp(names->items[i], name) == 0)
			return true;
	}
	return false;
}

/* 0, 1 = it is hidden by a folder before, -ENOMEM. */
static int take_name(struct names *seen, const char *name)
{
	char **slot;

	if (has_name(seen, name) || seen->items_count == NAMES_MAX)
		return 1;
	slot = TCT_APPEND(seen, items);
	if (slot == NULL)
		return -ENOMEM;
	*slot = strdup(name);
	return *slot != NULL ? 0 : -ENOMEM;
}

static void look_at_file(const struct tct_root *root, const char *path, struct tct_modules *modules)
{
	TCT_AUTOFREE char *text = NULL;

	if (tct_root_read(root, path, FILE_MAX, &text, NULL) < 0)
		return;
	for (size_t i = 0; i < modules->items_count; i++) {
		struct tct_module *module = &modules->items[i];

		if (module->loaded_by[0] == '\0' && tct_module_is_loaded_by(text, module->name))
			(void)snprintf(module->loaded_by, sizeof(module->loaded_by), "%.279s",
				       path);
	}
}

static bool is_conf(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > strlen(suffix) &&
	       strcmp(name + length - strlen(suffix), suffix) == 0;
}

static int look_in(const struct tct_root *root, const char *folder, struct names *seen,
		   struct tct_modules *modules)
{
	int fd = tct_root_openat(root, folder, O_RDONLY | O_DIRECTORY, 0);
	DIR *open = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int result = 0;

	if (open == NULL) {
		tct_close_fd(&fd);
		return 0;
	}
	while (result >= 0 && (entry = readdir(open)) != NULL) {
		char path[512];
		int length = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);

		if (!is_conf(entry->d_name) || length < 0 || (size_t)length >= sizeof(path))
			continue;
		result = take_name(seen, entry->d_name);
		if (result == 0 && strcmp(path, TCT_MODULES_LOAD_PATH) != 0)
			look_at_file(root, path, modules);
	}
	(void)closedir(open);
	return result < 0 ? result : 0;
}

int tct_modules_load_look(const struct tct_root *root, struct tct_modules *modules)
{
	TCT_AUTO(done_names) struct names seen = { 0 };
	int result = 0;

	for (size_t i = 0; result == 0 && i < TCT_COUNT(folders); i++)
		result = look_in(root, folders[i], &seen, modules);
	return result;
}

/* ---- our own ---- */

bool tct_module_is_among(const char *names, const char *module)
{
	size_t size = strlen(module);

	while (names != NULL && *names != '\0') {
		size_t length = strcspn(names, " ");

		if (length == size && strncmp(names, module, size) == 0)
			return true;
		names += length + strspn(names + length, " ");
	}
	return false;
}

int tct_modules_render(const char *names, char **text)
{
	TCT_AUTO(tct_text_done) struct tct_text out = { 0 };

	*text = NULL;
	if (names == NULL)
		return 0;
	tct_text_add(&out, "# Written by tcptune. Don't edit: `tcptune apply` writes it anew,\n"
			   "# `tcptune rollback` takes it back. The modules bring keys that\n"
			   "# " TCT_DROP_IN_PATH " sets.\n");
	while (*names != '\0') {
		size_t length = strcspn(names, " ");

		tct_text_add_bytes(&out, names, length);
		tct_text_add(&out, "\n");
		names += length + strspn(names + length, " ");
	}
	*text = tct_text_take(&out);
	return *text != NULL ? 0 : -ENOMEM;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int tct_modules_parse(const char *text, char **names)
{
	TCT_AUTO(tct_text_done) struct tct_text out = { 0 };
	TCT_AUTO(done_names) struct names found = { 0 };
	const char *name;
	size_t length = 0;

	*names = NULL;
	if (text == NULL)
		return 0;
	while ((name = next_name(&text, &length)) != NULL) {
		char **slot = TCT_APPEND(&found, items);

		if (slot == NULL)
			return -ENOMEM;
		*slot = tct_text_copy(name, length);
		if (*slot == NULL)
			return -ENOMEM;
	}
	if (found.items_count > 1)
		qsort(found.items, found.items_count, sizeof(*found.items), by_text);
	for (size_t i = 0; i < found.items_count; i++)
		tct_text_addf(&out, "%s%s", i > 0 ? " " : "", found.items[i]);
	*names = tct_text_take(&out);
	return *names != NULL ? 0 : -ENOMEM;
}

bool tct_modules_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

int tct_modules_copy(char **to, const char *names)
{
	*to = names != NULL ? strdup(names) : NULL;
	return names != NULL && *to == NULL ? -ENOMEM : 0;
}
