/* One rule of a profile. */
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

int tct_template_load(const struct tct_loader *loader, const struct tct_yaml_node *node,
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
	SINCE,
	UNTIL,
	SORT,
	TOP,
	FOR_AT_LEAST,
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
	[SINCE] = { "since", TCT_WANT_TEXT, false },
	[UNTIL] = { "until", TCT_WANT_TEXT, false },
	[SORT] = { "sort", TCT_WANT_TEXT, false },
	[TOP] = { "top", TCT_WANT_TEXT, false },
	[FOR_AT_LEAST] = { "for_at_least", TCT_WANT_TEXT, false },
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
		return tct_yaml_error(
			values[EACH], loader->err,
			"`each: %.40s` is unknown: listener, owner, destination, peer, interface, namespace, key, line or suppression",
			values[EACH]->text);
	rule->cause = tct_cause_find(values[CAUSE]->text);
	if (rule->cause == TCT_CAUSE_LIMIT)
		return tct_yaml_error(
			values[CAUSE], loader->err,
			"`%.40s` is no cause: application, sysctl, network, attack or memory",
			values[CAUSE]->text);
	return 0;
}

/* ---- on which kernels, how many, how long ---- */

/* A kernel's version as it stands in a rule: "4.12". */
static int load_version(const struct tct_loader *loader, const struct tct_yaml_node *node,
			const char *what, tct_version *version)
{
	if (node == NULL)
		return 0;
	*version = strspn(node->text, "0123456789.") == node->length && node->length > 0
			   ? tct_version_parse(node->text)
			   : 0;
	if (*version == 0 || strchr(node->text, '.') == NULL)
		return tct_yaml_error(node, loader->err, "%s takes a kernel's version: 4.12", what);
	return 0;
}

static int load_kernels(const struct tct_loader *loader, const struct tct_yaml_node *const *values,
			struct tct_rule *rule)
{
	int status = load_version(loader, values[SINCE], "`since`", &rule->since);

	if (status == 0)
		status = load_version(loader, values[UNTIL], "`until`", &rule->until);
	if (status == 0 && rule->since != 0 && rule->until != 0 && rule->since >= rule->until)
		return tct_yaml_error(
			values[UNTIL], loader->err,
			"`until: %.20s` is not after `since: %.20s`: the rule would hold on no kernel",
			values[UNTIL]->text, values[SINCE]->text);
	return status;
}

static int load_top(const struct tct_loader *loader, const struct tct_yaml_node *node,
		    struct tct_rule *rule)
{
	enum { TOP_DIGITS = 4 };

	rule->top = TCT_TOP_DEFAULT;
	if (node == NULL)
		return 0;
	rule->top = 0;
	if (node->length <= TOP_DIGITS) {
		for (const char *digit = node->text; *digit >= '0' && *digit <= '9'; digit++)
			rule->top = rule->top * 10 + (size_t)(*digit - '0');
	}
	if (strspn(node->text, "0123456789") != node->length || rule->top < 1 ||
	    rule->top > TCT_TOP_MAX)
		return tct_yaml_error(node, loader->err, "`top` takes a number from 1 to %d",
				      TCT_TOP_MAX);
	return 0;
}

/* A time that can be told now must be one that can pass. */
static int load_for_at_least(const struct tct_loader *loader, const struct tct_yaml_node *node,
			     struct tct_rule *rule)
{
	static const struct tct_type time = { .kind = TCT_KIND_NUMBER, .dimension = TCT_DIM_TIME };
	struct tct_scope_names scope = tct_scope_of_facts(loader);
	int64_t number;
	int status =
		tct_expr_load(loader, node, "`for_at_least`", &scope, &time, &rule->for_at_least);

	if (status == 0 && tct_expr_literal(rule->for_at_least, &number) && number <= 0)
		return tct_yaml_error(node, loader->err, "`for_at_least` must be more than 0");
	return status;
}

static int load_order(const struct tct_loader *loader, const struct tct_yaml_node *const *values,
		      const struct tct_scope_names *scope, struct tct_rule *rule)
{
	int status = load_top(loader, values[TOP], rule);

	if (status == 0 && rule->each == TCT_EACH_NONE &&
	    (values[TOP] != NULL || values[SORT] != NULL))
		return tct_yaml_error(
			values[TOP] != NULL ? values[TOP] : values[SORT], loader->err,
			"`%s` is for rules with `each`: without it there is one finding at most",
			values[TOP] != NULL ? "top" : "sort");
	if (status == 0 && values[SORT] != NULL) {
		status = tct_expr_load(loader, values[SORT], "`sort`", scope, NULL, &rule->sort);
		if (status == 0 && tct_expr_type(rule->sort).kind != TCT_KIND_NUMBER)
			return tct_yaml_error(values[SORT], loader->err,
					      "`sort` needs a number, not %s",
					      tct_type_words(tct_expr_type(rule->sort)));
	}
	if (status == 0 && values[FOR_AT_LEAST] != NULL)
		status = load_for_at_least(loader, values[FOR_AT_LEAST], rule);
	return status;
}

bool tct_rule_holds_on(const struct tct_rule *rule, const struct tct_facts *facts, bool *known)
{
	tct_version kernel = facts->value[TCT_FACT_KERNEL];

	*known = true;
	if (rule->since == 0 && rule->until == 0)
		return true;
	*known = facts->known[TCT_FACT_KERNEL];
	return *known && kernel >= rule->since && (rule->until == 0 || kernel < rule->until);
}

/* The condition, what is said, and what is done about it. */
static int load_texts_of_rule(const struct tct_loader *loader,
			      const struct tct_yaml_node *const *values,
			      const struct tct_scope_names *scope, struct tct_rule *rule)
{
	int status = tct_expr_load(loader, values[WHEN], "`when`", scope, &boolean, &rule->when);

	if (status == 0)
		status = load_severity(loader, values[SEVERITY], scope, rule);
	if (status == 0)
		status = tct_template_load(loader, values[TITLE], "`title`", scope, &rule->title);
	if (status == 0 && values[WHY] != NULL)
		status = tct_template_load(loader, values[WHY], "`why`", scope, &rule->why);
	if (status == 0 && values[EVIDENCE] != NULL)
		status = load_evidence(loader, values[EVIDENCE], scope, rule);
	if (status == 0 && values[REMEDY] != NULL)
		status = tct_remedy_load(loader, values[REMEDY], scope, rule);
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

int tct_rule_load(const struct tct_loader *loader, const struct tct_profile_file *file,
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
	status = load_kernels(loader, values, rule);
	if (status == 0)
		status = load_order(loader, values, &scope, rule);
	if (status == 0)
		status = load_texts_of_rule(loader, values, &scope, rule);
	return status;
}
