#include "tests/fault/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/fault/stage.h"
#include "tests/fault/state_values.h"
#include "tune/journal.h"

/* Where tcptune writes, and where it must not. */
static const char *const trees[] = {
	"/etc/sysctl.conf",
	"/etc/sysctl.d",
	"/etc/modules-load.d",
	"/etc/tcptune",
	"/usr/lib/sysctl.d",
	"/lib/sysctl.d",
	"/usr/local/lib/sysctl.d",
	"/var/lib",
	"/run",
};

static const char journal_path[] = TCT_JOURNAL_PATH;

static int by_path(const void *a, const void *b)
{
	const struct state_file *left = a;
	const struct state_file *right = b;

	return strcmp(left->path, right->path);
}

/* The whole of a file, or what a folder is. The lock is no state. */
static void take_file(struct state *state, const char *path, const struct stat *status)
{
	char security[64];
	ssize_t size;
	struct state_file *file;

	if (strcmp(path, STAGE_LOCK) == 0)
		return;
	file = TCT_APPEND(state, files);
	if (file == NULL)
		abort();
	file->path = strdup(path);
	file->mode = status->st_mode;
	file->uid = status->st_uid;
	file->gid = status->st_gid;
	if (!S_ISDIR(status->st_mode))
		file->bytes = stage_read(path, &file->length);
	size = lgetxattr(path, STATE_ATTRIBUTE, security, sizeof(security));
	if (size >= 0)
		file->security = tct_text_copy(security, (size_t)size);
}

static void take_tree(struct state *state, const char *path)
{
	struct stat status;
	struct dirent *entry;
	DIR *folder;

	if (lstat(path, &status) < 0)
		return;
	take_file(state, path, &status);
	if (!S_ISDIR(status.st_mode))
		return;
	folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char *below = NULL;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
			abort();
		take_tree(state, below);
		free(below);
	}
	if (folder == NULL || closedir(folder) < 0)
		stage_fail("%s: %s", path, strerror(errno));
}

/* What the journal says, read as `tcptune history` reads it. */
static void take_journal(struct state *state)
{
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set owned = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	struct tct_root root = { .fd = -1 };
	struct tct_netns netns = { 0 };
	struct tct_journal *journal = NULL;
	struct tct_err err = { 0 };

	if (tct_root_open(&root, NULL, &err) < 0 ||
	    tct_journal_open(&root, false, &journal, &err) < 0)
		stage_fail("the journal: %s", err.message);
	state->torn = journal->torn;
	state->transactions = journal->transactions_count;
	for (size_t i = 0; i < journal->transactions_count; i++) {
		const struct tct_transaction *transaction = &journal->transactions[i];

		state->newest_id = transaction->id;
		state->open = state->open || transaction->state == TCT_TRANSACTION_OPEN;
		netns = transaction->netns;
		if (transaction->state == TCT_TRANSACTION_STUCK)
			tct_text_addf(&text, "transaction is stuck\n");
		if (tct_transaction_stands(transaction))
			tct_text_addf(&text, "%s: %s\n",
				      tct_transaction_waits(transaction) ? "waits" : "stands",
				      transaction->profiles);
	}
	/* All transactions are of this very namespace, on this boot. */
	if (journal->transactions_count > 0 &&
	    tct_journal_owned(journal, &netns, journal->transactions[0].boot_id, 0, &owned) < 0)
		abort();
	for (size_t i = 0; i < owned.items_count; i++) {
		const struct tct_owned *item = &owned.items[i];
		TCT_AUTOFREE char *written = item->live ? tct_value_text(&item->written) : NULL;
		TCT_AUTOFREE char *base = item->live ? tct_value_text(&item->baseline) : NULL;
		TCT_AUTOFREE char *boot = item->boot ? tct_value_text(&item->boot_value) : NULL;

		tct_text_addf(&text, "%s: live %s (was %s), at boot %s\n", item->key->name,
			      written != NULL ? written : "-", base != NULL ? base : "-",
			      boot != NULL ? boot : "-");
	}
	if (owned.modules != NULL)
		tct_text_addf(&text, "modules to load: %s\n", owned.modules);
	state->owned = tct_text_take(&text);
	tct_journal_free(journal);
	tct_root_done(&root);
}

void state_take(struct state *state)
{
	*state = (struct state){ 0 };
	for (size_t i = 0; i < TCT_COUNT(trees); i++)
		take_tree(state, trees[i]);
	if (state->files_count > 0)
		qsort(state->files, state->files_count, sizeof(*state->files), by_path);
	state->values = state_values_take();
	take_journal(state);
}

void state_done(struct state *state)
{
	for (size_t i = 0; i < state->files_count; i++) {
		free(state->files[i].path);
		free(state->files[i].bytes);
		free(state->files[i].security);
	}
	free(state->files);
	state_values_free(state->values);
	free(state->owned);
	*state = (struct state){ 0 };
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_file(const struct state_file *a, const struct state_file *b)
{
	return strcmp(a->path, b->path) == 0 && a->mode == b->mode && a->uid == b->uid &&
	       a->gid == b->gid && same_text(a->security, b->security) &&
	       (a->bytes == NULL) == (b->bytes == NULL) && a->length == b->length &&
	       (a->bytes == NULL || memcmp(a->bytes, b->bytes, a->length) == 0);
}

/* --- putting back
 * ------------------------------------------------------------------------------------------------
 */

static void remove_file(const struct state_file *file)
{
	if ((file->bytes != NULL ? unlink(file->path) : rmdir(file->path)) < 0)
		stage_fail("remove %s: %s", file->path, strerror(errno));
}

static void make_file(const struct state_file *file)
{
	if (file->bytes == NULL) {
		if (mkdir(file->path, file->mode & 07777) < 0 && errno != EEXIST)
			stage_fail("make %s: %s", file->path, strerror(errno));
	} else {
		/* A fresh file: another name of the old one must not change with it. */
		if (unlink(file->path) < 0 && errno != ENOENT)
			stage_fail("remove %s: %s", file->path, strerror(errno));
		stage_write(file->path, file->bytes, file->length);
	}
	if (chown(file->path, file->uid, file->gid) < 0 ||
	    chmod(file->path, file->mode & 07777) < 0 ||
	    (file->security != NULL &&
	     setxattr(file->path, STATE_ATTRIBUTE, file->security, strlen(file->security), 0) < 0))
		stage_fail("make %s: %s", file->path, strerror(errno));
}

void state_restore(const struct state *state)
{
	struct state now;
	size_t i;
	size_t k = 0;

	state_take(&now);
	/* Backwards: what is in a folder goes before it. */
	for (i = now.files_count; i-- > 0;) {
		const struct state_file *file = &now.files[i];

		if (bsearch(file, state->files, state->files_count, sizeof(*file), by_path) == NULL)
			remove_file(file);
	}
	for (i = 0; i < state->files_count; i++) {
		const struct state_file *file = &state->files[i];

		while (k < now.files_count && strcmp(now.files[k].path, file->path) < 0)
			k++;
		if (k == now.files_count || !same_file(&now.files[k], file))
			make_file(file);
	}
	state_values_restore(state->values, now.values);
	state_done(&now);
}

/* --- comparing
 * ---------------------------------------------------------------------------------------------------
 */

/* Folder and file that stay when everything is undone; what is in them is judged by its meaning. */
static bool is_journal(const struct state_file *file)
{
	return strcmp(file->path, journal_path) == 0 || strcmp(file->path, TCT_JOURNAL_DIR) == 0;
}

static bool begins(const char *path, const char *with)
{
	return strncmp(path, with, strlen(with)) == 0;
}

static bool is_leftover(const struct state_file *file)
{
	const char *name = strrchr(file->path, '/');

	return begins(file->path, STAGE_SYSCTL_FOLDER "/.") ||
	       begins(file->path, STAGE_MODULES_FOLDER "/.") ||
	       (name != NULL && (strstr(name, ".new") != NULL || strstr(name, ".old") != NULL ||
				 strstr(name, ".tmp") != NULL));
}

bool state_has_leftovers(const struct state *state)
{
	for (size_t i = 0; i < state->files_count; i++) {
		if (is_leftover(&state->files[i]))
			return true;
	}
	return false;
}

/* An empty folder for our files that was made on the way says nothing. */
static bool counts(const struct state_file *file, bool leftovers)
{
	return !is_journal(file) && !(leftovers && is_leftover(file)) &&
	       !(file->bytes == NULL && (strcmp(file->path, STAGE_SYSCTL_FOLDER) == 0 ||
					 strcmp(file->path, STAGE_MODULES_FOLDER) == 0));
}

/* The next file that counts, or NULL. */
static const struct state_file *next_file(const struct state *state, size_t *at, bool leftovers)
{
	while (*at < state->files_count) {
		const struct state_file *file = &state->files[(*at)++];

		if (counts(file, leftovers))
			return file;
	}
	return NULL;
}

/* The text without the number of the transaction, which differs from try to try. */
static char *without_number(const struct state_file *file)
{
	static const char head[] = "# Transaction: ";
	char *text = tct_text_copy(file->bytes, file->length);
	char *at = text != NULL ? strstr(text, head) : NULL;

	if (text == NULL)
		abort();
	for (at = at != NULL ? at + strlen(head) : text + file->length; *at >= '0' && *at <= '9';)
		memmove(at, at + 1, strlen(at));
	return text;
}

static bool equal_file(const struct state_file *a, const struct state_file *b)
{
	TCT_AUTOFREE char *left = NULL;
	TCT_AUTOFREE char *right = NULL;
	struct state_file other;

	if (a == NULL || b == NULL)
		return a == b;
	if (a->bytes == NULL || b->bytes == NULL)
		return same_file(a, b);
	other = *b;
	left = without_number(a);
	right = without_number(b);
	other.bytes = a->bytes;
	other.length = a->length;
	return strcmp(left, right) == 0 && same_file(a, &other);
}

bool state_equal(const struct state *state, const struct state *other, bool leftovers)
{
	const struct state_file *left;
	size_t i = 0;
	size_t k = 0;

	do {
		left = next_file(state, &i, leftovers);
		if (!equal_file(left, next_file(other, &k, leftovers)))
			return false;
	} while (left != NULL);
	for (i = 0; i < tct_kernel_keys_count; i++) {
		if (!same_text(state->values[i], other->values[i]))
			return false;
	}
	return same_text(state->owned, other->owned);
}

static void explain_file(const char *what, const struct state_file *file, struct tct_text *text)
{
	tct_text_addf(text, "  %s %s, mode %o, owner %u:%u, security %s:\n%s", what, file->path,
		      file->mode, file->uid, file->gid,
		      file->security != NULL ? file->security : "-",
		      file->bytes != NULL ? file->bytes : "");
}

static const struct state_file *find(const struct state *state, const struct state_file *file)
{
	return bsearch(file, state->files, state->files_count, sizeof(*file), by_path);
}

void state_explain(const struct state *expected, const struct state *found, struct tct_text *text)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		if (!same_text(expected->values[i], found->values[i]))
			tct_text_addf(text, "  %s: expected %s, found %s\n",
				      tct_kernel_keys[i].name, expected->values[i],
				      found->values[i]);
	}
	for (size_t i = 0; i < expected->files_count; i++) {
		const struct state_file *file = &expected->files[i];

		if (counts(file, false) && !equal_file(file, find(found, file)))
			explain_file("expected", file, text);
	}
	for (size_t i = 0; i < found->files_count; i++) {
		const struct state_file *file = &found->files[i];

		if (counts(file, false) && !equal_file(file, find(expected, file)))
			explain_file("found", file, text);
	}
	if (!same_text(expected->owned, found->owned))
		tct_text_addf(text, "  the journal: expected\n%s  found\n%s", expected->owned,
			      found->owned);
	if (found->open || found->torn)
		tct_text_addf(text, "  the journal: %s\n",
			      found->open ? "a transaction is open" : "the last record is torn");
}
