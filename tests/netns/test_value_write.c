/*
 * tct_value_from_write() against the running kernel: texts as they stand in people's files are
 * written to every key of a fresh network namespace, and what happens must be what was foretold.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tests/netns/fresh.h"

static const char *const texts[] = {
	"5000 # note",
	"5000 #TIME-WAIT Socket \xe6\x9c\x80\xe5\xa4\xa7\xe6\x95\xb0\xe9\x87\x8f",
	"1 #x",
	"1#x",
	"1 ; x",
	"#x",
	"# 5",
	"0200",
	"0x200",
	"0X1f",
	"0x",
	"0xg",
	"08",
	"010",
	"+5",
	"5.5",
	"1e3",
	"",
	" ",
	"\t",
	"\n",
	"\n\n",
	"512 777",
	"512\t777",
	"512\n777",
	"4096 131072",
	"4096 131072 x",
	"4096 131072 6291456",
	"4096\t131072\t6291456",
	"4096 131072 6291456 # x",
	"4096 131072 6291456#x",
	"4096 131072#",
	"4096 0 6291456",
	"0 0 0",
	"4096 2147483648 6291456",
	"9 8 7 6",
	"9 8 7 ",
	"9,8,7",
	"\"1\"",
	"'1'",
	"\"4096 87380 6291456\"",
	"1 \"2\"",
	"-1",
	"-5",
	"-0",
	"-",
	"--1",
	"- 1",
	"-0x10",
	"-2147483648",
	"-2147483649",
	"-4294967295",
	"-4294967296",
	"-9223372036854775808",
	"2147483647",
	"2147483648",
	"4294967295",
	"4294967296",
	"4294967297",
	"9223372036854775807",
	"9223372036854775808",
	"18446744073709551615",
	"18446744073709551616",
	"99999999999999999999",
	"00000000000000000005",
	"000000000000000000005",
	"-0000000000000000005",
	"-00000000000000000005",
	"12345678901234567890 1",
	"2147483",
	"2147484",
	"-2147484",
	"21474836",
	"21474837",
	"0",
	"1",
	"2",
	"255",
	"256",
	"65535",
	"65536",
	"1024 65535 # ports",
	"1024 # ports",
	"1024 65535 1",
	"1024 65535",
	"1000 2000",
	"60000 50000",
	"40000",
	"70000",
	"0 5",
	"x 1024",
	"1024 x",
	"50000 60000 x",
	"1,2-4",
	"1,2,3",
	"80, 90",
	"80 ,90",
	"80 90",
	"80,90",
	" 80",
	"80 ",
	"80-90-100",
	"80--90",
	"80,-90",
	"-5,",
	"90-80",
	"80,,90",
	",80",
	"80,",
	"80-",
	"80-90,",
	"80\n90",
	"80,\n90",
	"\n\n80",
	"80-90\n,",
	"1-65535",
	"0-65536",
	"080",
	"0x50-0x60",
	"1 -",
	"1-2-",
	"5;6",
	"512abc",
	"1\r",
	"\r1",
	"1\v",
	"\v1",
	"1 \f2",
	"\xa0"
	"5",
	"5\xa0",
	"\xc2\xa0"
	"5",
	"reno",
	"cubic",
	"bbr",
	"bbr # faster",
	"reno # note",
	"reno ",
	" reno",
	"reno\nx",
	"reno\n\n",
	"\"reno\"",
	"no_such_cc",
	"a_name_that_is_longer",
	"reno bbr",
	"yes",
	"on",
	"0x00000001-2-3-4",
	"1-2-3-4",
	"1-2-3-4,5-6-7-8",
	"1-2-3-4,x",
	"1-2-3",
	"1-2-3-4 # key",
	" 1- 2-3-4",
	"g-1-2-3",
	"1 -2-3-4",
};

/* Is the word in the list that the file shows? */
static bool is_listed(const struct fresh *fresh, const char *path, const char *word)
{
	TCT_AUTOFREE char *list = NULL;
	size_t length = strlen(word);

	if (tct_root_read(&fresh->root, path, 65536, &list, NULL) < 0)
		abort();
	for (const char *at = list; (at = strstr(at, word)) != NULL; at++) {
		if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\n'))
			return true;
	}
	return false;
}

static int64_t live_number(struct fresh *fresh, const char *name, unsigned field)
{
	struct tct_value value;

	if (fresh_read(fresh, tct_kernel_key_find(name), &value) < 0)
		abort();

	int64_t number = value.numbers[field];

	tct_value_done(&value);
	return number;
}

/* Foretold as stored: what else, outside the text, the kernel looks at. Returns the errno it gives.
 */
static int other_refusal(struct fresh *fresh, const struct tct_kernel_key *key,
			 const struct tct_value *stored)
{
	static const char folder[] = "/proc/sys/net/ipv4/";
	char path[128];
	const char *name = key->name;
	int64_t number = stored->numbers[0];

	if (strcmp(name, "net.ipv4.ip_local_port_range") == 0)
		return number > stored->numbers[1] ||
				       number < live_number(fresh,
							    "net.ipv4.ip_unprivileged_port_start",
							    0)
			       ? EINVAL
			       : 0;
	if (strcmp(name, "net.ipv4.ip_unprivileged_port_start") == 0)
		return number > live_number(fresh, "net.ipv4.ip_local_port_range", 0) ? EINVAL : 0;
	if (strcmp(name, "net.ipv4.tcp_reordering") == 0)
		return number > live_number(fresh, "net.ipv4.tcp_max_reordering", 0) ? EINVAL : 0;
	if (key->handler == TCT_HANDLER_SECONDS)
		return number > fresh->seconds_max || number < -fresh->seconds_max ? EINVAL : 0;
	if (key->handler != TCT_HANDLER_WORD)
		return 0;
	if (snprintf(path, sizeof(path), "%stcp_available_congestion_control", folder) < 0)
		abort();
	if (!is_listed(fresh, path, stored->text))
		return ENOENT;
	if (snprintf(path, sizeof(path), "%stcp_allowed_congestion_control", folder) < 0)
		abort();
	return is_listed(fresh, path, stored->text) ? 0 : EPERM;
}

/* The value that the key must have after the write: `before` with what is foretold laid over it. */
static void lay_over(const struct tct_value *foretold, const struct tct_value *before,
		     struct tct_value *after)
{
	if (foretold->kind == TCT_VALUE_NUMBERS) {
		*after = *before;
		for (unsigned i = 0; i < foretold->count; i++)
			after->numbers[i] = foretold->numbers[i];
	} else {
		*after = *foretold;
	}
}

static void compare(struct fresh *fresh, const struct tct_kernel_key *key, const char *text,
		    const struct tct_value *before)
{
	static const char *const outcomes[] = { "taken",        "rest ignored", "partial",
						"half refused", "refused",      "read only" };
	enum tct_write_outcome outcome;
	struct tct_value foretold;
	struct tct_value after = *before;
	struct tct_value found = { 0 };
	char reason[160];
	int expected = 0;
	bool secret = key->handler == TCT_HANDLER_SECRET;

	if (tct_value_from_write(key, text, &outcome, &foretold, reason) < 0)
		abort();
	if (outcome == TCT_WRITE_REFUSED) {
		expected = key->handler == TCT_HANDLER_WORD ? ENOENT : EINVAL;
	} else {
		lay_over(&foretold, before, &after);
		expected = secret ? 0 : other_refusal(fresh, key, &after);
		if (expected != 0)
			after = *before;
		else if (outcome == TCT_WRITE_HALF_REFUSED)
			expected = EINVAL;
	}

	int got = -fresh_write(fresh, key, text);

	fresh_check(fresh, got == expected, true,
		    "%s: '%s' was foretold as %s (%s): error %d, not %d", key->name, text,
		    outcomes[outcome], reason, got, expected);
	fresh_check(fresh, reason[0] != '\0' || outcome == TCT_WRITE_TAKEN, false,
		    "%s: '%s': no reason is given", key->name, text);
	if (!secret && fresh_read(fresh, key, &found) == 0) {
		TCT_AUTOFREE char *wanted_text = tct_value_text(&after);
		TCT_AUTOFREE char *found_text = tct_value_text(&found);

		fresh_check(fresh, tct_value_stored_as(key, &after, &found), true,
			    "%s: '%s' was foretold as %s: it is '%s', not '%s'", key->name, text,
			    outcomes[outcome], found_text, wanted_text);
		tct_value_done(&found);
	}
	tct_value_done(&foretold);
}

/* One text on one key, from the value that the key had when it was new. */
static void try_text(struct fresh *fresh, const struct tct_kernel_key *key, const char *text,
		     const char *start)
{
	struct tct_value before = { 0 };

	if (key->handler != TCT_HANDLER_SECRET) {
		fresh_check(fresh, fresh_write(fresh, key, start) == 0, false,
			    "%s: can't be put back", key->name);
		if (fresh_read(fresh, key, &before) < 0)
			return;
	}
	compare(fresh, key, text, &before);
	tct_value_done(&before);
}

static void try_key(struct fresh *fresh, const struct tct_kernel_key *key)
{
	struct tct_value first = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text start = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (key->handler != TCT_HANDLER_SECRET && fresh_read(fresh, key, &first) < 0)
		return;

	TCT_AUTOFREE char *first_text = tct_value_text(&first);

	/* With a line break, for it clears the list of ports where "" does nothing. */
	tct_text_addf(&start, "%s\n", first_text);
	for (size_t i = 0; i < TCT_COUNT(texts); i++) {
		/* sysctl(8) ends the line; by itself an empty write does nothing at all. */
		if (texts[i][0] != '\0')
			try_text(fresh, key, texts[i], start.data);
		tct_text_clear(&text);
		tct_text_addf(&text, "%s\n", texts[i]);
		try_text(fresh, key, text.data, start.data);
	}
	/* Longer than a page: before the number, behind it, and in the middle of a list. */
	for (unsigned blanks = 4093; blanks <= 4097; blanks++) {
		tct_text_clear(&text);
		tct_text_addf(&text, "%*s12", (int)blanks, "");
		try_text(fresh, key, text.data, start.data);
		tct_text_clear(&text);
		tct_text_addf(&text, "12%*sx", (int)blanks, "");
		try_text(fresh, key, text.data, start.data);
	}
	for (unsigned odd = 0; odd < 8; odd++) {
		tct_text_clear(&text);
		tct_text_addf(&text, "%.*s", (int)odd, "1,2-3,44");
		for (unsigned port = 10; port < 2500; port += 2)
			tct_text_addf(&text, ",%u-%u", port, port + 1);
		try_text(fresh, key, text.data, start.data);
		/* What the page cuts off may be a mere separator, or nonsense that is never looked
		 * at. */
		for (const char *last = "-x,"; *last != '\0'; last++) {
			char kept = text.data[4094];

			text.data[4094] = *last;
			try_text(fresh, key, text.data, start.data);
			text.data[4094] = kept;
		}
		for (unsigned length = 4090; length < 4100; length++) {
			char kept = text.data[length];

			text.data[length] = '\0';
			try_text(fresh, key, text.data, start.data);
			text.data[length] = kept;
		}
	}
	fresh_check(fresh,
		    key->handler == TCT_HANDLER_SECRET || fresh_write(fresh, key, start.data) == 0,
		    false, "%s: can't be put back", key->name);
	tct_value_done(&first);
}

int main(void)
{
	struct fresh fresh;
	unsigned keys = 0;

	fresh_enter(&fresh);
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		if (!fresh_writable(&fresh, &tct_kernel_keys[i]))
			continue;
		try_key(&fresh, &tct_kernel_keys[i]);
		keys++;
	}
	fresh_check(&fresh, keys >= 60, true, "only %u keys can be written here", keys);
	return fresh_done(&fresh);
}
