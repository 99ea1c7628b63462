#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "core/text.h"

const struct tct_command *const tct_commands[] = {
	&tct_command_audit,   &tct_command_apply,    &tct_command_check,
	&tct_command_confirm, &tct_command_rollback, &tct_command_history,
	&tct_command_profile, &tct_command_sockets,  &tct_command_watch,
	&tct_command_explain, &tct_command_snapshot, &tct_command_diff,
	&tct_command_help,    &tct_command_version,  NULL,
};

static const char *command_name(const void *context, size_t i)
{
	const struct tct_command *const *commands = context;

	return commands[i] != NULL ? commands[i]->name : NULL;
}

const struct tct_command *tct_command_find(const char *name, struct tct_err *err)
{
	for (size_t i = 0; tct_commands[i] != NULL; i++) {
		if (strcmp(tct_commands[i]->name, name) == 0)
			return tct_commands[i];
	}

	const char *nearest = tct_text_nearest(name, command_name, (const void *)tct_commands);

	if (nearest != NULL)
		(void)tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				  "there is no command '%s'; did you mean '%s'?", name, nearest);
	else
		(void)tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				  "there is no command '%s'; see 'tcptune --help'", name);
	return NULL;
}
