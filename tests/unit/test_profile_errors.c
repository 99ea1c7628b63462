/* Every way to write a profile wrong: one clear line with file, line and column, and nothing else
 * happens. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/embedded.h"
#include "audit/rules/profile.h"
#include "core/mem.h"
#include "core/text.h"
#include "tests/unit/scratch.h"

/* No built-in profile at all: what is refused here is refused by itself. */
const struct tct_embedded_file tct_embedded_files[] = {
	{ .name = "explain/x.yaml", .data = "", .size = 0 }
};
const size_t tct_embedded_files_count = TCT_COUNT(tct_embedded_files);

#define HEAD "schema: tcptune.profile.v1\nname: p\nsummary: s\n"

static char said[1200];

/* What loading the bytes as profile `p` says, from the line number on. */
static const char *refusal_of_bytes(const char *bytes, size_t length)
{
	static const char *const names[] = { "p" };
	const struct tct_profile_request request = { .root = &scratch_root,
						     .names = names,
						     .names_count = 1 };
	struct tct_facts facts = { 0 };
	struct tct_profile_set *set = NULL;
	struct tct_err err = { 0 };
	char file[400];
	int status;

	(void)snprintf(file, sizeof(file), "%s/etc/tcptune/profiles/p.yaml", scratch_root.path);
	scratch_write_bytes("etc/tcptune/profiles/p.yaml", bytes, length);
	status = tct_profile_set_load(&request, &facts, &set, &err);
	ck_assert_msg(status == -EINVAL || status == -EFBIG, "not refused (%d): %.200s", status,
		      bytes);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	ck_assert_ptr_null(set);
	ck_assert_ptr_null(strpbrk(err.message, "\r\n\t\x1b"));
	(void)tct_err_text(&err, said, sizeof(said));
	ck_assert_msg(strncmp(said, file, strlen(file)) == 0, "no file: %s", said);
	return said + strlen(file) + 1;
}

static const char *refusal(const char *text)
{
	return refusal_of_bytes(text, strlen(text));
}

struct example {
	const char *text;
	const char *refusal;
};

static void check_all(const char *head, const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char text[2048];

		(void)snprintf(text, sizeof(text), "%s%s\n", head, examples[i].text);
		ck_assert_str_eq(refusal(text), examples[i].refusal);
	}
}

START_TEST(the_top)
{
	static const struct example examples[] = {
		{ "just text", "1:1: a profile must be a mapping, not text" },
		{ "[]", "1:1: a profile must be a mapping, not a list" },
		{ "{}", "1:1: a profile needs `schema`" },
		{ "schema: tcptune.profile.v2\nname: p\nsummary: s",
		  "1:9: unknown schema `tcptune.profile.v2`: this tcptune reads tcptune.profile.v1" },
		{ "schema: tcptune.profile.v1\nsummary: s", "1:1: a profile needs `name`" },
		{ "schema: tcptune.profile.v1\nname: p", "1:1: a profile needs `summary`" },
		{ "schema: tcptune.profile.v1\nname: P!\nsummary: s",
		  "2:7: `P!` can't name a profile: small letters, digits, - and _ (up to 63)" },
		{ "schema: tcptune.profile.v1\nname: q\nsummary: s",
		  "2:7: the profile is named `q`, but its file `p.yaml`" },
		{ "schema: tcptune.profile.v1\nname: p\nsummary:", "3:9: `summary` is empty" },
		{ HEAD "setings: {}",
		  "4:1: unknown field `setings` in a profile: did you mean `settings`?" },
		{ HEAD "foo: {}", "4:1: unknown field `foo` in a profile" },
		{ HEAD "settings: []", "4:11: `settings` must be a mapping, not a list" },
		{ HEAD "settings:\nrules: []", "4:10: `settings` is empty: it must be a mapping" },
		{ HEAD "rules: {}", "4:8: `rules` must be a list, not a mapping" },
		{ HEAD "extends: base", "4:10: `extends` must be a list, not text" },
		{ HEAD "extends: [[base]]", "4:11: a name in `extends` must be text, not a list" },
		{ HEAD "variables: 5", "4:12: `variables` must be a mapping, not text" },
		{ HEAD "never: 5", "4:8: `never` must be a list, not text" },
		{ HEAD "summary: t", "4:1: `summary` is given twice, first in line 3" },
	};

	check_all("", examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(settings)
{
	static const struct example examples[] = {
		{ "  net.core.somaxcon: {at_least: 1, because: x}",
		  "5:3: unknown key `net.core.somaxcon`: did you mean `net.core.somaxconn`?" },
		{ "  net/core/somaxconn: {at_least: 1, because: x}",
		  "5:3: unknown key `net/core/somaxconn`: did you mean `net.core.somaxconn`?" },
		{ "  kernel.foo.bar.baz: {set: 1, because: x}",
		  "5:3: unknown key `kernel.foo.bar.baz`: it is not in the table of keys" },
		{ "  net.ipv4.tcp_tw_recycle: {set: 0, because: x}",
		  "5:3: net.ipv4.tcp_tw_recycle was removed in Linux 4.12: it can only stand in `never` and in rules" },
		{ "  net.ipv4.tcp_ehash_entries: {set: 4, because: x}",
		  "5:3: net.ipv4.tcp_ehash_entries is read-only: it can't be set" },
		{ "  net.ipv4.tcp_fastopen_key: {set: x, because: x}",
		  "5:3: net.ipv4.tcp_fastopen_key is a secret: tcptune neither reads nor sets it" },
		{ "  net.core.somaxconn: 5", "5:23: a setting must be a mapping, not text" },
		{ "  net.core.somaxconn: {at_lest: 5, because: x}",
		  "5:24: unknown field `at_lest` in a setting: did you mean `at_least`?" },
		{ "  net.core.somaxconn: {at_least: 5}", "5:23: a setting needs `because`" },
		{ "  net.core.somaxconn: {because: x}",
		  "5:23: a setting needs `set`, `at_least` or `at_most`" },
		{ "  net.core.somaxconn: {at_least: 5, because: }", "5:46: `because` is empty" },
		{ "  net.core.somaxconn: {at_least: 5, because: ~}", "5:46: `because` is empty" },
		{ "  net.core.somaxconn: {set: 512, at_least: 5, because: x}",
		  "5:44: net.core.somaxconn: `set` fixes the value: `at_least` and `at_most` can't stand beside it" },
		{ "  net.core.somaxconn: {at_least: 5s, because: x}",
		  "5:34: a count is needed here, not a time" },
		{ "  net.core.somaxconn: {at_least: 16KiB, because: x}",
		  "5:34: a count is needed here, not bytes" },
		{ "  net.ipv4.tcp_fin_timeout: {at_most: 30MiB, because: x}",
		  "5:39: a time is needed here, not bytes" },
		{ "  net.ipv4.tcp_fin_timeout: {at_most: 2 * 15, because: x}",
		  "5:39: a time is needed here, not a count" },
		{ "  net.ipv4.tcp_fin_timeout: {at_most: 1500ms, because: x}",
		  "5:39: net.ipv4.tcp_fin_timeout: 1.5 s is not a whole number of seconds" },
		{ "  net.core.somaxconn: {at_least: 'true', because: x}",
		  "5:35: a count is needed here, not true or false" },
		{ "  net.core.somaxconn: {at_least: '\"x\"', because: x}",
		  "5:35: a count is needed here, not text" },
		{ "  net.core.somaxconn: {at_least: cpu, because: x}",
		  "5:34: unknown name `cpu`: did you mean `cpus`?" },
		{ "  net.core.somaxconn: {at_least: 1 +, because: x}",
		  "5:37: the expression ends where a value should be" },
		{ "  net.core.somaxconn: {at_least: 1 / 0, because: x}",
		  "5:34: net.core.somaxconn: division by zero in `1 / 0`" },
		{ "  net.core.somaxconn: {at_least: sysctl(net.ipv4.tcp_sack), because: x}",
		  "5:34: sysctl() can't be used here: it must not depend on what is seen, so that applying twice changes nothing" },
		{ "  net.core.somaxconn: {at_least: state(LISTEN), because: x}",
		  "5:34: state() can't be used here: it must not depend on what is seen, so that applying twice changes nothing" },
		{ "  net.core.somaxconn: {at_least: 99999999999, because: x}", NULL },
		{ "  net.ipv4.tcp_keepalive_probes: {set: 0, because: x}", NULL },
		{ "  net.core.somaxconn: {at_least: [5], because: x}", NULL },
		{ "  net.core.somaxconn: {at_least: keep, because: x}",
		  "5:34: `keep` is for fields of a list" },
		{ "  net.core.somaxconn: {at_least: {a: 1}, because: x}",
		  "5:34: `at_least` must be text or a list, not a mapping" },
		{ "  net.ipv4.tcp_rmem: {at_least: 4096, because: x}",
		  "5:33: net.ipv4.tcp_rmem has 3 fields: write a list of 3 (`keep` leaves a field alone)" },
		{ "  net.ipv4.tcp_rmem: {at_least: [4096, 5000], because: x}",
		  "5:33: net.ipv4.tcp_rmem has 3 fields: write a list of 3 (`keep` leaves a field alone)" },
		{ "  net.ipv4.tcp_rmem: {at_least: [keep, keep, keep], because: x}",
		  "5:33: nothing but `keep`: this sets nothing" },
		{ "  net.ipv4.tcp_rmem: {at_least: [keep, [1], keep], because: x}",
		  "5:40: net.ipv4.tcp_rmem must be text, not a list" },
		{ "  net.ipv4.tcp_rmem: {at_least: [8192, 5000, 6MiB], because: x}",
		  "5:33: net.ipv4.tcp_rmem: its fields must ascend, but [0] would be 8192 and [1] 5000" },
		{ "  net.ipv4.tcp_fin_timeout: {at_least: 30, at_most: 20, because: x}",
		  "5:40: net.ipv4.tcp_fin_timeout: at_least 30 is above at_most 20" },
		{ "  net.ipv4.tcp_congestion_control: {at_least: bbr, because: x}",
		  "5:47: net.ipv4.tcp_congestion_control holds text: only `set` fits it, not `at_least`" },
		{ "  net.ipv4.tcp_congestion_control: {set: [bbr], because: x}",
		  "5:42: net.ipv4.tcp_congestion_control must be text, not a list" },
		{ "  net.ipv4.ip_local_reserved_ports: {set: '70000', because: x}", NULL },
		{ "  net.core.somaxconn: {at_least: 512, because: x, requires: cpus}",
		  "5:61: true or false is needed here, not a count" },
		{ "  net.core.somaxconn: {at_least: 512, because: x, requires: [cpus > 1, state(LISTEN) > 1]}",
		  "5:72: state() can't be used here: it must not depend on what is seen, so that applying twice changes nothing" },
		{ "  net.core.somaxconn:\n    at_least: >-\n      cpus *\n      cpu\n    because: x",
		  "8:7: unknown name `cpu`: did you mean `cpus`?" },
	};

	for (size_t i = 0; i < TCT_COUNT(examples); i++) {
		char text[1024];

		(void)snprintf(text, sizeof(text), HEAD "settings:\n%s\n", examples[i].text);
		if (examples[i].refusal != NULL)
			ck_assert_str_eq(refusal(text), examples[i].refusal);
		else
			ck_assert_msg(strncmp(refusal(text), "5:", 2) == 0, "%s", refusal(text));
	}
	ck_assert_ptr_nonnull(strstr(
		refusal(HEAD
			"settings: {net.core.somaxconn: {at_least: 99999999999, because: x}}\n"),
		"net.core.somaxconn: 99999999999 is outside of "));
	ck_assert_ptr_nonnull(strstr(
		refusal(HEAD
			"settings: {net.ipv4.ip_local_reserved_ports: {set: '70000', because: x}}\n"),
		"net.ipv4.ip_local_reserved_ports: "));
}
END_TEST

#define RULE "rules:\n- id: r\n  cause: sysctl\n"

START_TEST(rules)
{
	static const struct example examples[] = {
		{ "rules: [text]", "4:9: a rule must be a mapping, not text" },
		{ "rules: [{}]", "4:9: a rule needs `id`" },
		{ RULE "  when: 'true'\n  severity: info", "5:3: a rule needs `title`" },
		{ RULE "  when: 'true'\n  severity: info\n  titel: x",
		  "9:3: unknown field `titel` in a rule: did you mean `title`?" },
		{ "rules: [{id: R1, when: 'true', severity: info, cause: sysctl, title: x}]",
		  "4:14: `R1` can't be an id: small letters, digits and - (up to 63)" },
		{ "rules: [{id: r, when: 'true', severity: info, cause: sysctl, title: x},\n"
		  "  {id: r, when: 'true', severity: info, cause: sysctl, title: x}]",
		  "5:3: the rule `r` is given twice, first in line 4" },
		{ RULE "  when: cpus\n  severity: info\n  title: x",
		  "7:9: true or false is needed here, not a count" },
		{ RULE "  when: [cpus]\n  severity: info\n  title: x",
		  "7:9: `when` must be text, not a list" },
		{ RULE "  when: queue > 1\n  severity: info\n  title: x",
		  "7:9: `queue` is only known in rules with `each: listener`" },
		{ RULE "  each: listener\n  when: drift\n  severity: info\n  title: x",
		  "8:9: `drift` is only known in rules with `each: key`" },
		{ RULE "  each: socket\n  when: 'true'\n  severity: info\n  title: x",
		  "7:9: `each: socket` is unknown: listener, owner, destination, peer, interface, namespace, key, line or suppression" },
		{ RULE "  when: rate(TcpExt.ListenOverflow) > 1\n  severity: info\n  title: x",
		  "7:14: unknown counter `TcpExt.ListenOverflow`: did you mean `TcpExt.ListenOverflows`?" },
		{ RULE "  when: 'true'\n  severity: fatal\n  title: x",
		  "8:13: `fatal` is no severity: critical, warning, advice or info" },
		{ RULE "  when: 'true'\n  severity: {fatal: 'true'}\n  title: x",
		  "8:14: `fatal` is no severity: critical, warning, advice or info" },
		{ RULE "  when: 'true'\n  severity: {info: 5}\n  title: x",
		  "8:20: true or false is needed here, not a count" },
		{ RULE "  when: 'true'\n  severity: {}\n  title: x", "8:13: `severity` is empty" },
		{ RULE "  when: 'true'\n  severity: [info]\n  title: x",
		  "8:13: `severity` must be text or a mapping, not a list" },
		{ "rules: [{id: r, when: 'true', severity: info, cause: me, title: x}]",
		  "4:54: `me` is no cause: application, sysctl, network, attack or memory" },
		{ RULE "  when: 'true'\n  severity: info\n  title: 'a {cpu} b'",
		  "9:14: unknown name `cpu`: did you mean `cpus`?" },
		{ RULE "  when: 'true'\n  severity: info\n  title: 'a {cpus b'",
		  "9:13: `{` without `}` (a brace itself is written {{)" },
		{ RULE
		  "  when: 'true'\n  severity: info\n  title: x\n  why: |\n    one\n    two {cpu}\n",
		  "12:10: unknown name `cpu`: did you mean `cpus`?" },
		{ RULE "  when: 'true'\n  severity: info\n  title: x\n  evidence: {a: cpu}",
		  "10:17: unknown name `cpu`: did you mean `cpus`?" },
		{ RULE "  when: 'true'\n  severity: info\n  title: x\n  remedy: {sysctl: {}}",
		  "10:12: unknown field `sysctl` in a remedy: did you mean `sysctls`?" },
		{ RULE
		  "  when: 'true'\n  severity: info\n  title: x\n  remedy: {sysctls: {net.ipv4.tcp_sak: {set: 1}}}",
		  "10:22: unknown key `net.ipv4.tcp_sak`: did you mean `net.ipv4.tcp_sack`?" },
		{ RULE
		  "  when: 'true'\n  severity: info\n  title: x\n  remedy: {sysctls: {net.ipv4.tcp_sack: {}}}",
		  "10:41: a remedy's sysctl needs `set`, `at_least` or `at_most`" },
		{ RULE
		  "  when: 'true'\n  severity: info\n  title: x\n  remedy: {commands: [{a: b}]}",
		  "10:23: a command must be text, not a mapping" },
		{ RULE "  when: 'true'\n  severity: info\n  title: x\n  never: [{what: x}]",
		  "10:11: an entry of a rule's `never` needs `because`" },
		{ RULE "  when: 'true'\n  severity: info\n  title: x\n  references: [[x]]",
		  "10:16: a reference must be text, not a list" },
		{ RULE "  when: 'true'\n  severity: info\n  title: x\n  explains: [x]",
		  "10:14: `explains`: no rule has the id `x`: did you mean `r`?" },
		{ RULE "  when: 'true'\n  severity: info\n  title: x\n  explains: [something]",
		  "10:14: `explains`: no rule has the id `something`" },
		{ RULE
		  "  when: ratio(delta(Tcp.InErrs), delta(Tcp.InSegs), at_least: 5) > 1%\n  severity: info\n  title: x",
		  "7:61: not valid YAML: mapping values are not allowed in this context (text that contains \": \" must be quoted)" },
	};

	check_all(HEAD, examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(never)
{
	static const struct example examples[] = {
		{ "never: [x]", "4:9: an entry of `never` must be a mapping, not text" },
		{ "never: [{key: net.ipv4.tcp_sack, because: x}]",
		  "4:9: an entry of `never` needs `when`" },
		{ "never: [{key: net.ipv4.tcp_sak, when: 'true', because: x}]",
		  "4:15: unknown key `net.ipv4.tcp_sak`: did you mean `net.ipv4.tcp_sack`?" },
		{ "never: [{key: net.ipv4.tcp_fastopen_key, when: 'true', because: x}]",
		  "4:15: net.ipv4.tcp_fastopen_key is a secret: tcptune never reads it" },
		{ "never: [{key: net.ipv4.tcp_sack, when: value, because: x}]",
		  "4:40: true or false is needed here, not a count" },
		{ "never: [{key: net.ipv4.tcp_rmem, when: value > 5, because: x}]",
		  "4:40: net.ipv4.tcp_rmem has 3 fields: write [0] to [2] after it" },
		{ "never: [{key: net.ipv4.tcp_sack, when: 'value[0] > 1', because: x}]",
		  "4:41: net.ipv4.tcp_sack has one field: no [index]" },
		{ "never: [{key: net.ipv4.tcp_fin_timeout, when: value < 5KiB, because: x}]",
		  "4:55: bytes doesn't go with a time before it" },
		{ "never: [{key: net.ipv4.tcp_sack, when: value > sysctl(net.core.somaxconn), because: x}]",
		  "4:48: sysctl() can't be used here: it must not depend on what is seen, so that applying twice changes nothing" },
	};

	check_all(HEAD, examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(files_that_are_no_yaml)
{
	char garbage[4096];
	unsigned state = 99;

	ck_assert_str_eq(refusal(""), " the file is empty");
	ck_assert_str_eq(refusal(HEAD "---\n" HEAD), "4:1: a second document: only one is allowed");
	ck_assert_str_eq(refusal(HEAD "rules: &a []\n"), "4:8: anchors (&name) are not allowed");
	ck_assert_str_eq(refusal(HEAD "a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"),
			 "4:4: anchors (&name) are not allowed");
	ck_assert_str_eq(refusal_of_bytes(HEAD "x: \0\n", sizeof(HEAD "x: \0\n") - 1),
			 "4:4: there is a NUL byte in this line: this is not a text file");
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(garbage); i++) {
			state = state * 1103515245U + 12345U;
			garbage[i] = (char)(state >> 16);
		}
		(void)refusal_of_bytes(garbage, sizeof(garbage));
	}
	for (size_t i = 0; i < 2; i++) {
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		for (int k = 0; k < (1 << 20) / 2; k++)
			tct_text_add(&text, i == 0 ? "[" : "- ");
		ck_assert_str_eq(refusal(text.data),
				 i == 0 ? "1:33: nested more than 32 levels deep"
					: "1:65: nested more than 32 levels deep");
		for (int k = 0; k < (1 << 20) / 2; k++)
			tct_text_add(&text, "  ");
		ck_assert_str_eq(refusal(text.data), " larger than 1 MiB");
	}
}
END_TEST

START_TEST(huge_scalars_are_said_shortly)
{
	static const char *const before[] = {
		"settings: {net.core.somaxconn: {at_least: ",
		"variables: {",
		"extends: [",
		"rules: [{id: ",
		"",
	};
	static const char *const after[] = { ", because: x}}", ": 1}", "]", "}]", ": 1" };

	for (size_t i = 0; i < TCT_COUNT(before); i++) {
		TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

		tct_text_addf(&text, HEAD "%s", before[i]);
		/* a plain key may have 1024 characters */
		for (int k = 0; k < (i == 1 || i == 4 ? 1000 : 1000000); k++)
			tct_text_add(&text, "9");
		tct_text_addf(&text, "%s\n", after[i]);
		ck_assert_uint_lt(strlen(refusal(text.data)), 400);
	}
}
END_TEST

/* Damage to a whole profile: it loads or it is refused with a place, whatever happens. */
START_TEST(damaged_profiles_are_survived)
{
	static const char seed[] = HEAD
		"variables: {a: 5s, b: a * 2}\n"
		"settings:\n  net.core.somaxconn: {at_least: 4096, because: x, requires: cpus > 1}\n"
		"  net.ipv4.tcp_rmem: {at_most: [keep, 1MiB, 2MiB], because: y}\n"
		"rules:\n- {id: r, each: listener, when: queue > backlog, severity: {info: 'true'}, cause: sysctl,\n"
		"   title: 'x {port} y', remedy: {sysctls: {net.ipv4.tcp_sack: {set: 1}}}}\n"
		"never: [{key: net.ipv4.tcp_sack, when: value == 0, because: z}]\n";
	static const char dirt[] = "[]{}:,-'\"+*/%<>=()0a \n.";
	static const char *const names[] = { "p" };
	const struct tct_profile_request request = { .root = &scratch_root,
						     .names = names,
						     .names_count = 1 };
	unsigned state = 1;
	unsigned loaded = 0;

	for (unsigned round = 0; round < 1000; round++) {
		struct tct_profile_set *set = NULL;
		struct tct_facts facts = { 0 };
		struct tct_err err = { 0 };
		char text[sizeof(seed)];

		memcpy(text, seed, sizeof(seed));
		for (unsigned i = 0; i <= round % 3; i++) {
			state = state * 1103515245U + 12345U;
			text[(state >> 8) % (sizeof(seed) - 1)] =
				dirt[(state >> 20) % (sizeof(dirt) - 1)];
		}
		scratch_write_bytes("etc/tcptune/profiles/p.yaml", text, sizeof(seed) - 1);
		if (tct_profile_set_load(&request, &facts, &set, &err) == 0) {
			loaded++;
			tct_profile_set_free(set);
		} else {
			ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
			ck_assert_uint_ge(err.line, 1);
		}
	}
	ck_assert_uint_gt(loaded, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile errors");
	TCase *tests = tcase_create("profile errors");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, scratch_open, scratch_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, the_top);
	tcase_add_test(tests, settings);
	tcase_add_test(tests, rules);
	tcase_add_test(tests, never);
	tcase_add_test(tests, files_that_are_no_yaml);
	tcase_add_test(tests, huge_scalars_are_said_shortly);
	tcase_add_test(tests, damaged_profiles_are_survived);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
