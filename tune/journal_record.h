/* One record of the journal: a line of checksum, blank, JSON. */
#ifndef TCT_TUNE_JOURNAL_RECORD_H
#define TCT_TUNE_JOURNAL_RECORD_H

#include "tune/journal.h"

enum tct_record_kind {
	TCT_RECORD_BEGIN,
	TCT_RECORD_END,
};

struct tct_record {
	enum tct_record_kind kind;
	uint64_t id;
	struct tct_transaction transaction; /* BEGIN: owned, state OPEN */
	enum tct_transaction_state state;   /* END, and what follows */
	char *error;                        /* owned */
	json_t *stuck; /* owned: names of the keys that were not put back; NULL = none */
	bool drop_in_stuck;
	bool modules_stuck;
};

/* What a line is made of. */
enum {
	TCT_RECORD_CHECKSUM_LENGTH = 64, /* hexadecimal digits of SHA-256 */
	TCT_TRANSACTION_KINDS = TCT_TRANSACTION_CONFIRM + 1,
	TCT_TRANSACTION_STATES = TCT_TRANSACTION_WAITING + 1,
};

extern const char *const tct_transaction_kind_names[TCT_TRANSACTION_KINDS];
extern const char *const tct_transaction_state_names[TCT_TRANSACTION_STATES];

void tct_record_done(struct tct_record *record);

/* The whole line with its newline, owned by the caller; NULL on ENOMEM or text that isn't UTF-8. */
char *tct_record_begin_line(const struct tct_transaction *transaction);
char *tct_record_end_line(const struct tct_transaction *transaction,
			  enum tct_transaction_state state, const char *error);

/*
 * Read one line (without its newline). -EBADMSG: the checksum is wrong; -EINVAL: the checksum is
 * right but the content is not of a journal; err has the reason, without a place.
 */
int tct_record_parse(const char *line, size_t length, struct tct_record *record,
		     struct tct_err *err);

#endif
