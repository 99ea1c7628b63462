/* What the guard does until the time is over: it sleeps, and looks when the journal changes. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/guard.h"
#include "tune/waiting.h"

enum { WATCHING = 2 };

struct watch {
	const struct tct_place_of_work *place;
	uint64_t id;
	int timer;
	int changes; /* inotify; -1 = can't be had: then it ends at the deadline only */
};

static void drop_journal(struct tct_journal *const *journal)
{
	tct_journal_free(*journal);
}

/* 1: it waits, or is still being applied; 0: not any more. -errno: can't be told. */
static int look(const struct watch *watch, struct tct_journal **out, struct tct_err *err)
{
	const struct tct_transaction *transaction;
	int result = tct_journal_open(watch->place->root, false, out, err);

	if (result < 0)
		return result;
	transaction = tct_journal_find(*out, watch->id);
	return transaction != NULL && transaction->confirm_within_ns != 0 &&
	       (transaction->state == TCT_TRANSACTION_OPEN || tct_transaction_waits(transaction));
}

static int set_timer(struct watch *watch, const struct tct_transaction *transaction)
{
	struct itimerspec when = { 0 };

	watch->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
	if (watch->timer < 0)
		return -errno;
	when.it_value.tv_sec = transaction->deadline_boottime_ns / 1000000000;
	when.it_value.tv_nsec = transaction->deadline_boottime_ns % 1000000000;
	return timerfd_settime(watch->timer, TFD_TIMER_ABSTIME, &when, NULL) < 0 ? -errno : 0;
}

/*
 * When the one who wrote the journal is through with it, for until then a record may be cut off
 * again. The folder is watched: a journal that is replaced is another file.
 */
static void watch_changes(struct watch *watch)
{
	watch->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->changes >= 0 &&
	    inotify_add_watch(watch->changes, TCT_JOURNAL_DIR, IN_CLOSE_WRITE) < 0) {
		(void)close(watch->changes);
		watch->changes = -1;
	}
}

/* Sleep until something happens. 1: the time is over; 0: look again. */
static int sleep_on(const struct watch *watch)
{
	struct pollfd fds[] = {
		{ .fd = watch->timer, .events = POLLIN },
		{ .fd = watch->changes, .events = POLLIN }, /* negative: left out */
	};
	char events[4096];

	if (poll(fds, TCT_COUNT(fds), -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents != 0)
		return 1;
	/* What it says doesn't matter: the journal does. */
	(void)!read(watch->changes, events, sizeof(events));
	return 0;
}

static int wait_for_it(const struct watch *watch)
{
	for (;;) {
		TCT_AUTO(drop_journal) struct tct_journal *journal = NULL;
		int result = sleep_on(watch);

		if (result != 0)
			return result;
		/* What can't be told now will be asked again, at the deadline at the latest. */
		if (look(watch, &journal, NULL) == 0)
			return 0;
	}
}

/* As tct_guard_watch, or WATCHING. */
static int begin(struct watch *watch, void (*ready)(const struct tct_transaction *transaction),
		 struct tct_err *err)
{
	TCT_AUTO(drop_journal) struct tct_journal *journal = NULL;
	const struct tct_transaction *transaction;
	int result;

	/* First the watch, then the look: nothing falls between. */
	watch_changes(watch);
	result = look(watch, &journal, err);
	if (result <= 0)
		return result;
	transaction = tct_journal_find(journal, watch->id);
	if (tct_transaction_expired(transaction, watch->place))
		return 1;
	result = set_timer(watch, transaction);
	if (result < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, -result, "can't set a timer: %s",
				   strerror(-result));
	ready(transaction);
	return WATCHING;
}

int tct_guard_watch(const struct tct_place_of_work *place, uint64_t id,
		    void (*ready)(const struct tct_transaction *transaction), struct tct_err *err)
{
	struct watch watch = { .place = place, .id = id, .timer = -1, .changes = -1 };
	int result = begin(&watch, ready, err);

	if (result == WATCHING) {
		result = wait_for_it(&watch);
		if (result < 0)
			(void)tct_err_set(err, TCT_FAULT_REFUSED, -result, "can't wait: %s",
					  strerror(-result));
	}
	if (watch.timer >= 0)
		(void)close(watch.timer);
	if (watch.changes >= 0)
		(void)close(watch.changes);
	return result;
}
