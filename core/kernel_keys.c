#include "core/kernel_keys.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "core/text.h"

int tct_kernel_key_path(const char *name, char *path, size_t path_size)
{
	size_t length = strlen(name);
	size_t first = strcspn(name, "./");
	bool swap = name[first] == '.';

	if (path_size > 0)
		path[0] = '\0';
	if (length == 0 || first == 0)
		return -EINVAL;
	if (length >= path_size)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < length; i++) {
		char c = name[i];

		if (swap && c == '.')
			c = '/';
		else if (swap && c == '/')
			c = '.';
		path[i] = c;
	}
	path[length] = '\0';
	for (const char *part = path;;) {
		size_t size = strcspn(part, "/");

		if ((size == 1 && part[0] == '.') ||
		    (size == 2 && part[0] == '.' && part[1] == '.')) {
			path[0] = '\0';
			return -EINVAL;
		}
		if (part[size] == '\0')
			return 0;
		part += size + 1;
	}
}

bool tct_kernel_key_fields_apart(const struct tct_kernel_key *key)
{
	return key->fields > 1 && key->handler != TCT_HANDLER_PORT_RANGE;
}

const struct tct_kernel_key *tct_kernel_key_find(const char *name)
{
	char dotted[NAME_MAX + 1];
	size_t low = 0;
	size_t high = tct_kernel_keys_count;

	if (tct_kernel_key_path(name, dotted, sizeof(dotted)) < 0)
		return NULL;
	for (char *c = dotted; *c != '\0'; c++) {
		if (*c == '/')
			*c = '.';
		else if (*c == '.')
			*c = '/';
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(dotted, tct_kernel_keys[middle].name);

		if (order == 0)
			return &tct_kernel_keys[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

size_t tct_kernel_key_index(const struct tct_kernel_key *key)
{
	return (size_t)(key - tct_kernel_keys);
}

/* "tcp_rmem" of "net.ipv4.tcp_rmem" */
static const char *last_part(const char *name)
{
	const char *last = name;

	for (const char *c = name; *c != '\0'; c++) {
		if (*c == '.' || *c == '/')
			last = c + 1;
	}
	return last;
}

static const char *candidate_name(const void *context, size_t i)
{
	(void)context;
	return i < tct_kernel_keys_count ? tct_kernel_keys[i].name : NULL;
}

static const char *candidate_last_part(const void *context, size_t i)
{
	(void)context;
	return i < tct_kernel_keys_count ? last_part(tct_kernel_keys[i].name) : NULL;
}

/* The i-th full name that ends in the part given as context. */
static const char *candidate_with_part(const void *context, size_t i)
{
	const char *part = (const char *)context;

	for (size_t at = 0; at < tct_kernel_keys_count; at++) {
		const char *name = tct_kernel_keys[at].name;

		if (strcmp(last_part(name), part) == 0 && i-- == 0)
			return name;
	}
	return NULL;
}

const char *tct_kernel_key_nearest(const char *name)
{
	/* The folders are long and shared by all: they would make any two names look near. */
	const char *part = tct_text_nearest(last_part(name), candidate_last_part, NULL);
	const char *nearest;

	if (part != NULL) {
		nearest = tct_text_nearest(name, candidate_with_part, part);
		return nearest != NULL ? nearest : candidate_with_part(part, 0);
	}
	/* Separators mistyped: "net_ipv4_tcp_rmem". */
	return strpbrk(name, "./") == NULL ? tct_text_nearest(name, candidate_name, NULL) : NULL;
}

const char *tct_unit_name(enum tct_unit unit)
{
	switch (unit) {
	case TCT_UNIT_COUNT:
	case TCT_UNIT_PORT:
	case TCT_UNIT_NAME:
		return "";
	case TCT_UNIT_BYTES:
		return "bytes";
	case TCT_UNIT_PAGES:
		return "pages";
	case TCT_UNIT_S:
		return "seconds";
	case TCT_UNIT_MS:
		return "milliseconds";
	case TCT_UNIT_US:
		return "microseconds";
	case TCT_UNIT_NS:
		return "nanoseconds";
	}
	return "";
}

/* The words about each effect. */
static const struct effect_words {
	const char *name;
	const char *text;
	const char *keeps; /* NULL = nothing does */
} effect_words[] = {
	[TCT_EFFECT_LIVE] = { "live", "at once, for existing sockets too", NULL },
	[TCT_EFFECT_TIMER] = { "timer", "when a timer is set next: one that runs keeps its expiry",
			       "timers that run already" },
	[TCT_EFFECT_HANDSHAKE] = { "handshake", "for connections made from now on",
				   "open connections" },
	[TCT_EFFECT_OPTION] = { "option", "at the next setsockopt()",
				"buffers set by setsockopt()" },
	[TCT_EFFECT_SOCKET] = { "socket",
				"for sockets made from now on; a listening socket must be made again",
				"open sockets and what they accept" },
	[TCT_EFFECT_LISTEN] = { "listen", "at the next listen()", "listeners" },
	[TCT_EFFECT_NETNS] = { "netns", "for network namespaces made from now on",
			       "network namespaces" },
	[TCT_EFFECT_QDISC] = { "qdisc", "for queueing disciplines made from now on",
			       "queueing disciplines" },
	[TCT_EFFECT_INTERFACE] = { "interface",
				   "for network interfaces made from now on, and those whose own "
				   "value nobody set",
				   "interfaces with their own value" },
	[TCT_EFFECT_NONE] = { "none", "never: the kernel ignores it", NULL },
};

const char *tct_effect_text(enum tct_effect effect)
{
	return effect_words[effect].text;
}

const char *tct_effect_name(enum tct_effect effect)
{
	return effect_words[effect].name;
}

const char *tct_effect_keeps(enum tct_effect effect)
{
	return effect_words[effect].keeps;
}
