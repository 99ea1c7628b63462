#include "tune/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/file_io.h"
#include "tune/journal_prune.h"
#include "tune/journal_record.h"

enum { JOURNAL_MAX = 256 << 20 };

#define JOURNAL_NAME "journal"

void tct_journal_free(struct tct_journal *journal)
{
	if (journal == NULL)
		return;
	for (size_t i = 0; i < journal->transactions_count; i++)
		tct_transaction_done(&journal->transactions[i]);
	free(journal->transactions);
	if (journal->fd >= 0)
		(void)close(journal->fd);
	free(journal);
}

struct tct_transaction *tct_journal_find(const struct tct_journal *journal, uint64_t id)
{
	size_t low = 0;
	size_t high = journal->transactions_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct tct_transaction *transaction = &journal->transactions[middle];

		if (transaction->id == id)
			return transaction;
		if (transaction->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Open, or waiting: that is an end that another one follows. */
static bool may_end(const struct tct_transaction *transaction)
{
	return transaction->state == TCT_TRANSACTION_OPEN ||
	       transaction->state == TCT_TRANSACTION_WAITING;
}

static struct tct_journal_key *key_of(struct tct_transaction *transaction,
				      const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < transaction->keys_count; i++) {
		if (transaction->keys[i].key == key)
			return &transaction->keys[i];
	}
	return NULL;
}

/* What was confirmed stands as if it had written the drop-in itself. */
static int confirm_transaction(struct tct_journal *journal, const struct tct_transaction *confirm)
{
	struct tct_transaction *kept = tct_journal_find(journal, confirm->confirms);

	if (kept == NULL)
		return 0;
	kept->state = TCT_TRANSACTION_COMMITTED;
	kept->confirmed_by = confirm->id;
	/* Its lines were there already, or it has none: the confirmation wrote no file. */
	if (!kept->deferred)
		return 0;
	kept->persisted = confirm->persisted;
	kept->deferred = false;
	memcpy(kept->drop_in_before_sha256, confirm->drop_in_before_sha256,
	       sizeof(kept->drop_in_before_sha256));
	memcpy(kept->drop_in_after_sha256, confirm->drop_in_after_sha256,
	       sizeof(kept->drop_in_after_sha256));
	for (size_t i = 0; i < confirm->keys_count; i++) {
		const struct tct_journal_key *written = &confirm->keys[i];
		struct tct_journal_key *key = key_of(kept, written->key);

		if (key != NULL &&
		    (tct_value_replace(&key->boot_before, &written->boot_before) < 0 ||
		     tct_value_replace(&key->boot_after, &written->boot_after) < 0))
			return -ENOMEM;
	}
	return 0;
}

/* Note in a transaction how it ended. Takes record->error. */
static int end_transaction(struct tct_journal *journal, struct tct_record *record,
			   struct tct_err *err)
{
	struct tct_transaction *transaction = tct_journal_find(journal, record->id);

	if (transaction == NULL || !may_end(transaction))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "transaction %" PRIu64 " ends that isn't open", record->id);
	for (size_t i = 0; record->stuck != NULL && i < json_array_size(record->stuck); i++) {
		const char *name = json_string_value(json_array_get(record->stuck, i));

		for (size_t k = 0; name != NULL && k < transaction->keys_count; k++) {
			if (strcmp(transaction->keys[k].key->name, name) == 0)
				transaction->keys[k].stuck = true;
		}
	}
	transaction->drop_in_stuck = record->drop_in_stuck;
	transaction->modules_stuck = record->modules_stuck;
	transaction->state = record->state;
	free(transaction->error);
	transaction->error = TCT_STEAL(record->error);
	if (transaction->state == TCT_TRANSACTION_COMMITTED && transaction->confirms != 0 &&
	    confirm_transaction(journal, transaction) < 0)
		return tct_err_nomem(err);
	if (transaction->state == TCT_TRANSACTION_COMMITTED && transaction->undoes != 0) {
		struct tct_transaction *undone = tct_journal_find(journal, transaction->undoes);

		if (undone != NULL)
			undone->undone_by = transaction->id;
	}
	return 0;
}

/* Who follows these from one to the next comes to an end. */
static bool is_about_later(const struct tct_transaction *transaction)
{
	return transaction->undoes >= transaction->id || transaction->confirms >= transaction->id ||
	       transaction->carries >= transaction->id;
}

/* Takes the record. */
static int add_record(struct tct_journal *journal, struct tct_record *record, struct tct_err *err)
{
	struct tct_transaction *transaction;

	if (record->kind == TCT_RECORD_END)
		return end_transaction(journal, record, err);
	if (record->id < journal->next_id)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "transaction %" PRIu64 " begins after a later one", record->id);
	if (is_about_later(&record->transaction))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "transaction %" PRIu64 " is about a later one", record->id);
	transaction = TCT_APPEND(journal, transactions);
	if (transaction == NULL)
		return tct_err_nomem(err);
	*transaction = record->transaction;
	record->transaction = (struct tct_transaction){ 0 };
	journal->next_id = record->id + 1;
	return 0;
}

/* Blocks that never reached the disk are zeros; and nothing whole comes after them. */
static bool is_hole(const char *data, size_t length)
{
	const char *end = memchr(data, '\n', length);

	if (end == NULL || memchr(data, '\0', (size_t)(end - data)) == NULL)
		return false;
	for (const char *at = end + 1; at < data + length; at = end + 1) {
		TCT_AUTO(tct_record_done) struct tct_record record = { 0 };

		end = memchr(at, '\n', (size_t)(data + length - at));
		if (end == NULL)
			return true;
		if (tct_record_parse(at, (size_t)(end - at), &record, NULL) != -EBADMSG)
			return false;
	}
	return true;
}

static int read_records(struct tct_journal *journal, const char *data, size_t length,
			struct tct_err *err)
{
	unsigned line = 0;
	size_t at = 0;

	while (at < length) {
		const char *end = memchr(data + at, '\n', length - at);
		TCT_AUTO(tct_record_done) struct tct_record record = { 0 };
		int result;

		line++;
		if (end == NULL) {
			journal->torn = true;
			break;
		}
		result = tct_record_parse(data + at, (size_t)(end - data) - at, &record, err);
		/* One record was being written; more than one bad line is damage, but for a hole
		 * that a power cut left. */
		if (result == -EBADMSG &&
		    (end + 1 == data + length || is_hole(data + at, length - at))) {
			journal->torn = true;
			break;
		}
		if (result == 0)
			result = add_record(journal, &record, err);
		if (result == -ENOMEM)
			return result;
		if (result < 0) {
			char why[sizeof(err->message)] = "";

			if (err != NULL)
				memcpy(why, err->message, sizeof(why));
			return tct_err_at(err, journal->path, line, 0, "%.380s%s", why,
					  result == -EBADMSG
						  ? "; JOURNAL in tcptune(1) tells the way out"
						  : "");
		}
		at = (size_t)(end - data) + 1;
		journal->good_length = (int64_t)at;
	}
	return 0;
}

/* What others may write tells us nothing. */
static int check_file(const struct tct_journal *journal, const struct tct_root *root, int fd,
		      struct tct_err *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		int code = errno;

		return tct_err_set(err, TCT_FAULT_INPUT, code, "%s: %s", journal->path,
				   strerror(code));
	}
	if (!S_ISREG(status.st_mode))
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "%s is not a regular file",
				   journal->path);
	if (root->live && ((status.st_uid != 0 && status.st_uid != geteuid()) ||
			   (status.st_mode & (S_IWGRP | S_IWOTH)) != 0))
		return tct_err_set(err, TCT_FAULT_INPUT, EPERM,
				   "%s can be written by others than root: it can't be trusted",
				   journal->path);
	return 0;
}

static int read_file(struct tct_journal *journal, int fd, char **data, size_t *length)
{
	TCT_AUTOFREE char *buffer = NULL;
	size_t capacity = 0;
	size_t used = 0;
	int tries = 0;

	for (;;) {
		ssize_t got;

		if (used == capacity) {
			size_t wanted = capacity == 0 ? 16384 : capacity * 2;
			char *grown = realloc(buffer, wanted);

			if (grown == NULL)
				return -ENOMEM;
			buffer = grown;
			capacity = wanted;
		}
		got = read(fd, buffer + used, capacity - used);
		if (got < 0) {
			if (errno == EINTR && tries++ < TCT_INTERRUPTED_TRIES)
				continue;
			return -errno;
		}
		if (got == 0)
			break;
		used += (size_t)got;
		if (used > JOURNAL_MAX)
			return -EFBIG;
	}
	journal->file_length = (int64_t)used;
	*length = used;
	*data = TCT_STEAL(buffer);
	return 0;
}

/* Returns an fd or -errno. */
static int open_file(struct tct_journal *journal, int folder)
{
	const int flags = O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
	int fd = tct_file_openat(folder, JOURNAL_NAME,
				 flags | (journal->writable ? O_RDWR | O_APPEND : O_RDONLY), 0);

	/* A folder: what it is, is told as of all that is no file. */
	if (!journal->writable || (fd != -EROFS && fd != -EPERM && fd != -EISDIR))
		return fd;
	journal->write_error = fd;
	return tct_file_openat(folder, JOURNAL_NAME, flags | O_RDONLY, 0);
}

int tct_journal_open(const struct tct_root *root, bool writable, struct tct_journal **out,
		     struct tct_err *err)
{
	struct tct_journal *journal = calloc(1, sizeof(*journal));
	TCT_AUTOFREE char *data = NULL;
	size_t length = 0;
	int result = 0;

	if (journal == NULL)
		return tct_err_nomem(err);
	journal->fd = -1;
	journal->next_id = 1;
	journal->writable = writable;
	if (snprintf(journal->path, sizeof(journal->path), "%s%s", tct_root_prefix(root),
		     TCT_JOURNAL_PATH) < 0)
		journal->path[0] = '\0';

	TCT_AUTOCLOSE int folder =
		tct_root_openat(root, TCT_JOURNAL_DIR, O_RDONLY | O_DIRECTORY, 0);
	TCT_AUTOCLOSE int fd = -1;

	if (folder == -ENOENT)
		goto done;
	/* Nothing is lost if it can't be removed. */
	if (folder >= 0 && writable)
		(void)tct_journal_sweep(folder);
	fd = folder < 0 ? folder : open_file(journal, folder);
	if (fd == -ENOENT)
		goto done;
	if (fd < 0) {
		result = tct_err_set(
			err, writable || fd == -EACCES ? TCT_FAULT_REFUSED : TCT_FAULT_INPUT, -fd,
			"%s: %s%s", journal->path, strerror(-fd),
			fd == -EACCES ? " (are you root?)" : "");
		goto done;
	}
	result = check_file(journal, root, fd, err);
	if (result == 0) {
		result = read_file(journal, fd, &data, &length);
		if (result < 0)
			(void)tct_err_set(err, TCT_FAULT_INPUT, -result, "%s: %s", journal->path,
					  strerror(-result));
	}
	if (result == 0)
		result = read_records(journal, data, length, err);
	if (result == 0 && writable && journal->write_error == 0)
		journal->fd = TCT_STEAL_FD(fd);
done:
	if (result < 0) {
		tct_journal_free(journal);
		return result;
	}
	*out = journal;
	return 0;
}

/* Make folder and file for the first record. */
static int make_file(struct tct_journal *journal, const struct tct_root *root)
{
	TCT_AUTOCLOSE int folder = tct_file_make_folder(root, TCT_JOURNAL_DIR, 0755);
	int result;

	if (folder < 0)
		return folder;
	journal->fd = tct_file_openat(folder, JOURNAL_NAME,
				      O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
	if (journal->fd < 0)
		return journal->fd;
	/* Everybody may ask `check` and `history`: sysctls are no secret. */
	result = fchmod(journal->fd, 0644) < 0 ? -errno : tct_file_sync(folder);
	if (result < 0) {
		/* Nothing is in it. */
		(void)unlinkat(folder, JOURNAL_NAME, 0);
		(void)close(journal->fd);
		journal->fd = -1;
	}
	return result;
}

static int cut(struct tct_journal *journal)
{
	for (int tries = 0; ftruncate(journal->fd, journal->good_length) < 0; tries++) {
		if (errno != EINTR || tries == TCT_INTERRUPTED_TRIES)
			return -errno;
	}
	journal->file_length = journal->good_length;
	return 0;
}

/* Append one line and sync it; on failure it is cut off again. */
static int append(struct tct_journal *journal, const char *line)
{
	size_t length = strlen(line);
	int result = 0;

	if (journal->file_length != journal->good_length)
		result = cut(journal);
	if (result == 0) {
		journal->file_length += (int64_t)length; /* perhaps less: not good_length, at any
							    rate */
		result = tct_file_write(journal->fd, line, length);
		if (result == 0)
			result = tct_file_sync(journal->fd);
		if (result < 0) {
			if (cut(journal) == 0)
				(void)tct_file_sync(journal->fd);
			return result;
		}
	}
	if (result < 0)
		return result;
	journal->good_length = journal->file_length;
	journal->torn = false;
	return 0;
}

static int failed(const struct tct_journal *journal, int result, struct tct_err *err)
{
	return tct_err_set(err, TCT_FAULT_REFUSED, -result, "can't write the journal %s: %s%s",
			   journal->path, strerror(-result), tct_file_hint(-result));
}

int tct_journal_may_write(const struct tct_journal *journal, const struct tct_root *root,
			  struct tct_err *err)
{
	int result = tct_file_may_write(root, TCT_JOURNAL_DIR, JOURNAL_NAME, true, true);

	return result < 0 ? failed(journal, result, err) : 0;
}

int tct_journal_begin(struct tct_journal *journal, const struct tct_root *root,
		      struct tct_transaction *transaction, struct tct_err *err)
{
	TCT_AUTO(tct_record_done) struct tct_record record = { 0 };
	TCT_AUTOFREE char *line = NULL;
	int result;

	if (!journal->writable || journal->write_error != 0)
		return failed(journal, journal->writable ? journal->write_error : -EBADF, err);
	transaction->id = journal->next_id;
	transaction->state = TCT_TRANSACTION_OPEN;
	line = tct_record_begin_line(transaction);
	if (line == NULL)
		return tct_err_nomem(err);
	/* The copy that is kept is what was written, read again: so it can be read after a crash,
	 * too. */
	result = tct_record_parse(line, strlen(line) - 1, &record, err);
	if (result < 0)
		return tct_err_wrap(err, "the journal's own record");
	if (tct_grow(&journal->transactions, &journal->transactions_capacity,
		     journal->transactions_count, sizeof(*journal->transactions)) < 0)
		return tct_err_nomem(err);
	if (journal->fd < 0)
		result = make_file(journal, root);
	if (result == 0)
		result = append(journal, line);
	if (result < 0) {
		transaction->id = 0; /* nothing of it is recorded */
		return failed(journal, result, err);
	}
	return add_record(journal, &record, err);
}

int tct_journal_end(struct tct_journal *journal, uint64_t id, enum tct_transaction_state state,
		    const char *error, struct tct_err *err)
{
	TCT_AUTO(tct_record_done)
	struct tct_record record = {
		.kind = TCT_RECORD_END,
		.id = id,
		.state = state,
	};
	const struct tct_transaction *transaction = tct_journal_find(journal, id);
	TCT_AUTOFREE char *line = NULL;
	int result;

	if (journal->write_error != 0)
		return failed(journal, journal->write_error, err);
	if (transaction == NULL || !may_end(transaction) || journal->fd < 0)
		return failed(journal, -EINVAL, err);
	record.drop_in_stuck = transaction->drop_in_stuck;
	record.modules_stuck = transaction->modules_stuck;
	line = tct_record_end_line(transaction, state, error);
	if (line == NULL)
		return tct_err_nomem(err);
	if (error != NULL) {
		record.error = strdup(error);
		if (record.error == NULL)
			return tct_err_nomem(err);
	}
	result = append(journal, line);
	if (result < 0)
		return failed(journal, result, err);
	/* It has ended, whether there is memory to note all of it here or not: who took it back
	 * now would contradict the journal. */
	(void)end_transaction(journal, &record, NULL);
	return 0;
}
