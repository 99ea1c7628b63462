#include "tune/drop_in.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/file_io.h"

void tct_drop_in_sanitise(const char *text, char *out, size_t out_size)
{
	size_t used = 0;
	bool blank = false;

	while (*text != '\0' && out_size > 0) {
		unsigned char c = (unsigned char)*text;
		size_t length = 1;

		if (c == ' ' || (c >= '\t' && c <= '\r')) {
			blank = used > 0;
			text++;
			continue;
		}
		if (c >= 0x80) {
			size_t left = strnlen(text, 4);

			for (length = 2; length <= left && !tct_text_is_utf8(text, length);
			     length++)
				;
			if (length > left)
				length = 1;
		}
		if (used + (blank ? 1 : 0) + length >= out_size)
			break;
		if (blank)
			out[used++] = ' ';
		blank = false;
		if (length > 1) {
			/* U+0080 to U+009F control terminals, too. */
			bool control = length == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0;

			if (control) {
				out[used++] = '?';
			} else {
				memcpy(out + used, text, length);
				used += length;
			}
		} else {
			bool printable = c >= 0x20 && c < 0x7f;

			out[used++] = (char)(printable ? *text : '?');
		}
		text += length;
	}
	if (out_size > 0)
		out[used] = '\0';
}

#define WRITTEN_BY "# Written by tcptune."

static void add_comment(struct tct_text *text, const char *label, const char *comment)
{
	char clean[512];

	tct_drop_in_sanitise(comment, clean, sizeof(clean));
	if (clean[0] != '\0')
		tct_text_addf(text, "# %s%s\n", label, clean);
}

char *tct_drop_in_render(const struct tct_drop_in_head *head, const struct tct_drop_in_line *lines,
			 size_t count)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	tct_text_add(&text, WRITTEN_BY " Don't edit: `tcptune apply` writes it anew,\n"
				       "# `tcptune rollback` takes it back.\n");
	if (head->profiles != NULL)
		add_comment(&text, "Profile: ", head->profiles);
	if (head->reason != NULL)
		add_comment(&text, "Reason: ", head->reason);
	tct_text_addf(&text, "# Transaction: %" PRIu64 "\n", head->transaction);
	for (size_t i = 0; i < count; i++) {
		TCT_AUTOFREE char *value = tct_value_text(lines[i].value);

		if (value == NULL)
			return NULL;
		tct_text_add(&text, "\n");
		if (lines[i].because != NULL)
			add_comment(&text, "", lines[i].because);
		tct_text_addf(&text, "%s = %s\n", lines[i].key->name, value);
	}
	return tct_text_take(&text);
}

static struct tct_drop_in_head head_of(const struct tct_transaction *transaction)
{
	return (struct tct_drop_in_head){
		.profiles = transaction->profiles,
		.reason = transaction->reason,
		.transaction = transaction->id,
	};
}

/*
 * The order in which they were written: it had been chosen by what other files make of the boot.
 * The checksum tells which it was; if these aren't those lines, it is the usual one. 0 or -ENOMEM.
 */
static int order_as_written(const struct tct_transaction *written, struct tct_drop_in_line *lines,
			    size_t count)
{
	const struct tct_drop_in_head head = head_of(written);
	unsigned pairs = tct_drop_in_order(lines, count, 0);

	for (unsigned turned = 0; pairs > 0 && turned < 1U << pairs; turned++) {
		TCT_AUTOFREE char *text = NULL;
		char sha256[65];

		(void)tct_drop_in_order(lines, count, turned);
		text = tct_drop_in_render(&head, lines, count);
		if (text == NULL)
			return -ENOMEM;
		tct_drop_in_sha256(text, sha256);
		if (strcmp(sha256, written->drop_in_after_sha256) == 0)
			return 0;
	}
	(void)tct_drop_in_order(lines, count, 0);
	return 0;
}

int tct_drop_in_render_owned(const struct tct_owned_set *owned, char **text)
{
	TCT_AUTOFREE struct tct_drop_in_line *lines = NULL;
	size_t count = 0;

	*text = NULL;
	if (owned->items_count == 0)
		return 0;
	lines = calloc(owned->items_count, sizeof(*lines));
	if (lines == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < owned->items_count; i++) {
		const struct tct_owned *item = &owned->items[i];

		if (item->boot)
			lines[count++] = (struct tct_drop_in_line){
				.key = item->key,
				.value = &item->boot_value,
				.because = item->because,
			};
	}
	if (count == 0 || owned->drop_in == NULL)
		return 0;
	if (order_as_written(owned->written, lines, count) < 0)
		return -ENOMEM;

	const struct tct_drop_in_head head = head_of(owned->drop_in);

	*text = tct_drop_in_render(&head, lines, count);
	return *text != NULL ? 0 : -ENOMEM;
}

/* One line that isn't a comment, cut in place. */
static int parse_line(struct tct_drop_in *drop_in, char *line, unsigned number)
{
	char *equals = strchr(line, '=');
	const struct tct_kernel_key *key = NULL;
	struct tct_value value = { 0 };

	if (equals != NULL) {
		*equals = '\0';
		key = tct_kernel_key_find(tct_text_trim(line));
	}
	if (key == NULL) {
		drop_in->strange_line = number;
		return 0;
	}

	int result = tct_value_parse(key, tct_text_trim(equals + 1), &value, NULL);

	if (result == -ENOMEM)
		return result;
	for (size_t i = 0; i < drop_in->values_count; i++) {
		if (drop_in->values[i].key == key)
			result = -EINVAL;
	}
	if (result < 0) {
		tct_value_done(&value);
		drop_in->strange_line = number;
		return 0;
	}

	struct tct_drop_in_value *item = TCT_APPEND(drop_in, values);

	if (item == NULL) {
		tct_value_done(&value);
		return -ENOMEM;
	}
	*item = (struct tct_drop_in_value){ .key = key, .value = value, .line = number };
	return 0;
}

int tct_drop_in_parse(const char *text, struct tct_drop_in *drop_in)
{
	TCT_AUTOFREE char *copy = NULL;
	unsigned number = 0;

	if (text == NULL)
		return 0;
	copy = tct_text_copy(text, strlen(text));
	if (copy == NULL)
		return -ENOMEM;
	for (char *rest = copy; rest != NULL;) {
		char *line = tct_text_trim(strsep(&rest, "\n"));

		number++;
		if (*line == '\0' || *line == '#')
			continue;

		int result = parse_line(drop_in, line, number);

		if (result < 0) {
			tct_drop_in_done(drop_in);
			return result;
		}
	}
	return 0;
}

void tct_drop_in_done(struct tct_drop_in *drop_in)
{
	for (size_t i = 0; i < drop_in->values_count; i++)
		tct_value_done(&drop_in->values[i].value);
	free(drop_in->values);
	*drop_in = (struct tct_drop_in){ 0 };
}

const struct tct_value *tct_drop_in_find(const struct tct_drop_in *drop_in,
					 const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < drop_in->values_count; i++) {
		if (drop_in->values[i].key == key)
			return &drop_in->values[i].value;
	}
	return NULL;
}

static bool has(const struct tct_drop_in *drop_in, const struct tct_kernel_key *key,
		const struct tct_value *value)
{
	const struct tct_value *found = tct_drop_in_find(drop_in, key);

	return found != NULL && tct_value_equal(found, value);
}

bool tct_drop_in_equals(const struct tct_drop_in *drop_in, const struct tct_drop_in_line *lines,
			size_t count)
{
	if (drop_in->strange_line != 0 || drop_in->values_count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!has(drop_in, lines[i].key, lines[i].value))
			return false;
	}
	return true;
}

bool tct_drop_in_equals_owned(const struct tct_drop_in *drop_in, const struct tct_owned_set *owned)
{
	size_t count = 0;

	if (drop_in->strange_line != 0)
		return false;
	for (size_t i = 0; i < owned->items_count; i++) {
		if (!owned->items[i].boot)
			continue;
		count++;
		if (!has(drop_in, owned->items[i].key, &owned->items[i].boot_value))
			return false;
	}
	return count == drop_in->values_count;
}

bool tct_drop_in_is_orphan(const char *text, const struct tct_journal *journal)
{
	if (text == NULL || strncmp(text, WRITTEN_BY, strlen(WRITTEN_BY)) != 0)
		return false;
	for (size_t i = 0; i < journal->transactions_count; i++) {
		if (journal->transactions[i].persisted)
			return false;
	}
	return true;
}

bool tct_drop_in_left_orphan(const struct tct_root *root, const struct tct_journal *journal)
{
	TCT_AUTOFREE char *text = NULL;
	struct tct_err ignored = { 0 };

	return tct_drop_in_read(root, &text, &ignored) == 0 && tct_drop_in_is_orphan(text, journal);
}

const char *tct_drop_in_orphan_text(const char *prefix, char out[TCT_ORPHAN_TEXT])
{
	if (snprintf(out, TCT_ORPHAN_TEXT,
		     "tcptune wrote %s" TCT_DROP_IN_PATH ", but its journal %s" TCT_JOURNAL_PATH
		     " doesn't know of it (lost?), so it can't be rolled back: bring the journal "
		     "back, or remove that file and apply again",
		     prefix, prefix) < 0)
		out[0] = '\0';
	return out;
}

int tct_drop_in_read(const struct tct_root *root, char **text, struct tct_err *err)
{
	return tct_own_file_read(root, &tct_own_drop_in, text, err);
}

void tct_drop_in_sha256(const char *text, char out[65])
{
	tct_own_file_sha256(text, out);
}
