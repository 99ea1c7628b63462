/* Errors: a caller-owned value, no allocation, no globals. Only the command line prints or exits.
 */
#ifndef TCT_CORE_ERR_H
#define TCT_CORE_ERR_H

#include <stddef.h>

/* What kind of trouble it is; the command line turns it into the exit code. */
enum tct_fault {
	TCT_FAULT_NONE = 0,
	TCT_FAULT_INPUT,   /* bad usage, unreadable or invalid input (exit 2) */
	TCT_FAULT_REFUSED, /* refused by us or by the system; everything is as before (exit 3) */
	TCT_FAULT_STUCK,   /* refused, and something could not be put back (exit 4) */
	TCT_FAULT_BUSY,    /* another tcptune is at work (exit 5) */
};

struct tct_err {
	enum tct_fault fault;
	int code;          /* positive errno */
	unsigned line;     /* 1-based, 0 = no line */
	unsigned column;   /* 1-based, 0 = no column */
	char file[256];    /* "" = no file */
	char message[512]; /* one line, control characters escaped */
};

/* Fill err (may be NULL) and return -code, so that callers can `return tct_err_set(...)`. */
__attribute__((format(printf, 4, 5))) int tct_err_set(struct tct_err *err, enum tct_fault fault,
						      int code, const char *format, ...);

/* The same for invalid input with a place: fault INPUT, returns -EINVAL. file may be NULL. */
__attribute__((format(printf, 5, 6))) int tct_err_at(struct tct_err *err, const char *file,
						     unsigned line, unsigned column,
						     const char *format, ...);

/* Put "context: " before the message; keeps everything else. Returns -err->code. */
__attribute__((format(printf, 2, 3))) int tct_err_wrap(struct tct_err *err, const char *format,
						       ...);

/* Report -ENOMEM as a refusal. Returns -ENOMEM. */
int tct_err_nomem(struct tct_err *err);

/* Write "file:line:column: message" (as far as known) to out, always terminated. Returns out. */
const char *tct_err_text(const struct tct_err *err, char *out, size_t out_size);

#endif
