/* Who gets how much of the screen. */
#ifndef TCT_CLI_WATCH_LAYOUT_H
#define TCT_CLI_WATCH_LAYOUT_H

#include "cli/watch.h"

enum {
	TCT_WATCH_SIDE_BY_SIDE = 76, /* columns from which on rates stand beside states */
};

struct tct_watch_layout {
	bool gap; /* a line for what can't be seen */
	enum tct_state states[TCT_STATE_LIMIT];
	unsigned states_count;
	unsigned rates[TCT_WATCH_RATES]; /* indices of tct_watch_rates */
	unsigned rates_count;
	unsigned rates_hidden; /* that moved, and have no room */
	bool side_by_side;     /* else the rates stand below, with a heading of their own */
	unsigned left;         /* columns of the states' part */
	unsigned right;        /* where the rates' part begins */
	bool blanks;           /* empty lines between the parts */
	unsigned listeners;    /* lines, the heading included; 0 = none */
	unsigned findings;
	bool remedies; /* there is room for a second line below each finding */
};

void tct_watch_layout_make(struct tct_watch_layout *layout, const struct tct_watch_view *view,
			   unsigned width, unsigned height);

#endif
