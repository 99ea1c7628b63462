/* One rule of the book. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/functions.h"
#include "audit/rules/node.h"
#include "core/mem.h"
#include "docs/rules_book.h"

/* What a rule's expressions rest on. */
struct uses {
	const struct tct_profile_set *set; /* NULL = variables don't matter */
	bool *variables;                   /* [set->variables_count] */
	bool *counters;                    /* [tct_counters_count]; NULL = they don't matter */
	struct tct_text *inputs;           /* NULL = likewise */
	const char **labels;               /* of those in inputs */
	size_t labels_count;
	size_t labels_capacity;
};

static void use_input(struct uses *uses, const char *label)
{
	const char **slot;

	for (size_t i = 0; i < uses->labels_count; i++) {
		if (strcmp(uses->labels[i], label) == 0)
			return;
	}
	slot = TCT_APPEND(uses, labels);
	if (slot == NULL) {
		uses->inputs->failed = true;
		return;
	}
	*slot = label;
	tct_text_add(uses->inputs, uses->labels_count > 1 ? ", " : "");
	tct_book_code(uses->inputs, label);
}

static void use_expr(struct uses *uses, const struct tct_expr *expr);

static bool reads_counter(const struct tct_expr *node)
{
	static const char *const names[] = { "counter", "delta", "rate", "rate_over" };

	for (size_t i = 0; i < TCT_COUNT(names) && node->kind == TCT_NODE_CALL; i++) {
		if (strcmp(node->function->name, names[i]) == 0)
			return true;
	}
	return false;
}

static void use_node(void *context, const struct tct_expr *node)
{
	struct uses *uses = context;

	if (node->kind == TCT_NODE_VARIABLE) {
		if (uses->set != NULL && !uses->variables[node->index]) {
			struct tct_text *inputs = uses->inputs;

			uses->variables[node->index] = true;
			uses->inputs = NULL; /* a variable's own parts are no measurement */
			use_expr(uses, uses->set->variables[node->index].expr);
			uses->inputs = inputs;
		}
		return;
	}
	if (uses->counters != NULL && reads_counter(node))
		uses->counters[node->index] = true;
	if (node->label != NULL && uses->inputs != NULL)
		use_input(uses, node->label);
}

static void use_expr(struct uses *uses, const struct tct_expr *expr)
{
	if (expr != NULL)
		tct_expr_walk(expr, use_node, uses);
}

static void use_text(struct uses *uses, const struct tct_template *text)
{
	if (text != NULL)
		tct_template_walk(text, use_node, uses);
}

static void use_bound(struct uses *uses, const struct tct_bound *bound)
{
	for (size_t i = 0; i < TCT_COUNT(bound->fields); i++)
		use_expr(uses, bound->fields[i]);
}

/* Of these the findings tell the values. */
static void use_conditions(struct uses *uses, const struct tct_rule *rule)
{
	use_expr(uses, rule->when);
	for (size_t i = 0; i < TCT_SEVERITY_LIMIT; i++)
		use_expr(uses, rule->severity_when[i]);
}

static void use_rest(struct uses *uses, const struct tct_rule *rule)
{
	use_expr(uses, rule->sort);
	use_expr(uses, rule->for_at_least);
	use_text(uses, rule->title);
	use_text(uses, rule->why);
	use_text(uses, rule->application);
	for (size_t i = 0; i < rule->commands_count; i++)
		use_text(uses, rule->commands[i]);
	for (size_t i = 0; i < rule->evidence_count; i++)
		use_expr(uses, rule->evidence[i].expr);
	for (size_t i = 0; i < rule->sysctls_count; i++) {
		use_bound(uses, &rule->sysctls[i].set);
		use_bound(uses, &rule->sysctls[i].at_least);
		use_bound(uses, &rule->sysctls[i].at_most);
	}
}

void tct_book_rule_counters(const struct tct_rule *rule, bool *used)
{
	struct uses uses = { .counters = used };

	use_conditions(&uses, rule);
	use_rest(&uses, rule);
}

void tct_book_severities(struct tct_text *out, const struct tct_rule *rule)
{
	const char *before = "";

	for (enum tct_severity i = TCT_SEVERITY_CRITICAL; i < TCT_SEVERITY_LIMIT; i++) {
		if (!rule->severity_given[i])
			continue;
		tct_text_addf(out, "%s%s", before, tct_severity_name(i));
		before = ", ";
	}
}

static void add_heading(struct tct_text *out, const struct tct_rule *rule)
{
	char version[32];

	tct_text_addf(out, "### %s\n\n> ", rule->id);
	tct_book_prose(out, tct_template_source(rule->title));
	tct_text_add(out, "\n\n**");
	tct_book_severities(out, rule);
	tct_text_addf(out, "** · cause: %s · ", tct_cause_name(rule->cause));
	if (rule->each == TCT_EACH_NONE)
		tct_text_add(out, "judged once for the host");
	else
		tct_text_addf(out, "judged for each %s", tct_each_name(rule->each));
	if (rule->since != 0)
		tct_text_addf(out, " · since Linux %s", tct_version_text(rule->since, version));
	if (rule->until != 0)
		tct_text_addf(out, " · before Linux %s", tct_version_text(rule->until, version));
	tct_text_add(out, "\n\n");
}

static void add_conditions(struct tct_text *out, const struct tct_rule *rule)
{
	tct_book_code_block(out, "", tct_expr_source(rule->when));
	for (enum tct_severity i = TCT_SEVERITY_CRITICAL; i < TCT_SEVERITY_LIMIT; i++) {
		if (!rule->severity_given[i] || rule->severity_when[i] == NULL)
			continue;
		if (strcmp(tct_expr_source(rule->severity_when[i]), "true") == 0) {
			tct_text_addf(out, "- %s otherwise\n", tct_severity_name(i));
			continue;
		}
		tct_text_addf(out, "- %s if ", tct_severity_name(i));
		tct_book_code(out, tct_expr_source(rule->severity_when[i]));
		tct_text_add(out, "\n");
	}
	if (rule->for_at_least != NULL) {
		tct_text_add(out, "- must hold without a break for ");
		tct_book_code(out, tct_expr_source(rule->for_at_least));
		tct_text_add(out, "\n");
	}
	if (rule->sort != NULL) {
		tct_text_add(out, "- told first: the largest ");
		tct_book_code(out, tct_expr_source(rule->sort));
		tct_text_addf(out, "; %zu are told, the others counted\n", rule->top);
	}
}

static int add_measured(struct tct_text *out, const struct tct_profile_set *set,
			const struct tct_rule *rule, bool *variables)
{
	TCT_AUTO(tct_text_done) struct tct_text inputs = { 0 };
	struct uses uses = { .set = set, .variables = variables, .inputs = &inputs };

	use_conditions(&uses, rule);
	uses.inputs = NULL;
	use_rest(&uses, rule);
	free(uses.labels);
	if (inputs.failed)
		return -ENOMEM;
	tct_text_addf(out, "- measured: %s", inputs.length > 0 ? inputs.data : "nothing");
	for (size_t i = 0; i < rule->evidence_count; i++) {
		tct_text_add(out, "; ");
		tct_book_prose(out, rule->evidence[i].name);
		tct_text_add(out, " = ");
		tct_book_code(out, tct_expr_source(rule->evidence[i].expr));
	}
	tct_text_add(out, "\n");
	return 0;
}

static void add_bound(struct tct_text *out, const struct tct_kernel_key *key, const char *word,
		      const struct tct_bound *bound)
{
	TCT_AUTO(tct_text_done) struct tct_text value = { 0 };

	if (!bound->given)
		return;
	if (bound->literal.kind != TCT_VALUE_NONE) {
		TCT_AUTOFREE char *text = tct_value_text(&bound->literal);

		tct_text_add(&value, text != NULL ? text : "");
		value.failed |= text == NULL;
	}
	for (unsigned i = 0; bound->literal.kind == TCT_VALUE_NONE && i < key->fields; i++)
		tct_text_addf(&value, "%s%s", i > 0 ? ", " : "",
			      bound->fields[i] != NULL ? tct_expr_source(bound->fields[i])
						       : "keep");
	tct_text_addf(out, " %s ", word);
	tct_book_code(out, tct_text_string(&value));
	out->failed |= value.failed;
}

static void add_remedy(struct tct_text *out, const struct tct_rule *rule)
{
	if (rule->application != NULL) {
		tct_text_add(out, "**What helps:** ");
		tct_book_prose(out, tct_template_source(rule->application));
		tct_text_add(out, "\n\n");
	}
	if (rule->sysctls_count > 0)
		tct_text_add(out, "**Kernel settings:**\n\n");
	for (size_t i = 0; i < rule->sysctls_count; i++) {
		const struct tct_remedy_sysctl *remedy = &rule->sysctls[i];

		tct_text_addf(out, "- `%s`", remedy->key->name);
		add_bound(out, remedy->key, "=", &remedy->set);
		add_bound(out, remedy->key, "at least", &remedy->at_least);
		add_bound(out, remedy->key, "at most", &remedy->at_most);
		tct_text_add(out, "\n");
	}
	tct_text_add(out, rule->sysctls_count > 0 ? "\n" : "");
	if (rule->commands_count > 0)
		tct_text_add(out, "**Next:**\n\n```sh\n");
	for (size_t i = 0; i < rule->commands_count; i++)
		tct_book_template(out, tct_template_source(rule->commands[i]));
	tct_text_add(out, rule->commands_count > 0 ? "```\n\n" : "");
	if (rule->never_count > 0)
		tct_text_add(out, "**Never:**\n\n");
	for (size_t i = 0; i < rule->never_count; i++) {
		tct_text_add(out, "- ");
		tct_book_prose(out, rule->never[i].what);
		tct_text_add(out, ": ");
		tct_book_prose(out, rule->never[i].because);
		tct_text_add(out, "\n");
	}
	tct_text_add(out, rule->never_count > 0 ? "\n" : "");
}

static void add_variables(struct tct_text *out, const struct tct_profile_set *set,
			  const bool *variables)
{
	bool any = false;

	for (size_t i = 0; i < set->variables_count; i++) {
		const struct tct_variable *variable = &set->variables[i];

		if (!variables[i])
			continue;
		tct_text_add(out, any ? "" : "**Variables:**\n\n");
		any = true;
		tct_text_addf(out, "- `%s`", variable->name);
		if (tct_expr_is_unset(variable->expr)) {
			tct_text_add(out, ", not set unless you say it");
		} else {
			tct_text_add(out, " = ");
			tct_book_code(out, tct_expr_source(variable->expr));
		}
		if (variable->summary[0] != '\0') {
			tct_text_add(out, ": ");
			tct_book_prose(out, variable->summary);
		}
		tct_text_add(out, "\n");
	}
	tct_text_add(out, any ? "\n" : "");
}

static void add_references(struct tct_text *out, const struct tct_rule *rule)
{
	if (rule->explains_count > 0)
		tct_text_add(out, "**Explains**, so that it isn't told beside it: ");
	for (size_t i = 0; i < rule->explains_count; i++) {
		tct_text_add(out, i > 0 ? ", " : "");
		tct_book_link(out, rule->explains[i]);
	}
	tct_text_add(out, rule->explains_count > 0 ? "\n\n" : "");
	if (rule->references_count > 0)
		tct_text_add(out, "**References:**\n\n");
	for (size_t i = 0; i < rule->references_count; i++) {
		const char *text = rule->references[i];

		tct_text_add(out, "- ");
		if (strncmp(text, "https://", 8) == 0 && strchr(text, ' ') == NULL)
			tct_text_addf(out, "<%s>", text);
		else
			tct_book_prose(out, text);
		tct_text_add(out, "\n");
	}
	tct_text_add(out, rule->references_count > 0 ? "\n" : "");
}

int tct_book_rule(struct tct_text *out, const struct tct_profile_set *set,
		  const struct tct_rule *rule)
{
	TCT_AUTOFREE bool *variables = calloc(set->variables_count + 1, sizeof(*variables));

	if (variables == NULL)
		return -ENOMEM;
	add_heading(out, rule);
	add_conditions(out, rule);
	if (add_measured(out, set, rule, variables) < 0)
		return -ENOMEM;
	tct_text_add(out, "\n");
	if (rule->why != NULL) {
		tct_text_add(out, "**Why:** ");
		tct_book_prose(out, tct_template_source(rule->why));
		tct_text_add(out, "\n\n");
	}
	add_remedy(out, rule);
	add_variables(out, set, variables);
	add_references(out, rule);
	return out->failed ? -ENOMEM : 0;
}
