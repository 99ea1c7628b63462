/* Profiles: what is loaded, merged and refused, each refusal with its place. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/rules/embedded.h"
#include "audit/rules/profile.h"
#include "core/mem.h"
#include "tests/unit/scratch.h"

/* A small table of built-in profiles instead of the shipped ones: those have a test of their own.
 */
static const char base_yaml[] =
	"schema: tcptune.profile.v1\n"
	"name: base\n"
	"summary: the base\n"
	"variables:\n"
	"  floor: 5 + margin\n"
	"  margin: 3\n"
	"  many: {value: 1000, summary: so many}\n"
	"  wait: unset(duration)\n"
	"settings:\n"
	"  net.core.somaxconn: {at_least: 4096, because: base says so}\n"
	"rules:\n"
	"  - {id: one, when: 'state(LISTEN) > many', severity: info, cause: sysctl, title: one}\n"
	"  - {id: two, when: 'true', severity: info, cause: sysctl, title: two}\n"
	"never:\n"
	"  - {key: net.ipv4.tcp_retries2, when: value < floor, because: too few}\n"
	"  - {key: net.ipv4.tcp_tw_recycle, when: value != 0, because: NAT}\n";
static const char other_yaml[] = "schema: tcptune.profile.v1\nname: other\nsummary: another\n"
				 "variables: {elsewhere: 5s}\n";

#define EMBEDDED(name_, text)                                                                      \
	{                                                                                          \
		.name = (name_), .data = (text), .size = sizeof(text) - 1                          \
	}

const struct tct_embedded_file tct_embedded_files[] = {
	EMBEDDED("base.yaml", base_yaml),
	EMBEDDED("explain/states.yaml", "x: y\n"),
	EMBEDDED("other.yaml", other_yaml),
};
const size_t tct_embedded_files_count = TCT_COUNT(tct_embedded_files);

#define HEAD(name) "schema: tcptune.profile.v1\nname: " name "\nsummary: s\n"

static struct tct_facts facts;
static struct tct_profile_set *set;
static struct tct_err err;
static char said[1200];

static void open_world(void)
{
	scratch_open();
	facts = (struct tct_facts){ 0 };
	facts.known[TCT_FACT_KERNEL] = true;
	facts.value[TCT_FACT_KERNEL] = TCT_VERSION(6, 18);
	facts.known[TCT_FACT_CPUS] = true;
	facts.value[TCT_FACT_CPUS] = 4;
	facts.known[TCT_FACT_PAGE_SIZE] = true;
	facts.value[TCT_FACT_PAGE_SIZE] = 4096;
}

static void close_world(void)
{
	tct_profile_set_free(set);
	set = NULL;
	scratch_close();
}

static void profile(const char *name, const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "etc/tcptune/profiles/%s.yaml", name);
	scratch_write(path, text);
}

static int load_with(const char *names, const struct tct_var_override *vars, size_t vars_count)
{
	struct tct_profile_request request = { .root = &scratch_root,
					       .vars = vars,
					       .vars_count = vars_count };
	const char *list[8];
	char copy[256];
	char *rest = copy;

	(void)snprintf(copy, sizeof(copy), "%s", names);
	for (char *name = strsep(&rest, " "); name != NULL && *name != '\0';
	     name = strsep(&rest, " "))
		list[request.names_count++] = name;
	request.names = list;
	tct_profile_set_free(set);
	set = NULL;
	err = (struct tct_err){ 0 };
	return tct_profile_set_load(&request, &facts, &set, &err);
}

static void load(const char *names)
{
	ck_assert_msg(load_with(names, NULL, 0) == 0, "%s", tct_err_text(&err, said, sizeof(said)));
}

/* The error's text; the scratch root's own path is cut off. */
static const char *error_text(int status)
{
	const char *text = tct_err_text(&err, said, sizeof(said));
	size_t length = strlen(scratch_root.path);

	ck_assert_int_lt(status, 0);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	ck_assert_ptr_null(set);
	ck_assert_ptr_null(strpbrk(text, "\r\n\t\x1b"));
	return strncmp(text, scratch_root.path, length) == 0
		       ? text + length + strlen("/etc/tcptune/")
		       : text;
}

static const char *refusal(const char *names)
{
	return error_text(load_with(names, NULL, 0));
}

static const char *refusal_of_var(const char *names, const char *name, const char *value)
{
	const struct tct_var_override var = { .name = name, .value = value, .origin = "--var" };

	return error_text(load_with(names, &var, 1));
}

static const struct tct_setting *setting(const char *key)
{
	for (size_t i = 0; i < set->settings_count; i++) {
		if (strcmp(set->settings[i].key->name, key) == 0)
			return &set->settings[i];
	}
	return NULL;
}

static const struct tct_rule *rule(const char *id)
{
	for (size_t i = 0; i < set->rules_count; i++) {
		if (strcmp(set->rules[i].id, id) == 0)
			return &set->rules[i];
	}
	return NULL;
}

static const char *variable(const char *name)
{
	static char text[256];
	struct tct_text out = { 0 };

	for (size_t i = 0; i < set->variables_count; i++) {
		if (strcmp(set->variables[i].name, name) != 0)
			continue;
		if (set->variables[i].value.status != TCT_STATUS_VALUE)
			return set->variables[i].value.reason;
		tct_result_print(&set->variables[i].value, &out);
		(void)snprintf(text, sizeof(text), "%s", out.data);
		tct_text_done(&out);
		return text;
	}
	return NULL;
}

/* The value that a key should have whatever it has; the error's text if that can't be said. */
static const char *target(const char *key)
{
	static char text[1200];
	const struct tct_setting *found = setting(key);
	const struct tct_env env = { .facts = &facts, .variables = set->variables };
	struct tct_value wanted = { 0 };
	bool ours;

	ck_assert_msg(found != NULL, "%s", key);
	if (tct_bounds_target(found->key, &found->set, &found->at_least, &found->at_most, &env,
			      NULL, &wanted, &ours, &err) < 0)
		return tct_err_text(&err, text, sizeof(text));

	char *own = tct_value_text(&wanted);

	(void)snprintf(text, sizeof(text), "%s", own);
	free(own);
	tct_value_done(&wanted);
	return text;
}

START_TEST(a_whole_profile_is_loaded)
{
	struct tct_env env = { .facts = &facts };
	struct tct_result result;

	profile("full",
		HEAD("full") "extends: [base]\n"
			     "variables:\n"
			     "  b: a * 2\n"
			     "  a: 2s\n"
			     "  c: {value: mem_total / 2, because: half}\n"
			     "settings:\n"
			     "  net.ipv4.tcp_fin_timeout: {at_most: b + 6s, because: x, requires: 'sysctl(net.ipv4.tcp_sack) == 1'}\n"
			     "  net.ipv4.tcp_congestion_control: {set: bbr, because: y}\n"
			     "  net.ipv4.ip_local_reserved_ports: {set: '80,8080-8081', because: y}\n"
			     "  net.ipv4.tcp_rmem: {at_least: [keep, keep, 32MiB], because: z, requires: [cpus > 1, 'true']}\n"
			     "rules:\n"
			     "  - id: three\n"
			     "    each: listener\n"
			     "    when: queue > backlog\n"
			     "    severity: {critical: queue > 100, warning: true}\n"
			     "    cause: application\n"
			     "    title: \"{address}:{port} waits\"\n"
			     "    why: because {b}\n"
			     "    evidence: {half of it: queue / 2}\n"
			     "    remedy:\n"
			     "      application: restart {owner}\n"
			     "      sysctls: {net.core.somaxconn: {at_least: backlog * 2}, net.ipv4.tcp_tw_recycle: {set: 0}}\n"
			     "      commands: ['ss -ltn', 'x {port}']\n"
			     "    never: [{what: w, because: b}]\n"
			     "    references: [r1, r2]\n"
			     "    explains: [one]\n");
	load("full");
	ck_assert_str_eq(set->summary, "s");
	ck_assert_str_eq(set->names[0], "full");
	ck_assert_uint_eq(strlen(set->sha256), 64);
	ck_assert_str_eq(variable("b"), "4 s");
	ck_assert_str_eq(variable("c"), "mem_total is not known (--var mem_total=...)");
	ck_assert_str_eq(variable("wait"), "variable wait is not set (--var wait=...)");
	ck_assert_str_eq(variable("floor"), "8");
	ck_assert_uint_eq(set->settings_count, 5);
	for (size_t i = 1; i < set->settings_count; i++)
		ck_assert_int_lt(strcmp(set->settings[i - 1].key->name, set->settings[i].key->name),
				 0);
	ck_assert_str_eq(target("net.ipv4.tcp_fin_timeout"), "10");
	ck_assert_str_eq(target("net.ipv4.tcp_congestion_control"), "bbr");
	ck_assert_str_eq(target("net.ipv4.ip_local_reserved_ports"), "80,8080-8081");
	ck_assert_str_eq(setting("net.core.somaxconn")->profile, "base");
	ck_assert_uint_eq(setting("net.ipv4.tcp_rmem")->requirements_count, 2);
	ck_assert_str_eq(setting("net.ipv4.tcp_rmem")->requirements[0].text, "cpus > 1");
	ck_assert_uint_eq(setting("net.ipv4.tcp_rmem")->place.line, 13);
	ck_assert_uint_eq(set->rules_count, 3);
	ck_assert_str_eq(set->rules[0].id, "one");
	ck_assert_str_eq(set->rules[2].id, "three");
	ck_assert_int_eq(rule("three")->each, TCT_EACH_LISTENER);
	ck_assert(rule("three")->severity_given[TCT_SEVERITY_CRITICAL]);
	ck_assert_ptr_nonnull(rule("three")->severity_when[TCT_SEVERITY_WARNING]);
	ck_assert_ptr_null(rule("one")->severity_when[TCT_SEVERITY_INFO]);
	ck_assert_uint_eq(rule("three")->sysctls_count, 2);
	ck_assert_uint_eq(rule("three")->commands_count, 2);
	ck_assert_uint_eq(rule("three")->references_count, 2);
	ck_assert_str_eq(rule("three")->explains[0], "one");
	ck_assert_str_eq(rule("three")->evidence[0].name, "half of it");
	ck_assert_str_eq(rule("three")->never[0].because, "b");
	ck_assert_uint_eq(set->never_count, 2);
	env.variables = set->variables;
	const struct tct_value seven = { .kind = TCT_VALUE_NUMBERS, .count = 1, .numbers = { 7 } };

	env.value = &seven;
	tct_expr_eval(set->never[0].when, &env, &result);
	ck_assert_int_eq(result.number, 1); /* 7 < 5 + 3 */
}
END_TEST

START_TEST(a_child_overrides_its_parents)
{
	profile("child",
		HEAD("child") "extends: [base]\nvariables: {many: 7}\n"
			      "settings: {net.core.somaxconn: {at_least: 128, because: less}}\n"
			      "rules: [{id: two, when: 'false', severity: warning, cause: attack, title: mine}]\n"
			      "never: [{key: net.ipv4.tcp_retries2, when: value < floor, because: again},\n"
			      "        {key: net.ipv4.tcp_retries2, when: value > 100, because: much}]\n");
	load("child");
	ck_assert_str_eq(target("net.core.somaxconn"), "128");
	ck_assert_str_eq(variable("many"), "7");
	ck_assert_uint_eq(set->rules_count, 2);
	ck_assert_str_eq(set->rules[1].id, "two");
	ck_assert_int_eq(set->rules[1].cause, TCT_CAUSE_ATTACK);
	ck_assert_uint_eq(set->never_count, 3);
	ck_assert_str_eq(set->never[0].because, "too few");
	/* the parent asked for as well says nothing new */
	load("base child");
	ck_assert_str_eq(target("net.core.somaxconn"), "128");
	load("child base");
	ck_assert_str_eq(target("net.core.somaxconn"), "128");
	/* nor does a sibling that only inherits */
	profile("sibling", HEAD("sibling") "extends: [base]\n");
	load("child sibling");
	ck_assert_str_eq(target("net.core.somaxconn"), "128");
}
END_TEST

START_TEST(siblings_merge_their_bounds)
{
	profile("a",
		HEAD("a") "extends: [base]\nsettings:\n"
			  "  net.ipv4.tcp_fin_timeout: {at_most: 30, because: a, requires: 'true'}\n"
			  "  net.ipv4.tcp_max_tw_buckets: {at_least: 65536 * cpus, because: same}\n"
			  "  net.ipv4.tcp_rmem: {at_least: [keep, 256KiB, 1MiB], because: a}\n"
			  "  net.ipv4.tcp_sack: {set: 1, because: a}\n");
	profile("b",
		HEAD("b") "extends: [base]\nsettings:\n"
			  "  net.ipv4.tcp_fin_timeout: {at_most: 20s, because: b, requires: cpus > 0}\n"
			  "  net.ipv4.tcp_max_tw_buckets: {at_least: 100000, because: same}\n"
			  "  net.ipv4.tcp_rmem: {at_least: [4096, keep, 8MiB], because: b}\n"
			  "  net.ipv4.tcp_sack: {set: 1, because: b}\n");
	load("a b");
	ck_assert_str_eq(target("net.ipv4.tcp_fin_timeout"), "20");
	ck_assert_str_eq(setting("net.ipv4.tcp_fin_timeout")->because, "a; b");
	ck_assert_uint_eq(setting("net.ipv4.tcp_fin_timeout")->requirements_count, 2);
	ck_assert_str_eq(target("net.ipv4.tcp_max_tw_buckets"), "262144");
	ck_assert_str_eq(setting("net.ipv4.tcp_max_tw_buckets")->because, "same");
	ck_assert_str_eq(
		tct_expr_source(setting("net.ipv4.tcp_max_tw_buckets")->at_least.fields[0]),
		"max(65536 * cpus, 100000)");
	ck_assert_str_eq(target("net.ipv4.tcp_rmem"), "4096 262144 8388608");
	ck_assert_str_eq(target("net.core.somaxconn"), "4096");
	ck_assert_uint_eq(set->never_count, 2);
	/* the same by extends */
	profile("both", HEAD("both") "extends: [b, a]\n");
	load("both");
	ck_assert_str_eq(target("net.ipv4.tcp_max_tw_buckets"), "262144");
	ck_assert_str_eq(target("net.ipv4.tcp_fin_timeout"), "20");
}
END_TEST

START_TEST(siblings_that_contradict_each_other_are_refused)
{
	static const struct {
		const char *a;
		const char *b;
		const char *end; /* of the message, after both places */
	} cases[] = {
		{ "settings: {net.ipv4.tcp_sack: {set: 1, because: x}}",
		  "settings: {net.ipv4.tcp_sack: {set: 0, because: x}}",
		  ":4:12: the setting `net.ipv4.tcp_sack` differs from the one in " },
		{ "settings: {net.ipv4.tcp_sack: {set: 1, because: x}}",
		  "settings: {net.ipv4.tcp_sack: {at_least: 0, because: x}}",
		  ":4:12: the setting `net.ipv4.tcp_sack` differs from the one in " },
		{ "settings: {net.ipv4.tcp_congestion_control: {set: bbr, because: x}}",
		  "settings: {net.ipv4.tcp_congestion_control: {set: cubic, because: x}}",
		  ":4:12: the setting `net.ipv4.tcp_congestion_control` differs from the one in " },
		{ "variables: {v: 1}", "variables: {v: 2}",
		  ":4:13: the variable `v` differs from the one in " },
		{ "rules: [{id: r, when: 'true', severity: info, cause: sysctl, title: x}]",
		  "rules: [{id: r, when: 'true', severity: info, cause: sysctl, title: y}]",
		  ":4:9: the rule `r` differs from the one in " },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char text[512];
		const char *error;

		(void)snprintf(text, sizeof(text), HEAD("a") "%s\n", cases[i].a);
		profile("a", text);
		(void)snprintf(text, sizeof(text), HEAD("b") "%s\n", cases[i].b);
		profile("b", text);
		error = refusal("a b");
		ck_assert_msg(strncmp(error, "profiles/b.yaml", 15) == 0, "%s", error);
		ck_assert_msg(strstr(error, cases[i].end) != NULL, "%s", error);
		ck_assert_ptr_nonnull(
			strstr(error, "a.yaml:4: a profile that extends both must decide"));
		/* the same words are no contradiction */
		(void)snprintf(text, sizeof(text), HEAD("b") "%s\n", cases[i].a);
		profile("b", text);
		load("a b");
	}
	profile("a", HEAD("a") "variables: {v: 1}\n");
	profile("b", HEAD("b") "variables: {v: 2}\n");
	profile("judge", HEAD("judge") "extends: [a, b]\nvariables: {v: 3}\n");
	load("judge");
	ck_assert_str_eq(variable("v"), "3");
	load("a judge b");
	ck_assert_str_eq(variable("v"), "3");
	/* bounds that only together are impossible */
	profile("a",
		HEAD("a") "settings: {net.ipv4.tcp_fin_timeout: {at_least: 30, because: x}}\n");
	profile("b", HEAD("b") "settings: {net.ipv4.tcp_fin_timeout: {at_most: 20, because: x}}\n");
	ck_assert_str_eq(
		refusal("a b"),
		"profiles/a.yaml:4:49: net.ipv4.tcp_fin_timeout: at_least 30 is above at_most 20");
}
END_TEST

START_TEST(the_built_in_never_is_always_there)
{
	profile("alone", HEAD("alone"));
	load("alone");
	ck_assert_uint_eq(set->never_count, 2);
	ck_assert_uint_eq(set->settings_count, 0);
	ck_assert_uint_eq(set->rules_count, 0);
	/* only the variables that it needs come with it */
	ck_assert_uint_eq(set->variables_count, 2);
	ck_assert_str_eq(variable("floor"), "8");
	ck_assert_ptr_null(variable("many"));
	profile("base",
		HEAD("base") "never: [{key: net.ipv4.tcp_sack, when: value == 0, because: x}]\n");
	load("base");
	ck_assert_uint_eq(set->never_count, 3);
	load("");
	ck_assert_uint_eq(set->never_count, 2);
}
END_TEST

START_TEST(names_are_found_in_order)
{
	char origin[280];
	char *text = NULL;
	size_t length = 0;

	ck_assert_str_eq(refusal("bose"),
			 "no profile is named `bose`: did you mean `base`? (tcptune profile list)");
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_str_eq(
		refusal("nothing-like-it"),
		"no profile is named `nothing-like-it` (tcptune profile list; a file is given with a /)");
	ck_assert_str_eq(
		refusal("Base"),
		"`Base` can't name a profile: small letters, digits, - and _; a file is given with a /");
	ck_assert_str_eq(
		refusal("explain"),
		"no profile is named `explain` (tcptune profile list; a file is given with a /)");
	ck_assert_str_eq(refusal("/nowhere/x.yaml"), "/nowhere/x.yaml: No such file or directory");
	ck_assert_str_eq(refusal("./nowhere.yaml"), "./nowhere.yaml: No such file or directory");
	ck_assert_str_eq(refusal("/tmp/"), "/tmp/: Is a directory");
	ck_assert_int_eq(tct_profile_text(&scratch_root, "base", &text, &length, origin, &err), 0);
	ck_assert_str_eq(origin, "built in");
	ck_assert_str_eq(text, base_yaml);
	free(text);
	profile("base", HEAD("base") "# mine\n");
	ck_assert_int_eq(tct_profile_text(&scratch_root, "base", &text, &length, origin, &err), 0);
	ck_assert_ptr_nonnull(strstr(origin, "/etc/tcptune/profiles/base.yaml"));
	free(text);
	/* a path may have any name */
	scratch_write("own/whatever.yaml", HEAD("mine"));
	load(scratch_path("own/whatever.yaml"));
	profile("mine", HEAD("mine"));
	char both[600];

	(void)snprintf(both, sizeof(both), "mine %s", scratch_path("own/whatever.yaml"));
	load(both); /* the same bytes: the same profile */
	profile("mine", HEAD("mine") "# other\n");
	ck_assert_ptr_nonnull(
		strstr(refusal(both), "two profiles are named `mine`: this one and "));
}
END_TEST

START_TEST(extends_is_followed_with_care)
{
	profile("a", HEAD("a") "extends: [b]\n");
	profile("b", HEAD("b") "extends:\n  - c\n");
	profile("c", HEAD("c") "extends: [base, a]\n");
	profile("self", HEAD("self") "extends: [self]\n");
	profile("lost", HEAD("lost") "extends: [bsae]\n");
	profile("path", HEAD("path") "extends: [./x.yaml]\n");
	profile("empty", HEAD("empty") "extends: ['']\n");
	ck_assert_str_eq(refusal("a"),
			 "profiles/c.yaml:4:17: `extends` goes in a circle: a -> b -> c -> a");
	ck_assert_str_eq(refusal("self"),
			 "profiles/self.yaml:4:11: `extends` goes in a circle: self -> self");
	ck_assert_str_eq(
		refusal("lost"),
		"profiles/lost.yaml:4:11: no profile is named `bsae`: did you mean `base`? (tcptune profile list)");
	ck_assert_str_eq(refusal("path"),
			 "profiles/path.yaml:4:11: `extends` takes names of profiles, not paths");
	ck_assert_str_eq(refusal("empty"),
			 "profiles/empty.yaml:4:11: a name in `extends` is empty");
	for (int i = 0; i < 20; i++) {
		char name[16];
		char text[256];

		(void)snprintf(name, sizeof(name), "p%d", i);
		(void)snprintf(
			text, sizeof(text),
			"schema: tcptune.profile.v1\nname: p%d\nsummary: s\nextends: [%s%d]\n", i,
			i == 19 ? "base" : "p", i + 1);
		if (i == 19)
			(void)snprintf(text, sizeof(text),
				       "schema: tcptune.profile.v1\nname: p19\nsummary: s\n");
		profile(name, text);
	}
	ck_assert_str_eq(refusal("p0"),
			 "profiles/p15.yaml:4:11: `extends` goes deeper than 16 levels");
	load("p4");
}
END_TEST

START_TEST(variables_need_each_other_in_any_order)
{
	static const struct {
		const char *variables;
		const char *refusal;
	} cases[] = {
		{ "{a: b, b: c, c: a}", "4:13: variables that need each other: a -> b -> c -> a" },
		{ "{a: a + 1}", "4:13: variables that need each other: a -> a" },
		{ "{a: bb, bc: 1}", "4:16: unknown name `bb`: did you mean `bc`?" },
		{ "{a: 1 + 2s}",
		  "4:16: 1 stands for a time here: give it a unit (ms, s, min ...)" },
		{ "{a: sysctl(net.core.somaxconn)}",
		  "4:16: sysctl() can't be used here: it must not depend on what is seen, so that applying twice changes nothing" },
		{ "{a: 1 + unset(count)}",
		  "4:20: unset() only stands alone, as a variable's value" },
		{ "{a: unset(time)}", "4:22: unset() takes duration, bytes, count, share or rate" },
		{ "{a: }", "4:16: a variable is empty" },
		{ "{a: [1]}", "4:16: a variable must be text or a mapping, not a list" },
		{ "{a: {valve: 1}}",
		  "4:17: unknown field `valve` in a variable: did you mean `value`?" },
		{ "{a: {summary: x}}", "4:16: a variable needs `value`" },
		{ "{A: 1}",
		  "4:13: `A` can't name a variable: small letters, digits and _ (up to 63)" },
		{ "{1a: 1}",
		  "4:13: `1a` can't name a variable: small letters, digits and _ (up to 63)" },
		{ "{queue: 1}",
		  "4:13: `queue` can't name a variable: it is an attribute of `each: listener`" },
		{ "{max: 1}", "4:13: `max` can't name a variable: it is a word of the language" },
		{ "{min: 1}", "4:13: `min` can't name a variable: it is a word of the language" },
		{ "{s: 1}", "4:13: `s` can't name a variable: it is a word of the language" },
		{ "{and: 1}", "4:13: `and` can't name a variable: it is a word of the language" },
		{ "{kernel: 1}", "4:13: `kernel` can't name a variable: it is a fact of the host" },
		{ "{a: 1, a: 2}", "4:19: `a` is given twice, first in line 4" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char wanted[300];
		char text[300];

		(void)snprintf(text, sizeof(text), HEAD("v") "variables: %s\n", cases[i].variables);
		(void)snprintf(wanted, sizeof(wanted), "profiles/v.yaml:%s", cases[i].refusal);
		profile("v", text);
		ck_assert_str_eq(refusal("v"), wanted);
	}
	profile("v", HEAD("v") "extends: [base]\nvariables: {many: 5s}\n");
	ck_assert_str_eq(
		refusal("v"),
		"profiles/v.yaml:5:13: `many` is a time here, but a count in built-in profile base:7");
}
END_TEST

START_TEST(variables_are_set_from_outside)
{
	static const struct tct_var_override vars[] = {
		{ "wait", "90", "--var", 0 },
		{ "size", "4096", "--var", 0 },
		{ "part", "12.5%", "--var", 0 },
		{ "flag", "false", "--var", 0 },
		{ "word", "hello", "--var", 0 },
		{ "mem_total", "16GiB", "--var", 0 },
		{ "kernel", "5.10.0-8-amd64", "--var", 0 },
		{ "cpus", "64", "--var", 0 },
		{ "many", "cpus * 2", "--var", 0 },
	};

	profile("v",
		HEAD("v") "extends: [base]\nvariables: {size: 1KiB, part: 1%, flag: true, word: '\"x\"', half: mem_total / 2}\n");
	ck_assert_msg(load_with("v", vars, TCT_COUNT(vars)) == 0, "%s", err.message);
	ck_assert_str_eq(variable("wait"), "90 s");
	ck_assert_str_eq(variable("size"), "4 KiB");
	ck_assert_str_eq(variable("part"), "12.5 %");
	ck_assert_str_eq(variable("flag"), "no");
	ck_assert_str_eq(variable("word"), "hello");
	ck_assert_str_eq(variable("half"), "8 GiB");
	ck_assert_str_eq(variable("many"), "128");
	ck_assert_int_eq(facts.value[TCT_FACT_KERNEL], TCT_VERSION(5, 10));
	ck_assert_str_eq(refusal_of_var("v", "many", "5s"),
			 "--var many: a count is needed here, not a time");
	ck_assert_str_eq(refusal_of_var("v", "part", "5"),
			 "--var part: 5 stands for a share (%) here: give it a unit (%)");
	ck_assert_str_eq(refusal_of_var("v", "many", "floor"), "--var many: unknown name `floor`");
	ck_assert_str_eq(refusal_of_var("v", "many", ""), "--var many: the expression is empty");
	ck_assert_str_eq(refusal_of_var("v", "mny", "5"),
			 "--var mny: no variable is named `mny`: did you mean `many`?");
	ck_assert_str_eq(refusal_of_var("v", "elsewhere", "5"),
			 "--var elsewhere: no variable is named `elsewhere` in these profiles");
	ck_assert_str_eq(refusal_of_var("v", "kernel", "six"),
			 "--var kernel: `six` is not a version such as 6.18");
	ck_assert_str_eq(refusal_of_var("v", "mem_total", "0"), "--var mem_total: must be above 0");
	ck_assert_str_eq(refusal_of_var("v", "cpus", "1/0"),
			 "--var cpus: division by zero in `1/0`");
}
END_TEST

START_TEST(the_hosts_file_sets_variables)
{
	const struct tct_var_override var = { .name = "many", .value = "3", .origin = "--var" };
	static const struct {
		const char *text;
		const char *refusal;
	} cases[] = {
		{ "variables: {many: 5, mny: 6}\n",
		  "1:22: no variable is named `mny`: did you mean `many`?" },
		{ "variables: {many: 5s}\n", "1:19: a count is needed here, not a time" },
		{ "variables: {wait: [1]}\n", "1:19: a variable must be text, not a list" },
		{ "variables: {mem_total: 1GiB}\n",
		  "1:13: `mem_total` is a fact of the host, not a variable (--var can set it for a DIR)" },
		{ "vars: {}\n", "1:1: unknown field `vars` in the file of variables" },
		{ "schema: x\nvariables: {}\n",
		  "1:9: unknown schema `x`: this tcptune reads tcptune.variables.v1" },
		{ "schema: tcptune.variables.v1\n",
		  "1:1: the file of variables needs `variables`" },
		{ "[",
		  "2:1: not valid YAML: did not find expected node content while parsing a flow node" },
	};

	/* elsewhere is another profile's: a host's file may serve several */
	scratch_write(
		"etc/tcptune/variables.yaml",
		"schema: tcptune.variables.v1\nvariables: {many: 5, wait: 350, elsewhere: 9s}\n");
	load("base");
	ck_assert_str_eq(variable("many"), "5");
	ck_assert_str_eq(variable("wait"), "350 s");
	ck_assert_ptr_nonnull(strstr(set->variables[2].origin, "variables.yaml"));
	ck_assert_int_eq(load_with("base", &var, 1), 0);
	ck_assert_str_eq(variable("many"), "3");
	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char wanted[300];

		scratch_write("etc/tcptune/variables.yaml", cases[i].text);
		(void)snprintf(wanted, sizeof(wanted), "variables.yaml:%s", cases[i].refusal);
		ck_assert_str_eq(refusal("base"), wanted);
	}
}
END_TEST

START_TEST(profiles_are_listed)
{
	struct tct_profile_info *infos = NULL;
	size_t count = 0;

	profile("mine", HEAD("mine"));
	profile("wrong", HEAD("other-name"));
	profile("other", HEAD("other"));
	scratch_write("etc/tcptune/profiles/notes.txt", "x");
	ck_assert_int_eq(tct_profile_list(&scratch_root, &infos, &count, &err), 0);
	ck_assert_uint_eq(count, 4);
	ck_assert_str_eq(infos[0].name, "base");
	ck_assert_str_eq(infos[0].origin, "built in");
	ck_assert_str_eq(infos[0].summary, "the base");
	ck_assert_str_eq(infos[1].name, "mine");
	ck_assert_str_eq(infos[2].name, "other");
	ck_assert_ptr_nonnull(strstr(infos[2].origin, "/etc/tcptune/profiles/other.yaml"));
	ck_assert_str_eq(infos[3].name, "wrong");
	ck_assert_ptr_nonnull(strstr(
		infos[3].error,
		"wrong.yaml:2:7: the profile is named `other-name`, but its file `wrong.yaml`"));
	free(infos);
	ck_assert_int_eq(tct_profile_list(NULL, &infos, &count, &err), 0);
	ck_assert_uint_eq(count, 2);
	free(infos);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile");
	TCase *tests = tcase_create("profile");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, open_world, close_world);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_whole_profile_is_loaded);
	tcase_add_test(tests, a_child_overrides_its_parents);
	tcase_add_test(tests, siblings_merge_their_bounds);
	tcase_add_test(tests, siblings_that_contradict_each_other_are_refused);
	tcase_add_test(tests, the_built_in_never_is_always_there);
	tcase_add_test(tests, names_are_found_in_order);
	tcase_add_test(tests, extends_is_followed_with_care);
	tcase_add_test(tests, variables_need_each_other_in_any_order);
	tcase_add_test(tests, variables_are_set_from_outside);
	tcase_add_test(tests, the_hosts_file_sets_variables);
	tcase_add_test(tests, profiles_are_listed);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
