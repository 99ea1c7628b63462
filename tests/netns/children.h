/* Processes of a test's own, which end with it. */
#ifndef TCT_TESTS_NETNS_CHILDREN_H
#define TCT_TESTS_NETNS_CHILDREN_H

#include <sys/types.h>

/* fork(); the child is killed when its parent ends. Failing ends the test. */
pid_t children_fork(void);
/* A child's regular end: without atexit(), where the leak check would want to trace. */
_Noreturn void children_leave(void);
/* Wait for a child's children_leave(): what it asserted held. */
void children_join(pid_t pid);
/* Kill a child. */
void children_end(pid_t pid);
/* Become the user and the group nobody, for good. */
void children_become_nobody(void);

#endif
