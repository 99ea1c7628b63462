#include "tune/journal_prune.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/asked.h"
#include "tune/file_attributes.h"
#include "tune/file_io.h"
#include "tune/journal_chain.h"
#include "tune/journal_choose.h"
#include "tune/journal_record.h"

#define JOURNAL_NAME "journal"
#define NEW_NAME ".journal.new"

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

static bool is_dropped(const struct tct_journal_choice *choice, uint64_t id)
{
	const struct tct_transaction *transaction = tct_journal_find(choice->journal, id);

	return transaction != NULL && choice->drop[transaction - choice->journal->transactions];
}

/* The newest kept before it in its namespace; NULL = none. */
static const struct tct_transaction *kept_before(const struct tct_journal_choice *choice,
						 const struct tct_transaction *transaction,
						 bool standing)
{
	const struct tct_transaction *all = choice->journal->transactions;

	for (size_t i = (size_t)(transaction - all); i-- > 0;) {
		if (!choice->drop[i] && (!standing || tct_transaction_stands(&all[i])) &&
		    tct_transaction_in(&all[i], &transaction->netns, transaction->boot_id))
			return &all[i];
	}
	return NULL;
}

/* Was a key's value before written by one that is dropped, with older ones kept? Returns whether
 * there is news of that. */
static bool note_gaps(const struct tct_journal_choice *choice, const struct tct_transaction *whose,
		      struct tct_transaction *record)
{
	bool changed = false;

	if (kept_before(choice, whose, false) == NULL)
		return false;
	for (size_t i = 0; i < record->keys_count; i++) {
		struct tct_journal_key *key = &record->keys[i];
		unsigned gaps = key->gaps;

		if (key->before.kind != TCT_VALUE_NONE)
			gaps = tct_journal_gaps(choice->journal, choice->drop, whose, key);
		changed |= gaps != key->gaps;
		key->gaps = gaps;
	}
	return changed;
}

/* What a kept one says of the dropped is said anew. *changed: something is. */
static int settle(const struct tct_journal_choice *choice, const struct tct_transaction *whose,
		  struct tct_transaction *record, bool *changed)
{
	const struct tct_transaction *before;

	*changed = note_gaps(choice, whose, record);
	if (!record->additive || !tct_transaction_stands(whose) ||
	    !is_dropped(choice, record->carries))
		return 0;
	*changed = true;
	before = kept_before(choice, whose, true);
	if (before == NULL)
		return tct_asked_settle(choice->journal, record);
	record->carries = before->id;
	return 0;
}

static int keep_line(const struct tct_journal_choice *choice, const struct tct_transaction *whose,
		     struct tct_record *record, struct tct_text *text, const char *line,
		     size_t length)
{
	TCT_AUTOFREE char *fresh = NULL;
	bool changed = false;
	int result = 0;

	if (record->kind == TCT_RECORD_BEGIN)
		result = settle(choice, whose, &record->transaction, &changed);
	if (result < 0)
		return result;
	if (!changed) {
		tct_text_add_bytes(text, line, length);
		return 0;
	}
	fresh = tct_record_begin_line(&record->transaction);
	if (fresh == NULL)
		return -ENOMEM;
	tct_text_add(text, fresh);
	return 0;
}

/* The records of the kept: byte for byte, but for what they say of the dropped. */
static int keep_lines(const struct tct_journal_choice *choice, const char *data,
		      struct tct_text *text)
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
			result = keep_line(choice, whose, &record, text, at,
					   (size_t)(stop - at) + 1);
		if (result < 0)
			return result;
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
	struct tct_journal_choice choice = { .journal = journal, .boot_id = boot_id };
	int result;

	*dropped = 0;
	if (journal->transactions_count <= TCT_JOURNAL_MOST || journal->fd < 0)
		return 0;
	drop = calloc(journal->transactions_count, sizeof(*drop));
	if (drop == NULL)
		return -ENOMEM;
	choice.drop = drop;
	tct_journal_choose(&choice);
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
