/* The network namespaces of this host. */
#ifndef TCT_AUDIT_OBSERVE_NAMESPACES_H
#define TCT_AUDIT_OBSERVE_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct tct_namespace {
	uint64_t inode;
	char name[128]; /* as --netns takes it: a name in /run/netns, else a pid */
	int32_t pid;    /* one process in it, 0 = none: held by a file only */
	char comm[32];  /* of that process */
	char unit[128]; /* its unit or container, "" = not known */
	bool own;       /* the one that we are in */
};

struct tct_namespaces {
	struct tct_namespace *items; /* the own one first, then by name */
	size_t items_count;
	size_t items_capacity;
	size_t not_permitted; /* processes whose namespace could not be told */
};

/*
 * List them: those with a name in /run/netns (and /var/run/netns), and those of processes, each
 * once. Live host only. Errors: REFUSED/ENOMEM. Effects: reads only.
 */
int tct_namespaces_list(struct tct_namespaces *namespaces, struct tct_err *err);
void tct_namespaces_done(struct tct_namespaces *namespaces);

#endif
