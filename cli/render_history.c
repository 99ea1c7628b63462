#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/render.h"
#include "cli/render_table.h"
#include "cli/suggest.h"
#include "core/mem.h"
#include "tune/drop_in.h"
#include "tune/own_file.h"
#include "tune/waiting.h"

const char *tct_transaction_standing(const struct tct_transaction *transaction, char out[64])
{
	char time[TCT_NUMBER_TEXT];
	int length = -1;

	switch (transaction->state) {
	case TCT_TRANSACTION_OPEN:
		length = snprintf(out, 64, "interrupted");
		break;
	case TCT_TRANSACTION_UNDONE:
		length = snprintf(out, 64, "%s, put back",
				  tct_transaction_lapsed(transaction) ? "not confirmed" : "failed");
		break;
	case TCT_TRANSACTION_STUCK:
		length = snprintf(out, 64, "failed, partly stuck");
		break;
	case TCT_TRANSACTION_WAITING:
	case TCT_TRANSACTION_COMMITTED:
		if (transaction->undone_by != 0)
			length = snprintf(out, 64, "undone by %" PRIu64, transaction->undone_by);
		else if (tct_transaction_waits(transaction))
			length = snprintf(out, 64, "waiting until %s",
					  tct_text_time(transaction->deadline_ns, time));
		else
			length = snprintf(out, 64, "%s",
					  transaction->kind == TCT_TRANSACTION_APPLY ? "stands"
										     : "done");
		break;
	}
	if (length < 0)
		out[0] = '\0';
	return out;
}

/* "apply highconn, net.core.somaxconn=8192", "set net.ipv4.tcp_tw_reuse=1". */
static void add_asked(struct tct_text *text, const struct tct_transaction *transaction)
{
	const char *before = transaction->additive ? " " : ", ";
	const char *name;
	json_t *value;

	tct_text_add(text, transaction->additive ? "set" : "apply");
	if (!transaction->additive)
		tct_text_addf(text, " %s",
			      transaction->profiles != NULL ? transaction->profiles : "");
	json_object_foreach(transaction->additive ? transaction->asked : transaction->sets, name,
			    value) {
		tct_text_addf(text, "%s%s=%s", before, name, json_string_value(value));
		before = ", ";
	}
}

/* "apply highconn", "rollback of 3". */
static void add_what(struct tct_text *text, const struct tct_transaction *transaction)
{
	if (transaction->kind == TCT_TRANSACTION_ROLLBACK)
		tct_text_addf(text, "rollback of %" PRIu64, transaction->undoes);
	else if (transaction->kind == TCT_TRANSACTION_CONFIRM)
		tct_text_addf(text, "confirm %" PRIu64, transaction->confirms);
	else
		add_asked(text, transaction);
}

static void add_namespace(struct tct_text *text, const struct tct_netns *netns)
{
	if (netns->initial)
		tct_text_add(text, "initial");
	else if (netns->name[0] != '\0')
		tct_text_add(text, netns->name);
	else
		tct_text_addf(text, "net:[%" PRIu64 "]", netns->inode);
}

/* Do the transactions concern more than one network namespace? */
static bool has_namespaces(const struct tct_journal *journal)
{
	for (size_t i = 1; i < journal->transactions_count; i++) {
		const struct tct_netns *first = &journal->transactions[0].netns;
		const struct tct_netns *other = &journal->transactions[i].netns;

		if (first->initial != other->initial || first->inode != other->inode)
			return true;
	}
	return false;
}

static void add_row(struct tct_table *table, const struct tct_transaction *transaction,
		    bool namespaces)
{
	TCT_AUTO(tct_text_done) struct tct_text what = { 0 };
	char text[64];
	enum tct_style style = TCT_STYLE_PLAIN;

	if (transaction->state == TCT_TRANSACTION_OPEN ||
	    transaction->state == TCT_TRANSACTION_STUCK)
		style = TCT_STYLE_BAD;
	else if (transaction->undone_by != 0 || transaction->state == TCT_TRANSACTION_UNDONE)
		style = TCT_STYLE_DIM;
	tct_table_row(table);
	if (snprintf(text, sizeof(text), "%" PRIu64, transaction->id) < 0)
		text[0] = '\0';
	tct_table_cell(table, style, text);
	tct_table_cell(table, style, tct_text_time(transaction->time_ns, text));
	tct_table_cell(table, style, transaction->user);
	add_what(&what, transaction);
	tct_table_cell(table, style, what.data);
	if (namespaces) {
		TCT_AUTO(tct_text_done) struct tct_text where = { 0 };

		add_namespace(&where, &transaction->netns);
		tct_table_cell(table, style, where.data);
	}
	if (snprintf(text, sizeof(text), "%zu", transaction->keys_count) < 0)
		text[0] = '\0';
	tct_table_cell(table, style, text);
	tct_table_cell(table, style, tct_transaction_standing(transaction, text));
	tct_table_cell(table, style, transaction->reason);
}

void tct_render_interrupted(const struct tct_page *page, const struct tct_options *options,
			    uint64_t id)
{
	TCT_AUTO(tct_text_done) struct tct_text command = { 0 };

	if (id == 0)
		return;
	tct_text_add(&command, "tcptune rollback");
	tct_suggest_place(&command, options);
	tct_page_newline(page);
	tct_page_putf(page, TCT_STYLE_WARN,
		      "Transaction %" PRIu64 " was interrupted; '%s' puts it right.", id,
		      tct_text_string(&command));
	tct_page_newline(page);
}

void tct_render_history(const struct tct_page *page, const struct tct_options *options,
			const struct tct_journal *journal)
{
	static const struct tct_column one[] = {
		{ "ID", true },   { "TIME", false },  { "USER", false },   { "WHAT", false },
		{ "KEYS", true }, { "STATE", false }, { "REASON", false },
	};
	static const struct tct_column several[] = {
		{ "ID", true },         { "TIME", false }, { "USER", false },  { "WHAT", false },
		{ "NAMESPACE", false }, { "KEYS", true },  { "STATE", false }, { "REASON", false },
	};
	bool namespaces = has_namespaces(journal);
	TCT_AUTO(tct_table_free)
	struct tct_table *table = namespaces ? tct_table_new(page, several, TCT_COUNT(several))
					     : tct_table_new(page, one, TCT_COUNT(one));
	const struct tct_transaction *interrupted = tct_journal_interrupted(journal);

	if (journal->transactions_count == 0) {
		tct_page_line(page, 0, NULL, 0, TCT_STYLE_PLAIN, "Nothing has been applied yet.");
		return;
	}
	for (size_t i = journal->transactions_count; i-- > 0;)
		add_row(table, &journal->transactions[i], namespaces);
	tct_table_print(table);
	tct_render_interrupted(page, options, interrupted != NULL ? interrupted->id : 0);
}

static void put_keys(const struct tct_page *page, const struct tct_transaction *transaction)
{
	static const struct tct_column columns[] = {
		{ "KEY", false },         { "LIVE BEFORE", false }, { "LIVE AFTER", false },
		{ "BOOT BEFORE", false }, { "BOOT AFTER", false },
	};
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, columns, TCT_COUNT(columns));

	for (size_t i = 0; i < transaction->keys_count; i++) {
		const struct tct_journal_key *key = &transaction->keys[i];
		TCT_AUTOFREE char *before = tct_value_or(&key->before, "-");
		TCT_AUTOFREE char *after = tct_value_or(&key->after, "-");
		TCT_AUTOFREE char *boot_before = tct_value_or(&key->boot_before, "-");
		TCT_AUTOFREE char *boot_after = tct_value_or(&key->boot_after, "-");

		tct_table_row(table);
		tct_table_cell(table, key->stuck ? TCT_STYLE_BAD : TCT_STYLE_PLAIN, key->key->name);
		tct_table_cell(table, TCT_STYLE_PLAIN, before);
		tct_table_cell(table, TCT_STYLE_PLAIN, after);
		tct_table_cell(table, TCT_STYLE_PLAIN, boot_before);
		tct_table_cell(table, TCT_STYLE_PLAIN, boot_after);
	}
	tct_page_newline(page);
	tct_table_print(table);
}

static void put_field(const struct tct_page *page, const char *label, const char *text)
{
	if (text != NULL && text[0] != '\0')
		tct_page_paragraph(page, 2, label, 12, TCT_STYLE_PLAIN, text);
}

/* An object of texts, a line each. */
static void put_texts(const struct tct_page *page, const char *label, json_t *texts)
{
	const char *name;
	json_t *value;

	json_object_foreach(texts, name, value) {
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		tct_text_addf(&text, "%s = %s", name,
			      json_is_string(value) ? json_string_value(value) : "?");
		put_field(page, label, text.data);
	}
}

static void put_deadline(const struct tct_page *page, const struct tct_transaction *transaction)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char number[TCT_NUMBER_TEXT];

	if (transaction->confirm_within_ns == 0)
		return;
	tct_text_addf(&text, "%s to be confirmed until ",
		      tct_text_nanoseconds(transaction->confirm_within_ns, number));
	tct_text_add(&text, tct_text_time(transaction->deadline_ns, number));
	if (transaction->confirmed_by != 0)
		tct_text_addf(&text, "; confirmed by %" PRIu64, transaction->confirmed_by);
	put_field(page, "deadline", text.data);
}

/* What could not be put back, by name. */
static void put_stuck(const struct tct_page *page, const struct tct_transaction *transaction)
{
	for (size_t i = 0; i < transaction->keys_count; i++) {
		if (transaction->keys[i].stuck)
			put_field(page, "stuck", transaction->keys[i].key->name);
	}
	if (transaction->drop_in_stuck)
		put_field(page, "stuck", TCT_DROP_IN_PATH);
	if (transaction->modules_stuck)
		put_field(page, "stuck", TCT_MODULES_LOAD_PATH);
}

void tct_render_transaction(const struct tct_page *page, const struct tct_transaction *transaction)
{
	TCT_AUTO(tct_text_done) struct tct_text what = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text namespace = { 0 };
	char text[64];

	add_what(&what, transaction);
	tct_page_putf(page, TCT_STYLE_STRONG, "Transaction %" PRIu64 ": %s", transaction->id,
		      tct_text_string(&what));
	tct_page_newline(page);
	put_field(page, "state", tct_transaction_standing(transaction, text));
	put_field(page, "time", tct_text_time(transaction->time_ns, text));
	put_deadline(page, transaction);
	put_field(page, "user", transaction->user);
	put_field(page, "reason", transaction->reason);
	if (transaction->netns.initial)
		tct_text_add(&namespace, "initial");
	else
		tct_text_addf(&namespace, "%s net:[%" PRIu64 "]", transaction->netns.name,
			      transaction->netns.inode);
	put_field(page, "namespace", namespace.data);
	put_field(page, "profile", transaction->profile_sha256);
	put_texts(page, "variable", transaction->variables);
	put_texts(page, "set", transaction->sets);
	put_field(page, "modules", transaction->modules_after);
	put_field(page, "version", transaction->version);
	put_field(page, "boot", transaction->boot_id);
	put_field(page, "error", transaction->error);
	put_stuck(page, transaction);
	put_keys(page, transaction);
}
