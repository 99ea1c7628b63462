/* What the parts of the sysctl.d reader share. Nobody else includes this. */
#ifndef TCT_AUDIT_OBSERVE_SYSCTL_FILES_PRIVATE_H
#define TCT_AUDIT_OBSERVE_SYSCTL_FILES_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/observe/sysctl_files.h"

/* Bounds on what a hostile tree may cost; real hosts stay below by orders of magnitude. */
enum {
	TCT_FILES_BYTES_MAX = 16 << 20, /* all files in sum */
	TCT_FILES_NAMES_MAX = 8192,
	TCT_FILES_PATHS_MAX = 3 * TCT_FILES_NAMES_MAX, /* files, folders and the single ones */
	TCT_FILES_LINES_MAX = 65536,
	TCT_FILES_GLOBS_MAX = 1024, /* patterns, each alternative of {a,b} counted */
	TCT_FILES_FAULTS_MAX = 1000,
	TCT_SYSCTL_PATH_MAX = 4000, /* below /proc/sys; beyond, no applier can open it */
};

#define TCT_MASK_SYSTEMD (1U << TCT_BOOT_SYSTEMD)
#define TCT_MASK_PROCPS (1U << TCT_BOOT_PROCPS)
#define TCT_MASK_BOTH (TCT_MASK_SYSTEMD | TCT_MASK_PROCPS)

/* A file and who reads it: with our drop-in in its place, and as if that were not there. */
struct tct_reading {
	const char *file; /* borrowed from files->paths */
	unsigned with_ours;
	unsigned without_ours;
};

/* Belongs to the line of the same index: what only the boot models need. */
struct tct_boot_line {
	char *path; /* owned; below /proc/sys, canonical: "net/ipv4/conf/eth0.100/rp_filter" */
	char *procps_path;     /* owned; how procps spells it ("net//ipv4/x"); NULL = the same, or a
				  pattern */
	unsigned without_ours; /* who reads the line if our drop-in is not there */
	size_t position[2]; /* of a pattern in systemd's order, [without ours]; SIZE_MAX = none */
};

/* One pattern, braces expanded (systemd does, procps doesn't). */
struct tct_boot_glob {
	size_t line;
	unsigned models;
	char *glob; /* owned */
};

struct tct_boot_index {
	struct tct_boot_line *lines; /* parallel to files->lines */
	size_t lines_count;
	size_t lines_capacity;
	struct tct_boot_glob *globs;
	size_t globs_count;
	size_t globs_capacity;
	size_t *by_path; /* owned; lines that are no patterns, by path, then in order */
	size_t by_path_count;
	bool odd_globs; /* a pattern may name a key in an unusual spelling */
};

static inline struct tct_boot_index *tct_boot_index(const struct tct_sysctl_files *files)
{
	return files->index;
}

/* sysctl_files.c: note a fault (bounded); affects 0 = nobody reads it, nothing to note. 0 or
 * -ENOMEM. */
__attribute__((format(printf, 6, 7))) int tct_sysctl_fault(struct tct_sysctl_files *files,
							   const char *file, unsigned line,
							   unsigned affects, struct tct_err *err,
							   const char *format, ...);

/* What a line says, before anything is made of it. */
struct tct_line_given {
	const char *file; /* borrowed from files->paths */
	unsigned line;
	char *path;        /* owned; struct tct_boot_line's */
	char *procps_path; /* owned; the same */
	char *value;       /* owned; NULL = none */
	bool ignore_errors;
	unsigned with_ours; /* who reads it */
	unsigned without_ours;
	size_t twin;
};

/*
 * sysctl_files_line.c: append the line with all that follows from what it says; what is owned is
 * taken from *given in either case. A secret's digits are not kept. INPUT/EFBIG or REFUSED/ENOMEM.
 */
int tct_sysctl_line_add(struct tct_sysctl_files *files, struct tct_line_given *given,
			struct tct_err *err);

/* sysctl_files_scan.c: find and read every file, in merge order. */
int tct_sysctl_scan(const struct tct_root *root, struct tct_sysctl_files *files,
		    struct tct_err *err);

/* sysctl_files_parse.c: add the lines of one file. data[length] is NUL. */
int tct_sysctl_parse(struct tct_sysctl_files *files, const struct tct_reading *reading,
		     const char *data, size_t length, struct tct_err *err);

/*
 * sysctl_files_key.c: a key of `length` bytes as systemd (or a person) means it -> its path below
 * /proc/sys, owned by the caller; "" if nothing is left. *path NULL on ENOMEM.
 */
char *tct_systemd_path(const char *key, size_t length);
/* The same for procps: *spelt is the path as procps writes it, the result where that leads. */
char *tct_procps_path(const char *key, size_t length, char **spelt);
/* Path -> dotted name, in place. */
void tct_path_to_name(char *path);
bool tct_is_pattern(const char *path);
/*
 * Does glob(3) with this pattern find this path? Then named (2 * TCT_SYSCTL_PATH_MAX) gets the path
 * as glob spells it: with the pattern's own doubled slashes and dots.
 */
bool tct_glob_finds(const char *glob, const char *path, char *named);
/* Call use() with every alternative of {a,b} in glob, as GLOB_BRACE does. Returns 0 or use()'s
 * first error. */
int tct_expand_braces(const char *glob, int (*use)(void *context, const char *glob), void *context);

/* A write to a key: when it happens, and by which line. */
struct tct_boot_write {
	size_t position; /* of the line in the applier's order */
	size_t part; /* among the writes of one pattern: systemd takes its alternatives in order */
	size_t line; /* index in lines */
};

/* A question to the models: this path below /proc/sys, this applier, with our drop-in or without.
 */
struct tct_boot_question {
	const struct tct_sysctl_files *files;
	const char *path;
	enum tct_boot_model model;
	bool without_ours;
};

typedef int tct_boot_visit_fn(void *context, struct tct_boot_write write);

/* boot_winner.c: visit every write to the path, or to another file of the same variable, in no
 * order. Returns 0 or visit's error. */
int tct_boot_visit_writes(const struct tct_boot_question *question, tct_boot_visit_fn *visit,
			  void *context);

/* boot_winner.c: prepare the models once all lines are there; sets `wins`. INPUT/EFBIG or
 * REFUSED/ENOMEM. */
int tct_boot_index_build(struct tct_sysctl_files *files, struct tct_err *err);

#endif
