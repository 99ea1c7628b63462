/* Transactions that wait to be confirmed: when their time is over, and what they stand in the way
 * of. */
#ifndef TCT_TUNE_WAITING_H
#define TCT_TUNE_WAITING_H

#include "tune/transact.h"

/* How the end record of one that was not confirmed in time begins. */
#define TCT_NOT_CONFIRMED "not confirmed in time"

/* CLOCK_BOOTTIME, nanoseconds: it also runs while the host sleeps. */
int64_t tct_boottime_ns(void);

/* Was it made before the host last booted? Nothing live is left of it then. */
bool tct_transaction_rebooted(const struct tct_transaction *transaction,
			      const struct tct_place_of_work *place);
/* Is the time over in which it could be confirmed? After a reboot, too. */
bool tct_transaction_expired(const struct tct_transaction *transaction,
			     const struct tct_place_of_work *place);

/* Was it put back because it was not confirmed in time? */
bool tct_transaction_lapsed(const struct tct_transaction *transaction);

/* Give it confirm_within_ns, and the end of it by both clocks. 0 or -errno. */
int tct_transaction_wait(struct tct_transaction *transaction, int64_t confirm_within_ns);

/*
 * The transaction that waits and stands in the way of another one here (tct_recover has put back
 * those whose time was over); with drop_in also one of another namespace whose time is not over, if
 * both would write the drop-in. NULL = none.
 */
const struct tct_transaction *tct_waiting_in_the_way(const struct tct_journal *journal,
						     const struct tct_place_of_work *place,
						     bool drop_in);
/* The one of this namespace whose time is over and that nobody has put back yet; 0 = none. */
uint64_t tct_waiting_expired(const struct tct_journal *journal,
			     const struct tct_place_of_work *place);
/* Why that is refused, and what to type: one line. Returns out. */
const char *tct_waiting_words(const struct tct_transaction *transaction,
			      const struct tct_place_of_work *place, char out[320]);

#endif
