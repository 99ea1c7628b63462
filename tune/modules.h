/*
 * Kernel modules that bring sysctls: whether a module is there for this kernel, what loads it at
 * boot, and our own list of modules, /etc/modules-load.d/tcptune.conf. Nothing is loaded here.
 */
#ifndef TCT_TUNE_MODULES_H
#define TCT_TUNE_MODULES_H

#include "core/kernel_keys.h"
#include "core/root.h"
#include "tune/own_file.h"

enum tct_module_place {
	TCT_MODULE_NOT_KNOWN, /* there is no list of this kernel's modules */
	TCT_MODULE_MISSING,   /* neither on disk nor built in */
	TCT_MODULE_ON_DISK,
	TCT_MODULE_BUILT_IN,
};

struct tct_module {
	const char *name; /* of the table of keys */
	enum tct_module_place place;
	char loaded_by[280]; /* somebody else's file in modules-load.d that names it; "" = none */
};

struct tct_modules {
	char folder[160]; /* "/lib/modules/6.1.0-18-amd64" */
	struct tct_module *items;
	size_t items_count;
	size_t items_capacity;
	char *own;           /* the text of our list; NULL = no file */
	char own_error[240]; /* why it can't be read: a link, somebody's folder ...; "" = it can */
};

/*
 * Look for each module that the table of keys names, for the kernel `release` (uname -r), below
 * root; read what modules-load.d(5) has, and our own file there. Release with tct_modules_done in
 * either case. What can't be read counts as not there. 0 or -ENOMEM.
 */
int tct_modules_look(const struct tct_root *root, const char *release, struct tct_modules *modules);
void tct_modules_done(struct tct_modules *modules);
/* Only the names that the table of keys has, sorted; of no place. 0 or -ENOMEM. */
int tct_modules_collect(struct tct_modules *modules);
/* NULL where the key needs no module, or nothing is known (modules NULL). */
const struct tct_module *tct_modules_of(const struct tct_modules *modules,
					const struct tct_kernel_key *key);

/*
 * Is `module` in the text of a modules.dep or modules.builtin ("kernel/net/x/nf_conntrack.ko.zst:
 * ...")?
 * - and _ are the same in it.
 */
bool tct_module_is_listed(const char *text, const char *module);
/* Does the text of a modules-load.d file name it? */
bool tct_module_is_loaded_by(const char *text, const char *module);

/* ---- our own list ---- */

/* Is `module` among the names, joined by blanks? names NULL = none. */
bool tct_module_is_among(const char *names, const char *module);
/* The file's text for names joined by blanks; NULL names: NULL, there is no file. *text is owned by
 * the caller. 0 or -ENOMEM. */
int tct_modules_render(const char *names, char **text);
/* The names that a text lists, joined by blanks, sorted; NULL for NULL. 0 or -ENOMEM. */
int tct_modules_parse(const char *text, char **names);
/* A copy for the caller; NULL stays NULL. 0 or -ENOMEM. */
int tct_modules_copy(char **to, const char *names);
/* The same names (NULL = none)? Both are sorted. */
bool tct_modules_same(const char *a, const char *b);

#endif
