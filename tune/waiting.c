#include "tune/waiting.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/text.h"

static int64_t nanoseconds(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

int64_t tct_boottime_ns(void)
{
	struct timespec now = { 0 };

	/* It doesn't fail for a clock that exists. */
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return nanoseconds(&now);
}

bool tct_transaction_rebooted(const struct tct_transaction *transaction,
			      const struct tct_place_of_work *place)
{
	return strcmp(transaction->boot_id, place->boot_id) != 0;
}

bool tct_transaction_expired(const struct tct_transaction *transaction,
			     const struct tct_place_of_work *place)
{
	return tct_transaction_rebooted(transaction, place) ||
	       tct_boottime_ns() >= transaction->deadline_boottime_ns;
}

bool tct_transaction_lapsed(const struct tct_transaction *transaction)
{
	return transaction->state == TCT_TRANSACTION_UNDONE && transaction->error != NULL &&
	       strncmp(transaction->error, TCT_NOT_CONFIRMED, strlen(TCT_NOT_CONFIRMED)) == 0;
}

int tct_transaction_wait(struct tct_transaction *transaction, int64_t confirm_within_ns)
{
	struct timespec now = { 0 };

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -errno;
	transaction->confirm_within_ns = confirm_within_ns;
	transaction->deadline_boottime_ns = tct_boottime_ns() + confirm_within_ns;
	transaction->deadline_ns = nanoseconds(&now) + confirm_within_ns;
	return 0;
}

const struct tct_transaction *tct_waiting_in_the_way(const struct tct_journal *journal,
						     const struct tct_place_of_work *place,
						     bool drop_in)
{
	for (size_t i = journal->transactions_count; i-- > 0;) {
		const struct tct_transaction *transaction = &journal->transactions[i];

		if (!tct_transaction_waits(transaction))
			continue;
		if (tct_transaction_in(transaction, &place->netns, place->boot_id) ||
		    (drop_in && transaction->deferred &&
		     !tct_transaction_expired(transaction, place)))
			return transaction;
	}
	return NULL;
}

uint64_t tct_waiting_expired(const struct tct_journal *journal,
			     const struct tct_place_of_work *place)
{
	const struct tct_transaction *waiting =
		tct_journal_waiting(journal, &place->netns, place->boot_id);

	return waiting != NULL && tct_transaction_expired(waiting, place) ? waiting->id : 0;
}

const char *tct_waiting_words(const struct tct_transaction *transaction,
			      const struct tct_place_of_work *place, char out[320])
{
	char time[TCT_NUMBER_TEXT];
	char words[160];
	const char *space = "";

	words[0] = '\0';
	if (!tct_transaction_in(transaction, &place->netns, place->boot_id)) {
		(void)tct_namespace_words(&transaction->netns, words);
		space = " ";
	}
	if (snprintf(out, 320,
		     "transaction %" PRIu64 " waits to be confirmed until %s; first keep it "
		     "(tcptune confirm%s%s %" PRIu64 ") or undo it (tcptune rollback%s%s %" PRIu64
		     ")",
		     transaction->id, tct_text_time(transaction->deadline_ns, time), space, words,
		     transaction->id, space, words, transaction->id) < 0)
		out[0] = '\0';
	return out;
}
