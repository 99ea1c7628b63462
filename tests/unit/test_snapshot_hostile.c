/* Snapshots that somebody else wrote: one clear line, never a crash, bounded memory. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/report.h"
#include "core/mem.h"
#include "core/text.h"
#include "tests/unit/full_observation.h"
#include "tests/unit/scratch.h"

static void drop_json(json_t *const *json)
{
	json_decref(*json);
}

static int take(const char *text, size_t length, struct tct_snapshot *snapshot, struct tct_err *err)
{
	TCT_AUTO(drop_json) json_t *document = NULL;
	int result = tct_document_parse("f.json", text, length, &document, err);

	return result < 0 ? result : tct_snapshot_from_json("f.json", document, snapshot, err);
}

/* The message, as the command line prints it; "" if the text is a snapshot. */
static const char *refusal(const char *text, size_t length)
{
	static char message[1024];
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot snapshot = { 0 };
	struct tct_err err = { 0 };

	if (take(text, length, &snapshot, &err) == 0)
		return "";
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	return tct_err_text(&err, message, sizeof(message));
}

static json_t *full_document(void)
{
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot saved = snapshot_of(full_observation());
	json_t *document = tct_snapshot_json(&saved);

	ck_assert_ptr_nonnull(document);
	return document;
}

/* One name of a path. Names of keys and counters have dots, which a path writes as ':'. */
static void take_name(const char *path, size_t length, char name[80])
{
	(void)snprintf(name, 80, "%.*s", (int)length, path);
	for (char *c = name; *c != '\0'; c++)
		*c = *c == ':' ? '.' : *c;
}

/* Follow "observations.0.host.cpus"; the last name is left in *name. */
static json_t *find(json_t *json, const char *path, char name[80])
{
	for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
		take_name(path, (size_t)(dot - path), name);
		json = json_is_array(json) ? json_array_get(json, strtoul(name, NULL, 10))
					   : json_object_get(json, name);
		ck_assert_msg(json != NULL, "there is no %s", name);
	}
	take_name(path, strlen(path), name);
	return json;
}

static void keep_some(json_t *object)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(object, next, name, value) {
		if (json_object_size(object) > 3)
			json_object_del(object, name);
	}
}

/* Every proper prefix of a document without a blank is refused. */
START_TEST(no_prefix_is_a_snapshot)
{
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot saved = snapshot_of(tct_observation_new());
	TCT_AUTO(drop_json) json_t *document = tct_snapshot_json(&saved);
	TCT_AUTOFREE char *text = NULL;
	char name[80];
	size_t length;

	/* A few of many alike are enough. */
	keep_some(find(document, "observations.0.sysctls.x", name));
	keep_some(find(document, "observations.0.counters.x", name));
	text = json_dumps(document, JSON_COMPACT);
	ck_assert_ptr_nonnull(text);
	length = strlen(text);
	ck_assert_str_eq(refusal(text, length), "");
	for (size_t i = 0; i < length; i++) {
		const char *message = refusal(text, i);

		ck_assert_msg(strncmp(message, "f.json:", 7) == 0, "%zu bytes: %s", i, message);
	}
}
END_TEST

START_TEST(what_is_no_document)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "", "f.json: it is empty" },
		{ "[]",
		  "f.json: this is no snapshot: there is no \"schema\": \"tcptune.snapshot.v1\"" },
		{ "{}",
		  "f.json: this is no snapshot: there is no \"schema\": \"tcptune.snapshot.v1\"" },
		{ "{\"schema\": 1}",
		  "f.json: this is no snapshot: there is no \"schema\": \"tcptune.snapshot.v1\"" },
		{ "{\"schema\": \"tcptune.snapshot.v2\"}",
		  "f.json: its schema is tcptune.snapshot.v2: this tcptune reads tcptune.snapshot.v1" },
		{ "{\"schema\": \"tcptune.snapshot.v1x\"}",
		  "f.json: its schema is tcptune.snapshot.v1x: this tcptune reads tcptune.snapshot.v1" },
		{ "{\"schema\": \"tcptune.audit.v1\"}",
		  "f.json: its schema is tcptune.audit.v1: this is no snapshot" },
		{ "{\"schema\": \"\\u001b[2J\"}",
		  "f.json: its schema is ?[2J: this is no snapshot" },
		{ "{\"schema\": \"tcptune.snapshot.v1\"}", "f.json: tcptune: it is missing" },
		{ "{\"schema\": \"tcptune.snapshot.v1\", \"tcptune\": 1}",
		  "f.json: tcptune: a text is needed" },
		{ "{\"schema\": \"tcptune.snapshot.v1\", \"tcptune\": \"1\"}",
		  "f.json: variables: a text is needed" },
		{ "{\"schema\": \"tcptune.snapshot.v1\", \"tcptune\": \"1\", \"variables\": null}",
		  "f.json: observations: it is missing" },
		{ "{\"schema\": \"tcptune.snapshot.v1\", \"tcptune\": \"1\", \"variables\": null, "
		  "\"observations\": []}",
		  "f.json: observations: there is none" },
		{ "{\"schema\": \"tcptune.snapshot.v1\", \"tcptune\": \"1\", \"variables\": null, "
		  "\"observations\": [{}, 1]}",
		  "f.json: observations[0].host: it is missing" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++)
		ck_assert_str_eq(refusal(cases[i].text, strlen(cases[i].text)), cases[i].message);
}
END_TEST

/* The words are jansson's, and differ a little by its version. */
START_TEST(what_is_no_json)
{
	static const struct {
		const char *text;
		const char *place;
		const char *words;
	} cases[] = {
		{ "hello", "f.json:1:", "expected near 'hello'" },
		{ "{\"a\": 1,\n\"a\": 2}", "f.json:2:", "duplicate object key" },
		{ "{\"a\": \"\\u0000\"}", "f.json:1:", "\\u0000 is not allowed" },
		{ "{\"a\": \"\\ud800\"}", "f.json:1:", "invalid Unicode" },
		{ "{\"a\": \"\xff\"}", "f.json:1:", "unable to decode byte 0xff" },
		{ "{\"a\": \"\x1b[2J\"}", "f.json:1:", "control character 0x1b" },
		{ "{\"a\": 99999999999999999999}", "f.json:1:", "too big integer" },
		{ "{\"a\": 1e999}", "f.json:1:", "real number overflow" },
		{ "{} {}", "f.json:1:", "end of file expected" },
		{ "{\"a\":\n\n  tru}", "f.json:3:", "invalid token near 'tru'" },
		{ "\xef\xbb\xbf{}", "f.json:1:", "expected" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		const char *message = refusal(cases[i].text, strlen(cases[i].text));

		ck_assert_msg(strncmp(message, cases[i].place, strlen(cases[i].place)) == 0 &&
				      strstr(message, cases[i].words) != NULL &&
				      strchr(message, '\x1b') == NULL,
			      "%s", message);
	}
}
END_TEST

/* A text of count times `part`. */
static char *many(const char *part, size_t count, size_t *length)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	for (size_t i = 0; i < count; i++)
		tct_text_add(&text, part);
	*length = text.length;
	return tct_text_take(&text);
}

START_TEST(what_would_take_too_much)
{
	size_t length;
	TCT_AUTOFREE char *deep = many("[", 100000, &length);

	ck_assert_ptr_nonnull(strstr(refusal(deep, length), "maximum parsing depth reached"));

	/* Small in the file, large in memory. */
	TCT_AUTOFREE char *wide = many("{},", 3000000, &length);

	wide[0] = '[';
	ck_assert_str_eq(refusal(wide, length), "f.json: it holds too many values");

	/* What stands in a text counts for nothing. */
	TCT_AUTOFREE char *quoted = many("\\\"{},", 3000000, &length);

	quoted[0] = '"';
	ck_assert_ptr_nonnull(strstr(refusal(quoted, length), "expected near"));
}
END_TEST

/* The refusal when the member at `path` of a whole snapshot is `value` (JSON), or gone (NULL). */
static const char *refusal_with(const char *path, const char *value)
{
	TCT_AUTO(drop_json) json_t *document = full_document();
	TCT_AUTOFREE char *text = NULL;
	char name[80];
	json_t *object = find(document, path, name);

	if (value == NULL) {
		ck_assert_int_eq(json_object_del(object, name), 0);
	} else {
		json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);

		ck_assert_ptr_nonnull(json);
		ck_assert_int_eq(json_is_array(object)
					 ? json_array_set_new(object, strtoul(name, NULL, 10), json)
					 : json_object_set_new(object, name, json),
				 0);
	}
	text = json_dumps(document, JSON_COMPACT);
	return refusal(text, strlen(text));
}

#define O "observations.0."
#define F "f.json: observations[0]."

START_TEST(what_is_no_observation)
{
	static const struct {
		const char *path;
		const char *value;
		const char *message;
	} cases[] = {
		{ O "host", "[]", F "host: an object is needed" },
		{ O "host.hostname", "7", F "host.hostname: a text is needed" },
		{ O "host.hostname", NULL, F "host.hostname: it is missing" },
		{ O "host.hostname", "{\"hex\": \"6\"}",
		  F "host.hostname: these are no bytes in hexadecimal" },
		{ O "host.hostname", "{\"hex\": \"00\"}",
		  F "host.hostname: these are no bytes in hexadecimal" },
		{ O "host.hostname", "{\"hex\": 1}", F "host.hostname: a text is needed" },
		{ O "host.cpus", "-2",
		  F "host.cpus: a whole number from -1 to 2147483647 is needed" },
		{ O "host.cpus", "1.5",
		  F "host.cpus: a whole number from -1 to 2147483647 is needed" },
		{ O "host.snapshot_of", "\"snapshot\"",
		  F "host.snapshot_of: 'snapshot' is not known here" },
		{ O "host.kernel_assumed", "0", F "host.kernel_assumed: true or false is needed" },
		{ O "host.netns.inode", "-1",
		  F "host.netns.inode: a whole number from 0 to 18446744073709551615 is needed" },
		{ O "host.netns.inode", "\"18446744073709551616\"",
		  F "host.netns.inode: a whole number from 0 to 18446744073709551615 is needed" },
		{ O "listeners", "{}", F "listeners: a list is needed" },
		{ O "listeners.1.port", "65536",
		  F "listeners[1].port: a whole number from 0 to 65535 is needed" },
		{ O "listeners.0.family", "\"unix\"",
		  F "listeners[0].family: 'unix' is not known here" },
		{ O "listeners.0.drops", "-2",
		  F "listeners[0].drops: a whole number from -1 to 9007199254740992 is needed" },
		{ O "listeners.0.owner.comm", "\"0123456789012345678901234567890123456789\"",
		  F "listeners[0].owner.comm: longer than 31 bytes" },
		{ O "listeners.0.owner", NULL, F "listeners[0].owner: it is missing" },
		{ O "owners.0.populations.remote", NULL,
		  F "owners[0].populations.remote: it is missing" },
		{ O "populations.remote.idle_at_least", "[]",
		  F "populations.remote.idle_at_least: an object of counts is needed" },
		{ O "populations.remote.idle_at_least.0", "-1",
		  F
		  "populations.remote.idle_at_least: a whole number from 0 to 9007199254740992 is "
		  "needed" },
		{ O "states.counts.LISTEN", "-1",
		  F "states.counts.LISTEN: a whole number from 0 to 9007199254740992 is needed" },
		{ O "states.counts.LISTEN", NULL, F "states.counts.LISTEN: it is missing" },
		{ O "outgoing.destinations", NULL, F "outgoing.destinations: it is missing" },
		{ O "populations.unanswered", "[]",
		  F "populations.unanswered: an object is needed" },
		{ O "populations.fin_unanswered.total", "-1",
		  F
		  "populations.fin_unanswered.total: a whole number from 0 to 9007199254740992 is "
		  "needed" },
		{ O "populations.zero_window.presence", NULL,
		  F "populations.zero_window.presence: it is missing" },
		{ O "owners.0.busy_ns", "-2",
		  F "owners[0].busy_ns: a whole number from -1 to 4611686018427387904 is needed" },
		{ O "owners.0.close_wait_first", "\"9\"",
		  F "owners[0].close_wait_first: a whole number from -1 to 9007199254740992 is "
		    "needed" },
		{ O "listeners.0.syn_recv_resent", "1.5",
		  F "listeners[0].syn_recv_resent: a whole number from -1 to 9007199254740992 is "
		    "needed" },
		{ O "outgoing.destinations.0.syn_sent", "9007199254740993",
		  F "outgoing.destinations[0].syn_sent: a whole number from -1 to 9007199254740992 "
		    "is needed" },
		{ O "outgoing.distinct", "{}",
		  F "outgoing.distinct: a whole number from -1 to 9007199254740992 is needed" },
		{ O "peers", "{}", F "peers: a list is needed" },
		{ O "peers.1", "null", F "peers[1]: an object is needed" },
		{ O "peers.0.address", NULL, F "peers[0].address: it is missing" },
		{ O "peers.0.unguarded.total", "-1",
		  F
		  "peers[0].unguarded.total: a whole number from 0 to 9007199254740992 is needed" },
		{ O "peers_presence", "\"perhaps\"",
		  F "peers_presence: 'perhaps' is not known here" },
		{ O "interfaces", "1", F "interfaces: a list is needed" },
		{ O "interfaces.0.name", "\"0123456789abcdef\"",
		  F "interfaces[0].name: longer than 15 bytes" },
		{ O "interfaces.1.rx_errors", "-2",
		  F "interfaces[1].rx_errors: a whole number from -1 to 9223372036854775807 is "
		    "needed" },
		{ O "interfaces.0.mtu_bytes", NULL, F "interfaces[0].mtu_bytes: it is missing" },
		{ O "interval_ns", "-1",
		  F "interval_ns: a whole number from 0 to 4611686018427387904 is needed" },
		{ O "sysctls.net:ipv4:tcp_rmem",
		  "{\"presence\": \"present\", \"error\": 0, \"writable\": true, \"value\": [1, 2]}",
		  F "sysctls.net.ipv4.tcp_rmem.value: 3 numbers are needed, here are 2" },
		{ O "sysctls.net:core:somaxconn",
		  "{\"presence\": \"present\", \"error\": 0, \"writable\": true, \"value\": -1}",
		  F
		  "sysctls.net.core.somaxconn.value: a number is outside what the kernel takes, 0 to "
		  "2147483647" },
		{ O "sysctls.net:core:somaxconn",
		  "{\"presence\": \"present\", \"error\": 0, \"writable\": true, \"value\": null}",
		  F "sysctls.net.core.somaxconn.value: it is missing" },
		{ O "sysctls.net:core:somaxconn",
		  "{\"presence\": \"absent\", \"error\": 0, \"writable\": true, \"value\": 1}",
		  F
		  "sysctls.net.core.somaxconn.value: there is one although the key isn't present" },
		{ O "sysctls.net:ipv4:tcp_fastopen_key",
		  "{\"presence\": \"present\", \"error\": 0, \"writable\": true, \"value\": \"1-2-3-4\"}",
		  F
		  "sysctls.net.ipv4.tcp_fastopen_key.value: this is a secret: tcptune doesn't handle "
		  "it" },
		{ O "boot_values.net:core:somaxconn", "\"x\"",
		  F "boot_values.net.core.somaxconn: a number or a list of numbers is needed" },
		{ O "counters.TcpExt:ListenDrops.first", "5e3",
		  F
		  "counters.TcpExt.ListenDrops.first: a whole number from -4611686018427387904 to "
		  "4611686018427387903 is needed" },
		{ O "files", "1", F "files: an object or null is needed" },
		{ O "files", NULL, F "files: an object or null is needed" },
		{ O "files.lines.0.file", "99", F "files.lines[0]: there is no file 99" },
		{ O "files.lines.0.twin", "99", F "files: line 0: there is no line 99" },
		{ O "files.lines.0.read_by", "4", F "files.lines[0]: nobody reads it so" },
		{ O "files.lines.0.path", "\"\"", F "files.lines[0]: no key can have this path" },
		{ O "files.lines.0.path", "null", F "files.lines[0]: no key can have this path" },
		{ O "files.lines.0.line", "-1",
		  F "files.lines[0].line: a whole number from 0 to 4294967295 is needed" },
		{ O "files.faults.0.file", "99", F "files.faults[0]: there is no file 99" },
		{ O "files.faults.0.affects", "4", F "files.faults[0]: nobody reads it so" },
		{ O "files.faults.0.what", "null",
		  F "files.faults[0].what: a text of up to 159 bytes is needed" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++)
		ck_assert_str_eq(refusal_with(cases[i].path, cases[i].value), cases[i].message);
}
END_TEST

/* Each is compared with listeners, so that many of both would take hours. */
START_TEST(more_owners_than_anybody_tells)
{
	static const char *const lists[] = { "owners", "peers" };

	for (size_t i = 0; i < TCT_COUNT(lists); i++) {
		char path[40];
		char wanted[80];
		size_t length;
		TCT_AUTOFREE char *objects = many(",{}", 1025, &length);
		TCT_AUTO(tct_text_done) struct tct_text list = { 0 };

		(void)snprintf(path, sizeof(path), O "%s", lists[i]);
		(void)snprintf(wanted, sizeof(wanted), F "%s: there are more than 1024", lists[i]);
		tct_text_addf(&list, "[%s]", objects + 1);
		ck_assert_str_eq(refusal_with(path, list.data), wanted);
	}
}
END_TEST

/* What another version of tcptune may have written. */
START_TEST(strangers_are_kept_out)
{
	TCT_AUTO(drop_json) json_t *document = full_document();
	TCT_AUTO(tct_snapshot_done) struct tct_snapshot snapshot = { 0 };
	char name[80];
	struct tct_err err = { 0 };
	json_t *keys = find(document, O "sysctls.x", name);
	json_t *counters = find(document, O "counters.x", name);
	const struct tct_observation *observation;
	size_t before = json_array_size(find(document, O "gaps.0", name));

	json_object_set_new(keys, "net.ipv4.tcp_new", json_object());
	json_object_set_new(keys, "tcp_rmem", json_object()); /* found by its short name */
	json_object_set_new(counters, "TcpExt.New", json_integer(5));
	json_object_del(keys, "net.core.somaxconn");
	json_object_del(counters, "TcpExt.ListenDrops");
	json_object_set_new(find(document, O "host.x", name), "new", json_array());
	json_object_set_new(find(document, O "listeners.0.x", name), "new", json_true());
	json_object_set_new(document, "new", json_null());
	ck_assert_msg(tct_snapshot_from_json("f", document, &snapshot, &err) == 0, "%s",
		      err.message);
	observation = snapshot.observations[0];
	ck_assert_uint_eq(observation->gaps_count, before + 4);
	ck_assert_str_eq(observation->gaps[before].what, "2 kernel keys");
	ck_assert_str_eq(observation->gaps[before].why,
			 "first net.ipv4.tcp_new: this tcptune doesn't know it, the one that took "
			 "the snapshot did");
	ck_assert_str_eq(observation->gaps[before + 1].what, "1 kernel key");
	ck_assert_str_eq(observation->gaps[before + 1].why,
			 "net.core.somaxconn: the tcptune that took the snapshot didn't know it");
	ck_assert_str_eq(observation->gaps[before + 2].what, "1 kernel counter");
	ck_assert_str_eq(observation->gaps[before + 3].what, "1 kernel counter");
}
END_TEST

static void judge(const struct tct_observation *observation)
{
	static const char *const profiles[] = { "highconn" };
	const struct tct_profile_request request = { .names = profiles, .names_count = 1 };
	struct tct_facts facts = { 0 };
	struct tct_profile_set *set = NULL;
	struct tct_report *report = NULL;
	json_t *document;

	tct_facts_from_host(&observation->host, &facts);
	ck_assert_int_eq(tct_profile_set_load(&request, &facts, &set, NULL), 0);
	ck_assert_int_eq(tct_judge(observation, set, &facts, NULL, &report, NULL), 0);
	document = tct_report_json(report);
	ck_assert_ptr_nonnull(document);
	json_decref(document);
	tct_report_free(report);
	tct_profile_set_free(set);
}

static uint64_t seed = 88172645463325252U;

static size_t dice(size_t sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % sides);
}

enum { MUTATIONS = 600 };

/* Bytes changed at random: refused in one line, or a snapshot that can be judged and saved. */
START_TEST(mutations_do_no_harm)
{
	static const char *const words[] = { "-1",
					     "0",
					     "9223372036854775807",
					     "null",
					     "[]",
					     "{}",
					     "true",
					     "\"x\"",
					     "1e9",
					     "65535",
					     "\"\"",
					     ",",
					     "-9223372036854775808" };
	TCT_AUTO(drop_json) json_t *document = full_document();
	TCT_AUTOFREE char *text = json_dumps(document, JSON_COMPACT);
	size_t length = strlen(text);
	TCT_AUTOFREE char *copy = malloc(length + 64);
	size_t taken = 0;

	ck_assert_ptr_nonnull(copy);
	for (unsigned i = 0; i < MUTATIONS; i++) {
		TCT_AUTO(tct_snapshot_done) struct tct_snapshot snapshot = { 0 };
		struct tct_err err = { 0 };
		size_t size = length;
		size_t at = dice(length);

		memcpy(copy, text, length + 1);
		if (i % 3 == 0) {
			copy[at] = (char)dice(256);
		} else {
			/* A whole value becomes another one: what parsers let pass. */
			const char *word = words[dice(TCT_COUNT(words))];
			char *from = strchr(copy + at, ':');
			char *to;

			if (from == NULL)
				continue;
			to = from + 1 + strcspn(from + 1, ",}]");
			memmove(from + 1 + strlen(word), to, strlen(to) + 1);
			for (size_t j = 0; word[j] != '\0'; j++)
				from[1 + j] = word[j];
			size = strlen(copy);
		}
		if (take(copy, size, &snapshot, &err) < 0) {
			ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
			ck_assert_str_eq(err.file, "f.json");
			continue;
		}
		TCT_AUTOFREE char *again = snapshot_text(&snapshot, &size);

		ck_assert_ptr_nonnull(again);
		judge(snapshot.observations[0]);
		taken++;
	}
	ck_assert_uint_gt(taken, MUTATIONS / 20);
	ck_assert_uint_lt(taken, MUTATIONS - MUTATIONS / 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snapshot_hostile");
	TCase *cases = tcase_create("snapshot_hostile");
	SRunner *runner;
	int failed;

	tcase_set_timeout(cases, 200);
	tcase_add_checked_fixture(cases, scratch_open, scratch_close);
	tcase_add_test(cases, no_prefix_is_a_snapshot);
	tcase_add_test(cases, what_is_no_document);
	tcase_add_test(cases, what_is_no_json);
	tcase_add_test(cases, what_would_take_too_much);
	tcase_add_test(cases, what_is_no_observation);
	tcase_add_test(cases, more_owners_than_anybody_tells);
	tcase_add_test(cases, strangers_are_kept_out);
	tcase_add_test(cases, mutations_do_no_harm);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
