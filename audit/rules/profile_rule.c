/* rules: and never: of profiles. */
#include <errno.h>
#include <string.h>

#include "audit/rules/each.h"
#include "audit/rules/profile_private.h"
#include "core/mem.h"

static const struct tct_type boolean = { .kind = TCT_KIND_BOOL };

static const char *const severity_names[TCT_SEVERITY_LIMIT] = {
	[TCT_SEVERITY_CRITICAL] = "critical",
	[TCT_SEVERITY_WARNING] = "warning",
	[TCT_SEVERITY_ADVICE] = "advice",
	[TCT_SEVERITY_INFO] = "info",
};

static const char *const cause_names[TCT_CAUSE_LIMIT] = {
	[TCT_CAUSE_APPLICATION] = "application", [TCT_CAUSE_SYSCTL] = "sysctl",
	[TCT_CAUSE_NETWORK] = "network",         [TCT_CAUSE_ATTACK] = "attack",
	[TCT_CAUSE_MEMORY] = "memory",
};

const char *tct_severity_name(enum tct_severity severity)
{
	return severity < TCT_SEVERITY_LIMIT ? severity_names[severity] : "";
}

enum tct_severity tct_severity_find(const char *name)
{
	for (size_t i = 0; i < TCT_SEVERITY_LIMIT; i++) {
		if (strcmp(severity_names[i], name) == 0)
			return (enum tct_severity)i;
	}
	return TCT_SEVERITY_LIMIT;
}

const char *tct_cause_name(enum tct_cause cause)
{
	return cause < TCT_CAUSE_LIMIT ? cause_names[cause] : "";
}

enum tct_cause tct_cause_find(const char *name)
{
	for (size_t i = 0; i < TCT_CAUSE_LIMIT; i++) {
		if (strcmp(cause_names[i], name) == 0)
			return (enum tct_cause)i;
	}
	return TCT_CAUSE_LIMIT;
}

static int load_template(const struct tct_loader *loader, const struct tct_yaml_node *node,
			 const char *what, const struct tct_scope_names *scope,
			 struct tct_template **template_)
{
	struct tct_passage passage;
	const char *text;
	int status = tct_field_text(node, what, &text, loader->err);

	if (status < 0)
		return status;
	passage = tct_passage_of(node);
	return tct_template_compile_source(loader->arena, &passage, scope, template_, loader->err);
}

/* A list of plain texts. */
static int load_texts(const struct tct_loader *loader, const struct tct_yaml_node *list,
		      const char *what, const char ***texts, size_t *count)
{
	size_t i = 0;

	*texts = tct_arena_array(loader->arena, list->count, sizeof(**texts));
	if (*texts == NULL)
		return tct_err_nomem(loader->err);
	for (const struct tct_yaml_node *item = list->first; item != NULL; item = item->next) {
		int status = tct_field_text(item, what, &(*texts)[i++], loader->err);

		if (status < 0)
			return status;
	}
	*count = i;
	return 0;
}

static int load_severity_name(const struct tct_loader *loader, const struct tct_yaml_node *node,
			      enum tct_severity *severity)
{
	*severity = tct_severity_find(node->text);
	if (*severity == TCT_SEVERITY_LIMIT)
		return tct_yaml_error(node, loader->err,
				      "`%.40s` is no severity: critical, warning, advice or info",
				      node->text);
	return 0;
}

/* A word, or words with the conditions under which they hold. */
static int load_severity(const struct tct_loader *loader, const struct tct_yaml_node *node,
			 const struct tct_scope_names *scope, struct tct_rule *rule)
{
	enum tct_severity severity;
	int status = 0;

	if (node->kind == TCT_YAML_SCALAR) {
		status = load_severity_name(loader, node, &severity);
		if (status == 0)
			rule->severity_given[severity] = true;
		return status;
	}
	if (node->count == 0)
		return tct_yaml_error(node, loader->err, "`severity` is empty");
	for (const struct tct_yaml_node *key = node->first; key != NULL && status == 0;
	     key = key->next) {
		status = load_severity_name(loader, key, &severity);
		if (status < 0)
			return status;
		rule->severity_given[severity] = true;
		status = tct_expr_load(loader, key->value, "the condition of a severity", scope,
				       &boolean, &rule->severity_when[severity]);
	}
	return status;
}

static int load_never_texts(const struct tct_loader *loader, const struct tct_yaml_node *list,
			    struct tct_rule *rule)
{
	enum { WHAT, BECAUSE, FIELDS };
	static const struct tct_field fields[FIELDS] = {
		[WHAT] = { "what", TCT_WANT_TEXT, true },
		[BECAUSE] = { "because", TCT_WANT_TEXT, true },
	};

	rule->never = tct_arena_array(loader->arena, list->count, sizeof(*rule->never));
	if (rule->never == NULL)
		return tct_err_nomem(loader->err);
	rule->never_capacity = list->count;
	for (const struct tct_yaml_node *item = list->first; item != NULL; item = item->next) {
		struct tct_never_text *never = &rule->never[rule->never_count++];
		const struct tct_yaml_node *values[FIELDS];
		int status = tct_fields_read(item, "an entry of a rule's `never`", fields, FIELDS,
					     values, loader->err);

		if (status == 0)
			status = tct_field_text(values[WHAT], "`what`", &never->what, loader->err);
		if (status == 0)
			status = tct_field_text(values[BECAUSE], "`because`", &never->because,
						loader->err);
		if (status < 0)
			return status;
	}
	return 0;
}

static int load_evidence(const struct tct_loader *loader, const struct tct_yaml_node *map,
			 const struct tct_scope_names *scope, struct tct_rule *rule)
{
	int status = 0;

	rule->evidence = tct_arena_array(loader->arena, map->count, sizeof(*rule->evidence));
	if (rule->evidence == NULL)
		return tct_err_nomem(loader->err);
	rule->evidence_capacity = map->count;
	for (const struct tct_yaml_node *key = map->first; key != NULL && status == 0;
	     key = key->next) {
		struct tct_named_expr *named = &rule->evidence[rule->evidence_count++];

		status = tct_field_text(key, "a name in `evidence`", &named->name, loader->err);
		if (status == 0)
			status = tct_expr_load(loader, key->value, "evidence", scope, NULL,
					       &named->expr);
	}
	return status;
}

static int load_remedy_sysctl(const struct tct_loader *loader, const struct tct_yaml_node *key,
			      const struct tct_scope_names *scope, struct tct_remedy_sysctl *sysctl)
{
	static const struct tct_field fields[3] = {
		{ "set", TCT_WANT_TEXT | TCT_WANT_LIST, false },
		{ "at_least", TCT_WANT_TEXT | TCT_WANT_LIST, false },
		{ "at_most", TCT_WANT_TEXT | TCT_WANT_LIST, false },
	};
	const struct tct_yaml_node *values[3];
	struct tct_bound bounds[3] = { 0 };
	int status = tct_settable_key(key, true, &sysctl->key, loader->err);

	if (status == 0)
		status = tct_fields_read(key->value, "a remedy's sysctl", fields, 3, values,
					 loader->err);
	if (status < 0)
		return status;
	if (values[0] == NULL && values[1] == NULL && values[2] == NULL)
		return tct_yaml_error(key->value, loader->err,
				      "a remedy's sysctl needs `set`, `at_least` or `at_most`");
	status = tct_bounds_load(loader, sysctl->key, values, scope, bounds);
	sysctl->set = bounds[0];
	sysctl->at_least = bounds[1];
	sysctl->at_most = bounds[2];
	return status;
}

static int load_remedy_lists(const struct tct_loader *loader, const struct tct_yaml_node *sysctls,
			     const struct tct_yaml_node *commands,
			     const struct tct_scope_names *scope, struct tct_rule *rule)
{
	size_t sysctls_count = sysctls != NULL ? sysctls->count : 0;
	size_t commands_count = commands != NULL ? commands->count : 0;
	int status = 0;

	rule->sysctls = tct_arena_array(loader->arena, sysctls_count, sizeof(*rule->sysctls));
	rule->commands =
		tct_arena_array(loader->arena, commands_count, sizeof(struct tct_template *));
	if (rule->sysctls == NULL || rule->commands == NULL)
		return tct_err_nomem(loader->err);
	rule->sysctls_capacity = sysctls_count;
	rule->commands_capacity = commands_count;
	if (sysctls != NULL) {
		for (const struct tct_yaml_node *key = sysctls->first; key != NULL && status == 0;
		     key = key->next)
			status = load_remedy_sysctl(loader, key, scope,
						    &rule->sysctls[rule->sysctls_count++]);
	}
	if (commands != NULL) {
		for (const struct tct_yaml_node *item = commands->first;
		     item != NULL && status == 0; item = item->next)
			status = load_template(loader, item, "a command", scope,
					       &rule->commands[rule->commands_count++]);
	}
	return status;
}

static int load_remedy(const struct tct_loader *loader, const struct tct_yaml_node *node,
		       const struct tct_scope_names *scope, struct tct_rule *rule)
{
	enum { APPLICATION, SYSCTLS, COMMANDS, FIELDS };
	static const struct tct_field fields[FIELDS] = {
		[APPLICATION] = { "application", TCT_WANT_TEXT, false },
		[SYSCTLS] = { "sysctls", TCT_WANT_MAP, false },
		[COMMANDS] = { "commands", TCT_WANT_LIST, false },
	};
	const struct tct_yaml_node *values[FIELDS];
	int status = tct_fields_read(node, "a remedy", fields, FIELDS, values, loader->err);

	if (status == 0 && values[APPLICATION] != NULL)
		status = load_template(loader, values[APPLICATION], "`application`", scope,
				       &rule->application);
	return status < 0
		       ? status
		       : load_remedy_lists(loader, values[SYSCTLS], values[COMMANDS], scope, rule);
}

enum {
	ID,
	EACH,
	WHEN,
	SEVERITY,
	CAUSE,
	TITLE,
	WHY,
	EVIDENCE,
	REMEDY,
	NEVER,
	REFERENCES,
	EXPLAINS,
	RULE_FIELDS
};

static const struct tct_field rule_fields[RULE_FIELDS] = {
	[ID] = { "id", TCT_WANT_TEXT, true },
	[EACH] = { "each", TCT_WANT_TEXT, false },
	[WHEN] = { "when", TCT_WANT_TEXT, true },
	[SEVERITY] = { "severity", TCT_WANT_TEXT | TCT_WANT_MAP, true },
	[CAUSE] = { "cause", TCT_WANT_TEXT, true },
	[TITLE] = { "title", TCT_WANT_TEXT, true },
	[WHY] = { "why", TCT_WANT_TEXT, false },
	[EVIDENCE] = { "evidence", TCT_WANT_MAP, false },
	[REMEDY] = { "remedy", TCT_WANT_MAP, false },
	[NEVER] = { "never", TCT_WANT_LIST, false },
	[REFERENCES] = { "references", TCT_WANT_LIST, false },
	[EXPLAINS] = { "explains", TCT_WANT_LIST, false },
};

static int load_rule_head(const struct tct_loader *loader,
			  const struct tct_yaml_node *const *values, struct tct_rule *rule)
{
	int status = tct_field_text(values[ID], "`id`", &rule->id, loader->err);

	if (status < 0)
		return status;
	if (!tct_name_valid(rule->id, "-") || values[ID]->length > 63)
		return tct_yaml_error(
			values[ID], loader->err,
			"`%.60s` can't be an id: small letters, digits and - (up to 63)", rule->id);
	if (values[EACH] != NULL && tct_each_find(values[EACH]->text, &rule->each) < 0)
		return tct_yaml_error(values[EACH], loader->err,
				      "`each: %.40s` is unknown: listener, key or line",
				      values[EACH]->text);
	rule->cause = tct_cause_find(values[CAUSE]->text);
	if (rule->cause == TCT_CAUSE_LIMIT)
		return tct_yaml_error(
			values[CAUSE], loader->err,
			"`%.40s` is no cause: application, sysctl, network, attack or memory",
			values[CAUSE]->text);
	return 0;
}

static int load_rule(const struct tct_loader *loader, const struct tct_profile_file *file,
		     const struct tct_yaml_node *node, struct tct_rule *rule)
{
	struct tct_scope_names scope = tct_scope_of_facts(loader);
	const struct tct_yaml_node *values[RULE_FIELDS];
	int status = tct_fields_read(node, "a rule", rule_fields, RULE_FIELDS, values, loader->err);

	if (status == 0)
		status = load_rule_head(loader, values, rule);
	if (status < 0)
		return status;
	rule->profile = file->name;
	rule->place = (struct tct_place){ node->document->file, node->line, node->column };
	scope.sysctl = true;
	scope.evidence = true;
	scope.each = rule->each;
	status = tct_expr_load(loader, values[WHEN], "`when`", &scope, &boolean, &rule->when);
	if (status == 0)
		status = load_severity(loader, values[SEVERITY], &scope, rule);
	if (status == 0)
		status = load_template(loader, values[TITLE], "`title`", &scope, &rule->title);
	if (status == 0 && values[WHY] != NULL)
		status = load_template(loader, values[WHY], "`why`", &scope, &rule->why);
	if (status == 0 && values[EVIDENCE] != NULL)
		status = load_evidence(loader, values[EVIDENCE], &scope, rule);
	if (status == 0 && values[REMEDY] != NULL)
		status = load_remedy(loader, values[REMEDY], &scope, rule);
	if (status == 0 && values[NEVER] != NULL)
		status = load_never_texts(loader, values[NEVER], rule);
	if (status == 0 && values[REFERENCES] != NULL)
		status = load_texts(loader, values[REFERENCES], "a reference", &rule->references,
				    &rule->references_count);
	if (status == 0 && values[EXPLAINS] != NULL)
		status = load_texts(loader, values[EXPLAINS], "an id", &rule->explains,
				    &rule->explains_count);
	rule->references_capacity = rule->references_count;
	rule->explains_capacity = rule->explains_count;
	return status;
}

/* ---- all rules of all files ---- */

static const char *rule_id(const void *context, size_t i)
{
	const struct tct_profile_set *set = context;

	return i < set->rules_count ? set->rules[i].id : NULL;
}

/* An id that no rule has would silently explain nothing. */
static int check_explains(const struct tct_loader *loader, const struct tct_definition *definition)
{
	const struct tct_yaml_node *list = tct_yaml_get(definition->body, "explains");

	for (const struct tct_yaml_node *item = list != NULL ? list->first : NULL; item != NULL;
	     item = item->next) {
		const char *nearest = tct_text_nearest(item->text, rule_id, loader->set);

		if (nearest == NULL)
			return tct_yaml_error(item, loader->err,
					      "`explains`: no rule has the id `%.60s`", item->text);
		if (strcmp(nearest, item->text) != 0)
			return tct_yaml_error(
				item, loader->err,
				"`explains`: no rule has the id `%.60s`: did you mean `%s`?",
				item->text, nearest);
	}
	return 0;
}

static int resolve_rules(struct tct_loader *loader, const struct tct_definitions *definitions)
{
	const struct tct_definition *left[TCT_PROFILE_FILES_MAX];
	struct tct_profile_set *set = loader->set;
	int status = 0;

	set->rules = tct_arena_array(loader->arena, definitions->count, sizeof(*set->rules));
	if (set->rules == NULL)
		return tct_err_nomem(loader->err);
	set->rules_capacity = definitions->count;
	for (size_t i = 0; i < definitions->count; i++) {
		size_t count;

		tct_definitions_left(loader, definitions, i, left, &count);
		if (count == 0)
			continue;
		for (size_t k = 1; k < count; k++) {
			if (!tct_yaml_equal(left[0]->body, left[k]->body))
				return tct_definitions_conflict(loader, left[0], left[k],
								"the rule");
		}
		set->rules[set->rules_count++] = *(const struct tct_rule *)left[0]->object;
	}
	for (size_t i = 0; i < definitions->count && status == 0; i++)
		status = check_explains(loader, &definitions->items[i]);
	return status;
}

static int refuse_second_id(const struct tct_loader *loader,
			    const struct tct_definitions *definitions,
			    const struct tct_definition *last)
{
	for (size_t i = definitions->count; i-- > 0 && definitions->items[i].file == last->file;) {
		if (strcmp(definitions->items[i].id, last->id) == 0)
			return tct_yaml_error(last->key, loader->err,
					      "the rule `%s` is given twice, first in line %u",
					      last->id, definitions->items[i].key->line);
	}
	return 0;
}

int tct_rules_load(struct tct_loader *loader)
{
	struct tct_definitions definitions;
	int status = tct_definitions_init(loader, &definitions);

	for (size_t i = 0; i < loader->files_count && status == 0; i++) {
		const struct tct_profile_file *file = &loader->files[i];

		if (file->only_never || file->rules == NULL)
			continue;
		for (const struct tct_yaml_node *node = file->rules->first;
		     node != NULL && status == 0; node = node->next) {
			struct tct_definition definition = { .file = i, .key = node, .body = node };
			struct tct_rule *rule = tct_arena_alloc(loader->arena, sizeof(*rule));

			if (rule == NULL)
				return tct_err_nomem(loader->err);
			status = load_rule(loader, file, node, rule);
			if (status < 0)
				return status;
			definition.id = rule->id;
			definition.object = rule;
			status = refuse_second_id(loader, &definitions, &definition);
			if (status == 0)
				status = tct_definitions_add(loader, &definitions, definition);
		}
	}
	return status < 0 ? status : resolve_rules(loader, &definitions);
}

/* ---- never ---- */

static int load_never(const struct tct_loader *loader, const struct tct_profile_file *file,
		      const struct tct_yaml_node *node, struct tct_never *never)
{
	enum { KEY, VALUE_WHEN, BECAUSE, FIELDS };
	static const struct tct_field fields[FIELDS] = {
		[KEY] = { "key", TCT_WANT_TEXT, true },
		[VALUE_WHEN] = { "when", TCT_WANT_TEXT, true },
		[BECAUSE] = { "because", TCT_WANT_TEXT, true },
	};
	struct tct_scope_names scope = tct_scope_of_facts(loader);
	const struct tct_yaml_node *values[FIELDS];
	int status =
		tct_fields_read(node, "an entry of `never`", fields, FIELDS, values, loader->err);

	if (status == 0)
		status = tct_known_key(values[KEY], &never->key, loader->err);
	if (status < 0)
		return status;
	if (never->key->handler == TCT_HANDLER_SECRET)
		return tct_yaml_error(values[KEY], loader->err,
				      "%s is a secret: tcptune never reads it", never->key->name);
	scope.value = true;
	scope.value_key = never->key;
	never->profile = file->name;
	never->place = (struct tct_place){ node->document->file, node->line, node->column };
	status =
		tct_expr_load(loader, values[VALUE_WHEN], "`when`", &scope, &boolean, &never->when);
	return status < 0
		       ? status
		       : tct_field_text(values[BECAUSE], "`because`", &never->because, loader->err);
}

static bool said_already(const struct tct_profile_set *set, const struct tct_never *never)
{
	for (size_t i = 0; i < set->never_count; i++) {
		if (set->never[i].key == never->key &&
		    strcmp(tct_expr_source(set->never[i].when), tct_expr_source(never->when)) == 0)
			return true;
	}
	return false;
}

int tct_never_load(struct tct_loader *loader)
{
	struct tct_profile_set *set = loader->set;
	size_t total = 0;

	for (size_t i = 0; i < loader->files_count; i++)
		total += loader->files[i].never != NULL ? loader->files[i].never->count : 0;
	set->never = tct_arena_array(loader->arena, total, sizeof(*set->never));
	if (set->never == NULL)
		return tct_err_nomem(loader->err);
	set->never_capacity = total;
	for (size_t i = 0; i < loader->files_count; i++) {
		const struct tct_yaml_node *list = loader->files[i].never;

		for (const struct tct_yaml_node *node = list != NULL ? list->first : NULL;
		     node != NULL; node = node->next) {
			struct tct_never never = { 0 };
			int status = load_never(loader, &loader->files[i], node, &never);

			if (status < 0)
				return status;
			if (set->never_count == TCT_PROFILE_DEFINITIONS_MAX)
				return tct_yaml_error(node, loader->err,
						      "more than %d entries in `never`",
						      TCT_PROFILE_DEFINITIONS_MAX);
			if (!said_already(set, &never))
				set->never[set->never_count++] = never;
		}
	}
	return 0;
}
