/* Whom a finding is about. */
#include <errno.h>
#include <string.h>

#include "audit/judge/judge_private.h"
#include "audit/rules/each.h"

static void add_listener(const struct tct_env *env, struct tct_text *text)
{
	char endpoint[TCT_ENDPOINT_TEXT];

	tct_text_add(text,
		     tct_listener_endpoint(&env->observation->listeners[env->item], endpoint));
}

/* The name that rules have for it: `attribute` of the item, "" if there is none. */
static void add_attribute(const struct tct_env *env, const char *name, struct tct_text *text)
{
	const struct tct_attribute *attribute = tct_attribute_find(env->each, name);
	struct tct_result result = { .status = TCT_STATUS_VALUE };

	if (attribute == NULL)
		return;
	attribute->read(env, &result);
	if (result.status == TCT_STATUS_VALUE && result.text != NULL)
		tct_text_add(text, result.text);
}

/* "10.0.0.1 -> 10.0.0.9:443" */
static void add_destination(const struct tct_env *env, struct tct_text *text)
{
	const struct tct_destination *destination =
		&env->observation->outgoing.destinations[env->item];
	bool brackets = strchr(destination->address, ':') != NULL;

	tct_text_addf(text, "%s -> %s%s%s:%u", destination->source, brackets ? "[" : "",
		      destination->address, brackets ? "]" : "", (unsigned)destination->port);
}

/* "10.0.0.7 -> 10.0.0.1:443" */
static void add_peer(const struct tct_env *env, struct tct_text *text)
{
	const struct tct_peer *peer = &env->observation->peers[env->item];

	tct_text_addf(text, "%s -> %s", peer->address, peer->local);
}

static void add_line(const struct tct_env *env, struct tct_text *text)
{
	const struct tct_file_line *line = &env->observation->files->lines[env->item];

	tct_text_addf(text, "%s:%u", line->file, line->line);
}

static void add_suppression(const struct tct_env *env, struct tct_text *text)
{
	tct_text_addf(text, "%s:%u", env->suppressions->file,
		      env->suppressions->items[env->item].line);
}

int tct_subject_of(const struct tct_env *env, char **subject)
{
	struct tct_text text = { 0 };

	*subject = NULL;
	switch (env->each) {
	case TCT_EACH_NONE:
		return 0;
	case TCT_EACH_LISTENER:
		add_listener(env, &text);
		break;
	case TCT_EACH_OWNER:
		add_attribute(env, "name", &text);
		break;
	case TCT_EACH_DESTINATION:
		add_destination(env, &text);
		break;
	case TCT_EACH_PEER:
		add_peer(env, &text);
		break;
	case TCT_EACH_INTERFACE:
		tct_text_add(&text, env->observation->interfaces[env->item].name);
		break;
	case TCT_EACH_NAMESPACE:
		add_attribute(env, "namespace", &text);
		break;
	case TCT_EACH_KEY:
		tct_text_add(&text, tct_kernel_keys[env->item].name);
		break;
	case TCT_EACH_LINE:
		add_line(env, &text);
		break;
	case TCT_EACH_SUPPRESSION:
		add_suppression(env, &text);
		break;
	}
	*subject = tct_text_take(&text);
	return *subject == NULL ? -ENOMEM : 0;
}
