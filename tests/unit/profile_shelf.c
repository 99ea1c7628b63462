#include "tests/unit/profile_shelf.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/embedded.h"
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
	"never:\n"
	"  - {key: net.ipv4.tcp_retries2, when: value < floor, because: too few}\n"
	"  - {key: net.ipv4.tcp_tw_recycle, when: value != 0, because: NAT}\n"
	"rules:\n"
	"  - {id: one, when: 'state(LISTEN) > many', severity: info, cause: sysctl, title: one}\n"
	"  - {id: two, when: 'true', severity: info, cause: sysctl, title: two}\n";
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

struct shelf shelf;

static char said[1200];

void shelf_open(void)
{
	scratch_open();
	shelf.facts = (struct tct_facts){ 0 };
	shelf.settings_only = false;
	shelf.facts.known[TCT_FACT_KERNEL] = true;
	shelf.facts.value[TCT_FACT_KERNEL] = TCT_VERSION(6, 18);
	shelf.facts.known[TCT_FACT_CPUS] = true;
	shelf.facts.value[TCT_FACT_CPUS] = 4;
	shelf.facts.known[TCT_FACT_PAGE_SIZE] = true;
	shelf.facts.value[TCT_FACT_PAGE_SIZE] = 4096;
}

void shelf_close(void)
{
	tct_profile_set_free(shelf.set);
	shelf.set = NULL;
	scratch_close();
}

void shelf_put(const char *name, const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "etc/tcptune/profiles/%s.yaml", name);
	scratch_write(path, text);
}

int shelf_load_with(const char *names, const struct tct_var_override *vars, size_t vars_count)
{
	struct tct_profile_request request = { .root = &scratch_root,
					       .vars = vars,
					       .vars_count = vars_count,
					       .settings_only = shelf.settings_only };
	const char *list[8];
	char copy[256];
	char *rest = copy;

	(void)snprintf(copy, sizeof(copy), "%s", names);
	for (char *name = strsep(&rest, " "); name != NULL && *name != '\0';
	     name = strsep(&rest, " "))
		list[request.names_count++] = name;
	request.names = list;
	tct_profile_set_free(shelf.set);
	shelf.set = NULL;
	shelf.err = (struct tct_err){ 0 };
	return tct_profile_set_load(&request, &shelf.facts, &shelf.set, &shelf.err);
}

void shelf_load(const char *names)
{
	ck_assert_msg(shelf_load_with(names, NULL, 0) == 0, "%s",
		      tct_err_text(&shelf.err, said, sizeof(said)));
}

/* The error's text; the scratch root's own path is cut off. */
static const char *error_text(int status)
{
	const char *text = tct_err_text(&shelf.err, said, sizeof(said));
	size_t length = strlen(scratch_root.path);

	ck_assert_int_lt(status, 0);
	ck_assert_int_eq(shelf.err.fault, TCT_FAULT_INPUT);
	ck_assert_ptr_null(shelf.set);
	ck_assert_ptr_null(strpbrk(text, "\r\n\t\x1b"));
	return strncmp(text, scratch_root.path, length) == 0
		       ? text + length + strlen("/etc/tcptune/")
		       : text;
}

const char *shelf_refusal(const char *names)
{
	return error_text(shelf_load_with(names, NULL, 0));
}

const char *shelf_refusal_of_var(const char *names, const char *name, const char *value)
{
	const struct tct_var_override var = { .name = name, .value = value, .origin = "--var" };

	return error_text(shelf_load_with(names, &var, 1));
}

const struct tct_setting *shelf_setting(const char *key)
{
	for (size_t i = 0; i < shelf.set->settings_count; i++) {
		if (strcmp(shelf.set->settings[i].key->name, key) == 0)
			return &shelf.set->settings[i];
	}
	return NULL;
}

const struct tct_rule *shelf_rule(const char *id)
{
	for (size_t i = 0; i < shelf.set->rules_count; i++) {
		if (strcmp(shelf.set->rules[i].id, id) == 0)
			return &shelf.set->rules[i];
	}
	return NULL;
}

const char *shelf_variable(const char *name)
{
	static char text[256];
	struct tct_text out = { 0 };

	for (size_t i = 0; i < shelf.set->variables_count; i++) {
		if (strcmp(shelf.set->variables[i].name, name) != 0)
			continue;
		if (shelf.set->variables[i].value.status != TCT_STATUS_VALUE)
			return shelf.set->variables[i].value.reason;
		tct_result_print(&shelf.set->variables[i].value, &out);
		(void)snprintf(text, sizeof(text), "%s", out.data);
		tct_text_done(&out);
		return text;
	}
	return NULL;
}

/* The value that a key should have whatever it has; the error's text if that can't be said. */
const char *shelf_target(const char *key)
{
	static char text[1200];
	const struct tct_setting *found = shelf_setting(key);
	const struct tct_env env = { .facts = &shelf.facts, .variables = shelf.set->variables };
	struct tct_value wanted = { 0 };
	bool ours;

	ck_assert_msg(found != NULL, "%s", key);
	if (tct_bounds_target(found->key, &found->set, &found->at_least, &found->at_most, &env,
			      NULL, &wanted, &ours, &shelf.err) < 0)
		return tct_err_text(&shelf.err, text, sizeof(text));

	char *own = tct_value_text(&wanted);

	(void)snprintf(text, sizeof(text), "%s", own);
	free(own);
	tct_value_done(&wanted);
	return text;
}
