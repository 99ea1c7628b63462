/* The journal: what is written is read again, a torn end is left out, damage and hostile content
 * are named. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tests/unit/journal_world.h"
#include "tests/unit/scratch.h"
#include "tune/file_io.h"
#include "tune/journal.h"

START_TEST(nothing_is_made_before_the_first_record)
{
	struct tct_journal *journal = journal_reopen(NULL, true);

	ck_assert_uint_eq(journal->transactions_count, 0);
	ck_assert_uint_eq(journal->next_id, 1);
	ck_assert(!tct_root_exists(&scratch_root, "var"));
	ck_assert_ptr_null(tct_journal_interrupted(journal));
	ck_assert_ptr_null(tct_journal_newest(journal, &journal_host, ""));
	tct_journal_free(journal);
	tct_journal_free(NULL);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction one = journal_make(TCT_TRANSACTION_APPLY, &journal_other);
	struct stat status;

	journal_add(&one, "net.ipv4.tcp_rmem", "4096 131072 6291456", "4096 131072 33554432", true);
	journal_add(&one, "net.ipv4.ip_local_reserved_ports", "80", "80,9000-9100", true);
	journal_add(&one, "net.ipv4.tcp_congestion_control", "cubic", "bbr", true);
	ck_assert_msg(tct_journal_begin(journal, &scratch_root, &one, &journal_err) == 0, "%s",
		      journal_err.message);
	ck_assert_uint_eq(one.id, 1);
	ck_assert_int_eq(stat(scratch_path(JOURNAL_FILE), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0644);
	ck_assert_int_eq(stat(scratch_path("var/lib/tcptune"), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0755);

	journal = journal_reopen(journal, false);
	ck_assert_uint_eq(journal->transactions_count, 1);

	const struct tct_transaction *read = tct_journal_find(journal, 1);

	ck_assert_ptr_nonnull(read);
	ck_assert_ptr_eq(tct_journal_interrupted(journal), read);
	ck_assert_int_eq(read->state, TCT_TRANSACTION_OPEN);
	ck_assert_int_eq(read->time_ns, one.time_ns);
	ck_assert_str_eq(read->profiles, "base,highconn");
	ck_assert_str_eq(read->reason, "noon \n overflow");
	ck_assert_str_eq(read->user, "alice (root)");
	ck_assert_str_eq(read->boot_id, one.boot_id);
	ck_assert_str_eq(read->netns.name, "blue");
	ck_assert_uint_eq(read->netns.cookie, 77);
	ck_assert(!read->netns.initial);
	ck_assert(read->live && read->persisted);
	ck_assert_str_eq(read->drop_in_before_sha256, "");
	ck_assert_str_eq(read->drop_in_after_sha256, "feed");
	ck_assert_str_eq(json_string_value(json_object_get(read->variables, "tw_buckets")),
			 "400000");
	ck_assert_uint_eq(read->keys_count, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_ptr_eq(read->keys[i].key, one.keys[i].key);
		ck_assert(tct_value_equal(&read->keys[i].before, &one.keys[i].before));
		ck_assert(tct_value_equal(&read->keys[i].after, &one.keys[i].after));
		ck_assert(tct_value_equal(&read->keys[i].baseline, &one.keys[i].baseline));
		ck_assert(tct_value_equal(&read->keys[i].boot_before, &one.keys[i].boot_before));
		ck_assert(tct_value_equal(&read->keys[i].boot_after, &one.keys[i].boot_after));
		ck_assert(read->keys[i].live_owned);
		ck_assert_str_eq(read->keys[i].because, one.keys[i].because);
	}
	tct_journal_free(journal);
}
END_TEST

START_TEST(ends)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction back = journal_make(TCT_TRANSACTION_ROLLBACK, &journal_host);
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction failed = journal_make(TCT_TRANSACTION_APPLY, &journal_host);
	uint64_t first = journal_apply(journal, "4096", "16384", &journal_host);

	ck_assert_ptr_eq(tct_journal_newest(journal, &journal_host, ""),
			 tct_journal_find(journal, first));
	ck_assert_ptr_null(tct_journal_newest(journal, &journal_other, ""));
	back.undoes = first;
	ck_assert_int_eq(tct_journal_begin(journal, &scratch_root, &back, &journal_err), 0);
	/* Not before it is committed. */
	ck_assert_uint_eq(tct_journal_find(journal, first)->undone_by, 0);
	ck_assert_int_eq(
		tct_journal_end(journal, back.id, TCT_TRANSACTION_COMMITTED, NULL, &journal_err),
		0);
	ck_assert_uint_eq(tct_journal_find(journal, first)->undone_by, back.id);
	ck_assert_ptr_null(tct_journal_newest(journal, &journal_host, ""));
	/* No second end, and none for what never began. */
	ck_assert_int_lt(
		tct_journal_end(journal, back.id, TCT_TRANSACTION_UNDONE, NULL, &journal_err), 0);
	ck_assert_int_lt(
		tct_journal_end(journal, 99, TCT_TRANSACTION_COMMITTED, NULL, &journal_err), 0);

	journal_add(&failed, "net.core.somaxconn", "4096", "16384", true);
	journal_add(&failed, "net.ipv4.tcp_sack", "0", "1", true);
	ck_assert_int_eq(tct_journal_begin(journal, &scratch_root, &failed, &journal_err), 0);
	tct_journal_find(journal, failed.id)->keys[1].stuck = true;
	ck_assert_int_eq(
		tct_journal_end(journal, failed.id, TCT_TRANSACTION_STUCK, "EIO", &journal_err), 0);

	journal = journal_reopen(journal, false);
	ck_assert_uint_eq(tct_journal_find(journal, first)->undone_by, back.id);

	const struct tct_transaction *read = tct_journal_find(journal, failed.id);
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set owned = { 0 };

	ck_assert_int_eq(read->state, TCT_TRANSACTION_STUCK);
	ck_assert_str_eq(read->error, "EIO");
	ck_assert(!read->keys[0].stuck && read->keys[1].stuck && !read->drop_in_stuck);
	/* Only what is stuck is still ours. */
	ck_assert_int_eq(tct_journal_owned(journal, &journal_host, "", 0, &owned), 0);
	ck_assert_uint_eq(owned.items_count, 1);
	ck_assert_str_eq(owned.items[0].key->name, "net.ipv4.tcp_sack");
	ck_assert(owned.items[0].live && !owned.items[0].boot);
	tct_journal_free(journal);
}
END_TEST

START_TEST(what_is_ours)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction release = journal_make(TCT_TRANSACTION_APPLY, &journal_host);
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set now = { 0 };
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set before = { 0 };
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set there = { 0 };
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set rebooted = { 0 };
	uint64_t first = journal_apply(journal, "4096", "16384", &journal_host);
	uint64_t second = journal_apply(journal, "16384", "32768", &journal_host);

	(void)journal_apply(journal, "4096", "8192", &journal_other);
	ck_assert_int_eq(tct_journal_owned(journal, &journal_host, "", 0, &now), 0);
	ck_assert_uint_eq(now.items_count, 1);
	ck_assert_int_eq(now.items[0].written.numbers[0], 32768);
	ck_assert_uint_eq(now.items[0].transaction, 3);
	/* There is one drop-in, whoever wrote it last. */
	ck_assert_int_eq(now.items[0].boot_value.numbers[0], 8192);
	ck_assert_ptr_eq(tct_owned_find(&now, tct_kernel_key_find("net.core.somaxconn")),
			 &now.items[0]);
	ck_assert_ptr_null(tct_owned_find(&now, tct_kernel_key_find("net.ipv4.tcp_sack")));
	/* As if the second had never been. */
	ck_assert_int_eq(tct_journal_owned(journal, &journal_host, "", second, &before), 0);
	ck_assert_int_eq(before.items[0].written.numbers[0], 16384);
	ck_assert_int_eq(before.items[0].baseline.numbers[0], 4096);
	/* In the other namespace, and after a reboot, when it is no more. */
	ck_assert_int_eq(tct_journal_owned(journal, &journal_other,
					   "11111111-2222-3333-4444-555555555555", 0, &there),
			 0);
	ck_assert_int_eq(there.items[0].written.numbers[0], 8192);
	ck_assert_int_eq(tct_journal_owned(journal, &journal_other, "another boot", 0, &rebooted),
			 0);
	ck_assert(!rebooted.items[0].live && rebooted.items[0].boot);
	ck_assert(first < second);
	tct_owned_set_done(&now);
	/* A transaction that gives the key back. */
	journal_add(&release, "net.core.somaxconn", "32768", "4096", false);
	ck_assert_int_eq(tct_journal_begin(journal, &scratch_root, &release, &journal_err), 0);
	ck_assert_int_eq(
		tct_journal_end(journal, release.id, TCT_TRANSACTION_COMMITTED, NULL, &journal_err),
		0);
	ck_assert_int_eq(tct_journal_owned(journal, &journal_host, "", 0, &now), 0);
	ck_assert_uint_eq(now.items_count, 0);
	ck_assert_uint_eq(now.drop_in->id, release.id);
	tct_journal_free(journal);
}
END_TEST

/* An apply that waits has its live values; the drop-in's lines only once it is confirmed. */
START_TEST(waits_for_its_confirmation)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction waiting = journal_make(TCT_TRANSACTION_APPLY, &journal_host);
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction confirm = journal_make(TCT_TRANSACTION_CONFIRM, &journal_host);
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set before = { 0 };
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set after = { 0 };
	const struct tct_transaction *read;

	journal_add(&waiting, "net.core.somaxconn", "4096", "16384", true);
	waiting.confirm_within_ns = 60000000000;
	waiting.deadline_boottime_ns = 161000000000;
	waiting.deadline_ns = 1764000000000000000;
	waiting.deferred = true;
	waiting.additive = true;
	waiting.sets = json_pack("{s:s}", "net.core.somaxconn", "16384");
	waiting.version = strdup("0.1.0");
	waiting.modules_after = strdup("nf_conntrack");
	ck_assert_int_eq(tct_journal_begin(journal, &scratch_root, &waiting, &journal_err), 0);
	ck_assert_ptr_null(tct_journal_waiting(journal, &journal_host, ""));
	ck_assert_int_eq(
		tct_journal_end(journal, waiting.id, TCT_TRANSACTION_WAITING, NULL, &journal_err),
		0);
	journal = journal_reopen(journal, true);
	read = tct_journal_waiting(journal, &journal_host, "");
	ck_assert_ptr_nonnull(read);
	ck_assert_ptr_null(tct_journal_waiting(journal, &journal_other, ""));
	ck_assert_ptr_null(tct_journal_interrupted(journal));
	ck_assert(tct_transaction_stands(read) && tct_transaction_waits(read));
	ck_assert(!tct_transaction_changed_drop_in(read));
	ck_assert_int_eq(read->confirm_within_ns, 60000000000);
	ck_assert_int_eq(read->deadline_boottime_ns, 161000000000);
	ck_assert_int_eq(read->deadline_ns, 1764000000000000000);
	ck_assert(read->deferred && read->additive);
	ck_assert_str_eq(json_string_value(json_object_get(read->sets, "net.core.somaxconn")),
			 "16384");
	ck_assert_str_eq(read->version, "0.1.0");
	ck_assert_str_eq(read->modules_after, "nf_conntrack");
	ck_assert_int_eq(tct_journal_owned(journal, &journal_host, "", 0, &before), 0);
	ck_assert(before.items[0].live && !before.items[0].boot);
	ck_assert_ptr_null(before.drop_in);

	journal_add(&confirm, "net.core.somaxconn", "4096", "16384", true);
	tct_value_done(&confirm.keys[0].before); /* the live value is as it is */
	tct_value_done(&confirm.keys[0].after);
	confirm.keys[0].live_owned = false;
	confirm.confirms = read->id;
	ck_assert_int_eq(tct_journal_begin(journal, &scratch_root, &confirm, &journal_err), 0);
	ck_assert(tct_transaction_waits(tct_journal_find(journal, waiting.id)));
	ck_assert_int_eq(
		tct_journal_end(journal, confirm.id, TCT_TRANSACTION_COMMITTED, NULL, &journal_err),
		0);
	journal = journal_reopen(journal, false);
	read = tct_journal_find(journal, waiting.id);
	ck_assert_int_eq(read->state, TCT_TRANSACTION_COMMITTED);
	ck_assert_uint_eq(read->confirmed_by, confirm.id);
	ck_assert(!read->deferred && tct_transaction_changed_drop_in(read));
	ck_assert_ptr_null(tct_journal_waiting(journal, &journal_host, ""));
	ck_assert_ptr_eq(tct_journal_newest(journal, &journal_host, ""), read);
	ck_assert(!tct_transaction_stands(tct_journal_find(journal, confirm.id)));
	ck_assert_int_eq(tct_journal_owned(journal, &journal_host, "", 0, &after), 0);
	ck_assert(after.items[0].live && after.items[0].boot);
	ck_assert_uint_eq(after.drop_in->id, read->id);
	tct_journal_free(journal);
}
END_TEST

/* In time or not at all: what waited and was put back is no more. */
START_TEST(waits_in_vain)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTO(tct_transaction_done)
	struct tct_transaction waiting = journal_make(TCT_TRANSACTION_APPLY, &journal_host);
	const struct tct_transaction *read;

	journal_add(&waiting, "net.core.somaxconn", "4096", "16384", true);
	waiting.confirm_within_ns = 1;
	waiting.deferred = true;
	ck_assert_int_eq(tct_journal_begin(journal, &scratch_root, &waiting, &journal_err), 0);
	ck_assert_int_eq(
		tct_journal_end(journal, waiting.id, TCT_TRANSACTION_WAITING, NULL, &journal_err),
		0);
	ck_assert_int_eq(tct_journal_end(journal, waiting.id, TCT_TRANSACTION_UNDONE, "too late",
					 &journal_err),
			 0);
	ck_assert_int_lt(
		tct_journal_end(journal, waiting.id, TCT_TRANSACTION_COMMITTED, NULL, &journal_err),
		0);
	journal = journal_reopen(journal, false);
	read = tct_journal_find(journal, waiting.id);
	ck_assert_int_eq(read->state, TCT_TRANSACTION_UNDONE);
	ck_assert_str_eq(read->error, "too late");
	ck_assert(!tct_transaction_stands(read));
	tct_journal_free(journal);
}
END_TEST

/* Cut the file to every length: whole records stay, nothing else, and the next record can be
 * appended. */
START_TEST(torn_ends)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTOFREE char *whole = NULL;
	size_t length;
	size_t first_line;

	(void)journal_apply(journal, "4096", "16384", &journal_host);
	(void)journal_apply(journal, "16384", "32768", &journal_host);
	whole = scratch_read(JOURNAL_FILE);
	length = strlen(whole);
	first_line = (size_t)(strchr(whole, '\n') - whole) + 1;
	for (size_t cut = 0; cut <= length; cut++) {
		size_t lines = 0;

		for (size_t i = 0; i < cut; i++)
			lines += whole[i] == '\n';
		scratch_write_bytes(JOURNAL_FILE, whole, cut);
		journal = journal_reopen(journal, true);
		ck_assert_uint_eq(journal->transactions_count, (lines + 1) / 2);
		ck_assert_int_eq(journal->torn, cut > 0 && whole[cut - 1] != '\n');
		if (lines % 2 == 1)
			ck_assert_ptr_nonnull(tct_journal_interrupted(journal));
		if (cut == first_line + 20) {
			TCT_AUTOFREE char *mended = NULL;

			(void)journal_apply(journal, "4096", "8192", &journal_host);
			mended = scratch_read(JOURNAL_FILE);
			ck_assert_mem_eq(mended, whole, first_line);
			journal = journal_reopen(journal, true);
			ck_assert(!journal->torn);
			ck_assert_uint_eq(journal->transactions_count, 2);
			ck_assert_uint_eq(journal->next_id, 3);
		}
	}
	/* What a power cut leaves where the size was written but not the data. */
	scratch_write_bytes(JOURNAL_FILE, whole, length);
	ck_assert_int_eq(truncate(scratch_path(JOURNAL_FILE), (off_t)length + 300), 0);
	journal = journal_reopen(journal, true);
	ck_assert(journal->torn);
	ck_assert_uint_eq(journal->transactions_count, 2);
	ck_assert_int_eq(journal->good_length, (int64_t)length);
	tct_journal_free(journal);
}
END_TEST

/* A power cut may leave zeros where blocks were still to be written, in more than one record. */
START_TEST(holes)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTOFREE char *whole = NULL;
	TCT_AUTOFREE char *holed = NULL;
	size_t length;
	size_t third;
	size_t fourth;

	(void)journal_apply(journal, "4096", "16384", &journal_host);
	(void)journal_apply(journal, "16384", "32768", &journal_host);
	tct_journal_free(journal);
	whole = scratch_read(JOURNAL_FILE);
	length = strlen(whole);
	fourth = (size_t)((char *)memrchr(whole, '\n', length - 1) - whole) + 1;
	third = (size_t)((char *)memrchr(whole, '\n', fourth - 1) - whole) + 1;
	holed = malloc(length);
	ck_assert_ptr_nonnull(holed);
	for (size_t from = third; from < length; from += 13) {
		for (size_t to = from + 1; to <= length; to += to + 8 < length ? 37 : 1) {
			bool two = from < fourth;

			memcpy(holed, whole, length);
			memset(holed + from, 0, to - from);
			scratch_write_bytes(JOURNAL_FILE, holed, length);
			journal = NULL;
			/* What comes whole after a hole can't be left out. */
			if (to < fourth) {
				ck_assert_int_lt(tct_journal_open(&scratch_root, true, &journal,
								  &journal_err),
						 0);
				ck_assert_uint_eq(journal_err.line, 3);
				continue;
			}
			ck_assert_msg(
				tct_journal_open(&scratch_root, true, &journal, &journal_err) == 0,
				"%zu to %zu: %s", from, to, journal_err.message);
			ck_assert(journal->torn);
			ck_assert_uint_eq(journal->transactions_count, two ? 1 : 2);
			ck_assert_int_eq(journal->good_length, (int64_t)(two ? third : fourth));
			tct_journal_free(journal);
		}
	}
}
END_TEST

/* At most one record can be torn: more bad lines are damage, or no journal of ours. */
START_TEST(garbage)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTOFREE char *whole = NULL;
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	(void)journal_apply(journal, "4096", "16384", &journal_host);
	tct_journal_free(journal);
	whole = scratch_read(JOURNAL_FILE);
	tct_text_add(&text, whole);
	tct_text_add(&text, "no record\nnor this\n");
	scratch_write_bytes(JOURNAL_FILE, text.data, text.length);
	ck_assert_int_lt(tct_journal_open(&scratch_root, true, &journal, &journal_err), 0);
	ck_assert_uint_eq(journal_err.line, 3);
	scratch_write_bytes(JOURNAL_FILE, "a\nb\n", 4);
	ck_assert_int_lt(tct_journal_open(&scratch_root, false, &journal, &journal_err), 0);
	ck_assert_uint_eq(journal_err.line, 1);
}
END_TEST

/* Any byte changed in a record that others follow is an error that names its line. */
START_TEST(damage)
{
	struct tct_journal *journal = journal_reopen(NULL, true);
	TCT_AUTOFREE char *whole = NULL;
	size_t length;
	unsigned line = 1;

	(void)journal_apply(journal, "4096", "16384", &journal_host);
	(void)journal_apply(journal, "16384", "32768", &journal_host);
	tct_journal_free(journal);
	whole = scratch_read(JOURNAL_FILE);
	length = strlen(whole);

	size_t last = (size_t)((char *)memrchr(whole, '\n', length - 1) - whole) + 1;

	for (size_t at = 0; at < length; at++) {
		char kept = whole[at];

		whole[at] ^= 1;
		scratch_write_bytes(JOURNAL_FILE, whole, length);
		journal = NULL;
		/* Without the line end before it, the last record is one with its neighbour. */
		if (at + 1 >= last) {
			ck_assert_int_eq(
				tct_journal_open(&scratch_root, false, &journal, &journal_err), 0);
			ck_assert(journal->torn);
			ck_assert_uint_eq(journal->transactions_count, at >= last ? 2 : 1);
			tct_journal_free(journal);
		} else {
			ck_assert_int_lt(
				tct_journal_open(&scratch_root, false, &journal, &journal_err), 0);
			ck_assert_int_eq(journal_err.fault, TCT_FAULT_INPUT);
			ck_assert_uint_eq(journal_err.line, line);
		}
		whole[at] = kept;
		line += kept == '\n';
	}
}
END_TEST

/* Records whose checksum is right and whose content is not. */
static const char *const hostile[] = {
	"[]",
	"{}",
	"null",
	"{\"record\":\"begin\"}",
	"{\"record\":\"begin\",\"id\":1}",
	"{\"record\":\"begin\",\"id\":1,\"id\":2}",
	"{\"record\":\"end\",\"id\":1,\"state\":\"committed\"}",
	"{\"record\":\"end\",\"id\":-1,\"state\":\"committed\"}",
	"{\"record\":\"end\",\"id\":1e9,\"state\":\"open\"}",
	"{\"record\":\"swap\",\"id\":1}",
	"{\"record\":7,\"id\":1}",
	"{\"record\":\"begin\",\"id\":99999999999999999999}",
	("{\"record\":\"begin\",\"id\":1,\"kind\":\"apply\",\"undoes\":0,\"time_ns\":0,\"boot_id\":"
	 "\"0123456789012345678901234567890123456789012345678901234567890123456789\"}"),
};

static void write_record(const char *json)
{
	struct tct_text line = { 0 };
	char sha256[65];

	tct_file_sha256(json, strlen(json), sha256);
	tct_text_addf(&line, "%s %s\n", sha256, json);
	scratch_write(JOURNAL_FILE, line.data);
	tct_text_done(&line);
}

START_TEST(hostile_records)
{
	struct tct_journal *journal = NULL;

	write_record(hostile[_i]);
	ck_assert_int_lt(tct_journal_open(&scratch_root, false, &journal, &journal_err), 0);
	ck_assert_int_eq(journal_err.fault, TCT_FAULT_INPUT);
	ck_assert_uint_eq(journal_err.line, 1);
	ck_assert_ptr_null(journal);
}
END_TEST

static const char *const hostile_keys[] = {
	"{}",
	"7",
	"{\"key\":\"net.ipv4.no_such_key\"}",
	"{\"key\":\"net.core.somaxconn\"}",
	"{\"key\":\"net.core.somaxconn\",\"before\":\"x\",\"after\":1,\"boot_before\":null,"
	"\"boot_after\":null,\"baseline\":null,\"live_owned\":true}",
	"{\"key\":\"net.core.somaxconn\",\"before\":[1,2],\"after\":1,\"boot_before\":null,"
	"\"boot_after\":null,\"baseline\":null,\"live_owned\":true}",
	"{\"key\":\"net.core.somaxconn\",\"before\":99999999999,\"after\":1,\"boot_before\":null,"
	"\"boot_after\":null,\"baseline\":null,\"live_owned\":true}",
	"{\"key\":\"net.core.somaxconn\",\"before\":null,\"after\":1,\"boot_before\":null,"
	"\"boot_after\":null,\"baseline\":null,\"live_owned\":true}",
	"{\"key\":\"../../etc/passwd\",\"before\":1,\"after\":1,\"boot_before\":null,"
	"\"boot_after\":null,\"baseline\":null,\"live_owned\":true}",
};

START_TEST(hostile_keys_of_a_record)
{
	struct tct_journal *journal = NULL;
	struct tct_text json = { 0 };

	tct_text_addf(
		&json,
		"{\"record\":\"begin\",\"id\":1,\"kind\":\"apply\",\"undoes\":0,\"time_ns\":0,"
		"\"boot_id\":\"\",\"netns\":{\"name\":\"\",\"inode\":0,\"cookie\":0,"
		"\"initial\":true},\"live\":true,\"persisted\":false,"
		"\"drop_in_before_sha256\":\"\",\"drop_in_after_sha256\":\"\",\"keys\":[%s]}",
		hostile_keys[_i]);
	write_record(json.data);
	tct_text_done(&json);
	ck_assert_int_lt(tct_journal_open(&scratch_root, false, &journal, &journal_err), 0);
	ck_assert_int_eq(journal_err.fault, TCT_FAULT_INPUT);
}
END_TEST

/* Whoever follows them from one transaction to the next would never come to an end. */
static const char *const hostile_references[] = {
	"\"undoes\":1",
	"\"undoes\":7",
	"\"undoes\":0,\"confirms\":1",
	"\"undoes\":0,\"carries\":9223372036854775807",
};

START_TEST(hostile_references_of_a_record)
{
	struct tct_journal *journal = NULL;
	struct tct_text json = { 0 };

	tct_text_addf(&json,
		      "{\"record\":\"begin\",\"id\":1,\"kind\":\"rollback\",%s,\"time_ns\":0,"
		      "\"boot_id\":\"\",\"netns\":{\"name\":\"\",\"inode\":0,\"cookie\":0,"
		      "\"initial\":true},\"live\":true,\"persisted\":false,"
		      "\"drop_in_before_sha256\":\"\",\"drop_in_after_sha256\":\"\",\"keys\":[]}",
		      hostile_references[_i]);
	write_record(json.data);
	tct_text_done(&json);
	ck_assert_int_lt(tct_journal_open(&scratch_root, false, &journal, &journal_err), 0);
	ck_assert_int_eq(journal_err.fault, TCT_FAULT_INPUT);
	ck_assert_ptr_nonnull(strstr(journal_err.message, "about a later one"));
}
END_TEST

START_TEST(what_is_no_journal_is_not_opened)
{
	struct tct_journal *journal = NULL;

	ck_assert_int_eq(symlink("/etc/passwd", scratch_path(JOURNAL_FILE)), 0);
	ck_assert_int_lt(tct_journal_open(&scratch_root, false, &journal, &journal_err), 0);
	ck_assert_int_eq(unlink(scratch_path(JOURNAL_FILE)), 0);
	ck_assert_int_eq(mkfifo(scratch_path(JOURNAL_FILE), 0600), 0);
	ck_assert_int_lt(tct_journal_open(&scratch_root, false, &journal, &journal_err), 0);
	ck_assert_int_eq(unlink(scratch_path(JOURNAL_FILE)), 0);
	scratch_write(JOURNAL_FILE, "");
	journal = journal_reopen(NULL, false);
	ck_assert_uint_eq(journal->transactions_count, 0);
	ck_assert(!journal->torn);
	tct_journal_free(journal);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("journal");
	TCase *cases = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, scratch_open, scratch_close);
	tcase_add_test(cases, nothing_is_made_before_the_first_record);
	tcase_add_test(cases, what_is_written_is_read_again);
	tcase_add_test(cases, ends);
	tcase_add_test(cases, what_is_ours);
	tcase_add_test(cases, waits_for_its_confirmation);
	tcase_add_test(cases, waits_in_vain);
	tcase_add_test(cases, torn_ends);
	tcase_add_test(cases, garbage);
	tcase_add_test(cases, damage);
	tcase_add_test(cases, holes);
	tcase_add_loop_test(cases, hostile_records, 0, (int)TCT_COUNT(hostile));
	tcase_add_loop_test(cases, hostile_keys_of_a_record, 0, (int)TCT_COUNT(hostile_keys));
	tcase_add_loop_test(cases, hostile_references_of_a_record, 0,
			    (int)TCT_COUNT(hostile_references));
	tcase_add_test(cases, what_is_no_journal_is_not_opened);
	tcase_set_timeout(cases, 60);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
