/* Inside of modules: the files of modules-load.d(5). */
#ifndef TCT_TUNE_MODULES_LOAD_H
#define TCT_TUNE_MODULES_LOAD_H

#include "tune/modules.h"

/* Find for each module the file, not ours, that has it loaded at boot. 0 or -ENOMEM. */
int tct_modules_load_look(const struct tct_root *root, struct tct_modules *modules);

/* Do the first `size` bytes name the module, - and _ being the same? */
bool tct_module_same_name(const char *text, const char *module, size_t size);

#endif
