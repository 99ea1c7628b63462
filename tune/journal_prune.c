#include "tune/journal_prune.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/file_attributes.h"
#include "tune/file_io.h"
#include "tune/journal_record.h"

#define JOURNAL_NAME "journal"
#define NEW_NAME ".journal.new"

enum { OVERTAKERS = 2 };

struct choice {
	const struct tct_journal *journal;
	const char *boot_id;
	bool *drop; /* by transaction */
	size_t dropped;
};

/* Its network namespace went with an earlier boot. */
static bool is_past(const struct choice *choice, const struct tct_transaction *transaction)
{
	return !transaction->netns.initial && strcmp(transaction->boot_id, choice->boot_id) != 0;
}

static bool same_namespace(const struct tct_transaction *one, const struct tct_transaction *other)
{
	return tct_transaction_in(one, &other->netns, other->boot_id);
}

/*
 * Do later ones tell the whole state of what this one tells something of? One alone may be undone,
 * or not be confirmed, and then it is this one's again.
 */
static bool is_overtaken(const struct choice *choice, size_t at)
{
	const struct tct_journal *journal = choice->journal;
	const struct tct_transaction *transaction = &journal->transactions[at];
	unsigned live = transaction->live && !is_past(choice, transaction) ? OVERTAKERS : 0;
	unsigned lines = tct_transaction_has_lines(transaction) ? OVERTAKERS : 0;

	for (size_t i = at + 1; i < journal->transactions_count && live + lines > 0; i++) {
		const struct tct_transaction *later = &journal->transactions[i];

		if (!tct_transaction_rules(later))
			continue;
		if (live > 0 && later->live && same_namespace(later, transaction))
			live--;
		if (lines > 0 && tct_transaction_has_lines(later))
			lines--;
	}
	return live + lines == 0;
}

/* `rollback --force` comes back to the newest apply of a namespace, undone or not. */
static bool is_newest_apply(const struct choice *choice, size_t at)
{
	const struct tct_journal *journal = choice->journal;
	const struct tct_transaction *transaction = &journal->transactions[at];

	if (transaction->kind != TCT_TRANSACTION_APPLY || is_past(choice, transaction))
		return false;
	for (size_t i = at + 1; i < journal->transactions_count; i++) {
		const struct tct_transaction *later = &journal->transactions[i];

		if (later->kind == TCT_TRANSACTION_APPLY &&
		    later->state != TCT_TRANSACTION_UNDONE && same_namespace(later, transaction))
			return false;
	}
	return true;
}

/* Is the transaction that this one is about kept? It would count again without this one. */
static bool is_needed(const struct choice *choice, uint64_t about)
{
	const struct tct_transaction *other =
		about != 0 ? tct_journal_find(choice->journal, about) : NULL;

	return other != NULL && !choice->drop[other - choice->journal->transactions];
}

static bool matters(const struct choice *choice, size_t at)
{
	const struct tct_transaction *transaction = &choice->journal->transactions[at];

	if (transaction->state == TCT_TRANSACTION_OPEN || tct_transaction_waits(transaction) ||
	    is_needed(choice, transaction->undoes) || is_needed(choice, transaction->confirms) ||
	    is_newest_apply(choice, at))
		return true;
	if (!tct_transaction_stands(transaction))
		return false;
	return transaction->state == TCT_TRANSACTION_STUCK || !is_overtaken(choice, at);
}

/* The way back through a namespace's transactions has no holes: what is before a kept one, goes. */
static bool is_behind_kept(const struct choice *choice, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (!choice->drop[i] && same_namespace(&choice->journal->transactions[i],
						       &choice->journal->transactions[at]))
			return true;
	}
	return false;
}

static void choose(struct choice *choice)
{
	size_t count = choice->journal->transactions_count;

	/* The newest stays: numbers go on from it. */
	for (size_t i = 0; i + 1 < count && count - choice->dropped > TCT_JOURNAL_KEPT; i++) {
		if (is_behind_kept(choice, i) || matters(choice, i))
			continue;
		choice->drop[i] = true;
		choice->dropped++;
	}
}

static int read_all(const struct tct_journal *journal, char **data)
{
	size_t length = (size_t)journal->good_length;
	TCT_AUTOFREE char *buffer = malloc(length + 1);
	size_t used = 0;
	int tries = 0;

	if (buffer == NULL)
		return -ENOMEM;
	while (used < length) {
		ssize_t got = pread(journal->fd, buffer + used, length - used, (off_t)used);

		if (got < 0 && errno == EINTR && tries++ < TCT_INTERRUPTED_TRIES)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		used += (size_t)got;
	}
	*data = TCT_STEAL(buffer);
	return 0;
}

/* The records of the kept, byte for byte. */
static int keep_lines(const struct choice *choice, const char *data, struct tct_text *text)
{
	const char *end = data + choice->journal->good_length;

	for (const char *at = data; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		TCT_AUTO(tct_record_done) struct tct_record record = { 0 };
		const struct tct_transaction *whose;
		int result;

		if (stop == NULL)
			return -EBADMSG;
		result = tct_record_parse(at, (size_t)(stop - at), &record, NULL);
		if (result < 0)
			return result;
		whose = tct_journal_find(choice->journal, record.id);
		if (whose == NULL)
			return -EBADMSG;
		if (!choice->drop[whose - choice->journal->transactions])
			tct_text_add_bytes(text, at, (size_t)(stop - at) + 1);
		at = stop + 1;
	}
	return text->failed ? -ENOMEM : 0;
}

static int write_new(int folder, int old, const struct tct_text *text)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	int fd = tct_file_openat(folder, NEW_NAME, flags, 0600);
	int result;

	if (fd < 0)
		return fd;
	result = tct_file_write(fd, text->data, text->length);
	if (result == 0)
		result = tct_file_copy_attributes(old, fd);
	if (result == 0)
		result = tct_file_sync(fd);

	int closed = tct_file_close(&fd);

	return result < 0 ? result : closed;
}

static int replace(const struct tct_journal *journal, const struct tct_root *root,
		   const struct tct_text *text)
{
	TCT_AUTOCLOSE int folder =
		tct_root_openat(root, TCT_JOURNAL_DIR, O_RDONLY | O_DIRECTORY, 0);
	int result;

	if (folder < 0)
		return folder;
	result = write_new(folder, journal->fd, text);
	if (result == 0 && renameat(folder, NEW_NAME, folder, JOURNAL_NAME) < 0)
		result = -errno;
	if (result < 0) {
		/* What can't be removed here is removed by the next sweep. */
		(void)unlinkat(folder, NEW_NAME, 0);
		return result;
	}
	return tct_file_sync(folder);
}

int tct_journal_prune(struct tct_journal *journal, const struct tct_root *root, const char *boot_id,
		      size_t *dropped)
{
	TCT_AUTOFREE bool *drop = NULL;
	TCT_AUTOFREE char *data = NULL;
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	struct choice choice = { .journal = journal, .boot_id = boot_id };
	int result;

	*dropped = 0;
	if (journal->transactions_count <= TCT_JOURNAL_MOST || journal->fd < 0)
		return 0;
	drop = calloc(journal->transactions_count, sizeof(*drop));
	if (drop == NULL)
		return -ENOMEM;
	choice.drop = drop;
	choose(&choice);
	if (choice.dropped == 0)
		return 0;
	result = read_all(journal, &data);
	if (result == 0)
		result = keep_lines(&choice, data, &text);
	if (result == 0)
		result = replace(journal, root, &text);
	if (result < 0)
		return result;
	*dropped = choice.dropped;
	/* The open file is the old one: nothing more is written through it. */
	(void)close(journal->fd);
	journal->fd = -1;
	journal->writable = false;
	return 0;
}

int tct_journal_sweep(int folder)
{
	struct stat status;

	if (fstatat(folder, NEW_NAME, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return unlinkat(folder, NEW_NAME, 0) < 0 ? -errno : 0;
}
