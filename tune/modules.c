#include "tune/modules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/modules_load.h"

enum { LIST_MAX = 16 << 20 };

void tct_modules_done(struct tct_modules *modules)
{
	free(modules->items);
	free(modules->own);
	*modules = (struct tct_modules){ 0 };
}

const struct tct_module *tct_modules_of(const struct tct_modules *modules,
					const struct tct_kernel_key *key)
{
	for (size_t i = 0; modules != NULL && key->module != NULL && i < modules->items_count;
	     i++) {
		if (strcmp(modules->items[i].name, key->module) == 0)
			return &modules->items[i];
	}
	return NULL;
}

/* The file's name between its folder and ".ko". */
static bool names_module(const char *line, size_t length, const char *module)
{
	size_t start = 0;
	size_t size = strlen(module);

	for (size_t i = 0; i < length && line[i] != ':'; i++) {
		if (line[i] == '/')
			start = i + 1;
	}
	if (length - start < size + 3 || memcmp(line + start + size, ".ko", 3) != 0)
		return false;
	return tct_module_same_name(line + start, module, size);
}

bool tct_module_is_listed(const char *text, const char *module)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		if (names_module(text, length, module))
			return true;
		text += length + (text[length] == '\n' ? 1 : 0);
	}
	return false;
}

/* One of the lists of a kernel's modules; *text NULL = there is none. False: it can't be read. */
static bool read_list(const struct tct_root *root, const char *folder, const char *name,
		      char **text)
{
	char path[256];
	int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
	int result = length < 0 || (size_t)length >= sizeof(path)
			     ? -ENAMETOOLONG
			     : tct_root_read(root, path, LIST_MAX, text, NULL);

	return result >= 0 || result == -ENOENT || result == -ENOTDIR;
}

/* The place of each module, from the lists of one folder. False: there are none, or one can't be
 * read: then a module that isn't in the other isn't missing. */
static bool look_in(const struct tct_root *root, const char *top, const char *release,
		    struct tct_modules *modules)
{
	int length = snprintf(modules->folder, sizeof(modules->folder), "%s/%.100s", top, release);
	TCT_AUTOFREE char *on_disk = NULL;
	TCT_AUTOFREE char *built_in = NULL;

	if (length < 0 || !read_list(root, modules->folder, "modules.dep", &on_disk) ||
	    !read_list(root, modules->folder, "modules.builtin", &built_in) ||
	    (on_disk == NULL && built_in == NULL))
		return false;
	for (size_t i = 0; i < modules->items_count; i++) {
		struct tct_module *module = &modules->items[i];

		module->place = TCT_MODULE_MISSING;
		if (built_in != NULL && tct_module_is_listed(built_in, module->name))
			module->place = TCT_MODULE_BUILT_IN;
		else if (on_disk != NULL && tct_module_is_listed(on_disk, module->name))
			module->place = TCT_MODULE_ON_DISK;
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct tct_module *left = a;
	const struct tct_module *right = b;

	return strcmp(left->name, right->name);
}

int tct_modules_collect(struct tct_modules *modules)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_kernel_key *key = &tct_kernel_keys[i];
		struct tct_module *module;

		if (key->module == NULL || tct_modules_of(modules, key) != NULL)
			continue;
		module = TCT_APPEND(modules, items);
		if (module == NULL)
			return -ENOMEM;
		module->name = key->module;
	}
	if (modules->items_count > 1)
		qsort(modules->items, modules->items_count, sizeof(*modules->items), by_name);
	return 0;
}

/* Our own list, or why it can't be read. */
static int read_own(const struct tct_root *root, struct tct_modules *modules)
{
	struct tct_err why = { 0 };
	int result = tct_own_file_read(root, &tct_own_modules_load, &modules->own, &why);

	if (result == -ENOMEM)
		return result;
	if (result < 0)
		(void)snprintf(modules->own_error, sizeof(modules->own_error), "%.239s",
			       why.message);
	return 0;
}

int tct_modules_look(const struct tct_root *root, const char *release, struct tct_modules *modules)
{
	bool named = release[0] != '\0' && strchr(release, '/') == NULL;

	*modules = (struct tct_modules){ 0 };
	if (tct_modules_collect(modules) < 0)
		return -ENOMEM;
	if (!named || (!look_in(root, "/lib/modules", release, modules) &&
		       !look_in(root, "/usr/lib/modules", release, modules)))
		(void)snprintf(modules->folder, sizeof(modules->folder), "/lib/modules/%.100s",
			       named ? release : "");
	if (tct_modules_load_look(root, modules) < 0)
		return -ENOMEM;
	return read_own(root, modules);
}
