/* The remedy of a rule. */
#include <errno.h>

#include "audit/rules/profile_private.h"

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
			status = tct_template_load(loader, item, "a command", scope,
						   &rule->commands[rule->commands_count++]);
	}
	return status;
}

int tct_remedy_load(const struct tct_loader *loader, const struct tct_yaml_node *node,
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
		status = tct_template_load(loader, values[APPLICATION], "`application`", scope,
					   &rule->application);
	return status < 0
		       ? status
		       : load_remedy_lists(loader, values[SYSCTLS], values[COMMANDS], scope, rule);
}
