/* A terminal taken over whole: the alternate screen, keys as they are typed, and everything as it
 * was at the end, whatever the end is. */
#ifndef TCT_CLI_TERMINAL_H
#define TCT_CLI_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/text.h"

struct tct_terminal {
	int in; /* a description of our own where it can be had, which never blocks */
	int out;
	bool own_in;
	bool own_out;
	int signals; /* signalfd: nothing runs in a signal handler */
	sigset_t taken;
	sigset_t mask_before;
	bool masked;
	struct termios before;
	bool entered;
	int ended_by; /* a signal that says to end; 0 = none */
	bool lost;    /* the terminal is gone */
	bool done;    /* it sent the end of the file (ctrl-D) */
	unsigned width;
	unsigned height;
	char typed[64]; /* keys that were read and not yet handed out */
	size_t typed_count;
	size_t typed_next;
	int escape; /* inside a key that sends several characters */
};

enum tct_terminal_event {
	TCT_TERMINAL_DEADLINE,
	TCT_TERMINAL_KEY,
	TCT_TERMINAL_REDRAW, /* another size, or back from being stopped */
	TCT_TERMINAL_ENDED,  /* ended_by, lost or done says why */
};

/* Are stdin and stdout a terminal that can do this (TERM is set, and not "dumb")? */
bool tct_terminal_usable(void);

/*
 * Take it over: stdin and stdout. Until tct_terminal_close, which must be called in either case,
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT and SIGWINCH are blocked and read from a file
 * descriptor; those that are ignored stay so. No other thread may run. Errors: REFUSED.
 */
int tct_terminal_open(struct tct_terminal *terminal, struct tct_err *err);

/* Put everything back. A second call does nothing. ended_by stays. */
void tct_terminal_close(struct tct_terminal *terminal);

/*
 * Wait until CLOCK_MONOTONIC is deadline_ns, or something happens. Being stopped (ctrl-Z) is dealt
 * with here: the terminal is given back for the time.
 */
enum tct_terminal_event tct_terminal_wait(struct tct_terminal *terminal, int64_t deadline_ns,
					  char *key);

/* Draw a frame of the terminal's size, which clears what was there, in one write. What can't be
 * written any more is noticed by the next wait. */
void tct_terminal_draw(struct tct_terminal *terminal, const struct tct_text *frame);

#endif
