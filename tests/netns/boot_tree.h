/* Random sysctl.d trees, the same for the same seed on every machine. */
#ifndef TCT_TESTS_NETNS_BOOT_TREE_H
#define TCT_TESTS_NETNS_BOOT_TREE_H

#include <stdint.h>

/* Fill the directories etc, run, usr/lib and usr/local/lib below `root` (which must exist). 0 or
 * -errno. */
int tct_boot_tree_make(const char *root, uint64_t seed);

#endif
