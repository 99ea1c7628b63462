/*
 * The stage of the fault tests: a network and a mount namespace of our own, with tmpfs over every
 * folder that tcptune writes to or reads sysctls from. It vanishes with the process.
 */
#ifndef TCT_TESTS_FAULT_STAGE_H
#define TCT_TESTS_FAULT_STAGE_H

#include <stdbool.h>

/* In the /etc of the stage, where nothing of sysctl looks. */
#define STAGE_FOLDER "/etc/tct-fault"
#define STAGE_FIRST STAGE_FOLDER "/first.yaml"
#define STAGE_SECOND STAGE_FOLDER "/second.yaml"
/* What the last command printed, both streams. */
#define STAGE_OUTPUT STAGE_FOLDER "/output"
/* Where strace writes. */
#define STAGE_TRACE STAGE_FOLDER "/trace"

#define STAGE_SYSCTL_FOLDER "/etc/sysctl.d"
#define STAGE_MODULES_FOLDER "/etc/modules-load.d"
#define STAGE_LOCK "/run/tcptune.lock"

enum { STAGE_SKIPPED = 77 };

struct stage {
	char tcptune[4096];
	char strace[4096];
	bool sanitized; /* the leak checker can't work under strace */
};

/* Print the message, and what the last command printed, and end the process with 1. */
__attribute__((noreturn, format(printf, 1, 2))) void stage_fail(const char *format, ...);

/* Find the programs: TCPTUNE of the environment, strace in PATH. Ends with 77 if strace is missing.
 */
void stage_find(struct stage *stage);

/* Enter new namespaces and mount. Ends the process with 77 where that is refused. */
void stage_enter(void);

/*
 * The same; but the kernel's nf_conntrack isn't loaded, to all appearances, and lies on disk: its
 * keys are hidden, and a list made here is the modules. Ends with 77 where that is refused.
 */
void stage_enter_unloaded(void);

/* Write a file of the stage whole. */
void stage_write(const char *path, const char *bytes, unsigned long length);

/*
 * Read a file whole into memory of the caller's to free, terminated with a NUL that isn't counted
 * in *length (may be NULL). NULL if it can't be opened.
 */
char *stage_read(const char *path, unsigned long *length);

#endif
